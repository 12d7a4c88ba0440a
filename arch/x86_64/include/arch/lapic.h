/* SPDX-License-Identifier: MIT */
/* The local APIC of each processor (Intel SDM vol. 3, chapter 11) and its timer. */
#ifndef ARCH_LAPIC_H
#define ARCH_LAPIC_H

#include <arch/pte.h>

#define LAPIC_MMIO_SIZE 4096

/* The physical address of this processor's APIC registers, from IA32_APIC_BASE. */
u64 lapic_base_phys(void);

/*
 * Takes the registers mapped uncached at `mmio`, or the MSRs when firmware left the APIC in x2APIC
 * mode (mmio may then be NULL). Returns 0, or -ENODEV without an APIC. Once, on the boot processor.
 */
int lapic_init(void *mmio);

/*
 * Enables this processor's APIC: accepts every priority, all local sources masked but NMI, and a
 * spurious interrupt comes at `spurious_vector` (which gets no EOI; its low 4 bits should be 1s,
 * for old processors). => interrupts disabled, after lapic_init().
 */
void lapic_enable(u8 spurious_vector);

u32 lapic_id(void);

/* Ends the interrupt in service. At the end of each handler, but the spurious one's. */
void lapic_eoi(void);

/*
 * Interrupts for the processor with this APIC id; none waits for its arrival. Any context, after
 * lapic_enable(). => lapic_reaches(id)
 */
void lapic_send_ipi(u32 id, u8 vector);
void lapic_send_nmi(u32 id);
/* Puts it back to where it waits for a startup; and has it start in real mode at `code`, a page below 1 MiB. */
void lapic_send_init(u32 id);
void lapic_send_startup(u32 id, phys_addr_t code);
/* Whether the mode we are in can name this id. */
bool lapic_reaches(u32 id);

/*
 * Measures the timer against the TSC (the first call only: 3 to 10 ms) and has it interrupt this
 * processor at `vector`; stopped at first. => interrupts disabled, after tsc_init().
 */
void lapic_timer_init(u8 vector);

/* Interrupts every `period_ns` from now, until stopped. */
void lapic_timer_start(u64 period_ns);

/*
 * Interrupts once, `delay_ns` from now (at once for 0). Far times come early, as the counter
 * has 32 bits (over 30 s): the caller looks at clock_ns() and starts it again.
 */
void lapic_timer_oneshot(u64 delay_ns);

void lapic_timer_stop(void);

/* The timer's speed in kHz after its divider; 0 until lapic_timer_init(). */
extern u64 lapic_timer_khz;

#endif
