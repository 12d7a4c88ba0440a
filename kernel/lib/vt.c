/* SPDX-License-Identifier: MIT */
/*
 * Takes apart the text that a terminal is sent: characters, control characters, and the sequences
 * that begin with ESC (ECMA-48; for what is DEC's alone, the VT100 User Guide; for what programs
 * expect of TERM=linux, console_codes(4)). What isn't known is skipped as a whole.
 */
#include "kernel/lib/vt.h"

#include "kernel/base/printf.h"
#include "kernel/base/string.h"

#define ESC 0x1b

/* --- answers ------------------------------------------------------------------------------- */

static void reply(struct vt *vt, const char *text)
{
	unsigned int head = vt->reply_head;
	unsigned int room =
		VT_REPLY_SIZE - (head - __atomic_load_n(&vt->reply_tail, __ATOMIC_ACQUIRE));

	/* All of it or nothing: half an answer would be typed text. */
	if (strlen(text) > room)
		return;
	for (; *text; text++)
		vt->reply[head++ % VT_REPLY_SIZE] = *text;
	__atomic_store_n(&vt->reply_head, head, __ATOMIC_RELEASE);
}

size_t vt_take_reply(struct vt *vt, char *to, size_t size)
{
	unsigned int head = __atomic_load_n(&vt->reply_head, __ATOMIC_ACQUIRE);
	unsigned int tail = vt->reply_tail;
	size_t n = 0;

	while (tail != head && n < size)
		to[n++] = vt->reply[tail++ % VT_REPLY_SIZE];
	__atomic_store_n(&vt->reply_tail, tail, __ATOMIC_RELEASE);
	return n;
}

static void report(struct vt *vt, unsigned int what)
{
	unsigned int top = vt->at.origin ? vt->top : 0;
	char text[32];

	if (what == 5) {
		reply(vt, "\033[0n");
	} else if (what == 6) {
		scnprintf(text, sizeof(text), "\033[%u;%uR", vt->at.y - top + 1,
			  min(vt->at.x, vt->cols - 1) + 1);
		reply(vt, text);
	}
}

static void identify(struct vt *vt)
{
	reply(vt, "\033[?6c"); /* a VT102, as Linux's says */
}

/* --- parameters ---------------------------------------------------------------------------- */

#define PARAM_MAX 9999

static void add_digit(struct vt *vt, char digit)
{
	unsigned int *param;

	if (!vt->nr_params)
		vt->params[vt->nr_params++] = 0;
	param = &vt->params[vt->nr_params - 1];
	*param = min(*param * 10 + (unsigned int)(digit - '0'), (unsigned int)PARAM_MAX);
}

static void next_param(struct vt *vt)
{
	if (!vt->nr_params)
		vt->params[vt->nr_params++] = 0;
	if (vt->nr_params < VT_MAX_PARAMS)
		vt->params[vt->nr_params++] = 0;
	else
		vt->state = VT_SKIP;
}

/* As given, or 0. */
static unsigned int param(const struct vt *vt, unsigned int i)
{
	return i < vt->nr_params ? vt->params[i] : 0;
}

/* A count or a place: 0 and nothing mean 1. */
static int count(const struct vt *vt, unsigned int i)
{
	return (int)max(param(vt, i), 1U);
}

/* --- looks --------------------------------------------------------------------------------- */

/* Red and blue are the other way round in VGA's numbers. */
static u8 vga_colour(unsigned int ansi)
{
	return (u8)((ansi & 1) << 2 | (ansi & 2) | (ansi & 4) >> 2);
}

static void set_fg(struct vt_pen *pen, unsigned int ansi, bool bright)
{
	pen->fg = vga_colour(ansi);
	if (bright)
		pen->bright = true;
}

/* The nearest of the eight, with a brightness, of one of 256 colours or of 24 bits. */
static unsigned int nearest(unsigned int r, unsigned int g, unsigned int b, bool *bright)
{
	*bright = max(max(r, g), b) > 192;
	return (r > 96 ? 1U : 0) | (g > 96 ? 2U : 0) | (b > 96 ? 4U : 0);
}

