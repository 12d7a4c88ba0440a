/* SPDX-License-Identifier: MIT */
/* Areas of an address space: to find, link and unlink them. */
#ifndef MM_VMA_H
#define MM_VMA_H

#include "mm/types.h"

/*
 * mmap_lock for writing. Its release, or its downgrade, ends what vma_start_write() began: whoever
 * compares an area's vm_lock_seq with the mm's sees that nobody is changing the area any more.
 */
static inline void mmap_write_lock(struct mm_struct *mm)
{
	down_write(&mm->mmap_lock);
}

static inline void vma_end_write_all(struct mm_struct *mm)
{
	__atomic_store_n(&mm->mm_lock_seq, mm->mm_lock_seq + 1, __ATOMIC_RELEASE);
}

/* The same for a new one, whose parent's is held. */
static inline void mmap_write_lock_child(struct mm_struct *mm)
{
	down_write_nested(&mm->mmap_lock, 1);
}

static inline void mmap_write_unlock(struct mm_struct *mm)
{
	vma_end_write_all(mm);
	up_write(&mm->mmap_lock);
}

static inline void mmap_write_downgrade(struct mm_struct *mm)
{
	vma_end_write_all(mm);
	downgrade_write(&mm->mmap_lock);
}

/*
 * The first area that ends above addr, or NULL: addr lies in it, or in the gap below it.
 * => mmap_lock held for reading or writing.
 */
struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long addr);
/* The same, and in *prev the area before it (the last one when the result is NULL). */
struct vm_area_struct *find_vma_prev(struct mm_struct *mm, unsigned long addr,
				     struct vm_area_struct **prev);
/* The first area that overlaps [start, end), or NULL. */
struct vm_area_struct *find_vma_intersection(struct mm_struct *mm, unsigned long start,
					     unsigned long end);

/* Where a new area would hang in the tree: what a search for its place leaves behind. */
struct vma_place {
	struct vm_area_struct *prev; /* the area before it in the list, or NULL */
	struct rb_node **link;
	struct rb_node *parent;
};
/* Finds the place of [start, end). -ENOMEM when something is there already. => mmap_lock held. */
int find_vma_links(struct mm_struct *mm, unsigned long start, unsigned long end,
		   struct vma_place *place);
/* Puts an area into list, tree and file. Can't fail. => mmap_lock held for writing. */
void vma_link(struct mm_struct *mm, struct vm_area_struct *vma, const struct vma_place *place);
/*
 * Takes it out of list and tree. Its file still knows it, as long as pages may be mapped:
 * vma_unlink_file() comes next. => mmap_lock held for writing
 */
void vma_unlink(struct mm_struct *mm, struct vm_area_struct *vma);
/*
 * To be called before anything of an area, or of what its pages may do, changes: waits until no fault is
 * at work in it, and lets none begin until mmap_lock is released or downgraded. May sleep. => mmap_lock
 * held for writing; nothing held that a fault may wait for
 */
void __vma_start_write(struct vm_area_struct *vma);
static inline void vma_start_write(struct vm_area_struct *vma)
{
	DEBUG_ON(!rwsem_is_write_locked(&vma->vm_mm->mmap_lock));
	if (vma->vm_lock_seq != vma->vm_mm->mm_lock_seq)
		__vma_start_write(vma);
}
/* Whether the area may be changed now. */
static inline bool vma_is_write_locked(const struct vm_area_struct *vma)
{
	return rwsem_is_write_locked(&vma->vm_mm->mmap_lock) &&
	       vma->vm_lock_seq == vma->vm_mm->mm_lock_seq;
}
/*
 * The area that addr lies in, its own lock held for reading: it stays and doesn't change, without
 * mmap_lock. NULL when there is none, or somebody changes it: then mmap_lock tells. Never waits.
 * => mm is the running task's
 */
