/* SPDX-License-Identifier: MIT */
/*
 * What is remembered of faults: the path of each kind, as the grammar in mm/fault_steps.h has it; the ring
 * of the last ones; the text.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/abi/mman.h"
#include "mm/mapping.h"
#include "mm/shmem.h"
#include "tests/host/family.h"
#include "tests/host/tap.h"

/* The steps of a path by name, with a space between. */
static const char *names_of(u64 path)
{
	static char text[256];
	size_t len = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < fault_path_len(path); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? " " : "",
					fault_step_name[fault_path_step(path, i)]);
	return text;
}

static void path_is(const char *want, const char *name)
{
	const char *got = names_of(sim_task.fault.path);

	if (!ok(strcmp(got, want) == 0, "%s: %s", name, want))
		printf("# got %s\n", got);
}

/* One access that faults once, and its path. */
static void fault_is(unsigned long addr, enum sim_kind kind, const char *want, const char *name)
{
	const u64 before = sim_task.faults.count;

	access_kind(addr, kind);
	path_is(want, name);
	if (sim_task.faults.count != before + 1)
		ok(false, "... in one fault, not %lu", (long)(sim_task.faults.count - before));
}

#define FIXED (MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS)

static void test_anonymous(void)
{
	begin();
	fault_is(page(0), SIM_READ, "NO_AREA", "nothing at all");
	map(0, 4, RW, NULL, 0);
	fault_is(page(0), SIM_READ, "AREA MAY_READ TABLES_3 ENTRY_NONE ZERO_PAGE", "a read");
	fault_is(page(1), SIM_READ, "AREA MAY_READ ENTRY_NONE ZERO_PAGE",
		 "... with the tables there");
	fault_is(page(0), SIM_WRITE, "AREA MAY_WRITE ENTRY_READ_ONLY COPY_ZERO",
		 "a write after it");
	fault_is(page(2), SIM_WRITE, "AREA MAY_WRITE ENTRY_NONE FRESH_PAGE", "a write");
	vm_mmap(NULL, BASE + PMD_SIZE, PAGE_SIZE, RW, FIXED, 0);
	fault_is(BASE + PMD_SIZE, SIM_WRITE, "AREA MAY_WRITE TABLES_1 ENTRY_NONE FRESH_PAGE",
		 "the next table, and mmap_lock needed for the first write");
	vm_mmap(NULL, BASE + PUD_SIZE, PAGE_SIZE, RW, FIXED, 0);
	fault_is(BASE + PUD_SIZE, SIM_WRITE, "AREA MAY_WRITE TABLES_2 ENTRY_NONE FRESH_PAGE",
		 "the next two");
	vm_mmap(NULL, BASE + PGDIR_SIZE, PAGE_SIZE, RW, FIXED, 0);
	fault_is(BASE + PGDIR_SIZE, SIM_WRITE, "AREA MAY_WRITE TABLES_3 ENTRY_NONE FRESH_PAGE",
		 "all three");
	is(do_user_fault(page(2), FAULT_FLAG_WRITE), FAULT_HANDLED, "a fault for nothing");
	path_is("AREA MAY_WRITE ENTRY_FITS", "...");
	ok(sim_task.fault.pte_before && sim_task.fault.pte_after, "... the entry is noted");
	set_pte(pte_offset(*pmd_lookup(mm->context.pgd, page(3)), page(3)), __pte(2));
	is(do_user_fault(page(3), 0), FAULT_BUS, "an entry that can't be");
	path_is("AREA MAY_READ ENTRY_UNKNOWN", "...");
	set_pte(pte_offset(*pmd_lookup(mm->context.pgd, page(3)), page(3)), __pte(0));
	is(do_user_fault(TASK_SIZE, 0), FAULT_NO_AREA, "the kernel's half");
	path_is("KERNEL_HALF", "...");
	end();
}

