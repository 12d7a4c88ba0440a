/* SPDX-License-Identifier: MIT */
/* Run queues: their order, where an entity is put, and what a processor takes from another. */
#include <stdio.h>
#include <string.h>

#include "kernel/abi/sched.h"
#include "kernel/sched/run_queue.h"
#include "tests/host/sim.h"
#include "tests/host/tap.h"

#define MAX_ENTITIES 16

static struct sched_entity entities[MAX_ENTITIES];

/* So many processors, which all idle. */
static void start(unsigned int cpus)
{
	for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++)
		rq_init(&run_queues[cpu], cpu);
	atomic_long_set(&cpu_online_mask.bits, (long)(BIT(cpus) - 1));
	memset(entities, 0, sizeof(entities));
	for (unsigned int i = 0; i < MAX_ENTITIES; i++)
		entities[i].allowed = ~0UL;
}

static struct sched_entity *with_priority(unsigned int i, unsigned int priority)
{
	entities[i].rt_priority = (u8)priority;
	entities[i].policy = priority ? SCHED_FIFO : SCHED_NORMAL;
	return &entities[i];
}

static void wait_on(unsigned int cpu, struct sched_entity *se)
{
	se->cpu = cpu;
	rq_enqueue(&run_queues[cpu], se, false);
}

static void run_on(unsigned int cpu, struct sched_entity *se)
{
	se->cpu = cpu;
	run_queues[cpu].curr = se;
	run_queues[cpu].curr_priority = se->rt_priority;
}

/* Takes all out of the first queue, as they would run: their numbers. */
static void runs(const char *expected, const char *name)
{
	char text[3 * MAX_ENTITIES + 1] = "";
	struct run_queue *rq = &run_queues[0];
	int used = 0;

	while (rq->ready && used < (int)sizeof(text) - 3)
		used += sprintf(text + used, "%d ", (int)(rq_pick_next(rq) - entities));
	if (!ok(!strcmp(text, expected), "%s", name))
		diag("they run as %s, not as %s", text, expected);
}

/* --- the order of a queue ---------------------------------------------------------------------- */

static void orders(void)
{
	struct run_queue *rq = &run_queues[0];

	start(1);
	ok(rq_pick_next(rq) == &rq->idle, "an empty queue: the idle entity");
	for (unsigned int i = 0; i < 4; i++)
		wait_on(0, with_priority(i, 0));
	runs("0 1 2 3 ", "the usual ones take turns");
	wait_on(0, with_priority(0, 0));
	wait_on(0, with_priority(1, 10));
	wait_on(0, with_priority(2, 20));
	wait_on(0, with_priority(3, 10));
	is(rq->first_priority, 20, "the highest priority that waits");
	runs("2 1 3 0 ", "higher priorities come first, then those that came first");
	is(rq->first_priority, NO_PRIORITY, "nobody waits");
	wait_on(0, with_priority(1, 10));
	rq_enqueue(rq, with_priority(2, 10), true);
	runs("2 1 ", "whose turn isn't over goes on before its equals");
	wait_on(0, with_priority(1, 0));
	rq_enqueue(rq, with_priority(2, 0), true);
	runs("1 2 ", "but not without a real-time priority");
	wait_on(0, with_priority(1, 0));
	wait_on(0, &entities[1]);
	is(rq->ready, 1, "nobody waits twice");
	runs("1 ", "nor runs twice");
}

static void throttling(void)
{
	struct run_queue *rq = &run_queues[0];
	struct sched_entity *urgent, *usual;

	start(1);
	urgent = with_priority(1, 50);
	usual = with_priority(2, 0);
	wait_on(0, usual);
	ok(!rq_somebody_waits(rq, urgent, true), "the usual don't come before the urgent");
	ok(rq_somebody_waits(rq, with_priority(3, 0), true), "but are the equals of each other");
	ok(!rq_somebody_waits(rq, with_priority(3, 0), false), "and don't come before each other");
	rq->rt_ticks = RT_TICKS;
	ok(rq_somebody_waits(rq, urgent, false), "unless real time is used up");
	wait_on(0, urgent);
	runs("2 1 ", "then they run first");
}

