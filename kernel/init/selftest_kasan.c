/* SPDX-License-Identifier: MIT */
/*
 * Bugs made on purpose for the address sanitizer: "selftest=kasan" makes all of them, each of which has to
 * be reported, once; "selftest=kasan-NAME" makes one, which ends the machine.
 *
 * Most only read, and those that would reach what isn't mapped go through functions that do nothing
 * once they have reported: after all of them the kernel must be as it was.
 */
#include "kernel/base/kasan.h"
#include "kernel/init/init.h"

#ifdef CONFIG_KASAN

#include <arch/cpu.h>
#include <arch/uaccess.h>

#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "mm/slab.h"
#include "mm/vmalloc.h"

extern char __percpu_size[], __percpu_redzone[];

/* The compiler knows nothing of such a pointer, or number, any more. */
#define hidden(x)                                 \
	({                                        \
		__auto_type h_x = (x);            \
		__asm__ volatile("" : "+r"(h_x)); \
		h_x;                              \
	})
#define N(n) hidden((size_t)(n))

/* Somewhere in a program's half. */
#define USER ((void __user *)0x10000)

static noinline void read_byte(const void *p)
{
	(void)*(const volatile u8 *)hidden(p);
}

static noinline void read_word(const void *p)
{
	(void)*(const volatile u64 *)hidden(p);
}

/* What is there already. */
static noinline void write_byte(void *p)
{
	volatile u8 *byte = hidden(p);

	*byte = 0;
}

static u8 global[13] = "global";
static const u8 constant[21] = "constant";
static u8 buffer[256];
static struct kmem_cache *cache;

/* --- objects ------------------------------------------------------------------------------------- */

static void slab_right(void)
{
	u8 *p = kmalloc(100, GFP_KERNEL);

	read_byte(p + 100);
	kfree(p);
}

static void slab_left(void)
{
	u8 *p = kmalloc(100, GFP_KERNEL);

	read_byte(p - 1);
	kfree(p);
}

/* Its first half is the object's. */
static void slab_word(void)
{
	u8 *p = kmalloc(100, GFP_KERNEL);

	read_word(p + 96);
	kfree(p);
}

static void slab_cache(void)
{
	u8 *p = kmem_cache_alloc(cache, GFP_KERNEL);

	read_byte(p + 20);
	kmem_cache_free(cache, p);
}

static void slab_free(void)
{
	u8 *p = kmalloc(100, GFP_KERNEL);

	kfree(p);
	read_byte(p + 50);
}

static void slab_free_write(void)
{
	u8 *p = kmalloc(100, GFP_KERNEL);

	kfree(p);
	memset(hidden(p), 1, N(100));
}

/* Somebody else has asked for as much meanwhile. */
static void slab_free_later(void)
{
	u8 *p = kmem_cache_alloc(cache, GFP_KERNEL), *q;

	kmem_cache_free(cache, p);
	q = kmem_cache_alloc(cache, GFP_KERNEL);
	read_byte(p);
	kmem_cache_free(cache, q);
}

static void double_free(void)
{
	u8 *p = kmalloc(100, GFP_KERNEL);

	kfree(p);
	kfree(hidden(p));
}

static void double_free_cache(void)
{
	u8 *p = kmem_cache_alloc(cache, GFP_KERNEL);

	kmem_cache_free(cache, p);
	kmem_cache_free(cache, hidden(p));
}

static void invalid_free(void)
{
	u8 *p = kmalloc(100, GFP_KERNEL);

	kfree(hidden(p) + 8);
	kfree(p);
}

/* --- pages --------------------------------------------------------------------------------------- */

static void page_right(void)
{
	u8 *p = kmalloc(9000, GFP_KERNEL);

	read_byte(p + 9000);
	kfree(p);
}

static void page_free(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	free_page(page);
	read_byte(page_address(page));
}

