/* SPDX-License-Identifier: MIT */
/*
 * fork's memory: a second address space that holds what the first does, made without copying a page.
 *
 *	dup_mm                 the structure, and where exec put things
 *	  dup_mmap               area by area, in order
 *	    anon_vma_fork          who may map the pages written so far
 *	    copy_page_range        their entries, level by level: pud, pmd,
 *	      copy_pte_range         and for each page that may be written; only pages that
 *	                             somebody has pinned are copied now
 *
 *	   parent        page        child
 *	   [RW]---------> P
 *	   [R-]---------> P <-------[R-]      who writes, faults, and gets a copy (cow.c)
 *
 * Locks: mmap_lock of the parent for writing, so that nothing changes meanwhile, and then the child's,
 * which nobody else knows yet. The parent's threads on other CPUs may go on writing through their
 * TLBs until the one flush at the end: before that the child doesn't run, and no thread of the parent
 * faults in what was copied, since each area is locked: or one would copy a page that another still
 * writes.
 */
#include "kernel/base/string.h"
#include "kernel/sched/sched.h"
#include "mm/gup.h"
#include "mm/internal.h"

/* One area's entries on their way. */
struct copy {
	struct vm_area_struct *dst, *src;
	struct mmu_gather *tlb; /* of the parent: what it may no longer write */
	struct page *prealloc;	/* for the copy of a pinned page, or NULL */
	long rss[NR_MM_COUNTERS];
};

/* --- entries ---------------------------------------------------------------------------------------- */

/*
 * Whether the page must stay the parent's: who has pinned it goes on reading or writing it, and means
 * the parent's memory. Pages that were pinned when they weren't the parent's alone don't exist: that is
 * seen to by gup.c.
 */
static bool page_needs_cow_for_dma(const struct page *page)
{
	return page_maybe_dma_pinned(page) && page_is_anon(page) &&
	       page_flag(page, PG_anon_exclusive);
}

/* Gives the child a copy at once, which takes the prepared page. => both tables' locks held */
static void copy_present_page(struct copy *c, pte_t *dst, const struct page *page,
			      unsigned long addr)
{
	struct page *new = c->prealloc;
	pte_t pte;

	c->prealloc = NULL;
	copy_page(page_address(new), page_address(page));
	page_make_anon(new, c->dst, addr);
	page_add_first_map(new);
	c->rss[MM_ANONPAGES]++;
	pte = pte_mkdirty(mk_pte(new, c->dst->vm_page_prot));
	set_pte(dst, c->dst->vm_flags & VM_WRITE ? pte_mkwrite(pte) : pte);
}

/* => both tables' locks held */
static void copy_present_pte(struct copy *c, pte_t *dst, pte_t *src, struct page *page,
			     unsigned long addr)
{
	pte_t pte = ptep_get(src);

	if (page) {
		page_add_map(page);
		page_clear_flag(page, PG_anon_exclusive);
		c->rss[page_rss_kind(page)]++;
	}
	if (is_cow_mapping(c->src->vm_flags) && pte_write(pte)) {
		pte = ptep_set_wrprotect(src);
		trace(PTE_SET, c->src->vm_mm, addr, LEVEL_PTE, pte.v | _PAGE_RW, pte.v);
		tlb_remove_entry(c->tlb, addr);
	}
	/* The parent's entry says already that the page must be saved; the child didn't write it. */
	if (c->src->vm_flags & VM_SHARED)
		pte = pte_mkclean(pte);
	set_pte(dst, pte_mkold(pte));
}

/* For the trace, all at once: there are many. Before, the child's table had nothing there. */
static void trace_copied(const struct mm_struct *mm, const pte_t *dst, unsigned long addr,
			 unsigned long end)
{
	for (; addr != end; addr += PAGE_SIZE, dst++)
		if (!pte_none(ptep_get(dst)))
			trace(PTE_SET, mm, addr, LEVEL_PTE, 0, ptep_get(dst).v);
}

