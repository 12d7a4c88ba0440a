/* SPDX-License-Identifier: MIT */
/*
 * mremap(2): shrink, grow in place, or move. A move makes a second area at the new place and hangs the
 * page tables over, at the highest level that alignment allows: a whole table of 1 GiB or 2 MiB by one
 * entry, single pages by theirs. No page is copied, and no page is ever reachable twice.
 *
 *	old  |....|TTTT|TTTT|....|        T: a whole table moves by its PMD entry
 *	           \    \                 .: single entries at the ragged ends
 *	new  |....|TTTT|TTTT|....|        only if old and new agree modulo 2 MiB
 */
#include "kernel/abi/mman.h"
#include "mm/internal.h"

struct move {
	struct mm_struct *mm;
	struct vm_area_struct *vma; /* the area that is moved, or has its part moved */
	unsigned long old, old_len, new, new_len;
	unsigned long flags;	/* MREMAP_* */
	unsigned long populate; /* bytes to bring in from `new + old_len` on, 0 for none */
};

/* --- page tables ------------------------------------------------------------------------------------ */

/*
 * Moves tables that map `size` bytes each, from `old` on, from the entries at from to those at to: up to
 * max of them, until one is missing or has something in its way. Returns how many. From the moment
 * others can get the lock nobody comes to them by the old address: else he could still write a page that
 * has been unmapped at the new one, and given away.
 */
static unsigned int move_tables(struct mm_struct *mm, unsigned long *from, unsigned long *to,
				unsigned long max, unsigned long old, unsigned long new,
				unsigned long size)
{
	const int level = size == PUD_SIZE ? LEVEL_PUD : LEVEL_PMD;
	unsigned int n;

	spin_lock(&mm->page_table_lock);
	for (n = 0; n < max && READ_ONCE(from[n]) && !READ_ONCE(to[n]); n++) {
		WRITE_ONCE(to[n], from[n]);
		WRITE_ONCE(from[n], 0);
		trace(PTE_MOVE, mm, old + n * size, new + n *size, level, to[n]);
	}
	if (n)
		tlb_flush_range(&mm->context, old, old + n * size);
	spin_unlock(&mm->page_table_lock);
	return n;
}

/* For the trace, all at once: of entries that move there are many. Where they came to there was nothing. */
static void trace_moved(const struct mm_struct *mm, const pte_t *to, unsigned long old,
			unsigned long new, unsigned long end)
{
	for (; old != end; old += PAGE_SIZE, new += PAGE_SIZE, to++)
		if (!pte_none(ptep_get(to)))
			trace(PTE_MOVE, mm, old, new, LEVEL_PTE, ptep_get(to).v);
}

static pte_t move_soft_dirty(pte_t pte)
{
	return pte_present(pte) ? pte_mksoft_dirty(pte) : pte;
}

/* The locks of two tables, or of one: the lower address first. */
static void lock_two_tables(spinlock_t *a, spinlock_t *b)
{
	spin_lock(min(a, b));
	if (a != b)
		spin_lock_nested(max(a, b), PTE_LOCK_SECOND);
}

static void unlock_two_tables(spinlock_t *a, spinlock_t *b)
{
	if (a != b)
		spin_unlock(max(a, b));
	spin_unlock(min(a, b));
}

/*
 * Single entries of one table to (part of) one other, which may be the same table. Flushed under
 * the locks, as a table is.
 */
static void move_ptes(struct mm_struct *mm, pmd_t *old_pmd, unsigned long old, pmd_t *new_pmd,
		      unsigned long new, unsigned long len)
{
	pte_t *from = pte_offset(pmdp_get(old_pmd), old), *to = pte_offset(pmdp_get(new_pmd), new);
	spinlock_t *old_lock = pte_lockptr(old_pmd), *new_lock = pte_lockptr(new_pmd);
	const unsigned long end = old + len;
	unsigned long moved = 0;

	lock_two_tables(old_lock, new_lock);
	for (; len > 0; len -= PAGE_SIZE, from++, to++) {
		pte_t pte = ptep_get(from);

		if (pte_none(pte))
			continue;
		set_pte(to, move_soft_dirty(ptep_get_and_clear(from)));
		moved++;
	}
	if (moved && trace_on(PTE_MOVE))
		trace_moved(mm, pte_offset(pmdp_get(new_pmd), new), old, new, end);
	if (moved)
		tlb_flush_range(&mm->context, old, end);
	unlock_two_tables(old_lock, new_lock);
	count_vm_events(MREMAP_MOVED_PTE, moved);
}

