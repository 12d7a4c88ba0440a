/* SPDX-License-Identifier: MIT */
/* System calls on open files. */
#include "kernel/syscall/sys_file.h"

#include <arch/uaccess.h>

#include "kernel/abi/ioctl.h"
#include "kernel/base/string.h"
#include "kernel/fs/fdtable.h"
#include "kernel/process/current.h"
#include "mm/slab.h"

typedef ssize_t (*transfer_fn)(struct file *file, struct io_iter *iter, loff_t *pos);

/* --- reading and writing ------------------------------------------------------------------- */

/* At the file's own position, which is the caller's alone meanwhile. */
static ssize_t transfer_at_pos(struct file *file, struct io_iter *iter, transfer_fn transfer)
{
	loff_t none = 0;
	ssize_t ret;

	/* A terminal has no position; who waits for its input must not keep others from writing. */
	if (file->f_mode & FMODE_STREAM)
		return transfer(file, iter, &none);
	mutex_lock(&file->f_pos_lock);
	ret = transfer(file, iter, &file->f_pos);
	mutex_unlock(&file->f_pos_lock);
	return ret;
}

/* One buffer, at *pos or (NULL) where the file stands. */
static long transfer_one(unsigned int fd, const char __user *buf, size_t count, loff_t *pos,
			 unsigned int need, transfer_fn transfer)
{
	struct iovec iov = { (void *)buf, count };
	struct file *file = fget(current_files(), fd);
	struct io_iter iter;
	ssize_t ret;

	if (!file)
		return -EBADF;
	iter_init_user(&iter, &iov, count);
	if (pos && ((file->f_mode & FMODE_STREAM) || !file->f_op->llseek))
		ret = -ESPIPE;
	else if (!(file->f_mode & need))
		ret = -EBADF;
	else if (!access_ok((unsigned long)buf, count))
		ret = -EFAULT;
	else
		ret = pos ? transfer(file, &iter, pos) : transfer_at_pos(file, &iter, transfer);
	fput(file);
	return ret;
}

long sys_read(unsigned int fd, char __user *buf, size_t count)
{
	return transfer_one(fd, buf, count, NULL, FMODE_READ, vfs_read);
}

long sys_write(unsigned int fd, const char __user *buf, size_t count)
{
	return transfer_one(fd, buf, count, NULL, FMODE_WRITE, vfs_write);
}

long sys_pread64(unsigned int fd, char __user *buf, size_t count, loff_t pos)
{
	return pos < 0 ? -EINVAL : transfer_one(fd, buf, count, &pos, FMODE_READ, vfs_read);
}

long sys_pwrite64(unsigned int fd, const char __user *buf, size_t count, loff_t pos)
{
	return pos < 0 ? -EINVAL : transfer_one(fd, buf, count, &pos, FMODE_WRITE, vfs_write);
}

struct iovec *iovec_from_user(const struct iovec __user *vec, unsigned long nr, struct iovec *few)
{
	struct iovec *iov = few;

	if (nr > IOV_MAX)
		return ERR_PTR(-EINVAL);
	if (nr > IOV_ON_STACK) {
		iov = kmalloc(nr * sizeof(*iov), GFP_KERNEL);
		if (!iov)
			return ERR_PTR(-ENOMEM);
	}
	if (copy_from_user(iov, vec, nr * sizeof(*iov))) {
		iovec_free(iov, few);
		return ERR_PTR(-EFAULT);
	}
	for (unsigned long i = 0; i < nr; i++) {
		if ((ssize_t)iov[i].iov_len < 0) {
			iovec_free(iov, few);
			return ERR_PTR(-EINVAL);
		}
	}
	return iov;
}

void iovec_free(struct iovec *iov, const struct iovec *few)
{
	if (iov != few)
		kfree(iov);
}

