/* SPDX-License-Identifier: MIT */
/*
 * The kernel's own mapped area, seen through the kernel's page tables: contents, guard pages, the way
 * back of every page, and no translation that outlives it.
 */
#include <stdlib.h>
#include <string.h>

#include "mm/calls.h"
#include "mm/vmalloc.h"
#include "tests/host/death.h"
#include "tests/host/sim.h"
#include "tests/host/tap.h"

static bool reachable(const void *p)
{
	char c;

	return sim_kernel_access((unsigned long)p, &c, 1, SIM_READ);
}

static bool store(char *p, u8 value)
{
	return sim_kernel_access((unsigned long)p, &value, 1, SIM_WRITE);
}

static int load(const char *p)
{
	u8 value;

	return sim_kernel_access((unsigned long)p, &value, 1, SIM_READ) ? value : -1;
}

static void test_basics(void)
{
	char *a = vmalloc(3 * PAGE_SIZE), *b = vmalloc(1), *c, insn;

	is((long)a, (long)VMALLOC_START, "the first one lies at the start");
	is((long)b, (long)VMALLOC_START + 4 * (long)PAGE_SIZE, "the next behind a guard page");
	ok(store(a, 1) && store(a + 3 * PAGE_SIZE - 1, 2) && store(b, 3),
	   "all of it can be written");
	ok(load(a) == 1 && load(a + 3 * PAGE_SIZE - 1) == 2 && load(b) == 3, "... and read");
	ok(!reachable(a + 3 * PAGE_SIZE) && !reachable(b + PAGE_SIZE), "the guard pages can't");
	ok(!sim_kernel_access((unsigned long)a, &insn, 1, SIM_EXEC),
	   "nor can anything be executed");
	vfree(a);
	ok(!reachable(a) && load(b) == 3, "freed: out of reach, on both CPUs");
	c = vmalloc(2 * PAGE_SIZE);
	is((long)c, (long)a, "the hole is used again");
	c = vmalloc(2 * PAGE_SIZE);
	is((long)c, (long)VMALLOC_START + 6 * (long)PAGE_SIZE, "... not when it is too small");
	vfree(c);
	vfree(a);
	vfree(b);
	vfree(NULL);
	ok(!vmalloc(0), "nothing is refused");
	ok(!vmalloc(512UL << 30), "... and all of it");
}

#define MAX_HELD 60

static void test_random_use(void)
{
	struct {
		char *p;
		size_t size;
		u8 value;
	} held[MAX_HELD];
	unsigned int nr = 0, wrong = 0;

	for (int n = 0; n < 5000; n++) {
		if (nr < MAX_HELD && test_random() % 2) {
			held[nr].size = 1 + test_random() % (12 * PAGE_SIZE);
			held[nr].value = (u8)test_random();
			held[nr].p = vmalloc(held[nr].size);
			wrong += !held[nr].p || ((unsigned long)held[nr].p & ~PAGE_MASK);
			for (size_t i = 0; i < held[nr].size; i += PAGE_SIZE)
				wrong += !store(held[nr].p + i, held[nr].value);
			nr++;
		} else if (nr > 0) {
			unsigned int i = (unsigned int)(test_random() % nr);

			sim_set_cpu((unsigned int)(test_random() % SIM_NR_CPUS));
			for (size_t off = 0; off < held[i].size; off += PAGE_SIZE)
				wrong += load(held[i].p + off) != held[i].value;
			wrong += reachable(held[i].p + ALIGN_UP(held[i].size, PAGE_SIZE));
			wrong += reachable(held[i].p - 1);
			vfree(held[i].p);
			held[i] = held[--nr];
		}
		if (n % 500 == 0)
			sim_check_tlb();
	}
	while (nr-- > 0)
		vfree(held[nr].p);
	is(wrong, 0, "5,000 random vmallocs and vfrees: contents kept, guards unreachable");
	is(sim_nr_cached(VMALLOC_START, VMALLOC_END), 0, "no translation is left");
}

