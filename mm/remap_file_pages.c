/* SPDX-License-Identifier: MIT */
/*
 * remap_file_pages(2): shows other pages of a file in part of a shared area. Once that changed page
 * tables alone; since Linux 4.0 it is what it is here, a mapping at a fixed place, in an area of its
 * own.
 */
#include "kernel/abi/mman.h"
#include "mm/calls.h"
#include "mm/internal.h"

/* Whether areas of the same file and with the same flags reach from vma to `end` without a hole. */
static bool reaches(const struct vm_area_struct *vma, unsigned long end)
{
	const struct vm_area_struct *next;

	for (; vma->vm_end < end; vma = next) {
		next = vma->vm_next;
		if (!next || next->vm_start != vma->vm_end || next->vm_file != vma->vm_file ||
		    next->vm_flags != vma->vm_flags)
			return false;
	}
	return true;
}

/* => mmap_lock held for writing. The address or -errno. */
static unsigned long remap(struct mm_struct *mm, unsigned long start, unsigned long size,
			   unsigned long pgoff, unsigned long flags)
{
	const struct vm_area_struct *vma = find_vma(mm, start);
	struct vm_file *file;
	unsigned long prot, addr;

	if (!vma || vma->vm_start > start || !(vma->vm_flags & VM_SHARED) ||
	    !reaches(vma, start + size))
		return (unsigned long)-EINVAL;
	/* The VM_ flags are the PROT_ ones. */
	prot = vma->vm_flags & (PROT_READ | PROT_WRITE | PROT_EXEC);
	if (vma->vm_flags & VM_LOCKED)
		flags |= MAP_LOCKED;
	/* The last area of the file may be just the one that goes. */
	file = vma->vm_file;
	file->vm_fops->get(file);
	addr = do_mmap(mm, file, start, size, prot, flags, pgoff);
	file->vm_fops->put(file);
	return addr;
}

int vm_remap_file_pages(unsigned long start, unsigned long size, unsigned long prot,
			unsigned long pgoff, unsigned long flags)
{
	struct mm_struct *mm = current_mm_task()->mm;
	bool populate = !(flags & MAP_NONBLOCK);
	unsigned long addr;

	if (prot)
		return -EINVAL;
	start &= PAGE_MASK;
	size &= PAGE_MASK;
	if (start + size <= start || pgoff + (size >> PAGE_SHIFT) < pgoff)
		return -EINVAL;
	mmap_write_lock(mm);
	flags = MAP_SHARED | MAP_FIXED | (flags & MAP_NONBLOCK);
	addr = remap(mm, start, size, pgoff, flags);
	if (!IS_ERR_VALUE(addr))
		populate |= find_vma(mm, addr)->vm_flags & VM_LOCKED;
	mmap_write_unlock(mm);
	if (IS_ERR_VALUE(addr))
		return (int)addr;
	if (populate)
		mm_populate(mm, addr, size);
	return 0;
}
