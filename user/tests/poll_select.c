/* SPDX-License-Identifier: MIT */
/* poll, ppoll, select, pselect: what is ready, who sleeps for how long, and what wakes it. */
#include "files.h"
#include <poll.h>
#include <sys/resource.h>
#include <sys/select.h>

#define ALL (POLLIN | POLLPRI | POLLOUT | POLLRDNORM | POLLRDBAND | POLLWRNORM | POLLWRBAND)

static int poll_one(int fd, int events)
{
	struct pollfd p = { .fd = fd, .events = events, .revents = 0x5555 };
	int n = poll(&p, 1, 0);

	return n < 0 ? -errno : n != (p.revents != 0) ? -1000 : p.revents;
}

#define READY (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM)

/* What each kind of file says. */
static void kinds(void)
{
	static const struct {
		const char *path;
		int flags, want;
	} files[] = {
		{ "/etc/motd", O_RDONLY, READY },	{ "/", O_RDONLY, READY },
		{ "/dev/null", O_RDWR, READY },		{ "/dev/zero", O_RDONLY, READY },
		{ "/dev/full", O_RDWR, READY },		{ "/dev/urandom", O_RDONLY, READY },
		{ "/proc/self/maps", O_RDONLY, READY }, { "/proc", O_RDONLY, READY },
	};
	int p[2], fd;

	for (size_t i = 0; i < COUNT(files); i++) {
		fd = open(files[i].path, files[i].flags);
		is(poll_one(fd, ALL), files[i].want, "poll of %s", files[i].path);
		is(poll_one(fd, POLLIN), POLLIN, "asked for POLLIN only");
		is(poll_one(fd, 0), 0, "asked for nothing");
		close(fd);
	}
	fd = open("/dev/random", O_RDONLY);
	is(poll_one(fd, POLLIN), POLLIN, "/dev/random can be read");
	close(fd);
	is(poll_one(fd, ALL), POLLNVAL, "a closed descriptor: POLLNVAL");
	is(poll_one(fd, 0), POLLNVAL, "also when nothing is asked");
	is(poll_one(-1, ALL), 0, "a negative one is left out");
	is(poll_one(99999, ALL), POLLNVAL, "one beyond all: POLLNVAL");
	fd = open("/etc", O_PATH);
	is(poll_one(fd, ALL), POLLNVAL, "O_PATH: POLLNVAL");
	close(fd);
	pipe(p);
	is(poll_one(p[0], ALL), 0, "an empty pipe's read end: nothing");
	is(poll_one(p[1], ALL), POLLOUT | POLLWRNORM, "its write end: room");
	write(p[1], "x", 1);
	is(poll_one(p[0], ALL), POLLIN | POLLRDNORM, "with a byte: data");
	close(p[0]);
	is(poll_one(p[1], ALL), POLLOUT | POLLWRNORM | POLLERR, "no reader: POLLERR and room");
	is(poll_one(p[1], 0), POLLERR, "POLLERR needn't be asked for");
	close(p[1]);
	pipe2(p, O_NONBLOCK);
	while (write(p[1], test_dir, 1) == 1)
		;
	is(poll_one(p[1], ALL), 0, "full: no room");
	read(p[0], &fd, 1);
	is(poll_one(p[1], ALL), 0, "a byte less: no room for a page");
	close(p[1]);
	is(poll_one(p[0], ALL), POLLIN | POLLRDNORM | POLLHUP, "no writer: data and POLLHUP");
	is(poll_one(p[0], 0), POLLHUP, "POLLHUP needn't be asked for");
	close(p[0]);
}

static void many(void)
{
	struct pollfd fds[300];
	int p[2], q[2], n;

	pipe(p);
	pipe(q);
	for (int i = 0; i < 300; i++)
		fds[i] = (struct pollfd){ .fd = i % 2 ? p[0] : q[0], .events = POLLIN };
	fds[7].fd = -5;
	fds[8].fd = 9999;
	n = poll(fds, 300, 0);
	is(n, 1, "300 entries: one says POLLNVAL");
	ok(fds[7].revents == 0 && fds[8].revents == POLLNVAL && fds[9].revents == 0,
	   "the right one");
	write(p[1], "x", 1);
	is(poll(fds, 300, -1), 150, "with a byte in one pipe half of them, less one, and that one");
	ok(fds[0].revents == 0 && fds[1].revents == POLLIN && fds[299].revents == POLLIN,
	   "the right ones");
	close(p[0]), close(p[1]), close(q[0]), close(q[1]);
}