/* How far both addresses stay within one entry of that size, and not beyond `left`. */
static unsigned long extent(unsigned long old, unsigned long new, unsigned long left,
			    unsigned long size)
{
	unsigned long e = min(size - (old & (size - 1)), size - (new &(size - 1)));

	return min(e, left);
}

static pud_t *pud_lookup(struct mm_struct *mm, unsigned long addr)
{
	pgd_t *pgd = pgd_offset_pgd(mm->context.pgd, addr);

	return pgd_table(pgdp_get(pgd)) ? pud_offset(pgdp_get(pgd), addr) : NULL;
}

/*
 * One step: moves [old, old + n) and returns n, or 0 when a table could not be had. With `back`, `new` is
 * where the entries came from. The tables there were left, so where there is none, nothing came from:
 * the way back allocates nothing and can't fail.
 */
static unsigned long move_step(struct mm_struct *mm, unsigned long old, unsigned long new,
			       unsigned long left, bool back)
{
	unsigned long n = extent(old, new, left, PUD_SIZE);
	pud_t *old_pud = pud_lookup(mm, old), *new_pud;
	pmd_t *old_pmd, *new_pmd;
	unsigned long max, moved;

	if (!old_pud || !pud_table(pudp_get(old_pud)))
		return n;
	if (n == PUD_SIZE) {
		new_pud = back ? pud_lookup(mm, new) : pud_alloc(mm, new);
		if (!new_pud)
			return back ? n : 0;
		if (move_tables(mm, &old_pud->v, &new_pud->v, 1, old, new, PUD_SIZE)) {
			count_vm_event(MREMAP_MOVED_PUD);
			return n;
		}
	}
	n = extent(old, new, left, PMD_SIZE);
	old_pmd = pmd_offset(pudp_get(old_pud), old);
	if (!pmd_table(pmdp_get(old_pmd)))
		return n;
	new_pmd = back ? pmd_lookup(mm->context.pgd, new) : pmd_alloc(mm, new);
	if (!new_pmd)
		return back ? n : 0;
	if (n == PMD_SIZE) {
		max = extent(old, new, left, PUD_SIZE) / PMD_SIZE;
		moved = move_tables(mm, &old_pmd->v, &new_pmd->v, max, old, new, PMD_SIZE);
		count_vm_events(MREMAP_MOVED_PMD, moved);
		if (moved)
			return moved * PMD_SIZE;
	}
	if (back && !pmd_table(pmdp_get(new_pmd)))
		return n;
	if (pte_alloc(mm, new_pmd, new))
		return 0;
	move_ptes(mm, old_pmd, old, new_pmd, new, n);
	return n;
}

/*
 * Who goes from a page to the entries that map it, or truncates a file, finds them all at the old place
 * or all at the new one.
 */
static void rmap_lock(struct vm_area_struct *vma)
{
	if (vma->vm_file && vma->vm_file->mapping)
		down_write(&vma->vm_file->mapping->i_mmap_rwsem);
	if (vma->anon_vma)
		down_write(&vma->anon_vma->root->rwsem);
}

static void rmap_unlock(struct vm_area_struct *vma)
{
	if (vma->anon_vma)
		up_write(&vma->anon_vma->root->rwsem);
	if (vma->vm_file && vma->vm_file->mapping)
		up_write(&vma->vm_file->mapping->i_mmap_rwsem);
}

/*
 * Moves the entries of [old, old + len) of m->vma's pages to `new`. Returns the bytes moved, fewer when
 * memory for a table ran out. => the areas at both places locked for writing: nobody faults meanwhile
 */
