/* SPDX-License-Identifier: MIT */
/*
 * Handlers and the floating-point and vector registers: kept over a handler, fresh in it, changed
 * through the frame, refused when spoiled; and the exceptions of the two units.
 */
#include "signals.h"

#define XSTATE_HEADER 512

static bool has_xsave(void)
{
	unsigned a = 1, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return c & (1u << 27);
}

static bool has_avx(void)
{
	unsigned a = 1, b, c = 0, d, low, high;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	if ((c & (3u << 27)) != 3u << 27)
		return false;
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (low & 6) == 6;
}

static unsigned char pattern[16 * 32] __attribute__((aligned(32)));
static unsigned char found[16 * 32] __attribute__((aligned(32)));
static unsigned char in_handler[16 * 32] __attribute__((aligned(32)));

#define ALL_XMM                                                                                  \
	"xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", \
		"xmm11", "xmm12", "xmm13", "xmm14", "xmm15"
#define EACH(op)                                                                                \
	op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) op(11) op(12) op(13) \
		op(14) op(15)
#define LOAD_SSE(n) "movaps 32*" #n "(%1), %%xmm" #n "\n\t"
#define SAVE_SSE(n) "movaps %%xmm" #n ", 32*" #n "(%2)\n\t"
#define LOAD_AVX(n) "vmovaps 32*" #n "(%1), %%ymm" #n "\n\t"
#define SAVE_AVX(n) "vmovaps %%ymm" #n ", 32*" #n "(%2)\n\t"
#define KILL_SELF   "mov %3, %%edi\n\tmov %4, %%esi\n\tmov $62, %%eax\n\tsyscall\n\t"

/* Loads all registers, sends SIGUSR1, and looks what they are then. */
static void around_signal(bool avx)
{
	memset(found, 0, sizeof(found));
	if (avx)
		__asm__ volatile(EACH(LOAD_AVX) KILL_SELF EACH(SAVE_AVX) "vzeroupper"
				 :
				 : "r"(0L), "r"(pattern), "r"(found), "r"(getpid()), "i"(SIGUSR1)
				 : "rax", "rcx", "rdi", "rsi", "r11", "memory", "cc", ALL_XMM);
	else
		__asm__ volatile(EACH(LOAD_SSE) KILL_SELF EACH(SAVE_SSE)
				 :
				 : "r"(0L), "r"(pattern), "r"(found), "r"(getpid()), "i"(SIGUSR1)
				 : "rax", "rcx", "rdi", "rsi", "r11", "memory", "cc", ALL_XMM);
}

static void fill(bool avx)
{
	for (unsigned i = 0; i < sizeof(pattern); i++)
		pattern[i] = avx || i % 32 < 16 ? 37 + i * 11 + (i >> 5) : 0;
}

/* What the handler does to the frame's state; fp points at the 512 bytes. */
static void (*change)(struct raw_frame *frame, unsigned char *fp);
unsigned handler_mxcsr; /* not static: assembly names them */
unsigned short handler_control;
static unsigned frame_size;

/*
 * In assembly up to here, since C may use the registers itself: they are saved as the handler finds
 * them and then overwritten.
 */
__asm__(".text\nfpu_handler:\n\t"
	"stmxcsr handler_mxcsr(%rip)\n\tfnstcw handler_control(%rip)\n\t"
	"movaps %xmm0, first_xmm0(%rip)\n\tmovaps %xmm15, first_xmm15(%rip)\n\t"
	"pcmpeqd %xmm0, %xmm0\n\tmovaps %xmm0, %xmm1\n\tmovaps %xmm0, %xmm7\n\tmovaps %xmm0, %xmm15\n\t"
	"fldpi\n\tfldpi\n\t"
	"jmp fpu_handler_c\n"
	"fpu_restorer:\n\tmov $15, %eax\n\tsyscall\n");
extern char fpu_handler[], fpu_restorer[];
unsigned char first_xmm0[16] __attribute__((aligned(16)));
unsigned char first_xmm15[16] __attribute__((aligned(16)));

