/* SPDX-License-Identifier: MIT */
/* runs as root */
/* Users and groups of processes and threads: who may become whom, what children and exec keep. */
#include "procs.h"
#include <sys/stat.h>

static volatile int *words;

/* The three user ids as one number that can be read: 1000 real, 1001 effective, 1002 saved. */
static long users(void)
{
	int r = -1, e = -1, s = -1;

	raw(SYS_getresuid, &r, &e, &s);
	return r * 100000000L + e * 10000L + s;
}

static long groups(void)
{
	int r = -1, e = -1, s = -1;

	raw(SYS_getresgid, &r, &e, &s);
	return r * 100000000L + e * 10000L + s;
}

#define IDS(r, e, s) ((r)*100000000L + (e)*10000L + (s))

static int root_sets(void *arg)
{
	(void)arg;
	NEED_IS(users(), IDS(0, 0, 0));
	NEED_IS(raw(SYS_setresuid, 1000, 1001, 1002), 0);
	NEED_IS(users(), IDS(1000, 1001, 1002));
	NEED_IS(raw(SYS_getuid), 1000);
	NEED_IS(raw(SYS_geteuid), 1001);
	NEED_IS(raw(SYS_setuid, 0), -EPERM);
	NEED_IS(raw(SYS_setuid, 1003), -EPERM);
	NEED_IS(raw(SYS_setuid, 1002), 0);
	NEED_IS(users(), IDS(1000, 1002, 1002));
	NEED_IS(raw(SYS_setresuid, -1, -1, -1), 0);
	NEED_IS(raw(SYS_setresuid, -1, 1000, -1), 0);
	NEED_IS(users(), IDS(1000, 1000, 1002));
	NEED_IS(raw(SYS_setresuid, 1002, 1002, 1000), 0);
	NEED_IS(users(), IDS(1002, 1002, 1000));
	NEED_IS(raw(SYS_setresuid, 1001, -1, -1), -EPERM);
	NEED_IS(raw(SYS_setreuid, 1002, 1000), 0);
	NEED_IS(users(), IDS(1002, 1000, 1000));
	NEED_IS(raw(SYS_setreuid, 1000, -1), 0);
	NEED_IS(users(), IDS(1000, 1000, 1000));
	NEED_IS(raw(SYS_setreuid, 1002, -1), -EPERM);
	return 0;
}

static int root_setuid(void *arg)
{
	(void)arg;
	NEED_IS(raw(SYS_setgid, 500), 0);
	NEED_IS(groups(), IDS(500, 500, 500));
	NEED_IS(raw(SYS_setregid, 501, 502), 0);
	NEED_IS(groups(), IDS(501, 502, 502));
	NEED_IS(raw(SYS_setresgid, 5, 6, 7), 0);
	NEED_IS(groups(), IDS(5, 6, 7));
	NEED_IS(raw(SYS_setuid, 1000), 0);
	NEED_IS(users(), IDS(1000, 1000, 1000));
	NEED_IS(raw(SYS_setuid, 0), -EPERM);
	NEED_IS(raw(SYS_setgid, 0), -EPERM);
	NEED_IS(raw(SYS_setgid, 7), 0);
	NEED_IS(groups(), IDS(5, 7, 7));
	NEED_IS(raw(SYS_setresgid, 6, -1, -1), -EPERM);
	NEED_IS(raw(SYS_setgroups, 0, NULL), -EPERM);
	return 0;
}

static int temporarily(void *arg)
{
	(void)arg;
	NEED_IS(raw(SYS_setresuid, -1, 1000, -1), 0);
	NEED_IS(users(), IDS(0, 1000, 0));
	NEED_IS(raw(SYS_setgid, 1), -EPERM);
	NEED_IS(raw(SYS_setresuid, -1, 0, -1), 0);
	NEED_IS(raw(SYS_setgid, 1), 0);
	NEED_IS(raw(SYS_setuid, -1), -EINVAL);
	NEED_IS(raw(SYS_setfsuid, 77), 0);
	NEED_IS(raw(SYS_setfsuid, -1), 77);
	NEED_IS(raw(SYS_setresuid, -1, 0, -1), 0);
	NEED_IS(raw(SYS_setfsuid, -1), 0);
	return 0;
}

