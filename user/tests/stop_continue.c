/* SPDX-License-Identifier: MIT */
/* Stopping and continuing: of processes with one thread and more, awake and in calls that sleep. */
#include "procs.h"
#include <poll.h>
#include <sys/select.h>

static volatile int *words;
static int pipe_fds[2];

static bool stops(pid_t pid)
{
	siginfo_t info;

	raw(SYS_kill, pid, SIGSTOP);
	return raw(SYS_waitid, P_PID, pid, &info, WSTOPPED, NULL) == 0;
}

static bool continues(pid_t pid)
{
	siginfo_t info;

	raw(SYS_kill, pid, SIGCONT);
	return raw(SYS_waitid, P_PID, pid, &info, WCONTINUED, NULL) == 0;
}

/* --- one that counts -------------------------------------------------------------------------- */

static int count(void *arg)
{
	volatile int *counter = arg;

	while (!words[0]) {
		++*counter;
		raw(SYS_sched_yield);
	}
	return 0;
}

static bool counts(volatile int *counter)
{
	int before = *counter;

	return UNTIL(*counter > before + 3);
}

static bool stands(volatile int *counter)
{
	int before = *counter;

	for (int i = 0; i < 30; i++)
		raw(SYS_sched_yield);
	nap();
	return *counter == before;
}

static void one_thread(void)
{
	int status = 0;
	pid_t pid;

	words[0] = 0;
	pid = fork_child(count, (void *)&words[1]);
	ok(counts(&words[1]), "a child runs");
	ok(stops(pid), "SIGSTOP stops it");
	is(state_of(pid), 'T', "/proc says so");
	ok(stands(&words[1]), "it does nothing");
	ok(continues(pid), "SIGCONT continues it");
	ok(counts(&words[1]), "it runs");
	stops(pid);
	raw(SYS_kill, pid, SIGUSR2);
	raw(SYS_kill, pid, SIGTERM);
	ok(stands(&words[1]), "stopped, it doesn't die by other signals");
	is(state_of(pid), 'T', "as /proc says");
	is(raw(SYS_wait4, pid, &status, WNOHANG, NULL), 0, "and wait4");
	raw(SYS_kill, pid, SIGCONT);
	is(status_of(pid), SIGUSR2, "when it continues it does, by the lowest");
	pid = fork_child(count, (void *)&words[1]);
	ok(counts(&words[1]), "another");
	stops(pid);
	raw(SYS_kill, pid, SIGKILL);
	is(status_of(pid), SIGKILL, "SIGKILL ends it as it stands");
}

/* --- handlers --------------------------------------------------------------------------------- */

static void note_cont(int sig)
{
	words[sig == SIGCONT ? 2 : 3] = ++words[4];
}

static int handle_and_count(void *arg)
{
	unsigned long blocked = BIT_OF(SIGTSTP);

	set_plain(SIGCONT, note_cont);
	set_plain(SIGUSR1, note_cont);
	set_plain(SIGTTIN, note_cont);
	if ((long)arg == 1)
		set_plain(SIGCONT, SIG_IGN);
	if ((long)arg == 2) {
		blocked |= BIT_OF(SIGCONT);
		raw(SYS_rt_sigprocmask, SIG_BLOCK, &blocked, NULL, 8);
	}
	count((void *)&words[1]);
	return pending_now() == ((long)arg == 2 ? BIT_OF(SIGCONT) : 0) ? 0 : 1;
}

