/* SPDX-License-Identifier: MIT */
/*
 * The order in which things start. boot.S calls kernel_main() on the boot stack, with interrupts
 * off and its own page tables; when everything runs, that stack becomes the idle task, and pid 1
 * goes on from a kernel thread to user/init.
 */
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/desc.h>
#include <arch/fpu.h>
#include <arch/mmu.h>
#include <arch/power.h>
#include <arch/serial.h>
#include <arch/smp.h>
#include <arch/trap.h>
#include <arch/uaccess.h>

#include "kernel/base/cmdline.h"
#include "kernel/base/kasan.h"
#include "kernel/base/printk.h"
#include "kernel/base/stack_protector.h"
#include "kernel/base/string.h"
#include "kernel/fs/proc_trace.h"
#include "kernel/init/init.h"
#include "kernel/process/task.h"
#include "kernel/syscall/syscalls.h"
#include "mm/calls.h"
#include "mm/init.h"
#include "mm/page.h"

extern char __boot_start[], __kernel_end[], __text_start[], __rodata_start[], __data_start[];
extern char __percpu_load[], __percpu_size[], __percpu_others[], __percpu_others_end[];

static const struct boot_info *boot_info;

/* What isa-debug-exit is told after a panic: QEMU then exits with 2 * 0x55 + 1. */
#define PANIC_EXIT_VALUE 0x55

static void end_machine(int status)
{
	serial_flush();
	machine_exit(PANIC_EXIT_VALUE);
}

static struct panic_hook state_hook = { .show = show_kernel_state };

static void use_boot_info(const struct boot_info *info)
{
	if (!info)
		panic("the boot loader's information is unusable");
	boot_info = info;
	cmdline_init(info->cmdline);
	printk_set_quiet(cmdline_has("quiet"));
	if (info->truncated)
		pr_warn("parts of the boot loader's information were damaged or too long\n");
}

/* What of RAM is in use already. The first MiB is left to firmware. */
static void reserve_memory(void)
{
	memblock_init(boot_info);
	memblock_reserve(0, 1UL << 20);
	memblock_reserve((u64)__boot_start,
			 (u64)__kernel_end - KERNEL_IMAGE_BASE - (u64)__boot_start);
	for (unsigned int i = 0; i < boot_info->nr_modules; i++)
		memblock_reserve(boot_info->modules[i].start, boot_info->modules[i].size);
}

static void percpu_init(void)
{
	size_t size = (size_t)__percpu_size;

	/* Each begins as the image's own copy is now; which of the processors exist is not known yet. */
	BUG_ON((size_t)(__percpu_others_end - __percpu_others) != (NR_CPUS - 1) * size);
	per_cpu_offset[0] = (unsigned long)__percpu_load;
	for (int cpu = 1; cpu < NR_CPUS; cpu++) {
		char *area = __percpu_others + (size_t)(cpu - 1) * size;

		memcpy(area, __percpu_load, size);
		per_cpu_offset[cpu] = (unsigned long)area;
	}
	for (int cpu = 0; cpu < NR_CPUS; cpu++) {
		*per_cpu_ptr(&this_cpu_off, cpu) = per_cpu_offset[cpu];
		*per_cpu_ptr(&cpu_number, cpu) = cpu;
	}
}

static void cpu_init(void)
{
	cpu_init_features();
	uaccess_init();
	gdt_init();
	trap_init();
	syscall_init();
	fpu_init();
}

static void memory_init(void)
{
	const struct kernel_image image = {
		.text = (unsigned long)__text_start,
		.rodata = (unsigned long)__rodata_start,
		.data = (unsigned long)__data_start,
		.end = (unsigned long)__kernel_end,
	};

	reserve_memory();
	mm_paging_init(&image);
	mm_init();
}

static void greet(void)
{
	unsigned long mib = totalram_pages() >> (20 - PAGE_SHIFT);

	pr_info("Tessera, started by %s on %s\n", boot_info->loader, cpu_features.brand);
	pr_info("%lu MiB of RAM, %lu kHz clock\n", mib, (unsigned long)tsc_khz);
}

/* --- pid 1 ------------------------------------------------------------------------------------------- */

static const char *const environment[] = { "HOME=/", "PATH=/bin", "TERM=linux", NULL };

static int exec_program(void *path)
{
	const char *const argv[] = { path, NULL };
	int err = files_install_console(current->files);

	if (cmdline_has("strace"))
		se_set_work(&current->se, WORK_TRACE);
	if (!err)
		err = kernel_execve(path, argv, environment);
	printk("cannot run %s: error %d\n", (const char *)path, -err);
	return 127;
}

