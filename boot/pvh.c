/* SPDX-License-Identifier: MIT */
/*
 * PVH boot information: struct hvm_start_info of Xen's x86/HVM direct boot ABI
 * (docs/misc/pvh.pandoc and xen/include/public/arch-x86/hvm/start_info.h there), which QEMU speaks
 * too. Everything is reached by physical addresses, so every step asks `map` first.
 */
#include "boot/parse.h"
#include "kernel/base/errno.h"

#define PVH_MAGIC 0x336ec578

struct pvh_start_info {
	u32 magic;
	u32 version;
	u32 flags;
	u32 nr_modules;
	u64 modlist;
	u64 cmdline;
	u64 rsdp;
	/* From version 1 on. */
	u64 memmap;
	u32 memmap_entries;
	u32 reserved;
};

#define PVH_V0_SIZE offsetof(struct pvh_start_info, memmap)

struct pvh_module {
	u64 start;
	u64 size;
	u64 cmdline;
	u64 reserved;
};

struct pvh_mem {
	u64 start;
	u64 size;
	u32 type; /* as in ACPI's map */
	u32 reserved;
};

typedef const void *(*map_fn)(u64 phys, size_t len);

/* Copies `len` bytes, which may be anywhere, and unaligned. Returns false if they cannot be read. */
static bool read_phys(map_fn map, u64 phys, void *buf, size_t len)
{
	const void *p;
	u64 end;

	if (__builtin_add_overflow(phys, len, &end))
		return false;
	p = map(phys, len);
	if (!p)
		return false;
	memcpy(buf, p, len);
	return true;
}

/*
 * Copies a string of unknown length: byte by byte, for its end may be the end of what can be read.
 * Address 0 stands for no string. Returns false if it was cut.
 */
static bool read_string(map_fn map, u64 phys, char *buf, size_t size)
{
	size_t len = 0;
	char c = '\0';

	while (phys && read_phys(map, phys + len, &c, 1) && c && len < size - 1)
		buf[len++] = c;
	buf[len] = '\0';
	return !c;
}

/* Entry `i` of an array of `size`-byte entries. */
static bool read_entry(map_fn map, u64 array, u32 i, void *buf, size_t size)
{
	u64 phys;

	return !__builtin_add_overflow(array, (u64)i * size, &phys) &&
	       read_phys(map, phys, buf, size);
}

static void parse_modules(struct boot_info *info, const struct pvh_start_info *pvh, map_fn map)
{
	for (u32 i = 0; i < pvh->nr_modules; i++) {
		struct boot_module *module;
		struct pvh_module entry;

		if (i >= BOOT_MODULE_MAX ||
		    !read_entry(map, pvh->modlist, i, &entry, sizeof(entry))) {
			info->truncated = true;
			return;
		}
		module = boot_add_module(info, entry.start, entry.size);
		if (module &&
		    !read_string(map, entry.cmdline, module->cmdline, sizeof(module->cmdline)))
			info->truncated = true;
	}
}

static void parse_memmap(struct boot_info *info, const struct pvh_start_info *pvh, map_fn map)
{
	for (u32 i = 0; i < pvh->memmap_entries; i++) {
		struct pvh_mem entry;

		if (i >= BOOT_MEM_MAX || !read_entry(map, pvh->memmap, i, &entry, sizeof(entry))) {
			info->truncated = true;
			return;
		}
		boot_add_mem(info, entry.start, entry.size, entry.type);
	}
}

int boot_parse_pvh(struct boot_info *info, u64 start, const void *(*map)(u64 phys, size_t len))
{
	struct pvh_start_info pvh = { 0 };

	memset(info, 0, sizeof(*info));
	info->loader = "pvh";
	if (!read_phys(map, start, &pvh, PVH_V0_SIZE) || pvh.magic != PVH_MAGIC)
		return -EINVAL;
	/* Version 0 has no memory map: a guest would have to ask its hypervisor. */
	if (pvh.version < 1 || !read_phys(map, start, &pvh, sizeof(pvh)))
		return -EINVAL;

	if (!read_string(map, pvh.cmdline, info->cmdline, sizeof(info->cmdline)))
		info->truncated = true;
	info->rsdp = pvh.rsdp;
	parse_modules(info, &pvh, map);
	parse_memmap(info, &pvh, map);
	return boot_has_ram(info) ? 0 : -EINVAL;
}
