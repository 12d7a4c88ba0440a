/* SPDX-License-Identifier: MIT */
/* Descriptors and credentials in messages, and sockets that only messages hold. */
#include "files.h"
#include "sockets.h"

static char got[256];

/* A new descriptor of a file with these bytes. */
static int text_file(const char *text)
{
	int p[2];

	pipe(p);
	write(p[1], text, strlen(text));
	close(p[1]);
	return p[0];
}

static void passing(int type, const char *name)
{
	int sv[2], fds[4], flags, before = count_fds();
	unsigned int nr = 4;

	make_pair(sv, type);
	fds[0] = text_file("first");
	fds[1] = text_file("second");
	is(send_fds(sv[0], "x", 1, fds, 2, 0), 1, "%s: two descriptors", name);
	close(fds[0]), close(fds[1]);
	is(recv_fds(sv[1], got, 10, fds, &nr, 0, &flags), 1, "come with a byte");
	is(nr, 2, "both");
	is(flags, 0, "nothing is cut");
	is(fcntl(fds[0], F_GETFD) | fcntl(fds[1], F_GETFD), 0, "they stay open at exec");
	is(read(fds[0], got, 10), 5, "the first one");
	is(read(fds[1], got, 10), 6, "and the second");
	is(send_fds(sv[0], "x", 1, fds, 2, 0), 1, "sent again");
	close(fds[0]), close(fds[1]);
	nr = 1;
	is(recv_fds(sv[1], got, 10, fds, &nr, MSG_CMSG_CLOEXEC, &flags), 1, "room for one");
	is(nr, 1, "one came");
	is(flags, MSG_CTRUNC | MSG_CMSG_CLOEXEC, "MSG_CTRUNC");
	is(fcntl(fds[0], F_GETFD), FD_CLOEXEC, "to be closed at exec");
	is(send_fds(sv[0], "x", 1, fds, 1, 0), 1, "sent again");
	nr = 0;
	is(recv_fds(sv[1], got, 10, fds, &nr, 0, &flags), 1, "no room for any");
	is(flags, MSG_CTRUNC, "MSG_CTRUNC");
	is(send_fds(sv[0], "x", 1, fds, 1, 0), 1, "sent again");
	is(read(sv[1], got, 10), 1, "and read by read: it is lost");
	is(send_fds(sv[0], "x", 1, fds, 1, 0), 1, "sent again");
	close(fds[0]);
	for (int i = 0; i < 3; i++) {
		nr = 4;
		is(recv_fds(sv[1], got, 10, fds, &nr, i < 2 ? MSG_PEEK : 0, NULL), 1,
		   "seen with MSG_PEEK twice, then taken");
		is(nr, 1, "it is there");
		close(fds[0]);
	}
	close_pair(sv);
	is(count_fds(), before, "as many descriptors as before");
}

static void streams(void)
{
	int sv[2], fd = text_file("text"), fds[4];
	unsigned int nr = 4;

	make_pair(sv, SOCK_STREAM);
	send_fds(sv[0], "abc", 3, &fd, 1, 0);
	write(sv[0], "def", 3);
	send_fds(sv[0], "ghi", 3, &fd, 1, 0);
	is(recv_fds(sv[1], got, 2, fds, &nr, MSG_PEEK, NULL), 2, "with the first byte of its part");
	is(nr, 1, "it is seen");
	close(fds[0]);
	nr = 4;
	is(recv_fds(sv[1], got, 2, fds, &nr, 0, NULL), 2, "or taken");
	is(nr, 1, "it came");
	close(fds[0]);
	nr = 4;
	is(recv_fds(sv[1], got, 100, fds, &nr, 0, NULL), 7,
	   "a read goes on up to the next with descriptors");
	is(nr, 1, "which came");
	close(fds[0]);
	send_fds(sv[0], "abc", 3, &fd, 1, 0);
	write(sv[0], "def", 3);
	nr = 4;
	is(recv_fds(sv[1], got, 100, fds, &nr, 0, NULL), 3, "and no further");
	is(nr, 1, "with it");
	close(fds[0]);
	nr = 4;
	is(recv_fds(sv[1], got, 100, fds, &nr, 0, NULL), 3, "then the rest");
	is(nr, 0, "without");
	is(send_fds(sv[0], "", 0, &fd, 1, 0), 0, "a descriptor without a byte");
	fails(recv(sv[1], got, 1, MSG_DONTWAIT), EAGAIN, "doesn't come at all");
	close(fd);
	close_pair(sv);
}

