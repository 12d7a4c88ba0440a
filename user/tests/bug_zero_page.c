/* SPDX-License-Identifier: MIT */
/*
 * Bug: the page of zeros, which all untouched memory shows, is handed to somebody who writes it: then
 * every program's fresh memory holds what he wrote. (The huge one was, in "Huge Dirty COW",
 * CVE-2017-1000405.) Read first, then written by every way there is; the others stay zero.
 */
#include "procs.h"
#include <sys/mman.h>
#include <sys/uio.h>

static char *witness; /* read, never written */

static bool all_zero(const char *at)
{
	for (unsigned long i = 0; i < PAGE; i++)
		if (at[i])
			return false;
	return true;
}

static void check(const char *p, const char *how)
{
	char *other = fresh(1, PROT_READ);

	is(p[5], 'z', "written %s", how);
	ok(all_zero(witness) && all_zero(other), "... and zeros are zeros");
	raw_munmap((unsigned long)other, PAGE);
}

static char *read_first(int prot)
{
	char *p = fresh(1, prot);

	is(peek(p + 5), 0, "a page of zeros");
	return p;
}

int main(void)
{
	char c = 'z', *p;
	int mem = open("/proc/self/mem", O_RDWR), fd = syscall(SYS_memfd_create, "f", 0);
	struct iovec from = { &c, 1 }, to = { NULL, 1 };

	witness = fresh(1, PROT_READ);
	ok(all_zero(witness), "a witness");
	is(write(fd, &c, 1), 1, "a file");
	p = read_first(RW);
	p[5] = c;
	check(p, "by an instruction");
	p = read_first(RW);
	is(pread(fd, p + 5, 1, 0), 1, "read(2)");
	check(p, "by read(2)");
	p = read_first(RW);
	is(pwrite(mem, &c, 1, (long)p + 5), 1, "/proc/self/mem");
	check(p, "by /proc/self/mem");
	p = read_first(PROT_READ);
	is(pwrite(mem, &c, 1, (long)p + 5), 1, "... though only readable");
	check(p, "by force");
	p = read_first(RW);
	to.iov_base = p + 5;
	is(syscall(SYS_process_vm_writev, getpid(), &from, 1, &to, 1, 0), 1, "process_vm_writev");
	check(p, "by process_vm_writev");
	p = read_first(RW);
	is(raw_madvise((unsigned long)p, PAGE, MADV_POPULATE_WRITE), 0, "MADV_POPULATE_WRITE");
	p[5] = c;
	check(p, "after MADV_POPULATE_WRITE");
	p = read_first(PROT_READ);
	raw_mprotect((unsigned long)p, PAGE, RW);
	p[5] = c;
	check(p, "after mprotect");
	p = read_first(RW);
	if (raw(SYS_fork) == 0) {
		p[5] = c;
		raw(SYS_exit_group, p[5] == c && all_zero(witness) ? 0 : 1);
	}
	is(status_of(-1) == 0, 0, "nobody else to wait for by that");
	is(raw(SYS_wait4, -1, NULL, 0, NULL) > 0, 1, "a child wrote it");
	is(p[5], 0, "... and we see nothing of it");
	return done_testing();
}
