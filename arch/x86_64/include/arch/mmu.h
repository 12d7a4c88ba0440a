/* SPDX-License-Identifier: MIT */
/*
 * What mm/ asks of the memory management unit. With <arch/tlb.h> and <arch/uaccess.h> this is the
 * whole seam: the host's tests put their own files of these names in front, over a simulated machine.
 */
#ifndef ARCH_MMU_H
#define ARCH_MMU_H

#include <arch/pte.h>

/* The kernel's half of the address space (the ranges of Linux's 4-level layout). */
#define PAGE_OFFSET	   0xffff888000000000UL /* all physical memory, up to 64 TiB */
#define PAGE_OFFSET_END	   0xffffc88000000000UL
#define VMALLOC_START	   0xffffc90000000000UL
#define VMALLOC_END	   0xffffc98000000000UL /* of Linux's 32 TiB the first 512 GiB: one PGD entry */
#define VMEMMAP_START	   0xffffea0000000000UL
#define VMEMMAP_END	   0xffffeb0000000000UL
#define KASAN_SHADOW_START 0xffffec0000000000UL
#define KASAN_SHADOW_END   0xfffffc0000000000UL
#define KERNEL_IMAGE_BASE \
	0xffffffff80000000UL /* virtual address of physical 0 in the image's map */
#define FIXMAP_START 0xffffffffff000000UL

struct page;
#define vmemmap ((struct page *)VMEMMAP_START)

/* The direct map: where physical memory is seen in the kernel. Only RAM is there. */
static inline void *phys_to_virt(phys_addr_t phys)
{
	return (void *)(phys.v + PAGE_OFFSET);
}

/* => ptr lies in the direct map (not in the image, not in vmalloc space). */
static inline phys_addr_t virt_to_phys(const void *ptr)
{
	return make_phys((unsigned long)ptr - PAGE_OFFSET);
}

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

/* Reads and writes an entry whole: the processor, and other CPUs, read it at any time. */
static inline pte_t ptep_get(const pte_t *ptep)
{
	return __pte(READ_ONCE(ptep->v));
}

static inline pmd_t pmdp_get(const pmd_t *pmdp)
{
	return __pmd(READ_ONCE(pmdp->v));
}

static inline pud_t pudp_get(const pud_t *pudp)
{
	return __pud(READ_ONCE(pudp->v));
}

static inline pgd_t pgdp_get(const pgd_t *pgdp)
{
	return __pgd(READ_ONCE(pgdp->v));
}

static inline void set_pte(pte_t *ptep, pte_t pte)
{
	WRITE_ONCE(ptep->v, pte.v);
}

static inline void set_pmd(pmd_t *pmdp, pmd_t pmd)
{
	WRITE_ONCE(pmdp->v, pmd.v);
}

static inline void set_pud(pud_t *pudp, pud_t pud)
{
	WRITE_ONCE(pudp->v, pud.v);
}

static inline void set_pgd(pgd_t *pgdp, pgd_t pgd)
{
	WRITE_ONCE(pgdp->v, pgd.v);
}

/* Takes the entry away in one step, so that no accessed or dirty bit set meanwhile is lost. */
static inline pte_t ptep_get_and_clear(pte_t *ptep)
{
	return __pte(__atomic_exchange_n(&ptep->v, 0, __ATOMIC_RELAXED));
}

/* Takes the right to write away in one step, for the same reason. Returns the entry as it is now. */
static inline pte_t ptep_set_wrprotect(pte_t *ptep)
{
	return pte_wrprotect(__pte(__atomic_fetch_and(&ptep->v, ~_PAGE_RW, __ATOMIC_RELAXED)));
}

/* The table an entry points at. => the entry is a table (*_table()). */
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

/* The entry for addr in the table below. => as above. */
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

/* The kernel's own top-level table. */
extern pgd_t kernel_pgd[PTRS_PER_TABLE];

/* Points the upper half of a new top-level table at the kernel's tables; the lower is cleared. */
void mmu_init_pgd(pgd_t *pgd);
/* Makes pgd the current top-level table (CR3); forgets what is cached but for global translations. */
void mmu_load_pgd(const pgd_t *pgd);
/* The physical address in CR3. */
phys_addr_t mmu_current_pgd(void);
/* INVLPG: forgets the page at addr here, and what the paging-structure caches hold on the way to it. */
static inline void mmu_invlpg(unsigned long addr)
{
	__asm__ volatile("invlpg (%0)" : : "r"(addr) : "memory");
}
/* Forgets everything here, global translations too. */
void mmu_flush_global(void);
/* Whether leaves of 1 GiB can be used. */
bool mmu_has_gbpages(void);

/* Zeroes or copies one page of the direct map. */
void clear_page(void *page);
void copy_page(void *to, const void *from);

#endif
