/* SPDX-License-Identifier: MIT */
/*
 * Bug: munmap(2) goes on with mmap_lock held for reading once its areas are out of sight, and meanwhile a
 * stack next door grows into the place: the pages and page tables that it gets there are freed as the
 * old area's. Linux mended it in 2020 ("close race between munmap() and expand_upwards()/downwards()").
 * One thread unmaps what lies below a stack, another grows the stack into it; what it wrote must stay.
 */
#include "smp.h"

#define ROUNDS	  60
#define SPAN	  1024UL /* pages: two page tables' worth */
#define SPREAD	  8
#define GUARD_GAP (256 * PAGE)
#define MAGIC(i)  (0x5a5a000000000000UL | (i))

static char *base; /* of SPAN pages; the stack's page is right above */
static volatile unsigned long ready, unmapped, checked;

static unsigned long *spot(unsigned long i, unsigned long n)
{
	return (unsigned long *)(base + (SPAN - 1 - i % 60 - n * 120) * PAGE);
}

/* What is to be unmapped can't be written: a store that succeeds has made the stack grow. */
static int grows(struct member *m)
{
	for (unsigned long i = 1; i <= ROUNDS * times; i++) {
		while (ready < i)
			raw(SYS_sched_yield);
		for (unsigned long n = 0; n < SPREAD; n++)
			while (probe_store(spot(i, n), MAGIC(i + n)))
				breathe(m->count++);
		while (unmapped < i)
			raw(SYS_sched_yield);
		for (unsigned long n = 0; n < SPREAD; n++) {
			unsigned long value = 0;

			if (probe_load(spot(i, n), &value) || value != MAGIC(i + n))
				complain("round %lu: %#lx on the stack, wanted %#lx", i, value,
					 MAGIC(i + n));
		}
		checked = i;
	}
	return 0;
}

static int unmaps(struct member *m)
{
	(void)m;
	for (unsigned long i = 1; i <= ROUNDS * times; i++) {
		raw(SYS_mmap, base, SPAN * PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0);
		raw(SYS_mmap, base + SPAN * PAGE, PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1,
		    0);
		for (unsigned long page = 0; page < SPAN; page += 100)
			peek(base + page * PAGE);
		ready = i;
		raw(SYS_munmap, base, SPAN * PAGE);
		unmapped = i;
		while (checked < i)
			raw(SYS_sched_yield);
		raw(SYS_munmap, base, (SPAN + 1) * PAGE);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const unsigned long room = SPAN + 1030;
	char *place;
	int size = 0;

	smp_start(argc, argv, NULL);
	catch_probes();
	/* Free only when the threads have their stacks: or these come here. */
	place = fresh(room, PROT_NONE);
	/* A stack stays away from what is below it: the threads' stacks are. */
	base = (char *)(((unsigned long)place + GUARD_GAP + 2 * MIB - 1) & -(2 * MIB));
	team_add(&size, 1, unmaps);
	team_add(&size, 1, grows);
	raw_munmap((unsigned long)place, room * PAGE);
	team_begin(size);
	team_join(0, size);
	nobody_complained("what was written to the stack stays");
	return done_testing();
}
