/* SPDX-License-Identifier: MIT */
/*
 * Where an address space's parts go: the plan for a given stack limit, and the search for free addresses
 * in both directions against one that looks at every page.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/abi/mman.h"
#include "mm/internal.h"
#include "tests/host/sim.h"
#include "tests/host/tap.h"

#define MIB (1UL << 20)
#define ANY (MAP_PRIVATE | MAP_ANONYMOUS)

static struct mm_struct *mm;

/* --- the plan ---------------------------------------------------------------------------------------- */

static void test_plan(void)
{
	static const struct {
		const char *name;
		unsigned long limit, random, stack_random;
	} cases[] = {
		{ "8 MiB of stack: the least gap", 8 * MIB, 0, 0 },
		{ "200 MiB: the limit and the guard gap", 200 * MIB, 0, 0 },
		{ "... and how far the stack moved", 200 * MIB, 0, 0x5000 },
		{ "no limit: five sixths", ~0UL, 0, 0 },
		{ "moved down", 8 * MIB, 0x123000, 0 },
	};
	const unsigned long gaps[] = { 128 * MIB, 201 * MIB, 201 * MIB + 0x5000,
				       0x7ffffffff000 / 6 * 5, 128 * MIB + 0x123000 };

	mm = sim_new_mm();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned long base = (0x7ffffffff000 - gaps[i] + 0xfff) & ~0xfffUL;

		arch_pick_mmap_layout(mm, cases[i].limit, cases[i].random, cases[i].stack_random);
		is((long)mm->mmap_base, (long)base, "%s", cases[i].name);
		is((long)vm_mmap(NULL, 0, PAGE_SIZE, PROT_READ, ANY, 0), (long)(base - PAGE_SIZE),
		   "... where the first area ends");
		vm_munmap(base - PAGE_SIZE, PAGE_SIZE);
	}
	arch_pick_mmap_layout(mm, 0, 0x7000, 0);
	is((long)mm->mmap_legacy_base, 0x2aaaaaaab000 + 0x7000,
	   "bottom-up: from a third, moved up");
	sim_exit_mm();
}

/* --- the search, page by page ------------------------------------------------------------------------- */

#define LOW   0x100000UL
#define PAGES 200
static bool taken[PAGES]; /* areas, and the guard gaps of stacks */

static unsigned long first_fit(unsigned int n, bool topdown)
{
	for (unsigned int i = 0; i + n <= PAGES; i++) {
		unsigned int at = topdown ? PAGES - n - i : i, run = 0;

		while (run < n && !taken[at + run])
			run++;
		if (run == n)
			return LOW + at * PAGE_SIZE;
	}
	return (unsigned long)-ENOMEM;
}

static void model_areas(void)
{
	const struct vm_area_struct *vma;

	memset(taken, 0, sizeof(taken));
	for_each_vma(mm, vma)
	{
		/* A guard gap ends where the area before it does. */
		unsigned long a = max(vm_start_gap(vma), vma->vm_prev ? vma->vm_prev->vm_end : 0);

		for (a = max(a, LOW); a < min(vma->vm_end, LOW + PAGES * PAGE_SIZE); a += PAGE_SIZE)
			taken[(a - LOW) >> PAGE_SHIFT] = true;
	}
}

static void random_area(bool stacks)
{
	unsigned long n = 1 + test_random() % 9, i = test_random() % (PAGES - n);
	unsigned long addr = LOW + i * PAGE_SIZE;
	unsigned long flags = ANY | MAP_FIXED;

	if (stacks && test_random() % 12 == 0)
		flags |= MAP_GROWSDOWN;
	if (test_random() % 3)
		vm_mmap(NULL, addr, n * PAGE_SIZE, test_random() % 8, flags, 0);
	else
		vm_munmap(addr, n * PAGE_SIZE);
}

/*
 * The kernel looks from mmap_base down to the lowest address, then up from mmap_legacy_base to the end:
 * the window is made of one area below and one above that leave nothing else.
 */
static void make_window(bool topdown)
{
	const unsigned long end = LOW + PAGES * PAGE_SIZE;

	vm_mmap(NULL, sysctl_mmap_min_addr, LOW - sysctl_mmap_min_addr, PROT_NONE, ANY | MAP_FIXED,
		0);
	vm_mmap(NULL, end, TASK_SIZE - end, PROT_NONE, ANY | MAP_FIXED | MAP_NORESERVE, 0);
	mm->mmap_base = TASK_SIZE;
	mm->mmap_legacy_base = LOW;
	mm->get_unmapped_area = topdown ? arch_get_unmapped_area_topdown : arch_get_unmapped_area;
}

