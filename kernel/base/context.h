/* SPDX-License-Identifier: MIT */
/* What a processor is in the middle of. Debug builds count it, to say so where somebody may not sleep. */
#ifndef KERNEL_BASE_CONTEXT_H
#define KERNEL_BASE_CONTEXT_H

#include <arch/percpu.h>

#ifdef CONFIG_LOCKDEP

DECLARE_PER_CPU(unsigned int, spinlock_depth); /* spinlocks it holds */
DECLARE_PER_CPU(unsigned int, rcu_readers);    /* read sections it is in, one within the other */
DECLARE_PER_CPU(unsigned int, irq_depth);      /* interrupt handlers it is in */

/* Whether sleeping is checked (not before the scheduler runs) and locks are: neither in a panic. */
extern bool context_checks, lock_checks;

static inline void enable_context_checks(void)
{
	context_checks = true;
}

static inline void stop_context_checks(void)
{
	context_checks = false;
	__atomic_store_n(&lock_checks, false, __ATOMIC_RELAXED);
}

/* Panics unless the caller may sleep; irqs_on: and has interrupts on. */
void check_may_sleep(const char *file, int line, bool irqs_on);

/* In each function that may sleep, also where it mostly doesn't. */
#define might_sleep() check_may_sleep(__FILE__, __LINE__, true)
/* In schedule(), which who leaves for ever calls with interrupts off. */
#define check_schedule() check_may_sleep(__FILE__, __LINE__, false)

static inline void irq_enter(void)
{
	this_cpu_inc(irq_depth);
}
static inline void irq_exit(void)
{
	this_cpu_add(irq_depth, -1U);
}

/* Whether what runs is a thread's own work, not an interrupt's. */
static inline bool in_task(void)
{
	return !this_cpu_read(irq_depth);
}

#define might_sleep_if(cond)           \
	do {                           \
		if (cond)              \
			might_sleep(); \
	} while (0)

#else

#define might_sleep_if(cond) ((void)sizeof(cond))
#define might_sleep()	     ((void)0)
#define check_schedule()     ((void)0)

static inline void stop_context_checks(void)
{
}
static inline void enable_context_checks(void)
{
}
static inline void irq_enter(void)
{
}
static inline void irq_exit(void)
{
}

#endif

#endif
