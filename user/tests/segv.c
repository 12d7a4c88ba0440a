/* SPDX-License-Identifier: MIT */
/* Programs that do what they must not, each in a child: the right signal ends them. */
#include "areas.h"
#include <signal.h>

#define MODE(name, body)                       \
	static int name(int argc, char **argv) \
	{                                      \
		(void)argc, (void)argv;        \
		body;                          \
		return 0;                      \
	}

#define READ_AT(addr)  ((void)*(volatile char *)(addr))
#define WRITE_AT(addr) (*(volatile char *)(addr) = 1)
#define JUMP_TO(addr)  (((void (*)(void))(addr))())

static const char constant[] = "in read-only data";
static unsigned long zero; /* not known to the compiler: no warning, no trap of its own */

static void set_zero(void)
{
	__asm__ volatile("" : "+m"(zero));
}

int main(int argc, char **argv);

static char *unmapped(void)
{
	char *p = fresh(1, RW);

	*p = 1;
	raw_munmap((unsigned long)p, PAGE);
	return p;
}

MODE(null_read, set_zero(); READ_AT(zero))
MODE(null_write, set_zero(); WRITE_AT(zero))
MODE(null_jump, set_zero(); JUMP_TO(zero))
MODE(kernel_read, READ_AT(0xffff888000000000))
MODE(kernel_write, WRITE_AT(0xffffffff80000000))
MODE(kernel_jump, JUMP_TO(0xffffffff80000000))
MODE(noncanonical_read, READ_AT(0x0000800000000000))
MODE(noncanonical_write, WRITE_AT(0xdead000000000000))
MODE(noncanonical_jump, JUMP_TO(0x0000800000000000))
MODE(hole_read, READ_AT(unmapped()))
MODE(hole_write, WRITE_AT(unmapped()))
MODE(hole_jump, JUMP_TO(unmapped()))
MODE(text_write, WRITE_AT((unsigned long)main))
MODE(rodata_write, WRITE_AT((unsigned long)constant))
MODE(none_read, READ_AT(fresh(1, PROT_NONE)))
MODE(read_only_write, WRITE_AT(fresh(1, PROT_READ)))
MODE(last_byte, READ_AT(TASK_SIZE - 1 + PAGE))

static int nonexec_jump(int argc, char **argv)
{
	char *p = fresh(1, RW);

	(void)argc, (void)argv;
	*p = (char)0xc3; /* ret */
	JUMP_TO(p);
	return 0;
}

static int nonexec_jump_untouched(int argc, char **argv)
{
	(void)argc, (void)argv;
	JUMP_TO(fresh(1, RW));
	return 0;
}

static int stack_jump(int argc, char **argv)
{
	volatile char code[16] = { (char)0xc3 };

	(void)argc, (void)argv;
	JUMP_TO(code);
	return 0;
}

/* An access of eight bytes whose last four are in the hole. */
static int crossing_read(int argc, char **argv)
{
	char *p = island(1, RW);

	(void)argc, (void)argv;
	memset(p, 1, PAGE);
	__asm__ volatile("mov (%0), %%rax" : : "r"(p + PAGE - 4) : "rax", "memory");
	return 0;
}

/* With no stack to write to, a call faults; the kernel must not depend on the user's stack. */
static int bad_stack(int argc, char **argv)
{
	(void)argc, (void)argv;
	__asm__ volatile("mov $0x1000, %rsp\n\tcall main");
	return 0;
}

static int noncanonical_stack(int argc, char **argv)
{
	(void)argc, (void)argv;
	__asm__ volatile("mov %0, %%rsp\n\tpush $1" : : "r"(0x0000800000000000));
	return 0;
}

MODE(privileged_hlt, __asm__ volatile("hlt"))
MODE(privileged_cr3, __asm__ volatile("mov %%cr3, %%rax" : : : "rax"))
MODE(privileged_msr, __asm__ volatile("rdmsr" : : "c"(0xc0000080) : "rax", "rdx"))
MODE(privileged_cli, __asm__ volatile("cli"))
MODE(port_out, __asm__ volatile("outb %%al, $0x80" : : "a"(0)))
MODE(undefined, __asm__ volatile("ud2"))
MODE(breakpoint, __asm__ volatile("int3"))
MODE(kernel_vector, __asm__ volatile("int $14"))

static int divide(int argc, char **argv)
{
	(void)argc, (void)argv;
	set_zero();
	__asm__ volatile("xor %%edx, %%edx\n\tdivq %0" : : "r"(zero), "a"(1L) : "rdx");
	return 0;
}