static void page_free_large(void)
{
	u8 *p = kmalloc(20000, GFP_KERNEL);

	kfree(p);
	read_byte(p + 19999);
}

static void page_invalid_free(void)
{
	u8 *p = kmalloc(9000, GFP_KERNEL);

	kfree(hidden(p) + PAGE_SIZE);
	kfree(p);
}

/* --- variables ----------------------------------------------------------------------------------- */

static void global_right(void)
{
	read_byte(global + 13);
}

static void global_constant(void)
{
	read_byte(constant + 21);
}

static noinline void stack_right(void)
{
	u8 local[20];

	memset(hidden(local), 0, N(20));
	read_byte(local + 20);
}

static noinline void stack_left(void)
{
	u8 local[20];

	memset(hidden(local), 0, N(20));
	read_byte(hidden(local) - 1);
}

static noinline void stack_scope(void)
{
	u8 *p;

	{
		u8 inner[24];

		p = hidden((u8 *)inner);
		write_byte(p);
	}
	read_byte(p);
}

static void percpu_right(void)
{
	read_byte((u8 *)per_cpu_offset[1] + (size_t)__percpu_size - (size_t)__percpu_redzone);
}

static void percpu_left(void)
{
	read_byte((u8 *)per_cpu_offset[2] - 1);
}

/* --- vmalloc ------------------------------------------------------------------------------------- */

static void vmalloc_right(void)
{
	u8 *p = vmalloc(5000);

	read_byte(p + 5000);
	vfree(p);
}

static void vmalloc_left(void)
{
	u8 *p = vmalloc(5000);

	memcpy(buffer, hidden(p) - 1, N(1));
	vfree(p);
}

static void vmalloc_guard(void)
{
	u8 *p = vmalloc(PAGE_SIZE);

	memcpy(buffer, hidden(p) + PAGE_SIZE, N(1));
	vfree(p);
}

static void vmalloc_free(void)
{
	u8 *p = vmalloc(5000);

	vfree(p);
	memcpy(buffer, hidden(p), N(1));
}

static void stack_of_nobody(void)
{
	u8 *p = alloc_kernel_stack();

	free_kernel_stack(p);
	memcpy(buffer, hidden(p) + 100, N(1));
}

/* --- functions that copy ------------------------------------------------------------------------- */

static void memset_right(void)
{
	u8 *p = kmalloc(100, GFP_KERNEL);

	memset(hidden(p), 0, N(101));
	kfree(p);
}

static void memset_negative(void)
{
	u8 *p = kmalloc(100, GFP_KERNEL);

	memset(hidden(p), 0, N(-1));
	kfree(p);
}

static void memcpy_from(void)
{
	u8 *p = kmalloc(100, GFP_KERNEL);

	memcpy(buffer, hidden(p), N(128));
	kfree(p);
}

static void memcpy_to(void)
{
	u8 *p = kmalloc(100, GFP_KERNEL);

	memcpy(hidden(p), buffer, N(128));
	kfree(p);
}

static void string_right(void)
{
	u8 *p = kmalloc(16, GFP_KERNEL);

	memset(p, 'x', 16);
	(void)hidden(strnlen((char *)hidden(p), 17));
	kfree(p);
}

static void atomic_right(void)
{
	u8 *p = kmalloc(64, GFP_KERNEL);

	__atomic_fetch_add((u32 *)(hidden(p) + 64), 0, __ATOMIC_SEQ_CST);
	kfree(p);
}

static void user_to(void)
{
	u8 *p = kmalloc(100, GFP_KERNEL);

	(void)hidden(copy_to_user(USER, p, 101));
	kfree(p);
}

static void user_from(void)
{
	u8 *p = kmalloc(100, GFP_KERNEL);

	(void)hidden(copy_from_user(p, USER, 101));
	kfree(p);
}

static void user_string(void)
{
	u8 *p = kmalloc(100, GFP_KERNEL);

	(void)hidden(strncpy_from_user((char *)p, USER, 101));
	kfree(p);
}

