/* SPDX-License-Identifier: MIT */
/* Advisory locks: records by fcntl, whole files by flock; who holds what, who waits, who gives up. */
#include "files.h"
#include <sys/file.h>
#include <sys/wait.h>

#ifndef F_OFD_GETLK
#define F_OFD_GETLK  36
#define F_OFD_SETLK  37
#define F_OFD_SETLKW 38
#endif

static int fd; /* the file, 100 bytes, open for both */

static struct flock range(int type, int whence, long start, long len)
{
	return (struct flock){ .l_type = type, .l_whence = whence, .l_start = start, .l_len = len };
}

static long set(int type, long start, long len)
{
	struct flock fl = range(type, SEEK_SET, start, len);

	return result(fcntl(fd, F_SETLK, &fl));
}

/*
 * A child's view: what F_GETLK with a write lock on each of the bytes 0..31 says, as a text of
 * one letter for each: - r w.
 */
static int view_mode(int argc, char **argv)
{
	char text[33] = "";
	int out = atoi(argv[3]), f = open(argv[2], O_RDWR);

	(void)argc;
	for (int i = 0; i < 32; i++) {
		struct flock fl = range(F_WRLCK, SEEK_SET, i, 1);

		if (fcntl(f, F_GETLK, &fl) != 0)
			return 1;
		text[i] = fl.l_type == F_UNLCK ? '-' : fl.l_type == F_RDLCK ? 'r' : 'w';
		if (fl.l_type != F_UNLCK && fl.l_pid != getppid())
			return 2;
	}
	return write(out, text, 32) != 32;
}

static const char *view(void)
{
	static char text[40];
	char number[16];
	int p[2], status;
	ssize_t n;

	pipe(p);
	snprintf(number, sizeof(number), "%d", p[1]);
	status = run_mode("view", in_dir("f"), number);
	close(p[1]);
	n = read(p[0], text, 32);
	text[n > 0 ? n : 0] = '\0';
	close(p[0]);
	if (status != 0)
		snprintf(text, sizeof(text), "status 0x%x", status);
	return text;
}

/* argv[3]: the call (k: F_SETLK, w: F_SETLKW, o: F_OFD_SETLK, f: flock), for writing, all of it. */
static int try_mode(int argc, char **argv)
{
	int f = open(argv[2], O_RDWR);
	struct flock fl = range(F_WRLCK, SEEK_SET, 0, 0);
	int ret;

	(void)argc;
	switch (argv[3][0]) {
	case 'k':
		ret = fcntl(f, F_SETLK, &fl);
		break;
	case 'w':
		ret = fcntl(f, F_SETLKW, &fl);
		break;
	case 'o':
		ret = fcntl(f, F_OFD_SETLK, &fl);
		break;
	default:
		ret = flock(f, LOCK_EX | LOCK_NB);
	}
	return ret == 0 ? 0 : errno;
}

