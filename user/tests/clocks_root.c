/* SPDX-License-Identifier: MIT */
/* runs as root */
/*
 * What root may do to clocks and to the scheduler: clock_settime(2) and settimeofday(2), and what
 * happens to those who wait for a time of day; sched(7)'s real-time policies.
 */
#include "procs.h"
#include "vdso.h"

#define RESET_ON_FORK 0x40000000

#define HOUR 3600L

static long set_clock(long sec)
{
	const struct timespec ts = { sec, 0 };

	return raw(SYS_clock_settime, CLOCK_REALTIME, &ts);
}

static long seconds(int clock)
{
	struct timespec ts = { 0, 0 };

	raw(SYS_clock_gettime, clock, &ts);
	return ts.tv_sec;
}

static bool vdso_follows(void)
{
	return vdso_agrees(CLOCK_REALTIME) && vdso_agrees(CLOCK_REALTIME_COARSE) &&
	       vdso_agrees(CLOCK_TAI) && vdso_agrees(CLOCK_MONOTONIC);
}

static void setting(long start)
{
	const struct timespec bad = { 0, 1000000000 }, negative = { -1, 0 };
	const struct timeval whole = { start, 1000000 }, tv = { start, 0 }, worse = { 0, -1 };
	struct timezone tz = { 60, 0 }, far = { 15 * 60 + 1, 0 }, back;

	is(raw(SYS_clock_settime, CLOCK_REALTIME, &bad), -EINVAL, "a second of ns: EINVAL");
	is(raw(SYS_clock_settime, CLOCK_REALTIME, &negative), -EINVAL, "before 1970: EINVAL");
	is(raw(SYS_clock_settime, CLOCK_REALTIME, 8), -EFAULT, "from nowhere: EFAULT");
	is(raw(SYS_clock_settime, CLOCK_MONOTONIC, 8), -EINVAL, "another clock: EINVAL");
	is(raw(SYS_clock_settime, CLOCK_PROCESS_CPUTIME_ID, 8), -EINVAL, "CPU time: EINVAL");
	is(raw(SYS_clock_settime, ~1 << 3 | 2, &negative), -EPERM, "named by a process: EPERM");
	is(set_clock(0), -EINVAL, "before the machine was started: EINVAL");
	is(set_clock(1L << 62), -EINVAL, "when nobody can count to: EINVAL");
	is(raw(SYS_settimeofday, &whole, NULL), -EINVAL, "a second of microseconds: EINVAL");
	is(raw(SYS_settimeofday, &worse, NULL), -EINVAL, "negative ones: EINVAL");
	is(raw(SYS_settimeofday, 8, NULL), -EFAULT, "settimeofday from nowhere: EFAULT");
	is(raw(SYS_settimeofday, NULL, &far), -EINVAL, "a zone beyond the earth: EINVAL");
	is(raw(SYS_settimeofday, NULL, &tz), 0, "a time zone");
	raw(SYS_gettimeofday, NULL, &back);
	is(back.tz_minuteswest, 60, "is read back");
	vdso_gettimeofday(NULL, &back);
	is(back.tz_minuteswest, 60, "by the vdso, too");
	tz.tz_minuteswest = 0;
	raw(SYS_settimeofday, NULL, &tz);
	is(set_clock(start + 100 * HOUR), 0, "clock_settime");
	ok(seconds(CLOCK_REALTIME) - (start + 100 * HOUR) < 60, "it is that time");
	ok(vdso_follows(), "the vdso's clocks follow");
	is(raw(SYS_settimeofday, &tv, NULL), 0, "settimeofday");
	ok(seconds(CLOCK_REALTIME) - start < 60, "it is that time");
	ok(vdso_follows(), "back, too");
}

/* --- who waits for a time of day ------------------------------------------------------------------ */

static volatile int slept;

static int sleep_until(void *arg)
{
	const struct timespec until = { (long)arg, 0 };

	slept = (int)raw(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL) ? 2 : 1;
	return 0;
}

