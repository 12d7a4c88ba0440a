/* SPDX-License-Identifier: MIT */
/* /proc/pid/task: a directory for each thread; and the name that a thread may give itself. */
#include "kernel/base/printf.h"
#include "kernel/base/string.h"
#include "kernel/fs/proc_internal.h"
#include "mm/calls.h"
#include "mm/slab.h"

static const struct proc_entry thread_dir = {
	.mode = S_IFDIR | 0555,
	.iops = &proc_pid_iops,
	.fops = &proc_pid_fops,
};

static int task_dir_lookup(struct inode *dir, struct dentry *dentry)
{
	int tid = proc_name_to_number(dentry->d_name, PROC_MAX_PID);
	struct proc_task_info info;

	if (tid <= 0 || !proc_get_task(tid, &info))
		return -ENOENT;
	if (info.mm)
		mmput(info.mm);
	if (info.tgid != proc_pid_of(dir))
		return -ENOENT;
	return proc_instantiate(dentry, &thread_dir, PROC_THREAD | (u32)tid, 0, &info);
}

static int task_dir_iterate(struct file *file, struct dir_context *ctx)
{
	char name[12];
	int tid;

	if (!proc_task_exists(proc_pid_of(file->f_inode)))
		return -ENOENT;
	if (!dir_emit_dots(file, ctx))
		return 0;
	while (ctx->pos < 2 + (loff_t)PROC_MAX_PID &&
	       (tid = proc_tasks->next_thread(proc_pid_of(file->f_inode), (int)ctx->pos - 2)) > 0) {
		int len = scnprintf(name, sizeof(name), "%d", tid);

		if (!dir_emit(ctx, name, (size_t)len, proc_ino(PROC_THREAD | (u32)tid, 0), S_IFDIR,
			      (loff_t)tid + 2))
			break;
	}
	return 0;
}

const struct inode_operations proc_task_dir_iops = {
	.lookup = task_dir_lookup,
};

const struct file_operations proc_task_dir_fops = {
	.llseek = llseek_no_end,
	.iterate = task_dir_iterate,
};

/* --- links to the reader itself ------------------------------------------------------------- */

static int number_link(struct link_body *body, int pid, int tid)
{
	if (!pid)
		return -ENOENT;
	body->owned = kmalloc(40, GFP_KERNEL);
	if (!body->owned)
		return -ENOMEM;
	if (tid)
		scnprintf(body->owned, 40, "%d/task/%d", pid, tid);
	else
		scnprintf(body->owned, 40, "%d", pid);
	body->text = body->owned;
	return 0;
}

static int self_get_link(struct inode *inode, const struct cred_view *cred, struct link_body *body)
{
	return number_link(body, proc_tasks ? proc_tasks->current_pid() : 0, 0);
}

static int thread_self_get_link(struct inode *inode, const struct cred_view *cred,
				struct link_body *body)
{
	return number_link(body, proc_tasks ? proc_tasks->current_pid() : 0,
			   proc_tasks ? proc_tasks->current_tid() : 0);
}

const struct inode_operations proc_self_iops = {
	.get_link = self_get_link,
};

const struct inode_operations proc_thread_self_iops = {
	.get_link = thread_self_get_link,
};

/* --- comm ---------------------------------------------------------------------------------- */

#define COMM_SIZE 16

/* As with prctl(PR_SET_NAME), but of any thread of one's own process. */
static ssize_t comm_write(struct file *file, struct io_iter *from, loff_t *pos)
{
	const struct proc_file *pf = file->private_data;
	size_t count = from->count, n = min(count, (size_t)COMM_SIZE - 1);
	char comm[COMM_SIZE] = "";
	int err;

	if (copy_from_iter(comm, n, from) != n)
		return -EFAULT;
	err = proc_tasks->set_comm(pf->pid, comm);
	return err ? err : (ssize_t)count;
}

/* A thread's name is open to all threads of its process, whoever owns the file. */
static int comm_permission(const struct inode *inode, const struct cred_view *cred,
			   unsigned int mask)
{
	if ((proc_tag(inode) & PROC_THREAD) && !(mask & MAY_EXEC) &&
	    proc_is_current(proc_pid_of(inode)))
		return 0;
	return generic_permission(inode, cred, mask);
}

const struct inode_operations proc_comm_iops = {
	.permission = comm_permission,
};

const struct file_operations proc_comm_fops = {
	.llseek = llseek_no_end,
	.read_iter = proc_text_read,
	.write_iter = comm_write,
	.open = proc_open,
	.release = proc_release,
};
