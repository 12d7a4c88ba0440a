/* SPDX-License-Identifier: MIT */
/*
 * Waiting for several files at once.
 *
 * A file's poll operation says what holds now, and names (by poll_wait()) the wait queues that are
 * woken when that may have changed. Who only asks passes no table; who wants to sleep passes the
 * one of a struct poll_wqueues, which has an entry in every queue named. A wake-up sets
 * `triggered`, so that one that comes between the question and the sleep isn't lost.
 */
#ifndef KERNEL_FS_POLL_H
#define KERNEL_FS_POLL_H

#include "kernel/abi/poll.h"
#include "kernel/fs/vfs.h"
#include "kernel/sched/timer.h"
#include "kernel/sched/wait.h"

struct poll_table {
	/* NULL: the caller won't sleep. */
	void (*queue)(struct poll_table *pt, struct file *file, struct wait_queue_head *wq);
};

static inline void poll_wait(struct file *file, struct wait_queue_head *wq, struct poll_table *pt)
{
	if (pt && pt->queue)
		pt->queue(pt, file, wq);
}

/* What holds of an open file; pt may be NULL. */
u32 vfs_poll(struct file *file, struct poll_table *pt);

struct poll_wqueues;
struct poll_entry {
	struct wait_queue_entry wait;
	struct wait_queue_head *wq;
	struct file *file; /* referenced: its queues stay */
	struct poll_wqueues *owner;
};

#define POLL_INLINE 6

struct poll_wqueues {
	struct poll_table pt;
	struct sched_entity *se;
	bool triggered;
	int error; /* -ENOMEM: an entry could not be had */
	unsigned int nr_inline;
	struct poll_entry few[POLL_INLINE];
	struct poll_page *pages; /* more of them */
};

#define POLL_NO_TIMEOUT (~0UL)

/* For the running task. Each poll_initwait() is followed by a poll_freewait(). */
void poll_initwait(struct poll_wqueues *pwq);
/* Leaves all queues. */
void poll_freewait(struct poll_wqueues *pwq);
/*
 * Sleeps until one of the queues was woken since the last time, or `until` (ns of clock_ns(), or
 * POLL_NO_TIMEOUT): then false. A signal ends it too, with true.
 */
bool poll_sleep(struct poll_wqueues *pwq, u64 until);

#endif
