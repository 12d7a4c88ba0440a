/* SPDX-License-Identifier: MIT */
/*
 * Memory for the address sanitizer: its shadow is an eighth of RAM and of the part of vmalloc space in
 * which RAM may be mapped. It is taken from memblock and written only where something is marked: of
 * blocks that nobody has needed yet the shadow isn't touched either.
 *
 * Objects that are freed wait here before they can be handed out again, so that who still uses one
 * is caught.
 *
 * Locks: the quarantine's own, under which nothing else is taken. Interrupts off.
 */
#include "mm/kasan.h"

#ifdef CONFIG_KASAN

#include "mm/internal.h"
#include "mm/slab_internal.h"

#define SHADOW_OFFSET 0xdffffc0000000000UL
#define SHADOW_SCALE  8UL

/* Kernel stacks may take an eighth of RAM, and their guards half as much. */
#define VMALLOC_PART  4
#define VMALLOC_LEAST (4UL << 20)

/* Of memory, what freed objects may keep. */
#define QUARANTINE_PART 64
#define QUARANTINE_MOST (4UL << 20)
#define RELEASE_BATCH	16

extern char __kernel_start[], __kernel_end[], __kasan_image_shadow[];

static unsigned long vmalloc_bytes;

/* --- shadow -------------------------------------------------------------------------------------- */

static unsigned long shadow_of(unsigned long addr)
{
	return addr / SHADOW_SCALE + SHADOW_OFFSET;
}

unsigned long kasan_vmalloc_end(void)
{
	return VMALLOC_START + vmalloc_bytes;
}

static void count_ram(u64 start, u64 end, void *arg)
{
	*(unsigned long *)arg += end - start;
}

/* *arg is the end of what is mapped so far: two ranges may have a page of shadow in common. */
static void map_range(u64 start, u64 end, void *arg)
{
	unsigned long *done = arg;
	unsigned long from = ALIGN_DOWN(shadow_of(PAGE_OFFSET + start), PAGE_SIZE);
	unsigned long to = ALIGN_UP(shadow_of(PAGE_OFFSET + end), PAGE_SIZE);

	from = max(from, *done);
	if (from >= to)
		return;
	*done = to;
	map_new_memory(from, to);
}

void kasan_map_shadow(void)
{
	const unsigned long image = shadow_of((unsigned long)__kernel_start);
	const unsigned long image_end = shadow_of((unsigned long)__kernel_end);
	unsigned long done = 0, ram = 0;

	memblock_for_each_ram(count_ram, &ram);
	vmalloc_bytes = ALIGN_UP(ram / VMALLOC_PART + VMALLOC_LEAST, PMD_SIZE);
	memblock_for_each_ram(map_range, &done);
	map_new_memory(shadow_of(VMALLOC_START), shadow_of(kasan_vmalloc_end()));
	/* The image's is in the image, since it was needed from the first function on. */
	if (map_kernel_range(image,
			     make_phys((unsigned long)__kasan_image_shadow - KERNEL_IMAGE_BASE),
			     ALIGN_UP(image_end, PAGE_SIZE) - image, PAGE_KERNEL, true))
		panic("no memory for the sanitizer's page tables");
}

/* What is taken may be used; what is free is marked when the page allocator takes it over. */
static void unpoison_range(u64 start, u64 end, void *arg)
{
	kasan_unpoison(phys_to_virt(make_phys(start)), end - start);
}

static bool find_object(unsigned long addr, struct kasan_object *obj);

void kasan_start(void)
{
	kasan_watch(memblock_end_of_ram(), vmalloc_bytes, find_object);
	memblock_for_each_taken(unpoison_range, NULL);
}

/* --- pages --------------------------------------------------------------------------------------- */

void kasan_alloc_pages(struct page *page, unsigned int order)
{
	kasan_unpoison(page_address(page), PAGE_SIZE << order);
}

void kasan_free_page(struct page *page)
{
	kasan_poison(page_address(page), PAGE_SIZE, KASAN_FREE_PAGE);
}

void kasan_kmalloc_large(const void *ptr, size_t size, unsigned int order)
{
	const size_t used = ALIGN_UP(size, KASAN_GRANULE);

	kasan_unpoison(ptr, size);
	kasan_poison((const char *)ptr + used, (PAGE_SIZE << order) - used, KASAN_PAGE_REDZONE);
}

bool kasan_may_free_large(const struct page *head, const void *ptr, unsigned long ip)
{
	if (ptr == page_address(head) && kasan_why(ptr) != KASAN_FREE_PAGE)
		return true;
	kasan_report_free(ptr, ip);
	return false;
}

/* --- objects ------------------------------------------------------------------------------------- */

static struct kasan_meta *meta_of(const struct kmem_cache *c, const void *obj)
{
	return (struct kasan_meta *)((char *)obj + c->stride - sizeof(unsigned long)) - 1;
}

