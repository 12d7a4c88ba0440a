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
 * So whoever looks for dirty pages finds them by their tag in the tree, without looking at page tables;
 * and those on their way by another, so that fsync can wait for what somebody else has begun to write.
 *
 * Locks: PG_dirty and PG_writeback are the same as their tags, and change with them under mapping->lock.
 * PG_locked keeps page_mkwrite and write-back of one page apart.
 */
#include "kernel/sched/sched.h"
#include "mm/internal.h"

atomic_long_t nr_dirty_pages, nr_writeback_pages, nr_written_pages;

bool set_page_dirty(struct page *page)
{
	struct address_space *mapping = READ_ONCE(page->mapping);
	bool fresh = false;

	/*
	 * What was written must be in the page before this look at the flag: who clears it after the look will
	 * then find all that was written.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
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
		file->wb_seq = mapping->wb_seq;
		WRITE_ONCE(mapping->wb_seen, mapping->wb_seq);
		err = mapping->wb_err;
	}
	spin_unlock(&mapping->lock);
	return err;
}

/* --- writing -------------------------------------------------------------------------------------- */

static void begin_writeback(struct address_space *mapping, struct page *page)
{
	spin_lock(&mapping->lock);
	page_set_flag(page, PG_writeback);
	radix_tree_tag_set(&mapping->pages, page->index, RADIX_TAG_WRITEBACK);
	spin_unlock(&mapping->lock);
	atomic_long_inc(&nr_writeback_pages);
}

static void end_writeback(struct address_space *mapping, struct page *page)
{
	spin_lock(&mapping->lock);
	page_clear_flag(page, PG_writeback);
	radix_tree_tag_clear(&mapping->pages, page->index, RADIX_TAG_WRITEBACK);
	spin_unlock(&mapping->lock);
	atomic_long_dec(&nr_writeback_pages);
}

/* => the page locked */
static int write_one_page(struct address_space *mapping, struct page *page)
{
	int err = 0;

	if (page->mapping != mapping)
		return 0;
	/* Before it is clean: who looks for one tag and then for the other doesn't miss it. */
	begin_writeback(mapping, page);
	if (clear_page_dirty_for_io(page)) {
		err = mapping->a_ops->write_page(mapping, page);
		if (err)
			mapping_set_error(mapping, err);
		else
			atomic_long_inc(&nr_written_pages);
	}
	end_writeback(mapping, page);
	return err;
}

/* Waits for the pages that somebody else is writing: he has them locked. */
static void wait_for_writeback(struct address_space *mapping, unsigned long index,
			       unsigned long last)
{
	struct page *page;

	for (; index <= last &&
	       (page = find_get_next_tagged(mapping, &index, last, RADIX_TAG_WRITEBACK));
	     index++) {
		lock_page(page);
		unlock_page(page);
		put_page(page);
	}
}

int filemap_write_and_wait_range(struct address_space *mapping, u64 start, u64 end)
{
	unsigned long first = start >> PAGE_SHIFT, index = first, last = end >> PAGE_SHIFT;
	struct page *page;
	int err = 0;

	if (!mapping_can_writeback(mapping))
		return 0;
	/* Each page once, however fast it becomes dirty again. */
	for (;
	     index <= last && (page = find_get_next_tagged(mapping, &index, last, RADIX_TAG_DIRTY));
	     index++) {
		int this_err;

		lock_page(page);
		this_err = write_one_page(mapping, page);
		unlock_page(page);
		put_page(page);
		if (!err)
			err = this_err;
		cond_resched();
	}
	wait_for_writeback(mapping, first, last);
	return err;
}

int file_write_and_wait_range(struct vm_file *file, u64 start, u64 end)
{
	if (!mapping_can_writeback(file->mapping))
		return 0;
	filemap_write_and_wait_range(file->mapping, start, end);
	return file_check_wb_err(file);
}
