/* SPDX-License-Identifier: MIT */
/* Signals: sending, blocking, waiting for them, and what to do when they come. */
#include <arch/clock.h>
#include <arch/uaccess.h>

#include "kernel/base/string.h"
#include "kernel/fs/proc.h"
#include "kernel/process/current.h"
#include "kernel/process/pidfd.h"
#include "kernel/sched/timer.h"
#include "kernel/syscall/sys.h"

#define CAP_KILL   5
#define NS_PER_SEC 1000000000L

/* --- sending ----------------------------------------------------------------------------------- */

/* => tasklist_lock */
static bool may_kill(const struct task_struct *task, int sig)
{
	const struct cred *c = &current->cred, *t = &task->cred;

	if (task->signal == current->signal || capable(CAP_KILL) || c->euid == t->suid ||
	    c->euid == t->uid || c->uid == t->suid || c->uid == t->uid)
		return true;
	/* A shell may let its jobs go on, whoever they have become. */
	return sig == SIGCONT && task->signal->session == current->signal->session;
}

static struct siginfo_kernel info_from_caller(int sig, int code)
{
	struct siginfo_kernel info;

	siginfo_init(&info, sig, code);
	info.sent.pid = current->tgid;
	info.sent.uid = current->cred.uid;
	return info;
}

/* => tasklist_lock. si_signo 0 only asks whether it could be sent. */
static long kill_one(struct task_struct *task, const struct siginfo_kernel *info, bool to_thread)
{
	if (info->si_signo < 0 || info->si_signo > NR_SIGNALS)
		return -EINVAL;
	if (!may_kill(task, info->si_signo))
		return -EPERM;
	return info->si_signo ? send_signal_info(task, info, to_thread) : 0;
}

/* kill(-1): everybody but pid 1 and the caller. => tasklist_lock */
static long kill_all(const struct siginfo_kernel *info)
{
	struct signal_struct *p;
	long ret = -ESRCH;

	for_each_process(p)
	{
		long one;

		if (p == init_process || p == current->signal)
			continue;
		p->group_signals++;
		one = kill_one(p->leader, info, false);
		/* Those out of reach don't make it fail. */
		if (ret == -ESRCH || one != -EPERM)
			ret = one == -EPERM ? 0 : one;
	}
	return ret;
}

/* => tasklist_lock. One that it could be sent to is enough. */
static long kill_group(struct pid *group, const struct siginfo_kernel *info)
{
	struct signal_struct *p;
	long ret = -ESRCH;
	bool sent = false;

	if (!group)
		return -ESRCH;
	list_for_each_entry(p, &group->group, group_link)
	{
		p->group_signals++;
		ret = kill_one(p->leader, info, false);
		sent |= ret == 0;
	}
	return sent ? 0 : ret;
}

/* => tasklist_lock. kill(2)'s targets: a process, a group, or everybody. */
static long kill_target(int pid, const struct siginfo_kernel *info)
{
	struct task_struct *task;

	if (pid > 0) {
		task = find_task(pid);
		return task ? kill_one(task, info, false) : -ESRCH;
	}
	if (pid == -1)
		return kill_all(info);
	return kill_group(pid ? find_pid(-pid) : current->signal->group, info);
}

long sys_kill(int pid, int sig)
{
	struct siginfo_kernel info = info_from_caller(sig, SI_USER);
	unsigned long flags;
	long ret;

	if (pid == (int)0x80000000)
		return -ESRCH;
	flags = spin_lock_irqsave(&tasklist_lock);
	ret = kill_target(pid, &info);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return ret;
}

/* To one thread, of that process if tgid is positive. */
static long kill_thread(int tgid, int tid, const struct siginfo_kernel *info)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct task_struct *task = find_task(tid);
	long ret = -ESRCH;

	if (task && (tgid <= 0 || task->tgid == tgid))
		ret = kill_one(task, info, true);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return ret;
}

long sys_tgkill(int tgid, int tid, int sig)
{
	struct siginfo_kernel info = info_from_caller(sig, SI_TKILL);

	return tid <= 0 || tgid <= 0 ? -EINVAL : kill_thread(tgid, tid, &info);
}

long sys_tkill(int tid, int sig)
{
	struct siginfo_kernel info = info_from_caller(sig, SI_TKILL);

	return tid <= 0 ? -EINVAL : kill_thread(0, tid, &info);
}

/* Whether the kernel knows the meaning of every byte of a siginfo with this code. */
static bool known_layout(unsigned int sig, int code)
{
	static const int limits[] = {
		[SIGILL] = NSIGILL, [SIGFPE] = NSIGFPE,	  [SIGSEGV] = NSIGSEGV,
		[SIGBUS] = NSIGBUS, [SIGTRAP] = NSIGTRAP, [SIGCHLD] = NSIGCHLD,
		[SIGIO] = NSIGPOLL, [SIGSYS] = NSIGSYS,
	};

	if (code == SI_KERNEL || code == SI_ASYNCNL)
		return true;
	if (code <= SI_USER)
		return code >= SI_DETHREAD;
	return code <= NSIGPOLL || (sig < ARRAY_SIZE(limits) && code <= limits[sig]);
}

