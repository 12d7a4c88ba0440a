/* SPDX-License-Identifier: MIT */
/*
 * Ways into the kernel with the processor in an odd state, and into its descriptors: the program gets
 * what it deserves, and the kernel goes on.
 */
#include "tap.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/utsname.h>

#define EFLAGS_TF 0x100
#define EFLAGS_DF 0x400
#define EFLAGS_NT 0x4000
#define EFLAGS_AC 0x40000

static struct {
	uint32_t offset;
	uint16_t selector;
} __attribute__((packed)) far_target;

/* Code at an address below 4 GiB: this program is linked there. SYSCALL, from whatever mode it is in. */
__asm__(".text\n"
	"do_syscall: xor %eax, %eax\n"
	"	syscall\n"
	"1:	jmp 1b\n");
extern char do_syscall[];

static void far_jump(uint16_t selector)
{
	far_target.offset = (uint32_t)(uintptr_t)do_syscall;
	far_target.selector = selector;
	__asm__ volatile("ljmp *%0" : : "m"(far_target) : "memory");
}

#define MODE(name, body)                       \
	static int name(int argc, char **argv) \
	{                                      \
		(void)argc, (void)argv;        \
		body;                          \
		return 0;                      \
	}

/* A 32-bit code segment, where SYSCALL has other rules; the local table, which is empty; beyond it all. */
MODE(code32, far_jump(0x23))
MODE(local_table, far_jump(0x0f))
MODE(no_descriptor, far_jump(0x7b))
MODE(kernel_code, far_jump(0x10))
MODE(bad_stack, __asm__ volatile("mov %0, %%ss" : : "r"(0x7b)))
MODE(interrupt, __asm__ volatile("int $0x99"))
MODE(single_step, __asm__ volatile("pushfq\n\torl %0, (%%rsp)\n\tpopfq\n\t"
				   "mov %1, %%eax\n\tsyscall\n\tnop"
				   :
				   : "i"(EFLAGS_TF), "i"(SYS_getppid)
				   : "rax", "rcx", "r11", "memory"))

static const struct mode modes[] = {
	{ "code32", code32 },
	{ "local-table", local_table },
	{ "no-descriptor", no_descriptor },
	{ "kernel-code", kernel_code },
	{ "bad-stack", bad_stack },
	{ "interrupt", interrupt },
	{ "single-step", single_step },
	{ NULL, NULL },
};

/* Runs system calls and takes interrupts with a flag set. */
static bool works_with(unsigned long flag)
{
	long pid = getpid(), got = 0;

	__asm__ volatile("pushfq\n\torq %0, (%%rsp)\n\tpopfq" : : "r"(flag) : "memory", "cc");
	for (int i = 0; i < 2000; i++)
		got |= syscall(SYS_getpid) ^ pid;
	syscall(SYS_sched_yield);
	__asm__ volatile("pushfq\n\tandq %0, (%%rsp)\n\tpopfq" : : "r"(~flag) : "memory", "cc");
	return !got;
}

static bool direction_works(void)
{
	long pid = getpid(), got;

	__asm__ volatile("std\n\tsyscall\n\tcld"
			 : "=a"(got)
			 : "0"(SYS_getpid)
			 : "rcx", "r11", "memory");
	return got == pid;
}

int main(int argc, char **argv)
{
	struct utsname name;

	tap_start(argc, argv, modes);
	uname(&name);
	/* Linux has 32-bit programs, and then SYSCALL from one of them is none of our business. */
	if (strstr(name.release, "tessera"))
		dies("code32", SIGSEGV, "a jump into 32-bit code");
	else
		skip("a jump into 32-bit code", "this kernel runs 32-bit programs");
	dies("local-table", SIGSEGV, "a jump through the local descriptor table");
	dies("no-descriptor", SIGSEGV, "a jump through no descriptor");
	dies("kernel-code", SIGSEGV, "a jump to the kernel's code segment");
	dies("bad-stack", SIGSEGV, "a stack segment that isn't there");
	dies("interrupt", SIGSEGV, "an interrupt vector that isn't for programs");
	dies("single-step", SIGTRAP, "single steps through a system call");
	ok(works_with(EFLAGS_NT), "system calls with NT set");
	ok(works_with(EFLAGS_AC), "with AC set");
	ok(direction_works(), "with DF set");
	return done_testing();
}
