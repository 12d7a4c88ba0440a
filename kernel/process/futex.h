/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_PROCESS_FUTEX_H
#define KERNEL_PROCESS_FUTEX_H

#include "kernel/abi/futex.h"
#include "kernel/sched/timer.h"

struct task_struct;

void futex_init(void);
/*
 * futex(2), with its time limit as a deadline or NULL. The number of the woken (and moved), 0 after a
 * wait, or -errno.
 */
long do_futex(u32 __user *uaddr, int op, u32 val, const struct time_limit *deadline,
	      u32 __user *uaddr2, u32 val2, u32 val3);
/*
 * futex_waitv(2): waits for all nr words, until one is woken: which. -EAGAIN: one hasn't its value any more.
 * => the flags are checked
 */
long futex_wait_multiple(const struct kernel_futex_waitv *v, unsigned int nr,
			 const struct time_limit *deadline);
/* Wakes one who waits for a word that may be shared with other processes. */
void futex_wake_shared(u32 __user *uaddr);
/*
 * The running task leaves its address space: mutexes of its robust list that it holds are marked as
 * their owner's having died. => the address space is still loaded
 */
void exit_robust_list(struct task_struct *task);

#endif
