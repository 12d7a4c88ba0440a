/* SPDX-License-Identifier: MIT */
/* mremap: each error, and which comes first. What has been done by then stays done. */
#include "vm.h"

#define MOVE  MREMAP_MAYMOVE
#define FIXED (MREMAP_MAYMOVE | MREMAP_FIXED)
#define DONT  (MREMAP_MAYMOVE | MREMAP_DONTUNMAP)

static void flags(void)
{
	char *p = hole(8);
	unsigned long at = (unsigned long)p;

	fix(p, 2, RW);
	is(raw_mremap(at, PAGE, PAGE, 8, 0), -EINVAL, "a flag that doesn't exist: EINVAL");
	is(raw_mremap(at, PAGE, PAGE, MOVE | 0x10, 0), -EINVAL, "with MAYMOVE too: EINVAL");
	is(raw_mremap(at, PAGE, PAGE, MREMAP_FIXED, at + 4 * PAGE), -EINVAL,
	   "FIXED without MAYMOVE: EINVAL");
	is(raw_mremap(at, PAGE, PAGE, MREMAP_DONTUNMAP, 0), -EINVAL,
	   "DONTUNMAP without MAYMOVE: EINVAL");
	is(raw_mremap(at, PAGE, 2 * PAGE, DONT, 0), -EINVAL,
	   "DONTUNMAP with another length: EINVAL");
	is(raw_mremap(at, 2 * PAGE, PAGE, DONT, 0), -EINVAL, "a shorter one as well: EINVAL");
	is(raw_mremap(at + 1, PAGE, PAGE, MOVE, 0), -EINVAL, "an unaligned old address: EINVAL");
	is(raw_mremap(at, PAGE, 0, MOVE, 0), -EINVAL, "new length 0: EINVAL");
	is(raw_mremap(at, PAGE, -1UL, MOVE, 0), -EINVAL,
	   "a new length that rounds up to 0: EINVAL");
	is(raw_mremap(TASK_SIZE + 1, PAGE, PAGE, MOVE, 0), -EINVAL,
	   "unaligned comes before a missing area");
	is_str(layout(p, 8), "0-2 rw-p", "nothing has changed");
	raw_munmap(at, 8 * PAGE);
}

static void missing(void)
{
	char *p = hole(8);
	unsigned long at = (unsigned long)p;

	fix(p + 4 * PAGE, 2, RW);
	is(raw_mremap(at, PAGE, PAGE, 0, 0), -EFAULT, "no area at old: EFAULT");
	is(raw_mremap(at, PAGE, PAGE, FIXED, at + 4 * PAGE + 1), -EFAULT,
	   "comes before an unaligned new address");
	is(raw_mremap(at, PAGE, PAGE, FIXED, TASK_SIZE), -EFAULT,
	   "and before one beyond user space");
	is(raw_mremap(at, 4 * PAGE, 4 * PAGE, FIXED, at + 2 * PAGE), -EFAULT,
	   "and before one that overlaps");
	is(raw_mremap(TASK_SIZE, PAGE, PAGE, MOVE, 0), -EFAULT, "beyond user space: EFAULT");
	is(raw_mremap(-PAGE, PAGE, 2 * PAGE, MOVE, 0), -EFAULT, "the last page of all: EFAULT");
	is(raw_mremap(at + 3 * PAGE, 2 * PAGE, PAGE, MOVE, 0), -EFAULT,
	   "a shrinking range that starts in a hole: EFAULT");
	is(raw_mremap(0, PAGE, 2 * PAGE, MOVE, 0), -EFAULT, "address 0: EFAULT");
	is(raw_mremap(at, 0, PAGE, MOVE, 0), -EFAULT, "old length 0 in a hole: EFAULT");
	is_str(layout(p, 8), "4-6 rw-p", "nothing has changed");
	raw_munmap(at, 8 * PAGE);
}

