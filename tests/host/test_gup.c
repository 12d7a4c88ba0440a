/* SPDX-License-Identifier: MIT */
/*
 * Get user pages: from areas of every kind, with rights and with force; what a pin keeps, and what fork
 * does to it.
 */
#include "mm/gup.h"

#include "tests/host/family.h"
#include "tests/host/tap.h"

static long get_one(unsigned long addr, unsigned int flags, struct page **p)
{
	long got;

	down_read(&mm->mmap_lock);
	got = get_user_pages_remote(mm, addr, 1, flags, p);
	up_read(&mm->mmap_lock);
	return got;
}

static long pin_one(unsigned long addr, unsigned int flags, struct page **p)
{
	return pin_user_pages_unlocked(mm, addr, 1, flags, p);
}

static void unpin_one(struct page *p)
{
	unpin_user_pages(&p, 1, false);
}

static u8 *bytes(struct page *p)
{
	return page_address(p);
}

/* --- every kind of area -------------------------------------------------------------------------------- */

static void anon(unsigned long prot)
{
	map(0, 1, prot, NULL, 0);
}

static void set_untouched(void)
{
	anon(RW);
}

static void set_seen(void)
{
	anon(RW);
	sim_peek(page(0));
}

static void set_written(void)
{
	anon(RW);
	sim_poke(page(0), 1);
}

static void set_readonly(void)
{
	anon(PROT_READ);
}

static void set_readonly_seen(void)
{
	anon(PROT_READ);
	sim_peek(page(0));
}

static void set_readonly_written(void)
{
	set_written();
	vm_mprotect(page(0), PAGE_SIZE, PROT_READ);
}

static void set_none(void)
{
	anon(PROT_NONE);
}

static void set_none_written(void)
{
	set_written();
	vm_mprotect(page(0), PAGE_SIZE, PROT_NONE);
}

static void set_exec(void)
{
	anon(PROT_EXEC);
}

static void set_private(void)
{
	map(0, 1, RW, &file.file, 0);
}

static void set_private_readonly(void)
{
	map(0, 1, PROT_READ, &file.file, 0);
}

static void set_private_seen(void)
{
	set_private_readonly();
	sim_peek(page(0));
}

static void shared(unsigned long prot)
{
	vm_mmap(&file.file, page(0), PAGE_SIZE, prot, MAP_FIXED | MAP_SHARED, 0);
}

static void set_shared(void)
{
	shared(RW);
}

static void set_shared_readonly(void)
{
	shared(PROT_READ);
}

static void set_shared_none(void)
{
	shared(PROT_NONE);
}

static void set_shared_never_written(void)
{
	file.file.vm_mode = VM_FILE_READ;
	shared(PROT_READ);
}

static void set_beyond(void)
{
	vm_mmap(&file.file, page(0), PAGE_SIZE, RW, MAP_FIXED | MAP_PRIVATE, 20 * PAGE_SIZE);
}

static void set_pfnmap(void)
{
	set_untouched();
	find_vma(mm, page(0))->vm_flags |= VM_PFNMAP;
}

static void set_io(void)
{
	set_untouched();
	find_vma(mm, page(0))->vm_flags |= VM_IO;
}

static void set_hole(void)
{
	map(1, 1, RW, NULL, 0);
}

/* A stack that would have to grow. */
static void set_below_stack(void)
{
	map(2, 1, RW, NULL, MAP_GROWSDOWN);
}

/* can: for reading, writing, and each with force: '1' or 'F' for -EFAULT. */
static const struct kind {
	const char *name;
	void (*set)(void);
	const char *can;
} kinds[] = {
	{ "untouched", set_untouched, "1111" },
	{ "the page of zeros", set_seen, "1111" },
	{ "written", set_written, "1111" },
	{ "read-only", set_readonly, "1F11" },
	{ "read-only, zeros", set_readonly_seen, "1F11" },
	{ "read-only, written", set_readonly_written, "1F11" },
	{ "PROT_NONE", set_none, "FF11" },
	{ "PROT_NONE, written", set_none_written, "FF11" },
	{ "PROT_EXEC", set_exec, "FF11" },
	{ "a private file", set_private, "1111" },
	{ "a private file to read", set_private_readonly, "1F11" },
	{ "a private file, read", set_private_seen, "1F11" },
	{ "a shared file", set_shared, "1111" },
	{ "a shared file to read", set_shared_readonly, "1F1F" },
	{ "a shared file, PROT_NONE", set_shared_none, "FF1F" },
	{ "a shared file that can't be written", set_shared_never_written, "1F1F" },
	{ "beyond the end of a file", set_beyond, "FFFF" },
	{ "VM_PFNMAP", set_pfnmap, "FFFF" },
	{ "VM_IO", set_io, "FFFF" },
	{ "a hole", set_hole, "FFFF" },
	{ "below a stack", set_below_stack, "FFFF" },
};

