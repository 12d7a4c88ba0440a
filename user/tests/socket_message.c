/* SPDX-License-Identifier: MIT */
/* Datagrams and SOCK_SEQPACKET: each message for itself; and the calls that move several parts. */
#include "sockets.h"
#include "transfers.h"

static char buf[1 << 19], got[1 << 19];

static void messages(int type, const char *name)
{
	bool dgram = type == SOCK_DGRAM;
	struct iovec out[3] = { { "one", 3 }, { NULL, 0 }, { "three", 5 } };
	int sv[2], n;

	make_pair(sv, type);
	is(ioctl(sv[0], FIONREAD, &n) | n, 0, "%s: FIONREAD of an empty one: 0", name);
	is(read(sv[0], got, 0), 0, "read of nothing: 0");
	fails(recv(sv[0], got, 0, MSG_DONTWAIT), EAGAIN, "recv of nothing: EAGAIN");
	is(write(sv[1], "first", 5), 5, "a message of 5");
	is(write(sv[1], "second!", 7), 7, "and of 7");
	is(ioctl(sv[0], FIONREAD, &n), 0, "FIONREAD");
	is(n, dgram ? 5 : 12, "sees the first of datagrams, all of a sequence");
	is(ioctl(sv[1], TIOCOUTQ, &n) | n, 2 * 768, "TIOCOUTQ both");
	is(recv(sv[0], got, 100, MSG_PEEK), 5, "MSG_PEEK sees one");
	is(recv(sv[0], got, 2, MSG_PEEK | MSG_TRUNC), 5, "with MSG_TRUNC its length");
	is(recv(sv[0], got, 100, 0), 5, "recv: one");
	is(recv(sv[0], got, 2, 0), 2, "two bytes of the next");
	fails(recv(sv[0], got, 100, MSG_DONTWAIT), EAGAIN, "the rest is lost");
	write(sv[1], "third", 5);
	is(recv(sv[0], got, 2, MSG_TRUNC), 5, "MSG_TRUNC tells what was cut");
	write(sv[1], "fourth", 6);
	is(recv(sv[0], got, 0, 0), 0, "recv of nothing takes one");
	fails(recv(sv[0], got, 100, MSG_DONTWAIT), EAGAIN, "away");
	is(writev(sv[1], out, 3), 8, "writev: one message");
	is(recv(sv[0], got, 100, MSG_WAITALL), 8, "MSG_WAITALL doesn't wait for another");
	is(write(sv[1], buf, 0), 0, "a message of nothing");
	is(recv(sv[0], got, 100, MSG_DONTWAIT), 0, "is one");
	is(writev(sv[1], out + 1, 1), 0, "writev of nothing");
	fails(recv(sv[0], got, 100, MSG_DONTWAIT), EAGAIN, "is none");
	/* What can't be delivered is lost. */
	write(sv[1], "lost", 4);
	fails(recv(sv[0], (void *)1, 4, 0), EFAULT, "recv to a bad address: EFAULT");
	fails(send(sv[1], (void *)1, 4, 0), EFAULT, "send from one: EFAULT");
	fails(recv(sv[0], got, 10, MSG_DONTWAIT), EAGAIN, "nothing is left");
	write(sv[1], "kept", 4);
	fails(recv(sv[0], (void *)1, 4, MSG_PEEK), EFAULT, "with MSG_PEEK: EFAULT");
	is(recv(sv[0], got, 10, 0), 4, "it is left");
	is(ioctl(sv[1], TIOCOUTQ, &n) | n, 0, "nothing is charged");
	fails(recv(sv[0], got, 10, MSG_OOB), EOPNOTSUPP, "MSG_OOB: EOPNOTSUPP");
	fails(send(sv[0], got, 10, MSG_OOB), EOPNOTSUPP, "to send, too");
	fails(read(sv[0], (void *)(1UL << 63), 1), EFAULT, "read to an address that is none");
	close_pair(sv);
}

