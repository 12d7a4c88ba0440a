/* SPDX-License-Identifier: MIT */
/* nanosleep, clock_nanosleep and what ends them; clocks of processor time; times(2). */
#include "procs.h"
#include <sys/times.h>

#define NSEC 1000000000L

static volatile int *words;

static long now(int clock)
{
	struct timespec t = { -1, -1 };
	long err = raw(SYS_clock_gettime, clock, &t);

	return err ? err : t.tv_sec * NSEC + t.tv_nsec;
}

/* --- sleeping --------------------------------------------------------------------------------- */

static void refusals(void)
{
	struct timespec bad = { 0, NSEC }, negative = { -1, 0 }, odd = { 0, -1 }, none = { 0, 0 };

	is(raw(SYS_nanosleep, &bad, NULL), -EINVAL, "a second of nanoseconds: EINVAL");
	is(raw(SYS_nanosleep, &negative, NULL), -EINVAL, "a negative time: EINVAL");
	is(raw(SYS_nanosleep, &odd, NULL), -EINVAL, "of nanoseconds: EINVAL");
	is(raw(SYS_nanosleep, 8, NULL), -EFAULT, "from nowhere: EFAULT");
	is(raw(SYS_nanosleep, &none, 8), 0, "no time: 0, and what is left isn't written");
	is(raw(SYS_clock_nanosleep, 77, 0, &none, NULL), -EINVAL, "an unknown clock: EINVAL");
	is(raw(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &bad, NULL), -EINVAL, "a bad time: EINVAL");
	is(raw(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, 8, NULL), -EFAULT, "from nowhere: EFAULT");
	is(raw(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &none, NULL), -EOPNOTSUPP,
	   "the thread's processor time: EOPNOTSUPP");
	is(raw(SYS_clock_nanosleep, CLOCK_MONOTONIC_RAW, 0, &none, NULL), -EOPNOTSUPP,
	   "the raw clock: EOPNOTSUPP");
	is(raw(SYS_clock_nanosleep, CLOCK_MONOTONIC_COARSE, 0, &none, NULL), -EOPNOTSUPP,
	   "a coarse clock: EOPNOTSUPP");
	is(raw(SYS_clock_nanosleep, CLOCK_REALTIME, 0, &none, NULL), 0, "the real-time clock");
	is(raw(SYS_clock_nanosleep, CLOCK_BOOTTIME, 0, &none, NULL), 0, "the clock since boot");
	is(raw(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0x10, &none, NULL), 0,
	   "flags that aren't known are let pass");
}

static void lengths(void)
{
	struct timespec t = { 0, 2000000 };
	long start = now(CLOCK_MONOTONIC);

	is(raw(SYS_nanosleep, &t, NULL), 0, "2 ms");
	ok(now(CLOCK_MONOTONIC) - start >= 2000000, "are no less");
	start = now(CLOCK_MONOTONIC);
	is(raw(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &t, NULL), 0, "by clock_nanosleep");
	ok(now(CLOCK_MONOTONIC) - start >= 2000000, "neither");
	start = now(CLOCK_MONOTONIC) + 3000000;
	t = (struct timespec){ start / NSEC, start % NSEC };
	is(raw(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL), 0, "until a time");
	ok(now(CLOCK_MONOTONIC) >= start, "which has come");
	is(raw(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL), 0, "that is past");
	start = now(CLOCK_REALTIME) + 3000000;
	t = (struct timespec){ start / NSEC, start % NSEC };
	is(raw(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL), 0,
	   "of the other clock");
	ok(now(CLOCK_REALTIME) >= start, "has come");
}

/* Sends its parent SIGUSR1 when that sleeps. */
static int disturb(void *arg)
{
	pid_t parent = raw(SYS_getppid);

	(void)arg;
	if (!SLEEPS(parent))
		return 1;
	raw(SYS_kill, parent, SIGUSR1);
	return 0;
}

static void interrupted(int flags, const char *name)
{
	struct timespec hour = { 3600, 0 }, left = { -7, -7 }, until;
	long then = now(CLOCK_MONOTONIC) + 3600 * NSEC;
	pid_t pid;

	until = (struct timespec){ then / NSEC, then % NSEC };
	catch_with(SIGUSR1, note_signal, flags, 0);
	memset(&seen, 0, sizeof(seen));
	pid = fork_child(disturb, NULL);
	is(raw(SYS_nanosleep, &hour, &left), -EINTR, "%s: a handler ends nanosleep", name);
	ok(left.tv_sec > 1800 && left.tv_sec * NSEC + left.tv_nsec < 3600 * NSEC &&
		   left.tv_nsec >= 0,
	   "%s: what is left is written", name);
	is(seen.count, 1, "%s: it ran once", name);
	status_of(pid);
	pid = fork_child(disturb, NULL);
	left = (struct timespec){ -7, -7 };
	is(raw(SYS_clock_nanosleep, CLOCK_REALTIME, 0, &hour, &left), -EINTR, "%s: clock_nanosleep",
	   name);
	ok(left.tv_sec > 1800 && left.tv_sec < 3600, "%s: what is left", name);
	status_of(pid);
	pid = fork_child(disturb, NULL);
	left = (struct timespec){ -7, -7 };
	is(raw(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &until, &left), -EINTR,
	   "%s: until a time", name);
	is(left.tv_sec, -7, "%s: what is left isn't written", name);
	status_of(pid);
	pid = fork_child(disturb, NULL);
	is(raw(SYS_nanosleep, &hour, NULL), -EINTR, "%s: without a place for what is left", name);
	status_of(pid);
	pid = fork_child(disturb, NULL);
	is(raw(SYS_nanosleep, &hour, 8), -EFAULT, "%s: what is left to nowhere", name);
	status_of(pid);
	set_plain(SIGUSR1, SIG_DFL);
}

