/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_SYNC_MUTEX_H
#define KERNEL_SYNC_MUTEX_H

#include "kernel/sync/sleep.h"

/* A sleeping lock with one owner, handed over in order of arrival. Not from interrupts. */
struct mutex {
	void *owner; /* the thread, or the only one before the scheduler runs; NULL when free */
	spinlock_t wait_lock;
	lock_class_t class; /* in debug builds */
	struct list_head waiters;
};

#define MUTEX_INIT(name)                                   \
	{                                                  \
		.wait_lock = { .class = LOCK_CLASS_WAIT }, \
		.waiters = LIST_HEAD_INIT((name).waiters), \
	}

/* Takes it only if it is free: true on success. */
bool mutex_trylock(struct mutex *m);
/* => held by the caller. */
void mutex_unlock(struct mutex *m);

#ifdef CONFIG_LOCKDEP
#define mutex_init(m)                                             \
	do {                                                      \
		static struct lock_site mi_site = { .name = #m }; \
		__mutex_init((m), &mi_site);                      \
	} while (0)
void __mutex_init(struct mutex *m, struct lock_site *site);
void __mutex_lock(struct mutex *m, unsigned int subclass, const char *name);
#define mutex_lock(m)		     __mutex_lock((m), 0, #m)
#define mutex_lock_nested(m, subcls) __mutex_lock((m), (subcls), #m)
#else
void mutex_init(struct mutex *m);
/* Sleeps until the mutex is the caller's. => not held by the caller. */
void mutex_lock(struct mutex *m);
/* The second mutex of a class: 1. */
#define mutex_lock_nested(m, subclass) mutex_lock(m)
#endif

static inline bool mutex_is_locked(const struct mutex *m)
{
	return READ_ONCE(m->owner) != NULL;
}

#endif
