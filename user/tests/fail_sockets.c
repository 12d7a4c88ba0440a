/* SPDX-License-Identifier: MIT */
/* Sockets, and descriptors of processes, with each allocation failed in turn. */
#include "failing.h"
#include "files.h"
#include "vm.h"
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#ifndef SYS_execveat
#define SYS_execveat 322
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif

enum { STREAM = 10, STREAM_, DGRAM, DGRAM_, PIDFD, PROGRAM };

#define LARGE 40000

static char buf[LARGE], buf2[LARGE], control[128], received[128];
static struct iovec iov[12];
static struct msghdr message, answer;
static struct mmsghdr several[3];
static int ends[2], charged;
static struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "/nowhere" };
static int ends[2];

static void undo_pair(long ret)
{
	close(ends[0]), close(ends[1]);
}

/* Nothing is on its way, nor counts as if. */
static void empty(void)
{
	int n;

	for (int fd = STREAM; fd <= DGRAM_; fd++)
		/* An error of recvmmsg(2) may wait to be told. */
		while (recv(fd, buf2, sizeof(buf2), MSG_DONTWAIT) >= 0 || errno != EAGAIN)
			;
	for (int fd = STREAM; fd <= DGRAM_; fd++)
		charged += ioctl(fd, TIOCOUTQ, &n) || n;
}

static void undo_send(long ret)
{
	empty();
}

static void set_message(struct msghdr *m, char *data, char *cmsg)
{
	for (int i = 0; i < 12; i++)
		iov[i] = (struct iovec){ data + i * 100, 100 };
	*m = (struct msghdr){ .msg_iov = iov, .msg_iovlen = 12 };
	if (cmsg)
		m->msg_control = cmsg, m->msg_controllen = CMSG_SPACE(2 * sizeof(int));
}

static void setup_plain(void)
{
	empty();
	set_message(&message, buf, NULL);
}

static void setup_rights(void)
{
	struct cmsghdr *c = (struct cmsghdr *)control;
	int fds[2] = { 0, 1 };

	empty();
	set_message(&message, buf, control);
	c->cmsg_len = CMSG_LEN(sizeof(fds));
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(c), fds, sizeof(fds));
}

/* Descriptors wait to be received. */
static void setup_receive(void)
{
	setup_rights();
	sendmsg(STREAM, &message, 0);
	memset(received, 0, sizeof(received));
	set_message(&answer, buf2, received);
}

static void undo_receive(long ret)
{
	struct cmsghdr *c = (struct cmsghdr *)received;
	int fds[2] = { -1, -1 };

	if (answer.msg_controllen >= CMSG_LEN(sizeof(fds))) {
		memcpy(fds, CMSG_DATA(c), sizeof(fds));
		close(fds[0]), close(fds[1]);
	}
	empty();
}

static void setup_several(void)
{
	setup_plain();
	for (int i = 0; i < 3; i++)
		several[i] = (struct mmsghdr){ .msg_hdr = message };
}

static void setup_several_there(void)
{
	setup_several();
	for (int i = 0; i < 3; i++)
		send(DGRAM, buf, 100, 0);
}

static long all(long n, long want)
{
	return n == want ? 0 : n < 0 ? n : -ENOMEM;
}

static long do_send_large(void)
{
	return all(result(syscall(SYS_sendto, DGRAM, buf, LARGE, MSG_DONTWAIT, NULL, 0)), LARGE);
}

static long do_write_stream(void)
{
	return all(result(write(STREAM, buf, LARGE)), LARGE);
}

static long do_sendmmsg(void)
{
	return all(result(syscall(SYS_sendmmsg, DGRAM, several, 3, 0)), 3);
}

static long do_recvmmsg(void)
{
	return all(result(syscall(SYS_recvmmsg, DGRAM_, several, 3, MSG_DONTWAIT, NULL)), 3);
}

/* --- descriptors of processes ------------------------------------------------------------------- */

static long unshare_all(void)
{
	return result(unshare(CLONE_FILES | CLONE_FS));
}

static long do_unshare(void)
{
	return call_in_child(unshare_all);
}

static long exec_at(void)
{
	char *argv[] = { "test", "child", NULL };

	return result(syscall(SYS_execveat, AT_FDCWD, "/proc/self/exe", argv, NULL, 0));
}

static long do_execveat(void)
{
	return call_in_child(exec_at);
}

/* A script's interpreter is told a name for the descriptor. */
static long exec_fd(void)
{
	char *argv[] = { "test", "child", NULL };

	return result(syscall(SYS_execveat, PROGRAM, "", argv, NULL, 0x1000));
}

static long do_exec_fd(void)
{
	return call_in_child(exec_fd);
}

static int child_main(void)
{
	fail_fd = 63;
	return failed_now() ? 128 : 0;
}

