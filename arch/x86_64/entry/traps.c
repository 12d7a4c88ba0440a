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
#include <arch/fpu.h>
#include <arch/mmu.h>
#include <arch/signal.h>
#include <arch/smp.h>
#include <arch/switch.h>

#include "kernel/base/context.h"
#include "kernel/base/ksyms.h"
#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
#include "kernel/process/task.h"
#include "mm/fault.h"
#include "mm/vmalloc.h"

extern char entry_vectors[], entry_syscall[], entry_syscall32[];

DEFINE_PER_CPU(unsigned long, cpu_user_sp);
DEFINE_PER_CPU(unsigned long, entry_scratch);

DEFINE_PER_CPU(unsigned int, irq_from_user);
static void (*irq_handlers[256])(void);

#define VECTOR_DE 0
#define VECTOR_DB 1
#define VECTOR_BP 3
#define VECTOR_OF 4
#define VECTOR_UD 6
#define VECTOR_NM 7
#define VECTOR_DF 8
#define VECTOR_NP 11
#define VECTOR_SS 12
#define VECTOR_GP 13
#define VECTOR_PF 14
#define VECTOR_MF 16
#define VECTOR_AC 17
#define VECTOR_MC 18
#define VECTOR_XM 19

/*
 * Intel SDM volume 3A, table 6-1; and what Linux sends for each. With a code, si_addr is the
 * instruction's; with none, si_code is SI_KERNEL and there is no address.
 */
static const struct {
	const char *name;
	int sig, code;
} exceptions[32] = {
	[VECTOR_DE] = { "divide error", SIGFPE, FPE_INTDIV },
	[VECTOR_DB] = { "debug exception", SIGTRAP, 0 },
	[VECTOR_NMI] = { "non-maskable interrupt", 0, 0 },
	[VECTOR_BP] = { "breakpoint", SIGTRAP, 0 },
	[VECTOR_OF] = { "overflow", SIGSEGV, 0 },
	[5] = { "bound range exceeded", SIGSEGV, 0 },
	[VECTOR_UD] = { "invalid opcode", SIGILL, ILL_ILLOPN },
	[VECTOR_NM] = { "device not available", SIGSEGV, 0 },
	[VECTOR_DF] = { "double fault", 0, 0 },
	[9] = { "coprocessor segment overrun", SIGFPE, 0 },
	[10] = { "invalid TSS", SIGSEGV, 0 },
	[VECTOR_NP] = { "segment not present", SIGBUS, 0 },
	[VECTOR_SS] = { "stack-segment fault", SIGBUS, 0 },
	[VECTOR_GP] = { "general protection fault", SIGSEGV, 0 },
	[VECTOR_PF] = { "page fault", SIGSEGV, 0 },
	[15] = { "reserved exception 15", SIGSEGV, 0 },
	[VECTOR_MF] = { "x87 floating-point error", SIGFPE, 0 },
	[VECTOR_AC] = { "alignment check", SIGBUS, 0 },
	[VECTOR_MC] = { "machine check", 0, 0 },
	[VECTOR_XM] = { "SIMD floating-point exception", SIGFPE, 0 },
	[20] = { "virtualization exception", SIGSEGV, 0 },
	[21] = { "control protection exception", SIGSEGV, 0 },
	[22] = { "reserved exception 22", SIGSEGV, 0 },
	[23] = { "reserved exception 23", SIGSEGV, 0 },
	[24] = { "reserved exception 24", SIGSEGV, 0 },
	[25] = { "reserved exception 25", SIGSEGV, 0 },
	[26] = { "reserved exception 26", SIGSEGV, 0 },
	[27] = { "reserved exception 27", SIGSEGV, 0 },
	[28] = { "hypervisor injection exception", SIGSEGV, 0 },
	[29] = { "VMM communication exception", SIGSEGV, 0 },
	[30] = { "security exception", SIGSEGV, 0 },
	[31] = { "reserved exception 31", SIGSEGV, 0 },
};

/* --- page faults ------------------------------------------------------------------------------- */

DEFINE_PER_CPU(u64, panic_fault_path);

static const char *access_word(unsigned long error)
{
	return error & PF_INSTR ? "execute" : error & PF_WRITE ? "write" : "read";
}

/*
 * Fetching from a page that isn't there yet brings it in as reading does; only when it is there, the
 * processor says that it may not be executed.
 */
