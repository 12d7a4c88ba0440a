/* SPDX-License-Identifier: MIT */
/* Threads: what they share, whom a signal reaches, and how one, or all of them, end. */
#include "procs.h"
#include <dirent.h>

static volatile int *words;

static int sleep_on(void *arg)
{
	int value;

	while ((value = *(volatile int *)arg) == 0)
		raw(SYS_futex, arg, 0, 0, NULL);
	return 0;
}

static void wake_all(volatile int *word)
{
	*word = 1;
	raw(SYS_futex, word, 1, 1000);
}

/* --- ids -------------------------------------------------------------------------------------- */

static volatile int ids[4][4];

static int note_ids(void *arg)
{
	volatile int *mine = arg;

	mine[0] = raw(SYS_getpid);
	mine[1] = raw(SYS_gettid);
	mine[2] = raw(SYS_getppid);
	mine[3] = raw(SYS_getpgid, 0);
	return sleep_on((void *)&words[0]);
}

/* The numbers in /proc/self/task, summed up; how many there are goes to count. */
static long listed_tids(int *count)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	long sum = 0;

	*count = 0;
	if (!dir)
		return -1;
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		sum += atoi(entry->d_name);
		++*count;
	}
	closedir(dir);
	return sum;
}

static void identities(void)
{
	struct thread threads[3];
	long tids[3], sum = getpid();
	int count;

	words[0] = 0;
	is(my_tid(), getpid(), "the first thread has the process's number");
	for (int i = 0; i < 3; i++) {
		tids[i] = thread_start(&threads[i], note_ids, (void *)ids[i]);
		ok(tids[i] > 0, "thread %d", i);
		sum += tids[i];
	}
	for (int i = 0; i < 3; i++) {
		THREAD_SLEEPS(tids[i]);
		is(ids[i][0], getpid(), "its getpid is the process's");
		is(ids[i][1], tids[i], "its gettid is what clone returned");
		is(ids[i][2], getppid(), "its parent is the process's");
		is(ids[i][3], getpgrp(), "its group is too");
	}
	ok(tids[0] != tids[1] && tids[1] != tids[2] && tids[0] != tids[2] && tids[0] != getpid(),
	   "four different numbers");
	is(thread_count(), 4, "/proc/self/status: Threads");
	is(stat_number(getpid(), 20), 4, "/proc/self/stat: num_threads");
	is(listed_tids(&count), sum, "/proc/self/task lists them");
	is(count, 4, "and no others");
	is(raw(SYS_getpgid, tids[0]), getpgrp(), "getpgid of a thread's number");
	is(raw(SYS_kill, tids[0], 0), 0, "kill of a thread's number");
	is(raw(SYS_setpgid, tids[0], 0), -EINVAL, "setpgid of a thread's number");
	is(raw(SYS_tgkill, getpid(), tids[0], 0), 0, "tgkill finds it");
	is(raw(SYS_tgkill, tids[0], tids[0], 0), -ESRCH, "it is no process");
	is(raw(SYS_tgkill, tids[0], tids[1], 0), -ESRCH, "nor one of such a process");
	is(raw(SYS_tkill, tids[0], 0), 0, "tkill finds it");
	wake_all(&words[0]);
	for (int i = 0; i < 3; i++)
		thread_join(&threads[i]);
	ok(UNTIL(thread_count() == 1), "they are gone");
	is(raw(SYS_tgkill, getpid(), tids[0], 0), -ESRCH, "for tgkill too");
	is(raw(SYS_tkill, tids[0], 0), -ESRCH, "and tkill");
	is(raw(SYS_kill, tids[0], 0), -ESRCH, "and kill");
}

/* --- signals ---------------------------------------------------------------------------------- */

static volatile int handled_by, handled_count;

static void note_thread(int sig)
{
	(void)sig;
	handled_by = raw(SYS_gettid);
	handled_count++;
}

/* Sleeps with the mask given until words[1]. */
static int sleep_masked(void *arg)
{
	unsigned long mask = (unsigned long)arg;

	raw(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, 8);
	return sleep_on((void *)&words[1]);
}

static bool handled(int by, const char *name)
{
	return ok(UNTIL(handled_count == 1) && handled_by == by, "%s", name);
}

