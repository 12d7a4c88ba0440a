/* SPDX-License-Identifier: MIT */
/*
 * Each flag of mmap for anonymous memory: what it does, what it doesn't, and where it stands in
 * the order of errors.
 */
#include "vm.h"

static void ignored(void)
{
	static const struct {
		long flag;
		const char *name;
	} cases[] = {
		{ MAP_STACK, "MAP_STACK" },
		{ MAP_NONBLOCK, "MAP_NONBLOCK alone" },
		{ MAP_DENYWRITE, "MAP_DENYWRITE" },
		{ MAP_EXECUTABLE, "MAP_EXECUTABLE" },
		{ 0x200000, "a flag that doesn't exist" },
		{ 0xfc000000, "a huge page size without MAP_HUGETLB" },
	};
	char *p = hole(3);
	unsigned long at = (unsigned long)p;

	for (size_t i = 0; i < COUNT(cases); i++) {
		fix(p, 1, RW);
		is(raw_mmap(at + PAGE, PAGE, RW, ANON | MAP_FIXED | cases[i].flag, -1, 0),
		   at + PAGE, "%s is accepted", cases[i].name);
		is_str(layout(p, 3), "0-2 rw-p", "and the area joins its plain neighbour");
		raw_munmap(at, 2 * PAGE);
	}
	/* MAP_SYNC is of no use for anonymous memory, but the area remembers it. */
	fix(p, 1, RW);
	is(raw_mmap(at + PAGE, PAGE, RW, ANON | MAP_FIXED | 0x80000, -1, 0), at + PAGE,
	   "MAP_SYNC of private memory is accepted");
	is_str(layout(p, 3), "0-1 rw-p, 1-2 rw-p", "and keeps the area from its neighbour");
	raw_munmap(at, 2 * PAGE);
	/* The 64-bit register's upper half. */
	is(raw_mmap(at, PAGE, RW, ANON | MAP_FIXED | 1L << 40, -1, 0), at,
	   "a flag above bit 31 is ignored");
	raw_munmap(at, PAGE);
}

static void no_replace(void)
{
	char *p = hole(6);
	unsigned long at = (unsigned long)p;

	fix(p + 2 * PAGE, 2, RW);
	is(raw_mmap(at + PAGE, 2 * PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), -EEXIST,
	   "NOREPLACE over an area's start: EEXIST");
	is(raw_mmap(at + 3 * PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), -EEXIST,
	   "over its last page: EEXIST");
	is(raw_mmap(at, 6 * PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), -EEXIST,
	   "all around it: EEXIST");
	is(raw_mmap(at + 2 * PAGE, PAGE, RW, ANON | MAP_FIXED | MAP_FIXED_NOREPLACE, -1, 0),
	   -EEXIST, "together with MAP_FIXED: EEXIST");
	is(raw_mmap(at, 2 * PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), at,
	   "right up to it: mapped");
	is_str(layout(p, 6), "0-4 rw-p", "and joined with it");
	is(raw_mmap(at + 4 * PAGE + 1, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), -EINVAL,
	   "it implies MAP_FIXED: unaligned is EINVAL");
	is(raw_mmap(TASK_SIZE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), -ENOMEM,
	   "beyond user space: ENOMEM");
	is(raw_mmap(at, PAGE, RW, ANON | MAP_LOCKED | MAP_FIXED_NOREPLACE, -1, 0), -EEXIST,
	   "EEXIST with MAP_LOCKED");
	raw_munmap(at, 6 * PAGE);
}