static void test_stacks(void)
{
	struct sim_usage start = sim_usage(), end;
	char *a = alloc_kernel_stack(), *b, *many[12];

	ok(store(a, 1) && store(a + THREAD_SIZE - 1, 1), "a kernel stack can be written");
	ok(!reachable(a - 1) && !reachable(a + THREAD_SIZE), "... and nothing below or above");
	ok(vmalloc_is_guard((unsigned long)a - 1) && vmalloc_is_guard((unsigned long)a - PAGE_SIZE),
	   "the page below is known as a guard");
	ok(!vmalloc_is_guard((unsigned long)a) &&
		   !vmalloc_is_guard((unsigned long)a - PAGE_SIZE - 1),
	   "... and nothing else is");
	free_kernel_stack(a);
	b = alloc_kernel_stack();
	is((long)b, (long)a, "a stack is used again");
	free_kernel_stack(b);
	for (int i = 0; i < 12; i++)
		many[i] = alloc_kernel_stack();
	for (int i = 0; i < 12; i++)
		free_kernel_stack(many[i]);
	end = sim_usage();
	ok(sim_usage_same(&start, &end, true), "a drain gives all of them back");
}

/* 8 MiB are over several last-level tables. */
static void test_tables(void)
{
	struct sim_usage start = sim_usage(), end;
	unsigned long before, kept;
	char *below = vmalloc(PAGE_SIZE), *large = vmalloc(8UL << 20), *above = vmalloc(PAGE_SIZE);

	ok(below && large && above && store(large + (5UL << 20), 1), "three areas, one of 8 MiB");
	vfree(large);
	before = nr_free_pages();
	large = vmalloc(8UL << 20);
	is((long)(before - nr_free_pages()), 8L << (20 - PAGE_SHIFT),
	   "when it is made again, it needs no table");
	vfree(large);
	vmalloc_drain();
	kept = nr_free_pages() - before;
	is((long)kept, 3, "a drain frees those that are wholly in the gap");
	ok(load(below) >= 0 && load(above) >= 0, "... and the neighbours are there");
	ok(!reachable(large + (5UL << 20)), "... and the gap is none");
	large = vmalloc(8UL << 20);
	ok(large && store(large + (5UL << 20), 7) && load(large + (5UL << 20)) == 7,
	   "they are made anew");
	vfree(large);
	vfree(below);
	vfree(above);
	end = sim_usage();
	ok(sim_usage_same(&start, &end, true), "without areas all of them go");
}

static void test_ioremap(void)
{
	/* A program's tables show the kernel's half too. */
	const struct mm_struct *mm = sim_new_mm();
	char *regs = ioremap(0xfee00020, 0x1000, true);
	char text[600];

	is((long)regs & 0xfff, 0x20, "ioremap keeps the offset in the page");
	show_page_walk(mm->context.pgd, (unsigned long)regs, text, sizeof(text));
	ok(strstr(text, "physical 0xfee00020") && strstr(text, "PCD"),
	   "... maps the device, uncached");
	show_page_walk(mm->context.pgd, (unsigned long)regs + PAGE_SIZE, text, sizeof(text));
	ok(strstr(text, "physical 0xfee01020"), "... both pages that it reaches into");
	iounmap(regs);
	show_page_walk(mm->context.pgd, (unsigned long)regs, text, sizeof(text));
	ok(strstr(text, "no page here"), "... until iounmap");
	regs = ioremap(0xc0000000, 0x1000, false);
	show_page_walk(mm->context.pgd, (unsigned long)regs, text, sizeof(text));
	ok(!strstr(text, "PCD"), "cached when wanted");
	iounmap(regs);
	sim_exit_mm();
}

static void test_failing(void)
{
	struct sim_usage start = sim_usage(), end;
	unsigned int failures = 0;

	for (unsigned long n = 1; n < 20; n++) {
		void *p;

		page_alloc_fail_nth(n);
		p = vmalloc(10 * PAGE_SIZE);
		page_alloc_fail_nth(0);
		failures += !p;
		vfree(p);
		end = sim_usage();
		if (!sim_usage_same(&start, &end, false))
			failures += 100;
	}
	ok(failures >= 10 && failures < 20, "each page fails once: refused, nothing lost (%u)",
	   failures);
}

static void free_twice(void *arg)
{
	void *p = vmalloc(100);

	vfree(p);
	vfree(p);
}

static void free_wild(void *arg)
{
	char *p = vmalloc(3 * PAGE_SIZE);

	vfree(p + PAGE_SIZE);
}

int main(void)
{
	struct sim_usage start, end;

	sim_boot_default();
	vfree(vmalloc(PAGE_SIZE)); /* the upper tables are made and stay */
	start = sim_usage();
	test_basics();
	test_random_use();
	test_stacks();
	test_tables();
	test_ioremap();
	test_failing();
	end = sim_usage();
	ok(sim_usage_same(&start, &end, false), "everything is given back");
	panics(free_twice, NULL, "which vmalloc never gave", "a double vfree");
	panics(free_wild, NULL, "which vmalloc never gave", "a vfree in the middle");
	return done_testing();
}
