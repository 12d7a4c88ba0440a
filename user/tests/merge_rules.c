/* SPDX-License-Identifier: MIT */
/*
 * Which areas become one. A new or changed range joins a neighbour when flags, contents' origin
 * and page offsets agree, and when their anon_vma, the record of who may share their pages, agree:
 *
 *	both have none, or the same one; or
 *	the range brings none, and the neighbour's own is not shared with a relative.
 *
 * A range that brings one doesn't join a neighbour that has none. Memory gets its anon_vma with
 * the first page that is written, a neighbour's if it could be merged with it.
 *
 * In the pictures a letter is a page of an area, "." a hole.
 */
#include "vm.h"

#define FIXED (MREMAP_MAYMOVE | MREMAP_FIXED)

static char *p;
static unsigned long at;

static void clear(void)
{
	raw_munmap(at, 20 * PAGE);
}

/* The new range between two areas, with each combination of fits: the eight cases of a merge. */
static void new_range(void)
{
	fix(p, 2, RW);
	fix(p + 2 * PAGE, 2, RW);
	is_str(layout(p, 20), "0-4 rw-p", "AA** joins the area before");
	clear();
	fix(p + 2 * PAGE, 2, RW);
	fix(p, 2, RW);
	is_str(layout(p, 20), "0-4 rw-p", "**AA joins the area behind");
	clear();
	fix(p, 2, RW);
	fix(p + 4 * PAGE, 2, RW);
	fix(p + 2 * PAGE, 2, RW);
	is_str(layout(p, 20), "0-6 rw-p", "AA**AA joins both");
	clear();
	fix(p, 2, RW);
	fix(p + 4 * PAGE, 2, PROT_READ);
	fix(p + 2 * PAGE, 2, RW);
	is_str(layout(p, 20), "0-4 rw-p, 4-6 r--p", "AA**BB joins the one like it, before");
	clear();
	fix(p, 2, PROT_READ);
	fix(p + 4 * PAGE, 2, RW);
	fix(p + 2 * PAGE, 2, RW);
	is_str(layout(p, 20), "0-2 r--p, 2-6 rw-p", "BB**AA joins the one like it, behind");
	clear();
	fix(p, 2, PROT_READ);
	fix(p + 4 * PAGE, 2, PROT_NONE);
	fix(p + 2 * PAGE, 2, RW);
	is_str(layout(p, 20), "0-2 r--p, 2-4 rw-p, 4-6 ---p", "BB**CC stays alone");
	clear();
	fix(p, 1, RW);
	fix(p + 5 * PAGE, 1, RW);
	fix(p + 2 * PAGE, 2, RW);
	is_str(layout(p, 20), "0-1 rw-p, 2-4 rw-p, 5-6 rw-p", "A.**.A has no neighbours");
	clear();
	fix(p, 6, RW);
	fix(p + 2 * PAGE, 2, RW);
	is_str(layout(p, 20), "0-6 rw-p", "a like range over the middle: one area");
	clear();
	fix(p, 6, PROT_READ);
	fix(p + 1 * PAGE, 4, RW);
	fix(p + 2 * PAGE, 2, PROT_READ);
	fix(p + 1 * PAGE, 4, PROT_READ);
	is_str(layout(p, 20), "0-6 r--p", "one range over three areas: one");
	clear();
}

