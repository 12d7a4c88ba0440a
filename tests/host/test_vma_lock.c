/* SPDX-License-Identifier: MIT */
/*
 * The lock of each area: who waits for whom, and what needs no mmap_lock. There is one thread. Where it
 * would sleep it becomes for a moment the thread that it waits for.
 */
#include "kernel/abi/mman.h"
#include "mm/internal.h"
#include "tests/host/program.h"
#include "tests/host/sim.h"
#include "tests/host/tap.h"

static unsigned long events(enum vm_event event, unsigned long *before)
{
	unsigned long now = vm_event_count(event), n = now - *before;

	*before = now;
	return n;
}

/* What faults have been, since the last look. */
static bool faults_were(unsigned long alone, unsigned long again, unsigned long under_mmap_lock)
{
	static unsigned long success, retry, abort, miss;
	unsigned long n = events(VMA_LOCK_SUCCESS, &success), r = events(VMA_LOCK_RETRY, &retry);
	unsigned long a = events(VMA_LOCK_ABORT, &abort) + events(VMA_LOCK_MISS, &miss);

	if (n != alone || r != again || a != under_mmap_lock)
		diag("under the area's lock %lu, begun so %lu, under mmap_lock %lu", n, r, a);
	return n == alone && r == again && a == under_mmap_lock;
}

/* --- faults ------------------------------------------------------------------------------------- */

static void test_faults(void)
{
	begin();
	map(1, 4, RW, NULL, 0);
	map(10, 4, PROT_READ, NULL, 0);
	map(20, 8, RW, &file.file, 0);
	vm_mmap(&file.file, page(30), 8 * PAGE_SIZE, RW, MAP_SHARED | MAP_FIXED, 0);
	faults_were(0, 0, 0);
	sim_peek(page(1));
	ok(faults_were(1, 0, 0), "a read of new memory needs only the area");
	sim_poke(page(1), 1);
	ok(faults_were(0, 1, 0), "an area's first write needs the neighbours, too");
	sim_poke(page(2), 1);
	sim_poke(page(3), 1);
	ok(faults_were(2, 0, 0), "the others don't");
	sim_poke(page(10), 1);
	ok(faults_were(1, 0, 0), "what isn't allowed is refused so as well");
	sim_peek(page(20));
	sim_poke(page(30), 1);
	ok(faults_were(2, 0, 0), "a file's pages come so, and are written");
	sim_poke(page(20), 1);
	ok(faults_were(0, 1, 0), "a private copy of one is a first write");
	sim_peek(page(100));
	ok(faults_were(0, 0, 1), "where nothing is, mmap_lock tells");
	for (const struct vm_area_struct *vma = mm->mmap; vma; vma = vma->vm_next)
		if (atomic_read(&vma->vm_readers) || !vma->attached)
			break;
		else if (!vma->vm_next)
			ok(true, "no area has readers afterwards");
	end();
}

/* --- who changes an area waits for a fault there ---------------------------------------------- */

static struct vm_area_struct *read_locked;
static unsigned int waits, early;
static int range_then;

/* The fault ends, while somebody waits to change the area. */
static void end_of_fault(void)
{
	waits++;
	/* Nothing may have happened yet. */
	early += !read_locked->attached || read_locked->vm_start != page(2) ||
		 read_locked->vm_end != page(6) || (int)read_locked->vm_flags != range_then ||
		 !(pagemap_entry(mm, page(3), false) & BIT(63));
	early += lock_vma_under_rcu(mm, page(3)) != NULL;
	vma_end_read(read_locked);
}

static void do_fork(void)
{
	struct mm_struct *child = dup_mm(mm);

	mmput(child);
}

static void do_unmap(void)
{
	vm_munmap(page(2), 4 * PAGE_SIZE);
}

static void do_unmap_middle(void)
{
	vm_munmap(page(3), PAGE_SIZE);
}

static void do_map_over(void)
{
	map(2, 4, PROT_READ, NULL, 0);
}

static void do_protect(void)
{
	vm_mprotect(page(2), 4 * PAGE_SIZE, PROT_READ);
}

static void do_protect_part(void)
{
	vm_mprotect(page(4), PAGE_SIZE, PROT_NONE);
}

static void do_move(void)
{
	vm_mremap(page(2), 4 * PAGE_SIZE, 4 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, page(60));
}

static void do_grow(void)
{
	vm_mremap(page(2), 4 * PAGE_SIZE, 5 * PAGE_SIZE, 0, 0);
}

static void do_lock(void)
{
	vm_mlock(page(2), 4 * PAGE_SIZE, MLOCK_ONFAULT);
}

static void do_advise(void)
{
	vm_madvise(page(2), 4 * PAGE_SIZE, MADV_DONTFORK);
}

static void do_merge(void)
{
	map(6, 2, RW, NULL, 0);
}

