/* SPDX-License-Identifier: MIT */
/*
 * The simulated machine must see what it is there to see. Each mistake that mm/ could make is made here
 * on purpose - by changing tables behind its back, or with flushes left out - and has to end in
 * the machine's own words.
 */
#include <stdlib.h>
#include <string.h>

#include <arch/tlb.h>

#include "kernel/abi/mman.h"
#include "mm/internal.h"
#include "tests/host/death.h"
#include "tests/host/sim.h"
#include "tests/host/tap.h"

#define BASE 0x40000000UL

static struct mm_struct *mm;

static pte_t *pte_of(unsigned long addr)
{
	return pte_offset(*pmd_lookup(mm->context.pgd, addr), addr);
}

static struct page *page_of(unsigned long addr)
{
	return pfn_to_page(pte_pfn(*pte_of(addr)));
}

static struct page *table_of(unsigned long addr)
{
	return virt_to_page(pmd_page_vaddr(*pmd_lookup(mm->context.pgd, addr)));
}

/* Four pages, written on CPU 0. */
static void begin(void)
{
	mm = sim_new_mm();
	vm_mmap(NULL, BASE, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE,
		MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, 0);
	for (int i = 0; i < 4; i++)
		sim_poke(BASE + (unsigned long)i * PAGE_SIZE, 1);
}

/* --- the machine ------------------------------------------------------------------------------------- */

static void unmapped_without_flush(void *arg)
{
	set_pte(pte_of(BASE), __pte(0));
	sim_check_tlb();
}

static void freed_without_flush(void *arg)
{
	struct page *page = page_of(BASE);

	set_pte(pte_of(BASE), __pte(0));
	page_remove_map(page);
	put_page(page);
}

static void freed_with_flush_elsewhere(void *arg)
{
	struct page *page = page_of(BASE);

	sim_set_cpu(1);
	sim_peek(BASE);
	set_pte(pte_of(BASE), __pte(0));
	sim_set_cpu(0);
	tlb_flush_page_local(BASE);
	page_remove_map(page);
	put_page(page);
}

static void protected_without_flush(void *arg)
{
	set_pte(pte_of(BASE), pte_wrprotect(*pte_of(BASE)));
	sim_check_tlb();
}

static void cleaned_without_flush(void *arg)
{
	set_pte(pte_of(BASE), pte_mkclean(*pte_of(BASE)));
	sim_check_tlb();
}

static void nx_without_flush(void *arg)
{
	vm_mprotect(BASE, PAGE_SIZE, PROT_READ | PROT_EXEC);
	sim_access(BASE, &(char){ 0 }, 1, SIM_EXEC);
	set_pte(pte_of(BASE), __pte(pte_of(BASE)->v | _PAGE_NX));
	sim_check_tlb();
}

static void moved_without_flush(void *arg)
{
	pte_t pte = *pte_of(BASE);

	set_pte(pte_of(BASE), *pte_of(BASE + PAGE_SIZE));
	set_pte(pte_of(BASE + PAGE_SIZE), pte);
	sim_check_tlb();
}

/* Only the pages are flushed, not the way to the table: what a TLB alone would never show. */
static void table_freed_too_early(void *arg)
{
	struct page *table = table_of(BASE);

	for (unsigned long a = BASE; a < BASE + 4 * PAGE_SIZE; a += PAGE_SIZE)
		set_pte(pte_of(a), __pte(0));
	set_pmd(pmd_lookup(mm->context.pgd, BASE), __pmd(0));
	free_page(table);
}

static void table_gone_without_flush(void *arg)
{
	set_pmd(pmd_lookup(mm->context.pgd, BASE), __pmd(0));
	sim_check_tlb();
}

static void pgd_freed_in_use(void *arg)
{
	vm_munmap(BASE, 4 * PAGE_SIZE);
	pgd_free(mm->context.pgd);
}

static void free_frame_mapped(void *arg)
{
	struct page *page = alloc_page(GFP_USER);

	free_page(page);
	set_pte(pte_of(BASE + 16 * PAGE_SIZE), pfn_pte(page_to_pfn(page), PAGE_SHARED));
	sim_peek(BASE + 16 * PAGE_SIZE);
}