static unsigned long move_page_tables(struct move *m, unsigned long old, unsigned long new,
				      unsigned long len, bool back)
{
	struct mm_struct *mm = m->mm;
	unsigned long done = 0;

	rmap_lock(m->vma);
	while (done < len) {
		unsigned long n = move_step(mm, old + done, new + done, len - done, back);

		if (!n)
			break;
		done += n;
	}
	rmap_unlock(m->vma);
	return done;
}

/* --- areas ---------------------------------------------------------------------------------------------- */

/*
 * An area at the new place like m->vma, to which m->vma's pages will be moved: a neighbour's extension
 * or a new one. May merge m->vma itself away, which then names what it became. NULL: no memory.
 */
static struct vm_area_struct *copy_vma(struct move *m)
{
	struct vm_area_struct *vma = m->vma, *new;
	struct vma_place place;
	struct vma_kind kind = {
		.flags = vma->vm_flags,
		.file = vma->vm_file,
		.pgoff = linear_page_index(vma, m->old),
		.anon_vma = vma->anon_vma,
	};
	unsigned long vma_start = vma->vm_start;
	int err;

	/* With DONTUNMAP the source stays, and stays an area of its own. */
	if (m->flags & MREMAP_DONTUNMAP)
		kind.avoid = vma;
	/* Memory that nobody wrote is as good as new there; written pages keep the index they know. */
	if (vma_is_anonymous(vma) && !vma->anon_vma)
		kind.pgoff = m->new >> PAGE_SHIFT;
	err = find_vma_links(m->mm, m->new, m->new + m->new_len, &place);
	if (err)
		return NULL;
	new = vma_merge(m->mm, place.prev, NULL, m->new, m->new + m->new_len, &kind);
	if (new) {
		if (vma_start >= new->vm_start && vma_start < new->vm_end)
			m->vma = new;
		return new;
	}
	new = vm_area_dup(vma, m->mm);
	if (!new)
		return NULL;
	new->vm_start = m->new;
	new->vm_end = m->new + m->new_len;
	new->vm_pgoff = kind.pgoff;
	if (anon_vma_clone(new, vma)) {
		remove_vma(new);
		return NULL;
	}
	vma_link(m->mm, new, &place);
	return new;
}

/* Whether the area may be cut where the moved range begins and ends. */
static int may_cut_out(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	int err = 0;

	if (!vma->vm_ops || !vma->vm_ops->may_split)
		return 0;
	if (vma->vm_start != start)
		err = vma->vm_ops->may_split(vma, start);
	if (!err && vma->vm_end != end)
		err = vma->vm_ops->may_split(vma, end);
	return err;
}

static void set_accounted(struct vm_area_struct *vma)
{
	vma_start_write(vma);
	vm_flags_reset(vma, vma->vm_flags | VM_ACCOUNT);
}

/*
 * The old range goes without giving its promise of memory back: that went along. What remains of the
 * area on either side keeps its own.
 */
static void unmap_old(struct move *m, struct vm_area_struct *vma, unsigned long start,
		      unsigned long len, bool accounted)
{
	bool before = start > vma->vm_start, behind = start + len < vma->vm_end;
	unsigned long vma_start = vma->vm_start, vma_end = vma->vm_end;
	struct vm_area_struct *rest;

	vma_start_write(vma);
	if (accounted)
		vm_flags_reset(vma, vma->vm_flags & ~(u64)VM_ACCOUNT);
	if (do_munmap_empty(m->mm, start, len)) {
		/* It could not be split: the old range stays, as memory of its own. */
		rest = accounted ? find_vma(m->mm, vma_start) : NULL;
		for (; rest && rest->vm_start < vma_end; rest = rest->vm_next)
			set_accounted(rest);
		if (accounted)
			vm_acct_memory(len >> PAGE_SHIFT);
		return;
	}
	if (!accounted)
		return;
	rest = before ? find_vma(m->mm, vma_start) : NULL;
	if (rest)
		set_accounted(rest);
	rest = behind ? find_vma(m->mm, vma_end - 1) : NULL;
	if (rest)
		set_accounted(rest);
}

/*
 * MREMAP_DONTUNMAP takes the lock along with the pages: the range is cut out of a locked area first, as
 * in Linux, so that nothing is left that could fail afterwards. 0 or -ENOMEM.
 */
