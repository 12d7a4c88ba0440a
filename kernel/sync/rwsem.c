/* SPDX-License-Identifier: MIT */
/*
 * The fast paths are one compare-and-exchange. Whoever can't have the lock queues up under
 * wait_lock and sets RWSEM_WAITERS, which makes every later unlock come to rwsem_wake(): it hands
 * the lock to the first in the queue, and if that is a reader, to all readers directly behind it.
 */
#include "kernel/sync/rwsem.h"

void init_rwsem(struct rw_semaphore *sem)
{
	atomic_long_set(&sem->count, 0);
	spin_lock_init(&sem->wait_lock);
	INIT_LIST_HEAD(&sem->waiters);
}

static bool count_cmpxchg(struct rw_semaphore *sem, long *old, long new)
{
	return __atomic_compare_exchange_n(&sem->count.v, old, new, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

bool down_read_trylock(struct rw_semaphore *sem)
{
	long old = atomic_long_read(&sem->count);

	while (!(old & (RWSEM_WRITER | RWSEM_WAITERS)))
		if (count_cmpxchg(sem, &old, old + RWSEM_READER))
			return true;
	return false;
}

bool down_write_trylock(struct rw_semaphore *sem)
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

void down_read(struct rw_semaphore *sem)
{
	if (unlikely(!down_read_trylock(sem)))
		rwsem_wait(sem, false);
}

void down_write(struct rw_semaphore *sem)
{
	if (unlikely(!down_write_trylock(sem)))
		rwsem_wait(sem, true);
}

static void rwsem_wake_after(struct rw_semaphore *sem, long count)
{
	unsigned long flags;

	if (likely(!(count & RWSEM_WAITERS)))
		return;
	flags = spin_lock_irqsave(&sem->wait_lock);
	rwsem_wake(sem);
	spin_unlock_irqrestore(&sem->wait_lock, flags);
}

void up_read(struct rw_semaphore *sem)
{
	DEBUG_ON(atomic_long_read(&sem->count) < RWSEM_READER);
	rwsem_wake_after(sem, atomic_long_add_return(&sem->count, -RWSEM_READER));
}

void up_write(struct rw_semaphore *sem)
{
	DEBUG_ON(!rwsem_is_write_locked(sem));
	rwsem_wake_after(sem, atomic_long_add_return(&sem->count, -RWSEM_WRITER));
}

void downgrade_write(struct rw_semaphore *sem)
{
	DEBUG_ON(!rwsem_is_write_locked(sem));
	rwsem_wake_after(sem, atomic_long_add_return(&sem->count, RWSEM_READER - RWSEM_WRITER));
}
