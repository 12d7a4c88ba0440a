/* SPDX-License-Identifier: MIT */
/*
 * Clocks that count the processor's time of a thread or a process, and timers on them. Such a clock
 * only moves while its threads run, so the tick that finds one of them running is the moment to
 * look: no timer of another process can have become due.
 */
#include "kernel/process/task.h"
#include "kernel/process/timers.h"

/* A negative clock id: ~pid in the upper bits, then whether it is a thread's, then the kind. */
#define CLOCK_PER_THREAD 4
#define CLOCK_KIND_MASK	 3

bool clock_is_cpu(int id)
{
	return id < 0 || id == CLOCK_PROCESS_CPUTIME_ID || id == CLOCK_THREAD_CPUTIME_ID;
}

static int find_thread_clock(int tid, struct cpu_clock *clock)
{
	struct task_struct *task = tid ? find_task(tid) : current;

	if (!task || task->signal != current->signal)
		return -EINVAL;
	clock->process = task->signal;
	clock->thread = task;
	return 0;
}

static int find_process_clock(int pid, bool reading, struct cpu_clock *clock)
{
	struct signal_struct *process = pid ? find_process(pid) : current->signal;

	if (!process && reading && pid == current->pid)
		process = current->signal;
	clock->process = process;
	clock->thread = NULL;
	return process ? 0 : -EINVAL;
}

int find_cpu_clock(int id, bool reading, struct cpu_clock *clock)
{
	int pid = ~(id >> 3);

	clock->kind = CPU_CLOCK_SCHED;
	if (id == CLOCK_PROCESS_CPUTIME_ID)
		return find_process_clock(0, reading, clock);
	if (id == CLOCK_THREAD_CPUTIME_ID)
		return find_thread_clock(0, clock);
	clock->kind = (enum cpu_clock_kind)(id & CLOCK_KIND_MASK);
	if (clock->kind >= NR_CPU_CLOCK_KINDS)
		return -EINVAL;
	return id & CLOCK_PER_THREAD ? find_thread_clock(pid, clock) :
				       find_process_clock(pid, reading, clock);
}

static u64 used_time(const struct usage *used, enum cpu_clock_kind kind)
{
	switch (kind) {
	case CPU_CLOCK_PROF:
		return (used->user_ticks + used->system_ticks) * TICK_NS;
	case CPU_CLOCK_VIRT:
		return used->user_ticks * TICK_NS;
	default:
		return used->cpu_ns;
	}
}

u64 cpu_clock_now(const struct cpu_clock *clock)
{
	struct usage used;

	if (clock->thread)
		task_usage(clock->thread, &used);
	else
		process_usage(clock->process, &used);
	return used_time(&used, clock->kind);
}

s64 cpu_clock_read(int id)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct cpu_clock clock;
	s64 ret = find_cpu_clock(id, true, &clock);

	if (!ret)
		ret = (s64)cpu_clock_now(&clock);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return ret;
}

/* --- timers ------------------------------------------------------------------------------------ */

void cpu_timer_init(struct cpu_timer *timer, void (*fn)(struct cpu_timer *))
{
	INIT_LIST_HEAD(&timer->link);
	timer->fn = fn;
}

void cpu_timer_start(struct cpu_timer *timer)
{
	list_add_tail(&timer->link, &timer->clock.process->timers.cpu_timers);
}

void cpu_timer_cancel(struct cpu_timer *timer)
{
	list_del_init(&timer->link);
}

/* => both locks */
static void fire_due(struct process_timers *timers)
{
	struct list_head due = LIST_HEAD_INIT(due);
	struct cpu_timer *t, *next;

	list_for_each_entry_safe(t, next, &timers->cpu_timers, link)
	{
		/* A clock of a thread that doesn't run stands still. */
		if ((!t->clock.thread || t->clock.thread == current) &&
		    cpu_clock_now(&t->clock) >= t->expires)
			list_move_tail(&t->link, &due);
	}
	while (!list_empty(&due)) {
		t = list_first_entry(&due, struct cpu_timer, link);
		list_del_init(&t->link);
		t->fn(t);
	}
}

