/* SPDX-License-Identifier: MIT */
/*
 * mremap: what it does. Growing, shrinking, moving, DONTUNMAP; the areas, the contents, the counts.
 * A move takes the pages along: nothing faults again, nothing is copied.
 */
#include "vm.h"

#define MOVE  MREMAP_MAYMOVE
#define FIXED (MREMAP_MAYMOVE | MREMAP_FIXED)
#define DONT  (MREMAP_MAYMOVE | MREMAP_DONTUNMAP)

/* Each page says which it is. */
static void mark(char *p, int first, int pages)
{
	for (int i = 0; i < pages; i++)
		*(int *)(p + i * PAGE) = first + i;
}

static bool marked(const char *p, int first, int pages)
{
	for (int i = 0; i < pages; i++)
		if (*(const int *)(p + i * PAGE) != first + i)
			return false;
	return true;
}

static void same_length(void)
{
	char *p = hole(8);
	unsigned long at = (unsigned long)p;

	fix(p, 4, RW);
	mark(p, 1, 4);
	is(raw_mremap(at, 4 * PAGE, 4 * PAGE, 0, 0), at, "the same length: the same address");
	is(raw_mremap(at + PAGE, 2 * PAGE, 2 * PAGE, MOVE, 0), at + PAGE, "of a part as well");
	is(raw_mremap(at, 4 * PAGE - 1, 4 * PAGE - 4095, 0, 0), at, "lengths round up to pages");
	is(raw_mremap(at + 3 * PAGE, 4 * PAGE, 4 * PAGE, 0, 0), at + 3 * PAGE,
	   "beyond the area's end: only its start is looked at");
	is_str(layout(p, 8), "0-4 rw-p", "nothing has changed");
	ok(marked(p, 1, 4), "the contents neither");
	raw_munmap(at, 8 * PAGE);
}

static void shrinking(void)
{
	char *p = hole(10);
	unsigned long at = (unsigned long)p;

	fix(p, 4, RW);
	mark(p, 1, 4);
	is(raw_mremap(at, 4 * PAGE, 2 * PAGE, 0, 0), at, "shrink by two pages");
	is_str(layout(p, 10), "0-2 rw-p", "the tail is gone");
	ok(marked(p, 1, 2), "the head is as it was");
	fix(p + 2 * PAGE, 2, RW);
	is(peek(p + 2 * PAGE), 0, "the tail, mapped anew, is zero");
	is(raw_mremap(at, 2 * PAGE, PAGE, MOVE, 0), at, "shrink in the middle of an area");
	is_str(layout(p, 10), "0-1 rw-p, 2-4 rw-p", "makes a hole");
	fix(p, 2, RW);
	fix(p + 3 * PAGE, 1, PROT_READ);
	fix(p + 6 * PAGE, 2, PROT_NONE);
	raw_munmap(at + 2 * PAGE, PAGE);
	is(raw_mremap(at, 7 * PAGE, PAGE, 0, 0), at, "the tail may span holes and other areas");
	is_str(layout(p, 10), "0-1 rw-p, 7-8 ---p", "all of it is unmapped");
	raw_munmap(at, 10 * PAGE);
}

