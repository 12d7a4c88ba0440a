/* SPDX-License-Identifier: MIT */
/* Pages of physical memory: the flags and counts of a struct page, and how to get and give back some. */
#ifndef MM_PAGE_H
#define MM_PAGE_H

#include "kernel/base/boot_info.h"
#include "kernel/base/panic.h"
#include "mm/fail_site.h"
#include "mm/types.h"

/* --- page, frame, address -------------------------------------------------------------------- */

static inline struct page *pfn_to_page(pfn_t pfn)
{
	return vmemmap + pfn.v;
}

static inline pfn_t page_to_pfn(const struct page *page)
{
	return make_pfn((unsigned long)(page - vmemmap));
}

/* Where the kernel sees the page, in the direct map. */
static inline void *page_address(const struct page *page)
{
	return pfn_to_virt(page_to_pfn(page));
}

static inline struct page *virt_to_page(const void *ptr)
{
	return pfn_to_page(virt_to_pfn(ptr));
}

/* --- flags ------------------------------------------------------------------------------------- */

/*
 * Flags of a page that others can see change by these only. Who sees one set, or cleared, sees what had been
 * written before: what is uptodate has its contents.
 */
static inline bool page_flag(const struct page *page, enum pageflags flag)
{
	return __atomic_load_n(&page->flags, __ATOMIC_ACQUIRE) & BIT(flag);
}

static inline void page_set_flag(struct page *page, enum pageflags flag)
{
	__atomic_fetch_or(&page->flags, BIT(flag), __ATOMIC_RELEASE);
}

static inline void page_clear_flag(struct page *page, enum pageflags flag)
{
	__atomic_fetch_and(&page->flags, ~BIT(flag), __ATOMIC_RELEASE);
}

/*
 * All flags at once, in a plain store. => nobody else changes a flag of the page: it is being handed out or
 * given back, or it is free and zone->lock is held. Others may look at it: a buddy's owner.
 */
static inline void __page_set_flags(struct page *page, unsigned long flags)
{
	__atomic_store_n(&page->flags, flags, __ATOMIC_RELAXED);
}

static inline unsigned long page_flags(const struct page *page)
{
	return __atomic_load_n(&page->flags, __ATOMIC_RELAXED);
}

static inline bool page_test_and_set_flag(struct page *page, enum pageflags flag)
{
	return __atomic_fetch_or(&page->flags, BIT(flag), __ATOMIC_ACQ_REL) & BIT(flag);
}

/* The first page of the compound page this one belongs to; itself when it is alone. */
static inline struct page *compound_head(struct page *page)
{
	return unlikely(page_flag(page, PG_tail)) ? page->compound_head : page;
}

static inline bool page_is_anon(const struct page *page)
{
	return (unsigned long)READ_ONCE(page->mapping) & PAGE_MAPPING_ANON;
}

/* --- references and mappings --------------------------------------------------------------------- */

#define PAGE_ONE_REF 1L
#define PAGE_ONE_MAP (1L << 32)

/* Whoever sees how few there are left comes after those who have let go. */
static inline long page_counts(const struct page *page)
{
	return __atomic_load_n(&page->counts.v, __ATOMIC_ACQUIRE);
}

static inline int page_count(const struct page *page)
{
	return (int)(u32)page_counts(page);
}

/* How many page-table entries map the page. */
static inline int page_mapcount(const struct page *page)
{
	return (int)(page_counts(page) >> 32);
}

static inline void get_page(struct page *page)
{
	DEBUG_ON(page_count(page) <= 0);
	atomic_long_add(&page->counts, PAGE_ONE_REF);
}

/* Drops a reference; the last one frees the page. => any context that may take the zone lock. */
void put_page(struct page *page);
/* The same for n pages at once; what is in the array afterwards is nothing. */
void put_pages(struct page **pages, unsigned int n);

/* A page-table entry now maps the page: one mapping, which is also one reference. */
static inline void page_add_map(struct page *page)
{
	atomic_long_add(&page->counts, PAGE_ONE_MAP + PAGE_ONE_REF);
}

/* For a fresh page whose only reference becomes the mapping's. */
static inline void page_add_first_map(struct page *page)
{
	atomic_long_add(&page->counts, PAGE_ONE_MAP);
}

/* The entry is gone; the reference stays with the caller, who drops it after the TLB flush. */
static inline void page_remove_map(struct page *page)
{
	DEBUG_ON(page_mapcount(page) <= 0);
	__atomic_fetch_sub(&page->counts.v, PAGE_ONE_MAP, __ATOMIC_RELEASE);
}

