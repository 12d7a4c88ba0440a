/* SPDX-License-Identifier: MIT */
/*
 * A process's limits of files, processes, signals, priorities and time, and the ways round them: as attack_limits
 * for memory. And the hard limits themselves, which nobody without the right raises again. RSS and LOCKS are only
 * kept, in Linux as well; for MSGQUEUE there is nothing here.
 */
#include "attacks.h"

/* --- files ------------------------------------------------------------------------------------------------- */

#define BLOCK 8192
#define PIDFD 400 /* this process */

static char data[BLOCK];
static int other; /* a file of that size */

WAY(size_by_writev,
    raw(SYS_pwritev, have.memfd, &((struct iovec){ data, 2 * PAGE }), 1, 4 * PAGE, 0))
WAY(size_by_sendfile, (lseek(have.memfd, 0, SEEK_END), lseek(other, 0, SEEK_SET),
		       raw(SYS_sendfile, have.memfd, other, NULL, PAGE)))
WAY(size_by_copy,
    raw(SYS_copy_file_range, other, &((long){ 0 }), have.memfd, &((long){ 4 * PAGE }), PAGE, 0))
WAY(size_by_fallocate, raw(SYS_fallocate, have.memfd, 0, 4 * PAGE, PAGE))
WAY(size_by_fallocate_beyond, raw(SYS_fallocate, have.memfd, 0, 6 * PAGE, PAGE))
WAY(size_by_ftruncate, raw(SYS_ftruncate, have.memfd, 4 * PAGE + 1))

static long size_by_truncate(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", have.memfd);
	return raw(SYS_truncate, path, 5 * PAGE);
}

static long size_by_append(void)
{
	char path[64];
	long fd, ret;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", have.memfd);
	fd = raw(SYS_open, path, O_WRONLY | O_APPEND);
	ret = raw(SYS_write, fd, data, 1);
	raw(SYS_close, fd);
	return ret;
}

static const struct route of_size[] = {
	{ "pwritev", size_by_writev, -EFBIG },
	{ "O_APPEND", size_by_append, -EFBIG },
	{ "sendfile", size_by_sendfile, -EFBIG },
	{ "copy_file_range", size_by_copy, -EFBIG },
	{ "fallocate", size_by_fallocate, -EFBIG },
	{ "fallocate behind a gap", size_by_fallocate_beyond, -EFBIG },
	{ "ftruncate", size_by_ftruncate, -EFBIG },
	{ "truncate", size_by_truncate, -EFBIG },
};

/* Ended at once, if there is one: what it was to bring is a descriptor. */
static long clone_with_pidfd(long nr)
{
	static int fd;
	struct {
		unsigned long flags, pidfd, child, parent, signal, rest[6];
	} args = { CLONE_PIDFD, (unsigned long)&fd, 0, 0, SIGCHLD, { 0 } };
	long pid = nr == SYS_clone ? raw(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &fd) :
				     raw(SYS_clone3, &args, 88);

	if (!pid)
		raw(SYS_exit_group, 0);
	if (pid > 0)
		status_of(pid), raw(SYS_close, fd);
	return pid;
}

static int two[2];

WAY(fd_by_socketpair, raw(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, two))
WAY(fd_by_pipe, raw(SYS_pipe2, two, 0))
WAY(fd_by_memfd, raw(SYS_memfd_create, "x", 0))
WAY(fd_by_pidfd, raw(SYS_pidfd_open, my_pid(), 0))
WAY(fd_by_pidfd_getfd, raw(SYS_pidfd_getfd, PIDFD, 0, 0))
WAY(fd_by_clone, clone_with_pidfd(SYS_clone))
WAY(fd_by_clone3, clone_with_pidfd(SYS_clone3))
WAY(fd_by_dup, raw(SYS_dup, 0))
WAY(fd_by_dup3, raw(SYS_dup3, 0, 500, 0))
WAY(fd_by_fcntl, raw(SYS_fcntl, 0, F_DUPFD_CLOEXEC, 0))
WAY(fd_by_fcntl_high, raw(SYS_fcntl, 0, F_DUPFD, 500))
WAY(fd_by_path, raw(SYS_open, "/", O_PATH))
WAY(fd_by_openat2, raw(SYS_openat2, AT_FDCWD, "/", ((long[]){ O_RDONLY, 0, 0 }), 24))
WAY(fd_by_proc, raw(SYS_open, "/proc/self/maps", O_RDONLY))
WAY(fd_by_tmpfile, raw(SYS_open, "/tmp", O_TMPFILE | O_RDWR, 0600))
WAY(fds_for_poll, raw(SYS_poll, (char *)memset(data, 0xff, BLOCK), 100, 0))

