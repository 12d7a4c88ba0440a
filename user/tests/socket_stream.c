/* SPDX-License-Identifier: MIT */
/* Streams: what goes in comes out, how much fits, who waits for whom, and how it ends. */
#include "sockets.h"
#include "transfers.h"

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
	is(recv(sv[0], got, 1, MSG_DONTWAIT | MSG_TRUNC) | errno, -1 | EAGAIN,
	   "MSG_TRUNC means nothing");
	is(send(sv[1], "abcdef", 6, MSG_EOR | MSG_DONTWAIT | MSG_NOSIGNAL | MSG_CONFIRM), 6,
	   "flags that mean nothing");
	is(recv(sv[0], got, 3, MSG_TRUNC), 3, "MSG_TRUNC");
	is(recv(sv[0], got, 10, MSG_WAITALL | MSG_DONTWAIT), 3,
	   "MSG_WAITALL with MSG_DONTWAIT: what is there");
	close_pair(sv);
}

/* How much fits, and what it is charged with: a program can't tell it from Linux. */
static void limits(void)
{
	static const struct {
		int size, fit, charge;
	} cases[] = {
		{ 1, 278, 768 },	  { 64, 17792, 768 },	      { 65, 18070, 768 },
		{ 193, 32231, 1280 },	  { 449, 74983, 1280 },	      { 1000, 93000, 2304 },
		{ 3776, 185024, 4352 },	  { 3777, 166188, 4864 },     { 4096, 180224, 4864 },
		{ 10000, 170000, 12544 }, { 36544, 219264, 37120 },   { 36545, 219269, 37888 },
		{ 48832, 231872, 50176 }, { 100000, 236544, 103168 }, { 300000, 219264, 222720 },
	};
	int sv[2], n;

	for (size_t i = 0; i < COUNT(cases); i++) {
		long total = 0, ret;
		int charge = -1;

		make_pair(sv, SOCK_STREAM);
		while ((ret = send(sv[0], buf, cases[i].size, MSG_DONTWAIT)) > 0) {
			total += ret;
			if (charge < 0)
				ioctl(sv[0], TIOCOUTQ, &charge);
		}
		is(ret < 0 ? -errno : ret, -EAGAIN, "steps of %d: in the end EAGAIN",
		   cases[i].size);
		is(total, cases[i].fit, "what fits");
		is(charge, cases[i].charge, "what the first is charged with");
		close_pair(sv);
	}
	make_pair(sv, SOCK_STREAM);
	setsockopt(sv[0], SOL_SOCKET, SO_SNDBUF, (n = 0, &n), sizeof(n));
	is(send(sv[0], buf, 100000, MSG_DONTWAIT), 4480,
	   "with the least SO_SNDBUF: two halves, nearly");
	close_pair(sv);
}

/* Ready for writing is what is at most a quarter full. */
static void polling(void)
{
	const int out = POLLOUT | POLLWRNORM | POLLWRBAND, in = POLLIN | POLLRDNORM;
	int sv[2], n = 0;

	make_pair(sv, SOCK_STREAM);
	is(poll_now(sv[0]), out, "an empty one: ready for writing");
	while ((n += write(sv[0], buf, 1000)) < 23000)
		;
	is(poll_now(sv[0]), out, "23000 bytes: still");
	is(poll_now(sv[1]), in | out, "the other end: for both");
	write(sv[0], buf, 1000);
	is(poll_now(sv[0]), 0, "24000: not, though more would fit");
	is(send(sv[0], buf, 1000, MSG_DONTWAIT), 1000, "as it does");
	is(recv(sv[1], got, 2500, 0), 2500, "a read takes of several messages");
	close_pair(sv);
	make_pair(sv, SOCK_STREAM);
	shutdown(sv[0], SHUT_WR);
	is(poll_now(sv[0]), out, "SHUT_WR here: as before");
	is(poll_now(sv[1]), in | out | POLLRDHUP, "there: the end, and POLLRDHUP");
	shutdown(sv[0], SHUT_RD);
	is(poll_now(sv[0]), in | out | POLLRDHUP | POLLHUP, "both here: POLLHUP");
	is(poll_now(sv[1]), in | out | POLLRDHUP | POLLHUP, "and there");
	close_pair(sv);
	make_pair(sv, SOCK_STREAM);
	close(sv[0]);
	is(poll_now(sv[1]), in | out | POLLRDHUP | POLLHUP, "closed: POLLHUP");
	close(sv[1]);
	make_pair(sv, SOCK_STREAM);
	write(sv[0], "x", 1);
	close(sv[1]);
	is(poll_now(sv[0]), in | out | POLLRDHUP | POLLHUP | POLLERR,
	   "with something unread: POLLERR");
	close(sv[0]);
}

