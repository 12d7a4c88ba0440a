/* SPDX-License-Identifier: MIT */
/*
 * What finding costs with few and with many areas: vma_visited in /proc/vmstat counts the areas that
 * lookups and searches for room have looked at. It may grow with the logarithm of their number.
 */
#include "areas.h"

#define BASE 0x200000000000UL

/* The counter, or -1 where there is none. */
static long visited(void)
{
	static char text[8192];
	int fd = open("/proc/vmstat", O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	char *p;

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	p = strstr(text, "vma_visited ");
	return p ? strtol(p + 12, NULL, 10) : -1;
}

/* Areas of one page with a page between them, from `from` up to `to` of them. */
static bool map_areas(long from, long to)
{
	for (long i = from; i < to; i++)
		if (raw_mmap(BASE + i * 2 * PAGE, PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0) < 0)
			return false;
	return true;
}

/* The most a red-black tree of n nodes is deep. */
static long depth(long n)
{
	long d = 0;

	for (n++; n > 1; n = (n + 1) / 2)
		d += 2;
	return d;
}

/* Looks up every 7th of n areas; the areas visited for one. */
static long lookup_cost(long n)
{
	long before = visited(), looked = 0;
	unsigned char vec;

	for (long i = 0; i < n; i += 7, looked++)
		syscall(SYS_mincore, BASE + i * 2 * PAGE, PAGE, &vec);
	return (visited() - before) / looked;
}

/* Maps two pages where only far below all areas there is room for them, and unmaps them. */
static long search_cost(void)
{
	long before = visited(), at = raw_mmap(BASE, 2 * PAGE, PROT_READ, ANON, -1, 0);

	raw_munmap(at, 2 * PAGE);
	return visited() - before;
}

int main(void)
{
	static const long numbers[] = { 10, 1000, 60000 };
	long had = 0, base;

	if (visited() < 0)
		skip_all("this kernel's /proc/vmstat has no vma_visited");
	base = visited();
	base = visited() - base; /* what reading the counter itself looks at */
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		long n = numbers[i], most = depth(n + 20), cost;

		ok(map_areas(had, n), "%ld areas", n);
		had = n;
		cost = lookup_cost(n);
		diag("%ld areas: a lookup visits %ld, the tree is at most %ld deep", n, cost, most);
		ok(cost <= most, "a lookup goes down the tree once");
		cost = search_cost() - base;
		diag("%ld areas: mmap and munmap visit %ld", n, cost);
		/* The hint, the gap (down and once along the border), the place, and the way back. */
		ok(cost <= 8 * most, "so does each search of mmap and munmap");
	}
	return done_testing();
}
