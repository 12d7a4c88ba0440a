/* SPDX-License-Identifier: MIT */
/*
 * Special mappings: areas over pages that the kernel made, or over what a function maps. None can be cut
 * or grow; each is moved, copied by fork and unmapped as a whole.
 */
#include <stdio.h>
#include <string.h>

#include "kernel/abi/mman.h"
#include "mm/mapping.h"
#include "tests/host/death.h"
#include "tests/host/family.h"
#include "tests/host/tap.h"

#define PAGES_FLAGS (VM_READ | VM_EXEC | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC)
#define FRAME_FLAGS (VM_READ | VM_MAYREAD | VM_IO | VM_PFNMAP | VM_DONTDUMP)
#define FIXED	    (MREMAP_MAYMOVE | MREMAP_FIXED)

static struct page *pages[2];
static pfn_t frame;
static unsigned long moved_to;
static int move_result;

static unsigned int map_frame(const struct vm_special_mapping *sm, struct vm_area_struct *vma,
			      struct vm_fault *vmf)
{
	return vmf->pgoff ? VM_FAULT_SIGBUS : vmf_insert_pfn(vma, vmf->address, frame);
}

static int note_move(const struct vm_special_mapping *sm, struct vm_area_struct *vma)
{
	if (!move_result)
		moved_to = vma->vm_start;
	return move_result;
}

static const struct vm_special_mapping of_pages = {
	.name = "[pages]", .pages = pages, .nr_pages = 2, .mremap = note_move
};
static const struct vm_special_mapping of_frame = { .name = "[frame]", .fault = map_frame };

/* Two pages at 0, behind them four that map_frame() is for. 0 or -errno of the first failure. */
static long install(void)
{
	struct vm_area_struct *vma;

	mmap_write_lock(mm);
	vma = install_special_mapping(mm, page(0), 2 * PAGE_SIZE, PAGES_FLAGS, &of_pages);
	if (!IS_ERR(vma)) {
		vma = install_special_mapping(mm, page(2), 4 * PAGE_SIZE, FRAME_FLAGS, &of_frame);
		if (IS_ERR(vma))
			do_munmap(mm, page(0), 2 * PAGE_SIZE);
	}
	mmap_write_unlock(mm);
	return IS_ERR(vma) ? PTR_ERR(vma) : 0;
}

static void test_areas(void)
{
	struct vm_area_struct *vma;
	char line[200];

	begin();
	mm->def_flags = VM_LOCKED;
	is(install(), 0, "two areas");
	mm->def_flags = 0;
	ok(mm->map_count == 2 && mm->total_vm == 6 && mm->exec_vm == 2 && !mm->locked_vm,
	   "they count, but not as locked");
	ok((mm->mmap->vm_flags & VM_DONTEXPAND) && !(mm->mmap->vm_flags & VM_LOCKED), "flags");
	show_map_vma(mm->mmap, line, sizeof(line));
	ok(strstr(line, "r-xp 00000000 00:00 0  ") && strstr(line, " [pages]\n"), "%s", line);
	mmap_write_lock(mm);
	vma = install_special_mapping(mm, page(1), 2 * PAGE_SIZE, PAGES_FLAGS, &of_pages);
	is(PTR_ERR(vma), -ENOMEM, "where something is there is no place");
	vma = install_special_mapping(mm, page(6), 3 * PAGE_SIZE, PAGES_FLAGS, &of_pages);
	mmap_write_unlock(mm);
	ok(!IS_ERR(vma) && mm->map_count == 3, "none merges with another");
	is(sim_peek(page(7)), 2, "a page that others have, too");
	is(access_kind(page(8), SIM_READ), FAULT_BUS, "behind the last page is nothing");
	is(sim_peek(page(1)), 2, "both show it");
	is(page_mapcount(pages[1]), 2, "which is counted");
	is(rss(MM_FILEPAGES), 2, "like pages of a file");
	is(access_kind(page(0), SIM_EXEC), FAULT_HANDLED, "it can be executed");
	is(access_kind(page(0), SIM_WRITE), FAULT_NOT_WRITABLE, "not written");
	is(sim_peek(page(2)), 3, "what a function mapped");
	is(rss(MM_FILEPAGES), 3, "isn't counted");
	is(access_kind(page(3), SIM_READ), FAULT_BUS, "what it doesn't map is SIGBUS");
	ok(vma_is_special_mapping(mm->mmap) &&
		   !vma_is_special_mapping(&(struct vm_area_struct){ 0 }),
	   "they are known from others");
	audit_mm(mm);
	end();
	ok(!page_mapcount(pages[0]) && page_count(pages[0]) == 1,
	   "the pages are still the kernel's");
}

