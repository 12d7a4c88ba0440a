/* SPDX-License-Identifier: MIT */
/*
 * A write to a page that is mapped read-only although its area may be written: the zero page, a file's
 * page under a private area, or a page that was (or still is) shared after fork. Whoever holds the
 * only reference keeps the page; anyone else gets a copy. And a file's page in a shared area, where the
 * first write is to be seen: it stays, and becomes writable.
 */
#include "mm/internal.h"

/*
 * Whether the page may be written where it is. After a fork it is nobody's for certain: the first write
 * that finds no other reference left makes it this area's own. => the page table's lock held
 */
static bool can_reuse(struct page *page, const struct vm_area_struct *vma)
{
	if (!page || !page_is_anon(page))
		return false;
	if (page_flag(page, PG_anon_exclusive)) {
		note_fault_step(STEP_REUSE_EXCLUSIVE);
		return true;
	}
	/* One reference is our mapping's. Nobody can get another but by way of this entry. */
	if (page_count(page) != 1)
		return false;
	note_fault_step(STEP_REUSE_LAST);
	page_move_anon_rmap(page, vma);
	page_set_flag(page, PG_anon_exclusive);
	return true;
}

/*
 * As it is after the write that faulted. A debugger writes where the program may not: then the entry
 * stays read-only. Who only wanted a page of its own hasn't written; but it may have been before.
 */
static pte_t written_pte(pte_t pte, const struct vm_fault *vmf)
{
	pte = pte_mkyoung(pte);
	if (vmf->flags & FAULT_FLAG_UNSHARE)
		return pte_soft_dirty(vmf->orig_pte) ? pte_mksoft_dirty(pte) : pte;
	pte = pte_mkdirty(pte);
	return vmf->vma->vm_flags & VM_WRITE ? pte_mkwrite(pte) : pte;
}

/* Apart, so that who isn't traced pays for one branch and no more. */
static noinline TRACE_CALL void trace_reuse(const struct vm_fault *vmf)
{
	trace(PTE_SET, vmf->vma->vm_mm, vmf->address, LEVEL_PTE, vmf->orig_pte.v, vmf->pte->v);
}

/* Makes the entry writable in place. => the page table's lock held. */
static void wp_page_reuse(struct vm_fault *vmf)
{
	set_pte(vmf->pte, written_pte(vmf->orig_pte, vmf));
	if (trace_on(PTE_SET))
		trace_reuse(vmf);
	tlb_flush_page_local(vmf->address);
}

/*
 * A page of the area's own with what the entry shows: `old`, or where that is NULL, zeros or device memory.
 * Or NULL.
 */
static struct page *make_copy(const struct vm_fault *vmf, struct page *old)
{
	const bool zero = !old && pte_maps_zero_page(vmf->orig_pte);
	struct page *new = alloc_page(zero ? GFP_USER | __GFP_ZERO : GFP_USER);

	if (!new)
		return NULL;
	if (old) {
		copy_page(page_address(new), page_address(old));
	} else if (!zero && !copy_special_page(new, vmf->orig_pte)) {
		put_page(new);
		return NULL;
	}
	page_make_anon(new, vmf->vma, vmf->address);
	return new;
}

/* Puts it in the place of `old`, unless the entry has changed meanwhile: false then. */
static bool install_copy(struct vm_fault *vmf, struct page *old, struct page *new)
{
	struct mm_struct *mm = vmf->vma->vm_mm;

	spin_lock(vmf->ptl);
	if (!pte_same(ptep_get(vmf->pte), vmf->orig_pte)) {
		spin_unlock(vmf->ptl);
		note_fault_step(STEP_ENTRY_CHANGED);
		return false;
	}
	/* Nobody may still read the old page through a stale translation once the new one is written. */
	trace(PTE_CLEAR, mm, vmf->address, LEVEL_PTE, vmf->pte->v);
	ptep_get_and_clear(vmf->pte);
	tlb_flush_range(&mm->context, vmf->address, vmf->address + PAGE_SIZE);
	page_add_first_map(new);
	set_pte(vmf->pte, written_pte(mk_pte(new, vmf->vma->vm_page_prot), vmf));
	trace(PTE_SET, mm, vmf->address, LEVEL_PTE, 0, vmf->pte->v);
	if (old) {
		add_mm_counter(mm, page_rss_kind(old), -1);
		page_remove_map(old);
	}
	add_mm_counter(mm, MM_ANONPAGES, 1);
	spin_unlock(vmf->ptl);
	return true;
}

