/* SPDX-License-Identifier: MIT */
/*
 * Object caches. A slab is a block of pages cut into objects of one size; its free objects are
 * chained through their first word, and struct page holds the chain's head and the count. Each CPU
 * has a magazine of objects in front, so that most calls touch no lock that others wait for.
 *
 * A slab is in its cache's partial list while it has both free and used objects; full slabs are in no
 * list, empty ones are given back at once but for one kept at hand.
 *
 * In debug builds each object lies between redzones and says whether it is out: mm/slab_debug.c.
 *
 * Locks: each magazine's own, which nobody contends for but who drains it, from any CPU; cache->lock for
 * the slabs. Neither is taken under the other, both with interrupts off; the page allocator is never
 * called under them.
 */
#include "mm/slab.h"

#include "kernel/base/cpumask.h"
#include "kernel/base/context.h"
#include "kernel/base/string.h"
#include "mm/fault_inject.h"
#include "mm/slab_internal.h"

#define MAX_CACHES     48
#define MAX_SLAB_ORDER 3

static struct kmem_cache caches[MAX_CACHES];
static unsigned int nr_caches; /* those below are complete */
static spinlock_t caches_lock = SPINLOCK_INIT;
static atomic_long_t fail_nth;

/* --- slabs ------------------------------------------------------------------------------------------- */

static struct page *new_slab(struct kmem_cache *c, gfp_t gfp)
{
	struct page *page = alloc_pages((gfp & ~__GFP_ZERO) | __GFP_COMP, c->order);
	char *obj;

	if (!page)
		return NULL;
	page_set_flag(page, PG_slab);
	page->slab_cache = c;
	page->freelist = NULL;
	page->inuse = 0;
	page->objects = (u16)c->objs_per_slab;
	slab_mark_new(c, page);
	obj = page_address(page);
	obj += c->lead + (size_t)c->stride * (c->objs_per_slab - 1);
	for (unsigned int i = 0; i < c->objs_per_slab; i++, obj -= c->stride) {
		slab_mark_free(c, obj);
		*(void **)obj = page->freelist;
		page->freelist = obj;
	}
	kasan_new_slab(c, page);
	return page;
}

static void free_slab(struct kmem_cache *c, struct page *page)
{
	page_clear_flag(page, PG_slab);
	page->slab_cache = NULL;
	page->order = (u16)c->order;
	put_page(page);
}

/* => c->lock. Takes one object out of some slab; NULL when all are full. */
static void *slab_take(struct kmem_cache *c)
{
	struct page *page;
	void *obj;

	if (list_empty(&c->partial)) {
		if (!c->empty)
			return NULL;
		list_add(&c->empty->lru, &c->partial);
		c->empty = NULL;
	}
	page = list_first_entry(&c->partial, struct page, lru);
	obj = page->freelist;
	page->freelist = *(void **)obj;
	if (++page->inuse == page->objects) {
		list_del(&page->lru);
		slab_note_full(c, page);
	}
	c->nr_used++;
	return obj;
}

/* => c->lock. Puts an object back; returns a slab to free after the lock is dropped, or NULL. */
static struct page *slab_put(struct kmem_cache *c, void *obj)
{
	struct page *page = compound_head(virt_to_page(obj));

	*(void **)obj = page->freelist;
	page->freelist = obj;
	c->nr_used--;
	if (page->inuse-- == page->objects) {
		slab_note_not_full(page);
		list_add(&page->lru, &c->partial);
	}
	if (page->inuse > 0)
		return NULL;
	list_del(&page->lru);
	if (!c->empty) {
		c->empty = page;
		return NULL;
	}
	c->nr_slabs--;
	return page;
}

/* Takes an object past the empty magazine: from a slab, or from a new one. => interrupts on or off. */
static noinline void *alloc_slow(struct kmem_cache *c, gfp_t gfp)
{
	unsigned long flags = spin_lock_irqsave(&c->lock);
	void *obj = slab_take(c);
	struct page *page;

	if (!obj) {
		spin_unlock_irqrestore(&c->lock, flags);
		page = new_slab(c, gfp);
		if (!page)
			return NULL;
		flags = spin_lock_irqsave(&c->lock);
		c->nr_slabs++;
		list_add(&page->lru, &c->partial);
		obj = slab_take(c);
	}
	spin_unlock_irqrestore(&c->lock, flags);
	return obj;
}

/* Gives n objects back to their slabs. */
static void give_back(struct kmem_cache *c, void **objs, unsigned int n)
{
	struct page *empty[MAG_SIZE];
	unsigned int nr_empty = 0;
	unsigned long flags;

	if (likely(!n))
		return;
	flags = spin_lock_irqsave(&c->lock);
	for (unsigned int i = 0; i < n; i++) {
		struct page *page = slab_put(c, objs[i]);

		if (page)
			empty[nr_empty++] = page;
	}
	spin_unlock_irqrestore(&c->lock, flags);
	while (nr_empty)
		free_slab(c, empty[--nr_empty]);
}