static void errors(void)
{
	struct pollfd p = { .fd = 0, .events = POLLIN, .revents = 77 };
	struct timespec bad = { 0, 1000000000 }, neg = { -1, 0 }, zero = { 0, 0 };
	unsigned long mask = 0;
	struct rlimit lim, small;

	fails(syscall(SYS_poll, NULL, 1, 0), EFAULT, "poll of NULL: EFAULT");
	is(syscall(SYS_poll, NULL, 0, 0), 0, "of no entries: 0");
	fails(syscall(SYS_poll, 1, 1, 0), EFAULT, "of 1: EFAULT");
	getrlimit(RLIMIT_NOFILE, &lim);
	small = lim;
	small.rlim_cur = 2;
	setrlimit(RLIMIT_NOFILE, &small);
	fails(syscall(SYS_poll, NULL, 3, 0), EINVAL, "more than RLIMIT_NOFILE: EINVAL");
	setrlimit(RLIMIT_NOFILE, &lim);
	fails(syscall(SYS_poll, &p, -1, 0), EINVAL, "-1 entries: EINVAL");
	is(p.revents, 77, "nothing is written");
	fails(syscall(SYS_ppoll, &p, 1, &bad, NULL, 8), EINVAL, "ppoll, 1e9 ns: EINVAL");
	fails(syscall(SYS_ppoll, &p, 1, &neg, NULL, 8), EINVAL, "-1 s: EINVAL");
	fails(syscall(SYS_ppoll, &p, 1, 1, NULL, 8), EFAULT, "time at 1: EFAULT");
	fails(syscall(SYS_ppoll, &p, 1, &zero, &mask, 4), EINVAL, "mask of 4 bytes: EINVAL");
	fails(syscall(SYS_ppoll, &p, 1, &zero, 1, 8), EFAULT, "mask at 1: EFAULT");
	is(syscall(SYS_ppoll, NULL, 0, &zero, NULL, 4), 0, "no mask: its size is not looked at");
	fails(syscall(SYS_ppoll, NULL, -1, &bad, 1, 4), EINVAL, "the time first");
}

