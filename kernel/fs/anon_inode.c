/* SPDX-License-Identifier: MIT */
#include "kernel/fs/anon_inode.h"

#include "kernel/base/panic.h"
#include "kernel/base/printf.h"

#define ANON_INODE_FS_MAGIC 0x09041934

static struct super_block *anon_sb;
static struct inode *anon_inode;

/* A name of its own for each opening, since it says what the file is. */
static struct dentry *anon_dentry(const char *name)
{
	char text[DNAME_INLINE];
	int len = scnprintf(text, sizeof(text), "anon_inode:%s", name);
	struct dentry *dentry = d_alloc(NULL, text, (size_t)len);

	if (!dentry)
		return NULL;
	dentry->d_sb = anon_sb;
	ihold(anon_inode);
	d_instantiate(dentry, anon_inode);
	return dentry;
}

struct file *anon_inode_getfile(const char *name, const struct file_operations *fops, void *private,
				unsigned int flags, const struct cred_view *cred)
{
	struct file *file = file_alloc(flags, cred);
	struct dentry *dentry;

	if (IS_ERR(file))
		return file;
	dentry = anon_dentry(name);
	if (!dentry) {
		fput(file);
		return ERR_PTR(-ENOMEM);
	}
	file_bind_ops(file, dentry, fops);
	file->private_data = private;
	dput(dentry);
	return file;
}

/* The inode has no operations: who opens it by /proc/self/fd gets -ENXIO, as in Linux. */
void anon_inode_init(void)
{
	anon_sb = super_alloc("anon_inodefs", ANON_INODE_FS_MAGIC, NULL);
	anon_inode = anon_sb ? inode_alloc(anon_sb, 0600) : NULL;
	if (!anon_inode)
		panic("no memory for anonymous inodes");
	anon_sb->s_pseudo = true;
}
