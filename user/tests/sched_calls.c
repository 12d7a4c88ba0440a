/* SPDX-License-Identifier: MIT */
/* Scheduling: what one can ask, what an ordinary user may set, and that nobody keeps the processor. */
#include "procs.h"

static volatile int *words;

static int live(void *arg)
{
	return await((volatile int *)arg, 1) ? 0 : 1;
}

/* --- policies -------------------------------------------------------------------------------------- */

static void policies(void)
{
	static const struct {
		int policy, min, max;
	} ranges[] = { { SCHED_OTHER, 0, 0 },
		       { SCHED_FIFO, 1, 99 },
		       { SCHED_RR, 1, 99 },
		       { SCHED_BATCH, 0, 0 },
		       { SCHED_IDLE, 0, 0 } };
	int priority = 0;
	struct timespec t = { -1, -1 };

	for (size_t i = 0; i < COUNT(ranges); i++) {
		is(raw(SYS_sched_get_priority_min, ranges[i].policy), ranges[i].min,
		   "policy %d: the lowest priority", ranges[i].policy);
		is(raw(SYS_sched_get_priority_max, ranges[i].policy), ranges[i].max,
		   "policy %d: the highest", ranges[i].policy);
	}
	is(raw(SYS_sched_get_priority_max, 77), -EINVAL, "an unknown policy: EINVAL");
	is(raw(SYS_sched_get_priority_min, -1), -EINVAL, "policy -1: EINVAL");
	is(raw(SYS_sched_getscheduler, 0), SCHED_OTHER, "SCHED_OTHER");
	is(raw(SYS_sched_getscheduler, getpid()), SCHED_OTHER, "by number");
	is(raw(SYS_sched_getscheduler, 0x3fffffff), -ESRCH, "nobody: ESRCH");
	is(raw(SYS_sched_getscheduler, -1), -EINVAL, "-1: EINVAL");
	is(raw(SYS_sched_getparam, 0, &priority), 0, "sched_getparam");
	is(priority, 0, "priority 0");
	is(raw(SYS_sched_getparam, 0, NULL), -EINVAL, "to nowhere: EINVAL");
	is(raw(SYS_sched_getparam, 0, 8), -EFAULT, "to an address without a page: EFAULT");
	is(raw(SYS_sched_getparam, 0x3fffffff, &priority), -ESRCH, "nobody: ESRCH");
	is(raw(SYS_sched_setparam, 0, &priority), 0, "the same priority");
	is(raw(SYS_sched_setscheduler, 0, SCHED_OTHER, &priority), 0, "the same policy");
	is(raw(SYS_sched_setscheduler, 0, SCHED_OTHER, NULL), -EINVAL,
	   "without a priority: EINVAL");
	is(raw(SYS_sched_setscheduler, 0, 77, &priority), -EINVAL, "an unknown policy: EINVAL");
	is(raw(SYS_sched_setscheduler, 0, -1, &priority), -EINVAL, "policy -1: EINVAL");
	is(raw(SYS_sched_setscheduler, 0x3fffffff, SCHED_OTHER, &priority), -ESRCH,
	   "nobody: ESRCH");
	is(raw(SYS_sched_setscheduler, 0, SCHED_FIFO, &priority), -EINVAL, "FIFO needs a priority");
	priority = 1;
	is(raw(SYS_sched_setscheduler, 0, SCHED_FIFO, &priority), -EPERM, "and a privilege");
	is(raw(SYS_sched_setscheduler, 0, SCHED_RR, &priority), -EPERM, "as does RR");
	is(raw(SYS_sched_setparam, 0, &priority), -EINVAL, "SCHED_OTHER has no priorities");
	priority = 0;
	is(raw(SYS_sched_setscheduler, 0, SCHED_BATCH, &priority), 0, "SCHED_BATCH");
	is(raw(SYS_sched_getscheduler, 0), SCHED_BATCH, "is kept");
	is(raw(SYS_sched_setscheduler, 0, SCHED_OTHER, &priority), 0, "and taken back");
	is(raw(SYS_sched_rr_get_interval, 0, &t), 0, "sched_rr_get_interval");
	ok(t.tv_sec == 0 && t.tv_nsec >= 0 && t.tv_nsec < 1000000000, "is a time");
	is(raw(SYS_sched_rr_get_interval, 0x3fffffff, &t), -ESRCH, "nobody: ESRCH");
	is(raw(SYS_sched_yield), 0, "sched_yield");
}

