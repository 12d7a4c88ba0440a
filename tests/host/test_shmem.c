/* SPDX-License-Identifier: MIT */
/*
 * Shared anonymous memory: one object, however many areas of however many programs show it, until the
 * last of them goes.
 */
#include <stdio.h>

#include <arch/uaccess.h>

#include "tests/host/family.h"
#include "tests/host/tap.h"

static bool map_shared(unsigned int first, unsigned int n, unsigned long flags)
{
	return vm_mmap(NULL, page(first), n * PAGE_SIZE, RW,
		       MAP_FIXED | MAP_SHARED | MAP_ANONYMOUS | flags, 0) == page(first);
}

static struct address_space *object_at(unsigned int n)
{
	return find_vma(mm, page(n))->vm_file->mapping;
}

static void test_one(void)
{
	char line[200];

	begin();
	ok(map_shared(0, 4, 0), "MAP_SHARED | MAP_ANONYMOUS");
	is(vm_committed_pages(), 4, "... is promised in full");
	ok(mm->total_vm == 4 && mm->data_vm == 0, "... and is no data of the program's own");
	is(sim_peek(page(1)), 0, "it reads as zeros");
	is(write_faults(page(1), 7), 0, "a page that was read can be written without a fault");
	is(write_faults(page(2), 8), 1, "another has one");
	ok(rss(MM_SHMEMPAGES) == 2 && rss(MM_ANONPAGES) == 0 && rss(MM_FILEPAGES) == 0,
	   "they count as shared memory");
	show_map_vma(mm->mmap, line, sizeof(line));
	ok(strstr(line, "rw-s 00000000 00:01 ") && strstr(line, " /dev/zero (deleted)\n"),
	   "it has a name: %s", line);
	ok(map_shared(4, 4, 0) && mm->map_count == 2, "a second one beside it stays apart");
	ok(object_at(0) != object_at(4), "... as another object");
	vm_mprotect(page(1), 2 * PAGE_SIZE, PROT_READ);
	is(mm->map_count, 4, "cut in three");
	is(access_kind(page(1), SIM_WRITE), FAULT_NOT_WRITABLE, "... and not writable there");
	vm_mprotect(page(1), 2 * PAGE_SIZE, RW);
	is(mm->map_count, 2, "... becomes one again");
	is(sim_peek(page(1)), 7, "... with its pages");
	vm_munmap(page(1), PAGE_SIZE);
	is(sim_peek(page(1)), -1, "a hole in the middle");
	is((long)object_at(0)->nrpages, 2, "... but its page stays in the object");
	is(vm_committed_pages(), 8, "... and promised");
	audit_mm(mm);
	end();
	is(vm_committed_pages(), 0, "the last area takes it all along");
}

static void test_calls(void)
{
	begin();
	map_shared(0, 4, 0);
	sim_poke(page(1), 7);
	sim_poke(page(2), 8);
	is(vm_madvise(page(0), 4 * PAGE_SIZE, MADV_DONTNEED), 0, "MADV_DONTNEED");
	is(rss(MM_SHMEMPAGES), 0, "... unmaps");
	is(sim_peek(page(1)), 7, "... but the content is kept");
	is(vm_madvise(page(0), 4 * PAGE_SIZE, MADV_FREE), -EINVAL, "MADV_FREE isn't for it");
	is(vm_madvise(page(1), PAGE_SIZE, MADV_REMOVE), 0, "MADV_REMOVE");
	is(sim_peek(page(1)), 0, "... drops the content");
	is(sim_peek(page(2)), 8, "... of what was named");
	is(vm_mlock(page(0), 2 * PAGE_SIZE, 0), 0, "mlock");
	is(vm_madvise(page(0), PAGE_SIZE, MADV_REMOVE), -EINVAL, "... keeps it in memory");
	is(rss(MM_SHMEMPAGES), 3, "... and brought in what was missing");
	vm_munlock(page(0), 2 * PAGE_SIZE);
	vm_mprotect(page(3), PAGE_SIZE, PROT_READ);
	is(vm_madvise(page(3), PAGE_SIZE, MADV_REMOVE), 0, "what can't be written now may go");
	is(vm_msync(page(0), 4 * PAGE_SIZE, MS_SYNC), 0, "msync");

	ok(vm_mremap(page(2), 0, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, page(100)) == page(100),
	   "mremap of length 0");
	is(sim_peek(page(100)), 8, "... shows the page a second time");
	sim_poke(page(100), 9);
	is(sim_peek(page(2)), 9, "... the same page");
	is(mapcount_at(mm, page(2)), 2, "... mapped twice");
	ok(vm_mremap(page(0), 3 * PAGE_SIZE, 8 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
		     page(200)) == page(200),
	   "moved and grown");
	is(sim_peek(page(202)), 9, "... with its content");
	is(sim_peek(page(203)), 0, "... the object goes on to its end");
	is(access_kind(page(204), SIM_READ), FAULT_BUS, "... behind which is nothing");
	is(vm_committed_pages(), 4, "... and nothing promised");
	audit_mm(mm);
	end();
}

