/* SPDX-License-Identifier: MIT */
/* Making sockets, and what there is to know and to set of one. */
#include "kernel/syscall/sys_socket.h"

#include <arch/uaccess.h>

#include "kernel/base/string.h"
#include "kernel/fs/fdtable.h"
#include "kernel/process/current.h"

struct file *socket_file_get(int fd)
{
	struct file *file = fget(current_files(), (unsigned int)fd);

	if (!file)
		return ERR_PTR(-EBADF);
	if (socket_of(file))
		return file;
	fput(file);
	return ERR_PTR(-ENOTSOCK);
}

/* The flags that a type comes with: they are taken off it. 0 or -EINVAL */
static int split_type(int *type, unsigned int *flags)
{
	*flags = (unsigned int)*type & ~SOCK_TYPE_MASK;
	*type &= SOCK_TYPE_MASK;
	return *flags & ~(unsigned int)(SOCK_NONBLOCK | SOCK_CLOEXEC) ? -EINVAL : 0;
}

long sys_socket(int family, int type, int protocol)
{
	unsigned int flags;
	int err = split_type(&type, &flags);

	if (!err)
		err = socket_check(family, &type, protocol);
	/* Without addresses one alone is of no use: socketpair(2) makes two. */
	return err ? err : -EAFNOSUPPORT;
}

/* Numbers for both ends, told to the program before they mean anything. 0 or -errno. */
static int take_numbers(int fds[2], int __user *user, bool cloexec)
{
	struct files_struct *files = current_files();
	int err;

	fds[0] = alloc_fd(files, 0, current_nofile_limit(), cloexec);
	if (fds[0] < 0)
		return fds[0];
	fds[1] = alloc_fd(files, 0, current_nofile_limit(), cloexec);
	err = fds[1];
	if (err >= 0) {
		err = copy_to_user(user, fds, 2 * sizeof(fds[0])) ? -EFAULT : 0;
		if (!err)
			return 0;
		put_unused_fd(files, (unsigned int)fds[1]);
	}
	put_unused_fd(files, (unsigned int)fds[0]);
	return err;
}

long sys_socketpair(int family, int type, int protocol, int __user *usockvec)
{
	const struct cred_view cred = current_cred_view();
	struct files_struct *files = current_files();
	struct file *ends[2];
	unsigned int flags;
	int fds[2], err;

	err = split_type(&type, &flags);
	if (!err)
		err = take_numbers(fds, usockvec, flags & SOCK_CLOEXEC);
	if (err)
		return err;
	err = socket_pair(ends, family, type, protocol, flags & SOCK_NONBLOCK, &cred);
	for (int i = 0; i < 2; i++) {
		if (err)
			put_unused_fd(files, (unsigned int)fds[i]);
		else
			fd_install(files, (unsigned int)fds[i], ends[i]);
	}
	return err;
}

long sys_shutdown(int fd, int how)
{
	struct file *file = socket_file_get(fd);
	int err;

	if (IS_ERR(file))
		return PTR_ERR(file);
	err = socket_shutdown(file, how);
	fput(file);
	return err;
}

/* --- names --------------------------------------------------------------------------------- */

int put_address(const void *addr, int len, void __user *to, int __user *ulen)
{
	int room = 0;

	if (get_user(room, ulen))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	room = min(room, len);
	if (room && copy_to_user(to, addr, (size_t)room))
		return -EFAULT;
	return put_user(len, ulen);
}

/* They have no names: a family is all there is to tell. */
static long put_name(int fd, struct kernel_sockaddr __user *addr, int __user *addrlen, bool peer)
{
	const struct kernel_sockaddr name = { .sa_family = AF_UNIX };
	struct file *file = socket_file_get(fd);
	int err = 0;

	if (IS_ERR(file))
		return PTR_ERR(file);
	if (peer)
		err = socket_has_peer(file);
	if (!err)
		err = put_address(&name, sizeof(name.sa_family), addr, addrlen);
	fput(file);
	return err;
}

long sys_getsockname(int fd, struct kernel_sockaddr __user *addr, int __user *addrlen)
{
	return put_name(fd, addr, addrlen, false);
}

long sys_getpeername(int fd, struct kernel_sockaddr __user *addr, int __user *addrlen)
{
	return put_name(fd, addr, addrlen, true);
}

/* --- settings ------------------------------------------------------------------------------ */

static int get_option(struct file *file, int level, int name, char __user *val, int __user *ulen)
{
	union socket_value value;
	int size, len;

	if (level != SOL_SOCKET)
		return -EOPNOTSUPP;
	if (get_user(len, ulen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	memset(&value, 0, sizeof(value));
	size = socket_get_option(file, name, &value);
	if (size < 0)
		return size;
	size = min(size, len);
	if (copy_to_user(val, &value, (size_t)size))
		return -EFAULT;
	return put_user(size, ulen);
}

long sys_getsockopt(int fd, int level, int name, char __user *val, int __user *len)
{
	struct file *file = socket_file_get(fd);
	int err;

	if (IS_ERR(file))
		return PTR_ERR(file);
	err = get_option(file, level, name, val, len);
	fput(file);
	return err;
}

static int set_option(struct file *file, int level, int name, const char __user *val, int len)
{
	const struct cred_view cred = current_cred_view();
	union socket_value value;
	size_t size = min((size_t)len, sizeof(value));

	if (level != SOL_SOCKET)
		return -EOPNOTSUPP;
	if (len < (int)sizeof(value.number))
		return -EINVAL;
	memset(&value, 0, sizeof(value));
	if (copy_from_user(&value, val, size))
		return -EFAULT;
	return socket_set_option(file, name, &value, size, &cred);
}

long sys_setsockopt(int fd, int level, int name, char __user *val, int len)
{
	struct file *file;
	int err;

	if (len < 0)
		return -EINVAL;
	file = socket_file_get(fd);
	if (IS_ERR(file))
		return PTR_ERR(file);
	err = set_option(file, level, name, val, len);
	fput(file);
	return err;
}
