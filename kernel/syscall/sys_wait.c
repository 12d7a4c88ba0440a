/* SPDX-License-Identifier: MIT */
/* wait4(2), waitid(2); process groups and sessions: setpgid(2), setsid(2). */
#include <arch/uaccess.h>

#include "kernel/process/current.h"
#include "kernel/process/pidfd.h"
#include "kernel/syscall/sys.h"
#include "kernel/syscall/sys_process.h"

static long put_rusage(struct kernel_rusage __user *to, const struct wait_result *res)
{
	struct kernel_rusage r = to_rusage(&res->usage, &res->time);

	return to && copy_to_user(to, &r, sizeof(r)) ? -EFAULT : 0;
}

long sys_wait4(int pid, int __user *status, unsigned int options,
	       struct kernel_rusage __user *usage)
{
	const unsigned int known =
		WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WALL | __WCLONE;
	struct wait_opts opts = { .type = WAIT_ANY, .options = options | WEXITED };
	struct wait_result res;
	long ret;

	if (options & ~known)
		return -EINVAL;
	if (pid == (int)0x80000000)
		return -ESRCH;
	if (pid != -1) {
		opts.type = pid > 0 ? WAIT_PID : WAIT_GROUP;
		opts.nr = pid > 0 ? pid : -pid;
	}
	ret = do_wait(&opts, &res);
	if (ret <= 0)
		return ret;
	if (status && put_user(res.status, status))
		return -EFAULT;
	return put_rusage(usage, &res) ? -EFAULT : ret;
}

/* The process of a pidfd, which is to stay open: *file. One opened not to block isn't waited for. */
static int waitid_pidfd(struct wait_opts *opts, int fd, struct file **file)
{
	if (fd < 0)
		return -EINVAL;
	*file = fget(current_files(), (unsigned int)fd);
	opts->type = WAIT_PIDFD;
	opts->pid = *file ? pidfd_pid(*file) : NULL;
	if (!opts->pid)
		return -EBADF;
	if ((*file)->f_flags & O_NONBLOCK)
		opts->options |= WNOHANG;
	return 0;
}

static int waitid_opts(struct wait_opts *opts, int type, int id, unsigned int options,
		       struct file **file)
{
	const unsigned int known = WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED |
				   __WNOTHREAD | __WCLONE | __WALL;

	if ((options & ~known) || !(options & (WEXITED | WSTOPPED | WCONTINUED)))
		return -EINVAL;
	*opts = (struct wait_opts){ .nr = id, .options = options };
	switch (type) {
	case P_ALL:
		opts->type = WAIT_ANY;
		return 0;
	case P_PID:
		opts->type = WAIT_PID;
		return id > 0 ? 0 : -EINVAL;
	case P_PGID:
		opts->type = WAIT_GROUP;
		return id >= 0 ? 0 : -EINVAL;
	case P_PIDFD:
		return waitid_pidfd(opts, id, file);
	}
	return -EINVAL;
}

/* The status as siginfo_t has it: a number whose meaning si_code says. */
static int plain_status(const struct wait_result *res)
{
	switch (res->code) {
	case CLD_EXITED:
	case CLD_STOPPED:
		return res->status >> 8 & 0xff;
	case CLD_CONTINUED:
		return SIGCONT;
	}
	return res->status & 0x7f;
}

/* The fields that waitid(2) fills, and no other: the rest of the program's structure stays. */
static long put_waitinfo(void __user *uinfo, const struct wait_result *res, bool found)
{
	struct siginfo_kernel __user *info = uinfo;

	if (put_user(found ? SIGCHLD : 0, user_field(info, si_signo)) ||
	    put_user(0, user_field(info, si_errno)) ||
	    put_user(found ? res->code : 0, user_field(info, si_code)) ||
	    put_user(found ? res->pid : 0, user_field(info, child.pid)) ||
	    put_user(found ? (u32)res->uid : 0, user_field(info, child.uid)) ||
	    put_user(found ? plain_status(res) : 0, user_field(info, child.status)))
		return -EFAULT;
	return 0;
}

