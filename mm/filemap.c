/* SPDX-License-Identifier: MIT */
/*
 * The page cache. A page in it is found by its index in the file, holds one reference for the cache,
 * and is the very page that read(2) copies from and that mappings of the file show.
 *
 * Locks: mapping->lock for the tree and nrpages. PG_locked, the page's own, for who fills it, maps it,
 * or takes it out of the cache: so what is mapped is always in the cache. i_mmap_rwsem for the areas
 * that map the file. They nest: mmap_lock, PG_locked, i_mmap_rwsem, page_table_lock.
 */
#include "mm/filemap.h"

#include "kernel/base/string.h"
#include "kernel/sched/wait.h"
#include "mm/internal.h"

atomic_long_t nr_file_pages;

static struct kmem_cache *node_cache;
static struct wait_queue_head page_waiters = WAIT_QUEUE_INIT(page_waiters);

static void *node_alloc(void)
{
	return kmem_cache_zalloc(node_cache, GFP_ATOMIC);
}

static void node_free(void *node)
{
	kmem_cache_free(node_cache, node);
}

static const struct radix_tree_ops node_ops = { .alloc = node_alloc, .free = node_free };

void filemap_init(void)
{
	node_cache = kmem_cache_create("radix_tree_node", RADIX_TREE_NODE_SIZE, 0);
}

void address_space_init(struct address_space *mapping, void *host,
			const struct address_space_operations *a_ops)
{
	static atomic_long_t last_id;

	memset(mapping, 0, sizeof(*mapping));
	mapping->id = (u64)atomic_long_add_return(&last_id, 1);
	mapping->host = host;
	mapping->a_ops = a_ops;
	radix_tree_init(&mapping->pages, &node_ops);
	spin_lock_init(&mapping->lock);
	mapping->i_mmap = RB_ROOT;
	init_rwsem(&mapping->i_mmap_rwsem);
}

struct page *find_get_page(struct address_space *mapping, unsigned long index)
{
	struct page *page;

	spin_lock(&mapping->lock);
	page = radix_tree_lookup(&mapping->pages, index);
	if (page)
		get_page(page);
	spin_unlock(&mapping->lock);
	return page;
}

int add_to_page_cache(struct address_space *mapping, struct page *page, unsigned long index)
{
	int err;

	page->mapping = mapping;
	page->index = index;
	get_page(page);
	spin_lock(&mapping->lock);
	err = radix_tree_insert(&mapping->pages, index, page);
	if (!err)
		mapping->nrpages++;
	spin_unlock(&mapping->lock);
	if (err) {
		page->mapping = NULL;
		put_page(page);
		return err;
	}
	atomic_long_inc(&nr_file_pages);
	return 0;
}

static bool trylock_page(struct page *page)
{
	return !page_test_and_set_flag(page, PG_locked);
}

/* May sleep. */
static void lock_page(struct page *page)
{
	if (!trylock_page(page))
		wait_event(page_waiters, trylock_page(page));
}

void unlock_page(struct page *page)
{
	__atomic_fetch_and(&page->flags, ~BIT(PG_locked), __ATOMIC_SEQ_CST);
	/* Who joins the queue after this look tries the lock again before it sleeps. */
	if (!list_empty(&page_waiters.waiters))
		wake_up(&page_waiters);
}

/* => page_locked by us, in the cache. Fills it, by the file's operation or with zeros. */
static int fill_page(struct address_space *mapping, struct page *page)
{
	int err = 0;

	if (mapping->a_ops && mapping->a_ops->read_page) {
		err = mapping->a_ops->read_page(mapping, page);
	} else {
		clear_page(page_address(page));
		page_set_flag(page, PG_uptodate);
	}
	unlock_page(page);
	return err;
}

/* Makes the page at `index` and begins to fill it. */
static int make_page(struct address_space *mapping, unsigned long index)
{
	struct page *page = alloc_page(GFP_USER);
	int err;

	if (!page)
		return -ENOMEM;
	page_set_flag(page, PG_locked);
	err = add_to_page_cache(mapping, page, index);
	if (!err)
		err = fill_page(mapping, page);
	else
		page_clear_flag(page, PG_locked);
	put_page(page);
	return err == -EEXIST ? 0 : err;
}

