/* SPDX-License-Identifier: MIT */
/*
 * Merging. A range [start, end) is about to become an area of given kind: new memory, or part of an
 * area whose flags change. Where a neighbour is of the same kind, it takes the range over instead, so
 * that no two areas lie side by side that could be one. P is the neighbour before, N the one behind,
 * V the area that the range is cut from, * the range:
 *
 *	new memory:     PPPP****NNNN   -> PPPPPPPPPPPP  both       (N goes)
 *	                PPPP****       -> PPPPPPPP      prev
 *	                    ****NNNN   ->     NNNNNNNN  next
 *	all of V:       PPPPVVVVNNNN   -> PPPPPPPPPPPP  both       (V and N go)
 *	                PPPPVVVV       -> PPPPPPPP      prev       (V goes)
 *	                    VVVVNNNN   ->     NNNNNNNN  next       (V goes)
 *	V's first part: PPPP****VVVV   -> PPPPPPPPVVVV  prev
 *	V's last part:  VVVV****NNNN   -> VVVVNNNNNNNN  next
 *
 * In three steps: decide, prepare (which locks all areas that will change, and is the only one that
 * allocates), commit (which can't fail).
 *
 * Pages that were written know their area's anon_vma, and an area has one for new pages. So two areas
 * can be one if they have the same, or if one has none yet; but an area that has none doesn't take over
 * one that has, and one whose anon_vmas stem from a fork (more than one chain) takes over none:
 * otherwise a process and its children would share more and more of their reverse map.
 */
#include "mm/internal.h"

struct vma_op {
	struct mm_struct *mm;
	struct vm_area_struct *prev, *next; /* set only where they can take the range over */
	struct vm_area_struct *vma;	    /* what the range is cut from, or NULL */
	unsigned long start, end;
	const struct vma_kind *kind;
};

static bool anon_vma_fits(const struct vm_area_struct *vma, const struct anon_vma *range)
{
	if (vma->anon_vma == range)
		return true;
	return (!vma->anon_vma || !range) && list_is_singular(&vma->anon_vma_chain);
}

/* Everything but the place: flags, file, and whom its pages belong to. */
static bool can_merge(const struct vm_area_struct *vma, const struct vma_kind *kind)
{
	if ((vma->vm_flags ^ kind->flags) & ~(u64)VM_SOFTDIRTY)
		return false;
	if (vma->vm_file != kind->file || (kind->flags & VM_SPECIAL))
		return false;
	/* Who wants to know of an area's end must see each one. */
	if (vma->vm_ops && vma->vm_ops->close)
		return false;
	return anon_vma_fits(vma, kind->anon_vma);
}

static void decide(struct vma_op *op, struct vm_area_struct *prev)
{
	unsigned long pages = (op->end - op->start) >> PAGE_SHIFT;
	struct vm_area_struct *next = prev ? prev->vm_next : op->mm->mmap;
	const struct vma_kind *kind = op->kind;

	if (next && next == op->vma)
		next = next->vm_next;
	if (prev && prev->vm_end == op->start && can_merge(prev, kind) &&
	    prev->vm_pgoff + vma_pages(prev) == kind->pgoff)
		op->prev = prev;
	if (next && next->vm_start == op->end && can_merge(next, kind) &&
	    next->vm_pgoff == kind->pgoff + pages)
		op->next = next;
	/* Each fits the range, but do they fit each other? If not, the one before has the right. */
	if (op->prev && op->next && op->prev->anon_vma && op->next->anon_vma &&
	    op->prev->anon_vma != op->next->anon_vma)
		op->next = NULL;
	if (kind->avoid && (op->prev == kind->avoid || op->next == kind->avoid)) {
		op->prev = NULL;
		op->next = NULL;
	}
}

/*
 * mmap's new memory looks behind first: where its neighbours can't be one area, it joins the next. The
 * one before is then asked whether it fits the next one's pages, too.
 */
static void decide_new(struct vma_op *op, struct vm_area_struct *prev)
{
	struct vm_area_struct *next = prev ? prev->vm_next : op->mm->mmap;
	unsigned long pages = (op->end - op->start) >> PAGE_SHIFT;
	struct vma_kind kind = *op->kind;

	if (next && next->vm_start == op->end && can_merge(next, &kind) &&
	    next->vm_pgoff == kind.pgoff + pages) {
		op->next = next;
		kind.anon_vma = next->anon_vma;
	}
	if (prev && prev->vm_end == op->start && can_merge(prev, &kind) &&
	    prev->vm_pgoff + vma_pages(prev) == kind.pgoff)
		op->prev = prev;
}