ssize_t iovec_total(struct iovec *iov, unsigned long nr)
{
	size_t total = 0;

	for (unsigned long i = 0; i < nr; i++) {
		if (!access_ok((unsigned long)iov[i].iov_base, iov[i].iov_len))
			return -EFAULT;
		iov[i].iov_len = min((size_t)iov[i].iov_len, MAX_RW_COUNT - total);
		total += iov[i].iov_len;
	}
	return (ssize_t)total;
}

static ssize_t transfer_iovec(struct file *file, const struct iovec __user *vec, unsigned long nr,
			      loff_t *pos, unsigned int need, transfer_fn transfer)
{
	struct iovec few[IOV_ON_STACK], *iov = iovec_from_user(vec, nr, few);
	struct io_iter iter;
	ssize_t ret;

	if (IS_ERR(iov))
		return PTR_ERR(iov);
	ret = iovec_total(iov, nr);
	if (ret >= 0 && !(file->f_mode & need))
		ret = -EBADF;
	if (ret > 0) {
		iter_init_user(&iter, iov, (size_t)ret);
		ret = pos ? transfer(file, &iter, pos) : transfer_at_pos(file, &iter, transfer);
	}
	iovec_free(iov, few);
	return ret;
}

/* At *pos, or (NULL) where the file stands. */
static long transfer_vector(unsigned long fd, const struct iovec __user *vec, unsigned long nr,
			    loff_t *pos, unsigned int need, transfer_fn transfer)
{
	struct file *file = fget(current_files(), (unsigned int)fd);
	ssize_t ret;

	if (!file)
		return -EBADF;
	if (pos && ((file->f_mode & FMODE_STREAM) || !file->f_op->llseek))
		ret = -ESPIPE;
	else
		ret = transfer_iovec(file, vec, nr, pos, need, transfer);
	fput(file);
	return ret;
}

long sys_readv(unsigned long fd, const struct iovec __user *vec, unsigned long vlen)
{
	return transfer_vector(fd, vec, vlen, NULL, FMODE_READ, vfs_read);
}

long sys_writev(unsigned long fd, const struct iovec __user *vec, unsigned long vlen)
{
	return transfer_vector(fd, vec, vlen, NULL, FMODE_WRITE, vfs_write);
}

/* The position's upper half is for 32-bit programs. */
long sys_preadv(unsigned long fd, const struct iovec __user *vec, unsigned long vlen, loff_t pos,
		unsigned long pos_high)
{
	return pos < 0 ? -EINVAL : transfer_vector(fd, vec, vlen, &pos, FMODE_READ, vfs_read);
}

long sys_pwritev(unsigned long fd, const struct iovec __user *vec, unsigned long vlen, loff_t pos,
		 unsigned long pos_high)
{
	return pos < 0 ? -EINVAL : transfer_vector(fd, vec, vlen, &pos, FMODE_WRITE, vfs_write);
}

/* These ask for what is so anyway: files are memory. */
#define RWF_ACCEPTED (RWF_HIPRI | RWF_DSYNC | RWF_SYNC)

/* The checks of the flags come last, when there is something to move. */
static ssize_t read_flagged(struct file *file, struct io_iter *to, loff_t *pos)
{
	return to->count ? -EOPNOTSUPP : 0;
}

long sys_preadv2(unsigned long fd, const struct iovec __user *vec, unsigned long vlen, loff_t pos,
		 unsigned long pos_high, int flags)
{
	transfer_fn transfer = flags & ~RWF_ACCEPTED ? read_flagged : vfs_read;

	return transfer_vector(fd, vec, vlen, pos == -1 ? NULL : &pos, FMODE_READ, transfer);
}

long sys_pwritev2(unsigned long fd, const struct iovec __user *vec, unsigned long vlen, loff_t pos,
		  unsigned long pos_high, int flags)
{
	transfer_fn transfer = flags & ~RWF_ACCEPTED ? read_flagged : vfs_write;

	return transfer_vector(fd, vec, vlen, pos == -1 ? NULL : &pos, FMODE_WRITE, transfer);
}