static void endings(void)
{
	int sv[2], v = 0, n;
	socklen_t len = sizeof(v);

	make_pair(sv, SOCK_STREAM);
	write(sv[1], "last", 4);
	close(sv[1]);
	is(ioctl(sv[0], FIONREAD, &n) | n, 4, "the other is closed: FIONREAD still 4");
	is(read(sv[0], got, 10), 4, "what it wrote can be read");
	is(read(sv[0], got, 10), 0, "then comes the end");
	is(read(sv[0], got, 10), 0, "again and again");
	catch_signal(SIGPIPE, 0);
	fails(write(sv[0], "x", 1), EPIPE, "a write: EPIPE");
	is(caught, 1, "and SIGPIPE");
	is(caught_code, SI_USER, "with the code SI_USER");
	is(caught_pid, getpid(), "from oneself");
	fails(send(sv[0], "x", 1, MSG_NOSIGNAL), EPIPE, "MSG_NOSIGNAL: EPIPE");
	is(caught, 1, "alone");
	fails(write(sv[0], "x", 0), EPIPE, "a write of nothing: EPIPE");
	is(caught, 2, "and SIGPIPE");
	fails(write(sv[0], (void *)1, 1), EPIPE, "EPIPE comes before EFAULT");
	close(sv[0]);

	make_pair(sv, SOCK_STREAM);
	write(sv[0], "unread", 6);
	close(sv[1]);
	fails(read(sv[0], got, 10), ECONNRESET, "closed with something unread: ECONNRESET");
	is(read(sv[0], got, 10), 0, "once; then the end");
	fails(write(sv[0], "x", 1), EPIPE, "and EPIPE");
	close(sv[0]);
	make_pair(sv, SOCK_STREAM);
	write(sv[0], "unread", 6);
	close(sv[1]);
	is(getsockopt(sv[0], SOL_SOCKET, SO_ERROR, &v, &len) | v, ECONNRESET, "SO_ERROR takes it");
	is(getsockopt(sv[0], SOL_SOCKET, SO_ERROR, &v, &len) | v, 0, "away");
	is(read(sv[0], got, 10), 0, "the end");
	close(sv[0]);
	make_pair(sv, SOCK_STREAM);
	write(sv[1], "here", 4);
	write(sv[0], "unread", 6);
	close(sv[1]);
	is(read(sv[0], got, 10), 4, "what was sent before comes first");
	fails(send(sv[0], "x", 1, 0), EPIPE, "EPIPE by shutdown comes before the error");
	fails(read(sv[0], got, 10), ECONNRESET, "which is told afterwards");
	close(sv[0]);
	signal(SIGPIPE, SIG_DFL);
}

