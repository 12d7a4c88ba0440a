/* SPDX-License-Identifier: MIT */
/* wait4(2): which children, which events, how they are written down, and what interrupts it. */
#include "procs.h"
#include <limits.h>

static volatile int *words;

static long wait4_(pid_t pid, int *status, int options, struct rusage *usage)
{
	return raw(SYS_wait4, pid, status, options, usage);
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

/* Lives until words[index]. */
static int live(void *arg)
{
	return await(&words[(long)arg], 1) ? 0 : 1;
}

/* --- statuses --------------------------------------------------------------------------------- */

static void statuses(void)
{
	static const int deadly[] = { SIGHUP,	 SIGINT,  SIGQUIT, SIGILL,    SIGTRAP,
				      SIGABRT,	 SIGBUS,  SIGFPE,  SIGKILL,   SIGUSR1,
				      SIGSEGV,	 SIGUSR2, SIGPIPE, SIGALRM,   SIGTERM,
				      SIGSTKFLT, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF,
				      SIGIO,	 SIGPWR,  SIGSYS,  34,	      64 };

	for (size_t i = 0; i < COUNT(deadly); i++)
		is(status_of(fork_child(die_by, (void *)(long)deadly[i])), deadly[i],
		   "by signal %d: its number, no core", deadly[i]);
	is(status_of(fork_child(exit_with, (void *)0x1ffL)), 0xff00, "exit status 0xff");
}

/* --- refusals --------------------------------------------------------------------------------- */

static void refusals(void)
{
	int status = -7;
	pid_t pid;

	is(wait4_(-1, &status, 0, NULL), -ECHILD, "no children: ECHILD");
	is(wait4_(-1, &status, WNOHANG, NULL), -ECHILD, "with WNOHANG too");
	is(wait4_(my_pid(), NULL, 0, NULL), -ECHILD, "oneself: ECHILD");
	is(wait4_(raw(SYS_getppid), NULL, 0, NULL), -ECHILD, "one's parent: ECHILD");
	is(wait4_(0x3fffffff, NULL, 0, NULL), -ECHILD, "nobody: ECHILD");
	is(wait4_(-0x3fffffff, NULL, 0, NULL), -ECHILD, "no group: ECHILD");
	is(wait4_(0, NULL, 0, NULL), -ECHILD, "none in this group: ECHILD");
	is(wait4_(INT_MIN, NULL, 0, NULL), -ESRCH, "INT_MIN: ESRCH");
	is(wait4_(INT_MIN, NULL, 4, NULL), -EINVAL, "options are looked at first");
	is(wait4_(-1, NULL, WEXITED, NULL), -EINVAL, "WEXITED isn't for wait4");
	is(wait4_(-1, NULL, WNOWAIT, NULL), -EINVAL, "WNOWAIT neither");
	is(wait4_(-1, NULL, 0x10, NULL), -EINVAL, "nor 0x10");
	is(wait4_(-1, NULL, 0x10000000, NULL), -EINVAL, "nor 0x10000000");
	is(status, -7, "no status is written");
	words[0] = 0;
	pid = fork_child(live, NULL);
	is(wait4_(pid, &status, WNOHANG, NULL), 0, "WNOHANG: not yet");
	is(status, -7, "no status is written");
	is(wait4_(-1, &status, WNOHANG | WUNTRACED | WCONTINUED, NULL), 0, "nothing of any kind");
	is(wait4_(pid, (int *)8, WNOHANG, (struct rusage *)8), 0,
	   "nor are bad addresses looked at");
	words[0] = 1;
	is(wait4_(pid, (int *)8, 0, NULL), -EFAULT, "a status to nowhere");
	is(wait4_(pid, NULL, 0, NULL), -ECHILD, "the child is gone all the same");
	pid = fork_child(exit_with, (void *)3L);
	is(wait4_(pid, &status, 0, (struct rusage *)8), -EFAULT, "its usage to nowhere");
	is(wait4_(pid, NULL, 0, NULL), -ECHILD, "the child is gone");
}

/* --- which ------------------------------------------------------------------------------------ */

static void which(void)
{
	int status = 0;
	pid_t a, b, c;

	words[1] = words[2] = words[3] = 0;
	a = fork_child(live, (void *)1L);
	b = fork_child(live, (void *)2L);
	c = fork_child(live, (void *)3L);
	is(raw(SYS_setpgid, b, b), 0, "of three children the second leads a group");
	is(raw(SYS_setpgid, c, b), 0, "that the third is in");
	is(wait4_(0, NULL, WNOHANG, NULL), 0, "wait for this group: none ended");
	words[3] = 1;
	ok(UNTIL(state_of(c) == 'Z'), "the third ends");
	is(wait4_(0, NULL, WNOHANG, NULL), 0, "it isn't of this group");
	is(wait4_(a, NULL, WNOHANG, NULL), 0, "nor is it the first");
	is(wait4_(-b, &status, 0, NULL), c, "but of the other group");
	is(status, 0, "its status");
	is(wait4_(-b, NULL, WNOHANG, NULL), 0, "where another is left");
	words[2] = 1;
	is(wait4_(-b, NULL, 0, NULL), b, "which ends");
	is(wait4_(-b, NULL, 0, NULL), -ECHILD, "then the group has nobody");
	words[1] = 1;
	is(wait4_(0, NULL, 0, NULL), a, "this group's ends");
	is(wait4_(0, NULL, 0, NULL), -ECHILD, "and nobody is left");
	/* Only children: a grandchild is the child's. */
	words[4] = 0;
	a = fork_child(live, (void *)4L);
	b = raw(SYS_fork);
	if (b == 0)
		raw(SYS_exit_group, wait4_(a, NULL, 0, NULL) == -ECHILD ? 42 : 1);
	is(status_of(b), 42 << 8, "a child can't wait for its brother");
	words[4] = 1;
	is(status_of(a), 0, "who ends");
	/* In whatever order they end, each is found. */
	{
		pid_t pids[10];
		long sum = 0, got = 0;

		for (long i = 0; i < 10; i++) {
			pids[i] = fork_child(exit_with, (void *)i);
			sum += pids[i] * 1000L + i;
		}
		for (int i = 0; i < 10; i++) {
			pid_t pid = wait4_(-1, &status, 0, NULL);

			got += pid * 1000L + WEXITSTATUS(status);
		}
		is(got, sum, "ten children, any order");
		is(wait4_(-1, NULL, 0, NULL), -ECHILD, "and no more");
	}
}

/* --- usage ------------------------------------------------------------------------------------ */

static int use_pages(void *arg)
{
	touch(fresh((unsigned long)arg, RW), (unsigned long)arg);
	return 0;
}

static int grandchild_uses(void *arg)
{
	return status_of(fork_child(use_pages, arg));
}

static void usage(void)
{
	struct rusage of_child, before, after;
	pid_t pid;

	memset(&of_child, 0xee, sizeof(of_child));
	getrusage(RUSAGE_CHILDREN, &before);
	pid = fork_child(use_pages, (void *)300L);
	is(wait4_(pid, NULL, 0, &of_child), pid, "a child that writes to 300 pages");
	ok(of_child.ru_minflt >= 300 && of_child.ru_minflt < 2000, "ru_minflt has them");
	ok(of_child.ru_utime.tv_sec >= 0 && of_child.ru_utime.tv_usec < 1000000 &&
		   of_child.ru_stime.tv_sec >= 0 && of_child.ru_stime.tv_usec < 1000000,
	   "the times are times");
	is(of_child.ru_nswap | of_child.ru_ixrss | of_child.ru_idrss | of_child.ru_isrss |
		   of_child.ru_msgsnd | of_child.ru_msgrcv | of_child.ru_nsignals,
	   0, "the fields that Linux doesn't have are 0");
	getrusage(RUSAGE_CHILDREN, &after);
	is(after.ru_minflt - before.ru_minflt, of_child.ru_minflt, "RUSAGE_CHILDREN grows by them");
	pid = fork_child(grandchild_uses, (void *)300L);
	is(wait4_(pid, NULL, 0, &of_child), pid, "a child whose child does that");
	ok(of_child.ru_minflt >= 300, "ru_minflt has those of children waited for");
	getrusage(RUSAGE_CHILDREN, &before);
	pid = fork_child(use_pages, (void *)100L);
	ok(UNTIL(state_of(pid) == 'Z'), "a child ends");
	getrusage(RUSAGE_CHILDREN, &after);
	is(after.ru_minflt, before.ru_minflt, "until it is waited for nothing is added");
	status_of(pid);
}

/* --- interruptions ---------------------------------------------------------------------------- */

/* Interrupts its parent's wait once that sleeps, and ends when the handler has run. */
static int interrupt(void *arg)
{
	pid_t parent = raw(SYS_getppid);

	(void)arg;
	if (!SLEEPS(parent))
		return 1;
	raw(SYS_kill, parent, SIGUSR1);
	return await(&words[6], 1) ? 17 : 2;
}

static void note_word(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)info, (void)context;
	words[6]++;
}

