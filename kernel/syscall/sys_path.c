/* SPDX-License-Identifier: MIT */
/* System calls on names. */
#include <arch/uaccess.h>

#include "kernel/base/string.h"
#include "kernel/fs/fdtable.h"
#include "kernel/process/current.h"
#include "kernel/syscall/sys_file.h"
#include "mm/slab.h"

/* --- path arguments ------------------------------------------------------------------------ */

char *get_path_name(const char __user *user, bool may_be_empty)
{
	char *name = kmalloc(PATH_MAX, GFP_KERNEL);
	long len;

	if (!name)
		return ERR_PTR(-ENOMEM);
	len = strncpy_from_user(name, user, PATH_MAX);
	if (len >= PATH_MAX)
		len = -ENAMETOOLONG;
	else if (!len && !may_be_empty)
		len = -ENOENT;
	if (len < 0) {
		kfree(name);
		return ERR_PTR(len);
	}
	return name;
}

/* The directory a relative path begins in. */
static int resolve_dfd(struct path_arg *arg, int dfd)
{
	if (arg->name[0] == '/' || dfd == AT_FDCWD)
		return 0;
	arg->dir = fget_raw(current_files(), (unsigned int)dfd);
	if (!arg->dir)
		return -EBADF;
	arg->at.dir = arg->dir->f_dentry;
	return arg->name[0] && !d_is_dir(arg->at.dir) ? -ENOTDIR : 0;
}

int path_arg_get(struct path_arg *arg, int dfd, const char __user *user, bool may_be_empty)
{
	int err;

	arg->dir = NULL;
	arg->at = (struct lookup_at){ .fs = current_fs(), .cred = current_cred_view() };
	arg->name = get_path_name(user, may_be_empty);
	if (IS_ERR(arg->name))
		return (int)PTR_ERR(arg->name);
	err = resolve_dfd(arg, dfd);
	if (err)
		path_arg_put(arg);
	return err;
}

void path_arg_put(struct path_arg *arg)
{
	if (arg->dir)
		fput(arg->dir);
	kfree(arg->name);
}

int path_arg_lookup(const struct path_arg *arg, unsigned int lookup_flags, struct dentry **dentry)
{
	if (arg->name[0])
		return path_lookup(&arg->at, arg->name, lookup_flags, dentry);
	*dentry = arg->at.dir ? dget(arg->at.dir) : fs_get_cwd(arg->at.fs);
	return 0;
}

/* --- opening ------------------------------------------------------------------------------- */

static long open_path(const struct path_arg *arg, unsigned int flags, umode_t mode)
{
	struct files_struct *files = current_files();
	int fd = alloc_fd(files, 0, current_nofile_limit(), flags & O_CLOEXEC);
	struct file *file;

	if (fd < 0)
		return fd;
	file = path_open(&arg->at, arg->name, flags, mode);
	if (IS_ERR(file)) {
		put_unused_fd(files, (unsigned int)fd);
		return PTR_ERR(file);
	}
	fd_install(files, (unsigned int)fd, file);
	return fd;
}

long sys_openat(int dfd, const char __user *filename, int flags, umode_t mode)
{
	struct path_arg arg;
	long ret = path_arg_get(&arg, dfd, filename, false);

	if (ret)
		return ret;
	/* A 64-bit program's files may always be large: F_GETFL shows it. */
	ret = open_path(&arg, (unsigned int)flags | O_LARGEFILE, mode);
	path_arg_put(&arg);
	return ret;
}

long sys_open(const char __user *filename, int flags, umode_t mode)
{
	return sys_openat(AT_FDCWD, filename, flags, mode);
}

#define OPEN_FLAGS                                                                            \
	(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | FASYNC | \
	 O_DIRECT | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_SYNC | \
	 O_PATH | O_TMPFILE_BIT)
#define RESOLVE_FLAGS                                                                      \
	(RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH | \
	 RESOLVE_IN_ROOT | RESOLVE_CACHED)

/* Unlike its elders, openat2(2) refuses what it doesn't know or what makes no sense. */
static int check_how(const struct kernel_open_how *how)
{
	bool makes = how->flags & (O_CREAT | O_TMPFILE_BIT);

	if ((how->flags & ~(u64)OPEN_FLAGS) || (how->resolve & ~(u64)RESOLVE_FLAGS))
		return -EINVAL;
	if ((how->resolve & RESOLVE_BENEATH) && (how->resolve & RESOLVE_IN_ROOT))
		return -EINVAL;
	if (makes ? how->mode & ~(u64)S_IALLUGO : how->mode)
		return -EINVAL;
	if ((how->flags & O_PATH) &&
	    (how->flags & ~(u64)(O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC)))
		return -EINVAL;
	/* Ways to restrict the walk are not known here. */
	return how->resolve ? -EINVAL : 0;
}

