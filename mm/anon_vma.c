/* SPDX-License-Identifier: MIT */
/*
 * The link from an anonymous page back to the areas that may map it:
 *
 *	page->mapping --> anon_vma <-- anon_vma_chain --> vm_area_struct
 *	                     ^-------- anon_vma_chain --> vm_area_struct (split off, or a child's)
 *
 * An area gets its anon_vma when its first page is written, not before: most areas never need one. It is
 * also what decides which touched areas may merge, since a merged area has only one for new pages.
 *
 * fork ties the child's area to everything its parent's is tied to, for the pages it inherits, and
 * gives it an anon_vma of its own for those it will write, which are no concern of its parent's:
 *
 *	parent: [A]   its child: [B A]   that one's child: [C B A]      (youngest first)
 *
 *	a page written by the first one before the forks: in A, searched for in all three
 *	a page written by the last one: in C, searched for in that one alone
 *
 * All that descend from one are a family, with the first as its root: every area of the family is tied
 * to the root. So that a line of forks whose parents end doesn't grow a chain without bound, a child
 * takes over an ancestor's anon_vma that no area writes to any more and that has but one child.
 *
 * Locks: mmap_lock for an area's list of chains (for reading, one fault at a time under
 * mm->anon_vma_lock); the root's rwsem for the trees and counts of a family. It nests in i_mmap_rwsem,
 * and page tables' locks in it. Everything is allocated before the first change.
 */
#include "mm/internal.h"

static struct kmem_cache *anon_vma_cache, *avc_cache;

void anon_vma_init(void)
{
	anon_vma_cache = kmem_cache_create("anon_vma", sizeof(struct anon_vma), 0);
	avc_cache = kmem_cache_create("anon_vma_chain", sizeof(struct anon_vma_chain), 0);
}

/* A new root. */
static struct anon_vma *anon_vma_alloc(void)
{
	struct anon_vma *av = kmem_cache_zalloc(anon_vma_cache, GFP_KERNEL);

	if (av) {
		init_rwsem(&av->rwsem);
		av->chains = RB_ROOT;
		av->root = av;
		av->parent = av;
		/* Its own: what comes later is never taken for a line without branches. */
		av->num_children = 1;
	}
	return av;
}

static void anon_vma_free(struct anon_vma *av)
{
	DEBUG_ON(av->num_children || av->num_active_vmas);
	kmem_cache_free(anon_vma_cache, av);
}

/* --- chains ------------------------------------------------------------------------------------------ */

/* Chains made before they are needed, in a list by same_vma. */
static void free_chains(struct list_head *spare)
{
	struct anon_vma_chain *avc, *next;

	list_for_each_entry_safe(avc, next, spare, same_vma) kmem_cache_free(avc_cache, avc);
	INIT_LIST_HEAD(spare);
}

static bool alloc_chains(struct list_head *spare, unsigned int n)
{
	while (n-- > 0) {
		struct anon_vma_chain *avc = kmem_cache_alloc(avc_cache, GFP_KERNEL);

		if (!avc) {
			free_chains(spare);
			return false;
		}
		list_add(&avc->same_vma, spare);
	}
	return true;
}

static unsigned int chain_length(const struct vm_area_struct *vma)
{
	const struct anon_vma_chain *avc;
	unsigned int n = 0;

	list_for_each_entry(avc, &vma->anon_vma_chain, same_vma) n++;
	return n;
}

static void set_interval(struct anon_vma_chain *avc)
{
	avc->node.start = avc->vma->vm_pgoff;
	avc->node.last = avc->vma->vm_pgoff + vma_pages(avc->vma) - 1;
}

/* Ties the area to an anon_vma, its youngest so far. => the root's rwsem held for writing */
static void chain_link(struct list_head *spare, struct vm_area_struct *vma, struct anon_vma *av)
{
	struct anon_vma_chain *avc = list_first_entry(spare, struct anon_vma_chain, same_vma);

	list_move(&avc->same_vma, &vma->anon_vma_chain);
	avc->vma = vma;
	avc->anon_vma = av;
	set_interval(avc);
	interval_tree_insert(&avc->node, &av->chains);
}

/* Ties dst to all that src is tied to, in the same order. => as above */
static void chains_link(struct list_head *spare, struct vm_area_struct *dst,
			const struct vm_area_struct *src)
{
	struct anon_vma_chain *from;

	list_for_each_entry_reverse(from, &src->anon_vma_chain, same_vma)
		chain_link(spare, dst, from->anon_vma);
}

/* The area's new pages go to av from now on. => as above */
static void activate(struct vm_area_struct *vma, struct anon_vma *av)
{
	av->num_active_vmas++;
	WRITE_ONCE(vma->anon_vma, av);
}

/* --- the first write -------------------------------------------------------------------------------- */

/*
 * A neighbour's anon_vma will do if the two areas could become one but for not being known yet: then
 * they can still merge later. The neighbour must not stem from a fork, whose twin shares it.
 */
static struct anon_vma *reusable_anon_vma(const struct vm_area_struct *near,
					  const struct vm_area_struct *low,
					  const struct vm_area_struct *high)
{
	u64 differ = low->vm_flags ^ high->vm_flags;

	if (low->vm_end != high->vm_start || low->vm_file != high->vm_file)
		return NULL;
	/* Rights may change back; anything else would keep them apart anyway. */
	if (differ & ~(u64)(VM_ACCESS_FLAGS | VM_SOFTDIRTY))
		return NULL;
	if (high->vm_pgoff != low->vm_pgoff + vma_pages(low))
		return NULL;
	return near->anon_vma && list_is_singular(&near->anon_vma_chain) ? near->anon_vma : NULL;
}

