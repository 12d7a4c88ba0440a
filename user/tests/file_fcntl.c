/* SPDX-License-Identifier: MIT */
/* fcntl, dup, close_range, open's flags and openat2: numbers, and what belongs to which. */
#include "files.h"
#include <sys/resource.h>

#ifndef F_SETPIPE_SZ
#define F_SETPIPE_SZ 1031
#define F_GETPIPE_SZ 1032
#endif
#ifndef O_TMPFILE
#define O_TMPFILE 020200000
#endif
#define LARGE 0100000

static void copies(void)
{
	int fd = make_file("f", 100), a, b;
	struct rlimit lim;

	a = fcntl(fd, F_DUPFD, 20);
	is(a, 20, "F_DUPFD takes the number or the next");
	b = fcntl(fd, F_DUPFD, 20);
	is(b, 21, "the next");
	is(fcntl(a, F_GETFD), 0, "open at exec");
	is(fcntl(fd, F_DUPFD_CLOEXEC, 5), 5, "F_DUPFD_CLOEXEC");
	is(fcntl(5, F_GETFD), FD_CLOEXEC, "closed at exec");
	is(fcntl(5, F_SETFD, ~FD_CLOEXEC), 0, "F_SETFD");
	is(fcntl(5, F_GETFD), 0, "knows one bit");
	is(fcntl(5, F_SETFD, -1), 0, "of all");
	is(fcntl(5, F_GETFD), FD_CLOEXEC, "of them");
	lseek(fd, 7, SEEK_SET);
	is(lseek(a, 0, SEEK_CUR), 7, "copies share the position");
	fcntl(a, F_SETFL, O_APPEND | O_NONBLOCK);
	is(fcntl(fd, F_GETFL), O_RDWR | LARGE | O_APPEND | O_NONBLOCK, "and the flags");
	fcntl(a, F_SETFL, 0);
	is(fcntl(fd, F_GETFL), O_RDWR | LARGE, "which can go again");
	fcntl(a, F_SETFL, O_WRONLY | O_CREAT | O_EXCL | O_TRUNC);
	is(fcntl(fd, F_GETFL), O_RDWR | LARGE, "others can't be set");
	getrlimit(RLIMIT_NOFILE, &lim);
	fails(fcntl(fd, F_DUPFD, (int)lim.rlim_cur), EINVAL, "F_DUPFD of the limit: EINVAL");
	fails(fcntl(fd, F_DUPFD, -1), EINVAL, "of -1: EINVAL");
	fails(fcntl(99, F_DUPFD, -1), EBADF, "a closed descriptor: EBADF");
	is(dup2(fd, fd), fd, "dup2 to itself");
	fails(dup2(99, 99), EBADF, "of a closed one: EBADF");
	fails(syscall(SYS_dup3, fd, fd, 0), EINVAL, "dup3 to itself: EINVAL");
	fails(syscall(SYS_dup3, 99, 99, 0), EINVAL, "even of a closed one");
	fails(syscall(SYS_dup3, fd, 30, O_APPEND), EINVAL, "dup3 with O_APPEND: EINVAL");
	fails(dup2(fd, (int)lim.rlim_cur), EBADF, "dup2 to the limit: EBADF");
	fails(dup2(fd, -1), EBADF, "to -1: EBADF");
	is(dup2(fd, 5), 5, "over an open one");
	is(fcntl(5, F_GETFD), 0, "which loses its flag");
	is(syscall(SYS_dup3, fd, 5, O_CLOEXEC), 5, "dup3 with O_CLOEXEC");
	is(fcntl(5, F_GETFD), FD_CLOEXEC, "has it");
	close(fd), close(a), close(b), close(5);
}