int run_program(const char *path)
{
	int pid = kernel_thread(exec_program, (void *)path, "init");
	const struct wait_opts opts = { .type = WAIT_ANY, .options = WEXITED | __WALL };
	struct wait_result res;
	long ret;

	if (pid < 0)
		return pid;
	/* Being pid 1, we are the parent of everybody who has lost theirs. */
	do
		ret = do_wait(&opts, &res);
	while (ret > 0 && ret != pid);
	return ret < 0 ? (int)ret : res.status;
}

static void unpack_initramfs(void)
{
	for (unsigned int i = 0; i < boot_info->nr_modules; i++) {
		const struct boot_module *m = &boot_info->modules[i];

		/* Of RAM the direct map shows every byte. */
		if (!memblock_is_ram(m->start) || !memblock_is_ram(m->start + m->size - 1))
			panic("module %u is not in RAM", i);
		if (initramfs_unpack(phys_to_virt(make_phys(m->start)), m->size))
			pr_warn("the initial file system was damaged\n");
		free_reserved_area(m->start, m->start + m->size);
	}
	if (!boot_info->nr_modules)
		pr_warn("no initial file system: the boot loader gave no module\n");
}

static void run_selftests(const char *which)
{
	int failed;

	if (!strcmp(which, "stack"))
		selftest_stack();
	if (!strcmp(which, "panic") || !strcmp(which, "panics"))
		selftest_panic(which[5] == 's');
	if (selftest_locks(which))
		panic("nobody noticed");
	if (selftest_ubsan(which) || selftest_kasan(which))
		machine_poweroff();
	printk("##begin selftest\n");
	failed = selftest_run();
	printk("##end selftest exit=%d\n##done\n", failed != 0);
	machine_poweroff();
}

/* What init left running is ended, and all of it ends as a child of ours. */
static void reap_orphans(void)
{
	const struct wait_opts opts = { .type = WAIT_ANY, .options = WEXITED | __WALL };
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct signal_struct *process;
	struct wait_result res;

	for_each_process(process)
	{
		if (process != init_process)
			send_signal(process->leader, SIGKILL);
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	while (do_wait(&opts, &res) > 0)
		;
	reap_dead_tasks();
}

/* Runs init as a child between two looks at what is free: what it leaves behind is a leak. */
static void run_leakcheck(const char *init)
{
	int status, leaks;

	reboot_is_exit = true;
	run_program("/bin/hello-musl");
	leakcheck_begin();
	status = run_program(init);
	reap_orphans();
	leaks = leakcheck_end();
	/* Whatever code the programs made for themselves. */
	if (cpu_features.nx && mm_count_kernel_wx_pages())
		panic("a page of the kernel has become writable and executable");
	printk("leakcheck: init ended with status %#x; %s\n", (unsigned int)status,
	       leaks ? "memory is missing" : "everything came back");
	if (leaks)
		panic("leakcheck: %d differences", leaks);
	machine_poweroff();
}

static int init_thread(void *unused)
{
	static char init[128] = "/init", which[32];

	smp_init();
	trace_boot_others();
	unpack_initramfs();
	cmdline_get("init", init, sizeof(init));
	if (cmdline_get("selftest", which, sizeof(which)) > 0)
		run_selftests(which);
	if (cmdline_has("leakcheck"))
		run_leakcheck(init);
	panic("init failed with status %d", exec_program(init));
}

/* Inlined, so that only functions which never return have seen the old one. */
static __always_inline void stack_protector_init(void)
{
	for (int cpu = 0; cpu < NR_CPUS; cpu++)
		per_cpu_ptr(&fixed_percpu, cpu)->stack_canary = new_stack_canary();
}

void kernel_main(const struct boot_info *info)
{
	kasan_init();
	percpu_init();
	kasan_percpu_init();
	stack_protector_init();
	machine_halt_hook = end_machine;
	if (serial_init() == 0)
		register_console(&serial_console);
	use_boot_info(info);
	cpu_init();
	spin_lock_choose(cpu_features.hypervisor);
	tsc_init();
	memory_init();
	syscall_trace_names();
	trace_boot();
	register_panic_hook(&state_hook);
	panic_stop_hook = smp_stop_others;
	process_init();
	devices_init(boot_info);
	greet();
	fs_init();
	process_register_proc();
	process_register_fs();
	vdso_init();
	if (kernel_thread(init_thread, NULL, "init") != 1)
		panic("no memory for the first task");
	sched_idle();
}
