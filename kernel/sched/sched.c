/* SPDX-License-Identifier: MIT */
/*
 * Each processor runs those of its own queue in turns, in which higher real-time priorities come first;
 * among all others the nice value decides how long a turn is. A queue's lock is taken with interrupts
 * off and held across the switch: the entity that comes in releases what the one that went out took. So
 * who holds the lock of the queue an entity belongs to knows that it runs, or has left its stack.
 *
 * Losing no wake: who is about to sleep sets its state, then looks at what it waits for; who wakes makes
 * that true, then looks at the state. Both put a full barrier in between, the first by
 * set_current_state(), the second by taking the queue's lock.
 */
#include "kernel/sched/sched.h"

#include <arch/clock.h>
#include <arch/desc.h>
#include <arch/fpu.h>
#include <arch/smp.h>
#include <arch/switch.h>

#include "kernel/abi/sched.h"
#include "kernel/base/panic.h"
#include "kernel/base/stack_protector.h"
#include "kernel/sched/run_queue.h"
#include "kernel/sync/rcu.h"
#include "kernel/sync/sleep.h"

_Static_assert(offsetof(struct sched_entity, work) == 0, "entry.S reads it there");

static const struct sched_hooks *hooks;

DEFINE_PER_CPU(struct sched_entity *, current_se);

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

/* --- making others run --------------------------------------------------------------------------- */

/*
 * => rq->lock. The mark is taken away under the lock, by schedule(): where it stands already, who set it
 * has seen to the interrupt, and what is in the queue now will be noticed. The interrupt is sent by
 * unlock_rq(): sending takes long, and who gets it wants the lock.
 */
static void resched(struct run_queue *rq)
{
	u32 before = __atomic_fetch_or(&rq->curr->work, WORK_RESCHED, __ATOMIC_SEQ_CST);

	if ((before & WORK_RESCHED) || rq == this_rq())
		return;
	/* One that is about to halt sees the mark first. */
	if (rq->curr != &rq->idle || READ_ONCE(rq->halts))
		this_rq()->kicks |= BIT(rq->cpu);
}

/* Of any queue, at the end; interrupts the processors that resched() was called for. */
static void unlock_rq(struct run_queue *rq)
{
	cpu_bits_t kicks;
	unsigned int cpu;

	spin_unlock(&rq->lock);
	kicks = this_rq()->kicks;
	if (likely(!kicks))
		return;
	this_rq()->kicks = 0;
	for_each_cpu_bit(cpu, kicks) smp_send_reschedule(cpu);
}

/* => rq->lock. Somebody has come into the queue. */
static void resched_if_due(struct run_queue *rq)
{
	if (rq->curr == &rq->idle || rq_somebody_waits(rq, rq->curr, false))
		resched(rq);
}

/*
 * An entity that is ready and in no queue, and belongs to rq, is put into it; or into another, should it
 * have been forbidden to run here. => rq->lock; returns with the lock of the queue it is in
 */
static struct run_queue *settle(struct run_queue *rq, struct sched_entity *se)
{
	while (unlikely(!may_run_on(se, rq->cpu))) {
		WRITE_ONCE(se->cpu, rq_choose_cpu(se));
		spin_unlock(&rq->lock);
		/* Nobody else moves it, since it is in no queue. */
		rq = &run_queues[se->cpu];
		spin_lock(&rq->lock);
	}
	rq_enqueue(rq, se, false);
	resched_if_due(rq);
	return rq;
}

/* The same, into the queue that is best for it. */
static struct run_queue *place(struct run_queue *rq, struct sched_entity *se)
{
	unsigned int cpu = rq_choose_cpu(se);

	if (cpu != rq->cpu) {
		WRITE_ONCE(se->cpu, cpu);
		spin_unlock(&rq->lock);
		rq = &run_queues[cpu];
		spin_lock(&rq->lock);
	}
	return settle(rq, se);
}

/* --- switching ------------------------------------------------------------------------------------- */

