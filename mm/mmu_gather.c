/* SPDX-License-Identifier: MIT */
/*
 * Unmapping without leaving a way back. A page may be given away only when no TLB can still lead to
 * it, and a table only when no paging-structure cache can. So entries are cleared first, then the
 * range is flushed once, then what was collected is freed.
 */
#include "kernel/sched/sched.h"
#include "mm/internal.h"

static void forget_range(struct mmu_gather *tlb)
{
	tlb->start = ~0UL;
	tlb->end = 0;
}

void tlb_gather_mmu(struct mmu_gather *tlb, struct mm_struct *mm)
{
	tlb->mm = mm;
	forget_range(tlb);
	tlb->nr = 0;
	tlb->keep_cows = false;
	tlb->delayed_unmap = false;
	INIT_LIST_HEAD(&tlb->tables);
	for (int i = 0; i < NR_MM_COUNTERS; i++)
		tlb->rss[i] = 0;
	/* Before the first entry changes: a full barrier. */
	atomic_inc(&mm->tlb_flush_pending);
}

static void tlb_add_range(struct mmu_gather *tlb, unsigned long start, unsigned long end)
{
	tlb->start = min(tlb->start, start);
	tlb->end = max(tlb->end, end);
}

void tlb_remove_entry(struct mmu_gather *tlb, unsigned long addr)
{
	tlb_add_range(tlb, addr, addr + PAGE_SIZE);
}

void tlb_remove_range(struct mmu_gather *tlb, unsigned long start, unsigned long end)
{
	tlb_add_range(tlb, start, end);
}

void tlb_remove_page(struct mmu_gather *tlb, struct page *page, unsigned long addr)
{
	tlb_add_range(tlb, addr, addr + PAGE_SIZE);
	tlb->pages[tlb->nr++] = page;
}

void tlb_remove_table(struct mmu_gather *tlb, struct page *table, unsigned long addr)
{
	/* One address is enough: what is cached is the way, and it is the same for all of them. */
	tlb_add_range(tlb, addr, addr + PAGE_SIZE);
	list_add(&table->lru, &tlb->tables);
	atomic_long_add(&tlb->mm->pgtables_bytes, -(long)PAGE_SIZE);
	atomic_long_add(&nr_page_table_pages, -1);
}

static void free_gathered(struct mmu_gather *tlb)
{
	struct page *table, *next;

	put_pages(tlb->pages, tlb->nr);
	tlb->nr = 0;
	list_for_each_entry_safe(table, next, &tlb->tables, lru)
	{
		list_del(&table->lru);
		free_page(table);
	}
}

static void flush_tlb(struct mmu_gather *tlb)
{
	if (tlb->start < tlb->end)
		tlb_flush_range(&tlb->mm->context, tlb->start, tlb->end);
	forget_range(tlb);
}

void tlb_flush_mmu(struct mmu_gather *tlb)
{
	flush_tlb(tlb);
	free_gathered(tlb);
}

void tlb_finish_mmu(struct mmu_gather *tlb)
{
	struct mm_struct *mm = tlb->mm;

	/*
	 * Somebody else is at it as well, with mmap_lock for reading or none. Entries that he cleared are none
	 * to us, so they aren't in our range, and he may not have flushed them yet; but who called us expects
	 * that nobody gets there any more.
	 */
	if (unlikely(atomic_read(&mm->tlb_flush_pending) > 1))
		tlb_add_range(tlb, 0, TASK_SIZE);
	tlb_flush_mmu(tlb);
	atomic_dec(&mm->tlb_flush_pending);
	for (int i = 0; i < NR_MM_COUNTERS; i++)
		if (tlb->rss[i])
			add_mm_counter(mm, (enum rss_kind)i, tlb->rss[i]);
}

/* --- pages -------------------------------------------------------------------------------------------- */

/* Not the file's: a copy, or what stands for one. */
static bool is_private(pte_t pte)
{
	struct page *page = pte_present(pte) ? vm_normal_page(pte) : NULL;

	return !pte_present(pte) || (page && page_is_anon(page));
}

