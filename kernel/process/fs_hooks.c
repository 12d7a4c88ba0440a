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

void process_register_fs(void)
{
	pipe_send_sigpipe = send_sigpipe;
}
