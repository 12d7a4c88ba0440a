/* SPDX-License-Identifier: MIT */
/* The files of /proc/pid that show memory and page tables. */
#include "kernel/base/string.h"
#include "kernel/fs/proc_internal.h"
#include "mm/calls.h"
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
		got = access_remote_vm(mm, start, room, n, false);
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
	n = (size_t)show_page_walk(mm->pgd, (unsigned long)*pos, buf, PAGE_SIZE);
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
