/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_SCHED_WAIT_H
#define KERNEL_SCHED_WAIT_H

#include "kernel/base/errno.h"
#include "kernel/sched/sched.h"

/* Entities waiting for something to become true. */
struct wait_queue_head {
	spinlock_t lock;
	struct list_head waiters;
};

struct wait_queue_entry {
	struct list_head link;
	struct sched_entity *se;
	/* Called instead of waking se; => the queue's lock held, any context. NULL: wakes se. */
	void (*wake)(struct wait_queue_entry *entry);
};

#define WAIT_QUEUE_INIT(name)                                 \
	{                                                     \
		SPINLOCK_INIT, LIST_HEAD_INIT((name).waiters) \
	}

void init_waitqueue_head(struct wait_queue_head *wq);
/* Joins the queue (once) and marks the running entity as about to sleep. */
void prepare_to_wait(struct wait_queue_head *wq, struct wait_queue_entry *entry,
		     enum task_state state);
void finish_wait(struct wait_queue_head *wq, struct wait_queue_entry *entry);
/* For who waits in several queues at once: joins one with an entry that has se and wake; leaves it. */
void add_wait_queue(struct wait_queue_head *wq, struct wait_queue_entry *entry);
void remove_wait_queue(struct wait_queue_head *wq, struct wait_queue_entry *entry);
/* Wakes all that wait. Any context. The condition must be true before. */
void wake_up(struct wait_queue_head *wq);

#define wait_event_state(wq, cond, tstate)                                                \
	({                                                                                \
		struct wait_queue_entry wq_entry = { .se = NULL };                        \
		int wq_ret = 0;                                                           \
		for (;;) {                                                                \
			prepare_to_wait((wq), &wq_entry, (tstate));                       \
			if (cond)                                                         \
				break;                                                    \
			if (((tstate) == TASK_INTERRUPTIBLE && sched_signal_pending()) || \
			    ((tstate) == TASK_KILLABLE && sched_kill_pending())) {        \
				wq_ret = -ERESTARTSYS;                                    \
				break;                                                    \
			}                                                                 \
			schedule();                                                       \
		}                                                                         \
		finish_wait((wq), &wq_entry);                                             \
		wq_ret;                                                                   \
	})
/* Sleeps until cond is true; -ERESTARTSYS when the waiter is killed first, else 0. */
#define wait_event_killable(wq, cond) wait_event_state(&(wq), cond, TASK_KILLABLE)
/* Sleeps until cond is true. */
#define wait_event(wq, cond) ((void)wait_event_state(&(wq), cond, TASK_UNINTERRUPTIBLE))
/* The same; -ERESTARTSYS when a signal came first, else 0. */
#define wait_event_interruptible(wq, cond) wait_event_state(&(wq), cond, TASK_INTERRUPTIBLE)

#endif