static unsigned int of_256(unsigned int n, bool *bright)
{
	unsigned int grey;

	*bright = n >= 8;
	if (n < 16)
		return n & 7;
	if (n < 232) {
		n -= 16;
		return nearest(n / 36 * 51, n / 6 % 6 * 51, n % 6 * 51, bright);
	}
	grey = 8 + 10 * (min(n, 255U) - 232);
	return nearest(grey, grey, grey, bright);
}

/* 38 and 48: 5;N or 2;R;G;B follows at parameter i. How many parameters that takes. */
static unsigned int extended_colour(struct vt *vt, unsigned int i, bool ground)
{
	unsigned int colour, used;
	bool bright;

	if (param(vt, i) == 5) {
		colour = of_256(param(vt, i + 1), &bright);
		used = 2;
	} else if (param(vt, i) == 2) {
		colour = nearest(param(vt, i + 1), param(vt, i + 2), param(vt, i + 3), &bright);
		used = 4;
	} else {
		return 0;
	}
	if (ground)
		vt->at.pen.bg = vga_colour(colour);
	else
		set_fg(&vt->at.pen, colour, bright);
	return used;
}

static void set_style(struct vt_pen *pen, unsigned int n)
{
	switch (n) {
	case 0:
		*pen = (struct vt_pen){ .fg = VT_NORMAL };
		break;
	case 1:
		pen->bright = true;
		break;
	case 4:
		pen->underline = true;
		break;
	case 7:
		pen->reverse = true;
		break;
	case 21:
	case 22:
		pen->bright = false;
		break;
	case 24:
		pen->underline = false;
		break;
	case 27:
		pen->reverse = false;
		break;
	case 39:
		pen->fg = VT_NORMAL;
		break;
	case 49:
		pen->bg = 0;
		break;
	}
}

/* SGR. */
static void set_look(struct vt *vt)
{
	struct vt_pen *pen = &vt->at.pen;

	for (unsigned int i = 0; i < max(vt->nr_params, 1U); i++) {
		unsigned int n = param(vt, i);

		if (n >= 30 && n <= 37)
			set_fg(pen, n - 30, false);
		else if (n >= 40 && n <= 47)
			pen->bg = vga_colour(n - 40);
		else if (n >= 90 && n <= 97)
			set_fg(pen, n - 90, true);
		else if (n >= 100 && n <= 107)
			pen->bg = vga_colour(n - 100);
		else if (n == 38 || n == 48)
			i += extended_colour(vt, i + 1, n == 48);
		else
			set_style(pen, n);
	}
}

/* --- sequences ----------------------------------------------------------------------------- */

static void erase_display(struct vt *vt)
{
	unsigned int x = min(vt->at.x, vt->cols - 1), y = vt->at.y;

	switch (param(vt, 0)) {
	case 0:
		vt_erase(vt, x, y, 0, vt->rows);
		break;
	case 1:
		vt_erase(vt, 0, 0, x + 1, y);
		break;
	case 2:
	case 3:
		vt_erase(vt, 0, 0, 0, vt->rows);
		break;
	}
}

static void erase_line(struct vt *vt)
{
	unsigned int x = min(vt->at.x, vt->cols - 1), y = vt->at.y;

	switch (param(vt, 0)) {
	case 0:
		vt_erase(vt, x, y, vt->cols, y);
		break;
	case 1:
		vt_erase(vt, 0, y, x + 1, y);
		break;
	case 2:
		vt_erase(vt, 0, y, vt->cols, y);
		break;
	}
}

static void erase_chars(struct vt *vt)
{
	unsigned int x = min(vt->at.x, vt->cols - 1);

	vt_erase(vt, x, vt->at.y, min(x + (unsigned int)count(vt, 0), vt->cols), vt->at.y);
}

/* IL and DL: only within the region. */
static void insert_lines(struct vt *vt, int n)
{
	if (vt->at.y < vt->top || vt->at.y >= vt->bottom)
		return;
	vt_scroll(vt, vt->at.y, n);
	vt->at.x = 0;
}

