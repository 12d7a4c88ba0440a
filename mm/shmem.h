/* SPDX-License-Identifier: MIT */
/* Shared memory: files without a name on a tmpfs that is mounted nowhere. */
#ifndef MM_SHMEM_H
#define MM_SHMEM_H

#include "mm/types.h"

/*
 * What makes such a file; set by the file system. Named `name` in /proc/pid/maps, of `size` bytes, open
 * for reading and writing, with one reference. vm_flags: VM_NORESERVE: its pages are charged as they
 * come, else all now. ERR_PTR(-ENOMEM), also when it can't be promised; -EINVAL: beyond the largest
 * size of a file; -ENFILE. May sleep.
 */
struct shmem_ops {
	struct vm_file *(*file_setup)(const char *name, u64 size, u64 vm_flags);
};
extern const struct shmem_ops *shmem_ops;

static inline struct vm_file *shmem_file_setup(const char *name, u64 size, u64 vm_flags)
{
	return shmem_ops->file_setup(name, size, vm_flags);
}

/*
 * Puts a new file of shared anonymous memory, as long as the area, behind it: what MAP_SHARED |
 * MAP_ANONYMOUS means, and a shared mapping of /dev/zero, whose own file it lets go of. 0 or -errno with
 * the area as it was. => vm_flags and range are set; mmap_lock held for writing
 */
int shmem_zero_setup(struct vm_area_struct *vma);

#endif
