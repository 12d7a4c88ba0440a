/* SPDX-License-Identifier: MIT */
/* Pages of an address space that isn't running: to read and write another program's memory. */
#include "mm/internal.h"

#include "kernel/base/string.h"

/* The page mapped at addr with a reference, or NULL when it isn't there (writable, if `write`). */
static struct page *follow_page(struct mm_struct *mm, unsigned long addr, bool write)
{
	pmd_t *pmd = pmd_lookup(mm->pgd, addr);
	struct page *page = NULL;
	spinlock_t *lock;
	pte_t pte;

	if (!pmd || !pmd_table(pmdp_get(pmd)))
		return NULL;
	lock = pte_lockptr(mm, pmd);
	spin_lock(lock);
	pte = ptep_get(pte_offset(pmdp_get(pmd), addr));
	if (pte_present(pte) && (!write || pte_write(pte))) {
		page = pfn_to_page(pte_pfn(pte));
		get_page(page);
	}
	spin_unlock(lock);
	return page;
}

/* => mmap_lock held for writing, so that a stack may grow. */
static struct page *get_user_page(struct mm_struct *mm, unsigned long addr, bool write)
{
	struct vm_area_struct *vma = find_vma(mm, addr);
	struct page *page;

	if (!vma ||
	    (vma->vm_start > addr && (!(vma->vm_flags & VM_GROWSDOWN) || expand_stack(vma, addr))))
		return NULL;
	if (!(vma->vm_flags & (write ? VM_WRITE : VM_ACCESS_FLAGS)))
		return NULL;
	while (!(page = follow_page(mm, addr, write))) {
		unsigned int flags = write ? FAULT_FLAG_WRITE : 0;

		if (handle_mm_fault(vma, addr, flags) & VM_FAULT_ERROR)
			return NULL;
	}
	return page;
}

size_t access_remote_vm(struct mm_struct *mm, unsigned long addr, void *buf, size_t len, bool write)
{
	size_t done = 0;

	down_write(&mm->mmap_lock);
	while (done < len) {
		unsigned long offset = (addr + done) & ~PAGE_MASK;
		size_t n = min(len - done, PAGE_SIZE - offset);
		struct page *page = get_user_page(mm, addr + done, write);
		char *mem;

		if (!page)
			break;
		mem = (char *)page_address(page) + offset;
		if (write)
			memcpy(mem, (char *)buf + done, n);
		else
			memcpy((char *)buf + done, mem, n);
		put_page(page);
		done += n;
	}
	up_write(&mm->mmap_lock);
	return done;
}
