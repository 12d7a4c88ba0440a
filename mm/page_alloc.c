/* SPDX-License-Identifier: MIT */
/*
 * The buddy allocator. Free memory is kept in blocks of 2^order pages, naturally aligned. A block is
 * split in halves until it has the size wanted; a freed block looks at its buddy - the frame number
 * with bit `order` flipped - and, when that is free as a whole too, becomes one block with it.
 *
 *	order 2   |       0..3        |      free 2^2 at frame 0; alloc_pages(0) splits it:
 *	order 1   |  0..1   |  2..3   |      2..3 stays free at order 1,
 *	order 0   | 0  | 1  |                1 stays free at order 0, 0 is handed out
 *
 * In front of it each CPU keeps a few single pages, filled and emptied in batches.
 *
 * Blocks that nobody has needed yet are "fresh": ranges of whole order-10 blocks whose struct pages
 * are not even initialised. They count as free. A fresh block is prepared when the lists run out,
 * so that boot takes the same time with 64 GiB as with 64 MiB.
 *
 * Locks: a CPU's pages have a lock of their own, which nobody contends for but who drains them, from
 * any CPU and in any context. In it nests zone->lock, for lists and counts. Both are taken with
 * interrupts off. zone->free is read without, by who asks whether there is enough; it may be a little old.
 */
#include "kernel/base/context.h"
#include "kernel/base/cpumask.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/lib/bitmap.h"
#include "mm/fault_inject.h"
#include "mm/internal.h"
#include "mm/kasan.h"

#define BLOCK_PAGES (1UL << MAX_ORDER)
#define MAX_FRESH   64

#define PCP_BATCH 31
#define PCP_HIGH  (6 * PCP_BATCH)

/* What of a zone programs can't have: enough for the kernel to end one of them. */
#define RESERVE_PART 128

#define PAGE_POISON 0xaaaaaaaaaaaaaaaaUL

struct fresh_range {
	unsigned long start, end; /* frame numbers, whole blocks */
};

struct zone {
	const char *name;
	spinlock_t lock;
	unsigned long present; /* RAM */
	unsigned long managed; /* RAM that was given to the allocator */
	unsigned long reserve; /* free pages that programs can't have */
	unsigned long free; /* pages in the lists and in fresh blocks; not those on CPUs' lists */
	struct {
		struct list_head list;
		unsigned long nr;
	} area[MAX_ORDER + 1];
	unsigned int nr_fresh;
	struct fresh_range fresh[MAX_FRESH];
};

/*
 * Pages [first, end) counted modulo PCP_SLOTS: given and taken at the end, since what was freed last is
 * in the processor's cache; what has been there longest goes back to the zone. Zeros are an empty one.
 */
#define PCP_SLOTS 256

struct per_cpu_pages {
	spinlock_t lock;
	unsigned int first, end; /* change together with zone->free only under zone->lock */
	struct page *pages[PCP_SLOTS];
};
_Static_assert(PCP_HIGH < PCP_SLOTS, "the pages of a CPU have room");

static struct zone zones[MAX_NR_ZONES] = {
	[ZONE_DMA32] = { .name = "DMA32", .lock = SPINLOCK_INIT },
	[ZONE_NORMAL] = { .name = "Normal", .lock = SPINLOCK_INIT },
};
static DEFINE_PER_CPU(struct per_cpu_pages, pcp_lists)[MAX_NR_ZONES] = {
	[0 ... MAX_NR_ZONES - 1] = { .lock = SPINLOCK_INIT },
};

/* One bit a block: its struct pages are initialised. */
static unsigned long *block_ready;
static unsigned long nr_blocks;
static int top_zone = ZONE_NORMAL; /* the highest that has memory */

struct page *zero_page;
static atomic_long_t fail_nth;

#define FRAMES_BELOW_4G (1UL << (32 - PAGE_SHIFT))

