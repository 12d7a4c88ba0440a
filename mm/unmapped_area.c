/* SPDX-License-Identifier: MIT */
/*
 * Where a new area goes. Free addresses are the gaps below areas (each area counts the gap below
 * itself) and the one above the last. A subtree whose largest gap is too small is not entered, so a
 * search looks at O(log n) areas:
 *
 *	            [40 ##### 52]  subtree_gap 20
 *	           /              \
 *	[10 ### 20]  gap 10        [60 ## 65]  gap 8       looking for 15, top-down:
 *	subtree 20                 subtree 8               8 < 15, so not to the right;
 *	                                                   own gap 40-20 = 20: fits.
 */
#include "kernel/abi/mman.h"
#include "mm/internal.h"

struct gap_search {
	unsigned long len;
	unsigned long low, high; /* the result lies in [low, high) */
};

#define NO_GAP 1UL /* never a page-aligned address */

/* The lowest and the highest place in a gap, clipped to where we may look. */
static unsigned long fit_low(const struct gap_search *s, unsigned long start, unsigned long end)
{
	start = max(start, s->low);
	end = min(end, s->high);
	return start < end && end - start >= s->len ? start : NO_GAP;
}

static unsigned long fit_high(const struct gap_search *s, unsigned long start, unsigned long end)
{
	unsigned long low = fit_low(s, start, end);

	return low == NO_GAP ? NO_GAP : min(end, s->high) - s->len;
}

static struct vm_area_struct *node_vma(struct rb_node *node)
{
	return rb_entry_safe(node, struct vm_area_struct, vm_rb);
}

static unsigned long prev_end(const struct vm_area_struct *vma)
{
	return vma->vm_prev ? vma->vm_prev->vm_end : 0;
}

/* Recursion is as deep as the tree: at most 2 log2(65531) = 32. */
static unsigned long highest_gap(const struct gap_search *s, const struct vm_area_struct *vma)
{
	unsigned long addr;

	if (!vma || vma->rb_subtree_gap < s->len)
		return NO_GAP;
	count_vm_event(VMA_VISITED);
	if (vma->vm_end < s->high) {
		addr = highest_gap(s, node_vma(vma->vm_rb.rb_right));
		if (addr != NO_GAP)
			return addr;
	}
	addr = fit_high(s, prev_end(vma), vm_start_gap(vma));
	if (addr != NO_GAP || prev_end(vma) <= s->low)
		return addr;
	return highest_gap(s, node_vma(vma->vm_rb.rb_left));
}

static unsigned long lowest_gap(const struct gap_search *s, const struct vm_area_struct *vma)
{
	unsigned long addr;

	if (!vma || vma->rb_subtree_gap < s->len)
		return NO_GAP;
	count_vm_event(VMA_VISITED);
	if (vma->vm_start > s->low) {
		addr = lowest_gap(s, node_vma(vma->vm_rb.rb_left));
		if (addr != NO_GAP)
			return addr;
	}
	addr = fit_low(s, prev_end(vma), vm_start_gap(vma));
	if (addr != NO_GAP || vma->vm_end >= s->high)
		return addr;
	return lowest_gap(s, node_vma(vma->vm_rb.rb_right));
}

/* The free stretch of len bytes with the highest (or lowest) address in [low, high), or -ENOMEM. */
static unsigned long find_gap(struct mm_struct *mm, unsigned long low, unsigned long high,
			      unsigned long len, bool topdown)
{
	struct gap_search s = { len, low, high };
	struct vm_area_struct *root = node_vma(mm->mm_rb.rb_node);
	unsigned long top = mm->highest_vm_end, addr;

	if (topdown) {
		addr = fit_high(&s, top, high);
		if (addr == NO_GAP)
			addr = highest_gap(&s, root);
	} else {
		addr = lowest_gap(&s, root);
		if (addr == NO_GAP)
			addr = fit_low(&s, top, high);
	}
	return addr == NO_GAP ? (unsigned long)-ENOMEM : addr;
}

