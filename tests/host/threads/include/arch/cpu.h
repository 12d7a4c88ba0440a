/* SPDX-License-Identifier: MIT */
/*
 * The processor of the machine with threads (tests/host/threads/threads.h). Who turns interrupts off can't be
 * interrupted: who wants to, waits until they are on again.
 */
#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include <arch/tsc.h>

#include "kernel/base/compiler.h"

extern __thread bool sim_irqs_off;
extern __thread unsigned int sim_spinlocks_held;
void sim_irq_disable(void);
void sim_irq_enable(void);
void sim_spin(void);
void sim_might_sleep(const char *what);

static inline void local_irq_disable(void)
{
	if (!sim_irqs_off)
		sim_irq_disable();
}

static inline void local_irq_enable(void)
{
	if (sim_irqs_off)
		sim_irq_enable();
}

static inline bool irqs_disabled(void)
{
	return sim_irqs_off;
}

static inline unsigned long local_irq_save(void)
{
	unsigned long flags = sim_irqs_off;

	local_irq_disable();
	return flags;
}

static inline void local_irq_restore(unsigned long flags)
{
	if (!flags)
		local_irq_enable();
}

static inline void cpu_relax(void)
{
	sim_spin();
}

#endif
