/* SPDX-License-Identifier: MIT */
/*
 * Several programs' memory as plain arrays of pages: what is mapped, with which rights and flags,
 * what is behind it and what it holds. It knows nothing of areas, page tables and frames; where one
 * area ends and the next begins, the model asks mm/ itself, which validate_change() watches.
 *
 * Whether a private page has been copied already is looked up as well, for a copy is nothing that a
 * program can see when it is made. Once it is there, it must stay.
 */
#ifndef TESTS_HOST_FUZZ_MODEL_H
#define TESTS_HOST_FUZZ_MODEL_H

#include <stdio.h>
#include <stdlib.h>

#include "mm/filemap.h"
#include "mm/gup.h"
#include "mm/shmem.h"
#include "tests/host/family.h"

/* The window lies over the end of a page table and of the directory above it; then comes the heap. */
#define WINDOW_CELLS 56U
#define HEAP_CELLS   8U
#define CELLS	     (WINDOW_CELLS + HEAP_CELLS)
#define WINDOW	     (0x40000000UL - 24 * PAGE_SIZE)
#define HEAP	     0x1000000UL

#define PROGRAMS   4U
#define FILES	   2U
#define FILE_PAGES 12U /* that a file may ever have */
#define OBJ_PAGES  WINDOW_CELLS
#define OBJECTS	   (FILES + PROGRAMS * CELLS + 1)
#define PROBE	   100	/* the byte of a page that is written */
#define ZERO	   3000 /* and one that is not */

/* What several mappings may share. The first ones are the files; the rest anonymous, while refs. */
struct object {
	unsigned int refs, pages;
	u8 values[OBJ_PAGES];
	struct address_space *mapping;
};

struct cell {
	bool mapped, shared, own; /* own: private, with a copy of its own */
	u8 prot, value;		  /* of the copy */
	bool locked, onfault, dontfork, wipe;
	struct object *object; /* NULL: private anonymous memory */
	unsigned int index;    /* in the object */
};

struct program {
	struct mm_struct *mm;
	bool lock_future, lock_onfault;
	unsigned long brk;
	struct cell cells[CELLS];
};

static struct object objects[OBJECTS];
static struct vm_file *files[FILES];
static struct program programs[PROGRAMS], *prog;
static unsigned int nr_programs;

static unsigned int step;
static bool show;	    /* each operation, to whoever plays an input once more */
static char call_text[200]; /* with its arguments */

static bool may_fail;	    /* memory or a limit may keep the present operation from success */
static bool touched[CELLS]; /* which pages it is about */

