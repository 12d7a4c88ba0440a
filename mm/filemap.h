/* SPDX-License-Identifier: MIT */
/* The page cache: the pages of a file that are in memory, found by their index. */
#ifndef MM_FILEMAP_H
#define MM_FILEMAP_H

#include "kernel/base/errno.h"
#include "mm/page.h"
#include "mm/types.h"

void address_space_init(struct address_space *mapping, void *host,
			const struct address_space_operations *a_ops);
/* The cached page at `index` with a new reference, or NULL. */
struct page *find_get_page(struct address_space *mapping, unsigned long index);
/*
 * Puts a page into the cache; the cache takes its own reference. 0, -ENOMEM, or -EEXIST when
 * another page is there already; nothing has changed after a failure.
 */
int add_to_page_cache(struct address_space *mapping, struct page *page, unsigned long index);
/*
 * The page at `index`, made (zeroed) or read by a_ops->read_page if it isn't there: uptodate, with
 * a new reference. Or an ERR_PTR. May sleep. Does not look at the file's size.
 */
struct page *read_cache_page(struct address_space *mapping, unsigned long index);
/*
 * Makes the page at `index`, not filled yet, if it isn't there: room for it is taken. A page that is
 * there is filled. 0 or -errno. May sleep.
 */
int reserve_cache_page(struct address_space *mapping, unsigned long index);
/*
 * Lets go of a page that is locked: by a fault operation (VM_FAULT_LOCKED), or lock_page(). Any context.
 */
void unlock_page(struct page *page);
/* May sleep. */
void lock_page(struct page *page);
/*
 * Brings the pages [first, last] into memory, as far as the file goes and a failure lets it; nothing
 * where the cache is all there is. May sleep.
 */
void page_cache_readahead(struct address_space *mapping, unsigned long first, unsigned long last);

/* --- pages that go: truncate.c ------------------------------------------------------------------- */

/*
 * Unmaps the pages [first, last] wherever they are mapped; with even_cows, what was copied from them
 * privately is lost, too. May sleep.
 */
void unmap_mapping_pages(struct address_space *mapping, unsigned long first, unsigned long last,
			 bool even_cows);
/*
 * Drops all pages from byte `from` on (the page that `from` lies in keeps its head; its tail is
 * zeroed), for truncate and at an inode's end. They are unmapped first, private copies too. => the new
 * size is set, so that no fault brings one back
 */
void truncate_pagecache(struct address_space *mapping, u64 from);
/*
 * Drops the pages [first, last], which are unmapped first; private copies stay. Returns how many there
 * were that had been filled. May sleep.
 */
unsigned long truncate_pagecache_range(struct address_space *mapping, unsigned long first,
				       unsigned long last);
/* Drops those of the pages [first, last] that were made by reserve_cache_page() and never filled. */
void drop_unfilled_pages(struct address_space *mapping, unsigned long first, unsigned long last);
/*
 * Makes the bytes from `from` to before `to` zero, for a hole: pages that lie in it altogether are
 * dropped as above, of others the part is zeroed. The file's size doesn't change. May sleep.
 */
void punch_pagecache(struct address_space *mapping, u64 from, u64 to);
/*
 * Drops those of the pages [first, last] that nobody would miss: clean, not mapped, not in use. How
 * many. May sleep. => there is a place to read them from again
 */
unsigned long invalidate_mapping_pages(struct address_space *mapping, unsigned long first,
				       unsigned long last);

/* --- pages that change: writeback.c -------------------------------------------------------------- */

/* Whether there is another place than the cache, so that being dirty means something. */
static inline bool mapping_can_writeback(const struct address_space *mapping)
{
	return mapping->a_ops && mapping->a_ops->write_page;
}
/* Pages that differ from what is stored; on their way there; brought there since boot. */
extern atomic_long_t nr_dirty_pages, nr_writeback_pages, nr_written_pages;
/* Notes that a page was changed: true if it was clean. Any context. => mapped, or locked, or referenced */
bool set_page_dirty(struct page *page);
/*
 * Makes a page clean that is about to be written, so that the next change of it is noticed, also one by
 * way of a mapping. Whether it was dirty. May sleep. => the page locked
 */
bool clear_page_dirty_for_io(struct page *page);
/*
 * Writes the dirty pages that bytes [start, end] lie in. 0, or the first error, which is also remembered
 * for those who have the file open; the page is not tried again. May sleep.
 */
int filemap_write_and_wait_range(struct address_space *mapping, u64 start, u64 end);
/* The same, and then what went wrong since this opening of the file was told last: once. 0 or -errno. */
int file_write_and_wait_range(struct vm_file *file, u64 start, u64 end);
/* Only that: what this opening hasn't been told yet. */
int file_check_wb_err(struct vm_file *file);
/* What a new opening has been told: all but what nobody has been told yet. */
u32 filemap_sample_wb_err(struct address_space *mapping);

/* Number of pages in all page caches: Cached in /proc/meminfo. */
extern atomic_long_t nr_file_pages;

/* An area over a file's page cache: sets vma->vm_ops. What a regular file's mmap operation calls. */
int generic_file_mmap(struct vm_file *file, struct vm_area_struct *vma);

/*
 * Who may write a file through a mapping is counted, so that a seal can keep all of them away. An area
 * that is shared and may ever be written takes a count as long as it is in i_mmap, and one while it is
 * being made.
 */
static inline bool is_shared_maywrite(u64 vm_flags)
{
	return (vm_flags & (VM_SHARED | VM_MAYWRITE)) == (VM_SHARED | VM_MAYWRITE);
}

/* For a second area that shows what one does already: so none insists that there be none. */
static inline void __mapping_map_writable(struct address_space *mapping)
{
	atomic_inc(&mapping->i_mmap_writable);
}

/* 0, or -EPERM when there may be no such area. */
static inline int mapping_map_writable(struct address_space *mapping)
{
	int old = atomic_read(&mapping->i_mmap_writable);

	do {
		if (old < 0)
			return -EPERM;
	} while (!__atomic_compare_exchange_n(&mapping->i_mmap_writable.v, &old, old + 1, false,
					      __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	return 0;
}

static inline void mapping_unmap_writable(struct address_space *mapping)
{
	atomic_dec(&mapping->i_mmap_writable);
}

/* From now on there is no such area: 0, or -EBUSY when there is one. */
static inline int mapping_deny_writable(struct address_space *mapping)
{
	int old = atomic_read(&mapping->i_mmap_writable);

	do {
		if (old > 0)
			return -EBUSY;
	} while (!__atomic_compare_exchange_n(&mapping->i_mmap_writable.v, &old, old - 1, false,
					      __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	return 0;
}

static inline void mapping_allow_writable(struct address_space *mapping)
{
	atomic_inc(&mapping->i_mmap_writable);
}

#endif
