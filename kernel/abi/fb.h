/* SPDX-License-Identifier: MIT */
/* ioctl(2) requests of framebuffers, and what they carry: Linux x86-64's values. */
#ifndef KERNEL_ABI_FB_H
#define KERNEL_ABI_FB_H

#include <stdint.h>

#define FBIOGET_VSCREENINFO 0x4600
#define FBIOPUT_VSCREENINFO 0x4601
#define FBIOGET_FSCREENINFO 0x4602
#define FBIOPAN_DISPLAY	    0x4606
#define FBIOBLANK	    0x4611

#define FB_TYPE_PACKED_PIXELS 0
#define FB_VISUAL_TRUECOLOR   2
#define FB_ACCEL_NONE	      0

/* What a driver can't change. */
struct fb_fix_screeninfo {
	char id[16];
	uint64_t smem_start; /* physical address */
	uint32_t smem_len;   /* bytes that can be mapped */
	uint32_t type;
	uint32_t type_aux;
	uint32_t visual;
	uint16_t xpanstep, ypanstep, ywrapstep;
	uint32_t line_length; /* bytes */
	uint64_t mmio_start;
	uint32_t mmio_len;
	uint32_t accel;
	uint16_t capabilities;
	uint16_t reserved[2];
};
_Static_assert(sizeof(struct fb_fix_screeninfo) == 80, "struct fb_fix_screeninfo has 80 bytes");

struct fb_bitfield {
	uint32_t offset; /* of its lowest bit */
	uint32_t length;
	uint32_t msb_right;
};

/* The mode. */
struct fb_var_screeninfo {
	uint32_t xres, yres;
	uint32_t xres_virtual, yres_virtual;
	uint32_t xoffset, yoffset;
	uint32_t bits_per_pixel;
	uint32_t grayscale;
	struct fb_bitfield red, green, blue, transp;
	uint32_t nonstd;
	uint32_t activate;
	uint32_t height, width; /* mm */
	uint32_t accel_flags;
	uint32_t pixclock;
	uint32_t left_margin, right_margin, upper_margin, lower_margin;
	uint32_t hsync_len, vsync_len;
	uint32_t sync;
	uint32_t vmode;
	uint32_t rotate;
	uint32_t colorspace;
	uint32_t reserved[4];
};
_Static_assert(sizeof(struct fb_var_screeninfo) == 160, "struct fb_var_screeninfo has 160 bytes");

#endif
