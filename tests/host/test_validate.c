/* SPDX-License-Identifier: MIT */
/*
 * What validate_area(), validate_mm() and audit_mm() must see: an address space is damaged in one place,
 * and the check has to name that. Each damage is tried on the cheapest check that can see it.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/abi/mman.h"
#include "mm/internal.h"
#include "tests/host/death.h"
#include "tests/host/sim.h"
#include "tests/host/tap.h"

#define BASE	  0x40000000UL
#define NR	  9 /* areas at BASE, read-write and apart */
#define FILE_AREA (BASE + 0x1000000)

static struct mm_struct *mm;
static struct sim_file file;

static unsigned long start_of(unsigned long n)
{
	/* Each gap is larger than the one before, so that every one shows in the tree. */
	return BASE + n * (n + 3) * PAGE_SIZE;
}

static void begin(void)
{
	sim_file_init(&file, "/file", 10 * PAGE_SIZE);
	mm = sim_new_mm();
	for (unsigned long i = 0; i < NR; i++) {
		vm_mmap(NULL, start_of(i), 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
			MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, 0);
		sim_poke(start_of(i), 1);
	}
	sim_peek(start_of(3) + PAGE_SIZE); /* the page of zeros */
	vm_mmap(&file.file, FILE_AREA, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE,
		MAP_FIXED | MAP_PRIVATE, 0);
	sim_peek(FILE_AREA);
	audit_mm(mm);
}

static struct vm_area_struct *area(unsigned int n)
{
	struct vm_area_struct *vma = mm->mmap;

	while (n-- > 0)
		vma = vma->vm_next;
	return vma;
}

static struct rb_node *node(unsigned int n)
{
	return &area(n)->vm_rb;
}

static pte_t *pte_of(unsigned long addr)
{
	return pte_offset(*pmd_lookup(mm->context.pgd, addr), addr);
}

static struct page *page_of(unsigned long addr)
{
	return pfn_to_page(pte_pfn(*pte_of(addr)));
}

/* --- areas --------------------------------------------------------------------------------------- */

static void bad_owner(void)
{
	area(4)->vm_mm = NULL;
}

static void bad_empty(void)
{
	area(4)->vm_end = area(4)->vm_start;
}

static void bad_alignment(void)
{
	area(4)->vm_end++;
}

static void bad_end(void)
{
	area(4)->vm_end = TASK_SIZE + PAGE_SIZE;
}

static void bad_prot(void)
{
	area(4)->vm_page_prot = PAGE_SHARED;
}

static void bad_locked(void)
{
	area(4)->vm_flags |= VM_LOCKED | VM_IO;
}

static struct anon_vma_chain *chain(unsigned int n)
{
	return list_first_entry(&area(n)->anon_vma_chain, struct anon_vma_chain, same_vma);
}

static void bad_chain_owner(void)
{
	chain(4)->vma = area(5);
}

static void bad_chain_range(void)
{
	chain(4)->node.last++;
}

static void bad_chain_missing(void)
{
	list_del_init(&chain(4)->same_vma);
	INIT_LIST_HEAD(&area(4)->anon_vma_chain);
}

static void bad_prev(void)
{
	area(5)->vm_prev = area(2);
}

static void bad_overlap(void)
{
	area(4)->vm_end = area(5)->vm_end;
	chain(4)->node.last = area(4)->vm_pgoff + vma_pages(area(4)) - 1;
}

static void bad_gap(void)
{
	area(4)->rb_subtree_gap += PAGE_SIZE;
}

static void bad_path(void)
{
	/* Far above the area that is looked at. */
	rb_entry(mm->mm_rb.rb_node, struct vm_area_struct, vm_rb)->rb_subtree_gap = 0;
}

static void bad_place(void)
{
	struct rb_node *root = mm->mm_rb.rb_node, *left = root->rb_left;

	root->rb_left = root->rb_right;
	root->rb_right = left;
}

static void bad_other_tree(void)
{
	mm->mm_rb.rb_node = mm->mm_rb.rb_node->rb_left;
}

/* --- all of them ------------------------------------------------------------------------------------ */

static void bad_order(void)
{
	struct vm_area_struct *a = area(3), *b = area(4);

	a->vm_prev->vm_next = b;
	b->vm_next->vm_prev = a;
	a->vm_next = b->vm_next;
	b->vm_prev = a->vm_prev;
	b->vm_next = a;
	a->vm_prev = b;
}

static void bad_list(void)
{
	/* Out of the list, but not out of the tree. */
	area(5)->vm_prev = area(3);
	area(3)->vm_next = area(5);
}

static void bad_list_end(void)
{
	area(NR)->vm_prev->vm_next = NULL;
	mm->highest_vm_end = area(NR - 1)->vm_end;
}

