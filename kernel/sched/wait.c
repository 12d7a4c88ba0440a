/* SPDX-License-Identifier: MIT */
#include "kernel/sched/wait.h"

void init_waitqueue_head(struct wait_queue_head *wq)
{
	spin_lock_init(&wq->lock);
	INIT_LIST_HEAD(&wq->waiters);
}

void prepare_to_wait(struct wait_queue_head *wq, struct wait_queue_entry *entry,
		     enum task_state state)
{
	unsigned long flags = spin_lock_irqsave(&wq->lock);

	if (!entry->se) {
		entry->se = this_cpu_read(current_se);
		list_add_tail(&entry->link, &wq->waiters);
	}
	set_current_state(state);
	spin_unlock_irqrestore(&wq->lock, flags);
}

void finish_wait(struct wait_queue_head *wq, struct wait_queue_entry *entry)
{
	unsigned long flags = spin_lock_irqsave(&wq->lock);

	list_del(&entry->link);
	set_current_state(TASK_RUNNING);
	spin_unlock_irqrestore(&wq->lock, flags);
}

void add_wait_queue(struct wait_queue_head *wq, struct wait_queue_entry *entry)
{
	unsigned long flags = spin_lock_irqsave(&wq->lock);

	list_add_tail(&entry->link, &wq->waiters);
	spin_unlock_irqrestore(&wq->lock, flags);
}

void remove_wait_queue(struct wait_queue_head *wq, struct wait_queue_entry *entry)
{
	unsigned long flags = spin_lock_irqsave(&wq->lock);

	list_del(&entry->link);
	spin_unlock_irqrestore(&wq->lock, flags);
}

void wake_up(struct wait_queue_head *wq)
{
	unsigned long flags = spin_lock_irqsave(&wq->lock);
	struct wait_queue_entry *entry;

	list_for_each_entry(entry, &wq->waiters, link)
	{
		if (entry->wake)
			entry->wake(entry);
		else
			sched_wake(entry->se);
	}
	spin_unlock_irqrestore(&wq->lock, flags);
}
