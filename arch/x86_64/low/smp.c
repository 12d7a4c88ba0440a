/* SPDX-License-Identifier: MIT */
#include <arch/smp.h>

#include "kernel/base/panic.h"

cpumask_t cpu_online_mask = { { 1 } };

void smp_send_reschedule(unsigned int cpu)
{
	BUG_ON(cpu != (unsigned int)smp_processor_id());
}

void smp_call_function_many(cpu_bits_t cpus, void (*fn)(void *), void *arg)
{
	BUG_ON(cpus & ~BIT((unsigned int)smp_processor_id()));
}
