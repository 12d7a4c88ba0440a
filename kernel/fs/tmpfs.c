/* SPDX-License-Identifier: MIT */
/*
 * tmpfs: files whose pages are the page cache itself, and names that are the dentries themselves.
 *
 * Sizes and contents change under the file's i_rwsem, directories under theirs. Reading takes no
 * lock: it looks at the size for each page anew, and a page of the cache can't be freed while it
 * is copied from, because find_get_page() gives a reference.
 */
#include "kernel/base/string.h"
#include "kernel/fs/pipe.h"
#include "kernel/fs/ramdisk.h"
#include "kernel/sched/sched.h"
#include "mm/filemap.h"
#include "kernel/sched/sched.h"
#include "mm/page.h"
#include "mm/slab.h"

/* What an entry adds to its directory's size, as Linux's tmpfs shows it. */
#define DIRENT_SIZE 20

/* --- contents of files --------------------------------------------------------------------- */

static ssize_t tmpfs_read_iter(struct file *file, struct io_iter *to, loff_t *pos)
{
	struct inode *inode = file->f_inode;
	size_t wanted = to->count, done = 0;

	for (; done < wanted; cond_resched()) {
		u64 at = (u64)*pos + done, size = i_size_read(inode);
		size_t offset = at & (PAGE_SIZE - 1), n, got;
		struct page *page;

		if (at >= size)
			break;
		n = min(PAGE_SIZE - offset, min(wanted - done, (size_t)(size - at)));
		page = find_get_page(&inode->i_data, at >> PAGE_SHIFT);
		if (page) {
			got = copy_to_iter((char *)page_address(page) + offset, n, to);
			put_page(page);
		} else {
			got = zero_iter(n, to); /* a hole stays one */
		}
		done += got;
		if (got < n) {
			if (!done)
				return -EFAULT;
			break;
		}
	}
	if (!(file->f_flags & O_NOATIME))
		touch_atime(inode);
	*pos += (loff_t)done;
	return (ssize_t)done;
}

/*
 * The page at `index`, made if need be, with a reference; ERR_PTR: -ENOSPC, -ENOMEM. All files
 * together may fill half of the memory, as Linux has it for each tmpfs.
 */
static struct page *tmpfs_get_page(struct inode *inode, unsigned long index)
{
	struct page *page = find_get_page(&inode->i_data, index);

	if (page)
		return page;
	if ((unsigned long)atomic_long_read(&nr_file_pages) >= totalram_pages() / 2)
		return ERR_PTR(-ENOSPC);
	return read_cache_page(&inode->i_data, index);
}

/* Copies into one page of the cache; the bytes copied, or -errno. => i_rwsem held for writing */
static ssize_t write_page(struct inode *inode, struct io_iter *from, u64 at, size_t n)
{
	struct page *page = tmpfs_get_page(inode, at >> PAGE_SHIFT);
	size_t got;

	if (IS_ERR(page))
		return PTR_ERR(page);
	got = copy_from_iter((char *)page_address(page) + (at & (PAGE_SIZE - 1)), n, from);
	if (got) {
		page_set_flag(page, PG_dirty);
		if (at + got > i_size_read(inode))
			i_size_write(inode, at + got);
	}
	put_page(page);
	return got ? (ssize_t)got : -EFAULT;
}

static ssize_t tmpfs_write_iter(struct file *file, struct io_iter *from, loff_t *pos)
{
	struct inode *inode = file->f_inode;
	size_t wanted, done = 0;
	ssize_t got = 0;

	down_write(&inode->i_rwsem);
	if (file->f_flags & O_APPEND)
		*pos = (loff_t)i_size_read(inode);
	wanted = from->count;
	if (wanted)
		got = limit_write((u64)*pos, &wanted);
	if (got) {
		up_write(&inode->i_rwsem);
		return got;
	}
	for (; done < wanted; cond_resched()) {
		u64 at = (u64)*pos + done;
		size_t n = min(PAGE_SIZE - (at & (PAGE_SIZE - 1)), wanted - done);

		got = write_page(inode, from, at, n);
		if (got > 0)
			done += (size_t)got;
		if (got < (ssize_t)n)
			break;
	}
	if (done) {
		inode->i_mtime = inode->i_ctime = current_time();
		inode_remove_privs(inode, &file->f_cred);
	}
	up_write(&inode->i_rwsem);
	*pos += (loff_t)done;
	return done ? (ssize_t)done : min(got, (ssize_t)0);
}

static loff_t tmpfs_llseek(struct file *file, loff_t offset, int whence)
{
	return generic_llseek(file, offset, whence, i_size_read(file->f_inode), MAX_FILE_SIZE);
}

static int tmpfs_mmap(struct file *file, struct vm_area_struct *vma)
{
	touch_atime(file->f_inode);
	return generic_file_mmap(&file->vm_file, vma);
}

static int tmpfs_truncate(struct inode *inode, u64 size)
{
	u64 old = i_size_read(inode);

	/* The size first, so that a fault meanwhile brings no page back. */
	i_size_write(inode, size);
	if (size <= old) /* also what fallocate() put behind the end */
		truncate_pagecache(&inode->i_data, size);
	inode->i_mtime = inode->i_ctime = current_time();
	return 0;
}

/*
 * Brings in all pages of a range. What was made before memory ran out stays, and is zeros: it
 * shows in nothing but the number of blocks. => i_rwsem held for writing
 */
