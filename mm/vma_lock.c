/* SPDX-License-Identifier: MIT */
/*
 * The lock of each area, so that a fault waits only for what happens to its own area:
 *
 *	a fault                             who changes areas (mmap_lock held for writing)
 *
 *	lock_vma_under_rcu()                vma_start_write()
 *	  rcu_read_lock                       vm_lock_seq = mm_lock_seq: it is locked
 *	  down the tree, no lock at all       are there readers? waits until the last one leaves
 *	  one reader more                   changes the area, its pages, its place in the tree
 *	  is it locked? then not            mmap_write_unlock(), or downgrade
 *	  is it the area, and attached?       mm_lock_seq++: no area is locked any more
 *	  rcu_read_unlock
 *	handle_mm_fault()
 *	vma_end_read()
 *
 * Readers don't wait: what can't be had at once they look for under mmap_lock, for which the writer
 * makes them wait in order of arrival. A writer has each area until he lets go of mmap_lock, so he
 * needn't remember which; the numbers have 64 bits and never come round.
 *
 * A walk down the tree while somebody turns it may lead anywhere, but only to areas: links are set
 * after what they lead to is complete, and an area is freed one grace period after it left the tree. So
 * what a walk finds is a guess, and locking the area and then looking at it makes it certain: while it is
 * locked and attached its range is its own. That the tree has changed elsewhere meanwhile doesn't
 * matter. It matters when nothing was found: mm_rb_seq, odd while the tree changes, tells whether the
 * walk could be trusted.
 *
 * Order: mmap_lock, an area's lock, everything else. Who holds an area's lock doesn't wait for
 * mmap_lock, and who calls vma_start_write() holds nothing that a fault may wait for.
 */
#include "mm/internal.h"

/* --- who changes areas ------------------------------------------------------------------------ */

static bool no_readers(const struct vm_area_struct *vma)
{
	return __atomic_load_n(&vma->vm_readers.v, __ATOMIC_SEQ_CST) == 0;
}

static noinline void wait_for_readers(const struct vm_area_struct *vma)
{
	wait_event(vma->vm_mm->vma_writer_wait, no_readers(vma));
}

void __vma_start_write(struct vm_area_struct *vma)
{
	const u64 seq = vma->vm_mm->mm_lock_seq;

	/* Nobody finds it, nobody has it. */
	if (!vma->attached) {
		WRITE_ONCE(vma->vm_lock_seq, seq);
		return;
	}
	/*
	 * We say that it is locked and then look for readers, a reader says that he is there and then looks
	 * whether it is locked: so one of us sees the other, or both do.
	 */
	__atomic_exchange_n(&vma->vm_lock_seq, seq, __ATOMIC_SEQ_CST);
	if (unlikely(!no_readers(vma)))
		wait_for_readers(vma);
}

/* --- who looks ---------------------------------------------------------------------------------- */

/*
 * Twice as deep as a red-black tree can be that has an area for every other page: more steps are a walk in
 * a circle, which a turning tree may show for a moment.
 */
#define MAX_STEPS 72
/* How often a walk that found nothing because the tree changed is tried again. */
#define MAX_WALKS 4

/* The area that addr seems to lie in, or NULL. => rcu_read_lock() */
static __always_inline struct vm_area_struct *walk_down(const struct mm_struct *mm,
							unsigned long addr)
{
	const struct rb_node *node = rcu_dereference(mm->mm_rb.rb_node);

	for (unsigned int left = MAX_STEPS; node && left > 0; left--) {
		struct vm_area_struct *vma = rb_entry(node, struct vm_area_struct, vm_rb);

		if (addr >= READ_ONCE(vma->vm_end))
			node = rcu_dereference(node->rb_right);
		else if (addr < READ_ONCE(vma->vm_start))
			node = rcu_dereference(node->rb_left);
		else
			return vma;
	}
	return NULL;
}

/* The same after nothing was found: until it is certain that nothing is there. => rcu_read_lock() */
static noinline struct vm_area_struct *walk_again(const struct mm_struct *mm, unsigned long addr)
{
	for (int i = 0; i < MAX_WALKS; i++) {
		unsigned int seq = __atomic_load_n(&mm->mm_rb_seq, __ATOMIC_ACQUIRE);
		struct vm_area_struct *vma = walk_down(mm, addr);

		if (vma)
			return vma;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (!(seq & 1) && seq == READ_ONCE(mm->mm_rb_seq))
			break;
		cpu_relax();
	}
	return NULL;
}

/* Whether somebody changes the area. What he had done when it was over is seen after this. */
static bool is_write_locked(const struct mm_struct *mm, const struct vm_area_struct *vma)
{
	u64 seq = __atomic_load_n(&vma->vm_lock_seq, __ATOMIC_SEQ_CST);

	return seq == __atomic_load_n(&mm->mm_lock_seq, __ATOMIC_ACQUIRE);
}

struct vm_area_struct *lock_vma_under_rcu(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma;
	bool changing;

	rcu_read_lock();
	vma = walk_down(mm, addr);
	if (unlikely(!vma))
		vma = walk_again(mm, addr);
	/* The first look is only a hint, which keeps the lock's cache line where it is. */
	if (unlikely(!vma || is_write_locked(mm, vma))) {
		count_vm_event(VMA_LOCK_ABORT);
		rcu_read_unlock();
		return NULL;
	}
	__atomic_fetch_add(&vma->vm_readers.v, 1, __ATOMIC_SEQ_CST);
	changing = is_write_locked(mm, vma);
	if (likely(!changing && vma->attached && addr >= vma->vm_start && addr < vma->vm_end)) {
		rcu_read_unlock();
		return vma;
	}
	/* It was changed, or begun to be, between the walk and now. */
	vma_end_read(vma);
	if (changing)
		count_vm_event(VMA_LOCK_ABORT);
	else
		count_vm_event(VMA_LOCK_MISS);
	rcu_read_unlock();
	return NULL;
}
