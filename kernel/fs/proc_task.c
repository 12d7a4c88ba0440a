/* SPDX-License-Identifier: MIT */
/* The files of /proc/pid. Those about memory hold mmap_lock for reading while they look. */
#include "kernel/base/printf.h"
#include "kernel/base/string.h"
#include "kernel/fs/proc_internal.h"
#include "mm/calls.h"
#include "mm/vma.h"

/* Without the path, which may take PATH_MAX, four times that when it is all newlines. */
#define MAPS_LINE_MAX (128 + 4 * PATH_MAX)

bool proc_maps_line(struct seq_text *seq, const struct vm_area_struct *vma)
{
	char *room = seq_room(seq, MAPS_LINE_MAX);

	if (room)
		seq->len += (size_t)show_map_vma(vma, room, MAPS_LINE_MAX);
	return room;
}

static int show_maps(struct proc_file *pf, struct seq_text *seq)
{
	struct mm_struct *mm = proc_mm_get(pf);
	struct vm_area_struct *vma;

	if (!mm)
		return 0;
	down_read(&mm->mmap_lock);
	for_each_vma(mm, vma) {
		if (!proc_maps_line(seq, vma))
			break;
	}
	up_read(&mm->mmap_lock);
	mmput(mm);
	return 0;
}

/* --- status and statm ---------------------------------------------------------------------- */

struct mem_counts {
	unsigned long size, peak, locked, data, stack; /* pages */
	unsigned long anon, file, shmem, swap, peak_rss;
	unsigned long text, exec; /* bytes */
	unsigned long tables;	  /* bytes */
};

static unsigned long rss_part(const struct mm_struct *mm, enum rss_kind kind)
{
	long pages = atomic_long_read(&mm->rss_stat[kind]);

	return pages > 0 ? (unsigned long)pages : 0;
}

static void count_mm(struct mm_struct *mm, struct mem_counts *c)
{
	unsigned long rss;

	down_read(&mm->mmap_lock);
	c->size = mm->total_vm;
	c->peak = max(mm->hiwater_vm, mm->total_vm);
	c->locked = mm->locked_vm;
	c->data = mm->data_vm;
	c->stack = mm->stack_vm;
	c->anon = rss_part(mm, MM_ANONPAGES);
	c->file = rss_part(mm, MM_FILEPAGES);
	c->shmem = rss_part(mm, MM_SHMEMPAGES);
	c->swap = rss_part(mm, MM_SWAPENTS);
	rss = c->anon + c->file + c->shmem;
	c->peak_rss = max(mm->hiwater_rss, rss);
	c->exec = mm->exec_vm << PAGE_SHIFT;
	c->text = ALIGN_UP(mm->end_code, PAGE_SIZE) - ALIGN_DOWN(mm->start_code, PAGE_SIZE);
	c->tables = (unsigned long)atomic_long_read(&mm->pgtables_bytes);
	up_read(&mm->mmap_lock);
}

static void show_status_mm(struct mm_struct *mm, struct seq_text *seq)
{
	struct mem_counts c;
	unsigned long text;

	count_mm(mm, &c);
	text = min(c.text, c.exec);
	{
		const struct {
			const char *name;
			unsigned long kb;
		} lines[] = {
			{ "VmPeak", c.peak << (PAGE_SHIFT - 10) },
			{ "VmSize", c.size << (PAGE_SHIFT - 10) },
			{ "VmLck", c.locked << (PAGE_SHIFT - 10) },
			{ "VmHWM", c.peak_rss << (PAGE_SHIFT - 10) },
			{ "VmRSS", (c.anon + c.file + c.shmem) << (PAGE_SHIFT - 10) },
			{ "RssAnon", c.anon << (PAGE_SHIFT - 10) },
			{ "RssFile", c.file << (PAGE_SHIFT - 10) },
			{ "RssShmem", c.shmem << (PAGE_SHIFT - 10) },
			{ "VmData", c.data << (PAGE_SHIFT - 10) },
			{ "VmStk", c.stack << (PAGE_SHIFT - 10) },
			{ "VmExe", text >> 10 },
			{ "VmLib", (c.exec - text) >> 10 },
			{ "VmPTE", c.tables >> 10 },
			{ "VmSwap", c.swap << (PAGE_SHIFT - 10) },
		};

		for (unsigned int i = 0; i < ARRAY_SIZE(lines); i++)
			seq_printf(seq, "%s:\t%8lu kB\n", lines[i].name, lines[i].kb);
	}
}

