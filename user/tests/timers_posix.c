/* SPDX-License-Identifier: MIT */
/* timer_create(2) and what goes with it: signals with a value, overruns, times, and their ends. */
#include "procs.h"

/* sigevent as the kernel reads it. */
struct event {
	unsigned long value;
	int signo, notify, tid;
	int rest[11];
};

enum { NOTIFY_SIGNAL, NOTIFY_NONE, NOTIFY_THREAD, NOTIFY_THREAD_ID = 4 };

#define NSEC 1000000000L

static int id;
static volatile int *words;

static long create(int clock, struct event *event)
{
	id = -7;
	return raw(SYS_timer_create, clock, event, &id);
}

static long settime(int timer, int flags, long value, long interval, struct itimerspec *old)
{
	struct itimerspec new = { { interval / NSEC, interval % NSEC },
				  { value / NSEC, value % NSEC } };

	return raw(SYS_timer_settime, timer, flags, &new, old);
}

static long left(int timer)
{
	struct itimerspec now;

	memset(&now, 0xee, sizeof(now));
	if (raw(SYS_timer_gettime, timer, &now) != 0)
		return -1;
	return now.it_value.tv_sec * NSEC + now.it_value.tv_nsec;
}

static long now(int clock)
{
	struct timespec t;

	raw(SYS_clock_gettime, clock, &t);
	return t.tv_sec * NSEC + t.tv_nsec;
}

/* --- making ----------------------------------------------------------------------------------- */

static void making(void)
{
	static const int clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID,
				      CLOCK_THREAD_CPUTIME_ID, CLOCK_BOOTTIME };
	struct event event = { .signo = SIGUSR1, .notify = NOTIFY_SIGNAL };
	struct itimerspec spec;

	for (size_t i = 0; i < COUNT(clocks); i++) {
		is(create(clocks[i], &event), 0, "a timer of clock %d", clocks[i]);
		is(left(id), 0, "it stands");
		is(raw(SYS_timer_delete, id), 0, "deleted");
		is(raw(SYS_timer_delete, id), -EINVAL, "it is gone");
	}
	is(create(77, &event), -EINVAL, "an unknown clock: EINVAL");
	is(create(CLOCK_MONOTONIC_RAW, &event), -EOPNOTSUPP, "a clock without timers: EOPNOTSUPP");
	event.signo = 65;
	is(create(CLOCK_MONOTONIC, &event), -EINVAL, "signal 65: EINVAL");
	event.signo = 0;
	is(create(CLOCK_MONOTONIC, &event), -EINVAL, "signal 0: EINVAL");
	event = (struct event){ .signo = SIGUSR1, .notify = 3 };
	is(create(CLOCK_MONOTONIC, &event), -EINVAL, "an unknown kind: EINVAL");
	event = (struct event){ .signo = SIGUSR1, .notify = NOTIFY_THREAD_ID, .tid = 1 };
	is(create(CLOCK_MONOTONIC, &event), -EINVAL, "another process's thread: EINVAL");
	event.tid = 0x3fffffff;
	is(create(CLOCK_MONOTONIC, &event), -EINVAL, "a thread that isn't: EINVAL");
	is(create(CLOCK_MONOTONIC, (void *)8), -EFAULT, "an event from nowhere: EFAULT");
	is(raw(SYS_timer_create, CLOCK_MONOTONIC, NULL, 8), -EFAULT, "a number to nowhere: EFAULT");
	is(raw(SYS_timer_delete, 12345), -EINVAL, "no such timer: timer_delete");
	is(raw(SYS_timer_getoverrun, 12345), -EINVAL, "timer_getoverrun");
	is(raw(SYS_timer_gettime, 12345, &spec), -EINVAL, "timer_gettime");
	is(settime(12345, 0, 0, 0, NULL), -EINVAL, "timer_settime");
	is(raw(SYS_timer_settime, 12345, 0, NULL, NULL), -EINVAL, "without a time: EINVAL");
	is(raw(SYS_timer_settime, 12345, 0, 8, NULL), -EFAULT, "a time from nowhere: EFAULT");
}

