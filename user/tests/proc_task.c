/* SPDX-License-Identifier: MIT */
/* /proc of processes and threads: each value against what a system call says of it. */
#include "tap.h"
#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

static char text[65536];

/* A whole file; its length, or -errno. */
static long slurp(const char *path)
{
	int fd = open(path, O_RDONLY);
	long used = 0, n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, text + used, sizeof(text) - 1 - used)) > 0)
		used += n;
	n = n < 0 ? -errno : used;
	text[used] = '\0';
	close(fd);
	return n;
}

static long read_of(int pid, const char *file)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	return slurp(path);
}

/* What follows "NAME:\t" in the text, as far as the line goes. */
static const char *line_of(const char *name)
{
	static char value[256];
	size_t len = strlen(name);

	for (const char *p = text; p; p = strchr(p, '\n'), p += p != NULL)
		if (!strncmp(p, name, len) && p[len] == ':') {
			p += len + 1 + strspn(p + len + 1, " \t");
			snprintf(value, sizeof(value), "%.*s", (int)strcspn(p, "\n"), p);
			return value;
		}
	return "no such line";
}

static unsigned long hex_of(const char *name)
{
	return strtoul(line_of(name), NULL, 16);
}

/* --- stat ----------------------------------------------------------------------------------- */

#define FIELDS 52
static long field[FIELDS + 1]; /* by the numbers of proc_pid_stat(5) */
static char state, comm[64];

/* Reads a stat file apart. The number of fields. */
static int split_stat(const char *path)
{
	const char *open_at, *close_at, *p;
	int n = 3;

	memset(field, 0, sizeof(field));
	if (slurp(path) < 0)
		return 0;
	open_at = strchr(text, '(');
	close_at = strrchr(text, ')');
	if (!open_at || !close_at)
		return 0;
	field[1] = atol(text);
	snprintf(comm, sizeof(comm), "%.*s", (int)(close_at - open_at - 1), open_at + 1);
	state = close_at[2];
	for (p = close_at + 3; *p == ' ' && n < FIELDS;) {
		char *end;

		field[++n] = (long)strtoul(p + 1, &end, 10);
		if (p[1] == '-')
			field[n] = strtol(p + 1, &end, 10);
		p = end;
	}
	return *p == '\n' ? n : 0;
}

static int stat_of(int pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	return split_stat(path);
}

static unsigned long area_with(const char *what)
{
	unsigned long start = 0;

	slurp("/proc/self/maps");
	for (const char *p = text; p; p = strchr(p, '\n'), p += p != NULL) {
		const char *end = strchr(p, '\n');

		if (end && memmem(p, end - p, what, strlen(what)))
			return sscanf(p, "%lx", &start) == 1 ? start : 0;
	}
	return 0;
}

static void stat_ids(void)
{
	is(split_stat("/proc/self/stat"), FIELDS, "stat has 52 fields");
	is(field[1], getpid(), "pid");
	is_str(comm, "proc_task", "name");
	is(state, 'R', "state");
	is(field[4], getppid(), "parent");
	is(field[5], getpgrp(), "group");
	is(field[6], getsid(0), "session");
	is(field[7], 0, "no terminal");
	is(field[8], -1, "and no foreground group");
	is(field[9] & 0x200044, 0, "a program that runs: flags");
	is(field[18], 20, "priority");
	is(field[19], 0, "nice");
	is(field[20], 1, "threads");
	is(field[21], 0, "no interval timer");
	is(field[38], SIGCHLD, "exit signal");
	is(field[39], 0, "processor");
	is(field[40], 0, "no real-time priority");
	is(field[41], SCHED_OTHER, "policy");
	is(field[52], 0, "exit code");
}

