/* SPDX-License-Identifier: MIT */
/*
 * The areas of an address space: in a red-black tree by address, for finding, and in a list in the
 * same order, for going through. Each node also knows the largest free gap below any area of its
 * subtree, which is what the search for free addresses (unmapped_area.c) descends by.
 *
 * Locks: mmap_lock, for reading to look and for writing to change; who changes an area locks it, too,
 * since faults look without mmap_lock (vma_lock.c). Nothing here allocates but vm_area_alloc() and
 * vm_area_dup(), which are called before the first change.
 */
#include "kernel/base/string.h"
#include "mm/internal.h"

static struct kmem_cache *vma_cache;

void vma_init(void)
{
	vma_cache = kmem_cache_create("vm_area_struct", sizeof(struct vm_area_struct), 0);
}

/* --- the gap below an area -------------------------------------------------------------------- */

static struct vm_area_struct *rb_vma(struct rb_node *node)
{
	return rb_entry(node, struct vm_area_struct, vm_rb);
}

/* Free bytes between the area before (or address 0) and where this one begins, its guard gap included. */
static unsigned long vma_gap(const struct vm_area_struct *vma)
{
	unsigned long start = vm_start_gap(vma), prev_end = vma->vm_prev ? vma->vm_prev->vm_end : 0;

	return start > prev_end ? start - prev_end : 0;
}

static bool compute_subtree_gap(struct vm_area_struct *vma, bool stop_if_same)
{
	unsigned long gap = vma_gap(vma);
	struct rb_node *l = vma->vm_rb.rb_left, *r = vma->vm_rb.rb_right;

	if (l)
		gap = max(gap, rb_vma(l)->rb_subtree_gap);
	if (r)
		gap = max(gap, rb_vma(r)->rb_subtree_gap);
	if (stop_if_same && gap == vma->rb_subtree_gap)
		return true;
	vma->rb_subtree_gap = gap;
	return false;
}

RB_DECLARE_CALLBACKS(static, vma_gap_callbacks, struct vm_area_struct, vm_rb, rb_subtree_gap,
		     compute_subtree_gap);

void vma_gap_update(struct vm_area_struct *vma)
{
	vma_gap_callbacks.propagate(&vma->vm_rb, NULL);
}

/* --- find ---------------------------------------------------------------------------------------- */

struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma = vmacache_find(mm, addr), *found = NULL;
	struct rb_node *node = mm->mm_rb.rb_node;
	unsigned int visited = 0;

	if (likely(vma))
		return vma;
	while (node) {
		vma = rb_vma(node);
		visited++;
		if (vma->vm_end > addr) {
			found = vma;
			if (vma->vm_start <= addr)
				break;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	count_vm_events(VMA_VISITED, visited);
	if (found)
		vmacache_update(addr, found);
	return found;
}

struct vm_area_struct *find_vma_prev(struct mm_struct *mm, unsigned long addr,
				     struct vm_area_struct **prev)
{
	struct vm_area_struct *vma = find_vma(mm, addr);
	struct rb_node *last;

	if (vma) {
		*prev = vma->vm_prev;
	} else {
		last = rb_last(&mm->mm_rb);
		*prev = last ? rb_vma(last) : NULL;
	}
	return vma;
}

struct vm_area_struct *find_vma_intersection(struct mm_struct *mm, unsigned long start,
					     unsigned long end)
{
	struct vm_area_struct *vma = find_vma(mm, start);

	return vma && vma->vm_start < end ? vma : NULL;
}

int find_vma_links(struct mm_struct *mm, unsigned long start, unsigned long end,
		   struct vma_place *place)
{
	struct rb_node **link = &mm->mm_rb.rb_node;
	unsigned int visited = 0;

	place->prev = NULL;
	place->parent = NULL;
	while (*link) {
		struct vm_area_struct *vma = rb_vma(*link);

		place->parent = *link;
		visited++;
		if (vma->vm_end > start) {
			if (vma->vm_start < end)
				return -ENOMEM;
			link = &(*link)->rb_left;
		} else {
			place->prev = vma;
			link = &(*link)->rb_right;
		}
	}
	place->link = link;
	count_vm_events(VMA_VISITED, visited);
	return 0;
}

/* --- link and unlink ------------------------------------------------------------------------------- */

static struct address_space *vma_mapping(const struct vm_area_struct *vma)
{
	return vma->vm_file ? vma->vm_file->mapping : NULL;
}

/* => i_mmap_rwsem held for writing */
static void i_mmap_insert(struct vm_area_struct *vma, struct address_space *mapping)
{
	vma->i_mmap_node.start = vma->vm_pgoff;
	vma->i_mmap_node.last = vma->vm_pgoff + vma_pages(vma) - 1;
	interval_tree_insert(&vma->i_mmap_node, &mapping->i_mmap);
}

static void vma_link_file(struct vm_area_struct *vma)
{
	struct address_space *mapping = vma_mapping(vma);

	if (!mapping)
		return;
	if (is_shared_maywrite(vma->vm_flags))
		__mapping_map_writable(mapping);
	down_write(&mapping->i_mmap_rwsem);
	i_mmap_insert(vma, mapping);
	up_write(&mapping->i_mmap_rwsem);
}

void vma_unlink_file(struct vm_area_struct *vma)
{
	struct address_space *mapping = vma_mapping(vma);

	if (!mapping)
		return;
	down_write(&mapping->i_mmap_rwsem);
	interval_tree_remove(&vma->i_mmap_node, &mapping->i_mmap);
	up_write(&mapping->i_mmap_rwsem);
	if (is_shared_maywrite(vma->vm_flags))
		mapping_unmap_writable(mapping);
}

/*
 * Around a change of the tree, or of where an area lies: who walks down without a lock may miss any
 * area meanwhile.
 */
static void tree_change_begin(struct mm_struct *mm)
{
	WRITE_ONCE(mm->mm_rb_seq, mm->mm_rb_seq + 1);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

static void tree_change_end(struct mm_struct *mm)
{
	__atomic_store_n(&mm->mm_rb_seq, mm->mm_rb_seq + 1, __ATOMIC_RELEASE);
}

static void list_insert(struct mm_struct *mm, struct vm_area_struct *vma,
			struct vm_area_struct *prev)
{
	vma->vm_prev = prev;
	vma->vm_next = prev ? prev->vm_next : mm->mmap;
	if (prev)
		prev->vm_next = vma;
	else
		mm->mmap = vma;
	if (vma->vm_next)
		vma->vm_next->vm_prev = vma;
	else
		mm->highest_vm_end = vma->vm_end;
}

static void link_in_mm(struct mm_struct *mm, struct vm_area_struct *vma,
		       const struct vma_place *place)
{
	vma_start_write(vma);
	vma->attached = true;
	list_insert(mm, vma, place->prev);
	tree_change_begin(mm);
	rb_link_node(&vma->vm_rb, place->parent, place->link);
	/* Gaps must be right on every path before the tree turns; the one behind has shrunk. */
	vma->rb_subtree_gap = 0;
	vma_gap_update(vma);
	if (vma->vm_next)
		vma_gap_update(vma->vm_next);
	rb_insert_augmented(&vma->vm_rb, &mm->mm_rb, &vma_gap_callbacks);
	tree_change_end(mm);
	mm->map_count++;
	trace(AREA_INSERT, mm, vma->vm_start, vma->vm_end, vma->vm_flags, vma->vm_pgoff);
}

void vma_link(struct mm_struct *mm, struct vm_area_struct *vma, const struct vma_place *place)
{
	link_in_mm(mm, vma, place);
	vma_link_file(vma);
	validate_change(mm, vma);
}

void vma_unlink(struct mm_struct *mm, struct vm_area_struct *vma)
{
	struct vm_area_struct *prev = vma->vm_prev, *next = vma->vm_next;

	vma_start_write(vma);
	vma->attached = false;
	tree_change_begin(mm);
	rb_erase_augmented(&vma->vm_rb, &mm->mm_rb, &vma_gap_callbacks);
	tree_change_end(mm);
	if (prev)
		prev->vm_next = next;
	else
		mm->mmap = next;
	if (next) {
		next->vm_prev = prev;
		vma_gap_update(next);
	} else {
		mm->highest_vm_end = prev ? prev->vm_end : 0;
	}
	mm->map_count--;
	trace(AREA_REMOVE, mm, vma->vm_start, vma->vm_end, vma->vm_flags);
	vmacache_invalidate(mm);
	validate_change(mm, next);
}

/* --- make and free ---------------------------------------------------------------------------------- */

struct vm_area_struct *vm_area_alloc(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma = kmem_cache_zalloc(vma_cache, GFP_KERNEL);

	if (!vma)
		return NULL;
	vma->vm_mm = mm;
	vma->vm_start = start;
	vma->vm_end = end;
	INIT_LIST_HEAD(&vma->anon_vma_chain);
	return vma;
}

struct vm_area_struct *vm_area_dup(const struct vm_area_struct *vma, struct mm_struct *mm)
{
	struct vm_area_struct *new = kmem_cache_alloc(vma_cache, GFP_KERNEL);

	if (!new)
		return NULL;
	/* All but its place in the file's tree, which others of that file change. */
	memcpy(new, vma, offsetof(struct vm_area_struct, i_mmap_node));
	new->vm_lock_seq = 0;
	atomic_set(&new->vm_readers, 0);
	new->attached = false;
	new->vm_mm = mm;
	INIT_LIST_HEAD(&new->anon_vma_chain);
	new->anon_vma = NULL;
	new->vm_next = NULL;
	new->vm_prev = NULL;
	if (new->vm_file)
		new->vm_file->vm_fops->get(new->vm_file);
	if (new->vm_ops &&new->vm_ops->open)
		new->vm_ops->open(new);
	return new;
}

static void free_area_rcu(struct rcu_head *head)
{
	kmem_cache_free(vma_cache, container_of(head, struct vm_area_struct, rcu));
}

/* Whether a fault without locks may still be looking at it: not if it never was in a tree. */
static bool may_have_readers(const struct vm_area_struct *vma)
{
	return vma->vm_lock_seq && atomic_read(&vma->vm_mm->mm_users);
}

void remove_vma(struct vm_area_struct *vma)
{
	DEBUG_ON(vma->attached);
	if (vma->vm_ops && vma->vm_ops->close)
		vma->vm_ops->close(vma);
	if (vma->vm_file)
		vma->vm_file->vm_fops->put(vma->vm_file);
	unlink_anon_vmas(vma);
	if (may_have_readers(vma))
		call_rcu(&vma->rcu, free_area_rcu);
	else
		kmem_cache_free(vma_cache, vma);
}

/* --- change the ends -------------------------------------------------------------------------------- */

void vma_set_range(struct vm_area_struct *vma, unsigned long start, unsigned long end)
{
	struct address_space *mapping = vma_mapping(vma);
	struct mm_struct *mm = vma->vm_mm;
	bool shrinks = start > vma->vm_start || end < vma->vm_end;

	trace(AREA_CHANGE, mm, vma->vm_start, vma->vm_end, start, end);
	vma_start_write(vma);
	/* Whoever looks for the pages' areas meanwhile waits: he would miss this one. */
	if (mapping) {
		down_write(&mapping->i_mmap_rwsem);
		interval_tree_remove(&vma->i_mmap_node, &mapping->i_mmap);
	}
	anon_vma_pre_resize(vma);
	/* Unsigned arithmetic wraps as it should when the start moves down. */
	vma->vm_pgoff += (start >> PAGE_SHIFT) - (vma->vm_start >> PAGE_SHIFT);
	tree_change_begin(mm);
	WRITE_ONCE(vma->vm_start, start);
	WRITE_ONCE(vma->vm_end, end);
	tree_change_end(mm);
	anon_vma_post_resize(vma);
	if (mapping) {
		i_mmap_insert(vma, mapping);
		up_write(&mapping->i_mmap_rwsem);
	}
	if (shrinks)
		vmacache_invalidate(mm);
	vma_gap_update(vma);
	if (vma->vm_next)
		vma_gap_update(vma->vm_next);
	else
		mm->highest_vm_end = end;
}

/* --- split -------------------------------------------------------------------------------------------- */

int __split_vma(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long addr,
		bool new_below)
{
	struct vm_area_struct *new;
	struct vma_place place;
	int err;

	DEBUG_ON(addr <= vma->vm_start || addr >= vma->vm_end || (addr & ~PAGE_MASK));
	if (vma->vm_ops && vma->vm_ops->may_split) {
		err = vma->vm_ops->may_split(vma, addr);
		if (err)
			return err;
	}
	vma_start_write(vma);
	new = vm_area_dup(vma, mm);
	if (!new)
		return -ENOMEM;

	if (new_below) {
		new->vm_end = addr;
	} else {
		new->vm_start = addr;
		new->vm_pgoff += (addr - vma->vm_start) >> PAGE_SHIFT;
	}
	err = anon_vma_clone(new, vma);
	if (err) {
		remove_vma(new);
		return err;
	}
	trace(AREA_SPLIT, mm, vma->vm_start, vma->vm_end, addr);
	/* Everything is there; from here on nothing can fail. Pages are in one area or both all the time. */
	vma_link_file(new);
	vma_set_range(vma, new_below ? addr : vma->vm_start, new_below ? vma->vm_end : addr);
	err = find_vma_links(mm, new->vm_start, new->vm_end, &place);
	BUG_ON(err);
	link_in_mm(mm, new, &place);
	validate_change(mm, new);
	return 0;
}

int split_vma(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long addr, bool new_below)
{
	if (mm->map_count >= sysctl_max_map_count)
		return -ENOMEM;
	return __split_vma(mm, vma, addr, new_below);
}

/* --- what flags mean ------------------------------------------------------------------------------------ */

pgprot_t vm_get_page_prot(u64 vm_flags)
{
	bool exec = vm_flags & VM_EXEC;

	if (!(vm_flags & VM_ACCESS_FLAGS))
		return PAGE_NONE;
	/* A private page is mapped writable only one by one, when it is known to be nobody else's. */
	if ((vm_flags & (VM_WRITE | VM_SHARED)) == (VM_WRITE | VM_SHARED))
		return exec ? PAGE_SHARED_EXEC : PAGE_SHARED;
	return exec ? PAGE_READONLY_EXEC : PAGE_READONLY;
}

bool vma_wants_writenotify(const struct vm_area_struct *vma)
{
	/* Others are mapped read-only anyway. */
	if ((vma->vm_flags & (VM_WRITE | VM_SHARED)) != (VM_WRITE | VM_SHARED))
		return false;
	if (vma->vm_ops && vma->vm_ops->page_mkwrite)
		return true;
	if (!(vma->vm_flags & VM_SOFTDIRTY))
		return true;
	if (vma->vm_flags & VM_PFNMAP)
		return false;
	return vma->vm_file && vma->vm_file->mapping &&
	       mapping_can_writeback(vma->vm_file->mapping);
}

pgprot_t vma_page_prot(const struct vm_area_struct *vma)
{
	const u64 unwritable = vma_wants_writenotify(vma) ? VM_SHARED : 0;
	pgprot_t prot = vm_get_page_prot(vma->vm_flags & ~unwritable);

	/* How a device's memory is cached is its driver's to say. */
	return vma->vm_flags & VM_PFNMAP ? pgprot_modify(vma->vm_page_prot, prot) : prot;
}

void vma_set_page_prot(struct vm_area_struct *vma)
{
	WRITE_ONCE(vma->vm_page_prot, vma_page_prot(vma));
}