static enum zone_type pfn_zone(unsigned long pfn)
{
	return pfn < FRAMES_BELOW_4G ? ZONE_DMA32 : ZONE_NORMAL;
}

static struct zone *page_zone(const struct page *page)
{
	return &zones[pfn_zone(page_to_pfn(page).v)];
}

bool page_is_ready(unsigned long pfn)
{
	unsigned long block = pfn / BLOCK_PAGES;

	return block < nr_blocks && test_bit(block, block_ready);
}

/* --- poison: what is free must stay as it was left ------------------------------------------- */

#ifdef CONFIG_DEBUG
/* Both look at pages that are nobody's. */
static __no_kasan void poison_page(struct page *page)
{
	unsigned long *p = page_address(page);

	for (unsigned int i = 0; i < PAGE_SIZE / sizeof(*p); i++)
		p[i] = PAGE_POISON;
	__page_set_flags(page, page_flags(page) | BIT(PG_poisoned));
}

static __no_kasan void check_poison(struct page *page)
{
	const unsigned long *p = page_address(page);

	if (!page_flag(page, PG_poisoned))
		return;
	for (unsigned int i = 0; i < PAGE_SIZE / sizeof(*p); i++)
		if (p[i] != PAGE_POISON)
			panic("page frame %#lx was written after it was freed: %#lx at offset %#lx",
			      page_to_pfn(page).v, p[i], i * sizeof(*p));
	__page_set_flags(page, page_flags(page) & ~BIT(PG_poisoned));
}
#else
static void poison_page(struct page *page)
{
}

static void check_poison(struct page *page)
{
}
#endif

/* --- lists of blocks; all => zone->lock ---------------------------------------------------------- */

static void add_block(struct zone *zone, struct page *page, unsigned int order)
{
	__page_set_flags(page, page_flags(page) | BIT(PG_buddy));
	page->order = (u16)order;
	list_add(&page->lru, &zone->area[order].list);
	zone->area[order].nr++;
}

static void del_block(struct zone *zone, struct page *page, unsigned int order)
{
	__page_set_flags(page, page_flags(page) & ~BIT(PG_buddy));
	list_del(&page->lru);
	zone->area[order].nr--;
}

static void init_block_pages(unsigned long pfn, unsigned long flags)
{
	struct page *page = pfn_to_page(make_pfn(pfn));

	memset(page, 0, BLOCK_PAGES * sizeof(*page));
	for (unsigned long i = 0; flags && i < BLOCK_PAGES; i++)
		page[i].flags = flags;
	set_bit(pfn / BLOCK_PAGES, block_ready);
}

/* Moves one fresh block into the lists; false when there is none. */
static bool take_fresh_block(struct zone *zone)
{
	struct fresh_range *f;

	if (zone->nr_fresh == 0)
		return false;
	f = &zone->fresh[zone->nr_fresh - 1];
	init_block_pages(f->start, 0);
	for (unsigned long i = 0; i < BLOCK_PAGES; i++)
		kasan_free_page(pfn_to_page(make_pfn(f->start + i)));
	add_block(zone, pfn_to_page(make_pfn(f->start)), MAX_ORDER);
	f->start += BLOCK_PAGES;
	if (f->start == f->end)
		zone->nr_fresh--;
	return true;
}

/* Halves a block until its first part has the order wanted. */
static void expand(struct zone *zone, struct page *page, unsigned int low, unsigned int high)
{
	while (high > low) {
		high--;
		add_block(zone, page + (1UL << high), high);
	}
}

static struct page *rmqueue(struct zone *zone, unsigned int order)
{
	unsigned int o = order;
	struct page *page;

	while (o <= MAX_ORDER && list_empty(&zone->area[o].list))
		o++;
	if (o > MAX_ORDER) {
		if (!take_fresh_block(zone))
			return NULL;
		o = MAX_ORDER;
	}
	page = list_first_entry(&zone->area[o].list, struct page, lru);
	del_block(zone, page, o);
	expand(zone, page, order, o);
	WRITE_ONCE(zone->free, zone->free - (1UL << order));
	return page;
}

