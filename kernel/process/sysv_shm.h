/* SPDX-License-Identifier: MIT */
/* System V shared memory. The calls, by number of a segment; 0 or -errno where nothing else is said. */
#ifndef KERNEL_PROCESS_SYSV_SHM_H
#define KERNEL_PROCESS_SYSV_SHM_H

#include "kernel/abi/shm.h"
#include "kernel/base/types.h"

struct file;
struct task_struct;

/* shmget(2): the number. May sleep, as all of these. */
int shm_get(int key, u64 size, int flags);
/* shmat(2), shmdt(2) in the running task's address space. => mmap_lock not held */
long shm_attach(int id, unsigned long addr, int flags);
int shm_detach(unsigned long addr);

/*
 * What shmat() needs: the segment's file, referenced, if the mode gives `access` (0444, 0222, 0111 of all)
 * to the running task, and the segment stays until it is let go of. Or ERR_PTR(-EINVAL, -EACCES).
 */
struct file *shm_hold(int id, int access);
void shm_let_go(int id);
/*
 * One area more over the segment whose file is `base`: 0, or -EINVAL when it has gone; and one less, which
 * may be its end.
 */
int shm_count_area(int id, const struct file *base);
void shm_uncount_area(int id, const struct file *base);

/* What shmctl(2) does. cmd: IPC_STAT, SHM_STAT or SHM_STAT_ANY; of the last two the result is the number. */
int shm_stat(int id, int cmd, struct shmid64_ds *ds);
int shm_set(int id, const struct shmid64_ds *ds);
int shm_remove(int id);
int shm_lock(int id);
int shm_unlock(int id);
/* Both return the highest place in use, or 0. */
int shm_limits(struct shminfo64 *info);
int shm_usage(struct shm_info_kernel *info);

/* The task ends: with shm_rmid_forced, so does what it made and nobody has attached. */
void exit_shm(struct task_struct *task);
/* Shows it in /proc. => fs_init() ran */
void sysv_shm_init(void);

#endif
