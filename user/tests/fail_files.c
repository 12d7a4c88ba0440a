/* SPDX-License-Identifier: MIT */
/* Calls about names, files, pipes and descriptors with each allocation failed in turn. */
#include "failing.h"
#include "files.h"
#include <poll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/uio.h>

#ifndef O_TMPFILE
#define O_TMPFILE 020200000
#endif
#ifndef F_SETPIPE_SZ
#define F_SETPIPE_SZ 1031
#endif
#ifndef F_OFD_SETLK
#define F_OFD_SETLK 37
#endif
#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif

/* The working directory has these. Names are long where that costs an allocation. */
#define F    "a-file-whose-name-does-not-fit-into-a-dentry"
#define G    "g"
#define DIR_ "a-directory-whose-name-does-not-fit-into-a-dentry"
#define LINK "link"
#define FIFO "fifo"
#define NEW  "a-new-name-that-does-not-fit-into-a-dentry-itself"
#define TEXT "a text that is longer than what fits into the structure itself"
#define S(s) ((long)(s))

/* Fixed numbers of descriptors. */
enum { FD_F = 10, FD_G, FD_DIR, FD_READ, FD_WRITE, FD_FULL, FD_HERE };

static char buf[65536], path[4096];
static struct stat st;
static struct iovec iov[12];
static struct pollfd polled[1000];
static fd_set set;
static struct timespec none;
static struct timeval none_tv;

static void at_number(int fd, int number)
{
	dup2(fd, number);
	close(fd);
}

static void put(const char *name, size_t size)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);

	while (size > 0) {
		size_t n = size < sizeof(buf) ? size : sizeof(buf);

		if (write(fd, buf, n) != (ssize_t)n)
			break;
		size -= n;
	}
	close(fd);
}

static void setup_files(void)
{
	int ends[2];

	memset(buf, 'a', sizeof(buf));
	put(F, 100);
	put(G, 0);
	mkdir(DIR_, 0755);
	symlink(TEXT, LINK);
	mkfifo(FIFO, 0644);
	at_number(open(F, O_RDWR), FD_F);
	at_number(open(G, O_RDWR), FD_G);
	at_number(open(DIR_, O_RDONLY), FD_DIR);
	at_number(open(".", O_RDONLY), FD_HERE);
	pipe(ends);
	dup2(ends[0], FD_READ), dup2(ends[1], FD_WRITE);
	close(ends[0]), close(ends[1]);
	pipe(ends);
	at_number(ends[1], FD_FULL);
	close(ends[0]);
	fcntl(FD_WRITE, F_SETFL, O_NONBLOCK), fcntl(FD_READ, F_SETFL, O_NONBLOCK);
	for (int i = 0; i < 12; i++)
		iov[i] = (struct iovec){ buf + i * 10, 5 };
}

/* --- undoing -------------------------------------------------------------------------------------- */

static void undo_new(long ret)
{
	unlink(NEW);
}

static void undo_new_fd(long ret)
{
	close((int)ret);
	unlink(NEW);
}

static void undo_new_dir(long ret)
{
	rmdir(NEW);
}

static void undo_rename(long ret)
{
	rename(NEW, F);
}

static void undo_exchange(long ret)
{
	syscall(SYS_renameat2, AT_FDCWD, F, AT_FDCWD, G, 2);
}

static void make_new(void)
{
	put(NEW, 10);
}

static void make_new_dir(void)
{
	mkdir(NEW, 0700);
}

static void no_new(void)
{
	unlink(NEW);
	rmdir(NEW);
}

static void undo_chdir(long ret)
{
	fchdir(FD_HERE);
}

static void empty_pipe(void)
{
	while (read(FD_READ, buf, sizeof(buf)) > 0)
		;
	ftruncate(FD_F, 100);
	lseek(FD_F, 0, SEEK_SET);
}

static void fill_pipe(void)
{
	empty_pipe();
	write(FD_WRITE, buf, 6000);
	lseek(FD_F, 0, SEEK_SET);
}

static void empty_g(void)
{
	ftruncate(FD_G, 0);
	lseek(FD_G, 0, SEEK_SET);
	lseek(FD_F, 0, SEEK_SET);
}

static void g_of_a_page(void)
{
	empty_g();
	ftruncate(FD_G, 8192);
}