static void populate(void)
{
	char *p = hole(8);
	unsigned long at = (unsigned long)p;
	long before, after;

	raw_mmap(at, 4 * PAGE, RW, ANON | MAP_FIXED | MAP_POPULATE, -1, 0);
	is_str(vector(p, 4), "1111", "MAP_POPULATE brings in all pages");
	before = minor_faults();
	touch(p, 4);
	after = minor_faults();
	is(after - before, 0, "which need no fault afterwards, not even to be written");
	raw_munmap(at, 4 * PAGE);

	before = minor_faults();
	raw_mmap(at, 8 * PAGE, RW, ANON | MAP_FIXED | MAP_POPULATE, -1, 0);
	after = minor_faults();
	is(after - before, 8, "populating counts as a minor fault per page");
	is(smaps(p, "Rss"), 32, "smaps: Rss");
	is(smaps(p, "Private_Dirty"), 32, "smaps: Private_Dirty, since it was as if written");
	raw_munmap(at, 8 * PAGE);

	raw_mmap(at, 4 * PAGE, PROT_READ, ANON | MAP_FIXED | MAP_POPULATE, -1, 0);
	is_str(vector(p, 4), "1111", "of read-only memory: present");
	is(smaps(p, "Rss"), 0, "with the zero page, which is not in Rss");
	raw_munmap(at, 4 * PAGE);

	raw_mmap(at, 4 * PAGE, PROT_WRITE, ANON | MAP_FIXED | MAP_POPULATE, -1, 0);
	is_str(vector(p, 4), "1111", "of write-only memory: present");
	raw_munmap(at, 4 * PAGE);

	is(raw_mmap(at, 4 * PAGE, PROT_NONE, ANON | MAP_FIXED | MAP_POPULATE, -1, 0), at,
	   "MAP_POPULATE of PROT_NONE is no error");
	is_str(vector(p, 4), "0000", "and does nothing");
	raw_munmap(at, 4 * PAGE);

	raw_mmap(at, 4 * PAGE, RW, ANON | MAP_FIXED | MAP_POPULATE | MAP_NONBLOCK, -1, 0);
	is_str(vector(p, 4), "0000", "with MAP_NONBLOCK it does nothing");
	fix(p + 2 * PAGE, 4, RW);
	raw_mmap(at + 2 * PAGE, 2 * PAGE, RW, ANON | MAP_FIXED | MAP_POPULATE, -1, 0);
	is_str(vector(p, 6), "001100", "only the new mapping is populated");
	is_str(layout(p, 8), "0-6 rw-p", "though it joined its neighbours");
	raw_munmap(at, 8 * PAGE);
}

static void no_reserve(void)
{
	char *p = hole(4);
	unsigned long at = (unsigned long)p;

	fix(p, 1, RW);
	raw_mmap(at + PAGE, PAGE, RW, ANON | MAP_FIXED | MAP_NORESERVE, -1, 0);
	is_str(layout(p, 4), "0-1 rw-p, 1-2 rw-p", "MAP_NORESERVE keeps areas apart");
	ok(vm_flag(p, "ac") && !vm_flag(p, "nr"), "VmFlags of the plain one: ac, not nr");
	ok(vm_flag(p + PAGE, "nr") && !vm_flag(p + PAGE, "ac"),
	   "of the one that reserves nothing: nr, not ac");
	raw_mmap(at + 2 * PAGE, PAGE, RW, ANON | MAP_FIXED | MAP_NORESERVE, -1, 0);
	is_str(layout(p, 4), "0-1 rw-p, 1-3 rw-p", "two such areas join");
	raw_munmap(at, 4 * PAGE);

	/* Only writable private memory is charged at all. */
	fix(p, 1, PROT_READ);
	ok(!vm_flag(p, "ac"), "read-only memory isn't charged");
	raw_mprotect(at, PAGE, RW);
	ok(vm_flag(p, "ac"), "until it becomes writable");
	raw_mprotect(at, PAGE, PROT_READ);
	ok(vm_flag(p, "ac"), "and then remains so");
	fix(p + PAGE, 1, PROT_READ);
	is_str(layout(p, 4), "0-1 r--p, 1-2 r--p", "so it doesn't join one born read-only");
	raw_munmap(at, 4 * PAGE);
}

