/* SPDX-License-Identifier: MIT */
/*
 * Bug: what is locked is counted by the process, and mremap and munmap of parts of a locked area forget
 * some pages, or take some off twice: then VmLck drifts, and RLIMIT_MEMLOCK refuses too much or
 * nothing. After each step the count is the sum of what is locked.
 */
#include "procs.h"

static char *p, *q;
static long base;

/* The pages that areas say are locked, in both places; those of smaps are the truth. */
static void counted(long pages, const char *what)
{
	is((status_field(my_pid(), "VmLck", 10) - base) / 4, pages, "%s: %ld locked", what, pages);
}

static long move(char *from, unsigned long old, unsigned long new, long flags, char *to)
{
	return raw_mremap((unsigned long)from, old * PAGE, new *PAGE, flags, (unsigned long)to);
}

int main(void)
{
	long away;

	p = hole(32);
	q = hole(32);
	base = status_field(my_pid(), "VmLck", 10);
	fix(p, 16, RW);
	is(raw_mlock((unsigned long)p, 8 * PAGE), 0, "half of an area locked");
	counted(8, "mlock");
	is(raw_mlock((unsigned long)p + 2 * PAGE, 4 * PAGE), 0, "... some of it again");
	counted(8, "mlock twice");
	raw_munmap((unsigned long)p + 2 * PAGE, 2 * PAGE);
	counted(6, "munmap in the middle");
	raw_munmap((unsigned long)p + 7 * PAGE, 2 * PAGE);
	counted(5, "munmap over the end of it");
	is(move(p, 2, 2, MREMAP_MAYMOVE | MREMAP_FIXED, q), (long)q, "a part moved");
	counted(5, "mremap");
	is(move(q, 2, 4, 0, 0), (long)q, "it grows in place");
	counted(7, "mremap growing");
	is(move(q, 4, 1, 0, 0), (long)q, "it shrinks");
	counted(4, "mremap shrinking");
	is(move(q, 1, 6, MREMAP_MAYMOVE | MREMAP_FIXED, q + 8 * PAGE), (long)q + 8 * (long)PAGE,
	   "it moves and grows");
	counted(9, "mremap moving and growing");
	is(move(q + 10 * PAGE, 2, 2, MREMAP_MAYMOVE | MREMAP_FIXED, q), (long)q,
	   "its middle moves");
	counted(9, "mremap of the middle");
	away = move(q, 2, 2, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
	ok(!is_error(away), "it moves, and the place stays");
	counted(9, "MREMAP_DONTUNMAP");
	is(move(p + 4 * PAGE, 3, 1, MREMAP_MAYMOVE | MREMAP_FIXED, q + 20 * PAGE),
	   (long)q + 20 * (long)PAGE, "one moves and shrinks");
	counted(7, "mremap moving and shrinking");
	fix(q + 8 * PAGE, 2, RW);
	counted(5, "MAP_FIXED over some");
	raw_munmap(away, 2 * PAGE);
	counted(3, "munmap of what had moved away");
	raw_munmap((unsigned long)q, 32 * PAGE);
	counted(0, "munmap of one place");
	raw_munmap((unsigned long)p, 32 * PAGE);
	counted(0, "munmap of the other");
	is(raw_munlockall(), 0, "munlockall");
	counted(0, "munlockall");
	return done_testing();
}
