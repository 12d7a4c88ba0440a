/* SPDX-License-Identifier: MIT */
/*
 * Waiting and waking from one processor to another. A wake-up that gets lost is a test that never
 * ends; one too many is a count that is wrong.
 */
#include "futexes.h"
#include "smp.h"

#define TURNS (300 * times)
#define LOOPS (400 * times)

/* --- ping-pong -------------------------------------------------------------------------------- */

/* A word that says whose turn it is, 0 or 1, and how often it has changed. */
static volatile int *ball, *hits;
static int flag; /* F_PRIVATE or 0 */

static int play(int me, unsigned long turns)
{
	for (unsigned long i = 0; i < turns; i++) {
		while (__atomic_load_n(ball, __ATOMIC_SEQ_CST) != me)
			raw(SYS_futex, ball, F_WAIT | flag, !me, NULL);
		++*hits;
		__atomic_store_n(ball, !me, __ATOMIC_SEQ_CST);
		raw(SYS_futex, ball, F_WAKE | flag, 1);
	}
	return 0;
}

static int play_in_thread(struct member *m)
{
	return play(m->number, TURNS);
}

static int play_in_child(void *arg)
{
	pin((int)(long)arg);
	return play((int)(long)arg, TURNS);
}

static void ping_pong(void)
{
	volatile int *words = shared_words();
	pid_t pids[2];
	int size = 0;

	ball = &words[0];
	hits = &words[1];
	flag = F_PRIVATE;
	team_add(&size, 2, play_in_thread);
	team_begin(size);
	team_join(0, 2);
	is(*hits, 2 * TURNS, "two threads play on two processors");
	flag = 0;
	*ball = *hits = 0;
	for (long i = 0; i < 2; i++)
		pids[i] = fork_child(play_in_child, (void *)i);
	is(status_of(pids[0]) | status_of(pids[1]), 0, "two processes play");
	is(*hits, 2 * TURNS, "each as often as it has to");
}

/* --- a mutex ---------------------------------------------------------------------------------- */

/* 0: free, 1: held, 2: held and somebody may wait. */
static volatile int mutex, mutex2;
static volatile long counter, counter2;

static void lock_after_waiting(volatile int *m)
{
	while (__atomic_exchange_n(m, 2, __ATOMIC_SEQ_CST) != 0)
		raw(SYS_futex, m, F_WAIT | F_PRIVATE, 2, NULL);
}