static void grows_down(void)
{
	char *p = hole(600);
	unsigned long at = (unsigned long)p + 500 * PAGE;
	long q;

	is(raw_mmap(at, 4 * PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0), at,
	   "MAP_GROWSDOWN");
	ok(vm_flag((void *)at, "gd"), "VmFlags: gd");
	is(smaps((void *)at, "Size"), 16, "the area is as long as it was asked for");
	((char *)at)[0] = 3;
	((char *)at - PAGE)[0] = 4;
	is_str(layout(p + 498 * PAGE, 6), "1-6 rw-p", "it grows by the page that is touched");
	((char *)at - 10 * PAGE)[100] = 5;
	is_str(layout(p + 488 * PAGE, 14), "2-14 rw-p", "and by ten at once");
	is(peek((char *)at) + peek((char *)at - PAGE), 7, "contents stay");
	q = raw_mmap(at - 20 * PAGE, PAGE, PROT_NONE, ANON, -1, 0);
	ok(q != (long)(at - 20 * PAGE), "a hint in the gap below it isn't taken");
	raw_munmap(q, PAGE);
	q = raw_mmap(at - 10 * PAGE - 256 * PAGE - PAGE, PAGE, PROT_NONE, ANON, -1, 0);
	is(q, at - 10 * PAGE - 256 * PAGE - PAGE, "one that leaves 256 pages is");
	raw_munmap(q, PAGE);
	q = raw_mmap(at - 20 * PAGE, PAGE, PROT_NONE, ANON | MAP_FIXED, -1, 0);
	is(q, at - 20 * PAGE, "MAP_FIXED ignores the gap");
	raw_munmap(q, PAGE);
	q = raw_mmap(at - 20 * PAGE, PAGE, PROT_NONE, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	is(q, at - 20 * PAGE, "and so does NOREPLACE");
	raw_munmap((unsigned long)p, 600 * PAGE);

	/* A plain area doesn't join a growing one, whatever the order. */
	fix(p + 4 * PAGE, 1, RW);
	raw_mmap((unsigned long)p + 5 * PAGE, PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
	is_str(layout(p, 8), "4-5 rw-p, 5-6 rw-p", "MAP_GROWSDOWN keeps areas apart");
	raw_munmap((unsigned long)p, 600 * PAGE);
}

static void locked(void)
{
	char *p = hole(8);
	unsigned long at = (unsigned long)p;
	long before = locked_pages(), b, a;

	is(before, 0, "nothing is locked at the start");
	b = minor_faults();
	is(raw_mmap(at, 4 * PAGE, RW, ANON | MAP_FIXED | MAP_LOCKED, -1, 0), at, "MAP_LOCKED");
	a = minor_faults();
	is(a - b, 4, "faults its four pages in");
	is_str(vector(p, 4), "1111", "they are present");
	is(locked_pages(), 4, "VmLck counts them");
	is(smaps(p, "Locked"), 16, "smaps: Locked");
	ok(vm_flag(p, "lo"), "VmFlags: lo");
	is(raw_mmap(at + 4 * PAGE, 2 * PAGE, PROT_NONE, ANON | MAP_FIXED | MAP_LOCKED, -1, 0),
	   at + 4 * PAGE, "MAP_LOCKED of PROT_NONE is no error");
	is(locked_pages(), 6, "its pages count as locked");
	is(smaps(p + 4 * PAGE, "Locked"), 0, "but none is there");
	raw_munmap(at + PAGE, PAGE);
	is(locked_pages(), 5, "munmap of one locked page");
	fix(p, 1, RW);
	is(locked_pages(), 4, "a locked page replaced by an unlocked one");
	raw_munmap(at, 8 * PAGE);
	is(locked_pages(), 0, "all unmapped, nothing is locked");
}

static void locked_errors(void)
{
	char *p = hole(8);
	unsigned long at = (unsigned long)p, old = soft_limit(RLIMIT_MEMLOCK);

	if (am_root()) {
		skip("limits of locked memory", "root may lock what it likes");
		return;
	}
	limit(RLIMIT_MEMLOCK, 4 * PAGE + 100);
	is(raw_mmap(at, 5 * PAGE, RW, ANON | MAP_FIXED | MAP_LOCKED, -1, 0), -EAGAIN,
	   "one page over RLIMIT_MEMLOCK: EAGAIN");
	is(raw_mmap(at, 5 * PAGE, PROT_NONE, ANON | MAP_FIXED | MAP_LOCKED, -1, 0), -EAGAIN,
	   "of PROT_NONE as well");
	is(raw_mmap(at, 5 * PAGE, RW, MAP_ANONYMOUS | MAP_FIXED | MAP_LOCKED, -1, 0), -EAGAIN,
	   "comes before a bad type");
	is(raw_mmap(at, 4 * PAGE, RW, ANON | MAP_FIXED | MAP_LOCKED, -1, 0), at,
	   "exactly the limit, whose part of a page doesn't count: mapped");
	is(raw_mmap(at, PAGE, RW, ANON | MAP_FIXED | MAP_LOCKED, -1, 0), -EAGAIN,
	   "replacing a locked page: the whole length counts, EAGAIN");
	is_str(layout(p, 8), "0-4 rw-p", "and the old page is still there");
	is(raw_mmap(at, PAGE, RW, ANON | MAP_FIXED, -1, 0), at, "unlocked it can be replaced");
	raw_munmap(at, 8 * PAGE);

	limit(RLIMIT_MEMLOCK, 0);
	is(raw_mmap(at, PAGE, RW, ANON | MAP_FIXED | MAP_LOCKED, -1, 0), -EPERM,
	   "RLIMIT_MEMLOCK 0: EPERM");
	is(raw_mmap(at, PAGE, RW, MAP_ANONYMOUS | MAP_FIXED | MAP_LOCKED, -1, 0), -EPERM,
	   "comes before a bad type");
	is(raw_mmap(at + 1, PAGE, RW, ANON | MAP_FIXED | MAP_LOCKED, -1, 0), -EINVAL,
	   "but after an unaligned address");
	is(raw_mmap(0, PAGE, RW, ANON | MAP_FIXED | MAP_LOCKED, -1, 0), -EPERM,
	   "address 0 with MAP_LOCKED: EPERM");
	limit(RLIMIT_MEMLOCK, PAGE - 1);
	is(raw_mmap(at, PAGE, RW, ANON | MAP_FIXED | MAP_LOCKED, -1, 0), -EAGAIN,
	   "RLIMIT_MEMLOCK of less than a page: EAGAIN");
	limit(RLIMIT_MEMLOCK, old);
	raw_munmap(at, 8 * PAGE);
}

/* What MAP_32BIT asks for lies between 1 and 2 GiB. */
static void low_2gib(void)
{
	long a = raw_mmap(0, 2 * PAGE, RW, ANON | MAP_32BIT, -1, 0), b, q;

	ok(a >= (long)GIB && a + 2 * (long)PAGE <= (long)(2 * GIB),
	   "MAP_32BIT: between 1 and 2 GiB");
	ok(a < (long)(GIB + 32 * MIB), "in the first 32 MiB of it");
	if (number_in("/proc/sys/kernel/randomize_va_space") > 0) {
		skip("the next one is above the first", "each starts at random");
		raw_munmap(a, 2 * PAGE);
	} else {
		b = raw_mmap(0, PAGE, PROT_NONE, ANON | MAP_32BIT, -1, 0);
		is(b, a + 2 * PAGE, "the next one is above the first: bottom-up");
		raw_munmap(a, PAGE);
		is(raw_mmap(0, PAGE, RW, ANON | MAP_32BIT, -1, 0), a,
		   "the lowest gap that fits is taken");
		raw_munmap(a, 3 * PAGE);
	}
	q = raw_mmap(0x60000123, PAGE, RW, ANON | MAP_32BIT, -1, 0);
	is(q, 0x60000000, "a free hint below 2 GiB is taken");
	raw_munmap(q, PAGE);
	q = raw_mmap(0x20000000, PAGE, RW, ANON | MAP_32BIT, -1, 0);
	is(q, 0x20000000, "even one below 1 GiB");
	raw_munmap(q, PAGE);
	q = raw_mmap(0x7ffff000, PAGE, RW, ANON | MAP_32BIT, -1, 0);
	is(q, 0x7ffff000, "the last page below 2 GiB");
	raw_munmap(q, PAGE);
	q = raw_mmap(0x7ffff000, 2 * PAGE, RW, ANON | MAP_32BIT, -1, 0);
	ok(q > 0 && q < (long)(GIB + 32 * MIB), "one that would cross 2 GiB is only a hint");
	raw_munmap(q, 2 * PAGE);
	q = raw_mmap(0x100000000, PAGE, RW, ANON | MAP_32BIT, -1, 0);
	ok(q > 0 && q < (long)(GIB + 32 * MIB), "one above 2 GiB, too");
	raw_munmap(q, PAGE);
	is(raw_mmap(0x100000000, PAGE, RW, ANON | MAP_32BIT | MAP_FIXED, -1, 0), 0x100000000,
	   "MAP_FIXED ignores MAP_32BIT");
	raw_munmap(0x100000000, PAGE);
	is(raw_mmap(0, GIB + PAGE, PROT_NONE, ANON | MAP_32BIT, -1, 0), -ENOMEM,
	   "more than there is between 1 and 2 GiB: ENOMEM");
	q = raw_mmap(0, GIB - 64 * MIB, PROT_NONE, ANON | MAP_32BIT, -1, 0);
	ok(q > 0, "nearly all of it");
	is(raw_mmap(0, 128 * MIB, PROT_NONE, ANON | MAP_32BIT, -1, 0), -ENOMEM,
	   "then 128 MiB: ENOMEM, though all the rest of user space is free");
	raw_munmap(q, GIB - 64 * MIB);
}

/* Without huge pages in the pool. */
static void huge(void)
{
	is(raw_mmap(0, 2 * MIB, RW, ANON | MAP_HUGETLB, -1, 0), -ENOMEM,
	   "MAP_HUGETLB with an empty pool: ENOMEM");
	is(raw_mmap(0, 2 * MIB, RW, ANON | MAP_HUGETLB | 21 << 26, -1, 0), -ENOMEM,
	   "2 MiB by name: ENOMEM");
	is(raw_mmap(0, 2 * MIB, RW, ANON | MAP_HUGETLB | 13 << 26, -1, 0), -EINVAL,
	   "huge pages of 8 KiB: EINVAL");
	is(raw_mmap(0, 2 * MIB, RW, ANON | MAP_HUGETLB | 63L << 26, -1, 0), -EINVAL,
	   "the largest size code: EINVAL");
	is(raw_mmap(0, 2 * MIB, RW, ANON | MAP_HUGETLB | 13 << 26, -1, 1), -EINVAL,
	   "an unaligned offset: EINVAL");
}

/* Of anonymous memory the offset means nothing, as long as it is a whole number of pages. */
static void raw_offset(void)
{
	long p = raw_mmap(0, PAGE, RW, ANON, -1, -PAGE);
	struct area area;

	ok(!is_error(p), "a private mapping at offset 2^64 - 4096");
	ok(area_at(p, &area) && area.offset == 0, "has offset 0 in maps");
	raw_munmap(p, PAGE);
}

static void extremes(void)
{
	is(raw_mmap(0, 1UL << 63, RW, ANON, -1, 0), -ENOMEM, "length 2^63: ENOMEM");
	is(raw_mmap(0, -PAGE, RW, ANON, -1, 0), -ENOMEM, "length 2^64 - 4096: ENOMEM");
	is(raw_mmap(0, -PAGE + 1, RW, ANON, -1, 0), -ENOMEM,
	   "the smallest length that rounds up to 0: ENOMEM");
	is(raw_mmap(0, -1UL, RW, MAP_ANONYMOUS, -1, 0), -ENOMEM, "comes before a bad type");
	is(raw_mmap(1UL << 63, PAGE, RW, ANON | MAP_FIXED, -1, 0), -ENOMEM, "address 2^63: ENOMEM");
	is(raw_mmap(-PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0), -ENOMEM,
	   "the last page of all: ENOMEM");
	is(raw_mmap(-PAGE, 2 * PAGE, RW, ANON | MAP_FIXED, -1, 0), -ENOMEM,
	   "across the end of all addresses: ENOMEM");
	is(raw_mmap(-5UL, PAGE, RW, ANON | MAP_FIXED, -1, 0), -5,
	   "an address that looks like an error is returned as that error");
	is(raw_mmap(PAGE, TASK_SIZE, PROT_NONE, ANON | MAP_FIXED, -1, 0), -ENOMEM,
	   "all of user space from page 1: ENOMEM before EPERM");
	raw_offset();
}

static void last_page(void)
{
	struct area area;
	unsigned long at = TASK_SIZE - PAGE;

	/* When the stack isn't randomised it is the stack's. */
	if (area_at(at, &area)) {
		is(raw_mmap(at, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), -EEXIST,
		   "the last page of user space is taken by the stack");
		return;
	}
	is(raw_mmap(at, PAGE, RW, ANON | MAP_FIXED, -1, 0), at,
	   "the last page of user space can be mapped");
	((char *)at)[PAGE - 1] = 1;
	is(raw_munmap(at, PAGE), 0, "and unmapped");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	ignored();
	no_replace();
	extremes();
	last_page();
	no_reserve();
	populate();
	grows_down();
	low_2gib();
	locked();
	locked_errors();
	huge();
	return done_testing();
}
