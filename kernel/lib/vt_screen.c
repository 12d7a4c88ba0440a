/* SPDX-License-Identifier: MIT */
/* The grid of a terminal's screen: putting, moving, erasing, scrolling, and drawing what changed. */
#include "kernel/base/string.h"
#include "kernel/lib/vt.h"

#define TAB_WIDTH 8

/* --- cells --------------------------------------------------------------------------------- */

static vt_cell *row(struct vt *vt, unsigned int y)
{
	return vt->cells + (size_t)y * vt->cols;
}

static void mark_dirty(struct vt *vt, unsigned int from, unsigned int to)
{
	vt->dirty_from = min(vt->dirty_from, from);
	vt->dirty_to = max(vt->dirty_to, to);
}

static u8 pen_attr(const struct vt_pen *pen)
{
	u8 fg = (u8)(pen->fg | (pen->bright || pen->underline ? 8 : 0));

	/* The ground has no bright colours: that bit would blink. */
	return (u8)(pen->reverse ? (fg & 7) << 4 | pen->bg : pen->bg << 4 | fg);
}

/* What is erased takes the ground's colour. */
static vt_cell blank(const struct vt *vt)
{
	return VT_CELL(' ', vt->at.pen.bg << 4 | (VT_NORMAL & 0x0f));
}

static void fill(vt_cell *cells, size_t n, vt_cell cell)
{
	for (; n; n--)
		*cells++ = cell;
}

/* --- drawing ------------------------------------------------------------------------------- */

static void draw_row(struct vt *vt, unsigned int y)
{
	const vt_cell *cell = row(vt, y);
	vt_cell *shown = vt->shown + (size_t)y * vt->cols;

	for (unsigned int x = 0; x < vt->cols; x++) {
		if (cell[x] == shown[x])
			continue;
		shown[x] = cell[x];
		vt->draw(vt, x, y, cell[x]);
	}
}

void vt_redraw(struct vt *vt)
{
	if (vt->shown_on)
		vt->cursor(vt, vt->shown_x, vt->shown_y, false);
	for (unsigned int y = vt->dirty_from; y < vt->dirty_to; y++)
		draw_row(vt, y);
	vt->dirty_from = vt->rows;
	vt->dirty_to = 0;
	vt->shown_x = min(vt->at.x, vt->cols - 1);
	vt->shown_y = vt->at.y;
	vt->shown_on = vt->cursor_on;
	if (vt->shown_on)
		vt->cursor(vt, vt->shown_x, vt->shown_y, true);
}

void vt_reset(struct vt *vt)
{
	vt->at = (struct vt_place){ .pen = { .fg = VT_NORMAL } };
	vt->saved = vt->at;
	vt->top = 0;
	vt->bottom = vt->rows;
	vt->wraps = vt->cursor_on = true;
	vt->inserts = false;
	vt_clear_tabs(vt);
	for (unsigned int x = 0; x < vt->cols; x += TAB_WIDTH)
		vt->tabs[x / 8] |= (u8)(1U << x % 8);
	vt_erase(vt, 0, 0, 0, vt->rows);
}

void vt_init(struct vt *vt)
{
	vt->state = VT_TEXT;
	vt->reply_head = vt->reply_tail = 0;
	vt->shown_on = false;
	vt->dirty_from = vt->rows;
	vt->dirty_to = 0;
	vt_reset(vt);
	memcpy(vt->shown, vt->cells, (size_t)vt->cols * vt->rows * sizeof(vt_cell));
	vt_redraw(vt);
}

/* --- moving -------------------------------------------------------------------------------- */

static unsigned int clamp(int value, unsigned int from, unsigned int to)
{
	if (value < (int)from)
		return from;
	return min((unsigned int)value, to - 1);
}

void vt_move_to(struct vt *vt, int x, int y)
{
	vt->at.x = clamp(x, 0, vt->cols);
	if (vt->at.origin)
		vt->at.y = clamp(y + (int)vt->top, vt->top, vt->bottom);
	else
		vt->at.y = clamp(y, 0, vt->rows);
}

