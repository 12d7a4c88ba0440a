/* SPDX-License-Identifier: MIT */
/* futex(2): waiting and waking, with bit sets and times, and what it refuses. */
#include "futexes.h"

static volatile int word, other;
static struct waiter w[4];

static long futex(volatile void *addr, int op, int val, const void *timeout, unsigned val3)
{
	return raw(SYS_futex, addr, op, val, timeout, NULL, val3);
}

/* --- refusals --------------------------------------------------------------------------------- */

static void refusals(void)
{
	static const int unknown[] = { F_FD, 14, 20, 100, 127 };
	struct timespec none = { 0, 0 }, bad = { 0, 1000000000 }, negative = { -1, 0 };
	char *page = island(1, PROT_NONE);

	word = 5;
	is(futex(&word, F_WAIT, 4, NULL, 0), -EAGAIN, "another value: EAGAIN");
	is(futex(&word, F_WAIT | F_PRIVATE, 4, NULL, 0), -EAGAIN, "a private one too");
	is(futex(&word, F_WAIT, 4, &none, 0), -EAGAIN, "the value is looked at before the time");
	is(futex(&word, F_WAIT, 5, &none, 0), -ETIMEDOUT, "no time: ETIMEDOUT");
	is(futex(&word, F_WAIT, 5, &bad, 0), -EINVAL, "a second of nanoseconds: EINVAL");
	is(futex(&word, F_WAIT, 5, &negative, 0), -EINVAL, "a negative time: EINVAL");
	is(futex(&word, F_WAIT, 4, &bad, 0), -EINVAL, "whatever the value");
	is(futex(&word, F_WAIT, 5, (void *)8, 0), -EFAULT, "a time from nowhere: EFAULT");
	is(futex((char *)&word + 1, F_WAIT, 5, NULL, 0), -EINVAL, "unaligned: EINVAL");
	is(futex((char *)&word + 2, F_WAKE | F_PRIVATE, 1, NULL, 0), -EINVAL, "for a wake too");
	is(futex((void *)2, F_WAKE, 1, NULL, 0), -EINVAL, "before the address is looked at");
	is(futex((void *)8, F_WAIT, 5, NULL, 0), -EFAULT, "nowhere: EFAULT");
	is(futex((void *)8, F_WAIT | F_PRIVATE, 5, NULL, 0), -EFAULT, "private: EFAULT");
	is(futex((void *)8, F_WAKE, 1, NULL, 0), -EFAULT, "a wake: EFAULT");
	is(futex((void *)8, F_WAKE | F_PRIVATE, 1, NULL, 0), 0, "a private one needs no page");
	is(futex((void *)-4096UL, F_WAKE | F_PRIVATE, 1, NULL, 0), -EFAULT, "but a user's address");
	is(futex((void *)0xffff888000000000UL, F_WAIT, 1, NULL, 0), -EFAULT, "not the kernel's");
	is(futex(page, F_WAIT, 0, NULL, 0), -EFAULT, "a page without access: EFAULT");
	is(futex(page, F_WAIT | F_PRIVATE, 0, NULL, 0), -EFAULT, "private: EFAULT");
	for (size_t i = 0; i < COUNT(unknown); i++)
		is(futex(&word, unknown[i], 5, NULL, 0), -ENOSYS, "operation %d: ENOSYS",
		   unknown[i]);
	is(futex(&word, F_WAKE | F_REALTIME, 1, NULL, 0), -ENOSYS, "a clock for a wake: ENOSYS");
	is(futex(&word, F_WAIT | F_REALTIME, 4, NULL, 0), -ENOSYS, "for FUTEX_WAIT too");
	is(futex(&word, F_WAIT_BITSET | F_REALTIME, 4, NULL, 1), -EAGAIN, "not for WAIT_BITSET");
	is(futex(&word, F_WAIT_BITSET, 5, NULL, 0), -EINVAL, "no bits to wait for: EINVAL");
	is(futex(&word, F_WAIT_BITSET, 4, NULL, 0), -EINVAL, "whatever the value");
	is(futex(&word, F_WAKE_BITSET, 1, NULL, 0), -EINVAL, "no bits to wake: EINVAL");
	is(futex(&word, F_WAKE, 1, NULL, 0), 0, "nobody to wake: 0");
	is(word, 5, "the word is what it was");
}