/* An area that takes over another's written pages must be known to their anon_vma. */
static int prepare(struct vma_op *op)
{
	/* All before the first change: two areas will lie on one range for a moment. */
	if (op->prev)
		vma_start_write(op->prev);
	if (op->next)
		vma_start_write(op->next);
	if (op->vma)
		vma_start_write(op->vma);
	if (op->prev && op->next && !op->prev->anon_vma && op->next->anon_vma)
		return anon_vma_clone(op->prev, op->next);
	return 0;
}

static struct vm_area_struct *commit(struct vma_op *op)
{
	struct vm_area_struct *vma = op->vma, *into = op->prev ? op->prev : op->next;
	unsigned long start = min(op->start, into->vm_start), end = max(op->end, into->vm_end);
	u64 soft_dirty = op->kind->flags & VM_SOFTDIRTY;
	struct vm_area_struct *gone[2];
	unsigned int nr_gone = 0;

	trace(AREA_MERGE, op->mm, op->start, op->end, (op->prev ? 1 : 0) + (op->next ? 2 : 0),
	      start, op->prev && op->next ? op->next->vm_end : end);
	if (op->prev && op->next) {
		end = op->next->vm_end;
		soft_dirty |= op->next->vm_flags & VM_SOFTDIRTY;
		gone[nr_gone++] = op->next;
		vma_unlink(op->mm, op->next);
	}
	if (vma && vma->vm_start == op->start && vma->vm_end == op->end) {
		gone[nr_gone++] = vma;
		vma_unlink(op->mm, vma);
		vma = NULL;
	}
	vma_set_range(into, start, end);
	/* Only now: their pages must be found by one area or the other all the time. */
	if (vma && vma->vm_start == op->start)
		vma_set_range(vma, op->end, vma->vm_end);
	else if (vma)
		vma_set_range(vma, vma->vm_start, op->start);
	while (nr_gone > 0) {
		vma_unlink_file(gone[--nr_gone]);
		remove_vma(gone[nr_gone]);
	}
	/* The one flag in which they may differ: what was new in one part is new in the whole. */
	if (soft_dirty & ~into->vm_flags)
		vm_flags_reset(into, into->vm_flags | soft_dirty);
	vma_set_page_prot(into);
	validate_change(op->mm, into);
	return into;
}

struct vm_area_struct *vma_merge(struct mm_struct *mm, struct vm_area_struct *prev,
				 struct vm_area_struct *vma, unsigned long start, unsigned long end,
				 const struct vma_kind *kind)
{
	struct vma_op op = { .mm = mm, .vma = vma, .start = start, .end = end, .kind = kind };

	DEBUG_ON(vma && (start < vma->vm_start || end > vma->vm_end));
	decide(&op, prev);
	if (!op.prev && !op.next)
		return NULL;
	/* Staying apart is always right, only less tidy: so no memory means no merge. */
	return prepare(&op) ? NULL : commit(&op);
}

struct vm_area_struct *vma_merge_new(struct mm_struct *mm, struct vm_area_struct *prev,
				     unsigned long start, unsigned long end,
				     const struct vma_kind *kind)
{
	struct vma_op op = { .mm = mm, .start = start, .end = end, .kind = kind };

	decide_new(&op, prev);
	if (!op.prev && !op.next)
		return NULL;
	return prepare(&op) ? NULL : commit(&op);
}

int vma_change_flags(struct vm_area_struct **vmap, unsigned long start, unsigned long end,
		     u64 flags)
{
	struct vm_area_struct *vma = *vmap, *merged;
	const struct vma_kind kind = {
		.flags = flags,
		.file = vma->vm_file,
		.pgoff = linear_page_index(vma, start),
		.anon_vma = vma->anon_vma,
	};
	struct mm_struct *mm = vma->vm_mm;
	int err;

	merged = vma_merge(mm, vma->vm_prev, vma, start, end, &kind);
	if (merged) {
		*vmap = merged;
		return 0;
	}
	if (start != vma->vm_start) {
		err = split_vma(mm, vma, start, true);
		if (err)
			return err;
	}
	if (end != vma->vm_end) {
		err = split_vma(mm, vma, end, false);
		if (err)
			return err;
	}
	vma_start_write(vma);
	vm_flags_reset(vma, flags);
	return 0;
}
