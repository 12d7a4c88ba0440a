/* SPDX-License-Identifier: MIT */
/*
 * A task is one thread: the scheduler's part, mm's part, and pointers to what it may share with
 * others. A process is a struct signal_struct with its list of threads; its id is the id of the
 * first, the leader, which stays as a zombie until all others are gone.
 *
 * Locks, outer first: tasklist_lock (who exists, families, groups, sessions), sighand->lock
 * (signals and stopping), run queue. All are taken with interrupts off, since a terminal's ^C
 * comes in an interrupt. task->mm_part.mm, files and fs change under tasklist_lock, so that who
 * looks at another task finds all or nothing.
 */
#ifndef KERNEL_PROCESS_TASK_H
#define KERNEL_PROCESS_TASK_H

#include <arch/ptrace.h>

#include "kernel/abi/process.h"
#include "kernel/fs/fdtable.h"
#include "kernel/fs/vfs.h"
#include "kernel/process/pid.h"
#include "kernel/process/sighand.h"
#include "kernel/process/timers.h"
#include "kernel/process/user.h"
#include "kernel/sched/wait.h"
#include "mm/types.h"

struct cred {
	u32 uid, euid, suid, fsuid;
	u32 gid, egid, sgid, fsgid;
	u64 cap_effective, cap_permitted;
	u64 cap_inheritable, cap_ambient; /* ambient ones are inheritable and permitted */
	u64 cap_bounding;		  /* those that exec may give: prctl(PR_CAPBSET_DROP) */
	u32 securebits; /* SECBIT_* of prctl(2): what root's user ids don't do to capabilities */
	struct group_info *groups; /* referenced, or NULL: none. Copies on the stack don't count */
};

/* What a process used, of its own and of children it has waited for. */
struct usage {
	unsigned long min_flt, maj_flt;
	u64 cpu_ns;
	unsigned long maxrss; /* pages: the largest of them */
	unsigned long user_ticks, system_ticks;
	unsigned long switches, forced_switches; /* as in struct sched_entity */
};

/*
 * How cpu_ns was divided when it was asked for last: neither part ever shrinks. Of children it is the sum
 * of what each of them had.
 */
struct cputime {
	u64 user_ns, system_ns;
};

/* signal_struct.flags */
#define SIGNAL_GROUP_EXIT    BIT(0) /* all threads are to end, with group_exit_code */
#define SIGNAL_STOPPED	     BIT(1) /* all threads have stopped */
#define SIGNAL_CONTINUED     BIT(2) /* and went on: waitid(WCONTINUED) has not been told yet */
#define SIGNAL_TELL_STOPPED  BIT(3) /* SIGCONT came: a thread has to tell the parent that we had */
#define SIGNAL_TELL_CONTINUE BIT(4) /* ... stopped, or that we go on */
#define SIGNAL_UNKILLABLE    BIT(5) /* pid 1, until a fault of its own */

/*
 * What the threads of one process share by being one process (which signals are handled how is in
 * struct sighand, since that may be shared further). Family and groups are under tasklist_lock;
 * from `shared_pending` to `stop_count` it is sighand->lock.
 */
struct signal_struct {
	atomic_t count; /* tasks that point here, the dead that are not freed yet included */
	struct list_head processes; /* in all_processes */
	/* task_struct.thread_link; a zombie leader is one of them. Changed under both locks. */
	struct list_head threads;
	unsigned int nr_threads;
	unsigned int live; /* threads that have not begun to exit */
	struct task_struct *leader;

	struct signal_struct *parent; /* NULL: none, or gone with nobody to follow */
	int ppid;		      /* its id, or 0: getppid(2) reads it without a lock */
	int parent_tid;		      /* the thread that made us: __WNOTHREAD, PR_SET_PDEATHSIG */
	struct list_head children, sibling;
	struct wait_queue_head wait_child;
	bool child_subreaper;  /* orphans below it become its children */
	s16 oom_score_adj;     /* /proc/pid/oom_score_adj. => tasklist_lock */
	s16 oom_score_adj_min; /* how low it may be set without CAP_SYS_RESOURCE */
	bool did_exec;	       /* since it was forked: setpgid(2) by its parent comes too late */
	struct pid *group, *session;
	struct list_head group_link, session_link; /* in those */
	unsigned int group_signals; /* sent to it as one of many, ever: fork must not miss one */
	struct tty *tty;	    /* controlling terminal: kernel/fs/console.c's affair */

