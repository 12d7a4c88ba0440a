/* SPDX-License-Identifier: MIT */
/* madvise of private anonymous memory: each advice's effect, and each error in its order. */
#include "vm.h"

#ifndef MADV_FREE
#define MADV_FREE 8
#endif

static void dontneed(void)
{
	char *p = hole(8);
	unsigned long at = (unsigned long)p;
	long tables;

	fix(p, 8, RW);
	touch(p, 8);
	tables = status("VmPTE");
	is(raw_madvise(at + 2 * PAGE, 4 * PAGE, MADV_DONTNEED), 0, "DONTNEED of four pages");
	is_str(vector(p, 8), "11000011", "they are gone");
	is(smaps(p, "Rss"), 16, "from Rss, too");
	is_str(layout(p, 8), "0-8 rw-p", "the area is as it was");
	is(peek(p + 3 * PAGE), 0, "what is read then is zero");
	is(peek(p + PAGE) + peek(p + 6 * PAGE), 2, "the neighbours keep their contents");
	is(raw_madvise(at, PAGE + 1, MADV_DONTNEED), 0, "a length inside a page");
	is_str(vector(p, 8), "00010011", "rounds up");
	is(status("VmPTE"), tables, "page tables stay");
	raw_munmap(at, 8 * PAGE);

	fix(p, 2, RW);
	touch(p, 2);
	raw_mprotect(at, 2 * PAGE, PROT_READ);
	is(raw_madvise(at, PAGE, MADV_DONTNEED), 0, "of read-only memory");
	raw_mprotect(at + PAGE, PAGE, PROT_NONE);
	is(raw_madvise(at + PAGE, PAGE, MADV_DONTNEED), 0, "of PROT_NONE");
	is_str(vector(p, 2), "00", "works as well");
	raw_munmap(at, 8 * PAGE);
}

static void free_pages(void)
{
	char *p = hole(4);
	unsigned long at = (unsigned long)p;
	long before, after;
	struct area area;

	fix(p, 4, RW);
	touch(p, 4);
	is(raw_madvise(at, 2 * PAGE, MADV_FREE), 0, "FREE of two written pages");
	is(smaps(p, "Rss"), 16, "they stay until memory is short");
	p[0] = 5;
	is(p[0], 5, "one that is written again");
	is(smaps(p, "Anonymous"), 16, "is anonymous memory as before");
	is(raw_madvise(at, 4 * PAGE, MADV_DONTNEED), 0, "DONTNEED of such pages");
	is_str(vector(p, 4), "0000", "takes them at once");
	is(raw_madvise(at, 4 * PAGE, MADV_FREE), 0, "FREE of untouched memory: 0");
	raw_mprotect(at, PAGE, PROT_READ);
	is(raw_madvise(at, PAGE, MADV_FREE), 0, "FREE of read-only memory: 0");
	raw_munmap(at, 4 * PAGE);

	/* A page that is clean now isn't made writable at once by mprotect: it waits for its fault. */
	fix(p, 2, RW);
	touch(p, 2);
	raw_madvise(at, PAGE, MADV_FREE);
	raw_mprotect(at, 2 * PAGE, PROT_READ);
	raw_mprotect(at, 2 * PAGE, RW);
	before = minor_faults();
	touch(p, 2);
	after = minor_faults();
	is(after - before, 1, "FREE, read-only and back, then written: that page faults");
	raw_munmap(at, 4 * PAGE);
	if (area_at((unsigned long)dontneed, &area))
		is(raw_madvise(area.start, PAGE, MADV_FREE), -EINVAL,
		   "FREE of the program's text: EINVAL");
}

