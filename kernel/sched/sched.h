/* SPDX-License-Identifier: MIT */
/*
 * Who runs. A sched_entity is the scheduler's part of a task: a kernel stack, saved registers, a
 * state, a place in a run queue. The scheduler knows nothing about processes or address spaces and
 * never allocates; what a switch means to the layers above comes through sched_hooks.
 */
#ifndef KERNEL_SCHED_SCHED_H
#define KERNEL_SCHED_SCHED_H

#include <arch/asm.h>
#include <arch/percpu.h>

#include "kernel/base/cpumask.h"
#include "kernel/lib/list.h"
#include "kernel/sync/spinlock.h"

enum task_state {
	TASK_RUNNING,	      /* runs, or waits in a run queue to run */
	TASK_INTERRUPTIBLE,   /* sleeps until woken or signalled */
	TASK_UNINTERRUPTIBLE, /* sleeps until woken */
	TASK_KILLABLE,	      /* sleeps until woken or killed */
	TASK_STOPPED,	      /* job control: until SIGCONT or SIGKILL */
	TASK_DEAD,	      /* has left for good; never scheduled again */
};

/* What sched_wake() ends. Only SIGCONT and SIGKILL end a stop. */
#define TASK_SLEEPS (BIT(TASK_INTERRUPTIBLE) | BIT(TASK_UNINTERRUPTIBLE) | BIT(TASK_KILLABLE))

struct sched_entity {
	u32 work; /* WORK_* bits; first, because entry.S tests it. Set with se_set_work(). */
	u32 state;
	unsigned long sp;	    /* saved stack pointer while not running */
	unsigned long stack_top;    /* of the kernel stack, 16-byte aligned */
	unsigned long stack_canary; /* what its functions find behind their arrays */
	void *fpu; /* save area of the user's vector registers; NULL in kernel threads */
	struct list_head run_link;
	u32 cpu; /* to whose run queue it belongs, and where it runs or ran. => that one's lock */
	cpu_bits_t allowed; /* where it may run; of those that are online there is one. => the same */
	bool on_rq;
	bool blocked;		  /* sleeps in a way that counts as load. => run queue's lock */
	bool on_cpu;		  /* still on its stack: may not be freed */
	bool turn_over;		  /* the others of its priority come first */
	u8 policy;		  /* SCHED_* of sched(7) */
	u8 rt_priority;		  /* 1 to 99 with SCHED_FIFO and SCHED_RR, else 0 */
	s8 nice;		  /* -20 to 19: how long its turns are with the other policies */
	unsigned int slice;	  /* ticks left */
	u64 exec_start, sum_exec; /* ns */
	/* Ticks that found it in its program, and in the kernel: how sum_exec is divided. */
	unsigned long user_ticks, system_ticks;
	unsigned long switches, forced_switches; /* it slept; somebody else's turn came */
#ifdef CONFIG_LOCKDEP
	struct held_locks held; /* the sleeping locks it has */
#endif
};

DECLARE_PER_CPU(struct sched_entity *, current_se);

struct sched_hooks {
	/* About to leave prev for next: change address space and per-program registers. Interrupts off. */
	void (*switch_out_in)(struct sched_entity *prev, struct sched_entity *next);
	/* Whether a signal should end an interruptible sleep of the running entity. */
	bool (*signal_pending)(void);
	/* Whether the running entity is to end whatever it does. */
	bool (*kill_pending)(void);
	/* The timer interrupt found a task running. Interrupts off. */
	void (*tick)(void);
};

/* Makes the running boot stack the idle entity of this CPU. */
void sched_init(const struct sched_hooks *hooks);
/*
 * The same on each further CPU, after sched_init(), as the last thing it does while it comes up: it idles
 * until there is something to run. Entities may be given to it from when it is in cpu_online_mask; it must
 * be by now. => interrupts off
 */
void sched_start_cpu(void) __noreturn;
/* Prepares an entity to begin in fn(arg) on its stack, which must not return. Not yet runnable. */
void sched_entity_init(struct sched_entity *se, unsigned long stack_top, void (*fn)(void *),
		       void *arg);
