/* SPDX-License-Identifier: MIT */
/* Inodes: their life, who may do what with them, and what stat(2) says about them. */
#include <arch/clock.h>

#include "kernel/abi/mount.h"
#include "kernel/base/string.h"
#include "kernel/fs/vfs.h"
#include "kernel/sched/timer.h"
#include "mm/filemap.h"
#include "mm/slab.h"

const struct cred_view kernel_cred = { .privileged = true, .caps = ~0UL };

static struct kmem_cache *inode_cache;

/* All pages here are made of zeros, so there is nothing to read one from. */
static const struct address_space_operations no_backing;

void inode_cache_init(void)
{
	inode_cache = kmem_cache_create("inode_cache", sizeof(struct inode), 0);
}

s64 current_time(void)
{
	return boot_time_ns + (s64)clock_ns();
}

struct inode *inode_alloc(struct super_block *sb, umode_t mode)
{
	struct inode *inode = kmem_cache_zalloc(inode_cache, GFP_KERNEL);

	if (!inode)
		return NULL;
	atomic_set(&inode->i_count, 1);
	inode->i_mode = mode;
	inode->i_nlink = 1;
	inode->i_ino = (u64)atomic_long_add_return(&sb->s_next_ino, 1);
	inode->i_sb = sb;
	inode->i_atime = inode->i_mtime = inode->i_ctime = current_time();
	init_rwsem(&inode->i_rwsem);
	INIT_LIST_HEAD(&inode->i_locks);
	address_space_init(&inode->i_data, inode, &no_backing);
	return inode;
}

void iput(struct inode *inode)
{
	const struct super_operations *op;

	if (!inode || !atomic_dec_and_test(&inode->i_count))
		return;
	/* Each area holds the file: so none counts any more. */
	DEBUG_ON(atomic_read(&inode->i_data.i_mmap_writable) > 0);
	op = inode->i_sb->s_op;
	if (inode->i_data.nrpages)
		truncate_pagecache(&inode->i_data, 0);
	if (op && op->evict)
		op->evict(inode);
	kmem_cache_free(inode_cache, inode);
}

/* Whether reading from there leaves no trace. */
static bool keeps_atime(const struct inode *inode)
{
	const u32 none = S_ISDIR(inode->i_mode) ? MS_NOATIME | MS_NODIRATIME : MS_NOATIME;

	return inode_forbids(inode, FS_NOATIME_FL) || inode_is_rdonly(inode) ||
	       (inode->i_sb->s_flags & none);
}

void touch_atime(struct inode *inode)
{
	s64 day = 24 * 3600 * 1000000000L;
	s64 now = current_time();

	if (keeps_atime(inode))
		return;
	if (inode->i_atime <= inode->i_mtime || inode->i_atime <= inode->i_ctime ||
	    inode->i_atime <= now - day || (inode->i_sb->s_flags & MS_STRICTATIME))
		inode->i_atime = now;
}

bool cred_in_group(const struct cred_view *cred, u32 gid)
{
	return cred->gid == gid || groups_have(cred->groups, gid);
}

int inode_permission(const struct inode *inode, const struct cred_view *cred, unsigned int mask)
{
	if ((mask & MAY_WRITE) && inode_is_rdonly(inode) &&
	    (S_ISREG(inode->i_mode) || S_ISDIR(inode->i_mode) || S_ISLNK(inode->i_mode)))
		return -EROFS;
	if (inode->i_op && inode->i_op->permission)
		return inode->i_op->permission(inode, cred, mask);
	return generic_permission(inode, cred, mask);
}

int generic_permission(const struct inode *inode, const struct cred_view *cred, unsigned int mask)
{
	umode_t mode = inode->i_mode;
	unsigned int reading = MAY_READ | (S_ISDIR(mode) ? MAY_EXEC : 0);

	mask &= MAY_READ | MAY_WRITE | MAY_EXEC;
	if ((mask & MAY_WRITE) && inode_forbids(inode, FS_IMMUTABLE_FL))
		return -EPERM;
	/* Nobody can run what is executable for nobody. */
	if (cred->privileged)
		return !(mask & MAY_EXEC) || S_ISDIR(mode) || (mode & S_IXUGO) ? 0 : -EACCES;
	if (cred->uid == inode->i_uid)
		mode >>= 6;
	else if (cred_in_group(cred, inode->i_gid))
		mode >>= 3;
	if (!(mask & ~mode))
		return 0;
	return !(mask & ~reading) && cred_capable(cred, CAP_DAC_READ_SEARCH) ? 0 : -EACCES;
}