static enum fault_step copy_step(const struct vm_fault *vmf, const struct page *old)
{
	if (old)
		return page_is_anon(old) ? STEP_COPY_ON_WRITE : STEP_COPY_FROM_FILE;
	return pte_maps_zero_page(vmf->orig_pte) ? STEP_COPY_ZERO : STEP_COPY_DEVICE;
}

/* => a reference on `old`, which is dropped */
static noinline unsigned int wp_page_copy(struct vm_fault *vmf, struct page *old)
{
	unsigned int ret = vmf_anon_prepare(vmf);
	struct page *new = ret ? NULL : make_copy(vmf, old);
	bool done = new &&install_copy(vmf, old, new);

	if (new && !done) {
		new->mapping = NULL;
		put_page(new);
	}
	if (old && done)
		put_page(old); /* the mapping's reference */
	if (old)
		put_page(old); /* ours */
	return new || ret ? ret : VM_FAULT_OOM;
}

/*
 * Asks what stands behind the area for the right to write, which may take long: without the lock, and
 * whether the entry is still what it was is looked at again. => the lock held; returns with it dropped
 */
static unsigned int wp_page_mkwrite(struct vm_fault *vmf)
{
	unsigned int ret;
	bool same;

	spin_unlock(vmf->ptl);
	note_fault_step(STEP_MKWRITE);
	ret = vmf->vma->vm_ops->page_mkwrite(vmf);
	if (!(ret & VM_FAULT_LOCKED)) {
		note_fault_step(STEP_ENTRY_CHANGED);
		return ret;
	}
	note_fault_step(STEP_SHARED_WRITABLE);
	spin_lock(vmf->ptl);
	same = pte_same(ptep_get(vmf->pte), vmf->orig_pte);
	if (same)
		wp_page_reuse(vmf);
	spin_unlock(vmf->ptl);
	if (same)
		return VM_FAULT_LOCKED;
	note_fault_step(STEP_ENTRY_CHANGED);
	unlock_page(vmf->page);
	return 0;
}

/* A page of what is shared stays where it is. => the page table's lock held; returns with it dropped */
static unsigned int wp_page_shared(struct vm_fault *vmf, struct page *page)
{
	const struct vm_operations_struct *ops = vmf->vma->vm_ops;
	unsigned int ret = VM_FAULT_LOCKED;

	get_page(page);
	vmf->page = page;
	if (ops && ops->page_mkwrite) {
		ret = wp_page_mkwrite(vmf);
	} else {
		note_fault_step(STEP_SHARED_WRITABLE);
		wp_page_reuse(vmf);
		spin_unlock(vmf->ptl);
		lock_page(page);
	}
	if (ret & VM_FAULT_LOCKED)
		fault_dirty_shared_page(vmf);
	put_page(page);
	return ret & ~(unsigned int)VM_FAULT_LOCKED;
}

/* => the page table's lock held, orig_pte present and read-only; returns with it dropped. */
unsigned int do_wp_page(struct vm_fault *vmf)
{
	struct page *old = vm_normal_page(vmf->orig_pte);

	/* The page that was to be unshared has gone: look again. */
	if ((vmf->flags & FAULT_FLAG_UNSHARE) && !(old && page_is_anon(old))) {
		spin_unlock(vmf->ptl);
		return 0;
	}
	if (vmf->vma->vm_flags & VM_SHARED) {
		if (old)
			return wp_page_shared(vmf, old);
		note_fault_step(STEP_SHARED_WRITABLE);
		wp_page_reuse(vmf);
		spin_unlock(vmf->ptl);
		return 0;
	}
	if (can_reuse(old, vmf->vma)) {
		wp_page_reuse(vmf);
		spin_unlock(vmf->ptl);
		return 0;
	}
	note_fault_step(copy_step(vmf, old));
	if (old)
		get_page(old);
	spin_unlock(vmf->ptl);
	return wp_page_copy(vmf, old);
}
