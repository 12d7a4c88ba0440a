/* SPDX-License-Identifier: MIT */
/* From a path to a dentry, and the changes of the name space by path. */
#ifndef KERNEL_FS_NAMEI_H
#define KERNEL_FS_NAMEI_H

#include "kernel/fs/vfs.h"

/* From where a path is resolved, and for whom. */
struct lookup_at {
	struct fs_context *fs;
	struct cred_view cred;
	struct dentry *dir; /* where relative paths begin; NULL: the current directory */
};

#define LOOKUP_FOLLOW	 BIT(0) /* a symbolic link at the end stands for what it points at */
#define LOOKUP_DIRECTORY BIT(1) /* -ENOTDIR for anything else */

/*
 * All functions below return 0 or -errno, with Linux's choice among several that apply. Paths are
 * terminated, shorter than PATH_MAX, in kernel memory; the empty path is -ENOENT. May sleep.
 */
int path_lookup(const struct lookup_at *at, const char *path, unsigned int flags,
		struct dentry **result);
/*
 * Opens (and with O_CREAT makes) a file; `mode` before the umask. An ERR_PTR on failure.
 * `flags` are those of open(2); unknown ones are ignored, as open(2) does.
 */
struct file *path_open(const struct lookup_at *at, const char *path, unsigned int flags,
		       umode_t mode);
int path_mkdir(const struct lookup_at *at, const char *path, umode_t mode);
int path_mknod(const struct lookup_at *at, const char *path, umode_t mode, u64 rdev);
int path_symlink(const struct lookup_at *at, const char *target, const char *path);
int path_unlink(const struct lookup_at *at, const char *path);
int path_rmdir(const struct lookup_at *at, const char *path);
/* A new name for what `dentry` is; for link(2) and an archive's hard links. */
int path_link(struct dentry *dentry, const struct lookup_at *at, const char *path);
/* Whether the directory of the path's last name can be reached and searched. */
int path_check_parent(const struct lookup_at *at, const char *path);
/* flags: RENAME_*; RENAME_EXCHANGE goes alone */
int path_rename(const struct lookup_at *from, const char *old, const struct lookup_at *to,
		const char *new, unsigned int flags);
/*
 * What a symbolic link says: its length, cut to `size`, without a terminator. -EINVAL when it is
 * none, or what the link itself says.
 */
ssize_t dentry_readlink(const struct dentry *dentry, const struct cred_view *cred, char *buf,
			size_t size);
int path_truncate(const struct lookup_at *at, const char *path, loff_t size);

/*
 * For exec: opens a program that may be run, and keeps others from writing to it until it is closed. The
 * empty path means at->dir. ERR_PTR: -ENOENT, -EACCES, -ETXTBSY..., -ELOOP also for a symbolic link unless
 * `follow`.
 */
struct file *open_exec_at(const struct lookup_at *at, const char *path, bool follow);
/* Opens with the kernel's own rights. */
struct file *filp_open(struct fs_context *fs, const char *path, unsigned int flags, umode_t mode);

/* --- the walk itself, for open.c and namespace.c ------------------------------------------- */

#define MAXSYMLINKS 40

enum last_type {
	LAST_NONE, /* the path has no (further) name: "/" */
	LAST_NORM,
	LAST_DOT,
	LAST_DOTDOT,
};

/*
 * Text that is still to be walked. Following a symbolic link puts its text in front of what is
 * left of the path, as another piece on this stack.
 */
struct path_piece {
	const char *rest;
	struct dentry *link; /* keeps the text alive */
	char *owned;	     /* or this is it */
};

struct path_walk {
	const struct lookup_at *at;
	struct dentry *root, *dir; /* referenced */
	const char *name;	   /* the name looked at, in dir; not terminated */
	size_t len;
	enum last_type type;
	bool more;  /* other names follow it */
	bool slash; /* or at least a slash: it must be a directory */
	unsigned int links;
	unsigned int depth;
	struct path_piece pieces[MAXSYMLINKS + 1];
};

/* Every walk that began is ended, whatever happened between. */
int walk_begin(struct path_walk *w, const struct lookup_at *at, const char *path);
void walk_end(struct path_walk *w);
/* Goes on to the last name: w->dir is the directory it lies in, and may be searched. */
int walk_to_last(struct path_walk *w);
/*
 * Goes into the name looked at. 1 when it was a symbolic link that was followed: walk on; 0 when
 * w->dir is now what the name stood for.
 */
int walk_step(struct path_walk *w, bool follow);
/* The same for a dentry found by the caller, whose reference it takes over. */
int walk_into(struct path_walk *w, struct dentry *dentry, bool follow);
/* The entry of that name, referenced, or ERR_PTR (-ENOENT, -ENAMETOOLONG...). */
struct dentry *lookup_child(struct dentry *dir, const char *name, size_t len);

/* The common first half of making something in a directory. => its i_rwsem held for writing */
struct dentry *prepare_create(struct dentry *dir, const char *name, size_t len,
			      const struct cred_view *cred);

#endif
