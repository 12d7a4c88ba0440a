/* SPDX-License-Identifier: MIT */
/*
 * The system calls about files and names: sys_file.c has those that take a descriptor, sys_path.c
 * those that take a path, sys_stat.c those that ask about a file, sys_attr.c those that change what
 * it answers; sys_fcntl.c, sys_pipe.c, sys_poll.c, sys_copy.c and sys_xattr.c what their names say. Each
 * returns what the manual page of its name says, or -errno.
 */
#ifndef KERNEL_SYSCALL_SYS_FILE_H
#define KERNEL_SYSCALL_SYS_FILE_H

#include "kernel/abi/dirent.h"
#include "kernel/abi/stat.h"
#include "kernel/abi/time.h"
#include "kernel/abi/uio.h"
#include "kernel/fs/namei.h"

long sys_read(unsigned int fd, char __user *buf, size_t count);
long sys_write(unsigned int fd, const char __user *buf, size_t count);
long sys_pread64(unsigned int fd, char __user *buf, size_t count, loff_t pos);
long sys_pwrite64(unsigned int fd, const char __user *buf, size_t count, loff_t pos);
long sys_readv(unsigned long fd, const struct iovec __user *vec, unsigned long vlen);
long sys_writev(unsigned long fd, const struct iovec __user *vec, unsigned long vlen);
long sys_preadv(unsigned long fd, const struct iovec __user *vec, unsigned long vlen, loff_t pos,
		unsigned long pos_high);
long sys_pwritev(unsigned long fd, const struct iovec __user *vec, unsigned long vlen, loff_t pos,
		 unsigned long pos_high);
long sys_preadv2(unsigned long fd, const struct iovec __user *vec, unsigned long vlen, loff_t pos,
		 unsigned long pos_high, int flags);
long sys_pwritev2(unsigned long fd, const struct iovec __user *vec, unsigned long vlen, loff_t pos,
		  unsigned long pos_high, int flags);
long sys_process_vm_readv(int pid, const struct iovec __user *lvec, unsigned long liovcnt,
			  const struct iovec __user *rvec, unsigned long riovcnt,
			  unsigned long flags);
long sys_process_vm_writev(int pid, const struct iovec __user *lvec, unsigned long liovcnt,
			   const struct iovec __user *rvec, unsigned long riovcnt,
			   unsigned long flags);
long sys_lseek(unsigned int fd, loff_t offset, unsigned int whence);
long sys_close(unsigned int fd);
long sys_dup(unsigned int fd);
long sys_dup2(unsigned int oldfd, unsigned int newfd);
long sys_dup3(unsigned int oldfd, unsigned int newfd, int flags);
long sys_fcntl(unsigned int fd, unsigned int cmd, unsigned long arg);
long sys_ioctl(unsigned int fd, unsigned int cmd, unsigned long arg);
long sys_flock(unsigned int fd, unsigned int cmd);
long sys_close_range(unsigned int first, unsigned int last, unsigned int flags);
long sys_getdents(unsigned int fd, struct kernel_dirent __user *dirent, unsigned int count);
long sys_getdents64(unsigned int fd, struct kernel_dirent64 __user *dirent, unsigned int count);
long sys_ftruncate(unsigned int fd, loff_t length);
long sys_fchdir(unsigned int fd);

long sys_sendfile(int out_fd, int in_fd, loff_t __user *offset, size_t count);
long sys_copy_file_range(int fd_in, loff_t __user *off_in, int fd_out, loff_t __user *off_out,
			 size_t len, unsigned int flags);
long sys_fallocate(int fd, int mode, loff_t offset, loff_t len);
long sys_memfd_create(const char __user *uname, unsigned int flags);
long sys_fadvise64(int fd, loff_t offset, loff_t len, int advice);
long sys_readahead(int fd, loff_t offset, size_t count);
long sys_fsync(unsigned int fd);
long sys_fdatasync(unsigned int fd);
long sys_syncfs(int fd);
long sys_sync_file_range(int fd, loff_t offset, loff_t nbytes, unsigned int flags);

long sys_pipe(int __user *fildes);
long sys_pipe2(int __user *fildes, int flags);

struct kernel_pollfd;
struct sigset_arg;
long sys_poll(struct kernel_pollfd __user *ufds, unsigned int nfds, int timeout);
long sys_ppoll(struct kernel_pollfd __user *ufds, unsigned int nfds,
	       struct kernel_timespec __user *tsp, const u64 __user *sigmask, size_t sigsetsize);
long sys_select(int n, unsigned long __user *inp, unsigned long __user *outp,
		unsigned long __user *exp, struct kernel_timeval __user *tvp);
long sys_pselect6(int n, unsigned long __user *inp, unsigned long __user *outp,
		  unsigned long __user *exp, struct kernel_timespec __user *tsp,
		  const struct sigset_arg __user *sig);

long sys_open(const char __user *filename, int flags, umode_t mode);
long sys_openat(int dfd, const char __user *filename, int flags, umode_t mode);
long sys_openat2(int dfd, const char __user *filename, struct kernel_open_how __user *how,
		 size_t size);
long sys_creat(const char __user *pathname, umode_t mode);
long sys_getcwd(char __user *buf, unsigned long size);
long sys_chdir(const char __user *filename);
long sys_chroot(const char __user *filename);
long sys_umask(int mask);
long sys_mknod(const char __user *filename, umode_t mode, unsigned int dev);
long sys_mknodat(int dfd, const char __user *filename, umode_t mode, unsigned int dev);
long sys_mkdir(const char __user *pathname, umode_t mode);
long sys_mkdirat(int dfd, const char __user *pathname, umode_t mode);
long sys_rmdir(const char __user *pathname);
long sys_unlink(const char __user *pathname);
long sys_unlinkat(int dfd, const char __user *pathname, int flag);
long sys_symlink(const char __user *oldname, const char __user *newname);
long sys_symlinkat(const char __user *oldname, int newdfd, const char __user *newname);
long sys_link(const char __user *oldname, const char __user *newname);
long sys_linkat(int olddfd, const char __user *oldname, int newdfd, const char __user *newname,
		int flags);
