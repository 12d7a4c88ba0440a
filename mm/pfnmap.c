/* SPDX-License-Identifier: MIT */
/*
 * Frames that have no struct page, or one that nobody counts: device memory. Their entries are marked
 * special, so that every walker passes them over:
 *
 *	                 struct page   counted   goes away when unmapped
 *	anonymous, file      yes         yes     with the last reference
 *	special              no          no      never: it is the driver's
 *
 * An area that holds such entries is VM_PFNMAP. In a private one a write makes a copy, which is anonymous
 * memory like any other (cow.c); so such an area can hold both kinds, and the mark tells them apart.
 */
#include "kernel/sched/sched.h"
#include "mm/internal.h"
#include "mm/mapping.h"

/* Without a fault operation: all there will ever be in the area is mapped already. */
static const struct vm_operations_struct no_more = { .fault = NULL };

/* --- at once, by a driver's mmap ------------------------------------------------------------------- */

/* What lies in one page table. => mmap_lock held for writing */
static int remap_pte_range(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, unsigned long end,
			   pfn_t pfn, pgprot_t prot)
{
	spinlock_t *lock;
	pte_t *pte;

	if (pte_alloc(mm, pmd, addr))
		return -ENOMEM;
	pte = pte_offset(pmdp_get(pmd), addr);
	lock = pte_lockptr(pmd);
	spin_lock(lock);
	for (; addr != end; addr += PAGE_SIZE, pte++, pfn.v++) {
		BUG_ON(!pte_none(ptep_get(pte)));
		set_pte(pte, pte_mkspecial(pfn_pte(pfn, prot)));
		trace(PTE_SET, mm, addr, LEVEL_PTE, 0, pte->v);
	}
	spin_unlock(lock);
	return 0;
}

static int remap_range(struct mm_struct *mm, unsigned long start, unsigned long end, pfn_t pfn,
		       pgprot_t prot)
{
	unsigned long addr, next;

	for (addr = start; addr != end; addr = next) {
		pmd_t *pmd = pmd_alloc(mm, addr);
		int err;

		next = pmd_addr_end(addr, end);
		if (!pmd)
			return -ENOMEM;
		err = remap_pte_range(mm, pmd, addr, next, pfn, prot);
		if (err)
			return err;
		pfn.v += (next - addr) >> PAGE_SHIFT;
		cond_resched();
	}
	return 0;
}

int remap_pfn_range(struct vm_area_struct *vma, unsigned long addr, pfn_t pfn, unsigned long size,
		    pgprot_t prot)
{
	const unsigned long end = addr + ALIGN_UP(size, PAGE_SIZE);
	int err;

	if ((addr & ~PAGE_MASK) || addr >= end || addr < vma->vm_start || end > vma->vm_end)
		return -EINVAL;
	if (is_cow_mapping(vma->vm_flags)) {
		if (addr != vma->vm_start || end != vma->vm_end)
			return -EINVAL;
		vma->vm_pgoff = pfn.v;
	}
	vma->vm_flags |= VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;
	if (!vma->vm_ops)
		vma->vm_ops = &no_more; /* or what isn't mapped would be anonymous memory */
	err = remap_range(vma->vm_mm, addr, end, pfn, prot);
	if (err)
		zap_page_range(vma, addr, end);
	return err;
}

/* --- one by one, by a fault operation --------------------------------------------------------------- */

unsigned int vmf_insert_pfn(struct vm_area_struct *vma, unsigned long addr, pfn_t pfn)
{
	struct mm_struct *mm = vma->vm_mm;
	pmd_t *pmd = pmd_alloc(mm, addr);
	pte_t pte = pte_mkspecial(pte_mkyoung(pfn_pte(pfn, vma->vm_page_prot)));
	spinlock_t *lock;
	pte_t *ptep;

	BUG_ON(!(vma->vm_flags & VM_PFNMAP) || is_cow_mapping(vma->vm_flags));
	BUG_ON(addr < vma->vm_start || addr >= vma->vm_end);
	note_fault_step(STEP_MAP_DEVICE);
	if (!pmd || pte_alloc(mm, pmd, addr))
		return VM_FAULT_OOM;
	if (!(vma->vm_flags & VM_SOFTDIRTY))
		pte = pte_wrprotect(pte); /* somebody wants to see the first write */
	lock = pte_lockptr(pmd);
	spin_lock(lock);
	ptep = pte_offset(pmdp_get(pmd), addr);
	/* Two threads may fault on one page: it is the same frame for both. */
	if (pte_none(ptep_get(ptep))) {
		set_pte(ptep, pte);
		trace(PTE_SET, mm, addr, LEVEL_PTE, 0, pte.v);
	}
	spin_unlock(lock);
	return VM_FAULT_NOPAGE;
}

/* --- copies ----------------------------------------------------------------------------------------- */

bool copy_special_page(struct page *to, pte_t pte)
{
	const phys_addr_t phys = pfn_to_phys(pte_pfn(pte));
	void *from;

	/* Of RAM the direct map shows every byte; anything else is mapped for the moment. */
	if (memblock_is_ram(phys.v)) {
		copy_page(page_address(to), phys_to_virt(phys));
		return true;
	}
	from = ioremap(phys.v, PAGE_SIZE, pte.v & _PAGE_CACHE_MASK);
	if (!from)
		return false;
	copy_page(page_address(to), from);
	iounmap(from);
	return true;
}