/* --- processors --------------------------------------------------------------------------------------- */

static void processors(void)
{
	unsigned long mask[16], before;
	unsigned cpu = 99, node = 99;
	long size;

	memset(mask, 0, sizeof(mask));
	size = raw(SYS_sched_getaffinity, 0, sizeof(mask), mask);
	ok(size > 0 && size % 8 == 0, "sched_getaffinity gives the size");
	ok(mask[0] & 1, "of a mask that has the first processor");
	before = mask[0];
	is(raw(SYS_sched_getaffinity, 0, 7, mask), -EINVAL, "7 bytes: EINVAL");
	is(raw(SYS_sched_getaffinity, 0, 0, mask), -EINVAL, "no bytes: EINVAL");
	is(raw(SYS_sched_getaffinity, 0, sizeof(mask), 8), -EFAULT, "to nowhere: EFAULT");
	is(raw(SYS_sched_getaffinity, 0x3fffffff, sizeof(mask), mask), -ESRCH, "nobody: ESRCH");
	is(raw(SYS_sched_setaffinity, 0, sizeof(mask), mask), 0, "the same mask");
	mask[0] = 1;
	is(raw(SYS_sched_setaffinity, 0, 8, mask), 0, "the first processor");
	is(raw(SYS_getcpu, &cpu, &node, NULL), 0, "getcpu");
	is(cpu, 0, "it is there");
	is(node, 0, "on node 0");
	is(raw(SYS_getcpu, NULL, NULL, NULL), 0, "getcpu needs no place");
	is(raw(SYS_getcpu, 8, NULL, NULL), -EFAULT, "but none that isn't there");
	mask[0] = 0;
	is(raw(SYS_sched_setaffinity, 0, 8, mask), -EINVAL, "no processor: EINVAL");
	is(raw(SYS_sched_setaffinity, 0, 0, mask), -EINVAL, "no bytes: EINVAL");
	is(raw(SYS_sched_setaffinity, 0, 8, 8), -EFAULT, "from nowhere: EFAULT");
	mask[0] = before;
	is(raw(SYS_sched_setaffinity, 0x3fffffff, 8, mask), -ESRCH, "nobody: ESRCH");
	is(raw(SYS_sched_setaffinity, 1, 8, mask), -EPERM, "root's process: EPERM");
	is(raw(SYS_sched_setaffinity, 0, 8, mask), 0, "all there were");
}

/* --- niceness ------------------------------------------------------------------------------------------- */

static int nice_child(void *arg)
{
	(void)arg;
	NEED_IS(raw(SYS_getpriority, PRIO_PROCESS, 0), 15);
	NEED_IS(stat_number(my_pid(), 19), 5);
	NEED_IS(raw(SYS_setpriority, PRIO_PROCESS, 0, 100), 0);
	NEED_IS(raw(SYS_getpriority, PRIO_PROCESS, 0), 1);
	return 0;
}

