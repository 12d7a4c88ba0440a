/* SPDX-License-Identifier: MIT */
/*
 * Processors without instructions: what interrupts, locks and sleeping do where there is one thread. The
 * wait queues are the kernel's own; going to sleep would be for ever, and ends the test.
 */
#include <sys/syscall.h>
#include <unistd.h>

#include <arch/cpu.h>
#include <arch/smp.h>
#include <arch/tlb.h>

#include "kernel/base/cpumask.h"
#include "kernel/base/panic.h"
#include "kernel/sched/sched.h"
#include "tests/host/sim.h"

/* --- interrupts to others ------------------------------------------------------------------------ */

unsigned int sim_lost_interrupts, sim_lost_flush;
void (*sim_on_flush)(struct mm_context *ctx, unsigned long start, unsigned long end);

void smp_call_function_many(cpu_bits_t cpus, void (*fn)(void *), void *arg)
{
	unsigned int back = sim_this_cpu, cpu;

	if (irqs_disabled())
		panic("another CPU is waited for with interrupts off");
	for_each_cpu_bit(cpu, cpus)
	{
		BUG_ON(cpu == back || cpu >= SIM_NR_CPUS);
		if (sim_lost_interrupts & BIT(cpu))
			continue;
		sim_set_cpu(cpu);
		local_irq_disable();
		fn(arg);
		local_irq_enable();
	}
	sim_set_cpu(back);
}

/* The flush that a test leaves out; all others are the kernel's. */
void __real_tlb_flush_range(struct mm_context *ctx, unsigned long start, unsigned long end);
void __wrap_tlb_flush_range(struct mm_context *ctx, unsigned long start, unsigned long end);

void __wrap_tlb_flush_range(struct mm_context *ctx, unsigned long start, unsigned long end)
{
	if (sim_on_flush)
		sim_on_flush(ctx, start, end);
	if (!sim_lost_flush || --sim_lost_flush)
		__real_tlb_flush_range(ctx, start, end);
}

/* --- locks and sleeping ---------------------------------------------------------------------------- */

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
	/* Who holds it may be waiting for the host's processor. */
	if (spins % 64 == 0)
		syscall(SYS_sched_yield);
}

void sim_might_sleep(const char *what)
{
	if (sim_spinlocks_held || sim_irqs_off)
		panic("%s may sleep, but %u spinlocks are held and interrupts are %s", what,
		      sim_spinlocks_held, sim_irqs_off ? "off" : "on");
}

void (*sim_on_schedule)(void);

void schedule(void)
{
	if (sim_on_schedule) {
		sim_might_sleep("who waits");
		sim_on_schedule();
		return;
	}
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
