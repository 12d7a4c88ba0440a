/* SPDX-License-Identifier: MIT */
/*
 * Grace periods have numbers. One is begun when somebody needs it and none runs: then every processor
 * that is online is a holdout. A processor takes itself off when it reads nothing; the one that was
 * the last ends the grace period, and begins the next one if that is wanted already.
 *
 * What is given to call_rcu() goes through three lists of its processor: `fresh`, until a grace period
 * that begins later than now has a number; `waiting`, until that has ended; `done`, until the tick
 * calls it.
 *
 * That a reader's accesses come before the call: it is a holdout until it takes rcu.lock after them, and
 * who finds the grace period ended takes rcu.lock after that. That a reader who isn't waited for sees
 * what was taken out as gone: it began after its processor was off the list, so after rcu.lock had been
 * held there, and that after it had been held where the grace period was asked for.
 *
 * Locks: rcu_cpu->lock, rcu.lock; both with interrupts off.
 */
#include "kernel/sync/rcu.h"

#include <arch/cpu.h>

#include "kernel/base/cpumask.h"
#include "kernel/sync/mutex.h"

/* So many are called by a tick, or a quarter if that is more: the list stays bounded at any rate. */
#define MIN_BATCH 64
/* A processor that no tick has found quiet for so long is asked to switch. */
#define PATIENCE_TICKS 3

struct rcu_list {
	struct rcu_head *first, *last;
	unsigned long len;
};

struct rcu_cpu {
	spinlock_t lock; /* the lists, which rcu_barrier() adds to from elsewhere */
	struct rcu_list fresh, waiting, done;
	unsigned long gp;	 /* `waiting` waits for its end */
	unsigned int held_ticks; /* how long it has been a holdout */
	struct rcu_head barrier; /* rcu_barrier()'s */
};
static DEFINE_PER_CPU(struct rcu_cpu, rcu_cpu);

static struct {
	spinlock_t lock;
	unsigned long begun, ended, wanted; /* numbers of grace periods; begun - ended is 0 or 1 */
	bool flush;			    /* the tick is to call all that it can */
} rcu = { .lock = SPINLOCK_INIT };

unsigned long rcu_holdouts; /* => rcu.lock to change */

/* --- lists ------------------------------------------------------------------------------------------- */

static void cb_push(struct rcu_list *list, struct rcu_head *head)
{
	head->next = NULL;
	if (list->first)
		list->last->next = head;
	else
		list->first = head;
	list->last = head;
	list->len++;
}

/* Moves what is in `from` behind what is in `to`. */
static void cb_splice(struct rcu_list *to, struct rcu_list *from)
{
	if (!from->first)
		return;
	if (to->first)
		to->last->next = from->first;
	else
		to->first = from->first;
	to->last = from->last;
	to->len += from->len;
	*from = (struct rcu_list){ NULL, NULL, 0 };
}

/* --- grace periods ------------------------------------------------------------------------------------ */

/* => rcu.lock */
static void begin_grace_period(void)
{
	rcu.begun++;
	__atomic_store_n(&rcu_holdouts, cpumask_bits(&cpu_online_mask), __ATOMIC_RELAXED);
}

/* => interrupts off. The number of a grace period that begins after this call. */
static unsigned long want_grace_period(void)
{
	unsigned long gp;

	spin_lock(&rcu.lock);
	gp = rcu.wanted = rcu.begun + 1;
	if (rcu.begun == rcu.ended)
		begin_grace_period();
	spin_unlock(&rcu.lock);
	return gp;
}

void rcu_report_quiet(void)
{
	unsigned long flags = spin_lock_irqsave(&rcu.lock);
	unsigned long left = rcu_holdouts & ~BIT(smp_processor_id());

	__atomic_store_n(&rcu_holdouts, left, __ATOMIC_RELAXED);
	if (!left && rcu.begun != rcu.ended) {
		rcu.ended = rcu.begun;
		if (rcu.wanted > rcu.begun)
			begin_grace_period();
	}
	spin_unlock_irqrestore(&rcu.lock, flags);
}

static bool grace_period_ended(unsigned long gp)
{
	bool ended;

	spin_lock(&rcu.lock);
	ended = rcu.ended >= gp;
	spin_unlock(&rcu.lock);
	return ended;
}

/* => rc->lock, interrupts off */
static void advance(struct rcu_cpu *rc)
{
	if (rc->waiting.first && grace_period_ended(rc->gp))
		cb_splice(&rc->done, &rc->waiting);
	if (rc->fresh.first && !rc->waiting.first) {
		cb_splice(&rc->waiting, &rc->fresh);
		rc->gp = want_grace_period();
	}
}

static bool is_holdout(void)
{
	return __atomic_load_n(&rcu_holdouts, __ATOMIC_RELAXED) & BIT(smp_processor_id());
}

/* --- calling ------------------------------------------------------------------------------------------ */

/* => rc->lock. Takes the first `max` of `done` out, in order. */
static struct rcu_list cb_take(struct rcu_cpu *rc, unsigned long max)
{
	struct rcu_list taken = rc->done;
	struct rcu_head *last = taken.first;

	if (taken.len <= max) {
		rc->done = (struct rcu_list){ NULL, NULL, 0 };
		return taken;
	}
	for (unsigned long i = 1; i < max; i++)
		last = last->next;
	rc->done.first = last->next;
	rc->done.len -= max;
	last->next = NULL;
	return taken;
}

