/* SPDX-License-Identifier: MIT */
/*
 * Bad input to every call about files: descriptors that aren't open, pointers that lead nowhere or
 * across the end of what is there, paths that are too long or go round in circles. Each call says
 * so with the right error and changes nothing.
 */
#include "areas.h"
#include "files.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/uio.h>

/* Numbers: some headers here are older than the calls. */
enum {
	NR_preadv2 = 327,
	NR_pwritev2 = 328,
	NR_statx = 332,
	NR_copy_file_range = 326,
	NR_syncfs = 306,
	NR_close_range = 436,
	NR_openat2 = 437,
	NR_faccessat2 = 439,
};

static char buf[8192];
static unsigned long unmapped, readonly, edge; /* edge: the last 4 bytes before unmapped memory */

/* --- descriptors --------------------------------------------------------------------------- */

/* Each with a descriptor as its first argument, others harmless. */
static const struct fd_call {
	const char *name;
	long nr, args[5];
	bool path_ok; /* works on O_PATH, or says something else there */
} fd_calls[] = {
	{ "read", SYS_read, { (long)buf, 1 } },
	{ "write", SYS_write, { (long)buf, 1 } },
	{ "pread64", SYS_pread64, { (long)buf, 1, 0 } },
	{ "pwrite64", SYS_pwrite64, { (long)buf, 1, 0 } },
	{ "readv", SYS_readv, { (long)buf, 0 } },
	{ "writev", SYS_writev, { (long)buf, 0 } },
	{ "preadv", SYS_preadv, { (long)buf, 0, 0 } },
	{ "pwritev", SYS_pwritev, { (long)buf, 0, 0 } },
	{ "preadv2", NR_preadv2, { (long)buf, 0, 0, 0, 0 } },
	{ "pwritev2", NR_pwritev2, { (long)buf, 0, 0, 0, 0 } },
	{ "lseek", SYS_lseek, { 0, 0 } },
	{ "fstat", SYS_fstat, { (long)buf }, true },
	{ "fstatfs", SYS_fstatfs, { (long)buf }, true },
	{ "ftruncate", SYS_ftruncate, { 0 } },
	{ "fallocate", SYS_fallocate, { 0, 0, 1 } },
	{ "fsync", SYS_fsync, { 0 } },
	{ "fdatasync", SYS_fdatasync, { 0 } },
	{ "syncfs", NR_syncfs, { 0 } },
	{ "fadvise64", SYS_fadvise64, { 0, 0, 0 } },
	{ "readahead", SYS_readahead, { 0, 0 } },
	{ "getdents", SYS_getdents, { (long)buf, 100 } },
	{ "getdents64", SYS_getdents64, { (long)buf, 100 } },
	{ "fchdir", SYS_fchdir, { 0 }, true },
	{ "fchmod", SYS_fchmod, { 0600 } },
	{ "fchown", SYS_fchown, { -1, -1 } },
	{ "dup", SYS_dup, { 0 }, true },
	{ "dup2", SYS_dup2, { 100 }, true },
	{ "dup3", SYS_dup3, { 100, 0 }, true },
	{ "fcntl F_GETFL", SYS_fcntl, { F_GETFL, 0 }, true },
	{ "fcntl F_SETFL", SYS_fcntl, { F_SETFL, 0 } },
	{ "fcntl F_SETLK", SYS_fcntl, { F_SETLK, 0 } },
	{ "ioctl", SYS_ioctl, { 0x5401, (long)buf } },
	{ "flock", SYS_flock, { 1 } },
	{ "openat", SYS_openat, { (long)"x", O_RDONLY, 0 }, true },
	{ "mkdirat", SYS_mkdirat, { (long)"x", 0700 }, true },
	{ "mknodat", SYS_mknodat, { (long)"x", S_IFIFO | 0600, 0 }, true },
	{ "unlinkat", SYS_unlinkat, { (long)"x", 0 }, true },
	{ "readlinkat", SYS_readlinkat, { (long)"x", (long)buf, 10 }, true },
	{ "faccessat", SYS_faccessat, { (long)"x", 0 }, true },
	{ "faccessat2", NR_faccessat2, { (long)"x", 0, 0 }, true },
	{ "fchmodat", SYS_fchmodat, { (long)"x", 0600 }, true },
	{ "fchownat", SYS_fchownat, { (long)"x", -1, -1, 0 }, true },
	{ "newfstatat", SYS_newfstatat, { (long)"x", (long)buf, 0 }, true },
	{ "statx", NR_statx, { (long)"x", 0, 0x7ff, (long)buf }, true },
	{ "utimensat", SYS_utimensat, { (long)"x", 0, 0 }, true },
	{ "futimesat", SYS_futimesat, { (long)"x", 0 }, true },
	{ "futimens", SYS_utimensat, { 0, 0, 0 } },
	{ "renameat", SYS_renameat, { (long)"x", AT_FDCWD, (long)"/tmp/y" }, true },
	{ "linkat", SYS_linkat, { (long)"x", AT_FDCWD, (long)"/tmp/y", 0 }, true },
};

