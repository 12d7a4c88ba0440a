/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_SYSCALL_SYS_PROCESS_H
#define KERNEL_SYSCALL_SYS_PROCESS_H

#include "kernel/abi/time.h"
#include "kernel/process/task.h"

/* As getrusage(2) gives it: all time counts as the program's own. */
struct kernel_rusage to_rusage(const struct usage *usage, const struct cputime *time);
/* Whether all user and group ids of the task are the caller's real ones. => tasklist_lock */
bool same_user(const struct task_struct *task);

#endif