static const struct route of_descriptors[] = {
	{ "socketpair", fd_by_socketpair, -EMFILE },
	{ "pipe2", fd_by_pipe, -EMFILE },
	{ "memfd_create", fd_by_memfd, -EMFILE },
	{ "pidfd_open", fd_by_pidfd, -EMFILE },
	{ "pidfd_getfd", fd_by_pidfd_getfd, -EMFILE },
	{ "clone with CLONE_PIDFD", fd_by_clone, -EMFILE },
	{ "clone3 with CLONE_PIDFD", fd_by_clone3, -EMFILE },
	{ "dup", fd_by_dup, -EMFILE },
	{ "dup3 beyond it", fd_by_dup3, -EBADF },
	{ "F_DUPFD_CLOEXEC", fd_by_fcntl, -EMFILE },
	{ "F_DUPFD beyond it", fd_by_fcntl_high, -EINVAL },
	{ "O_PATH", fd_by_path, -EMFILE },
	{ "openat2", fd_by_openat2, -EMFILE },
	{ "a file of /proc", fd_by_proc, -EMFILE },
	{ "O_TMPFILE", fd_by_tmpfile, -EMFILE },
	{ "more than it for poll", fds_for_poll, -EINVAL },
};

static void files(void)
{
	other = syscall(SYS_memfd_create, "other", 0);
	is(write(other, data, BLOCK), BLOCK, "a file");
	signal(SIGXFSZ, SIG_IGN);
	ATTACK(FSIZE, 4 * PAGE, of_size);
	signal(SIGXFSZ, SIG_DFL);
	ATTACK(NOFILE, 3, of_descriptors);
}

/* --- processes ----------------------------------------------------------------------------------------- */

static long start_one(unsigned long flags)
{
	long pid = raw(SYS_clone, flags, 0);

	if (!pid)
		raw(SYS_exit_group, 0);
	if (pid > 0 && !(flags & CLONE_PARENT))
		status_of(pid);
	return pid;
}

static long start_by_clone3(void)
{
	unsigned long args[11] = { [4] = SIGCHLD };
	long pid = raw(SYS_clone3, args, 88);

	if (!pid)
		raw(SYS_exit_group, 0);
	return pid > 0 ? status_of(pid) : pid;
}

static long start_by_fork(void)
{
	long pid = raw(SYS_fork);

	if (!pid)
		raw(SYS_exit_group, 0);
	return pid > 0 ? status_of(pid) : pid;
}

WAY(start_by_clone, start_one(SIGCHLD))
WAY(start_as_vfork, start_one(CLONE_VM | CLONE_VFORK | SIGCHLD))
WAY(start_a_sister, start_one(CLONE_PARENT | SIGCHLD))
WAY(start_with_files, start_one(CLONE_FILES | CLONE_FS | SIGCHLD))
WAY(start_thread, by_thread() > 0 ? 0 : -EAGAIN)

static const struct route of_processes[] = {
	{ "fork", start_by_fork, -EAGAIN },	     { "clone", start_by_clone, -EAGAIN },
	{ "clone3", start_by_clone3, -EAGAIN },	     { "as vfork does", start_as_vfork, -EAGAIN },
	{ "CLONE_PARENT", start_a_sister, -EAGAIN }, { "CLONE_FILES", start_with_files, -EAGAIN },
	{ "a thread", start_thread, -EAGAIN },
};

#define RT 40

static siginfo_t queued = { .si_signo = RT, .si_code = SI_QUEUE };

WAY(queue_process, raw(SYS_rt_sigqueueinfo, my_pid(), RT, &queued))
WAY(queue_thread, raw(SYS_rt_tgsigqueueinfo, my_pid(), my_tid(), RT, &queued))
WAY(queue_pidfd, raw(SYS_pidfd_send_signal, PIDFD, RT, &queued, 0))
WAY(make_timer, raw(SYS_timer_create, CLOCK_MONOTONIC, NULL, two))

static long queue_from_child(void)
{
	pid_t parent = my_pid(), pid = raw(SYS_fork);
	int end;

	if (!pid)
		raw(SYS_exit_group, -raw(SYS_rt_sigqueueinfo, parent, RT, &queued));
	end = status_of(pid);
	return -WEXITSTATUS(end);
}

