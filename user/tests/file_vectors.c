/* SPDX-License-Identifier: MIT */
/* preadv and its kin, sendfile, copy_file_range, fallocate, getdents, syncing, advice. */
#include "files.h"
#include <sys/sendfile.h>
#include <sys/uio.h>

static char buf[70000];

static long preadv2_raw(int fd, struct iovec *v, int n, long pos, int flags)
{
	return result(syscall(327, fd, v, n, pos, 0, flags));
}

static long pwritev2_raw(int fd, struct iovec *v, int n, long pos, int flags)
{
	return result(syscall(328, fd, v, n, pos, 0, flags));
}

static void vectors(void)
{
	int fd = make_file("f", 100), p[2], ro = open(in_dir("f"), O_RDONLY);
	struct iovec v[3] = { { buf, 3 }, { NULL, 0 }, { buf + 3, 5 } }, bad = { (void *)1, 3 };
	struct iovec huge[2] = { { buf, -1UL }, { buf, 1 } };

	pipe(p);
	is(preadv(fd, v, 3, 10), 8, "preadv of 8 bytes at 10");
	is(memcmp(buf, "klmnopqr", 8), 0, "the right ones");
	is(lseek(fd, 0, SEEK_CUR), 0, "the position stays");
	is(preadv(fd, v, 3, 96), 4, "across the end: what is there");
	is(preadv(fd, v, 3, 1000), 0, "beyond it: 0");
	is(preadv(fd, v, 0, 0), 0, "no part: 0");
	memcpy(buf, "ABCDEFGH", 8);
	is(pwritev(fd, v, 3, 98), 8, "pwritev across the end");
	is(lseek(fd, 0, SEEK_END), 106, "makes it longer");
	lseek(fd, 0, SEEK_SET);
	is(pread(fd, buf, 20, 95), 11, "pread");
	is(memcmp(buf, "rstABCDEFGH", 11), 0, "what was written");
	fails(preadv(fd, v, 3, -1), EINVAL, "preadv at -1: EINVAL");
	fails(preadv(99, v, 3, -1), EINVAL, "before the descriptor: EINVAL");
	fails(preadv(99, v, 3, 0), EBADF, "a closed descriptor: EBADF");
	fails(preadv(p[0], v, 3, 0), ESPIPE, "of a pipe: ESPIPE");
	fails(preadv(p[1], v, 3, 0), ESPIPE, "of its wrong end: ESPIPE");
	fails(pwritev(ro, v, 3, 0), EBADF, "pwritev where it isn't open for that: EBADF");
	fails(preadv(fd, v, 1025, 0), EINVAL, "1025 parts: EINVAL");
	fails(preadv(fd, (void *)1, 1, 0), EFAULT, "parts at 1: EFAULT");
	fails(preadv(fd, &bad, 1, 0), EFAULT, "a part at 1: EFAULT");
	fails(preadv(fd, huge, 2, 0), EINVAL, "a part of -1 bytes: EINVAL");
	is(preadv2_raw(fd, v, 3, 10, 0), 8, "preadv2 at 10");
	is(lseek(fd, 0, SEEK_CUR), 0, "the position stays");
	is(preadv2_raw(fd, v, 3, -1, 0), 8, "preadv2 at -1: at the position");
	is(lseek(fd, 0, SEEK_CUR), 8, "which moves");
	is(preadv2_raw(fd, v, 3, -2, 0), -EINVAL, "at -2: EINVAL");
	is(preadv2_raw(fd, v, 3, 0, 0x100), -EOPNOTSUPP, "an unknown flag: EOPNOTSUPP");
	is(preadv2_raw(fd, v, 0, 0, 0x100), 0, "not looked at for nothing");
	is(preadv2_raw(fd, v, 3, 0, 1), 8, "RWF_HIPRI means nothing here");
	is(pwritev2_raw(fd, v, 3, 0, 4), 8, "RWF_SYNC is so anyway");
	write(p[1], "piped", 5);
	is(preadv2_raw(p[0], v, 3, -1, 0), 5, "of a pipe at -1");
	is(preadv2_raw(p[0], v, 3, 0, 0), -ESPIPE, "not at 0: ESPIPE");
	close(fd), close(ro), close(p[0]), close(p[1]);
}

