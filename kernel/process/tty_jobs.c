/* SPDX-License-Identifier: MIT */
/*
 * Job control at the terminal: which session it belongs to, which of its groups is in the
 * foreground, and what happens to who isn't. credentials(7), tty_ioctl(4), setsid(2); where those are
 * vague, what Linux does.
 *
 * tty->session, tty->group and signal_struct.tty are under tasklist_lock. The pids are counted, so
 * that their numbers don't come to mean others.
 */
#include <arch/uaccess.h>

#include "kernel/abi/ioctl.h"
#include "kernel/fs/tty.h"
#include "kernel/process/task.h"

#define CAP_SYS_ADMIN 21

/* => tasklist_lock, all of these up to the operations. */

static bool session_leader(const struct signal_struct *process)
{
	return process->session == process->leader->thread_pid;
}

static void replace_pid(struct pid **slot, struct pid *pid)
{
	struct pid *old = *slot;

	*slot = pid ? pid_get(pid) : NULL;
	if (old)
		pid_put(old);
}

/* The terminal becomes the running process's, and thereby its session's. */
static void take_terminal(struct tty *tty)
{
	struct signal_struct *self = current->signal;

	replace_pid(&tty->session, self->session);
	replace_pid(&tty->group, self->group);
	self->tty = tty;
}

/* Nobody in the session has a controlling terminal any more. */
static void session_clear_tty(struct pid *session)
{
	struct signal_struct *p;

	list_for_each_entry(p, &session->session, session_link) p->tty = NULL;
}

static void release_terminal(struct tty *tty)
{
	if (tty->session)
		session_clear_tty(tty->session);
	replace_pid(&tty->session, NULL);
	replace_pid(&tty->group, NULL);
}

static void signal_pid(struct pid *group, int sig)
{
	struct siginfo_kernel info;

	siginfo_init(&info, sig, SI_KERNEL);
	if (group)
		send_group_signal(group, &info);
}

/* --- what the terminal asks ---------------------------------------------------------------- */

static void tty_signal_group(struct tty *tty, int sig)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	signal_pid(tty->group, sig);
	spin_unlock_irqrestore(&tasklist_lock, flags);
}

static bool blocks_or_ignores(int sig)
{
	const struct sigaction_kernel *action = &current->sighand->action[sig - 1];

	return (current->sig_blocked & sig_bit(sig)) || action->handler == SIG_IGN;
}

static int tty_check_change(struct tty *tty, int sig)
{
	struct signal_struct *self = current->signal;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	int ret = 0;

	if (self->tty == tty && tty->group && tty->group != self->group) {
		if (blocks_or_ignores(sig)) {
			ret = sig == SIGTTIN ? -EIO : 0;
		} else if (group_is_orphaned(self->group, NULL)) {
			ret = -EIO;
		} else {
			signal_pid(self->group, sig);
			ret = -ERESTARTSYS;
		}
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return ret;
}

/* A session's leader without a terminal takes the first free one that it opens to read. */
static void tty_opened(struct tty *tty, bool readable)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	if (readable && session_leader(current->signal) && !current->signal->tty && !tty->session)
		take_terminal(tty);
	spin_unlock_irqrestore(&tasklist_lock, flags);
}

static bool tty_is_current(const struct tty *tty)
{
	return current->signal->tty == tty;
}

/* --- the calls ----------------------------------------------------------------------------- */

/* => tasklist_lock. arg 1: take it from another session, which root may. */
static long set_controlling(struct tty *tty, unsigned long arg, bool readable)
{
	const struct signal_struct *self = current->signal;

	if (session_leader(self) && self->session == tty->session)
		return 0;
	if (!session_leader(self) || self->tty)
		return -EPERM;
	if (tty->session && !(arg == 1 && capable(CAP_SYS_ADMIN)))
		return -EPERM;
	if (tty->session)
		session_clear_tty(tty->session);
	if (!readable && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	take_terminal(tty);
	return 0;
}

/* => tasklist_lock. The leader's leaving is its session's, whose foreground group hears of it. */
static long give_up(struct tty *tty)
{
	struct signal_struct *self = current->signal;

	if (self->tty != tty)
		return -ENOTTY;
	if (session_leader(self)) {
		signal_pid(tty->group, SIGHUP);
		signal_pid(tty->group, SIGCONT);
		release_terminal(tty);
	}
	self->tty = NULL;
	return 0;
}

/* => tasklist_lock. The number of a group or session, of which there may be none. */
static long get_number(const struct tty *tty, const struct pid *pid, bool must_be, int *nr)
{
	if (current->signal->tty != tty || (must_be && !pid))
		return -ENOTTY;
	*nr = pid ? pid->nr : 0;
	return 0;
}

/* => tasklist_lock. The session of a group, or of the process with that number; or NULL. */
static struct pid *session_of(const struct pid *group)
{
	if (!list_empty(&group->group))
		return list_first_entry(&group->group, struct signal_struct, group_link)->session;
	return group->task ? group->task->signal->session : NULL;
}

/* => tasklist_lock. */
static long set_foreground(struct tty *tty, int nr)
{
	const struct signal_struct *self = current->signal;
	struct pid *group;

	if (self->tty != tty || tty->session != self->session)
		return -ENOTTY;
	group = find_pid(nr);
	if (!group)
		return -ESRCH;
	if (session_of(group) != self->session)
		return -EPERM;
	replace_pid(&tty->group, group);
	return 0;
}

static long tty_set_foreground(struct tty *tty, const int __user *arg)
{
	long ret = tty_check_change(tty, SIGTTOU);
	unsigned long flags;
	int nr;

	if (ret)
		return ret == -EIO ? -ENOTTY : ret;
	if (copy_from_user(&nr, arg, sizeof(nr)))
		return -EFAULT;
	if (nr < 0)
		return -EINVAL;
	flags = spin_lock_irqsave(&tasklist_lock);
	ret = set_foreground(tty, nr);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return ret;
}

static long tty_jobs_ioctl(struct tty *tty, unsigned int cmd, unsigned long arg, bool readable)
{
	unsigned long flags;
	long ret = -ENOTTY;
	int nr = 0;

	if (cmd == TIOCSPGRP)
		return tty_set_foreground(tty, (const int __user *)arg);
	flags = spin_lock_irqsave(&tasklist_lock);
	switch (cmd) {
	case TIOCSCTTY:
		ret = set_controlling(tty, arg, readable);
		break;
	case TIOCNOTTY:
		ret = give_up(tty);
		break;
	case TIOCGPGRP:
		ret = get_number(tty, tty->group, false, &nr);
		break;
	case TIOCGSID:
		ret = get_number(tty, tty->session, true, &nr);
		break;
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	if (!ret && (cmd == TIOCGPGRP || cmd == TIOCGSID))
		ret = put_user(nr, (int __user *)arg);
	return ret;
}

void tty_session_ends(void)
{
	struct signal_struct *self = current->signal;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct tty *tty = session_leader(self) ? self->tty : NULL;

	if (tty) {
		signal_pid(tty->group, SIGHUP);
		release_terminal(tty);
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	if (tty)
		tty_hangup(tty);
}

static const struct tty_job_ops ops = {
	.check_change = tty_check_change,
	.signal_group = tty_signal_group,
	.opened = tty_opened,
	.is_current = tty_is_current,
	.ioctl = tty_jobs_ioctl,
};

void tty_jobs_init(void)
{
	tty_jobs = &ops;
}
