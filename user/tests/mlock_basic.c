/* SPDX-License-Identifier: MIT */
/*
 * mlock, mlock2, munlock: effects, counts, and each error in its order. VmLck counts the pages of
 * locked areas, present or not; smaps counts those that are present.
 */
#include "vm.h"

/* The operating system has turned protection keys on: CPUID leaf 7, ECX bit 4. */
static bool has_pkeys(void)
{
	unsigned int a = 7, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return c & 1u << 4;
}

static void lock_and_unlock(void)
{
	char *p = hole(8);
	unsigned long at = (unsigned long)p;
	long before, after;

	fix(p, 8, RW);
	before = minor_faults();
	is(raw_mlock(at + 2 * PAGE, 4 * PAGE), 0, "mlock of four pages of eight");
	after = minor_faults();
	is(after - before, 4, "faults four pages in");
	is_str(vector(p, 8), "00111100", "those");
	is(locked_pages(), 4, "VmLck");
	is(smaps(p + 2 * PAGE, "Locked"), 16, "smaps: Locked");
	is(smaps(p + 2 * PAGE, "Rss"), 16, "smaps: Rss");
	is(smaps(p, "Locked"), 0, "not of the neighbour");
	ok(vm_flag(p + 2 * PAGE, "lo") && !vm_flag(p, "lo"), "VmFlags: lo");
	is_str(layout(p, 8), "0-2 rw-p, 2-6 rw-p, 6-8 rw-p", "three areas");
	is(raw_mlock(at + 2 * PAGE, 4 * PAGE), 0, "mlock again");
	is(locked_pages(), 4, "counts nothing twice");
	is(raw_munlock(at + 3 * PAGE, PAGE), 0, "munlock of one page");
	is(locked_pages(), 3, "VmLck");
	is_str(vector(p, 8), "00111100", "the page stays");
	is(raw_munlock(at, 8 * PAGE), 0, "munlock of locked and unlocked pages");
	is(locked_pages(), 0, "VmLck");
	raw_munmap(at, 8 * PAGE);
}

/* Three untouched pages with the middle one locked and unlocked stay three areas. */
static void areas(void)
{
	char *p = hole(3);
	unsigned long at = (unsigned long)p;

	fix(p, 3, RW);
	raw_mlock(at + PAGE, PAGE);
	raw_munlock(at + PAGE, PAGE);
	is_str(layout(p, 3), "0-1 rw-p, 1-2 rw-p, 2-3 rw-p",
	       "untouched, the middle locked and unlocked: three areas");
	raw_munmap(at, 3 * PAGE);
	fix(p, 3, RW);
	touch(p, 1);
	raw_mlock(at + PAGE, PAGE);
	is_str(layout(p, 3), "0-1 rw-p, 1-2 rw-p, 2-3 rw-p", "touched, the middle locked: three");
	raw_munlock(at + PAGE, PAGE);
	is_str(layout(p, 3), "0-3 rw-p", "unlocked: one");
	raw_munmap(at, 3 * PAGE);
}

static void rounding(void)
{
	char *p = hole(4);
	unsigned long at = (unsigned long)p;

	fix(p, 4, RW);
	is(raw_mlock(at + PAGE + 100, PAGE), 0, "an address and a length inside pages");
	is(locked_pages(), 2, "lock both pages that are touched on");
	is(raw_munlock(at + 2 * PAGE + 1, 1), 0, "munlock of one byte");
	is(locked_pages(), 1, "unlocks its page");
	is(raw_mlock(at, 0), 0, "length 0 at a page: 0");
	is(raw_mlock(at + 10 * PAGE, 0), 0, "length 0 beyond the area: 0");
	is(raw_mlock(at + 1, 0), 0, "length 0 inside a page: 0, though the page is touched on");
	is(raw_mlock(at, -1UL), 0, "a length that rounds to 0: 0");
	is(raw_munlock(at, 0), 0, "munlock of length 0: 0");
	is(raw_munmap(at, 4 * PAGE), 0, "munmap");
	is(locked_pages(), 0, "nothing is left locked");
}

