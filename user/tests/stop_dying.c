/* SPDX-License-Identifier: MIT */
/*
 * Stopping where something has ended or is about to: a process whose first thread is gone, one that
 * was stopped and is killed before anybody heard of it, one that stops while it is replaced.
 */
#include "procs.h"

static volatile int *words;

/* --- the first thread is gone ----------------------------------------------------------------- */

static int spin(void *arg)
{
	while (!words[0]) {
		words[1]++;
		raw(SYS_sched_yield);
	}
	raw(SYS_exit_group, 7);
	return 0;
}

static int leader_leaves(void *arg)
{
	static struct thread thread;

	if (thread_start(&thread, spin, NULL) < 0)
		return 1;
	raw(SYS_exit, 0);
	return 1;
}

static void without_leader(void)
{
	siginfo_t info = { 0 };
	int status = 0;
	pid_t pid;

	words[0] = words[1] = 0;
	pid = fork_child(leader_leaves, NULL);
	ok(UNTIL(state_of(pid) == 'Z' && words[1] > 3), "only a second thread is left");
	is(raw(SYS_wait4, pid, &status, WNOHANG | WUNTRACED, NULL), 0, "nothing to tell yet");
	raw(SYS_kill, pid, SIGSTOP);
	is(raw(SYS_wait4, pid, &status, WUNTRACED, NULL), pid, "it stops, as the parent hears");
	is(status, SIGSTOP << 8 | 0x7f, "by SIGSTOP");
	raw(SYS_kill, pid, SIGCONT);
	is(raw(SYS_waitid, P_PID, pid, &info, WCONTINUED, NULL), 0, "it continues");
	is(info.si_code, CLD_CONTINUED, "as the parent hears");
	words[0] = 1;
	is(status_of(pid), 7 << 8, "and ends with all its threads");
}

/* --- killed before anybody has heard ------------------------------------------------------------ */

/* Continued, it may run before its death comes: it must not end by itself meanwhile. */
static int stop_self(void *arg)
{
	raw(SYS_kill, my_pid(), SIGSTOP);
	while (raw(SYS_pause))
		;
	return 0;
}

static void killed_unheard(void)
{
	siginfo_t info = { 0 };
	int status = 0;
	pid_t pid = fork_child(stop_self, NULL);

	is(raw(SYS_waitid, P_PID, pid, &info, WSTOPPED | WNOWAIT, NULL), 0, "a child has stopped");
	raw(SYS_kill, pid, SIGKILL);
	is(raw(SYS_wait4, pid, &status, WUNTRACED, NULL), pid, "and is killed: the parent hears");
	is(status, SIGKILL, "of its death, and not of its stop");
	is(raw(SYS_wait4, pid, &status, WUNTRACED, NULL), -ECHILD, "then there is nothing more");

	pid = fork_child(stop_self, NULL);
	raw(SYS_waitid, P_PID, pid, &info, WSTOPPED, NULL);
	raw(SYS_kill, pid, SIGCONT);
	raw(SYS_kill, pid, SIGKILL);
	is(raw(SYS_waitid, P_PID, pid, &info, WCONTINUED | WEXITED, NULL), 0,
	   "continued and killed at once");
	is(info.si_code, CLD_KILLED, "it is dead, no more");
	is(raw(SYS_wait4, pid, &status, 0, NULL), -ECHILD, "and gone");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	words = shared_words();
	without_leader();
	killed_unheard();
	return done_testing();
}