static void commands(void)
{
	int fd = open(in_dir("f"), O_RDONLY), path = open(in_dir("f"), O_PATH | O_RDWR);

	is(fcntl(fd, F_GETOWN), 0, "F_GETOWN: nobody");
	fails(fcntl(fd, 77), EINVAL, "an unknown command: EINVAL");
	fails(fcntl(fd, -1), EINVAL, "EINVAL");
	fails(fcntl(99, 77), EBADF, "of a closed descriptor: EBADF");
	fails(fcntl(path, 77), EBADF, "of O_PATH: EBADF");
	is(fcntl(path, F_GETFL), O_PATH, "O_PATH drops the other flags");
	is(fcntl(path, F_SETFD, FD_CLOEXEC), 0, "its own flag can be set");
	is(fcntl(path, F_GETFD), FD_CLOEXEC, "and got");
	fails(fcntl(path, F_SETFL, 0), EBADF, "others not: EBADF");
	is(fcntl(path, F_DUPFD, 40), 40, "it can be copied");
	is(fcntl(40, F_GETFL), O_PATH, "as what it is");
	close(40);
	is(fcntl(fd, F_SETFL, O_NOATIME), 0, "O_NOATIME of one's own file");
	close(fd);
	if (geteuid() != 0) {
		fd = open("/etc/motd", O_RDONLY);
		fails(fcntl(fd, F_SETFL, O_NOATIME), EPERM, "of another's: EPERM");
		fails(open("/etc/motd", O_RDONLY | O_NOATIME), EPERM, "so for open: EPERM");
		close(fd);
	}
	close(path);
}

static void ranges(void)
{
	int fd = open(in_dir("f"), O_RDONLY);

	for (int i = 100; i < 110; i++)
		dup2(fd, i);
	fails(syscall(436, 105, 104, 0), EINVAL, "close_range backwards: EINVAL");
	fails(syscall(436, 100, 104, 1), EINVAL, "an unknown flag: EINVAL");
	is(syscall(436, 100, 104, 4), 0, "with CLOSE_RANGE_CLOEXEC");
	ok(fcntl(100, F_GETFD) == FD_CLOEXEC && fcntl(104, F_GETFD) == FD_CLOEXEC &&
		   fcntl(105, F_GETFD) == 0,
	   "they get the flag");
	is(syscall(436, 103, 106, 0), 0, "close_range");
	ok(fcntl(102, F_GETFD) >= 0 && fcntl(103, F_GETFD) < 0 && fcntl(106, F_GETFD) < 0 &&
		   fcntl(107, F_GETFD) >= 0,
	   "closes those");
	is(syscall(436, 103, 106, 0), 0, "where none is open too");
	is(syscall(436, 100, ~0U, 2), 0, "to the end, with CLOSE_RANGE_UNSHARE");
	ok(fcntl(102, F_GETFD) < 0 && fcntl(107, F_GETFD) < 0, "closes the rest");
	is(syscall(436, 5000000, ~0U, 0), 0, "beyond all");
	close(fd);
}

