/* SPDX-License-Identifier: MIT */
#include "kernel/sync/mutex.h"

/* The owner while the machine still has one thread and no scheduler. */
static char boot_thread;

const struct sleep_ops *sleep_ops;

static void *current_thread(void)
{
	return sleep_ops ? sleep_ops->current() : &boot_thread;
}

void mutex_init(struct mutex *m)
{
	m->owner = NULL;
	spin_lock_init(&m->wait_lock);
	INIT_LIST_HEAD(&m->waiters);
}

bool mutex_trylock(struct mutex *m)
{
	void *none = NULL;

	return __atomic_compare_exchange_n(&m->owner, &none, current_thread(), false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static noinline void mutex_lock_slow(struct mutex *m)
{
	struct lock_waiter self = { .thread = current_thread() };
	unsigned long flags;

	BUG_ON(READ_ONCE(m->owner) == self.thread);
	BUG_ON(!sleep_ops);
	flags = spin_lock_irqsave(&m->wait_lock);
	if (mutex_trylock(m)) {
		spin_unlock_irqrestore(&m->wait_lock, flags);
		return;
	}
	list_add_tail(&self.link, &m->waiters);
	while (!READ_ONCE(self.granted)) {
		sleep_ops->prepare();
		spin_unlock_irqrestore(&m->wait_lock, flags);
		sleep_ops->schedule();
		flags = spin_lock_irqsave(&m->wait_lock);
	}
	spin_unlock_irqrestore(&m->wait_lock, flags);
}

void mutex_lock(struct mutex *m)
{
	if (unlikely(!mutex_trylock(m)))
		mutex_lock_slow(m);
}

void mutex_unlock(struct mutex *m)
{
	unsigned long flags = spin_lock_irqsave(&m->wait_lock);
	struct lock_waiter *next;

	DEBUG_ON(READ_ONCE(m->owner) != current_thread());
	if (list_empty(&m->waiters)) {
		__atomic_store_n(&m->owner, NULL, __ATOMIC_RELEASE);
	} else {
		next = list_first_entry(&m->waiters, struct lock_waiter, link);
		list_del(&next->link);
		__atomic_store_n(&m->owner, next->thread, __ATOMIC_RELEASE);
		next->granted = true;
		sleep_ops->wake(next->thread);
	}
	spin_unlock_irqrestore(&m->wait_lock, flags);
}
