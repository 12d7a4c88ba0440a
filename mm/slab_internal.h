/* SPDX-License-Identifier: MIT */
/* How a cache is made, for the files that are about caches. */
#ifndef MM_SLAB_INTERNAL_H
#define MM_SLAB_INTERNAL_H

#include <arch/percpu.h>

#include "kernel/sync/spinlock.h"
#include "mm/kasan.h"
#include "mm/slab.h"

#define MAG_SIZE 16

struct magazine {
	spinlock_t lock;
	unsigned int count;
	void *objs[MAG_SIZE];
} __aligned(64);

struct kmem_cache {
	const char *name;
	unsigned int object_size; /* what the user asked for */
	unsigned int stride;	  /* from one object to the next */
	unsigned int lead;	  /* bytes before the first */
	unsigned int order;
	unsigned int objs_per_slab;
	spinlock_t lock;
	struct list_head partial;
	struct list_head full; /* debug builds only */
	struct page *empty;    /* one slab without used objects */
	unsigned long nr_slabs;
	unsigned long nr_used;	  /* objects out of slabs: handed out or in magazines */
	atomic_long_t nr_delayed; /* objects that were freed, and are kept back (mm/kasan.c) */
	struct magazine mags[NR_CPUS];
};

#ifdef CONFIG_DEBUG

/* At least so many bytes follow an object that nobody may write to. */
#define SLAB_REDZONE sizeof(unsigned long)

/* Sets stride and lead for the cache's object_size. */
void slab_layout(struct kmem_cache *c, size_t align);
/* All of a new slab; then each of its objects is marked as free. */
void slab_mark_new(const struct kmem_cache *c, struct page *page);
void slab_mark_free(const struct kmem_cache *c, void *obj);
/* Both panic if the object is not what it should be. */
void slab_mark_inuse(const struct kmem_cache *c, void *obj, size_t size);
void slab_check_inuse(const struct kmem_cache *c, const void *obj);
void slab_audit_cache(struct kmem_cache *c);

/* => c->lock. Full slabs are in a list only to be audited. */
static inline void slab_note_full(struct kmem_cache *c, struct page *page)
{
	list_add(&page->lru, &c->full);
}

static inline void slab_note_not_full(struct page *page)
{
	list_del(&page->lru);
}

#else

static inline void slab_layout(struct kmem_cache *c, size_t align)
{
	c->stride = (unsigned int)ALIGN_UP(max((size_t)c->object_size, sizeof(void *)), align);
	c->lead = 0;
}

static inline void slab_mark_new(const struct kmem_cache *c, struct page *page)
{
}

static inline void slab_mark_free(const struct kmem_cache *c, void *obj)
{
}

static inline void slab_mark_inuse(const struct kmem_cache *c, void *obj, size_t size)
{
}

static inline void slab_check_inuse(const struct kmem_cache *c, const void *obj)
{
}

static inline void slab_audit_cache(struct kmem_cache *c)
{
}

static inline void slab_note_full(struct kmem_cache *c, struct page *page)
{
}

static inline void slab_note_not_full(struct page *page)
{
}

#endif

/* Gives an object that is marked as free to this CPU's magazine. Any context. */
void slab_give(struct kmem_cache *c, void *obj);

#endif
