/* SPDX-License-Identifier: MIT */
/* socketpair(2): what it makes, what of it can be asked, and what of it can be set. */
#include "files.h"
#include "sockets.h"

#ifndef SO_PEERSEC
#define SO_PEERSEC 31
#endif

static char buf[4096];

static void making(int type, const char *name)
{
	int sv[2] = { -1, -1 }, other[2], before = count_fds();
	struct stat st, st2, st3;
	char link[64], want[64], path[64];
	long n;

	is(socketpair(AF_UNIX, type, 0, sv), 0, "%s: socketpair", name);
	is(sv[1], sv[0] + 1, "two numbers in a row");
	is(fcntl(sv[0], F_GETFL), O_RDWR, "open for both");
	is(fcntl(sv[0], F_GETFD) | fcntl(sv[1], F_GETFD), 0, "both stay open at exec");
	is(fstat(sv[0], &st) | fstat(sv[1], &st2), 0, "fstat of both");
	is(st.st_mode, S_IFSOCK | 0777, "a socket with mode 777");
	ok(st.st_ino != st2.st_ino && st.st_dev == st2.st_dev, "two files");
	ok(st.st_uid == getuid() && st.st_gid == getgid(), "their maker's");
	ok(st.st_size == 0 && st.st_nlink == 1 && st.st_blocks == 0 && st.st_blksize == 4096,
	   "size 0, one link, no blocks");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", sv[0]);
	snprintf(want, sizeof(want), "socket:[%lu]", (unsigned long)st.st_ino);
	n = readlink(path, link, sizeof(link) - 1);
	link[n > 0 ? n : 0] = '\0';
	is_str(link, want, "its link in /proc");
	fails(open(path, O_RDWR), ENXIO, "which can't be opened: ENXIO");
	is(fchmod(sv[0], 0600), 0, "fchmod");
	is(fstat(sv[0], &st3) | (st3.st_mode & 07777), 0600, "sets the mode");
	is(socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, other), 0,
	   "with SOCK_CLOEXEC and SOCK_NONBLOCK");
	is(fcntl(other[0], F_GETFD) & fcntl(other[1], F_GETFD), FD_CLOEXEC, "both close at exec");
	is(fcntl(other[0], F_GETFL), O_RDWR | O_NONBLOCK, "and don't block");
	is(fcntl(other[1], F_GETFL), O_RDWR | O_NONBLOCK, "neither of them");
	close_pair(other);
	is(socketpair(AF_UNIX, type, AF_UNIX, other), 0, "protocol AF_UNIX");
	close_pair(sv), close_pair(other);
	is(count_fds(), before, "as many descriptors as before");
}

