/* SPDX-License-Identifier: MIT */
/* The time-stamp counter, read where it stands: an instruction and nothing else. */
#ifndef ARCH_TSC_H
#define ARCH_TSC_H

#include "kernel/base/types.h"

static inline u64 rdtsc(void)
{
	u32 lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}

#endif
