/* SPDX-License-Identifier: MIT */
/* Moving bytes through an open file, seeking in it, and reading directories. */
#include "kernel/fs/vfs.h"

/* What every transfer checks first; *count is cut to what one call moves at most. */
static int check_transfer(const struct file *file, const struct io_iter *iter, const loff_t *pos)
{
	if ((ssize_t)iter->count < 0)
		return -EINVAL;
	if (*pos >= 0)
		return 0;
	if (!(file->f_mode & FMODE_UNSIGNED_OFFSET))
		return -EINVAL;
	return iter->count >= -(size_t)*pos ? -EOVERFLOW : 0;
}

ssize_t vfs_read(struct file *file, struct io_iter *to, loff_t *pos)
{
	int err;

	if (!(file->f_mode & FMODE_READ))
		return -EBADF;
	if (!file->f_op->read_iter)
		return S_ISDIR(file->f_inode->i_mode) ? -EISDIR : -EINVAL;
	err = check_transfer(file, to, pos);
	if (err)
		return err;
	to->count = min(to->count, MAX_RW_COUNT);
	return file->f_op->read_iter(file, to, pos);
}

ssize_t vfs_write(struct file *file, struct io_iter *from, loff_t *pos)
{
	int err;

	if (!(file->f_mode & FMODE_WRITE))
		return -EBADF;
	if (!file->f_op->write_iter)
		return -EINVAL;
	err = check_transfer(file, from, pos);
	if (err)
		return err;
	from->count = min(from->count, MAX_RW_COUNT);
	return file->f_op->write_iter(file, from, pos);
}

ssize_t kernel_read(struct file *file, void *buf, size_t len, loff_t pos)
{
	struct io_iter to;

	if (!file->f_op || !file->f_op->read_iter)
		return -EINVAL;
	iter_init_kernel(&to, buf, min(len, MAX_RW_COUNT));
	return file->f_op->read_iter(file, &to, &pos);
}

ssize_t kernel_write(struct file *file, const void *buf, size_t len, loff_t pos)
{
	struct io_iter from;

	if (!file->f_op || !file->f_op->write_iter)
		return -EINVAL;
	iter_init_kernel(&from, (void *)buf, min(len, MAX_RW_COUNT));
	return file->f_op->write_iter(file, &from, &pos);
}

/* --- seeking ------------------------------------------------------------------------------- */

static loff_t set_pos(struct file *file, loff_t pos, loff_t limit)
{
	if (pos < 0 || pos > limit)
		return -EINVAL;
	file->f_pos = pos;
	return pos;
}

/*
 * All of the file counts as data here, with the one hole that every file has behind its end:
 * lseek(2) allows that answer to SEEK_DATA and SEEK_HOLE.
 */
loff_t generic_llseek(struct file *file, loff_t offset, int whence, u64 size, loff_t limit)
{
	loff_t pos = offset;

	switch (whence) {
	case SEEK_SET:
		break;
	case SEEK_CUR:
		if (!offset)
			return file->f_pos;
		if (__builtin_add_overflow(file->f_pos, offset, &pos))
			return -EINVAL;
		break;
	case SEEK_END:
		if (__builtin_add_overflow((loff_t)size, offset, &pos))
			return -EINVAL;
		break;
	case SEEK_DATA:
	case SEEK_HOLE:
		if (offset < 0 || (u64)offset >= size)
			return -ENXIO;
		if (whence == SEEK_HOLE)
			pos = (loff_t)size;
		break;
	default:
		return -EINVAL;
	}
	return set_pos(file, pos, limit);
}

loff_t llseek_no_end(struct file *file, loff_t offset, int whence)
{
	if (whence != SEEK_SET && whence != SEEK_CUR)
		return -EINVAL;
	return generic_llseek(file, offset, whence, 0, MAX_FILE_SIZE);
}

loff_t vfs_llseek(struct file *file, loff_t offset, int whence)
{
	if (whence < SEEK_SET || whence > SEEK_HOLE)
		return -EINVAL;
	if ((file->f_mode & FMODE_STREAM) || !file->f_op->llseek)
		return -ESPIPE;
	return file->f_op->llseek(file, offset, whence);
}