static int tmpfs_fill(struct inode *inode, u64 from, u64 to)
{
	for (u64 at = ALIGN_DOWN(from, PAGE_SIZE); at < to; at += PAGE_SIZE) {
		struct page *page = tmpfs_get_page(inode, at >> PAGE_SHIFT);

		if (IS_ERR(page))
			return -ENOSPC;
		put_page(page);
		if (sched_kill_pending())
			return -EINTR;
	}
	return 0;
}

static int tmpfs_fallocate(struct file *file, unsigned int mode, loff_t offset, loff_t len)
{
	struct inode *inode = file->f_inode;
	u64 from = (u64)offset, to = from + (u64)len, size;
	int err = 0;

	down_write(&inode->i_rwsem);
	size = i_size_read(inode);
	if (mode & FALLOC_FL_PUNCH_HOLE)
		punch_pagecache(&inode->i_data, from, to);
	else if ((ALIGN_UP(to, PAGE_SIZE) - ALIGN_DOWN(from, PAGE_SIZE)) >> PAGE_SHIFT >
		 totalram_pages() / 2)
		err = -ENOSPC;
	else
		err = tmpfs_fill(inode, from, to);
	if (!err && !(mode & FALLOC_FL_KEEP_SIZE) && to > size)
		i_size_write(inode, to);
	if (!err) {
		inode->i_ctime = inode->i_mtime = current_time();
		inode_remove_privs(inode, &file->f_cred);
	}
	up_write(&inode->i_rwsem);
	return err;
}

/* Nothing is behind what is in memory. */
static int tmpfs_fsync(struct file *file)
{
	return 0;
}

static const struct file_operations tmpfs_file_fops = {
	.llseek = tmpfs_llseek,
	.read_iter = tmpfs_read_iter,
	.write_iter = tmpfs_write_iter,
	.mmap = tmpfs_mmap,
	.fallocate = tmpfs_fallocate,
	.fsync = tmpfs_fsync,
};

static const struct inode_operations tmpfs_file_iops = {
	.truncate = tmpfs_truncate,
};

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

/* A new inode owned by `cred`, or by the directory's group where that is set-group-ID. */
static struct inode *tmpfs_inode(struct super_block *sb, const struct inode *dir, umode_t mode,
				 const struct cred_view *cred)
{
	struct inode *inode = inode_alloc(sb, mode);

	if (!inode)
		return NULL;
	inode->i_uid = cred->uid;
	inode->i_gid = cred->gid;
	if (dir && (dir->i_mode & S_ISGID)) {
		inode->i_gid = dir->i_gid;
		if (S_ISDIR(mode))
			inode->i_mode |= S_ISGID;
	}
	switch (mode & S_IFMT) {
	case S_IFREG:
		inode->i_op = &tmpfs_file_iops;
		inode->i_fop = &tmpfs_file_fops;
		inode->i_data.shmem = true;
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

	if (!inode)
		return -ENOMEM;
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

	if (!inode)
		return -ENOMEM;
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

	if (!inode)
		return -ENOMEM;
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
	ihold(inode);
	__atomic_fetch_add(&inode->i_nlink, 1, __ATOMIC_RELAXED);
	inode->i_ctime = current_time();
	enter(dir, dentry, inode);
	return 0;
}

/* Takes a name out of its directory, which has been checked to be allowed. */
static void leave(struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = dentry->d_inode;

	inode->i_ctime = current_time();
	if (S_ISDIR(inode->i_mode)) {
		inode->i_dead = true;
		inode->i_nlink = 0;
		dir->i_nlink--;
	} else {
		__atomic_fetch_sub(&inode->i_nlink, 1, __ATOMIC_RELAXED);
	}
	dir_changed(dir, -1);
	d_delete(dentry);
}

static int tmpfs_unlink(struct inode *dir, struct dentry *dentry)
{
	leave(dir, dentry);
	return 0;
}

/* => also i_rwsem of the directory that goes */
static int tmpfs_rmdir(struct inode *dir, struct dentry *dentry)
{
	if (!list_empty(&dentry->d_children))
		return -ENOTEMPTY;
	leave(dir, dentry);
	return 0;
}

static int tmpfs_rename(struct inode *old_dir, struct dentry *old, struct inode *new_dir,
			struct dentry *to, struct dentry *victim)
{
	if (victim && !list_empty(&victim->d_children))
		return -ENOTEMPTY;
	if (victim)
		leave(new_dir, victim);
	d_move(old, to);
	dir_changed(old_dir, -1);
	dir_changed(new_dir, 1);
	if (d_is_dir(old)) {
		old_dir->i_nlink--;
		new_dir->i_nlink++;
	}
	old->d_inode->i_ctime = current_time();
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
};

/* --- the file system ----------------------------------------------------------------------- */

static void tmpfs_evict(struct inode *inode)
{
	if (S_ISLNK(inode->i_mode))
		kfree(inode->i_link);
}

static const struct super_operations tmpfs_sops = {
	.evict = tmpfs_evict,
};

struct super_block *tmpfs_super(const char *type)
{
	struct super_block *sb = super_alloc(type, TMPFS_MAGIC, &tmpfs_sops);
	struct inode *inode;

	if (!sb)
		return NULL;
	inode = tmpfs_inode(sb, NULL, S_IFDIR | 0755, &kernel_cred);
	if (!inode)
		goto free_sb;
	sb->s_root = d_alloc_root(sb, inode);
	if (!sb->s_root)
		goto free_inode;
	return sb;
free_inode:
	iput(inode);
free_sb:
	kfree(sb);
	return NULL;
}
