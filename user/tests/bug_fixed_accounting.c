/* SPDX-License-Identifier: MIT */
/*
 * Bug: MAP_FIXED over several areas forgets to take their sizes off, or counts the new memory on top of
 * the old when it asks for the limit; the sizes drift, until a program is refused memory that it has, or
 * RLIMIT_AS and RLIMIT_MEMLOCK no longer limit anything.
 */
#include "procs.h"
#include <sys/mman.h>
#include <sys/resource.h>

static char *p;

static long kb(const char *name)
{
	return status_field(my_pid(), name, 10);
}

/* Five areas of different kinds, 20 pages, of which 4 are locked. */
static void build(void)
{
	fix(p, 20, RW);
	raw_mprotect((unsigned long)p + 4 * PAGE, 4 * PAGE, PROT_READ);
	raw_mmap((unsigned long)p + 8 * PAGE, 4 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED,
		 -1, 0);
	raw_mlock((unsigned long)p + 12 * PAGE, 4 * PAGE);
	touch(p + 16 * PAGE, 2);
}

static int at_the_limit(void *arg)
{
	struct rlimit lim = { 0, 0 };

	(void)arg;
	build();
	lim.rlim_cur = lim.rlim_max = kb("VmSize") * 1024;
	NEED_IS(raw(SYS_setrlimit, RLIMIT_AS, &lim), 0);
	NEED_IS(fix(p, 20, RW), (long)p);
	NEED_IS(raw_mmap((unsigned long)p + 2 * PAGE, 17 * PAGE, PROT_READ, ANON | MAP_FIXED, -1,
			 0),
		(long)p + 2 * (long)PAGE);
	NEED_IS(raw_mmap((unsigned long)p + PAGE, 20 * PAGE, RW, ANON | MAP_FIXED, -1, 0), -ENOMEM);
	NEED(strcmp(layout(p, 20), "0-2 rw-p, 2-19 r--p, 19-20 rw-p") == 0);
	return 0;
}

int main(void)
{
	long size, data, locked, promised;

	p = hole(24);
	kb("VmSize");
	proc_read("/proc/meminfo");
	size = kb("VmSize");
	data = kb("VmData");
	locked = kb("VmLck");
	for (int i = 0; i < 20; i++) {
		build();
		if (i == 0) {
			is(kb("VmSize") - size, 80, "five areas have 20 pages");
			is(kb("VmData") - data, 48, "12 of them are data");
			is(kb("VmLck") - locked, 16, "4 are locked");
		}
		fix(p, 20, PROT_READ);
	}
	is(kb("VmSize") - size, 80, "replaced, 20 times: 20 pages");
	is(kb("VmData") - data, 0, "none of them data");
	is(kb("VmLck") - locked, 0, "nor locked");
	is(smaps(p, "Rss"), 0, "nor resident");
	raw_munmap((unsigned long)p, 20 * PAGE);
	is(kb("VmSize") - size, 0, "unmapped: as at first");
	child_ok(at_the_limit, "at RLIMIT_AS what is there may be replaced, and no page more");

	/* What was promised for it goes along: much, again and again. */
	promised = proc_read("/proc/meminfo") ? field_from(proc_text, "Committed_AS") : -1;
	p = (char *)raw_mmap(0, 16 * MIB, RW, ANON, -1, 0);
	for (int i = 0; i < 50; i++) {
		raw_mprotect((unsigned long)p + 4 * MIB, 4 * MIB, PROT_READ);
		raw_mmap((unsigned long)p, 16 * MIB, RW, ANON | MAP_FIXED, -1, 0);
	}
	proc_read("/proc/meminfo");
	ok(field_from(proc_text, "Committed_AS") - promised < 4 * 16 * 1024,
	   "promised once, not 50 times");
	raw_munmap((unsigned long)p, 16 * MIB);
	proc_read("/proc/meminfo");
	ok(field_from(proc_text, "Committed_AS") - promised < 16 * 1024, "... and taken back");
	return done_testing();
}
