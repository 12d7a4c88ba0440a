/* SPDX-License-Identifier: MIT */
/*
 * msync(2). A file is never behind its mappings: both are the same pages. But it may be ahead of what is
 * stored of it. MS_SYNC brings the part that shared areas show to where it stays; MS_ASYNC has nothing
 * to do, since what is dirty is known to be, and is written some day.
 */
#include "kernel/abi/mman.h"
#include "mm/internal.h"

/*
 * The part of an area's file that [start, end) shows. Without mmap_lock, which is dropped and taken again:
 * writing may take long, and takes the file's locks, inside of which mmap_lock nests. 0 or -errno.
 */
static int sync_area(const struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	const u64 from = (u64)linear_page_index(vma, start) << PAGE_SHIFT;
	struct mm_struct *mm = vma->vm_mm;
	struct vm_file *file = vma->vm_file;
	int err;

	if (!file || !(vma->vm_flags & VM_SHARED) || !file->vm_fops->fsync)
		return 0;
	file->vm_fops->get(file);
	up_read(&mm->mmap_lock);
	err = file->vm_fops->fsync(file, from, from + (end - start) - 1);
	file->vm_fops->put(file);
	down_read(&mm->mmap_lock);
	return err;
}

/* => mmap_lock held for reading; dropped meanwhile with MS_SYNC */
static int sync_range(struct mm_struct *mm, unsigned long start, unsigned long end, int flags)
{
	int hole = 0;

	while (start < end) {
		struct vm_area_struct *vma = find_vma(mm, start);
		unsigned long stop;
		int err;

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
		stop = min(end, vma->vm_end);
		err = flags & MS_SYNC ? sync_area(vma, start, stop) : 0;
		if (err)
			return err;
		start = stop;
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
