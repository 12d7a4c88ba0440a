/* SPDX-License-Identifier: MIT */
/* Signals between processes and threads: pipes, permissions, values, waiting, exec, and faults. */
#include "procs.h"
#include <poll.h>
#include <sys/select.h>

#define RT 40

static volatile int *words;

/* --- SIGPIPE ----------------------------------------------------------------------------------- */

static int write_to_nobody(void *arg)
{
	int fds[2];

	if (raw(SYS_pipe2, fds, 0) != 0)
		return 1;
	raw(SYS_close, fds[0]);
	if (arg == (void *)1L)
		set_plain(SIGPIPE, SIG_IGN);
	if (arg == (void *)2L)
		block(BIT_OF(SIGPIPE));
	NEED_IS(raw(SYS_write, fds[1], "x", 1), -EPIPE);
	NEED_IS(pending_now(), arg == (void *)2L ? BIT_OF(SIGPIPE) : 0);
	return 42;
}

static void pipes(void)
{
	is(status_of(fork_child(write_to_nobody, NULL)), SIGPIPE,
	   "a pipe that nobody reads: SIGPIPE");
	is(status_of(fork_child(write_to_nobody, (void *)1L)), 42 << 8, "ignored: EPIPE");
	is(status_of(fork_child(write_to_nobody, (void *)2L)), 42 << 8,
	   "blocked: EPIPE, and it waits");
}

/* --- values from another process ---------------------------------------------------------------- */

static long queue(pid_t pid, pid_t tid, int sig, int code, unsigned long value)
{
	unsigned char info[128];
	int me = my_pid(), uid = raw(SYS_getuid);

	memset(info, 0, sizeof(info));
	memcpy(info + 8, &code, sizeof(code));
	memcpy(info + 16, &me, 4);
	memcpy(info + 20, &uid, 4);
	memcpy(info + 24, &value, sizeof(value));
	if (tid)
		return raw(SYS_rt_tgsigqueueinfo, pid, tid, sig, info);
	return raw(SYS_rt_sigqueueinfo, pid, sig, info);
}

static volatile unsigned long values[16];
static volatile int numbers[16], nr_values;

static void note_value(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (nr_values < (int)COUNT(values)) {
		numbers[nr_values] = sig;
		values[nr_values] = (unsigned long)info->si_value.sival_ptr;
	}
	nr_values++;
}

static int send_values(void *arg)
{
	pid_t parent = raw(SYS_getppid);

	(void)arg;
	NEED_IS(queue(parent, 0, RT + 1, SI_QUEUE, 1), 0);
	NEED_IS(queue(parent, 0, RT, SI_QUEUE, 2), 0);
	NEED_IS(queue(parent, 0, RT + 2, SI_QUEUE, 3), 0);
	NEED_IS(queue(parent, 0, RT, SI_QUEUE, 4), 0);
	NEED_IS(queue(parent, parent, RT + 2, SI_QUEUE, 5), 0);
	NEED_IS(queue(parent, 0, SIGUSR1, SI_QUEUE, 6), 0);
	NEED_IS(queue(parent, 0, SIGUSR1, SI_QUEUE, 7), 0);
	NEED_IS(queue(parent, 0, RT, SI_USER, 1), -EPERM);
	NEED_IS(queue(parent, parent, RT, SI_TKILL, 1), -EPERM);
	NEED_IS(queue(parent, 0, RT, 1, 1), -EPERM);
	NEED_IS(queue(parent, parent + 1, RT, SI_QUEUE, 1), -ESRCH);
	NEED_IS(queue(parent, 0, 65, SI_QUEUE, 1), -EINVAL);
	NEED_IS(queue(parent, 0, 0, SI_QUEUE, 1), 0);
	NEED_IS(queue(0, parent, RT, SI_QUEUE, 1), -EINVAL);
	return 0;
}