static void set_region(struct vt *vt)
{
	unsigned int top = (unsigned int)count(vt, 0);
	unsigned int bottom = param(vt, 1) ? param(vt, 1) : vt->rows;

	if (top < bottom && bottom <= vt->rows)
		vt_set_region(vt, top - 1, bottom);
}

static void set_mode(struct vt *vt, unsigned int mode, bool on)
{
	if (!vt->private) {
		if (mode == 4)
			vt->inserts = on;
		return;
	}
	switch (mode) {
	case 6:
		vt->at.origin = on;
		vt_move_to(vt, 0, 0);
		break;
	case 7:
		vt->wraps = on;
		break;
	case 25:
		vt->cursor_on = on;
		break;
	}
}

static void set_modes(struct vt *vt, bool on)
{
	if (vt->private && vt->private != '?')
		return;
	for (unsigned int i = 0; i < vt->nr_params; i++)
		set_mode(vt, vt->params[i], on);
}

static void clear_tab(struct vt *vt)
{
	if (param(vt, 0) == 0)
		vt_set_tab(vt, false);
	else if (param(vt, 0) == 3)
		vt_clear_tabs(vt);
}

/* Of a sequence that moves the cursor: true when it was one. */
static bool move_cursor(struct vt *vt, char final)
{
	int n = count(vt, 0);
	int y = (int)(vt->at.y - (vt->at.origin ? vt->top : 0));

	switch (final) {
	case 'A':
		vt_move_by(vt, 0, -n);
		break;
	case 'B':
	case 'e':
		vt_move_by(vt, 0, n);
		break;
	case 'C':
	case 'a':
		vt_move_by(vt, n, 0);
		break;
	case 'D':
		vt_move_by(vt, -n, 0);
		break;
	case 'E':
		vt_move_by(vt, -(int)vt->cols, n);
		break;
	case 'F':
		vt_move_by(vt, -(int)vt->cols, -n);
		break;
	case 'G':
	case '`':
		vt_move_to(vt, n - 1, y);
		break;
	case 'd':
		vt_move_to(vt, (int)min(vt->at.x, vt->cols - 1), n - 1);
		break;
	case 'H':
	case 'f':
		vt_move_to(vt, count(vt, 1) - 1, n - 1);
		break;
	default:
		return false;
	}
	return true;
}

static void csi_plain(struct vt *vt, char final)
{
	if (move_cursor(vt, final))
		return;
	switch (final) {
	case '@':
		vt_shift_line(vt, count(vt, 0));
		break;
	case 'P':
		vt_shift_line(vt, -count(vt, 0));
		break;
	case 'J':
		erase_display(vt);
		break;
	case 'K':
		erase_line(vt);
		break;
	case 'X':
		erase_chars(vt);
		break;
	case 'L':
		insert_lines(vt, count(vt, 0));
		break;
	case 'M':
		insert_lines(vt, -count(vt, 0));
		break;
	case 'S':
		vt_scroll(vt, vt->top, -count(vt, 0));
		break;
	case 'T':
		vt_scroll(vt, vt->top, count(vt, 0));
		break;
	case 'c':
		if (param(vt, 0) == 0)
			identify(vt);
		break;
	case 'g':
		clear_tab(vt);
		break;
	case 'm':
		set_look(vt);
		break;
	case 'n':
		report(vt, param(vt, 0));
		break;
	case 'r':
		set_region(vt);
		break;
	case 's':
		vt_save(vt);
		break;
	case 'u':
		vt_restore(vt);
		break;
	}
}

static void csi_end(struct vt *vt, char final)
{
	vt->state = VT_TEXT;
	if (final == 'h' || final == 'l')
		set_modes(vt, final == 'h');
	else if (!vt->private)
		csi_plain(vt, final);
}

