/* SPDX-License-Identifier: MIT */
/*
 * A number and who goes by it: a thread by its id, processes by the id of their group and of their
 * session. The number isn't given out again while any of them is there, or while somebody holds the
 * struct: so a terminal that remembers a group can't come to mean another one.
 *
 * All of it is protected by tasklist_lock, and every function here wants it held.
 */
#ifndef KERNEL_PROCESS_PID_H
#define KERNEL_PROCESS_PID_H

#include "kernel/lib/list.h"
#include "kernel/sched/wait.h"

struct task_struct;

struct pid {
	int nr;
	unsigned int count; /* who goes by the number; with the last one it is free again */
	unsigned int refs;  /* one for all of these together, and each pidfd's: then it is freed */
	struct hlist_node link;	     /* in the hash by number */
	struct task_struct *task;    /* the thread with this id, until it is reaped; or NULL */
	struct list_head group;	     /* signal_struct.group_link of the processes in this group */
	struct list_head session;    /* signal_struct.session_link of those in this session */
	struct wait_queue_head wait; /* who polls a pidfd for the end of the process */
};

/* The group and session of what no session was made for: the kernel's threads and pid 1 at first. */
extern struct pid pid_zero;

void pid_init(void);
/* A new number with one user, or ERR_PTR: -EAGAIN, none is free; -ENOMEM. They go up and come round. */
struct pid *pid_alloc(void);
static inline struct pid *pid_get(struct pid *pid)
{
	pid->count++;
	return pid;
}
void pid_put(struct pid *pid);
/*
 * Keeps the struct without keeping the number: once the thread, group and session are gone it means nobody,
 * and the number may come to be somebody else's.
 */
static inline struct pid *pid_hold(struct pid *pid)
{
	pid->refs++;
	return pid;
}
void pid_drop(struct pid *pid);
/* By number, or NULL. No new reference. */
struct pid *find_pid(int nr);
/* The number that was given out last. */
int pid_last(void);
/* The lowest number above `after` that is in use, or NULL. */
struct pid *pid_next(int after);

#endif