static void limits(int type, const char *name)
{
	static const struct {
		int size, fit, charge;
	} cases[] = {
		{ 1, 278, 768 },
		{ 4096, 106496, 8448 },
		{ 16064, 208832, 16640 },
		{ 16065, 176715, 20736 },
		{ 50000, 200000, 53504 },
		{ 100000, 300000, 102656 },
		{ 130000, 260000, 135424 },
		{ 200000, 400000, 200960 },
		{ 212960, 212960, 332032 },
	};
	int sv[2];

	for (size_t i = 0; i < COUNT(cases); i++) {
		long total = 0, ret;
		int charge = -1;

		make_pair(sv, type);
		while ((ret = send(sv[0], buf, cases[i].size, MSG_DONTWAIT)) > 0) {
			total += ret;
			if (charge < 0)
				ioctl(sv[0], TIOCOUTQ, &charge);
		}
		is(ret < 0 ? -errno : ret, -EAGAIN, "%s, %d bytes: in the end EAGAIN", name,
		   cases[i].size);
		is(total, cases[i].fit, "what fits");
		is(charge, cases[i].charge, "what the first is charged with");
		is(recv(sv[1], got, sizeof(got), 0), cases[i].size, "they come in one piece");
		close_pair(sv);
	}
	make_pair(sv, type);
	fails(send(sv[0], buf, 212961, 0), EMSGSIZE, "212961: EMSGSIZE");
	fails(send(sv[0], (void *)1, 212961, 0), EMSGSIZE, "before it is looked at");
	close_pair(sv);
}

static void endings(int type, const char *name)
{
	const int out = POLLOUT | POLLWRNORM | POLLWRBAND, in = POLLIN | POLLRDNORM;
	bool dgram = type == SOCK_DGRAM;
	int sv[2];

	catch_signal(SIGPIPE, 0);
	make_pair(sv, type);
	is(poll_now(sv[0]), out, "%s, empty: ready for writing", name);
	write(sv[1], "last", 4);
	is(poll_now(sv[0]), in | out, "with a message: for both");
	close(sv[1]);
	is(poll_now(sv[0]), dgram ? in | out : in | out | POLLHUP | POLLRDHUP,
	   "the other is closed");
	is(recv(sv[0], got, 10, MSG_DONTWAIT), 4, "what it wrote can be read");
	if (dgram)
		fails(recv(sv[0], got, 10, MSG_DONTWAIT), EAGAIN, "then: EAGAIN");
	else
		is(recv(sv[0], got, 10, MSG_DONTWAIT), 0, "then: the end");
	fails(write(sv[0], "x", 1), dgram ? ECONNREFUSED : EPIPE, "write: refused, or EPIPE");
	fails(write(sv[0], "x", 1), dgram ? ENOTCONN : EPIPE, "again: ENOTCONN, or EPIPE");
	is(caught, 0, "without SIGPIPE");
	is(poll_now(sv[0]), dgram ? out : in | out | POLLHUP | POLLRDHUP, "poll");
	close(sv[0]);

	make_pair(sv, type);
	write(sv[1], "last", 4);
	close(sv[1]);
	fails(write(sv[0], "x", 1), dgram ? ECONNREFUSED : EPIPE,
	      "the other is closed, and a write");
	if (dgram)
		fails(recv(sv[0], got, 10, MSG_DONTWAIT), EAGAIN, "takes away what it sent");
	else
		is(recv(sv[0], got, 10, MSG_DONTWAIT), 4, "changes nothing to what it sent");
	close(sv[0]);

	make_pair(sv, type);
	write(sv[0], "unread", 6);
	close(sv[1]);
	is(poll_now(sv[0]), dgram ? out : in | out | POLLHUP | POLLRDHUP | POLLERR,
	   "closed with something unread");
	if (dgram) {
		fails(write(sv[0], "x", 1), ECONNREFUSED, "write: ECONNREFUSED");
	} else {
		fails(write(sv[0], "x", 1), ECONNRESET, "write: ECONNRESET");
		fails(write(sv[0], "x", 1), EPIPE, "then EPIPE");
	}
	close(sv[0]);

	make_pair(sv, type);
	write(sv[0], "before", 6);
	is(shutdown(sv[0], SHUT_WR), 0, "SHUT_WR");
	fails(write(sv[0], "x", 1), EPIPE, "write here: EPIPE");
	is(recv(sv[1], got, 10, 0), 6, "there what came before");
	if (dgram)
		fails(recv(sv[1], got, 10, MSG_DONTWAIT), EAGAIN, "and no end");
	else
		is(recv(sv[1], got, 10, 0), 0, "and the end");
	is(write(sv[1], "answer", 6), 6, "the other way goes on");
	is(recv(sv[0], got, 10, 0), 6, "to here");
	is(shutdown(sv[0], SHUT_RD), 0, "SHUT_RD");
	is(recv(sv[0], got, 10, 0), 0, "recv: the end");
	if (dgram)
		fails(recv(sv[0], got, 10, MSG_DONTWAIT), EAGAIN, "with MSG_DONTWAIT: EAGAIN");
	else
		is(recv(sv[0], got, 10, MSG_DONTWAIT), 0, "also with MSG_DONTWAIT");
	fails(write(sv[1], "x", 1), EPIPE, "write there: EPIPE");
	is(poll_now(sv[0]), in | out | POLLHUP | POLLRDHUP, "poll here");
	is(poll_now(sv[1]), dgram ? out : in | out | POLLHUP | POLLRDHUP, "and there");
	is(caught, 0, "SIGPIPE never came");
	close_pair(sv);
	signal(SIGPIPE, SIG_DFL);
}

