/* SPDX-License-Identifier: MIT */
/* What a panic shows: registers, who called whom, the program's areas, the walk of the address. */
#include <arch/cpu.h>
#include <arch/mmu.h>
#include <arch/smp.h>
#include <arch/trap.h>

#include "kernel/base/kasan.h"
#include "kernel/base/ksyms.h"
#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
#include "kernel/process/task.h"
#include "mm/calls.h"
#include "mm/page.h"
#include "mm/vma.h"

#define MAX_FRAMES 32
#define MAX_AREAS  40

extern char __text_start[], __text_end[], boot_stack[], boot_stack_top[];

static void show_registers(const struct pt_regs *r)
{
	printk("RIP %04lx:%016lx  RSP %04lx:%016lx  RFLAGS %08lx\n", r->cs, r->ip, r->ss, r->sp,
	       r->flags);
	printk("RAX %016lx RBX %016lx RCX %016lx\n", r->ax, r->bx, r->cx);
	printk("RDX %016lx RSI %016lx RDI %016lx\n", r->dx, r->si, r->di);
	printk("RBP %016lx R8  %016lx R9  %016lx\n", r->bp, r->r8, r->r9);
	printk("R10 %016lx R11 %016lx R12 %016lx\n", r->r10, r->r11, r->r12);
	printk("R13 %016lx R14 %016lx R15 %016lx\n", r->r13, r->r14, r->r15);
}

static void show_control_registers(void)
{
	printk("CR0 %016lx CR2 %016lx CR3 %016lx CR4 %08lx\n", read_cr0(), read_cr2(), read_cr3(),
	       read_cr4());
}

static void show_address(unsigned long ip)
{
	unsigned long offset;
	const char *name = ksym_lookup(ip, &offset);

	if (name)
		printk("  %016lx %s+%#lx\n", ip, name, offset);
	else
		printk("  %016lx\n", ip);
}

static bool is_text(unsigned long addr)
{
	return addr >= (unsigned long)__text_start && addr < (unsigned long)__text_end;
}

/*
 * Whether a frame's two words may be read: mapped by the kernel's own tables, asked of them, since a
 * fault now would be a second panic.
 */
static bool is_readable(unsigned long addr)
{
	pgd_t pgd = kernel_pgd[pgd_index(addr)];
	pud_t pud;
	pmd_t pmd;

	if ((addr & 7) || addr < PAGE_OFFSET || !addr_is_canonical(addr) || !pgd_table(pgd))
		return false;
	pud = *pud_offset(pgd, addr);
	if (pud_leaf(pud) || !pud_table(pud))
		return pud_leaf(pud);
	pmd = *pmd_offset(pud, addr);
	if (pmd_leaf(pmd) || !pmd_table(pmd))
		return pmd_leaf(pmd);
	return pte_present(*pte_offset(pmd, addr));
}

/* The words of a frame belong to no variable. */
static __no_kasan void show_backtrace(unsigned long ip, unsigned long bp)
{
	printk("Backtrace:\n");
	if (ip)
		show_address(ip);
	for (int i = 0; i < MAX_FRAMES && is_readable(bp) && is_readable(bp + 8); i++) {
		const unsigned long *frame = (const unsigned long *)bp;

		if (!is_text(frame[1]))
			break;
		/* The return address lies behind the call; the call itself is what to name. */
		show_address(frame[1] - 1);
		if (frame[0] <= bp)
			break;
		bp = frame[0];
	}
}

static void show_program(void)
{
	const struct task_struct *task = current;
	struct mm_struct *mm = current_mm_task() ? current_mm_task()->mm : NULL;
	struct vm_area_struct *vma;
	static char line[512];
	int n = 0;

	if (!mm) {
		printk("No program was running.\n");
		return;
	}
	printk("Running: %s[%d]. Its areas:\n", task->comm, task->pid);
	for_each_vma(mm, vma)
	{
		if (++n > MAX_AREAS) {
			printk("  ...\n");
			break;
		}
		show_map_vma(vma, line, sizeof(line));
		printk("  %s", line);
	}
}

/* Why the fault came that led to the panic, if one did. */
static void show_reason(void)
{
	static char text[512];
	const u64 path = this_cpu_read(panic_fault_path);

	if (!path)
		return;
	show_fault_path(path, text, sizeof(text));
	printk("The fault:\n%s", text);
}

static void show_walk(unsigned long addr)
{
	static char text[1024];
	phys_addr_t pgd = mmu_current_pgd();

	if (!addr)
		return;
	show_page_walk(phys_to_virt(pgd), addr, text, sizeof(text));
	printk("Page walk of CR2:\n%s", text);
}

static void show_this_cpu(const struct pt_regs *regs)
{
	if (num_online_cpus() > 1)
		printk("CPU %d:\n", smp_processor_id());
	if (regs) {
		show_registers(regs);
		show_control_registers();
		show_backtrace(regs->ip, regs->bp);
	} else {
		show_control_registers();
		show_backtrace(0, (unsigned long)__builtin_frame_address(0));
	}
	show_program();
	show_reason();
	if (regs)
		show_walk(read_cr2());
}

/* A stack in the program's half, when it was stopped there, is not followed. */
static void show_stopped_cpu(unsigned int cpu)
{
	const struct smp_stopped *stopped = per_cpu_ptr(&smp_stopped, cpu);
	struct sched_entity *se = *per_cpu_ptr(&current_se, cpu);
	const struct task_struct *task = se && se->fpu ? (struct task_struct *)se : NULL;
	const char *late = panic_late_text(cpu);

	printk("CPU %u:\n", cpu);
	if (*late)
		printk("It panicked too: %s\n", late);
	if (!stopped->regs) {
		printk("It did not stop.\n");
		return;
	}
	show_registers(stopped->regs);
	printk("CR2 %016lx CR3 %016lx\n", stopped->cr2, stopped->cr3);
	show_backtrace(stopped->regs->ip, stopped->regs->bp);
	if (task)
		printk("Running: %s[%d].\n", task->comm, task->pid);
}

void show_kernel_state(const struct pt_regs *regs)
{
	unsigned int cpu;

	show_this_cpu(regs);
	for_each_online_cpu(cpu) if (cpu != (unsigned int)smp_processor_id()) show_stopped_cpu(cpu);
}
