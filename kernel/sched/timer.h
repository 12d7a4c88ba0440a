/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_SCHED_TIMER_H
#define KERNEL_SCHED_TIMER_H

#include "kernel/lib/list.h"
#include "kernel/sched/sched.h"

/* Calls fn(arg) from the timer interrupt once clock_ns() has reached expires. */
struct timer {
	struct list_head link;
	u64 expires;
	void (*fn)(void *arg);
	void *arg;
	bool armed;
};

/* => not armed. */
void timer_start(struct timer *timer);
/* Disarms; false when it has fired already. */
bool timer_cancel(struct timer *timer);
/* From the timer interrupt. */
void timers_run(void);
/*
 * Sleeps until clock_ns() reaches `until`, or a signal comes: then -EINTR. 0 otherwise. The tick
 * is the resolution.
 */
int sleep_until(u64 until);

#endif
