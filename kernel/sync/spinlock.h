/* SPDX-License-Identifier: MIT */
/*
 * Spinlocks: one byte says who holds it, and who has to wait draws a ticket, so that those who wait are
 * served in order (but see spin_lock_choose()). Holding one, a CPU must not sleep; a lock that an
 * interrupt handler also takes is taken with the irq variants everywhere.
 *
 * Debug builds check the order of locks: kernel/sync/lockdep.h.
 */
#ifndef KERNEL_SYNC_SPINLOCK_H
#define KERNEL_SYNC_SPINLOCK_H

#include <arch/cpu.h>

#include "kernel/base/panic.h"
#include "kernel/sync/lockdep.h"

/* There are fewer CPUs than tickets. */
typedef struct {
	u8 holder; /* 0: nobody. Debug builds: the CPU, plus 1 */
	u8 serving,
		next; /* tickets: whose turn it is to wait for `holder`, and what is drawn next */
	lock_class_t class; /* debug builds */
} spinlock_t;

#define SPINLOCK_INIT      \
	{                  \
		.class = 0 \
	}

static inline bool spin_is_locked(const spinlock_t *lock)
{
	return READ_ONCE(lock->holder);
}

static inline u8 spin_this_holder(void)
{
#ifdef CONFIG_LOCKDEP
	return (u8)(smp_processor_id() + 1);
#else
	return 1;
#endif
}

/* The lock itself, without the checks. */
static inline bool spin_try(spinlock_t *lock)
{
	u8 nobody = 0;

	return __atomic_compare_exchange_n(&lock->holder, &nobody, spin_this_holder(), false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* When that failed: waits. */
void spin_wait(spinlock_t *lock);

static inline void spin_release(spinlock_t *lock)
{
	__atomic_store_n(&lock->holder, 0, __ATOMIC_RELEASE);
}

/*
 * How to wait, once at boot. In a virtual machine the one whose turn it is may not be running, and
 * everybody would wait until it does: there, who comes first when the lock is free has it.
 */
void spin_lock_choose(bool virtual_machine);

#ifdef CONFIG_LOCKDEP

/* Each place that initialises locks makes a class of them: a macro. */
#define spin_lock_init(lock)                                          \
	do {                                                          \
		static struct lock_site sli_site = { .name = #lock }; \
		__spin_lock_init((lock), &sli_site);                  \
	} while (0)
void __spin_lock_init(spinlock_t *lock, struct lock_site *site);
void __spin_lock(spinlock_t *lock, unsigned int subclass, const char *name);
bool __spin_trylock(spinlock_t *lock, const char *name);
void spin_unlock(spinlock_t *lock);
/* Whether this CPU holds it. */
bool spin_is_held(const spinlock_t *lock);

#define spin_lock(lock)		       __spin_lock((lock), 0, #lock)
#define spin_lock_nested(lock, subcls) __spin_lock((lock), (subcls), #lock)
#define spin_trylock(lock)	       __spin_trylock((lock), #lock)
#define assert_spin_locked(lock)       BUG_ON(!spin_is_held(lock))

#else

static inline void spin_lock_init(spinlock_t *lock)
{
	*lock = (spinlock_t)SPINLOCK_INIT;
}

static inline void spin_lock(spinlock_t *lock)
{
	if (unlikely(!spin_try(lock)))
		spin_wait(lock);
}

static inline void spin_unlock(spinlock_t *lock)
{
	spin_release(lock);
}

/* Takes it only if it is free: true on success. */
static inline bool spin_trylock(spinlock_t *lock)
{
	return spin_try(lock);
}

/* The second lock of a class: 1; a third one: 2. Which is the first must be clear: see docs/locking.md. */
#define spin_lock_nested(lock, subclass) spin_lock(lock)
#define assert_spin_locked(lock)	 ((void)(lock))

#endif

#define spin_lock_irqsave(lock)                             \
	({                                                  \
		unsigned long sli_flags = local_irq_save(); \
		spin_lock(lock);                            \
		sli_flags;                                  \
	})

static inline void spin_unlock_irqrestore(spinlock_t *lock, unsigned long flags)
{
	spin_unlock(lock);
	local_irq_restore(flags);
}

#endif
