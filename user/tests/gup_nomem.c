/* SPDX-License-Identifier: MIT */
/*
 * /proc/PID/mem, process_vm_readv and process_vm_writev, and map_files, with every allocation of the
 * kernel failed in turn: each call says ENOMEM or works all the same, and memory and descriptors are
 * what they were, or what they should have become.
 */
#include "failures.h"
#include "procs.h"
#include <sys/uio.h>

#define PAGES	 4
#define SEGMENTS 12 /* more than the kernel keeps without allocating */
#define MAX_NTH	 60

static int mem;
static char *p; /* written, untouched, read-only, PROT_NONE */
static char buf[PAGES * PAGE];
static char link_name[128];

static void make_memory(void)
{
	fix(p, 2, RW);
	fix(p + 2 * PAGE, 1, PROT_READ);
	fix(p + 3 * PAGE, 1, PROT_NONE);
	p[0] = 'a';
	memset(buf, 'b', sizeof(buf));
}

/* All of it, or an error. */
static long all(long n, long want)
{
	return n == want ? 0 : n < 0 ? n : -ERANGE;
}

static long do_open(void)
{
	long fd = raw(SYS_open, "/proc/self/mem", O_RDWR);

	return fd < 0 ? fd : raw(SYS_close, fd);
}

static long do_read(void)
{
	return all(raw(SYS_pread64, mem, buf, PAGES * PAGE, p), PAGES * PAGE);
}

static long do_write(void)
{
	return all(raw(SYS_pwrite64, mem, buf, PAGES * PAGE, p), PAGES * PAGE);
}

/* Segments of `buf` and of p's first two pages. */
static void segments(struct iovec *l, struct iovec *r)
{
	for (int i = 0; i < SEGMENTS; i++) {
		l[i] = (struct iovec){ buf + i * 600, 500 };
		r[i] = (struct iovec){ p + i * 500, 500 };
	}
}

static long do_readv(void)
{
	struct iovec l[SEGMENTS], r[SEGMENTS];

	segments(l, r);
	return all(raw(SYS_process_vm_readv, my_pid(), l, SEGMENTS, r, SEGMENTS, 0),
		   SEGMENTS * 500);
}

static long do_writev(void)
{
	struct iovec l[SEGMENTS], r[SEGMENTS];

	segments(l, r);
	return all(raw(SYS_process_vm_writev, my_pid(), l, SEGMENTS, r, SEGMENTS, 0),
		   SEGMENTS * 500);
}

/* What a child has, too, is copied to be pinned. */
static long do_readv_shared(void)
{
	long pid = raw(SYS_fork), err;

	if (pid == 0) {
		raw(SYS_pause);
		raw(SYS_exit_group, 0);
	}
	if (pid < 0)
		return pid;
	err = do_readv();
	raw(SYS_kill, pid, SIGKILL);
	status_of(pid);
	return err;
}

static long do_readlink(void)
{
	char to[256];
	long n = raw(SYS_readlink, link_name, to, sizeof(to));

	return n < 0 ? n : 0;
}

static long do_list(void)
{
	long fd = raw(SYS_open, "/proc/self/map_files", O_RDONLY), n;

	if (fd < 0)
		return fd;
	n = raw(SYS_getdents64, fd, buf, sizeof(buf));
	raw(SYS_close, fd);
	return n < 0 ? n : 0;
}

static const struct {
	const char *what;
	long (*call)(void);
	bool writes;
} ops[] = {
	{ "open of mem", do_open, false },
	{ "a read of mem", do_read, false },
	{ "a write to mem", do_write, true },
	{ "process_vm_readv", do_readv, false },
	{ "process_vm_writev", do_writev, true },
	{ "process_vm_readv of what a child has, too", do_readv_shared, false },
	{ "a link of map_files", do_readlink, false },
	{ "map_files", do_list, false },
};

static long byte_at(const char *at)
{
	char c = 0;
	long n = raw(SYS_pread64, mem, &c, 1, at);

	return n == 1 ? c : n;
}

static bool is_whole(bool written)
{
	return strcmp(layout(p, PAGES), "0-2 rw-p, 2-3 r--p, 3-4 ---p") == 0 &&
	       byte_at(p) == (written ? 'b' : 'a') && byte_at(p + PAGE) == (written ? 'b' : 0);
}

static int lowest_fd(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

static void fail_in_turn(size_t i)
{
	unsigned int n, failures = 0;
	bool good = true, more = true;
	int fd = lowest_fd();

	for (n = 1; n <= MAX_NTH && more && good; n++) {
		long err;

		make_memory();
		fail_at(n);
		err = ops[i].call();
		more = failed_now();
		failures += err != 0;
		good = (err == 0 || (more && err == -ENOMEM)) && lowest_fd() == fd;
		good &= is_whole(ops[i].writes && !err);
		if (!good)
			diag("at failure %u: error %ld, %s", n, -err, layout(p, PAGES));
	}
	ok(good && !more, "%s: %u allocations, %u errors", ops[i].what, n - 2, failures);
}

int main(int argc, char **argv)
{
	struct area area;

	tap_start(argc, argv, NULL);
	fail_fd = open("/proc/self/fail-nth", O_RDWR);
	if (fail_fd < 0)
		skip_all("no /proc/self/fail-nth: not a debug kernel that can fail on purpose");
	mem = open("/proc/self/mem", O_RDWR);
	area_at((unsigned long)main, &area);
	snprintf(link_name, sizeof(link_name), "/proc/self/map_files/%lx-%lx", area.start,
		 area.end);
	p = island(PAGES, PROT_NONE);
	for (size_t i = 0; i < COUNT(ops); i++)
		fail_in_turn(i);
	return done_testing();
}
