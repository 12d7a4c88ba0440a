/* SPDX-License-Identifier: MIT */
/*
 * Making, removing and moving names: mkdir(2), unlink(2), rename(2) and their kin.
 *
 * Each change happens with the i_rwsem of the directory held for writing; rmdir and rename also
 * take that of a directory that goes away, so that nothing is being made in it. A rename between
 * two directories holds rename_mutex first: which of them lies above the other can't change then.
 */
#include "kernel/base/string.h"
#include "kernel/fs/namei.h"

static struct mutex rename_mutex = MUTEX_INIT(rename_mutex);

/* Where something is to be made: the directory locked, and a dentry without inode for it. */
struct creation {
	struct path_walk walk;
	struct inode *dir;
	struct dentry *dentry;
};

/* Whether the walk's last name is still free. 0, or -EEXIST and others. => dir locked */
static int check_free(const struct path_walk *w, bool is_dir)
{
	struct dentry *dentry = lookup_child(w->dir, w->name, w->len);

	if (!IS_ERR(dentry)) {
		dput(dentry);
		return -EEXIST;
	}
	if (PTR_ERR(dentry) != -ENOENT)
		return (int)PTR_ERR(dentry);
	/* "name/" can only become a directory. */
	if (w->slash && !is_dir)
		return -ENOENT;
	return w->dir->d_sb->s_rdonly ? -EROFS : 0;
}

/* Finds and locks the directory of a name that is free. To be followed by creation_end(). */
static int creation_find(struct creation *c, const struct lookup_at *at, const char *path,
			 bool is_dir)
{
	int err;

	c->dentry = NULL;
	c->dir = NULL;
	err = walk_begin(&c->walk, at, path);
	if (!err)
		err = walk_to_last(&c->walk);
	if (err)
		return err;
	if (c->walk.type != LAST_NORM)
		return -EEXIST;
	c->dir = c->walk.dir->d_inode;
	down_write(&c->dir->i_rwsem);
	return check_free(&c->walk, is_dir);
}

/* Checks permission, and makes the dentry. */
static int creation_prepare(struct creation *c)
{
	const struct path_walk *w = &c->walk;
	struct dentry *dentry = prepare_create(w->dir, w->name, w->len, &w->at->cred);

	if (IS_ERR(dentry))
		return (int)PTR_ERR(dentry);
	c->dentry = dentry;
	return 0;
}

static int creation_begin(struct creation *c, const struct lookup_at *at, const char *path,
			  bool is_dir)
{
	int err = creation_find(c, at, path, is_dir);

	return err ? err : creation_prepare(c);
}

static void creation_end(struct creation *c)
{
	dput(c->dentry);
	if (c->dir)
		up_write(&c->dir->i_rwsem);
	walk_end(&c->walk);
}

int path_mkdir(const struct lookup_at *at, const char *path, umode_t mode)
{
	struct creation c;
	int err = creation_begin(&c, at, path, true);

	mode &= ~at->fs->umask & (S_IRWXUGO | S_ISVTX);
	if (!err)
		err = c.dir->i_op->mkdir ?
			      c.dir->i_op->mkdir(c.dir, c.dentry, S_IFDIR | mode, &at->cred) :
			      -EPERM;
	creation_end(&c);
	return err;
}

int path_mknod(const struct lookup_at *at, const char *path, umode_t mode, u64 rdev)
{
	bool device = S_ISCHR(mode) || S_ISBLK(mode);
	struct creation c;
	int err;

	err = creation_begin(&c, at, path, false);
	mode &= ~at->fs->umask;
	/* The character device 0:0 opens nothing: anybody may make one. */
	if (!err && device && !cred_capable(&at->cred, CAP_MKNOD) && !(S_ISCHR(mode) && !rdev))
		err = -EPERM;
	if (!err)
		err = c.dir->i_op->mknod ? c.dir->i_op->mknod(c.dir, c.dentry, mode,
							      device ? rdev : 0, &at->cred) :
					   -EPERM;
	creation_end(&c);
	return err;
}

int path_symlink(const struct lookup_at *at, const char *target, const char *path)
{
	struct creation c;
	int err;

	if (!target[0])
		return -ENOENT;
	err = creation_begin(&c, at, path, false);
	if (!err)
		err = c.dir->i_op->symlink ?
			      c.dir->i_op->symlink(c.dir, c.dentry, target, &at->cred) :
			      -EPERM;
	creation_end(&c);
	return err;
}