static void interruptions(void)
{
	int status = -7;
	pid_t pid;

	words[6] = 0;
	catch_with(SIGUSR1, note_word, 0, 0);
	pid = fork_child(interrupt, NULL);
	is(wait4_(pid, &status, 0, NULL), -EINTR, "a handler interrupts wait4");
	is(words[6], 1, "having run");
	is(status, -7, "no status is written");
	is(status_of(pid), 17 << 8, "the child is still to be waited for");
	words[6] = 0;
	catch_with(SIGUSR1, note_word, SA_RESTART, 0);
	pid = fork_child(interrupt, NULL);
	is(wait4_(pid, &status, 0, NULL), pid, "with SA_RESTART it goes on");
	is(words[6], 1, "after the handler");
	is(status, 17 << 8, "until the child ends");
	set_plain(SIGUSR1, SIG_DFL);
}

/* --- SIGCHLD ---------------------------------------------------------------------------------- */

static void end_of_children(void)
{
	pid_t pid, other;

	words[7] = 0;
	set_plain(SIGCHLD, SIG_IGN);
	pid = fork_child(live, (void *)7L);
	other = fork_child(exit_with, NULL);
	ok(UNTIL(state_of(other) == 0), "with SIGCHLD ignored children leave no zombie");
	is(wait4_(other, NULL, 0, NULL), -ECHILD, "and can't be waited for");
	is(wait4_(-1, NULL, WNOHANG, NULL), 0, "another lives");
	words[7] = 1;
	is(wait4_(-1, NULL, 0, NULL), -ECHILD, "wait lasts until all have ended, then ECHILD");
	is(state_of(pid), 0, "it is gone");
	/* Becoming a zombie before SIGCHLD is ignored, it stays one. */
	set_plain(SIGCHLD, SIG_DFL);
	pid = fork_child(exit_with, (void *)5L);
	ok(UNTIL(state_of(pid) == 'Z'), "a zombie");
	set_plain(SIGCHLD, SIG_IGN);
	is(state_of(pid), 'Z', "stays when SIGCHLD is ignored later");
	is(status_of(pid), 5 << 8, "and can be waited for");
	memset(&seen, 0, sizeof(seen));
	catch_with(SIGCHLD, note_signal, SA_NOCLDWAIT, 0);
	pid = fork_child(exit_with, (void *)6L);
	ok(UNTIL(state_of(pid) == 0), "SA_NOCLDWAIT: no zombie");
	is(seen.count, 1, "but the signal");
	is(seen.pid, pid, "from the child");
	is(seen.code, CLD_EXITED, "CLD_EXITED");
	is((int)seen.value, 6, "its status");
	set_plain(SIGCHLD, SIG_DFL);
	/* A child that sends another signal at its end isn't meant. */
	set_plain(SIGCHLD, SIG_IGN);
	pid = raw(SYS_clone, 0, 0, 0, 0, 0);
	if (pid == 0)
		raw(SYS_exit_group, 8);
	ok(UNTIL(state_of(pid) == 'Z'), "a child without SIGCHLD becomes a zombie all the same");
	is(status_of(pid), 8 << 8, "to be waited for");
	set_plain(SIGCHLD, SIG_DFL);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	words = shared_words();
	refusals();
	statuses();
	which();
	usage();
	interruptions();
	end_of_children();
	return done_testing();
}
