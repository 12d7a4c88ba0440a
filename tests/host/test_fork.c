/* SPDX-License-Identifier: MIT */
/*
 * fork: what a child gets of its parent's address space, what it doesn't, and that no page is copied
 * before somebody writes.
 */
#include "tests/host/family.h"
#include "tests/host/tap.h"

static struct mm_struct *child;

/* `mm` is forked into `child`; the parent stays on both CPUs. */
static bool fork_child(void)
{
	child = fork_of(mm);
	sim_check_tlb();
	return child;
}

static void end_child(void)
{
	audit_mm(mm);
	audit_mm(child);
	finish(child, mm);
	audit_mm(mm);
}

/* --- pages ------------------------------------------------------------------------------------------ */

static void test_pages(void)
{
	begin();
	map(0, 6, RW, NULL, 0);
	sim_poke(page(0), 10);
	sim_poke(page(1), 11);
	sim_poke(page(2), 12);
	sim_peek(page(3));
	vm_mprotect(page(2), PAGE_SIZE, PROT_READ);
	ok(fork_child(), "fork");
	for (unsigned int i = 0; i < 3; i++)
		ok(page_at(mm, page(i)) == page_at(child, page(i)) &&
			   mapcount_at(mm, page(i)) == 2 && page_count(page_at(mm, page(i))) == 2,
		   "page %u is mapped by both", i);
	ok(page_at(child, page(3)) == zero_page, "so is the page of zeros");
	ok(!page_at(child, page(4)), "what the parent never touched isn't there");
	ok(!pte_write(pte_at(mm, page(0))) && !pte_write(pte_at(child, page(0))),
	   "neither may write");
	ok(pte_dirty(pte_at(child, page(0))) && pte_soft_dirty(pte_at(child, page(0))),
	   "the child's entry says it was written");
	ok(!pte_young(pte_at(child, page(0))) && pte_young(pte_at(mm, page(0))),
	   "... but not by the child, who hasn't used it");
	is(rss_of(child, MM_ANONPAGES), 3, "the child's pages are counted");
	is(rss_of(mm, MM_ANONPAGES), 3, "... and the parent's as before");
	ok(child->total_vm == mm->total_vm && child->data_vm == mm->data_vm &&
		   child->map_count == mm->map_count,
	   "the areas' totals are the same");
	ok(atomic_long_read(&child->pgtables_bytes) == atomic_long_read(&mm->pgtables_bytes),
	   "as many tables");
	ok(child->hiwater_rss == 3 && child->hiwater_vm == 6, "peaks begin anew");
	is(vm_committed_pages(), 12, "the promise is made twice");

	run_on(child, 1);
	is(sim_peek(page(0)), 10, "the child reads what the parent wrote");
	is(write_faults(page(0), 20), 1, "its first write faults");
	is(write_faults(page(0), 20), 0, "... its second doesn't");
	ok(page_at(mm, page(0)) != page_at(child, page(0)) && mapcount_at(mm, page(0)) == 1 &&
		   mapcount_at(child, page(0)) == 1,
	   "each has its own page now");
	is(write_faults(page(3), 23), 1, "a write to the page of zeros faults");
	is(write_faults(page(4), 24), 1, "... and one to an untouched page");
	ok(!sim_poke(page(2), 1), "what was read-only still is");
	run_on(mm, 0);
	is(sim_peek(page(0)), 10, "the parent doesn't see the child's write");
	is(sim_peek(page(3)), 0, "... nor that on the page of zeros");
	is(write_faults(page(0), 30), 1, "the parent's own first write faults, too");
	is(page_at(mm, page(0)) != NULL && mapcount_at(mm, page(0)) == 1, 1,
	   "... and keeps its page");
	is(write_faults(page(1), 31), 1, "where the child still reads, the parent gets the copy");
	run_on(child, 1);
	is(sim_peek(page(1)), 11, "... and the child keeps the old content");
	is(write_faults(page(1), 21), 1, "... which is the child's alone then");
	is(rss_of(child, MM_ANONPAGES), 5, "counted");
	end_child();
	end();
}