static void do_clear(void)
{
	mm_clear_refs(mm, CLEAR_REFS_SOFT_DIRTY);
}

static const struct {
	const char *name;
	void (*fn)(void);
} changes[] = {
	{ "munmap", do_unmap },
	{ "munmap of the middle", do_unmap_middle },
	{ "mmap in its place", do_map_over },
	{ "mprotect", do_protect },
	{ "mprotect of a part", do_protect_part },
	{ "mremap elsewhere", do_move },
	{ "mremap, growing in place", do_grow },
	{ "mlock", do_lock },
	{ "madvise of its flags", do_advise },
	{ "mmap that it merges with", do_merge },
	{ "clear_refs", do_clear },
	{ "fork", do_fork },
};

static void test_writers_wait(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		begin();
		map(2, 4, RW, NULL, 0);
		sim_poke(page(3), 1);
		waits = early = 0;
		read_locked = lock_vma_under_rcu(mm, page(3));
		range_then = read_locked ? (int)read_locked->vm_flags : 0;
		sim_on_schedule = end_of_fault;
		changes[i].fn();
		sim_on_schedule = NULL;
		ok(read_locked && waits == 1 && !early, "%s waits for a fault in the area",
		   changes[i].name);
		ok(!rwsem_is_locked(&mm->mmap_lock), "... and then comes to its end");
		end();
	}
}

/* --- what happens elsewhere ------------------------------------------------------------------------ */

static void test_elsewhere(void)
{
	struct vm_area_struct *vma;

	begin();
	map(2, 4, RW, NULL, 0);
	map(20, 4, RW, NULL, 0);
	sim_poke(page(3), 1);
	sim_poke(page(21), 1);
	vma = lock_vma_under_rcu(mm, page(3));
	ok(vma && vma->vm_start == page(2), "with a fault in one area");
	/* Nobody ends it: who had to wait would end the test. */
	map(40, 4, PROT_READ, NULL, 0);
	vm_mprotect(page(20), PAGE_SIZE, PROT_READ);
	vm_mremap(page(21), PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, page(70));
	vm_munmap(page(20), 4 * PAGE_SIZE);
	vm_madvise(page(2), 4 * PAGE_SIZE, MADV_DONTNEED);
	ok(true, "others are mapped, protected, moved, unmapped, and its pages dropped");
	if (vma)
		vma_end_read(vma);

	mmap_write_lock(mm);
	vma = find_vma(mm, page(40));
	vma_start_write(vma);
	ok(!lock_vma_under_rcu(mm, page(40)), "an area that is being changed isn't had");
	vma = lock_vma_under_rcu(mm, page(3));
	ok(vma, "another is, though mmap_lock is held for writing");
	if (vma)
		vma_end_read(vma);
	mmap_write_downgrade(mm);
	vma = lock_vma_under_rcu(mm, page(40));
	ok(vma, "after a downgrade all are had");
	if (vma)
		vma_end_read(vma);
	up_read(&mm->mmap_lock);

	mm->mm_rb_seq++;
	ok(!lock_vma_under_rcu(mm, page(90)),
	   "nothing is found while the tree changes: not for ever");
	vma = lock_vma_under_rcu(mm, page(3));
	ok(vma, "what is found then is good");
	if (vma)
		vma_end_read(vma);
	mm->mm_rb_seq++;
	end();
}

/* --- the walk ----------------------------------------------------------------------------------------- */

#define SOME_PAGES 200

/* Whether the way without a lock finds what find_vma() finds. */
static bool same_everywhere(void)
{
	for (unsigned int n = 0; n < SOME_PAGES; n++) {
		struct vm_area_struct *want = find_vma_intersection(mm, page(n), page(n) + 1);
		struct vm_area_struct *got = lock_vma_under_rcu(mm, page(n));

		if (got)
			vma_end_read(got);
		if (got != want)
			return false;
	}
	return true;
}

static void test_walk(void)
{
	unsigned int seed = 1, same = 0;

	begin();
	for (int i = 0; i < 300; i++) {
		unsigned int first, pages;

		seed = seed * 1103515245 + 12345;
		first = (seed >> 8) % (SOME_PAGES - 8);
		pages = 1 + (seed >> 20) % 8;
		if (seed >> 30)
			map(first, pages, seed >> 31 ? RW : PROT_READ, NULL, 0);
		else
			vm_munmap(page(first), pages * PAGE_SIZE);
		same += same_everywhere();
	}
	is((int)same, 300, "after each change the walk without a lock finds what the other finds");
	end();
}

int main(void)
{
	struct sim_usage start, left;

	sim_boot_default();
	start = sim_usage();
	test_faults();
	test_writers_wait();
	test_elsewhere();
	test_walk();
	left = sim_usage();
	ok(sim_usage_same(&start, &left, true), "all of it given back");
	page_alloc_audit();
	return done_testing();
}
