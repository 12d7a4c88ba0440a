/* SPDX-License-Identifier: MIT */
/* Waiting for children: wait4(2), waitid(2). */
#include "kernel/base/string.h"
#include "kernel/process/task.h"

/* => tasklist_lock */
static bool child_matches(const struct signal_struct *child, const struct wait_opts *w)
{
	int exit_signal = child->leader->exit_signal;

	if (w->type == WAIT_PID && child->leader->pid != w->nr)
		return false;
	if (w->type == WAIT_PIDFD && child->leader->thread_pid != w->pid)
		return false;
	if (w->type == WAIT_GROUP &&
	    child->group->nr != (w->nr ? w->nr : current->signal->group->nr))
		return false;
	if ((w->options & __WNOTHREAD) && child->parent_tid != current->pid)
		return false;
	/* A "clone" child is one that doesn't announce its end by SIGCHLD. */
	return (w->options & __WALL) || (exit_signal != SIGCHLD) == !!(w->options & __WCLONE);
}

static void fill(struct signal_struct *child, struct wait_result *res, int status, int code)
{
	res->pid = child->leader->pid;
	res->uid = (int)child->leader->cred.uid;
	res->status = status;
	res->code = code;
	process_usage(child, &res->usage);
	usage_divide(&res->usage, &child->cputime);
	res->time = child->cputime;
	usage_add(&res->usage, &child->dead_children);
	cputime_add(&res->time, &child->child_cputime);
}

static int exit_status(const struct signal_struct *child)
{
	return child->flags & SIGNAL_GROUP_EXIT ? child->group_exit_code : child->leader->exit_code;
}

/* => tasklist_lock. Whether the child has ended; then it is gone afterwards, unless WNOWAIT. */
static bool wait_zombie(struct signal_struct *child, const struct wait_opts *w,
			struct wait_result *res)
{
	struct task_struct *leader = child->leader;
	int status;

	if (!leader->zombie || !thread_group_empty(child) || !(w->options & WEXITED))
		return false;
	status = exit_status(child);
	fill(child, res, status,
	     status & 0x80 ? CLD_DUMPED :
	     status & 0x7f ? CLD_KILLED :
			     CLD_EXITED);
	if (w->options & WNOWAIT)
		return true;
	usage_add(&current->signal->dead_children, &res->usage);
	cputime_add(&current->signal->child_cputime, &res->time);
	task_bury(leader);
	return true;
}

/* => tasklist_lock; the child's sighand->lock is taken for the bits that signals change. */
static bool wait_stopped(struct signal_struct *child, const struct wait_opts *w,
			 struct wait_result *res)
{
	struct sighand *sighand = child->leader->sighand;
	bool keep = w->options & WNOWAIT, found = false;

	spin_lock(&sighand->lock);
	if ((w->options & WSTOPPED) && (child->flags & SIGNAL_STOPPED) && child->stop_code) {
		fill(child, res, child->stop_code << 8 | 0x7f, CLD_STOPPED);
		if (!keep)
			child->stop_code = 0;
		found = true;
	} else if ((w->options & WCONTINUED) && (child->flags & SIGNAL_CONTINUED)) {
		fill(child, res, 0xffff, CLD_CONTINUED);
		if (!keep)
			child->flags &= ~SIGNAL_CONTINUED;
		found = true;
	}
	spin_unlock(&sighand->lock);
	return found;
}

/* One look: a pid, 0 when there is nothing yet, or -ECHILD. */
static long try_wait(const struct wait_opts *w, struct wait_result *res)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct signal_struct *child;
	long ret = -ECHILD;

	list_for_each_entry(child, &current->signal->children, sibling)
	{
		if (!child_matches(child, w))
			continue;
		/* Of the dead there is nothing to hear but that they are. */
		if (!(w->options & WEXITED) && child->leader->zombie && thread_group_empty(child))
			continue;
		ret = 0;
		/* Threads whose first is gone stop like others. */
		if (wait_zombie(child, w, res) || wait_stopped(child, w, res)) {
			ret = res->pid;
			break;
		}
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return ret;
}

long do_wait(const struct wait_opts *w, struct wait_result *res)
{
	long ret = 0;
	int err = 0;

	if (w->options & WNOHANG)
		ret = try_wait(w, res);
	else
		err = wait_event_interruptible(current->signal->wait_child,
					       (ret = try_wait(w, res)) != 0);
	reap_dead_tasks();
	return err ? err : ret;
}
