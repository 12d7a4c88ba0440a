/* SPDX-License-Identifier: MIT */
/*
 * twin_map.h: the operations that change the areas. Like those of twin_ops.h, each picks its
 * arguments at random, most of them so that the call succeeds on the areas there are, says what it
 * does, and does it.
 *
 * Where the kernel chooses an address, only whether it is in the region goes into the text; what
 * lies elsewhere is unmapped or moved back. Not used, as its effect depends on the state of the
 * kernel's lists: MADV_PAGEOUT.
 *
 * No expression draws two random numbers whose order is the compiler's choice: a seed means the same
 * in every build.
 */
#ifndef USER_TWIN_MAP_H
#define USER_TWIN_MAP_H

#include "twin_state.h"

static unsigned long page_addr(unsigned long page)
{
	return REGION + page * PAGE;
}

/* --- choosing --------------------------------------------------------------------------------- */

/* Some pages of the areas there are, or any of the near part. At most max pages. */
static void pick_range(unsigned long max, unsigned long *addr, unsigned long *len)
{
	unsigned long start = below(NEAR_PAGES), pages = 1 + below(8);

	if (state.count && chance(80)) {
		const struct area *area = &state.areas[below(state.count)];
		unsigned long size = area->end - area->start;

		start = area->start;
		pages = size;
		switch (below(4)) {
		case 0:
			pages = 1 + below(size);
			break;
		case 1:
			pages = 1 + below(size);
			start = area->end - pages;
			break;
		case 2:
			start += below(size);
			pages = 1 + below(area->end - start);
			break;
		}
		/* Over the end now and then, into what comes next. */
		if (chance(12))
			pages += 1 + below(6);
	}
	if (pages > max)
		pages = 1 + below(max);
	*addr = page_addr(start);
	*len = pages * PAGE;
}

/* A page in or around the areas there are; below them where stacks may grow. */
static unsigned long pick_page(void)
{
	const struct area *area;

	if (!state.count || chance(5))
		return below(NEAR_PAGES);
	area = &state.areas[below(state.count)];
	if (area->start >= STACK_FROM && area->start < BIG_FROM && chance(60))
		return area->start - 1 - below(chance(50) ? 4 : 400);
	if (area->end - area->start >= 512)
		return area->start + (chance(50) ? below(area->end - area->start) :
						   512 * below((area->end - area->start) / 512));
	return area->start + below(area->end - area->start);
}

/* What is written: letters, so that it can also serve as a file's name, which doesn't exist. */
static uint64_t tag(unsigned long page, unsigned int number)
{
	return 0x40404040 | (page & 15) | (page >> 4 & 15) << 8 | (number & 15) << 16 |
	       (uint64_t)(number >> 4 & 15) << 24;
}

/* One of the things that must fail, with an argument that is wrong in itself. */
static void spoil(unsigned long *addr, unsigned long *len, bool huge)
{
	switch (below(huge ? 8 : 6)) {
	case 0:
		*addr += 1 + below(PAGE - 1);
		break;
	case 1:
		*len = 0;
		break;
	case 2:
		*len = -PAGE;
		break;
	case 3:
		*len = -1UL;
		break;
	case 4:
		*addr = TASK_SIZE;
		break;
	case 5:
		*addr = -PAGE;
		break;
	case 6:
		*len = 1UL << 63;
		break;
	case 7:
		*len = TASK_SIZE;
		break;
	}
}

static int pick_prot(void)
{
	static const unsigned char prots[20] = { 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
						 3, 1, 1, 1, 0, 0, 5, 7, 2, 4 };

	return prots[below(sizeof(prots))];
}

/* --- mmap and munmap -------------------------------------------------------------------------- */

static const struct {
	unsigned long flag;
	const char *name;
	unsigned int percent;
} map_flags[] = {
	{ MAP_NORESERVE, "noreserve", 8 }, { MAP_POPULATE, "populate", 12 },
	{ MAP_LOCKED, "locked", 6 },	   { MAP_NONBLOCK, "nonblock", 4 },
	{ MAP_STACK, "stack", 4 },	   { 0x40, "32bit", 2 },
	{ 0x200000, "unknown", 2 },
};

/* Maps, which has been said already; what the kernel puts elsewhere is unmapped again. */
static void call_mmap(unsigned long addr, unsigned long len, unsigned long prot,
		      unsigned long flags, int fd, unsigned long offset)
{
	long ret = kernel(SYS_mmap, addr, len, prot, flags, fd, offset);

	if (op.result)
		return;
	if (ret >= (long)REGION && ret < (long)(REGION + REGION_PAGES * PAGE)) {
		snprintf(op.extra, sizeof(op.extra), " at %lu", (ret - REGION) / PAGE);
		return;
	}
	snprintf(op.extra, sizeof(op.extra), " elsewhere");
	syscall(SYS_munmap, ret, len);
}

