/* SPDX-License-Identifier: MIT */
/*
 * What a handler is told about an exception: si_code, si_addr, and in the ucontext the trap number,
 * the error code, CR2 and the place. And when no handler is called after all.
 */
#include "signals.h"

enum { TRAP_DE = 0, TRAP_DB = 1, TRAP_BP = 3, TRAP_UD = 6, TRAP_GP = 13, TRAP_PF = 14 };

/* The error code of a page fault: Intel SDM volume 3, section 4.7. */
enum { PRESENT = 1, WRITE = 2, USER = 4, FETCH = 16 };

extern char read_insn[], write_insn[], divide_insn[], undefined_insn[], break_after[], halt_insn[],
	step_insn[], vector_insn[];

__attribute__((noinline, noclone)) static void read_at(unsigned long addr)
{
	__asm__ volatile(".globl read_insn\nread_insn:\tmovb (%0), %%al" : : "r"(addr) : "rax");
}

__attribute__((noinline, noclone)) static void write_at(unsigned long addr)
{
	__asm__ volatile(".globl write_insn\nwrite_insn:\tmovb $1, (%0)" : : "r"(addr) : "memory");
}

__attribute__((noinline, noclone)) static void read8_at(unsigned long addr)
{
	__asm__ volatile("movq (%0), %%rax" : : "r"(addr) : "rax");
}

__attribute__((noinline, noclone)) static void jump_to(unsigned long addr)
{
	((void (*)(void))addr)();
}

__attribute__((noinline, noclone)) static void divide(unsigned long by)
{
	__asm__ volatile("xor %%edx, %%edx\n.globl divide_insn\ndivide_insn:\tdivq %0"
			 :
			 : "r"(by), "a"(1L)
			 : "rdx", "cc");
}

__attribute__((noinline, noclone)) static void undefined(unsigned long unused)
{
	(void)unused;
	__asm__ volatile(".globl undefined_insn\nundefined_insn:\tud2");
}

__attribute__((noinline, noclone)) static void breakpoint(unsigned long unused)
{
	(void)unused;
	__asm__ volatile("int3\n.globl break_after\nbreak_after:\tnop");
}

__attribute__((noinline, noclone)) static void halt(unsigned long unused)
{
	(void)unused;
	__asm__ volatile(".globl halt_insn\nhalt_insn:\thlt");
}

__attribute__((noinline, noclone)) static void vector(unsigned long unused)
{
	(void)unused;
	__asm__ volatile(".globl vector_insn\nvector_insn:\tint $0");
}

__attribute__((noinline, noclone)) static void step(unsigned long unused)
{
	(void)unused;
	__asm__ volatile("sub $128, %%rsp\n\tpushf\n\torq $0x100, (%%rsp)\n\tpopf\n\tnop\n"
			 ".globl step_insn\nstep_insn:\tadd $128, %%rsp"
			 :
			 :
			 : "memory", "cc");
}

#define ANY (~0UL)

static void expect(const char *what, void (*fn)(unsigned long), unsigned long arg, int sig,
		   int code, unsigned long addr, unsigned long trapno, unsigned long err,
		   unsigned long ip)
{
	memset(&seen, 0, sizeof(seen));
	if (!sigsetjmp(escape, 1))
		fn(arg);
	is(seen.count, 1, "%s: a handler was called", what);
	is(seen.signo, sig, "%s: si_signo", what);
	is(seen.code, code, "%s: si_code", what);
	is(seen.err_no, 0, "%s: si_errno", what);
	is(seen.addr, addr, "%s: si_addr", what);
	is(seen.gregs[REG_TRAPNO], trapno, "%s: trapno", what);
	is(seen.gregs[REG_ERR], err, "%s: err", what);
	if (trapno == TRAP_PF)
		is(seen.gregs[REG_CR2], addr, "%s: cr2", what);
	if (ip != ANY)
		is(seen.gregs[REG_RIP], ip, "%s: rip", what);
}

#define PLACE(label) ((unsigned long)(label))

