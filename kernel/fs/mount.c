/* SPDX-License-Identifier: MIT */
/*
 * Mounting and unmounting file systems while programs run. A file system here is mounted at one place at
 * most: the mount and the file system are one, and its flags are the mount's.
 */
#include "kernel/fs/mount.h"

#include "kernel/base/string.h"
#include "mm/page.h"
#include "mm/slab.h"

/* What a mount is known by. */
#define ATIME_FLAGS (MS_NOATIME | MS_NODIRATIME | MS_RELATIME)
#define MOUNT_FLAGS (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOSYMFOLLOW | ATIME_FLAGS)
#define PROPAGATION (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)

/* --- new ones ------------------------------------------------------------------------------ */

static void set_flags(struct super_block *sb, unsigned long flags)
{
	if (!(flags & (MS_NOATIME | MS_STRICTATIME)))
		flags |= MS_RELATIME;
	sb->s_flags = (u32)flags & MOUNT_FLAGS;
	sb->s_nosuid = flags & MS_NOSUID;
	sb->s_nodev = flags & MS_NODEV;
	sb->s_noexec = flags & MS_NOEXEC;
}

/* A file system of that type with a root; or ERR_PTR. */
static struct super_block *make_super(const char *type, char *data, const struct lookup_at *at)
{
	struct tmpfs_options options = {
		.max_blocks = totalram_pages() / 2,
		.max_inodes = totalram_pages() / 2,
		.mode = S_ISVTX | S_IRWXUGO,
		.uid = at->cred.uid,
		.gid = at->cred.gid,
	};
	struct super_block *sb;

	if (strcmp(type, "proc") == 0) {
		if (data && data[0])
			return ERR_PTR(-EINVAL);
		sb = proc_super();
	} else if (strcmp(type, "tmpfs") == 0) {
		int err = tmpfs_parse_options(&options, data);

		if (err)
			return ERR_PTR(err);
		sb = tmpfs_super_with("tmpfs", &options);
	} else {
		return ERR_PTR(-ENODEV);
	}
	return sb ? sb : ERR_PTR(-ENOMEM);
}

/* Whether names in that directory stay when nobody uses them: else a mount there couldn't be found. */
static bool keeps_names(const struct dentry *where)
{
	const struct inode *inode = where->d_inode;

	return d_is_root(where) || !inode->i_op || !where->d_parent->d_inode->i_op->lookup;
}

/* Mounts it on the topmost of what is at `where`, whose reference is taken over. */
static int attach(struct super_block *sb, struct dentry *where)
{
	int err = 0;

	mount_lock();
	where = d_cross_mounts(where);
	if (!d_is_dir(where))
		err = -ENOTDIR;
	else if (!keeps_names(where))
		err = -EINVAL;
	if (!err) {
		/* rmdir(2) looks for a mount with this held. */
		down_write(&where->d_inode->i_rwsem);
		if (where->d_inode->i_dead)
			err = -ENOENT;
		else
			dcache_mount(sb, dget(where));
		up_write(&where->d_inode->i_rwsem);
	}
	mount_unlock();
	dput(where);
	return err;
}

static int mount_new(const struct lookup_at *at, struct dentry *where, const char *source,
		     const char *type, unsigned long flags, char *data)
{
	struct super_block *sb;
	int err;

	if (!type)
		return -EINVAL;
	sb = make_super(type, data, at);
	if (IS_ERR(sb))
		return (int)PTR_ERR(sb);
	sb->s_source = kstrdup(source ? source : "none", GFP_KERNEL);
	set_flags(sb, flags);
	sb->s_rdonly = flags & MS_RDONLY;
	err = sb->s_source ? attach(sb, dget(where)) : -ENOMEM;
	if (err) {
		dput(sb->s_root);
		super_free(sb);
	}
	return err;
}

/* --- changes ------------------------------------------------------------------------------- */

/* No more writing, if nobody does: 0 or -EBUSY. */
static int make_rdonly(struct super_block *sb)
{
	__atomic_store_n(&sb->s_rdonly, true, __ATOMIC_SEQ_CST);
	if (!atomic_read(&sb->s_writers))
		return 0;
	sb->s_rdonly = false;
	return -EBUSY;
}

static int remount(struct dentry *where, unsigned long flags, char *data)
{
	struct super_block *sb = where->d_sb;
	int err = 0;

	if (!d_is_root(where))
		return -EINVAL;
	/* Of times it keeps what was said, if nothing is said. */
	if (!(flags & (ATIME_FLAGS | MS_STRICTATIME)))
		flags |= sb->s_flags & ATIME_FLAGS;
	mount_lock();
	if (!(flags & MS_BIND) && sb->s_op->remount)
		err = sb->s_op->remount(sb, data);
	if (!err && (flags & MS_RDONLY) && !sb->s_rdonly)
		err = make_rdonly(sb);
	if (!err) {
		set_flags(sb, flags);
		if (!(flags & MS_RDONLY))
			sb->s_rdonly = false;
	}
	mount_unlock();
	return err;
}

/* Every mount is private: one name space is all there is. */
static int change_propagation(const struct dentry *where, unsigned long flags)
{
	return d_is_root(where) && (flags & PROPAGATION) == MS_PRIVATE ? 0 : -EINVAL;
}

int path_mount(const struct lookup_at *at, const char *source, const char *path, const char *type,
	       unsigned long flags, char *data)
{
	struct dentry *where;
	int err;

	err = path_lookup(at, path, LOOKUP_FOLLOW, &where);
	if (err)
		return err;
	if ((flags & MS_MGC_MSK) == MS_MGC_VAL)
		flags &= ~(unsigned long)MS_MGC_MSK;
	if (flags & MS_NOUSER)
		err = -EINVAL;
	else if (!cred_capable(&at->cred, CAP_SYS_ADMIN))
		err = -EPERM;
	else if (flags & MS_REMOUNT)
		err = remount(where, flags, data);
	else if (flags & (MS_BIND | MS_MOVE))
		err = -EINVAL;
	else if (flags & PROPAGATION)
		err = change_propagation(where, flags);
	else
		err = mount_new(at, where, source, type, flags, data);
	dput(where);
	return err;
}

/* --- the end ------------------------------------------------------------------------------- */

int path_umount(const struct lookup_at *at, const char *path, int flags)
{
	struct dentry *root;
	int err;

	if (flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW))
		return -EINVAL;
	err = path_lookup(at, path, flags & UMOUNT_NOFOLLOW ? 0 : LOOKUP_FOLLOW, &root);
	if (err)
		return err;
	mount_lock();
	if (!cred_capable(&at->cred, CAP_SYS_ADMIN))
		err = -EPERM;
	else if (!d_is_root(root) || root->d_sb->s_detached)
		err = -EINVAL;
	else if ((flags & MNT_EXPIRE) &&
		 ((flags & (MNT_FORCE | MNT_DETACH)) || !root->d_sb->s_covered))
		err = -EINVAL;
	else if (!root->d_sb->s_covered) /* the root of everything stays */
		err = -EBUSY;
	else
		err = flags & MNT_EXPIRE ? dcache_expire(root) : 0;
	if (!err)
		err = dcache_umount(root, flags & MNT_DETACH);
	mount_unlock();
	dput(root);
	return err;
}