/* What has been had to write is written, and must be what the program sees; and no file unless shared. */
static bool write_checked(struct page *p)
{
	const struct vm_area_struct *vma = find_vma(mm, page(0));
	pte_t pte = pte_at(mm, page(0));
	u8 was = sim_file_byte(100);
	struct page *cached;
	bool good;

	bytes(p)[100] = 0xab;
	good = p == page_at(mm, page(0)) && (pte_dirty(pte) || page_flag(p, PG_dirty)) &&
	       pte_write(pte) == !!(vma->vm_flags & VM_WRITE);
	if (vma->vm_flags & VM_SHARED)
		return good && !page_is_anon(p);
	good &= page_is_anon(p) && page_flag(p, PG_anon_exclusive);
	if (!(vma->vm_flags & VM_WRITE))
		good &= !sim_poke(page(0), 1);
	cached = find_get_page(&file.mapping, 0);
	if (cached) {
		good &= bytes(cached)[100] == was;
		put_page(cached);
	}
	return good;
}

static void test_kind(const struct kind *k, unsigned int how, bool pin)
{
	unsigned int flags = (how & 1 ? FOLL_WRITE : 0) | (how & 2 ? FOLL_FORCE : 0);
	struct sim_usage start = sim_usage(), left;
	struct page *p = NULL;
	bool good, can = k->can[how] == '1';
	long got;

	begin();
	k->set();
	got = pin ? pin_one(page(0) + 7, flags, &p) : get_one(page(0) + 7, flags, &p);
	good = got == (can ? 1 : -EFAULT);
	if (got == 1) {
		good &= page_maybe_dma_pinned(p) == pin;
		if (how & 1)
			good &= write_checked(p);
		if (pin)
			unpin_user_pages(&p, 1, how & 1);
		else
			put_page(p);
	}
	find_vma(mm, 0)->vm_flags &= ~(u64)(VM_PFNMAP | VM_IO);
	audit_mm(mm);
	sim_check_tlb();
	end();
	left = sim_usage();
	good &= sim_usage_same(&start, &left, false);
	ok(good, "%s, %s%s%s: %s", k->name, pin ? "pinned" : "had", how & 1 ? " to write" : "",
	   how & 2 ? " with force" : "", can ? "there" : "EFAULT");
	if (!good)
		diag("got %ld", got);
}

static void test_kinds(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		for (unsigned int how = 0; how < 4; how++)
			for (int pin = 0; pin < 2; pin++)
				test_kind(&kinds[i], how, pin);
}

/* --- ranges --------------------------------------------------------------------------------------------- */

static void test_ranges(void)
{
	struct page *p[16];

	begin();
	map(0, 3, RW, NULL, 0);
	map(3, 2, PROT_READ, NULL, 0);
	map(6, 2, RW, &file.file, 0);
	down_read(&mm->mmap_lock);
	is(get_user_pages_remote(mm, page(0), 16, 0, p), 5, "pages up to a hole");
	ok(p[0] == zero_page && p[4] == zero_page, "... of zeros");
	put_pages(p, 5);
	is(get_user_pages_remote(mm, page(0), 16, FOLL_WRITE, p), 3, "... up to what is read-only");
	put_pages(p, 3);
	is(get_user_pages_remote(mm, page(3), 16, FOLL_WRITE, p), -EFAULT, "... from there: none");
	is(get_user_pages_remote(mm, page(5), 16, 0, p), -EFAULT, "from the hole: none");
	is(get_user_pages_remote(mm, page(0), 0, 0, p), 0, "no page");
	is(get_user_pages_remote(mm, page(6), 2, 0, NULL), 2, "only faulted in");
	ok(page_at(mm, page(7)), "... they are there");
	is(get_user_pages_remote(mm, page(0), 2, FOLL_ANON, p), 2, "FOLL_ANON: anonymous");
	put_pages(p, 2);
	is(get_user_pages_remote(mm, page(6), 2, FOLL_ANON, p), -EFAULT, "... not a file");
	is(get_user_pages_remote(mm, TASK_SIZE, 1, 0, p), -EFAULT, "beyond user space");
	is(get_user_pages_remote(mm, -PAGE_SIZE, 3, 0, p), -EFAULT, "... around the end of all");
	sim_task.kill_pending = true;
	is(get_user_pages_remote(mm, page(1), 2, 0, p), 2, "while being killed: what is there");
	put_pages(p, 2);
	up_read(&mm->mmap_lock);
	map(8, 1, RW, NULL, 0);
	is(get_one(page(8), 0, p), -EINTR, "... nothing that must be faulted in: EINTR");
	sim_task.kill_pending = false;
	audit_mm(mm);
	end();
}

