/* SPDX-License-Identifier: MIT */
#ifndef ARCH_EXTABLE_H
#define ARCH_EXTABLE_H

#include "kernel/base/types.h"

struct pt_regs;

/*
 * Instructions that may fault on user memory are listed with a place to go on at instead. When
 * regs->ip is one of them, moves it there and returns true.
 */
bool fixup_exception(struct pt_regs *regs);
/* Whether the instruction at ip is one of them, and its fault may first be handled, which may sleep. */
bool extable_may_fault(unsigned long ip);

#endif
