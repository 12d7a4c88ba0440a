/* SPDX-License-Identifier: MIT */
/* Moving bytes from file to file inside the kernel: sendfile(2), copy_file_range(2). */
#ifndef KERNEL_FS_COPY_H
#define KERNEL_FS_COPY_H

#include "kernel/fs/vfs.h"

/*
 * Copies up to `count` bytes from *from of `in` to *to of `out` (NULL: where `out` has no
 * position), and advances both. The bytes moved; an error only when there are none. => both are
 * open for it; no lock held. May sleep for as long as `out` wants.
 */
ssize_t file_copy(struct file *in, loff_t *from, struct file *out, loff_t *to, size_t count);

#endif