/* A struct that grows with time: what is beyond ours must be zero. 0 or -errno. */
static int get_how(struct kernel_open_how *how, const struct kernel_open_how __user *user,
		   size_t size)
{
	u8 byte;

	if (size < sizeof(*how))
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	for (size_t i = sizeof(*how); i < size; i++) {
		if (get_user(byte, user_at((const u8 __user *)user, i)))
			return -EFAULT;
		if (byte)
			return -E2BIG;
	}
	return copy_from_user(how, user, sizeof(*how)) ? -EFAULT : 0;
}

long sys_openat2(int dfd, const char __user *filename, struct kernel_open_how __user *uhow,
		 size_t size)
{
	struct kernel_open_how how;
	struct path_arg arg;
	long ret = get_how(&how, uhow, size);

	if (!ret)
		ret = check_how(&how);
	if (!ret)
		ret = path_arg_get(&arg, dfd, filename, false);
	if (ret)
		return ret;
	ret = open_path(&arg, (unsigned int)how.flags | (how.flags & O_PATH ? 0 : O_LARGEFILE),
			(umode_t)how.mode);
	path_arg_put(&arg);
	return ret;
}

long sys_creat(const char __user *pathname, umode_t mode)
{
	return sys_openat(AT_FDCWD, pathname, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

long sys_truncate(const char __user *path, long length)
{
	struct path_arg arg;
	long ret;

	if (length < 0)
		return -EINVAL;
	ret = path_arg_get(&arg, AT_FDCWD, path, false);
	if (ret)
		return ret;
	ret = path_truncate(&arg.at, arg.name, length);
	path_arg_put(&arg);
	return ret;
}

/* --- where one is -------------------------------------------------------------------------- */

long sys_getcwd(char __user *buf, unsigned long size)
{
	struct dentry *cwd = fs_get_cwd(current_fs()), *root = fs_get_root(current_fs());
	char *page = kmalloc(PATH_MAX, GFP_KERNEL);
	const char *path;
	size_t len;
	long ret = -ENOMEM;

	if (!page)
		goto out;
	path = d_path_from(cwd, root, page, PATH_MAX);
	/* Afterwards: what is removed only now may be told or not, but not as "(deleted)". */
	ret = -ENOENT;
	if (READ_ONCE(cwd->d_deleted))
		goto out;
	ret = PTR_ERR(path);
	if (IS_ERR(path))
		goto out;
	len = strlen(path) + 1;
	if (len > size)
		ret = -ERANGE;
	else
		ret = copy_to_user(buf, path, len) ? -EFAULT : (long)len;
out:
	kfree(page);
	dput(root);
	dput(cwd);
	return ret;
}

long sys_chdir(const char __user *filename)
{
	struct dentry *dentry;
	struct path_arg arg;
	int err = path_arg_get(&arg, AT_FDCWD, filename, false);

	if (err)
		return err;
	err = path_arg_lookup(&arg, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &dentry);
	if (!err) {
		err = inode_permission(dentry->d_inode, &arg.at.cred, MAY_EXEC);
		if (!err)
			fs_set_cwd(arg.at.fs, dentry);
		dput(dentry);
	}
	path_arg_put(&arg);
	return err;
}

long sys_chroot(const char __user *filename)
{
	struct dentry *dentry;
	struct path_arg arg;
	int err = path_arg_get(&arg, AT_FDCWD, filename, false);

	if (err)
		return err;
	err = path_arg_lookup(&arg, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &dentry);
	if (!err) {
		err = inode_permission(dentry->d_inode, &arg.at.cred, MAY_EXEC);
		if (!err && !cred_capable(&arg.at.cred, CAP_SYS_CHROOT))
			err = -EPERM;
		if (!err)
			fs_set_root(arg.at.fs, dentry);
		dput(dentry);
	}
	path_arg_put(&arg);
	return err;
}

long sys_umask(int mask)
{
	return __atomic_exchange_n(&current_fs()->umask, (umode_t)mask & S_IRWXUGO,
				   __ATOMIC_RELAXED);
}

/* --- making and removing names ------------------------------------------------------------- */

long sys_mkdirat(int dfd, const char __user *pathname, umode_t mode)
{
	struct path_arg arg;
	int err = path_arg_get(&arg, dfd, pathname, false);

	if (err)
		return err;
	err = path_mkdir(&arg.at, arg.name, mode);
	path_arg_put(&arg);
	return err;
}

long sys_mkdir(const char __user *pathname, umode_t mode)
{
	return sys_mkdirat(AT_FDCWD, pathname, mode);
}

/* Whether something of that type can be made by mknod(2): 0 or -errno. */
static int check_mknod(umode_t mode)
{
	switch (mode & S_IFMT) {
	case 0:
	case S_IFREG:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		return 0;
	case S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
}

long sys_mknodat(int dfd, const char __user *filename, umode_t mode, unsigned int dev)
{
	/* As encode_dev() has it: twelve bits of major, twenty of minor number. */
	u64 rdev = makedev(dev >> 8 & 0xfff, (dev & 0xff) | (dev >> 12 & 0xfff00));
	struct path_arg arg;
	int err = check_mknod(mode);

	if (err)
		return err;
	err = path_arg_get(&arg, dfd, filename, false);
	if (err)
		return err;
	if (!(mode & S_IFMT))
		mode |= S_IFREG;
	err = path_mknod(&arg.at, arg.name, mode & (S_IFMT | S_IALLUGO), rdev);
	path_arg_put(&arg);
	return err;
}

long sys_mknod(const char __user *filename, umode_t mode, unsigned int dev)
{
	return sys_mknodat(AT_FDCWD, filename, mode, dev);
}

long sys_unlinkat(int dfd, const char __user *pathname, int flag)
{
	struct path_arg arg;
	int err;

	if (flag & ~AT_REMOVEDIR)
		return -EINVAL;
	err = path_arg_get(&arg, dfd, pathname, false);
	if (err)
		return err;
	err = flag & AT_REMOVEDIR ? path_rmdir(&arg.at, arg.name) : path_unlink(&arg.at, arg.name);
	path_arg_put(&arg);
	return err;
}

long sys_unlink(const char __user *pathname)
{
	return sys_unlinkat(AT_FDCWD, pathname, 0);
}

long sys_rmdir(const char __user *pathname)
{
	return sys_unlinkat(AT_FDCWD, pathname, AT_REMOVEDIR);
}

long sys_symlinkat(const char __user *oldname, int newdfd, const char __user *newname)
{
	char *target = get_path_name(oldname, false);
	struct path_arg arg;
	int err;

	if (IS_ERR(target))
		return PTR_ERR(target);
	err = path_arg_get(&arg, newdfd, newname, false);
	if (!err) {
		err = path_symlink(&arg.at, target, arg.name);
		path_arg_put(&arg);
	}
	kfree(target);
	return err;
}

long sys_symlink(const char __user *oldname, const char __user *newname)
{
	return sys_symlinkat(oldname, AT_FDCWD, newname);
}

long sys_linkat(int olddfd, const char __user *oldname, int newdfd, const char __user *newname,
		int flags)
{
	struct path_arg old, new;
	struct dentry *dentry;
	int err;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	/* Only the privileged may make a name from a descriptor: it may have been handed on. */
	if ((flags & AT_EMPTY_PATH) && !current_cred_view().privileged)
		return -ENOENT;
	err = path_arg_get(&old, olddfd, oldname, flags & AT_EMPTY_PATH);
	if (err)
		return err;
	/* What is wrong with the old name is told before what is wrong with the new one. */
	err = path_arg_lookup(&old, flags & AT_SYMLINK_FOLLOW ? LOOKUP_FOLLOW : 0, &dentry);
	if (err)
		goto put_old;
	err = path_arg_get(&new, newdfd, newname, false);
	if (!err) {
		err = path_link(dentry, &new.at, new.name);
		path_arg_put(&new);
	}
	dput(dentry);
put_old:
	path_arg_put(&old);
	return err;
}

long sys_link(const char __user *oldname, const char __user *newname)
{
	return sys_linkat(AT_FDCWD, oldname, AT_FDCWD, newname, 0);
}

long sys_renameat2(int olddfd, const char __user *oldname, int newdfd, const char __user *newname,
		   unsigned int flags)
{
	struct path_arg old, new;
	int err;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	if ((flags & RENAME_EXCHANGE) && (flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)))
		return -EINVAL;
	err = path_arg_get(&old, olddfd, oldname, false);
	if (err)
		return err;
	/* As in linkat(): the old name's way is walked first. */
	err = path_check_parent(&old.at, old.name);
	if (!err)
		err = path_arg_get(&new, newdfd, newname, false);
	if (!err) {
		err = path_rename(&old.at, old.name, &new.at, new.name, flags);
		path_arg_put(&new);
	}
	path_arg_put(&old);
	return err;
}

long sys_renameat(int olddfd, const char __user *oldname, int newdfd, const char __user *newname)
{
	return sys_renameat2(olddfd, oldname, newdfd, newname, 0);
}

long sys_rename(const char __user *oldname, const char __user *newname)
{
	return sys_renameat2(AT_FDCWD, oldname, AT_FDCWD, newname, 0);
}
