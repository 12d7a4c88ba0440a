/* SPDX-License-Identifier: MIT */
/*
 * Device memory in areas: entries that nobody counts, mapped at once by a driver's mmap, or one by one by
 * its fault operation.
 */
#include <arch/uaccess.h>

#include "mm/mapping.h"
#include "tests/host/family.h"
#include "tests/host/tap.h"

/* --- a device with 4 MiB of memory ------------------------------------------------------------------ */

#define DEV_ORDER 10U
#define DEV_PAGES (1UL << DEV_ORDER)

static struct page *dev_block;
static int dev_refs, dev_closes;
static unsigned int dev_faults;
/* How the next mmap is done. */
static enum { ALL, BY_FAULT, HALF, TWICE } dev_way;
static bool dev_uncached;

static u8 *dev_byte(unsigned long n)
{
	return (u8 *)page_address(dev_block) + n * PAGE_SIZE;
}

static pfn_t dev_pfn(unsigned long n)
{
	pfn_t pfn = page_to_pfn(dev_block);

	pfn.v += n;
	return pfn;
}

static unsigned int dev_fault(struct vm_fault *vmf)
{
	if (vmf->pgoff >= DEV_PAGES)
		return VM_FAULT_SIGBUS;
	dev_faults++;
	return vmf_insert_pfn(vmf->vma, vmf->address, dev_pfn(vmf->pgoff));
}

static void dev_close(struct vm_area_struct *vma)
{
	dev_closes++;
}

static const struct vm_operations_struct dev_vm_ops = { .fault = dev_fault, .close = dev_close };

static void dev_get(struct vm_file *f)
{
	dev_refs++;
}

static void dev_put(struct vm_file *f)
{
	dev_refs--;
}

static int dev_path(struct vm_file *f, char *buf, size_t size)
{
	return snprintf(buf, size, "/dev/device");
}

static int dev_mmap(struct vm_file *f, struct vm_area_struct *vma)
{
	unsigned long size = vma->vm_end - vma->vm_start, half = vma_pages(vma) / 2 * PAGE_SIZE;
	pfn_t pfn = dev_pfn(vma->vm_pgoff);
	int err;

	if (dev_uncached)
		vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	if (dev_way == BY_FAULT) {
		vma->vm_flags |= VM_PFNMAP | VM_DONTEXPAND;
		vma->vm_ops = &dev_vm_ops;
		return 0;
	}
	if (dev_way == ALL)
		return remap_pfn_range(vma, vma->vm_start, pfn, size, vma->vm_page_prot);
	err = remap_pfn_range(vma, vma->vm_start, pfn, half, vma->vm_page_prot);
	if (err || dev_way == HALF)
		return err;
	pfn.v += half >> PAGE_SHIFT;
	return remap_pfn_range(vma, vma->vm_start + half, pfn, size - half, vma->vm_page_prot);
}

static const struct vm_file_operations dev_ops = {
	.get = dev_get, .put = dev_put, .mmap = dev_mmap, .path = dev_path
};
static struct vm_file dev = { .vm_fops = &dev_ops, .vm_mode = VM_FILE_READ | VM_FILE_WRITE };

static bool map_dev(unsigned int first, unsigned long n, unsigned long prot, unsigned long flags,
		    unsigned long pgoff)
{
	return vm_mmap(&dev, page(first), n * PAGE_SIZE, prot, MAP_FIXED | flags,
		       pgoff << PAGE_SHIFT) == page(first);
}

static void dev_begin(int way)
{
	begin();
	dev_way = way;
	dev_uncached = false;
	dev_faults = 0;
	dev_closes = 0;
	for (unsigned long i = 0; i < DEV_PAGES; i++)
		*dev_byte(i) = (u8)(i + 1);
}

static void dev_end(const char *what)
{
	audit_mm(mm);
	sim_check_tlb();
	end();
	is(dev_refs, 0, "%s: the file is let go of", what);
	is(page_count(dev_block), 1, "... and the memory is still the device's");
}

#define DEV_FLAGS (VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP)

/* --- shared ------------------------------------------------------------------------------------------ */