/* --- headers ------------------------------------------------------------------------------- */

static void headers(void)
{
	struct iovec iov[2] = { { "ab", 2 }, { "cde", 3 } };
	struct iovec in[2] = { { got, 1 }, { got + 100, 2 } };
	struct iovec huge = { buf, 1UL << 63 }, far = { (void *)(1UL << 63), 1 };
	struct sockaddr_un name;
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2, .msg_flags = -1 };
	int sv[2];

	make_pair(sv, SOCK_DGRAM);
	is(sendmsg(sv[0], &m, 0), 5, "sendmsg of two parts");
	m = (struct msghdr){ .msg_iov = in, .msg_iovlen = 2, .msg_flags = -1 };
	m.msg_name = &name, m.msg_namelen = sizeof(name);
	is(recvmsg(sv[1], &m, 0), 3, "recvmsg of two parts, too small");
	is(m.msg_flags, MSG_TRUNC, "says so");
	is(m.msg_namelen, 0, "and that who sent it has no name");
	ok(got[0] == 'a' && got[100] == 'b' && got[101] == 'c', "the bytes are where they belong");
	send(sv[0], "x", 1, 0);
	m = (struct msghdr){ .msg_iov = in, .msg_iovlen = 1, .msg_flags = -1 };
	is(recvmsg(sv[1], &m, MSG_CMSG_CLOEXEC), 1, "recvmsg with MSG_CMSG_CLOEXEC");
	is(m.msg_flags, MSG_CMSG_CLOEXEC, "which comes back");
	send(sv[0], "xyz", 3, 0);
	m = (struct msghdr){ .msg_iov = in, .msg_iovlen = 1 };
	is(recvmsg(sv[1], &m, MSG_TRUNC), 3, "with MSG_TRUNC the length");
	is(m.msg_flags, MSG_TRUNC, "and the flag");
	m = (struct msghdr){ .msg_iov = NULL, .msg_iovlen = 0 };
	is(sendmsg(sv[0], &m, 0), 0, "sendmsg of no parts");
	is(recvmsg(sv[1], &m, MSG_DONTWAIT), 0, "is a message of nothing");
	m.msg_iovlen = 1025;
	fails(sendmsg(sv[0], &m, 0), EMSGSIZE, "1025 parts: EMSGSIZE");
	m.msg_iovlen = 1;
	fails(sendmsg(sv[0], &m, 0), EFAULT, "one at NULL: EFAULT");
	m = (struct msghdr){ .msg_iov = &huge, .msg_iovlen = 1 };
	fails(sendmsg(sv[0], &m, 0), EINVAL, "one longer than there can be: EINVAL");
	m.msg_iov = &far;
	fails(sendmsg(sv[0], &m, 0), EFAULT, "one elsewhere: EFAULT");
	fails(syscall(SYS_sendmsg, sv[0], 1, 0), EFAULT, "header at 1: EFAULT");
	fails(syscall(SYS_recvmsg, sv[0], 1, 0), EFAULT, "to receive, too");
	m = (struct msghdr){ .msg_iov = iov, .msg_iovlen = 1 };
	m.msg_name = &name, m.msg_namelen = -1;
	fails(sendmsg(sv[0], &m, 0), EINVAL, "a name of length -1: EINVAL");
	fails(recvmsg(sv[0], &m, MSG_DONTWAIT), EINVAL, "to receive, too");
	m.msg_name = NULL;
	is(sendmsg(sv[0], &m, 0), 2, "no name, whatever its length");
	m.msg_name = (void *)1, m.msg_namelen = 10;
	fails(sendmsg(sv[0], &m, 0), EFAULT, "a name at 1: EFAULT");
	recv(sv[1], got, 10, 0);
	close_pair(sv);
	make_pair(sv, SOCK_STREAM);
	name.sun_family = AF_UNIX;
	strcpy(name.sun_path, "/nowhere");
	fails(sendto(sv[0], "x", 1, 0, (void *)&name, sizeof(name)), EISCONN,
	      "sendto of a stream: EISCONN");
	fails(sendto(sv[0], "x", 1, 0, (void *)&name, 200), EINVAL,
	      "with a name of 200 bytes: EINVAL");
	fails(sendto(sv[0], "x", 1, 0, (void *)1, 10), EFAULT, "with one at 1: EFAULT");
	is(sendto(sv[0], "x", 1, 0, (void *)&name, 0), 1, "with one of nothing: as send");
	is(sendto(sv[0], "x", 1, 0, NULL, 17), 1, "with none, too");
	close_pair(sv);
	make_pair(sv, SOCK_SEQPACKET);
	is(sendto(sv[0], "x", 1, 0, (void *)&name, sizeof(name)), 1,
	   "of a sequence it isn't looked at");
	close_pair(sv);
}

