/* SPDX-License-Identifier: MIT */
/*
 * Random calls and accesses against a model that knows pages, where areas begin, and the rule by which two
 * become one: after every step the areas must be the model's, all counts
 * exact, the TLB right, and what was written there.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/abi/mman.h"
#include "mm/filemap.h"
#include "mm/internal.h"
#include "tests/host/sim.h"
#include "tests/host/tap.h"
#include "tests/host/vma_model.h"

static struct mm_struct *mm;
static unsigned long model_brk;

/* The first thing that went wrong; then the walk ends. */
static bool failed;
static unsigned int step;

#define CHECK(cond, ...)                                                             \
	do {                                                                         \
		if (!failed && !(cond)) {                                            \
			failed = true;                                               \
			diag("step %u, %s:%d: %s", step, __FILE__, __LINE__, #cond); \
			diag("  " __VA_ARGS__);                                      \
		}                                                                    \
	} while (0)

/* --- areas and counts ------------------------------------------------------------------------ */

struct counts {
	unsigned long total, data, exec, locked, accounted, anon, filepages;
	int areas;
};

static void count_page(struct counts *c, const struct page_model *p)
{
	bool shared = p->kind == FILE_SHARED;

	c->total++;
	c->exec += (p->prot & (PROT_EXEC | PROT_WRITE)) == PROT_EXEC;
	c->data += (p->prot & PROT_WRITE) && !shared;
	c->locked += p->locked;
	c->accounted += p->accounted;
	c->anon += p->state == COPIED;
	c->filepages += p->state == SEEN && is_file(p);
}

/* The model's number for each anon_vma, found by where they are seen. */
#define MAX_ANON_VMAS 30000
static const struct anon_vma *anon_vma_of[MAX_ANON_VMAS];

static void check_anon_vma(const struct vm_area_struct *vma, unsigned int anon)
{
	CHECK(anon < MAX_ANON_VMAS);
	CHECK((vma->anon_vma != NULL) == (anon != 0), "area %#lx: %p, expected number %u",
	      vma->vm_start, (void *)vma->anon_vma, anon);
	if (failed || !anon)
		return;
	if (!anon_vma_of[anon])
		anon_vma_of[anon] = vma->anon_vma;
	CHECK(anon_vma_of[anon] == vma->anon_vma, "area %#lx has another's anon_vma",
	      vma->vm_start);
}

/* Compares the areas from *vma on with one stretch, and counts it. */
static void check_stretch(const struct vm_area_struct **vma, const struct page_model *pages,
			  unsigned int n, unsigned long base, struct counts *c)
{
	for (unsigned int i = 0, end; i < n && !failed; i = end) {
		const struct vm_area_struct *v = *vma;

		end = i + 1;
		if (pages[i].kind == NONE)
			continue;
		end = area_end(pages, i);
		for (unsigned int j = i; j < end; j++)
			count_page(c, &pages[j]);
		c->areas++;
		CHECK(v, "no area at page %u", i);
		if (failed)
			return;
		CHECK(v->vm_start == base + i * PAGE_SIZE && v->vm_end == base + end * PAGE_SIZE,
		      "area %#lx-%#lx, expected pages %u-%u", v->vm_start, v->vm_end, i, end);
		CHECK((v->vm_flags & ~(u64)VM_SOFTDIRTY) == expected_flags(&pages[i]),
		      "flags %#lx, expected %#lx", (unsigned long)v->vm_flags,
		      (unsigned long)expected_flags(&pages[i]));
		CHECK(v->vm_file == expected_file(&pages[i]));
		CHECK(v->vm_pgoff == pages[i].index, "offset %#lx, expected %#lx", v->vm_pgoff,
		      pages[i].index);
		CHECK(v->vm_page_prot.v == vm_get_page_prot(v->vm_flags).v);
		check_anon_vma(v, pages[i].anon);
		*vma = v->vm_next;
	}
}

static void check_all(void)
{
	const struct vm_area_struct *vma = mm->mmap;
	struct counts c = { 0 };

	audit_mm(mm);
	check_stretch(&vma, heap, HEAP_PAGES, HEAP, &c);
	check_stretch(&vma, region, REGION_PAGES, REGION, &c);
	CHECK(!vma, "an area too many: %#lx", vma->vm_start);
	CHECK(mm->map_count == c.areas);
	CHECK(mm->total_vm == c.total && mm->data_vm == c.data && mm->exec_vm == c.exec &&
		      mm->stack_vm == 0,
	      "total %lu data %lu exec %lu, expected %lu %lu %lu", mm->total_vm, mm->data_vm,
	      mm->exec_vm, c.total, c.data, c.exec);
	CHECK(mm->locked_vm == c.locked, "locked %lu, expected %lu", mm->locked_vm, c.locked);
	CHECK((unsigned long)vm_committed_pages() == c.accounted, "committed %ld, expected %lu",
	      vm_committed_pages(), c.accounted);
	CHECK((unsigned long)atomic_long_read(&mm->rss_stat[MM_ANONPAGES]) == c.anon,
	      "anon %ld, expected %lu", atomic_long_read(&mm->rss_stat[MM_ANONPAGES]), c.anon);
	CHECK((unsigned long)atomic_long_read(&mm->rss_stat[MM_FILEPAGES]) == c.filepages,
	      "file %ld, expected %lu", atomic_long_read(&mm->rss_stat[MM_FILEPAGES]), c.filepages);
	CHECK(c.total > 0 || atomic_long_read(&mm->pgtables_bytes) == 0, "tables map nothing");
	CHECK(mm->brk == model_brk);
	CHECK(!rwsem_is_locked(&mm->mmap_lock) && !sim_spinlocks_held && !sim_irqs_off);
	sim_check_tlb();
}

/* --- accesses ------------------------------------------------------------------------------------------- */

static enum fault_verdict expected_verdict(const struct page_model *p, enum sim_kind kind)
{
	if (p->kind == NONE)
		return FAULT_NO_AREA;
	if (kind == SIM_WRITE && !(p->prot & PROT_WRITE))
		return FAULT_NOT_WRITABLE;
	if (kind == SIM_EXEC && !(p->prot & PROT_EXEC))
		return FAULT_NOT_EXECUTABLE;
	if (!p->prot)
		return FAULT_NOT_READABLE;
	return beyond_end(p) && p->state == ABSENT ? FAULT_BUS : FAULT_HANDLED;
}

/* What a successful access leaves in the model. */
static void model_touch(struct page_model *pages, unsigned int i, bool write, u8 value)
{
	struct page_model *p = &pages[i];

	if (is_file(p) && p->state == ABSENT) {
		if (!write)
			model_fault_around(pages, i, REGION);
		*cached_page(p) = true;
	}
	if (write && p->kind == FILE_SHARED) {
		file_value[p->index] = value;
	} else if (write) {
		p->state = COPIED;
		p->value = value;
		model_anon_vma(pages, i);
	}
	if (p->state == ABSENT)
		p->state = SEEN;
}

static void access_page(struct page_model *pages, unsigned int i, unsigned long addr)
{
	struct page_model *p = &pages[i];
	enum sim_kind kind = (enum sim_kind)(test_random() % 3);
	enum fault_verdict verdict = expected_verdict(p, kind), got;
	u8 value = (u8)test_random();

	sim_set_cpu((unsigned int)(test_random() % SIM_NR_CPUS));
	got = sim_access(addr + PROBE, &value, 1, kind);
	CHECK(got == verdict, "access %d at %#lx: %d, expected %d", kind, addr, got, verdict);
	/* Before the end of the file is noticed, what is in memory beside it has been mapped. */
	if (got == FAULT_BUS && kind != SIM_WRITE)
		model_fault_around(pages, i, REGION);
	/* ... and before a page is copied, the area may have copies. */
	if (got == FAULT_BUS && kind == SIM_WRITE && p->kind != FILE_SHARED)
		model_anon_vma(pages, i);
	if (got != FAULT_HANDLED)
		return;
	if (kind == SIM_WRITE)
		model_touch(pages, i, true, value);
	else
		CHECK(value == (p->state == COPIED ? p->value : original_value(p)),
		      "%#x at %#lx, expected %#x", value, addr,
		      p->state == COPIED ? p->value : original_value(p));
	model_touch(pages, i, false, 0);
	/* A byte that nobody writes: the file's, or 0, whatever was copied. */
	if (sim_access(addr + 3000, &value, 1, SIM_READ) == FAULT_HANDLED)
		CHECK(value == (is_file(p) ? p->index * PAGE_SIZE + 3000 < file.mapping.size ?
					     sim_file_byte(p->index * PAGE_SIZE + 3000) :
					     0 :
					     0));
}

static void some_accesses(void)
{
	for (int i = 0; i < 10; i++) {
		unsigned int n = (unsigned int)(test_random() % (REGION_PAGES + HEAP_PAGES));

		if (n < REGION_PAGES)
			access_page(region, n, REGION + n * PAGE_SIZE);
		else
			access_page(heap, n - REGION_PAGES, HEAP + (n - REGION_PAGES) * PAGE_SIZE);
	}
}

/* --- operations ------------------------------------------------------------------------------------------ */

static void random_range(unsigned int *first, unsigned int *n)
{
	*first = (unsigned int)(test_random() % REGION_PAGES);
	*n = 1 + (unsigned int)(test_random() % (test_random() % 4 ? 12 : REGION_PAGES));
	*n = min(*n, REGION_PAGES - *first);
}

static void model_populate(struct page_model *pages, unsigned int i)
{
	struct page_model *p = &pages[i];

	if (!p->prot || p->state == COPIED)
		return;
	if (beyond_end(p)) {
		if (p->state == ABSENT && !is_private_writable(p))
			model_fault_around(pages, i, REGION);
		else if (is_private_writable(p))
			model_anon_vma(pages, i);
		return;
	}
	model_touch(pages, i, is_private_writable(p), original_value(p));
}

static bool model_any(unsigned int first, unsigned int n)
{
	for (unsigned int i = first; i < first + n; i++)
		if (region[i].kind != NONE)
			return true;
	return false;
}

static unsigned long anon_index(unsigned int i)
{
	return (REGION >> PAGE_SHIFT) + i;
}

static void op_mmap(void)
{
	enum kind kind = (enum kind)(ANON + test_random() % 4);
	unsigned long flags = kind <= FILE_PRIVATE ? MAP_PRIVATE : MAP_SHARED, expected, got;
	unsigned int prot = (unsigned int)(test_random() % 8), first, n, file_page;
	bool noreserve = test_random() % 8 == 0, locked = test_random() % 8 == 0;
	bool populate = test_random() % 8 == 0, noreplace = test_random() % 4 == 0;
	struct vm_file *f = kind == ANON	    ? NULL :
			    kind == READONLY_SHARED ? &readonly_file.file :
						      &file.file;

	random_range(&first, &n);
	/* Often the offset that the neighbours have, so that they can merge. */
	file_page = test_random() % 3 ? first % 48 : (unsigned int)(test_random() % 44);
	flags |= noreplace ? MAP_FIXED_NOREPLACE : MAP_FIXED;
	flags |= (f ? 0 : MAP_ANONYMOUS) | (noreserve ? MAP_NORESERVE : 0) |
		 (locked ? MAP_LOCKED : 0) | (populate ? MAP_POPULATE : 0);
	expected = REGION + first * PAGE_SIZE;
	if (noreplace && model_any(first, n))
		expected = (unsigned long)-EEXIST;
	else if (kind == READONLY_SHARED && (prot & PROT_WRITE))
		expected = (unsigned long)-EACCES;
	got = vm_mmap(f, REGION + first * PAGE_SIZE, n * PAGE_SIZE - test_random() % PAGE_SIZE,
		      prot, flags, (unsigned long)file_page << PAGE_SHIFT);
	CHECK(got == expected, "mmap gives %#lx, expected %#lx", got, expected);
	if (IS_ERR_VALUE(expected))
		return;
	for (unsigned int i = 0; i < n; i++) {
		struct page_model *p = &region[first + i];

		*p = (struct page_model){ .kind = kind,
					  .prot = prot,
					  .noreserve = noreserve,
					  .locked = locked,
					  .index = f ? file_page + i : anon_index(first + i) };
		p->accounted = is_private_writable(p) && !noreserve;
	}
	settle_new(region, first, first + n);
	for (unsigned int i = first; i < first + n && (locked || populate); i++)
		model_populate(region, i);
}

static void op_munmap(void)
{
	unsigned int first, n;
	int err;

	random_range(&first, &n);
	err = vm_munmap(REGION + first * PAGE_SIZE, n * PAGE_SIZE - test_random() % PAGE_SIZE);
	CHECK(err == 0, "munmap: %d", err);
	model_clear(region, first, first + n);
}

/* A part of one area. */
static void model_mprotect_area(struct page_model *pages, unsigned int first, unsigned int end,
				unsigned int prot, bool from_start, bool to_end)
{
	const struct page_model old = pages[first];
	bool gains_write = (prot & PROT_WRITE) && !(old.prot & PROT_WRITE);

	for (unsigned int i = first; i < end; i++) {
		if (gains_write && !old.noreserve && old.kind != FILE_SHARED)
			pages[i].accounted = true;
		pages[i].prot = prot;
	}
	settle(pages, first, end, from_start, to_end);
	/* What is locked gets its copies at once. */
	for (unsigned int i = first;
	     i < end && gains_write && old.locked && old.kind != FILE_SHARED; i++)
		model_populate(pages, i);
}

/* Changes what lies before the first hole, or before what may not be changed so. */
static int model_mprotect(struct page_model *pages, unsigned int first, unsigned int n,
			  unsigned int prot)
{
	const unsigned int end = first + n;

	while (first < end) {
		struct page_model *p = &pages[first];
		unsigned int start, stop, old_end;

		if (p->kind == NONE)
			return -ENOMEM;
		if (p->kind == READONLY_SHARED && (prot & PROT_WRITE))
			return -EACCES;
		start = area_start(pages, first);
		old_end = area_end(pages, first);
		stop = min(old_end, end);
		if (p->prot != prot)
			model_mprotect_area(pages, first, stop, prot, first == start,
					    stop == old_end);
		first = stop;
	}
	return 0;
}

static void op_mprotect(void)
{
	unsigned int prot = (unsigned int)(test_random() % 8), first, n;
	int expected, err;

	if (test_random() % 4 == 0 && model_brk > HEAP) {
		unsigned int pages =
			(unsigned int)((ALIGN_UP(model_brk, PAGE_SIZE) - HEAP) >> PAGE_SHIFT);

		first = (unsigned int)(test_random() % pages);
		n = 1 + (unsigned int)(test_random() % (pages - first));
		expected = model_mprotect(heap, first, n, prot);
		err = vm_mprotect(HEAP + first * PAGE_SIZE, n * PAGE_SIZE, prot);
	} else {
		random_range(&first, &n);
		expected = model_mprotect(region, first, n, prot);
		err = vm_mprotect(REGION + first * PAGE_SIZE,
				  n * PAGE_SIZE - test_random() % PAGE_SIZE, prot);
	}
	CHECK(err == expected, "mprotect gives %d, expected %d", err, expected);
}

/* --- mlock, munlock, madvise ------------------------------------------------------------------------------ */

static int model_lock(unsigned int first, unsigned int end, bool lock)
{
	while (first < end) {
		unsigned int start, stop, old_end;

		if (region[first].kind == NONE)
			return -ENOMEM;
		start = area_start(region, first);
		old_end = area_end(region, first);
		stop = min(old_end, end);
		if (region[first].locked != lock) {
			for (unsigned int i = first; i < stop; i++)
				region[i].locked = lock;
			settle(region, first, stop, first == start, stop == old_end);
		}
		first = stop;
	}
	return 0;
}

static void op_mlock(void)
{
	bool lock = test_random() % 2;
	unsigned int first, n;
	int expected, err;

	random_range(&first, &n);
	expected = model_lock(first, first + n, lock);
	for (unsigned int i = first; i < first + n && lock && !expected; i++) {
		/* The first page that can't be had ends it. */
		if (!region[i].prot || (beyond_end(&region[i]) && region[i].state == ABSENT))
			expected = -ENOMEM;
		model_populate(region, i);
	}
	err = lock ? vm_mlock(REGION + first * PAGE_SIZE, n * PAGE_SIZE, 0) :
		     vm_munlock(REGION + first * PAGE_SIZE, n * PAGE_SIZE);
	CHECK(err == expected, "mlock gives %d, expected %d", err, expected);
}

static void op_dontneed(void)
{
	unsigned int first, n;
	int expected = 0, err;

	random_range(&first, &n);
	for (unsigned int i = first; i < first + n && expected != -EINVAL; i++) {
		if (region[i].kind == NONE)
			expected = -ENOMEM;
		else if (region[i].locked)
			expected = -EINVAL;
		else
			region[i].state = ABSENT;
	}
	err = vm_madvise(REGION + first * PAGE_SIZE, n * PAGE_SIZE, MADV_DONTNEED);
	CHECK(err == expected, "madvise gives %d, expected %d", err, expected);
}

/* --- mremap ------------------------------------------------------------------------------------------------ */

/* Pages [from, from + old_n) of one area to [to, to + new_n), which is free. */
static void model_move(unsigned int from, unsigned int old_n, unsigned int to, unsigned int new_n,
		       bool dontunmap)
{
	const struct page_model area = region[from];
	unsigned int start, end;

	/* What keeps its place but loses its lock is cut out first. */
	if (dontunmap && area.locked) {
		region[from].cut = true;
		region[from + old_n].cut = true;
	}
	start = area_start(region, from);
	end = area_end(region, from);
	for (unsigned int i = 0; i < new_n; i++) {
		struct page_model *p = &region[to + i];

		*p = area;
		p->index = area.kind == ANON && !area.anon ? anon_index(to + i) : area.index + i;
		p->state = i < old_n ? region[from + i].state : ABSENT;
		p->value = i < old_n ? region[from + i].value : 0;
	}
	/* A copy that could join its source, which stays, joins nobody. */
	if (dontunmap && ((end == to && would_join(region, to, to + new_n, true)) ||
			  (start == to + new_n && would_join(region, to, to + new_n, false))))
		settle(region, to, to + new_n, false, false);
	else
		settle(region, to, to + new_n, true, true);
	if (!dontunmap) {
		model_clear(region, from, from + old_n);
		for (unsigned int i = old_n; i < new_n && area.locked; i++)
			model_populate(region, to + i);
		return;
	}
	for (unsigned int i = from; i < from + old_n; i++) {
		region[i].state = ABSENT;
		region[i].locked = false;
		if (start != from || end != from + old_n)
			continue;
		region[i].anon = 0;
		if (area.kind == ANON)
			region[i].index = anon_index(i);
	}
}

static long model_mremap_to(unsigned int from, unsigned int old_n, unsigned int to,
			    unsigned int new_n, bool dontunmap)
{
	if (region[from].kind == NONE)
		return -EFAULT;
	if (from + old_n > to && to + new_n > from)
		return -EINVAL;
	model_clear(region, to, to + new_n);
	if (old_n > new_n) {
		model_clear(region, from + new_n, from + old_n);
		old_n = new_n;
	}
	if (from + old_n > area_end(region, from))
		return -EFAULT;
	model_move(from, old_n, to, new_n, dontunmap);
	return (long)(REGION + to * PAGE_SIZE);
}

static void op_mremap_to(void)
{
	bool dontunmap = test_random() % 4 == 0;
	unsigned int from, to, old_n, new_n;
	long expected, got;

	random_range(&from, &old_n);
	random_range(&to, &new_n);
	if (test_random() % 3 == 0 || dontunmap)
		new_n = min(old_n, REGION_PAGES - to);
	if (dontunmap)
		old_n = new_n;
	expected = model_mremap_to(from, old_n, to, new_n, dontunmap);
	got = (long)vm_mremap(REGION + from * PAGE_SIZE, old_n * PAGE_SIZE, new_n * PAGE_SIZE,
			      MREMAP_MAYMOVE | MREMAP_FIXED | (dontunmap ? MREMAP_DONTUNMAP : 0),
			      REGION + to * PAGE_SIZE);
	CHECK(got == expected, "mremap of %u+%u to %u+%u gives %#lx, expected %#lx", from, old_n,
	      to, new_n, got, expected);
}

static long model_resize(unsigned int from, unsigned int old_n, unsigned int new_n)
{
	struct page_model *area = &region[from];
	const bool locked = area->locked;

	if (area->kind == NONE)
		return -EFAULT;
	if (old_n > new_n)
		model_clear(region, from + new_n, from + old_n);
	if (old_n >= new_n)
		return (long)(REGION + from * PAGE_SIZE);
	if (from + old_n > area_end(region, from))
		return -EFAULT;
	if (from + old_n != area_end(region, from))
		return -ENOMEM;
	if (model_any(from + old_n, new_n - old_n))
		return -ENOMEM;
	for (unsigned int i = old_n; i < new_n; i++) {
		struct page_model *p = &region[from + i];

		*p = *area;
		p->index = area->index + i;
		p->state = ABSENT;
	}
	settle(region, from + old_n, from + new_n, true, true);
	for (unsigned int i = old_n; i < new_n && locked; i++)
		model_populate(region, from + i);
	return (long)(REGION + from * PAGE_SIZE);
}

static void op_resize(void)
{
	unsigned int from, old_n, new_n;
	long expected, got;

	random_range(&from, &old_n);
	/* Up to the area's end, so that growing has a chance. */
	if (region[from].kind != NONE && test_random() % 4)
		old_n = area_end(region, from) - from;
	new_n = 1 + (unsigned int)(test_random() % (old_n + 8));
	new_n = min(new_n, REGION_PAGES - from);
	expected = model_resize(from, old_n, new_n);
	got = (long)vm_mremap(REGION + from * PAGE_SIZE, old_n * PAGE_SIZE, new_n * PAGE_SIZE, 0,
			      0);
	CHECK(got == expected, "mremap of %u from %u to %u pages gives %#lx, expected %#lx", from,
	      old_n, new_n, got, expected);
}

/* --- brk, truncate ------------------------------------------------------------------------------------------- */

static void op_brk(void)
{
	unsigned long old = ALIGN_UP(model_brk, PAGE_SIZE), new_end, got;

	model_brk = HEAP + test_random() % (HEAP_PAGES * PAGE_SIZE + 1);
	got = vm_brk(model_brk);
	CHECK(got == model_brk, "brk gives %#lx, expected %#lx", got, model_brk);
	new_end = ALIGN_UP(model_brk, PAGE_SIZE);
	if (new_end > old) {
		unsigned int first = (unsigned int)((old - HEAP) >> PAGE_SHIFT);
		unsigned int end = (unsigned int)((new_end - HEAP) >> PAGE_SHIFT);

		for (unsigned int i = first; i < end; i++)
			heap[i] = (struct page_model){ .kind = ANON,
						       .prot = PROT_READ | PROT_WRITE,
						       .accounted = true,
						       .index = (HEAP >> PAGE_SHIFT) + i };
		settle(heap, first, end, true, false);
	} else if (new_end < old) {
		model_clear(heap, (unsigned int)((new_end - HEAP) >> PAGE_SHIFT),
			    (unsigned int)((old - HEAP) >> PAGE_SHIFT));
	}
}

static void op_truncate(void)
{
	/* The file keeps its size: what is dropped is read again, without what was written to it. */
	unsigned int from = (unsigned int)(test_random() % FILE_PAGES);

	truncate_pagecache(&file.mapping, (u64)from << PAGE_SHIFT);
	for (unsigned int i = from; i < FILE_PAGES; i++) {
		file_value[i] = sim_file_byte((u64)i * PAGE_SIZE + PROBE);
		cached[0][i] = false;
	}
	for (unsigned int i = 0; i < REGION_PAGES; i++)
		if ((region[i].kind == FILE_PRIVATE || region[i].kind == FILE_SHARED) &&
		    region[i].index >= from)
			region[i].state = ABSENT;
}

static void random_walk(unsigned int steps)
{
	memset(region, 0, sizeof(region));
	memset(heap, 0, sizeof(heap));
	memset(cached, 0, sizeof(cached));
	memset(anon_vma_of, 0, sizeof(anon_vma_of));
	anon_vmas = 0;
	for (unsigned int i = 0; i < FILE_PAGES; i++)
		file_value[i] = sim_file_byte((u64)i * PAGE_SIZE + PROBE);
	mm->start_brk = HEAP;
	mm->brk = HEAP;
	model_brk = HEAP;
	for (step = 0; step < steps && !failed; step++) {
		unsigned int what = (unsigned int)(test_random() % 100);

		if (what < 25)
			op_mmap();
		else if (what < 35)
			op_munmap();
		else if (what < 55)
			op_mprotect();
		else if (what < 63)
			op_mlock();
		else if (what < 69)
			op_dontneed();
		else if (what < 80)
			op_mremap_to();
		else if (what < 90)
			op_resize();
		else if (what < 97)
			op_brk();
		else
			op_truncate();
		check_all();
		some_accesses();
		check_all();
		if (test_random() % 50 == 0)
			sim_forget();
	}
}

static void test_random_walks(void)
{
	struct sim_usage start = sim_usage(), end;

	for (int run = 0; run < 4 && !failed; run++) {
		sim_file_init(&file, "/file", FILE_PAGES * PAGE_SIZE - 1000);
		sim_file_init(&readonly_file, "/readonly", FILE_PAGES * PAGE_SIZE - 1000);
		readonly_file.file.vm_mode = VM_FILE_READ;
		mm = sim_new_mm();
		random_walk(4000);
		ok(!failed,
		   "4,000 random steps: areas, counts, contents and TLB as the model has them");
		sim_exit_mm();
		is(file.refs + readonly_file.refs, 0, "no area holds a file any more");
		sim_file_destroy(&file);
		sim_file_destroy(&readonly_file);
		end = sim_usage();
		ok(sim_usage_same(&start, &end, true), "everything is given back");
		is(sim_nr_cached(0, TASK_SIZE), 0, "no translation is left");
	}
	ok(vm_event_count(MREMAP_MOVED_PTE) > 300, "mremap moved %lu pages on the way",
	   vm_event_count(MREMAP_MOVED_PTE));
	page_alloc_audit();
}

int main(void)
{
	sim_boot_default();
	test_random_walks();
	return done_testing();
}