static void test_shared(void)
{
	struct vm_area_struct *vma;
	u8 byte;

	dev_begin(ALL);
	ok(map_dev(0, 8, RW, MAP_SHARED, 4), "shared, all at once");
	vma = find_vma(mm, page(0));
	is((long)(vma->vm_flags & DEV_FLAGS), DEV_FLAGS, "flags of a device's area");
	is(sim_peek(page(3)), 8, "the device's memory");
	is(write_faults(page(3), 100), 0, "is written without a fault");
	is(*dev_byte(7), 100, "... and the device sees it");
	ok(!rss(MM_FILEPAGES) && !rss(MM_ANONPAGES) && !rss(MM_SHMEMPAGES), "nothing is counted");
	map(20, 1, RW, NULL, 0);
	sim_poke(page(20) + 3, 1);
	is(vm_mincore(page(0), 8 * PAGE_SIZE, (u8 __user *)page(20)), 0, "mincore");
	is(sim_peek(page(20) + 3), 0, "... doesn't call it memory");
	vm_munmap(page(20), PAGE_SIZE);
	is((long)pagemap_entry(mm, page(3), true) >> 56, 0, "nor does pagemap");
	is(vm_mlock(page(0), 8 * PAGE_SIZE, 0), 0, "mlock passes it over");
	ok(!mm->locked_vm && !(vma->vm_flags & VM_LOCKED), "... and counts nothing");
	is(vm_madvise(page(0), PAGE_SIZE, MADV_DONTNEED), -EINVAL, "MADV_DONTNEED isn't for it");
	is(vm_madvise(page(0), PAGE_SIZE, MADV_POPULATE_READ), -EINVAL, "nor MADV_POPULATE_READ");
	is(vm_madvise(page(0), PAGE_SIZE, MADV_DOFORK), -EINVAL, "nor MADV_DOFORK");
	is((long)access_remote_vm(mm, page(0), &byte, 1, false), 0, "nobody gets its pages");
	vm_mprotect(page(2), 2 * PAGE_SIZE, PROT_READ);
	is(access_kind(page(3), SIM_WRITE), FAULT_NOT_WRITABLE,
	   "a part without the right to write");
	is(sim_peek(page(3)), 100, "... can be read");
	vm_mprotect(page(2), 2 * PAGE_SIZE, PROT_NONE);
	is(access_kind(page(3), SIM_READ), FAULT_NOT_READABLE, "... or not at all");
	audit_mm(mm);
	vm_mprotect(page(2), 2 * PAGE_SIZE, RW);
	is(write_faults(page(3), 101), 0, "all as it was");
	is(*dev_byte(7), 101, "... on the same memory");
	vm_munmap(page(3), PAGE_SIZE);
	is(sim_peek(page(3)), -1, "a part unmapped");
	is(*dev_byte(7), 101, "... is still the device's");
	dev_end("shared");
}

static void test_by_fault(void)
{
	dev_begin(BY_FAULT);
	ok(map_dev(0, DEV_PAGES + 1, RW, MAP_SHARED, 0), "shared, by fault");
	is(sim_peek(page(5)), 6, "a page is there when it is wanted");
	is(dev_faults, 1, "... by one fault");
	is(write_faults(page(5), 50), 0, "... for writing, too");
	is(write_faults(page(6), 60), 1, "a write fault");
	is(*dev_byte(6), 60, "... reaches the device");
	is(access_kind(page(DEV_PAGES), SIM_READ), FAULT_BUS, "behind its end there is nothing");
	mm_clear_refs(mm, CLEAR_REFS_SOFT_DIRTY);
	is(sim_peek(page(7)), 8, "while somebody looks for changes");
	is(write_faults(page(7), 70), 1, "... the first write is seen");
	is(*dev_byte(7), 70, "... and done");
	dev_end("by fault");
	is(dev_closes, 1, "the driver hears of the end");
}

static void test_cache_bits(void)
{
	dev_begin(TWICE);
	dev_uncached = true;
	ok(map_dev(0, 8, RW, MAP_SHARED, 0), "uncached, in two pieces");
	ok(pte_at(mm, page(6)).v & _PAGE_PCD, "the entry says so");
	vm_mprotect(page(4), 4 * PAGE_SIZE, PROT_NONE);
	ok(pte_at(mm, page(6)).v & _PAGE_PCD, "... without rights, too");
	vm_mprotect(page(4), 4 * PAGE_SIZE, PROT_READ);
	ok(pte_at(mm, page(6)).v & _PAGE_PCD, "... and with others");
	ok(find_vma(mm, page(6))->vm_page_prot.v & _PAGE_PCD, "... and the area");
	validate_mm(mm);
	ok(vm_mremap(page(0), 4 * PAGE_SIZE, 4 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
		     page(100)) == page(100),
	   "moved");
	ok(pte_at(mm, page(101)).v & _PAGE_PCD, "... and still so");
	dev_end("uncached");

	dev_begin(BY_FAULT);
	dev_uncached = true;
	map_dev(0, 8, RW, MAP_SHARED, 0);
	vm_mprotect(page(0), 8 * PAGE_SIZE, PROT_READ);
	sim_peek(page(1));
	ok(pte_at(mm, page(1)).v & _PAGE_PCD, "a page that comes by a fault is like its area");
	dev_end("uncached by fault");
}

