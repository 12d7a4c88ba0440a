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
#define ATIME_FLAGS (MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME)
#define MOUNT_FLAGS (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOSYMFOLLOW | ATIME_FLAGS)
#define PROPAGATION (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)

/* --- new ones ------------------------------------------------------------------------------ */

/* Whether it is the root of what is mounted: not of what has no tree, nor of what was. => mount_lock() */
static bool is_mount_root(const struct dentry *dentry)
{
	return dentry == dentry->d_sb->s_root && super_mounted(dentry->d_sb);
}

static void set_flags(struct super_block *sb, unsigned long flags)
{
	if (flags & MS_STRICTATIME)
		flags &= ~(unsigned long)(MS_NOATIME | MS_RELATIME);
	else if (flags & MS_NOATIME)
		flags &= ~(unsigned long)MS_RELATIME;
	else
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

/* Whether that directory's name stays when nobody uses it: else a mount there couldn't be found. */
static bool keeps_name(struct dentry *where)
{
	struct dentry *parent = dget_parent(where);
	bool keeps = parent == where || !parent->d_inode->i_op->lookup;

	dput(parent);
	return keeps;
}

/* Mounts it on the topmost of what is at `where`, whose reference is taken over. */
static int attach(struct super_block *sb, struct dentry *where)
{
	int err = 0;

	mount_lock();
	where = d_cross_mounts(where);
	if (!super_mounted(where->d_sb))
		err = -EINVAL;
	else if (!d_is_dir(where))
		err = -ENOTDIR;
	else if (!keeps_name(where))
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

/* => mount_lock(). All of it or nothing. */
static int change_flags(struct super_block *sb, unsigned long flags, char *data)
{
	const bool was_rdonly = sb->s_rdonly;
	int err = 0;

	/* Of times it keeps what was said, if nothing is said. */
	if (!(flags & ATIME_FLAGS))
		flags |= sb->s_flags & ATIME_FLAGS;
	if ((flags & MS_RDONLY) && !was_rdonly)
		err = make_rdonly(sb);
	if (!err && !(flags & MS_BIND) && sb->s_op->remount)
		err = sb->s_op->remount(sb, data);
	if (!err)
		set_flags(sb, flags);
	WRITE_ONCE(sb->s_rdonly, err ? was_rdonly : !!(flags & MS_RDONLY));
	return err;
}

static int remount(struct dentry *where, unsigned long flags, char *data)
{
	int err = -EINVAL;

	mount_lock();
	if (is_mount_root(where))
		err = change_flags(where->d_sb, flags, data);
	mount_unlock();
	return err;
}

/* Every mount is private: one name space is all there is. */
static int change_propagation(const struct dentry *where, unsigned long flags)
{
	int err;

	mount_lock();
	err = is_mount_root(where) && (flags & PROPAGATION) == MS_PRIVATE ? 0 : -EINVAL;
	mount_unlock();
	return err;
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
	else if (!is_mount_root(root))
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
	dcache_reap(NULL); /* what was mounted in it, too */
	return err;
}