/* Where a datagram is to go: nobody is found, and the other end gets nothing. */
static void addresses(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct sockaddr *to = (struct sockaddr *)&a;
	struct iovec iov = { "x", 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_name = &a };
	char socket[sizeof(a.sun_path)];
	int sv[2];

	make_dir("socket_message");
	make_pair(sv, SOCK_DGRAM);
	strcpy(a.sun_path, "/nowhere");
	fails(sendto(sv[0], "x", 1, 0, to, sizeof(a)), ENOENT, "no such file: ENOENT");
	m.msg_namelen = sizeof(a);
	fails(sendmsg(sv[0], &m, 0), ENOENT, "by sendmsg, too");
	m.msg_namelen = 200;
	fails(sendmsg(sv[0], &m, 0), EINVAL, "with a name too long: EINVAL");
	fails(sendto(sv[0], "x", 1, 0, to, 2), EINVAL, "a family alone: EINVAL");
	fails(sendto(sv[0], "x", 1, 0, to, 1), EINVAL, "half of one: EINVAL");
	fails(sendto(sv[0], "x", 1, 0, to, 111), EINVAL, "111 bytes: EINVAL");
	fails(sendto(sv[0], "x", 1, 0, to, 5), ENOENT, "\"/no\": ENOENT");
	fails(sendto(sv[0], buf, 212961, 0, to, sizeof(a)), EMSGSIZE,
	      "the size is looked at first");
	fails(sendto(sv[0], buf, 212961, 0, to, 2), EINVAL, "but not before the address");
	fails(sendto(sv[0], (void *)1, 1, 0, to, sizeof(a)), EFAULT, "the bytes, too: EFAULT");
	fails(sendto(sv[0], "x", 1, MSG_OOB, to, 2), EOPNOTSUPP, "MSG_OOB comes before all");
	strcpy(a.sun_path, "/proc/self/stat/x");
	fails(sendto(sv[0], "x", 1, 0, to, sizeof(a)), ENOTDIR, "below a file: ENOTDIR");
	strcpy(a.sun_path, "/proc");
	fails(sendto(sv[0], "x", 1, 0, to, sizeof(a)), geteuid() ? EACCES : ECONNREFUSED,
	      "a directory: EACCES, or ECONNREFUSED");
	snprintf(socket, sizeof(socket), "%s", in_dir("socket"));
	is(mknod(socket, S_IFSOCK | 0666, 0), 0, "mknod of a socket");
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", socket);
	fails(sendto(sv[0], "x", 1, 0, to, sizeof(a)), ECONNREFUSED, "is nobody's: ECONNREFUSED");
	chmod(socket, 0444);
	fails(sendto(sv[0], "x", 1, 0, to, sizeof(a)), geteuid() ? EACCES : ECONNREFUSED,
	      "without the right to write: EACCES");
	unlink(socket);
	memset(a.sun_path, 0, sizeof(a.sun_path));
	fails(sendto(sv[0], "x", 1, 0, to, sizeof(a)), ECONNREFUSED,
	      "an abstract one: ECONNREFUSED");
	a.sun_family = 2;
	fails(sendto(sv[0], "x", 1, 0, to, sizeof(a)), EINVAL, "another family: EINVAL");
	fails(recv(sv[1], got, 1, MSG_DONTWAIT), EAGAIN, "nothing was sent");
	close_pair(sv);
	clean_dir((const char *const[]){ NULL });
}

