/* SPDX-License-Identifier: MIT */
/*
 * look.h: what the tour looks at, read from the kernel and printed in at most 80 columns. Nothing
 * here allocates: the tour's own doings must not change what it shows.
 */
#ifndef USER_LOOK_H
#define USER_LOOK_H

#include "common.h"
#include <sys/resource.h>

#define PAGE 4096UL

static char text[16384]; /* whatever file is being shown */

/* ---- reading the kernel ---- */

/* Minor page faults of this process. noinline: one piece of code, mapped after its first run. */
__attribute__((noinline)) USER_FN long minor_faults(void)
{
	static struct rusage usage;

	return syscall(SYS_getrusage, RUSAGE_SELF, &usage) == 0 ? usage.ru_minflt : 0;
}

enum access { READ, WRITE };

/* Faults that one access takes: counted right around it, so that no printing is in between. */
__attribute__((noinline)) USER_FN long faults_of(enum access how, volatile char *p)
{
	long before = minor_faults();

	if (how == READ)
		(void)*p;
	else
		*p = 42;
	return minor_faults() - before;
}

/* One page's entry in /proc/self/pagemap: bit 63 present, bits 0-54 the frame. 0 on error. */
USER_FN unsigned long pagemap(const volatile void *addr)
{
	unsigned long entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY);

	if (fd < 0)
		return 0;
	if (pread(fd, &entry, sizeof(entry), (unsigned long)addr / PAGE * 8) != sizeof(entry))
		entry = 0;
	close(fd);
	return entry;
}

USER_FN unsigned long frame_of(const volatile void *addr)
{
	return pagemap(addr) & ((1UL << 55) - 1);
}

USER_FN unsigned long resident(const char *p, unsigned long pages)
{
	unsigned long count = 0;

	for (unsigned long i = 0; i < pages; i++)
		count += pagemap(p + i * PAGE) >> 63;
	return count;
}

/* ---- showing ---- */

USER_FN void heading(int step, const char *title)
{
	say("\n%d. %s\n\n", step, title);
}

/* A line with its runs of spaces made short: maps pads its lines to more than 80 columns. */
USER_FN void say_squeezed(const char *line, size_t len)
{
	char out[256];
	size_t used = 0;

	for (size_t i = 0; i < len && used < sizeof(out) - 2; i++)
		if (line[i] != ' ' || i + 1 >= len || line[i + 1] != ' ' ||
		    (i > 0 && line[i - 1] != ' '))
			out[used++] = line[i];
	if (used > 0 && out[used - 1] == ' ')
		used--;
	out[used++] = '\n';
	write_all(out, used);
}

USER_FN void show_maps(const char *maps)
{
	while (*maps) {
		size_t len = strcspn(maps, "\n");

		say_squeezed(maps, len);
		maps += len + (maps[len] == '\n');
	}
}

/* The line of the area that contains addr. */
USER_FN void show_area(const char *maps, unsigned long addr)
{
	while (*maps) {
		size_t len = strcspn(maps, "\n");
		unsigned long start, end;

		if (sscanf(maps, "%lx-%lx", &start, &end) == 2 && addr >= start && addr < end) {
			say_squeezed(maps, len);
			return;
		}
		maps += len + (maps[len] == '\n');
	}
	say("(no area contains 0x%lx)\n", addr);
}

USER_FN bool read_maps(char *buf, size_t size)
{
	long n = read_file("/proc/self/maps", buf, size);

	if (n < 0)
		say("/proc/self/maps: %s\n", strerror(-n));
	return n >= 0;
}

/* The lines of a /proc file that start with one of the given words. */
USER_FN void show_lines(const char *path, const char *const *words)
{
	long n = read_file(path, text, sizeof(text));

	if (n < 0) {
		say("%s: %s\n", path, strerror(-n));
		return;
	}
	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");

		for (const char *const *word = words; *word; word++)
			if (strncmp(line, *word, strlen(*word)) == 0)
				say("   %.*s\n", (int)len, line);
		line += len + (line[len] == '\n');
	}
}

USER_FN void show_file(const char *path)
{
	long n = read_file(path, text, sizeof(text));

	if (n < 0)
		say("%s: %s\n", path, strerror(-n));
	else
		write_all(text, n);
}

/* What the page tables say about an address, level by level, in the kernel's own words. */
USER_FN void show_walk(unsigned long addr)
{
	int fd = open("/proc/self/walk", O_RDONLY);
	ssize_t n;

	if (fd < 0) {
		say("(no /proc/self/walk: %s)\n", strerror(errno));
		return;
	}
	n = pread(fd, text, sizeof(text) - 1, addr);
	if (n < 0)
		say("walk of 0x%lx: %s\n", addr, strerror(errno));
	else
		write_all(text, n);
	if (n > 0 && text[n - 1] != '\n')
		say("\n");
	close(fd);
}

USER_FN void show_frame(const char *what, const volatile char *p)
{
	unsigned long entry = pagemap(p), frame = entry & ((1UL << 55) - 1);

	if (!(entry >> 63))
		say("   %s: not present\n", what);
	else if (frame == 0)
		say("   %s: present (frame numbers are hidden from this user)\n", what);
	else
		say("   %s: present, in frame 0x%lx (physical address 0x%lx)\n", what, frame,
		    frame * PAGE);
}

USER_FN void show_faults(const char *what, long faults)
{
	say("   %-44s %ld page fault%s\n", what, faults, faults == 1 ? "" : "s");
}

#endif
