/* SPDX-License-Identifier: MIT */
/*
 * The two 8259A interrupt controllers of the PC, out of service (Intel 8259A data sheet). They are
 * moved before they are masked because their spurious interrupts can't be, and their vectors at
 * reset are those of processor exceptions.
 */
#include <arch/ioapic.h>
#include <arch/io.h>

#define PIC1_COMMAND 0x20
#define PIC1_DATA    0x21
#define PIC2_COMMAND 0xa0
#define PIC2_DATA    0xa1

#define ICW1_INIT   0x11 /* edge-triggered, cascaded, ICW4 follows */
#define ICW3_MASTER 0x04 /* the second chip is on line 2 */
#define ICW3_SLAVE  0x02
#define ICW4_8086   0x01

static void pic_write(u16 port, u8 val)
{
	outb(port, val);
	io_wait();
}

void pic_disable(u8 base_vector)
{
	pic_write(PIC1_COMMAND, ICW1_INIT);
	pic_write(PIC2_COMMAND, ICW1_INIT);
	pic_write(PIC1_DATA, base_vector);
	pic_write(PIC2_DATA, (u8)(base_vector + 8));
	pic_write(PIC1_DATA, ICW3_MASTER);
	pic_write(PIC2_DATA, ICW3_SLAVE);
	pic_write(PIC1_DATA, ICW4_8086);
	pic_write(PIC2_DATA, ICW4_8086);
	pic_write(PIC1_DATA, 0xff);
	pic_write(PIC2_DATA, 0xff);
}
