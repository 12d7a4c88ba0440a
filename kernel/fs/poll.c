/* SPDX-License-Identifier: MIT */
#include "kernel/fs/poll.h"

#include <arch/clock.h>

#include "mm/slab.h"

struct poll_page {
	struct poll_page *next;
	unsigned int nr;
	struct poll_entry entries[];
};

#define PER_PAGE ((PAGE_SIZE - sizeof(struct poll_page)) / sizeof(struct poll_entry))

u32 vfs_poll(struct file *file, struct poll_table *pt)
{
	if (!file->f_op->poll)
		return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
	return file->f_op->poll(file, pt);
}

/* A free entry, or NULL. */
static struct poll_entry *new_entry(struct poll_wqueues *pwq)
{
	struct poll_page *page = pwq->pages;

	if (pwq->nr_inline < POLL_INLINE)
		return &pwq->few[pwq->nr_inline++];
	if (!page || page->nr == PER_PAGE) {
		page = kmalloc(PAGE_SIZE, GFP_KERNEL);
		if (!page)
			return NULL;
		page->nr = 0;
		page->next = pwq->pages;
		pwq->pages = page;
	}
	return &page->entries[page->nr++];
}

static void poll_wake(struct wait_queue_entry *wait)
{
	struct poll_wqueues *pwq = container_of(wait, struct poll_entry, wait)->owner;

	__atomic_store_n(&pwq->triggered, true, __ATOMIC_SEQ_CST);
	sched_wake(pwq->se);
}

static void poll_queue(struct poll_table *pt, struct file *file, struct wait_queue_head *wq)
{
	struct poll_wqueues *pwq = container_of(pt, struct poll_wqueues, pt);
	struct poll_entry *entry = new_entry(pwq);

	if (!entry) {
		pwq->error = -ENOMEM;
		return;
	}
	*entry = (struct poll_entry){
		.wait = { .se = pwq->se, .wake = poll_wake },
		.wq = wq,
		.file = get_file(file),
		.owner = pwq,
	};
	add_wait_queue(wq, &entry->wait);
}

void poll_initwait(struct poll_wqueues *pwq)
{
	pwq->pt.queue = poll_queue;
	pwq->se = this_cpu_read(current_se);
	pwq->triggered = false;
	pwq->error = 0;
	pwq->nr_inline = 0;
	pwq->pages = NULL;
}

static void free_entries(struct poll_entry *entries, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		remove_wait_queue(entries[i].wq, &entries[i].wait);
		fput(entries[i].file);
	}
}

void poll_freewait(struct poll_wqueues *pwq)
{
	free_entries(pwq->few, pwq->nr_inline);
	while (pwq->pages) {
		struct poll_page *page = pwq->pages;

		pwq->pages = page->next;
		free_entries(page->entries, page->nr);
		kfree(page);
	}
}

static void wake_sleeper(void *se)
{
	sched_wake(se);
}

bool poll_sleep(struct poll_wqueues *pwq, u64 until)
{
	struct timer timer = { .expires = until, .fn = wake_sleeper, .arg = pwq->se };
	bool timed = until != POLL_NO_TIMEOUT, in_time = true;

	for (;;) {
		/* Again, when it has fired by a clock that is a little ahead of ours. */
		if (timed && !READ_ONCE(timer.armed))
			timer_start(&timer);
		set_current_state(TASK_INTERRUPTIBLE);
		if (__atomic_load_n(&pwq->triggered, __ATOMIC_SEQ_CST) || sched_signal_pending())
			break;
		in_time = !timed || clock_ns() < until;
		if (!in_time)
			break;
		schedule();
	}
	set_current_state(TASK_RUNNING);
	if (timed)
		timer_cancel_sync(&timer);
	/* What comes from now on belongs to the next sleep: the files are looked at before it. */
	__atomic_store_n(&pwq->triggered, false, __ATOMIC_SEQ_CST);
	return in_time;
}
