/* SPDX-License-Identifier: MIT */
/*
 * munmap(2): cut the areas at both ends, take those between out of list and tree, and then, with
 * nobody able to find them any more, their pages and tables through one gather.
 */
#include "mm/internal.h"

/* The areas from vma on that begin below end, taken out of the mm, still linked by vm_next. */
static struct vm_area_struct *detach_vmas(struct mm_struct *mm, struct vm_area_struct *vma,
					  unsigned long end)
{
	struct vm_area_struct *first = vma, *last;

	do {
		last = vma;
		vma = vma->vm_next;
		vma_unlink(mm, last);
		vm_stat_account(mm, last->vm_flags, -(long)vma_pages(last));
	} while (vma && vma->vm_start < end);
	last->vm_next = NULL;
	return first;
}

/* Pages, then the tables that only they needed, between the neighbours that stay. */
static void unmap_region(struct mm_struct *mm, struct vm_area_struct *first, bool empty,
			 unsigned long floor, unsigned long ceiling)
{
	struct mmu_gather tlb;
	struct vm_area_struct *vma;
	unsigned long end = 0;

	update_hiwater_rss(mm);
	tlb_gather_mmu(&tlb, mm);
	for (vma = first; vma; vma = vma->vm_next) {
		if (!empty)
			unmap_page_range(&tlb, vma, vma->vm_start, vma->vm_end);
		end = vma->vm_end;
	}
	/* Who truncates a file, or comes from a page, walks the tables of all areas that he finds. */
	for (vma = first; vma; vma = vma->vm_next) {
		vma_unlink_file(vma);
		unlink_anon_vmas(vma);
	}
	free_pgtables(&tlb, first->vm_start, end, floor, ceiling);
	tlb_finish_mmu(&tlb);
}

void unmap_new_area(struct mm_struct *mm, struct vm_area_struct *vma, struct vm_area_struct *prev)
{
	struct vm_area_struct *next = prev ? prev->vm_next : mm->mmap;
	struct mmu_gather tlb;

	tlb_gather_mmu(&tlb, mm);
	unmap_page_range(&tlb, vma, vma->vm_start, vma->vm_end);
	free_pgtables(&tlb, vma->vm_start, vma->vm_end, prev ? prev->vm_end : 0,
		      next ? next->vm_start : 0);
	tlb_finish_mmu(&tlb);
}

static void remove_vma_list(struct vm_area_struct *vma)
{
	while (vma) {
		struct vm_area_struct *next = vma->vm_next;

		if (vma->vm_flags & VM_ACCOUNT)
			vm_unacct_memory(vma_pages(vma));
		remove_vma(vma);
		vma = next;
	}
}

/* Cuts what reaches into [start, end) from outside. *vma becomes the first area inside. */
static int split_ends(struct mm_struct *mm, struct vm_area_struct **vma, unsigned long start,
		      unsigned long end)
{
	struct vm_area_struct *last;
	int err;

	if ((*vma)->vm_start < start) {
		/* Only a hole in the middle makes one area more. */
		if (end < (*vma)->vm_end && mm->map_count >= sysctl_max_map_count)
			return -ENOMEM;
		err = __split_vma(mm, *vma, start, false);
		if (err)
			return err;
		*vma = (*vma)->vm_next;
	}
	last = end <= (*vma)->vm_end ? *vma : find_vma(mm, end - 1);
	if (last && last->vm_start < end && end < last->vm_end) {
		err = __split_vma(mm, last, end, true);
		if (err)
			return err;
		if (*vma == last)
			*vma = last->vm_prev;
	}
	return 0;
}

#define MUNMAP_DOWNGRADE BIT(0) /* finish with mmap_lock held for reading only, and return 1 then */
#define MUNMAP_EMPTY	 BIT(1) /* no entry in the range maps anything */

static int __do_munmap(struct mm_struct *mm, unsigned long start, unsigned long len,
		       unsigned int how)
{
	struct vm_area_struct *vma, *prev, *next;
	unsigned long end, floor, ceiling;
	bool downgrade = how & MUNMAP_DOWNGRADE;
	int err;

	if ((start & ~PAGE_MASK) || start > TASK_SIZE || len > TASK_SIZE - start)
		return -EINVAL;
	len = ALIGN_UP(len, PAGE_SIZE);
	if (!len)
		return -EINVAL;
	end = start + len;
	vma = find_vma_intersection(mm, start, end);
	if (!vma)
		return 0;
	err = split_ends(mm, &vma, start, end);
	if (err)
		return err;
	prev = vma->vm_prev;
	vma = detach_vmas(mm, vma, end);
	next = prev ? prev->vm_next : mm->mmap;
	floor = prev ? prev->vm_end : 0;
	ceiling = next ? next->vm_start : 0;
	/* A stack next door could grow into the tables we free, or we could free the tables it made. */
	if ((next && (next->vm_flags & VM_GROWSDOWN)) || (prev && (prev->vm_flags & VM_GROWSDOWN)))
		downgrade = false;
	if (downgrade)
		mmap_write_downgrade(mm);
	unmap_region(mm, vma, how & MUNMAP_EMPTY, floor, ceiling);
	remove_vma_list(vma);
	return downgrade;
}

int do_munmap(struct mm_struct *mm, unsigned long addr, unsigned long len)
{
	return __do_munmap(mm, addr, len, 0);
}

int do_munmap_empty(struct mm_struct *mm, unsigned long addr, unsigned long len)
{
	return __do_munmap(mm, addr, len, MUNMAP_EMPTY);
}

int vm_munmap(unsigned long addr, unsigned long len)
{
	struct mm_struct *mm = current_mm_task()->mm;
	int ret;

	mmap_write_lock(mm);
	ret = __do_munmap(mm, addr, len, MUNMAP_DOWNGRADE);
	if (ret == 1) {
		up_read(&mm->mmap_lock);
		return 0;
	}
	mmap_write_unlock(mm);
	return ret;
}