long sys_lseek(unsigned int fd, loff_t offset, unsigned int whence)
{
	struct file *file = fget(current_files(), fd);
	loff_t ret = -EINVAL;

	if (!file)
		return -EBADF;
	if (whence <= SEEK_HOLE) {
		mutex_lock(&file->f_pos_lock);
		ret = vfs_llseek(file, offset, (int)whence);
		mutex_unlock(&file->f_pos_lock);
	}
	fput(file);
	return ret;
}

long sys_ftruncate(unsigned int fd, loff_t length)
{
	struct file *file;
	long ret;

	if (length < 0)
		return -EINVAL;
	file = fget(current_files(), fd);
	if (!file)
		return -EBADF;
	ret = file_truncate(file, length);
	fput(file);
	return ret;
}

/* --- directories --------------------------------------------------------------------------- */

struct dirent_writer {
	struct dir_context ctx;
	char __user *to;
	size_t room, used;
	bool old;  /* the layout of getdents(2) and not of getdents64(2) */
	int error; /* why the last entry was not taken, when none was before */
};

#define DIRENT_MAX ALIGN_UP(sizeof(struct kernel_dirent64) + NAME_MAX + 1, 8)

/* Fills one entry and returns its length. */
static size_t fill_dirent64(char *buf, const char *name, size_t len, u64 ino, unsigned int dtype,
			    loff_t next)
{
	struct kernel_dirent64 *entry = (struct kernel_dirent64 *)buf;
	size_t size = ALIGN_UP(offsetof(struct kernel_dirent64, d_name) + len + 1, 8);

	memset(buf, 0, size);
	entry->d_ino = ino;
	entry->d_off = next;
	entry->d_reclen = (u16)size;
	entry->d_type = (u8)dtype;
	memcpy(entry->d_name, name, len);
	return size;
}

/* The older layout has the type in its last byte. */
static size_t fill_dirent(char *buf, const char *name, size_t len, u64 ino, unsigned int dtype,
			  loff_t next)
{
	struct kernel_dirent *entry = (struct kernel_dirent *)buf;
	size_t size = ALIGN_UP(offsetof(struct kernel_dirent, d_name) + len + 2, 8);

	memset(buf, 0, size);
	entry->d_ino = ino;
	entry->d_off = (u64)next;
	entry->d_reclen = (u16)size;
	memcpy(entry->d_name, name, len);
	buf[size - 1] = (char)dtype;
	return size;
}

static bool write_dirent(struct dir_context *ctx, const char *name, size_t len, u64 ino,
			 unsigned int dtype, loff_t next)
{
	struct dirent_writer *w = container_of(ctx, struct dirent_writer, ctx);
	char buf[DIRENT_MAX] __aligned(8);
	size_t size = (w->old ? fill_dirent : fill_dirent64)(buf, name, len, ino, dtype, next);

	w->error = size > w->room - w->used ? -EINVAL : 0;
	if (w->error)
		return false;
	if (copy_to_user(user_at(w->to, w->used), buf, size)) {
		w->error = -EFAULT;
		return false;
	}
	w->used += size;
	return true;
}

static long do_getdents(unsigned int fd, struct dirent_writer *w)
{
	struct file *file = fget(current_files(), fd);
	int err;

	if (!file)
		return -EBADF;
	mutex_lock(&file->f_pos_lock);
	w->ctx.pos = file->f_pos;
	err = vfs_iterate(file, &w->ctx);
	file->f_pos = w->ctx.pos;
	mutex_unlock(&file->f_pos_lock);
	fput(file);
	if (w->used)
		return (long)w->used;
	return err ? err : w->error;
}

long sys_getdents64(unsigned int fd, struct kernel_dirent64 __user *dirent, unsigned int count)
{
	struct dirent_writer w = { .ctx.take = write_dirent, .to = (char *)dirent, .room = count };

	return do_getdents(fd, &w);
}

