/* SPDX-License-Identifier: MIT */
/*
 * From a page to the entries that map it. The page says to what it belongs, by page->mapping, and where
 * in it, by page->index; what it belongs to knows the areas that show that index; and in each there is
 * one address at which the page would be:
 *
 *	anonymous   page->mapping = anon_vma        chains:  areas that may have it (anon_vma.c)
 *	a file's    page->mapping = address_space   i_mmap:  areas that map the file
 *
 *	address = vm_start + (page->index - vm_pgoff) pages
 *
 * An area found so may have another page there, or none: its entry decides.
 *
 * Locks: the anon_vma's root's rwsem, or i_mmap_rwsem, for reading, so areas and their tables stay;
 * then the locks of the page tables, one after the other. mmap_lock of none.
 */
#include "mm/internal.h"

unsigned long page_address_in_vma(const struct page *page, const struct vm_area_struct *vma)
{
	unsigned long pages = page->index - vma->vm_pgoff;

	if (page->index < vma->vm_pgoff || pages >= vma_pages(vma))
		return (unsigned long)-EFAULT;
	return vma->vm_start + (pages << PAGE_SHIFT);
}

pte_t *page_vma_mapped(const struct page *page, struct vm_area_struct *vma, unsigned long addr,
		       spinlock_t **ptl)
{
	pmd_t *pmdp = pmd_lookup(vma->vm_mm->context.pgd, addr);
	pmd_t pmd = pmdp ? pmdp_get(pmdp) : __pmd(0);
	pte_t *pte;

	if (!pmd_table(pmd))
		return NULL;
	/* Not before: while somebody changes the entry, it may be none for a moment. */
	*ptl = table_lockptr(pmd);
	spin_lock(*ptl);
	pte = pte_offset(pmd, addr);
	if (pte_present(ptep_get(pte)) && vm_normal_page(ptep_get(pte)) == page)
		return pte;
	spin_unlock(*ptl);
	return NULL;
}

bool page_mapped_in_vma(const struct page *page, struct vm_area_struct *vma)
{
	unsigned long addr = page_address_in_vma(page, vma);
	spinlock_t *ptl;

	if (IS_ERR_VALUE(addr) || !page_vma_mapped(page, vma, addr, &ptl))
		return false;
	spin_unlock(ptl);
	return true;
}

static bool visit(struct page *page, struct vm_area_struct *vma,
		  const struct rmap_walk_control *rwc)
{
	unsigned long addr = page_address_in_vma(page, vma);

	return IS_ERR_VALUE(addr) || rwc->rmap_one(page, vma, addr, rwc->arg);
}

static void rmap_walk_anon(struct page *page, const struct rmap_walk_control *rwc)
{
	struct anon_vma *av = page_anon_vma(page);
	struct interval_tree_node *node;

	down_read(&av->root->rwsem);
	for (node = interval_tree_iter_first(&av->chains, page->index, page->index); node;
	     node = interval_tree_iter_next(node, page->index, page->index))
		if (!visit(page, container_of(node, struct anon_vma_chain, node)->vma, rwc))
			break;
	up_read(&av->root->rwsem);
}

static void rmap_walk_file(struct page *page, const struct rmap_walk_control *rwc)
{
	struct address_space *mapping = page->mapping;
	struct interval_tree_node *node;

	down_read(&mapping->i_mmap_rwsem);
	for (node = interval_tree_iter_first(&mapping->i_mmap, page->index, page->index); node;
	     node = interval_tree_iter_next(node, page->index, page->index))
		if (!visit(page, container_of(node, struct vm_area_struct, i_mmap_node), rwc))
			break;
	up_read(&mapping->i_mmap_rwsem);
}

void rmap_walk(struct page *page, const struct rmap_walk_control *rwc)
{
	if (page_is_anon(page))
		rmap_walk_anon(page, rwc);
	else if (page->mapping)
		rmap_walk_file(page, rwc);
}

