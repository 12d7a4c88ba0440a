/* SPDX-License-Identifier: MIT */
/*
 * Exceptions and interrupts, in C. What a program does wrong becomes a signal and a line that says
 * why; what the kernel does wrong is a panic.
 */
#include <arch/trap.h>

#include <arch/asm.h>
#include <arch/cpu.h>
#include <arch/desc.h>
#include <arch/extable.h>
#include <arch/mmu.h>

#include "kernel/base/ksyms.h"
#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
#include "kernel/process/task.h"
#include "mm/fault.h"
#include "mm/vmalloc.h"

extern char entry_vectors[], entry_syscall[], entry_syscall32[];

DEFINE_PER_CPU(unsigned long, cpu_user_sp);
DEFINE_PER_CPU(unsigned long, entry_scratch);

unsigned long irq_counts[256];
static void (*irq_handlers[256])(void);

#define VECTOR_DE  0
#define VECTOR_DB  1
#define VECTOR_NMI 2
#define VECTOR_BP  3
#define VECTOR_OF  4
#define VECTOR_UD  6
#define VECTOR_NM  7
#define VECTOR_DF  8
#define VECTOR_NP  11
#define VECTOR_SS  12
#define VECTOR_GP  13
#define VECTOR_PF  14
#define VECTOR_MF  16
#define VECTOR_AC  17
#define VECTOR_MC  18
#define VECTOR_XM  19

/* Intel SDM volume 3A, table 6-1; and what Linux sends for each. */
static const struct {
	const char *name;
	int sig;
} exceptions[32] = {
	[VECTOR_DE] = { "divide error", SIGFPE },
	[VECTOR_DB] = { "debug exception", SIGTRAP },
	[VECTOR_NMI] = { "non-maskable interrupt", 0 },
	[VECTOR_BP] = { "breakpoint", SIGTRAP },
	[VECTOR_OF] = { "overflow", SIGSEGV },
	[5] = { "bound range exceeded", SIGSEGV },
	[VECTOR_UD] = { "invalid opcode", SIGILL },
	[VECTOR_NM] = { "device not available", SIGSEGV },
	[VECTOR_DF] = { "double fault", 0 },
	[9] = { "coprocessor segment overrun", SIGFPE },
	[10] = { "invalid TSS", SIGSEGV },
	[VECTOR_NP] = { "segment not present", SIGBUS },
	[VECTOR_SS] = { "stack-segment fault", SIGBUS },
	[VECTOR_GP] = { "general protection fault", SIGSEGV },
	[VECTOR_PF] = { "page fault", SIGSEGV },
	[15] = { "reserved exception 15", SIGSEGV },
	[VECTOR_MF] = { "x87 floating-point error", SIGFPE },
	[VECTOR_AC] = { "alignment check", SIGBUS },
	[VECTOR_MC] = { "machine check", 0 },
	[VECTOR_XM] = { "SIMD floating-point exception", SIGFPE },
	[20] = { "virtualization exception", SIGSEGV },
	[21] = { "control protection exception", SIGSEGV },
	[22] = { "reserved exception 22", SIGSEGV },
	[23] = { "reserved exception 23", SIGSEGV },
	[24] = { "reserved exception 24", SIGSEGV },
	[25] = { "reserved exception 25", SIGSEGV },
	[26] = { "reserved exception 26", SIGSEGV },
	[27] = { "reserved exception 27", SIGSEGV },
	[28] = { "hypervisor injection exception", SIGSEGV },
	[29] = { "VMM communication exception", SIGSEGV },
	[30] = { "security exception", SIGSEGV },
	[31] = { "reserved exception 31", SIGSEGV },
};

/* --- page faults ------------------------------------------------------------------------------- */

/* The error code: SDM volume 3A, section 4.7. */
#define PF_PRESENT BIT(0) /* the translation was there and forbade the access */
#define PF_WRITE   BIT(1)
#define PF_USER	   BIT(2)
#define PF_RSVD	   BIT(3)
#define PF_INSTR   BIT(4)