/* --- directories --------------------------------------------------------------------------- */

bool dir_emit(struct dir_context *ctx, const char *name, size_t len, u64 ino, umode_t mode,
	      loff_t next)
{
	/* The DT_* constants are the file type's bits, shifted. */
	if (!ctx->take(ctx, name, len, ino, (mode & S_IFMT) >> 12, next))
		return false;
	ctx->pos = next;
	return true;
}

bool dir_emit_dots(struct file *file, struct dir_context *ctx)
{
	struct dentry *parent;
	u64 ino;

	if (ctx->pos == 0 && !dir_emit(ctx, ".", 1, file->f_inode->i_ino, S_IFDIR, 1))
		return false;
	if (ctx->pos == 1) {
		parent = dget_parent(file->f_dentry);
		ino = parent->d_inode->i_ino;
		dput(parent);
		return dir_emit(ctx, "..", 2, ino, S_IFDIR, 2);
	}
	return true;
}

int vfs_iterate(struct file *file, struct dir_context *ctx)
{
	struct inode *inode = file->f_inode;
	int err = -ENOENT;

	if (!file->f_op->iterate)
		return -ENOTDIR;
	down_read(&inode->i_rwsem);
	if (!inode->i_dead) {
		err = file->f_op->iterate(file, ctx);
		touch_atime(inode);
	}
	up_read(&inode->i_rwsem);
	return err;
}

int file_truncate(struct file *file, loff_t size)
{
	if (size < 0)
		return -EINVAL;
	if (!S_ISREG(file->f_inode->i_mode) || !(file->f_mode & FMODE_WRITE))
		return -EINVAL;
	if (inode_forbids(file->f_inode, FS_APPEND_FL))
		return -EPERM;
	return vfs_truncate(file->f_inode, (u64)size);
}

/* --- room --------------------------------------------------------------------------------- */

/* Which modes mean anything together, before the file is asked which it knows. */
static int check_fallocate_mode(unsigned int mode)
{
	const unsigned int alone = FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE;

	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE |
		     FALLOC_FL_UNSHARE_RANGE | alone))
		return -EOPNOTSUPP;
	/* A hole doesn't make a file longer, and one has to say that one knows. */
	if ((mode & FALLOC_FL_PUNCH_HOLE) &&
	    ((mode & FALLOC_FL_ZERO_RANGE) || !(mode & FALLOC_FL_KEEP_SIZE)))
		return -EOPNOTSUPP;
	if ((mode & alone) && (mode & (mode - 1)))
		return -EINVAL;
	if ((mode & FALLOC_FL_UNSHARE_RANGE) &&
	    (mode & ~(FALLOC_FL_UNSHARE_RANGE | FALLOC_FL_KEEP_SIZE)))
		return -EINVAL;
	return 0;
}

int vfs_fallocate(struct file *file, unsigned int mode, loff_t offset, loff_t len)
{
	umode_t type = file->f_inode->i_mode;
	int err;

	if (offset < 0 || len <= 0)
		return -EINVAL;
	err = check_fallocate_mode(mode);
	if (err)
		return err;
	if (!(file->f_mode & FMODE_WRITE))
		return -EBADF;
	if (inode_forbids(file->f_inode, FS_IMMUTABLE_FL) ||
	    ((mode & ~(unsigned int)FALLOC_FL_KEEP_SIZE) &&
	     inode_forbids(file->f_inode, FS_APPEND_FL)))
		return -EPERM;
	if (S_ISFIFO(type))
		return -ESPIPE;
	if (S_ISDIR(type))
		return -EISDIR;
	if (!S_ISREG(type) && !S_ISBLK(type))
		return -ENODEV;
	if (len > MAX_FILE_SIZE - offset)
		return -EFBIG;
	if (!file->f_op->fallocate)
		return -EOPNOTSUPP;
	return file->f_op->fallocate(file, mode, offset, len);
}
