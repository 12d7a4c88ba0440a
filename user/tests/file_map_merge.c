/* SPDX-License-Identifier: MIT */
/*
 * Areas of files as areas: when they merge and split, what mremap does with them, and
 * remap_file_pages.
 */
#include "filemap.h"

#define SHARED	MAP_SHARED
#define PRIVATE MAP_PRIVATE
#define FIXED	(MREMAP_MAYMOVE | MREMAP_FIXED)

static int fd, again, other;
static char *h;

static unsigned long at(unsigned long page)
{
	return (unsigned long)h + page * PAGE;
}

static void put(unsigned long page, int file, unsigned long pages, int prot, int flags,
		unsigned long pgoff)
{
	map_at(h + page * PAGE, file, pages, prot, flags | MAP_FIXED, pgoff);
}

static void clear(void)
{
	raw_munmap(at(0), 16 * PAGE);
}

static void merging(void)
{
	for (int i = 0; i < 2; i++) {
		int type = i ? PRIVATE : SHARED;
		char c = i ? 'p' : 's';
		char want[64];

		diag("%s", i ? "private" : "shared");
		put(0, fd, 2, RW, type, 0);
		put(2, fd, 2, RW, type, 2);
		snprintf(want, sizeof(want), "0-4 rw-%c", c);
		is_str(layout(h, 16), want, "what follows in the file merges");
		put(5, fd, 2, RW, type, 5);
		put(4, fd, 1, RW, type, 4);
		snprintf(want, sizeof(want), "0-7 rw-%c", c);
		is_str(layout(h, 16), want, "a gap is filled: one area");
		put(8, fd, 2, RW, type, 8);
		put(10, fd, 2, RW, type, 9);
		put(12, fd, 2, RW, type, 10);
		snprintf(want, sizeof(want), "0-7 rw-%c, 8-10 rw-%c, 10-12 rw-%c, 12-14 rw-%c", c,
			 c, c, c);
		is_str(layout(h, 16), want, "other offsets don't");
		clear();
		put(0, fd, 2, RW, type, 0);
		put(2, again, 2, RW, type, 2);
		put(4, other, 2, RW, type, 4);
		put(6, other, 2, PROT_READ, type, 6);
		snprintf(want, sizeof(want), "0-2 rw-%c, 2-4 rw-%c, 4-6 rw-%c, 6-8 r--%c", c, c, c,
			 c);
		is_str(layout(h, 16), want, "nor another open file, nor other rights");
		raw_mprotect(at(6), 2 * PAGE, RW);
		snprintf(want, sizeof(want), "0-2 rw-%c, 2-4 rw-%c, 4-8 rw-%c", c, c, c);
		is_str(layout(h, 16), want, "made equal by mprotect they do");
		clear();
	}
	put(0, fd, 2, PROT_READ, SHARED, 0);
	put(2, fd, 2, PROT_READ, PRIVATE, 2);
	is_str(layout(h, 16), "0-2 r--s, 2-4 r--p", "shared and private don't");
	clear();
}

static void splitting(void)
{
	put(0, fd, 8, RW, SHARED, 0);
	raw_mprotect(at(2), 2 * PAGE, PROT_READ);
	is_str(layout(h, 8), "0-2 rw-s, 2-4 r--s, 4-8 rw-s", "mprotect cuts");
	is(peek(h + 5 * PAGE), 'F', "... each piece at its offset");
	raw_mprotect(at(2), 2 * PAGE, RW);
	is_str(layout(h, 8), "0-8 rw-s", "... and joins");
	raw_mlock(at(3), PAGE);
	is_str(layout(h, 8), "0-3 rw-s, 3-4 rw-s, 4-8 rw-s", "mlock cuts");
	raw_munlock(at(0), 8 * PAGE);
	is_str(layout(h, 8), "0-8 rw-s", "... munlock joins");
	raw_madvise(at(0), 3 * PAGE, MADV_RANDOM);
	is_str(layout(h, 8), "0-3 rw-s, 3-8 rw-s", "madvise cuts");
	raw_madvise(at(0), 3 * PAGE, MADV_NORMAL);
	is_str(layout(h, 8), "0-8 rw-s", "... and joins");
	raw_munmap(at(3), PAGE);
	is_str(layout(h, 8), "0-3 rw-s, 4-8 rw-s", "munmap in the middle");
	is(peek(h + 4 * PAGE), 'E', "... leaves each its part");
	put(3, fd, 1, RW, SHARED, 3);
	is_str(layout(h, 8), "0-8 rw-s", "... which the page in between joins");
	clear();

	put(0, fd, 4, RW, PRIVATE, 0);
	h[PAGE] = 'x';
	raw_mprotect(at(2), 2 * PAGE, PROT_READ);
	raw_mprotect(at(2), 2 * PAGE, RW);
	is_str(layout(h, 8), "0-4 rw-p", "private, with a copy: the same");
	put(4, fd, 2, RW, PRIVATE, 4);
	is_str(layout(h, 8), "0-6 rw-p", "... a new one after it merges");
	is(peek(h + PAGE), 'x', "the copy is there");
	is(peek(h + 5 * PAGE), 'F', "and the file");
	clear();
	put(0, fd, 2, RW, PRIVATE, 0);
	put(4, fd, 2, RW, PRIVATE, 4);
	h[0] = h[4 * PAGE] = 'x';
	put(2, fd, 2, RW, PRIVATE, 2);
	is_str(layout(h, 8), "0-2 rw-p, 2-6 rw-p",
	       "between two with copies of their own: with the one behind");
	clear();
}