/* What follows a siginfo's known fields must be zero, where the kernel can't know what it means. */
static long check_siginfo(const struct siginfo_kernel *info, const void __user *from)
{
	u8 rest[SIGINFO_SIZE - sizeof(*info)];

	if (known_layout((unsigned int)info->si_signo, info->si_code))
		return 0;
	if (copy_from_user(rest, user_at(from, sizeof(*info)), sizeof(rest)))
		return -EFAULT;
	for (size_t i = 0; i < sizeof(rest); i++)
		if (rest[i])
			return -E2BIG;
	return 0;
}

static long siginfo_from_user(struct siginfo_kernel *info, int sig, const void __user *from)
{
	if (copy_from_user(info, from, sizeof(*info)))
		return -EFAULT;
	info->si_signo = sig;
	return check_siginfo(info, from);
}

static long siginfo_to_user(void __user *to, const struct siginfo_kernel *info)
{
	return copy_to_user(to, info, sizeof(*info)) || clear_user(user_at(to, sizeof(*info)),
								   SIGINFO_SIZE - sizeof(*info)) ?
		       -EFAULT :
		       0;
}

/* No thread may pretend to others to be the kernel, or kill(2). */
static bool may_send_info(int pid, const struct siginfo_kernel *info)
{
	return (info->si_code < 0 && info->si_code != SI_TKILL) || pid == current->pid;
}

long sys_rt_sigqueueinfo(int pid, int sig, const void __user *uinfo)
{
	struct siginfo_kernel info;
	long err = siginfo_from_user(&info, sig, uinfo);

	unsigned long flags;

	if (err)
		return err;
	if (!may_send_info(pid, &info))
		return -EPERM;
	flags = spin_lock_irqsave(&tasklist_lock);
	err = pid > 0 ? kill_target(pid, &info) : -ESRCH;
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return err;
}

long sys_rt_tgsigqueueinfo(int tgid, int pid, int sig, const void __user *uinfo)
{
	struct siginfo_kernel info;
	long err = siginfo_from_user(&info, sig, uinfo);

	if (err)
		return err;
	if (pid <= 0 || tgid <= 0)
		return -EINVAL;
	if (!may_send_info(pid, &info))
		return -EPERM;
	return kill_thread(tgid, pid, &info);
}

/* => tasklist_lock. Whom a descriptor means: a pidfd, or a directory /proc/pid; or -EBADF. */
static struct pid *pidfd_or_proc(const struct file *file)
{
	struct pid *pid = pidfd_pid(file);
	int nr = pid ? 0 : proc_dir_pid(file);

	if (pid)
		return pid;
	if (!nr)
		return ERR_PTR(-EBADF);
	pid = find_pid(nr);
	return pid ? pid : ERR_PTR(-ESRCH);
}

static long send_by_file(const struct file *file, int sig, const void __user *uinfo)
{
	struct siginfo_kernel info = info_from_caller(sig, SI_USER);
	bool to_self, forged;
	unsigned long flags;
	struct pid *pid;
	long ret = 0;

	if (!pidfd_pid(file) && !proc_dir_pid(file))
		return -EBADF;
	if (uinfo && copy_from_user(&info, uinfo, sizeof(info)))
		return -EFAULT;
	if (uinfo)
		ret = check_siginfo(&info, uinfo);
	if (!ret && info.si_signo != sig)
		ret = -EINVAL;
	if (ret)
		return ret;
	forged = uinfo && (info.si_code >= 0 || info.si_code == SI_TKILL);
	flags = spin_lock_irqsave(&tasklist_lock);
	pid = pidfd_or_proc(file);
	to_self = pid == current->thread_pid;
	if (IS_ERR(pid))
		ret = PTR_ERR(pid);
	else if (forged && !to_self)
		ret = -EPERM;
	else
		ret = pid->task ? kill_one(pid->task, &info, false) : -ESRCH;
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return ret;
}

long sys_pidfd_send_signal(int fd, int sig, const void __user *uinfo, unsigned int flags)
{
	struct file *file;
	long ret;

	if (flags)
		return -EINVAL;
	file = fd >= 0 ? fget(current_files(), (unsigned int)fd) : NULL;
	if (!file)
		return -EBADF;
	ret = send_by_file(file, sig, uinfo);
	fput(file);
	return ret;
}

/* --- masks and actions ------------------------------------------------------------------------------ */

