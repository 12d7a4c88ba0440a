/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_SYNC_RWSEM_H
#define KERNEL_SYNC_RWSEM_H

#include "kernel/base/atomic.h"
#include "kernel/sync/sleep.h"

/*
 * A sleeping lock for many readers or one writer, in order of arrival: a waiting writer keeps new
 * readers out, so it is not starved. Not from interrupts.
 *
 * count: bit 0 writer holds it, bit 1 somebody waits, readers above in steps of RWSEM_READER.
 */
struct rw_semaphore {
	atomic_long_t count;
	spinlock_t wait_lock;
	lock_class_t class; /* in debug builds */
	struct list_head waiters;
};

#define RWSEM_WRITER  1L
#define RWSEM_WAITERS 2L
#define RWSEM_READER  4L

#define RWSEM_INIT(name)                                   \
	{                                                  \
		.wait_lock = { .class = LOCK_CLASS_WAIT }, \
		.waiters = LIST_HEAD_INIT((name).waiters), \
	}

bool down_read_trylock(struct rw_semaphore *sem);
bool down_write_trylock(struct rw_semaphore *sem);
void up_read(struct rw_semaphore *sem);
void up_write(struct rw_semaphore *sem);
/* Turns the caller's write hold into a read hold without letting another writer in between. */
void downgrade_write(struct rw_semaphore *sem);

#ifdef CONFIG_LOCKDEP
#define init_rwsem(sem)                                             \
	do {                                                        \
		static struct lock_site is_site = { .name = #sem }; \
		__init_rwsem((sem), &is_site);                      \
	} while (0)
void __init_rwsem(struct rw_semaphore *sem, struct lock_site *site);
void __down_read(struct rw_semaphore *sem, unsigned int subclass, const char *name);
void __down_write(struct rw_semaphore *sem, unsigned int subclass, const char *name);
#define down_read(sem)			 __down_read((sem), 0, #sem)
#define down_write(sem)			 __down_write((sem), 0, #sem)
#define down_read_nested(sem, subclass)	 __down_read((sem), (subclass), #sem)
#define down_write_nested(sem, subclass) __down_write((sem), (subclass), #sem)
#else
void init_rwsem(struct rw_semaphore *sem);
void down_read(struct rw_semaphore *sem);
void down_write(struct rw_semaphore *sem);
/* The second semaphore of a class: 1. */
#define down_read_nested(sem, subclass)	 down_read(sem)
#define down_write_nested(sem, subclass) down_write(sem)
#endif

static inline bool rwsem_is_locked(const struct rw_semaphore *sem)
{
	return atomic_long_read(&sem->count) & ~RWSEM_WAITERS;
}

static inline bool rwsem_is_write_locked(const struct rw_semaphore *sem)
{
	return atomic_long_read(&sem->count) & RWSEM_WRITER;
}

#endif
