/* SPDX-License-Identifier: MIT */
/* How threads end: one of them, the first of them, all of them; and exec, which ends all but one. */
#include "procs.h"

static volatile int *words;
static struct thread thread, more[8];

static int sleep_on(void *arg)
{
	while (*(volatile int *)arg == 0)
		raw(SYS_futex, arg, 0, 0, NULL);
	return 0;
}

/* For ever, in different calls. */
static int sleep_somehow(void *arg)
{
	struct timespec hour = { 3600, 0 };
	unsigned long mask = 0;
	int fds[2], status;
	char byte;

	words[1]++;
	switch ((int)(long)arg) {
	case 0:
		return raw(SYS_nanosleep, &hour, NULL);
	case 1:
		raw(SYS_pipe2, fds, 0);
		return raw(SYS_read, fds[0], &byte, 1);
	case 2:
		return raw(SYS_rt_sigsuspend, &mask, 8);
	case 3:
		return raw(SYS_poll, NULL, 0, -1);
	case 4:
		words[10] = fork_child(sleep_on, (void *)&words[0]);
		return raw(SYS_wait4, words[10], &status, 0, NULL);
	case 5:
		for (;;)
			__asm__ volatile("pause");
	case 6:
		mask = BIT_OF(SIGUSR2);
		return raw(SYS_rt_sigtimedwait, &mask, NULL, NULL, 8);
	default:
		return sleep_on((void *)&words[0]);
	}
}

static void start_sleepers(void)
{
	words[1] = 0;
	for (long i = 0; i < (long)COUNT(more); i++)
		thread_start(&more[i], sleep_somehow, (void *)i);
	await(&words[1], COUNT(more));
	for (size_t i = 0; i < COUNT(more); i++)
		if (i != 5)
			THREAD_SLEEPS(more[i].tid);
}

/* --- ends ------------------------------------------------------------------------------------- */

static int exit_thread(void *arg)
{
	raw(SYS_exit, (long)arg);
	return 0;
}

static int exit_group(void *arg)
{
	THREAD_SLEEPS(my_pid());
	raw(SYS_exit_group, (long)arg);
	return 0;
}

static int one_ends(void *arg)
{
	(void)arg;
	thread_start(&thread, exit_thread, (void *)5L);
	thread_join(&thread);
	return UNTIL(thread_count() == 1) ? 7 : 1;
}

static int thread_ends_all(void *arg)
{
	(void)arg;
	thread_start(&thread, exit_group, (void *)9L);
	sleep_on((void *)&words[0]);
	return 1;
}

static int leader_ends_all(void *arg)
{
	(void)arg;
	start_sleepers();
	return 10;
}

static int sleeper_ends_all(void *arg)
{
	(void)arg;
	start_sleepers();
	thread_start(&thread, exit_group, (void *)11L);
	sleep_on((void *)&words[0]);
	return 1;
}

static int fault(void *arg)
{
	THREAD_SLEEPS(my_pid());
	*(volatile char *)arg = 1;
	return 0;
}

static int thread_faults(void *arg)
{
	(void)arg;
	start_sleepers();
	thread_start(&thread, fault, (void *)8L);
	sleep_on((void *)&words[0]);
	return 1;
}

static int killed_by_tgkill(void *arg)
{
	start_sleepers();
	raw(SYS_tgkill, my_pid(), more[3].tid, (long)arg);
	sleep_on((void *)&words[0]);
	return 1;
}

static int killed_by_kill(void *arg)
{
	start_sleepers();
	raw(SYS_kill, my_pid(), (long)arg);
	sleep_on((void *)&words[0]);
	return 1;
}

static int in_fork_child(int (*fn)(void *), long arg)
{
	int status;

	words[0] = words[10] = 0;
	status = status_of(fork_child(fn, (void *)arg));
	/* The child that one of the threads was waiting for. */
	if (words[10] > 0) {
		raw(SYS_kill, words[10], SIGKILL);
		UNTIL(state_of(words[10]) == 0);
	}
	return status;
}

