/* SPDX-License-Identifier: MIT */
/*
 * Shared anonymous memory: an object of its own, zeros at first, which everybody sees who has it from
 * a common forebear, until the last area that shows it is gone.
 */
#include "forks.h"

#define SHARED (MAP_SHARED | MAP_ANONYMOUS)
#define FIXED  (MREMAP_MAYMOVE | MREMAP_FIXED)

static char *p;
static unsigned long at;

static void map(unsigned long pages, int prot, long flags)
{
	p = (char *)raw_mmap(0, pages * PAGE, prot, SHARED | flags, -1, 0);
	at = (unsigned long)p;
}

/* The rest of a line of maps behind the addresses, without the inode. */
static const char *line_at(const void *addr)
{
	static char text[200];
	const char *line = maps_text;
	struct area area;

	if (!area_at((unsigned long)addr, &area))
		return "no area";
	while (strtoul(line, NULL, 16) != area.start)
		line = strchr(line, '\n') + 1;
	line = strchr(line, ' ') + 1;
	snprintf(text, sizeof(text), "%.20s%s", line, area.name);
	return text;
}

static void one_program(void)
{
	int got;

	map(4, RW, 0);
	ok(!is_error((long)p), "MAP_SHARED | MAP_ANONYMOUS");
	is_str(line_at(p), "rw-s 00000000 00:01 /dev/zero (deleted)", "its line in maps");
	is(faults_of_read(p + PAGE, &got), 1, "a read is a fault");
	is(got, 0, "... of zeros");
	is(faults_of_write(p + PAGE, 5), 0, "the write after it none");
	is(faults_of_write(p + 2 * PAGE, 6), 1, "a write is one elsewhere");
	is(smaps(p, "Rss"), 8, "smaps: two pages");
	is(smaps(p, "Anonymous"), 0, "... none of them anonymous");
	is(smaps(p, "Private_Dirty"), 8, "... both of them written, by one");
	ok(pagemap(p + PAGE) & PAGEMAP_FILE, "pagemap takes it for a file's");
	ok(exclusive(p + PAGE), "... that one maps");
	is_str(vm_flags(p, "sd"), "rd wr sh mr mw me ms", "flags");
	is_str(vector(p, 4), "0110", "mincore");
	raw_munmap(at, 4 * PAGE);
}

static void merging(void)
{
	char *h = hole(8);
	long flags = SHARED | MAP_FIXED;

	raw_mmap((unsigned long)h, 4 * PAGE, RW, flags, -1, 0);
	raw_mmap((unsigned long)h + 4 * PAGE, 4 * PAGE, RW, flags, -1, 0);
	is_str(layout(h, 8), "0-4 rw-s, 4-8 rw-s", "two mappings never become one");
	raw_mprotect((unsigned long)h + PAGE, PAGE, PROT_READ);
	is_str(layout(h, 8), "0-1 rw-s, 1-2 r--s, 2-4 rw-s, 4-8 rw-s", "one that is cut");
	raw_mprotect((unsigned long)h + PAGE, PAGE, RW);
	is_str(layout(h, 8), "0-4 rw-s, 4-8 rw-s", "... does again");
	fails(raw_mmap(0, PAGE, RW, SHARED | MAP_GROWSDOWN, -1, 0), EINVAL, "none grows down");
	is_str(vm_flags(h, "sd"), "rd wr sh mr mw me ms", "flags after it");
	raw_munmap((unsigned long)h - PAGE, 10 * PAGE);
}

/* --- advice and the other calls ------------------------------------------------------------------ */

