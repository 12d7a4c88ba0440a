/* SPDX-License-Identifier: MIT */
/* System calls that change what stat(2) shows: mode, owner, times. */
#include <arch/uaccess.h>

#include "kernel/fs/fdtable.h"
#include "kernel/process/current.h"
#include "kernel/syscall/sys_file.h"

#define NS_PER_SEC   1000000000L
#define USEC_PER_SEC 1000000L

/* What to do with the inode that was found. */
struct attr_change {
	int (*apply)(const struct attr_change *change, struct inode *inode,
		     const struct cred_view *cred);
	umode_t mode;
	u32 uid, gid;
	const struct file_times *times;
};

static int apply_mode(const struct attr_change *c, struct inode *inode,
		      const struct cred_view *cred)
{
	return vfs_chmod(inode, c->mode, cred);
}

static int apply_owner(const struct attr_change *c, struct inode *inode,
		       const struct cred_view *cred)
{
	return vfs_chown(inode, c->uid, c->gid, cred);
}

static int apply_times(const struct attr_change *c, struct inode *inode,
		       const struct cred_view *cred)
{
	return vfs_utimes(inode, c->times, cred);
}

/* flags: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH */
static long change_at(int dfd, const char __user *filename, int flags,
		      const struct attr_change *change)
{
	struct dentry *dentry;
	struct path_arg arg;
	int err = path_arg_get(&arg, dfd, filename, flags & AT_EMPTY_PATH);

	if (err)
		return err;
	err = path_arg_lookup(&arg, flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW, &dentry);
	if (!err) {
		err = change->apply(change, dentry->d_inode, &arg.at.cred);
		dput(dentry);
	}
	path_arg_put(&arg);
	return err;
}

static long change_fd(unsigned int fd, const struct attr_change *change)
{
	struct cred_view cred = current_cred_view();
	struct file *file = fget(current_files(), fd);
	int err;

	if (!file)
		return -EBADF;
	err = change->apply(change, file->f_inode, &cred);
	fput(file);
	return err;
}

/* --- mode and owner ------------------------------------------------------------------------ */

long sys_fchmodat(int dfd, const char __user *filename, umode_t mode)
{
	struct attr_change change = { .apply = apply_mode, .mode = mode };

	return change_at(dfd, filename, 0, &change);
}

long sys_chmod(const char __user *filename, umode_t mode)
{
	return sys_fchmodat(AT_FDCWD, filename, mode);
}

long sys_fchmod(unsigned int fd, umode_t mode)
{
	struct attr_change change = { .apply = apply_mode, .mode = mode };

	return change_fd(fd, &change);
}

