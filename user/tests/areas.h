/* SPDX-License-Identifier: MIT */
/*
 * areas.h: a test's view of its own address space, read from /proc/self/maps and
 * /proc/self/pagemap, without allocating.
 */
#ifndef USER_TESTS_AREAS_H
#define USER_TESTS_AREAS_H

#include "tap.h"
#include <sys/mman.h>
#include <sys/resource.h>

struct area {
	unsigned long start;
	unsigned long end;
	char perms[8];
	unsigned long offset;
	char name[128];
};

static char maps_text[32768];

/* Reads all of /proc/self/maps; it may come in pieces of about a page. */
TAP_FN bool maps_read(void)
{
	int fd = open("/proc/self/maps", O_RDONLY);
	size_t used = 0;
	ssize_t n = -1;

	if (fd < 0)
		return false;
	while (used < sizeof(maps_text) - 1) {
		n = read(fd, maps_text + used, sizeof(maps_text) - 1 - used);
		if (n <= 0)
			break;
		used += n;
	}
	close(fd);
	maps_text[used] = '\0';
	return n == 0 && used > 0;
}

/* One line of maps into an area; returns where the next line starts, or NULL. */
TAP_FN const char *maps_line(const char *line, struct area *area)
{
	const char *end = strchr(line, '\n');
	char *at;
	size_t len;

	if (!end)
		return NULL;
	memset(area, 0, sizeof(*area));
	area->start = strtoul(line, &at, 16);
	area->end = strtoul(at + 1, &at, 16);
	memcpy(area->perms, at + 1, 4);
	area->offset = strtoul(at + 6, &at, 16);
	/* Over the device and the inode to the name. */
	at = strchr(at + 1, ' ');
	if (!at || at > end)
		return NULL;
	strtoul(at + 1, &at, 10);
	while (*at == ' ')
		at++;
	len = at < end ? (size_t)(end - at) : 0;
	if (len >= sizeof(area->name))
		len = sizeof(area->name) - 1;
	memcpy(area->name, at, len);
	return end + 1;
}

/* The area that contains addr. */
TAP_FN bool area_at(unsigned long addr, struct area *area)
{
	const char *line = maps_text;

	if (!maps_read())
		return false;
	while (*line && (line = maps_line(line, area)))
		if (addr >= area->start && addr < area->end)
			return true;
	return false;
}

/* The first area of that name. */
TAP_FN bool area_named(const char *name, struct area *area)
{
	const char *line = maps_text;

	if (!maps_read())
		return false;
	while (*line && (line = maps_line(line, area)))
		if (strcmp(area->name, name) == 0)
			return true;
	return false;
}

/*
 * The areas in the given pages from base, in words that can be compared: "0-2 rw-p, 3-4 ---p" says
 * that pages 0 and 1 are one area, page 2 is a hole and page 3 another area. Areas that reach
 * out of the window are cut to it.
 */
TAP_FN const char *layout(const void *base, unsigned long pages)
{
	static char text[512];
	unsigned long lo = (unsigned long)base, hi = lo + pages * PAGE;
	const char *line = maps_text;
	struct area area;
	int used = 0;

	text[0] = '\0';
	if (!maps_read())
		return "no /proc/self/maps";
	while (*line && (line = maps_line(line, &area))) {
		if (area.end <= lo || area.start >= hi)
			continue;
		if (area.start < lo)
			area.start = lo;
		if (area.end > hi)
			area.end = hi;
		used += snprintf(text + used, sizeof(text) - used, "%s%lu-%lu %s", used ? ", " : "",
				 (area.start - lo) / PAGE, (area.end - lo) / PAGE, area.perms);
		if (used >= (int)sizeof(text) - 40)
			break;
	}
	return text;
}

/* The system calls without the C library's own checks; -errno on failure. */
TAP_FN long raw_mmap(unsigned long addr, unsigned long len, long prot, long flags, long fd,
		     unsigned long off)
{
	return result(syscall(SYS_mmap, addr, len, prot, flags, fd, off));
}

TAP_FN long raw_munmap(unsigned long addr, unsigned long len)
{
	return result(syscall(SYS_munmap, addr, len));
}

TAP_FN long raw_mprotect(unsigned long addr, unsigned long len, long prot)
{
	return result(syscall(SYS_mprotect, addr, len, prot));
}

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW   (PROT_READ | PROT_WRITE)

/* That many fresh pages, or the end of the test: nothing works without them. */
TAP_FN char *fresh(unsigned long pages, int prot)
{
	long p = raw_mmap(0, pages * PAGE, prot, ANON, -1, 0);

	if (p < 0 && p > -4096) {
		diag("cannot map %lu pages: error %ld", pages, -p);
		tap_write("Bail out!\n", 10);
		_exit(1);
	}
	return (char *)p;
}

/* Fresh pages in the middle of a hole of the same width on either side. */
TAP_FN char *island(unsigned long pages, int prot)
{
	char *p = fresh(3 * pages, prot);

	raw_munmap((unsigned long)p, pages * PAGE);
	raw_munmap((unsigned long)p + 2 * pages * PAGE, pages * PAGE);
	return p + pages * PAGE;
}

/* The minor faults of this process so far. */
__attribute__((noinline)) TAP_FN long minor_faults(void)
{
	static struct rusage usage;

	if (syscall(SYS_getrusage, RUSAGE_SELF, &usage) != 0)
		return -1;
	return usage.ru_minflt;
}

/*
 * Some hosts of virtual machines start Linux with a switch that gives every first read a page of
 * its own. What is said of the shared zero page doesn't hold there.
 */
TAP_FN bool zero_page_off(void)
{
	static char line[4096];
	int fd = open("/proc/cmdline", O_RDONLY);

	if (fd < 0)
		return false;
	if (read(fd, line, sizeof(line) - 1) < 0)
		line[0] = '\0';
	close(fd);
	return strstr(line, "no_zero_page=1") != NULL;
}

#define NO_ZERO_PAGE "this Linux runs without a zero page"

#define PAGEMAP_PRESENT	  (1UL << 63)
#define PAGEMAP_FILE	  (1UL << 61)
#define PAGEMAP_EXCLUSIVE (1UL << 56)
#define PAGEMAP_FRAME	  ((1UL << 55) - 1)

/* The pagemap entry of one address; 0 when it can't be read. */
TAP_FN uint64_t pagemap(const volatile void *addr)
{
	uint64_t entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY);

	if (fd < 0)
		return 0;
	if (pread(fd, &entry, sizeof(entry), (unsigned long)addr / PAGE * 8) != sizeof(entry))
		entry = 0;
	close(fd);
	return entry;
}

TAP_FN bool resident(const volatile void *addr)
{
	return (pagemap(addr) & PAGEMAP_PRESENT) != 0;
}

TAP_FN unsigned long frame_of(const volatile void *addr)
{
	return pagemap(addr) & PAGEMAP_FRAME;
}

/* How many of the pages are present, or -1. */
TAP_FN long count_resident(const volatile void *addr, unsigned long pages)
{
	static uint64_t entries[256];
	unsigned long first = (unsigned long)addr / PAGE, done = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY);
	long present = 0;

	if (fd < 0)
		return -1;
	while (done < pages) {
		unsigned long want = pages - done < COUNT(entries) ? pages - done : COUNT(entries);
		ssize_t n = pread(fd, entries, want * 8, (first + done) * 8);

		if (n < 8) {
			present = -1;
			break;
		}
		for (unsigned long i = 0; i < (unsigned long)n / 8; i++)
			present += entries[i] >> 63;
		done += n / 8;
	}
	close(fd);
	return present;
}

#endif