static void no_ram_mapped(void *arg)
{
	set_pte(pte_of(BASE + 16 * PAGE_SIZE), pfn_pte(make_pfn(100UL << 8), PAGE_SHARED));
	sim_peek(BASE + 16 * PAGE_SIZE);
}

static void table_mapped_as_page(void *arg)
{
	set_pte(pte_of(BASE + 16 * PAGE_SIZE), pfn_pte(page_to_pfn(table_of(BASE)), PAGE_SHARED));
	sim_peek(BASE + 16 * PAGE_SIZE);
}

static void page_as_table(void *arg)
{
	pmd_t *pmd = pmd_lookup(mm->context.pgd, BASE);

	set_pmd(pmd + 1, pmd_mktable(pte_pfn(*pte_of(BASE)), _PAGE_TABLE));
	sim_peek(BASE + PMD_SIZE);
}

static void handled_for_ever(void *arg)
{
	/* The table above takes the right away that each fault gives. */
	pmd_t *pmd = pmd_lookup(mm->context.pgd, BASE);

	sim_forget();
	set_pmd(pmd, __pmd(pmd->v & ~_PAGE_RW));
	sim_poke(BASE, 1);
}

static void lock_taken_twice(void *arg)
{
	spin_lock(&mm->page_table_lock);
	spin_lock(&mm->page_table_lock);
}

static void unlocked_twice(void *arg)
{
	spin_unlock(&mm->page_table_lock);
}

static void fault_under_lock(void *arg)
{
	spin_lock(&mm->page_table_lock);
	sim_poke(BASE + 100 * PAGE_SIZE, 1);
}

static void read_lock_under_spinlock(void *arg)
{
	spin_lock(&mm->page_table_lock);
	down_read(&mm->mmap_lock);
}

static void sleeps_for_ever(void *arg)
{
	down_write(&mm->mmap_lock);
	down_read(&mm->mmap_lock);
}

static void no_direct_map(void *arg)
{
	virt_to_phys(&mm);
}

static void test_machine(void)
{
	begin();
	sim_check_tlb();
	ok(sim_nr_cached(BASE, BASE + 4 * PAGE_SIZE) >= 5, "pages and tables are cached");
	panics(unmapped_without_flush, NULL, "no longer map", "an entry cleared without a flush");
	panics(freed_without_flush, NULL, "still has it cached as a page",
	       "a page freed before the flush");
	panics(freed_with_flush_elsewhere, NULL, "CPU 1 still has it",
	       "... flushed on one CPU only");
	panics(protected_without_flush, NULL, "cached with rights",
	       "write taken away without a flush");
	panics(cleaned_without_flush, NULL, "cached with rights", "D cleared without a flush");
	panics(nx_without_flush, NULL, "cached with rights", "execute taken away without a flush");
	panics(moved_without_flush, NULL, "the tables say", "another frame without a flush");
	panics(table_freed_too_early, NULL, "cached as a page table",
	       "a table freed before the flush");
	panics(table_gone_without_flush, NULL, "no longer map",
	       "a table taken out without a flush");
	panics(pgd_freed_in_use, NULL, "runs on is freed", "a top-level table freed under a CPU");
	panics(free_frame_mapped, NULL, "which is free", "an entry leads to a free frame");
	panics(no_ram_mapped, NULL, "which is no RAM", "... to no RAM");
	panics(table_mapped_as_page, NULL, "which is a page table", "... to a page table");
	panics(page_as_table, NULL, "which is no page table", "a table entry leads to a page");
	panics(handled_for_ever, NULL, "again and again", "a fault that is never done");
	panics(lock_taken_twice, NULL, "nobody releases", "a spinlock taken twice");
	panics(unlocked_twice, NULL, "spin_is_locked", "... or released twice");
	panics(fault_under_lock, NULL, "a fault may sleep", "a fault under a spinlock");
	panics(read_lock_under_spinlock, NULL, "down_read may sleep", "mmap_lock under a spinlock");
	panics(sleeps_for_ever, NULL, "!sleep_ops", "a lock that is waited for by its owner");
	panics(no_direct_map, NULL, "not in the direct map", "virt_to_phys of the kernel's data");
	sim_exit_mm();
}

int main(void)
{
	struct sim_usage start, end;

	sim_boot_default();
	start = sim_usage();
	test_machine();
	end = sim_usage();
	ok(sim_usage_same(&start, &end, true), "nothing of this has left a trace here");
	return done_testing();
}
