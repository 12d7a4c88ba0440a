/* SPDX-License-Identifier: MIT */
/*
 * Page-table entries in all their states, indices and ends of levels up to the top of memory, and the
 * walker over tables with leaves at every level. Expectations are written out from Intel SDM volume 3A,
 * tables 4-15 to 4-20, not derived from the accessors.
 */
#include <stdlib.h>
#include <string.h>

#include "mm/init.h"
#include "mm/internal.h"
#include "tests/host/sim.h"
#include "tests/host/tap.h"

/* --- one entry ---------------------------------------------------------------------------------- */

/* An expectation checked many times counts as one check: the first failure is shown. */
static bool all_well;

#define EACH(cond)                                                    \
	do {                                                          \
		if (all_well && !(cond)) {                            \
			all_well = false;                             \
			diag("%s:%d: %s", __FILE__, __LINE__, #cond); \
		}                                                     \
	} while (0)

static void test_states(void)
{
	/* Every combination of the low 12 bits with NX, a key and a frame or without. */
	all_well = true;
	for (unsigned long low = 0; low < 4096; low++)
		for (int high = 0; high < 8; high++) {
			unsigned long v = low | (high & 1 ? 1UL << 63 : 0) |
					  (high & 2 ? 5UL << 59 : 0) |
					  (high & 4 ? 0x123456UL << 12 : 0);
			pte_t pte = __pte(v);
			bool p = low & 1, protnone = !p && (low & 0x100);

			EACH(pte_none(pte) == (v == 0));
			EACH(pte_present(pte) == (p || protnone));
			EACH(pte_protnone(pte) == protnone);
			EACH(pte_is_entry(pte) == (v != 0 && !p && !protnone));
			EACH(pte_none(pte) + pte_present(pte) + pte_is_entry(pte) == 1);
			EACH(pte_write(pte) == !!(low & 2));
			EACH(pte_young(pte) == !!(low & 0x20));
			EACH(pte_dirty(pte) == !!(low & 0x40));
			EACH(pte_special(pte) == !!(low & 0x200));
			EACH(pte_uffd_wp(pte) == !!(low & 0x400));
			EACH(pte_soft_dirty(pte) == !!(low & 0x800));
			EACH(pte_exec(pte) == !(high & 1));
			EACH(pte_pkey(pte) == (high & 2 ? 5 : 0));
			EACH(pte_pfn(pte).v == (high & 4 ? 0x123456UL : 0));
		}
	ok(all_well, "every state and bit of 32,768 entries reads as the manual has it");
}

static void test_setters(void)
{
	static const struct {
		pte_t (*fn)(pte_t);
		unsigned long set, clear;
	} setters[] = {
		{ pte_mkwrite, 0x2, 0 },     { pte_wrprotect, 0, 0x2 }, { pte_mkdirty, 0x840, 0 },
		{ pte_mkclean, 0, 0x40 },    { pte_mkyoung, 0x20, 0 },	{ pte_mkold, 0, 0x20 },
		{ pte_mkspecial, 0x200, 0 },
	};

	all_well = true;
	for (unsigned int n = 0; n < 100000; n++) {
		unsigned long v = test_random();

		for (size_t i = 0; i < ARRAY_SIZE(setters); i++)
			EACH(setters[i].fn(__pte(v)).v ==
			     ((v | setters[i].set) & ~setters[i].clear));
	}
	ok(all_well, "each setter changes its own bits and no other");
}

static void test_frames(void)
{
	all_well = true;
	for (unsigned int bit = 0; bit < 40; bit++) {
		pte_t pte = pfn_pte(make_pfn(1UL << bit), PAGE_SHARED);

		EACH(pte_pfn(pte).v == 1UL << bit);
		EACH(pte_present(pte) && pte_write(pte) && !pte_exec(pte));
		EACH(pmd_pfn(pfn_pmd(make_pfn(1UL << bit), PAGE_KERNEL)).v == 1UL << bit);
		EACH(pud_pfn(pfn_pud(make_pfn(1UL << bit), PAGE_KERNEL)).v == 1UL << bit);
	}
	ok(all_well, "frame numbers of 40 bits come back, at each level");
	is(pte_pfn(__pte(~0UL)).v, (1L << 40) - 1, "a frame is 40 bits: not the key's, not NX");
}

static void test_modify(void)
{
	static const pgprot_t prots[] = { PAGE_NONE, PAGE_READONLY, PAGE_READONLY_EXEC, PAGE_SHARED,
					  PAGE_SHARED_EXEC };
	const unsigned long kept = 0x000ffffffffff000UL | 0xe58; /* frame, SW bits, D, PCD, PWT */

	all_well = true;
	for (unsigned int n = 0; n < 20000; n++)
		for (size_t i = 0; i < ARRAY_SIZE(prots); i++) {
			/* Bits of a private or shared user page, present or not, with any frame. */
			unsigned long v = test_random() & (kept | 0x22 | 1UL << 63);
			pte_t pte = pte_modify(__pte(v | (n & 1 ? 0x5 : 0x100)), prots[i]);

			EACH((pte.v & kept) == (v & kept));
			EACH((pte.v & ~(kept | 0x20)) == (prots[i].v & ~(kept | 0x20)));
			EACH(pte_present(pte));
			EACH(pte_protnone(pte) == (i == 0));
		}
	ok(all_well, "pte_modify takes over the protection, keeps frame, D and software bits");

	for (size_t i = 0; i < ARRAY_SIZE(prots); i++) {
		pte_t pte = pte_mkdirty(pfn_pte(make_pfn(77), PAGE_SHARED));

		pte = pte_modify(pte_modify(pte, PAGE_NONE), prots[i]);
		ok(pte_pfn(pte).v == 77 && pte_dirty(pte) &&
			   pte_write(pte) == !!(prots[i].v & _PAGE_RW) &&
			   pte_exec(pte) == !(prots[i].v & _PAGE_NX),
		   "through PROT_NONE and back to protection %zu", i);
	}
}

static void test_no_nx(void)
{
	pte_supported_mask = ~_PAGE_NX;
	ok(pte_exec(pfn_pte(make_pfn(1), PAGE_SHARED)), "without NX no entry sets the bit: PTE");
	ok(!(pfn_pmd(make_pfn(512), PAGE_KERNEL).v >> 63), "... PMD");
	ok(!(pfn_pud(make_pfn(1UL << 18), PAGE_KERNEL).v >> 63), "... PUD");
	ok(pte_exec(pte_modify(pfn_pte(make_pfn(1), PAGE_NONE), PAGE_READONLY)), "... mprotect");
	pte_supported_mask = ~0UL;
}

static void test_entries(void)
{
	all_well = true;
	for (unsigned int type = 1; type <= PTE_ENTRY_TYPE_MAX; type++)
		for (unsigned int n = 0; n < 2000; n++) {
			unsigned long offset = n < 47 ? (1UL << n) - 1 : test_random() >> 18;
			pte_t pte = make_pte_entry(type, offset);

			EACH(pte_is_entry(pte) && !pte_none(pte) && !pte_present(pte));
			EACH(pte_entry_type(pte) == type);
			EACH(pte_entry_offset(pte) == offset);
			EACH(!pte_special(pte) && !pte_soft_dirty(pte) && !pte_uffd_wp(pte));
		}
	ok(all_well, "entries give back their type (31) and offset (46 bits)");
}

/* --- the levels above ---------------------------------------------------------------------------- */

static void test_tables(void)
{
	all_well = true;
	for (unsigned long low = 0; low < 4096; low++) {
		unsigned long v = low | 0x5000;
		bool present = low & 1, frame = low & 0x101, pse = low & 0x80;

		EACH(pmd_table(__pmd(v)) == (present && !pse));
		EACH(pud_table(__pud(v)) == (present && !pse));
		EACH(pgd_table(__pgd(v)) == present);
		EACH(pmd_leaf(__pmd(v)) == (frame && pse));
		EACH(pud_leaf(__pud(v)) == (frame && pse));
		EACH(!(pmd_leaf(__pmd(v)) && pmd_table(__pmd(v))));
		EACH(!pmd_none(__pmd(v)) && !pud_none(__pud(v)) && !pgd_none(__pgd(v)));
	}
	ok(all_well, "tables and leaves are told apart at each level, PROT_NONE included");
	ok(pmd_none(__pmd(0)) && pud_none(__pud(0)) && pgd_none(__pgd(0)),
	   "empty entries are none");
	ok(pmd_leaf(pfn_pmd(make_pfn(512), PAGE_NONE)), "a large page survives PROT_NONE");
	is((long)pmd_mktable(make_pfn(0x42), _PAGE_TABLE).v, 0x42067,
	   "a table's entry: P RW US A D");
}

static void test_indices(void)
{
	static const struct {
		unsigned long addr;
		unsigned int i[4]; /* PGD, PUD, PMD, PTE */
	} cases[] = {
		{ 0, { 0, 0, 0, 0 } },
		{ 0xfff, { 0, 0, 0, 0 } },
		{ 0x1000, { 0, 0, 0, 1 } },
		{ 0x200000, { 0, 0, 1, 0 } },
		{ 0x40000000, { 0, 1, 0, 0 } },
		{ 0x8000000000, { 1, 0, 0, 0 } },
		{ 0x7fffffffe000, { 255, 511, 511, 510 } },
		{ 0xffff800000000000, { 256, 0, 0, 0 } },
		{ 0xffff888000000000, { 273, 0, 0, 0 } },
		{ 0xffffc90000000000, { 402, 0, 0, 0 } },
		{ 0xffffea0000000000, { 468, 0, 0, 0 } },
		{ 0xffffffff80000000, { 511, 510, 0, 0 } },
		{ 0xffffffffffffffff, { 511, 511, 511, 511 } },
	};

	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		unsigned long a = cases[n].addr;

		ok(pgd_index(a) == cases[n].i[0] && pud_index(a) == cases[n].i[1] &&
			   pmd_index(a) == cases[n].i[2] && pte_index(a) == cases[n].i[3],
		   "indices of %#lx", a);
	}
	all_well = true;
	for (int n = 0; n < 100000; n++) {
		unsigned long a = (unsigned long)((long)(test_random() << 16) >> 16), made;

		made = (unsigned long)pgd_index(a) << 39 | (unsigned long)pud_index(a) << 30 |
		       (unsigned long)pmd_index(a) << 21 | (unsigned long)pte_index(a) << 12;
		EACH(addr_is_canonical(a));
		EACH((unsigned long)((long)(made << 16) >> 16) == (a & PAGE_MASK));
		EACH(!addr_is_canonical(a ^ 1UL << (48 + n % 16)));
	}
	ok(all_well, "an address is its four indices, sign-extended");
}