static void test_rights(void)
{
	begin();
	map(1, 1, PROT_NONE, NULL, 0);
	map(2, 1, PROT_READ, NULL, 0);
	map(3, 1, PROT_EXEC, NULL, 0);
	fault_is(page(1), SIM_READ, "AREA NOT_READABLE", "PROT_NONE is read");
	fault_is(page(2), SIM_WRITE, "AREA NOT_WRITABLE", "PROT_READ is written");
	ok(!sim_task.fault.pte_before, "... nothing was there");
	fault_is(page(2), SIM_EXEC, "AREA NOT_EXECUTABLE", "... executed");
	sim_peek(page(2));
	fault_is(page(2), SIM_WRITE, "AREA NOT_WRITABLE", "... written when it is mapped");
	ok(sim_task.fault.pte_before == pte_at(mm, page(2)).v &&
		   sim_task.fault.pte_after == sim_task.fault.pte_before,
	   "... which the record shows");
	fault_is(page(3), SIM_EXEC, "AREA MAY_EXEC ENTRY_NONE ZERO_PAGE", "PROT_EXEC is executed");
	end();
}

/* --- pages that others have, too ------------------------------------------------------------- */

static void test_fork(void)
{
	struct mm_struct *child;

	begin();
	map(0, 2, RW, NULL, 0);
	sim_poke(page(0), 1);
	sim_poke(page(1), 1);
	child = fork_of(mm);
	run(mm);
	fault_is(page(0), SIM_WRITE, "AREA MAY_WRITE ENTRY_READ_ONLY COPY_ON_WRITE", "after fork");
	finish(child, mm);
	fault_is(page(1), SIM_WRITE, "AREA MAY_WRITE ENTRY_READ_ONLY REUSE_LAST",
		 "when the child has gone");
	mm_clear_refs(mm, CLEAR_REFS_SOFT_DIRTY);
	fault_is(page(1), SIM_WRITE, "AREA MAY_WRITE ENTRY_READ_ONLY REUSE_EXCLUSIVE",
		 "when somebody wants to know of writes");
	end();
}

/* --- files ----------------------------------------------------------------------------------- */

static struct address_space_operations disk_ops;

static int disk_write(struct address_space *mapping, struct page *page)
{
	return 0;
}

/* The file as one whose pages are stored elsewhere: it asks for page_mkwrite. */
static void make_stored(void)
{
	disk_ops = *file.mapping.a_ops;
	disk_ops.write_page = disk_write;
	file.mapping.a_ops = &disk_ops;
}

static void test_files(void)
{
	begin();
	map(0, 12, RW, &file.file, 0);
	vm_mmap(&file.file, page(20), 12 * PAGE_SIZE, RW, MAP_FIXED | MAP_SHARED, 0);
	fault_is(page(0), SIM_READ, "AREA MAY_READ TABLES_3 ENTRY_NONE PAGE_READ MAP_AROUND",
		 "a file is read");
	fault_is(page(20), SIM_READ, "AREA MAY_READ ENTRY_NONE PAGE_CACHED MAP_AROUND",
		 "... a second time");
	fault_is(page(0), SIM_WRITE, "AREA MAY_WRITE ENTRY_READ_ONLY COPY_FROM_FILE",
		 "... written, where it is private");
	fault_is(page(1), SIM_WRITE, "AREA MAY_WRITE ENTRY_NONE PAGE_READ COPY_FILE_PAGE",
		 "... written at once");
	fault_is(page(21), SIM_WRITE, "AREA MAY_WRITE ENTRY_NONE PAGE_CACHED SHARED_WRITE",
		 "... where it is shared");
	fault_is(page(10), SIM_READ, "AREA MAY_READ ENTRY_NONE BEYOND_EOF", "beyond its end");
	fault_is(page(30), SIM_WRITE, "AREA MAY_WRITE ENTRY_NONE BEYOND_EOF", "... written");
	file.fail_reads = 1;
	fault_is(page(2), SIM_READ, "AREA MAY_READ ENTRY_NONE PAGE_READ READ_FAILED", "a bad disk");
	end();

	begin();
	make_stored();
	vm_mmap(&file.file, page(0), 4 * PAGE_SIZE, RW, MAP_FIXED | MAP_SHARED, 0);
	fault_is(page(0), SIM_READ, "AREA MAY_READ TABLES_3 ENTRY_NONE PAGE_READ MAP_AROUND",
		 "a stored file");
	fault_is(page(0), SIM_WRITE, "AREA MAY_WRITE ENTRY_READ_ONLY MKWRITE SHARED_WRITABLE",
		 "... is asked before the write");
	fault_is(page(1), SIM_WRITE, "AREA MAY_WRITE ENTRY_NONE PAGE_READ MKWRITE SHARED_WRITE",
		 "... at once");
	end();
}