static bool is_free_buddy(const struct page *page, unsigned int order)
{
	return page_flag(page, PG_buddy) && page->order == order;
}

static void merge_and_add(struct zone *zone, struct page *page, unsigned int order)
{
	unsigned long pfn = page_to_pfn(page).v;

	WRITE_ONCE(zone->free, zone->free + (1UL << order));
	/* Buddies up to this order lie in one block of order MAX_ORDER, whose pages are all initialised. */
	while (order < MAX_ORDER) {
		unsigned long buddy_pfn = pfn ^ (1UL << order);
		struct page *buddy = pfn_to_page(make_pfn(buddy_pfn));

		if (!is_free_buddy(buddy, order))
			break;
		del_block(zone, buddy, order);
		pfn &= ~(1UL << order);
		order++;
	}
	add_block(zone, pfn_to_page(make_pfn(pfn)), order);
}

/* --- single pages in front ---------------------------------------------------------------------------- */

/* Whether `n` pages may go to who asks with these flags. */
static bool may_take(const struct zone *zone, gfp_t gfp, unsigned long n)
{
	return !(gfp & __GFP_USER) || READ_ONCE(zone->free) >= zone->reserve + n;
}

static struct page **pcp_slot(struct per_cpu_pages *pcp, unsigned int n)
{
	return &pcp->pages[n % PCP_SLOTS];
}

/* => pcp->lock, none there. In front of the end, so that they go out in the order they come here. */
static noinline void pcp_fill(struct per_cpu_pages *pcp, struct zone *zone)
{
	struct page *page;

	spin_lock(&zone->lock);
	for (int i = 0; i < PCP_BATCH && (page = rmqueue(zone, 0)); i++) {
		unsigned int first = pcp->first - 1;

		*pcp_slot(pcp, first) = page;
		WRITE_ONCE(pcp->first, first);
	}
	spin_unlock(&zone->lock);
}

static struct page *pcp_alloc(enum zone_type type, gfp_t gfp)
{
	struct zone *zone = &zones[type];
	struct per_cpu_pages *pcp;
	struct page *page = NULL;
	unsigned long flags;

	/* Below the reserve a program gets nothing, not even from here; the figure may be a little old. */
	if (unlikely(!may_take(zone, gfp, 1)))
		return NULL;
	flags = local_irq_save();
	pcp = &(*this_cpu_ptr(&pcp_lists))[type];
	spin_lock(&pcp->lock);
	if (unlikely(pcp->first == pcp->end))
		pcp_fill(pcp, zone);
	if (likely(pcp->first != pcp->end)) {
		unsigned int end = pcp->end - 1;

		page = *pcp_slot(pcp, end);
		WRITE_ONCE(pcp->end, end);
	}
	spin_unlock(&pcp->lock);
	local_irq_restore(flags);
	return page;
}

/* => pcp->lock. The pages that have been there longest go first. */
static noinline void pcp_free_some(struct per_cpu_pages *pcp, struct zone *zone, unsigned int n)
{
	spin_lock(&zone->lock);
	for (; n > 0 && pcp->first != pcp->end; n--) {
		merge_and_add(zone, *pcp_slot(pcp, pcp->first), 0);
		WRITE_ONCE(pcp->first, pcp->first + 1);
	}
	spin_unlock(&zone->lock);
}

/* Single pages that nobody has a reference to any more. Any context. */
static void pcp_free(struct page **pages, unsigned int n)
{
	struct per_cpu_pages *lists, *held = NULL;
	unsigned long flags = local_irq_save();

	lists = *this_cpu_ptr(&pcp_lists);
	for (unsigned int i = 0; i < n; i++) {
		enum zone_type type = pfn_zone(page_to_pfn(pages[i]).v);
		struct per_cpu_pages *pcp = &lists[type];

		DEBUG_ON(!pcp);
		/* Mostly all are of one zone. */
		if (pcp != held) {
			if (held)
				spin_unlock(&held->lock);
			spin_lock(&pcp->lock);
			held = pcp;
		}
		*pcp_slot(pcp, pcp->end) = pages[i];
		WRITE_ONCE(pcp->end, pcp->end + 1);
		if (unlikely(pcp->end - pcp->first > PCP_HIGH))
			pcp_free_some(pcp, &zones[type], PCP_BATCH);
	}
	if (held)
		spin_unlock(&held->lock);
	local_irq_restore(flags);
}