	struct sigpending shared_pending;
	u32 flags;		 /* SIGNAL_* */
	int group_exit_code;	 /* with SIGNAL_GROUP_EXIT */
	int stop_code;		 /* the signal that stopped it, until a waiter has heard; or 0 */
	unsigned int stop_count; /* threads that are still to stop */

	struct task_struct *exec_task;	  /* a thread in execve(): all others have to go */
	struct wait_queue_head exec_wait; /* it waits here for them */

	struct process_timers timers; /* => sighand->lock */
	struct mm_rlimit rlim[RLIM_NLIMITS];
	struct usage dead_threads, dead_children; /* => tasklist_lock */
	struct cputime cputime, child_cputime;	  /* => tasklist_lock */
};

struct task_struct {
	struct sched_entity se; /* first: current_se is current */
	struct task_mm mm_part;
	void *stack; /* lowest address of the kernel stack */

	int pid;  /* of this thread: gettid(2) */
	int tgid; /* of the process: getpid(2); the leader's pid */
	struct pid *thread_pid;
	struct signal_struct *signal;
	struct list_head thread_link; /* in signal->threads, or among the dead */
	struct user_struct *user;     /* who counts it; follows cred.uid */
	bool nproc_exceeded;	      /* became a user who has too many: execve(2) looks again */
	atomic_t usage;		      /* one for being known to the world, one for each who looks */
	char comm[16];
	int exit_signal; /* to the parent when a leader ends; -1 in the other threads */
	int exit_code;	 /* as wait4() reports it */
	bool exiting;	 /* takes no more signals. => sighand->lock */
	bool zombie;	 /* => tasklist_lock */

	struct wait_queue_head vfork_wait; /* waiting until a child of ours has exec'ed or exited */
	struct task_struct *vfork_parent;  /* referenced: it waits for us there. => tasklist_lock */

	struct files_struct *files;
	struct fs_context *fs;
	struct cred cred;

	struct sighand *sighand;
	struct sigpending pending;
	u64 sig_blocked;      /* bit n-1: signal n */
	u64 sig_real_blocked; /* what sigtimedwait() unblocks only to wake up */
	u64 sig_saved;	      /* with sig_restore: the mask to go back to, as after sigsuspend() */
	bool sig_restore;
	bool stop_pending; /* is to stop with its process. => sighand->lock */
	bool stop_asked;   /* took a stop signal; SIGCONT takes it back. => sighand->lock */
	bool made_shm;	   /* a segment that may be there still: sysv_shm.c */
	int pdeath_signal;
	bool no_new_privs; /* execve(2) gives none */
	u8 mce_kill; /* PR_MCE_KILL_* of prctl(2): only kept, no page is ever found to be bad */
	bool sched_reset_on_fork;		    /* children get the usual policy */
	u64 timer_slack_ns, default_timer_slack_ns; /* prctl(2); the tick is coarser anyway */
	struct altstack altstack;
	struct trap_info last_trap;
	struct restart_block restart;

	unsigned long fs_base, gs_base; /* while not running */
	unsigned long set_child_tid, clear_child_tid, robust_list;
	u64 start_ns;
	struct cputime cputime; /* => tasklist_lock */
};

static inline struct task_struct *current_task(void)
{
	return (struct task_struct *)this_cpu_read(current_se);
}
#define current current_task()

/* False on the boot stack, which becomes the idle entity: it is no task and has no such registers. */
static inline bool current_is_task(void)
{
	return this_cpu_read(current_se)->fpu;
}