/* --- the allocator --------------------------------------------------------------------------------- */

#define MAX_ORDER 10 /* the largest block: 2^10 pages, 4 MiB */

enum zone_type {
	ZONE_DMA32, /* below 4 GiB */
	ZONE_NORMAL,
	MAX_NR_ZONES,
};

/* What the caller's context allows, and what the page shall be like. */
typedef unsigned int gfp_t;
#define __GFP_DMA32   BIT(0) /* below 4 GiB only */
#define __GFP_ZERO    BIT(1)
#define __GFP_SLEEP   BIT(2) /* may wait */
#define __GFP_RECLAIM BIT(3) /* may look for memory elsewhere */
#define __GFP_NOWARN  BIT(4)
#define __GFP_COMP    BIT(5) /* make a compound page of an order above 0 */
#define GFP_ATOMIC    0U
#define GFP_KERNEL    ((gfp_t)(__GFP_SLEEP | __GFP_RECLAIM))
#define __GFP_USER    BIT(6) /* for a program's memory: leaves the kernel's reserve alone */
#define GFP_USER      ((gfp_t)(GFP_KERNEL | __GFP_USER))

/*
 * Allocates 2^order pages, naturally aligned, with one reference on the first. Their contents are
 * what was there before unless __GFP_ZERO. NULL when there is no such block. Any context when gfp
 * is GFP_ATOMIC.
 */
struct page *alloc_pages(gfp_t gfp, unsigned int order);
static inline struct page *alloc_page(gfp_t gfp)
{
	return alloc_pages(gfp, 0);
}
#ifdef CONFIG_FAIL_SITES
#define alloc_pages(gfp, order) may_fail("alloc_pages", alloc_pages(gfp, order))
#define alloc_page(gfp)		may_fail("alloc_page", alloc_page(gfp))
#endif
/* Gives back what alloc_pages() of the same order gave. => the caller holds the only reference. */
void free_pages(struct page *page, unsigned int order);
static inline void free_page(struct page *page)
{
	free_pages(page, 0);
}

/* Empties every CPU's lists into the buddy lists. Any context. */
void drain_all_pages(void);

struct buddy_info {
	const char *name;
	unsigned long managed;		     /* pages the allocator has to give, free or not */
	unsigned long free;		     /* pages free, per-CPU lists included */
	unsigned long blocks[MAX_ORDER + 1]; /* free blocks of each order in the buddy lists */
};
/* Describes one zone; false when it has no pages. */
bool zone_buddy_info(enum zone_type type, struct buddy_info *info);
unsigned long nr_free_pages(void);
/* How many of them programs can't have. */
unsigned long nr_reserve_pages(void);
/* Whether programs can have pages, and more than a few. */
bool user_pages_are_free(void);
unsigned long totalram_pages(void);
/* Checks every list, count and flag of the allocator; panics naming the first thing wrong. */
void page_alloc_audit(void);

/* Fault injection for tests: the nth page allocation from now fails (0: none does). */
void page_alloc_fail_nth(unsigned long nth);

/* --- boot ------------------------------------------------------------------------------------------- */

/* Free memory before the allocator runs: memblock.c. Bytes, physical. */
void memblock_init(const struct boot_info *info);
void memblock_reserve(u64 start, u64 size);
/*
 * The highest free memory that fits; panics when there is none. align is a power of two. _low:
 * zeroed, and below 4 GiB, where it can be written before the kernel's own page tables are loaded.
 */
phys_addr_t memblock_alloc(u64 size, u64 align);
phys_addr_t memblock_alloc_low(u64 size, u64 align);
/* Calls fn for each range of RAM in address order, and for each free one. */
void memblock_for_each_ram(void (*fn)(u64 start, u64 end, void *arg), void *arg);
void memblock_for_each_free(void (*fn)(u64 start, u64 end, void *arg), void *arg);
/* What of RAM is reserved, without what memblock_alloc() gave. */
void memblock_for_each_taken(void (*fn)(u64 start, u64 end, void *arg), void *arg);
bool memblock_is_ram(u64 phys);
u64 memblock_end_of_ram(void);

/*
 * Builds the zones over memblock's ranges; memblock hands over and allocates no more.
 * => vmemmap is mapped for every block of 4 MiB that holds any RAM.
 */
void page_alloc_init(void);
/* Gives a range that was reserved at boot to the allocator: the initramfs once it is unpacked. Bytes. */
void free_reserved_area(u64 start, u64 end);
/* The page of zeros that every read of untouched anonymous memory maps. */
extern struct page *zero_page;

#endif
