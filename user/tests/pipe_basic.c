/* SPDX-License-Identifier: MIT */
/* Pipes: what goes in comes out, how much fits, who waits for whom, and how it ends. */
#include "transfers.h"
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#ifndef F_SETPIPE_SZ
#define F_SETPIPE_SZ 1031
#define F_GETPIPE_SZ 1032
#endif
#ifndef O_DIRECT
#define O_DIRECT 040000
#endif

static char buf[1 << 20];

static void making(void)
{
	int p[2] = { -1, -1 }, q[2];
	int before = count_fds();
	struct stat st, st2;
	char link[64], want[64], path[64];
	long n;

	is(pipe(p), 0, "pipe");
	is(p[1], p[0] + 1, "two numbers in a row");
	is(fcntl(p[0], F_GETFL), O_RDONLY, "one end to read from");
	is(fcntl(p[1], F_GETFL), O_WRONLY, "one to write to");
	is(fcntl(p[0], F_GETFD) | fcntl(p[1], F_GETFD), 0, "both stay open at exec");
	is(fstat(p[0], &st) | fstat(p[1], &st2), 0, "fstat of both");
	ok(S_ISFIFO(st.st_mode) && (st.st_mode & 07777) == 0600, "a FIFO with mode 600");
	ok(st.st_ino == st2.st_ino && st.st_dev == st2.st_dev, "the same file");
	ok(st.st_uid == getuid() && st.st_gid == getgid(), "its maker's");
	ok(st.st_size == 0 && st.st_nlink == 1 && st.st_blocks == 0 && st.st_blksize == 4096,
	   "size 0, one link, no blocks");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", p[0]);
	snprintf(want, sizeof(want), "pipe:[%lu]", (unsigned long)st.st_ino);
	n = readlink(path, link, sizeof(link) - 1);
	link[n > 0 ? n : 0] = '\0';
	is_str(link, want, "its link in /proc");
	is(pipe2(q, O_CLOEXEC | O_NONBLOCK), 0, "pipe2 with O_CLOEXEC and O_NONBLOCK");
	is(fcntl(q[0], F_GETFD) & fcntl(q[1], F_GETFD), FD_CLOEXEC, "both close at exec");
	is(fcntl(q[0], F_GETFL), O_RDONLY | O_NONBLOCK, "the flags of one");
	is(fcntl(q[1], F_GETFL), O_WRONLY | O_NONBLOCK, "and the other end");
	fstat(q[0], &st2);
	ok(st.st_ino != st2.st_ino, "another pipe, another number");
	close(p[0]), close(p[1]), close(q[0]), close(q[1]);
	fails(pipe2(p, O_APPEND), EINVAL, "pipe2 with O_APPEND: EINVAL");
	fails(pipe2(p, O_RDWR), EINVAL, "with O_RDWR: EINVAL");
	fails(syscall(SYS_pipe, NULL), EFAULT, "pipe to NULL: EFAULT");
	fails(syscall(SYS_pipe2, 1, 0), EFAULT, "pipe2 to 1: EFAULT");
	fails(syscall(SYS_pipe2, NULL, O_APPEND), EINVAL, "flags are looked at first");
	is(count_fds(), before, "as many descriptors as before");
}

static void errors(void)
{
	struct iovec v = { buf, 1 };
	int p[2];

	pipe(p);
	fails(lseek(p[0], 0, SEEK_SET), ESPIPE, "lseek: ESPIPE");
	fails(lseek(p[0], 0, 99), EINVAL, "lseek from nowhere: EINVAL");
	fails(pread(p[0], buf, 1, 0), ESPIPE, "pread: ESPIPE");
	fails(pwrite(p[1], buf, 1, 0), ESPIPE, "pwrite: ESPIPE");
	fails(pwrite(p[0], buf, 1, 0), ESPIPE, "pwrite to the read end: ESPIPE");
	fails(pread(p[0], buf, 1, -1), EINVAL, "pread at -1: EINVAL");
	fails(write(p[0], buf, 1), EBADF, "write to the read end: EBADF");
	fails(read(p[1], buf, 1), EBADF, "read from the write end: EBADF");
	fails(readv(p[1], &v, 1), EBADF, "readv too");
	fails(ftruncate(p[1], 0), EINVAL, "ftruncate: EINVAL");
	fails(syscall(SYS_getdents64, p[0], buf, 100), ENOTDIR, "getdents64: ENOTDIR");
	fails(fchdir(p[0]), ENOTDIR, "fchdir: ENOTDIR");
	ok(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, p[0], 0) == MAP_FAILED && errno == ENODEV,
	   "mmap: ENODEV");
	fails(ioctl(p[0], 0x5401, buf), ENOTTY, "TCGETS: ENOTTY");
	fails(ioctl(p[0], FIONREAD, 1), EFAULT, "FIONREAD to 1: EFAULT");
	close(p[0]), close(p[1]);
}

