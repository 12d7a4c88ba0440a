/* SPDX-License-Identifier: MIT */
/* fcntl(2) and flock(2). */
#include <arch/uaccess.h>

#include "kernel/fs/fdtable.h"
#include "kernel/fs/locks.h"
#include "kernel/fs/memfd.h"
#include "kernel/fs/pipe.h"
#include "kernel/process/current.h"
#include "kernel/syscall/sys_file.h"

#define SETFL_MASK (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME)

static long set_flags(struct file *file, unsigned long arg)
{
	struct cred_view cred = current_cred_view();

	if (((arg ^ file->f_flags) & O_APPEND) && inode_forbids(file->f_inode, FS_APPEND_FL))
		return -EPERM;
	if ((arg & ~file->f_flags & O_NOATIME) && !inode_owner(file->f_inode, &cred))
		return -EPERM;
	/* A pipe's packets; of other files all there is here is the page cache. */
	if ((arg & O_DIRECT) && !S_ISFIFO(file->f_inode->i_mode))
		return -EINVAL;
	/* Others may be changing other flags. */
	__atomic_fetch_or(&file->f_flags, arg & SETFL_MASK, __ATOMIC_RELAXED);
	__atomic_fetch_and(&file->f_flags, ~SETFL_MASK | (arg & SETFL_MASK), __ATOMIC_RELAXED);
	return 0;
}

/* --- locks --------------------------------------------------------------------------------- */

/* The range that a struct flock names. 0, -EINVAL, -EOVERFLOW. => *lock has a type */
static int lock_range(const struct file *file, const struct kernel_flock *fl,
		      struct file_lock *lock)
{
	loff_t from;

	switch (fl->l_whence) {
	case SEEK_SET:
		from = 0;
		break;
	case SEEK_CUR:
		from = file->f_mode & FMODE_STREAM ? 0 : file->f_pos;
		break;
	case SEEK_END:
		from = (loff_t)i_size_read(file->f_inode);
		break;
	default:
		return -EINVAL;
	}
	if (fl->l_start > MAX_FILE_SIZE - from)
		return -EOVERFLOW;
	from += fl->l_start;
	if (from < 0)
		return -EINVAL;
	lock->start = from;
	lock->end = MAX_FILE_SIZE; /* length 0: to the end, wherever that will be */
	if (fl->l_len > 0) {
		if (fl->l_len - 1 > MAX_FILE_SIZE - from)
			return -EOVERFLOW;
		lock->end = from + (fl->l_len - 1);
	} else if (fl->l_len < 0) {
		if (from + fl->l_len < 0)
			return -EINVAL;
		lock->start = from + fl->l_len;
		lock->end = from - 1;
	}
	return 0;
}

/* Fills *lock from a program's struct flock. 0 or -errno. */
static int lock_from_user(struct file *file, const struct kernel_flock *fl, bool ofd,
			  struct file_lock *lock)
{
	int err;

	*lock = (struct file_lock){
		.owner = ofd ? (const void *)file : current_files(),
		.type = fl->l_type,
		.pid = ofd ? -1 : current_pid(),
	};
	err = lock_range(file, fl, lock);
	if (err)
		return err;
	if (fl->l_type != F_RDLCK && fl->l_type != F_WRLCK && fl->l_type != F_UNLCK)
		return -EINVAL;
	return ofd && fl->l_pid ? -EINVAL : 0;
}

static long get_lock(struct file *file, struct kernel_flock __user *user, bool ofd)
{
	struct kernel_flock fl;
	struct file_lock lock;
	int err;

	if (copy_from_user(&fl, user, sizeof(fl)))
		return -EFAULT;
	if (fl.l_type != F_RDLCK && fl.l_type != F_WRLCK)
		return -EINVAL;
	err = lock_from_user(file, &fl, ofd, &lock);
	if (err)
		return err;
	fl.l_type = F_UNLCK;
	if (lock_test(file->f_inode, &lock)) {
		fl.l_type = (int16_t)lock.type;
		fl.l_whence = SEEK_SET;
		fl.l_start = lock.start;
		fl.l_len = lock.end == MAX_FILE_SIZE ? 0 : lock.end - lock.start + 1;
		fl.l_pid = lock.pid;
	}
	return copy_to_user(user, &fl, sizeof(fl)) ? -EFAULT : 0;
}

