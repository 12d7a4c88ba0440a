/* SPDX-License-Identifier: MIT */
/* The files of /proc/pid. */
#include "kernel/base/printf.h"
#include "kernel/base/string.h"
#include "kernel/fs/proc_internal.h"
#include "mm/calls.h"
#include "mm/vma.h"

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
	{ .name = "task",
	  .mode = S_IFDIR | 0555,
	  .iops = &proc_task_dir_iops,
	  .fops = &proc_task_dir_fops,
	  .process_only = true },
	{ .name = "fd",
	  .mode = S_IFDIR | 0500,
	  .iops = &proc_fd_dir_iops,
	  .fops = &proc_fd_dir_fops,
	  .exists = files_known },
	{ .name = "map_files",
	  .mode = S_IFDIR | 0500,
	  .iops = &proc_map_files_iops,
	  .fops = &proc_map_files_fops,
	  .process_only = true },
	{ .name = "fdinfo",
	  .mode = S_IFDIR | 0555,
	  .iops = &proc_fdinfo_dir_iops,
	  .fops = &proc_fdinfo_dir_fops,
	  .exists = files_known },
	{ .name = "environ", .mode = S_IFREG | 0400, .show = proc_show_environ, .private = true },
	{ .name = "auxv", .mode = S_IFREG | 0400, .show = proc_show_auxv, .private = true },
	{ .name = "status", .mode = S_IFREG | 0444, .show = proc_show_status },
	{ .name = "limits", .mode = S_IFREG | 0444, .show = proc_show_limits },
	{ .name = "comm",
	  .mode = S_IFREG | 0644,
	  .show = show_comm,
	  .fops = &proc_comm_fops,
	  .iops = &proc_comm_iops },
	{ .name = "cmdline", .mode = S_IFREG | 0444, .show = proc_show_cmdline },
	{ .name = "stat", .mode = S_IFREG | 0444, .show = proc_show_stat },
	{ .name = "statm", .mode = S_IFREG | 0444, .show = proc_show_statm },
	{ .name = "maps", .mode = S_IFREG | 0444, .fops = &proc_areas_fops, .private = true },
	{ .name = "mem", .mode = S_IFREG | 0600, .fops = &proc_mem_fops, .private = true },
	{ .name = "mountinfo",
	  .mode = S_IFREG | 0444,
	  .fops = &proc_mounts_fops,
	  .show = proc_show_mountinfo },
	{ .name = "mounts",
	  .mode = S_IFREG | 0444,
	  .fops = &proc_mounts_fops,
	  .show = proc_show_mounts },
	{ .name = "clear_refs", .mode = S_IFREG | 0200, .fops = &proc_clear_refs_fops },
	{ .name = "smaps",
	  .mode = S_IFREG | 0444,
	  .show_area = proc_show_smaps_area,
	  .fops = &proc_areas_fops,
	  .private = true },
	{ .name = "smaps_rollup",
	  .mode = S_IFREG | 0444,
	  .show = proc_show_smaps_rollup,
	  .private = true },
	{ .name = "cwd", .mode = S_IFLNK | 0777, .iops = &proc_cwd_iops },
	{ .name = "root", .mode = S_IFLNK | 0777, .iops = &proc_root_link_iops },
	{ .name = "exe", .mode = S_IFLNK | 0777, .iops = &proc_exe_iops },
	{ .name = "oom_score", .mode = S_IFREG | 0444, .show = proc_show_oom_score },
	{ .name = "oom_adj",
	  .mode = S_IFREG | 0644,
	  .show = proc_show_oom_adj,
	  .fops = &proc_oom_adj_fops,
	  .iops = &proc_setting_iops },
	{ .name = "oom_score_adj",
	  .mode = S_IFREG | 0644,
	  .show = proc_show_oom_adj,
	  .fops = &proc_oom_adj_fops,
	  .iops = &proc_setting_iops },
	{ .name = "pagemap", .mode = S_IFREG | 0400, .fops = &proc_pagemap_fops, .private = true },
	{ .name = "fail-nth",
	  .mode = S_IFREG | 0644,
	  .fops = &proc_fail_nth_fops,
	  .exists = proc_has_fail_nth },
	{ .name = "fault", .mode = S_IFREG | 0444, .show = proc_show_fault, .private = true },
	{ .name = "walk", .mode = S_IFREG | 0400, .fops = &proc_walk_fops, .private = true },
};
const unsigned int nr_proc_pid_entries = ARRAY_SIZE(proc_pid_entries);
