/* SPDX-License-Identifier: MIT */
/*
 * Memory that runs out: every allocation of every call fails once in turn, alone, then with all that
 * come after it. Nothing may have changed then, or be lost.
 */
#include <stdlib.h>
#include <string.h>

#include <arch/uaccess.h>

#include "kernel/abi/mman.h"
#include "mm/gup.h"
#include "mm/internal.h"
#include "tests/host/program.h"
#include "tests/host/sim.h"
#include "tests/host/tap.h"

/* What a failure leaves behind, where not everything as it was. */
enum leaves {
	NOTHING,
	SPLIT,	 /* an area may stay cut in two, which nobody can tell from one */
	PART,	 /* what was done before the failure stays, as in Linux */
	SUCCESS, /* it doesn't fail: it does less */
};

struct scenario {
	const char *name;
	void (*setup)(void);
	bool (*op)(void);
	enum leaves leaves;
};

static void setup_nothing(void)
{
}

static void setup_untouched(void)
{
	map(0, 10, RW, NULL, 0);
}

static void setup_area(void)
{
	map(0, 10, RW, NULL, 0);
	sim_poke(page(4), 1);
	sim_poke(page(5), 1);
}

static void setup_areas(void)
{
	map(0, 4, RW, NULL, 0);
	map(4, 4, PROT_READ, NULL, 0);
	map(8, 4, RW | PROT_EXEC, NULL, 0);
	for (unsigned int i = 0; i < 12; i++)
		sim_poke(page(i), 1);
}

static void setup_file(void)
{
	map(0, 10, RW, &file.file, 0);
}

static void setup_seen(void)
{
	map(0, 1, RW, NULL, 0);
	sim_peek(page(0));
}

static void setup_file_seen(void)
{
	setup_file();
	sim_peek(page(0));
}

static void setup_brk(void)
{
	mm->start_brk = mm->brk = page(0);
}

static void setup_heap(void)
{
	setup_brk();
	vm_brk(page(5));
	for (unsigned int i = 0; i < 5; i++)
		sim_poke(page(i), 1);
}

static void setup_stack(void)
{
	mm_setup_stack(mm, TOP, 0);
}

static bool op_mmap(void)
{
	return map(0, 10, RW, NULL, 0);
}

static bool op_mmap_file(void)
{
	return map(0, 10, RW, &file.file, 0);
}

static bool op_mmap_shared(void)
{
	return vm_mmap(NULL, page(0), 10 * PAGE_SIZE, RW, MAP_FIXED | MAP_SHARED | MAP_ANONYMOUS,
		       0) == page(0);
}

static void setup_shared(void)
{
	op_mmap_shared();
}

static bool op_mmap_over(void)
{
	return map(3, 4, PROT_READ, NULL, 0);
}

static bool op_populate(void)
{
	return map(0, 3, RW, NULL, MAP_POPULATE);
}

static bool op_munmap_middle(void)
{
	return !vm_munmap(page(3), 4 * PAGE_SIZE);
}

static bool op_munmap_many(void)
{
	return !vm_munmap(page(2), 8 * PAGE_SIZE);
}

static bool op_mprotect_middle(void)
{
	return !vm_mprotect(page(3), 4 * PAGE_SIZE, PROT_READ);
}

static bool op_mprotect_end(void)
{
	return !vm_mprotect(page(6), 4 * PAGE_SIZE, PROT_READ);
}

static void setup_readonly(void)
{
	map(0, 10, PROT_READ, NULL, 0);
}

static bool op_mprotect_write(void)
{
	return !vm_mprotect(page(3), 4 * PAGE_SIZE, RW);
}

static bool op_mprotect_many(void)
{
	return !vm_mprotect(page(2), 8 * PAGE_SIZE, PROT_NONE);
}

static bool op_brk_up(void)
{
	return vm_brk(page(7)) == page(7);
}

static bool op_brk_down(void)
{
	return vm_brk(page(2)) == page(2);
}

/* A written area of which a part moves to where the end of another is. */
static void setup_move(void)
{
	setup_area();
	map(40, 10, RW, NULL, 0);
}

static bool op_move(void)
{
	return vm_mremap(page(2), 4 * PAGE_SIZE, 5 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
			 page(100)) == page(100);
}

static bool op_move_over(void)
{
	return vm_mremap(page(2), 4 * PAGE_SIZE, 4 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
			 page(43)) == page(43);
}

