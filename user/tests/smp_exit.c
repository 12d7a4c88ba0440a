/* SPDX-License-Identifier: MIT */
/*
 * How processes end, become others and are waited for, while their threads are busy on other
 * processors: exit_group, execve and signals that kill; threads and children that come and go.
 */
#include "smp.h"

static volatile int *shared; /* of parent and children */

/* --- what the threads of a process that ends are doing meanwhile -------------------------------- */

#define NEVER_ENDS static void __attribute__((noreturn))

NEVER_ENDS spin(void)
{
	static volatile unsigned long turns;

	for (;;)
		turns++;
}

NEVER_ENDS call(void)
{
	for (;;)
		raw(SYS_getppid);
}

NEVER_ENDS fault(void)
{
	for (;;) {
		long p = raw(SYS_mmap, 0, 64 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		for (unsigned long at = 0; at < 64; at++)
			*(volatile char *)(p + at * PAGE) = 1;
		raw(SYS_munmap, p, 64 * PAGE);
	}
}

NEVER_ENDS sleep_long(void)
{
	struct timespec t = { 1000, 0 };

	for (;;)
		raw(SYS_nanosleep, &t, NULL);
}

static int be_busy(struct member *m)
{
	__atomic_add_fetch(&shared[0], 1, __ATOMIC_SEQ_CST);
	switch (m->number % 4) {
	case 0:
		spin();
	case 1:
		fault();
	case 2:
		call();
	default:
		sleep_long();
	}
}

/* Starts `n` of them, and returns when they are at it. */
static void get_busy(int n)
{
	int size = 0;

	shared[0] = 0;
	team_add(&size, n, be_busy);
	team_begin(size);
	while (shared[0] < n)
		raw(SYS_sched_yield);
}

/* --- the end of all ----------------------------------------------------------------------------- */

#define ROUNDS 8

static int leader_exits(void *arg)
{
	get_busy(4);
	raw(SYS_exit_group, 7);
	return 0;
}

static int exit_seven(struct member *m)
{
	while (shared[0] < 3)
		raw(SYS_sched_yield);
	raw(SYS_exit_group, 7);
	return 0;
}

/* The leader ends by itself: the others make up the process from then on. */
static int thread_exits(void *arg)
{
	int size = 0;

	shared[0] = 0;
	team_add(&size, 3, be_busy);
	team_add(&size, 1, exit_seven);
	team_begin(size);
	if (arg)
		raw(SYS_exit, 1);
	sleep_long();
}

static int exit_by_number(struct member *m)
{
	raw(SYS_exit_group, 10 + m->number);
	return 0;
}

/* All at once, with different codes: one of them counts. */
static int all_exit(void *arg)
{
	int size = 0;

	team_add(&size, 4, exit_by_number);
	team_begin(size);
	sleep_long();
}

static int touch_nothing(struct member *m)
{
	volatile unsigned long nowhere = 8;

	while (shared[0] < 3)
		raw(SYS_sched_yield);
	*(volatile int *)nowhere = 1;
	return 0;
}

static int thread_faults(void *arg)
{
	int size = 0;

	shared[0] = 0;
	team_add(&size, 3, be_busy);
	team_add(&size, 1, touch_nothing);
	team_begin(size);
	sleep_long();
}

static int wait_to_be_killed(void *arg)
{
	get_busy(4);
	shared[1] = 1;
	sleep_long();
}

static void endings(void)
{
	int wrong[6] = { 0 };

	for (int i = 0; i < ROUNDS * (int)times; i++) {
		int status = status_of(fork_child(leader_exits, NULL));
		pid_t pid;

		wrong[0] += status != 7 << 8;
		status = status_of(fork_child(thread_exits, NULL));
		wrong[1] += status != 7 << 8;
		status = status_of(fork_child(thread_exits, (void *)1));
		wrong[2] += status != 7 << 8;
		status = status_of(fork_child(all_exit, NULL));
		wrong[3] += (status & 0xff) || status >> 8 < 10 || status >> 8 > 13;
		status = status_of(fork_child(thread_faults, NULL));
		wrong[4] += (status & 0x7f) != SIGSEGV;
		shared[1] = 0;
		pid = fork_child(wait_to_be_killed, NULL);
		while (!shared[1])
			raw(SYS_sched_yield);
		raw(SYS_kill, pid, SIGKILL);
		status = status_of(pid);
		wrong[5] += status != SIGKILL;
	}
	is(wrong[0], 0, "exit_group by the leader of busy threads");
	is(wrong[1], 0, "by another thread");
	is(wrong[2], 0, "by another thread, and the leader has ended");
	is(wrong[3], 0, "by four at once: one of their codes");
	is(wrong[4], 0, "a fault of one kills all");
	is(wrong[5], 0, "SIGKILL kills all");
}

/* Killed while it faults, and does nothing else. */
static int only_fault(void *arg)
{
	shared[1] = 1;
	fault();
}

static void kill_in_fault(void)
{
	int wrong = 0;

	for (int i = 0; i < 60 * (int)times; i++) {
		pid_t pid;

		shared[1] = 0;
		pid = fork_child(only_fault, NULL);
		while (!shared[1])
			raw(SYS_sched_yield);
		for (int n = 0; n < i % 7; n++)
			raw(SYS_sched_yield);
		raw(SYS_kill, pid, SIGKILL);
		wrong += status_of(pid) != SIGKILL;
	}
	is(wrong, 0, "killed in the middle of faults");
}

/* --- execve ------------------------------------------------------------------------------------- */

static char pid_text[16];

/* The new program: still by that number, and alone. */
static int child_exec(int argc, char **argv)
{
	if (argc < 3 || atoi(argv[2]) != my_pid())
		return 1;
	if (my_tid() != my_pid())
		return 2;
	return thread_count() == 1 ? 23 : 3;
}

static void do_exec(void)
{
	char *argv[] = { (char *)tap.path, "exec", pid_text, NULL }, *envp[] = { NULL };

	raw(SYS_execve, tap.path, argv, envp);
}

static int leader_execs(void *arg)
{
	snprintf(pid_text, sizeof(pid_text), "%d", my_pid());
	get_busy(4);
	do_exec();
	return 9;
}

static int exec_here(struct member *m)
{
	while (shared[0] < 3)
		raw(SYS_sched_yield);
	do_exec();
	return 9;
}

static int thread_execs(void *arg)
{
	int size = 0;

	snprintf(pid_text, sizeof(pid_text), "%d", my_pid());
	shared[0] = 0;
	team_add(&size, 3, be_busy);
	team_add(&size, arg ? 2 : 1, exec_here); /* two: one of them wins */
	team_begin(size);
	sleep_long();
}

static int exec_and_exit(void *arg)
{
	int size = 0;

	snprintf(pid_text, sizeof(pid_text), "%d", my_pid());
	shared[0] = 3;
	team_add(&size, 2, exec_here);
	team_add(&size, 2, exit_seven);
	team_begin(size);
	sleep_long();
}

static void execs(void)
{
	int wrong[4] = { 0 };

	for (int i = 0; i < ROUNDS * (int)times; i++) {
		int status;

		wrong[0] += status_of(fork_child(leader_execs, NULL)) != 23 << 8;
		wrong[1] += status_of(fork_child(thread_execs, NULL)) != 23 << 8;
		wrong[2] += status_of(fork_child(thread_execs, (void *)1)) != 23 << 8;
		status = status_of(fork_child(exec_and_exit, NULL));
		wrong[3] += status != 23 << 8 && status != 7 << 8;
	}
	is(wrong[0], 0, "execve by the leader of busy threads");
	is(wrong[1], 0, "by another thread, which takes the leader's number");
	is(wrong[2], 0, "by two threads at once");
	is(wrong[3], 0, "beside exit_group: one or the other");
}

/* --- threads ------------------------------------------------------------------------------------ */

static int end_at_once(void *arg)
{
	__atomic_add_fetch((long *)arg, 1, __ATOMIC_SEQ_CST);
	return 0;
}

static volatile long ended;

/* Makes threads one after the other, a few of them at a time. */
static int make_threads(struct member *m)
{
	struct thread threads[5];

	for (int i = 0; i < 10 * (int)times; i++) {
		for (int n = 0; n < 5; n++)
			if (thread_start(&threads[n], end_at_once, (void *)&ended) < 0)
				complain("no thread");
		for (int n = 0; n < 5; n++)
			thread_join(&threads[n]);
	}
	return 0;
}

static void many_threads(void)
{
	int size = 0;

	ended = 0;
	team_add(&size, 4, make_threads);
	team_begin(size);
	team_join(0, size);
	is(ended, 200 * (long)times, "four threads made and joined 200 others");
	nobody_complained("no creation failed");
	ok(UNTIL(thread_count() == 1), "they are gone");
}

/* --- children ----------------------------------------------------------------------------------- */

static int exit_with(void *arg)
{
	return (long)arg;
}

/* Each waits for children of its own, by their numbers. */
static int fork_and_wait(struct member *m)
{
	for (int i = 0; i < 25 * (int)times; i++) {
		long code = (m->number * 25 + i) % 100;
		pid_t pid = fork_child(exit_with, (void *)code);
		int status = status_of(pid);

		if (status != code << 8)
			complain("child %d: status 0x%x, wanted 0x%lx", pid, status, code << 8);
	}
	return 0;
}

#define CHILDREN 60

static volatile int reaped[CHILDREN], all_forked;

/* All wait for anybody: each child is told to one of them. */
static int wait_for_any(struct member *m)
{
	for (;;) {
		int status = -1;
		long pid = raw(SYS_wait4, -1, &status, 0, NULL);

		if (pid == -ECHILD && all_forked)
			return 0;
		if (pid == -ECHILD)
			raw(SYS_sched_yield);
		else if (pid < 0 || (status & 0xff) || status >> 8 >= CHILDREN)
			complain("wait4: %ld, status 0x%x", pid, status);
		else
			__atomic_add_fetch(&reaped[status >> 8], 1, __ATOMIC_SEQ_CST);
	}
}

static int fork_all(struct member *m)
{
	for (long i = 0; i < CHILDREN; i++)
		if (fork_child(exit_with, (void *)i) < 0)
			complain("no child");
	all_forked = 1;
	return 0;
}

static void children(void)
{
	int size = 0, wrong = 0;

	team_add(&size, 4, fork_and_wait);
	team_begin(size);
	team_join(0, size);
	nobody_complained("four threads fork, and wait each for its own");
	size = 0;
	team_add(&size, 3, wait_for_any);
	team_add(&size, 1, fork_all);
	team_begin(size);
	team_join(0, size);
	for (int i = 0; i < CHILDREN; i++)
		wrong += reaped[i] != 1;
	is(wrong, 0, "three threads wait for anybody: each child once");
	nobody_complained("and nothing else");
}

int main(int argc, char **argv)
{
	static const struct mode modes[] = { { "exec", child_exec }, { NULL, NULL } };

	smp_start(argc, argv, modes);
	shared = shared_words();
	endings();
	kill_in_fault();
	execs();
	many_threads();
	children();
	return done_testing();
}
