/* SPDX-License-Identifier: MIT */
/* mmap and munmap of private anonymous memory: effects, areas, and each error in its order. */
#include "areas.h"

static bool all_bytes(const char *p, size_t len, int value)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != value)
			return false;
	return true;
}

static void map_touch_unmap(void)
{
	char *p = island(4, RW);

	ok((unsigned long)p % PAGE == 0, "the address is page-aligned");
	ok((unsigned long)p + 4 * PAGE <= TASK_SIZE, "the range lies in user space");
	is_str(layout(p - PAGE, 6), "1-5 rw-p", "one area of exactly four pages");
	ok(all_bytes(p, 4 * PAGE, 0), "new memory reads as zeros");
	memset(p, 0x5a, 4 * PAGE);
	ok(all_bytes(p, 4 * PAGE, 0x5a), "and holds what is written");
	is(raw_munmap((unsigned long)p, 4 * PAGE), 0, "munmap");
	is_str(layout(p - PAGE, 6), "", "no area is left");
	is(raw_mmap((unsigned long)p, 4 * PAGE, RW, ANON | MAP_FIXED, -1, 0), (long)p,
	   "the same place mapped again");
	ok(all_bytes(p, 4 * PAGE, 0), "reads as zeros, not as the old contents");
	raw_munmap((unsigned long)p, 4 * PAGE);
	p = fresh(1, RW);
	raw_munmap((unsigned long)p, PAGE);
	is((long)fresh(1, RW), (long)p, "a freed gap is the next one chosen");
	raw_munmap((unsigned long)p, PAGE);
}

static void protections(void)
{
	static const struct {
		int prot;
		const char *perms;
	} cases[] = {
		{ PROT_NONE, "0-1 ---p" },
		{ PROT_READ, "0-1 r--p" },
		{ PROT_WRITE, "0-1 -w-p" },
		{ PROT_EXEC, "0-1 --xp" },
		{ PROT_READ | PROT_EXEC, "0-1 r-xp" },
		{ RW | PROT_EXEC, "0-1 rwxp" },
	};
	char *p = island(1, PROT_NONE);

	for (size_t i = 0; i < COUNT(cases); i++) {
		raw_mmap((unsigned long)p, PAGE, cases[i].prot, ANON | MAP_FIXED, -1, 0);
		is_str(layout(p, 1), cases[i].perms, "protection %d in maps", cases[i].prot);
	}
	is(raw_mmap((unsigned long)p, PAGE, PROT_WRITE, ANON | MAP_FIXED, -1, 0), (long)p,
	   "write-only memory");
	*(volatile char *)p = 7;
	is(*(volatile char *)p, 7, "can be read too: write implies read on x86");
	is(raw_mmap((unsigned long)p, PAGE, PROT_READ | 0x100, ANON | MAP_FIXED, -1, 0), (long)p,
	   "unknown protection bits are ignored");
	is_str(layout(p, 1), "0-1 r--p", "and change nothing");
	raw_munmap((unsigned long)p, PAGE);
}

static void lengths(void)
{
	char *p = island(2, RW);

	is(raw_mmap((unsigned long)p, PAGE + 1, PROT_READ, ANON | MAP_FIXED, -1, 0), (long)p,
	   "a length of one page and a byte");
	is_str(layout(p, 3), "0-2 r--p", "is two pages");
	is(raw_munmap((unsigned long)p, 1), 0, "munmap of one byte");
	is_str(layout(p, 3), "1-2 r--p", "takes one page away");
	raw_munmap((unsigned long)p, 2 * PAGE);
}

