/* SPDX-License-Identifier: MIT */
/* The other processors: started once at boot, and reached by interrupts (IPIs) after. */
#ifndef ARCH_SMP_H
#define ARCH_SMP_H

#include "kernel/base/cpumask.h"
#include "kernel/base/types.h"

struct pt_regs;

/* Interrupts another processor so that it looks at its running entity's work. Any context. */
void smp_send_reschedule(unsigned int cpu);

/*
 * Has fn(arg) called on each of these processors but this one, in interrupt context there, and waits
 * until all have returned: what this one wrote before is seen by fn, and what fn wrote by this one after.
 * => interrupts on (two that wait for each other must be able to answer), or no other is asked;
 * no lock held that is taken with interrupts off, or that fn takes; not from an interrupt handler
 */
void smp_call_function_many(cpu_bits_t cpus, void (*fn)(void *), void *arg);

/*
 * Interrupts these processors, this one left out, at a vector of its own. What was written before is
 * seen by the handler. Any context. => they are online
 */
void smp_send_ipi_many(cpu_bits_t cpus, u8 vector);

/* Handlers of VECTOR_RESCHED and VECTOR_CALL. */
void smp_resched_irq(void);
void smp_call_irq(void);

/*
 * For the end of everything: stops all other processors where they are, by NMI, and waits ten seconds
 * at most. What they were doing is left in smp_stopped. => interrupts off
 */
void smp_stop_others(void);
/* From the NMI handler: does not return when this processor is to stop. */
void smp_stop_self(const struct pt_regs *regs);
struct smp_stopped {
	const struct pt_regs *regs; /* NULL: it did not stop */
	unsigned long cr2, cr3;
};
DECLARE_PER_CPU(struct smp_stopped, smp_stopped);

/* The APIC id of each processor that was started. */
void smp_set_apic_id(unsigned int cpu, u32 apic_id);
u32 smp_apic_id(unsigned int cpu);

#endif
