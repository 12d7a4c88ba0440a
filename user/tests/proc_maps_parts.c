/* SPDX-License-Identifier: MIT */
/*
 * maps and smaps of a process with many areas: a read gives whole lines of about a page, however much it
 * asks for, and the next one goes on from there with the areas that are there by then.
 */
#include "procs.h"
#include "vm.h"

#define AREAS 1500

static char whole[2 << 20], text[2 << 20], one[65536];
static unsigned long base;

/* Areas that don't merge: each differs in its rights from the next. */
static void make(void)
{
	base = (unsigned long)raw_mmap(0, AREAS * PAGE, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (unsigned long i = 0; i < AREAS; i += 2)
		raw_mprotect(base + i * PAGE, PAGE, PROT_READ);
}

static long read_by(const char *path, size_t step, char *to, bool *lines)
{
	int fd = open(path, O_RDONLY);
	long used = 0, n;

	*lines = true;
	while ((n = raw(SYS_read, fd, to + used, step)) > 0) {
		used += n;
		if (to[used - 1] != '\n')
			*lines = false;
	}
	close(fd);
	to[used] = '\0';
	return n < 0 ? n : used;
}

static unsigned long count(const char *all, const char *what)
{
	unsigned long n = 0;

	for (const char *at = all; (at = strstr(at, what)); at++)
		n++;
	return n;
}

static void sizes(void)
{
	int fd = open("/proc/self/maps", O_RDONLY);
	long all, n;
	bool lines;

	n = raw(SYS_read, fd, one, sizeof(one));
	ok(n > 0 && n <= (long)PAGE, "a read of 64 KiB gives a page at most");
	ok(n > 0 && one[n - 1] == '\n', "... that ends with a line");
	close(fd);
	all = read_by("/proc/self/maps", PAGE, whole, &lines);
	ok(all > 16 * (long)PAGE, "there is much more of it");
	ok(lines, "each read ends with a line");
	is(read_by("/proc/self/maps", 100, text, &lines), all, "read by hundreds it is as long");
	ok(!strcmp(whole, text), "... and the same");
	is(read_by("/proc/self/maps", 7000, text, &lines), all, "and by seven thousands");
	ok(!strcmp(whole, text), "... the same");
	ok(lines, "... with reads that end with lines");
}

static void offsets(void)
{
	int fd = open("/proc/self/maps", O_RDONLY);
	static const long at[] = { 5000, 17, 40000, 4096, 0, 20000 };
	bool same = true;

	for (size_t i = 0; i < COUNT(at); i++) {
		long n = raw(SYS_pread64, fd, one, 300, at[i]);

		same = same && n == 300 && !memcmp(one, whole + at[i], 300);
	}
	ok(same, "pread gives what is at an offset");
	is(raw(SYS_lseek, fd, 10000, SEEK_SET), 10000, "lseek");
	is(raw(SYS_read, fd, one, 200), 200, "... and read");
	ok(!memcmp(one, whole + 10000, 200), "... likewise");
	is(raw(SYS_pread64, fd, one, 300, 1 << 30), 0, "nothing behind the end");
	is(raw(SYS_pread64, fd, NULL, 300, 5000), -EFAULT, "EFAULT without memory to read into");
	close(fd);
}

/* What is read later is as it is later. */
static void changes(void)
{
	int fd = open("/proc/self/maps", O_RDONLY);
	char line[64];
	long used, n;

	used = raw(SYS_read, fd, text, PAGE);
	raw_munmap(base + (AREAS - 100) * PAGE, PAGE);
	while ((n = raw(SYS_read, fd, text + used, PAGE)) > 0)
		used += n;
	text[used] = '\0';
	snprintf(line, sizeof(line), "%lx-", base + (AREAS - 100) * PAGE);
	ok(!strstr(text, line), "an area that went after the first read isn't told of");
	snprintf(line, sizeof(line), "%lx-", base + (AREAS - 99) * PAGE);
	ok(strstr(text, line), "... but the next");
	is(raw(SYS_lseek, fd, 0, SEEK_SET), 0, "from the start again");
	n = raw(SYS_read, fd, one, sizeof(one));
	ok(n > 0 && !memcmp(one, text, (size_t)n), "... there is what was there");
	close(fd);
}

/* From file to file, without a buffer of the program's: what is told of a process alone can't be sent. */
static void sent(void)
{
	static const char *const not [] = { "maps",    "smaps", "status", "stat",
					    "cmdline", "mem",	"pagemap" };
	int to = memfd_create("text", 0), bad = 0, fd;
	char path[64];

	for (unsigned int i = 0; i < COUNT(not ); i++) {
		snprintf(path, sizeof(path), "/proc/self/%s", not [i]);
		fd = open(path, O_RDONLY);
		bad += raw(SYS_sendfile, to, fd, NULL, 10) != -EINVAL;
		bad += raw(SYS_sendfile, to, fd, &(loff_t){ 1 << 30 }, 10) != -EINVAL;
		close(fd);
	}
	is(bad, 0, "sendfile from what /proc tells of a process: EINVAL");
	fd = open("/proc/self/mounts", O_RDONLY);
	is(raw(SYS_sendfile, to, fd, NULL, 10), 10, "... but from mounts");
	close(fd);
	fd = open("/proc/version", O_RDONLY);
	is(raw(SYS_sendfile, to, fd, NULL, 10), 10, "... and from what isn't a process's");
	is(raw(SYS_sendfile, to, fd, &(loff_t){ 1 << 30 }, 10), 0, "... nothing behind the end");
	close(fd);
	close(to);
}

static void smaps_too(void)
{
	int fd = open("/proc/self/smaps", O_RDONLY);
	long n = raw(SYS_read, fd, one, sizeof(one)), all;
	bool lines;

	ok(n > 0 && n <= (long)PAGE, "smaps: a page at most");
	close(fd);
	all = read_by("/proc/self/smaps", PAGE, whole, &lines);
	ok(lines, "... of whole lines");
	is(read_by("/proc/self/smaps", 1000, text, &lines), all, "by thousands it is as long");
	ok(count(whole, "VmFlags:") == count(text, "VmFlags:"), "... with as many areas");
	ok(count(whole, "VmFlags:") > AREAS - 10, "... all of them");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	make();
	sizes();
	offsets();
	changes();
	sent();
	smaps_too();
	return done_testing();
}