static void ends(void)
{
	is(in_fork_child(one_ends, 0), 7 << 8, "exit ends a thread only");
	is(in_fork_child(thread_ends_all, 0), 9 << 8, "exit_group by another than the first");
	is(in_fork_child(leader_ends_all, 0), 10 << 8,
	   "exit_group with threads in all kinds of calls");
	is(in_fork_child(sleeper_ends_all, 0), 11 << 8, "the same by another than the first");
	is(in_fork_child(thread_faults, 0), SIGSEGV, "a thread's SIGSEGV ends all");
	is(in_fork_child(killed_by_tgkill, SIGKILL), SIGKILL, "SIGKILL for one thread ends all");
	is(in_fork_child(killed_by_tgkill, SIGTERM), SIGTERM, "SIGTERM for one thread too");
	is(in_fork_child(killed_by_kill, SIGKILL), SIGKILL, "SIGKILL for the process");
	is(in_fork_child(killed_by_kill, SIGUSR1), SIGUSR1, "SIGUSR1 for the process");
}

/* --- the first one first ---------------------------------------------------------------------- */

static int go_on_alone(void *arg)
{
	char path[64], text[256];
	int leader = my_pid();

	if (!UNTIL(thread_state(leader) == 'Z'))
		return 1;
	words[2] = my_pid();
	words[3] = raw(SYS_tgkill, leader, leader, 0);
	words[4] = status_field(leader, "Threads", 10);
	snprintf(path, sizeof(path), "/proc/%d/maps", my_tid());
	words[5] = read_small(path, text, sizeof(text)) > 0;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/maps", leader, my_tid());
	words[5] += 2 * (read_small(path, text, sizeof(text)) > 0);
	words[6] = 1;
	sleep_on((void *)&words[7]);
	if (arg)
		raw(SYS_exit_group, (long)arg);
	return 15;
}

static int leader_leaves(void *arg)
{
	thread_start(&thread, go_on_alone, arg);
	raw(SYS_exit, 14);
	return 1;
}

static void release(void)
{
	words[7] = 1;
	raw(SYS_futex, &words[7], 1, 1);
}

static void first_one_first(void)
{
	siginfo_t info;
	pid_t pid;

	words[6] = words[7] = 0;
	pid = fork_child(leader_leaves, NULL);
	ok(await(&words[6], 1), "the first thread ends, another goes on");
	is(words[2], pid, "its getpid is what it was");
	is(words[3], 0, "the first thread's number is still in use");
	is(words[4], 2, "/proc counts both");
	is(words[5] & 2, 2, "the memory is the other's");
	is(state_of(pid), 'Z', "/proc shows a zombie");
	is(raw(SYS_wait4, pid, NULL, WNOHANG, NULL), 0, "that can't be waited for");
	is(raw(SYS_kill, pid, 0), 0, "it can be sent a signal");
	release();
	is(status_of(pid), 15 << 8, "when the last has ended it is there, with the last's status");

	words[6] = words[7] = 0;
	pid = fork_child(leader_leaves, (void *)16L);
	await(&words[6], 1);
	release();
	memset(&info, 0, sizeof(info));
	is(raw(SYS_waitid, P_PID, pid, &info, WEXITED, NULL), 0, "the other calls exit_group");
	is(info.si_status, 16, "which gives the status");
	words[6] = words[7] = 0;
	memset(&seen, 0, sizeof(seen));
	catch_with(SIGCHLD, note_signal, SA_RESTART, 0);
	pid = fork_child(leader_leaves, NULL);
	await(&words[6], 1);
	release();
	ok(UNTIL(seen.count == 1), "SIGCHLD comes when the last has ended");
	is((int)seen.value, 14, "its si_status is the first thread's");
	is(status_of(pid), 15 << 8, "which isn't what is waited for");
	set_plain(SIGCHLD, SIG_DFL);
	words[6] = words[7] = 0;
	pid = fork_child(leader_leaves, NULL);
	await(&words[6], 1);
	raw(SYS_kill, pid, SIGTERM);
	is(status_of(pid), SIGTERM, "a signal reaches the thread that is left");
}

