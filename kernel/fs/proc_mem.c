/* SPDX-License-Identifier: MIT */
/* The files of /proc/pid that show memory and page tables. */
#include "kernel/base/string.h"
#include "kernel/fs/proc_internal.h"
#include "mm/calls.h"
#include "mm/gup.h"
#include "mm/slab.h"

/* --- strings and vectors of a new program -------------------------------------------------- */

/* Appends [start, end) of the program's memory, as far as it can be reached. */
static void show_memory(struct mm_struct *mm, unsigned long start, unsigned long end,
			struct seq_text *seq)
{
	while (start < end) {
		size_t n = min(end - start, PAGE_SIZE), got;
		char *room = seq_room(seq, n);

		if (!room)
			break;
		got = access_remote_vm(mm, start, room, n, FOLL_ANON);
		seq->len += got;
		if (got < n)
			break;
		start += n;
	}
}

int proc_show_cmdline(struct proc_file *pf, struct seq_text *seq)
{
	struct proc_task_info info;

	if (!proc_get_task(pf->pid, &info))
		return -ESRCH;
	if (info.mm) {
		show_memory(info.mm, info.mm->arg_start, info.mm->arg_end, seq);
		mmput(info.mm);
	}
	return 0;
}

int proc_show_environ(struct proc_file *pf, struct seq_text *seq)
{
	struct mm_struct *mm = proc_mm_get(pf);

	if (mm) {
		show_memory(mm, mm->env_start, mm->env_end, seq);
		mmput(mm);
	}
	return 0;
}

int proc_show_auxv(struct proc_file *pf, struct seq_text *seq)
{
	struct mm_struct *mm = proc_mm_get(pf);
	unsigned int words = 0;

	if (!mm)
		return 0;
	/* Up to and with the pair AT_NULL. */
	do
		words += 2;
	while (words < AUXV_MAX && mm->saved_auxv[words - 2]);
	seq_write(seq, mm->saved_auxv, words * sizeof(unsigned long));
	mmput(mm);
	return 0;
}

/* --- mem ----------------------------------------------------------------------------------- */

/* One buffer's part. Bytes moved, or -errno although some may have been, as in Linux. */
static ssize_t mem_rw_segment(struct mm_struct *mm, char *buf, size_t count, struct io_iter *iter,
			      loff_t *pos, bool write)
{
	unsigned int flags = FOLL_FORCE | (write ? FOLL_WRITE : 0);
	ssize_t copied = 0;

	while (count && !current_mm_task()->kill_pending) {
		size_t n = min(count, PAGE_SIZE), done;

		if (write && copy_from_iter(buf, n, iter) != n)
			return -EFAULT;
		done = access_remote_vm(mm, (unsigned long)*pos, buf, n, flags);
		if (!done)
			return copied ? copied : -EIO;
		if (!write && copy_to_iter(buf, done, iter) != done)
			return -EFAULT;
		*pos += (loff_t)done;
		copied += (ssize_t)done;
		if (done < n)
			break;
		count -= n;
	}
	return copied;
}

/* A position is an address. Of an address space that nobody uses any more there is nothing. */
static ssize_t mem_rw(struct file *file, struct io_iter *iter, loff_t *pos, bool write)
{
	struct proc_file *pf = file->private_data;
	ssize_t done = 0, got;
	struct mm_struct *mm;
	char *buf;

	if (!pf->mm)
		return 0;
	buf = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	mm = proc_mm_get(pf);
	while (mm && iter->count) {
		size_t n = iter_single_seg_count(iter);

		got = mem_rw_segment(mm, buf, n, iter, pos, write);
		if (got > 0 || !done)
			done += got;
		if (got < (ssize_t)n)
			break;
	}
	if (mm)
		mmput(mm);
	kfree(buf);
	return done;
}

static ssize_t mem_read(struct file *file, struct io_iter *to, loff_t *pos)
{
	return mem_rw(file, to, pos, false);
}

static ssize_t mem_write(struct file *file, struct io_iter *from, loff_t *pos)
{
	return mem_rw(file, from, pos, true);
}