static void mmap_errors(void)
{
	char *p = island(2, RW);
	unsigned long at = (unsigned long)p;

	is(raw_mmap(0, 0, RW, ANON, -1, 0), -EINVAL, "length 0: EINVAL");
	is(raw_mmap(at + 1, PAGE, RW, ANON | MAP_FIXED, -1, 0), -EINVAL,
	   "MAP_FIXED at an unaligned address: EINVAL");
	is(raw_mmap(TASK_SIZE, PAGE, RW, ANON | MAP_FIXED, -1, 0), -ENOMEM,
	   "MAP_FIXED beyond user space: ENOMEM");
	is(raw_mmap(TASK_SIZE - PAGE, 2 * PAGE, RW, ANON | MAP_FIXED, -1, 0), -ENOMEM,
	   "MAP_FIXED across the end of user space: ENOMEM");
	is(raw_mmap(0xffff888000000000, PAGE, RW, ANON | MAP_FIXED, -1, 0), -ENOMEM,
	   "MAP_FIXED at a kernel address: ENOMEM");
	is(raw_mmap(TASK_SIZE + 1, PAGE, RW, ANON | MAP_FIXED, -1, 0), -ENOMEM,
	   "beyond user space and unaligned: ENOMEM comes first");
	is(raw_mmap(0, TASK_SIZE + PAGE, PROT_NONE, ANON, -1, 0), -ENOMEM,
	   "longer than user space: ENOMEM");
	is(raw_mmap(0, TASK_SIZE, PROT_NONE, ANON, -1, 0), -ENOMEM,
	   "as long as user space, where nothing so large is free: ENOMEM");
	is(raw_mmap(0, -1UL, RW, ANON, -1, 0), -ENOMEM, "a length that rounds up to 0: ENOMEM");
	is(raw_mmap(0, PAGE, RW, MAP_ANONYMOUS, -1, 0), -EINVAL,
	   "neither shared nor private: EINVAL");
	is(raw_mmap(0, PAGE, RW, MAP_ANONYMOUS | 0x03, -1, 0), -EINVAL,
	   "MAP_SHARED_VALIDATE of anonymous memory: EINVAL");
	is(raw_mmap(0, PAGE, RW, MAP_ANONYMOUS | 0x04, -1, 0), -EINVAL, "type 4: EINVAL");
	is(raw_mmap(TASK_SIZE, PAGE, RW, MAP_ANONYMOUS | MAP_FIXED, -1, 0), -ENOMEM,
	   "a bad type and a bad address: the address is noticed first");
	is(raw_mmap(at, PAGE, RW, MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0), -EEXIST,
	   "a bad type over an area with NOREPLACE: EEXIST comes first");
	is(raw_mmap(at, PAGE, RW, MAP_ANONYMOUS | MAP_FIXED, -1, 0), -EINVAL,
	   "a bad type with MAP_FIXED over an area: EINVAL");
	is_str(layout(p, 2), "0-2 rw-p", "and the area is still there");
	is(raw_mmap(0, PAGE, RW, MAP_PRIVATE, 999, 0), -EBADF, "a closed descriptor: EBADF");
	is(raw_mmap(0, 0, RW, MAP_PRIVATE, 999, 0), -EBADF, "EBADF comes before the length");
	is(raw_mmap(0, PAGE, RW, MAP_PRIVATE, 999, 1), -EINVAL,
	   "an unaligned offset comes before EBADF");
	is(raw_mmap(0, PAGE, RW, ANON, -1, 1), -EINVAL, "and counts for anonymous memory too");
	is(raw_mmap(0, 0, RW, ANON, -1, 0x800), -EINVAL, "unaligned offset, length 0: EINVAL");
	raw_munmap(at, 2 * PAGE);
}

static void low_addresses(void)
{
	unsigned long lowest = 65536;
	char text[32] = "";
	int fd = open("/proc/sys/vm/mmap_min_addr", O_RDONLY);
	long p;

	if (fd >= 0) {
		if (read(fd, text, sizeof(text) - 1) > 0)
			lowest = strtoul(text, NULL, 10);
		close(fd);
	}
	if (geteuid() == 0) {
		skip("MAP_FIXED at 0", "root may map it");
		skip("MAP_FIXED just below mmap_min_addr", "root may map it");
	} else {
		is(raw_mmap(0, PAGE, RW, ANON | MAP_FIXED, -1, 0), -EPERM, "MAP_FIXED at 0: EPERM");
		is(raw_mmap(lowest - PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0), -EPERM,
		   "MAP_FIXED just below mmap_min_addr: EPERM");
	}
	is(raw_mmap(lowest, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), lowest,
	   "mmap_min_addr itself can be mapped");
	raw_munmap(lowest, PAGE);
	p = raw_mmap(1, PAGE, RW, ANON, -1, 0);
	ok(p > 0x100000, "a hint of 1 is no hint");
	raw_munmap(p, PAGE);
	if (lowest < 2 * PAGE) {
		skip("a hint below mmap_min_addr", "mmap_min_addr is one page here");
		return;
	}
	p = raw_mmap(PAGE, PAGE, RW, ANON, -1, 0);
	is(p, lowest, "a hint below mmap_min_addr becomes mmap_min_addr");
	raw_munmap(p, PAGE);
}