static void test_addr_end(void)
{
	static const struct {
		unsigned long addr, end, pmd, pud, pgd;
	} cases[] = {
		{ 0, 0x1000, 0x1000, 0x1000, 0x1000 },
		{ 0, 0x200000, 0x200000, 0x200000, 0x200000 },
		{ 0x1ff000, 0x201000, 0x200000, 0x201000, 0x201000 },
		{ 0x200000, ~0xfffUL, 0x400000, 0x40000000, 0x8000000000 },
		{ 0x7fffffffe000, 0x7ffffffff000, 0x7ffffffff000, 0x7ffffffff000, 0x7ffffffff000 },
		{ 0x7fffffffe000, 0x800000000000, 0x800000000000, 0x800000000000, 0x800000000000 },
		/* The top of memory: an end of 0 is 2^64, and the next boundary too. */
		{ 0xffffffffffe00000, 0, 0, 0, 0 },
		{ 0xfffffffffffff000, 0, 0, 0, 0 },
		{ 0xffffffff80000000, 0, 0xffffffff80200000, 0xffffffffc0000000, 0 },
		{ 0xffffffffffffe000, ~0xfffUL, ~0xfffUL, ~0xfffUL, ~0xfffUL },
		{ 0xffffff8000000000, 0, 0xffffff8000200000, 0xffffff8040000000, 0 },
	};

	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		unsigned long a = cases[n].addr, end = cases[n].end;

		is((long)pmd_addr_end(a, end), (long)cases[n].pmd, "pmd_addr_end(%#lx, %#lx)", a,
		   end);
		is((long)pud_addr_end(a, end), (long)cases[n].pud, "pud_addr_end(%#lx, %#lx)", a,
		   end);
		is((long)pgd_addr_end(a, end), (long)cases[n].pgd, "pgd_addr_end(%#lx, %#lx)", a,
		   end);
	}
}

