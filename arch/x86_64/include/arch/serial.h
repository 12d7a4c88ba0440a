/* SPDX-License-Identifier: MIT */
/* The first serial port (COM1), a 16550 UART: 115200 baud, 8 data bits, no parity, 1 stop bit. */
#ifndef ARCH_SERIAL_H
#define ARCH_SERIAL_H

#include "kernel/base/printk.h"

#define SERIAL_ISA_IRQ 4

/*
 * Finds and programs the port. Returns 0, or -ENODEV when nothing answers there; serial_console
 * then drops what it is given. Needs no memory and no interrupts: may be the first call at boot.
 */
int serial_init(void);

/* Whether serial_init() found it. */
bool serial_present(void);

/*
 * Writes by polling. A byte waits for the transmitter for a bounded time only; while
 * it is stuck, later bytes are dropped without a wait.
 * => written to by printk; two writes at once mix their bytes and may lose some, but end.
 */
extern struct console serial_console;

/* Waits, for a bounded time, until the last byte has left the chip. */
void serial_flush(void);

/*
 * Lets received bytes raise ISA IRQ 4, and takes in what has come already.
 * => the line is routed, interrupts disabled.
 */
void serial_enable_rx(void);

/*
 * The handler of ISA IRQ 4: gives every byte received to the console's input (<arch/keyboard.h>)
 * as it came: a terminal's Enter key is \r here. => interrupts disabled; the caller sends the EOI.
 */
void serial_irq(void);

#endif