static struct anon_vma *find_mergeable_anon_vma(const struct vm_area_struct *vma)
{
	struct anon_vma *av = NULL;

	if (vma->vm_next)
		av = reusable_anon_vma(vma->vm_next, vma, vma->vm_next);
	if (!av && vma->vm_prev)
		av = reusable_anon_vma(vma->vm_prev, vma->vm_prev, vma);
	return av;
}

int __anon_vma_prepare(struct vm_area_struct *vma)
{
	LIST_HEAD(spare);
	struct anon_vma *av;
	int err = 0;

	if (!alloc_chains(&spare, 1))
		return -ENOMEM;
	/* Others fault at the same time, in this area or in one beside it. */
	mutex_lock(&vma->vm_mm->anon_vma_lock);
	if (vma->anon_vma)
		goto out;
	av = find_mergeable_anon_vma(vma);
	if (!av)
		av = anon_vma_alloc();
	if (!av) {
		err = -ENOMEM;
		goto out;
	}
	down_write(&av->root->rwsem);
	chain_link(&spare, vma, av);
	activate(vma, av);
	up_write(&av->root->rwsem);
out:
	mutex_unlock(&vma->vm_mm->anon_vma_lock);
	free_chains(&spare);
	return err;
}

/* --- areas that come and go -------------------------------------------------------------------------- */

int anon_vma_clone(struct vm_area_struct *dst, const struct vm_area_struct *src)
{
	struct anon_vma *av = src->anon_vma;
	LIST_HEAD(spare);

	if (!av)
		return 0;
	if (!alloc_chains(&spare, chain_length(src)))
		return -ENOMEM;
	down_write(&av->root->rwsem);
	chains_link(&spare, dst, src);
	activate(dst, av);
	up_write(&av->root->rwsem);
	return 0;
}

/*
 * One of the area's anon_vmas that a child may take for its own pages: the oldest that no area writes
 * to any more, unless its descendants branch. A page of the child's is then looked for in a few areas
 * too many, all of them on its own line of descent. Never the root. => the root's rwsem held
 */
static struct anon_vma *find_idle_anon_vma(const struct vm_area_struct *vma)
{
	struct anon_vma_chain *avc;

	list_for_each_entry_reverse(avc, &vma->anon_vma_chain, same_vma)
	{
		struct anon_vma *av = avc->anon_vma;

		if (av->num_active_vmas == 0 && av->num_children < 2)
			return av;
	}
	return NULL;
}

int anon_vma_fork(struct vm_area_struct *vma, const struct vm_area_struct *pvma)
{
	struct anon_vma *av, *own, *root;
	LIST_HEAD(spare);

	if (!pvma->anon_vma)
		return 0;
	own = anon_vma_alloc();
	if (!own)
		return -ENOMEM;
	own->num_children = 0;
	if (!alloc_chains(&spare, chain_length(pvma) + 1)) {
		anon_vma_free(own);
		return -ENOMEM;
	}
	root = pvma->anon_vma->root;
	down_write(&root->rwsem);
	chains_link(&spare, vma, pvma);
	av = find_idle_anon_vma(pvma);
	if (!av) {
		av = own;
		own = NULL;
		av->root = root;
		av->parent = pvma->anon_vma;
		av->parent->num_children++;
		chain_link(&spare, vma, av);
	}
	activate(vma, av);
	up_write(&root->rwsem);
	free_chains(&spare);
	if (own)
		anon_vma_free(own);
	return 0;
}

void unlink_anon_vmas(struct vm_area_struct *vma)
{
	struct anon_vma_chain *avc, *next;
	struct anon_vma *root;

	if (!vma->anon_vma)
		return;
	root = vma->anon_vma->root;
	down_write(&root->rwsem);
	vma->anon_vma->num_active_vmas--;
	list_for_each_entry_safe(avc, next, &vma->anon_vma_chain, same_vma)
	{
		struct anon_vma *av = avc->anon_vma;

		interval_tree_remove(&avc->node, &av->chains);
		if (!RB_EMPTY_ROOT(&av->chains)) {
			list_del(&avc->same_vma);
			kmem_cache_free(avc_cache, avc);
			continue;
		}
		/* The parent is in this list as well: it is freed after the walk, if at all. */
		av->parent->num_children--;
	}
	up_write(&root->rwsem);
	/* What is left are those that nobody else can find any more: the root may be one of them. */
	list_for_each_entry(avc, &vma->anon_vma_chain, same_vma) anon_vma_free(avc->anon_vma);
	free_chains(&vma->anon_vma_chain);
	vma->anon_vma = NULL;
}

/* Between these two, who looks for the area's pages has to wait. */
void anon_vma_pre_resize(struct vm_area_struct *vma)
{
	struct anon_vma_chain *avc;

	if (!vma->anon_vma)
		return;
	down_write(&vma->anon_vma->root->rwsem);
	list_for_each_entry(avc, &vma->anon_vma_chain, same_vma)
		interval_tree_remove(&avc->node, &avc->anon_vma->chains);
}

void anon_vma_post_resize(struct vm_area_struct *vma)
{
	struct anon_vma_chain *avc;

	if (!vma->anon_vma)
		return;
	list_for_each_entry(avc, &vma->anon_vma_chain, same_vma)
	{
		set_interval(avc);
		interval_tree_insert(&avc->node, &avc->anon_vma->chains);
	}
	up_write(&vma->anon_vma->root->rwsem);
}