static int try(const char *how)
{
	int status = run_mode("try", in_dir("f"), how);

	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void records(void)
{
	is_str(view(), "--------------------------------", "no lock");
	is(set(F_WRLCK, 4, 8), 0, "a write lock of 8 bytes");
	is_str(view(), "----wwwwwwww--------------------", "is seen by others");
	is(set(F_RDLCK, 6, 2), 0, "a read lock in its middle");
	is_str(view(), "----wwrrwwww--------------------", "takes its place");
	is(set(F_UNLCK, 5, 2), 0, "a piece is unlocked");
	is_str(view(), "----w--rwwww--------------------", "and free");
	is(set(F_WRLCK, 5, 3), 0, "filled up");
	is_str(view(), "----wwwwwwww--------------------", "it is one again");
	is(set(F_RDLCK, 12, 4), 0, "a read lock beside it");
	is(set(F_RDLCK, 20, 4), 0, "and another");
	is_str(view(), "----wwwwwwwwrrrr----rrrr--------", "each for itself");
	is(set(F_RDLCK, 0, 0), 0, "a read lock of all");
	is_str(view(), "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr", "covers them");
	is(set(F_UNLCK, 10, 10), 0, "ten bytes unlocked");
	is_str(view(), "rrrrrrrrrr----------rrrrrrrrrrrr", "leave two");
	is(set(F_UNLCK, 0, 0), 0, "all unlocked");
	is_str(view(), "--------------------------------", "no lock");
	is(set(F_UNLCK, 3, 3), 0, "unlocking what isn't locked is fine");
}

static void whence(void)
{
	struct flock fl;

	lseek(fd, 10, SEEK_SET);
	fl = range(F_WRLCK, SEEK_CUR, -2, 4);
	is(fcntl(fd, F_SETLK, &fl), 0, "from the position on");
	is_str(view(), "--------wwww--------------------", "8 to 11");
	set(F_UNLCK, 0, 0);
	fl = range(F_WRLCK, SEEK_END, -80, 4);
	is(fcntl(fd, F_SETLK, &fl), 0, "from the end");
	is_str(view(), "--------------------wwww--------", "20 to 23");
	set(F_UNLCK, 0, 0);
	fl = range(F_WRLCK, SEEK_SET, 10, -4);
	is(fcntl(fd, F_SETLK, &fl), 0, "a negative length");
	is_str(view(), "------wwww----------------------", "6 to 9");
	set(F_UNLCK, 0, 0);
	fl = range(F_WRLCK, 3, 0, 4);
	fails(fcntl(fd, F_SETLK, &fl), EINVAL, "from nowhere: EINVAL");
	fails(set(7, 0, 1) < 0 ? (errno = EINVAL, -1) : 0, EINVAL, "an unknown type: EINVAL");
	is(set(7, 0, 1), -EINVAL, "EINVAL");
	is(set(F_RDLCK, -1, 1), -EINVAL, "before the beginning: EINVAL");
	is(set(F_RDLCK, 2, -4), -EINVAL, "by its length: EINVAL");
	is(set(F_RDLCK, 0x7fffffffffffffff, 1), 0, "the last byte of all");
	is(set(F_RDLCK, 0x7fffffffffffffff, 2), -EOVERFLOW, "one more: EOVERFLOW");
	fl = range(F_RDLCK, SEEK_END, 0x7fffffffffffffff, 1);
	fails(fcntl(fd, F_SETLK, &fl), EOVERFLOW, "beyond: EOVERFLOW");
	set(F_UNLCK, 0, 0);
	fl = range(F_UNLCK, SEEK_SET, 0, 1);
	fails(fcntl(fd, F_GETLK, &fl), EINVAL, "F_GETLK of F_UNLCK: EINVAL");
	fails(fcntl(fd, F_GETLK, (void *)1), EFAULT, "F_GETLK at 1: EFAULT");
	fails(fcntl(fd, F_SETLK, (void *)1), EFAULT, "F_SETLK at 1: EFAULT");
	fails(fcntl(99, F_SETLK, (void *)1), EBADF, "a closed descriptor: EBADF");
	fl = range(F_WRLCK, SEEK_SET, 5, 3);
	is(fcntl(fd, F_GETLK, &fl), 0, "F_GETLK of what is free");
	ok(fl.l_type == F_UNLCK && fl.l_start == 5 && fl.l_len == 3, "changes only the type");
}

static void modes_of_opening(void)
{
	struct flock r = range(F_RDLCK, SEEK_SET, 0, 1), w = range(F_WRLCK, SEEK_SET, 0, 1);
	int ro = open(in_dir("f"), O_RDONLY), wo = open(in_dir("f"), O_WRONLY);
	int path = open(in_dir("f"), O_PATH), p[2];

	is(fcntl(ro, F_SETLK, &r), 0, "a read lock needs a file open for reading");
	fails(fcntl(wo, F_SETLK, &r), EBADF, "else EBADF");
	is(fcntl(wo, F_SETLK, &w), 0, "a write lock one for writing");
	fails(fcntl(ro, F_SETLK, &w), EBADF, "else EBADF");
	is(fcntl(ro, F_GETLK, &w), 0, "F_GETLK needs neither");
	fails(fcntl(path, F_SETLK, &r), EBADF, "O_PATH: EBADF");
	is(flock(ro, LOCK_EX), 0, "flock needs neither");
	fails(flock(path, LOCK_SH), EBADF, "but not O_PATH: EBADF");
	close(ro), close(wo), close(path);
	pipe(p);
	r = range(F_RDLCK, SEEK_SET, 0, 1);
	is(fcntl(p[0], F_SETLK, &r), 0, "even a pipe can be locked");
	is(flock(p[0], LOCK_EX), 0, "both ways");
	close(p[0]), close(p[1]);
}

static void others(void)
{
	int second;

	set(F_WRLCK, 0, 0);
	is(try("k"), EAGAIN, "another process gets EAGAIN");
	is(try("o"), EAGAIN, "so does another open file");
	is(try("f"), 0, "flock doesn't see records");
	second = open(in_dir("f"), O_RDONLY);
	close(second);
	is(try("k"), 0, "closing any descriptor of the file gives up all");
	set(F_WRLCK, 0, 0);
	second = dup(fd);
	close(second);
	is(try("k"), 0, "also a copy");
	set(F_WRLCK, 0, 0);
	dup2(0, second);
	is(try("k"), EAGAIN, "closing another file doesn't");
	dup2(fd, second);
	is(try("k"), EAGAIN, "nor opening it once more");
	dup2(0, second);
	is(try("k"), 0, "but covering it by dup2 does");
	close(second);
	set(F_WRLCK, 0, 0);
	second = fcntl(fd, F_DUPFD, 50);
	syscall(436, 50, 60, 0);
	is(try("k"), 0, "and close_range");
	is(fcntl(second, F_GETFD), -1, "which closed it");
}

static void open_files(void)
{
	struct flock w = range(F_WRLCK, SEEK_SET, 0, 10), probe;
	int second = open(in_dir("f"), O_RDWR), third = dup(fd);

	is(fcntl(fd, F_OFD_SETLK, &w), 0, "a lock of the open file");
	w.l_pid = 0;
	fails(fcntl(second, F_OFD_SETLK, &w), EAGAIN, "another opening can't have it: EAGAIN");
	is(fcntl(third, F_OFD_SETLK, &w), 0, "a copy has it");
	fails(fcntl(second, F_SETLK, &w), EAGAIN, "nor can the process: EAGAIN");
	probe = range(F_RDLCK, SEEK_SET, 5, 1);
	is(fcntl(second, F_GETLK, &probe), 0, "F_GETLK");
	ok(probe.l_type == F_WRLCK && probe.l_pid == -1 && probe.l_start == 0 && probe.l_len == 10,
	   "tells of it, without a process");
	probe = range(F_RDLCK, SEEK_SET, 5, 1);
	probe.l_pid = 1;
	fails(fcntl(second, F_OFD_GETLK, &probe), EINVAL, "F_OFD_GETLK with a pid: EINVAL");
	close(third);
	fails(fcntl(second, F_OFD_SETLK, &w), EAGAIN, "it stays while one copy does");
	w.l_type = F_UNLCK;
	is(fcntl(fd, F_OFD_SETLK, &w), 0, "unlocked");
	w.l_type = F_WRLCK;
	is(fcntl(second, F_OFD_SETLK, &w), 0, "it is free");
	close(second);
	is(fcntl(fd, F_OFD_SETLK, &w), 0, "and again when that is closed");
	w.l_type = F_UNLCK;
	fcntl(fd, F_OFD_SETLK, &w);
}

static void whole_files(void)
{
	int a = open(in_dir("f"), O_RDWR), b = open(in_dir("f"), O_RDWR), c = dup(a);

	is(flock(a, LOCK_SH), 0, "flock, shared");
	is(flock(b, LOCK_SH | LOCK_NB), 0, "by two");
	fails(flock(b, LOCK_EX | LOCK_NB), EWOULDBLOCK, "exclusive: EWOULDBLOCK");
	is(flock(a, LOCK_EX | LOCK_NB), 0, "which cost the shared one it had");
	fails(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK, "now nobody else can");
	is(flock(c, LOCK_EX | LOCK_NB), 0, "but a copy");
	close(a);
	fails(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK, "it stays with the copy");
	is(set(F_WRLCK, 0, 0), 0, "records don't see it");
	set(F_UNLCK, 0, 0);
	close(c);
	is(flock(b, LOCK_SH | LOCK_NB), 0, "and goes with that");
	is(flock(b, LOCK_UN), 0, "unlocked");
	is(flock(b, LOCK_UN), 0, "twice is fine");
	fails(flock(b, 0), EINVAL, "flock 0: EINVAL");
	fails(flock(b, LOCK_SH | LOCK_EX), EINVAL, "shared and exclusive: EINVAL");
	fails(flock(b, 16), EINVAL, "16: EINVAL");
	fails(flock(99, LOCK_SH), EBADF, "a closed descriptor: EBADF");
	close(b);
}

/* Holds a lock of the whole file (argv[3]: w or f) until its parent sleeps; says when it has it. */
static int hold_mode(int argc, char **argv)
{
	int f = open(argv[2], O_RDWR);
	struct flock fl = range(F_WRLCK, SEEK_SET, 0, 0);

	(void)argc;
	if (argv[3][0] == 'f' ? flock(f, LOCK_EX) : fcntl(f, F_SETLKW, &fl))
		return 1;
	write(10, "x", 1);
	close(10);
	wait_until_asleep(getppid());
	return 0;
}

/* Starts one and waits until it has the lock. */
static pid_t hold(const char *how)
{
	int p[2];
	pid_t pid;
	char c;

	pipe2(p, O_CLOEXEC);
	dup2(p[1], 10);
	pid = start_mode("hold", in_dir("f"), how);
	close(10);
	close(p[1]);
	if (read(p[0], &c, 1) != 1)
		diag("the holder has no lock");
	close(p[0]);
	return pid;
}

/* Locks byte 0, then waits for byte 1. */
static int cross_mode(int argc, char **argv)
{
	int f = open(argv[2], O_RDWR);
	struct flock fl = range(F_WRLCK, SEEK_SET, 0, 1);

	(void)argc;
	fcntl(f, F_SETLKW, &fl);
	write(10, "x", 1);
	close(10);
	fl = range(F_WRLCK, SEEK_SET, 1, 1);
	return fcntl(f, F_SETLKW, &fl) != 0;
}

static void waiting(void)
{
	struct flock fl = range(F_WRLCK, SEEK_SET, 0, 1);
	int p[2];
	pid_t pid;
	char c;

	pid = hold("w");
	fails(set(F_RDLCK, 3, 1) == -EAGAIN ? (errno = EAGAIN, -1) : 0, EAGAIN,
	      "locked by another");
	fl = range(F_RDLCK, SEEK_SET, 3, 1);
	is(fcntl(fd, F_SETLKW, &fl), 0, "F_SETLKW waits until the other has ended");
	is(wait_status(pid), 0, "the holder is content");
	set(F_UNLCK, 0, 0);
	pid = hold("f");
	fails(flock(fd, LOCK_SH | LOCK_NB), EWOULDBLOCK, "flocked by another");
	is(flock(fd, LOCK_SH), 0, "flock waits too");
	flock(fd, LOCK_UN);
	is(wait_status(pid), 0, "the holder is content");

	/* A circle of two: the one that closes it is told. */
	set(F_WRLCK, 1, 1);
	pipe2(p, O_CLOEXEC);
	dup2(p[1], 10);
	pid = start_mode("cross", in_dir("f"), NULL);
	close(10);
	close(p[1]);
	read(p[0], &c, 1);
	close(p[0]);
	wait_until_asleep(pid);
	fl = range(F_WRLCK, SEEK_SET, 0, 1);
	fails(fcntl(fd, F_SETLKW, &fl), EDEADLK, "each waits for the other: EDEADLK");
	is(set(F_UNLCK, 1, 1), 0, "the way is free");
	is(wait_status(pid), 0, "the other gets it");
}

static void signals(void)
{
	struct flock fl = range(F_WRLCK, SEEK_SET, 0, 0);
	int second = open(in_dir("f"), O_RDWR);
	pid_t pid;

	fcntl(second, F_OFD_SETLK, &fl);
	flock(second, LOCK_EX);
	catch_signal(SIGUSR1, 0);
	pid = start_kick(SIGUSR1, 1);
	fails(fcntl(fd, F_SETLKW, &fl), EINTR, "a signal ends F_SETLKW: EINTR");
	wait_status(pid);
	pid = start_kick(SIGUSR1, 1);
	fails(flock(fd, LOCK_EX), EINTR, "and flock: EINTR");
	wait_status(pid);
	is(caught, 2, "two signals were caught");
	close(second);
	is(try("k") | try("f"), 0, "no lock is left");
}

static const struct mode modes[] = {
	{ "view", view_mode },	 { "try", try_mode },	{ "hold", hold_mode },
	{ "cross", cross_mode }, { "kick", kick_mode }, { NULL, NULL },
};

int main(int argc, char **argv)
{
	static const char *const rest[] = { "f", NULL };
	int before;

	tap_start(argc, argv, modes);
	before = count_fds();
	make_dir("locks");
	fd = make_file("f", 100);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	records();
	whence();
	modes_of_opening();
	others();
	open_files();
	whole_files();
	waiting();
	signals();
	close(fd);
	clean_dir(rest);
	is(count_fds(), before, "no descriptor is left open");
	return done_testing();
}
