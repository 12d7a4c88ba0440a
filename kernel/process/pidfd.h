/* SPDX-License-Identifier: MIT */
/*
 * Descriptors of processes: pidfd_open(2). One stands for a process even when its number has come to be
 * another's, and can be polled: it is readable from the moment at which the process has ended.
 */
#ifndef KERNEL_PROCESS_PIDFD_H
#define KERNEL_PROCESS_PIDFD_H

#include "kernel/process/task.h"

/* One of nobody yet, for pidfd_bind(). flags: 0 or O_NONBLOCK. -ENFILE, -ENOMEM as ERR_PTR. */
struct file *pidfd_file(unsigned int flags) __must_check;
/* => tasklist_lock */
void pidfd_bind(struct file *file, struct pid *pid);
/* Of whom an open file tells, or NULL when it is no such file. It is held while the file is. */
struct pid *pidfd_pid(const struct file *file);

/* A descriptor on its way: what clone(2) gives to the caller. */
struct pidfd_slot {
	int fd; /* negative: none */
	struct file *file;
};
/* Takes a number and makes the file. 0; -EMFILE, -ENFILE, -ENOMEM, and nothing has changed. */
int pidfd_prepare(struct pidfd_slot *slot, unsigned int flags);
/* Undoes it, or makes the number stand for the file. An empty slot is fine. */
void pidfd_cancel(const struct pidfd_slot *slot);
void pidfd_install(const struct pidfd_slot *slot);

/*
 * process_mrelease(2): takes the private memory of a process that is ending, before it does that itself. 0,
 * -ESRCH when there is none, -EINVAL when somebody is to go on using it. May sleep.
 */
int process_release_memory(const struct pid *pid);

#endif