/* => interrupts off, no lock */
static void cb_call(struct rcu_head *head)
{
	while (head) {
		struct rcu_head *next = head->next;

		head->fn(head);
		head = next;
	}
}

bool rcu_tick(bool quiet)
{
	struct rcu_cpu *rc = this_cpu_ptr(&rcu_cpu);
	struct rcu_list due;
	unsigned long max;

	spin_lock(&rc->lock);
	advance(rc);
	if (quiet && is_holdout()) {
		rcu_report_quiet();
		advance(rc);
	}
	max = READ_ONCE(rcu.flush) ? rc->done.len : max(rc->done.len / 4, (unsigned long)MIN_BATCH);
	due = cb_take(rc, max);
	spin_unlock(&rc->lock);
	cb_call(due.first);
	rc->held_ticks = is_holdout() ? rc->held_ticks + 1 : 0;
	return rc->held_ticks > PATIENCE_TICKS;
}

void call_rcu(struct rcu_head *head, void (*fn)(struct rcu_head *head))
{
	unsigned long flags = local_irq_save();
	struct rcu_cpu *rc = this_cpu_ptr(&rcu_cpu);

	head->fn = fn;
	spin_lock(&rc->lock);
	cb_push(&rc->fresh, head);
	spin_unlock(&rc->lock);
	local_irq_restore(flags);
}

/* --- waiting ------------------------------------------------------------------------------------------- */

/* Whether nobody else can be in the kernel: who gets here is not reading, and so nobody is. */
static bool nobody_reads(void)
{
	return !sleep_ops || num_online_cpus() == 1;
}

/* Everything this processor has, whatever grace period it waits for. => nobody_reads() */
static void call_all(struct rcu_cpu *rc)
{
	unsigned long flags = local_irq_save();
	struct rcu_list due;

	do {
		spin_lock(&rc->lock);
		cb_splice(&rc->done, &rc->waiting);
		cb_splice(&rc->done, &rc->fresh);
		due = cb_take(rc, rc->done.len);
		spin_unlock(&rc->lock);
		cb_call(due.first);
	} while (due.first);
	local_irq_restore(flags);
}

/* A thread that sleeps until `left` calls have come back. */
struct rcu_waiter {
	spinlock_t lock;
	void *thread;
	unsigned int left;
};

static void waiter_called(struct rcu_waiter *w)
{
	/* Its stack is there until it has had the lock after us. */
	spin_lock(&w->lock);
	if (--w->left == 0)
		sleep_ops->wake(w->thread);
	spin_unlock(&w->lock);
}

static void waiter_sleep(struct rcu_waiter *w)
{
	unsigned long flags = spin_lock_irqsave(&w->lock);

	while (w->left) {
		sleep_ops->prepare();
		spin_unlock_irqrestore(&w->lock, flags);
		sleep_ops->schedule();
		flags = spin_lock_irqsave(&w->lock);
	}
	spin_unlock_irqrestore(&w->lock, flags);
}

struct rcu_sync {
	struct rcu_head head;
	struct rcu_waiter waiter;
};

static void sync_called(struct rcu_head *head)
{
	waiter_called(&container_of(head, struct rcu_sync, head)->waiter);
}

void synchronize_rcu(void)
{
	struct rcu_sync sync = { .waiter = { .left = 1 } };

	might_sleep();
	if (nobody_reads())
		return;
	spin_lock_init(&sync.waiter.lock);
	sync.waiter.thread = sleep_ops->current();
	call_rcu(&sync.head, sync_called);
	waiter_sleep(&sync.waiter);
}

/* One at a time: each processor has one place for it. */
static struct mutex barrier_mutex = MUTEX_INIT(barrier_mutex);
static struct rcu_waiter barrier_waiter = { .lock = SPINLOCK_INIT };

static void barrier_called(struct rcu_head *head)
{
	waiter_called(&barrier_waiter);
}

/* Behind all that the processor was given so far. */
static void add_barrier(unsigned int cpu)
{
	struct rcu_cpu *rc = per_cpu_ptr(&rcu_cpu, cpu);
	unsigned long flags = spin_lock_irqsave(&rc->lock);

	rc->barrier.fn = barrier_called;
	cb_push(&rc->fresh, &rc->barrier);
	spin_unlock_irqrestore(&rc->lock, flags);
}

void rcu_barrier(void)
{
	cpu_bits_t cpus = cpumask_bits(&cpu_online_mask);
	unsigned int cpu;

	might_sleep();
	if (nobody_reads()) {
		for_each_cpu_bit(cpu, cpus) call_all(per_cpu_ptr(&rcu_cpu, cpu));
		return;
	}
	mutex_lock(&barrier_mutex);
	/* Those that come online from now on have been given nothing yet. */
	barrier_waiter.thread = sleep_ops->current();
	barrier_waiter.left = cpu_bits_weight(cpus);
	WRITE_ONCE(rcu.flush, true);
	for_each_cpu_bit(cpu, cpus) add_barrier(cpu);
	waiter_sleep(&barrier_waiter);
	WRITE_ONCE(rcu.flush, false);
	mutex_unlock(&barrier_mutex);
}
