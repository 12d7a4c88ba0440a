/* SPDX-License-Identifier: MIT */
/*
 * Calls about sockets with every allocation of the kernel failed in turn: each says so or works all the
 * same, has changed nothing when it failed, and works when no failure is left to try.
 */
#include "files.h"
#include "failures.h"
#include "sockets.h"

static char buf[20000];
static int sv[2], made[2], passed;

static long do_pair(void)
{
	return socketpair(AF_UNIX, SOCK_STREAM, 0, made);
}

static void undo_pair(void)
{
	close_pair(made);
}

static long do_send(void)
{
	return send(sv[0], buf, 100, MSG_DONTWAIT);
}

static long do_send_pages(void)
{
	return send(sv[0], buf, sizeof(buf), MSG_DONTWAIT);
}

static long do_send_fds(void)
{
	return send_fds(sv[0], "x", 1, &passed, 1, MSG_DONTWAIT);
}

static long do_send_parts(void)
{
	struct iovec iov[20];
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 20 };

	for (size_t i = 0; i < COUNT(iov); i++)
		iov[i] = (struct iovec){ buf, 10 };
	return sendmsg(sv[0], &m, MSG_DONTWAIT);
}

static void undo_send(void)
{
	while (recv(sv[1], buf, sizeof(buf), MSG_DONTWAIT) >= 0)
		;
}

/* The descriptor is missing when there is no memory for it, and the message comes all the same. */
static long do_peek(void)
{
	unsigned int nr = 4;
	int fds[4];
	long ret;

	if (send_fds(sv[0], "x", 1, &passed, 1, MSG_DONTWAIT) < 0)
		return -1;
	ret = recv_fds(sv[1], buf, 10, fds, &nr, MSG_PEEK, NULL);
	if (ret == 1 && nr == 1)
		close(fds[0]);
	return ret;
}

/* The same when there is none for its number. */
static long do_receive(void)
{
	unsigned int nr = 4;
	int fds[4];
	long ret;

	if (send_fds(sv[0], "x", 1, &passed, 1, MSG_DONTWAIT) < 0)
		return -1;
	ret = recv_fds(sv[1], buf, 10, fds, &nr, 0, NULL);
	if (ret == 1 && nr == 1)
		close(fds[0]);
	return ret;
}

static void nothing(void)
{
}

static const struct {
	const char *what;
	long (*call)(void);
	void (*undo)(void);
	bool sends;
} calls[] = {
	{ "socketpair", do_pair, undo_pair, false },
	{ "send", do_send, undo_send, true },
	{ "send of pages", do_send_pages, undo_send, true },
	{ "sendmsg of a descriptor", do_send_fds, undo_send, true },
	{ "sendmsg of 20 parts", do_send_parts, undo_send, true },
	{ "MSG_PEEK at a descriptor", do_peek, undo_send, false },
	{ "recvmsg of a descriptor", do_receive, nothing, false },
};

static void fail_each(size_t i)
{
	int before = count_fds(), tries = 0, reported = 0, odd = 0, damage = 0, n;

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
		if (err != ENOMEM && err != ENOBUFS) {
			odd++;
			diag("%s, allocation %d: errno %d", calls[i].what, tries, err);
		}
		damage += count_fds() != before;
		damage += calls[i].sends && (ioctl(sv[1], FIONREAD, &n) || n);
		damage += calls[i].sends && (ioctl(sv[0], TIOCOUTQ, &n) || n);
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
	int before;

	tap_start(argc, argv, NULL);
	if (access("/proc/self/fail-nth", W_OK) != 0)
		skip_all("this kernel can't be told to fail allocations");
	before = count_fds();
	fail_fd = open("/proc/self/fail-nth", O_RDWR);
	make_pair(sv, SOCK_DGRAM);
	passed = open("/", O_RDONLY);
	for (size_t i = 0; i < COUNT(calls); i++)
		fail_each(i);
	close(passed), close(fail_fd), close_pair(sv);
	is(count_fds(), before, "no descriptor is left open");
	return done_testing();
}
