/* SPDX-License-Identifier: MIT */
/*
 * What the compiler calls before each access, and the marks in shadow that it is held against. This
 * file is compiled without such calls, and uses nothing that isn't there from the first instruction on:
 * boot.S maps the image's shadow, and nothing else has any until mm/kasan.c says so.
 */
#include "kernel/base/kasan_internal.h"

#ifdef CONFIG_KASAN

#include <arch/percpu.h>

#include "kernel/base/string.h"

#undef memcpy
#undef memset

/* As in <arch/mmu.h>, which this layer doesn't know. */
#define DIRECT_START  0xffff888000000000UL
#define VMALLOC_START 0xffffc90000000000UL

/* No stack is larger. */
#define STACK_MAX 65536UL

extern char __kernel_start[], __kernel_end[], boot_stack_top[];
extern char __percpu_load[], __percpu_size[], __percpu_others[], __percpu_redzone[];
extern void (*__init_array_start[])(void), (*__init_array_end[])(void);

static unsigned long direct_bytes, vmalloc_bytes;
static bool (*find_object)(unsigned long addr, struct kasan_object *obj);
static DEFINE_PER_CPU(unsigned long, kasan_stack_top);

/* --- shadow -------------------------------------------------------------------------------------- */

static __always_inline bool has_shadow(unsigned long addr)
{
	return addr - DIRECT_START < direct_bytes || addr - VMALLOC_START < vmalloc_bytes ||
	       addr - (unsigned long)__kernel_start <
		       (unsigned long)__kernel_end - (unsigned long)__kernel_start;
}

bool kasan_has_shadow(unsigned long addr)
{
	return has_shadow(addr);
}

void kasan_poison(const void *addr, size_t size, u8 why)
{
	const unsigned long start = (unsigned long)addr;

	if (size && has_shadow(start) && has_shadow(start + size - 1))
		__memset(kasan_shadow(start), why, DIV_ROUND_UP(size, KASAN_GRANULE));
}

void kasan_unpoison(const void *addr, size_t size)
{
	const unsigned long start = (unsigned long)addr;

	if (!size || !has_shadow(start) || !has_shadow(start + size - 1))
		return;
	__memset(kasan_shadow(start), 0, size / KASAN_GRANULE);
	if (size % KASAN_GRANULE)
		*kasan_shadow(start + size) = size % KASAN_GRANULE;
}

u8 kasan_why(const void *addr)
{
	const unsigned long at = (unsigned long)addr;
	u8 shadow = has_shadow(at) ? *kasan_shadow(at) : 0;

	return shadow > at % KASAN_GRANULE && shadow < KASAN_GRANULE ? 0 : shadow;
}

unsigned long kasan_first_bad(unsigned long addr, size_t size)
{
	const unsigned long end = addr + size;

	for (unsigned long a = addr; a < end; a = ALIGN_DOWN(a, KASAN_GRANULE) + KASAN_GRANULE) {
		unsigned long last;
		s8 shadow;

		if (a % 64 == 0 && end - a >= 64 && !*(const u64 *)kasan_shadow(a)) {
			a += 64 - KASAN_GRANULE;
			continue;
		}
		shadow = (s8)*kasan_shadow(a);
		if (!shadow)
			continue;
		last = min(a | (KASAN_GRANULE - 1), end - 1);
		if ((s8)(last % KASAN_GRANULE) >= shadow)
			return max(a, ALIGN_DOWN(a, KASAN_GRANULE) +
					      (unsigned long)max(shadow, (s8)0));
	}
	return 0;
}

/* --- checks -------------------------------------------------------------------------------------- */

/* A range of any size. What has no shadow is the processor's to refuse. */
static noinline bool check_range(unsigned long addr, size_t size, bool write, unsigned long ip)
{
	if (!size || !has_shadow(addr))
		return true;
	if (addr + size > addr && (!has_shadow(addr + size - 1) || !kasan_first_bad(addr, size)))
		return true;
	kasan_report(addr, size, write, ip);
	return false;
}

/* Most accesses lie in one granule. */
static __always_inline void check(unsigned long addr, size_t size, bool write, unsigned long ip)
{
	unsigned long last = addr % KASAN_GRANULE + size - 1;
	s8 shadow;

	if (!has_shadow(addr))
		return;
	if (unlikely(last >= KASAN_GRANULE)) {
		check_range(addr, size, write, ip);
		return;
	}
	shadow = (s8)*kasan_shadow(addr);
	if (unlikely(shadow && (s8)last >= shadow))
		kasan_report(addr, size, write, ip);
}

#define CALLER ((unsigned long)__builtin_return_address(0))

#define DEFINE_CHECKS(size)                                    \
	void __asan_load##size##_noabort(unsigned long addr);  \
	void __asan_load##size##_noabort(unsigned long addr)   \
	{                                                      \
		check(addr, size, false, CALLER);              \
	}                                                      \
	void __asan_store##size##_noabort(unsigned long addr); \
	void __asan_store##size##_noabort(unsigned long addr)  \
	{                                                      \
		check(addr, size, true, CALLER);               \
	}

DEFINE_CHECKS(1)
DEFINE_CHECKS(2)
DEFINE_CHECKS(4)
DEFINE_CHECKS(8)
DEFINE_CHECKS(16)

