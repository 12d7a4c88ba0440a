/* SPDX-License-Identifier: MIT */
/*
 * /proc/pid/map_files: for each area that a file stands behind, a link to that file, named by where
 * the area begins and ends. Who may look into the process may read them; only root may go there,
 * since a mapping may outlive the right to open the file, and the file its name.
 */
#include "kernel/base/printf.h"
#include "kernel/base/string.h"
#include "kernel/fs/proc_internal.h"
#include "mm/calls.h"
#include "mm/slab.h"
#include "mm/vma.h"

#define CAP_CHECKPOINT_RESTORE 40

/* What a link's inode has as its entry. */
struct map_link {
	struct proc_entry entry; /* of this link alone */
	unsigned long start, end;
};

/* "START-END" in hexadecimal, as the kernel writes it. */
static bool parse_range(const char *name, unsigned long *start, unsigned long *end)
{
	const char *dash = strchr(name, '-');
	char text[2 * 16 + 2];

	if (!dash || (size_t)(dash - name) > 16)
		return false;
	memcpy(text, name, (size_t)(dash - name));
	text[dash - name] = '\0';
	if (kstrtoul(text, 16, start) || kstrtoul(dash + 1, 16, end))
		return false;
	scnprintf(text, sizeof(text), "%lx-%lx", *start, *end);
	return strcmp(text, name) == 0;
}

/* The process's address space with a user more; or ERR_PTR: -ESRCH, -EACCES, -ENOENT: it has none. */
static struct mm_struct *mm_of(const struct inode *inode)
{
	struct proc_task_info info;

	if (!proc_get_task(proc_pid_of(inode), &info))
		return ERR_PTR(-ESRCH);
	if (info.may_trace)
		return info.mm ? info.mm : ERR_PTR(-ENOENT);
	if (info.mm)
		mmput(info.mm);
	return ERR_PTR(-EACCES);
}

/* The file of the area that is exactly that, or NULL. => mmap_lock */
static struct file *file_of_area(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma = find_vma(mm, start);

	if (!vma || vma->vm_start != start || vma->vm_end != end || !vma->vm_file)
		return NULL;
	return file_of(vma->vm_file);
}

static int map_link_get(struct inode *inode, const struct cred_view *cred, struct link_body *body)
{
	const struct map_link *link = container_of(inode->i_private, struct map_link, entry);
	struct mm_struct *mm = mm_of(inode);
	struct file *file;

	if (IS_ERR(mm))
		return (int)PTR_ERR(mm);
	down_read(&mm->mmap_lock);
	file = file_of_area(mm, link->start, link->end);
	if (file)
		body->jump = dget(file->f_dentry);
	up_read(&mm->mmap_lock);
	mmput(mm);
	if (!cred_capable(cred, CAP_SYS_ADMIN) && !cred_capable(cred, CAP_CHECKPOINT_RESTORE))
		body->follow_err = -EPERM;
	return body->jump ? 0 : -ENOENT;
}

static const struct inode_operations map_link_iops = {
	.get_link = map_link_get,
};

void proc_evict(struct inode *inode)
{
	if (inode->i_op == &map_link_iops)
		kfree(container_of(inode->i_private, struct map_link, entry));
}

/* How the file behind an area is open, as a link's permission bits; 0: there is no such area. */
static umode_t mode_of_area(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	umode_t mode = 0;
	struct file *file;

	down_read(&mm->mmap_lock);
	file = file_of_area(mm, start, end);
	if (file)
		mode = S_IFLNK | (file->f_mode & FMODE_READ ? 0400 : 0) |
		       (file->f_mode & FMODE_WRITE ? 0200 : 0);
	up_read(&mm->mmap_lock);
	return mode;
}

/* Makes the dentry a link; its number is of no meaning. */
static int instantiate_link(struct inode *dir, struct dentry *dentry, const struct map_link *like)
{
	struct map_link *link = kmalloc(sizeof(*link), GFP_KERNEL);
	struct proc_task_info info;
	int err = -ENOENT;

	if (!link)
		return -ENOMEM;
	*link = *like;
	if (proc_get_task(proc_pid_of(dir), &info)) {
		if (info.mm)
			mmput(info.mm);
		err = proc_instantiate(dentry, &link->entry, proc_tag(dir), PROC_MAP_NR, &info);
	}
	if (err)
		kfree(link);
	return err;
}

static int map_files_lookup(struct inode *dir, struct dentry *dentry)
{
	struct map_link like = { .entry.iops = &map_link_iops };
	struct mm_struct *mm = mm_of(dir);

	if (IS_ERR(mm))
		return (int)PTR_ERR(mm);
	if (parse_range(dentry->d_name, &like.start, &like.end))
		like.entry.mode = mode_of_area(mm, like.start, like.end);
	mmput(mm);
	return like.entry.mode ? instantiate_link(dir, dentry, &like) : -ENOENT;
}

/* A position is 2 and where the search goes on, in pages. */
static int map_files_iterate(struct file *file, struct dir_context *ctx)
{
	unsigned long start, end;
	char name[2 * 16 + 2];
	struct mm_struct *mm;
	bool more = true;

	if (!dir_emit_dots(file, ctx))
		return 0;
	mm = mm_of(file->f_inode);
	if (PTR_ERR(mm) == -ENOENT)
		return 0;
	if (IS_ERR(mm))
		return PTR_ERR(mm) == -ESRCH ? -ENOENT : (int)PTR_ERR(mm);
	while (more) {
		struct vm_area_struct *vma;
		int len;

		/* Where the names go may fault: not under the lock. */
		down_read(&mm->mmap_lock);
		vma = find_vma(mm, (unsigned long)(ctx->pos - 2) << PAGE_SHIFT);
		while (vma && !vma->vm_file)
			vma = vma->vm_next;
		start = vma ? vma->vm_start : 0;
		end = vma ? vma->vm_end : 0;
		up_read(&mm->mmap_lock);
		if (!end)
			break;
		len = scnprintf(name, sizeof(name), "%lx-%lx", start, end);
		more = dir_emit(ctx, name, (size_t)len,
				proc_ino(proc_tag(file->f_inode), PROC_MAP_NR), S_IFLNK,
				(loff_t)(end >> PAGE_SHIFT) + 2);
	}
	mmput(mm);
	return 0;
}

const struct inode_operations proc_map_files_iops = {
	.lookup = map_files_lookup,
	.permission = proc_fd_permission,
};

const struct file_operations proc_map_files_fops = {
	.llseek = llseek_no_end,
	.iterate = map_files_iterate,
};
