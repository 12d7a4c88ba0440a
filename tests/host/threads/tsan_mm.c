/* SPDX-License-Identifier: MIT */
/*
 * Threads of one program that map, touch, protect, move and unmap neighbouring ranges at once. Each owner
 * writes a tag of its own into its pages: whoever reads a word anywhere sees 0, the tag of who owns the
 * range, or gets a fault. A page that is given away too early holds somebody else's.
 */
#include "mm/internal.h"
#include "mm/vma.h"
#include "tests/host/tap.h"
#include "tests/host/threads/threads.h"

#define RW (PROT_READ | PROT_WRITE)

/*
 * Slices of the processors follow each other: so areas of two are neighbours, and share a page table. Each
 * slice has two windows that mremap moves between.
 */
#define BASE	     0x40000000UL
#define WINDOW_PAGES 6
#define SLICE_PAGES  (2 * WINDOW_PAGES)

static struct mm_struct *mm;
static atomic_long_t wrong, done, faults;

static unsigned long page_of(unsigned int cpu, unsigned int n)
{
	return BASE + (cpu * SLICE_PAGES + n) * PAGE_SIZE;
}

static u64 tag_of(unsigned int cpu)
{
	return 0x7e55e7a000000000UL | cpu;
}

/* --- one program ------------------------------------------------------------------------------------- */

static void read_any(void)
{
	unsigned int owner = (unsigned int)(test_random() % SIM_NR_CPUS);
	unsigned long addr = page_of(owner, (unsigned int)(test_random() % SLICE_PAGES));
	u64 value;

	if (load_word(addr + 8 * (test_random() % 512), &value) != FAULT_HANDLED)
		atomic_long_inc(&faults);
	else if (value && value != tag_of(owner))
		atomic_long_inc(&wrong);
}

/* What an owner wrote is there until it takes it away itself. */
static void write_own(unsigned int cpu, unsigned int n)
{
	unsigned long addr = page_of(cpu, n) + 8 * (test_random() % 512);
	u64 value = 0;

	if (store_word(addr, tag_of(cpu)) != FAULT_HANDLED)
		atomic_long_inc(&faults);
	else if (load_word(addr, &value) == FAULT_HANDLED && value != tag_of(cpu))
		atomic_long_inc(&wrong);
}

static void change_own(unsigned int cpu)
{
	unsigned int first = (unsigned int)(test_random() % SLICE_PAGES);
	unsigned int n = 1 + (unsigned int)(test_random() % 4);
	unsigned long addr = page_of(cpu, first), len;

	n = min(n, SLICE_PAGES - first);
	len = n * PAGE_SIZE;
	switch (test_random() % 8) {
	case 0:
	case 1:
		vm_mmap(NULL, addr, len, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0);
		break;
	case 2:
		vm_munmap(addr, len);
		break;
	case 3:
		vm_mprotect(addr, len, test_random() % 2 ? PROT_READ : PROT_NONE);
		break;
	case 4:
		vm_mprotect(addr, len, RW);
		break;
	case 5:
		vm_madvise(addr, len, MADV_DONTNEED);
		break;
	case 6:
		n = (unsigned int)(test_random() % 2) * WINDOW_PAGES;
		vm_mremap(page_of(cpu, n), PAGE_SIZE * (1 + test_random() % 3), 3 * PAGE_SIZE,
			  MREMAP_MAYMOVE | MREMAP_FIXED, page_of(cpu, WINDOW_PAGES - n));
		break;
	default:
		vm_mmap(NULL, addr, len, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE,
			0);
	}
}

static void change_slices(unsigned int cpu)
{
	test_random_seed(cpu);
	enter_mm(mm);
	for (unsigned int n = 0; n < 4000; n++) {
		read_any();
		write_own(cpu, (unsigned int)(test_random() % SLICE_PAGES));
		if (n % 3 == 0)
			change_own(cpu);
		atomic_long_inc(&done);
	}
	enter_mm(NULL);
}

