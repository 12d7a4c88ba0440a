/* SPDX-License-Identifier: MIT */
/*
 * Bug: MAP_POPULATE and mlock(2) bring pages in after the area is made, and let go of mmap_lock now and
 * then; whoever remembers the area across that works on one that another thread has unmapped and replaced
 * meanwhile. One thread populates, another unmaps and maps something else there; nothing is written
 * where it must not be, and in the end nothing is left.
 */
#include "smp.h"
#include <sys/mman.h>

#define ROUNDS 60
#define SPAN   2048UL

static char *base;
static volatile int done;
static int fd;

static int populates(struct member *m)
{
	(void)m;
	for (unsigned long i = 0; i < ROUNDS * times; i++) {
		raw(SYS_mmap, base, SPAN * PAGE, RW, ANON | MAP_FIXED | MAP_POPULATE, -1, 0);
		raw(SYS_mlock, base, 1024 * PAGE);
		raw(SYS_madvise, base, SPAN * PAGE, MADV_POPULATE_WRITE);
		raw(SYS_munlock, base, SPAN * PAGE);
	}
	done = 1;
	return 0;
}

static int replaces(struct member *m)
{
	for (unsigned long i = 0; !done; i++) {
		unsigned long first = random_below(&m->random, SPAN / 16) * 16;

		switch (i % 3) {
		case 0:
			raw(SYS_munmap, base + first * PAGE, 16 * PAGE);
			break;
		case 1:
			raw(SYS_mmap, base + first * PAGE, 16 * PAGE, PROT_READ,
			    MAP_SHARED | MAP_FIXED, fd, 0);
			break;
		case 2:
			raw(SYS_munmap, base, SPAN * PAGE);
			break;
		}
		breathe(i);
	}
	return 0;
}

int main(int argc, char **argv)
{
	char byte = 1;
	int size = 0;
	long rss, locked;

	smp_start(argc, argv, NULL);
	/* Not free yet: or the threads' stacks come here. */
	base = fresh(SPAN, PROT_NONE);
	fd = syscall(SYS_memfd_create, "f", 0);
	is(ftruncate(fd, 16 * PAGE), 0, "a file");
	status_field(my_pid(), "VmRSS", 10);
	locked = status_field(my_pid(), "VmLck", 10);
	rss = status_field(my_pid(), "RssAnon", 10);
	team_add(&size, 1, populates);
	team_add(&size, 2, replaces);
	team_begin(size);
	team_join(0, size);
	raw_munmap((unsigned long)base, SPAN * PAGE);
	for (long at = 0; at < 16 * (long)PAGE; at += PAGE)
		if (pread(fd, &byte, 1, at) != 1 || byte)
			complain("page %ld of the file has %d", at / (long)PAGE, byte);
	nobody_complained("nobody wrote the file");
	is(status_field(my_pid(), "VmLck", 10), locked, "nothing is locked");
	ok(status_field(my_pid(), "RssAnon", 10) <= rss + 256, "nothing is left");
	return done_testing();
}
