/* SPDX-License-Identifier: MIT */
/*
 * The three timers that each process has, setitimer(2): of real time, of its program's time, of all its
 * processor time. They last through execve(2) and are not inherited.
 */
#include "kernel/process/task.h"
#include "kernel/process/timers.h"

/* => sighand->lock */
static void send_timer(struct signal_struct *process, int sig)
{
	struct siginfo_kernel info;

	siginfo_init(&info, sig, SI_KERNEL);
	send_signal_locked(process->leader, &info);
}

/* --- real time ------------------------------------------------------------------------------------ */

/* From the timer interrupt. */
static void real_expired(void *arg)
{
	struct signal_struct *process = arg;
	struct process_timers *timers = &process->timers;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	spinlock_t *lock = &process->leader->sighand->lock;

	spin_lock(lock);
	/* Somebody may have stopped it, or set it anew, while it fired. */
	if (timers->real_active && !timers->real.armed) {
		timers->real_active = timers->real_interval;
		if (timers->real_active) {
			u64 late = timer_clock_now(TIMER_MONOTONIC) - timers->real.expires;

			timers->real.expires +=
				(late / timers->real_interval + 1) * timers->real_interval;
			timer_start(&timers->real);
		}
		send_timer(process, SIGALRM);
	}
	spin_unlock(lock);
	spin_unlock_irqrestore(&tasklist_lock, flags);
}

static void set_real(struct signal_struct *process, const struct timer_spec *new,
		     struct timer_spec *old)
{
	struct process_timers *timers = &process->timers;
	u64 now = timer_clock_now(TIMER_MONOTONIC);

	*old = (struct timer_spec){ .interval = timers->real_interval };
	/* About to fire, it has a microsecond left: none would mean that it doesn't run. */
	if (timers->real_active)
		old->value = timers->real.expires > now ? timers->real.expires - now : 1000;
	if (!new)
		return;
	timer_cancel(&timers->real);
	timers->real_interval = new->value ? new->interval : 0;
	timers->real_active = new->value;
	if (!new->value)
		return;
	timers->real.arg = process;
	timers->real.expires = now + new->value;
	timer_start(&timers->real);
}

/* --- processor time ---------------------------------------------------------------------------------- */

/* => both locks, as in every cpu_timer's function */
static void cpu_expired(struct cpu_itimer *it, int sig)
{
	if (it->interval) {
		u64 late = cpu_clock_now(&it->timer.clock) - it->timer.expires;

		it->timer.expires += (late / it->interval + 1) * it->interval;
		cpu_timer_start(&it->timer);
	} else {
		it->timer.expires = 0;
	}
	send_timer(it->timer.clock.process, sig);
}

static void virt_expired(struct cpu_timer *timer)
{
	cpu_expired(container_of(timer, struct cpu_itimer, timer), SIGVTALRM);
}

static void prof_expired(struct cpu_timer *timer)
{
	cpu_expired(container_of(timer, struct cpu_itimer, timer), SIGPROF);
}

/* => both locks */
static void set_cpu(struct signal_struct *process, struct cpu_itimer *it, enum cpu_clock_kind kind,
		    const struct timer_spec *new, struct timer_spec *old)
{
	const struct cpu_clock clock = { .process = process, .kind = kind };
	u64 now = cpu_clock_now(&clock);

	*old = (struct timer_spec){ .interval = it->interval };
	if (it->timer.expires)
		old->value = it->timer.expires > now ? it->timer.expires - now : TICK_NS;
	if (!new)
		return;
	cpu_timer_cancel(&it->timer);
	it->interval = new->interval;
	it->timer.clock = clock;
	/* A part of the present tick is over already: it must not fire early. */
	it->timer.expires = new->value ? now + new->value + TICK_NS : 0;
	if (it->timer.expires)
		cpu_timer_start(&it->timer);
}

/* --- all three ---------------------------------------------------------------------------------------- */

void process_timers_init(struct process_timers *timers)
{
	*timers = (struct process_timers){ .real = { .fn = real_expired } };
	cpu_timer_init(&timers->virt.timer, virt_expired);
	cpu_timer_init(&timers->prof.timer, prof_expired);
	INIT_LIST_HEAD(&timers->cpu_timers);
	INIT_LIST_HEAD(&timers->posix);
}

void process_timers_exit(struct signal_struct *process)
{
	struct process_timers *timers = &process->timers;
	unsigned long flags = spin_lock_irqsave(&current->sighand->lock);

	timers->real_active = false;
	cpu_timer_cancel(&timers->virt.timer);
	cpu_timer_cancel(&timers->prof.timer);
	spin_unlock_irqrestore(&current->sighand->lock, flags);
	timer_cancel_sync(&timers->real);
	posix_timers_delete(process);
}

int do_setitimer(int which, const struct timer_spec *new, struct timer_spec *old)
{
	struct signal_struct *process = current->signal;
	struct process_timers *timers = &process->timers;
	unsigned long flags;
	int err = 0;

	flags = spin_lock_irqsave(&tasklist_lock);
	spin_lock(&current->sighand->lock);
	switch (which) {
	case ITIMER_REAL:
		set_real(process, new, old);
		break;
	case ITIMER_VIRTUAL:
		set_cpu(process, &timers->virt, CPU_CLOCK_VIRT, new, old);
		break;
	case ITIMER_PROF:
		set_cpu(process, &timers->prof, CPU_CLOCK_PROF, new, old);
		break;
	default:
		err = -EINVAL;
	}
	spin_unlock(&current->sighand->lock);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return err;
}