/*
 * What is known of a write goes over to the page. True when the page must stay mapped for the moment: a
 * processor that knows the entry as dirty needn't look at it again before it writes. It must have forgotten
 * it before the page counts as not mapped, or write-back would take the page for clean too early.
 */
static bool zap_dirty(struct page *page)
{
	set_page_dirty(page);
	return page->mapping && mapping_can_writeback(page->mapping);
}

#define DELAYED 1UL /* set in the pointer to a page that is still counted as mapped */

/* Lets go of the pages that only waited for the flush. => the lock of the table they were in held */
static void unmap_delayed(struct mmu_gather *tlb)
{
	flush_tlb(tlb);
	for (unsigned int i = 0; i < tlb->nr; i++) {
		unsigned long p = (unsigned long)tlb->pages[i];

		if (!(p & DELAYED))
			continue;
		tlb->pages[i] = (struct page *)(p & ~DELAYED);
		page_remove_map(tlb->pages[i]);
	}
	tlb->delayed_unmap = false;
}

/* One entry that is not none. => the batch has room; the table's lock held. */
static __always_inline void zap_pte(struct mmu_gather *tlb, pte_t *ptep, unsigned long addr)
{
	pte_t pte;
	struct page *page;

	if (unlikely(tlb->keep_cows) && is_private(ptep_get(ptep)))
		return;
	pte = ptep_get_and_clear(ptep);
	if (!pte_present(pte))
		return; /* a marker: nothing stands behind it */
	page = vm_normal_page(pte);
	if (!page) {
		tlb_remove_entry(tlb, addr);
		return;
	}
	tlb->rss[page_rss_kind(page)]--;
	if (pte_dirty(pte) && !page_is_anon(page) && zap_dirty(page)) {
		tlb_remove_page(tlb, (struct page *)((unsigned long)page | DELAYED), addr);
		tlb->delayed_unmap = true;
		return;
	}
	page_remove_map(page);
	tlb_remove_page(tlb, page, addr);
}

/* The loop of zap_pte_range() for who listens; apart, so that of the many others none pays. Returns where it ends. */
static noinline unsigned long zap_ptes_traced(struct mmu_gather *tlb, pte_t *pte,
					      unsigned long addr, unsigned long end)
{
	for (; addr != end && !tlb_full(tlb); addr += PAGE_SIZE, pte++) {
		const pte_t old = ptep_get(pte);

		if (pte_none(old))
			continue;
		zap_pte(tlb, pte, addr);
		if (pte_none(ptep_get(pte)))
			trace(PTE_CLEAR, tlb->mm, addr, LEVEL_PTE, old.v);
	}
	return addr;
}

static void zap_pte_range(struct mmu_gather *tlb, pmd_t *pmd, unsigned long addr, unsigned long end)
{
	while (addr != end) {
		spinlock_t *lock = pte_lockptr(pmd);
		pte_t *pte = pte_offset(pmdp_get(pmd), addr);

		spin_lock(lock);
		if (trace_on(PTE_CLEAR))
			addr = zap_ptes_traced(tlb, pte, addr, end);
		for (; addr != end && !tlb_full(tlb); addr += PAGE_SIZE, pte++)
			if (!pte_none(ptep_get(pte)))
				zap_pte(tlb, pte, addr);
		if (tlb->delayed_unmap)
			unmap_delayed(tlb);
		spin_unlock(lock);
		if (tlb_full(tlb))
			tlb_flush_mmu(tlb);
	}
	cond_resched();
}

static void zap_pmd_range(struct mmu_gather *tlb, pud_t *pud, unsigned long addr, unsigned long end)
{
	unsigned long next;

	for (; addr != end; addr = next) {
		pmd_t *pmd = pmd_offset(pudp_get(pud), addr);

		next = pmd_addr_end(addr, end);
		BUG_ON(pmd_leaf(pmdp_get(pmd)));
		if (pmd_table(pmdp_get(pmd)))
			zap_pte_range(tlb, pmd, addr, next);
	}
}

