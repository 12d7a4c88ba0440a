/* SPDX-License-Identifier: MIT */
/*
 * What belongs to a thread alone: vector registers, the x87 stack, rounding modes and the FS base,
 * while threads and processes take turns without asking; and what fork copies of it.
 */
#include "procs.h"

#define THREADS 4
#define TURNS	300000

static volatile int *words;
static volatile int running;

static bool have_avx(void)
{
	unsigned a = 1, b, c = 0, d, lo, hi;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	if (!(c & 1u << 28) || !(c & 1u << 27))
		return false;
	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return (lo & 6) == 6;
}

/*
 * Fills registers with a pattern, counts for a while so that others run meanwhile, and looks. All
 * in one piece: nothing the compiler adds may use the registers. 0 when all is as it was.
 */
static int hold_sse(unsigned seed, long turns)
{
	unsigned in[16] __attribute__((aligned(16))), out[16] __attribute__((aligned(16)));
	uint32_t mxcsr = 0x1f80 | (seed & 3) << 13, mxcsr_out, normal = 0x1f80;
	uint16_t control = 0x037f | (seed & 3) << 10, control_out;
	long number = seed * 1000003L, number_out;

	for (int i = 0; i < 16; i++)
		in[i] = seed * 0x01010101u + i;
	__asm__ volatile("ldmxcsr %[mxcsr]\n\t"
			 "fninit\n\tfldcw %[control]\n\tfildq %[number]\n\t"
			 "movaps (%[in]), %%xmm1\n\t"
			 "movaps 16(%[in]), %%xmm6\n\t"
			 "movaps 32(%[in]), %%xmm11\n\t"
			 "movaps 48(%[in]), %%xmm15\n"
			 "1:\tdec %[turns]\n\tjnz 1b\n\t"
			 "movaps %%xmm1, (%[out])\n\t"
			 "movaps %%xmm6, 16(%[out])\n\t"
			 "movaps %%xmm11, 32(%[out])\n\t"
			 "movaps %%xmm15, 48(%[out])\n\t"
			 "fistpq %[number_out]\n\tfnstcw %[control_out]\n\t"
			 "stmxcsr %[mxcsr_out]\n\tldmxcsr %[normal]\n\tfninit\n\t"
			 : [turns] "+r"(turns), [number_out] "=m"(number_out),
			   [control_out] "=m"(control_out), [mxcsr_out] "=m"(mxcsr_out)
			 : [in] "r"(in), [out] "r"(out), [mxcsr] "m"(mxcsr), [control] "m"(control),
			   [number] "m"(number), [normal] "m"(normal)
			 : "xmm1", "xmm6", "xmm11", "xmm15", "memory", "cc");
	return memcmp(in, out, sizeof(in)) != 0 || mxcsr_out != mxcsr || control_out != control ||
	       number_out != number;
}

__attribute__((target("avx"))) static int hold_avx(unsigned seed, long turns)
{
	unsigned in[16] __attribute__((aligned(32))), out[16] __attribute__((aligned(32)));

	for (int i = 0; i < 16; i++)
		in[i] = seed * 0x01010101u + i * 0x10000;
	__asm__ volatile("vmovaps (%[in]), %%ymm3\n\t"
			 "vmovaps 32(%[in]), %%ymm14\n"
			 "1:\tdec %[turns]\n\tjnz 1b\n\t"
			 "vmovaps %%ymm3, (%[out])\n\t"
			 "vmovaps %%ymm14, 32(%[out])\n\t"
			 "vzeroupper"
			 : [turns] "+r"(turns)
			 : [in] "r"(in), [out] "r"(out)
			 : "xmm3", "xmm14", "memory", "cc");
	return memcmp(in, out, sizeof(in)) != 0;
}

/* How often the processor was taken from the running thread. */
static long forced_switches(void)
{
	char path[64], text[4096];
	const char *at;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", my_pid(), my_tid());
	read_small(path, text, sizeof(text));
	at = strstr(text, "\nnonvoluntary_ctxt_switches:");
	return at ? strtol(strchr(at, ':') + 1, NULL, 10) : -1;
}

/* Until that has happened a few times; how often it went wrong. */
static int hold(unsigned seed)
{
	long before = forced_switches();
	int bad = 0;

	for (int i = 0; i < 2000 && forced_switches() < before + 5; i++) {
		bad += hold_sse(seed, TURNS);
		if (have_avx())
			bad += hold_avx(seed, TURNS);
	}
	return forced_switches() >= before + 5 ? bad : -1;
}

static int hold_in_thread(void *arg)
{
	__atomic_add_fetch(&words[0], hold((unsigned)(long)arg), __ATOMIC_SEQ_CST);
	return 0;
}

static int hold_in_child(void *arg)
{
	return hold((unsigned)(long)arg) != 0;
}

static unsigned long all_cpus;

static void allow(unsigned long cpus)
{
	raw(SYS_sched_setaffinity, 0, sizeof(cpus), &cpus);
}