static int cut_out_locked(struct move *m)
{
	unsigned long end = m->old + m->old_len;
	int err = 0;

	if (m->vma->vm_start < m->old)
		err = split_vma(m->mm, m->vma, m->old, true);
	if (!err && m->vma->vm_end > end)
		err = split_vma(m->mm, m->vma, end, false);
	return err;
}

/* The old range stays, empty. */
static void keep_old_empty(struct move *m)
{
	struct vm_area_struct *vma = m->vma;
	unsigned long end = m->old + m->old_len;

	if (vma->vm_flags & VM_LOCKED) {
		vma_start_write(vma);
		vm_flags_reset(vma, vma->vm_flags & ~(u64)VM_LOCKED_MASK);
		m->mm->locked_vm -= m->old_len >> PAGE_SHIFT;
	}
	if (vma->vm_start != m->old || vma->vm_end != end)
		return;
	/* Nothing in it was ever written, as it is now: so it is numbered like new memory, too. */
	unlink_anon_vmas(vma);
	if (vma_is_anonymous(vma) && !vma->vm_file)
		vma->vm_pgoff = vma->vm_start >> PAGE_SHIFT;
}

/* What was moved goes back, and the new area away: the tables there are still in place, so this can't fail. */
static void move_back(struct move *m, struct vm_area_struct *new, unsigned long moved,
		      bool accounted)
{
	unsigned long hiwater_vm = m->mm->hiwater_vm;

	if (move_page_tables(m, m->new, m->old, moved, true) != moved)
		BUG();
	vm_stat_account(m->mm, new->vm_flags, (long)(m->new_len >> PAGE_SHIFT));
	unmap_old(m, new, m->new, m->new_len, accounted);
	m->mm->hiwater_vm = hiwater_vm;
}

/* Moves m->old to m->new, which is free. The new address or -errno. */
static unsigned long move_vma(struct move *m)
{
	struct mm_struct *mm = m->mm;
	u64 vm_flags = m->vma->vm_flags;
	const bool dontunmap = m->flags & MREMAP_DONTUNMAP, accounted = vm_flags & VM_ACCOUNT;
	unsigned long charge = dontunmap ? m->new_len : m->new_len - m->old_len, moved;
	unsigned long hiwater_vm;
	struct vm_area_struct *new;
	int err;

	if (mm->map_count >= sysctl_max_map_count - 3)
		return -ENOMEM;
	vma_start_write(m->vma);
	err = may_cut_out(m->vma, m->old, m->old + m->old_len);
	if (err)
		return err;
	if (dontunmap && (vm_flags & VM_LOCKED))
		err = cut_out_locked(m);
	if (err)
		return err;
	if (accounted && vm_enough_memory(mm, charge >> PAGE_SHIFT))
		return -ENOMEM;
	new = copy_vma(m);
	if (!new) {
		if (accounted)
			vm_unacct_memory(charge >> PAGE_SHIFT);
		return -ENOMEM;
	}
	moved = move_page_tables(m, m->old, m->new, m->old_len, false);
	err = moved < m->old_len ? -ENOMEM : 0;
	if (!err && m->vma->vm_ops && m->vma->vm_ops->mremap)
		err = m->vma->vm_ops->mremap(new);
	if (err) {
		move_back(m, new, moved, accounted);
		if (accounted)
			vm_unacct_memory(charge >> PAGE_SHIFT);
		return err;
	}
	/* Old and new are there together only for this moment: that is no peak. */
	hiwater_vm = mm->hiwater_vm;
	vm_stat_account(mm, vm_flags, (long)(m->new_len >> PAGE_SHIFT));
	if (dontunmap) {
		keep_old_empty(m);
		return m->new;
	}
	unmap_old(m, m->vma, m->old, m->old_len, accounted);
	mm->hiwater_vm = max(hiwater_vm, mm->total_vm);
	if ((vm_flags & VM_LOCKED) && m->new_len > m->old_len)
		m->populate = m->new_len - m->old_len;
	return m->new;
}

