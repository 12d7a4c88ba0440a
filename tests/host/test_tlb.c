/* SPDX-License-Identifier: MIT */
/*
 * Every operation that takes a translation away, while four processors have it cached: CPU 0 does it;
 * CPUs 1 and 2 run threads of the program; CPU 3 ran one, and keeps the address space lazily for a
 * kernel thread. The simulated caches forget nothing by themselves, so what isn't flushed is found: by
 * the machine when a frame or a table is freed, or by sim_check_tlb() afterwards.
 *
 * Then the same again with mistakes: CPU 1 doesn't get its interrupt, then CPU 3 doesn't, then a flush is
 * left out. Each must be found, or the first part would show nothing.
 */
#include "tests/host/family.h"
#include "tests/host/death.h"

#define NR_PAGES 8
#define FAR	 0x80000000UL /* in a page table of its own, as BASE is */
#define LAZY_CPU 3

static struct sim_file disk;
static struct address_space_operations disk_ops;
static struct mm_struct *other; /* a child, or NULL */

static int disk_write(struct address_space *mapping, struct page *page)
{
	return 0;
}

/* Every CPU of the program's has the translation of every page, as dirty as it gets; CPU 3 goes lazy. */
static void cache_everywhere(unsigned long start, bool write)
{
	for (unsigned int cpu = SIM_NR_CPUS; cpu-- > 0;) {
		run_on(mm, cpu);
		for (unsigned int i = 0; i < NR_PAGES; i++)
			BUG_ON(write ? !sim_poke(start + i * PAGE_SIZE, (u8)cpu) :
				       sim_peek(start + i * PAGE_SIZE) < 0);
		if (cpu == LAZY_CPU)
			sim_load_mm(NULL);
	}
}

/* Each function may be killed in the middle: what it needs it makes. */
static void start_anon(void)
{
	begin();
	map(0, NR_PAGES, RW, NULL, 0);
	cache_everywhere(page(0), true);
}

static void start_disk(void)
{
	begin();
	sim_file_init(&disk, "/disk", NR_PAGES * PAGE_SIZE);
	disk_ops = *disk.mapping.a_ops;
	disk_ops.write_page = disk_write;
	disk.mapping.a_ops = &disk_ops;
	vm_mmap(&disk.file, page(0), NR_PAGES * PAGE_SIZE, RW, MAP_FIXED | MAP_SHARED, 0);
	cache_everywhere(page(0), true);
}

/* --- the operations --------------------------------------------------------------------------------- */

static void unmap_all(void)
{
	vm_munmap(page(0), NR_PAGES * PAGE_SIZE);
}

static void unmap_one(void)
{
	vm_munmap(page(3), PAGE_SIZE);
}

static void protect(void)
{
	vm_mprotect(page(1), 3 * PAGE_SIZE, PROT_READ);
}

static void protect_none(void)
{
	vm_mprotect(page(0), NR_PAGES * PAGE_SIZE, PROT_NONE);
}

static void drop(void)
{
	vm_madvise(page(2), 2 * PAGE_SIZE, MADV_DONTNEED);
}

static void give_up(void)
{
	vm_madvise(page(2), 2 * PAGE_SIZE, MADV_FREE);
}

static void move_pages(void)
{
	vm_mremap(page(0), NR_PAGES * PAGE_SIZE, NR_PAGES * PAGE_SIZE,
		  MREMAP_MAYMOVE | MREMAP_FIXED, FAR + PAGE_SIZE);
}

/* All of a table: it is hung over by its entry. */
static void start_table(void)
{
	begin();
	vm_mmap(NULL, BASE, PMD_SIZE, RW, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, 0);
	cache_everywhere(BASE, true);
}

static void move_table(void)
{
	vm_mremap(BASE, PMD_SIZE, PMD_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, FAR);
}

