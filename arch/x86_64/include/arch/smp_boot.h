/* SPDX-License-Identifier: MIT */
/* Starting the other processors, one at a time. */
#ifndef ARCH_SMP_BOOT_H
#define ARCH_SMP_BOOT_H

#include <arch/mmu.h>

struct smp_start {
	phys_addr_t page; /* RAM below 1 MiB; its first smp_trampoline_size() bytes are overwritten */
	phys_addr_t pgd; /* below 4 GiB; shows that page at its physical address, and the kernel */
	unsigned long stack_top;
	void (*entry)(void); /* never returns */
};

size_t smp_trampoline_size(void);

/*
 * Starts the processor with this APIC id as number `cpu`: it calls start->entry with interrupts off, its
 * per-CPU variables in place and only what long mode needs turned on. Returns when it is online (0),
 * or has been put to sleep again: -ETIMEDOUT when it did not answer within seconds, -EINVAL when it
 * can't be reached or refuses, -ETIME when its clock can't be set to ours. One call at a time;
 * => task context, IST stacks given to the processor
 */
int smp_start_cpu(unsigned int cpu, u32 apic_id, const struct smp_start *start);

/* Called there: it can't be used. */
void smp_cpu_refuses(void) __noreturn;
/* Called there when everything but the timer works: sets its clock right and counts it online. => irqs off */
void smp_cpu_online(void);

/*
 * Both sides of comparing time-stamp counters: ours is what others shall have. False when the other one
 * does not answer, or its counter can't be set. => interrupts off
 */
bool tsc_sync_others(void);
void tsc_sync_self(void);

#endif