static void refusals(void)
{
	int sv[2] = { -7, -7 }, before = count_fds();

	fails(socketpair(AF_UNIX, SOCK_STREAM | 020, 0, sv), EINVAL, "an unknown flag: EINVAL");
	fails(socketpair(AF_UNIX, 0, 0, sv), ESOCKTNOSUPPORT, "type 0: ESOCKTNOSUPPORT");
	fails(socketpair(AF_UNIX, 4, 0, sv), ESOCKTNOSUPPORT, "SOCK_RDM: ESOCKTNOSUPPORT");
	fails(socketpair(AF_UNIX, 6, 0, sv), ESOCKTNOSUPPORT, "SOCK_DCCP: ESOCKTNOSUPPORT");
	fails(socketpair(AF_UNIX, 10, 0, sv), ESOCKTNOSUPPORT, "SOCK_PACKET: ESOCKTNOSUPPORT");
	fails(socketpair(AF_UNIX, 11, 0, sv), EINVAL, "type 11: EINVAL");
	fails(socketpair(AF_UNIX, 15, 0, sv), EINVAL, "type 15: EINVAL");
	fails(socketpair(AF_UNIX, SOCK_STREAM, 2, sv), EPROTONOSUPPORT,
	      "protocol 2: EPROTONOSUPPORT");
	fails(socketpair(AF_UNIX, 4, 2, sv), EPROTONOSUPPORT, "which is looked at before the type");
	fails(socketpair(AF_UNIX, SOCK_STREAM, -1, sv), EPROTONOSUPPORT, "protocol -1 too");
	fails(socketpair(0, SOCK_STREAM, 0, sv), EAFNOSUPPORT, "AF_UNSPEC: EAFNOSUPPORT");
	fails(socketpair(45, SOCK_STREAM, 0, sv), EAFNOSUPPORT,
	      "a family that isn't there: EAFNOSUPPORT");
	fails(socketpair(46, SOCK_STREAM, 0, sv), EAFNOSUPPORT, "none at all: EAFNOSUPPORT");
	fails(socketpair(-1, SOCK_STREAM, 0, sv), EAFNOSUPPORT, "family -1: EAFNOSUPPORT");
	fails(socketpair(45, 12, 0, sv), EINVAL, "no family and no type: EINVAL");
	fails(socketpair(46, 12, 0, sv), EAFNOSUPPORT, "none at all, and no type: EAFNOSUPPORT");
	fails(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, NULL), EFAULT, "to NULL: EFAULT");
	fails(syscall(SYS_socketpair, 46, 99, 7, 1), EINVAL, "flags are looked at first");
	fails(syscall(SYS_socketpair, 46, SOCK_STREAM, 0, 1), EFAULT,
	      "then the place for the numbers");
	fails(socket(45, SOCK_STREAM, 0), EAFNOSUPPORT, "socket of a family that isn't there");
	fails(socket(AF_UNIX, SOCK_STREAM | 020, 0), EINVAL, "with an unknown flag");
	fails(socket(AF_UNIX, 4, 0), ESOCKTNOSUPPORT, "of an unknown type");
	fails(socket(AF_UNIX, SOCK_STREAM, 5), EPROTONOSUPPORT, "of an unknown protocol");
	is(count_fds(), before, "as many descriptors as before");
}

static void as_files(void)
{
	struct iovec v = { buf, 1 };
	int sv[2];

	make_pair(sv, SOCK_STREAM);
	fails(lseek(sv[0], 0, SEEK_SET), ESPIPE, "lseek: ESPIPE");
	fails(pread(sv[0], buf, 1, 0), ESPIPE, "pread: ESPIPE");
	fails(pwrite(sv[0], buf, 1, 0), ESPIPE, "pwrite: ESPIPE");
	fails(preadv(sv[0], &v, 1, 0), ESPIPE, "preadv: ESPIPE");
	fails(ftruncate(sv[0], 0), EINVAL, "ftruncate: EINVAL");
	fails(syscall(SYS_getdents64, sv[0], buf, 100), ENOTDIR, "getdents64: ENOTDIR");
	fails(fchdir(sv[0]), ENOTDIR, "fchdir: ENOTDIR");
	ok(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, sv[0], 0) == MAP_FAILED && errno == ENODEV,
	   "mmap: ENODEV");
	fails(fsync(sv[0]), EINVAL, "fsync: EINVAL");
	fails(fallocate(sv[0], 0, 0, 1), ENODEV, "fallocate: ENODEV");
	fails(ioctl(sv[0], 0x5401, buf), ENOTTY, "TCGETS: ENOTTY");
	fails(ioctl(sv[0], FIONREAD, 1), EFAULT, "FIONREAD to 1: EFAULT");
	fails(read(sv[0], (void *)(1UL << 63), 1), EFAULT,
	      "read to an address that is none: EFAULT");
	is(fcntl(sv[0], F_SETFL, O_NONBLOCK), 0, "O_NONBLOCK");
	fails(read(sv[0], buf, 1), EAGAIN, "a read that would block: EAGAIN");
	fails(readv(sv[0], &v, 1), EAGAIN, "readv too");
	is(ioctl(sv[0], FIONBIO, (int[]){ 0 }), 0, "FIONBIO takes it off");
	is(fcntl(sv[0], F_GETFL), O_RDWR, "which F_GETFL shows");
	fails(fcntl(sv[0], F_GETPIPE_SZ), EBADF, "F_GETPIPE_SZ: EBADF");
	close_pair(sv);
}

