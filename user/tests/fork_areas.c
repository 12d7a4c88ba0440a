/* SPDX-License-Identifier: MIT */
/*
 * What areas a child gets: those of its parent, but for what advice keeps from it, without locks, and
 * with a history of their own, by which they merge differently.
 */
#include "forks.h"

static char *p;
static unsigned long at;

/* /proc/self/maps to a text that isn't overwritten by the next. */
static char maps_before[sizeof(maps_text)], maps_after[sizeof(maps_text)];

static void note_maps(char *to)
{
	maps_read();
	strcpy(to, maps_text);
}

static void note(const char *text)
{
	snprintf(report->text, sizeof(report->text), "%s", text);
}

/* --- the same map ------------------------------------------------------------------------------------ */

static int child_maps(void)
{
	/* What the parent noted is in the child's memory, too. */
	note_maps(maps_after);
	return strcmp(maps_before, maps_after) != 0;
}

static void same_map(void)
{
	note_maps(maps_before);
	is(in_child(child_maps), 0, "a child's maps are its parent's, to the letter");
	note_maps(maps_after);
	is_str(maps_after, maps_before, "... and the parent's stay");
}

/* --- advice ------------------------------------------------------------------------------------------ */

static int child_advised(void)
{
	note(layout(p, 12));
	report->n[0] = peek(p + 4 * PAGE);
	report->n[1] = smaps(p + 3 * PAGE, "Rss");
	report->n[2] = vm_flag(p + 3 * PAGE, "wf");
	report->n[3] = peek(p + 7 * PAGE);
	report->n[4] = peek(p + 10 * PAGE);
	return 0;
}

static int child_keeps_wiping(void)
{
	p[4 * PAGE] = 9;
	report->n[5] = in_child(child_advised);
	report->n[6] = report->n[0];
	report->n[7] = peek(p + 4 * PAGE);
	return 0;
}

static int child_reads_gone(void)
{
	return peek(p);
}

static void advice(void)
{
	p = hole(12);
	at = (unsigned long)p;
	fix(p, 12, RW);
	touch(p, 12);
	raw_madvise(at, 3 * PAGE, MADV_DONTFORK);
	raw_madvise(at + 3 * PAGE, 3 * PAGE, MADV_WIPEONFORK);
	raw_madvise(at + 6 * PAGE, 3 * PAGE, MADV_DONTFORK);
	raw_madvise(at + 6 * PAGE, 3 * PAGE, MADV_DOFORK);
	raw_madvise(at + 9 * PAGE, 3 * PAGE, MADV_WIPEONFORK);
	raw_madvise(at + 9 * PAGE, 3 * PAGE, MADV_KEEPONFORK);
	is(in_child(child_advised), 0, "a child of memory with advice");
	is_str(report->text, "3-6 rw-p, 6-12 rw-p", "MADV_DONTFORK: it isn't there");
	is(report->n[1], 0, "MADV_WIPEONFORK: nothing is in memory");
	is(report->n[0], 0, "... and it reads as zeros");
	is(report->n[2], 1, "... and is marked still");
	is(report->n[3], 1, "MADV_DOFORK: as if nothing was said");
	is(report->n[4], 1, "MADV_KEEPONFORK: the same");
	is(in_child(child_reads_gone), -SIGSEGV, "a read of what isn't there");
	is(in_child(child_keeps_wiping), 0, "a child that writes what was wiped");
	is(report->n[5], 0, "... and forks");
	is(report->n[6], 0, "... wipes it for its child");
	is(report->n[7], 9, "... and keeps it");
	is(peek(p + 4 * PAGE), 1, "the parent's is untouched");
	is_str(layout(p, 12), "0-3 rw-p, 3-6 rw-p, 6-12 rw-p", "... as are its areas");
	raw_munmap(at - PAGE, 14 * PAGE);
}

/* --- locks --------------------------------------------------------------------------------------------- */

static int child_locks(void)
{
	char *q;

	report->n[0] = status("VmLck");
	report->n[1] = vm_flag(p, "lo");
	report->n[2] = smaps(p, "Locked");
	q = fresh(2, RW);
	report->n[3] = status("VmLck");
	report->n[4] = smaps(q, "Rss");
	return 0;
}

static void locks(void)
{
	long before;

	p = fresh(4, RW);
	at = (unsigned long)p;
	is(raw_mlock(at, 4 * PAGE), 0, "mlock");
	is(raw_mlockall(MCL_FUTURE), 0, "mlockall(MCL_FUTURE)");
	before = status("VmLck");
	is(in_child(child_locks), 0, "a child");
	is(report->n[0], 0, "VmLck is 0 there");
	is(report->n[1], 0, "... the areas are not locked");
	is(report->n[2], 0, "... by smaps neither");
	is(report->n[3], 0, "... new memory isn't: MCL_FUTURE is off");
	is(report->n[4], 0, "... nor brought in");
	is(status("VmLck"), before, "the parent's locks stay");
	raw_munlockall();
	raw_munmap(at, 4 * PAGE);
}

/* --- what merges ------------------------------------------------------------------------------------------ */

