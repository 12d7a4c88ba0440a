/* SPDX-License-Identifier: MIT */
/*
 * Faults: what each ends in, what it costs, and stacks that grow.
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

/* The frame that a user address is mapped to, 0 when to none. */
static unsigned long frame_of(unsigned long addr)
{
	return pagemap_entry(mm, addr, true) & (BIT(55) - 1);
}

/* --- faults ---------------------------------------------------------------------------------------- */

static void test_verdicts(void)
{
	static const struct {
		const char *name;
		unsigned int page;
		enum fault_verdict read, write, exec;
	} cases[] = {
		{ "no area", 0, FAULT_NO_AREA, FAULT_NO_AREA, FAULT_NO_AREA },
		{ "PROT_NONE", 1, FAULT_NOT_READABLE, FAULT_NOT_WRITABLE, FAULT_NOT_EXECUTABLE },
		{ "PROT_READ", 2, FAULT_HANDLED, FAULT_NOT_WRITABLE, FAULT_NOT_EXECUTABLE },
		{ "PROT_WRITE, which can be read too", 3, FAULT_HANDLED, FAULT_HANDLED,
		  FAULT_NOT_EXECUTABLE },
		{ "PROT_EXEC, which can be read too", 4, FAULT_HANDLED, FAULT_NOT_WRITABLE,
		  FAULT_HANDLED },
		{ "everything", 5, FAULT_HANDLED, FAULT_HANDLED, FAULT_HANDLED },
		{ "the last page of a file", 19, FAULT_HANDLED, FAULT_HANDLED,
		  FAULT_NOT_EXECUTABLE },
		{ "beyond it", 20, FAULT_BUS, FAULT_BUS, FAULT_NOT_EXECUTABLE },
	};

	begin();
	map(1, 1, PROT_NONE, NULL, 0);
	map(2, 1, PROT_READ, NULL, 0);
	map(3, 1, PROT_WRITE, NULL, 0);
	map(4, 1, PROT_EXEC, NULL, 0);
	map(5, 1, RW | PROT_EXEC, NULL, 0);
	map(10, 12, RW, &file.file, 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned long addr = page(cases[i].page) + 123;

		is(access_kind(addr, SIM_READ), cases[i].read, "%s: read", cases[i].name);
		is(access_kind(addr, SIM_WRITE), cases[i].write, "... write");
		is(access_kind(addr, SIM_EXEC), cases[i].exec, "... execute");
	}
	is(do_user_fault(TASK_SIZE, FAULT_FLAG_USER), FAULT_NO_AREA, "the page above user space");
	is(do_user_fault(PAGE_OFFSET, FAULT_FLAG_USER), FAULT_NO_AREA, "the kernel's half");
	end();
}

static void test_anonymous(void)
{
	unsigned long first, second;

	begin();
	map(0, 4, RW, NULL, 0);
	is(sim_peek(page(0)), 0, "memory reads as 0");
	is((long)frame_of(page(0)), (long)page_to_pfn(zero_page).v, "... from the page of zeros");
	is(rss(MM_ANONPAGES), 0, "... which counts for nobody");
	is((long)sim_task.min_flt, 1, "... after one fault");
	is(sim_peek(page(0) + 5), 0, "the next read there");
	is((long)sim_task.min_flt, 1, "... needs none");
	ok(sim_poke(page(0) + 5, 77), "a write");
	ok(frame_of(page(0)) != page_to_pfn(zero_page).v, "... gets a page of its own");
	is(rss(MM_ANONPAGES), 1, "... which counts");
	is((long)sim_task.min_flt, 2, "... after one more fault");
	is(sim_peek(page(0) + 5), 77, "what was written is read");
	is(sim_peek(page(0) + 6), 0, "... beside it still 0");
	is(sim_peek(page(1)), 0, "another page has the zeros again");
	ok(sim_poke(page(2), 1), "a page that is written first");
	is((long)sim_task.min_flt, 4, "... has one fault");
	first = frame_of(page(2));
	is(vm_mprotect(page(2), PAGE_SIZE, PROT_NONE), 0, "mprotect(PROT_NONE)");
	is(access_kind(page(2), SIM_READ), FAULT_NOT_READABLE,
	   "... hides it from the other CPU too");
	is(vm_mprotect(page(2), PAGE_SIZE, RW), 0, "and back");
	is(sim_peek(page(2)), 1, "... it is there");
	second = frame_of(page(2));
	is((long)second, (long)first, "... the same frame");
	sim_task.min_flt = 0;
	ok(sim_poke(page(2), 2), "... and writable");
	is((long)sim_task.min_flt, 0, "... without a fault: it is nobody else's");
	is(vm_munmap(page(0), 4 * PAGE_SIZE), 0, "munmap");
	is(sim_peek(page(2)), -1, "... and it is gone");
	is(rss(MM_ANONPAGES), 0, "... counted");
	map(0, 4, RW, NULL, 0);
	is(sim_peek(page(2)), 0, "new memory at the same place is 0 again");
	end();
}