static void stat_memory(void)
{
	struct rlimit limit;
	unsigned long heap = (unsigned long)sbrk(0), stack, code;
	long size;

	getrlimit(RLIMIT_RSS, &limit);
	slurp("/proc/self/status");
	size = atol(line_of("VmSize"));
	code = area_with(" r-xp ");
	stack = area_with("[stack]");
	split_stat("/proc/self/stat");
	is(field[23], size * 1024, "size");
	ok(field[24] > 0 && field[24] * 4 <= size, "resident pages");
	is(field[25], limit.rlim_cur, "RLIMIT_RSS");
	is(field[26] & -4096UL, code, "start of the code");
	ok((unsigned long)field[27] > (unsigned long)stat_memory && field[27] > field[26],
	   "end of the code");
	ok((unsigned long)field[28] > stack && (unsigned long)field[28] > (unsigned long)&stack,
	   "the stack's begin");
	ok(field[45] <= (long)(void *)&tap && field[46] >= field[45], "data");
	ok(field[47] && (unsigned long)field[47] <= heap, "the heap's begin");
	ok(field[48] < field[49] && field[49] <= field[50] && field[50] <= field[51],
	   "arguments and environment");
	is_str((char *)field[48], tap.path ? (char *)field[48] : "", "arguments can be read there");
}

/* Faults and times, between two looks by getrusage(2). */
static void stat_usage(void)
{
	struct rusage before, after;
	struct timespec now;

	getrusage(RUSAGE_SELF, &before);
	split_stat("/proc/self/stat");
	getrusage(RUSAGE_SELF, &after);
	clock_gettime(CLOCK_BOOTTIME, &now);
	ok(field[10] >= before.ru_minflt && field[10] <= after.ru_minflt, "minor faults");
	is(field[12], after.ru_majflt, "major faults");
	ok(field[14] <= after.ru_utime.tv_sec * 100 + after.ru_utime.tv_usec / 10000 + 1,
	   "user time");
	ok(field[15] <= after.ru_stime.tv_sec * 100 + after.ru_stime.tv_usec / 10000 + 1,
	   "system time");
	ok(field[22] > 0 && field[22] <= now.tv_sec * 100 + now.tv_nsec / 10000000, "start");
	getrusage(RUSAGE_CHILDREN, &after);
	is(field[11], after.ru_minflt, "minor faults of children");
}

/* --- signals -------------------------------------------------------------------------------- */

static void handler(int sig)
{
}

#define BIT(sig) (1UL << ((sig)-1))

static void signals(void)
{
	long queued;
	struct rlimit limit;
	sigset_t set;
	char want[64];

	signal(SIGUSR1, handler);
	signal(SIGUSR2, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	slurp("/proc/self/status");
	queued = atol(line_of("SigQ"));
	kill(getpid(), SIGTERM);
	syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1);
	slurp("/proc/self/status");
	is(hex_of("SigBlk"), BIT(SIGTERM) | BIT(SIGUSR1) | BIT(SIGRTMIN), "SigBlk");
	is(hex_of("SigIgn"), BIT(SIGUSR2), "SigIgn");
	is(hex_of("SigCgt"), BIT(SIGUSR1), "SigCgt");
	is(hex_of("ShdPnd"), BIT(SIGTERM), "ShdPnd: for the process");
	is(hex_of("SigPnd"), BIT(SIGUSR1), "SigPnd: for the thread");
	getrlimit(RLIMIT_SIGPENDING, &limit);
	snprintf(want, sizeof(want), "%ld/%lu", queued + 2, (unsigned long)limit.rlim_cur);
	is_str(line_of("SigQ"), want, "SigQ");
	split_stat("/proc/self/stat");
	is(field[31], BIT(SIGUSR1), "stat: pending for the thread");
	is(field[32], BIT(SIGTERM) | BIT(SIGUSR1), "stat: blocked");
	is(field[33], BIT(SIGUSR2), "stat: ignored");
	is(field[34], BIT(SIGUSR1), "stat: caught");
	signal(SIGTERM, SIG_IGN);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
}

