/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_SYSCALL_SYS_PROCESS_H
#define KERNEL_SYSCALL_SYS_PROCESS_H

#include "kernel/abi/time.h"
#include "kernel/process/task.h"

/* As getrusage(2) gives it: all time counts as the program's own. */
struct kernel_rusage to_rusage(const struct usage *usage, const struct cputime *time);

#endif
