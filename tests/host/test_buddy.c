/* SPDX-License-Identifier: MIT */
/*
 * The page allocator on machines with holes, odd sizes and RAM on both sides of 4 GiB: nobody is given
 * a frame twice or one that isn't RAM, everything comes back, and misuse is caught by name.
 */
#include <sys/mman.h>

#include <stdlib.h>
#include <string.h>

#include "mm/page.h"
#include "tests/host/death.h"
#include "tests/host/sim.h"
#include "tests/host/tap.h"

#define MIB (1UL << 20)
#define GIB (1UL << 30)

/* --- machines -------------------------------------------------------------------------------------- */

struct machine {
	const char *name;
	bool no_gbpages;
	unsigned int nr;
	struct boot_mem mem[12];
};

static const struct machine machines[] = {
	{ "64 MiB in one piece", false, 1, { SIM_RAM(0, 64 * MIB) } },
	{ "as a PC has it",
	  false,
	  5,
	  { SIM_RAM(0, 0x9fc00),
	    { 0xf0000, 0x10000, BOOT_MEM_RESERVED },
	    SIM_RAM(MIB, 127 * MIB - 0x20000),
	    { 128 * MIB - 0x20000, 0x20000, BOOT_MEM_ACPI },
	    SIM_RAM(4 * GIB, 64 * MIB) } },
	{ "odd pieces, out of order, overlapping",
	  true,
	  9,
	  { SIM_RAM(77 * MIB + 0x3000, 0x7000),
	    SIM_RAM(4 * GIB - 3 * MIB, 7 * MIB),
	    SIM_RAM(MIB, 33 * MIB + 0x1000),
	    SIM_RAM(20 * MIB, 20 * MIB + 123),
	    { 30 * MIB + 1, 5, BOOT_MEM_BAD },
	    SIM_RAM(0, 0x1000),
	    { 36 * MIB, MIB, BOOT_MEM_NVS },
	    SIM_RAM(64 * MIB + 7, 4096),
	    SIM_RAM(5 * GIB + 0x5000, 0x1000) } },
	{ "across 4 GiB in one piece",
	  false,
	  2,
	  { SIM_RAM(MIB, 40 * MIB), SIM_RAM(4 * GIB - 32 * MIB, 64 * MIB) } },
	{ "nearly all above 4 GiB",
	  false,
	  2,
	  { SIM_RAM(0, 24 * MIB), SIM_RAM(6 * GIB, 100 * MIB + 0x3000) } },
};

static const struct machine huge = { "64 GiB with the hole of a PC",
				     false,
				     3,
				     { SIM_RAM(0, 0x9f000), SIM_RAM(MIB, 3 * GIB - MIB),
				       SIM_RAM(4 * GIB, 61 * GIB) } };

/* --- an account of our own ---------------------------------------------------------------------------- */

static unsigned char *owned; /* a byte for each frame: handed out? */

static void note_ram(u64 start, u64 end, void *arg)
{
	memset(owned + (start >> PAGE_SHIFT), 0, (end - start) >> PAGE_SHIFT);
}

/* 0: RAM that we don't have; 1: ours; 2: no RAM. */
static void open_account(void)
{
	unsigned long nr = memblock_end_of_ram() >> PAGE_SHIFT;

	owned = malloc(nr);
	memset(owned, 2, nr);
	memblock_for_each_ram(note_ram, NULL);
}

static bool account(struct page *page, unsigned int order, unsigned char from, unsigned char to)
{
	unsigned long pfn = page_to_pfn(page).v;
	bool good = !(pfn & ((1UL << order) - 1));

	for (unsigned long i = pfn; i < pfn + (1UL << order); i++) {
		good = good && owned[i] == from;
		owned[i] = to;
	}
	return good;
}

/* --- on every machine ------------------------------------------------------------------------------------ */

struct block {
	struct page *page;
	unsigned int order;
};

#define MAX_HELD 1500

/* Mostly small, but every order now and then. */
static unsigned int random_order(void)
{
	unsigned int order = 0;

	while (order < MAX_ORDER && test_random() % 3 == 0)
		order++;
	return test_random() % 500 == 0 ? MAX_ORDER : order;
}

