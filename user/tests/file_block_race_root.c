/* SPDX-License-Identifier: MIT */
/* runs as root */
/*
 * Threads that write a disk through a mapping, and by write(2), while it is synchronized: whatever was
 * in the mapping is in the store once it has been asked for. /dev/ram0, or a disk that may be
 * overwritten.
 */
#include "procs.h"
#include <sys/ioctl.h>

#define BLKFLSBUF_ 0x1261
#define PAGES	   16
#define WRITERS	   3 /* the last one uses write(2) */
#define CHILD	   WRITERS
#define ROUNDS	   120

typedef volatile unsigned int counter;

static const char *path;
static int fd, direct_fd;
static char *map;
static volatile int stop;
static unsigned int last[WRITERS + 1][PAGES]; /* what each wrote into its place of each page */

static counter *place(unsigned long page, unsigned long who)
{
	return (counter *)(map + page * PAGE + who * 64);
}

/* A disk is found a while after the first program starts. */
static const char *find_device(void)
{
	static const char *const names[] = { "/dev/ram0", "/dev/nvme0n1" };

	for (int round = 0; round < 3000; round++) {
		for (unsigned long i = 0; i < COUNT(names); i++) {
			fd = open(names[i], O_RDWR);
			if (fd >= 0)
				return names[i];
			/* It is there already, but not for us. */
			if (errno == EACCES)
				return NULL;
		}
		nap();
	}
	return NULL;
}

static int writer(void *arg)
{
	unsigned long me = (unsigned long)arg, page = me;

	for (unsigned int n = 1; !stop; n++) {
		page = (page * 5 + 3 + n / 16) % PAGES;
		/* Some pages are written by mappings alone. */
		if (me == WRITERS - 1 && page % 2)
			continue;
		if (me == WRITERS - 1) {
			unsigned int value = n;

			raw(SYS_pwrite64, fd, &value, sizeof(value), page * PAGE + me * 64);
		} else {
			*place(page, me) = n;
		}
		last[me][page] = n;
		if (n % 32 == 0)
			raw(SYS_sched_yield);
	}
	return 0;
}

static void synchronize(unsigned int n, unsigned long page)
{
	unsigned long at = (unsigned long)map + page * PAGE;

	switch (n % 6) {
	case 0:
		raw(SYS_msync, at, PAGE, MS_SYNC);
		break;
	case 1:
		raw(SYS_fsync, fd);
		break;
	case 2:
		raw(SYS_sync_file_range, fd, page * PAGE, PAGE, 7);
		break;
	case 3:
		raw(SYS_madvise, map, PAGES * PAGE, MADV_DONTNEED);
		break;
	case 4:
		raw(SYS_fadvise64, fd, 0, PAGES * PAGE, 4 /* POSIX_FADV_DONTNEED */);
		break;
	case 5: /* pages move to other entries, and other processes have them */
		raw(SYS_msync, at, PAGE, MS_ASYNC);
		break;
	}
}

static int child(void *arg)
{
	*place((unsigned long)arg % PAGES, CHILD) = (unsigned int)(unsigned long)arg;
	return 0;
}

/* Whether the store has what the mapping had before; or something newer. */
static int behind(unsigned long page, const unsigned int *seen)
{
	static char buf[PAGE] __attribute__((aligned(4096)));
	int lost = 0;

	if (raw(SYS_pread64, direct_fd, buf, PAGE, page * PAGE) != (long)PAGE)
		return 1;
	for (unsigned long who = 0; who <= WRITERS; who++)
		lost += *(unsigned int *)(buf + who * 64) < seen[who];
	return lost;
}

static void check_end(void)
{
	int differ = 0, stale = 0;

	raw_munmap((unsigned long)map, PAGES * PAGE);
	is(fsync(fd), 0, "fsync");
	is(ioctl(fd, BLKFLSBUF_, 0), 0, "what is in memory is let go of");
	for (unsigned long page = 0; page < PAGES; page++) {
		unsigned int seen[WRITERS + 1];

		for (unsigned long who = 0; who <= WRITERS; who++) {
			pread(fd, &seen[who], sizeof(seen[who]), page * PAGE + who * 64);
			differ += seen[who] != last[who][page];
		}
		stale += behind(page, seen);
	}
	is(differ, 0, "read again, each page has what was written last");
	is(stale, 0, "... and so has the store");
}

int main(int argc, char **argv)
{
	struct thread threads[WRITERS];
	int lost = 0, failed = 0;
	static char zeros[PAGES * PAGE];
	long p;

	tap_start(argc, argv, NULL);
	path = find_device();
	if (!path)
		skip_all("this machine has no disk that may be overwritten");
	direct_fd = open(path, O_RDONLY | O_DIRECT);
	pwrite(fd, zeros, sizeof(zeros), 0);
	p = raw_mmap(0, PAGES * PAGE, RW, MAP_SHARED, fd, 0);
	ok(!is_error(p), "%s is mapped", path);
	map = (char *)p;
	for (unsigned long i = 0; i < WRITERS; i++)
		thread_start(&threads[i], writer, (void *)i);
	for (unsigned long n = 1; n <= ROUNDS; n++) {
		unsigned long page = (n * 7) % PAGES;
		unsigned int seen[WRITERS + 1];

		if (n % 4 == 0) {
			failed += status_of(fork_child(child, (void *)n)) != 0;
			last[CHILD][n % PAGES] = n;
			page = n % PAGES;
		}
		synchronize(n, page);
		for (unsigned long who = 0; who <= WRITERS; who++)
			seen[who] = *place(page, who);
		if (n % 2)
			synchronize(n / 2, page);
		lost += behind(page, seen);
		raw(SYS_sched_yield);
	}
	stop = 1;
	for (int i = 0; i < WRITERS; i++)
		thread_join(&threads[i]);
	is(failed, 0, "children wrote as well");
	is(lost, 0, "no write was lost on its way to the store");
	check_end();
	/* A disk of memory keeps what isn't zero. */
	pwrite(fd, zeros, sizeof(zeros), 0);
	is(fsync(fd), 0, "zeros again");
	close(direct_fd), close(fd);
	return done_testing();
}
