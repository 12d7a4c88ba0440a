/* SPDX-License-Identifier: MIT */
/*
 * Signals to threads that run on other processors: each arrives, and once; stopping and going on;
 * timers of all kinds beside threads that set, stop and delete them.
 */
#include "smp.h"
#include <sys/time.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

#define BIT_OF(sig) (1UL << ((sig)-1))

static volatile long caught[65], other;
static volatile int stop_now;

static void count_it(int sig, siginfo_t *info, void *context)
{
	__atomic_add_fetch(&caught[sig], 1, __ATOMIC_SEQ_CST);
}

static void count_other(int sig, siginfo_t *info, void *context)
{
	__atomic_add_fetch(&other, 1, __ATOMIC_SEQ_CST);
}

/* Where not each thread has a processor, they would spend whole time slices on being busy. */
static void take_turns(unsigned long n)
{
	if (cpu_count < 4 && n % 256 == 0)
		raw(SYS_sched_yield);
}

static int spin_on(struct member *m)
{
	while (!stop_now)
		take_turns(m->count++);
	return 0;
}

static int call_on(struct member *m)
{
	while (!stop_now) {
		raw(SYS_getppid);
		take_turns(m->count++);
	}
	return 0;
}

/* Ends what team_add() was told to go on. */
static void team_stop(int size)
{
	stop_now = 1;
	team_join(0, size);
	stop_now = 0;
}

/* --- to a thread that runs ----------------------------------------------------------------------- */

static void to_threads(void)
{
	int size = 0, sent = 0;

	catch_with(SIGUSR1, count_it, SA_RESTART, 0);
	team_add(&size, 2, spin_on);
	team_add(&size, 1, call_on);
	team_begin(size);
	for (; sent < 36 * (int)times; sent++) {
		raw(SYS_tgkill, my_pid(), team[sent % 3].thread.tid, SIGUSR1);
		while (caught[SIGUSR1] <= sent)
			raw(SYS_sched_yield);
	}
	team_stop(size);
	is(caught[SIGUSR1], sent, "each signal to a thread is handled");
}

/* Its own processor is the same as the spinning thread's: it must be taken away from that. */
static void to_process(void)
{
	int size = 0, sent = 0;

	caught[SIGUSR1] = 0;
	team_add(&size, 3, spin_on);
	team_begin(size);
	block(BIT_OF(SIGUSR1));
	for (; sent < 30 * (int)times; sent++) {
		raw(SYS_kill, my_pid(), SIGUSR1);
		while (caught[SIGUSR1] <= sent)
			raw(SYS_sched_yield);
	}
	unblock(BIT_OF(SIGUSR1));
	team_stop(size);
	is(caught[SIGUSR1], sent, "each to the process, by threads that don't block it");
}

/* Whoever is about to take it may block it first: then another has to. */
static int block_and_unblock(struct member *m)
{
	unsigned long mask = BIT_OF(SIGUSR1);

	while (!stop_now) {
		raw(SYS_rt_sigprocmask, SIG_BLOCK, &mask, NULL, 8);
		take_turns(m->count++);
		raw(SYS_rt_sigprocmask, SIG_UNBLOCK, &mask, NULL, 8);
	}
	return 0;
}

static int come_and_go(void *arg)
{
	return 0;
}

/* Threads that end may have been chosen, too. */
static int make_others(struct member *m)
{
	while (!stop_now) {
		struct thread thread;

		thread_start(&thread, come_and_go, NULL);
		thread_join(&thread);
	}
	return 0;
}

static void among_blockers(void)
{
	int size = 0, sent = 0;

	caught[SIGUSR1] = 0;
	team_add(&size, 3, block_and_unblock);
	team_add(&size, 1, make_others);
	team_begin(size);
	block(BIT_OF(SIGUSR1));
	for (; sent < 36 * (int)times; sent++) {
		raw(SYS_kill, my_pid(), SIGUSR1);
		while (caught[SIGUSR1] <= sent)
			raw(SYS_sched_yield);
	}
	unblock(BIT_OF(SIGUSR1));
	team_stop(size);
	is(caught[SIGUSR1], sent, "none is lost while threads block, unblock, come and go");
}

/* --- queued ones --------------------------------------------------------------------------------- */

#define QUEUED 100

static volatile int got_value[3 * QUEUED];
static volatile int takers_left;

static long queue_value(int sig, int value)
{
	siginfo_t info;

	memset(&info, 0, sizeof(info));
	info.si_code = SI_QUEUE;
	info.si_pid = my_pid();
	info.si_value.sival_int = value;
	return raw(SYS_rt_sigqueueinfo, my_pid(), sig, &info);
}