static long call_fd(const struct fd_call *c, long fd)
{
	const long *a = c->args;

	return result(syscall(c->nr, fd, a[0], a[1], a[2], a[3], a[4]));
}

static void descriptors(void)
{
	static const long bad[] = { 999, 1 << 20, 0x7fffffff, -1, -1000 };
	int path = open(in_dir("f"), O_PATH);

	for (size_t i = 0; i < COUNT(fd_calls); i++) {
		for (size_t j = 0; j < COUNT(bad); j++)
			is(call_fd(&fd_calls[i], bad[j]), -EBADF, "%s(%ld): EBADF",
			   fd_calls[i].name, bad[j]);
		if (!fd_calls[i].path_ok)
			is(call_fd(&fd_calls[i], path), -EBADF, "%s of O_PATH: EBADF",
			   fd_calls[i].name);
	}
	fails(ioctl(path, 0x5401, buf), EBADF, "ioctl of O_PATH: EBADF");
	fails(syscall(SYS_symlinkat, "x", 999, "y"), EBADF, "symlinkat: EBADF");
	fails(syscall(SYS_close, 999), EBADF, "close: EBADF");
	fails(syscall(SYS_close, -1), EBADF, "close(-1): EBADF");
	close(path);
}

/* --- pointers ------------------------------------------------------------------------------ */

enum { PATH = -1000, BAD = -1001 }; /* in a table: the file's name; the bad pointer */