static void bytes(void)
{
	struct iovec out[3] = { { "one", 3 }, { NULL, 0 }, { "three", 5 } };
	int p[2], n = -1;

	pipe2(p, O_NONBLOCK);
	is(ioctl(p[0], FIONREAD, &n) | n, 0, "FIONREAD of an empty pipe: 0");
	fails(read(p[0], buf, 10), EAGAIN, "read from it: EAGAIN");
	is(read(p[0], buf, 0), 0, "read of nothing: 0");
	is(write(p[1], buf, 0), 0, "write of nothing: 0");
	fails(read(p[0], buf, 10), EAGAIN, "which leaves nothing to read");
	is(writev(p[1], out, 3), 8, "writev of 3, 0 and 5 bytes");
	is(write(p[1], "more", 4), 4, "write of 4");
	is(ioctl(p[0], FIONREAD, &n), 0, "FIONREAD");
	is(n, 12, "sees 12 bytes");
	is(ioctl(p[1], FIONREAD, &n), 0, "also at the other end");
	is(read(p[0], buf, 5), 5, "read 5");
	is(read(p[0], buf + 5, 100), 7, "read 100: the other 7");
	is(memcmp(buf, "onethreemore", 12), 0, "all of them in order");
	is(read(p[0], buf, 0), 0, "nothing is left");
	/* What can't be delivered stays. */
	write(p[1], "keep", 4);
	fails(read(p[0], (void *)1, 4), EFAULT, "read to a bad address: EFAULT");
	fails(write(p[1], (void *)1, 4), EFAULT, "write from one: EFAULT");
	is(read(p[0], buf, 10), 4, "no byte was lost or added");
	is(memcmp(buf, "keep", 4), 0, "the right ones");
	close(p[0]), close(p[1]);
}

static void endings(void)
{
	int p[2], n = -1;

	pipe(p);
	write(p[1], "last", 4);
	close(p[1]);
	is(ioctl(p[0], FIONREAD, &n) | n, 4, "the writer is gone: FIONREAD still 4");
	is(read(p[0], buf, 10), 4, "what it wrote can be read");
	is(read(p[0], buf, 10), 0, "then comes the end");
	is(read(p[0], buf, 10), 0, "again and again");
	close(p[0]);

	pipe(p);
	close(p[0]);
	catch_signal(SIGPIPE, 0);
	fails(write(p[1], "x", 1), EPIPE, "no reader: EPIPE");
	is(caught, 1, "and SIGPIPE");
	is(caught_code, SI_USER, "with the code SI_USER");
	is(caught_pid, getpid(), "from oneself");
	is(write(p[1], "x", 0), 0, "a write of nothing is none");
	is(caught, 1, "and sends nothing");
	fails(write(p[1], (void *)1, 1), EPIPE, "EPIPE comes before EFAULT");
	signal(SIGPIPE, SIG_IGN);
	fails(write(p[1], "x", 1), EPIPE, "SIGPIPE ignored: EPIPE alone");
	signal(SIGPIPE, SIG_DFL);
	close(p[1]);
}

static int die_mode(int argc, char **argv)
{
	int p[2];

	(void)argc, (void)argv;
	pipe(p);
	close(p[0]);
	write(p[1], "x", 1);
	return 0;
}

/* Bytes that fit into an empty pipe, written `step` at a time; and whether the last was cut. */
static long fill(int fd, size_t step)
{
	long sum = 0, n;

	while ((n = write(fd, buf, step)) > 0)
		sum += n;
	is(n < 0 ? -errno : n, -EAGAIN, "steps of %zu bytes: in the end EAGAIN", step);
	return sum;
}

static void drain(int fd)
{
	while (read(fd, buf, sizeof(buf)) > 0)
		;
}

static void capacity(void)
{
	/* What a step has beyond whole pages joins the last page if it fits there whole. */
	static const struct {
		int step, want;
	} cases[] = {
		{ 1, 65536 },	  { 100, 64000 },   { 2048, 65536 },  { 2049, 32784 },
		{ 3000, 48000 },  { 4095, 65520 },  { 4096, 65536 },  { 4097, 45066 },
		{ 5000, 54096 },  { 10000, 64096 }, { 65535, 65535 }, { 65536, 65536 },
		{ 70000, 65536 },
	};
	int p[2];

	pipe2(p, O_NONBLOCK);
	is(fcntl(p[0], F_GETPIPE_SZ), 65536, "F_GETPIPE_SZ: 65536");
	for (size_t i = 0; i < COUNT(cases); i++) {
		is(fill(p[1], cases[i].step), cases[i].want, "steps of %d bytes: what fits",
		   cases[i].step);
		drain(p[0]);
	}
	close(p[0]), close(p[1]);
}