static unsigned int fault_flags(unsigned long error)
{
	bool forbidden_fetch = (error & PF_INSTR) && (error & PF_PRESENT);

	return (error & PF_WRITE ? FAULT_FLAG_WRITE : 0) | (forbidden_fetch ? FAULT_FLAG_EXEC : 0) |
	       (error & PF_USER ? FAULT_FLAG_USER : 0);
}

/* What a handler's ucontext will say. */
static void note_trap(unsigned long nr, unsigned long error)
{
	current->last_trap.nr = nr;
	current->last_trap.error = error;
}

static void signal_page_fault(unsigned long addr, unsigned long error, enum fault_step end)
{
	note_trap(VECTOR_PF, error);
	current->last_trap.cr2 = addr;
	switch (end) {
	case STEP_KILLED:
		force_signal(SIGKILL);
		break;
	case STEP_BUS_ADRERR:
		force_signal_fault(SIGBUS, BUS_ADRERR, addr);
		break;
	case STEP_SEGV_MAPERR:
		force_signal_fault(SIGSEGV, SEGV_MAPERR, addr);
		break;
	default:
		force_signal_fault(SIGSEGV, SEGV_ACCERR, addr);
	}
}

/* How a fault ends for the program that can't be resolved; STEP_NONE: it was. */
static enum fault_step end_of(enum fault_verdict verdict)
{
	if (likely(verdict == FAULT_HANDLED))
		return STEP_NONE;
	switch (verdict) {
	case FAULT_OOM:
		return STEP_KILLED;
	case FAULT_BUS:
		return STEP_BUS_ADRERR;
	case FAULT_NO_AREA:
	case FAULT_STACK_LIMIT:
		return STEP_SEGV_MAPERR;
	default:
		return STEP_SEGV_ACCERR;
	}
}

static __always_inline void keep_record(unsigned long ip, unsigned long addr, unsigned long error,
					enum fault_verdict verdict)
{
	record_fault(current_mm_task(), addr, ip, error, verdict, current->pid);
}

/* A fault that do_user_fault() had nothing to do with: its path is these two steps. */
static void keep_steps(unsigned long ip, unsigned long addr, unsigned long error,
		       enum fault_step why, enum fault_step end)
{
	const u64 path = fault_path_add(why, end);

	/* Keeping it may fault, where the task is damaged: by then what the panic needs is noted. */
	if (end == STEP_PANIC)
		this_cpu_write(panic_fault_path, path);
	/* The first ones of all come before there is a task. */
	if (!current_mm_task())
		return;
	current_mm_task()->fault = (struct fault_note){ .path = path };
	keep_record(ip, addr, error, FAULT_NONE);
}

static void user_page_fault(struct pt_regs *regs, unsigned long addr, unsigned long error)
{
	enum fault_verdict verdict;
	enum fault_step why, end;
	int sig;

	if (error & PF_RSVD) {
		keep_steps(regs->ip, addr, error, STEP_RESERVED_BITS, STEP_PANIC);
		panic_regs(regs, "reserved bit set in a page-table entry for %#lx", addr);
	}
	/* The processor's own access for the program (to a descriptor, say) is no access of the program's. */
	if (!(error & PF_USER)) {
		keep_steps(regs->ip, addr, error, STEP_PROCESSOR_ACCESS, STEP_SEGV_KERNEL);
		printk("%s[%d]: cannot access %#lx: %s (ip %#lx sp %#lx error %#lx)\n",
		       current->comm, current->pid, addr, fault_step_text[STEP_PROCESSOR_ACCESS],
		       regs->ip, regs->sp, error);
		force_signal(SIGSEGV);
		return;
	}
	verdict = do_user_fault(addr, fault_flags(error));
	why = fault_path_last(current_mm_task()->fault.path);
	end = end_of(verdict);
	if (unlikely(end)) {
		note_fault_step(end);
		/* No program is to learn from the error code what is mapped in the kernel's half. */
		if (addr >= TASK_SIZE)
			error |= PF_PRESENT;
	}
	keep_record(regs->ip, addr, error, verdict);
	if (likely(!end))
		return;
	sig = verdict == FAULT_BUS ? SIGBUS : verdict == FAULT_OOM ? SIGKILL : SIGSEGV;
	if (signal_unhandled(sig))
		printk("%s[%d]: cannot %s %#lx: %s (ip %#lx sp %#lx error %#lx)\n", current->comm,
		       current->pid, access_word(error), addr, fault_step_text[why], regs->ip,
		       regs->sp, error);
	signal_page_fault(addr, error, end);
}