/* Calls with a pointer to read from (R), or to write to (W). */
static const struct ptr_call {
	const char *name;
	char dir;
	long nr, args[6];
	bool null_ok; /* NULL means something */
	bool part_ok; /* what lies before the end of an area is moved */
} ptr_calls[] = {
	{ "open", 'R', SYS_open, { BAD, O_RDONLY } },
	{ "openat", 'R', SYS_openat, { AT_FDCWD, BAD, O_RDONLY } },
	{ "creat", 'R', SYS_creat, { BAD, 0600 } },
	{ "openat2", 'R', NR_openat2, { AT_FDCWD, PATH, BAD, 24 } },
	{ "stat", 'R', SYS_stat, { BAD, (long)buf } },
	{ "lstat", 'R', SYS_lstat, { BAD, (long)buf } },
	{ "statfs", 'R', SYS_statfs, { BAD, (long)buf } },
	{ "access", 'R', SYS_access, { BAD, 0 } },
	{ "faccessat", 'R', SYS_faccessat, { AT_FDCWD, BAD, 0 } },
	{ "readlink", 'R', SYS_readlink, { BAD, (long)buf, 10 } },
	{ "truncate", 'R', SYS_truncate, { BAD, 0 } },
	{ "chdir", 'R', SYS_chdir, { BAD } },
	{ "chroot", 'R', SYS_chroot, { BAD } },
	{ "mkdir", 'R', SYS_mkdir, { BAD, 0700 } },
	{ "rmdir", 'R', SYS_rmdir, { BAD } },
	{ "unlink", 'R', SYS_unlink, { BAD } },
	{ "mknod", 'R', SYS_mknod, { BAD, S_IFIFO | 0600, 0 } },
	{ "link, old", 'R', SYS_link, { BAD, PATH } },
	{ "link, new", 'R', SYS_link, { PATH, BAD } },
	{ "symlink, old", 'R', SYS_symlink, { BAD, PATH } },
	{ "symlink, new", 'R', SYS_symlink, { PATH, BAD } },
	{ "rename, old", 'R', SYS_rename, { BAD, PATH } },
	{ "rename, new", 'R', SYS_rename, { PATH, BAD } },
	{ "chmod", 'R', SYS_chmod, { BAD, 0600 } },
	{ "chown", 'R', SYS_chown, { BAD, -1, -1 } },
	{ "lchown", 'R', SYS_lchown, { BAD, -1, -1 } },
	{ "utime", 'R', SYS_utime, { BAD, 0 } },
	{ "utime, times", 'R', SYS_utime, { PATH, BAD }, true },
	{ "utimes", 'R', SYS_utimes, { BAD, 0 } },
	{ "utimes, times", 'R', SYS_utimes, { PATH, BAD }, true },
	{ "utimensat", 'R', SYS_utimensat, { AT_FDCWD, BAD, 0, 0 } },
	{ "utimensat, times", 'R', SYS_utimensat, { AT_FDCWD, PATH, BAD, 0 }, true },
	{ "write", 'R', SYS_write, { 3, BAD, 8 }, .part_ok = true },
	{ "pwrite64", 'R', SYS_pwrite64, { 3, BAD, 8, 0 }, .part_ok = true },
	{ "writev, vector", 'R', SYS_writev, { 3, BAD, 1 } },
	{ "readv, vector", 'R', SYS_readv, { 3, BAD, 1 } },
	{ "preadv, vector", 'R', SYS_preadv, { 3, BAD, 1, 0 } },
	{ "pwritev, vector", 'R', SYS_pwritev, { 3, BAD, 1, 0 } },
	{ "F_SETLK", 'R', SYS_fcntl, { 3, F_SETLK, BAD } },
	{ "sendfile, position", 'R', SYS_sendfile, { 3, 4, BAD, 8 }, true },
	{ "copy_file_range", 'R', NR_copy_file_range, { 4, BAD, 3, 0, 8, 0 }, true },
	{ "poll", 'R', SYS_poll, { BAD, 1, 0 } },
	{ "ppoll, time", 'R', SYS_ppoll, { (long)buf, 0, BAD, 0, 8 }, true },
	{ "select, time", 'R', SYS_select, { 0, 0, 0, 0, BAD }, true },
	{ "select, set", 'R', SYS_select, { 5, BAD, 0, 0, (long)buf }, true },
	{ "read", 'W', SYS_read, { 4, BAD, 8 }, .part_ok = true },
	{ "pread64", 'W', SYS_pread64, { 4, BAD, 8, 0 }, .part_ok = true },
	{ "stat, to", 'W', SYS_stat, { PATH, BAD } },
	{ "lstat, to", 'W', SYS_lstat, { PATH, BAD } },
	{ "fstat, to", 'W', SYS_fstat, { 4, BAD } },
	{ "newfstatat, to", 'W', SYS_newfstatat, { AT_FDCWD, PATH, BAD, 0 } },
	{ "statx, to", 'W', NR_statx, { AT_FDCWD, PATH, 0, 0x7ff, BAD } },
	{ "statfs, to", 'W', SYS_statfs, { PATH, BAD } },
	{ "fstatfs, to", 'W', SYS_fstatfs, { 4, BAD } },
	{ "getcwd", 'W', SYS_getcwd, { BAD, 100 } },
	{ "readlink, to", 'W', SYS_readlink, { (long)"/proc/self/exe", BAD, 100 } },
	{ "getdents", 'W', SYS_getdents, { 5, BAD, 100 } },
	{ "getdents64", 'W', SYS_getdents64, { 5, BAD, 100 } },
	{ "pipe", 'W', SYS_pipe, { BAD } },
	{ "pipe2", 'W', SYS_pipe2, { BAD, 0 } },
	{ "F_GETLK", 'W', SYS_fcntl, { 4, F_GETLK, BAD } },
};

