/* SPDX-License-Identifier: MIT */
/*
 * System calls that a signal interrupts: which fail with EINTR, which are begun again, and how much of a
 * sleep is left. A child looks when its parent sleeps, and sends the signal then.
 */
#include "signals.h"
#include <sched.h>
#include <time.h>

/* Whether /proc says that the process sleeps in a call that a signal ends. */
static bool sleeps(pid_t pid)
{
	char path[64], text[512];
	const char *state;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	state = strstr(text, "State:");
	return state && state[7] == 'S';
}

static void wait_until_asleep(pid_t pid)
{
	struct timespec moment = { 0, 1000000 };

	do
		nanosleep(&moment, NULL);
	while (!sleeps(pid));
}

/* Signal, how often: each time when the parent sleeps. Ends when it sleeps once more. */
static int kick_mode(int argc, char **argv)
{
	int sig = argc > 2 ? atoi(argv[2]) : 0, times = argc > 3 ? atoi(argv[3]) : 1;

	for (int i = 0; i < times; i++) {
		wait_until_asleep(getppid());
		kill(getppid(), sig);
	}
	wait_until_asleep(getppid());
	return 5;
}

static pid_t kicker(int sig, const char *times)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", sig);
	memset(&seen, 0, sizeof(seen));
	return start_mode("kick", number, times);
}

static long long ns_of(struct timespec t)
{
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static long raw_nanosleep(long sec, long nsec, struct timespec *rem)
{
	struct timespec t = { sec, nsec };

	return result(syscall(SYS_nanosleep, &t, rem));
}

static void sleeping(void)
{
	struct timespec rem = { -1, -1 }, until;
	pid_t pid;

	catch_with(SIGUSR1, note_signal, SA_RESTART, 0);
	pid = kicker(SIGUSR1, "1");
	is(raw_nanosleep(1000, 0, &rem), -EINTR, "nanosleep ends with EINTR, even with SA_RESTART");
	is(seen.count, 1, "the handler was called");
	is((long)seen.gregs[REG_RAX], -EINTR, "and saw that result");
	ok(ns_of(rem) > 0 && ns_of(rem) < 1000000000000LL, "what is left is less");
	is(wait_status(pid), 5 << 8, "the sender is done");

	pid = kicker(SIGUSR1, "1");
	is(raw_nanosleep(1000, 0, (void *)0x1000), -EFAULT, "what is left goes nowhere");
	wait_status(pid);

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += 1000;
	rem = (struct timespec){ -1, -1 };
	pid = kicker(SIGUSR1, "1");
	is(result(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &until, &rem)),
	   -EINTR, "clock_nanosleep to a point in time");
	is(rem.tv_sec, -1, "has nothing left to say");
	wait_status(pid);
	is(result(syscall(SYS_restart_syscall)), -EINTR,
	   "restart_syscall without anything to restart");
}

/* The state of the wait: the first signal comes while it sleeps, then the child exits. */
static void waiting(void)
{
	int status = 0;
	pid_t pid;

	catch_with(SIGUSR1, note_signal, 0, 0);
	pid = kicker(SIGUSR1, "1");
	is(result(wait4(pid, &status, 0, NULL)), -EINTR, "wait4 ends with EINTR");
	is(wait_status(pid), 5 << 8, "called again it has the child");
	catch_with(SIGUSR1, note_signal, SA_RESTART, 0);
	pid = kicker(SIGUSR1, "3");
	is(result(wait4(pid, &status, 0, NULL)), pid, "with SA_RESTART it goes on");
	is(seen.count, 3, "after three signals");
	is(status, 5 << 8, "and has the child");
	is((long)seen.gregs[REG_RAX], SYS_wait4, "the handler saw a call about to be made");
	is(seen.gregs[REG_RDI], (unsigned long)pid, "with its arguments");
	is(seen.gregs[REG_RDX], 0, "all of them");
}

static void others(void)
{
	unsigned long none = 0, usr2 = BIT_OF(SIGUSR2);
	pid_t pid;

	catch_with(SIGUSR1, note_signal, SA_RESTART, 0);
	pid = kicker(SIGUSR1, "1");
	is(result(syscall(SYS_pause)), -EINTR, "pause ends with EINTR, even with SA_RESTART");
	is(seen.pid, pid, "sent by the child");
	wait_status(pid);

	block(BIT_OF(SIGUSR1));
	pid = kicker(SIGUSR1, "1");
	is(result(syscall(SYS_rt_sigsuspend, &none, 8)), -EINTR, "so does sigsuspend");
	is(blocked_now(), BIT_OF(SIGUSR1), "and the mask is back");
	unblock(~0UL);
	wait_status(pid);

	pid = kicker(SIGUSR1, "1");
	is(result(syscall(SYS_rt_sigtimedwait, &usr2, NULL, NULL, 8)), -EINTR,
	   "so does sigtimedwait, by a signal it isn't for");
	wait_status(pid);

	block(usr2);
	pid = kicker(SIGUSR2, "1");
	is(result(syscall(SYS_rt_sigtimedwait, &usr2, NULL, NULL, 8)), SIGUSR2,
	   "it takes the one it is for");
	is(blocked_now(), usr2, "which is blocked again");
	wait_status(pid);
	/* Ignored by default, but somebody waits for it. */
	unblock(~0UL);
	usr2 = BIT_OF(SIGWINCH);
	block(usr2);
	pid = kicker(SIGWINCH, "1");
	is(result(syscall(SYS_rt_sigtimedwait, &usr2, NULL, NULL, 8)), SIGWINCH,
	   "and one that nobody cares for");
	unblock(~0UL);
	wait_status(pid);
}

/* --- in children: deadly ones --------------------------------------------------------------------- */

static int sleeper_mode(int argc, char **argv)
{
	(void)argc, (void)argv;
	raw_nanosleep(1000, 0, NULL);
	return 1;
}

static void deadly(int sig, const char *name)
{
	pid_t pid = start_mode("sleeper", NULL, NULL);

	wait_until_asleep(pid);
	kill(pid, sig);
	is(wait_status(pid), sig, "%s ends a sleep and the sleeper", name);
}

/* Busy in user mode when the signal comes: the state is R, so the child just waits a little. */
static int later_mode(int argc, char **argv)
{
	struct timespec moment = { 0, 20000000 };

	(void)argc, (void)argv;
	nanosleep(&moment, NULL);
	kill(getppid(), SIGUSR1);
	return 5;
}

static void busy(void)
{
	pid_t pid;

	catch_with(SIGUSR1, note_signal, 0, 0);
	memset(&seen, 0, sizeof(seen));
	pid = start_mode("later", NULL, NULL);
	while (!seen.count)
		;
	is(seen.signo, SIGUSR1, "a program that makes no calls gets signals");
	is(seen.pid, pid, "from its child");
	wait_status(pid);
}

static const struct mode modes[] = {
	{ "kick", kick_mode },
	{ "sleeper", sleeper_mode },
	{ "later", later_mode },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	tap_start(argc, argv, modes);
	sleeping();
	waiting();
	others();
	busy();
	deadly(SIGTERM, "SIGTERM");
	deadly(SIGKILL, "SIGKILL");
	return done_testing();
}