static void fixed_and_hints(void)
{
	char *p = island(8, RW);
	unsigned long at = (unsigned long)p;
	long q;

	memset(p, 1, 8 * PAGE);
	is(raw_mmap(at + 2 * PAGE, 2 * PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0), at + 2 * PAGE,
	   "MAP_FIXED over the middle of an area");
	is_str(layout(p, 8), "0-2 rw-p, 2-4 r--p, 4-8 rw-p", "replaces that part");
	ok(all_bytes(p + 2 * PAGE, 2 * PAGE, 0), "with new zeros");
	ok(all_bytes(p, 2 * PAGE, 1) && all_bytes(p + 4 * PAGE, 4 * PAGE, 1),
	   "and leaves the rest its contents");
	is(raw_mmap(at + 6 * PAGE, 4 * PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), -EEXIST,
	   "MAP_FIXED_NOREPLACE over the end of an area: EEXIST");
	is_str(layout(p + 6 * PAGE, 4), "0-2 rw-p", "and maps nothing");
	is(raw_mmap(at + 8 * PAGE, PAGE, PROT_NONE, ANON | MAP_FIXED_NOREPLACE, -1, 0),
	   at + 8 * PAGE, "MAP_FIXED_NOREPLACE where nothing is");
	raw_munmap(at + 8 * PAGE, PAGE);
	is(raw_mmap(at + 10 * PAGE + 123, PAGE, PROT_NONE, ANON, -1, 0), at + 10 * PAGE,
	   "a free hint is taken, rounded down to its page");
	raw_munmap(at + 10 * PAGE, PAGE);
	q = raw_mmap(at + PAGE, PAGE, PROT_NONE, ANON, -1, 0);
	ok(q > 0 && (unsigned long)(q - at) >= 8 * PAGE, "a hint that is taken is only a hint");
	raw_munmap(q, PAGE);
	q = raw_mmap(at - PAGE, 2 * PAGE, PROT_NONE, ANON, -1, 0);
	ok(q > 0 && (unsigned long)q != at - PAGE, "so is one where not the whole length fits");
	raw_munmap(q, 2 * PAGE);
	q = raw_mmap(TASK_SIZE, PAGE, PROT_NONE, ANON, -1, 0);
	ok(q > 0 && (unsigned long)q < TASK_SIZE, "and one beyond user space");
	raw_munmap(q, PAGE);
	raw_munmap(at, 8 * PAGE);
}

static void neighbours_merge(void)
{
	char *p = island(4, RW);
	unsigned long at = (unsigned long)p;

	raw_munmap(at, 4 * PAGE);
	raw_mmap(at, PAGE, RW, ANON | MAP_FIXED, -1, 0);
	raw_mmap(at + 2 * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0);
	is_str(layout(p, 4), "0-1 rw-p, 2-3 rw-p", "two areas with a hole between them");
	raw_mmap(at + PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0);
	is_str(layout(p, 4), "0-3 rw-p", "fill the hole and they are one");
	raw_mmap(at + 3 * PAGE, PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0);
	is_str(layout(p, 4), "0-3 rw-p, 3-4 r--p", "other permissions don't merge");
	raw_munmap(at, 4 * PAGE);
}

static void munmap_errors(void)
{
	char *p = island(2, RW);
	unsigned long at = (unsigned long)p;

	is(raw_munmap(at + 1, PAGE), -EINVAL, "munmap at an unaligned address: EINVAL");
	is(raw_munmap(at, 0), -EINVAL, "munmap of length 0: EINVAL");
	is(raw_munmap(at, -1UL), -EINVAL, "munmap of a length that wraps: EINVAL");
	is(raw_munmap(TASK_SIZE + PAGE, PAGE), -EINVAL, "munmap beyond user space: EINVAL");
	is(raw_munmap(TASK_SIZE, PAGE), -EINVAL, "munmap at the end of user space: EINVAL");
	is(raw_munmap(TASK_SIZE - PAGE, 2 * PAGE), -EINVAL, "munmap across the end: EINVAL");
	is(raw_munmap(at, TASK_SIZE), -EINVAL, "munmap of more than is left: EINVAL");
	is_str(layout(p, 2), "0-2 rw-p", "after these errors the area is whole");
	is(raw_munmap(at + 2 * PAGE, PAGE), 0, "munmap where nothing is: 0");
	raw_munmap(at, 2 * PAGE);
}

