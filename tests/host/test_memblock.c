/* SPDX-License-Identifier: MIT */
/*
 * The first allocations: memory maps as firmware gives them - out of order, overlapping, damaged -
 * against a byte for each page, and random reservations against the same.
 */
#include <stdlib.h>
#include <string.h>

#include "mm/page.h"
#include "tests/host/death.h"
#include "tests/host/sim.h"
#include "tests/host/tap.h"

#define MIB (1UL << 20)

/* --- the model: what each of the first pages is --------------------------------------------------- */

#define NR_PAGES 8192 /* 32 MiB */
enum { NOTHING, RAM, TAKEN };
static unsigned char model[NR_PAGES], told[NR_PAGES];

static u64 mem_end(const struct boot_mem *m)
{
	return m->start + m->size < m->start ? ~0UL : m->start + m->size;
}

static void model_map(const struct boot_mem *mem, unsigned int nr)
{
	/* Bytes first, since an entry needn't begin at a page: a page is RAM when all of it is. */
	for (unsigned int i = 0; i < nr; i++)
		for (u64 p = 0; p < NR_PAGES && mem[i].type == BOOT_MEM_RAM; p++)
			if (p << PAGE_SHIFT >= mem[i].start &&
			    (p + 1) << PAGE_SHIFT <= mem_end(&mem[i]) && mem_end(&mem[i]) != ~0UL)
				model[p] = RAM;
	for (unsigned int i = 0; i < nr; i++)
		for (u64 p = 0; p < NR_PAGES && mem[i].type != BOOT_MEM_RAM; p++)
			if (mem[i].size && (p + 1) << PAGE_SHIFT > mem[i].start &&
			    p << PAGE_SHIFT < mem_end(&mem[i]))
				model[p] = NOTHING;
}

static u64 last_end;
static bool in_order;

static void tell(u64 start, u64 end, unsigned char what)
{
	in_order = in_order && start >= last_end && start < end && !((start | end) & ~PAGE_MASK);
	last_end = end;
	for (u64 p = start >> PAGE_SHIFT; p < end >> PAGE_SHIFT && p < NR_PAGES; p++)
		told[p] = what;
}

static void tell_ram(u64 start, u64 end, void *arg)
{
	tell(start, end, TAKEN);
}

static void tell_free(u64 start, u64 end, void *arg)
{
	tell(start, end, RAM);
}

static bool same_as_model(void)
{
	memset(told, NOTHING, sizeof(told));
	in_order = true;
	last_end = 0;
	memblock_for_each_ram(tell_ram, NULL);
	last_end = 0;
	memblock_for_each_free(tell_free, NULL);
	for (unsigned int p = 0; p < NR_PAGES; p++)
		if (told[p] != model[p] ||
		    memblock_is_ram((u64)p << PAGE_SHIFT) != (model[p] != NOTHING)) {
			diag("page %#x is %d, should be %d", p, told[p], model[p]);
			return false;
		}
	return in_order;
}

/* --- maps ------------------------------------------------------------------------------------------ */

struct map {
	const char *name;
	unsigned int nr;
	struct boot_mem mem[8];
};

static const struct map maps[] = {
	{ "one range", 1, { SIM_RAM(0, 4 * MIB) } },
	{ "two that touch become one", 2, { SIM_RAM(0, MIB), SIM_RAM(MIB, MIB) } },
	{ "out of order", 3, { SIM_RAM(8 * MIB, MIB), SIM_RAM(0, MIB), SIM_RAM(4 * MIB, MIB) } },
	{ "overlapping RAM",
	  3,
	  { SIM_RAM(0, 3 * MIB), SIM_RAM(2 * MIB, 3 * MIB), SIM_RAM(MIB, MIB) } },
	{ "odd bytes are left out",
	  2,
	  { SIM_RAM(1, 3 * PAGE_SIZE), SIM_RAM(MIB + 5, 2 * PAGE_SIZE) } },
	{ "reserved wins over RAM", 2, { { MIB, MIB, BOOT_MEM_RESERVED }, SIM_RAM(0, 8 * MIB) } },
	{ "a reserved byte costs its page", 2, { SIM_RAM(0, MIB), { 0x5fff, 2, BOOT_MEM_ACPI } } },
	{ "reserved at both ends and inside",
	  4,
	  { SIM_RAM(MIB, 4 * MIB),
	    { 0, MIB + 0x1000, BOOT_MEM_RESERVED },
	    { 5 * MIB - 1, MIB, BOOT_MEM_NVS },
	    { 2 * MIB, 0x3000, BOOT_MEM_BAD } } },
	{ "reserved all of a range",
	  3,
	  { SIM_RAM(0, MIB), SIM_RAM(2 * MIB, MIB), { 2 * MIB - 1, MIB + 2, BOOT_MEM_RESERVED } } },
	{ "reserved that wraps round",
	  2,
	  { SIM_RAM(0, 4 * MIB), { 2 * MIB, ~0UL, BOOT_MEM_RESERVED } } },
	{ "RAM that wraps round is no RAM", 2, { SIM_RAM(0, MIB), SIM_RAM(2 * MIB, ~0UL) } },
	{ "RAM in the last page of the address space",
	  2,
	  { SIM_RAM(0, MIB), SIM_RAM(0xfffffffffffff800UL, 0x7ff) } },
	{ "RAM beyond what can be mapped", 2, { SIM_RAM(0, MIB), SIM_RAM(1UL << 60, MIB) } },
	{ "empty entries",
	  3,
	  { SIM_RAM(0, MIB), SIM_RAM(8 * MIB, 0), { 0x3000, 0, BOOT_MEM_BAD } } },
	{ "unknown types are not RAM", 2, { SIM_RAM(0, 2 * MIB), { 0x8000, 0x1000, 12 } } },
};