static void test_shared_memory(void)
{
	static struct shmem_sb_info limit = { .max_blocks = 1 };

	begin();
	sim_shmem_limit = &limit;
	vm_mmap(NULL, page(0), 2 * PAGE_SIZE, RW, MAP_FIXED | MAP_SHARED | MAP_ANONYMOUS, 0);
	fault_is(page(0), SIM_WRITE, "AREA MAY_WRITE TABLES_3 ENTRY_NONE PAGE_ZEROS SHARED_WRITE",
		 "shared memory");
	fault_is(page(1), SIM_WRITE, "AREA MAY_WRITE ENTRY_NONE PAGE_ZEROS NO_ROOM",
		 "... of which there is no more");
	mm_clear_refs(mm, CLEAR_REFS_SOFT_DIRTY);
	fault_is(page(0), SIM_WRITE, "AREA MAY_WRITE ENTRY_READ_ONLY SHARED_WRITABLE",
		 "... when somebody wants to know of writes");
	end();
	sim_shmem_limit = NULL;
}

static struct page *special_pages[1];
static const struct vm_special_mapping special = { .name = "[special]",
						   .pages = special_pages,
						   .nr_pages = 1 };

static pfn_t device_pfn;

static unsigned int device_fault(struct vm_fault *vmf)
{
	return vmf_insert_pfn(vmf->vma, vmf->address, device_pfn);
}

static const struct vm_operations_struct device_ops = { .fault = device_fault };
static bool device_at_once;

static int device_mmap(struct vm_file *f, struct vm_area_struct *vma)
{
	if (device_at_once)
		return remap_pfn_range(vma, vma->vm_start, device_pfn, PAGE_SIZE,
				       vma->vm_page_prot);
	vma->vm_flags |= VM_PFNMAP;
	vma->vm_ops = &device_ops;
	return 0;
}

static void device_ref(struct vm_file *f)
{
}

static const struct vm_file_operations device_fops = { .get = device_ref,
						       .put = device_ref,
						       .mmap = device_mmap };

static void test_no_files(void)
{
	static struct vm_file device = { .vm_fops = &device_fops,
					 .vm_mode = VM_FILE_READ | VM_FILE_WRITE };
	struct page *frame = alloc_page(GFP_KERNEL);
	struct vm_area_struct *vma;

	begin();
	special_pages[0] = alloc_page(GFP_KERNEL);
	device_pfn = page_to_pfn(frame);
	device.mapping = &file.mapping;
	mmap_write_lock(mm);
	vma = install_special_mapping(mm, page(0), 2 * PAGE_SIZE, VM_READ | VM_MAYREAD, &special);
	mmap_write_unlock(mm);
	ok(!IS_ERR(vma), "a special mapping");
	fault_is(page(0), SIM_READ, "AREA MAY_READ TABLES_3 ENTRY_NONE KERNEL_PAGE MAP_PAGE",
		 "...");
	fault_is(page(1), SIM_READ, "AREA MAY_READ ENTRY_NONE NO_PAGE_BEHIND",
		 "... behind its end");
	vm_mmap(&device, page(10), PAGE_SIZE, RW, MAP_FIXED | MAP_SHARED, 0);
	fault_is(page(10), SIM_WRITE, "AREA MAY_WRITE ENTRY_NONE MAP_DEVICE", "a device, by fault");
	device_at_once = true;
	vm_mmap(&device, page(20), 2 * PAGE_SIZE, RW, MAP_FIXED | MAP_SHARED, 0);
	fault_is(page(21), SIM_READ, "AREA MAY_READ ENTRY_NONE NO_PAGE_BEHIND",
		 "what a driver has left out");
	vm_mmap(&device, page(30), PAGE_SIZE, RW, MAP_FIXED | MAP_PRIVATE, 0);
	fault_is(page(30), SIM_WRITE, "AREA MAY_WRITE ENTRY_READ_ONLY COPY_DEVICE",
		 "a device in a private area");
	end();
	free_page(special_pages[0]);
	free_page(frame);
}

