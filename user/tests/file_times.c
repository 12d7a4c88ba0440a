/* SPDX-License-Identifier: MIT */
/* The three times of a file: what sets which, and how they are set. */
#include "files.h"
#include <sys/time.h>
#include <utime.h>

#define NOW  0x3fffffffL
#define OMIT 0x3ffffffeL

static struct stat st;

static void look(const char *name)
{
	if (stat(in_dir(name), &st) != 0)
		diag("stat: errno %d", errno);
}

static bool same(struct timespec a, long sec, long nsec)
{
	return a.tv_sec == sec && a.tv_nsec == nsec;
}

static bool before_or_equal(struct timespec a, struct timespec b)
{
	return a.tv_sec < b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec <= b.tv_nsec);
}

/* Sets both to long ago, so that every change shows. */
static void age(const char *name)
{
	struct timespec old[2] = { { 1000, 5 }, { 2000, 6 } };

	utimensat(AT_FDCWD, in_dir(name), old, 0);
	look(name);
}

#define ATIME_OLD (st.st_atim.tv_sec == 1000)
#define MTIME_OLD (st.st_mtim.tv_sec == 2000)

static void setting(void)
{
	char byte;
	struct timespec ts[2] = { { 1, 2 }, { 3, 4 } };
	struct timeval tv[2] = { { 5, 6 }, { 7, 8 } };
	struct utimbuf ub = { 9, 10 };
	int fd = make_file("f", 10), path = open(in_dir("f"), O_PATH);
	int dir = open(test_dir, O_RDONLY);

	is(utimensat(AT_FDCWD, in_dir("f"), ts, 0), 0, "utimensat");
	look("f");
	ok(same(st.st_atim, 1, 2) && same(st.st_mtim, 3, 4), "sets both to the ns");
	ok(st.st_ctim.tv_sec > 1000000, "and the third to now");
	is(futimens(fd, (struct timespec[]){ { 11, 12 }, { 13, 14 } }), 0, "futimens");
	look("f");
	ok(same(st.st_atim, 11, 12) && same(st.st_mtim, 13, 14), "sets both");
	is(syscall(SYS_utimes, in_dir("f"), tv), 0, "utimes");
	look("f");
	ok(same(st.st_atim, 5, 6000) && same(st.st_mtim, 7, 8000), "sets both to the us");
	is(syscall(SYS_utime, in_dir("f"), &ub), 0, "utime");
	look("f");
	ok(same(st.st_atim, 9, 0) && same(st.st_mtim, 10, 0), "sets both to the second");
	is(syscall(SYS_futimesat, dir, "f", tv), 0, "futimesat");
	look("f");
	ok(same(st.st_atim, 5, 6000) && same(st.st_mtim, 7, 8000), "sets both");
	is(syscall(SYS_futimesat, fd, NULL, NULL), 0, "futimesat of a descriptor, now");
	look("f");
	ok(st.st_atim.tv_sec > 1000000 && st.st_mtim.tv_sec > 1000000, "sets both");
	age("f");
	ts[0] = (struct timespec){ 77, OMIT };
	ts[1] = (struct timespec){ 77, NOW };
	is(utimensat(AT_FDCWD, in_dir("f"), ts, 0), 0, "one left out, one now");
	look("f");
	ok(ATIME_OLD && st.st_mtim.tv_sec > 1000000, "as they say");
	age("f");
	ts[0] = (struct timespec){ -5, NOW };
	ts[1] = (struct timespec){ 77, OMIT };
	is(utimensat(AT_FDCWD, in_dir("f"), ts, 0), 0, "the other way round");
	look("f");
	ok(MTIME_OLD && st.st_atim.tv_sec > 1000000, "as they say");
	ts[0] = (struct timespec){ -5, 3 };
	ts[1] = (struct timespec){ -1000000000, 999999999 };
	is(utimensat(AT_FDCWD, in_dir("f"), ts, 0), 0, "before 1970");
	look("f");
	ok(same(st.st_atim, -5, 3) && same(st.st_mtim, -1000000000, 999999999), "kept as they are");
	ts[0] = (struct timespec){ 4102444800, 1 };
	is(utimensat(AT_FDCWD, in_dir("f"), ts, 0), 0, "after 2100");
	look("f");
	ok(same(st.st_atim, 4102444800, 1), "kept as it is");
	/* Beyond what a kernel may be able to keep: at either end of it. */
	ts[0] = (struct timespec){ -1L << 60, 1 };
	ts[1] = (struct timespec){ 1L << 60, 2 };
	is(utimensat(AT_FDCWD, in_dir("f"), ts, 0), 0, "before and after everything");
	look("f");
	ok(st.st_atim.tv_sec < -9000000000 && st.st_mtim.tv_sec > 9000000000,
	   "kept as near as can be");
	ts[1] = (struct timespec){ -1L << 61, 0 };
	is(utimensat(AT_FDCWD, in_dir("f"), ts, 0), 0, "both before everything");
	is(pread(fd, &byte, 1, 0), 1, "a read of such a file");
	look("f");
	ok(st.st_mtim.tv_sec < -9000000000 && st.st_mtim.tv_nsec >= 0, "leaves the time of change");
	symlink("f", in_dir("l"));
	age("f");
	ts[0] = ts[1] = (struct timespec){ 55, 0 };
	is(utimensat(AT_FDCWD, in_dir("l"), ts, AT_SYMLINK_NOFOLLOW), 0, "of a link itself");
	look("f");
	ok(ATIME_OLD && MTIME_OLD, "leaves the file");
	is(utimensat(AT_FDCWD, in_dir("l"), ts, 0), 0, "by the link");
	look("f");
	ok(same(st.st_atim, 55, 0), "sets the file's");
	is(utimensat(path, "", ts, 0x1000), 0, "of an O_PATH with AT_EMPTY_PATH");
	fails(utimensat(path, NULL, ts, 0), EBADF, "without: EBADF");
	close(fd), close(path), close(dir);
}