static void protections(void)
{
	char *p = hole(6);
	unsigned long at = (unsigned long)p;
	long before, after;

	fix(p, 2, PROT_NONE);
	is(raw_mlock(at, 2 * PAGE), -ENOMEM, "mlock of PROT_NONE: ENOMEM");
	is(locked_pages(), 2, "yet it is flagged and counted");
	ok(vm_flag(p, "lo"), "VmFlags: lo");
	is_str(vector(p, 2), "00", "but not brought in");
	raw_munmap(at, 2 * PAGE);

	fix(p, 2, PROT_WRITE);
	is(raw_mlock(at, 2 * PAGE), 0, "of write-only memory: 0");
	is_str(vector(p, 2), "11", "brought in");
	raw_munmap(at, 2 * PAGE);

	fix(p, 2, PROT_READ);
	is(raw_mlock(at, 2 * PAGE), 0, "of read-only memory: 0");
	is_str(vector(p, 2), "11", "brought in");
	is(smaps(p, "Rss"), 0, "as zero pages, which don't count in Rss");
	is(smaps(p, "Locked"), 0, "nor in Locked");
	is(locked_pages(), 2, "VmLck counts the area's pages all the same");
	before = minor_faults();
	is(raw_mprotect(at, 2 * PAGE, RW), 0, "made writable");
	after = minor_faults();
	is(after - before, 2, "it is copied at once");
	is(smaps(p, "Rss"), 8, "and in Rss now");
	raw_munmap(at, 2 * PAGE);

	fix(p, 2, PROT_EXEC);
	/* Protection keys are what keeps the kernel from reading it, too. */
	is(raw_mlock(at, 2 * PAGE), has_pkeys() ? -ENOMEM : 0,
	   "of exec-only memory: ENOMEM where there are protection keys");
	is(locked_pages(), 2, "flagged and counted");
	raw_munmap(at, 2 * PAGE);

	/* PROT_NONE in the middle: what comes after it isn't brought in. */
	fix(p, 6, RW);
	raw_mprotect(at + 2 * PAGE, 2 * PAGE, PROT_NONE);
	is(raw_mlock(at, 6 * PAGE), -ENOMEM, "PROT_NONE in the middle: ENOMEM");
	is(locked_pages(), 6, "all is flagged");
	is_str(vector(p, 6), "110000", "brought in up to there");
	raw_munmap(at, 6 * PAGE);
}

static void on_fault(void)
{
	char *p = hole(6);
	unsigned long at = (unsigned long)p;

	fix(p, 4, RW);
	is(raw_mlock2(at, 4 * PAGE, MLOCK_ONFAULT), 0, "mlock2 with ONFAULT");
	is(locked_pages(), 4, "counts the pages");
	is_str(vector(p, 4), "0000", "brings none in");
	ok(vm_flag(p, "lo"), "VmFlags: lo");
	is(smaps(p, "Locked"), 0, "smaps: none present");
	touch(p, 2);
	is(smaps(p, "Locked"), 8, "two touched, two locked");
	is(raw_mlock(at, 4 * PAGE), 0, "then mlock");
	is_str(vector(p, 4), "1111", "brings in the others");
	is(locked_pages(), 4, "and counts nothing twice");
	is(raw_mlock2(at, 4 * PAGE, 0), 0, "mlock2 with no flags is mlock");
	is(raw_munlock(at, 4 * PAGE), 0, "munlock undoes both");
	is(locked_pages(), 0, "VmLck");
	is(raw_mlock2(at, 4 * PAGE, MLOCK_ONFAULT), 0, "ONFAULT of pages that are there");
	is(smaps(p, "Locked"), 16, "they are locked at once");
	fix(p + 4 * PAGE, 1, RW);
	is_str(layout(p, 6), "0-4 rw-p, 4-5 rw-p", "a locked area doesn't join an unlocked one");
	raw_munmap(at, 6 * PAGE);
}

static void holes(void)
{
	char *p = hole(8);
	unsigned long at = (unsigned long)p;

	fix(p, 2, RW);
	fix(p + 4 * PAGE, 2, RW);
	is(raw_mlock(at, 6 * PAGE), -ENOMEM, "mlock over a hole: ENOMEM");
	is(locked_pages(), 2, "what came before the hole is flagged and counted");
	is_str(vector(p, 2), "00", "but not brought in");
	ok(!vm_flag(p + 4 * PAGE, "lo"), "what came after it isn't");
	is(raw_munlock(at, 6 * PAGE), -ENOMEM, "munlock over a hole: ENOMEM");
	is(locked_pages(), 0, "with the same effect");
	is(raw_mlock(at + 2 * PAGE, 3 * PAGE), -ENOMEM, "starting in a hole: ENOMEM");
	is(locked_pages(), 0, "locks nothing");
	is(raw_mlock(at, 3 * PAGE), -ENOMEM, "ending in one: ENOMEM");
	is(locked_pages(), 2, "locks what comes before");
	raw_munmap(at, 8 * PAGE);
	is(locked_pages(), 0, "unmapped");
}

