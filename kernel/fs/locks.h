/* SPDX-License-Identifier: MIT */
/*
 * Advisory locks: of records, by fcntl(2), and of whole files, by flock(2). The two kinds don't
 * see each other.
 *
 * A record lock belongs to the descriptor table (so to the process) that asked for it, or with
 * F_OFD_SETLK to the open file, like those of flock. A table's locks of a file go with the first
 * descriptor of that file that it closes.
 */
#ifndef KERNEL_FS_LOCKS_H
#define KERNEL_FS_LOCKS_H

#include "kernel/fs/fdtable.h"

struct file_lock {
	struct list_head link; /* in inode->i_locks */
	const void *owner;     /* a struct files_struct or a struct file */
	bool flock;
	int type;	   /* F_RDLCK, F_WRLCK, F_UNLCK */
	int pid;	   /* of who holds it, or -1 where that is no process */
	loff_t start, end; /* bytes; the end is inside */
};

/*
 * Sets or (F_UNLCK) lifts a lock. 0; -EAGAIN when another's is in the way and `wait` isn't set;
 * -EDEADLK, -ERESTARTSYS, -ENOLCK.
 */
int lock_set(struct inode *inode, const struct file_lock *want, bool wait);
/* Whether another's lock is in the way: then *lock becomes it. */
bool lock_test(struct inode *inode, struct file_lock *lock);
/* A table closes a file; and a file is closed for good. */
void locks_remove_posix(struct file *file, const struct files_struct *files);
void locks_remove_file(struct file *file);
void locks_init(void);

#endif
