/* SPDX-License-Identifier: MIT */
/*
 * A processor without instructions: what locks and sleeping do where there is one thread. The wait
 * queues are the kernel's own; going to sleep would be for ever, and ends the test.
 */
#include <arch/cpu.h>

#include "kernel/base/panic.h"
#include "kernel/sched/sched.h"

__thread bool sim_irqs_off;
__thread unsigned int sim_spinlocks_held;

static struct sched_entity only_se;
DEFINE_PER_CPU(struct sched_entity *, current_se) = &only_se;

/* About a second. */
#define MAX_SPINS (1UL << 28)

void sim_spin(void)
{
	static __thread unsigned long spins;

	if (++spins > MAX_SPINS)
		panic("a spinlock is waited for that nobody releases");
}

void sim_might_sleep(const char *what)
{
	if (sim_spinlocks_held || sim_irqs_off)
		panic("%s may sleep, but %u spinlocks are held and interrupts are %s", what,
		      sim_spinlocks_held, sim_irqs_off ? "off" : "on");
}

void schedule(void)
{
	panic("the only thread goes to sleep: nobody could wake it");
}

bool sched_wake(struct sched_entity *se)
{
	se->state = TASK_RUNNING;
	return false;
}

void cond_resched(void)
{
}

bool sched_signal_pending(void)
{
	return false;
}