/* The user's registers, at the top of the kernel stack. */
static inline struct pt_regs *task_pt_regs(const struct task_struct *task)
{
	return (struct pt_regs *)task->se.stack_top - 1;
}

extern spinlock_t tasklist_lock;
extern struct list_head all_processes;
extern struct signal_struct *init_process; /* pid 1: who is left without a parent becomes its child */

/* => tasklist_lock; for the threads of a process, that or its sighand->lock */
#define for_each_process(process)      list_for_each_entry(process, &all_processes, processes)
#define for_each_thread(process, task) list_for_each_entry(task, &(process)->threads, thread_link)

static inline bool thread_group_leader(const struct task_struct *task)
{
	return task->signal->leader == task;
}
static inline bool thread_group_empty(const struct signal_struct *process)
{
	return process->nr_threads == 1;
}

/*
 * A task with a stack and what it inherits of `parent` (NULL: of nobody) by value: names, ids,
 * masks. It shares nothing yet: no mm, files, fs, signal, sighand. Or NULL.
 */
struct task_struct *task_alloc(const struct task_struct *parent);
/* Undoes task_alloc() and lets go of all that was hung on it meanwhile. => not linked */
void task_free(struct task_struct *task);
static inline void get_task(struct task_struct *task)
{
	atomic_inc(&task->usage);
}
/* Drops a reference; the last one frees the task. => not by the task itself */
void put_task(struct task_struct *task);
/* A process without threads; group, session and limits of `parent`, or of nobody. Or NULL. */
struct signal_struct *signal_alloc(const struct signal_struct *parent);
void signal_put(struct signal_struct *process);
/*
 * Shows the task to the world: gives it its id and a place in its process, whose leader it becomes
 * if it is the first; then the process gets the parent. 0, or -EAGAIN or -ENOMEM of pid_alloc().
 * => tasklist_lock
 */
int task_link(struct task_struct *task, struct signal_struct *parent);
/* The reverse: nobody can find it any more. With the last thread the process goes. => tasklist_lock */
void task_unlink(struct task_struct *task);
/* Lets a task that nobody will wait for be freed once it has left its stack. => tasklist_lock */
void task_bury(struct task_struct *task);
/* Frees such tasks, waiting for each to leave its stack. => no lock held, interrupts on */
void reap_dead_tasks(void);
/* The running task's real user id has changed: 0 or -EAGAIN (no memory; nothing changed). */
int task_set_user(u32 uid);
/* Whether the task's user, who isn't root, has more tasks than its RLIMIT_NPROC allows. */
bool task_over_nproc(const struct task_struct *task);
/*
 * Whether other tasks than the running one have its descriptor table, fs_context or address space, told by its
 * count. Who only looks at it, by /proc, doesn't matter.
 */
bool shared_with_others(const atomic_t *count);
/* Of all these there is one, for everybody. */
#define CLONE_NAMESPACES                                                               \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
	 CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME)

/* A descriptor table for the running task alone, if others use its own too. 0 or -ENOMEM. */
int unshare_files(void);
long sys_unshare(unsigned long flags);
struct task_struct *find_task(int tid);	      /* => tasklist_lock */
struct signal_struct *find_process(int tgid); /* => tasklist_lock */
/* Notes how much of it was resident before a task of the process lets go of an address space. */
void process_note_rss(struct signal_struct *process, const struct mm_struct *mm);
/* What all threads of a process have used until now. => tasklist_lock */
void process_usage(const struct signal_struct *process, struct usage *usage);
void usage_add(struct usage *sum, const struct usage *part);
/* What a thread has used until now; maxrss is that of its address space. => tasklist_lock */
void task_usage(const struct task_struct *task, struct usage *usage);
/*
 * Divides the time of a usage as the ticks found it: 100 of them a second look whether the program or
 * the kernel runs. *last, which may be all 0, is what it said before, and is updated.
 */
void usage_divide(const struct usage *usage, struct cputime *last);
void cputime_add(struct cputime *sum, const struct cputime *part);

/* How long a task has run, in ns. */
u64 task_cpu_ns(const struct task_struct *task);

