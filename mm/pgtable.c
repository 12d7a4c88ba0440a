/* SPDX-License-Identifier: MIT */
/*
 * Table pages: to get, hang in, and look up. Tables of the user half are made on the way of a fault
 * and counted in mm->pgtables_bytes; those of the kernel half are made once and stay.
 *
 * Locks: mm->page_table_lock covers the entries of the user half's upper levels, those that point at
 * tables; each last-level table has a lock of its own, in its struct page, for the entries in it. The
 * page for a new table is allocated before the lock is taken; who comes second gives its page back.
 *
 * Tables are looked through without a lock. They stay as long as an area has a part in what they map and
 * that area stays where it is: mmap_lock or the area's lock sees to that, or, for who comes from a page
 * or a file, i_mmap_rwsem or the anon_vma root's rwsem, of which an area is taken out before its tables
 * are freed (free_pgtables()), and which mremap holds while it moves tables. Where no area may be,
 * tables stay only under page_table_lock.
 */
#include "kernel/base/string.h"
#include "mm/internal.h"

bool page_alloc_ready;
atomic_long_t nr_page_table_pages;

static void *table_page(gfp_t gfp)
{
	struct page *page;

	if (!page_alloc_ready)
		return phys_to_virt(memblock_alloc_low(PAGE_SIZE, PAGE_SIZE));
	page = alloc_page(gfp | __GFP_ZERO);
	if (!page)
		return NULL;
	page_set_flag(page, PG_table);
	return page_address(page);
}

pgd_t *pgd_alloc(void)
{
	struct page *page = alloc_page(GFP_KERNEL);
	pgd_t *pgd;

	if (!page)
		return NULL;
	page_set_flag(page, PG_table);
	pgd = page_address(page);
	mmu_init_pgd(pgd);
	return pgd;
}

void pgd_free(pgd_t *pgd)
{
	free_page(virt_to_page(pgd));
}

static void put_unused_table(void *table)
{
	if (table)
		free_page(virt_to_page(table));
}

/* *entry, addr's, gets a table if it is empty. The three levels differ only in their types. */
static int hang_table(struct mm_struct *mm, unsigned long *entry, unsigned long addr, int level)
{
	void *table = table_page(GFP_USER);

	if (!table)
		return -ENOMEM;
	/* The upper levels have no use for it; it is cheaper than asking. */
	spin_lock_init(&virt_to_page(table)->ptl);
	spin_lock(&mm->page_table_lock);
	if (READ_ONCE(*entry) == 0) {
		/* Who follows it without the lock sees zeros, and the table's lock free. */
		__atomic_store_n(entry, virt_to_phys(table).v | _PAGE_TABLE, __ATOMIC_RELEASE);
		trace(PTE_TABLE, mm, addr, level, virt_to_phys(table).v);
		table = NULL;
	}
	spin_unlock(&mm->page_table_lock);
	if (!table) {
		atomic_long_add(&mm->pgtables_bytes, PAGE_SIZE);
		atomic_long_add(&nr_page_table_pages, 1);
	}
	put_unused_table(table);
	return 0;
}

pud_t *pud_alloc(struct mm_struct *mm, unsigned long addr)
{
	pgd_t *pgd = pgd_offset_pgd(mm->context.pgd, addr);

	if (pgd_none(pgdp_get(pgd)) && hang_table(mm, &pgd->v, addr, LEVEL_PGD))
		return NULL;
	return pud_offset(pgdp_get(pgd), addr);
}

pmd_t *pmd_alloc(struct mm_struct *mm, unsigned long addr)
{
	pud_t *pud = pud_alloc(mm, addr);

	if (!pud)
		return NULL;
	if (pud_none(pudp_get(pud)) && hang_table(mm, &pud->v, addr, LEVEL_PUD))
		return NULL;
	BUG_ON(pud_leaf(pudp_get(pud)));
	return pmd_offset(pudp_get(pud), addr);
}

int pte_alloc(struct mm_struct *mm, pmd_t *pmd, unsigned long addr)
{
	if (likely(!pmd_none(pmdp_get(pmd))))
		return 0;
	return hang_table(mm, &pmd->v, addr, LEVEL_PMD);
}