static void sending(void)
{
	int in = make_file("f", 100), out = make_file("g", 0), p[2],
	    ro = open(in_dir("f"), O_RDONLY);
	int append = open(in_dir("g"), O_WRONLY | O_APPEND), dir = open(test_dir, O_RDONLY);
	int big = open("/etc/numbers", O_RDONLY), null = open("/dev/null", O_RDWR);
	int wo = open(in_dir("f"), O_WRONLY), zero = open("/dev/zero", O_RDONLY);
	struct stat st;
	off_t pos = 10;
	long sum = 0, n;

	pipe(p);
	is(sendfile(out, in, &pos, 20), 20, "sendfile of 20 bytes from 10");
	is(pos, 30, "its position has moved");
	is(lseek(in, 0, SEEK_CUR), 0, "the file's not");
	is(lseek(out, 0, SEEK_CUR), 20, "that of the other has");
	is(sendfile(out, in, NULL, 5), 5, "from where it stands");
	is(lseek(in, 0, SEEK_CUR), 5, "which moves");
	pread(out, buf, 30, 0);
	is(memcmp(buf, "klmnopqrstuvwxyzabcdabcde", 25), 0, "the right bytes");
	is(sendfile(out, in, NULL, 1000), 95, "to the end");
	is(sendfile(out, in, NULL, 1000), 0, "then nothing");
	is(sendfile(out, in, NULL, 0), 0, "nothing of nothing");
	pos = 90;
	is(sendfile(p[1], in, &pos, 100), 10, "to a pipe");
	is(read(p[0], buf, 100), 10, "where it can be read");
	fails(sendfile(p[1], p[0], NULL, 1), EINVAL, "from a pipe: EINVAL");
	fails(sendfile(out, p[0], &pos, 1), ESPIPE, "with a position: ESPIPE");
	fails(sendfile(append, in, &pos, 1), EINVAL, "to O_APPEND: EINVAL");
	fails(sendfile(ro, in, &pos, 1), EBADF, "where it can't be written: EBADF");
	fails(sendfile(out, wo, &pos, 1), EBADF, "or not read: EBADF");
	fails(sendfile(99, in, &pos, 1), EBADF, "to nothing: EBADF");
	fails(sendfile(out, 99, &pos, 1), EBADF, "from nothing: EBADF");
	fails(sendfile(99, 99, (off_t *)1, 1), EFAULT, "the position at 1: EFAULT");
	fails(sendfile(out, dir, NULL, 1), EINVAL, "from a directory: EINVAL");
	fails(sendfile(out, zero, NULL, 1), EINVAL, "from /dev/zero: EINVAL");
	pos = -1;
	fails(sendfile(out, in, &pos, 1), EINVAL, "from -1: EINVAL");
	fails(sendfile(out, in, NULL, -1), EINVAL, "-1 bytes: EINVAL");
	fstat(big, &st);
	is(sendfile(null, big, NULL, 1 << 30), st.st_size, "a large file to /dev/null");
	lseek(big, 0, SEEK_SET);
	fcntl(p[1], F_SETFL, O_NONBLOCK);
	is(sendfile(p[1], big, NULL, 1 << 30), 65536, "as much as fits into a pipe");
	fails(sendfile(p[1], big, NULL, 1 << 30), EAGAIN, "then EAGAIN");
	while (sum < 65536 && (n = read(p[0], buf + sum, 65536 - sum)) > 0)
		sum += n;
	lseek(big, 65530, SEEK_SET);
	read(big, buf + 65536, 6);
	is(memcmp(buf + 65530, buf + 65536, 6), 0, "up to the right byte");
	close(in), close(out), close(ro), close(append), close(dir), close(big), close(null);
	close(wo), close(zero), close(p[0]), close(p[1]);
}

static long copy(int in, long *pin, int out, long *pout, size_t len, int flags)
{
	return result(syscall(326, in, pin, out, pout, len, flags));
}

