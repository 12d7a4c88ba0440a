/* SPDX-License-Identifier: MIT */
#include "kernel/base/printk.h"
#include "kernel/fs/socket.h"
#include "kernel/init/init.h"
#include "kernel/sync/rcu.h"
#include "mm/slab.h"
#include "mm/vmalloc.h"

#define MAX_SLABS 64

static struct buddy_info before[MAX_NR_ZONES];
static struct slab_info slabs_before[MAX_SLABS];

/*
 * Sockets may wait to be found; slabs hold stacks' descriptors and stacks hold pages: so in this order,
 * and slabs once more.
 */
static void drain(void)
{
	socket_collect();
	rcu_barrier();
	slab_drain();
	vmalloc_drain();
	slab_drain();
	slab_audit();
	drain_all_pages();
	page_alloc_audit();
}

void leakcheck_begin(void)
{
	drain();
	for (int t = 0; t < MAX_NR_ZONES; t++)
		zone_buddy_info((enum zone_type)t, &before[t]);
	for (unsigned int i = 0; i < MAX_SLABS; i++)
		slab_cache_info(i, &slabs_before[i]);
}

static int compare_zone(const struct buddy_info *was, const struct buddy_info *is)
{
	int differences = 0;

	if (was->free != is->free) {
		printk("leakcheck: zone %s: %lu pages were free, %lu are\n", is->name, was->free,
		       is->free);
		differences++;
	}
	for (int o = 0; o <= MAX_ORDER; o++) {
		if (was->blocks[o] == is->blocks[o])
			continue;
		printk("leakcheck: zone %s: %lu blocks of order %d were free, %lu are\n", is->name,
		       was->blocks[o], o, is->blocks[o]);
		differences++;
	}
	return differences;
}

/* Which kind of object it is that stayed. */
static void explain_slabs(void)
{
	struct slab_info now;

	for (unsigned int i = 0; i < MAX_SLABS && slab_cache_info(i, &now); i++)
		if (now.active_objs != slabs_before[i].active_objs ||
		    now.num_slabs != slabs_before[i].num_slabs)
			printk("leakcheck: %s: %lu objects in %lu slabs, were %lu in %lu\n",
			       now.name, now.active_objs, now.num_slabs,
			       slabs_before[i].active_objs, slabs_before[i].num_slabs);
}

int leakcheck_end(void)
{
	struct buddy_info now;
	int differences = 0;

	drain();
	for (int t = 0; t < MAX_NR_ZONES; t++)
		if (zone_buddy_info((enum zone_type)t, &now))
			differences += compare_zone(&before[t], &now);
	if (differences)
		explain_slabs();
	return differences;
}