long sys_fchownat(int dfd, const char __user *filename, u32 user, u32 group, int flag)
{
	struct attr_change change = { .apply = apply_owner, .uid = user, .gid = group };

	if (flag & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return change_at(dfd, filename, flag, &change);
}

long sys_chown(const char __user *filename, u32 user, u32 group)
{
	return sys_fchownat(AT_FDCWD, filename, user, group, 0);
}

long sys_lchown(const char __user *filename, u32 user, u32 group)
{
	return sys_fchownat(AT_FDCWD, filename, user, group, AT_SYMLINK_NOFOLLOW);
}

long sys_fchown(unsigned int fd, u32 user, u32 group)
{
	struct attr_change change = { .apply = apply_owner, .uid = user, .gid = group };

	return change_fd(fd, &change);
}

/* --- times --------------------------------------------------------------------------------- */

#define UTIME_NOW  0x3fffffffL
#define UTIME_OMIT 0x3ffffffeL

/* Times are kept in ns, which reach from 1677 to 2262: what lies beyond becomes the nearest. */
static s64 to_ns(const struct kernel_timespec *ts)
{
	if (ts->tv_sec >= INT64_MAX / NS_PER_SEC)
		return INT64_MAX;
	if (ts->tv_sec <= INT64_MIN / NS_PER_SEC)
		return INT64_MIN;
	return ts->tv_sec * NS_PER_SEC + ts->tv_nsec;
}

static bool valid_nsec(s64 nsec)
{
	return nsec == UTIME_NOW || nsec == UTIME_OMIT || (nsec >= 0 && nsec < NS_PER_SEC);
}

/* What to set; ts is NULL for the present time. */
static struct file_times times_of(const struct kernel_timespec *ts)
{
	if (!ts || (ts[0].tv_nsec == UTIME_NOW && ts[1].tv_nsec == UTIME_NOW))
		return (struct file_times){ .touch = true,
					    .set_atime = true,
					    .set_mtime = true,
					    .atime_now = true,
					    .mtime_now = true };
	return (struct file_times){
		.set_atime = ts[0].tv_nsec != UTIME_OMIT,
		.set_mtime = ts[1].tv_nsec != UTIME_OMIT,
		.atime_now = ts[0].tv_nsec == UTIME_NOW,
		.mtime_now = ts[1].tv_nsec == UTIME_NOW,
		.atime = to_ns(&ts[0]),
		.mtime = to_ns(&ts[1]),
	};
}

/* Wrong nanoseconds are found only once the file has been. */
static int apply_nothing(const struct attr_change *c, struct inode *inode,
			 const struct cred_view *cred)
{
	return -EINVAL;
}

static long do_utimes(int dfd, const char __user *filename, const struct kernel_timespec *ts,
		      int flags)
{
	struct attr_change change = { .apply = apply_nothing };
	struct file_times times;

	if (!ts || (valid_nsec(ts[0].tv_nsec) && valid_nsec(ts[1].tv_nsec))) {
		times = times_of(ts);
		change = (struct attr_change){ .apply = apply_times, .times = &times };
	}
	if (!filename && dfd != AT_FDCWD)
		return flags ? -EINVAL : change_fd((unsigned int)dfd, &change);
	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return change_at(dfd, filename, flags, &change);
}

long sys_utimensat(int dfd, const char __user *filename,
		   const struct kernel_timespec __user *utimes, int flags)
{
	struct kernel_timespec ts[2];

	if (utimes) {
		if (copy_from_user(ts, utimes, sizeof(ts)))
			return -EFAULT;
		if (ts[0].tv_nsec == UTIME_OMIT && ts[1].tv_nsec == UTIME_OMIT)
			return 0; /* whatever the rest says */
	}
	return do_utimes(dfd, filename, utimes ? ts : NULL, flags);
}

long sys_futimesat(int dfd, const char __user *filename, const struct kernel_timeval __user *utimes)
{
	struct kernel_timespec ts[2];
	struct kernel_timeval tv[2];

	if (utimes) {
		if (copy_from_user(tv, utimes, sizeof(tv)))
			return -EFAULT;
		for (int i = 0; i < 2; i++) {
			if (tv[i].tv_usec < 0 || tv[i].tv_usec >= USEC_PER_SEC)
				return -EINVAL;
			ts[i] = (struct kernel_timespec){ tv[i].tv_sec, tv[i].tv_usec * 1000 };
		}
	}
	return do_utimes(dfd, filename, utimes ? ts : NULL, 0);
}

long sys_utimes(const char __user *filename, const struct kernel_timeval __user *utimes)
{
	return sys_futimesat(AT_FDCWD, filename, utimes);
}

struct utimbuf {
	s64 actime, modtime;
};

long sys_utime(const char __user *filename, const struct utimbuf __user *times)
{
	struct kernel_timespec ts[2];
	struct utimbuf buf;

	if (times) {
		if (copy_from_user(&buf, times, sizeof(buf)))
			return -EFAULT;
		ts[0] = (struct kernel_timespec){ buf.actime, 0 };
		ts[1] = (struct kernel_timespec){ buf.modtime, 0 };
	}
	return do_utimes(AT_FDCWD, filename, times ? ts : NULL, 0);
}
