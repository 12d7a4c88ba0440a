/* SPDX-License-Identifier: MIT */
/*
 * mremap at each level of the page tables. A few pages of a large area are written, the area moves, and
 * the counts say how: whole tables where both places agree, single entries at the ragged ends.
 * Neighbours lie close by on all sides, in the same tables, and must not notice. Then the same with
 * every allocation failing in turn: everything is back at the old place.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/abi/mman.h"
#include "mm/internal.h"
#include "tests/host/sim.h"
#include "tests/host/tap.h"

#define KIB (1UL << 10)
#define MIB (1UL << 20)
#define GIB (1UL << 30)
#define OLD (64 * GIB)
#define NEW (128 * GIB)

struct move_case {
	const char *name;
	unsigned long old, new, old_len, new_len;
	unsigned long touched[6];    /* offsets; 0 ends the list: the first page always is */
	unsigned long pud, pmd, pte; /* moved, of each level */
};

static const struct move_case cases[] = {
	{ "two pages", 0, 0, 8 * KIB, 8 * KIB, { 4 * KIB }, 0, 0, 2 },
	{ "one table", 0, 0, 2 * MIB, 2 * MIB, { 1 * MIB, 2 * MIB - 4 * KIB }, 0, 1, 0 },
	{ "three tables, the middle one not there", 0, 0, 6 * MIB, 6 * MIB, { 5 * MIB }, 0, 2, 0 },
	{ "a page off: no table fits", 0, 4 * KIB, 4 * MIB, 4 * MIB, { 2 * MIB, 3 * MIB }, 0, 0, 3 },
	{ "ragged at both ends", MIB, MIB, 6 * MIB, 6 * MIB, { MIB, 3 * MIB, 5 * MIB }, 0, 2, 2 },
	{ "ragged, another 2 MiB",
	  MIB,
	  3 * MIB,
	  6 * MIB,
	  6 * MIB,
	  { MIB, 3 * MIB, 5 * MIB },
	  0,
	  2,
	  2 },
	{ "ragged, not congruent",
	  MIB,
	  2 * MIB,
	  6 * MIB,
	  6 * MIB,
	  { MIB, 3 * MIB, 5 * MIB },
	  0,
	  0,
	  4 },
	{ "1 GiB", 0, 0, GIB, GIB, { 512 * MIB, GIB - 4 * KIB }, 1, 0, 0 },
	{ "1 GiB, congruent to 2 MiB only",
	  0,
	  2 * MIB,
	  GIB,
	  GIB,
	  { 512 * MIB, GIB - 4 * KIB },
	  0,
	  3,
	  0 },
	{ "1 GiB, congruent to a page only",
	  0,
	  4 * KIB,
	  GIB,
	  GIB,
	  { 512 * MIB, GIB - 4 * KIB },
	  0,
	  0,
	  3 },
	{ "a bit more at both ends",
	  GIB - 2 * MIB - 4 * KIB,
	  GIB - 2 * MIB - 4 * KIB,
	  GIB + 4 * MIB + 8 * KIB,
	  GIB + 4 * MIB + 8 * KIB,
	  { 4 * KIB, 8 * MIB, GIB + 2 * MIB + 4 * KIB, GIB + 4 * MIB + 4 * KIB },
	  1,
	  2,
	  2 },
	{ "two of 1 GiB, over the border of a PGD entry",
	  447 * GIB,
	  895 * GIB,
	  2 * GIB,
	  2 * GIB,
	  { GIB },
	  2,
	  0,
	  0 },
	{ "growing", 0, 0, 4 * MIB, 9 * MIB, { 3 * MIB }, 0, 2, 0 },
	{ "shrinking", 0, 0, 9 * MIB, 4 * MIB, { 3 * MIB, 8 * MIB }, 0, 2, 0 },
	{ "shrinking to a part of a table", 0, 0, 9 * MIB, 3 * MIB, { 2 * MIB, 8 * MIB }, 0, 1, 1 },
};

static struct mm_struct *mm;

#define WHERE (MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)