#define CHECK(cond, ...)                                            \
	do {                                                        \
		if (!(cond))                                        \
			mismatch(__LINE__, #cond, " " __VA_ARGS__); \
	} while (0)

__attribute__((format(printf, 3, 4), noreturn)) static void mismatch(int line, const char *cond,
								     const char *fmt, ...)
{
	va_list args;
	char text[300];

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fprintf(stderr, "step %u, %s: line %d: %s\n %s\n", step, call_text, line, cond, text);
	abort();
}

static unsigned long cell_addr(unsigned int i)
{
	return i < WINDOW_CELLS ? WINDOW + i * PAGE_SIZE : HEAP + (i - WINDOW_CELLS) * PAGE_SIZE;
}

static bool beyond_end(const struct cell *c)
{
	return c->object && !c->own && c->index >= c->object->pages;
}

static u8 value_of(const struct cell *c)
{
	return c->own ? c->value : c->object ? c->object->values[c->index] : 0;
}

static void clear_cell(struct cell *c)
{
	if (c->object)
		c->object->refs--;
	memset(c, 0, sizeof(*c));
}

static struct object *new_object(unsigned int pages)
{
	struct object *o = &objects[FILES];

	while (o->refs)
		o++;
	*o = (struct object){ .pages = pages };
	return o;
}

/* Marks what the present operation is about. */
static void touch_range(unsigned int first, unsigned int end)
{
	for (unsigned int i = first; i < end && i < CELLS; i++)
		touched[i] = true;
}

/* --- against the machine -------------------------------------------------------------------------- */

static u64 expected_flags(const struct cell *c)
{
	return c->prot | (c->shared ? VM_SHARED : 0) | (c->locked ? VM_LOCKED : 0) |
	       (c->onfault ? VM_LOCKONFAULT : 0) | (c->dontfork ? VM_DONTCOPY : 0) |
	       (c->wipe ? VM_WIPEONFORK : 0);
}

#define KNOWN_FLAGS                                                                            \
	(VM_READ | VM_WRITE | VM_EXEC | VM_SHARED | VM_LOCKED | VM_LOCKONFAULT | VM_DONTCOPY | \
	 VM_WIPEONFORK)

static void check_page(struct program *p, struct cell *c, unsigned long addr)
{
	pte_t pte = pte_at(p->mm, addr);
	struct page *page;
	const u8 *bytes;

	CHECK(!pte_is_entry(pte), "an entry at %#lx", addr);
	if (pte_none(pte)) {
		CHECK(!c->own || (!c->object && !c->value), "the copy at %#lx is lost", addr);
		return;
	}
	page = pfn_to_page(pte_pfn(pte));
	bytes = page_address(page);
	CHECK(pte_protnone(pte) == !c->prot, "%#lx: rights %d", addr, c->prot);
	CHECK(!pte_write(pte) || (c->prot & PROT_WRITE), "%#lx is writable", addr);
	CHECK(!beyond_end(c) || page_is_anon(page), "a page at %#lx, behind the end", addr);
	CHECK(bytes[PROBE] == value_of(c), "%#lx holds %#x, not %#x", addr, bytes[PROBE],
	      value_of(c));
	CHECK(bytes[ZERO] == 0, "%#lx: a byte that nobody wrote", addr);
	if (c->shared || !c->mapped)
		CHECK(!page_is_anon(page), "a private page at %#lx", addr);
	else if (page_is_anon(page) && !c->own) {
		c->own = true;
		c->value = c->object ? c->object->values[c->index] : 0;
	} else if (!page_is_anon(page)) {
		CHECK(!c->own || (!c->object && !c->value), "%#lx has another's page", addr);
	}
}

static void check_cell(struct program *p, unsigned int i)
{
	const unsigned long addr = cell_addr(i);
	struct cell *c = &p->cells[i];
	const struct vm_area_struct *vma = find_vma_intersection(p->mm, addr, addr + PAGE_SIZE);

	CHECK(c->mapped == (vma != NULL), "page %u of program %td", i, p - programs);
	if (!vma) {
		CHECK(pte_none(pte_at(p->mm, addr)), "a page at %#lx, without an area", addr);
		return;
	}
	CHECK((vma->vm_flags & KNOWN_FLAGS) == expected_flags(c), "page %u: flags %#lx, not %#lx",
	      i, (unsigned long)(vma->vm_flags & KNOWN_FLAGS), (unsigned long)expected_flags(c));
	CHECK((vma->vm_file != NULL) == (c->object != NULL), "page %u", i);
	if (c->object) {
		if (!c->object->mapping)
			c->object->mapping = vma->vm_file->mapping;
		CHECK(vma->vm_file->mapping == c->object->mapping, "page %u: another object", i);
		CHECK(linear_page_index(vma, addr) == c->index, "page %u: index %lu, not %u", i,
		      linear_page_index(vma, addr), c->index);
	}
	check_page(p, c, addr);
}

/* Each page of the objects that is in memory. */
static void check_objects(void)
{
	for (unsigned int i = 0; i < FILES; i++) {
		struct object *o = &objects[i];

		CHECK(o->mapping->size == (u64)o->pages * PAGE_SIZE);
		for (unsigned int k = 0; k < FILE_PAGES; k++) {
			struct page *page = find_get_page(o->mapping, k);

			if (!page) {
				CHECK(k >= o->pages || !o->values[k], "file %u page %u is lost", i,
				      k);
				continue;
			}
			CHECK(k < o->pages && ((u8 *)page_address(page))[PROBE] == o->values[k],
			      "file %u page %u", i, k);
			put_page(page);
		}
	}
}

static void check_all(void)
{
	for (unsigned int i = 0; i < nr_programs; i++) {
		unsigned long total = 0, locked = 0;

		audit_mm(programs[i].mm);
		for (unsigned int k = 0; k < CELLS; k++) {
			check_cell(&programs[i], k);
			total += programs[i].cells[k].mapped;
			locked += programs[i].cells[k].locked;
		}
		CHECK(programs[i].mm->total_vm == total);
		CHECK(programs[i].mm->locked_vm == locked, "locked %lu, not %lu",
		      programs[i].mm->locked_vm, locked);
		CHECK(programs[i].mm->brk == programs[i].brk);
		CHECK(!rwsem_is_locked(&programs[i].mm->mmap_lock));
	}
	check_objects();
	sim_check_tlb();
}

/* --- operations that were kept from success -------------------------------------------------------- */

/* What is mapped now is what the model has from here on; but only where the operation was at work. */
static void resync_cell(unsigned int i)
{
	const unsigned long addr = cell_addr(i);
	struct cell *c = &prog->cells[i];
	const struct vm_area_struct *vma = find_vma_intersection(prog->mm, addr, addr + PAGE_SIZE);

	if (!touched[i])
		return;
	if (!vma) {
		clear_cell(c);
		return;
	}
	CHECK(c->mapped, "a call that failed has mapped page %u", i);
	c->prot = vma->vm_flags & 7;
	c->locked = vma->vm_flags & VM_LOCKED;
	c->onfault = vma->vm_flags & VM_LOCKONFAULT;
	c->dontfork = vma->vm_flags & VM_DONTCOPY;
	c->wipe = vma->vm_flags & VM_WIPEONFORK;
}

static bool is_shortage(long err)
{
	return err == -ENOMEM || err == -EAGAIN || err == -EPERM;
}

/*
 * Whether the call did what is expected, and the model is to do the same. False when it failed for
 * want of memory, or by a limit; the model knows then what is left.
 */
static bool as_expected(long got, long expected)
{
	if (may_fail && is_shortage(got)) {
		for (unsigned int i = 0; i < CELLS; i++)
			resync_cell(i);
		return false;
	}
	CHECK(got == expected, "gives %ld (%#lx), not %ld (%#lx)", got, got, expected, expected);
	return true;
}

#endif
