/* SPDX-License-Identifier: MIT */
/*
 * Does an address space still hold together? Three looks, from the cheap to the thorough:
 *
 *	validate_area   one area, its neighbours, and its path to the root of the tree
 *	validate_mm     every area: order, links, gaps, colours; and what the areas add up to
 *	audit_mm        every page-table entry too: counts of pages and tables, mappings, owners
 *
 * Debug builds take the first after every change; the second too while the areas are few, and else
 * every VALIDATE_EVERYth time; the second and third when an address space ends. Each panics with a
 * sentence that names what is wrong.
 */
#include "kernel/sched/sched.h"
#include "mm/internal.h"
#include "mm/mapping.h"

#define VALIDATE_ALWAYS_BELOW 256
#define VALIDATE_EVERY	      1024

static struct vm_area_struct *rb_area(struct rb_node *node)
{
	return rb_entry_safe(node, struct vm_area_struct, vm_rb);
}

/* --- one area ------------------------------------------------------------------------------------- */

static void check_range(const struct mm_struct *mm, const struct vm_area_struct *vma)
{
	if (vma->vm_mm != mm)
		panic("validate: area %#lx belongs to another address space", vma->vm_start);
	if (vma->vm_start >= vma->vm_end || ((vma->vm_start | vma->vm_end) & ~PAGE_MASK))
		panic("validate: area %#lx-%#lx is empty or not page-aligned", vma->vm_start,
		      vma->vm_end);
	if (vma->vm_end > TASK_SIZE)
		panic("validate: area %#lx-%#lx reaches beyond user space", vma->vm_start,
		      vma->vm_end);
}

/* Whether the interval by which the area is found is that of the pages it shows. */
static bool spans_its_pages(const struct vm_area_struct *vma, const struct interval_tree_node *node)
{
	return node->start == vma->vm_pgoff && node->last == vma->vm_pgoff + vma_pages(vma) - 1;
}

static void check_kind(const struct vm_area_struct *vma)
{
	const struct anon_vma_chain *avc;
	bool listed = !vma->anon_vma;

	if (vma->vm_page_prot.v != vma_page_prot(vma).v)
		panic("validate: area %#lx: page protection %#lx does not fit its flags %#lx",
		      vma->vm_start, vma->vm_page_prot.v, vma->vm_flags);
	if ((vma->vm_flags & VM_LOCKED) && (vma->vm_flags & VM_SPECIAL))
		panic("validate: area %#lx is locked but can't be", vma->vm_start);
	if (vma->vm_file && vma->vm_file->mapping && !spans_its_pages(vma, &vma->i_mmap_node))
		panic("validate: area %#lx: its file knows it by other pages", vma->vm_start);
	list_for_each_entry(avc, &vma->anon_vma_chain, same_vma)
	{
		if (avc->vma != vma)
			panic("validate: area %#lx has another area's anon_vma_chain",
			      vma->vm_start);
		if (!spans_its_pages(vma, &avc->node))
			panic("validate: area %#lx: its anon_vma_chain spans other pages",
			      vma->vm_start);
		listed |= avc->anon_vma == vma->anon_vma;
	}
	if (!listed)
		panic("validate: area %#lx: its anon_vma is not in its chain", vma->vm_start);
}

/* What rb_subtree_gap should be, computed from list and tree alone. */
static unsigned long expected_gap(const struct vm_area_struct *vma)
{
	unsigned long prev_end = vma->vm_prev ? vma->vm_prev->vm_end : 0;
	unsigned long start = vm_start_gap(vma);
	unsigned long gap = start > prev_end ? start - prev_end : 0;
	const struct vm_area_struct *l = rb_area(vma->vm_rb.rb_left);
	const struct vm_area_struct *r = rb_area(vma->vm_rb.rb_right);

	if (l)
		gap = max(gap, l->rb_subtree_gap);
	if (r)
		gap = max(gap, r->rb_subtree_gap);
	return gap;
}

static void check_gap(const struct vm_area_struct *vma)
{
	if (vma->rb_subtree_gap != expected_gap(vma))
		panic("validate: area %#lx: largest gap below is %#lx, should be %#lx",
		      vma->vm_start, vma->rb_subtree_gap, expected_gap(vma));
}

static void check_neighbours(const struct mm_struct *mm, const struct vm_area_struct *vma)
{
	const struct vm_area_struct *prev = vma->vm_prev, *next = vma->vm_next;

	if ((prev ? prev->vm_next : mm->mmap) != vma || (next && next->vm_prev != vma))
		panic("validate: area %#lx: the list's links disagree", vma->vm_start);
	if ((prev && prev->vm_end > vma->vm_start) || (next && next->vm_start < vma->vm_end))
		panic("validate: area %#lx-%#lx and its neighbour overlap or are out of order",
		      vma->vm_start, vma->vm_end);
	if (!next && mm->highest_vm_end != vma->vm_end)
		panic("validate: highest_vm_end is %#lx, the last area ends at %#lx",
		      mm->highest_vm_end, vma->vm_end);
}