static void test_two_cpus(void)
{
	begin();
	map(0, 1, RW, NULL, 0);
	sim_set_cpu(0);
	is(sim_peek(page(0)), 0, "CPU 0 reads the page of zeros");
	sim_set_cpu(1);
	is(sim_peek(page(0)), 0, "CPU 1 too");
	ok(sim_poke(page(0), 9), "CPU 1 writes");
	sim_set_cpu(0);
	is(sim_peek(page(0)), 9, "CPU 0 sees what was written, not its old translation");
	vm_mprotect(page(0), PAGE_SIZE, PROT_READ);
	ok(!sim_poke(page(0), 1), "a right taken away is gone on CPU 0");
	sim_set_cpu(1);
	ok(!sim_poke(page(0), 1), "... and on CPU 1");
	vm_munmap(page(0), PAGE_SIZE);
	is(sim_peek(page(0)), -1, "unmapped on CPU 1");
	sim_set_cpu(0);
	is(sim_peek(page(0)), -1, "... and on CPU 0");
	end();
}

/* A fault of what is there already: the other CPU may write at the same moment, and mark the entry. */
static void test_spurious(void)
{
	pte_t *pte;

	begin();
	map(0, 1, RW, NULL, 0);
	sim_poke(page(0), 9);
	pte = pte_offset(pmdp_get(pmd_lookup(mm->context.pgd, page(0))), page(0));
	set_pte(pte, pte_mkold(pte_mkclean(*pte)));
	tlb_flush_range(&mm->context, page(0), page(1));
	is(do_user_fault(page(0), FAULT_FLAG_USER), FAULT_HANDLED, "a read of what is there");
	ok(!pte_young(*pte) && !pte_dirty(*pte), "... leaves the entry to the processors");
	is(do_user_fault(page(0), FAULT_FLAG_USER | FAULT_FLAG_WRITE), FAULT_HANDLED, "a write");
	ok(pte_young(*pte) && pte_dirty(*pte), "... sets all that they could set");
	end();
}

static void test_files(void)
{
	unsigned int reads;

	begin();
	map(0, 10, RW, &file.file, 0);
	vm_mmap(&file.file, page(20), 10 * PAGE_SIZE, RW, MAP_FIXED | MAP_SHARED, 0);
	is(sim_peek(page(3) + 9), sim_file_byte(3 * PAGE_SIZE + 9),
	   "a private mapping shows the file");
	is(rss(MM_FILEPAGES), 1, "... and counts its page");
	is((long)frame_of(page(3)), (long)page_to_pfn(find_get_page(&file.mapping, 3)).v,
	   "... which is the page cache's own");
	put_page(pfn_to_page(make_pfn(frame_of(page(3)))));
	ok(sim_poke(page(3) + 9, 0xab), "a private write");
	is(sim_peek(page(23) + 9), sim_file_byte(3 * PAGE_SIZE + 9), "... stays private");
	is(sim_peek(page(3) + 10), sim_file_byte(3 * PAGE_SIZE + 10), "... in a copy of the rest");
	ok(rss(MM_FILEPAGES) == 1 && rss(MM_ANONPAGES) == 1, "... anonymous from now on");
	ok(sim_poke(page(24), 0xcd), "a shared write");
	is(sim_peek(page(4)), 0xcd, "... is seen through the private mapping");
	ok(page_flag(pfn_to_page(make_pfn(frame_of(page(24)))), PG_dirty),
	   "... and the page is dirty");
	is(sim_peek(page(29) + PAGE_SIZE - 1), 0, "the file's last page ends in zeros");
	is(file.reads, 3, "each page was read once");
	file.fail_reads = 1;
	is(access_kind(page(5), SIM_READ), FAULT_BUS, "a page that can't be read: SIGBUS");
	is(sim_peek(page(5)), sim_file_byte(5 * PAGE_SIZE), "... and when it can, it is there");
	reads = file.reads;
	vm_munmap(page(0), 10 * PAGE_SIZE);
	vm_munmap(page(20), 10 * PAGE_SIZE);
	map(0, 10, PROT_READ, &file.file, MAP_POPULATE);
	is(rss(MM_FILEPAGES), 10, "MAP_POPULATE maps all ten");
	is(file.reads - reads, 6, "... and reads only what was not in memory");
	is(file.refs, 1, "one area holds the file");
	end();
}

