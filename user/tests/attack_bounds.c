/* SPDX-License-Identifier: MIT */
/*
 * One more than a call takes: names, paths, links that lead on, vectors, descriptors, strings of a new program.
 * Each with the most that it takes first, which must work.
 */
#include "attacks.h"
#include <poll.h>
#include <sched.h>

static char name_255[256], name_256[257]; /* of so many letters */
static char path_4095[4096], path_4096[4097];
static char test_dir[64], target[80];
static char link_40[80], link_41[80]; /* the last of so many links that follow each other */

static void make_names(void)
{
	memset(name_255, 'n', 255);
	memset(name_256, 'n', 256);
	memset(path_4095, '/', 4095);
	memset(path_4096, '/', 4096);
	memcpy(path_4095 + 4095 - 4, "/tmp", 4);
	memcpy(path_4096 + 4096 - 4, "/tmp", 4);
}

static void make_links(void)
{
	char from[80], to[80];

	snprintf(target, sizeof(target), "%s/target", test_dir);
	strcpy(to, target);
	close(open(to, O_CREAT | O_RDWR, 0600));
	for (int i = 1; i <= 41; i++) {
		snprintf(from, sizeof(from), "%s/link%d", test_dir, i);
		if (symlink(to, from))
			diag("no link: errno %d", errno);
		strcpy(to, from);
		if (i == 40)
			strcpy(link_40, from);
	}
	strcpy(link_41, to);
}

static void remove_links(void)
{
	char name[80];

	for (int i = 1; i <= 41; i++) {
		snprintf(name, sizeof(name), "%s/link%d", test_dir, i);
		unlink(name);
	}
	unlink(target);
}

/* --- calls with a name -------------------------------------------------------------------------------- */

static unsigned char buf[8192] __attribute__((aligned(16)));

#define NAMED(what, call)                  \
	static long what(const char *name) \
	{                                  \
		return (call);             \
	}

NAMED(n_open, raw(SYS_open, name, O_RDONLY))
NAMED(n_openat2, raw(SYS_openat2, AT_FDCWD, name, memset(buf, 0, 24), 24))
NAMED(n_creat, raw(SYS_creat, name, 0600))
NAMED(n_stat, raw(SYS_stat, name, buf))
NAMED(n_lstat, raw(SYS_lstat, name, buf))
NAMED(n_statx, raw(SYS_statx, AT_FDCWD, name, 0, 0x7ff, buf))
NAMED(n_statfs, raw(SYS_statfs, name, buf))
NAMED(n_access, raw(SYS_access, name, 0))
NAMED(n_faccessat2, raw(SYS_faccessat2, AT_FDCWD, name, 0, 0))
NAMED(n_chdir, raw(SYS_chdir, name))
NAMED(n_chmod, raw(SYS_chmod, name, 0600))
NAMED(n_chown, raw(SYS_chown, name, -1, -1))
NAMED(n_truncate, raw(SYS_truncate, name, 0))
NAMED(n_utimensat, raw(SYS_utimensat, AT_FDCWD, name, NULL, 0))
NAMED(n_mkdir, raw(SYS_mkdir, name, 0700))
NAMED(n_mknod, raw(SYS_mknod, name, 0100600, 0))
NAMED(n_rmdir, raw(SYS_rmdir, name))
NAMED(n_unlink, raw(SYS_unlink, name))
NAMED(n_link_to, raw(SYS_link, "/etc/motd", name))
NAMED(n_link_from, raw(SYS_link, name, "/tmp/attack-new"))
NAMED(n_symlink, raw(SYS_symlink, "x", name))
NAMED(n_readlink, raw(SYS_readlink, name, buf, 10))
NAMED(n_rename_from, raw(SYS_rename, name, "/tmp/attack-new"))
NAMED(n_rename_to, raw(SYS_rename, target, name))
NAMED(n_getxattr, raw(SYS_getxattr, name, "user.x", buf, 10))
NAMED(n_execve, raw(SYS_execve, name, NULL, NULL))
NAMED(n_execveat, raw(SYS_execveat, AT_FDCWD, name, NULL, NULL, 0))