static void map(unsigned long addr, unsigned long len, unsigned long prot)
{
	vm_mmap(NULL, addr, len, prot, WHERE, 0);
}

/* --- neighbours: a page right before and right behind, at both places ---------------------------------- */

static unsigned long neighbour(const struct move_case *c, int n)
{
	switch (n) {
	case 0:
		return OLD + c->old - PAGE_SIZE;
	case 1:
		return OLD + c->old + c->old_len;
	case 2:
		return NEW + c->new - PAGE_SIZE;
	}
	return NEW + c->new + c->new_len;
}

static void setup(const struct move_case *c)
{
	mm = sim_new_mm();
	for (int n = 0; n < 4; n++) {
		map(neighbour(c, n), PAGE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC);
		sim_poke(neighbour(c, n) + 7, (u8)(n + 1));
	}
	map(OLD + c->old, c->old_len, PROT_READ | PROT_WRITE);
	sim_poke(OLD + c->old, 100);
	for (int i = 0; i < 6 && c->touched[i]; i++)
		sim_poke(OLD + c->old + c->touched[i], (u8)(101 + i));
	audit_mm(mm);
}

static bool neighbours_well(const struct move_case *c)
{
	for (int n = 0; n < 4; n++)
		if (sim_peek(neighbour(c, n) + 7) != n + 1)
			return false;
	return true;
}

/* What was written is at `base`, as far as `len`. Reads only what is there: counts stay. */
static bool contents_at(const struct move_case *c, unsigned long base, unsigned long len)
{
	bool good = sim_peek(base) == 100;

	for (int i = 0; i < 6 && c->touched[i]; i++)
		if (c->touched[i] < len)
			good = good && sim_peek(base + c->touched[i]) == 101 + i;
	return good;
}

static unsigned long do_move(const struct move_case *c, unsigned long flags)
{
	return vm_mremap(OLD + c->old, c->old_len, c->new_len,
			 MREMAP_MAYMOVE | MREMAP_FIXED | flags, NEW + c->new);
}

/* --- it works -------------------------------------------------------------------------------------------- */

static void test_case(const struct move_case *c)
{
	unsigned long pud = vm_event_count(MREMAP_MOVED_PUD),
		      pmd = vm_event_count(MREMAP_MOVED_PMD);
	unsigned long pte = vm_event_count(MREMAP_MOVED_PTE);
	unsigned long frees, kept = min(c->old_len, c->new_len);

	setup(c);
	frees = nr_free_pages();
	is((long)do_move(c, 0), (long)(NEW + c->new), "%s", c->name);
	audit_mm(mm);
	sim_check_tlb();
	is((long)(vm_event_count(MREMAP_MOVED_PUD) - pud), (long)c->pud,
	   "... tables of 1 GiB moved");
	is((long)(vm_event_count(MREMAP_MOVED_PMD) - pmd), (long)c->pmd, "... of 2 MiB");
	is((long)(vm_event_count(MREMAP_MOVED_PTE) - pte), (long)c->pte, "... entries");
	ok(contents_at(c, NEW + c->new, kept), "... contents are there");
	ok(sim_peek(OLD + c->old) == -1 && sim_peek(OLD + c->old + c->old_len - 1) == -1,
	   "... nothing is left behind");
	ok(neighbours_well(c), "... and no neighbour has noticed");
	ok(nr_free_pages() + 8 >= frees, "... no page was copied");
	sim_exit_mm();
}

/* --- it fails --------------------------------------------------------------------------------------------- */