/* Up to PIPE_BUF bytes all or none; more of them as many as fit. */
static void atomic_writes(void)
{
	int p[2], n;

	pipe2(p, O_NONBLOCK);
	write(p[1], buf, 65536 - 4096);
	is(write(p[1], buf, 4000), 4000, "a page with 4000 bytes");
	is(write(p[1], buf, 96), 96, "the last 96");
	fails(write(p[1], buf, 1), EAGAIN, "one more: EAGAIN");
	read(p[0], buf, 4095);
	fails(write(p[1], buf, 1), EAGAIN, "4095 read, and its page still has a byte: EAGAIN");
	read(p[0], buf, 1);
	is(write(p[1], buf, 4000), 4000, "the page is empty: there is room");
	fails(write(p[1], buf, 4096), EAGAIN, "4096 bytes where 96 fit: EAGAIN");
	is(write(p[1], buf, 4097), 1, "4097: one byte, which is what joins the last page");
	ioctl(p[0], FIONREAD, &n);
	is(n, 65441, "FIONREAD tells what is in it");
	close(p[0]), close(p[1]);
}

static void sizes(void)
{
	bool root = geteuid() == 0;
	int p[2];

	pipe2(p, O_NONBLOCK);
	is(fcntl(p[1], F_SETPIPE_SZ, 4096), 4096, "F_SETPIPE_SZ of 4096");
	is(fcntl(p[1], F_SETPIPE_SZ, 1), 4096, "of 1: a page");
	is(fcntl(p[1], F_SETPIPE_SZ, 0), 4096, "of 0: a page");
	is(fill(p[1], 4096), 4096, "so much fits");
	is(fcntl(p[0], F_SETPIPE_SZ, 4097), 8192, "of 4097: two pages");
	is(fill(p[1], 4096), 4096, "another page fits");
	fails(fcntl(p[0], F_SETPIPE_SZ, 4096), EBUSY, "less than is in it: EBUSY");
	is(fcntl(p[0], F_SETPIPE_SZ, 1 << 20), 1 << 20, "of a MiB");
	is(fill(p[1], 4096), (1 << 20) - 8192, "so much more fits");
	is(read(p[0], buf, sizeof(buf)), 1 << 20, "all can be read at once");
	if (!root) {
		fails(fcntl(p[0], F_SETPIPE_SZ, (1 << 20) + 1), EPERM, "more: EPERM");
		is(fcntl(p[0], F_GETPIPE_SZ), 1 << 20, "nothing has changed");
	}
	fails(fcntl(p[0], F_SETPIPE_SZ, -1), EINVAL, "of -1: EINVAL");
	close(p[0]), close(p[1]);
	fails(fcntl(p[0], F_GETPIPE_SZ), EBADF, "after close: EBADF");
	p[0] = open("/", O_RDONLY);
	fails(fcntl(p[0], F_GETPIPE_SZ), EBADF, "of a directory: EBADF");
	fails(fcntl(p[0], F_SETPIPE_SZ, 4096), EBADF, "set: EBADF");
	close(p[0]);
}

static void packets(void)
{
	int p[2], n;

	is(pipe2(p, O_DIRECT | O_NONBLOCK), 0, "pipe2 with O_DIRECT");
	is(fcntl(p[0], F_GETFL), O_RDONLY | O_NONBLOCK, "the reader's flags are as ever");
	is(fcntl(p[1], F_GETFL), O_WRONLY | O_NONBLOCK | O_DIRECT, "the writer's have it");
	write(p[1], "first", 5);
	write(p[1], "second", 6);
	ioctl(p[0], FIONREAD, &n);
	is(n, 11, "two packets");
	is(read(p[0], buf, 100), 5, "one read, one packet");
	is(read(p[0], buf, 2), 2, "two bytes of the next");
	fails(read(p[0], buf, 100), EAGAIN, "the rest is lost");
	is(write(p[1], buf, 5000), 5000, "5000 bytes");
	is(read(p[0], buf, 5000), 4096, "are two packets: 4096");
	is(read(p[0], buf, 5000), 904, "and 904");
	is(fill(p[1], 1), 16, "sixteen packets of one byte fit");
	drain(p[0]);
	is(fcntl(p[1], F_SETFL, O_NONBLOCK), 0, "O_DIRECT can be taken away");
	write(p[1], "a", 1);
	write(p[1], "b", 1);
	is(read(p[0], buf, 100), 2, "then bytes are bytes");
	close(p[0]), close(p[1]);
}