static void test_whole(void)
{
	begin();
	install();
	sim_peek(page(0));
	sim_peek(page(2));
	is(vm_munmap(page(1), PAGE_SIZE), -EINVAL, "a part can't be unmapped");
	is(vm_munmap(page(1), 2 * PAGE_SIZE), -EINVAL, "nor parts of both");
	is(vm_mprotect(page(2), PAGE_SIZE, PROT_NONE), -EINVAL, "nor protected otherwise");
	is(vm_madvise(page(0), PAGE_SIZE, MADV_DONTFORK), -EINVAL, "nor left out by fork");
	is((long)vm_mmap(NULL, page(1), PAGE_SIZE, RW, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, 0),
	   -ENOMEM, "nor replaced");
	is((long)vm_mremap(page(0), PAGE_SIZE, PAGE_SIZE, FIXED, page(100)), -EINVAL, "nor moved");
	is((long)vm_mremap(page(0), 2 * PAGE_SIZE, PAGE_SIZE, 0, 0), -EINVAL, "nor cut off");
	is((long)vm_mremap(page(0), 2 * PAGE_SIZE, 3 * PAGE_SIZE, MREMAP_MAYMOVE, 0), -EFAULT,
	   "it can't grow");
	is(vm_mlock(page(0), 6 * PAGE_SIZE, 0), 0, "mlock passes it over");
	ok(mm->map_count == 2 && mm->total_vm == 6 && !mm->locked_vm, "nothing has changed");

	move_result = -EINVAL;
	is((long)vm_mremap(page(0), 2 * PAGE_SIZE, 2 * PAGE_SIZE, FIXED, page(100)), -EINVAL,
	   "a move that its owner refuses");
	ok(sim_peek(page(0)) == 1 && mm->map_count == 2 && !find_vma(mm, page(100)),
	   "leaves all as it was");
	audit_mm(mm);
	move_result = 0;
	moved_to = 0;
	ok(vm_mremap(page(0), 2 * PAGE_SIZE, 2 * PAGE_SIZE, FIXED, page(100)) == page(100),
	   "moved as a whole");
	ok(moved_to == page(100), "its owner knows");
	ok(sim_peek(page(100)) == 1 && sim_peek(page(101)) == 2 && sim_peek(page(0)) == -1,
	   "with its pages");
	ok(vm_mremap(page(2), 4 * PAGE_SIZE, 4 * PAGE_SIZE, FIXED, page(200)) == page(200) &&
		   sim_peek(page(200)) == 3 && access_kind(page(201), SIM_READ) == FAULT_BUS,
	   "the same of frames");
	is(vm_munmap(page(50), 200 * PAGE_SIZE), 0, "unmapped with all around");
	ok(!mm->map_count && !mm->total_vm && !rss(MM_FILEPAGES), "nothing is left");
	end();
}

static void test_written(void)
{
	struct mm_struct *child;

	begin();
	install();
	sim_peek(page(1));
	sim_peek(page(2));
	child = fork_of(mm);
	ok(child->map_count == 2 && !page_at(child, page(1)), "a child finds the pages itself");
	ok(pte_special(pte_at(child, page(2))), "and has the frames");
	is(vm_mprotect(page(0), 2 * PAGE_SIZE, RW | PROT_EXEC), 0, "made writable as a whole");
	is(write_faults(page(1), 9), 1, "a write");
	ok(sim_peek(page(1)) == 9 && rss(MM_ANONPAGES) == 1, "makes a copy");
	is(page_mapcount(pages[1]), 0, "of the page that others have");
	run_on(child, 1);
	is(sim_peek(page(1)), 2, "who see nothing of it");
	audit_mm(child);
	run(mm);
	audit_mm(mm);
	is(vm_madvise(page(0), 2 * PAGE_SIZE, MADV_DONTNEED), 0, "given up");
	is(sim_peek(page(1)), 2, "it is the kernel's page again");
	finish(child, mm);
	end();
}