/* --- stacks ---------------------------------------------------------------------------------- */

#define NO_STACK(why) "BELOW_STACK " why

static void test_stacks(void)
{
	const unsigned long wall = TOP - 400 * PAGE_SIZE;
	struct mm_rlimit *limit = sim_rlimits;

	begin();
	mm_setup_stack(mm, TOP, 0);
	vm_mmap(NULL, wall - PAGE_SIZE, PAGE_SIZE, PROT_READ, FIXED, 0);
	fault_is(TOP - 2 * PAGE_SIZE, SIM_WRITE,
		 "BELOW_STACK STACK_GROWS MAY_WRITE TABLES_3 ENTRY_NONE FRESH_PAGE",
		 "a stack grows");
	fault_is(wall, SIM_READ, NO_STACK("STACK_GAP"), "... not into its gap");
	limit[MM_RLIMIT_STACK].cur = 8 * PAGE_SIZE;
	fault_is(TOP - 10 * PAGE_SIZE, SIM_READ, NO_STACK("STACK_RLIMIT"), "... RLIMIT_STACK");
	limit[MM_RLIMIT_STACK].cur = ~0UL;
	limit[MM_RLIMIT_AS].cur = 4 * PAGE_SIZE;
	fault_is(TOP - 10 * PAGE_SIZE, SIM_READ, NO_STACK("STACK_AS"), "... RLIMIT_AS");
	limit[MM_RLIMIT_AS].cur = ~0UL;
	sysctl_overcommit_memory = OVERCOMMIT_NEVER;
	sysctl_overcommit_ratio = 0;
	fault_is(TOP - 10 * PAGE_SIZE, SIM_READ, NO_STACK("STACK_OVERCOMMIT"), "... promises");
	sysctl_overcommit_memory = OVERCOMMIT_GUESS;
	sysctl_overcommit_ratio = 50;
	vm_mlock(TOP - PAGE_SIZE, PAGE_SIZE, 0);
	vm_mlock(TOP - 2 * PAGE_SIZE, PAGE_SIZE, 0);
	sim_privileged = false;
	limit[MM_RLIMIT_MEMLOCK].cur = 2 * PAGE_SIZE;
	fault_is(TOP - 10 * PAGE_SIZE, SIM_READ, NO_STACK("STACK_MEMLOCK"), "... RLIMIT_MEMLOCK");
	sim_privileged = true;
	end();

	begin();
	mm_setup_stack(mm, sysctl_mmap_min_addr + 3 * PAGE_SIZE, 0);
	fault_is(sysctl_mmap_min_addr - 1, SIM_READ, NO_STACK("STACK_MIN_ADDR"),
		 "... the lowest address");
	end();

	begin();
	vm_mmap(NULL, page(0), PAGE_SIZE, RW, FIXED | MAP_GROWSDOWN, 0);
	find_vma(mm, page(0))->vm_pgoff = 5;
	fault_is(page(0) - 6 * PAGE_SIZE, SIM_READ, NO_STACK("STACK_PGOFF"), "... no numbers left");
	end();
}

/* --- no memory ------------------------------------------------------------------------------- */

static void test_no_memory(void)
{
	begin();
	map(0, 2, RW, NULL, 0);
	sim_poke(page(1), 1);
	sim_fail(SIM_FAIL_ALL, 1);
	is(do_user_fault(page(0), FAULT_FLAG_WRITE), FAULT_OOM, "no memory for a page");
	path_is("AREA MAY_WRITE ENTRY_NONE FRESH_PAGE NO_MEMORY", "...");
	is(do_user_fault(BASE + PUD_SIZE, FAULT_FLAG_WRITE), FAULT_NO_AREA, "no area");
	sim_fail(SIM_FAIL_NONE, 0);
	vm_mmap(NULL, BASE + PUD_SIZE, PAGE_SIZE, RW, FIXED, 0);
	sim_fail(SIM_FAIL_ALL, 1);
	is(do_user_fault(BASE + PUD_SIZE, 0), FAULT_OOM, "no memory for a table");
	path_is("AREA MAY_READ TABLES_2 NO_MEMORY", "...");
	sim_fail(SIM_FAIL_NONE, 0);
	end();
}