static const struct {
	const char *name;
	long (*call)(const char *name);
	bool follows; /* a link at its end */
} named[] = {
	{ "open", n_open, true },
	{ "openat2", n_openat2, true },
	{ "creat", n_creat, true },
	{ "stat", n_stat, true },
	{ "lstat", n_lstat, false },
	{ "statx", n_statx, true },
	{ "statfs", n_statfs, true },
	{ "access", n_access, true },
	{ "faccessat2", n_faccessat2, true },
	{ "chdir", n_chdir, true },
	{ "chmod", n_chmod, true },
	{ "chown", n_chown, true },
	{ "truncate", n_truncate, true },
	{ "utimensat", n_utimensat, true },
	{ "mkdir", n_mkdir, false },
	{ "mknod", n_mknod, false },
	{ "rmdir", n_rmdir, false },
	{ "unlink", n_unlink, false },
	{ "link's new name", n_link_to, false },
	{ "link's old name", n_link_from, false },
	{ "symlink", n_symlink, false },
	{ "readlink", n_readlink, false },
	{ "rename's old name", n_rename_from, false },
	{ "rename's new name", n_rename_to, false },
	{ "getxattr", n_getxattr, true },
	{ "execve", n_execve, true },
	{ "execveat", n_execveat, true },
};

static void names(void)
{
	static char long_name[300];

	for (size_t i = 0; i < COUNT(named); i++) {
		long (*call)(const char *) = named[i].call;

		snprintf(long_name, sizeof(long_name), "/tmp/none/%s", name_256);
		is(call(path_4096), -ENAMETOOLONG, "%s: a path of 4096 bytes", named[i].name);
		ok(call(path_4095) != -ENAMETOOLONG, "%s: but not one of 4095", named[i].name);
		is(call(long_name + 4), -ENOENT, "%s: a name of 256 where nothing is",
		   named[i].name);
		is(call(name_256), -ENAMETOOLONG, "%s: a name of 256 bytes", named[i].name);
		if (named[i].follows) {
			is(call(link_41), -ELOOP, "%s: 41 links", named[i].name);
			ok(call(link_40) != -ELOOP, "%s: but not 40", named[i].name);
		}
	}
	raw(SYS_chdir, test_dir);
	is(raw(SYS_mkdir, name_255, 0700), 0, "a name of 255 bytes");
	is(raw(SYS_rmdir, name_255), 0, "can be used");
	is(raw(SYS_memfd_create, name_255, 0), -EINVAL, "memfd_create: 255");
	name_255[250] = '\0';
	is(raw(SYS_memfd_create, name_255, 0), -EINVAL, "memfd_create: 250");
	name_255[249] = '\0';
	ok(raw(SYS_memfd_create, name_255, 0) >= 0, "memfd_create: 249");
}

/* --- vectors ------------------------------------------------------------------------------------------------ */

#define IOVS 1024

static struct iovec iov[IOVS + 1], some; /* no bytes, and some */
static int sockets[2], file, self;

static long by_message(long nr, int sock, long n)
{
	struct {
		void *name;
		long name_len;
		struct iovec *iov;
		long n, rest[4];
	} m = { .iov = iov, .n = n };

	return nr == SYS_sendmmsg || nr == SYS_recvmmsg ? raw(nr, sock, &m, 1, MSG_DONTWAIT, NULL) :
							  raw(nr, sock, &m, MSG_DONTWAIT);
}

#define VECTOR(what, call)       \
	static long what(long n) \
	{                        \
		return (call);   \
	}

