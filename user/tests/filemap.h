/* SPDX-License-Identifier: MIT */
/*
 * filemap.h: files whose pages can be told apart, mappings of them, and accesses that survive a
 * signal and say which it was.
 */
#ifndef USER_TESTS_FILEMAP_H
#define USER_TESTS_FILEMAP_H

#include "files.h"
#include "forks.h"
#include "signals.h"

#define BUS_ADRERR_ 2

/* Pages from `first` on become full of 'A', 'B'... by their number in the file. */
TAP_FN long fill(int fd, unsigned long first, unsigned long pages)
{
	static char page[PAGE];

	for (unsigned long i = first; i < first + pages; i++) {
		memset(page, 'A' + i % 26, PAGE);
		if (pwrite(fd, page, PAGE, i * PAGE) != PAGE)
			return -errno;
	}
	return 0;
}

__attribute__((noreturn)) TAP_FN void bail(const char *what)
{
	diag("%s: errno %d", what, errno);
	tap_write("Bail out!\n", 10);
	_exit(1);
}

/* A new file in the test's directory, of filled pages; open for both. */
TAP_FN int pages_file(const char *name, unsigned long pages)
{
	int fd = open(in_dir(name), O_RDWR | O_CREAT | O_EXCL, 0644);

	if (fd < 0 || fill(fd, 0, pages))
		bail(name);
	return fd;
}

TAP_FN char *map_at(const void *addr, int fd, unsigned long pages, int prot, int flags,
		    unsigned long pgoff)
{
	long p = raw_mmap((unsigned long)addr, pages * PAGE, prot, flags, fd, pgoff * PAGE);

	if (is_error(p)) {
		errno = (int)-p;
		bail("mmap");
	}
	return (char *)p;
}

TAP_FN char *map_file(int fd, unsigned long pages, int prot, int flags)
{
	return map_at(NULL, fd, pages, prot, flags, 0);
}

TAP_FN void unmap(const void *addr, unsigned long pages)
{
	raw_munmap((unsigned long)addr, pages * PAGE);
}

/* The byte at that place of the file, by pread; -1 behind its end. */
TAP_FN int in_file(int fd, unsigned long offset)
{
	unsigned char c;

	return pread(fd, &c, 1, offset) == 1 ? c : -1;
}

TAP_FN int put_byte(int fd, unsigned long offset, char c)
{
	return pwrite(fd, &c, 1, offset) == 1;
}

TAP_FN void catch_faults(void)
{
	catch_with(SIGBUS, note_and_escape, SA_NODEFER, 0);
	catch_with(SIGSEGV, note_and_escape, SA_NODEFER, 0);
}

/* The byte read there, or minus the signal that came instead; catch_faults() before. */
TAP_FN int try_read(const void *addr)
{
	seen.count = 0;
	if (sigsetjmp(escape, 1))
		return -seen.signo;
	return peek(addr);
}

/* 0, or minus the signal. */
TAP_FN int try_write(void *addr, char c)
{
	seen.count = 0;
	if (sigsetjmp(escape, 1))
		return -seen.signo;
	*(volatile char *)addr = c;
	return 0;
}

/* A window of 64 KiB, of which the next is in the same page table; nothing is mapped in both. */
TAP_FN char *window(void)
{
	char *p = hole(64);
	char *at = (char *)(((unsigned long)p + 16 * PAGE - 1) & -(16 * PAGE));

	if (((unsigned long)at / PAGE & 511) == 496)
		at += 16 * PAGE;
	return at;
}

/* Which of up to 64 pages are mapped, as text of 1 and 0. */
TAP_FN const char *present(const char *base, unsigned long pages)
{
	static char text[65];

	for (unsigned long i = 0; i < pages; i++)
		text[i] = resident(base + i * PAGE) ? '1' : '0';
	text[pages] = '\0';
	return text;
}

#endif
