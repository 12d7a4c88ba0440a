/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_BASE_KASAN_INTERNAL_H
#define KERNEL_BASE_KASAN_INTERNAL_H

#include "kernel/base/kasan.h"

#define KASAN_SHADOW_OFFSET 0xdffffc0000000000UL /* as the compiler is told, and mm/kasan.c maps */

static inline u8 *kasan_shadow(unsigned long addr)
{
	return (u8 *)((addr >> 3) + KASAN_SHADOW_OFFSET);
}

/* What GCC describes globals by. */
struct kasan_global {
	const void *start;
	size_t size;
	size_t size_with_redzone;
	const char *name;
	const char *file;
	unsigned long has_dynamic_init;
	const void *location;
	unsigned long odr_indicator;
};

/* Whether that byte has shadow: it lies in the image, the direct map or vmalloc space. */
bool kasan_has_shadow(unsigned long addr);
/* The first byte of the range that may not be used; 0 if all may. */
unsigned long kasan_first_bad(unsigned long addr, size_t size);
/* Where the running thread's stack ends, if addr lies in that stack; else 0. */
unsigned long kasan_stack_end(unsigned long addr);
/* The global whose bytes, or whose redzone's, these are; NULL if none. */
const struct kasan_global *kasan_find_global(unsigned long addr);
bool kasan_find_object(unsigned long addr, struct kasan_object *obj);
/* A report is being made: what shadow says stays as it is. */
extern bool kasan_reporting;
void kasan_report(unsigned long addr, size_t size, bool write, unsigned long ip);

#endif
