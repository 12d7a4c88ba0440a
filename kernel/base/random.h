/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_BASE_RANDOM_H
#define KERNEL_BASE_RANDOM_H

#include "kernel/base/types.h"

/* Bytes nobody outside can foresee, as far as the processor has a source of them. Any context. */
void get_random_bytes(void *buf, size_t len);
static inline u64 get_random_u64(void)
{
	u64 v;

	get_random_bytes(&v, sizeof(v));
	return v;
}

#endif
