/* SPDX-License-Identifier: MIT */
/* Where mmap puts what has no address: the highest gap that fits, hints, the gap below stacks. */
#include "vm.h"

/*
 * A range below which everything up to here is full: so that the kernel's choice is among the gaps
 * that the test makes. The gaps must be larger than any other that is left above.
 */
static void top_down(void)
{
	char *a = fresh(64, RW), *b;
	unsigned long at = (unsigned long)a;

	/* Gaps of 8, 16, 4 and 8 pages, from the bottom up. */
	raw_munmap(at + 4 * PAGE, 8 * PAGE);
	raw_munmap(at + 16 * PAGE, 16 * PAGE);
	raw_munmap(at + 36 * PAGE, 4 * PAGE);
	raw_munmap(at + 44 * PAGE, 8 * PAGE);
	b = fresh(4, PROT_READ);
	is((long)b, at + 48 * PAGE, "the highest gap that is large enough, at its upper end");
	b = fresh(4, PROT_EXEC);
	is((long)b, at + 44 * PAGE, "and again, until it is full");
	b = fresh(5, PROT_READ);
	is((long)b, at + 27 * PAGE, "the next lower one is too small, so the one below");
	b = fresh(4, PROT_READ);
	is((long)b, at + 36 * PAGE, "a gap of exactly that size");
	b = fresh(12, PROT_READ);
	is((long)b < (long)at, 1, "no gap is that large: below everything");
	raw_munmap((unsigned long)b, 12 * PAGE);
	b = fresh(11, PROT_EXEC);
	is((long)b, at + 16 * PAGE, "what is left of the large one");
	b = fresh(8, PROT_EXEC);
	is((long)b, at + 4 * PAGE, "and the lowest");
	b = fresh(1, RW);
	is((long)b, at - PAGE, "now all is full, and it goes on below");
	is_str(layout(a, 64),
	       "0-4 rw-p, 4-12 --xp, 12-16 rw-p, 16-27 --xp, 27-32 r--p, 32-36 rw-p, 36-40 r--p, "
	       "40-44 rw-p, 44-48 --xp, 48-52 r--p, 52-64 rw-p",
	       "the areas");
	raw_munmap(at - PAGE, 65 * PAGE);
}

static void hints(void)
{
	char *p = hole(16);
	unsigned long at = (unsigned long)p;

	is(raw_mmap(at + 4 * PAGE, 4 * PAGE, RW, ANON, -1, 0), at + 4 * PAGE, "a free hint");
	is(raw_mmap(at + 8 * PAGE, 8 * PAGE, RW, ANON, -1, 0), at + 8 * PAGE,
	   "one that ends exactly at the next area");
	is(raw_mmap(at, 4 * PAGE, RW, ANON, -1, 0), at, "one that fills a hole exactly");
	raw_munmap(at, 16 * PAGE);
	is(raw_mmap(at + 15 * PAGE + 4095, PAGE, RW, ANON, -1, 0), at + 15 * PAGE,
	   "the last page, at its last byte: rounded down");
	is(raw_mmap(at + 12 * PAGE, 4 * PAGE, RW, ANON, -1, 0) == (long)(at + 12 * PAGE), 0,
	   "one whose last page is taken isn't used");
	raw_munmap(at, 16 * PAGE);
	is(raw_mmap(0x123456789000, PAGE, RW, ANON, -1, 0), 0x123456789000, "far from the rest");
	raw_munmap(0x123456789000, PAGE);
	is(raw_mmap(0x10000, PAGE, RW, ANON, -1, 0), 0x10000, "the lowest address of all");
	raw_munmap(0x10000, PAGE);
	is(raw_mmap(4095, PAGE, RW, ANON, -1, 0) > (long)GIB, 1, "4095 is no hint");
	is(raw_mmap(4096, PAGE, RW, ANON, -1, 0), 0x10000, "4096 becomes 64 KiB");
	is(raw_mmap(0xffff, PAGE, RW, ANON, -1, 0) > (long)GIB, 1,
	   "so does 65535, which is taken now");
	raw_munmap(0x10000, PAGE);
	is(raw_mmap(-PAGE, PAGE, RW, ANON, -1, 0) > (long)GIB, 1,
	   "the last page of all is no hint");
	is(raw_mmap(1UL << 63, PAGE, RW, ANON, -1, 0) > (long)GIB, 1, "nor 2^63");
}

/* Gaps below growing areas are kept when the kernel chooses. */
static void stack_gaps(void)
{
	char *p = fresh(1024, PROT_NONE);
	unsigned long at = (unsigned long)p;
	long q;

	raw_munmap(at + PAGE, 1022 * PAGE);
	raw_mmap(at + 700 * PAGE, 2 * PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
	fix(p + 702 * PAGE, 321, PROT_NONE);
	/* A hole of 699 pages, of which the 256 below the stack are the stack's. */
	q = raw_mmap(0, 443 * PAGE, RW, ANON, -1, 0);
	is(q, at + PAGE, "the largest that fits below the gap");
	raw_munmap(q, 443 * PAGE);
	q = raw_mmap(0, 444 * PAGE, RW, ANON, -1, 0);
	ok(q != (long)(at + PAGE), "one page more goes elsewhere");
	raw_munmap(q, 444 * PAGE);
	q = raw_mmap(0, PAGE, RW, ANON, -1, 0);
	is(q, at + 443 * PAGE, "one page: right below the gap");
	raw_munmap(q, PAGE);
	q = raw_mmap(at + 443 * PAGE, PAGE, RW, ANON, -1, 0);
	is(q, at + 443 * PAGE, "a hint right below the gap");
	raw_munmap(q, PAGE);
	q = raw_mmap(at + 444 * PAGE, PAGE, RW, ANON, -1, 0);
	is(q, at + 443 * PAGE, "a hint in the gap isn't taken: right below it again");
	raw_munmap(q, PAGE);
	q = raw_mmap(at + 443 * PAGE, PAGE, RW, ANON | MAP_GROWSDOWN, -1, 0);
	is(q, at + 443 * PAGE, "a growing area needs room above it like any other");
	raw_munmap(q, PAGE);
	/* mremap's choice of a new place is mmap's. */
	fix(p + 2 * PAGE, 1, RW);
	fix(p + 3 * PAGE, 1, PROT_NONE);
	q = raw_mremap(at + 2 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE, 0);
	is(q, at + 442 * PAGE, "mremap that moves goes there, too");
	raw_munmap(at, 1024 * PAGE);
}

/* When no gap below mmap's base fits, the search starts again from below. */
static void bottom_up(void)
{
	unsigned long lowest = 0x10000, a;
	long q;

	/* The larger part of user space lies below the base, in one piece. */
	a = 0x600000000000;
	q = raw_mmap(0, a, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);
	if (is_error(q)) {
		is(q, 0, "0x600000000000 bytes of PROT_NONE");
		return;
	}
	ok((unsigned long)q >= lowest, "96 TiB of PROT_NONE");
	is(raw_mmap(0, a, PROT_NONE, ANON | MAP_NORESERVE, -1, 0), -ENOMEM, "twice: ENOMEM");
	is(raw_mmap(0, TASK_SIZE, PROT_NONE, ANON, -1, 0), -ENOMEM, "all of user space: ENOMEM");
	raw_munmap(q, a);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	/* First, while nothing above its own range is free. */
	stack_gaps();
	top_down();
	hints();
	bottom_up();
	return done_testing();
}