/* --- memory that runs out -------------------------------------------------------------------------- */

static struct mm_struct *forked;

static bool op_install(void)
{
	return !install();
}

static bool op_read(void)
{
	return sim_peek(page(1)) == 2 && sim_peek(page(2)) == 3;
}

static bool op_fork(void)
{
	forked = fork_of(mm);
	return forked;
}

static bool op_move(void)
{
	return vm_mremap(page(0), 2 * PAGE_SIZE, 2 * PAGE_SIZE, FIXED, page(0) + PUD_SIZE) ==
	       page(0) + PUD_SIZE;
}

static bool op_write(void)
{
	return sim_poke(page(1), 5);
}

static void setup_nothing(void)
{
}

static void setup_areas(void)
{
	install();
}

static void setup_read(void)
{
	install();
	op_read();
}

static void setup_writable(void)
{
	install();
	vm_mprotect(page(0), 2 * PAGE_SIZE, RW | PROT_EXEC);
}

static const struct scenario {
	const char *name;
	void (*setup)(void);
	bool (*op)(void);
} scenarios[] = {
	{ "installing both", setup_nothing, op_install },
	{ "the first faults", setup_areas, op_read },
	{ "a write", setup_writable, op_write },
	{ "fork", setup_read, op_fork },
	{ "a move", setup_read, op_move },
};

static unsigned long state(void)
{
	struct vm_area_struct *first = mm->mmap;

	return (unsigned long)mm->map_count << 32 ^ mm->total_vm << 16 ^ mm->exec_vm ^
	       (first ? first->vm_start ^ first->vm_flags : 0);
}

/* True when the call succeeded although the nth allocation was to fail. */
static bool try_one(const struct scenario *s, enum sim_fail how, unsigned long n, bool *good)
{
	struct sim_usage start = sim_usage(), left;
	unsigned long before;
	bool succeeded;

	begin();
	s->setup();
	sim_usage();
	before = state();
	sim_fail(how, n);
	succeeded = s->op();
	sim_fail(SIM_FAIL_NONE, 0);
	audit_mm(mm);
	sim_check_tlb();
	*good = *good && (succeeded || state() == before) && (succeeded || s->op());
	if (forked)
		finish(forked, mm);
	forked = NULL;
	audit_mm(mm);
	end();
	left = sim_usage();
	*good = sim_usage_same(&start, &left, false) && *good;
	return succeeded;
}

static void test_failures(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++) {
		unsigned int failures = 0;
		bool good = true;

		for (enum sim_fail how = SIM_FAIL_PAGE; how <= SIM_FAIL_ALL; how++)
			for (unsigned long n = 1; !try_one(&scenarios[i], how, n, &good); n++)
				failures++;
		ok(good && failures, "%s: %u failures, nothing changed, nothing lost",
		   scenarios[i].name, failures);
	}
}

/* --- damage ------------------------------------------------------------------------------------------ */

static void wrong_page(void *unused)
{
	install();
	sim_peek(page(0));
	set_pte(pte_offset(*pmd_lookup(mm->context.pgd, page(0)), page(0)),
		mk_pte(pages[1], mm->mmap->vm_page_prot));
	page_add_map(pages[1]);
	audit_mm(mm);
}

static void test_damage(void)
{
	begin();
	panics(wrong_page, NULL, "not what the special mapping has there",
	       "audit knows whose page it is");
	end();
}

int main(void)
{
	struct page *p;

	sim_boot_default();
	for (u8 i = 0; i < 3; i++) {
		p = alloc_page(GFP_KERNEL);
		memset(page_address(p), i + 1, PAGE_SIZE);
		if (i < 2)
			pages[i] = p;
		else
			frame = page_to_pfn(p);
	}
	test_areas();
	test_whole();
	test_written();
	test_failures();
	test_damage();
	page_alloc_audit();
	return done_testing();
}
