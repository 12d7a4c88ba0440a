/* SPDX-License-Identifier: MIT */
/*
 * The plan of a program's address space:
 *
 *	0x400000        the program (or from 2/3 up, when it is position-independent), then its heap
 *	...
 *	mmap_base       areas grow down from here
 *	  gap           what the stack may grow into: its limit, at least 128 MiB
 *	0x7ffffffff000  the stack, from TASK_SIZE down
 */
#include "kernel/abi/personality.h"
#include "kernel/base/cmdline.h"
#include "mm/internal.h"

int sysctl_randomize_va_space = 2;

void layout_init(void)
{
	if (cmdline_has("norandmaps"))
		sysctl_randomize_va_space = 0;
}

#define GAP_MIN (128UL << 20)
#define GAP_MAX (TASK_SIZE / 6 * 5)

void arch_pick_mmap_layout(struct mm_struct *mm, unsigned long stack_rlimit, unsigned long random,
			   unsigned long stack_random)
{
	unsigned long gap = stack_rlimit;
	/* Room for the guard gap and for how far down the stack's own start was moved. */
	unsigned long pad = (STACK_GUARD_GAP_PAGES << PAGE_SHIFT) + stack_random;

	if (gap + pad > gap)
		gap += pad;
	gap = max(gap, GAP_MIN);
	gap = min(gap, GAP_MAX);
	mm->mmap_base = ALIGN_UP(TASK_SIZE - gap - random, PAGE_SIZE);
	mm->mmap_legacy_base = ALIGN_UP(TASK_SIZE / 3, PAGE_SIZE) + random;
	mm->mmap_low32_shift = random & 0x1fff000;
	/* The old way, from a third of the space upward, for who asks for it. */
	if (sysctl_legacy_va_layout || task_has_personality(ADDR_COMPAT_LAYOUT)) {
		mm->mmap_base = mm->mmap_legacy_base;
		mm->get_unmapped_area = arch_get_unmapped_area;
	} else {
		mm->get_unmapped_area = arch_get_unmapped_area_topdown;
	}
}

#define STACK_FLAGS \
	(VM_READ | VM_WRITE | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC | VM_GROWSDOWN | VM_ACCOUNT)

int mm_setup_stack(struct mm_struct *mm, unsigned long top, u64 extra_flags)
{
	struct vm_area_struct *vma = vm_area_alloc(mm, top - PAGE_SIZE, top);
	struct vma_place place;
	int err;

	if (!vma)
		return -ENOMEM;
	vma->vm_flags = STACK_FLAGS | extra_flags;
	vma->vm_page_prot = vm_get_page_prot(vma->vm_flags);
	vma->vm_pgoff = vma->vm_start >> PAGE_SHIFT;
	mmap_write_lock(mm);
	err = find_vma_links(mm, vma->vm_start, vma->vm_end, &place);
	if (!err)
		err = vm_enough_memory(mm, 1);
	if (!err) {
		vma_link(mm, vma, &place);
		vm_stat_account(mm, vma->vm_flags, 1);
	} else {
		remove_vma(vma);
	}
	mmap_write_unlock(mm);
	return err;
}

void mm_expand_stack_by(struct mm_struct *mm, unsigned long bytes)
{
	unsigned long limit = task_rlimit(MM_RLIMIT_STACK) & PAGE_MASK;
	struct vm_area_struct *vma;

	mmap_write_lock(mm);
	vma = find_vma(mm, mm->start_stack);
	if (vma && (vma->vm_flags & VM_GROWSDOWN)) {
		unsigned long size = vma->vm_end - vma->vm_start;

		/* Beyond the limit the stack only reaches the limit; failing is no error. */
		if (size + bytes > limit)
			expand_stack(vma, size > limit ? vma->vm_start : vma->vm_end - limit);
		else
			expand_stack(vma, vma->vm_start - bytes);
	}
	mmap_write_unlock(mm);
}
