/* SPDX-License-Identifier: MIT */
#include "kernel/sched/run_queue.h"

struct run_queue run_queues[NR_CPUS];

void rq_init(struct run_queue *rq, unsigned int cpu)
{
	*rq = (struct run_queue){ .cpu = cpu, .curr = &rq->idle };
	spin_lock_init(&rq->lock);
	INIT_LIST_HEAD(&rq->queue);
	rq->curr_priority = rq->first_priority = NO_PRIORITY;
	rq->idle.state = TASK_RUNNING;
	rq->idle.on_cpu = true;
	rq->idle.cpu = cpu;
	rq->idle.allowed = BIT(cpu);
}

struct run_queue *rq_lock_of(const struct sched_entity *se)
{
	struct run_queue *rq;

	for (;;) {
		rq = &run_queues[READ_ONCE(se->cpu)];
		spin_lock(&rq->lock);
		if (likely(rq->cpu == READ_ONCE(se->cpu)))
			return rq;
		spin_unlock(&rq->lock);
	}
}

/* --- the order of a queue ------------------------------------------------------------------------ */

static struct sched_entity *entity_of(struct list_head *link)
{
	return list_entry(link, struct sched_entity, run_link);
}

/* => lock. The first in the queue that has less than this priority; or its end. */
static struct list_head *first_below(const struct run_queue *rq, unsigned int priority)
{
	struct list_head *pos = (struct list_head *)&rq->queue;

	/* Nothing is below priority 0, which nearly all have. */
	if (priority)
		list_for_each(pos, &rq->queue) if (entity_of(pos)->rt_priority < priority) break;
	return pos;
}

static void note_first(struct run_queue *rq)
{
	WRITE_ONCE(rq->first_priority,
		   rq->ready ? entity_of(rq->queue.next)->rt_priority : NO_PRIORITY);
}

void rq_enqueue(struct run_queue *rq, struct sched_entity *se, bool goes_on)
{
	if (se->on_rq || se == &rq->idle)
		return;
	list_add_tail(&se->run_link,
		      first_below(rq, se->rt_priority + (goes_on && se->rt_priority)));
	se->on_rq = true;
	WRITE_ONCE(rq->ready, rq->ready + 1);
	note_first(rq);
}

void rq_dequeue(struct run_queue *rq, struct sched_entity *se)
{
	list_del(&se->run_link);
	se->on_rq = false;
	WRITE_ONCE(rq->ready, rq->ready - 1);
	note_first(rq);
}

struct sched_entity *rq_first_in_turn(const struct run_queue *rq)
{
	struct list_head *first = rq->queue.next, *other;

	if (rq->rt_ticks >= RT_TICKS) {
		other = first_below(rq, 1);
		if (other != &rq->queue)
			first = other;
	}
	return first != &rq->queue ? entity_of(first) : NULL;
}

struct sched_entity *rq_pick_next(struct run_queue *rq)
{
	struct sched_entity *se = rq_first_in_turn(rq);

	if (!se)
		return &rq->idle;
	rq_dequeue(rq, se);
	return se;
}

bool rq_somebody_waits(const struct run_queue *rq, const struct sched_entity *se, bool same)
{
	const struct sched_entity *first = rq_first_in_turn(rq);

	if (!first)
		return false;
	/* Real time is used up for this second. */
	if (rq->rt_ticks >= RT_TICKS && !first->rt_priority && se->rt_priority)
		return true;
	return first->rt_priority + same > se->rt_priority;
}

/* --- which queue ----------------------------------------------------------------------------------- */

/* The most urgent that runs or waits there. */
static int top_priority(const struct run_queue *rq)
{
	return max(READ_ONCE(rq->curr_priority), READ_ONCE(rq->first_priority));
}

/* Whether an entity of that priority runs sooner in `a` than in `b`, both of which are busy. */
static bool runs_sooner(const struct run_queue *a, const struct run_queue *b, int priority)
{
	int top_a = top_priority(a), top_b = top_priority(b);

	/* Where something more urgent is it waits for that, and the number decides among the others. */
	if (priority && top_a != top_b)
		return top_a < top_b;
	return rq_crowd(a) < rq_crowd(b);
}

unsigned int rq_choose_cpu(const struct sched_entity *se)
{
	const unsigned int old = se->cpu;
	cpu_bits_t may = READ_ONCE(se->allowed) & cpumask_bits(&cpu_online_mask);
	unsigned int cpu, best = old;
	bool leaves;

	if (may == BIT(old) || ((may & BIT(old)) && !rq_load(&run_queues[old])))
		return old;
	/* Who isn't urgent stays where its data may be cached. Balancing evens that out. */
	leaves = se->rt_priority || READ_ONCE(run_queues[old].curr_priority) > 0;
	if (!(may & BIT(old))) {
		best = (unsigned int)__builtin_ctzl(may);
		leaves = true;
	}
	for_each_cpu_bit(cpu, may)
	{
		const struct run_queue *rq = &run_queues[cpu];

		if (!rq_load(rq))
			return cpu;
		if (leaves && runs_sooner(rq, &run_queues[best], se->rt_priority))
			best = cpu;
	}
	return best;
}

struct sched_entity *rq_steal(struct run_queue *from, unsigned int cpu, int priority)
{
	struct sched_entity *se, *found = NULL;

	/* Who finds it locked comes again with the next tick: many may want to take from one at once. */
	if (!READ_ONCE(from->ready) || !spin_trylock(&from->lock))
		return NULL;
	list_for_each_entry(se, &from->queue, run_link)
	{
		if (se->rt_priority < priority)
			break; /* and so are all behind it */
		if (may_run_on(se, cpu)) {
			found = se;
			break;
		}
	}
	if (found) {
		rq_dequeue(from, found);
		WRITE_ONCE(found->cpu, cpu);
	}
	spin_unlock(&from->lock);
	return found;
}
