/* SPDX-License-Identifier: MIT */
/*
 * What a task knows about signals.
 *
 * Everything here is protected by sighand->lock, an interrupt-safe spinlock below tasklist_lock; the
 * task's own blocked mask is changed by that task alone, under the lock, and read by it without.
 *
 * A signal waits in one of two queues: `pending` when it was meant for this thread (a fault,
 * tgkill), `shared_pending` when for the process (kill). The queue's mask says which numbers wait;
 * its list holds a siginfo for each sending: one for a number below SIGRTMIN, all of them from
 * there on. A number in the mask without a siginfo is one for which no memory was left: it is
 * delivered all the same.
 */
#ifndef KERNEL_PROCESS_SIGHAND_H
#define KERNEL_PROCESS_SIGHAND_H

#include "kernel/abi/signal.h"
#include "kernel/base/atomic.h"
#include "kernel/lib/list.h"
#include "kernel/sync/spinlock.h"

struct posix_timer;
struct task_struct;
struct user_struct;

/* What to do about each signal: threads may share it, so it is counted. */
struct sighand {
	atomic_t count;
	spinlock_t lock;
	struct sigaction_kernel action[NR_SIGNALS]; /* of signal n at n - 1 */
};

struct sigpending {
	u64 signals; /* bit n-1: signal n */
	struct list_head queue;
};

/* One sending. */
struct sigqueue {
	struct list_head link;	   /* empty: it does not wait */
	struct user_struct *user;  /* in whose sigpending it counts */
	struct posix_timer *timer; /* whose it is, and goes back to; or NULL */
	struct siginfo_kernel info;
};

/* The stack for handlers with SA_ONSTACK; size 0: none. */
struct altstack {
	unsigned long sp, size;
	u32 flags;
};

/* The last exception that became a signal of this task: what a handler's ucontext shows, for ever after. */
struct trap_info {
	unsigned long nr, error, cr2;
};

/*
 * A system call that was interrupted and can't simply be begun again, since its arguments say "for
 * so long": what to call instead.
 */
struct restart_block {
	long (*fn)(struct restart_block *block); /* NULL: it ends with EINTR */
	u64 until;
	int clock; /* of clock_nanosleep(2) */
	void __user *remaining;
	unsigned int nfds; /* of poll(2), whose array `remaining` is */
	struct {
		u32 __user *uaddr;
		u32 val, bitset;
		int clock;
		bool shared;
	} futex; /* what an interrupted FUTEX_WAIT waits for */
};

static inline u64 sig_bit(int sig)
{
	return 1UL << (sig - 1);
}

#define SIG_UNBLOCKABLE ((u64)(1UL << (SIGKILL - 1) | 1UL << (SIGSTOP - 1)))

/* Sent by the processor's exceptions: delivered before all others. */
#define SIG_SYNCHRONOUS                                                           \
	((u64)(1UL << (SIGSEGV - 1) | 1UL << (SIGBUS - 1) | 1UL << (SIGILL - 1) | \
	       1UL << (SIGTRAP - 1) | 1UL << (SIGFPE - 1) | 1UL << (SIGSYS - 1)))

/* A signal on its way to a handler. */
struct ksignal {
	int sig;
	struct siginfo_kernel info;
	struct sigaction_kernel action;
};

/* Those that stop a process, unless it does something else about them. */
#define STOP_SIGNALS                                                                \
	((u64)(1UL << (SIGSTOP - 1) | 1UL << (SIGTSTP - 1) | 1UL << (SIGTTIN - 1) | \
	       1UL << (SIGTTOU - 1)))

/* sigqueue.c. => sighand->lock held, but for the first three. */
void sigqueue_init(void);
void sigpending_init(struct sigpending *pending);
/* Drops all that waits, at the end of a task or process. */
void sigpending_free(struct sigpending *pending);
/*
 * Puts a signal for `task` or its process into a queue. limited: the sender may be refused by
 * RLIMIT_SIGPENDING of the task's user. 0, or -EAGAIN when a SIGRTMIN and above was not queued.
 */
int sigpending_add(struct sigpending *pending, const struct task_struct *task,
		   const struct siginfo_kernel *info, bool limited);
/* Takes the first signal in Linux's order out of those in `wanted`, or returns 0. */
int sigpending_take(struct sigpending *pending, u64 wanted, struct siginfo_kernel *info);
/* The same for a signal that an exception itself has sent; these come before everything. */
int sigpending_take_trap(struct sigpending *pending, u64 wanted, struct siginfo_kernel *info);
/* Drops every signal of a mask. */
void sigpending_flush(struct sigpending *pending, u64 mask);
/* Adds one that was made beforehand and does not wait. */
void sigpending_add_queue(struct sigpending *pending, struct sigqueue *q);
/*
 * What a timer will send, made beforehand so that sending can't fail; it counts for the running task's
 * user all the time. NULL: RLIMIT_SIGPENDING, or no memory. => sighand->lock not held
 */
struct sigqueue *sigqueue_alloc(void);
/* The timer ends: frees it, or leaves it to the queue in which it waits. */
void sigqueue_release(struct sigqueue *q);

/* Stopping and going on: stop.c. => sighand->lock held. */

/* What sending `sig` does to stopping before it waits: stop signals and SIGCONT undo each other. */
void stop_prepare(struct task_struct *task, int sig);
/* The process is to stop because of a signal that the running thread took. */
void stop_begin(struct task_struct *task, int sig);
/*
 * The running thread stops, if it is to; or tells its parent that the process goes on. Returns true
 * when it did, having dropped the lock meanwhile.
 */
bool stop_here(struct task_struct *task, unsigned long *flags);
/* A thread that is to stop will not any more, since it ends: CLD_STOPPED when it was the last, or 0. */
int stop_leave(struct task_struct *task);

#endif
