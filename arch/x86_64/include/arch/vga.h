/* SPDX-License-Identifier: MIT */
/* The screen that shows the console, and the VGA text mode, one of its two kinds. */
#ifndef ARCH_VGA_H
#define ARCH_VGA_H

#include "kernel/base/printk.h"
#include "kernel/lib/vt.h"

/* Set by vga_init() or fbcon_init(), once the display is ready; NULL: there is no screen. */
extern struct vt *screen_vt;

#define VGA_TEXT_PHYS 0xb8000UL
#define VGA_TEXT_SIZE (80 * 25 * 2)

/* Clears the 80x25 colour text screen whose VGA_TEXT_SIZE bytes are mapped at `text_cells`. */
void vga_init(void *text_cells);

/* Drops text until vga_init(). => written to by printk, one write at a time. */
extern struct console vga_console;

#endif
