/* SPDX-License-Identifier: MIT */
/*
 * Bug: a file is cut, and a private copy of one of its pages is lost that should stay, or stays although
 * it lies beyond the end, where an access is SIGBUS. A truncation takes the copies beyond the new end too;
 * the copy of the page that the end lies in survives with all its bytes; and a hole that is punched
 * takes no copy at all.
 */
#include "smp.h"
#include <sys/mman.h>

static char *p;
static int fd;

static long read_at(const char *at)
{
	unsigned long value = 0;
	long sig = probe_byte((const unsigned char *)at, &value);

	return sig ? -sig : (long)value;
}

/* Four pages of the file, of which the odd ones have private copies. */
static void build(void)
{
	static char page[PAGE];

	if (p)
		raw_munmap((unsigned long)p, 4 * PAGE);
	ftruncate(fd, 0);
	for (int i = 0; i < 4; i++) {
		memset(page, 'a' + i, PAGE);
		pwrite(fd, page, PAGE, i * PAGE);
	}
	p = (char *)raw_mmap(0, 4 * PAGE, RW, MAP_PRIVATE, fd, 0);
	for (int i = 0; i < 4; i++)
		read_at(p + i * PAGE);
	memset(p + PAGE, 'B', PAGE);
	memset(p + 3 * PAGE, 'D', PAGE);
}

int main(void)
{
	catch_probes();
	fd = syscall(SYS_memfd_create, "f", 0);
	build();
	is(ftruncate(fd, PAGE + 100), 0, "cut in the second page");
	is(read_at(p), 'a', "the first is the file's");
	is(read_at(p + PAGE + 50), 'B', "the second is our copy, before the end");
	is(read_at(p + PAGE + 2000), 'B', "... and behind it");
	is(read_at(p + 2 * PAGE), -SIGBUS, "the third is gone");
	is(read_at(p + 3 * PAGE), -SIGBUS, "the copy of the fourth as well");
	is(probe_store((unsigned long *)(p + 3 * PAGE), 1), SIGBUS, "... for writing too");
	is(ftruncate(fd, 4 * PAGE), 0, "made longer");
	is(read_at(p + 3 * PAGE), 0, "there are zeros of the file now");
	is(read_at(p + PAGE + 2000), 'B', "the copy is still there");

	build();
	is(ftruncate(fd, PAGE), 0, "cut where our copy begins");
	is(read_at(p + PAGE), -SIGBUS, "it is gone");

	build();
	is(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4 * PAGE), 0,
	   "a hole punched");
	is(read_at(p), 0, "the file's pages are zeros");
	is(read_at(p + PAGE), 'B', "our copies stay");
	is(read_at(p + 3 * PAGE + 4000), 'D', "... both");
	return done_testing();
}
