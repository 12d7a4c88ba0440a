/* SPDX-License-Identifier: MIT */
/*
 * Bug: bits of the protection that mean nothing reach the flags of the area, where the same bits mean what
 * the area may ever become. Early kernels passed them on. mprotect refuses them all; mmap drops them.
 */
#include "vm.h"
#include <sys/mman.h>

static int read_only_file(void)
{
	char path[64];
	int fd = syscall(SYS_memfd_create, "file", 0), ro;

	if (ftruncate(fd, 2 * PAGE))
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ro = open(path, O_RDONLY);
	close(fd);
	return ro;
}

int main(void)
{
	char *p = island(2, PROT_READ), *shared;
	int fd = read_only_file();

	shared = (char *)raw_mmap(0, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	for (int bit = 4; bit < 63; bit++) {
		long prot = PROT_READ | 1L << bit;

		if (bit == 24 || bit == 25)
			continue; /* PROT_GROWSDOWN and PROT_GROWSUP */
		if (raw_mprotect((unsigned long)p, PAGE, prot) != -EINVAL ||
		    raw_mprotect((unsigned long)shared, PAGE, prot) != -EINVAL)
			ok(false, "mprotect refuses bit %d", bit);
	}
	is_str(layout(p, 2), "0-2 r--p", "mprotect with bits that mean nothing changed nothing");
	is(raw_mprotect((unsigned long)p, PAGE, 0x40 | PROT_WRITE), -EINVAL, "... refused");
	is(raw_mprotect((unsigned long)shared, PAGE, PROT_READ | 0x20), -EINVAL, "VM_MAYWRITE");
	is(raw_mprotect((unsigned long)shared, PAGE, RW), -EACCES,
	   "what is open for reading can't come to be written");
	is(raw_mprotect((unsigned long)p, PAGE, PROT_READ | 0x01000000 | 0x02000000), -EINVAL,
	   "both ways to grow");
	raw_munmap((unsigned long)shared, 2 * PAGE);
	shared = (char *)raw_mmap(0, 2 * PAGE, PROT_READ | 0x20 | 0x70, MAP_SHARED, fd, 0);
	ok(!is_error((long)shared), "mmap drops them");
	is(raw_mprotect((unsigned long)shared, PAGE, RW), -EACCES, "... all of them");
	is_str(layout(shared, 2), "0-2 r--s", "... and the area is as it should be");
	return done_testing();
}
