/* SPDX-License-Identifier: MIT */
/*
 * madvise(2): one walk over the areas of a range, and what each advice does to its part of an area.
 * Most change flags; some drop or bring in pages.
 */
#include "kernel/abi/mman.h"
#include "mm/internal.h"

static bool advice_is_known(int advice)
{
	switch (advice) {
	case MADV_NORMAL ... MADV_DONTNEED:
	case MADV_FREE ... MADV_DONTNEED_LOCKED:
	case MADV_COLLAPSE:
		return true;
	}
	return false;
}

/* Advice that leaves the areas alone needs the lock for reading only. */
static bool needs_write(int advice)
{
	switch (advice) {
	case MADV_REMOVE:
	case MADV_WILLNEED:
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
	case MADV_COLD:
	case MADV_PAGEOUT:
	case MADV_FREE:
	case MADV_COLLAPSE:
		return false;
	}
	return true;
}

/* --- pages ------------------------------------------------------------------------------------------ */

struct free_walk {
	struct vm_area_struct *vma;
	struct mmu_gather tlb;
};

/*
 * Forgets that the page was written by its reference, not by way of an entry. False when it must not: others
 * map it as well, and may have meant to keep what is in it.
 */
static bool forget_written(struct page *page)
{
	if (!page_flag(page, PG_dirty))
		return true;
	if (page_mapcount(page) != 1)
		return false;
	page_clear_flag(page, PG_dirty);
	return true;
}

/*
 * Takes the marks off that say the page must be kept: a clean page that needs no place in swap can
 * be dropped without being saved. The next write makes the entry dirty, and the page stays.
 */
static int free_pte(pte_t *ptep, unsigned long addr, unsigned long next, struct mm_walk *walk)
{
	struct free_walk *w = walk->private;
	struct page *page;
	pte_t pte;

	if (!pte_present(ptep_get(ptep)))
		return 0;
	spin_lock(walk->ptl);
	pte = ptep_get(ptep);
	page = pte_present(pte) ? vm_normal_page(pte) : NULL;
	if (page && page_is_anon(page) && forget_written(page)) {
		if (pte_young(pte) || pte_dirty(pte)) {
			pte = ptep_get_and_clear(ptep);
			set_pte(ptep, pte_mkold(pte_mkclean(pte)));
			trace(PTE_SET, w->vma->vm_mm, addr, LEVEL_PTE, pte.v, ptep->v);
			tlb_remove_entry(&w->tlb, addr);
		}
		page_clear_flag(page, PG_referenced);
		if (page_flag(page, PG_swapbacked))
			count_vm_event(PGLAZYFREE);
		page_clear_flag(page, PG_swapbacked);
	}
	spin_unlock(walk->ptl);
	return 0;
}

/* Pages may be taken when memory is short, unless they are written again before. */
static void advise_free(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	static const struct mm_walk_ops ops = { .pte = free_pte };
	struct free_walk w = { .vma = vma };

	tlb_gather_mmu(&w.tlb, vma->vm_mm);
	walk_page_range(vma->vm_mm->context.pgd, start, end, &ops, &w);
	tlb_finish_mmu(&w.tlb);
}

static int advise_drop(struct vm_area_struct *vma, unsigned long start, unsigned long end,
		       int advice)
{
	u64 forbidden = VM_PFNMAP | VM_HUGETLB;

	if (advice != MADV_DONTNEED_LOCKED)
		forbidden |= VM_LOCKED;
	if (vma->vm_flags & forbidden)
		return -EINVAL;
	if (advice == MADV_FREE) {
		if (!vma_is_anonymous(vma))
			return -EINVAL;
		advise_free(vma, start, end);
		return 0;
	}
	zap_page_range(vma, start, end);
	return 0;
}

/*
 * What is asked of the file is done without mmap_lock, which nests inside the file's own locks. The area
 * may be gone afterwards: the walk looks again. Drops the lock, and takes it again.
 */
static struct vm_file *hold_file(const struct vm_area_struct *vma)
{
	struct vm_file *file = vma->vm_file;

	file->vm_fops->get(file);
	up_read(&vma->vm_mm->mmap_lock);
	return file;
}

