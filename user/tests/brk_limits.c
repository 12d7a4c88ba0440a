/* SPDX-License-Identifier: MIT */
/* brk: limits, locked heaps, what it merges with, and when it refuses. */
#include "vm.h"

static unsigned long base;

static void data_limit(void)
{
	unsigned long old = soft_limit(RLIMIT_DATA);
	long before = status("VmData"), size = status("VmSize");

	is(raw_brk(base + 4 * PAGE), base + 4 * PAGE, "four pages of heap");
	is(status("VmData") - before, 16, "VmData counts them");
	is(status("VmSize") - size, 16, "and VmSize");
	limit(RLIMIT_DATA, status("VmData") * 1024 + 2 * PAGE);
	is(raw_brk(base + 7 * PAGE), base + 4 * PAGE, "growing over RLIMIT_DATA: refused");
	is(raw_brk(base + 6 * PAGE), base + 6 * PAGE, "up to it: granted");
	limit(RLIMIT_DATA, 0);
	is(raw_brk(base + PAGE), base + 6 * PAGE, "RLIMIT_DATA 0: even shrinking is refused");
	is(raw_brk(base + 6 * PAGE - 1), base + 6 * PAGE, "and moving within the page");
	limit(RLIMIT_DATA, old);
	is(raw_brk(base), base, "without limit it shrinks");
	is(status("VmData"), before, "VmData is what it was");
}

static void size_limit(void)
{
	unsigned long old = soft_limit(RLIMIT_AS);

	limit(RLIMIT_AS, status("VmSize") * 1024 + 2 * PAGE);
	is(raw_brk(base + 3 * PAGE), base, "growing over RLIMIT_AS: refused");
	is(raw_brk(base + 2 * PAGE), base + 2 * PAGE, "up to it: granted");
	limit(RLIMIT_AS, old);
	raw_brk(base);
}

static void shrinking_nothing(void)
{
	raw_brk(base + 4 * PAGE);
	raw_munmap(base + 2 * PAGE, 2 * PAGE);
	is(raw_brk(base + 2 * PAGE), base + 4 * PAGE,
	   "shrinking over a range where nothing is mapped: refused");
	is(raw_brk(base + PAGE), base + PAGE, "over one where something is: granted");
	is_str(layout((char *)base, 6), "0-1 rw-p", "it is gone");
	raw_brk(base);
}

static void below_stack(void)
{
	long wall = raw_mmap(base + 600 * PAGE, 2 * PAGE, RW,
			     ANON | MAP_FIXED_NOREPLACE | MAP_GROWSDOWN, -1, 0);

	is(wall, base + 600 * PAGE, "a growing area above the heap");
	is(raw_brk(base + 344 * PAGE), base, "the heap leaves 256 pages below it, and one more");
	is(raw_brk(base + 343 * PAGE), base + 343 * PAGE, "and uses all up to there");
	raw_brk(base);
	raw_munmap(wall, 2 * PAGE);
}

static void locked(void)
{
	char *p = (char *)base;

	raw_brk(base + 2 * PAGE);
	is(raw_mlock(base, 2 * PAGE), 0, "mlock of the heap");
	is(raw_brk(base + 4 * PAGE), base + 4 * PAGE, "then it grows");
	is_str(layout(p, 6), "0-2 rw-p, 2-4 rw-p", "by an area that isn't locked");
	is(locked_pages(), 2, "VmLck");
	is_str(vector(p, 4), "1100", "nor brought in");
	is(raw_munlock(base, 2 * PAGE), 0, "unlocked");
	raw_brk(base);
	is(locked_pages(), 0, "VmLck");
}

static void merging(void)
{
	char *p = (char *)base;

	raw_brk(base + 2 * PAGE);
	fix(p + 4 * PAGE, 2, RW);
	is(raw_brk(base + 3 * PAGE), base + 3 * PAGE, "one page below another area");
	is_str(layout(p, 8), "0-3 rw-p, 4-6 rw-p", "two areas");
	fix(p + 3 * PAGE, 1, RW);
	is_str(layout(p, 8), "0-6 rw-p", "mmap fills the gap: one area");
	is(raw_brk(base + 4 * PAGE), base + 3 * PAGE, "the heap can't grow into it");
	is(raw_brk(base + PAGE), base + PAGE, "but shrink");
	is_str(layout(p, 8), "0-1 rw-p, 3-6 rw-p", "down to its break");
	raw_brk(base);
	raw_munmap(base, 8 * PAGE);

	raw_brk(base + 2 * PAGE);
	raw_mprotect(base, 2 * PAGE, PROT_READ);
	is(raw_brk(base + 4 * PAGE), base + 4 * PAGE, "a read-only heap grows");
	is_str(layout(p, 6), "0-2 r--p, 2-4 rw-p", "by writable memory");
	raw_brk(base);

	raw_brk(base + 2 * PAGE);
	raw_munmap(base + PAGE, PAGE);
	is(raw_brk(base + 3 * PAGE), base + 3 * PAGE, "a heap that lost its last page grows");
	is_str(layout(p, 6), "0-1 rw-p, 2-3 rw-p", "from its break on");
	raw_brk(base);

	/* A foreign area that ends at the break is as good as the heap's. */
	raw_brk(base + 2 * PAGE);
	raw_munmap(base, 2 * PAGE);
	fix(p + PAGE, 1, RW);
	raw_brk(base + 3 * PAGE);
	is_str(layout(p, 6), "1-3 rw-p", "growth joins any like area that ends at the break");
	raw_brk(base);
}

static void label(void)
{
	struct area area;
	char *p = (char *)base;

	raw_brk(base + 4 * PAGE);
	raw_mprotect(base + PAGE, PAGE, PROT_READ);
	ok(area_at(base, &area) && strcmp(area.name, "[heap]") == 0, "[heap]: the first piece");
	ok(area_at(base + PAGE, &area) && strcmp(area.name, "[heap]") == 0, "[heap]: the second");
	ok(area_at(base + 2 * PAGE, &area) && strcmp(area.name, "[heap]") == 0,
	   "[heap]: the third");
	fix(p + 5 * PAGE, 1, RW);
	ok(area_at(base + 5 * PAGE, &area) && area.name[0] == '\0', "an area beyond: no name");
	raw_munmap(base + 5 * PAGE, PAGE);
	raw_brk(base);
}

/* The top of user space, and the largest heap there is. */
static void far(void)
{
	is(raw_brk(1UL << 63), base, "brk at 2^63: refused");
	is(raw_brk(TASK_SIZE - PAGE), base, "up to the stack: refused");
	is(raw_brk(base - PAGE), raw_brk(0), "below the heap's start: refused");
	is(raw_brk(base + 100 * GIB) != base, number_in("/proc/sys/vm/overcommit_memory") == 1,
	   "100 GiB: refused, unless all is granted");
	raw_brk(base);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	base = (raw_brk(0) + PAGE - 1) & -PAGE;
	is(raw_brk(base), base, "the break at a page's start");
	far();
	shrinking_nothing();
	merging();
	label();
	below_stack();
	data_limit();
	size_limit();
	locked();
	return done_testing();
}
