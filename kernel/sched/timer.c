/* SPDX-License-Identifier: MIT */
/*
 * Timers: one tree for each clock, the nearest leftmost. Since the trees hold times of their own
 * clock, setting the clock moves nothing: the next tick compares with what it says then.
 */
#include "kernel/sched/timer.h"

#include <arch/clock.h>
#include <arch/vdso.h>

#include "kernel/base/errno.h"

s64 boot_time_ns;

static spinlock_t timers_lock = SPINLOCK_INIT;
static struct rb_root timers[NR_TIMER_CLOCKS];
static struct timer *firing; /* whose fn is being called. => timers_lock to change */

u64 timer_clock_now(enum timer_clock clock)
{
	s64 now = (s64)clock_ns() + (clock == TIMER_REALTIME ? READ_ONCE(boot_time_ns) : 0);

	return now > 0 ? (u64)now : 0;
}

u64 timer_clock_coarse(enum timer_clock clock)
{
	unsigned long flags = spin_lock_irqsave(&timers_lock);
	s64 then = (s64)vdso_data.coarse_ns + (clock == TIMER_REALTIME ? boot_time_ns : 0);

	spin_unlock_irqrestore(&timers_lock, flags);
	return then > 0 ? (u64)then : 0;
}

/* Lets programs know what they can't find out from the processor. => timers_lock, interrupts off */
static void publish(void)
{
	u64 now = clock_ns();

	vdso_write_begin();
	vdso_data.realtime_ns = boot_time_ns;
	vdso_data.coarse_ns = max(now, vdso_data.coarse_ns);
	vdso_write_end();
}

void timer_start(struct timer *timer)
{
	unsigned long flags = spin_lock_irqsave(&timers_lock);
	struct rb_root *root = &timers[timer->clock];
	struct rb_node **link = &root->rb_node, *parent = NULL;

	/* Behind those of the same time: they fire in the order in which they were started. */
	while (*link) {
		parent = *link;
		link = timer->expires < rb_entry(parent, struct timer, node)->expires ?
			       &parent->rb_left :
			       &parent->rb_right;
	}
	rb_link_node(&timer->node, parent, link);
	rb_insert_color(&timer->node, root);
	timer->armed = true;
	spin_unlock_irqrestore(&timers_lock, flags);
}

/* => timers_lock */
static void disarm(struct timer *timer)
{
	rb_erase(&timer->node, &timers[timer->clock]);
	timer->armed = false;
}

bool timer_cancel(struct timer *timer)
{
	unsigned long flags = spin_lock_irqsave(&timers_lock);
	bool armed = timer->armed;

	if (armed)
		disarm(timer);
	spin_unlock_irqrestore(&timers_lock, flags);
	return armed;
}

bool timer_cancel_sync(struct timer *timer)
{
	bool armed = timer_cancel(timer);

	while (READ_ONCE(firing) == timer)
		cpu_relax();
	return armed;
}

/* => timers_lock. The first timer of a clock whose time has come, or NULL. */
static struct timer *first_due(enum timer_clock clock, u64 now)
{
	struct timer *first = rb_entry_safe(rb_first(&timers[clock]), struct timer, node);

	return first && first->expires <= now ? first : NULL;
}

/* => timers_lock, interrupts off */
static void run_clock(enum timer_clock clock)
{
	u64 now = timer_clock_now(clock);
	struct timer *t;

	while ((t = first_due(clock, now))) {
		void (*fn)(void *) = t->fn;
		void *arg = t->arg;

		disarm(t);
		firing = t;
		/* Once it is unlocked its owner may see that it has fired, and be gone. */
		spin_unlock(&timers_lock);
		fn(arg);
		spin_lock(&timers_lock);
		firing = NULL;
	}
}

void timers_run(void)
{
	unsigned long flags;

	/* On one processor, so that there is one that fires at a time; and its clock makes what is told. */
	if (smp_processor_id() != 0)
		return;
	flags = spin_lock_irqsave(&timers_lock);
	publish();
	run_clock(TIMER_MONOTONIC);
	run_clock(TIMER_REALTIME);
	spin_unlock_irqrestore(&timers_lock, flags);
}

void timers_set_realtime(u64 now)
{
	unsigned long flags = spin_lock_irqsave(&timers_lock);

	WRITE_ONCE(boot_time_ns, (s64)now - (s64)clock_ns());
	publish();
	spin_unlock_irqrestore(&timers_lock, flags);
}

/* --- sleeping ------------------------------------------------------------------------------------ */

static void wake_sleeper(void *se)
{
	sched_wake(se);
}

int sleep_for_event(bool (*happened)(const void *arg), const void *arg,
		    const struct time_limit *deadline)
{
	struct timer timer = { .fn = wake_sleeper, .arg = this_cpu_read(current_se) };
	int ret;

	if (deadline) {
		timer.clock = deadline->clock;
		timer.expires = deadline->ns;
	}
	for (;;) {
		/*
		 * Again, when it has fired and then the clock was set back; or by the clock of another
		 * processor, which is a little ahead of ours.
		 */
		if (deadline && !READ_ONCE(timer.armed))
			timer_start(&timer);
		set_current_state(TASK_INTERRUPTIBLE);
		ret = 0;
		if (happened && happened(arg))
			break;
		ret = -ETIMEDOUT;
		if (deadline && timer_clock_now(deadline->clock) >= deadline->ns)
			break;
		ret = -EINTR;
		if (sched_signal_pending())
			break;
		schedule();
	}
	set_current_state(TASK_RUNNING);
	if (deadline)
		timer_cancel_sync(&timer);
	return ret;
}

int sleep_until(u64 until)
{
	const struct time_limit deadline = { TIMER_MONOTONIC, until };

	return sleep_for_event(NULL, NULL, &deadline) == -EINTR ? -EINTR : 0;
}