static void random_ops(unsigned int ops)
{
	static struct block held[MAX_HELD];
	unsigned int nr = 0, failed = 0, wrong = 0, zero_wrong = 0, given = 0;

	for (unsigned int n = 0; n < ops; n++) {
		if (n % (ops / 20) == 0)
			page_alloc_audit();
		if (nr < MAX_HELD && test_random() % 1000 < (n % 8000 < 4000 ? 600 : 400)) {
			unsigned int order = random_order();
			bool zero = test_random() % 8 == 0;
			struct page *page = alloc_pages(zero ? __GFP_ZERO : 0, order);

			if (!page) {
				failed++;
				continue;
			}
			wrong += !account(page, order, 0, 1);
			for (unsigned long i = 0; zero && i < 1UL << order; i++) {
				const unsigned long *p = page_address(page + i);

				zero_wrong += p[0] || p[511] || p[test_random() % 512];
			}
			held[nr++] = (struct block){ page, order };
			*(unsigned long *)page_address(page) = test_random();
			given++;
		} else if (nr > 0) {
			unsigned int i = (unsigned int)(test_random() % nr);

			wrong += !account(held[i].page, held[i].order, 1, 0);
			free_pages(held[i].page, held[i].order);
			held[i] = held[--nr];
		}
	}
	page_alloc_audit();
	while (nr-- > 0) {
		wrong += !account(held[nr].page, held[nr].order, 1, 0);
		free_pages(held[nr].page, held[nr].order);
	}
	diag("%u blocks given, %u requests refused", given, failed);
	is(wrong, 0, "%u random operations: each block aligned, RAM, and nobody else's", ops);
	is(zero_wrong, 0, "__GFP_ZERO gives zeros");
}

/* Takes everything; what is left afterwards is nothing. Returns how many pages that was. */
static unsigned long take_all(struct page **pages, gfp_t gfp, unsigned long max)
{
	unsigned long n = 0;

	while (n < max && (pages[n] = alloc_pages(gfp, 0)))
		n++;
	return n;
}

static void give_back(struct page **pages, unsigned long n)
{
	/* Not in the order they came. */
	for (unsigned long i = 0; i < n; i++) {
		unsigned long j = i + test_random() % (n - i);
		struct page *page = pages[j];

		pages[j] = pages[i];
		free_page(page);
	}
}

static unsigned long zone_free(enum zone_type type)
{
	struct buddy_info info;

	return zone_buddy_info(type, &info) ? info.free : 0;
}

static void exhaust(const struct sim_usage *start)
{
	unsigned long max = start->free_pages + 1, n, wrong = 0, low = zone_free(ZONE_DMA32);
	struct page **pages = malloc(max * sizeof(*pages));

	n = take_all(pages, 0, max);
	is((long)n, (long)start->free_pages, "single pages: as many as are free");
	for (unsigned long i = 0; i < n; i++)
		wrong += !account(pages[i], 0, 0, 1);
	is((long)wrong, 0, "... each RAM and given once");
	is((long)nr_free_pages(), 0, "... then none is free");
	page_alloc_audit();
	for (unsigned int order = 0; order <= MAX_ORDER; order++)
		if (alloc_pages(0, order))
			wrong++;
	is((long)wrong, 0, "... and requests of all orders are refused");
	for (unsigned long i = 0; i < n; i++)
		account(pages[i], 0, 1, 0);
	give_back(pages, n);
	page_alloc_audit();

	n = take_all(pages, __GFP_DMA32, max);
	is((long)n, (long)low, "DMA32: as many as that zone has");
	for (unsigned long i = 0; i < n; i++)
		wrong += page_to_pfn(pages[i]).v >= 1UL << 20;
	is((long)wrong, 0, "... all below 4 GiB");
	is((long)zone_free(ZONE_NORMAL), (long)(start->free_pages - low),
	   "... the other zone is whole");
	give_back(pages, n);
	free(pages);
}

/* Which zone is tried first, and that the other one helps. */
static void zone_order(void)
{
	unsigned long normal = zone_free(ZONE_NORMAL), wrong = 0, n;
	struct page **pages = malloc((normal + 1) * sizeof(*pages));

	n = take_all(pages, 0, normal);
	for (unsigned long i = 0; i < n; i++)
		wrong += page_to_pfn(pages[i]).v < 1UL << 20;
	is((long)wrong, 0, "%lu pages come from above 4 GiB while there are any", normal);
	pages[n] = alloc_page(0);
	ok(pages[n] && page_to_pfn(pages[n]).v < 1UL << 20, "the next one from below");
	give_back(pages, n + 1);
	free(pages);
}

