/* SPDX-License-Identifier: MIT */
/*
 * Job control of processes: stopping and going on.
 *
 * A stop signal is taken by one thread, but stops them all: stop_begin() marks every thread, and
 * each, on its way to user mode, finds its mark and sleeps. The last one to do so tells the parent.
 * SIGCONT takes all marks away and wakes who sleeps already when it is *sent*, blocked or not; the
 * news for the parent is told by the first thread that comes by.
 */
#include "kernel/process/task.h"

void stop_prepare(struct task_struct *task, int sig)
{
	struct signal_struct *process = task->signal;
	struct task_struct *t;
	u64 undone;

	if (sig_bit(sig) & STOP_SIGNALS)
		undone = sig_bit(SIGCONT);
	else if (sig == SIGCONT)
		undone = STOP_SIGNALS;
	else
		return;
	sigpending_flush(&process->shared_pending, undone);
	for_each_thread(process, t) sigpending_flush(&t->pending, undone);
	if (sig != SIGCONT)
		return;

	for_each_thread(process, t)
	{
		t->stop_pending = false;
		t->stop_asked = false;
		sched_wake_from(&t->se, BIT(TASK_STOPPED));
	}
	if (process->flags & SIGNAL_STOPPED)
		process->flags |= SIGNAL_TELL_CONTINUE;
	else if (process->stop_count)
		process->flags |=
			SIGNAL_TELL_STOPPED; /* its stopping is over before it was whole */
	else
		return;
	process->flags &= ~SIGNAL_STOPPED;
	process->flags |= SIGNAL_CONTINUED;
	process->stop_count = 0;
	process->stop_code = 0;
	for_each_thread(process, t)
	{
		se_set_work(&t->se, WORK_SIGNAL);
		sched_kick(&t->se);
	}
}

void stop_begin(struct task_struct *task, int sig)
{
	struct signal_struct *process = task->signal;
	struct task_struct *t;

	if ((process->flags & SIGNAL_GROUP_EXIT) || process->exec_task)
		return;
	/* One more stop signal while it stops changes nothing but the number. */
	if (!(process->flags & SIGNAL_STOPPED))
		process->stop_code = sig;
	for_each_thread(process, t)
	{
		if (t->exiting || t->stop_pending || READ_ONCE(t->se.state) == TASK_STOPPED)
			continue;
		t->stop_pending = true;
		process->stop_count++;
		se_set_work(&t->se, WORK_SIGNAL);
		sched_notify(&t->se, BIT(TASK_INTERRUPTIBLE));
	}
}

int stop_leave(struct task_struct *task)
{
	struct signal_struct *process = task->signal;

	if (!task->stop_pending)
		return 0;
	task->stop_pending = false;
	/* None are counted any more when the others went because of an exec in between. */
	if (process->stop_count)
		process->stop_count--;
	if (process->stop_count || (process->flags & (SIGNAL_STOPPED | SIGNAL_GROUP_EXIT)))
		return 0;
	process->flags |= SIGNAL_STOPPED;
	process->flags &= ~SIGNAL_CONTINUED;
	return CLD_STOPPED;
}

bool stop_here(struct task_struct *task, unsigned long *flags)
{
	struct signal_struct *process = task->signal;
	int why = 0;

	if (process->flags & (SIGNAL_TELL_STOPPED | SIGNAL_TELL_CONTINUE)) {
		why = process->flags & SIGNAL_TELL_CONTINUE ? CLD_CONTINUED : CLD_STOPPED;
		process->flags &= ~(SIGNAL_TELL_STOPPED | SIGNAL_TELL_CONTINUE);
		spin_unlock_irqrestore(&task->sighand->lock, *flags);
		notify_parent_stop(task, why);
		*flags = spin_lock_irqsave(&task->sighand->lock);
		return true;
	}
	if (!task->stop_pending)
		return false;
	why = stop_leave(task);
	/* Before the lock is dropped: a SIGCONT from then on wakes us. */
	set_current_state(TASK_STOPPED);
	spin_unlock_irqrestore(&task->sighand->lock, *flags);
	if (why)
		notify_parent_stop(task, why);
	schedule();
	*flags = spin_lock_irqsave(&task->sighand->lock);
	return true;
}