/* The same by mprotect, where the range is there already. */
static void changed_range(void)
{
	static const struct {
		unsigned long from, to; /* what is changed to R, of 0-2 R, 2-6 RW, 6-8 R */
		const char *want;
		const char *what;
	} cases[] = {
		{ 2, 4, "0-4 r--p, 4-6 rw-p, 6-8 r--p",
		  "AA**BB: its start goes to the one before" },
		{ 4, 6, "0-2 r--p, 2-4 rw-p, 4-8 r--p", "BB**AA: its end to the one behind" },
		{ 2, 6, "0-8 r--p", "AA**AA: three become one" },
		{ 3, 5, "0-2 r--p, 2-3 rw-p, 3-5 r--p, 5-6 rw-p, 6-8 r--p",
		  "B**B: the middle becomes an area" },
		{ 1, 5, "0-5 r--p, 5-6 rw-p, 6-8 r--p", "from inside the one before" },
		{ 3, 7, "0-2 r--p, 2-3 rw-p, 3-8 r--p", "to inside the one behind" },
		{ 0, 8, "0-8 r--p", "all of it" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		raw_mmap(at, 8 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
		raw_mprotect(at, 2 * PAGE, PROT_READ);
		raw_mprotect(at + 6 * PAGE, 2 * PAGE, PROT_READ);
		raw_mprotect(at + cases[i].from * PAGE, (cases[i].to - cases[i].from) * PAGE,
			     PROT_READ);
		is_str(layout(p, 20), cases[i].want, "mprotect, %s", cases[i].what);
		clear();
	}
}

/* Touched and untouched: T has an anon_vma, u has none. */
static void touched(void)
{
	fix(p, 2, RW);
	touch(p, 1);
	fix(p + 2 * PAGE, 2, RW);
	is_str(layout(p, 20), "0-4 rw-p", "a new range joins a touched area before it");
	clear();
	fix(p + 2 * PAGE, 2, RW);
	touch(p + 2 * PAGE, 1);
	fix(p, 2, RW);
	is_str(layout(p, 20), "0-4 rw-p", "and one behind it");
	clear();
	fix(p, 2, RW);
	touch(p, 1);
	fix(p + 4 * PAGE, 2, RW);
	fix(p + 2 * PAGE, 2, RW);
	is_str(layout(p, 20), "0-6 rw-p", "between a touched and an untouched one: all one");
	clear();
	fix(p, 2, RW);
	touch(p, 1);
	fix(p + 4 * PAGE, 2, RW);
	touch(p + 4 * PAGE, 1);
	fix(p + 2 * PAGE, 2, RW);
	is_str(layout(p, 20), "0-2 rw-p, 2-6 rw-p",
	       "between two touched apart: it joins the one behind");
	touch(p + 2 * PAGE, 1);
	is_str(layout(p, 20), "0-2 rw-p, 2-6 rw-p", "touching it changes nothing");
	clear();
	fix(p, 2, RW);
	fix(p + 4 * PAGE, 2, RW);
	touch(p + 4 * PAGE, 1);
	fix(p + 2 * PAGE, 2, RW);
	is_str(layout(p, 20), "0-2 rw-p, 2-6 rw-p",
	       "between an untouched and a touched one: the one behind, and no further");
	clear();

	/* Touched when it was next to the other, so it got the other's. */
	fix(p, 2, RW);
	touch(p, 2);
	fix(p + 2 * PAGE, 2, PROT_READ);
	raw_mprotect(at + 2 * PAGE, 2 * PAGE, RW);
	is_str(layout(p, 20), "0-4 rw-p", "an untouched range made like a touched one joins it");
	clear();
	fix(p, 2, RW);
	fix(p + 2 * PAGE, 2, RW | PROT_EXEC);
	touch(p + 2 * PAGE, 2);
	raw_mprotect(at + 2 * PAGE, 2 * PAGE, RW);
	is_str(layout(p, 20), "0-2 rw-p, 2-4 rw-p",
	       "a touched range made like an untouched one doesn't");
	touch(p, 2);
	is_str(layout(p, 20), "0-2 rw-p, 2-4 rw-p", "nor when that is touched, until");
	raw_mprotect(at, 4 * PAGE, PROT_READ);
	is_str(layout(p, 20), "0-4 r--p", "both change together: they have one anon_vma by now");
	clear();

	/* Neighbours that differ in more than access flags get an anon_vma each. */
	fix(p, 2, RW);
	touch(p, 2);
	raw_mmap(at + 4 * PAGE, 2 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
	touch(p + 4 * PAGE, 2);
	fix(p + 2 * PAGE, 2, PROT_NONE);
	raw_mprotect(at + 2 * PAGE, 2 * PAGE, RW);
	is_str(layout(p, 20), "0-4 rw-p, 4-6 rw-p", "touched apart stays apart");
	clear();
}

/* Pages moved by mremap keep their offset; see also mremap_move. */
static void moved(void)
{
	fix(p, 2, RW);
	touch(p, 2);
	raw_mremap(at, 2 * PAGE, 2 * PAGE, FIXED, at + 10 * PAGE);
	fix(p + 12 * PAGE, 2, RW);
	is_str(layout(p, 20), "10-12 rw-p, 12-14 rw-p", "moved pages and fresh ones stay apart");
	raw_mremap(at + 10 * PAGE, PAGE, PAGE, FIXED, at);
	raw_mremap(at + 11 * PAGE, PAGE, PAGE, FIXED, at + PAGE);
	is_str(layout(p, 20), "0-2 rw-p, 12-14 rw-p",
	       "moved one by one back to where they were: one");
	clear();

	fix(p, 4, RW);
	touch(p, 4);
	raw_mremap(at + 2 * PAGE, 2 * PAGE, 2 * PAGE, FIXED, at + 10 * PAGE);
	raw_mremap(at, 2 * PAGE, 2 * PAGE, FIXED, at + 12 * PAGE);
	is_str(layout(p, 20), "10-12 rw-p, 12-14 rw-p", "two halves in the wrong order: two");
	clear();
	fix(p, 4, RW);
	touch(p, 4);
	raw_mremap(at, 2 * PAGE, 2 * PAGE, FIXED, at + 10 * PAGE);
	raw_mremap(at + 2 * PAGE, 2 * PAGE, 2 * PAGE, FIXED, at + 12 * PAGE);
	is_str(layout(p, 20), "10-14 rw-p", "in the right order: one");
	clear();
}

/* A stack that has grown counts as touched, even when only a zero page was mapped by it. */
static void grown(void)
{
	raw_mmap(at + 10 * PAGE, 2 * PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
	raw_mlock2(at + 11 * PAGE, PAGE, MLOCK_ONFAULT);
	(void)peek(p + 8 * PAGE);
	touch(p + 11 * PAGE, 1);
	raw_munlock(at + 11 * PAGE, PAGE);
	is_str(layout(p, 20), "8-11 rw-p, 11-12 rw-p", "grown and touched apart: two areas");
	clear();
	raw_mmap(at + 10 * PAGE, 2 * PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
	(void)peek(p + 8 * PAGE);
	raw_mlock(at + 11 * PAGE, PAGE);
	raw_munlock(at + 11 * PAGE, PAGE);
	is_str(layout(p, 20), "8-12 rw-p", "grown, then a part locked and unlocked: one");
	clear();
}

/* Splits and what they leave. */
static void splits(void)
{
	fix(p, 4, RW);
	raw_mlock(at + PAGE, 2 * PAGE);
	is_str(layout(p, 20), "0-1 rw-p, 1-3 rw-p, 3-4 rw-p", "mlock of the middle splits");
	raw_munlock(at + PAGE, 2 * PAGE);
	is_str(layout(p, 20), "0-1 rw-p, 1-3 rw-p, 3-4 rw-p",
	       "munlock joins nothing: the middle is touched now, the ends aren't");
	clear();
	fix(p, 4, RW);
	raw_mlock2(at + PAGE, 2 * PAGE, MLOCK_ONFAULT);
	raw_munlock(at + PAGE, 2 * PAGE);
	is_str(layout(p, 20), "0-4 rw-p", "locked on fault and never touched, it joins again");
	clear();
	fix(p, 4, RW);
	raw_madvise(at, 2 * PAGE, MADV_RANDOM);
	is_str(layout(p, 20), "0-2 rw-p, 2-4 rw-p", "advice splits");
	raw_madvise(at + 2 * PAGE, 2 * PAGE, MADV_RANDOM);
	is_str(layout(p, 20), "0-4 rw-p", "the same advice joins");
	fix(p + 4 * PAGE, 2, RW);
	is_str(layout(p, 20), "0-4 rw-p, 4-6 rw-p", "new memory has no advice");
	clear();
	fix(p, 6, RW);
	touch(p, 6);
	raw_munmap(at + 2 * PAGE, 2 * PAGE);
	fix(p + 2 * PAGE, 2, RW);
	is_str(layout(p, 20), "0-6 rw-p", "a hole in touched memory, filled: one area");
	is(peek(p + PAGE) + peek(p + 4 * PAGE), 2, "with its contents");
	clear();
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	p = hole(20);
	at = (unsigned long)p;
	new_range();
	changed_range();
	splits();
	touched();
	grown();
	moved();
	return done_testing();
}
