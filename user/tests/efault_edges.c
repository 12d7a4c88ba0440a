/* SPDX-License-Identifier: MIT */
/* Pointers of calls about files, waiting, signals, time and processes, at the edge of what is mapped. */
#include "edges.h"
#include <poll.h>
#include <sched.h>
#include <sys/ipc.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/time.h>
#include <sys/uio.h>

#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif
#ifndef SYS_clone3
#define SYS_clone3 435
#endif

enum { FD_F = 10, FD_G, FD_HERE, FD_READ, FD_WRITE };

static char buf[4096], buf2[4096], *four_pages;
static timer_t timer;
static int segment = -1;
static pid_t child;

static const struct timespec moment = { 0, 1000 };
static const struct itimerval no_itimer = { { 0, 0 }, { 0, 0 } };
static const struct itimerspec no_itimerspec = { { 0, 0 }, { 0, 0 } };
static const struct timespec two_times[2] = { { 1, 0 }, { 2, 0 } };
static const struct timeval two_timevals[2] = { { 1, 0 }, { 2, 0 } };
static const long two_longs[2] = { 1, 2 };
static struct iovec one_iov = { buf, 8 }, other_iov = { buf2, 8 };
static struct pollfd three[3] = { { FD_READ, POLLIN, 0 }, { -1, 0, 0 }, { -1, 0, 0 } };
static const unsigned long no_signal = 0, usr1 = 1UL << (SIGUSR1 - 1);
static const struct flock a_lock = { .l_type = F_RDLCK, .l_start = 1, .l_len = 1 };
static const struct {
	unsigned long handler, flags, restorer, mask;
} ignore = { 1, 0, 0, 0 };
static stack_t no_stack = { .ss_flags = SS_DISABLE };
static struct sigevent to_nobody = { .sigev_notify = SIGEV_NONE };
static siginfo_t queued;
static const struct {
	unsigned int version;
	int pid;
} cap_head = { 0x20080522, 0 };
static const int zero_priority;
static int futex_word;
static const struct rlimit same_limit = { 0, 0 };
static const unsigned long how[3] = { O_RDONLY, 0, 0 };
static unsigned long clone_args[11] = { 0, 0, 0, 0, SIGCHLD };
static const long offset_word;
static const struct {
	const unsigned long *set;
	unsigned long size;
} sigset_pack = { &no_signal, 8 };
static unsigned char cpus_all[8] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static char *argv_words[2] = { "x", NULL };

/* --- before and after ----------------------------------------------------------------------------- */

static void rewind_files(void)
{
	lseek(FD_F, 0, SEEK_SET);
	ftruncate(FD_G, 0);
	lseek(FD_G, 0, SEEK_SET);
	while (read(FD_READ, buf, sizeof(buf)) > 0)
		;
}

static void fill_pipe(void)
{
	rewind_files();
	write(FD_WRITE, "12345678", 8);
}

static void undo_name(long ret)
{
	unlink("new");
	rmdir("new");
	rename("moved", "f");
}

static void undo_fd(long ret)
{
	close((int)ret);
	unlink("new");
}

static void close_pipe(long ret)
{
	int *fds = (int *)(page + PAGE - 8);

	close(fds[0]), close(fds[1]);
}

static void unlock(long ret)
{
	struct flock fl = { .l_type = F_UNLCK };

	fcntl(FD_F, F_SETLK, &fl);
}

static void undo_handler(long ret)
{
	signal(SIGUSR2, SIG_DFL);
}

static void undo_timers(long ret)
{
	setitimer(ITIMER_REAL, &no_itimer, NULL);
}

static void make_signal(void)
{
	struct timespec none = { 0, 0 };

	while (syscall(SYS_rt_sigtimedwait, &usr1, NULL, &none, 8) > 0)
		;
	kill(getpid(), SIGUSR1);
}

