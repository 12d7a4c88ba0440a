/* SPDX-License-Identifier: MIT */
/*
 * /proc/self/status, statm, maps and limits: their format, and each field of memory's shown
 * changing by exactly what was done.
 */
#include "vm.h"

static void order(void)
{
	static const char *const fields[] = {
		"VmPeak",   "VmSize", "VmLck", "VmPin", "VmHWM", "VmRSS", "RssAnon", "RssFile",
		"RssShmem", "VmData", "VmStk", "VmExe", "VmLib", "VmPTE", "VmSwap",
	};
	const char *at, *last;
	bool units = true;

	ok(proc_read("/proc/self/status"), "/proc/self/status");
	last = proc_text;
	for (size_t i = 0; i < COUNT(fields); i++) {
		char line[32];
		unsigned long value;
		char unit[8] = "";

		snprintf(line, sizeof(line), "\n%s:", fields[i]);
		at = strstr(proc_text, line);
		ok(at && at >= last, "%s is there, in its place", fields[i]);
		if (!at)
			continue;
		last = at;
		/* A tab, the number right-aligned in eight columns, the unit. */
		at += strlen(line);
		units &= at[0] == '\t' && sscanf(at, "%lu %7s", &value, unit) == 2 &&
			 strcmp(unit, "kB") == 0 && strcspn(at, "k") == 10;
	}
	ok(units, "each as a tab, eight columns and kB");
}

