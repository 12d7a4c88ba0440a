/* SPDX-License-Identifier: MIT */
/* prctl(2): what a thread or process says of itself. */
#include <arch/uaccess.h>

#include "kernel/abi/process.h"
#include "kernel/base/string.h"
#include "kernel/process/task.h"
#include "kernel/syscall/syscalls.h"

#define CAP_LAST 40

static long set_name(const char __user *name)
{
	char comm[sizeof(current->comm)] = "";
	unsigned long flags;

	/* What doesn't fit is cut. */
	if (strncpy_from_user(comm, name, sizeof(comm) - 1) < 0)
		return -EFAULT;
	flags = spin_lock_irqsave(&tasklist_lock);
	memcpy(current->comm, comm, sizeof(comm));
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return 0;
}

static long set_pdeath_signal(unsigned long sig)
{
	if (sig > NR_SIGNALS)
		return -EINVAL;
	current->pdeath_signal = (int)sig;
	return 0;
}

long sys_prctl(int option, unsigned long arg2, unsigned long arg3, unsigned long arg4,
	       unsigned long arg5)
{
	switch (option) {
	case PR_SET_PDEATHSIG:
		return set_pdeath_signal(arg2);
	case PR_GET_PDEATHSIG:
		return put_user(current->pdeath_signal, (int __user *)arg2);
	case PR_SET_NAME:
		return set_name((const char __user *)arg2);
	case PR_GET_NAME:
		return copy_to_user((char __user *)arg2, current->comm, sizeof(current->comm)) ?
			       -EFAULT :
			       0;
	case PR_CAPBSET_READ:
		return arg2 > CAP_LAST ? -EINVAL : 1; /* none is barred */
	case PR_SET_CHILD_SUBREAPER:
		current->signal->child_subreaper = arg2;
		return 0;
	case PR_GET_CHILD_SUBREAPER:
		return put_user((int)current->signal->child_subreaper, (int __user *)arg2);
	case PR_GET_NO_NEW_PRIVS: /* there is nothing to set it by */
		return arg2 || arg3 || arg4 || arg5 ? -EINVAL : 0;
	}
	return -EINVAL;
}
