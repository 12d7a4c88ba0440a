/* SPDX-License-Identifier: MIT */
/* What the two boot information parsers have in common: adding to a struct boot_info within bounds. */
#ifndef BOOT_PARSE_H
#define BOOT_PARSE_H

#include "kernel/base/boot_info.h"
#include "kernel/base/string.h"

/* Types beyond those we know are of later specifications: memory that is not ours to touch. */
static inline u32 boot_mem_type(u32 type)
{
	return type >= BOOT_MEM_RAM && type <= BOOT_MEM_BAD ? type : BOOT_MEM_RESERVED;
}

static inline void boot_add_mem(struct boot_info *info, u64 start, u64 size, u32 type)
{
	u64 end;

	if (!size)
		return;
	if (info->nr_mem == BOOT_MEM_MAX || __builtin_add_overflow(start, size, &end)) {
		info->truncated = true;
		return;
	}
	info->mem[info->nr_mem++] = (struct boot_mem){
		.start = start,
		.size = size,
		.type = boot_mem_type(type),
	};
}

/* Returns the new module with an empty command line, or NULL if it does not fit or makes no sense. */
static inline struct boot_module *boot_add_module(struct boot_info *info, u64 start, u64 size)
{
	struct boot_module *module;
	u64 end;

	if (info->nr_modules == BOOT_MODULE_MAX || __builtin_add_overflow(start, size, &end)) {
		info->truncated = true;
		return NULL;
	}
	module = &info->modules[info->nr_modules++];
	*module = (struct boot_module){ .start = start, .size = size };
	return module;
}

static inline bool boot_has_ram(const struct boot_info *info)
{
	for (unsigned int i = 0; i < info->nr_mem; i++)
		if (info->mem[i].type == BOOT_MEM_RAM)
			return true;
	return false;
}

#endif
