/* SPDX-License-Identifier: MIT */
/*
 * Bytes of the kernel's in what it hands out: the padding of each structure is zero or stays as the
 * program had it, though the kernel's stack was full of something else just before.
 */
#include "raw_msghdr.h"
#include "signals.h"
#include <poll.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/times.h>
#include <sys/utsname.h>

/* --- structures ---------------------------------------------------------------------------------------- */

#define SPRAY 0xd7

/* Many calls' variables, on the kernel's stack, are full of one byte. */
static void spray(void)
{
	static unsigned char bytes[4096];
	struct pollfd fds[16];
	struct iovec iov[8];

	memset(bytes, SPRAY, sizeof(bytes));
	memset(fds, SPRAY, sizeof(fds));
	memset(iov, SPRAY, sizeof(iov));
	bytes[200] = 0;
	syscall(SYS_poll, fds, 16, 0);
	syscall(SYS_writev, -1, iov, 8);
	syscall(SYS_readv, 0, iov, 8);
	syscall(SYS_setxattr, "/", bytes, bytes, 100, 0);
	syscall(SYS_getxattr, "/", bytes, NULL, 0);
	syscall(SYS_rt_sigqueueinfo, getpid(), SPRAY, bytes);
	syscall(SYS_clone3, bytes, 88);
	syscall(SYS_rt_sigaction, 99, bytes, NULL, 8);
	syscall(SYS_open, bytes, O_RDONLY);
}

static unsigned char buf[4096] __attribute__((aligned(16)));
static int file, segment, timer, sockets[2], messages[2], pidfd;

#define GETTER(name, call)             \
	static long get_##name(void)   \
	{                              \
		return result((call)); \
	}

GETTER(stat, syscall(SYS_stat, "/", buf))
GETTER(fstat, syscall(SYS_fstat, file, buf))
GETTER(fstatat, syscall(SYS_newfstatat, AT_FDCWD, "/proc/self", buf, 0))
GETTER(statx, syscall(SYS_statx, AT_FDCWD, "/", 0, 0xfff, buf))
GETTER(statfs, syscall(SYS_statfs, "/tmp", buf))
GETTER(fstatfs, syscall(SYS_fstatfs, file, buf))
GETTER(sysinfo, syscall(SYS_sysinfo, buf))
GETTER(uname, syscall(SYS_uname, buf))
GETTER(rusage, syscall(SYS_getrusage, RUSAGE_SELF, buf))
GETTER(rlimit, syscall(SYS_prlimit64, 0, RLIMIT_STACK, NULL, buf))
GETTER(times, syscall(SYS_times, buf) < 0 ? -1 : 0)
GETTER(clock, syscall(SYS_clock_gettime, 1, buf))
GETTER(timeofday, syscall(SYS_gettimeofday, buf, buf + 16))
GETTER(itimer, syscall(SYS_getitimer, 0, buf))
GETTER(timer, syscall(SYS_timer_gettime, timer, buf))
GETTER(timer_id, syscall(SYS_timer_create, 1, NULL, buf))
GETTER(sigaction, syscall(SYS_rt_sigaction, SIGUSR2, NULL, buf, 8))
GETTER(sigmask, syscall(SYS_rt_sigprocmask, 0, NULL, buf, 8))
GETTER(sigpending, syscall(SYS_rt_sigpending, buf, 8))
GETTER(sigaltstack, syscall(SYS_sigaltstack, NULL, buf))
GETTER(shmid, syscall(SYS_shmctl, segment, IPC_STAT, buf))
GETTER(shm_info, syscall(SYS_shmctl, 0, 14, buf) < 0 ? -1 : 0)
GETTER(shminfo, syscall(SYS_shmctl, 0, 3, buf) < 0 ? -1 : 0)
GETTER(pipe, syscall(SYS_pipe2, buf, 0))
GETTER(affinity, syscall(SYS_sched_getaffinity, 0, 64, buf) < 0 ? -1 : 0)
GETTER(param, syscall(SYS_sched_getparam, 0, buf))
GETTER(interval, syscall(SYS_sched_rr_get_interval, 0, buf))
GETTER(name, syscall(SYS_prctl, 16, buf))
GETTER(resuid, syscall(SYS_getresuid, buf, buf + 8, buf + 16))
GETTER(cpu, syscall(SYS_getcpu, buf, buf + 8, NULL))
GETTER(getcwd, syscall(SYS_getcwd, buf, 1000) < 0 ? -1 : 0)
GETTER(readlink, syscall(SYS_readlink, "/proc/self/exe", buf, 1000) < 0 ? -1 : 0)