static void map_slices(unsigned long flags)
{
	mm = mm_alloc();
	enter_mm(mm);
	vm_mmap(NULL, BASE, SIM_NR_CPUS * SLICE_PAGES * PAGE_SIZE, RW,
		flags | MAP_ANONYMOUS | MAP_FIXED, 0);
}

static void end_program(const char *what)
{
	down_write(&mm->mmap_lock);
	audit_mm(mm);
	up_write(&mm->mmap_lock);
	enter_mm(NULL);
	mmput(mm);
	is(atomic_long_read(&wrong), 0, "%s: nobody saw another's data", what);
	diag("%ld rounds, %ld faults that ended an access", atomic_long_read(&done),
	     atomic_long_read(&faults));
}

static void test_slices(void)
{
	map_slices(MAP_PRIVATE);
	on_all_cpus(change_slices);
	end_program("map, protect, move, unmap");
}

/* --- fork -------------------------------------------------------------------------------------------- */

/*
 * The child has what each slice held at one moment: words of a page are written in turn, each with the same
 * number, so that no later one may be ahead.
 */
static void check_child(unsigned int cpu)
{
	u64 last = ~0UL;

	for (unsigned int n = 0; n < SLICE_PAGES; n++) {
		u64 value = 0;

		if (load_word(page_of(cpu, n), &value) != FAULT_HANDLED || value > last)
			atomic_long_inc(&wrong);
		last = value;
		/* The child's own from here on. */
		store_word(page_of(cpu, n), ~0UL - cpu);
	}
}

static void fork_and_check(unsigned int cpu)
{
	struct mm_struct *child = dup_mm(mm);

	if (IS_ERR(child)) {
		atomic_long_inc(&wrong);
		return;
	}
	enter_mm(child);
	check_child((cpu + 1) % SIM_NR_CPUS);
	enter_mm(mm);
	mmput(child);
}

static void count_and_fork(unsigned int cpu)
{
	test_random_seed(cpu);
	enter_mm(mm);
	for (u64 n = 1; n < 400; n++) {
		for (unsigned int i = 0; i < SLICE_PAGES; i++) {
			u64 value = 0;

			store_word(page_of(cpu, i), n);
			if (load_word(page_of(cpu, i), &value) != FAULT_HANDLED || value != n)
				atomic_long_inc(&wrong);
		}
		if (n % 16 == 4 * cpu)
			fork_and_check(cpu);
		atomic_long_inc(&done);
	}
	enter_mm(NULL);
}

static void test_fork(void)
{
	map_slices(MAP_PRIVATE);
	on_all_cpus(count_and_fork);
	end_program("fork while others write");
}

/* --- memory that is shared, and given up ------------------------------------------------------------- */

/* All write to all pages; one or the other takes them away. */
static void share_pages(unsigned int cpu)
{
	test_random_seed(cpu);
	enter_mm(mm);
	for (unsigned int n = 0; n < 3000; n++) {
		unsigned long addr =
			page_of(0, (unsigned int)(test_random() % (SIM_NR_CPUS * SLICE_PAGES)));
		u64 value = 0;

		store_word(addr + 8 * cpu, tag_of(cpu));
		if (load_word(addr + 8 * cpu, &value) != FAULT_HANDLED ||
		    (value && value != tag_of(cpu)))
			atomic_long_inc(&wrong);
		if (n % 8 == cpu)
			vm_madvise(addr, PAGE_SIZE, test_random() % 2 ? MADV_DONTNEED : MADV_FREE);
		if (n % 64 == cpu)
			vm_mprotect(addr, 2 * PAGE_SIZE, RW);
		atomic_long_inc(&done);
	}
	enter_mm(NULL);
}

static void test_shared(void)
{
	map_slices(MAP_PRIVATE);
	on_all_cpus(share_pages);
	end_program("all write everywhere");
	map_slices(MAP_SHARED);
	on_all_cpus(share_pages);
	end_program("the same in shared memory");
}

int main(void)
{
	struct sim_usage start, end;

	sim_boot_default();
	start = sim_usage();
	test_slices();
	test_fork();
	test_shared();
	page_alloc_audit();
	end = sim_usage();
	ok(sim_usage_same(&start, &end, false), "everything came back");
	return done_testing();
}
