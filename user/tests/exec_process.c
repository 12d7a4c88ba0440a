/* SPDX-License-Identifier: MIT */
/* execve(2) as an end and a beginning: what of the process goes on, what doesn't, what others see. */
#include "procs.h"
#include <elf.h>
#include <sys/auxv.h>

static volatile int *words;

/* --- what goes on --------------------------------------------------------------------------------- */

/* Started by keep(): arguments are the pid, the parent, and the descriptor that stays. */
static int kept_mode(int argc, char **argv)
{
	struct raw_sigaction act;
	unsigned long head = 1, len = 0;
	struct rlimit limits;
	char cwd[64] = "", name[16] = "";
	stack_t stack;

	NEED_IS(argc, 5);
	NEED_IS(my_pid(), atoi(argv[2]));
	NEED_IS(raw(SYS_getppid), atoi(argv[3]));
	NEED_IS(raw(SYS_getpgrp), my_pid());
	NEED_IS(raw(SYS_getsid, 0), my_pid());
	NEED_IS(raw(SYS_lseek, atoi(argv[4]), 0, SEEK_CUR), 3);
	NEED_IS(raw(SYS_fcntl, atoi(argv[4]) + 1, F_GETFD), -EBADF);
	NEED(raw(SYS_getcwd, cwd, sizeof(cwd)) > 0 && strcmp(cwd, "/tmp") == 0);
	NEED_IS(raw(SYS_umask, 022), 031);
	raw(SYS_prlimit64, 0, RLIMIT_CORE, NULL, &limits);
	NEED_IS(limits.rlim_cur, 777);
	NEED_IS(blocked_now(), BIT_OF(SIGUSR1));
	raw(SYS_rt_sigaction, SIGUSR2, NULL, &act, 8);
	NEED(act.handler == SIG_IGN);
	raw(SYS_rt_sigaction, SIGHUP, NULL, &act, 8);
	NEED(act.handler == SIG_DFL && act.mask == 0 && act.flags == 0);
	raw(SYS_sigaltstack, NULL, &stack);
	NEED_IS(stack.ss_flags, SS_DISABLE);
	NEED_IS(raw(SYS_get_robust_list, 0, &head, &len), 0);
	NEED_IS(head, 0);
	raw(SYS_prctl, PR_GET_NAME, name);
	NEED(strcmp(name, "exec_process") == 0);
	/* A child of before is still to be waited for. */
	NEED_IS(raw(SYS_wait4, -1, NULL, 0, NULL), atoi(getenv("CHILD")));
	NEED_IS(raw(SYS_wait4, -1, NULL, 0, NULL), -ECHILD);
	NEED_IS(getauxval(AT_SECURE), 0);
	return 42;
}

static int exit_with(void *arg)
{
	return (int)(long)arg;
}

static int keep(void *arg)
{
	static char stack[16384];
	static long robust[3] = { (long)robust, 0, 0 };
	char pid[16], parent[16], number[16], child[32];
	char *argv[] = { (char *)tap.path, "kept", pid, parent, number, NULL };
	char *envp[] = { child, NULL };
	stack_t s = { .ss_sp = stack, .ss_size = sizeof(stack) };
	int fd = open("/tmp/exec-process", O_RDWR | O_CREAT | O_TRUNC, 0600);

	(void)arg;
	raw(SYS_setsid);
	write(fd, "abc", 3);
	dup3(fd, fd + 1, O_CLOEXEC);
	unlink("/tmp/exec-process");
	raw(SYS_chdir, "/tmp");
	raw(SYS_umask, 031);
	limit(RLIMIT_CORE, 777);
	block(BIT_OF(SIGUSR1));
	set_plain(SIGUSR2, SIG_IGN);
	catch_with(SIGHUP, note_signal, SA_ONSTACK, BIT_OF(SIGINT));
	raw(SYS_sigaltstack, &s, NULL);
	raw(SYS_set_robust_list, robust, sizeof(robust));
	raw(SYS_prctl, PR_SET_NAME, "before");
	snprintf(pid, sizeof(pid), "%d", my_pid());
	snprintf(parent, sizeof(parent), "%d", (int)raw(SYS_getppid));
	snprintf(number, sizeof(number), "%d", fd);
	snprintf(child, sizeof(child), "CHILD=%d", fork_child(exit_with, NULL));
	raw(SYS_execve, tap.path, argv, envp);
	return 99;
}

/* --- what others see ------------------------------------------------------------------------------- */

static int pause_mode(int argc, char **argv)
{
	struct timespec hour = { 3600, 0 };

	while (raw(SYS_nanosleep, &hour, NULL) == 0)
		;
	return 1;
}

static int execute_pause(void *arg)
{
	char *argv[] = { "other name", "pause", "x y", NULL }, *envp[] = { "A=b", "C=d", NULL };

	raw(SYS_prctl, PR_SET_NAME, "before");
	words[0] = 1;
	raw(SYS_execve, arg ? "/proc/self/exe" : tap.path, argv, envp);
	return 99;
}