static void test_page_prot(void)
{
	static const struct {
		u64 flags;
		unsigned long prot;
	} cases[] = {
		{ 0, 0x120 },
		{ VM_READ, 1UL << 63 | 0x25 },
		{ VM_WRITE, 1UL << 63 | 0x25 },
		{ VM_READ | VM_WRITE, 1UL << 63 | 0x25 },
		{ VM_EXEC, 0x25 },
		{ VM_READ | VM_WRITE | VM_EXEC, 0x25 },
		{ VM_READ | VM_SHARED, 1UL << 63 | 0x25 },
		{ VM_READ | VM_WRITE | VM_SHARED, 1UL << 63 | 0x27 },
		{ VM_WRITE | VM_SHARED, 1UL << 63 | 0x27 },
		{ VM_READ | VM_WRITE | VM_EXEC | VM_SHARED, 0x27 },
		{ VM_SHARED, 0x120 },
	};

	for (size_t n = 0; n < ARRAY_SIZE(cases); n++)
		is((long)vm_get_page_prot(cases[n].flags).v, (long)cases[n].prot,
		   "protection of an area with flags %#lx", (unsigned long)cases[n].flags);
}

/* --- the walker ------------------------------------------------------------------------------------ */

/* What a walk reported, as text, neighbours of a kind in one line; addresses from a base. */
static char seen[4096];
static unsigned long walk_base;
static struct {
	const char *what;
	unsigned long start, end;
} run;