void vt_move_by(struct vt *vt, int dx, int dy)
{
	unsigned int from = vt->at.y >= vt->top ? vt->top : 0;
	unsigned int to = vt->at.y < vt->bottom ? vt->bottom : vt->rows;

	if (dx)
		vt->at.x = clamp((int)min(vt->at.x, vt->cols - 1) + dx, 0, vt->cols);
	vt->at.y = clamp((int)vt->at.y + dy, from, to);
}

void vt_line_feed(struct vt *vt)
{
	if (vt->at.y + 1 == vt->bottom)
		vt_scroll(vt, vt->top, -1);
	else if (vt->at.y + 1 < vt->rows)
		vt->at.y++;
}

void vt_reverse_line_feed(struct vt *vt)
{
	if (vt->at.y == vt->top)
		vt_scroll(vt, vt->top, 1);
	else if (vt->at.y > 0)
		vt->at.y--;
}

void vt_tab(struct vt *vt)
{
	unsigned int x = min(vt->at.x, vt->cols - 1);

	while (++x < vt->cols - 1)
		if (vt->tabs[x / 8] & (1U << x % 8))
			break;
	vt->at.x = min(x, vt->cols - 1);
}

void vt_set_tab(struct vt *vt, bool on)
{
	unsigned int x = min(vt->at.x, vt->cols - 1);

	if (on)
		vt->tabs[x / 8] |= (u8)(1U << x % 8);
	else
		vt->tabs[x / 8] &= (u8) ~(1U << x % 8);
}

void vt_clear_tabs(struct vt *vt)
{
	memset(vt->tabs, 0, sizeof(vt->tabs));
}

void vt_save(struct vt *vt)
{
	vt->saved = vt->at;
}

void vt_restore(struct vt *vt)
{
	vt->at = vt->saved;
}

/* --- changing ------------------------------------------------------------------------------ */

void vt_put(struct vt *vt, u8 ch)
{
	/* Only now does a full line wrap: one of exactly the width, with its \n, takes one row. */
	if (vt->at.x == vt->cols) {
		vt->at.x = vt->wraps ? 0 : vt->cols - 1;
		if (vt->wraps)
			vt_line_feed(vt);
	}
	if (vt->inserts)
		vt_shift_line(vt, 1);
	row(vt, vt->at.y)[vt->at.x] = VT_CELL(ch, pen_attr(&vt->at.pen));
	mark_dirty(vt, vt->at.y, vt->at.y + 1);
	vt->at.x++;
}

void vt_erase(struct vt *vt, unsigned int x, unsigned int y, unsigned int to_x, unsigned int to_y)
{
	size_t from = (size_t)y * vt->cols + x, to = (size_t)to_y * vt->cols + to_x;

	if (from >= to)
		return;
	fill(vt->cells + from, to - from, blank(vt));
	mark_dirty(vt, y, min(to_y + 1, vt->rows));
}

void vt_shift_line(struct vt *vt, int n)
{
	unsigned int x = min(vt->at.x, vt->cols - 1), room = vt->cols - x;
	unsigned int by = min((unsigned int)(n < 0 ? -n : n), room);
	vt_cell *cells = row(vt, vt->at.y) + x;

	if (n > 0) {
		memmove(cells + by, cells, (room - by) * sizeof(*cells));
		fill(cells, by, blank(vt));
	} else {
		memmove(cells, cells + by, (room - by) * sizeof(*cells));
		fill(cells + room - by, by, blank(vt));
	}
	mark_dirty(vt, vt->at.y, vt->at.y + 1);
}

void vt_scroll(struct vt *vt, unsigned int from, int n)
{
	unsigned int room = vt->bottom - from;
	unsigned int by = min((unsigned int)(n < 0 ? -n : n), room);
	size_t kept = (size_t)(room - by) * vt->cols, gone = (size_t)by * vt->cols;

	if (n > 0) {
		memmove(row(vt, from + by), row(vt, from), kept * sizeof(vt_cell));
		fill(row(vt, from), gone, blank(vt));
	} else {
		memmove(row(vt, from), row(vt, from + by), kept * sizeof(vt_cell));
		fill(row(vt, vt->bottom - by), gone, blank(vt));
	}
	mark_dirty(vt, from, vt->bottom);
}

void vt_set_region(struct vt *vt, unsigned int top, unsigned int bottom)
{
	vt->top = top;
	vt->bottom = bottom;
	vt_move_to(vt, 0, 0);
}