VECTOR(v_readv, raw(SYS_readv, file, iov, n))
VECTOR(v_writev, raw(SYS_writev, file, iov, n))
VECTOR(v_preadv, raw(SYS_preadv, file, iov, n, 0, 0))
VECTOR(v_pwritev, raw(SYS_pwritev, file, iov, n, 0, 0))
VECTOR(v_preadv2, raw(SYS_preadv2, file, iov, n, 0, 0, 0))
VECTOR(v_pwritev2, raw(SYS_pwritev2, file, iov, n, 0, 0, 0))
VECTOR(v_vm_local, raw(SYS_process_vm_readv, my_pid(), iov, n, iov, 1, 0))
VECTOR(v_vm_remote, raw(SYS_process_vm_readv, my_pid(), &some, 1, iov, n, 0))
VECTOR(v_vm_write_local, raw(SYS_process_vm_writev, my_pid(), iov, n, iov, 1, 0))
VECTOR(v_vm_write_remote, raw(SYS_process_vm_writev, my_pid(), &some, 1, iov, n, 0))
VECTOR(v_madvise, raw(SYS_process_madvise, self, iov, n, MADV_COLD, 0))
VECTOR(v_sendmsg, by_message(SYS_sendmsg, sockets[0], n))
VECTOR(v_recvmsg, by_message(SYS_recvmsg, sockets[1], n))
VECTOR(v_sendmmsg, by_message(SYS_sendmmsg, sockets[0], n))
VECTOR(v_recvmmsg, by_message(SYS_recvmmsg, sockets[1], n))

static void vectors(void)
{
	static const struct {
		const char *name;
		long (*call)(long n);
		long want;
	} calls[] = {
		{ "readv", v_readv, -EINVAL },
		{ "writev", v_writev, -EINVAL },
		{ "preadv", v_preadv, -EINVAL },
		{ "pwritev", v_pwritev, -EINVAL },
		{ "preadv2", v_preadv2, -EINVAL },
		{ "pwritev2", v_pwritev2, -EINVAL },
		{ "process_vm_readv", v_vm_local, -EINVAL },
		{ "process_vm_readv there", v_vm_remote, -EINVAL },
		{ "process_vm_writev", v_vm_write_local, -EINVAL },
		{ "process_vm_writev there", v_vm_write_remote, -EINVAL },
		{ "process_madvise", v_madvise, -EINVAL },
		{ "sendmsg", v_sendmsg, -EMSGSIZE },
		{ "recvmsg", v_recvmsg, -EMSGSIZE },
		{ "sendmmsg", v_sendmmsg, -EMSGSIZE },
		{ "recvmmsg", v_recvmmsg, -EMSGSIZE },
	};

	long got;

	some = (struct iovec){ buf, 8 };
	for (int i = 0; i <= IOVS; i++)
		iov[i] = (struct iovec){ fresh(1, RW), 0 };
	for (size_t i = 0; i < COUNT(calls); i++) {
		is(calls[i].call(IOVS + 1), calls[i].want, "%s: %d buffers", calls[i].name,
		   IOVS + 1);
		is(calls[i].call(-1), calls[i].want, "%s: -1", calls[i].name);
		/* Who may not give advice is told so. */
		got = calls[i].call(IOVS);
		ok(got >= 0 || got == -EPERM, "%s: %d", calls[i].name, IOVS);
	}
}

/* --- and others ----------------------------------------------------------------------------------------- */

/* A program with one string of that length, as an argument or a variable. */
static long exec_string(size_t len, bool variable)
{
	static char text[131073];
	char *with[] = { "attack_bounds", "nothing", text, NULL };
	char *without[] = { "attack_bounds", "nothing", NULL };

	memset(text, 'x', len);
	text[len] = '\0';
	return wait_status(
		spawn("/proc/self/exe", variable ? without : with, variable ? with + 2 : NULL));
}

struct waiter {
	unsigned long value, word;
	unsigned int flags, reserved;
};