/* One table's entries from addr on. The end, or the one that a page must be prepared for first. */
static unsigned long copy_ptes(struct copy *c, pmd_t *dst_pmd, pmd_t *src_pmd, unsigned long addr,
			       unsigned long end)
{
	spinlock_t *dst_lock = pte_lockptr(dst_pmd), *src_lock = pte_lockptr(src_pmd);
	const bool pinned = c->src->vm_mm->has_pinned; /* most have none, and don't pay */
	pte_t *dst = pte_offset(pmdp_get(dst_pmd), addr);
	pte_t *src = pte_offset(pmdp_get(src_pmd), addr);
	const unsigned long start = addr;

	spin_lock(src_lock);
	spin_lock_nested(dst_lock, PTE_LOCK_SECOND);
	for (; addr != end; addr += PAGE_SIZE, dst++, src++) {
		pte_t pte = ptep_get(src);
		struct page *page;

		if (!pte_present(pte)) {
			if (!pte_none(pte))
				set_pte(dst, pte); /* a marker: nothing stands behind it */
			continue;
		}
		page = vm_normal_page(pte);
		if (pinned && page && page_needs_cow_for_dma(page)) {
			if (!c->prealloc)
				break;
			copy_present_page(c, dst, page, addr);
		} else {
			copy_present_pte(c, dst, src, page, addr);
		}
	}
	if (trace_on(PTE_SET))
		trace_copied(c->dst->vm_mm, pte_offset(pmdp_get(dst_pmd), start), start, addr);
	spin_unlock(dst_lock);
	spin_unlock(src_lock);
	return addr;
}

static int copy_pte_range(struct copy *c, pmd_t *dst_pmd, pmd_t *src_pmd, unsigned long addr,
			  unsigned long end)
{
	if (pte_alloc(c->dst->vm_mm, dst_pmd, addr))
		return -ENOMEM;
	while ((addr = copy_ptes(c, dst_pmd, src_pmd, addr, end)) != end) {
		c->prealloc = alloc_page(GFP_USER);
		if (!c->prealloc)
			return -ENOMEM;
		cond_resched();
	}
	/* Its holder may have let go before it was used. */
	if (c->prealloc)
		put_page(c->prealloc);
	c->prealloc = NULL;
	cond_resched();
	return 0;
}

static int copy_pmd_range(struct copy *c, pud_t *src_pud, unsigned long addr, unsigned long end)
{
	pmd_t *dst_pmd = pmd_alloc(c->dst->vm_mm, addr);
	pmd_t *src_pmd = pmd_offset(pudp_get(src_pud), addr);
	unsigned long next;
	int err = 0;

	if (!dst_pmd)
		return -ENOMEM;
	for (; addr != end && !err; addr = next, dst_pmd++, src_pmd++) {
		next = pmd_addr_end(addr, end);
		BUG_ON(pmd_leaf(pmdp_get(src_pmd)));
		if (pmd_table(pmdp_get(src_pmd)))
			err = copy_pte_range(c, dst_pmd, src_pmd, addr, next);
	}
	return err;
}

static int copy_pud_range(struct copy *c, pgd_t *src_pgd, unsigned long addr, unsigned long end)
{
	pud_t *src_pud = pud_offset(pgdp_get(src_pgd), addr);
	unsigned long next;
	int err = 0;

	if (!pud_alloc(c->dst->vm_mm, addr))
		return -ENOMEM;
	for (; addr != end && !err; addr = next, src_pud++) {
		next = pud_addr_end(addr, end);
		BUG_ON(pud_leaf(pudp_get(src_pud)));
		if (pud_table(pudp_get(src_pud)))
			err = copy_pmd_range(c, src_pud, addr, next);
	}
	return err;
}

/* Whether the child needs the entries: a file's page, for one, is found again by a fault. */
static bool vma_needs_copy(const struct vm_area_struct *src)
{
	return src->anon_vma || (src->vm_flags & (VM_PFNMAP | VM_MIXEDMAP));
}

/*
 * Lets dst map the pages that src maps. 0, or -ENOMEM with some of them mapped. => both mmap_locks
 * held for writing; the caller flushes.
 */
static int copy_page_range(struct vm_area_struct *dst, struct vm_area_struct *src,
			   struct mmu_gather *tlb)
{
	struct copy c = { .dst = dst, .src = src, .tlb = tlb };
	unsigned long addr, next, end = src->vm_end;
	int err = 0;

	if (!vma_needs_copy(src))
		return 0;
	for (addr = src->vm_start; addr != end && !err; addr = next) {
		pgd_t *src_pgd = pgd_offset_pgd(src->vm_mm->context.pgd, addr);

		next = pgd_addr_end(addr, end);
		if (pgd_table(pgdp_get(src_pgd)))
			err = copy_pud_range(&c, src_pgd, addr, next);
	}
	for (int i = 0; i < NR_MM_COUNTERS; i++)
		if (c.rss[i])
			add_mm_counter(dst->vm_mm, (enum rss_kind)i, c.rss[i]);
	return err;
}

/* --- areas ------------------------------------------------------------------------------------------- */