long sys_getdents(unsigned int fd, struct kernel_dirent __user *dirent, unsigned int count)
{
	struct dirent_writer w = {
		.ctx.take = write_dirent, .to = (char *)dirent, .room = count, .old = true
	};

	return do_getdents(fd, &w);
}

long sys_fchdir(unsigned int fd)
{
	struct file *file = fget_raw(current_files(), fd);
	struct cred_view cred = current_cred_view();
	int err;

	if (!file)
		return -EBADF;
	err = d_is_dir(file->f_dentry) ? inode_permission(file->f_inode, &cred, MAY_EXEC) :
					 -ENOTDIR;
	if (!err)
		fs_set_cwd(current_fs(), file->f_dentry);
	fput(file);
	return err;
}

/* --- descriptors --------------------------------------------------------------------------- */

long sys_close(unsigned int fd)
{
	return fd_close(current_files(), fd);
}

long sys_dup(unsigned int fd)
{
	return fd_dup(current_files(), fd, 0, current_nofile_limit(), false);
}

long sys_dup3(unsigned int oldfd, unsigned int newfd, int flags)
{
	if ((flags & ~O_CLOEXEC) || oldfd == newfd)
		return -EINVAL;
	return fd_dup_to(current_files(), oldfd, newfd, current_nofile_limit(), flags & O_CLOEXEC);
}

long sys_dup2(unsigned int oldfd, unsigned int newfd)
{
	if (oldfd == newfd) {
		int err = fd_get_cloexec(current_files(), oldfd);

		return err < 0 ? err : (long)oldfd;
	}
	return sys_dup3(oldfd, newfd, 0);
}

long sys_close_range(unsigned int first, unsigned int last, unsigned int flags)
{
	int err;

	if ((flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) || first > last)
		return -EINVAL;
	if (flags & CLOSE_RANGE_UNSHARE) {
		err = unshare_files();
		if (err)
			return err;
	}
	if (flags & CLOSE_RANGE_CLOEXEC)
		fd_cloexec_range(current_files(), first, last);
	else
		fd_close_range(current_files(), first, last);
	return 0;
}

static long set_nonblock(struct file *file, int __user *arg)
{
	int on;

	if (copy_from_user(&on, arg, sizeof(on)))
		return -EFAULT;
	if (on)
		__atomic_fetch_or(&file->f_flags, O_NONBLOCK, __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(&file->f_flags, ~O_NONBLOCK, __ATOMIC_RELAXED);
	return 0;
}

static long inode_flags(struct inode *inode, unsigned int cmd, int __user *user)
{
	const struct cred_view cred = current_cred_view();
	int flags;

	if (cmd == FS_IOC_GETFLAGS) {
		flags = vfs_get_flags(inode);
		return flags < 0 ? flags : put_user(flags, user);
	}
	if (get_user(flags, user))
		return -EFAULT;
	return vfs_set_flags(inode, (u32)flags, &cred);
}

long sys_ioctl(unsigned int fd, unsigned int cmd, unsigned long arg)
{
	struct file *file = fget(current_files(), fd);
	long ret;

	if (!file)
		return -EBADF;
	if (cmd == FIOCLEX || cmd == FIONCLEX)
		ret = fd_set_cloexec(current_files(), fd, cmd == FIOCLEX);
	else if (cmd == FIONBIO)
		ret = set_nonblock(file, (int __user *)arg);
	else if (cmd == FS_IOC_GETFLAGS || cmd == FS_IOC_SETFLAGS)
		ret = inode_flags(file->f_inode, cmd, (int __user *)arg);
	else if (cmd == FIONREAD && S_ISREG(file->f_inode->i_mode))
		ret = put_user((int)((loff_t)i_size_read(file->f_inode) - file->f_pos),
			       (int __user *)arg);
	else
		ret = file->f_op->ioctl ? file->f_op->ioctl(file, cmd, arg) : -ENOTTY;
	fput(file);
	return ret;
}