static bool in_program(void)
{
	return current_mm_task() && current_mm_task()->mm;
}

/* Why the kernel's own access failed, for which no area could help. */
static enum fault_step kernel_reason(unsigned long addr, unsigned long error)
{
	if (error & PF_RSVD)
		return STEP_RESERVED_BITS;
	if (addr < TASK_SIZE)
		return in_program() ? STEP_NOT_UACCESS : STEP_NO_PROGRAM;
	if (vmalloc_is_guard(addr))
		return STEP_GUARD_PAGE;
	if (!(error & PF_PRESENT))
		return STEP_NOT_MAPPED;
	if (error & PF_INSTR)
		return STEP_MAPPED_NO_EXEC;
	return error & PF_WRITE ? STEP_MAPPED_READ_ONLY : STEP_MAPPED_WELL;
}

/* Only the uaccess functions may touch user memory, and each such instruction has a fixup. */
static void uaccess_page_fault(struct pt_regs *regs, unsigned long addr, unsigned long error)
{
	const unsigned long ip = regs->ip;
	enum fault_verdict verdict = do_user_fault(addr, fault_flags(error));

	if (verdict != FAULT_HANDLED) {
		note_fault_step(STEP_EFAULT);
		BUG_ON(!fixup_exception(regs));
	}
	keep_record(ip, addr, error, verdict);
}

static void kernel_page_fault(struct pt_regs *regs, unsigned long addr, unsigned long error)
{
	const unsigned long ip = regs->ip;
	enum fault_step why;

	/* in_program() comes after the table, which the instruction isn't in that reads a damaged task. */
	if (addr < TASK_SIZE && extable_may_fault(regs->ip) && in_program() && !(error & PF_RSVD)) {
		uaccess_page_fault(regs, addr, error);
		return;
	}
	if (fixup_exception(regs)) {
		why = kernel_reason(addr, error);
		keep_steps(ip, addr, error, why == STEP_NOT_UACCESS ? STEP_NO_WAIT : why,
			   STEP_EFAULT);
		return;
	}
	/*
	 * Looking for the reason, keeping it, and the panic's own report may all fault again, where the
	 * running task is damaged: the second time nothing of the task is touched.
	 */
	if (this_cpu_read(panic_fault_path))
		panic_regs(regs, "the kernel cannot %s %#lx, on its way to a panic (error %#lx)",
			   access_word(error), addr, error);
	this_cpu_write(panic_fault_path, STEP_PANIC);
	why = kernel_reason(addr, error);
	keep_steps(ip, addr, error, why, STEP_PANIC);
	if (why == STEP_GUARD_PAGE)
		panic_regs(regs, "kernel stack overflow: guard page %#lx", addr);
	panic_regs(regs, "the kernel cannot %s %#lx: %s (error %#lx)", access_word(error), addr,
		   fault_step_text[why], error);
}

