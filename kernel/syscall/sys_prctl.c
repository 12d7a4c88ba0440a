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

/* --- capabilities ------------------------------------------------------------------------------- */

/* => by the running task alone; others look under the lock */
static void change_creds(u32 securebits, u64 bounding)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	current->cred.securebits = securebits;
	current->cred.cap_bounding = bounding;
	spin_unlock_irqrestore(&tasklist_lock, flags);
}

static long set_securebits(unsigned long bits)
{
	const struct cred *c = &current->cred;
	const unsigned long locked = (c->securebits & SECURE_ALL_LOCKS) >> 1;

	if ((locked & (c->securebits ^ bits)) || (c->securebits & SECURE_ALL_LOCKS & ~bits) ||
	    (bits & ~(unsigned long)(SECURE_ALL_BITS | SECURE_ALL_LOCKS)) || !capable(CAP_SETPCAP))
		return -EPERM;
	change_creds((u32)bits, c->cap_bounding);
	return 0;
}

static long set_keep_caps(unsigned long value)
{
	const struct cred *c = &current->cred;

	if (value > 1)
		return -EINVAL;
	if (c->securebits & SECBIT_KEEP_CAPS << 1)
		return -EPERM;
	change_creds((c->securebits & ~SECBIT_KEEP_CAPS) | (value ? SECBIT_KEEP_CAPS : 0),
		     c->cap_bounding);
	return 0;
}

static long drop_bounding(unsigned long cap)
{
	const struct cred *c = &current->cred;

	if (!capable(CAP_SETPCAP))
		return -EPERM;
	if (cap > CAP_LAST)
		return -EINVAL;
	change_creds(c->securebits, c->cap_bounding & ~BIT(cap));
	return 0;
}

static long set_ambient(u64 ambient)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	current->cred.cap_ambient = ambient;
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return 0;
}

/* Those that exec leaves to a program that has none of its own: capabilities(7). */
static long cap_ambient(unsigned long op, unsigned long cap, bool others)
{
	const struct cred *c = &current->cred;

	if (op == PR_CAP_AMBIENT_CLEAR_ALL)
		return cap || others ? -EINVAL : set_ambient(0);
	if (cap > CAP_LAST || others)
		return -EINVAL;
	switch (op) {
	case PR_CAP_AMBIENT_IS_SET:
		return !!(c->cap_ambient & BIT(cap));
	case PR_CAP_AMBIENT_LOWER:
		return set_ambient(c->cap_ambient & ~BIT(cap));
	case PR_CAP_AMBIENT_RAISE:
		if (!(c->cap_permitted & c->cap_inheritable & BIT(cap)) ||
		    (c->securebits & SECBIT_NO_CAP_AMBIENT_RAISE))
			return -EPERM;
		return set_ambient(c->cap_ambient | BIT(cap));
	}
	return -EINVAL;
}

/* --- what is only kept ---------------------------------------------------------------------------- */

static long set_mce_kill(unsigned long what, unsigned long policy, bool others)
{
	if (others)
		return -EINVAL;
	switch (what) {
	case PR_MCE_KILL_CLEAR:
		if (policy)
			return -EINVAL;
		current->mce_kill = PR_MCE_KILL_DEFAULT;
		return 0;
	case PR_MCE_KILL_SET:
		if (policy > PR_MCE_KILL_DEFAULT)
			return -EINVAL;
		current->mce_kill = (u8)policy;
		return 0;
	}
	return -EINVAL;
}

/* Fields of the address space are set by exec alone; who may set them otherwise is still checked. */
static long set_mm(unsigned long field, unsigned long arg4, unsigned long arg5)
{
	const bool takes_size =
		field == PR_SET_MM_AUXV || field == PR_SET_MM_MAP || field == PR_SET_MM_MAP_SIZE;

	if (arg5 || (arg4 && !takes_size) || field == PR_SET_MM_MAP || field == PR_SET_MM_MAP_SIZE)
		return -EINVAL;
	return capable(CAP_SYS_RESOURCE) ? -EINVAL : -EPERM;
}

static long set_timer_slack(unsigned long ns)
{
	struct task_struct *task = current;

	task->timer_slack_ns = ns ? ns : task->default_timer_slack_ns;
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

static long cap_options(int option, unsigned long arg2, unsigned long arg3, bool others)
{
	const struct cred *c = &current->cred;

	switch (option) {
	case PR_GET_KEEPCAPS:
		return !!(c->securebits & SECBIT_KEEP_CAPS);
	case PR_SET_KEEPCAPS:
		return set_keep_caps(arg2);
	case PR_CAPBSET_READ:
		return arg2 <= CAP_LAST ? (long)(c->cap_bounding >> arg2 & 1) : -EINVAL;
	case PR_CAPBSET_DROP:
		return drop_bounding(arg2);
	case PR_GET_SECUREBITS:
		return c->securebits;
	case PR_SET_SECUREBITS:
		return set_securebits(arg2);
	case PR_CAP_AMBIENT:
		return cap_ambient(arg2, arg3, others);
	}
	return -EINVAL;
}

/* What is only kept, or can't be but as it is. */
static long other_options(int option, unsigned long arg2, unsigned long arg3, unsigned long arg4,
			  unsigned long arg5)
{
	struct task_struct *task = current;

	switch (option) {
	case PR_GET_TIMING:
		return PR_TIMING_STATISTICAL;
	case PR_SET_TIMING:
		return arg2 == PR_TIMING_STATISTICAL ? 0 : -EINVAL;
	case PR_GET_SECCOMP:
		return 0; /* none: it can't be asked for */
	case PR_GET_TSC:
		return put_user(PR_TSC_ENABLE, (int __user *)arg2);
	case PR_SET_TSC:
		return arg2 == PR_TSC_ENABLE ? 0 : -EINVAL;
	case PR_MCE_KILL:
		return set_mce_kill(arg2, arg3, arg4 || arg5);
	case PR_MCE_KILL_GET:
		return arg2 || arg3 || arg4 || arg5 ? -EINVAL : task->mce_kill;
	case PR_SET_MM:
		return set_mm(arg2, arg4, arg5);
	case PR_SET_THP_DISABLE:
		if (arg3 || arg4 || arg5)
			return -EINVAL;
		WRITE_ONCE(task->mm_part.mm->thp_disable, arg2 != 0);
		return 0;
	case PR_GET_THP_DISABLE:
		return arg2 || arg3 || arg4 || arg5 ? -EINVAL : task->mm_part.mm->thp_disable;
	}
	return cap_options(option, arg2, arg3, arg4 || arg5);
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
	case PR_SET_NAME:
		return set_name((const char __user *)arg2);
	case PR_GET_NAME:
		return copy_to_user((void __user *)arg2, task->comm, sizeof(task->comm)) ? -EFAULT :
											   0;
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
	return other_options(option, arg2, arg3, arg4, arg5);
}
