/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_SYNC_MUTEX_H
#define KERNEL_SYNC_MUTEX_H

#include "kernel/sync/sleep.h"

/* A sleeping lock with one owner, handed over in order of arrival. Not from interrupts. */
struct mutex {
	void *owner; /* the thread, or MUTEX_BOOT before the scheduler runs; NULL when free */
	spinlock_t wait_lock;
	struct list_head waiters;
};

#define MUTEX_INIT(name)                                            \
	{                                                           \
		NULL, SPINLOCK_INIT, LIST_HEAD_INIT((name).waiters) \
	}

void mutex_init(struct mutex *m);
/* Sleeps until the mutex is the caller's. => not held by the caller. */
void mutex_lock(struct mutex *m);
/* Takes it only if it is free: true on success. */
bool mutex_trylock(struct mutex *m);
/* => held by the caller. */
void mutex_unlock(struct mutex *m);

static inline bool mutex_is_locked(const struct mutex *m)
{
	return READ_ONCE(m->owner) != NULL;
}

#endif