struct page *read_cache_page(struct address_space *mapping, unsigned long index)
{
	for (;;) {
		struct page *page = find_get_page(mapping, index);
		int err;

		if (!page) {
			err = make_page(mapping, index);
			if (err)
				return ERR_PTR(err);
			continue;
		}
		if (page_flag(page, PG_uptodate))
			return page;
		/* Somebody is filling it; or has failed: then try it ourselves. */
		lock_page(page);
		err = 0;
		if (page->mapping == mapping && !page_flag(page, PG_uptodate))
			err = fill_page(mapping, page);
		else
			unlock_page(page);
		put_page(page);
		if (err)
			return ERR_PTR(err);
	}
}

/* --- truncate ------------------------------------------------------------------------------------ */

/* Unmaps the pages [first, last] wherever they are mapped; private copies go too. */
static void unmap_mapping_pages(struct address_space *mapping, unsigned long first,
				unsigned long last)
{
	struct interval_tree_node *node;

	down_write(&mapping->i_mmap_rwsem);
	for (node = interval_tree_iter_first(&mapping->i_mmap, first, last); node;
	     node = interval_tree_iter_next(node, first, last)) {
		struct vm_area_struct *vma = container_of(node, struct vm_area_struct, i_mmap_node);
		unsigned long from = max(first, vma->vm_pgoff), to = min(last, node->last);

		zap_page_range(vma, vma->vm_start + ((from - vma->vm_pgoff) << PAGE_SHIFT),
			       vma->vm_start + ((to - vma->vm_pgoff + 1) << PAGE_SHIFT));
	}
	up_write(&mapping->i_mmap_rwsem);
}

static void zero_tail(struct address_space *mapping, u64 from)
{
	unsigned long offset = from & ~PAGE_MASK;
	struct page *page = offset ? find_get_page(mapping, from >> PAGE_SHIFT) : NULL;

	if (page) {
		memset((char *)page_address(page) + offset, 0, PAGE_SIZE - offset);
		put_page(page);
	}
}

/* The next cached page from *index to last with a new reference, *index its own; or NULL. */
static struct page *find_get_next(struct address_space *mapping, unsigned long *index,
				  unsigned long last)
{
	struct page *page;

	spin_lock(&mapping->lock);
	page = radix_tree_next(&mapping->pages, index);
	if (page && *index > last)
		page = NULL;
	if (page)
		get_page(page);
	spin_unlock(&mapping->lock);
	return page;
}

/* The last of what taking a page out of the cache takes. */
static void page_gone(struct address_space *mapping, struct page *page)
{
	page->mapping = NULL;
	atomic_long_dec(&nr_file_pages);
	if (page_flag(page, PG_uptodate) && mapping->a_ops && mapping->a_ops->page_removed)
		mapping->a_ops->page_removed(mapping);
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
		unmap_mapping_pages(mapping, page->index, page->index);
	spin_lock(&mapping->lock);
	radix_tree_delete(&mapping->pages, page->index);
	mapping->nrpages--;
	spin_unlock(&mapping->lock);
	page_gone(mapping, page);
	put_page(page);
	return page_flag(page, PG_uptodate);
}

unsigned long truncate_pagecache_range(struct address_space *mapping, unsigned long first,
				       unsigned long last)
{
	unsigned long n = 0;
	struct page *page;

	unmap_mapping_pages(mapping, first, last);
	for (; (page = find_get_next(mapping, &first, last)); first++) {
		lock_page(page);
		n += delete_from_page_cache(mapping, page);
		unlock_page(page);
		put_page(page);
	}
	return n;
}

void truncate_pagecache(struct address_space *mapping, u64 from)
{
	unsigned long first = (from + PAGE_SIZE - 1) >> PAGE_SHIFT;

	truncate_pagecache_range(mapping, first, ~0UL);
	/* A private copy may have been made of a page after the first look and before it went. */
	unmap_mapping_pages(mapping, first, ~0UL);
	zero_tail(mapping, from);
}

/* --- holes ----------------------------------------------------------------------------------------- */

/*
 * Takes the first page from *index to `last` out of the cache if only the cache holds it (then nobody
 * can come to it meanwhile: that takes mapping->lock); else gives it with a reference and *kept set.
 * NULL: there is none.
 */
