/* SPDX-License-Identifier: MIT */
/* What the layer of files needs of processes and can't call by itself. */
#include "kernel/fs/pipe.h"
#include "kernel/fs/vfs.h"
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

static u64 size_limit(void)
{
	return current->signal->rlim[RLIMIT_FSIZE].cur;
}

void process_register_fs(void)
{
	fs_size_limit = size_limit;
	fs_send_sigxfsz = send_sigxfsz;
	pipe_send_sigpipe = send_sigpipe;
}