/*
 * Linux's rule of fs.protected_hardlinks, which distributions turn on: a name for somebody else's
 * file could keep it from being replaced, so it must be one that the caller can write anyway.
 */
static bool may_link_to(const struct inode *inode, const struct cred_view *cred)
{
	if (inode_owner(inode, cred))
		return true;
	if (!S_ISREG(inode->i_mode) || (inode->i_mode & S_ISUID) ||
	    (inode->i_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		return false;
	return !inode_permission(inode, cred, MAY_READ | MAY_WRITE);
}

int path_link(struct dentry *dentry, const struct lookup_at *at, const char *path)
{
	struct inode *inode = dentry->d_inode;
	struct creation c;
	int err = creation_find(&c, at, path, false);

	if (err)
		goto out;
	err = -EXDEV;
	if (inode->i_sb != c.dir->i_sb)
		goto out;
	err = -EPERM;
	if (!may_link_to(inode, &at->cred))
		goto out;
	err = creation_prepare(&c);
	if (err)
		goto out;
	err = -EPERM;
	if (inode_forbids(inode, FS_APPEND_FL | FS_IMMUTABLE_FL) || !c.dir->i_op->link ||
	    S_ISDIR(inode->i_mode))
		goto out;
	/* A file whose last name has gone can't have one again. */
	err = -ENOENT;
	if (!READ_ONCE(inode->i_nlink) && !inode->i_linkable)
		goto out;
	err = c.dir->i_op->link(inode, c.dir, c.dentry);
out:
	creation_end(&c);
	return err;
}

/* Whether `cred` may take the entry away from its directory. => dir locked */
static int may_delete(const struct inode *dir, const struct dentry *victim, bool is_dir,
		      const struct cred_view *cred)
{
	int err = inode_permission(dir, cred, MAY_WRITE | MAY_EXEC);

	if (err)
		return err;
	if (inode_forbids(dir, FS_APPEND_FL) ||
	    inode_forbids(victim->d_inode, FS_APPEND_FL | FS_IMMUTABLE_FL))
		return -EPERM;
	if ((dir->i_mode & S_ISVTX) && !cred_capable(cred, CAP_FOWNER) && cred->uid != dir->i_uid &&
	    cred->uid != victim->d_inode->i_uid)
		return -EPERM;
	if (is_dir != d_is_dir(victim))
		return is_dir ? -ENOTDIR : -EISDIR;
	return dir->i_dead ? -ENOENT : 0;
}

/* unlink of the walk's last name. => its directory locked; *victim keeps the file to the end */
static int unlink_last(struct path_walk *w, struct dentry **victim)
{
	struct inode *dir = w->dir->d_inode;
	struct dentry *dentry = lookup_child(w->dir, w->name, w->len);
	int err;

	if (IS_ERR(dentry))
		return (int)PTR_ERR(dentry);
	*victim = dentry;
	if (w->slash)
		return d_is_dir(dentry) ? -EISDIR : -ENOTDIR;
	err = may_delete(dir, dentry, false, &w->at->cred);
	if (err)
		return err;
	if (!dir->i_op->unlink)
		return -EPERM;
	return dentry->d_mounted ? -EBUSY : dir->i_op->unlink(dir, dentry);
}

int path_unlink(const struct lookup_at *at, const char *path)
{
	struct dentry *victim = NULL;
	struct path_walk walk;
	struct inode *dir;
	int err;

	err = walk_begin(&walk, at, path);
	if (!err)
		err = walk_to_last(&walk);
	if (!err && walk.type != LAST_NORM)
		err = -EISDIR;
	if (!err && walk.dir->d_sb->s_rdonly)
		err = -EROFS;
	if (!err) {
		dir = walk.dir->d_inode;
		down_write(&dir->i_rwsem);
		err = unlink_last(&walk, &victim);
		up_write(&dir->i_rwsem);
	}
	/* Freeing a large file is no reason to keep others out of the directory. */
	dput(victim);
	walk_end(&walk);
	return err;
}

/* => the directory locked */
static int rmdir_last(struct path_walk *w)
{
	struct inode *dir = w->dir->d_inode, *inode;
	struct dentry *dentry = lookup_child(w->dir, w->name, w->len);
	int err;

	if (IS_ERR(dentry))
		return (int)PTR_ERR(dentry);
	inode = dentry->d_inode;
	err = may_delete(dir, dentry, true, &w->at->cred);
	if (!err && !dir->i_op->rmdir)
		err = -EPERM;
	if (!err) {
		down_write_nested(&inode->i_rwsem, I_RWSEM_GONE);
		err = dentry->d_mounted ? -EBUSY : dir->i_op->rmdir(dir, dentry);
		up_write(&inode->i_rwsem);
	}
	dput(dentry);
	return err;
}

int path_rmdir(const struct lookup_at *at, const char *path)
{
	static const int no_name[] = {
		[LAST_NONE] = -EBUSY, [LAST_NORM] = 0, [LAST_DOT] = -EINVAL, [LAST_DOTDOT] = -ENOTEMPTY
	};
	struct path_walk walk;
	struct inode *dir;
	int err;

	err = walk_begin(&walk, at, path);
	if (!err)
		err = walk_to_last(&walk);
	if (!err)
		err = no_name[walk.type];
	if (!err && walk.dir->d_sb->s_rdonly)
		err = -EROFS;
	if (!err) {
		dir = walk.dir->d_inode;
		down_write(&dir->i_rwsem);
		err = rmdir_last(&walk);
		up_write(&dir->i_rwsem);
	}
	walk_end(&walk);
	return err;
}

/* --- rename -------------------------------------------------------------------------------- */

struct renaming {
	struct path_walk from, to;
	struct dentry *old;    /* what moves */
	struct dentry *victim; /* what has the new name now, or NULL */
	struct dentry *fresh;  /* carries the new name and parent */
};

static void lock_two(struct dentry *a, struct dentry *b)
{
	if (a == b) {
		down_write(&a->d_inode->i_rwsem);
		return;
	}
	mutex_lock(&rename_mutex);
	if (d_is_ancestor(b, a) || (!d_is_ancestor(a, b) && b < a)) {
		down_write(&b->d_inode->i_rwsem);
		down_write_nested(&a->d_inode->i_rwsem, I_RWSEM_SECOND);
	} else {
		down_write(&a->d_inode->i_rwsem);
		down_write_nested(&b->d_inode->i_rwsem, I_RWSEM_SECOND);
	}
}

static void unlock_two(struct dentry *a, struct dentry *b)
{
	up_write(&a->d_inode->i_rwsem);
	if (a == b)
		return;
	up_write(&b->d_inode->i_rwsem);
	mutex_unlock(&rename_mutex);
}

/* Finds both ends. => both directories locked */
static int rename_lookup(struct renaming *r, unsigned int flags)
{
	struct dentry *old, *victim;

	old = lookup_child(r->from.dir, r->from.name, r->from.len);
	if (IS_ERR(old))
		return (int)PTR_ERR(old);
	r->old = old;
	victim = lookup_child(r->to.dir, r->to.name, r->to.len);
	if (!IS_ERR(victim))
		r->victim = victim;
	else if (PTR_ERR(victim) != -ENOENT)
		return (int)PTR_ERR(victim);
	if (r->victim && (flags & RENAME_NOREPLACE))
		return -EEXIST;
	if ((flags & RENAME_EXCHANGE) && !r->victim)
		return -ENOENT;
	/* Only a directory can be meant by "name/". */
	if (r->from.slash && !d_is_dir(old))
		return -ENOTDIR;
	if (r->to.slash && !d_is_dir(flags & RENAME_EXCHANGE ? r->victim : old))
		return -ENOTDIR;
	/* A directory can't move into itself, nor replace one it lies in. */
	if (d_is_ancestor(old, r->to.dir))
		return -EINVAL;
	if (r->victim && d_is_ancestor(r->victim, r->from.dir))
		return flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	return 0;
}

/* The dentry with the new name. 0, or -errno of prepare_create(). */
static int rename_make_fresh(struct renaming *r, const struct cred_view *cred)
{
	struct dentry *fresh = prepare_create(r->to.dir, r->to.name, r->to.len, cred);

	if (IS_ERR(fresh))
		return (int)PTR_ERR(fresh);
	r->fresh = fresh;
	return 0;
}

/* Permissions, and the dentry with the new name. */
static int rename_prepare(struct renaming *r, unsigned int flags)
{
	const struct cred_view *cred = &r->from.at->cred;
	struct inode *old_dir = r->from.dir->d_inode;
	bool exchange = flags & RENAME_EXCHANGE, is_dir = d_is_dir(r->old);
	bool victim_is_dir = exchange ? d_is_dir(r->victim) : is_dir;
	int err;

	err = may_delete(old_dir, r->old, is_dir, cred);
	if (!err && r->victim)
		err = may_delete(r->to.dir->d_inode, r->victim, victim_is_dir, cred);
	if (!err && !exchange)
		err = rename_make_fresh(r, cred);
	if (!err && !old_dir->i_op->rename)
		err = -EPERM;
	/* The ".." of a directory that moves changes. */
	if (!err && r->from.dir != r->to.dir && is_dir)
		err = inode_permission(r->old->d_inode, cred, MAY_WRITE);
	if (!err && r->from.dir != r->to.dir && exchange && victim_is_dir)
		err = inode_permission(r->victim->d_inode, cred, MAY_WRITE);
	if (!err && (r->old->d_mounted || (r->victim && r->victim->d_mounted)))
		err = -EBUSY;
	return err;
}

static int rename_locked(struct renaming *r, unsigned int flags)
{
	struct inode *old_dir = r->from.dir->d_inode, *new_dir = r->to.dir->d_inode;
	struct inode *gone = NULL;
	int err = rename_lookup(r, flags);

	/* Two names of one file: nothing to do, says POSIX. */
	if (err || (r->victim && r->victim->d_inode == r->old->d_inode))
		return err;
	err = rename_prepare(r, flags);
	if (err)
		return err;
	if (flags & RENAME_EXCHANGE)
		return old_dir->i_op->exchange(old_dir, r->old, new_dir, r->victim);
	if (r->victim && d_is_dir(r->victim)) {
		gone = r->victim->d_inode;
		down_write_nested(&gone->i_rwsem, I_RWSEM_GONE);
	}
	/* Something may have been mounted there meanwhile. */
	err = gone && r->victim->d_mounted ?
		      -EBUSY :
		      old_dir->i_op->rename(old_dir, r->old, new_dir, r->fresh, r->victim,
					    flags & RENAME_WHITEOUT ? &r->from.at->cred : NULL);
	if (gone)
		up_write(&gone->i_rwsem);
	return err;
}

static int rename_walk(struct renaming *r, unsigned int flags)
{
	int err = walk_to_last(&r->from);

	if (!err)
		err = walk_to_last(&r->to);
	if (err)
		return err;
	if (r->from.dir->d_sb != r->to.dir->d_sb)
		return -EXDEV;
	if (r->from.type != LAST_NORM)
		return -EBUSY;
	if (r->to.type != LAST_NORM)
		return flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	if (r->from.dir->d_sb->s_rdonly)
		return -EROFS;
	lock_two(r->from.dir, r->to.dir);
	err = rename_locked(r, flags);
	unlock_two(r->from.dir, r->to.dir);
	return err;
}

int path_rename(const struct lookup_at *from, const char *old, const struct lookup_at *to,
		const char *new, unsigned int flags)
{
	struct renaming r;
	int err, to_err;

	r.old = r.victim = r.fresh = NULL;
	err = walk_begin(&r.from, from, old);
	to_err = walk_begin(&r.to, to, new);
	if (!err)
		err = to_err;
	if (!err)
		err = rename_walk(&r, flags);
	dput(r.fresh);
	dput(r.victim);
	dput(r.old);
	walk_end(&r.to);
	walk_end(&r.from);
	return err;
}

int path_truncate(const struct lookup_at *at, const char *path, loff_t size)
{
	struct dentry *dentry;
	struct inode *inode;
	int err;

	if (size < 0)
		return -EINVAL;
	err = path_lookup(at, path, LOOKUP_FOLLOW, &dentry);
	if (err)
		return err;
	inode = dentry->d_inode;
	if (!S_ISREG(inode->i_mode))
		err = S_ISDIR(inode->i_mode) ? -EISDIR : -EINVAL;
	if (!err)
		err = inode_permission(inode, &at->cred, MAY_WRITE);
	if (!err && inode_forbids(inode, FS_APPEND_FL))
		err = -EPERM;
	if (!err)
		err = get_write_access(inode);
	if (!err) {
		err = vfs_truncate(inode, (u64)size);
		put_write_access(inode);
	}
	dput(dentry);
	return err;
}
