/* SPDX-License-Identifier: MIT */
/* Files and directories as far as reading goes: open, read, seek, stat, list, descriptors. */
#include "tap.h"
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

/* What getdents64 returns; musl's and glibc's own types differ in names only. */
struct entry {
	uint64_t inode;
	int64_t next;
	unsigned short length;
	unsigned char type;
	char name[];
};

/* The beginning of struct statx: older C libraries don't have it. Its size is 256 bytes. */
struct statx_start {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, pad;
	uint64_t ino, size;
	uint64_t rest[26];
};

_Static_assert(sizeof(struct statx_start) == 256, "statx writes 256 bytes");

static const char *motd; /* an ordinary readable file, named by main */

static void reading(void)
{
	char whole[4096], part[64], byte;
	int fd = open(motd, O_RDONLY);
	long size = read(fd, whole, sizeof(whole));
	struct iovec parts[3] = { { part, 3 }, { NULL, 0 }, { part + 3, 5 } };

	ok(size > 10 && size < (long)sizeof(whole), "read all of %s", motd);
	is(read(fd, whole, 1), 0, "read at the end: 0");
	is(lseek(fd, 0, SEEK_CUR), size, "the offset is the size");
	is(lseek(fd, 2, SEEK_SET), 2, "seek to 2");
	is(read(fd, part, 4), 4, "read 4 bytes");
	is(memcmp(part, whole + 2, 4), 0, "the right ones");
	is(lseek(fd, -2, SEEK_CUR), 4, "seek back by 2");
	is(lseek(fd, -1, SEEK_END), size - 1, "seek to the last byte");
	is(read(fd, part, sizeof(part)), 1, "read it: 1");
	is(lseek(fd, 1000000, SEEK_SET), 1000000, "seek beyond the end");
	is(read(fd, part, 1), 0, "read there: 0");
	fails(lseek(fd, -1, SEEK_SET), EINVAL, "seek before the start: EINVAL");
	fails(lseek(fd, 0, 99), EINVAL, "seek from nowhere: EINVAL");
	is(lseek(fd, 0, SEEK_CUR), 1000000, "errors leave the offset");
	is(pread(fd, part, 5, 1), 5, "pread of 5 bytes at 1");
	is(memcmp(part, whole + 1, 5), 0, "the right ones");
	is(lseek(fd, 0, SEEK_CUR), 1000000, "pread leaves the offset");
	is(pread(fd, part, 5, size), 0, "pread at the end: 0");
	is(pread(fd, part, 5, size - 2), 2, "pread across the end: what is there");
	fails(pread(fd, part, 5, -1), EINVAL, "pread at -1: EINVAL");
	lseek(fd, 0, SEEK_SET);
	is(readv(fd, parts, 3), 8, "readv of 3 and 0 and 5 bytes");
	is(memcmp(part, whole, 8), 0, "in their order");
	is(readv(fd, parts, 0), 0, "readv of nothing: 0");
	fails(syscall(SYS_readv, fd, parts, 1025), EINVAL, "readv of 1025 parts: EINVAL");
	fails(write(fd, "x", 1), EBADF, "write to a file open for reading: EBADF");
	is(read(fd, &byte, 0), 0, "read of 0 bytes: 0");
	close(fd);
	fails(read(fd, part, 1), EBADF, "read after close: EBADF");
	fails(close(fd), EBADF, "close after close: EBADF");
	fails(lseek(fd, 0, SEEK_SET), EBADF, "seek after close: EBADF");
	fails(pread(-1, part, 1, 0), EBADF, "pread of -1: EBADF");
}

static void open_errors(void)
{
	static char name[5000];
	char below[64];

	fails(open("/no/such", O_RDONLY), ENOENT, "no such directory: ENOENT");
	fails(open("/no-such", O_RDONLY), ENOENT, "no such file: ENOENT");
	fails(open("", O_RDONLY), ENOENT, "an empty name: ENOENT");
	snprintf(below, sizeof(below), "%s/x", motd);
	fails(open(below, O_RDONLY), ENOTDIR, "a file as directory: ENOTDIR");
	snprintf(below, sizeof(below), "%s/", motd);
	fails(open(below, O_RDONLY), ENOTDIR, "a slash behind a file: ENOTDIR");
	fails(open(motd, O_RDONLY | O_DIRECTORY), ENOTDIR, "O_DIRECTORY of a file: ENOTDIR");
	fails(open("/", O_WRONLY), EISDIR, "a directory for writing: EISDIR");
	fails(open("/", O_RDWR), EISDIR, "a directory for both: EISDIR");
	memset(name, 'n', sizeof(name));
	name[0] = '/';
	name[256] = '\0';
	fails(open(name, O_RDONLY), ENOENT, "a name of 255 bytes: ENOENT");
	name[256] = 'n';
	name[257] = '\0';
	fails(open(name, O_RDONLY), ENAMETOOLONG, "a name of 256: ENAMETOOLONG");
	for (int i = 0; i < 5000; i++)
		name[i] = i % 2 ? '.' : '/';
	name[4095] = '\0';
	ok(access(name, F_OK) == 0, "a path of 4095 bytes is fine");
	name[4095] = '.';
	name[4096] = '\0';
	fails(open(name, O_RDONLY), ENAMETOOLONG, "one of 4096: ENAMETOOLONG");
}

