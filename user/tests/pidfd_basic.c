/* SPDX-License-Identifier: MIT */
/*
 * Descriptors of processes: pidfd_open, CLONE_PIDFD, waiting by them, signals through them, polling for
 * the end, taking a file from another process, and what /proc says of them.
 */
/* runs as root */
#include "procs.h"
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define PIDFD_NONBLOCK_ O_NONBLOCK
#define P_PIDFD_	3

static volatile int *words;

static long pidfd_open_(long pid, long flags)
{
	return raw(434, pid, flags);
}

static long pidfd_send(long fd, long sig, const void *info, long flags)
{
	return raw(424, fd, sig, info, flags);
}

static long pidfd_getfd_(long pidfd, long fd, long flags)
{
	return raw(438, pidfd, fd, flags);
}

static int sleeps(void *arg)
{
	(void)arg;
	while (raw(SYS_pause))
		;
	return 0;
}

/* What poll says of a descriptor without waiting: the events, or -errno. */
static long polled(long fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };
	long n = raw(SYS_poll, &p, 1, 0);

	return n < 0 ? n : p.revents;
}

static int waitid_status(long fd, long options)
{
	siginfo_t info = { 0 };
	long ret = raw(SYS_waitid, P_PIDFD_, fd, &info, options, NULL);

	return ret < 0 ? ret : info.si_status;
}

/* --- opening ----------------------------------------------------------------------------------- */

static int a_thread(void *arg)
{
	(void)arg;
	words[0] = my_tid();
	await(&words[1], 1);
	return 0;
}

static void opening(void)
{
	struct thread thread;
	struct stat st;
	long fd;

	is(pidfd_open_(my_pid(), 1), -EINVAL, "an unknown flag");
	is(pidfd_open_(0, 0), -EINVAL, "pid 0");
	is(pidfd_open_(-1, 0), -EINVAL, "pid -1");
	is(pidfd_open_(0x3fffffff, 0), -ESRCH, "a pid that nobody has");
	thread_start(&thread, a_thread, NULL);
	await(&words[0], 1);
	is(pidfd_open_(words[0], 0), -EINVAL, "a thread's id");
	words[1] = 1;
	thread_join(&thread);

	fd = pidfd_open_(my_pid(), 0);
	ok(fd >= 0, "of oneself");
	is(raw(SYS_fcntl, fd, F_GETFD), FD_CLOEXEC, "it is closed at exec");
	is(raw(SYS_fcntl, fd, F_GETFL), O_RDWR, "it is open for reading and writing");
	is(raw(SYS_read, fd, &st, 1), -EINVAL, "and can't be read");
	is(raw(SYS_write, fd, "x", 1), -EINVAL, "nor written");
	is(raw(SYS_lseek, fd, 0, SEEK_SET), -ESPIPE, "nor has it a position");
	is(raw_mmap(0, PAGE, PROT_READ, MAP_PRIVATE, fd, 0), -ENODEV, "nor be mapped");
	is(raw(SYS_fstat, fd, &st), 0, "fstat");
	is(st.st_mode, 0600, "its inode has no type");
	is(polled(fd), 0, "it isn't ready while the process is");
	raw(SYS_close, fd);
	fd = pidfd_open_(my_pid(), PIDFD_NONBLOCK_);
	is(raw(SYS_fcntl, fd, F_GETFL), O_RDWR | O_NONBLOCK,
	   "PIDFD_NONBLOCK is a flag of the file");
	raw(SYS_close, fd);
}