static long get_flock(void)
{
	struct flock *lock = (void *)buf;

	lock->l_type = F_WRLCK;
	lock->l_whence = lock->l_start = lock->l_len = 0;
	return result(syscall(SYS_fcntl, file, F_GETLK, buf));
}

static long get_siginfo(void)
{
	unsigned long set = BIT_OF(SIGUSR2), zero[2] = { 0, 0 };

	raise(SIGUSR2);
	return syscall(SYS_rt_sigtimedwait, &set, buf, zero, 8) == SIGUSR2 ? 0 : -1;
}

static long get_wait4(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	return syscall(SYS_wait4, pid, buf, 0, buf + 16) == pid ? 0 : -1;
}

static long get_waitid(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	return result(syscall(SYS_waitid, P_PID, pid, buf, WEXITED, NULL));
}

/* The call's int result doesn't matter, only that it isn't an error. */
#define ASKER(name, call)                   \
	static long get_##name(void)        \
	{                                   \
		return (call) < 0 ? -1 : 0; \
	}

static unsigned int room; /* for what says its length */

ASKER(clock_res, syscall(SYS_clock_getres, 1, buf))
ASKER(time, syscall(SYS_time, buf))
ASKER(robust, syscall(SYS_get_robust_list, 0, buf, buf + 8))
ASKER(caps, syscall(SYS_capget, (unsigned int[]){ 0x20080522, 0 }, buf))
ASKER(fs_base, syscall(SYS_arch_prctl, 0x1003, buf))
ASKER(death_signal, syscall(SYS_prctl, 2, buf))
ASKER(tsc, syscall(SYS_prctl, 25, buf))
ASKER(subreaper, syscall(SYS_prctl, 37, buf))
ASKER(tid_address, syscall(SYS_prctl, 40, buf))
ASKER(termios, syscall(SYS_ioctl, 0, 0x5401, buf))
ASKER(winsize, syscall(SYS_ioctl, 0, 0x5413, buf))
ASKER(readable, syscall(SYS_ioctl, sockets[0], 0x541b, buf))
ASKER(mincore, syscall(SYS_mincore, (unsigned long)buf & ~4095UL, 4096, buf))
ASKER(auxv, pread(open("/proc/self/auxv", O_RDONLY), buf, sizeof(buf), 0))
ASKER(select, syscall(SYS_select, 3, buf, buf + 8, buf + 16, memset(buf + 24, 0, 16)))
ASKER(socketpair, syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, buf))
ASKER(sockname, syscall(SYS_getsockname, sockets[0], buf, &room))
ASKER(peername, syscall(SYS_getpeername, sockets[0], buf, &room))
ASKER(sndbuf, syscall(SYS_getsockopt, sockets[0], SOL_SOCKET, SO_SNDBUF, buf, &room))
ASKER(linger, syscall(SYS_getsockopt, sockets[0], SOL_SOCKET, SO_LINGER, buf, &room))
ASKER(rcvtimeo, syscall(SYS_getsockopt, sockets[0], SOL_SOCKET, SO_RCVTIMEO, buf, &room))
ASKER(peercred, syscall(SYS_getsockopt, sockets[0], SOL_SOCKET, SO_PEERCRED, buf, &room))
ASKER(from, syscall(SYS_recvfrom, sockets[0], buf + 512, 4, MSG_PEEK, buf, &room))

static long get_part_of_peercred(void)
{
	room = 5;
	return get_peercred();
}

static long get_ofd_lock(void)
{
	struct flock *lock = (void *)buf;

	*lock = (struct flock){ .l_type = F_WRLCK };
	return result(syscall(SYS_fcntl, file, 36 /* F_OFD_GETLK */, buf));
}

static long get_pidfd_waitid(void)
{
	pid_t pid = fork();
	long ret;
	int fd;

	if (!pid)
		_exit(0);
	fd = syscall(SYS_pidfd_open, pid, 0);
	ret = syscall(SYS_waitid, 3 /* P_PIDFD */, fd, buf, WEXITED, NULL);
	close(fd);
	return ret;
}

/* A signal that waits is fetched. */
static long fetch(int sig)
{
	unsigned long set = BIT_OF(sig);

	return syscall(SYS_rt_sigtimedwait, &set, buf, NULL, 8) == sig ? 0 : -1;
}