static void let_go_of_file(struct mm_struct *mm, struct vm_file *file)
{
	file->vm_fops->put(file);
	down_read(&mm->mmap_lock);
}

/* The file gives its pages back, wherever they are mapped. */
static int advise_remove(const struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	const unsigned long first = linear_page_index(vma, start),
			    last = linear_page_index(vma, end) - 1;
	struct mm_struct *mm = vma->vm_mm;
	struct vm_file *file;
	int err;

	if ((vma->vm_flags & VM_LOCKED) || !vma->vm_file || !vma->vm_file->mapping)
		return -EINVAL;
	/* That it isn't writable now doesn't matter, if it may become so. */
	if ((vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) != (VM_SHARED | VM_MAYWRITE))
		return -EACCES;
	if (!vma->vm_file->vm_fops->punch_hole)
		return -EOPNOTSUPP;
	file = hold_file(vma);
	err = file->vm_fops->punch_hole(file, first, last);
	let_go_of_file(mm, file);
	return err;
}

/* What is kept elsewhere is brought in. Anonymous memory has no such place. */
static int advise_willneed(const struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	const unsigned long first = linear_page_index(vma, start),
			    last = linear_page_index(vma, end) - 1;
	struct mm_struct *mm = vma->vm_mm;
	struct vm_file *file;

	if (!vma->vm_file || !vma->vm_file->mapping)
		return 0;
	file = hold_file(vma);
	page_cache_readahead(file->mapping, first, last);
	let_go_of_file(mm, file);
	return 0;
}

static int advise_pages(struct vm_area_struct *vma, unsigned long start, unsigned long end,
			int advice)
{
	switch (advice) {
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
	case MADV_FREE:
		return advise_drop(vma, start, end, advice);
	case MADV_REMOVE:
		return advise_remove(vma, start, end);
	case MADV_WILLNEED:
		return advise_willneed(vma, start, end);
	case MADV_COLD:
	case MADV_PAGEOUT:
		/* There is no place yet that they could go to. */
		return vma->vm_flags & (VM_LOCKED | VM_PFNMAP | VM_HUGETLB) ? -EINVAL : 0;
	}
	return -EINVAL; /* MADV_COLLAPSE: there are no huge pages */
}

/* --- flags -------------------------------------------------------------------------------------------- */

/* What the area's flags become; -EINVAL when this advice is not for such an area. */
static int advised_flags(const struct vm_area_struct *vma, int advice, u64 *flags)
{
	const u64 not_mergeable = VM_SHARED | VM_MAYSHARE | VM_PFNMAP | VM_IO | VM_DONTEXPAND |
				  VM_HUGETLB | VM_MIXEDMAP;

	switch (advice) {
	case MADV_NORMAL:
		*flags &= ~(u64)(VM_RAND_READ | VM_SEQ_READ);
		break;
	case MADV_RANDOM:
		*flags = (*flags & ~(u64)VM_SEQ_READ) | VM_RAND_READ;
		break;
	case MADV_SEQUENTIAL:
		*flags = (*flags & ~(u64)VM_RAND_READ) | VM_SEQ_READ;
		break;
	case MADV_DONTFORK:
		*flags |= VM_DONTCOPY;
		break;
	case MADV_DOFORK:
		if (vma->vm_flags & VM_IO)
			return -EINVAL;
		*flags &= ~(u64)VM_DONTCOPY;
		break;
	case MADV_WIPEONFORK:
		if (vma->vm_file || (vma->vm_flags & VM_SHARED))
			return -EINVAL;
		*flags |= VM_WIPEONFORK;
		break;
	case MADV_KEEPONFORK:
		*flags &= ~(u64)VM_WIPEONFORK;
		break;
	case MADV_DONTDUMP:
		*flags |= VM_DONTDUMP;
		break;
	case MADV_DODUMP:
		if (!(vma->vm_flags & VM_HUGETLB) && (vma->vm_flags & VM_SPECIAL))
			return -EINVAL;
		*flags &= ~(u64)VM_DONTDUMP;
		break;
	case MADV_MERGEABLE:
		if (!(vma->vm_flags & not_mergeable))
			*flags |= VM_MERGEABLE;
		break;
	case MADV_UNMERGEABLE:
		*flags &= ~(u64)VM_MERGEABLE;
		break;
	case MADV_HUGEPAGE:
		*flags = (*flags & ~(u64)VM_NOHUGEPAGE) | VM_HUGEPAGE;
		break;
	case MADV_NOHUGEPAGE:
		*flags = (*flags & ~(u64)VM_HUGEPAGE) | VM_NOHUGEPAGE;
		break;
	}
	return 0;
}

