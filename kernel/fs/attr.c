/* SPDX-License-Identifier: MIT */
/* Changing a file's mode, owner and times: chmod(2), chown(2), utimensat(2), capabilities(7). */
#include "kernel/fs/vfs.h"

int vfs_chmod(struct inode *inode, umode_t mode, const struct cred_view *cred)
{
	int err = -EPERM;

	if (inode_is_rdonly(inode))
		return -EROFS;
	down_write(&inode->i_rwsem);
	if (!inode_owner(inode, cred) || inode->i_sb->s_fixed_attrs ||
	    inode_forbids(inode, FS_APPEND_FL | FS_IMMUTABLE_FL))
		goto out;
	mode &= S_IALLUGO;
	/* Who isn't in the group may not lend out its rights. */
	if (!cred_in_group(cred, inode->i_gid) && !cred_capable(cred, CAP_FSETID))
		mode &= ~S_ISGID;
	inode->i_mode = (inode->i_mode & ~S_IALLUGO) | mode;
	inode->i_ctime = current_time();
	err = 0;
out:
	up_write(&inode->i_rwsem);
	return err;
}

/* Whether a chown takes set-group-ID away: where it means what its name says, or from strangers. */
static bool drops_sgid(const struct inode *inode, const struct cred_view *cred)
{
	if (!(inode->i_mode & S_ISGID))
		return false;
	return (inode->i_mode & S_IXGRP) ||
	       (!cred_in_group(cred, inode->i_gid) && !cred_capable(cred, CAP_FSETID));
}

static bool may_chown(const struct inode *inode, u32 uid, u32 gid, const struct cred_view *cred)
{
	bool owner = cred->uid == inode->i_uid;

	if (cred_capable(cred, CAP_CHOWN))
		return true;
	if (uid != KEEP_ID && (!owner || uid != inode->i_uid))
		return false;
	return gid == KEEP_ID || (owner && (gid == inode->i_gid || cred_in_group(cred, gid)));
}

int vfs_chown(struct inode *inode, u32 uid, u32 gid, const struct cred_view *cred)
{
	umode_t drop = 0;
	int err = -EPERM;

	if (inode_is_rdonly(inode))
		return -EROFS;
	down_write(&inode->i_rwsem);
	if (!S_ISDIR(inode->i_mode))
		drop = (inode->i_mode & S_ISUID) | (drops_sgid(inode, cred) ? S_ISGID : 0);
	/* Dropping them changes the mode, which is the owner's affair. */
	if (!may_chown(inode, uid, gid, cred) || (drop && !inode_owner(inode, cred)) ||
	    inode->i_sb->s_fixed_attrs || inode_forbids(inode, FS_APPEND_FL | FS_IMMUTABLE_FL))
		goto out;
	inode->i_mode &= ~drop;
	if (uid != KEEP_ID)
		inode->i_uid = uid;
	if (gid != KEEP_ID)
		inode->i_gid = gid;
	inode->i_ctime = current_time();
	err = 0;
out:
	up_write(&inode->i_rwsem);
	return err;
}

int vfs_utimes(struct inode *inode, const struct file_times *times, const struct cred_view *cred)
{
	s64 now = current_time();
	int err = 0;

	if (inode_is_rdonly(inode))
		return -EROFS;
	down_write(&inode->i_rwsem);
	/* Setting the present time is open to all who might write. */
	if (inode_forbids(inode, times->touch ? FS_IMMUTABLE_FL : FS_IMMUTABLE_FL | FS_APPEND_FL))
		err = -EPERM;
	else if (!inode_owner(inode, cred))
		err = times->touch ? inode_permission(inode, cred, MAY_WRITE) : -EPERM;
	if (!err && inode->i_sb->s_fixed_attrs)
		err = -EPERM;
	if (!err) {
		if (times->set_atime)
			inode->i_atime = times->atime_now ? now : times->atime;
		if (times->set_mtime)
			inode->i_mtime = times->mtime_now ? now : times->mtime;
		inode->i_ctime = now;
	}
	up_write(&inode->i_rwsem);
	return err;
}

/* --- flags --------------------------------------------------------------------------------- */

#define USER_FLAGS  ((u32)(FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NODUMP_FL | FS_NOATIME_FL))
#define ADMIN_FLAGS ((u32)(FS_IMMUTABLE_FL | FS_APPEND_FL))

int vfs_get_flags(const struct inode *inode)
{
	return inode_has_flags(inode) ? (int)READ_ONCE(inode->i_flags) : -ENOTTY;
}

int vfs_set_flags(struct inode *inode, u32 flags, const struct cred_view *cred)
{
	int err = 0;

	if (inode_is_rdonly(inode))
		return -EROFS;
	if (!inode_has_flags(inode))
		return -ENOTTY;
	if (!inode_owner(inode, cred))
		return -EPERM;
	down_write(&inode->i_rwsem);
	if (((flags ^ inode->i_flags) & ADMIN_FLAGS) && !cred_capable(cred, CAP_LINUX_IMMUTABLE))
		err = -EPERM;
	else if (flags & ~USER_FLAGS)
		err = -EOPNOTSUPP;
	if (!err) {
		WRITE_ONCE(inode->i_flags, flags);
		WRITE_ONCE(inode->i_data.append_only, flags & FS_APPEND_FL);
		inode->i_ctime = current_time();
	}
	up_write(&inode->i_rwsem);
	return err;
}
