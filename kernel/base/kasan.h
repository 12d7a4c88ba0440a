/* SPDX-License-Identifier: MIT */
/*
 * The address sanitizer of `make KASAN=1`. Each eight bytes of memory that it watches (a granule) have
 * one byte of shadow:
 *
 *	0	all eight may be used
 *	1..7	only so many of them, from the first
 *	else	none; the value says why
 *
 * The compiler calls a function before each access and marks stacks and globals itself; allocators
 * mark what they give and take with the functions below. Without CONFIG_KASAN they are nothing.
 * docs/trust.md tells how it works here.
 */
#ifndef KERNEL_BASE_KASAN_H
#define KERNEL_BASE_KASAN_H

#include "kernel/base/compiler.h"

#define KASAN_GRANULE 8UL

/* What nobody may use, as shadow has it. */
#define KASAN_FREE_PAGE	     0xff
#define KASAN_PAGE_REDZONE   0xfe /* behind what was asked for of a page or more */
#define KASAN_PERCPU_REDZONE 0xfd
#define KASAN_SLAB_REDZONE   0xfc
#define KASAN_SLAB_FREE	     0xfb
#define KASAN_VMALLOC	     0xfa /* no area of vmalloc's, or its guard */
#define KASAN_GLOBAL_REDZONE 0xf9
/* The compiler's own. */
#define KASAN_SCOPE	   0xf8
#define KASAN_STACK_LEFT   0xf1
#define KASAN_STACK_MIDDLE 0xf2
#define KASAN_STACK_RIGHT  0xf3

/* An object of a cache, as a report shows it. */
struct kasan_object {
	const char *cache;
	unsigned long start;
	size_t size;		     /* what was asked for */
	u32 alloc_stack, free_stack; /* what kasan_save_stack() returned; 0: not known */
};

#ifdef CONFIG_KASAN

/* How a report ends: with a panic, but for the tests of the sanitizer itself, which go on. */
extern bool kasan_go_on;
extern unsigned int kasan_reports;

/* Marks memory from a granule's first byte on; the last granule is marked whole. Any context. */
void kasan_poison(const void *addr, size_t size, u8 why);
/* All these bytes may be used, and of their last granule no more. => addr begins a granule */
void kasan_unpoison(const void *addr, size_t size);
/* For accesses that no compiler sees: reports, and returns false, if one of the bytes may not be used. */
bool kasan_check_read(const void *addr, size_t size);
bool kasan_check_write(const void *addr, size_t size);
/* What the shadow says of a byte: 0 if it may be used. */
u8 kasan_why(const void *addr);

/* An object was freed that is free, or an address that is no object's. */
void kasan_report_free(const void *addr, unsigned long ip);

/* Who calls: a number to show it by, 0 when there is no room for more. Any context. */
u32 kasan_save_stack(void);
void kasan_show_stack(u32 stack);

/* At boot, before all else: globals, and the boot processor's per-CPU variables. */
void kasan_init(void);
/* All per-CPU areas lie where they will stay. */
void kasan_percpu_init(void);
/*
 * From now on so much of the direct map and of vmalloc space has shadow, and `find` knows the object
 * at or near an address.
 */
void kasan_watch(unsigned long direct_bytes, unsigned long vmalloc_bytes,
		 bool (*find)(unsigned long addr, struct kasan_object *obj));

/* The running thread's stack ends here; boot.S's at first. */
void kasan_set_stack_top(unsigned long top);

/* Unchecked, for what allocators do with memory that is nobody's. */
void *__memset(void *dst, int c, size_t n);
void *__memcpy(void *dst, const void *src, size_t n);

/* For functions that look where they shouldn't, and say why. */
#define __no_kasan __attribute__((no_sanitize_address))

#else

static inline void kasan_poison(const void *addr, size_t size, u8 why)
{
}

static inline void kasan_unpoison(const void *addr, size_t size)
{
}

static inline bool kasan_check_read(const void *addr, size_t size)
{
	return true;
}

static inline bool kasan_check_write(const void *addr, size_t size)
{
	return true;
}

static inline void kasan_init(void)
{
}

static inline void kasan_percpu_init(void)
{
}

static inline void kasan_set_stack_top(unsigned long top)
{
}

#define __memset memset
#define __memcpy memcpy
#define __no_kasan

#endif

#endif
