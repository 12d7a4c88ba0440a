/* SPDX-License-Identifier: MIT */
/* Futexes between threads on different processors: no wake-up is lost, and none comes twice. */
#include "futexes.h"
#include "smp.h"
#include <limits.h>

#define op(name) (F_##name | F_PRIVATE)

/* --- ping-pong ---------------------------------------------------------------------------------- */

static volatile int ball[TEAM_MAX / 2 * 64]; /* each pair's on a line of its own */
static int ball_op;			     /* F_PRIVATE or 0 */

/* Takes the ball when the word says that it is ours, and gives it back. */
static void play(volatile int *word, int me, int rounds)
{
	for (int i = 0; i < rounds; i++) {
		while (*word != me)
			raw(SYS_futex, word, F_WAIT | ball_op, !me, NULL);
		*word = !me;
		raw(SYS_futex, word, F_WAKE | ball_op, 1);
	}
}

static int player(struct member *m)
{
	play(&ball[m->number / 2 * 64], m->number % 2, 400 * (int)times);
	return 0;
}

static volatile int *shared;

static int play_alone(void *arg)
{
	play(&shared[0], 1, 400 * (int)times);
	return 0;
}

static void ping_pong(void)
{
	int size = 0;
	pid_t pid;

	ball_op = F_PRIVATE;
	team_add(&size, 2, player);
	team_begin(size);
	team_join(0, size);
	ok(ball[0] == 0, "two threads wake each other");
	size = 0;
	team_add(&size, 6, player);
	team_begin(size);
	team_join(0, size);
	ok(ball[0] == 0 && ball[64] == 0 && ball[128] == 0, "three pairs do");
	ball_op = 0;
	pid = fork_child(play_alone, NULL);
	play(&shared[0], 0, 400 * (int)times);
	is(status_of(pid), 0, "two processes do");
}

/* --- a lock made of a word ---------------------------------------------------------------------- */

/* 0: free; 1: held; 2: held, and somebody may wait. */
static volatile int word;
static volatile long counter, inside;