static long get_pidfd_siginfo(void)
{
	return syscall(SYS_pidfd_send_signal, pidfd, SIGUSR2, NULL, 0) ?: fetch(SIGUSR2);
}

static long get_child_siginfo(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	return fetch(SIGCHLD) ?: wait_status(pid);
}

static long get_timer_siginfo(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2 };
	long once[4] = { 0, 0, 0, 1 };
	int id;
	long ret;

	if (syscall(SYS_timer_create, 1, &event, &id) || syscall(SYS_timer_settime, id, 0, once, 0))
		return -1;
	ret = fetch(SIGUSR2);
	syscall(SYS_timer_delete, id);
	return ret;
}

static void keep_siginfo(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	memcpy(buf, info, 128);
	siglongjmp(escape, 1);
}

static long get_fault_siginfo(void)
{
	catch_with(SIGSEGV, keep_siginfo, 0, 0);
	if (!sigsetjmp(escape, 1))
		*(volatile char *)(TASK_SIZE - 1) = 1;
	set_plain(SIGSEGV, SIG_DFL);
	return 0;
}

/* One byte with credentials and a descriptor. */
static bool send_byte(void)
{
	struct {
		struct cmsghdr head;
		int fd[2];
	} control = { { .cmsg_len = CMSG_LEN(4), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS },
		      { file } };
	struct iovec iov = { "x", 1 };
	struct raw_msghdr m = { NULL, 0, &iov, 1, &control, sizeof(control), 0 };

	return syscall(SYS_sendmsg, messages[1], &m, 0) == 1;
}

static unsigned char control_data[128] __attribute__((aligned(8)));

/* Receives it into a message's header (or recvmmsg's) that has bytes in its padding already. */
static long receive_byte(struct raw_msghdr *m, void *control, bool many)
{
	static char byte;
	static struct iovec iov = { &byte, 1 };
	const int *fd = (const int *)((char *)control + CMSG_SPACE(12) + CMSG_LEN(0));
	long ret;

	m->name = buf + 1024;
	m->name_len = 128;
	m->iov = &iov;
	m->iov_len = 1;
	m->control = control;
	m->control_len = sizeof(control_data);
	if (!send_byte())
		return -1;
	ret = many ? syscall(SYS_recvmmsg, messages[0], m, 1, 0, NULL) :
		     syscall(SYS_recvmsg, messages[0], m, 0);
	if (ret == 1)
		close(*fd);
	return ret == 1 ? 0 : -1;
}

static long get_msghdr(void)
{
	return receive_byte((void *)buf, control_data, false);
}

static long get_mmsghdr(void)
{
	return receive_byte((void *)buf, control_data, true);
}

static long get_control(void)
{
	struct raw_msghdr m;

	return receive_byte(&m, buf, false);
}

static long get_timerless_poll(void)
{
	return syscall(SYS_poll, buf, 4, 0) < 0 ? -1 : 0;
}