static void lock(volatile int *m)
{
	int was = 0;

	if (!__atomic_compare_exchange_n(m, &was, 1, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		lock_after_waiting(m);
}

static void unlock(volatile int *m)
{
	if (__atomic_exchange_n(m, 0, __ATOMIC_SEQ_CST) == 2)
		raw(SYS_futex, m, F_WAKE | F_PRIVATE, 1);
}

static int count_up(struct member *m)
{
	for (unsigned long i = 0; i < LOOPS; i++) {
		bool second = (i + m->number) % 3 == 0;

		lock(second ? &mutex2 : &mutex);
		if (second)
			counter2++;
		else
			counter++;
		/* Now and then long enough that the others do have to sleep. */
		if (i % 16 == 0)
			raw(SYS_sched_yield);
		unlock(second ? &mutex2 : &mutex);
	}
	return 0;
}

static void mutexes(void)
{
	int size = 0;

	team_add(&size, 4, count_up);
	team_begin(size);
	team_join(0, 4);
	is(counter + counter2, 4 * LOOPS, "four threads count under two mutexes");
	is(mutex | mutex2, 0, "which are free then");
}

/* --- a queue with conditions ------------------------------------------------------------------ */

#define ROOM 3

static volatile int not_full, not_empty; /* how often that was signalled */
static volatile long queue[ROOM];
static volatile int queued;
static volatile long sum;

static void wait_for(volatile int *condition)
{
	int was = *condition;

	unlock(&mutex);
	raw(SYS_futex, condition, F_WAIT | F_PRIVATE, was, NULL);
	/* Others may have come to wait for the mutex with this one. */
	lock_after_waiting(&mutex);
}

/* Wakes one, and lets the others wait for the mutex instead. */
static void signal_all(volatile int *condition)
{
	++*condition;
	raw(SYS_futex, condition, F_CMP_REQUEUE | F_PRIVATE, 1, 1000, &mutex, *condition);
	/* Whoever was moved there is woken by who unlocks. */
	__atomic_store_n(&mutex, 2, __ATOMIC_SEQ_CST);
}

static int produce(struct member *m)
{
	for (unsigned long i = 0; i < LOOPS / 2; i++) {
		lock(&mutex);
		while (queued == ROOM)
			wait_for(&not_full);
		queue[queued++] = i + 1;
		signal_all(&not_empty);
		unlock(&mutex);
	}
	m->count = 1;
	return 0;
}

static int consume(struct member *m)
{
	for (unsigned long i = 0; i < LOOPS / 2; i++) {
		lock(&mutex);
		while (queued == 0)
			wait_for(&not_empty);
		sum += queue[--queued];
		signal_all(&not_full);
		unlock(&mutex);
	}
	m->count = 1;
	return 0;
}

static void conditions(void)
{
	int size = 0;

	mutex = 0;
	team_add(&size, 2, produce);
	team_add(&size, 2, consume);
	team_begin(size);
	team_join(0, 4);
	is(sum, 2 * (LOOPS / 2) * (LOOPS / 2 + 1) / 2, "all that is put in a queue comes out");
	is(queued, 0, "nothing is left there");
}

/* --- barriers --------------------------------------------------------------------------------- */

#define PARTIES 4

static volatile int arrived, generation;
static volatile long progress[PARTIES];

static void barrier(void)
{
	int was = generation;

	if (__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST) == PARTIES) {
		arrived = 0;
		__atomic_add_fetch(&generation, 1, __ATOMIC_SEQ_CST);
		raw(SYS_futex, &generation, F_WAKE | F_PRIVATE, PARTIES);
		return;
	}
	while (generation == was)
		raw(SYS_futex, &generation, F_WAIT | F_PRIVATE, was, NULL);
}

static int advance(struct member *m)
{
	for (unsigned long i = 1; i <= LOOPS / 4; i++) {
		progress[m->number] = i;
		barrier();
		for (int k = 0; k < PARTIES; k++)
			if (progress[k] != (long)i)
				complain("at barrier %lu thread %d is at %ld", i, k, progress[k]);
		barrier();
	}
	return 0;
}

static void barriers(void)
{
	int size = 0;

	team_add(&size, PARTIES, advance);
	team_begin(size);
	team_join(0, PARTIES);
	nobody_complained("four threads meet, again and again");
}

/* --- a word in memory that goes --------------------------------------------------------------- */

static char *moving;
static volatile int ended;

/* Wakes nobody and waits for nothing: the value never fits. The page may be there or not. */
static int use_word(struct member *m)
{
	for (m->count = 0; !ended; m->count++) {
		long got = m->count % 2 ? raw(SYS_futex, moving, F_WAKE | F_PRIVATE, 1) :
					  raw(SYS_futex, moving, F_WAIT, 12345, NULL);

		if (got != 0 && got != -EAGAIN && got != -EFAULT)
			complain("futex says %ld", got);
		breathe(m->count);
	}
	return 0;
}

static void word_that_goes(void)
{
	int size = 0;

	team_add(&size, 2, use_word);
	moving = fresh(1, RW);
	team_begin(size);
	for (unsigned long i = 0; i < LOOPS / 4; i++) {
		raw(SYS_munmap, moving, PAGE);
		breathe(0);
		raw(SYS_mmap, moving, PAGE, RW,
		    i % 2 ? ANON | MAP_FIXED : (MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED), -1, 0);
		*(volatile int *)moving = 1;
		breathe(0);
	}
	ended = 1;
	team_join(0, 2);
	raw_munmap((unsigned long)moving, PAGE);
	nobody_complained("a word in memory that comes and goes: a value or EFAULT");
}

int main(int argc, char **argv)
{
	smp_start(argc, argv, NULL);
	ping_pong();
	mutexes();
	conditions();
	barriers();
	word_that_goes();
	return done_testing();
}
