/* SPDX-License-Identifier: MIT */
/* Text on a linear framebuffer of 15, 16, 24 or 32 bits a pixel, in the kernel's built-in font. */
#ifndef ARCH_FBCON_H
#define ARCH_FBCON_H

#include "kernel/base/boot_info.h"
#include "kernel/base/printk.h"

/*
 * Clears the screen described by *fb, whose pitch * height bytes are mapped at `pixels` for
 * ever. A screen larger than 200 x 80 characters is used in its upper left part. Returns 0;
 * -EINVAL for a framebuffer that isn't RGB, contradicts itself or can't hold one character;
 * -ENOENT when the font is empty or no valid PSF file. After an error fbcon_console drops text.
 */
int fbcon_init(const struct boot_framebuffer *fb, void *pixels);

/* => written to by printk, one write at a time. */
extern struct console fbcon_console;

/* A PSF1 or PSF2 font, put into the image by the build. */
extern const u8 console_font_start[], console_font_end[];

#endif