/* futex_waitv(2). */
static long wait_for(long n)
{
	static struct waiter waiters[129];
	static int word;

	/* None of the words is what is waited for. */
	for (int i = 0; i < 129; i++)
		waiters[i] = (struct waiter){ 1, (unsigned long)&word, 2, 0 };
	return raw(449, waiters, n, 0, NULL, 0);
}

static void others(void)
{
	cpu_set_t set;

	is(exec_string(131072, false), -E2BIG, "an argument of 128 KiB and its end");
	is(exec_string(131072, true), -E2BIG, "such a variable");
	is(exec_string(131071, false), 0, "an argument of one byte less");
	is(exec_string(131071, true), 0, "such a variable");
	is(wait_for(129), -EINVAL, "futex_waitv: 129 words");
	is(wait_for(-1), -EINVAL, "futex_waitv: -1");
	is(wait_for(128), -EAGAIN, "futex_waitv: 128");
	memset(buf, 0, sizeof(buf));
	is(raw(SYS_openat2, AT_FDCWD, "/", buf, 4097), -E2BIG, "openat2: 4097 bytes");
	is(raw(SYS_openat2, AT_FDCWD, "/", buf, 23), -EINVAL, "openat2: 23");
	ok(raw(SYS_openat2, AT_FDCWD, "/", buf, 4096) >= 0, "openat2: 4096");
	buf[4095] = 1;
	is(raw(SYS_openat2, AT_FDCWD, "/", buf, 4096), -E2BIG, "openat2: the last of them isn't 0");
	is(raw(SYS_clone3, buf, 4097), -E2BIG, "clone3: 4097 bytes");
	is(raw(SYS_clone3, buf, 63), -EINVAL, "clone3: 63");
	is(raw(SYS_clone3, buf, 4096), -E2BIG, "clone3: 4096, the last of which isn't 0");
	is(raw(SYS_select, -1, NULL, NULL, NULL, buf), -EINVAL, "select: -1");
	is(raw(SYS_getgroups, -1, buf), -EINVAL, "getgroups: -1");
	is(raw(SYS_sched_getaffinity, 0, 7, &set), -EINVAL, "sched_getaffinity: 7 bytes");
	is(raw(SYS_set_robust_list, buf, 25), -EINVAL, "set_robust_list: 25 bytes");
	is(raw(SYS_rt_sigprocmask, 0, NULL, buf, 9), -EINVAL, "rt_sigprocmask: 9 bytes");
	is(raw(SYS_rt_sigpending, buf, 9), -EINVAL, "rt_sigpending: 9 bytes");
	is(raw(SYS_setsockopt, sockets[0], SOL_SOCKET, SO_SNDBUFFORCE, buf, 4), -EPERM,
	   "SO_SNDBUFFORCE, beyond the system's limit");
	is(raw(SYS_kill, my_pid(), 65), -EINVAL, "kill: signal 65");
	is(raw(SYS_dup2, 0, INT32_MAX), -EBADF, "dup2: beyond all descriptors");
	is(raw(SYS_fcntl, 0, F_DUPFD, INT32_MAX), -EINVAL, "F_DUPFD: beyond all descriptors");
	ok(raw(SYS_close_range, 1000000, UINT32_MAX, 0) == 0, "close_range: beyond all of them");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, programs);
	snprintf(test_dir, sizeof(test_dir), "/tmp/attack_bounds.%d", my_pid());
	is(raw(SYS_mkdir, test_dir, 0700), 0, "a directory");
	make_names();
	make_links();
	file = open("/tmp/attack-vector", O_RDWR | O_CREAT | O_TRUNC, 0600);
	unlink("/tmp/attack-vector");
	self = raw(SYS_pidfd_open, my_pid(), 0);
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets) || file < 0 || self < 0)
		diag("something is missing: errno %d", errno);
	names();
	vectors();
	others();
	remove_links();
	rmdir(test_dir);
	return done_testing();
}