static void switch_to(struct run_queue *rq, struct sched_entity *prev, struct sched_entity *next)
{
	u64 now = clock_ns();

	prev->sum_exec += now - prev->exec_start;
	next->exec_start = now;
	next->slice = sched_slice(next);
	next->on_cpu = true;
	rq->switches++;
	WRITE_ONCE(rq->curr, next);
	WRITE_ONCE(rq->curr_priority, next == &rq->idle ? NO_PRIORITY : next->rt_priority);
	rq->prev = prev;
	if (prev->fpu)
		fpu_save(prev->fpu);
	hooks->switch_out_in(prev, next);
	this_cpu_write(current_se, next);
	lockdep_set_thread(se_held_locks(next));
	set_kernel_stack(next->stack_top);
	if (next->fpu)
		fpu_restore(next->fpu);
	/* From here to where next goes on no function returns that compares. */
	set_stack_canary(next->stack_canary);
	__switch_to(&prev->sp, next->sp);
}

/*
 * The first thing an entity does when it comes in, maybe on another processor than it left: lets go of
 * the one it follows, whose stack is nobody's from then on, and of the queue's lock.
 */
static void finish_switch(void)
{
	struct run_queue *rq = this_rq();
	struct sched_entity *prev = rq->prev;

	__atomic_store_n(&prev->on_cpu, false, __ATOMIC_RELEASE);
	if (unlikely(rq->evicted)) {
		rq->evicted = false;
		rq = place(rq, prev);
	}
	unlock_rq(rq);
}

/* => rq->lock held. A sleep that no signal ends counts as load. */
static void note_sleep(struct run_queue *rq, struct sched_entity *se)
{
	se->blocked = se->state == TASK_UNINTERRUPTIBLE || se->state == TASK_KILLABLE;
	rq->blocked += se->blocked;
}

static void count_switch(struct sched_entity *prev)
{
	if (prev->state == TASK_RUNNING)
		prev->forced_switches++;
	else
		prev->switches++;
}

/* => rq->lock held. Where the running entity is to be while others run. */
static void put_prev(struct run_queue *rq, struct sched_entity *prev)
{
	if (prev->state == TASK_INTERRUPTIBLE && hooks->signal_pending())
		prev->state = TASK_RUNNING;
	if (prev->state == TASK_KILLABLE && hooks->kill_pending())
		prev->state = TASK_RUNNING;
	if (prev->state != TASK_RUNNING)
		note_sleep(rq, prev);
	else if (likely(may_run_on(prev, rq->cpu)))
		rq_enqueue(rq, prev, !prev->turn_over);
	else
		rq->evicted = true;
	prev->turn_over = false;
}

void schedule(void)
{
	unsigned long flags = local_irq_save();
	struct run_queue *rq = this_rq();
	struct sched_entity *prev = rq->curr, *next;

	check_schedule();
	rcu_note_context_switch();
	spin_lock(&rq->lock);
	se_clear_work(prev, WORK_RESCHED);
	put_prev(rq, prev);
	next = rq_pick_next(rq);
	if (next != prev) {
		count_switch(prev);
		switch_to(rq, prev, next);
		finish_switch();
	} else {
		spin_unlock(&rq->lock);
	}
	local_irq_restore(flags);
}

void sched_yield(void)
{
	current_entity()->turn_over = true;
	schedule();
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

	finish_switch();
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
	se->stack_canary = new_stack_canary();
	se->cpu = (unsigned int)smp_processor_id();
	se->on_rq = false;
	se->on_cpu = false;
	se->blocked = false;
	se->turn_over = false;
	se->sum_exec = 0;
	se->user_ticks = se->system_ticks = 0;
	se->switches = se->forced_switches = 0;
	se->sp = switch_prepare((void *)((unsigned long)start & ~15UL), entity_start, start);
}

void sched_exit(void)
{
	local_irq_disable();
	set_current_state(TASK_DEAD);
	schedule();
	BUG();
}

void sched_wait_gone(const struct sched_entity *se)
{
	while (__atomic_load_n(&se->on_cpu, __ATOMIC_ACQUIRE))
		cpu_relax();
}

/* --- waking and changing ----------------------------------------------------------------------------- */