/* --- processor time ---------------------------------------------------------------------------- */

static void spin(long nsec)
{
	long start = now(CLOCK_THREAD_CPUTIME_ID);

	for (long i = 0; i < 3000000 && now(CLOCK_THREAD_CPUTIME_ID) < start + nsec; i++)
		;
}

static int spin_in_thread(void *arg)
{
	spin((long)arg);
	words[0] = now(CLOCK_THREAD_CPUTIME_ID) >= (long)arg;
	return 0;
}

static int spin_in_child(void *arg)
{
	spin((long)arg);
	words[1] = 1;
	return await(&words[2], 1) ? 0 : 1;
}

static int cpu_clock(pid_t pid, int per_thread)
{
	return ~pid << 3 | per_thread << 2 | 2;
}

static void processor_time(void)
{
	struct thread thread;
	struct timespec t;
	long before, mine, others;
	pid_t pid;

	before = now(CLOCK_PROCESS_CPUTIME_ID);
	ok(before > 0, "this process has used time");
	spin(5000000);
	ok(now(CLOCK_PROCESS_CPUTIME_ID) >= before + 5000000, "and uses more");
	before = now(CLOCK_PROCESS_CPUTIME_ID);
	mine = now(CLOCK_THREAD_CPUTIME_ID);
	thread_start(&thread, spin_in_thread, (void *)8000000L);
	thread_join(&thread);
	is(words[0], 1, "a thread's time is its own");
	ok(now(CLOCK_PROCESS_CPUTIME_ID) >= before + 8000000, "the process's grows by it");
	others = now(CLOCK_THREAD_CPUTIME_ID) - mine;
	ok(others < now(CLOCK_PROCESS_CPUTIME_ID) - before, "this thread's doesn't");
	before = now(CLOCK_PROCESS_CPUTIME_ID);
	for (int i = 0; i < 5; i++)
		nap();
	ok(now(CLOCK_PROCESS_CPUTIME_ID) >= before, "it never goes back");

	words[1] = words[2] = 0;
	pid = fork_child(spin_in_child, (void *)5000000L);
	await(&words[1], 1);
	ok(now(cpu_clock(pid, 0)) >= 5000000, "another process's clock");
	ok(now(cpu_clock(0, 0)) >= before, "this one's by number 0");
	ok(now(cpu_clock(getpid(), 0)) >= before, "and by its own");
	ok(now(cpu_clock(my_tid(), 1)) > 0, "this thread's");
	is(now(cpu_clock(pid, 1)), -EINVAL, "another process's thread's: EINVAL");
	is(now(cpu_clock(0x3ffffff, 0)), -EINVAL, "nobody's: EINVAL");
	is(raw(SYS_clock_getres, cpu_clock(pid, 0), &t), 0, "its resolution");
	is(t.tv_sec * NSEC + t.tv_nsec, 1, "is a nanosecond");
	is(raw(SYS_clock_settime, cpu_clock(pid, 0), &t), -EPERM, "it can't be set");
	is(raw(SYS_clock_settime, CLOCK_PROCESS_CPUTIME_ID, &t), -EINVAL, "this one's neither");
	words[2] = 1;
	status_of(pid);
	is(now(cpu_clock(pid, 0)), -EINVAL, "when it is gone: EINVAL");
	is(raw(SYS_clock_settime, CLOCK_REALTIME, &t), -EPERM, "nor can the time of day");
	is(raw(SYS_clock_settime, CLOCK_MONOTONIC, &t), -EINVAL,
	   "the monotonic clock never: EINVAL");
}

/* --- times(2) ---------------------------------------------------------------------------------- */

static int use_ticks(void *arg)
{
	struct tms t;

	for (long i = 0; i < 3000000; i++) {
		raw(SYS_times, &t);
		if (t.tms_utime + t.tms_stime >= (long)arg)
			return 0;
	}
	return 1;
}

static void ticks(void)
{
	struct tms before, after;
	struct rusage usage;
	long first, second;

	first = raw(SYS_times, &before);
	ok(first > 0, "times");
	is(use_ticks((void *)(long)(before.tms_utime + before.tms_stime + 3)), 0,
	   "used three ticks");
	second = raw(SYS_times, &after);
	/* Time in user mode and in the kernel are each cut to whole ticks: it may be little over one. */
	ok(second > first, "which have passed");
	is(after.tms_cutime + after.tms_cstime, before.tms_cutime + before.tms_cstime,
	   "no child's ended");
	getrusage(RUSAGE_SELF, &usage);
	ok(usage.ru_utime.tv_sec * 100 + usage.ru_utime.tv_usec / 10000 >= after.tms_utime,
	   "getrusage's user time is no less");
	is(status_of(fork_child(use_ticks, (void *)4L)), 0, "a child uses four");
	raw(SYS_times, &after);
	ok(after.tms_cutime + after.tms_cstime >= before.tms_cutime + before.tms_cstime + 4,
	   "it has been waited for: they are in the children's");
	ok(raw(SYS_times, NULL) >= second, "without a place for them");
	is(raw(SYS_times, 8), -EFAULT, "to nowhere: EFAULT");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	words = shared_words();
	refusals();
	lengths();
	interrupted(0, "plain");
	interrupted(SA_RESTART, "SA_RESTART");
	processor_time();
	ticks();
	return done_testing();
}
