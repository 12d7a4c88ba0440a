/* SPDX-License-Identifier: MIT */
/*
 * Threads that come and go on all processors, 200 in a row and 200 side by side, and what the
 * system calls about processors say of them.
 */
#include "smp.h"

#define THREADS	 200
#define CREATORS 4

static volatile long total;
static volatile int gate;

static int add_number(void *arg)
{
	volatile char stack[3 * PAGE];

	/* A part of its stack that wasn't touched yet. */
	stack[0] = (char)(long)arg;
	stack[2 * PAGE] = 1;
	__atomic_add_fetch(&total, (long)arg + (stack[0] != (char)(long)arg), __ATOMIC_SEQ_CST);
	return 0;
}

static int spread_and_add(void *arg)
{
	pin((int)(long)arg);
	return add_number(arg);
}

static void in_a_row(void)
{
	struct thread thread;

	total = 0;
	for (unsigned long n = 0; n < THREADS * times; n++) {
		if (thread_start(&thread, n % 2 ? spread_and_add : add_number, (void *)n) < 0)
			break;
		thread_join(&thread);
	}
	is(total, THREADS * times * (THREADS * times - 1) / 2, "200 threads, one after the other");
	ok(UNTIL(thread_count() == 1), "then there is one");
}

/* They all live at once, and end at once. */
static struct thread many[THREADS];

static int wait_and_add(void *arg)
{
	while (!gate)
		raw(SYS_futex, &gate, FUTEX_WAIT_PRIVATE_, 0, NULL);
	return spread_and_add(arg);
}

static void side_by_side(void)
{
	total = gate = 0;
	for (long n = 0; n < THREADS; n++)
		thread_start(&many[n], wait_and_add, (void *)n);
	is(thread_count(), THREADS + 1, "200 threads, side by side");
	gate = 1;
	raw(SYS_futex, &gate, FUTEX_WAKE_PRIVATE_, THREADS);
	for (int n = 0; n < THREADS; n++)
		thread_join(&many[n]);
	is(total, THREADS * (THREADS - 1) / 2, "all of them ran");
	ok(UNTIL(thread_count() == 1), "and ended");
}

/* Several threads make threads, whose creators don't wait in the order in which they end. */
static int create_some(struct member *m)
{
	struct thread *mine = many + m->number * (THREADS / CREATORS);

	for (unsigned long round = 0; round < times; round++) {
		for (long n = 0; n < THREADS / CREATORS; n++)
			thread_start(&mine[n], n % 3 ? spread_and_add : add_number, (void *)n);
		for (int n = THREADS / CREATORS - 1; n >= 0; n--)
			thread_join(&mine[n]);
	}
	return 0;
}

static void by_several(void)
{
	long each = THREADS / CREATORS;
	int size = 0;

	total = 0;
	team_add(&size, CREATORS, create_some);
	team_begin(size);
	team_join(0, CREATORS);
	is(total, CREATORS * times * each * (each - 1) / 2, "200 threads, made by four");
	ok(UNTIL(thread_count() == 1), "then there is one");
}

/* --- processors ------------------------------------------------------------------------------- */

static int where_am_i(struct member *m)
{
	unsigned cpu = ~0u;

	for (int i = 0; i < 20; i++) {
		int n = m->number + i;

		if (pin(n) != 0)
			complain("no processor %d", cpu_numbers[n % cpu_count]);
		for (int k = 0; k < 3; k++) {
			raw(SYS_getcpu, &cpu, NULL, NULL);
			if (cpu != (unsigned)cpu_numbers[n % cpu_count])
				complain("getcpu says %u, wanted %d", cpu,
					 cpu_numbers[n % cpu_count]);
			raw(SYS_sched_yield);
		}
	}
	return 0;
}

static volatile int roaming;

/* Is sent from one processor to the other by someone else, while it runs. */
static int roam(void *arg)
{
	(void)arg;
	while (!roaming)
		__atomic_add_fetch(&total, 1, __ATOMIC_SEQ_CST);
	return 0;
}

static void processors(void)
{
	struct thread thread;
	unsigned long mask;
	int size = 0;

	team_add(&size, 4, where_am_i);
	team_begin(size);
	team_join(0, 4);
	nobody_complained("a thread is where sched_setaffinity puts it");
	total = roaming = 0;
	thread_start(&thread, roam, NULL);
	for (int i = 0; i < 40; i++) {
		long before = total;

		mask = 1UL << cpu_numbers[i % cpu_count];
		if (raw(SYS_sched_setaffinity, thread.tid, 8, &mask) != 0)
			complain("the thread can't be sent away");
		while (total == before)
			raw(SYS_sched_yield);
	}
	roaming = 1;
	thread_join(&thread);
	nobody_complained("a thread that runs is sent from one to the other, and goes on");
}

int main(int argc, char **argv)
{
	smp_start(argc, argv, NULL);
	in_a_row();
	side_by_side();
	by_several();
	processors();
	return done_testing();
}
