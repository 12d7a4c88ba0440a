/* SPDX-License-Identifier: MIT */
/*
 * Multiboot2 boot information (specification 2.0, section 3.6): a total size, and then tags that
 * begin on 8-byte boundaries with their type and size.
 *
 * It comes from outside, so nothing in it is believed: every field is read through a `struct span`,
 * which cannot be read beyond its end. A tag that makes no sense is left out, and the boot goes on.
 */
#include "boot/parse.h"
#include "kernel/base/errno.h"

enum tag_type {
	TAG_END = 0,
	TAG_CMDLINE = 1,
	TAG_MODULE = 3,
	TAG_BASIC_MEMINFO = 4,
	TAG_MMAP = 6,
	TAG_FRAMEBUFFER = 8,
	TAG_ACPI_OLD = 14,
	TAG_ACPI_NEW = 15,
};

#define INFO_HEADER   8 /* total size, reserved */
#define TAG_HEADER    8 /* type, size */
#define TAG_ALIGN     8
#define MMAP_ENTRY    24 /* start, size, type, reserved; an entry may be longer, never shorter */
#define RSDP_OLD_SIZE 20
#define RSDP_NEW_SIZE 36

#define FB_TYPE_RGB  1
#define FB_TYPE_TEXT 2

/* A piece of the information, readable from `data` up to `size` bytes. */
struct span {
	const u8 *data;
	size_t size;
};

/* Little-endian numbers at any offset; 0 beyond the end. */
static u64 get(struct span s, size_t offset, size_t bytes)
{
	u64 value = 0;

	if (offset > s.size || bytes > s.size - offset)
		return 0;
	while (bytes--)
		value = value << 8 | s.data[offset + bytes];
	return value;
}

static u8 get8(struct span s, size_t offset)
{
	return (u8)get(s, offset, 1);
}

static u32 get32(struct span s, size_t offset)
{
	return (u32)get(s, offset, 4);
}

static u64 get64(struct span s, size_t offset)
{
	return get(s, offset, 8);
}

/* Copies the string at `offset`. Returns false if it had to be cut or did not end within the tag. */
static bool get_string(struct span tag, size_t offset, char *buf, size_t size)
{
	size_t room = offset < tag.size ? tag.size - offset : 0;
	size_t len = room ? strnlen((const char *)tag.data + offset, room) : 0;
	size_t n = min(len, size - 1);

	memcpy(buf, tag.data + (room ? offset : 0), n);
	buf[n] = '\0';
	return n == len && len < room;
}

static bool parse_cmdline(struct boot_info *info, struct span tag)
{
	return get_string(tag, TAG_HEADER, info->cmdline, sizeof(info->cmdline));
}

static bool parse_module(struct boot_info *info, struct span tag)
{
	u32 start = get32(tag, 8), end = get32(tag, 12);
	struct boot_module *module;

	if (tag.size < 16 || end < start)
		return false;
	module = boot_add_module(info, start, end - start);
	return module && get_string(tag, 16, module->cmdline, sizeof(module->cmdline));
}

static bool parse_mmap(struct boot_info *info, struct span tag)
{
	size_t entry_size = get32(tag, 8), at = 16;

	if (tag.size < at || entry_size < MMAP_ENTRY)
		return false;
	for (; tag.size - at >= entry_size; at += entry_size)
		boot_add_mem(info, get64(tag, at), get64(tag, at + 8), get32(tag, at + 16));
	return at == tag.size;
}

/* Only what a machine without a memory map gives: KiB from 0 up, and KiB from 1 MiB up. */
static void use_basic_meminfo(struct boot_info *info, struct span tag)
{
	boot_add_mem(info, 0, (u64)get32(tag, 8) << 10, BOOT_MEM_RAM);
	boot_add_mem(info, 0x100000, (u64)get32(tag, 12) << 10, BOOT_MEM_RAM);
}

/* Whether every pixel lies in its line, and every colour in its pixel. */
static bool rgb_is_sound(const struct boot_framebuffer *fb)
{
	u64 line = ((u64)fb->width * fb->bpp + 7) / 8, end;

	return fb->addr && fb->width && fb->height && fb->bpp >= 15 && fb->bpp <= 32 &&
	       fb->pitch >= line && fb->red_size && fb->green_size && fb->blue_size &&
	       fb->red_pos + fb->red_size <= fb->bpp && fb->green_pos + fb->green_size <= fb->bpp &&
	       fb->blue_pos + fb->blue_size <= fb->bpp &&
	       !__builtin_add_overflow(fb->addr, (u64)fb->pitch * fb->height, &end);
}