static void test_counts(void)
{
	struct page *p[4], *q;

	begin();
	map(0, 1, RW, NULL, 0);
	is(pin_one(page(0), FOLL_WRITE, &p[0]), 1, "a pin");
	is(page_count(p[0]), 1 + GUP_PIN_COUNTING_BIAS, "... is many references");
	pin_one(page(0), 0, &p[1]);
	pin_one(page(0), 0, &p[2]);
	get_one(page(0), 0, &q);
	is(page_count(q), 2 + 3 * GUP_PIN_COUNTING_BIAS, "three pins and a reference");
	is(page_mapcount(q), 1, "... of a page that is mapped once");
	unpin_user_pages(p, 2, false);
	ok(page_maybe_dma_pinned(q), "two are gone: still pinned");
	unpin_user_pages(p + 2, 1, false);
	ok(!page_maybe_dma_pinned(q), "the third: not any more");
	is(page_count(q), 2, "... one reference is left");
	put_page(q);

	pin_one(page(0), FOLL_WRITE, &q);
	vm_munmap(page(0), PAGE_SIZE);
	bytes(q)[0] = 1;
	is(page_mapcount(q), 0, "unmapped while pinned");
	is(page_count(q), GUP_PIN_COUNTING_BIAS, "... it stays");
	unpin_one(q);
	audit_mm(mm);
	end();
}

/* --- pins and fork ------------------------------------------------------------------------------------- */

static void test_fork(void)
{
	struct mm_struct *child;
	struct page *pinned, *held;

	begin();
	map(0, 3, RW, NULL, 0);
	for (unsigned int i = 0; i < 3; i++)
		sim_poke(page(i), (u8)(10 + i));
	ok(!mm->has_pinned, "an address space without pins");
	pin_one(page(0), FOLL_WRITE, &pinned);
	get_one(page(1), 0, &held);
	ok(mm->has_pinned, "... with one");
	child = fork_of(mm);
	sim_check_tlb();
	ok(page_at(mm, page(0)) == pinned && page_at(child, page(0)) != pinned,
	   "fork gives the child a copy of the pinned page");
	ok(page_at(child, page(1)) == held, "... not of one with a reference");
	ok(page_at(child, page(2)) == page_at(mm, page(2)), "... nor of the others");
	is(write_faults(page(0), 20), 0, "the parent goes on writing without a fault");
	is(bytes(pinned)[0], 20, "... to the page that is pinned");
	bytes(pinned)[1] = 21;
	is(sim_peek(page(0) + 1), 21, "... and sees what the holder writes");
	is(rss_of(child, MM_ANONPAGES), 3, "the child's pages are counted");
	ok(!child->has_pinned, "... and none is pinned");
	run_on(child, 1);
	is(sim_peek(page(0)), 10, "the child has what was there");
	is(write_faults(page(0), 30), 0, "... in a page of its own");
	ok(sim_peek(page(0)) == 30 && bytes(pinned)[0] == 20, "... of its own");
	audit_mm(child);
	audit_mm(mm);
	finish(child, mm);
	unpin_one(pinned);
	put_page(held);
	child = fork_of(mm);
	ok(page_at(child, page(0)) == page_at(mm, page(0)), "no pin any more: shared again");
	finish(child, mm);
	audit_mm(mm);
	end();
}