/* --- the face ------------------------------------------------------------------------------------------ */

/* => size is no more than the cache's */
static void *alloc_object(struct kmem_cache *c, size_t size, gfp_t gfp)
{
	unsigned long flags;
	struct magazine *mag;
	void *obj = NULL;

	might_sleep_if(gfp & __GFP_SLEEP);
	if (fail_countdown(&fail_nth))
		return NULL;
	flags = local_irq_save();
	mag = &c->mags[smp_processor_id()];
	spin_lock(&mag->lock);
	if (mag->count > 0) {
		unsigned int n = mag->count - 1;

		obj = mag->objs[n];
		WRITE_ONCE(mag->count, n);
	}
	spin_unlock(&mag->lock);
	local_irq_restore(flags);
	if (!obj)
		obj = alloc_slow(c, gfp);
	if (!obj)
		return NULL;
	slab_mark_inuse(c, obj, size);
	kasan_slab_alloc(c, obj, size);
	if (gfp & __GFP_ZERO)
		__memset(obj, 0, size);
	return obj;
}

/* Names in parentheses are the functions themselves, not the macros that count who calls them. */

void *(kmem_cache_alloc)(struct kmem_cache *c, gfp_t gfp)
{
	return alloc_object(c, c->object_size, gfp);
}

void slab_give(struct kmem_cache *c, void *obj)
{
	void *spill[MAG_SIZE / 2];
	unsigned int nspill = 0;
	unsigned long flags;
	struct magazine *mag;

	flags = local_irq_save();
	mag = &c->mags[smp_processor_id()];
	spin_lock(&mag->lock);
	if (unlikely(mag->count == MAG_SIZE)) {
		nspill = ARRAY_SIZE(spill);
		memcpy(spill, mag->objs, sizeof(spill));
		memcpy(mag->objs, mag->objs + nspill, (MAG_SIZE - nspill) * sizeof(void *));
		WRITE_ONCE(mag->count, MAG_SIZE - nspill);
	}
	mag->objs[mag->count] = obj;
	WRITE_ONCE(mag->count, mag->count + 1);
	spin_unlock(&mag->lock);
	local_irq_restore(flags);
	give_back(c, spill, nspill);
}

/* ip: who frees it */
static void free_object(struct kmem_cache *c, void *obj, unsigned long ip)
{
	if (!kasan_may_free(c, obj, ip))
		return;
	slab_check_inuse(c, obj);
	slab_mark_free(c, obj);
#ifdef CONFIG_KASAN
	kasan_slab_free(c, obj);
#else
	slab_give(c, obj);
#endif
}

#define CALLER ((unsigned long)__builtin_return_address(0))

void kmem_cache_free(struct kmem_cache *c, void *obj)
{
	if (!obj)
		return;
	DEBUG_ON(compound_head(virt_to_page(obj))->slab_cache != c);
	free_object(c, obj, CALLER);
}

static void init_cache(struct kmem_cache *c, const char *name, size_t size, size_t align)
{
	align = max(align, sizeof(void *));
	c->name = name;
	c->object_size = (unsigned int)size;
	slab_layout(c, align);
	/* The smallest slab that wastes no more than an eighth. */
	while (c->order < MAX_SLAB_ORDER &&
	       ((PAGE_SIZE << c->order) - c->lead) % c->stride > (PAGE_SIZE << c->order) / 8)
		c->order++;
	c->objs_per_slab = (unsigned int)(((PAGE_SIZE << c->order) - c->lead) / c->stride);
	BUG_ON(c->objs_per_slab == 0);
	spin_lock_init(&c->lock);
	INIT_LIST_HEAD(&c->partial);
	INIT_LIST_HEAD(&c->full);
	for (int cpu = 0; cpu < NR_CPUS; cpu++)
		spin_lock_init(&c->mags[cpu].lock);
}

struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align)
{
	struct kmem_cache *c;

	spin_lock(&caches_lock);
	BUG_ON(nr_caches == MAX_CACHES);
	c = &caches[nr_caches];
	init_cache(c, name, size, align);
	/* Only now those who go through all of them may come to it. */
	__atomic_store_n(&nr_caches, nr_caches + 1, __ATOMIC_RELEASE);
	spin_unlock(&caches_lock);
	return c;
}

static void drain_magazine(struct kmem_cache *c, struct magazine *mag)
{
	void *objs[MAG_SIZE];
	unsigned long flags = spin_lock_irqsave(&mag->lock);
	unsigned int n = mag->count;

	memcpy(objs, mag->objs, n * sizeof(void *));
	WRITE_ONCE(mag->count, 0);
	spin_unlock_irqrestore(&mag->lock, flags);
	give_back(c, objs, n);
}