static bool text_is_sound(const struct boot_framebuffer *fb)
{
	u64 end;

	return fb->addr && fb->width && fb->height && fb->pitch >= (u64)fb->width * 2 &&
	       !__builtin_add_overflow(fb->addr, (u64)fb->pitch * fb->height, &end);
}

static bool parse_framebuffer(struct boot_info *info, struct span tag)
{
	struct boot_framebuffer fb = {
		.addr = get64(tag, 8),
		.pitch = get32(tag, 16),
		.width = get32(tag, 20),
		.height = get32(tag, 24),
		.bpp = get8(tag, 28),
	};

	if (tag.size < 32)
		return false;
	/* The colours are at 32: the two bytes before are reserved in GRUB, not one as in the text. */
	switch (get8(tag, 29)) {
	case FB_TYPE_RGB:
		fb.type = BOOT_FB_RGB;
		fb.red_pos = get8(tag, 32);
		fb.red_size = get8(tag, 33);
		fb.green_pos = get8(tag, 34);
		fb.green_size = get8(tag, 35);
		fb.blue_pos = get8(tag, 36);
		fb.blue_size = get8(tag, 37);
		if (tag.size < 38 || !rgb_is_sound(&fb))
			return false;
		break;
	case FB_TYPE_TEXT:
		fb.type = BOOT_FB_TEXT;
		if (!text_is_sound(&fb))
			return false;
		break;
	default:
		/* A palette: not damaged, but nothing we could write on. */
		return true;
	}
	info->fb = fb;
	return true;
}

/* ACPI 6.4, section 5.2.5.3: the first 20 bytes add up to 0, and so do all 36 of the new form. */
static bool parse_rsdp(struct boot_info *info, struct span tag, size_t size)
{
	const u8 *rsdp = tag.data + TAG_HEADER;
	u8 sum = 0;

	if (tag.size < TAG_HEADER + size || memcmp(rsdp, "RSD PTR ", 8))
		return false;
	for (size_t i = 0; i < size; i++)
		sum += rsdp[i];
	if (sum)
		return false;
	memset(info->rsdp_copy, 0, sizeof(info->rsdp_copy));
	memcpy(info->rsdp_copy, rsdp, size);
	info->has_rsdp_copy = true;
	return true;
}

/* Tags whose use depends on which others there are, remembered until all have been seen. */
struct later {
	struct span basic_meminfo;
	bool have_new_rsdp;
};

static bool parse_tag(struct boot_info *info, struct span tag, struct later *later)
{
	switch (get32(tag, 0)) {
	case TAG_CMDLINE:
		return parse_cmdline(info, tag);
	case TAG_MODULE:
		return parse_module(info, tag);
	case TAG_BASIC_MEMINFO:
		if (tag.size < 16)
			return false;
		later->basic_meminfo = tag;
		return true;
	case TAG_MMAP:
		return parse_mmap(info, tag);
	case TAG_FRAMEBUFFER:
		return parse_framebuffer(info, tag);
	case TAG_ACPI_OLD:
		/* The new form says more, whichever of them comes first. */
		return later->have_new_rsdp || parse_rsdp(info, tag, RSDP_OLD_SIZE);
	case TAG_ACPI_NEW:
		later->have_new_rsdp = parse_rsdp(info, tag, RSDP_NEW_SIZE);
		return later->have_new_rsdp;
	default:
		return true;
	}
}

/* Goes through the tags. Returns false if they don't end in an end tag. */
static bool parse_tags(struct boot_info *info, struct span all, struct later *later)
{
	size_t at = INFO_HEADER;

	while (at <= all.size && all.size - at >= TAG_HEADER) {
		size_t size = get32(all, at + 4);

		if (get32(all, at) == TAG_END)
			return true;
		/* Without a believable size there is no way to the next tag. */
		if (size < TAG_HEADER || size > all.size - at)
			return false;
		if (!parse_tag(info, (struct span){ all.data + at, size }, later))
			info->truncated = true;
		at += ALIGN_UP(size, (size_t)TAG_ALIGN);
	}
	return false;
}

int boot_parse_multiboot2(struct boot_info *info, const void *mbi, size_t size)
{
	struct span all = { mbi, size };
	struct later later = { 0 };
	size_t total;

	memset(info, 0, sizeof(*info));
	info->loader = "multiboot2";
	if (size < INFO_HEADER)
		return -EINVAL;
	total = get32(all, 0);
	all.size = min(total, size);
	if (!parse_tags(info, all, &later) || total > size)
		info->truncated = true;

	if (!boot_has_ram(info) && later.basic_meminfo.data)
		use_basic_meminfo(info, later.basic_meminfo);
	return boot_has_ram(info) ? 0 : -EINVAL;
}