/* What isn't the program's own can be pinned to read only as a copy: or the program's write would leave it. */
static void test_unshare(void)
{
	struct mm_struct *child;
	struct page *p, *before;

	begin();
	map(0, 2, RW, NULL, 0);
	sim_poke(page(0), 1);
	sim_poke(page(1), 2);
	before = page_at(mm, page(0));
	pin_one(page(0), 0, &p);
	ok(p == before, "one's own page is pinned as it is");
	unpin_one(p);
	child = fork_of(mm);
	get_one(page(0), 0, &p);
	ok(p == before, "shared with a child: a reference is to the shared page");
	put_page(p);
	pin_one(page(0), 0, &p);
	ok(p != before && page_at(mm, page(0)) == p, "... a pin to a copy");
	is(bytes(p)[0], 1, "... of what was there");
	ok(page_at(child, page(0)) == before, "... the child keeps the page");
	ok(page_flag(p, PG_anon_exclusive) && !pte_write(pte_at(mm, page(0))) &&
		   !pte_dirty(pte_at(mm, page(0))),
	   "... which nobody has written yet");
	is(write_faults(page(0), 5), 1, "the program's write faults");
	is(bytes(p)[0], 5, "... and goes to the pinned page");
	unpin_one(p);
	finish(child, mm);
	before = page_at(mm, page(1));
	pin_one(page(1), 0, &p);
	ok(p == before && page_flag(p, PG_anon_exclusive),
	   "with the child gone the page is one's own again, without a copy");
	unpin_one(p);
	audit_mm(mm);
	end();
}

/* A child's copy of a page pinned read-only memory is read-only, too. */
static void test_fork_readonly(void)
{
	struct mm_struct *child;
	struct page *p;

	begin();
	map(0, 1, RW, NULL, 0);
	sim_poke(page(0), 1);
	vm_mprotect(page(0), PAGE_SIZE, PROT_READ);
	pin_one(page(0), 0, &p);
	child = fork_of(mm);
	ok(page_at(child, page(0)) != p, "a read-only page that is pinned is copied");
	ok(!pte_write(pte_at(child, page(0))), "... and is read-only in the child");
	audit_mm(child);
	finish(child, mm);
	unpin_one(p);
	end();
}

/* Files' pages are shared by right: fork leaves them. */
static void test_fork_files(void)
{
	struct mm_struct *child;
	struct page *p, *q;

	begin();
	vm_mmap(&file.file, page(0), PAGE_SIZE, RW, MAP_FIXED | MAP_SHARED, 0);
	map(1, 2, RW, &file.file, 0);
	sim_poke(page(2), 1);
	pin_one(page(0), FOLL_WRITE, &p);
	pin_one(page(1), 0, &q);
	ok(!page_is_anon(q), "a private file's page is pinned to read as it is");
	child = fork_of(mm);
	run_on(child, 1);
	sim_peek(page(0));
	ok(page_at(child, page(0)) == p, "a pinned page of a shared file is the child's, too");
	sim_peek(page(1));
	ok(page_at(child, page(1)) == q, "... and one of a private file");
	audit_mm(child);
	finish(child, mm);
	unpin_one(p);
	unpin_one(q);
	end();
}

/* --- force ----------------------------------------------------------------------------------------------- */

/* A write with force to what was shared by fork: the other one's must not change. */
static void test_force_shared(void)
{
	struct mm_struct *child;
	char c = 'c';

	begin();
	map(0, 1, PROT_READ, NULL, 0);
	access_remote_vm(mm, page(0), "a", 1, FOLL_WRITE | FOLL_FORCE);
	is(sim_peek(page(0)), 'a', "read-only memory is written with force");
	is((long)access_remote_vm(mm, page(0), &c, 1, FOLL_WRITE), 0, "... not without");
	child = fork_of(mm);
	access_remote_vm(mm, page(0), "b", 1, FOLL_WRITE | FOLL_FORCE);
	is(sim_peek(page(0)), 'b', "... again, after a fork");
	run_on(child, 1);
	is(sim_peek(page(0)), 'a', "... and the child's is what it was");
	access_remote_vm(child, page(0), "d", 1, FOLL_WRITE | FOLL_FORCE);
	is(sim_peek(page(0)), 'd', "... until its own is written");
	audit_mm(child);
	audit_mm(mm);
	finish(child, mm);
	is(sim_peek(page(0)), 'b', "... which isn't the parent's");
	end();
}

static struct vm_operations_struct tricky_ops;
static const struct vm_operations_struct *honest_ops;
static unsigned int tricks;

/* Between the fault and the look at what it did, another thread threw the copy away and read. */
static unsigned int tricky_fault(struct vm_fault *vmf)
{
	if (!(vmf->flags & FAULT_FLAG_WRITE) || !tricks)
		return honest_ops->fault(vmf);
	tricks--;
	handle_mm_fault(vmf->vma, vmf->address, 0);
	return VM_FAULT_NOPAGE;
}

