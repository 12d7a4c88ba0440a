/* SPDX-License-Identifier: MIT */
/* mount(2) and umount2(2). */
#ifndef KERNEL_FS_MOUNT_H
#define KERNEL_FS_MOUNT_H

#include "kernel/abi/mount.h"
#include "kernel/fs/namei.h"

/*
 * Both as their manual pages say: 0 or -errno. source, type: NULL when they were not given; `data`, which
 * is cut up, and source are copied if need be. Only tmpfs and proc can be mounted; MS_BIND, MS_MOVE, and
 * the kinds of propagation but MS_PRIVATE are -EINVAL. => no lock held
 */
int path_mount(const struct lookup_at *at, const char *source, const char *path, const char *type,
	       unsigned long flags, char *data);
int path_umount(const struct lookup_at *at, const char *path, int flags);

/* What a tmpfs is made with. */
struct tmpfs_options {
	unsigned long max_blocks, max_inodes; /* 0: as many as there are */
	bool has_blocks, has_inodes;	      /* given, and not by default */
	umode_t mode;
	u32 uid, gid;
};
/* Reads the last argument of mount(2), NULL or a string that is cut up. 0 or -EINVAL */
int tmpfs_parse_options(struct tmpfs_options *options, char *data);
/* A new tmpfs, or NULL. */
struct super_block *tmpfs_super_with(const char *type, const struct tmpfs_options *options);

#endif
