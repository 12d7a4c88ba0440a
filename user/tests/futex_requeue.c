/* SPDX-License-Identifier: MIT */
/* futex(2): moving waiters to another word, and waking by what an operation finds. */
#include "futexes.h"

static volatile int words[2] __attribute__((aligned(8)));
static struct waiter w[4];

static long requeue(int op, int nr_wake, long nr_requeue, int expected)
{
	return raw(SYS_futex, &words[0], op, nr_wake, nr_requeue, &words[1], expected);
}

static void start(int first, int last, int word, int op)
{
	bool good = true;

	for (int i = first; i < last; i++)
		good &= wait_on(&w[i], &words[word], F_ANY, op);
	ok(good, "%d threads wait", last - first);
}

static void join(int count)
{
	join_all(w, count, &words[0], &words[1]);
}

static void requeues(int op)
{
	words[0] = 7;
	words[1] = 8;
	start(0, 4, 0, op);
	is(requeue(F_CMP_REQUEUE | op, 1, 2, 6), -EAGAIN, "CMP_REQUEUE: another value");
	is(woken(w, 4, 0), 0, "wakes nobody");
	is(requeue(F_CMP_REQUEUE | op, 1, 2, 7), 3, "one woken, two moved");
	is(woken(w, 4, 1), 1000, "the first is awake");
	is(wake(&words[1], 100, op), 2, "two wait for the other word");
	is(woken(w, 4, 3), 1110, "the next ones");
	is(wake(&words[0], 100, op), 1, "the last for the first");
	is(woken(w, 4, 4), 1111, "it is awake too");
	is(w[1].result, 0, "to be woken after a move is 0");
	join(4);
	start(0, 3, 0, op);
	is(requeue(F_REQUEUE | op, 1, 1, 12345), 2,
	   "REQUEUE doesn't compare: one woken, one moved");
	is(woken(w, 3, 1), 100, "the first is awake");
	is(wake(&words[0], 100, op), 1, "one waits where it did");
	is(woken(w, 3, 2), 101, "the third");
	is(wake(&words[1], 100, op), 1, "one for the other word");
	join(3);
	start(0, 3, 0, op);
	is(requeue(F_CMP_REQUEUE | op, 0, 0x7fffffff, 7), 3, "none woken, all moved");
	is(woken(w, 3, 0), 0, "they sleep");
	is(wake(&words[0], 100, op), 0, "nobody is left");
	is(wake(&words[1], 1, op), 1, "one of those moved");
	is(woken(w, 3, 1), 100, "in the order they came");
	is(wake(&words[1], 100, op), 2, "and the others");
	join(3);
	/* Behind those who are there already. */
	start(0, 1, 1, op);
	start(1, 3, 0, op);
	is(requeue(F_CMP_REQUEUE | op, 0, 1, 7), 1, "one moved to where one waits");
	is(wake(&words[1], 1, op), 1, "who was there first");
	is(woken(w, 3, 1), 100, "is the first to be woken");
	is(wake(&words[1], 1, op), 1, "then the one that came");
	is(woken(w, 3, 2), 110, "from the other word");
	join(3);
}

static void refusals(void)
{
	words[0] = 7;
	is(requeue(F_CMP_REQUEUE, 1, 1, 7), 0, "nobody: 0");
	is(requeue(F_CMP_REQUEUE, -1, 1, 7), -EINVAL, "a negative count to wake: EINVAL");
	is(requeue(F_CMP_REQUEUE, 1, -1, 7), -EINVAL, "to move: EINVAL");
	is(requeue(F_REQUEUE, -1, 1, 7), -EINVAL, "REQUEUE too");
	is(raw(SYS_futex, &words[0], F_CMP_REQUEUE, 1, 1, (char *)&words[1] + 1, 7), -EINVAL,
	   "unaligned: EINVAL");
	is(raw(SYS_futex, &words[0], F_CMP_REQUEUE, 1, 1, 8, 7), -EFAULT, "to nowhere: EFAULT");
	is(raw(SYS_futex, 8, F_CMP_REQUEUE, 1, 1, &words[1], 7), -EFAULT, "from nowhere: EFAULT");
	is(raw(SYS_futex, 8, F_REQUEUE | F_PRIVATE, 1, 1, &words[1], 7), 0,
	   "a private word that isn't compared needs no page");
	is(requeue(F_CMP_REQUEUE | F_REALTIME, 1, 1, 7), -ENOSYS, "with a clock: ENOSYS");
	is(raw(SYS_futex, &words[0], F_WAKE_OP, 1, 1, 8, 0), -EFAULT, "WAKE_OP to nowhere: EFAULT");
	is(raw(SYS_futex, &words[0], F_WAKE_OP | F_PRIVATE, 1, 1, 8, 0), -EFAULT,
	   "private: EFAULT");
}

