/* SPDX-License-Identifier: MIT */
/*
 * What the boot loader said, whichever loader it was: boot/ fills this in from multiboot2 tags or
 * from PVH's hvm_start_info, and nothing after it knows the difference.
 */
#ifndef KERNEL_BASE_BOOT_INFO_H
#define KERNEL_BASE_BOOT_INFO_H

#include "kernel/base/types.h"

#define BOOT_CMDLINE_MAX 1024
#define BOOT_MEM_MAX	 128
#define BOOT_MODULE_MAX	 8

/* Types of memory as in ACPI's and multiboot2's memory maps. */
enum boot_mem_type {
	BOOT_MEM_RAM = 1,
	BOOT_MEM_RESERVED = 2,
	BOOT_MEM_ACPI = 3, /* reclaimable once the tables are read */
	BOOT_MEM_NVS = 4,
	BOOT_MEM_BAD = 5,
};

/* [start, start + size), bytes, physical; entries may overlap or be unsorted, as firmware gives them. */
struct boot_mem {
	u64 start;
	u64 size;
	u32 type;
};

struct boot_module {
	u64 start;
	u64 size;
	char cmdline[64];
};

enum boot_fb_type {
	BOOT_FB_NONE,
	BOOT_FB_TEXT, /* 80x25 VGA text cells at 0xb8000 */
	BOOT_FB_RGB,
};

struct boot_framebuffer {
	enum boot_fb_type type;
	u64 addr;   /* physical */
	u32 pitch;  /* bytes per line */
	u32 width;  /* pixels, or columns for text */
	u32 height; /* pixels, or rows for text */
	u8 bpp;	    /* bits per pixel */
	u8 red_pos, red_size, green_pos, green_size, blue_pos, blue_size;
};

struct boot_info {
	const char *loader; /* "multiboot2" or "pvh" */
	char cmdline[BOOT_CMDLINE_MAX];
	unsigned int nr_mem;
	struct boot_mem mem[BOOT_MEM_MAX];
	unsigned int nr_modules;
	struct boot_module modules[BOOT_MODULE_MAX];
	struct boot_framebuffer fb;
	u64 rsdp; /* physical address of an RSDP, 0 when none was handed over */
	bool has_rsdp_copy;
	u8 rsdp_copy[36]; /* multiboot2 hands over a copy instead */
	bool truncated;	  /* something did not fit or was damaged: says so in the log */
};

/*
 * Fills *info from a multiboot2 information structure of `size` readable bytes at `mbi`
 * (Multiboot2 specification 2.0, section 3.6). Damaged tags are skipped and set info->truncated.
 * Returns 0, or -EINVAL when there is no usable memory map.
 */
int boot_parse_multiboot2(struct boot_info *info, const void *mbi, size_t size);

/*
 * Fills *info from PVH's hvm_start_info at physical address `start`. `map(phys, len)` returns a
 * readable pointer to that memory or NULL. Returns 0, or -EINVAL.
 */
int boot_parse_pvh(struct boot_info *info, u64 start, const void *(*map)(u64 phys, size_t len));

#endif
