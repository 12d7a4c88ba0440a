/* SPDX-License-Identifier: MIT */
/*
 * Path resolution: path_resolution(7).
 *
 * No lock is held between two names. Each step finds the child under dcache_lock and takes a
 * reference, so what is found stays, though another program may move or remove it meanwhile.
 */
#include "kernel/abi/mount.h"
#include "kernel/base/string.h"
#include "kernel/fs/namei.h"
#include "mm/slab.h"

static void push_piece(struct path_walk *w, const char *text, struct dentry *link, char *owned)
{
	/* Bounded by MAXSYMLINKS and the path itself. */
	BUG_ON(w->depth >= ARRAY_SIZE(w->pieces));
	w->pieces[w->depth++] = (struct path_piece){ text, link, owned };
}

static void pop_piece(struct path_walk *w)
{
	struct path_piece *piece = &w->pieces[--w->depth];

	dput(piece->link);
	kfree(piece->owned);
}

int walk_begin(struct path_walk *w, const struct lookup_at *at, const char *path)
{
	struct fs_context *fs = at->fs;

	w->at = at;
	w->links = 0;
	w->depth = 0;
	w->type = LAST_NONE;
	w->more = w->slash = false;
	spin_lock(&fs->lock);
	w->root = dget(fs->root);
	if (path[0] == '/')
		w->dir = dget(fs->root);
	else
		w->dir = dget(at->dir ? at->dir : fs->cwd);
	spin_unlock(&fs->lock);
	push_piece(w, path, NULL, NULL);
	return path[0] ? 0 : -ENOENT;
}

void walk_end(struct path_walk *w)
{
	while (w->depth)
		pop_piece(w);
	dput(w->dir);
	dput(w->root);
}

static const char *skip_slashes(const char *s)
{
	while (*s == '/')
		s++;
	return s;
}

/* Whether anything but slashes follows the name just taken, in any piece; sets more and slash. */
static void look_ahead(struct path_walk *w)
{
	w->more = w->slash = false;
	for (unsigned int i = w->depth; i-- > 0 && !w->more;) {
		const char *rest = w->pieces[i].rest;

		w->slash |= *rest == '/';
		w->more = *skip_slashes(rest) != '\0';
	}
}

/* Takes the next name off the path; false at its end. */
static bool next_name(struct path_walk *w)
{
	struct path_piece *top;

	for (;;) {
		if (!w->depth)
			return false;
		top = &w->pieces[w->depth - 1];
		top->rest = skip_slashes(top->rest);
		if (*top->rest)
			break;
		pop_piece(w);
	}
	w->name = top->rest;
	w->len = strcspn(w->name, "/");
	top->rest += w->len;
	if (w->name[0] != '.' || w->len > 2)
		w->type = LAST_NORM;
	else if (w->len == 1)
		w->type = LAST_DOT;
	else
		w->type = w->name[1] == '.' ? LAST_DOTDOT : LAST_NORM;
	look_ahead(w);
	return true;
}

struct dentry *lookup_child(struct dentry *dir, const char *name, size_t len)
{
	struct inode *inode = dir->d_inode;
	struct dentry *child;
	int err;

