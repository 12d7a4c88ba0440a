/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_SCHED_TIMER_H
#define KERNEL_SCHED_TIMER_H

#include "kernel/lib/rbtree.h"
#include "kernel/sched/sched.h"

#define NS_PER_SEC 1000000000L

/* What a timer's time is of. The second may be set: timers for it come as much earlier or later. */
enum timer_clock {
	TIMER_MONOTONIC, /* clock_ns() */
	TIMER_REALTIME,	 /* ns since 1970 */
	NR_TIMER_CLOCKS,
};

/* ns since 1970 at which clock_ns() was 0. Read anywhere; changed by timers_set_realtime(). */
extern s64 boot_time_ns;

u64 timer_clock_now(enum timer_clock clock);
/* The same as it was at the last tick, or when the clock was set since. */
u64 timer_clock_coarse(enum timer_clock clock);

/* Calls fn(arg) from the timer interrupt once its clock has reached expires. */
struct timer {
	struct rb_node node;
	u64 expires; /* ns */
	enum timer_clock clock;
	void (*fn)(void *arg);
	void *arg;
	bool armed;
};

/* => not armed. */
void timer_start(struct timer *timer);
/* Disarms; false when it wasn't armed, or has fired already: fn may still run on another processor. */
bool timer_cancel(struct timer *timer);
/*
 * The same, and waits until fn has returned. => not from fn, no lock held that fn takes
 */
bool timer_cancel_sync(struct timer *timer);
/* From the timer interrupt of each processor; the first one's fires them all, one after the other. */
void timers_run(void);
/* Makes it so many ns since 1970 now. */
void timers_set_realtime(u64 now);

struct time_limit {
	enum timer_clock clock;
	u64 ns;
};

/*
 * Sleeps until something has happened, or the deadline (NULL: none) has passed, or a signal comes: 0,
 * -ETIMEDOUT, -EINTR, the first of these that holds. Whoever makes it happen wakes the task. The tick is
 * the resolution. happened NULL: nothing can.
 */
int sleep_for_event(bool (*happened)(const void *arg), const void *arg,
		    const struct time_limit *deadline);
/* Sleeps until clock_ns() reaches `until`, or a signal comes: then -EINTR. 0 otherwise. */
int sleep_until(u64 until);

#endif
