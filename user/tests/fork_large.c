/* SPDX-License-Identifier: MIT */
/*
 * fork of a process with 64 MiB copies none of its pages: they are shared by the thousand, the
 * memory that goes is tables, and as many faults come later as pages are written.
 */
#include "forks.h"

#define PAGES (64 * MIB / PAGE)

static char *p;

/* Pages that pagemap shows as present, and as nobody else's. */
static void count_pages(long *present, long *alone)
{
	static uint64_t entries[512];
	int fd = open("/proc/self/pagemap", O_RDONLY);

	*present = *alone = 0;
	for (unsigned long i = 0; i < PAGES; i += COUNT(entries)) {
		if (pread(fd, entries, sizeof(entries), ((unsigned long)p / PAGE + i) * 8) !=
		    sizeof(entries))
			break;
		for (size_t j = 0; j < COUNT(entries); j++) {
			*present += (entries[j] & PAGEMAP_PRESENT) != 0;
			*alone += (entries[j] & PAGEMAP_EXCLUSIVE) != 0;
		}
	}
	close(fd);
}

/* A field of /proc/meminfo, in kilobytes. */
static long meminfo(const char *name)
{
	return proc_read("/proc/meminfo") ? field_from(proc_text, name) : -1;
}

static int child(void)
{
	long present, alone, before;

	count_pages(&present, &alone);
	report->n[0] = present;
	report->n[1] = alone;
	report->n[2] = smaps(p, "Shared_Dirty");
	report->n[3] = smaps(p, "Private_Dirty");
	report->n[4] = status("VmPTE");
	minor_faults();
	before = minor_faults();
	for (unsigned long i = 0; i < 1000; i++)
		p[i * 7 * PAGE] = 3;
	report->n[5] = minor_faults() - before;
	count_pages(&present, &alone);
	report->n[6] = alone;
	report->n[7] = p[1] + p[(PAGES - 1) * PAGE];
	return 0;
}

static int idle(void)
{
	await(CHILD);
	return 0;
}

int main(int argc, char **argv)
{
	long pids[10], present, alone, before, after, tables;
	unsigned long bad = 0;

	tap_start(argc, argv, NULL);
	forks_start();
	p = fresh(PAGES, RW);
	for (unsigned long i = 0; i < PAGES; i++)
		p[i * PAGE] = 2;
	count_pages(&present, &alone);
	is(present, PAGES, "64 MiB are in memory");
	is(alone, PAGES, "... and nobody else's");
	tables = status("VmPTE");

	is(in_child(child), 0, "a child");
	is(report->n[0], PAGES, "has them all");
	is(report->n[1], 0, "... none alone");
	is(report->n[2], PAGES * 4, "... all shared, by smaps");
	is(report->n[3], 0, "... none private");
	is(report->n[4], tables, "... in as many tables as its parent's");
	is(report->n[5], 1000, "a thousand writes are a thousand faults");
	is(report->n[6], 1000, "... and as many pages of its own");
	is(report->n[7], 2, "what it reads is what was written");
	for (unsigned long i = 0; i < PAGES; i++)
		bad += p[i * PAGE] != 2;
	is(bad, 0, "the parent sees nothing of it");

	/* Ten children at once would be 640 MiB, and there are 512 in the machine. */
	before = meminfo("MemFree");
	for (int i = 0; i < 10; i++) {
		pids[i] = raw_fork();
		if (pids[i] == 0)
			raw_exit(idle());
		bad += pids[i] < 0;
	}
	is(bad, 0, "ten children more, all at once");
	after = meminfo("MemFree");
	ok(before - after < 16 * 1024, "... and they take less than 16 MiB");
	diag("%ld kB", before - after);
	for (int i = 0; i < 10; i++)
		let_go(CHILD);
	for (int i = 0; i < 10; i++)
		bad += reap(pids[i]) != 0;
	is(bad, 0, "all of them end well");
	count_pages(&present, &alone);
	is(alone, PAGES, "and every page is the parent's alone again");
	return done_testing();
}