/* What a truncate to one page by another CPU does first, in the midst of a fault. */
static int read_while_cut(struct address_space *mapping, struct page *page)
{
	mapping->size = PAGE_SIZE;
	clear_page(page_address(page));
	page_set_flag(page, PG_uptodate);
	return 0;
}

static void test_cut_meanwhile(void)
{
	static const struct address_space_operations cut_ops = { .read_page = read_while_cut };
	static struct sim_file cut;

	sim_file_init(&cut, "/cut", 10 * PAGE_SIZE);
	cut.mapping.a_ops = &cut_ops;
	begin();
	map(0, 10, RW, &cut.file, 0);
	is(access_kind(page(3), SIM_READ), FAULT_BUS, "a file cut while its page is read: SIGBUS");
	cut.mapping.size = 10 * PAGE_SIZE;
	is(access_kind(page(4), SIM_WRITE), FAULT_BUS, "... no copy is made of it either");
	ok(rss(MM_FILEPAGES) == 0 && rss(MM_ANONPAGES) == 0, "... nothing is mapped");
	is(access_kind(page(0), SIM_READ), FAULT_HANDLED, "... but what is left of the file");
	is((long)cut.mapping.nrpages, 1, "... of which no more is kept");
	end();
	sim_file_destroy(&cut);
}

static void test_kernel_access(void)
{
	char buf[3 * PAGE_SIZE] = { 0 };

	begin();
	map(0, 2, RW, NULL, 0);
	map(3, 1, PROT_READ, NULL, 0);
	is((long)copy_to_user((void *)page(0), buf, 2 * PAGE_SIZE), 0,
	   "copy_to_user faults pages in");
	is(rss(MM_ANONPAGES), 2, "... two");
	is((long)copy_to_user((void *)(page(1) + 100), buf, PAGE_SIZE), 100,
	   "... up to where it ends");
	is((long)copy_to_user((void *)page(3), buf, 10), 10, "... and not to read-only memory");
	is((long)copy_from_user(buf, (void *)(page(4) - 10), 30), 20, "copy_from_user stops too");
	is((long)copy_to_user((void *)(TASK_SIZE - 1), buf, 2), 2, "nothing beyond user space");
	memset(buf, 'x', 10);
	is((long)access_remote_vm(mm, page(1) + PAGE_SIZE - 5, buf, 10, FOLL_WRITE), 5,
	   "access_remote_vm");
	is(sim_peek(page(1) + PAGE_SIZE - 1), 'x', "... writes what the program reads");
	is((long)access_remote_vm(mm, page(3), buf, 10, FOLL_WRITE), 0,
	   "... not what it may not write");
	is((long)access_remote_vm(mm, page(3), buf, 2 * PAGE_SIZE, 0), (long)PAGE_SIZE,
	   "... reads");
	is(page_count(zero_page) > 0, 1, "... the page of zeros too, and leaves it");
	end();
}

/* --- stacks ------------------------------------------------------------------------------------------- */

static struct vm_area_struct *stack(void)
{
	return find_vma(mm, TOP - 1);
}