static void drain_list(struct per_cpu_pages *pcp, struct zone *zone)
{
	unsigned long flags = spin_lock_irqsave(&pcp->lock);

	pcp_free_some(pcp, zone, PCP_SLOTS);
	spin_unlock_irqrestore(&pcp->lock, flags);
}

void drain_all_pages(void)
{
	unsigned int cpu;

	for_each_online_cpu(cpu)
	{
		struct per_cpu_pages *lists = *per_cpu_ptr(&pcp_lists, cpu);

		for (int type = 0; type < MAX_NR_ZONES; type++)
			drain_list(&lists[type], &zones[type]);
	}
}

/*
 * Pages that wait on all CPUs' lists. => zone->lock: so none of them is on its way from a list to the zone or
 * back, and counted twice or not at all
 */
static unsigned long pcp_pages(enum zone_type type)
{
	unsigned long n = 0;
	unsigned int cpu;

	for_each_online_cpu(cpu)
	{
		const struct per_cpu_pages *pcp = &(*per_cpu_ptr(&pcp_lists, cpu))[type];
		unsigned int first = READ_ONCE(pcp->first);

		n += READ_ONCE(pcp->end) - first;
	}
	return n;
}

/* --- the face ------------------------------------------------------------------------------------------- */

static void prepare_one(struct page *page, gfp_t gfp)
{
	check_poison(page);
	DEBUG_ON(page_flags(page) != 0);
	DEBUG_ON(atomic_long_read(&page->counts) != 0);
	if (gfp & __GFP_ZERO)
		clear_page(page_address(page));
}

/* The pages behind the first of a block. */
static noinline void prepare_rest(struct page *page, gfp_t gfp, unsigned int order)
{
	unsigned long nr = 1UL << order;

	for (unsigned long i = 1; i < nr; i++)
		prepare_one(&page[i], gfp);
	if (!(gfp & __GFP_COMP))
		return;
	__page_set_flags(page, BIT(PG_head));
	for (unsigned long i = 1; i < nr; i++) {
		__page_set_flags(&page[i], BIT(PG_tail));
		page[i].compound_head = page;
	}
}

static void prepare_new_page(struct page *page, gfp_t gfp, unsigned int order)
{
	prepare_one(page, gfp);
	page->mapping = NULL;
	page->private = 0;
	page->order = (u16)order;
	atomic_long_set(&page->counts, PAGE_ONE_REF);
	if (order > 0)
		prepare_rest(page, gfp, order);
}

void page_alloc_fail_nth(unsigned long nth)
{
	atomic_long_set(&fail_nth, (long)nth);
}

static noinline struct page *zone_alloc(enum zone_type type, gfp_t gfp, unsigned int order)
{
	struct zone *zone = &zones[type];
	struct page *page;
	unsigned long flags;

	flags = spin_lock_irqsave(&zone->lock);
	page = may_take(zone, gfp, 1UL << order) ? rmqueue(zone, order) : NULL;
	spin_unlock_irqrestore(&zone->lock, flags);
	return page;
}

/* From that zone or one below. */
static struct page *alloc_from(int type, gfp_t gfp, unsigned int order)
{
	struct page *page = NULL;

	for (; type >= 0 && !page; type--)
		page = likely(order == 0) ? pcp_alloc((enum zone_type)type, gfp) :
					    zone_alloc((enum zone_type)type, gfp, order);
	return page;
}