static void page_faults(void)
{
	unsigned long read_ip = PLACE(read_insn), write_ip = PLACE(write_insn), p, hole;
	unsigned long kernel = 0xffff888000001234;

	expect("null read", read_at, 0x10, SIGSEGV, SEGV_MAPERR, 0x10, TRAP_PF, USER, read_ip);
	expect("null write", write_at, 0x18, SIGSEGV, SEGV_MAPERR, 0x18, TRAP_PF, USER | WRITE,
	       write_ip);
	expect("null jump", jump_to, 0, SIGSEGV, SEGV_MAPERR, 0, TRAP_PF, USER | FETCH, 0);

	p = (unsigned long)island(1, RW);
	*(volatile char *)p = 1;
	hole = p + PAGE;
	expect("hole read", read_at, hole + 123, SIGSEGV, SEGV_MAPERR, hole + 123, TRAP_PF, USER,
	       read_ip);
	expect("hole write", write_at, hole + PAGE - 1, SIGSEGV, SEGV_MAPERR, hole + PAGE - 1,
	       TRAP_PF, USER | WRITE, write_ip);
	expect("read across the end", read8_at, hole - 4, SIGSEGV, SEGV_MAPERR, hole, TRAP_PF, USER,
	       ANY);

	p = (unsigned long)fresh(1, PROT_NONE);
	expect("PROT_NONE read", read_at, p + 5, SIGSEGV, SEGV_ACCERR, p + 5, TRAP_PF, USER,
	       read_ip);
	expect("PROT_NONE write", write_at, p + 6, SIGSEGV, SEGV_ACCERR, p + 6, TRAP_PF,
	       USER | WRITE, write_ip);

	p = (unsigned long)fresh(1, PROT_READ);
	expect("write to untouched PROT_READ", write_at, p, SIGSEGV, SEGV_ACCERR, p, TRAP_PF,
	       USER | WRITE, write_ip);
	read_at(p);
	expect("write to touched PROT_READ", write_at, p + 1, SIGSEGV, SEGV_ACCERR, p + 1, TRAP_PF,
	       USER | WRITE | PRESENT, write_ip);
	expect("write to text", write_at, read_ip, SIGSEGV, SEGV_ACCERR, read_ip, TRAP_PF,
	       USER | WRITE | PRESENT, write_ip);

	p = (unsigned long)fresh(1, RW);
	expect("jump to untouched data", jump_to, p, SIGSEGV, SEGV_ACCERR, p, TRAP_PF,
	       USER | FETCH | PRESENT, p);
	write_at(p + 16);
	expect("jump to touched data", jump_to, p + 16, SIGSEGV, SEGV_ACCERR, p + 16, TRAP_PF,
	       USER | FETCH | PRESENT, p + 16);

	/* Nothing shows whether the kernel has something there. */
	expect("kernel read", read_at, kernel, SIGSEGV, SEGV_MAPERR, kernel, TRAP_PF,
	       USER | PRESENT, read_ip);
	expect("kernel write", write_at, kernel, SIGSEGV, SEGV_MAPERR, kernel, TRAP_PF,
	       USER | WRITE | PRESENT, write_ip);
	expect("read at the end of user space", read_at, TASK_SIZE, SIGSEGV, SEGV_MAPERR, TASK_SIZE,
	       TRAP_PF, USER | PRESENT, read_ip);
}