static void status_ids(void)
{
	char want[32];

	slurp("/proc/self/status");
	is(atol(line_of("Tgid")), getpid(), "Tgid");
	is(atol(line_of("Pid")), getpid(), "Pid");
	is(atol(line_of("PPid")), getppid(), "PPid");
	is_str(line_of("TracerPid"), "0", "TracerPid");
	snprintf(want, sizeof(want), "%d", getpid());
	is_str(line_of("NStgid"), want, "NStgid");
	is_str(line_of("NSpid"), want, "NSpid");
	is(atol(line_of("NSpgid")), getpgrp(), "NSpgid");
	is(atol(line_of("NSsid")), getsid(0), "NSsid");
	is_str(line_of("Threads"), "1", "Threads");
	is_str(line_of("CoreDumping"), "0", "CoreDumping");
	is_str(line_of("NoNewPrivs"), "0", "NoNewPrivs");
	/* In hexadecimal, of as many digits as there are processors for: affinity.c looks closer. */
	is(strtol(line_of("Cpus_allowed"), NULL, 16), 1, "Cpus_allowed");
	is_str(line_of("Cpus_allowed_list"), "0", "Cpus_allowed_list");
}

static void switches(void)
{
	const struct timespec moment = { 0, 1000000 };
	long before;

	slurp("/proc/self/status");
	before = atol(line_of("voluntary_ctxt_switches"));
	nanosleep(&moment, NULL);
	nanosleep(&moment, NULL);
	slurp("/proc/self/status");
	ok(atol(line_of("voluntary_ctxt_switches")) >= before + 2, "two sleeps are two switches");
	ok(atol(line_of("nonvoluntary_ctxt_switches")) >= 0, "those that weren't its own choice");
}

/* --- states --------------------------------------------------------------------------------- */

static int gate[2];

static pid_t waiting_child(void)
{
	pid_t pid;
	char c;

	pipe(gate);
	pid = fork();
	if (pid == 0) {
		close(gate[1]);
		if (read(gate[0], &c, 1) == 0)
			_exit(3);
		_exit(0);
	}
	close(gate[0]);
	return pid;
}

/* Looks again and again until the state is that: what it was last. */
static char wait_state(pid_t pid, char wanted)
{
	do {
		stat_of(pid);
		if (state != wanted)
			usleep(1000);
	} while (state && state != wanted);
	return state;
}

static void states(void)
{
	pid_t pid = waiting_child();
	int status;

	is(wait_state(pid, 'S'), 'S', "a child that waits sleeps");
	is(field[4], getpid(), "it is ours");
	is(field[9] & 0x40, 0x40, "and has not executed anything");
	kill(pid, SIGSTOP);
	waitpid(pid, &status, WUNTRACED);
	is(wait_state(pid, 'T'), 'T', "stopped");
	read_of(pid, "status");
	is_str(line_of("State"), "T (stopped)", "status says so too");
	kill(pid, SIGCONT);
	close(gate[1]);
	is(wait_state(pid, 'Z'), 'Z', "ended: a zombie");
	is_str(comm, "proc_task", "which has its name still");
	is(field[23], 0, "but no memory");
	is(read_of(pid, "cmdline"), 0, "and no arguments");
	read_of(pid, "status");
	is_str(line_of("State"), "Z (zombie)", "status says so");
	is_str(line_of("VmSize"), "no such line", "and nothing of memory");
	waitpid(pid, &status, 0);
	is(stat_of(pid), 0, "waited for: it is gone");
	is(read_of(pid, "stat"), -ENOENT, "there is no such file");
}

/* --- threads -------------------------------------------------------------------------------- */

static pthread_barrier_t meet;
static volatile int tid;

