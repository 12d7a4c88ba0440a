/* SPDX-License-Identifier: MIT */
/* brk(2): the heap is one area of anonymous memory from start_brk to brk. */
#include "kernel/abi/mman.h"
#include "mm/internal.h"

#define HEAP_FLAGS (VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC)

/* An area that ends where the new memory begins and is of the same kind simply grows. */
static bool brk_expand(struct mm_struct *mm, unsigned long addr, unsigned long len, u64 vm_flags)
{
	struct vm_area_struct *vma = addr ? find_vma(mm, addr - 1) : NULL;

	if (!vma || vma->vm_end != addr || vma->vm_file || vma->vm_ops ||
	    (vma->vm_flags & ~(u64)VM_SOFTDIRTY) != vm_flags)
		return false;
	vma_set_range(vma, vma->vm_start, addr + len);
	validate_mm(mm);
	return true;
}

int do_brk_flags(struct mm_struct *mm, unsigned long addr, unsigned long len, u64 vm_flags)
{
	unsigned long pages = len >> PAGE_SHIFT;
	struct vm_area_struct *vma;
	struct vma_place place;

	vm_flags |= HEAP_FLAGS | VM_ACCOUNT | mm->def_flags;
	if (find_vma_links(mm, addr, addr + len, &place))
		return -ENOMEM;
	if (!may_expand_vm(mm, vm_flags, pages) || mm->map_count > (int)sysctl_max_map_count)
		return -ENOMEM;
	if (vm_enough_memory(pages))
		return -ENOMEM;
	if (!brk_expand(mm, addr, len, vm_flags)) {
		vma = vm_area_alloc(mm, addr, addr + len);
		if (!vma) {
			vm_unacct_memory(pages);
			return -ENOMEM;
		}
		vma->vm_flags = vm_flags;
		vma->vm_page_prot = vm_get_page_prot(vm_flags);
		vma->vm_pgoff = addr >> PAGE_SHIFT;
		vma_link(mm, vma, &place);
	}
	vm_stat_account(mm, vm_flags, (long)pages);
	return 0;
}

/* => mmap_lock held for writing. Whether the break may move from oldbrk up to newbrk (page-aligned). */
static bool brk_has_room(struct mm_struct *mm, unsigned long oldbrk, unsigned long newbrk)
{
	struct vm_area_struct *next = find_vma(mm, oldbrk);

	if (newbrk > TASK_SIZE - PAGE_SIZE)
		return false;
	/* One page stays free above the heap, or a stack's guard gap. */
	return !next || newbrk + PAGE_SIZE <= vm_start_gap(next);
}

static bool brk_over_limit(const struct mm_struct *mm, unsigned long brk)
{
	unsigned long limit = task_rlimit(MM_RLIMIT_DATA);

	return limit != MM_RLIM_INFINITY &&
	       (brk - mm->start_brk) + (mm->end_data - mm->start_data) > limit;
}

/* => mmap_lock held for writing. True when the break may be set to brk. */
static bool move_brk(struct mm_struct *mm, unsigned long brk)
{
	unsigned long newbrk = ALIGN_UP(brk, PAGE_SIZE), oldbrk = ALIGN_UP(mm->brk, PAGE_SIZE);

	if (brk < mm->start_brk || newbrk < brk || brk_over_limit(mm, brk))
		return false;
	if (newbrk == oldbrk)
		return true;
	if (newbrk < oldbrk)
		return find_vma_intersection(mm, newbrk, oldbrk) &&
		       !do_munmap(mm, newbrk, oldbrk - newbrk);
	return brk_has_room(mm, oldbrk, newbrk) && !do_brk_flags(mm, oldbrk, newbrk - oldbrk, 0);
}

unsigned long vm_brk(unsigned long brk)
{
	struct mm_struct *mm = current_mm_task()->mm;

	down_write(&mm->mmap_lock);
	if (move_brk(mm, brk))
		mm->brk = brk;
	brk = mm->brk;
	up_write(&mm->mmap_lock);
	return brk;
}
