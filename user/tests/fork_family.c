/* SPDX-License-Identifier: MIT */
/*
 * Parents and children: orphans, zombies, the signal at the end, brothers by CLONE_PARENT, fork in a
 * process of several threads, and RLIMIT_NPROC.
 */
#include "procs.h"

static volatile int *words;

/* --- orphans ---------------------------------------------------------------------------------- */

static int orphan(void *arg)
{
	int parent = (int)(long)arg;

	words[0] = raw(SYS_getppid);
	words[1] = 1;
	if (!UNTIL(raw(SYS_getppid) != parent))
		words[2] = -1;
	else
		words[2] = raw(SYS_getppid);
	words[3] = raw(SYS_getpgid, 0);
	words[1] = 2;
	return 0;
}

static int leave_an_orphan(void *arg)
{
	pid_t pid = fork_child(orphan, (void *)(long)my_pid());

	(void)arg;
	words[4] = pid;
	await(&words[1], 1);
	return pid > 0 ? 0 : 1;
}

static void orphans(void)
{
	pid_t pid = fork_child(leave_an_orphan, NULL);

	is(status_of(pid), 0, "a child that leaves a child");
	await(&words[1], 2);
	is(words[0], pid, "whose parent it was");
	is(words[2], 1, "and is process 1 now");
	is(words[3], getpgrp(), "which changes no process group");
	is(raw(SYS_wait4, words[4], NULL, 0, NULL), -ECHILD,
	   "it isn't the grandparent's to wait for");
	ok(UNTIL(state_of(words[4]) == 0), "process 1 waits for it");
}

/* --- zombies ---------------------------------------------------------------------------------- */

static int exit_with(void *arg)
{
	return (int)(long)arg;
}

static void zombies(void)
{
	char path[64], text[64];
	pid_t pid = fork_child(exit_with, (void *)3L);

	ok(UNTIL(state_of(pid) == 'Z'), "a child that has ended is a zombie");
	is(stat_number(pid, 4), getpid(), "with a parent");
	is(status_field(pid, "Threads", 10), 1, "and a thread");
	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	is(read_small(path, text, sizeof(text)), 0, "but no arguments");
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	is(read_small(path, text, sizeof(text)), 0, "and no memory");
	is(status_field(pid, "VmSize", 10), -1, "of no size");
	is(raw(SYS_kill, pid, 0), 0, "it can be sent a signal");
	is(raw(SYS_kill, pid, SIGKILL), 0, "which changes nothing");
	is(state_of(pid), 'Z', "still a zombie");
	is(raw(SYS_getpgid, pid), getpgrp(), "it has a process group");
	is(raw(SYS_getsid, pid), raw(SYS_getsid, 0), "and a session");
	is(status_of(pid), 3 << 8, "and its status is what it exited with");
	is(state_of(pid), 0, "then it is gone");
	is(raw(SYS_kill, pid, 0), -ESRCH, "for kill too");
	is(raw(SYS_getpgid, pid), -ESRCH, "and getpgid");
}

/* --- the signal at the end -------------------------------------------------------------------- */

static pid_t clone_exit(unsigned long flags, int code)
{
	pid_t pid = raw(SYS_clone, flags, 0, 0, 0, 0);

	if (pid == 0)
		raw(SYS_exit_group, code);
	return pid;
}

static void end_signals(void)
{
	int status = 0;
	pid_t pid;

	catch_with(SIGUSR1, note_signal, 0, 0);
	catch_with(SIGCHLD, note_signal, 0, 0);
	block(BIT_OF(SIGUSR1) | BIT_OF(SIGCHLD));
	memset(&seen, 0, sizeof(seen));
	pid = clone_exit(SIGUSR1, 9);
	is(raw(SYS_wait4, pid, NULL, 0, NULL), -ECHILD,
	   "a child by clone(SIGUSR1) isn't waited for");
	is(raw(SYS_wait4, -1, NULL, WNOHANG, NULL), -ECHILD, "as any child neither");
	is(raw(SYS_wait4, pid, &status, 0x80000000, NULL), pid, "but with __WCLONE");
	is(status, 9 << 8, "its status");
	unblock(~0UL);
	is(seen.count, 1, "it sent a signal");
	is(seen.signo, SIGUSR1, "SIGUSR1");
	is(seen.code, CLD_EXITED, "CLD_EXITED");
	is(seen.pid, pid, "si_pid");
	is((int)seen.value, 9, "si_status");

	seen.count = 0;
	pid = clone_exit(0, 8);
	is(raw(SYS_wait4, pid, NULL, WNOHANG, NULL), -ECHILD, "one by clone(0) isn't either");
	is(raw(SYS_wait4, pid, &status, 0x40000000, NULL), pid, "but with __WALL");
	is(status, 8 << 8, "its status");
	is(seen.count, 0, "it sends no signal");
	pid = clone_exit(SIGCHLD, 7);
	is(raw(SYS_wait4, pid, NULL, 0x80000000, NULL), -ECHILD,
	   "one by clone(SIGCHLD) isn't with __WCLONE");
	is(raw(SYS_wait4, pid, &status, 0x40000000, NULL), pid, "with __WALL it is");
	is(seen.count, 1, "it sent SIGCHLD");
	is(seen.signo, SIGCHLD, "and nothing else");
	seen.count = 0;
	pid = clone_exit(100, 6);
	ok(pid > 0, "clone(100): the number isn't looked at");
	is(raw(SYS_wait4, pid, NULL, WNOHANG, NULL), -ECHILD, "a child that sends no SIGCHLD");
	is(raw(SYS_wait4, pid, &status, 0x80000000, NULL), pid, "it ends");
	is(status, 6 << 8, "its status");
	is(seen.count, 0, "and sends nothing");
	set_plain(SIGUSR1, SIG_DFL);
	set_plain(SIGCHLD, SIG_DFL);
}

