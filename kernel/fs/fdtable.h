/* SPDX-License-Identifier: MIT */
/* Descriptor tables: which number stands for which open file. */
#ifndef KERNEL_FS_FDTABLE_H
#define KERNEL_FS_FDTABLE_H

#include "kernel/fs/vfs.h"

#define NR_OPEN_INLINE 64
#define NR_OPEN_MAX    (1U << 20) /* no limit allows more */

/*
 * count: threads and processes that share the table. `lock` protects all the rest.
 * A bit in open_fds with a NULL file is a number that is taken while its file is being opened.
 */
struct files_struct {
	atomic_t count;
	spinlock_t lock;
	unsigned int max_fds; /* a multiple of 64 */
	unsigned int next_fd; /* no lower number is free */
	struct file **fd;
	unsigned long *open_fds, *close_on_exec; /* bitmaps of max_fds */
	struct file *fd_inline[NR_OPEN_INLINE];
	unsigned long bits_inline[2];
};

/* An empty table with one user, or NULL. */
struct files_struct *files_alloc(void) __must_check;
/* A table of its own with the same files (fork), or NULL. */
struct files_struct *files_dup(struct files_struct *old) __must_check;
static inline struct files_struct *files_get(struct files_struct *files)
{
	atomic_inc(&files->count);
	return files;
}
/* Drops a user; the last one closes every file. May sleep. NULL is fine. */
void files_put(struct files_struct *files);
/* Closes what was to be closed at exec. => one thread uses the table */
void files_close_on_exec(struct files_struct *files);
/* Opens /dev/console as 0, 1 and 2. => the table is empty. 0 or -errno; nothing is open then. */
int files_install_console(struct files_struct *files);

/*
 * Takes the lowest free number from `start` on and below `limit` (RLIMIT_NOFILE). -EMFILE,
 * -ENOMEM, or -EINVAL when start itself is beyond the limit. To be followed by fd_install() or
 * put_unused_fd().
 */
int alloc_fd(struct files_struct *files, unsigned int start, unsigned long limit, bool cloexec);
/* Makes the number stand for the file; takes over the caller's reference. */
void fd_install(struct files_struct *files, unsigned int fd, struct file *file);
void put_unused_fd(struct files_struct *files, unsigned int fd);
/* The open file, referenced, or NULL: -EBADF. fget() refuses places opened with O_PATH. */
struct file *fget(struct files_struct *files, unsigned int fd) __must_check;
struct file *fget_raw(struct files_struct *files, unsigned int fd) __must_check;

/* 0 or -EBADF. */
int fd_close(struct files_struct *files, unsigned int fd);
/* The new number or -errno, as dup(2), dup3(2) and F_DUPFD say. flags: O_CLOEXEC. */
int fd_dup(struct files_struct *files, unsigned int fd, unsigned int start, unsigned long limit,
	   bool cloexec);
int fd_dup_to(struct files_struct *files, unsigned int fd, unsigned int to, unsigned long limit,
	      bool cloexec);
/* FD_CLOEXEC or 0, or -EBADF; and the change of it. */
int fd_get_cloexec(struct files_struct *files, unsigned int fd);
int fd_set_cloexec(struct files_struct *files, unsigned int fd, bool cloexec);
/* Closes, or marks to be closed at exec, all open numbers from first to last. */
void fd_close_range(struct files_struct *files, unsigned int first, unsigned int last);
void fd_cloexec_range(struct files_struct *files, unsigned int first, unsigned int last);
/* Whether the number stands for that file just now. */
bool fd_is(struct files_struct *files, unsigned int fd, const struct file *file);
/* The lowest open number from `fd` on, or -1: for /proc/pid/fd. */
int fd_next_open(struct files_struct *files, unsigned int fd);

#endif