static void select_errors(void)
{
	unsigned long set[16], in[16];
	struct timeval tv = { 0, 0 }, neg = { -1, 0 }, negus = { 0, -1 }, us = { 0, 1000000 };
	struct timespec zero = { 0, 0 }, bad = { 0, 1000000000 };
	struct {
		const void *mask;
		size_t size;
	} arg = { NULL, 4 };
	int p[2];

	pipe(p);
	memset(set, 0, sizeof(set));
	fails(syscall(SYS_select, -1, NULL, NULL, NULL, &tv), EINVAL, "select of -1: EINVAL");
	is(syscall(SYS_select, 0, NULL, NULL, NULL, &tv), 0, "of none: 0");
	is(syscall(SYS_select, 1000000, NULL, NULL, NULL, &tv), 0, "of a million: 0");
	fails(syscall(SYS_select, 1, 1, NULL, NULL, &tv), EFAULT, "a set at 1: EFAULT");
	fails(syscall(SYS_select, 0, NULL, NULL, NULL, 1), EFAULT, "time at 1: EFAULT");
	fails(syscall(SYS_select, 0, NULL, NULL, NULL, &neg), EINVAL, "-1 s: EINVAL");
	fails(syscall(SYS_select, 0, NULL, NULL, NULL, &negus), EINVAL, "-1 us: EINVAL");
	fails(syscall(SYS_select, -1, 1, NULL, NULL, &neg), EINVAL, "the time first");
	set[0] = 1UL << 60;
	fails(syscall(SYS_select, 61, set, NULL, NULL, &tv), EBADF, "a closed one: EBADF");
	is(set[0], 1UL << 60, "the set is as it was");
	is(syscall(SYS_select, 60, set, NULL, NULL, &tv), 0, "beyond n it doesn't count");
	is(set[0], 0, "but is cleared with its word");
	memset(in, 0, sizeof(in));
	in[0] = 1UL << p[0];
	set[0] = 1UL << p[1];
	is(syscall(SYS_select, p[1] + 1, in, set, NULL, &tv), 1, "a pipe: it can be written to");
	ok(in[0] == 0 && set[0] == 1UL << p[1], "and not read");
	write(p[1], "x", 1);
	in[0] = 1UL << p[0];
	is(syscall(SYS_select, p[1] + 1, in, set, NULL, &us), 2, "with a byte: both");
	ok(in[0] == 1UL << p[0] && set[0] == 1UL << p[1], "the right ones");
	in[0] = set[0] = 1UL << 0 | 1UL << p[0] | 1UL << p[1];
	close(p[0]);
	in[0] = set[0] = 1UL << p[1];
	is(syscall(SYS_select, p[1] + 1, in, set, in + 8, &tv), 2, "no reader: both as well");
	close(p[1]);
	fails(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &bad, NULL), EINVAL, "pselect: 1e9 ns");
	fails(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &bad, 1), EFAULT,
	      "the mask's place first");
	is(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &zero, &arg), 0, "no mask: no size");
	arg.mask = set;
	fails(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &zero, &arg), EINVAL, "4 bytes: EINVAL");
	arg.size = 8;
	arg.mask = (void *)1;
	fails(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &zero, &arg), EFAULT, "at 1: EFAULT");
}

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* A limit passes, and not too early; how much too late is the machine's affair. */
static void limits(void)
{
	struct timespec ts = { 0, 30000000 };
	struct timeval tv = { 0, 30000 };
	struct pollfd pfd = { .events = POLLIN };
	fd_set set;
	int p[2];
	long long start;

	pipe(p);
	pfd.fd = p[0];
	start = now();
	is(poll(&pfd, 1, 30), 0, "poll for 30 ms: 0");
	ok(now() - start >= 30000000, "and they have passed");
	start = now();
	is(syscall(SYS_ppoll, &pfd, 1, &ts, NULL, 8), 0, "ppoll for 30 ms: 0");
	ok(now() - start >= 30000000, "they have passed");
	ok(ts.tv_sec == 0 && ts.tv_nsec == 0, "nothing is left of them");
	FD_ZERO(&set);
	FD_SET(p[0], &set);
	start = now();
	is(syscall(SYS_select, p[0] + 1, &set, NULL, NULL, &tv), 0, "select for 30 ms: 0");
	ok(now() - start >= 30000000, "they have passed");
	ok(tv.tv_sec == 0 && tv.tv_usec == 0, "nothing is left of them");
	ok(!FD_ISSET(p[0], &set), "the set is empty");
	write(p[1], "x", 1);
	FD_SET(p[0], &set);
	tv = (struct timeval){ 1000, 0 };
	is(syscall(SYS_select, p[0] + 1, &set, NULL, NULL, &tv), 1, "something is there: at once");
	ok(tv.tv_sec == 999 || tv.tv_sec == 1000, "most of the time is left");
	ts = (struct timespec){ 1000, 0 };
	is(syscall(SYS_ppoll, &pfd, 1, &ts, NULL, 8), 1, "ppoll: at once");
	ok(ts.tv_sec >= 900, "most of the time is left");
	is(poll(NULL, 0, 10), 0, "poll as a clock");
	close(p[0]), close(p[1]);
}

/* argv[2]: what to write to once the parent sleeps; argv[3]: bytes to read from there, or 0. */
static int feed_mode(int argc, char **argv)
{
	static char buf[65536];

	(void)argc;
	wait_until_asleep(getppid());
	if (atoi(argv[3]))
		return read(atoi(argv[2]), buf, atoi(argv[3])) < 0;
	return write(atoi(argv[2]), "x", 1) != 1;
}

static pid_t feed(int fd, const char *bytes)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", fd);
	return start_mode("feed", number, bytes);
}

