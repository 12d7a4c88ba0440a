/* SPDX-License-Identifier: MIT */
/* futex(2), and the robust lists of set_robust_list(2). */
#include <arch/uaccess.h>

#include "kernel/process/futex.h"
#include "kernel/process/ptrace.h"
#include "kernel/syscall/sys.h"
#include "kernel/syscall/sys_time.h"

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
