/* SPDX-License-Identifier: MIT */
/*
 * Pipes and FIFOs: pipe(7).
 *
 * A pipe is a ring of slots, each with at most one page. A write first fills up the page written
 * last, if what is left of its length beyond whole pages fits there, and then takes a new page for
 * each slot: so at most PIPE_BUF bytes are always together in one page, which makes them atomic.
 */
#ifndef KERNEL_FS_PIPE_H
#define KERNEL_FS_PIPE_H

#include "kernel/fs/vfs.h"
#include "kernel/sched/wait.h"

#define PIPE_DEF_SLOTS 16 /* 64 KiB */
/*
 * Beyond so many pages in the pipes of one user, who has neither CAP_SYS_RESOURCE nor
 * CAP_SYS_ADMIN, new ones are small: fs.pipe-user-pages-soft.
 */
#define PIPE_USER_PAGES 16384
#define PIPE_MIN_SLOTS	2
/* Without CAP_SYS_RESOURCE no pipe is made larger: fs.pipe-max-size. Bytes. */
#define PIPE_MAX_SIZE (1U << 20)

extern const struct file_operations fifo_fops;

/*
 * pipe2(2): files[0] is the end to read from, files[1] the one to write to. flags: O_NONBLOCK,
 * O_DIRECT. 0, -ENFILE, -ENOMEM.
 */
int pipe_open_pair(struct file *files[2], unsigned int flags, const struct cred_view *cred);
/* F_GETPIPE_SZ and F_SETPIPE_SZ: the size in bytes, or -EBADF when it is no pipe; -EINVAL, -EPERM,
 * -EBUSY, -ENOMEM. */
long pipe_get_size(struct file *file);
long pipe_set_size(struct file *file, unsigned int size, const struct cred_view *cred);

/* What pipes need of the process layer, which sets it at boot. */
struct pipe_task_ops {
	/* Tells the running task that it wrote to a pipe that nobody reads. */
	void (*send_sigpipe)(void);
	/* The user the running task counts for, referenced; and the end of that. */
	void *(*user_get)(void);
	void (*user_put)(void *user);
	/* Adds to the pages that a user's pipes may hold; their sum. */
	long (*charge)(void *user, long pages);
};
extern const struct pipe_task_ops *pipe_tasks;

#endif
