/* SPDX-License-Identifier: MIT */
/* mlockall and munlockall, each part in a program of its own: they change all of its memory. */
#include "vm.h"

#ifndef MCL_CURRENT
#define MCL_CURRENT 1
#define MCL_FUTURE  2
#endif

static int errors(int argc, char **argv)
{
	unsigned long old = soft_limit(RLIMIT_MEMLOCK);

	(void)argc, (void)argv;
	if (raw_mlockall(0) != -EINVAL || raw_mlockall(8) != -EINVAL ||
	    raw_mlockall(MCL_CURRENT | 8) != -EINVAL || raw_mlockall(MCL_ONFAULT) != -EINVAL)
		return 1;
	if (am_root())
		return 42;
	limit(RLIMIT_MEMLOCK, 0);
	if (raw_mlockall(0) != -EINVAL || raw_mlockall(MCL_CURRENT) != -EPERM ||
	    raw_mlockall(MCL_FUTURE) != -EPERM || raw_munlockall() != 0)
		return 2;
	limit(RLIMIT_MEMLOCK, PAGE);
	if (raw_mlockall(MCL_CURRENT) != -ENOMEM ||
	    raw_mlockall(MCL_CURRENT | MCL_FUTURE) != -ENOMEM)
		return 3;
	/* FUTURE alone looks at no size. */
	if (raw_mlockall(MCL_FUTURE) != 0 || locked_pages() != 0)
		return 4;
	if (raw_mmap(0, 2 * PAGE, RW, ANON, -1, 0) != -EAGAIN ||
	    raw_mmap(0, 2 * PAGE, PROT_NONE, ANON, -1, 0) != -EAGAIN)
		return 5;
	if (raw_mmap(0, PAGE, PROT_NONE, ANON, -1, 0) < 0 || locked_pages() != 1)
		return 6;
	/* An ENOMEM for CURRENT keeps what was. */
	if (raw_mlockall(MCL_CURRENT) != -ENOMEM ||
	    raw_mmap(0, PAGE, PROT_NONE, ANON, -1, 0) != -EAGAIN)
		return 7;
	limit(RLIMIT_MEMLOCK, 0);
	if (raw_mmap(0, PAGE, RW, ANON, -1, 0) != -EAGAIN)
		return 8;
	raw_munlockall();
	if (raw_mmap(0, PAGE, RW, ANON, -1, 0) < 0 || locked_pages() != 0)
		return 9;
	limit(RLIMIT_MEMLOCK, old);
	return 42;
}

static int current(int argc, char **argv)
{
	char *p = fresh(4, RW), *none = fresh(2, PROT_NONE);
	char *q;

	(void)argc, (void)argv;
	if (raw_mlockall(MCL_CURRENT) != 0)
		return 1;
	if (strcmp(vector(p, 4), "1111") != 0 || strcmp(vector(none, 2), "00") != 0)
		return 2;
	if (!vm_flag(p, "lo") || !vm_flag(none, "lo") || smaps(p, "Locked") < 16)
		return 3;
	/* Everything but the kernel's own areas: vvar of four pages and vdso of two. */
	if (status("VmSize") - status("VmLck") > 24)
		return 4;
	q = fresh(4, RW);
	if (strcmp(vector(q, 4), "0000") != 0 || vm_flag(q, "lo"))
		return 5;
	if (raw_munlockall() != 0 || locked_pages() != 0 || vm_flag(p, "lo"))
		return 6;
	return 42;
}

static int current_on_fault(int argc, char **argv)
{
	char *p = fresh(4, RW);

	(void)argc, (void)argv;
	if (raw_mlockall(MCL_CURRENT | MCL_ONFAULT) != 0)
		return 1;
	if (strcmp(vector(p, 4), "0000") != 0 || !vm_flag(p, "lo"))
		return 2;
	touch(p, 1);
	if (strcmp(vector(p, 4), "1000") != 0 || smaps(p, "Locked") != 4)
		return 3;
	/* Without ONFAULT the next call fills what the first left. */
	if (raw_mlockall(MCL_CURRENT) != 0 || strcmp(vector(p, 4), "1111") != 0)
		return 4;
	return 42;
}

static int future(int argc, char **argv)
{
	char *before = fresh(2, RW), *p, *none;

	(void)argc, (void)argv;
	if (raw_mlockall(MCL_FUTURE) != 0 || locked_pages() != 0)
		return 1;
	p = fresh(4, RW);
	if (strcmp(vector(p, 4), "1111") != 0 || locked_pages() != 4 || !vm_flag(p, "lo"))
		return 2;
	none = fresh(2, PROT_NONE);
	if (locked_pages() != 6 || strcmp(vector(none, 2), "00") != 0)
		return 3;
	if (strcmp(vector(before, 2), "00") != 0 || vm_flag(before, "lo"))
		return 4;
	/* CURRENT alone ends FUTURE. */
	if (raw_mlockall(MCL_CURRENT) != 0)
		return 5;
	p = fresh(4, RW);
	if (strcmp(vector(p, 4), "0000") != 0 || vm_flag(p, "lo"))
		return 6;
	return 42;
}

