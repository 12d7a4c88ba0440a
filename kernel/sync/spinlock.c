/* SPDX-License-Identifier: MIT */
/* How spinlocks are waited for, and those of the debug build. */
#include "kernel/sync/spinlock.h"

#include <arch/clock.h>

static bool unfair;

void spin_lock_choose(bool virtual_machine)
{
	unfair = virtual_machine;
}

#ifdef CONFIG_LOCKDEP

/* Who waits so long will not get it any more: generous, since processors may be fewer than they seem. */
#define STUCK_NS     60000000000UL
#define STUCK_CHECKS (1UL << 22)

static noinline void check_stuck(const spinlock_t *lock, u64 *since)
{
	u8 mark = READ_ONCE(lock->holder);

	if (!*since)
		*since = clock_ns();
	if (clock_ns() - *since < STUCK_NS)
		return;
	lockdep_off();
	if (mark)
		lockdep_show_ip("the one that holds it took it at ",
				lockdep_spin_holder(mark - 1U, lock));
	panic("spinlock %s is stuck, held by CPU %d", lockdep_class_name(lock->class), mark - 1);
}

/* One turn of waiting; *turns counts them. */
static void spin_turn(const spinlock_t *lock, unsigned long *turns, u64 *since)
{
	cpu_relax();
	if (unlikely(++*turns % STUCK_CHECKS == 0))
		check_stuck(lock, since);
}

#else

static void spin_turn(const spinlock_t *lock, unsigned long *turns, u64 *since)
{
	cpu_relax();
}

#endif

noinline void spin_wait(spinlock_t *lock)
{
	unsigned long turns = 0;
	u64 since = 0;
	u8 ticket = 0;

	if (!unfair) {
		ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_RELAXED);
		while (__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket)
			spin_turn(lock, &turns, &since);
	}
	while (spin_is_locked(lock) || !spin_try(lock))
		spin_turn(lock, &turns, &since);
	if (!unfair)
		__atomic_store_n(&lock->serving, (u8)(ticket + 1), __ATOMIC_RELEASE);
}

#ifdef CONFIG_LOCKDEP

bool spin_is_held(const spinlock_t *lock)
{
	return READ_ONCE(lock->holder) == spin_this_holder();
}

void __spin_lock_init(spinlock_t *lock, struct lock_site *site)
{
	*lock = (spinlock_t){ .class = lockdep_site_class(site) };
}

void __spin_lock(spinlock_t *lock, unsigned int subclass, const char *name)
{
	const struct lock_use use = {
		.lock = lock,
		.class = &lock->class,
		.name = name,
		.ip = caller_ip(),
		.kind = LOCK_SPIN,
		.subclass = (u8)subclass,
	};

	lockdep_acquire(&use);
	if (unlikely(!spin_try(lock)))
		spin_wait(lock);
	this_cpu_inc(spinlock_depth);
}

bool __spin_trylock(spinlock_t *lock, const char *name)
{
	const struct lock_use use = {
		.lock = lock,
		.class = &lock->class,
		.name = name,
		.ip = caller_ip(),
		.kind = LOCK_SPIN,
		.try = true,
	};

	if (!spin_try(lock))
		return false;
	lockdep_acquire(&use);
	this_cpu_inc(spinlock_depth);
	return true;
}

void spin_unlock(spinlock_t *lock)
{
	if (unlikely(!spin_is_held(lock))) {
		lockdep_off();
		lockdep_show_ip("released at ", caller_ip());
		panic("%s is released by who does not hold it", lockdep_class_name(lock->class));
	}
	lockdep_release(lock, lock->class, LOCK_SPIN, caller_ip());
	this_cpu_add(spinlock_depth, -1U);
	spin_release(lock);
}

#endif