static int advise_flags(struct vm_area_struct *vma, unsigned long start, unsigned long end,
			int advice)
{
	u64 flags = vma->vm_flags;
	int err = advised_flags(vma, advice, &flags);

	if (err || flags == vma->vm_flags)
		return err;
	err = vma_change_flags(&vma, start, end, flags);
	return err == -ENOMEM ? -EAGAIN : err;
}

/* --- the walk ------------------------------------------------------------------------------------------- */

/*
 * => mmap_lock held. Holes are passed over and reported at the end; an area's own error ends the walk
 * at once.
 */
static int advise_range(struct mm_struct *mm, unsigned long start, unsigned long end, int advice)
{
	int hole = 0;

	while (start < end) {
		struct vm_area_struct *vma = find_vma(mm, start);
		unsigned long stop;
		int err;

		if (!vma)
			return -ENOMEM;
		if (start < vma->vm_start) {
			hole = -ENOMEM;
			start = vma->vm_start;
			if (start >= end)
				break;
		}
		stop = min(vma->vm_end, end);
		err = needs_write(advice) ? advise_flags(vma, start, stop, advice) :
					    advise_pages(vma, start, stop, advice);
		if (err)
			return err;
		start = stop;
	}
	return hole;
}

/* One area's part. */
static int populate_area(struct vm_area_struct *vma, unsigned long start, unsigned long end,
			 bool write)
{
	int err = 0;

	if ((vma->vm_flags & (VM_IO | VM_PFNMAP)) ||
	    !(vma->vm_flags & (write ? VM_WRITE : VM_READ)))
		return -EINVAL;
	for (; start < end && !err; start += PAGE_SIZE)
		err = faultin_page(vma, start, write, false);
	return err;
}

/*
 * MADV_POPULATE_READ and _WRITE: as if the program touched each page, with errors told. Holes are
 * passed over and reported at the end, an area's error ends it. The lock is dropped between areas.
 */
static int advise_populate(struct mm_struct *mm, unsigned long start, unsigned long end, bool write)
{
	int hole = 0, err = 0;

	while (start < end && !err) {
		struct vm_area_struct *vma;
		unsigned long stop = end;

		down_read(&mm->mmap_lock);
		vma = find_vma_intersection(mm, start, end);
		if (!vma || vma->vm_start > start)
			hole = -ENOMEM;
		if (vma) {
			start = max(start, vma->vm_start);
			stop = min(min(end, vma->vm_end), start + POPULATE_BATCH);
			err = populate_area(vma, start, stop, write);
		}
		up_read(&mm->mmap_lock);
		if (err == -ENOMEM && may_retry_oom())
			err = 0;
		else
			start = stop;
	}
	return err ? err : hole;
}

int mm_madvise(struct mm_struct *mm, unsigned long start, unsigned long len_in, int advice)
{
	unsigned long len = ALIGN_UP(len_in, PAGE_SIZE), end = start + len;
	int err;

	if (!advice_is_known(advice))
		return -EINVAL;
	if (start & ~PAGE_MASK)
		return -EINVAL;
	if ((len_in && !len) || end < start)
		return -EINVAL;
	if (end == start)
		return 0;
	if (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE)
		return advise_populate(mm, start, end, advice == MADV_POPULATE_WRITE);
	if (needs_write(advice)) {
		mmap_write_lock(mm);
		err = advise_range(mm, start, end, advice);
		mmap_write_unlock(mm);
	} else {
		down_read(&mm->mmap_lock);
		err = advise_range(mm, start, end, advice);
		up_read(&mm->mmap_lock);
	}
	return err;
}

int vm_madvise(unsigned long start, unsigned long len, int advice)
{
	return mm_madvise(current_mm_task()->mm, start, len, advice);
}
