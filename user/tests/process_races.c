/* SPDX-License-Identifier: MIT */
/*
 * Many things at a time: threads that all wait for children, handlers that reap, stop signals while
 * threads come and go, a parent that dies in vfork. Nothing may be lost, counted twice or hang.
 */
#include "procs.h"

static volatile int *words;
static volatile int total, reaped;

static int exit_with(void *arg)
{
	return (int)(long)arg;
}

/* --- waiting -------------------------------------------------------------------------------------------- */

#define CHILDREN 60

static int reap(void *arg)
{
	int status;
	long pid;

	(void)arg;
	while ((pid = raw(SYS_wait4, -1, &status, 0, NULL)) != -ECHILD) {
		if (pid <= 0)
			continue;
		__atomic_add_fetch(&total, WEXITSTATUS(status), __ATOMIC_SEQ_CST);
		__atomic_add_fetch(&reaped, 1, __ATOMIC_SEQ_CST);
	}
	return 0;
}

static void many_waiters(void)
{
	struct thread threads[4];
	pid_t keeper;

	total = reaped = 0;
	words[0] = 0;
	/* As long as this one lives nobody gets ECHILD. */
	keeper = raw(SYS_fork);
	if (keeper == 0)
		raw(SYS_exit_group, await(&words[0], 1) ? 0 : 99);
	for (int i = 0; i < 4; i++)
		thread_start(&threads[i], reap, NULL);
	for (long i = 0; i < CHILDREN; i++) {
		fork_child(exit_with, (void *)(i + 1));
		if (i % 8 == 0)
			raw(SYS_sched_yield);
	}
	words[0] = 1;
	for (int i = 0; i < 4; i++)
		thread_join(&threads[i]);
	is(reaped, CHILDREN + 1, "four threads wait: each child is waited for once");
	is(total, CHILDREN * (CHILDREN + 1) / 2, "with its own status");
	is(raw(SYS_wait4, -1, NULL, WNOHANG, NULL), -ECHILD, "none is left");
}

static void reap_in_handler(int sig)
{
	int status, pid;

	(void)sig;
	while ((pid = raw(SYS_wait4, -1, &status, WNOHANG, NULL)) > 0) {
		total += WEXITSTATUS(status);
		reaped++;
	}
}

static void handler_reaps(void)
{
	struct sigaction act = { .sa_handler = reap_in_handler, .sa_flags = SA_RESTART };
	bool forked = true;

	total = reaped = 0;
	sigaction(SIGCHLD, &act, NULL);
	for (long i = 0; i < CHILDREN; i++)
		forked &= fork_child(exit_with, (void *)(i + 1)) > 0;
	ok(forked, "children whose end calls a handler");
	ok(UNTIL(reaped == CHILDREN), "which waits for all of them");
	is(total, CHILDREN * (CHILDREN + 1) / 2, "with their statuses");
	set_plain(SIGCHLD, SIG_DFL);
}

/* --- threads that come and go, stops in between --------------------------------------------------------- */

static int short_thread(void *arg)
{
	(void)arg;
	words[1]++;
	return 0;
}

static int make_threads(void *arg)
{
	struct thread threads[3];

	(void)arg;
	while (!words[2]) {
		for (int i = 0; i < 3; i++)
			thread_start(&threads[i], short_thread, NULL);
		for (int i = 0; i < 3; i++)
			thread_join(&threads[i]);
		/* They have still some way to go. */
		raw(SYS_sched_yield);
	}
	return 7;
}

static int make_children(void *arg)
{
	(void)arg;
	while (!words[2]) {
		if (status_of(fork_child(exit_with, (void *)3L)) != 3 << 8)
			return 1;
		words[1]++;
	}
	return 7;
}

static int make_programs(void *arg)
{
	(void)arg;
	while (!words[2]) {
		if (run_mode("exit5", NULL, NULL) != 5 << 8)
			return 1;
		words[1]++;
	}
	return 7;
}

static int exit5_mode(int argc, char **argv)
{
	return 5;
}

static int sleep_often(void *arg)
{
	struct timespec t = { 0, 100000 };

	(void)arg;
	while (!words[2]) {
		raw(SYS_nanosleep, &t, NULL);
		words[1]++;
	}
	return 7;
}