static void say_map_flags(unsigned long flags)
{
	if (flags & MAP_FIXED)
		say_op(" fixed");
	if (flags & MAP_FIXED_NOREPLACE)
		say_op(" noreplace");
	if (flags & MAP_GROWSDOWN)
		say_op(" growsdown");
	for (size_t i = 0; i < sizeof(map_flags) / sizeof(map_flags[0]); i++)
		if (flags & map_flags[i].flag)
			say_op(" %s", map_flags[i].name);
	if ((flags & MAP_TYPE) == MAP_SHARED_VALIDATE)
		say_op(" validate");
	else if (flags & MAP_SHARED)
		say_op(" shared");
	else if (!(flags & MAP_PRIVATE))
		say_op(" no type");
}

static void do_mmap(unsigned long addr, unsigned long len, unsigned long prot, unsigned long flags)
{
	say_range(addr, len);
	say_prot(prot);
	say_map_flags(flags);
	if (!(flags & MAP_ANONYMOUS))
		say_op(" no file");
	call_mmap(addr, len, prot, flags, -1, 0);
}

static unsigned long pick_map_flags(void)
{
	unsigned long flags = MAP_PRIVATE | MAP_ANONYMOUS;

	for (size_t i = 0; i < sizeof(map_flags) / sizeof(map_flags[0]); i++)
		if (chance(map_flags[i].percent))
			flags |= map_flags[i].flag;
	return flags;
}

/* Mostly at the very place. */
static unsigned long place_flags(unsigned long flags)
{
	if (chance(75))
		return flags | MAP_FIXED;
	if (chance(50))
		return flags | MAP_FIXED_NOREPLACE;
	return flags & ~0x40UL; /* 32BIT would go elsewhere */
}

static void op_mmap(void)
{
	unsigned long pages = 1 + below(chance(70) ? 5 : 24);
	unsigned long addr = page_addr(below(NEAR_PAGES - pages)), len = pages * PAGE;
	unsigned long flags = pick_map_flags(), prot = pick_prot();

	begin_op(C_MMAP);
	if (chance(with_files ? 40 : 15))
		flags ^= MAP_PRIVATE | MAP_SHARED;
	flags = place_flags(flags);
	if (chance(5))
		flags |= MAP_GROWSDOWN;
	if (chance(3))
		len -= below(PAGE);
	if (chance(5)) {
		switch (below(5)) {
		case 0:
			flags &= ~(unsigned long)MAP_PRIVATE;
			break;
		case 1:
			flags &= ~(unsigned long)MAP_ANONYMOUS;
			break;
		case 2:
			addr = below(16) * PAGE;
			flags |= MAP_FIXED;
			break;
		default:
			spoil(&addr, &len, true);
			break;
		}
	}
	do_mmap(addr, len, prot, flags);
}

/* In the parts for stacks and for whole page tables. */
static void op_mmap_stack(void)
{
	unsigned long at = STACK_FROM + below(STACK_PAGES - 4), pages = 1 + below(4);
	unsigned long prot = chance(85) ? 3 : pick_prot();
	unsigned long flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

	if (chance(75))
		flags |= MAP_GROWSDOWN;
	begin_op(C_MMAP);
	do_mmap(page_addr(at), pages * PAGE, prot, flags);
}

/* A place in the big part: a table's start, a page beside it, or anywhere. */
static unsigned long pick_big(unsigned long pages)
{
	unsigned long at = BIG_FROM + 512 * below((BIG_PAGES - pages) / 512);

	switch (below(4)) {
	case 0:
		return at + below(512);
	case 1:
		return at + 1;
	case 2:
		return at + 511;
	}
	return at;
}

static unsigned long pick_big_size(void)
{
	unsigned long pages = 512 * (1 + below(3));

	return chance(40) ? pages + below(512) : pages;
}

static void op_mmap_big(void)
{
	unsigned long pages = pick_big_size(), at = pick_big(pages + 512);

	begin_op(C_MMAP);
	do_mmap(page_addr(at), pages * PAGE, chance(85) ? 3 : 1,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED);
}

static void op_munmap(void)
{
	unsigned long addr, len;

	pick_range(REGION_PAGES, &addr, &len);
	if (chance(5))
		spoil(&addr, &len, true);
	begin_op(C_MUNMAP);
	say_range(addr, len);
	kernel(SYS_munmap, addr, len, 0, 0, 0, 0);
}

/* --- mprotect, mremap ------------------------------------------------------------------------- */

static void op_mprotect(void)
{
	unsigned long addr, len, prot = pick_prot();

	pick_range(REGION_PAGES, &addr, &len);
	if (chance(5))
		spoil(&addr, &len, false);
	if (chance(2))
		prot |= 8;
	if (chance(3))
		prot |= PROT_GROWSDOWN;
	if (chance(1))
		prot |= PROT_GROWSUP;
	if (chance(1))
		prot |= 0x10;
	begin_op(C_MPROTECT);
	say_range(addr, len);
	say_prot(prot);
	kernel(SYS_mprotect, addr, len, prot, 0, 0, 0);
}

