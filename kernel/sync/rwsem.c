/* SPDX-License-Identifier: MIT */
/*
 * The fast paths are one compare-and-exchange. Whoever can't have the lock queues up under
 * wait_lock and sets RWSEM_WAITERS, which makes every later unlock come to rwsem_wake(), under
 * wait_lock, too: it hands the lock to the first in the queue, and if that is a reader, to all readers
 * directly behind it.
 */
#include "kernel/sync/rwsem.h"

static bool count_cmpxchg(struct rw_semaphore *sem, long *old, long new)
{
	return __atomic_compare_exchange_n(&sem->count.v, old, new, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

static bool try_to_read(struct rw_semaphore *sem)
{
	long old = atomic_long_read(&sem->count);

	while (!(old & (RWSEM_WRITER | RWSEM_WAITERS)))
		if (count_cmpxchg(sem, &old, old + RWSEM_READER))
			return true;
	return false;
}

static bool try_to_write(struct rw_semaphore *sem)
{
	long old = 0;

	return count_cmpxchg(sem, &old, RWSEM_WRITER);
}

/* => wait_lock held. Gives the lock to as many waiters as can have it now. */
static void rwsem_wake(struct rw_semaphore *sem)
{
	struct lock_waiter *w, *next;
	long old, new;

	list_for_each_entry_safe(w, next, &sem->waiters, link)
	{
		bool last = w->link.next == &sem->waiters;

		old = atomic_long_read(&sem->count);
		do {
			if (w->write ? (old & ~RWSEM_WAITERS) != 0 : (old & RWSEM_WRITER) != 0)
				return;
			new = old + (w->write ? RWSEM_WRITER : RWSEM_READER);
			if (last)
				new &= ~RWSEM_WAITERS;
		} while (!count_cmpxchg(sem, &old, new));
		list_del(&w->link);
		w->granted = true;
		sleep_ops->wake(w->thread);
	}
}

static noinline void rwsem_wait(struct rw_semaphore *sem, bool write)
{
	struct lock_waiter self = { .write = write };
	unsigned long flags;

	BUG_ON(!sleep_ops);
	self.thread = sleep_ops->current();
	flags = spin_lock_irqsave(&sem->wait_lock);
	list_add_tail(&self.link, &sem->waiters);
	__atomic_fetch_or(&sem->count.v, RWSEM_WAITERS, __ATOMIC_SEQ_CST);
	/* The holder may have left between our try and the flag: then nobody else would wake us. */
	rwsem_wake(sem);
	while (!READ_ONCE(self.granted)) {
		sleep_ops->prepare();
		spin_unlock_irqrestore(&sem->wait_lock, flags);
		sleep_ops->schedule();
		flags = spin_lock_irqsave(&sem->wait_lock);
	}
	spin_unlock_irqrestore(&sem->wait_lock, flags);
}

static inline void take_read(struct rw_semaphore *sem)
{
	if (unlikely(!try_to_read(sem)))
		rwsem_wait(sem, false);
}

static inline void take_write(struct rw_semaphore *sem)
{
	if (unlikely(!try_to_write(sem)))
		rwsem_wait(sem, true);
}

static noinline void change_and_wake(struct rw_semaphore *sem, long change)
{
	unsigned long flags = spin_lock_irqsave(&sem->wait_lock);

	atomic_long_add(&sem->count, change);
	rwsem_wake(sem);
	spin_unlock_irqrestore(&sem->wait_lock, flags);
}

/*
 * Who gets the lock after us may free what it lies in: an anon_vma's root goes with its last area. So we
 * don't touch it any more once he can have it: either nobody waits in the moment we let go, or we let go
 * under wait_lock, which who waits takes before he goes on.
 */
static inline void release(struct rw_semaphore *sem, long change)
{
	long old = atomic_long_read(&sem->count);

	do {
		if (unlikely(old & RWSEM_WAITERS)) {
			change_and_wake(sem, change);
			return;
		}
	} while (unlikely(!count_cmpxchg(sem, &old, old + change)));
}

static inline void release_read(struct rw_semaphore *sem)
{
	DEBUG_ON(atomic_long_read(&sem->count) < RWSEM_READER);
	release(sem, -RWSEM_READER);
}

static inline void release_write(struct rw_semaphore *sem)
{
	DEBUG_ON(!rwsem_is_write_locked(sem));
	release(sem, -RWSEM_WRITER);
}

static inline void downgrade(struct rw_semaphore *sem)
{
	DEBUG_ON(!rwsem_is_write_locked(sem));
	release(sem, RWSEM_READER - RWSEM_WRITER);
}

#ifdef CONFIG_LOCKDEP

static void note(struct rw_semaphore *sem, enum lock_kind kind, unsigned int subclass,
		 const char *name, unsigned long ip)
{
	const struct lock_use use = {
		.lock = sem,
		.class = &sem->class,
		.name = name ? name : "semaphore",
		.ip = ip,
		.kind = (u8)kind,
		.subclass = (u8)subclass,
		.try = !name,
	};

	lockdep_acquire(&use);
}

void __init_rwsem(struct rw_semaphore *sem, struct lock_site *site)
{
	*sem = (struct rw_semaphore)RWSEM_INIT(*sem);
	sem->class = lockdep_site_class(site);
}

void __down_read(struct rw_semaphore *sem, unsigned int subclass, const char *name)
{
	might_sleep();
	note(sem, LOCK_READ, subclass, name, caller_ip());
	take_read(sem);
}

void __down_write(struct rw_semaphore *sem, unsigned int subclass, const char *name)
{
	might_sleep();
	note(sem, LOCK_WRITE, subclass, name, caller_ip());
	take_write(sem);
}

bool down_read_trylock(struct rw_semaphore *sem)
{
	bool taken = try_to_read(sem);

	if (taken)
		note(sem, LOCK_READ, 0, NULL, caller_ip());
	return taken;
}

bool down_write_trylock(struct rw_semaphore *sem)
{
	bool taken = try_to_write(sem);

	if (taken)
		note(sem, LOCK_WRITE, 0, NULL, caller_ip());
	return taken;
}

void up_read(struct rw_semaphore *sem)
{
	lockdep_release(sem, sem->class, LOCK_READ, caller_ip());
	release_read(sem);
}

void up_write(struct rw_semaphore *sem)
{
	lockdep_release(sem, sem->class, LOCK_WRITE, caller_ip());
	release_write(sem);
}

void downgrade_write(struct rw_semaphore *sem)
{
	lockdep_downgrade(sem, sem->class, caller_ip());
	downgrade(sem);
}

#else

void init_rwsem(struct rw_semaphore *sem)
{
	*sem = (struct rw_semaphore)RWSEM_INIT(*sem);
}

void down_read(struct rw_semaphore *sem)
{
	take_read(sem);
}

void down_write(struct rw_semaphore *sem)
{
	take_write(sem);
}

bool down_read_trylock(struct rw_semaphore *sem)
{
	return try_to_read(sem);
}

bool down_write_trylock(struct rw_semaphore *sem)
{
	return try_to_write(sem);
}

void up_read(struct rw_semaphore *sem)
{
	release_read(sem);
}

void up_write(struct rw_semaphore *sem)
{
	release_write(sem);
}

void downgrade_write(struct rw_semaphore *sem)
{
	downgrade(sem);
}

#endif
