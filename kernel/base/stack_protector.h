/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_BASE_STACK_PROTECTOR_H
#define KERNEL_BASE_STACK_PROTECTOR_H

#include <arch/percpu.h>

#include "kernel/base/random.h"

/*
 * The stack protector. A function that has an array puts the running task's canary between that and its
 * return address, and compares before it returns: who writes beyond the array ends in
 * __stack_chk_fail(). The compiler knows the canary's place, 40 bytes behind GS: so it is the
 * beginning of the per-CPU area (-mstack-protector-guard-offset in the Makefile).
 */
struct fixed_percpu {
	char before[40];
	unsigned long stack_canary;
};
/* linker.ld puts it first. */
extern __section(".percpu.first") struct fixed_percpu fixed_percpu;

/* The first byte in memory is 0: no string that runs over its end carries on through it. */
static inline unsigned long new_stack_canary(void)
{
	return get_random_u64() & ~0xffUL;
}

/* => nothing below the caller's caller was compiled to compare, or never returns. */
static inline void set_stack_canary(unsigned long canary)
{
	this_cpu_write(fixed_percpu.stack_canary, canary);
}

void __stack_chk_fail(void) __attribute__((noreturn));

#endif