static void setting(void)
{
	struct event event = { .notify = NOTIFY_NONE };
	struct itimerspec spec = { { 0, 0 }, { 0, NSEC } }, old;
	int timer;

	is(create(CLOCK_MONOTONIC, &event), 0, "a timer that only counts");
	timer = id;
	is(settime(timer, 0, 3600 * NSEC, 5 * NSEC, &old), 0, "an hour, then every 5 s");
	is(old.it_value.tv_sec | old.it_value.tv_nsec, 0, "the old time");
	ok(left(timer) > 1800 * NSEC && left(timer) <= 3600 * NSEC, "what is left");
	raw(SYS_timer_gettime, timer, &spec);
	is(spec.it_interval.tv_sec, 5, "the interval");
	spec = (struct itimerspec){ { 0, 0 }, { 0, NSEC } };
	is(raw(SYS_timer_settime, timer, 0, &spec, NULL), -EINVAL,
	   "a second of nanoseconds: EINVAL");
	spec = (struct itimerspec){ { 0, 0 }, { -1, 0 } };
	is(raw(SYS_timer_settime, timer, 0, &spec, NULL), -EINVAL, "a negative time: EINVAL");
	ok(left(timer) > 1800 * NSEC, "which changes nothing");
	is(settime(timer, TIMER_ABSTIME, now(CLOCK_MONOTONIC) + 100 * NSEC, 0, &old), 0,
	   "a time by the clock");
	ok(left(timer) > 50 * NSEC && left(timer) <= 100 * NSEC, "what is left until then");
	is(old.it_interval.tv_sec, 5, "the old interval");
	spec = (struct itimerspec){ { 0, 0 }, { 200, 0 } };
	is(raw(SYS_timer_settime, timer, 0, &spec, 8), -EFAULT, "the old time to nowhere: EFAULT");
	ok(left(timer) > 150 * NSEC, "after the new one was set");
	is(settime(timer, 0, 1000000, 0, NULL), 0, "a millisecond");
	ok(UNTIL(left(timer) == 0), "passes");
	is(raw(SYS_timer_getoverrun, timer), 0, "no overrun");
	is(raw(SYS_timer_delete, timer), 0, "deleted");
}

/* --- signals ---------------------------------------------------------------------------------- */

/* overrun: the most that was told. */
static volatile int taken_by, overrun, timer_seen;

static void note_timer(int sig, siginfo_t *info, void *context)
{
	note_signal(sig, info, context);
	taken_by = my_tid();
	timer_seen = info->si_timerid;
	if (overrun < info->si_overrun)
		overrun = info->si_overrun;
}

static void by_signal(int clock)
{
	struct event event = { .value = 0x123456789abcdef0, .signo = SIGUSR1 };
	int timer;

	memset(&seen, 0, sizeof(seen));
	catch_with(SIGUSR1, note_timer, 0, 0);
	create(clock, &event);
	timer = id;
	settime(timer, 0, 1000000, 0, NULL);
	ok(UNTIL(seen.count == 1), "clock %d: its signal comes", clock);
	is(seen.code, SI_TIMER, "SI_TIMER");
	is(seen.value, 0x123456789abcdef0, "with its value");
	is(timer_seen, timer, "and its number");
	is(left(timer), 0, "then it stands");
	settime(timer, 0, 1000000, 1000000, NULL);
	ok(UNTIL(seen.count >= 4), "with an interval it comes again and again");
	settime(timer, TIMER_ABSTIME, 1, 0, NULL);
	seen.count = 0;
	settime(timer, TIMER_ABSTIME, 1, 0, NULL);
	ok(UNTIL(seen.count >= 1), "a time that is past comes at once");
	raw(SYS_timer_delete, timer);
	is(create(clock, NULL), 0, "without an event");
	catch_with(SIGALRM, note_timer, 0, 0);
	seen.count = 0;
	settime(id, 0, 1000000, 0, NULL);
	ok(UNTIL(seen.count == 1), "the signal");
	is(seen.signo, SIGALRM, "is SIGALRM");
	is((int)seen.value, id, "the value the timer's number");
	raw(SYS_timer_delete, id);
	set_plain(SIGALRM, SIG_DFL);
}

