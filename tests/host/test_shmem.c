/* SPDX-License-Identifier: MIT */
/*
 * Shared memory: one file, however many areas of however many programs show it, until the last of them
 * goes; what it may take; who may write it; what is there of it.
 */
#include <stdio.h>

#include <arch/uaccess.h>

#include "kernel/abi/fcntl.h"
#include "mm/shmem.h"
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
	map_shared(0, 4, 0);
	find_vma(mm, page(0))->vm_file->mapping->size = 10 * PAGE_SIZE;
	vm_munmap(page(0), 4 * PAGE_SIZE);
	is(vm_committed_pages(), 0, "... and no more, if a write has made it longer");
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

/* --- a limit ----------------------------------------------------------------------------------- */

static struct shmem_sb_info limit = { .max_blocks = 3 };

static long used(void)
{
	return atomic_long_read(&limit.used_blocks);
}

static void test_limit(void)
{
	begin();
	sim_shmem_limit = &limit;
	ok(map_shared(0, 8, MAP_NORESERVE) && used() == 0, "a file where three pages may be");
	ok(sim_poke(page(0), 1) && sim_poke(page(5), 1) && sim_peek(page(7)) == 0, "three are");
	is(used(), 3, "... and are counted");
	is(access_kind(page(1), SIM_READ), FAULT_BUS, "a fourth is SIGBUS");
	ok(used() == 3 && vm_committed_pages() == 3, "... and nothing is taken for it");
	is(sim_peek(page(5)), 1, "what is there can be used");
	vm_madvise(page(5), PAGE_SIZE, MADV_REMOVE);
	ok(used() == 2 && sim_poke(page(1), 1), "one that goes makes room");
	ok(map_shared(8, 8, 0) && used() == 3, "what is promised takes no room yet");
	is(access_kind(page(9), SIM_WRITE), FAULT_BUS, "... and may find none");
	is(vm_committed_pages(), 3 + 8, "... promised all the same");
	is(reserve_cache_page(object_at(0), 0), 0, "room for what is there is no room");
	is(reserve_cache_page(object_at(0), 6), -ENOSPC, "room that isn't there");
	audit_mm(mm);
	end();
	ok(used() == 0 && vm_committed_pages() == 0, "all of it comes back");
	sim_shmem_limit = NULL;
}

/* --- who may write ------------------------------------------------------------------------------ */

static int writers(void)
{
	return atomic_read(&object_at(0)->i_mmap_writable);
}

static void test_writers(void)
{
	const unsigned long shared = MAP_FIXED | MAP_SHARED;
	struct mm_struct *child;

	begin();
	map_shared(0, 6, 0);
	is(writers(), 1, "an area that may be written");
	vm_mprotect(page(2), 2 * PAGE_SIZE, PROT_READ);
	is(writers(), 3, "... cut in three, though one isn't writable now");
	child = fork_of(mm);
	is(writers(), 6, "... and a child's");
	finish(child, mm);
	is(writers(), 3, "... until it ends");
	vm_mprotect(page(2), 2 * PAGE_SIZE, RW);
	is(writers(), 1, "one again");
	vm_mremap(page(1), 0, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, page(100));
	vm_mremap(page(5), PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, page(110));
	vm_munmap(page(2), PAGE_SIZE);
	is(writers(), 4, "shown twice, moved, and with a hole");
	is(mapping_deny_writable(object_at(0)), -EBUSY, "so they can't be kept away");

	is(mapping_deny_writable(&file.mapping), 0, "where there are none, they can");
	is((long)vm_mmap(&file.file, page(20), PAGE_SIZE, RW, shared, 0), -EPERM, "none comes");
	is(sim_peek(page(20)), -1, "... and nothing is there");
	is((long)vm_mmap(&file.file, page(20), PAGE_SIZE, PROT_READ, shared, 0), -EPERM,
	   "nor one that could become writable");
	ok(map(20, 1, RW, &file.file, 0) && sim_poke(page(20), 1), "a private one may");
	is(file.refs, 1, "the refused ones let go of the file");
	mapping_allow_writable(&file.mapping);
	is((long)vm_mmap(&file.file, page(21), PAGE_SIZE, RW, shared, 0), (long)page(21),
	   "afterwards");
	is(atomic_read(&file.mapping.i_mmap_writable), 1, "... it counts once");
	audit_mm(mm);
	end();
	is(atomic_read(&file.mapping.i_mmap_writable), 0, "... and no more at the end");
}

