/* SPDX-License-Identifier: MIT */
/*
 * Bug: a length of 0, or one that wraps when it is rounded up or added to the address, gets past the
 * checks. In Linux 2.4 and 2.6 mremap(2) made an area of length 0 (CVE-2003-0985), and brk(2) one that
 * reached into the kernel's half (CVE-2003-0961). Each memory call says what Linux 6.1 says to both, and
 * changes nothing.
 */
#include "vm.h"
#include <sys/uio.h>

static const unsigned long lengths[] = {
	0, 1UL << 63, -4095UL, -1UL, TASK_SIZE, TASK_SIZE + PAGE, 1UL << 47, -2 * PAGE, -PAGE,
};
#define NR COUNT(lengths)

static char *p;
static unsigned char vec[8];

static long call(int which, unsigned long len)
{
	unsigned long at = (unsigned long)p;

	switch (which) {
	case 0:
		return raw_mmap(0, len, RW, ANON, -1, 0);
	case 1:
		return raw_mmap(at, len, RW, ANON | MAP_FIXED, -1, 0);
	case 2:
		return raw_munmap(at, len);
	case 3:
		return raw_mprotect(at, len, PROT_READ);
	case 4:
		return raw_mremap(at, len, PAGE, MREMAP_MAYMOVE, 0);
	case 5:
		return raw_mremap(at, PAGE, len, MREMAP_MAYMOVE, 0);
	case 6:
		return raw_mremap(at, PAGE, len, MREMAP_MAYMOVE | MREMAP_FIXED, at + 16 * PAGE);
	case 7:
		return raw_madvise(at, len, MADV_NORMAL);
	case 8:
		return raw_mincore(at, len, (unsigned long)vec);
	case 9:
		return raw_msync(at, len, MS_ASYNC);
	case 10:
		return raw_mlock(at, len);
	case 11:
		return raw_munlock(at, len);
	default:
		return result(syscall(SYS_remap_file_pages, at, len, 0, 0, 0));
	}
}

static const char *const names[] = {
	"mmap",	     "mmap MAP_FIXED",	"munmap",	   "mprotect", "mremap from",
	"mremap to", "mremap FIXED to", "madvise",	   "mincore",  "msync",
	"mlock",     "munlock",		"remap_file_pages"
};

/* What Linux 6.1 says, for each of the lengths. A length of 0 is nothing to do, or an error. */
static const short wanted[COUNT(names)][NR] = {
	{ EINVAL, ENOMEM, ENOMEM, ENOMEM, ENOMEM, ENOMEM, ENOMEM, ENOMEM, ENOMEM },
	{ EINVAL, ENOMEM, ENOMEM, ENOMEM, ENOMEM, ENOMEM, ENOMEM, ENOMEM, ENOMEM },
	{ EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL },
	{ 0, ENOMEM, ENOMEM, ENOMEM, ENOMEM, ENOMEM, ENOMEM, ENOMEM, ENOMEM },
	{ EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL },
	{ EINVAL, ENOMEM, EINVAL, EINVAL, ENOMEM, ENOMEM, ENOMEM, ENOMEM, ENOMEM },
	{ EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL },
	{ 0, ENOMEM, EINVAL, EINVAL, ENOMEM, ENOMEM, ENOMEM, EINVAL, EINVAL },
	{ 0, ENOMEM, ENOMEM, ENOMEM, ENOMEM, ENOMEM, ENOMEM, ENOMEM, ENOMEM },
	{ 0, ENOMEM, 0, 0, ENOMEM, ENOMEM, ENOMEM, ENOMEM, ENOMEM },
	{ 0, ENOMEM, 0, 0, ENOMEM, ENOMEM, ENOMEM, ENOMEM, ENOMEM },
	{ 0, ENOMEM, 0, 0, ENOMEM, ENOMEM, ENOMEM, EINVAL, EINVAL },
	{ EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL, EINVAL },
};

static void lengths_of(unsigned int which)
{
	static char before[256];
	char *area = hole(32);
	long got;

	for (unsigned int i = 0; i < NR; i++) {
		fix(area, 4, RW);
		raw_munmap((unsigned long)area + 4 * PAGE, 28 * PAGE);
		p = area;
		touch(p, 4);
		strcpy(before, layout(area, 32));
		got = call(which, lengths[i]);
		is(got, -wanted[which][i], "%s, %#lx bytes", names[which], lengths[i]);
		/* mprotect gets as far as the first hole. */
		if (wanted[which][i] && which != 3)
			is_str(layout(area, 32), before, "... and all is as it was");
		raw_munlock((unsigned long)p, 4 * PAGE);
	}
}

static void others(void)
{
	unsigned long brk = raw_brk(0);
	struct iovec none = { p, 0 }, wraps = { p, -1UL };

	is(raw_brk(-1UL) == brk && raw_brk(TASK_SIZE) == brk && raw_brk(1UL << 63) == brk, 1,
	   "brk to what can't be: it stays");
	is(result(syscall(SYS_process_vm_readv, getpid(), &none, 1, &none, 1, 0)), 0,
	   "process_vm_readv of nothing");
	is(result(syscall(SYS_process_vm_readv, getpid(), &wraps, 1, &none, 1, 0)), -EINVAL,
	   "... of a length that is negative");
	is(result(syscall(SYS_read, 0, p, 0)) <= 0, 1, "read of nothing");
}

int main(void)
{
	for (unsigned int which = 0; which < COUNT(names); which++)
		lengths_of(which);
	others();
	return done_testing();
}
