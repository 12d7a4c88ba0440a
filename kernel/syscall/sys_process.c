/* SPDX-License-Identifier: MIT */
/* Processes: who they are, what limits them, how they end and are waited for. */
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/power.h>
#include <arch/uaccess.h>

#include "kernel/abi/personality.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/fs/ramdisk.h"
#include "kernel/process/current.h"
#include "kernel/syscall/sys.h"
#include "kernel/syscall/sys_process.h"
#include "kernel/syscall/syscalls.h"
#include "mm/calls.h"

bool reboot_is_exit;

long sys_exit(int status)
{
	do_exit((status & 0xff) << 8);
}

long sys_exit_group(int status)
{
	do_group_exit((status & 0xff) << 8);
}

long sys_getpid(void)
{
	return current->tgid;
}

long sys_gettid(void)
{
	return current->pid;
}

long sys_getppid(void)
{
	return READ_ONCE(current->signal->ppid);
}

long sys_set_tid_address(unsigned long addr)
{
	current->clear_child_tid = addr;
	return current->pid;
}

/* --- limits and usage ------------------------------------------------------------------------------------ */

#define CAP_SYS_RESOURCE 24

static void cpu_time(struct kernel_timeval *tv, u64 ns)
{
	tv->tv_sec = (s64)(ns / 1000000000);
	tv->tv_usec = (s64)(ns % 1000000000 / 1000);
}

struct kernel_rusage to_rusage(const struct usage *usage, const struct cputime *time)
{
	struct kernel_rusage r = {
		.ru_minflt = (s64)usage->min_flt,
		.ru_majflt = (s64)usage->maj_flt,
		.ru_maxrss = (s64)(usage->maxrss << (PAGE_SHIFT - 10)),
		.ru_nvcsw = (s64)usage->switches,
		.ru_nivcsw = (s64)usage->forced_switches,
	};

	cpu_time(&r.ru_utime, time->user_ns);
	cpu_time(&r.ru_stime, time->system_ns);
	return r;
}

/* Whether all user and group ids of the task are the caller's real ones. => tasklist_lock */
static bool same_user(const struct task_struct *task)
{
	const struct cred *c = &current->cred, *t = &task->cred;

	return c->uid == t->euid && c->uid == t->suid && c->uid == t->uid && c->gid == t->egid &&
	       c->gid == t->sgid && c->gid == t->gid;
}

static int check_rlimit(unsigned int resource, const struct mm_rlimit *old,
			const struct mm_rlimit *new)
{
	if (new->cur > new->max)
		return -EINVAL;
	if (resource == RLIMIT_NOFILE && new->max > NR_OPEN_MAX)
		return -EPERM;
	return new->max > old->max && !capable(CAP_SYS_RESOURCE) ? -EPERM : 0;
}

long sys_prlimit64(int pid, unsigned int resource, const struct mm_rlimit __user *new,
		   struct mm_rlimit __user *old)
{
	struct mm_rlimit next, before;
	struct task_struct *task;
	unsigned long flags;
	int err;

