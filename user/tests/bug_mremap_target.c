/* SPDX-License-Identifier: MIT */
/*
 * Bug: the place that mremap(2) is to move to isn't checked: it lies beyond the user half, wraps, or
 * over the source itself, so that pages are moved onto themselves and then unmapped. And what was at
 * the target is unmapped by a call whose failure nobody looks at (CVE-2004-0077 in Linux 2.4 and 2.6).
 */
#include "vm.h"

static char *p;

static long move(unsigned long old_len, unsigned long new_len, unsigned long to)
{
	return raw_mremap((unsigned long)p, old_len, new_len, MREMAP_MAYMOVE | MREMAP_FIXED, to);
}

static void refused(unsigned long old_len, unsigned long new_len, unsigned long to,
		    const char *name)
{
	is(move(old_len, new_len, to), -EINVAL, "%s", name);
	ok(strcmp(layout(p, 8), "0-8 rw-p") == 0 && p[0] == 1 && p[7 * PAGE] == 1,
	   "... and all is there");
}

int main(void)
{
	unsigned long at;

	p = island(8, RW);
	at = (unsigned long)p;
	touch(p, 8);
	refused(4 * PAGE, 4 * PAGE, TASK_SIZE, "to the end of the user half");
	refused(4 * PAGE, 4 * PAGE, TASK_SIZE - 3 * PAGE, "over the end of it");
	refused(4 * PAGE, 4 * PAGE, 0xffff888000000000, "into the kernel's half");
	refused(4 * PAGE, 4 * PAGE, -4 * PAGE, "to the very end, where it wraps");
	refused(4 * PAGE, 4 * PAGE, 0x800000000000, "to what is no address");
	refused(4 * PAGE, 4 * PAGE, at, "onto itself");
	refused(4 * PAGE, 4 * PAGE, at + PAGE, "over its own end");
	refused(4 * PAGE, 4 * PAGE, at - PAGE, "over its own beginning");
	refused(4 * PAGE, 8 * PAGE, at - 7 * PAGE, "... with more pages");
	refused(8 * PAGE, 2 * PAGE, at + 3 * PAGE, "into its own middle");
	refused(4 * PAGE, 4 * PAGE, at + 4 * PAGE + 1, "not to a page");
	is(raw_mremap(at, 4 * PAGE, 4 * PAGE, MREMAP_FIXED, at + 16 * PAGE), -EINVAL,
	   "to a place, but not to move");
	is(move(4 * PAGE, 4 * PAGE, at + 4 * PAGE), (long)at + 4 * (long)PAGE,
	   "just behind: it may");
	is_str(layout(p, 8), "4-8 rw-p", "... and moves, over what was there");
	return done_testing();
}
