/* SPDX-License-Identifier: MIT */
#include "kernel/sync/rcu.h"

/* With one processor whoever gets here is not reading, and so nobody is. */
void call_rcu(struct rcu_head *head, void (*fn)(struct rcu_head *head))
{
	fn(head);
}

void synchronize_rcu(void)
{
}

void rcu_barrier(void)
{
}