static void lock(volatile int *l)
{
	int was = 0;

	if (__atomic_compare_exchange_n(l, &was, 1, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return;
	while (__atomic_exchange_n(l, 2, __ATOMIC_SEQ_CST) != 0)
		raw(SYS_futex, l, op(WAIT), 2, NULL);
}

static void unlock(volatile int *l)
{
	if (__atomic_exchange_n(l, 0, __ATOMIC_SEQ_CST) == 2)
		raw(SYS_futex, l, op(WAKE), 1);
}

static int count_locked(struct member *m)
{
	for (int i = 0; i < 1500 * (int)times; i++) {
		lock(&word);
		if (inside++)
			complain("two hold the lock");
		counter++;
		if (i % 50 == 0)
			raw(SYS_sched_yield); /* lets others come to wait */
		inside--;
		unlock(&word);
	}
	return 0;
}

static void locks(void)
{
	int size = 0;

	team_add(&size, 4, count_locked);
	team_begin(size);
	team_join(0, size);
	is(counter, 4 * 1500 * (long)times, "four threads count under a lock");
	nobody_complained("one at a time");
}

/* --- how many are woken -------------------------------------------------------------------------- */

static volatile int turn;
static volatile long returned, taken;

/* Waits for each turn, of which the one who makes them tells nobody before all wait. */
static int wait_for_turns(struct member *m)
{
	for (int i = 0; i < 60 * (int)times; i++) {
		long ret = raw(SYS_futex, &turn, op(WAIT), i, NULL);

		if (ret == 0)
			__atomic_add_fetch(&taken, 1, __ATOMIC_SEQ_CST);
		else if (ret != -EAGAIN)
			complain("wait: %ld", ret);
		__atomic_add_fetch(&returned, 1, __ATOMIC_SEQ_CST);
		while (turn == i)
			raw(SYS_sched_yield);
	}
	return 0;
}

static int make_turns(struct member *m)
{
	long woken = 0;

	for (int i = 0; i < 60 * (int)times; i++) {
		if (i % 3 == 0)
			woken += raw(SYS_futex, &turn, op(WAKE), 1);
		if (i % 3 == 1)
			woken += raw(SYS_futex, &turn, op(WAKE_OP), 1, 100, &ball[0],
				     0x10000000 /* add 0, if it was 0 */);
		turn = i + 1;
		woken += raw(SYS_futex, &turn, op(WAKE), INT_MAX);
		while (returned < 3 * (i + 1))
			raw(SYS_sched_yield);
	}
	if (woken != taken)
		complain("%ld were woken, %ld say so", woken, taken);
	return 0;
}

static void counts(void)
{
	int size = 0;

	team_add(&size, 3, wait_for_turns);
	team_add(&size, 1, make_turns);
	team_begin(size);
	team_join(0, size);
	nobody_complained("as many return as are said to have been woken");
}

/* The same, but those who wait give up soon. */
static volatile int giving_up;

static int wait_shortly(struct member *m)
{
	for (int i = 0; i < 150 * (int)times; i++) {
		struct timespec t = { 0, random_below(&m->random, 200000) };
		long ret = raw(SYS_futex, &word, op(WAIT), 0, &t);

		if (ret == 0)
			__atomic_add_fetch(&taken, 1, __ATOMIC_SEQ_CST);
		else if (ret != -ETIMEDOUT)
			complain("wait: %ld", ret);
	}
	__atomic_add_fetch(&giving_up, 1, __ATOMIC_SEQ_CST);
	return 0;
}

static int wake_until_all_gave_up(struct member *m)
{
	long woken = 0;

	while (giving_up < 3) {
		woken += raw(SYS_futex, &word, op(WAKE), 1);
		raw(SYS_sched_yield);
	}
	if (woken != taken)
		complain("%ld were woken, %ld say so", woken, taken);
	return 0;
}

static void time_limits(void)
{
	int size = 0;

	taken = 0;
	word = 0;
	team_add(&size, 3, wait_shortly);
	team_add(&size, 1, wake_until_all_gave_up);
	team_begin(size);
	team_join(0, size);
	nobody_complained("beside a time limit: woken, or not, but not both");
}

/* --- waiting for another word -------------------------------------------------------------------- */

static volatile int condition, generation, served;

/* As pthread_cond_wait() did it: those who are moved to the lock's word get it one after the other. */
static int wait_for_broadcast(struct member *m)
{
	for (int i = 0; i < 40 * (int)times; i++) {
		lock(&word);
		while (generation == i) {
			int seen = condition;

			unlock(&word);
			raw(SYS_futex, &condition, op(WAIT), seen, NULL);
			while (__atomic_exchange_n(&word, 2, __ATOMIC_SEQ_CST) != 0)
				raw(SYS_futex, &word, op(WAIT), 2, NULL);
		}
		served++;
		unlock(&word);
	}
	return 0;
}

static int broadcast(struct member *m)
{
	for (int i = 0; i < 40 * (int)times; i++) {
		long ret;

		lock(&word);
		generation = i + 1;
		__atomic_add_fetch(&condition, 1, __ATOMIC_SEQ_CST);
		do
			ret = raw(SYS_futex, &condition, op(CMP_REQUEUE), 1, INT_MAX, &word,
				  condition);
		while (ret == -EAGAIN);
		/* Whoever was moved has not said so in the word. */
		word = 2;
		unlock(&word);
		for (bool all = false; !all;) {
			lock(&word);
			all = served == 3 * (i + 1);
			unlock(&word);
			if (!all)
				raw(SYS_sched_yield);
		}
	}
	return 0;
}

static void requeue(void)
{
	int size = 0;

	word = condition = generation = served = 0;
	team_add(&size, 3, wait_for_broadcast);
	team_add(&size, 1, broadcast);
	team_begin(size);
	team_join(0, size);
	is(served, 3 * 40 * (int)times, "FUTEX_CMP_REQUEUE loses nobody");
}

/* --- owners that die ------------------------------------------------------------------------------ */

struct robust {
	unsigned long next;
	long offset;
	unsigned long pending;
	volatile int word;
};

static struct robust robust;
static volatile unsigned long entry[2]; /* one in the list; its word is behind it */

/* Ends with the lock. */
static int take_along(void *arg)
{
	volatile int *owned = (volatile int *)&entry[1];

	robust.next = (unsigned long)&entry[0];
	robust.offset = 8;
	robust.pending = 0;
	entry[0] = (unsigned long)&robust;
	raw(SYS_set_robust_list, &robust, 24);
	*owned = my_tid();
	await((volatile int *)arg, 1);
	return 0;
}

static int wait_for_heritage(struct member *m)
{
	volatile int *owned = (volatile int *)&entry[1];

	for (int i = 0; i < 50 * (int)times; i++) {
		volatile int go = 0;
		struct thread owner;
		int value;

		*owned = 0;
		thread_start(&owner, take_along, (void *)&go);
		while ((value = *owned) == 0)
			raw(SYS_sched_yield);
		__atomic_or_fetch(owned, INT_MIN, __ATOMIC_SEQ_CST); /* FUTEX_WAITERS */
		go = 1;
		while (((value = *owned) & 0x40000000) == 0)
			raw(SYS_futex, owned, F_WAIT, value, NULL);
		if ((value & 0x3fffffff) != 0)
			complain("the dead owner is still named: 0x%x", value);
		thread_join(&owner);
	}
	return 0;
}

static void heritage(void)
{
	int size = 0;

	team_add(&size, 1, wait_for_heritage);
	team_begin(size);
	team_join(0, size);
	nobody_complained("who waits for a lock hears of its owner's end");
}

int main(int argc, char **argv)
{
	smp_start(argc, argv, NULL);
	shared = shared_words();
	ping_pong();
	locks();
	counts();
	time_limits();
	requeue();
	heritage();
	return done_testing();
}
