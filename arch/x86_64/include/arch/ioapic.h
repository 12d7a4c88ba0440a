/* SPDX-License-Identifier: MIT */
/* Interrupt lines of devices: the IO-APICs (82093AA data sheet), and the 8259s they replace. */
#ifndef ARCH_IOAPIC_H
#define ARCH_IOAPIC_H

#include "kernel/base/types.h"

#define IOAPIC_MMIO_SIZE 32
#define IOAPIC_MAX	 4

/* Flags of a line; none: edge-triggered, active high, as ISA lines are. */
#define IRQ_LEVEL 1U
#define IRQ_LOW	  2U

/*
 * Adds the IO-APIC mapped uncached at `mmio`, whose first line is global system interrupt
 * `gsi_base`, and masks all its lines. Returns 0, -ENODEV when nothing answers there, -ENOMEM
 * after IOAPIC_MAX of them.
 */
int ioapic_init(void *mmio, u32 gsi_base);

/*
 * Sends line `gsi` to `vector` of the processor with this APIC id and unmasks it. Returns 0, or
 * -EINVAL for a line no IO-APIC has, a vector below 32, or an id over 8 bits.
 * The chip is reached through an index register: => calls don't overlap, interrupts disabled.
 */
int ioapic_route(u32 gsi, u8 vector, u32 dest_apic_id, unsigned int flags);

/* Masks or unmasks a routed line. Returns 0 or -EINVAL; same rule as ioapic_route(). */
int ioapic_mask(u32 gsi, bool masked);

/*
 * Moves the two 8259s to vectors base_vector .. base_vector + 15 and masks all their lines. Noise
 * can still raise base + 7 or base + 15, spurious ones: their handlers return, without an EOI.
 */
void pic_disable(u8 base_vector);

#endif
