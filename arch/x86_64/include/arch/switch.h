/* SPDX-License-Identifier: MIT */
#ifndef ARCH_SWITCH_H
#define ARCH_SWITCH_H

#include "kernel/base/types.h"

/* Saves the callee-saved registers on the current stack and its pointer in *prev_sp; goes on at next_sp. */
void __switch_to(unsigned long *prev_sp, unsigned long next_sp);
/*
 * Prepares a stack so that the first __switch_to() to the returned pointer calls fn(arg) with
 * interrupts off; fn must not return.
 */
unsigned long switch_prepare(void *stack_top, void (*fn)(void *), void *arg);
/* Leaves for user mode with the registers at the top of this thread's kernel stack. */
void __attribute__((noreturn)) return_to_user(void);

#endif