static struct page *take_unused_page(struct address_space *mapping, unsigned long *index,
				     unsigned long last, bool *kept)
{
	struct page *page;

	spin_lock(&mapping->lock);
	page = radix_tree_next(&mapping->pages, index);
	if (page && *index > last)
		page = NULL;
	*kept = page && page_count(page) > 1;
	if (*kept) {
		get_page(page);
	} else if (page) {
		radix_tree_delete(&mapping->pages, *index);
		mapping->nrpages--;
	}
	spin_unlock(&mapping->lock);
	return page;
}

/* Zeroes n bytes inside one page, if it is in the cache. */
static void zero_in_page(struct address_space *mapping, u64 from, size_t n)
{
	struct page *page = n ? find_get_page(mapping, from >> PAGE_SHIFT) : NULL;

	if (page) {
		memset((char *)page_address(page) + (from & ~PAGE_MASK), 0, n);
		put_page(page);
	}
}

void punch_pagecache(struct address_space *mapping, u64 from, u64 to)
{
	u64 first = ALIGN_UP(from, PAGE_SIZE), end = ALIGN_DOWN(to, PAGE_SIZE);
	unsigned long index = first >> PAGE_SHIFT;
	struct page *page;
	bool kept;

	if (first > end) { /* all in one page */
		zero_in_page(mapping, from, to - from);
		return;
	}
	zero_in_page(mapping, from, first - from);
	zero_in_page(mapping, end, to - end);
	while (first < end &&
	       (page = take_unused_page(mapping, &index, (end >> PAGE_SHIFT) - 1, &kept))) {
		if (kept) {
			clear_page(page_address(page));
		} else {
			page_gone(mapping, page);
		}
		put_page(page);
		index++;
	}
}

/* --- mappings --------------------------------------------------------------------------------------- */

static unsigned long file_pages(const struct address_space *mapping)
{
	return DIV_ROUND_UP(READ_ONCE(mapping->size), PAGE_SIZE);
}

static unsigned int filemap_fault(struct vm_fault *vmf)
{
	struct address_space *mapping = vmf->vma->vm_file->mapping;
	struct page *page;

	while (vmf->pgoff < file_pages(mapping)) {
		page = read_cache_page(mapping, vmf->pgoff);
		if (IS_ERR(page))
			return PTR_ERR(page) == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
		lock_page(page);
		/* Truncating sets the size first: by now it is seen, or it will find the page. */
		if (page->mapping == mapping && vmf->pgoff < file_pages(mapping)) {
			vmf->page = page;
			return VM_FAULT_LOCKED;
		}
		unlock_page(page);
		put_page(page);
	}
	return VM_FAULT_SIGBUS;
}

/* Maps a page beside the one that faulted, if that needs no waiting. Takes over the reference then. */
static bool map_if_ready(struct vm_fault *vmf, struct page *page, unsigned long addr)
{
	bool mapped;

	if (!page_flag(page, PG_uptodate) || !trylock_page(page))
		return false;
	mapped = page->mapping == vmf->vma->vm_file->mapping && map_file_page(vmf, page, addr);
	unlock_page(page);
	return mapped;
}

static unsigned int filemap_map_pages(struct vm_fault *vmf, unsigned long start_pgoff,
				      unsigned long end_pgoff)
{
	struct address_space *mapping = vmf->vma->vm_file->mapping;
	unsigned long index = start_pgoff, last = min(end_pgoff + 1, file_pages(mapping));
	unsigned int ret = 0;
	struct page *page;

	for (; index < last && (page = find_get_next(mapping, &index, last - 1)); index++) {
		unsigned long addr = vmf->address + ((index - vmf->pgoff) << PAGE_SHIFT);

		if (!map_if_ready(vmf, page, addr))
			put_page(page);
		else if (index == vmf->pgoff)
			ret = VM_FAULT_NOPAGE;
	}
	return ret;
}

static const struct vm_operations_struct generic_file_vm_ops = {
	.fault = filemap_fault,
	.map_pages = filemap_map_pages,
};

int generic_file_mmap(struct vm_file *file, struct vm_area_struct *vma)
{
	vma->vm_ops = &generic_file_vm_ops;
	return 0;
}
