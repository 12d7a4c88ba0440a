/* SPDX-License-Identifier: MIT */
/*
 * /proc: what the kernel knows, as files. Formats are Linux's (proc(5)), and a value that this
 * kernel doesn't keep exactly is left out.
 *
 * Processes are a higher layer's: it tells of them through struct proc_task_ops.
 */
#ifndef KERNEL_FS_PROC_H
#define KERNEL_FS_PROC_H

#include "kernel/abi/process.h"
#include "kernel/base/cpumask.h"
#include "kernel/fs/fdtable.h"
#include "kernel/fs/vfs.h"

/* A thread, and what it has by being one of its process. */
struct proc_task_info {
	int pid, tgid, ppid;
	int group, session;
	u32 tty_nr;    /* of the controlling terminal, as new_encode_dev(); 0: none */
	int tty_group; /* its foreground group; -1 without a terminal */
	bool kernel_thread, exiting, never_execed, no_new_privs;
	int nice;
	unsigned int policy, rt_priority; /* SCHED_*; 0 but for the real-time ones */
	unsigned int cpu;		  /* where it runs or ran last */
	cpu_bits_t cpus_allowed;	  /* where it may run; some may not be online */
	char comm[16];
	char state; /* R S D T t Z X I, as in /proc/pid/status */
	u32 uid[4]; /* real, effective, saved, for files */
	u32 gid[4];
	u64 cap_inheritable, cap_permitted, cap_effective, cap_bounding, cap_ambient;
	unsigned int threads;
	unsigned int fdsize; /* numbers its descriptor table has room for; 0 without one */
	bool has_umask;
	umode_t umask;
	struct mm_rlimit rlim[RLIM_NLIMITS];
	u64 start_ns; /* after boot */
	/* Faults and time of the thread; of the process; of children that were waited for. */
	struct proc_usage {
		unsigned long min_flt, maj_flt;
		u64 user_ns, system_ns;
	} own, whole, children;
	unsigned long switches, forced_switches;
	int exit_signal, exit_code;
	/* Bit n-1: signal n. */
	u64 sig_pending, sig_shared_pending, sig_blocked, sig_ignored, sig_caught;
	unsigned long sig_queued; /* by its user */
	struct mm_struct *mm;	  /* NULL for kernel threads and zombies */
	bool dumpable;		  /* there is an mm, and it may be seen by others of its user */
	bool may_trace;		  /* the running program may see what it has in memory */
};

struct fault_record;
struct proc_counts;

/* How likely a process goes when memory is used up. */
struct proc_oom_info {
	int adj;    /* its oom_score_adj */
	long score; /* its oom_score */
};

struct proc_task_ops {
	/* The lowest process id above `after`, or -1. */
	int (*next_pid)(int after);
	/* The lowest thread id above `after` in a process, or -1. */
	int (*next_thread)(int tgid, int after);
	/* Describes a thread; false when there is none. info->mm has been mmget()'ed: mmput() it. */
	bool (*get)(int pid, struct proc_task_info *info);
	/* Of the running program, the process and the thread; 0 in a kernel thread. */
	int (*current_pid)(void);
	int (*current_tid)(void);
	/* Its further groups with a reference, or NULL. */
	struct group_info *(*get_groups)(int pid);
	/* Its descriptor table with a reference, or NULL. Without it there is no /proc/pid/fd. */
	struct files_struct *(*get_files)(int pid);
	/* Its directories with a reference, or NULL. */
	struct fs_context *(*get_fs)(int pid);
	/* Renames a thread of the running process: 0; -ESRCH; -EINVAL if it is another's. */
	int (*set_comm)(int pid, const char *comm);
	void (*counts)(struct proc_counts *counts);
	/*
	 * The last faults of a thread, newest first: how many (fault_records()), or -ESRCH, or -EACCES when
	 * the running program may not see them. None of a thread that has another address space than `mm`
	 * by now, after an exec: they are another program's.
	 */
	int (*get_faults)(int pid, const struct mm_struct *mm, struct fault_record *records);
	/* False when there is no such thread. */
	bool (*get_oom)(int pid, struct proc_oom_info *info);
	/* 0; -ESRCH; -EACCES when the running program may not set it so low. */
	int (*set_oom_adj)(int pid, int adj, bool legacy);
#ifdef CONFIG_DEBUG
	/* How many allocations of a thread's are to come until one fails; made `set` if it isn't negative. */
	long (*fail_nth)(int pid, long set);
#endif
};

/* What processors did since boot. */
struct proc_cpu_time {
	u64 user_ns, system_ns, idle_ns;
};

/* The machine's tasks and time. */
struct proc_counts {
	unsigned int threads, running, blocked; /* now; running: or ready to */
	int last_pid;
	unsigned long forks, switches; /* since boot */
	struct proc_cpu_time cpu[NR_CPUS], all;
	unsigned long load[3]; /* 1, 5 and 15 minutes; in 2^-11 */
};

/* The process of an open directory /proc/pid; 0: it is something else. */
int proc_dir_pid(const struct file *file);

/* Called once, before the first program runs. Until then /proc shows no process. */
void proc_register_tasks(const struct proc_task_ops *ops);

/* /proc/sys/kernel: ids are smaller than pid_max; how many threads there may be. */
extern int proc_pid_max, proc_threads_max;

/* Of System V IPC, a higher layer's as well. */
struct seq_text;
struct proc_sysv_ops {
	void (*show_shm)(struct seq_text *seq); /* /proc/sysvipc/shm */
	void (*shm_rmid_forced_changed)(void);	/* sysctl_shm_rmid_forced was written */
};
extern const struct proc_sysv_ops *proc_sysv;
/* /proc/sys/kernel: the largest segment in bytes, all in pages, their number; all end with their users. */
extern unsigned long sysctl_shmmax, sysctl_shmall;
extern int sysctl_shmmni, sysctl_shm_rmid_forced;

/*
 * Nanoseconds all processors together have been idle, for /proc/uptime, which isn't there before
 * this is set.
 */
extern u64 (*proc_idle_ns)(void);

/*
 * /proc/pid/walk, which Linux has not: pread(fd, buf, n, ADDR) gives the text of the page walk for
 * the user address ADDR, cut to n bytes, made anew each time. Read with lseek() and read(), it ends
 * (0 bytes) where the text for one address has been given out. -EINVAL beyond user addresses.
 */

#endif
