/* SPDX-License-Identifier: MIT */
/* What of an area is in memory, and how: counted entry by entry for /proc/pid/smaps. */
#include "mm/internal.h"

struct smaps_walk {
	struct mem_size_stats *mss;
	struct vm_area_struct *vma;
};

/* One entry that maps `size` bytes of the page. Its share of the page is one of all that map it. */
static void account(struct smaps_walk *w, struct page *page, unsigned long size, bool young,
		    bool dirty)
{
	struct mem_size_stats *mss = w->mss;
	int mapcount = page_mapcount(page);
	u64 share = (u64)size << PSS_SHIFT;

	if (mapcount > 1)
		share /= (unsigned int)mapcount;
	dirty = dirty || page_flag(page, PG_dirty);
	mss->rss += size;
	mss->pss += share;
	if (dirty)
		mss->pss_dirty += share;
	if (w->vma->vm_flags & VM_LOCKED)
		mss->pss_locked += share;
	if (young || page_flag(page, PG_referenced))
		mss->referenced += size;
	if (mapcount > 1)
		*(dirty ? &mss->shared_dirty : &mss->shared_clean) += size;
	else
		*(dirty ? &mss->private_dirty : &mss->private_clean) += size;
	switch (page_rss_kind(page)) {
	case MM_ANONPAGES:
		mss->pss_anon += share;
		mss->anonymous += size;
		/* Given up by MADV_FREE and not written since. */
		if (!page_flag(page, PG_swapbacked) && !dirty)
			mss->lazyfree += size;
		break;
	case MM_SHMEMPAGES:
		mss->pss_shmem += share;
		break;
	default:
		mss->pss_file += share;
	}
}

/* The lock keeps the page what it is while it is looked at: its entry can't be cleared meanwhile. */
static int smaps_pte(pte_t *ptep, unsigned long addr, unsigned long next, struct mm_walk *walk)
{
	struct smaps_walk *w = walk->private;
	struct page *page;
	pte_t pte;

	/* Not before it is locked: while a fault makes a copy, there is no entry for a moment. */
	spin_lock(walk->ptl);
	pte = ptep_get(ptep);
	page = pte_present(pte) ? vm_normal_page(pte) : NULL;
	if (page)
		account(w, page, PAGE_SIZE, pte_young(pte), pte_dirty(pte));
	spin_unlock(walk->ptl);
	return 0;
}

static int smaps_pmd_leaf(pmd_t *pmdp, unsigned long addr, unsigned long next, struct mm_walk *walk)
{
	struct smaps_walk *w = walk->private;
	spinlock_t *lock = &w->vma->vm_mm->page_table_lock;
	pmd_t pmd;

	spin_lock(lock);
	pmd = pmdp_get(pmdp);
	if (pmd_leaf(pmd)) {
		struct page *page = compound_head(pfn_to_page(pmd_pfn(pmd)));

		account(w, page, next - addr, pmd.v & _PAGE_ACCESSED, pmd.v & _PAGE_DIRTY);
		if (page_is_anon(page))
			w->mss->anonymous_thp += next - addr;
	}
	spin_unlock(lock);
	return 0;
}

static const struct mm_walk_ops smaps_ops = { .pte = smaps_pte, .pmd_leaf = smaps_pmd_leaf };

void smap_gather_stats(struct vm_area_struct *vma, struct mem_size_stats *mss)
{
	struct smaps_walk w = { .mss = mss, .vma = vma };

	/* Nor are copies counted that a program made of a device's memory: so it is in Linux. */
	if (!(vma->vm_flags & VM_PFNMAP))
		walk_page_range(vma->vm_mm->context.pgd, vma->vm_start, vma->vm_end, &smaps_ops,
				&w);
}
