/* SPDX-License-Identifier: MIT */
#ifndef ARCH_SIGNAL_H
#define ARCH_SIGNAL_H

#include <arch/ptrace.h>

/*
 * On the way to user mode with WORK_SIGNAL set: does what waiting signals ask for, and changes regs so
 * that a handler is called. May not return.
 */
void do_signal(struct pt_regs *regs);

#endif
