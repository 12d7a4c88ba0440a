/* SPDX-License-Identifier: MIT */
#ifndef MM_FAULT_INJECT_H
#define MM_FAULT_INJECT_H

#include "mm/types.h"

/* One less; true when that was the last. 0 stays 0: nothing was asked for. */
static inline bool fail_countdown(atomic_long_t *nth)
{
	long n = atomic_long_read(nth);

	while (unlikely(n) && !__atomic_compare_exchange_n(&nth->v, &n, n - 1, false,
							   __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
	return n == 1;
}

#ifdef CONFIG_DEBUG
/* Whether the allocation that is about to be made is the one that was to fail. Any context. */
bool should_fail_alloc(void);
/* Whether one has been made to fail in the running task's name since it was asked last. */
bool fault_was_injected(void);
#else
static inline bool should_fail_alloc(void)
{
	return false;
}
static inline bool fault_was_injected(void)
{
	return false;
}
#endif

#endif