static long set_lock(struct file *file, unsigned int fd, const struct kernel_flock __user *user,
		     bool ofd, bool wait)
{
	struct kernel_flock fl;
	struct file_lock lock;
	int err;

	if (copy_from_user(&fl, user, sizeof(fl)))
		return -EFAULT;
	err = lock_from_user(file, &fl, ofd, &lock);
	if (err)
		return err;
	if ((lock.type == F_RDLCK && !(file->f_mode & FMODE_READ)) ||
	    (lock.type == F_WRLCK && !(file->f_mode & FMODE_WRITE)))
		return -EBADF;
	err = lock_set(file->f_inode, &lock, wait);
	/* Another thread has closed it meanwhile: then the lock, if it is the table's, would stay for ever. */
	if (!err && !ofd && lock.type != F_UNLCK && !fd_is(current_files(), fd, file)) {
		locks_remove_posix(file, current_files());
		err = -EBADF;
	}
	return err;
}

long sys_flock(unsigned int fd, unsigned int cmd)
{
	struct file *file = fget(current_files(), fd);
	struct file_lock lock = { .owner = file, .flock = true, .end = MAX_FILE_SIZE };
	long ret = -EINVAL;

	if (!file)
		return -EBADF;
	lock.pid = current_pid();
	switch (cmd & ~(unsigned int)LOCK_NB) {
	case LOCK_SH:
		lock.type = F_RDLCK;
		break;
	case LOCK_EX:
		lock.type = F_WRLCK;
		break;
	case LOCK_UN:
		lock.type = F_UNLCK;
		break;
	default:
		goto out;
	}
	ret = -EBADF;
	if (lock.type == F_UNLCK || (file->f_mode & (FMODE_READ | FMODE_WRITE)))
		ret = lock_set(file->f_inode, &lock, !(cmd & LOCK_NB));
out:
	fput(file);
	return ret;
}

/* --- fcntl --------------------------------------------------------------------------------- */

/* What may also be asked of a file opened with O_PATH; *known is false for other commands. */
static long fcntl_path(struct file *file, unsigned int fd, unsigned int cmd, unsigned long arg,
		       bool *known)
{
	struct files_struct *files = current_files();

	*known = true;
	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		if (arg >= current_nofile_limit())
			return -EINVAL;
		return fd_dup(files, fd, (unsigned int)arg, current_nofile_limit(),
			      cmd == F_DUPFD_CLOEXEC);
	case F_GETFD:
		return fd_get_cloexec(files, fd);
	case F_SETFD:
		return fd_set_cloexec(files, fd, arg & FD_CLOEXEC);
	case F_GETFL:
		return file->f_flags;
	}
	*known = false;
	return file->f_mode & FMODE_PATH ? -EBADF : 0;
}

static long fcntl_file(struct file *file, unsigned int fd, unsigned int cmd, unsigned long arg)
{
	struct cred_view cred = current_cred_view();
	struct kernel_flock __user *lock = (struct kernel_flock __user *)arg;

	switch (cmd) {
	case F_SETFL:
		return set_flags(file, arg);
	case F_GETOWN: /* nobody: there is no SIGIO to be sent */
		return 0;
	case F_GETLK:
	case F_OFD_GETLK:
		return get_lock(file, lock, cmd == F_OFD_GETLK);
	case F_SETLK:
	case F_SETLKW:
		return set_lock(file, fd, lock, false, cmd == F_SETLKW);
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return set_lock(file, fd, lock, true, cmd == F_OFD_SETLKW);
	case F_GETPIPE_SZ:
		return pipe_get_size(file);
	case F_ADD_SEALS:
		return memfd_add_seals(file, arg);
	case F_GET_SEALS:
		return memfd_get_seals(file);
	case F_SETPIPE_SZ:
		return pipe_set_size(file, (unsigned int)arg, &cred);
	default:
		return -EINVAL;
	}
}

long sys_fcntl(unsigned int fd, unsigned int cmd, unsigned long arg)
{
	struct file *file = fget_raw(current_files(), fd);
	bool known;
	long ret;

	if (!file)
		return -EBADF;
	ret = fcntl_path(file, fd, cmd, arg, &known);
	if (!known && !ret)
		ret = fcntl_file(file, fd, cmd, arg);
	fput(file);
	return ret;
}