/* Where a structure has padding: pairs of offset and length, up to a length of 0. */
static const struct shape {
	const char *name;
	long (*get)(void);
	unsigned pad[8];
} shapes[] = {
	{ "stat", get_stat, { 36, 4, 120, 24 } },
	{ "fstat", get_fstat, { 36, 4, 120, 24 } },
	{ "newfstatat", get_fstatat, { 36, 4, 120, 24 } },
	{ "statx", get_statx, { 30, 2, 160, 96 } },
	{ "statfs", get_statfs, { 88, 32 } },
	{ "fstatfs", get_fstatfs, { 88, 32 } },
	{ "sysinfo", get_sysinfo, { 82, 6, 108, 4 } },
	{ "uname", get_uname, { 390, 100 } },
	{ "rusage", get_rusage, { 144, 100 } },
	{ "rlimit", get_rlimit, { 16, 100 } },
	{ "times", get_times, { 32, 100 } },
	{ "timespec", get_clock, { 16, 100 } },
	{ "timeval and timezone", get_timeofday, { 24, 100 } },
	{ "itimerval", get_itimer, { 32, 100 } },
	{ "itimerspec", get_timer, { 32, 100 } },
	{ "timer's id", get_timer_id, { 4, 100 } },
	{ "sigaction", get_sigaction, { 32, 100 } },
	{ "signal mask", get_sigmask, { 8, 100 } },
	{ "pending signals", get_sigpending, { 8, 100 } },
	{ "sigaltstack", get_sigaltstack, { 12, 4, 24, 100 } },
	{ "siginfo", get_siginfo, { 12, 4, 24, 104 } },
	{ "waitid's siginfo", get_waitid, { 12, 4, 28, 100 } },
	{ "wait4's status and rusage", get_wait4, { 4, 12, 160, 100 } },
	{ "flock", get_flock, { 4, 4, 28, 100 } },
	{ "shmid_ds", get_shmid, { 26, 22, 96, 100 } },
	{ "shm_info", get_shm_info, { 4, 4, 48, 100 } },
	{ "shminfo", get_shminfo, { 40, 100 } },
	{ "pipe2", get_pipe, { 8, 100 } },
	{ "affinity", get_affinity, { 1, 200 } },
	{ "sched_param", get_param, { 4, 100 } },
	{ "sched_rr_get_interval", get_interval, { 16, 100 } },
	{ "PR_GET_NAME", get_name, { 12, 100 } },
	{ "getresuid", get_resuid, { 4, 4, 12, 4, 20, 100 } },
	{ "getcpu", get_cpu, { 4, 4, 12, 100 } },
	{ "getcwd", get_getcwd, { 2, 200 } },
	{ "readlink", get_readlink, { 18, 200 } },
	{ "poll", get_timerless_poll, { 32, 100 } },
	{ "select", get_select, { 40, 100 } },
	{ "clock_getres", get_clock_res, { 16, 100 } },
	{ "time", get_time, { 8, 100 } },
	{ "get_robust_list", get_robust, { 16, 100 } },
	{ "capget", get_caps, { 24, 100 } },
	{ "ARCH_GET_FS", get_fs_base, { 8, 100 } },
	{ "PR_GET_PDEATHSIG", get_death_signal, { 4, 100 } },
	{ "PR_GET_TSC", get_tsc, { 4, 100 } },
	{ "PR_GET_CHILD_SUBREAPER", get_subreaper, { 4, 100 } },
	{ "PR_GET_TID_ADDRESS", get_tid_address, { 8, 100 } },
	{ "termios", get_termios, { 34, 100 } },
	{ "winsize", get_winsize, { 8, 100 } },
	{ "FIONREAD", get_readable, { 4, 100 } },
	{ "mincore", get_mincore, { 1, 100 } },
	{ "auxiliary vector", get_auxv, { 512, 100 } },
	{ "socketpair", get_socketpair, { 8, 100 } },
	{ "getsockname", get_sockname, { 2, 200 } },
	{ "getpeername", get_peername, { 2, 200 } },
	{ "SO_SNDBUF", get_sndbuf, { 4, 200 } },
	{ "SO_LINGER", get_linger, { 8, 200 } },
	{ "SO_RCVTIMEO", get_rcvtimeo, { 16, 200 } },
	{ "SO_PEERCRED", get_peercred, { 12, 200 } },
	{ "5 bytes of SO_PEERCRED", get_part_of_peercred, { 5, 200 } },
	{ "recvfrom's address", get_from, { 0, 200 } },
	{ "recvmsg's header", get_msghdr, { 12, 4, 52, 4, 56, 100 } },
	{ "recvmmsg's header", get_mmsghdr, { 12, 4, 52, 4, 60, 4, 64, 100 } },
	{ "recvmsg's credentials and descriptors", get_control, { 28, 4, 52, 76 } },
	{ "F_OFD_GETLK", get_ofd_lock, { 4, 4, 28, 100 } },
	{ "a pidfd's waitid", get_pidfd_waitid, { 12, 4, 28, 100 } },
	{ "a pidfd's signal", get_pidfd_siginfo, { 12, 4, 24, 104 } },
	{ "a child's signal", get_child_siginfo, { 12, 4, 28, 4, 48, 80 } },
	{ "a timer's signal", get_timer_siginfo, { 12, 4, 32, 96 } },
	{ "a fault's signal", get_fault_siginfo, { 12, 4, 24, 104 } },
};

