/* SPDX-License-Identifier: MIT */
/*
 * The calls that bring files to where they stay or into memory: what they take and refuse. And what
 * writing through a mapping does to a file that is in memory only.
 */
#include "vm.h"
#include <sys/stat.h>
#include <time.h>

static int file, pipes[2], dir, null, place, writer;

static int temp_file(unsigned long pages)
{
	char name[] = "/tmp/file_sync.XXXXXX";
	int f = mkstemp(name);

	unlink(name);
	return f < 0 || ftruncate(f, (off_t)(pages * PAGE)) ? -1 : f;
}

static void open_all(void)
{
	file = temp_file(4);
	dir = open("/tmp", O_RDONLY | O_DIRECTORY);
	null = open("/dev/null", O_RDWR);
	place = open("/tmp", O_PATH);
	writer = open("/tmp", O_WRONLY | O_TMPFILE, 0600);
	ok(file >= 0 && dir >= 0 && null >= 0 && place >= 0 && writer >= 0 && pipe(pipes) == 0,
	   "files of all kinds");
}

static long range(int f, long offset, long len, unsigned flags)
{
	return result(syscall(SYS_sync_file_range, f, offset, len, flags));
}

static void sync_file_range_(void)
{
	for (unsigned flags = 0; flags < 8; flags++)
		is(range(file, 0, PAGE, flags), 0, "sync_file_range with flags %u", flags);
	is(range(file, 100, 0, 7), 0, "... to the end");
	is(range(file, 100 * PAGE, PAGE, 7), 0, "... behind it");
	is(range(dir, 0, 0, 7), 0, "... of a directory");
	is(range(-1, 0, 0, 8), -EBADF, "no file");
	is(range(place, 0, 0, 7), -EBADF, "... only a place");
	is(range(pipes[0], 0, 0, 8), -EINVAL, "an unknown flag");
	is(range(pipes[0], -1, 0, 7), -EINVAL, "before the beginning");
	is(range(file, 0, -1, 7), -EINVAL, "a negative length");
	is(range(file, 1L << 62, 1L << 62, 7), -EINVAL, "a range that has no end");
	is(range(pipes[0], 0, 0, 7), -ESPIPE, "a pipe has no ranges");
	is(range(null, 0, 0, 7), -ESPIPE, "... nor has a device");
}

static long advise(int f, long offset, long len, int advice)
{
	return result(syscall(SYS_fadvise64, f, offset, len, advice));
}

static void fadvise_(void)
{
	for (int advice = 0; advice < 6; advice++)
		is(advise(file, 0, PAGE, advice), 0, "fadvise64 with %d", advice);
	is(advise(file, 0, PAGE, 6), -EINVAL, "... and not with more");
	is(advise(file, 0, PAGE, -1), -EINVAL, "... or less");
	is(advise(file, 0, -1, 0), -EINVAL, "a negative length");
	is(advise(file, -1, 0, 0), 0, "a negative offset is let pass");
	is(advise(dir, 0, 0, 3), 0, "a directory");
	is(advise(null, 0, 0, 3), 0, "a device");
	is(advise(null, 0, 0, 6), -EINVAL, "... is asked for what it knows as well");
	is(advise(pipes[0], 0, -1, 6), -ESPIPE, "a pipe");
	is(advise(place, 0, 0, 0), -EBADF, "a place");
	is(advise(-1, 0, 0, 0), -EBADF, "no file");
}

static long ahead(int f, long offset, unsigned long len)
{
	return result(syscall(SYS_readahead, f, offset, len));
}

static void readahead_(void)
{
	is(ahead(file, 0, 4 * PAGE), 0, "readahead");
	is(ahead(file, 100 * PAGE, PAGE), 0, "... behind the end");
	is(ahead(file, 0, -1UL), -EINVAL, "... of a negative length");
	is(ahead(writer, 0, PAGE), -EBADF, "of what can't be read");
	is(ahead(pipes[0], 0, PAGE), -EINVAL, "of a pipe");
	is(ahead(pipes[1], 0, PAGE), -EBADF, "... of its other end");
	is(ahead(dir, 0, PAGE), -EINVAL, "of a directory");
	is(ahead(null, 0, PAGE), -EINVAL, "of a device");
	is(ahead(place, 0, PAGE), -EBADF, "of a place");
	is(ahead(-1, 0, PAGE), -EBADF, "of nothing");
}

static void fsync_(void)
{
	is(result(fsync(file)), 0, "fsync");
	is(result(fdatasync(writer)), 0, "fdatasync");
	is(result(fsync(dir)), 0, "... of a directory");
	is(result(fsync(pipes[0])), -EINVAL, "... of a pipe");
	is(result(fsync(null)), -EINVAL, "... of a device");
	is(result(fsync(place)), -EBADF, "... of a place");
	is(result(syscall(SYS_syncfs, file)), 0, "syncfs");
	is(result(syscall(SYS_syncfs, null)), 0, "... of a device's file system");
	is(result(syscall(SYS_syncfs, place)), -EBADF, "... of a place");
}

