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
 * First it is decided, then done; the doing allocates nothing and can't fail.
 */
#include "mm/internal.h"

struct vma_op {
	struct mm_struct *mm;
	struct vm_area_struct *prev, *next; /* set only where they can take the range over */
	struct vm_area_struct *vma;	    /* what the range is cut from, or NULL */
	unsigned long start, end;
};

static bool can_merge(const struct vm_area_struct *vma, u64 flags, const struct vm_file *file)
{
	if ((vma->vm_flags ^ flags) & ~(u64)VM_SOFTDIRTY)
		return false;
	if (vma->vm_file != file || (flags & VM_SPECIAL))
		return false;
	/* Who wants to know of an area's end must see each one. */
	return !vma->vm_ops || !vma->vm_ops->close;
}

static void decide(struct vma_op *op, struct vm_area_struct *prev, u64 flags,
		   const struct vm_file *file, unsigned long pgoff)
{
	unsigned long pages = (op->end - op->start) >> PAGE_SHIFT;
	struct vm_area_struct *next = prev ? prev->vm_next : op->mm->mmap;

	if (next && next == op->vma)
		next = next->vm_next;
	if (prev && prev->vm_end == op->start && can_merge(prev, flags, file) &&
	    prev->vm_pgoff + vma_pages(prev) == pgoff)
		op->prev = prev;
	if (next && next->vm_start == op->end && can_merge(next, flags, file) &&
	    next->vm_pgoff == pgoff + pages)
		op->next = next;
}

/* An area whose memory a neighbour takes over: it goes, its pages stay. */
static void drop(struct mm_struct *mm, struct vm_area_struct *vma)
{
	vma_unlink(mm, vma);
	remove_vma(vma);
}

static struct vm_area_struct *commit(struct vma_op *op)
{
	struct vm_area_struct *vma = op->vma, *into = op->prev ? op->prev : op->next;
	unsigned long start = min(op->start, into->vm_start), end = max(op->end, into->vm_end);

	if (op->prev && op->next) {
		end = op->next->vm_end;
		drop(op->mm, op->next);
	}
	if (vma && vma->vm_start == op->start && vma->vm_end == op->end)
		drop(op->mm, vma);
	else if (vma && vma->vm_start == op->start)
		vma_set_range(vma, op->end, vma->vm_end);
	else if (vma)
		vma_set_range(vma, vma->vm_start, op->start);
	vma_set_range(into, start, end);
	validate_mm(op->mm);
	return into;
}

struct vm_area_struct *vma_merge(struct mm_struct *mm, struct vm_area_struct *prev,
				 struct vm_area_struct *vma, unsigned long start, unsigned long end,
				 u64 flags, const struct vm_file *file, unsigned long pgoff)
{
	struct vma_op op = { .mm = mm, .vma = vma, .start = start, .end = end };

	DEBUG_ON(vma && (start < vma->vm_start || end > vma->vm_end));
	decide(&op, prev, flags, file, pgoff);
	/* The middle of an area has no neighbours; each end has one. */
	if (vma && start > vma->vm_start)
		op.prev = NULL;
	if (vma && end < vma->vm_end)
		op.next = NULL;
	return op.prev || op.next ? commit(&op) : NULL;
}