/* The pages that a move took out of the region come back, to a place in the near part. */
static void bring_back(unsigned long addr, unsigned long len)
{
	unsigned long to = page_addr(below(NEAR_PAGES));
	long ret;

	if (len > 32 * PAGE)
		to = page_addr(BIG_FROM + 512 * below(8));
	ret = syscall(SYS_mremap, addr, len, len, REMAP_MAYMOVE | REMAP_FIXED, to);
	snprintf(op.extra, sizeof(op.extra), " elsewhere, back to %lu: %s", (to - REGION) / PAGE,
		 ret == -1 ? result_name(errno) : "ok");
	if (ret == -1)
		syscall(SYS_munmap, addr, len);
}

static void do_mremap(unsigned long old, unsigned long old_len, unsigned long new_len,
		      unsigned long flags, unsigned long new)
{
	long ret;

	say_range(old, old_len);
	say_op(" to");
	if (flags & REMAP_FIXED || flags & REMAP_DONTUNMAP)
		say_range(new, new_len);
	else
		say_op(new_len % PAGE || new_len > REGION_PAGES * PAGE ? " +0x%lx" : " +%lu",
		       new_len % PAGE || new_len > REGION_PAGES * PAGE ? new_len : new_len / PAGE);
	say_op("%s%s%s", flags & REMAP_MAYMOVE ? " maymove" : "",
	       flags & REMAP_FIXED ? " fixed" : "", flags & REMAP_DONTUNMAP ? " dontunmap" : "");
	if (flags & ~7UL)
		say_op(" 0x%lx", flags & ~7UL);
	ret = kernel(SYS_mremap, old, old_len, new_len, flags, new, 0);
	if (op.result)
		return;
	if (ret >= (long)REGION && ret < (long)(REGION + REGION_PAGES * PAGE))
		snprintf(op.extra, sizeof(op.extra), " at %lu", (ret - REGION) / PAGE);
	else
		bring_back(ret, (new_len + PAGE - 1) & -PAGE);
}

static void op_mremap(void)
{
	unsigned long old, old_len, new_len, flags = 0, new = 0;

	pick_range(64, &old, &old_len);
	new_len = old_len;
	switch (below(8)) {
	case 0: /* shrink */
	case 1:
		new_len = (1 + below(old_len / PAGE)) * PAGE;
		flags = chance(50) ? REMAP_MAYMOVE : 0;
		break;
	case 2: /* grow in place */
		new_len += (1 + below(6)) * PAGE;
		break;
	case 3: /* grow, anywhere */
		new_len += (1 + below(6)) * PAGE;
		flags = REMAP_MAYMOVE;
		break;
	case 4: /* to a given place, perhaps of another size */
	case 5:
		flags = REMAP_MAYMOVE | REMAP_FIXED;
		if (chance(30))
			new_len = (1 + below(12)) * PAGE;
		break;
	case 6:
		flags = REMAP_MAYMOVE | REMAP_FIXED | REMAP_DONTUNMAP;
		break;
	case 7: /* the kernel's choice, or the hint */
		flags = REMAP_MAYMOVE | REMAP_DONTUNMAP;
		break;
	}
	if (flags & (REMAP_FIXED | REMAP_DONTUNMAP))
		new = page_addr(below(NEAR_PAGES));
	/* What is shared can be mapped once more. */
	if (with_files && flags & REMAP_MAYMOVE && chance(15))
		old_len = 0;
	if (chance(10)) {
		switch (below(9)) {
		case 0:
			old_len = 0;
			break;
		case 1:
			new_len = 0;
			break;
		case 2:
			old += 1;
			break;
		case 3:
			new += 1;
			break;
		case 4:
			flags ^= REMAP_MAYMOVE;
			break;
		case 5:
			flags |= 8;
			break;
		case 6:
			new = below(2) ? TASK_SIZE : below(16) * PAGE;
			break;
		case 7:
			new_len = 1UL << 63;
			break;
		case 8:
			old_len -= 1 + below(PAGE - 1);
			break;
		}
	}
	begin_op(C_MREMAP);
	do_mremap(old, old_len, new_len, flags, new);
}

/* Whole page tables. */
static void op_mremap_big(void)
{
	unsigned long pages, old = 0, flags = REMAP_MAYMOVE | REMAP_FIXED;
	int tries = 8;

	do {
		const struct area *area = state.count ? &state.areas[below(state.count)] : NULL;

		if (area && area->end - area->start >= 512) {
			old = area->start;
			pages = area->end - area->start;
		}
	} while (!old && --tries);
	if (!old) {
		op_mmap_big();
		return;
	}
	if (chance(40)) {
		unsigned long skip = below(pages / 2);

		old += skip;
		pages -= skip;
	}
	if (pages > 2048)
		pages = 2048;
	if (chance(15))
		flags |= REMAP_DONTUNMAP;
	begin_op(C_MREMAP);
	do_mremap(page_addr(old), pages * PAGE, pages * PAGE, flags,
		  page_addr(chance(60) ? BIG_FROM + 512 * below(12) + old % 512 :
					 pick_big(pages + 512)));
}

#endif
