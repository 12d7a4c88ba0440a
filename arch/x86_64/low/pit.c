/* SPDX-License-Identifier: MIT */
/*
 * Channel 2 of the 8254 interval timer: the one whose output can be read (port 0x61) rather than
 * only interrupt. It serves as the known clock that others are measured against.
 * Intel 8254 data sheet, mode 0: the output goes high when the count reaches 0.
 */
#include <arch/clock.h>
#include <arch/io.h>

#define PIT_CHANNEL2  0x42
#define PIT_CONTROL   0x43
#define PIT_CH2_MODE0 0xb0 /* channel 2, low byte then high byte, mode 0, binary */

#define PORT_B	      0x61
#define PORT_B_GATE2  0x01 /* lets channel 2 count */
#define PORT_B_CHECKS 0x0c /* parity and channel check, left as they are */
#define PORT_B_OUT2   0x20

void pit_countdown(u16 ticks)
{
	/* Bit 1, the speaker, off. The upper four bits are read-only. */
	outb(PORT_B, (inb(PORT_B) & PORT_B_CHECKS) | PORT_B_GATE2);
	outb(PIT_CONTROL, PIT_CH2_MODE0);
	outb(PIT_CHANNEL2, (u8)ticks);
	outb(PIT_CHANNEL2, (u8)(ticks >> 8));
}

bool pit_expired(void)
{
	return inb(PORT_B) & PORT_B_OUT2;
}