	if (new &&copy_from_user(&next, new, sizeof(next)))
		return -EFAULT;
	err = 0;
	flags = spin_lock_irqsave(&tasklist_lock);
	task = pid ? find_task(pid) : current;
	if (!task)
		err = -ESRCH;
	else if (task->signal != current->signal && !same_user(task) && !capable(CAP_SYS_RESOURCE))
		err = -EPERM;
	else if (resource >= RLIM_NLIMITS)
		err = -EINVAL;
	if (!err) {
		before = task->signal->rlim[resource];
		err = new ? check_rlimit(resource, &before, &next) : 0;
		if (new && !err)
			task->signal->rlim[resource] = next;
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	if (err)
		return err;
	return old && copy_to_user(old, &before, sizeof(before)) ? -EFAULT : 0;
}

long sys_getrlimit(unsigned int resource, struct mm_rlimit __user *rlim)
{
	struct mm_rlimit now;
	unsigned long flags;

	if (resource >= RLIM_NLIMITS)
		return -EINVAL;
	flags = spin_lock_irqsave(&tasklist_lock);
	now = current->signal->rlim[resource];
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return copy_to_user(rlim, &now, sizeof(now)) ? -EFAULT : 0;
}

long sys_setrlimit(unsigned int resource, const struct mm_rlimit __user *rlim)
{
	struct mm_rlimit check;

	if (copy_from_user(&check, rlim, sizeof(check)))
		return -EFAULT;
	return sys_prlimit64(0, resource, rlim, NULL);
}

long sys_getrusage(int who, struct kernel_rusage __user *usage)
{
	struct signal_struct *process = current->signal;
	struct cputime *time = &process->cputime;
	struct usage used, thread;
	struct kernel_rusage r;
	unsigned long flags;

	if (who != RUSAGE_SELF && who != RUSAGE_THREAD && who != RUSAGE_CHILDREN)
		return -EINVAL;
	flags = spin_lock_irqsave(&tasklist_lock);
	process_usage(process, &used);
	if (who == RUSAGE_CHILDREN) {
		used = process->dead_children;
		time = &process->child_cputime;
	} else if (who == RUSAGE_THREAD) {
		task_usage(current, &thread);
		thread.maxrss = used.maxrss;
		used = thread;
		time = &current->cputime;
	}
	if (who != RUSAGE_CHILDREN)
		usage_divide(&used, time);
	r = to_rusage(&used, time);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return copy_to_user(usage, &r, sizeof(r)) ? -EFAULT : 0;
}

/* --- FS and GS bases ------------------------------------------------------------------------------------------ */

long sys_arch_prctl(int code, unsigned long addr)
{
	switch (code) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (addr >= TASK_SIZE)
			return -EPERM;
		wrmsr(code == ARCH_SET_FS ? MSR_FS_BASE : MSR_KERNEL_GS_BASE, addr);
		return 0;
	case ARCH_GET_FS:
		return put_user(rdmsr(MSR_FS_BASE), (u64 __user *)addr);
	case ARCH_GET_GS:
		return put_user(rdmsr(MSR_KERNEL_GS_BASE), (u64 __user *)addr);
	}
	return -EINVAL;
}

long sys_personality(unsigned int personality)
{
	unsigned long old = current->mm_part.personality;

	if (personality != PERSONALITY_QUERY)
		current->mm_part.personality = personality;
	return (long)old;
}

/* --- the machine -------------------------------------------------------------------------------------------------- */

static bool reboot_magic_ok(u32 magic1, u32 magic2)
{
	return magic1 == LINUX_REBOOT_MAGIC1 &&
	       (magic2 == LINUX_REBOOT_MAGIC2 || magic2 == LINUX_REBOOT_MAGIC2A ||
		magic2 == LINUX_REBOOT_MAGIC2B || magic2 == LINUX_REBOOT_MAGIC2C);
}

long sys_reboot(u32 magic1, u32 magic2, u32 cmd, void __user *arg)
{
	if (!capable(22))
		return -EPERM;
	if (!reboot_magic_ok(magic1, magic2))
		return -EINVAL;
	switch (cmd) {
	case LINUX_REBOOT_CMD_CAD_ON:
	case LINUX_REBOOT_CMD_CAD_OFF:
		return 0; /* Ctrl-Alt-Del does nothing here either way */
	case LINUX_REBOOT_CMD_RESTART:
		printk("Restarting.\n");
		machine_reboot();
	case LINUX_REBOOT_CMD_HALT:
	case LINUX_REBOOT_CMD_POWER_OFF:
		if (reboot_is_exit)
			do_group_exit(0);
		pr_info("Power off.\n");
		machine_poweroff();
	}
	return -EINVAL;
}

long sys_sync(void)
{
	sync_block_devices();
	return 0;
}
