/* SPDX-License-Identifier: MIT */
/*
 * The first allocations: two sorted lists of ranges, the RAM there is and what of it is taken. An
 * allocation is one more reserved range. When the buddy allocator starts it takes over what is
 * RAM and not reserved, and from then on these lists only answer questions.
 */
#include "kernel/base/kasan.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "mm/page.h"

#define MAX_RANGES 256

struct range {
	u64 start, end;
};

struct range_list {
	unsigned int nr;
	struct range r[MAX_RANGES];
};

static struct range_list ram, reserved;
static struct range_list untouched; /* of what is reserved: what nobody writes to needlessly */

/* Takes out entries [first, first + n) and, with ins, puts one in their place. */
static void list_splice_ranges(struct range_list *l, unsigned int first, unsigned int n,
			       const struct range *ins)
{
	unsigned int tail = l->nr - first - n;

	if (ins && n == 0 && l->nr == MAX_RANGES)
		panic("memblock: more than %d ranges", MAX_RANGES);
	memmove(&l->r[first + !!ins], &l->r[first + n], tail * sizeof(l->r[0]));
	if (ins)
		l->r[first] = *ins;
	l->nr = first + !!ins + tail;
}

/* Adds [start, end), joining it with all it overlaps or touches. */
static void list_add_range(struct range_list *l, u64 start, u64 end)
{
	struct range r = { start, end };
	unsigned int i = 0, n = 0;

	if (start >= end)
		return;
	while (i < l->nr && l->r[i].end < start)
		i++;
	while (i + n < l->nr && l->r[i + n].start <= end) {
		r.start = min(r.start, l->r[i + n].start);
		r.end = max(r.end, l->r[i + n].end);
		n++;
	}
	list_splice_ranges(l, i, n, &r);
}

/* Cuts [start, end) out of every range. */
static void list_cut_range(struct range_list *l, u64 start, u64 end)
{
	for (unsigned int i = 0; i < l->nr; i++) {
		struct range r = l->r[i];

		if (r.end <= start || r.start >= end)
			continue;
		list_splice_ranges(l, i, 1, NULL);
		if (end < r.end)
			list_splice_ranges(l, i, 0, &(struct range){ end, r.end });
		if (r.start < start)
			list_splice_ranges(l, i, 0, &(struct range){ r.start, start });
		else
			i--;
	}
}

void memblock_reserve(u64 start, u64 size)
{
	list_add_range(&reserved, ALIGN_DOWN(start, PAGE_SIZE), ALIGN_UP(start + size, PAGE_SIZE));
}

/* Firmware's maps may overlap: where they do, anything that isn't RAM wins. */
void memblock_init(const struct boot_info *info)
{
	const u64 limit = PAGE_OFFSET_END - PAGE_OFFSET;

	for (unsigned int i = 0; i < info->nr_mem; i++) {
		const struct boot_mem *m = &info->mem[i];
		u64 end = m->start + m->size;

		/* Rounding up must not wrap round either. */
		if (m->type != BOOT_MEM_RAM || end < m->start || m->start >= limit)
			continue;
		list_add_range(&ram, ALIGN_UP(m->start, PAGE_SIZE),
			       ALIGN_DOWN(min(end, limit), PAGE_SIZE));
	}
	for (unsigned int i = 0; i < info->nr_mem; i++) {
		const struct boot_mem *m = &info->mem[i];
		u64 end = m->start + m->size;

		if (m->type == BOOT_MEM_RAM || m->size == 0)
			continue;
		if (end < m->start)
			end = ~0UL & PAGE_MASK;
		list_cut_range(&ram, ALIGN_DOWN(m->start, PAGE_SIZE), ALIGN_UP(end, PAGE_SIZE));
	}
	if (ram.nr == 0)
		panic("the boot loader's memory map has no usable RAM");
}

void memblock_for_each_ram(void (*fn)(u64 start, u64 end, void *arg), void *arg)
{
	for (unsigned int i = 0; i < ram.nr; i++)
		fn(ram.r[i].start, ram.r[i].end, arg);
}

void memblock_for_each_free(void (*fn)(u64 start, u64 end, void *arg), void *arg)
{
	unsigned int j = 0;

	for (unsigned int i = 0; i < ram.nr; i++) {
		u64 pos = ram.r[i].start, end = ram.r[i].end;

		while (pos < end) {
			while (j < reserved.nr && reserved.r[j].end <= pos)
				j++;
			if (j == reserved.nr || reserved.r[j].start >= end) {
				fn(pos, end, arg);
				break;
			}
			if (reserved.r[j].start > pos)
				fn(pos, reserved.r[j].start, arg);
			pos = reserved.r[j].end;
		}
	}
}

/* Whether the list has that address; *end is lowered to where that changes. */
static bool in_list(const struct range_list *l, u64 addr, u64 *end)
{
	for (unsigned int i = 0; i < l->nr; i++) {
		if (addr < l->r[i].start) {
			*end = min(*end, l->r[i].start);
			return false;
		}
		if (addr < l->r[i].end) {
			*end = min(*end, l->r[i].end);
			return true;
		}
	}
	return false;
}

void memblock_for_each_taken(void (*fn)(u64 start, u64 end, void *arg), void *arg)
{
	for (unsigned int i = 0; i < ram.nr; i++) {
		for (u64 pos = ram.r[i].start, next; pos < ram.r[i].end; pos = next) {
			bool taken, quiet;

			next = ram.r[i].end;
			taken = in_list(&reserved, pos, &next);
			quiet = in_list(&untouched, pos, &next);
			if (taken && !quiet)
				fn(pos, next, arg);
		}
	}
}

/* The highest fit: low memory is scarce for who needs it. Top of the range when it fits, else 0. */
struct fit {
	u64 size, align, limit, best;
};

static void try_range(u64 start, u64 end, void *arg)
{
	struct fit *f = arg;
	u64 pos;

	end = min(end, f->limit);
	if (end < f->size)
		return;
	pos = ALIGN_DOWN(end - f->size, f->align);
	if (pos >= start && pos > f->best)
		f->best = pos;
}

static phys_addr_t memblock_alloc_below(u64 size, u64 align, u64 limit)
{
	struct fit fit = { ALIGN_UP(size, PAGE_SIZE), max(align, (u64)PAGE_SIZE), limit, 0 };

	memblock_for_each_free(try_range, &fit);
	if (!fit.best)
		panic("memblock: no %lu bytes of memory", (unsigned long)size);
	memblock_reserve(fit.best, fit.size);
	return make_phys(fit.best);
}

phys_addr_t memblock_alloc(u64 size, u64 align)
{
	phys_addr_t pa = memblock_alloc_below(size, align, ~0UL);

	list_add_range(&untouched, pa.v, ALIGN_UP(pa.v + size, PAGE_SIZE));
	return pa;
}

/* Below 4 GiB, where the tables of boot.S show it: for what is written before ours are loaded. */
phys_addr_t memblock_alloc_low(u64 size, u64 align)
{
	phys_addr_t pa = memblock_alloc_below(size, align, 1UL << 32);

	kasan_unpoison(phys_to_virt(pa), size);
	memset(phys_to_virt(pa), 0, size);
	return pa;
}

bool memblock_is_ram(u64 phys)
{
	for (unsigned int i = 0; i < ram.nr; i++)
		if (phys >= ram.r[i].start && phys < ram.r[i].end)
			return true;
	return false;
}

u64 memblock_end_of_ram(void)
{
	return ram.r[ram.nr - 1].end;
}
