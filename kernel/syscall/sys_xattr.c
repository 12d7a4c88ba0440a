/* SPDX-License-Identifier: MIT */
/*
 * Extended attributes, xattr(7): no file system here has any. Programs ask for them all the same (ls -l
 * looks for access control lists), and get the answer of such file systems: there are none, and none can
 * be made. What is wrong with a question comes first, in Linux's order.
 */
#include <arch/uaccess.h>

#include "kernel/abi/xattr.h"
#include "kernel/base/string.h"
#include "kernel/fs/fdtable.h"
#include "kernel/process/current.h"
#include "kernel/syscall/sys_file.h"

/* What is asked about a file. */
struct xattr_request {
	const char __user *name; /* NULL: all names */
	unsigned int mask;	 /* MAY_READ or MAY_WRITE */
	bool set;
	const void __user *value;
	size_t size;
	int flags;
};

/* Who may have to do with a name, by its first part. */
static int name_permission(const char *name, const struct inode *inode,
			   const struct cred_view *cred, unsigned int mask)
{
	bool writes = mask & MAY_WRITE;

	if (writes && inode_forbids(inode, FS_IMMUTABLE_FL | FS_APPEND_FL))
		return -EPERM;
	if (!strncmp(name, "security.", 9) || !strncmp(name, "system.", 7))
		return 0;
	if (!strncmp(name, "trusted.", 8))
		return cred_capable(cred, CAP_SYS_ADMIN) ? 0 : writes ? -EPERM : -ENODATA;
	if (!strncmp(name, "user.", 5)) {
		if (!S_ISREG(inode->i_mode) && !S_ISDIR(inode->i_mode))
			return writes ? -EPERM : -ENODATA;
		if (writes && S_ISDIR(inode->i_mode) && (inode->i_mode & S_ISVTX) &&
		    !inode_owner(inode, cred))
			return -EPERM;
	}
	return inode_permission(inode, cred, mask);
}

static int copy_name(char *name, const char __user *uname)
{
	long len = strncpy_from_user(name, uname, XATTR_NAME_MAX + 1);

	if (len < 0)
		return (int)len;
	return len == 0 || len > XATTR_NAME_MAX ? -ERANGE : 0;
}

/* The value isn't needed, but whether it could be read is. */
static int check_value(const struct xattr_request *req)
{
	char byte;

	if (req->size > XATTR_SIZE_MAX)
		return -E2BIG;
	for (size_t at = 0; at < req->size; at += PAGE_SIZE) {
		if (get_user(byte, user_at((const char __user *)req->value, at)))
			return -EFAULT;
	}
	return req->size && get_user(byte,
				     user_at((const char __user *)req->value, req->size - 1)) ?
		       -EFAULT :
		       0;
}

static long ask(const struct inode *inode, const struct cred_view *cred,
		const struct xattr_request *req)
{
	char name[XATTR_NAME_MAX + 1];
	int err;

	if (!req->name)
		return 0;
	if (req->set && (req->flags & ~(XATTR_CREATE | XATTR_REPLACE)))
		return -EINVAL;
	err = copy_name(name, req->name);
	if (!err && req->set)
		err = check_value(req);
	if (!err && (req->mask & MAY_WRITE) && inode->i_sb->s_fixed_attrs)
		err = -EOPNOTSUPP;
	if (!err)
		err = name_permission(name, inode, cred, req->mask);
	return err ? err : -EOPNOTSUPP;
}

static long ask_path(const char __user *pathname, unsigned int lookup_flags,
		     const struct xattr_request *req)
{
	struct dentry *dentry;
	struct path_arg arg;
	long ret = path_arg_get(&arg, AT_FDCWD, pathname, false);

	if (ret)
		return ret;
	ret = path_arg_lookup(&arg, lookup_flags, &dentry);
	if (!ret) {
		ret = ask(dentry->d_inode, &arg.at.cred, req);
		dput(dentry);
	}
	path_arg_put(&arg);
	return ret;
}

static long ask_fd(int fd, const struct xattr_request *req)
{
	struct cred_view cred = current_cred_view();
	struct file *file = fget(current_files(), (unsigned int)fd);
	long ret;

	if (!file)
		return -EBADF;
	ret = ask(file->f_inode, &cred, req);
	fput(file);
	return ret;
}

#define GET(n)	  (&(struct xattr_request){ .name = (n), .mask = MAY_READ })
#define REMOVE(n) (&(struct xattr_request){ .name = (n), .mask = MAY_WRITE })
#define SET(n, v, s, f)                              \
	(&(struct xattr_request){ .name = (n),       \
				  .mask = MAY_WRITE, \
				  .set = true,       \
				  .value = (v),      \
				  .size = (s),       \
				  .flags = (f) })
#define LIST (&(struct xattr_request){ .mask = 0 })

long sys_getxattr(const char __user *pathname, const char __user *name, void __user *value,
		  size_t size)
{
	return ask_path(pathname, LOOKUP_FOLLOW, GET(name));
}

long sys_lgetxattr(const char __user *pathname, const char __user *name, void __user *value,
		   size_t size)
{
	return ask_path(pathname, 0, GET(name));
}

long sys_fgetxattr(int fd, const char __user *name, void __user *value, size_t size)
{
	return ask_fd(fd, GET(name));
}

long sys_setxattr(const char __user *pathname, const char __user *name, const void __user *value,
		  size_t size, int flags)
{
	return ask_path(pathname, LOOKUP_FOLLOW, SET(name, value, size, flags));
}

long sys_lsetxattr(const char __user *pathname, const char __user *name, const void __user *value,
		   size_t size, int flags)
{
	return ask_path(pathname, 0, SET(name, value, size, flags));
}

long sys_fsetxattr(int fd, const char __user *name, const void __user *value, size_t size,
		   int flags)
{
	return ask_fd(fd, SET(name, value, size, flags));
}

long sys_listxattr(const char __user *pathname, char __user *list, size_t size)
{
	return ask_path(pathname, LOOKUP_FOLLOW, LIST);
}

long sys_llistxattr(const char __user *pathname, char __user *list, size_t size)
{
	return ask_path(pathname, 0, LIST);
}

long sys_flistxattr(int fd, char __user *list, size_t size)
{
	return ask_fd(fd, LIST);
}

long sys_removexattr(const char __user *pathname, const char __user *name)
{
	return ask_path(pathname, LOOKUP_FOLLOW, REMOVE(name));
}

long sys_lremovexattr(const char __user *pathname, const char __user *name)
{
	return ask_path(pathname, 0, REMOVE(name));
}

long sys_fremovexattr(int fd, const char __user *name)
{
	return ask_fd(fd, REMOVE(name));
}
