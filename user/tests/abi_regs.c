/* SPDX-License-Identifier: MIT */
/*
 * What a system call does to the registers: rax is the result, rcx the return address, r11 the
 * flags, everything else stays. And which numbers there are.
 */
#include "areas.h"

enum {
	RAX,
	RBX,
	RCX,
	RDX,
	RSI,
	RDI,
	RBP,
	R8,
	R9,
	R10,
	R11,
	R12,
	R13,
	R14,
	R15,
	RSP,
	FLAGS,
	RIP,
	REGS
};

static const char *const names[] = {
	"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8",	  "r9",
	"r10", "r11", "r12", "r13", "r14", "r15", "rsp", "flags",
};

#define FLAG_CARRY     0x1UL
#define FLAG_ZERO      0x40UL
#define FLAG_SIGN      0x80UL
#define FLAG_DIRECTION 0x400UL
#define FLAG_OVERFLOW  0x800UL

/*
 * in: all registers (rsp 0 = keep, flags = what to set), in the order of the enumeration.
 * out: what they are behind the call; out[RIP] is the address behind the syscall instruction.
 */
void call_with(const unsigned long *in, unsigned long *out);

__asm__(".text\n"
	"call_with:\n"
	"	push %rbx\n	push %rbp\n	push %r12\n	push %r13\n	push %r14\n	push %r15\n"
	"	push %rsi\n"
	"	mov %rsp, saved_rsp(%rip)\n"
	"	push 128(%rdi)\n	popf\n" /* no instruction below changes the flags */
	"	mov 8(%rdi), %rbx\n	mov 16(%rdi), %rcx\n	mov 24(%rdi), %rdx\n"
	"	mov 32(%rdi), %rsi\n	mov 48(%rdi), %rbp\n	mov 56(%rdi), %r8\n"
	"	mov 64(%rdi), %r9\n	mov 72(%rdi), %r10\n	mov 80(%rdi), %r11\n"
	"	mov 88(%rdi), %r12\n	mov 96(%rdi), %r13\n	mov 104(%rdi), %r14\n"
	"	mov 112(%rdi), %r15\n	mov 120(%rdi), %rsp\n	mov 0(%rdi), %rax\n"
	"	mov 40(%rdi), %rdi\n"
	"	syscall\n"
	"behind_syscall:\n"
	"	mov %rsp, got_rsp(%rip)\n"
	"	mov saved_rsp(%rip), %rsp\n"
	"	pushf\n	cld\n"
	"	push %rdi\n"
	"	mov 16(%rsp), %rdi\n" /* out */
	"	mov %rax, 0(%rdi)\n	mov %rbx, 8(%rdi)\n	mov %rcx, 16(%rdi)\n"
	"	mov %rdx, 24(%rdi)\n	mov %rsi, 32(%rdi)\n	mov %rbp, 48(%rdi)\n"
	"	mov %r8, 56(%rdi)\n	mov %r9, 64(%rdi)\n	mov %r10, 72(%rdi)\n"
	"	mov %r11, 80(%rdi)\n	mov %r12, 88(%rdi)\n	mov %r13, 96(%rdi)\n"
	"	mov %r14, 104(%rdi)\n	mov %r15, 112(%rdi)\n"
	"	pop %rax\n	mov %rax, 40(%rdi)\n"
	"	pop %rax\n	mov %rax, 128(%rdi)\n"
	"	mov got_rsp(%rip), %rax\n	mov %rax, 120(%rdi)\n"
	"	lea behind_syscall(%rip), %rax\n	mov %rax, 136(%rdi)\n"
	"	pop %rsi\n"
	"	pop %r15\n	pop %r14\n	pop %r13\n	pop %r12\n	pop %rbp\n	pop %rbx\n"
	"	ret\n"
	".local saved_rsp\n.comm saved_rsp, 8, 8\n"
	".local got_rsp\n.comm got_rsp, 8, 8\n");

static void prepare(unsigned long *in, unsigned long number)
{
	for (int i = 0; i < REGS; i++)
		in[i] = 0x1111111111111111UL * (i + 1) ^ 0xa5a5UL << 40;
	in[RAX] = number;
	in[RSP] = 0;	   /* the kernel must not need the user's stack */
	in[FLAGS] = 0x202; /* as usual: interrupts on */
}

/* Every register but rax, rcx and r11. */
static bool kept(const unsigned long *in, const unsigned long *out)
{
	bool good = true;

	for (int i = RBX; i <= RSP; i++) {
		if (i == RCX || i == R11 || in[i] == out[i])
			continue;
		diag("%s: 0x%lx became 0x%lx", names[i], in[i], out[i]);
		good = false;
	}
	return good;
}

static void registers(unsigned long number, long want, const char *what)
{
	unsigned long in[REGS], out[REGS];

	prepare(in, number);
	call_with(in, out);
	is(out[RAX], want, "%s: the result", what);
	ok(kept(in, out), "%s: the other registers are kept", what);
	is(out[RCX], out[RIP], "%s: rcx is the address behind the instruction", what);
	ok(out[R11] == out[FLAGS] && (out[R11] & 0x202) == 0x202, "%s: r11 is the flags", what);
}

