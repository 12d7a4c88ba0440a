/* SPDX-License-Identifier: MIT */
/* The queues in which signals wait, each with what its sender said about it. */
#include "kernel/base/string.h"
#include "kernel/process/task.h"
#include "kernel/process/timers.h"
#include "mm/slab.h"

static struct kmem_cache *sigqueue_cache;

void sigqueue_init(void)
{
	sigqueue_cache = kmem_cache_create("sigqueue", sizeof(struct sigqueue), 0);
}

void sigpending_init(struct sigpending *pending)
{
	pending->signals = 0;
	INIT_LIST_HEAD(&pending->queue);
}

static void free_entry(struct sigqueue *q)
{
	list_del_init(&q->link);
	if (q->timer)
		return; /* it will be sent again */
	atomic_long_dec(&q->user->sigpending);
	user_put(q->user);
	kmem_cache_free(sigqueue_cache, q);
}

void sigpending_flush(struct sigpending *pending, u64 mask)
{
	struct sigqueue *q, *next;

	if (!(pending->signals & mask))
		return;
	WRITE_ONCE(pending->signals, pending->signals & ~mask);
	list_for_each_entry_safe(q, next, &pending->queue, link)
	{
		if (mask & sig_bit(q->info.si_signo))
			free_entry(q);
	}
}

void sigpending_free(struct sigpending *pending)
{
	sigpending_flush(pending, ~0UL);
}

static bool may_queue(const struct task_struct *task)
{
	return (unsigned long)atomic_long_read(&task->user->sigpending) <
	       task->signal->rlim[RLIMIT_SIGPENDING].cur;
}

static void count_entry(struct sigqueue *q, const struct task_struct *task)
{
	q->timer = NULL;
	q->user = task->user;
	user_hold(q->user);
	atomic_long_inc(&q->user->sigpending);
}

struct sigqueue *sigqueue_alloc(void)
{
	struct sigqueue *q =
		may_queue(current) ? kmem_cache_alloc(sigqueue_cache, GFP_KERNEL) : NULL;

	if (!q)
		return NULL;
	count_entry(q, current);
	INIT_LIST_HEAD(&q->link);
	return q;
}

void sigqueue_release(struct sigqueue *q)
{
	q->timer = NULL;
	if (list_empty(&q->link))
		free_entry(q);
}

void sigpending_add_queue(struct sigpending *pending, struct sigqueue *q)
{
	list_add_tail(&q->link, &pending->queue);
	WRITE_ONCE(pending->signals, pending->signals | sig_bit(q->info.si_signo));
}

int sigpending_add(struct sigpending *pending, const struct task_struct *task,
		   const struct siginfo_kernel *info, bool limited)
{
	struct sigqueue *q = NULL;
	int sig = info->si_signo;

	if (sig < SIGRTMIN && (pending->signals & sig_bit(sig)))
		return 0;
	/* What the kernel kills with needs no explanation, and must not fail. */
	if (sig != SIGKILL && (!limited || may_queue(task)))
		q = kmem_cache_alloc(sigqueue_cache, GFP_ATOMIC);
	if (q) {
		q->info = *info;
		count_entry(q, task);
		list_add_tail(&q->link, &pending->queue);
	} else if (sig >= SIGRTMIN && info->si_code != SI_USER) {
		return -EAGAIN;
	}
	WRITE_ONCE(pending->signals, pending->signals | sig_bit(sig));
	return 0;
}

/* The siginfo of the first `sig` in the queue; the number goes on waiting if there is another. */
static void collect(struct sigpending *pending, int sig, struct siginfo_kernel *info)
{
	struct sigqueue *q, *first = NULL;
	bool another = false;

	list_for_each_entry(q, &pending->queue, link)
	{
		if (q->info.si_signo != sig)
			continue;
		if (first) {
			another = true;
			break;
		}
		first = q;
	}
	if (!another)
		WRITE_ONCE(pending->signals, pending->signals & ~sig_bit(sig));
	if (first) {
		*info = first->info;
		if (first->timer)
			posix_timer_taken(first->timer, info);
		free_entry(first);
	} else {
		siginfo_init(info, sig, SI_USER);
	}
}

int sigpending_take(struct sigpending *pending, u64 wanted, struct siginfo_kernel *info)
{
	u64 ready = pending->signals & wanted;
	int sig;

	if (!ready)
		return 0;
	if (ready & SIG_SYNCHRONOUS)
		ready &= SIG_SYNCHRONOUS;
	sig = __builtin_ctzl(ready) + 1;
	collect(pending, sig, info);
	return sig;
}

int sigpending_take_trap(struct sigpending *pending, u64 wanted, struct siginfo_kernel *info)
{
	struct sigqueue *q;

	wanted &= SIG_SYNCHRONOUS;
	if (!(pending->signals & wanted))
		return 0;
	list_for_each_entry(q, &pending->queue, link)
	{
		int sig = q->info.si_signo;

		/* Above SI_USER is what the kernel itself sends. */
		if (q->info.si_code <= SI_USER || !(wanted & sig_bit(sig)))
			continue;
		collect(pending, sig, info);
		return sig;
	}
	return 0;
}