static void registers(void)
{
	struct thread threads[THREADS];
	pid_t pids[2];
	int bad = 0;

	words[0] = 0;
	/* All on one processor, or nobody would take it from them. */
	allow(1);
	for (long i = 0; i < THREADS; i++)
		thread_start(&threads[i], hold_in_thread, (void *)(i * 7 + 1));
	for (long i = 0; i < 2; i++)
		pids[i] = fork_child(hold_in_child, (void *)(i * 7 + 100));
	bad = hold(77);
	for (int i = 0; i < THREADS; i++)
		thread_join(&threads[i]);
	is(status_of(pids[0]) | status_of(pids[1]), 0, "two processes keep their registers");
	allow(all_cpus);
	is(bad, 0, "so does this thread");
	is(words[0], 0, "and four others");
}

/* --- from processor to processor -------------------------------------------------------------- */

static int hold_on(void *arg)
{
	int bad = 0;

	while (!words[3]) {
		bad += hold_sse((unsigned)(long)arg, TURNS / 30);
		if (have_avx())
			bad += hold_avx((unsigned)(long)arg, TURNS / 30);
	}
	words[4] = bad;
	return 0;
}

/* The thread is sent through all processors there are, again and again. */
static void migration(void)
{
	struct thread thread;

	words[3] = 0;
	thread_start(&thread, hold_on, (void *)55);
	for (int i = 0; i < 640; i++) {
		unsigned long cpu = 1UL << i % 64;

		if (!(all_cpus & cpu))
			continue;
		raw(SYS_sched_setaffinity, thread.tid, sizeof(cpu), &cpu);
		nap();
	}
	words[3] = 1;
	thread_join(&thread);
	is(words[4], 0, "a thread keeps them on its way from processor to processor");
}

/* --- handlers: the interrupted registers come back ----------------------------------------------- */

static void clobber(int sig)
{
	(void)sig;
	words[1]++;
	__asm__ volatile("pxor %%xmm1, %%xmm1\n\tpxor %%xmm11, %%xmm11\n\tfninit\n\tfldz"
			 :
			 :
			 : "xmm1", "xmm11");
}

static int disturb(void *arg)
{
	int tid = (int)(long)arg;

	while (running) {
		raw(SYS_tgkill, my_pid(), tid, SIGUSR1);
		raw(SYS_sched_yield);
	}
	return 0;
}

static void handlers(void)
{
	struct thread thread;
	int bad = 0;

	words[1] = 0;
	running = 1;
	set_plain(SIGUSR1, clobber);
	thread_start(&thread, disturb, (void *)(long)my_tid());
	for (int i = 0; i < 30 || (words[1] < 20 && i < 5000); i++)
		bad += hold_sse(i, TURNS);
	running = 0;
	thread_join(&thread);
	ok(words[1] >= 20, "a thread is interrupted by signals all the time");
	is(bad, 0, "each time its registers come back");
	set_plain(SIGUSR1, SIG_DFL);
}

/* --- fork ------------------------------------------------------------------------------------------ */

__attribute__((target("avx"))) static void fork_avx(void)
{
	unsigned in[8] __attribute__((aligned(32))), out[8] __attribute__((aligned(32)));
	long pid;

	if (!have_avx()) {
		skip("AVX", "the processor has none");
		return;
	}
	for (int i = 0; i < 8; i++)
		in[i] = 0x1000 + i;
	__asm__ volatile(
		"vmovaps (%[in]), %%ymm9\n\tsyscall\n\tvmovaps %%ymm9, (%[out])\n\tvzeroupper"
		: "=a"(pid)
		: "a"(SYS_fork), [in] "r"(in), [out] "r"(out)
		: "xmm9", "rcx", "r11", "memory");
	if (pid == 0)
		raw(SYS_exit_group, memcmp(in, out, sizeof(in)) ? 1 : 42);
	is(status_of(pid), 42 << 8, "a child has the upper halves of vectors");
	ok(memcmp(in, out, sizeof(in)) == 0, "and the parent too");
}

/* --- thread-local storage ---------------------------------------------------------------------------- */

static long blocks[THREADS][2];

static int look_at_tls(void *arg)
{
	long number = (long)arg, word, bad = 0;

	for (long i = 0; i < 5000000; i++) {
		__asm__ volatile("mov %%fs:8, %0" : "=r"(word));
		bad += word != number;
	}
	__atomic_add_fetch(&words[2], bad != 0, __ATOMIC_SEQ_CST);
	return 0;
}

static void storage(void)
{
	volatile int tids[THREADS];
	char *stacks[THREADS];

	words[2] = 0;
	for (long i = 0; i < THREADS; i++) {
		stacks[i] = fresh(STACK_PAGES, RW);
		blocks[i][1] = 1000 + i;
		tids[i] = -1;
		clone_fn(THREAD_FLAGS | CLONE_SETTLS, stacks[i], look_at_tls, (void *)(1000 + i),
			 &tids[i], &tids[i], (unsigned long)blocks[i]);
	}
	for (int i = 0; i < THREADS; i++) {
		int tid;

		while ((tid = tids[i]) != 0)
			raw(SYS_futex, &tids[i], 0, tid, NULL);
		raw_munmap((unsigned long)stacks[i], STACK_PAGES * PAGE);
	}
	is(words[2], 0, "each thread finds its own block by FS");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	words = shared_words();
	raw(SYS_sched_getaffinity, 0, sizeof(all_cpus), &all_cpus);
	registers();
	migration();
	handlers();
	fork_avx();
	storage();
	return done_testing();
}
