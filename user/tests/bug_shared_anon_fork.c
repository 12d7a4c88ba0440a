/* SPDX-License-Identifier: MIT */
/*
 * Bug: after a fork, pages of shared anonymous memory are accounted twice: a fault counts for both, the
 * promise of memory is made again for the child, or what is resident is taken off twice at its end. Each
 * page costs each process one fault, is in each one's RssShmem once, and was promised once for all.
 */
#include "procs.h"
#include <sys/mman.h>
#include <sys/resource.h>

#define PAGES 2048UL
/* Linux adds what a thread has up to 64 pages late. */
#define LATE_KB 300

static char *p;
static volatile int *words;

static long shmem_kb(void)
{
	return status_field(my_pid(), "RssShmem", 10);
}

/* Half of the pages, in kB; nothing. */
static bool is_half(long kb)
{
	long half = PAGES / 2 * 4;

	if (kb < half - LATE_KB || kb > half + LATE_KB)
		diag("%ld kB, wanted about %ld", kb, half);
	return kb >= half - LATE_KB && kb <= half + LATE_KB;
}

static long faults(void)
{
	return stat_number(my_pid(), 10);
}

static long faults_to_touch(unsigned long first, unsigned long pages)
{
	long before = faults();

	for (unsigned long i = first; i < first + pages; i++)
		((volatile char *)p)[i * PAGE] = 2;
	return faults() - before;
}

static long committed_kb(void)
{
	return proc_read("/proc/meminfo") ? field_from(proc_text, "Committed_AS") : -1;
}

static int child(void *arg)
{
	long base = shmem_kb(), n;

	(void)arg;
	faults(), shmem_kb();
	n = faults_to_touch(0, PAGES / 2);
	/* Reading the counts may cost a fault or two of its own. */
	if (n < (long)PAGES / 2 || n > (long)PAGES / 2 + 4)
		diag("%ld faults for %lu pages", n, PAGES / 2);
	NEED(n >= (long)PAGES / 2 && n <= (long)PAGES / 2 + 4);
	NEED(is_half(shmem_kb() - base));
	words[0] = 1;
	await(&words[1], 1);
	return 0;
}

int main(void)
{
	long before, promised, pid, parent_faults;

	words = shared_words();
	p = (char *)raw_mmap(0, PAGES * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	faults(), shmem_kb();
	before = shmem_kb();
	touch(p, PAGES / 2);
	ok(is_half(shmem_kb() - before), "resident once");
	faults();
	parent_faults = faults();
	pid = fork_child(child, NULL);
	await(&words[0], 1);
	ok(is_half(shmem_kb() - before), "the child's faults are the child's");
	ok(faults() - parent_faults < (long)PAGES / 2, "... its count too");
	is(faults_to_touch(0, PAGES / 2) < (long)PAGES / 2, 1, "ours are there still");
	words[1] = 1;
	is(status_of(pid), 0, "the child counts the same");
	ok(is_half(shmem_kb() - before), "its end takes nothing off ours");
	raw_munmap((unsigned long)p, PAGES * PAGE);
	ok(shmem_kb() - before < LATE_KB, "nothing is left");

	/* What was promised: much, so that what others do meanwhile doesn't matter. */
	promised = committed_kb();
	p = (char *)raw_mmap(0, 16 * MIB, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ok(committed_kb() - promised >= 16 * 1024, "16 MiB are promised");
	words[0] = words[1] = 0;
	pid = raw(SYS_fork);
	if (pid == 0) {
		words[0] = 1;
		await(&words[1], 1);
		raw(SYS_exit_group, 0);
	}
	await(&words[0], 1);
	ok(committed_kb() - promised < 2 * 16 * 1024, "a fork doesn't promise them again");
	words[1] = 1;
	status_of(pid);
	raw_munmap((unsigned long)p, 16 * MIB);
	ok(committed_kb() - promised < 16 * 1024, "and they are taken back once");
	return done_testing();
}
