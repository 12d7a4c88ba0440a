/* SPDX-License-Identifier: MIT */
/* What the files that make up tmpfs share. */
#ifndef KERNEL_FS_TMPFS_H
#define KERNEL_FS_TMPFS_H

#include "kernel/fs/vfs.h"
#include "mm/shmem.h"

/* What a file system may have, and has. */
struct tmpfs_sb_info {
	struct shmem_sb_info blocks;
	unsigned long max_inodes; /* 0, like max_blocks: whatever there is */
	atomic_long_t used_inodes;
	umode_t mode; /* of the root when it was mounted; and whose it was */
	u32 uid, gid;
};

static inline struct tmpfs_sb_info *tmpfs_sb(const struct super_block *sb)
{
	return sb->s_fs_info;
}

/* Of regular files: tmpfs_file.c. */
extern const struct file_operations tmpfs_file_fops;
extern const struct inode_operations tmpfs_file_iops;
int tmpfs_fsync(struct file *file);
/* tmpfs_options.c: see struct super_operations. */
int tmpfs_remount(struct super_block *sb, char *data);
void tmpfs_show_options(const struct super_block *sb, struct seq_text *seq);

/* Whether an inode is such a file. */
static inline bool is_tmpfs_file(const struct inode *inode)
{
	return inode->i_fop == &tmpfs_file_fops;
}

/* What shmem_file_setup() makes, as a file; flags: further O_* to be open with. */
struct file *tmpfs_file_setup(const char *name, u64 size, u64 vm_flags, unsigned int flags);

#endif
