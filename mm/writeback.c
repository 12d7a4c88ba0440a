/* SPDX-License-Identifier: MIT */
/*
 * Pages that differ from what is stored, and how they get there. Dirty is a page that was changed since
 * it was last written:
 *
 *	write(2)      copies into the page, then set_page_dirty()
 *	a mapping     shows it read-only while it is clean. The first write faults (page_mkwrite):
 *	              set_page_dirty(), then the entry becomes writable
 *
 *	write-back    locks the page; clear_page_dirty_for_io() takes every entry's right to write
 *	              (page_mkclean), so that the next write faults again; then it is written
 *
 * So whoever looks for dirty pages finds them by their tag in the tree, without looking at page tables.
 *
 * Locks: PG_dirty and the tag are the same, and change together under mapping->lock. PG_locked keeps
 * page_mkwrite and write-back of one page apart.
 */
#include "kernel/sched/sched.h"
#include "mm/internal.h"

atomic_long_t nr_dirty_pages, nr_writeback_pages, nr_written_pages;

bool set_page_dirty(struct page *page)
{
	struct address_space *mapping = READ_ONCE(page->mapping);
	bool fresh = false;

	if (page_flag(page, PG_dirty))
		return false;
	if (page_is_anon(page) || !mapping || !mapping_can_writeback(mapping))
		return !page_test_and_set_flag(page, PG_dirty);
	spin_lock(&mapping->lock);
	if (page->mapping == mapping && !page_test_and_set_flag(page, PG_dirty)) {
		radix_tree_tag_set(&mapping->pages, page->index, RADIX_TAG_DIRTY);
		atomic_long_inc(&nr_dirty_pages);
		fresh = true;
	}
	spin_unlock(&mapping->lock);
	return fresh;
}

bool clear_page_dirty_for_io(struct page *page)
{
	struct address_space *mapping = page->mapping;
	bool dirty;

	/* What was written through a mapping is in the page by then, and no more comes. */
	if (page_mkclean(page))
		set_page_dirty(page);
	spin_lock(&mapping->lock);
	dirty = page_flag(page, PG_dirty);
	if (dirty) {
		page_clear_flag(page, PG_dirty);
		radix_tree_tag_clear(&mapping->pages, page->index, RADIX_TAG_DIRTY);
		atomic_long_dec(&nr_dirty_pages);
	}
	spin_unlock(&mapping->lock);
	return dirty;
}

/* --- failures ------------------------------------------------------------------------------------- */

static void mapping_set_error(struct address_space *mapping, int err)
{
	spin_lock(&mapping->lock);
	mapping->wb_err = err;
	mapping->wb_seq++;
	spin_unlock(&mapping->lock);
}

u32 filemap_sample_wb_err(struct address_space *mapping)
{
	return READ_ONCE(mapping->wb_seen);
}

int file_check_wb_err(struct vm_file *file)
{
	struct address_space *mapping = file->mapping;
	int err = 0;

	spin_lock(&mapping->lock);
	if (file->wb_seq != mapping->wb_seq) {
		file->wb_seq = mapping->wb_seen = mapping->wb_seq;
		err = mapping->wb_err;
	}
	spin_unlock(&mapping->lock);
	return err;
}

/* --- writing -------------------------------------------------------------------------------------- */

/* The next dirty page from *index to last with a new reference, *index its own; or NULL. */
static struct page *find_get_dirty(struct address_space *mapping, unsigned long *index,
				   unsigned long last)
{
	struct page *page;

	spin_lock(&mapping->lock);
	page = radix_tree_next_tagged(&mapping->pages, index, RADIX_TAG_DIRTY);
	if (page && *index > last)
		page = NULL;
	if (page)
		get_page(page);
	spin_unlock(&mapping->lock);
	return page;
}

/* => the page locked */
static int write_one_page(struct address_space *mapping, struct page *page)
{
	int err;

	if (page->mapping != mapping || !clear_page_dirty_for_io(page))
		return 0;
	page_set_flag(page, PG_writeback);
	atomic_long_inc(&nr_writeback_pages);
	err = mapping->a_ops->write_page(mapping, page);
	page_clear_flag(page, PG_writeback);
	atomic_long_dec(&nr_writeback_pages);
	if (err)
		mapping_set_error(mapping, err);
	else
		atomic_long_inc(&nr_written_pages);
	return err;
}

int filemap_write_and_wait_range(struct address_space *mapping, u64 start, u64 end)
{
	unsigned long index = start >> PAGE_SHIFT, last = end >> PAGE_SHIFT;
	struct page *page;
	int err = 0;

	if (!mapping_can_writeback(mapping))
		return 0;
	/* Each page once, however fast it becomes dirty again. */
	for (; index <= last && (page = find_get_dirty(mapping, &index, last)); index++) {
		int this_err;

		lock_page(page);
		this_err = write_one_page(mapping, page);
		unlock_page(page);
		put_page(page);
		if (!err)
			err = this_err;
		cond_resched();
	}
	return err;
}

int file_write_and_wait_range(struct vm_file *file, u64 start, u64 end)
{
	if (!mapping_can_writeback(file->mapping))
		return 0;
	filemap_write_and_wait_range(file->mapping, start, end);
	return file_check_wb_err(file);
}