/* Nothing was ever touched there but one page of each of two tables, which go. */
static void start_two_tables(void)
{
	begin();
	vm_mmap(NULL, BASE, 2 * PMD_SIZE, PROT_READ, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, 0);
	for (unsigned int cpu = SIM_NR_CPUS; cpu-- > 0;) {
		run_on(mm, cpu);
		sim_peek(BASE);
		sim_peek(BASE + PMD_SIZE);
		if (cpu == LAZY_CPU)
			sim_load_mm(NULL);
	}
}

static void unmap_two_tables(void)
{
	vm_munmap(BASE, 2 * PMD_SIZE);
}

static void forking(void)
{
	other = fork_of(mm);
}

/* Shared after a fork: readable everywhere, then one writes. */
static void start_shared(void)
{
	begin();
	map(0, NR_PAGES, RW, NULL, 0);
	for (unsigned int i = 0; i < NR_PAGES; i++)
		sim_poke(page(i), 1);
	other = fork_of(mm);
	cache_everywhere(page(0), false);
}

static void copy_on_write(void)
{
	sim_poke(page(5), 2);
}

static void cut_file(void)
{
	disk.mapping.size = 2 * PAGE_SIZE;
	truncate_pagecache(&disk.mapping, 2 * PAGE_SIZE);
}

/* By a kernel thread, on the CPU that keeps the program's address space lazily. */
static void truncate_lazily(void)
{
	sim_set_cpu(LAZY_CPU);
	cut_file();
	sim_set_cpu(0);
}

static void write_back(void)
{
	filemap_write_and_wait_range(&disk.mapping, 0, ~0UL >> 1);
}

static void forget_dirty(void)
{
	mm_clear_refs(mm, CLEAR_REFS_SOFT_DIRTY);
}

static const struct operation {
	const char *name;
	void (*start)(void);
	void (*run)(void);
	bool one_flush; /* leaving the first one out must be found */
} operations[] = {
	{ "munmap of all, with the table", start_anon, unmap_all, true },
	{ "munmap of one page", start_anon, unmap_one, true },
	{ "munmap of two tables", start_two_tables, unmap_two_tables, true },
	{ "munmap of a shared file, written", start_disk, unmap_all, true },
	{ "mprotect to read-only", start_anon, protect, true },
	{ "mprotect to none", start_anon, protect_none, true },
	{ "MADV_DONTNEED", start_anon, drop, true },
	{ "MADV_FREE", start_anon, give_up, true },
	{ "mremap, entry by entry", start_anon, move_pages, true },
	{ "mremap of a whole table", start_table, move_table, true },
	{ "fork", start_anon, forking, true },
	{ "copy on write after fork", start_shared, copy_on_write, true },
	{ "truncate", start_disk, cut_file, true },
	{ "truncate by a lazy processor", start_disk, truncate_lazily, true },
	{ "write-back", start_disk, write_back, true },
	{ "clear_refs", start_anon, forget_dirty, true },
};

static void run_operation(void *arg)
{
	const struct operation *op = arg;

	op->start();
	op->run();
	sim_check_tlb();
	ok(!cpumask_test_cpu(LAZY_CPU, &mm->context.cpus), "%s: the lazy processor has left",
	   op->name);
	ok(cpumask_bits(&mm->context.cpus) == (BIT(0) | BIT(1) | BIT(2)),
	   "... and the others are still there");
	/* And all of it goes, from under everybody. */
	for (unsigned int cpu = 0; cpu < SIM_NR_CPUS; cpu++) {
		sim_set_cpu(cpu);
		sim_load_mm(NULL);
	}
	mmput(mm);
	sim_check_tlb();
}

/* --- with mistakes ---------------------------------------------------------------------------------- */

static void without_interrupt_1(void *arg)
{
	const struct operation *op = arg;

	op->start();
	sim_lost_interrupts = BIT(1);
	op->run();
	sim_check_tlb();
}

static void without_interrupt_of_the_lazy(void *arg)
{
	const struct operation *op = arg;

	op->start();
	sim_lost_interrupts = BIT(LAZY_CPU);
	if (op->run == truncate_lazily)
		sim_lost_interrupts = BIT(2);
	op->run();
	sim_check_tlb();
}

