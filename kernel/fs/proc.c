/* SPDX-License-Identifier: MIT */
/*
 * The file system /proc itself: its directories, and how its text files are opened and read.
 *
 * Dentries and inodes are made by each lookup and are not in the tree, so they are gone when the
 * last user is: nothing of a process outlives it here. A text is made whole at the first read, and
 * again at each read from offset 0, so that small reads and seeks see one consistent text.
 */
#include "kernel/fs/proc_internal.h"

#include "kernel/base/printf.h"
#include "kernel/base/string.h"
#include "mm/calls.h"
#include "mm/slab.h"

const struct proc_task_ops *proc_tasks;
u64 (*proc_idle_ns)(void);

static const struct inode_operations proc_root_iops;
static const struct file_operations proc_root_fops;

void proc_register_tasks(const struct proc_task_ops *ops)
{
	proc_tasks = ops;
}

bool proc_get_task(int pid, struct proc_task_info *info)
{
	return proc_tasks && proc_tasks->get(pid, info);
}

bool proc_task_exists(int pid)
{
	struct proc_task_info info;
	bool exists = proc_get_task(pid, &info);

	if (exists && info.mm)
		mmput(info.mm);
	return exists;
}

bool proc_is_current(int pid)
{
	struct proc_task_info info;
	bool is;

	if (!proc_get_task(pid, &info))
		return false;
	is = info.tgid == proc_tasks->current_pid();
	if (info.mm)
		mmput(info.mm);
	return is;
}

/* --- open files ---------------------------------------------------------------------------- */

/* Keeps the address space of the process as it is now, without keeping its contents alive. */
static int open_task(struct proc_file *pf)
{
	struct proc_task_info info;
	int err = 0;

	if (!proc_get_task(pf->pid, &info))
		return -ESRCH;
	/* What has no memory has nothing to hide, and who shares it knows. */
	if (!info.mm)
		return 0;
	if (pf->entry->private && !info.may_trace && info.mm != current_mm_task()->mm)
		err = -EACCES;
	if (!err) {
		mmgrab(info.mm);
		pf->mm = info.mm;
	}
	mmput(info.mm);
	return err;
}

int proc_open(struct inode *inode, struct file *file)
{
	struct proc_file *pf = kzalloc(sizeof(*pf), GFP_KERNEL);
	int err;

	if (!pf)
		return -ENOMEM;
	mutex_init(&pf->lock);
	pf->entry = inode->i_private;
	pf->pid = proc_pid_of(inode);
	pf->nr = (u32)inode->i_ino - (u32)proc_ino(0, 0);
	pf->thread = proc_tag(inode) & PROC_THREAD;
	pf->frames = file->f_cred.admin;
	if (pf->pid) {
		err = open_task(pf);
		if (err) {
			kfree(pf);
			return err;
		}
	}
	file->private_data = pf;
	return 0;
}

void proc_release(struct file *file)
{
	struct proc_file *pf = file->private_data;

	if (pf->mm)
		mmdrop(pf->mm);
	seq_free(&pf->text);
	kfree(pf);
}

struct mm_struct *proc_mm_get(struct proc_file *pf)
{
	if (!pf->mm || !atomic_inc_not_zero(&pf->mm->mm_users))
		return NULL;
	return pf->mm;
}

/* => pf->lock */
static int make_text(struct proc_file *pf)
{
	int err;

	seq_reset(&pf->text);
	err = pf->entry->show(pf, &pf->text);
	if (!err && pf->text.failed)
		err = -ENOMEM;
	pf->made = !err;
	return err;
}

ssize_t proc_text_read(struct file *file, struct io_iter *to, loff_t *pos)
{
	struct proc_file *pf = file->private_data;
	ssize_t ret = 0;

	mutex_lock(&pf->lock);
	if (!pf->made || *pos == 0)
		ret = make_text(pf);
	if (!ret && (u64)*pos < pf->text.len) {
		size_t n = min(pf->text.len - (size_t)*pos, to->count);

		ret = (ssize_t)copy_to_iter(pf->text.buf + *pos, n, to);
		if (!ret && n)
			ret = -EFAULT;
	}
	mutex_unlock(&pf->lock);
	if (ret > 0)
		*pos += ret;
	return ret;
}

/* A shell's > cuts the file first: there is nothing to cut. */
static int setting_truncate(struct inode *inode, u64 size)
{
	return 0;
}

const struct inode_operations proc_setting_iops = {
	.truncate = setting_truncate,
};

/* What is a process's can't be sent by sendfile(2), but for its mounts. */
static const struct file_operations proc_text_fops = {
	.llseek = llseek_no_end,
	.read_iter = proc_text_read,
	.open = proc_open,
	.release = proc_release,
};