static void end_run(void)
{
	size_t len = strlen(seen);

	if (run.what)
		snprintf(seen + len, sizeof(seen) - len, "%s 0x%lx-0x%lx\n", run.what, run.start,
			 run.end);
	run.what = NULL;
}

static int note(const char *what, unsigned long addr, unsigned long next)
{
	addr -= walk_base;
	next -= walk_base;
	if (run.what && !strcmp(run.what, what) && run.end == addr) {
		run.end = next;
		return 0;
	}
	end_run();
	run.what = what;
	run.start = addr;
	run.end = next;
	return 0;
}

static int note_pud(pud_t *pud, unsigned long addr, unsigned long next, struct mm_walk *walk)
{
	return note(pud->v & walk->parent_flags & _PAGE_RW ? "1G rw" : "1G ro", addr, next);
}

static int note_pmd(pmd_t *pmd, unsigned long addr, unsigned long next, struct mm_walk *walk)
{
	return note(pmd->v & walk->parent_flags & _PAGE_RW ? "2M rw" : "2M ro", addr, next);
}

static int note_pte(pte_t *pte, unsigned long addr, unsigned long next, struct mm_walk *walk)
{
	if (pte_none(*pte))
		return 0;
	return note(pte_is_entry(*pte)			   ? "entry" :
		    pte_protnone(*pte)			   ? "none" :
		    pte->v & walk->parent_flags & _PAGE_RW ? "4K rw" :
							     "4K ro",
		    addr, next);
}

static int note_hole(unsigned long addr, unsigned long next, int level, struct mm_walk *walk)
{
	static const char *const holes[] = { "?", "?", "hole in PMD", "hole in PUD",
					     "hole in PGD" };

	return note(holes[level], addr, next);
}

static const struct mm_walk_ops note_ops = { note_pud, note_pmd, note_pte, note_hole };

static unsigned long *new_table(void)
{
	return page_address(alloc_page(GFP_KERNEL | __GFP_ZERO));
}

static unsigned long table_entry(const void *table, unsigned long flags)
{
	return virt_to_phys(table).v | flags;
}

static bool walk_says(pgd_t *pgd, unsigned long start, unsigned long end, const char *expected,
		      const char *name)
{
	int ret;

	seen[0] = '\0';
	walk_base = start & PGDIR_MASK;
	ret = walk_page_range(pgd, start, end, &note_ops, NULL);
	end_run();
	if (ok(ret == 0 && !strcmp(seen, expected), "%s", name))
		return true;
	diag("expected:\n%s", expected);
	diag("got:\n%s", seen);
	return false;
}

/*
 * PGD[i] -> PUD: [0] -> PMD: [0] -> PTEs, [1] leaf, [2] none, [3] leaf kept for PROT_NONE
 *                [1] leaf of 1 GiB, [2] none, [511] -> PMD, read-only above: [511] -> PTEs
 */