/* A waiter that was moved can be interrupted, and runs into its time. */
static void ends_after_move(void)
{
	words[0] = 7;
	catch_with(SIGUSR1, note_signal, 0, 0);
	start(0, 2, 0, 0);
	is(requeue(F_CMP_REQUEUE, 0, 2, 7), 2, "two moved");
	raw(SYS_tgkill, getpid(), w[0].thread.tid, SIGUSR1);
	is(woken(w, 2, 1), 10, "one is interrupted");
	is(w[0].result, -EINTR, "EINTR");
	is(wake(&words[1], 100, 0), 1, "one is left");
	join(2);
	set_plain(SIGUSR1, SIG_DFL);
}

/* --- WAKE_OP ---------------------------------------------------------------------------------- */

enum { OP_SET, OP_ADD, OP_OR, OP_ANDN, OP_XOR, OP_SHIFT = 8 };
enum { CMP_EQ, CMP_NE, CMP_LT, CMP_LE, CMP_GT, CMP_GE };

#define CODE(op, oparg, cmp, cmparg) \
	((unsigned)(op) << 28 | (cmp) << 24 | ((oparg)&0xfff) << 12 | ((cmparg)&0xfff))

static long wake_op(int nr1, long nr2, unsigned code)
{
	return raw(SYS_futex, &words[0], F_WAKE_OP, nr1, nr2, &words[1], code);
}

static void operations(void)
{
	static const struct {
		int op, arg, before, after;
		const char *name;
	} cases[] = {
		{ OP_SET, 5, 9, 5, "set" },
		{ OP_ADD, 5, 9, 14, "add" },
		{ OP_ADD, -2, 9, 7, "add a negative number" },
		{ OP_OR, 6, 9, 15, "or" },
		{ OP_ANDN, 1, 9, 8, "and not" },
		{ OP_XOR, 3, 9, 10, "xor" },
		{ OP_SET | OP_SHIFT, 5, 9, 32, "set a bit" },
		{ OP_OR | OP_SHIFT, 31, 0, (int)0x80000000, "or the highest bit" },
		{ OP_ADD | OP_SHIFT, 1, 9, 11, "add a bit" },
	};
	static const struct {
		int cmp, arg, value;
		bool holds;
	} compares[] = {
		{ CMP_EQ, 3, 3, true },	 { CMP_EQ, 3, 4, false },  { CMP_NE, 3, 3, false },
		{ CMP_NE, 3, 4, true },	 { CMP_LT, 3, 2, true },   { CMP_LT, 3, 3, false },
		{ CMP_LE, 3, 3, true },	 { CMP_LE, 3, 4, false },  { CMP_GT, 3, 4, true },
		{ CMP_GT, 3, 3, false }, { CMP_GE, 3, 3, true },   { CMP_GE, 3, 2, false },
		{ CMP_LT, 0, -1, true }, { CMP_EQ, -1, -1, true },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		words[1] = cases[i].before;
		is(wake_op(1, 1, CODE(cases[i].op, cases[i].arg, CMP_EQ, 0)), 0, "%s",
		   cases[i].name);
		is(words[1], cases[i].after, "makes %d of %d", cases[i].after, cases[i].before);
	}
	words[1] = 9;
	is(wake_op(1, 1, CODE(5, 1, CMP_EQ, 0)), -ENOSYS, "an unknown operation: ENOSYS");
	is(words[1], 9, "does nothing");
	is(wake_op(1, 1, CODE(OP_SET, 1, 6, 0)), -ENOSYS, "an unknown comparison: ENOSYS");
	is(words[1], 1, "after the operation was done");

	for (size_t i = 0; i < COUNT(compares); i++) {
		bool good;

		words[1] = compares[i].value;
		good = wait_on(&w[0], &words[1], F_ANY, 0) &&
		       wake_op(1, 1, CODE(OP_ADD, 1, compares[i].cmp, compares[i].arg)) ==
			       compares[i].holds;
		ok(good && woken(w, 1, compares[i].holds) == compares[i].holds,
		   "comparison %d of %d with %d: the second word's waiter is %s", compares[i].cmp,
		   compares[i].value, compares[i].arg, compares[i].holds ? "woken" : "left");
		join(1);
	}
	words[0] = words[1] = 0;
	start(0, 2, 0, 0);
	start(2, 4, 1, 0);
	is(wake_op(1, 1, CODE(OP_SET, 1, CMP_EQ, 0)), 2, "one of each word");
	is(woken(w, 4, 2), 1010, "the first ones");
	is(words[1], 1, "the operation was done");
	is(wake_op(100, 100, CODE(OP_SET, 2, CMP_EQ, 0)), 1, "where the old value isn't so");
	is(woken(w, 4, 3), 1110, "only the first word's");
	join(4);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	diag("shared");
	requeues(0);
	diag("private");
	requeues(F_PRIVATE);
	refusals();
	ends_after_move();
	operations();
	return done_testing();
}
