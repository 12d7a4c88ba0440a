/* SPDX-License-Identifier: MIT */
/* System calls that move or keep the bytes of files without showing them to the program. */
#include <arch/uaccess.h>

#include "kernel/fs/copy.h"
#include "kernel/fs/fdtable.h"
#include "kernel/process/current.h"
#include "kernel/syscall/sys_file.h"

static bool has_position(const struct file *file)
{
	return !(file->f_mode & FMODE_STREAM) && file->f_op->llseek;
}

/* --- from file to file --------------------------------------------------------------------- */

/* Position *pos of `in`; `out` goes on where it stands. */
static ssize_t send(struct file *in, loff_t *pos, struct file *out, size_t count)
{
	loff_t to = 0;
	ssize_t ret;

	if (!in->f_op->splice || (out->f_flags & O_APPEND))
		return -EINVAL;
	if (!has_position(out))
		return file_copy(in, pos, out, NULL, count);
	mutex_lock(&out->f_pos_lock);
	to = out->f_pos;
	ret = file_copy(in, pos, out, &to, count);
	out->f_pos = to;
	mutex_unlock(&out->f_pos_lock);
	return ret;
}

/* offset: where to read from, or NULL: where `in` stands. */
static ssize_t send_checked(struct file *in, struct file *out, loff_t *offset, size_t count)
{
	loff_t pos;
	ssize_t ret;

	if (offset && !has_position(in))
		return -ESPIPE;
	pos = offset ? *offset : in->f_pos;
	if (pos < 0 || (ssize_t)count < 0)
		return -EINVAL;
	if (!out || !(out->f_mode & FMODE_WRITE))
		return -EBADF;
	ret = send(in, &pos, out, min(count, MAX_RW_COUNT));
	if (offset)
		*offset = pos;
	else
		in->f_pos = pos;
	return ret;
}

long sys_sendfile(int out_fd, int in_fd, loff_t __user *offset, size_t count)
{
	struct file *in, *out;
	loff_t pos = 0;
	ssize_t ret = -EBADF;

	if (offset && get_user(pos, offset))
		return -EFAULT;
	in = fget(current_files(), (unsigned int)in_fd);
	if (!in)
		return -EBADF;
	out = fget(current_files(), (unsigned int)out_fd);
	if (in->f_mode & FMODE_READ)
		ret = send_checked(in, out, offset ? &pos : NULL, count);
	if (offset && put_user(pos, offset))
		ret = -EFAULT;
	if (out)
		fput(out);
	fput(in);
	return ret;
}

/* What copy_file_range(2) wants of its files; *len is cut at the end of `in`. 0 or -errno. */
static int check_copy(const struct file *in, loff_t from, const struct file *out, loff_t to,
		      size_t *len)
{
	const struct inode *a = in->f_inode, *b = out->f_inode;
	loff_t size = (loff_t)i_size_read(a);

	if (S_ISDIR(a->i_mode) || S_ISDIR(b->i_mode))
		return -EISDIR;
	if (!S_ISREG(a->i_mode) || !S_ISREG(b->i_mode))
		return -EINVAL;
	if (!(in->f_mode & FMODE_READ) || !(out->f_mode & FMODE_WRITE) || (out->f_flags & O_APPEND))
		return -EBADF;
	if (a->i_sb != b->i_sb)
		return -EXDEV;
	if (inode_forbids(b, FS_IMMUTABLE_FL))
		return -EPERM;
	/* As Linux compares them: without signs. */
	if ((u64)from + *len < (u64)from || (u64)to + *len < (u64)to)
		return -EOVERFLOW;
	*len = from >= size ? 0 : min(*len, (size_t)(size - from));
	if (a == b && to + (loff_t)*len > from && to < from + (loff_t)*len)
		return -EINVAL;
	return from < 0 || to < 0 ? -EINVAL : 0;
}

static ssize_t copy_range(struct file *in, loff_t __user *uin, struct file *out,
			  loff_t __user *uout, size_t len, unsigned int flags)
{
	loff_t from = in->f_pos, to = out->f_pos;
	ssize_t ret;

	if ((uin && get_user(from, uin)) || (uout && get_user(to, uout)))
		return -EFAULT;
	if (flags)
		return -EINVAL;
	ret = check_copy(in, from, out, to, &len);
	if (ret || !len)
		return ret;
	ret = file_copy(in, &from, out, &to, min(len, MAX_RW_COUNT));
	if (ret <= 0)
		return ret;
	if ((uin && put_user(from, uin)) || (uout && put_user(to, uout)))
		return -EFAULT;
	if (!uin)
		in->f_pos = from;
	if (!uout)
		out->f_pos = to;
	return ret;
}

long sys_copy_file_range(int fd_in, loff_t __user *off_in, int fd_out, loff_t __user *off_out,
			 size_t len, unsigned int flags)
{
	struct file *in = fget(current_files(), (unsigned int)fd_in), *out;
	ssize_t ret = -EBADF;

	if (!in)
		return -EBADF;
	out = fget(current_files(), (unsigned int)fd_out);
	if (out) {
		ret = copy_range(in, off_in, out, off_out, len, flags);
		fput(out);
	}
	fput(in);
	return ret;
}

/* --- room, and advice ---------------------------------------------------------------------- */

long sys_fallocate(int fd, int mode, loff_t offset, loff_t len)
{
	struct file *file = fget(current_files(), (unsigned int)fd);
	int err;

	if (!file)
		return -EBADF;
	err = vfs_fallocate(file, (unsigned int)mode, offset, len);
	fput(file);
	return err;
}

long sys_fadvise64(int fd, loff_t offset, loff_t len, int advice)
{
	struct file *file = fget(current_files(), (unsigned int)fd);
	int err;

	if (!file)
		return -EBADF;
	err = vfs_fadvise(file, offset, len, advice);
	fput(file);
	return err;
}

long sys_readahead(int fd, loff_t offset, size_t count)
{
	struct file *file = fget(current_files(), (unsigned int)fd);
	int err;

	if (!file)
		return -EBADF;
	if (!(file->f_mode & FMODE_READ))
		err = -EBADF;
	else if (!S_ISREG(file->f_inode->i_mode) && !S_ISBLK(file->f_inode->i_mode))
		err = -EINVAL;
	else
		err = vfs_fadvise(file, offset, (loff_t)count, POSIX_FADV_WILLNEED);
	fput(file);
	return err;
}

/* --- bringing to where it stays -------------------------------------------------------------- */

long sys_fsync(unsigned int fd)
{
	struct file *file = fget(current_files(), fd);
	int err;

	if (!file)
		return -EBADF;
	err = vfs_fsync_range(file, 0, MAX_FILE_SIZE);
	fput(file);
	return err;
}

long sys_fdatasync(unsigned int fd)
{
	return sys_fsync(fd);
}

/* What lies on file systems is in memory altogether; a disk is none. */
long sys_syncfs(int fd)
{
	struct file *file = fget(current_files(), (unsigned int)fd);

	if (!file)
		return -EBADF;
	fput(file);
	return 0;
}

long sys_sync_file_range(int fd, loff_t offset, loff_t nbytes, unsigned int flags)
{
	struct file *file = fget(current_files(), (unsigned int)fd);
	int err;

	if (!file)
		return -EBADF;
	err = vfs_sync_file_range(file, offset, nbytes, flags);
	fput(file);
	return err;
}
