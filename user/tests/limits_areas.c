/* SPDX-License-Identifier: MIT */
/*
 * max_map_count: what works and what fails when an address space has as many areas as it may have.
 * Single pages of alternating protection are mapped one after the other, each an area.
 */
#include "vm.h"

#define MAYMOVE MREMAP_MAYMOVE
#define FIXED	(MREMAP_MAYMOVE | MREMAP_FIXED)

static const unsigned long base = 0x160000000000, spare = 0x150000000000;
static long areas; /* how many there are */
static unsigned long mapped;

static long count_areas(void)
{
	long lines = 0;

	if (!maps_read())
		return -1;
	for (const char *c = maps_text; *c; c++)
		lines += *c == '\n';
	return lines;
}

/* Maps more pages until there are that many areas. */
static bool fill(long until)
{
	for (; areas < until; areas++, mapped++) {
		long at = base + mapped * PAGE;

		if (raw_mmap(at, PAGE, mapped % 2 ? PROT_NONE : PROT_READ, ANON | MAP_FIXED, -1,
			     0) != at)
			return false;
	}
	return true;
}

static unsigned long page(unsigned long n)
{
	return base + n * PAGE;
}

/* mremap wants room for all that a move may split, and a little more. */
static void moving(long max)
{
	ok(fill(max - 6), "six areas less than the limit");
	is(raw_mremap(page(0), PAGE, PAGE, FIXED, spare + 100 * PAGE), spare + 100 * PAGE,
	   "mremap FIXED still works");
	raw_mremap(spare + 100 * PAGE, PAGE, PAGE, FIXED, page(0));
	ok(fill(max - 5), "five less");
	is(raw_mremap(page(0), PAGE, PAGE, FIXED, spare + 100 * PAGE), -ENOMEM,
	   "mremap FIXED: ENOMEM");
	is(raw_mremap(page(0), PAGE, PAGE, MAYMOVE | MREMAP_DONTUNMAP, 0), -ENOMEM,
	   "DONTUNMAP: ENOMEM");
	is(raw_mremap(page(0), PAGE, PAGE, FIXED, page(0)), -EINVAL,
	   "an overlapping target comes first: EINVAL");
	ok(fill(max - 4), "four less");
	is(raw_mremap(page(0), PAGE, 2 * PAGE, MAYMOVE, 0) > 0, 1, "moving in order to grow works");
	/* It has left a hole and is an area of two pages elsewhere: the number is the same. */
	ok(fill(max - 3), "three less");
	is(raw_mremap(page(2), PAGE, 2 * PAGE, MAYMOVE, 0), -ENOMEM, "moving: ENOMEM");
	is(raw_mremap(page(2), PAGE, 2 * PAGE, 0, 0), -ENOMEM, "without MAYMOVE: ENOMEM anyway");
}

static void at_limit(long max)
{
	unsigned long heap = (raw_brk(0) + PAGE - 1) & -PAGE;

	ok(fill(max), "exactly as many areas as max_map_count");
	is(raw_munmap(spare + 4 * PAGE, PAGE), -ENOMEM, "munmap of an area's middle: ENOMEM");
	is_str(vector((char *)spare, 16), "0000000000000000", "it is whole");
	is(raw_mprotect(spare + 4 * PAGE, PAGE, PROT_READ), -ENOMEM, "mprotect of it: ENOMEM");
	is(raw_mprotect(spare, PAGE, PROT_READ), -ENOMEM, "even of its first page");
	is(raw_mlock(spare, PAGE), -ENOMEM, "mlock of it: ENOMEM");
	is(raw_madvise(spare, PAGE, MADV_RANDOM), -EAGAIN, "advice that splits: EAGAIN");
	is(raw_madvise(spare, PAGE, MADV_DONTNEED), 0, "advice that doesn't: 0");
	is(raw_mprotect(spare, 16 * PAGE, PROT_READ), 0, "mprotect of a whole area: 0");
	is(raw_mprotect(spare, 16 * PAGE, RW), 0, "and back");
	is(raw_munmap(spare + 15 * PAGE, PAGE), 0, "cutting an end off: 0");
	is(raw_mremap(spare, 15 * PAGE, 16 * PAGE, 0, 0), spare, "mremap in place: works");
	is(raw_mremap(spare, 16 * PAGE, 15 * PAGE, 0, 0), spare, "and shrinking");
	is(raw_mremap(spare, 4 * PAGE, 2 * PAGE, 0, 0), -ENOMEM, "shrinking its middle: ENOMEM");
	is(raw_mmap(spare + 15 * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0), spare + 15 * PAGE,
	   "mmap that joins a neighbour: works");
	is(raw_mmap(spare + 4 * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0), -ENOMEM,
	   "MAP_FIXED over a middle has to split first: ENOMEM");
	is(raw_brk(heap + PAGE), heap + PAGE, "the heap begins: one more than the limit");
	areas++;
}

static void over_limit(void)
{
	unsigned long heap = raw_brk(0);

	is(raw_mmap(0, PAGE, RW, ANON, -1, 0), -ENOMEM, "with one more, mmap fails: ENOMEM");
	is(raw_mmap(spare + 15 * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0), -ENOMEM,
	   "even over an area, with nothing to split");
	is(raw_mmap(spare + 16 * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0), -ENOMEM,
	   "even next to a like one");
	is(raw_mmap(0, 0, RW, ANON, -1, 0), -EINVAL, "length 0 is noticed before");
	is(raw_mmap(1, PAGE, RW, ANON | MAP_FIXED, -1, 0), -ENOMEM, "an unaligned address isn't");
	is(raw_brk(heap + PAGE), heap, "the heap doesn't grow any more");
	is(raw_brk(heap - PAGE), heap - PAGE, "but shrinks");
	is(raw_brk(heap), heap, "and with that there is room for it again");
	is(raw_munmap(page(6), 3 * PAGE), 0, "three areas unmapped");
	is(raw_munmap(spare + 4 * PAGE, PAGE), 0, "now an area's middle can be cut out");
}

int main(int argc, char **argv)
{
	long max;

	tap_start(argc, argv, NULL);
	max = number_in("/proc/sys/vm/max_map_count");
	if (!is(max, 65530, "max_map_count is 65530"))
		return done_testing();
	is(raw_mmap(spare, 16 * PAGE, RW, ANON | MAP_FIXED, -1, 0), spare,
	   "an area of 16 pages to try things on");
	areas = count_areas();
	moving(max);
	at_limit(max);
	over_limit();
	is(raw_munmap(base, mapped * PAGE), 0, "all unmapped at once");
	ok(count_areas() < 20, "few are left");
	return done_testing();
}
