/* SPDX-License-Identifier: MIT */
/*
 * IO-APICs (Intel 82093AA data sheet, section 3): two visible registers, an index and a window on
 * the register it names. Line n has a 64-bit redirection entry at registers 0x10 + 2n.
 */
#include <arch/ioapic.h>
#include <arch/io.h>
#include "kernel/base/compiler.h"
#include "kernel/base/errno.h"

#define IOREGSEL 0x00
#define IOWIN	 0x10

#define REG_VERSION    0x01 /* bits 16 to 23: the last entry's number */
#define REG_ENTRY_LOW  0x10
#define REG_ENTRY_HIGH 0x11

#define ENTRY_LOW	 BIT(13)
#define ENTRY_LEVEL	 BIT(15)
#define ENTRY_MASKED	 BIT(16)
#define ENTRY_DEST_SHIFT 24

#define MAX_ENTRIES  240
#define FIRST_VECTOR 32 /* the processor's exceptions are below */

struct ioapic {
	volatile u8 *mmio;
	u32 gsi_base;
	u32 lines;
};

static struct ioapic ioapics[IOAPIC_MAX];
static unsigned int nr_ioapics;

static u32 read_reg(const struct ioapic *io, u32 reg)
{
	mmio_write32(io->mmio + IOREGSEL, reg);
	return mmio_read32(io->mmio + IOWIN);
}

static void write_reg(const struct ioapic *io, u32 reg, u32 val)
{
	mmio_write32(io->mmio + IOREGSEL, reg);
	mmio_write32(io->mmio + IOWIN, val);
}

int ioapic_init(void *mmio, u32 gsi_base)
{
	struct ioapic *io;
	u32 version, line;

	if (nr_ioapics == IOAPIC_MAX)
		return -ENOMEM;
	io = &ioapics[nr_ioapics];
	io->mmio = mmio;
	io->gsi_base = gsi_base;
	version = read_reg(io, REG_VERSION);
	io->lines = (version >> 16 & 0xff) + 1;
	if (version == ~0U || version == 0 || io->lines > MAX_ENTRIES)
		return -ENODEV;
	for (line = 0; line < io->lines; line++) {
		write_reg(io, REG_ENTRY_LOW + 2 * line, ENTRY_MASKED);
		write_reg(io, REG_ENTRY_HIGH + 2 * line, 0);
	}
	nr_ioapics++;
	return 0;
}

static const struct ioapic *find_ioapic(u32 gsi)
{
	unsigned int i;

	for (i = 0; i < nr_ioapics; i++) {
		const struct ioapic *io = &ioapics[i];

		if (gsi >= io->gsi_base && gsi - io->gsi_base < io->lines)
			return io;
	}
	return NULL;
}

int ioapic_route(u32 gsi, u8 vector, u32 dest_apic_id, unsigned int flags)
{
	const struct ioapic *io = find_ioapic(gsi);
	u32 entry, low = vector; /* fixed delivery, physical destination */

	if (!io || vector < FIRST_VECTOR || dest_apic_id > 0xff)
		return -EINVAL;
	entry = 2 * (gsi - io->gsi_base);
	if (flags & IRQ_LEVEL)
		low |= ENTRY_LEVEL;
	if (flags & IRQ_LOW)
		low |= ENTRY_LOW;
	/* Never unmasked with half of the old entry and half of the new. */
	write_reg(io, REG_ENTRY_LOW + entry, low | ENTRY_MASKED);
	write_reg(io, REG_ENTRY_HIGH + entry, dest_apic_id << ENTRY_DEST_SHIFT);
	write_reg(io, REG_ENTRY_LOW + entry, low);
	return 0;
}

int ioapic_mask(u32 gsi, bool masked)
{
	const struct ioapic *io = find_ioapic(gsi);
	u32 reg, low;

	if (!io)
		return -EINVAL;
	reg = REG_ENTRY_LOW + 2 * (gsi - io->gsi_base);
	low = read_reg(io, reg);
	if (masked)
		low |= ENTRY_MASKED;
	else
		low &= ~(u32)ENTRY_MASKED;
	write_reg(io, reg, low);
	return 0;
}
