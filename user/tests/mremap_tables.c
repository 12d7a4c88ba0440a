/* SPDX-License-Identifier: MIT */
/*
 * mremap of ranges that contain whole page tables: sparse pages in 4 MiB and 2 GiB, moved between
 * places that are congruent to each other modulo 2 MiB or 1 GiB, and between places that are not.
 */
#include "vm.h"

#define FIXED (MREMAP_MAYMOVE | MREMAP_FIXED)

/* Offsets that are marked: at both ends, and on both sides of each boundary of a table. */
static const unsigned long spots[] = {
	0,
	PAGE,
	2 * MIB - PAGE,
	2 * MIB,
	2 * MIB + PAGE,
	4 * MIB - PAGE,
	4 * MIB,
	8 * MIB - PAGE,
	512 * MIB,
	GIB - PAGE,
	GIB,
	GIB + 2 * MIB - PAGE,
	GIB + 2 * MIB,
	2 * GIB - 2 * MIB,
	2 * GIB - PAGE,
};

static int mark(char *p, unsigned long size)
{
	int n = 0;

	for (size_t i = 0; i < COUNT(spots); i++)
		if (spots[i] + PAGE <= size) {
			*(unsigned long *)(p + spots[i]) = spots[i] + 1;
			n++;
		}
	return n;
}

static bool marked(const char *p, unsigned long size)
{
	for (size_t i = 0; i < COUNT(spots); i++)
		if (spots[i] + PAGE <= size &&
		    *(const unsigned long *)(p + spots[i]) != spots[i] + 1)
			return false;
	return true;
}

/* Moves size bytes from one fixed place to another and back. */
static void there_and_back(unsigned long from, unsigned long to, unsigned long size,
			   const char *what)
{
	long before, after, got;
	bool good;
	int n;

	if (raw_mmap(from, size, RW, ANON | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0) !=
	    (long)from) {
		ok(false, "%s: cannot map the source", what);
		return;
	}
	n = mark((char *)from, size);
	/* The code that is measured has run, and what it writes to is there. */
	good = marked((char *)from, size) && minor_faults() > 0;
	before = minor_faults();
	got = raw_mremap(from, size, size, FIXED, to);
	good &= marked((char *)to, size);
	after = minor_faults();
	is(got, to, "%s: moved", what);
	ok(good, "%s: the contents are there", what);
	is(after - before, 0, "%s: not one page had to be brought in", what);
	is(smaps((char *)to, "Rss"), n * 4, "%s: Rss counts the marked pages", what);
	is(raw_mremap(to, size, size, FIXED, from), from, "%s: and back", what);
	ok(marked((char *)from, size), "%s: the contents are there again", what);
	is(smaps((char *)from, "Rss"), n * 4, "%s: Rss once more", what);
	raw_munmap(from, size);
}

/* Neighbours in the same table as either end mustn't be touched by a move of tables. */
static void neighbours(void)
{
	unsigned long from = 0x120000000000, to = 0x130000000000;
	char *a = (char *)from, *b = (char *)to;

	raw_mmap(from - 2 * MIB, 8 * MIB, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	raw_mmap(to - 2 * MIB, 8 * MIB, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	a[-1] = 1;
	a[PAGE] = 2;
	a[4 * MIB - 1] = 3;
	a[4 * MIB] = 4;
	b[-1] = 5;
	b[0] = 6;
	b[4 * MIB] = 7;
	is(raw_mremap(from, 4 * MIB, 4 * MIB, FIXED, to), to, "4 MiB out of 8 over others");
	ok(a[-1] == 1 && a[4 * MIB] == 4, "the source's neighbours stay");
	ok(b[-1] == 5 && b[4 * MIB] == 7, "the target's neighbours stay");
	ok(b[PAGE] == 2 && b[4 * MIB - 1] == 3, "what was moved has arrived");
	is(b[0], 0, "and what was there is gone");
	raw_munmap(from - 2 * MIB, 8 * MIB);
	raw_munmap(to - 2 * MIB, 8 * MIB);
}

/* Nothing is present: tables needn't even exist. */
static void empty(void)
{
	unsigned long from = 0x120000000000, to = 0x130000000000;
	long tables;

	raw_mmap(from, 64 * MIB, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	tables = status("VmPTE");
	is(raw_mremap(from, 64 * MIB, 64 * MIB, FIXED, to), to, "64 MiB of nothing moves");
	is(status("VmPTE"), tables, "and makes no page tables");
	raw_munmap(to, 64 * MIB);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	there_and_back(0x120000000000, 0x130000000000, 4 * MIB, "4 MiB, both aligned to 2 MiB");
	there_and_back(0x120000001000, 0x130000001000, 4 * MIB, "4 MiB, both a page past 2 MiB");
	there_and_back(0x1200001ff000, 0x1300003ff000, 8 * MIB, "8 MiB, both a page before 2 MiB");
	there_and_back(0x120000000000, 0x130000001000, 4 * MIB, "4 MiB, shifted by a page");
	there_and_back(0x1200001ff000, 0x130000000000, 8 * MIB, "8 MiB, shifted by 511 pages");
	there_and_back(0x120000000000, 0x120000000000 + 4 * MIB, 4 * MIB, "4 MiB, right behind");
	there_and_back(0x120000000000, 0x130000000000, 2 * GIB, "2 GiB, both aligned to 1 GiB");
	there_and_back(0x120000000000, 0x130000200000, 2 * GIB, "2 GiB, shifted by 2 MiB");
	there_and_back(0x120000200000, 0x130000200000, 2 * GIB, "2 GiB, both 2 MiB past 1 GiB");
	there_and_back(0x127fc0000000, 0x12ffc0000000, 2 * GIB, "2 GiB across a top-level entry");
	neighbours();
	empty();
	return done_testing();
}
