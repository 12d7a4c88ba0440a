/* SPDX-License-Identifier: MIT */
/*
 * The memory management unit of the simulated machine (tests/host/sim.h). The kernel's addresses and
 * the format of entries are the real ones; physical memory and struct pages lie where the host
 * put them. What isn't RAM can't be touched: the host program faults.
 */
#ifndef ARCH_MMU_H
#define ARCH_MMU_H

#include <arch/pte.h>

#define PAGE_OFFSET	   0xffff888000000000UL
#define PAGE_OFFSET_END	   0xffffc88000000000UL
#define VMALLOC_START	   0xffffc90000000000UL
#define VMALLOC_END	   0xffffc98000000000UL
#define VMEMMAP_START	   0xffffea0000000000UL
#define VMEMMAP_END	   0xffffeb0000000000UL
#define KASAN_SHADOW_START 0xffffec0000000000UL
#define KASAN_SHADOW_END   0xfffffc0000000000UL
#define KERNEL_IMAGE_BASE  0xffffffff80000000UL
#define FIXMAP_START	   0xffffffffff000000UL

struct page;
/* Where the host has physical address 0, and the struct page of frame 0. */
extern char *sim_ram;
extern struct page *sim_vmemmap;
#define vmemmap sim_vmemmap

static inline void *phys_to_virt(phys_addr_t phys)
{
	return sim_ram + phys.v;
}

/* Ends the test when ptr is not in the direct map. */
phys_addr_t virt_to_phys(const void *ptr);

static inline pfn_t phys_to_pfn(phys_addr_t phys)
{
	return make_pfn(phys.v >> PAGE_SHIFT);
}

static inline phys_addr_t pfn_to_phys(pfn_t pfn)
{
	return make_phys(pfn.v << PAGE_SHIFT);
}

static inline void *pfn_to_virt(pfn_t pfn)
{
	return phys_to_virt(pfn_to_phys(pfn));
}

static inline pfn_t virt_to_pfn(const void *ptr)
{
	return phys_to_pfn(virt_to_phys(ptr));
}

/* A load and a store, each in order, as they are on x86: what is reached by an entry is seen as it was. */
#define SIM_TABLE_LEVEL(lvl)                                              \
	static inline lvl##_t lvl##p_get(const lvl##_t *p)                \
	{                                                                 \
		return __##lvl(__atomic_load_n(&p->v, __ATOMIC_ACQUIRE)); \
	}                                                                 \
	static inline void set_##lvl(lvl##_t *p, lvl##_t e)               \
	{                                                                 \
		__atomic_store_n(&p->v, e.v, __ATOMIC_RELEASE);           \
	}
SIM_TABLE_LEVEL(pmd)
SIM_TABLE_LEVEL(pud)
SIM_TABLE_LEVEL(pgd)
SIM_TABLE_LEVEL(pte)
#undef SIM_TABLE_LEVEL

static inline pte_t ptep_get_and_clear(pte_t *ptep)
{
	return __pte(__atomic_exchange_n(&ptep->v, 0, __ATOMIC_ACQ_REL));
}

static inline pte_t ptep_set_wrprotect(pte_t *ptep)
{
	return pte_wrprotect(__pte(__atomic_fetch_and(&ptep->v, ~_PAGE_RW, __ATOMIC_ACQ_REL)));
}

static inline pte_t *pmd_page_vaddr(pmd_t pmd)
{
	return pfn_to_virt(pmd_pfn(pmd));
}

static inline pmd_t *pud_page_vaddr(pud_t pud)
{
	return pfn_to_virt(pud_pfn(pud));
}

static inline pud_t *pgd_page_vaddr(pgd_t pgd)
{
	return pfn_to_virt(pgd_pfn(pgd));
}

static inline pte_t *pte_offset(pmd_t pmd, unsigned long addr)
{
	return pmd_page_vaddr(pmd) + pte_index(addr);
}

static inline pmd_t *pmd_offset(pud_t pud, unsigned long addr)
{
	return pud_page_vaddr(pud) + pmd_index(addr);
}

static inline pud_t *pud_offset(pgd_t pgd, unsigned long addr)
{
	return pgd_page_vaddr(pgd) + pud_index(addr);
}

static inline pgd_t *pgd_offset_pgd(pgd_t *pgd, unsigned long addr)
{
	return pgd + pgd_index(addr);
}

extern pgd_t kernel_pgd[PTRS_PER_TABLE];

void mmu_init_pgd(pgd_t *pgd);
void mmu_load_pgd(const pgd_t *pgd);
phys_addr_t mmu_current_pgd(void);
void mmu_invlpg(unsigned long addr);
void mmu_flush_global(void);
bool mmu_has_gbpages(void);
void clear_page(void *page);
void copy_page(void *to, const void *from);

#endif