static void bad_tree(void)
{
	rb_erase(node(4), &mm->mm_rb);
}

static void bad_moved(void)
{
	/* The end moved, the gap behind it wasn't told; what knows the pages was. */
	area(3)->vm_end += PAGE_SIZE;
	chain(3)->node.last++;
}

static void bad_count(void)
{
	mm->map_count++;
}

static void bad_highest(void)
{
	mm->highest_vm_end += PAGE_SIZE;
}

static void bad_red(void)
{
	struct rb_node *root = mm->mm_rb.rb_node;

	root->__rb_parent_color &= ~1UL;
	root->rb_left->__rb_parent_color &= ~1UL;
}

static void bad_balance(void)
{
	struct rb_node *n = mm->mm_rb.rb_node;

	while (n->rb_left)
		n = n->rb_left;
	n->__rb_parent_color ^= 1;
}

static void bad_cache(void)
{
	static struct vm_area_struct gone;

	sim_task.vmacache.seqnum = mm->vmacache_seqnum;
	sim_task.vmacache.vmas[2] = &gone;
}

/* --- totals ---------------------------------------------------------------------------------------------- */

static void bad_total(void)
{
	mm->total_vm++;
}

static void bad_data(void)
{
	mm->data_vm--;
}

static void bad_exec(void)
{
	mm->exec_vm++;
}

static void bad_stack(void)
{
	mm->stack_vm++;
}

static void bad_lock_count(void)
{
	mm->locked_vm++;
}

/* --- pages ------------------------------------------------------------------------------------------------ */

static void bad_mapcount(void)
{
	page_remove_map(page_of(start_of(4)));
}

static void bad_free(void)
{
	page_set_flag(page_of(start_of(4)), PG_buddy);
}

static void bad_anon_vma(void)
{
	page_of(start_of(4))->mapping = page_of(start_of(5))->mapping;
}

static void bad_index(void)
{
	page_of(start_of(4))->index++;
}

static void bad_file(void)
{
	static struct address_space other;

	page_of(FILE_AREA)->mapping = &other;
}

static void bad_private(void)
{
	set_pte(pte_of(FILE_AREA), pte_mkwrite(*pte_of(FILE_AREA)));
}

static void bad_zero_page(void)
{
	unsigned long addr = start_of(3) + PAGE_SIZE;

	set_pte(pte_of(addr), pte_mkwrite(*pte_of(addr)));
}

static void bad_right(void)
{
	vm_mprotect(start_of(4), 2 * PAGE_SIZE, PROT_READ);
	set_pte(pte_of(start_of(4)), pte_mkwrite(*pte_of(start_of(4))));
}

static void bad_stray(void)
{
	set_pte(pte_of(start_of(4) - PAGE_SIZE), *pte_of(start_of(4)));
}

static void bad_shared(void)
{
	unsigned long addr = start_of(4) + PAGE_SIZE;

	page_add_map(page_of(start_of(4)));
	page_of(start_of(4))->index++; /* so that it is the second place that counts */
	set_pte(pte_of(addr), *pte_of(start_of(4)));
	set_pte(pte_of(start_of(4)), __pte(0));
}

/* A child's entry is gone, its count isn't: nobody but the reverse map can tell. */
static void bad_reverse_map(void)
{
	struct mm_struct *child = dup_mm(mm);
	pmd_t *pmd = pmd_lookup(child->context.pgd, start_of(4));

	set_pte(pte_offset(*pmd, start_of(4)), __pte(0));
}

static void bad_chain_lost(void)
{
	dup_mm(mm);
	interval_tree_remove(&chain(4)->node, &chain(4)->anon_vma->chains);
}

static void bad_exclusive(void)
{
	dup_mm(mm);
	page_set_flag(page_of(start_of(4)), PG_anon_exclusive);
}

static void bad_not_exclusive(void)
{
	page_clear_flag(page_of(start_of(4)), PG_anon_exclusive);
}

static void bad_rss(void)
{
	add_mm_counter(mm, MM_ANONPAGES, 1);
}

static void bad_tables(void)
{
	atomic_long_add(&mm->pgtables_bytes, PAGE_SIZE);
}

/* --- the checks ---------------------------------------------------------------------------------------------- */

enum check {
	AREA,
	AREAS,
	TOTALS,
	PAGES,
	END,
};