static int future_on_fault(int argc, char **argv)
{
	char *p;

	(void)argc, (void)argv;
	if (raw_mlockall(MCL_FUTURE | MCL_ONFAULT) != 0)
		return 1;
	p = fresh(4, RW);
	if (strcmp(vector(p, 4), "0000") != 0 || locked_pages() != 4 || !vm_flag(p, "lo"))
		return 2;
	touch(p, 2);
	if (smaps(p, "Locked") != 8)
		return 3;
	/* MAP_LOCKED alone asks for the pages, but the process asked first. */
	p = (char *)raw_mmap(0, 4 * PAGE, RW, ANON | MAP_LOCKED, -1, 0);
	if (strcmp(vector(p, 4), "0000") != 0)
		return 6;
	if (raw_munlockall() != 0 || locked_pages() != 0)
		return 4;
	p = fresh(1, RW);
	return vm_flag(p, "lo") ? 5 : 42;
}

/* The break under MCL_FUTURE: a locked piece of heap of its own. */
static int future_brk(int argc, char **argv)
{
	unsigned long base = (raw_brk(0) + PAGE - 1) & -PAGE, old = soft_limit(RLIMIT_MEMLOCK);

	(void)argc, (void)argv;
	raw_brk(base + 2 * PAGE);
	if (raw_mlockall(MCL_FUTURE) != 0)
		return 1;
	if (raw_brk(base + 4 * PAGE) != base + 4 * PAGE || locked_pages() != 2)
		return 2;
	if (strcmp(vector((char *)base, 4), "0011") != 0)
		return 3;
	if (strcmp(layout((char *)base, 6), "0-2 rw-p, 2-4 rw-p") != 0)
		return 4;
	if (am_root())
		return 42;
	limit(RLIMIT_MEMLOCK, 3 * PAGE);
	if (raw_brk(base + 6 * PAGE) != base + 4 * PAGE)
		return 5;
	if (raw_brk(base + 5 * PAGE) != base + 5 * PAGE)
		return 6;
	limit(RLIMIT_MEMLOCK, old);
	if (raw_brk(base) != base || locked_pages() != 0)
		return 7;
	return 42;
}

/* A locked stack that grows: all of it counts, only the touched page is brought in. */
static int stack(int argc, char **argv)
{
	struct area area, grown;
	long locked;

	(void)argc, (void)argv;
	if (!area_named("[stack]", &area))
		return 1;
	if (raw_mlock(area.start, area.end - area.start) != 0)
		return 2;
	locked = locked_pages();
	if (locked != (long)((area.end - area.start) / PAGE))
		return 3;
	*(volatile char *)(area.start - 8 * PAGE) = 1;
	if (!area_named("[stack]", &grown) || grown.start != area.start - 8 * PAGE)
		return 4;
	if (locked_pages() != locked + 8)
		return 5;
	return strcmp(vector((char *)grown.start, 9), "100000001") == 0 ? 42 : 6;
}

static int stack_over_limit(int argc, char **argv)
{
	struct area area;

	(void)argc, (void)argv;
	if (!area_named("[stack]", &area))
		return 1;
	if (raw_mlock(area.start, area.end - area.start) != 0)
		return 2;
	limit(RLIMIT_MEMLOCK, area.end - area.start + 2 * PAGE);
	*(volatile char *)(area.start - 2 * PAGE) = 1;
	*(volatile char *)(area.start - 3 * PAGE) = 1;
	return 3;
}

static const struct mode modes[] = {
	{ "errors", errors },
	{ "current", current },
	{ "current-on-fault", current_on_fault },
	{ "future", future },
	{ "future-on-fault", future_on_fault },
	{ "future-brk", future_brk },
	{ "stack", stack },
	{ "stack-over-limit", stack_over_limit },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	tap_start(argc, argv, modes);
	exits("errors", 42, "mlockall's errors and limits, in their order");
	exits("current", 42, "MCL_CURRENT locks and brings in all there is, not what comes");
	exits("current-on-fault", 42, "MCL_CURRENT|MCL_ONFAULT locks, and brings nothing in");
	exits("future", 42, "MCL_FUTURE locks what comes, not what there is");
	exits("future-on-fault", 42, "MCL_FUTURE|MCL_ONFAULT locks what comes once it is touched");
	exits("future-brk", 42, "the heap under MCL_FUTURE is locked, in an area of its own");
	exits("stack", 42, "a locked stack grows locked");
	if (am_root())
		skip("a locked stack at its limit", "root may lock what it likes");
	else
		dies("stack-over-limit", 11, "a locked stack beyond RLIMIT_MEMLOCK");
	return done_testing();
}
