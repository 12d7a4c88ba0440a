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
 * Locks: mmap_lock for an area's list of chains (for reading, one fault at a time under
 * prepare_lock); anon_vma->rwsem for the tree. Everything is allocated before the first change.
 */
#include "mm/internal.h"

static struct kmem_cache *anon_vma_cache, *avc_cache;

/* Faults of one mm hold mmap_lock only for reading, so two may want to give an area its anon_vma. */
static struct mutex prepare_lock = MUTEX_INIT(prepare_lock);

void anon_vma_init(void)
{
	anon_vma_cache = kmem_cache_create("anon_vma", sizeof(struct anon_vma), 0);
	avc_cache = kmem_cache_create("anon_vma_chain", sizeof(struct anon_vma_chain), 0);
}

static struct anon_vma *anon_vma_alloc(void)
{
	struct anon_vma *av = kmem_cache_zalloc(anon_vma_cache, GFP_KERNEL);

	if (av) {
		init_rwsem(&av->rwsem);
		av->chains = RB_ROOT;
	}
	return av;
}

static void set_interval(struct anon_vma_chain *avc)
{
	avc->node.start = avc->vma->vm_pgoff;
	avc->node.last = avc->vma->vm_pgoff + vma_pages(avc->vma) - 1;
}

static void avc_link(struct anon_vma_chain *avc, struct vm_area_struct *vma, struct anon_vma *av)
{
	avc->vma = vma;
	avc->anon_vma = av;
	list_add_tail(&avc->same_vma, &vma->anon_vma_chain);
	set_interval(avc);
	down_write(&av->rwsem);
	interval_tree_insert(&avc->node, &av->chains);
	av->degree++;
	up_write(&av->rwsem);
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
	struct anon_vma_chain *avc = kmem_cache_alloc(avc_cache, GFP_KERNEL);
	struct anon_vma *av;
	int err = 0;

	if (!avc)
		return -ENOMEM;
	mutex_lock(&prepare_lock);
	if (vma->anon_vma)
		goto out;
	av = find_mergeable_anon_vma(vma);
	if (!av)
		av = anon_vma_alloc();
	if (!av) {
		err = -ENOMEM;
		goto out;
	}
	avc_link(avc, vma, av);
	WRITE_ONCE(vma->anon_vma, av);
	avc = NULL;
out:
	mutex_unlock(&prepare_lock);
	kmem_cache_free(avc_cache, avc);
	return err;
}

/* --- areas that come and go -------------------------------------------------------------------------- */

int anon_vma_clone(struct vm_area_struct *dst, const struct vm_area_struct *src)
{
	struct anon_vma_chain *from;

	list_for_each_entry(from, &src->anon_vma_chain, same_vma)
	{
		struct anon_vma_chain *avc = kmem_cache_alloc(avc_cache, GFP_KERNEL);

		if (!avc) {
			unlink_anon_vmas(dst);
			return -ENOMEM;
		}
		avc_link(avc, dst, from->anon_vma);
	}
	dst->anon_vma = src->anon_vma;
	return 0;
}

void unlink_anon_vmas(struct vm_area_struct *vma)
{
	struct anon_vma_chain *avc, *next;

	list_for_each_entry_safe(avc, next, &vma->anon_vma_chain, same_vma)
	{
		struct anon_vma *av = avc->anon_vma;
		bool last;

		down_write(&av->rwsem);
		interval_tree_remove(&avc->node, &av->chains);
		last = --av->degree == 0;
		up_write(&av->rwsem);
		list_del(&avc->same_vma);
		kmem_cache_free(avc_cache, avc);
		if (last)
			kmem_cache_free(anon_vma_cache, av);
	}
	vma->anon_vma = NULL;
}

void anon_vma_pre_resize(struct vm_area_struct *vma)
{
	struct anon_vma_chain *avc;

	list_for_each_entry(avc, &vma->anon_vma_chain, same_vma)
	{
		down_write(&avc->anon_vma->rwsem);
		interval_tree_remove(&avc->node, &avc->anon_vma->chains);
		up_write(&avc->anon_vma->rwsem);
	}
}

void anon_vma_post_resize(struct vm_area_struct *vma)
{
	struct anon_vma_chain *avc;

	list_for_each_entry(avc, &vma->anon_vma_chain, same_vma)
	{
		set_interval(avc);
		down_write(&avc->anon_vma->rwsem);
		interval_tree_insert(&avc->node, &avc->anon_vma->chains);
		up_write(&avc->anon_vma->rwsem);
	}
}
