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
#include "kernel/process/sighand.h"
#include "kernel/sched/wait.h"
#include "mm/types.h"

struct cred {
	u32 uid, euid, suid, fsuid;
	u32 gid, egid, sgid, fsgid;
	u64 cap_effective, cap_permitted;
	unsigned int ngroups;
	u32 groups[NGROUPS_MAX_TASK];
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

	struct sighand *sighand;
	struct sigpending pending, shared_pending;
	unsigned long nr_sigqueued; /* siginfos in both */
	u64 sig_blocked;	    /* bit n-1: signal n */
	u64 sig_real_blocked;	    /* what sigtimedwait() unblocks only to wake up */
	u64 sig_saved; /* with sig_restore: the mask to go back to, as after sigsuspend() */
	bool sig_restore;
	int sig_fatal;	     /* the signal that will end it, with nothing before; 0: none yet */
	bool sig_unkillable; /* pid 1, until a fault of its own */
	struct altstack altstack;
	struct trap_info last_trap;
	struct restart_block restart;

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

/* --- signals: signal.c. None of these may be called with sighand->lock held. --- */

/* A new task's signal state, its parent's where that is inherited (or NULL). 0 or -ENOMEM. */
int task_init_signals(struct task_struct *task, const struct task_struct *parent);
void task_free_signals(struct task_struct *task);
/* What execve(2) forgets: handlers and the alternate stack. */
void exec_reset_signals(struct task_struct *task);
void siginfo_init(struct siginfo_kernel *info, int sig, int code);

/*
 * Sends a signal to a thread or to its process. Any context. 0; -ESRCH when the task is gone; -EAGAIN
 * when info can't be kept and the number is from SIGRTMIN on.
 */
int send_signal_info(struct task_struct *task, const struct siginfo_kernel *info, bool to_thread);
/* From the kernel itself (SI_KERNEL), to the process. */
int send_signal(struct task_struct *task, int sig);
/*
 * Signals that the running task can't block or ignore: what exceptions send. The first says where
 * (si_addr) and why (si_code), the second SI_KERNEL, the third never calls a handler.
 */
void force_signal_fault(int sig, int code, unsigned long addr);
void force_signal(int sig);
void force_fatal_signal(int sig);
/*
 * Tells the parent of a zombie about its end. True when the parent has said that it will not wait: then
 * the task is to vanish by itself. => tasklist_lock; the task has a parent
 */
bool notify_parent(struct task_struct *task);

/* Whether a signal waits that is not blocked. */
bool signal_pending(const struct task_struct *task);
/* Whether such a signal, forced on the running task, would end it. */
bool signal_unhandled(int sig);
/* Those that wait and are blocked: sigpending(2). */
u64 sigpending_blocked(void);

/* As sigaction(2); new may be NULL, old not. 0 or -EINVAL. */
int do_sigaction(int sig, const struct sigaction_kernel *new, struct sigaction_kernel *old);
/* The running task's mask; SIGKILL and SIGSTOP are left out. */
void set_current_blocked(u64 mask);
/*
 * For calls that have a mask for their own time (sigsuspend, ppoll): sets it and remembers the old
 * one, which comes back on the way to user mode, or in the handler's frame when one is called first.
 */
void set_temporary_sigmask(u64 mask);
void restore_sigmask_unless(bool interrupted);
void restore_saved_sigmask(void);

/* Whether sp lies on the alternate stack; and what sigaltstack(2) says: SS_DISABLE, SS_ONSTACK or 0. */
bool on_altstack_range(unsigned long sp);
u32 altstack_state(unsigned long sp);
void get_altstack(struct sigaltstack_kernel *old, unsigned long sp);
/* 0, -EPERM while on it, -EINVAL, -ENOMEM. */
int set_altstack(const struct sigaltstack_kernel *new, unsigned long sp);

/*
 * The next signal for which a handler is to be called; true when there is one. Does what signals
 * without a handler ask for, so it may not return.
 */
bool get_signal(struct ksignal *ks);
/* After the frame was made, or failed to be. */
void signal_delivered(const struct ksignal *ks, bool failed);
/* The mask that the handler's return brings back. */
u64 sigmask_to_save(void);
/* Takes a waiting signal out of those wanted, blocked or not: 0 if none waits. */
int take_wanted_signal(u64 wanted, struct siginfo_kernel *info);
void signal_init(void);

/* How the running task leaves for user mode with its pt_regs; set by arch/entry, never returns. */
extern void (*enter_user_mode)(void);

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
