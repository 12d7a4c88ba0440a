/* SPDX-License-Identifier: MIT */
#include "kernel/process/pidfd.h"

#include "kernel/fs/anon_inode.h"
#include "kernel/fs/poll.h"
#include "kernel/fs/seq.h"
#include "kernel/process/current.h"

/* => tasklist_lock. Whether all threads have ended; the process may have been waited for. */
static bool has_ended(const struct pid *pid)
{
	const struct task_struct *task = pid->task;

	return !task || (task->zombie && thread_group_empty(task->signal));
}

static u32 pidfd_poll(struct file *file, struct poll_table *pt)
{
	struct pid *pid = file->private_data;
	unsigned long flags;
	bool ended;

	poll_wait(file, &pid->wait, pt);
	flags = spin_lock_irqsave(&tasklist_lock);
	ended = has_ended(pid);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return ended ? POLLIN | POLLRDNORM : 0;
}

static void pidfd_release(struct file *file)
{
	struct pid *pid = file->private_data;
	unsigned long flags;

	if (!pid)
		return; /* it came to nothing */
	flags = spin_lock_irqsave(&tasklist_lock);
	pid_drop(pid);
	spin_unlock_irqrestore(&tasklist_lock, flags);
}

static void pidfd_show_fdinfo(struct file *file, struct seq_text *seq)
{
	const struct pid *pid = file->private_data;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	int nr = pid->task ? pid->nr : -1;

	spin_unlock_irqrestore(&tasklist_lock, flags);
	seq_printf(seq, "Pid:\t%d\nNSpid:\t%d\n", nr, nr);
}

static const struct file_operations pidfd_fops = {
	.poll = pidfd_poll,
	.release = pidfd_release,
	.show_fdinfo = pidfd_show_fdinfo,
};

struct file *pidfd_file(unsigned int flags)
{
	struct cred_view cred = current_cred_view();

	return anon_inode_getfile("[pidfd]", &pidfd_fops, NULL, O_RDWR | flags, &cred);
}

void pidfd_bind(struct file *file, struct pid *pid)
{
	file->private_data = pid_hold(pid);
}

struct pid *pidfd_pid(const struct file *file)
{
	return file->f_op == &pidfd_fops ? file->private_data : NULL;
}

int pidfd_prepare(struct pidfd_slot *slot, unsigned int flags)
{
	slot->fd = alloc_fd(current_files(), 0, current_nofile_limit(), true);
	if (slot->fd < 0)
		return slot->fd;
	slot->file = pidfd_file(flags);
	if (!IS_ERR(slot->file))
		return 0;
	put_unused_fd(current_files(), (unsigned int)slot->fd);
	slot->fd = -1;
	return (int)PTR_ERR(slot->file);
}

void pidfd_cancel(const struct pidfd_slot *slot)
{
	if (slot->fd < 0)
		return;
	put_unused_fd(current_files(), (unsigned int)slot->fd);
	fput(slot->file);
}

void pidfd_install(const struct pidfd_slot *slot)
{
	if (slot->fd >= 0)
		fd_install(current_files(), (unsigned int)slot->fd, slot->file);
}
