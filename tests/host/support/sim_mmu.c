/* SPDX-License-Identifier: MIT */
/*
 * The software MMU: page walks as in Intel SDM volume 3A, sections 4.5 (4-level paging), 4.6 (rights)
 * and 4.10 (caching). What a real processor may cache, this one does, and keeps for ever; what a
 * real one does in passing (an INVLPG drops all paging-structure caches, a load of CR3 nearly
 * everything) it does only as far as the functions of <arch/tlb.h> promise.
 */
#include <stdlib.h>

#include <arch/tlb.h>

#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "tests/host/sim.h"

unsigned long pte_supported_mask = ~0UL;
pgd_t kernel_pgd[PTRS_PER_TABLE] __aligned(4096);
bool sim_gbpages = true;

void sim_open_vmemmap(void);

/* A cached leaf (TLB) or a cached pointer to a table (paging-structure cache). */
struct cached {
	struct cached *next;
	const pgd_t *pgd; /* whose tables it comes from; kernel_pgd for the upper half */
	unsigned long start;
	unsigned int shift; /* the entry covers 2^shift bytes */
	bool leaf;
	unsigned long pfn;
	unsigned long
		rights; /* RW and USER as and-ed over the levels, NX as or-ed; leaf: also DIRTY */
};

#define NR_BUCKETS 1024

static struct sim_cpu {
	const pgd_t *pgd; /* CR3 */
	struct cached *buckets[NR_BUCKETS];
} cpus[SIM_NR_CPUS];
static struct sim_cpu *cpu = &cpus[0];

/* How many cache entries lead to a frame; grows with the largest frame number seen. */
static u32 *frame_refs;
static unsigned long nr_frame_refs;

void sim_set_cpu(unsigned int n)
{
	BUG_ON(n >= SIM_NR_CPUS);
	cpu = &cpus[n];
	sim_this_cpu = n;
}

/* --- the caches ----------------------------------------------------------------------------------- */

static u32 *frame_ref(unsigned long pfn)
{
	if (pfn >= nr_frame_refs) {
		unsigned long nr = memblock_end_of_ram() >> PAGE_SHIFT;

		BUG_ON(frame_refs);
		frame_refs = calloc(nr, sizeof(*frame_refs));
		nr_frame_refs = nr;
		BUG_ON(!frame_refs || pfn >= nr);
	}
	return &frame_refs[pfn];
}

static struct cached **bucket_of(struct sim_cpu *c, unsigned long start, unsigned int shift)
{
	return &c->buckets[((start >> shift) * 7 + shift) % NR_BUCKETS];
}

static struct cached *lookup(const pgd_t *pgd, unsigned long addr, unsigned int shift, bool leaf)
{
	unsigned long start = addr >> shift << shift;
	struct cached *e = *bucket_of(cpu, start, shift);

	while (e && !(e->pgd == pgd && e->start == start && e->shift == shift && e->leaf == leaf))
		e = e->next;
	return e;
}

static void remember(const struct cached *e)
{
	struct cached **bucket = bucket_of(cpu, e->start, e->shift), *new = malloc(sizeof(*new));

	BUG_ON(!new);
	*new = *e;
	new->next = *bucket;
	*bucket = new;
	++*frame_ref(e->pfn);
}

/* Drops what overlaps [start, end] (inclusive) of pgd, or of all address spaces (NULL). */
static void forget_range(struct sim_cpu *c, const pgd_t *pgd, unsigned long start,
			 unsigned long last)
{
	for (unsigned int i = 0; i < NR_BUCKETS; i++) {
		struct cached **link = &c->buckets[i], *e;

		while ((e = *link)) {
			unsigned long e_last = e->start + ((1UL << e->shift) - 1);

			if ((pgd && e->pgd != pgd) || e->start > last || e_last < start) {
				link = &e->next;
				continue;
			}
			*link = e->next;
			--*frame_ref(e->pfn);
			free(e);
		}
	}
}

void sim_forget(void)
{
	for (unsigned int i = 0; i < SIM_NR_CPUS; i++)
		forget_range(&cpus[i], NULL, 0, ~0UL);
}