static void *thread(void *arg)
{
	char link[64], want[64];
	ssize_t n;

	tid = gettid();
	prctl(PR_SET_NAME, "worker");
	n = readlink("/proc/thread-self", link, sizeof(link) - 1);
	link[n > 0 ? n : 0] = '\0';
	snprintf(want, sizeof(want), "%d/task/%d", getpid(), tid);
	pthread_barrier_wait(&meet);
	pthread_barrier_wait(&meet);
	return (void *)(long)!strcmp(link, want);
}

static int count_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	int count = 0;

	while (dir && (entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return count;
}

static long write_to(const char *path, const char *what)
{
	int fd = open(path, O_WRONLY);
	long ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, what, strlen(what));
	ret = ret < 0 ? -errno : ret;
	close(fd);
	return ret;
}

static void look_at_thread(void)
{
	char path[64], want[16];

	is(count_threads(), 2, "two directories in task");
	split_stat("/proc/self/stat");
	is(field[20], 2, "stat: two threads");
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	is(split_stat(path), FIELDS, "a thread has a stat");
	is(field[1], tid, "its own id");
	is_str(comm, "worker", "its own name");
	is(field[4], getppid(), "its process's parent");
	is(field[38], -1, "it announces its end to nobody");
	snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
	slurp(path);
	is(atol(line_of("Pid")), tid, "status: Pid");
	is(atol(line_of("Tgid")), getpid(), "status: Tgid");
	is_str(line_of("Threads"), "2", "status: Threads");
	snprintf(path, sizeof(path), "/proc/self/task/%d/task", tid);
	is(access(path, F_OK), -1, "there are no threads of a thread");
	snprintf(path, sizeof(path), "/proc/self/task/%d/comm", tid);
	is(write_to(path, "a name longer than it may be"), 28, "it can be renamed");
	slurp(path);
	is_str(text, "a name longer t\n", "to 15 characters");
	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	is(split_stat(path), FIELDS, "a thread is found by its id alone");
	snprintf(want, sizeof(want), "%d", tid);
	is(access("/proc/self/task/1", F_OK), -1, "but among ours only ours are");
}

static void threads(void)
{
	pthread_t t;
	void *good = NULL;

	pthread_barrier_init(&meet, NULL, 2);
	if (pthread_create(&t, NULL, thread, NULL)) {
		ok(false, "a thread can be made");
		return;
	}
	pthread_barrier_wait(&meet);
	look_at_thread();
	pthread_barrier_wait(&meet);
	pthread_join(t, &good);
	ok(good, "thread-self leads to the reading thread");
	is(count_threads(), 1, "then there is one again");
}

/* --- names and links ------------------------------------------------------------------------ */

static const char *link_of(const char *path)
{
	static char to[PATH_MAX];
	ssize_t n = readlink(path, to, sizeof(to) - 1);

	to[n > 0 ? n : 0] = '\0';
	return to;
}

static void rename_self(void)
{
	pid_t pid;
	char path[64], name[16];

	is(write_to("/proc/self/comm", "other"), 5, "comm is written");
	prctl(PR_GET_NAME, name);
	is_str(name, "other", "prctl says so");
	slurp("/proc/self/comm");
	is_str(text, "other\n", "and comm");
	write_to("/proc/self/comm", "proc_task");
	pid = waiting_child();
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	is(write_to(path, "mine"), -EINVAL, "another process's name isn't ours to change");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(gate[1]);
}

static void links(void)
{
	char here[PATH_MAX], path[64], want[64];
	struct stat st;
	int p[2];

	chdir("/proc/self");
	chdir("/dev");
	getcwd(here, sizeof(here));
	is_str(link_of("/proc/self/cwd"), here, "cwd");
	is_str(link_of("/proc/self/root"), "/", "root");
	ok(strstr(link_of("/proc/self/exe"), "proc_task") != NULL, "exe");
	chdir("/");
	is_str(link_of("/proc/self/cwd"), "/", "cwd moves");
	pipe(p);
	fstat(p[0], &st);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", p[0]);
	snprintf(want, sizeof(want), "pipe:[%lu]", (unsigned long)st.st_ino);
	is_str(link_of(path), want, "a pipe's descriptor");
	close(p[0]);
	close(p[1]);
	is(access(path, F_OK), -1, "a closed one is gone");
	if (geteuid() == 0) {
		skip("others' links", "root may read them");
		return;
	}
	is(readlink("/proc/1/cwd", here, sizeof(here)), -1, "init's cwd");
	is(errno, EACCES, "is not for others");
	is(open("/proc/1/environ", O_RDONLY), -1, "nor its environment");
	is(errno, EACCES, "which is private");
}