static const struct damage {
	const char *name, *says;
	void (*damage)(void);
	enum check check;
} damages[] = {
	{ "another mm's area", "belongs to another", bad_owner, AREA },
	{ "an empty area", "is empty or not page-aligned", bad_empty, AREA },
	{ "an area that ends inside a page", "is empty or not page-aligned", bad_alignment, AREA },
	{ "an area beyond user space", "beyond user space", bad_end, AREA },
	{ "a protection that doesn't fit", "does not fit its flags", bad_prot, AREA },
	{ "what can't be locked is", "can't be", bad_locked, AREA },
	{ "another area's chain", "another area's anon_vma_chain", bad_chain_owner, AREA },
	{ "a chain that spans too much", "spans other pages", bad_chain_range, AREA },
	{ "an anon_vma without its chain", "is not in its chain", bad_chain_missing, AREA },
	{ "a wrong link backwards", "links disagree", bad_prev, AREA },
	{ "areas that overlap", "overlap or are out of order", bad_overlap, AREA },
	{ "a gap that is too large", "largest gap below", bad_gap, AREA },
	{ "a gap at the root that is too small", "largest gap below", bad_path, AREA },
	{ "left and right confused", "wrong place", bad_place, AREA },
	{ "a tree that has lost its root", "not in this tree", bad_other_tree, AREA },
	{ "a list out of order", "list and tree differ", bad_order, AREAS },
	{ "an area missing in the list", "list and tree differ", bad_list, AREAS },
	{ "a list that ends early", "more areas than the list", bad_list_end, AREAS },
	{ "an area missing in the tree", "validate: ", bad_tree, AREAS },
	{ "a gap that wasn't told", "largest gap below", bad_moved, AREAS },
	{ "a wrong count", "map_count is", bad_count, AREAS },
	{ "a wrong end", "highest_vm_end is", bad_highest, AREAS },
	{ "red under red", "both red", bad_red, AREAS },
	{ "a tree out of balance", "validate: ", bad_balance, AREAS },
	{ "an area remembered that is gone", "vmacache", bad_cache, AREAS },
	{ "total_vm", "total_vm is", bad_total, TOTALS },
	{ "data_vm", "data_vm is", bad_data, TOTALS },
	{ "exec_vm", "exec_vm is", bad_exec, TOTALS },
	{ "stack_vm", "stack_vm is", bad_stack, TOTALS },
	{ "locked_vm", "locked_vm is", bad_lock_count, TOTALS },
	{ "a mapping not counted", "is mapped but counts 0", bad_mapcount, PAGES },
	{ "a free page mapped", "is free or the kernel's", bad_free, PAGES },
	{ "a page of another anon_vma", "does not know the area", bad_anon_vma, PAGES },
	{ "a page out of place", "its place is", bad_index, PAGES },
	{ "another file's page", "not of the area's file", bad_file, PAGES },
	{ "a file's page writable in a private area", "writable in a private area", bad_private,
	  PAGES },
	{ "the page of zeros writable", "page of zeros is writable", bad_zero_page, PAGES },
	{ "an entry with more rights than its area", "is writable, the area is not", bad_right,
	  PAGES },
	{ "an entry where no area is", "where no area is", bad_stray, PAGES },
	{ "a page writable in two places", "writable and shared", bad_shared, PAGES },
	{ "a mapping that is only counted", "its reverse map finds 1", bad_reverse_map, PAGES },
	{ "an area that its anon_vma lost", "its reverse map finds 1", bad_chain_lost, PAGES },
	{ "a shared page taken for one's own", "one program's alone", bad_exclusive, PAGES },
	{ "a writable page that may be others'", "one program's alone", bad_not_exclusive, PAGES },
	{ "resident pages", "rss_stat", bad_rss, PAGES },
	{ "table pages", "pgtables_bytes is", bad_tables, PAGES },
	{ "areas, at the end of an address space", "list and tree differ", bad_order, END },
	{ "pages, at the end of an address space", "its place is", bad_index, END },
	{ "counts, at the end of an address space", "rss_stat", bad_rss, END },
};

static void run_check(enum check check)
{
	switch (check) {
	case AREA:
		validate_area(mm, area(4));
		break;
	case AREAS:
		validate_mm_areas(mm);
		break;
	case TOTALS:
		validate_mm(mm);
		break;
	case PAGES:
		audit_mm(mm);
		break;
	case END:
		sim_exit_mm();
		break;
	}
}

static void damage_and_check(void *arg)
{
	const struct damage *d = arg;

	d->damage();
	run_check(d->check);
}

int main(void)
{
	struct sim_usage start, end;

	sim_boot_default();
	start = sim_usage();
	begin();
	for (enum check c = AREA; c < END; c++)
		run_check(c);
	ok(true, "an address space in order passes every check");
	for (size_t i = 0; i < ARRAY_SIZE(damages); i++)
		panics(damage_and_check, (void *)&damages[i], damages[i].says, damages[i].name);
	sim_exit_mm();
	sim_file_destroy(&file);
	end = sim_usage();
	ok(sim_usage_same(&start, &end, true), "nothing of this has left a trace here");
	return done_testing();
}