/* --- the ring -------------------------------------------------------------------------------- */

static void test_ring(void)
{
	struct fault_record records[FAULT_RECORDS];
	unsigned int n;

	begin();
	forget_faults(&sim_task);
	is(fault_records(&sim_task, records), 0, "nothing at first");
	map(0, 20, RW, NULL, 0);
	for (unsigned int i = 0; i < 3; i++)
		sim_poke(page(i), 1);
	n = fault_records(&sim_task, records);
	ok(n == 3 && records[0].address == page(2) && records[2].address == page(0),
	   "three, the newest first");
	ok(records[0].seq == 6 && records[2].seq == 2, "... numbered");
	ok(records[0].tsc >= records[2].tsc, "... in order of time");
	for (unsigned int i = 3; i < 13; i++)
		sim_poke(page(i), 1);
	n = fault_records(&sim_task, records);
	ok(n == FAULT_RECORDS && records[0].address == page(12) && records[7].address == page(5),
	   "the last eight are kept");
	is(records[7].verdict, FAULT_HANDLED, "... with how they ended");
	ok(records[0].pte_before == 0 && records[0].pte_after == pte_at(mm, page(12)).v,
	   "... and what became of the entry");
	/* One is written just now. */
	sim_task.faults.records[12 % FAULT_RECORDS].seq--;
	n = fault_records(&sim_task, records);
	ok(n == FAULT_RECORDS - 1 && records[0].address == page(11),
	   "one that is being written is passed over");
	forget_faults(&sim_task);
	is(fault_records(&sim_task, records), 0, "all can be forgotten");
	end();
}

static void test_text(void)
{
	struct fault_record r = {
		.seq = 34,
		.tsc = 99,
		.address = 0x1234,
		.ip = 0x401000,
		.pte_before = 0x25,
		.pte_after = 0x8000000000001867,
		.tid = 7,
		.error = 7,
		.cpu = 3,
	};
	char text[FAULT_TEXT_MAX];
	size_t longest = 0;

	r.path = fault_path_add(fault_path_add(0, STEP_AREA), STEP_NOT_WRITABLE);
	show_fault_record(&r, true, text, sizeof(text));
	if (!ok(strcmp(text, "fault 17 tid 7 cpu 3 tsc 99 error 0x7 user write 0x1234 ip 0x401000\n"
			     "  pte               0x0000000000000025 -> 0x8000000000001867\n"
			     "  AREA              an area holds the address\n"
			     "  NOT_WRITABLE      the area there is not writable\n") == 0,
		"a record as text"))
		printf("# %s", text);
	show_fault_record(&r, false, text, sizeof(text));
	ok(strstr(text, "  pte               0x0000000000000025 -> 0x8000000000000867\n") != NULL,
	   "... without the frames' numbers");
	r.error = 0x10;
	r.pte_before = r.pte_after = 0;
	show_fault_record(&r, true, text, sizeof(text));
	ok(strncmp(text, "fault 17 tid 7 cpu 3 tsc 99 error 0x10 kernel execute 0x1234 ", 61) ==
			   0 &&
		   !strstr(text, "pte "),
	   "... of the kernel's, with no entry");
	for (unsigned int step = 1; step < NR_FAULT_STEPS; step++)
		longest = max(longest, strlen(fault_step_text[step]));
	ok(FAULT_PATH_MAX * (longest + 22) + 256 < FAULT_TEXT_MAX, "any record has room");
	is(show_fault_record(&r, true, text, 20), 19, "where there is less, it is cut");
	is((long)fault_path_len(~0UL), FAULT_PATH_MAX, "the longest path");
}

int main(void)
{
	struct sim_usage start, left;

	sim_boot_default();
	start = sim_usage();
	test_anonymous();
	test_rights();
	test_fork();
	test_files();
	test_shared_memory();
	test_no_files();
	test_stacks();
	test_no_memory();
	test_ring();
	test_text();
	left = sim_usage();
	ok(sim_usage_same(&start, &left, true), "all of it given back");
	return done_testing();
}