static void rewind_dir(void)
{
	lseek(FD_HERE, 0, SEEK_SET);
}

static void undo_resize(long ret)
{
	fcntl(FD_READ, F_SETPIPE_SZ, 65536);
}

static void unlock(long ret)
{
	struct flock fl = { .l_type = F_UNLCK };

	fcntl(FD_F, F_SETLK, &fl);
	fcntl(FD_F, F_OFD_SETLK, &fl);
	flock(FD_F, LOCK_UN);
}

static struct flock lock;

static void set_lock(void)
{
	unlock(0);
	lock = (struct flock){ .l_type = F_WRLCK, .l_start = 10, .l_len = 10 };
}

/* A lock in the middle of which another kind is wanted: one becomes three. */
static void set_lock_around(void)
{
	set_lock();
	lock.l_start = 0, lock.l_len = 100;
	fcntl(FD_F, F_SETLK, &lock);
	lock = (struct flock){ .l_type = F_RDLCK, .l_start = 10, .l_len = 10 };
}

static void set_ofd_lock(void)
{
	set_lock();
	lock.l_pid = 0;
}

static void set_unlock_middle(void)
{
	set_lock_around();
	lock.l_type = F_UNLCK;
}

/* --- calls in which more is looked at than the result ---------------------------------------------- */

static int ends[2];

static long do_pipe2(void)
{
	ends[0] = ends[1] = -1;
	return result(syscall(SYS_pipe2, ends, O_CLOEXEC | O_NONBLOCK));
}

static void undo_pipe(long ret)
{
	close(ends[0]), close(ends[1]);
}

/* All or an error: memory may run out in the middle, then less was written. */
static long all(long n, long want)
{
	return n == want ? 0 : n < 0 ? n : -ENOMEM;
}

static long do_write_file(void)
{
	return all(result(pwrite(FD_G, buf, 16384, 0)), 16384);
}

static long do_write_far(void)
{
	return all(result(pwrite(FD_G, buf, 1, 1L << 40)), 1);
}

static long do_write_pipe(void)
{
	return all(result(write(FD_WRITE, buf, 16384)), 16384);
}

static long do_sendfile_file(void)
{
	off_t at = 0;

	return all(result(syscall(SYS_sendfile, FD_G, FD_F, &at, 100)), 100);
}

static long do_sendfile_pipe(void)
{
	off_t at = 0;

	return all(result(syscall(SYS_sendfile, FD_WRITE, FD_F, &at, 100)), 100);
}

static long do_copy_range(void)
{
	long from = 0, to = 0;

	return all(result(syscall(SYS_copy_file_range, FD_F, &from, FD_G, &to, 100, 0)), 100);
}

static long do_poll(void)
{
	for (size_t i = 0; i < COUNT(polled); i++)
		polled[i] = (struct pollfd){ .fd = FD_READ, .events = POLLIN };
	return result(syscall(SYS_poll, polled, COUNT(polled), 1));
}

static long do_poll_some(void)
{
	for (size_t i = 0; i < 200; i++)
		polled[i] = (struct pollfd){ .fd = FD_READ, .events = POLLIN };
	return result(syscall(SYS_poll, polled, 200, 1));
}

static long do_ppoll(void)
{
	for (size_t i = 0; i < 200; i++)
		polled[i] = (struct pollfd){ .fd = FD_FULL, .events = POLLIN | POLLOUT };
	return result(syscall(SYS_ppoll, polled, 200, &none, NULL, 8));
}

static long do_select(void)
{
	static unsigned long huge[3][512];
	struct timeval tv = { 0, 1000 };

	memset(huge, 0, sizeof(huge));
	huge[0][0] = 1UL << FD_READ;
	return result(syscall(SYS_select, 20000, huge[0], huge[1], huge[2], &tv));
}

static long do_select_some(void)
{
	struct timeval tv = { 0, 1000 };

	FD_ZERO(&set);
	FD_SET(FD_READ, &set);
	return result(syscall(SYS_select, 800, &set, NULL, NULL, &tv));
}

static long do_pselect(void)
{
	struct timespec ts = { 0, 1000 };

	FD_ZERO(&set);
	FD_SET(FD_READ, &set);
	return result(syscall(SYS_pselect6, 1000, &set, NULL, NULL, &ts, NULL));
}

