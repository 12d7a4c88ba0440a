/* SPDX-License-Identifier: MIT */
/* What the files of /proc share: proc.c knows how to open and read them, the others their texts. */
#ifndef KERNEL_FS_PROC_INTERNAL_H
#define KERNEL_FS_PROC_INTERNAL_H

#include "kernel/fs/proc.h"
#include "kernel/fs/seq.h"

struct proc_file;

/* One name in /proc or in /proc/pid. */
struct proc_entry {
	const char *name;
	umode_t mode;
	/* Writes the whole text, or returns -errno. */
	int (*show)(struct proc_file *pf, struct seq_text *seq);
	/* With proc_areas_fops: what follows an area's line of maps. => mmap_lock */
	void (*show_area)(struct seq_text *seq, struct vm_area_struct *vma);
	/* Instead of show, where an offset means something else. */
	const struct file_operations *fops;
	const struct inode_operations *iops; /* links and directories */
	bool private;	      /* only for who might trace the process: -EACCES for others */
	bool process_only;    /* not in /proc/pid/task/tid */
	bool (*exists)(void); /* NULL: always */
	const void *data;     /* the entry's own: a struct proc_dir, a struct sysctl */
};

/* A directory of fixed names, below the root: data of its entry. */
struct proc_dir {
	const struct proc_entry *entries;
	unsigned int nr;
	unsigned int first_ino; /* the number of its first entry: see proc_ino() */
};
extern const struct inode_operations proc_dir_iops;
extern const struct file_operations proc_dir_fops;
int proc_dir_iterate(struct file *file, struct dir_context *ctx);
extern const struct proc_dir proc_sys_dir, proc_trace_dir;
extern const struct file_operations proc_trace_dir_fops;

/* An open file of /proc: file->private_data. */
struct proc_file {
	struct mutex lock; /* the text; taken before mmap_lock */
	struct seq_text text;
	bool made;
	const struct proc_entry *entry;
	unsigned int nr; /* of the entry in its directory */
	int pid;
	bool thread;	      /* of /proc/pid/task/tid: about the thread alone */
	struct mm_struct *mm; /* of the process at open, mmgrab()'ed; NULL without one */
	bool frames;	      /* opened by root: may know of physical addresses */
	loff_t walk_end;      /* walk: where the position stands after the last text */
	/* maps, smaps: where the next area is, how much of `text` was read, and the position behind that. */
	unsigned long next_area;
	size_t given;
	loff_t areas_pos;
};

extern const struct proc_entry proc_root_entries[];
extern const unsigned int nr_proc_root_entries;
extern const struct proc_entry proc_pid_entries[];
extern const unsigned int nr_proc_pid_entries;
extern const struct proc_task_ops *proc_tasks;

int proc_open(struct inode *inode, struct file *file);
ssize_t proc_text_read(struct file *file, struct io_iter *to, loff_t *pos);
/* Of a file of text that may be written to: opening it with O_TRUNC changes nothing. */
extern const struct inode_operations proc_setting_iops;
void proc_release(struct file *file);
/* The mm of an open file with a user more, or NULL when the process is gone. To be mmput(). */
struct mm_struct *proc_mm_get(struct proc_file *pf);
/* Whether a thread is one of the running program's. */
bool proc_is_current(int pid);
/* proc_tasks->get(), or false before it is known. */
bool proc_get_task(int pid, struct proc_task_info *info);
bool proc_task_exists(int pid);
/*
 * Makes `dentry` a file of /proc about the thread of `tag` (0: about nobody); `nr` says which entry of
 * its directory it is. 0 or -ENOMEM.
 */
int proc_instantiate(struct dentry *dentry, const struct proc_entry *entry, u32 tag,
		     unsigned int nr, const struct proc_task_info *owner);

/* inode->i_tag: a thread's id, and whether the file is below /proc/pid/task. */
#define PROC_THREAD  BIT(30)
#define PROC_MAX_PID (PROC_THREAD - 1)
static inline u32 proc_tag(const struct inode *inode)
{
	return (u32)inode->i_tag;
}
static inline int proc_pid_of(const struct inode *inode)
{
	return (int)(inode->i_tag & PROC_MAX_PID);
}

/* Inode numbers: unique, and known to readdir without making the inode. */
#define PROC_ROOT_INO 1UL
static inline u64 proc_ino(u32 tag, unsigned int nr)
{
	return (u64)tag << 32 | (0x100 + nr);
}

/* Entries of /proc/pid/fd and fdinfo, above all of proc_pid_entries. */
#define PROC_FD_NR     0x10000U
#define PROC_FDINFO_NR 0x200000U
/* All of /proc/pid/map_files. */
#define PROC_MAP_NR 0x400000U

/* A directory's name that is a number up to `max`, written as the kernel does; or -1. */
int proc_name_to_number(const char *name, int max);
/* The entries of /proc/pid and of /proc/pid/task/tid. */
extern const struct inode_operations proc_pid_iops;
extern const struct file_operations proc_pid_fops, proc_mounts_fops, proc_sysvipc_fops;

int proc_show_trace(struct proc_file *pf, struct seq_text *seq);
int proc_show_cmdline(struct proc_file *pf, struct seq_text *seq);
int proc_show_environ(struct proc_file *pf, struct seq_text *seq);
int proc_show_auxv(struct proc_file *pf, struct seq_text *seq);
int proc_show_status(struct proc_file *pf, struct seq_text *seq);
int proc_show_statm(struct proc_file *pf, struct seq_text *seq);
int proc_show_limits(struct proc_file *pf, struct seq_text *seq);
void proc_show_smaps_area(struct seq_text *seq, struct vm_area_struct *vma);
int proc_show_smaps_rollup(struct proc_file *pf, struct seq_text *seq);
int proc_show_mounts(struct proc_file *pf, struct seq_text *seq);
int proc_show_mountinfo(struct proc_file *pf, struct seq_text *seq);
int proc_show_interrupts(struct proc_file *pf, struct seq_text *seq);
int proc_show_stat(struct proc_file *pf, struct seq_text *seq);
int proc_show_oom_score(struct proc_file *pf, struct seq_text *seq);
int proc_show_oom_adj(struct proc_file *pf, struct seq_text *seq);
int proc_show_fault(struct proc_file *pf, struct seq_text *seq);
extern const struct inode_operations proc_self_iops, proc_thread_self_iops, proc_exe_iops,
	proc_cwd_iops, proc_root_link_iops, proc_fd_dir_iops, proc_fdinfo_dir_iops,
	proc_task_dir_iops;
extern const struct file_operations proc_fdinfo_dir_fops, proc_task_dir_fops, proc_comm_fops;
extern const struct inode_operations proc_comm_iops, proc_map_files_iops;
extern const struct file_operations proc_map_files_fops;
/* Of directories of links: one's own are open to oneself, whoever owns the directory. */
int proc_fd_permission(const struct inode *inode, const struct cred_view *cred, unsigned int mask);
/* Frees what the inode of a link of map_files has of its own. */
void proc_evict(struct inode *inode);
extern const struct file_operations proc_mem_fops, proc_areas_fops;
extern const struct file_operations proc_pagemap_fops, proc_walk_fops, proc_fd_dir_fops,
	proc_clear_refs_fops, proc_fail_nth_fops, proc_oom_adj_fops;
bool proc_has_fail_nth(void);
int proc_show_fail_sites(struct proc_file *pf, struct seq_text *seq);
int proc_show_fail_paths(struct proc_file *pf, struct seq_text *seq);
int proc_show_leakcheck(struct proc_file *pf, struct seq_text *seq);

#endif