void fpu_handler_c(int sig, siginfo_t *info, void *context)
{
	struct raw_frame *frame = (void *)((char *)context - 8);
	unsigned char *fp = (void *)frame->fpstate;

	note_signal(sig, info, context);
	memcpy(in_handler, fp + 160, 16);
	memcpy(&frame_size, fp + 480, 4);
	if (change)
		change(frame, fp);
}

static void install(void)
{
	struct raw_sigaction act = {
		.handler = fpu_handler,
		.flags = SA_SIGINFO | RESTORER_FLAG,
		.restorer = fpu_restorer,
	};

	raw_sigaction(SIGUSR1, &act, NULL);
}

static void kept(bool avx)
{
	static const unsigned char zeros[16];
	unsigned odd = 0x1f80 | 2 << 13, usual = 0x1f80, after;
	unsigned short control = 0x37f & ~0x300, after_control;
	double in = 1.25, out = 0;

	change = NULL;
	fill(avx);
	around_signal(avx);
	ok(!memcmp(pattern, found, sizeof(found)), "all vector registers are as they were");
	ok(!memcmp(first_xmm0, zeros, 16) && !memcmp(first_xmm15, zeros, 16),
	   "the handler begins with zeros in them");
	ok(!memcmp(in_handler, pattern, 16), "the frame has xmm0");

	__asm__ volatile("fninit\n\tldmxcsr %0\n\tfldcw %1\n\tfldl %2"
			 :
			 : "m"(odd), "m"(control), "m"(in));
	send_self(SIGUSR1);
	__asm__ volatile("stmxcsr %0\n\tfnstcw %1\n\tfstpl %2\n\tfninit\n\tldmxcsr %3"
			 : "=m"(after), "=m"(after_control), "=m"(out)
			 : "m"(usual));
	is(handler_mxcsr, 0x1f80, "the handler begins with the usual MXCSR");
	is(handler_control, 0x37f, "and x87 control word");
	is(after & ~0x3fu, odd, "MXCSR is as it was");
	is(after_control, control, "the x87 control word too");
	ok(!memcmp(&in, &out, sizeof(in)), "and st(0)");
}

static void put_xmm3(struct raw_frame *frame, unsigned char *fp)
{
	(void)frame;
	memset(fp + 160 + 3 * 16, 0xa5, 16);
}

static void put_mxcsr(struct raw_frame *frame, unsigned char *fp)
{
	unsigned mxcsr = 0x1f80 | 1 << 13;

	(void)frame;
	memcpy(fp + 24, &mxcsr, 4);
}

static void no_fpstate(struct raw_frame *frame, unsigned char *fp)
{
	(void)fp;
	frame->fpstate = 0;
}

static void no_magic1(struct raw_frame *frame, unsigned char *fp)
{
	(void)frame;
	memset(fp + 464, 0, 4);
}

static void no_magic2(struct raw_frame *frame, unsigned char *fp)
{
	(void)frame;
	memset(fp + frame_size, 0, 4);
}

static void no_sse(struct raw_frame *frame, unsigned char *fp)
{
	(void)frame;
	fp[XSTATE_HEADER] &= ~2;
}

static void changed(bool avx)
{
	unsigned char want[16], zeros[sizeof(found)] = { 0 };
	unsigned usual = 0x1f80, now, wrong = 0;

	fill(avx);
	memset(want, 0xa5, sizeof(want));
	change = put_xmm3;
	around_signal(avx);
	ok(!memcmp(found + 3 * 32, want, 16), "a register that the handler changed in the frame");
	ok(!memcmp(found + 2 * 32, pattern + 2 * 32, 16), "its neighbour isn't");
	change = put_mxcsr;
	send_self(SIGUSR1);
	__asm__ volatile("stmxcsr %0\n\tldmxcsr %1" : "=m"(now) : "m"(usual));
	is(now & ~0x3fu, 0x1f80 | 1 << 13, "MXCSR that the handler changed");
	change = no_fpstate;
	around_signal(avx);
	ok(!memcmp(found, zeros, sizeof(zeros)), "without fpstate the registers are fresh");
	if (!has_xsave())
		return;
	change = no_magic1;
	around_signal(avx);
	for (unsigned i = 0; i < 16; i++)
		wrong += memcmp(found + 32 * i, pattern + 32 * i, 16) != 0;
	is(wrong, 0, "without the first magic number SSE registers are kept");
	for (unsigned i = 0; i < 16; i++)
		wrong += memcmp(found + 32 * i + 16, zeros, 16) != 0;
	is(wrong, 0, "and the upper halves are fresh");
	change = no_magic2;
	around_signal(avx);
	ok(!memcmp(found, pattern, 16) && !memcmp(found + 16, zeros, 16),
	   "the same without the second");
	change = no_sse;
	around_signal(avx);
	ok(!memcmp(found + 3 * 32, zeros, 16), "a component marked as absent is fresh");
}

