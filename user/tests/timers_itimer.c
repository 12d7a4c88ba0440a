/* SPDX-License-Identifier: MIT */
/* setitimer(2), getitimer(2) and alarm(2): three timers that belong to the process. */
#include "procs.h"
#include <sys/time.h>

static volatile int *words;

static const struct itimerval none;

static long set(int which, long value_us, long interval_us, struct itimerval *old)
{
	struct itimerval new = { { interval_us / 1000000, interval_us % 1000000 },
				 { value_us / 1000000, value_us % 1000000 } };

	return raw(SYS_setitimer, which, &new, old);
}

/* Microseconds that are left. */
static long left(int which)
{
	struct itimerval now;

	memset(&now, 0xee, sizeof(now));
	if (raw(SYS_getitimer, which, &now) != 0)
		return -1;
	return now.it_value.tv_sec * 1000000 + now.it_value.tv_usec;
}

static long interval(int which)
{
	struct itimerval now;

	memset(&now, 0xee, sizeof(now));
	if (raw(SYS_getitimer, which, &now) != 0)
		return -1;
	return now.it_interval.tv_sec * 1000000 + now.it_interval.tv_usec;
}

#define HOUR 3600000000L

static const char *const names[] = { "REAL", "VIRTUAL", "PROF" };
static const int signals[] = { SIGALRM, SIGVTALRM, SIGPROF };

/* --- values ----------------------------------------------------------------------------------- */

static void values(void)
{
	struct itimerval bad = { { 0, 0 }, { 0, 1000000 } }, old;

	for (int which = 0; which < 3; which++) {
		const char *name = names[which];

		is(left(which), 0, "%s: at first it stands", name);
		is(set(which, HOUR, 5000000, &old), 0, "%s: an hour, then every 5 s", name);
		is(old.it_value.tv_sec | old.it_value.tv_usec, 0, "%s: the old value", name);
		/* Of processor time a tick is given on top. */
		ok(left(which) > HOUR / 2 && left(which) <= HOUR + (which ? 20000 : 0),
		   "%s: what is left", name);
		is(interval(which), 5000000, "%s: the interval", name);
		is(set(which, HOUR / 2, 0, &old), 0, "%s: half an hour", name);
		ok(old.it_value.tv_sec <= 3600 && old.it_value.tv_sec > 1800, "%s: the old value",
		   name);
		is(old.it_interval.tv_sec, 5, "%s: the old interval", name);
		is(interval(which), 0, "%s: no interval", name);
		is(set(which, 0, 7000000, NULL), 0, "%s: an interval without a value", name);
		is(left(which), 0, "%s: stops it", name);
		bad.it_value.tv_usec = 1000000;
		set(which, HOUR, 0, NULL);
		is(raw(SYS_setitimer, which, &bad, NULL), -EINVAL, "%s: a second of microseconds",
		   name);
		bad.it_value.tv_usec = -1;
		is(raw(SYS_setitimer, which, &bad, NULL), -EINVAL, "%s: a negative number", name);
		bad.it_value.tv_usec = 0;
		bad.it_value.tv_sec = -1;
		is(raw(SYS_setitimer, which, &bad, NULL), -EINVAL, "%s: of seconds", name);
		bad.it_value.tv_sec = 0;
		bad.it_interval.tv_usec = 1000000;
		is(raw(SYS_setitimer, which, &bad, NULL), -EINVAL, "%s: in the interval", name);
		bad.it_interval.tv_usec = 0;
		ok(left(which) > HOUR / 2, "%s: none of which changed it", name);
		is(raw(SYS_setitimer, which, 8, NULL), -EFAULT, "%s: from nowhere", name);
		is(raw(SYS_getitimer, which, 8), -EFAULT, "%s: to nowhere", name);
		is(raw(SYS_setitimer, which, &none, 8), -EFAULT, "%s: the old one to nowhere",
		   name);
		is(left(which), 0, "%s: after the new one was set", name);
		set(which, HOUR, 0, NULL);
		is(raw(SYS_setitimer, which, NULL, NULL), 0, "%s: a new one of NULL", name);
		is(left(which), 0, "%s: stops it", name);
	}
	is(raw(SYS_setitimer, 3, &none, NULL), -EINVAL, "a fourth timer: EINVAL");
	is(raw(SYS_setitimer, -1, &none, NULL), -EINVAL, "one before the first: EINVAL");
	is(raw(SYS_getitimer, 3, &old), -EINVAL, "for getitimer too");
	is(raw(SYS_setitimer, 3, 8, NULL), -EFAULT, "the new value is read first");
}