static bool fail_at(const struct move_case *c, enum sim_fail how, unsigned long n, bool *good)
{
	struct sim_usage start = sim_usage(), end;
	long total, committed, tables, areas;
	unsigned long ret;

	setup(c);
	sim_usage();
	total = (long)mm->total_vm;
	committed = vm_committed_pages();
	tables = atomic_long_read(&mm->pgtables_bytes);
	areas = mm->map_count;
	sim_fail(how, n);
	ret = do_move(c, 0);
	sim_fail(SIM_FAIL_NONE, 0);
	audit_mm(mm);
	sim_check_tlb();
	if (IS_ERR_VALUE(ret)) {
		/* What shrinking cut off before is gone, as in Linux. */
		bool cut = c->new_len < c->old_len && (long)mm->total_vm != total;
		unsigned long kept = cut ? c->new_len : c->old_len;

		*good = *good && ret == (unsigned long)-ENOMEM &&
			contents_at(c, OLD + c->old, kept) && neighbours_well(c) &&
			(long)mm->total_vm == total - (long)((c->old_len - kept) >> PAGE_SHIFT) &&
			vm_committed_pages() == committed && mm->map_count == areas &&
			(cut || atomic_long_read(&mm->pgtables_bytes) == tables);
		if (!*good)
			diag("%s: %s %lu: %ld; total %ld, was %ld; areas %d, were %ld; tables %ld, were %ld",
			     c->name, sim_fail_names[how], n, (long)ret, (long)mm->total_vm, total,
			     mm->map_count, areas, atomic_long_read(&mm->pgtables_bytes), tables);
		*good = *good &&
			vm_mremap(OLD + c->old, kept, c->new_len, MREMAP_MAYMOVE | MREMAP_FIXED,
				  NEW + c->new) == NEW + c->new;
		*good = *good && contents_at(c, NEW + c->new, min(kept, c->new_len));
		audit_mm(mm);
	}
	sim_exit_mm();
	end = sim_usage();
	*good = sim_usage_same(&start, &end, false) && *good;
	return IS_ERR_VALUE(ret);
}

static void test_failures(const struct move_case *c)
{
	unsigned int failures = 0;
	bool good = true;

	for (enum sim_fail how = SIM_FAIL_PAGE; how <= SIM_FAIL_ALL; how++)
		for (unsigned long n = 1; n < 60 && good && fail_at(c, how, n, &good); n++)
			failures++;
	ok(good && failures > 0, "%s: failed %u times, everything back each time", c->name,
	   failures);
}

/* --- the other flags ------------------------------------------------------------------------------------------ */

static void test_dontunmap(void)
{
	const struct move_case *c = &cases[4];

	setup(c);
	is((long)do_move(c, MREMAP_DONTUNMAP), (long)(NEW + c->new), "MREMAP_DONTUNMAP");
	audit_mm(mm);
	ok(contents_at(c, NEW + c->new, c->new_len), "... the pages have moved");
	is(sim_peek(OLD + c->old), 0, "... and the old area is there, empty");
	ok(sim_poke(OLD + c->old, 9) && sim_peek(NEW + c->new) == 100, "... on its own");
	ok(neighbours_well(c), "... among its neighbours");
	audit_mm(mm);
	sim_exit_mm();
}

static void test_dontunmap_locked(void)
{
	mm = sim_new_mm();
	map(OLD, 10 * PAGE_SIZE, PROT_READ | PROT_WRITE);
	vm_mlock(OLD, 10 * PAGE_SIZE, 0);
	is((long)vm_mremap(OLD + 2 * PAGE_SIZE, 3 * PAGE_SIZE, 3 * PAGE_SIZE,
			   MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, NEW),
	   NEW, "MREMAP_DONTUNMAP of a part of a locked area");
	is((long)mm->locked_vm, 10, "... whose lock moves along with it");
	audit_mm(mm);
	sim_exit_mm();
}

static int plain_mmap(struct vm_file *f, struct vm_area_struct *vma)
{
	return 0;
}

/* Private memory over a file, as of /dev/zero: numbered by the file, wherever it goes. */
static void test_dontunmap_file(void)
{
	struct vm_file_operations fops;
	struct sim_file zero;

	sim_file_init(&zero, "/dev/zero", 0);
	fops = *zero.file.vm_fops;
	fops.mmap = plain_mmap;
	zero.file.vm_fops = &fops;
	mm = sim_new_mm();
	vm_mmap(&zero.file, OLD, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED,
		16 * PAGE_SIZE);
	sim_poke(OLD, 1);
	is((long)vm_mremap(OLD, 4 * PAGE_SIZE, 4 * PAGE_SIZE,
			   MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, NEW),
	   NEW, "MREMAP_DONTUNMAP of anonymous memory over a file");
	is((long)find_vma(mm, OLD)->vm_pgoff, 16, "... the old area keeps its offset");
	is((long)find_vma(mm, NEW)->vm_pgoff, 16, "... and so has the new one");
	ok(sim_peek(NEW) == 1 && sim_peek(OLD) == 0, "... with the pages");
	audit_mm(mm);
	sim_exit_mm();
	sim_file_destroy(&zero);
}