static void new_address(void)
{
	char *p = hole(12);
	unsigned long at = (unsigned long)p;

	fix(p, 4, RW);
	is(raw_mremap(at, PAGE, PAGE, FIXED, at + 6 * PAGE + 1), -EINVAL,
	   "an unaligned new address: EINVAL");
	is(raw_mremap(at, PAGE, PAGE, FIXED, TASK_SIZE), -EINVAL,
	   "a new address at the end of user space: EINVAL");
	is(raw_mremap(at, PAGE, 2 * PAGE, FIXED, TASK_SIZE - PAGE), -EINVAL,
	   "across the end: EINVAL");
	is(raw_mremap(at, PAGE, TASK_SIZE + PAGE, FIXED, 0x10000), -EINVAL,
	   "a new length larger than user space: EINVAL");
	is(raw_mremap(at, PAGE, PAGE, FIXED, at), -EINVAL, "new is old: EINVAL");
	is(raw_mremap(at, 2 * PAGE, 2 * PAGE, FIXED, at + PAGE), -EINVAL,
	   "new overlaps old's end: EINVAL");
	is(raw_mremap(at + PAGE, PAGE, 2 * PAGE, FIXED, at), -EINVAL,
	   "new reaches into old from below: EINVAL");
	is(raw_mremap(at, 4 * PAGE, PAGE, FIXED, at + 3 * PAGE), -EINVAL,
	   "new lies in the tail that would be cut: EINVAL");
	is(raw_mremap(at, PAGE, PAGE, DONT, at + 3 * PAGE + 1), -EINVAL,
	   "DONTUNMAP looks at the new address even without FIXED: EINVAL");
	is(raw_mremap(at, 4 * PAGE, 4 * PAGE, DONT, at + PAGE), -EINVAL,
	   "an overlapping hint with DONTUNMAP: EINVAL");
	is(raw_mremap(at, PAGE, PAGE, MOVE, 12345), at, "without them new isn't looked at");
	is_str(layout(p, 12), "0-4 rw-p", "nothing has changed");
	raw_munmap(at, 12 * PAGE);
}

/* FIXED unmaps its target and cuts a longer old range before it looks at the area. */
static void done_before_failing(void)
{
	char *p = hole(20);
	unsigned long at = (unsigned long)p;

	fix(p, 2, RW);
	fix(p + 10 * PAGE, 4, PROT_READ);
	is(raw_mremap(at, 4 * PAGE, 4 * PAGE, FIXED, at + 10 * PAGE), -EFAULT,
	   "a range beyond its area's end, with FIXED: EFAULT");
	is_str(layout(p, 20), "0-2 rw-p", "the target is gone all the same");

	fix(p, 4, RW);
	fix(p + 10 * PAGE, 4, PROT_READ);
	is(raw_mremap(at + 2 * PAGE, 6 * PAGE, 3 * PAGE, FIXED, at + 10 * PAGE), -EFAULT,
	   "the same with a tail to cut: EFAULT");
	is_str(layout(p, 20), "0-4 rw-p, 13-14 r--p",
	       "what is left of old isn't cut, as it was shorter anyway");

	fix(p, 6, RW);
	fix(p + 10 * PAGE, 4, PROT_READ);
	fix(p + 3 * PAGE, 1, PROT_READ);
	is(raw_mremap(at + PAGE, 5 * PAGE, 3 * PAGE, FIXED, at + 10 * PAGE), -EFAULT,
	   "shrinking over two areas: EFAULT");
	is_str(layout(p, 20), "0-3 rw-p, 3-4 r--p, 13-14 r--p",
	       "the tail is cut and the target unmapped");
	raw_munmap(at, 20 * PAGE);

	if (am_root()) {
		skip("a target below mmap_min_addr", "root may map it");
	} else {
		fix(p, 2, RW);
		is(raw_mremap(at, PAGE, PAGE, FIXED, 0), -EPERM, "FIXED to address 0: EPERM");
		is_str(layout(p, 20), "0-2 rw-p", "old is still there");
		is(raw_mremap(at, 2 * PAGE, PAGE, FIXED, 0x1000), -EPERM,
		   "FIXED below mmap_min_addr, shrinking: EPERM");
		is_str(layout(p, 20), "0-1 rw-p", "old has lost its tail");
	}
	raw_munmap(at, 20 * PAGE);
}