static int send_values(struct member *m)
{
	for (int i = 0; i < QUEUED; i++) {
		long ret;

		while ((ret = queue_value(SIGRTMIN, m->number * QUEUED + i)) == -EAGAIN)
			raw(SYS_sched_yield);
		if (ret)
			complain("rt_sigqueueinfo: %ld", ret);
	}
	return 0;
}

/* Value -1 is the end of one who takes. */
static int take_values(struct member *m)
{
	unsigned long mask = BIT_OF(SIGRTMIN);
	int last[3] = { -1, -1, -1 };

	for (;;) {
		siginfo_t info;
		long sig = raw(SYS_rt_sigtimedwait, &mask, &info, NULL, 8);
		int value = info.si_value.sival_int;

		if (sig == -EINTR)
			continue;
		if (sig != SIGRTMIN) {
			complain("rt_sigtimedwait: %ld", sig);
			return 1;
		}
		if (value < 0)
			return 0;
		if (value <= last[value / QUEUED])
			complain("%d after %d", value, last[value / QUEUED]);
		last[value / QUEUED] = value;
		__atomic_add_fetch(&got_value[value], 1, __ATOMIC_SEQ_CST);
	}
}

static void queued(void)
{
	int size = 0, wrong = 0;

	block(BIT_OF(SIGRTMIN));
	team_add(&size, 3, send_values);
	team_add(&size, 3, take_values);
	team_begin(size);
	team_join(0, 3);
	for (int i = 0; i < 3; i++)
		while (queue_value(SIGRTMIN, -1) == -EAGAIN)
			raw(SYS_sched_yield);
	team_join(3, 3);
	for (int i = 0; i < 3 * QUEUED; i++)
		wrong += got_value[i] != 1;
	is(wrong, 0, "three threads send, three take: each value once");
	nobody_complained("and in its sender's order");
}

/* --- handlers that change -------------------------------------------------------------------------- */

static int change_handlers(struct member *m)
{
	while (!stop_now) {
		catch_with(SIGUSR2, m->count & 1 ? count_it : count_other, SA_RESTART, 0);
		take_turns(m->count++);
	}
	return 0;
}

static void handlers(void)
{
	int size = 0, sent = 0;

	catch_with(SIGUSR2, count_it, SA_RESTART, 0);
	other = 0;
	team_add(&size, 2, change_handlers);
	team_add(&size, 1, spin_on);
	team_begin(size);
	for (; sent < 36 * (int)times; sent++) {
		raw(SYS_tgkill, my_pid(), team[sent % 3].thread.tid, SIGUSR2);
		while (caught[SIGUSR2] + other <= sent)
			raw(SYS_sched_yield);
	}
	team_stop(size);
	is(caught[SIGUSR2] + other, sent, "a handler that is being changed is one or the other");
}

/* --- stopping and going on -------------------------------------------------------------------------- */

static volatile int *shared;

static int count_shared(struct member *m)
{
	while (!stop_now) {
		take_turns(__atomic_add_fetch(&shared[m->number], 1, __ATOMIC_SEQ_CST));
		if (m->number == 2)
			raw(SYS_getppid);
	}
	return 0;
}

static int busy_child(void *arg)
{
	int size = 0;

	team_add(&size, 3, count_shared);
	team_begin(size);
	team_join(0, size);
	return 0;
}

static void stop_and_continue(void)
{
	int wrong_stop = 0, wrong_go = 0, moved = 0, status;
	pid_t pid = fork_child(busy_child, NULL);

	while (!shared[0] || !shared[1] || !shared[2])
		raw(SYS_sched_yield);
	for (int i = 0; i < 6 * (int)times; i++) {
		int before[3];

		raw(SYS_kill, pid, SIGSTOP);
		status = 0;
		wrong_stop +=
			raw(SYS_wait4, pid, &status, WUNTRACED, NULL) != pid || !WIFSTOPPED(status);
		for (int t = 0; t < 3; t++)
			before[t] = shared[t];
		for (int n = 0; n < 20; n++)
			raw(SYS_sched_yield);
		for (int t = 0; t < 3; t++)
			moved += shared[t] != before[t];
		raw(SYS_kill, pid, SIGCONT);
		status = 0;
		wrong_go += raw(SYS_wait4, pid, &status, WCONTINUED, NULL) != pid ||
			    !WIFCONTINUED(status);
		for (int t = 0; t < 3; t++)
			while (shared[t] == before[t])
				raw(SYS_sched_yield);
	}
	raw(SYS_kill, pid, SIGSTOP);
	raw(SYS_kill, pid, SIGKILL);
	status = status_of(pid);
	is(wrong_stop, 0, "a process with busy threads stops");
	is(moved, 0, "all of it does");
	is(wrong_go, 0, "it goes on");
	is(status, SIGKILL, "and can be killed while it stops");
}

