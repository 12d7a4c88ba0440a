/* SPDX-License-Identifier: MIT */
/* The console as a terminal: /dev/console and /dev/tty. */
#ifndef KERNEL_FS_CONSOLE_H
#define KERNEL_FS_CONSOLE_H

#include "kernel/fs/vfs.h"

extern const struct file_operations console_tty_fops;

/* One character from the keyboard or the serial line. Any context, interrupts included. */
void console_input_char(char c);

/* What the interrupt characters send; values are the signals' numbers on Linux. */
#define CONSOLE_SIGINT	2
#define CONSOLE_SIGQUIT 3
#define CONSOLE_SIGTSTP 20
/*
 * Set by the process layer: sends a signal to whom the terminal belongs. Called from interrupts.
 * While it is NULL, the characters only discard what was typed.
 */
extern void (*console_signal)(int sig);

#endif