struct page *(alloc_pages)(gfp_t gfp, unsigned int order)
{
	const int first = gfp & __GFP_DMA32 ? ZONE_DMA32 : top_zone;
	struct page *page = NULL;

	BUG_ON(order > MAX_ORDER);
	might_sleep_if(gfp & __GFP_SLEEP);
	if (fail_countdown(&fail_nth))
		return NULL;
	page = alloc_from(first, gfp, order);
	/* What waits on the CPUs' lists may be all there is, or what a block is missing. */
	if (unlikely(!page)) {
		kasan_drain();
		drain_all_pages();
		page = alloc_from(first, gfp, order);
	}
	if (page) {
		kasan_alloc_pages(page, order);
		prepare_new_page(page, gfp, order);
		trace(PAGE_ALLOC, page_to_pfn(page).v, order, gfp);
	}
	return page;
}

/* What a page may not be when it is freed. */
#define NOT_WHEN_FREED \
	(BIT(PG_buddy) | BIT(PG_reserved) | BIT(PG_locked) | BIT(PG_slab) | BIT(PG_lru))

static noinline void bad_freed_page(const struct page *page)
{
	if (page_flags(page) & NOT_WHEN_FREED)
		panic("page frame %#lx freed in a state it can't be freed in: flags %#lx",
		      page_to_pfn(page).v, page_flags(page));
	panic("page frame %#lx freed with %d references and %d mappings", page_to_pfn(page).v,
	      page_count(page), page_mapcount(page));
}

static void check_freed_page(const struct page *page)
{
	if (unlikely((page_flags(page) & NOT_WHEN_FREED) || page_counts(page) != 0))
		bad_freed_page(page);
}

static void prepare_free(struct page *page)
{
	check_freed_page(page);
	__page_set_flags(page, 0);
	page->mapping = NULL;
	poison_page(page);
	kasan_free_page(page);
}

static void free_block(struct page *page, unsigned int order)
{
	struct zone *zone = page_zone(page);
	unsigned long flags;

	trace(PAGE_FREE, page_to_pfn(page).v, order);
	for (unsigned long i = 0; i < 1UL << order; i++)
		prepare_free(&page[i]);
	if (order == 0) {
		pcp_free(&page, 1);
		return;
	}
	flags = spin_lock_irqsave(&zone->lock);
	merge_and_add(zone, page, order);
	spin_unlock_irqrestore(&zone->lock, flags);
}

void free_pages(struct page *page, unsigned int order)
{
	if (atomic_long_read(&page->counts) != PAGE_ONE_REF)
		panic("page frame %#lx freed twice or still in use: %d references, %d mappings",
		      page_to_pfn(page).v, page_count(page), page_mapcount(page));
	atomic_long_set(&page->counts, 0);
	free_block(page, order);
}

void put_page(struct page *page)
{
	page = compound_head(page);
	DEBUG_ON(page_count(page) <= 0);
	if ((u32)atomic_long_add_return(&page->counts, -PAGE_ONE_REF) == 0)
		free_block(page, page_flag(page, PG_head) ? page->order : 0);
}

/* Takes the reference; true when that was the last one of a page that stands alone. */
static bool put_page_testzero(struct page *page)
{
	if (page_flag(page, PG_head) || page_flag(page, PG_tail)) {
		put_page(page);
		return false;
	}
	DEBUG_ON(page_count(page) <= 0);
	return (u32)atomic_long_add_return(&page->counts, -PAGE_ONE_REF) == 0;
}

void put_pages(struct page **pages, unsigned int n)
{
	unsigned int last = 0;

	for (unsigned int i = 0; i < n; i++) {
		if (!put_page_testzero(pages[i]))
			continue;
		prepare_free(pages[i]);
		pages[last++] = pages[i];
	}
	if (trace_on(PAGE_FREE))
		for (unsigned int i = 0; i < last; i++)
			trace(PAGE_FREE, page_to_pfn(pages[i]).v, 0);
	pcp_free(pages, last);
}

