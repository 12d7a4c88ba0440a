/* SPDX-License-Identifier: MIT */
/*
 * validate_mm(): does an address space still hold together? After every change in debug builds
 * while the areas are few, else every VALIDATE_EVERYth time; and always when it ends.
 */
#include "mm/internal.h"

#define VALIDATE_ALWAYS_BELOW 256
#define VALIDATE_EVERY	      1024

static void check_area(const struct mm_struct *mm, const struct vm_area_struct *vma,
		       const struct vm_area_struct *prev)
{
	if (vma->vm_mm != mm)
		panic("validate_mm: area %#lx belongs to another address space", vma->vm_start);
	if (vma->vm_start >= vma->vm_end || ((vma->vm_start | vma->vm_end) & ~PAGE_MASK))
		panic("validate_mm: area %#lx-%#lx is empty or not page-aligned", vma->vm_start,
		      vma->vm_end);
	if (vma->vm_end > TASK_SIZE)
		panic("validate_mm: area %#lx-%#lx reaches beyond user space", vma->vm_start,
		      vma->vm_end);
	if (vma->vm_prev != prev)
		panic("validate_mm: area %#lx: the list's links disagree", vma->vm_start);
	if (prev && prev->vm_end > vma->vm_start)
		panic("validate_mm: areas %#lx-%#lx and %#lx-%#lx overlap or are out of order",
		      prev->vm_start, prev->vm_end, vma->vm_start, vma->vm_end);
}

static struct vm_area_struct *rb_area(struct rb_node *node)
{
	return rb_entry_safe(node, struct vm_area_struct, vm_rb);
}

/* What rb_subtree_gap should be, computed from list and tree alone. */
static unsigned long expected_gap(const struct vm_area_struct *vma)
{
	unsigned long prev_end = vma->vm_prev ? vma->vm_prev->vm_end : 0;
	unsigned long start = vm_start_gap(vma);
	unsigned long gap = start > prev_end ? start - prev_end : 0;
	const struct vm_area_struct *l = rb_area(vma->vm_rb.rb_left);
	const struct vm_area_struct *r = rb_area(vma->vm_rb.rb_right);

	if (l)
		gap = max(gap, l->rb_subtree_gap);
	if (r)
		gap = max(gap, r->rb_subtree_gap);
	return gap;
}

void validate_mm_full(struct mm_struct *mm)
{
	const struct vm_area_struct *vma = mm->mmap, *prev = NULL;
	struct rb_node *node = rb_first(&mm->mm_rb);
	int n = 0;

	for (; vma; prev = vma, vma = vma->vm_next, node = rb_next(node)) {
		check_area(mm, vma, prev);
		if (rb_area(node) != vma)
			panic("validate_mm: list and tree differ at area %#lx", vma->vm_start);
		if (vma->rb_subtree_gap != expected_gap(vma))
			panic("validate_mm: area %#lx: largest gap below is %#lx, should be %#lx",
			      vma->vm_start, vma->rb_subtree_gap, expected_gap(vma));
		n++;
	}
	if (node)
		panic("validate_mm: the tree has more areas than the list");
	if (n != mm->map_count)
		panic("validate_mm: map_count is %d, there are %d areas", mm->map_count, n);
	if (mm->highest_vm_end != (prev ? prev->vm_end : 0))
		panic("validate_mm: highest_vm_end is %#lx", mm->highest_vm_end);
}

void validate_mm(struct mm_struct *mm)
{
#ifdef CONFIG_DEBUG
	static unsigned int changes;

	if (mm->map_count < VALIDATE_ALWAYS_BELOW || ++changes % VALIDATE_EVERY == 0)
		validate_mm_full(mm);
#endif
}