/* => tasklist_lock. The soft limit is told every second from then on, the hard one kills. */
static void check_cpu_limit(struct signal_struct *process)
{
	const struct cpu_clock clock = { .process = process, .kind = CPU_CLOCK_PROF };
	struct mm_rlimit *limit = &process->rlim[RLIMIT_CPU];
	u64 seconds = cpu_clock_now(&clock) / NS_PER_SEC;

	if (seconds >= limit->max) {
		send_signal(process->leader, SIGKILL);
	} else if (seconds >= limit->cur) {
		send_signal(process->leader, SIGXCPU);
		limit->cur++;
	}
}

void cpu_timers_tick(void)
{
	struct signal_struct *process = current->signal;
	struct sighand *sighand = current->sighand;

	if (list_empty(&process->timers.cpu_timers) &&
	    process->rlim[RLIMIT_CPU].cur == RLIM_INFINITY)
		return;
	if (current->exiting)
		return;
	spin_lock(&tasklist_lock);
	spin_lock(&sighand->lock);
	fire_due(&process->timers);
	spin_unlock(&sighand->lock);
	if (process->rlim[RLIMIT_CPU].cur != RLIM_INFINITY)
		check_cpu_limit(process);
	spin_unlock(&tasklist_lock);
}

/* --- sleeping ------------------------------------------------------------------------------------- */

struct cpu_sleeper {
	struct cpu_timer timer;
	struct sched_entity *se;
	bool due;
};

static void wake_cpu_sleeper(struct cpu_timer *timer)
{
	struct cpu_sleeper *sleeper = container_of(timer, struct cpu_sleeper, timer);

	WRITE_ONCE(sleeper->due, true);
	sched_wake(sleeper->se);
}

static bool sleep_is_over(const void *sleeper)
{
	return READ_ONCE(((const struct cpu_sleeper *)sleeper)->due);
}

/* Finds the clock, and starts the timer unless the time has come. 0 or -errno. */
static int begin_cpu_sleep(struct cpu_sleeper *sleeper, int id, bool absolute, s64 ns)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct cpu_timer *timer = &sleeper->timer;
	int err = find_cpu_clock(id, false, &timer->clock);
	u64 now;

	/* Its own time doesn't pass while it sleeps. */
	if (!err && timer->clock.thread == current)
		err = -EINVAL;
	if (!err && timer->clock.process != current->signal)
		err = -EOPNOTSUPP;
	if (!err) {
		now = cpu_clock_now(&timer->clock);
		timer->expires = (u64)ns + (absolute ? 0 : now);
		sleeper->due = now >= timer->expires;
		if (timer->clock.thread)
			get_task(timer->clock.thread);
		spin_lock(&current->sighand->lock);
		if (!sleeper->due)
			cpu_timer_start(timer);
		spin_unlock(&current->sighand->lock);
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return err;
}

long cpu_clock_sleep(int id, bool absolute, s64 *ns)
{
	struct cpu_sleeper sleeper = { .se = &current->se };
	unsigned long flags;
	u64 now;
	int err;

	cpu_timer_init(&sleeper.timer, wake_cpu_sleeper);
	err = begin_cpu_sleep(&sleeper, id, absolute, *ns);
	if (err)
		return err;
	err = sleep_for_event(sleep_is_over, &sleeper, NULL);
	flags = spin_lock_irqsave(&tasklist_lock);
	now = cpu_clock_now(&sleeper.timer.clock);
	*ns = sleeper.timer.expires > now ? (s64)(sleeper.timer.expires - now) : 0;
	spin_lock(&current->sighand->lock);
	cpu_timer_cancel(&sleeper.timer);
	spin_unlock(&current->sighand->lock);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	if (sleeper.timer.clock.thread)
		put_task(sleeper.timer.clock.thread);
	return err;
}