/* Any 64 bits are a position, also those that look like an error. */
static loff_t mem_lseek(struct file *file, loff_t offset, int whence)
{
	switch (whence) {
	case SEEK_SET:
		file->f_pos = offset;
		break;
	case SEEK_CUR:
		file->f_pos = (loff_t)((u64)file->f_pos + (u64)offset);
		break;
	default:
		return -EINVAL;
	}
	return file->f_pos;
}

static int mem_open(struct inode *inode, struct file *file)
{
	file->f_mode |= FMODE_UNSIGNED_OFFSET;
	return proc_open(inode, file);
}

const struct file_operations proc_mem_fops = {
	.llseek = mem_lseek,
	.read_iter = mem_read,
	.write_iter = mem_write,
	.open = mem_open,
	.release = proc_release,
};

/* --- pagemap ------------------------------------------------------------------------------- */

#define PAGEMAP_BATCH 64

/* As Linux's: 8 bytes a page, at 8 times the page's number. */
static ssize_t pagemap_read(struct file *file, struct io_iter *to, loff_t *pos)
{
	struct proc_file *pf = file->private_data;
	struct mm_struct *mm = proc_mm_get(pf);
	u64 entries[PAGEMAP_BATCH];
	unsigned long vpn, last = TASK_SIZE >> PAGE_SHIFT;
	ssize_t done = 0;

	if (!mm)
		return 0;
	if (*pos % 8 || to->count % 8) {
		done = -EINVAL;
		goto out;
	}
	for (vpn = (unsigned long)*pos / 8; to->count && vpn < last;) {
		unsigned long nr = min(to->count / 8, min(last - vpn, (size_t)PAGEMAP_BATCH));
		size_t got;

		down_read(&mm->mmap_lock);
		for (unsigned long i = 0; i < nr; i++)
			entries[i] = pagemap_entry(mm, (vpn + i) << PAGE_SHIFT, pf->frames);
		up_read(&mm->mmap_lock);
		got = copy_to_iter(entries, nr * 8, to);
		done += (ssize_t)got;
		if (got < nr * 8) {
			if (!done)
				done = -EFAULT;
			break;
		}
		vpn += nr;
		if (current_mm_task()->kill_pending)
			break;
	}
	if (done > 0)
		*pos += done;
out:
	mmput(mm);
	return done;
}

const struct file_operations proc_pagemap_fops = {
	.llseek = llseek_no_end,
	.read_iter = pagemap_read,
	.open = proc_open,
	.release = proc_release,
};

/* --- walk ---------------------------------------------------------------------------------- */

static ssize_t walk_read(struct file *file, struct io_iter *to, loff_t *pos)
{
	struct proc_file *pf = file->private_data;
	struct mm_struct *mm;
	char *buf;
	size_t n;
	ssize_t ret;

	/* Only a sequential read brings the file's own position: pread() makes its text anew. */
	if (pos == &file->f_pos && *pos && *pos == pf->walk_end)
		return 0;
	if ((unsigned long)*pos >= TASK_SIZE)
		return -EINVAL;
	mm = proc_mm_get(pf);
	if (!mm)
		return 0;
	buf = kmalloc(PAGE_SIZE, GFP_KERNEL);
	if (!buf) {
		mmput(mm);
		return -ENOMEM;
	}
	down_read(&mm->mmap_lock);
	/* Where no area is, somebody may be taking tables out. */
	spin_lock(&mm->page_table_lock);
	n = (size_t)show_page_walk(mm->context.pgd, (unsigned long)*pos, buf, PAGE_SIZE);
	spin_unlock(&mm->page_table_lock);
	up_read(&mm->mmap_lock);
	mmput(mm);
	n = min(min(n, PAGE_SIZE - 1), to->count);
	ret = (ssize_t)copy_to_iter(buf, n, to);
	kfree(buf);
	if (!ret && n)
		return -EFAULT;
	*pos += ret;
	if (pos == &file->f_pos)
		pf->walk_end = *pos;
	return ret;
}

const struct file_operations proc_walk_fops = {
	.llseek = llseek_no_end,
	.read_iter = walk_read,
	.open = proc_open,
	.release = proc_release,
};