static void alarms(void)
{
	is(raw(SYS_alarm, 100), 0, "alarm: nothing was set");
	ok(left(ITIMER_REAL) > 50000000 && left(ITIMER_REAL) <= 100000000, "it is ITIMER_REAL");
	is(raw(SYS_alarm, 200), 100, "the seconds that were left, rounded");
	is(raw(SYS_alarm, 0), 200, "0 stops it");
	is(left(ITIMER_REAL), 0, "so it does");
	set(ITIMER_REAL, 300000, 5000000, NULL);
	is(raw(SYS_alarm, 100), 1, "less than a second counts as one");
	is(interval(ITIMER_REAL), 0, "alarm has no interval");
	is(raw(SYS_alarm, 0xffffffff), 100, "a long time");
	ok(left(ITIMER_REAL) > HOUR, "is kept as such");
	raw(SYS_alarm, 0);
}

/* --- expiry ----------------------------------------------------------------------------------- */

/* User time goes on while this runs. */
static void spin(void)
{
	for (volatile int i = 0; i < 10000; i++)
		;
}

static bool comes(int which, int count)
{
	for (int i = 0; i < 20000 && seen.count < count; i++) {
		if (which == ITIMER_REAL)
			nap();
		else
			spin();
	}
	return seen.count >= count;
}

static void expiry(void)
{
	for (int which = 0; which < 3; which++) {
		const char *name = names[which];

		memset(&seen, 0, sizeof(seen));
		catch_with(signals[which], note_signal, 0, 0);
		set(which, 2000, 0, NULL);
		ok(comes(which, 1), "%s: its signal comes", name);
		is(seen.signo, signals[which], "%s: it is signal %d", name, signals[which]);
		is(seen.code, SI_KERNEL_CODE, "%s: from the kernel", name);
		is(left(which), 0, "%s: then the timer stands", name);
		seen.count = 0;
		set(which, 2000, 3000, NULL);
		ok(comes(which, 3), "%s: with an interval it comes again and again", name);
		is(interval(which), which == ITIMER_REAL ? 3000 : interval(which),
		   "%s: the interval", name);
		ok(interval(which) >= 3000 && interval(which) < 20000, "%s: stays", name);
		set(which, 0, 0, NULL);
		set_plain(signals[which], SIG_IGN);
		set_plain(signals[which], SIG_DFL);
	}
}

/* Blocked, it waits; sent often, it comes once. */
static void blocked(void)
{
	memset(&seen, 0, sizeof(seen));
	catch_with(SIGALRM, note_signal, 0, 0);
	block(BIT_OF(SIGALRM));
	set(ITIMER_REAL, 1000, 1000, NULL);
	ok(UNTIL(pending_now() == BIT_OF(SIGALRM)), "a blocked SIGALRM waits");
	for (int i = 0; i < 10; i++)
		nap();
	set(ITIMER_REAL, 0, 0, NULL);
	is(seen.count, 0, "its handler isn't called");
	unblock(BIT_OF(SIGALRM));
	is(seen.count, 1, "until it is let in, once");
	set_plain(SIGALRM, SIG_DFL);
}

static int die_by_timer(void *arg)
{
	set((int)(long)arg, 1000, 0, NULL);
	for (long i = 0; i < 20000; i++)
		spin();
	return 1;
}

static int alarmed_thread(void *arg)
{
	(void)arg;
	set(ITIMER_REAL, 2000, 0, NULL);
	return 0;
}

static void whose(void)
{
	struct thread thread;

	for (int which = 0; which < 3; which++)
		is(status_of(fork_child(die_by_timer, (void *)(long)which)), signals[which],
		   "%s: without a handler its signal ends the process", names[which]);
	memset(&seen, 0, sizeof(seen));
	catch_with(SIGALRM, note_signal, 0, 0);
	thread_start(&thread, alarmed_thread, NULL);
	thread_join(&thread);
	ok(comes(ITIMER_REAL, 1), "set by a thread that has ended, it comes all the same");
	set_plain(SIGALRM, SIG_DFL);
}

/* --- exec ------------------------------------------------------------------------------------- */

static int look_mode(int argc, char **argv)
{
	for (int which = 0; which < 3; which++) {
		NEED(left(which) > HOUR / 2);
		NEED(interval(which) == 5000000);
	}
	return 42;
}

static int set_and_execute(void *arg)
{
	char *argv[] = { (char *)tap.path, "look", NULL }, *no_env[] = { NULL };

	(void)arg;
	for (int which = 0; which < 3; which++)
		set(which, HOUR, 5000000, NULL);
	raw(SYS_execve, "/proc/self/exe", argv, no_env);
	return 99;
}

static const struct mode modes[] = { { "look", look_mode }, { NULL, NULL } };

int main(int argc, char **argv)
{
	tap_start(argc, argv, modes);
	words = shared_words();
	values();
	alarms();
	expiry();
	blocked();
	whose();
	is(status_of(fork_child(set_and_execute, NULL)), 42 << 8, "timers outlast exec");
	return done_testing();
}
