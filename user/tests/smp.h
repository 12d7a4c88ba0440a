/* SPDX-License-Identifier: MIT */
/*
 * smp.h: threads on processors of their own, which access memory that others take away meanwhile.
 *
 * Such a test takes arguments: "seed N TIMES" for other random numbers and so many times the
 * operations. What a test says doesn't depend on how the threads get on, nor on how many processors
 * there are; with one, they take turns.
 */
#ifndef USER_TESTS_SMP_H
#define USER_TESTS_SMP_H

#include "procs.h"

#define MAX_CPUS 64
#define TEAM_MAX 8

static unsigned long seed = 1, times = 1;
static int cpu_count, cpu_numbers[MAX_CPUS];

/* --- processors ------------------------------------------------------------------------------- */

TAP_FN void find_cpus(void)
{
	unsigned long mask[16] = { 0 };

	cpu_count = 0;
	raw(SYS_sched_getaffinity, 0, sizeof(mask), mask);
	for (int i = 0; i < MAX_CPUS; i++)
		if (mask[0] & 1UL << i)
			cpu_numbers[cpu_count++] = i;
}

/* From here on the caller runs on the nth processor of those that the test started with. */
TAP_FN long pin(int n)
{
	unsigned long mask = 1UL << cpu_numbers[n % cpu_count];

	return raw(SYS_sched_setaffinity, 0, sizeof(mask), &mask);
}

TAP_FN void smp_start(int argc, char **argv, const struct mode *modes)
{
	if (argc >= 4 && strcmp(argv[1], "seed") == 0) {
		seed = strtoul(argv[2], NULL, 0);
		times = strtoul(argv[3], NULL, 0);
		argc = 1;
	}
	tap_start(argc, argv, modes);
	find_cpus();
	diag("%d processors, seed %lu", cpu_count, seed);
}

/* --- random numbers --------------------------------------------------------------------------- */

/* Different ones for each number of a thread. */
TAP_FN unsigned long random_start(unsigned long number)
{
	return (seed * 1000 + number + 1) * 0x9e3779b97f4a7c15UL;
}

TAP_FN unsigned long random_below(unsigned long *state, unsigned long n)
{
	unsigned long x = *state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return (x * 0x2545f4914f6cdd1dUL >> 32) % n;
}

/* --- accesses that may fault ------------------------------------------------------------------ */

/*
 * One instruction each. 0, or the number of the signal that came instead: the handler looks where
 * the thread was, so any number of threads may be here at once.
 */
long probe_load(const volatile unsigned long *at, unsigned long *value);
long probe_store(volatile unsigned long *at, unsigned long value);
long probe_add(volatile unsigned long *at, unsigned long value);
long probe_byte(const volatile unsigned char *at, unsigned long *value);
extern char probe_first[], probe_faulted[];

__asm__(".pushsection .text\n"
	"probe_first:\n"
	"probe_load:\n\t"
	"mov (%rdi), %rax\n\t"
	"mov %rax, (%rsi)\n\t"
	"xor %eax, %eax\n\t"
	"ret\n"
	"probe_store:\n\t"
	"mov %rsi, (%rdi)\n\t"
	"xor %eax, %eax\n\t"
	"ret\n"
	"probe_add:\n\t"
	"lock add %rsi, (%rdi)\n\t"
	"mov $0, %eax\n\t"
	"ret\n"
	"probe_byte:\n\t"
	"movzbl (%rdi), %eax\n\t"
	"mov %rax, (%rsi)\n\t"
	"xor %eax, %eax\n"
	"probe_faulted:\n\t"
	"ret\n"
	".popsection\n");

TAP_FN void skip_access(int sig, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	unsigned long at = regs[REG_RIP];
	struct raw_sigaction plain = { 0 };

	if (at >= (unsigned long)probe_first && at < (unsigned long)probe_faulted) {
		regs[REG_RAX] = sig;
		regs[REG_RIP] = (unsigned long)probe_faulted;
		return;
	}
	diag("signal %d at %p, instruction 0x%lx", sig, info->si_addr, at);
	raw(SYS_rt_sigaction, sig, &plain, NULL, 8);
}

TAP_FN void catch_probes(void)
{
	catch_with(SIGSEGV, skip_access, SA_NODEFER, 0);
	catch_with(SIGBUS, skip_access, SA_NODEFER, 0);
}

/* --- what goes wrong -------------------------------------------------------------------------- */

static volatile long complaints;

/* Counts; says the first few. */
#define complain(...)                                                           \
	do {                                                                    \
		if (__atomic_add_fetch(&complaints, 1, __ATOMIC_SEQ_CST) <= 10) \
			diag(__VA_ARGS__);                                      \
	} while (0)

/* One check: nobody complained since the last. */
TAP_FN bool nobody_complained(const char *name)
{
	return is(__atomic_exchange_n(&complaints, 0, __ATOMIC_SEQ_CST), 0, "%s", name);
}

/* --- teams ------------------------------------------------------------------------------------ */

/* A thread with a number; threads of a team begin when all are there, each on the next processor. */
struct member {
	struct thread thread;
	int number;
	int (*fn)(struct member *member);
	unsigned long random;
	volatile long count; /* for whoever wants to see it get on */
};

static struct member team[TEAM_MAX];
static volatile int team_ready, team_go;

TAP_FN int member_main(void *arg)
{
	struct member *m = arg;

	pin(m->number);
	__atomic_add_fetch(&team_ready, 1, __ATOMIC_SEQ_CST);
	while (!team_go)
		raw(SYS_sched_yield);
	return m->fn(m);
}

/* Adds threads to the team; they wait for team_begin(). */
TAP_FN void team_add(int *size, int n, int (*fn)(struct member *))
{
	if (*size == 0)
		team_ready = team_go = 0;
	for (; n > 0; n--, ++*size) {
		struct member *m = &team[*size];

		*m = (struct member){ .number = *size, .fn = fn, .random = random_start(*size) };
		if (thread_start(&m->thread, member_main, m) < 0) {
			tap_write("Bail out!\n", 10);
			_exit(1);
		}
	}
}

TAP_FN void team_begin(int size)
{
	while (team_ready < size)
		raw(SYS_sched_yield);
	team_go = 1;
}

TAP_FN void team_join(int first, int n)
{
	for (int i = first; i < first + n; i++)
		thread_join(&team[i].thread);
}

/* Between 2 and 4, as many as there are processors. */
TAP_FN int team_width(void)
{
	return cpu_count < 2 ? 2 : cpu_count > 4 ? 4 : cpu_count;
}

/* Lets others run, now and then: with one processor they wouldn't for a whole time slice. */
TAP_FN void breathe(unsigned long n)
{
	if (n % 32 == 0)
		raw(SYS_sched_yield);
}

/* --- what the kernel counted ------------------------------------------------------------------ */

/* A number of /proc/vmstat, or -1. */
TAP_FN long vmstat(const char *name)
{
	static char text[16384];
	size_t len = 0, n = strlen(name);
	int fd = open("/proc/vmstat", O_RDONLY);
	long got;

	while (len < sizeof(text) - 1 && (got = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += got;
	close(fd);
	text[len] = '\0';
	for (char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, n) == 0 && line[n] == ' ')
			return strtol(line + n + 1, NULL, 10);
	}
	return -1;
}

#endif