/* Each call with what is no socket. */
static void not_sockets(void)
{
	int p[2], v = 0;
	socklen_t len = sizeof(v);
	struct sockaddr_un name;
	struct msghdr m = { 0 };
	int path = open("/", O_PATH);

	pipe(p);
	fails(shutdown(p[0], SHUT_RD), ENOTSOCK, "shutdown of a pipe: ENOTSOCK");
	fails(shutdown(p[0], 9), ENOTSOCK, "which is looked at first");
	fails(shutdown(-1, SHUT_RD), EBADF, "of -1: EBADF");
	fails(shutdown(path, SHUT_RD), EBADF, "of an O_PATH descriptor: EBADF");
	fails(getsockopt(p[0], SOL_SOCKET, SO_TYPE, &v, &len), ENOTSOCK, "getsockopt: ENOTSOCK");
	fails(setsockopt(p[0], SOL_SOCKET, SO_TYPE, &v, sizeof(v)), ENOTSOCK,
	      "setsockopt: ENOTSOCK");
	fails(setsockopt(p[0], SOL_SOCKET, SO_TYPE, &v, -1), EINVAL, "with length -1: EINVAL");
	fails(getsockname(p[0], (void *)&name, &len), ENOTSOCK, "getsockname: ENOTSOCK");
	fails(getpeername(p[0], (void *)&name, &len), ENOTSOCK, "getpeername: ENOTSOCK");
	fails(send(p[1], "x", 1, 0), ENOTSOCK, "send: ENOTSOCK");
	fails(recv(p[0], buf, 1, 0), ENOTSOCK, "recv: ENOTSOCK");
	fails(sendmsg(p[1], &m, 0), ENOTSOCK, "sendmsg: ENOTSOCK");
	fails(recvmsg(p[0], &m, 0), ENOTSOCK, "recvmsg: ENOTSOCK");
	fails(syscall(SYS_sendmsg, p[1], 1, 0), ENOTSOCK, "before the header is read");
	fails(syscall(SYS_sendmsg, p[1], 1, 0x80000000), EINVAL,
	      "after a flag that only the kernel may use");
	fails(syscall(SYS_sendto, p[1], 1UL << 63, 1, 0, 0, 0), EFAULT,
	      "sendto looks at the buffer first");
	fails(syscall(SYS_recvfrom, p[1], 1UL << 63, 1, 0, 0, 0), EFAULT, "recvfrom too");
	close(p[0]), close(p[1]), close(path);
}

static int option(int fd, int name)
{
	int v = -99;
	socklen_t len = sizeof(v);

	return getsockopt(fd, SOL_SOCKET, name, &v, &len) ? -errno : len == sizeof(v) ? v : -1;
}

static int set(int fd, int name, int v)
{
	return setsockopt(fd, SOL_SOCKET, name, &v, sizeof(v)) ? -errno : 0;
}

static void options(int type, const char *name)
{
	struct ucred cred = { 0 };
	socklen_t len = sizeof(cred);
	int sv[2];

	make_pair(sv, type);
	is(option(sv[0], SO_TYPE), type, "%s: SO_TYPE", name);
	is(option(sv[0], SO_DOMAIN), AF_UNIX, "SO_DOMAIN");
	is(option(sv[0], SO_PROTOCOL), 0, "SO_PROTOCOL");
	is(option(sv[0], SO_ERROR), 0, "SO_ERROR");
	is(option(sv[0], SO_ACCEPTCONN), 0, "SO_ACCEPTCONN");
	is(option(sv[0], SO_SNDBUF), 212992, "SO_SNDBUF");
	is(option(sv[0], SO_RCVBUF), 212992, "SO_RCVBUF");
	is(option(sv[0], SO_RCVLOWAT), 1, "SO_RCVLOWAT");
	is(option(sv[0], SO_SNDLOWAT), 1, "SO_SNDLOWAT");
	is(option(sv[0], SO_PASSCRED), 0, "SO_PASSCRED");
	is(option(sv[0], SO_REUSEADDR) | option(sv[0], SO_KEEPALIVE) | option(sv[0], SO_BROADCAST) |
		   option(sv[0], SO_OOBINLINE) | option(sv[0], SO_DONTROUTE) |
		   option(sv[0], SO_DEBUG),
	   0, "those that mean nothing here are off");
	is(option(sv[0], SO_PRIORITY), 0, "SO_PRIORITY");
	is(getsockopt(sv[0], SOL_SOCKET, SO_PEERCRED, &cred, &len), 0, "SO_PEERCRED");
	ok(len == sizeof(cred) && cred.pid == getpid() && cred.uid == geteuid() &&
		   cred.gid == getegid(),
	   "who made the pair");
	close_pair(sv);
}

