/* SPDX-License-Identifier: MIT */
/* Process groups and sessions: who may change what, whom a group's signal reaches, and orphans. */
#include "procs.h"

static volatile int *words;

static int live(void *arg)
{
	return await(&words[(long)arg], 1) ? 0 : 1;
}

static void end(pid_t pid, int word)
{
	words[word] = 1;
	status_of(pid);
}

/* --- groups ----------------------------------------------------------------------------------- */

static int own_group(void *arg)
{
	pid_t old = raw(SYS_getpgid, 0), me = my_pid();

	(void)arg;
	NEED_IS(raw(SYS_getpgrp), old);
	NEED_IS(raw(SYS_setpgid, 0, 0), 0);
	NEED_IS(raw(SYS_getpgrp), me);
	NEED_IS(raw(SYS_getpgid, me), me);
	NEED_IS(raw(SYS_setpgid, me, me), 0);
	NEED_IS(raw(SYS_setpgid, 0, old), 0);
	NEED_IS(raw(SYS_getpgrp), old);
	NEED_IS(raw(SYS_setpgid, 0, 0x3fffffff), -EPERM);
	NEED_IS(raw(SYS_setpgid, 0, -1), -EINVAL);
	NEED_IS(raw(SYS_setpgid, 0x3fffffff, -1), -EINVAL);
	NEED_IS(raw(SYS_setpgid, 0x3fffffff, 0), -ESRCH);
	NEED_IS(raw(SYS_setpgid, -1, 0), -EINVAL);
	NEED_IS(raw(SYS_setpgid, -1, old), -ESRCH);
	NEED_IS(raw(SYS_setpgid, raw(SYS_getppid), 0), -ESRCH);
	NEED_IS(raw(SYS_getpgrp), old);
	NEED_IS(raw(SYS_getpgid, 0x3fffffff), -ESRCH);
	NEED_IS(raw(SYS_getpgid, -1), -ESRCH);
	NEED_IS(raw(SYS_getsid, 0x3fffffff), -ESRCH);
	NEED_IS(raw(SYS_getsid, -1), -ESRCH);
	return 0;
}

static int execute_live(void *arg)
{
	char *argv[] = { (char *)tap.path, "long", NULL }, *none[] = { NULL };

	(void)arg;
	raw(SYS_execve, "/proc/self/exe", argv, none);
	return 99;
}

static int long_mode(int argc, char **argv)
{
	struct timespec hour = { 3600, 0 };

	while (raw(SYS_nanosleep, &hour, NULL) == 0)
		;
	return 98;
}

static void groups(void)
{
	pid_t a, b, c;

	child_ok(own_group, "a process and its own group");
	words[1] = words[2] = words[3] = 0;
	a = fork_child(live, (void *)1L);
	b = fork_child(live, (void *)2L);
	is(raw(SYS_setpgid, b, a), -EPERM, "a group that isn't there: EPERM");
	is(raw(SYS_setpgid, a, 0), 0, "0 is the process's own number");
	is(raw(SYS_getpgid, a), a, "as getpgid says");
	is(stat_number(a, 5), a, "and /proc");
	is(raw(SYS_setpgid, b, a), 0, "a child joins the other's group");
	is(raw(SYS_getpgid, b), a, "as getpgid says");
	end(a, 1);
	is(state_of(a), 0, "its leader ends");
	is(raw(SYS_getpgid, b), a, "the group stays");
	is(raw(SYS_kill, -a, 0), 0, "and can be sent signals");
	c = fork_child(live, (void *)3L);
	is(raw(SYS_setpgid, c, a), 0, "and be joined");
	end(b, 2);
	end(c, 3);
	is(raw(SYS_kill, -a, 0), -ESRCH, "with its last it is gone");

	c = fork_child(execute_live, NULL);
	ok(UNTIL(raw(SYS_setpgid, c, c) == -EACCES), "a child that has executed: EACCES");
	raw(SYS_kill, c, SIGKILL);
	ok(UNTIL(state_of(c) == 'Z'), "it is killed");
	is(raw(SYS_setpgid, c, c), -EACCES, "the same for its zombie");
	status_of(c);
	is(raw(SYS_setpgid, c, c), -ESRCH, "ESRCH when that is gone");
}

/* --- sessions --------------------------------------------------------------------------------- */

