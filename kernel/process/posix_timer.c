/* SPDX-License-Identifier: MIT */
/*
 * The timers of timer_create(2). A timer's signal waits at most once: as often as it fires while the
 * signal still waits, it counts as an overrun, which the signal tells when it is taken at last.
 *
 * The timer interrupt takes tasklist_lock and sighand->lock before it looks at a timer, so what holds
 * these two has all of them to itself.
 */
#include <arch/uaccess.h>

#include "kernel/process/task.h"
#include "kernel/process/timers.h"
#include "mm/slab.h"

#define CAP_WAKE_ALARM 35

struct posix_timer {
	struct list_head link; /* in process->timers.posix */
	struct signal_struct *process;
	int id, clock, notify;
	struct task_struct *thread; /* with SIGEV_THREAD_ID; referenced */
	struct sigqueue *q;
	bool usable; /* its maker knows the id */
	bool active; /* will fire, or would if it told anybody */
	bool cpu;    /* on cpu_timer, else on timer */
	struct timer timer;
	struct cpu_timer cpu_timer;
	u64 expires, interval; /* ns, by its clock */
	u64 overrun;	       /* since its signal was sent last */
	int overrun_told;
};

static struct kmem_cache *posix_timer_cache;

void posix_timer_cache_init(void)
{
	posix_timer_cache = kmem_cache_create("posix_timer", sizeof(struct posix_timer), 0);
}

static unsigned long lock_timers(void)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	spin_lock(&current->sighand->lock);
	return flags;
}

static void unlock_timers(unsigned long flags)
{
	spin_unlock(&current->sighand->lock);
	spin_unlock_irqrestore(&tasklist_lock, flags);
}

/* --- running ------------------------------------------------------------------------------------- */

static u64 timer_now(const struct posix_timer *t)
{
	return t->cpu ? cpu_clock_now(&t->cpu_timer.clock) : timer_clock_now(t->timer.clock);
}

static void arm(struct posix_timer *t)
{
	if (t->notify == SIGEV_NONE)
		return; /* whoever asks computes where it would be */
	if (t->cpu) {
		t->cpu_timer.expires = t->expires;
		cpu_timer_start(&t->cpu_timer);
	} else {
		t->timer.expires = t->expires;
		timer_start(&t->timer);
	}
}

static void disarm(struct posix_timer *t)
{
	if (t->cpu)
		cpu_timer_cancel(&t->cpu_timer);
	else
		timer_cancel(&t->timer);
}

/* Moves an interval timer that is due on to its next time after now: how often it has fired meanwhile. */
static u64 forward(struct posix_timer *t)
{
	u64 now = timer_now(t), fired;

	if (t->expires > now)
		return 0;
	fired = (now - t->expires) / t->interval + 1;
	t->expires += fired * t->interval;
	return fired;
}

static void send(struct posix_timer *t)
{
	/* A thread that is gone hears nothing. */
	if (t->notify & SIGEV_THREAD_ID) {
		if (t->thread->thread_pid)
			send_timer_signal(t->thread, t->q, true);
	} else {
		send_timer_signal(t->process->leader, t->q, false);
	}
}

/* => both locks; t is not armed */
static void expired(struct posix_timer *t)
{
	u64 fired = 1;

	if (t->interval) {
		fired = forward(t);
		arm(t);
		/* The clock was set back since it was found due. */
		if (!fired)
			return;
	} else {
		t->active = false;
	}
	if (!list_empty(&t->q->link)) {
		t->overrun += fired;
	} else {
		t->overrun = fired - 1;
		send(t);
	}
}

/* From the timer interrupt. */
static void timer_expired(void *arg)
{
	struct posix_timer *t = arg;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	spinlock_t *lock = &t->process->leader->sighand->lock;

	spin_lock(lock);
	/* Somebody may have stopped it, or set it anew, while it fired. */
	if (t->active && !t->timer.armed)
		expired(t);
	spin_unlock(lock);
	spin_unlock_irqrestore(&tasklist_lock, flags);
}

static void cpu_timer_expired(struct cpu_timer *timer)
{
	expired(container_of(timer, struct posix_timer, cpu_timer));
}

void posix_timer_taken(struct posix_timer *t, struct siginfo_kernel *info)
{
	/* The tick comes only so often: what has been missed since counts too. */
	if (t->active && t->interval && t->timer.armed) {
		u64 fired;

		timer_cancel(&t->timer);
		fired = forward(t);
		t->overrun += fired;
		arm(t);
	}
	t->overrun_told = (int)min(t->overrun, (u64)INT32_MAX);
	info->timer.overrun = t->overrun_told;
}

