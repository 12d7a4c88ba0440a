/* SPDX-License-Identifier: MIT */
/* waitid(2), and waiting for children that stop and go on. */
#include "procs.h"

static volatile int *words;
static siginfo_t info;

static long waitid_(int type, int id, siginfo_t *infop, int options)
{
	return raw(SYS_waitid, type, id, infop, options, NULL);
}

/* Waits for one event into info, over bytes that can be told from any. */
static long event(pid_t pid, int options)
{
	memset(&info, 0xee, sizeof(info));
	return waitid_(P_PID, pid, &info, options);
}

/* Whether info speaks of that child, that event, that status; what it says if not. */
static void is_event(pid_t pid, int code, int status, const char *name)
{
	bool good = info.si_signo == SIGCHLD && info.si_errno == 0 && info.si_pid == pid &&
		    info.si_uid == getuid() && info.si_code == code && info.si_status == status;

	if (!ok(good, "%s", name))
		diag("signo %d errno %d code %d pid %d uid %d status %d", info.si_signo,
		     info.si_errno, info.si_code, info.si_pid, info.si_uid, info.si_status);
}

static int exit_with(void *arg)
{
	return (int)(long)arg;
}

static int die_by(void *arg)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	raw(SYS_kill, my_pid(), (long)arg);
	return 1;
}

static int live(void *arg)
{
	return await(&words[(long)arg], 1) ? 0 : 1;
}

/* --- refusals --------------------------------------------------------------------------------- */

static void refusals(void)
{
	is(waitid_(P_ALL, 0, &info, 0), -EINVAL, "no kind of event: EINVAL");
	is(waitid_(P_ALL, 0, &info, WNOHANG), -EINVAL, "WNOHANG is none");
	is(waitid_(P_ALL, 0, &info, WNOWAIT), -EINVAL, "WNOWAIT is none");
	is(waitid_(P_ALL, 0, &info, WEXITED | 0x10), -EINVAL, "an unknown option: EINVAL");
	is(waitid_(4, 0, &info, WEXITED), -EINVAL, "an unknown kind of number: EINVAL");
	is(waitid_(-1, 0, &info, WEXITED), -EINVAL, "another");
	is(waitid_(P_PID, 0, &info, WEXITED), -EINVAL, "process 0: EINVAL");
	is(waitid_(P_PID, -1, &info, WEXITED), -EINVAL, "process -1: EINVAL");
	is(waitid_(P_PGID, -1, &info, WEXITED), -EINVAL, "group -1: EINVAL");
	is(waitid_(3 /* P_PIDFD */, -1, &info, WEXITED), -EINVAL, "descriptor -1: EINVAL");
	is(waitid_(3, 99, &info, WEXITED), -EBADF, "a descriptor that isn't open: EBADF");
	is(waitid_(3, 1, &info, WEXITED), -EBADF, "one of something else: EBADF");
	is(waitid_(P_ALL, 0, &info, WEXITED), -ECHILD, "no children: ECHILD");
	is(waitid_(P_PGID, 0, &info, WEXITED), -ECHILD, "none in this group");
	memset(&info, 0xee, sizeof(info));
	is(waitid_(P_PID, my_pid(), &info, WEXITED), -ECHILD, "oneself: ECHILD");
	is(info.si_signo, 0, "the number is 0");
	is(info.si_pid, 0, "so is the process");
	is(waitid_(P_ALL, 0, (siginfo_t *)8, WEXITED), -EFAULT, "information to nowhere");
}

/* --- ends ------------------------------------------------------------------------------------- */

