/* SPDX-License-Identifier: MIT */
/*
 * Bug: brk(2) grows the heap over a mapping that is in the way, as older Unixes and early kernels did, or
 * up to it without a page between; or beyond the user half (CVE-2003-0961 in Linux 2.4). It fails by
 * telling the old break, and heap and mapping stay what they were.
 */
#include "vm.h"

int main(void)
{
	unsigned long start = raw_brk(0), page = (start + PAGE - 1) & -PAGE;
	char *heap = (char *)page, *in_the_way = heap + 16 * PAGE;

	is(raw_brk(page + 2 * PAGE) == page + 2 * PAGE, 1, "the heap grows");
	heap[0] = 'h';
	is(fix(in_the_way, 2, RW), (long)in_the_way, "a mapping above it");
	in_the_way[0] = 'm';
	is(raw_brk(page + 17 * PAGE) == page + 2 * PAGE, 1, "not into the mapping");
	is(raw_brk(page + 16 * PAGE + 1) == page + 2 * PAGE, 1, "... not by a byte");
	is(raw_brk(page + 18 * PAGE) == page + 2 * PAGE, 1, "... nor over it");
	is(raw_brk(page + 64 * PAGE) == page + 2 * PAGE, 1, "... nor far beyond");
	is(raw_brk(page + 16 * PAGE) == page + 2 * PAGE, 1, "nor up to it: a page stays free");
	is(in_the_way[0], 'm', "the mapping is what it was");
	is(heap[0], 'h', "the heap too");
	is(raw_brk(TASK_SIZE + PAGE) == page + 2 * PAGE, 1, "not beyond the user half");
	is(raw_brk(0xffff888000000000) == page + 2 * PAGE, 1, "... nor into the kernel's");
	is(raw_brk(-1UL) == page + 2 * PAGE, 1, "... nor around");
	is(raw_brk(page + 15 * PAGE) == page + 15 * PAGE, 1, "up to a page below, it may");
	is_str(layout(heap, 18), "0-15 rw-p, 16-18 rw-p", "... and there they are");
	is(raw_brk(page) == page, 1, "and back");
	is_str(layout(heap, 18), "16-18 rw-p", "the heap is gone, the mapping isn't");
	return done_testing();
}
