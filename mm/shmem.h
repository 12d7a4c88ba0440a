/* SPDX-License-Identifier: MIT */
/* Shared memory: files whose pages are the page cache and nothing else. */
#ifndef MM_SHMEM_H
#define MM_SHMEM_H

#include "mm/types.h"

/* What the files of one mount may hold together, and do, in pages. */
struct shmem_sb_info {
	unsigned long max_blocks;
	atomic_long_t used_blocks;
};

/* What address_space.shmem points at, and whoever makes such a file sets up. */
struct shmem_info {
	struct shmem_sb_info *sb; /* NULL: nothing limits it but what there is */
	bool noreserve;		  /* charged page by page; else all of its size, from the start */
	unsigned long reserved;	  /* pages that are promised: write(2) behind the end adds none */
	unsigned int seals;	  /* F_SEAL_* of fcntl(2). => the file's i_rwsem to change */
};

/*
 * For a file of `size` bytes, sealed against seals: 0, or -ENOMEM when it can't be promised; vm_flags:
 * VM_NORESERVE. And at its end, when its pages are gone.
 */
int shmem_info_init(struct shmem_info *info, struct shmem_sb_info *sb, u64 size, u64 vm_flags);
void shmem_info_destroy(struct shmem_info *info);
/* The file is about to be cut or lengthened: 0, or -ENOMEM when the new size can't be promised. */
int shmem_resize(struct shmem_info *info, u64 size);
/*
 * The first byte of data (or, not data, of a hole) at or behind `from`, where all behind the end is a
 * hole; -ENXIO when there is none, or `from` isn't before the end. => i_rwsem held
 */
s64 shmem_seek(struct address_space *mapping, u64 from, bool data);
/* Whether somebody but page tables and the cache has a reference to one of the pages. */
bool shmem_has_pins(struct address_space *mapping);
/* Pages of all such files: Shmem in /proc/meminfo. */
extern atomic_long_t nr_shmem_pages;
/* What its address_space needs. */
extern const struct address_space_operations shmem_a_ops;

/*
 * What makes one that is mounted nowhere; set by the file system. "/NAME (deleted)" in /proc/pid/maps,
 * of `size` bytes, open for reading and writing, with one reference. vm_flags: VM_NORESERVE.
 * ERR_PTR(-ENOMEM), also when it can't be promised; -EINVAL: beyond the largest size of a file; -ENFILE.
 * May sleep.
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