static void handlers(void)
{
	pid_t pid;

	words[0] = words[2] = words[3] = words[4] = 0;
	pid = fork_child(handle_and_count, NULL);
	ok(counts(&words[1]), "a child with handlers");
	raw(SYS_kill, pid, SIGCONT);
	ok(await(&words[2], 1), "SIGCONT calls its handler in one that runs");
	stops(pid);
	raw(SYS_kill, pid, SIGUSR1);
	ok(stands(&words[1]), "stopped, it doesn't handle signals");
	is(words[4], 1, "none of them");
	raw(SYS_kill, pid, SIGCONT);
	ok(UNTIL(words[4] == 3), "continued, it handles those that wait");
	is(words[2], 2, "SIGCONT's first, whose frame is the last");
	is(words[3], 3, "then the other's");
	raw(SYS_kill, pid, SIGTTIN);
	ok(await(&words[4], 4), "a handler for SIGTTIN is called, nothing stops");
	ok(counts(&words[1]), "it runs");
	words[0] = 1;
	is(status_of(pid), 0, "and ends");

	words[0] = words[4] = 0;
	pid = fork_child(handle_and_count, (void *)1L);
	ok(counts(&words[1]), "one that ignores SIGCONT");
	ok(stops(pid), "stops");
	ok(continues(pid), "and continues");
	words[0] = 1;
	is(status_of(pid), 0, "and ends");
	words[0] = 0;
	pid = fork_child(handle_and_count, (void *)2L);
	ok(counts(&words[1]), "one that blocks SIGCONT");
	ok(stops(pid), "stops");
	ok(continues(pid), "and continues");
	ok(counts(&words[1]), "and runs");
	raw(SYS_kill, pid, SIGTSTP);
	ok(counts(&words[1]), "a blocked SIGTSTP waits");
	raw(SYS_kill, pid, SIGCONT);
	words[0] = 1;
	is(status_of(pid), 0, "until SIGCONT takes it back");
	is(words[4], 0, "no handler ran");
}

/* --- several threads -------------------------------------------------------------------------- */

static int three_threads(void *arg)
{
	struct thread a, b;

	(void)arg;
	words[5] = thread_start(&a, count, (void *)&words[10]);
	words[6] = thread_start(&b, count, (void *)&words[11]);
	count((void *)&words[12]);
	thread_join(&a);
	thread_join(&b);
	return 0;
}

static bool all_in_state(pid_t pid, char state)
{
	char path[64];
	int tids[] = { pid, words[5], words[6] };

	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tids[i]);
		if (*stat_text(path, 3) != state)
			return false;
	}
	return true;
}

static void threads(void)
{
	pid_t pid;

	words[0] = 0;
	pid = fork_child(three_threads, NULL);
	ok(counts(&words[10]) && counts(&words[11]) && counts(&words[12]), "three threads run");
	ok(stops(pid), "one SIGSTOP");
	ok(all_in_state(pid, 'T'), "stops them all before the parent is told");
	ok(stands(&words[10]) && stands(&words[11]) && stands(&words[12]), "none does anything");
	ok(continues(pid), "one SIGCONT");
	ok(counts(&words[10]) && counts(&words[11]) && counts(&words[12]), "continues them all");
	raw(SYS_tgkill, pid, words[6], SIGSTOP);
	ok(UNTIL(all_in_state(pid, 'T')), "a stop sent to one of them stops all");
	raw(SYS_tgkill, pid, words[5], SIGCONT);
	ok(counts(&words[10]) && counts(&words[11]) && counts(&words[12]), "so does SIGCONT");
	for (int i = 0; i < 10; i++) {
		stops(pid);
		continues(pid);
	}
	ok(counts(&words[10]) && counts(&words[11]) && counts(&words[12]), "again and again");
	words[0] = 1;
	is(status_of(pid), 0, "they end");
	words[0] = 0;
	pid = fork_child(three_threads, NULL);
	ok(counts(&words[10]) && counts(&words[11]) && counts(&words[12]), "three others");
	stops(pid);
	raw(SYS_kill, pid, SIGKILL);
	is(status_of(pid), SIGKILL, "are killed as they stand");
}

/* --- calls that sleep ------------------------------------------------------------------------- */

enum { NANOSLEEP, READ, FUTEX, POLL, PPOLL, SELECT, SUSPEND, WAIT, WRITE, NR_CALLS };

static const char *const call_names[] = { "nanosleep",	   "read",  "futex",
					  "poll",	   "ppoll", "pselect6",
					  "rt_sigsuspend", "wait4", "clock_nanosleep" };