/* DONTUNMAP's address is a hint that isn't rounded up as mmap's is: it is refused as it stands. */
static void low_hint(void)
{
	char *p = hole(2);
	unsigned long at = (unsigned long)p;

	fix(p, 1, RW);
	if (am_root())
		skip("a hint below mmap_min_addr", "root may map it");
	else
		is(raw_mremap(at, PAGE, PAGE, DONT, 0xf000), -EPERM,
		   "DONTUNMAP with a hint below mmap_min_addr: EPERM");
	is(raw_mremap(at, PAGE, PAGE, DONT, 0x10000), 0x10000, "with one right at it: taken");
	raw_munmap(0x10000, PAGE);
	raw_munmap(at, 2 * PAGE);
}

static void area_checks(void)
{
	char *p = hole(12);
	unsigned long at = (unsigned long)p;

	fix(p, 4, RW);
	is(raw_mremap(at, 0, PAGE, MOVE, 0), -EINVAL, "old length 0 of private memory: EINVAL");
	is(raw_mremap(at, 0, PAGE, FIXED, at + 6 * PAGE), -EINVAL, "with FIXED: EINVAL");
	is(raw_mremap(at, 0, PAGE, 0, 0), -EINVAL, "without MAYMOVE: EINVAL");
	is(raw_mremap(at + 2 * PAGE, 4 * PAGE, 8 * PAGE, MOVE, 0), -EFAULT,
	   "growing a range beyond its area's end: EFAULT");
	is(raw_mremap(at + 2 * PAGE, 4 * PAGE, 8 * PAGE, 0, 0), -EFAULT, "without MAYMOVE as well");
	is(raw_mremap(at, 3 * PAGE, 4 * PAGE, 0, 0), -ENOMEM,
	   "growing from the middle of an area without MAYMOVE: ENOMEM");
	fix(p + 5 * PAGE, 1, PROT_READ);
	is(raw_mremap(at, 4 * PAGE, 6 * PAGE, 0, 0), -ENOMEM,
	   "growing where another area is in the way: ENOMEM");
	is(raw_mremap(at, 4 * PAGE, TASK_SIZE + PAGE, MOVE, 0), -ENOMEM,
	   "growing beyond all user space: ENOMEM");
	is(raw_mremap(at, 4 * PAGE, 1UL << 63, MOVE, 0), -ENOMEM, "to 2^63 bytes: ENOMEM");
	is(raw_mremap(at, 4 * PAGE, 1UL << 63, 0, 0), -ENOMEM, "without MAYMOVE: ENOMEM");
	is(raw_mremap(at, 4 * PAGE, -PAGE, MOVE, 0), -ENOMEM,
	   "to the largest length there is: ENOMEM");
	is_str(layout(p, 12), "0-4 rw-p, 5-6 r--p", "nothing has changed");
	raw_munmap(at, 12 * PAGE);
}

/* What has no end of its own within user space, at the end of user space. */
static void vdso(void)
{
	struct area area;
	unsigned long size;

	ok(area_named("[vdso]", &area), "there is a vdso");
	size = area.end - area.start;
	is(raw_mremap(area.start, size, size + PAGE, MOVE, 0), -EFAULT, "growing the vdso: EFAULT");
	is(raw_mremap(area.start, PAGE, PAGE, FIXED, 0x10000000), -EINVAL,
	   "moving part of the vdso: EINVAL");
	is(raw_mremap(area.start, size, size, DONT, 0), -EINVAL, "DONTUNMAP of the vdso: EINVAL");
	is(raw_munmap(area.start, PAGE), -EINVAL, "unmapping part of the vdso: EINVAL");
	is(raw_mremap(area.start, size, PAGE, MOVE, 0), -EINVAL, "shrinking the vdso: EINVAL");
	is(raw_mremap(area.start, size, size, FIXED, 0x10000000), 0x10000000, "moving all of it");
	ok(area_named("[vdso]", &area) && area.start == 0x10000000, "it keeps its name");
	is(raw_munmap(area.start, size), 0, "unmapping all of it");
}