static char *map(int prot, int flags, int f, unsigned long pages)
{
	return (char *)raw_mmap(0, pages * PAGE, prot, flags, f, 0);
}

static void msync_(void)
{
	char *p = map(PROT_READ | PROT_WRITE, MAP_SHARED, file, 4);
	char *a = map(PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 4);

	p[0] = a[0] = 1;
	is(raw_msync((unsigned long)p, 4 * PAGE, MS_SYNC), 0, "msync of a file");
	is(raw_msync((unsigned long)a, 4 * PAGE, MS_SYNC), 0, "... of shared memory");
	raw_munmap((unsigned long)p + PAGE, PAGE);
	is(raw_msync((unsigned long)p, 4 * PAGE, MS_SYNC), -ENOMEM, "... with a hole");
	raw_munmap((unsigned long)p, 4 * PAGE);
	raw_munmap((unsigned long)a, 4 * PAGE);
}

static bool changed(int f)
{
	const struct timespec old[2] = { { 1000000000, 0 }, { 1000000000, 0 } };
	struct stat st;

	fstat(f, &st);
	futimens(f, old);
	return st.st_mtime != 1000000000;
}

/* Pages in memory are mapped writable at once: so only a fault that is a write is noticed. */
static void times(void)
{
	char *p = map(PROT_READ | PROT_WRITE, MAP_SHARED, file, 4);
	char *q = map(PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 4);
	long before;

	changed(file);
	q[0] = 1;
	ok(!changed(file), "a private write leaves a file's times alone");
	p[3 * PAGE] = 1;
	ok(changed(file), "a shared one changes them");
	p[3 * PAGE] = 2;
	ok(!changed(file), "... when it faults");
	peek(p);
	before = minor_faults();
	p[0] = 2;
	ok(minor_faults() - before <= 1 && !changed(file), "... not where a read was first");
	raw_munmap((unsigned long)p, 4 * PAGE);
	raw_munmap((unsigned long)q, 4 * PAGE);
}

static void remove_(void)
{
	char *p, *q;
	int f = temp_file(6);

	p = map(PROT_READ | PROT_WRITE, MAP_SHARED, f, 6);
	q = map(PROT_READ | PROT_WRITE, MAP_PRIVATE, f, 6);
	for (int i = 0; i < 6; i++)
		p[i * PAGE] = 'r';
	q[PAGE + 1] = 'q';
	peek(q + 2 * PAGE);
	is(raw_madvise((unsigned long)p + PAGE, 2 * PAGE, MADV_REMOVE), 0, "MADV_REMOVE of a file");
	is_str(vector(p, 6), "100111", "... takes pages out of memory, mapped or not");
	ok(p[PAGE] == 0 && p[2 * PAGE] == 0 && p[3 * PAGE] == 'r', "... zeros are left");
	ok(q[PAGE + 1] == 'q' && q[PAGE] == 'r' && q[2 * PAGE] == 0, "... and private copies");
	raw_mprotect((unsigned long)p + 4 * PAGE, PAGE, PROT_READ);
	is(raw_madvise((unsigned long)p + 4 * PAGE, PAGE, MADV_REMOVE), 0,
	   "what could become writable will do");
	is(raw_madvise((unsigned long)q, PAGE, MADV_REMOVE), -EACCES, "a private area won't");
	raw_mlock((unsigned long)p, PAGE);
	is(raw_madvise((unsigned long)p, PAGE, MADV_REMOVE), -EINVAL, "nor what is locked");
	raw_munlock((unsigned long)p, PAGE);
	raw_munmap((unsigned long)p + 2 * PAGE, PAGE);
	is(raw_madvise((unsigned long)p, 6 * PAGE, MADV_REMOVE), -ENOMEM,
	   "with a hole in the range");
	raw_munmap((unsigned long)p, 6 * PAGE);
	p = map(PROT_READ, MAP_SHARED, f, 6);
	ok(p[0] == 0 && p[5 * PAGE] == 0, "... the rest is done all the same");
	raw_munmap((unsigned long)p, 6 * PAGE);
	raw_munmap((unsigned long)q, 6 * PAGE);
	close(f);
}

/* Whose file it is may know of it, however it was opened. */
static void mincore_(void)
{
	char name[64];
	int f = temp_file(4), reader;
	char *p;

	pwrite(f, "x", 1, 2 * PAGE);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", f);
	reader = open(name, O_RDONLY);
	p = map(PROT_READ, MAP_SHARED, reader, 4);
	is_str(vector(p, 4), "0010", "mincore of one's own file, open for reading");
	raw_munmap((unsigned long)p, 4 * PAGE);
	close(f);
	close(reader);
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = { { NULL, NULL } };

	tap_start(argc, argv, modes);
	open_all();
	sync_file_range_();
	fadvise_();
	readahead_();
	fsync_();
	msync_();
	times();
	remove_();
	mincore_();
	return done_testing();
}