/* In handlers that block each other the order of taking is that of running. */
static void values_and_order(void)
{
	static const unsigned long expected[] = { 5, 6, 2, 4, 1, 3 };
	unsigned long all = BIT_OF(RT) | BIT_OF(RT + 1) | BIT_OF(RT + 2) | BIT_OF(SIGUSR1);
	bool good = true;

	for (int i = 0; i < 3; i++)
		catch_with(RT + i, note_value, 0, all);
	catch_with(SIGUSR1, note_value, 0, all);
	block(all);
	child_ok(send_values, "a child queues signals, and can't queue others");
	is(pending_now() & all, all, "they wait");
	nr_values = 0;
	unblock(all);
	is(nr_values, 6, "all come but the second SIGUSR1");
	for (size_t i = 0; i < COUNT(expected); i++)
		good &= values[i] == expected[i];
	if (!ok(good, "the thread's first, then the lowest numbers, each in its order"))
		for (int i = 0; i < nr_values; i++)
			diag("signal %d value %lu", numbers[i], values[i]);
}

/* --- waiting in threads --------------------------------------------------------------------------- */

struct sigwaiter {
	struct thread thread;
	unsigned long set;
	bool once;
	volatile int done;
	volatile long result;
	volatile unsigned long value;
	volatile int code, pid;
};

static int wait_for_signal(void *arg)
{
	struct sigwaiter *w = arg;
	siginfo_t info;

	/* Who doesn't get the one that came may be told EINTR for nothing. */
	do {
		w->result = raw(SYS_rt_sigtimedwait, &w->set, &info, NULL, 8);
	} while (w->result == -EINTR && !w->once);
	w->value = (unsigned long)info.si_value.sival_ptr;
	w->code = info.si_code;
	w->pid = info.si_pid;
	w->done = 1;
	return 0;
}

static void sigwaiters(void)
{
	struct sigwaiter w[2];
	struct timespec none = { 0, 0 };
	unsigned long set = BIT_OF(RT) | BIT_OF(SIGUSR2);

	block(set);
	for (int i = 0; i < 2; i++) {
		memset(&w[i], 0, sizeof(w[i]));
		w[i].set = set;
		thread_start(&w[i].thread, wait_for_signal, &w[i]);
		THREAD_SLEEPS(w[i].thread.tid);
	}
	queue(getpid(), 0, RT, SI_QUEUE, 77);
	ok(UNTIL(w[0].done || w[1].done), "of two threads that wait for a signal");
	for (int i = 0; i < 10; i++)
		raw(SYS_sched_yield);
	is(w[0].done + w[1].done, 1, "one gets it");
	is(w[0].done ? w[0].result : w[1].result, RT, "its number");
	is(w[0].done ? w[0].value : w[1].value, 77, "its value");
	raw(SYS_kill, getpid(), SIGUSR2);
	ok(UNTIL(w[0].done && w[1].done), "the other gets the next");
	is(w[0].result + w[1].result, RT + SIGUSR2, "another number of the set");
	is(w[0].pid, getpid(), "from this process");
	thread_join(&w[0].thread);
	thread_join(&w[1].thread);
	is(pending_now(), 0, "nothing waits");
	/* A thread's own isn't for others. */
	memset(&w[0], 0, sizeof(w[0]));
	w[0].set = set;
	thread_start(&w[0].thread, wait_for_signal, &w[0]);
	THREAD_SLEEPS(w[0].thread.tid);
	raw(SYS_tgkill, getpid(), getpid(), RT);
	is(w[0].done, 0, "one for another thread wakes nobody");
	is(raw(SYS_rt_sigtimedwait, &set, NULL, &none, 8), RT, "that thread gets it");
	raw(SYS_tgkill, getpid(), w[0].thread.tid, RT);
	thread_join(&w[0].thread);
	is(w[0].result, RT, "one for the thread that waits");
	is(w[0].code, SI_TKILL, "by tgkill");
	/* What isn't in the set interrupts it when there is a handler. */
	memset(&w[0], 0, sizeof(w[0]));
	w[0].set = set;
	w[0].once = true;
	catch_with(SIGUSR1, note_signal, SA_RESTART, 0);
	thread_start(&w[0].thread, wait_for_signal, &w[0]);
	THREAD_SLEEPS(w[0].thread.tid);
	raw(SYS_tgkill, getpid(), w[0].thread.tid, SIGUSR1);
	thread_join(&w[0].thread);
	is(w[0].result, -EINTR, "another signal's handler ends the wait");
	set_plain(SIGUSR1, SIG_DFL);
	unblock(~0UL);
}