/* --- in children: states that the processor refuses ------------------------------------------------ */

static void bad_component(struct raw_frame *frame, unsigned char *fp)
{
	(void)frame;
	fp[XSTATE_HEADER + 7] |= 0x40; /* bit 62 */
}

static void bad_compaction(struct raw_frame *frame, unsigned char *fp)
{
	(void)frame;
	fp[XSTATE_HEADER + 8] = 1;
}

static void bad_mxcsr(struct raw_frame *frame, unsigned char *fp)
{
	(void)frame;
	memset(fp + 24, 0xff, 4);
}

static void unaligned(struct raw_frame *frame, unsigned char *fp)
{
	memmove(fp + 1, fp, frame_size + 4);
	frame->fpstate++;
}

static void unmapped(struct raw_frame *frame, unsigned char *fp)
{
	(void)fp;
	frame->fpstate = 0x1000;
}

static void in_kernel(struct raw_frame *frame, unsigned char *fp)
{
	(void)fp;
	frame->fpstate = 0xffff888000000000;
}

static void at_end(struct raw_frame *frame, unsigned char *fp)
{
	(void)fp;
	frame->fpstate = TASK_SIZE - 64;
}

static int with_change(void (*fn)(struct raw_frame *, unsigned char *))
{
	install();
	change = fn;
	send_self(SIGUSR1);
	return 42;
}

#define MODE(name, fn)                         \
	static int name(int argc, char **argv) \
	{                                      \
		(void)argc, (void)argv;        \
		return with_change(fn);        \
	}
MODE(bad_component_mode, bad_component)
MODE(bad_compaction_mode, bad_compaction)
MODE(bad_mxcsr_mode, bad_mxcsr)
MODE(unaligned_mode, unaligned)
MODE(unmapped_mode, unmapped)
MODE(in_kernel_mode, in_kernel)
MODE(at_end_mode, at_end)

/* What is refused is a fault that a handler gets, with registers in order. */
static int caught_mode(int argc, char **argv)
{
	unsigned mxcsr;

	(void)argc, (void)argv;
	catch_with(SIGSEGV, note_and_escape, 0, 0);
	if (!sigsetjmp(escape, 1))
		with_change(unmapped);
	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	return seen.signo == SIGSEGV && seen.code == SI_KERNEL_CODE && mxcsr == 0x1f80 ? 42 : 1;
}

static const struct mode modes[] = {
	{ "bad-component", bad_component_mode },
	{ "bad-compaction", bad_compaction_mode },
	{ "bad-mxcsr", bad_mxcsr_mode },
	{ "unaligned", unaligned_mode },
	{ "unmapped", unmapped_mode },
	{ "in-kernel", in_kernel_mode },
	{ "at-end", at_end_mode },
	{ "caught", caught_mode },
	{ NULL, NULL },
};

static void refused(void)
{
	int status;

	if (has_xsave()) {
		dies("bad-component", SIGSEGV, "a component that doesn't exist");
		dies("bad-compaction", SIGSEGV, "a header that isn't the standard form's");
		dies("unaligned", SIGSEGV, "an area that isn't aligned");
	}
	/* QEMU's emulation loads reserved bits without a word. */
	status = run_mode("bad-mxcsr", NULL, NULL);
	ok(status == SIGSEGV || status == 42 << 8, "reserved bits of MXCSR do no harm");
	dies("unmapped", SIGSEGV, "an area that isn't mapped");
	dies("in-kernel", SIGSEGV, "an area in the kernel");
	dies("at-end", SIGSEGV, "an area across the end of user space");
	exits("caught", 42, "a handler gets that SIGSEGV");
}