static void limits(void)
{
	char *p = hole(20);
	unsigned long at = (unsigned long)p, old, used;

	fix(p, 4, RW);
	fix(p + 12 * PAGE, 2, PROT_NONE);
	old = soft_limit(RLIMIT_AS);
	used = status("VmSize") * 1024;
	limit(RLIMIT_AS, used + PAGE);
	is(raw_mremap(at, 4 * PAGE, 8 * PAGE, 0, 0), -ENOMEM,
	   "growing in place over RLIMIT_AS: ENOMEM");
	is(raw_mremap(at, 4 * PAGE, 8 * PAGE, FIXED, at + 12 * PAGE), -ENOMEM,
	   "growing to a fixed place over RLIMIT_AS: ENOMEM");
	is_str(layout(p, 20), "0-4 rw-p", "the target had been unmapped by then");
	is(raw_mremap(at, 4 * PAGE, 4 * PAGE, FIXED, at + 12 * PAGE), at + 12 * PAGE,
	   "moving alone needs no room under RLIMIT_AS");
	limit(RLIMIT_AS, status("VmSize") * 1024 + 3 * PAGE);
	is(raw_mremap(at + 12 * PAGE, 4 * PAGE, 4 * PAGE, DONT, at), -ENOMEM,
	   "DONTUNMAP counts all of the new area: ENOMEM");
	is(raw_mremap(at + 12 * PAGE, 4 * PAGE, 7 * PAGE, 0, 0), at + 12 * PAGE,
	   "growing by exactly what RLIMIT_AS leaves");
	limit(RLIMIT_AS, old);
	raw_munmap(at, 20 * PAGE);

	fix(p, 4, RW);
	fix(p + 10 * PAGE, 4, PROT_READ);
	old = soft_limit(RLIMIT_DATA);
	limit(RLIMIT_DATA, status("VmData") * 1024 + PAGE);
	is(raw_mremap(at, 4 * PAGE, 6 * PAGE, 0, 0), -ENOMEM,
	   "growing writable memory over RLIMIT_DATA: ENOMEM");
	is(raw_mremap(at + 10 * PAGE, 4 * PAGE, 8 * PAGE, 0, 0), at + 10 * PAGE,
	   "read-only memory doesn't count");
	is(raw_mremap(at, 4 * PAGE, 5 * PAGE, 0, 0), at, "one page more still fits");
	limit(RLIMIT_DATA, old);
	raw_munmap(at, 20 * PAGE);
}

static void locked(void)
{
	char *p = hole(30);
	unsigned long at = (unsigned long)p, old = soft_limit(RLIMIT_MEMLOCK);

	if (am_root()) {
		skip("limits of locked memory", "root may lock what it likes");
		return;
	}
	fix(p, 4, RW);
	fix(p + 20 * PAGE, 2, PROT_READ);
	is(raw_mlock(at, 4 * PAGE), 0, "four locked pages");
	limit(RLIMIT_MEMLOCK, 6 * PAGE);
	is(raw_mremap(at, 4 * PAGE, 7 * PAGE, 0, 0), -EAGAIN,
	   "growing locked memory over the limit: EAGAIN");
	is(raw_mremap(at, 4 * PAGE, 7 * PAGE, FIXED, at + 20 * PAGE), -EAGAIN,
	   "to a fixed place: EAGAIN");
	is_str(layout(p, 30), "0-4 rw-p", "and the target is gone");
	is(raw_mremap(at, 4 * PAGE, 6 * PAGE, 0, 0), at, "growing right up to the limit");
	is(locked_pages(), 6, "VmLck has grown by two pages");
	is_str(vector(p, 6), "111111", "which have been brought in");
	is(raw_mremap(at, 6 * PAGE, 6 * PAGE, DONT, 0) > 0, 1,
	   "DONTUNMAP at the limit: only what is added counts, and that is nothing");
	is(locked_pages(), 6, "VmLck hasn't changed");
	limit(RLIMIT_MEMLOCK, old);
	raw_munlockall();
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	flags();
	missing();
	new_address();
	area_checks();
	low_hint();
	done_before_failing();
	limits();
	locked();
	vdso();
	return done_testing();
}