static long call_ptr(const struct ptr_call *c, unsigned long bad)
{
	long a[6];

	lseek(4, 0, SEEK_SET);
	lseek(5, 0, SEEK_SET);
	memset(buf, 0, 64);
	for (int i = 0; i < 6; i++)
		a[i] = c->args[i] == BAD  ? (long)bad :
		       c->args[i] == PATH ? (long)in_dir("f") :
					    c->args[i];
	return result(syscall(c->nr, a[0], a[1], a[2], a[3], a[4], a[5]));
}

static void pointers(void)
{
	const struct {
		const char *what;
		unsigned long addr;
	} bad[] = {
		{ "NULL", 0 },
		{ "unmapped memory", unmapped },
		{ "the end of user space", TASK_SIZE },
		{ "a kernel address", 0xffff888000000000 },
		{ "no address", 0x0000800000000000 },
		{ "the last byte", ~0UL },
	};
	int before = count_fds();

	for (size_t i = 0; i < COUNT(ptr_calls); i++) {
		const struct ptr_call *c = &ptr_calls[i];

		for (size_t j = c->null_ok; j < COUNT(bad); j++)
			is(call_ptr(c, bad[j].addr), -EFAULT, "%s at %s: EFAULT", c->name,
			   bad[j].what);
		if (c->part_ok)
			is(call_ptr(c, edge), 4, "%s across the end of an area: 4 bytes", c->name);
		else
			is(call_ptr(c, edge), -EFAULT, "%s across the end of an area: EFAULT",
			   c->name);
		if (c->dir == 'W')
			is(call_ptr(c, readonly), -EFAULT, "%s to read-only memory: EFAULT",
			   c->name);
	}
	is(count_fds(), before, "as many descriptors as before");
}

/* --- paths --------------------------------------------------------------------------------- */

static const struct path_call {
	const char *name;
	long nr, args[3];
} path_calls[] = {
	{ "open", SYS_open, { O_RDONLY } },
	{ "open with O_CREAT", SYS_open, { O_CREAT | O_RDWR, 0600 } },
	{ "open with O_PATH", SYS_open, { O_PATH } },
	{ "stat", SYS_stat, { (long)buf } },
	{ "lstat", SYS_lstat, { (long)buf } },
	{ "access", SYS_access, { 0 } },
	{ "readlink", SYS_readlink, { (long)buf, 10 } },
	{ "truncate", SYS_truncate, { 0 } },
	{ "chdir", SYS_chdir, { 0 } },
	{ "mkdir", SYS_mkdir, { 0700 } },
	{ "rmdir", SYS_rmdir, { 0 } },
	{ "unlink", SYS_unlink, { 0 } },
	{ "mknod", SYS_mknod, { S_IFIFO | 0600, 0 } },
	{ "link", SYS_link, { (long)"/tmp/no-such-name" } },
	{ "rename", SYS_rename, { (long)"/tmp/no-such-name" } },
	{ "chmod", SYS_chmod, { 0600 } },
	{ "chown", SYS_chown, { -1, -1 } },
	{ "lchown", SYS_lchown, { -1, -1 } },
	{ "utimes", SYS_utimes, { 0 } },
	{ "statfs", SYS_statfs, { (long)buf } },
};

static void each_path(const char *path, int err, const char *what)
{
	for (size_t i = 0; i < COUNT(path_calls); i++) {
		const struct path_call *c = &path_calls[i];

		is(result(syscall(c->nr, path, c->args[0], c->args[1], c->args[2])), -err, "%s, %s",
		   c->name, what);
	}
}

static void paths(void)
{
	static char path[9000];
	int len;

	each_path("", ENOENT, "empty: ENOENT");
	each_path(in_dir("f/x"), ENOTDIR, "below a file: ENOTDIR");
	each_path(in_dir("none/x"), ENOENT, "below nothing: ENOENT");
	each_path(in_dir("secret/x"), geteuid() ? EACCES : ENOENT, "below what can't be searched");
	len = snprintf(path, sizeof(path), "%s/", test_dir);
	memset(path + len, 'n', 256);
	path[len + 256] = '\0';
	each_path(path, ENAMETOOLONG, "a name of 256 bytes: ENAMETOOLONG");
	memset(path, '/', sizeof(path));
	path[4096] = '\0';
	each_path(path, ENAMETOOLONG, "a path of 4096 slashes: ENAMETOOLONG");
	path[4096] = '/';
	path[8999] = '\0';
	each_path(path, ENAMETOOLONG, "one of 8999: ENAMETOOLONG");
	/* A path of exactly 4095 bytes, and one that ends with its page. */
	memset(path, '/', 4095);
	memcpy(path + 4095 - strlen(in_dir("f")), in_dir("f"), strlen(in_dir("f")));
	path[4095] = '\0';
	is(access(path, F_OK), 0, "a path of 4095 bytes is fine");
	memcpy((char *)edge - 20, "///////////////////////", 20);
	memcpy((char *)edge, "tmp", 4);
	is(access((char *)edge - 4, F_OK), 0, "so is one that ends where memory does");
}