/* A hint is taken when it is free, guard gaps of stacks included. */
static bool hint_is_free(struct mm_struct *mm, unsigned long addr, unsigned long len)
{
	struct vm_area_struct *vma;

	if (addr > TASK_SIZE - len)
		return false;
	vma = find_vma(mm, addr);
	return !vma || addr + len <= vm_start_gap(vma);
}

/* MAP_32BIT: [1 GiB, 2 GiB), where code models of old could reach. */
#define LOW32_BEGIN 0x40000000UL
#define LOW32_END   0x80000000UL

unsigned long arch_get_unmapped_area(struct mm_struct *mm, unsigned long addr, unsigned long len,
				     unsigned long pgoff, unsigned long flags)
{
	unsigned long begin = mm->mmap_legacy_base, end = TASK_SIZE;

	if (len > TASK_SIZE)
		return -ENOMEM;
	if (flags & MAP_FIXED)
		return addr;
	if (flags & MAP_32BIT) {
		begin = LOW32_BEGIN + mm->mmap_low32_shift;
		end = LOW32_END;
	}
	if (len > end)
		return -ENOMEM;
	if (addr && addr <= end - len && hint_is_free(mm, addr, len))
		return addr;
	return find_gap(mm, begin, end, len, false);
}

unsigned long arch_get_unmapped_area_topdown(struct mm_struct *mm, unsigned long addr,
					     unsigned long len, unsigned long pgoff,
					     unsigned long flags)
{
	unsigned long found;

	if (len > TASK_SIZE)
		return -ENOMEM;
	if (flags & MAP_FIXED)
		return addr;
	if (flags & MAP_32BIT)
		return arch_get_unmapped_area(mm, addr, len, pgoff, flags);
	if (addr && hint_is_free(mm, addr, len))
		return addr;
	found = find_gap(mm, max(sysctl_mmap_min_addr, PAGE_SIZE), mm->mmap_base, len, true);
	if (!IS_ERR_VALUE(found))
		return found;
	return find_gap(mm, mm->mmap_legacy_base, TASK_SIZE, len, false);
}

unsigned long get_unmapped_area_aligned(unsigned long addr, unsigned long len, unsigned long pgoff,
					unsigned long flags, unsigned long align)
{
	struct mm_struct *mm = current_mm_task()->mm;
	const unsigned long offset = (pgoff << PAGE_SHIFT) & (align - 1);
	unsigned long found;

	if ((flags & MAP_FIXED) || len < align || len > TASK_SIZE - align)
		return mm->get_unmapped_area(mm, addr, len, pgoff, flags);
	/* Somewhere in so much more room is a place that fits. */
	found = mm->get_unmapped_area(mm, addr, len + align, pgoff, flags);
	if (IS_ERR_VALUE(found))
		return mm->get_unmapped_area(mm, addr, len, pgoff, flags);
	/* A hint that can be followed is. */
	return found == addr ? addr : found + ((offset - found) & (align - 1));
}

unsigned long get_unmapped_area(struct mm_struct *mm, struct vm_file *file, unsigned long addr,
				unsigned long len, unsigned long pgoff, unsigned long flags)
{
	if (len > TASK_SIZE)
		return -ENOMEM;
	if (file && file->vm_fops->get_unmapped_area)
		addr = file->vm_fops->get_unmapped_area(file, addr, len, pgoff, flags);
	else
		addr = mm->get_unmapped_area(mm, addr, len, pgoff, flags);
	if (IS_ERR_VALUE(addr))
		return addr;
	if (addr > TASK_SIZE - len)
		return -ENOMEM;
	if (addr & ~PAGE_MASK)
		return -EINVAL;
	if (addr < sysctl_mmap_min_addr && !task_capable(CAP_SYS_RAWIO))
		return -EPERM;
	return addr;
}
