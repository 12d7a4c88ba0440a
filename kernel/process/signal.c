/* SPDX-License-Identifier: MIT */
/*
 * Signals: pending, blocked, and their default actions. Handlers in user mode are not called yet;
 * rt_sigaction(2) says so.
 */
#include "kernel/base/printk.h"
#include "kernel/process/task.h"

static u64 sig_bit(int sig)
{
	return 1UL << (sig - 1);
}

static bool ignored_by_default(int sig)
{
	return sig == SIGCHLD || sig == SIGURG || sig == SIGWINCH || sig == SIGCONT;
}

/* Stop signals need job control to be of use; until then they do nothing, like SIGCONT. */
static bool stops(int sig)
{
	return sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU;
}

static bool sig_ignored(const struct task_struct *task, int sig)
{
	unsigned long handler = task->sigaction[sig - 1].handler;

	return handler == SIG_IGN ||
	       (handler == SIG_DFL && (ignored_by_default(sig) || stops(sig))) || sig == SIGSTOP;
}

bool signal_pending(const struct task_struct *task)
{
	return task->sig_pending & ~task->sig_blocked;
}

int send_signal(struct task_struct *task, int sig)
{
	BUG_ON(sig < 1 || sig > NR_SIGNALS);
	if (task->zombie)
		return -ESRCH;
	/* pid 1 gets only what it asked for: it must not die by accident. */
	if (sig_ignored(task, sig) ||
	    (task == init_task && task->sigaction[sig - 1].handler == SIG_DFL))
		return 0;
	__atomic_fetch_or(&task->sig_pending, sig_bit(sig), __ATOMIC_RELEASE);
	if (sig == SIGKILL)
		task->mm_part.kill_pending = true;
	se_set_work(&task->se, WORK_SIGNAL);
	if (task->se.state == TASK_INTERRUPTIBLE ||
	    (task->se.state == TASK_KILLABLE && task->mm_part.kill_pending))
		sched_wake(&task->se);
	return 0;
}

void force_signal(int sig)
{
	struct task_struct *task = current;

	task->sigaction[sig - 1].handler = SIG_DFL;
	__atomic_fetch_and(&task->sig_blocked, ~sig_bit(sig), __ATOMIC_RELEASE);
	__atomic_fetch_or(&task->sig_pending, sig_bit(sig), __ATOMIC_RELEASE);
	se_set_work(&task->se, WORK_SIGNAL);
}

void do_signal(void)
{
	struct task_struct *task = current;

	se_clear_work(&task->se, WORK_SIGNAL);
	for (;;) {
		u64 ready = task->sig_pending & ~task->sig_blocked;
		int sig;

		if (!ready)
			return;
		sig = __builtin_ctzl(ready) + 1;
		__atomic_fetch_and(&task->sig_pending, ~sig_bit(sig), __ATOMIC_ACQ_REL);
		if (!sig_ignored(task, sig))
			do_exit(sig);
	}
}