/*
 * Puts a sleeping or new entity into a run queue. Any context. True if it was asleep. What it is woken for
 * must be true before. => se isn't freed meanwhile
 */
bool sched_wake(struct sched_entity *se);
/* The same, if its state is among those given: a set of BIT(TASK_*). */
bool sched_wake_from(struct sched_entity *se, u32 states);
/*
 * After se_set_work() on an entity that may be running on another CPU: makes it see that, should it be in
 * user mode. Any context. => se isn't freed meanwhile
 */
void sched_kick(const struct sched_entity *se);
/* Both: wakes it, if it sleeps in one of these states, and otherwise kicks it. */
void sched_notify(struct sched_entity *se, u32 states);
/* Gives the CPU to somebody else; returns when it is our turn again. => no spinlock held. */
void schedule(void);
/* The same by its own will: others of the same priority come first. */
void sched_yield(void);
/* Changes what decides when an entity runs, which may be in the queue. */
void sched_set_policy(struct sched_entity *se, unsigned int policy, unsigned int rt_priority,
		      int nice);
/*
 * Says on which CPUs an entity may run, one of which is online. If it runs on another, it has left that on
 * return. => no spinlock held; se isn't freed meanwhile
 */
void sched_set_allowed(struct sched_entity *se, cpu_bits_t cpus);
/* How many ticks a turn of it lasts while others wait; 0: no limit. */
unsigned int sched_slice(const struct sched_entity *se);
/*
 * In the middle of long work: lets others run if it is their turn, so that no call keeps the CPU
 * for itself. => no spinlock held, interrupts on
 */
void cond_resched(void);
/* Leaves for ever. => state TASK_DEAD is set here. */
void sched_exit(void) __noreturn;
/* Waits until a dead entity has left its stack, which is soon. => it is dead, or has never run */
void sched_wait_gone(const struct sched_entity *se);
/* Runs others, or halts until there are any; the boot stack ends here. */
void sched_idle(void) __noreturn;
/* The timer interrupt: counts the slice down. user: it came while a program ran. */
void sched_tick(bool user);
/* How long an entity has run, in ns. Never goes back. Any context, but a run queue's lock. */
u64 sched_runtime(const struct sched_entity *se);
/* How long all CPUs together had nothing to do, in ns. */
u64 sched_idle_ns(void);
bool sched_signal_pending(void);
bool sched_kill_pending(void);

static inline void set_current_state(enum task_state state)
{
	struct sched_entity *se = this_cpu_read(current_se);

	__atomic_store_n(&se->state, state, __ATOMIC_SEQ_CST);
}

/* NULL in release builds, which don't know. */
static inline struct held_locks *se_held_locks(struct sched_entity *se)
{
#ifdef CONFIG_LOCKDEP
	return &se->held;
#else
	return NULL;
#endif
}

/* A full barrier. On a running entity of another CPU: sched_notify() or sched_kick() it afterwards. */
static inline void se_set_work(struct sched_entity *se, u32 bits)
{
	__atomic_fetch_or(&se->work, bits, __ATOMIC_SEQ_CST);
}

static inline void se_clear_work(struct sched_entity *se, u32 bits)
{
	__atomic_fetch_and(&se->work, ~bits, __ATOMIC_ACQ_REL);
}

#define TICK_NS	       10000000UL
#define RR_SLICE_TICKS 10

/* The load of the last 1, 5 and 15 minutes: who ran, was ready to or waits uninterruptibly. */
#define LOAD_SHIFT 11 /* in 2^-11 */
extern unsigned long sched_load[3];

struct sched_counts {
	unsigned int running, blocked;		/* running, or ready to; uninterruptible */
	unsigned long user_ticks, system_ticks; /* of all that ran */
	unsigned long switches;			/* since boot */
	u64 idle_ns;				/* had nothing to do */
};
/* Of all CPUs together, or of one. */
void sched_count(struct sched_counts *counts);
void sched_count_cpu(unsigned int cpu, struct sched_counts *counts);

#endif
