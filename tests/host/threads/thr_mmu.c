/* SPDX-License-Identifier: MIT */
/*
 * The MMU of processors that are threads: walks as in Intel SDM volume 3A, sections 4.5 and 4.6, with changes
 * of A and D bits that another processor can't come between; and a TLB for each, which is its own: used by
 * its thread with interrupts off, or by who interrupts it. Unlike the MMU of support/sim_mmu.c it has no
 * paging-structure caches, and forgets an entry when another takes its place.
 */
#include <arch/cpu.h>
#include <arch/tlb.h>

#include "kernel/base/panic.h"
#include "kernel/base/string.h"
#include "mm/page.h"
#include "tests/host/threads/threads.h"

unsigned long pte_supported_mask = ~0UL;
pgd_t kernel_pgd[PTRS_PER_TABLE] __aligned(4096);
bool sim_gbpages = true;

void sim_open_vmemmap(void);

#define TLB_ENTRIES 64

struct tlb_entry {
	unsigned long page; /* the address, or NO_PAGE */
	unsigned long pte, rights;
};
#define NO_PAGE 1UL

static struct mmu {
	const pgd_t *pgd; /* CR3 */
	struct tlb_entry tlb[TLB_ENTRIES];
} __aligned(64) mmus[SIM_NR_CPUS];

static struct mmu *this_mmu(void)
{
	return &mmus[sim_this_cpu];
}

void sim_set_cpu(unsigned int cpu)
{
	BUG_ON(cpu >= SIM_NR_CPUS || sim_irqs_off);
	sim_this_cpu = cpu;
}

static struct tlb_entry *tlb_slot(unsigned long addr)
{
	return &this_mmu()->tlb[(addr >> PAGE_SHIFT) % TLB_ENTRIES];
}

static void forget_all(void)
{
	for (unsigned int i = 0; i < TLB_ENTRIES; i++)
		this_mmu()->tlb[i].page = NO_PAGE;
}

/* --- walks ------------------------------------------------------------------------------------------- */

static const unsigned int level_shift[] = { 0, PAGE_SHIFT, PMD_SHIFT, PUD_SHIFT, PGDIR_SHIFT };

static bool permits(unsigned long rights, enum sim_kind kind)
{
	if (!(rights & _PAGE_USER) || (kind == SIM_WRITE && !(rights & _PAGE_RW)))
		return false;
	return kind != SIM_EXEC || !(rights & _PAGE_NX);
}

/* What a program may reach must be in use, and a table must be one. */
static void check_frame(unsigned long e, unsigned int level, unsigned long addr)
{
	unsigned long pfn = (e & _PAGE_PFN_MASK) >> PAGE_SHIFT;
	const struct page *page = pfn_to_page(make_pfn(pfn));

	if (page_count(page) <= 0 && !page_flag(page, PG_reserved))
		panic("CPU %u gets from %#lx to frame %#lx at level %u, which is free",
		      sim_this_cpu, addr, pfn, level);
	if (page_flag(page, PG_table) != (level > 1))
		panic("CPU %u gets from %#lx to frame %#lx at level %u, which is %s page table",
		      sim_this_cpu, addr, pfn, level, level > 1 ? "no" : "a");
}

/* One entry with the bits set that the access leaves in it; 0 if there is none. */
static unsigned long use_entry(unsigned long *entry, unsigned long bits)
{
	unsigned long v = __atomic_load_n(entry, __ATOMIC_ACQUIRE);

	while ((v & _PAGE_PRESENT) && (v & bits) != bits &&
	       !__atomic_compare_exchange_n(entry, &v, v | bits, false, __ATOMIC_SEQ_CST,
					    __ATOMIC_ACQUIRE))
		;
	return v & _PAGE_PRESENT ? v | bits : 0;
}

/* => interrupts off. Fills the TLB's slot for addr if the access is allowed. */
static bool walk(unsigned long addr, enum sim_kind kind)
{
	unsigned long *table = (unsigned long *)this_mmu()->pgd, v, *entry = NULL;
	unsigned long rights = _PAGE_RW | _PAGE_USER;

	for (unsigned int level = 4; level >= 1; level--) {
		entry = table + ((addr >> level_shift[level]) & (PTRS_PER_TABLE - 1));
		v = use_entry(entry, level > 1 ? _PAGE_ACCESSED : 0);
		if (!v)
			return false;
		check_frame(v, level, addr);
		rights = (rights & v & (_PAGE_RW | _PAGE_USER)) | ((rights | v) & _PAGE_NX);
		table = pfn_to_virt(make_pfn((v & _PAGE_PFN_MASK) >> PAGE_SHIFT));
	}
	if (!permits(rights, kind))
		return false;
	/* It may have changed since; what the access leaves in it goes with what it says then. */
	v = use_entry(entry, _PAGE_ACCESSED | (kind == SIM_WRITE ? _PAGE_DIRTY : 0));
	rights = (rights & ~_PAGE_RW) | (rights & v & _PAGE_RW);
	if (!v || !permits(rights & (v | ~_PAGE_USER), kind))
		return false;
	check_frame(v, 1, addr);
	*tlb_slot(addr) = (struct tlb_entry){ addr & PAGE_MASK, v, rights };
	return true;
}

/* => interrupts off, and until the access is done. */
bool sim_translate(unsigned long addr, enum sim_kind kind, bool user, u64 *phys)
{
	struct tlb_entry *e = tlb_slot(addr);

	BUG_ON(addr >= TASK_SIZE || !sim_irqs_off || !this_mmu()->pgd);
	if (e->page != (addr & PAGE_MASK) || !permits(e->rights, kind) ||
	    (kind == SIM_WRITE && !(e->pte & _PAGE_DIRTY))) {
		e->page = NO_PAGE;
		if (!walk(addr, kind))
			return false;
	}
	check_frame(e->pte, 1, addr);
	*phys = (e->pte & _PAGE_PFN_MASK) | (addr & ~PAGE_MASK);
	return true;
}

/* --- the seam ---------------------------------------------------------------------------------------- */

void mmu_init_pgd(pgd_t *pgd)
{
	memset(pgd, 0, PAGE_SIZE / 2);
	memcpy(pgd + PTRS_PER_TABLE / 2, kernel_pgd + PTRS_PER_TABLE / 2, PAGE_SIZE / 2);
}

void mmu_load_pgd(const pgd_t *pgd)
{
	static bool booted;
	unsigned long flags = local_irq_save();

	/* The first time is at boot, when there is one thread. */
	if (!__atomic_test_and_set(&booted, __ATOMIC_RELAXED))
		sim_open_vmemmap();
	this_mmu()->pgd = pgd;
	forget_all();
	local_irq_restore(flags);
}

phys_addr_t mmu_current_pgd(void)
{
	return this_mmu()->pgd == kernel_pgd ? make_phys(0) : virt_to_phys(this_mmu()->pgd);
}

void mmu_invlpg(unsigned long addr)
{
	unsigned long flags = local_irq_save();
	struct tlb_entry *e = tlb_slot(addr);

	if (e->page == (addr & PAGE_MASK))
		e->page = NO_PAGE;
	local_irq_restore(flags);
}

void mmu_flush_global(void)
{
	unsigned long flags = local_irq_save();

	forget_all();
	local_irq_restore(flags);
}

bool mmu_has_gbpages(void)
{
	return sim_gbpages;
}

/* Whether some processor still reaches it shows when it does. */
void sim_frame_freed(unsigned long pfn, unsigned long nr)
{
}