static bool op_move_keep(void)
{
	return vm_mremap(page(2), 4 * PAGE_SIZE, 4 * PAGE_SIZE,
			 MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, page(600)) == page(600);
}

static bool op_move_whole(void)
{
	return vm_mremap(page(0), 10 * PAGE_SIZE, 10 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
			 page(1000)) == page(1000);
}

static void setup_gap(void)
{
	map(0, 4, RW, NULL, 0);
	map(8, 4, RW, NULL, 0);
	sim_poke(page(9), 1);
}

static bool op_grow_into_gap(void)
{
	return vm_mremap(page(0), 4 * PAGE_SIZE, 8 * PAGE_SIZE, 0, 0) == page(0);
}

static bool op_mlock(void)
{
	return !vm_mlock(page(3), 3 * PAGE_SIZE, 0);
}

static bool op_advice(void)
{
	return !vm_madvise(page(3), 3 * PAGE_SIZE, MADV_DONTFORK);
}

static bool op_populate_write(void)
{
	return !vm_madvise(page(0), 3 * PAGE_SIZE, MADV_POPULATE_WRITE);
}

static bool op_write(void)
{
	return access_kind(page(0), SIM_WRITE) == FAULT_HANDLED;
}

static bool op_read(void)
{
	return access_kind(page(0), SIM_READ) == FAULT_HANDLED;
}

static bool op_stack_fault(void)
{
	return access_kind(TOP - 5 * PAGE_SIZE, SIM_WRITE) == FAULT_HANDLED;
}

static bool op_setup_stack(void)
{
	return !mm_setup_stack(mm, TOP, 0);
}

static bool op_mm_alloc(void)
{
	struct mm_struct *new = mm_alloc();

	if (new)
		mmput(new);
	return new;
}

static bool op_copy(void)
{
	char buf[16] = { 0 };

	return !copy_to_user((void *)page(0), buf, sizeof(buf));
}

static bool op_remote(void)
{
	char buf[16] = { 0 };

	return access_remote_vm(mm, page(0), buf, sizeof(buf), FOLL_WRITE) == sizeof(buf);
}

/* A debugger's write: a copy of what only may be read. */
static bool op_force(void)
{
	char c = 1;

	return access_remote_vm(mm, page(0), &c, 1, FOLL_WRITE | FOLL_FORCE) == 1;
}

static void setup_file_readonly(void)
{
	map(0, 10, PROT_READ, &file.file, 0);
}

static bool op_pin(void)
{
	struct page *p;
	bool done = pin_user_pages_unlocked(mm, page(0), 1, 0, &p) == 1;

	if (done)
		unpin_user_pages(&p, 1, false);
	return done;
}

/* An address space with areas and pages of every sort. */
static void setup_family(void)
{
	setup_areas();
	vm_mmap(&file.file, page(600), 3 * PAGE_SIZE, RW, MAP_FIXED | MAP_PRIVATE, 0);
	vm_mmap(&file.file, page(700), 3 * PAGE_SIZE, RW, MAP_FIXED | MAP_SHARED, 0);
	sim_peek(page(600));
	sim_poke(page(601), 1);
	sim_poke(page(700), 1);
}

static bool op_fork(void)
{
	struct mm_struct *child = dup_mm(mm);

	if (IS_ERR(child))
		return false;
	mmput(child);
	return true;
}

/* The copies that fork makes of pinned pages. */
static bool op_fork_pinned(void)
{
	struct page *pages[4];
	long got = pin_user_pages_unlocked(mm, page(0), 4, 0, pages);
	bool done = got == 4 && op_fork();

	if (got > 0)
		unpin_user_pages(pages, (unsigned long)got, false);
	return done;
}

/* A page that a child has, too, becomes one's own for a pin. */
static bool op_pin_shared(void)
{
	struct mm_struct *child = dup_mm(mm);
	bool done = !IS_ERR(child) && op_pin();

	if (!IS_ERR(child))
		mmput(child);
	return done;
}

/* The second generation: what it inherits has more than one anon_vma. */
static void setup_child(void)
{
	struct mm_struct *parent = mm;

	setup_family();
	mm = dup_mm(parent);
	sim_use_mm(mm);
	mmput(parent);
	sim_poke(page(2), 1);
}

static bool op_move_inherited(void)
{
	return vm_mremap(page(1), 2 * PAGE_SIZE, 3 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
			 page(1000)) == page(1000);
}

