/* SPDX-License-Identifier: MIT */
/*
 * An address space as pages that know what they are and whether an area begins with them: what test_vma.c
 * holds mm/ against. The rules by which areas become one are those of vma_merge(), written for pages.
 */
#ifndef TESTS_HOST_VMA_MODEL_H
#define TESTS_HOST_VMA_MODEL_H

#include <string.h>

#include "kernel/abi/mman.h"
#include "mm/vma.h"
#include "tests/host/sim.h"

enum kind {
	NONE,
	ANON,
	FILE_PRIVATE,
	FILE_SHARED,
	READONLY_SHARED, /* of a file that is open for reading only */
};

enum state {
	ABSENT,
	SEEN,	/* the zero page, or the file's own */
	COPIED, /* a page of its own */
};

struct page_model {
	enum kind kind;
	unsigned int prot;
	bool accounted, noreserve, locked;
	unsigned long index; /* in the file; anonymous: of the address where it was made */
	enum state state;
	u8 value;	   /* of the byte at PROBE, once COPIED */
	bool cut;	   /* an area begins here, though the page before may be of the same kind */
	unsigned int anon; /* which anon_vma the area has: 0 none, else a number of ours */
};

/* Two stretches: one over the border of a PMD and a PUD stretch, and the heap. */
#define REGION_PAGES 128
#define REGION	     (0x40000000UL - 50 * PAGE_SIZE)
#define HEAP_PAGES   64
#define HEAP	     0x1000000UL
/* A page more, never used: what stands behind the last one. */
static struct page_model region[REGION_PAGES + 1], heap[HEAP_PAGES + 1];
static unsigned int anon_vmas;

#define FILE_PAGES 40 /* the last one only in part */
#define PROBE	   100
static u8 file_value[FILE_PAGES];
static struct sim_file file, readonly_file;
static bool cached[2][FILE_PAGES]; /* what of either is in memory */

static bool is_file(const struct page_model *p)
{
	return p->kind >= FILE_PRIVATE;
}

static bool is_private_writable(const struct page_model *p)
{
	return (p->prot & PROT_WRITE) && (p->kind == ANON || p->kind == FILE_PRIVATE);
}

static bool beyond_end(const struct page_model *p)
{
	return is_file(p) && p->index >= FILE_PAGES;
}

static u8 original_value(const struct page_model *p)
{
	if (p->kind == ANON)
		return 0;
	return p->kind == READONLY_SHARED ? sim_file_byte(p->index * PAGE_SIZE + PROBE) :
					    file_value[p->index];
}

/* --- areas, as the model would have them ------------------------------------------------------------ */

static u64 expected_flags(const struct page_model *p)
{
	u64 f = p->prot | VM_MAYREAD | VM_MAYEXEC;

	if (p->kind != READONLY_SHARED)
		f |= VM_MAYWRITE;
	if (p->kind == FILE_SHARED)
		f |= VM_SHARED;
	if (p->kind == FILE_SHARED || p->kind == READONLY_SHARED)
		f |= VM_MAYSHARE;
	return f | (p->accounted ? VM_ACCOUNT : 0) | (p->noreserve ? VM_NORESERVE : 0) |
	       (p->locked ? VM_LOCKED : 0);
}

static const struct vm_file *expected_file(const struct page_model *p)
{
	if (!is_file(p))
		return NULL;
	return p->kind == READONLY_SHARED ? &readonly_file.file : &file.file;
}

/* Whether b goes on where a ends, but for its flags. */
static bool goes_on(const struct page_model *a, const struct page_model *b)
{
	return a->kind != NONE && b->kind != NONE && expected_file(a) == expected_file(b) &&
	       a->index + 1 == b->index;
}

static bool same_kind(const struct page_model *a, const struct page_model *b)
{
	return goes_on(a, b) && expected_flags(a) == expected_flags(b);
}

static unsigned int area_start(const struct page_model *pages, unsigned int i)
{
	while (!pages[i].cut)
		i--;
	return i;
}

static unsigned int area_end(const struct page_model *pages, unsigned int i)
{
	do
		i++;
	while (pages[i].kind != NONE && !pages[i].cut);
	return i;
}

/* An area takes over a range of pages that know `range`, or none, if it has the same or more. */
static bool anon_fits(const struct page_model *area, unsigned int range)
{
	return area->anon == range || (area->anon && !range);
}