static const struct route of_signals[] = {
	{ "rt_sigqueueinfo", queue_process, -EAGAIN },
	{ "rt_tgsigqueueinfo", queue_thread, -EAGAIN },
	{ "pidfd_send_signal", queue_pidfd, -EAGAIN },
	{ "a child", queue_from_child, -EAGAIN },
	{ "a timer", make_timer, -EAGAIN },
};

static void processes(void)
{
	ATTACK(NPROC, 1, of_processes);
	block(BIT_OF(RT));
	is(queue_process() | queue_process(), 0, "two signals wait");
	ATTACK(SIGPENDING, 2, of_signals);
}

/* --- priorities ---------------------------------------------------------------------------------------- */

/* These limits are 0 to begin with, and only the privileged have more. */
static long set_policy(int policy, int priority)
{
	return raw(SYS_sched_setscheduler, 0, policy, &priority);
}

static long set_child(bool nice)
{
	pid_t pid = raw(SYS_fork);
	int one = 1;
	long ret;

	if (!pid)
		raw(SYS_pause), raw(SYS_exit_group, 0);
	ret = nice ? raw(SYS_setpriority, 0, pid, -1) : raw(SYS_sched_setscheduler, pid, 1, &one);
	raw(SYS_kill, pid, SIGKILL);
	status_of(pid);
	return ret;
}

/* From a worse priority, or an idle policy, there is no way back. */
static long back(bool nice)
{
	pid_t pid = raw(SYS_fork);
	long ret;
	int end;

	if (!pid) {
		ret = nice ? raw(SYS_setpriority, 0, 0, 5) : set_policy(5 /* SCHED_IDLE */, 0);
		if (!ret)
			ret = nice ? raw(SYS_setpriority, 0, 0, 4) : set_policy(0, 0);
		raw(SYS_exit_group, -ret);
	}
	end = status_of(pid);
	return -WEXITSTATUS(end);
}

static void priorities(void)
{
	long group = raw(SYS_setpgid, 0, 0);
	const struct {
		const char *name;
		long got, want;
	} tries[] = {
		{ "NICE: setpriority", raw(SYS_setpriority, 0, 0, -1), -EACCES },
		{ "NICE: of the group", raw(SYS_setpriority, 1, 0, -20), -EACCES },
		{ "NICE: of a child", set_child(true), -EACCES },
		{ "NICE: back after it was worse", back(true), -EACCES },
		{ "NICE: back from SCHED_IDLE", back(false), -EPERM },
		{ "RTPRIO: SCHED_FIFO", set_policy(1, 1), -EPERM },
		{ "RTPRIO: SCHED_RR", set_policy(2, 99), -EPERM },
		{ "RTPRIO: with SCHED_RESET_ON_FORK", set_policy(1 | 0x40000000, 1), -EPERM },
		{ "RTPRIO: of a child", set_child(false), -EPERM },
	};

	is(group, 0, "a group without root's processes");
	for (size_t i = 0; i < COUNT(tries); i++)
		is(tries[i].got, tries[i].want, "%s", tries[i].name);
	is(raw(SYS_getpriority, 0, 0), 20, "the priority is as it was");
	is(raw(SYS_sched_getscheduler, 0), 0, "and the policy");
}

/* --- the limits themselves ------------------------------------------------------------------------------ */

#define LIMITS 16
#define SOME   1024 /* of whatever it is */

/* Raises the hard limit of a process by each call that might: the errors, as bits. */
static unsigned int raise_limit(pid_t pid, int resource)
{
	struct rlimit now, more;
	unsigned int wrong = 0;

	raw(SYS_prlimit64, pid, resource, NULL, &now);
	more = (struct rlimit){ now.rlim_cur, now.rlim_max + 1 };
	wrong |= raw(SYS_prlimit64, pid, resource, &more, NULL) != -EPERM;
	if (!pid)
		wrong |= (raw(SYS_setrlimit, resource, &more) != -EPERM) << 1;
	more.rlim_max = RLIM_INFINITY;
	wrong |= (raw(SYS_prlimit64, pid, resource, &more, NULL) != -EPERM) << 2;
	more = (struct rlimit){ now.rlim_max + 1, now.rlim_max };
	wrong |= (raw(SYS_prlimit64, pid, resource, &more, NULL) != -EINVAL) << 3;
	raw(SYS_prlimit64, pid, resource, NULL, &more);
	return wrong | (memcmp(&now, &more, sizeof(now)) != 0) << 4;
}

static int raise_all_of(pid_t pid)
{
	int wrong = 0;

	for (int i = 0; i < LIMITS; i++)
		if (raise_limit(pid, i))
			diag("limit %d: %x", i, raise_limit(pid, i)), wrong++;
	return wrong;
}

