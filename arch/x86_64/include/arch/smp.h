/* SPDX-License-Identifier: MIT */
/* The other processors: started once at boot, and reached by interrupts (IPIs) after. */
#ifndef ARCH_SMP_H
#define ARCH_SMP_H

#include "kernel/base/cpumask.h"

/* Interrupts another processor so that it looks at its running entity's work. Any context. */
void smp_send_reschedule(unsigned int cpu);

/*
 * Has fn(arg) called on each of these processors but this one, in interrupt context there, and waits
 * until all have returned: what this one wrote before is seen by fn, and what fn wrote by this one after.
 * => interrupts on (two that wait for each other must be able to answer), or no other is online;
 * no lock held that is taken with interrupts off, or that fn takes
 */
void smp_call_function_many(cpu_bits_t cpus, void (*fn)(void *), void *arg);

#endif
