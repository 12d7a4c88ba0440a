/* SPDX-License-Identifier: MIT */
/*
 * fork(2), vfork(2), clone(2), clone3(2): four ways to ask for one thing. The entry code has put all
 * of the caller's registers into its pt_regs.
 */
#include <arch/uaccess.h>

#include "kernel/fs/proc.h"
#include "kernel/process/task.h"
#include "kernel/syscall/sys.h"

long sys_fork(void)
{
	const struct clone_args args = { .exit_signal = SIGCHLD };

	return kernel_clone(&args);
}

long sys_vfork(void)
{
	const struct clone_args args = { .flags = CLONE_VFORK | CLONE_VM, .exit_signal = SIGCHLD };

	return kernel_clone(&args);
}

long sys_clone(unsigned long flags, unsigned long newsp, int __user *parent_tid,
	       int __user *child_tid, unsigned long tls)
{
	const struct clone_args args = {
		.flags = (u32)flags & ~(u32)CSIGNAL,
		.exit_signal = (int)(flags & CSIGNAL),
		.stack = newsp,
		.parent_tid = parent_tid,
		.pidfd = parent_tid,
		.child_tid = child_tid,
		.tls = tls,
	};

	return kernel_clone(&args);
}

/* Fields that we don't know must be zero: then they ask for nothing. */
static int copy_clone3_args(struct clone3_args *a, const void __user *uargs, size_t size)
{
	*a = (struct clone3_args){ 0 };
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	if (size > sizeof(*a)) {
		u8 byte;

		for (size_t i = sizeof(*a); i < size; i++) {
			if (get_user(byte, user_at((const u8 __user *)uargs, i)))
				return -EFAULT;
			if (byte)
				return -E2BIG;
		}
	}
	return copy_from_user(a, uargs, min(size, sizeof(*a))) ? -EFAULT : 0;
}

#define MAX_PID_NS_LEVEL 32
#define CLONE3_FLAGS	 (0xffffffffUL | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP)

/* Choosing ids is for who restores a whole system: it isn't offered here, though checked. */
static int check_set_tid(const struct clone3_args *a)
{
	int tid;

	if (a->set_tid_size != 1) {
		int all[MAX_PID_NS_LEVEL];

		return copy_from_user(all, (const void __user *)a->set_tid,
				      a->set_tid_size * sizeof(int)) ?
			       -EFAULT :
			       -EINVAL;
	}
	if (get_user(tid, (const int __user *)a->set_tid))
		return -EFAULT;
	return tid < 1 || tid >= READ_ONCE(proc_pid_max) ? -EINVAL : -EPERM;
}

static int check_clone3(const struct clone3_args *a, size_t size)
{
	if (a->set_tid_size > MAX_PID_NS_LEVEL || !a->set_tid != !a->set_tid_size)
		return -EINVAL;
	if ((a->exit_signal & ~(unsigned long)CSIGNAL) || a->exit_signal > NR_SIGNALS)
		return -EINVAL;
	if ((a->flags & CLONE_INTO_CGROUP) && size < CLONE_ARGS_SIZE_VER2)
		return -EINVAL;
	if (!a->stack != !a->stack_size)
		return -EINVAL;
	if (a->stack &&
	    (a->stack + a->stack_size < a->stack || a->stack + a->stack_size > TASK_SIZE))
		return -EINVAL;
	if ((a->flags & ~CLONE3_FLAGS) ||
	    (a->flags & (CLONE_DETACHED | (CSIGNAL & ~(unsigned long)CLONE_NEWTIME))))
		return -EINVAL;
	if ((a->flags & (CLONE_SIGHAND | CLONE_CLEAR_SIGHAND)) ==
	    (CLONE_SIGHAND | CLONE_CLEAR_SIGHAND))
		return -EINVAL;
	if ((a->flags & (CLONE_THREAD | CLONE_PARENT)) && a->exit_signal)
		return -EINVAL;
	return a->set_tid ? check_set_tid(a) : 0;
}

long sys_clone3(const void __user *uargs, size_t size)
{
	struct clone3_args a;
	struct clone_args args;
	int err = copy_clone3_args(&a, uargs, size);

	if (!err)
		err = check_clone3(&a, size);
	if (err)
		return err;
	args = (struct clone_args){
		.flags = a.flags,
		.exit_signal = (int)a.exit_signal,
		.stack = a.stack ? a.stack + a.stack_size : 0,
		.parent_tid = (int __user *)a.parent_tid,
		.pidfd = (int __user *)a.pidfd,
		.child_tid = (int __user *)a.child_tid,
		.tls = a.tls,
	};
	return kernel_clone(&args);
}