static bool count_one(struct page *page, struct vm_area_struct *vma, unsigned long addr, void *arg)
{
	int *n = arg;

	*n += page_mapped_in_vma(page, vma);
	return true;
}

int page_count_mappings(struct page *page)
{
	int n = 0;
	const struct rmap_walk_control rwc = { .rmap_one = count_one, .arg = &n };

	rmap_walk(page, &rwc);
	return n;
}

void page_move_anon_rmap(struct page *page, const struct vm_area_struct *vma)
{
	WRITE_ONCE(page->mapping,
		   (struct address_space *)((unsigned long)vma->anon_vma | PAGE_MAPPING_ANON));
}

/* --- taking rights, and entries, away ------------------------------------------------------------- */

static bool mkclean_one(struct page *page, struct vm_area_struct *vma, unsigned long addr,
			void *arg)
{
	struct mm_struct *mm = vma->vm_mm;
	int *n = arg;
	spinlock_t *ptl;
	pte_t *ptep, pte;

	/* A private area never has the file's page writable. */
	if (!(vma->vm_flags & VM_SHARED))
		return true;
	ptep = page_vma_mapped(page, vma, addr, &ptl);
	if (!ptep)
		return true;
	pte = ptep_get(ptep);
	if (pte_dirty(pte) || pte_write(pte)) {
		pte = ptep_get_and_clear(ptep);
		set_pte(ptep, pte_wrprotect(pte_mkclean(pte)));
		trace(PTE_SET, mm, addr, LEVEL_PTE, pte.v, ptep->v);
		tlb_flush_range(&mm->context, addr, addr + PAGE_SIZE);
		(*n)++;
	}
	spin_unlock(ptl);
	return true;
}

int page_mkclean(struct page *page)
{
	int n = 0;
	const struct rmap_walk_control rwc = { .rmap_one = mkclean_one, .arg = &n };

	if (page_mapcount(page))
		rmap_walk(page, &rwc);
	return n;
}

/*
 * Whether a page without its last entry would be missed by nobody. An anonymous one must have been given up
 * (MADV_FREE), not been written since, and be in nobody's hands. => the entry cleared and flushed
 */
static bool may_discard(const struct page *page, pte_t pte)
{
	if (!page_is_anon(page))
		return true;
	return !page_flag(page, PG_swapbacked) && !page_flag(page, PG_dirty) && !pte_dirty(pte) &&
	       page_count(page) == page_mapcount(page) + 1;
}

static bool unmap_one(struct page *page, struct vm_area_struct *vma, unsigned long addr, void *arg)
{
	struct mm_struct *mm = vma->vm_mm;
	spinlock_t *ptl;
	pte_t *ptep = page_vma_mapped(page, vma, addr, &ptl), pte;
	bool goes;

	if (!ptep)
		return true;
	if (vma->vm_flags & VM_LOCKED) {
		spin_unlock(ptl);
		return false;
	}
	/* Only what no processor can write any more is surely clean. */
	zap_from_outside_begin(mm);
	pte = ptep_get_and_clear(ptep);
	trace(PTE_CLEAR, mm, addr, LEVEL_PTE, pte.v);
	tlb_flush_range(&mm->context, addr, addr + PAGE_SIZE);
	goes = may_discard(page, pte);
	if (goes) {
		if (pte_dirty(pte))
			set_page_dirty(page);
		update_hiwater_rss(mm);
		add_mm_counter(mm, page_rss_kind(page), -1);
		page_remove_map(page);
	} else {
		set_pte(ptep, pte);
		trace(PTE_SET, mm, addr, LEVEL_PTE, 0, pte.v);
		page_set_flag(page, PG_swapbacked);
	}
	zap_from_outside_end(mm);
	spin_unlock(ptl);
	if (goes)
		put_page(page); /* the mapping's; the caller has one */
	return goes;
}

bool try_to_unmap(struct page *page)
{
	const struct rmap_walk_control rwc = { .rmap_one = unmap_one };

	rmap_walk(page, &rwc);
	return !page_mapcount(page);
}