extern unsigned int nr_tasks, max_threads; /* how many there are; how many there may be */
extern unsigned long nr_forks;		   /* how many there have been */

/* Starts fn(arg) as a new task without an address space; it exits when fn returns. Its pid or -errno. */
int kernel_thread(int (*fn)(void *), void *arg, const char *name);
/*
 * Replaces the running kernel thread by a program. Returns only on failure, -errno. The strings are
 * kernel memory.
 */
int kernel_execve(const char *path, const char *const *argv, const char *const *envp);

/* --- making tasks: fork.c ---------------------------------------------------------------------- */

struct clone_args {
	u64 flags; /* CLONE_*, without the signal */
	int exit_signal;
	int __user *parent_tid, *child_tid, *pidfd;
	unsigned long stack; /* the child's stack pointer; 0: the caller's */
	unsigned long tls;
};
/* clone(2): the id of the new task, or -errno. */
long kernel_clone(const struct clone_args *args);
/* Lets the parent of a vfork go on: we use its memory no longer. */
void vfork_release(struct task_struct *task);

long sys_execve(const char __user *path, const char __user *const __user *argv,
		const char __user *const __user *envp);
long sys_execveat(int dfd, const char __user *path, const char __user *const __user *argv,
		  const char __user *const __user *envp, int flags);
/*
 * Makes the running thread the only one of its process, by the leader's id. 0, or -EAGAIN when the
 * process is ending already.
 */
int de_thread(void);

/*
 * Says what is to be said in an address space before the running task leaves it: the word that
 * set_tid_address(2) named becomes 0, and mutexes of its robust list lose their owner. => it is
 * still loaded
 */
void mm_release(struct task_struct *task, struct mm_struct *mm);

/* --- ending: exit.c; waiting: wait.c ------------------------------------------------------------- */

/* Ends the running thread, or all threads of its process. code: as wait4(2) has it. */
void do_exit(int code) __noreturn;
void do_group_exit(int code) __noreturn;
/* => tasklist_lock. A leader is a zombie and alone: tells its parent, or lets it vanish. */
void process_ended(struct signal_struct *process);

enum wait_type { WAIT_ANY, WAIT_PID, WAIT_PIDFD, WAIT_GROUP };
struct wait_opts {
	enum wait_type type;
	int nr;		       /* of the process or group; group 0 is the caller's */
	const struct pid *pid; /* WAIT_PIDFD: held */
	unsigned int options;  /* W* of waitid(2); wait4(2) adds WEXITED */
};
struct wait_result {
	int pid, status;    /* status as wait4(2) has it */
	int code, uid;	    /* CLD_*, of siginfo */
	struct usage usage; /* the child's, and of the children it has waited for */
	struct cputime time;
};
/* Waits for a child: its pid; 0 with WNOHANG and nothing to tell; -ECHILD, -ERESTARTSYS. */
long do_wait(const struct wait_opts *opts, struct wait_result *res);

/* --- groups and sessions: group.c. => tasklist_lock, unless it says otherwise ----------------------- */

/* Puts a process into a group or session; leaves the one it was in. */
void process_join_group(struct signal_struct *process, struct pid *group);
void process_join_session(struct signal_struct *process, struct pid *session);
/*
 * Whether nobody outside the group but in its session is parent of one of its members (not counting
 * `without`): nobody then could make it go on when it stops.
 */
bool group_is_orphaned(const struct pid *group, const struct signal_struct *without);
/*
 * A process loses `old_parent`: if that was its group's last such link, and somebody in the group has
 * stopped, all of them get SIGHUP and SIGCONT. `without` as above.
 */
void orphan_group(const struct signal_struct *process, const struct signal_struct *old_parent,
		  const struct signal_struct *without);
/* Sends to all processes of a group; 0 when one was sent to, else -ESRCH or the last error. */
int send_group_signal(struct pid *group, const struct siginfo_kernel *info);

/*
 * The running process ends: if it led a session that had a terminal, the terminal is free again, and
 * who was in the foreground gets SIGHUP. => tasklist_lock not held
 */
