/* SPDX-License-Identifier: MIT */
/* System calls that ask about a file without opening it. */
#include <arch/uaccess.h>

#include "kernel/abi/mount.h"
#include "kernel/base/string.h"
#include "kernel/fs/fdtable.h"
#include "kernel/process/current.h"
#include "kernel/syscall/sys_file.h"
#include "mm/slab.h"

#define NS_PER_SEC 1000000000L

/* --- stat ---------------------------------------------------------------------------------- */

/* Before 1970 the seconds are negative and the rest is not. */
static s64 ns_seconds(s64 ns)
{
	return ns / NS_PER_SEC - (ns % NS_PER_SEC < 0);
}

static s64 ns_rest(s64 ns)
{
	s64 rest = ns % NS_PER_SEC;

	return rest < 0 ? rest + NS_PER_SEC : rest;
}

static long put_stat(const struct dentry *dentry, struct kernel_stat __user *user)
{
	struct kernel_stat out = { 0 };
	struct kstat st;

	vfs_getattr(dentry, &st);
	out.st_dev = encode_dev(st.dev);
	out.st_ino = st.ino;
	out.st_nlink = st.nlink;
	out.st_mode = st.mode;
	out.st_uid = st.uid;
	out.st_gid = st.gid;
	out.st_rdev = encode_dev(st.rdev);
	out.st_size = (s64)st.size;
	out.st_blksize = PAGE_SIZE;
	out.st_blocks = (s64)st.blocks;
	out.st_atime_sec = (u64)ns_seconds(st.atime);
	out.st_atime_nsec = (u64)ns_rest(st.atime);
	out.st_mtime_sec = (u64)ns_seconds(st.mtime);
	out.st_mtime_nsec = (u64)ns_rest(st.mtime);
	out.st_ctime_sec = (u64)ns_seconds(st.ctime);
	out.st_ctime_nsec = (u64)ns_rest(st.ctime);
	return copy_to_user(user, &out, sizeof(out)) ? -EFAULT : 0;
}

/* Finds what the arguments of an *at call name, for `cred`. 0 or -errno. */
static int find_as(const struct cred_view *cred, int dfd, const char __user *filename, int flags,
		   struct dentry **dentry)
{
	struct path_arg arg;
	int err = path_arg_get(&arg, dfd, filename, flags & AT_EMPTY_PATH);

	if (err)
		return err;
	arg.at.cred = *cred;
	err = path_arg_lookup(&arg, flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW, dentry);
	path_arg_put(&arg);
	return err;
}

static int find(int dfd, const char __user *filename, int flags, struct dentry **dentry)
{
	struct cred_view cred = current_cred_view();

	return find_as(&cred, dfd, filename, flags, dentry);
}

#define STAT_FLAGS (AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE)

long sys_newfstatat(int dfd, const char __user *filename, struct kernel_stat __user *statbuf,
		    int flag)
{
	struct dentry *dentry;
	long ret;

	if (flag & ~STAT_FLAGS)
		return -EINVAL;
	ret = find(dfd, filename, flag, &dentry);
	if (ret)
		return ret;
	ret = put_stat(dentry, statbuf);
	dput(dentry);
	return ret;
}

long sys_stat(const char __user *filename, struct kernel_stat __user *statbuf)
{
	return sys_newfstatat(AT_FDCWD, filename, statbuf, 0);
}

long sys_lstat(const char __user *filename, struct kernel_stat __user *statbuf)
{
	return sys_newfstatat(AT_FDCWD, filename, statbuf, AT_SYMLINK_NOFOLLOW);
}

long sys_fstat(unsigned int fd, struct kernel_stat __user *statbuf)
{
	struct file *file = fget_raw(current_files(), fd);
	long ret;

	if (!file)
		return -EBADF;
	ret = put_stat(file->f_dentry, statbuf);
	fput(file);
	return ret;
}

static struct kernel_statx_timestamp statx_time(s64 ns)
{
	return (struct kernel_statx_timestamp){ .tv_sec = ns_seconds(ns),
						.tv_nsec = (u32)ns_rest(ns) };
}

static long put_statx(const struct dentry *dentry, struct kernel_statx __user *user)
{
	struct kernel_statx out = { 0 };
	struct kstat st;

	vfs_getattr(dentry, &st);
	out.stx_mask = STATX_BASIC_STATS | STATX_MNT_ID;
	out.stx_blksize = PAGE_SIZE;
	out.stx_attributes = st.mount_root ? STATX_ATTR_MOUNT_ROOT : 0;
	out.stx_attributes_mask = STATX_ATTR_MOUNT_ROOT;
	if (st.has_flags) {
		out.stx_attributes |= st.flags & STATX_ATTR_FLAGS;
		out.stx_attributes_mask |= STATX_ATTR_FLAGS;
	}
	out.stx_nlink = st.nlink;
	out.stx_uid = st.uid;
	out.stx_gid = st.gid;
	out.stx_mode = (u16)st.mode;
	out.stx_ino = st.ino;
	out.stx_size = st.size;
	out.stx_blocks = st.blocks;
	out.stx_atime = statx_time(st.atime);
	out.stx_ctime = statx_time(st.ctime);
	out.stx_mtime = statx_time(st.mtime);
	out.stx_rdev_major = (u32)(st.rdev >> 32);
	out.stx_rdev_minor = (u32)st.rdev;
	out.stx_dev_major = (u32)(st.dev >> 32);
	out.stx_dev_minor = (u32)st.dev;
	out.stx_mnt_id = dentry->d_sb->s_dev; /* each file system is mounted once */
	return copy_to_user(user, &out, sizeof(out)) ? -EFAULT : 0;
}