static void drop_signals(void)
{
	struct timespec none = { 0, 0 };
	unsigned long all = ~0UL;

	while (syscall(SYS_rt_sigtimedwait, &all, NULL, &none, 8) > 0)
		;
}

static void undo_signals(long ret)
{
	drop_signals();
}

static void reap_any(void)
{
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static void make_zombie(void)
{
	reap_any();
	child = (pid_t)syscall(SYS_fork);
	if (child == 0)
		_exit(3);
}

static void undo_child(long ret)
{
	/* A clone is in two places. */
	if (ret == 0)
		_exit(0);
	reap_any();
}

static void undo_timer_create(long ret)
{
	int id;

	memcpy(&id, page + PAGE - 4, 4);
	syscall(SYS_timer_delete, id);
}

static void undo_timer_sev(long ret)
{
	int id;

	memcpy(&id, buf, 4);
	syscall(SYS_timer_delete, id);
}

static void undo_dir(long ret)
{
	fchdir(FD_HERE);
}

#define PATH_ROW(call, number, ...)                                \
	{                                                          \
#call, SYS_##call, { __VA_ARGS__ }, number, 0, "f" \
	}
#define NEW_ROW(call, number, ...)                                                              \
	{                                                                                       \
#call ", new", SYS_##call, { __VA_ARGS__ }, number, 0, "new", .undo = undo_name \
	}
static struct edge rows[] = {
	/* names */
	{ "open", SYS_open, { 0, O_RDONLY }, 0, 0, "f", .undo = undo_fd },
	{ "open, new",
	  SYS_open,
	  { 0, O_RDWR | O_CREAT | O_EXCL, 0600 },
	  0,
	  0,
	  "new",
	  .undo = undo_fd },
	{ "creat", SYS_creat, { 0, 0600 }, 0, 0, "new", .undo = undo_fd },
	{ "openat", SYS_openat, { FD_HERE, 0, O_RDONLY }, 1, 0, "f", .undo = undo_fd },
	{ "openat2, name", SYS_openat2, { FD_HERE, 0, S(how), 24 }, 1, 0, "f", .undo = undo_fd },
	{ "openat2, how", SYS_openat2, { FD_HERE, S("f"), 0, 24 }, 2, 24, how, .undo = undo_fd },
	{ "memfd_create", SYS_memfd_create, { 0, 0 }, 0, 0, "name", .undo = undo_fd },
	{ "chdir", SYS_chdir, { 0 }, 0, 0, "d", .undo = undo_dir },
	PATH_ROW(stat, 0, 0, S(buf)),
	PATH_ROW(lstat, 0, 0, S(buf)),
	PATH_ROW(newfstatat, 1, FD_HERE, 0, S(buf)),
	PATH_ROW(statx, 1, FD_HERE, 0, 0, 0x7ff, S(buf)),
	PATH_ROW(statfs, 0, 0, S(buf)),
	PATH_ROW(access, 0, 0, R_OK),
	PATH_ROW(faccessat, 1, FD_HERE, 0, R_OK),
	PATH_ROW(faccessat2, 1, FD_HERE, 0, R_OK, 0),
	PATH_ROW(chmod, 0, 0, 0644),
	PATH_ROW(fchmodat, 1, FD_HERE, 0, 0644),
	PATH_ROW(chown, 0, 0, -1, -1),
	PATH_ROW(lchown, 0, 0, -1, -1),
	PATH_ROW(fchownat, 1, FD_HERE, 0, -1, -1, 0),
	PATH_ROW(truncate, 0, 0, 100),
	PATH_ROW(utime, 0, 0, 0),
	PATH_ROW(utimes, 0, 0, 0),
	PATH_ROW(futimesat, 1, FD_HERE, 0, 0),
	PATH_ROW(utimensat, 1, FD_HERE, 0, 0, 0),
	{ "readlink, name", SYS_readlink, { 0, S(buf), 10 }, 0, 0, "link" },
	{ "readlinkat, name", SYS_readlinkat, { FD_HERE, 0, S(buf), 10 }, 1, 0, "link" },
	NEW_ROW(mkdir, 0, 0, 0700),
	NEW_ROW(mkdirat, 1, FD_HERE, 0, 0700),
	NEW_ROW(mknod, 0, 0, S_IFIFO | 0600),
	NEW_ROW(mknodat, 1, FD_HERE, 0, S_IFIFO | 0600),
	NEW_ROW(symlink, 1, S("f"), 0),
	NEW_ROW(symlinkat, 2, S("f"), FD_HERE, 0),
	NEW_ROW(link, 1, S("f"), 0),
	NEW_ROW(linkat, 3, FD_HERE, S("f"), FD_HERE, 0, 0),
	{ "symlink, text", SYS_symlink, { 0, S("new") }, 0, 0, "f", .undo = undo_name },
	{ "link, old name", SYS_link, { 0, S("new") }, 0, 0, "f", .undo = undo_name },
	{ "rename, old name", SYS_rename, { 0, S("moved") }, 0, 0, "f", .undo = undo_name },
	{ "rename, new name", SYS_rename, { S("f"), 0 }, 1, 0, "moved", .undo = undo_name },
	{ "renameat, old name",
	  SYS_renameat,
	  { FD_HERE, 0, FD_HERE, S("moved") },
	  1,
	  0,
	  "f",
	  .undo = undo_name },
	{ "renameat2, new name",
	  SYS_renameat2,
	  { FD_HERE, S("f"), FD_HERE, 0, 0 },
	  3,
	  0,
	  "moved",
	  .undo = undo_name },
	{ "setxattr, name",
	  SYS_setxattr,
	  { S("f"), 0, S(buf), 4, 0 },
	  1,
	  0,
	  "user.a",
	  .want = -EOPNOTSUPP },
	{ "setxattr, value",
	  SYS_setxattr,
	  { S("f"), S("user.a"), 0, 4, 0 },
	  2,
	  4,
	  NULL,
	  .want = -EOPNOTSUPP },
	{ "getxattr, name",
	  SYS_getxattr,
	  { S("f"), 0, S(buf), 4 },
	  1,
	  0,
	  "user.a",
	  .want = -EOPNOTSUPP },
	{ "removexattr, name", SYS_removexattr, { S("f"), 0 }, 1, 0, "user.a", .want = -EOPNOTSUPP },
	{ "execve, name", SYS_execve, { 0, 0, 0 }, 0, 0, "f", .want = -EACCES },
	{ "execve, arguments",
	  SYS_execve,
	  { S("f"), 0, 0 },
	  1,
	  16,
	  argv_words,
	  .want = -EACCES,
	  .flags = EDGE_NEVER },
	/* of files */
	OUT("stat", stat, 1, sizeof(struct stat), S("f"), 0),
	OUT("fstat", fstat, 1, sizeof(struct stat), FD_F, 0),
	OUT("lstat", lstat, 1, sizeof(struct stat), S("link"), 0),
	OUT("newfstatat", newfstatat, 2, sizeof(struct stat), FD_HERE, S("f"), 0, 0),
	OUT("statx", statx, 4, 256, FD_HERE, S("f"), 0, 0x7ff, 0),
	OUT("statfs", statfs, 1, 120, S("f"), 0),
	OUT("fstatfs", fstatfs, 1, 120, FD_F, 0),
	OUT("readlink, text", readlink, 1, 4, S("link"), 0, 4),
	OUT("readlinkat, text", readlinkat, 2, 4, FD_HERE, S("link"), 0, 4),
	IN("utime", utime, 1, two_longs, S("f"), 0),
	IN("utimes", utimes, 1, two_timevals, S("f"), 0),
	IN("futimesat", futimesat, 2, two_timevals, FD_HERE, S("f"), 0),
	IN("utimensat", utimensat, 2, two_times, FD_HERE, S("f"), 0, 0),
	{ "pipe", SYS_pipe, { 0 }, 0, 8, NULL, .undo = close_pipe },
	{ "pipe2", SYS_pipe2, { 0, O_CLOEXEC }, 0, 8, NULL, .undo = close_pipe },
	{ "readv, vector", SYS_readv, { FD_F, 0, 1 }, 1, 16, &one_iov, .setup = rewind_files },
	{ "writev, vector", SYS_writev, { FD_G, 0, 1 }, 1, 16, &one_iov, .setup = rewind_files },
	{ "preadv, vector", SYS_preadv, { FD_F, 0, 1, 0, 0 }, 1, 16, &one_iov },
	{ "pwritev, vector",
	  SYS_pwritev,
	  { FD_G, 0, 1, 0, 0 },
	  1,
	  16,
	  &one_iov,
	  .setup = rewind_files },
	{ "preadv2, vector", SYS_preadv2, { FD_F, 0, 1, 0, 0, 0 }, 1, 16, &one_iov },
	{ "sendfile, offset",
	  SYS_sendfile,
	  { FD_G, FD_F, 0, 8 },
	  2,
	  8,
	  &offset_word,
	  .setup = rewind_files },
	{ "copy_file_range, from",
	  SYS_copy_file_range,
	  { FD_F, 0, FD_G, 0, 8, 0 },
	  1,
	  8,
	  &offset_word,
	  .setup = rewind_files },
	{ "copy_file_range, to",
	  SYS_copy_file_range,
	  { FD_F, 0, FD_G, 0, 8, 0 },
	  3,
	  8,
	  &offset_word,
	  .setup = rewind_files },
	{ "F_GETLK", SYS_fcntl, { FD_F, F_GETLK, 0 }, 2, sizeof(struct flock), &a_lock },
	{ "F_SETLK",
	  SYS_fcntl,
	  { FD_F, F_SETLK, 0 },
	  2,
	  sizeof(struct flock),
	  &a_lock,
	  .undo = unlock },
	{ "FIONREAD", SYS_ioctl, { FD_READ, 0x541b, 0 }, 2, 4, NULL, .setup = fill_pipe },
	{ "getcwd", SYS_getcwd, { 0, 100 }, 0, 0, test_dir },
	/* waiting */
	{ "poll", SYS_poll, { 0, 3, 0 }, 0, sizeof(three), three },
	{ "ppoll", SYS_ppoll, { 0, 3, S(&moment), 0, 8 }, 0, sizeof(three), three },
	{ "ppoll, time", SYS_ppoll, { S(three), 1, 0, 0, 8 }, 2, 16, &moment },
	{ "ppoll, mask", SYS_ppoll, { S(three), 1, S(&moment), 0, 8 }, 3, 8, &no_signal },
	{ "select, read", SYS_select, { 1, 0, 0, 0, S(buf2) }, 1, 8, NULL },
	{ "select, write", SYS_select, { 1, 0, 0, 0, S(buf2) }, 2, 8, NULL },
	{ "select, except", SYS_select, { 1, 0, 0, 0, S(buf2) }, 3, 8, NULL },
	{ "select, time", SYS_select, { 0, 0, 0, 0, 0 }, 4, 16, NULL },
	{ "pselect6, time", SYS_pselect6, { 0, 0, 0, 0, 0, 0 }, 4, 16, &moment },
	{ "pselect6, mask", SYS_pselect6, { 0, 0, 0, 0, S(&moment), 0 }, 5, 16, &sigset_pack },
	IN("nanosleep", nanosleep, 0, moment, 0, 0),
	IN("clock_nanosleep", clock_nanosleep, 2, moment, CLOCK_MONOTONIC, 0, 0, 0),
	{ "futex, time", SYS_futex, { S(&futex_word), 0, 0, 0 }, 3, 16, &moment, .want = -ETIMEDOUT },
	/* signals */
	{ "rt_sigaction, new",
	  SYS_rt_sigaction,
	  { SIGUSR2, 0, 0, 8 },
	  1,
	  32,
	  &ignore,
	  .undo = undo_handler,
	  .flags = EDGE_UNDO },
	{ "rt_sigaction, old", SYS_rt_sigaction, { SIGUSR2, 0, 0, 8 }, 2, 32, NULL },
	{ "rt_sigaction, old behind new",
	  SYS_rt_sigaction,
	  { SIGUSR2, S(&ignore), 0, 8 },
	  2,
	  32,
	  NULL,
	  .undo = undo_handler,
	  .flags = EDGE_KEEPS | EDGE_UNDO },
	{ "rt_sigprocmask, new", SYS_rt_sigprocmask, { SIG_UNBLOCK, 0, 0, 8 }, 1, 8, &no_signal },
	{ "rt_sigprocmask, old", SYS_rt_sigprocmask, { SIG_BLOCK, 0, 0, 8 }, 2, 8, NULL },
	{ "rt_sigpending", SYS_rt_sigpending, { 0, 8 }, 0, 8, NULL },
	{ "rt_sigtimedwait, set",
	  SYS_rt_sigtimedwait,
	  { 0, 0, S(&moment), 8 },
	  0,
	  8,
	  &usr1,
	  .setup = make_signal },
	{ "rt_sigtimedwait, info",
	  SYS_rt_sigtimedwait,
	  { S(&usr1), 0, S(&moment), 8 },
	  1,
	  128,
	  NULL,
	  .setup = make_signal,
	  .flags = EDGE_KEEPS },
	{ "rt_sigtimedwait, time",
	  SYS_rt_sigtimedwait,
	  { S(&usr1), 0, 0, 8 },
	  2,
	  16,
	  &moment,
	  .setup = make_signal },
	{ "rt_sigsuspend",
	  SYS_rt_sigsuspend,
	  { 0, 8 },
	  0,
	  8,
	  &no_signal,
	  .flags = EDGE_NEVER,
	  .setup = drop_signals },
	{ "rt_sigqueueinfo",
	  SYS_rt_sigqueueinfo,
	  { 0, 40, 0 },
	  2,
	  48,
	  &queued,
	  .setup = drop_signals,
	  .undo = undo_signals },
	{ "rt_tgsigqueueinfo",
	  SYS_rt_tgsigqueueinfo,
	  { 0, 0, 40, 0 },
	  3,
	  48,
	  &queued,
	  .undo = undo_signals },
	{ "sigaltstack, new", SYS_sigaltstack, { 0, 0 }, 0, sizeof(stack_t), &no_stack },
	{ "sigaltstack, old", SYS_sigaltstack, { 0, 0 }, 1, sizeof(stack_t), NULL },
	/* timers and clocks */
	OUT("getitimer", getitimer, 1, 32, 0, 0),
	{ "setitimer, new", SYS_setitimer, { 0, 0, 0 }, 1, 32, &no_itimer },
	{ "setitimer, old",
	  SYS_setitimer,
	  { 0, S(&no_itimer), 0 },
	  2,
	  32,
	  NULL,
	  .undo = undo_timers,
	  .flags = EDGE_UNDO },
	{ "timer_create, event",
	  SYS_timer_create,
	  { CLOCK_MONOTONIC, 0, S(buf) },
	  1,
	  64,
	  &to_nobody,
	  .undo = undo_timer_sev },
	{ "timer_create, id",
	  SYS_timer_create,
	  { CLOCK_MONOTONIC, S(&to_nobody), 0 },
	  2,
	  4,
	  NULL,
	  .undo = undo_timer_create },
	{ "timer_settime, new", SYS_timer_settime, { -1, 0, 0, 0 }, 2, 32, &no_itimerspec },
	{ "timer_settime, old", SYS_timer_settime, { -1, 0, S(&no_itimerspec), 0 }, 3, 32, NULL },
	{ "timer_gettime", SYS_timer_gettime, { -1, 0 }, 1, 32, NULL },
	OUT("clock_gettime", clock_gettime, 1, 16, CLOCK_MONOTONIC, 0),
	OUT("clock_getres", clock_getres, 1, 16, CLOCK_MONOTONIC, 0),
	OUT("gettimeofday", gettimeofday, 0, 16, 0, 0),
	OUT("gettimeofday, zone", gettimeofday, 1, 8, 0, 0),
	OUT("time", time, 0, 8, 0),
	OUT("times", times, 0, 32, 0),
	/* processes */
	{ "wait4, status",
	  SYS_wait4,
	  { -1, 0, 0, 0 },
	  1,
	  4,
	  NULL,
	  .setup = make_zombie,
	  .flags = EDGE_KEEPS },
	{ "wait4, usage",
	  SYS_wait4,
	  { -1, 0, 0, 0 },
	  3,
	  144,
	  NULL,
	  .setup = make_zombie,
	  .flags = EDGE_KEEPS },
	{ "waitid, info",
	  SYS_waitid,
	  { 0, 0, 0, WEXITED, 0 },
	  2,
	  28,
	  NULL,
	  .setup = make_zombie,
	  .flags = EDGE_KEEPS },
	{ "waitid, usage",
	  SYS_waitid,
	  { 0, 0, 0, WEXITED, 0 },
	  4,
	  144,
	  NULL,
	  .setup = make_zombie,
	  .flags = EDGE_KEEPS },
	{ "clone, parent's id",
	  SYS_clone,
	  { CLONE_PARENT_SETTID | SIGCHLD, 0, 0, 0, 0 },
	  2,
	  4,
	  NULL,
	  .undo = undo_child,
	  .flags = EDGE_WORKS },
	{ "clone3",
	  SYS_clone3,
	  { 0, sizeof(clone_args) },
	  0,
	  sizeof(clone_args),
	  clone_args,
	  .undo = undo_child },
	OUT("uname", uname, 0, 390, 0),
	OUT("getrusage", getrusage, 1, 144, 0, 0),
	OUT("sysinfo", sysinfo, 0, 112, 0),
	OUT("getrlimit", getrlimit, 1, 16, RLIMIT_CORE, 0),
	{ "setrlimit", SYS_setrlimit, { RLIMIT_CORE, 0 }, 1, 16, &same_limit },
	{ "prlimit64, new", SYS_prlimit64, { 0, RLIMIT_CORE, 0, 0 }, 2, 16, &same_limit },
	{ "prlimit64, old", SYS_prlimit64, { 0, RLIMIT_CORE, 0, 0 }, 3, 16, NULL },
	{ "getresuid, real", SYS_getresuid, { 0, S(buf), S(buf) }, 0, 4, NULL },
	{ "getresuid, effective", SYS_getresuid, { S(buf), 0, S(buf) }, 1, 4, NULL },
	{ "getresuid, saved", SYS_getresuid, { S(buf), S(buf), 0 }, 2, 4, NULL },
	{ "getresgid, real", SYS_getresgid, { 0, S(buf), S(buf) }, 0, 4, NULL },
	{ "getresgid, saved", SYS_getresgid, { S(buf), S(buf), 0 }, 2, 4, NULL },
	IN("capget, head", capget, 0, cap_head, 0, S(buf)),
	OUT("capget", capget, 1, 24, S(&cap_head), 0),
	IN("capset, head", capset, 0, cap_head, 0, S(buf2)),
	{ "capset", SYS_capset, { S(&cap_head), 0 }, 1, 24, NULL },
	OUT("sched_getparam", sched_getparam, 1, 4, 0, 0),
	IN("sched_setparam", sched_setparam, 1, zero_priority, 0, 0),
	IN("sched_setscheduler", sched_setscheduler, 2, zero_priority, 0, 0, 0),
	OUT("sched_rr_get_interval", sched_rr_get_interval, 1, 16, 0, 0),
	IN("sched_setaffinity", sched_setaffinity, 2, cpus_all, 0, 8, 0),
	OUT("sched_getaffinity", sched_getaffinity, 2, 8, 0, 8, 0),
	OUT("getcpu, processor", getcpu, 0, 4, 0, 0, 0),
	OUT("getcpu, node", getcpu, 1, 4, 0, 0, 0),
	OUT("PR_GET_NAME", prctl, 1, 16, PR_GET_NAME, 0),
	OUT("PR_GET_PDEATHSIG", prctl, 1, 4, PR_GET_PDEATHSIG, 0),
	{ "PR_SET_NAME", SYS_prctl, { PR_SET_NAME, 0 }, 1, 0, "efault_edges" },
	OUT("ARCH_GET_FS", arch_prctl, 1, 8, 0x1003, 0),
	OUT("get_robust_list, head", get_robust_list, 1, 8, 0, 0, S(buf)),
	OUT("get_robust_list, size", get_robust_list, 2, 8, 0, S(buf), 0),
	{ "process_vm_readv, local",
	  SYS_process_vm_readv,
	  { 0, 0, 1, S(&other_iov), 1, 0 },
	  1,
	  16,
	  &one_iov },
	{ "process_vm_readv, remote",
	  SYS_process_vm_readv,
	  { 0, S(&one_iov), 1, 0, 1, 0 },
	  3,
	  16,
	  &other_iov },
	/* memory */
	{ "shmctl, IPC_STAT", SYS_shmctl, { -1, IPC_STAT, 0 }, 2, sizeof(struct shmid_ds), NULL },
	{ "mincore", SYS_mincore, { 0, 4 * PAGE, 0 }, 2, 4, NULL },
};

/* What is known only now. */
static void fill_in(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct edge *e = &rows[i];

		if (!strncmp(e->name, "timer_settime", 13) || !strcmp(e->name, "timer_gettime"))
			e->args[0] = (long)timer & 0x7fffffff;
		if (e->nr == SYS_rt_sigqueueinfo || e->nr == SYS_process_vm_readv ||
		    e->nr == SYS_rt_tgsigqueueinfo)
			e->args[0] = getpid();
		if (e->nr == SYS_rt_tgsigqueueinfo)
			e->args[1] = getpid();
		if (e->nr == SYS_shmctl)
			e->args[0] = segment;
		if (e->nr == SYS_mincore)
			e->args[0] = (long)four_pages;
	}
}

