/* SPDX-License-Identifier: MIT */
/* Thread-local variables through FS, and arch_prctl for FS and GS. */
#include "areas.h"
#include <signal.h>
#include <sys/auxv.h>
#include <time.h>

enum { SET_GS = 0x1001, SET_FS, GET_FS, GET_GS };

static __thread int initialised = 12345;
static __thread int cleared;
static __thread struct {
	char bytes[64];
} aligned_variable __attribute__((aligned(64)));

static long arch_prctl(int code, unsigned long addr)
{
	return result(syscall(SYS_arch_prctl, code, addr));
}

static unsigned long get_base(int code)
{
	unsigned long base = 0;

	return arch_prctl(code, (unsigned long)&base) == 0 ? base : ~0UL;
}

static unsigned long gs_word(void)
{
	unsigned long word;

	__asm__ volatile("mov %%gs:0, %0" : "=r"(word));
	return word;
}

static unsigned long fs_word(void)
{
	unsigned long word;

	__asm__ volatile("mov %%fs:0, %0" : "=r"(word));
	return word;
}

/* A new program starts with GS at 0 and variables of its own. */
static int fresh_start(int argc, char **argv)
{
	(void)argc, (void)argv;
	if (get_base(GET_GS) != 0)
		return 1;
	if (initialised != 12345 || cleared != 0)
		return 2;
	initialised = 99;
	arch_prctl(SET_GS, 0x12340000);
	return 42;
}

static int gs_null(int argc, char **argv)
{
	(void)argc, (void)argv;
	arch_prctl(SET_GS, 0);
	return gs_word() ? 1 : 2;
}

static const struct mode modes[] = {
	{ "fresh", fresh_start },
	{ "gs-null", gs_null },
	{ NULL, NULL },
};

static void variables(void)
{
	is(initialised, 12345, "an initialised thread-local variable");
	is(cleared, 0, "one without a value is 0");
	is((unsigned long)&aligned_variable % 64, 0, "alignment of 64 is kept");
	initialised = 7;
	cleared = 8;
	is(initialised + cleared, 15, "they can be written");
	is(get_base(GET_FS), fs_word(), "FS points to the word that holds its own address");
	is(run_mode("fresh", NULL, NULL), 42 << 8, "another program has its own");
	is(initialised, 7, "and leaves ours");
}

/* FS is moved and put back with nothing of the C library in between. */
static unsigned long through_other_fs(unsigned long other)
{
	unsigned long home = fs_word(), word;

	__asm__ volatile(
		"mov %[nr], %%eax\n\tmov %[set], %%edi\n\tmov %[other], %%rsi\n\tsyscall\n\t"
		"mov %[yield], %%eax\n\tsyscall\n\t"
		"mov %%fs:0, %[word]\n\t"
		"mov %[nr], %%eax\n\tmov %[set], %%edi\n\tmov %[home], %%rsi\n\tsyscall"
		: [word] "=&r"(word)
		: [nr] "i"(SYS_arch_prctl), [set] "i"(SET_FS), [other] "r"(other), [home] "r"(home),
		  [yield] "i"(SYS_sched_yield)
		: "rax", "rdi", "rsi", "rcx", "r11", "memory");
	return word;
}

static void bases(void)
{
	unsigned long *p = (unsigned long *)fresh(1, RW);
	struct timespec moment = { 0, 1000000 };
	unsigned long fs = get_base(GET_FS);

	p[0] = 0xabcdef;
	p[10] = 0x123456;
	is(through_other_fs((unsigned long)&p[10]), 0x123456, "FS moved, and a yield");
	is(get_base(GET_FS), fs, "FS is back");
	is(arch_prctl(SET_GS, (unsigned long)p), 0, "GS set");
	is(get_base(GET_GS), (long)p, "GS read back");
	is(gs_word(), 0xabcdef, "GS used");
	syscall(SYS_sched_yield);
	nanosleep(&moment, NULL);
	is(run_mode("fresh", NULL, NULL), 42 << 8, "another program that sets its GS");
	is(gs_word(), 0xabcdef, "GS used after sleeping and another program");
	is(get_base(GET_GS), (long)p, "and read");
	is(get_base(GET_FS), fs, "FS hasn't changed");
	dies("gs-null", SIGSEGV, "a GS of 0 used");
	raw_munmap((unsigned long)p, PAGE);
}

static void errors(void)
{
	unsigned long fs = get_base(GET_FS), gs = get_base(GET_GS);

	is(arch_prctl(SET_FS, 0xffff888000000000), -EPERM, "FS to a kernel address: EPERM");
	is(arch_prctl(SET_GS, 0x0000800000000000), -EPERM, "GS to a non-canonical one: EPERM");
	is(arch_prctl(SET_GS, TASK_SIZE), -EPERM, "GS to the end of user space: EPERM");
	is(get_base(GET_FS), fs, "FS is as it was");
	is(get_base(GET_GS), gs, "GS is as it was");
	is(arch_prctl(SET_GS, TASK_SIZE - 1), 0, "GS to the last address");
	is(arch_prctl(SET_GS, 0), 0, "GS to 0");
	is(arch_prctl(GET_FS, 0), -EFAULT, "FS to a null pointer: EFAULT");
	is(arch_prctl(GET_GS, 0xffff888000000000), -EFAULT, "GS to a kernel address: EFAULT");
	is(arch_prctl(0x7777, 0), -EINVAL, "unknown code: EINVAL");
}

/* With FSGSBASE a program may read and write the bases itself; the kernel says so in AT_HWCAP2. */
static void instructions(void)
{
	unsigned long base = 0, word = 0x5555;

	if ((getauxval(AT_HWCAP2) & 2) == 0) {
		skip("rdfsbase, wrgsbase", "no FSGSBASE in AT_HWCAP2");
		return;
	}
	__asm__ volatile("rdfsbase %0" : "=r"(base));
	is(base, get_base(GET_FS), "rdfsbase");
	__asm__ volatile("wrgsbase %0" : : "r"(&word));
	is(gs_word(), 0x5555, "wrgsbase");
	syscall(SYS_sched_yield);
	is(run_mode("fresh", NULL, NULL), 42 << 8, "another program");
	is(gs_word(), 0x5555, "GS is still there");
	is(get_base(GET_GS), (long)&word, "arch_prctl knows it");
	__asm__ volatile("wrgsbase %0" : : "r"(0L));
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, modes);
	variables();
	bases();
	errors();
	instructions();
	return done_testing();
}
