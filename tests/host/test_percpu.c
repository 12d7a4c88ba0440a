/* SPDX-License-Identifier: MIT */
/* Allocators on several processors: what one frees another gets, and nothing stays where it can't be had. */
#include <pthread.h>
#include <string.h>

/* The C library has one, too. */
#define sched_yield kernel_sched_yield

#include "mm/slab.h"
#include "mm/vmalloc.h"
#include "mm/vmstat.h"
#include "tests/host/death.h"
#include "tests/host/sim.h"
#include "tests/host/tap.h"

/* --- one after the other ------------------------------------------------------------------------------ */

static unsigned long blocks_sum(void)
{
	struct buddy_info info;
	unsigned long n = 0;

	for (int t = 0; t < MAX_NR_ZONES; t++) {
		if (!zone_buddy_info((enum zone_type)t, &info))
			continue;
		for (int o = 0; o <= MAX_ORDER; o++)
			n += info.blocks[o] << o;
	}
	return n;
}

static void test_pages(void)
{
	struct page *pages[400];
	struct sim_usage start = sim_usage(), end;
	unsigned long before = nr_free_pages();

	for (int i = 0; i < 400; i++) {
		sim_set_cpu((unsigned int)i % SIM_NR_CPUS);
		pages[i] = alloc_page(GFP_KERNEL);
	}
	is((long)(before - nr_free_pages()), 400, "400 pages, taken on all processors in turn");
	sim_set_cpu(1);
	is((long)nr_free_pages(), (long)before - 400, "seen the same from the second");
	for (int i = 0; i < 400; i++)
		put_page(pages[i]);
	is((long)nr_free_pages(), (long)before, "freed on the second, they are all there");
	ok(blocks_sum() < before, "... some on the processors' lists");
	sim_set_cpu(0);
	drain_all_pages();
	is((long)blocks_sum(), (long)before, "... of which the first can empty every one");
	page_alloc_audit();
	end = sim_usage();
	ok(sim_usage_same(&start, &end, true), "... and all coalesced");
}

static void test_last_page(void)
{
	static struct page *pages[30000];
	unsigned int n = 0, more = 0;
	struct page *page;

	/* All there is, less what another processor has on its list. */
	sim_set_cpu(1);
	page = alloc_page(GFP_KERNEL);
	put_page(page);
	sim_set_cpu(0);
	while (n < ARRAY_SIZE(pages) && (page = alloc_page(GFP_KERNEL)))
		pages[n++] = page;
	is((long)nr_free_pages(), 0, "one processor can have the last page, whoever had it listed");
	sim_set_cpu(1);
	for (; more < 500; more++)
		put_page(pages[--n]);
	sim_set_cpu(0);
	page = alloc_pages(GFP_KERNEL, 3);
	ok(page, "and a block of what another freed");
	if (page)
		free_pages(page, 3);
	while (n)
		put_page(pages[--n]);
}

static struct slab_info info_of(const char *name)
{
	struct slab_info info;

	for (unsigned int n = 0; slab_cache_info(n, &info); n++)
		if (!strcmp(info.name, name))
			return info;
	return (struct slab_info){ 0 };
}

static void test_objects(void)
{
	struct kmem_cache *c = kmem_cache_create("travelling", 96, 0);
	struct sim_usage start = sim_usage(), end;
	void *objs[200];

	for (int i = 0; i < 200; i++) {
		sim_set_cpu((unsigned int)i % SIM_NR_CPUS);
		objs[i] = kmem_cache_alloc(c, GFP_KERNEL);
	}
	is((long)info_of("travelling").active_objs, 200, "200 objects from all processors");
	for (int i = 0; i < 200; i++) {
		sim_set_cpu((unsigned int)(i / 2) % SIM_NR_CPUS);
		kmem_cache_free(c, objs[i]);
	}
	is((long)info_of("travelling").active_objs, 0, "freed on others: none is in use");
	ok(info_of("travelling").num_slabs > 0, "... but magazines hold some");
	sim_set_cpu(0);
	slab_drain();
	is((long)info_of("travelling").num_slabs, 0, "... which one processor empties for all");
	end = sim_usage();
	ok(sim_usage_same(&start, &end, true), "... and no page is missing");
}

static void test_events(void)
{
	unsigned long before = vm_event_count(OOM_KILL);

	for (unsigned int cpu = 0; cpu < SIM_NR_CPUS; cpu++) {
		sim_set_cpu(cpu);
		count_vm_events(OOM_KILL, cpu + 1);
	}
	sim_set_cpu(0);
	is((long)(vm_event_count(OOM_KILL) - before), SIM_NR_CPUS * (SIM_NR_CPUS + 1) / 2,
	   "events count on every processor, and add up");
}

/* --- at the same time ----------------------------------------------------------------------------------- */

#define ROUNDS	20000
#define MAX_OUT 64

static pthread_barrier_t barrier;
static struct kmem_cache *shared_cache;
static unsigned long damaged;

struct held {
	unsigned long *mem;
	unsigned int order; /* ~0: an object */
};

static void take(struct held *h, unsigned long tag)
{
	struct page *page;

	h->order = test_random() % 3 ? (test_random() % 8 ? 0 : 2) : ~0U;
	if (h->order == ~0U) {
		h->mem = kmem_cache_alloc(shared_cache, GFP_ATOMIC);
	} else {
		page = alloc_pages(GFP_ATOMIC, h->order);
		h->mem = page ? page_address(page) : NULL;
	}
	if (h->mem)
		*h->mem = tag;
}

static void give(struct held *h, unsigned long tag)
{
	if (!h->mem)
		return;
	if (*h->mem != tag)
		__atomic_fetch_add(&damaged, 1, __ATOMIC_RELAXED);
	if (h->order == ~0U)
		kmem_cache_free(shared_cache, h->mem);
	else
		free_pages(virt_to_page(h->mem), h->order);
	h->mem = NULL;
}

static void *hammer(void *arg)
{
	unsigned long cpu = (unsigned long)arg;
	struct held out[MAX_OUT] = { 0 };

	sim_set_cpu((unsigned int)cpu);
	test_random_seed(cpu);
	pthread_barrier_wait(&barrier);
	for (unsigned long n = 0; n < ROUNDS; n++) {
		struct held *h = &out[test_random() % MAX_OUT];

		if (h->mem)
			give(h, cpu << 32);
		else
			take(h, cpu << 32);
		if (n % 1000 == cpu * 100)
			drain_all_pages();
		if (n % 1000 == cpu * 100 + 50)
			slab_drain();
		if (n % 1000 == cpu * 100 + 70)
			nr_free_pages();
	}
	for (int i = 0; i < MAX_OUT; i++)
		give(&out[i], cpu << 32);
	return NULL;
}

static void test_threads(void)
{
	struct sim_usage start, end;
	pthread_t threads[SIM_NR_CPUS];

	shared_cache = kmem_cache_create("hammered", 200, 0);
	start = sim_usage();
	pthread_barrier_init(&barrier, NULL, SIM_NR_CPUS);
	for (unsigned long i = 0; i < SIM_NR_CPUS; i++)
		pthread_create(&threads[i], NULL, hammer, (void *)i);
	for (int i = 0; i < SIM_NR_CPUS; i++)
		pthread_join(threads[i], NULL);
	is((long)damaged, 0, "threads allocate, free and drain at once: each kept what it wrote");
	page_alloc_audit();
	end = sim_usage();
	ok(sim_usage_same(&start, &end, true), "... and every page and object came back");
}

int main(void)
{
	sim_boot_default();
	test_pages();
	test_last_page();
	test_objects();
	test_events();
	test_threads();
	return done_testing();
}
