/* SPDX-License-Identifier: MIT */
/*
 * tmpfs: files whose pages are the page cache itself (tmpfs_file.c), and names that are the dentries
 * themselves. Directories change under their i_rwsem.
 *
 * One is mounted nowhere: its files have no names, and stand behind shared anonymous memory, and what
 * memfd_create(2) makes.
 */
#include "kernel/fs/tmpfs.h"

#include "kernel/base/panic.h"
#include "kernel/base/printf.h"
#include "kernel/base/random.h"
#include "kernel/base/string.h"
#include "kernel/fs/mount.h"
#include "kernel/fs/pipe.h"
#include "kernel/fs/ramdisk.h"
#include "mm/page.h"
#include "mm/slab.h"

static struct kmem_cache *shmem_cache;

/* What an entry adds to its directory's size, as Linux's tmpfs shows it. */
#define DIRENT_SIZE 20

/* --- directories --------------------------------------------------------------------------- */

/*
 * Entries come newest first, as on Linux. A position belongs to an entry, by its d_seq, and not to
 * its place in the list: it stays right when others come and go.
 */
#define DIR_POS_LAST (1L << 62)

static loff_t dir_pos(const struct dentry *child)
{
	return DIR_POS_LAST - (loff_t)child->d_seq;
}

static int tmpfs_iterate(struct file *file, struct dir_context *ctx)
{
	struct dentry *child;

	if (!dir_emit_dots(file, ctx))
		return 0;
	/* i_rwsem keeps the list, and names, as they are. */
	list_for_each_entry(child, &file->f_dentry->d_children, d_sibling)
	{
		const struct inode *inode = child->d_inode;

		if (dir_pos(child) < ctx->pos)
			continue;
		if (!dir_emit(ctx, child->d_name, child->d_len, inode->i_ino, inode->i_mode,
			      dir_pos(child) + 1))
			break;
	}
	return 0;
}

static const struct file_operations tmpfs_dir_fops = {
	.llseek = llseek_no_end,
	.iterate = tmpfs_iterate,
	.fsync = tmpfs_fsync,
};

static int tmpfs_get_link(struct inode *inode, const struct cred_view *cred, struct link_body *body)
{
	body->text = inode->i_link;
	return 0;
}

static const struct inode_operations tmpfs_link_iops = {
	.get_link = tmpfs_get_link,
};

static const struct inode_operations tmpfs_dir_iops;

/* Takes room for one inode, or one more name of one. 0 or -ENOSPC. */
static int take_inode(struct tmpfs_sb_info *info)
{
	if (!info->max_inodes)
		return 0;
	if (atomic_long_add_return(&info->used_inodes, 1) <= (long)info->max_inodes)
		return 0;
	atomic_long_dec(&info->used_inodes);
	return -ENOSPC;
}

static void give_inode(struct tmpfs_sb_info *info)
{
	if (info->max_inodes)
		atomic_long_dec(&info->used_inodes);
}

/*
 * One more name of a file, and one less. Names count, too: each takes memory; the first has been paid for
 * with the inode. Two directories may have names for it: what counts is the step that i_nlink makes.
 * 0 or -ENOSPC
 */
