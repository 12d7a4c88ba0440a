/* SPDX-License-Identifier: MIT */
/*
 * What C leaves undefined, done on purpose: "selftest=ubsan" on the debug kernel's command line does all of
 * it, each in a thread that its report ends; "selftest=ubsan-panic" does one of them for good. This file is
 * compiled with all checks, also those that the rest of the kernel has only with UBSAN=all.
 *
 * "HERE name" in a comment marks the line that tests/qemu/ubsan.t expects in the report.
 */
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/base/ubsan.h"
#include "kernel/init/init.h"
#include "kernel/process/task.h"

#ifdef CONFIG_DEBUG

/* Nothing of it may be known to the compiler. Clang doesn't check accesses that are volatile themselves. */
static volatile int int_max = INT32_MAX, int_min = INT32_MIN, minus_one = -1, zero, three = 3;
static volatile int forty = 40, sink;
static volatile __int128 wide_max = (__int128)(~(unsigned __int128)0 >> 1);
static volatile s8 small = -5;
static char *volatile null_text;
static int numbers[3];
static volatile long words[4];
static char *volatile top = (char *)-1000L;
static volatile unsigned long far = 2000;

static noinline __attribute__((nonnull)) int first_char(const char *text)
{
	return READ_ONCE(*text);
}

static noinline __attribute__((returns_nonnull)) char *never_null(void)
{
	return null_text; /* HERE null-return */
}

static void add(void)
{
	sink = int_max + three; /* HERE add */
}

static void add_wide(void)
{
	wide_max = wide_max + three; /* HERE add-wide */
}

static void sub(void)
{
	sink = int_min - three; /* HERE sub */
}

static void mul(void)
{
	sink = int_max * minus_one * three; /* HERE mul */
}

static void negate(void)
{
	sink = -int_min; /* HERE negate */
}

static void divide(void)
{
	sink = three / zero; /* HERE divide */
}

static void divide_minus_one(void)
{
	sink = int_min / minus_one; /* HERE divide-minus-one */
}

static void shift_far(void)
{
	sink = (int)(1U << forty); /* HERE shift-far */
}

static void shift_negative(void)
{
	sink = three >> small; /* HERE shift-negative */
}

static void shift_base(void)
{
	sink = int_max << three; /* HERE shift-base */
}

static void bounds(void)
{
	numbers[three] = 1; /* HERE bounds */
}

static void bool_value(void)
{
	u8 byte = (u8)three;

	sink = *(volatile bool *)&byte; /* HERE bool */
}

static void null_argument(void)
{
	sink = first_char(null_text); /* HERE null-argument */
}

static void null_return(void)
{
	top = never_null();
}

static void builtin(void)
{
	sink = __builtin_ctz((unsigned int)zero); /* HERE builtin */
}

static void vla(void)
{
	volatile unsigned char array[minus_one]; /* HERE vla */

	array[0] = 0;
	sink = array[0];
}

static void unreachable(void)
{
	if (three)
		__builtin_unreachable(); /* HERE unreachable */
}

static void null_load(void)
{
	sink = *(int *)null_text; /* HERE null-load */
}

static void misaligned(void)
{
	*(long *)((unsigned long)words + 1) = 1; /* HERE misaligned */
}

static void pointer(void)
{
	null_text = top + far; /* HERE pointer */
}

/* GCC sees this one without being told to look. */
#ifndef __clang__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#endif
static void object_size(void)
{
	static char four[4] __aligned(8);

	*(long *)four = 1; /* HERE object-size */
	__asm__ volatile("" : : "r"(four) : "memory");
}
#ifndef __clang__
#pragma GCC diagnostic pop
#endif

static void (*const mistakes[])(void) = {
	add,
	add_wide,
	sub,
	mul,
	negate,
	divide,
	divide_minus_one,
	shift_far,
	shift_negative,
	shift_base,
	bounds,
	bool_value,
	null_argument,
	null_return,
	builtin,
	vla,
	unreachable,
	null_load,
	misaligned,
	pointer,
	object_size,
};

static void end_thread(void)
{
	do_exit(7 << 8);
}

static int make_mistake(void *nr)
{
	mistakes[(unsigned long)nr]();
	return 0;
}

bool selftest_ubsan(const char *which)
{
	struct wait_result res = { .status = 0 };

	if (!strcmp(which, "ubsan-panic"))
		shift_far();
	if (strcmp(which, "ubsan"))
		return false;
	ubsan_test_hook = end_thread;
	for (unsigned long i = 0; i < ARRAY_SIZE(mistakes); i++) {
		int pid = kernel_thread(make_mistake, (void *)i, "mistake");
		const struct wait_opts opts = { .type = WAIT_PID, .nr = pid, .options = WEXITED };

		if (pid < 0 || do_wait(&opts, &res) != pid || res.status != 7 << 8)
			printk("mistake %lu: nobody noticed\n", i);
	}
	return true;
}

#else

bool selftest_ubsan(const char *which)
{
	return false;
}

#endif
