/* SPDX-License-Identifier: MIT */
/* fcntl(2). */
#include <arch/uaccess.h>

#include "kernel/fs/fdtable.h"
#include "kernel/fs/pipe.h"
#include "kernel/process/current.h"
#include "kernel/syscall/sys_file.h"

#define SETFL_MASK (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME)

static long set_flags(struct file *file, unsigned long arg)
{
	struct cred_view cred = current_cred_view();

	if ((arg & ~file->f_flags & O_NOATIME) && !inode_owner(file->f_inode, &cred))
		return -EPERM;
	/* A pipe's packets; of other files all there is here is the page cache. */
	if ((arg & O_DIRECT) && !S_ISFIFO(file->f_inode->i_mode))
		return -EINVAL;
	file->f_flags = (file->f_flags & ~SETFL_MASK) | (arg & SETFL_MASK);
	return 0;
}

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

	switch (cmd) {
	case F_SETFL:
		return set_flags(file, arg);
	case F_GETPIPE_SZ:
		return pipe_get_size(file);
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
