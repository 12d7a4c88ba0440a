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
	struct page *empty; /* one slab without used objects */
	unsigned long nr_slabs;
	unsigned long nr_used;	  /* objects out of slabs: handed out or in magazines */
	atomic_long_t nr_delayed; /* objects that were freed, and are kept back (mm/kasan.c) */
	struct magazine mags[NR_CPUS];
};

#ifdef CONFIG_DEBUG
#define DEBUG_WORD sizeof(unsigned long)
#else
#define DEBUG_WORD 0
#endif

/* Gives an object that is marked as free to this CPU's magazine. Any context. */
void slab_give(struct kmem_cache *c, void *obj);

#endif