static void copying(void)
{
	int in = make_file("f", 100), out = make_file("g", 0), p[2], dir = open(test_dir, O_RDONLY);
	int append = open(in_dir("g"), O_RDWR | O_APPEND), null = open("/dev/null", O_RDWR);
	int proc = open("/proc/self/maps", O_RDONLY);
	long a = 10, b = 5;

	pipe(p);
	is(copy(in, &a, out, &b, 20, 0), 20, "copy_file_range");
	ok(a == 30 && b == 25, "both positions have moved");
	is(lseek(out, 0, SEEK_END), 25, "the size");
	pread(out, buf, 25, 0);
	is(memcmp(buf, "\0\0\0\0\0klmnopqrstuvwxyzabcd", 25), 0, "the bytes");
	lseek(out, 3, SEEK_SET);
	is(copy(in, NULL, out, NULL, 7, 0), 7, "where both stand");
	ok(lseek(in, 0, SEEK_CUR) == 7 && lseek(out, 0, SEEK_CUR) == 10, "which moves");
	a = 95;
	is(copy(in, &a, out, NULL, 100, 0), 5, "to the end");
	is(copy(in, &a, out, NULL, 100, 0), 0, "then nothing");
	is(copy(in, NULL, out, NULL, 0, 0), 0, "nothing of nothing");
	a = 0, b = 50;
	is(copy(in, &a, in, &b, 20, 0), 20, "within a file");
	a = 0, b = 19;
	is(copy(in, &a, in, &b, 20, 0), -EINVAL, "onto itself: EINVAL");
	is(copy(in, &a, in, &b, 19, 0), 19, "just beside itself");
	a = 0, b = 0;
	is(copy(in, &a, out, &b, 1, 1), -EINVAL, "a flag: EINVAL");
	is(copy(99, &a, out, &b, 1, 1), -EBADF, "a closed descriptor: EBADF");
	is(copy(in, &a, 99, &b, 1, 0), -EBADF, "EBADF");
	is(copy(in, (long *)1, out, &b, 1, 1), -EFAULT, "a position at 1: EFAULT");
	is(copy(in, &a, append, &b, 1, 0), -EBADF, "to O_APPEND: EBADF");
	is(copy(dir, &a, out, &b, 1, 0), -EISDIR, "from a directory: EISDIR");
	is(copy(p[0], NULL, out, &b, 1, 0), -EINVAL, "from a pipe: EINVAL");
	is(copy(in, &a, null, &b, 1, 0), -EINVAL, "to a device: EINVAL");
	is(copy(proc, &a, out, &b, 1, 0), -EXDEV, "from /proc: EXDEV");
	a = -1;
	is(copy(in, &a, out, &b, 1, 0), -EOVERFLOW, "from -1, to its end: EOVERFLOW");
	a = -100;
	is(copy(in, &a, out, &b, 1, 0), -EINVAL, "from -100: EINVAL");
	a = 0x7fffffffffffffff;
	is(copy(in, &a, out, &b, 10, 0), 0, "from the last byte of all: nothing");
	a = 0, b = -1;
	is(copy(in, &a, out, &b, 1, 0), -EOVERFLOW, "to -1: EOVERFLOW");
	b = -100;
	is(copy(in, &a, out, &b, 1, 0), -EINVAL, "to -100: EINVAL");
	b = 0x7fffffffffffffff;
	is(copy(in, &a, out, &b, 10, 0), -EFBIG, "to the last byte of all: EFBIG");
	close(in), close(out), close(append), close(dir), close(null), close(proc);
	close(p[0]), close(p[1]);
}

static long blocks(int fd)
{
	struct stat st;

	fstat(fd, &st);
	return st.st_blocks;
}

static long size(int fd)
{
	struct stat st;

	fstat(fd, &st);
	return st.st_size;
}

