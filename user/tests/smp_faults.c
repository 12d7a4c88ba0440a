/* SPDX-License-Identifier: MIT */
/*
 * Faults of several threads, each in an area of its own, while another one maps and unmaps in a third
 * place: each page comes once and is zero, every fault is counted, and hardly any of them takes the
 * lock of all areas. Linux counts that since 6.4 (CONFIG_PER_VMA_LOCK_STATS).
 */
#include "smp.h"

#include <sys/mman.h>

#define PAGES		128
#define ROUNDS		24
#define ONE_PAGE_ROUNDS 60

static char *areas[TEAM_MAX];
static volatile int working;
static volatile long maps_made;

/* Areas with something else on both sides: one for each thread, and none is another's. */
static void make_areas(int n)
{
	for (int i = 0; i < n; i++) {
		char *p = mmap(NULL, (PAGES + 2) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			       0);

		mprotect(p + PAGE, PAGES * PAGE, PROT_READ | PROT_WRITE);
		areas[i] = p + PAGE;
		areas[i][0] = 1;
	}
}

static int fault_in_area(struct member *m)
{
	char *area = areas[m->number];

	for (unsigned long round = 0; round < ROUNDS * times; round++) {
		madvise(area, PAGES * PAGE, MADV_DONTNEED);
		for (unsigned long i = 0; i < PAGES; i++) {
			volatile unsigned long *page = (void *)(area + i * PAGE);

			page[m->number] = round * PAGES + i + 1;
			if (page[m->number + 1])
				complain("page %lu came with %#lx", i, page[m->number + 1]);
		}
		for (unsigned long i = 0; i < PAGES; i++) {
			unsigned long *word = (void *)(area + i * PAGE + 8 * m->number);

			if (*word != round * PAGES + i + 1)
				complain("page %lu has %#lx", i, *word);
		}
		m->count += PAGES;
		breathe(round * 8);
	}
	__atomic_sub_fetch(&working, 1, __ATOMIC_SEQ_CST);
	return 0;
}

/* Takes the lock of all areas for writing all the time, and touches nothing. */
static int map_elsewhere(struct member *m)
{
	while (working) {
		char *p = mmap(NULL, 16 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED || munmap(p, 16 * PAGE))
			complain("mapping elsewhere fails");
		maps_made++;
		raw(SYS_sched_yield);
	}
	return 0;
}

/* Written at once: a page of zeros in between would have to be forgotten by all processors. */
static void disjoint(int n)
{
	long faults, without, pages = 0;
	int size = 0;

	make_areas(n);
	working = n;
	team_add(&size, n, fault_in_area);
	team_add(&size, 1, map_elsewhere);
	faults = vmstat("pgfault");
	without = vmstat("vma_lock_success");
	team_begin(size);
	team_join(0, size);
	faults = vmstat("pgfault") - faults;
	for (int i = 0; i < n; i++)
		pages += team[i].count;
	nobody_complained("each page comes once, and empty");
	ok(maps_made > 0, "while others are mapped and unmapped");
	ok(faults >= pages, "there is a fault for each");
	if (without < 0) {
		skip("95% of them don't take mmap_lock", "this kernel doesn't count that");
	} else {
		without = vmstat("vma_lock_success") - without;
		diag("%ld faults, %ld without mmap_lock; %ld maps", faults, without, maps_made);
		ok(without * 100 >= faults * 95, "95%% of them don't take mmap_lock");
	}
}

/* --- one page ---------------------------------------------------------------------------------- */

static char *shared_page;
static volatile unsigned long round_now, arrived;

static int touch_together(struct member *m)
{
	for (unsigned long round = 1; round <= ONE_PAGE_ROUNDS * times; round++) {
		volatile unsigned char *mine = (void *)(shared_page + m->number);

		while (round_now < round)
			raw(SYS_sched_yield);
		*mine = (unsigned char)round;
		__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
	}
	return 0;
}

/* A page that all touch at once is one page: nobody's byte is on another one that was thrown away. */
static void together(int n)
{
	int size = 0;

	shared_page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	round_now = 0;
	team_add(&size, n, touch_together);
	team_begin(size);
	for (unsigned long round = 1; round <= ONE_PAGE_ROUNDS * times; round++) {
		madvise(shared_page, PAGE, MADV_DONTNEED);
		arrived = 0;
		round_now = round;
		while (arrived < (unsigned long)n)
			raw(SYS_sched_yield);
		for (int i = 0; i < n; i++)
			if ((unsigned char)shared_page[i] != (unsigned char)round)
				complain("round %lu: thread %d's byte is %d", round, i,
					 shared_page[i]);
	}
	team_join(0, size);
	nobody_complained("two faults on one page install it once");
}

int main(int argc, char **argv)
{
	smp_start(argc, argv, NULL);
	disjoint(team_width());
	together(team_width());
	return done_testing();
}