static void errors(void)
{
	char *p = hole(4);
	unsigned long at = (unsigned long)p;

	fix(p, 2, RW);
	is(raw_mlock2(at, PAGE, 2), -EINVAL, "mlock2 with an unknown flag: EINVAL");
	is(raw_mlock2(at, 0, 2), -EINVAL, "even of length 0");
	is(raw_mlock2(at + 2 * PAGE, PAGE, 2), -EINVAL, "comes before a missing area");
	is(raw_mlock(at + 2 * PAGE, PAGE), -ENOMEM, "nothing there: ENOMEM");
	is(raw_munlock(at + 2 * PAGE, PAGE), -ENOMEM, "munlock of nothing: ENOMEM");
	is(raw_munlock(at, -PAGE), -EINVAL, "munlock of a range that wraps: EINVAL");
	is(raw_munlock(TASK_SIZE, PAGE), -ENOMEM, "munlock beyond user space: ENOMEM");
	is(raw_mlock(TASK_SIZE, PAGE), -ENOMEM, "mlock beyond user space: ENOMEM");
	is(raw_mlock(-PAGE, PAGE), -EINVAL, "the last page of all: its end wraps, EINVAL");
	is(raw_mlock(0, PAGE), -ENOMEM, "page 0: ENOMEM");
	if (am_root()) {
		is(raw_mlock(at, -PAGE), -EINVAL, "a range that wraps: EINVAL");
		skip("the limits", "root may lock what it likes");
	} else {
		unsigned long old = soft_limit(RLIMIT_MEMLOCK);

		is(raw_mlock(at, -PAGE), -ENOMEM,
		   "a range that wraps is over the limit first: ENOMEM");
		is(raw_mlock(at, 1UL << 63), -ENOMEM, "2^63 bytes: ENOMEM");
		limit(RLIMIT_MEMLOCK, 0);
		is(raw_mlock(at, PAGE), -EPERM, "RLIMIT_MEMLOCK 0: EPERM");
		is(raw_mlock(at, 0), -EPERM, "even for length 0");
		is(raw_mlock2(at, PAGE, 2), -EINVAL, "after mlock2's flags");
		is(raw_mlock(at + 2 * PAGE, PAGE), -EPERM, "before a missing area");
		is(raw_mlock(at, -PAGE), -EPERM, "and before a range that wraps");
		is(raw_munlock(at, PAGE), 0, "munlock needs no permission");
		is(raw_munlockall(), 0, "munlockall neither");
		limit(RLIMIT_MEMLOCK, old);
	}
	raw_munmap(at, 4 * PAGE);
}

static void limits(void)
{
	char *p = hole(16);
	unsigned long at = (unsigned long)p, old = soft_limit(RLIMIT_MEMLOCK);

	if (am_root())
		return;
	fix(p, 8, RW);
	limit(RLIMIT_MEMLOCK, 4 * PAGE);
	is(raw_mlock(at, 5 * PAGE), -ENOMEM, "one page over the limit: ENOMEM");
	is(locked_pages(), 0, "locks nothing");
	is(raw_mlock(at, 4 * PAGE), 0, "exactly the limit");
	is(raw_mlock(at, 4 * PAGE), 0, "the same again: locked pages don't count twice");
	is(raw_mlock(at + 2 * PAGE, 4 * PAGE), -ENOMEM, "half of it new: ENOMEM");
	is(raw_mlock2(at + 2 * PAGE, 4 * PAGE, MLOCK_ONFAULT), -ENOMEM, "ONFAULT: ENOMEM");
	is(raw_mlock(at + 12 * PAGE, PAGE), -ENOMEM, "a hole, over the limit: ENOMEM");
	raw_munlock(at, 2 * PAGE);
	is(raw_mlock(at + 2 * PAGE, 4 * PAGE), 0, "after unlocking two it fits");
	limit(RLIMIT_MEMLOCK, PAGE);
	is(raw_munlock(at + 5 * PAGE, PAGE), 0, "over the limit by now: munlock works");
	is(raw_mlock(at + 2 * PAGE, PAGE), -ENOMEM, "but not mlock of what is locked: ENOMEM");
	limit(RLIMIT_MEMLOCK, old);
	raw_munmap(at, 16 * PAGE);
}

/* The kernel's own areas can be locked but aren't counted. */
static void vdso(void)
{
	struct area area;

	ok(area_named("[vdso]", &area), "there is a vdso");
	is(raw_mlock(area.start, area.end - area.start), 0, "mlock of the vdso: 0");
	is(locked_pages(), 0, "counts nothing");
	ok(!vm_flag((void *)area.start, "lo"), "flags nothing");
	is(raw_munlock(area.start, area.end - area.start), 0, "munlock of the vdso: 0");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	is(locked_pages(), 0, "nothing is locked at the start");
	lock_and_unlock();
	areas();
	rounding();
	protections();
	on_fault();
	holes();
	errors();
	limits();
	vdso();
	return done_testing();
}
