/* SPDX-License-Identifier: MIT */
/*
 * Places in the kernel's source that allocate. In a debug kernel each has a record of its own, made by
 * the macros that stand in front of the functions that allocate (kmalloc() and its like): how often it
 * was come to, and how often the allocation was made to fail there. /proc/fail-sites shows them all, so
 * that tests can tell which way out of a failure was never taken.
 */
#ifndef MM_FAIL_SITE_H
#define MM_FAIL_SITE_H

#include "kernel/base/compiler.h"

#if defined(CONFIG_DEBUG) && !defined(TESSERA_HOST)

struct fail_site {
	const char *file, *function;
	const char *what; /* the allocating function's name */
	unsigned int line;
	unsigned int reached, failed; /* by programs, not in interrupts */
} __aligned(64);

/* Counts; true when this allocation is the one that is to fail. Any context. */
bool should_fail_alloc(struct fail_site *site);

/* `call`, which gives a pointer, or NULL instead when that is wanted. */
#define may_fail(what, call)                                                          \
	({                                                                            \
		static struct fail_site fail_site __section("fail_sites")             \
			__aligned(64) = { __FILE__, __func__, what, __LINE__, 0, 0 }; \
		unlikely(should_fail_alloc(&fail_site)) ? NULL : (call);              \
	})

#define CONFIG_FAIL_SITES

#endif

#endif