/* --- making ---------------------------------------------------------------------------------------- */

/* Whether timers can be made on it. 0, -EINVAL: no such clock, -EOPNOTSUPP. */
static int check_clock(int clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_MONOTONIC:
	case CLOCK_TAI:
	case CLOCK_BOOTTIME:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_BOOTTIME_ALARM:
		return 0;
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE:
		return -EOPNOTSUPP;
	}
	if (clock_is_fd(clock))
		return -EOPNOTSUPP;
	return clock_is_cpu(clock) ? 0 : -EINVAL;
}

/* This machine never sleeps, so that waking it up is the same as any other timer. */
static bool may_use_clock(int clock)
{
	return (clock != CLOCK_REALTIME_ALARM && clock != CLOCK_BOOTTIME_ALARM) ||
	       capable(CAP_WAKE_ALARM);
}

static bool is_realtime(int clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_TAI || clock == CLOCK_REALTIME_ALARM;
}

/* => tasklist_lock */
static int set_event(struct posix_timer *t, const struct kernel_sigevent *event)
{
	struct task_struct *thread;

	t->notify = event->notify;
	switch (event->notify) {
	case SIGEV_SIGNAL | SIGEV_THREAD_ID:
		thread = find_task(event->thread_id);
		if (!thread || thread->signal != current->signal)
			return -EINVAL;
		if (event->signo <= 0 || event->signo > NR_SIGNALS)
			return -EINVAL;
		get_task(thread);
		t->thread = thread;
		break;
	case SIGEV_SIGNAL:
	case SIGEV_THREAD:
		if (event->signo <= 0 || event->signo > NR_SIGNALS)
			return -EINVAL;
		break;
	case SIGEV_NONE:
		break;
	default:
		return -EINVAL;
	}
	siginfo_init(&t->q->info, event->signo, SI_TIMER);
	t->q->info.timer.value = event->value;
	return 0;
}

/* => both locks */
static struct posix_timer *find_timer(int id)
{
	struct posix_timer *t;

	list_for_each_entry(t, &current->signal->timers.posix, link) if (t->id == id) return t;
	return NULL;
}

/* => both locks. Ids go up; when they have come round, those in use are passed over. */
static int new_id(struct process_timers *timers)
{
	int id;

	do {
		id = timers->next_id;
		timers->next_id = id == INT32_MAX ? 0 : id + 1;
	} while (find_timer(id));
	return id;
}

static int init_clock(struct posix_timer *t, int clock)
{
	int err = 0;

	t->clock = clock;
	t->cpu = clock_is_cpu(clock);
	t->timer.fn = timer_expired;
	t->timer.arg = t;
	cpu_timer_init(&t->cpu_timer, cpu_timer_expired);
	if (!t->cpu)
		return may_use_clock(clock) ? 0 : -EPERM;
	err = find_cpu_clock(clock, false, &t->cpu_timer.clock);
	if (err)
		return err;
	if (t->cpu_timer.clock.process != t->process)
		return -EOPNOTSUPP;
	if (t->cpu_timer.clock.thread)
		get_task(t->cpu_timer.clock.thread);
	return 0;
}

/* What is left of one that nobody can find any more. => no lock */
static void free_timer(struct posix_timer *t)
{
	unsigned long flags;

	timer_cancel_sync(&t->timer);
	flags = spin_lock_irqsave(&current->sighand->lock);
	if (t->q)
		sigqueue_release(t->q);
	spin_unlock_irqrestore(&current->sighand->lock, flags);
	if (t->thread)
		put_task(t->thread);
	if (t->cpu && t->cpu_timer.clock.thread)
		put_task(t->cpu_timer.clock.thread);
	kmem_cache_free(posix_timer_cache, t);
}

static struct posix_timer *alloc_timer(void)
{
	struct posix_timer *t = kmem_cache_zalloc(posix_timer_cache, GFP_KERNEL);

	if (!t)
		return NULL;
	t->process = current->signal;
	t->q = sigqueue_alloc();
	if (t->q) {
		t->q->timer = t;
		return t;
	}
	kmem_cache_free(posix_timer_cache, t);
	return NULL;
}

/* Gives it an id and a place; 0 or -EINVAL. */
static int link_timer(struct posix_timer *t, const struct kernel_sigevent *event)
{
	struct kernel_sigevent alarm = { .signo = SIGALRM, .notify = SIGEV_SIGNAL };
	unsigned long flags = lock_timers();
	int err;

	t->id = new_id(&t->process->timers);
	alarm.value = (u32)t->id;
	err = set_event(t, event ? event : &alarm);
	t->q->info.timer.id = t->id;
	if (!err)
		list_add_tail(&t->link, &t->process->timers.posix);
	unlock_timers(flags);
	return err;
}

