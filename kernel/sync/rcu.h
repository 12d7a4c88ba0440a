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

#include "kernel/base/compiler.h"

struct rcu_head {
	struct rcu_head *next;
	void (*fn)(struct rcu_head *head);
};

/* Around reading. May nest. Between them nobody sleeps. */
static inline void rcu_read_lock(void)
{
	barrier();
}

static inline void rcu_read_unlock(void)
{
	barrier();
}

/* A pointer that readers follow: read, and set after what it points at has been written. */
#define rcu_dereference(p)	 __atomic_load_n(&(p), __ATOMIC_CONSUME)
#define rcu_assign_pointer(p, v) __atomic_store_n(&(p), (v), __ATOMIC_RELEASE)

/* Calls fn(head) after a grace period, in interrupt context: it may free, not sleep. Any context. */
void call_rcu(struct rcu_head *head, void (*fn)(struct rcu_head *head));
/* Waits for a grace period. May sleep. */
void synchronize_rcu(void);
/* Waits until everything given to call_rcu() so far has been called. May sleep. */
void rcu_barrier(void);

#endif