static void names(void)
{
	struct stat a, b;

	is(stat("/", &a) | stat("/..", &b), 0, "/ and /..");
	ok(a.st_dev == b.st_dev && a.st_ino == b.st_ino, "are the same");
	is(stat("//bin///.//", &b) | stat("/bin", &a), 0, "/bin with slashes and dots");
	ok(a.st_dev == b.st_dev && a.st_ino == b.st_ino, "is /bin");
	is(stat("/bin/../etc", &a) | stat("/etc", &b), 0, "/bin/../etc");
	ok(S_ISDIR(a.st_mode) && a.st_ino != 0, "is a directory");
}

static void stats(void)
{
	int fd = open(motd, O_RDONLY), root = open("/", O_RDONLY | O_DIRECTORY);
	struct stat by_name, by_fd, by_at, link;
	struct statx_start x;

	is(stat(motd, &by_name), 0, "stat");
	is(fstat(fd, &by_fd), 0, "fstat");
	is(lstat(motd, &link), 0, "lstat");
	is(fstatat(root, motd + 1, &by_at, 0), 0, "fstatat from /");
	ok(S_ISREG(by_name.st_mode), "a regular file");
	ok(by_name.st_ino == by_fd.st_ino && by_name.st_ino == link.st_ino &&
		   by_name.st_ino == by_at.st_ino,
	   "the same inode");
	ok(by_name.st_size == by_fd.st_size && by_name.st_size == lseek(fd, 0, SEEK_END),
	   "the size");
	ok(by_name.st_nlink >= 1 && by_name.st_blksize >= 512, "links and block size");
	is(syscall(SYS_newfstatat, fd, "", &by_at, AT_EMPTY_PATH), 0, "fstatat of a descriptor");
	ok(by_at.st_ino == by_fd.st_ino, "the same inode");
	fails(syscall(SYS_newfstatat, fd, "", &by_at, 0), ENOENT,
	      "an empty name without the flag: ENOENT");
	fails(syscall(SYS_newfstatat, fd, "", &by_at, 0x80000), EINVAL, "unknown flag: EINVAL");
	fails(fstatat(fd, "x", &by_at, 0), ENOTDIR, "a name below a file: ENOTDIR");
	fails(fstatat(999, "x", &by_at, 0), EBADF, "below a closed descriptor: EBADF");
	is(fstatat(999, "/", &by_at, 0), 0, "an absolute name needs no descriptor");
	ok(S_ISDIR(by_at.st_mode), "/ is a directory");
	fails(stat("/no-such", &by_name), ENOENT, "stat of nothing: ENOENT");
	fails(fstat(999, &by_fd), EBADF, "fstat of a closed descriptor: EBADF");
	memset(&x, 0, sizeof(x));
	is(syscall(SYS_statx, AT_FDCWD, motd, 0, 0x7ff, &x), 0, "statx");
	ok((x.mask & 0x7ff) == 0x7ff, "fills in the basic fields");
	ok((long)x.size == by_fd.st_size && x.ino == by_fd.st_ino && x.mode == by_fd.st_mode &&
		   x.nlink == by_fd.st_nlink,
	   "with the same values");
	close(root);
	close(fd);
}

static void links(void)
{
	char target[256] = "", pid[16];
	struct stat info;
	long n;

	is(lstat("/proc/self", &info), 0, "lstat of /proc/self");
	ok(S_ISLNK(info.st_mode), "a symbolic link");
	is(stat("/proc/self", &info), 0, "stat follows it");
	ok(S_ISDIR(info.st_mode), "to a directory");
	n = readlink("/proc/self", target, sizeof(target) - 1);
	snprintf(pid, sizeof(pid), "%d", getpid());
	is(n, strlen(pid), "readlink's length is that of the pid");
	is_str(target, pid, "readlink gives this process");
	memset(target, '#', sizeof(target));
	is(readlink("/proc/self", target, 1), 1, "readlink into one byte: 1");
	ok(target[0] == pid[0] && target[1] == '#', "cut, without a final zero");
	fails(syscall(SYS_readlink, "/proc/self", target, 0), EINVAL, "into no byte: EINVAL");
	fails(readlink(motd, target, 10), EINVAL, "readlink of a file: EINVAL");
	fails(readlink("/no-such", target, 10), ENOENT, "of nothing: ENOENT");
	fails(open("/proc/self", O_RDONLY | O_NOFOLLOW), ELOOP, "O_NOFOLLOW of a link: ELOOP");
	n = readlink("/proc/self/exe", target, sizeof(target) - 1);
	ok(n > 0 && target[0] == '/' && memmem(target, n, "file_basic", 10),
	   "/proc/self/exe leads to this program's file");
}

