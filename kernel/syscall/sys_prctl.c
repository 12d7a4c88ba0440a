/* SPDX-License-Identifier: MIT */
/* prctl(2): what a process or thread may say about itself. */
#include <arch/uaccess.h>

#include "kernel/abi/prctl.h"
#include "kernel/base/string.h"
#include "kernel/process/task.h"
#include "kernel/syscall/sys.h"

#define CAP_LAST 40

static long set_name(const char __user *name)
{
	struct task_struct *task = current;
	char comm[sizeof(task->comm)] = { 0 };
	long len = strncpy_from_user(comm, name, sizeof(comm) - 1);
	unsigned long flags;

	if (len < 0)
		return -EFAULT;
	flags = spin_lock_irqsave(&tasklist_lock);
	memcpy(task->comm, comm, sizeof(task->comm));
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return 0;
}

/* Flags that are 0 or 1: anything else is refused. */
static long set_flag(bool *flag, unsigned long value)
{
	if (value > 1)
		return -EINVAL;
	*flag = value;
	return 0;
}

static long set_timer_slack(unsigned long ns)
{
	struct task_struct *task = current;

	task->timer_slack_ns = (long)ns > 0 ? ns : task->default_timer_slack_ns;
	return 0;
}

/* Those that have no other arguments, and say so. */
static long no_new_privs(int option, unsigned long arg2, bool others)
{
	if (option == PR_GET_NO_NEW_PRIVS)
		return arg2 || others ? -EINVAL : current->no_new_privs;
	if (arg2 != 1 || others)
		return -EINVAL;
	current->no_new_privs = true;
	return 0;
}

long sys_prctl(int option, unsigned long arg2, unsigned long arg3, unsigned long arg4,
	       unsigned long arg5)
{
	struct task_struct *task = current;

	switch (option) {
	case PR_SET_PDEATHSIG:
		if (arg2 > NR_SIGNALS)
			return -EINVAL;
		task->pdeath_signal = (int)arg2;
		return 0;
	case PR_GET_PDEATHSIG:
		return put_user(task->pdeath_signal, (int __user *)arg2);
	case PR_GET_DUMPABLE:
		return READ_ONCE(task->mm_part.mm->dumpable);
	case PR_SET_DUMPABLE:
		if (arg2 != SUID_DUMP_DISABLE && arg2 != SUID_DUMP_USER)
			return -EINVAL;
		WRITE_ONCE(task->mm_part.mm->dumpable, (u8)arg2);
		return 0;
	case PR_GET_KEEPCAPS:
		return task->cred.keep_caps;
	case PR_SET_KEEPCAPS:
		return set_flag(&task->cred.keep_caps, arg2);
	case PR_GET_TIMING:
		return PR_TIMING_STATISTICAL;
	case PR_SET_TIMING:
		return arg2 == PR_TIMING_STATISTICAL ? 0 : -EINVAL;
	case PR_SET_NAME:
		return set_name((const char __user *)arg2);
	case PR_GET_NAME:
		return copy_to_user((void __user *)arg2, task->comm, sizeof(task->comm)) ? -EFAULT :
											   0;
	case PR_CAPBSET_READ:
		return arg2 <= CAP_LAST ? 1 : -EINVAL; /* nothing is ever dropped from it */
	case PR_SET_TIMERSLACK:
		return set_timer_slack(arg2);
	case PR_GET_TIMERSLACK:
		return (long)task->timer_slack_ns;
	case PR_SET_CHILD_SUBREAPER:
		task->signal->child_subreaper = arg2;
		return 0;
	case PR_GET_CHILD_SUBREAPER:
		return put_user((int)task->signal->child_subreaper, (int __user *)arg2);
	case PR_SET_NO_NEW_PRIVS:
	case PR_GET_NO_NEW_PRIVS:
		return no_new_privs(option, arg2, arg3 || arg4 || arg5);
	case PR_GET_TID_ADDRESS:
		return put_user(task->clear_child_tid, (unsigned long __user *)arg2);
	}
	return -EINVAL;
}