static const char *access_word(unsigned long error)
{
	return error & PF_INSTR ? "execute" : error & PF_WRITE ? "write" : "read";
}

static const char *verdict_words(enum fault_verdict verdict)
{
	switch (verdict) {
	case FAULT_HANDLED:
		return "handled";
	case FAULT_NO_AREA:
		return "no area is there";
	case FAULT_NOT_READABLE:
		return "the area there is not readable";
	case FAULT_NOT_WRITABLE:
		return "the area there is not writable";
	case FAULT_NOT_EXECUTABLE:
		return "the area there is not executable";
	case FAULT_STACK_LIMIT:
		return "no area is there, and the stack above may not grow so far";
	case FAULT_BUS:
		return "beyond the end of the file";
	case FAULT_OOM:
		return "out of memory";
	}
	return "?";
}

static unsigned int fault_flags(unsigned long error)
{
	return (error & PF_WRITE ? FAULT_FLAG_WRITE : 0) |
	       (error & PF_INSTR ? FAULT_FLAG_EXEC : 0) | (error & PF_USER ? FAULT_FLAG_USER : 0);
}

static void user_page_fault(struct pt_regs *regs, unsigned long addr, unsigned long error)
{
	enum fault_verdict verdict;

	if (error & PF_RSVD)
		panic_regs(regs, "reserved bit set in a page-table entry for %#lx", addr);
	/* The processor's own access for the program (to a descriptor, say) is no access of the program's. */
	if (!(error & PF_USER)) {
		printk("%s[%d]: the processor cannot read %#lx for it (ip %#lx sp %#lx error %#lx)\n",
		       current->comm, current->pid, addr, regs->ip, regs->sp, error);
		force_signal(SIGSEGV);
		return;
	}
	verdict = do_user_fault(addr, fault_flags(error));
	if (verdict == FAULT_HANDLED)
		return;
	printk("%s[%d]: cannot %s %#lx: %s (ip %#lx sp %#lx error %#lx)\n", current->comm,
	       current->pid, access_word(error), addr, verdict_words(verdict), regs->ip, regs->sp,
	       error);
	force_signal(verdict == FAULT_BUS ? SIGBUS : verdict == FAULT_OOM ? SIGKILL : SIGSEGV);
}

static bool in_program(void)
{
	return current_mm_task() && current_mm_task()->mm;
}

static void kernel_page_fault(struct pt_regs *regs, unsigned long addr, unsigned long error)
{
	/* Only the uaccess functions may touch user memory, and each such instruction has a fixup. */
	if (addr < TASK_SIZE && in_program() && extable_has(regs->ip) && !(error & PF_RSVD)) {
		if (do_user_fault(addr, fault_flags(error)) == FAULT_HANDLED)
			return;
	}
	if (fixup_exception(regs))
		return;
	if (vmalloc_is_guard(addr))
		panic_regs(regs, "kernel stack overflow: guard page %#lx", addr);
	panic_regs(regs, "the kernel cannot %s %#lx (error %#lx)", access_word(error), addr, error);
}

static void handle_page_fault(struct pt_regs *regs)
{
	unsigned long addr = read_cr2(), error = regs->orig_ax;

	/* CR2 is read; from here on another fault may come. */
	if (regs->flags & X86_EFLAGS_IF)
		local_irq_enable();
	if (user_mode(regs))
		user_page_fault(regs, addr, error);
	else
		kernel_page_fault(regs, addr, error);
	local_irq_disable();
}

/* --- the other exceptions --------------------------------------------------------------------------- */

static void handle_exception(struct pt_regs *regs, unsigned int vector)
{
	if (!user_mode(regs)) {
		if (fixup_exception(regs))
			return;
		panic_regs(regs, "%s in the kernel (error %#lx)", exceptions[vector].name,
			   regs->orig_ax);
	}
	local_irq_enable();
	/* A debugger's own traps are no accident worth a line. */
	if (vector != VECTOR_DB && vector != VECTOR_BP)
		printk("%s[%d]: %s (ip %#lx sp %#lx error %#lx)\n", current->comm, current->pid,
		       exceptions[vector].name, regs->ip, regs->sp, regs->orig_ax);
	force_signal(exceptions[vector].sig);
	local_irq_disable();
}

