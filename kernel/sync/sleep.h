/* SPDX-License-Identifier: MIT */
/*
 * What sleeping locks need of the scheduler, which stands above them: it registers these at boot.
 * Before that there is one thread of execution and no lock is ever contended.
 */
#ifndef KERNEL_SYNC_SLEEP_H
#define KERNEL_SYNC_SLEEP_H

#include "kernel/lib/list.h"
#include "kernel/sync/spinlock.h"

struct sleep_ops {
	/* The running thread, as wake() wants it. */
	void *(*current)(void);
	/* Marks the running thread as about to sleep: a wake() from now on makes schedule() return at once. */
	void (*prepare)(void);
	/* Sleeps until woken. => prepare() was called; no spinlock held. */
	void (*schedule)(void);
	/* Makes a thread runnable. Any context. */
	void (*wake)(void *thread);
};
extern const struct sleep_ops *sleep_ops;

/* One sleeper in a lock's queue; lives on the sleeper's stack. */
struct lock_waiter {
	struct list_head link;
	void *thread;
	bool write;
	bool granted; /* set under the lock's spinlock by who hands the lock over */
};

#endif
