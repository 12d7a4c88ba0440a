/* SPDX-License-Identifier: MIT */
/* What the layer of files needs of processes and can't call by itself. */
#include "kernel/fs/pipe.h"
#include "kernel/fs/socket.h"
#include "kernel/fs/vfs.h"
#include "kernel/process/current.h"
#include "kernel/process/task.h"

/* To the thread that writes, as if it had sent it itself: that is how Linux has it. */
static void send_to_self(int sig)
{
	struct siginfo_kernel info;

	siginfo_init(&info, sig, SI_USER);
	info.sent.pid = current->tgid;
	info.sent.uid = current->cred.uid;
	send_signal_info(current, &info, true);
}

static void send_sigpipe(void)
{
	send_to_self(SIGPIPE);
}

static void send_sigxfsz(void)
{
	send_to_self(SIGXFSZ);
}

static struct cred_view current_cred(void)
{
	return current_is_task() ? current_cred_view() : kernel_cred;
}

static u64 size_limit(void)
{
	return current->signal->rlim[RLIMIT_FSIZE].cur;
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

static struct socket_cred socket_cred(bool effective)
{
	const struct cred *cred = &current->cred;

	return (struct socket_cred){ current->tgid, effective ? cred->euid : cred->uid,
				     effective ? cred->egid : cred->gid };
}

static long count_in_flight(void *user, long files)
{
	struct user_struct *u = user;

	return atomic_long_add_return(&u->in_flight, files);
}

static unsigned long nofile_limit(void)
{
	return current->signal->rlim[RLIMIT_NOFILE].cur;
}

static const struct socket_task_ops socket_ops = {
	.cred = socket_cred,
	.in_flight = count_in_flight,
	.nofile_limit = nofile_limit,
};

void process_register_fs(void)
{
	fs_current_cred = current_cred;
	fs_size_limit = size_limit;
	fs_send_sigxfsz = send_sigxfsz;
	pipe_tasks = &pipe_ops;
	socket_tasks = &socket_ops;
}
