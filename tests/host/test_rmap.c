/* SPDX-License-Identifier: MIT */
/*
 * The reverse map: from a page to every entry that maps it, in all address spaces, and to few others.
 */
#include "tests/host/family.h"
#include "tests/host/tap.h"

static struct mm_struct *child, *grandchild;

/* Three generations; the page at 0 is the first one's, the one at 1 the child's, at 2 the last one's. */
static void begin_family(void)
{
	begin();
	map(0, 4, RW, NULL, 0);
	sim_poke(page(0), 1);
	child = fork_of(mm);
	run(child);
	sim_poke(page(1), 2);
	grandchild = fork_of(child);
	run(grandchild);
	sim_poke(page(2), 3);
	run(mm);
}

static void end_family(void)
{
	audit_mm(mm);
	audit_mm(child);
	audit_mm(grandchild);
	finish(grandchild, mm);
	finish(child, mm);
	end();
}

/* What a walk visits, in order. */
struct visits {
	unsigned int n, stop_after;
	struct mm_struct *mm[8];
	unsigned long addr[8];
};

static bool note(struct page *page, struct vm_area_struct *vma, unsigned long addr, void *arg)
{
	struct visits *v = arg;

	v->mm[v->n] = vma->vm_mm;
	v->addr[v->n] = addr;
	return ++v->n != v->stop_after;
}

static struct visits walk(struct page *p)
{
	struct visits v = { 0 };
	const struct rmap_walk_control rwc = { .rmap_one = note, .arg = &v };

	rmap_walk(p, &rwc);
	return v;
}

static bool visited(const struct visits *v, const struct mm_struct *m)
{
	for (unsigned int i = 0; i < v->n; i++)
		if (v->mm[i] == m)
			return true;
	return false;
}

static void test_address(void)
{
	struct vm_area_struct *vma;
	struct page *p;

	begin_family();
	p = page_at(mm, page(0));
	vma = find_vma(child, page(0));
	is((long)page_address_in_vma(p, vma), (long)page(0), "a page's address in an area");
	ok(page_mapped_in_vma(p, vma), "... where it is mapped");
	run(child);
	vm_munmap(page(0), PAGE_SIZE);
	is((long)page_address_in_vma(p, find_vma(child, page(1))), -EFAULT,
	   "an area that begins behind it");
	run(grandchild);
	vm_munmap(page(2), 2 * PAGE_SIZE);
	p = page_at(child, page(1));
	ok(page_mapped_in_vma(p, find_vma(grandchild, page(0))), "an area that ends behind it");
	vm_munmap(page(1), PAGE_SIZE);
	is((long)page_address_in_vma(p, find_vma(grandchild, page(0))), -EFAULT,
	   "... and one that ends before it");
	run(mm);
	ok(!page_mapped_in_vma(p, find_vma(mm, page(0))),
	   "the first one's area spans the page, but doesn't map it");
	end_family();
}

static void test_walk(void)
{
	struct page *first, *second, *third;
	struct visits v;

	begin_family();
	first = page_at(mm, page(0));
	second = page_at(child, page(1));
	third = page_at(grandchild, page(2));
	v = walk(first);
	ok(v.n == 3 && visited(&v, mm) && visited(&v, child) && visited(&v, grandchild),
	   "the first one's page is looked for in all three");
	v = walk(second);
	ok(v.n == 2 && visited(&v, child) && visited(&v, grandchild),
	   "the child's not in its parent");
	v = walk(third);
	ok(v.n == 1 && visited(&v, grandchild), "the last one's only there");
	is(page_count_mappings(first), 3, "three map the first");
	is(page_count_mappings(second), 2, "two the second");
	is(page_count_mappings(third), 1, "one the third");

	run(child);
	sim_poke(page(0), 9);
	is(page_count_mappings(first), 2, "a copy more, a mapping less");
	v = walk(page_at(child, page(0)));
	ok(v.n == 2 && !visited(&v, mm), "the copy is the child's, as its new pages are");
	is(page_count_mappings(page_at(child, page(0))), 1, "... and mapped by it alone");

	vm_mremap(page(0), 2 * PAGE_SIZE, 2 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, page(700));
	v = walk(second);
	ok(v.n == 2 && (v.addr[0] == page(701) || v.addr[1] == page(701)),
	   "a page that moved is found where it is now");
	is(page_count_mappings(second), 2, "... by both");
	v = (struct visits){ .stop_after = 1 };
	rmap_walk(first, &(struct rmap_walk_control){ .rmap_one = note, .arg = &v });
	is(v.n, 1, "a walk ends when it is told to");
	end_family();
}

/* A page that turns out to be one program's alone is looked for there alone. */
static void test_move_anon(void)
{
	struct page *p;
	struct visits v;

	begin_family();
	p = page_at(mm, page(0));
	sim_poke(page(0), 7);
	run(child);
	sim_poke(page(0), 8);
	run(grandchild);
	is(walk(p).n, 3, "before it writes, the page's two other areas are looked at");
	is(mapcount_at(grandchild, page(0)), 1, "... although nobody else is left");
	sim_poke(page(0), 9);
	ok(page_at(grandchild, page(0)) == p, "it keeps the page");
	v = walk(p);
	ok(v.n == 1 && visited(&v, grandchild), "... and from then on is the only one asked");
	is(page_count_mappings(p), 1, "... with success");
	end_family();
}