static void setup_forked(void)
{
	setup_area();
	op_fork();
}

static bool op_write_shared(void)
{
	struct mm_struct *child = dup_mm(mm);
	bool done = !IS_ERR(child) && access_kind(page(4), SIM_WRITE) == FAULT_HANDLED;

	if (!IS_ERR(child))
		mmput(child);
	return done;
}

static bool op_vmalloc(void)
{
	void *p = vmalloc(5 * PAGE_SIZE);

	vfree(p);
	return p;
}

static bool op_kernel_stack(void)
{
	void *p = alloc_kernel_stack();

	if (p)
		free_kernel_stack(p);
	return p;
}

static const struct scenario scenarios[] = {
	{ "mm_alloc", setup_nothing, op_mm_alloc, NOTHING },
	{ "a first stack", setup_nothing, op_setup_stack, NOTHING },
	{ "mmap", setup_nothing, op_mmap, NOTHING },
	{ "mmap of a file", setup_nothing, op_mmap_file, NOTHING },
	{ "mmap of shared memory", setup_nothing, op_mmap_shared, NOTHING },
	{ "munmap in the middle of shared memory", setup_shared, op_munmap_middle, SPLIT },
	{ "a write to shared memory", setup_shared, op_write, NOTHING },
	{ "mmap over the middle of an area", setup_area, op_mmap_over, PART },
	{ "mmap with MAP_POPULATE", setup_nothing, op_populate, SUCCESS },
	{ "munmap in the middle", setup_area, op_munmap_middle, SPLIT },
	{ "munmap in the middle of a file's area", setup_file, op_munmap_middle, SPLIT },
	{ "munmap across areas", setup_areas, op_munmap_many, SPLIT },
	{ "mprotect in the middle", setup_area, op_mprotect_middle, SPLIT },
	{ "mprotect at the end", setup_area, op_mprotect_end, NOTHING },
	{ "mprotect that has memory promised", setup_readonly, op_mprotect_write, SPLIT },
	{ "mprotect of a file's area", setup_file, op_mprotect_middle, SPLIT },
	{ "mprotect across areas", setup_areas, op_mprotect_many, PART },
	{ "mremap of a part", setup_move, op_move, SPLIT },
	{ "mremap over a part of another area", setup_move, op_move_over, PART },
	{ "mremap of a whole area", setup_area, op_move_whole, NOTHING },
	{ "mremap, MREMAP_DONTUNMAP", setup_move, op_move_keep, NOTHING },
	{ "mremap, growing up to the next", setup_gap, op_grow_into_gap, SUCCESS },
	{ "mlock", setup_untouched, op_mlock, PART },
	{ "madvise", setup_area, op_advice, SPLIT },
	{ "MADV_POPULATE_WRITE", setup_untouched, op_populate_write, PART },
	{ "brk: the first", setup_brk, op_brk_up, NOTHING },
	{ "brk up", setup_heap, op_brk_up, SUCCESS },
	{ "brk down", setup_heap, op_brk_down, NOTHING },
	{ "write fault", setup_untouched, op_write, NOTHING },
	{ "write fault where tables are", setup_area, op_write, NOTHING },
	{ "read fault", setup_untouched, op_read, NOTHING },
	{ "write after the page of zeros", setup_seen, op_write, NOTHING },
	{ "read of a file's page", setup_file, op_read, NOTHING },
	{ "private write to a file's page", setup_file, op_write, NOTHING },
	{ "private write to one that was read", setup_file_seen, op_write, NOTHING },
	{ "stack growth", setup_stack, op_stack_fault, PART },
	{ "copy_to_user", setup_untouched, op_copy, NOTHING },
	{ "access_remote_vm", setup_untouched, op_remote, NOTHING },
	{ "a write with force to untouched memory", setup_readonly, op_force, NOTHING },
	{ "... to a private file", setup_file_readonly, op_force, NOTHING },
	{ "a pin", setup_untouched, op_pin, NOTHING },
	{ "a pin of a page that a child has, too", setup_areas, op_pin_shared, NOTHING },
	{ "fork with pinned pages", setup_family, op_fork_pinned, NOTHING },
	{ "fork", setup_family, op_fork, NOTHING },
	{ "fork of a forked one", setup_child, op_fork, NOTHING },
	{ "munmap in the middle of what was inherited", setup_child, op_munmap_middle, SPLIT },
	{ "mremap of a part of what was inherited", setup_child, op_move_inherited, SPLIT },
	{ "write to a page that a child has, too", setup_area, op_write_shared, NOTHING },
	{ "write to one that a child had", setup_forked, op_write, NOTHING },
	{ "vmalloc", setup_nothing, op_vmalloc, NOTHING },
	{ "a kernel stack", setup_nothing, op_kernel_stack, NOTHING },
};

