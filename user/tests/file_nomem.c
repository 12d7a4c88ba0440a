/* SPDX-License-Identifier: MIT */
/*
 * Calls about files with every allocation of the kernel failed in turn: each says so or works all
 * the same, has changed nothing when it failed, and works when no failure is left to try.
 */
#include "failures.h"
#include "files.h"
#include <poll.h>
#include <sys/select.h>

#ifndef F_SETPIPE_SZ
#define F_SETPIPE_SZ 1031
#endif
#ifndef O_TMPFILE
#define O_TMPFILE 020200000
#endif

static int file, file2, pipe_ends[2];
static char buf[16384];
static char name[128];

static long do_pipe(void)
{
	return pipe(pipe_ends);
}

static void undo_pipe(void)
{
	close(pipe_ends[0]), close(pipe_ends[1]);
}

static int opened;

static long do_open(void)
{
	return opened = open("/etc/motd", O_RDONLY);
}

static long do_create(void)
{
	return opened = open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
}

static long do_tmpfile(void)
{
	return opened = open(test_dir, O_TMPFILE | O_RDWR, 0600);
}

static long do_dup_high(void)
{
	return opened = fcntl(0, F_DUPFD, 900);
}

static void undo_open(void)
{
	close(opened);
	unlink(name);
}

static long do_mkdir(void)
{
	return mkdir(name, 0700);
}

static void undo_mkdir(void)
{
	rmdir(name);
}

static long do_mknod(void)
{
	return mknod(name, S_IFIFO | 0600, 0);
}

static long do_symlink(void)
{
	return symlink("a text that is longer than what fits into the structure itself", name);
}

static long do_link(void)
{
	return link(in_dir("f"), name);
}

static void undo_name(void)
{
	unlink(name);
}

static long do_rename(void)
{
	return rename(in_dir("moved"), name);
}

static void undo_rename(void)
{
	rename(name, in_dir("moved"));
}

static long do_write_file(void)
{
	return pwrite(file2, buf, 8192, 0) == 8192 ? 0 : (errno = ENOMEM, -1);
}

static long do_fallocate(void)
{
	return fallocate(file2, 0, 0, 16384);
}

static void undo_file(void)
{
	ftruncate(file2, 0);
}

static long do_write_pipe(void)
{
	return write(pipe_ends[1], buf, 4096);
}

static void undo_write_pipe(void)
{
	read(pipe_ends[0], buf, 4096);
}

static long do_resize(void)
{
	return fcntl(pipe_ends[0], F_SETPIPE_SZ, 131072);
}

static void undo_resize(void)
{
	fcntl(pipe_ends[0], F_SETPIPE_SZ, 65536);
}

static struct pollfd polled[200];

static long do_poll(void)
{
	for (int i = 0; i < 200; i++)
		polled[i] = (struct pollfd){ .fd = pipe_ends[0], .events = POLLIN };
	return poll(polled, 200, 1);
}

static long do_select(void)
{
	fd_set set;
	struct timeval tv = { 0, 1000 };

	FD_ZERO(&set);
	FD_SET(pipe_ends[0], &set);
	return select(800, &set, NULL, NULL, &tv);
}

static long do_lock(void)
{
	struct flock fl = { .l_type = F_WRLCK, .l_start = 10, .l_len = 10 };

	return fcntl(file, F_SETLK, &fl);
}

static void undo_lock(void)
{
	struct flock fl = { .l_type = F_UNLCK };

	fcntl(file, F_SETLK, &fl);
}

static long do_stat(void)
{
	struct stat st;

	return stat(in_dir("f"), &st);
}

static long do_getcwd(void)
{
	return syscall(SYS_getcwd, buf, sizeof(buf));
}

static long do_readlink(void)
{
	return readlink("/proc/self/fd/0", buf, sizeof(buf));
}

static long do_sendfile(void)
{
	off_t at = 0;

	return syscall(SYS_sendfile, pipe_ends[1], file, &at, 100);
}