static void shutting_down(void)
{
	int sv[2];

	signal(SIGPIPE, SIG_IGN);
	make_pair(sv, SOCK_STREAM);
	fails(shutdown(sv[0], 3), EINVAL, "shutdown 3: EINVAL");
	fails(shutdown(sv[0], -1), EINVAL, "-1: EINVAL");
	write(sv[0], "before", 6);
	is(shutdown(sv[0], SHUT_WR), 0, "SHUT_WR");
	is(shutdown(sv[0], SHUT_WR), 0, "once more");
	fails(write(sv[0], "x", 1), EPIPE, "write here: EPIPE");
	is(read(sv[1], got, 10), 6, "there what came before");
	is(read(sv[1], got, 10), 0, "and the end");
	is(write(sv[1], "answer", 6), 6, "the other way goes on");
	is(read(sv[0], got, 10), 6, "to here");
	close_pair(sv);
	make_pair(sv, SOCK_STREAM);
	write(sv[1], "before", 6);
	is(shutdown(sv[0], SHUT_RD), 0, "SHUT_RD");
	is(read(sv[0], got, 10), 6, "read what came before");
	is(read(sv[0], got, 10), 0, "and the end");
	fails(write(sv[1], "x", 1), EPIPE, "write there: EPIPE");
	is(write(sv[0], "x", 1), 1, "write here goes on");
	close_pair(sv);
	signal(SIGPIPE, SIG_DFL);
}

/* --- with another process ------------------------------------------------------------------ */

/* argv[2]: descriptor to write to, once the parent sleeps: twice the text of argv[3] */
static int twice_mode(int argc, char **argv)
{
	return write_mode(argc, argv) || write_mode(argc, argv);
}

/* argv[2]: descriptor to write to, a byte each 20 ms, 100 in all, or until nobody reads */
static int drip_mode(int argc, char **argv)
{
	struct timespec moment = { 0, 20000000 };

	(void)argc;
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < 100 && write(atoi(argv[2]), "x", 1) == 1; i++)
		nanosleep(&moment, NULL);
	return 0;
}

/* argv[2]: descriptor to shut down, once the parent sleeps */
static int end_mode(int argc, char **argv)
{
	(void)argc;
	wait_until_asleep(getppid());
	return shutdown(atoi(argv[2]), SHUT_RDWR);
}

