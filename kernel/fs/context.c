/* SPDX-License-Identifier: MIT */
/*
 * A process's place in the tree: its root, its current directory, its umask.
 *
 * fs->lock protects the two pointers; who needs one takes a reference under it. The umask is one
 * word, read and written whole.
 */
#include "kernel/base/panic.h"
#include "kernel/fs/vfs.h"
#include "mm/slab.h"

static struct fs_context kernel_fs = {
	.count = { 1 },
	.lock = SPINLOCK_INIT,
};

struct fs_context *kernel_fs_context(void)
{
	return &kernel_fs;
}

static struct fs_context *context_alloc(struct dentry *root, struct dentry *cwd, umode_t umask)
{
	struct fs_context *fs = kzalloc(sizeof(*fs), GFP_KERNEL);

	if (!fs) {
		dput(cwd);
		dput(root);
		return NULL;
	}
	atomic_set(&fs->count, 1);
	spin_lock_init(&fs->lock);
	fs->root = root;
	fs->cwd = cwd;
	fs->umask = umask;
	return fs;
}

struct fs_context *fs_context_alloc(void)
{
	return context_alloc(root_dentry(), root_dentry(), 022);
}

struct fs_context *fs_context_copy(struct fs_context *old)
{
	struct dentry *root, *cwd;

	spin_lock(&old->lock);
	root = dget(old->root);
	cwd = dget(old->cwd);
	spin_unlock(&old->lock);
	return context_alloc(root, cwd, READ_ONCE(old->umask));
}

void fs_context_put(struct fs_context *fs)
{
	if (!fs || !atomic_dec_and_test(&fs->count))
		return;
	BUG_ON(fs == &kernel_fs);
	dput(fs->cwd);
	dput(fs->root);
	kfree(fs);
}

static struct dentry *get_place(struct fs_context *fs, struct dentry *const *place)
{
	struct dentry *dentry;

	spin_lock(&fs->lock);
	dentry = dget(*place);
	spin_unlock(&fs->lock);
	return dentry;
}

static void set_place(struct fs_context *fs, struct dentry **place, struct dentry *dentry)
{
	struct dentry *old;

	dget(dentry);
	spin_lock(&fs->lock);
	old = *place;
	*place = dentry;
	spin_unlock(&fs->lock);
	dput(old);
}

struct dentry *fs_get_cwd(struct fs_context *fs)
{
	return get_place(fs, &fs->cwd);
}

void fs_set_cwd(struct fs_context *fs, struct dentry *dentry)
{
	set_place(fs, &fs->cwd, dentry);
}

struct dentry *fs_get_root(struct fs_context *fs)
{
	return get_place(fs, &fs->root);
}

void fs_set_root(struct fs_context *fs, struct dentry *dentry)
{
	set_place(fs, &fs->root, dentry);
}