static void test_stack(void)
{
	begin();
	is(mm_setup_stack(mm, TOP, 0), 0, "a stack");
	mm->start_stack = TOP - 64;
	ok(stack()->vm_start == TOP - PAGE_SIZE && mm->stack_vm == 1, "... of one page");
	ok(sim_poke(TOP - PAGE_SIZE - 8, 1), "a write below it lets it grow");
	ok(stack()->vm_start == TOP - 2 * PAGE_SIZE && mm->stack_vm == 2, "... by a page");
	ok(sim_poke(TOP - 100 * PAGE_SIZE, 1), "a write far below");
	ok(stack()->vm_start == TOP - 100 * PAGE_SIZE && mm->stack_vm == 100,
	   "... by as much as needed");
	is(rss(MM_ANONPAGES), 2, "... without touching what is between");
	is(vm_committed_pages(), 100, "... all of it promised");
	sim_rlimits[MM_RLIMIT_STACK].cur = 200 * PAGE_SIZE;
	ok(sim_poke(TOP - 200 * PAGE_SIZE, 1), "up to the limit");
	is(access_kind(TOP - 200 * PAGE_SIZE - 1, SIM_WRITE), FAULT_STACK_LIMIT, "... not beyond");
	is(access_kind(BASE, SIM_WRITE), FAULT_STACK_LIMIT, "... from however far");
	mm_expand_stack_by(mm, 50 * PAGE_SIZE);
	is((long)(TOP - stack()->vm_start), 200 * (long)PAGE_SIZE, "exec's growth keeps the limit");
	sim_rlimits[MM_RLIMIT_STACK].cur = 210 * PAGE_SIZE + 5;
	mm_expand_stack_by(mm, 50 * PAGE_SIZE);
	is((long)(TOP - stack()->vm_start), 210 * (long)PAGE_SIZE,
	   "... and reaches it, in whole pages");
	sim_rlimits[MM_RLIMIT_STACK].cur = ~0UL;
	mm_expand_stack_by(mm, 3 * PAGE_SIZE);
	is((long)(TOP - stack()->vm_start), 213 * (long)PAGE_SIZE, "... or what was asked for");
	audit_mm(mm);
	end();
}

static void test_stack_gap(void)
{
	const unsigned long gap = STACK_GUARD_GAP_PAGES * PAGE_SIZE, wall = TOP - 400 * PAGE_SIZE;

	begin();
	mm_setup_stack(mm, TOP, 0);
	vm_mmap(NULL, wall - PAGE_SIZE, PAGE_SIZE, PROT_READ,
		MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, 0);
	ok(sim_poke(wall + gap, 1), "a stack grows to 256 pages above the next area");
	is(access_kind(wall + gap - 1, SIM_WRITE), FAULT_STACK_LIMIT, "... and no further");
	is((long)(TOP - stack()->vm_start), (long)(TOP - wall - gap), "... unchanged after that");
	vm_mprotect(wall - PAGE_SIZE, PAGE_SIZE, PROT_NONE);
	ok(sim_poke(wall + PAGE_SIZE, 1), "memory that nobody can touch needs no gap");
	is(access_kind(wall - 1, SIM_WRITE), FAULT_NOT_WRITABLE, "... but is no stack");
	end();

	begin();
	mm_setup_stack(mm, sysctl_mmap_min_addr + 3 * PAGE_SIZE, 0);
	ok(sim_poke(sysctl_mmap_min_addr, 1), "a stack down to the lowest address");
	is(access_kind(sysctl_mmap_min_addr - 1, SIM_WRITE), FAULT_STACK_LIMIT, "... not below");
	end();

	begin();
	vm_mmap(NULL, page(300), PAGE_SIZE, RW,
		MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, 0);
	sim_rlimits[MM_RLIMIT_AS].cur = 10 * PAGE_SIZE;
	ok(sim_poke(page(291), 1), "MAP_GROWSDOWN grows, within RLIMIT_AS");
	is(access_kind(page(290), SIM_WRITE), FAULT_STACK_LIMIT, "... and not beyond");
	end();
}

int main(void)
{
	struct sim_usage start, left;

	sim_boot_default();
	start = sim_usage();
	test_verdicts();
	test_anonymous();
	test_two_cpus();
	test_spurious();
	test_files();
	test_cut_meanwhile();
	test_kernel_access();
	test_stack();
	test_stack_gap();
	left = sim_usage();
	ok(sim_usage_same(&start, &left, true), "all of it given back");
	page_alloc_audit();
	return done_testing();
}