/* A control buffer as it is: one header with that length, type and level, and some bytes. */
static long send_control(int sock, size_t controllen, size_t len, int level, int type,
			 const void *data, size_t size)
{
	union {
		char room[512];
		struct cmsghdr head;
	} u;
	struct iovec iov = { "x", 1 };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = controllen
	};

	memset(&u, 0, sizeof(u));
	u.head.cmsg_len = len;
	u.head.cmsg_level = level;
	u.head.cmsg_type = type;
	if (size)
		memcpy(CMSG_DATA(&u.head), data, size);
	return syscall(SYS_sendmsg, sock, &m, MSG_DONTWAIT);
}

static void refusals(void)
{
	static char large[20480];
	struct iovec iov = { "x", 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	int sv[2], many[254], fd, bad[2] = { 0, 999 }, before;

	make_pair(sv, SOCK_DGRAM);
	fd = text_file("text");
	before = count_fds();
	for (size_t i = 0; i < COUNT(many); i++)
		many[i] = fd;
	fails(send_fds(sv[0], "x", 1, many, 254, MSG_DONTWAIT), EINVAL, "254 descriptors: EINVAL");
	is(send_fds(sv[0], "x", 1, many, 253, MSG_DONTWAIT), 1, "253 may be");
	recv(sv[1], got, 10, 0);
	fails(send_fds(sv[0], "x", 1, bad, 2, 0), EBADF, "one that isn't open: EBADF");
	bad[1] = -1;
	fails(send_fds(sv[0], "x", 1, bad, 2, 0), EBADF, "-1: EBADF");
	fails(send_control(sv[0], 24, 15, SOL_SOCKET, SCM_RIGHTS, &fd, 4), EINVAL,
	      "a header too short");
	fails(send_control(sv[0], 24, 25, SOL_SOCKET, SCM_RIGHTS, &fd, 4), EINVAL,
	      "longer than there is");
	fails(send_control(sv[0], 24, 0, SOL_SOCKET, SCM_RIGHTS, &fd, 4), EINVAL, "of length 0");
	is(send_control(sv[0], 24, 16, SOL_SOCKET, SCM_RIGHTS, &fd, 4), 1, "with no descriptor");
	is(send_control(sv[0], 24, 19, SOL_SOCKET, SCM_RIGHTS, &fd, 4), 1,
	   "with three quarters of one");
	is(send_control(sv[0], 15, 16, SOL_SOCKET, SCM_RIGHTS, &fd, 4), 1,
	   "no room for a header: none");
	is(send_control(sv[0], 24, 20, 0, SCM_RIGHTS, &fd, 4), 1, "of another level: nothing");
	fails(send_control(sv[0], 24, 20, SOL_SOCKET, 77, &fd, 4), EINVAL,
	      "of another type: EINVAL");
	fails(send_control(sv[0], 24, 20, SOL_SOCKET, SCM_CREDENTIALS, &fd, 4), EINVAL,
	      "half of one's credentials: EINVAL");
	for (int i = 0; i < 4; i++)
		recv(sv[1], got, 10, MSG_DONTWAIT);
	m.msg_control = (void *)1, m.msg_controllen = 24;
	fails(syscall(SYS_sendmsg, sv[0], &m, 0), EFAULT, "control at 1: EFAULT");
	m.msg_control = large, m.msg_controllen = sizeof(large);
	fails(syscall(SYS_sendmsg, sv[0], &m, 0), ENOBUFS, "20480 bytes of it: ENOBUFS");
	((uint64_t *)&m)[5] = 1UL << 40;
	fails(syscall(SYS_sendmsg, sv[0], &m, 0), ENOBUFS, "a TiB of it: ENOBUFS");
	fails(recv(sv[1], got, 10, MSG_DONTWAIT), EAGAIN, "none of these was sent");
	is(count_fds(), before, "as many descriptors as before");
	close(fd);
	close_pair(sv);
}

/* What can't be given to the program is lost, and the message comes all the same. */
static void undelivered(void)
{
	struct rlimit old, few;
	struct iovec iov = { got, 10 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	int sv[2], fds[4], before, flags;
	unsigned int nr = 4;

	make_pair(sv, SOCK_DGRAM);
	fds[0] = fds[1] = fds[2] = text_file("text");
	send_fds(sv[0], "x", 1, fds, 3, 0);
	send_fds(sv[0], "x", 1, fds, 3, 0);
	close(fds[0]);
	before = count_fds();
	getrlimit(RLIMIT_NOFILE, &old);
	few = old;
	few.rlim_cur = before + 2;
	setrlimit(RLIMIT_NOFILE, &few);
	is(recv_fds(sv[1], got, 10, fds, &nr, 0, &flags), 1, "numbers for two of three");
	setrlimit(RLIMIT_NOFILE, &old);
	is(nr, 2, "two came");
	is(flags, MSG_CTRUNC, "MSG_CTRUNC");
	close(fds[0]), close(fds[1]);
	m.msg_control = (void *)1, m.msg_controllen = 100;
	is(syscall(SYS_recvmsg, sv[1], &m, 0), 1, "room at 1: the message comes");
	is(m.msg_flags, MSG_CTRUNC, "MSG_CTRUNC");
	is(m.msg_controllen, 0, "nothing beside");
	is(count_fds(), before, "no descriptor was made");
	close_pair(sv);
}

/* --- credentials --------------------------------------------------------------------------- */

static ssize_t recv_cred(int sock, struct ucred *cred, size_t room, int *flags)
{
	union {
		char room[CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr head;
	} u;
	struct iovec iov = { got, 10 };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = room
	};
	ssize_t n;

	memset(&u, 0, sizeof(u));
	memset(cred, 0xee, sizeof(*cred));
	n = recvmsg(sock, &m, MSG_DONTWAIT);
	*flags = m.msg_flags;
	if (m.msg_controllen >= sizeof(u.head) && u.head.cmsg_type == SCM_CREDENTIALS)
		memcpy(cred, CMSG_DATA(&u.head), sizeof(*cred));
	return n < 0 ? n : (ssize_t)m.msg_controllen;
}

static bool is_me(const struct ucred *c)
{
	return c->pid == getpid() && c->uid == getuid() && c->gid == getgid();
}

static void credentials(void)
{
	struct ucred cred = { getpid(), getuid(), getgid() };
	int sv[2], flags, on = 1;

	make_pair(sv, SOCK_DGRAM);
	write(sv[0], "before", 6);
	setsockopt(sv[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	is(recv_cred(sv[1], &cred, 32, &flags), 32, "SO_PASSCRED after the message was sent");
	ok(cred.pid == 0 && cred.uid == 65534 && cred.gid == 65534, "nobody sent it");
	write(sv[0], "x", 1);
	is(recv_cred(sv[1], &cred, 32, &flags), 32, "before it was sent");
	ok(is_me(&cred), "I sent it");
	is(flags, 0, "nothing is cut");
	write(sv[0], "x", 1);
	is(recv_cred(sv[1], &cred, 24, &flags), 24, "room for a part");
	is(flags, MSG_CTRUNC, "MSG_CTRUNC");
	write(sv[0], "x", 1);
	is(recv_cred(sv[1], &cred, 8, &flags), 0, "no room");
	is(flags, MSG_CTRUNC, "MSG_CTRUNC");
	cred = (struct ucred){ getpid(), getuid(), getgid() };
	is(send_control(sv[0], 32, 28, SOL_SOCKET, SCM_CREDENTIALS, &cred, 12), 1,
	   "said by oneself");
	recv_cred(sv[1], &cred, 32, &flags);
	ok(is_me(&cred), "comes, too");
	cred = (struct ucred){ getpid(), -1, getgid() };
	fails(send_control(sv[0], 32, 28, SOL_SOCKET, SCM_CREDENTIALS, &cred, 12), EINVAL,
	      "user -1: EINVAL");
	cred = (struct ucred){ 4000000, getuid(), getgid() };
	fails(send_control(sv[0], 32, 28, SOL_SOCKET, SCM_CREDENTIALS, &cred, 12),
	      geteuid() ? EPERM : ESRCH, "a process that doesn't exist");
	cred = (struct ucred){ getpid(), 12345, getgid() };
	if (geteuid()) {
		fails(send_control(sv[0], 32, 28, SOL_SOCKET, SCM_CREDENTIALS, &cred, 12), EPERM,
		      "another user: EPERM");
		cred = (struct ucred){ getpid(), getuid(), 12345 };
		fails(send_control(sv[0], 32, 28, SOL_SOCKET, SCM_CREDENTIALS, &cred, 12), EPERM,
		      "another group: EPERM");
		cred = (struct ucred){ getppid(), getuid(), getgid() };
		fails(send_control(sv[0], 32, 28, SOL_SOCKET, SCM_CREDENTIALS, &cred, 12), EPERM,
		      "another process: EPERM");
	}
	close_pair(sv);
	make_pair(sv, SOCK_STREAM);
	setsockopt(sv[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	if (fork() == 0) {
		write(sv[0], "child", 5);
		_exit(0);
	}
	wait(NULL);
	write(sv[0], "self", 4);
	is(recv_cred(sv[1], &cred, 32, &flags), 32, "a stream with bytes of two senders");
	ok(!is_me(&cred) && cred.uid == getuid(), "first those of one");
	is(memcmp(got, "child", 5), 0, "alone");
	recv_cred(sv[1], &cred, 32, &flags);
	ok(is_me(&cred), "then those of the other");
	close_pair(sv);
}

/* --- sockets that only messages hold ------------------------------------------------------- */

/* Whether the pipe's other end is still held by somebody. */
static bool is_held(int fd)
{
	return poll_now(fd) != POLLHUP;
}

/* Linux looks for rings by and by. */
static bool goes(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, -1) == 1 && p.revents == POLLHUP;
}

/* A descriptor in a message that is never read goes with the socket. */
static void unread(void)
{
	int sv[2], p[2];

	make_pair(sv, SOCK_DGRAM);
	pipe(p);
	send_fds(sv[0], "x", 1, &p[1], 1, 0);
	close(p[1]);
	ok(is_held(p[0]), "a message holds the end of a pipe");
	close(sv[0]);
	ok(is_held(p[0]), "also when who sent it is gone");
	close(sv[1]);
	ok(!is_held(p[0]), "and not when the receiver is gone");
	close(p[0]);
}

/* Each of a chain of sockets is in the queue of the next: all go at once. */
static void chain(int length)
{
	int p[2], last[2], next[2];

	pipe(p);
	make_pair(last, SOCK_STREAM);
	send_fds(last[0], "x", 1, &p[1], 1, 0);
	close(p[1]);
	close(last[0]);
	for (int i = 0; i < length; i++) {
		make_pair(next, SOCK_STREAM);
		if (send_fds(next[0], "x", 1, &last[1], 1, 0) != 1)
			diag("link %d: errno %d", i, errno);
		close(last[1]), close(next[0]);
		last[1] = next[1];
	}
	ok(is_held(p[0]), "a chain of %d sockets holds the end of a pipe", length);
	close(last[1]);
	ok(!is_held(p[0]), "until its own end is closed");
	close(p[0]);
}

/* Something is held by sockets that are in each other's queues. Closing any socket finds them. */
static void rings(void)
{
	int a[2], b[2], p[2];

	pipe(p);
	make_pair(a, SOCK_DGRAM);
	send_fds(a[0], "x", 1, &p[1], 1, 0);
	send_fds(a[0], "y", 1, &a[1], 1, 0);
	close(p[1]);
	close(a[1]);
	ok(is_held(p[0]), "a socket in its own queue");
	close(a[0]);
	make_pair(b, SOCK_STREAM);
	close_pair(b);
	ok(goes(p[0]), "is found when nobody can reach it");
	close(p[0]);

	pipe(p);
	make_pair(a, SOCK_STREAM);
	make_pair(b, SOCK_SEQPACKET);
	send_fds(a[0], "x", 1, (int[]){ p[1], b[1], b[0] }, 3, 0);
	send_fds(b[0], "x", 1, &a[1], 1, 0);
	close(p[1]);
	close(a[1]), close(b[1]), close(b[0]);
	make_pair(b, SOCK_STREAM);
	close_pair(b);
	ok(goes(p[0]), "a ring of two");
	close(a[0]);
	make_pair(b, SOCK_STREAM);
	close_pair(b);
	ok(goes(p[0]), "for good");
	close(p[0]);
}

/* What can still be received is not taken away. */
static void reachable(void)
{
	int a[2], b[2], p[2], fds[4];
	unsigned int nr = 4;

	pipe(p);
	make_pair(a, SOCK_STREAM);
	make_pair(b, SOCK_STREAM);
	send_fds(a[0], "x", 1, (int[]){ p[1], a[1] }, 2, 0); /* a[1] holds itself */
	send_fds(b[0], "x", 1, &a[1], 1, 0);		     /* and is in the queue of b[1] */
	close(p[1]), close(a[1]), close(a[0]), close(b[0]);
	make_pair(a, SOCK_STREAM);
	close_pair(a);
	ok(is_held(p[0]), "a ring in the queue of an open socket stays");
	is(recv_fds(b[1], got, 10, fds, &nr, 0, NULL), 1, "and can be received");
	is(nr, 1, "whole");
	close(b[1]);
	nr = 4;
	is(recv_fds(fds[0], got, 10, fds + 1, &nr, 0, NULL), 1, "with what is in it");
	is(nr, 2, "all of it");
	close(fds[0]), close(fds[1]), close(fds[2]);
	ok(!is_held(p[0]), "then nothing is held");
	close(p[0]);
}

/* RLIMIT_NOFILE bounds what a user has on its way. */
static void too_many(void)
{
	struct rlimit old, few;
	int sv[2], fds[100], sent = 0;

	if (geteuid() == 0)
		return;
	make_pair(sv, SOCK_DGRAM);
	for (size_t i = 0; i < COUNT(fds); i++)
		fds[i] = 0;
	getrlimit(RLIMIT_NOFILE, &old);
	few = old;
	few.rlim_cur = 150;
	setrlimit(RLIMIT_NOFILE, &few);
	while (sent < 10 && send_fds(sv[0], "x", 1, fds, 100, MSG_DONTWAIT) == 1)
		sent++;
	is(-errno, -ETOOMANYREFS, "too many on their way: ETOOMANYREFS");
	is(sent, 2, "after 200, the limit being 150");
	is(write(sv[0], "x", 1), 1, "a message without any can be sent");
	is(recv(sv[1], got, 10, 0), 1, "a message taken");
	is(send_fds(sv[0], "x", 1, fds, 100, MSG_DONTWAIT), 1, "makes room for another");
	setrlimit(RLIMIT_NOFILE, &old);
	close_pair(sv);
}

int main(int argc, char **argv)
{
	int before;

	tap_start(argc, argv, NULL);
	before = count_fds();
	for (size_t i = 0; i < COUNT(kinds); i++)
		passing(kinds[i].type, kinds[i].name);
	streams();
	refusals();
	undelivered();
	credentials();
	unread();
	chain(3);
	chain(500);
	rings();
	reachable();
	too_many();
	is(count_fds(), before, "no descriptor is left open");
	return done_testing();
}