long sys_statx(int dfd, const char __user *filename, unsigned int flags, unsigned int mask,
	       struct kernel_statx __user *buffer)
{
	struct dentry *dentry;
	long ret;

	if (mask & STATX__RESERVED)
		return -EINVAL;
	if ((flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE || (flags & ~STAT_FLAGS))
		return -EINVAL;
	ret = find(dfd, filename, (int)flags, &dentry);
	if (ret)
		return ret;
	ret = put_statx(dentry, buffer);
	dput(dentry);
	return ret;
}

/* --- access -------------------------------------------------------------------------------- */

long sys_faccessat2(int dfd, const char __user *filename, int mode, int flags)
{
	struct cred_view cred = flags & AT_EACCESS ? current_cred_view() : real_cred_view();
	struct dentry *dentry;
	struct inode *inode;
	int err;

	if (mode & ~(MAY_READ | MAY_WRITE | MAY_EXEC))
		return -EINVAL;
	if (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	err = find_as(&cred, dfd, filename, flags, &dentry);
	if (err)
		return err;
	inode = dentry->d_inode;
	if ((mode & MAY_EXEC) && S_ISREG(inode->i_mode) && inode->i_sb->s_noexec)
		err = -EACCES;
	else
		err = inode_permission(inode, &cred, (unsigned int)mode);
	dput(dentry);
	return err;
}

long sys_faccessat(int dfd, const char __user *filename, int mode)
{
	return sys_faccessat2(dfd, filename, mode, 0);
}

long sys_access(const char __user *filename, int mode)
{
	return sys_faccessat2(AT_FDCWD, filename, mode, 0);
}

/* --- readlink ------------------------------------------------------------------------------ */

static long put_link(const struct dentry *dentry, char __user *user, size_t size, bool was_empty)
{
	struct cred_view cred = current_cred_view();
	char *buf;
	ssize_t len;

	/* The empty path names the descriptor's own link, if it is open on one. */
	if (was_empty && !S_ISLNK(dentry->d_inode->i_mode))
		return -ENOENT;
	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	len = dentry_readlink(dentry, &cred, buf, PATH_MAX);
	if (len > 0) {
		len = (ssize_t)min((size_t)len, size);
		if (copy_to_user(user, buf, (size_t)len))
			len = -EFAULT;
	}
	kfree(buf);
	return len;
}

long sys_readlinkat(int dfd, const char __user *pathname, char __user *buf, int bufsiz)
{
	struct dentry *dentry;
	struct path_arg arg;
	long ret;

	if (bufsiz <= 0)
		return -EINVAL;
	ret = path_arg_get(&arg, dfd, pathname, true);
	if (ret)
		return ret;
	ret = path_arg_lookup(&arg, 0, &dentry);
	if (!ret) {
		ret = put_link(dentry, buf, (size_t)bufsiz, !arg.name[0]);
		dput(dentry);
	}
	path_arg_put(&arg);
	return ret;
}

long sys_readlink(const char __user *path, char __user *buf, int bufsiz)
{
	return sys_readlinkat(AT_FDCWD, path, buf, bufsiz);
}

/* --- statfs -------------------------------------------------------------------------------- */

static s64 statfs_flags(const struct super_block *sb)
{
	return ST_VALID | (sb->s_rdonly ? ST_RDONLY : 0) | (sb->s_nosuid ? ST_NOSUID : 0) |
	       (sb->s_nodev ? ST_NODEV : 0) | (sb->s_noexec ? ST_NOEXEC : 0) |
	       (sb->s_flags & MS_NOATIME ? ST_NOATIME : 0) |
	       (sb->s_flags & MS_NODIRATIME ? ST_NODIRATIME : 0) |
	       (sb->s_flags & MS_RELATIME ? ST_RELATIME : 0) |
	       (sb->s_flags & MS_NOSYMFOLLOW ? ST_NOSYMFOLLOW : 0);
}

static long put_statfs(const struct dentry *dentry, struct kernel_statfs __user *user)
{
	const struct super_block *sb = dentry->d_sb;
	struct kstatfs stat = { 0 };
	struct kernel_statfs out;

	if (sb->s_op && sb->s_op->statfs)
		sb->s_op->statfs(sb, &stat);
	out = (struct kernel_statfs){
		.f_type = (s64)sb->s_magic,
		.f_bsize = PAGE_SIZE,
		.f_frsize = PAGE_SIZE,
		.f_blocks = stat.blocks,
		.f_bfree = stat.bfree,
		.f_bavail = stat.bfree,
		.f_files = stat.files,
		.f_ffree = stat.ffree,
		.f_fsid = { (s32)sb->s_fsid, (s32)(sb->s_fsid >> 32) },
		.f_namelen = NAME_MAX,
		.f_flags = statfs_flags(sb),
	};
	return copy_to_user(user, &out, sizeof(out)) ? -EFAULT : 0;
}

long sys_statfs(const char __user *pathname, struct kernel_statfs __user *buf)
{
	struct dentry *dentry;
	long ret = find(AT_FDCWD, pathname, 0, &dentry);

	if (ret)
		return ret;
	ret = put_statfs(dentry, buf);
	dput(dentry);
	return ret;
}

long sys_fstatfs(unsigned int fd, struct kernel_statfs __user *buf)
{
	struct file *file = fget_raw(current_files(), fd);
	long ret;

	if (!file)
		return -EBADF;
	ret = put_statfs(file->f_dentry, buf);
	fput(file);
	return ret;
}
