/* SPDX-License-Identifier: MIT */
/* Real-time priorities on several processors: who is woken takes the one where the least urgent runs. */
#include "smp.h"

#define ROUNDS 20

/* The round that was asked for, the last one answered, the end, how many spin. */
static volatile int *asked, *answered, *end, *spinning;

static long priority(pid_t pid, int value)
{
	const struct sched_param param = { value };

	return raw(SYS_sched_setscheduler, pid, value ? SCHED_FIFO : SCHED_OTHER, &param);
}

static int spin_on(void *arg)
{
	pin((int)(long)arg);
	NEED_IS(priority(0, 10), 0);
	__atomic_add_fetch(spinning, 1, __ATOMIC_SEQ_CST);
	while (!*end)
		__builtin_ia32_pause();
	return 0;
}

static int answer(void *arg)
{
	(void)arg;
	NEED_IS(priority(0, 20), 0);
	for (int round = 1; round <= ROUNDS; round++) {
		while (*asked < round)
			raw(SYS_futex, asked, 0 /* FUTEX_WAIT */, round - 1, NULL);
		*answered = round;
	}
	return 0;
}

/* Asks, and keeps its own processor until there is an answer, or never will be. */
static bool ask(int round)
{
	*asked = round;
	raw(SYS_futex, asked, 1 /* FUTEX_WAKE */, 1);
	for (unsigned long n = 0; *answered < round && n < 2000000000; n++)
		__builtin_ia32_pause();
	return *answered == round;
}

int main(int argc, char **argv)
{
	pid_t pids[MAX_CPUS], other;
	int good = 0, ended = 0;
	volatile int *words;

	smp_start(argc, argv, NULL);
	if (geteuid() != 0)
		skip_all("only root may have a real-time priority");
	if (cpu_count < 2)
		skip_all("there is one processor");
	words = shared_words();
	asked = &words[0];
	answered = &words[1];
	end = &words[2];
	spinning = &words[3];
	other = fork_child(answer, NULL);
	ok(SLEEPS(other), "one of priority 20 waits, and may be anywhere");
	for (long i = 1; i < cpu_count; i++)
		pids[i] = fork_child(spin_on, (void *)i);
	ok(await(spinning, cpu_count - 1),
	   "one of priority 10 spins on each processor but the first");
	pin(0);
	is(priority(0, 30), 0, "one of priority 30 has that");
	for (int round = 1; round <= ROUNDS; round++)
		good += ask(round);
	*end = 1;
	is(priority(0, 0), 0, "it becomes ordinary again");
	is(good, ROUNDS, "the one that was woken has run at once, beside the most urgent");
	is(status_of(other), 0, "it ends");
	for (int i = 1; i < cpu_count; i++)
		ended += status_of(pids[i]) == 0;
	is(ended, cpu_count - 1, "as do the others");
	return done_testing();
}