/* --- waking ----------------------------------------------------------------------------------- */

static void start(int count, unsigned bits, int op)
{
	bool good = true;

	for (int i = 0; i < count; i++)
		good &= wait_on(&w[i], &word, bits, op);
	ok(good, "%d threads wait", count);
}

static void waking(int op, const char *name)
{
	diag("%s", name);
	word = 1;
	start(4, F_ANY, op);
	is(wake(&other, 4, op), 0, "another word wakes nobody");
	is(woken(w, 4, 0), 0, "of them");
	is(wake(&word, 1, op), 1, "one is woken");
	is(woken(w, 4, 1), 1000, "the first that came");
	is(wake(&word, 2, op), 2, "two are woken");
	is(woken(w, 4, 3), 1110, "the next two");
	is(wake(&word, 100, op), 1, "as many as there are");
	is(woken(w, 4, 4), 1111, "that is the last");
	is(wake(&word, 100, op), 0, "then there is nobody");
	is(w[0].result | w[1].result | w[2].result | w[3].result, 0, "to be woken is 0");
	join_all(w, 4, &word, NULL);
	start(2, F_ANY, op);
	word = 2;
	is(woken(w, 2, 0), 0, "to change the word wakes nobody");
	is(wake(&word, 0, op), 1, "a count of 0 wakes one all the same");
	is(woken(w, 2, 1), 10, "the first");
	is(wake(&word, -1, op), 1, "so does a negative one");
	is(woken(w, 2, 2), 11, "the second");
	join_all(w, 2, &word, NULL);
}

static void kinds(void)
{
	word = 1;
	wait_on(&w[0], &word, F_ANY, F_PRIVATE);
	wait_on(&w[1], &word, F_ANY, 0);
	is(wake(&word, 100, 0), 1, "a shared wake wakes only who waits as shared");
	is(woken(w, 2, 1), 1, "the second here");
	is(wake(&word, 100, F_PRIVATE), 1, "a private one who waits as private");
	is(woken(w, 2, 2), 11, "the first");
	join_all(w, 2, &word, NULL);
}

static void bits(void)
{
	word = 1;
	wait_on(&w[0], &word, 1, 0);
	wait_on(&w[1], &word, 2, 0);
	wait_on(&w[2], &word, 6, 0);
	wait_on(&w[3], &word, F_ANY, 0);
	is(futex(&word, F_WAKE_BITSET, 100, NULL, 8), 1, "a bit for which one waits");
	is(woken(w, 4, 1), 1, "the one that waits for all");
	is(futex(&word, F_WAKE_BITSET, 1, NULL, 2), 1, "a bit for which two wait, one of them");
	is(woken(w, 4, 2), 101, "the first");
	is(futex(&word, F_WAKE_BITSET, 100, NULL, 0xfffffff8), 0, "bits that nobody waits for");
	is(woken(w, 4, 2), 101, "wake nobody");
	is(wake(&word, 100, 0), 2, "FUTEX_WAKE wakes whatever the bits");
	is(woken(w, 4, 4), 1111, "all");
	join_all(w, 4, &word, NULL);
}

/* --- time ------------------------------------------------------------------------------------- */

