/* SPDX-License-Identifier: MIT */
/*
 * mlock(2) and its family. Locking is a property of areas (VM_LOCKED, and VM_LOCKONFAULT where pages
 * are only to stay once they came by themselves); locked_vm counts the pages of such areas, there or
 * not. First the areas are flagged, then, with the lock dropped, their pages are brought in.
 */
#include "kernel/abi/mman.h"
#include "mm/internal.h"

/* Areas that are never locked: what is behind them stays anyway, or isn't memory. */
static bool cannot_lock(const struct vm_area_struct *vma)
{
	return vma->vm_flags & (VM_SPECIAL | VM_HUGETLB);
}

/* One area's part [start, end). *vmap is the area that holds it afterwards. */
static int mlock_fixup(struct vm_area_struct **vmap, unsigned long start, unsigned long end,
		       u64 lock_flags)
{
	struct vm_area_struct *vma = *vmap;
	struct mm_struct *mm = vma->vm_mm;
	u64 old = vma->vm_flags, new = (old & ~(u64)VM_LOCKED_MASK) | lock_flags;
	long pages = (long)((end - start) >> PAGE_SHIFT);
	int err;

	if (new == old || cannot_lock(vma))
		return 0;
	err = vma_change_flags(vmap, start, end, new);
	if (err)
		return err;
	vm_stat_account(mm, old, -pages);
	vm_stat_account(mm, new, pages);
	return 0;
}

/* => mmap_lock held for writing. Earlier areas stay changed when a later one can't be. */
static int __no_stack_protector apply_lock_flags(struct mm_struct *mm, unsigned long start,
						 unsigned long len, u64 flags)
{
	unsigned long end = start + len, stop;
	struct vm_area_struct *vma;
	int err;

	if (end < start)
		return -EINVAL;
	if (end == start)
		return 0;
	vma = find_vma(mm, start);
	if (!vma || vma->vm_start > start)
		return -ENOMEM;
	for (;;) {
		stop = min(vma->vm_end, end);
		err = mlock_fixup(&vma, start, stop, flags);
		if (err || stop == end)
			return err;
		start = stop;
		vma = find_vma(mm, start);
		if (!vma || vma->vm_start > start)
			return -ENOMEM;
	}
}

/* Pages of [start, start + len) that are locked already: they are not counted twice. */
static unsigned long count_locked(struct mm_struct *mm, unsigned long start, unsigned long len)
{
	unsigned long end = start + len < start ? ~0UL : start + len, pages = 0;
	struct vm_area_struct *vma = find_vma_intersection(mm, start, end);

	for (; vma && vma->vm_start < end; vma = vma->vm_next)
		if (vma->vm_flags & VM_LOCKED)
			pages += (min(end, vma->vm_end) - max(start, vma->vm_start)) >> PAGE_SHIFT;
	return pages;
}

static bool within_limit(struct mm_struct *mm, unsigned long start, unsigned long len)
{
	unsigned long limit = task_rlimit(MM_RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	unsigned long locked = (len >> PAGE_SHIFT) + mm->locked_vm;

	if (locked <= limit || task_capable(CAP_IPC_LOCK))
		return true;
	return locked - count_locked(mm, start, len) <= limit;
}

int vm_mlock(unsigned long start, unsigned long len, int flags)
{
	struct mm_struct *mm = current_mm_task()->mm;
	u64 lock_flags = VM_LOCKED;
	int err = -ENOMEM;

	if (flags & ~MLOCK_ONFAULT)
		return -EINVAL;
	if (flags & MLOCK_ONFAULT)
		lock_flags |= VM_LOCKONFAULT;
	if (!can_do_mlock())
		return -EPERM;
	len = ALIGN_UP(len + (start & ~PAGE_MASK), PAGE_SIZE);
	start &= PAGE_MASK;

	mmap_write_lock(mm);
	if (within_limit(mm, start, len))
		err = apply_lock_flags(mm, start, len, lock_flags);
	mmap_write_unlock(mm);
	if (err)
		return err;
	err = __mm_populate(mm, start, len, false);
	/* What POSIX calls them: mlock(2). */
	return err == -EFAULT ? -ENOMEM : err == -ENOMEM ? -EAGAIN : err;
}

int vm_munlock(unsigned long start, unsigned long len)
{
	struct mm_struct *mm = current_mm_task()->mm;
	int err;

	len = ALIGN_UP(len + (start & ~PAGE_MASK), PAGE_SIZE);
	start &= PAGE_MASK;
	mmap_write_lock(mm);
	err = apply_lock_flags(mm, start, len, 0);
	mmap_write_unlock(mm);
	return err;
}

static u64 mcl_lock_flags(int flags)
{
	return VM_LOCKED | (flags & MCL_ONFAULT ? VM_LOCKONFAULT : 0);
}

/* => mmap_lock held for writing. What an area refuses is passed over. */
static void apply_mlockall_flags(struct mm_struct *mm, int flags)
{
	u64 lock_flags = flags & MCL_CURRENT ? mcl_lock_flags(flags) : 0;
	struct vm_area_struct *vma;
	unsigned long addr = 0;

	mm->def_flags &= ~(u64)VM_LOCKED_MASK;
	if (flags & MCL_FUTURE)
		mm->def_flags |= mcl_lock_flags(flags);
	if ((flags & MCL_FUTURE) && !(flags & MCL_CURRENT))
		return;
	while ((vma = find_vma(mm, addr))) {
		addr = vma->vm_end;
		mlock_fixup(&vma, vma->vm_start, vma->vm_end, lock_flags);
	}
}

int vm_mlockall(int flags)
{
	struct mm_struct *mm = current_mm_task()->mm;
	unsigned long limit;
	int err = -ENOMEM;

	if (!flags || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) || flags == MCL_ONFAULT)
		return -EINVAL;
	if (!can_do_mlock())
		return -EPERM;
	limit = task_rlimit(MM_RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	mmap_write_lock(mm);
	if (!(flags & MCL_CURRENT) || mm->total_vm <= limit || task_capable(CAP_IPC_LOCK)) {
		apply_mlockall_flags(mm, flags);
		err = 0;
	}
	mmap_write_unlock(mm);
	if (!err && (flags & MCL_CURRENT))
		mm_populate(mm, 0, TASK_SIZE);
	return err;
}

int vm_munlockall(void)
{
	struct mm_struct *mm = current_mm_task()->mm;

	mmap_write_lock(mm);
	apply_mlockall_flags(mm, 0);
	mmap_write_unlock(mm);
	return 0;
}