static void sizes(void)
{
	long size = status("VmSize"), data = status("VmData"), stack = status("VmStk"), peak;
	char *p = hole(32), *q;
	unsigned long at = (unsigned long)p;

	/* hole() itself has left its two walls. */
	is(status("VmSize") - size, 8, "VmSize counts PROT_NONE");
	is(status("VmData") - data, 0, "VmData doesn't");
	size = status("VmSize");
	fix(p, 4, RW);
	is(status("VmSize") - size, 16, "VmSize: four pages");
	is(status("VmData") - data, 16, "VmData: four pages");
	fix(p + 4 * PAGE, 4, PROT_READ | PROT_EXEC);
	is(status("VmSize") - size, 32, "VmSize: four executable pages");
	is(status("VmData") - data, 16, "which aren't data");
	is(status("VmStk"), stack, "nor stack");
	raw_mmap(at + 20 * PAGE, 2 * PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
	is(status("VmStk") - stack, 8, "VmStk counts a growing area");
	fix(p + 24 * PAGE, 4, RW);
	q = fresh(100, RW);
	peak = status("VmPeak");
	is(peak, status("VmSize"), "VmPeak is the present size when that is the largest ever");
	raw_munmap((unsigned long)q, 100 * PAGE);
	raw_munmap(at, 32 * PAGE);
	is(status("VmSize"), size, "all unmapped: VmSize is back");
	is(status("VmPeak"), peak, "VmPeak stays");
	is(status("VmData"), data, "VmData is back");
	is(status("VmStk"), stack, "VmStk is back");
	ok(status("VmExe") > 0, "VmExe");
	is(status("VmSwap"), 0, "VmSwap");
	is(status("VmPin"), 0, "VmPin");
}

static void tables(void)
{
	unsigned long at = 0x151515000000;
	long before;

	/* Far from everything: a page there needs three new tables. */
	raw_mmap(at, 64 * MIB, RW, ANON | MAP_FIXED, -1, 0);
	before = status("VmPTE");
	*(volatile char *)at = 1;
	is(status("VmPTE") - before, 12, "VmPTE: three tables for a page far away");
	*(volatile char *)(at + PAGE) = 1;
	is(status("VmPTE") - before, 12, "none for its neighbour");
	*(volatile char *)(at + 2 * MIB) = 1;
	is(status("VmPTE") - before, 16, "one for a page 2 MiB further");
	*(volatile char *)(at + 60 * MIB) = 1;
	is(status("VmPTE") - before, 20, "and for another");
	raw_madvise(at, 64 * MIB, MADV_DONTNEED);
	is(status("VmPTE") - before, 20, "MADV_DONTNEED keeps tables");
	raw_munmap(at + 32 * MIB, 32 * MIB);
	is(status("VmPTE") - before, 16, "munmap frees those of what it unmaps");
	raw_munmap(at, 2 * MIB);
	is(status("VmPTE") - before, 12, "table by table");
	raw_mprotect(at + 2 * MIB, 4 * MIB, PROT_NONE);
	is(status("VmPTE") - before, 12, "mprotect neither makes nor frees any");
	raw_munmap(at + 2 * MIB, 30 * MIB);
	is(status("VmPTE") - before, 0, "with the last page all three go");

	/* Two areas in one table: it stays as long as one of them does. */
	raw_mmap(at, PAGE, RW, ANON | MAP_FIXED | MAP_POPULATE, -1, 0);
	raw_mmap(at + 2 * PAGE, PAGE, RW, ANON | MAP_FIXED | MAP_POPULATE, -1, 0);
	is(status("VmPTE") - before, 12, "two areas in one table");
	raw_munmap(at, PAGE);
	is(status("VmPTE") - before, 12, "one unmapped: the table stays");
	raw_munmap(at + 2 * PAGE, PAGE);
	is(status("VmPTE") - before, 0, "both: it goes");

	/* Reading maps the zero page, which needs a table as well. */
	raw_mmap(at, PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0);
	(void)peek((char *)at);
	is(status("VmPTE") - before, 12, "a page that was only read needs its tables");
	raw_munmap(at, PAGE);
}

static void statm(void)
{
	long field[7] = { 0 };
	char *p;

	ok(proc_read("/proc/self/statm"), "/proc/self/statm");
	is(sscanf(proc_text, "%ld %ld %ld %ld %ld %ld %ld", field, field + 1, field + 2, field + 3,
		  field + 4, field + 5, field + 6),
	   7, "has seven numbers");
	is(field[0] * 4, status("VmSize"), "the first is the size in pages");
	is(field[5] * 4, status("VmData") + status("VmStk"), "the sixth data and stack");
	ok(field[4] == 0 && field[6] == 0, "the fifth and the seventh are 0");
	is(field[3] * 4, status("VmExe"), "the fourth the text");
	p = fresh(3, RW);
	proc_read("/proc/self/statm");
	is(strtol(proc_text, NULL, 10), field[0] + 3, "three pages more");
	raw_munmap((unsigned long)p, 3 * PAGE);
}

/* The line of maps at that address, with its end. */
static const char *line_of(unsigned long addr)
{
	static char line[256];
	char start[20];
	const char *at, *end;

	line[0] = '\0';
	if (!maps_read())
		return line;
	snprintf(start, sizeof(start), "%08lx-", addr);
	at = strstr(maps_text, start);
	if (at && (end = strchr(at, '\n')) && end - at < (long)sizeof(line)) {
		memcpy(line, at, end - at);
		line[end - at] = '\0';
	}
	return line;
}

static void maps_lines(void)
{
	char want[128];
	char *p = hole(4);
	unsigned long at = (unsigned long)p;
	struct area area;

	fix(p, 2, RW);
	snprintf(want, sizeof(want), "%08lx-%08lx rw-p 00000000 00:00 0 ", at, at + 2 * PAGE);
	is_str(line_of(at), want, "a line of maps without a name ends with a space");
	raw_mmap(0x10000, PAGE, PROT_EXEC, ANON | MAP_FIXED, -1, 0);
	is_str(line_of(0x10000), "00010000-00011000 --xp 00000000 00:00 0 ",
	       "addresses have at least eight digits");
	raw_munmap(0x10000, PAGE);
	ok(area_named("[stack]", &area), "there is a stack");
	snprintf(want, sizeof(want), "%08lx-%08lx rw-p 00000000 00:00 0", area.start, area.end);
	is(strncmp(line_of(area.start), want, strlen(want)), 0, "its line");
	is(strcspn(line_of(area.start), "["), 73, "its name stands in column 73");
	raw_mmap(area.start - 600 * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0);
	ok(area_at(area.start - 600 * PAGE, &area) && !area.name[0], "an area near it has no name");
	raw_munmap(area.start, PAGE);
	raw_munmap(at, 4 * PAGE);
}

static void limits_file(void)
{
	static const char *const lines[] = {
		"Limit                     Soft Limit           Hard Limit           Units     \n",
		"\nMax data size             unlimited            unlimited            bytes     \n",
		"\nMax stack size            8388608              unlimited            bytes     \n",
		"\nMax core file size        0                    unlimited            bytes     \n",
		"\nMax locked memory         8388608              8388608              bytes     \n",
		"\nMax address space         unlimited            unlimited            bytes     \n",
	};
	unsigned long old = soft_limit(RLIMIT_AS);

	ok(proc_read("/proc/self/limits"), "/proc/self/limits");
	for (size_t i = 0; i < COUNT(lines); i++)
		ok(strstr(proc_text, lines[i]) != NULL, "has the line \"%.24s\"",
		   lines[i] + (lines[i][0] == '\n'));
	limit(RLIMIT_AS, 123456789012);
	proc_read("/proc/self/limits");
	ok(strstr(proc_text,
		  "\nMax address space         123456789012         unlimited            bytes     \n"),
	   "and shows a change");
	limit(RLIMIT_AS, old);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	order();
	sizes();
	statm();
	maps_lines();
	tables();
	limits_file();
	return done_testing();
}