static void test_dirty_cow(void)
{
	struct vm_area_struct *vma;
	struct page *cached, *p;

	begin();
	map(0, 1, PROT_READ, &file.file, 0);
	vma = find_vma(mm, page(0));
	honest_ops = vma->vm_ops;
	tricky_ops = *honest_ops;
	tricky_ops.fault = tricky_fault;
	vma->vm_ops = &tricky_ops;
	tricks = 1;
	is(get_one(page(0), FOLL_WRITE | FOLL_FORCE, &p), 1, "the file's page was faster");
	is(tricks, 0, "... once");
	cached = find_get_page(&file.mapping, 0);
	ok(p != cached && page_is_anon(p), "... what is had to write is a copy");
	bytes(p)[0] = (u8)~sim_file_byte(0);
	is(bytes(cached)[0], sim_file_byte(0), "... and the file is as it was");
	put_page(p);
	zap_page_range(vma, page(0), page(1));
	sim_peek(page(0));
	is(get_one(page(0), FOLL_WRITE | FOLL_FORCE, &p), 1, "the same after it was thrown away");
	ok(p != cached, "... is another copy");
	put_page(p);
	put_page(cached);
	vma->vm_ops = honest_ops;
	audit_mm(mm);
	end();
}

/* --- write-back ------------------------------------------------------------------------------------------ */

static u8 stored; /* the first byte of the file's first page, where it is kept */

static int store(struct address_space *mapping, struct page *p)
{
	if (p->index == 0)
		stored = bytes(p)[0];
	return 0;
}

/* Stored, and clean in every table: from then on a write by way of an entry would fault. */
static void write_back(void)
{
	filemap_write_and_wait_range(&file.mapping, 0, ~0ULL);
}

/* Who writes by a pin or a reference, writes past the entry: the page must become dirty all the same. */
static void test_write_back(void)
{
	struct address_space_operations ops;
	struct page *p;

	begin();
	ops = *file.mapping.a_ops;
	ops.write_page = store;
	file.mapping.a_ops = &ops;
	vm_mmap(&file.file, page(0), PAGE_SIZE, RW, MAP_FIXED | MAP_SHARED, 0);
	sim_poke(page(0), 1);
	pin_one(page(0), FOLL_WRITE, &p);
	write_back();
	ok(stored == 1 && !page_flag(p, PG_dirty), "a pinned page is written back and clean");
	ok(!pte_write(pte_at(mm, page(0))), "... the program's next write would fault");
	bytes(p)[0] = 2;
	unpin_user_pages(&p, 1, true);
	ok(page_flag(p, PG_dirty), "... the holder has written it");
	write_back();
	is(stored, 2, "... and that is stored");
	is((long)access_remote_vm(mm, page(0), "3", 1, FOLL_WRITE), 1, "a transfer");
	write_back();
	is(stored, '3', "... is stored");
	pin_one(page(0), FOLL_WRITE, &p);
	truncate_pagecache(&file.mapping, 0);
	bytes(p)[0] = 4;
	unpin_user_pages(&p, 1, true);
	write_back();
	is(stored, '3', "a page that was cut off while it was pinned is stored nowhere");
	audit_mm(mm);
	end();
}

/* --- another program's memory ------------------------------------------------------------------------- */

static void test_remote_stack(void)
{
	char buf[2 * PAGE_SIZE] = { 0 };
	unsigned long start;
	struct page *p;

	begin();
	mm_setup_stack(mm, TOP, 0);
	start = find_vma(mm, TOP - 1)->vm_start;
	is(pin_one(start - 8, FOLL_WRITE, &p), -EFAULT, "a stack doesn't grow for a pin");
	is((long)access_remote_vm(mm, start - 8, buf, 16, FOLL_WRITE), 16,
	   "it does for a transfer");
	ok(find_vma(mm, TOP - 1)->vm_start == start - PAGE_SIZE, "... to where that begins");
	sim_rlimits[MM_RLIMIT_STACK].cur = TOP - start + PAGE_SIZE;
	is((long)access_remote_vm(mm, start - PAGE_SIZE - 8, buf, 16, 0), 0, "within its limit");
	audit_mm(mm);
	end();
}

int main(void)
{
	struct sim_usage start, left;

	sim_boot_default();
	start = sim_usage();
	test_kinds();
	test_ranges();
	test_counts();
	test_fork();
	test_unshare();
	test_fork_readonly();
	test_fork_files();
	test_force_shared();
	test_dirty_cow();
	test_write_back();
	test_remote_stack();
	left = sim_usage();
	ok(sim_usage_same(&start, &left, false), "nothing is lost");
	page_alloc_audit();
	return done_testing();
}
