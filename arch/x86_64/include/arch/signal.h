/* SPDX-License-Identifier: MIT */
#ifndef ARCH_SIGNAL_H
#define ARCH_SIGNAL_H

#include <arch/cpu.h>
#include <arch/fpu.h>
#include <arch/ptrace.h>

/*
 * On the way to user mode with WORK_SIGNAL set: does what waiting signals ask for, and changes regs so
 * that a handler is called. May not return.
 */
void do_signal(struct pt_regs *regs);

#define RT_SIGFRAME_SIZE 440UL

/* The vector registers in the frame, with what marks their end. In bytes. */
static inline size_t signal_fpstate_size(void)
{
	return fpu_user_size() + (cpu_features.xsave ? sizeof(u32) : 0);
}

/*
 * How large a stack must be so that a handler can be called on it, wherever it ends, in bytes: the frame
 * and what is left free to align both of its parts. This is AT_MINSIGSTKSZ.
 */
static inline size_t signal_frame_max(void)
{
	return ALIGN_UP(FPU_ALIGN - 1 + signal_fpstate_size() + RT_SIGFRAME_SIZE + 16, 16);
}

#endif