static long do_clone_pidfd(void)
{
	int fd = -1;
	long pid = result(syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, &fd, NULL, 0));

	if (pid == 0)
		syscall(SYS_exit_group, 0);
	if (pid < 0)
		return pid;
	close(fd);
	waitpid((pid_t)pid, NULL, 0);
	return 0;
}

static long do_pidfd_open(void)
{
	return result(syscall(SYS_pidfd_open, getpid(), 0));
}

static long do_pidfd_getfd(void)
{
	return result(syscall(SYS_pidfd_getfd, PIDFD, 0, 0));
}

#define E(n) ((long)(n))
static const struct row rows[] = {
	{ "socketpair", .nr = SYS_socketpair, .args = { AF_UNIX, SOCK_STREAM, 0, E(ends) },
	  .undo = undo_pair, .also = ENFILE },
	{ "socketpair of datagrams", .nr = SYS_socketpair,
	  .args = { AF_UNIX, SOCK_DGRAM, 0, E(ends) }, .undo = undo_pair, .also = ENFILE },
	{ "socketpair of packets", .nr = SYS_socketpair,
	  .args = { AF_UNIX, SOCK_SEQPACKET, 0, E(ends) }, .undo = undo_pair, .also = ENFILE },
	{ "sendto", .nr = SYS_sendto, .args = { STREAM, E(buf), 100, 0, 0, 0 }, .setup = empty,
	  .undo = undo_send, .also = ENOBUFS },
	{ "a large datagram", .call = do_send_large, .setup = empty, .undo = undo_send,
	  .also = ENOBUFS },
	{ "a large write", .call = do_write_stream, .setup = empty, .undo = undo_send,
	  .also = ENOBUFS, .flags = PARTLY },
	{ "sendto a name", .nr = SYS_sendto, .args = { DGRAM, E(buf), 100, 0, E(&name), 110 },
	  .setup = empty, .also = ENOBUFS, .want = -ENOENT },
	{ "sendmsg", .nr = SYS_sendmsg, .args = { DGRAM, E(&message), 0 }, .setup = setup_plain,
	  .undo = undo_send, .also = ENOBUFS },
	{ "sendmsg with descriptors", .nr = SYS_sendmsg, .args = { STREAM, E(&message), 0 },
	  .setup = setup_rights, .undo = undo_send, .also = ENOBUFS },
	{ "sendmsg with descriptors, a datagram", .nr = SYS_sendmsg,
	  .args = { DGRAM, E(&message), 0 }, .setup = setup_rights, .undo = undo_send,
	  .also = ENOBUFS },
	{ "recvmsg with descriptors", .nr = SYS_recvmsg, .args = { STREAM_, E(&answer), 0 },
	  .setup = setup_receive, .undo = undo_receive },
	{ "recvmsg with a look at descriptors", .nr = SYS_recvmsg,
	  .args = { STREAM_, E(&answer), MSG_PEEK }, .setup = setup_receive, .undo = undo_receive },
	{ "sendmmsg", .call = do_sendmmsg, .setup = setup_several, .undo = undo_send,
	  .also = ENOBUFS, .flags = PARTLY },
	{ "recvmmsg", .call = do_recvmmsg, .setup = setup_several_there, .undo = undo_send,
	  .flags = PARTLY },
	{ "unshare", .call = do_unshare, .flags = CHILD },
	{ "execveat", .call = do_execveat, .flags = CHILD, .also = E2BIG },
	{ "execveat of a descriptor", .call = do_exec_fd, .flags = CHILD, .also = E2BIG },
	{ "CLONE_PIDFD", .call = do_clone_pidfd, .also = EAGAIN },
	{ "pidfd_open", .call = do_pidfd_open, .undo = undo_close },
	{ "pidfd_getfd", .call = do_pidfd_getfd, .undo = undo_close },
};

static void pair_at(int type, int first)
{
	if (socketpair(AF_UNIX, type, 0, ends))
		skip_all("no sockets");
	dup2(ends[0], first), dup2(ends[1], first + 1);
	undo_pair(0);
}

int main(int argc, char **argv)
{
	int fd;

	if (argc > 1)
		return child_main();
	tap_start(argc, argv, NULL);
	failing_need();
	make_dir("fail_sockets");
	if (chdir(test_dir))
		skip_all("no working directory");
	failing_start();
	memset(buf, 1, sizeof(buf)), memset(buf2, 1, sizeof(buf2));
	pair_at(SOCK_STREAM, STREAM);
	pair_at(SOCK_DGRAM, DGRAM);
	fd = (int)do_pidfd_open();
	dup2(fd, PIDFD), close(fd);
	fd = open("/proc/self/exe", O_RDONLY);
	dup2(fd, PROGRAM), close(fd);
	fail_rows(rows, COUNT(rows));
	is(charged, 0, "nothing is charged that isn't there");
	failing_summary();
	for (fd = STREAM; fd <= PROGRAM; fd++)
		close(fd);
	if (chdir("/"))
		return 1;
	clean_dir((const char *const[]){ NULL });
	return done_testing();
}
