/* SPDX-License-Identifier: MIT */
/*
 * A screen of characters that understands what terminals are told: ECMA-48 and DEC's VT100, the part
 * of it that programs use which believe they talk to TERM=linux.
 *
 * A grid of cells in memory stands beside what the display shows of it. Text changes `cells`; at the
 * end of each write only those that differ from `shown` are drawn, so a hundred lines that scroll
 * by in one write cost one redraw, and the slow memory of the display is never read.
 *
 * vt_screen.c changes the grid, vt.c takes the text apart.
 */
#ifndef KERNEL_LIB_VT_H
#define KERNEL_LIB_VT_H

#include "kernel/base/compiler.h"
#include "kernel/base/types.h"

/* A cell as in VGA's memory: the character, then 4 bits each of its colour and of the ground's. */
typedef u16 vt_cell;
#define VT_CELL(ch, attr) ((vt_cell)((u8)(ch) | (attr) << 8))
#define VT_NORMAL	  0x07 /* light grey on black */

#define VT_MAX_COLS   200
#define VT_MAX_PARAMS 16
#define VT_REPLY_SIZE 64U /* a power of two */

/* How the next character will look. */
struct vt_pen {
	u8 fg, bg; /* VGA's numbers, 0 to 7 */
	bool bright, underline, reverse;
};

struct vt_place {
	unsigned int x, y; /* x == cols: the line is full, and the next character wraps first */
	struct vt_pen pen;
	bool graphics, origin;
};

enum vt_state {
	VT_TEXT,
	VT_ESCAPE,  /* after ESC */
	VT_CHARSET, /* after ESC ( or ESC ) */
	VT_HASH,    /* after ESC # */
	VT_CSI,	    /* after ESC [ */
	VT_SKIP,    /* in a sequence that means nothing here, up to its end */
	VT_STRING,  /* in a string for who knows what, up to BEL or ESC \ */
};

struct vt {
	/* Set by the owner, who clears the display and calls vt_init(). */
	unsigned int cols, rows; /* at least 1; cols at most VT_MAX_COLS */
	vt_cell *cells, *shown;	 /* cols * rows each */
	void (*draw)(struct vt *vt, unsigned int x, unsigned int y, vt_cell cell);
	/* Shows the cursor on a cell, or takes it off: the cell then looks as drawn. */
	void (*cursor)(struct vt *vt, unsigned int x, unsigned int y, bool on);

	struct vt_place at, saved;
	unsigned int top, bottom; /* rows [top, bottom) scroll */
	bool wraps, inserts, cursor_on;
	u8 tabs[VT_MAX_COLS / 8]; /* bitmap of stops */

	unsigned int shown_x, shown_y; /* where the display has the cursor */
	bool shown_on;
	unsigned int dirty_from, dirty_to; /* rows [from, to) may differ from what is shown */

	enum vt_state state;
	char private;		/* '?' and the like, right after ESC [ */
	unsigned int nr_params; /* begun; 0: none was given */
	unsigned int params[VT_MAX_PARAMS];

	/* Answers for who asked: one writer, one reader. */
	char reply[VT_REPLY_SIZE];
	unsigned int reply_head, reply_tail;
};

void vt_init(struct vt *vt);
/*
 * Writes text and brings the display up to date. A character outside ASCII (in UTF-8) is shown as one
 * '?'. => one write at a time
 */
void vt_write(struct vt *vt, const char *text, size_t len);
/* Takes answers out: at most `size` bytes. How many there were. */
size_t vt_take_reply(struct vt *vt, char *to, size_t size);

/* --- vt_screen.c, for vt.c ----------------------------------------------------------------- */

void vt_reset(struct vt *vt);
void vt_redraw(struct vt *vt);
void vt_put(struct vt *vt, u8 ch);
/* Puts the cursor there, or as near as the screen has. y counts from the region in origin mode. */
void vt_move_to(struct vt *vt, int x, int y);
/* Moves it by so much; up and down it stays within the region if it is there. */
void vt_move_by(struct vt *vt, int dx, int dy);
void vt_line_feed(struct vt *vt);
void vt_reverse_line_feed(struct vt *vt);
void vt_tab(struct vt *vt);
void vt_set_tab(struct vt *vt, bool on);
void vt_clear_tabs(struct vt *vt);
/* Erases from cell (x, y) to before the cell (to_x, to_y), in reading order. */
void vt_erase(struct vt *vt, unsigned int x, unsigned int y, unsigned int to_x, unsigned int to_y);
/* Moves the rest of the line by n cells to the right, or (n < 0) to the left. */
void vt_shift_line(struct vt *vt, int n);
/* Moves rows [from, bottom) by n down, or (n < 0) up, within the scroll region. */
void vt_scroll(struct vt *vt, unsigned int from, int n);
void vt_set_region(struct vt *vt, unsigned int top, unsigned int bottom);
void vt_save(struct vt *vt);
void vt_restore(struct vt *vt);

#endif