static void waking(void)
{
	struct pollfd fds[2];
	static char page[4096];
	fd_set in, out;
	int p[2], q[2];
	pid_t pid;

	pipe2(p, O_CLOEXEC);
	pipe(q);
	fds[0] = (struct pollfd){ .fd = p[0], .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = q[0], .events = POLLIN };
	pid = feed(q[1], "0");
	is(poll(fds, 2, -1), 1, "poll sleeps until one of two pipes has something");
	ok(fds[0].revents == 0 && fds[1].revents == POLLIN, "the right one");
	wait_status(pid);
	read(q[0], page, 1);
	FD_ZERO(&in);
	FD_SET(p[0], &in);
	FD_SET(q[0], &in);
	pid = feed(q[1], "0");
	is(select(q[1] + 1, &in, NULL, NULL, NULL), 1, "select does too");
	ok(!FD_ISSET(p[0], &in) && FD_ISSET(q[0], &in), "the right one");
	wait_status(pid);
	read(q[0], page, 1);
	fcntl(q[1], F_SETFL, O_NONBLOCK);
	while (write(q[1], page, 4096) > 0)
		;
	FD_ZERO(&out);
	FD_SET(q[1], &out);
	pid = feed(q[0], "4096");
	is(select(q[1] + 1, NULL, &out, NULL, NULL), 1, "and waits for room");
	wait_status(pid);
	fcntl(q[1], F_SETFD, FD_CLOEXEC);
	while (read(q[0], page, 4096) == 4096 && poll(&fds[1], 1, 0) == 1)
		;
	close(q[0]), close(q[1]);
	/* The end of a writer wakes as well: the child has the only one. */
	pipe(q);
	fcntl(q[0], F_SETFD, FD_CLOEXEC);
	pid = feed(p[1], "0"); /* fails: p closes at exec */
	fds[1].fd = q[0];
	close(q[1]);
	is(poll(&fds[1], 1, -1), 1, "the last writer's exit ends a poll");
	is(fds[1].revents, POLLHUP, "with POLLHUP");
	wait_status(pid);
	close(p[0]), close(p[1]), close(q[0]);
}

static void signals(void)
{
	struct pollfd pfd = { .events = POLLIN };
	struct timespec ts = { 1000, 0 };
	struct timeval tv = { 1000, 0 };
	sigset_t none, usr1;
	unsigned long raw = 0;
	fd_set in;
	int p[2];
	pid_t pid;

	pipe(p);
	pfd.fd = p[0];
	catch_signal(SIGUSR1, SA_RESTART);
	pid = start_kick(SIGUSR1, 1);
	fails(poll(&pfd, 1, -1), EINTR, "a signal ends poll: EINTR, even with SA_RESTART");
	wait_status(pid);
	pid = start_kick(SIGUSR1, 1);
	fails(syscall(SYS_ppoll, &pfd, 1, &ts, NULL, 8), EINTR, "ppoll too");
	ok(ts.tv_sec >= 900 && ts.tv_sec < 1000, "and says how much is left");
	wait_status(pid);
	FD_ZERO(&in);
	FD_SET(p[0], &in);
	pid = start_kick(SIGUSR1, 1);
	fails(syscall(SYS_select, p[0] + 1, &in, NULL, NULL, &tv), EINTR, "select too");
	ok(tv.tv_sec >= 900 && tv.tv_sec < 1000, "and says how much is left");
	ok(FD_ISSET(p[0], &in), "its sets are as they were");
	wait_status(pid);
	is(caught, 3, "three signals were caught");

	/* A signal that no handler is called for: the call goes on, to the same end. */
	pid = start_kick(SIGCONT, 1);
	is(poll(&pfd, 1, 60), 0, "SIGCONT doesn't end poll");
	wait_status(pid);

	/* Masks for the time of the call. */
	sigemptyset(&none);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	catch_signal(SIGUSR1, 0);
	kill(getpid(), SIGUSR1);
	is(caught, 0, "blocked, a signal waits");
	is(poll(&pfd, 1, 0), 0, "poll doesn't mind it");
	is(caught, 0, "and leaves it waiting");
	fails(syscall(SYS_ppoll, &pfd, 1, NULL, &raw, 8), EINTR, "ppoll lets it in: EINTR");
	is(caught, 1, "its handler has run");
	sigprocmask(SIG_BLOCK, NULL, &none);
	ok(sigismember(&none, SIGUSR1), "afterwards it is blocked again");
	kill(getpid(), SIGUSR1);
	write(p[1], "x", 1);
	is(syscall(SYS_ppoll, &pfd, 1, NULL, &raw, 8), 1, "something is there: that counts more");
	is(caught, 1, "and the signal still waits");
	sigprocmask(SIG_UNBLOCK, &usr1, NULL);
	is(caught, 2, "until it is unblocked");
	close(p[0]), close(p[1]);
}

static const struct mode modes[] = { { "feed", feed_mode }, { "kick", kick_mode }, { NULL, NULL } };

int main(int argc, char **argv)
{
	int before;

	tap_start(argc, argv, modes);
	before = count_fds();
	kinds();
	many();
	errors();
	select_errors();
	limits();
	waking();
	signals();
	is(count_fds(), before, "no descriptor is left open");
	return done_testing();
}
