/* SPDX-License-Identifier: MIT */
/*
 * Programs that fork, on the simulated machine: one runs at a time, on the CPU it is given. What the
 * other CPU has cached of the one that ran there stays, as on a real machine.
 */
#ifndef TESTS_HOST_FAMILY_H
#define TESTS_HOST_FAMILY_H

#include <string.h>

#include "mm/internal.h"
#include "tests/host/program.h"

/* From here on the accesses and calls are those of m, on that CPU. */
static inline void run_on(struct mm_struct *m, unsigned int cpu)
{
	sim_task.mm = m;
	memset(&sim_task.vmacache, 0, sizeof(sim_task.vmacache));
	sim_set_cpu(cpu);
	sim_load_mm(m);
}

static inline void run(struct mm_struct *m)
{
	run_on(m, 0);
}

/* A child of m, or NULL. */
static inline struct mm_struct *fork_of(struct mm_struct *m)
{
	struct mm_struct *child = dup_mm(m);

	return IS_ERR(child) ? NULL : child;
}

/* Ends m; `next` runs on all CPUs afterwards. */
static inline void finish(struct mm_struct *m, struct mm_struct *next)
{
	for (unsigned int cpu = SIM_NR_CPUS; cpu-- > 0;)
		run_on(next, cpu);
	mmput(m);
}

static inline pte_t pte_at(struct mm_struct *m, unsigned long addr)
{
	pmd_t *pmd = pmd_lookup(m->context.pgd, addr);

	return pmd && pmd_table(*pmd) ? *pte_offset(*pmd, addr) : __pte(0);
}

/* The page that m has at addr, or NULL. */
static inline struct page *page_at(struct mm_struct *m, unsigned long addr)
{
	pte_t pte = pte_at(m, addr);

	return pte_present(pte) ? pfn_to_page(pte_pfn(pte)) : NULL;
}

static inline int mapcount_at(struct mm_struct *m, unsigned long addr)
{
	struct page *p = page_at(m, addr);

	return p ? page_mapcount(p) : 0;
}

static inline long rss_of(const struct mm_struct *m, enum rss_kind kind)
{
	return atomic_long_read(&m->rss_stat[kind]);
}

/* Faults that one byte's write costs; -1 when the program would have been stopped. */
static inline long write_faults(unsigned long addr, u8 value)
{
	unsigned long before = sim_task.min_flt;

	return sim_poke(addr, value) ? (long)(sim_task.min_flt - before) : -1;
}

static inline unsigned int chain_length_at(struct mm_struct *m, unsigned long addr)
{
	struct vm_area_struct *vma = find_vma(m, addr);
	const struct anon_vma_chain *avc;
	unsigned int n = 0;

	list_for_each_entry(avc, &vma->anon_vma_chain, same_vma) n++;
	return n;
}

#endif
