/* SPDX-License-Identifier: MIT */
/* Characters typed at the console: the PS/2 keyboard, and the one callback all input goes to. */
#ifndef ARCH_KEYBOARD_H
#define ARCH_KEYBOARD_H

#include "kernel/base/types.h"

#define KEYBOARD_ISA_IRQ 1

/* Where somebody may sit and type. */
enum console_seat { SEAT_SERIAL, SEAT_SCREEN, NR_CONSOLE_SEATS };

/*
 * Sets who gets what comes from serial line and keyboard; NULL drops it. What is passed in one call
 * belongs together, as the sequence that one key sends. The function is called with interrupts
 * disabled, mostly from an interrupt handler: it must not sleep.
 */
void set_console_input(void (*fn)(const char *text, size_t len, enum console_seat seat));

/* For the drivers of input devices: passes characters on. => interrupts disabled. */
void console_input(const char *text, size_t len, enum console_seat seat);

/*
 * Empties the controller and lets the keyboard raise ISA IRQ 1. Returns 0, or -ENODEV when no
 * 8042 controller answers. Every wait is bounded. => interrupts disabled.
 */
int keyboard_init(void);

/*
 * The handler of ISA IRQ 1: scan codes of set 1, US layout. Enter gives \r, Backspace 0x7f, Ctrl
 * and a letter 1 to 26; Alt puts ESC before what the key gives; arrows and the like give the
 * sequences of TERM=linux. => interrupts disabled; the caller sends the EOI.
 */
void keyboard_irq(void);

#endif
