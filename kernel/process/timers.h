/* SPDX-License-Identifier: MIT */
/*
 * A process's timers: setitimer(2)'s three, timer_create(2)'s, and clocks that count the processor's time.
 *
 * What a process has is protected by its sighand->lock, since nearly all of it ends in a signal. The
 * time of a process is the sum of its threads', so a timer of that takes tasklist_lock around it.
 */
#ifndef KERNEL_PROCESS_TIMERS_H
#define KERNEL_PROCESS_TIMERS_H

#include "kernel/abi/time.h"
#include "kernel/lib/list.h"
#include "kernel/sched/timer.h"

struct restart_block;
struct siginfo_kernel;
struct signal_struct;
struct task_struct;

/* --- processor time: cpu_clock.c ------------------------------------------------------------ */

/* What is counted; the numbers are those in a clock id. */
enum cpu_clock_kind {
	CPU_CLOCK_PROF,	 /* ticks that found it running */
	CPU_CLOCK_VIRT,	 /* ... in its program */
	CPU_CLOCK_SCHED, /* the time itself */
	NR_CPU_CLOCK_KINDS,
};

struct cpu_clock {
	struct signal_struct *process;
	struct task_struct *thread; /* or NULL: all of the process's */
	enum cpu_clock_kind kind;
};

/* Calls fn from the tick that finds the clock at `expires` or beyond. => both locks, in fn too */
struct cpu_timer {
	struct list_head link; /* in process->timers.cpu_timers; empty while it is not armed */
	struct cpu_clock clock;
	u64 expires; /* ns */
	void (*fn)(struct cpu_timer *timer);
};

/* Whether a clock id is one of these clocks, of this or another process. */
bool clock_is_cpu(int id);
/* Whether it would be that of a device's clock, of which there are none. */
static inline bool clock_is_fd(int id)
{
	return id < 0 && (id & 7) == 3;
}
/*
 * The clock of an id. reading: the id of a process may be that of the caller's own thread. 0 or -EINVAL.
 * => tasklist_lock
 */
int find_cpu_clock(int id, bool reading, struct cpu_clock *clock);
/* => tasklist_lock */
u64 cpu_clock_now(const struct cpu_clock *clock);
/* The time of such a clock now, in ns, or -EINVAL. */
s64 cpu_clock_read(int id);

void cpu_timer_init(struct cpu_timer *timer, void (*fn)(struct cpu_timer *));
/* => not armed; the clock is one of the running process */
void cpu_timer_start(struct cpu_timer *timer);
void cpu_timer_cancel(struct cpu_timer *timer);
/* From the timer interrupt, for the running task: fires what is due; RLIMIT_CPU. */
void cpu_timers_tick(void);
/* clock_nanosleep(2) by such a clock. 0 or -errno; *ns becomes what is left. */
long cpu_clock_sleep(int id, bool absolute, s64 *ns);

/* --- setitimer(2): itimer.c -------------------------------------------------------------------- */

struct cpu_itimer {
	struct cpu_timer timer;
	u64 interval;
};

struct process_timers {
	struct timer real;
	bool real_active;
	u64 real_interval;
	struct cpu_itimer virt, prof;
	struct list_head cpu_timers;
	struct list_head posix; /* posix_timer.c's */
	int next_id;
};

/* In ns; value 0: it does not run, interval 0: it fires once. */
struct timer_spec {
	u64 value, interval;
};

void process_timers_init(struct process_timers *timers);
/* The last thread ends: none fires any more. */
void process_timers_exit(struct signal_struct *process);
/* `which` is ITIMER_*; new may be NULL. 0 or -EINVAL. */
int do_setitimer(int which, const struct timer_spec *new, struct timer_spec *old);

/* --- timer_create(2): posix_timer.c -------------------------------------------------------------- */

struct posix_timer;

void posix_timer_cache_init(void);
/* The id is put to *uid. 0 or -errno. event NULL: SIGALRM with the id. */
int posix_timer_create(int clock, const struct kernel_sigevent *event, int __user *uid);
/* 0, or -EINVAL: no such timer. new and old as for do_setitimer(). */
int posix_timer_settime(int id, bool absolute, const struct timer_spec *new,
			struct timer_spec *old);
int posix_timer_gettime(int id, struct timer_spec *now);
int posix_timer_getoverrun(int id);
int posix_timer_delete(int id);
/* All of the running process's, at exec and exit. */
void posix_timers_delete(struct signal_struct *process);
/* The signal of a timer leaves its queue: says how often it fired meanwhile. => sighand->lock */
void posix_timer_taken(struct posix_timer *timer, struct siginfo_kernel *info);

#endif
