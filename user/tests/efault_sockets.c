/* SPDX-License-Identifier: MIT */
/* runs as root */
/* Pointers of calls about sockets, descriptors of processes, groups and mounts, at the edge of what is mapped. */
#include "edges.h"
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

enum { NR_pidfd_send_signal = 424, NR_pidfd_open = 434, NR_clone3, NR_process_madvise = 440 };
enum { NR_futex_waitv = 449, NR_faccessat2 = 439, NR_execveat = 322 };
#define CLONE_PIDFD_ 0x1000

enum { STREAM = 10, STREAM_, DGRAM, DGRAM_, PIDFD, HERE };

static char buf[256], buf2[256], control[CMSG_SPACE(2 * sizeof(int))], dir[100];
static struct iovec whole_pages, two_iovs[2] = { { buf, 8 }, { buf2, 8 } };
static struct msghdr plain = { .msg_iov = two_iovs, .msg_iovlen = 2 };
static struct mmsghdr several[2];
static struct sockaddr_un name = { .sun_family = AF_UNIX };
static socklen_t four = 4, sixteen = 16;
static const int on = 1;
static const struct timeval no_time;
static const struct timespec moment = { 0, 1000 };
static const unsigned int groups[4] = { 1, 2, 3, 4 };
static int would_be, receptions;
static siginfo_t queued = { .si_signo = SIGCONT, .si_code = SI_QUEUE };
static unsigned long clone_args[11] = { [0] = CLONE_PIDFD_, [4] = SIGCHLD };
static unsigned int futex_word;
static struct {
	unsigned long val, uaddr;
	unsigned int flags, reserved;
} wait_word = { 1, 0, 2, 0 };

/* --- before and after ----------------------------------------------------------------------------- */

/* Nothing is on its way. */
static void empty(void)
{
	char any[256];

	for (int fd = STREAM; fd <= DGRAM_; fd++)
		while (recv(fd, any, sizeof(any), MSG_DONTWAIT) > 0)
			;
}

static void undo_send(long ret)
{
	empty();
}

static void reset_length(void)
{
	sixteen = 16;
}

static void message_waits(void)
{
	empty();
	send(STREAM_, "12345678", 8, 0);
	send(DGRAM_, "12345678", 8, 0);
	send(DGRAM_, "12345678", 8, 0);
}

/* Two descriptors. */
static void fill_control(void)
{
	struct cmsghdr *c = (struct cmsghdr *)control;
	int fds[2] = { 0, 1 };

	empty();
	c->cmsg_len = CMSG_LEN(sizeof(fds));
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	memcpy(CMSG_DATA(c), fds, sizeof(fds));
}

static long send_control(char *at)
{
	struct msghdr m = plain;

	m.msg_control = at, m.msg_controllen = sizeof(control);
	return result(syscall(SYS_sendmsg, DGRAM_, &m, 0));
}

static long send_name(char *at)
{
	struct msghdr m = plain;

	m.msg_name = at, m.msg_namelen = 110;
	return result(syscall(SYS_sendmsg, DGRAM_, &m, 0));
}

static long send_parts(char *at)
{
	struct msghdr m = plain;

	m.msg_iov = (struct iovec *)at;
	return result(syscall(SYS_sendmsg, DGRAM_, &m, 0));
}

static long receive_parts(char *at)
{
	struct msghdr m = plain;

	m.msg_iov = (struct iovec *)at;
	return result(syscall(SYS_recvmsg, DGRAM, &m, MSG_DONTWAIT));
}

static void descriptor_waits(void)
{
	fill_control();
	send_control(control);
}

/* The lowest number that isn't open. */
static int next_fd(void)
{
	int fd = 0;

	while (fcntl(fd, F_GETFD) >= 0)
		fd++;
	return fd;
}

/* Room for one descriptor: where it can't be told, Linux doesn't say so. */
static long receive_control(char *at)
{
	struct msghdr m = plain;

	m.msg_control = at, m.msg_controllen = CMSG_LEN(sizeof(int));
	would_be = next_fd();
	return result(syscall(SYS_recvmsg, DGRAM, &m, MSG_DONTWAIT));
}

/* A number that can't be written is taken back; what comes before it doesn't matter. */
static void undo_received(long ret)
{
	bool there = fcntl(would_be, F_GETFD) >= 0;

	if (there)
		close(would_be);
	receptions = receptions * 2 + there;
}

static void undo_pair(long ret)
{
	int *fds = (int *)(page + PAGE - 8);

	close(fds[0]), close(fds[1]);
}

