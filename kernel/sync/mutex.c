/* SPDX-License-Identifier: MIT */
#include "kernel/sync/mutex.h"

/* The owner while the machine still has one thread and no scheduler. */
static char boot_thread;

const struct sleep_ops *sleep_ops;

static void *current_thread(void)
{
	return sleep_ops ? sleep_ops->current() : &boot_thread;
}

static bool try_to_take(struct mutex *m)
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
	if (try_to_take(m)) {
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

static inline void take(struct mutex *m)
{
	if (unlikely(!try_to_take(m)))
		mutex_lock_slow(m);
}

#ifdef CONFIG_LOCKDEP

static struct lock_use use_of(struct mutex *m, unsigned int subclass, const char *name)
{
	return (struct lock_use){
		.lock = m,
		.class = &m->class,
		.name = name,
		.kind = LOCK_MUTEX,
		.subclass = (u8)subclass,
	};
}

void __mutex_init(struct mutex *m, struct lock_site *site)
{
	*m = (struct mutex)MUTEX_INIT(*m);
	m->class = lockdep_site_class(site);
}

void __mutex_lock(struct mutex *m, unsigned int subclass, const char *name)
{
	struct lock_use use = use_of(m, subclass, name);

	might_sleep();
	use.ip = caller_ip();
	lockdep_acquire(&use);
	take(m);
}

bool mutex_trylock(struct mutex *m)
{
	struct lock_use use = use_of(m, 0, "mutex");

	if (!try_to_take(m))
		return false;
	use.ip = caller_ip();
	use.try = true;
	lockdep_acquire(&use);
	return true;
}

static void note_release(struct mutex *m, unsigned long ip)
{
	lockdep_release(m, m->class, LOCK_MUTEX, ip);
}

#else

void mutex_init(struct mutex *m)
{
	*m = (struct mutex)MUTEX_INIT(*m);
}

void mutex_lock(struct mutex *m)
{
	take(m);
}

bool mutex_trylock(struct mutex *m)
{
	return try_to_take(m);
}

static void note_release(struct mutex *m, unsigned long ip)
{
}

#endif

void mutex_unlock(struct mutex *m)
{
	struct lock_waiter *next;
	unsigned long flags;

	note_release(m, caller_ip());
	flags = spin_lock_irqsave(&m->wait_lock);
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