void tty_session_ends(void);
/* Tells the terminal of sessions and groups. */
void tty_jobs_init(void);

/* Notes the FS and GS bases of the running program. */
void task_save_bases(struct task_struct *task);
/* Changes the running task's address space; either may be NULL. */
void task_switch_mm(struct mm_struct *mm);

/* --- signals: signal.c. They are not called with sighand->lock held, unless it is said. --- */

/* Handlers: new ones (a copy of old's, or all default), or NULL. */
struct sighand *sighand_alloc(struct sighand *old);
void sighand_put(struct sighand *sighand);
/* What `old` ignores is ignored; the rest stays. => nobody else knows `sighand` */
void sighand_keep_ignored(struct sighand *sighand, const struct sighand *old);
/* What execve(2) forgets: handlers and the alternate stack. */
void exec_reset_signals(struct task_struct *task);
void siginfo_init(struct siginfo_kernel *info, int sig, int code);

/*
 * Sends a signal to a thread or to its process. Any context. 0; -ESRCH when the task is gone; -EAGAIN
 * when info can't be kept and the number is from SIGRTMIN on.
 */
int send_signal_info(struct task_struct *task, const struct siginfo_kernel *info, bool to_thread);
/* From the kernel itself, to the process; the second one is a timer's. => sighand->lock held */
int send_signal_locked(struct task_struct *task, const struct siginfo_kernel *info);
void send_timer_signal(struct task_struct *task, struct sigqueue *q, bool to_thread);
/* From the kernel itself (SI_KERNEL), to the process. => tasklist_lock, or a reference */
int send_signal(struct task_struct *task, int sig);
/*
 * Signals that the running task can't block or ignore: what exceptions send. The first says where
 * (si_addr) and why (si_code), the second SI_KERNEL, the third never calls a handler.
 */
void force_signal_fault(int sig, int code, unsigned long addr);
void force_signal(int sig);
void force_fatal_signal(int sig);
/*
 * Tells the parent of a process about its end. True when the parent has said that it will not wait:
 * then it is to vanish by itself. => tasklist_lock; there is a parent
 */
bool notify_parent(struct signal_struct *process);
/* Tells the parent that the process has stopped or goes on: why is CLD_STOPPED or CLD_CONTINUED. */
void notify_parent_stop(struct task_struct *task, int why);
/* The running task takes no more signals, and hands those of its process to other threads. */
void exit_signals(struct task_struct *task);
/* All other threads of the running one's process are to end. => sighand->lock */
void zap_other_threads(struct task_struct *task);
/* The process is to end, with that code, and does nothing else any more. => sighand->lock */
void begin_group_exit(struct signal_struct *process, int code);

/* Whether the task has been told to look after signals. May be so though there are none any more. */
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
extern __noreturn void (*enter_user_mode)(void);

#define ALL_CAPS ((1UL << 41) - 1)
bool capable(int cap);
void cred_init_root(struct cred *cred);
/* What exec makes of ids and capabilities: credentials(7), capabilities(7). */
void cred_exec(struct cred *cred, u64 may_have);
/*
 * The running task's ids and capabilities become these. Who has become somebody else may hold what the new
 * self must not see, and chose no signal as that: this is settled before anybody can take the one for the
 * other (ptrace_may_access()). => tasklist_lock not held
 */
void commit_creds(const struct cred *cred);
/* Caches and the scheduler; before anything can sleep. */
void process_init(void);
/* Makes what map_vdso() gives to programs. Once, before the first of them. */
void vdso_init(void);
/* Shows processes in /proc. => fs_init() ran */
void process_register_proc(void);
/* Gives files what they need of processes: SIGPIPE. */
void process_register_fs(void);
/* proc_task_ops.get_oom and set_oom_adj. */
struct proc_oom_info;
bool process_oom_info(int pid, struct proc_oom_info *info);
int process_set_oom_adj(int pid, int adj, bool legacy);
/* Tells mm whom to end when memory is used up. */
void process_oom_init(void);

#endif