long sys_rename(const char __user *oldname, const char __user *newname);
long sys_renameat(int olddfd, const char __user *oldname, int newdfd, const char __user *newname);
long sys_renameat2(int olddfd, const char __user *oldname, int newdfd, const char __user *newname,
		   unsigned int flags);
long sys_truncate(const char __user *path, long length);
long sys_mount(const char __user *source, const char __user *dir, const char __user *type,
	       unsigned long flags, const void __user *data);
long sys_umount2(const char __user *name, int flags);

long sys_stat(const char __user *filename, struct kernel_stat __user *statbuf);
long sys_lstat(const char __user *filename, struct kernel_stat __user *statbuf);
long sys_fstat(unsigned int fd, struct kernel_stat __user *statbuf);
long sys_newfstatat(int dfd, const char __user *filename, struct kernel_stat __user *statbuf,
		    int flag);
long sys_statx(int dfd, const char __user *filename, unsigned int flags, unsigned int mask,
	       struct kernel_statx __user *buffer);
long sys_access(const char __user *filename, int mode);
long sys_faccessat(int dfd, const char __user *filename, int mode);
long sys_faccessat2(int dfd, const char __user *filename, int mode, int flags);
long sys_readlink(const char __user *path, char __user *buf, int bufsiz);
long sys_readlinkat(int dfd, const char __user *pathname, char __user *buf, int bufsiz);
long sys_statfs(const char __user *pathname, struct kernel_statfs __user *buf);
long sys_fstatfs(unsigned int fd, struct kernel_statfs __user *buf);

long sys_chmod(const char __user *filename, umode_t mode);
long sys_fchmod(unsigned int fd, umode_t mode);
long sys_fchmodat(int dfd, const char __user *filename, umode_t mode);
long sys_chown(const char __user *filename, u32 user, u32 group);
long sys_lchown(const char __user *filename, u32 user, u32 group);
long sys_fchown(unsigned int fd, u32 user, u32 group);
long sys_fchownat(int dfd, const char __user *filename, u32 user, u32 group, int flag);
struct utimbuf;
long sys_utime(const char __user *filename, const struct utimbuf __user *times);
long sys_utimes(const char __user *filename, const struct kernel_timeval __user *utimes);
long sys_futimesat(int dfd, const char __user *filename,
		   const struct kernel_timeval __user *utimes);
long sys_utimensat(int dfd, const char __user *filename,
		   const struct kernel_timespec __user *utimes, int flags);

long sys_setxattr(const char __user *pathname, const char __user *name, const void __user *value,
		  size_t size, int flags);
long sys_lsetxattr(const char __user *pathname, const char __user *name, const void __user *value,
		   size_t size, int flags);
long sys_fsetxattr(int fd, const char __user *name, const void __user *value, size_t size,
		   int flags);
long sys_getxattr(const char __user *pathname, const char __user *name, void __user *value,
		  size_t size);
long sys_lgetxattr(const char __user *pathname, const char __user *name, void __user *value,
		   size_t size);
long sys_fgetxattr(int fd, const char __user *name, void __user *value, size_t size);
long sys_listxattr(const char __user *pathname, char __user *list, size_t size);
long sys_llistxattr(const char __user *pathname, char __user *list, size_t size);
long sys_flistxattr(int fd, char __user *list, size_t size);
long sys_removexattr(const char __user *pathname, const char __user *name);
long sys_lremovexattr(const char __user *pathname, const char __user *name);
long sys_fremovexattr(int fd, const char __user *name);

/* --- segments of readv(2) and its kin, in the kernel --------------------------------------- */

#define IOV_ON_STACK 8
/*
 * Copies a program's segments: to `few`, which holds IOV_ON_STACK, or to memory of its own. ERR_PTR:
 * -EINVAL for more than IOV_MAX or a length above the largest ssize_t, -ENOMEM, -EFAULT.
 */
struct iovec *iovec_from_user(const struct iovec __user *vec, unsigned long nr, struct iovec *few);
void iovec_free(struct iovec *iov, const struct iovec *few);
/* Cuts the segments to MAX_RW_COUNT together. The sum, or -EFAULT when one isn't in user space. */
ssize_t iovec_total(struct iovec *iov, unsigned long nr);

/* --- a path argument, in the kernel -------------------------------------------------------- */

struct path_arg {
	char *name;	  /* PATH_MAX bytes */
	struct file *dir; /* what at.dir belongs to, or NULL */
	struct lookup_at at;
};

/*
 * Copies a program's string of a path. The result is freed with kfree(); ERR_PTR: -EFAULT,
 * -ENAMETOOLONG, -ENOMEM, or -ENOENT for the empty one unless allowed.
 */
char *get_path_name(const char __user *user, bool may_be_empty);
/*
 * Fills *arg from a path and the descriptor it is relative to. 0 or -errno; path_arg_put() is
 * needed after success only. may_be_empty: AT_EMPTY_PATH was given.
 */
int path_arg_get(struct path_arg *arg, int dfd, const char __user *user, bool may_be_empty);
void path_arg_put(struct path_arg *arg);
/* What it names, referenced; the descriptor itself for the empty path. */
int path_arg_lookup(const struct path_arg *arg, unsigned int lookup_flags, struct dentry **dentry);

#endif
