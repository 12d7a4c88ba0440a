/* SPDX-License-Identifier: MIT */
/*
 * One processor's queue of those that are ready to run: its order, and which queue an entity belongs in.
 * Nothing here switches.
 *
 * se->cpu says whose queue an entity belongs to. It, and whether the entity sleeps, waits or runs, is
 * changed under that queue's lock. Nobody holds two of these locks: an entity that moves is taken out of
 * one queue, its cpu is set, and only then the other queue is locked. In between it is ready but in no
 * queue, and belongs to who moves it.
 */
#ifndef KERNEL_SCHED_RUN_QUEUE_H
#define KERNEL_SCHED_RUN_QUEUE_H

#include <arch/smp.h>

#include "kernel/sched/sched.h"

#define NO_PRIORITY (-1) /* lower than any */

struct run_queue {
	/* Taken with interrupts off, and held across the switch: who comes in releases it. */
	spinlock_t lock;
	unsigned int cpu;	   /* whose it is; never changes */
	struct sched_entity *curr; /* runs there */
	struct sched_entity *prev; /* whom curr followed: on its stack until the lock is released */
	bool evicted;		   /* prev may not run here any longer: curr takes it elsewhere */
	struct list_head queue;	   /* by real-time priority, then by age */
	unsigned int ready;	   /* in the queue */
	int curr_priority;	   /* NO_PRIORITY: idle */
	int first_priority;	   /* of the first in the queue; NO_PRIORITY: it is empty */
	unsigned int blocked;	   /* sleep, and count as load */
	unsigned long switches, user_ticks, system_ticks;
	bool halts; /* its processor may be in safe_halt(): it takes an interrupt to be noticed */
	cpu_bits_t kicks; /* whom its processor is to interrupt when it lets go of a queue; its own */
	/* Ticks of the present second, and those of them that found a real-time priority running. */
	unsigned int second_ticks, rt_ticks;
	struct sched_entity idle;
} __aligned(64);

/* Of each second, other tasks get what is beyond this, if they want it: sched(7). */
#define TICKS_PER_SECOND 100
#define RT_TICKS	 95

extern struct run_queue run_queues[NR_CPUS];

static inline struct run_queue *this_rq(void)
{
	return &run_queues[smp_processor_id()];
}

/* Makes an empty queue whose processor idles. */
void rq_init(struct run_queue *rq, unsigned int cpu);
/* Locks the queue that an entity belongs to, which may change until then. => interrupts off */
struct run_queue *rq_lock_of(const struct sched_entity *se);
/* => lock. Puts it behind those of its priority; before them, if its turn is not over. */
void rq_enqueue(struct run_queue *rq, struct sched_entity *se, bool goes_on);
/* => lock; it is in the queue. */
void rq_dequeue(struct run_queue *rq, struct sched_entity *se);
/* => lock. Who is to run of those in the queue; or NULL. */
struct sched_entity *rq_first_in_turn(const struct run_queue *rq);
/* => lock. Takes out who is to run next: the idle entity, if nobody waits. */
struct sched_entity *rq_pick_next(struct run_queue *rq);
/* => lock. Whether somebody waits who comes before se, which runs there; or who is its equal. */
bool rq_somebody_waits(const struct run_queue *rq, const struct sched_entity *se, bool same);

/* How many run or are ready to. May be out of date at once, unless the lock is held. */
static inline unsigned int rq_load(const struct run_queue *rq)
{
	return READ_ONCE(rq->ready) + (READ_ONCE(rq->curr) != &rq->idle);
}

/* How crowded it is: behind a real-time one others wait until that has done, so it counts twice. */
static inline unsigned int rq_crowd(const struct run_queue *rq)
{
	return rq_load(rq) + (READ_ONCE(rq->curr_priority) > 0);
}

static inline bool may_run_on(const struct sched_entity *se, unsigned int cpu)
{
	return READ_ONCE(se->allowed) & BIT(cpu);
}

/*
 * => lock of the queue it belongs to. On which processor an entity that is ready had best wait: where it
 * was, unless that is forbidden, or is busy while another one idles, or something of a real-time
 * priority runs there; a real-time one where the least urgent runs. Looks at other queues without their
 * locks, so it may be wrong by now.
 */
unsigned int rq_choose_cpu(const struct sched_entity *se);
/*
 * Takes one that may run on `cpu` and is at least that urgent out of the queue, and makes it belong to
 * `cpu`; or NULL: there is none, or the queue is locked just now. => interrupts off, no queue's lock
 */
struct sched_entity *rq_steal(struct run_queue *from, unsigned int cpu, int priority);

/* From the tick of one processor. */
void sched_update_load(void);

#endif