static void open_flags(void)
{
	int fd, flags;
	char buf[8];
	struct stat st;

	static const struct {
		int flags, shown;
	} shown[] = {
		{ O_RDONLY, O_RDONLY | LARGE },
		{ O_WRONLY | O_APPEND, O_WRONLY | O_APPEND | LARGE },
		{ O_RDWR | O_NONBLOCK | O_SYNC, O_RDWR | O_NONBLOCK | O_SYNC | LARGE },
		{ O_RDONLY | O_CREAT | O_NOCTTY | O_CLOEXEC, O_RDONLY | LARGE },
		{ O_RDONLY | O_NOFOLLOW | O_NOATIME, O_RDONLY | O_NOFOLLOW | O_NOATIME | LARGE },
		{ O_RDONLY | 0x40000000, O_RDONLY | LARGE },
		{ 3, 3 | LARGE },
	};
	for (size_t i = 0; i < COUNT(shown); i++) {
		fd = open(in_dir("f"), shown[i].flags, 0600);
		flags = fcntl(fd, F_GETFL);
		is(flags, shown[i].shown, "open with 0%o: F_GETFL", shown[i].flags);
		close(fd);
	}
	fd = open(in_dir("f"), 3);
	ok(fd >= 0, "access mode 3 opens");
	fails(read(fd, buf, 1), EBADF, "for neither: EBADF");
	fails(write(fd, buf, 1), EBADF, "EBADF");
	is(fstat(fd, &st), 0, "but it can be asked about");
	close(fd);
	fails(open(in_dir("f"), O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST, "O_EXCL: EEXIST");
	symlink("nowhere", in_dir("dangling"));
	fails(open(in_dir("dangling"), O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST,
	      "O_EXCL of a link that leads nowhere: EEXIST");
	fails(open(in_dir("dangling"), O_RDWR), ENOENT, "without: ENOENT");
	fd = open(in_dir("dangling"), O_RDWR | O_CREAT, 0600);
	ok(fd >= 0, "O_CREAT makes what it leads to");
	close(fd);
	is(stat(in_dir("nowhere"), &st), 0, "which is there now");
	fails(open(in_dir("dangling"), O_RDONLY | O_NOFOLLOW), ELOOP, "O_NOFOLLOW: ELOOP");
	fd = open(in_dir("dangling"), O_PATH | O_NOFOLLOW);
	fstat(fd, &st);
	ok(fd >= 0 && S_ISLNK(st.st_mode), "with O_PATH it opens the link itself");
	is(readlinkat(fd, "", buf, 8), 7, "which can be read");
	close(fd);
	fails(open(in_dir("f"), O_DIRECTORY), ENOTDIR, "O_DIRECTORY of a file: ENOTDIR");
	fails(open(test_dir, O_RDONLY | O_CREAT, 0600), EISDIR, "O_CREAT of a directory: EISDIR");
	fails(open(test_dir, O_RDONLY | O_TRUNC), EISDIR, "O_TRUNC: EISDIR");
	fails(open(in_dir("new/"), O_RDWR | O_CREAT, 0600), EISDIR, "O_CREAT with a slash: EISDIR");
	fails(open(in_dir("f/"), O_RDONLY), ENOTDIR, "a file with a slash: ENOTDIR");
	fd = open(in_dir("f"), O_RDWR | O_APPEND);
	is(write(fd, "end", 3), 3, "O_APPEND writes");
	is(lseek(fd, 0, SEEK_CUR), 103, "at the end");
	is(pwrite(fd, "end", 3, 0), 3, "pwrite");
	fstat(fd, &st);
	is(st.st_size, 106, "too, as Linux has it");
	fd = dup2(open(in_dir("f"), O_RDWR | O_TRUNC), fd);
	fstat(fd, &st);
	is(st.st_size, 0, "O_TRUNC cuts");
	close(fd), close(fd + 1);
	unlink(in_dir("dangling")), unlink(in_dir("nowhere"));
}

static void unnamed(void)
{
	int fd = open(test_dir, O_TMPFILE | O_RDWR, 0640), excl;
	char link_path[64], text[128], want[160];
	struct stat st;
	long n;

	ok(fd >= 0, "O_TMPFILE");
	fstat(fd, &st);
	ok(st.st_nlink == 0 && S_ISREG(st.st_mode) && st.st_size == 0, "a file without a name");
	is(st.st_mode & 07777, 0640, "its mode");
	is(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR, "open for both");
	is(fcntl(fd, F_GETFL) & O_TMPFILE, O_TMPFILE, "the flag shows");
	snprintf(link_path, sizeof(link_path), "/proc/self/fd/%d", fd);
	n = readlink(link_path, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	snprintf(want, sizeof(want), "%s/#%lu (deleted)", test_dir, (unsigned long)st.st_ino);
	is_str(text, want, "its link in /proc");
	write(fd, "hidden", 6);
	is(linkat(AT_FDCWD, link_path, AT_FDCWD, in_dir("named"), AT_SYMLINK_FOLLOW), 0,
	   "it gets a name by that");
	is(stat(in_dir("named"), &st), 0, "which is there");
	ok(st.st_nlink == 1 && st.st_size == 6, "with what was written");
	close(fd);
	unlink(in_dir("named"));
	excl = open(test_dir, O_TMPFILE | O_WRONLY | O_EXCL, 0600);
	snprintf(link_path, sizeof(link_path), "/proc/self/fd/%d", excl);
	fails(linkat(AT_FDCWD, link_path, AT_FDCWD, in_dir("named"), AT_SYMLINK_FOLLOW), ENOENT,
	      "with O_EXCL it never does: ENOENT");
	close(excl);
	fails(open(test_dir, O_TMPFILE | O_RDONLY, 0600), EINVAL, "for reading: EINVAL");
	fails(open(test_dir, O_TMPFILE | O_CREAT | O_RDWR, 0600), EINVAL, "with O_CREAT: EINVAL");
	fails(open(in_dir("f"), O_TMPFILE | O_RDWR, 0600), ENOTDIR, "in a file: ENOTDIR");
	fails(open(in_dir("none"), O_TMPFILE | O_RDWR, 0600), ENOENT, "in nothing: ENOENT");
	fails(open("/proc", O_TMPFILE | O_RDWR, 0600), geteuid() ? EACCES : EOPNOTSUPP, "in /proc");
}

static long how(const char *path, unsigned long flags, unsigned long mode, unsigned long resolve)
{
	unsigned long h[4] = { flags, mode, resolve, 0 };

	return result(syscall(437, AT_FDCWD, path, h, 24));
}

static void openat2(void)
{
	unsigned long h[5] = { O_RDONLY, 0, 0, 0, 1 };
	long fd = how(in_dir("f"), O_RDONLY, 0, 0);

	ok(fd >= 0, "openat2");
	is(fcntl(fd, F_GETFL), O_RDONLY | LARGE, "its flags");
	close(fd);
	is(how(in_dir("f"), 0x40000000, 0, 0), -EINVAL, "an unknown flag: EINVAL");
	is(how(in_dir("f"), 1UL << 40, 0, 0), -EINVAL, "EINVAL");
	is(how(in_dir("f"), O_RDONLY, 0600, 0), -EINVAL, "a mode for nothing: EINVAL");
	is(how(in_dir("f"), O_RDWR | O_CREAT, 010000, 0), -EINVAL, "a mode too large: EINVAL");
	is(how(in_dir("f"), O_PATH | O_RDWR, 0, 0), -EINVAL, "O_PATH with more: EINVAL");
	is(how(in_dir("f"), O_RDONLY, 0, 0x100), -EINVAL, "an unknown way: EINVAL");
	is(how(in_dir("f"), O_RDONLY, 0, 0x18), -EINVAL, "two that don't go together: EINVAL");
	is(how(in_dir("none"), O_RDONLY, 0, 0), -ENOENT, "nothing there: ENOENT");
	fails(syscall(437, AT_FDCWD, in_dir("f"), h, 16), EINVAL, "too small: EINVAL");
	fails(syscall(437, AT_FDCWD, in_dir("f"), h, 5000), E2BIG, "too large: E2BIG");
	fails(syscall(437, AT_FDCWD, in_dir("f"), h, 40), E2BIG, "more than known: E2BIG");
	h[4] = 0;
	fd = syscall(437, AT_FDCWD, in_dir("f"), h, 40);
	ok(fd >= 0, "unless it is zero");
	close(fd);
	fails(syscall(437, AT_FDCWD, in_dir("f"), 1, 24), EFAULT, "at 1: EFAULT");
	fails(syscall(437, AT_FDCWD, 1, h, 24), EFAULT, "the path at 1: EFAULT");
}

int main(int argc, char **argv)
{
	static const char *const rest[] = { "f", NULL };
	int before;

	tap_start(argc, argv, NULL);
	before = count_fds();
	umask(022);
	make_dir("fcntl");
	copies();
	commands();
	ranges();
	open_flags();
	unnamed();
	openat2();
	clean_dir(rest);
	is(count_fds(), before, "no descriptor is left open");
	return done_testing();
}