static void handle_irq(unsigned int vector)
{
	irq_counts[vector]++;
	if (irq_handlers[vector])
		irq_handlers[vector]();
	else
		pr_warn("interrupt %#x, which nobody asked for\n", vector);
}

void set_irq_handler(unsigned int vector, void (*handler)(void))
{
	irq_handlers[vector] = handler;
}

/* From entry.S, interrupts off; returns with them off. */
void handle_trap(struct pt_regs *regs, unsigned long vector)
{
	if (vector == VECTOR_PF)
		handle_page_fault(regs);
	else if (vector >= 32)
		handle_irq((unsigned int)vector);
	else
		handle_exception(regs, (unsigned int)vector);
}

/* On an IST stack: nothing here may sleep or touch what was interrupted. */
void handle_paranoid_trap(struct pt_regs *regs, unsigned long vector)
{
	irq_counts[vector]++;
	switch (vector) {
	case VECTOR_NMI:
		return; /* counted; nothing here uses it yet */
	case VECTOR_DF:
		if (vmalloc_is_guard(read_cr2()))
			panic_regs(regs, "kernel stack overflow: guard page %#lx", read_cr2());
		panic_regs(regs, "double fault");
	case VECTOR_MC:
		panic_regs(regs, "machine check");
	case VECTOR_DB:
		/*
		 * In the kernel: single-stepping that came along from user mode with SYSENTER-like
		 * tricks, or a breakpoint on data. Clear TF so that we get on.
		 */
		regs->flags &= ~X86_EFLAGS_TF;
		return;
	}
	panic_regs(regs, "unexpected vector %lu on an interrupt stack", vector);
}

/* --- back to user mode --------------------------------------------------------------------------------- */

/* From entry.S, interrupts off; returns with them off and nothing left to do. */
void exit_to_user_mode_work(struct pt_regs *regs)
{
	u32 work;

	while ((work = READ_ONCE(current->se.work) & WORK_EXIT_MASK)) {
		local_irq_enable();
		if (work & WORK_RESCHED)
			schedule();
		if (work & WORK_SIGNAL)
			do_signal();
		if (work & WORK_IRET)
			se_clear_work(&current->se, WORK_IRET);
		local_irq_disable();
	}
}

/* --- setting up ------------------------------------------------------------------------------------------- */

void trap_init(void)
{
	for (unsigned int v = 0; v < 256; v++)
		idt_set_gate(v, entry_vectors + 16 * v, 0, v == VECTOR_BP || v == VECTOR_OF);
	idt_set_gate(VECTOR_DF, entry_vectors + 16 * VECTOR_DF, IST_DF, false);
	idt_set_gate(VECTOR_NMI, entry_vectors + 16 * VECTOR_NMI, IST_NMI, false);
	idt_set_gate(VECTOR_MC, entry_vectors + 16 * VECTOR_MC, IST_MCE, false);
	idt_set_gate(VECTOR_DB, entry_vectors + 16 * VECTOR_DB, IST_DB, false);
	idt_load();
}

void syscall_init(void)
{
	/* SDM volume 3A, section 5.8.8. SYSRET to 64-bit mode loads CS = base + 16, SS = base + 8. */
	wrmsr(MSR_STAR, (u64)USER32_CS << 48 | (u64)KERNEL_CS << 32);
	wrmsr(MSR_LSTAR, (u64)entry_syscall);
	wrmsr(MSR_CSTAR, (u64)entry_syscall32);
	wrmsr(MSR_SYSCALL_MASK, X86_EFLAGS_TF | X86_EFLAGS_IF | X86_EFLAGS_DF | X86_EFLAGS_NT |
					X86_EFLAGS_AC | 0x3000 /* IOPL */ | BIT(16) /* RF */);
}