static void times(void)
{
	struct timespec t = { 0, 2000000 }, before, after;

	word = 1;
	clock_gettime(CLOCK_MONOTONIC, &before);
	is(futex(&word, F_WAIT, 1, &t, 0), -ETIMEDOUT, "2 ms: ETIMEDOUT");
	clock_gettime(CLOCK_MONOTONIC, &after);
	ok((after.tv_sec - before.tv_sec) * 1000000000L + after.tv_nsec - before.tv_nsec >= 2000000,
	   "not before");
	is(t.tv_nsec, 2000000, "the time isn't changed");
	is(futex(&word, F_WAIT_BITSET, 1, &before, F_ANY), -ETIMEDOUT,
	   "WAIT_BITSET's time is one of the monotonic clock: it is past");
	t = after;
	t.tv_nsec += 2000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	is(futex(&word, F_WAIT_BITSET, 1, &t, F_ANY), -ETIMEDOUT, "or to come");
	clock_gettime(CLOCK_MONOTONIC, &after);
	ok(after.tv_sec > t.tv_sec || (after.tv_sec == t.tv_sec && after.tv_nsec >= t.tv_nsec),
	   "and isn't before it came");
	clock_gettime(CLOCK_REALTIME, &before);
	is(futex(&word, F_WAIT_BITSET | F_REALTIME, 1, &before, F_ANY), -ETIMEDOUT,
	   "with the flag of the real-time clock");
}

/* --- interruptions ---------------------------------------------------------------------------- */

static volatile int handled;

static void note(int sig)
{
	(void)sig;
	handled++;
}

static int wait_hour(void *arg)
{
	struct waiter *waiter = arg;
	struct timespec hour = { 3600, 0 };

	waiter->result = raw(SYS_futex, &word, F_WAIT, word, &hour);
	waiter->done = 1;
	return 0;
}

static void interruptions(void)
{
	struct sigaction act;

	memset(&act, 0, sizeof(act));
	act.sa_handler = note;
	sigaction(SIGUSR1, &act, NULL);
	word = 1;
	handled = 0;
	wait_on(&w[0], &word, F_ANY, 0);
	raw(SYS_tgkill, getpid(), w[0].thread.tid, SIGUSR1);
	thread_join(&w[0].thread);
	is(handled, 1, "a handler runs");
	is(w[0].result, -EINTR, "and ends the wait: EINTR");
	act.sa_flags = SA_RESTART;
	sigaction(SIGUSR1, &act, NULL);
	wait_on(&w[0], &word, F_ANY, 0);
	raw(SYS_tgkill, getpid(), w[0].thread.tid, SIGUSR1);
	ok(await(&handled, 2), "one with SA_RESTART runs");
	ok(THREAD_SLEEPS(w[0].thread.tid), "and the wait goes on");
	is(w[0].done, 0, "with nothing returned");
	raw(SYS_tgkill, getpid(), w[0].thread.tid, SIGUSR1);
	ok(await(&handled, 3) && THREAD_SLEEPS(w[0].thread.tid), "again");
	word = 2;
	raw(SYS_tgkill, getpid(), w[0].thread.tid, SIGUSR1);
	thread_join(&w[0].thread);
	is(w[0].result, -EAGAIN, "when the word has changed meanwhile: EAGAIN");
	w[1].done = 0;
	thread_start(&w[1].thread, wait_hour, &w[1]);
	THREAD_SLEEPS(w[1].thread.tid);
	raw(SYS_tgkill, getpid(), w[1].thread.tid, SIGUSR1);
	thread_join(&w[1].thread);
	is(w[1].result, -EINTR, "a wait with a time isn't restarted: EINTR");
	set_plain(SIGUSR1, SIG_DFL);
}

/* A waiter that is killed with its process takes nobody's wake with it. */
static void many(void)
{
	static struct waiter crowd[30];

	word = 1;
	for (int i = 0; i < 30; i++)
		wait_on(&crowd[i], &word, F_ANY, F_PRIVATE);
	is(wake(&word, 12, F_PRIVATE), 12, "12 of 30");
	is(wake(&word, 1000, F_PRIVATE), 18, "and the others");
	join_all(crowd, 30, &word, NULL);
	ok(UNTIL(thread_count() == 1), "they end");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	refusals();
	waking(0, "shared");
	waking(F_PRIVATE, "private");
	kinds();
	bits();
	times();
	interruptions();
	many();
	return done_testing();
}
