/* SPDX-License-Identifier: MIT */
/* runs as root */
/* Ids that are none, and siginfos that a thread sends to itself. */
#include "procs.h"

#define NO_ID (-1)

static void no_ids(void)
{
	unsigned int none = 0xffffffffU;

	is(raw(SYS_setuid, NO_ID), -EINVAL, "setuid(-1): EINVAL, whoever asks");
	is(raw(SYS_setgid, NO_ID), -EINVAL, "setgid(-1): EINVAL");
	is(raw(SYS_setreuid, NO_ID, NO_ID), 0, "setreuid(-1, -1) changes nothing");
	is(raw(SYS_setregid, NO_ID, NO_ID), 0, "nor does setregid");
	if (raw(SYS_geteuid))
		return;
	is(raw(SYS_setgroups, 1, &none), -EINVAL, "a group -1: EINVAL");
}

static void sorted_groups(void)
{
	const unsigned int given[] = { 30, 10, 20, 10 }, sorted[] = { 10, 10, 20, 30 };
	unsigned int got[COUNT(given)] = { 0 };

	if (raw(SYS_geteuid))
		return;
	is(raw(SYS_setgroups, COUNT(given), given), 0, "setgroups");
	is(raw(SYS_getgroups, COUNT(got), got), COUNT(given), "getgroups: all of them");
	ok(memcmp(got, sorted, sizeof(sorted)) == 0, "in order");
	is(raw(SYS_setgroups, 0, NULL), 0, "none any more");
}

/* A kernel's code and kill's own: to oneself only, and oneself is a thread here. */
static int thread_sends(void *arg)
{
	unsigned long mask = BIT_OF(SIGUSR1);
	siginfo_t info = { 0 };

	NEED_IS(raw(SYS_rt_sigprocmask, SIG_BLOCK, &mask, NULL, 8), 0);
	info.si_code = SI_USER;
	NEED_IS(raw(SYS_rt_tgsigqueueinfo, my_pid(), my_tid(), SIGUSR1, &info), 0);
	NEED_IS(raw(SYS_rt_sigtimedwait, &mask, &info, NULL, 8), SIGUSR1);
	info.si_code = SI_TKILL;
	NEED_IS(raw(SYS_rt_tgsigqueueinfo, my_pid(), my_pid(), SIGUSR1, &info), -EPERM);
	NEED_IS(raw(SYS_rt_sigqueueinfo, my_pid(), SIGUSR1, &info), -EPERM);
	NEED_IS(raw(SYS_rt_sigqueueinfo, my_tid(), 0, &info), 0);
	*(volatile int *)arg = 1;
	return 0;
}

int main(int argc, char **argv)
{
	static volatile int done;
	struct thread thread;

	tap_start(argc, argv, NULL);
	no_ids();
	sorted_groups();
	thread_start(&thread, thread_sends, (void *)&done);
	thread_join(&thread);
	is(done, 1, "a thread may send anything to itself");
	return done_testing();
}