/* --- exceptions --------------------------------------------------------------------------------------- */

extern char x87_wait[];

/* Divides by `by` with all x87 exceptions but `unmask` masked; the exception comes at the next FWAIT. */
__attribute__((noinline, noclone)) static void x87_divide(double number, double by, unsigned unmask)
{
	unsigned short control = 0x37f & ~unmask;

	__asm__ volatile("fninit\n\tfldcw %0\n\tfldl %1\n\tfdivl %2\n\t"
			 ".globl x87_wait\nx87_wait:\tfwait\n\tfstp %%st(0)"
			 :
			 : "m"(control), "m"(number), "m"(by));
}

static void x87_case(const char *what, double number, double by, unsigned unmask, int code)
{
	memset(&seen, 0, sizeof(seen));
	if (!sigsetjmp(escape, 1))
		x87_divide(number, by, unmask);
	__asm__ volatile("fninit");
	is(seen.signo, SIGFPE, "x87 %s: SIGFPE", what);
	is(seen.code, code, "x87 %s: si_code", what);
	is(seen.addr, (unsigned long)x87_wait, "x87 %s: si_addr", what);
	is(seen.gregs[REG_TRAPNO], 16, "x87 %s: trapno", what);
	is(seen.gregs[REG_ERR], 0, "x87 %s: err", what);
}

__attribute__((noinline, noclone)) static void sse_divide(double number, double by, unsigned unmask)
{
	unsigned mxcsr = 0x1f80 & ~(unmask << 7);

	__asm__ volatile("ldmxcsr %0\n\tmovsd %1, %%xmm0\n\tdivsd %2, %%xmm0"
			 :
			 : "m"(mxcsr), "m"(number), "m"(by)
			 : "xmm0");
}

static void sse_case(const char *what, double number, double by, unsigned unmask, int code)
{
	unsigned usual = 0x1f80;

	memset(&seen, 0, sizeof(seen));
	if (!sigsetjmp(escape, 1))
		sse_divide(number, by, unmask);
	__asm__ volatile("ldmxcsr %0" : : "m"(usual));
	if (!seen.count) {
		skip(what, "the processor is an emulation without SSE exceptions");
		return;
	}
	ok(seen.signo == SIGFPE && seen.code == code && seen.gregs[REG_TRAPNO] == 19, "SSE %s",
	   what);
}

/* The handler masks the exception in its frame, and the program goes on. */
static void mask_in_frame(int sig, siginfo_t *info, void *context)
{
	struct raw_frame *frame = (void *)((char *)context - 8);
	unsigned short control = 0x37f;

	note_signal(sig, info, context);
	memcpy((void *)frame->fpstate, &control, 2);
	memset((char *)frame->fpstate + 2, 0, 2);
}

static void exceptions(void)
{
	catch_with(SIGFPE, note_and_escape, 0, 0);
	x87_case("division by zero", 1, 0, 4, FPE_FLTDIV);
	x87_case("invalid", 0, 0, 1, FPE_FLTINV);
	x87_case("inexact", 1, 3, 32, FPE_FLTRES);
	sse_case("division by zero", 1, 0, 4, FPE_FLTDIV);
	sse_case("invalid", 0, 0, 1, FPE_FLTINV);
	sse_case("overflow", 1e300, 1e-300, 8, FPE_FLTOVF);
	sse_case("underflow", 1e-300, 1e300, 16, FPE_FLTUND);
	sse_case("inexact", 1, 3, 32, FPE_FLTRES);
	catch_with(SIGFPE, mask_in_frame, 0, 0);
	memset(&seen, 0, sizeof(seen));
	x87_divide(1, 0, 4);
	is(seen.count, 1, "masked through the frame it doesn't come again");
}

int main(int argc, char **argv)
{
	bool avx = has_avx();

	tap_start(argc, argv, modes);
	diag(avx ? "with AVX" : has_xsave() ? "with XSAVE" : "with FXSAVE");
	install();
	kept(avx);
	changed(avx);
	refused();
	exceptions();
	return done_testing();
}