/* --- timers ------------------------------------------------------------------------------------------ */

static int set_itimers(struct member *m)
{
	while (!stop_now) {
		struct itimerval fast = { { 0, 1000 }, { 0, 1000 } }, none = { { 0, 0 }, { 0, 0 } };

		raw(SYS_setitimer, ITIMER_REAL, &none, NULL);
		raw(SYS_setitimer, ITIMER_REAL, &fast, NULL);
		nap();
	}
	return 0;
}

static int make_timers(struct member *m)
{
	while (!stop_now) {
		struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID,
					  .sigev_signo = SIGRTMAX };
		struct itimerspec fast = { { 0, 500000 }, { 0, 100000 } };
		int id = -1;

		event.sigev_notify_thread_id = team[(m->number + 1) % 4].thread.tid;
		if (raw(SYS_timer_create, CLOCK_MONOTONIC, &event, &id)) {
			complain("timer_create");
			return 1;
		}
		raw(SYS_timer_settime, id, 0, &fast, NULL);
		for (unsigned long n = random_below(&m->random, 4); n; n--)
			nap();
		if (raw(SYS_timer_delete, id))
			complain("timer_delete");
		m->count++;
	}
	return 0;
}

static int use_time(struct member *m)
{
	struct itimerval fast = { { 0, 10000 }, { 0, 10000 } };

	raw(SYS_setitimer, ITIMER_PROF, &fast, NULL);
	raw(SYS_setitimer, ITIMER_VIRTUAL, &fast, NULL);
	return spin_on(m);
}

static void timers(void)
{
	struct itimerval none = { { 0, 0 }, { 0, 0 } };
	int size = 0;

	catch_with(SIGALRM, count_it, SA_RESTART, 0);
	catch_with(SIGPROF, count_it, SA_RESTART, 0);
	catch_with(SIGVTALRM, count_it, SA_RESTART, 0);
	catch_with(SIGRTMAX, count_it, SA_RESTART, 0);
	team_add(&size, 1, set_itimers);
	team_add(&size, 2, make_timers);
	team_add(&size, 1, use_time);
	team_begin(size);
	while (caught[SIGALRM] < 10 || caught[SIGPROF] < 3 || caught[SIGVTALRM] < 3 ||
	       caught[SIGRTMAX] < 10 || team[1].count < 20 || team[2].count < 20)
		nap();
	team_stop(size);
	raw(SYS_setitimer, ITIMER_REAL, &none, NULL);
	raw(SYS_setitimer, ITIMER_PROF, &none, NULL);
	raw(SYS_setitimer, ITIMER_VIRTUAL, &none, NULL);
	nobody_complained("timers fire while others set, stop and delete them");
}

/* --- clocks of others ---------------------------------------------------------------------------------- */

static long ns_of(int clock)
{
	struct timespec t = { 0, 0 };

	raw(SYS_clock_gettime, clock, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

/* The clock of a thread, by its number. */
#define CLOCK_OF(tid) (~(tid) << 3 | 6)

/* It comes and goes on its processor, while others read how long it has run. */
static int yield_on(struct member *m)
{
	while (!stop_now)
		raw(SYS_sched_yield);
	return 0;
}

static int read_clocks(struct member *m)
{
	static const char *const names[] = { "process", "thread", "monotonic", "realtime" };
	long last[4] = { 0 };

	for (int i = 0; i < 1500 * (int)times; i++) {
		long now[] = { ns_of(CLOCK_PROCESS_CPUTIME_ID), ns_of(CLOCK_OF(team[2].thread.tid)),
			       ns_of(CLOCK_MONOTONIC), ns_of(CLOCK_REALTIME) };

		for (int c = 0; c < 4; c++) {
			if (now[c] < last[c])
				complain("%s: %ld after %ld", names[c], now[c], last[c]);
			last[c] = now[c];
		}
		breathe(i);
	}
	return 0;
}

static void clocks(void)
{
	int size = 0;

	team_add(&size, 2, read_clocks);
	team_add(&size, 2, yield_on);
	team_begin(size);
	team_join(0, 2);
	team_stop(size);
	nobody_complained("no clock goes back, that of a thread on another processor neither");
}

int main(int argc, char **argv)
{
	smp_start(argc, argv, NULL);
	shared = shared_words();
	to_threads();
	to_process();
	among_blockers();
	queued();
	handlers();
	stop_and_continue();
	timers();
	clocks();
	return done_testing();
}