static void stopped_often(int (*fn)(void *), const char *name)
{
	siginfo_t info;
	bool good = true;
	pid_t pid;
	int before;

	words[1] = words[2] = 0;
	pid = fork_child(fn, NULL);
	for (int i = 0; i < 40 && good; i++) {
		raw(SYS_kill, pid, SIGSTOP);
		good &= raw(SYS_waitid, P_PID, pid, &info, WSTOPPED | WEXITED | WNOWAIT, NULL) ==
				0 &&
			info.si_code == CLD_STOPPED;
		before = words[1];
		raw(SYS_kill, pid, SIGCONT);
		if (i % 4 == 0)
			good &= UNTIL(words[1] > before);
		for (int k = 0; k < i % 3; k++)
			raw(SYS_sched_yield);
	}
	ok(good, "%s: stopped and continued again and again", name);
	words[2] = 1;
	raw(SYS_kill, pid, SIGCONT);
	is(status_of(pid), 7 << 8, "%s: it goes on to its end", name);
	words[1] = words[2] = 0;
	pid = fork_child(fn, NULL);
	good = UNTIL(words[1] > 5);
	raw(SYS_kill, pid, SIGKILL);
	ok(status_of(pid) == SIGKILL && good, "%s: killed in the middle", name);
}

/* --- threads that are killed or executed away at any moment ---------------------------------------------- */

static int end_any_time(void *arg)
{
	struct thread threads[4];

	for (int i = 0; i < 4; i++)
		thread_start(&threads[i], make_threads, NULL);
	for (long i = 0; i < (long)arg; i++)
		raw(SYS_sched_yield);
	if ((long)arg % 2) {
		char *argv[] = { (char *)tap.path, "exit5", NULL }, *none[] = { NULL };

		raw(SYS_execve, "/proc/self/exe", argv, none);
	}
	return 5;
}

static void ends(void)
{
	int good = 0;

	words[2] = 0;
	for (long i = 0; i < 24; i++)
		good += status_of(fork_child(end_any_time, (void *)i)) == 5 << 8;
	is(good, 24, "exit_group and exec while threads make threads");
}

/* --- vfork ------------------------------------------------------------------------------------------------ */

static void note_term(int sig)
{
	(void)sig;
	words[5]++;
}

__attribute__((noinline)) static int hang_in_vfork(void *arg)
{
	pid_t pid;

	set_plain(SIGTERM, note_term);
	(void)arg;
	pid = vfork();
	if (pid == 0) {
		words[3] = my_pid();
		await(&words[4], 1);
		raw(SYS_exit_group, 0);
	}
	words[6] = words[5];
	wait_status(pid);
	return 9;
}

static void vfork_and_signals(void)
{
	pid_t pid;

	words[3] = words[4] = words[5] = 0;
	words[6] = -1;
	pid = fork_child(hang_in_vfork, NULL);
	ok(UNTIL(words[3] > 0), "a process waits for its vfork child");
	raw(SYS_kill, pid, SIGTERM);
	for (int i = 0; i < 20; i++)
		raw(SYS_sched_yield);
	is(words[5], 0, "it handles no signal meanwhile");
	words[4] = 1;
	is(status_of(pid), 9 << 8, "then it goes on");
	is(words[5], 1, "having handled it");
	words[3] = words[4] = words[5] = 0;
	pid = fork_child(hang_in_vfork, NULL);
	ok(UNTIL(words[3] > 0), "another one");
	raw(SYS_kill, pid, SIGKILL);
	is(status_of(pid), SIGKILL, "can be killed");
	ok(state_of(words[3]) != 0, "its child lives on");
	words[4] = 1;
	ok(UNTIL(state_of(words[3]) == 0), "to its own end");
}

static const struct mode modes[] = { { "exit5", exit5_mode }, { NULL, NULL } };

int main(int argc, char **argv)
{
	tap_start(argc, argv, modes);
	words = shared_words();
	many_waiters();
	handler_reaps();
	stopped_often(make_threads, "threads");
	stopped_often(make_children, "children");
	stopped_often(make_programs, "programs");
	stopped_often(sleep_often, "sleeps");
	ends();
	vfork_and_signals();
	return done_testing();
}
