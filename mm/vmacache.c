/* SPDX-License-Identifier: MIT */
/*
 * Each thread remembers the areas it found last, four of them, each in a slot chosen by the address. The
 * whole cache is valid while its sequence number is the mm's; removing or shrinking an area bumps
 * the mm's, and every thread's cache is stale at once without anybody being told.
 */
#include "mm/internal.h"

static unsigned int slot_of(unsigned long addr)
{
	return (addr >> PMD_SHIFT) & (VMACACHE_SIZE - 1);
}

static bool cache_is_ours(const struct task_mm *task, const struct mm_struct *mm)
{
	return task && task->mm == mm;
}

struct vm_area_struct *vmacache_find(struct mm_struct *mm, unsigned long addr)
{
	struct task_mm *task = current_mm_task();
	unsigned int first = slot_of(addr);

	count_vm_event(VMACACHE_FIND_CALLS);
	if (!cache_is_ours(task, mm))
		return NULL;
	if (task->vmacache.seqnum != mm->vmacache_seqnum) {
		task->vmacache = (struct vmacache){ .seqnum = mm->vmacache_seqnum };
		return NULL;
	}
	for (unsigned int i = 0; i < VMACACHE_SIZE; i++) {
		struct vm_area_struct *vma = task->vmacache.vmas[(first + i) % VMACACHE_SIZE];

		if (vma && vma->vm_start <= addr && addr < vma->vm_end) {
			count_vm_event(VMACACHE_FIND_HITS);
			return vma;
		}
	}
	return NULL;
}

void vmacache_update(unsigned long addr, struct vm_area_struct *vma)
{
	struct task_mm *task = current_mm_task();

	if (cache_is_ours(task, vma->vm_mm) && task->vmacache.seqnum == vma->vm_mm->vmacache_seqnum)
		task->vmacache.vmas[slot_of(addr)] = vma;
}