static void setting(void)
{
	static const int kept[] = { SO_REUSEADDR, SO_KEEPALIVE, SO_BROADCAST,
				    SO_OOBINLINE, SO_DONTROUTE, SO_PASSCRED };
	int sv[2], v;

	make_pair(sv, SOCK_STREAM);
	is(set(sv[0], SO_SNDBUF, 10000), 0, "SO_SNDBUF 10000");
	is(option(sv[0], SO_SNDBUF), 20000, "is doubled");
	is(option(sv[1], SO_SNDBUF), 212992, "of one end only");
	is(set(sv[0], SO_SNDBUF, 0), 0, "SO_SNDBUF 0");
	is(option(sv[0], SO_SNDBUF), 4608, "is the least there is");
	is(set(sv[0], SO_SNDBUF, INT_MAX), 0, "SO_SNDBUF of all");
	is(option(sv[0], SO_SNDBUF), 425984, "is the most");
	is(set(sv[0], SO_SNDBUF, -1), 0, "SO_SNDBUF -1");
	is(option(sv[0], SO_SNDBUF), 425984, "is the same");
	is(set(sv[0], SO_RCVBUF, 1), 0, "SO_RCVBUF 1");
	is(option(sv[0], SO_RCVBUF), 2304, "is the least there is");
	is(set(sv[0], SO_RCVBUF, 5000), 0, "SO_RCVBUF 5000");
	is(option(sv[0], SO_RCVBUF), 10000, "is doubled");
	for (size_t i = 0; i < COUNT(kept); i++) {
		is(set(sv[0], kept[i], 7), 0, "option %d on", kept[i]);
		is(option(sv[0], kept[i]), 1, "is on");
		is(set(sv[0], kept[i], 0), 0, "off");
		is(option(sv[0], kept[i]), 0, "is off");
	}
	is(set(sv[0], SO_RCVLOWAT, 5), 0, "SO_RCVLOWAT");
	is(option(sv[0], SO_RCVLOWAT), 5, "is kept");
	is(set(sv[0], SO_RCVLOWAT, 0), 0, "SO_RCVLOWAT 0");
	is(option(sv[0], SO_RCVLOWAT), 1, "is 1");
	is(set(sv[0], SO_RCVLOWAT, -5), 0, "SO_RCVLOWAT -5");
	is(option(sv[0], SO_RCVLOWAT), INT_MAX, "is without limit");
	is(set(sv[0], SO_PRIORITY, 6), 0, "SO_PRIORITY 6");
	is(option(sv[0], SO_PRIORITY), 6, "is kept");
	if (geteuid()) {
		is(set(sv[0], SO_PRIORITY, 7), -EPERM, "7 is for root: EPERM");
		is(set(sv[0], SO_DEBUG, 1), -EACCES, "SO_DEBUG too: EACCES");
		is(set(sv[0], SO_SNDBUFFORCE, 1000000), -EPERM, "SO_SNDBUFFORCE: EPERM");
		is(set(sv[0], SO_RCVBUFFORCE, 1000000), -EPERM, "SO_RCVBUFFORCE: EPERM");
	}
	is(set(sv[0], SO_TYPE, 1), -ENOPROTOOPT, "SO_TYPE can't be set: ENOPROTOOPT");
	is(set(sv[0], SO_ERROR, 1), -ENOPROTOOPT, "SO_ERROR neither");
	is(set(sv[0], SO_DOMAIN, 1), -ENOPROTOOPT, "SO_DOMAIN neither");
	is(set(sv[0], SO_PROTOCOL, 1), -ENOPROTOOPT, "SO_PROTOCOL neither");
	is(set(sv[0], SO_SNDLOWAT, 1), -ENOPROTOOPT, "SO_SNDLOWAT neither");
	is(set(sv[0], SO_ACCEPTCONN, 1), -ENOPROTOOPT, "SO_ACCEPTCONN neither");
	is(set(sv[0], SO_PEERCRED, 1), -ENOPROTOOPT, "SO_PEERCRED neither");
	is(set(sv[0], 999, 1), -ENOPROTOOPT, "999 doesn't exist: ENOPROTOOPT");
	is(option(sv[0], 999), -ENOPROTOOPT, "nor can it be asked for");
	v = 1;
	fails(setsockopt(sv[0], SOL_SOCKET, SO_KEEPALIVE, &v, 3), EINVAL, "3 bytes: EINVAL");
	fails(setsockopt(sv[0], SOL_SOCKET, SO_KEEPALIVE, (void *)1, 4), EFAULT, "at 1: EFAULT");
	fails(setsockopt(sv[0], SOL_SOCKET, 999, (void *)1, 4), EFAULT,
	      "before the name is looked at");
	fails(setsockopt(sv[0], 0, SO_KEEPALIVE, &v, 4), EOPNOTSUPP,
	      "of another level: EOPNOTSUPP");
	close_pair(sv);
}