/* lstat and their like look at a loop itself: these differ. */
static void loops(void)
{
	char name[32], target[160];
	struct stat st;

	symlink("loop", in_dir("loop"));
	fails(open(in_dir("loop"), O_RDONLY), ELOOP, "open of a link to itself: ELOOP");
	fails(stat(in_dir("loop"), &st), ELOOP, "stat: ELOOP");
	is(lstat(in_dir("loop"), &st), 0, "lstat sees the link");
	fails(access(in_dir("loop/x"), F_OK), ELOOP, "something below it: ELOOP");
	fails(chdir(in_dir("loop")), ELOOP, "chdir: ELOOP");
	fails(truncate(in_dir("loop"), 0), ELOOP, "truncate: ELOOP");
	fails(open(in_dir("loop"), O_CREAT | O_RDWR, 0600), ELOOP, "O_CREAT: ELOOP");
	fails(open(in_dir("loop"), O_CREAT | O_EXCL | O_RDWR, 0600), EEXIST, "O_EXCL: EEXIST");
	fails(mkdir(in_dir("loop"), 0700), EEXIST, "mkdir: EEXIST");
	is(unlink(in_dir("loop")), 0, "unlink takes the link");
	/* A chain: l0 is the file, l1 leads to it, l2 to l1... */
	link(in_dir("f"), in_dir("l0"));
	for (int i = 1; i <= 41; i++) {
		snprintf(target, sizeof(target), "l%d", i - 1);
		snprintf(name, sizeof(name), "l%d", i);
		symlink(target, in_dir(name));
	}
	is(access(in_dir("l40"), F_OK), 0, "a chain of 40 links is followed");
	fails(access(in_dir("l41"), F_OK), ELOOP, "one of 41: ELOOP");
	for (int i = 0; i <= 41; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		unlink(in_dir(name));
	}
	/* A link whose text is a path of its own, with the rest behind it: too long together? */
	memset(target, '/', sizeof(target));
	target[150] = '\0';
	memcpy(target + 150 - 4, "/tmp", 5);
	symlink(target, in_dir("long"));
	is(access(in_dir("long/"), F_OK), 0, "a link of slashes");
	unlink(in_dir("long"));
}

int main(int argc, char **argv)
{
	static const char *const rest[] = { "f", NULL };
	char *area;
	int before, fd;

	tap_start(argc, argv, NULL);
	before = count_fds();
	readonly = (unsigned long)fresh(1, PROT_READ);
	area = fresh(3, RW);
	munmap(area + 2 * PAGE, PAGE);
	edge = (unsigned long)area + 2 * PAGE - 4;
	unmapped = (unsigned long)area + 2 * PAGE;
	memset(area, 'e', 2 * PAGE);
	make_dir("bad");
	mkdir(in_dir("secret"), 0);
	fd = make_file("f", 100);
	/* The tables know these numbers. */
	dup2(fd, 20);
	dup2(open(test_dir, O_RDONLY | O_DIRECTORY), 21);
	dup2(open(in_dir("f"), O_RDWR), 22);
	for (int i = 3; i < 20; i++)
		close(i);
	dup2(22, 3), dup2(20, 4), dup2(21, 5);
	close(20), close(21), close(22);
	chdir(test_dir); /* getcwd has something to say */
	descriptors();
	close(100);
	pointers();
	loops();
	paths();
	chdir("/");
	rmdir(in_dir("secret"));
	close(3), close(4), close(5);
	clean_dir(rest);
	is(count_fds(), before, "no descriptor is left open");
	return done_testing();
}
