/* SPDX-License-Identifier: MIT */
/* Text on a screen: the grid of cells that every display shares, and the VGA text mode. */
#ifndef ARCH_VGA_H
#define ARCH_VGA_H

#include "kernel/base/printk.h"

/*
 * A grid of character cells in memory beside what the display shows of it. Text changes `cells`;
 * at the end of each write only those that differ from `shown` are drawn, so a hundred lines that
 * scroll by in one write cost one redraw, and the slow memory of the display is never read.
 * The owner sets the first block and clears the display, then calls text_grid_init().
 */
struct text_grid {
	unsigned int cols, rows;
	u8 *cells, *shown; /* cols * rows bytes each */
	void (*draw)(struct text_grid *grid, unsigned int x, unsigned int y, u8 ch);
	/* Shows the cursor on a cell, or takes it off: the cell then looks as drawn. */
	void (*cursor)(struct text_grid *grid, unsigned int x, unsigned int y, bool on);

	unsigned int x, y; /* of the next character; x == cols: a new line comes first */
	unsigned int cursor_x, cursor_y;
	unsigned int dirty_from, dirty_to; /* rows [from, to) may differ from what is shown */
};

void text_grid_init(struct text_grid *grid);
/*
 * Writes text and brings the display up to date. \n \r \b \t move; other control characters are
 * ignored; a character outside ASCII (in UTF-8) is shown as one '?'.
 */
void text_grid_write(struct text_grid *grid, const char *text, size_t len);

#define VGA_TEXT_PHYS 0xb8000UL
#define VGA_TEXT_SIZE (80 * 25 * 2)

/* Clears the 80x25 colour text screen whose VGA_TEXT_SIZE bytes are mapped at `text_cells`. */
void vga_init(void *text_cells);

/* Drops text until vga_init(). => written to by printk, one write at a time. */
extern struct console vga_console;

#endif