static void errors(void)
{
	struct timespec bad[2] = { { 1, 1000000000 }, { 1, 1 } }, good[2] = { { 1, 1 }, { 1, 1 } };
	struct timespec omit[2] = { { 1, OMIT }, { 1, OMIT } }, now[2] = { { 1, NOW }, { 1, NOW } };
	struct timespec half[2] = { { 1, NOW }, { 1, OMIT } };
	struct timeval badus[2] = { { 1, 1000000 }, { 1, 1 } };
	int fd = open(in_dir("f"), O_RDONLY);

	fails(utimensat(AT_FDCWD, in_dir("f"), bad, 0), EINVAL, "1e9 ns: EINVAL");
	bad[0].tv_nsec = -1;
	fails(utimensat(AT_FDCWD, in_dir("f"), bad, 0), EINVAL, "-1 ns: EINVAL");
	fails(utimensat(AT_FDCWD, in_dir("none"), bad, 0), ENOENT, "the name first: ENOENT");
	fails(syscall(SYS_utimes, in_dir("f"), badus), EINVAL, "1e6 us: EINVAL");
	fails(syscall(SYS_utimes, in_dir("none"), badus), EINVAL, "before the name: EINVAL");
	fails(utimensat(AT_FDCWD, in_dir("f"), good, 0x8000), EINVAL, "an unknown flag: EINVAL");
	fails(utimensat(AT_FDCWD, in_dir("none"), good, 0x8000), EINVAL, "before the name: EINVAL");
	fails(syscall(SYS_utimensat, fd, NULL, good, AT_SYMLINK_NOFOLLOW), EINVAL,
	      "a flag with a descriptor: EINVAL");
	fails(syscall(SYS_utimensat, AT_FDCWD, NULL, good, 0), EFAULT, "no name: EFAULT");
	fails(syscall(SYS_utimensat, AT_FDCWD, in_dir("f"), 1, 0), EFAULT, "times at 1: EFAULT");
	fails(syscall(SYS_utimensat, 99, NULL, good, 0), EBADF, "a closed descriptor: EBADF");
	fails(utimensat(AT_FDCWD, "", good, 0), ENOENT, "the empty path: ENOENT");
	is(utimensat(99, in_dir("none"), omit, 0x8000), 0, "both left out: whatever the rest is");
	fails(syscall(SYS_utime, in_dir("f"), 1), EFAULT, "utime, times at 1: EFAULT");
	if (geteuid() != 0) {
		fails(utimensat(AT_FDCWD, "/etc/motd", good, 0), EPERM, "somebody else's: EPERM");
		fails(utimensat(AT_FDCWD, "/etc/motd", half, 0), EPERM, "one only: EPERM");
		fails(utimensat(AT_FDCWD, "/etc/motd", now, 0), EACCES, "to now: EACCES");
		fails(utimensat(AT_FDCWD, "/etc/motd", NULL, 0), EACCES, "by default: EACCES");
		is(utimensat(AT_FDCWD, "/dev/null", NULL, 0), 0, "where one may write: allowed");
		fails(utimensat(AT_FDCWD, "/dev/null", good, 0), EPERM, "but only to now: EPERM");
	}
	chmod(in_dir("f"), 0);
	is(utimensat(AT_FDCWD, in_dir("f"), NULL, 0), 0, "the owner may always");
	chmod(in_dir("f"), 0644);
	close(fd);
}

