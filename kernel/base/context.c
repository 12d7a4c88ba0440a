/* SPDX-License-Identifier: MIT */
#include "kernel/base/context.h"

#include <arch/irqflags.h>

#include "kernel/base/panic.h"

#ifdef CONFIG_LOCKDEP

DEFINE_PER_CPU(unsigned int, spinlock_depth);
DEFINE_PER_CPU(unsigned int, rcu_readers);
DEFINE_PER_CPU(unsigned int, irq_depth);

bool context_checks;
bool lock_checks = true;

void check_may_sleep(const char *file, int line, bool irqs_on)
{
	const char *why = NULL;

	if (!context_checks)
		return;
	if (this_cpu_read(irq_depth))
		why = "in an interrupt";
	else if (this_cpu_read(spinlock_depth))
		why = "with a spinlock held";
	else if (this_cpu_read(rcu_readers))
		why = "between rcu_read_lock() and rcu_read_unlock()";
	else if (irqs_on && irqs_disabled())
		why = "with interrupts off";
	if (likely(!why))
		return;
	context_checks = false;
	panic("%s:%d may sleep, %s", file, line, why);
}

#endif