static void bus_error(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	off_t end = lseek(fd, 0, SEEK_END);
	unsigned long pages = (end + PAGE - 1) / PAGE + 1, p;

	p = (unsigned long)mmap(NULL, pages * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	p += (pages - 1) * PAGE + 77;
	expect("read past the end of a file", read_at, p, SIGBUS, BUS_ADRERR, p, TRAP_PF, USER,
	       PLACE(read_insn));
}

static void other_exceptions(void)
{
	unsigned long cr2;

	expect("before", read_at, 0x20, SIGSEGV, SEGV_MAPERR, 0x20, TRAP_PF, USER, ANY);
	expect("non-canonical read", read_at, 0x0000800000000000, SIGSEGV, SI_KERNEL_CODE, 0,
	       TRAP_GP, 0, PLACE(read_insn));
	cr2 = seen.gregs[REG_CR2];
	is(cr2, 0x20, "cr2 is still the last page fault's");
	expect("non-canonical write", write_at, 0xdead000000000000, SIGSEGV, SI_KERNEL_CODE, 0,
	       TRAP_GP, 0, PLACE(write_insn));
	expect("non-canonical jump", jump_to, 0x0000800000000000, SIGSEGV, SI_KERNEL_CODE, 0,
	       TRAP_GP, 0, ANY);
	expect("hlt", halt, 0, SIGSEGV, SI_KERNEL_CODE, 0, TRAP_GP, 0, PLACE(halt_insn));
	expect("int $0", vector, 0, SIGSEGV, SI_KERNEL_CODE, 0, TRAP_GP, 2, PLACE(vector_insn));
	expect("division by zero", divide, 0, SIGFPE, FPE_INTDIV, PLACE(divide_insn), TRAP_DE, 0,
	       PLACE(divide_insn));
	expect("ud2", undefined, 0, SIGILL, ILL_ILLOPN, PLACE(undefined_insn), TRAP_UD, 0,
	       PLACE(undefined_insn));
	expect("int3", breakpoint, 0, SIGTRAP, SI_KERNEL_CODE, 0, TRAP_BP, 0, PLACE(break_after));
	expect("the trap flag", step, 0, SIGTRAP, TRAP_TRACE, PLACE(step_insn), TRAP_DB, 0,
	       PLACE(step_insn));
	ok(seen.gregs[REG_EFL] & 0x100, "the trap flag is in the saved flags");
}

/* A signal that somebody sends shows what the last exception left. */
static void sent_after_fault(void)
{
	expect("a fault", read_at, 0x30, SIGSEGV, SEGV_MAPERR, 0x30, TRAP_PF, USER, ANY);
	catch_with(SIGUSR1, note_signal, 0, 0);
	memset(&seen, 0, sizeof(seen));
	send_self(SIGUSR1);
	is(seen.signo, SIGUSR1, "then SIGUSR1");
	is(seen.gregs[REG_TRAPNO], TRAP_PF, "its trapno is the fault's");
	is(seen.gregs[REG_CR2], 0x30, "its cr2 too");
}

/* --- in children: what ends them ----------------------------------------------------------- */

static int blocked_mode(int argc, char **argv)
{
	(void)argc, (void)argv;
	catch_with(SIGSEGV, note_and_escape, 0, 0);
	block(BIT_OF(SIGSEGV));
	if (!sigsetjmp(escape, 0))
		read_at(0);
	return 1;
}

static int ignored_mode(int argc, char **argv)
{
	(void)argc, (void)argv;
	set_plain(SIGSEGV, SIG_IGN);
	read_at(0);
	return 1;
}

static void fault_again(int sig, siginfo_t *info, void *context)
{
	note_signal(sig, info, context);
	if (seen.count < 3)
		read_at(seen.count);
	_exit(40 + seen.count);
}

static int nested_mode(int argc, char **argv)
{
	(void)argc, (void)argv;
	catch_with(SIGSEGV, fault_again, 0, 0);
	read_at(0);
	return 1;
}

static int nodefer_mode(int argc, char **argv)
{
	(void)argc, (void)argv;
	catch_with(SIGSEGV, fault_again, SA_NODEFER, 0);
	read_at(0);
	return 1;
}

/* The fault comes again after the handler, which is there for the first time only. */
static int resethand_mode(int argc, char **argv)
{
	(void)argc, (void)argv;
	catch_with(SIGSEGV, note_signal, SA_RESETHAND, 0);
	read_at(0);
	return 1;
}

static int no_restorer_mode(int argc, char **argv)
{
	struct raw_sigaction act = { .handler = (void *)note_signal, .flags = SA_SIGINFO };

	(void)argc, (void)argv;
	raw_sigaction(SIGUSR1, &act, NULL);
	send_self(SIGUSR1);
	return 1;
}

/* The SIGSEGV that a bad frame causes has a handler of its own, with a frame that can be made. */
static int no_restorer_handled_mode(int argc, char **argv)
{
	struct raw_sigaction act = { .handler = (void *)note_signal, .flags = SA_SIGINFO };

	(void)argc, (void)argv;
	catch_with(SIGSEGV, note_and_escape, 0, 0);
	raw_sigaction(SIGUSR1, &act, NULL);
	if (!sigsetjmp(escape, 1))
		send_self(SIGUSR1);
	return seen.signo == SIGSEGV && seen.code == SI_KERNEL_CODE && seen.addr == 0 ? 42 : 1;
}

static int no_stack_mode(int argc, char **argv)
{
	(void)argc, (void)argv;
	catch_with(SIGSEGV, note_and_escape, 0, 0);
	__asm__ volatile("mov $0x1000, %esp\n\tud2");
	return 1;
}

static int no_stack_ill_mode(int argc, char **argv)
{
	(void)argc, (void)argv;
	catch_with(SIGILL, note_and_escape, 0, 0);
	__asm__ volatile("mov $0x1000, %esp\n\tud2");
	return 1;
}

static int wild_stack_mode(int argc, char **argv)
{
	(void)argc, (void)argv;
	catch_with(SIGILL, note_and_escape, 0, 0);
	__asm__ volatile("mov %0, %%rsp\n\tud2" : : "r"(0xffff888000000000));
	return 1;
}

/* The frame itself lets the stack grow, over pages nobody has touched. */
static int grows_mode(int argc, char **argv)
{
	(void)argc, (void)argv;
	catch_with(SIGILL, note_and_escape, 0, 0);
	if (!sigsetjmp(escape, 1))
		__asm__ volatile("sub $0x100000, %%rsp\n\tud2" : : : "memory");
	return seen.count == 1 && seen.signo == SIGILL ? 42 : 1;
}

static int limit_mode(int argc, char **argv)
{
	struct rlimit limit = { 256 * 1024, 256 * 1024 };

	(void)argc, (void)argv;
	setrlimit(RLIMIT_STACK, &limit);
	catch_with(SIGILL, note_and_escape, 0, 0);
	if (!sigsetjmp(escape, 1))
		__asm__ volatile("sub $0x100000, %%rsp\n\tud2" : : : "memory");
	return 1;
}

/* A handler at an address that isn't mapped: the fault of its first instruction is in the handler. */
static int wild_handler_mode(int argc, char **argv)
{
	(void)argc, (void)argv;
	catch_with(SIGUSR1, (void *)0x1000, 0, 0);
	catch_with(SIGSEGV, note_and_escape, 0, 0);
	if (!sigsetjmp(escape, 1))
		send_self(SIGUSR1);
	return seen.signo == SIGSEGV && seen.addr == 0x1000 && seen.gregs[REG_RIP] == 0x1000 ? 42 :
											       1;
}

static const struct mode modes[] = {
	{ "blocked", blocked_mode },
	{ "ignored", ignored_mode },
	{ "nested", nested_mode },
	{ "nodefer", nodefer_mode },
	{ "resethand", resethand_mode },
	{ "no-restorer", no_restorer_mode },
	{ "no-restorer-handled", no_restorer_handled_mode },
	{ "no-stack", no_stack_mode },
	{ "no-stack-ill", no_stack_ill_mode },
	{ "wild-stack", wild_stack_mode },
	{ "grows", grows_mode },
	{ "limit", limit_mode },
	{ "wild-handler", wild_handler_mode },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	tap_start(argc, argv, modes);
	catch_with(SIGSEGV, note_and_escape, 0, 0);
	catch_with(SIGBUS, note_and_escape, 0, 0);
	catch_with(SIGFPE, note_and_escape, 0, 0);
	catch_with(SIGILL, note_and_escape, 0, 0);
	catch_with(SIGTRAP, note_and_escape, 0, 0);
	page_faults();
	bus_error();
	other_exceptions();
	sent_after_fault();
	dies("blocked", SIGSEGV, "a fault while SIGSEGV is blocked");
	dies("ignored", SIGSEGV, "a fault while SIGSEGV is ignored");
	dies("nested", SIGSEGV, "a fault in its own handler");
	exits("nodefer", 43, "with SA_NODEFER the handler is called inside itself");
	dies("resethand", SIGSEGV, "with SA_RESETHAND the second time");
	dies("no-restorer", SIGSEGV, "a handler without SA_RESTORER");
	exits("no-restorer-handled", 42, "which a SIGSEGV handler gets as SI_KERNEL");
	dies("no-stack", SIGILL, "an exception without a handler, and without a stack");
	dies("no-stack-ill", SIGSEGV, "no stack for the handler's frame");
	dies("wild-stack", SIGSEGV, "a stack pointer into the kernel");
	exits("grows", 42, "a frame makes the stack grow");
	dies("limit", SIGSEGV, "but not beyond RLIMIT_STACK");
	exits("wild-handler", 42, "a handler that isn't mapped");
	return done_testing();
}