static void overruns(void)
{
	struct event event = { .value = 1, .signo = SIGUSR1 };
	long start;

	memset(&seen, 0, sizeof(seen));
	overrun = 0;
	create(CLOCK_MONOTONIC, &event);
	block(BIT_OF(SIGUSR1));
	start = now(CLOCK_MONOTONIC);
	settime(id, 0, 1000000, 1000000, NULL);
	while (now(CLOCK_MONOTONIC) < start + 20000000)
		nap();
	is(pending_now(), BIT_OF(SIGUSR1), "while it is blocked it waits");
	unblock(BIT_OF(SIGUSR1));
	is(seen.count >= 1, 1, "let in, it comes");
	ok(overrun >= 15, "and says how often it would have come more");
	settime(id, 0, 0, 0, NULL);
	seen.count = 0;
	block(BIT_OF(SIGUSR1));
	settime(id, 0, 1000000, 0, NULL);
	ok(UNTIL(pending_now() == BIT_OF(SIGUSR1)), "one waits");
	raw(SYS_timer_delete, id);
	is(pending_now(), BIT_OF(SIGUSR1), "when its timer is deleted it still does");
	unblock(BIT_OF(SIGUSR1));
	is(seen.count, 1, "and comes");
}

static int wait_here(void *arg)
{
	words[0] = 1;
	return await(arg, 1) ? 0 : 1;
}

static void to_thread(void)
{
	struct event event = { .signo = SIGUSR1, .notify = NOTIFY_THREAD_ID };
	struct thread thread;

	words[0] = words[1] = 0;
	thread_start(&thread, wait_here, (void *)&words[1]);
	await(&words[0], 1);
	event.tid = thread.tid;
	seen.count = 0;
	is(create(CLOCK_MONOTONIC, &event), 0, "a timer for a thread");
	settime(id, 0, 1000000, 0, NULL);
	ok(UNTIL(seen.count == 1), "its signal comes");
	is(taken_by, event.tid, "in that thread");
	words[1] = 1;
	thread_join(&thread);
	seen.count = 0;
	settime(id, 0, 1000000, 0, NULL);
	ok(UNTIL(left(id) == 0), "when the thread has ended");
	is(seen.count, 0, "no signal comes");
	raw(SYS_timer_delete, id);
}

static void cpu_time(void)
{
	static const int clocks[] = { CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID };
	struct event event = { .signo = SIGUSR1 };

	for (int i = 0; i < 2; i++) {
		seen.count = 0;
		create(clocks[i], &event);
		settime(id, 0, 3000000, 0, NULL);
		for (volatile long n = 0; n < 300000000 && !seen.count; n++)
			;
		is(seen.count, 1, "clock %d: comes when that much was used", clocks[i]);
		raw(SYS_timer_delete, id);
	}
}

/* --- fork, exec, limits ----------------------------------------------------------------------- */

static int no_timer(void *arg)
{
	struct itimerspec spec;

	NEED_IS(raw(SYS_timer_gettime, (long)arg, &spec), -EINVAL);
	NEED_IS(create(CLOCK_MONOTONIC, NULL), 0);
	return 0;
}

static int gone_mode(int argc, char **argv)
{
	struct itimerspec spec;

	NEED_IS(raw(SYS_timer_gettime, atoi(argv[2]), &spec), -EINVAL);
	return 42;
}

static int execute(void *arg)
{
	char number[16];
	char *argv[] = { (char *)tap.path, "gone", number, NULL }, *none[] = { NULL };

	(void)arg;
	if (create(CLOCK_MONOTONIC, NULL) != 0)
		return 98;
	snprintf(number, sizeof(number), "%d", id);
	settime(id, 0, 3600 * NSEC, 0, NULL);
	raw(SYS_execve, "/proc/self/exe", argv, none);
	return 99;
}

static int up_to_limit(void *arg)
{
	int count = 0;

	(void)arg;
	limit(RLIMIT_SIGPENDING, 10);
	while (count < 100 && create(CLOCK_MONOTONIC, NULL) == 0)
		count++;
	NEED_IS(count, 10);
	NEED_IS(create(CLOCK_MONOTONIC, NULL), -EAGAIN);
	return 0;
}

static void ends(void)
{
	create(CLOCK_MONOTONIC, NULL);
	settime(id, 0, 3600 * NSEC, 0, NULL);
	is(status_of(fork_child(no_timer, (void *)(long)id)), 0, "a child has no timers");
	raw(SYS_timer_delete, id);
	is(status_of(fork_child(execute, NULL)), 42 << 8, "exec ends them");
	child_ok(up_to_limit, "RLIMIT_SIGPENDING counts them");
}

static const struct mode modes[] = { { "gone", gone_mode }, { NULL, NULL } };

int main(int argc, char **argv)
{
	tap_start(argc, argv, modes);
	words = shared_words();
	making();
	setting();
	by_signal(CLOCK_MONOTONIC);
	by_signal(CLOCK_REALTIME);
	overruns();
	to_thread();
	cpu_time();
	ends();
	return done_testing();
}
