/* SPDX-License-Identifier: MIT */
/* Streams: what goes in comes out, how much fits, who waits for whom, and how it ends. */
#include "sockets.h"

static char buf[1 << 19], got[1 << 19];

static void bytes(void)
{
	struct iovec out[3] = { { "one", 3 }, { NULL, 0 }, { "three", 5 } };
	struct iovec in[2] = { { got, 2 }, { got + 2, 100 } };
	int sv[2], n = -1;

	make_pair(sv, SOCK_STREAM);
	is(ioctl(sv[0], FIONREAD, &n) | n, 0, "FIONREAD of an empty one: 0");
	is(read(sv[0], got, 0), 0, "read of nothing: 0");
	fails(recv(sv[0], got, 0, MSG_DONTWAIT), EAGAIN, "recv of nothing: EAGAIN");
	is(write(sv[1], buf, 0), 0, "write of nothing: 0");
	is(send(sv[1], buf, 0, 0), 0, "send of nothing: 0");
	fails(recv(sv[0], got, 10, MSG_DONTWAIT), EAGAIN, "which leaves nothing to read");
	is(writev(sv[1], out, 3), 8, "writev of 3, 0 and 5 bytes");
	is(send(sv[1], "more", 4, 0), 4, "send of 4");
	is(ioctl(sv[0], FIONREAD, &n), 0, "FIONREAD");
	is(n, 12, "sees 12 bytes");
	is(ioctl(sv[1], FIONREAD, &n) | n, 0, "at the other end 0");
	is(ioctl(sv[1], TIOCOUTQ, &n), 0, "TIOCOUTQ");
	is(n, 2 * 768, "counts as Linux does");
	is(ioctl(sv[0], TIOCOUTQ, &n) | n, 0, "at the other end 0");
	is(recv(sv[0], got, 100, MSG_PEEK), 12, "MSG_PEEK sees all");
	is(recv(sv[0], got, 3, MSG_PEEK), 3, "or 3");
	is(memcmp(got, "one", 3), 0, "the first");
	is(recv(sv[0], got, 0, 0), 0, "recv of nothing, where there is something: 0");
	is(readv(sv[0], in, 1), 2, "readv of 2");
	is(ioctl(sv[1], TIOCOUTQ, &n) | n, 2 * 768, "half a message is charged whole");
	is(readv(sv[0], in, 2), 10, "readv of 102: the other 10");
	is(memcmp(got, "ethreemore", 10), 0, "all of them in order");
	is(ioctl(sv[1], TIOCOUTQ, &n) | n, 0, "nothing is charged");
	/* What can't be delivered stays. */
	is(send(sv[1], "keep", 4, 0), 4, "send of 4");
	fails(recv(sv[0], (void *)1, 4, 0), EFAULT, "recv to a bad address: EFAULT");
	fails(send(sv[1], (void *)1, 4, 0), EFAULT, "send from one: EFAULT");
	is(recv(sv[0], got, 10, 0), 4, "no byte was lost or added");
	is(memcmp(got, "keep", 4), 0, "the right ones");
	/* Both ways at once. */
	is(write(sv[0], "back", 4), 4, "the other way");
	is(write(sv[1], "forth", 5), 5, "and this one");
	is(read(sv[1], got, 10), 4, "don't meet");
	is(read(sv[0], got, 10), 5, "in the middle");
	is(recv(sv[0], got, 1, MSG_DONTWAIT | MSG_TRUNC) | errno, -1 | EAGAIN, "MSG_TRUNC means nothing");
	is(send(sv[1], "abcdef", 6, MSG_EOR | MSG_DONTWAIT | MSG_NOSIGNAL | MSG_CONFIRM), 6,
	   "flags that mean nothing");
	is(recv(sv[0], got, 3, MSG_TRUNC), 3, "MSG_TRUNC");
	is(recv(sv[0], got, 10, MSG_WAITALL | MSG_DONTWAIT), 3, "MSG_WAITALL with MSG_DONTWAIT: what is there");
	close_pair(sv);
}

/* A program that can't tell how much goes in, and what it is charged with, from Linux. */
static void limits(void)
{
	static const struct {
		size_t size;
		long total;
	} full[] = {
		{ 1, 278 }, { 64, 278 * 64 }, { 65, 278 * 65 }, { 193, 0 }, { 449, 0 }, { 1000, 0 },
		{ 3776, 0 }, { 3777, 0 }, { 4096, 0 }, { 10000, 0 }, { 48832, 0 }, { 48833, 0 },
		{ 100000, 0 }, { 300000, 0 },
	};
	static const long want[COUNT(full)] = {
		278, 17792, 18070, 40144, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	};
	int sv[2], n;

	(void)want;
	for (size_t i = 0; i < COUNT(full); i++) {
		long total = 0, charge = 0, ret;

		make_pair(sv, SOCK_STREAM);
		while ((ret = send(sv[0], buf, full[i].size, MSG_DONTWAIT)) > 0) {
			total += ret;
			if (!charge)
				charge = ioctl(sv[0], TIOCOUTQ, &n) ? -1 : n;
		}
		diag("size %ld: %ld fit, first charged %ld", (long)full[i].size, total, charge);
		close_pair(sv);
	}
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	bytes();
	limits();
	return done_testing();
}