static struct {
	unsigned long flags, mode, resolve;
} how = { O_RDWR | O_CREAT, 0600, 0 };

/* A descriptor table of its own, which a child closes from. */
static long unshare_files(void)
{
	return result(syscall(SYS_close_range, 10, 20, 2));
}

static long do_unshare_files(void)
{
	return call_in_child(unshare_files);
}

/* A table that has grown stays so: each try has a new one. */
static long dup_some(void)
{
	return result(fcntl(0, F_DUPFD, 200));
}

static long dup2_high(void)
{
	return result(syscall(SYS_dup2, 0, 900));
}

static long dup3_high(void)
{
	return result(syscall(SYS_dup3, 0, 1023, 0));
}

static long do_dup_some(void)
{
	return call_in_child(dup_some);
}

static long do_dup2(void)
{
	return call_in_child(dup2_high);
}

static long do_dup3(void)
{
	return call_in_child(dup3_high);
}

static void undo_memfd(long ret)
{
	close((int)ret);
}

static const struct row rows[] = {
	/* names */
	{ "open", .nr = SYS_open, .args = { S(F), O_RDWR }, .undo = undo_close },
	{ "open of a directory", .nr = SYS_open, .args = { S(DIR_), O_RDONLY },
	  .undo = undo_close },
	{ "open of a fifo", .nr = SYS_open, .args = { S(FIFO), O_RDWR }, .undo = undo_close },
	{ "open of /dev/zero", .nr = SYS_open, .args = { S("/dev/zero"), O_RDWR },
	  .undo = undo_close },
	{ "open through a link", .nr = SYS_open, .args = { S("/proc/self/exe"), O_RDONLY },
	  .undo = undo_close },
	{ "open of a descriptor", .nr = SYS_open, .args = { S("/proc/self/fd/13"), O_RDONLY },
	  .undo = undo_close },
	{ "O_PATH", .nr = SYS_open, .args = { S(F), 010000000 }, .undo = undo_close },
	{ "O_CREAT", .nr = SYS_open, .args = { S(NEW), O_CREAT | O_EXCL | O_RDWR, 0600 },
	  .undo = undo_new_fd },
	{ "O_TMPFILE", .nr = SYS_open, .args = { S("."), O_TMPFILE | O_RDWR, 0600 },
	  .undo = undo_close },
	{ "creat", .nr = SYS_creat, .args = { S(NEW), 0600 }, .undo = undo_new_fd },
	{ "openat", .nr = SYS_openat, .args = { FD_HERE, S(F), O_RDONLY }, .undo = undo_close },
	{ "openat2", .nr = SYS_openat2, .args = { FD_HERE, S(NEW), S(&how), sizeof(how) },
	  .undo = undo_new_fd },
	{ "stat", .nr = SYS_stat, .args = { S(F), S(&st) } },
	{ "stat in /proc", .nr = SYS_stat, .args = { S("/proc/self/task/../status"), S(&st) } },
	{ "lstat", .nr = SYS_lstat, .args = { S(LINK), S(&st) } },
	{ "fstatat", .nr = SYS_newfstatat, .args = { FD_HERE, S(F), S(&st) } },
	{ "fstatat of the descriptor", .nr = SYS_newfstatat,
	  .args = { FD_HERE, S(""), S(&st), AT_EMPTY_PATH } },
	{ "statx", .nr = SYS_statx, .args = { FD_HERE, S(F), 0, 0x7ff, S(buf) } },
	{ "statfs", .nr = SYS_statfs, .args = { S(F), S(buf) } },
	{ "access", .nr = SYS_access, .args = { S(F), R_OK } },
	{ "faccessat", .nr = SYS_faccessat, .args = { FD_HERE, S(F), R_OK } },
	{ "faccessat2", .nr = SYS_faccessat2, .args = { FD_HERE, S(F), R_OK, 0x200 } },
	{ "chmod", .nr = SYS_chmod, .args = { S(F), 0644 } },
	{ "fchmodat", .nr = SYS_fchmodat, .args = { FD_HERE, S(F), 0644 } },
	{ "chown", .nr = SYS_chown, .args = { S(F), -1, -1 } },
	{ "lchown", .nr = SYS_lchown, .args = { S(LINK), -1, -1 } },
	{ "fchownat", .nr = SYS_fchownat, .args = { FD_HERE, S(F), -1, -1, 0 } },
	{ "utime", .nr = SYS_utime, .args = { S(F), 0 } },
	{ "utimes", .nr = SYS_utimes, .args = { S(F), 0 } },
	{ "futimesat", .nr = SYS_futimesat, .args = { FD_HERE, S(F), 0 } },
	{ "utimensat", .nr = SYS_utimensat, .args = { FD_HERE, S(F), 0, 0 } },
	{ "truncate", .nr = SYS_truncate, .args = { S(F), 100 } },
	{ "truncate in a page", .nr = SYS_truncate, .args = { S(G), 4000 }, .setup = g_of_a_page },
	{ "readlink", .nr = SYS_readlink, .args = { S(LINK), S(path), sizeof(path) } },
	{ "readlinkat", .nr = SYS_readlinkat, .args = { FD_HERE, S(LINK), S(path), sizeof(path) } },
	{ "readlink of exe", .nr = SYS_readlink,
	  .args = { S("/proc/self/exe"), S(path), sizeof(path) } },
	{ "readlink of cwd", .nr = SYS_readlink,
	  .args = { S("/proc/self/cwd"), S(path), sizeof(path) } },
	{ "readlink of root", .nr = SYS_readlink,
	  .args = { S("/proc/self/root"), S(path), sizeof(path) } },
	{ "readlink of self", .nr = SYS_readlink,
	  .args = { S("/proc/self"), S(path), sizeof(path) } },
	{ "readlink of thread-self", .nr = SYS_readlink,
	  .args = { S("/proc/thread-self"), S(path), sizeof(path) } },
	{ "readlink of a descriptor", .nr = SYS_readlink,
	  .args = { S("/proc/self/fd/13"), S(path), sizeof(path) } },
	{ "symlink", .nr = SYS_symlink, .args = { S("short"), S(NEW) }, .undo = undo_new },
	{ "symlink to a long text", .nr = SYS_symlink, .args = { S(TEXT), S(NEW) },
	  .undo = undo_new },
	{ "symlinkat", .nr = SYS_symlinkat, .args = { S(TEXT), FD_HERE, S(NEW) },
	  .undo = undo_new },
	{ "link", .nr = SYS_link, .args = { S(F), S(NEW) }, .undo = undo_new },
	{ "linkat", .nr = SYS_linkat, .args = { FD_HERE, S(F), FD_HERE, S(NEW), 0 },
	  .undo = undo_new },
	{ "unlink", .nr = SYS_unlink, .args = { S(NEW) }, .setup = make_new },
	{ "unlinkat", .nr = SYS_unlinkat, .args = { FD_HERE, S(NEW), 0 }, .setup = make_new },
	{ "rename", .nr = SYS_rename, .args = { S(F), S(NEW) }, .setup = no_new,
	  .undo = undo_rename },
	{ "rename over a file", .nr = SYS_rename, .args = { S(NEW), S(G) }, .setup = make_new },
	{ "renameat", .nr = SYS_renameat, .args = { FD_HERE, S(F), FD_HERE, S(NEW) },
	  .setup = no_new, .undo = undo_rename },
	{ "renameat2, no replacement", .nr = SYS_renameat2,
	  .args = { FD_HERE, S(F), FD_HERE, S(NEW), 1 }, .setup = no_new, .undo = undo_rename },
	{ "renameat2, exchange", .nr = SYS_renameat2, .args = { FD_HERE, S(F), FD_HERE, S(G), 2 },
	  .undo = undo_exchange },
	{ "renameat2, whiteout", .nr = SYS_renameat2, .args = { FD_HERE, S(F), FD_HERE, S(NEW), 4 },
	  .setup = no_new, .undo = undo_rename },
	{ "mkdir", .nr = SYS_mkdir, .args = { S(NEW), 0700 }, .undo = undo_new_dir },
	{ "mkdirat", .nr = SYS_mkdirat, .args = { FD_HERE, S(NEW), 0700 }, .undo = undo_new_dir },
	{ "rmdir", .nr = SYS_rmdir, .args = { S(NEW) }, .setup = make_new_dir },
	{ "unlinkat of a directory", .nr = SYS_unlinkat, .args = { FD_HERE, S(NEW), AT_REMOVEDIR },
	  .setup = make_new_dir },
	{ "mknod", .nr = SYS_mknod, .args = { S(NEW), S_IFIFO | 0600 }, .setup = no_new,
	  .undo = undo_new },
	{ "mknodat", .nr = SYS_mknodat, .args = { FD_HERE, S(NEW), S_IFREG | 0600 },
	  .undo = undo_new },
	{ "chdir", .nr = SYS_chdir, .args = { S(DIR_) }, .undo = undo_chdir },
	{ "getcwd", .nr = SYS_getcwd, .args = { S(path), sizeof(path) } },
	{ "getdents64", .nr = SYS_getdents64, .args = { FD_HERE, S(buf), sizeof(buf) },
	  .setup = rewind_dir },
	{ "getdents", .nr = SYS_getdents, .args = { FD_HERE, S(buf), sizeof(buf) },
	  .setup = rewind_dir },
	{ "setxattr", .nr = SYS_setxattr, .args = { S(F), S("user.a"), S(buf), 10, 0 },
	  .want = -EOPNOTSUPP },
	{ "lsetxattr", .nr = SYS_lsetxattr, .args = { S(F), S("user.a"), S(buf), 10, 0 },
	  .want = -EOPNOTSUPP },
	{ "fsetxattr", .nr = SYS_fsetxattr, .args = { FD_F, S("user.a"), S(buf), 10, 0 },
	  .want = -EOPNOTSUPP },
	{ "getxattr", .nr = SYS_getxattr, .args = { S(F), S("user.a"), S(buf), 10 },
	  .want = -EOPNOTSUPP },
	{ "lgetxattr", .nr = SYS_lgetxattr, .args = { S(F), S("user.a"), S(buf), 10 },
	  .want = -EOPNOTSUPP },
	{ "fgetxattr", .nr = SYS_fgetxattr, .args = { FD_F, S("user.a"), S(buf), 10 },
	  .want = -EOPNOTSUPP },
	{ "listxattr", .nr = SYS_listxattr, .args = { S(F), S(buf), 10 } },
	{ "llistxattr", .nr = SYS_llistxattr, .args = { S(F), S(buf), 10 } },
	{ "removexattr", .nr = SYS_removexattr, .args = { S(F), S("user.a") },
	  .want = -EOPNOTSUPP },
	{ "lremovexattr", .nr = SYS_lremovexattr, .args = { S(F), S("user.a") },
	  .want = -EOPNOTSUPP },
	{ "fremovexattr", .nr = SYS_fremovexattr, .args = { FD_F, S("user.a") },
	  .want = -EOPNOTSUPP },
	/* contents */
	{ "read", .nr = SYS_read, .args = { FD_F, S(buf), 10 }, .setup = empty_pipe },
	{ "read of a hole", .nr = SYS_pread64, .args = { FD_G, S(buf), 8192, 0 },
	  .setup = g_of_a_page },
	{ "write", .call = do_write_file, .setup = empty_g, .also = ENOSPC, .flags = PARTLY },
	{ "write far away", .call = do_write_far, .setup = empty_g, .also = ENOSPC },
	{ "readv", .nr = SYS_readv, .args = { FD_F, S(iov), 12 }, .setup = empty_pipe },
	{ "preadv", .nr = SYS_preadv, .args = { FD_F, S(iov), 12, 0, 0 } },
	{ "preadv2", .nr = SYS_preadv2, .args = { FD_F, S(iov), 12, 0, 0, 0 } },
	{ "writev", .nr = SYS_writev, .args = { FD_G, S(iov), 12 }, .setup = empty_g,
	  .also = ENOSPC },
	{ "pwritev", .nr = SYS_pwritev, .args = { FD_G, S(iov), 12, 0, 0 }, .setup = empty_g,
	  .also = ENOSPC },
	{ "pwritev2", .nr = SYS_pwritev2, .args = { FD_G, S(iov), 12, 0, 0, 0 }, .setup = empty_g,
	  .also = ENOSPC },
	{ "sendfile to a file", .call = do_sendfile_file, .setup = empty_g, .also = ENOSPC },
	{ "sendfile to a pipe", .call = do_sendfile_pipe, .setup = empty_pipe },
	{ "copy_file_range", .call = do_copy_range, .setup = empty_g, .also = ENOSPC },
	{ "fallocate", .nr = SYS_fallocate, .args = { FD_G, 0, 0, 16384 }, .setup = empty_g,
	  .also = ENOSPC },
	{ "a hole", .nr = SYS_fallocate, .args = { FD_G, 3, 100, 5000 }, .setup = g_of_a_page },
	{ "ftruncate", .nr = SYS_ftruncate, .args = { FD_G, 5000 }, .setup = g_of_a_page },
	{ "readahead", .nr = SYS_readahead, .args = { FD_F, 0, 4096 } },
	{ "fadvise64", .nr = SYS_fadvise64, .args = { FD_F, 0, 4096, 3 } },
	/* descriptors and pipes */
	{ "F_DUPFD", .call = do_dup_some, .flags = CHILD },
	{ "dup2 to a high number", .call = do_dup2, .flags = CHILD },
	{ "dup3 to a very high number", .call = do_dup3, .flags = CHILD },
	{ "pipe", .nr = SYS_pipe, .args = { S(ends) }, .undo = undo_pipe, .also = ENFILE },
	{ "pipe2", .call = do_pipe2, .undo = undo_pipe, .also = ENFILE },
	{ "write to a pipe", .call = do_write_pipe, .setup = empty_pipe, .flags = PARTLY },
	{ "writev to a pipe", .nr = SYS_writev, .args = { FD_WRITE, S(iov), 12 },
	  .setup = empty_pipe },
	{ "readv of a pipe", .nr = SYS_readv, .args = { FD_READ, S(iov), 12 }, .setup = fill_pipe },
	{ "F_SETPIPE_SZ", .nr = SYS_fcntl, .args = { FD_READ, F_SETPIPE_SZ, 1 << 20 },
	  .setup = fill_pipe, .undo = undo_resize },
	{ "memfd_create", .nr = SYS_memfd_create, .args = { S(TEXT), 0 }, .undo = undo_memfd },
	{ "close_range with a table of its own", .call = do_unshare_files, .flags = CHILD },
	/* waiting */
	{ "poll of 1000", .call = do_poll, .setup = empty_pipe },
	{ "poll of 200", .call = do_poll_some },
	{ "ppoll", .call = do_ppoll },
	{ "select of 20000", .call = do_select },
	{ "select of 800", .call = do_select_some },
	{ "pselect6", .call = do_pselect },
	/* locks */
	{ "F_SETLK", .nr = SYS_fcntl, .args = { FD_F, F_SETLK, S(&lock) }, .setup = set_lock,
	  .undo = unlock, .also = ENOLCK },
	{ "F_SETLKW", .nr = SYS_fcntl, .args = { FD_F, F_SETLKW, S(&lock) }, .setup = set_lock,
	  .undo = unlock, .also = ENOLCK },
	{ "F_SETLK in another", .nr = SYS_fcntl, .args = { FD_F, F_SETLK, S(&lock) },
	  .setup = set_lock_around, .undo = unlock, .also = ENOLCK },
	{ "F_UNLCK in another", .nr = SYS_fcntl, .args = { FD_F, F_SETLK, S(&lock) },
	  .setup = set_unlock_middle, .undo = unlock, .also = ENOLCK },
	{ "F_OFD_SETLK", .nr = SYS_fcntl, .args = { FD_F, F_OFD_SETLK, S(&lock) },
	  .setup = set_ofd_lock, .undo = unlock, .also = ENOLCK },
	{ "F_GETLK", .nr = SYS_fcntl, .args = { FD_F, F_GETLK, S(&lock) }, .setup = set_lock },
	{ "flock", .nr = SYS_flock, .args = { FD_F, LOCK_EX }, .setup = set_lock, .undo = unlock,
	  .also = ENOLCK },
};

int main(int argc, char **argv)
{
	static const char *const rest[] = { F, G, LINK, FIFO, NULL };

	tap_start(argc, argv, NULL);
	failing_need();
	make_dir("fail_files");
	if (chdir(test_dir))
		skip_all("no working directory");
	failing_start();
	setup_files();
	none_tv = (struct timeval){ 0 };
	fail_rows(rows, COUNT(rows));
	failing_summary();
	for (int fd = FD_F; fd <= FD_HERE; fd++)
		close(fd);
	rmdir(DIR_);
	if (chdir("/"))
		return 1;
	clean_dir(rest);
	return done_testing();
}