static void test_files(void)
{
	struct page *p;

	begin();
	vm_mmap(&file.file, page(0), 3 * PAGE_SIZE, RW, MAP_FIXED | MAP_SHARED, 0);
	vm_mmap(&file.file, page(10), 3 * PAGE_SIZE, PROT_READ, MAP_FIXED | MAP_PRIVATE, PAGE_SIZE);
	sim_peek(page(1));
	sim_peek(page(10));
	p = page_at(mm, page(1));
	ok(p == page_at(mm, page(10)), "a file's page in two areas");
	is(page_count_mappings(p), 2, "... is found in both");
	child = fork_of(mm);
	is(walk(p).n, 4, "... and looked for in a child's two");
	is(page_count_mappings(p), 2, "... which don't map it yet");
	run_on(child, 1);
	sim_peek(page(1));
	is(page_count_mappings(p), 3, "... until it is used");
	is(page_mapcount(p), 3, "... as is counted");
	vm_mprotect(page(1), PAGE_SIZE, PROT_READ);
	is(page_count_mappings(p), 3, "... also in an area that was cut");
	finish(child, mm);
	is(page_count_mappings(p), 2, "the child's is gone with it");
	end();
}

/* try_to_unmap() of the page that m has at addr, as reclaim will do it. */
static bool unmap_page_of(struct mm_struct *m, unsigned long addr)
{
	struct page *p = page_at(m, addr);
	bool gone;

	get_page(p);
	lock_page(p);
	gone = try_to_unmap(p);
	unlock_page(p);
	put_page(p);
	return gone;
}

static void test_unmap_file(void)
{
	struct page *p;

	begin();
	vm_mmap(&file.file, page(0), 3 * PAGE_SIZE, RW, MAP_FIXED | MAP_SHARED, 0);
	vm_mmap(&file.file, page(10), 3 * PAGE_SIZE, RW, MAP_FIXED | MAP_PRIVATE, 0);
	child = fork_of(mm);
	sim_peek(page(1));
	sim_peek(page(11));
	run_on(child, 1);
	sim_peek(page(1));
	sim_poke(page(12), 'P');
	run(mm);
	p = page_at(mm, page(1));
	ok(!page_flag(p, PG_dirty), "a page that three entries map");
	sim_poke(page(1), 'X');
	ok(!page_flag(p, PG_dirty), "... and one wrote, which only its entry knows");
	ok(unmap_page_of(mm, page(1)), "try_to_unmap");
	ok(!page_at(mm, page(1)) && !page_at(mm, page(11)) && !page_at(child, page(1)),
	   "... leaves none");
	is(page_mapcount(p), 0, "... as is counted");
	ok(page_flag(p, PG_dirty), "... what the entry knew, the page knows now");
	ok(page_at(child, page(12)), "a private copy is another page");
	audit_mm(mm);
	audit_mm(child);
	is(sim_peek(page(11)), 'X', "it is found again");
	run_on(child, 1);
	is(sim_peek(page(1)), 'X', "... by all");
	run(mm);
	vm_mlock(page(0), 3 * PAGE_SIZE, 0);
	ok(!unmap_page_of(mm, page(1)), "in a locked area it stays");
	ok(page_at(mm, page(1)), "... mapped");
	is(page_count_mappings(p), page_mapcount(p), "... and counted");
	vm_munlock(page(0), 3 * PAGE_SIZE);
	ok(unmap_page_of(mm, page(1)), "... until it is unlocked");
	finish(child, mm);
	audit_mm(mm);
	end();
}

static void test_unmap_anon(void)
{
	begin();
	map(0, 4, RW, NULL, 0);
	for (unsigned int i = 0; i < 4; i++)
		sim_poke(page(i), 'X');
	ok(!unmap_page_of(mm, page(0)), "anonymous memory has no place to go to");
	is(sim_peek(page(0)), 'X', "... and stays");
	vm_madvise(page(0), 4 * PAGE_SIZE, MADV_FREE);
	is(sim_peek(page(0)), 'X', "given up, it is still there");
	ok(unmap_page_of(mm, page(0)), "... until somebody needs the room");
	is(sim_peek(page(0)), 0, "... then there are zeros");
	sim_poke(page(1), 'Y');
	ok(!unmap_page_of(mm, page(1)), "what was written since");
	is(sim_peek(page(1)), 'Y', "... stays");
	ok(page_flag(page_at(mm, page(1)), PG_swapbacked), "... and is given up no more");
	get_page(page_at(mm, page(2)));
	ok(!unmap_page_of(mm, page(2)), "what somebody holds stays, too");
	put_page(page_at(mm, page(2)));
	is(sim_peek(page(2)), 'X', "... with its contents");
	child = fork_of(mm);
	ok(unmap_page_of(child, page(3)), "a page that was given up before a fork");
	ok(!page_at(mm, page(3)) && !page_at(child, page(3)), "... leaves both");
	is(rss(MM_ANONPAGES), 2, "as is counted here");
	is(rss_of(child, MM_ANONPAGES), 2, "... and there");
	audit_mm(mm);
	audit_mm(child);
	finish(child, mm);
	end();
}

int main(void)
{
	struct sim_usage start, left;

	sim_boot_default();
	start = sim_usage();
	test_address();
	test_walk();
	test_move_anon();
	test_files();
	test_unmap_file();
	test_unmap_anon();
	left = sim_usage();
	ok(sim_usage_same(&start, &left, true), "all of it given back");
	page_alloc_audit();
	return done_testing();
}