static long do_listing(void)
{
	int fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY);
	long n = fd < 0 ? -1 : syscall(SYS_getdents64, fd, buf, sizeof(buf));
	int err = errno;

	if (fd >= 0)
		close(fd);
	errno = err;
	return n;
}

static void nothing(void)
{
}

static const struct {
	const char *what;
	long (*call)(void);
	void (*undo)(void);
	int other_errno; /* instead of ENOMEM */
	bool makes_name; /* in_dir("new") */
} calls[] = {
	{ "pipe", do_pipe, undo_pipe, ENFILE },
	{ "open", do_open, undo_open },
	{ "open with O_CREAT", do_create, undo_open, .makes_name = true },
	{ "O_TMPFILE", do_tmpfile, undo_open },
	{ "F_DUPFD of a high number", do_dup_high, undo_open },
	{ "mkdir", do_mkdir, undo_mkdir, .makes_name = true },
	{ "mknod", do_mknod, undo_name, .makes_name = true },
	{ "symlink", do_symlink, undo_name, .makes_name = true },
	{ "link", do_link, undo_name, .makes_name = true },
	{ "rename", do_rename, undo_rename, .makes_name = true },
	{ "write to a file", do_write_file, undo_file, ENOSPC },
	{ "fallocate", do_fallocate, undo_file, ENOSPC },
	{ "write to a pipe", do_write_pipe, undo_write_pipe },
	{ "F_SETPIPE_SZ", do_resize, undo_resize },
	{ "poll of 200", do_poll, nothing },
	{ "select of 800", do_select, nothing },
	{ "F_SETLK", do_lock, undo_lock, ENOLCK },
	{ "stat", do_stat, nothing },
	{ "getcwd", do_getcwd, nothing },
	{ "readlink", do_readlink, nothing },
	{ "sendfile", do_sendfile, undo_write_pipe },
	{ "a look into /proc/self/fd", do_listing, nothing },
};

static void fail_each(size_t i)
{
	int before = count_fds(), tries = 0, reported = 0, odd = 0, damage = 0;

	for (;;) {
		long ret;
		int err;

		fail_at(++tries);
		ret = calls[i].call();
		err = errno;
		if (!failed_now()) {
			ok(ret >= 0, "%s: works when nothing fails", calls[i].what);
			calls[i].undo();
			break;
		}
		if (ret >= 0) {
			calls[i].undo();
			continue;
		}
		reported++;
		odd += err != ENOMEM && err != calls[i].other_errno;
		if (err != ENOMEM && err != calls[i].other_errno)
			diag("%s, allocation %d: errno %d", calls[i].what, tries, err);
		damage += count_fds() != before;
		damage += calls[i].makes_name && access(name, F_OK) == 0;
		if (tries > 200)
			break;
	}
	ok(tries <= 200, "%s: there is an end", calls[i].what);
	is(odd, 0, "%s: %d of %d failed, and said so", calls[i].what, reported, tries - 1);
	is(damage, 0, "and has left nothing behind");
	is(count_fds(), before, "as many descriptors as before");
}

int main(int argc, char **argv)
{
	static const char *const rest[] = { "f", "g", "moved", NULL };
	int before;

	tap_start(argc, argv, NULL);
	if (access("/proc/self/fail-nth", W_OK) != 0)
		skip_all("this kernel can't be told to fail allocations");
	before = count_fds();
	make_dir("nomem");
	fail_fd = open("/proc/self/fail-nth", O_RDWR);
	file = make_file("f", 100);
	file2 = make_file("g", 0);
	close(make_file("moved", 1));
	snprintf(name, sizeof(name), "%s/a-name-that-is-longer-than-what-fits-into-a-dentry",
		 test_dir);
	for (size_t i = 0; i < COUNT(calls); i++) {
		fail_each(i);
		if (calls[i].call == do_pipe) /* the others need one */
			pipe(pipe_ends);
	}
	close(pipe_ends[0]), close(pipe_ends[1]), close(file), close(file2), close(fail_fd);
	clean_dir(rest);
	is(count_fds(), before, "no descriptor is left open");
	return done_testing();
}
