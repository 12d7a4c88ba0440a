/* SPDX-License-Identifier: MIT */
/*
 * /proc: what the kernel knows, as files. Formats are Linux's (proc(5)), and a value that this
 * kernel doesn't keep exactly is left out.
 *
 * Processes are a higher layer's: it tells of them through struct proc_task_ops.
 */
#ifndef KERNEL_FS_PROC_H
#define KERNEL_FS_PROC_H

#include "kernel/abi/process.h"
#include "kernel/fs/fdtable.h"
#include "kernel/fs/vfs.h"

struct proc_task_info {
	int pid, ppid;
	char comm[16];
	char state; /* R S D T t Z X I, as in /proc/pid/status */
	u32 uid[4]; /* real, effective, saved, for files */
	u32 gid[4];
	u32 groups[NGROUPS_MAX_TASK];
	unsigned int ngroups;
	u64 cap_permitted, cap_effective, cap_bounding;
	unsigned int threads;
	unsigned int fdsize; /* numbers its descriptor table has room for; 0 without one */
	bool has_umask;
	umode_t umask;
	struct mm_rlimit rlim[RLIM_NLIMITS];
	struct mm_struct *mm; /* NULL for kernel threads and zombies */
};

struct proc_task_ops {
	/* The lowest process id above `after`, or -1. */
	int (*next_pid)(int after);
	/* Describes a process; false when there is none. info->mm has been mmget()'ed: mmput() it. */
	bool (*get)(int pid, struct proc_task_info *info);
	/* Of the running program; 0 in a kernel thread. */
	int (*current_pid)(void);
	/* Its descriptor table with a reference, or NULL. Without it there is no /proc/pid/fd. */
	struct files_struct *(*get_files)(int pid);
};

/* Called once, before the first program runs. Until then /proc shows no process. */
void proc_register_tasks(const struct proc_task_ops *ops);

/*
 * Nanoseconds all processors together have been idle, for /proc/uptime, which isn't there before
 * this is set.
 */
extern u64 (*proc_idle_ns)(void);

/*
 * /proc/pid/walk, which Linux has not: pread(fd, buf, n, ADDR) gives the text of the page walk for
 * the user address ADDR, cut to n bytes, made anew each time. Read with lseek() and read(), it ends
 * (0 bytes) where the text for one address has been given out. -EINVAL beyond user addresses.
 */

#endif
