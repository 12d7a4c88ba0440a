/* SPDX-License-Identifier: MIT */
/*
 * When memory is used up. Pages for programs are given out only down to a reserve, so that the kernel
 * itself can still work; then the process that holds most is ended, and whoever faulted tries again.
 */
#include "mm/oom.h"

#include "kernel/base/printk.h"
#include "mm/fault_inject.h"
#include "mm/internal.h"
#include "mm/sysctl.h"

static const struct oom_ops *ops;
/* Address spaces that were marked and aren't empty yet. */
static atomic_t victims;

int sysctl_panic_on_oom, sysctl_oom_kill_allocating_task;

void oom_register(const struct oom_ops *o)
{
	ops = o;
}

/* The process may have left it long before exit_mmap() is through: what it holds would be nobody's. */
void mark_oom_victim(struct mm_struct *mm)
{
	if (mm->oom_victim)
		return;
	mm->oom_victim = true;
	atomic_inc(&victims);
}

bool oom_victims_left(void)
{
	return atomic_read(&victims);
}

void oom_victim_is_empty(struct mm_struct *mm)
{
	if (mm->oom_victim)
		atomic_dec(&victims);
}

void oom_reap_mm(struct mm_struct *mm)
{
	struct vm_area_struct *vma;

	WRITE_ONCE(mm->unstable, true);
	/*
	 * A fault either has installed its page before we come to that table, or sees the mark: both look
	 * under the table's lock. Of a table that isn't there yet we only see that, so the mark comes first.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	down_read(&mm->mmap_lock);
	/* Empty, when the process was faster: exit_mmap() holds the lock for writing until all is gone. */
	for_each_vma(mm, vma)
	{
		bool private = vma_is_anonymous(vma) || !(vma->vm_flags & VM_SHARED);

		if (private && !(vma->vm_flags & (VM_PFNMAP | VM_HUGETLB)))
			zap_page_range(vma, vma->vm_start, vma->vm_end);
	}
	up_read(&mm->mmap_lock);
}

bool out_of_memory(void)
{
	struct oom_victim victim = { .again = false };

	/* A failure made on purpose is no want of memory: trying again is all it takes. */
	if (fault_was_injected())
		return true;
	/* Somebody has given back enough since it was asked for; or else he may do it now. */
	if (user_pages_are_free()) {
		cond_resched();
		return true;
	}
	if (!ops || !ops->kill(&victim))
		return false;
	if (!victim.again) {
		if (READ_ONCE(sysctl_panic_on_oom))
			panic("out of memory, and vm.panic_on_oom is set");
		count_vm_event(OOM_KILL);
		printk("Out of memory: killing %s[%d], which holds %lu kB\n", victim.comm,
		       victim.pid, victim.pages << (PAGE_SHIFT - 10));
	}
	ops->wait(&victim);
	return true;
}
