/* SPDX-License-Identifier: MIT */
/*
 * Characters painted into a framebuffer, as UEFI machines have no text mode. The font is a PC
 * screen font, version 1 or 2 (the format of the Linux console's fonts, as described by the
 * kbd package); its first glyphs are in ASCII order, and those are all that is used.
 */
#include <arch/fbcon.h>
#include <arch/vga.h>
#include "kernel/base/errno.h"
#include "kernel/base/string.h"

#define MAX_COLS VT_MAX_COLS
#define MAX_ROWS 80

struct font {
	const u8 *glyphs;
	u32 count;
	u32 glyph_bytes;
	u32 width, height; /* pixels */
	u32 row_bytes;
};

struct screen {
	u8 *pixels; /* NULL: no screen */
	u32 pitch;
	u32 pixel_bytes;
	u32 colours[16]; /* VGA's, as stored */
};

#define PSF1_HEADER    4
#define PSF1_MODE_512  0x01
#define PSF2_HEADER    32
#define MAX_GLYPH_SIDE 64

static struct font font;
static struct screen screen;
static vt_cell cells[MAX_COLS * MAX_ROWS], shown[MAX_COLS * MAX_ROWS];

static u32 read_le32(const u8 *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (u32)p[3] << 24;
}

/* Header: magic 36 04, mode, bytes per glyph. Glyphs are 8 pixels wide. */
static bool parse_psf1(struct font *f, const u8 *data, size_t size)
{
	f->count = data[2] & PSF1_MODE_512 ? 512 : 256;
	f->glyph_bytes = f->height = data[3];
	f->width = 8;
	f->row_bytes = 1;
	f->glyphs = data + PSF1_HEADER;
	return f->height > 0 && f->height <= MAX_GLYPH_SIDE &&
	       f->count * f->glyph_bytes <= size - PSF1_HEADER;
}

/* Header, in 32-bit words: magic, version, its size, flags, count, bytes a glyph, height, width. */
static bool parse_psf2(struct font *f, const u8 *data, size_t size)
{
	u32 header = read_le32(data + 8);

	f->count = read_le32(data + 16);
	f->glyph_bytes = read_le32(data + 20);
	f->height = read_le32(data + 24);
	f->width = read_le32(data + 28);
	if (header < PSF2_HEADER || header > size)
		return false;
	if (f->height == 0 || f->height > MAX_GLYPH_SIDE || f->width == 0 ||
	    f->width > MAX_GLYPH_SIDE)
		return false;
	f->row_bytes = DIV_ROUND_UP(f->width, 8);
	f->glyphs = data + header;
	return f->count > 0 && f->glyph_bytes >= f->row_bytes * f->height &&
	       (u64)f->count * f->glyph_bytes <= size - header;
}

static bool parse_font(struct font *f, const u8 *data, size_t size)
{
	if (size >= PSF2_HEADER && read_le32(data) == 0x864ab572)
		return parse_psf2(f, data, size);
	if (size >= PSF1_HEADER && data[0] == 0x36 && data[1] == 0x04)
		return parse_psf1(f, data, size);
	return false;
}

static void put_pixel(u8 *p, u32 value)
{
	/* The copies of constant size become one store each. */
	switch (screen.pixel_bytes) {
	case 2:
		memcpy(p, &value, 2);
		break;
	case 3:
		memcpy(p, &value, 2);
		p[2] = (u8)(value >> 16);
		break;
	default:
		memcpy(p, &value, 4);
		break;
	}
}

static void paint(unsigned int x, unsigned int y, u8 ch, u32 fg, u32 bg)
{
	const u8 *bits = font.glyphs + (size_t)(ch < font.count ? ch : 0) * font.glyph_bytes;
	u8 *line = screen.pixels + (size_t)y * font.height * screen.pitch +
		   (size_t)x * font.width * screen.pixel_bytes;
	u32 row, col;

	for (row = 0; row < font.height; row++) {
		u8 *p = line;

		for (col = 0; col < font.width; col++) {
			bool set = bits[col / 8] & (0x80 >> (col % 8));

			put_pixel(p, set ? fg : bg);
			p += screen.pixel_bytes;
		}
		bits += font.row_bytes;
		line += screen.pitch;
	}
}