const struct file_operations proc_mounts_fops = {
	.llseek = llseek_no_end,
	.read_iter = proc_text_read,
	.splice = true,
	.open = proc_open,
	.release = proc_release,
};

/* The files that aren't a process's can't be mapped either, but Linux gives this error. */
static int proc_single_mmap(struct file *file, struct vm_area_struct *vma)
{
	return -EIO;
}

static const struct file_operations proc_single_fops = {
	.llseek = llseek_no_end,
	.read_iter = proc_text_read,
	.splice = true,
	.open = proc_open,
	.release = proc_release,
	.mmap = proc_single_mmap,
};

const struct file_operations proc_sysvipc_fops = {
	.llseek = llseek_no_end,
	.read_iter = proc_text_read,
	.open = proc_open,
	.release = proc_release,
	.mmap = proc_single_mmap,
};

/* --- directories --------------------------------------------------------------------------- */

int proc_instantiate(struct dentry *dentry, const struct proc_entry *entry, u32 tag,
		     unsigned int nr, const struct proc_task_info *owner)
{
	struct inode *inode = inode_alloc(dentry->d_sb, entry->mode);

	if (!inode)
		return -ENOMEM;
	inode->i_ino = proc_ino(tag, nr);
	inode->i_tag = tag;
	inode->i_private = entry;
	inode->i_op = entry->iops;
	inode->i_fop = owner ? &proc_text_fops : &proc_single_fops;
	if (entry->fops)
		inode->i_fop = entry->fops;
	if (S_ISDIR(entry->mode))
		inode->i_nlink = 2;
	/* What isn't to be seen is root's; but not the directories that all may read. */
	if (owner && (owner->dumpable || entry->mode == (S_IFDIR | 0555))) {
		inode->i_uid = owner->uid[1];
		inode->i_gid = owner->gid[1];
	}
	d_instantiate(dentry, inode);
	return 0;
}

static bool entry_exists(const struct proc_entry *entry)
{
	return !entry->exists || entry->exists();
}

/* The number of the entry with the dentry's name, or `nr`. */
static unsigned int find_entry(const struct proc_entry *entries, unsigned int nr,
			       const struct dentry *dentry)
{
	for (unsigned int i = 0; i < nr; i++)
		if (strcmp(entries[i].name, dentry->d_name) == 0 && entry_exists(&entries[i]))
			return i;
	return nr;
}

int proc_name_to_number(const char *name, int max)
{
	unsigned long nr = 0;

	if (!*name || (name[0] == '0' && name[1]))
		return -1;
	for (; *name; name++) {
		if (*name < '0' || *name > '9')
			return -1;
		nr = nr * 10 + (unsigned long)(*name - '0');
		if (nr > (unsigned long)max)
			return -1;
	}
	return (int)nr;
}

static const struct proc_entry proc_pid_dir = {
	.mode = S_IFDIR | 0555,
	.iops = &proc_pid_iops,
	.fops = &proc_pid_fops,
};

int proc_dir_pid(const struct file *file)
{
	const struct inode *inode = file->f_inode;

	return file->f_op == &proc_pid_fops && !(proc_tag(inode) & PROC_THREAD) ?
		       proc_pid_of(inode) :
		       0;
}

static int proc_root_lookup(struct inode *dir, struct dentry *dentry)
{
	unsigned int nr = find_entry(proc_root_entries, nr_proc_root_entries, dentry);
	struct proc_task_info info;
	int pid;

	if (nr < nr_proc_root_entries)
		return proc_instantiate(dentry, &proc_root_entries[nr], 0, nr, NULL);
	pid = proc_name_to_number(dentry->d_name, PROC_MAX_PID);
	if (pid <= 0 || !proc_get_task(pid, &info))
		return -ENOENT;
	if (info.mm)
		mmput(info.mm);
	return proc_instantiate(dentry, &proc_pid_dir, (u32)pid, 0, &info);
}

/* Whether a directory about `tag` has the entry. */
static bool in_directory(const struct proc_entry *entry, u32 tag)
{
	return entry_exists(entry) && !((tag & PROC_THREAD) && entry->process_only);
}

static int proc_pid_lookup(struct inode *dir, struct dentry *dentry)
{
	unsigned int nr = find_entry(proc_pid_entries, nr_proc_pid_entries, dentry);
	struct proc_task_info info;

	/* Only by the open directory of a process that is gone one can come so far without it. */
	if (!proc_get_task(proc_pid_of(dir), &info))
		return -ESRCH;
	if (nr == nr_proc_pid_entries || !in_directory(&proc_pid_entries[nr], proc_tag(dir))) {
		if (info.mm)
			mmput(info.mm);
		return -ENOENT;
	}
	if (info.mm)
		mmput(info.mm);
	return proc_instantiate(dentry, &proc_pid_entries[nr], proc_tag(dir), nr + 1, &info);
}