/* The last step, in Linux's order: only when the id has been told. */
static int finish_timer(struct posix_timer *t, int clock)
{
	unsigned long flags = lock_timers();
	int err = init_clock(t, clock);

	t->usable = !err;
	if (err)
		list_del(&t->link);
	unlock_timers(flags);
	return err;
}

static void unlink_timer(struct posix_timer *t)
{
	unsigned long flags = lock_timers();

	list_del(&t->link);
	unlock_timers(flags);
}

int posix_timer_create(int clock, const struct kernel_sigevent *event, int __user *uid)
{
	struct posix_timer *t;
	int err = check_clock(clock);

	if (err)
		return err;
	t = alloc_timer();
	if (!t)
		return -EAGAIN;
	err = link_timer(t, event);
	if (!err && put_user(t->id, uid)) {
		unlink_timer(t);
		err = -EFAULT;
	}
	if (!err)
		err = finish_timer(t, clock);
	if (err)
		free_timer(t);
	return err;
}

/* --- using ------------------------------------------------------------------------------------------ */

/* The timer with both locks held, or NULL without them. */
static struct posix_timer *lock_timer(int id, unsigned long *flags)
{
	struct posix_timer *t;

	*flags = lock_timers();
	t = find_timer(id);
	if (t && t->usable)
		return t;
	unlock_timers(*flags);
	return NULL;
}

/* => both locks */
static void get_spec(struct posix_timer *t, struct timer_spec *now)
{
	u64 time;

	*now = (struct timer_spec){ .interval = t->interval };
	if (!t->active)
		return;
	/* One that tells nobody isn't armed: it is moved on when somebody looks. */
	if (t->notify == SIGEV_NONE && t->interval)
		forward(t);
	time = timer_now(t);
	if (t->expires > time)
		now->value = t->expires - time;
	else
		now->value = t->notify == SIGEV_NONE ? 0 : 1; /* it is about to fire */
}

/* => both locks */
static void set_spec(struct posix_timer *t, bool absolute, const struct timer_spec *new)
{
	disarm(t);
	t->interval = 0;
	t->overrun = 0;
	t->overrun_told = 0;
	t->active = new->value;
	if (!new->value)
		return;
	/* Setting the clock doesn't change how long "so long from now" is. */
	t->timer.clock = absolute && is_realtime(t->clock) ? TIMER_REALTIME : TIMER_MONOTONIC;
	t->interval = new->interval;
	t->expires = new->value + (absolute ? 0 : timer_now(t));
	if (t->cpu && t->expires <= timer_now(t) && t->notify != SIGEV_NONE)
		expired(t);
	else
		arm(t);
}

int posix_timer_settime(int id, bool absolute, const struct timer_spec *new, struct timer_spec *old)
{
	unsigned long flags;
	struct posix_timer *t = lock_timer(id, &flags);

	if (!t)
		return -EINVAL;
	get_spec(t, old);
	set_spec(t, absolute, new);
	unlock_timers(flags);
	return 0;
}

int posix_timer_gettime(int id, struct timer_spec *now)
{
	unsigned long flags;
	struct posix_timer *t = lock_timer(id, &flags);

	if (!t)
		return -EINVAL;
	get_spec(t, now);
	unlock_timers(flags);
	return 0;
}

int posix_timer_getoverrun(int id)
{
	unsigned long flags;
	struct posix_timer *t = lock_timer(id, &flags);
	int overrun;

	if (!t)
		return -EINVAL;
	overrun = t->overrun_told;
	unlock_timers(flags);
	return overrun;
}

/* => both locks. Nobody finds it, and it won't fire. */
static void take_out(struct posix_timer *t)
{
	list_del(&t->link);
	t->active = false;
	disarm(t);
}

int posix_timer_delete(int id)
{
	unsigned long flags;
	struct posix_timer *t = lock_timer(id, &flags);

	if (!t)
		return -EINVAL;
	take_out(t);
	unlock_timers(flags);
	free_timer(t);
	return 0;
}

void posix_timers_delete(struct signal_struct *process)
{
	struct list_head *list = &process->timers.posix;

	while (!list_empty(list)) {
		unsigned long flags = lock_timers();
		struct posix_timer *t = list_first_entry(list, struct posix_timer, link);

		take_out(t);
		unlock_timers(flags);
		free_timer(t);
	}
}