static void run_map(void *arg)
{
	const struct map *m = arg;
	static struct boot_info info;

	info.nr_mem = m->nr;
	memcpy(info.mem, m->mem, sizeof(m->mem));
	memblock_init(&info);
	model_map(m->mem, m->nr);
	/* What isn't reserved is free. */
	ok(same_as_model() && memblock_end_of_ram() <= NR_PAGES * PAGE_SIZE, "%s", m->name);
}

static void no_ram(void *arg)
{
	static struct boot_info info = { .nr_mem = 1, .mem = { { 0, MIB, BOOT_MEM_RESERVED } } };

	memblock_init(&info);
}

/* --- random maps, reservations, allocations --------------------------------------------------------- */

static void random_map(struct boot_mem *mem, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		mem[i].start = test_random() % (NR_PAGES * PAGE_SIZE * 9 / 10);
		mem[i].size = test_random() % (1UL << (12 + test_random() % 10));
		if (test_random() % 2)
			mem[i].start &= PAGE_MASK;
		if (mem[i].start + mem[i].size > NR_PAGES * PAGE_SIZE)
			mem[i].size = 0;
		mem[i].type = test_random() % 4 ? BOOT_MEM_RAM : BOOT_MEM_RESERVED;
	}
	mem[nr++] = (struct boot_mem){ 20 * MIB, 8 * MIB, BOOT_MEM_RAM };
}

static void reserve(u64 start, u64 size)
{
	memblock_reserve(start, size);
	for (u64 p = start >> PAGE_SHIFT; p < DIV_ROUND_UP(start + size, PAGE_SIZE); p++)
		if (model[p] == RAM)
			model[p] = TAKEN;
}

/* The highest fit, found by trying every place. */
static u64 model_fit(u64 size, u64 align, u64 limit)
{
	u64 pages = DIV_ROUND_UP(size, PAGE_SIZE), at;

	for (at = ALIGN_DOWN(NR_PAGES * PAGE_SIZE - pages * PAGE_SIZE, align); at > 0;
	     at -= align) {
		bool fits = at + pages * PAGE_SIZE <= limit;

		for (u64 p = at >> PAGE_SHIFT; fits && p < (at >> PAGE_SHIFT) + pages; p++)
			fits = model[p] == RAM;
		if (fits)
			return at;
	}
	return 0;
}

static void run_random(void *arg)
{
	static struct boot_mem mem[60];
	bool reserved_well = true, allocated_well = true;

	for (unsigned long n = (unsigned long)arg; n-- > 0;)
		test_random();
	random_map(mem, 59);
	sim_boot_memblock(mem, 60);
	model_map(mem, 60);
	ok(same_as_model(), "a map of 60 random entries");
	for (int i = 0; i < 60; i++) {
		reserve(test_random() % (30 * MIB),
			1 + test_random() % (1UL << (test_random() % 17)));
		reserved_well = reserved_well && same_as_model();
	}
	ok(reserved_well, "60 random reservations");
	for (int i = 0; i < 60; i++) {
		u64 size = 1 + test_random() % (1UL << (test_random() % 18));
		u64 align = PAGE_SIZE << test_random() % 6;
		u64 fit = model_fit(size, align, ~0UL), got;

		if (!fit)
			continue;
		got = test_random() % 2 ? memblock_alloc(size, align).v :
					  memblock_alloc_low(size, align).v;
		allocated_well = allocated_well && got == fit;
		reserve(fit, size); /* again: it changes nothing */
		allocated_well = allocated_well && same_as_model();
	}
	ok(allocated_well, "60 allocations: the highest fit each time");
}

static void low_and_zeroed(void *arg)
{
	static const struct boot_mem mem[] = { SIM_RAM(MIB, MIB), SIM_RAM(4UL << 30, MIB) };
	phys_addr_t low;
	char *p;

	sim_boot_memblock(mem, 2);
	memset(phys_to_virt(make_phys(MIB)), 0xee, MIB);
	ok(memblock_alloc(PAGE_SIZE, PAGE_SIZE).v >= 4UL << 30, "memory comes from the top");
	low = memblock_alloc_low(5000, PAGE_SIZE);
	is((long)low.v, 2 * MIB - 2 * PAGE_SIZE,
	   "low memory from the top below 4 GiB, whole pages");
	p = phys_to_virt(low);
	ok(!p[0] && !p[4999] && !memcmp(p, p + 1, 4999), "... zeroed");
	is((long)memblock_end_of_ram(), (4L << 30) + (long)MIB, "RAM ends where it ends");
}

static void full(void *arg)
{
	static const struct boot_mem mem[] = { SIM_RAM(MIB, MIB) };

	sim_boot_memblock(mem, 1);
	memblock_alloc(MIB - PAGE_SIZE, PAGE_SIZE);
	memblock_alloc(2 * PAGE_SIZE, PAGE_SIZE);
}

static void too_many(void *arg)
{
	static const struct boot_mem mem[] = { SIM_RAM(0, 8 * MIB) };

	sim_boot_memblock(mem, 1);
	for (u64 i = 0; i < 1000; i++)
		memblock_reserve(i * 2 * PAGE_SIZE, PAGE_SIZE);
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		isolated(run_map, (void *)&maps[i], maps[i].name);
	for (unsigned long i = 0; i < 8; i++)
		isolated(run_random, (void *)(i * 1000), "random");
	isolated(low_and_zeroed, NULL, "low memory");
	panics(no_ram, NULL, "no usable RAM", "a map without RAM");
	panics(full, NULL, "memblock: no", "no memory left");
	panics(too_many, NULL, "more than", "more ranges than there is room for");
	return done_testing();
}