static void moving(void)
{
	put(0, fd, 4, RW, SHARED, 0);
	is(raw_mremap(at(0), 4 * PAGE, 2 * PAGE, 0, 0), (long)at(0), "mremap: shorter");
	is_str(layout(h, 16), "0-2 rw-s", "...");
	is(raw_mremap(at(0), 2 * PAGE, 6 * PAGE, 0, 0), (long)at(0), "longer, in place");
	is(peek(h + 5 * PAGE), 'F', "... shows more of the file");
	is(raw_mremap(at(0), 6 * PAGE, 10 * PAGE, 0, 0), (long)at(0), "longer than the file");
	is(try_read(h + 8 * PAGE), -SIGBUS, "... whose end is where it was");
	h[PAGE] = 's';
	is(raw_mremap(at(1), 2 * PAGE, 2 * PAGE, FIXED, at(12)), (long)at(12), "a part, moved");
	is_str(layout(h, 16), "0-1 rw-s, 3-10 rw-s, 12-14 rw-s", "... leaves a hole");
	is(peek(h + 12 * PAGE), 's', "... shows the same page of the file");
	is(resident(h + 13 * PAGE), 1, "... entries have moved along");
	is(raw_mremap(at(12), 2 * PAGE, 2 * PAGE, FIXED, at(1)), (long)at(1), "moved back");
	is_str(layout(h, 16), "0-10 rw-s", "... it merges");
	is(raw_mremap(at(2), 0, 2 * PAGE, FIXED, at(12)), (long)at(12),
	   "of length 0: the area a second time");
	is(peek(h + 12 * PAGE), 'C', "... of the same part");
	h[12 * PAGE] = 'd';
	is(peek(h + 2 * PAGE), 'd', "... shared");
	is_str(layout(h, 16), "0-10 rw-s, 12-14 rw-s", "... and the first is still there");
	clear();
	fill(fd, 0, 8);

	put(0, fd, 4, RW, PRIVATE, 0);
	h[PAGE] = 'p';
	fails(raw_mremap(at(0), 0, 2 * PAGE, MREMAP_MAYMOVE, 0), EINVAL,
	      "private, length 0: EINVAL");
	is(raw_mremap(at(1), 2 * PAGE, 4 * PAGE, FIXED, at(8)), (long)at(8),
	   "private, moved and longer");
	is(peek(h + 8 * PAGE), 'p', "... with the copy");
	is(peek(h + 9 * PAGE), 'C', "... and the file");
	is(peek(h + 11 * PAGE), 'E', "... on to the new end");
	is_str(layout(h, 16), "0-1 rw-p, 3-4 rw-p, 8-12 rw-p", "...");
	is(ftruncate(fd, 2 * PAGE), 0, "the file is cut");
	is(try_read(h + 9 * PAGE), -SIGBUS, "... at the new place, too");
	is(peek(h + 8 * PAGE), 'p', "... a copy within stays");
	ftruncate(fd, PAGE);
	is(try_read(h + 8 * PAGE), -SIGBUS, "... and goes, behind the end");
	fill(fd, 0, 8);
	clear();
}

