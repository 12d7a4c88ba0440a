/* SPDX-License-Identifier: MIT */
/* The few facts this kernel takes from ACPI's static tables (ACPI 6.5, chapters 4 and 5). */
#ifndef ARCH_ACPI_H
#define ARCH_ACPI_H

#include "kernel/base/types.h"

#define ACPI_MAX_CPUS	 64
#define ACPI_MAX_IOAPICS 4
#define ACPI_RSDP_SIZE	 36

struct acpi_cpu {
	u32 apic_id;
	bool enabled; /* else it may be plugged in later */
};

struct acpi_ioapic {
	u64 phys;
	u32 gsi_base;
	u8 id;
};

/* Where a line of the ISA bus really goes. `flags`: IRQ_LEVEL and IRQ_LOW of <arch/ioapic.h>. */
struct acpi_isa_irq {
	u32 gsi;
	unsigned int flags;
};

struct acpi_info {
	bool present; /* a root table was found; else everything here is the fallback */
	bool damaged; /* something failed a check and was left out */

	/* MADT. Fallback: one processor, an IO-APIC at 0xfec00000, ISA lines as they are. */
	u64 lapic_phys;
	unsigned int nr_cpus;
	struct acpi_cpu cpus[ACPI_MAX_CPUS];
	unsigned int nr_ioapics;
	struct acpi_ioapic ioapics[ACPI_MAX_IOAPICS];
	struct acpi_isa_irq isa_irq[16];

	/* FADT and the DSDT's \_S5 package. Ports are 0 where there are none. */
	u16 pm1a_cnt, pm1b_cnt;
	u16 smi_cmd;
	u8 acpi_enable; /* to smi_cmd: firmware hands over the power registers */
	bool has_s5;
	u8 slp_typa, slp_typb;
	bool has_reset;
	u16 reset_port;
	u8 reset_value;
	u8 century_reg; /* in the CMOS clock; 0: none */
};

/* Valid from boot on: holds the fallback until acpi_init(). */
extern struct acpi_info acpi_info;

/*
 * Fills acpi_info. The root pointer is looked for at physical address `rsdp_phys` (0: unknown),
 * then in the ACPI_RSDP_SIZE bytes of `rsdp_copy` (or NULL), then where a BIOS leaves it.
 * `map(phys, len)` returns a readable pointer to physical memory, good until acpi_init() returns,
 * or NULL when it can't. Every length and checksum is checked, and a table that fails is left out.
 * Returns 0, or -ENOENT without a valid root table.
 */
int acpi_init(u64 rsdp_phys, const u8 *rsdp_copy, const void *(*map)(u64 phys, size_t len));

#endif