static int raise_own(void *arg)
{
	(void)arg;
	return raise_all_of(0);
}

static int raise_parents(void *arg)
{
	(void)arg;
	return raise_all_of(getppid());
}

static int after_exec(int argc, char **argv)
{
	(void)argc, (void)argv;
	return raise_all_of(0);
}

static int hard_limits(void *arg)
{
	pid_t child;

	for (int i = 0; i < LIMITS; i++) {
		struct rlimit now;

		raw(SYS_prlimit64, 0, i, NULL, &now);
		/* Of what it takes to run there has to be more. */
		now.rlim_max = now.rlim_max < SOME ? now.rlim_max :
			       i == RLIMIT_AS || i == RLIMIT_DATA || i == RLIMIT_STACK ? 1 << 30 :
											 SOME;
		if (now.rlim_cur > now.rlim_max)
			now.rlim_cur = now.rlim_max;
		NEED_IS(raw(SYS_setrlimit, i, &now), 0);
	}
	NEED_IS(raise_own(NULL), 0);
	NEED_IS(status_of(fork_child(raise_own, arg)), 0);
	NEED_IS(status_of(fork_child(raise_parents, arg)), 0);
	child = raw(SYS_fork);
	if (!child)
		raw(SYS_pause), raw(SYS_exit_group, 0);
	NEED_IS(raise_all_of(child), 0);
	raw(SYS_kill, child, SIGKILL);
	status_of(child);
	NEED_IS(run_mode("after-exec", NULL, NULL), 0);
	return 0;
}

/* Limits of all are root's. */
static void limits_of_all(void)
{
	static const char *const names[] = {
		"vm/max_map_count",	   "vm/overcommit_memory", "vm/overcommit_ratio",
		"vm/mmap_min_addr",	   "kernel/shmmax",	   "kernel/shmall",
		"kernel/shmmni",	   "kernel/pid_max",	   "kernel/threads-max",
		"vm/admin_reserve_kbytes",
	};

	for (size_t i = 0; i < COUNT(names); i++) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/sys/%s", names[i]);
		is(raw(SYS_open, path, O_WRONLY), -EACCES, "%s", names[i]);
		is(raw(SYS_chmod, path, 0666), -EPERM, "%s: its mode", names[i]);
	}
}

/* --- processor time, cores --------------------------------------------------------------------------- */

static volatile int *words;

static void count_signal(int sig)
{
	(void)sig;
	words[0]++;
}

static int use_time(int argc, char **argv)
{
	(void)argv;
	for (volatile int n = argc; n;)
		;
	return 0;
}

static int time_limit(void *arg)
{
	struct rlimit now = { 1, 2 };

	(void)arg;
	NEED_IS(raw(SYS_setrlimit, RLIMIT_CPU, &now), 0);
	signal(SIGXCPU, count_signal);
	while (!words[0])
		;
	/* The hard limit kills whoever doesn't listen, in whatever program. */
	signal(SIGXCPU, SIG_IGN);
	raw(SYS_execve, "/proc/self/exe", ((char *[]){ "attack_limits_more", "use-time", NULL }),
	    NULL);
	return 1;
}

static int abort_without_core(void *arg)
{
	(void)arg;
	limit(RLIMIT_CORE, 0);
	signal(SIGABRT, SIG_DFL);
	raw(SYS_kill, my_pid(), SIGABRT);
	return 0;
}

static const struct mode modes[] = { { "after-exec", after_exec },
				     { "use-time", use_time },
				     { NULL, NULL } };

int main(int argc, char **argv)
{
	struct rlimit r = { 0, 0 };

	tap_start(argc, argv, modes);
	have_all();
	words = shared_words();
	is(dup2(syscall(SYS_pidfd_open, getpid(), 0), PIDFD), PIDFD, "a pidfd");
	files();
	processes();
	priorities();
	child_ok(hard_limits, "no hard limit is raised, by nobody");
	is(raw(SYS_prlimit64, 1, RLIMIT_AS, NULL, &r), -EPERM, "root's process: EPERM");
	limits_of_all();
	is(status_of(fork_child(time_limit, NULL)), SIGKILL, "CPU: killed at last");
	is(words[0], 1, "CPU: after it was told once");
	is(status_of(fork_child(abort_without_core, NULL)), SIGABRT, "CORE: none");
	shmctl(have.shm, IPC_RMID, NULL);
	return done_testing();
}