/* A program that is executed in such a child sends SIGCHLD. */
static int exit4_mode(int argc, char **argv)
{
	return 4;
}

static void end_signal_after_exec(void)
{
	char *argv[] = { (char *)tap.path, "exit4", NULL }, *none[] = { NULL };
	int status = 0;
	pid_t pid = raw(SYS_clone, SIGUSR2, 0, 0, 0, 0);

	if (pid == 0) {
		raw(SYS_execve, "/proc/self/exe", argv, none);
		raw(SYS_exit_group, 99);
	}
	ok(UNTIL(state_of(pid) == 'Z'), "clone(SIGUSR2), then exec, then its end");
	is(raw(SYS_wait4, pid, &status, 0, NULL), pid, "exec made it a child that sends SIGCHLD");
	is(status, 4 << 8, "its status");
}

/* --- brothers --------------------------------------------------------------------------------- */

static int make_brother(void *arg)
{
	pid_t pid = raw(SYS_clone, CLONE_PARENT | SIGUSR1, 0, 0, 0, 0);

	(void)arg;
	if (pid == 0) {
		words[5] = raw(SYS_getppid);
		raw(SYS_exit_group, 77);
	}
	words[6] = pid;
	NEED(pid > 0);
	NEED_IS(raw(SYS_wait4, pid, NULL, 0x40000000, NULL), -ECHILD);
	return 0;
}

static void brothers(void)
{
	is(status_of(fork_child(make_brother, NULL)), 0, "a child makes a brother by CLONE_PARENT");
	is(status_of(words[6]), 77 << 8, "which is this process's child");
	is(words[5], getpid(), "as it sees itself");
}

/* --- fork in a process of several threads ----------------------------------------------------- */

static int spin_in_words(void *arg)
{
	(void)arg;
	while (!words[11]) {
		words[10]++;
		raw(SYS_sched_yield);
	}
	return 0;
}

static int one_thread(void *arg)
{
	int before;

	(void)arg;
	NEED_IS(status_field(my_pid(), "Threads", 10), 1);
	NEED_IS(my_tid(), my_pid());
	words[12] = 1;
	before = words[10];
	/* Only the parent's thread counts, and that stops when it is told to. */
	words[11] = 1;
	await(&words[12], 2);
	before = words[10];
	for (int i = 0; i < 50; i++)
		raw(SYS_sched_yield);
	NEED_IS(words[10], before);
	return 0;
}

static int fork_here(void *arg)
{
	pid_t pid = fork_child(one_thread, NULL);

	(void)arg;
	words[13] = pid;
	return 0;
}

static void many_threads(void)
{
	struct thread spinner, forker;

	words[10] = words[11] = words[12] = 0;
	thread_start(&spinner, spin_in_words, NULL);
	thread_start(&forker, fork_here, NULL);
	thread_join(&forker);
	thread_join(&spinner);
	words[12] = 2;
	is(status_of(words[13]), 0, "a child forked by a thread has that thread only");
	ok(UNTIL(thread_count() == 1), "and this process is down to one");
}

/* --- RLIMIT_NPROC ----------------------------------------------------------------------------- */

#define MOST 8

static int wait_for_word(void *arg)
{
	(void)arg;
	return await(&words[20], 1) ? 0 : 1;
}

static void too_many(void)
{
	pid_t pids[MOST + 1];
	struct thread thread;
	int count = 0;
	long err = 0;

	limit(RLIMIT_NPROC, MOST);
	words[20] = 0;
	while (count <= MOST) {
		pids[count] = fork_child(wait_for_word, NULL);
		if (pids[count] < 0) {
			err = pids[count];
			break;
		}
		count++;
	}
	is(count, MOST - 1, "RLIMIT_NPROC counts this process and its children");
	is(err, -EAGAIN, "one more: EAGAIN");
	is(raw(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0), -EAGAIN, "by vfork too");
	thread.stack = fresh(STACK_PAGES, RW);
	is(clone_fn(THREAD_FLAGS, thread.stack, wait_for_word, NULL, &thread.tid, &thread.tid, 0),
	   -EAGAIN, "threads count too");
	raw_munmap((unsigned long)thread.stack, STACK_PAGES * PAGE);
	words[20] = 1;
	for (int i = 0; i < count; i++)
		if (status_of(pids[i]) != 0)
			err = 1;
	is(err, -EAGAIN, "they all end");
	is(status_of(fork_child(exit_with, (void *)2L)), 2 << 8, "then there is room again");
	limit(RLIMIT_NPROC, 0);
	is(fork_child(exit_with, NULL), -EAGAIN, "with a limit of 0 there is none");
	is(spawn("/no-such", NULL, NULL), -EAGAIN, "for vfork neither");
}

static const struct mode modes[] = { { "exit4", exit4_mode }, { NULL, NULL } };

int main(int argc, char **argv)
{
	tap_start(argc, argv, modes);
	words = shared_words();
	orphans();
	zombies();
	end_signals();
	end_signal_after_exec();
	brothers();
	many_threads();
	too_many();
	return done_testing();
}