static int child_merges(void)
{
	fix(p + 2 * PAGE, 2, RW);
	note(layout(p, 20));
	fix(p + 12 * PAGE, 2, RW);
	report->n[0] = strcmp(layout(p + 10 * PAGE, 10), "0-4 rw-p") == 0;
	touch(p + 2 * PAGE, 2);
	raw_mprotect(at, 2 * PAGE, PROT_READ);
	raw_mprotect(at, 2 * PAGE, RW);
	report->n[1] = strcmp(layout(p, 10), "0-2 rw-p, 2-4 rw-p") == 0;
	raw_mprotect(at + PAGE, PAGE, PROT_READ);
	raw_mprotect(at + PAGE, PAGE, RW);
	report->n[2] = strcmp(layout(p, 10), "0-2 rw-p, 2-4 rw-p") == 0;
	return 0;
}

static void merging(void)
{
	p = hole(20);
	at = (unsigned long)p;
	fix(p, 2, RW);
	touch(p, 2);
	fix(p + 10 * PAGE, 2, RW);
	is(in_child(child_merges), 0, "a child");
	is_str(report->text, "0-2 rw-p, 2-4 rw-p, 10-12 rw-p",
	       "... whose touched area takes over no new neighbour");
	is(report->n[0], 1, "... but an untouched one does");
	is(report->n[1], 1, "... nor when both are touched");
	is(report->n[2], 1, "... while a piece cut off it comes back");
	fix(p + 2 * PAGE, 2, RW);
	is_str(layout(p, 20), "0-4 rw-p, 10-12 rw-p", "the parent's takes it over");
	raw_munmap(at - PAGE, 22 * PAGE);
}

/* --- the heap ------------------------------------------------------------------------------------------------ */

/* How many areas of that name there are, and where the first begins. */
static long areas_named(const char *name)
{
	const char *line = maps_text;
	struct area area;
	long n = 0;

	if (!maps_read())
		return -1;
	while (*line && (line = maps_line(line, &area)))
		n += strcmp(area.name, name) == 0;
	return n;
}

static int child_heap(void)
{
	unsigned long brk = raw_brk(0);

	report->n[0] = areas_named("[heap]");
	report->n[1] = raw_brk(brk + 3 * PAGE) == brk + 3 * PAGE;
	report->n[2] = areas_named("[heap]");
	*(char *)(brk + PAGE) = 1;
	report->n[3] = raw_brk(brk - PAGE) == brk - PAGE;
	report->n[4] = areas_named("[heap]");
	return 0;
}

static void heap(void)
{
	unsigned long brk = raw_brk(0), before;

	brk = raw_brk(((brk + PAGE - 1) & -PAGE) + 4 * PAGE);
	touch((char *)brk - 4 * PAGE, 4);
	before = areas_named("[heap]");
	is(in_child(child_heap), 0, "a child's heap");
	is(report->n[0], before, "is its parent's");
	is(report->n[1], 1, "... brk lets it grow");
	is(report->n[2], before + 1, "... by an area of its own");
	is(report->n[3], 1, "... and shrink");
	is(report->n[4], before, "... which is gone then");
	is(raw_brk(0), brk, "the parent's break stays");
	is(raw_brk(brk + PAGE), brk + PAGE, "... and grows");
	is(areas_named("[heap]"), before, "... in place");
}

/* --- the stack ---------------------------------------------------------------------------------------------- */

__attribute__((noinline)) static int deep(int pages)
{
	volatile char room[PAGE];
	int sum;

	/* What is done after the call keeps it from becoming a jump. */
	room[0] = (char)pages;
	sum = pages > 0 ? deep(pages - 1) : 0;
	return sum + room[0];
}

static int child_stack(void)
{
	struct area before, after;

	area_named("[stack]", &before);
	deep(100);
	area_named("[stack]", &after);
	report->n[0] = before.start - after.start >= 50 * PAGE;
	report->n[1] = before.end == after.end;
	return 0;
}

static void stack(void)
{
	struct area before, after;

	area_named("[stack]", &before);
	is(in_child(child_stack), 0, "a child's stack");
	is(report->n[0], 1, "grows");
	is(report->n[1], 1, "... downwards");
	area_named("[stack]", &after);
	is(after.start, before.start, "... and its parent's doesn't");
}

/* --- promises ---------------------------------------------------------------------------------------------- */

static int do_nothing(void)
{
	return 0;
}

/* Overcommit mode 0 refuses only what is larger than the machine: each area is asked for alone. */
static void promises(void)
{
	unsigned long big = 3UL << 30;
	long q;

	fails(raw_mmap(0, big, RW, ANON, -1, 0), ENOMEM, "more than there is can't be mapped");
	q = raw_mmap(0, big, RW, ANON | MAP_NORESERVE, -1, 0);
	ok(!is_error(q), "... but with MAP_NORESERVE");
	is(in_child(do_nothing), 0, "... which can be forked");
	is(status("VmSize") > 3L << 20, 1, "... and counts");
	raw_munmap(q, big);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	forks_start();
	same_map();
	advice();
	locks();
	merging();
	heap();
	stack();
	promises();
	return done_testing();
}
