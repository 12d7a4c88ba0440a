/* SPDX-License-Identifier: MIT */
/* Scheduling: Linux's values. */
#ifndef ABI_SCHED_H
#define ABI_SCHED_H

#define SCHED_NORMAL   0
#define SCHED_FIFO     1
#define SCHED_RR       2
#define SCHED_BATCH    3
#define SCHED_IDLE     5
#define SCHED_DEADLINE 6
/* Added to a policy: children are not to inherit what gives an advantage. */
#define SCHED_RESET_ON_FORK 0x40000000

#define RT_PRIORITY_MAX 99
#define NICE_MIN	(-20)
#define NICE_MAX	19

#define PRIO_PROCESS 0
#define PRIO_PGRP    1
#define PRIO_USER    2

struct kernel_sched_param {
	int sched_priority;
};

#endif