static void sleeping(void)
{
	struct timeval tv = { 0, 20000 };
	struct pollfd p = { .events = POLLIN | POLLRDHUP };
	pid_t pid;
	int sv[2];

	make_pair(sv, SOCK_STREAM);
	pid = start_at("write", sv[1], "hello");
	is(read(sv[0], got, 100), 5, "a read waits for a write");
	is(wait_status(pid), 0, "the writer is content");
	pid = start_at("twice", sv[1], "hello");
	is(recv(sv[0], got, 10, MSG_WAITALL), 10, "with MSG_WAITALL for both of two");
	wait_status(pid);
	pid = start_at("write", sv[1], "hello");
	is(recv(sv[0], got, 10, MSG_PEEK | MSG_WAITALL), 5, "with MSG_PEEK for one");
	wait_status(pid);
	read(sv[0], got, 10);
	pid = start_at("write", sv[1], "hello");
	is(recv(sv[0], got, 0, 0), 0, "recv of nothing waits for something");
	wait_status(pid);
	read(sv[0], got, 10);
	pid = start_at("write", sv[1], "hello");
	p.fd = sv[0];
	is(poll(&p, 1, -1), 1, "poll waits for a write");
	is(p.revents, POLLIN, "and sees it");
	wait_status(pid);
	read(sv[0], got, 10);
	setsockopt(sv[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	fails(read(sv[0], got, 1), EAGAIN, "with SO_RCVTIMEO for a while: EAGAIN");
	write(sv[1], "some", 4);
	is(recv(sv[0], got, 10, MSG_WAITALL), 4, "MSG_WAITALL: what has come");
	setsockopt(sv[1], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	is(write(sv[1], buf, 300000), 219264, "a write with SO_SNDTIMEO: what fits");
	fails(write(sv[1], buf, 1), EAGAIN, "then EAGAIN");
	close_pair(sv);
	make_pair(sv, SOCK_STREAM);
	pid = start_at("read", sv[1], "400000");
	is(write(sv[0], buf, 400000), 400000, "a write waits until all has been taken");
	is(wait_status(pid), 0, "the reader got it");
	pid = start_at("end", sv[0], NULL);
	is(read(sv[0], got, 10), 0, "shutdown ends a read");
	wait_status(pid);
	close_pair(sv);
	make_pair(sv, SOCK_STREAM);
	pid = start_at("end", sv[1], NULL);
	p.fd = sv[0];
	is(poll(&p, 1, -1), 1, "and a poll");
	is(p.revents, POLLIN | POLLHUP | POLLRDHUP, "which sees it");
	wait_status(pid);
	close_pair(sv);
	make_pair(sv, SOCK_STREAM);
	pid = start_at("end", sv[1], NULL);
	catch_signal(SIGPIPE, 0);
	is(write(sv[0], buf, 400000), 219264, "and a write, which says how far it came");
	is(caught, 0, "without SIGPIPE");
	wait_status(pid);
	fails(write(sv[0], buf, 1), EPIPE, "until the next: EPIPE");
	is(caught, 1, "and SIGPIPE");
	signal(SIGPIPE, SIG_DFL);
	close_pair(sv);
}

/* A limit is one of the call, not of each wait in it. */
static void limited(void)
{
	struct timeval tv = { 0, 200000 };
	int sv[2], n;
	pid_t pid;

	make_pair(sv, SOCK_STREAM);
	setsockopt(sv[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	pid = start_at("drip", sv[1], "");
	close(sv[1]);
	do
		n = recv(sv[0], got, 1000, MSG_WAITALL);
	while (n < 0 && errno == EAGAIN);
	ok(n > 0 && n < 100, "SO_RCVTIMEO ends MSG_WAITALL while bytes come (%d did)", n);
	close(sv[0]);
	is(wait_status(pid), 0, "who wrote them is content");
}

static void interrupted(void)
{
	struct timeval tv = { 100, 0 };
	pid_t pid;
	int sv[2];

	make_pair(sv, SOCK_STREAM);
	catch_signal(SIGUSR1, 0);
	pid = start_kick(SIGUSR1, 1);
	fails(read(sv[0], got, 1), EINTR, "a signal ends a read: EINTR");
	wait_status(pid);
	write(sv[1], "part", 4);
	pid = start_kick(SIGUSR1, 1);
	is(recv(sv[0], got, 10, MSG_WAITALL), 4, "or MSG_WAITALL, with what has come");
	wait_status(pid);
	catch_signal(SIGUSR1, SA_RESTART);
	pid = start_at("write", sv[1], "hello");
	kill(getpid(), SIGUSR1);
	is(read(sv[0], got, 10), 5, "SA_RESTART: it goes on");
	wait_status(pid);
	setsockopt(sv[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	pid = start_kick(SIGUSR1, 1);
	fails(read(sv[0], got, 1), EINTR, "not with SO_RCVTIMEO: EINTR");
	wait_status(pid);
	signal(SIGUSR1, SIG_DFL);
	close_pair(sv);
}

static void flooded(void)
{
	int sv[2];
	pid_t pid;

	make_pair(sv, SOCK_STREAM);
	pid = start_at("flood", sv[1], "120000");
	close(sv[1]);
	is(read_flood(sv[0]), 120000, "every number came, in order");
	is(wait_status(pid), 0, "the writer is content");
	close(sv[0]);
}

static const struct mode modes[] = {
	{ "write", write_mode }, { "twice", twice_mode }, { "drip", drip_mode },
	{ "end", end_mode },	 { "read", read_mode },	  { "flood", flood_mode },
	{ "kick", kick_mode },	 { NULL, NULL },
};

int main(int argc, char **argv)
{
	int before;

	tap_start(argc, argv, modes);
	before = count_fds();
	bytes();
	limits();
	polling();
	endings();
	shutting_down();
	sleeping();
	limited();
	interrupted();
	flooded();
	is(count_fds(), before, "no descriptor is left open");
	return done_testing();
}
