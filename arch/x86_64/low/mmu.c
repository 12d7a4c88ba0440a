/* SPDX-License-Identifier: MIT */
#include <arch/cpu.h>
#include <arch/mmu.h>

#include "kernel/base/kasan.h"
#include "kernel/base/string.h"

pgd_t kernel_pgd[PTRS_PER_TABLE] __aligned(4096);

/* The image lies at KERNEL_IMAGE_BASE + its physical address, everything else in the direct map. */
static phys_addr_t table_phys(const pgd_t *pgd)
{
	if ((unsigned long)pgd >= KERNEL_IMAGE_BASE)
		return make_phys((unsigned long)pgd - KERNEL_IMAGE_BASE);
	return virt_to_phys(pgd);
}

void mmu_init_pgd(pgd_t *pgd)
{
	memset(pgd, 0, PAGE_SIZE / 2);
	memcpy(pgd + PTRS_PER_TABLE / 2, kernel_pgd + PTRS_PER_TABLE / 2, PAGE_SIZE / 2);
}

void mmu_load_pgd(const pgd_t *pgd)
{
	write_cr3(table_phys(pgd).v);
}

phys_addr_t mmu_current_pgd(void)
{
	return make_phys(read_cr3() & _PAGE_PFN_MASK);
}

bool mmu_has_gbpages(void)
{
	return cpu_features.gbpages;
}

void clear_page(void *page)
{
	unsigned long n = PAGE_SIZE / 8;

	kasan_check_write(page, PAGE_SIZE);
	__asm__ volatile("rep stosq" : "+D"(page), "+c"(n) : "a"(0UL) : "memory");
}

void copy_page(void *to, const void *from)
{
	unsigned long n = PAGE_SIZE / 8;

	kasan_check_read(from, PAGE_SIZE);
	kasan_check_write(to, PAGE_SIZE);
	__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
}

void mmu_flush_global(void)
{
	unsigned long flags;

	if (!cpu_features.pge) {
		write_cr3(read_cr3());
		return;
	}
	/* Global translations survive a load of CR3 but not a change of CR4.PGE. */
	flags = local_irq_save();
	write_cr4(read_cr4() & ~X86_CR4_PGE);
	write_cr4(read_cr4() | X86_CR4_PGE);
	local_irq_restore(flags);
}