static int unaligned_sse(int argc, char **argv)
{
	char *p = fresh(1, RW);

	(void)argc, (void)argv;
	__asm__ volatile("movaps (%0), %%xmm0" : : "r"(p + 1) : "xmm0");
	return 0;
}

/* Trap after one instruction: the trap flag set by popf. */
static int single_step(int argc, char **argv)
{
	(void)argc, (void)argv;
	__asm__ volatile("pushf\n\torq $0x100, (%%rsp)\n\tpopf\n\tnop" : : : "memory", "cc");
	return 0;
}

static const struct {
	const char *mode;
	int (*run)(int argc, char **argv);
	int signal;
	const char *what;
} cases[] = {
	{ "null-read", null_read, SIGSEGV, "read through a null pointer" },
	{ "null-write", null_write, SIGSEGV, "write through a null pointer" },
	{ "null-jump", null_jump, SIGSEGV, "jump to a null pointer" },
	{ "kernel-read", kernel_read, SIGSEGV, "read of a kernel address" },
	{ "kernel-write", kernel_write, SIGSEGV, "write to the kernel's image" },
	{ "kernel-jump", kernel_jump, SIGSEGV, "jump into the kernel's image" },
	{ "noncanonical-read", noncanonical_read, SIGSEGV, "read of a non-canonical address" },
	{ "noncanonical-write", noncanonical_write, SIGSEGV, "write to a non-canonical address" },
	{ "noncanonical-jump", noncanonical_jump, SIGSEGV, "jump to a non-canonical address" },
	{ "hole-read", hole_read, SIGSEGV, "read after munmap" },
	{ "hole-write", hole_write, SIGSEGV, "write after munmap" },
	{ "hole-jump", hole_jump, SIGSEGV, "jump to unmapped memory" },
	{ "text-write", text_write, SIGSEGV, "write to the program's text" },
	{ "rodata-write", rodata_write, SIGSEGV, "write to the program's constants" },
	{ "none-read", none_read, SIGSEGV, "read of PROT_NONE" },
	{ "read-only-write", read_only_write, SIGSEGV, "write to PROT_READ" },
	{ "last-byte", last_byte, SIGSEGV, "read of the guard page that ends user space" },
	{ "nonexec-jump", nonexec_jump, SIGSEGV, "jump to written data" },
	{ "nonexec-jump-untouched", nonexec_jump_untouched, SIGSEGV, "jump to untouched data" },
	{ "stack-jump", stack_jump, SIGSEGV, "jump to the stack" },
	{ "crossing-read", crossing_read, SIGSEGV, "read across the end of an area" },
	{ "bad-stack", bad_stack, SIGSEGV, "call without a stack" },
	/* Signal 0: either of the two that noncanonical_stack_status() allows. */
	{ "noncanonical-stack", noncanonical_stack, 0, "push to a non-canonical stack" },
	{ "hlt", privileged_hlt, SIGSEGV, "hlt" },
	{ "cr3", privileged_cr3, SIGSEGV, "reading CR3" },
	{ "msr", privileged_msr, SIGSEGV, "reading an MSR" },
	{ "cli", privileged_cli, SIGSEGV, "cli" },
	{ "out", port_out, SIGSEGV, "writing to an I/O port" },
	{ "kernel-vector", kernel_vector, SIGSEGV, "int $14, the page fault's own vector" },
	{ "unaligned-sse", unaligned_sse, SIGSEGV, "unaligned movaps" },
	{ "undefined", undefined, SIGILL, "an undefined instruction" },
	{ "divide", divide, SIGFPE, "division by zero" },
	{ "breakpoint", breakpoint, SIGTRAP, "a breakpoint" },
	{ "single-step", single_step, SIGTRAP, "the trap flag" },
};

/*
 * The processor raises #SS for it (SIGBUS, Intel SDM volume 3, 6.15), which some emulators and
 * virtual machines turn into #GP (SIGSEGV).
 */
static void noncanonical_stack_status(const char *what)
{
	int status = run_mode("noncanonical-stack", NULL, NULL);

	ok(status > 0 && WIFSIGNALED(status) &&
		   (WTERMSIG(status) == SIGBUS || WTERMSIG(status) == SIGSEGV),
	   "%s: killed", what);
}

int main(int argc, char **argv)
{
	static struct mode modes[COUNT(cases) + 1];

	for (size_t i = 0; i < COUNT(cases); i++)
		modes[i] = (struct mode){ cases[i].mode, cases[i].run };
	tap_start(argc, argv, modes);
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (cases[i].signal)
			dies(cases[i].mode, cases[i].signal, cases[i].what);
		else
			noncanonical_stack_status(cases[i].what);
	}
	ok(run_mode("null-read", NULL, NULL) > 0, "and this program is still here");
	return done_testing();
}