static void access_modes(void)
{
	is(access(motd, F_OK), 0, "access: it is there");
	is(access(motd, R_OK), 0, "it can be read");
	fails(access(motd, X_OK), EACCES, "it can't be executed");
	is(access("/", X_OK | R_OK), 0, "/ can be searched and read");
	is(access("/proc/self/exe", X_OK), 0, "this program can be executed");
	fails(access("/no-such", F_OK), ENOENT, "nothing: ENOENT");
	fails(access(motd, 8), EINVAL, "mode 8: EINVAL");
}

/* Lists a directory with a buffer of that size. Returns the count; seen gets a bit per name. */
static long list(int fd, size_t size, const char *const *names, unsigned *seen)
{
	static char buffer[32768] __attribute__((aligned(8)));
	long count = 0, n;

	*seen = 0;
	lseek(fd, 0, SEEK_SET);
	while ((n = syscall(SYS_getdents64, fd, buffer, size)) > 0) {
		for (long at = 0; at < n;) {
			struct entry *entry = (struct entry *)(buffer + at);

			for (int i = 0; names[i]; i++)
				if (strcmp(entry->name, names[i]) == 0)
					*seen |= 1u << i;
			if (entry->length % 8 || strlen(entry->name) + 20 > entry->length)
				return -1;
			count++;
			at += entry->length;
		}
	}
	return n < 0 ? -errno : count;
}

static void listing(void)
{
	static const char *const names[] = { ".", "..", "bin", "etc", "proc", "dev", NULL };
	int root = open("/", O_RDONLY | O_DIRECTORY), fd;
	char small[64] __attribute__((aligned(8)));
	unsigned seen;
	long all;

	all = list(root, 32768, names, &seen);
	ok(all >= 6, "getdents64 of /: %ld names", all);
	is(seen, 0x3f, ". .. bin etc proc dev are among them");
	is(list(root, 300, names, &seen), all, "a small buffer gives as many");
	is(seen, 0x3f, "the same ones");
	is(syscall(SYS_getdents64, root, small, sizeof(small)), 0, "at the end: 0");
	lseek(root, 0, SEEK_SET);
	fails(syscall(SYS_getdents64, root, small, 8), EINVAL, "too small a buffer: EINVAL");
	ok(syscall(SYS_getdents64, root, small, sizeof(small)) > 0, "after that it goes on");
	fails(read(root, small, 8), EISDIR, "read of a directory: EISDIR");
	fails(write(root, small, 8), EBADF, "write to a directory: EBADF");
	close(root);
	fd = open(motd, O_RDONLY);
	fails(syscall(SYS_getdents64, fd, small, sizeof(small)), ENOTDIR, "of a file: ENOTDIR");
	close(fd);
	fails(syscall(SYS_getdents64, fd, small, sizeof(small)), EBADF, "of nothing: EBADF");
}