static void test_child_gone(void)
{
	struct page *p;

	begin();
	map(0, 4, RW, NULL, 0);
	for (unsigned int i = 0; i < 4; i++)
		sim_poke(page(i), 1);
	p = page_at(mm, page(0));
	fork_child();
	finish(child, mm);
	is(mapcount_at(mm, page(0)), 1, "the child is gone");
	is(write_faults(page(0), 2), 1, "the parent's first write faults");
	ok(page_at(mm, page(0)) == p, "... and reuses the page");
	is(write_faults(page(0), 3), 0, "... once");
	vm_mprotect(page(0), 4 * PAGE_SIZE, PROT_READ);
	vm_mprotect(page(0), 4 * PAGE_SIZE, RW);
	is(write_faults(page(0), 4), 0, "known to be its own: mprotect gives it back at once");
	is(write_faults(page(1), 4), 1, "not known since the fork: it has to fault first");
	audit_mm(mm);
	end();
}

static void test_parent_gone(void)
{
	struct mm_struct *old;
	struct page *p;

	begin();
	map(0, 2, RW, NULL, 0);
	sim_poke(page(0), 1);
	p = page_at(mm, page(0));
	fork_child();
	old = mm;
	mm = child;
	finish(old, mm);
	is(sim_peek(page(0)), 1, "the parent is gone, its page isn't");
	is(write_faults(page(0), 2), 1, "the child's write faults");
	ok(page_at(mm, page(0)) == p, "... and the page is the child's");
	ok(page_anon_vma(p) == find_vma(mm, page(0))->anon_vma, "... by its anon_vma, too");
	audit_mm(mm);
	end();
}

/* 64 MiB of written memory: what a fork takes are tables. */
static void test_large(void)
{
	const unsigned int pages = (64U << 20) >> PAGE_SHIFT;
	unsigned long free, faults;
	long tables, spent;
	bool shared = true;

	begin();
	map(0, pages, RW, NULL, 0);
	for (unsigned int i = 0; i < pages; i++)
		sim_poke(page(i), (u8)i);
	sim_usage();
	free = nr_free_pages();
	faults = sim_task.min_flt;
	ok(fork_child(), "fork of 64 MiB");
	slab_drain();
	spent = (long)(free - nr_free_pages());
	tables = 1 + atomic_long_read(&child->pgtables_bytes) / (long)PAGE_SIZE;
	ok(spent >= tables && spent <= tables + 8,
	   "... takes %ld pages: %ld tables and a few for areas", spent, tables);
	for (unsigned int i = 0; i < pages; i++)
		shared &= page_at(mm, page(i)) == page_at(child, page(i)) &&
			  mapcount_at(mm, page(i)) == 2;
	ok(shared, "... and every page is shared");
	is((long)(sim_task.min_flt - faults), 0, "... without a fault");
	run_on(child, 1);
	is(sim_peek(page(pages - 1)), (u8)(pages - 1), "the last page is there");
	free = nr_free_pages();
	sim_poke(page(pages - 1), 0);
	is((long)(free - nr_free_pages()), 1, "one write takes one page");
	end_child();
	end();
}

static void test_tlb(void)
{
	begin();
	map(0, 2, RW, NULL, 0);
	for (unsigned int cpu = 0; cpu < SIM_NR_CPUS; cpu++) {
		sim_set_cpu(cpu);
		sim_poke(page(0), 1);
	}
	ok(sim_nr_cached(page(0), page(1)) >= 2, "both CPUs may write through their TLBs");
	fork_child();
	sim_set_cpu(1);
	is(write_faults(page(0), 2), 1, "after a fork the other CPU must fault, too");
	run_on(child, 0);
	is(sim_peek(page(0)), 1, "... so the child doesn't see what it writes");
	run_on(mm, 1);
	is(write_faults(page(1), 1), 1, "a page that is new after the fork");
	run_on(child, 0);
	is(sim_peek(page(1)), 0, "... isn't the child's");
	end_child();
	end();
}

/* --- areas ------------------------------------------------------------------------------------------ */

