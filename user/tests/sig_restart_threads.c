/* SPDX-License-Identifier: MIT */
/*
 * A signal to a process is one thread's affair. Another one that is about to sleep at that moment may
 * be disturbed, but sees either that it wasn't, or EINTR: never what the kernel tells itself.
 */
#include "procs.h"

#define ROUNDS 2000

static volatile int *words;
static volatile int handled, odd;

static void handler(int sig)
{
	__atomic_add_fetch(&handled, 1, __ATOMIC_SEQ_CST);
}

/* The results that a sleep of no length may have. */
static void see(long result)
{
	if (result != 0 && result != -EINTR && result != -ETIMEDOUT && result != -EAGAIN)
		odd = (int)result;
}

static int sleep_often(void *arg)
{
	static unsigned int word;
	struct timespec none = { 0, 1000 };
	siginfo_t info;
	unsigned long usr2 = BIT_OF(SIGUSR2);

	while (!words[0]) {
		see(raw(SYS_nanosleep, &none, NULL));
		see(raw(SYS_futex, &word, FUTEX_WAIT_PRIVATE_, 0, &none));
		see(raw(SYS_rt_sigtimedwait, &usr2, &info, &none, 8));
		see(raw(SYS_poll, NULL, 0, 1));
		words[1]++;
	}
	return 0;
}

static int send_often(void *arg)
{
	pid_t parent = raw(SYS_getppid);

	for (int i = 0; i < ROUNDS; i++) {
		raw(SYS_kill, parent, SIGUSR1);
		raw(SYS_sched_yield);
	}
	words[0] = 1;
	return 0;
}

int main(int argc, char **argv)
{
	struct timespec second = { 1, 0 };
	struct thread threads[3];
	pid_t pid;

	tap_start(argc, argv, NULL);
	words = shared_words();
	set_plain(SIGUSR1, handler);
	for (size_t i = 0; i < COUNT(threads); i++)
		thread_start(&threads[i], sleep_often, NULL);
	pid = fork_child(send_often, NULL);
	while (!words[0])
		see(raw(SYS_nanosleep, &second, NULL));
	is(status_of(pid), 0, "signals were sent while threads slept and woke");
	for (size_t i = 0; i < COUNT(threads); i++)
		thread_join(&threads[i]);
	ok(handled > 0 && words[1] > 0, "handlers were called, and threads slept");
	is(odd, 0, "no call ended oddly");
	return done_testing();
}
