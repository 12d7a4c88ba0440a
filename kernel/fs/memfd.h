/* SPDX-License-Identifier: MIT */
/* Files without a name, and seals. */
#ifndef KERNEL_FS_MEMFD_H
#define KERNEL_FS_MEMFD_H

#include "kernel/fs/vfs.h"

/* A new one, called "NAME" in /proc with its prefix; flags: MFD_*. Or an ERR_PTR. */
struct file *memfd_open(const char *name, unsigned int flags);
/* F_ADD_SEALS: 0, -EPERM, -EBUSY, -EINVAL. May sleep. And F_GET_SEALS: F_SEAL_*, or -EINVAL. */
int memfd_add_seals(struct file *file, unsigned long seals);
int memfd_get_seals(const struct file *file);

#endif
