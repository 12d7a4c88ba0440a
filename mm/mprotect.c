/* SPDX-License-Identifier: MIT */
/* mprotect(2): area by area, cut to the range, then the entries of the pages already there. */
#include "kernel/abi/mman.h"
#include "kernel/abi/personality.h"
#include "mm/internal.h"

/*
 * A private page of its own memory that is nobody else's may be writable again at once: a fault would
 * only find the same out. So may a shared page that is known to be dirty. (A clean one, or one that others
 * have as well, waits for its fault.)
 */
static __always_inline bool can_be_writable(pte_t pte, bool shared)
{
	struct page *page = vm_normal_page(pte);

	return page && pte_dirty(pte) && (shared || page_flag(page, PG_anon_exclusive));
}

/*
 * Where somebody looks for changes (clear_refs.c), a first write has to fault. True when the processor
 * has something to forget. `traced`: the area, if somebody wants to hear of it.
 */
static __always_inline bool change_pte(pte_t *ptep, pgprot_t prot, u64 vm_flags,
				       const struct vm_area_struct *traced, unsigned long addr)
{
	const bool tracked = !(vm_flags & VM_SOFTDIRTY);
	pte_t old = ptep_get(ptep), pte;

	if (!pte_present(old))
		return false;
	old = ptep_get_and_clear(ptep);
	pte = pte_modify(old, prot);
	if ((vm_flags & VM_WRITE) && can_be_writable(pte, vm_flags & VM_SHARED))
		pte = pte_mkwrite(pte);
	if (tracked && !pte_soft_dirty(pte))
		pte = pte_wrprotect(pte);
	set_pte(ptep, pte);
	if (traced)
		trace(PTE_SET, traced->vm_mm, addr, LEVEL_PTE, old.v, pte.v);
	return !pte_same(old, pte);
}

/* `traced` is a constant for the compiler: in its loop, nobody pays who isn't listened to. */
static __always_inline bool change_ptes(const struct vm_area_struct *vma, pte_t *pte,
					unsigned long addr, unsigned long end, bool traced)
{
	const pgprot_t prot = vma->vm_page_prot;
	const u64 vm_flags = vma->vm_flags;
	bool changed = false;

	for (; addr != end; addr += PAGE_SIZE, pte++)
		changed |= change_pte(pte, prot, vm_flags, traced ? vma : NULL, addr);
	return changed;
}

static void change_pmd_range(struct mmu_gather *tlb, struct vm_area_struct *vma, pmd_t *pmd,
			     unsigned long addr, unsigned long end)
{
	spinlock_t *lock = pte_lockptr(pmd);
	pte_t *pte = pte_offset(pmdp_get(pmd), addr);
	bool changed;

	spin_lock(lock);
	if (trace_on(PTE_SET))
		changed = change_ptes(vma, pte, addr, end, true);
	else
		changed = change_ptes(vma, pte, addr, end, false);
	spin_unlock(lock);
	if (changed)
		tlb_remove_range(tlb, addr, end);
}

static void change_protection(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	struct mmu_gather tlb;
	unsigned long addr, next;

	DEBUG_ON(!vma_is_write_locked(vma));
	tlb_gather_mmu(&tlb, vma->vm_mm);
	for (addr = start; addr < end; addr = next) {
		pmd_t *pmd = pmd_lookup(vma->vm_mm->context.pgd, addr);

		next = pmd_addr_end(addr, end);
		if (pmd && pmd_table(pmdp_get(pmd)))
			change_pmd_range(&tlb, vma, pmd, addr, next);
	}
	tlb_finish_mmu(&tlb);
}

