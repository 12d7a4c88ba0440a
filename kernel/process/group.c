/* SPDX-License-Identifier: MIT */
/*
 * Process groups and sessions. A session is what was started at one terminal, a group one job in
 * it; credentials(7). Everything here is under tasklist_lock.
 */
#include "kernel/process/task.h"

void process_join_group(struct signal_struct *process, struct pid *group)
{
	struct pid *old = process->group;

	if (old)
		list_del(&process->group_link);
	process->group = group ? pid_get(group) : NULL;
	if (group)
		list_add_tail(&process->group_link, &group->group);
	if (old)
		pid_put(old);
}

void process_join_session(struct signal_struct *process, struct pid *session)
{
	struct pid *old = process->session;

	if (old)
		list_del(&process->session_link);
	process->session = session ? pid_get(session) : NULL;
	if (session)
		list_add_tail(&process->session_link, &session->session);
	if (old)
		pid_put(old);
}

static bool has_ended(const struct signal_struct *process)
{
	return process->leader->zombie && thread_group_empty(process);
}

bool group_is_orphaned(const struct pid *group, const struct signal_struct *without)
{
	const struct signal_struct *p;

	list_for_each_entry(p, &group->group, group_link)
	{
		const struct signal_struct *parent = p->parent;

		if (p == without || has_ended(p) || !parent || parent == init_process)
			continue;
		if (parent->group != group && parent->session == p->session)
			return false;
	}
	return true;
}

static bool group_has_stopped(const struct pid *group)
{
	const struct signal_struct *p;

	list_for_each_entry(p, &group->group, group_link)
	{
		if (p->flags & SIGNAL_STOPPED)
			return true;
	}
	return false;
}

int send_group_signal(struct pid *group, const struct siginfo_kernel *info)
{
	struct signal_struct *p;
	int ret = -ESRCH;
	bool sent = false;

	list_for_each_entry(p, &group->group, group_link)
	{
		p->group_signals++;
		ret = send_signal_info(p->leader, info, false);
		sent |= ret == 0;
	}
	return sent ? 0 : ret;
}

void orphan_group(const struct signal_struct *process, const struct signal_struct *old_parent,
		  const struct signal_struct *without)
{
	struct siginfo_kernel info;

	if (!old_parent || old_parent->group == process->group ||
	    old_parent->session != process->session)
		return;
	if (!group_is_orphaned(process->group, without) || !group_has_stopped(process->group))
		return;
	siginfo_init(&info, SIGHUP, SI_KERNEL);
	send_group_signal(process->group, &info);
	siginfo_init(&info, SIGCONT, SI_KERNEL);
	send_group_signal(process->group, &info);
}