static void at_number(int fd, int number)
{
	dup2(fd, number);
	close(fd);
}

int main(int argc, char **argv)
{
	static const char *const rest[] = { "f", "g", "link", NULL };
	unsigned long most = ~(1UL << (SIGSEGV - 1));
	int ends[2];

	tap_start(argc, argv, NULL);
	make_dir("efault_edges");
	if (chdir(test_dir))
		skip_all("no working directory");
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &most, NULL, 8);
	edges_start();
	four_pages = fresh(4, RW);
	at_number(make_file("f", 100), FD_F);
	at_number(make_file("g", 0), FD_G);
	mkdir("d", 0700);
	symlink("text", "link");
	at_number(open(".", O_RDONLY), FD_HERE);
	if (pipe(ends))
		return 1;
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	at_number(ends[0], FD_READ), at_number(ends[1], FD_WRITE);
	queued.si_code = SI_QUEUE;
	segment = shmget(IPC_PRIVATE, PAGE, 0600);
	syscall(SYS_timer_create, CLOCK_MONOTONIC, &to_nobody, &timer);
	fill_in();
	memset(buf, 0, sizeof(buf)), memset(buf2, 0, sizeof(buf2));
	try_edges(rows, COUNT(rows));
	shmctl(segment, IPC_RMID, NULL);
	rmdir("d");
	if (chdir("/"))
		return 1;
	clean_dir(rest);
	return done_testing();
}
