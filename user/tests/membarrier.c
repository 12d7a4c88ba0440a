/* SPDX-License-Identifier: MIT */
/* membarrier: what it knows, what must be registered first, and that it makes others pass a barrier. */
#include "smp.h"

enum {
	QUERY = 0,
	GLOBAL = 1,
	GLOBAL_EXPEDITED = 2,
	REGISTER_GLOBAL_EXPEDITED = 4,
	PRIVATE_EXPEDITED = 8,
	REGISTER_PRIVATE_EXPEDITED = 16,
	PRIVATE_EXPEDITED_SYNC_CORE = 32,
	REGISTER_PRIVATE_EXPEDITED_SYNC_CORE = 64,
};

static long membarrier_(long cmd, long flags)
{
	return raw(SYS_membarrier, cmd, flags, 0);
}

static int child_fresh(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	NEED_IS(membarrier_(PRIVATE_EXPEDITED, 0), -EPERM);
	return 0;
}

static int child_forked(void *arg)
{
	(void)arg;
	return membarrier_(PRIVATE_EXPEDITED, 0) == 0 ? 3 : 4;
}

static void commands(void)
{
	is(membarrier_(QUERY, 0) & 127, 127, "all of these are known");
	is(membarrier_(QUERY, 1), -EINVAL, "no flag");
	is(membarrier_(3, 0), -EINVAL, "two commands at once");
	is(membarrier_(1 << 20, 0), -EINVAL, "an unknown one");
	is(membarrier_(-1, 0), -EINVAL, "all of them");
	is(membarrier_(GLOBAL, 0), 0, "GLOBAL");
	is(membarrier_(GLOBAL_EXPEDITED, 0), 0, "GLOBAL_EXPEDITED");
	is(membarrier_(REGISTER_GLOBAL_EXPEDITED, 0), 0, "REGISTER_GLOBAL_EXPEDITED");
	is(membarrier_(PRIVATE_EXPEDITED, 0), -EPERM, "PRIVATE_EXPEDITED has to be registered");
	is(membarrier_(PRIVATE_EXPEDITED_SYNC_CORE, 0), -EPERM, "SYNC_CORE too");
	is(membarrier_(REGISTER_PRIVATE_EXPEDITED, 0), 0, "registered");
	is(membarrier_(PRIVATE_EXPEDITED, 0), 0, "PRIVATE_EXPEDITED");
	is(membarrier_(PRIVATE_EXPEDITED_SYNC_CORE, 0), -EPERM, "that doesn't count for SYNC_CORE");
	is(membarrier_(REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0), 0, "registered");
	is(membarrier_(REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0), 0, "... twice");
	is(membarrier_(PRIVATE_EXPEDITED_SYNC_CORE, 0), 0, "SYNC_CORE");
	is(WEXITSTATUS(status_of(fork_child(child_forked, NULL))), 3, "a child is registered too");
	exits("fresh", 0, "a new program isn't");
}

/* --- the barrier ------------------------------------------------------------------------------------ */

/*
 * Two threads each store and then load the other's word; without a barrier between both may load 0. Here
 * the slow one passes its own by the call, and the fast one has only a compiler's barrier.
 */
static volatile unsigned long x, y, seen_fast, round_fast, round_slow;

#define ROUNDS 200

static int fast(struct member *m)
{
	(void)m;
	for (unsigned long i = 1; i <= ROUNDS; i++) {
		while (round_slow < i)
			__asm__ volatile("pause" ::: "memory");
		x = i;
		__asm__ volatile("" ::: "memory");
		seen_fast = y;
		__asm__ volatile("" ::: "memory");
		round_fast = i;
	}
	return 0;
}

static int slow(struct member *m)
{
	(void)m;
	for (unsigned long i = 1; i <= ROUNDS; i++) {
		unsigned long seen;

		round_slow = i;
		y = i;
		if (membarrier_(PRIVATE_EXPEDITED, 0))
			complain("membarrier failed");
		seen = x;
		while (round_fast < i)
			raw(SYS_sched_yield);
		if (seen < i && seen_fast < i)
			complain("round %lu: neither saw the other (%lu, %lu)", i, seen, seen_fast);
	}
	return 0;
}

static void barrier(void)
{
	int size = 0;

	team_add(&size, 1, slow);
	team_add(&size, 1, fast);
	team_begin(size);
	team_join(0, size);
	nobody_complained("one of the two sees the other's store");
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = { { "fresh", child_fresh }, { NULL, NULL } };

	smp_start(argc, argv, modes);
	commands();
	if (cpu_count > 1)
		barrier();
	else
		skip("the barrier itself", "takes two processors");
	return done_testing();
}