static void seen_by_others(void)
{
	char path[64], text[128], own[128];
	pid_t pid = fork_child(execute_pause, NULL);

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	ok(UNTIL(read_small(path, text, sizeof(text)) == 21 &&
		 memcmp(text, "other name\0pause\0x y", 21) == 0),
	   "cmdline is the new program's");
	ok(SLEEPS(pid), "which sleeps");
	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	is(read_small(path, text, sizeof(text)), 8, "environ");
	ok(memcmp(text, "A=b\0C=d", 8) == 0, "too");
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	read_small(path, text, sizeof(text));
	is_str(text, "exec_process\n", "comm is the file's name");
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	memset(text, 0, sizeof(text));
	memset(own, 0, sizeof(own));
	readlink(path, text, sizeof(text) - 1);
	readlink("/proc/self/exe", own, sizeof(own) - 1);
	is_str(text, own, "exe is the file");
	raw(SYS_kill, pid, SIGTERM);
	is(status_of(pid), SIGTERM, "it ends");
	pid = fork_child(execute_pause, (void *)1L);
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	ok(UNTIL(read_small(path, text, sizeof(text)) && strcmp(text, "exe\n") == 0),
	   "by another name comm is that name");
	raw(SYS_kill, pid, SIGTERM);
	is(status_of(pid), SIGTERM, "it ends");
}

/* --- shared memory left behind ---------------------------------------------------------------------- */

static volatile int child_id;

static int execute_exit(void *arg)
{
	char *argv[] = { (char *)tap.path, "exit6", NULL }, *none[] = { NULL };

	await((volatile int *)arg, 1);
	raw(SYS_execve, "/proc/self/exe", argv, none);
	return 99;
}

static int exit6_mode(int argc, char **argv)
{
	return 6;
}

static void leaving_memory(void)
{
	char *stack = fresh(STACK_PAGES, RW);
	pid_t pid;

	child_id = 55;
	words[1] = 0;
	pid = clone_fn(CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, stack, execute_exit,
		       (void *)&words[1], NULL, &child_id, 0);
	ok(pid > 0 && child_id == 55, "a child in this memory");
	words[1] = 1;
	while (child_id != 0)
		raw(SYS_futex, &child_id, 0, 55, NULL);
	is(child_id, 0, "when it executes a program, CHILD_CLEARTID clears the word here");
	is(status_of(pid), 6 << 8, "it ends");
	raw_munmap((unsigned long)stack, STACK_PAGES * PAGE);
}

/* --- failure after which the old program goes on ----------------------------------------------------- */

static int fail_often(void *arg)
{
	char *argv[] = { (char *)tap.path, "exit6", NULL }, *none[] = { NULL };
	char *bad[] = { (char *)8, NULL };
	struct counts {
		long threads, rss;
	} before;
	struct raw_sigaction act;

	(void)arg;
	catch_with(SIGHUP, note_signal, 0, 0);
	raw(SYS_prctl, PR_SET_NAME, "unchanged");
	before.rss = status("VmSize");
	dup3(1, 70, O_CLOEXEC);
	for (int i = 0; i < 20; i++) {
		NEED_IS(raw(SYS_execve, "/proc/self/exe", bad, none), -EFAULT);
		NEED_IS(raw(SYS_execve, "/proc/self/exe", 8, none), -EFAULT);
		NEED_IS(raw(SYS_execve, "/proc/self/exe", argv, 8), -EFAULT);
		NEED_IS(raw(SYS_execve, 8, argv, none), -EFAULT);
		NEED_IS(raw(SYS_execve, "", argv, none), -ENOENT);
		NEED_IS(raw(SYS_execve, "/proc/self/status", argv, none), -EACCES);
	}
	raw(SYS_rt_sigaction, SIGHUP, NULL, &act, 8);
	NEED(act.handler == (void *)note_signal);
	NEED(raw(SYS_fcntl, 70, F_GETFD) == FD_CLOEXEC);
	NEED_IS(status("VmSize"), before.rss);
	NEED_IS(thread_count(), 1);
	return 0;
}

/* argv of NULL: Linux warns and gives the program one empty argument. */
static int count_mode(int argc, char **argv)
{
	return argc;
}

static int without_arguments(void *arg)
{
	char *argv[] = { NULL }, *none[] = { NULL };

	raw(SYS_execve, "/proc/self/exe", arg ? argv : NULL, none);
	return 99;
}

static const struct mode modes[] = { { "kept", kept_mode },
				     { "pause", pause_mode },
				     { "exit6", exit6_mode },
				     { "count", count_mode },
				     { NULL, NULL } };

int main(int argc, char **argv)
{
	if (argc == 1 && argv[0][0] == '\0')
		return 33;
	tap_start(argc, argv, modes);
	words = shared_words();
	is(status_of(fork_child(keep, NULL)), 42 << 8, "what goes on through exec");
	seen_by_others();
	leaving_memory();
	child_ok(fail_often, "exec that fails changes nothing");
	is(status_of(fork_child(without_arguments, (void *)1L)), 33 << 8,
	   "no arguments: one, empty");
	is(status_of(fork_child(without_arguments, NULL)), 33 << 8, "argv NULL: the same");
	return done_testing();
}