static unsigned long sum_of_blocks(void)
{
	struct buddy_info info;
	unsigned long n = 0;

	for (int t = 0; t < MAX_NR_ZONES; t++)
		for (int o = 0; zone_buddy_info((enum zone_type)t, &info) && o <= MAX_ORDER; o++)
			n += info.blocks[o] << o;
	return n;
}

static void count_bytes(u64 start, u64 end, void *arg)
{
	*(u64 *)arg += end - start;
}

static void start_machine(const struct machine *m)
{
	sim_gbpages = !m->no_gbpages;
	sim_boot(m->mem, m->nr);
	open_account();
}

static void run_machine(void *arg)
{
	const struct machine *m = arg;
	struct sim_usage start;
	u64 unreserved = 0;

	diag("machine: %s", m->name);
	start_machine(m);
	memblock_for_each_free(count_bytes, &unreserved);
	is((long)totalram_pages(), (long)(unreserved >> PAGE_SHIFT),
	   "all RAM is counted that isn't reserved");
	start = sim_usage();
	/* One page is the zero page. */
	is((long)start.free_pages, (long)(unreserved >> PAGE_SHIFT) - 1,
	   "what memblock left is free");
	is((long)sum_of_blocks(), (long)start.free_pages,
	   "buddyinfo has all of it, fresh blocks too");
	page_alloc_audit();
	random_ops(20000);
	page_alloc_audit();
	exhaust(&start);
	if (zone_free(ZONE_NORMAL))
		zone_order();
	{
		struct sim_usage end = sim_usage();

		ok(sim_usage_same(&start, &end, true),
		   "all back and fully coalesced: buddyinfo is as it was");
		page_alloc_audit();
	}
}

/* --- once ---------------------------------------------------------------------------------------------------- */

static void many_ops(void *arg)
{
	struct sim_usage start, end;

	start_machine(arg);
	start = sim_usage();
	random_ops(100000);
	end = sim_usage();
	ok(sim_usage_same(&start, &end, true), "all back and fully coalesced");
}

static unsigned long resident_pages(void *start, size_t size)
{
	unsigned char *vec = malloc(size / PAGE_SIZE);
	unsigned long n = 0;

	if (mincore(start, size, vec))
		return ~0UL;
	for (size_t i = 0; i < size / PAGE_SIZE; i++)
		n += vec[i] & 1;
	free(vec);
	return n;
}

/* Boot must not touch what it needn't, and blocks are prepared only as they are needed. */
static void fresh_blocks(void *arg)
{
	const unsigned long structs = (65UL << 18) * sizeof(struct page);
	unsigned long resident, before, sum;
	struct page *page;

	start_machine(arg);
	resident = resident_pages(sim_vmemmap, structs);
	ok(resident * PAGE_SIZE < structs / 100, "64 GiB: %lu of %lu pages of structs were touched",
	   resident, structs / PAGE_SIZE);
	before = nr_free_pages();
	ok(before > (62UL << 18), "... and all but the structs themselves is free");
	sum = sum_of_blocks();
	page = alloc_pages(0, MAX_ORDER);
	is((long)nr_free_pages(), (long)before - 1024, "a block of 4 MiB is taken");
	is((long)sum_of_blocks(), (long)sum - 1024, "... from buddyinfo too");
	page_alloc_audit();
	ok(resident_pages(sim_vmemmap, structs) <= resident + 16,
	   "... and at most its own structs were prepared");
	free_pages(page, MAX_ORDER);
	is((long)nr_free_pages(), (long)before, "and back");
	page_alloc_audit();
}

static void single_pages(void *arg)
{
	struct page *pages[600];
	struct sim_usage start, end;
	unsigned long before;

	start_machine(arg);
	start = sim_usage();
	before = nr_free_pages();
	pages[0] = alloc_page(0);
	is((long)nr_free_pages(), (long)before - 1,
	   "pages that wait on the CPU's list count as free");
	*(char *)page_address(pages[0]) = 1;
	free_page(pages[0]);
	ok(alloc_page(0) == pages[0], "the page freed last is given first: it is in the cache");
	free_page(pages[0]);
	for (int i = 0; i < 600; i++)
		pages[i] = alloc_page(0);
	for (int i = 0; i < 600; i++)
		free_page(pages[i]);
	is((long)nr_free_pages(), (long)before, "600 there and back");
	ok(sum_of_blocks() < before, "some stay on the CPU's list");
	ok(sum_of_blocks() >= before - 6 * 31, "... but not more than it may hold");
	drain_all_pages();
	is((long)sum_of_blocks(), (long)before, "none after it was drained");
	end = sim_usage();
	ok(sim_usage_same(&start, &end, true), "... and all coalesced");
}

