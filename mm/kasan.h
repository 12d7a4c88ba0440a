/* SPDX-License-Identifier: MIT */
/* What mm/ does for the address sanitizer (kernel/base/kasan.h): maps its shadow, and keeps freed objects. */
#ifndef MM_KASAN_H
#define MM_KASAN_H

#include "kernel/base/kasan.h"
#include "mm/page.h"

struct kmem_cache;

#ifdef CONFIG_KASAN

/* Where kernel stacks and other RAM of vmalloc's may lie: as far as there is shadow. */
unsigned long kasan_vmalloc_end(void);

/* Maps shadow for RAM and for a part of vmalloc space. => the kernel's tables are made, not loaded */
void kasan_map_shadow(void);
/* From now on it is looked at. => they are loaded */
void kasan_start(void);

/* Behind each object: who had it, and of which size. */
struct kasan_meta {
	u32 alloc_stack, free_stack;
	u32 size;
	u32 unused;
};

/* What lies at the beginning of a slab, so that its first object has something to its left. */
#define KASAN_SLAB_LEAD 64

void kasan_new_slab(const struct kmem_cache *c, struct page *page);
void kasan_slab_alloc(const struct kmem_cache *c, void *obj, size_t size);
/* Whether the object may be freed; what may not is reported. ip: who frees */
bool kasan_may_free(const struct kmem_cache *c, const void *obj, unsigned long ip);
/* Takes an object that was freed, and gives others back that have been kept long enough. Any context. */
void kasan_slab_free(struct kmem_cache *c, void *obj);
/* Gives all of them back. Any context. */
void kasan_drain(void);

/* Pages handed out, of which so many bytes were asked for; and pages given back. */
void kasan_alloc_pages(struct page *page, unsigned int order);
void kasan_free_page(struct page *page);
void kasan_kmalloc_large(const void *ptr, size_t size, unsigned int order);
bool kasan_may_free_large(const struct page *head, const void *ptr, unsigned long ip);

#else

#define KASAN_SLAB_LEAD 0
struct kasan_meta {
};

static inline unsigned long kasan_vmalloc_end(void)
{
	return VMALLOC_END;
}

static inline void kasan_map_shadow(void)
{
}

static inline void kasan_start(void)
{
}

static inline void kasan_new_slab(const struct kmem_cache *c, struct page *page)
{
}

static inline void kasan_slab_alloc(const struct kmem_cache *c, void *obj, size_t size)
{
}

static inline bool kasan_may_free(const struct kmem_cache *c, const void *obj, unsigned long ip)
{
	return true;
}

static inline void kasan_drain(void)
{
}

static inline void kasan_alloc_pages(struct page *page, unsigned int order)
{
}

static inline void kasan_free_page(struct page *page)
{
}

static inline void kasan_kmalloc_large(const void *ptr, size_t size, unsigned int order)
{
}

static inline bool kasan_may_free_large(const struct page *head, const void *ptr, unsigned long ip)
{
	return true;
}

#endif

#endif
