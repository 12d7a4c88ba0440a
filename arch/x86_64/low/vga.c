/* SPDX-License-Identifier: MIT */
/*
 * The simplest display: 80x25 cells of a character and an attribute byte at physical 0xb8000, with a
 * cursor in hardware (IBM VGA; registers of the CRT controller).
 */
#include <arch/io.h>
#include <arch/vga.h>

#define COLS 80
#define ROWS 25

#define CRTC_INDEX	  0x3d4
#define CRTC_DATA	  0x3d5
#define CRTC_CURSOR_START 0x0a /* first scan line of the cursor */
#define CRTC_CURSOR_END	  0x0b
#define CRTC_START_HIGH	  0x0c /* the cell at the upper left */
#define CRTC_START_LOW	  0x0d
#define CRTC_CURSOR_HIGH  0x0e
#define CRTC_CURSOR_LOW	  0x0f

struct vt *screen_vt;

static volatile u16 *vga_cells; /* NULL until vga_init() */
static vt_cell cells[COLS * ROWS], shown[COLS * ROWS];

static void crtc_write(u8 reg, u8 val)
{
	outb(CRTC_INDEX, reg);
	outb(CRTC_DATA, val);
}

static void vga_draw(struct vt *vt, unsigned int x, unsigned int y, vt_cell cell)
{
	vga_cells[y * vt->cols + x] = cell;
}

/* It is hidden behind the end of the screen. */
static void vga_cursor(struct vt *vt, unsigned int x, unsigned int y, bool on)
{
	unsigned int pos = on ? y * vt->cols + x : COLS * ROWS;

	crtc_write(CRTC_CURSOR_HIGH, (u8)(pos >> 8));
	crtc_write(CRTC_CURSOR_LOW, (u8)pos);
}

static struct vt vga_vt = {
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
		vga_cells[i] = VT_CELL(' ', VT_NORMAL);
	crtc_write(CRTC_START_HIGH, 0);
	crtc_write(CRTC_START_LOW, 0);
	crtc_write(CRTC_CURSOR_START, 14);
	crtc_write(CRTC_CURSOR_END, 15);
	vt_init(&vga_vt);
	screen_vt = &vga_vt;
}

static void vga_write(struct console *con, const char *text, size_t len)
{
	(void)con;
	if (vga_cells)
		vt_write(&vga_vt, text, len);
}

struct console vga_console = { .name = "vga", .write = vga_write };
