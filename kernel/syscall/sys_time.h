/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_SYSCALL_SYS_TIME_H
#define KERNEL_SYSCALL_SYS_TIME_H

#include "kernel/abi/time.h"
#include "kernel/base/compiler.h"
#include "kernel/sched/timer.h"

/* A time that isn't negative, in ns, INT64_MAX where it doesn't fit. 0, -EINVAL, -EFAULT. */
int get_timespec_ns(s64 *ns, const struct kernel_timespec __user *from);
int timespec_to_ns(s64 *ns, const struct kernel_timespec *ts);
struct kernel_timespec to_timespec(s64 ns);
/* clock_ns() in so many ns from now, INT64_MAX at most. */
u64 ns_from_now(s64 ns);

#endif