static void compound_pages(void *arg)
{
	struct sim_usage start, end;
	struct page *page, *plain;
	bool tails = true;

	start_machine(arg);
	start = sim_usage();
	page = alloc_pages(__GFP_COMP, 3);
	for (int i = 1; i < 8; i++)
		tails = tails && page_flag(page + i, PG_tail) && compound_head(page + i) == page;
	ok(tails && page_flag(page, PG_head) && page->order == 3,
	   "a compound page has a head and tails");
	get_page(compound_head(page + 5));
	put_page(page + 3);
	is(page_count(page), 1, "a reference to any part is one to the whole");
	put_page(page + 7);
	is((long)nr_free_pages(), (long)start.free_pages, "the last one frees all eight");
	plain = alloc_pages(0, 3);
	ok(!page_flag(plain, PG_head) && !page_flag(plain + 1, PG_tail),
	   "without __GFP_COMP: none");
	free_pages(plain, 3);
	end = sim_usage();
	ok(sim_usage_same(&start, &end, true), "all back");
}

static void references(void *arg)
{
	struct page *page;

	start_machine(arg);
	page = alloc_page(0);
	ok(page_count(page) == 1 && page_mapcount(page) == 0, "a new page has one reference");
	page_add_first_map(page);
	page_add_map(page);
	ok(page_count(page) == 2 && page_mapcount(page) == 2, "two mappings");
	page_remove_map(page);
	put_page(page);
	ok(page_count(page) == 1 && page_mapcount(page) == 1, "one again");
	page_remove_map(page);
	put_page(page);
	ok(alloc_page(0) == page, "and free");
}

static void failing(void *arg)
{
	struct page *page[4];
	unsigned long before;

	start_machine(arg);
	before = nr_free_pages();
	page_alloc_fail_nth(3);
	for (int i = 0; i < 4; i++)
		page[i] = alloc_pages(0, (unsigned int)i);
	ok(page[0] && page[1] && !page[2] && page[3], "the third allocation fails, and only that");
	for (int i = 0; i < 4; i++)
		if (page[i])
			free_pages(page[i], (unsigned int)i);
	is((long)nr_free_pages(), (long)before, "nothing is lost");
}

static void reserved_areas(void *arg)
{
	unsigned long before;

	start_machine(arg);
	before = nr_free_pages();
	free_reserved_area(2 * MIB + 1, 2 * MIB + 0x4fff);
	is((long)nr_free_pages(), (long)before + 3,
	   "of a range that was reserved, whole pages are freed");
	page_alloc_audit();
	free_reserved_area(2 * MIB, 2 * MIB + 0x1000);
	free_reserved_area(2 * MIB + 0x4000, 2 * MIB + 0x9000);
	is((long)nr_free_pages(), (long)before + 9, "... and the rest later");
	page_alloc_audit();
	is((long)sim_usage().free_pages, (long)before + 9, "... into the same blocks");
}

/* --- misuse ------------------------------------------------------------------------------------------------------- */

static struct page *a_page(void)
{
	return alloc_page(0);
}

static void free_twice(void *arg)
{
	struct page *page = a_page();

	free_page(page);
	free_page(page);
}

static void free_twice_drained(void *arg)
{
	struct page *page = alloc_pages(0, 4);

	free_pages(page, 4);
	drain_all_pages();
	free_pages(page, 4);
}

static void put_twice(void *arg)
{
	struct page *page = a_page();

	put_page(page);
	put_page(page);
}

static void free_referenced(void *arg)
{
	struct page *page = a_page();

	get_page(page);
	free_page(page);
}

static void free_mapped(void *arg)
{
	struct page *page = a_page();

	page_add_first_map(page);
	put_page(page);
}

static void free_flagged(void *arg)
{
	struct page *page = a_page();

	page_set_flag(page, *(enum pageflags *)arg);
	put_page(page);
}

static void free_tail_in_use(void *arg)
{
	struct page *page = alloc_pages(0, 1);

	/* Somebody holds a reference to the second page of what is freed. */
	atomic_long_set(&page[1].counts, PAGE_ONE_REF);
	free_pages(page, 1);
}