static int be_nice(void *arg)
{
	(void)arg;
	NEED_IS(raw(SYS_getpriority, PRIO_PROCESS, 0), 20);
	NEED_IS(raw(SYS_getpriority, PRIO_PROCESS, my_pid()), 20);
	NEED_IS(raw(SYS_setpriority, PRIO_PROCESS, 0, 5), 0);
	NEED_IS(raw(SYS_getpriority, PRIO_PROCESS, 0), 15);
	NEED_IS(raw(SYS_setpriority, PRIO_PROCESS, 0, 4), -EACCES);
	NEED_IS(raw(SYS_setpriority, PRIO_PROCESS, 0, -1000), -EACCES);
	NEED_IS(raw(SYS_getpriority, PRIO_PROCESS, 0), 15);
	NEED_IS(raw(SYS_setpriority, PRIO_PROCESS, 0, 5), 0);
	NEED_IS(status_of(fork_child(nice_child, NULL)), 0);
	NEED_IS(raw(SYS_getpriority, PRIO_PROCESS, 0), 15);
	NEED_IS(raw(SYS_setpgid, 0, 0), 0);
	NEED_IS(raw(SYS_setpriority, PRIO_PGRP, 0, 7), 0);
	NEED_IS(raw(SYS_getpriority, PRIO_PROCESS, 0), 13);
	NEED_IS(raw(SYS_getpriority, PRIO_PGRP, my_pid()), 13);
	return 0;
}

static void niceness(void)
{
	child_ok(be_nice, "an ordinary user can only be nicer");
	is(raw(SYS_getpriority, PRIO_PROCESS, 0), 20, "the parent isn't");
	is(raw(SYS_getpriority, 3, 0), -EINVAL, "an unknown kind: EINVAL");
	is(raw(SYS_getpriority, -1, 0), -EINVAL, "kind -1: EINVAL");
	is(raw(SYS_setpriority, 3, 0, 0), -EINVAL, "for setpriority too");
	is(raw(SYS_getpriority, PRIO_PROCESS, 0x3fffffff), -ESRCH, "nobody: ESRCH");
	is(raw(SYS_setpriority, PRIO_PROCESS, 0x3fffffff, 0), -ESRCH, "for setpriority too");
	is(raw(SYS_getpriority, PRIO_PGRP, 0x3fffffff), -ESRCH, "no group: ESRCH");
	is(raw(SYS_getpriority, PRIO_USER, 54321), -ESRCH, "no user: ESRCH");
	ok(raw(SYS_getpriority, PRIO_USER, 0) >= 1, "this user's");
	is(raw(SYS_setpriority, PRIO_PROCESS, 1, 5), -EPERM, "root's process: EPERM");
}

/* --- preemption ------------------------------------------------------------------------------------------- */

static int spin(void *arg)
{
	volatile int *counter = arg;

	while (!words[0])
		++*counter;
	return 0;
}

/* Nobody here ever sleeps or yields. */
static bool all_grow(volatile int *counters, int count)
{
	int before[8];

	for (int i = 0; i < count; i++)
		before[i] = counters[i];
	for (long n = 0; n < 300000000; n++) {
		bool all = true;

		for (int i = 0; i < count; i++)
			all = all && counters[i] != before[i];
		if (all)
			return true;
	}
	return false;
}

static void preemption(void)
{
	struct thread threads[3];
	pid_t pids[3];

	words[0] = 0;
	for (int i = 0; i < 3; i++)
		pids[i] = fork_child(spin, (void *)&words[10 + i]);
	for (int i = 0; i < 3; i++)
		thread_start(&threads[i], spin, (void *)&words[13 + i]);
	for (int i = 0; i < 3; i++)
		ok(all_grow(&words[10], 6), "three processes and three threads spin: all go on");
	is(kill(pids[0], SIGKILL), 0, "one that spins is killed");
	is(status_of(pids[0]), SIGKILL, "at once");
	ok(all_grow(&words[11], 5), "the others go on");
	words[0] = 1;
	is(status_of(pids[1]), 0, "they end");
	is(status_of(pids[2]), 0, "all of them");
	for (int i = 0; i < 3; i++)
		thread_join(&threads[i]);
	is(live((void *)&words[0]), 0, "this one too has gone on");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	words = shared_words();
	policies();
	processors();
	niceness();
	preemption();
	return done_testing();
}
