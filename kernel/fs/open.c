/* SPDX-License-Identifier: MIT */
/* open(2): which flags mean what, what may be opened, and what is made on the way. */
#include "kernel/base/string.h"
#include "kernel/fs/namei.h"

#define O_PATH_FLAGS (O_DIRECTORY | O_NOFOLLOW | O_PATH)
/* What F_GETFL may show; O_CLOEXEC belongs to the descriptor. */
#define O_KNOWN_FLAGS                                                                         \
	(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | FASYNC | \
	 O_DIRECT | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_SYNC | O_PATH |    \
	 O_TMPFILE_BIT)

struct open_request {
	const struct lookup_at *at;
	unsigned int flags; /* O_* */
	umode_t mode;
	unsigned int access; /* MAY_*: what the file itself must grant */
	bool for_exec;
	bool created;
};

static unsigned int access_of(unsigned int flags)
{
	static const u8 access[] = { MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE,
				     MAY_READ | MAY_WRITE };

	if (flags & O_PATH)
		return 0;
	return access[flags & O_ACCMODE] | (flags & O_TRUNC ? MAY_WRITE : 0);
}

struct dentry *prepare_create(struct dentry *dir, const char *name, size_t len,
			      const struct cred_view *cred)
{
	struct inode *inode = dir->d_inode;
	struct dentry *dentry;
	int err;

	if (inode->i_dead)
		return ERR_PTR(-ENOENT);
	err = inode_permission(inode, cred, MAY_WRITE | MAY_EXEC);
	if (err)
		return ERR_PTR(err);
	dentry = d_alloc(dir, name, len);
	return dentry ? dentry : ERR_PTR(-ENOMEM);
}

/* The last name of an open with O_CREAT: what is there, or a new file. */
static struct dentry *lookup_or_create(struct path_walk *w, struct open_request *req)
{
	struct dentry *dir = w->dir, *dentry;
	struct inode *inode = dir->d_inode;
	int err = -EACCES;

	down_write(&inode->i_rwsem);
	dentry = lookup_child(dir, w->name, w->len);
	if (!IS_ERR(dentry) || PTR_ERR(dentry) != -ENOENT)
		goto out;
	dentry = prepare_create(dir, w->name, w->len, &req->at->cred);
	if (IS_ERR(dentry))
		goto out;
	if (inode->i_op->create)
		err = inode->i_op->create(
			inode, dentry, S_IFREG | (req->mode & ~req->at->fs->umask), &req->at->cred);
	if (err) {
		dput(dentry);
		dentry = ERR_PTR(err);
	} else {
		req->created = true;
	}
out:
	up_write(&inode->i_rwsem);
	return dentry;
}