/* --- checks ----------------------------------------------------------------------------------------------- */

/* Whether the area at m->old may have the new size: 0, and m->vma is it; or -errno. */
static int vma_to_resize(struct move *m)
{
	struct vm_area_struct *vma = find_vma(m->mm, m->old);
	unsigned long pgoff, grow = m->new_len - m->old_len;

	if (!vma || vma->vm_start > m->old)
		return -EFAULT;
	m->vma = vma;
	/* Length 0 asks for a second view, which only shared memory can have. */
	if (!m->old_len && !(vma->vm_flags & (VM_SHARED | VM_MAYSHARE)))
		return -EINVAL;
	if ((m->flags & MREMAP_DONTUNMAP) && (vma->vm_flags & (VM_DONTEXPAND | VM_PFNMAP)))
		return -EINVAL;
	if (m->old_len > vma->vm_end - m->old)
		return -EFAULT;
	if (m->new_len == m->old_len)
		return 0;
	pgoff = linear_page_index(vma, m->old);
	if (pgoff + (m->new_len >> PAGE_SHIFT) < pgoff)
		return -EINVAL;
	if (vma->vm_flags & (VM_DONTEXPAND | VM_PFNMAP))
		return -EFAULT;
	if (mlock_future_check(m->mm, vma->vm_flags, grow))
		return -EAGAIN;
	if (!may_expand_vm(m->mm, vma->vm_flags, grow >> PAGE_SHIFT))
		return -ENOMEM;
	return 0;
}

static unsigned long map_flags_of(const struct move *m)
{
	return m->vma->vm_flags & VM_MAYSHARE ? MAP_SHARED : 0;
}

/* MREMAP_FIXED and MREMAP_DONTUNMAP. */
static unsigned long mremap_to(struct move *m)
{
	struct mm_struct *mm = m->mm;
	unsigned long addr;
	int err;

	if ((m->new & ~PAGE_MASK) || m->new_len > TASK_SIZE || m->new > TASK_SIZE - m->new_len)
		return -EINVAL;
	if (m->old + m->old_len > m->new && m->new + m->new_len > m->old)
		return -EINVAL;
	/* Both ends of the old area, and what the target is cut from: up to this many areas more. */
	if (mm->map_count + 2 >= sysctl_max_map_count - 3)
		return -ENOMEM;
	if (m->flags & MREMAP_FIXED) {
		err = do_munmap(mm, m->new, m->new_len);
		if (err)
			return err;
	}
	if (m->old_len > m->new_len) {
		err = do_munmap(mm, m->old + m->new_len, m->old_len - m->new_len);
		if (err)
			return err;
		m->old_len = m->new_len;
	}
	err = vma_to_resize(m);
	if (err)
		return err;
	if ((m->flags & MREMAP_DONTUNMAP) &&
	    !may_expand_vm(mm, m->vma->vm_flags, m->old_len >> PAGE_SHIFT))
		return -ENOMEM;
	addr = get_unmapped_area(mm, m->vma->vm_file, m->new, m->new_len,
				 linear_page_index(m->vma, m->old),
				 map_flags_of(m) | (m->flags & MREMAP_FIXED ? MAP_FIXED : 0));
	if (IS_ERR_VALUE(addr))
		return addr;
	m->new = addr;
	return move_vma(m);
}

static bool can_grow_in_place(const struct move *m)
{
	struct vm_area_struct *vma = m->vma;
	unsigned long end = vma->vm_end + (m->new_len - m->old_len);

	if (m->old + m->old_len != vma->vm_end || end < vma->vm_end)
		return false;
	if (find_vma_intersection(m->mm, vma->vm_end, end))
		return false;
	return !(get_unmapped_area(m->mm, NULL, vma->vm_start, end - vma->vm_start, 0, MAP_FIXED) &
		 ~PAGE_MASK);
}