static void csi_byte(struct vt *vt, char c)
{
	if (c >= '0' && c <= '9')
		add_digit(vt, c);
	else if (c == ';' || c == ':')
		next_param(vt);
	else if (c >= '<' && c <= '?' && !vt->nr_params && !vt->private)
		vt->private = c;
	else if (c >= '@' && c <= '~')
		csi_end(vt, c);
	else
		vt->state = VT_SKIP;
}

static void escape_byte(struct vt *vt, char c)
{
	vt->state = VT_TEXT;
	switch (c) {
	case '[':
		vt->state = VT_CSI;
		vt->private = 0;
		vt->nr_params = 0;
		break;
	case ']':
	case 'P':
	case 'X':
	case '^':
	case '_':
		vt->state = VT_STRING;
		break;
	case '(':
	case ')':
		vt->state = VT_CHARSET;
		break;
	case '#':
	case '%':
		vt->state = VT_HASH;
		break;
	case '7':
		vt_save(vt);
		break;
	case '8':
		vt_restore(vt);
		break;
	case 'c':
		vt_reset(vt);
		break;
	case 'D':
		vt_line_feed(vt);
		break;
	case 'E':
		vt->at.x = 0;
		vt_line_feed(vt);
		break;
	case 'H':
		vt_set_tab(vt, true);
		break;
	case 'M':
		vt_reverse_line_feed(vt);
		break;
	case 'Z':
		identify(vt);
		break;
	}
}

/* --- characters ---------------------------------------------------------------------------- */

/* DEC's line drawing characters, from '`' on, in what ASCII has for them. */
static const char line_drawing[] = "+#????o#?+++++~---_++++|<>*!fo";

static void text_byte(struct vt *vt, u8 c)
{
	if (c >= 0xc0) /* begins a character in UTF-8; 0x80 to 0xbf continue it */
		vt_put(vt, '?');
	else if (vt->at.graphics && c >= '`' && c < '`' + sizeof(line_drawing) - 1)
		vt_put(vt, (u8)line_drawing[c - '`']);
	else if (c >= ' ' && c < 0x7f)
		vt_put(vt, c);
}

/* Control characters mean the same within a sequence. False when c is none. */
static bool control_byte(struct vt *vt, u8 c)
{
	switch (c) {
	case '\b':
		vt_move_by(vt, vt->at.x ? -1 : 0, 0);
		return true;
	case '\t':
		vt_tab(vt);
		return true;
	case '\n':
	case '\v':
	case '\f':
		vt_line_feed(vt);
		return true;
	case '\r':
		vt->at.x = 0;
		return true;
	case 0x0e: /* to the other character set and back */
		vt->at.graphics = true;
		return true;
	case 0x0f:
		vt->at.graphics = false;
		return true;
	case 0x18: /* ends a sequence that never was */
	case 0x1a:
		vt->state = VT_TEXT;
		return true;
	case ESC:
		vt->state = VT_ESCAPE;
		return true;
	}
	return c < ' ' || c == 0x7f;
}

static void put_byte(struct vt *vt, u8 c)
{
	if (vt->state == VT_STRING) {
		if (c == ESC)
			vt->state = VT_ESCAPE; /* its end is ESC \, and means nothing else */
		else if (c == '\a' || c == 0x18 || c == 0x1a)
			vt->state = VT_TEXT;
		return;
	}
	if (control_byte(vt, c))
		return;
	switch (vt->state) {
	case VT_ESCAPE:
		escape_byte(vt, (char)c);
		break;
	case VT_CHARSET:
		vt->at.graphics = c == '0';
		vt->state = VT_TEXT;
		break;
	case VT_HASH:
		vt->state = VT_TEXT;
		break;
	case VT_CSI:
		csi_byte(vt, (char)c);
		break;
	case VT_SKIP:
		if (c >= '@' && c <= '~')
			vt->state = VT_TEXT;
		break;
	default:
		text_byte(vt, c);
	}
}

void vt_write(struct vt *vt, const char *text, size_t len)
{
	for (; len > 0; len--, text++)
		put_byte(vt, (u8)*text);
	vt_redraw(vt);
}
