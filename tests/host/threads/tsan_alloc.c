/* SPDX-License-Identifier: MIT */
/* The allocators, from all processors at once. */
#include "mm/internal.h"
#include "mm/slab.h"
#include "mm/vmalloc.h"
#include "tests/host/tap.h"
#include "tests/host/threads/threads.h"

#define ROUNDS	8000
#define MAX_OUT 48

enum kind {
	PAGE,
	BLOCK,
	OBJECT,
	ANY_SIZE,
	STACK,
	NR_KINDS,
};

struct held {
	u64 *mem;
	enum kind kind;
};

static struct kmem_cache *cache;
static atomic_long_t damaged, allocated;

/* Memory that is mapped is written by way of its first page. */
static u64 *first_word(const struct held *h)
{
	u64 *mem = h->mem;

	if (h->kind == STACK) {
		pmd_t *pmd = pmd_lookup(kernel_pgd, (unsigned long)mem);

		mem = pfn_to_virt(pte_pfn(ptep_get(pte_offset(pmdp_get(pmd), (unsigned long)mem))));
	}
	return mem;
}

static void take(struct held *h, u64 tag)
{
	struct page *page;

	h->kind = (enum kind)(test_random() % NR_KINDS);
	switch (h->kind) {
	case PAGE:
	case BLOCK:
		page = alloc_pages(GFP_KERNEL, h->kind == BLOCK ? 1 + test_random() % 3 : 0);
		h->mem = page ? page_address(page) : NULL;
		if (page)
			page->private = h->kind == BLOCK ? page->order : 0;
		break;
	case OBJECT:
		h->mem = kmem_cache_alloc(cache, GFP_KERNEL);
		break;
	case ANY_SIZE:
		h->mem = kmalloc(8 + test_random() % 9000, GFP_KERNEL);
		break;
	default:
		h->mem = alloc_kernel_stack();
	}
	if (h->mem) {
		atomic_long_inc(&allocated);
		*first_word(h) = tag;
	}
}

static void give(struct held *h, u64 tag)
{
	if (!h->mem)
		return;
	if (*first_word(h) != tag)
		atomic_long_inc(&damaged);
	if (h->kind == PAGE || h->kind == BLOCK)
		free_pages(virt_to_page(h->mem), (unsigned int)virt_to_page(h->mem)->private);
	else if (h->kind == OBJECT)
		kmem_cache_free(cache, h->mem);
	else if (h->kind == ANY_SIZE)
		kfree(h->mem);
	else
		free_kernel_stack(h->mem);
	h->mem = NULL;
}

/* Somebody asks, or drains what all of them have. */
static void look(unsigned long n)
{
	struct buddy_info zone;
	struct slab_info slab;

	switch (n % 5) {
	case 0:
		drain_all_pages();
		break;
	case 1:
		slab_drain();
		break;
	case 2:
		for (unsigned int i = 0; slab_cache_info(i, &slab); i++)
			if (slab.active_objs > slab.num_objs)
				atomic_long_inc(&damaged);
		break;
	case 3:
		vmalloc_drain();
		break;
	default:
		if (zone_buddy_info(ZONE_DMA32, &zone) && zone.free > zone.managed)
			atomic_long_inc(&damaged);
	}
}

static void hammer(unsigned int cpu)
{
	struct held out[MAX_OUT] = { 0 };
	u64 tag = (u64)(cpu + 1) << 40;

	test_random_seed(cpu);
	for (unsigned long n = 0; n < ROUNDS; n++) {
		struct held *h = &out[test_random() % MAX_OUT];

		if (h->mem)
			give(h, tag);
		else
			take(h, tag);
		if (n % 64 == cpu)
			look(n / 64);
		sim_quiescent();
	}
	for (unsigned int i = 0; i < MAX_OUT; i++)
		give(&out[i], tag);
}

/* --- objects that change hands ----------------------------------------------------------------------- */

#define NR_SLOTS 16
static u64 *slots[NR_SLOTS];

