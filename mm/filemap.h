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
 * Drops all pages from byte `from` on (the page that `from` lies in keeps its head; its tail is zeroed), for truncate and
 * at an inode's end. Mapped pages are unmapped first.
 */
void truncate_pagecache(struct address_space *mapping, u64 from);
/*
 * Drops the pages [first, last], which shared mappings show at most; they are unmapped first. Returns how
 * many there were that had been filled. May sleep.
 */
unsigned long truncate_pagecache_range(struct address_space *mapping, unsigned long first,
				       unsigned long last);
/*
 * Makes the bytes from `from` to before `to` zero, for a hole. Pages that lie in it altogether and
 * that nobody else uses are dropped; others keep their place. => the file's size doesn't change
 */
void punch_pagecache(struct address_space *mapping, u64 from, u64 to);
/* Lets go of a page that a fault operation gave locked: VM_FAULT_LOCKED. Any context. */
void unlock_page(struct page *page);
/* Number of pages in all page caches: Cached in /proc/meminfo. */
extern atomic_long_t nr_file_pages;

/* An area over a file's page cache: sets vma->vm_ops. What a regular file's mmap operation calls. */
int generic_file_mmap(struct vm_file *file, struct vm_area_struct *vma);

/*
 * Who may write a file through a mapping is counted, so that a seal can keep all of them away. An area
 * that is VM_SHARED takes a count as long as it is in i_mmap, and one while it is being made.
 */

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