static unsigned long octal_of(const char *name)
{
	return strtoul(line_of(name), NULL, 8);
}

static void fdinfo(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char path[64];
	struct stat st;

	lseek(fd, 1234, SEEK_SET);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	slurp(path);
	fstat(fd, &st);
	is(atol(line_of("pos")), 1234, "fdinfo: pos");
	is(octal_of("flags"), fcntl(fd, F_GETFL) | O_CLOEXEC, "fdinfo: flags");
	is(atol(line_of("ino")), st.st_ino, "fdinfo: ino");
	close(fd);
	is(slurp(path), -ENOENT, "closed: gone");
}

/* --- the machine ---------------------------------------------------------------------------- */

/* The number behind a name at a line's begin. */
static long number_after(const char *name)
{
	size_t len = strlen(name);

	for (const char *p = text; p; p = strchr(p, '\n'), p += p != NULL)
		if (!strncmp(p, name, len) && p[len] == ' ')
			return atol(p + len);
	return -1;
}

static void machine(void)
{
	struct timespec up, now;
	unsigned int load[3][2], running, threads;
	long forks, switched;
	int last;
	pid_t pid;

	slurp("/proc/stat");
	forks = number_after("processes");
	switched = number_after("ctxt");
	ok(number_after("procs_running") >= 1, "stat: somebody runs");
	ok(number_after("procs_blocked") >= 0, "stat: blocked");
	clock_gettime(CLOCK_BOOTTIME, &up);
	clock_gettime(CLOCK_REALTIME, &now);
	ok(labs(now.tv_sec - up.tv_sec - number_after("btime")) <= 1, "stat: btime");
	pid = fork();
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	slurp("/proc/stat");
	ok(number_after("processes") > forks, "stat: a fork counts");
	ok(number_after("ctxt") > switched, "stat: and switches");
	slurp("/proc/loadavg");
	is(sscanf(text, "%u.%2u %u.%2u %u.%2u %u/%u %d\n", &load[0][0], &load[0][1], &load[1][0],
		  &load[1][1], &load[2][0], &load[2][1], &running, &threads, &last),
	   9, "loadavg has nine numbers");
	ok(running >= 1 && threads > running, "loadavg: of some threads, some run");
	ok(last >= pid, "loadavg: the last id given out");
	is_str(link_of("/proc/mounts"), "self/mounts", "mounts is one's own");
	slurp("/proc/self/mounts");
	ok(strstr(text, " /proc proc ") != NULL, "which tells of /proc");
	slurp("/proc/sys/kernel/pid_max");
	ok(atol(text) > last, "ids are below pid_max");
	slurp("/proc/sys/kernel/threads-max");
	ok(atol(text) > (long)threads, "threads below threads-max");
	slurp("/proc/sys/kernel/cap_last_cap");
	is_str(text, "40\n", "the last capability");
}

int main(int argc, char **argv)
{
	const unsigned long first = 1;

	tap_start(argc, argv, NULL);
	is(syscall(SYS_sched_setaffinity, 0, sizeof(first), &first), 0, "on the first processor");
	stat_ids();
	stat_memory();
	stat_usage();
	status_ids();
	signals();
	switches();
	states();
	threads();
	rename_self();
	links();
	fdinfo();
	machine();
	return done_testing();
}
