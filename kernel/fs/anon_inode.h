/* SPDX-License-Identifier: MIT */
/* Open files that stand for something other than a file: they share one inode that has no type. */
#ifndef KERNEL_FS_ANON_INODE_H
#define KERNEL_FS_ANON_INODE_H

#include "kernel/fs/vfs.h"

/*
 * An open file with these operations, which /proc calls "anon_inode:NAME". flags: how it is open, O_ACCMODE
 * and O_NONBLOCK. -ENFILE, -ENOMEM as ERR_PTR. May sleep.
 */
struct file *anon_inode_getfile(const char *name, const struct file_operations *fops, void *private,
				unsigned int flags, const struct cred_view *cred) __must_check;

void anon_inode_init(void); /* once at boot */

#endif
