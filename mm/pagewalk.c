/* SPDX-License-Identifier: MIT */
/*
 * One walk over page tables for everybody who only wants to look: it goes down level by level and
 * hands each leaf, entry and hole to the caller's functions.
 */
#include "mm/internal.h"

static int call_hole(struct mm_walk *walk, unsigned long addr, unsigned long next, int level)
{
	return walk->ops->hole ? walk->ops->hole(addr, next, level, walk) : 0;
}

static int walk_pte_range(pmd_t pmd, unsigned long addr, unsigned long end, struct mm_walk *walk)
{
	int ret = 0;

	if (!walk->ops->pte)
		return 0;
	walk->ptl = table_lockptr(pmd);
	for (; addr != end && !ret; addr += PAGE_SIZE)
		ret = walk->ops->pte(pte_offset(pmd, addr), addr, addr + PAGE_SIZE, walk);
	return ret;
}

/* What an entry and all above it allow: RW and USER are and-ed, NX is or-ed. */
static unsigned long combine(unsigned long parent, unsigned long entry)
{
	return (parent & entry & (_PAGE_RW | _PAGE_USER)) | ((parent | entry) & _PAGE_NX);
}

static int walk_pmd_range(pud_t pud, unsigned long addr, unsigned long end, struct mm_walk *walk)
{
	unsigned long above = walk->parent_flags, next;
	int ret = 0;

	for (; addr != end && !ret; addr = next) {
		pmd_t *pmdp = pmd_offset(pud, addr);
		pmd_t pmd = pmdp_get(pmdp);

		next = pmd_addr_end(addr, end);
		if (pmd_table(pmd)) {
			walk->parent_flags = combine(above, pmd.v);
			ret = walk_pte_range(pmd, addr, next, walk);
			walk->parent_flags = above;
		} else if (pmd_leaf(pmd)) {
			ret = walk->ops->pmd_leaf ? walk->ops->pmd_leaf(pmdp, addr, next, walk) : 0;
		} else {
			ret = call_hole(walk, addr, next, 2);
		}
	}
	return ret;
}

static int walk_pud_range(pgd_t pgd, unsigned long addr, unsigned long end, struct mm_walk *walk)
{
	unsigned long above = walk->parent_flags, next;
	int ret = 0;

	for (; addr != end && !ret; addr = next) {
		pud_t *pudp = pud_offset(pgd, addr);
		pud_t pud = pudp_get(pudp);

		next = pud_addr_end(addr, end);
		if (pud_table(pud)) {
			walk->parent_flags = combine(above, pud.v);
			ret = walk_pmd_range(pud, addr, next, walk);
			walk->parent_flags = above;
		} else if (pud_leaf(pud)) {
			ret = walk->ops->pud_leaf ? walk->ops->pud_leaf(pudp, addr, next, walk) : 0;
		} else {
			ret = call_hole(walk, addr, next, 3);
		}
	}
	return ret;
}

int walk_page_range(pgd_t *pgd, unsigned long start, unsigned long end,
		    const struct mm_walk_ops *ops, void *private)
{
	struct mm_walk walk = { .ops = ops, .pgd = pgd, .private = private };
	unsigned long addr = start, next;
	int ret = 0;

	for (; addr != end && !ret; addr = next) {
		pgd_t e = pgdp_get(pgd_offset_pgd(pgd, addr));

		next = pgd_addr_end(addr, end);
		if (pgd_table(e)) {
			walk.parent_flags = combine(_PAGE_RW | _PAGE_USER, e.v);
			ret = walk_pud_range(e, addr, next, &walk);
		} else {
			ret = call_hole(&walk, addr, next, 4);
		}
	}
	return ret;
}
