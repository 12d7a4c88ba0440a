/* SPDX-License-Identifier: MIT */
/* A thread that executes a program gets another number: the children that it made are still its own. */
#include "procs.h"

#define WNOTHREAD 0x20000000

static int child(void *arg)
{
	return 5;
}

/* With nobody else left, each child of the process is this thread's. */
static int after_exec(int argc, char **argv)
{
	int status = 0;

	NEED_IS(raw(SYS_wait4, atoi(argv[2]), &status, WNOTHREAD, NULL), atoi(argv[2]));
	NEED_IS(status, 5 << 8);
	NEED_IS(raw(SYS_wait4, -1, &status, WNOTHREAD, NULL), -ECHILD);
	return 3;
}

static int fork_and_exec(void *arg)
{
	char number[16];
	char *argv[] = { (char *)tap.path, (char *)"after", number, NULL }, *envp[] = { NULL };

	snprintf(number, sizeof(number), "%d", fork_child(child, NULL));
	raw(SYS_execve, "/proc/self/exe", argv, envp);
	return 1;
}

static int threads(void *arg)
{
	struct thread thread;

	NEED(thread_start(&thread, fork_and_exec, NULL) > 0);
	thread_join(&thread);
	return 1;
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = { { "after", after_exec }, { NULL, NULL } };

	tap_start(argc, argv, modes);
	is(status_of(fork_child(threads, NULL)), 3 << 8,
	   "__WNOTHREAD finds the child of a thread that executed a program");
	return done_testing();
}