static void allocating(void)
{
	int fd = make_file("g", 10), ro = open(in_dir("g"), O_RDONLY), p[2], dir, null;
	char *map;

	pipe(p);
	dir = open(test_dir, O_RDONLY);
	null = open("/dev/null", O_RDWR);
	is(fallocate(fd, 0, 0, 10000), 0, "fallocate of 10000 bytes");
	ok(size(fd) == 10000 && blocks(fd) == 24, "they are there");
	is(pread(fd, buf, 20, 0), 20, "read");
	is(memcmp(buf, "abcdefghij\0\0\0\0\0\0\0\0\0", 20), 0, "and zero");
	is(fallocate(fd, 1, 20000, 10000), 0, "keeping the size");
	ok(size(fd) == 10000 && blocks(fd) == 56, "only blocks come");
	is(ftruncate(fd, 10000), 0, "ftruncate to the same size");
	is(blocks(fd), 24, "drops what is behind it");
	is(fallocate(fd, 0, 100, 200), 0, "inside");
	is(size(fd), 10000, "changes nothing");
	memset(buf, 'x', sizeof(buf));
	pwrite(fd, buf, 65536, 0);
	is(fallocate(fd, 3, 1000, 20000), 0, "a hole is punched");
	ok(size(fd) == 65536 && blocks(fd) == 128 - 32, "four pages are gone, the size is not");
	pread(fd, buf, 65536, 0);
	ok(buf[999] == 'x' && buf[1000] == 0 && buf[20999] == 0 && buf[21000] == 'x',
	   "its edges are where they should be");
	is(fallocate(fd, 3, 60000, 100), 0, "a hole in one page");
	pread(fd, buf, 65536, 0);
	ok(buf[59999] == 'x' && buf[60000] == 0 && buf[60099] == 0 && buf[60100] == 'x',
	   "is there");
	map = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	map[30000] = 'y';
	is(fallocate(fd, 3, 24576, 8192), 0, "a hole in mapped memory");
	is(map[30000], 0, "shows there");
	map[30000] = 'z';
	pread(fd, buf, 1, 30000);
	is(buf[0], 'z', "which is still the file's");
	munmap(map, 65536);
	is(fallocate(fd, 3, 1000000, 1000), 0, "a hole behind the end");
	is(size(fd), 65536, "makes nothing longer");
	fails(fallocate(fd, 2, 0, 100), EOPNOTSUPP, "a hole without KEEP_SIZE: EOPNOTSUPP");
	fails(fallocate(fd, 0x1000, 0, 100), EOPNOTSUPP, "an unknown mode: EOPNOTSUPP");
	fails(fallocate(fd, 0x10, 0, 4096), EOPNOTSUPP, "ZERO_RANGE: EOPNOTSUPP");
	fails(fallocate(fd, 0, 0, 0), EINVAL, "no length: EINVAL");
	fails(fallocate(fd, 0, -1, 100), EINVAL, "from -1: EINVAL");
	fails(fallocate(fd, 0, 0, -1), EINVAL, "-1 bytes: EINVAL");
	fails(fallocate(fd, 0, 0x7fffffffffffffff, 100), EFBIG, "beyond all: EFBIG");
	fails(fallocate(fd, 0, 0, 1L << 50), ENOSPC, "more than there is: ENOSPC");
	is(size(fd), 65536, "the size stays");
	fails(fallocate(ro, 0, 0, 100), EBADF, "open for reading: EBADF");
	fails(fallocate(99, 0, 0, 100), EBADF, "not open: EBADF");
	fails(fallocate(p[1], 0, 0, 100), ESPIPE, "a pipe: ESPIPE");
	fails(fallocate(dir, 0, 0, 100), EBADF, "a directory: EBADF, as it is not for writing");
	fails(fallocate(null, 0, 0, 100), ENODEV, "a device: ENODEV");
	close(fd), close(ro), close(p[0]), close(p[1]), close(dir), close(null);
}

