/* SPDX-License-Identifier: MIT */
/* futex_waitv(2): waiting for one of several words, and what is refused in which order. */
#include "futexes.h"

#include <time.h>

#define NR_FUTEX_WAITV 449
#define SIZE_32	       2
#define MAX_WORDS      128

struct waitv {
	uint64_t val, uaddr;
	uint32_t flags, reserved;
};

static volatile int words[MAX_WORDS];
static struct waitv v[MAX_WORDS + 1];
static struct timespec past = { 1, 0 };

static long waitv(const void *waiters, unsigned n, unsigned flags, const void *timeout, int clock)
{
	return raw(NR_FUTEX_WAITV, waiters, n, flags, timeout, clock);
}

static void fill(int n, int op)
{
	for (int i = 0; i < n; i++)
		v[i] = (struct waitv){ .val = words[i],
				       .uaddr = (uintptr_t)&words[i],
				       .flags = SIZE_32 | op };
}

static void test_refused(void)
{
	struct timespec bad = { 1, 1000000000 };

	fill(3, F_PRIVATE);
	is(waitv(v, 3, 1, &past, CLOCK_MONOTONIC), -EINVAL, "a flag");
	is(waitv(v, 0, 0, &past, CLOCK_MONOTONIC), -EINVAL, "no words");
	is(waitv(v, MAX_WORDS + 1, 0, &past, CLOCK_MONOTONIC), -EINVAL, "129 words");
	is(waitv(NULL, 3, 0, &past, CLOCK_MONOTONIC), -EINVAL, "no array");
	is(waitv((void *)8, 3, 0, &past, CLOCK_MONOTONIC), -EFAULT, "an array that isn't there");
	is(waitv((void *)8, 3, 0, &past, CLOCK_TAI), -EINVAL,
	   "a clock that isn't for this, before it");
	is(waitv((void *)8, 3, 0, &bad, CLOCK_MONOTONIC), -EINVAL,
	   "a time that is none, before it");
	is(waitv(v, 3, 0, (void *)8, CLOCK_MONOTONIC), -EFAULT, "a time that isn't there");
	v[1].flags = F_PRIVATE;
	is(waitv(v, 3, 0, &past, CLOCK_MONOTONIC), -EINVAL, "no size");
	v[1].flags = SIZE_32 | 4;
	is(waitv(v, 3, 0, &past, CLOCK_MONOTONIC), -EINVAL, "an unknown flag of a word");
	v[1].flags = SIZE_32;
	v[1].reserved = 1;
	is(waitv(v, 3, 0, &past, CLOCK_MONOTONIC), -EINVAL, "a reserved field");
	v[1].reserved = 0;
	v[1].uaddr++;
	is(waitv(v, 3, 0, &past, CLOCK_MONOTONIC), -EINVAL, "a word that isn't aligned");
	v[1].uaddr = 0;
	v[0].val = 99;
	is(waitv(v, 3, 0, &past, CLOCK_MONOTONIC), -EFAULT,
	   "a shared word that isn't there comes before another value");
	v[1].flags = SIZE_32 | F_PRIVATE;
	is(waitv(v, 3, 0, &past, CLOCK_MONOTONIC), -EAGAIN,
	   "a private one only where it is looked at");
}

static void test_values(void)
{
	fill(3, F_PRIVATE);
	is(waitv(v, 3, 0, &past, CLOCK_MONOTONIC), -ETIMEDOUT, "a time that has passed");
	is(waitv(v, 3, 0, &past, CLOCK_REALTIME), -ETIMEDOUT, "on the other clock");
	v[2].val++;
	is(waitv(v, 3, 0, NULL, 0), -EAGAIN, "the last has another value");
	is(wake(&words[0], 1, F_PRIVATE), 0, "nobody stays in the queue of the first");
	v[2].val--;
	v[2].val |= 1ULL << 40;
	is(waitv(v, 3, 0, &past, CLOCK_MONOTONIC), -ETIMEDOUT, "only 32 bits of a value count");
}

static struct multi {
	struct thread thread;
	int n;
	volatile long result;
} m;

static int multi_thread(void *arg)
{
	struct multi *mine = arg;

	mine->result = waitv(v, mine->n, 0, NULL, 0);
	return 0;
}

/* A thread waits for n words; word `which` is woken: it says so, and waits for none of them any more. */
static void woken_by(int n, int which, int op)
{
	fill(n, op);
	m.n = n;
	m.result = -1;
	if (!ok(thread_start(&m.thread, multi_thread, &m) > 0 && THREAD_SLEEPS(m.thread.tid),
		"a thread waits for %d words", n))
		return;
	is(wake(&words[which], 1, op), 1, "the waking of number %d finds it", which);
	thread_join(&m.thread);
	is(m.result, which, "and it returns which");
	for (int i = 0; i < n; i++)
		if (wake(&words[i], 1, op) != 0)
			ok(false, "word %d is still waited for", i);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	for (int i = 0; i < MAX_WORDS; i++)
		words[i] = i + 1;
	test_refused();
	test_values();
	woken_by(1, 0, F_PRIVATE);
	woken_by(3, 1, F_PRIVATE);
	woken_by(MAX_WORDS, MAX_WORDS - 1, F_PRIVATE);
	woken_by(3, 2, 0);
	return done_testing();
}
