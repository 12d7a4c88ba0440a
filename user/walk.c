/* SPDX-License-Identifier: MIT */
/*
 * walk: shows what a process's page tables say of an address, level by level, in the kernel's own
 * words (/proc/PID/walk, which Linux has not).
 */
#include "common.h"

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "walk: %s: %s\n", what, why);
	return 1;
}

int main(int argc, char **argv)
{
	static char text[8192];
	unsigned long addr;
	char path[64], *end;
	ssize_t n;
	int fd;

	if (argc != 3) {
		fprintf(stderr, "usage: walk PID ADDRESS    (hexadecimal, as in /proc/PID/maps)\n");
		return 2;
	}
	errno = 0;
	addr = strtoul(argv[2], &end, 16);
	if (*end || end == argv[2] || argv[2][0] == '-' || errno)
		return fail(argv[2], "no address in hexadecimal");
	if ((long)addr < 0)
		return fail(argv[2], "no address of a program's half of memory");
	snprintf(path, sizeof(path), "/proc/%s/walk", argv[1]);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return fail(path, strerror(errno));
	n = pread(fd, text, sizeof(text), addr);
	if (n < 0)
		return fail(argv[2], strerror(errno));
	write_all(text, n);
	if (n > 0 && text[n - 1] != '\n')
		say("\n");
	return 0;
}