static void syncing(void)
{
	int fd = open(in_dir("f"), O_RDWR), dir = open(test_dir, O_RDONLY), p[2];
	int path = open(in_dir("f"), O_PATH), wo = open(in_dir("f"), O_WRONLY);
	int null = open("/dev/null", O_RDWR), proc = open("/proc/self/maps", O_RDONLY);

	pipe(p);
	is(fsync(fd), 0, "fsync");
	is(fdatasync(fd), 0, "fdatasync");
	is(fsync(dir), 0, "of a directory");
	is(syscall(306, fd), 0, "syncfs");
	is(syscall(306, p[0]), 0, "of a pipe's");
	fails(fsync(p[1]), EINVAL, "fsync of a pipe: EINVAL");
	fails(fsync(null), EINVAL, "of a device: EINVAL");
	fails(fsync(proc), EINVAL, "of /proc: EINVAL");
	fails(fsync(path), EBADF, "of O_PATH: EBADF");
	fails(fdatasync(99), EBADF, "of nothing: EBADF");
	fails(syscall(306, 99), EBADF, "syncfs too");
	for (int advice = 0; advice <= 5; advice++)
		is(syscall(SYS_fadvise64, fd, 0, 100, advice), 0, "fadvise64 %d", advice);
	fails(syscall(SYS_fadvise64, fd, 0, 100, 6), EINVAL, "6: EINVAL");
	fails(syscall(SYS_fadvise64, fd, 0, -1L, 0), EINVAL, "-1 bytes: EINVAL");
	fails(syscall(SYS_fadvise64, p[0], 0, 100, 0), ESPIPE, "of a pipe: ESPIPE");
	fails(syscall(SYS_fadvise64, p[0], 0, 100, 9), ESPIPE, "first of all");
	fails(syscall(SYS_fadvise64, 99, 0, 100, 0), EBADF, "of nothing: EBADF");
	is(syscall(SYS_readahead, fd, 0L, 100L), 0, "readahead");
	fails(syscall(SYS_readahead, wo, 0L, 100L), EBADF, "open for writing: EBADF");
	fails(syscall(SYS_readahead, p[0], 0L, 100L), EINVAL, "of a pipe: EINVAL");
	fails(syscall(SYS_readahead, 99, 0L, 100L), EBADF, "of nothing: EBADF");
	close(fd), close(dir), close(path), close(wo), close(null), close(proc);
	close(p[0]), close(p[1]);
}

/* The older way to list a directory has the same entries, with the type behind the name. */
static void listing(void)
{
	struct old_entry {
		unsigned long ino, next;
		unsigned short len;
		char name[];
	} * e;
	int fd = open(test_dir, O_RDONLY), file = open(in_dir("f"), O_RDONLY);
	long n = syscall(SYS_getdents, fd, buf, 1000);
	int dots = 0, files = 0;

	ok(n > 0 && n % 8 == 0, "getdents");
	for (long at = 0; at < n; at += e->len) {
		e = (void *)(buf + at);
		dots += e->name[0] == '.' && buf[at + e->len - 1] == 4;
		files += (e->name[0] == 'f' || e->name[0] == 'g') && !e->name[1] &&
			 buf[at + e->len - 1] == 8;
		if (e->len % 8 || e->len < 24)
			break;
	}
	is(dots, 2, ". and .., which are directories");
	is(files, 2, "two files, which are such");
	is(syscall(SYS_getdents, fd, buf, 1000), 0, "then the end");
	lseek(fd, 0, SEEK_SET);
	fails(syscall(SYS_getdents, fd, buf, 10), EINVAL, "too small: EINVAL");
	is(syscall(SYS_getdents, fd, buf, 24), 24, "room for one");
	fails(syscall(SYS_getdents, fd, 1, 1000), EFAULT, "to 1: EFAULT");
	fails(syscall(SYS_getdents, file, buf, 1000), ENOTDIR, "of a file: ENOTDIR");
	fails(syscall(SYS_getdents, 99, buf, 1000), EBADF, "of nothing: EBADF");
	close(fd), close(file);
}

int main(int argc, char **argv)
{
	static const char *const rest[] = { "f", "g", NULL };
	int before;

	tap_start(argc, argv, NULL);
	before = count_fds();
	make_dir("vectors");
	vectors();
	sending();
	copying();
	allocating();
	syncing();
	listing();
	clean_dir(rest);
	is(count_fds(), before, "no descriptor is left open");
	return done_testing();
}