static void growing_in_place(void)
{
	char *p = hole(10);
	unsigned long at = (unsigned long)p;

	fix(p, 2, RW);
	mark(p, 1, 2);
	is(raw_mremap(at, 2 * PAGE, 4 * PAGE, 0, 0), at, "grow by two pages");
	is_str(layout(p, 10), "0-4 rw-p", "in place");
	ok(marked(p, 1, 2) && peek(p + 3 * PAGE) == 0, "old contents stay, new ones are zero");
	is(raw_mremap(at + 2 * PAGE, 2 * PAGE, 3 * PAGE, 0, 0), at + 2 * PAGE,
	   "the last part of an area grows in place too");
	is_str(layout(p, 10), "0-5 rw-p", "as one area");
	fix(p + 7 * PAGE, 2, RW);
	is(raw_mremap(at, 5 * PAGE, 7 * PAGE, 0, 0), at, "grow right up to a like area");
	is_str(layout(p, 10), "0-7 rw-p, 7-9 rw-p",
	       "a touched area that grows doesn't join an untouched one");
	raw_munmap(at, 10 * PAGE);
	fix(p, 5, RW);
	fix(p + 7 * PAGE, 2, RW);
	is(raw_mremap(at, 5 * PAGE, 7 * PAGE, 0, 0), at, "the same, both untouched");
	is_str(layout(p, 10), "0-9 rw-p", "they become one");
	is(raw_mremap(at, 9 * PAGE, 10 * PAGE, MOVE, 0), at, "MAYMOVE doesn't move what can stay");
	is(raw_mremap(at, 10 * PAGE, 11 * PAGE, 0, 0), -ENOMEM, "up to the wall, no further");
	raw_munmap(at, 10 * PAGE);

	/* The gap below a growing area is for mmap's choice only. */
	fix(p, 2, RW);
	raw_mmap(at + 6 * PAGE, PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
	is(raw_mremap(at, 2 * PAGE, 6 * PAGE, 0, 0), at, "growth ignores the stack guard gap");
	is_str(layout(p, 10), "0-6 rw-p, 6-7 rw-p", "but doesn't join the stack");
	raw_munmap(at, 10 * PAGE);
}

static void moving(void)
{
	char *p = hole(40), *q;
	unsigned long at = (unsigned long)p;
	long before, after, size = status("VmSize");

	fix(p, 4, RW);
	fix(p + 4 * PAGE, 1, PROT_NONE);
	mark(p, 1, 4);
	before = minor_faults();
	q = (char *)raw_mremap(at, 4 * PAGE, 6 * PAGE, MOVE, 0);
	after = minor_faults();
	ok(!is_error((long)q) && q != p, "grow with a wall behind: it moves");
	is_str(layout(p, 40), "4-5 ---p", "nothing is left at the old place");
	ok(marked(q, 1, 4) && peek(q + 5 * PAGE) == 0, "the contents came along");
	is(after - before, 0, "without a fault in the call");
	is(status("VmSize") - size, 7 * 4, "VmSize: six pages and the wall");
	is(status("VmSize"), size + 28, "and is stable");
	raw_munmap((unsigned long)q, 6 * PAGE);

	fix(p, 4, RW);
	mark(p, 1, 4);
	is(raw_mremap(at, 4 * PAGE, 4 * PAGE, FIXED, at + 20 * PAGE), at + 20 * PAGE,
	   "FIXED moves what needn't move");
	before = minor_faults();
	ok(marked(p + 20 * PAGE, 1, 4), "contents");
	touch(p + 20 * PAGE, 4);
	after = minor_faults();
	is(after - before, 0, "the pages are there and writable: no fault");
	is_str(layout(p, 40), "4-5 ---p, 20-24 rw-p", "the areas");

	/* A part from the middle. */
	mark(p + 20 * PAGE, 1, 4);
	is(raw_mremap(at + 21 * PAGE, 2 * PAGE, 2 * PAGE, FIXED, at + 10 * PAGE), at + 10 * PAGE,
	   "a part from the middle moves");
	is_str(layout(p, 40), "4-5 ---p, 10-12 rw-p, 20-21 rw-p, 23-24 rw-p",
	       "and leaves two areas");
	ok(marked(p + 10 * PAGE, 2, 2) && marked(p + 20 * PAGE, 1, 1) &&
		   marked(p + 23 * PAGE, 4, 1),
	   "with the right contents");
	is(raw_mremap(at + 10 * PAGE, 2 * PAGE, 2 * PAGE, FIXED, at + 21 * PAGE), at + 21 * PAGE,
	   "and back");
	is_str(layout(p, 40), "4-5 ---p, 20-24 rw-p", "it is one area again");
	ok(marked(p + 20 * PAGE, 1, 4), "with its contents in order");
	raw_munmap(at, 40 * PAGE);
}

static void moving_over(void)
{
	char *p = hole(20);
	unsigned long at = (unsigned long)p;

	fix(p, 4, RW);
	mark(p, 1, 4);
	fix(p + 9 * PAGE, 6, PROT_READ | PROT_EXEC);
	is(raw_mremap(at, 4 * PAGE, 3 * PAGE, FIXED, at + 10 * PAGE), at + 10 * PAGE,
	   "FIXED over the middle of another area, shrinking");
	is_str(layout(p, 20), "9-10 r-xp, 10-13 rw-p, 13-15 r-xp", "replaces that part");
	ok(marked(p + 10 * PAGE, 1, 3), "with what was moved");
	is(raw_mremap(at + 10 * PAGE, 3 * PAGE, 5 * PAGE, FIXED, at), at, "FIXED and growing");
	is_str(layout(p, 20), "0-5 rw-p, 9-10 r-xp, 13-15 r-xp", "the area is longer");
	ok(marked(p, 1, 3) && peek(p + 3 * PAGE) == 0 && peek(p + 4 * PAGE) == 0,
	   "its tail is zero");
	raw_munmap(at, 20 * PAGE);

	/* Source and target next to each other, both ways. */
	fix(p, 3, RW);
	mark(p, 1, 3);
	raw_mremap(at, 3 * PAGE, 3 * PAGE, FIXED, at + 3 * PAGE);
	ok(marked(p + 3 * PAGE, 1, 3), "moved right behind itself");
	raw_mremap(at + 3 * PAGE, 3 * PAGE, 3 * PAGE, FIXED, at);
	ok(marked(p, 1, 3), "moved right before itself");
	is_str(layout(p, 20), "0-3 rw-p", "one area");
	raw_munmap(at, 20 * PAGE);
}

/* Pages keep the offset they were born with, once one was touched. */
static void offsets(void)
{
	char *p = hole(20);
	unsigned long at = (unsigned long)p;

	fix(p, 2, RW);
	fix(p + 10 * PAGE, 2, RW);
	raw_mremap(at, 2 * PAGE, 2 * PAGE, FIXED, at + 12 * PAGE);
	is_str(layout(p, 20), "10-14 rw-p", "untouched memory joins its new neighbour");
	raw_munmap(at, 20 * PAGE);

	fix(p, 2, RW);
	mark(p, 1, 2);
	fix(p + 10 * PAGE, 2, RW);
	raw_mremap(at, 2 * PAGE, 2 * PAGE, FIXED, at + 12 * PAGE);
	is_str(layout(p, 20), "10-12 rw-p, 12-14 rw-p", "touched memory doesn't");
	fix(p + 14 * PAGE, 2, RW);
	is_str(layout(p, 20), "10-12 rw-p, 12-14 rw-p, 14-16 rw-p", "nor what is mapped after it");
	raw_mremap(at + 12 * PAGE, 2 * PAGE, 2 * PAGE, FIXED, at + 2 * PAGE);
	fix(p, 2, RW);
	is_str(layout(p, 20), "0-2 rw-p, 2-4 rw-p, 10-12 rw-p, 14-16 rw-p",
	       "moved again, still not");
	raw_mremap(at + 2 * PAGE, 2 * PAGE, 2 * PAGE, FIXED, at + 17 * PAGE);
	raw_mremap(at + 17 * PAGE, 2 * PAGE, 2 * PAGE, FIXED, at);
	fix(p + 2 * PAGE, 2, RW);
	is_str(layout(p, 20), "0-4 rw-p, 10-12 rw-p, 14-16 rw-p",
	       "back at its birthplace it joins a neighbour");
	ok(marked(p, 1, 2), "and all the time it kept its contents");
	raw_munmap(at, 20 * PAGE);
}

static void dontunmap(void)
{
	char *p = hole(30), *q;
	unsigned long at = (unsigned long)p;
	long size;

	fix(p, 4, RW);
	mark(p, 1, 4);
	size = status("VmSize");
	is(raw_mremap(at, 4 * PAGE, 4 * PAGE, DONT | MREMAP_FIXED, at + 10 * PAGE), at + 10 * PAGE,
	   "DONTUNMAP to a fixed place");
	is_str(layout(p, 30), "0-4 rw-p, 10-14 rw-p", "the old area stays");
	is(status("VmSize") - size, 16, "VmSize has grown by four pages");
	is_str(vector(p, 4), "0000", "the old area has no pages left");
	is_str(vector(p + 10 * PAGE, 4), "1111", "the new one has them all");
	ok(marked(p + 10 * PAGE, 1, 4), "with their contents");
	ok(peek(p) == 0 && peek(p + 3 * PAGE) == 0, "the old area reads as zeros");
	mark(p, 50, 4);
	ok(marked(p, 50, 4) && marked(p + 10 * PAGE, 1, 4), "and is memory of its own");
	is(raw_mremap(at + PAGE, 2 * PAGE, 2 * PAGE, DONT | MREMAP_FIXED, at + 20 * PAGE),
	   at + 20 * PAGE, "of a part");
	is_str(layout(p, 30), "0-4 rw-p, 10-14 rw-p, 20-22 rw-p", "leaves the area whole");
	is_str(vector(p, 4), "1001", "but for its pages");
	ok(marked(p + 20 * PAGE, 51, 2), "which have moved");
	q = (char *)raw_mremap(at, 4 * PAGE, 4 * PAGE, DONT, 0);
	ok(!is_error((long)q) && q != p, "without FIXED the kernel chooses");
	is_str(vector(q, 4), "1001", "and moves what is there");
	raw_munmap((unsigned long)q, 4 * PAGE);
	is(raw_mremap(at + 10 * PAGE, 2 * PAGE, 2 * PAGE, DONT, at + 26 * PAGE), at + 26 * PAGE,
	   "a free address is taken as a hint");
	raw_munmap(at, 30 * PAGE);
}

/*
 * DONTUNMAP where the new area touches the old one, untouched memory all of it. The old area takes no
 * part in a merge, and when it is a neighbour nobody does. A locked area is cut first: then its rest is
 * a neighbour like any other.
 */
static void dontunmap_beside(void)
{
	char *p = hole(30);
	unsigned long at = (unsigned long)p;

	fix(p, 2, RW);
	raw_mremap(at, 2 * PAGE, 2 * PAGE, DONT | MREMAP_FIXED, at + 2 * PAGE);
	is_str(layout(p, 30), "0-2 rw-p, 2-4 rw-p", "DONTUNMAP right behind: two areas");
	raw_munmap(at, 30 * PAGE);
	fix(p + 2 * PAGE, 4, RW);
	raw_mremap(at + 4 * PAGE, 2 * PAGE, 2 * PAGE, DONT | MREMAP_FIXED, at);
	is_str(layout(p, 30), "0-2 rw-p, 2-6 rw-p", "of a part, right before: two areas");
	raw_munmap(at, 30 * PAGE);
	fix(p, 20, RW);
	raw_mremap(at + 2 * PAGE, 4 * PAGE, 4 * PAGE, DONT | MREMAP_FIXED, at + 15 * PAGE);
	is_str(layout(p, 30), "0-15 rw-p, 15-19 rw-p, 19-20 rw-p", "into its own end: three");
	raw_munmap(at, 30 * PAGE);
	fix(p, 20, RW);
	raw_mlock2(at, 20 * PAGE, MLOCK_ONFAULT);
	raw_mremap(at + 2 * PAGE, 4 * PAGE, 4 * PAGE, DONT | MREMAP_FIXED, at + 15 * PAGE);
	is_str(layout(p, 30), "0-2 rw-p, 2-6 rw-p, 6-20 rw-p", "the same locked: its end joins");
	raw_munmap(at, 30 * PAGE);
	fix(p, 2, RW);
	fix(p + 10 * PAGE, 2, RW);
	raw_mremap(at, 2 * PAGE, 2 * PAGE, DONT | MREMAP_FIXED, at + 12 * PAGE);
	is_str(layout(p, 30), "0-2 rw-p, 10-14 rw-p", "beside another area it joins that");
	raw_munmap(at, 30 * PAGE);

	/* An area whose pages have all gone starts anew: it joins what is mapped beside it. */
	fix(p, 4, RW);
	mark(p, 1, 4);
	raw_mremap(at, 4 * PAGE, 4 * PAGE, FIXED, at + 10 * PAGE);
	raw_mremap(at + 10 * PAGE, 4 * PAGE, 4 * PAGE, DONT | MREMAP_FIXED, at + 20 * PAGE);
	fix(p + 14 * PAGE, 2, RW);
	is_str(layout(p, 30), "10-16 rw-p, 20-24 rw-p", "emptied by DONTUNMAP it is like new");
	raw_munmap(at, 30 * PAGE);
}

static void locked(void)
{
	char *p = hole(30);
	unsigned long at = (unsigned long)p;

	fix(p, 6, RW);
	is(raw_mlock(at, 4 * PAGE), 0, "four of six pages locked");
	is(raw_mremap(at, 4 * PAGE, 4 * PAGE, FIXED, at + 10 * PAGE), at + 10 * PAGE, "moved");
	is(locked_pages(), 4, "VmLck is the same");
	ok(vm_flag(p + 10 * PAGE, "lo"), "they are locked at the new place");
	is_str(vector(p + 10 * PAGE, 4), "1111", "and present");
	raw_munmap(at + 14 * PAGE, PAGE);
	is(raw_mremap(at + 10 * PAGE, 4 * PAGE, 6 * PAGE, 0, 0), at + 10 * PAGE, "grown");
	is(locked_pages(), 6, "VmLck has grown");
	is_str(vector(p + 10 * PAGE, 6), "111111", "and so have the pages present");
	raw_mmap(at + 16 * PAGE, PAGE, PROT_NONE, ANON | MAP_FIXED, -1, 0);
	is(raw_mremap(at + 10 * PAGE, 6 * PAGE, 8 * PAGE, FIXED, at + 18 * PAGE), at + 18 * PAGE,
	   "moved and grown");
	is(locked_pages(), 8, "VmLck");
	is_str(vector(p + 18 * PAGE, 8), "11111111", "all present");
	is(raw_mremap(at + 18 * PAGE, 8 * PAGE, 3 * PAGE, 0, 0), at + 18 * PAGE, "shrunk");
	is(locked_pages(), 3, "VmLck has shrunk");
	is(raw_mremap(at + 18 * PAGE, 3 * PAGE, 3 * PAGE, DONT | MREMAP_FIXED, at + 24 * PAGE),
	   at + 24 * PAGE, "DONTUNMAP of locked memory");
	is(locked_pages(), 3, "VmLck stays");
	ok(!vm_flag(p + 18 * PAGE, "lo"), "the old area isn't locked any more");
	ok(vm_flag(p + 24 * PAGE, "lo"), "the new one is");
	raw_munmap(at, 30 * PAGE);
	is(locked_pages(), 0, "nothing is left locked");

	/* Of a part: what moved is locked at its new place, and at the old one no more. */
	fix(p, 4, RW);
	raw_mlock(at, 4 * PAGE);
	is(raw_mremap(at + PAGE, 2 * PAGE, 2 * PAGE, DONT | MREMAP_FIXED, at + 10 * PAGE),
	   at + 10 * PAGE, "DONTUNMAP of the middle of locked memory");
	is_str(layout(p, 30), "0-1 rw-p, 1-3 rw-p, 3-4 rw-p, 10-12 rw-p", "splits it");
	ok(vm_flag(p, "lo") && !vm_flag(p + PAGE, "lo") && vm_flag(p + 3 * PAGE, "lo"),
	   "the old middle isn't locked any more");
	is(locked_pages(), 4, "VmLck stays");
	touch(p + PAGE, 2);
	raw_munlock(at, 4 * PAGE);
	is_str(layout(p, 30), "0-1 rw-p, 1-3 rw-p, 3-4 rw-p, 10-12 rw-p",
	       "all unlocked it stays three areas: the middle started anew");
	is(locked_pages(), 2, "and two pages are locked elsewhere");
	raw_munmap(at, 30 * PAGE);
}

/* mlock2(ONFAULT): locked but not brought in; growth mustn't bring it in either. */
static void on_fault(void)
{
	char *p = hole(10);
	unsigned long at = (unsigned long)p;

	fix(p, 2, RW);
	is(raw_mlock2(at, 2 * PAGE, MLOCK_ONFAULT), 0, "two pages locked on fault");
	is(raw_mremap(at, 2 * PAGE, 4 * PAGE, 0, 0), at, "grown");
	is(locked_pages(), 4, "VmLck has grown");
	is_str(vector(p, 4), "0000", "nothing was brought in");
	raw_munmap(at, 10 * PAGE);
}

/* The kernel's stack area may move as well, at the price of its name. */
static void protections(void)
{
	char *p = hole(20);
	unsigned long at = (unsigned long)p;

	fix(p, 2, RW);
	mark(p, 1, 2);
	raw_mprotect(at, 2 * PAGE, PROT_NONE);
	is(raw_mremap(at, 2 * PAGE, 2 * PAGE, FIXED, at + 10 * PAGE), at + 10 * PAGE,
	   "PROT_NONE memory moves with its pages");
	is_str(vector(p + 10 * PAGE, 2), "11", "they are present");
	raw_mprotect(at + 10 * PAGE, 2 * PAGE, PROT_READ);
	ok(marked(p + 10 * PAGE, 1, 2), "and hold what they held");
	raw_mremap(at + 10 * PAGE, 2 * PAGE, 3 * PAGE, FIXED, at);
	is_str(layout(p, 20), "0-3 r--p", "read-only memory grows as such");
	raw_munmap(at, 20 * PAGE);

	fix(p, 2, PROT_READ);
	(void)peek(p);
	raw_mremap(at, 2 * PAGE, 2 * PAGE, FIXED, at + 10 * PAGE);
	is_str(vector(p + 10 * PAGE, 2), "10", "a zero page moves too");
	raw_mprotect(at + 10 * PAGE, 2 * PAGE, RW);
	touch(p + 10 * PAGE, 2);
	is(peek(p + 10 * PAGE), 1, "and can be written then");
	raw_munmap(at, 20 * PAGE);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	same_length();
	shrinking();
	growing_in_place();
	moving();
	moving_over();
	offsets();
	protections();
	dontunmap();
	dontunmap_beside();
	locked();
	on_fault();
	return done_testing();
}
