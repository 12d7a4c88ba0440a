/* SPDX-License-Identifier: MIT */
/*
 * Calls whose own work changes what their buffer is: a write that makes the file so long that the rest
 * of the buffer, a mapping of it, can be read; and a transfer by /proc/self/mem that comes to where a
 * stack has to grow.
 */
#include "filemap.h"

/* A file of `pages` pages, mapped for one page more; the write's buffer begins in the last of them. */
static void write_grows(void)
{
	int fd = pages_file("grows", 1);
	char *area = hole(4), *map = map_at(area + PAGE, fd, 2, RW, MAP_SHARED | MAP_FIXED, 0);

	map_at(area, -1, 1, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0);
	memset(area, 'x', PAGE);
	is(ftruncate(fd, 0), 0, "an empty file");
	is(pwrite(fd, area + PAGE - 100, 300, 0), 300,
	   "is written from memory that goes on in a mapping of it");
	is(in_file(fd, 99), 'x', "what was there before");
	is(in_file(fd, 199), 'x', "and what the write itself had put there");
	is(ftruncate(fd, 0), 0, "empty again");
	is(pwrite(fd, map, 100, 0), -1, "from the mapping alone nothing can be read");
	is(errno, EFAULT, "... EFAULT");
	is(lseek(fd, 0, SEEK_END), 0, "the file stays empty");
	unmap(area, 3);
	close(fd);
}

/* What can't be read is not written, and no page is made for it. */
static void nothing_read(void)
{
	int fd = pages_file("nothing", 1);
	struct stat st;

	ftruncate(fd, 8 * PAGE);
	is(pwrite(fd, hole(1), 100, 5 * PAGE), -1, "a write from nowhere");
	is(errno, EFAULT, "... EFAULT");
	fstat(fd, &st);
	is(st.st_blocks, 8, "takes no room");
	close(fd);
}

/* 16 pages of nothing, and two stacks of one page in them with four pages between. */
static void mem_grows(void)
{
	int mem = open("/proc/self/mem", O_RDWR);
	char *area = hole(1024), *at = area + 512 * PAGE, buf[200] = "";

	map_at(at, -1, 1, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN, 0);
	map_at(at + 5 * PAGE, -1, 1, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN,
	       0);
	memset(at, 's', PAGE);
	is(pread(mem, buf, sizeof(buf), (long)at + PAGE - 100), sizeof(buf),
	   "a read of one stack goes on in the next, which grows");
	is(buf[99], 's', "the end of the first");
	is(buf[100], 0, "the new beginning of the second");
	is(raw_munmap((unsigned long)at + PAGE, PAGE), 0, "that goes");
	is(pwrite(mem, buf, sizeof(buf), (long)at + PAGE - 100), sizeof(buf), "so does a write");
	unmap(at, 6);
	close(mem);
}

/* A forced write makes a copy whose entry the processor has never written by: it isn't dirty. */
static void forced_write(void)
{
	int mem = open("/proc/self/mem", O_RDWR);
	char *p = map_at(NULL, -1, 2, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, 0);
	long before;

	is(pwrite(mem, "x", 1, (long)p), 1, "memory that can only be read is written with force");
	is(p[0], 'x', "... and holds that");
	mprotect(p, 2 * PAGE, RW);
	minor_faults();
	before = minor_faults();
	*(volatile char *)p = 'y';
	is(minor_faults() - before, 1, "the first write of one's own after mprotect faults");
	unmap(p, 2);
	p = map_at(NULL, -1, 1, RW, MAP_PRIVATE | MAP_ANONYMOUS, 0);
	*(volatile char *)p = 'a';
	mprotect(p, PAGE, PROT_READ);
	mprotect(p, PAGE, RW);
	before = minor_faults();
	*(volatile char *)p = 'b';
	is(minor_faults() - before, 0, "not where one had written before");
	unmap(p, 1);
	close(mem);
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "grows", "nothing", NULL };

	tap_start(argc, argv, NULL);
	make_dir("self_access");
	write_grows();
	nothing_read();
	mem_grows();
	forced_write();
	clean_dir(names);
	return done_testing();
}
