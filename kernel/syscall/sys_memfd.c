/* SPDX-License-Identifier: MIT */
/* memfd_create(2). */
#include <arch/uaccess.h>

#include "kernel/abi/fcntl.h"
#include "kernel/abi/mman.h"
#include "kernel/base/string.h"
#include "kernel/fs/fdtable.h"
#include "kernel/fs/memfd.h"
#include "kernel/process/current.h"
#include "kernel/syscall/sys_file.h"

#define MFD_PREFIX   "memfd:"
#define MFD_NAME_MAX (NAME_MAX - (sizeof(MFD_PREFIX) - 1))

/* The descriptor that stands for a new file of that name, or -errno. */
static long new_memfd(const char *name, unsigned int flags)
{
	struct files_struct *files = current_files();
	int fd = alloc_fd(files, 0, current_nofile_limit(), flags & MFD_CLOEXEC);
	struct file *file;

	if (fd < 0)
		return fd;
	file = memfd_open(name, flags);
	if (IS_ERR(file)) {
		put_unused_fd(files, (unsigned int)fd);
		return PTR_ERR(file);
	}
	fd_install(files, (unsigned int)fd, file);
	return fd;
}

long sys_memfd_create(const char __user *uname, unsigned int flags)
{
	char name[NAME_MAX + 2] = MFD_PREFIX;
	unsigned int known = MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB;
	long len;

	if (flags & MFD_HUGETLB)
		known |= (unsigned int)MAP_HUGE_MASK << MAP_HUGE_SHIFT;
	if (flags & ~known)
		return -EINVAL;
	len = strncpy_from_user(name + strlen(MFD_PREFIX), uname, MFD_NAME_MAX + 1);
	if (len < 0)
		return len;
	if (len > (long)MFD_NAME_MAX)
		return -EINVAL;
	return new_memfd(name, flags);
}
