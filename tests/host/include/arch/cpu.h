/* SPDX-License-Identifier: MIT */
/* The processor, as far as mm/ and its locks see it: an interrupt flag, and what a spin does. */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include <arch/tsc.h>

#include "kernel/base/compiler.h"

/* The simulated machine's state, of each thread of the host program its own: support/sim_cpu.c. */
extern __thread bool sim_irqs_off;
extern __thread unsigned int sim_spinlocks_held;
/* One turn of a loop that waits for somebody else. Ends the test when it has waited too long. */
void sim_spin(void);
/* Ends the test when `what` may sleep and the caller holds a spinlock or has interrupts off. */
void sim_might_sleep(const char *what);

static inline void local_irq_disable(void)
{
	sim_irqs_off = true;
}

static inline void local_irq_enable(void)
{
	sim_irqs_off = false;
}

static inline bool irqs_disabled(void)
{
	return sim_irqs_off;
}

static inline unsigned long local_irq_save(void)
{
	unsigned long flags = sim_irqs_off;

	sim_irqs_off = true;
	return flags;
}

static inline void local_irq_restore(unsigned long flags)
{
	sim_irqs_off = flags;
}

static inline void cpu_relax(void)
{
	sim_spin();
}

#endif
