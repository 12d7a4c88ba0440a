/* SPDX-License-Identifier: MIT */
/*
 * Pages that leave the page cache: because the file ends before them now, because there is a hole where
 * they were, or because nobody needs them in memory. Who shortens a file sets its size first. Then:
 *
 *	1. unmap      every entry that shows a page of the range, found through the areas that map the file;
 *	              from here on an access faults, and the fault looks at the size
 *	2. delete     each page, locked: a fault that had looked before either mapped it (then it is unmapped
 *	              once more, now that no other fault can get at it) or finds it gone
 *	3. unmap      again, for private copies that such a fault made
 *
 * A private copy belongs to its program. It goes with the part of the file it was a copy of, when the
 * file is cut there; not for a hole.
 *
 * The cost is that of what is present: of tables and of pages, not of the range.
 */
#include "kernel/base/string.h"
#include "kernel/sched/sched.h"
#include "mm/internal.h"

/* --- out of page tables ---------------------------------------------------------------------------- */

static void zap_file_range(struct vm_area_struct *vma, unsigned long first, unsigned long last,
			   bool even_cows)
{
	unsigned long from = max(first, vma->vm_pgoff), to = min(last, vma->i_mmap_node.last);
	struct mmu_gather tlb;

	zap_from_outside_begin(vma->vm_mm);
	update_hiwater_rss(vma->vm_mm);
	tlb_gather_mmu(&tlb, vma->vm_mm);
	tlb.keep_cows = !even_cows;
	unmap_page_range(&tlb, vma, vma->vm_start + ((from - vma->vm_pgoff) << PAGE_SHIFT),
			 vma->vm_start + ((to - vma->vm_pgoff + 1) << PAGE_SHIFT));
	tlb_finish_mmu(&tlb);
	zap_from_outside_end(vma->vm_mm);
}

void unmap_mapping_pages(struct address_space *mapping, unsigned long first, unsigned long last,
			 bool even_cows)
{
	struct interval_tree_node *node;

	/* Others may take pages away at the same time: entries have their table's lock. */
	down_read(&mapping->i_mmap_rwsem);
	for (node = interval_tree_iter_first(&mapping->i_mmap, first, last); node;
	     node = interval_tree_iter_next(node, first, last))
		zap_file_range(container_of(node, struct vm_area_struct, i_mmap_node), first, last,
			       even_cows);
	up_read(&mapping->i_mmap_rwsem);
}

/* --- out of the cache ------------------------------------------------------------------------------ */

/* => the page locked, in the cache; mapping->lock held */
static void unlink_page(struct address_space *mapping, struct page *page)
{
	if (radix_tree_tag_get(&mapping->pages, page->index, RADIX_TAG_DIRTY))
		atomic_long_dec(&nr_dirty_pages);
	page_clear_flag(page, PG_dirty);
	radix_tree_delete(&mapping->pages, page->index);
	mapping->nrpages--;
	page->mapping = NULL;
}

/* The rest of it, without the lock; drops the cache's reference. */
static void page_gone(struct address_space *mapping, struct page *page)
{
	atomic_long_dec(&nr_file_pages);
	if (mapping->a_ops && mapping->a_ops->page_removed)
		mapping->a_ops->page_removed(mapping);
	put_page(page);
}

/*
 * Takes a page out of the cache, unless somebody else did, and unmaps it before if it was faulted in
 * again. Whether it had been filled. => the page locked, a reference held
 */
static bool delete_from_page_cache(struct address_space *mapping, struct page *page)
{
	if (page->mapping != mapping)
		return false;
	if (page_mapcount(page))
		unmap_mapping_pages(mapping, page->index, page->index, false);
	spin_lock(&mapping->lock);
	unlink_page(mapping, page);
	spin_unlock(&mapping->lock);
	page_gone(mapping, page);
	return page_flag(page, PG_uptodate);
}

static unsigned long drop_pages(struct address_space *mapping, unsigned long first,
				unsigned long last)
{
	unsigned long n = 0;
	struct page *page;

	for (; first <= last && (page = find_get_next(mapping, &first, last)); first++) {
		lock_page(page);
		n += delete_from_page_cache(mapping, page);
		unlock_page(page);
		put_page(page);
		cond_resched();
	}
	return n;
}

unsigned long truncate_pagecache_range(struct address_space *mapping, unsigned long first,
				       unsigned long last)
{
	unmap_mapping_pages(mapping, first, last, false);
	return drop_pages(mapping, first, last);
}

void drop_unfilled_pages(struct address_space *mapping, unsigned long first, unsigned long last)
{
	struct page *page;

	for (; first <= last && (page = find_get_next(mapping, &first, last)); first++) {
		lock_page(page);
		if (!page_flag(page, PG_uptodate))
			delete_from_page_cache(mapping, page);
		unlock_page(page);
		put_page(page);
		cond_resched();
	}
}

/* Zeroes n bytes inside one page, if it is in the cache. */
static void zero_in_page(struct address_space *mapping, u64 from, size_t n)
{
	struct page *page = n ? find_get_page(mapping, from >> PAGE_SHIFT) : NULL;

	if (!page)
		return;
	lock_page(page);
	if (page->mapping == mapping && page_flag(page, PG_uptodate)) {
		memset((char *)page_address(page) + (from & ~PAGE_MASK), 0, n);
		set_page_dirty(page);
	}
	unlock_page(page);
	put_page(page);
}

void truncate_pagecache(struct address_space *mapping, u64 from)
{
	unsigned long first = DIV_ROUND_UP(from, PAGE_SIZE);

	unmap_mapping_pages(mapping, first, ~0UL, true);
	drop_pages(mapping, first, ~0UL);
	unmap_mapping_pages(mapping, first, ~0UL, true);
	zero_in_page(mapping, from, -from & ~PAGE_MASK);
}

void punch_pagecache(struct address_space *mapping, u64 from, u64 to)
{
	u64 first = ALIGN_UP(from, PAGE_SIZE), end = ALIGN_DOWN(to, PAGE_SIZE);

	if (first > end) { /* all in one page */
		zero_in_page(mapping, from, to - from);
		return;
	}
	if (first < end)
		truncate_pagecache_range(mapping, first >> PAGE_SHIFT, (end >> PAGE_SHIFT) - 1);
	zero_in_page(mapping, from, first - from);
	zero_in_page(mapping, end, to - end);
}

/* --- what nobody would miss ------------------------------------------------------------------------- */

/* Whether it went. => the page locked, a reference held */
static bool invalidate_page(struct address_space *mapping, struct page *page)
{
	bool unused;

	if (page->mapping != mapping || page_mapcount(page))
		return false;
	/* Nobody finds the page meanwhile: so if it has no reference but the cache's and ours, none comes. */
	spin_lock(&mapping->lock);
	unused = page_count(page) == 2 && !page_flag(page, PG_dirty);
	if (unused)
		unlink_page(mapping, page);
	spin_unlock(&mapping->lock);
	if (unused)
		page_gone(mapping, page);
	return unused;
}

unsigned long invalidate_mapping_pages(struct address_space *mapping, unsigned long first,
				       unsigned long last)
{
	unsigned long n = 0;
	struct page *page;

	for (; first <= last && (page = find_get_next(mapping, &first, last)); first++) {
		/* Who has it locked, uses it. */
		if (trylock_page(page)) {
			n += invalidate_page(mapping, page);
			unlock_page(page);
		}
		put_page(page);
		cond_resched();
	}
	return n;
}
