/* SPDX-License-Identifier: MIT */
/* futexes.h: futex(2) by its numbers, and threads that wait. */
#ifndef USER_TESTS_FUTEXES_H
#define USER_TESTS_FUTEXES_H

#include "procs.h"

enum {
	F_WAIT,
	F_WAKE,
	F_FD,
	F_REQUEUE,
	F_CMP_REQUEUE,
	F_WAKE_OP,
	F_LOCK_PI,
	F_UNLOCK_PI,
	F_TRYLOCK_PI,
	F_WAIT_BITSET,
	F_WAKE_BITSET,
	F_PRIVATE = 128,
	F_REALTIME = 256,
};

#define F_ANY 0xffffffffU

/* futex(FUTEX_WAIT_BITSET) on a word for ever; `result` is set when it has returned. */
struct waiter {
	struct thread thread;
	volatile int *word;
	unsigned bits;
	int op; /* F_PRIVATE or 0 */
	volatile int done;
	volatile long result;
};

TAP_FN int waiter_thread(void *arg)
{
	struct waiter *w = arg;

	w->result = raw(SYS_futex, w->word, F_WAIT_BITSET | w->op, *w->word, NULL, NULL, w->bits);
	w->done = 1;
	return 0;
}

/* Starts a thread that waits for a change of word, and returns when it sleeps. */
TAP_FN bool wait_on(struct waiter *w, volatile int *word, unsigned bits, int op)
{
	*w = (struct waiter){ .word = word, .bits = bits, .op = op };
	return thread_start(&w->thread, waiter_thread, w) > 0 && THREAD_SLEEPS(w->thread.tid);
}

TAP_FN long wake(volatile int *word, int count, int op)
{
	return raw(SYS_futex, word, F_WAKE | op, count);
}

/* Which of the waiters have been woken, as a number of decimal digits; waits for as many. */
TAP_FN int woken(struct waiter *w, int count, int expected)
{
	int set, n;

	UNTIL(({
		n = 0;
		for (int i = 0; i < count; i++)
			n += w[i].done;
		n >= expected;
	}));
	/* Whoever else was woken would run now. */
	for (int i = 0; i < 10; i++)
		raw(SYS_sched_yield);
	set = 0;
	for (int i = 0; i < count; i++)
		set = set * 10 + w[i].done;
	return set;
}

/* Ends them all, on whichever of the words they wait. */
TAP_FN void join_all(struct waiter *w, int count, volatile int *word, volatile int *other)
{
	for (int i = 0; i < count; i++) {
		while (!w[i].done) {
			wake(word, 1000, w[i].op);
			if (other)
				wake(other, 1000, w[i].op);
			nap();
		}
		thread_join(&w[i].thread);
	}
}

#endif
