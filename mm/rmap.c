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
 * Locks: the anon_vma's root's rwsem, or i_mmap_rwsem, for reading, so areas stay; then the
 * page_table_lock of one mm after the other. mmap_lock of none.
 */
#include "mm/internal.h"

unsigned long page_address_in_vma(const struct page *page, const struct vm_area_struct *vma)
{
	unsigned long pages = page->index - vma->vm_pgoff;

	if (page->index < vma->vm_pgoff || pages >= vma_pages(vma))
		return (unsigned long)-EFAULT;
	return vma->vm_start + (pages << PAGE_SHIFT);
}

pte_t *page_vma_mapped(const struct page *page, struct vm_area_struct *vma, unsigned long addr)
{
	struct mm_struct *mm = vma->vm_mm;
	pmd_t *pmd;
	pte_t *pte;

	/* Before going down: who frees a table takes it out of its parent under this lock first. */
	spin_lock(&mm->page_table_lock);
	pmd = pmd_lookup(mm->pgd, addr);
	if (pmd && pmd_table(pmdp_get(pmd))) {
		pte = pte_offset(pmdp_get(pmd), addr);
		if (pte_present(ptep_get(pte)) && vm_normal_page(ptep_get(pte)) == page)
			return pte;
	}
	spin_unlock(&mm->page_table_lock);
	return NULL;
}

bool page_mapped_in_vma(const struct page *page, struct vm_area_struct *vma)
{
	unsigned long addr = page_address_in_vma(page, vma);

	if (IS_ERR_VALUE(addr) || !page_vma_mapped(page, vma, addr))
		return false;
	spin_unlock(&vma->vm_mm->page_table_lock);
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