static int own_session(void *arg)
{
	pid_t me = my_pid(), old = raw(SYS_getpgrp);

	NEED(raw(SYS_getsid, 0) != me);
	NEED_IS(raw(SYS_setpgid, 0, 0), 0);
	NEED_IS(raw(SYS_setsid), -EPERM);
	NEED_IS(raw(SYS_setpgid, 0, old), 0);
	NEED_IS(raw(SYS_setsid), me);
	NEED_IS(raw(SYS_getsid, 0), me);
	NEED_IS(raw(SYS_getsid, me), me);
	NEED_IS(raw(SYS_getpgrp), me);
	NEED_IS(stat_number(me, 6), me);
	NEED_IS(stat_number(me, 7), 0);
	NEED_IS(raw(SYS_setsid), -EPERM);
	NEED_IS(raw(SYS_setpgid, 0, 0), -EPERM);
	NEED_IS(raw(SYS_setpgid, 0, old), -EPERM);
	NEED(raw(SYS_getsid, raw(SYS_getppid)) >= 0);
	words[4] = 1;
	return await(&words[5], 1) ? (int)(long)arg : 1;
}

/* A group's number is in use while somebody is in it, and that is no number for a session. */
static int taken_number(void *arg)
{
	pid_t child;

	(void)arg;
	NEED_IS(raw(SYS_setpgid, 0, 0), 0);
	words[6] = 0;
	child = fork_child(live, (void *)6L);
	NEED_IS(raw(SYS_setpgid, 0, raw(SYS_getpgid, raw(SYS_getppid))), 0);
	NEED_IS(raw(SYS_getpgid, child), my_pid());
	NEED_IS(raw(SYS_setsid), -EPERM);
	words[6] = 1;
	NEED_IS(status_of(child), 0);
	NEED_IS(raw(SYS_setsid), my_pid());
	return 0;
}

static void sessions(void)
{
	pid_t pid, other;

	words[4] = words[5] = words[7] = 0;
	pid = fork_child(own_session, NULL);
	if (!ok(await(&words[4], 1), "a child with its own session"))
		words[5] = 1;
	other = fork_child(live, (void *)7L);
	is(raw(SYS_getsid, pid), pid, "getsid says so");
	is(raw(SYS_setpgid, pid, 0), -EPERM, "it can't be given a group");
	is(raw(SYS_setpgid, pid, getpgrp()), -EPERM, "nor this one");
	is(raw(SYS_setpgid, other, pid), -EPERM, "nobody of this session joins its group");
	words[5] = 1;
	is(status_of(pid), 0, "it saw the same");
	end(other, 7);
	child_ok(taken_number, "setsid while one's number is another group's");
}

/* --- signals to groups ------------------------------------------------------------------------ */

static volatile int *caught;

static void count_signal(int sig)
{
	(void)sig;
	__atomic_add_fetch(caught, 1, __ATOMIC_SEQ_CST);
}

static int member(void *arg)
{
	set_plain(SIGUSR1, count_signal);
	__atomic_add_fetch(&words[8], 1, __ATOMIC_SEQ_CST);
	return await(&words[9], 1) ? 0 : (int)(long)arg;
}

/* In a group of its own, with three children there and one elsewhere. */
static int leader(void *arg)
{
	pid_t pids[4];

	(void)arg;
	NEED_IS(raw(SYS_setpgid, 0, 0), 0);
	words[8] = words[9] = 0;
	caught = &words[10];
	*caught = 0;
	for (int i = 0; i < 4; i++)
		pids[i] = fork_child(member, NULL);
	NEED(await(&words[8], 4));
	NEED_IS(raw(SYS_setpgid, pids[3], pids[3]), 0);
	set_plain(SIGUSR1, count_signal);
	NEED_IS(raw(SYS_kill, 0, SIGUSR1), 0);
	NEED(await(caught, 4));
	NEED_IS(raw(SYS_kill, -my_pid(), SIGUSR1), 0);
	NEED(await(caught, 8));
	NEED_IS(raw(SYS_kill, -pids[3], SIGUSR1), 0);
	NEED(await(caught, 9));
	NEED_IS(raw(SYS_kill, 0, 0), 0);
	NEED_IS(raw(SYS_kill, 0, 65), -EINVAL);
	NEED_IS(raw(SYS_kill, -pids[0], SIGUSR1), -ESRCH);
	NEED_IS(raw(SYS_kill, (long)(-0x7fffffff - 1), SIGUSR1), -ESRCH);
	words[9] = 1;
	for (int i = 0; i < 4; i++)
		NEED_IS(status_of(pids[i]), 0);
	NEED_IS(*caught, 9);
	return 0;
}

static int sleep_in_group(void *arg)
{
	(void)arg;
	__atomic_add_fetch(&words[8], 1, __ATOMIC_SEQ_CST);
	return long_mode(0, NULL);
}

static int leader_and_kill(void *arg)
{
	(void)arg;
	raw(SYS_setpgid, 0, 0);
	words[8] = 0;
	words[11] = fork_child(sleep_in_group, NULL);
	words[12] = fork_child(sleep_in_group, NULL);
	await(&words[8], 2);
	raw(SYS_kill, 0, SIGTERM);
	return 1;
}

static void group_signals(void)
{
	child_ok(leader, "kill(0) and kill(-group) reach the members and nobody else");
	is(status_of(fork_child(leader_and_kill, NULL)), SIGTERM, "a deadly signal for a group");
	ok(UNTIL(state_of(words[11]) == 0 && state_of(words[12]) == 0), "ends all of it");
}