void __asan_loadN_noabort(unsigned long addr, size_t size);
void __asan_loadN_noabort(unsigned long addr, size_t size)
{
	check_range(addr, size, false, CALLER);
}

void __asan_storeN_noabort(unsigned long addr, size_t size);
void __asan_storeN_noabort(unsigned long addr, size_t size)
{
	check_range(addr, size, true, CALLER);
}

bool kasan_check_read(const void *addr, size_t size)
{
	return check_range((unsigned long)addr, size, false, CALLER);
}

bool kasan_check_write(const void *addr, size_t size)
{
	return check_range((unsigned long)addr, size, true, CALLER);
}

/* The compiler relies on the library to look at these; a test that goes on must not do the damage. */
void *memset(void *dst, int c, size_t n)
{
	return check_range((unsigned long)dst, n, true, CALLER) ? __memset(dst, c, n) : dst;
}

void *memcpy(void *dst, const void *src, size_t n)
{
	return check_range((unsigned long)src, n, false, CALLER) &&
			       check_range((unsigned long)dst, n, true, CALLER) ?
		       __memcpy(dst, src, n) :
		       dst;
}

/* --- stacks -------------------------------------------------------------------------------------- */

void kasan_set_stack_top(unsigned long top)
{
	this_cpu_write(kasan_stack_top, top);
}

unsigned long kasan_stack_end(unsigned long addr)
{
	unsigned long top = this_cpu_read(kasan_stack_top);

	return addr < top && top - addr < STACK_MAX ? top : 0;
}

/*
 * Called before a call that won't come back: the frames up to the stack's top will not be left, and
 * so their marks would stay for who uses the stack next.
 */
void __asan_handle_no_return(void);
void __asan_handle_no_return(void)
{
	unsigned long sp = ALIGN_DOWN((unsigned long)__builtin_frame_address(0), KASAN_GRANULE);
	unsigned long top = kasan_stack_end(sp);

	if (top && !kasan_reporting)
		kasan_unpoison((const void *)sp, top - sp);
}

/* A variable of a block that is large comes into scope, or goes. */
void __asan_unpoison_stack_memory(const void *addr, size_t size);
void __asan_unpoison_stack_memory(const void *addr, size_t size)
{
	kasan_unpoison(addr, size);
}

void __asan_poison_stack_memory(const void *addr, size_t size);
void __asan_poison_stack_memory(const void *addr, size_t size)
{
	kasan_poison(addr, size, KASAN_SCOPE);
}

/* --- globals ------------------------------------------------------------------------------------- */

/* One entry a source file that has any. */
#define MAX_GLOBAL_FILES 512
static struct {
	const struct kasan_global *globals;
	size_t nr;
} global_files[MAX_GLOBAL_FILES];
static size_t nr_global_files;

void __asan_register_globals(const struct kasan_global *globals, size_t nr);
void __asan_register_globals(const struct kasan_global *globals, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		const char *start = globals[i].start;
		size_t size = ALIGN_UP(globals[i].size, KASAN_GRANULE);

		kasan_unpoison(start, globals[i].size);
		kasan_poison(start + size, globals[i].size_with_redzone - size,
			     KASAN_GLOBAL_REDZONE);
	}
	if (nr_global_files < MAX_GLOBAL_FILES) {
		global_files[nr_global_files].globals = globals;
		global_files[nr_global_files++].nr = nr;
	}
}

/* Named by code that would undo it, which nothing runs and the linker drops. */
void __asan_unregister_globals(const struct kasan_global *globals, size_t nr);
void __asan_unregister_globals(const struct kasan_global *globals, size_t nr)
{
}

const struct kasan_global *kasan_find_global(unsigned long addr)
{
	for (size_t f = 0; f < nr_global_files; f++)
		for (size_t i = 0; i < global_files[f].nr; i++) {
			const struct kasan_global *g = &global_files[f].globals[i];

			if (addr - (unsigned long)g->start < g->size_with_redzone)
				return g;
		}
	return NULL;
}

/* --- start --------------------------------------------------------------------------------------- */

void kasan_init(void)
{
	kasan_set_stack_top((unsigned long)boot_stack_top);
	for (void (**init)(void) = __init_array_start; init < __init_array_end; init++)
		(*init)();
}

/* Each area ends in bytes that belong to no variable. */
void kasan_percpu_init(void)
{
	const size_t size = (size_t)__percpu_size, redzone = (size_t)__percpu_redzone;

	kasan_poison(__percpu_load + size - redzone, redzone, KASAN_PERCPU_REDZONE);
	for (unsigned int cpu = 1; cpu < NR_CPUS; cpu++)
		kasan_poison(__percpu_others + cpu * size - redzone, redzone, KASAN_PERCPU_REDZONE);
}

bool kasan_find_object(unsigned long addr, struct kasan_object *obj)
{
	return find_object && find_object(addr, obj);
}

void kasan_watch(unsigned long direct, unsigned long vmalloc,
		 bool (*find)(unsigned long addr, struct kasan_object *obj))
{
	direct_bytes = direct;
	vmalloc_bytes = vmalloc;
	find_object = find;
}

#endif