void kasan_new_slab(const struct kmem_cache *c, struct page *page)
{
	const char *start = page_address(page), *obj = start + c->lead;

	kasan_poison(start, PAGE_SIZE << c->order, KASAN_SLAB_REDZONE);
	for (unsigned int i = 0; i < c->objs_per_slab; i++, obj += c->stride) {
		kasan_poison(obj, c->object_size, KASAN_SLAB_FREE);
		*meta_of(c, obj) = (struct kasan_meta){ .size = c->object_size };
	}
}

void kasan_slab_alloc(const struct kmem_cache *c, void *obj, size_t size)
{
	const size_t used = ALIGN_UP(size, KASAN_GRANULE);
	const size_t all = ALIGN_UP((size_t)c->object_size, KASAN_GRANULE);

	kasan_unpoison(obj, size);
	kasan_poison((char *)obj + used, all - used, KASAN_SLAB_REDZONE);
	*meta_of(c, obj) = (struct kasan_meta){
		.alloc_stack = kasan_save_stack(),
		.size = (u32)size,
	};
}

bool kasan_may_free(const struct kmem_cache *c, const void *obj, unsigned long ip)
{
	const struct page *page = compound_head(virt_to_page(obj));
	unsigned long offset = (unsigned long)obj - (unsigned long)page_address(page) - c->lead;

	if (offset % c->stride == 0 && offset / c->stride < c->objs_per_slab &&
	    kasan_why(obj) != KASAN_SLAB_FREE)
		return true;
	kasan_report_free(obj, ip);
	return false;
}

/* The object whose bytes these are, or that has the nearer edge. */
static bool find_object(unsigned long addr, struct kasan_object *obj)
{
	const struct kasan_meta *meta;
	const struct kmem_cache *c;
	unsigned long start, offset, n;
	struct page *page;

	if (addr < PAGE_OFFSET || addr >= PAGE_OFFSET_END || !memblock_is_ram(addr - PAGE_OFFSET) ||
	    !page_is_ready((addr - PAGE_OFFSET) >> PAGE_SHIFT))
		return false;
	page = compound_head(virt_to_page((void *)addr));
	if (!page_flag(page, PG_slab))
		return false;
	c = page->slab_cache;
	start = (unsigned long)page_address(page) + c->lead;
	offset = addr > start ? addr - start : 0;
	n = min(offset / c->stride, c->objs_per_slab - 1UL);
	offset -= n * c->stride;
	if (offset > c->object_size && c->stride - offset < offset - c->object_size &&
	    n + 1 < c->objs_per_slab)
		n++;
	meta = meta_of(c, (void *)(start + n * c->stride));
	*obj = (struct kasan_object){
		.cache = c->name,
		.start = start + n * c->stride,
		.size = meta->size,
		.alloc_stack = meta->alloc_stack,
		.free_stack = meta->free_stack,
	};
	return true;
}

/* --- quarantine ---------------------------------------------------------------------------------- */

/* Objects that were freed, the oldest first; each begins with the address of the next. */
static struct {
	spinlock_t lock;
	void *first, *last;
	size_t bytes, most;
} quarantine = { .lock = SPINLOCK_INIT };

static struct kmem_cache *cache_of(const void *obj)
{
	return compound_head(virt_to_page(obj))->slab_cache;
}

/* Takes out the oldest ones as long as there are more bytes than that; a few at a time. */
static unsigned int take_oldest(void *objs[RELEASE_BATCH], size_t most)
{
	unsigned long flags = spin_lock_irqsave(&quarantine.lock);
	unsigned int n = 0;

	while (n < RELEASE_BATCH && quarantine.first && quarantine.bytes > most) {
		objs[n] = quarantine.first;
		quarantine.first = *(void **)objs[n];
		quarantine.bytes -= cache_of(objs[n])->stride;
		n++;
	}
	spin_unlock_irqrestore(&quarantine.lock, flags);
	return n;
}

static void release(size_t most)
{
	void *objs[RELEASE_BATCH];
	unsigned int n;

	while ((n = take_oldest(objs, most)))
		while (n) {
			struct kmem_cache *c = cache_of(objs[--n]);

			atomic_long_dec(&c->nr_delayed);
			slab_give(c, objs[n]);
		}
}

void kasan_slab_free(struct kmem_cache *c, void *obj)
{
	unsigned long flags;
	size_t most;

	kasan_poison(obj, c->object_size, KASAN_SLAB_FREE);
	meta_of(c, obj)->free_stack = kasan_save_stack();
	atomic_long_inc(&c->nr_delayed);
	flags = spin_lock_irqsave(&quarantine.lock);
	*(void **)obj = NULL;
	if (quarantine.first)
		*(void **)quarantine.last = obj;
	else
		quarantine.first = obj;
	quarantine.last = obj;
	quarantine.bytes += c->stride;
	if (unlikely(!quarantine.most))
		quarantine.most =
			min(totalram_pages() * PAGE_SIZE / QUARANTINE_PART, QUARANTINE_MOST);
	most = quarantine.most;
	spin_unlock_irqrestore(&quarantine.lock, flags);
	release(most);
}

void kasan_drain(void)
{
	release(0);
}

#endif