static void munmap_cuts(void)
{
	char *p = island(9, RW);
	unsigned long at = (unsigned long)p;

	for (int i = 0; i < 9; i++)
		p[i * PAGE] = i + 1;
	is(raw_munmap(at + 3 * PAGE, 2 * PAGE), 0, "cut out of the middle");
	is_str(layout(p, 9), "0-3 rw-p, 5-9 rw-p", "two areas are left");
	ok(p[0] == 1 && p[2 * PAGE] == 3 && p[5 * PAGE] == 6 && p[8 * PAGE] == 9,
	   "with their contents");
	is(raw_munmap(at, PAGE), 0, "cut the first page");
	is(raw_munmap(at + 8 * PAGE, PAGE), 0, "cut the last page");
	is_str(layout(p, 9), "1-3 rw-p, 5-8 rw-p", "the areas have shrunk");
	raw_munmap(at + 6 * PAGE, PAGE);
	is(raw_munmap(at + 2 * PAGE, 6 * PAGE), 0, "munmap over areas and holes");
	is_str(layout(p, 9), "1-2 rw-p", "takes all of it");
	is(p[PAGE], 2, "and nothing else");
	raw_munmap(at, 9 * PAGE);
}

/* Enough areas that a tree of them has depth: every second page unmapped, then all mapped again. */
static void many_areas(void)
{
	enum { PAGES = 512 };
	char *p = island(PAGES, RW);
	unsigned long at = (unsigned long)p;
	bool good = true;
	long holes = 0;

	for (int i = 0; i < PAGES; i++)
		p[i * PAGE] = i % 100 + 1;
	for (int i = 1; i < PAGES; i += 2)
		good &= raw_munmap(at + i * PAGE, PAGE) == 0;
	ok(good, "every second of 512 pages unmapped");
	for (int i = 0; i < PAGES; i += 2)
		good &= p[i * PAGE] == i % 100 + 1;
	ok(good, "the others kept their contents");
	good = true;
	for (int i = 1; i < PAGES; i += 2) {
		good &= raw_mmap(at + i * PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) ==
			(long)(at + i * PAGE);
		holes += p[i * PAGE] == 0;
	}
	ok(good, "the holes filled again");
	is(holes, PAGES / 2, "with zeros");
	is_str(layout(p, PAGES), "0-512 rw-p", "and all is one area");
	is(raw_munmap(at, PAGES * PAGE), 0, "unmapped at once");
	is_str(layout(p, PAGES), "", "nothing is left");
}

/* Far apart in the address space: other page tables at every level. */
static void far_apart(void)
{
	static const unsigned long places[] = {
		0x10000000, 0x7fe00000, 0x123456789000, 0x400000000000, 0x555000000000,
	};
	bool good = true;

	for (size_t i = 0; i < COUNT(places); i++) {
		long p = raw_mmap(places[i], 2 * PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0);

		good &= p == (long)places[i];
		if (p == (long)places[i])
			*(volatile unsigned long *)(p + PAGE) = places[i];
	}
	ok(good, "areas in far corners of the address space");
	for (size_t i = 0; good && i < COUNT(places); i++)
		good &= *(volatile unsigned long *)(places[i] + PAGE) == places[i] &&
			*(volatile unsigned long *)places[i] == 0;
	ok(good, "each with its own contents");
	for (size_t i = 0; i < COUNT(places); i++)
		good &= raw_munmap(places[i], 2 * PAGE) == 0;
	ok(good, "all unmapped");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	map_touch_unmap();
	protections();
	lengths();
	mmap_errors();
	low_addresses();
	fixed_and_hints();
	neighbours_merge();
	munmap_errors();
	munmap_cuts();
	many_areas();
	far_apart();
	return done_testing();
}
