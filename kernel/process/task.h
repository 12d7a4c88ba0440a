/* SPDX-License-Identifier: MIT */
/*
 * A task: the scheduler's part, mm's part, and what makes it a process. One thread a process today;
 * what threads will share hangs on pointers already.
 */
#ifndef KERNEL_PROCESS_TASK_H
#define KERNEL_PROCESS_TASK_H

#include <arch/ptrace.h>

#include "kernel/abi/process.h"
#include "kernel/fs/fdtable.h"
#include "kernel/fs/vfs.h"
#include "kernel/sched/wait.h"
#include "mm/types.h"

#define NGROUPS_MAX_TASK 32

struct cred {
	u32 uid, euid, suid, fsuid;
	u32 gid, egid, sgid, fsgid;
	u64 cap_effective, cap_permitted;
	unsigned int ngroups;
	u32 groups[NGROUPS_MAX_TASK];
};

struct sigaction_kernel {
	unsigned long handler;
	unsigned long flags;
	unsigned long restorer;
	u64 mask;
};

struct task_struct {
	struct sched_entity se; /* first: current_se is current */
	struct task_mm mm_part;
	void *stack; /* lowest address of the kernel stack */

	int pid;
	atomic_t usage; /* one for being somebody's child or a zombie, one for each who looks */
	char comm[16];
	struct task_struct *parent;
	struct list_head children, sibling; /* => tasklist_lock */
	struct list_head tasks;		    /* in all_tasks, or among the dead */
	struct hlist_node pid_link;
	int exit_signal;
	int exit_code; /* as wait4() reports it */
	bool zombie;
	struct wait_queue_head child_wait; /* of who waits for a child of ours */

	struct wait_queue_head vfork_wait; /* waiting until a child of ours has exec'ed or exited */
	bool vfork_done;		   /* we have: we use our parent's memory no longer */

	struct files_struct *files;
	struct fs_context *fs;
	struct cred cred;
	struct mm_rlimit rlim[RLIM_NLIMITS];

	u64 sig_pending, sig_blocked; /* bit n-1: signal n */
	struct sigaction_kernel sigaction[NR_SIGNALS];

	unsigned long fs_base, gs_base; /* while not running */
	unsigned long clear_child_tid, robust_list;
	u64 start_ns;
	/* Of children waited for. */
	unsigned long cmin_flt, cmaj_flt;
	u64 csum_exec;
};

static inline struct task_struct *current_task(void)
{
	return (struct task_struct *)this_cpu_read(current_se);
}
#define current current_task()

/* The user's registers, at the top of the kernel stack. */
static inline struct pt_regs *task_pt_regs(const struct task_struct *task)
{
	return (struct pt_regs *)task->se.stack_top - 1;
}

extern spinlock_t tasklist_lock;
extern struct list_head all_tasks;
extern struct task_struct *init_task; /* pid 1: children without a parent become its own */

/* A copy of `parent` in what is inherited, without stack contents, mm or files; or NULL. */
struct task_struct *task_alloc(const struct task_struct *parent);
/* Undoes task_alloc(). */
void task_free(struct task_struct *task);
static inline void get_task(struct task_struct *task)
{
	atomic_inc(&task->usage);
}
/* Drops a reference; the last one frees the task. => not by the task itself */
void put_task(struct task_struct *task);
/*
 * Gives it a pid and shows it to the world. 0, or -EAGAIN when there is no pid or its user has as many
 * processes as RLIMIT_NPROC allows.
 */
int task_link(struct task_struct *task, struct task_struct *parent);
/* The reverse: nobody can find it any more. => tasklist_lock */
void task_unlink(struct task_struct *task);
/* Lets a task that nobody will wait for be freed once it has left its stack. => tasklist_lock */
void task_bury(struct task_struct *task);
/* Frees such tasks. */
void reap_dead_tasks(void);
/* The lowest pid above `after`, or -1. */
int task_next_pid(int after);
struct task_struct *find_task(int pid); /* => tasklist_lock */

/* Starts fn(arg) as a new task without an address space; it exits when fn returns. Its pid or -errno. */
int kernel_thread(int (*fn)(void *), void *arg, const char *name);
/*
 * Replaces the running kernel thread by a program. Returns only on failure, -errno. The strings are
 * kernel memory.
 */
int kernel_execve(const char *path, const char *const *argv, const char *const *envp);

/* The calls; regs of the caller are in task_pt_regs(). Numbers and arguments as in clone(2), vfork(2). */
long sys_vfork(void);
long sys_clone(unsigned long flags, unsigned long newsp);
long sys_execve(const char __user *path, const char __user *const __user *argv,
		const char __user *const __user *envp);

void do_exit(int code) __noreturn;
/* Waits for a child as wait4(2); *status may be NULL. */
struct wait_result {
	int status;
	unsigned long min_flt, maj_flt;
	u64 cpu_ns;
};
long do_wait(int pid, unsigned int options, struct wait_result *res);

/* Notes the FS and GS bases of the running program. */
void task_save_bases(struct task_struct *task);
/* Lets the parent of a vfork go on. */
void mm_release(struct task_struct *task);
/* Changes the running task's address space; either may be NULL. */
void task_switch_mm(struct mm_struct *mm);

/* Makes a signal pending. 0, or -ESRCH when the task is gone. */
int send_signal(struct task_struct *task, int sig);
/* A signal that the running task can't block or ignore: what a fault sends. */
void force_signal(int sig);
/* Does what pending signals ask for. May not return. */
void do_signal(void);
/* Whether a signal waits that would do something. */
bool signal_pending(const struct task_struct *task);

bool capable(int cap);
void cred_init_root(struct cred *cred);
/* What exec makes of ids and capabilities: credentials(7), capabilities(7). */
void cred_exec(struct cred *cred);
/* Caches and the scheduler; before anything can sleep. */
void process_init(void);
/* Shows processes in /proc. => fs_init() ran */
void process_register_proc(void);
/* Tells mm whom to end when memory is used up. */
void process_oom_init(void);

#endif
