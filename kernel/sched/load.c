/* SPDX-License-Identifier: MIT */
/* What the scheduler knows of all processors together: time, load, switches. */
#include <arch/clock.h>

#include "kernel/sched/run_queue.h"

#define LOAD_INTERVAL_NS 5000000000UL

unsigned long sched_load[3];

/* Both belong together while the queue is locked. */
static u64 runtime_now(const struct run_queue *rq, const struct sched_entity *se)
{
	s64 ran = rq->curr == se ? (s64)(clock_ns() - se->exec_start) : 0;

	/* Another processor's clock may be a little ahead of ours. */
	return se->sum_exec + (u64)max(ran, (s64)0);
}

u64 sched_runtime(const struct sched_entity *se)
{
	unsigned long flags = local_irq_save();
	struct run_queue *rq = this_rq();
	u64 ns;

	/* What this processor runs it alone changes. */
	if (rq->curr == se) {
		ns = runtime_now(rq, se);
	} else {
		rq = rq_lock_of(se);
		ns = runtime_now(rq, se);
		spin_unlock(&rq->lock);
	}
	local_irq_restore(flags);
	return ns;
}

void sched_count_cpu(unsigned int cpu, struct sched_counts *c)
{
	struct run_queue *rq = &run_queues[cpu];
	unsigned long flags = spin_lock_irqsave(&rq->lock);

	*c = (struct sched_counts){
		.running = rq_load(rq),
		.blocked = rq->blocked,
		.user_ticks = rq->user_ticks,
		.system_ticks = rq->system_ticks,
		.switches = rq->switches,
		.idle_ns = runtime_now(rq, &rq->idle),
	};
	spin_unlock_irqrestore(&rq->lock, flags);
}

void sched_count(struct sched_counts *sum)
{
	struct sched_counts c;
	unsigned int cpu;

	*sum = (struct sched_counts){ 0 };
	for_each_online_cpu(cpu)
	{
		sched_count_cpu(cpu, &c);
		sum->running += c.running;
		sum->blocked += c.blocked;
		sum->user_ticks += c.user_ticks;
		sum->system_ticks += c.system_ticks;
		sum->switches += c.switches;
		sum->idle_ns += c.idle_ns;
	}
}

u64 sched_idle_ns(void)
{
	struct sched_counts c;

	sched_count(&c);
	return c.idle_ns;
}

/*
 * Every five seconds each load moves towards the present one by what five seconds are of its time: by
 * 1 - e^(-5s/60s) and so on, in 2^-11.
 */
void sched_update_load(void)
{
	static const unsigned long keep[] = { 1884, 2014, 2037 };
	static u64 due = LOAD_INTERVAL_NS;
	const unsigned long one = 1UL << LOAD_SHIFT;
	struct sched_counts now;

	if (clock_ns() < due)
		return;
	due += LOAD_INTERVAL_NS;
	sched_count(&now);
	for (int i = 0; i < 3; i++) {
		unsigned long active = (now.running + now.blocked) * one;
		unsigned long load = sched_load[i] * keep[i] + active * (one - keep[i]);

		/* Rounded up while it grows, so that it gets there. */
		if (active >= sched_load[i])
			load += one - 1;
		WRITE_ONCE(sched_load[i], load >> LOAD_SHIFT);
	}
}