long sys_waitid(int type, int id, void __user *info, unsigned int options,
		struct kernel_rusage __user *usage)
{
	struct wait_result res = { 0 };
	struct wait_opts opts;
	struct file *file = NULL;
	long ret = waitid_opts(&opts, type, id, options, &file);

	if (!ret) {
		ret = do_wait(&opts, &res);
		if (!ret && (opts.options & ~options & WNOHANG))
			ret = -EAGAIN;
	}
	if (file)
		fput(file);
	if (ret > 0 && put_rusage(usage, &res))
		return -EFAULT;
	/* It is filled in, with zeros, even when the call fails. */
	if (info && put_waitinfo(info, &res, ret > 0))
		return -EFAULT;
	return ret < 0 ? ret : 0;
}

/* --- groups ------------------------------------------------------------------------------------------ */

/* => tasklist_lock. Which process setpgid(2) means, and whether we may move it. */
static struct signal_struct *setpgid_target(int pid)
{
	struct signal_struct *self = current->signal, *process;
	struct task_struct *task = pid ? find_task(pid) : self->leader;

	if (!task)
		return ERR_PTR(-ESRCH);
	if (!thread_group_leader(task))
		return ERR_PTR(-EINVAL);
	process = task->signal;
	if (process->parent == self) {
		if (process->session != self->session)
			return ERR_PTR(-EPERM);
		if (process->did_exec)
			return ERR_PTR(-EACCES);
	} else if (process != self) {
		return ERR_PTR(-ESRCH);
	}
	/* The leader of a session keeps its group. */
	return process->session == task->thread_pid ? ERR_PTR(-EPERM) : process;
}

/* => tasklist_lock. The group with that number: the process's own, or one of its session. */
static struct pid *setpgid_group(const struct signal_struct *process, int pgid)
{
	const struct signal_struct *member;
	struct pid *group = find_pid(pgid);

	if (process->leader->pid == pgid)
		return process->leader->thread_pid;
	if (!group || list_empty(&group->group))
		return ERR_PTR(-EPERM);
	member = list_first_entry(&group->group, struct signal_struct, group_link);
	return member->session == current->signal->session ? group : ERR_PTR(-EPERM);
}

long sys_setpgid(int pid, int pgid)
{
	struct signal_struct *process;
	struct pid *group = NULL;
	unsigned long flags;

	if (!pid)
		pid = current->tgid;
	if (!pgid)
		pgid = pid;
	if (pgid < 0)
		return -EINVAL;
	flags = spin_lock_irqsave(&tasklist_lock);
	process = setpgid_target(pid);
	if (!IS_ERR(process)) {
		group = setpgid_group(process, pgid);
		if (!IS_ERR(group) && group != process->group)
			process_join_group(process, group);
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	if (IS_ERR(process))
		return PTR_ERR(process);
	return IS_ERR(group) ? PTR_ERR(group) : 0;
}

static long group_or_session(int pid, bool session)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	const struct task_struct *task = pid ? find_task(pid) : current;
	long nr = -ESRCH;

	if (task)
		nr = session ? task->signal->session->nr : task->signal->group->nr;
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return nr;
}

long sys_getpgid(int pid)
{
	return group_or_session(pid, false);
}

long sys_getpgrp(void)
{
	return group_or_session(0, false);
}

long sys_getsid(int pid)
{
	return group_or_session(pid, true);
}

long sys_setsid(void)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct signal_struct *process = current->signal;
	struct pid *pid = process->leader->thread_pid;
	long ret = -EPERM;

	/* Neither a session's leader, nor is there a group by our number that others may be in. */
	if (process->session != pid && list_empty(&pid->group)) {
		process_join_session(process, pid);
		process_join_group(process, pid);
		process->tty = NULL;
		ret = pid->nr;
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return ret;
}