static void join(struct page_model *pages, unsigned int first, unsigned int end, bool join_before,
		 bool join_behind)
{
	unsigned int anon = pages[first].anon;

	if (join_before && pages[first - 1].anon)
		anon = pages[first - 1].anon;
	else if (join_behind && pages[end].anon)
		anon = pages[end].anon;
	for (unsigned int i = first; i < end; i++)
		pages[i].cut = false;
	pages[first].cut = !join_before;
	pages[end].cut = !join_behind;
	first = area_start(pages, first);
	end = area_end(pages, first);
	for (; first < end; first++)
		pages[first].anon = anon;
}

/* Whether [first, end) could be taken over by the area before (else: behind). */
static bool would_join(const struct page_model *pages, unsigned int first, unsigned int end,
		       bool before)
{
	const struct page_model *area = before ? &pages[first - 1] : &pages[end];

	if (!(before ? same_kind(area, &pages[first]) : same_kind(&pages[end - 1], area)))
		return false;
	return anon_fits(area, pages[first].anon);
}

/* Pages [first, end) are new memory from mmap: it asks behind first, and before whether it fits that. */
static void settle_new(struct page_model *pages, unsigned int first, unsigned int end)
{
	const struct page_model *before = first ? &pages[first - 1] : NULL, *behind = &pages[end];
	bool join_behind = same_kind(&pages[end - 1], behind) && anon_fits(behind, 0);
	bool join_before = before && same_kind(before, &pages[first]) &&
			   anon_fits(before, join_behind ? behind->anon : 0);

	join(pages, first, end, join_before, join_behind);
}

/*
 * Pages [first, end) have changed and are an area, unless their neighbours, where they are asked, can
 * take them over.
 */
static void settle(struct page_model *pages, unsigned int first, unsigned int end, bool ask_before,
		   bool ask_behind)
{
	unsigned int anon = pages[first].anon;
	const struct page_model *before = first ? &pages[first - 1] : NULL, *behind = &pages[end];
	bool join_before =
		ask_before && before && same_kind(before, &pages[first]) && anon_fits(before, anon);
	bool join_behind =
		ask_behind && same_kind(&pages[end - 1], behind) && anon_fits(behind, anon);

	if (join_before && join_behind && before->anon && behind->anon &&
	    before->anon != behind->anon)
		join_behind = false;
	join(pages, first, end, join_before, join_behind);
}

/* An area's first write: it takes a neighbour's anon_vma if it could ever become one with it. */
static void model_anon_vma(struct page_model *pages, unsigned int i)
{
	unsigned int first = area_start(pages, i), end = area_end(pages, i), anon = 0;
	const u64 rights = PROT_READ | PROT_WRITE | PROT_EXEC;

	if (pages[i].anon)
		return;
	if (goes_on(&pages[end - 1], &pages[end]) &&
	    !((expected_flags(&pages[end - 1]) ^ expected_flags(&pages[end])) & ~rights))
		anon = pages[end].anon;
	if (!anon && first && goes_on(&pages[first - 1], &pages[first]) &&
	    !((expected_flags(&pages[first - 1]) ^ expected_flags(&pages[first])) & ~rights))
		anon = pages[first - 1].anon;
	if (!anon)
		anon = ++anon_vmas;
	for (; first < end; first++)
		pages[first].anon = anon;
}

static bool *cached_page(const struct page_model *p)
{
	return &cached[p->kind == READONLY_SHARED][p->index];
}

/*
 * A read fault of a file at page i of a stretch: what is cached of its window of 16 pages is mapped along
 * with it, if it is in the area and in the same page table.
 */
static void model_fault_around(struct page_model *pages, unsigned int i, unsigned long base)
{
	const unsigned long window = 16 * PAGE_SIZE;
	unsigned int first = area_start(pages, i), end = area_end(pages, i);
	unsigned long addr = base + i * PAGE_SIZE;

	addr = max(addr / window * window, base + first * PAGE_SIZE);
	first = (unsigned int)((addr - base) / PAGE_SIZE);
	end = min(end, first + 16);
	for (unsigned int j = first; j < end; j++) {
		struct page_model *p = &pages[j];

		if ((base + j * PAGE_SIZE) / PMD_SIZE != addr / PMD_SIZE)
			break;
		if (p->state == ABSENT && !beyond_end(p) && *cached_page(p))
			p->state = SEEN;
	}
}

/* Unmaps [first, end). */
static void model_clear(struct page_model *pages, unsigned int first, unsigned int end)
{
	memset(&pages[first], 0, (end - first) * sizeof(pages[0]));
	pages[end].cut = true;
}

#endif