/* Counts up (step 1) or down (step -1) from zero, unless the count has the other sign. */
static int writecount_step(struct inode *inode, int step)
{
	int old = atomic_read(&inode->i_writecount);

	do {
		if (step > 0 ? old < 0 : old > 0)
			return -ETXTBSY;
	} while (!__atomic_compare_exchange_n(&inode->i_writecount.v, &old, old + step, false,
					      __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	return 0;
}

int get_write_access(struct inode *inode)
{
	return writecount_step(inode, 1);
}

void put_write_access(struct inode *inode)
{
	atomic_dec(&inode->i_writecount);
}

int deny_write_access(struct file *file)
{
	int err = writecount_step(file->f_inode, -1);

	if (!err)
		file->f_mode |= FMODE_NOWRITE;
	return err;
}

void allow_write_access(struct file *file)
{
	file->f_mode &= ~FMODE_NOWRITE;
	atomic_inc(&file->f_inode->i_writecount);
}

void vfs_getattr(const struct dentry *dentry, struct kstat *stat)
{
	const struct inode *inode = dentry->d_inode;

	*stat = (struct kstat){
		.dev = makedev(0, inode->i_sb->s_dev),
		.ino = inode->i_ino,
		.rdev = inode->i_rdev,
		.mode = inode->i_mode,
		.nlink = inode->i_nlink,
		.uid = inode->i_uid,
		.gid = inode->i_gid,
		.size = i_size_read(inode),
		.blocks = READ_ONCE(inode->i_data.nrpages) * (PAGE_SIZE / 512),
		.atime = inode->i_atime,
		.mtime = inode->i_mtime,
		.ctime = inode->i_ctime,
		.mount_root = d_is_root(dentry) && !inode->i_sb->s_pseudo,
		.has_flags = inode_has_flags(inode),
		.flags = READ_ONCE(inode->i_flags),
	};
}

struct cred_view vfs_current_cred(void)
{
	return fs_current_cred ? fs_current_cred() : kernel_cred;
}

void inode_remove_privs(struct inode *inode)
{
	struct cred_view cred;

	if (!S_ISREG(inode->i_mode) || !(inode->i_mode & (S_ISUID | S_ISGID)))
		return;
	cred = vfs_current_cred();
	if (cred_capable(&cred, CAP_FSETID))
		return;
	/* Without the group's x bit, set-group-ID has another meaning. */
	if (inode->i_mode & S_IXGRP)
		inode->i_mode &= ~S_ISGID;
	inode->i_mode &= ~S_ISUID;
}

struct cred_view (*fs_current_cred)(void);
u64 (*fs_size_limit)(void);
void (*fs_send_sigxfsz)(void);

/* RLIMIT_FSIZE: whether a file of `size` bytes is allowed. Tells the task if it isn't. */
static int check_size_limit(u64 size)
{
	if (!fs_size_limit || size <= fs_size_limit())
		return 0;
	fs_send_sigxfsz();
	return -EFBIG;
}

int limit_write(u64 pos, size_t *count)
{
	int err = check_size_limit(pos + 1);

	if (err)
		return err;
	if (pos >= MAX_FILE_SIZE)
		return -EFBIG;
	*count = min(*count, (size_t)(MAX_FILE_SIZE - pos));
	if (fs_size_limit)
		*count = min(*count, (size_t)(fs_size_limit() - pos));
	return 0;
}

int inode_newsize_ok(const struct inode *inode, u64 size)
{
	return size > i_size_read(inode) ? check_size_limit(size) : 0;
}

int vfs_truncate(struct inode *inode, u64 size)
{
	int err;

	if (!inode->i_op || !inode->i_op->truncate)
		return -EINVAL;
	down_write(&inode->i_rwsem);
	err = inode_newsize_ok(inode, size);
	if (!err)
		err = inode->i_op->truncate(inode, size);
	if (!err)
		inode_remove_privs(inode);
	up_write(&inode->i_rwsem);
	return err;
}
