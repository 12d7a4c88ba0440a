/* SPDX-License-Identifier: MIT */
/*
 * Files of /proc/pid with a part for each area: maps and smaps. A read makes about a page of text, of
 * whole parts, and the next one goes on with the area that is there then: there may be 65530 areas, and
 * who reads a page of it neither waits for all of them nor holds others up for so long.
 */
#include "kernel/fs/proc_internal.h"
#include "mm/calls.h"
#include "mm/vma.h"

/* Without the path, which may take PATH_MAX, four times that when it is all newlines. */
#define MAPS_LINE_MAX (128 + 4 * PATH_MAX)

/* => pf->lock. Nothing of the text is left to give out. */
static bool all_given(const struct proc_file *pf)
{
	return pf->given == pf->text.len;
}

static void rewind_areas(struct proc_file *pf)
{
	seq_reset(&pf->text);
	pf->given = 0;
	pf->next_area = 0;
	pf->areas_pos = 0;
}

/* Adds the area's part; false when memory ran out. => mmap_lock */
static bool add_area(struct proc_file *pf, struct vm_area_struct *vma)
{
	char *room = seq_room(&pf->text, MAPS_LINE_MAX);

	if (!room)
		return false;
	pf->text.len += (size_t)show_map_vma(vma, room, MAPS_LINE_MAX);
	if (pf->entry->show_area)
		pf->entry->show_area(&pf->text, vma);
	return !pf->text.failed;
}

/* => pf->lock, mmap_lock. Areas from pf->next_area on, until there are `enough` bytes or a page. */
static int add_areas(struct proc_file *pf, struct mm_struct *mm, size_t enough)
{
	struct vm_area_struct *vma = find_vma(mm, pf->next_area);

	while (vma && pf->text.len < enough) {
		size_t before = pf->text.len;

		if (!add_area(pf, vma))
			return -ENOMEM;
		if (before && pf->text.len > PAGE_SIZE) {
			pf->text.len = before;
			break;
		}
		vma = vma->vm_next;
		pf->next_area = vma ? vma->vm_start : TASK_SIZE;
	}
	return 0;
}

/* => pf->lock. 0 with no text at the end. */
static int make_areas(struct proc_file *pf, size_t enough)
{
	struct mm_struct *mm = proc_mm_get(pf);
	int err;

	seq_reset(&pf->text);
	pf->given = 0;
	if (!mm)
		return proc_task_exists(pf->pid) ? 0 : -ESRCH;
	down_read(&mm->mmap_lock);
	err = add_areas(pf, mm, enough);
	up_read(&mm->mmap_lock);
	mmput(mm);
	if (err)
		rewind_areas(pf);
	return err;
}

/* => pf->lock. Goes to where the reader has gone; behind the end if there isn't so much. */
static int seek_areas(struct proc_file *pf, loff_t pos)
{
	rewind_areas(pf);
	while (pf->areas_pos < pos) {
		size_t n;

		if (all_given(pf)) {
			int err = make_areas(pf, PAGE_SIZE);

			if (err)
				return err;
			if (!pf->text.len)
				break;
		}
		n = min(pf->text.len - pf->given, (size_t)(pos - pf->areas_pos));
		pf->given += n;
		pf->areas_pos += (loff_t)n;
	}
	pf->areas_pos = pos;
	return 0;
}

/* => pf->lock. Gives out what there is of the text: bytes, or -EFAULT. */
static ssize_t give(struct proc_file *pf, struct io_iter *to)
{
	size_t n = min(pf->text.len - pf->given, to->count), done;

	done = copy_to_iter(pf->text.buf + pf->given, n, to);
	pf->given += done;
	pf->areas_pos += (loff_t)done;
	return n && !done ? -EFAULT : (ssize_t)done;
}

/* => pf->lock. What is left of the last text, and then, if that isn't enough, one more. */
static ssize_t read_areas(struct proc_file *pf, struct io_iter *to)
{
	ssize_t left = 0, more;
	int err;

	if (!all_given(pf))
		left = give(pf, to);
	if (left < 0 || !to->count || !all_given(pf))
		return left;
	err = make_areas(pf, to->count);
	more = err ? err : give(pf, to);
	return more < 0 && !left ? more : left + max(more, (ssize_t)0);
}

static ssize_t areas_read(struct file *file, struct io_iter *to, loff_t *pos)
{
	struct proc_file *pf = file->private_data;
	ssize_t ret = 0;

	mutex_lock(&pf->lock);
	if (!*pos || *pos != pf->areas_pos)
		ret = seek_areas(pf, *pos);
	if (!ret)
		ret = read_areas(pf, to);
	if (ret > 0)
		*pos += ret;
	mutex_unlock(&pf->lock);
	return ret;
}

const struct file_operations proc_areas_fops = {
	.llseek = llseek_no_end,
	.read_iter = areas_read,
	.open = proc_open,
	.release = proc_release,
};