/* One area, which [start, end) lies in. */
static int mprotect_fixup(struct vm_area_struct *vma, unsigned long start, unsigned long end,
			  u64 newflags)
{
	struct mm_struct *mm = vma->vm_mm;
	u64 oldflags = vma->vm_flags;
	long pages = (long)((end - start) >> PAGE_SHIFT);
	unsigned long charged = 0;
	int err;

	if (newflags == oldflags)
		return 0;
	if ((newflags & VM_WRITE) && !(oldflags & VM_WRITE)) {
		if (!may_expand_vm(mm, newflags, (unsigned long)pages) &&
		    may_expand_vm(mm, oldflags, (unsigned long)pages))
			return -ENOMEM;
		if (!(oldflags & (VM_ACCOUNT | VM_SHARED | VM_NORESERVE))) {
			charged = (unsigned long)pages;
			if (vm_enough_memory(mm, charged))
				return -ENOMEM;
			newflags |= VM_ACCOUNT;
		}
	}
	err = vma_change_flags(&vma, start, end, newflags);
	if (err) {
		vm_unacct_memory(charged);
		return err;
	}
	vm_stat_account(mm, oldflags, -pages);
	vm_stat_account(mm, newflags, pages);
	vma_set_page_prot(vma);
	change_protection(vma, start, end);
	/* What is locked stays in memory: so the copies that writing would make are made now. */
	if ((oldflags & (VM_WRITE | VM_SHARED | VM_LOCKED)) == VM_LOCKED && (newflags & VM_WRITE))
		populate_vma_page_range(vma, start, end);
	return 0;
}

/* => mmap_lock held for writing; the range is checked. Earlier areas stay changed after a failure. */
static int do_mprotect(struct mm_struct *mm, unsigned long start, unsigned long end,
		       unsigned long prot, unsigned long grows)
{
	const bool read_implies_exec =
		(prot & PROT_READ) && task_has_personality(READ_IMPLIES_EXEC);
	struct vm_area_struct *vma = find_vma(mm, start);
	int err;

	if (!vma)
		return -ENOMEM;
	if (grows & PROT_GROWSDOWN) {
		if (vma->vm_start >= end)
			return -ENOMEM;
		start = vma->vm_start;
		if (!(vma->vm_flags & VM_GROWSDOWN))
			return -EINVAL;
	} else {
		if (vma->vm_start > start)
			return -ENOMEM;
		if (grows & PROT_GROWSUP)
			return -EINVAL;
	}
	for (;;) {
		u64 newflags = (vma->vm_flags & ~(u64)VM_ACCESS_FLAGS) | prot;
		unsigned long stop = min(end, vma->vm_end);

		if (read_implies_exec && (vma->vm_flags & VM_MAYEXEC))
			newflags |= VM_EXEC;
		/* The MAY flags stand four bits above what they permit. */
		if ((newflags & ~(newflags >> 4)) & VM_ACCESS_FLAGS)
			return -EACCES;
		err = mprotect_fixup(vma, start, stop, newflags);
		if (err)
			return err;
		start = stop;
		if (start >= end)
			return 0;
		vma = find_vma(mm, start);
		/* A merge may have left one area on both sides of where we go on. */
		if (!vma || vma->vm_start > start)
			return -ENOMEM;
	}
}

int vm_mprotect(unsigned long addr, unsigned long len, unsigned long prot)
{
	const unsigned long grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
	struct mm_struct *mm = current_mm_task()->mm;
	unsigned long end;
	int err;

	prot &= ~grows;
	if (grows == (PROT_GROWSDOWN | PROT_GROWSUP))
		return -EINVAL;
	if (addr & ~PAGE_MASK)
		return -EINVAL;
	if (!len)
		return 0;
	len = ALIGN_UP(len, PAGE_SIZE);
	end = addr + len;
	if (end <= addr)
		return -ENOMEM;
	if (prot & ~(unsigned long)(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM))
		return -EINVAL;
	mmap_write_lock(mm);
	err = do_mprotect(mm, addr, end, prot & (PROT_READ | PROT_WRITE | PROT_EXEC), grows);
	mmap_write_unlock(mm);
	return err;
}
