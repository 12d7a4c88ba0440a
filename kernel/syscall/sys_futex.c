/* SPDX-License-Identifier: MIT */
/* futex(2), and the robust lists of set_robust_list(2). */
#include <arch/uaccess.h>

#include "kernel/process/futex.h"
#include "kernel/process/ptrace.h"
#include "kernel/syscall/sys.h"
#include "kernel/syscall/sys_time.h"
#include "mm/slab.h"

/* Of the others the fourth argument is a number. */
static bool has_timeout(int cmd)
{
	return cmd == FUTEX_WAIT || cmd == FUTEX_WAIT_BITSET || cmd == FUTEX_LOCK_PI ||
	       cmd == FUTEX_LOCK_PI2 || cmd == FUTEX_WAIT_REQUEUE_PI;
}

long sys_futex(u32 __user *uaddr, int op, u32 val, const struct kernel_timespec __user *timeout,
	       u32 __user *uaddr2, u32 val3)
{
	int cmd = op & FUTEX_CMD_MASK;
	struct time_limit deadline;
	s64 ns;
	int err;

	if (!timeout || !has_timeout(cmd))
		return do_futex(uaddr, op, val, NULL, uaddr2, (u32)(uintptr_t)timeout, val3);
	err = get_timespec_ns(&ns, timeout);
	if (err)
		return err;
	deadline.clock = op & FUTEX_CLOCK_REALTIME ? TIMER_REALTIME : TIMER_MONOTONIC;
	deadline.ns = cmd == FUTEX_WAIT ? ns_from_now(ns) : (u64)ns;
	return do_futex(uaddr, op, val, &deadline, uaddr2, 0, val3);
}

/* The limit, absolute on its clock. 0 or -errno. */
static int get_deadline(struct time_limit *deadline, const struct kernel_timespec __user *timeout,
			int clock)
{
	s64 ns = 0;
	int err;

	if (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME)
		return -EINVAL;
	err = get_timespec_ns(&ns, timeout);
	deadline->clock = clock == CLOCK_REALTIME ? TIMER_REALTIME : TIMER_MONOTONIC;
	deadline->ns = (u64)ns;
	return err;
}

static int copy_waiters(struct kernel_futex_waitv *v,
			const struct kernel_futex_waitv __user *waiters, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (copy_from_user(&v[i], &waiters[i], sizeof(v[i])))
			return -EFAULT;
		if ((v[i].flags & ~(u32)(FUTEX_32 | FUTEX_PRIVATE_FLAG)) || v[i].reserved ||
		    !(v[i].flags & FUTEX_32))
			return -EINVAL;
	}
	return 0;
}

long sys_futex_waitv(const struct kernel_futex_waitv __user *waiters, unsigned int nr,
		     unsigned int flags, const struct kernel_timespec __user *timeout, int clock)
{
	struct kernel_futex_waitv *v;
	struct time_limit deadline;
	long ret;

	if (flags || !nr || nr > FUTEX_WAITV_MAX || !waiters)
		return -EINVAL;
	ret = timeout ? get_deadline(&deadline, timeout, clock) : 0;
	if (ret)
		return ret;
	v = kmalloc(nr * sizeof(*v), GFP_KERNEL);
	if (!v)
		return -ENOMEM;
	ret = copy_waiters(v, waiters, nr);
	if (!ret)
		ret = futex_wait_multiple(v, nr, timeout ? &deadline : NULL);
	kfree(v);
	return ret;
}

long sys_set_robust_list(unsigned long head, size_t len)
{
	if (len != sizeof(struct robust_list_head))
		return -EINVAL;
	current->robust_list = head;
	return 0;
}

long sys_get_robust_list(int tid, unsigned long __user *head, size_t __user *len)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock), list = 0;
	const struct task_struct *task = tid ? find_task(tid) : current;
	long err = 0;

	if (!task)
		err = -ESRCH;
	else if (!ptrace_may_access(task, PTRACE_REALCREDS))
		err = -EPERM;
	else
		list = task->robust_list;
	spin_unlock_irqrestore(&tasklist_lock, flags);
	if (err)
		return err;
	return put_user(sizeof(struct robust_list_head), len) || put_user(list, head) ? -EFAULT : 0;
}