static void without_flush(void *arg)
{
	const struct operation *op = arg;

	op->start();
	sim_lost_flush = 1;
	op->run();
	sim_check_tlb();
}

static void with_interrupts_off(void *arg)
{
	start_anon();
	local_irq_disable();
	tlb_flush_range(&mm->context, page(0), page(1));
}

/* The end of an address space, which somebody keeps who doesn't hear of it. */
static void end_unheard(void *arg)
{
	start_anon();
	for (unsigned int cpu = 0; cpu < SIM_NR_CPUS; cpu++) {
		sim_set_cpu(cpu);
		sim_load_mm(NULL);
	}
	sim_lost_interrupts = BIT(1);
	mmput(mm);
}

/* --- what isn't to be flushed ----------------------------------------------------------------------- */

/* Who wasn't in the address space isn't bothered; who went elsewhere isn't any more. */
static void test_mask(void *arg)
{
	unsigned long sent;

	sim_set_cpu(0);
	begin();
	for (unsigned int cpu = 1; cpu < SIM_NR_CPUS; cpu++) {
		sim_set_cpu(cpu);
		sim_load_mm(NULL);
	}
	sim_set_cpu(0);
	map(0, NR_PAGES, RW, NULL, 0);
	sim_poke(page(2), 1);
	drop(); /* the first flush makes the lazy ones leave */
	is((long)cpumask_bits(&mm->context.cpus), 1, "one processor is left");
	sent = tlb_event_count(NR_TLB_REMOTE_FLUSH);
	sim_poke(page(2), 1);
	drop();
	protect();
	unmap_all();
	is((long)(tlb_event_count(NR_TLB_REMOTE_FLUSH) - sent), 0, "it interrupts nobody");
	map(0, NR_PAGES, RW, NULL, 0);
	run_on(mm, 2);
	sim_poke(page(0), 1);
	run_on(mm, 0);
	unmap_all();
	is((long)(tlb_event_count(NR_TLB_REMOTE_FLUSH) - sent), 1,
	   "a second one is interrupted once");
	sim_exit_mm();
}

/* Gathers beside each other: an entry that the first has cleared isn't the second's, but his caller's. */
static void test_nested(void *arg)
{
	struct mmu_gather tlb;

	start_anon();
	down_read(&mm->mmap_lock);
	tlb_gather_mmu(&tlb, mm);
	unmap_page_range(&tlb, mm->mmap, page(2), page(4));
	ok(sim_nr_cached(page(2), page(4) - 1) > 0, "cleared, and still cached");
	zap_page_range(mm->mmap, page(2), page(4));
	sim_check_tlb();
	ok(true, "who drops the same pages returns when nobody has them any more");
	tlb_finish_mmu(&tlb);
	up_read(&mm->mmap_lock);
	sim_exit_mm();
}

static void test_operation(const struct operation *op)
{
	char name[128];

	isolated(run_operation, (void *)op, op->name);
	snprintf(name, sizeof(name), "%s: a lost interrupt is found", op->name);
	panics(without_interrupt_1, (void *)op, "cached", name);
	snprintf(name, sizeof(name), "%s: ... and a lazy processor's", op->name);
	panics(without_interrupt_of_the_lazy, (void *)op, "cached", name);
	if (!op->one_flush)
		return;
	snprintf(name, sizeof(name), "%s: a flush left out is found", op->name);
	panics(without_flush, (void *)op, "cached", name);
}

int main(void)
{
	sim_boot_default();
	for (size_t i = 0; i < ARRAY_SIZE(operations); i++)
		test_operation(&operations[i]);
	panics(with_interrupts_off, NULL, "irqs_disabled",
	       "others aren't waited for with interrupts off");
	panics(end_unheard, NULL, "context.cpus",
	       "nor is an address space ended that somebody keeps");
	isolated(test_mask, NULL, "one processor");
	isolated(test_nested, NULL, "two at once");
	return done_testing();
}