static long sleep_in(int call)
{
	struct timespec hour = { 3600, 0 }, left;
	struct pollfd polled = { pipe_fds[0], POLLIN, 0 };
	unsigned long mask = 0;
	fd_set set;
	char byte;

	FD_ZERO(&set);
	FD_SET(pipe_fds[0], &set);
	switch (call) {
	case NANOSLEEP:
		return raw(SYS_nanosleep, &hour, &left);
	case READ:
		return raw(SYS_read, pipe_fds[0], &byte, 1);
	case FUTEX:
		return raw(SYS_futex, &words[20], 0, 0, &hour);
	case POLL:
		return raw(SYS_poll, &polled, 1, 3600000);
	case PPOLL:
		return raw(SYS_ppoll, &polled, 1, &hour, &mask, 8);
	case SELECT:
		return raw(SYS_pselect6, pipe_fds[0] + 1, &set, NULL, NULL, &hour, NULL);
	case SUSPEND:
		return raw(SYS_rt_sigsuspend, &mask, 8);
	case WAIT:
		return raw(SYS_wait4, words[22], NULL, 0, NULL);
	default:
		return raw(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &hour, &left);
	}
}

static void do_nothing(int sig)
{
	(void)sig;
	words[23]++;
}

static int sleeper(void *arg)
{
	pid_t child;
	long ret;

	set_plain(SIGUSR1, do_nothing);
	child = raw(SYS_fork);
	if (child == 0) {
		struct timespec hour = { 3600, 0 };

		raw(SYS_nanosleep, &hour, NULL);
		raw(SYS_exit_group, 0);
	}
	words[22] = child;
	words[21] = 1;
	ret = sleep_in((int)(long)arg);
	words[24] = ret;
	words[21] = 2;
	return 0;
}

/* Stopped and continued, the call goes on as if nothing had been; then a handler ends it. */
static void asleep(int call)
{
	bool good;
	pid_t pid;

	words[20] = words[21] = words[23] = 0;
	words[22] = -1;
	pid = fork_child(sleeper, (void *)(long)call);
	good = await(&words[21], 1) && SLEEPS(pid);
	for (int i = 0; i < 3; i++) {
		good = good && stops(pid);
		good = good && state_of(pid) == 'T';
		good = good && continues(pid);
		good = good && SLEEPS(pid);
	}
	ok(good && words[21] == 1, "%s: stopped and continued it goes on sleeping",
	   call_names[call]);
	raw(SYS_kill, pid, SIGUSR1);
	good = await(&words[21], 2);
	is(words[24], -EINTR, "%s: a handler ends it", call_names[call]);
	is(status_of(pid), 0, "%s: handled", call_names[call]);
	if (words[22] > 0) {
		raw(SYS_kill, words[22], SIGKILL);
		UNTIL(state_of(words[22]) == 0);
	}
	(void)good;
}

/* What a stop undoes: the call has been called again, with what it waits for there meanwhile. */
static int read_one(void *arg)
{
	char byte = 0;

	(void)arg;
	words[21] = 1;
	words[24] = raw(SYS_read, pipe_fds[0], &byte, 1);
	return byte;
}

static int wait_futex(void *arg)
{
	(void)arg;
	words[21] = 1;
	words[24] = raw(SYS_futex, &words[20], 0, 0, NULL);
	return 0;
}

static void meanwhile(void)
{
	pid_t pid;

	words[21] = 0;
	words[24] = -7;
	pid = fork_child(read_one, NULL);
	await(&words[21], 1);
	SLEEPS(pid);
	stops(pid);
	is(write(pipe_fds[1], "k", 1), 1, "a byte for one that is stopped in read");
	is(words[24], -7, "which doesn't read it");
	raw(SYS_kill, pid, SIGCONT);
	is(status_of(pid), 'k' << 8, "until it continues");
	is(words[24], 1, "with the byte");
	words[20] = words[21] = 0;
	pid = fork_child(wait_futex, NULL);
	await(&words[21], 1);
	SLEEPS(pid);
	stops(pid);
	words[20] = 1;
	raw(SYS_kill, pid, SIGCONT);
	is(status_of(pid), 0, "a futex whose word has changed meanwhile");
	is(words[24], -EAGAIN, "isn't waited for again");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	words = shared_words();
	if (!ok(pipe(pipe_fds) == 0, "a pipe"))
		return done_testing();
	one_thread();
	handlers();
	threads();
	for (int call = 0; call < NR_CALLS; call++)
		asleep(call);
	meanwhile();
	return done_testing();
}