	if (inode->i_dead)
		return ERR_PTR(-ENOENT);
	if (len > NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	if (!inode->i_op || !inode->i_op->lookup) {
		child = d_lookup(dir, name, len);
		return child ? child : ERR_PTR(-ENOENT);
	}
	child = d_alloc(dir, name, len);
	if (!child)
		return ERR_PTR(-ENOMEM);
	err = inode->i_op->lookup(inode, child);
	if (err) {
		dput(child);
		return ERR_PTR(err);
	}
	return child;
}

/*
 * Linux's rule of fs.protected_symlinks, which distributions turn on: at the end of a path, a link
 * that somebody else left in a directory like /tmp is not followed.
 */
static bool may_follow(const struct path_walk *w, const struct inode *link)
{
	const struct inode *dir = w->dir->d_inode;
	umode_t shared = S_ISVTX | 0002;

	return w->more || link->i_uid == w->at->cred.uid || (dir->i_mode & shared) != shared ||
	       link->i_uid == dir->i_uid;
}

/* Puts a link's text in front of what is left. Takes over the reference on `link`. */
static int follow_link(struct path_walk *w, struct dentry *link)
{
	struct link_body body = { 0 };
	int err = -ELOOP;

	if (++w->links > MAXSYMLINKS)
		goto out;
	if (link->d_sb->s_flags & MS_NOSYMFOLLOW)
		goto out;
	err = -EACCES;
	if (!may_follow(w, link->d_inode))
		goto out;
	err = link->d_inode->i_op->get_link(link->d_inode, &w->at->cred, &body);
	if (err)
		goto out;
	if (body.follow_err) {
		err = body.follow_err;
		dput(body.jump);
		kfree(body.owned);
		goto out;
	}
	touch_atime(link->d_inode);
	if (body.jump) {
		dput(w->dir);
		w->dir = body.jump;
		goto out;
	}
	if (body.text[0] == '/') {
		dput(w->dir);
		w->dir = dget(w->root);
	}
	push_piece(w, body.text, link, body.owned);
	return 1;
out:
	dput(link);
	return err;
}

int walk_into(struct path_walk *w, struct dentry *dentry, bool follow)
{
	dentry = d_cross_mounts(dentry);
	if (follow && S_ISLNK(dentry->d_inode->i_mode))
		return follow_link(w, dentry);
	dput(w->dir);
	w->dir = dentry;
	return 0;
}

int walk_step(struct path_walk *w, bool follow)
{
	struct dentry *child;

	if (w->type == LAST_DOT)
		return 0;
	if (w->type == LAST_DOTDOT) {
		w->dir = d_up(w->dir, w->root);
		return 0;
	}
	child = lookup_child(w->dir, w->name, w->len);
	if (IS_ERR(child))
		return (int)PTR_ERR(child);
	return walk_into(w, child, follow);
}

int walk_to_last(struct path_walk *w)
{
	int err;

	for (;;) {
		if (!next_name(w)) {
			w->type = LAST_NONE;
			w->more = w->slash = false;
			return 0;
		}
		if (!d_is_dir(w->dir))
			return -ENOTDIR;
		err = inode_permission(w->dir->d_inode, &w->at->cred, MAY_EXEC);
		if (err || !w->more)
			return err;
		err = walk_step(w, true);
		if (err < 0)
			return err;
	}
}

int path_lookup(const struct lookup_at *at, const char *path, unsigned int flags,
		struct dentry **result)
{
	struct path_walk walk;
	int err;

	err = walk_begin(&walk, at, path);
	while (!err) {
		err = walk_to_last(&walk);
		if (err || walk.type == LAST_NONE)
			break;
		err = walk_step(&walk, (flags & LOOKUP_FOLLOW) || walk.slash);
		if (err <= 0)
			break;
		err = 0;
	}
	if (!err && ((flags & LOOKUP_DIRECTORY) || walk.slash) && !d_is_dir(walk.dir))
		err = -ENOTDIR;
	if (!err)
		*result = dget(walk.dir);
	walk_end(&walk);
	return err;
}

int path_check_parent(const struct lookup_at *at, const char *path)
{
	struct path_walk walk;
	int err = walk_begin(&walk, at, path);

	if (!err)
		err = walk_to_last(&walk);
	walk_end(&walk);
	return err;
}

ssize_t dentry_readlink(const struct dentry *dentry, const struct cred_view *cred, char *buf,
			size_t size)
{
	struct inode *inode = dentry->d_inode;
	struct link_body body = { 0 };
	const char *text;
	ssize_t len;
	int err;

	if (!S_ISLNK(inode->i_mode))
		return -EINVAL;
	err = inode->i_op->get_link(inode, cred, &body);
	if (err)
		return err;
	text = body.jump ? d_path(body.jump, buf, size) : body.text;
	if (IS_ERR(text)) {
		len = PTR_ERR(text);
	} else {
		len = (ssize_t)min(strlen(text), size);
		memmove(buf, text, (size_t)len);
		touch_atime(inode);
	}
	dput(body.jump);
	kfree(body.owned);
	return len;
}