static void test_advice(void)
{
	struct mm_struct *grandchild;

	begin();
	map(0, 12, RW, NULL, 0);
	for (unsigned int i = 0; i < 12; i++)
		sim_poke(page(i), 1);
	vm_madvise(page(0), 3 * PAGE_SIZE, MADV_DONTFORK);
	vm_madvise(page(3), 3 * PAGE_SIZE, MADV_WIPEONFORK);
	vm_madvise(page(6), 3 * PAGE_SIZE, MADV_DONTFORK);
	vm_madvise(page(6), 3 * PAGE_SIZE, MADV_DOFORK);
	ok(fork_child(), "fork of an area in four parts");
	ok(child->total_vm == 9 && child->data_vm == 9 && child->map_count == 2,
	   "what is MADV_DONTFORK isn't there, nor counted");
	is(vm_committed_pages(), 21, "... nor promised");
	is(rss_of(child, MM_ANONPAGES), 6, "what is MADV_WIPEONFORK has no pages");
	ok(!find_vma(child, page(3))->anon_vma, "... as if never touched");
	is(find_vma(child, page(3))->vm_pgoff == page(3) >> PAGE_SHIFT, 1, "... at its place");
	run(child);
	is(sim_peek(page(1)), -1, "MADV_DONTFORK: nothing to read");
	is(sim_peek(page(4)), 0, "MADV_WIPEONFORK: zeros");
	is(sim_peek(page(7)), 1, "MADV_DOFORK: as if never advised");
	sim_poke(page(4), 5);
	grandchild = fork_of(child);
	run(grandchild);
	is(sim_peek(page(4)), 0, "it is wiped in the child's child, too");
	run(child);
	is(sim_peek(page(4)), 5, "... and not in the child");
	vm_madvise(page(3), 3 * PAGE_SIZE, MADV_KEEPONFORK);
	finish(grandchild, child);
	grandchild = fork_of(child);
	run(grandchild);
	is(sim_peek(page(4)), 5, "MADV_KEEPONFORK takes it back");
	finish(grandchild, child);
	end_child();
	end();
}

static void test_locks(void)
{
	begin();
	map(0, 4, RW, NULL, MAP_LOCKED);
	vm_mlock(page(2), 2 * PAGE_SIZE, MLOCK_ONFAULT);
	vm_mlockall(MCL_FUTURE);
	is((long)mm->locked_vm, 4, "four pages are locked");
	fork_child();
	is((long)child->locked_vm, 0, "none in the child");
	ok(!(find_vma(child, page(0))->vm_flags & VM_LOCKED_MASK) &&
		   !(find_vma(child, page(3))->vm_flags & VM_LOCKED_MASK),
	   "... nor marked so");
	ok(!(child->def_flags & VM_LOCKED) && (mm->def_flags & VM_LOCKED),
	   "MCL_FUTURE is the parent's only");
	is((long)mm->locked_vm, 4, "... and the parent keeps its locks");
	end_child();
	end();
}

static void test_layout(void)
{
	begin();
	mm->start_brk = BASE;
	mm->brk = BASE;
	mm->start_stack = 123;
	mm->arg_start = 5;
	mm->env_end = 6;
	mm->start_code = 7;
	mm->saved_auxv[3] = 9;
	arch_pick_mmap_layout(mm, 300UL << 20, PAGE_SIZE, 0);
	mm->exe_file = &file.file;
	file.refs++;
	fork_child();
	ok(child->start_brk == BASE && child->brk == BASE && child->start_stack == 123 &&
		   child->arg_start == 5 && child->env_end == 6 && child->start_code == 7 &&
		   child->saved_auxv[3] == 9,
	   "where exec put things is known to the child");
	ok(child->mmap_base == mm->mmap_base && child->mmap_legacy_base == mm->mmap_legacy_base &&
		   child->get_unmapped_area == mm->get_unmapped_area,
	   "new memory goes where the parent's would");
	ok(child->exe_file == &file.file && file.refs == 2, "it holds the program's file");
	ok(child->vmacache_seqnum != 0 && atomic_read(&child->mm_users) == 1,
	   "it has one user, and a cache of its own");
	end_child();
	is(file.refs, 1, "... until it ends");
	end();
}

static void test_brk(void)
{
	begin();
	mm->start_brk = mm->brk = page(0);
	vm_brk(page(3));
	sim_poke(page(0), 1);
	fork_child();
	run(child);
	is((long)(vm_brk(page(6)) == page(6)), 1, "brk in the child");
	is(child->map_count, 2, "... begins a second area: the first stems from a fork");
	sim_poke(page(4), 1);
	run(mm);
	vm_brk(page(6));
	is(mm->map_count, 1, "the parent's heap just grows");
	end_child();
	end();
}

static void test_merge_after_fork(void)
{
	begin();
	map(0, 2, RW, NULL, 0);
	map(10, 2, RW, NULL, 0);
	sim_poke(page(0), 1);
	fork_child();
	run(child);
	map(2, 2, RW, NULL, 0);
	is(child->map_count, 3, "a child's inherited, touched area takes over no new neighbour");
	map(12, 2, RW, NULL, 0);
	is(child->map_count, 3, "... an untouched one does");
	sim_poke(page(2), 1);
	ok(find_vma(child, page(2))->anon_vma != find_vma(child, page(0))->anon_vma,
	   "... nor shares its anon_vma with one");
	run(mm);
	map(2, 2, RW, NULL, 0);
	is(mm->map_count, 2, "the parent's does");
	end_child();
	end();
}