/* --- none of these is one ------------------------------------------------------------------------ */

static noinline void sound(void)
{
	u8 local[20], *p = kmalloc(100, GFP_KERNEL), *q = kmalloc(9000, GFP_KERNEL);
	u8 *v = vmalloc(5000);

	memset(hidden(local), 0, N(20));
	read_byte(local + 19);
	memset(p, 0, N(100));
	read_byte(p + 99);
	read_word(p + 92);
	read_word(p + 3);
	read_byte(q + 8999);
	read_byte(v + 4999);
	read_byte(global + 12);
	read_byte(constant + 20);
	read_byte((u8 *)per_cpu_offset[1]);
	vfree(v);
	kfree(q);
	kfree(p);
}

static const struct {
	const char *name;
	void (*make)(void);
	unsigned int reports;
} bugs[] = {
	{ "slab-right", slab_right, 1 },
	{ "slab-left", slab_left, 1 },
	{ "slab-word", slab_word, 1 },
	{ "slab-cache", slab_cache, 1 },
	{ "slab-free", slab_free, 1 },
	{ "slab-free-write", slab_free_write, 1 },
	{ "slab-free-later", slab_free_later, 1 },
	{ "double-free", double_free, 1 },
	{ "double-free-cache", double_free_cache, 1 },
	{ "invalid-free", invalid_free, 1 },
	{ "page-right", page_right, 1 },
	{ "page-free", page_free, 1 },
	{ "page-free-large", page_free_large, 1 },
	{ "page-invalid-free", page_invalid_free, 1 },
	{ "global-right", global_right, 1 },
	{ "global-constant", global_constant, 1 },
	{ "stack-right", stack_right, 1 },
	{ "stack-left", stack_left, 1 },
	{ "stack-scope", stack_scope, 1 },
	{ "percpu-right", percpu_right, 1 },
	{ "percpu-left", percpu_left, 1 },
	{ "vmalloc-right", vmalloc_right, 1 },
	{ "vmalloc-left", vmalloc_left, 1 },
	{ "vmalloc-guard", vmalloc_guard, 1 },
	{ "vmalloc-free", vmalloc_free, 1 },
	{ "stack-of-nobody", stack_of_nobody, 1 },
	{ "memset-right", memset_right, 1 },
	{ "memset-negative", memset_negative, 1 },
	{ "memcpy-from", memcpy_from, 1 },
	{ "memcpy-to", memcpy_to, 1 },
	{ "string-right", string_right, 1 },
	{ "atomic-right", atomic_right, 1 },
	{ "user-to", user_to, 1 },
	{ "user-from", user_from, 1 },
	{ "user-string", user_string, 1 },
	{ "sound", sound, 0 },
};

static void make_all(void)
{
	unsigned int failed = 0;

	kasan_go_on = true;
	for (size_t i = 0; i < ARRAY_SIZE(bugs); i++) {
		unsigned int before = kasan_reports;
		bool good;

		printk("##begin %s\n", bugs[i].name);
		bugs[i].make();
		good = kasan_reports - before == bugs[i].reports;
		failed += !good;
		printk("##end %s exit=%d\n", bugs[i].name, !good);
	}
	kasan_go_on = false;
	slab_drain();
	drain_all_pages();
	page_alloc_audit();
	printk("kasan: %u of %u are not as they should be\n", failed,
	       (unsigned int)ARRAY_SIZE(bugs));
}

bool selftest_kasan(const char *which)
{
	if (strncmp(which, "kasan", 5))
		return false;
	cache = kmem_cache_create("kasan_test", 20, 0);
	if (!which[5]) {
		make_all();
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(bugs); i++)
		if (which[5] == '-' && !strcmp(which + 6, bugs[i].name))
			bugs[i].make();
	return true;
}

#else

bool selftest_kasan(const char *which)
{
	return false;
}

#endif