static void populate(void)
{
	char *p = hole(12);
	unsigned long at = (unsigned long)p;
	long before, after;

	fix(p, 4, RW);
	is(raw_madvise(at, 2 * PAGE, MADV_POPULATE_READ), 0, "POPULATE_READ");
	is_str(vector(p, 4), "1100", "brings pages in");
	is(smaps(p, "Rss"), 0, "zero pages");
	before = minor_faults();
	is(raw_madvise(at, 4 * PAGE, MADV_POPULATE_WRITE), 0, "POPULATE_WRITE");
	after = minor_faults();
	is(smaps(p, "Rss"), 16, "brings in pages of the area's own");
	is(after - before, 4, "with a fault each");
	before = minor_faults();
	is(raw_madvise(at, 4 * PAGE, MADV_POPULATE_WRITE), 0, "again");
	after = minor_faults();
	is(after - before, 0, "nothing is left to do");
	raw_munmap(at, 4 * PAGE);

	fix(p, 2, PROT_READ);
	fix(p + 2 * PAGE, 2, RW);
	is(raw_madvise(at, 4 * PAGE, MADV_POPULATE_WRITE), -EINVAL,
	   "POPULATE_WRITE of read-only memory: EINVAL");
	is(raw_madvise(at, 4 * PAGE, MADV_POPULATE_READ), 0, "POPULATE_READ over two areas: 0");
	is_str(vector(p, 4), "1111", "all of it");
	fix(p, 1, PROT_NONE);
	is(raw_madvise(at, PAGE, MADV_POPULATE_READ), -EINVAL,
	   "POPULATE_READ of PROT_NONE: EINVAL");
	fix(p, 1, PROT_WRITE);
	is(raw_madvise(at, PAGE, MADV_POPULATE_WRITE), 0, "POPULATE_WRITE of write-only: 0");
	fix(p, 1, PROT_WRITE);
	is(raw_madvise(at, PAGE, MADV_POPULATE_READ), -EINVAL,
	   "POPULATE_READ of write-only: EINVAL, though it can be read");
	raw_munmap(at, 4 * PAGE);

	fix(p, 2, RW);
	fix(p + 4 * PAGE, 2, RW);
	is(raw_madvise(at, 6 * PAGE, MADV_POPULATE_WRITE), -ENOMEM, "over a hole: ENOMEM");
	is_str(vector(p, 2), "11", "what comes before it is populated");
	is_str(vector(p + 4 * PAGE, 2), "11", "and what comes after it");
	raw_munmap(at, 12 * PAGE);

	raw_mmap(at + 8 * PAGE, 2 * PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
	is(raw_madvise(at + 6 * PAGE, 2 * PAGE, MADV_POPULATE_WRITE), -ENOMEM,
	   "below a growing area: ENOMEM");
	is_str(layout(p, 12), "8-10 rw-p", "it doesn't grow for that");
	raw_munmap(at, 12 * PAGE);
}

/* Those that only leave a mark in the area. */
static void hints(void)
{
	static const struct {
		int advice;
		int undo;
		const char *name;
		const char *flag;
	} cases[] = {
		{ MADV_RANDOM, MADV_NORMAL, "RANDOM", "rr" },
		{ MADV_SEQUENTIAL, MADV_NORMAL, "SEQUENTIAL", "sr" },
		{ MADV_DONTFORK, MADV_DOFORK, "DONTFORK", "dc" },
		{ MADV_DONTDUMP, MADV_DODUMP, "DONTDUMP", "dd" },
		{ 18, 19, "WIPEONFORK", "wf" },
	};
	char *p = hole(4);
	unsigned long at = (unsigned long)p;

	for (size_t i = 0; i < COUNT(cases); i++) {
		fix(p, 4, RW);
		is(raw_madvise(at + PAGE, PAGE, cases[i].advice), 0, "%s", cases[i].name);
		is_str(layout(p, 4), "0-1 rw-p, 1-2 rw-p, 2-4 rw-p", "splits the area");
		ok(vm_flag(p + PAGE, cases[i].flag) && !vm_flag(p, cases[i].flag), "VmFlags: %s",
		   cases[i].flag);
		is(raw_madvise(at, 4 * PAGE, cases[i].undo), 0, "and back");
		is_str(layout(p, 4), "0-4 rw-p", "one area");
		raw_munmap(at, 4 * PAGE);
	}
	fix(p, 4, RW);
	raw_madvise(at, PAGE, MADV_RANDOM);
	raw_madvise(at, PAGE, MADV_SEQUENTIAL);
	ok(!vm_flag(p, "rr") && vm_flag(p, "sr"), "SEQUENTIAL replaces RANDOM");
	fix(p, 2, RW);
	is(raw_madvise(at, 2 * PAGE, MADV_WILLNEED), 0, "WILLNEED");
	is_str(vector(p, 2), "00", "does nothing here");
	raw_munmap(at, 4 * PAGE);
}

static void locked(void)
{
	static const struct {
		int advice;
		const char *name;
	} refused[] = {
		{ MADV_DONTNEED, "DONTNEED" }, { MADV_FREE, "FREE" },	  { MADV_COLD, "COLD" },
		{ MADV_PAGEOUT, "PAGEOUT" },   { MADV_REMOVE, "REMOVE" },
	};
	char *p = hole(6);
	unsigned long at = (unsigned long)p;

	fix(p, 2, RW);
	raw_mlock(at, 2 * PAGE);
	for (size_t i = 0; i < COUNT(refused); i++)
		is(raw_madvise(at, PAGE, refused[i].advice), -EINVAL, "%s of locked memory: EINVAL",
		   refused[i].name);
	touch(p, 2);
	is(raw_madvise(at, PAGE, MADV_DONTNEED_LOCKED_), 0, "DONTNEED_LOCKED is for that");
	is_str(vector(p, 2), "01", "it takes the page");
	is(locked_pages(), 2, "which still counts as locked");
	is(peek(p), 0, "and reads as zero");
	is(raw_madvise(at, 2 * PAGE, MADV_POPULATE_WRITE), 0, "POPULATE of locked memory: 0");
	is(raw_madvise(at, 2 * PAGE, MADV_RANDOM), 0, "RANDOM of locked memory: 0");
	raw_munmap(at, 2 * PAGE);

	fix(p, 2, RW);
	touch(p, 2);
	is(raw_madvise(at, PAGE, MADV_DONTNEED_LOCKED_), 0,
	   "DONTNEED_LOCKED of memory that isn't locked");
	is_str(vector(p, 2), "01", "works too");
	raw_munmap(at, 2 * PAGE);

	/* The first area's own error ends it. */
	fix(p, 1, RW);
	touch(p, 1);
	fix(p + 2 * PAGE, 1, RW);
	raw_mlock(at + 2 * PAGE, PAGE);
	fix(p + 4 * PAGE, 1, RW);
	touch(p + 4 * PAGE, 1);
	is(raw_madvise(at, 5 * PAGE, MADV_DONTNEED), -EINVAL,
	   "a hole, then locked memory: EINVAL beats ENOMEM");
	is(resident(p), 0, "what comes before is done");
	is(resident(p + 4 * PAGE), 1, "what comes after isn't");
	raw_munmap(at, 6 * PAGE);
}

static void holes(void)
{
	char *p = hole(6);
	unsigned long at = (unsigned long)p;

	fix(p, 2, RW);
	touch(p, 2);
	fix(p + 4 * PAGE, 2, RW);
	touch(p + 4 * PAGE, 2);
	is(raw_madvise(at, 6 * PAGE, MADV_DONTNEED), -ENOMEM, "DONTNEED over a hole: ENOMEM");
	is(count_resident(p, 6), 0, "but it has gone on behind it");
	is(raw_madvise(at + 2 * PAGE, PAGE, MADV_DONTNEED), -ENOMEM, "of a hole: ENOMEM");
	is(raw_madvise(at + 2 * PAGE, 3 * PAGE, MADV_RANDOM), -ENOMEM, "RANDOM: ENOMEM");
	ok(vm_flag(p + 4 * PAGE, "rr"), "set where there was memory");
	is(raw_madvise(at + 2 * PAGE, PAGE, MADV_WILLNEED), -ENOMEM, "WILLNEED: ENOMEM");
	raw_munmap(at, 6 * PAGE);
}

static void errors(void)
{
	char *p = hole(4);
	unsigned long at = (unsigned long)p;

	fix(p, 2, RW);
	is(raw_madvise(at, PAGE, 5), -EINVAL, "advice 5 doesn't exist: EINVAL");
	is(raw_madvise(at, PAGE, 7), -EINVAL, "nor 7");
	is(raw_madvise(at, PAGE, 26), -EINVAL, "nor 26");
	is(raw_madvise(at, PAGE, -1), -EINVAL, "nor -1");
	is(raw_madvise(at, 0, 26), -EINVAL, "an unknown advice of length 0: EINVAL");
	is(raw_madvise(at + 2 * PAGE, PAGE, 26), -EINVAL, "comes before a missing area");
	is(raw_madvise(at + 1, PAGE, MADV_DONTNEED), -EINVAL, "unaligned: EINVAL");
	is(raw_madvise(at + 1, 0, MADV_DONTNEED), -EINVAL, "unaligned of length 0: EINVAL");
	is(raw_madvise(at, 0, MADV_DONTNEED), 0, "length 0: 0");
	is(raw_madvise(at + 2 * PAGE, 0, MADV_DONTNEED), 0, "where nothing is, too");
	is(raw_madvise(at, -1UL, MADV_DONTNEED), -EINVAL, "a length that rounds to 0: EINVAL");
	is(raw_madvise(at, -PAGE, MADV_DONTNEED), -EINVAL, "a range that wraps: EINVAL");
	is(raw_madvise(at, 1UL << 63, MADV_FREE + 100), -EINVAL, "2^63 bytes, unknown: EINVAL");
	is(raw_madvise(TASK_SIZE, PAGE, MADV_DONTNEED), -ENOMEM, "beyond user space: ENOMEM");
	is(raw_madvise(-PAGE, PAGE, MADV_DONTNEED), -EINVAL, "the last page of all: EINVAL");
	is(raw_madvise(at, PAGE, MADV_REMOVE), -EINVAL, "REMOVE without a file: EINVAL");
	is(raw_madvise(at, PAGE, MADV_COLD), 0, "COLD: 0");
	is(raw_madvise(at, PAGE, MADV_PAGEOUT), 0, "PAGEOUT: 0");
	raw_munmap(at, 4 * PAGE);
}

/* The kernel's own areas refuse what would lose their pages. */
static void special(void)
{
	struct area area;

	ok(area_named("[vdso]", &area), "there is a vdso");
	is(raw_madvise(area.start, PAGE, MADV_DODUMP), -EINVAL, "DODUMP of the vdso: EINVAL");
	is(raw_madvise(area.start, PAGE, MADV_DONTDUMP), -EINVAL,
	   "DONTDUMP of part of the vdso: EINVAL, it can't be split");
	is(raw_madvise(area.start, area.end - area.start, MADV_DONTDUMP), 0, "of all of it: 0");
	is(raw_madvise(area.start, PAGE, MADV_DOFORK), 0, "DOFORK of the vdso: 0");
	is(raw_madvise(area.start, PAGE, MADV_FREE), -EINVAL, "FREE of the vdso: EINVAL");
	ok(area_named("[vvar]", &area), "there is vvar");
	is(raw_madvise(area.start, PAGE, MADV_DONTNEED), -EINVAL, "DONTNEED of vvar: EINVAL");
	is(raw_madvise(area.start, PAGE, MADV_DOFORK), -EINVAL, "DOFORK: EINVAL");
	is(raw_madvise(area.start, PAGE, MADV_DODUMP), -EINVAL, "DODUMP: EINVAL");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	dontneed();
	errors();
	holes();
	hints();
	populate();
	locked();
	free_pages();
	special();
	return done_testing();
}