static int sleep_relative(void *arg)
{
	const struct timespec time = { (long)arg, 0 };

	raw(SYS_clock_nanosleep, CLOCK_REALTIME, 0, &time, NULL);
	return 0;
}

static void waiting(long start)
{
	struct thread thread;
	pid_t pid;

	slept = 0;
	thread_start(&thread, sleep_until, (void *)(start + HOUR));
	THREAD_SLEEPS(thread.tid);
	is(slept, 0, "a thread sleeps until an hour from now");
	set_clock(start + 2 * HOUR);
	ok(UNTIL(slept), "the clock is put forward: it wakes");
	is(slept, 1, "as if nothing had happened");
	thread_join(&thread);
	set_clock(start);

	pid = fork_child(sleep_relative, (void *)HOUR);
	SLEEPS(pid);
	set_clock(start + 2 * HOUR);
	for (int i = 0; i < 20; i++)
		nap();
	is(state_of(pid), 'S', "who sleeps for an hour sleeps on");
	raw(SYS_kill, pid, SIGKILL);
	is(status_of(pid), SIGKILL, "until it is killed");
	set_clock(start);
}

/* --- real-time policies ------------------------------------------------------------------------------ */

static volatile int *words;

static int spin(void *arg)
{
	(void)arg;
	for (;;)
		words[0]++;
	return 0;
}

static int rt_spin(void *arg)
{
	const struct sched_param param = { 50 };

	NEED_IS(raw(SYS_sched_setscheduler, 0, SCHED_RR, &param), 0);
	return spin(arg);
}

static long policy(pid_t pid, int which, int priority)
{
	const struct sched_param param = { priority };

	return raw(SYS_sched_setscheduler, pid, which, &param);
}

static void real_time(void)
{
	const unsigned long all = ~0UL, first = 1;
	pid_t ordinary, high;
	int before;

	/* With another processor there would be room for both. */
	is(raw(SYS_sched_setaffinity, 0, sizeof(first), &first), 0, "on the first processor");
	is(policy(0, SCHED_FIFO, 0), -EINVAL, "SCHED_FIFO without a priority: EINVAL");
	is(policy(0, SCHED_FIFO, 100), -EINVAL, "with one too high: EINVAL");
	is(policy(0, SCHED_OTHER, 1), -EINVAL, "SCHED_OTHER with one: EINVAL");
	is(policy(0, SCHED_FIFO | RESET_ON_FORK, 99), 0, "SCHED_FIFO, not for children");
	is(raw(SYS_sched_getscheduler, 0), SCHED_FIFO | RESET_ON_FORK, "is the policy");
	ordinary = fork_child(spin, NULL);
	before = words[0];
	for (volatile long i = 0; i < 100000; i++)
		;
	is(words[0], before, "an ordinary child doesn't run while a SCHED_FIFO parent does");
	raw(SYS_kill, ordinary, SIGKILL);
	is(status_of(ordinary), SIGKILL, "it ends when there is time for it");
	is(policy(0, SCHED_OTHER, 0), 0, "SCHED_OTHER again");

	high = fork_child(rt_spin, NULL);
	ok(UNTIL(words[0] != before), "a SCHED_RR child that never sleeps");
	nap();
	raw(SYS_kill, high, SIGKILL);
	is(status_of(high), SIGKILL, "leaves its parent enough time to kill it");
	raw(SYS_sched_setaffinity, 0, sizeof(all), &all);
}

int main(int argc, char **argv)
{
	long start;

	tap_start(argc, argv, NULL);
	if (geteuid() != 0)
		skip_all("only root may set clocks");
	ok(vdso_bind(getauxval(AT_SYSINFO_EHDR)), "the vdso");
	words = shared_words();
	start = seconds(CLOCK_REALTIME);
	setting(start);
	waiting(start);
	real_time();
	return done_testing();
}
