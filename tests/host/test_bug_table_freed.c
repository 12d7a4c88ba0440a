/* SPDX-License-Identifier: MIT */
/*
 * Bug: a page table is given back while a gather still has it, that is, before the processors were told to
 * forget the way through it; one that walks by its paging-structure cache reads entries out of what is
 * somebody else's memory by then. Linux had it so on several architectures until tables went through the
 * gather as pages do. The simulated processors forget nothing by themselves, and the machine panics when
 * a table is freed to which a cache still leads.
 */
#include "tests/host/family.h"
#include "tests/host/tap.h"

#define TABLE (2UL << 20)
#define GIB   (1UL << 30)

static unsigned long tables(void)
{
	return (unsigned long)atomic_long_read(&mm->pgtables_bytes) / PAGE_SIZE;
}

/* Every processor has walked to a page of each of `nr` tables that lie `step` apart. */
static void build(unsigned int nr, unsigned long step)
{
	begin();
	for (unsigned int i = 0; i < nr; i++)
		vm_mmap(NULL, BASE + i * step, PAGE_SIZE, RW,
			MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, 0);
	for (unsigned int cpu = SIM_NR_CPUS; cpu-- > 0;) {
		run_on(mm, cpu);
		for (unsigned int i = 0; i < nr; i++)
			sim_poke(BASE + i * step, (u8)i);
	}
}

static void unmapped(unsigned int nr, unsigned long step, const char *name)
{
	build(nr, step);
	ok(tables() >= nr, "%s: there are %lu tables", name, tables());
	is(vm_munmap(BASE, nr * step), 0, "... unmapped");
	is((long)tables(), 0, "... and all are gone");
	is(sim_nr_cached(BASE, BASE + nr * step), 0, "... from the processors' sight first");
	sim_check_tlb();
	end();
}

/* What another processor uses next to it stays. */
static void neighbour(void)
{
	build(2, TABLE);
	vm_munmap(BASE, PAGE_SIZE);
	run_on(mm, 1);
	is(sim_peek(BASE + TABLE), 1, "the table next to one that goes is still in use");
	is(sim_peek(BASE), -1, "... and what went is gone");
	sim_check_tlb();
	end();
}

int main(void)
{
	sim_boot_default();
	unmapped(1, TABLE, "one table");
	unmapped(40, TABLE, "many tables");
	unmapped(3, GIB, "tables of each level");
	neighbour();
	return done_testing();
}
