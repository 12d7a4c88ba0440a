/* SPDX-License-Identifier: MIT */
/* pipe(2). */
#include <arch/uaccess.h>

#include "kernel/fs/fdtable.h"
#include "kernel/fs/pipe.h"
#include "kernel/process/current.h"
#include "kernel/syscall/sys_file.h"

/* Numbers for both ends, told to the program before they mean anything. 0 or -errno. */
static int take_numbers(int fds[2], int __user *user, unsigned int flags)
{
	struct files_struct *files = current_files();
	bool cloexec = flags & O_CLOEXEC;
	int err;

	fds[0] = alloc_fd(files, 0, current_nofile_limit(), cloexec);
	if (fds[0] < 0)
		return fds[0];
	fds[1] = alloc_fd(files, 0, current_nofile_limit(), cloexec);
	err = fds[1];
	if (err < 0)
		goto put_first;
	err = -EFAULT;
	if (copy_to_user(user, fds, 2 * sizeof(fds[0])))
		goto put_both;
	return 0;
put_both:
	put_unused_fd(files, (unsigned int)fds[1]);
put_first:
	put_unused_fd(files, (unsigned int)fds[0]);
	return err;
}

long sys_pipe2(int __user *fildes, int flags)
{
	struct cred_view cred = current_cred_view();
	struct file *ends[2];
	int fds[2], err;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
		return -EINVAL;
	err = pipe_open_pair(ends, (unsigned int)flags & (O_NONBLOCK | O_DIRECT), &cred);
	if (err)
		return err;
	err = take_numbers(fds, fildes, (unsigned int)flags);
	for (int i = 0; i < 2; i++) {
		if (err)
			fput(ends[i]);
		else
			fd_install(current_files(), (unsigned int)fds[i], ends[i]);
	}
	return err;
}

long sys_pipe(int __user *fildes)
{
	return sys_pipe2(fildes, 0);
}
