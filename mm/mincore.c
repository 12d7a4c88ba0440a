/* SPDX-License-Identifier: MIT */
/* mincore(2): which pages are in memory, one byte a page, by the generic walker. */
#include <arch/uaccess.h>

#include "kernel/base/string.h"
#include "mm/internal.h"

struct mincore {
	struct vm_area_struct *vma;
	u8 *vec; /* the byte of the next page */
};

/* Nothing is mapped there; a file's page may be in memory all the same. */
static int mincore_hole(unsigned long addr, unsigned long next, int level, struct mm_walk *walk)
{
	struct mincore *m = walk->private;
	struct vm_file *file = m->vma->vm_file;

	for (; addr != next; addr += PAGE_SIZE) {
		struct page *page = NULL;

		if (file && file->mapping)
			page = find_get_page(file->mapping, linear_page_index(m->vma, addr));
		*m->vec++ = page && page_flag(page, PG_uptodate);
		if (page)
			put_page(page);
	}
	return 0;
}

static int mincore_pte(pte_t *ptep, unsigned long addr, unsigned long next, struct mm_walk *walk)
{
	struct mincore *m = walk->private;
	pte_t pte = ptep_get(ptep);

	/* While another thread's fault makes a copy, there is no entry for a moment. */
	if (pte_none(pte)) {
		spin_lock(walk->ptl);
		pte = ptep_get(ptep);
		spin_unlock(walk->ptl);
	}
	if (pte_none(pte))
		return mincore_hole(addr, next, 1, walk);
	*m->vec++ = pte_present(pte);
	return 0;
}

static const struct mm_walk_ops mincore_ops = { .pte = mincore_pte, .hole = mincore_hole };

/* Of a file that one may not write, others' use is nobody's business: all pages are "there". */
static bool may_know(const struct vm_area_struct *vma)
{
	const struct vm_file *file = vma->vm_file;

	if (vma_is_anonymous(vma))
		return true;
	return file && (file->vm_mode & (VM_FILE_WRITE | VM_FILE_OWNER));
}

/* => mmap_lock held. Fills vec for the pages of the first area in the range: how many, or -ENOMEM. */
static long mincore_area(struct mm_struct *mm, unsigned long addr, unsigned long pages, u8 *vec)
{
	struct vm_area_struct *vma = find_vma(mm, addr);
	struct mincore m = { .vma = vma, .vec = vec };
	unsigned long end;

	if (!vma || vma->vm_start > addr)
		return -ENOMEM;
	end = min(vma->vm_end, addr + (pages << PAGE_SHIFT));
	if (!may_know(vma))
		memset(vec, 1, (end - addr) >> PAGE_SHIFT);
	else if (vma->vm_flags & VM_PFNMAP)
		memset(vec, 0, (end - addr) >> PAGE_SHIFT); /* not in memory: elsewhere */
	else
		walk_page_range(mm->context.pgd, addr, end, &mincore_ops, &m);
	return (long)((end - addr) >> PAGE_SHIFT);
}

int vm_mincore(unsigned long start, unsigned long len, u8 __user *vec)
{
	struct mm_struct *mm = current_mm_task()->mm;
	unsigned long pages = (len >> PAGE_SHIFT) + !!(len & ~PAGE_MASK);
	u8 *buf;
	long n = 0;

	if (start & ~PAGE_MASK)
		return -EINVAL;
	if (!access_ok(start, len))
		return -ENOMEM;
	if (!access_ok((unsigned long)vec, pages))
		return -EFAULT;
	buf = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!buf)
		return -EAGAIN;
	while (pages > 0) {
		down_read(&mm->mmap_lock);
		n = mincore_area(mm, start, min(pages, PAGE_SIZE), buf);
		up_read(&mm->mmap_lock);
		if (n <= 0)
			break;
		if (copy_to_user(vec, buf, (unsigned long)n)) {
			n = -EFAULT;
			break;
		}
		pages -= (unsigned long)n;
		vec += n;
		start += (unsigned long)n << PAGE_SHIFT;
		n = 0;
	}
	kfree(buf);
	return (int)n;
}
