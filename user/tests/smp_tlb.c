/* SPDX-License-Identifier: MIT */
/*
 * Who is interrupted so that he forgets translations: nobody, while a process runs on one processor
 * only; and the others, when its threads run there. The kernel counts it in /proc/vmstat, if it was
 * built to (Linux: CONFIG_DEBUG_TLBFLUSH, which distributions leave off).
 */
#include "smp.h"

#include <sys/mman.h>

#define ROUNDS 20
#define PAGES  8

/* Everything that takes translations away. Returns how many of the steps failed. */
static int change_mappings(int rounds)
{
	int failed = 0;

	for (int i = 0; i < rounds; i++) {
		char *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		memset(p, i, PAGES * PAGE);
		failed += mprotect(p, PAGES * PAGE, PROT_READ) != 0;
		failed += madvise(p + 2 * PAGE, PAGE, MADV_DONTNEED) != 0;
		p = mremap(p, PAGES * PAGE, 600 * PAGE, MREMAP_MAYMOVE);
		if (p == MAP_FAILED)
			return failed + 1;
		failed += p[3 * PAGE] != (char)i;
		failed += munmap(p, 600 * PAGE) != 0;
	}
	return failed;
}

static int child_of_one_cpu(void *arg)
{
	return change_mappings(ROUNDS);
}

/* --- one processor ---------------------------------------------------------------------------- */

static void on_one_processor(void)
{
	long before;
	pid_t pid;

	pin(0);
	/* Another processor may still know us from before, until the first flush. */
	is(change_mappings(1), 0, "mappings change on one processor");
	before = vmstat("nr_tlb_remote_flush");
	is(change_mappings(ROUNDS), 0, "and again, many times");
	if (before < 0)
		skip("nobody was interrupted", "this kernel doesn't count it");
	else
		is(vmstat("nr_tlb_remote_flush") - before, 0, "nobody was interrupted");
	pid = fork_child(child_of_one_cpu, NULL);
	is(status_of(pid), 0, "a child on the same processor does the same");
	if (before < 0)
		skip("nobody was interrupted for it", "this kernel doesn't count it");
	else
		is(vmstat("nr_tlb_remote_flush") - before, 0, "nobody was interrupted for it");
}

/* --- two -------------------------------------------------------------------------------------- */

static volatile int stop;

/* Runs in user mode all the time: its processor has the address space loaded. */
static int run_beside(struct member *m)
{
	while (!stop)
		m->count++;
	return 0;
}

static void on_two_processors(void)
{
	long sent, received;
	int size = 0;

	team_add(&size, 2, run_beside);
	team_begin(size);
	while (!team[0].count || !team[1].count)
		raw(SYS_sched_yield);
	sent = vmstat("nr_tlb_remote_flush");
	received = vmstat("nr_tlb_remote_flush_received");
	is(change_mappings(ROUNDS), 0, "mappings change beside a thread elsewhere");
	if (sent < 0 || cpu_count < 2) {
		const char *why = sent < 0 ? "this kernel doesn't count it" : "one processor";

		skip("its processor was interrupted each time", why);
		skip("and noted it", why);
	} else {
		sent = vmstat("nr_tlb_remote_flush") - sent;
		received = vmstat("nr_tlb_remote_flush_received") - received;
		ok(sent >= ROUNDS, "its processor was interrupted each time");
		ok(received >= ROUNDS, "and noted it");
	}
	stop = 1;
	team_join(0, size);
}

/* --- "measure": instructions that mprotect takes, if the counter counts them (docs/tlb.md) -------- */

static unsigned long ticks(void)
{
	unsigned int low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (unsigned long)high << 32 | low;
}

static int measure(int argc, char **argv)
{
	static const int pages[] = { 1, 2, 16, 32, 33, 34, 35, 64 };
	char *p = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(p, 1, 64 * PAGE);
	for (unsigned int i = 0; i < COUNT(pages); i++) {
		unsigned long best = ~0UL;

		for (int round = 0; round < 20; round++) {
			unsigned long start = ticks(), took;

			mprotect(p, pages[i] * PAGE, PROT_READ);
			took = ticks() - start;
			best = took < best ? took : best;
			mprotect(p, pages[i] * PAGE, PROT_READ | PROT_WRITE);
		}
		diag("mprotect of %d pages: %lu", pages[i], best);
	}
	return 0;
}

/*
 * "refill": the other side, time until that many pages in use can be read again, after 33 pages were
 * forgotten one by one, and after 34, which means everything.
 */
static unsigned long time_of(char *changed, int pages, const volatile char *used, int nr_used)
{
	unsigned long best = ~0UL;

	for (int round = 0; round < 400; round++) {
		unsigned long start, took;

		mprotect(changed, pages * PAGE, PROT_READ | PROT_WRITE);
		for (int i = 0; i < nr_used; i++)
			used[i * PAGE];
		start = ticks();
		mprotect(changed, pages * PAGE, PROT_READ);
		for (int i = 0; i < nr_used; i++)
			used[i * PAGE];
		took = ticks() - start;
		best = took < best ? took : best;
	}
	return best;
}

static int refill(int argc, char **argv)
{
	static const int in_use[] = { 0, 8, 16, 32, 64, 128, 256 };
	char *p =
		mmap(NULL, 512 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(p, 1, 512 * PAGE);
	for (unsigned int i = 0; i < COUNT(in_use); i++) {
		unsigned long some = time_of(p, 33, p + 64 * PAGE, in_use[i]);
		unsigned long all = time_of(p, 34, p + 64 * PAGE, in_use[i]);

		diag("%3d pages in use: %lu after 33, %lu after 34", in_use[i], some, all);
	}
	return 0;
}

static const struct mode modes[] = { { "measure", measure }, { "refill", refill }, { NULL, NULL } };

int main(int argc, char **argv)
{
	smp_start(argc, argv, modes);
	on_one_processor();
	on_two_processors();
	return done_testing();
}
