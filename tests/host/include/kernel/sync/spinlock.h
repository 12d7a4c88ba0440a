/* SPDX-License-Identifier: MIT */
/*
 * The kernel's ticket spinlocks, which here also count how many a thread holds: what may sleep asks
 * (sim_might_sleep), and a lock that is released twice or never taken ends the test.
 */
#ifndef KERNEL_SYNC_SPINLOCK_H
#define KERNEL_SYNC_SPINLOCK_H

#include <arch/cpu.h>

#include "kernel/base/panic.h"
#include "kernel/sync/lockdep.h"

typedef struct {
	u16 owner; /* the ticket now served */
	u16 next;  /* the ticket the next one to come will draw */
	lock_class_t class;
} spinlock_t;

#define SPINLOCK_INIT      \
	{                  \
		.class = 0 \
	}

static inline void spin_lock_init(spinlock_t *lock)
{
	*lock = (spinlock_t)SPINLOCK_INIT;
}

static inline bool spin_is_locked(const spinlock_t *lock)
{
	return READ_ONCE(lock->owner) != READ_ONCE(lock->next);
}

static inline void spin_lock(spinlock_t *lock)
{
	u16 ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);

	while (unlikely(__atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE) != ticket))
		cpu_relax();
	sim_spinlocks_held++;
}

/* Second locks of a class are locks like others. */
#define spin_lock_nested(lock, subclass) spin_lock(lock)

static inline bool spin_trylock(spinlock_t *lock)
{
	u16 ticket = __atomic_load_n(&lock->owner, __ATOMIC_RELAXED);

	/* Free when the ticket that is served has not been drawn. */
	if (!__atomic_compare_exchange_n(&lock->next, &ticket, (u16)(ticket + 1), false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return false;
	sim_spinlocks_held++;
	return true;
}

static inline void spin_unlock(spinlock_t *lock)
{
	BUG_ON(!spin_is_locked(lock));
	BUG_ON(sim_spinlocks_held == 0);
	sim_spinlocks_held--;
	__atomic_store_n(&lock->owner, (u16)(lock->owner + 1), __ATOMIC_RELEASE);
}

static inline unsigned long spin_lock_irqsave(spinlock_t *lock)
{
	unsigned long flags = local_irq_save();

	spin_lock(lock);
	return flags;
}

static inline void spin_unlock_irqrestore(spinlock_t *lock, unsigned long flags)
{
	spin_unlock(lock);
	local_irq_restore(flags);
}

#endif