/* MREMAP_DONTUNMAP: the pages move, the area stays as well. */
static void dontunmap(void)
{
	const long flags = FIXED | MREMAP_DONTUNMAP;

	put(0, fd, 4, RW, PRIVATE, 0);
	h[PAGE] = 'p';
	peek(h);
	is(raw_mremap(at(0), 4 * PAGE, 4 * PAGE, flags, at(8)), (long)at(8),
	   "MREMAP_DONTUNMAP, private");
	is_str(layout(h, 16), "0-4 rw-p, 8-12 rw-p", "... there are two");
	is(count_resident(h, 4), 0, "... entries have moved");
	is(peek(h + 9 * PAGE), 'p', "... and the copy");
	is(peek(h + PAGE), 'B', "... the old place shows the file");
	clear();
	put(0, fd, 4, RW, SHARED, 0);
	h[PAGE] = 's';
	is(raw_mremap(at(0), 4 * PAGE, 4 * PAGE, flags, at(8)), (long)at(8), "... shared");
	is_str(layout(h, 16), "0-4 rw-s, 8-12 rw-s", "... there are two");
	is(count_resident(h, 4), 0, "... entries have moved");
	is(peek(h + PAGE), 's', "... the old place shows the file");
	h[9 * PAGE] = 't';
	is(peek(h + PAGE), 't', "... both share it");
	clear();
	fill(fd, 0, 8);
}

static long remap(unsigned long page, unsigned long size, long prot, unsigned long pgoff,
		  long flags)
{
	return result(syscall(SYS_remap_file_pages, at(page), size, prot, pgoff, flags));
}

static void remap_file_pages_(void)
{
	put(0, fd, 8, RW, SHARED, 0);
	is(remap(1, PAGE, 0, 5, 0), 0, "remap_file_pages");
	is(peek(h + PAGE), 'F', "... shows another page there");
	is_str(layout(h, 8), "0-1 rw-s, 1-2 rw-s, 2-8 rw-s", "... in an area of its own");
	h[PAGE] = 'r';
	is(peek(h + 5 * PAGE), 'r', "... shared");
	is(remap(1, PAGE, 0, 1, 0), 0, "back");
	is_str(layout(h, 8), "0-8 rw-s", "... one area");
	is(remap(6, 2 * PAGE, 0, 0, 0), 0, "two pages");
	is(peek(h + 7 * PAGE), 'B', "...");
	is(remap(0, PAGE, 0, 100, 0), 0, "a page behind the file's end");
	is(try_read(h), -SIGBUS, "...");
	is(remap(2, PAGE + 1, 0, 4, 0), 0, "a size of a page and a byte");
	is_str(layout(h, 8), "0-1 rw-s, 1-2 rw-s, 2-3 rw-s, 3-6 rw-s, 6-8 rw-s", "... is a page");
	fails(remap(0, PAGE, PROT_READ, 0, 0), EINVAL, "any protection: EINVAL");
	fails(remap(0, 0, 0, 0, 0), EINVAL, "no size: EINVAL");
	fails(remap(0, -PAGE, 0, 0, 0), EINVAL, "a size that wraps: EINVAL");
	fails(remap(0, PAGE, 0, -1UL, 0), EINVAL, "an offset that wraps: EINVAL");
	is(remap(0, PAGE, 0, 3, 0x7000), 0, "flags don't matter");
	is(result(syscall(SYS_remap_file_pages, at(0) + 5, PAGE, 0, 2, 0)), 0,
	   "nor a bit of address");
	is(peek(h), 'C', "...");
	fails(remap(12, PAGE, 0, 0, 0), EINVAL, "where nothing is: EINVAL");
	fails(remap(7, 2 * PAGE, 0, 0, 0), EINVAL, "over an area's end: EINVAL");
	clear();
	put(0, fd, 4, PROT_READ, SHARED, 0);
	raw_mlock(at(0), PAGE);
	is(remap(0, PAGE, 0, 2, 0), 0, "a locked area that is only read");
	is_str(layout(h, 8), "0-1 r--s, 1-4 r--s", "... keeps its rights");
	is(vm_flag(h, "lo"), 1, "... and is locked");
	clear();
	put(0, fd, 2, RW, PRIVATE, 0);
	fails(remap(0, PAGE, 0, 1, 0), EINVAL, "private: EINVAL");
	fix(h, 2, RW);
	fails(remap(0, PAGE, 0, 1, 0), EINVAL, "anonymous: EINVAL");
	clear();
	fill(fd, 0, 8);
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "f", "g", NULL };

	tap_start(argc, argv, NULL);
	forks_start();
	make_dir("file_map_merge");
	catch_faults();
	h = window();
	fd = pages_file("f", 8);
	again = open(in_dir("f"), O_RDWR);
	other = pages_file("g", 8);
	merging();
	splitting();
	moving();
	dontunmap();
	remap_file_pages_();
	clean_dir(names);
	return done_testing();
}