static void drain_cache(struct kmem_cache *c)
{
	unsigned long flags;
	struct page *empty;
	unsigned int cpu;

	for_each_online_cpu(cpu) drain_magazine(c, &c->mags[cpu]);
	flags = spin_lock_irqsave(&c->lock);
	empty = c->empty;
	c->empty = NULL;
	if (empty)
		c->nr_slabs--;
	spin_unlock_irqrestore(&c->lock, flags);
	if (empty)
		free_slab(c, empty);
}

void slab_drain(void)
{
	unsigned int n = __atomic_load_n(&nr_caches, __ATOMIC_ACQUIRE);

	kasan_drain();
	for (unsigned int i = 0; i < n; i++)
		drain_cache(&caches[i]);
}

void slab_audit(void)
{
	unsigned int n = __atomic_load_n(&nr_caches, __ATOMIC_ACQUIRE);

	for (unsigned int i = 0; i < n; i++)
		slab_audit_cache(&caches[i]);
}

/*
 * Objects in magazines, or kept back. One that changes CPUs meanwhile may count twice; but there are no more
 * than are out.
 */
static unsigned long cached_objs(const struct kmem_cache *c)
{
	unsigned long n = (unsigned long)atomic_long_read(&c->nr_delayed);
	unsigned int cpu;

	for_each_online_cpu(cpu) n += READ_ONCE(c->mags[cpu].count);
	return min(n, c->nr_used);
}

bool slab_cache_info(unsigned int n, struct slab_info *info)
{
	struct kmem_cache *c;
	unsigned long flags;

	if (n >= __atomic_load_n(&nr_caches, __ATOMIC_ACQUIRE))
		return false;
	c = &caches[n];
	flags = spin_lock_irqsave(&c->lock);
	*info = (struct slab_info){
		.name = c->name,
		.num_objs = c->nr_slabs * c->objs_per_slab,
		.object_size = c->object_size,
		.objs_per_slab = c->objs_per_slab,
		.pages_per_slab = 1U << c->order,
		.num_slabs = c->nr_slabs,
		.active_objs = c->nr_used - cached_objs(c),
	};
	spin_unlock_irqrestore(&c->lock, flags);
	return true;
}

void slab_fail_nth(unsigned long nth)
{
	atomic_long_set(&fail_nth, (long)nth);
}

/* --- memory of any size ---------------------------------------------------------------------------------- */

static const struct {
	unsigned int size;
	const char *name;
} kmalloc_sizes[] = {
	{ 16, "kmalloc-16" },	{ 32, "kmalloc-32" },	{ 64, "kmalloc-64" },
	{ 96, "kmalloc-96" },	{ 128, "kmalloc-128" }, { 192, "kmalloc-192" },
	{ 256, "kmalloc-256" }, { 512, "kmalloc-512" }, { 1024, "kmalloc-1k" },
	{ 2048, "kmalloc-2k" }, { 4096, "kmalloc-4k" }, { 8192, "kmalloc-8k" },
};
static struct kmem_cache *kmalloc_caches[ARRAY_SIZE(kmalloc_sizes)];

static struct kmem_cache *kmalloc_cache(size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(kmalloc_sizes); i++)
		if (size <= kmalloc_sizes[i].size)
			return kmalloc_caches[i];
	return NULL;
}

static unsigned int size_order(size_t size)
{
	unsigned int order = 0;

	while ((PAGE_SIZE << order) < size)
		order++;
	return order;
}

void *(kmalloc)(size_t size, gfp_t gfp)
{
	struct kmem_cache *c = kmalloc_cache(size);
	struct page *page;

	if (c)
		return alloc_object(c, size, gfp);
	if (size > PAGE_SIZE << MAX_ORDER)
		return NULL;
	page = alloc_pages(gfp | __GFP_COMP, size_order(size));
	if (!page)
		return NULL;
	kasan_kmalloc_large(page_address(page), size, page->order);
	return page_address(page);
}

void kfree(const void *obj)
{
	struct page *page;

	if (!obj)
		return;
	page = compound_head(virt_to_page(obj));
	if (page_flag(page, PG_slab))
		free_object(page->slab_cache, (void *)obj, CALLER);
	else if (kasan_may_free_large(page, obj, CALLER))
		put_page(page);
}

void *(kmemdup)(const void *src, size_t len, gfp_t gfp)
{
	void *p = (kmalloc)(len, gfp);

	return p ? memcpy(p, src, len) : NULL;
}

char *(kstrdup)(const char *s, gfp_t gfp)
{
	return (kmemdup)(s, strlen(s) + 1, gfp);
}

void slab_init(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(kmalloc_sizes); i++)
		kmalloc_caches[i] =
			kmem_cache_create(kmalloc_sizes[i].name, kmalloc_sizes[i].size, 8);
}