static void asking(void)
{
	void *volatile bad = (void *)1;
	struct timeval tv = { 3, 123456 };
	struct linger ling = { 5, 7 };
	unsigned char bytes[8];
	socklen_t len;
	int sv[2], v = 0;

	make_pair(sv, SOCK_SEQPACKET);
	memset(bytes, 0xee, sizeof(bytes));
	len = 2;
	is(getsockopt(sv[0], SOL_SOCKET, SO_TYPE, bytes, &len), 0, "getsockopt of 2 bytes");
	ok(len == 2 && bytes[0] == 5 && bytes[1] == 0 && bytes[2] == 0xee, "gets 2");
	len = 100;
	getsockopt(sv[0], SOL_SOCKET, SO_TYPE, bytes, &len);
	is(len, 4, "of 100: 4");
	len = -1;
	fails(getsockopt(sv[0], SOL_SOCKET, SO_TYPE, bytes, &len), EINVAL, "of -1: EINVAL");
	len = 4;
	fails(getsockopt(sv[0], SOL_SOCKET, SO_TYPE, bad, &len), EFAULT, "to 1: EFAULT");
	fails(getsockopt(sv[0], SOL_SOCKET, SO_TYPE, &v, bad), EFAULT, "length at 1: EFAULT");
	fails(getsockopt(sv[0], SOL_SOCKET, 999, &v, bad), EFAULT, "before the name is looked at");
	fails(getsockopt(sv[0], 0, SO_TYPE, &v, &len), EOPNOTSUPP, "of another level: EOPNOTSUPP");
	is(setsockopt(sv[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0, "SO_RCVTIMEO");
	tv = (struct timeval){ 0 };
	len = sizeof(tv);
	is(getsockopt(sv[0], SOL_SOCKET, SO_RCVTIMEO, &tv, &len), 0, "can be asked for");
	ok(len == sizeof(tv) && tv.tv_sec == 3 && tv.tv_usec >= 123456 && tv.tv_usec < 135000,
	   "and is what was set, or a little more");
	len = sizeof(tv);
	is(getsockopt(sv[0], SOL_SOCKET, SO_SNDTIMEO, &tv, &len), 0, "SO_SNDTIMEO");
	ok(tv.tv_sec == 0 && tv.tv_usec == 0, "is none");
	tv = (struct timeval){ 0, 1000000 };
	fails(setsockopt(sv[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), EDOM,
	      "1000000 us: EDOM");
	fails(setsockopt(sv[0], SOL_SOCKET, SO_RCVTIMEO, &tv, 8), EINVAL, "8 bytes of it: EINVAL");
	is(setsockopt(sv[0], SOL_SOCKET, SO_LINGER, &ling, sizeof(ling)), 0, "SO_LINGER");
	ling = (struct linger){ 0 };
	len = sizeof(ling);
	is(getsockopt(sv[0], SOL_SOCKET, SO_LINGER, &ling, &len), 0, "can be asked for");
	ok(ling.l_onoff == 1 && ling.l_linger == 7, "on, 7 s");
	fails(setsockopt(sv[0], SOL_SOCKET, SO_LINGER, &ling, 4), EINVAL, "4 bytes of it: EINVAL");
	close_pair(sv);
}

static void names(void)
{
	struct sockaddr_un name;
	socklen_t len = sizeof(name);
	int sv[2];

	make_pair(sv, SOCK_STREAM);
	memset(&name, 0xee, sizeof(name));
	is(getsockname(sv[0], (void *)&name, &len), 0, "getsockname");
	ok(len == 2 && name.sun_family == AF_UNIX && name.sun_path[0] == (char)0xee,
	   "a family alone");
	len = 1;
	is(getpeername(sv[0], (void *)&name, &len), 0, "getpeername with room for 1 byte");
	is(len, 2, "would need 2");
	len = -1;
	fails(getsockname(sv[0], (void *)&name, &len), EINVAL, "with room for -1: EINVAL");
	len = 2;
	fails(getsockname(sv[0], (void *)1, &len), EFAULT, "to 1: EFAULT");
	fails(getsockname(sv[0], (void *)&name, (void *)1), EFAULT, "length at 1: EFAULT");
	close(sv[1]);
	is(getpeername(sv[0], (void *)&name, &len), 0, "getpeername of what was closed");
	close(sv[0]);
	make_pair(sv, SOCK_DGRAM);
	close(sv[1]);
	is(getpeername(sv[0], (void *)&name, &len), 0, "also of a dgram");
	fails(send(sv[0], "x", 1, 0), ECONNREFUSED, "until a message was refused");
	fails(getpeername(sv[0], (void *)&name, &len), ENOTCONN, "then there is none: ENOTCONN");
	close(sv[0]);
}

/* Numbers are used up: nothing is left open, and no half of a pair. */
static void exhausted(void)
{
	struct rlimit old, few;
	int told[2] = { -7, -7 }, before = count_fds();
	int sv[2], *to = told;

	getrlimit(RLIMIT_NOFILE, &old);
	few = old;
	few.rlim_cur = before;
	setrlimit(RLIMIT_NOFILE, &few);
	fails(socketpair(AF_UNIX, SOCK_STREAM, 0, to), EMFILE, "no number is left: EMFILE");
	few.rlim_cur = before + 1;
	setrlimit(RLIMIT_NOFILE, &few);
	fails(socketpair(AF_UNIX, SOCK_STREAM, 0, to), EMFILE, "one is left: EMFILE");
	fails(socketpair(45, SOCK_STREAM, 0, to), EMFILE, "whatever the family");
	ok(told[0] == -7 && told[1] == -7, "nothing was told");
	setrlimit(RLIMIT_NOFILE, &old);
	is(count_fds(), before, "as many descriptors as before");
	is(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0, "socketpair works again");
	close_pair(sv);
}

int main(int argc, char **argv)
{
	int before;

	tap_start(argc, argv, NULL);
	before = count_fds();
	for (size_t i = 0; i < COUNT(kinds); i++)
		making(kinds[i].type, kinds[i].name);
	refusals();
	as_files();
	not_sockets();
	for (size_t i = 0; i < COUNT(kinds); i++)
		options(kinds[i].type, kinds[i].name);
	setting();
	asking();
	names();
	exhausted();
	is(count_fds(), before, "no descriptor is left open");
	return done_testing();
}