/* Not inlined: a debugger that waits for faults stops here, where CR2 is still the fault's. */
static noinline void handle_page_fault(struct pt_regs *regs, unsigned long error)
{
	unsigned long addr = read_cr2();

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

/* FPE_* for the exceptions of a floating-point unit; 0 when it has none to report. */
static int fpe_code(u32 raised)
{
	static const struct {
		u32 bits;
		int code;
	} codes[] = {
		{ 0x01, FPE_FLTINV }, { 0x04, FPE_FLTDIV }, { 0x08, FPE_FLTOVF },
		{ 0x12, FPE_FLTUND }, { 0x20, FPE_FLTRES },
	};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (raised & codes[i].bits)
			return codes[i].code;
	return 0;
}

static int debug_code(unsigned long dr6)
{
	return dr6 & DR6_STEP ? TRAP_TRACE : dr6 & DR6_TRAPS ? TRAP_HWBKPT : TRAP_BRKPT;
}

static void signal_exception(struct pt_regs *regs, unsigned int vector, unsigned long error,
			     int code)
{
	int sig = exceptions[vector].sig;

	/* A debugger's own traps are no accident worth a line. */
	if (vector != VECTOR_DB && vector != VECTOR_BP && signal_unhandled(sig))
		printk("%s[%d]: %s (ip %#lx sp %#lx error %#lx)\n", current->comm, current->pid,
		       exceptions[vector].name, regs->ip, regs->sp, error);
	note_trap(vector, error);
	if (vector == VECTOR_AC)
		force_signal_fault(sig, BUS_ADRALN, 0);
	else if (code)
		force_signal_fault(sig, code, regs->ip);
	else
		force_signal(sig);
}

static void handle_exception(struct pt_regs *regs, unsigned int vector, unsigned long error)
{
	int code = exceptions[vector].code;

	if (!user_mode(regs)) {
		if (fixup_exception(regs))
			return;
		panic_regs(regs, "%s in the kernel (error %#lx)", exceptions[vector].name, error);
	}
	if (vector == VECTOR_DB)
		code = debug_code(read_clear_dr6());
	if (vector == VECTOR_MF || vector == VECTOR_XM) {
		code = fpe_code(vector == VECTOR_MF ? fpu_exceptions_x87() : fpu_exceptions_simd());
		/* Nothing to report after all: an exception that came and went. */
		if (!code)
			return;
	}
	local_irq_enable();
	signal_exception(regs, vector, error, code);
	local_irq_disable();
}

/* => interrupts off, or the vector is the one that can come all the same */
static void count_irq(unsigned long vector)
{
	(*this_cpu_ptr(&irq_counts))[vector]++;
}

static void handle_irq(const struct pt_regs *regs, unsigned int vector)
{
	this_cpu_write(irq_from_user, user_mode(regs));
	count_irq(vector);
	irq_enter();
	if (irq_handlers[vector])
		irq_handlers[vector]();
	else
		pr_warn("interrupt %#x, which nobody asked for\n", vector);
	irq_exit();
}

void set_irq_handler(unsigned int vector, void (*handler)(void))
{
	irq_handlers[vector] = handler;
}

static noinline void handle_other_trap(struct pt_regs *regs, unsigned int vector,
				       unsigned long error)
{
	if (vector >= 32)
		handle_irq(regs, vector);
	else
		handle_exception(regs, vector, error);
}

/* From entry.S, interrupts off; returns with them off. error: the exception's error code, or 0. */
void handle_trap(struct pt_regs *regs, unsigned long vector, unsigned long error)
{
	if (vector == VECTOR_PF)
		handle_page_fault(regs, error);
	else
		handle_other_trap(regs, (unsigned int)vector, error);
}

/* On an IST stack: nothing here may sleep or touch what was interrupted. */
void handle_paranoid_trap(struct pt_regs *regs, unsigned long vector)
{
	count_irq(vector);
	switch (vector) {
	case VECTOR_NMI:
		smp_stop_self(regs);
		return; /* counted: it comes from elsewhere, and means nothing here */
	case VECTOR_DF:
		if (vmalloc_is_guard(read_cr2())) {
			this_cpu_write(panic_fault_path,
				       fault_path_add(STEP_GUARD_PAGE, STEP_PANIC));
			panic_regs(regs, "kernel stack overflow: guard page %#lx", read_cr2());
		}
		panic_regs(regs, "double fault");
	case VECTOR_MC:
		panic_regs(regs, "machine check");
	case VECTOR_DB:
		/*
		 * In the kernel: single-stepping that came along from user mode with SYSENTER-like
		 * tricks, or a breakpoint on data. Clear TF so that we get on.
		 */
		read_clear_dr6();
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
			do_signal(regs);
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
	enter_user_mode = return_to_user;
	/* SDM volume 3A, section 5.8.8. SYSRET to 64-bit mode loads CS = base + 16, SS = base + 8. */
	wrmsr(MSR_STAR, (u64)USER32_CS << 48 | (u64)KERNEL_CS << 32);
	wrmsr(MSR_LSTAR, (u64)entry_syscall);
	wrmsr(MSR_CSTAR, (u64)entry_syscall32);
	wrmsr(MSR_SYSCALL_MASK, X86_EFLAGS_TF | X86_EFLAGS_IF | X86_EFLAGS_DF | X86_EFLAGS_NT |
					X86_EFLAGS_AC | 0x3000 /* IOPL */ | BIT(16) /* RF */);
}
