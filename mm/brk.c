/* SPDX-License-Identifier: MIT */
/* brk(2): the heap is one area of anonymous memory from start_brk to brk. */
#include "kernel/abi/mman.h"
#include "kernel/abi/personality.h"
#include "mm/internal.h"

#define HEAP_FLAGS (VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC)

/* A heap area that ends where the new memory begins, of the same kind and not from before a fork. */
static bool can_extend(const struct vm_area_struct *heap, unsigned long addr, u64 vm_flags)
{
	if (heap && (heap->vm_file || heap->vm_ops ||
		     heap->vm_pgoff + vma_pages(heap) != addr >> PAGE_SHIFT))
		return false;
	if (!heap || heap->vm_end != addr || (heap->vm_flags & ~(u64)VM_SOFTDIRTY) != vm_flags)
		return false;
	return !heap->anon_vma || list_is_singular(&heap->anon_vma_chain);
}

/* `heap`: the area that may be extended, or NULL. */
static int add_memory(struct mm_struct *mm, struct vm_area_struct *heap, unsigned long addr,
		      unsigned long len, u64 vm_flags)
{
	unsigned long pages = len >> PAGE_SHIFT;
	struct vm_area_struct *vma;
	struct vma_place place;

	vm_flags |= HEAP_FLAGS | VM_ACCOUNT | mm->def_flags;
	if (task_has_personality(READ_IMPLIES_EXEC))
		vm_flags |= VM_EXEC;
	if (find_vma_links(mm, addr, addr + len, &place))
		return -ENOMEM;
	if (!may_expand_vm(mm, vm_flags, pages) || mm->map_count > sysctl_max_map_count)
		return -ENOMEM;
	if (vm_enough_memory(mm, pages))
		return -ENOMEM;
	if (can_extend(heap, addr, vm_flags)) {
		vma_set_range(heap, heap->vm_start, addr + len);
		vm_flags_reset(heap, heap->vm_flags | VM_SOFTDIRTY);
		validate_change(mm, heap);
	} else {
		vma = vm_area_alloc(mm, addr, addr + len);
		if (!vma) {
			vm_unacct_memory(pages);
			return -ENOMEM;
		}
		vma->vm_flags = vm_flags | VM_SOFTDIRTY;
		vma->vm_page_prot = vm_get_page_prot(vm_flags);
		vma->vm_pgoff = addr >> PAGE_SHIFT;
		vma_link(mm, vma, &place);
	}
	vm_stat_account(mm, vm_flags, (long)pages);
	return 0;
}

int do_brk_flags(struct mm_struct *mm, unsigned long addr, unsigned long len, u64 vm_flags)
{
	return add_memory(mm, NULL, addr, len, vm_flags);
}

/* => mmap_lock held for writing; both page-aligned, newbrk above. */
static bool grow_brk(struct mm_struct *mm, unsigned long oldbrk, unsigned long newbrk)
{
	struct vm_area_struct *next = find_vma(mm, oldbrk), *heap;
	unsigned long len = newbrk - oldbrk;

	if (get_unmapped_area(mm, NULL, oldbrk, len, 0, MAP_FIXED) & ~PAGE_MASK)
		return false;
	if (mlock_future_check(mm, mm->def_flags, len))
		return false;
	/* One page stays free above the heap, and a stack's guard gap. */
	if (next && newbrk + PAGE_SIZE > vm_start_gap(next))
		return false;
	/* The program's bss may end where the heap begins; it isn't the heap. */
	heap = find_vma(mm, oldbrk - 1);
	if (heap && heap->vm_end <= mm->start_brk)
		heap = NULL;
	return add_memory(mm, heap, oldbrk, len, 0) == 0;
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

	if (brk < mm->start_brk || brk_over_limit(mm, brk))
		return false;
	if (newbrk == oldbrk)
		return true;
	if (brk <= mm->brk)
		return find_vma_intersection(mm, newbrk, oldbrk) &&
		       !do_munmap(mm, newbrk, oldbrk - newbrk);
	return newbrk > oldbrk && grow_brk(mm, oldbrk, newbrk);
}

unsigned long vm_brk(unsigned long brk)
{
	struct mm_struct *mm = current_mm_task()->mm;
	unsigned long old, ret;
	bool populate = false;

	mmap_write_lock(mm);
	old = ALIGN_UP(mm->brk, PAGE_SIZE);
	if (move_brk(mm, brk)) {
		mm->brk = brk;
		populate = ALIGN_UP(brk, PAGE_SIZE) > old && (mm->def_flags & VM_LOCKED);
	}
	ret = mm->brk;
	mmap_write_unlock(mm);
	if (populate)
		mm_populate(mm, old, ALIGN_UP(brk, PAGE_SIZE) - old);
	return ret;
}