/* From the area up: each node is where its parent looks for it, and knows its gaps. */
static void check_path(const struct mm_struct *mm, struct vm_area_struct *vma)
{
	struct rb_node *node = &vma->vm_rb, *parent;

	for (;; node = parent) {
		check_gap(rb_area(node));
		parent = rb_parent(node);
		if (!parent)
			break;
		if (rb_area(parent)->vm_start > rb_area(node)->vm_start ? parent->rb_left != node :
									  parent->rb_right != node)
			panic("validate: area %#lx hangs in the wrong place in the tree",
			      rb_area(node)->vm_start);
	}
	if (mm->mm_rb.rb_node != node)
		panic("validate: area %#lx is not in this tree", vma->vm_start);
}

void validate_area(struct mm_struct *mm, struct vm_area_struct *vma)
{
	check_range(mm, vma);
	check_kind(vma);
	check_neighbours(mm, vma);
	check_path(mm, vma);
}

/* --- all areas --------------------------------------------------------------------------------------- */

/* Black nodes on every way down from a node; panics when two ways differ or a red one is red's parent. */
static int black_height(struct rb_node *node)
{
	int left, right;
	bool red;

	if (!node)
		return 1;
	red = (node->__rb_parent_color & 1) == RB_RED;
	for (int i = 0; i < 2; i++)
		if (red && node->rb_child[i] &&
		    (node->rb_child[i]->__rb_parent_color & 1) == RB_RED)
			panic("validate: area %#lx and its parent are both red",
			      rb_area(node->rb_child[i])->vm_start);
	left = black_height(node->rb_left);
	right = black_height(node->rb_right);
	if (left != right)
		panic("validate: the tree is out of balance at area %#lx", rb_area(node)->vm_start);
	return left + !red;
}

static void check_total(const char *name, unsigned long counted, unsigned long is)
{
	if (counted != is)
		panic("validate: %s is %lu, the areas add up to %lu", name, counted, is);
}

static void check_totals(const struct mm_struct *mm)
{
	struct mm_struct sum = { .total_vm = 0 };
	const struct vm_area_struct *vma;

	for_each_vma(mm, vma) vm_stat_account(&sum, vma->vm_flags, (long)vma_pages(vma));
	check_total("total_vm", mm->total_vm, sum.total_vm);
	check_total("data_vm", mm->data_vm, sum.data_vm);
	check_total("exec_vm", mm->exec_vm, sum.exec_vm);
	check_total("stack_vm", mm->stack_vm, sum.stack_vm);
	check_total("locked_vm", mm->locked_vm, sum.locked_vm);
}

static void check_vmacache(const struct mm_struct *mm)
{
	const struct task_mm *task = current_mm_task();
	const struct vm_area_struct *vma;

	if (!task || task->mm != mm || task->vmacache.seqnum != mm->vmacache_seqnum)
		return;
	for (int i = 0; i < VMACACHE_SIZE; i++) {
		bool found = !task->vmacache.vmas[i];

		for_each_vma(mm, vma) found |= vma == task->vmacache.vmas[i];
		if (!found)
			panic("validate: the vmacache holds an area that is gone");
	}
}

void validate_mm_areas(struct mm_struct *mm)
{
	struct vm_area_struct *vma, *prev = NULL;
	struct rb_node *node = rb_first(&mm->mm_rb);
	int n = 0;

	for (vma = mm->mmap; vma; prev = vma, vma = vma->vm_next, node = rb_next(node)) {
		check_range(mm, vma);
		if (vma->vm_prev != prev)
			panic("validate: area %#lx: the list's links disagree", vma->vm_start);
		if (rb_area(node) != vma)
			panic("validate: list and tree differ at area %#lx", vma->vm_start);
		check_kind(vma);
		check_neighbours(mm, vma);
		check_gap(vma);
		n++;
	}
	if (node)
		panic("validate: the tree has more areas than the list");
	if (n != mm->map_count)
		panic("validate: map_count is %d, there are %d areas", mm->map_count, n);
	if (!n && mm->highest_vm_end)
		panic("validate: highest_vm_end is %#lx, there is no area", mm->highest_vm_end);
	black_height(mm->mm_rb.rb_node);
	check_vmacache(mm);
}