/* Puts an object of its own where another takes it from, reads it and frees it. */
static void exchange(unsigned int cpu)
{
	test_random_seed(cpu);
	for (unsigned int n = 0; n < ROUNDS; n++) {
		u64 *obj = kmem_cache_alloc(cache, GFP_KERNEL), *other;

		if (!obj)
			continue;
		obj[0] = n;
		obj[1] = ~(u64)n;
		other = __atomic_exchange_n(&slots[test_random() % NR_SLOTS], obj,
					    __ATOMIC_ACQ_REL);
		if (other && other[0] != ~other[1])
			atomic_long_inc(&damaged);
		kmem_cache_free(cache, other);
	}
}

static void test_exchange(void)
{
	on_all_cpus(exchange);
	for (unsigned int i = 0; i < NR_SLOTS; i++)
		kmem_cache_free(cache, slots[i]);
}

/* --- who looks at all of them --------------------------------------------------------------------- */

/*
 * Processor 0 goes through all objects, again and again, while the others take and give some. Of each object
 * bytes are left over, which are filled with one value while it is out and with another while it is free.
 */
static unsigned int busy_cpus;

static void audit_all(unsigned int cpu)
{
	static const size_t sizes[] = { 9, 40, 70, 100, 130 };
	void *objs[8] = { NULL };

	if (cpu == 0) {
		while (__atomic_load_n(&busy_cpus, __ATOMIC_ACQUIRE)) {
			slab_audit();
			sim_quiescent();
		}
		return;
	}
	test_random_seed(cpu);
	for (unsigned int n = 0; n < 5 * ROUNDS; n++) {
		void **obj = &objs[n % ARRAY_SIZE(objs)];

		kfree(*obj);
		*obj = kmalloc(sizes[test_random() % ARRAY_SIZE(sizes)], GFP_KERNEL);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(objs); i++)
		kfree(objs[i]);
	__atomic_fetch_sub(&busy_cpus, 1, __ATOMIC_RELEASE);
}

static void test_audit(void)
{
	busy_cpus = SIM_NR_CPUS - 1;
	on_all_cpus(audit_all);
	ok(true, "what changes hands meanwhile is nothing to complain of");
}

/* --- promises ---------------------------------------------------------------------------------------- */

static atomic_long_t promised, refused;

/* With vm.overcommit_memory = 2, what has been promised at any time is below the limit. */
static void promise(unsigned int cpu)
{
	unsigned long had = 0;

	test_random_seed(cpu);
	for (unsigned int n = 0; n < ROUNDS; n++) {
		unsigned long pages = 1 + test_random() % 320;

		if (had) {
			atomic_long_add(&promised, -(long)had);
			vm_unacct_memory(had);
			had = 0;
		} else if (vm_enough_memory(NULL, pages)) {
			atomic_long_inc(&refused);
		} else {
			had = pages;
			if (atomic_long_add_return(&promised, (long)had) >= (long)vm_commit_limit())
				atomic_long_inc(&damaged);
		}
	}
	atomic_long_add(&promised, -(long)had);
	vm_unacct_memory(had);
}

static void test_promises(void)
{
	sysctl_overcommit_memory = OVERCOMMIT_NEVER;
	/* About 240 pages: not all can have what they ask for, and one alone can't have the most. */
	sysctl_overcommit_ratio = 1;
	on_all_cpus(promise);
	is(atomic_long_read(&damaged), 0, "never more was promised than there may be");
	ok(atomic_long_read(&refused) > 0, "%ld were refused", atomic_long_read(&refused));
	is(vm_committed_pages(), 0, "all promises were given back");
	sysctl_overcommit_memory = OVERCOMMIT_GUESS;
}

int main(void)
{
	struct sim_usage start, end;

	sim_boot_default();
	cache = kmem_cache_create("shared", 200, 0);
	/* Tables above the last level that stacks need stay. */
	free_kernel_stack(alloc_kernel_stack());
	start = sim_usage();
	on_all_cpus(hammer);
	is(atomic_long_read(&damaged), 0, "pages, objects and stacks: nobody else wrote into them");
	ok(atomic_long_read(&allocated) > ROUNDS, "%ld were had", atomic_long_read(&allocated));
	test_exchange();
	is(atomic_long_read(&damaged), 0, "objects made here and freed there");
	test_audit();
	test_promises();
	page_alloc_audit();
	end = sim_usage();
	ok(sim_usage_same(&start, &end, true), "everything came back");
	return done_testing();
}
