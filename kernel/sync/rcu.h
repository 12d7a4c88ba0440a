/* SPDX-License-Identifier: MIT */
/*
 * Read-copy-update: readers take no lock and never wait; who takes something out of their sight frees
 * it when every reader that may still have seen it has gone, one grace period later.
 *
 * The kernel isn't preempted, so a processor that switches tasks, idles or runs a program reads nothing.
 * A grace period is over when every processor has been seen doing one of these.
 */
#ifndef KERNEL_SYNC_RCU_H
#define KERNEL_SYNC_RCU_H

#include "kernel/base/context.h"
#include "kernel/base/panic.h"

struct rcu_head {
	struct rcu_head *next;
	void (*fn)(struct rcu_head *head);
};

#ifdef CONFIG_LOCKDEP
static inline unsigned int rcu_read_depth(void)
{
	return this_cpu_read(rcu_readers);
}
static inline void rcu_count_reader(unsigned int n)
{
	DEBUG_ON(n == -1U && rcu_read_depth() == 0);
	this_cpu_add(rcu_readers, n);
}
#else
static inline unsigned int rcu_read_depth(void)
{
	return 0;
}
static inline void rcu_count_reader(unsigned int n)
{
}
#endif

/* Around reading. May nest, and be in an interrupt. Between them nobody sleeps. */
static inline void rcu_read_lock(void)
{
	rcu_count_reader(1);
	barrier();
}

static inline void rcu_read_unlock(void)
{
	barrier();
	rcu_count_reader(-1U);
}

/* A pointer that readers follow: read, and set after what it points at has been written. */
#define rcu_dereference(p)	 __atomic_load_n(&(p), __ATOMIC_CONSUME)
#define rcu_assign_pointer(p, v) __atomic_store_n(&(p), (v), __ATOMIC_RELEASE)

/*
 * Calls fn(head) after a grace period, in interrupt context: it may free, not sleep, and takes only locks
 * that are taken with interrupts off. In the order of the calls of one processor. Any context.
 */
void call_rcu(struct rcu_head *head, void (*fn)(struct rcu_head *head));
/* Waits for a grace period. May sleep. => not reading */
void synchronize_rcu(void);
/* Waits until everything given to call_rcu() so far has been called. May sleep. => not reading */
void rcu_barrier(void);

/* --- for the scheduler ---------------------------------------------------------------------------- */

/* Bit n: processor n has not been seen reading nothing since the grace period began. */
extern unsigned long rcu_holdouts;
void rcu_report_quiet(void);

/* This processor is about to switch tasks, or could: it reads nothing. => not reading */
static inline void rcu_note_context_switch(void)
{
	if (unlikely(__atomic_load_n(&rcu_holdouts, __ATOMIC_RELAXED) & BIT(smp_processor_id())))
		rcu_report_quiet();
}

/*
 * The timer interrupt, of each processor, idle or not: calls what is due. quiet: it interrupted a program
 * or the idle loop. True: this processor holds up the others by not switching, and should soon.
 * => interrupts off
 */
bool rcu_tick(bool quiet);

#endif