static void proc_says(void)
{
	char path[64], text[256], want[64];
	long fd = pidfd_open_(my_pid(), 0), n;

	snprintf(path, sizeof(path), "/proc/self/fd/%ld", fd);
	n = raw(SYS_readlink, path, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	is_str(text, "anon_inode:[pidfd]", "the link in /proc/self/fd");
	is(raw(SYS_open, path, O_RDONLY), raw(SYS_geteuid) ? -EACCES : -ENXIO,
	   "... which can't be opened");
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%ld", fd);
	read_small(path, text, sizeof(text));
	ok(strstr(text, "pos:\t0\nflags:\t02000002\n") == text, "fdinfo begins as ever");
	snprintf(want, sizeof(want), "\nPid:\t%d\nNSpid:\t%d\n", my_pid(), my_pid());
	if (!ok(strstr(text, want) != NULL, "fdinfo tells the process"))
		diag("%s", text);
	raw(SYS_close, fd);
}

/* --- the end ------------------------------------------------------------------------------------ */

static int exits_7(void *arg)
{
	(void)arg;
	await(&words[2], 1);
	return 7;
}

static void ending(void)
{
	struct pollfd p = { .events = POLLIN };
	char path[64], text[256];
	long pid, fd, other;

	words[2] = 0;
	pid = fork_child(exits_7, NULL);
	fd = pidfd_open_(pid, 0);
	other = pidfd_open_(pid, PIDFD_NONBLOCK_);
	is(waitid_status(fd, WEXITED | WNOHANG), 0, "WNOHANG: not yet");
	is(waitid_status(other, WEXITED), -EAGAIN, "PIDFD_NONBLOCK: not yet, and not waited");
	is(waitid_status(other, WEXITED | WNOHANG), 0, "both");
	words[2] = 1;
	p.fd = fd;
	is(raw(SYS_poll, &p, 1, 10000), 1, "poll wakes at the end");
	is(p.revents, POLLIN, "... which is POLLIN");
	is(polled(fd), POLLIN, "and stays ready");
	is(pidfd_send(fd, 0, NULL, 0), 0, "a zombie can be sent to");
	is(waitid_status(fd, WEXITED | WNOWAIT), 7, "waitid by it, without taking");
	is(waitid_status(fd, WEXITED), 7, "waitid by it");
	is(polled(fd), POLLIN, "ready too when nobody is there any more");
	is(waitid_status(fd, WEXITED), -ECHILD, "no child is left to wait for");
	is(pidfd_send(fd, 0, NULL, 0), -ESRCH, "nobody to send to");
	is(pidfd_getfd_(fd, 0, 0), -ESRCH, "nor to take from");
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%ld", fd);
	read_small(path, text, sizeof(text));
	ok(strstr(text, "\nPid:\t-1\nNSpid:\t-1\n") != NULL, "fdinfo: nobody");
	raw(SYS_close, fd);
	raw(SYS_close, other);
	is(waitid_status(-1, WEXITED), -EINVAL, "a negative descriptor");
	is(waitid_status(fd, WEXITED), -EBADF, "one that isn't open");
	is(waitid_status(1, WEXITED), -EBADF, "one of a file");
}

static int outlives(void *arg)
{
	(void)arg;
	words[4] = my_tid();
	await(&words[3], 1);
	return 0;
}

/* The first thread ends, another one goes on. */
static int leader_goes(void *arg)
{
	static struct thread thread;

	(void)arg;
	thread_start(&thread, outlives, NULL);
	raw(SYS_exit, 0);
	return 0;
}

static void ending_of_all(void)
{
	struct pollfd p = { .events = POLLIN };
	long pid, fd;

	words[3] = words[4] = 0;
	pid = fork_child(leader_goes, NULL);
	fd = pidfd_open_(pid, 0);
	await(&words[4], 1);
	ok(UNTIL(state_of(pid) == 'Z'), "the leader has ended");
	is(polled(fd), 0, "not ready while a thread is left");
	words[3] = 1;
	p.fd = fd;
	is(raw(SYS_poll, &p, 1, 10000), 1, "ready when the last has ended");
	is(waitid_status(fd, WEXITED), 0, "and waited for");
	raw(SYS_close, fd);
}

static int execs(void *arg)
{
	static char *argv[] = { NULL, "seven", NULL }, *envp[] = { NULL };

	(void)arg;
	argv[0] = (char *)tap.path;
	raw(SYS_execve, "/proc/self/exe", argv, envp);
	return 1;
}

/* A thread that isn't the first becomes the program; its process stays the same. */
static int second_execs(void *arg)
{
	static struct thread thread;

	(void)arg;
	thread_start(&thread, execs, NULL);
	while (raw(SYS_pause))
		;
	return 0;
}

static int child_seven(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return 7;
}

static void ending_after_exec(void)
{
	struct pollfd p = { .events = POLLIN };
	long pid = fork_child(second_execs, NULL), fd = pidfd_open_(pid, 0);

	p.fd = fd;
	is(raw(SYS_poll, &p, 1, 20000), 1, "ready when the new program has ended");
	is(waitid_status(fd, WEXITED), 7, "... which is waited for");
	raw(SYS_close, fd);
}

/* --- signals ------------------------------------------------------------------------------------- */

static void signals_(void)
{
	siginfo_t info = { .si_signo = SIGUSR1, .si_code = SI_QUEUE };
	long pid = fork_child(sleeps, NULL), fd = pidfd_open_(pid, 0), dir;
	char path[32];

	is(pidfd_send(fd, 0, NULL, 1), -EINVAL, "a flag");
	is(pidfd_send(-1, 0, NULL, 0), -EBADF, "no descriptor");
	is(pidfd_send(1, 0, NULL, 0), -EBADF, "a file's");
	is(pidfd_send(fd, 65, NULL, 0), -EINVAL, "no signal");
	is(pidfd_send(fd, -1, NULL, 0), -EINVAL, "nor that");
	is(pidfd_send(fd, 0, NULL, 0), 0, "signal 0 only asks");
	is(pidfd_send(fd, SIGUSR1, (void *)8, 0), -EFAULT, "a siginfo that isn't there");
	is(pidfd_send(fd, SIGUSR2, &info, 0), -EINVAL, "a siginfo of another signal");
	info.si_code = SI_USER;
	is(pidfd_send(fd, SIGUSR1, &info, 0), -EPERM, "nobody may pretend to be kill(2)");
	info.si_code = SI_TKILL;
	is(pidfd_send(fd, SIGUSR1, &info, 0), -EPERM, "nor tkill(2)");
	snprintf(path, sizeof(path), "/proc/%ld", pid);
	dir = raw(SYS_open, path, O_RDONLY | O_DIRECTORY);
	is(pidfd_send(dir, 0, NULL, 0), 0, "a directory of /proc does as well");
	raw(SYS_close, dir);
	info.si_code = SI_QUEUE;
	is(pidfd_send(fd, SIGUSR1, &info, 0), 0, "a signal with a siginfo");
	is(waitid_status(fd, WEXITED), SIGUSR1, "it came");
	raw(SYS_close, fd);
	is(pidfd_send(fd, 0, NULL, 0), -EBADF, "a descriptor that was closed");
}

/* --- clone ---------------------------------------------------------------------------------------- */

struct clone3_args {
	unsigned long flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};

static int child_sees(int fd)
{
	return raw(SYS_fcntl, fd, F_GETFD) == -EBADF ? 5 : 6;
}

static void cloning(void)
{
	struct clone3_args a = { .flags = CLONE_PIDFD, .exit_signal = SIGCHLD };
	int fd = -1, other = -1;
	long pid;

	pid = raw(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &fd);
	if (pid == 0)
		raw(SYS_exit_group, child_sees(fd < 0 ? 3 : fd));
	ok(pid > 0 && fd >= 0, "clone gives one");
	is(raw(SYS_fcntl, fd, F_GETFD), FD_CLOEXEC, "closed at exec");
	is(waitid_status(fd, WEXITED), 5, "the child doesn't have it, and is waited for by it");
	raw(SYS_close, fd);

	a.pidfd = (unsigned long)&other;
	pid = raw(435, &a, sizeof(a));
	if (pid == 0)
		raw(SYS_exit_group, 9);
	ok(pid > 0 && other >= 0, "clone3 gives one");
	is(waitid_status(other, WEXITED), 9, "... of that child");
	raw(SYS_close, other);

	is(raw(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, 0, &fd), -EINVAL,
	   "clone can't tell the id at the same place");
	is(raw(SYS_clone, CLONE_PIDFD | 0x400000 | SIGCHLD, 0, &fd), -EINVAL, "CLONE_DETACHED");
	a.flags = CLONE_PIDFD | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM;
	a.exit_signal = 0;
	is(raw(435, &a, sizeof(a)), -EINVAL, "no thread gets one");
	is(raw(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, 8), -EFAULT, "nowhere to tell it");
	is(raw(SYS_wait4, -1, NULL, WNOHANG, NULL), -ECHILD, "and no child was made");
	a = (struct clone3_args){ .flags = CLONE_PIDFD | CLONE_PARENT_SETTID,
				  .exit_signal = SIGCHLD,
				  .pidfd = (unsigned long)&fd,
				  .parent_tid = (unsigned long)&fd };
	is(raw(435, &a, sizeof(a)), -EINVAL, "clone3: not at the same place either");
}

/* --- limits --------------------------------------------------------------------------------------- */

static int child_no_room(void *arg)
{
	struct rlimit lim = { 3, 3 };
	int fd = -1;

	(void)arg;
	for (int i = 3; i < 64; i++)
		raw(SYS_close, i);
	NEED_IS(raw(SYS_setrlimit, RLIMIT_NOFILE, &lim), 0);
	NEED_IS(pidfd_open_(my_pid(), 0), -EMFILE);
	NEED_IS(raw(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &fd), -EMFILE);
	NEED_IS(fd, -1);
	NEED_IS(raw(SYS_wait4, -1, NULL, 0, NULL), -ECHILD);
	return 0;
}

/* One process is what the user may have: no descriptor is told of one that doesn't come. */
static int child_too_many(void *arg)
{
	int fd = -1;

	(void)arg;
	limit(RLIMIT_NPROC, 1);
	NEED_IS(raw(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &fd), -EAGAIN);
	NEED_IS(fd, -1);
	NEED_IS(raw(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, 8), -EAGAIN);
	NEED_IS(raw(SYS_wait4, -1, NULL, 0, NULL), -ECHILD);
	return 0;
}

/* --- files of others ------------------------------------------------------------------------------ */

static int has_memfd(void *arg)
{
	long fd = raw(SYS_memfd_create, "x", 0);

	(void)arg;
	raw(SYS_dup2, fd, 20);
	raw(SYS_write, 20, "hello", 5);
	words[5] = 1;
	while (raw(SYS_pause))
		;
	return 0;
}

static void taking(void)
{
	char text[8] = "";
	long pid, fd, got;

	words[5] = 0;
	pid = fork_child(has_memfd, NULL);
	fd = pidfd_open_(pid, 0);
	await(&words[5], 1);
	is(pidfd_getfd_(fd, 20, 1), -EINVAL, "a flag");
	is(pidfd_getfd_(-1, 20, 0), -EBADF, "no descriptor");
	is(pidfd_getfd_(1, 20, 0), -EBADF, "a file's");
	is(pidfd_getfd_(fd, 21, 0), -EBADF, "it has no such file");
	got = pidfd_getfd_(fd, 20, 0);
	ok(got >= 0, "it has that one");
	is(raw(SYS_pread64, got, text, 5, 0), 5, "it can be read");
	is_str(text, "hello", "... and is the other's");
	is(raw(SYS_fcntl, got, F_GETFD), FD_CLOEXEC, "closed at exec");
	raw(SYS_close, got);
	pidfd_send(fd, SIGKILL, NULL, 0);
	is(waitid_status(fd, WEXITED), SIGKILL, "and now it is gone");
	raw(SYS_close, fd);
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = { { "seven", child_seven }, { NULL, NULL } };

	tap_start(argc, argv, modes);
	words = shared_words();
	opening();
	proc_says();
	ending();
	ending_of_all();
	ending_after_exec();
	signals_();
	cloning();
	child_ok(child_no_room, "at the limit of files: EMFILE, and nothing else");
	if (raw(SYS_getuid))
		child_ok(child_too_many, "at the limit of processes: EAGAIN, and nothing else");
	taking();
	return done_testing();
}
