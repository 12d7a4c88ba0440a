/* SPDX-License-Identifier: MIT */
#ifndef MM_SLAB_H
#define MM_SLAB_H

#include "mm/fail_site.h"
#include "mm/page.h"

struct kmem_cache;

/*
 * A cache of objects of one size. Objects are aligned to `align` (0: 8). Never fails: it is called
 * at boot. Name must stay valid.
 */
struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align);
/* An object with unknown contents, or NULL (zeroed with __GFP_ZERO). Any context with GFP_ATOMIC. */
void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp) __must_check;
static inline void *kmem_cache_zalloc(struct kmem_cache *cache, gfp_t gfp)
{
	return kmem_cache_alloc(cache, gfp | __GFP_ZERO);
}
/* Gives an object back to its cache; NULL is fine. */
void kmem_cache_free(struct kmem_cache *cache, void *obj);

/* Memory of any size up to 4 MiB, 8-byte aligned. */
void *kmalloc(size_t size, gfp_t gfp) __must_check;
static inline void *kzalloc(size_t size, gfp_t gfp)
{
	return kmalloc(size, gfp | __GFP_ZERO);
}
void kfree(const void *obj);
/* A copy of a string, or NULL. */
char *kstrdup(const char *s, gfp_t gfp) __must_check;
void *kmemdup(const void *src, size_t len, gfp_t gfp) __must_check;

#ifdef CONFIG_FAIL_SITES
#define kmem_cache_alloc(cache, gfp)  may_fail("kmem_cache_alloc", kmem_cache_alloc(cache, gfp))
#define kmem_cache_zalloc(cache, gfp) may_fail("kmem_cache_zalloc", kmem_cache_zalloc(cache, gfp))
#define kmalloc(size, gfp)	      may_fail("kmalloc", kmalloc(size, gfp))
#define kzalloc(size, gfp)	      may_fail("kzalloc", kzalloc(size, gfp))
#define kstrdup(s, gfp)		      may_fail("kstrdup", kstrdup(s, gfp))
#define kmemdup(src, len, gfp)	      may_fail("kmemdup", kmemdup(src, len, gfp))
#endif

/* Gives every empty slab and every CPU's magazines back to the page allocator. Any context. */
void slab_drain(void);

/* In debug builds: panics if an object was written beyond its ends, or after it was freed. Any context. */
void slab_audit(void);

struct slab_info {
	const char *name;
	unsigned long active_objs; /* handed out */
	unsigned long num_objs;
	unsigned int object_size;
	unsigned int objs_per_slab;
	unsigned int pages_per_slab;
	unsigned long num_slabs;
};
/* The nth cache, counted from 0; false beyond the last. */
bool slab_cache_info(unsigned int n, struct slab_info *info);

void slab_init(void);
/* Fault injection for tests: the nth object allocation from now fails (0: none does). */
void slab_fail_nth(unsigned long nth);

#endif