static int add_name(struct inode *inode)
{
	struct tmpfs_sb_info *info = tmpfs_sb(inode->i_sb);
	u32 names = READ_ONCE(inode->i_nlink), seen;

	for (;; names = seen) {
		if (names && take_inode(info))
			return -ENOSPC;
		seen = names;
		if (__atomic_compare_exchange_n(&inode->i_nlink, &seen, names + 1, false,
						__ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return 0;
		if (names)
			give_inode(info);
	}
}

static void drop_name(struct inode *inode)
{
	if (__atomic_fetch_sub(&inode->i_nlink, 1, __ATOMIC_RELAXED) > 1)
		give_inode(tmpfs_sb(inode->i_sb));
}

/* What a regular file of `size` bytes takes. 0 or -ENOMEM. */
static int set_up_file(struct inode *inode, u64 size, u64 vm_flags)
{
	struct tmpfs_sb_info *sb = tmpfs_sb(inode->i_sb);
	struct shmem_info *info = kmem_cache_alloc(shmem_cache, GFP_KERNEL);
	int err;

	if (!info)
		return -ENOMEM;
	err = shmem_info_init(info, sb->blocks.max_blocks ? &sb->blocks : NULL, size, vm_flags);
	if (err) {
		kmem_cache_free(shmem_cache, info);
		return err;
	}
	inode->i_op = &tmpfs_file_iops;
	inode->i_fop = &tmpfs_file_fops;
	inode->i_data.a_ops = &shmem_a_ops;
	inode->i_data.shmem = info;
	i_size_write(inode, size);
	return 0;
}

/*
 * A new inode owned by `cred`, or by the directory's group where that is set-group-ID. Or
 * ERR_PTR(-ENOSPC), ERR_PTR(-ENOMEM).
 */
static struct inode *tmpfs_inode(struct super_block *sb, const struct inode *dir, umode_t mode,
				 const struct cred_view *cred)
{
	struct inode *inode;
	int err = take_inode(tmpfs_sb(sb));

	if (err)
		return ERR_PTR(err);
	inode = inode_alloc(sb, mode);
	if (!inode) {
		give_inode(tmpfs_sb(sb));
		return ERR_PTR(-ENOMEM);
	}
	inode->i_uid = cred->uid;
	inode->i_gid = cred->gid;
	if (dir)
		inode->i_flags = dir->i_flags & (FS_NODUMP_FL | FS_NOATIME_FL);
	if (dir && (dir->i_mode & S_ISGID)) {
		inode->i_gid = dir->i_gid;
		if (S_ISDIR(mode))
			inode->i_mode |= S_ISGID;
	}
	switch (mode & S_IFMT) {
	case S_IFREG:
		/* Of what has a name nobody knows how large it gets: it pays as it grows. */
		err = set_up_file(inode, 0, VM_NORESERVE);
		if (err) {
			iput(inode);
			return ERR_PTR(err);
		}
		break;
	case S_IFDIR:
		inode->i_op = &tmpfs_dir_iops;
		inode->i_fop = &tmpfs_dir_fops;
		inode->i_nlink = 2;
		i_size_write(inode, 2 * DIRENT_SIZE);
		break;
	case S_IFLNK:
		inode->i_op = &tmpfs_link_iops;
		break;
	case S_IFCHR:
		inode->i_fop = &chrdev_fops;
		break;
	case S_IFBLK:
		inode->i_fop = &blkdev_fops;
		break;
	case S_IFIFO:
		inode->i_fop = &fifo_fops;
		break;
	}
	return inode;
}

static void dir_changed(struct inode *dir, int entries)
{
	i_size_write(dir, i_size_read(dir) + (u64)(entries * DIRENT_SIZE));
	dir->i_mtime = dir->i_ctime = current_time();
}

/* Gives a name its new inode and puts it into the tree. */
static void enter(struct inode *dir, struct dentry *dentry, struct inode *inode)
{
	d_instantiate(dentry, inode);
	d_add(dentry);
	dir_changed(dir, 1);
}

static int tmpfs_mknod(struct inode *dir, struct dentry *dentry, umode_t mode, u64 rdev,
		       const struct cred_view *cred)
{
	struct inode *inode = tmpfs_inode(dir->i_sb, dir, mode, cred);

	if (IS_ERR(inode))
		return (int)PTR_ERR(inode);
	inode->i_rdev = rdev;
	enter(dir, dentry, inode);
	return 0;
}

static int tmpfs_create(struct inode *dir, struct dentry *dentry, umode_t mode,
			const struct cred_view *cred)
{
	return tmpfs_mknod(dir, dentry, mode, 0, cred);
}

static int tmpfs_tmpfile(struct inode *dir, struct dentry *dentry, umode_t mode,
			 const struct cred_view *cred)
{
	struct inode *inode = tmpfs_inode(dir->i_sb, dir, mode, cred);

	if (IS_ERR(inode))
		return (int)PTR_ERR(inode);
	inode->i_nlink = 0;
	d_instantiate(dentry, inode);
	return 0;
}

static int tmpfs_mkdir(struct inode *dir, struct dentry *dentry, umode_t mode,
		       const struct cred_view *cred)
{
	int err = tmpfs_mknod(dir, dentry, mode, 0, cred);

	if (!err)
		dir->i_nlink++; /* the child's ".." */
	return err;
}

static int tmpfs_symlink(struct inode *dir, struct dentry *dentry, const char *target,
			 const struct cred_view *cred)
{
	struct inode *inode = tmpfs_inode(dir->i_sb, dir, S_IFLNK | S_IRWXUGO, cred);

	if (IS_ERR(inode))
		return (int)PTR_ERR(inode);
	inode->i_link = kstrdup(target, GFP_KERNEL);
	if (!inode->i_link) {
		iput(inode);
		return -ENOMEM;
	}
	i_size_write(inode, strlen(target));
	enter(dir, dentry, inode);
	return 0;
}

static int tmpfs_link(struct inode *inode, struct inode *dir, struct dentry *dentry)
{
	int err = add_name(inode);

	if (err)
		return err;
	ihold(inode);
	inode->i_ctime = current_time();
	enter(dir, dentry, inode);
	return 0;
}

/* What the end of a name, which has been checked to be allowed, means for its file and directory. */
static void end_name(struct inode *dir, const struct dentry *dentry)
{
	struct inode *inode = dentry->d_inode;

	inode->i_ctime = current_time();
	if (S_ISDIR(inode->i_mode)) {
		inode->i_dead = true;
		inode->i_nlink = 0;
		dir->i_nlink--;
	} else {
		drop_name(inode);
	}
	dir_changed(dir, -1);
}

static int tmpfs_unlink(struct inode *dir, struct dentry *dentry)
{
	end_name(dir, dentry);
	d_delete(dentry);
	return 0;
}

/* => also i_rwsem of the directory that goes */
static int tmpfs_rmdir(struct inode *dir, struct dentry *dentry)
{
	if (!list_empty(&dentry->d_children))
		return -ENOTEMPTY;
	return tmpfs_unlink(dir, dentry);
}

/* A directory has gone from one to the other: its ".." counts there. */
static void move_link(struct inode *from, struct inode *to)
{
	from->i_nlink--;
	to->i_nlink++;
}

static int tmpfs_rename(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
			struct dentry *to, struct dentry *victim, const struct cred_view *whiteout)
{
	if (victim && !list_empty(&victim->d_children))
		return -ENOTEMPTY;
	if (whiteout) {
		struct inode *inode = tmpfs_inode(old_dir->i_sb, old_dir, S_IFCHR, whiteout);

		if (IS_ERR(inode))
			return (int)PTR_ERR(inode);
		d_instantiate(to, inode);
	}
	if (victim)
		end_name(new_dir, victim);
	d_move(old, to, victim);
	dir_changed(old_dir, whiteout ? 0 : -1);
	dir_changed(new_dir, 1);
	if (d_is_dir(old))
		move_link(old_dir, new_dir);
	old->d_inode->i_ctime = current_time();
	return 0;
}

static int tmpfs_exchange(struct inode *a_dir, struct dentry *a, struct inode *b_dir,
			  struct dentry *b)
{
	if (d_is_dir(a) && !d_is_dir(b))
		move_link(a_dir, b_dir);
	else if (d_is_dir(b) && !d_is_dir(a))
		move_link(b_dir, a_dir);
	d_exchange(a, b);
	dir_changed(a_dir, 0);
	dir_changed(b_dir, 0);
	a->d_inode->i_ctime = b->d_inode->i_ctime = current_time();
	return 0;
}

static const struct inode_operations tmpfs_dir_iops = {
	.create = tmpfs_create,
	.tmpfile = tmpfs_tmpfile,
	.mkdir = tmpfs_mkdir,
	.mknod = tmpfs_mknod,
	.symlink = tmpfs_symlink,
	.link = tmpfs_link,
	.unlink = tmpfs_unlink,
	.rmdir = tmpfs_rmdir,
	.rename = tmpfs_rename,
	.exchange = tmpfs_exchange,
};

/* --- the file system ----------------------------------------------------------------------- */

static void tmpfs_evict(struct inode *inode)
{
	struct shmem_info *info = inode->i_data.shmem;

	if (S_ISLNK(inode->i_mode))
		kfree(inode->i_link);
	if (info) {
		shmem_info_destroy(info);
		kmem_cache_free(shmem_cache, info);
	}
	give_inode(tmpfs_sb(inode->i_sb));
}

/* What has no limit shows no size, as on Linux. */
static void tmpfs_statfs(const struct super_block *sb, struct kstatfs *stat)
{
	const struct tmpfs_sb_info *info = tmpfs_sb(sb);

	stat->blocks = info->blocks.max_blocks;
	if (stat->blocks)
		stat->bfree = stat->blocks - (u64)atomic_long_read(&info->blocks.used_blocks);
	stat->files = info->max_inodes;
	if (stat->files)
		stat->ffree = stat->files - (u64)atomic_long_read(&info->used_inodes);
}

static void tmpfs_put_super(struct super_block *sb)
{
	kfree(sb->s_fs_info);
}

static const struct super_operations tmpfs_sops = {
	.evict = tmpfs_evict,
	.statfs = tmpfs_statfs,
	.put_super = tmpfs_put_super,
	.show_options = tmpfs_show_options,
	.remount = tmpfs_remount,
};

/* One without a root, or NULL. */
static struct super_block *alloc_super(const char *type, const struct tmpfs_options *options)
{
	struct tmpfs_sb_info *info = kzalloc(sizeof(*info), GFP_KERNEL);
	struct super_block *sb = info ? super_alloc(type, TMPFS_MAGIC, &tmpfs_sops) : NULL;

	if (!sb) {
		kfree(info);
		return NULL;
	}
	info->blocks.max_blocks = options->max_blocks;
	info->max_inodes = options->max_inodes;
	info->mode = options->mode;
	info->uid = options->uid;
	info->gid = options->gid;
	sb->s_fs_info = info;
	sb->s_has_flags = true;
	sb->s_fsid = get_random_u64();
	return sb;
}

struct super_block *tmpfs_super_with(const char *type, const struct tmpfs_options *options)
{
	struct super_block *sb = alloc_super(type, options);
	struct inode *inode;

	if (!sb)
		return NULL;
	inode = tmpfs_inode(sb, NULL, S_IFDIR | options->mode, &kernel_cred);
	if (IS_ERR(inode))
		goto free_sb;
	inode->i_uid = options->uid;
	inode->i_gid = options->gid;
	sb->s_root = d_alloc_root(sb, inode);
	if (!sb->s_root)
		goto free_inode;
	return sb;
free_inode:
	iput(inode);
free_sb:
	super_free(sb);
	return NULL;
}

struct super_block *tmpfs_super(const char *type, umode_t mode)
{
	/* By default half of memory, and as many files as that has pages. */
	const struct tmpfs_options options = {
		.max_blocks = totalram_pages() / 2,
		.max_inodes = totalram_pages() / 2,
		.mode = mode,
	};

	return tmpfs_super_with(type, &options);
}

/* --- files without names ------------------------------------------------------------------- */

static struct super_block *shm_sb;

/* A dentry of shm_sb's, shown as "/NAME (deleted)", for a new inode; or an ERR_PTR. */
static struct dentry *shm_dentry(const char *name, u64 size, u64 vm_flags,
				 const struct cred_view *cred)
{
	size_t len = strlen(name) + sizeof("/ (deleted)");
	char *shown = kmalloc(len, GFP_KERNEL);
	struct inode *inode;
	struct dentry *dentry;
	int err = -ENOMEM;

	if (!shown)
		return ERR_PTR(-ENOMEM);
	dentry = d_alloc(NULL, shown, (size_t)scnprintf(shown, len, "/%s (deleted)", name));
	kfree(shown);
	inode = dentry ? inode_alloc(shm_sb, S_IFREG | S_IRWXUGO) : NULL;
	if (!inode)
		goto fail;
	dentry->d_sb = shm_sb;
	d_instantiate(dentry, inode);
	inode->i_uid = cred->uid;
	inode->i_gid = cred->gid;
	inode->i_nlink = 0;
	err = set_up_file(inode, size, vm_flags);
	if (!err)
		return dentry;
fail:
	dput(dentry);
	return ERR_PTR(err);
}

struct file *tmpfs_file_setup(const char *name, u64 size, u64 vm_flags, unsigned int flags)
{
	const struct cred_view cred = vfs_current_cred();
	struct dentry *dentry;
	struct file *file;
	int err;

	if (size > (u64)MAX_FILE_SIZE)
		return ERR_PTR(-EINVAL);
	dentry = shm_dentry(name, size, vm_flags, &cred);
	if (IS_ERR(dentry))
		return ERR_PTR(PTR_ERR(dentry));
	file = file_alloc(O_RDWR | flags, &cred);
	if (!IS_ERR(file)) {
		/* It isn't counted as a writer, so that a program in it can be run. */
		file->f_mode |= FMODE_NOCOUNT;
		err = file_bind(file, dentry);
		if (err) {
			fput(file);
			file = ERR_PTR(err);
		}
	}
	dput(dentry);
	return file;
}

static struct vm_file *shm_file_setup(const char *name, u64 size, u64 vm_flags)
{
	struct file *file = tmpfs_file_setup(name, size, vm_flags, 0);

	return IS_ERR(file) ? ERR_PTR(PTR_ERR(file)) : &file->vm_file;
}

static const struct shmem_ops tmpfs_shmem_ops = { .file_setup = shm_file_setup };

void tmpfs_init(void)
{
	shmem_cache = kmem_cache_create("shmem_info", sizeof(struct shmem_info), 0);
	shm_sb = alloc_super("tmpfs", &(struct tmpfs_options){ 0 });
	if (!shm_sb)
		panic("no memory for tmpfs");
	shm_sb->s_pseudo = true;
	shmem_ops = &tmpfs_shmem_ops;
}
