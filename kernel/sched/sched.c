/* SPDX-License-Identifier: MIT */
/*
 * Round robin over one run queue, in which higher real-time priorities come first. Among all others the
 * nice value decides how long a turn is. rq.lock is taken with interrupts off and held across the
 * switch: the entity that comes in releases what the one that went out took.
 */
#include "kernel/sched/sched.h"

#include <arch/clock.h>
#include <arch/desc.h>
#include <arch/fpu.h>
#include <arch/switch.h>

#include "kernel/abi/sched.h"
#include "kernel/base/panic.h"
#include "kernel/sync/sleep.h"

_Static_assert(offsetof(struct sched_entity, work) == 0, "entry.S reads it there");

struct run_queue {
	spinlock_t lock;
	struct list_head queue;
	struct sched_entity idle;
	unsigned int ready;   /* in the queue */
	unsigned int blocked; /* sleep, and count as load */
	unsigned long user_ticks, system_ticks;
	/* Ticks of the present second, and those of them that found a real-time priority running. */
	unsigned int second_ticks, rt_ticks;
};

/* Of each second, other tasks get what is beyond this, if they want it: sched(7). */
#define TICKS_PER_SECOND 100
#define RT_TICKS	 95

static struct run_queue rq = { .lock = SPINLOCK_INIT, .queue = LIST_HEAD_INIT(rq.queue) };
static const struct sched_hooks *hooks;

DEFINE_PER_CPU(struct sched_entity *, current_se);
unsigned long nr_switches;
unsigned long sched_load[3];

#define LOAD_INTERVAL_NS 5000000000UL

static struct sched_entity *current_entity(void)
{
	return this_cpu_read(current_se);
}

unsigned int sched_slice(const struct sched_entity *se)
{
	if (se->rt_priority)
		return se->policy == SCHED_RR ? RR_SLICE_TICKS : 0;
	if (se->policy == SCHED_IDLE)
		return 1;
	return max(1U, (unsigned int)(20 - se->nice) / 4); /* 10 to 1; 5 for nice 0 */
}

/* => rq.lock held. The first in the queue that has less than this priority; or its end. */
static struct list_head *first_below(unsigned int priority)
{
	struct list_head *pos = &rq.queue;

	/* Nothing is below priority 0, which nearly all have. */
	if (priority)
		list_for_each(pos, &rq.queue) if (list_entry(pos, struct sched_entity, run_link)
							  ->rt_priority < priority) break;
	return pos;
}

/* => rq.lock held. Puts it behind those of its priority; before them, if its turn is not over. */
static void enqueue(struct sched_entity *se, bool goes_on)
{
	if (se->on_rq || se == &rq.idle)
		return;
	list_add_tail(&se->run_link, first_below(se->rt_priority + (goes_on && se->rt_priority)));
	se->on_rq = true;
	rq.ready++;
}

/* => rq.lock held. Who is to run of those in the queue; or NULL. */
static struct sched_entity *first_in_turn(void)
{
	struct list_head *first = rq.queue.next, *other;

	if (rq.rt_ticks >= RT_TICKS) {
		other = first_below(1);
		if (other != &rq.queue)
			first = other;
	}
	return first != &rq.queue ? list_entry(first, struct sched_entity, run_link) : NULL;
}

/* => rq.lock held. */
static struct sched_entity *pick_next(void)
{
	struct sched_entity *se = first_in_turn();

	if (!se)
		return &rq.idle;
	list_del(&se->run_link);
	se->on_rq = false;
	rq.ready--;
	return se;
}

