/* SPDX-License-Identifier: MIT */
/* sockets.h: what the tests of sockets share. */
#ifndef USER_TESTS_SOCKETS_H
#define USER_TESTS_SOCKETS_H

#include "tap.h"
#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

static const struct {
	int type;
	const char *name;
} kinds[] = {
	{ SOCK_STREAM, "stream" },
	{ SOCK_DGRAM, "dgram" },
	{ SOCK_SEQPACKET, "seqpacket" },
};

TAP_FN void make_pair(int sv[2], int type)
{
	if (socketpair(AF_UNIX, type, 0, sv) != 0) {
		diag("socketpair: errno %d", errno);
		_exit(2);
	}
}

TAP_FN void close_pair(int sv[2])
{
	close(sv[0]), close(sv[1]);
}

#define POLL_ALL \
	(POLLIN | POLLPRI | POLLOUT | POLLRDNORM | POLLRDBAND | POLLWRNORM | POLLWRBAND | POLLRDHUP)

/* What poll(2) says of it now. */
TAP_FN int poll_now(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLL_ALL };

	return poll(&p, 1, 0) < 0 ? -errno : p.revents;
}

/* A message of some bytes and some descriptors. The C library would allow fewer. */
TAP_FN ssize_t send_fds(int sock, const char *text, size_t len, const int *fds, unsigned int nr,
			int flags)
{
	union {
		char room[CMSG_SPACE(300 * sizeof(int))];
		struct cmsghdr align;
	} u;
	struct iovec iov = { (char *)text, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	memset(&u, 0, sizeof(u));
	if (nr) {
		m.msg_control = u.room;
		m.msg_controllen = CMSG_SPACE(nr * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nr * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nr * sizeof(int));
	}
	return syscall(SYS_sendmsg, sock, &m, flags);
}

/* Receives one; *nr: room for descriptors, then how many came. */
TAP_FN ssize_t recv_fds(int sock, char *text, size_t len, int *fds, unsigned int *nr, int flags,
			int *out_flags)
{
	union {
		char room[CMSG_SPACE(300 * sizeof(int))];
		struct cmsghdr align;
	} u;
	struct iovec iov = { text, len };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = *nr ? u.room : NULL,
			    .msg_controllen = *nr ? CMSG_LEN(*nr * sizeof(int)) : 0 };
	ssize_t n = recvmsg(sock, &m, flags);
	struct cmsghdr *c = n >= 0 ? CMSG_FIRSTHDR(&m) : NULL;

	*nr = 0;
	if (out_flags)
		*out_flags = m.msg_flags;
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
		*nr = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(fds, CMSG_DATA(c), *nr * sizeof(int));
	}
	return n;
}

#endif