static void calls(void)
{
	int fd;

	map(4, RW, 0);
	p[0] = 1;
	p[PAGE] = 2;
	is(raw_madvise(at, 4 * PAGE, MADV_DONTNEED), 0, "MADV_DONTNEED");
	is(smaps(p, "Rss"), 0, "... unmaps the pages");
	is(peek(p + PAGE), 2, "... which keep their content");
	fails(raw_madvise(at, PAGE, MADV_FREE), EINVAL, "MADV_FREE is for private memory");
	fails(raw_madvise(at, PAGE, MADV_WIPEONFORK), EINVAL, "MADV_WIPEONFORK too");
	is(raw_madvise(at, PAGE, MADV_REMOVE), 0, "MADV_REMOVE");
	is(peek(p), 0, "... drops the content");
	is(peek(p + PAGE), 2, "... of these pages");
	is(raw_msync(at, 4 * PAGE, MS_SYNC), 0, "msync");
	is(raw_madvise(at, 4 * PAGE, MADV_POPULATE_WRITE), 0, "MADV_POPULATE_WRITE");
	is_str(vector(p, 4), "1111", "... brings all in");
	is(raw_munmap(at + PAGE, PAGE), 0, "munmap in the middle");
	is(peek(p + 2 * PAGE), 0, "... leaves the rest");
	is(raw_mprotect(at + 2 * PAGE, PAGE, PROT_READ), 0, "mprotect");
	is(raw_madvise(at + 2 * PAGE, PAGE, MADV_REMOVE), 0,
	   "MADV_REMOVE needs no right to write now");
	is(raw_mlock(at, PAGE), 0, "mlock");
	fails(raw_madvise(at, PAGE, MADV_REMOVE), EINVAL, "... keeps it from MADV_REMOVE");
	raw_munmap(at, 4 * PAGE);
	fails(raw_madvise((unsigned long)fresh(1, RW), PAGE, MADV_REMOVE), EINVAL,
	      "MADV_REMOVE of private memory");
	fd = open("/proc/self/exe", O_RDONLY);
	p = (char *)raw_mmap(0, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	fails(raw_madvise((unsigned long)p, PAGE, MADV_REMOVE), EACCES,
	      "MADV_REMOVE of what can't become writable");
	raw_munmap((unsigned long)p, PAGE);
	close(fd);
}

static int read_p(int argc, char **argv)
{
	map(2, RW, 0);
	p = (char *)raw_mremap(at, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE, 0);
	p[PAGE] = 1;
	return peek(p + 2 * PAGE);
}

static void moves(void)
{
	char *h = hole(8), *twice;

	map(4, RW, 0);
	p[0] = 1;
	p[PAGE] = 2;
	is(raw_mremap(at, 4 * PAGE, 4 * PAGE, FIXED, (unsigned long)h), (long)h, "mremap");
	is(peek(h + PAGE), 2, "... takes the content along");
	twice = (char *)raw_mremap((unsigned long)h + PAGE, 0, PAGE, MREMAP_MAYMOVE, 0);
	ok(!is_error((long)twice), "mremap of length 0");
	is(peek(twice), 2, "... shows a page a second time");
	*twice = 3;
	is(peek(h + PAGE), 3, "... the same page");
	ok(frame_of(twice) == frame_of(h + PAGE) && !exclusive(twice), "... mapped twice");
	fails(raw_mremap((unsigned long)h, 0, PAGE, 0, 0), ENOMEM, "... not without MAYMOVE");
	raw_munmap((unsigned long)h, 4 * PAGE);
	is(peek(twice), 3, "the page outlives the first area");
	is(exclusive(twice), 1, "... in the second alone");
	raw_munmap((unsigned long)h - PAGE, 10 * PAGE);
	raw_munmap((unsigned long)twice, PAGE);
	dies("grown", SIGBUS,
	     "behind what it was made with is nothing, though mremap lengthens it");
}

/* --- families -------------------------------------------------------------------------------------- */

static int child_writes(void)
{
	report->n[0] = peek(p);
	p[0] = 2;
	p[PAGE] = 3;
	report->n[1] = smaps(p, "Rss");
	report->n[2] = smaps(p, "Shared_Dirty");
	return 0;
}

static int child_waits(void)
{
	raw_munmap(at + 2 * PAGE, 2 * PAGE);
	await(CHILD);
	report->n[3] = peek(p);
	report->n[4] = peek(p + PAGE);
	return 0;
}

static void families(void)
{
	long child;

	map(4, RW, 0);
	p[0] = 1;
	is(in_child(child_writes), 0, "a child");
	is(report->n[0], 1, "sees what its parent wrote");
	ok(report->n[1] >= 8, "... maps what it needs");
	is(report->n[2], 4, "... of which one is mapped by two");
	is(peek(p), 2, "the parent sees what the child wrote");
	is(peek(p + PAGE), 3, "... on pages that are new, too");
	child = raw_fork();
	if (child == 0)
		raw_exit(child_waits());
	p[0] = 4;
	is(raw_madvise(at + PAGE, PAGE, MADV_REMOVE), 0, "MADV_REMOVE by the parent");
	raw_munmap(at, 4 * PAGE);
	let_go(CHILD);
	is(reap(child), 0, "a child that lives on");
	is(report->n[3], 4, "... has the memory that its parent unmapped");
	is(report->n[4], 0, "... without what it removed");
}

static int child_protects(void)
{
	return raw_mprotect(at, PAGE, PROT_NONE) || raw_madvise(at, PAGE, MADV_DONTNEED);
}

/* Which of the pages are mapped, as "16-32": the first and the last stretch's end. */
static const char *mapped(const char *base, unsigned long pages)
{
	static char text[64];
	unsigned long first = pages, end = 0, n = 0;

	for (unsigned long i = 0; i < pages; i++) {
		if (!resident(base + i * PAGE))
			continue;
		if (first == pages)
			first = i;
		end = i + 1;
		n++;
	}
	snprintf(text, sizeof(text), "%lu-%lu%s", first, end,
		 n == end - first ? "" : " with holes");
	return text;
}

/* Reading one page maps those that are in memory around it: its 64 KiB. */
static void around(void)
{
	char *base;
	long before;
	int got;

	map(320, RW, 0);
	touch(p, 320);
	base = (char *)((at + 16 * PAGE - 1) & -(16 * PAGE));
	/* No window reaches into the next page table: not in a table's last 64 KiB. */
	if (((unsigned long)base / PAGE & 511) == 496)
		base += 16 * PAGE;
	raw_madvise(at, 320 * PAGE, MADV_DONTNEED);
	is(faults_of_read(base + 21 * PAGE, &got), 1, "a read");
	is_str(mapped(base, 64), "16-32", "... maps the page's 64 KiB");
	is(faults_of_write(base + 40 * PAGE, 1), 1, "a write");
	is_str(mapped(base + 32 * PAGE, 32), "8-9", "... that page alone");
	is(faults_of_read(base + 41 * PAGE, &got), 1, "a read beside it");
	is_str(mapped(base + 32 * PAGE, 32), "0-16", "... the others");
	raw_madvise(at, 320 * PAGE, MADV_DONTNEED);
	minor_faults();
	before = minor_faults();
	for (unsigned long i = 0; i < 256; i++)
		got += peek(base + i * PAGE);
	is(minor_faults() - before, 16, "256 pages are read with 16 faults");

	raw_madvise(at, 320 * PAGE, MADV_DONTNEED);
	raw_munmap((unsigned long)base + 3 * PAGE, PAGE);
	peek(base + 6 * PAGE);
	is_str(mapped(base, 64), "4-20",
	       "where an area begins within the 64 KiB, they begin there");
	raw_madvise(at, 320 * PAGE, MADV_DONTNEED);
	raw_munmap((unsigned long)base + 40 * PAGE, PAGE);
	peek(base + 36 * PAGE);
	is_str(mapped(base, 64), "32-40", "... and where it ends, they end");
	raw_madvise(at, 320 * PAGE, MADV_DONTNEED);
	raw_madvise((unsigned long)base + 50 * PAGE, 2 * PAGE, MADV_REMOVE);
	peek(base + 49 * PAGE);
	ok(resident(base + 49 * PAGE) && !resident(base + 50 * PAGE) &&
		   !resident(base + 51 * PAGE) && resident(base + 52 * PAGE),
	   "what isn't in memory is left out");
	raw_munmap(at, 320 * PAGE);
}

static void own_areas(void)
{
	map(1, RW, 0);
	p[0] = 1;
	is(in_child(child_protects), 0, "a child that takes its own rights");
	is(peek(p), 1, "... leaves its parent's");
	is_str(layout(p, 1), "0-1 rw-s", "... areas alone");
	raw_munmap(at, PAGE);
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = { { "grown", read_p }, { NULL, NULL } };

	tap_start(argc, argv, modes);
	forks_start();
	one_program();
	merging();
	calls();
	moves();
	families();
	around();
	own_areas();
	return done_testing();
}