static void test_search(bool topdown, bool stacks)
{
	unsigned int wrong = 0, found = 0, full = 0;

	mm = sim_new_mm();
	make_window(topdown);
	for (int n = 0; n < 4000; n++) {
		unsigned int pages =
			1 + (unsigned int)(test_random() % (test_random() % 3 ? 8 : 60));
		unsigned long expected, got;

		random_area(stacks);
		model_areas();
		expected = first_fit(pages, topdown);
		got = get_unmapped_area(mm, NULL, 0, pages * PAGE_SIZE, 0, ANY);
		if (got != expected && wrong++ == 0)
			diag("%u pages: %#lx, expected %#lx", pages, got, expected);
		if (IS_ERR_VALUE(expected))
			full++;
		else
			found++;
	}
	is(wrong, 0, "%s%s: %u times the first fit, %u times none",
	   topdown ? "top-down" : "bottom-up", stacks ? " around stacks" : "", found, full);
	ok(found > 100 && full > 100, "... both happened");
	sim_exit_mm();
}

/* --- hints, limits, special wishes ---------------------------------------------------------------------- */

static unsigned long at(unsigned long hint, unsigned long len, unsigned long flags)
{
	return vm_mmap(NULL, hint, len, PROT_READ, ANY | flags, 0);
}

static void test_hints(void)
{
	unsigned long base;

	mm = sim_new_mm();
	base = mm->mmap_base;
	is((long)at(0x20000000, PAGE_SIZE, 0), 0x20000000, "a hint that is free is taken");
	is((long)at(0x20000123, PAGE_SIZE, 0), (long)(base - PAGE_SIZE), "one that isn't is not");
	is((long)at(0x30000fff, PAGE_SIZE, 0), 0x30000000, "a hint is rounded down");
	is((long)at(1, PAGE_SIZE, 0), (long)(base - 2 * PAGE_SIZE), "less than a page is no hint");
	is((long)at(0x1000, PAGE_SIZE, 0), 0x10000, "below the lowest address: the lowest");
	is((long)at(0x7fffffffe000, PAGE_SIZE, 0), 0x7fffffffe000, "the last page of user space");
	is((long)at(0x7ffffffff000, PAGE_SIZE, 0), (long)(base - 3 * PAGE_SIZE), "... not beyond");
	is((long)at(0x1fffff000, 2 * PAGE_SIZE, 0), 0x1fffff000, "two pages at a hint");
	is((long)at(0x1ffffe000, 2 * PAGE_SIZE, 0), (long)(base - 5 * PAGE_SIZE),
	   "one that reaches into the next area is not taken");
	is((long)at(0, PAGE_SIZE, MAP_32BIT), 0x40000000, "MAP_32BIT: from 1 GiB up");
	is((long)at(0, PAGE_SIZE, MAP_32BIT), 0x40001000, "... the next one behind it");
	is((long)at(0, 1UL << 30, MAP_32BIT), -ENOMEM, "... up to 2 GiB");
	is((long)at(0x0, TASK_SIZE, 0), -ENOMEM, "as much as there is, but not free");
	is((long)at(0, TASK_SIZE + PAGE_SIZE, 0), -ENOMEM, "more than there is");
	sim_exit_mm();

	mm = sim_new_mm();
	at(0x50000000, PAGE_SIZE, MAP_FIXED | MAP_GROWSDOWN);
	is((long)at(0x50000000 - 256 * PAGE_SIZE, PAGE_SIZE, 0), (long)(mm->mmap_base - PAGE_SIZE),
	   "a hint in a stack's guard gap is not taken");
	is((long)at(0x50000000 - 257 * PAGE_SIZE, PAGE_SIZE, 0), 0x50000000 - 257 * (long)PAGE_SIZE,
	   "... but right below it");
	sim_exit_mm();
}

static void test_fixed(void)
{
	mm = sim_new_mm();
	is((long)at(0x1234, PAGE_SIZE, MAP_FIXED), -EINVAL, "MAP_FIXED at no page");
	is((long)at(TASK_SIZE - PAGE_SIZE, 2 * PAGE_SIZE, MAP_FIXED), -ENOMEM,
	   "... beyond the end");
	is((long)at(~0UL & PAGE_MASK, 2 * PAGE_SIZE, MAP_FIXED), -ENOMEM, "... round the end");
	is((long)at(0, PAGE_SIZE, MAP_FIXED), 0, "... at 0, with the privilege");
	sim_privileged = false;
	is((long)at(PAGE_SIZE, PAGE_SIZE, MAP_FIXED), -EPERM, "... and without");
	sim_privileged = true;
	is((long)at(0x20000000, 2 * PAGE_SIZE, MAP_FIXED_NOREPLACE), 0x20000000,
	   "MAP_FIXED_NOREPLACE");
	is((long)at(0x20001000, 2 * PAGE_SIZE, MAP_FIXED_NOREPLACE), -EEXIST, "... on something");
	is((long)at(0x20001000, 2 * PAGE_SIZE, MAP_FIXED), 0x20001000, "MAP_FIXED replaces");
	is(mm->map_count, 2, "... and they are one area");
	sim_exit_mm();
}