/* --- the state of an address space as text ------------------------------------------------------------------ */

static bool continues(const struct vm_area_struct *a, const struct vm_area_struct *b)
{
	return a && a->vm_end == b->vm_start && a->vm_flags == b->vm_flags &&
	       a->vm_file == b->vm_file && a->vm_pgoff + vma_pages(a) == b->vm_pgoff;
}

/* With `joined`, areas that could be one are shown as one. */
static void snapshot(char *buf, size_t size, bool joined)
{
	struct vm_area_struct *vma, whole;
	size_t n = 0;

	for_each_vma(mm, vma)
	{
		if (joined && continues(vma->vm_prev, vma))
			continue;
		whole = *vma;
		for (struct vm_area_struct *v = vma;
		     joined && v->vm_next && continues(v, v->vm_next); v = v->vm_next)
			whole.vm_end = v->vm_next->vm_end;
		n += (size_t)show_map_vma(&whole, buf + n, size - n);
		n += (size_t)snprintf(buf + n, size - n, "  flags %#lx\n",
				      (unsigned long)vma->vm_flags);
	}
	n += (size_t)snprintf(buf + n, size - n,
			      "areas %d total %lu data %lu exec %lu stack %lu locked %lu\n",
			      joined ? 0 : mm->map_count, mm->total_vm, mm->data_vm, mm->exec_vm,
			      mm->stack_vm, mm->locked_vm);
	n += (size_t)snprintf(buf + n, size - n,
			      "file %ld anon %ld brk %#lx committed %ld refs %d\n",
			      rss(MM_FILEPAGES), rss(MM_ANONPAGES), mm->brk, vm_committed_pages(),
			      joined ? 0 : file.refs);
}

#define MAX_FAILURES 60

/* One failure; true when the call succeeded although the nth allocation was to fail. */
static bool try_one(const struct scenario *s, enum sim_fail how, unsigned long n, bool *good)
{
	static char before[8192], after[8192];
	struct sim_usage start = sim_usage(), left;
	bool succeeded;

	begin();
	s->setup();
	sim_usage(); /* nothing kept ready: every object needs a slab, every slab a page */
	snapshot(before, sizeof(before), s->leaves == SPLIT);
	sim_fail(how, n);
	succeeded = s->op();
	sim_fail(SIM_FAIL_NONE, 0);
	snapshot(after, sizeof(after), s->leaves == SPLIT);
	audit_mm(mm);
	sim_check_tlb();
	if (!succeeded && s->leaves <= SPLIT && strcmp(before, after)) {
		*good = false;
		diag("%s, %s %lu: before\n%safter\n%s", s->name, sim_fail_names[how], n, before,
		     after);
	}
	if (!succeeded && !s->op()) {
		*good = false;
		diag("%s, %s %lu: fails again when there is memory", s->name, sim_fail_names[how],
		     n);
	}
	audit_mm(mm);
	end();
	left = sim_usage();
	*good = sim_usage_same(&start, &left, false) && *good;
	return succeeded;
}

static void test_scenario(const struct scenario *s)
{
	unsigned int failures = 0;
	bool good = true;

	for (enum sim_fail how = SIM_FAIL_PAGE; how <= SIM_FAIL_ALL; how++)
		for (unsigned long n = 1; n <= MAX_FAILURES && good; n++) {
			if (!try_one(s, how, n, &good))
				failures++;
			else if (s->leaves != SUCCESS || n > 12)
				break;
		}
	ok(good, "%s: %u failures, nothing changed%s, nothing lost", s->name, failures,
	   s->leaves == NOTHING ? "" : " but what may");
	ok(failures > 0 || s->leaves == SUCCESS, "... it did fail");
}

int main(void)
{
	sim_boot_default();
	/* The kernel's tables for vmalloc are made once and stay. */
	op_vmalloc();
	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++)
		test_scenario(&scenarios[i]);
	page_alloc_audit();
	return done_testing();
}
