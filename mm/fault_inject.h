/* SPDX-License-Identifier: MIT */
#ifndef MM_FAULT_INJECT_H
#define MM_FAULT_INJECT_H

#include "mm/fail_site.h"
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

#ifdef CONFIG_FAIL_SITES
/* Whether one has been made to fail in the running task's name since it was asked last. */
bool fault_was_injected(void);

/* The nth place that allocates, counted from 0; NULL beyond the last. */
const struct fail_site *fail_site(unsigned int n);

/*
 * A way by which programs have come to such a place: who called whom, from the place outwards, up to
 * where the kernel was entered. Ways are recorded as they are gone the first time.
 */
#define FAIL_PATH_DEPTH 10
struct fail_path {
	const struct fail_site *site;
	u32 caller[FAIL_PATH_DEPTH]; /* return addresses, from the beginning of the text; 0: none */
	unsigned int reached, failed;
};
/* The nth way, counted from 0; false beyond the last, which is where the table is full, perhaps. */
bool fail_path(unsigned int n, struct fail_path *path);
#else
static inline bool fault_was_injected(void)
{
	return false;
}
#endif

#endif
