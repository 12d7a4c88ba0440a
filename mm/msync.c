/* SPDX-License-Identifier: MIT */
/*
 * msync(2). Files live in memory and are never behind their mappings, so nothing has to be written;
 * what is left of the call is to say which ranges there are.
 */
#include "kernel/abi/mman.h"
#include "mm/internal.h"

/* => mmap_lock held for reading. */
static int sync_range(struct mm_struct *mm, unsigned long start, unsigned long end, int flags)
{
	int hole = 0;

	while (start < end) {
		struct vm_area_struct *vma = find_vma(mm, start);

		if (!vma)
			return -ENOMEM;
		if (start < vma->vm_start) {
			/* Only a plain MS_ASYNC gives up at a hole. */
			if (flags == MS_ASYNC)
				return -ENOMEM;
			hole = -ENOMEM;
			start = vma->vm_start;
			if (start >= end)
				break;
		}
		if ((flags & MS_INVALIDATE) && (vma->vm_flags & VM_LOCKED))
			return -EBUSY;
		start = vma->vm_end;
	}
	return hole;
}

int vm_msync(unsigned long start, unsigned long len, int flags)
{
	struct mm_struct *mm = current_mm_task()->mm;
	unsigned long end;
	int err;

	if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC))
		return -EINVAL;
	if (start & ~PAGE_MASK)
		return -EINVAL;
	if ((flags & MS_ASYNC) && (flags & MS_SYNC))
		return -EINVAL;
	end = start + ALIGN_UP(len, PAGE_SIZE);
	if (end < start)
		return -ENOMEM;
	if (end == start)
		return 0;
	down_read(&mm->mmap_lock);
	err = sync_range(mm, start, end, flags);
	up_read(&mm->mmap_lock);
	return err;
}