/* --- orphaned groups -------------------------------------------------------------------------- */

static void note_hup(int sig)
{
	words[sig == SIGHUP ? 20 : 21] = ++words[22];
}

static int stopped_orphan(void *arg)
{
	if (arg) {
		set_plain(SIGHUP, note_hup);
		set_plain(SIGCONT, note_hup);
	}
	words[23] = 1;
	await(&words[24], 1);
	words[25] = 1;
	return 0;
}

/* A session of its own, in it a group with a child that stops; then this process ends. */
static int leave_stopped(void *arg)
{
	siginfo_t info;

	raw(SYS_setsid);
	words[26] = fork_child(stopped_orphan, arg);
	raw(SYS_setpgid, words[26], 0);
	NEED(await(&words[23], 1));
	raw(SYS_kill, words[26], SIGSTOP);
	NEED_IS(raw(SYS_waitid, P_PID, words[26], &info, WSTOPPED, NULL), 0);
	NEED_IS(words[22], 0);
	return 0;
}

static void orphaned_groups(void)
{
	for (int i = 20; i < 27; i++)
		words[i] = 0;
	is(status_of(fork_child(leave_stopped, (void *)1L)), 0,
	   "a process ends that has a stopped child in another group");
	await(&words[22], 2);
	/* Both wait when it goes on; the frame made last runs first. */
	is(words[21], 1, "the child gets SIGCONT");
	is(words[20], 2, "and SIGHUP");
	words[24] = 1;
	ok(await(&words[25], 1), "and goes on");
	ok(UNTIL(state_of(words[26]) == 0), "to its end");
	for (int i = 20; i < 27; i++)
		words[i] = 0;
	is(status_of(fork_child(leave_stopped, NULL)), 0,
	   "the same with one that doesn't handle it");
	ok(UNTIL(state_of(words[26]) == 0), "SIGHUP ends it");
	is(words[25], 0, "at once");
}

/* The group of a session's leader has no parent in the session: nobody there could continue it. */
static int stop_in_orphaned_group(void *arg)
{
	(void)arg;
	raw(SYS_setsid);
	raw(SYS_kill, my_pid(), SIGTSTP);
	raw(SYS_kill, my_pid(), SIGTTIN);
	raw(SYS_kill, my_pid(), SIGTTOU);
	words[13] = 1;
	raw(SYS_kill, my_pid(), SIGSTOP);
	words[13] = 2;
	return 6;
}

static int stop_in_group(void *arg)
{
	raw(SYS_kill, my_pid(), (long)arg);
	return 7;
}

/* A child in a group of its own, whose parent is in the session: that one stops. */
static int group_with_parent(void *arg)
{
	static const int signals[] = { SIGTSTP, SIGTTIN, SIGTTOU };

	(void)arg;
	raw(SYS_setsid);
	for (size_t i = 0; i < COUNT(signals); i++) {
		int status = 0;
		pid_t pid;

		words[14] = 0;
		pid = raw(SYS_fork);
		if (pid == 0) {
			await(&words[14], 1);
			raw(SYS_exit_group, stop_in_group((void *)(long)signals[i]));
		}
		NEED_IS(raw(SYS_setpgid, pid, pid), 0);
		words[14] = 1;
		NEED_IS(raw(SYS_wait4, pid, &status, WUNTRACED, NULL), pid);
		NEED_IS(status, signals[i] << 8 | 0x7f);
		raw(SYS_kill, pid, SIGCONT);
		NEED_IS(status_of(pid), 7 << 8);
	}
	return 0;
}

static void terminal_stops(void)
{
	int status = 0;
	pid_t pid;

	words[13] = 0;
	pid = fork_child(stop_in_orphaned_group, NULL);
	is(raw(SYS_wait4, pid, &status, WUNTRACED, NULL), pid, "in an orphaned group");
	is(words[13], 1, "SIGTSTP, SIGTTIN and SIGTTOU do nothing");
	is(status, SIGSTOP << 8 | 0x7f, "SIGSTOP stops");
	raw(SYS_kill, pid, SIGCONT);
	is(status_of(pid), 6 << 8, "and SIGCONT continues");
	child_ok(group_with_parent, "in a group with a parent outside of it each of them stops");
}

static const struct mode modes[] = { { "long", long_mode }, { NULL, NULL } };

int main(int argc, char **argv)
{
	tap_start(argc, argv, modes);
	words = shared_words();
	/* A session and a group that have numbers: process 1's may be 0. */
	raw(SYS_setsid);
	is(raw(SYS_getpgrp), getpid(), "a group of its own");
	groups();
	sessions();
	group_signals();
	orphaned_groups();
	terminal_stops();
	return done_testing();
}
