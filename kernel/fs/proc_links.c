/* SPDX-License-Identifier: MIT */
/* /proc/pid/exe and /proc/pid/fd: links that lead to files themselves and not to a name of them. */
#include "kernel/base/printf.h"
#include "kernel/base/string.h"
#include "kernel/fs/proc_internal.h"
#include "mm/calls.h"

static int exe_get_link(struct inode *inode, const struct cred_view *cred, struct link_body *body)
{
	struct proc_task_info info;
	int err;

	if (!proc_get_task((int)inode->i_tag, &info))
		return -ESRCH;
	err = proc_may_access(&info, cred);
	if (!info.mm)
		return err ? err : -ENOENT;
	down_read(&info.mm->mmap_lock);
	if (!err && info.mm->exe_file)
		body->jump = dget(file_of(info.mm->exe_file)->f_dentry);
	up_read(&info.mm->mmap_lock);
	mmput(info.mm);
	return err || body->jump ? err : -ENOENT;
}

const struct inode_operations proc_exe_iops = {
	.get_link = exe_get_link,
};

/* The descriptor table of a directory /proc/pid/fd's process, if `cred` may see it. */
static struct files_struct *files_of(const struct inode *inode, const struct cred_view *cred)
{
	struct proc_task_info info;
	struct files_struct *files;
	int err;

	if (!proc_get_task((int)inode->i_tag, &info))
		return ERR_PTR(-ENOENT);
	err = cred ? proc_may_access(&info, cred) : 0;
	if (info.mm)
		mmput(info.mm);
	if (err)
		return ERR_PTR(err);
	files = proc_tasks->get_files((int)inode->i_tag);
	return files ? files : ERR_PTR(-ENOENT);
}

static int fd_get_link(struct inode *inode, const struct cred_view *cred, struct link_body *body)
{
	struct files_struct *files = files_of(inode, cred);
	struct file *file;

	if (IS_ERR(files))
		return (int)PTR_ERR(files);
	file = fget_raw(files, (unsigned int)inode->i_ino - (0x100 + PROC_FD_NR));
	files_put(files);
	if (!file)
		return -ENOENT;
	body->jump = dget(file->f_dentry);
	fput(file);
	return 0;
}

static const struct inode_operations fd_link_iops = {
	.get_link = fd_get_link,
};

/* A link's permission bits say how the file is open: all four combinations. */
static const struct proc_entry fd_links[] = {
	{ .mode = S_IFLNK, .iops = &fd_link_iops },
	{ .mode = S_IFLNK | 0500, .iops = &fd_link_iops },
	{ .mode = S_IFLNK | 0300, .iops = &fd_link_iops },
	{ .mode = S_IFLNK | 0700, .iops = &fd_link_iops },
};

static int fd_dir_lookup(struct inode *dir, struct dentry *dentry)
{
	struct files_struct *files;
	struct proc_task_info info;
	struct file *file = NULL;
	unsigned long fd;
	const char *name = dentry->d_name;
	unsigned int how;

	/* The permission is that of the directory, which is the owner's only. */
	if ((name[0] == '0' && name[1]) || name[0] < '0' || name[0] > '9' ||
	    kstrtoul(name, 10, &fd) || fd >= NR_OPEN_MAX)
		return -ENOENT;
	files = files_of(dir, NULL);
	if (IS_ERR(files))
		return -ENOENT;
	file = fget_raw(files, (unsigned int)fd);
	files_put(files);
	if (!file)
		return -ENOENT;
	how = (file->f_mode & FMODE_READ ? 1U : 0) | (file->f_mode & FMODE_WRITE ? 2U : 0);
	fput(file);
	if (!proc_get_task((int)dir->i_tag, &info))
		return -ENOENT;
	if (info.mm)
		mmput(info.mm);
	return proc_instantiate(dentry, &fd_links[how],
				proc_ino((int)dir->i_tag, PROC_FD_NR + (unsigned int)fd),
				(int)dir->i_tag, &info);
}

static int fd_dir_iterate(struct file *file, struct dir_context *ctx)
{
	struct files_struct *files;
	char name[12];
	int fd;

	if (!dir_emit_dots(file, ctx))
		return 0;
	files = files_of(file->f_inode, &file->f_cred);
	if (IS_ERR(files))
		return (int)PTR_ERR(files);
	while (ctx->pos < 2 + (loff_t)NR_OPEN_MAX &&
	       (fd = fd_next_open(files, (unsigned int)ctx->pos - 2)) >= 0) {
		int len = scnprintf(name, sizeof(name), "%d", fd);

		if (!dir_emit(ctx, name, (size_t)len,
			      proc_ino((int)file->f_inode->i_tag, PROC_FD_NR + (unsigned int)fd),
			      S_IFLNK, (loff_t)fd + 3))
			break;
	}
	files_put(files);
	return 0;
}

const struct inode_operations proc_fd_dir_iops = {
	.lookup = fd_dir_lookup,
};

const struct file_operations proc_fd_dir_fops = {
	.llseek = llseek_no_end,
	.iterate = fd_dir_iterate,
};