unsigned int sim_nr_cached(unsigned long start, unsigned long end)
{
	unsigned int n = 0;

	for (unsigned int c = 0; c < SIM_NR_CPUS; c++)
		for (unsigned int i = 0; i < NR_BUCKETS; i++)
			for (const struct cached *e = cpus[c].buckets[i]; e; e = e->next)
				n += e->start < end && e->start + ((1UL << e->shift) - 1) >= start;
	return n;
}

static void complain_of_frame(unsigned long pfn)
{
	for (unsigned int c = 0; c < SIM_NR_CPUS; c++)
		for (unsigned int i = 0; i < NR_BUCKETS; i++)
			for (const struct cached *e = cpus[c].buckets[i]; e; e = e->next)
				if (e->pfn == pfn)
					panic("frame %#lx is freed, but CPU %u still has it cached as %s "
					      "for %#lx",
					      pfn, c, e->leaf ? "a page" : "a page table",
					      e->start);
}

/* A top-level table goes: nothing may run in it, and nothing of it may be cached. */
static void check_freed_pgd(const void *table)
{
	for (unsigned int c = 0; c < SIM_NR_CPUS; c++) {
		if (cpus[c].pgd == table)
			panic("the top-level table that CPU %u runs on is freed", c);
		for (unsigned int i = 0; i < NR_BUCKETS; i++)
			for (const struct cached *e = cpus[c].buckets[i]; e; e = e->next)
				if (e->pgd == table)
					panic("a top-level table is freed, but CPU %u has %#lx of it "
					      "cached",
					      c, e->start);
	}
}

void sim_frame_freed(unsigned long pfn, unsigned long nr)
{
	for (unsigned long i = pfn; i < pfn + nr; i++) {
		struct page *page = pfn_to_page(make_pfn(i));

		if (i < nr_frame_refs && frame_refs[i])
			complain_of_frame(i);
		if (page_flag(page, PG_table))
			check_freed_pgd(page_address(page));
	}
}

/* --- the walk ----------------------------------------------------------------------------------------- */

static const unsigned int level_shift[] = { 0, PAGE_SHIFT, PMD_SHIFT, PUD_SHIFT, PGDIR_SHIFT };

#define ALL_RIGHTS (_PAGE_RW | _PAGE_USER)

static unsigned long combine(unsigned long above, unsigned long entry)
{
	return (above & entry & ALL_RIGHTS) | ((above | entry) & _PAGE_NX);
}

static bool permits(unsigned long rights, enum sim_kind kind, bool user)
{
	if (user && !(rights & _PAGE_USER))
		return false;
	/* CR0.WP is set: the kernel obeys read-only pages too. */
	if (kind == SIM_WRITE && !(rights & _PAGE_RW))
		return false;
	return kind != SIM_EXEC || !(rights & _PAGE_NX);
}

/* What no entry of the kernel's may ever look like. */
static void check_entry(unsigned long e, unsigned int level, bool leaf, unsigned long addr)
{
	unsigned long pfn = (e & _PAGE_PFN_MASK) >> PAGE_SHIFT;
	struct page *page;

	if (level == 4 && (e & _PAGE_PSE))
		panic("walk of %#lx: reserved bit 7 is set in a PGD entry", addr);
	if (leaf && level > 1 && (pfn & ((1UL << (level_shift[level] - PAGE_SHIFT)) - 1)))
		panic("walk of %#lx: a large leaf is not aligned: %#lx", addr, e);
	if (!memblock_is_ram(pfn << PAGE_SHIFT))
		panic("walk of %#lx: level %u leads to %#lx, which is no RAM", addr, level, e);
	if (level > 1 && leaf)
		return; /* the direct map */
	page = pfn_to_page(make_pfn(pfn));
	if (addr < TASK_SIZE && page_count(page) <= 0 && !page_flag(page, PG_reserved))
		panic("walk of %#lx: level %u leads to frame %#lx, which is free", addr, level,
		      pfn);
	if (addr < TASK_SIZE && leaf == page_flag(page, PG_table))
		panic("walk of %#lx: level %u leads to frame %#lx, which is %s page table", addr,
		      level, pfn, leaf ? "a" : "no");
}