/* The last name of the path, or of a link that it is. 1: walk on. */
static int open_last(struct path_walk *w, struct open_request *req)
{
	bool follow = !(req->flags & O_NOFOLLOW) &&
		      (req->flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
	struct dentry *dentry;

	if (!(req->flags & O_CREAT) || w->type != LAST_NORM)
		return walk_step(w, follow || (w->slash && !(req->flags & O_CREAT)));
	if (w->slash)
		return -EISDIR;
	dentry = lookup_or_create(w, req);
	if (IS_ERR(dentry))
		return (int)PTR_ERR(dentry);
	return walk_into(w, dentry, follow);
}

/* Whether the inode is of a kind, and has permissions, that allow this opening. */
static int may_open(const struct inode *inode, const struct open_request *req)
{
	int err;

	switch (inode->i_mode & S_IFMT) {
	case S_IFLNK:
		return -ELOOP;
	case S_IFDIR:
		if (req->access & MAY_WRITE)
			return -EISDIR;
		if (req->for_exec)
			return -EACCES;
		break;
	case S_IFSOCK:
		return -ENXIO;
	case S_IFCHR:
	case S_IFBLK:
		if (inode->i_sb->s_nodev || req->for_exec)
			return -EACCES;
		break;
	default:
		if (req->for_exec && (!S_ISREG(inode->i_mode) || inode->i_sb->s_noexec))
			return -EACCES;
	}
	err = inode_permission(inode, &req->at->cred, req->access);
	if (!err && inode_forbids(inode, FS_APPEND_FL) &&
	    (((req->flags & O_ACCMODE) != O_RDONLY && !(req->flags & O_APPEND)) ||
	     (req->flags & O_TRUNC)))
		err = -EPERM;
	if (!err && (req->flags & O_NOATIME) && !inode_owner(inode, &req->at->cred))
		err = -EPERM;
	return err;
}

/* O_TMPFILE: a new file in the directory w->dir, without a name there. */
static int make_tmpfile(struct path_walk *w, struct open_request *req)
{
	struct inode *dir = w->dir->d_inode;
	struct dentry *dentry;
	int err = -EOPNOTSUPP;

	down_write(&dir->i_rwsem);
	dentry = prepare_create(w->dir, "", 0, &req->at->cred);
	up_write(&dir->i_rwsem);
	if (IS_ERR(dentry))
		return (int)PTR_ERR(dentry);
	if (dir->i_op && dir->i_op->tmpfile)
		err = dir->i_op->tmpfile(dir, dentry, S_IFREG | (req->mode & ~req->at->fs->umask),
					 &req->at->cred);
	if (err) {
		dput(dentry);
		return err;
	}
	d_name_tmpfile(dentry);
	dentry->d_inode->i_linkable = !(req->flags & O_EXCL);
	dput(w->dir);
	w->dir = dentry;
	req->created = true;
	return 0;
}

/* What is checked once the walk is at the end, in Linux's order. */
static int check_found(const struct path_walk *w, const struct open_request *req)
{
	const struct dentry *dentry = w->dir;

	if (req->flags & O_TMPFILE_BIT)
		return d_is_dir(dentry) ? 0 : -ENOTDIR;
	if (req->flags & O_CREAT) {
		if ((req->flags & O_EXCL) && !req->created)
			return -EEXIST;
		if (d_is_dir(dentry))
			return -EISDIR;
	}
	if (((req->flags & O_DIRECTORY) || w->slash) && !d_is_dir(dentry))
		return -ENOTDIR;
	if ((req->flags & O_PATH) || req->created)
		return 0;
	return may_open(dentry->d_inode, req);
}

static int open_walk(struct path_walk *w, struct open_request *req, struct file *file)
{
	bool truncate;
	int err;

	do {
		err = walk_to_last(w);
		if (err)
			return err;
		if (w->type == LAST_NONE)
			break;
		err = open_last(w, req);
		if (err < 0)
			return err;
	} while (err);
	err = check_found(w, req);
	if (!err && (req->flags & O_TMPFILE_BIT))
		err = make_tmpfile(w, req);
	if (err)
		return err;
	truncate = (req->flags & O_TRUNC) && !req->created && S_ISREG(w->dir->d_inode->i_mode);
	/* The count of writers first: a running program is not cut. */
	if (truncate) {
		err = get_write_access(w->dir->d_inode);
		if (err)
			return err;
	}
	err = file_bind(file, w->dir);
	if (truncate) {
		if (!err)
			err = vfs_truncate(w->dir->d_inode, 0);
		put_write_access(w->dir->d_inode);
	}
	return err;
}

static struct file *do_open(const char *path, struct open_request *req)
{
	struct path_walk walk;
	struct file *file;
	int err;

	file = file_alloc(req->flags, &req->at->cred);
	if (IS_ERR(file))
		return file;
	if (req->for_exec)
		file->f_mode |= FMODE_EXEC;
	err = walk_begin(&walk, req->at, path);
	if (!err)
		err = open_walk(&walk, req, file);
	walk_end(&walk);
	if (err) {
		fput(file);
		return ERR_PTR(err);
	}
	return file;
}

struct file *path_open(const struct lookup_at *at, const char *path, unsigned int flags,
		       umode_t mode)
{
	struct open_request req = { .at = at,
				    .flags = flags & O_KNOWN_FLAGS,
				    .mode = mode & S_IALLUGO };

	if (flags & O_PATH)
		req.flags &= O_PATH_FLAGS;
	else if ((flags & O_TMPFILE_BIT) &&
		 ((flags & (O_TMPFILE | O_CREAT)) != O_TMPFILE || !(flags & O_ACCMODE)))
		return ERR_PTR(-EINVAL);
	req.access = access_of(req.flags);
	return do_open(path, &req);
}

/* Opens what the empty path stands for: the dentry itself. */
static struct file *open_itself(struct open_request *req)
{
	struct dentry *dentry = req->at->dir ? dget(req->at->dir) : fs_get_cwd(req->at->fs);
	struct file *file = file_alloc(req->flags, &req->at->cred);
	int err = IS_ERR(file) ? (int)PTR_ERR(file) : may_open(dentry->d_inode, req);

	if (!err) {
		file->f_mode |= FMODE_EXEC;
		err = file_bind(file, dentry);
	}
	dput(dentry);
	if (!err)
		return file;
	if (!IS_ERR(file))
		fput(file);
	return ERR_PTR(err);
}

struct file *open_exec_at(const struct lookup_at *at, const char *path, bool follow)
{
	struct open_request req = {
		.at = at, .access = MAY_EXEC, .for_exec = true, .flags = follow ? 0 : O_NOFOLLOW
	};
	struct file *file = *path ? do_open(path, &req) : open_itself(&req);
	int err;

	if (IS_ERR(file))
		return file;
	err = deny_write_access(file);
	if (err) {
		fput(file);
		return ERR_PTR(err);
	}
	return file;
}

struct file *filp_open(struct fs_context *fs, const char *path, unsigned int flags, umode_t mode)
{
	const struct lookup_at at = { .fs = fs, .cred = kernel_cred };

	return path_open(&at, path, flags, mode);
}
