/* SPDX-License-Identifier: MIT */
/*
 * An address space's life. mm_users counts who uses its areas; the last one empties it. mm_count
 * counts who only needs the structure and the top-level table; all users together hold one.
 */
#include "kernel/base/printk.h"
#include "mm/internal.h"

DEFINE_PER_CPU(struct task_mm *, current_task_mm);

static struct kmem_cache *mm_cache;

struct mm_struct *mm_alloc(void)
{
	struct mm_struct *mm = kmem_cache_zalloc(mm_cache, GFP_KERNEL);

	if (!mm)
		return NULL;
	mm->context.pgd = pgd_alloc();
	if (!mm->context.pgd) {
		kmem_cache_free(mm_cache, mm);
		return NULL;
	}
	mm->mm_rb = RB_ROOT;
	mm->vmacache_seqnum = 1; /* a zeroed cache is stale */
	atomic_set(&mm->mm_users, 1);
	atomic_set(&mm->mm_count, 1);
	spin_lock_init(&mm->page_table_lock);
	init_rwsem(&mm->mmap_lock);
	mm->mm_lock_seq = 1;
	init_waitqueue_head(&mm->vma_writer_wait);
	mutex_init(&mm->anon_vma_lock);
	arch_pick_mmap_layout(mm, 0, 0, 0);
	return mm;
}

/* Everything of the user half goes: pages, tables, areas. => no user is left. */
static void exit_mmap(struct mm_struct *mm)
{
	struct vm_area_struct *vma, *next;
	struct mmu_gather tlb;

	mmap_write_lock(mm);
#ifdef CONFIG_DEBUG
	audit_mm(mm);
#endif
	/* Nobody runs in it, and who kept it lazily goes now: what follows has no TLB to flush. */
	tlb_flush_mm(&mm->context);
	DEBUG_ON(cpumask_bits(&mm->context.cpus));
	if (mm->mmap) {
		tlb_gather_mmu(&tlb, mm);
		for_each_vma(mm, vma) unmap_page_range(&tlb, vma, vma->vm_start, vma->vm_end);
		/* Out of sight of who walks tables for a file or a page. */
		for_each_vma(mm, vma)
		{
			vma_unlink_file(vma);
			unlink_anon_vmas(vma);
		}
		free_pgtables(&tlb, mm->mmap->vm_start, mm->highest_vm_end, 0, 0);
		tlb_finish_mmu(&tlb);
	}
	vma = mm->mmap;
	while (vma) {
		next = vma->vm_next;
		vma->attached = false;
		trace(AREA_REMOVE, mm, vma->vm_start, vma->vm_end, vma->vm_flags);
		if (vma->vm_flags & VM_ACCOUNT)
			vm_unacct_memory(vma_pages(vma));
		remove_vma(vma);
		vma = next;
	}
	mm->mmap = NULL;
	mm->mm_rb = RB_ROOT;
	vmacache_invalidate(mm);
	mmap_write_unlock(mm);
}

/* What must be zero when an address space has been emptied. */
static void check_empty(const struct mm_struct *mm)
{
	static const char *const names[] = { "file", "anonymous", "swap", "shared" };

	for (int i = 0; i < NR_MM_COUNTERS; i++)
		if (atomic_long_read(&mm->rss_stat[i]))
			panic("an address space ends with %ld %s pages counted",
			      atomic_long_read(&mm->rss_stat[i]), names[i]);
	if (atomic_long_read(&mm->pgtables_bytes))
		panic("an address space ends with %ld bytes of page tables",
		      atomic_long_read(&mm->pgtables_bytes));
}

void mmput(struct mm_struct *mm)
{
	if (!atomic_dec_and_test(&mm->mm_users))
		return;
	exit_mmap(mm);
	check_empty(mm);
	oom_victim_is_empty(mm);
	if (mm->exe_file) {
		mm->exe_file->vm_fops->put(mm->exe_file);
		mm->exe_file = NULL;
	}
	mmdrop(mm);
}

void mmdrop(struct mm_struct *mm)
{
	if (!atomic_dec_and_test(&mm->mm_count))
		return;
	DEBUG_ON(cpumask_bits(&mm->context.cpus));
	pgd_free(mm->context.pgd);
	kmem_cache_free(mm_cache, mm);
}

unsigned long get_mm_rss(const struct mm_struct *mm)
{
	return (unsigned long)(atomic_long_read(&mm->rss_stat[MM_FILEPAGES]) +
			       atomic_long_read(&mm->rss_stat[MM_ANONPAGES]) +
			       atomic_long_read(&mm->rss_stat[MM_SHMEMPAGES]));
}

void mm_init(void)
{
	trace_name_values(TRACE_TYPE_PATH, fault_step_name, NR_FAULT_STEPS);
	account_init();
	layout_init();
	slab_init();
	mm_cache = kmem_cache_create("mm_struct", sizeof(struct mm_struct), 0);
	vma_init();
	anon_vma_init();
	filemap_init();
	vmalloc_init();
}