static void build_tables(pgd_t *pgd, unsigned int i)
{
	unsigned long *pud = new_table(), *pmd = new_table(), *pte = new_table();
	unsigned long *top_pmd = new_table(), *top_pte = new_table();

	pgd[i].v = table_entry(pud, _PAGE_TABLE);
	pud[0] = table_entry(pmd, _PAGE_TABLE);
	pud[1] = pfn_pud(make_pfn(1UL << 18), PAGE_SHARED).v;
	pud[511] = table_entry(top_pmd, _PAGE_TABLE & ~_PAGE_RW);
	pmd[0] = table_entry(pte, _PAGE_TABLE);
	pmd[1] = pfn_pmd(make_pfn(512), PAGE_SHARED).v;
	pmd[3] = pfn_pmd(make_pfn(1024), PAGE_NONE).v;
	top_pmd[511] = table_entry(top_pte, _PAGE_TABLE);
	pte[0] = pfn_pte(make_pfn(1), PAGE_SHARED).v;
	pte[1] = pfn_pte(make_pfn(2), PAGE_READONLY).v;
	pte[2] = pfn_pte(make_pfn(3), PAGE_NONE).v;
	pte[3] = make_pte_entry(3, 99).v;
	pte[511] = pfn_pte(make_pfn(4), PAGE_SHARED).v;
	top_pte[511] = pfn_pte(make_pfn(5), PAGE_SHARED).v;
}

/* The walk of all of it. 0x8000000000 is the end of one PGD entry's stretch. */
static const char all_of_it[] = "4K rw 0x0-0x1000\n"
				"4K ro 0x1000-0x2000\n"
				"none 0x2000-0x3000\n"
				"entry 0x3000-0x4000\n"
				"4K rw 0x1ff000-0x200000\n"
				"2M rw 0x200000-0x400000\n"
				"hole in PMD 0x400000-0x600000\n"
				"2M ro 0x600000-0x800000\n"
				"hole in PMD 0x800000-0x40000000\n"
				"1G rw 0x40000000-0x80000000\n"
				"hole in PUD 0x80000000-0x7fc0000000\n"
				"hole in PMD 0x7fc0000000-0x7fffe00000\n"
				"4K ro 0x7ffffff000-0x8000000000\n";

static int stop_at_entry(pte_t *pte, unsigned long addr, unsigned long next, struct mm_walk *walk)
{
	++*(int *)walk->private;
	return pte_is_entry(*pte) ? -7 : 0;
}

static int count_wx_leaf(pmd_t *pmd, unsigned long addr, unsigned long next, struct mm_walk *walk)
{
	++*(int *)walk->private;
	return 0;
}

static void test_walk_at(unsigned int place)
{
	pgd_t *pgd = (pgd_t *)new_table();
	unsigned long base = (unsigned long)((long)((unsigned long)place << 55) >> 16);

	diag("tables under PGD entry %u, from %#lx", place, base);
	build_tables(pgd, place);
	walk_says(pgd, base, base + PGDIR_SIZE, all_of_it, "all of it");
	walk_says(pgd, base + 0x1000, base + 0x3000, "4K ro 0x1000-0x2000\nnone 0x2000-0x3000\n",
		  "two pages");
	walk_says(pgd, base + 0x300000, base + 0x500000,
		  "2M rw 0x300000-0x400000\nhole in PMD 0x400000-0x500000\n",
		  "from inside a large page into a hole");
	walk_says(pgd, base + 0x50000000, base + 0x50001000, "1G rw 0x50000000-0x50001000\n",
		  "a page inside 1 GiB");
	walk_says(pgd, base + 0x7fffffe000, base + 0x8000000000,
		  "4K ro 0x7ffffff000-0x8000000000\n",
		  "the last two pages: a read-only table makes read-only pages");
}

