/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_SYSCALL_SYSCALLS_H
#define KERNEL_SYSCALL_SYSCALLS_H

#include "kernel/base/types.h"

/* What every entry of the table is called as: arguments in the order of the ABI. */
typedef long (*syscall_fn)(unsigned long, unsigned long, unsigned long, unsigned long,
			   unsigned long, unsigned long);

/* The name of a call, or NULL when there is no such call. */
const char *syscall_name(unsigned int nr);
/* Tells the trace all of them. */
void syscall_trace_names(void);
/* The tracer ("strace" on the command line): before a call, and after it. */
void strace_enter(unsigned int nr, const unsigned long args[6]);
void strace_exit(unsigned int nr, long ret);

/* reboot(2) ends only the caller, for who wants to see what is left: set by init. */
extern bool reboot_is_exit;

#endif