static void undo_child(long ret)
{
	/* A clone is in two places. */
	if (ret == 0)
		_exit(0);
	close(*(int *)(page + PAGE - 4));
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static void undo_child3(long ret)
{
	if (ret == 0)
		_exit(0);
	close(*(int *)buf);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static void mounted(void)
{
	umount(dir);
	mount("x", dir, "tmpfs", 0, NULL);
}

static void undo_mount(long ret)
{
	umount(dir);
}

static void four_groups(void)
{
	syscall(SYS_setgroups, 4, groups);
}

static void no_groups(long ret)
{
	syscall(SYS_setgroups, 0, NULL);
}

/* --- rows ----------------------------------------------------------------------------------------- */

static struct edge rows[] = {
	{ "socketpair",
	  SYS_socketpair,
	  { AF_UNIX, SOCK_STREAM, 0, 0 },
	  3,
	  8,
	  NULL,
	  .undo = undo_pair },
	{ "sendto, data", SYS_sendto, { DGRAM, 0, 8, 0, 0, 0 }, 1, 8, "12345678", .undo = undo_send },
	{ "sendto of a stream",
	  SYS_sendto,
	  { STREAM, 0, 8, 0, 0, 0 },
	  1,
	  8,
	  "12345678",
	  .undo = undo_send },
	{ "sendto, name",
	  SYS_sendto,
	  { DGRAM, S(buf), 8, 0, 0, 110 },
	  4,
	  110,
	  &name,
	  .want = -ECONNREFUSED },
	{ "sendmsg, header", SYS_sendmsg, { DGRAM, 0, 0 }, 1, 56, &plain, .undo = undo_send },
	{ "sendmmsg, headers",
	  SYS_sendmmsg,
	  { DGRAM, 0, 1, 0 },
	  1,
	  60,
	  several,
	  .setup = empty,
	  .undo = undo_send },
	{ "recvfrom, data",
	  SYS_recvfrom,
	  { DGRAM, 0, 8, 0, 0, 0 },
	  1,
	  8,
	  NULL,
	  .setup = message_waits },
	{ "recvfrom, length of the name",
	  SYS_recvfrom,
	  { DGRAM, S(buf), 8, 0, S(&name), 0 },
	  5,
	  4,
	  &sixteen,
	  .setup = message_waits },
	{ "recvmsg, header", SYS_recvmsg, { DGRAM, 0, 0 }, 1, 56, &plain, .setup = message_waits },
	{ "recvmmsg, headers",
	  SYS_recvmmsg,
	  { DGRAM, 0, 1, 0, 0 },
	  1,
	  60,
	  several,
	  .setup = message_waits },
	{ "recvmmsg, time",
	  SYS_recvmmsg,
	  { DGRAM, S(several), 1, 0, 0 },
	  4,
	  16,
	  &moment,
	  .setup = message_waits },
	{ "getsockname, name",
	  SYS_getsockname,
	  { STREAM, 0, S(&sixteen) },
	  1,
	  2,
	  NULL,
	  .setup = reset_length },
	{ "getsockname, length", SYS_getsockname, { STREAM, S(&name), 0 }, 2, 4, &sixteen },
	{ "getpeername, name",
	  SYS_getpeername,
	  { STREAM, 0, S(&sixteen) },
	  1,
	  2,
	  NULL,
	  .setup = reset_length },
	{ "getpeername, length", SYS_getpeername, { STREAM, S(&name), 0 }, 2, 4, &sixteen },
	{ "getsockopt, value",
	  SYS_getsockopt,
	  { STREAM, SOL_SOCKET, SO_TYPE, 0, S(&four) },
	  3,
	  4,
	  NULL },
	{ "getsockopt, length",
	  SYS_getsockopt,
	  { STREAM, SOL_SOCKET, SO_TYPE, S(buf), 0 },
	  4,
	  4,
	  &four },
	{ "SO_PEERCRED",
	  SYS_getsockopt,
	  { STREAM, SOL_SOCKET, SO_PEERCRED, 0, S(&sixteen) },
	  3,
	  12,
	  NULL,
	  .setup = reset_length },
	{ "setsockopt", SYS_setsockopt, { STREAM, SOL_SOCKET, SO_KEEPALIVE, 0, 4 }, 3, 4, &on },
	{ "SO_RCVTIMEO",
	  SYS_setsockopt,
	  { STREAM, SOL_SOCKET, SO_RCVTIMEO, 0, 16 },
	  3,
	  16,
	  &no_time },
	{ "pidfd_send_signal", NR_pidfd_send_signal, { PIDFD, SIGCONT, 0, 0 }, 2, 48, &queued },
	{ "clone, CLONE_PIDFD",
	  SYS_clone,
	  { CLONE_PIDFD_ | SIGCHLD, 0, 0, 0, 0 },
	  2,
	  4,
	  NULL,
	  .undo = undo_child },
	{ "clone3 with a pidfd",
	  NR_clone3,
	  { 0, sizeof(clone_args) },
	  0,
	  sizeof(clone_args),
	  clone_args,
	  .undo = undo_child3 },
	{ "futex_waitv", NR_futex_waitv, { 0, 1, 0, 0, 0 }, 0, 24, &wait_word, .want = -EAGAIN },
	{ "execveat, name", NR_execveat, { HERE, 0, 0, 0, 0 }, 1, 0, "none", .want = -ENOENT },
	/* in a message's header */
	{ "sendmsg, name", .call = send_name, .size = 110, .data = &name, .want = -ECONNREFUSED },
	{ "sendmsg, parts", .call = send_parts, .size = 32, .data = two_iovs, .undo = undo_send },
	{ "sendmsg, control", .call = send_control, .size = sizeof(control), .data = control,
	  .setup = fill_control, .undo = undo_send },
	{ "recvmsg, parts", .call = receive_parts, .size = 32, .data = two_iovs,
	  .setup = message_waits },
	{ "recvmsg, control", .call = receive_control, .size = CMSG_LEN(sizeof(int)),
	  .setup = descriptor_waits, .undo = undo_received, .flags = EDGE_WORKS },
	/* for root, from here on */
	{ "process_madvise",
	  NR_process_madvise,
	  { PIDFD, 0, 1, 20 /* MADV_COLD */, 0 },
	  1,
	  16,
	  &whole_pages },
	{ "getgroups", SYS_getgroups, { 4, 0 }, 1, 16, NULL, .setup = four_groups, .want = 4 },
	{ "mount, source",
	  SYS_mount,
	  { 0, S(dir), S("tmpfs"), 0, 0 },
	  0,
	  0,
	  "source",
	  .undo = undo_mount },
	{ "mount, directory",
	  SYS_mount,
	  { S("x"), 0, S("tmpfs"), 0, 0 },
	  1,
	  0,
	  "d",
	  .undo = undo_mount },
	{ "mount, type", SYS_mount, { S("x"), S(dir), 0, 0, 0 }, 2, 0, "tmpfs", .undo = undo_mount },
	{ "umount2", SYS_umount2, { 0, 0 }, 0, 0, "d", .setup = mounted },
	{ "setgroups", SYS_setgroups, { 4, 0 }, 1, 16, groups, .undo = no_groups },
	{ "chroot", SYS_chroot, { 0 }, 0, 0, "/" },
};

#define FOR_ROOT 8

/* Data of mount(2) is what can be read of a page: half of it is enough, nothing isn't. */
static void mount_data(void)
{
	char *text = page + PAGE - 9;

	memcpy(text, "size=1M\0", 8);
	is(result(syscall(SYS_mount, "x", dir, "tmpfs", 0, text)), 0,
	   "mount: data that ends before the page");
	umount(dir);
	memcpy(text + 1, "mode=700", 8);
	is(result(syscall(SYS_mount, "x", dir, "tmpfs", 0, text + 1)), 0,
	   "... and data that ends with the page, without a zero");
	umount(dir);
	is(result(syscall(SYS_mount, "x", dir, "tmpfs", 0, page + PAGE)), -EFAULT,
	   "... none of which is there: EFAULT");
	is(result(syscall(SYS_mount, "x", dir, "tmpfs", 0, page - 1)), -EFAULT,
	   "... whose first byte isn't: EFAULT");
	is(result(umount(dir)), -EINVAL, "nothing is mounted");
}

static void at_numbers(int type, int first)
{
	int sv[2];

	if (socketpair(AF_UNIX, type, 0, sv))
		_exit(3);
	dup2(sv[0], first), dup2(sv[1], first + 1);
	close(sv[0]), close(sv[1]);
}

static void prepare(void)
{
	int fd = (int)syscall(NR_pidfd_open, getpid(), 0);

	dup2(fd, PIDFD);
	close(fd);
	at_numbers(SOCK_STREAM, STREAM);
	at_numbers(SOCK_DGRAM, DGRAM);
	fd = open(".", O_RDONLY);
	dup2(fd, HERE);
	close(fd);
	several[0].msg_hdr = plain;
	whole_pages = (struct iovec){ page, PAGE };
	queued.si_pid = getpid();
	clone_args[1] = (unsigned long)buf;
	wait_word.uaddr = (unsigned long)&futex_word;
	signal(SIGCONT, SIG_IGN);
}

int main(int argc, char **argv)
{
	static const char *const none[] = { NULL };
	bool root;

	tap_start(argc, argv, NULL);
	root = geteuid() == 0;
	make_dir("efault_sockets");
	if (chdir(test_dir))
		skip_all("no working directory");
	mkdir("d", 0755);
	snprintf(dir, sizeof(dir), "%s", in_dir("d"));
	edges_start();
	prepare();
	try_edges(rows, COUNT(rows) - (root ? 0 : FOR_ROOT));
	is(receptions, 5, "a descriptor came but where its number couldn't be written");
	umount(dir);
	if (root)
		mount_data();
	rmdir("d");
	if (chdir("/"))
		return 1;
	clean_dir(none);
	return done_testing();
}
