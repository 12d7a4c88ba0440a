/* SPDX-License-Identifier: MIT */
/*
 * Bug: "Dirty COW", CVE-2016-5195. A debugger's write to a private page that the program may only read makes
 * a copy, remembers having done so, and looks the page up again as a reader; if madvise(MADV_DONTNEED)
 * has thrown the copy away in between, the write goes to the file's own page. The file, which
 * can't be written by who does all this, must stay as it is.
 */
#include "smp.h"
#include <sys/mman.h>

#define ROUNDS 4000

static char *p;
static volatile int done;

static int drops(struct member *m)
{
	(void)m;
	while (!done) {
		raw(SYS_madvise, p, PAGE, MADV_DONTNEED);
		/* And back in as the file's: that is what must not be written. */
		peek(p);
	}
	return 0;
}

static int writes(struct member *m)
{
	long mem = raw(SYS_open, "/proc/self/mem", O_RDWR);

	for (unsigned long i = 0; i < ROUNDS * times; i++) {
		if (raw(SYS_pwrite64, mem, "moo", 3, p) != 3)
			complain("the write failed");
		breathe(i);
	}
	raw(SYS_close, mem);
	done = 1;
	(void)m;
	return 0;
}

int main(int argc, char **argv)
{
	char path[64], text[4] = "";
	int fd, ro, size = 0;

	smp_start(argc, argv, NULL);
	fd = syscall(SYS_memfd_create, "f", 0);
	is(write(fd, "dog", 3), 3, "a file");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ro = open(path, O_RDONLY);
	p = (char *)raw_mmap(0, PAGE, PROT_READ, MAP_PRIVATE, ro, 0);
	team_add(&size, 1, writes);
	team_add(&size, 1, drops);
	team_begin(size);
	team_join(0, size);
	nobody_complained("every write was taken");
	is(pread(fd, text, 3, 0), 3, "the file");
	is_str(text, "dog", "... is what it was");
	return done_testing();
}