/* A copy of the area for mm, which has paid for it; or NULL. */
static struct vm_area_struct *dup_vma(struct mm_struct *mm, const struct vm_area_struct *src)
{
	unsigned long charge = src->vm_flags & VM_ACCOUNT ? vma_pages(src) : 0;
	struct vm_area_struct *vma;

	/* Each promise anew: both may write all of it. */
	if (charge && vm_enough_memory(src->vm_mm, charge))
		return NULL;
	vma = vm_area_dup(src, mm);
	if (!vma)
		goto unacct;
	/* Locks are not inherited: mlock(2). */
	vma->vm_flags &= ~(u64)VM_LOCKED_MASK;
	if (!(vma->vm_flags & VM_WIPEONFORK) && anon_vma_fork(vma, src))
		goto free;
	return vma;
free:
	remove_vma(vma);
unacct:
	vm_unacct_memory(charge);
	return NULL;
}

/*
 * The areas of old, and their pages, for mm, which is empty. 0, or -errno with some of them there.
 * => both mmap_locks held for writing
 */
static int dup_mmap(struct mm_struct *mm, struct mm_struct *old)
{
	struct vma_place place = { .prev = NULL, .link = &mm->mm_rb.rb_node, .parent = NULL };
	struct vm_area_struct *src, *vma;
	struct mmu_gather tlb;
	int err = 0;

	tlb_gather_mmu(&tlb, old);
	for_each_vma(old, src)
	{
		if (src->vm_flags & VM_DONTCOPY)
			continue;
		vma_start_write(src);
		err = current_mm_task()->kill_pending ? -EINTR : -ENOMEM;
		vma = err == -EINTR ? NULL : dup_vma(mm, src);
		if (!vma)
			break;
		/*
		 * They come in order: each is the last, and hangs to the right of the one before. Its file and
		 * its anon_vmas have it behind its parent: who takes a page away everywhere, while we copy,
		 * comes to the parent's entry first; then we don't find it, or he comes to our copy, too.
		 */
		vma_link(mm, vma, &place);
		vm_stat_account(mm, vma->vm_flags, (long)vma_pages(vma));
		place = (struct vma_place){ vma, &vma->vm_rb.rb_right, &vma->vm_rb };
		err = vma->vm_flags & VM_WIPEONFORK ? 0 : copy_page_range(vma, src, &tlb);
		if (err)
			break;
	}
	tlb_finish_mmu(&tlb);
	return err;
}

/* Where exec put things, and how new memory is placed. */
static void inherit_layout(struct mm_struct *mm, const struct mm_struct *old)
{
	mm->get_unmapped_area = old->get_unmapped_area;
	mm->mmap_base = old->mmap_base;
	mm->mmap_legacy_base = old->mmap_legacy_base;
	mm->mmap_low32_shift = old->mmap_low32_shift;
	mm->start_code = old->start_code;
	mm->end_code = old->end_code;
	mm->start_data = old->start_data;
	mm->end_data = old->end_data;
	mm->start_brk = old->start_brk;
	mm->brk = old->brk;
	mm->start_stack = old->start_stack;
	mm->vdso = old->vdso;
	mm->arg_start = old->arg_start;
	mm->arg_end = old->arg_end;
	mm->env_start = old->env_start;
	mm->env_end = old->env_end;
	memcpy(mm->saved_auxv, old->saved_auxv, sizeof(mm->saved_auxv));
	/* What mlockall(MCL_FUTURE) asked for ends here, like every lock. */
	mm->def_flags = old->def_flags & ~(u64)VM_LOCKED_MASK;
	mm->dumpable = old->dumpable;
	mm->thp_disable = old->thp_disable;
	mm->membarrier = old->membarrier;
	mm->exe_file = old->exe_file;
	if (mm->exe_file)
		mm->exe_file->vm_fops->get(mm->exe_file);
}

struct mm_struct *dup_mm(struct mm_struct *old)
{
	struct mm_struct *mm = mm_alloc();
	int err;

	if (!mm)
		return ERR_PTR(-ENOMEM);
	mmap_write_lock(old);
	mmap_write_lock_child(mm);
	inherit_layout(mm, old);
	err = dup_mmap(mm, old);
	mmap_write_unlock(mm);
	mmap_write_unlock(old);
	if (err) {
		mmput(mm);
		return ERR_PTR(-ENOMEM);
	}
	/* Who truncates a file that it maps knows of it already. */
	WRITE_ONCE(mm->hiwater_rss, get_mm_rss(mm));
	mm->hiwater_vm = mm->total_vm;
	return mm;
}