static const char *state_text(char state)
{
	static const char *const states[] = {
		"R (running)",	    "S (sleeping)", "D (disk sleep)", "T (stopped)",
		"t (tracing stop)", "X (dead)",	    "Z (zombie)",     "I (idle)",
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(states); i++)
		if (states[i][0] == state)
			return states[i];
	return "R (running)";
}

/* A name's newlines and backslashes are escaped: lines stay lines. */
static void show_name(struct seq_text *seq, const char *comm)
{
	seq_printf(seq, "Name:\t");
	for (; *comm; comm++) {
		if (*comm == '\n')
			seq_printf(seq, "\\n");
		else if (*comm == '\\')
			seq_printf(seq, "\\\\");
		else
			seq_write(seq, comm, 1);
	}
	seq_printf(seq, "\n");
}

static int show_status(struct proc_file *pf, struct seq_text *seq)
{
	struct proc_task_info info;

	if (!proc_get_task(pf->pid, &info))
		return -ESRCH;
	show_name(seq, info.comm);
	seq_printf(seq, "State:\t%s\n", state_text(info.state));
	seq_printf(seq, "Tgid:\t%d\nPid:\t%d\nPPid:\t%d\n", info.pid, info.pid, info.ppid);
	seq_printf(seq, "Uid:\t%u\t%u\t%u\t%u\n", info.uid[0], info.uid[1], info.uid[2],
		   info.uid[3]);
	seq_printf(seq, "Gid:\t%u\t%u\t%u\t%u\n", info.gid[0], info.gid[1], info.gid[2],
		   info.gid[3]);
	if (info.mm) {
		show_status_mm(info.mm, seq);
		mmput(info.mm);
	}
	return 0;
}

static int show_statm(struct proc_file *pf, struct seq_text *seq)
{
	struct proc_task_info info;
	struct mem_counts c = { 0 };

	if (!proc_get_task(pf->pid, &info))
		return -ESRCH;
	if (info.mm) {
		count_mm(info.mm, &c);
		mmput(info.mm);
	}
	seq_printf(seq, "%lu %lu %lu %lu 0 %lu 0\n", c.size, c.anon + c.file + c.shmem,
		   c.file + c.shmem, c.text >> PAGE_SHIFT, c.data + c.stack);
	return 0;
}

static int show_comm(struct proc_file *pf, struct seq_text *seq)
{
	struct proc_task_info info;

	if (!proc_get_task(pf->pid, &info))
		return -ESRCH;
	if (info.mm)
		mmput(info.mm);
	seq_printf(seq, "%s\n", info.comm);
	return 0;
}

static bool files_known(void)
{
	return proc_tasks && proc_tasks->get_files;
}

const struct proc_entry proc_pid_entries[] = {
	{ .name = "fd",
	  .mode = S_IFDIR | 0500,
	  .iops = &proc_fd_dir_iops,
	  .fops = &proc_fd_dir_fops,
	  .exists = files_known },
	{ .name = "environ", .mode = S_IFREG | 0400, .show = proc_show_environ, .private = true },
	{ .name = "auxv", .mode = S_IFREG | 0400, .show = proc_show_auxv, .private = true },
	{ .name = "status", .mode = S_IFREG | 0444, .show = show_status },
	{ .name = "comm", .mode = S_IFREG | 0444, .show = show_comm },
	{ .name = "cmdline", .mode = S_IFREG | 0444, .show = proc_show_cmdline },
	{ .name = "statm", .mode = S_IFREG | 0444, .show = show_statm },
	{ .name = "maps", .mode = S_IFREG | 0444, .show = show_maps, .private = true },
	{ .name = "smaps", .mode = S_IFREG | 0444, .show = proc_show_smaps, .private = true },
	{ .name = "smaps_rollup",
	  .mode = S_IFREG | 0444,
	  .show = proc_show_smaps_rollup,
	  .private = true },
	{ .name = "exe", .mode = S_IFLNK | 0777, .iops = &proc_exe_iops },
	{ .name = "pagemap", .mode = S_IFREG | 0400, .fops = &proc_pagemap_fops, .private = true },
	{ .name = "walk", .mode = S_IFREG | 0400, .fops = &proc_walk_fops, .private = true },
};
const unsigned int nr_proc_pid_entries = ARRAY_SIZE(proc_pid_entries);
