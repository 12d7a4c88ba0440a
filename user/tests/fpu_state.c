/* SPDX-License-Identifier: MIT */
/*
 * Two processes compute at the same time, each with its own values in the floating-point and
 * vector registers, and neither ever sees the other's. exec starts with clean registers.
 */
#include "tap.h"
#include <time.h>

#define ALIGNED __attribute__((aligned(32)))

static unsigned char pattern[16 * 32] ALIGNED, found[16 * 32] ALIGNED;

static void cpuid(unsigned leaf, unsigned *b, unsigned *c)
{
	unsigned a = leaf, d;

	*c = 0;
	__asm__ volatile("cpuid" : "+a"(a), "=b"(*b), "+c"(*c), "=d"(d));
}

/* The processor has AVX, and the kernel has switched it on. */
static bool has_avx(void)
{
	unsigned b, c, low, high;

	cpuid(1, &b, &c);
	if ((c & (1u << 27)) == 0 || (c & (1u << 28)) == 0)
		return false;
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (low & 6) == 6;
}

static void fill(unsigned seed, bool avx)
{
	for (unsigned i = 0; i < sizeof(pattern); i++)
		pattern[i] = seed * 37 + i * 11 + (i >> 5);
	if (!avx)
		for (unsigned i = 0; i < sizeof(pattern); i++)
			if (i % 32 >= 16)
				pattern[i] = 0;
}

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
/* Long enough to be interrupted now and then; every second round yields in the middle. */
#define SPIN                                                      \
	"mov $20000, %%ecx\n1:\tpause\n\tdec %%ecx\n\tjnz 1b\n\t" \
	"test %0, %0\n\tjz 2f\n\tmov %0, %%rax\n\tsyscall\n2:\n\t"

static void round_sse(unsigned long call)
{
	__asm__ volatile(EACH(LOAD_SSE) SPIN EACH(SAVE_SSE)
			 :
			 : "r"(call), "r"(pattern), "r"(found)
			 : "rax", "rcx", "r11", "memory", "cc", ALL_XMM);
}

static void round_avx(unsigned long call)
{
	__asm__ volatile(EACH(LOAD_AVX) SPIN EACH(SAVE_AVX) "vzeroupper"
			 :
			 : "r"(call), "r"(pattern), "r"(found)
			 : "rax", "rcx", "r11", "memory", "cc", ALL_XMM);
}

/* An x87 value and the control words survive as well. */
static bool round_x87(unsigned seed, unsigned long call)
{
	double in = seed * 1.25, out = 0;
	unsigned mxcsr = 0x1f80 | (seed & 3) << 13, mxcsr_after = 0, usual = 0x1f80;
	unsigned short control = 0x37f & ~0xc00, control_after = 0;

	control |= (seed & 3) << 10;
	__asm__ volatile(
		"fninit\n\tldmxcsr %[m]\n\tfldcw %[c]\n\tfldl %[in]\n\t"
		"mov $20000, %%ecx\n1:\tpause\n\tdec %%ecx\n\tjnz 1b\n\t"
		"mov %[call], %%rax\n\tsyscall\n\t"
		"fstpl %[out]\n\tfnstcw %[ca]\n\tstmxcsr %[ma]\n\t"
		"ldmxcsr %[usual]\n\tfninit"
		: [out] "=m"(out), [ca] "=m"(control_after), [ma] "=m"(mxcsr_after)
		: [in] "m"(in), [c] "m"(control), [m] "m"(mxcsr), [usual] "m"(usual), [call] "r"(call)
		: "rax", "rcx", "r11", "memory", "cc", "st");
	return memcmp(&in, &out, sizeof(in)) == 0 && control == control_after &&
	       mxcsr == (mxcsr_after & ~0x3fu);
}

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* For about 0.3 s, and at least 20 rounds. Returns the number of wrong rounds. */
static int compute(unsigned seed)
{
	long long end = now_ms() + 300;
	bool avx = has_avx();
	int wrong = 0;

	fill(seed, avx);
	for (int i = 0; i < 20 || now_ms() < end; i++) {
		unsigned long call = i % 2 ? SYS_sched_yield : 0;

		memset(found, 0, sizeof(found));
		if (avx)
			round_avx(call);
		else
			round_sse(call);
		wrong += memcmp(pattern, found, sizeof(found)) != 0;
		wrong += !round_x87(seed, SYS_sched_yield);
	}
	return wrong;
}

static int compute_mode(int argc, char **argv)
{
	return argc > 2 && compute(atoi(argv[2])) == 0 ? 42 : 1;
}

/* main saves these before anything else: the C library has used SSE by then, not these words. */
static unsigned first_mxcsr;
static unsigned short first_control;

static int clean_mode(int argc, char **argv)
{
	(void)argc, (void)argv;
	return first_mxcsr == 0x1f80 && first_control == 0x37f ? 42 : 1;
}

static const struct mode modes[] = {
	{ "compute", compute_mode },
	{ "clean", clean_mode },
	{ NULL, NULL },
};

static void exec_is_clean(void)
{
	unsigned odd = 0x1f80 | 3 << 13, usual = 0x1f80, now = 0;
	unsigned short odd_control = 0x37f | 3 << 10, control = 0;
	int status;

	__asm__ volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(odd), "m"(odd_control));
	status = run_mode("clean", NULL, NULL);
	__asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(now), "=m"(control));
	__asm__ volatile("ldmxcsr %0\n\tfninit" : : "m"(usual));
	is(status, 42 << 8, "exec gives the child the usual control words");
	ok((now & ~0x3fu) == odd && control == odd_control, "this program keeps its own");
}

int main(int argc, char **argv)
{
	pid_t children[2];

	__asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(first_mxcsr), "=m"(first_control));
	tap_start(argc, argv, modes);
	diag(has_avx() ? "with AVX" : "with SSE only");
	is(first_mxcsr, 0x1f80, "MXCSR at the start");
	is(first_control, 0x37f, "the x87 control word at the start");
	exec_is_clean();
	is(compute(1), 0, "alone: the registers keep their values");
	children[0] = start_mode("compute", "6", NULL);
	children[1] = start_mode("compute", "11", NULL);
	ok(children[0] > 0 && children[1] > 0, "two children compute");
	is(compute(4), 0, "beside them this program's registers keep their values");
	is(wait_status(children[0]), 42 << 8, "so do the first child's");
	is(wait_status(children[1]), 42 << 8, "and the second's");
	return done_testing();
}