static void flags(void)
{
	static const struct {
		unsigned long flags;
		const char *what;
	} cases[] = {
		{ FLAG_CARRY, "carry" },	{ FLAG_ZERO | FLAG_SIGN, "zero and sign" },
		{ FLAG_OVERFLOW, "overflow" },	{ FLAG_DIRECTION, "direction" },
		{ 0x40000, "alignment check" }, { 0x200000, "identification" },
	};
	unsigned long in[REGS], out[REGS];

	for (size_t i = 0; i < COUNT(cases); i++) {
		prepare(in, SYS_getpid);
		in[FLAGS] |= cases[i].flags;
		call_with(in, out);
		/* Clear by hand: later code is compiled for clear AC and DF. */
		__asm__ volatile("pushf\n\tandq $~0x40400, (%%rsp)\n\tpopf" : : : "memory", "cc");
		is(out[FLAGS], 0x202 | cases[i].flags, "flags kept: %s", cases[i].what);
		is(out[RAX], getpid(), "with the right result");
	}
}

/* A call that copies memory with the direction flag set: the kernel must clear it for itself. */
static void direction_flag(void)
{
	static char text[400];
	unsigned long in[REGS], out[REGS];

	memset(text, '#', sizeof(text));
	prepare(in, SYS_uname);
	in[RDI] = (unsigned long)text;
	in[FLAGS] |= FLAG_DIRECTION;
	call_with(in, out);
	is(out[RAX], 0, "uname with the direction flag set");
	is_str(text, "Linux", "writes forward");
	is(text[390], '#', "and only as much as it should");
	ok(out[FLAGS] & FLAG_DIRECTION, "the flag is still set behind it");
	ok(kept(in, out), "the registers are kept");
}

/* Through the scheduler and back. */
static void sleeping(void)
{
	static long time[2] = { 0, 2000000 };
	unsigned long in[REGS], out[REGS];

	prepare(in, SYS_nanosleep);
	in[RDI] = (unsigned long)time;
	in[RSI] = 0;
	call_with(in, out);
	is(out[RAX], 0, "nanosleep");
	ok(kept(in, out), "keeps the registers");
	is(out[RCX], out[RIP], "rcx is the address behind the instruction");
}

/* Interrupts and faults between two instructions must not be seen at all. */
static void interrupted(void)
{
	char *p = fresh(64, RW);
	unsigned long wrong = 0;

	for (int i = 0; i < 64; i++) {
		unsigned long bad;

		__asm__ volatile(
			"mov $0x1234567, %%rax\n\tlea 1(%%rax), %%rcx\n\tlea 2(%%rax), %%rdx\n\t"
			"lea 3(%%rax), %%rsi\n\tlea 4(%%rax), %%rdi\n\tlea 5(%%rax), %%r8\n\t"
			"lea 6(%%rax), %%r9\n\tlea 7(%%rax), %%r10\n\tlea 8(%%rax), %%r11\n\t"
			"stc\n\t"
			"movb $1, (%[p])\n\t" /* the page fault */
			"setnc %b[bad]\n\tmovzbl %b[bad], %k[bad]\n\t"
			"neg %%rax\n\t"
			"lea 0x1234566(%%rcx, %%rax), %%rcx\n\tsub $0x1234567, %%rcx\n\t"
			"or %%rcx, %[bad]\n\t"
			"lea -2(%%rdx, %%rax), %%rdx\n\tor %%rdx, %[bad]\n\t"
			"lea -3(%%rsi, %%rax), %%rsi\n\tor %%rsi, %[bad]\n\t"
			"lea -4(%%rdi, %%rax), %%rdi\n\tor %%rdi, %[bad]\n\t"
			"lea -5(%%r8, %%rax), %%r8\n\tor %%r8, %[bad]\n\t"
			"lea -6(%%r9, %%rax), %%r9\n\tor %%r9, %[bad]\n\t"
			"lea -7(%%r10, %%rax), %%r10\n\tor %%r10, %[bad]\n\t"
			"lea -8(%%r11, %%rax), %%r11\n\tor %%r11, %[bad]"
			: [bad] "=&r"(bad)
			: [p] "r"(p + i * PAGE)
			: "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory",
			  "cc");
		wrong |= bad;
	}
	is(wrong, 0, "64 page faults leave registers and flags alone");
	raw_munmap((unsigned long)p, 64 * PAGE);
}

static void numbers(void)
{
	static const struct {
		unsigned long number;
		const char *what;
	} unknown[] = {
		{ 350, "350, which is free" },
		{ 600, "600" },
		{ 0xffff, "65535" },
		{ 0x7fffffff, "2^31 - 1" },
		{ 0x80000000, "2^31" },
		{ -1UL, "-1" },
		{ -2UL, "-2" },
		{ -4096UL, "-4096" },
		{ 0x8000000000000000 | 0xffff, "2^63 + 65535" },
	};
	unsigned long in[REGS], out[REGS];

	for (size_t i = 0; i < COUNT(unknown); i++) {
		prepare(in, unknown[i].number);
		call_with(in, out);
		is(out[RAX], -ENOSYS, "system call %s: ENOSYS", unknown[i].what);
	}
	prepare(in, 1UL << 32 | SYS_getpid);
	call_with(in, out);
	is(out[RAX], getpid(), "only the low 32 bits of the number count");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	registers(SYS_getpid, getpid(), "getpid");
	registers(0xffff, -ENOSYS, "an unknown call");
	registers(SYS_close, -EBADF, "close of a strange descriptor");
	registers(SYS_munmap, -EINVAL, "munmap of a strange address");
	registers(SYS_sched_yield, 0, "sched_yield");
	flags();
	direction_flag();
	sleeping();
	interrupted();
	numbers();
	return done_testing();
}