static u32 fg_of(vt_cell cell)
{
	return screen.colours[cell >> 8 & 15];
}

static u32 bg_of(vt_cell cell)
{
	return screen.colours[cell >> 12 & 7];
}

static void fbcon_draw(struct vt *vt, unsigned int x, unsigned int y, vt_cell cell)
{
	(void)vt;
	paint(x, y, (u8)cell, fg_of(cell), bg_of(cell));
}

/* A block: the character in exchanged colours. */
static void fbcon_cursor(struct vt *vt, unsigned int x, unsigned int y, bool on)
{
	vt_cell cell = vt->shown[(size_t)y * vt->cols + x];

	if (on)
		paint(x, y, (u8)cell, bg_of(cell), fg_of(cell));
	else
		fbcon_draw(vt, x, y, cell);
}

static struct vt fb_vt = {
	.cells = cells,
	.shown = shown,
	.draw = fbcon_draw,
	.cursor = fbcon_cursor,
};

/* A colour part of 8 bits in the place and width the hardware wants. */
static u32 colour_part(u8 value, u8 pos, u8 size)
{
	u32 scaled = size > 8 ? (u32)value << (size - 8) : (u32)value >> (8 - size);

	return scaled << pos;
}

/* VGA's colours: bit 0 blue, 1 green, 2 red, 3 bright; and what would be dark yellow is brown. */
static u32 colour(const struct boot_framebuffer *fb, unsigned int n)
{
	u8 on = n & 8 ? 0xff : 0xb0, off = n & 8 ? 0x55 : 0;
	u8 red = n & 4 ? on : off, green = n & 2 ? on : off, blue = n & 1 ? on : off;

	if (n == 6)
		green = 0x58;
	return colour_part(red, fb->red_pos, fb->red_size) |
	       colour_part(green, fb->green_pos, fb->green_size) |
	       colour_part(blue, fb->blue_pos, fb->blue_size);
}

static bool usable(const struct boot_framebuffer *fb)
{
	if (fb->type != BOOT_FB_RGB)
		return false;
	if (fb->bpp != 15 && fb->bpp != 16 && fb->bpp != 24 && fb->bpp != 32)
		return false;
	/* Each part lies inside the pixel: no shift by 32 or more either. */
	if (fb->red_size == 0 || fb->red_pos + fb->red_size > fb->bpp || fb->green_size == 0 ||
	    fb->green_pos + fb->green_size > fb->bpp || fb->blue_size == 0 ||
	    fb->blue_pos + fb->blue_size > fb->bpp)
		return false;
	return (u64)fb->width * DIV_ROUND_UP(fb->bpp, 8) <= fb->pitch;
}

int fbcon_init(const struct boot_framebuffer *fb, void *pixels)
{
	u32 y;

	screen.pixels = NULL;
	if (!pixels || !usable(fb))
		return -EINVAL;
	if (!parse_font(&font, console_font_start,
			(size_t)((uintptr_t)console_font_end - (uintptr_t)console_font_start)))
		return -ENOENT;
	fb_vt.cols = min(fb->width / font.width, (u32)MAX_COLS);
	fb_vt.rows = min(fb->height / font.height, (u32)MAX_ROWS);
	if (fb_vt.cols == 0 || fb_vt.rows == 0)
		return -EINVAL;

	screen.pitch = fb->pitch;
	screen.pixel_bytes = DIV_ROUND_UP(fb->bpp, 8);
	for (unsigned int n = 0; n < ARRAY_SIZE(screen.colours); n++)
		screen.colours[n] = colour(fb, n);
	screen.pixels = pixels;
	for (y = 0; y < fb->height; y++)
		memset(screen.pixels + (size_t)y * fb->pitch, 0,
		       (size_t)fb->width * screen.pixel_bytes);
	vt_init(&fb_vt);
	screen_vt = &fb_vt;
	return 0;
}

static void fbcon_write(struct console *con, const char *text, size_t len)
{
	(void)con;
	if (screen.pixels)
		vt_write(&fb_vt, text, len);
}

struct console fbcon_console = { .name = "fb", .write = fbcon_write };