/* --- calls with a mask --------------------------------------------------------------------------- */

static int send_when_asleep(void *arg)
{
	pid_t parent = raw(SYS_getppid);

	if (!SLEEPS(parent))
		return 1;
	raw(SYS_kill, parent, SIGTERM);
	for (int i = 0; i < 10; i++)
		raw(SYS_sched_yield);
	raw(SYS_kill, parent, SIGUSR1);
	return arg ? 1 : 0;
}

static void masks_of_calls(void)
{
	unsigned long mask = BIT_OF(SIGTERM);
	struct {
		void *mask;
		unsigned long size;
	} with_size = { &mask, 8 };
	struct timespec none = { 0, 0 };
	struct pollfd nothing = { -1, 0, 0 };

	catch_with(SIGUSR1, note_signal, SA_RESTART, 0);
	catch_with(SIGTERM, note_signal, SA_RESTART, 0);
	for (int call = 0; call < 3; call++) {
		static const char *const names[] = { "rt_sigsuspend", "ppoll", "pselect6" };
		pid_t pid;
		long ret;

		block(BIT_OF(SIGUSR1));
		memset(&seen, 0, sizeof(seen));
		pid = fork_child(send_when_asleep, NULL);
		ret = call == 0 ? raw(SYS_rt_sigsuspend, &mask, 8) :
		      call == 1 ? raw(SYS_ppoll, &nothing, 1, NULL, &mask, 8) :
				  raw(SYS_pselect6, 0, NULL, NULL, NULL, NULL, &with_size);
		is(ret, -EINTR, "%s: ends by a signal that its mask lets in", names[call]);
		ok(seen.count == 2 && seen.order[0] == SIGUSR1 && seen.order[1] == SIGTERM,
		   "%s: what its mask keeps out comes after it", names[call]);
		is(blocked_now(), BIT_OF(SIGUSR1), "%s: the mask is the old one", names[call]);
		is(status_of(pid), 0, "%s: as planned", names[call]);
		send_self(SIGUSR1);
		seen.count = 0;
		ret = call == 0 ? raw(SYS_rt_sigsuspend, &mask, 8) :
		      call == 1 ? raw(SYS_ppoll, &nothing, 1, NULL, &mask, 8) :
				  raw(SYS_pselect6, 0, NULL, NULL, NULL, NULL, &with_size);
		is(ret, -EINTR, "%s: one that waits already ends it at once", names[call]);
		is(seen.count, 1, "%s: its handler runs", names[call]);
		unblock(~0UL);
	}
	is(raw(SYS_ppoll, &nothing, 1, &none, &mask, 4), -EINVAL, "ppoll: a mask of another size");
	is(raw(SYS_ppoll, &nothing, 1, &none, 8, 8), -EFAULT, "ppoll: a mask from nowhere");
	with_size.size = 4;
	is(raw(SYS_pselect6, 0, NULL, NULL, NULL, &none, &with_size), -EINVAL,
	   "pselect6: a mask of another size");
	set_plain(SIGUSR1, SIG_DFL);
	set_plain(SIGTERM, SIG_DFL);
}

/* --- exec --------------------------------------------------------------------------------------- */