static void routing(void)
{
	struct thread open_one, closed;
	long tid, tid_closed;

	set_plain(SIGUSR1, note_thread);
	words[1] = 0;
	tid = thread_start(&open_one, sleep_masked, NULL);
	tid_closed = thread_start(&closed, sleep_masked, (void *)BIT_OF(SIGUSR1));
	THREAD_SLEEPS(tid);
	THREAD_SLEEPS(tid_closed);

	handled_count = 0;
	raw(SYS_tgkill, getpid(), tid, SIGUSR1);
	handled(tid, "tgkill reaches that thread");
	handled_count = 0;
	raw(SYS_tkill, getpid(), SIGUSR1);
	handled(getpid(), "tkill the one of that number");
	handled_count = 0;
	raw(SYS_kill, getpid(), SIGUSR1);
	handled(getpid(), "kill the first thread, when it doesn't block the signal");
	handled_count = 0;
	raw(SYS_kill, tid_closed, SIGUSR1);
	handled(getpid(), "and so by any thread's number");
	block(BIT_OF(SIGUSR1));
	handled_count = 0;
	raw(SYS_kill, getpid(), SIGUSR1);
	handled(tid, "when it does, one that doesn't");
	is(pending_now(), 0, "nothing waits");
	handled_count = 0;
	raw(SYS_tgkill, getpid(), tid_closed, SIGUSR1);
	is(pending_now(), 0, "what waits for a thread that blocks it waits there");
	is(handled_count, 0, "and reaches no other");
	raw(SYS_tgkill, getpid(), getpid(), SIGUSR1);
	is(pending_now(), BIT_OF(SIGUSR1), "one for this thread waits here");
	unblock(BIT_OF(SIGUSR1));
	handled(getpid(), "until it is let in");
	wake_all(&words[1]);
	thread_join(&open_one);
	thread_join(&closed);
	ok(UNTIL(thread_count() == 1), "the threads are gone");
	is(handled_count, 1, "and what waited there with them");
	set_plain(SIGUSR1, SIG_DFL);
}

static int take_signal(void *arg)
{
	unsigned long none = 0;

	words[2] = raw(SYS_gettid);
	raw(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, 8);
	(void)arg;
	return 0;
}

/* One that waits for the process because all block it: the next to let it in has it. */
static void shared_pending(void)
{
	struct thread thread;

	set_plain(SIGUSR1, note_thread);
	block(BIT_OF(SIGUSR1));
	handled_count = 0;
	send_self(SIGUSR1);
	is(pending_now(), BIT_OF(SIGUSR1), "one for the process waits");
	thread_start(&thread, take_signal, NULL);
	thread_join(&thread);
	is(handled_by, words[2], "a new thread that lets it in has it");
	is(pending_now(), 0, "it waits no more");
	unblock(BIT_OF(SIGUSR1));
	is(handled_count, 1, "and comes once");
	set_plain(SIGUSR1, SIG_DFL);
}

/* --- waiting for children of threads ---------------------------------------------------------- */

static int exit_with(void *arg)
{
	return (int)(long)arg;
}

static int have_child(void *arg)
{
	words[4] = fork_child(exit_with, (void *)21L);
	words[5] = 1;
	if (arg)
		sleep_on(arg);
	return 0;
}

static int wait_in_thread(void *arg)
{
	words[6] = status_of((int)(long)arg);
	return 0;
}

static void children(void)
{
	struct thread thread, waiter;
	pid_t pid;

	words[5] = words[7] = 0;
	thread_start(&thread, have_child, (void *)&words[7]);
	await(&words[5], 1);
	is(stat_number(words[4], 4), getpid(), "a thread's child has the process as its parent");
	is(raw(SYS_wait4, words[4], NULL, 0x20000000, NULL), -ECHILD,
	   "with __WNOTHREAD it is no child of this thread");
	is(raw(SYS_wait4, -1, NULL, WNOHANG | 0x20000000, NULL), -ECHILD, "nor has it others");
	is(status_of(words[4]), 21 << 8, "without, any thread can wait for it");
	wake_all(&words[7]);
	thread_join(&thread);

	pid = fork_child(exit_with, (void *)22L);
	thread_start(&waiter, wait_in_thread, (void *)(long)pid);
	thread_join(&waiter);
	is(words[6], 22 << 8, "a thread waits for this thread's child");
	words[5] = 0;
	thread_start(&thread, have_child, NULL);
	thread_join(&thread);
	ok(UNTIL(thread_count() == 1), "a thread with a child ends");
	is(raw(SYS_wait4, words[4], NULL, 0x20000000, NULL), words[4],
	   "the child is then another thread's, even with __WNOTHREAD");
}

/* --- many ------------------------------------------------------------------------------------- */

#define MANY 40

static volatile int started;

static int count_and_sleep(void *arg)
{
	__atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
	return sleep_on(arg);
}

static int count_only(void *arg)
{
	(void)arg;
	__atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
	return 0;
}

static void many(void)
{
	static struct thread threads[MANY];
	struct thread one;

	started = 0;
	words[8] = 0;
	for (int i = 0; i < MANY; i++)
		thread_start(&threads[i], count_and_sleep, (void *)&words[8]);
	await(&started, MANY);
	is(started, MANY, "many threads at a time");
	is(thread_count(), MANY + 1, "are counted");
	wake_all(&words[8]);
	for (int i = 0; i < MANY; i++)
		thread_join(&threads[i]);
	started = 0;
	for (int i = 0; i < 200; i++) {
		thread_start(&one, count_only, NULL);
		thread_join(&one);
	}
	is(started, 200, "and many one after the other");
	ok(UNTIL(thread_count() == 1), "one is left");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	words = shared_words();
	identities();
	routing();
	shared_pending();
	children();
	many();
	return done_testing();
}