/* What sets which: old is what it was. */
static void by_use(void)
{
	char buf[16];
	int fd;
	struct stat dir;

	age("f");
	fd = open(in_dir("f"), O_RDWR);
	look("f");
	ok(ATIME_OLD && MTIME_OLD, "open sets nothing");
	read(fd, buf, 0);
	look("f");
	ok(!ATIME_OLD && MTIME_OLD, "even a read of nothing sets the first");
	age("f");
	read(fd, buf, 4);
	look("f");
	ok(!ATIME_OLD && MTIME_OLD, "a read sets the first, as it was older than the others");
	age("f");
	write(fd, buf, 0);
	look("f");
	ok(ATIME_OLD && MTIME_OLD, "a write of nothing sets nothing");
	write(fd, buf, 4);
	look("f");
	ok(ATIME_OLD && !MTIME_OLD, "a write sets the second");
	ok(same(st.st_ctim, st.st_mtim.tv_sec, st.st_mtim.tv_nsec), "and the third, the same");
	age("f");
	ftruncate(fd, st.st_size);
	look("f");
	ok(!MTIME_OLD, "ftruncate sets it, even to the same size");
	age("f");
	truncate(in_dir("f"), st.st_size);
	look("f");
	ok(!MTIME_OLD, "truncate too");
	age("f");
	close(open(in_dir("f"), O_WRONLY | O_TRUNC));
	look("f");
	ok(ATIME_OLD && !MTIME_OLD, "and O_TRUNC");
	age("f");
	link(in_dir("f"), in_dir("f2"));
	look("f");
	ok(ATIME_OLD && MTIME_OLD, "link leaves them");
	unlink(in_dir("f2"));
	close(fd);
	fd = open(in_dir("f"), O_RDONLY | O_NOATIME);
	age("f");
	read(fd, buf, 4);
	look("f");
	ok(ATIME_OLD, "with O_NOATIME a read sets nothing");
	close(fd);
	utimensat(AT_FDCWD, test_dir, (struct timespec[]){ { 1000, 5 }, { 2000, 6 } }, 0);
	mknod(in_dir("n"), S_IFREG | 0600, 0);
	stat(test_dir, &dir);
	ok(dir.st_mtim.tv_sec > 1000000 && dir.st_atim.tv_sec == 1000,
	   "a new name sets its directory's");
	utimensat(AT_FDCWD, test_dir, (struct timespec[]){ { 1000, 5 }, { 2000, 6 } }, 0);
	unlink(in_dir("n"));
	stat(test_dir, &dir);
	ok(dir.st_mtim.tv_sec > 1000000, "and so does its going");
	look("f");
	ok(before_or_equal(st.st_mtim, st.st_ctim),
	   "no time of contents is after that of the status");
}

int main(int argc, char **argv)
{
	static const char *const rest[] = { "f", "l", NULL };
	int before;

	tap_start(argc, argv, NULL);
	before = count_fds();
	make_dir("times");
	setting();
	errors();
	by_use();
	clean_dir(rest);
	is(count_fds(), before, "no descriptor is left open");
	return done_testing();
}
