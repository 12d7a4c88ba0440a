/* SPDX-License-Identifier: MIT */
/* What the layer of files needs of processes and can't call by itself. */
#include "kernel/fs/pipe.h"
#include "kernel/process/task.h"

/* To the thread that writes, as if it had sent it itself: that is how Linux has it. */
static void send_sigpipe(void)
{
	struct siginfo_kernel info;

	siginfo_init(&info, SIGPIPE, SI_USER);
	info.sent.pid = current->tgid;
	info.sent.uid = current->cred.uid;
	send_signal_info(current, &info, true);
}

static void *current_user(void)
{
	user_hold(current->user);
	return current->user;
}

static void put_user_struct(void *user)
{
	user_put(user);
}

static long charge_pages(void *user, long pages)
{
	struct user_struct *u = user;

	return atomic_long_add_return(&u->pipe_pages, pages);
}

static const struct pipe_task_ops pipe_ops = {
	.send_sigpipe = send_sigpipe,
	.user_get = current_user,
	.user_put = put_user_struct,
	.charge = charge_pages,
};

void process_register_fs(void)
{
	pipe_tasks = &pipe_ops;
}
