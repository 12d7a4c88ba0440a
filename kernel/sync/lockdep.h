/* SPDX-License-Identifier: MIT */
/*
 * Who holds which locks, and in which orders locks have been taken: debug builds panic on the first wrong
 * order, also when nobody happened to wait. docs/locking.md shows a report.
 *
 * Locks are told apart by class: each static lock is one, and all locks that one line initialises.
 */
#ifndef KERNEL_SYNC_LOCKDEP_H
#define KERNEL_SYNC_LOCKDEP_H

#include "kernel/base/context.h"

enum lock_kind {
	LOCK_SPIN,
	LOCK_MUTEX,
	LOCK_READ,
	LOCK_WRITE,
};

/* A class, by number; 0: not known yet. */
typedef u8 lock_class_t;
#define LOCK_CLASS_WAIT 1 /* the spinlocks within mutexes and semaphores */

/* A line that initialises locks. */
struct lock_site {
	const char *name;
	lock_class_t class;
};

#define MAX_HELD_LOCKS 16

struct held_lock {
	const void *lock;
	unsigned long ip;
	lock_class_t class;
	u8 kind; /* enum lock_kind */
};

/* In the order in which they were taken. Sleeping locks are a task's, spinlocks a processor's. */
struct held_locks {
	unsigned int nr;
	struct held_lock locks[MAX_HELD_LOCKS];
};

/* What is being taken: the lock, where its class is remembered, and how it is called if that is new. */
struct lock_use {
	const void *lock;
	lock_class_t *class;
	const char *name;
	unsigned long ip;
	u8 kind;
	u8 subclass; /* of two locks of a class at once, the second's is 1 */
	bool try;    /* it isn't waited for: any order is right */
};

/* Where the function that this stands in was called. */
#define caller_ip() ((unsigned long)__builtin_return_address(0))

#ifdef CONFIG_LOCKDEP

lock_class_t lockdep_site_class(struct lock_site *site);
/* The present thread's sleeping locks are these from now on; NULL: the boot thread's. => irqs off */
void lockdep_set_thread(struct held_locks *held);
/* Before a lock is waited for, or after a try succeeded. */
void lockdep_acquire(const struct lock_use *use);
/* Panics when it isn't held. */
void lockdep_release(const void *lock, lock_class_t class, enum lock_kind kind, unsigned long ip);
/* downgrade_write() */
void lockdep_downgrade(const void *lock, lock_class_t class, unsigned long ip);
const char *lockdep_class_name(lock_class_t class);
/* Where that processor took the spinlock, or 0. */
unsigned long lockdep_spin_holder(unsigned int cpu, const void *lock);
/* Ends all checks, for who is about to panic. */
void lockdep_off(void);
/* For panics: one address with its function's name. */
void lockdep_show_ip(const char *before, unsigned long ip);

#else

static inline void lockdep_set_thread(struct held_locks *held)
{
}

#endif

#endif
