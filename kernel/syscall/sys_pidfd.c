/* SPDX-License-Identifier: MIT */
/*
 * Calls about the process that a descriptor stands for: pidfd_open(2), pidfd_getfd(2), process_madvise(2),
 * process_mrelease(2). Its signals are in sys_signal.c, waiting for it in sys_wait.c.
 */
#include "kernel/abi/mman.h"
#include "kernel/process/current.h"
#include "kernel/process/pidfd.h"
#include "kernel/process/ptrace.h"
#include "kernel/syscall/sys_file.h"
#include "mm/calls.h"

#define CAP_SYS_NICE 23

/* The process of that id, held, for it to be opened: -ESRCH, or -EINVAL when the id is no process's. */
static struct pid *hold_process(int nr)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct pid *pid = find_pid(nr);

	if (!pid)
		pid = ERR_PTR(-ESRCH);
	else if (!pid->task || !thread_group_leader(pid->task))
		pid = ERR_PTR(-EINVAL);
	else
		pid_hold(pid);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return pid;
}

long sys_pidfd_open(int nr, unsigned int flags)
{
	struct pidfd_slot slot;
	struct pid *pid;
	unsigned long irq;
	int err;

	if ((flags & ~PIDFD_NONBLOCK) || nr <= 0)
		return -EINVAL;
	pid = hold_process(nr);
	if (IS_ERR(pid))
		return PTR_ERR(pid);
	err = pidfd_prepare(&slot, flags);
	irq = spin_lock_irqsave(&tasklist_lock);
	if (!err)
		pidfd_bind(slot.file, pid);
	pid_drop(pid);
	spin_unlock_irqrestore(&tasklist_lock, irq);
	if (err)
		return err;
	pidfd_install(&slot);
	return slot.fd;
}

/* The file of a pidfd, referenced, and its *pid; or ERR_PTR(-EBADF). */
static struct file *get_pidfd(int fd, struct pid **pid)
{
	struct file *file = fd >= 0 ? fget(current_files(), (unsigned int)fd) : NULL;

	*pid = file ? pidfd_pid(file) : NULL;
	if (*pid)
		return file;
	if (file)
		fput(file);
	return ERR_PTR(-EBADF);
}

/* Whether the process is there, if only as a zombie. */
static bool is_there(const struct pid *pid)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	bool there = pid->task;

	spin_unlock_irqrestore(&tasklist_lock, flags);
	return there;
}

/* The descriptor table of a process into which the caller may look, referenced; NULL: it has none. */
static struct files_struct *files_access(const struct pid *pid)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	const struct task_struct *task = pid->task;
	struct files_struct *files = NULL;

	if (!task)
		files = ERR_PTR(-ESRCH);
	else if (!ptrace_may_access(task, PTRACE_REALCREDS))
		files = ERR_PTR(-EPERM);
	else if (task->files)
		files = files_get(task->files);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return files;
}

/* What that process has open by that number, under a new number here. */
static long dup_from(const struct pid *pid, unsigned int nr)
{
	struct files_struct *files = files_access(pid);
	struct file *file;
	int fd;

	if (IS_ERR(files))
		return PTR_ERR(files);
	file = files ? fget_raw(files, nr) : NULL;
	files_put(files);
	if (!file)
		return -EBADF;
	fd = alloc_fd(current_files(), 0, current_nofile_limit(), true);
	if (fd < 0)
		fput(file);
	else
		fd_install(current_files(), (unsigned int)fd, file);
	return fd;
}

long sys_pidfd_getfd(int fd, int nr, unsigned int flags)
{
	struct file *file;
	struct pid *pid;
	long ret;

	if (flags)
		return -EINVAL;
	file = get_pidfd(fd, &pid);
	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = dup_from(pid, (unsigned int)nr);
	fput(file);
	return ret;
}

long sys_process_mrelease(int fd, unsigned int flags)
{
	struct file *file;
	struct pid *pid;
	long ret;

	if (flags)
		return -EINVAL;
	file = get_pidfd(fd, &pid);
	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = process_release_memory(pid);
	fput(file);
	return ret;
}

/* Advice that can't change what the other program sees. */
static bool is_for_others(int advice)
{
	return advice == MADV_COLD || advice == MADV_PAGEOUT || advice == MADV_WILLNEED ||
	       advice == MADV_COLLAPSE;
}

/* Bytes that the advice was taken for; an error only when there are none. */
static long advise_process(const struct pid *pid, const struct iovec *iov, unsigned long nr,
			   int advice)
{
	struct mm_struct *mm;
	long done = 0;
	int err = 0;

	if (!is_there(pid))
		return -ESRCH;
	if (!is_for_others(advice))
		return -EINVAL;
	mm = mm_access_pid(pid, PTRACE_FSCREDS);
	if (IS_ERR(mm))
		return PTR_ERR(mm);
	if (!capable(CAP_SYS_NICE))
		err = -EPERM;
	for (unsigned long i = 0; i < nr && !err; i++) {
		err = mm_madvise(mm, (unsigned long)iov[i].iov_base, iov[i].iov_len, advice);
		if (!err)
			done += (long)iov[i].iov_len;
	}
	mmput(mm);
	return done ? done : err;
}

long sys_process_madvise(int fd, const struct iovec __user *vec, unsigned long vlen, int advice,
			 unsigned int flags)
{
	struct iovec few[IOV_ON_STACK], *iov;
	struct file *file;
	struct pid *pid;
	ssize_t ret;

	if (flags)
		return -EINVAL;
	iov = iovec_from_user(vec, vlen, few);
	if (IS_ERR(iov))
		return PTR_ERR(iov);
	ret = iovec_total(iov, vlen);
	if (ret >= 0) {
		file = get_pidfd(fd, &pid);
		ret = PTR_ERR(file);
		if (!IS_ERR(file)) {
			ret = advise_process(pid, iov, vlen, advice);
			fput(file);
		}
	}
	iovec_free(iov, few);
	return ret;
}
