/* SPDX-License-Identifier: MIT */
#ifndef ARCH_PTRACE_H
#define ARCH_PTRACE_H

#include "kernel/base/types.h"

/*
 * The user's registers on the kernel stack, in Linux's order. On a system call the first six are
 * written only when somebody needs them: C code keeps them by itself (entry.S tells where).
 */
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx;
	unsigned long r11, r10, r9, r8, ax, cx, dx, si, di;
	/* The system call's number; -1 when it was none. In the kernel's own faults, the error code. */
	unsigned long orig_ax;
	unsigned long ip, cs, flags, sp, ss;
};

static inline bool user_mode(const struct pt_regs *regs)
{
	return regs->cs & 3;
}

#endif