void validate_mm(struct mm_struct *mm)
{
	validate_mm_areas(mm);
	check_totals(mm);
}

void validate_change(struct mm_struct *mm, struct vm_area_struct *vma)
{
#ifdef CONFIG_DEBUG
	static atomic_t changes;

	/* Totals are brought up to date by the call that goes on after this: they are looked at later. */
	if (mm->map_count < VALIDATE_ALWAYS_BELOW ||
	    atomic_add_return(&changes, 1) % VALIDATE_EVERY == 0)
		validate_mm_areas(mm);
	else if (vma)
		validate_area(mm, vma);
#endif
}

/* --- page tables ----------------------------------------------------------------------------------------- */

#ifdef CONFIG_DEBUG

struct audit {
	struct mm_struct *mm;
	struct vm_area_struct *vma; /* the area at or behind the entry looked at */
	long rss[NR_MM_COUNTERS];
	long tables;
};

static bool chain_has(const struct vm_area_struct *vma, const struct anon_vma *av)
{
	const struct anon_vma_chain *avc;

	list_for_each_entry(avc, &vma->anon_vma_chain,
			    same_vma) if (avc->anon_vma == av) return true;
	return false;
}

/* A page that more than these map is looked for once in a while only: else all look for each other. */
#define AUDIT_RMAP_ALWAYS 16

#define AUDIT_RMAP_TRIES 100

/*
 * Every mapping of an anonymous page must be found from the page. Other address spaces may map or unmap it
 * while it is counted: that was no count, then. One may be found twice, while an area is cut in two; so
 * only those that are missing count, if they stay away.
 */
static void audit_rmap(struct page *page, unsigned long addr)
{
	static atomic_t visits;
	int found = 0, counted = page_mapcount(page);

	if (counted > AUDIT_RMAP_ALWAYS && atomic_add_return(&visits, 1) % counted)
		return;
	for (int i = 0; i < AUDIT_RMAP_TRIES; i++) {
		counted = page_mapcount(page);
		found = page_count_mappings(page);
		if (found >= counted || page_mapcount(page) != counted)
			return;
		cond_resched();
	}
	panic("audit: page at %#lx counts %d mappings, its reverse map finds %d", addr, counted,
	      found);
}

static void audit_page(const struct audit *a, struct page *page, pte_t pte, unsigned long addr)
{
	const unsigned long mapping = (unsigned long)READ_ONCE(page->mapping);
	const unsigned long tag = mapping & PAGE_MAPPING_FLAGS, flags = page_flags(page);
	const struct vm_area_struct *vma = a->vma;
	/* Both in one look: others may map it and let go of it. */
	const long counts = page_counts(page);
	const int maps = (int)(counts >> 32), refs = (int)(u32)counts;

	if (maps < 1 || refs < maps)
		panic("audit: page at %#lx is mapped but counts %d mappings, %d references", addr,
		      maps, refs);
	if (flags & (BIT(PG_buddy) | BIT(PG_slab) | BIT(PG_table)))
		panic("audit: page at %#lx is mapped but is free or the kernel's: flags %#lx", addr,
		      flags);
	if (tag == PAGE_MAPPING_ANON) {
		if (!chain_has(vma, (struct anon_vma *)(mapping - tag)))
			panic("audit: page at %#lx: its anon_vma does not know the area", addr);
		if (pte_write(pte) && page_mapcount(page) > 1)
			panic("audit: page at %#lx is writable and shared", addr);
		if (page_flag(page, PG_anon_exclusive) ? page_mapcount(page) > 1 : pte_write(pte))
			panic("audit: page at %#lx is taken for one program's alone", addr);
	} else if (vma_is_special_mapping(vma)) {
		if (!special_mapping_has_page(vma, linear_page_index(vma, addr), page))
			panic("audit: page at %#lx is not what the special mapping has there",
			      addr);
		if (pte_write(pte))
			panic("audit: the kernel's page at %#lx is writable", addr);
		return;
	} else if (!vma->vm_file || mapping != (unsigned long)vma->vm_file->mapping) {
		panic("audit: page at %#lx is not of the area's file", addr);
	} else if (pte_write(pte) && !(vma->vm_flags & VM_SHARED)) {
		panic("audit: the file's page at %#lx is writable in a private area", addr);
	}
	if (page->index != linear_page_index(vma, addr))
		panic("audit: page at %#lx has index %lu, its place is %lu", addr, page->index,
		      linear_page_index(vma, addr));
}