/* --- where to ------------------------------------------------------------------------------------ */

static void choosing(void)
{
	struct sched_entity *se = &entities[0];

	start(1);
	run_on(0, &entities[1]);
	is(rq_choose_cpu(se), 0, "one processor: that one");
	start(4);
	se->cpu = 2;
	is(rq_choose_cpu(se), 2, "where it was, when that idles");
	run_on(2, &entities[1]);
	is(rq_choose_cpu(se), 0, "or where nobody runs");
	run_on(0, &entities[2]);
	wait_on(1, &entities[3]);
	is(rq_choose_cpu(se), 3, "nor is about to");
	se->allowed = BIT(0) | BIT(1) | BIT(2);
	is(rq_choose_cpu(se), 2, "where it was, when all it may have are busy");
	se->allowed = BIT(1);
	is(rq_choose_cpu(se), 1, "the only one it may have, busy or not");
	se->allowed = BIT(0) | BIT(1);
	wait_on(0, &entities[4]);
	is(rq_choose_cpu(se), 1, "the less busy of those it may have");
	se->cpu = 0;
	run_on(0, with_priority(2, 10));
	is(rq_choose_cpu(se), 1, "not behind a real-time one, if it needn't");
	wait_on(1, &entities[5]);
	wait_on(1, &entities[6]);
	is(rq_choose_cpu(se), 0, "unless it is more crowded elsewhere");
	se->allowed = BIT(0) | BIT(7);
	is(rq_choose_cpu(se), 0, "not one that isn't there");
}

static void choosing_for_the_urgent(void)
{
	struct sched_entity *se;

	start(4);
	se = with_priority(0, 20);
	run_on(0, with_priority(1, 30));
	run_on(1, with_priority(2, 10));
	run_on(2, with_priority(3, 0));
	run_on(3, with_priority(4, 20));
	is(rq_choose_cpu(se), 2, "urgent: where the least urgent runs");
	se->allowed = BIT(0) | BIT(1) | BIT(3);
	is(rq_choose_cpu(se), 1, "of those it may have");
	wait_on(1, with_priority(5, 40));
	is(rq_choose_cpu(se), 3, "and nobody more urgent waits");
	se->allowed = BIT(0);
	is(rq_choose_cpu(se), 0, "behind another, if it must");
}

/* --- taking from others -------------------------------------------------------------------------- */

static void stealing(void)
{
	struct run_queue *rq = &run_queues[0];

	start(2);
	ok(!rq_steal(rq, 1, 0), "nobody waits: nothing to take");
	run_on(0, &entities[0]);
	ok(!rq_steal(rq, 1, 0), "who runs isn't taken");
	for (unsigned int i = 1; i < 5; i++)
		wait_on(0, &entities[i]);
	entities[1].allowed = BIT(0);
	ok(rq_steal(rq, 1, 0) == &entities[2], "the first that may come");
	is(entities[2].cpu, 1, "belongs to who takes it");
	is(rq_load(rq), 4, "one less runs or waits there");
	ok(!rq_steal(rq, 1, 1), "nobody urgent waits");
	wait_on(0, with_priority(5, 10));
	wait_on(0, with_priority(6, 20));
	ok(!rq_steal(rq, 1, 21), "nor so urgent");
	entities[6].allowed = BIT(0);
	ok(rq_steal(rq, 1, 10) == &entities[5], "the most urgent that may come");
	ok(!spin_is_locked(&rq->lock), "the queue is free again");
	runs("6 1 3 4 ", "the others are as they were");
}

int main(void)
{
	orders();
	throttling();
	choosing();
	choosing_for_the_urgent();
	stealing();
	return done_testing();
}