static void names(void)
{
	struct sockaddr_un name;
	socklen_t len = sizeof(name);
	int sv[2];

	make_pair(sv, SOCK_STREAM);
	write(sv[1], "abcdef", 6);
	is(recvfrom(sv[0], got, 1, 0, (void *)&name, &len), 1, "recvfrom");
	is(len, 0, "says that who sent it has no name");
	len = -1;
	fails(recvfrom(sv[0], got, 1, 0, (void *)&name, &len), EINVAL,
	      "with a length of -1: EINVAL");
	is(read(sv[0], got, 1) | got[0], 1 | 'c', "and the byte is gone");
	is(syscall(SYS_recvfrom, sv[0], got, 1, 0, NULL, 1), 1,
	   "without a name the length isn't looked at");
	fails(syscall(SYS_recvfrom, sv[0], got, 1, 0, &name, 1), EFAULT, "with one it is: EFAULT");
	close_pair(sv);
}

static void several(void)
{
	struct iovec iov[4] = { { "1", 1 }, { "22", 2 }, { "333", 3 }, { (void *)1, 4 } };
	struct iovec in[4] = { { got, 1 }, { got + 1, 2 }, { got + 3, 9 }, { got + 20, 9 } };
	struct mmsghdr m[4];
	struct timespec ts = { 0, 0 }, bad = { 0, -1 };
	int sv[2];

	make_pair(sv, SOCK_DGRAM);
	memset(m, 0, sizeof(m));
	for (int i = 0; i < 4; i++)
		m[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
	is(syscall(SYS_sendmmsg, sv[0], m, 3, 0), 3, "sendmmsg of three");
	ok(m[0].msg_len == 1 && m[1].msg_len == 2 && m[2].msg_len == 3, "and their lengths");
	is(syscall(SYS_sendmmsg, sv[0], m + 2, 2, 0), 1, "of two, one of them bad: 1");
	fails(syscall(SYS_sendmmsg, sv[0], m + 3, 1, 0), EFAULT, "of the bad one: EFAULT");
	is(syscall(SYS_sendmmsg, sv[0], m, 0, 0), 0, "of none: 0");
	fails(syscall(SYS_sendmmsg, sv[0], (void *)1, 1, 0), EFAULT, "at 1: EFAULT");
	fails(syscall(SYS_sendmmsg, -1, (void *)1, 1, 0), EBADF, "to -1: EBADF");
	for (int i = 0; i < 4; i++)
		m[i].msg_hdr = (struct msghdr){ .msg_iov = &in[i], .msg_iovlen = 1 };
	is(syscall(SYS_recvmmsg, sv[1], m, 2, 0, NULL), 2, "recvmmsg of two");
	ok(m[0].msg_len == 1 && m[1].msg_len == 2, "and their lengths");
	is(syscall(SYS_recvmmsg, sv[1], m, 4, MSG_DONTWAIT, NULL), 2, "of those that are there");
	fails(syscall(SYS_recvmmsg, sv[1], m, 4, MSG_DONTWAIT, NULL), EAGAIN, "of none: EAGAIN");
	send(sv[0], "x", 1, 0);
	is(syscall(SYS_recvmmsg, sv[1], m, 4, MSG_WAITFORONE, NULL), 1,
	   "MSG_WAITFORONE: of what is there");
	send(sv[0], "x", 1, 0), send(sv[0], "y", 1, 0);
	is(syscall(SYS_recvmmsg, sv[1], m, 4, 0, &ts), 1, "no time: one");
	is(recv(sv[1], got, 1, MSG_DONTWAIT), 1, "the other is left");
	fails(syscall(SYS_recvmmsg, sv[1], m, 4, 0, &bad), EINVAL, "a time that is none: EINVAL");
	fails(syscall(SYS_recvmmsg, sv[1], m, 4, 0, 1), EFAULT, "at 1: EFAULT");
	fails(syscall(SYS_recvmmsg, -1, m, 4, 0, &bad), EINVAL,
	      "before the descriptor is looked at");
	close_pair(sv);
}

/* What doesn't fit of one message ends the call: the next one mustn't come before it. */
static void partly(void)
{
	struct iovec iov[2] = { { buf, 300000 }, { buf, 0 } };
	struct mmsghdr m[2] = { { .msg_hdr = { .msg_iov = &iov[0], .msg_iovlen = 1 } },
				{ .msg_hdr = { .msg_iov = &iov[1], .msg_iovlen = 1 } } };
	int sv[2];

	make_pair(sv, SOCK_STREAM);
	is(syscall(SYS_sendmmsg, sv[0], m, 2, MSG_DONTWAIT), 1, "sendmmsg of what doesn't fit: 1");
	is(m[0].msg_len, 219264, "as much as fits");
	close_pair(sv);
}

/* The time is told at the end, when all has been received. */
static void read_only_time(void)
{
	struct iovec in[2] = { { got, 1 }, { got + 1, 1 } };
	struct mmsghdr m[2] = { { .msg_hdr = { .msg_iov = &in[0], .msg_iovlen = 1 } },
				{ .msg_hdr = { .msg_iov = &in[1], .msg_iovlen = 1 } } };
	struct timespec *ts =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int sv[2];

	make_pair(sv, SOCK_DGRAM);
	ts->tv_sec = 100;
	send(sv[0], "x", 1, 0), send(sv[0], "y", 1, 0);
	is(syscall(SYS_recvmmsg, sv[1], m, 2, 0, ts), 2, "recvmmsg of two, in 100 s");
	ok(ts->tv_sec >= 0 && ts->tv_sec < 100, "tells what is left");
	ts->tv_sec = 100;
	mprotect(ts, PAGE, PROT_READ);
	send(sv[0], "x", 1, 0), send(sv[0], "y", 1, 0);
	fails(syscall(SYS_recvmmsg, sv[1], m, 2, 0, ts), EFAULT, "where it can't: EFAULT");
	fails(recv(sv[1], got, 1, MSG_DONTWAIT), EAGAIN, "after both had come");
	munmap(ts, PAGE);
	close_pair(sv);
}

/* --- with another process ------------------------------------------------------------------ */

/* argv[2]: descriptor to read from, once the parent sleeps; argv[3]: how many messages. */
static int take_mode(int argc, char **argv)
{
	(void)argc;
	wait_until_asleep(getppid());
	for (int left = atoi(argv[3]); left > 0; left--)
		if (read(atoi(argv[2]), buf, sizeof(buf)) < 0)
			return 1;
	return 0;
}

static void sleeping(int type, const char *name)
{
	struct timeval tv = { 0, 20000 };
	int sv[2], sum = 0;
	pid_t pid;

	make_pair(sv, type);
	pid = start_at("write", sv[1], "hello");
	is(read(sv[0], got, 100), 5, "%s: a read waits for a message", name);
	wait_status(pid);
	catch_signal(SIGUSR1, 0);
	pid = start_kick(SIGUSR1, 1);
	fails(read(sv[0], got, 1), EINTR, "or for a signal");
	wait_status(pid);
	signal(SIGUSR1, SIG_DFL);
	setsockopt(sv[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	fails(read(sv[0], got, 1), EAGAIN, "with SO_RCVTIMEO for a while");
	pid = start_at("take", sv[1], "20");
	for (int i = 0; i < 20; i++)
		sum += write(sv[0], buf, 50000) == 50000;
	is(sum, 20, "a write waits for room");
	is(wait_status(pid), 0, "the reader got all");
	close_pair(sv);
}

static const struct mode modes[] = {
	{ "write", write_mode }, { "take", take_mode }, { "kick", kick_mode }, { NULL, NULL }
};

int main(int argc, char **argv)
{
	int before;

	tap_start(argc, argv, modes);
	before = count_fds();
	for (size_t i = 1; i < COUNT(kinds); i++) {
		messages(kinds[i].type, kinds[i].name);
		limits(kinds[i].type, kinds[i].name);
		endings(kinds[i].type, kinds[i].name);
		sleeping(kinds[i].type, kinds[i].name);
	}
	headers();
	addresses();
	names();
	several();
	partly();
	read_only_time();
	is(count_fds(), before, "no descriptor is left open");
	return done_testing();
}