struct vm_area_struct *lock_vma_under_rcu(struct mm_struct *mm, unsigned long addr);
static inline void vma_end_read(struct vm_area_struct *vma)
{
	struct mm_struct *mm = vma->vm_mm;

	/* A writer may have waited only to free it: after the last one has left, only the mm is safe. */
	if (atomic_dec_and_test(&vma->vm_readers) &&
	    unlikely(!list_empty(&mm->vma_writer_wait.waiters)))
		wake_up(&mm->vma_writer_wait);
}
void vma_gap_update(struct vm_area_struct *vma);

/* An area for [start, end) that is in no list yet; or NULL. */
struct vm_area_struct *vm_area_alloc(struct mm_struct *mm, unsigned long start, unsigned long end);
/* A copy of an area for mm, with its own references but no anon_vma; linked nowhere. Or NULL. */
struct vm_area_struct *vm_area_dup(const struct vm_area_struct *vma, struct mm_struct *mm);
/* Drops an area's references (file) and frees it. => unlinked, from its file too. */
void remove_vma(struct vm_area_struct *vma);

/* The protection of a page mapped with all that vm_flags allow. */
pgprot_t vm_get_page_prot(u64 vm_flags);
/*
 * The same for an area: read-only, too, where the first write to each page must be seen, because what
 * stands behind it has to know, or somebody looks for changes (clear_refs.c).
 */
pgprot_t vma_page_prot(const struct vm_area_struct *vma);
/* To be called when what vma_page_prot() goes by has changed. => mmap_lock held for writing */
void vma_set_page_prot(struct vm_area_struct *vma);
/* Whether shared pages of the area are mapped read-only until they are written. */
bool vma_wants_writenotify(const struct vm_area_struct *vma);
/* Adds (or with negative pages takes away) what an area counts in the mm's totals. */
void vm_stat_account(struct mm_struct *mm, u64 vm_flags, long pages);

static inline unsigned long vma_pages(const struct vm_area_struct *vma)
{
	return (vma->vm_end - vma->vm_start) >> PAGE_SHIFT;
}

static inline bool vma_is_anonymous(const struct vm_area_struct *vma)
{
	return !vma->vm_ops;
}

/* Whether writes there are to be seen by nobody else: in private memory that may be written. */
static inline bool is_cow_mapping(u64 vm_flags)
{
	return (vm_flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE;
}

/* The page offset of an address of the area in what stands behind it. */
static inline unsigned long linear_page_index(const struct vm_area_struct *vma, unsigned long addr)
{
	return vma->vm_pgoff + ((addr - vma->vm_start) >> PAGE_SHIFT);
}

/* Unmapped room kept free below a growing stack, in pages. */
#define STACK_GUARD_GAP_PAGES 256UL

/* Where an area begins for who looks for a gap: a stack's guard gap belongs to it. */
static inline unsigned long vm_start_gap(const struct vm_area_struct *vma)
{
	unsigned long gap = STACK_GUARD_GAP_PAGES << PAGE_SHIFT;

	if (!(vma->vm_flags & VM_GROWSDOWN))
		return vma->vm_start;
	return vma->vm_start > gap ? vma->vm_start - gap : 0;
}

#define for_each_vma(mm, vma) for ((vma) = (mm)->mmap; (vma); (vma) = (vma)->vm_next)

/*
 * Checks, each panicking with what is wrong: one area with its surroundings; all areas; all areas and
 * their totals; all that and every page-table entry. => mmap_lock held. validate_change() is called
 * after every change, in debug builds only does it look, and at how much depends on how much there is.
 */
void validate_area(struct mm_struct *mm, struct vm_area_struct *vma);
void validate_mm_areas(struct mm_struct *mm);
void validate_mm(struct mm_struct *mm);
void audit_mm(struct mm_struct *mm); /* debug builds only; others may truncate files meanwhile */
void validate_change(struct mm_struct *mm, struct vm_area_struct *vma);

#endif