static void reopening(void)
{
	char path[64];
	int p[2], r, w;

	pipe(p);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", p[0]);
	w = open(path, O_WRONLY);
	ok(w >= 0, "the read end's link opened for writing");
	r = open(path, O_RDONLY | O_NONBLOCK);
	ok(r >= 0, "and for reading, with O_NONBLOCK");
	is(fcntl(r, F_GETFL) & O_NONBLOCK, O_NONBLOCK, "which this opening has");
	is(fcntl(p[0], F_GETFL) & O_NONBLOCK, 0, "and the other not");
	close(p[1]);
	write(w, "again", 5);
	is(read(r, buf, 10), 5, "it is the same pipe");
	close(w);
	is(read(r, buf, 10), 0, "the last writer's end is the end");
	is(read(p[0], buf, 10), 0, "for both");
	w = open(path, O_RDWR);
	ok(w >= 0, "opened for both, though nobody writes");
	is(write(w, "self", 4), 4, "write");
	is(read(w, buf, 10), 4, "and read what one wrote");
	close(r), close(w), close(p[0]);
}

/* --- with another process ------------------------------------------------------------------ */

/* Sends argv[2], then writes to the descriptor argv[3]: each once the parent sleeps. */
static int kick_write_mode(int argc, char **argv)
{
	(void)argc;
	wait_until_asleep(getppid());
	kill(getppid(), atoi(argv[2]));
	wait_until_asleep(getppid());
	return write(atoi(argv[3]), "late", 4) != 4;
}

static void blocking(void)
{
	int p[2];
	pid_t pid;

	pipe(p);
	pid = start_at("write", p[1], "wake up");
	is(read(p[0], buf, 100), 7, "a read waits until somebody writes");
	is(memcmp(buf, "wake up", 7), 0, "and gets it");
	is(wait_status(pid), 0, "the writer is content");
	pid = start_at("read", p[0], "66000");
	is(write(p[1], buf, 66000), 66000, "a write waits until all of it fits");
	is(wait_status(pid), 0, "the reader has got it all");
	close(p[0]), close(p[1]);

	pipe(p);
	fcntl(p[0], F_SETFD, FD_CLOEXEC);
	pid = start_at("flood", p[1], "200000");
	close(p[1]);
	is(read_flood(p[0]), 200000, "200000 numbers came through in order");
	is(wait_status(pid), 0, "their writer is content");
	close(p[0]);
}

static void interrupted(void)
{
	int p[2];
	pid_t pid;
	char number[16];

	pipe(p);
	catch_signal(SIGUSR1, 0);
	pid = start_kick(SIGUSR1, 1);
	fails(read(p[0], buf, 10), EINTR, "a signal ends a read: EINTR");
	wait_status(pid);
	fcntl(p[1], F_SETFL, O_NONBLOCK);
	fill(p[1], 4096);
	fcntl(p[1], F_SETFL, 0);
	pid = start_kick(SIGUSR1, 1);
	fails(write(p[1], buf, 10), EINTR, "and a write: EINTR");
	wait_status(pid);
	read(p[0], buf, 4096);
	pid = start_kick(SIGUSR1, 1);
	is(write(p[1], buf, 10000), 4096, "a write that has begun: what was written");
	wait_status(pid);
	is(caught, 3, "three signals were caught");
	close(p[0]), close(p[1]);

	pipe(p);
	catch_signal(SIGUSR1, SA_RESTART);
	snprintf(number, sizeof(number), "%d", p[1]);
	pid = start_at("kick-write", SIGUSR1, number);
	is(read(p[0], buf, 10), 4, "with SA_RESTART the read goes on");
	is(caught, 1, "after the handler");
	is(wait_status(pid), 0, "the writer is content");
	close(p[0]), close(p[1]);
}

static const struct mode modes[] = {
	{ "die", die_mode },	 { "write", write_mode }, { "read", read_mode },
	{ "flood", flood_mode }, { "kick", kick_mode },	  { "kick-write", kick_write_mode },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	int before;

	tap_start(argc, argv, modes);
	before = count_fds();
	making();
	errors();
	bytes();
	endings();
	dies("die", SIGPIPE, "a write without a reader");
	capacity();
	atomic_writes();
	sizes();
	packets();
	reopening();
	blocking();
	interrupted();
	is(count_fds(), before, "no descriptor is left open");
	return done_testing();
}