static void test_in_place(void)
{
	mm = sim_new_mm();
	map(OLD, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE);
	is((long)vm_mremap(OLD, 4 * PAGE_SIZE, 8 * PAGE_SIZE, 0, 0), OLD, "grows in place");
	map(OLD + 9 * PAGE_SIZE, PAGE_SIZE, PROT_READ | PROT_WRITE);
	is((long)vm_mremap(OLD, 8 * PAGE_SIZE, 9 * PAGE_SIZE, 0, 0), OLD,
	   "... up to the next area");
	is(mm->map_count, 1, "... with which it becomes one");
	sim_poke(OLD, 1);
	is((long)vm_mremap(OLD, 4 * PAGE_SIZE, 5 * PAGE_SIZE, 0, 0), -ENOMEM,
	   "not from the middle");
	is((long)vm_mremap(OLD, 11 * PAGE_SIZE, 12 * PAGE_SIZE, 0, 0), -EFAULT, "nor from beyond");
	is((long)vm_mremap(OLD, 10 * PAGE_SIZE, 2 * PAGE_SIZE, 0, 0), OLD, "shrinks");
	is((long)mm->total_vm, 2, "... to two pages");
	is(sim_peek(OLD), 1, "... with what was in them");
	audit_mm(mm);
	sim_exit_mm();
}

/* The kernel chooses the place: large areas so that tables can move. */
static void test_choice(void)
{
	unsigned long addr;

	mm = sim_new_mm();
	map(OLD + MIB, 8 * MIB, PROT_READ | PROT_WRITE);
	map(OLD + 9 * MIB, PAGE_SIZE, PROT_READ);
	addr = vm_mremap(OLD + MIB, 8 * MIB, 9 * MIB, MREMAP_MAYMOVE, 0);
	ok(!IS_ERR_VALUE(addr), "moves when it can't grow");
	is((long)(addr & (2 * MIB - 1)), MIB, "... to a place that agrees modulo 2 MiB");
	audit_mm(mm);
	sim_exit_mm();
}

/* old_len 0 on shared memory: a second view. */
static void test_second_view(void)
{
	struct sim_file file;

	mm = sim_new_mm();
	sim_file_init(&file, "/file", 8 * PAGE_SIZE);
	vm_mmap(&file.file, OLD, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_SHARED, 0);
	sim_poke(OLD + PAGE_SIZE, 55);
	is((long)vm_mremap(OLD, 0, 3 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, NEW), NEW,
	   "old_len 0 on shared memory");
	ok(sim_peek(NEW + PAGE_SIZE) == 55 && sim_peek(OLD + PAGE_SIZE) == 55,
	   "... shows it a second time");
	is(file.refs, 2, "... in an area of its own");
	map(OLD + GIB, PAGE_SIZE, PROT_READ | PROT_WRITE);
	is((long)vm_mremap(OLD + GIB, 0, PAGE_SIZE, MREMAP_MAYMOVE, 0), -EINVAL,
	   "... not on private memory");
	audit_mm(mm);
	sim_exit_mm();
	sim_file_destroy(&file);
}

int main(void)
{
	struct sim_usage start, end;

	sim_boot_default();
	start = sim_usage();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		test_case(&cases[i]);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		test_failures(&cases[i]);
	test_dontunmap();
	test_dontunmap_locked();
	test_dontunmap_file();
	test_in_place();
	test_choice();
	test_second_view();
	end = sim_usage();
	ok(sim_usage_same(&start, &end, true), "everything is given back");
	return done_testing();
}