/* Chains are youngest first, each the child of the next, however they came about. */
static bool in_line(struct mm_struct *m, unsigned long addr)
{
	struct vm_area_struct *vma = find_vma(m, addr);
	const struct anon_vma *younger = NULL;
	const struct anon_vma_chain *avc;

	list_for_each_entry(avc, &vma->anon_vma_chain, same_vma)
	{
		if (younger && younger->parent != avc->anon_vma)
			return false;
		younger = avc->anon_vma;
	}
	return younger && younger->root == younger;
}

/* Cut and moved after a fork, pages must still be known wherever they are. */
static void test_move_after_fork(void)
{
	struct mm_struct *grandchild;

	begin();
	map(0, 8, RW, NULL, 0);
	for (unsigned int i = 0; i < 8; i++)
		sim_poke(page(i), (u8)(1 + i));
	fork_child();
	run(child);
	vm_munmap(page(3), PAGE_SIZE);
	ok(vm_mremap(page(4), 4 * PAGE_SIZE, 6 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
		     page(600)) == page(600),
	   "a child cuts and moves what it inherited");
	is(sim_peek(page(602)), 7, "... with its pages");
	is(mapcount_at(child, page(602)), 2, "... which are the parent's");
	is(chain_length_at(child, page(602)), 2, "... in areas that know both anon_vmas");
	sim_poke(page(602), 99);
	grandchild = fork_of(child);
	is(chain_length_at(grandchild, page(602)), 3, "one more in the child's child");
	ok(in_line(grandchild, page(602)) && in_line(grandchild, page(0)), "... youngest first");
	audit_mm(grandchild);
	run(grandchild);
	is(sim_peek(page(602)), 99, "it sees the child's page");
	is(mapcount_at(grandchild, page(601)), 3, "... and the first one's, which three map");
	vm_mprotect(page(600), 2 * PAGE_SIZE, PROT_READ);
	audit_mm(grandchild);
	vm_mprotect(page(600), 2 * PAGE_SIZE, RW);
	is(grandchild->map_count, 2, "cut and joined again");
	audit_mm(grandchild);
	finish(child, grandchild);
	is(mapcount_at(grandchild, page(601)), 2, "the child goes, two are left");
	is(write_faults(page(602), 1), 1, "its own page is its child's now");
	is(mapcount_at(grandchild, page(602)), 1, "... alone");
	child = grandchild;
	end_child();
	end();
}

static void test_stack(void)
{
	begin();
	mm_setup_stack(mm, TOP, 0);
	sim_poke(TOP - 1, 1);
	sim_poke(TOP - 2 * PAGE_SIZE, 2);
	fork_child();
	is((long)child->stack_vm, 2, "the child has the stack");
	run(child);
	ok(sim_poke(TOP - 5 * PAGE_SIZE, 3), "... which grows");
	is((long)child->stack_vm, 5, "... by what was needed");
	is((long)mm->stack_vm, 2, "... in the child only");
	is(sim_peek(TOP - 2 * PAGE_SIZE), 2, "... with what was on it");
	end_child();
	end();
}

static void test_files(void)
{
	const unsigned long shared = page(20), private = page(40), seen = page(60);

	begin();
	vm_mmap(&file.file, shared, 4 * PAGE_SIZE, RW, MAP_FIXED | MAP_SHARED, 0);
	vm_mmap(&file.file, private, 4 * PAGE_SIZE, RW, MAP_FIXED | MAP_PRIVATE, 0);
	vm_mmap(&file.file, seen, 4 * PAGE_SIZE, PROT_READ, MAP_FIXED | MAP_PRIVATE, 0);
	sim_poke(shared, 1);
	sim_peek(private + PAGE_SIZE);
	sim_poke(private, 2);
	sim_peek(seen);
	fork_child();
	is(file.refs, 6, "each of the child's areas holds the file");
	ok(!page_at(child, shared), "a shared page is left to be faulted in again");
	ok(!page_at(child, seen), "... and one of an area that nobody wrote");
	ok(page_at(child, private) == page_at(mm, private), "a private copy is shared");
	ok(page_at(child, private + PAGE_SIZE) == page_at(mm, private + PAGE_SIZE),
	   "... and with it the file's pages beside it");
	ok(rss_of(child, MM_FILEPAGES) == 1 && rss_of(child, MM_ANONPAGES) == 1, "counted so");
	run_on(child, 1);
	sim_poke(shared, 9);
	sim_poke(private, 8);
	sim_poke(private + PAGE_SIZE, 7);
	run_on(mm, 0);
	is(sim_peek(shared), 9, "what is shared is shared");
	is(sim_peek(private), 2, "what is private isn't");
	is(sim_peek(private + PAGE_SIZE), sim_file_byte(PAGE_SIZE), "... nor what becomes so");
	end_child();
	is(file.refs, 3, "the child's references are gone");
	end();
}