static void switch_to(struct sched_entity *prev, struct sched_entity *next)
{
	u64 now = clock_ns();

	prev->sum_exec += now - prev->exec_start;
	next->exec_start = now;
	next->slice = sched_slice(next);
	next->on_cpu = true;
	nr_switches++;
	if (prev->fpu)
		fpu_save(prev->fpu);
	hooks->switch_out_in(prev, next);
	this_cpu_write(current_se, next);
	set_kernel_stack(next->stack_top);
	if (next->fpu)
		fpu_restore(next->fpu);
	/*
	 * prev stays "on its stack" until the switch is over. One CPU runs, and nobody frees an entity
	 * with interrupts off, so clearing the mark just before is enough.
	 */
	prev->on_cpu = false;
	__switch_to(&prev->sp, next->sp);
}

/* => rq.lock held. A sleep that no signal ends counts as load. */
static void note_sleep(struct sched_entity *se)
{
	se->blocked = se->state == TASK_UNINTERRUPTIBLE || se->state == TASK_KILLABLE;
	rq.blocked += se->blocked;
}

static void count_switch(struct sched_entity *prev)
{
	if (prev->state == TASK_RUNNING)
		prev->forced_switches++;
	else
		prev->switches++;
}

/* => rq.lock held. Whether somebody waits who comes before se; or who is its equal. */
static bool somebody_waits(const struct sched_entity *se, bool same)
{
	const struct sched_entity *first = first_in_turn();

	if (!first)
		return false;
	/* Real time is used up for this second. */
	if (rq.rt_ticks >= RT_TICKS && !first->rt_priority && se->rt_priority)
		return true;
	return first->rt_priority + same > se->rt_priority;
}

void schedule(void)
{
	struct sched_entity *prev = current_entity(), *next;
	unsigned long flags = spin_lock_irqsave(&rq.lock);

	se_clear_work(prev, WORK_RESCHED);
	if (prev->state == TASK_INTERRUPTIBLE && hooks->signal_pending())
		prev->state = TASK_RUNNING;
	if (prev->state == TASK_KILLABLE && hooks->kill_pending())
		prev->state = TASK_RUNNING;
	if (prev->state == TASK_RUNNING)
		enqueue(prev, !prev->turn_over);
	else
		note_sleep(prev);
	prev->turn_over = false;
	next = pick_next();
	if (next != prev) {
		count_switch(prev);
		switch_to(prev, next);
	}
	spin_unlock_irqrestore(&rq.lock, flags);
}

void sched_yield(void)
{
	current_entity()->turn_over = true;
	schedule();
}

void sched_set_policy(struct sched_entity *se, unsigned int policy, unsigned int rt_priority,
		      int nice)
{
	unsigned long flags = spin_lock_irqsave(&rq.lock);
	bool waits = se->on_rq;

	if (waits) {
		list_del(&se->run_link);
		se->on_rq = false;
		rq.ready--;
	}
	se->policy = (u8)policy;
	se->rt_priority = (u8)rt_priority;
	se->nice = (s8)nice;
	if (waits)
		enqueue(se, false);
	se->slice = min(se->slice, sched_slice(se));
	if (somebody_waits(current_entity(), false))
		se_set_work(current_entity(), WORK_RESCHED);
	spin_unlock_irqrestore(&rq.lock, flags);
}

void cond_resched(void)
{
	if (READ_ONCE(current_entity()->work) & WORK_RESCHED)
		schedule();
}

/* A new entity's first steps: it finds the lock held by the one it follows. */
struct start {
	void (*fn)(void *);
	void *arg;
};

static void entity_start(void *p)
{
	struct start start = *(struct start *)p;

	spin_unlock(&rq.lock);
	local_irq_enable();
	start.fn(start.arg);
	BUG();
}

void sched_entity_init(struct sched_entity *se, unsigned long stack_top, void (*fn)(void *),
		       void *arg)
{
	/* Below pt_regs, at the stack's top, which the start itself never reaches. */
	struct start *start = (struct start *)(stack_top - PT_SIZE - 8) - 1;

	*start = (struct start){ fn, arg };
	se->work = 0;
	se->state = TASK_UNINTERRUPTIBLE;
	se->stack_top = stack_top;
	se->on_rq = false;
	se->on_cpu = false;
	se->blocked = false;
	se->turn_over = false;
	se->sum_exec = 0;
	se->user_ticks = se->system_ticks = 0;
	se->switches = se->forced_switches = 0;
	se->sp = switch_prepare((void *)((unsigned long)start & ~15UL), entity_start, start);
}