struct walk {
	const pgd_t *pgd;
	unsigned int level; /* of the table that comes next; 4: the PGD */
	const unsigned long *table;
	unsigned long rights;
};

static const pgd_t *pgd_for(unsigned long addr)
{
	return addr & BIT(63) ? kernel_pgd : cpu->pgd;
}

/* Begins as far down as the paging-structure caches lead. */
static struct walk begin_walk(const pgd_t *pgd, unsigned long addr, bool use_caches)
{
	for (unsigned int level = 2; use_caches && level <= 4; level++) {
		struct cached *e = lookup(pgd, addr, level_shift[level], false);

		if (e)
			return (struct walk){ pgd, level - 1, pfn_to_virt(make_pfn(e->pfn)),
					      e->rights };
	}
	return (struct walk){ pgd, 4, (const unsigned long *)pgd, ALL_RIGHTS };
}

static unsigned long *entry_of(const struct walk *w, unsigned long addr)
{
	return (unsigned long *)w->table + ((addr >> level_shift[w->level]) & (PTRS_PER_TABLE - 1));
}

static bool is_leaf(unsigned long e, unsigned int level)
{
	return level == 1 || (level < 4 && (e & _PAGE_PSE));
}

/* One level down; what was read becomes *e, cached. False at an entry that isn't present. */
static bool step(struct walk *w, unsigned long addr, bool cache, struct cached *e)
{
	unsigned long *entry = entry_of(w, addr), v = __atomic_load_n(entry, __ATOMIC_RELAXED);
	unsigned int shift = level_shift[w->level];

	if (!(v & _PAGE_PRESENT))
		return false;
	*e = (struct cached){ .pgd = w->pgd,
			      .start = addr >> shift << shift,
			      .shift = shift,
			      .leaf = is_leaf(v, w->level),
			      .rights = combine(w->rights, v) };
	e->pfn = (v & _PAGE_PFN_MASK) >> PAGE_SHIFT;
	check_entry(v, w->level, e->leaf, addr);
	if (cache)
		__atomic_fetch_or(entry, _PAGE_ACCESSED, __ATOMIC_RELAXED);
	w->rights = e->rights;
	if (e->leaf)
		return true;
	if (cache)
		remember(e);
	w->level--;
	w->table = pfn_to_virt(make_pfn(e->pfn));
	return true;
}

/* Walks the tables for an access and caches what is found. */
static struct cached *fill(const pgd_t *pgd, unsigned long addr, enum sim_kind kind, bool user)
{
	struct walk w = begin_walk(pgd, addr, true);
	struct cached e = { .leaf = false };

	while (!e.leaf)
		if (!step(&w, addr, true, &e))
			return NULL;
	if (!permits(e.rights, kind, user))
		return NULL;
	if (kind == SIM_WRITE)
		__atomic_fetch_or(entry_of(&w, addr), _PAGE_DIRTY, __ATOMIC_RELAXED);
	e.rights |= __atomic_load_n(entry_of(&w, addr), __ATOMIC_RELAXED) & _PAGE_DIRTY;
	remember(&e);
	return lookup(pgd, addr, e.shift, true);
}

static struct cached *find_leaf(const pgd_t *pgd, unsigned long addr)
{
	struct cached *e = NULL;

	for (unsigned int level = 1; level <= 3 && !e; level++)
		e = lookup(pgd, addr, level_shift[level], true);
	return e;
}

/*
 * A processor may look ahead at any time, and remember the way to a table that holds nothing yet. This
 * one does wherever a fault has just been: so an empty table too must be flushed before it is freed.
 */
static void look_ahead(const pgd_t *pgd, unsigned long addr)
{
	struct walk w = begin_walk(pgd, addr, true);
	struct cached e = { .leaf = false };

	while (!e.leaf && step(&w, addr, true, &e))
		;
}