/* --- private ------------------------------------------------------------------------------------------- */

static void test_private(void)
{
	struct mm_struct *child;
	char line[200];

	dev_begin(ALL);
	ok(map_dev(0, 8, RW, MAP_PRIVATE, 0), "private");
	is(sim_peek(page(2)), 3, "the device's memory");
	is(write_faults(page(2), 100), 1, "a write");
	is(*dev_byte(2), 3, "... is hidden from the device");
	is(sim_peek(page(2)), 100, "... in a copy");
	is(rss(MM_ANONPAGES), 1, "... that is the program's own");
	*dev_byte(3) = 77;
	is(sim_peek(page(3)), 77, "what wasn't written is the device's still");
	audit_mm(mm);
	child = fork_of(mm);
	is(write_faults(page(2), 101), 1, "after fork, a write");
	is(write_faults(page(4), 102), 1, "... and another");
	run_on(child, 1);
	is(sim_peek(page(2)), 100, "the child has the copy as it was");
	is(sim_peek(page(4)), 5, "... and the device's memory");
	is(write_faults(page(5), 103), 1, "it makes its own copies");
	audit_mm(child);
	finish(child, mm);
	is(sim_peek(page(5)), 6, "... for itself");
	show_map_vma(mm->mmap, line, sizeof(line));
	is((long)mm->mmap->vm_pgoff, (long)dev_pfn(0).v, "maps shows the frame: %s", line);
	vm_mprotect(page(0), 8 * PAGE_SIZE, PROT_READ);
	vm_mprotect(page(0), 8 * PAGE_SIZE, RW);
	is(write_faults(page(2), 104), 0, "a copy is written at once when that is allowed again");
	is(write_faults(page(6), 105), 1, "... the device's memory is copied");
	is(*dev_byte(6), 7, "... and not written");
	dev_end("private");

	dev_begin(HALF);
	ok(!map_dev(0, 8, RW, MAP_PRIVATE, 0), "half a private mapping isn't made");
	is(mm->map_count, 0, "... nothing stays");
	ok(!map_dev(0, 8, PROT_READ, MAP_PRIVATE, 0), "... also when it isn't writable yet");
	ok(map_dev(0, 8, RW, MAP_SHARED, 0), "half a shared one is");
	is(sim_peek(page(3)), 4, "... and has what was mapped");
	is(access_kind(page(4), SIM_READ), FAULT_BUS, "... the rest is an error");
	is(access_kind(page(4), SIM_WRITE), FAULT_BUS, "... to write as well");
	dev_end("half");
}

/* --- calls --------------------------------------------------------------------------------------------- */

static void test_mremap(void)
{
	dev_begin(ALL);
	map_dev(0, 600, RW, MAP_SHARED, 0);
	is((long)vm_mremap(page(0), 600 * PAGE_SIZE, 601 * PAGE_SIZE, MREMAP_MAYMOVE, 0), -EFAULT,
	   "a device's area doesn't grow");
	is((long)vm_mremap(page(0), 0, PAGE_SIZE, MREMAP_MAYMOVE, 0), -EFAULT, "nor is it doubled");
	is((long)vm_mremap(page(0), 600 * PAGE_SIZE, 600 * PAGE_SIZE,
			   MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0),
	   -EINVAL, "nor left behind empty");
	ok(vm_mremap(page(0), 600 * PAGE_SIZE, 600 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
		     page(5000)) == page(5000),
	   "it moves");
	is(sim_peek(page(5599)), (u8)600, "... with all that is mapped");
	is(sim_peek(page(0)), -1, "... and leaves nothing");
	ok(vm_mremap(page(5000), 600 * PAGE_SIZE, 10 * PAGE_SIZE, 0, 0) == page(5000), "shrinks");
	is(sim_peek(page(5010)), -1, "... losing its end");
	ok(vm_mremap(page(5003), 2 * PAGE_SIZE, 2 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
		     page(1)) == page(1),
	   "a part of it moves");
	is(sim_peek(page(2)), 5, "... to its place");
	ok(map_dev(3, 2, RW, MAP_SHARED, 5), "the next part, beside it");
	is(mm->map_count, 4, "... stays an area of its own");
	dev_end("mremap");
}

