/* SPDX-License-Identifier: MIT */
/*
 * The page cache. A page in it is found by its index in the file, holds one reference for the cache,
 * and is the very page that read(2) copies from and that mappings of the file show.
 *
 * Locks: mapping->lock for the tree and nrpages. PG_locked, the page's own, for who fills it, maps it,
 * or takes it out of the cache: so what is mapped is always in the cache. i_mmap_rwsem for the areas
 * that map the file. They nest: mmap_lock or an area's, PG_locked, i_mmap_rwsem, a page table's lock,
 * mapping->lock.
 */
#include "mm/filemap.h"

#include "kernel/base/string.h"
#include "kernel/sched/sched.h"
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

/* => mapping->lock held */
static struct page *get_within(struct page *page, unsigned long index, unsigned long last)
{
	if (!page || index > last)
		return NULL;
	get_page(page);
	return page;
}

struct page *find_get_next(struct address_space *mapping, unsigned long *index, unsigned long last)
{
	struct page *page;

	spin_lock(&mapping->lock);
	page = radix_tree_next(&mapping->pages, index);
	page = get_within(page, *index, last);
	spin_unlock(&mapping->lock);
	return page;
}

struct page *find_get_next_tagged(struct address_space *mapping, unsigned long *index,
				  unsigned long last, enum radix_tag tag)
{
	struct page *page;

	spin_lock(&mapping->lock);
	page = radix_tree_next_tagged(&mapping->pages, index, tag);
	page = get_within(page, *index, last);
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

bool trylock_page(struct page *page)
{
	return !page_test_and_set_flag(page, PG_locked);
}

void lock_page(struct page *page)
{
	if (!trylock_page(page))
		wait_event(page_waiters, trylock_page(page));
}

void unlock_page(struct page *page)
{
	/* A full barrier: the flag first, then the queue. Who waits joins it, and then tries the lock again. */
	__atomic_fetch_and(&page->flags, ~BIT(PG_locked), __ATOMIC_SEQ_CST);
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

static int charge_page(struct address_space *mapping)
{
	const struct address_space_operations *a_ops = mapping->a_ops;

	return a_ops && a_ops->charge_page ? a_ops->charge_page(mapping) : 0;
}

static void uncharge_page(struct address_space *mapping)
{
	if (mapping->a_ops && mapping->a_ops->page_removed)
		mapping->a_ops->page_removed(mapping);
}

/* Makes the page at `index`, and fills it, unless it is there. */
static int make_page(struct address_space *mapping, unsigned long index, bool fill)
{
	struct page *page;
	int err;

	err = charge_page(mapping);
	if (err)
		return err;
	err = -ENOMEM;
	page = alloc_page(GFP_USER);
	if (!page)
		goto uncharge;
	page_set_flag(page, PG_locked);
	err = add_to_page_cache(mapping, page, index);
	if (err) {
		page_clear_flag(page, PG_locked);
		put_page(page);
		goto uncharge;
	}
	if (fill)
		err = fill_page(mapping, page);
	else
		unlock_page(page);
	put_page(page);
	return err;
uncharge:
	uncharge_page(mapping);
	return err == -EEXIST ? 0 : err;
}

int reserve_cache_page(struct address_space *mapping, unsigned long index)
{
	struct page *page = find_get_page(mapping, index);

	if (!page)
		return make_page(mapping, index, false);
	put_page(page);
	/* Room that has been made before counts as used from now on, as on Linux. */
	page = read_cache_page(mapping, index);
	if (IS_ERR(page))
		return PTR_ERR(page);
	put_page(page);
	return 0;
}

struct page *read_cache_page(struct address_space *mapping, unsigned long index)
{
	for (;;) {
		struct page *page = find_get_page(mapping, index);
		int err;

		if (!page) {
			err = make_page(mapping, index, true);
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

/* --- mappings --------------------------------------------------------------------------------------- */

static unsigned long file_pages(const struct address_space *mapping)
{
	return DIV_ROUND_UP(READ_ONCE(mapping->size), PAGE_SIZE);
}

/* More than that at once is left to the faults that want it. */
#define READAHEAD_MAX_PAGES 512UL

void page_cache_readahead(struct address_space *mapping, unsigned long first, unsigned long last)
{
	if (!mapping_can_writeback(mapping))
		return;
	if (last - first >= READAHEAD_MAX_PAGES)
		last = first + READAHEAD_MAX_PAGES - 1;
	for (; first <= last && first < file_pages(mapping); first++) {
		struct page *page = read_cache_page(mapping, first);

		if (IS_ERR(page))
			break;
		put_page(page);
		cond_resched();
	}
}

/*
 * The file's page at index, with a reference, and in *major whether somebody had to wait for it to be
 * read from where it is kept; or an error pointer, as read_cache_page().
 */
static struct page *fault_cache_page(struct address_space *mapping, unsigned long index,
				     unsigned int *major)
{
	struct page *page = find_get_page(mapping, index);

	if (page && page_flag(page, PG_uptodate)) {
		note_fault_step(STEP_PAGE_CACHED);
		return page;
	}
	if (page)
		put_page(page);
	else if (mapping_can_writeback(mapping))
		*major = VM_FAULT_MAJOR;
	note_fault_step(mapping->a_ops && mapping->a_ops->read_page ? STEP_PAGE_READ :
								      STEP_PAGE_ZEROS);
	return read_cache_page(mapping, index);
}

static unsigned int no_cache_page(long err)
{
	if (err == -ENOMEM)
		return VM_FAULT_OOM;
	note_fault_step(err == -ENOSPC ? STEP_NO_ROOM : STEP_READ_FAILED);
	return VM_FAULT_SIGBUS;
}

static unsigned int filemap_fault(struct vm_fault *vmf)
{
	struct address_space *mapping = vmf->vma->vm_file->mapping;
	struct fault_note *note = &current_mm_task()->fault;
	const u64 path = note->path;
	unsigned int major = 0;
	struct page *page;

	while (vmf->pgoff < file_pages(mapping)) {
		page = fault_cache_page(mapping, vmf->pgoff, &major);
		if (IS_ERR(page))
			return no_cache_page(PTR_ERR(page));
		lock_page(page);
		/* Truncating sets the size first: by now it is seen, or it will find the page. */
		if (page->mapping == mapping && vmf->pgoff < file_pages(mapping)) {
			vmf->page = page;
			return VM_FAULT_LOCKED | major;
		}
		unlock_page(page);
		put_page(page);
		note->path = path;
		/* Truncating was faster, and what we brought back it won't find: it goes, unless it is used. */
		if (vmf->pgoff >= file_pages(mapping))
			invalidate_mapping_pages(mapping, vmf->pgoff, vmf->pgoff);
	}
	note_fault_step(STEP_BEYOND_EOF);
	return VM_FAULT_SIGBUS;
}

/*
 * Maps a page beside the one that faulted, if that needs no waiting. Takes over the reference then. The size
 * is looked at again: behind a new end, another fault may have brought a page back that nobody will find.
 */
static bool map_if_ready(struct vm_fault *vmf, struct page *page, unsigned long addr)
{
	struct address_space *mapping = vmf->vma->vm_file->mapping;
	bool mapped;

	if (!page_flag(page, PG_uptodate) || !trylock_page(page))
		return false;
	mapped = page->mapping == mapping && page->index < file_pages(mapping) &&
		 map_file_page(vmf, page, addr);
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

/* The file learns of the change before it can happen, and so does whoever writes pages back. */
static unsigned int filemap_page_mkwrite(struct vm_fault *vmf)
{
	struct vm_file *file = vmf->vma->vm_file;
	struct page *page = vmf->page;

	file_update_time(file);
	lock_page(page);
	if (page->mapping != file->mapping) {
		unlock_page(page);
		return VM_FAULT_NOPAGE;
	}
	set_page_dirty(page);
	return VM_FAULT_LOCKED;
}

static const struct vm_operations_struct memory_file_vm_ops = {
	.fault = filemap_fault,
	.map_pages = filemap_map_pages,
};

static const struct vm_operations_struct stored_file_vm_ops = {
	.fault = filemap_fault,
	.map_pages = filemap_map_pages,
	.page_mkwrite = filemap_page_mkwrite,
};

int generic_file_mmap(struct vm_file *file, struct vm_area_struct *vma)
{
	vma->vm_ops =
		mapping_can_writeback(file->mapping) ? &stored_file_vm_ops : &memory_file_vm_ops;
	return 0;
}
