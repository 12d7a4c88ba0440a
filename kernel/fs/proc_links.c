/* SPDX-License-Identifier: MIT */
/*
 * /proc/pid/exe, cwd, root and fd: links that lead to files themselves and not to a name of them; and
 * fdinfo, what is known of each opening.
 */
#include "kernel/base/printf.h"
#include "kernel/base/string.h"
#include "kernel/fs/proc_internal.h"
#include "mm/calls.h"

static int exe_get_link(struct inode *inode, const struct cred_view *cred, struct link_body *body)
{
	struct proc_task_info info;
	int err;

	if (!proc_get_task(proc_pid_of(inode), &info))
		return -ESRCH;
	err = info.may_trace ? 0 : -EACCES;
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

/* The root or current directory. */
static int fs_get_link(struct inode *inode, const struct cred_view *cred, struct link_body *body,
		       bool root)
{
	struct proc_task_info info;
	struct fs_context *fs;

	if (!proc_get_task(proc_pid_of(inode), &info))
		return -ESRCH;
	if (info.mm)
		mmput(info.mm);
	if (!info.may_trace)
		return -EACCES;
	fs = proc_tasks->get_fs(proc_pid_of(inode));
	if (!fs)
		return -ENOENT;
	spin_lock(&fs->lock);
	body->jump = dget(root ? fs->root : fs->cwd);
	spin_unlock(&fs->lock);
	fs_context_put(fs);
	return 0;
}

static int cwd_get_link(struct inode *inode, const struct cred_view *cred, struct link_body *body)
{
	return fs_get_link(inode, cred, body, false);
}

static int root_get_link(struct inode *inode, const struct cred_view *cred, struct link_body *body)
{
	return fs_get_link(inode, cred, body, true);
}

const struct inode_operations proc_cwd_iops = {
	.get_link = cwd_get_link,
};

const struct inode_operations proc_root_link_iops = {
	.get_link = root_get_link,
};

/* The descriptor table of a directory /proc/pid/fd's process; with `check` only if it may be seen. */
static struct files_struct *files_of(const struct inode *inode, bool check)
{
	struct proc_task_info info;
	struct files_struct *files;

	if (!proc_get_task(proc_pid_of(inode), &info))
		return ERR_PTR(-ENOENT);
	if (info.mm)
		mmput(info.mm);
	if (check && !info.may_trace)
		return ERR_PTR(-EACCES);
	files = proc_tasks->get_files(proc_pid_of(inode));
	return files ? files : ERR_PTR(-ENOENT);
}

static int fd_get_link(struct inode *inode, const struct cred_view *cred, struct link_body *body)
{
	struct files_struct *files = files_of(inode, true);
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

/*
 * What a directory's process has open by the number that the name says, referenced; or ERR_PTR. The
 * permission is that of the directory, which is the owner's only.
 */
static struct file *find_open(const struct inode *dir, const char *name, unsigned int *fd)
{
	int nr = proc_name_to_number(name, NR_OPEN_MAX - 1);
	struct files_struct *files;
	struct file *file;

	if (nr < 0)
		return ERR_PTR(-ENOENT);
	*fd = (unsigned int)nr;
	files = files_of(dir, false);
	if (IS_ERR(files))
		return ERR_PTR(-ENOENT);
	file = fget_raw(files, *fd);
	files_put(files);
	return file ? file : ERR_PTR(-ENOENT);
}

/* Makes the dentry one about descriptor `fd` of the directory's process. */
static int instantiate_fd(const struct inode *dir, struct dentry *dentry,
			  const struct proc_entry *entry, unsigned int nr)
{
	struct proc_task_info info;

	if (!proc_get_task(proc_pid_of(dir), &info))
		return -ENOENT;
	if (info.mm)
		mmput(info.mm);
	return proc_instantiate(dentry, entry, proc_tag(dir), nr, &info);
}

static int fd_dir_lookup(struct inode *dir, struct dentry *dentry)
{
	unsigned int fd, how;
	struct file *file = find_open(dir, dentry->d_name, &fd);

	if (IS_ERR(file))
		return (int)PTR_ERR(file);
	how = (file->f_mode & FMODE_READ ? 1U : 0) | (file->f_mode & FMODE_WRITE ? 2U : 0);
	fput(file);
	return instantiate_fd(dir, dentry, &fd_links[how], PROC_FD_NR + fd);
}

/* The numbers that are open, as entries of that kind from number `first` on. */
static int iterate_open(struct file *file, struct dir_context *ctx, unsigned int first,
			umode_t kind)
{
	struct files_struct *files;
	char name[12];
	int fd;

	if (!proc_task_exists(proc_pid_of(file->f_inode)))
		return -ENOENT;
	if (!dir_emit_dots(file, ctx))
		return 0;
	files = files_of(file->f_inode, false);
	if (IS_ERR(files))
		return (int)PTR_ERR(files);
	while (ctx->pos < 2 + (loff_t)NR_OPEN_MAX &&
	       (fd = fd_next_open(files, (unsigned int)ctx->pos - 2)) >= 0) {
		int len = scnprintf(name, sizeof(name), "%d", fd);
		u64 ino = proc_ino(proc_tag(file->f_inode), first + (unsigned int)fd);

		if (!dir_emit(ctx, name, (size_t)len, ino, kind, (loff_t)fd + 3))
			break;
	}
	files_put(files);
	return 0;
}

static int fd_dir_iterate(struct file *file, struct dir_context *ctx)
{
	return iterate_open(file, ctx, PROC_FD_NR, S_IFLNK);
}

int proc_fd_permission(const struct inode *inode, const struct cred_view *cred, unsigned int mask)
{
	int err = generic_permission(inode, cred, mask);

	return err && proc_is_current(proc_pid_of(inode)) ? 0 : err;
}

const struct inode_operations proc_fd_dir_iops = {
	.lookup = fd_dir_lookup,
	.permission = proc_fd_permission,
};

const struct file_operations proc_fd_dir_fops = {
	.llseek = llseek_no_end,
	.iterate = fd_dir_iterate,
};

/* --- fdinfo -------------------------------------------------------------------------------- */

static int show_fdinfo(struct proc_file *pf, struct seq_text *seq)
{
	struct files_struct *files = proc_tasks->get_files(pf->pid);
	unsigned int fd = pf->nr - PROC_FDINFO_NR;
	struct file *file;
	int cloexec;

	if (!files)
		return -ENOENT;
	file = fget_raw(files, fd);
	cloexec = fd_get_cloexec(files, fd);
	files_put(files);
	if (!file)
		return -ENOENT;
	seq_printf(seq, "pos:\t%ld\nflags:\t0%o\nino:\t%lu\n", READ_ONCE(file->f_pos),
		   file->f_flags | (cloexec > 0 ? O_CLOEXEC : 0), file->f_inode->i_ino);
	if (file->f_op && file->f_op->show_fdinfo)
		file->f_op->show_fdinfo(file, seq);
	fput(file);
	return 0;
}

static const struct proc_entry fdinfo_entry = {
	.mode = S_IFREG | 0444,
	.show = show_fdinfo,
	.private = true,
};

static int fdinfo_dir_lookup(struct inode *dir, struct dentry *dentry)
{
	unsigned int fd;
	struct file *file = find_open(dir, dentry->d_name, &fd);

	if (IS_ERR(file))
		return (int)PTR_ERR(file);
	fput(file);
	return instantiate_fd(dir, dentry, &fdinfo_entry, PROC_FDINFO_NR + fd);
}

static int fdinfo_dir_iterate(struct file *file, struct dir_context *ctx)
{
	return iterate_open(file, ctx, PROC_FDINFO_NR, S_IFREG);
}

const struct inode_operations proc_fdinfo_dir_iops = {
	.lookup = fdinfo_dir_lookup,
};

/* Unlike fd, all may read it by its mode. */
static int fdinfo_dir_open(struct inode *inode, struct file *file)
{
	struct files_struct *files = files_of(inode, true);

	if (!IS_ERR(files))
		files_put(files);
	return PTR_ERR(files) == -EACCES ? -EACCES : 0;
}

const struct file_operations proc_fdinfo_dir_fops = {
	.llseek = llseek_no_end,
	.open = fdinfo_dir_open,
	.iterate = fdinfo_dir_iterate,
};