static void ends(void)
{
	struct rusage usage;
	pid_t pid;

	words[0] = 0;
	pid = fork_child(live, NULL);
	is(event(pid, WEXITED | WNOHANG), 0, "WNOHANG: nothing yet");
	is(info.si_signo, 0, "the number is 0");
	is(info.si_pid, 0, "so is the process");
	is(info.si_code, 0, "and the code");
	is(info.si_status, 0, "and the status");
	is(info.si_errno, 0, "and si_errno");
	is(event(pid, WSTOPPED | WCONTINUED | WNOHANG), 0, "nor has it stopped");
	words[0] = 1;
	is(event(pid, WEXITED | WNOWAIT), 0, "WNOWAIT");
	is_event(pid, CLD_EXITED, 0, "says how it ended");
	is(state_of(pid), 'Z', "and leaves it");
	is(event(pid, WSTOPPED | WNOHANG), -ECHILD, "a zombie can't stop any more");
	is(info.si_signo, 0, "nothing happened");
	is(event(pid, WEXITED), 0, "then it is taken");
	is_event(pid, CLD_EXITED, 0, "the same again");
	is(event(pid, WEXITED), -ECHILD, "once");
	pid = fork_child(exit_with, (void *)0x1ffL);
	is(event(pid, WEXITED), 0, "exit(0x1ff)");
	is_event(pid, CLD_EXITED, 0xff, "CLD_EXITED, 255");
	pid = fork_child(die_by, (void *)(long)SIGTERM);
	is(event(pid, WEXITED), 0, "death");
	is_event(pid, CLD_KILLED, SIGTERM, "CLD_KILLED, the signal");
	pid = fork_child(die_by, (void *)(long)SIGSEGV);
	is(event(pid, WEXITED), 0, "by SIGSEGV without a core");
	is_event(pid, CLD_KILLED, SIGSEGV, "CLD_KILLED too");
	pid = fork_child(exit_with, (void *)4L);
	is(waitid_(P_PID, pid, NULL, WEXITED), 0, "without a place for the information");
	pid = fork_child(exit_with, (void *)4L);
	is(waitid_(P_PID, pid, (siginfo_t *)8, WEXITED), -EFAULT, "information to nowhere");
	is(event(pid, WEXITED | WNOHANG), -ECHILD, "the child is gone all the same");
	pid = fork_child(exit_with, (void *)4L);
	memset(&usage, 0xee, sizeof(usage));
	is(raw(SYS_waitid, P_PID, pid, &info, WEXITED, &usage), 0, "with its usage");
	ok(usage.ru_minflt > 0 && usage.ru_minflt < 1000, "which says something");
	pid = fork_child(exit_with, (void *)4L);
	is(raw(SYS_waitid, P_PID, pid, &info, WEXITED, 8), -EFAULT, "usage to nowhere");
	is(event(pid, WEXITED | WNOHANG), -ECHILD, "the child is gone");
}

static void which(void)
{
	pid_t a = fork_child(exit_with, (void *)1L), b;

	words[1] = 0;
	b = fork_child(live, (void *)1L);
	raw(SYS_setpgid, b, b);
	is(waitid_(P_PGID, 0, &info, WEXITED), 0, "P_PGID, 0: this group");
	is_event(a, CLD_EXITED, 1, "the child in it");
	is(waitid_(P_PGID, getpgrp(), &info, WEXITED), -ECHILD, "by its number: there is no other");
	is(waitid_(P_PGID, b, &info, WEXITED | WNOHANG), 0, "the other group's lives");
	words[1] = 1;
	is(waitid_(P_PGID, b, &info, WEXITED), 0, "and ends");
	is_event(b, CLD_EXITED, 0, "as it should");
	a = fork_child(exit_with, (void *)2L);
	is(waitid_(P_ALL, 12345, &info, WEXITED), 0, "P_ALL: whatever the number");
	is_event(a, CLD_EXITED, 2, "any child");
}

/* --- stopping --------------------------------------------------------------------------------- */

static void stopping(void)
{
	int status = -7;
	pid_t pid;

	words[2] = 0;
	pid = fork_child(live, (void *)2L);
	raw(SYS_kill, pid, SIGSTOP);
	is(event(pid, WSTOPPED | WNOWAIT), 0, "a child stops");
	is_event(pid, CLD_STOPPED, SIGSTOP, "CLD_STOPPED");
	is(state_of(pid), 'T', "/proc says so");
	is(event(pid, WEXITED | WCONTINUED | WNOHANG), 0, "no other event");
	is(info.si_signo, 0, "happened");
	is(raw(SYS_wait4, pid, &status, WNOHANG, NULL), 0, "wait4 without WUNTRACED sees nothing");
	is(status, -7, "and writes nothing");
	is(raw(SYS_wait4, pid, &status, WUNTRACED, NULL), pid, "with it, it does");
	is(status, SIGSTOP << 8 | 0x7f, "the status of a stop");
	is(raw(SYS_wait4, pid, &status, WUNTRACED | WNOHANG, NULL), 0, "once");
	is(event(pid, WSTOPPED | WNOHANG), 0, "for waitid too");
	is(info.si_signo, 0, "nothing more");
	raw(SYS_kill, pid, SIGSTOP);
	is(event(pid, WSTOPPED | WNOHANG), 0, "to stop it again");
	is(info.si_signo, 0, "is nothing new");
	raw(SYS_kill, pid, SIGCONT);
	is(event(pid, WCONTINUED | WNOWAIT), 0, "it goes on");
	is_event(pid, CLD_CONTINUED, SIGCONT, "CLD_CONTINUED");
	ok(UNTIL(state_of(pid) != 'T'), "/proc says so");
	is(raw(SYS_wait4, pid, &status, WUNTRACED | WNOHANG, NULL), 0,
	   "wait4 without WCONTINUED sees nothing");
	is(raw(SYS_wait4, pid, &status, WCONTINUED, NULL), pid, "with it, it does");
	is(status, 0xffff, "the status of going on");
	is(raw(SYS_wait4, pid, &status, WCONTINUED | WNOHANG, NULL), 0, "once");
	raw(SYS_kill, pid, SIGCONT);
	is(event(pid, WCONTINUED | WNOHANG), 0, "SIGCONT for one that runs");
	is(info.si_signo, 0, "is no event");
	/* Each of the two takes the other back. */
	raw(SYS_kill, pid, SIGSTOP);
	ok(UNTIL(state_of(pid) == 'T'), "stopped again");
	raw(SYS_kill, pid, SIGCONT);
	is(event(pid, WSTOPPED | WCONTINUED), 0, "stopped and continued before it was waited for");
	is_event(pid, CLD_CONTINUED, SIGCONT, "only the last is told");
	is(event(pid, WSTOPPED | WCONTINUED | WNOHANG), 0, "and the first");
	is(info.si_signo, 0, "isn't");
	raw(SYS_kill, pid, SIGSTOP);
	is(event(pid, WSTOPPED), 0, "stopped");
	raw(SYS_kill, pid, SIGKILL);
	is(event(pid, WEXITED), 0, "a stopped child is killed");
	is_event(pid, CLD_KILLED, SIGKILL, "at once");
}