bool sched_wake(struct sched_entity *se)
{
	unsigned long flags = spin_lock_irqsave(&rq.lock);
	bool slept = se->state != TASK_RUNNING && se->state != TASK_DEAD;

	if (slept) {
		se->state = TASK_RUNNING;
		rq.blocked -= se->blocked;
		se->blocked = false;
		if (se != current_entity())
			enqueue(se, false);
		if (current_entity() == &rq.idle || somebody_waits(current_entity(), false))
			se_set_work(current_entity(), WORK_RESCHED);
	}
	spin_unlock_irqrestore(&rq.lock, flags);
	return slept;
}

void sched_count(struct sched_counts *c)
{
	unsigned long flags = spin_lock_irqsave(&rq.lock);

	c->running = rq.ready + (current_entity() != &rq.idle);
	c->blocked = rq.blocked;
	c->user_ticks = rq.user_ticks;
	c->system_ticks = rq.system_ticks;
	spin_unlock_irqrestore(&rq.lock, flags);
}

/*
 * Every five seconds each load moves towards the present one by what five seconds are of its time: by
 * 1 - e^(-5s/60s) and so on, in 2^-11.
 */
static void update_load(void)
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
		sched_load[i] = load >> LOAD_SHIFT;
	}
}

void sched_tick(bool user)
{
	struct sched_entity *se = current_entity();

	update_load();
	if (++rq.second_ticks == TICKS_PER_SECOND)
		rq.second_ticks = rq.rt_ticks = 0;
	if (se == &rq.idle)
		return;
	if (user) {
		se->user_ticks++;
		rq.user_ticks++;
	} else {
		se->system_ticks++;
		rq.system_ticks++;
	}
	rq.rt_ticks += se->rt_priority != 0;
	hooks->tick();
	if (se->slice > 0)
		se->slice--;
	if (somebody_waits(se, false)) {
		se_set_work(se, WORK_RESCHED);
	} else if (se->slice == 0 && sched_slice(se) && somebody_waits(se, true)) {
		se->turn_over = true;
		se_set_work(se, WORK_RESCHED);
	}
}

void sched_exit(void)
{
	local_irq_disable();
	set_current_state(TASK_DEAD);
	schedule();
	BUG();
}

void sched_idle(void)
{
	for (;;) {
		local_irq_disable();
		if (list_empty(&rq.queue))
			safe_halt();
		local_irq_enable();
		schedule();
	}
}

u64 sched_idle_ns(void)
{
	unsigned long flags = spin_lock_irqsave(&rq.lock);
	u64 ns = rq.idle.sum_exec;

	spin_unlock_irqrestore(&rq.lock, flags);
	return ns;
}

bool sched_signal_pending(void)
{
	return hooks->signal_pending();
}

bool sched_kill_pending(void)
{
	return hooks->kill_pending();
}

static void *lock_current(void)
{
	return current_entity();
}

static void lock_prepare(void)
{
	set_current_state(TASK_UNINTERRUPTIBLE);
}

static void lock_wake(void *thread)
{
	sched_wake(thread);
}

static const struct sleep_ops sched_sleep_ops = {
	.current = lock_current,
	.prepare = lock_prepare,
	.schedule = schedule,
	.wake = lock_wake,
};

void sched_init(const struct sched_hooks *h)
{
	hooks = h;
	rq.idle.state = TASK_RUNNING;
	rq.idle.on_cpu = true;
	rq.idle.exec_start = clock_ns();
	this_cpu_write(current_se, &rq.idle);
	sleep_ops = &sched_sleep_ops;
}