static void zap_pud_range(struct mmu_gather *tlb, pgd_t *pgd, unsigned long addr, unsigned long end)
{
	unsigned long next;

	for (; addr != end; addr = next) {
		pud_t *pud = pud_offset(pgdp_get(pgd), addr);

		next = pud_addr_end(addr, end);
		BUG_ON(pud_leaf(pudp_get(pud)));
		if (pud_table(pudp_get(pud)))
			zap_pmd_range(tlb, pud, addr, next);
	}
}

void unmap_page_range(struct mmu_gather *tlb, struct vm_area_struct *vma, unsigned long start,
		      unsigned long end)
{
	unsigned long addr = max(start, vma->vm_start), next;

	end = min(end, vma->vm_end);
	for (; addr < end; addr = next) {
		pgd_t *pgd = pgd_offset_pgd(tlb->mm->context.pgd, addr);

		next = pgd_addr_end(addr, end);
		if (pgd_table(pgdp_get(pgd)))
			zap_pud_range(tlb, pgd, addr, next);
	}
}

void zap_page_range(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	struct mmu_gather tlb;

	update_hiwater_rss(vma->vm_mm);
	tlb_gather_mmu(&tlb, vma->vm_mm);
	unmap_page_range(&tlb, vma, start, end);
	tlb_finish_mmu(&tlb);
}

/* --- tables -------------------------------------------------------------------------------------------- */

/*
 * A table can go when the whole stretch it maps lies between floor and ceiling, that is, when no
 * remaining area has a part in it. Rounds the wish [start, end) outward to that stretch at one
 * level; false when the neighbours reach into it.
 */
static bool table_is_free(unsigned long addr, unsigned long size, unsigned long floor,
			  unsigned long ceiling)
{
	unsigned long start = ALIGN_DOWN(addr, size), end = start + size;

	return start >= floor && end - 1 <= ceiling - 1;
}

static void take_table(struct mmu_gather *tlb, unsigned long *entry, void *table,
		       unsigned long addr, int level)
{
	trace(PTE_UNTABLE, tlb->mm, addr, level, virt_to_phys(table).v);
	spin_lock(&tlb->mm->page_table_lock);
	WRITE_ONCE(*entry, 0);
	spin_unlock(&tlb->mm->page_table_lock);
	tlb_remove_table(tlb, virt_to_page(table), addr);
}

static void free_pmd_tables(struct mmu_gather *tlb, pud_t *pud, unsigned long addr,
			    unsigned long end, unsigned long floor, unsigned long ceiling)
{
	unsigned long next;

	for (; addr != end; addr = next) {
		pmd_t *pmd = pmd_offset(pudp_get(pud), addr);

		next = pmd_addr_end(addr, end);
		if (pmd_table(pmdp_get(pmd)) && table_is_free(addr, PMD_SIZE, floor, ceiling))
			take_table(tlb, &pmd->v, pmd_page_vaddr(*pmd), addr, LEVEL_PMD);
	}
}

static void free_pud_tables(struct mmu_gather *tlb, pgd_t *pgd, unsigned long addr,
			    unsigned long end, unsigned long floor, unsigned long ceiling)
{
	unsigned long next;

	for (; addr != end; addr = next) {
		pud_t *pud = pud_offset(pgdp_get(pgd), addr);

		next = pud_addr_end(addr, end);
		if (!pud_table(pudp_get(pud)))
			continue;
		free_pmd_tables(tlb, pud, addr, next, floor, ceiling);
		if (table_is_free(addr, PUD_SIZE, floor, ceiling))
			take_table(tlb, &pud->v, pud_page_vaddr(*pud), addr, LEVEL_PUD);
	}
}

void free_pgtables(struct mmu_gather *tlb, unsigned long start, unsigned long end,
		   unsigned long floor, unsigned long ceiling)
{
	unsigned long addr = start, next;

	for (; addr < end; addr = next) {
		pgd_t *pgd = pgd_offset_pgd(tlb->mm->context.pgd, addr);

		next = pgd_addr_end(addr, end);
		if (!pgd_table(pgdp_get(pgd)))
			continue;
		free_pud_tables(tlb, pgd, addr, next, floor, ceiling);
		if (table_is_free(addr, PGDIR_SIZE, floor, ceiling))
			take_table(tlb, &pgd->v, pgd_page_vaddr(*pgd), addr, LEVEL_PGD);
	}
}
