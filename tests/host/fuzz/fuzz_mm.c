/* SPDX-License-Identifier: MIT */
/*
 * mm/ under libFuzzer: the bytes of an input become a program of calls and accesses by up to four
 * processes with a few small files, on the simulated machine. After each step all pages must be as the
 * model has them, in the areas, in the page tables, in each TLB and in memory. Allocations fail and
 * limits are narrow when the input says so.
 *
 * A mismatch, a report of a sanitizer and a panic all end it, and libFuzzer keeps the input.
 */
#include <stdlib.h>

#include "tests/host/fuzz/ops.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static unsigned int limited; /* so many operations until all limits are open again */

static void op_limit(void)
{
	unsigned int how = byte() % 4, room = byte() % 8;

	say("limit %u, room %u", how, room);
	limited = 4;
	sim_privileged = false;
	if (how == 0)
		sim_rlimits[MM_RLIMIT_AS].cur = (prog->mm->total_vm + room) << PAGE_SHIFT;
	else if (how == 1)
		sim_rlimits[MM_RLIMIT_DATA].cur = (prog->mm->data_vm + room) << PAGE_SHIFT;
	else
		sim_rlimits[MM_RLIMIT_MEMLOCK].cur =
			how == 2 ? 0 : (prog->mm->locked_vm + room) << PAGE_SHIFT;
}

static void open_limits(void)
{
	sim_privileged = true;
	for (size_t i = 0; i < ARRAY_SIZE(sim_rlimits); i++)
		sim_rlimits[i].cur = ~0UL;
}

static void (*const ops[])(void) = {
	op_mmap,
	op_mmap,
	op_mmap,
	op_mmap,
	op_munmap,
	op_mprotect,
	op_mprotect,
	op_brk,
	op_mremap,
	op_mremap,
	op_mremap,
	op_resize,
	op_mlock,
	op_mlockall,
	op_fork,
	op_dontneed,
	op_advise_fork,
	op_invisible,
	op_remove,
	op_exit,
	op_switch,
	op_switch,
	op_truncate,
	op_punch,
	op_file_io,
	op_gup,
	op_gup,
	op_touch,
	op_touch,
	op_touch,
	op_remap_file_pages,
};

static void one_step(void)
{
	unsigned int choice = byte();

	memset(touched, 0, sizeof(touched));
	may_fail = limited > 0;
	/* Of this one, an allocation fails. */
	if (choice >= 224) {
		unsigned int n = byte();

		may_fail = true;
		choice = byte();
		sim_fail((enum sim_fail)(SIM_FAIL_PAGE + n % 3), 1 + n / 3 % 24);
	}
	if (choice % 32 == ARRAY_SIZE(ops))
		op_limit();
	else
		ops[choice % 32]();
	sim_fail(SIM_FAIL_NONE, 0);
	if (limited && --limited == 0)
		open_limits();
}

static void begin_machine(void)
{
	static bool booted;

	if (!booted)
		sim_boot_default();
	booted = true;
	sim_set_cpu(0);
	memset(objects, 0, sizeof(objects));
	for (unsigned int i = 0; i < FILES; i++) {
		files[i] = shmem_file_setup("file", (FILE_PAGES - 2) * PAGE_SIZE, VM_NORESERVE);
		objects[i] = (struct object){ .refs = 1,
					      .pages = FILE_PAGES - 2,
					      .mapping = files[i]->mapping };
	}
	memset(programs, 0, sizeof(programs));
	prog = programs;
	nr_programs = 1;
	prog->mm = sim_new_mm();
	prog->mm->start_brk = prog->mm->brk = prog->brk = HEAP;
}

static void end_machine(void)
{
	open_limits();
	limited = 0;
	while (nr_programs > 1)
		op_exit();
	sim_exit_mm();
	for (unsigned int i = 0; i < FILES; i++)
		files[i]->vm_fops->put(files[i]);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct sim_usage start;
	static bool measured;
	struct sim_usage left;

	show = getenv("FUZZ_SHOW") != NULL;
	input = data;
	input_left = size;
	begin_machine();
	for (step = 0; input_left; step++) {
		one_step();
		check_all();
	}
	end_machine();
	left = sim_usage();
	if (measured)
		CHECK(sim_usage_same(&start, &left, false), "not all came back");
	start = left;
	measured = true;
	CHECK(sim_nr_cached(0, TASK_SIZE) == 0);
	return 0;
}