static void test_walk(void)
{
	static const struct mm_walk_ops stop_ops = { .pte = stop_at_entry };
	static const struct mm_walk_ops pmd_only = { .pmd_leaf = count_wx_leaf };
	pgd_t *pgd = (pgd_t *)new_table();
	int calls = 0;

	test_walk_at(0);
	test_walk_at(5);
	/* The last PGD entry: its stretch ends at 2^64. */
	test_walk_at(511);

	build_tables(pgd, 1);
	walk_says(pgd, 0, 2 * PGDIR_SIZE - 0x1000,
		  "hole in PGD 0x0-0x8000000000\n"
		  "4K rw 0x8000000000-0x8000001000\n"
		  "4K ro 0x8000001000-0x8000002000\n"
		  "none 0x8000002000-0x8000003000\n"
		  "entry 0x8000003000-0x8000004000\n"
		  "4K rw 0x80001ff000-0x8000200000\n"
		  "2M rw 0x8000200000-0x8000400000\n"
		  "hole in PMD 0x8000400000-0x8000600000\n"
		  "2M ro 0x8000600000-0x8000800000\n"
		  "hole in PMD 0x8000800000-0x8040000000\n"
		  "1G rw 0x8040000000-0x8080000000\n"
		  "hole in PUD 0x8080000000-0xffc0000000\n"
		  "hole in PMD 0xffc0000000-0xffffe00000\n",
		  "over the border of PGD entries, but for the last page");
	is(walk_page_range(pgd, PGDIR_SIZE, 2 * PGDIR_SIZE, &stop_ops, &calls), -7,
	   "a callback's result ends the walk and is the walk's");
	is(calls, 4, "... at once");
	calls = 0;
	is(walk_page_range(pgd, 0, 0, &pmd_only, &calls), 0, "[0, 0) is nothing");
	is(calls, 0, "... and calls nobody");
	is(walk_page_range(pgd, 0, TASK_SIZE, &pmd_only, &calls), 0, "callbacks may be missing");
	is(calls, 2, "... and those that are there are called");
}

/* --- the kernel's own tables ----------------------------------------------------------------------- */

static void test_kernel_tables(void)
{
	unsigned long found = 0xdeadbeef, *word;
	int lower = 0;
	char text[64];

	for (int i = 0; i < PTRS_PER_TABLE / 2; i++)
		lower += !pgd_none(kernel_pgd[i]);
	is((long)mm_count_kernel_wx_pages(), 0,
	   "no page of the kernel's is writable and executable");
	is(lower, 0, "... and in the lower half there is none");
	word = page_address(alloc_page(GFP_KERNEL));
	*word = 0x1122334455667788;
	ok(sim_kernel_access(PAGE_OFFSET + virt_to_phys(word).v, &found, 8, SIM_READ) &&
		   found == *word,
	   "the direct map shows physical memory");
	ok(sim_kernel_access(PAGE_OFFSET + (4UL << 30) + (31UL << 20), text, 8, SIM_READ),
	   "... beyond 4 GiB too");
	ok(!sim_kernel_access(PAGE_OFFSET + (100UL << 20), text, 8, SIM_READ), "... and only RAM");
	ok(!sim_kernel_access(PAGE_OFFSET + virt_to_phys(word).v, text, 8, SIM_EXEC),
	   "the direct map can't be executed");
	ok(sim_kernel_access(KERNEL_IMAGE_BASE + (2UL << 20), text, 8, SIM_EXEC) &&
		   !sim_kernel_access(KERNEL_IMAGE_BASE + (2UL << 20), text, 8, SIM_WRITE),
	   "text: executed, not written");
	ok(!sim_kernel_access(KERNEL_IMAGE_BASE + 0x203000, text, 8, SIM_EXEC) &&
		   sim_kernel_access(KERNEL_IMAGE_BASE + 0x203000, text, 8, SIM_READ) &&
		   !sim_kernel_access(KERNEL_IMAGE_BASE + 0x203000, text, 8, SIM_WRITE),
	   "rodata: only read");
	ok(!sim_kernel_access(KERNEL_IMAGE_BASE + 0x205000, text, 8, SIM_EXEC) &&
		   sim_kernel_access(KERNEL_IMAGE_BASE + 0x208fff, text, 1, SIM_WRITE),
	   "data: written, not executed");
	ok(!sim_kernel_access(KERNEL_IMAGE_BASE + 0x209000, text, 1, SIM_READ),
	   "nothing behind it");
}

int main(void)
{
	test_states();
	test_setters();
	test_frames();
	test_modify();
	test_no_nx();
	test_entries();
	test_tables();
	test_indices();
	test_addr_end();
	test_page_prot();
	sim_boot_default();
	test_walk();
	test_kernel_tables();
	return done_testing();
}
