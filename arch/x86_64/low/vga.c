/* SPDX-License-Identifier: MIT */
/*
 * The text grid, and its simplest display: 80x25 cells of a character and an attribute byte at
 * physical 0xb8000, with a cursor in hardware (IBM VGA; registers of the CRT controller).
 */
#include <arch/io.h>
#include <arch/vga.h>
#include "kernel/base/string.h"

#define TAB_WIDTH 8

static void mark_dirty(struct text_grid *grid, unsigned int from, unsigned int to)
{
	grid->dirty_from = min(grid->dirty_from, from);
	grid->dirty_to = max(grid->dirty_to, to);
}

static void mark_clean(struct text_grid *grid)
{
	grid->dirty_from = grid->rows;
	grid->dirty_to = 0;
}

void text_grid_init(struct text_grid *grid)
{
	memset(grid->cells, ' ', (size_t)grid->cols * grid->rows);
	memset(grid->shown, ' ', (size_t)grid->cols * grid->rows);
	grid->x = grid->y = 0;
	grid->cursor_x = grid->cursor_y = 0;
	mark_clean(grid);
	grid->cursor(grid, 0, 0, true);
}

static void new_line(struct text_grid *grid)
{
	size_t kept = (size_t)grid->cols * (grid->rows - 1);

	if (grid->y + 1 < grid->rows) {
		grid->y++;
		return;
	}
	memmove(grid->cells, grid->cells + grid->cols, kept);
	memset(grid->cells + kept, ' ', grid->cols);
	mark_dirty(grid, 0, grid->rows);
}

static void put_glyph(struct text_grid *grid, u8 ch)
{
	/* Only now does a full line wrap: one of exactly the width, with its \n, takes one row. */
	if (grid->x == grid->cols) {
		grid->x = 0;
		new_line(grid);
	}
	grid->cells[(size_t)grid->y * grid->cols + grid->x] = ch;
	mark_dirty(grid, grid->y, grid->y + 1);
	grid->x++;
}

static void put_char(struct text_grid *grid, u8 ch)
{
	switch (ch) {
	case '\n':
		new_line(grid);
		break;
	case '\r':
		grid->x = 0;
		break;
	case '\b':
		if (grid->x > 0)
			grid->x--;
		break;
	case '\t':
		grid->x = min(ALIGN_UP(grid->x + 1, TAB_WIDTH), grid->cols - 1);
		break;
	case ' ' ... '~':
		put_glyph(grid, ch);
		break;
	case 0xc0 ... 0xff: /* begins a character in UTF-8; 0x80 to 0xbf continue it */
		put_glyph(grid, '?');
		break;
	}
}

static void redraw(struct text_grid *grid)
{
	unsigned int x, y;

	grid->cursor(grid, grid->cursor_x, grid->cursor_y, false);
	for (y = grid->dirty_from; y < grid->dirty_to; y++) {
		u8 *cell = grid->cells + (size_t)y * grid->cols;
		u8 *shown = grid->shown + (size_t)y * grid->cols;

		for (x = 0; x < grid->cols; x++) {
			if (cell[x] == shown[x])
				continue;
			shown[x] = cell[x];
			grid->draw(grid, x, y, cell[x]);
		}
	}
	mark_clean(grid);
	grid->cursor_x = min(grid->x, grid->cols - 1);
	grid->cursor_y = grid->y;
	grid->cursor(grid, grid->cursor_x, grid->cursor_y, true);
}

void text_grid_write(struct text_grid *grid, const char *text, size_t len)
{
	for (; len > 0; len--, text++)
		put_char(grid, (u8)*text);
	redraw(grid);
}

/* The VGA text mode. */

#define COLS 80
#define ROWS 25
#define ATTR 0x07 /* light grey on black */

#define CRTC_INDEX	  0x3d4
#define CRTC_DATA	  0x3d5
#define CRTC_CURSOR_START 0x0a /* first scan line of the cursor; bit 5 hides it */
#define CRTC_CURSOR_END	  0x0b
#define CRTC_START_HIGH	  0x0c /* the cell at the upper left */
#define CRTC_START_LOW	  0x0d
#define CRTC_CURSOR_HIGH  0x0e
#define CRTC_CURSOR_LOW	  0x0f

static volatile u16 *vga_cells; /* NULL until vga_init() */
static u8 cells[COLS * ROWS], shown[COLS * ROWS];

static void crtc_write(u8 reg, u8 val)
{
	outb(CRTC_INDEX, reg);
	outb(CRTC_DATA, val);
}

static void vga_draw(struct text_grid *grid, unsigned int x, unsigned int y, u8 ch)
{
	vga_cells[y * grid->cols + x] = (u16)(ATTR << 8 | ch);
}

static void vga_cursor(struct text_grid *grid, unsigned int x, unsigned int y, bool on)
{
	unsigned int pos = y * grid->cols + x;

	if (!on) /* it moves by itself */
		return;
	crtc_write(CRTC_CURSOR_HIGH, (u8)(pos >> 8));
	crtc_write(CRTC_CURSOR_LOW, (u8)pos);
}

static struct text_grid vga_grid = {
	.cols = COLS,
	.rows = ROWS,
	.cells = cells,
	.shown = shown,
	.draw = vga_draw,
	.cursor = vga_cursor,
};

void vga_init(void *text_cells)
{
	unsigned int i;

	vga_cells = text_cells;
	for (i = 0; i < COLS * ROWS; i++)
		vga_cells[i] = ATTR << 8 | ' ';
	crtc_write(CRTC_START_HIGH, 0);
	crtc_write(CRTC_START_LOW, 0);
	crtc_write(CRTC_CURSOR_START, 14);
	crtc_write(CRTC_CURSOR_END, 15);
	text_grid_init(&vga_grid);
}

static void vga_write(struct console *con, const char *text, size_t len)
{
	(void)con;
	if (vga_cells)
		text_grid_write(&vga_grid, text, len);
}

struct console vga_console = { .name = "vga", .write = vga_write };
