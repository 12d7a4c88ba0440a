/* SPDX-License-Identifier: MIT */
/*
 * unshare(2): a task that has its descriptors, its directory or its umask in common with another gets its own
 * of what it names, and of nothing else.
 */
#include "tap.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define STACK (64 << 10)

static int unshare_(unsigned long flags)
{
	return (int)syscall(SYS_unshare, flags);
}

/* What a child that shares with us does, and what that leaves here. */
static unsigned long asked;

static int change(void *arg)
{
	(void)arg;
	if (asked && unshare_(asked) != 0)
		return errno;
	umask(0123);
	if (chdir("/dev") != 0)
		return 200;
	return close(100) == 0 ? 0 : 201;
}

static int run_child(unsigned long flags)
{
	char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int status = -1;
	pid_t pid = clone(change, stack + STACK, (int)flags | SIGCHLD, NULL);

	waitpid(pid, &status, 0);
	munmap(stack, STACK);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void check(unsigned long unshared, bool fs_ours, bool files_ours, const char *what)
{
	char cwd[64] = "", name[96];

	umask(022);
	if (chdir("/") != 0 || dup2(1, 100) != 100)
		return;
	asked = unshared;
	snprintf(name, sizeof(name), "%s: the child's call", what);
	is(run_child(CLONE_VM | CLONE_FS | CLONE_FILES), 0, name);
	snprintf(name, sizeof(name), "%s: umask and directory are %s", what,
		 fs_ours ? "ours" : "the child's too");
	ok(umask(022) == (fs_ours ? 022 : 0123) && getcwd(cwd, sizeof(cwd)) &&
		   strcmp(cwd, fs_ours ? "/" : "/dev") == 0,
	   name);
	snprintf(name, sizeof(name), "%s: descriptors are %s", what,
		 files_ours ? "ours" : "the child's too");
	is(fcntl(100, F_GETFD) >= 0, files_ours, name);
}

static int in_shared_memory(void *arg)
{
	(void)arg;
	return unshare_(CLONE_VM) == 0 ? 0 : errno;
}

static int with_shared_handlers(void *arg)
{
	(void)arg;
	return unshare_(CLONE_SIGHAND) == 0 ? 0 : errno;
}

static int run(int (*fn)(void *), int flags)
{
	char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int status = -1;

	waitpid(clone(fn, stack + STACK, flags | SIGCHLD, NULL), &status, 0);
	munmap(stack, STACK);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void *in_thread(void *arg)
{
	int *got = arg;

	got[0] = unshare_(CLONE_THREAD) == 0 ? 0 : errno;
	got[1] = unshare_(CLONE_VM) == 0 ? 0 : errno;
	got[2] = unshare_(CLONE_FILES | CLONE_FS) == 0 ? 0 : errno;
	close(100);
	return NULL;
}

static void test_threads(void)
{
	pthread_t thread;
	int got[3] = { -1, -1, -1 };

	dup2(1, 100);
	if (pthread_create(&thread, NULL, in_thread, got) != 0)
		return;
	pthread_join(thread, NULL);
	is(got[0], EINVAL, "a thread of several can't leave them");
	is(got[1], EINVAL, "nor their memory");
	is(got[2], 0, "but their descriptors and directory");
	ok(fcntl(100, F_GETFD) >= 0, "which are the others' then as they were");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	check(0, false, false, "nothing");
	check(CLONE_FS, true, false, "CLONE_FS");
	check(CLONE_FILES, false, true, "CLONE_FILES");
	check(CLONE_FS | CLONE_FILES, true, true, "both");
	ok(unshare_(0) == 0, "no flag");
	ok(unshare_(CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_FILES | CLONE_FS |
		    CLONE_SYSVSEM) == 0,
	   "one that shares nothing may ask for all");
	fails(unshare_(CLONE_PARENT), EINVAL, "a flag that isn't for unshare");
	fails(unshare_(1UL << 40), EINVAL, "a flag that isn't known");
	fails(unshare_(CLONE_FILES | 1), EINVAL, "the same beside a good one");
	is(run(in_shared_memory, CLONE_VM), EINVAL, "memory that another uses");
	is(run(in_shared_memory, 0), 0, "memory that nobody else uses");
	is(run(with_shared_handlers, CLONE_VM | CLONE_SIGHAND), EINVAL,
	   "handlers that another uses");
	is(run(with_shared_handlers, CLONE_VM), 0,
	   "handlers that nobody else uses, in shared memory");
	if (geteuid() != 0)
		fails(unshare_(CLONE_NEWNS), EPERM, "a name space is not for everybody");
	else
		skip("a name space is not for everybody", "run by root");
	test_threads();
	return done_testing();
}