/* --- exec ------------------------------------------------------------------------------------- */

static int fresh_mode(int argc, char **argv)
{
	NEED_IS(my_pid(), atoi(argv[2]));
	NEED_IS(my_tid(), atoi(argv[2]));
	NEED_IS(thread_count(), 1);
	NEED_IS(raw(SYS_getppid), atoi(argv[3]));
	NEED_IS(raw(SYS_tgkill, my_pid(), my_tid(), 0), 0);
	NEED_IS(blocked_now(), BIT_OF(SIGHUP));
	NEED_IS(raw(SYS_fcntl, 80, F_GETFD), -EBADF);
	return 42;
}

static int execute(void *arg)
{
	char pid[16], parent[16];
	char *argv[] = { (char *)tap.path, "fresh", pid, parent, NULL }, *none[] = { NULL };
	unsigned long mask = BIT_OF(SIGHUP);

	if (arg)
		UNTIL(thread_state(my_pid()) == (arg == (void *)1L ? 'S' : 'Z'));
	raw(SYS_dup3, 1, 80, O_CLOEXEC);
	raw(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, 8);
	snprintf(pid, sizeof(pid), "%d", my_pid());
	snprintf(parent, sizeof(parent), "%d", (int)raw(SYS_getppid));
	words[8] = raw(SYS_execve, "/no/such/file", argv, none);
	/* Not by /proc/self/exe: the first thread has no file any more when it has ended. */
	raw(SYS_execve, tap.path, argv, none);
	return 99;
}

static int leader_executes(void *arg)
{
	(void)arg;
	start_sleepers();
	return execute(NULL);
}

static int thread_executes(void *arg)
{
	start_sleepers();
	thread_start(&thread, execute, arg);
	if (arg == (void *)2L)
		raw(SYS_exit, 1);
	sleep_on((void *)&words[0]);
	return 1;
}

static int fail_to_execute(void *arg)
{
	char *none[] = { NULL };

	(void)arg;
	words[8] = raw(SYS_execve, "/no/such/file", none, none);
	return 0;
}

static int failing_exec(void *arg)
{
	(void)arg;
	start_sleepers();
	thread_start(&thread, fail_to_execute, NULL);
	thread_join(&thread);
	NEED_IS(words[8], -ENOENT);
	NEED(UNTIL(thread_count() == COUNT(more) + 1));
	for (size_t i = 0; i < COUNT(more); i++)
		NEED(more[i].tid > 0);
	return 12;
}

static void exec(void)
{
	is(in_fork_child(leader_executes, 0), 42 << 8, "the first thread executes: the others end");
	is(in_fork_child(thread_executes, 1), 42 << 8,
	   "another executes: it takes the process's number");
	is(in_fork_child(thread_executes, 2), 42 << 8, "also when the first has ended before");
	is(in_fork_child(failing_exec, 0), 12 << 8, "exec that fails ends no thread");
}

/* Two threads execute at a time: one does, and is alone then. */
static int both_execute(void *arg)
{
	(void)arg;
	thread_start(&thread, execute, NULL);
	return execute(NULL);
}

static void races(void)
{
	bool good = true;

	for (int i = 0; i < 10; i++)
		good &= in_fork_child(both_execute, 0) == 42 << 8;
	ok(good, "two threads execute at a time");
	for (int i = 0; i < 20; i++) {
		int status = in_fork_child(thread_ends_all, 0);

		good &= status == 9 << 8;
	}
	ok(good, "exit_group again and again");
}

static const struct mode modes[] = { { "fresh", fresh_mode }, { NULL, NULL } };

int main(int argc, char **argv)
{
	tap_start(argc, argv, modes);
	words = shared_words();
	ends();
	first_one_first();
	exec();
	races();
	return done_testing();
}