static void test_family(void)
{
	struct mm_struct *child, *grandchild;

	begin();
	map_shared(0, 4, 0);
	sim_poke(page(0), 1);
	child = fork_of(mm);
	ok(!page_at(child, page(0)) && rss_of(child, MM_SHMEMPAGES) == 0,
	   "a child finds its pages when it needs them");
	is(vm_committed_pages(), 4, "... which are promised once");
	run_on(child, 1);
	is(sim_peek(page(0)), 1, "it sees what its parent wrote");
	sim_poke(page(0), 2);
	sim_poke(page(1), 3);
	grandchild = fork_of(child);
	run_on(mm, 0);
	is(sim_peek(page(0)), 2, "... and the parent what the child did");
	is(sim_peek(page(1)), 3, "... on new pages, too");
	is(mapcount_at(mm, page(1)), 2, "... mapped by two");
	is(vm_madvise(page(0), PAGE_SIZE, MADV_REMOVE), 0, "MADV_REMOVE by the parent");
	run_on(child, 1);
	is(sim_peek(page(0)), 0, "... is seen by the child");
	audit_mm(mm);
	audit_mm(child);
	run_on(mm, 0);
	vm_munmap(page(0), 4 * PAGE_SIZE);
	finish(child, mm);
	run_on(grandchild, 1);
	is(sim_peek(page(1)), 3, "the object outlives who made it");
	is(vm_committed_pages(), 4, "... with its promise");
	audit_mm(grandchild);
	finish(grandchild, mm);
	is(vm_committed_pages(), 0, "and ends with the last");
	end();
}

static void test_promises(void)
{
	begin();
	ok(map_shared(0, 4, MAP_NORESERVE), "with MAP_NORESERVE");
	is(vm_committed_pages(), 0, "... nothing is promised at first");
	sim_poke(page(0), 1);
	sim_peek(page(1));
	is(vm_committed_pages(), 2, "... but each page as it comes");
	vm_madvise(page(0), PAGE_SIZE, MADV_REMOVE);
	is(vm_committed_pages(), 1, "... until it is given back");
	sysctl_overcommit_memory = 2;
	sysctl_overcommit_ratio = 0;
	sim_privileged = false;
	is(access_kind(page(3), SIM_WRITE), FAULT_BUS, "what can't be promised is SIGBUS");
	ok(!map_shared(10, 4, 0), "... and what is promised in full isn't made");
	sysctl_overcommit_memory = 0;
	sysctl_overcommit_ratio = 50;
	sim_privileged = true;
	ok(sim_poke(page(3), 1), "later it can");
	vm_munmap(page(0), 4 * PAGE_SIZE);
	is(vm_committed_pages(), 0, "all of it is taken back");
	ok(vm_mmap(NULL, 0, (totalram_pages() + 1) * PAGE_SIZE, RW, MAP_SHARED | MAP_ANONYMOUS,
		   0) == (unsigned long)-ENOMEM,
	   "more than there is");
	ok(vm_mmap(NULL, 0, PAGE_SIZE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN, 0) ==
		   (unsigned long)-EINVAL,
	   "no stack is shared");
	ok(vm_mmap(NULL, 0, PAGE_SIZE, RW, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, 0) ==
		   (unsigned long)-EINVAL,
	   "nor is MAP_SHARED_VALIDATE without a file");
	end();
}

int main(void)
{
	struct sim_usage start, left;

	sim_boot_default();
	start = sim_usage();
	test_one();
	test_calls();
	test_family();
	test_promises();
	left = sim_usage();
	ok(sim_usage_same(&start, &left, true), "all of it given back");
	page_alloc_audit();
	return done_testing();
}