bool sched_wake_from(struct sched_entity *se, u32 states)
{
	unsigned long flags = local_irq_save();
	struct run_queue *rq = rq_lock_of(se);
	u32 state = READ_ONCE(se->state);
	bool slept = false;

	/* Until it has left its stack the entity may change its mind itself, without the lock. */
	while (!slept && (states & BIT(state)))
		slept = __atomic_compare_exchange_n(&se->state, &state, TASK_RUNNING, false,
						    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	if (slept && se != rq->curr) {
		rq->blocked -= se->blocked;
		se->blocked = false;
		rq = place(rq, se);
	}
	unlock_rq(rq);
	local_irq_restore(flags);
	return slept;
}

bool sched_wake(struct sched_entity *se)
{
	return sched_wake_from(se, TASK_SLEEPS);
}

void sched_kick(const struct sched_entity *se)
{
	unsigned int cpu = READ_ONCE(se->cpu);

	/*
	 * Its work was set before this looks where it is: if it has left since, or comes in only now, it
	 * sees that itself on its way to user mode.
	 */
	if (READ_ONCE(se->on_cpu) && cpu != (unsigned int)smp_processor_id())
		smp_send_reschedule(cpu);
}

void sched_notify(struct sched_entity *se, u32 states)
{
	/* Setting the work was a full barrier: if it goes to sleep now, it has seen it. */
	if (!(states & BIT(READ_ONCE(se->state))) || !sched_wake_from(se, states))
		sched_kick(se);
}

void sched_set_policy(struct sched_entity *se, unsigned int policy, unsigned int rt_priority,
		      int nice)
{
	unsigned long flags = local_irq_save();
	struct run_queue *rq = rq_lock_of(se);
	bool waits = se->on_rq;

	if (waits)
		rq_dequeue(rq, se);
	se->policy = (u8)policy;
	se->rt_priority = (u8)rt_priority;
	se->nice = (s8)nice;
	if (rq->curr == se)
		WRITE_ONCE(rq->curr_priority, se->rt_priority);
	if (waits)
		rq_enqueue(rq, se, false);
	se->slice = min(se->slice, sched_slice(se));
	if (rq_somebody_waits(rq, rq->curr, false))
		resched(rq);
	unlock_rq(rq);
	local_irq_restore(flags);
}

/*
 * Whether it runs where it may not, or is on its way there: taken out of one queue and not yet in the other,
 * where it will be told to go on. Who waits for neither sees a move that isn't done.
 */
static bool is_astray(const struct sched_entity *se)
{
	unsigned long flags = local_irq_save();
	struct run_queue *rq = rq_lock_of(se);
	bool moves = READ_ONCE(se->state) == TASK_RUNNING && !se->on_rq;
	bool astray = (moves || rq->curr == se) && !may_run_on(se, rq->cpu);

	spin_unlock(&rq->lock);
	local_irq_restore(flags);
	return astray;
}

void sched_set_allowed(struct sched_entity *se, cpu_bits_t cpus)
{
	unsigned long flags = local_irq_save();
	struct run_queue *rq = rq_lock_of(se);

	WRITE_ONCE(se->allowed, cpus);
	if (!may_run_on(se, rq->cpu)) {
		if (rq->curr == se) {
			resched(rq);
		} else if (se->on_rq) {
			rq_dequeue(rq, se);
			rq = place(rq, se);
		}
	}
	unlock_rq(rq);
	local_irq_restore(flags);
	/* Who waits here is moved itself, if two do it to each other. */
	while (is_astray(se)) {
		cond_resched();
		cpu_relax();
	}
}

/* --- balancing --------------------------------------------------------------------------------------- */

/* The most crowded of these processors, if it is at least so crowded; or NR_CPUS. */
static unsigned int busiest(cpu_bits_t cpus, unsigned int crowd)
{
	unsigned int cpu, best = NR_CPUS;

	for_each_cpu_bit(cpu, cpus)
	{
		if (rq_crowd(&run_queues[cpu]) >= crowd) {
			crowd = rq_crowd(&run_queues[cpu]) + 1;
			best = cpu;
		}
	}
	return best;
}

/* Takes one that is at least so urgent from another queue into this. => interrupts off, no lock */
static bool pull(struct run_queue *rq, unsigned int from, int priority)
{
	struct sched_entity *se = rq_steal(&run_queues[from], rq->cpu, priority);

	if (!se)
		return false;
	spin_lock(&rq->lock);
	rq = settle(rq, se);
	unlock_rq(rq);
	return true;
}

/*
 * Takes one from where at least two more run or wait than here: then both have more equal shares. A
 * queue that holds only what may not run here is passed over for the next.
 */
static void balance(struct run_queue *rq)
{
	cpu_bits_t others = cpumask_bits(&cpu_online_mask) & ~BIT(rq->cpu);
	unsigned int crowd = rq_crowd(rq), cpu;

	while (others && (cpu = busiest(others, crowd + 2)) != NR_CPUS) {
		if (pull(rq, cpu, 0))
			return;
		others &= ~BIT(cpu);
	}
}

/* Of those with a real-time priority the most urgent are to run, wherever they wait. */
static void pull_urgent(struct run_queue *rq)
{
	cpu_bits_t others = cpumask_bits(&cpu_online_mask) & ~BIT(rq->cpu);
	unsigned int cpu;

	if (rq->rt_ticks >= RT_TICKS)
		return;
	for_each_cpu_bit(cpu, others)
	{
		int mine = max(max(rq->curr_priority, READ_ONCE(rq->first_priority)), 0);

		if (READ_ONCE(run_queues[cpu].first_priority) > mine && pull(rq, cpu, mine + 1))
			return;
	}
}

#define BALANCE_TICKS 10

/* Of a processor that has something to do; another one does it before it halts. => interrupts off */
static void balance_tick(struct run_queue *rq)
{
	pull_urgent(rq);
	if (rq->second_ticks % BALANCE_TICKS == rq->cpu)
		balance(rq);
}

/* --- the tick, and having nothing to do ------------------------------------------------------------- */

static void count_tick(struct run_queue *rq, struct sched_entity *se, bool user)
{
	if (user) {
		se->user_ticks++;
		rq->user_ticks++;
	} else {
		se->system_ticks++;
		rq->system_ticks++;
	}
	rq->rt_ticks += se->rt_priority != 0;
}

/* => rq->lock held. Ends the turn of the running entity, if it is over. */
static void end_turn(struct run_queue *rq, struct sched_entity *se)
{
	if (se->slice > 0)
		se->slice--;
	if (rq_somebody_waits(rq, se, false)) {
		resched(rq);
	} else if (se->slice == 0 && sched_slice(se) && rq_somebody_waits(rq, se, true)) {
		se->turn_over = true;
		resched(rq);
	}
}

void sched_tick(bool user)
{
	struct run_queue *rq = this_rq();
	struct sched_entity *se = rq->curr;

	if (rcu_tick(user || se == &rq->idle))
		se_set_work(se, WORK_RESCHED);
	if (rq->cpu == 0)
		sched_update_load();
	if (++rq->second_ticks == TICKS_PER_SECOND)
		rq->second_ticks = rq->rt_ticks = 0;
	if (se == &rq->idle)
		return;
	count_tick(rq, se, user);
	hooks->tick();
	spin_lock(&rq->lock);
	end_turn(rq, se);
	spin_unlock(&rq->lock);
	balance_tick(rq);
}

/*
 * Nothing is missed between looking and halting: who puts something into the queue, or only sets the
 * mark, looks afterwards whether this processor halts, and interrupts it. Interrupts being off, that ends
 * the halt, or keeps it from beginning. => interrupts off; they are on afterwards
 */
static void halt(struct run_queue *rq)
{
	__atomic_store_n(&rq->halts, true, __ATOMIC_SEQ_CST);
	if (!READ_ONCE(rq->ready) && !(READ_ONCE(rq->idle.work) & WORK_RESCHED))
		safe_halt();
	else
		local_irq_enable();
	WRITE_ONCE(rq->halts, false);
}

static void __noreturn idle_loop(struct run_queue *rq)
{
	enable_context_checks();
	for (;;) {
		local_irq_disable();
		balance(rq);
		halt(rq);
		schedule();
	}
}

void sched_idle(void)
{
	idle_loop(this_rq());
}

void sched_start_cpu(void)
{
	struct run_queue *rq = this_rq();

	this_cpu_write(current_se, &rq->idle);
	rq->idle.exec_start = 0; /* until now it has had nothing to do either */
	idle_loop(rq);
}

bool sched_signal_pending(void)
{
	return hooks->signal_pending();
}

bool sched_kill_pending(void)
{
	return hooks->kill_pending();
}

/* --- for the sleeping locks --------------------------------------------------------------------------- */

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
	for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++) {
		rq_init(&run_queues[cpu], cpu);
		run_queues[cpu].idle.stack_canary = per_cpu_ptr(&fixed_percpu, cpu)->stack_canary;
	}
	this_rq()->idle.exec_start = clock_ns();
	this_cpu_write(current_se, &this_rq()->idle);
	sleep_ops = &sched_sleep_ops;
}