static int supplementary(void *arg)
{
	int list[] = { 3, 1, 2 }, got[8] = { 0 };

	(void)arg;
	NEED_IS(raw(SYS_setgroups, 3, list), 0);
	NEED_IS(raw(SYS_getgroups, 0, NULL), 3);
	NEED_IS(raw(SYS_getgroups, 8, got), 3);
	NEED_IS(got[0] * 100 + got[1] * 10 + got[2], 123);
	NEED_IS(raw(SYS_getgroups, 2, got), -EINVAL);
	NEED_IS(raw(SYS_getgroups, -1, got), -EINVAL);
	NEED_IS(raw(SYS_getgroups, 3, 8), -EFAULT);
	NEED_IS(raw(SYS_setgroups, 65537, list), -EINVAL);
	NEED_IS(raw(SYS_setgroups, 3, 8), -EFAULT);
	NEED_IS(raw(SYS_getgroups, 0, NULL), 3);
	NEED_IS(raw(SYS_setgroups, 0, NULL), 0);
	NEED_IS(raw(SYS_getgroups, 0, NULL), 0);
	return 0;
}

static int set_in_thread(void *arg)
{
	(void)arg;
	words[0] = raw(SYS_setresuid, 1000, 1000, 1000);
	words[1] = raw(SYS_geteuid);
	return 0;
}

static int threads(void *arg)
{
	struct thread thread;

	(void)arg;
	thread_start(&thread, set_in_thread, NULL);
	thread_join(&thread);
	NEED_IS(words[0], 0);
	NEED_IS(words[1], 1000);
	NEED_IS(users(), IDS(0, 0, 0));
	return 0;
}

static int look_mode(int argc, char **argv)
{
	long want = strtol(argv[2], NULL, 10);

	NEED_IS(users(), want);
	return 42;
}

static int execute(void *arg)
{
	char want[32];
	char *argv[] = { (char *)tap.path, "look", want, NULL }, *none[] = { NULL };

	/* exec makes the saved one the effective one. */
	snprintf(want, sizeof(want), "%ld", IDS(1000, 1001, 1001));
	if (arg)
		snprintf(want, sizeof(want), "%ld", IDS(1000, 1000, 1000));
	raw(SYS_setresuid, 1000, arg ? 1000 : 1001, 1002);
	raw(SYS_execve, "/proc/self/exe", argv, none);
	return 99;
}

static int in_child(void *arg)
{
	pid_t pid;

	(void)arg;
	raw(SYS_setresuid, 1000, 1001, 1002);
	pid = raw(SYS_fork);
	if (pid == 0)
		raw(SYS_exit_group, users() == IDS(1000, 1001, 1002) ? 0 : 1);
	NEED_IS(status_of(pid), 0);
	return 0;
}

/* RLIMIT_NPROC belongs to the real user; root has none, and who becomes a user beyond it fails at exec. */
static int limits(void *arg)
{
	char *argv[] = { (char *)tap.path, "look", "0", NULL }, *none[] = { NULL };
	pid_t pid;

	(void)arg;
	limit(RLIMIT_NPROC, 0);
	pid = raw(SYS_fork);
	if (pid == 0)
		raw(SYS_exit_group, 0);
	NEED(pid > 0);
	NEED_IS(status_of(pid), 0);
	words[2] = words[3] = 0;
	pid = raw(SYS_fork);
	if (pid == 0) {
		raw(SYS_setresuid, 4321, 4321, 4321);
		words[2] = 1;
		raw(SYS_exit_group, await(&words[3], 1) ? 0 : 1);
	}
	await(&words[2], 1);
	NEED_IS(raw(SYS_setresuid, 4321, 4321, 4321), 0);
	NEED_IS(raw(SYS_execve, "/proc/self/exe", argv, none), -EAGAIN);
	NEED_IS(raw(SYS_fork), -EAGAIN);
	words[3] = 1;
	NEED_IS(status_of(pid), 0);
	return 0;
}

static const struct mode modes[] = { { "look", look_mode }, { NULL, NULL } };

int main(int argc, char **argv)
{
	tap_start(argc, argv, modes);
	if (!am_root())
		skip_all("needs root");
	words = shared_words();
	child_ok(root_sets, "root becomes others, who can go from one to the other of their own");
	child_ok(root_setuid, "setuid of root is for good; groups");
	child_ok(temporarily, "root in between; the user of the file system");
	child_ok(supplementary, "supplementary groups");
	child_ok(threads, "a thread's user is its own");
	is(status_of(fork_child(execute, NULL)), 42 << 8,
	   "exec: the saved user is the effective one");
	is(status_of(fork_child(execute, (void *)1L)), 42 << 8, "the same for an ordinary user");
	child_ok(in_child, "a child has them all");
	child_ok(limits, "RLIMIT_NPROC");
	return done_testing();
}