/* --- boot -------------------------------------------------------------------------------------------------- */

/* Makes the struct pages of a block usable, all reserved: what is free of it is freed after. */
static void prepare_block(unsigned long pfn)
{
	if (!page_is_ready(pfn))
		init_block_pages(ALIGN_DOWN(pfn, BLOCK_PAGES), BIT(PG_reserved));
}

static void free_boot_pages(unsigned long pfn, unsigned long end)
{
	while (pfn < end) {
		struct page *page = pfn_to_page(make_pfn(pfn));
		struct zone *zone = page_zone(page);
		unsigned long flags;

		prepare_block(pfn);
		BUG_ON(!page_flag(page, PG_reserved));
		__page_set_flags(page, 0);
		kasan_free_page(page);
		flags = spin_lock_irqsave(&zone->lock);
		zone->managed++;
		merge_and_add(zone, page, 0);
		spin_unlock_irqrestore(&zone->lock, flags);
		pfn++;
	}
}

static void add_free_range(u64 start, u64 end, void *arg)
{
	unsigned long pfn = start >> PAGE_SHIFT, end_pfn = end >> PAGE_SHIFT;
	unsigned long first = ALIGN_UP(pfn, BLOCK_PAGES), last = ALIGN_DOWN(end_pfn, BLOCK_PAGES);
	struct zone *zone;

	/* A range over the border of zones becomes two; the border is a block's. */
	if (pfn < FRAMES_BELOW_4G && end_pfn > FRAMES_BELOW_4G) {
		add_free_range(start, FRAMES_BELOW_4G << PAGE_SHIFT, arg);
		add_free_range(FRAMES_BELOW_4G << PAGE_SHIFT, end, arg);
		return;
	}
	zone = &zones[pfn_zone(pfn)];
	if (first >= last || zone->nr_fresh == MAX_FRESH) {
		free_boot_pages(pfn, end_pfn);
		return;
	}
	free_boot_pages(pfn, first);
	zone->fresh[zone->nr_fresh++] = (struct fresh_range){ first, last };
	zone->free += last - first;
	zone->managed += last - first;
	free_boot_pages(last, end_pfn);
}

static void count_present(u64 start, u64 end, void *arg)
{
	unsigned long pfn = start >> PAGE_SHIFT, end_pfn = end >> PAGE_SHIFT;
	unsigned long low = pfn < FRAMES_BELOW_4G ? min(end_pfn, FRAMES_BELOW_4G) - pfn : 0;

	zones[ZONE_DMA32].present += low;
	zones[ZONE_NORMAL].present += end_pfn - pfn - low;
}

void free_reserved_area(u64 start, u64 end)
{
	unsigned long pfn = ALIGN_UP(start, PAGE_SIZE) >> PAGE_SHIFT;
	unsigned long end_pfn = end >> PAGE_SHIFT;

	if (pfn < end_pfn)
		free_boot_pages(pfn, end_pfn);
}

void page_alloc_init(void)
{
	size_t bytes;

	nr_blocks = DIV_ROUND_UP(memblock_end_of_ram() >> PAGE_SHIFT, BLOCK_PAGES);
	bytes = DIV_ROUND_UP(nr_blocks, 8 * sizeof(long)) * sizeof(long);
	block_ready = phys_to_virt(memblock_alloc_low(bytes, PAGE_SIZE));
	for (int t = 0; t < MAX_NR_ZONES; t++)
		for (int o = 0; o <= MAX_ORDER; o++)
			INIT_LIST_HEAD(&zones[t].area[o].list);
	memblock_for_each_ram(count_present, NULL);
	memblock_for_each_free(add_free_range, NULL);
	while (top_zone > 0 && !zones[top_zone].managed)
		top_zone--;

	for (int t = 0; t < MAX_NR_ZONES; t++)
		zones[t].reserve = zones[t].managed / RESERVE_PART;
	zero_page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	BUG_ON(!zero_page);
}