bool sim_translate(unsigned long addr, enum sim_kind kind, bool user, u64 *phys)
{
	const pgd_t *pgd = pgd_for(addr);
	struct cached *e = find_leaf(pgd, addr);

	BUG_ON(!addr_is_canonical(addr) || !pgd);
	/* A first write through a clean translation goes to the tables, for the D bit. */
	if (e && kind == SIM_WRITE && permits(e->rights, kind, user) &&
	    !(e->rights & _PAGE_DIRTY)) {
		forget_range(cpu, pgd, e->start, e->start + ((1UL << e->shift) - 1));
		e = NULL;
	}
	if (!e)
		e = fill(pgd, addr, kind, user);
	if (!e || !permits(e->rights, kind, user)) {
		/* Section 4.10.4.1: a page fault drops what is cached for its address. */
		forget_range(cpu, pgd, addr, addr);
		look_ahead(pgd, addr);
		return false;
	}
	*phys = ((u64)e->pfn << PAGE_SHIFT) + (addr - e->start);
	return true;
}

/* --- are the caches right? -------------------------------------------------------------------------------- */

static void check_cached(unsigned int c, const struct cached *cached)
{
	struct walk w = begin_walk(cached->pgd, cached->start, false);
	struct cached e = { .shift = 64 };
	unsigned long more;

	while (e.shift > cached->shift)
		if (!step(&w, cached->start, false, &e))
			panic("CPU %u has %#lx cached, which the tables no longer map", c,
			      cached->start);
	if (e.leaf)
		e.rights |= *entry_of(&w, cached->start) & _PAGE_DIRTY;
	if (e.leaf != cached->leaf || e.pfn != cached->pfn)
		panic("CPU %u has %#lx cached with frame %#lx, the tables say %#lx", c,
		      cached->start, cached->pfn, e.pfn);
	/* NX is a right turned round. */
	more = (cached->rights ^ _PAGE_NX) & ~(e.rights ^ _PAGE_NX);
	if (more & (ALL_RIGHTS | _PAGE_NX | _PAGE_DIRTY))
		panic("CPU %u has %#lx cached with rights %#lx, the tables give %#lx", c,
		      cached->start, cached->rights, e.rights);
}

void sim_check_tlb(void)
{
	for (unsigned int c = 0; c < SIM_NR_CPUS; c++)
		for (unsigned int i = 0; i < NR_BUCKETS; i++)
			for (const struct cached *e = cpus[c].buckets[i]; e; e = e->next)
				check_cached(c, e);
}

/* --- the seam ------------------------------------------------------------------------------------------------ */

void mmu_init_pgd(pgd_t *pgd)
{
	memset(pgd, 0, PAGE_SIZE / 2);
	memcpy(pgd + PTRS_PER_TABLE / 2, kernel_pgd + PTRS_PER_TABLE / 2, PAGE_SIZE / 2);
}

void mmu_load_pgd(const pgd_t *pgd)
{
	if (!cpus[0].pgd)
		sim_open_vmemmap();
	cpu->pgd = pgd;
	/* Everything but the kernel's half, which is global. */
	forget_range(cpu, NULL, 0, TASK_SIZE);
}

phys_addr_t mmu_current_pgd(void)
{
	return cpu->pgd == kernel_pgd ? make_phys(0) : virt_to_phys(cpu->pgd);
}

bool mmu_has_gbpages(void)
{
	return sim_gbpages;
}

void mmu_invlpg(unsigned long addr)
{
	forget_range(cpu, pgd_for(addr), addr, addr);
}

void mmu_flush_global(void)
{
	forget_range(cpu, NULL, 0, ~0UL);
}

bool sim_kernel_access(unsigned long addr, void *buf, size_t len, enum sim_kind kind)
{
	for (size_t done = 0; done < len; done++) {
		u64 phys;

		if (!sim_translate(addr + done, kind, false, &phys))
			return false;
		if (kind == SIM_WRITE)
			sim_ram[phys] = ((char *)buf)[done];
		else
			((char *)buf)[done] = sim_ram[phys];
	}
	return true;
}
