/* SPDX-License-Identifier: MIT */
/* Sockets on several processors: the end comes last, and what can be received isn't taken for garbage. */
#include "sockets.h"
#include "smp.h"

static volatile int stop_now;

/* --- the end of a stream ----------------------------------------------------------------------- */

static volatile int writer_end, done_rounds;

/* Sends a byte, and with it the end, as soon as there is a new pair. */
static int send_and_close(struct member *m)
{
	for (int i = 0; i < 1000 * (int)times; i++) {
		int fd;

		while ((fd = __atomic_exchange_n(&writer_end, -1, __ATOMIC_SEQ_CST)) < 0)
			raw(SYS_sched_yield);
		raw(SYS_write, fd, "x", 1);
		raw(SYS_close, fd);
	}
	return 0;
}

static int read_to_end(struct member *m)
{
	for (int i = 0; i < 1000 * (int)times; i++) {
		int sv[2];
		char c;
		long n;

		raw(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, sv);
		writer_end = sv[1];
		do
			n = raw(SYS_recvfrom, sv[0], &c, 1, i & 1 ? MSG_DONTWAIT : 0, NULL, NULL);
		while (n == -EAGAIN && !raw(SYS_sched_yield));
		if (n != 1)
			complain("round %d: %ld", i, n);
		else if ((n = raw(SYS_read, sv[0], &c, 1)) != 0)
			complain("round %d, at the end: %ld", i, n);
		raw(SYS_close, sv[0]);
	}
	return 0;
}

/* --- rings --------------------------------------------------------------------------------------- */

/* Makes sockets that only their own queues hold; each one that is closed has the kernel look for them. */
static int make_garbage(struct member *m)
{
	while (!stop_now) {
		int sv[2];

		raw(SYS_socketpair, AF_UNIX, SOCK_DGRAM, 0, sv);
		if (send_fds(sv[0], "x", 1, &sv[1], 1, 0) != 1)
			complain("a ring can't be made");
		raw(SYS_close, sv[1]);
		raw(SYS_close, sv[0]);
		breathe(m->count++);
	}
	return 0;
}

/* Receives from `sock` what must be there; a look before it takes nothing away. */
static bool receive(int sock, int *fds, unsigned int want, bool peek)
{
	unsigned int nr = 4;
	char c;

	if (peek) {
		if (recv_fds(sock, &c, 1, fds, &nr, MSG_PEEK, NULL) != 1 || nr != want)
			return false;
		for (unsigned int i = 0; i < nr; i++)
			raw(SYS_close, fds[i]);
		nr = 4;
	}
	return recv_fds(sock, &c, 1, fds, &nr, MSG_DONTWAIT, NULL) == 1 && nr == want;
}

/* A pipe's end in the queue of a socket that is in its own queue, and in that of an open one. */
static int carry(struct member *m)
{
	for (int i = 0; i < 150 * (int)times; i++) {
		int outer[2], ring[2], p[2], got[4];
		char c = 0;

		raw(SYS_pipe, p);
		raw(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, outer);
		raw(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, ring);
		send_fds(ring[0], "x", 1, (int[]){ p[1], ring[1] }, 2, 0);
		send_fds(outer[0], "x", 1, &ring[1], 1, 0);
		raw(SYS_close, p[1]);
		raw(SYS_close, ring[0]);
		raw(SYS_close, ring[1]);
		breathe(i);
		if (!receive(outer[1], got, 1, i & 1) || !receive(got[0], got + 1, 2, i & 2))
			complain("round %d: a message is lost", i);
		else if (raw(SYS_write, got[1], "y", 1) != 1 || raw(SYS_read, p[0], &c, 1) != 1)
			complain("round %d: the pipe is gone", i);
		for (int k = 0; k < 3; k++)
			raw(SYS_close, got[k]);
		raw(SYS_close, outer[0]);
		raw(SYS_close, outer[1]);
		if (raw(SYS_read, p[0], &c, 1) != 0)
			complain("round %d: somebody still holds the pipe", i);
		raw(SYS_close, p[0]);
	}
	__atomic_add_fetch(&done_rounds, 1, __ATOMIC_SEQ_CST);
	while (done_rounds < 2)
		raw(SYS_sched_yield);
	stop_now = 1;
	return 0;
}

int main(int argc, char **argv)
{
	int size = 0;

	smp_start(argc, argv, NULL);
	writer_end = -1;
	team_add(&size, 1, send_and_close);
	team_add(&size, 1, read_to_end);
	team_begin(size);
	team_join(0, size);
	nobody_complained("what was sent comes before the end");
	size = 0;
	team_add(&size, 2, carry);
	team_add(&size, 1, make_garbage);
	team_begin(size);
	team_join(0, size);
	nobody_complained("what can be received is there, while others are looked for");
	is(raw(SYS_dup, 0), 3, "no descriptor is left open");
	return done_testing();
}