/*
 * Hands out fixed entries, the first of which has the number `first`; position 2 is the first. False
 * when there is no more room.
 */
static bool emit_entries(struct dir_context *ctx, const struct proc_entry *entries, unsigned int nr,
			 u32 tag, unsigned int first)
{
	while (ctx->pos < 2 + (loff_t)nr) {
		unsigned int i = (unsigned int)ctx->pos - 2;
		u64 ino = proc_ino(tag, first + i);

		if (!in_directory(&entries[i], tag))
			ctx->pos++;
		else if (!dir_emit(ctx, entries[i].name, strlen(entries[i].name), ino,
				   entries[i].mode, ctx->pos + 1))
			return false;
	}
	return true;
}

/* Processes follow at this position plus their id. */
#define FIRST_PID_POS 256

static int proc_root_iterate(struct file *file, struct dir_context *ctx)
{
	char name[12];
	int pid;

	if (!dir_emit_dots(file, ctx) ||
	    !emit_entries(ctx, proc_root_entries, nr_proc_root_entries, 0, 0) || !proc_tasks)
		return 0;
	ctx->pos = max(ctx->pos, (loff_t)FIRST_PID_POS);
	while (ctx->pos <= FIRST_PID_POS + 0x7fffffffL &&
	       (pid = proc_tasks->next_pid((int)(ctx->pos - FIRST_PID_POS) - 1)) > 0) {
		int len = scnprintf(name, sizeof(name), "%d", pid);

		if (!dir_emit(ctx, name, (size_t)len, proc_ino((u32)pid, 0), S_IFDIR,
			      FIRST_PID_POS + (loff_t)pid + 1))
			break;
	}
	return 0;
}

static int proc_pid_iterate(struct file *file, struct dir_context *ctx)
{
	if (!proc_task_exists(proc_pid_of(file->f_inode)))
		return -ENOENT;
	if (dir_emit_dots(file, ctx))
		emit_entries(ctx, proc_pid_entries, nr_proc_pid_entries, proc_tag(file->f_inode),
			     1);
	return 0;
}

/* Directories below the root, such as /proc/sys, are the same for everyone. */
static int proc_dir_lookup(struct inode *dir, struct dentry *dentry)
{
	const struct proc_entry *entry = dir->i_private;
	const struct proc_dir *pd = entry->data;
	unsigned int nr = find_entry(pd->entries, pd->nr, dentry);

	if (nr == pd->nr)
		return -ENOENT;
	return proc_instantiate(dentry, &pd->entries[nr], 0, pd->first_ino + nr, NULL);
}

int proc_dir_iterate(struct file *file, struct dir_context *ctx)
{
	const struct proc_entry *entry = file->f_inode->i_private;
	const struct proc_dir *pd = entry->data;

	if (dir_emit_dots(file, ctx))
		emit_entries(ctx, pd->entries, pd->nr, 0, pd->first_ino);
	return 0;
}

const struct inode_operations proc_dir_iops = {
	.lookup = proc_dir_lookup,
};

const struct file_operations proc_dir_fops = {
	.llseek = llseek_no_end,
	.iterate = proc_dir_iterate,
};

static const struct inode_operations proc_root_iops = {
	.lookup = proc_root_lookup,
};

static const struct file_operations proc_root_fops = {
	.llseek = llseek_no_end,
	.iterate = proc_root_iterate,
};

const struct inode_operations proc_pid_iops = {
	.lookup = proc_pid_lookup,
};

const struct file_operations proc_pid_fops = {
	.llseek = llseek_no_end,
	.iterate = proc_pid_iterate,
};

/* --- the file system ----------------------------------------------------------------------- */

static const struct super_operations proc_super_ops = {
	.evict = proc_evict,
};

struct super_block *proc_super(void)
{
	struct super_block *sb = super_alloc("proc", PROC_SUPER_MAGIC, &proc_super_ops);
	struct inode *inode = sb ? inode_alloc(sb, S_IFDIR | 0555) : NULL;

	if (!inode) {
		kfree(sb);
		return NULL;
	}
	sb->s_noexec = true;
	sb->s_fixed_attrs = true;
	inode->i_ino = PROC_ROOT_INO;
	inode->i_op = &proc_root_iops;
	inode->i_fop = &proc_root_fops;
	inode->i_nlink = 2;
	sb->s_root = d_alloc_root(sb, inode);
	if (sb->s_root)
		return sb;
	iput(inode);
	kfree(sb);
	return NULL;
}

void proc_init(void)
{
	struct super_block *sb = proc_super();

	if (!sb || vfs_mount("/proc", sb))
		panic("cannot mount /proc");
}