/* --- questions ----------------------------------------------------------------------------------------------- */

static unsigned long fresh_pages(const struct zone *zone)
{
	unsigned long n = 0;

	for (unsigned int i = 0; i < zone->nr_fresh; i++)
		n += zone->fresh[i].end - zone->fresh[i].start;
	return n;
}

bool zone_buddy_info(enum zone_type type, struct buddy_info *info)
{
	struct zone *zone = &zones[type];
	unsigned long flags;

	if (!zone->present)
		return false;
	flags = spin_lock_irqsave(&zone->lock);
	info->name = zone->name;
	info->managed = zone->managed;
	info->free = zone->free + pcp_pages(type);
	for (int o = 0; o <= MAX_ORDER; o++)
		info->blocks[o] = zone->area[o].nr;
	info->blocks[MAX_ORDER] += fresh_pages(zone) / BLOCK_PAGES;
	spin_unlock_irqrestore(&zone->lock, flags);
	return true;
}

unsigned long nr_reserve_pages(void)
{
	unsigned long n = 0;

	for (int t = 0; t < MAX_NR_ZONES; t++)
		n += zones[t].reserve;
	return n;
}

bool user_pages_are_free(void)
{
	for (int t = 0; t < MAX_NR_ZONES; t++)
		if (zones[t].managed && may_take(&zones[t], __GFP_USER, PCP_BATCH))
			return true;
	return false;
}

unsigned long nr_free_pages(void)
{
	struct buddy_info info;
	unsigned long n = 0;

	for (int t = 0; t < MAX_NR_ZONES; t++)
		if (zone_buddy_info((enum zone_type)t, &info))
			n += info.free;
	return n;
}

unsigned long totalram_pages(void)
{
	return zones[ZONE_DMA32].managed + zones[ZONE_NORMAL].managed;
}

/* => zone->lock held. */
static unsigned long audit_order(const struct zone *zone, unsigned int order)
{
	unsigned long nr = 0;
	struct page *page;

	list_for_each_entry(page, &zone->area[order].list, lru)
	{
		unsigned long pfn = page_to_pfn(page).v;
		const struct page *buddy = pfn_to_page(make_pfn(pfn ^ (1UL << order)));

		if (!is_free_buddy(page, order))
			panic("buddy audit: frame %#lx in the list of order %u isn't such a block",
			      pfn, order);
		if (pfn & ((1UL << order) - 1))
			panic("buddy audit: block %#lx is not aligned to its order %u", pfn, order);
		if (page_zone(page) != zone)
			panic("buddy audit: frame %#lx is in zone %s's list", pfn, zone->name);
		if (order < MAX_ORDER && is_free_buddy(buddy, order))
			panic("buddy audit: %#lx and its buddy are both free at order %u", pfn,
			      order);
		for (unsigned long i = 0; i < 1UL << order; i++) {
			if (atomic_long_read(&page[i].counts) != 0)
				panic("buddy audit: free frame %#lx has references", pfn + i);
			if (i > 0 && page_flag(&page[i], PG_buddy))
				panic("buddy audit: frame %#lx is free twice", pfn + i);
		}
		nr++;
	}
	if (nr != zone->area[order].nr)
		panic("buddy audit: zone %s order %u counts %lu blocks, has %lu", zone->name, order,
		      zone->area[order].nr, nr);
	return nr << order;
}

void page_alloc_audit(void)
{
	for (int t = 0; t < MAX_NR_ZONES; t++) {
		struct zone *zone = &zones[t];
		unsigned long flags = spin_lock_irqsave(&zone->lock);
		unsigned long free = fresh_pages(zone);

		for (unsigned int o = 0; o <= MAX_ORDER; o++)
			free += audit_order(zone, o);
		if (free != zone->free)
			panic("buddy audit: zone %s counts %lu free pages, has %lu", zone->name,
			      zone->free, free);
		spin_unlock_irqrestore(&zone->lock, flags);
	}
}
