/* SPDX-License-Identifier: MIT */
/*
 * Bug: mremap(2) moves an entry, drops the page table's lock, and only then has the other processors forget
 * the old address. In between somebody who finds the page at its new address, say truncating its file,
 * frees it, and they still write it by the old one (CVE-2018-18281 in Linux). So whenever something is
 * flushed, the lock of the table that it was in is still held; and in the end nobody knows it any more.
 */
#include "tests/host/family.h"
#include "tests/host/tap.h"

#define FAR 0x80000000UL

static unsigned int flushes, without_lock;

/* All page tables below PMD have their own lock, which is held when the processors are asked. */
static void look(struct mm_context *ctx, unsigned long start, unsigned long end)
{
	pmd_t *pmd = pmd_lookup(ctx->pgd, start);

	flushes++;
	if (pmd && pmd_table(*pmd) && !spin_is_locked(pte_lockptr(pmd)))
		without_lock++;
}

static void cache_everywhere(unsigned int nr)
{
	for (unsigned int cpu = SIM_NR_CPUS; cpu-- > 0;) {
		run_on(mm, cpu);
		for (unsigned int i = 0; i < nr; i++)
			sim_poke(page(i), (u8)cpu);
	}
}

static void move(unsigned long to, const char *name)
{
	begin();
	map(0, 8, RW, NULL, 0);
	cache_everywhere(8);
	flushes = without_lock = 0;
	sim_on_flush = look;
	is((long)vm_mremap(page(2), 4 * PAGE_SIZE, 4 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
			   to),
	   (long)to, "%s", name);
	sim_on_flush = NULL;
	ok(flushes > 0, "... the processors are told");
	is(without_lock, 0, "... before the table's lock is dropped");
	sim_check_tlb();
	is(sim_nr_cached(page(2), page(6)), 0, "... and none has the old place");
	end();
}

int main(void)
{
	sim_boot_default();
	move(FAR, "to another table");
	move(page(100), "within a table");
	return done_testing();
}