static void test_fork(void)
{
	struct mm_struct *child;

	dev_begin(ALL);
	map_dev(0, 600, RW, MAP_SHARED, 0);
	child = fork_of(mm);
	run_on(child, 1);
	is(sim_peek(page(599)), (u8)600, "a child has the device's memory");
	is(write_faults(page(0), 9), 0, "... writes it without a fault");
	audit_mm(child);
	finish(child, mm);
	is(sim_peek(page(0)), 9, "... and its parent sees it");
	dev_end("fork");
}

/* --- no memory ------------------------------------------------------------------------------------------ */

static bool op_mmap(void)
{
	return map_dev(300, 600, RW, MAP_SHARED, 0);
}

static bool op_mmap_private(void)
{
	return map_dev(300, 600, RW, MAP_PRIVATE, 0);
}

static bool op_fork(void)
{
	struct mm_struct *child = fork_of(mm);

	if (child)
		mmput(child);
	return child;
}

static bool op_move(void)
{
	return vm_mremap(page(300), 600 * PAGE_SIZE, 600 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED,
			 page(5001)) == page(5001);
}

static bool op_write(void)
{
	return access_kind(page(400), SIM_WRITE) == FAULT_HANDLED;
}

static void setup_shared(void)
{
	op_mmap();
}

static void setup_private(void)
{
	op_mmap_private();
}

static void setup_by_fault(void)
{
	dev_way = BY_FAULT;
	op_mmap();
}

static void setup_two(void)
{
	dev_way = TWICE;
}

static const struct {
	const char *name;
	void (*setup)(void);
	bool (*op)(void);
} scenarios[] = {
	{ "mmap", NULL, op_mmap },
	{ "private mmap", NULL, op_mmap_private },
	{ "mmap in two pieces", setup_two, op_mmap },
	{ "fork", setup_shared, op_fork },
	{ "fork of a private one", setup_private, op_fork },
	{ "mremap", setup_shared, op_move },
	{ "a private write", setup_private, op_write },
	{ "a fault", setup_by_fault, op_write },
};

/* What there is to see of an address space. */
struct state {
	int areas, refs;
	unsigned long total;
	long tables, anon;
};

static struct state state_now(void)
{
	return (struct state){ mm->map_count, dev_refs, mm->total_vm,
			       atomic_long_read(&mm->pgtables_bytes), rss(MM_ANONPAGES) };
}

static bool same_state(const struct state *a, const struct state *b, bool tables)
{
	return a->areas == b->areas && a->refs == b->refs && a->total == b->total &&
	       a->anon == b->anon && (!tables || a->tables == b->tables);
}

#define MAX_FAILURES 40

static void test_no_memory(unsigned int i)
{
	/* Tables that a fault or a move made stay until the area goes, empty. */
	bool tables = scenarios[i].op == op_mmap || scenarios[i].op == op_mmap_private;
	unsigned int failures = 0;
	bool good = true, done = false;

	for (int how = SIM_FAIL_PAGE; how <= SIM_FAIL_ALL; how++, done = false)
		for (unsigned long n = 1; n <= MAX_FAILURES && !done; n++) {
			struct sim_usage start = sim_usage(), left;
			struct state before, after;

			dev_begin(ALL);
			if (scenarios[i].setup)
				scenarios[i].setup();
			sim_usage();
			before = state_now();
			sim_fail((enum sim_fail)how, n);
			done = scenarios[i].op();
			sim_fail(SIM_FAIL_NONE, 0);
			after = state_now();
			audit_mm(mm);
			sim_check_tlb();
			failures += !done;
			if (!done)
				good &= same_state(&before, &after, tables) && scenarios[i].op();
			audit_mm(mm);
			end();
			left = sim_usage();
			good &= sim_usage_same(&start, &left, false) && !dev_refs;
		}
	ok(good, "%s without memory: %u failures, nothing changed, nothing lost", scenarios[i].name,
	   failures);
	ok(failures > 0, "... it did fail");
}

int main(void)
{
	sim_boot_default();
	dev_block = alloc_pages(GFP_KERNEL | __GFP_ZERO, DEV_ORDER);
	if (!dev_block)
		return 1;
	/* Not the allocator's while it is the device's. */
	for (unsigned long i = 0; i < DEV_PAGES; i++)
		page_set_flag(dev_block + i, PG_reserved);
	test_shared();
	test_by_fault();
	test_cache_bits();
	test_private();
	test_mremap();
	test_fork();
	for (unsigned int i = 0; i < ARRAY_SIZE(scenarios); i++)
		test_no_memory(i);
	for (unsigned long i = 0; i < DEV_PAGES; i++)
		page_clear_flag(dev_block + i, PG_reserved);
	free_pages(dev_block, DEV_ORDER);
	page_alloc_audit();
	return done_testing();
}