static int pending_mode(int argc, char **argv)
{
	siginfo_t info;
	unsigned long set = BIT_OF(RT);

	NEED_IS(pending_now(), BIT_OF(SIGUSR1) | BIT_OF(SIGUSR2) | BIT_OF(RT));
	NEED_IS(raw(SYS_rt_sigtimedwait, &set, &info, NULL, 8), RT);
	NEED_IS((long)info.si_value.sival_ptr, 991);
	NEED_IS(raw(SYS_rt_sigtimedwait, &set, &info, NULL, 8), RT);
	NEED_IS((long)info.si_value.sival_ptr, 992);
	return 42;
}

static int execute_pending(void *arg)
{
	char *argv[] = { (char *)tap.path, "pending", NULL }, *none[] = { NULL };

	(void)arg;
	block(BIT_OF(SIGUSR1) | BIT_OF(SIGUSR2) | BIT_OF(RT));
	send_self(SIGUSR1);
	raw(SYS_tgkill, my_pid(), my_tid(), SIGUSR2);
	queue(my_pid(), 0, RT, SI_QUEUE, 991);
	queue(my_pid(), 0, RT, SI_QUEUE, 992);
	raw(SYS_execve, "/proc/self/exe", argv, none);
	return 99;
}

/* From a thread that isn't the first: what waits for it and for the process outlasts exec. */
static int execute_in_thread(void *arg)
{
	struct thread thread;

	(void)arg;
	block(BIT_OF(SIGUSR1) | BIT_OF(SIGUSR2) | BIT_OF(RT));
	thread_start(&thread, execute_pending, NULL);
	thread_join(&thread);
	return 1;
}

/* --- permission ---------------------------------------------------------------------------------- */

static void permission(void)
{
	if (am_root()) {
		skip("permission", "root may do everything");
		return;
	}
	is(raw(SYS_kill, 1, 0), -EPERM, "process 1 is root's: EPERM");
	is(raw(SYS_kill, 1, SIGTERM), -EPERM, "with a signal too");
	is(raw(SYS_kill, 1, 65), -EINVAL, "signal 65 for it: EINVAL");
	is(raw(SYS_tgkill, 1, 1, SIGTERM), -EPERM, "tgkill: EPERM");
	is(raw(SYS_tkill, 1, SIGTERM), -EPERM, "tkill: EPERM");
	is(queue(1, 0, RT, SI_QUEUE, 1), -EPERM, "rt_sigqueueinfo: EPERM");
}

/* --- RLIMIT_SIGPENDING ----------------------------------------------------------------------------- */

static int up_to_limit(void *arg)
{
	int count = 0;

	(void)arg;
	limit(RLIMIT_SIGPENDING, 7);
	block(BIT_OF(RT) | BIT_OF(SIGUSR1));
	while (count < 100 && queue(my_pid(), 0, RT, SI_QUEUE, count) == 0)
		count++;
	NEED_IS(count, 7);
	NEED_IS(queue(my_pid(), 0, RT, SI_QUEUE, 0), -EAGAIN);
	NEED_IS(raw(SYS_kill, my_pid(), SIGUSR1), 0);
	NEED_IS(pending_now(), BIT_OF(RT) | BIT_OF(SIGUSR1));
	set_plain(RT, SIG_IGN);
	NEED_IS(pending_now(), BIT_OF(SIGUSR1));
	set_plain(RT, SIG_DFL);
	NEED_IS(queue(my_pid(), 0, RT, SI_QUEUE, 0), 0);
	return 0;
}

static const struct mode modes[] = { { "pending", pending_mode }, { NULL, NULL } };

int main(int argc, char **argv)
{
	tap_start(argc, argv, modes);
	words = shared_words();
	pipes();
	values_and_order();
	sigwaiters();
	masks_of_calls();
	is(status_of(fork_child(execute_pending, NULL)), 42 << 8, "what waits outlasts exec");
	is(status_of(fork_child(execute_in_thread, NULL)), 42 << 8, "exec in another thread too");
	permission();
	child_ok(up_to_limit, "RLIMIT_SIGPENDING");
	return done_testing();
}