static void free_image(void *arg)
{
	struct page *page = pfn_to_page(make_pfn(2 * MIB >> PAGE_SHIFT));

	atomic_long_set(&page->counts, PAGE_ONE_REF);
	free_page(page);
}

static void write_after_free(void *arg)
{
	struct page *page = a_page();
	char *mem = page_address(page);

	free_page(page);
	mem[*(int *)arg] ^= 1;
	a_page();
}

static void write_after_free_far(void *arg)
{
	struct page *page = alloc_pages(0, 5);
	char *mem = page_address(page);

	free_pages(page, 5);
	drain_all_pages();
	mem[17 * PAGE_SIZE + 5] = 0;
	while (alloc_page(0))
		;
}

static void get_free_page(void *arg)
{
	struct page *page = a_page();

	free_page(page);
	get_page(page);
}

static void too_large(void *arg)
{
	alloc_pages(0, MAX_ORDER + 1);
}

/* Damage that only an audit would see. */
static struct page *free_block_of(unsigned int order)
{
	struct page *page = alloc_pages(0, order), *wall = alloc_pages(0, order);

	(void)wall; /* keeps the buddy from joining, most of the time */
	free_pages(page, order);
	return page;
}

static void damage_count(void *arg)
{
	struct page *page = free_block_of(3);

	atomic_long_set(&page[5].counts, PAGE_ONE_REF);
	page_alloc_audit();
}

static void damage_flag(void *arg)
{
	struct page *page = alloc_pages(0, MAX_ORDER);

	free_pages(page, MAX_ORDER);
	page->flags &= ~BIT(PG_buddy);
	page_alloc_audit();
}

static void damage_order(void *arg)
{
	struct page *page = alloc_pages(0, MAX_ORDER);

	free_pages(page, MAX_ORDER);
	page->order = 3;
	page_alloc_audit();
}

static void damage_twice(void *arg)
{
	struct page *page = alloc_pages(0, MAX_ORDER);

	free_pages(page, MAX_ORDER);
	page[512].flags |= BIT(PG_buddy);
	page_alloc_audit();
}

static void misuse(void *arg)
{
	static enum pageflags locked = PG_locked, slab = PG_slab, lru = PG_lru;
	static int first = 0, last = 4095;

	start_machine(arg);
	panics(free_twice, NULL, "freed twice or still in use", "double free");
	panics(free_twice_drained, NULL, "freed twice or still in use", "double free of a block");
	panics(put_twice, NULL, "page_count(page) <= 0", "a reference dropped that nobody held");
	panics(free_referenced, NULL, "freed twice or still in use: 2 references",
	       "free with references");
	panics(free_mapped, NULL, "1 mappings", "free of a mapped page");
	panics(free_flagged, &locked, "freed in a state", "free of a locked page");
	panics(free_flagged, &slab, "freed in a state", "free of a slab's page");
	panics(free_flagged, &lru, "freed in a state", "free of a page in a list");
	panics(free_tail_in_use, NULL, "freed with 1 references",
	       "free of a block that is in use in part");
	panics(free_image, NULL, "freed in a state", "free of the kernel's image");
	panics(write_after_free, &first, "written after it was freed",
	       "use after free: first byte");
	panics(write_after_free, &last, "written after it was freed", "use after free: last byte");
	panics(write_after_free_far, NULL, "written after it was freed",
	       "use after free inside a block");
	panics(get_free_page, NULL, "page_count(page) <= 0", "a new reference to a free page");
	panics(too_large, NULL, "order > MAX_ORDER", "an order that doesn't exist");
	panics(damage_count, NULL, "has references", "audit: a free page with references");
	panics(damage_flag, NULL, "isn't such a block", "audit: a block that isn't marked");
	panics(damage_order, NULL, "isn't such a block", "audit: a block of another order");
	panics(damage_twice, NULL, "is free twice", "audit: a block inside a block");
}

int main(void)
{
	const struct machine *pc = &machines[1];

	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		isolated(run_machine, (void *)&machines[i], machines[i].name);
	isolated(many_ops, (void *)pc, "many operations");
	isolated(fresh_blocks, (void *)&huge, "fresh blocks");
	isolated(single_pages, (void *)pc, "single pages");
	isolated(compound_pages, (void *)pc, "compound pages");
	isolated(references, (void *)pc, "references");
	isolated(failing, (void *)pc, "failing");
	isolated(reserved_areas, (void *)pc, "reserved areas");
	isolated(misuse, (void *)pc, "misuse");
	return done_testing();
}