static void test_types(void)
{
	const unsigned long validate = MAP_FIXED | MAP_SHARED_VALIDATE;

	begin();
	is((long)vm_mmap(&file.file, page(0), PAGE_SIZE, RW, validate | MAP_LOCKED | MAP_POPULATE,
			 0),
	   (long)page(0), "MAP_SHARED_VALIDATE with flags that were there before it");
	ok(mm->mmap->vm_flags & VM_SHARED, "... is shared");
	is((long)vm_mmap(&file.file, page(1), PAGE_SIZE, RW, validate | MAP_SYNC, 0), -EOPNOTSUPP,
	   "... with one that came with it");
	is((long)vm_mmap(&file.file, page(1), PAGE_SIZE, RW, MAP_FIXED | MAP_SHARED | MAP_SYNC, 0),
	   (long)page(1), "MAP_SHARED knows no better");
	file.file.vm_mode = VM_FILE_READ;
	is((long)vm_mmap(&file.file, page(1), PAGE_SIZE, RW, validate, 0), -EACCES,
	   "a file that can't be written");
	is((long)vm_mmap(&file.file, page(2), PAGE_SIZE, PROT_READ, validate, 0), (long)page(2),
	   "... can be read");
	is(atomic_read(&file.mapping.i_mmap_writable), 2, "... and never written that way");
	file.file.vm_mode = VM_FILE_READ | VM_FILE_WRITE;
	file.mapping.append_only = true;
	is((long)vm_mmap(&file.file, page(1), PAGE_SIZE, PROT_READ, validate, 0), -EACCES,
	   "one that only takes appends");
	file.mapping.append_only = false;
	file.file.vm_mode = VM_FILE_READ | VM_FILE_WRITE | VM_FILE_NOEXEC;
	is((long)vm_mmap(&file.file, page(1), PAGE_SIZE, PROT_EXEC, validate, 0), -EPERM,
	   "one that isn't to be executed");
	file.file.vm_mode = VM_FILE_WRITE;
	is((long)vm_mmap(&file.file, page(1), PAGE_SIZE, PROT_NONE, validate, 0), -EACCES,
	   "one that can't be read");
	end();
}

/* --- what is there --------------------------------------------------------------------------------- */

#define P (long)PAGE_SIZE

static void test_contents(void)
{
	struct address_space *object;
	struct page *held;

	begin();
	map_shared(0, 10, MAP_NORESERVE);
	object = object_at(0);
	is(shmem_seek(object, 0, true), -ENXIO, "nothing but a hole");
	is(shmem_seek(object, 5, false), 5, "... that begins at once");
	sim_poke(page(2), 1);
	sim_poke(page(3), 1);
	sim_poke(page(7), 1);
	is(reserve_cache_page(object, 5), 0, "room for a page");
	ok(object->nrpages == 4 && vm_committed_pages() == 4, "... is taken and promised");
	is(shmem_seek(object, 7, true), 2 * P, "data behind a hole");
	is(shmem_seek(object, 2 * PAGE_SIZE + 7, true), 2 * P + 7, "data within data");
	is(shmem_seek(object, 2 * PAGE_SIZE + 7, false), 4 * P, "the hole behind it");
	is(shmem_seek(object, 4 * PAGE_SIZE, true), 7 * P, "room that isn't used is a hole");
	is(shmem_seek(object, 8 * PAGE_SIZE, true), -ENXIO, "no more data");
	is(shmem_seek(object, 10 * PAGE_SIZE - 1, false), 10 * P - 1, "the last hole");
	is(shmem_seek(object, 10 * PAGE_SIZE, false), -ENXIO, "the end");
	sim_peek(page(5));
	is(shmem_seek(object, 4 * PAGE_SIZE, true), 5 * P, "a touch makes it data");
	sim_poke(page(9), 1);
	is(shmem_seek(object, 9 * PAGE_SIZE, false), 10 * P, "data up to the end");
	reserve_cache_page(object, 6);
	drop_unfilled_pages(object, 0, 9);
	ok(object->nrpages == 5 && vm_committed_pages() == 5, "what wasn't used is given back");

	ok(!shmem_has_pins(object), "mapped pages are nobody else's");
	held = find_get_page(object, 7);
	ok(shmem_has_pins(object), "one that somebody holds");
	put_page(held);
	ok(!shmem_has_pins(object), "... for a while");
	end();
}

/* A file's way through all that it can meet, with that failure; whether nothing failed. */
static bool whole_life(enum sim_fail how, unsigned long n)
{
	struct mm_struct *child;
	bool good;

	begin();
	sim_fail(how, n);
	good = map_shared(0, 8, MAP_NORESERVE) && map_shared(8, 4, 0);
	if (good) {
		good = sim_poke(page(0), 1) && sim_poke(page(9), 1);
		good = !reserve_cache_page(object_at(0), 5) && good;
		good = vm_mremap(page(8), 0, 4 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
				 page(600)) == page(600) &&
		       good;
		good = !vm_munmap(page(2), PAGE_SIZE) && good;
		child = fork_of(mm);
		good = child && good;
		if (child) {
			run(child);
			good = sim_peek(page(0)) >= 0 && sim_poke(page(3), 1) && good;
			finish(child, mm);
		}
	}
	sim_fail(SIM_FAIL_NONE, 0);
	audit_mm(mm);
	end();
	return good;
}

static void test_no_memory(void)
{
	unsigned long failures = 0;
	bool good = true, done;

	sim_shmem_limit = &limit;
	limit.max_blocks = 10;
	for (enum sim_fail how = SIM_FAIL_PAGE; how <= SIM_FAIL_ALL; how++) {
		done = false;
		for (unsigned long n = 1; n < 200 && !done && good; n++) {
			struct sim_usage start = sim_usage(), left;

			done = whole_life(how, n);
			failures += !done;
			left = sim_usage();
			good = sim_usage_same(&start, &left, false) && used() == 0 &&
			       vm_committed_pages() == 0;
			if (!good)
				diag("%s %lu: used %ld", sim_fail_names[how], n, used());
		}
		ok(done && good, "%s in turn fails, and nothing is lost", sim_fail_names[how]);
	}
	ok(failures > 20, "... %lu times", failures);
	sim_shmem_limit = NULL;
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
	test_limit();
	test_writers();
	test_types();
	test_contents();
	test_no_memory();
	left = sim_usage();
	ok(sim_usage_same(&start, &left, true), "all of it given back");
	page_alloc_audit();
	return done_testing();
}