/* An entry that maps what nobody counts. */
static void audit_special(const struct vm_area_struct *vma, pte_t pte, unsigned long addr)
{
	if (pte_maps_zero_page(pte)) {
		if (pte_write(pte))
			panic("audit: the page of zeros is writable at %#lx", addr);
		return;
	}
	if (!(vma->vm_flags & VM_PFNMAP))
		panic("audit: device memory at %#lx, in an area that has none", addr);
	if (pte_write(pte) && !(vma->vm_flags & VM_SHARED))
		panic("audit: device memory at %#lx is writable in a private area", addr);
}

/* One entry in whatever state; the anonymous page that it maps, or NULL. => the table's lock held */
static struct page *audit_entry(struct audit *a, pte_t pte, unsigned long addr)
{
	struct page *page;

	if (!pte_present(pte))
		return NULL;
	if (pte_write(pte) && !(a->vma->vm_flags & VM_WRITE))
		panic("audit: the entry for %#lx is writable, the area is not", addr);
	page = vm_normal_page(pte);
	if (!page) {
		audit_special(a->vma, pte, addr);
		return NULL;
	}
	if ((a->vma->vm_flags & VM_PFNMAP) && !page_is_anon(page))
		panic("audit: the entry for %#lx maps device memory but isn't special", addr);
	a->rss[page_rss_kind(page)]++;
	audit_page(a, page, pte, addr);
	return page_is_anon(page) ? page : NULL;
}

static int audit_pte(pte_t *ptep, unsigned long addr, unsigned long next, struct mm_walk *walk)
{
	struct audit *a = walk->private;
	struct page *page;
	spinlock_t *lock;
	pmd_t *pmd;

	if (pte_none(ptep_get(ptep)))
		return 0;
	while (a->vma && a->vma->vm_end <= addr)
		a->vma = a->vma->vm_next;
	if (!a->vma || a->vma->vm_start > addr)
		panic("audit: an entry for %#lx, where no area is: %#lx", addr, ptep_get(ptep).v);

	/* Who truncates a file may take the entry away meanwhile, and the page with it. */
	pmd = pmd_lookup(a->mm->context.pgd, addr);
	BUG_ON(!pmd); /* it leads to ptep */
	lock = pte_lockptr(pmd);
	spin_lock(lock);
	page = audit_entry(a, ptep_get(ptep), addr);
	if (page && a->vma->vm_file)
		get_page(page);
	spin_unlock(lock);
	if (page)
		audit_rmap(page, addr);
	if (page && a->vma->vm_file)
		put_page(page);
	return 0;
}

/* Table pages below the top one, counted by going down. */
static long count_tables(const pgd_t *pgd)
{
	long n = 0;

	for (int i = 0; i < PTRS_PER_TABLE / 2; i++) {
		const pud_t *puds = pgd_table(pgd[i]) ? pgd_page_vaddr(pgd[i]) : NULL;

		n += puds != NULL;
		for (int j = 0; puds && j < PTRS_PER_TABLE; j++) {
			const pmd_t *pmds = pud_table(puds[j]) ? pud_page_vaddr(puds[j]) : NULL;

			n += pmds != NULL;
			for (int k = 0; pmds && k < PTRS_PER_TABLE; k++)
				n += pmd_table(pmds[k]);
		}
	}
	return n;
}

/* Whether the sums agree. Panics when they don't, and nobody took entries away while they were made. */
static bool audit_sums(struct audit *a, long zaps_done)
{
	const struct mm_struct *mm = a->mm;

	for (int i = 0; i < NR_MM_COUNTERS; i++) {
		long is = atomic_long_read(&mm->rss_stat[i]);

		if (a->rss[i] == is)
			continue;
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (atomic_long_read(&mm->zaps_begun) != zaps_done)
			return false;
		panic("audit: rss_stat[%d] is %ld, %ld such pages are mapped", i, is, a->rss[i]);
	}
	a->tables = count_tables(mm->context.pgd);
	if (a->tables * (long)PAGE_SIZE != atomic_long_read(&mm->pgtables_bytes))
		panic("audit: pgtables_bytes is %ld, there are %ld tables",
		      atomic_long_read(&mm->pgtables_bytes), a->tables);
	return true;
}

/* So often it is tried to find a moment in which nobody truncates a file that is mapped here. */
#define AUDIT_TRIES 20

void audit_mm(struct mm_struct *mm)
{
	static const struct mm_walk_ops ops = { .pte = audit_pte };

	validate_mm(mm);
	for (int i = 0; i < AUDIT_TRIES; i++) {
		struct audit a = { .mm = mm, .vma = mm->mmap };
		long zaps_done = atomic_long_read(&mm->zaps_done);

		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		walk_page_range(mm->context.pgd, 0, TASK_SIZE, &ops, &a);
		if (audit_sums(&a, zaps_done))
			break;
	}
}

#endif
