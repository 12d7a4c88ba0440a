/* SPDX-License-Identifier: MIT */
/* Drivers of character devices, for the list in dev.c. Numbers are those of Linux's list of devices. */
#ifndef KERNEL_FS_DEV_H
#define KERNEL_FS_DEV_H

#include "kernel/base/boot_info.h"
#include "kernel/fs/vfs.h"

#define MEMDEMO_MAJOR 240 /* for local use */
#define MEMDEMO_MINOR 0
extern const struct file_operations memdemo_fops;

#define FB_MAJOR 29
#define FB_MINOR 0
extern const struct file_operations fb_fops;
/*
 * There is a framebuffer of *fb, whose pitch * height bytes the kernel has mapped at `pixels` for ever.
 * => before fs_init(), which makes /dev/fb0 then
 */
void fb_register(const struct boot_framebuffer *fb, void *pixels);
bool fb_exists(void);

#endif