/* The parent is asleep in wait when the events come. */
static int stop_and_go(void *arg)
{
	pid_t child = (int)(long)arg, waiter = raw(SYS_getppid);

	if (!SLEEPS(waiter))
		return 1;
	raw(SYS_kill, child, SIGSTOP);
	if (!await(&words[4], 1) || !SLEEPS(waiter))
		return 2;
	raw(SYS_kill, child, SIGCONT);
	if (!await(&words[4], 2) || !SLEEPS(waiter))
		return 3;
	words[3] = 1;
	return 5;
}

static void asleep(void)
{
	pid_t child, helper;

	words[3] = words[4] = 0;
	child = fork_child(live, (void *)3L);
	helper = fork_child(stop_and_go, (void *)(long)child);
	is(event(child, WEXITED | WSTOPPED | WCONTINUED), 0, "asleep in waitid");
	is_event(child, CLD_STOPPED, SIGSTOP, "a stop wakes");
	words[4] = 1;
	is(event(child, WEXITED | WSTOPPED | WCONTINUED), 0, "asleep again");
	is_event(child, CLD_CONTINUED, SIGCONT, "going on wakes");
	words[4] = 2;
	is(event(child, WEXITED | WSTOPPED | WCONTINUED), 0, "asleep again");
	is_event(child, CLD_EXITED, 0, "the end wakes");
	is(status_of(helper), 5 << 8, "all as planned");
}

/* --- SIGCHLD for stops ------------------------------------------------------------------------ */

static void told(pid_t pid, int code, int status, const char *name)
{
	bool good = UNTIL(pending_now() & BIT_OF(SIGCHLD));

	unblock(BIT_OF(SIGCHLD));
	block(BIT_OF(SIGCHLD));
	good = good && seen.count == 1 && seen.code == code && seen.pid == pid &&
	       seen.uid == getuid() && (int)seen.value == status;
	if (!ok(good, "%s", name))
		diag("count %d code %d pid %d status %d", seen.count, seen.code, seen.pid,
		     (int)seen.value);
	seen.count = 0;
}

static void signals(void)
{
	pid_t pid;

	words[5] = 0;
	memset(&seen, 0, sizeof(seen));
	catch_with(SIGCHLD, note_signal, 0, 0);
	block(BIT_OF(SIGCHLD));
	pid = fork_child(live, (void *)5L);
	raw(SYS_kill, pid, SIGSTOP);
	told(pid, CLD_STOPPED, SIGSTOP, "SIGCHLD when a child stops");
	raw(SYS_kill, pid, SIGCONT);
	told(pid, CLD_CONTINUED, SIGCONT, "and when it goes on");
	catch_with(SIGCHLD, note_signal, SA_NOCLDSTOP, 0);
	raw(SYS_kill, pid, SIGSTOP);
	is(event(pid, WSTOPPED), 0, "with SA_NOCLDSTOP it stops");
	raw(SYS_kill, pid, SIGCONT);
	is(event(pid, WCONTINUED), 0, "and goes on");
	is(pending_now(), 0, "without a signal");
	words[5] = 1;
	told(pid, CLD_EXITED, 0, "but its end sends one");
	is(status_of(pid), 0, "its status");
	unblock(BIT_OF(SIGCHLD));
	/* Ignored, no zombie at the end, but stops can be waited for. */
	set_plain(SIGCHLD, SIG_IGN);
	words[5] = 0;
	pid = fork_child(live, (void *)5L);
	raw(SYS_kill, pid, SIGSTOP);
	is(event(pid, WSTOPPED), 0, "with SIGCHLD ignored a stop is waited for");
	is_event(pid, CLD_STOPPED, SIGSTOP, "as ever");
	raw(SYS_kill, pid, SIGCONT);
	words[5] = 1;
	is(event(pid, WEXITED), -ECHILD, "the end isn't");
	set_plain(SIGCHLD, SIG_DFL);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	words = shared_words();
	refusals();
	ends();
	which();
	stopping();
	asleep();
	signals();
	return done_testing();
}