long sys_rt_sigprocmask(int how, const u64 __user *set, u64 __user *old, size_t size)
{
	u64 before = current->sig_blocked, mask;

	if (size != sizeof(u64))
		return -EINVAL;
	if (set) {
		if (get_user(mask, set))
			return -EFAULT;
		if (how == SIG_BLOCK)
			set_current_blocked(before | mask);
		else if (how == SIG_UNBLOCK)
			set_current_blocked(before & ~mask);
		else if (how == SIG_SETMASK)
			set_current_blocked(mask);
		else
			return -EINVAL;
	}
	return old && put_user(before, old) ? -EFAULT : 0;
}

long sys_rt_sigpending(void __user *set, size_t size)
{
	u64 pending = sigpending_blocked();

	if (size > sizeof(pending))
		return -EINVAL;
	return copy_to_user(set, &pending, size) ? -EFAULT : 0;
}

long sys_rt_sigaction(int sig, const struct sigaction_kernel __user *act,
		      struct sigaction_kernel __user *old, size_t size)
{
	struct sigaction_kernel new, before;
	int err;

	if (size != sizeof(u64))
		return -EINVAL;
	if (act && copy_from_user(&new, act, sizeof(new)))
		return -EFAULT;
	err = do_sigaction(sig, act ? &new : NULL, &before);
	if (err)
		return err;
	return old && copy_to_user(old, &before, sizeof(before)) ? -EFAULT : 0;
}

long sys_sigaltstack(const struct sigaltstack_kernel __user *unew,
		     struct sigaltstack_kernel __user *uold)
{
	unsigned long sp = task_pt_regs(current)->sp;
	struct sigaltstack_kernel new, old;
	int err = 0;

	if (unew && copy_from_user(&new, unew, sizeof(new)))
		return -EFAULT;
	get_altstack(&old, sp);
	if (unew)
		err = set_altstack(&new, sp);
	if (err)
		return err;
	return uold && copy_to_user(uold, &old, sizeof(old)) ? -EFAULT : 0;
}

/* --- waiting ---------------------------------------------------------------------------------------------- */

static void sleep_until_signal(void)
{
	while (!signal_pending(current)) {
		set_current_state(TASK_INTERRUPTIBLE);
		schedule();
	}
	set_current_state(TASK_RUNNING);
}

long sys_pause(void)
{
	sleep_until_signal();
	return -ERESTARTNOHAND;
}

long sys_rt_sigsuspend(const u64 __user *umask, size_t size)
{
	u64 mask;

	if (size != sizeof(u64))
		return -EINVAL;
	if (get_user(mask, umask))
		return -EFAULT;
	set_temporary_sigmask(mask);
	sleep_until_signal();
	return -ERESTARTNOHAND;
}

/* Waits with the wanted signals let in, so that they wake us, and takes one if it came. */
static int wait_for_signal(u64 wanted, u64 until, struct siginfo_kernel *info)
{
	struct task_struct *task = current;
	u64 blocked = task->sig_blocked;
	int sig;

	task->sig_real_blocked = blocked;
	set_current_blocked(blocked & ~wanted);
	sleep_until(until);
	sig = take_wanted_signal(wanted, info);
	set_current_blocked(blocked);
	task->sig_real_blocked = 0;
	return sig;
}

static long do_sigtimedwait(u64 wanted, const struct kernel_timespec *ts,
			    struct siginfo_kernel *info)
{
	u64 until = INT64_MAX;
	int sig;

	if (ts) {
		if (ts->tv_sec < 0 || ts->tv_nsec < 0 || ts->tv_nsec >= NS_PER_SEC)
			return -EINVAL;
		if (ts->tv_sec < INT64_MAX / NS_PER_SEC / 2)
			until = clock_ns() + (u64)(ts->tv_sec * NS_PER_SEC + ts->tv_nsec);
	}
	wanted &= ~SIG_UNBLOCKABLE;
	sig = take_wanted_signal(wanted, info);
	if (sig)
		return sig;
	if (ts && !ts->tv_sec && !ts->tv_nsec)
		return -EAGAIN;
	sig = wait_for_signal(wanted, until, info);
	if (sig)
		return sig;
	return clock_ns() >= until ? -EAGAIN : -EINTR;
}

long sys_rt_sigtimedwait(const u64 __user *uwanted, void __user *uinfo,
			 const struct kernel_timespec __user *uts, size_t size)
{
	struct siginfo_kernel info;
	struct kernel_timespec ts;
	u64 wanted;
	long ret;

	if (size != sizeof(u64))
		return -EINVAL;
	if (get_user(wanted, uwanted) || (uts && copy_from_user(&ts, uts, sizeof(ts))))
		return -EFAULT;
	ret = do_sigtimedwait(wanted, uts ? &ts : NULL, &info);
	if (ret > 0 && uinfo && siginfo_to_user(uinfo, &info))
		return -EFAULT;
	return ret;
}

/* What an interrupted call goes on with, after a signal for which no handler was called. */
long sys_restart_syscall(void)
{
	struct restart_block *block = &current->restart;

	return block->fn ? block->fn(block) : -EINTR;
}
