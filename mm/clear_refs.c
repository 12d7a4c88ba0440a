/* SPDX-License-Identifier: MIT */
/*
 * /proc/pid/clear_refs: makes an address space forget what was done to it, so that what is done from
 * now on can be seen. That a page was used is told by the processor, in its entry. That it was changed,
 * also where it was changed before, needs a fault: the entry loses its right to write together with the
 * soft-dirty mark, and the next write brings both back. In an area that has VM_SOFTDIRTY everything
 * counts as changed, so nobody asks its entries.
 */
#include "mm/internal.h"

struct clear_walk {
	struct vm_area_struct *vma;
	struct mmu_gather tlb;
	enum clear_refs_what what;
};

static void clear_pte(struct clear_walk *w, pte_t *ptep, unsigned long addr)
{
	pte_t old = ptep_get(ptep), pte;
	struct page *page;

	if (!pte_present(old))
		return;
	if (w->what == CLEAR_REFS_SOFT_DIRTY) {
		old = ptep_get_and_clear(ptep);
		pte = pte_wrprotect(pte_clear_soft_dirty(old));
		set_pte(ptep, pte);
	} else {
		page = vm_normal_page(old);
		if (!page)
			return;
		old = ptep_get_and_clear(ptep);
		pte = pte_mkold(old);
		set_pte(ptep, pte);
		page_clear_flag(page, PG_referenced);
	}
	trace(PTE_SET, w->vma->vm_mm, addr, LEVEL_PTE, old.v, pte.v);
	if (!pte_same(old, pte))
		tlb_remove_entry(&w->tlb, addr);
}

static int clear_refs_pte(pte_t *ptep, unsigned long addr, unsigned long next, struct mm_walk *walk)
{
	struct clear_walk *w = walk->private;

	spin_lock(walk->ptl);
	clear_pte(w, ptep, addr);
	spin_unlock(walk->ptl);
	return 0;
}

static bool concerns(enum clear_refs_what what, const struct vm_area_struct *vma)
{
	if (vma->vm_flags & VM_PFNMAP)
		return false;
	if (what == CLEAR_REFS_ANON)
		return !vma->vm_file;
	return what != CLEAR_REFS_MAPPED || vma->vm_file;
}

void mm_clear_refs(struct mm_struct *mm, enum clear_refs_what what)
{
	static const struct mm_walk_ops ops = { .pte = clear_refs_pte };
	struct clear_walk w = { .what = what };
	struct vm_area_struct *vma;

	mmap_write_lock(mm);
	if (what == CLEAR_REFS_PEAK) {
		WRITE_ONCE(mm->hiwater_rss, get_mm_rss(mm));
		mmap_write_unlock(mm);
		return;
	}
	tlb_gather_mmu(&w.tlb, mm);
	for_each_vma(mm, vma)
	{
		if (what == CLEAR_REFS_SOFT_DIRTY) {
			vma_start_write(vma);
			vm_flags_reset(vma, vma->vm_flags & ~(u64)VM_SOFTDIRTY);
			vma_set_page_prot(vma);
		}
		w.vma = vma;
		if (concerns(what, vma))
			walk_page_range(mm->context.pgd, vma->vm_start, vma->vm_end, &ops, &w);
	}
	tlb_finish_mmu(&w.tlb);
	mmap_write_unlock(mm);
}