/* Every name of a directory can be looked at, and has the inode that the list says. */
static void listing_agrees(void)
{
	static char buffer[32768] __attribute__((aligned(8)));
	int fd = open("/etc/.", O_RDONLY | O_DIRECTORY);
	long n = syscall(SYS_getdents64, fd, buffer, sizeof(buffer));
	struct stat info, etc;
	bool good = n > 0 && fstat(fd, &etc) == 0;
	int files = 0;

	for (long at = 0; good && at < n;) {
		struct entry *entry = (struct entry *)(buffer + at);

		at += entry->length;
		if (strcmp(entry->name, "..") == 0 ||
		    fstatat(fd, entry->name, &info, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		/* Where something is mounted on a name, the list has what is below the mount. */
		if (info.st_dev != etc.st_dev)
			continue;
		good = info.st_ino == entry->inode;
		if (S_ISREG(info.st_mode)) {
			files++;
			good &= entry->type == 8;
		} else if (S_ISDIR(info.st_mode)) {
			good &= entry->type == 4;
		}
		if (!good)
			diag("%s", entry->name);
	}
	ok(good && files > 0, "the inodes and types in the list are those of stat");
	close(fd);
}

static void directories(void)
{
	int etc = open("/etc", O_RDONLY | O_DIRECTORY), fd;
	char cwd[4096];

	fd = openat(etc, motd + 5, O_RDONLY);
	ok(fd >= 0, "openat from a directory");
	fails(openat(fd, "x", O_RDONLY), ENOTDIR, "openat from a file: ENOTDIR");
	close(fd);
	fails(openat(999, "x", O_RDONLY), EBADF, "openat from nothing: EBADF");
	fd = openat(etc, "../bin/../etc/.", O_RDONLY);
	ok(fd >= 0, "openat through ..");
	close(fd);
	close(etc);
	ok(syscall(SYS_getcwd, cwd, sizeof(cwd)) == (long)strlen(cwd) + 1 && cwd[0] == '/',
	   "getcwd returns its length with the final zero");
}

static void duplicates(void)
{
	int fd = open(motd, O_RDONLY), other = open(motd, O_RDONLY), copy = dup(fd);
	char byte;

	ok(copy > fd && copy != other, "dup gives another number");
	is(read(fd, &byte, 1), 1, "read a byte");
	is(lseek(copy, 0, SEEK_CUR), 1, "the copy shares the offset");
	is(lseek(other, 0, SEEK_CUR), 0, "another open doesn't");
	is(dup2(fd, other), other, "dup2 over an open one");
	is(lseek(other, 0, SEEK_CUR), 1, "replaces it");
	is(dup2(fd, fd), fd, "dup2 onto itself does nothing");
	close(fd);
	is(read(copy, &byte, 1), 1, "the copy works when the first is closed");
	fails(dup(fd), EBADF, "dup of a closed one: EBADF");
	fails(dup2(fd, 50), EBADF, "dup2 of a closed one: EBADF");
	fails(dup2(fd, fd), EBADF, "onto itself: EBADF as well");
	fails(dup2(copy, -1), EBADF, "dup2 to -1: EBADF");
	is(open("/", O_RDONLY), fd, "open takes the lowest free number");
	close(fd);
	close(other);
	close(copy);
}

static void control(void)
{
	int fd = open(motd, O_RDONLY), high;
	struct rlimit limit;
	struct winsize size;

	is(fcntl(fd, F_GETFD), 0, "F_GETFD: no flag");
	is(fcntl(fd, F_SETFD, FD_CLOEXEC), 0, "F_SETFD");
	is(fcntl(fd, F_GETFD), FD_CLOEXEC, "F_GETFD: close-on-exec");
	is(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY, "F_GETFL: for reading");
	high = fcntl(fd, F_DUPFD, 100);
	is(high, 100, "F_DUPFD from 100 gives 100");
	is(fcntl(high, F_GETFD), 0, "without close-on-exec");
	is(fcntl(fd, F_DUPFD_CLOEXEC, 100), 101, "F_DUPFD_CLOEXEC gives 101");
	is(fcntl(101, F_GETFD), FD_CLOEXEC, "with it");
	close(100);
	close(101);
	syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit);
	fails(fcntl(fd, F_DUPFD, (long)limit.rlim_cur), EINVAL, "F_DUPFD at the limit: EINVAL");
	fails(dup2(fd, limit.rlim_cur), EBADF, "dup2 to the limit: EBADF");
	is(dup2(fd, limit.rlim_cur - 1), limit.rlim_cur - 1, "dup2 to the last number");
	fails(fcntl(fd, F_DUPFD, (long)limit.rlim_cur - 1), EMFILE, "F_DUPFD above it: EMFILE");
	close(limit.rlim_cur - 1);
	fails(fcntl(fd, 9999), EINVAL, "unknown command: EINVAL");
	fails(fcntl(999, F_GETFD), EBADF, "of a closed descriptor: EBADF");
	fails(ioctl(fd, TIOCGWINSZ, &size), ENOTTY, "a file has no window size: ENOTTY");
	fails(ioctl(999, TIOCGWINSZ, &size), EBADF, "nor has a closed descriptor: EBADF");
	close(fd);
}

static void devices(void)
{
	int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDONLY);
	char bytes[16];
	struct stat info;

	ok(null >= 0, "/dev/null");
	is(write(null, bytes, 16), 16, "takes all");
	is(read(null, bytes, 16), 0, "gives nothing");
	is(fstat(null, &info), 0, "fstat");
	ok(S_ISCHR(info.st_mode) && info.st_rdev == 0x103, "a character device, 1:3");
	memset(bytes, 1, sizeof(bytes));
	is(read(zero, bytes, 16), 16, "/dev/zero gives all");
	ok(bytes[0] == 0 && bytes[15] == 0, "zeros");
	close(zero);
	close(null);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	motd = access("/etc/motd", R_OK) == 0 ? "/etc/motd" : "/etc/passwd";
	if (access(motd, R_OK) != 0)
		skip_all("no file to read in /etc");
	reading();
	open_errors();
	names();
	stats();
	links();
	access_modes();
	listing();
	listing_agrees();
	directories();
	duplicates();
	control();
	devices();
	return done_testing();
}