/* Bytes that are neither zero nor the program's own; whether the call went well. */
static int foreign(const struct shape *s, unsigned char fill)
{
	int n = 0;
	long ret;

	spray();
	memset(buf, fill, sizeof(buf));
	room = 128;
	ret = s->get();
	if (ret)
		return -1;
	for (size_t i = 0; i < COUNT(s->pad) && s->pad[i + 1]; i += 2)
		for (unsigned at = s->pad[i]; at < s->pad[i] + s->pad[i + 1]; at++)
			if (buf[at] && buf[at] != fill)
				n++;
	for (size_t at = 0; at + 4 <= 512; at++)
		n += buf[at] == SPRAY && buf[at + 1] == SPRAY && buf[at + 2] == SPRAY &&
		     buf[at + 3] == SPRAY;
	return n;
}

static void structures(void)
{
	for (size_t i = 0; i < COUNT(shapes); i++) {
		is(foreign(&shapes[i], 0x11), 0, "%s: nothing else in it", shapes[i].name);
		is(foreign(&shapes[i], 0xee), 0, "%s: nor another time", shapes[i].name);
	}
}

/* Behind each name in a directory's entries. */
static void directories(long nr, bool type_at_end)
{
	int dir = open("/proc/self", O_RDONLY | O_DIRECTORY), n = 0, wrong = 0;
	long len;

	spray();
	memset(buf, 0x11, sizeof(buf));
	len = syscall(nr, dir, buf, sizeof(buf));
	for (long at = 0; at < len; n++) {
		const unsigned char *entry = buf + at;
		unsigned short size;
		const unsigned char *name = entry + (type_at_end ? 18 : 19);

		memcpy(&size, entry + 16, 2);
		for (const unsigned char *p = name + strlen((const char *)name);
		     p < entry + size - type_at_end; p++)
			wrong += *p && *p != 0x11;
		at += size;
	}
	ok(n > 10 && !wrong, "%s: nothing behind the names of %d entries",
	   type_at_end ? "getdents" : "getdents64", n);
	close(dir);
}

/* --- a signal's frame --------------------------------------------------------------------------------- */

static int frame_foreign;

static void look_at_frame(int sig, siginfo_t *info, void *context)
{
	const struct raw_frame *frame = (void *)((char *)context - 8);
	const unsigned char *fp = (const unsigned char *)frame->fpstate;
	const unsigned char *p = frame->info;

	(void)sig, (void)info;
	for (size_t i = 0; i < COUNT(frame->reserved); i++)
		frame_foreign += frame->reserved[i] && frame->reserved[i] != 0x1111111111111111;
	for (size_t i = 24; i < sizeof(frame->info); i++)
		frame_foreign += p[i] && p[i] != 0x11;
	/* Registers are the program's own. The software's bytes of the FXSAVE area: magic, sizes, features, and the rest of 48. */
	for (size_t i = 484; i < 512; i++)
		frame_foreign += fp[i] && fp[i] != 0x11;
	for (const unsigned char *q = (const void *)&frame->fpstate; q + 4 <= fp; q++)
		frame_foreign += q[0] == SPRAY && q[1] == SPRAY && q[2] == SPRAY && q[3] == SPRAY;
}

static void frame(void)
{
	static unsigned char stack[65536] __attribute__((aligned(64)));
	stack_t alt = { .ss_sp = stack, .ss_size = sizeof(stack) };

	sigaltstack(&alt, NULL);
	catch_with(SIGUSR1, look_at_frame, SA_ONSTACK, 0);
	spray();
	memset(stack, 0x11, sizeof(stack));
	syscall(SYS_kill, getpid(), SIGUSR1);
	is(frame_foreign, 0, "a signal's frame: nothing else in it");
	alt.ss_flags = SS_DISABLE;
	sigaltstack(&alt, NULL);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	file = open("/tmp/attack-leak", O_RDWR | O_CREAT | O_TRUNC, 0600);
	segment = shmget(IPC_PRIVATE, PAGE, 0600);
	syscall(SYS_timer_create, 1, &(struct sigevent){ .sigev_notify = SIGEV_NONE }, &timer);
	pidfd = syscall(SYS_pidfd_open, getpid(), 0);
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets) ||
	    socketpair(AF_UNIX, SOCK_DGRAM, 0, messages) ||
	    setsockopt(messages[0], SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int)) ||
	    send(sockets[1], "dgram", 5, 0) != 5)
		diag("no sockets");
	block(BIT_OF(SIGUSR2) | BIT_OF(SIGCHLD));
	if (chdir("/"))
		diag("no root");
	structures();
	directories(SYS_getdents, true);
	directories(SYS_getdents64, false);
	frame();
	shmctl(segment, IPC_RMID, NULL);
	unlink("/tmp/attack-leak");
	return done_testing();
}