/* Nothing is in the way behind: the area itself gets longer, or becomes one with the next. */
static unsigned long grow_in_place(struct move *m)
{
	struct vm_area_struct *vma = m->vma;
	unsigned long end = vma->vm_end, grow = m->new_len - m->old_len;
	const struct vma_kind kind = {
		.flags = vma->vm_flags,
		.file = vma->vm_file,
		.pgoff = vma->vm_pgoff + vma_pages(vma),
		.anon_vma = vma->anon_vma,
	};

	if ((vma->vm_flags & VM_ACCOUNT) && vm_enough_memory(m->mm, grow >> PAGE_SHIFT))
		return -ENOMEM;
	vma = vma_merge(m->mm, vma, NULL, end, end + grow, &kind);
	if (!vma) {
		/* A device's area doesn't merge even with itself: stretch it. */
		vma = m->vma;
		vma_set_range(vma, vma->vm_start, end + grow);
		validate_change(m->mm, vma);
	}
	vm_stat_account(m->mm, vma->vm_flags, (long)(grow >> PAGE_SHIFT));
	if (vma->vm_flags & VM_LOCKED)
		m->populate = grow;
	m->new = m->old;
	return m->old;
}

/*
 * A free place for the whole. Where tables could move as a whole, one that agrees with the old address
 * modulo 2 MiB: a page table then moves by one entry instead of 512.
 */
static unsigned long choose_place(const struct move *m)
{
	unsigned long pgoff = linear_page_index(m->vma, m->old), flags = map_flags_of(m), addr;
	bool has_table = ALIGN_UP(m->old, PMD_SIZE) + PMD_SIZE <= m->old + m->old_len;

	if (has_table && m->new_len <= TASK_SIZE - PMD_SIZE) {
		addr = get_unmapped_area(m->mm, m->vma->vm_file, 0, m->new_len + PMD_SIZE, pgoff,
					 flags);
		if (!IS_ERR_VALUE(addr))
			return addr + ((m->old - addr) & (PMD_SIZE - 1));
	}
	return get_unmapped_area(m->mm, m->vma->vm_file, 0, m->new_len, pgoff, flags);
}

/* => mmap_lock held for writing; lengths are whole pages. */
static unsigned long do_mremap(struct move *m)
{
	struct vm_area_struct *vma = find_vma(m->mm, m->old);
	unsigned long addr;
	int err;

	if (!vma || vma->vm_start > m->old)
		return -EFAULT;
	if (m->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP))
		return mremap_to(m);
	if (m->old_len >= m->new_len) {
		if (m->old_len == m->new_len)
			return m->old;
		err = do_munmap(m->mm, m->old + m->new_len, m->old_len - m->new_len);
		return err ? (unsigned long)err : m->old;
	}
	err = vma_to_resize(m);
	if (err)
		return err;
	if (can_grow_in_place(m))
		return grow_in_place(m);
	if (!(m->flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	addr = choose_place(m);
	if (IS_ERR_VALUE(addr))
		return addr;
	m->new = addr;
	return move_vma(m);
}

unsigned long vm_mremap(unsigned long addr, unsigned long old_len, unsigned long new_len,
			unsigned long flags, unsigned long new_addr)
{
	struct move m = {
		.mm = current_mm_task()->mm,
		.old = addr,
		.old_len = ALIGN_UP(old_len, PAGE_SIZE),
		.new = new_addr,
		.new_len = ALIGN_UP(new_len, PAGE_SIZE),
		.flags = flags,
	};
	unsigned long ret, grown_at;

	if (flags & ~(unsigned long)(MREMAP_FIXED | MREMAP_MAYMOVE | MREMAP_DONTUNMAP))
		return -EINVAL;
	if ((flags & MREMAP_FIXED) && !(flags & MREMAP_MAYMOVE))
		return -EINVAL;
	if ((flags & MREMAP_DONTUNMAP) && (!(flags & MREMAP_MAYMOVE) || old_len != new_len))
		return -EINVAL;
	if (addr & ~PAGE_MASK)
		return -EINVAL;
	if (!m.new_len)
		return -EINVAL;
	mmap_write_lock(m.mm);
	ret = do_mremap(&m);
	mmap_write_unlock(m.mm);
	grown_at = m.new + m.old_len;
	if (!IS_ERR_VALUE(ret) && m.populate)
		mm_populate(m.mm, grown_at, m.populate);
	return ret;
}