/* --- refusals ------------------------------------------------------------------------------------------ */

static void test_refused(void)
{
	struct sim_usage before, after;

	begin();
	map(0, 4, RW, NULL, 0);
	map(10, 8, RW | PROT_EXEC, NULL, 0);
	sim_poke(page(0), 1);
	before = sim_usage();
	sysctl_overcommit_memory = 2;
	sim_privileged = false;
	sysctl_overcommit_ratio = 0;
	ok(PTR_ERR(dup_mm(mm)) == -ENOMEM, "what can't be promised twice isn't forked");
	sysctl_overcommit_memory = 0;
	sysctl_overcommit_ratio = 50;
	sim_privileged = true;
	sim_task.kill_pending = true;
	ok(PTR_ERR(dup_mm(mm)) == -ENOMEM, "nor when the task is being killed");
	sim_task.kill_pending = false;
	after = sim_usage();
	ok(sim_usage_same(&before, &after, false), "... and nothing is left of it");
	audit_mm(mm);
	ok(fork_child(), "then it is");
	end_child();
	end();
}

/* --- lines of descent ------------------------------------------------------------------------------------ */

/* Each child forks, and then its parent ends: the chains stay short. */
static void test_long_line(void)
{
	struct sim_usage early = { 0 }, late;
	unsigned int longest = 0;

	begin();
	map(0, 4, RW, NULL, 0);
	map(10, 4, RW, NULL, 0);
	for (unsigned int i = 0; i < 4; i++)
		sim_poke(page(i), (u8)i);
	sim_poke(page(10), 1);
	for (unsigned int generation = 1; generation <= 60; generation++) {
		struct mm_struct *old = mm;

		fork_child();
		mm = child;
		finish(old, mm);
		/* One page a generation, so that pages of many ages are about. */
		sim_poke(page(generation % 4), (u8)generation);
		longest = max(longest, chain_length_at(mm, page(0)));
		audit_mm(mm);
		if (generation == 10)
			early = sim_usage();
	}
	late = sim_usage();
	ok(longest <= 3, "60 generations, and never more than %u anon_vmas to an area", longest);
	ok(sim_usage_same(&early, &late, false), "... nor more memory than after ten");
	is(sim_peek(page(3)), 59, "... and the pages are what was written last");
	end();
}

/* A parent that lives on and has many children, which have some, too. */
static void test_many_children(void)
{
	struct mm_struct *mms[31];
	bool right = true;

	begin();
	map(0, 4, RW, NULL, 0);
	sim_poke(page(0), 77);
	mms[0] = mm;
	for (unsigned int i = 1; i < ARRAY_SIZE(mms); i++) {
		mms[i] = fork_of(mms[(i - 1) / 2]);
		run(mms[i]);
		sim_poke(page(1), (u8)i);
	}
	is(mapcount_at(mm, page(0)), 31, "a page that 31 programs map");
	is(page_count_mappings(page_at(mm, page(0))), 31, "... and its reverse map finds them");
	for (unsigned int i = 1; i < ARRAY_SIZE(mms); i++) {
		audit_mm(mms[i]);
		run(mms[i]);
		right &= sim_peek(page(1)) == (int)i && sim_peek(page(0)) == 77;
	}
	ok(right, "each has its own page beside it");
	/* The older ones first: pages outlive who wrote them. */
	for (unsigned int i = 1; i < ARRAY_SIZE(mms); i++)
		finish(mms[i], mm);
	is(mapcount_at(mm, page(0)), 1, "they end, the page is the first one's again");
	audit_mm(mm);
	end();
}

int main(void)
{
	struct sim_usage start, left;

	sim_boot_default();
	start = sim_usage();
	test_pages();
	test_child_gone();
	test_parent_gone();
	test_large();
	test_tlb();
	test_advice();
	test_locks();
	test_layout();
	test_brk();
	test_merge_after_fork();
	test_move_after_fork();
	test_stack();
	test_files();
	test_refused();
	test_long_line();
	test_many_children();
	left = sim_usage();
	ok(sim_usage_same(&start, &left, true), "all of it given back");
	page_alloc_audit();
	return done_testing();
}