/* --- the kernel half ----------------------------------------------------------------------------- */

/* Two mappings may need the same table at the same time. */
static spinlock_t kernel_tables_lock = SPINLOCK_INIT;

static int kernel_table(unsigned long *entry, unsigned long addr, int level)
{
	void *table;

	if (READ_ONCE(*entry))
		return 0;
	table = table_page(GFP_KERNEL);
	if (!table)
		return -ENOMEM;
	spin_lock(&kernel_tables_lock);
	if (!*entry) {
		WRITE_ONCE(*entry, virt_to_phys(table).v | _KERNPG_TABLE);
		trace(PTE_TABLE, 0, addr, level, virt_to_phys(table).v);
		table = NULL;
	}
	spin_unlock(&kernel_tables_lock);
	put_unused_table(table);
	return 0;
}

int map_kernel_range(unsigned long virt, phys_addr_t phys, size_t size, pgprot_t prot, bool small)
{
	unsigned long end = virt + size;

	while (virt != end) {
		pgd_t *pgd = pgd_offset_pgd(kernel_pgd, virt);
		unsigned long both = virt | phys.v;
		unsigned long step = PAGE_SIZE;
		pud_t *pud;
		pmd_t *pmd;

		if (kernel_table(&pgd->v, virt, LEVEL_PGD))
			return -ENOMEM;
		pud = pud_offset(*pgd, virt);
		if (!small && mmu_has_gbpages() && !(both & ~PUD_MASK) && end - virt >= PUD_SIZE) {
			BUG_ON(!pud_none(*pud));
			set_pud(pud, pfn_pud(phys_to_pfn(phys), prot));
			trace(PTE_SET, 0, virt, LEVEL_PUD, 0, pud->v);
			step = PUD_SIZE;
			goto next;
		}
		if (kernel_table(&pud->v, virt, LEVEL_PUD))
			return -ENOMEM;
		pmd = pmd_offset(*pud, virt);
		if (!small && !(both & ~PMD_MASK) && end - virt >= PMD_SIZE) {
			BUG_ON(!pmd_none(*pmd));
			set_pmd(pmd, pfn_pmd(phys_to_pfn(phys), prot));
			trace(PTE_SET, 0, virt, LEVEL_PMD, 0, pmd->v);
			step = PMD_SIZE;
			goto next;
		}
		if (kernel_table(&pmd->v, virt, LEVEL_PMD))
			return -ENOMEM;
		BUG_ON(!pte_none(*pte_offset(*pmd, virt)));
		set_pte(pte_offset(*pmd, virt), pfn_pte(phys_to_pfn(phys), prot));
		trace(PTE_SET, 0, virt, LEVEL_PTE, 0, pte_offset(*pmd, virt)->v);
	next:
		virt += step;
		phys.v += step;
	}
	return 0;
}

void unmap_kernel_range(unsigned long virt, size_t size)
{
	for (unsigned long end = virt + size; virt < end; virt += PAGE_SIZE) {
		pmd_t *pmd = pmd_lookup(kernel_pgd, virt);

		if (!pmd || !pmd_table(*pmd))
			continue;
		trace(PTE_CLEAR, 0, virt, LEVEL_PTE, pte_offset(*pmd, virt)->v);
		set_pte(pte_offset(*pmd, virt), __pte(0));
	}
}

void free_kernel_table(unsigned long virt)
{
	pmd_t *pmd = pmd_lookup(kernel_pgd, virt);
	struct page *table;

	if (!pmd || !pmd_table(*pmd))
		return;
	table = virt_to_page(pte_offset(*pmd, virt));
	/* A table from before there was a page allocator stays. */
	if (!page_flag(table, PG_table))
		return;
	for (unsigned long a = virt; a < virt + PMD_SIZE; a += PAGE_SIZE)
		DEBUG_ON(!pte_none(*pte_offset(*pmd, a)));
	trace(PTE_UNTABLE, 0, virt, LEVEL_PMD, virt_to_phys(page_address(table)).v);
	set_pmd(pmd, __pmd(0));
	tlb_flush_kernel_range(virt, virt + PMD_SIZE);
	free_page(table);
}
