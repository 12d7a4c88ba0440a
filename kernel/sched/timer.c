/* SPDX-License-Identifier: MIT */
/* Timers in one list, nearest first: few are ever armed. */
#include "kernel/sched/timer.h"

#include <arch/clock.h>

#include "kernel/base/errno.h"

static struct list_head timers = LIST_HEAD_INIT(timers);
static spinlock_t timers_lock = SPINLOCK_INIT;

void timer_start(struct timer *timer)
{
	unsigned long flags = spin_lock_irqsave(&timers_lock);
	struct list_head *pos = timers.next;

	while (pos != &timers && list_entry(pos, struct timer, link)->expires <= timer->expires)
		pos = pos->next;
	list_add_tail(&timer->link, pos);
	timer->armed = true;
	spin_unlock_irqrestore(&timers_lock, flags);
}

bool timer_cancel(struct timer *timer)
{
	unsigned long flags = spin_lock_irqsave(&timers_lock);
	bool armed = timer->armed;

	if (armed)
		list_del(&timer->link);
	timer->armed = false;
	spin_unlock_irqrestore(&timers_lock, flags);
	return armed;
}

void timers_run(void)
{
	unsigned long flags = spin_lock_irqsave(&timers_lock);
	u64 now = clock_ns();
	void (*fn)(void *);
	void *arg;

	while (!list_empty(&timers)) {
		struct timer *t = list_first_entry(&timers, struct timer, link);

		if (t->expires > now)
			break;
		list_del(&t->link);
		t->armed = false;
		fn = t->fn;
		arg = t->arg;
		/* Once it is unlocked its owner may see that it has fired, and be gone. */
		spin_unlock(&timers_lock);
		fn(arg);
		spin_lock(&timers_lock);
	}
	spin_unlock_irqrestore(&timers_lock, flags);
}

static void wake_sleeper(void *se)
{
	sched_wake(se);
}

int sleep_until(u64 until)
{
	struct timer timer = {
		.expires = until,
		.fn = wake_sleeper,
		.arg = this_cpu_read(current_se),
	};
	int ret = 0;

	timer_start(&timer);
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (clock_ns() >= until)
			break;
		if (sched_signal_pending()) {
			ret = -EINTR;
			break;
		}
		schedule();
	}
	set_current_state(TASK_RUNNING);
	timer_cancel(&timer);
	return ret;
}