static void test_limits(void)
{
	mm = sim_new_mm();
	sim_rlimits[MM_RLIMIT_AS].cur = 10 * PAGE_SIZE;
	is(IS_ERR_VALUE(at(0x20000000, 10 * PAGE_SIZE, MAP_FIXED)), 0, "up to RLIMIT_AS");
	is((long)at(0, PAGE_SIZE, 0), -ENOMEM, "... and not a page more");
	is((long)at(0x20000000, 10 * PAGE_SIZE, MAP_FIXED), 0x20000000,
	   "... but the same again, in place");
	sim_rlimits[MM_RLIMIT_AS].cur = ~0UL;
	sim_rlimits[MM_RLIMIT_DATA].cur = 4 * PAGE_SIZE;
	is((long)vm_mmap(NULL, 0x30000000, 5 * PAGE_SIZE, PROT_WRITE, ANY | MAP_FIXED, 0), -ENOMEM,
	   "more data than RLIMIT_DATA");
	is((long)vm_mmap(NULL, 0x30000000, 4 * PAGE_SIZE, PROT_WRITE, ANY | MAP_FIXED, 0),
	   0x30000000, "... as much");
	is(vm_mprotect(0x20000000, PAGE_SIZE, PROT_WRITE), -ENOMEM, "... nor by mprotect");
	sim_rlimits[MM_RLIMIT_DATA].cur = ~0UL;
	sim_privileged = false;
	sim_rlimits[MM_RLIMIT_MEMLOCK].cur = 0;
	is((long)at(0, PAGE_SIZE, MAP_LOCKED), -EPERM, "MAP_LOCKED when nothing may be locked");
	sim_rlimits[MM_RLIMIT_MEMLOCK].cur = 2 * PAGE_SIZE;
	is(IS_ERR_VALUE(at(0, 2 * PAGE_SIZE, MAP_LOCKED)), 0, "... up to the limit");
	is((long)at(0, PAGE_SIZE, MAP_LOCKED), -EAGAIN, "... and beyond");
	sim_privileged = true;
	is(IS_ERR_VALUE(at(0, PAGE_SIZE, MAP_LOCKED)), 0, "... with the privilege");
	sim_rlimits[MM_RLIMIT_MEMLOCK].cur = ~0UL;
	sim_exit_mm();
}

/* --- many areas -------------------------------------------------------------------------------------------- */

static void test_many(void)
{
	unsigned long hits, calls;
	unsigned int wrong = 0;

	mm = sim_new_mm();
	for (unsigned long i = 0; i < 3000; i++)
		at(0x100000000 + i * 2 * PAGE_SIZE, PAGE_SIZE, MAP_FIXED);
	is(mm->map_count, 3000, "3,000 areas with holes");
	audit_mm(mm);
	is((long)at(0, PAGE_SIZE, 0), (long)(mm->mmap_base - PAGE_SIZE), "above them");
	mm->get_unmapped_area = arch_get_unmapped_area;
	mm->mmap_legacy_base = 0x100000000;
	is((long)at(0, PAGE_SIZE, 0), 0x100001000, "bottom-up: the first hole");
	is((long)at(0, 2 * PAGE_SIZE, 0), 0x100000000 + 5999 * (long)PAGE_SIZE,
	   "... two pages: behind all");
	for (int i = 0; i < 3000; i++) {
		unsigned long n = test_random() % 6000, addr = 0x100000000 + n * PAGE_SIZE;
		const struct vm_area_struct *vma = find_vma(mm, addr);

		wrong += !vma || vma->vm_end <= addr ||
			 (vma->vm_prev && vma->vm_prev->vm_end > addr);
	}
	is(wrong, 0, "find_vma finds the first area that ends above");
	find_vma(mm, 0x100004000);
	hits = vm_event_count(VMACACHE_FIND_HITS);
	calls = vm_event_count(VMACACHE_FIND_CALLS);
	for (int i = 0; i < 10; i++)
		find_vma(mm, 0x100004000 + (unsigned long)i);
	ok(vm_event_count(VMACACHE_FIND_HITS) - hits == 10 &&
		   vm_event_count(VMACACHE_FIND_CALLS) - calls == 10,
	   "the same area again comes from the thread's cache");
	vm_munmap(0x100004000, PAGE_SIZE);
	ok(find_vma(mm, 0x100004000)->vm_start == 0x100006000, "... but not when it is gone");
	sim_exit_mm();
}

int main(void)
{
	struct sim_usage start, end;

	sim_boot_default();
	start = sim_usage();
	test_plan();
	test_search(true, false);
	test_search(false, false);
	test_search(true, true);
	test_search(false, true);
	test_hints();
	test_fixed();
	test_limits();
	test_many();
	end = sim_usage();
	ok(sim_usage_same(&start, &end, true), "everything is given back");
	return done_testing();
}
