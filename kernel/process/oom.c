/* SPDX-License-Identifier: MIT */
/* Which process goes when memory is used up: the one that holds most of it. */
#include "mm/oom.h"

#include <arch/clock.h>

#include "kernel/abi/oom.h"
#include "kernel/base/string.h"
#include "kernel/fs/proc.h"
#include "kernel/process/pidfd.h"
#include "kernel/sched/timer.h"
#include "mm/calls.h"
#include "mm/page.h"
#include "mm/sysctl.h"

/* => tasklist_lock. The address space of a process: that of any thread that still has it. */
static struct mm_struct *mm_of(const struct signal_struct *process)
{
	const struct task_struct *t;

	for_each_thread(process, t)
	{
		if (t->mm_part.mm)
			return t->mm_part.mm;
	}
	return NULL;
}

/* => tasklist_lock */
static unsigned long pages_of(const struct signal_struct *process)
{
	const struct mm_struct *mm = mm_of(process);

	return mm ? get_mm_rss(mm) +
			       (unsigned long)atomic_long_read(&mm->pgtables_bytes) / PAGE_SIZE :
		    0;
}

/* => tasklist_lock. Whether its memory is still its parent's, who waits for it: vfork(2). */
static bool in_vfork(const struct signal_struct *process)
{
	const struct task_struct *parent = process->leader->vfork_parent;

	return parent && parent->mm_part.mm == process->leader->mm_part.mm;
}

/* => tasklist_lock. Whether there is something to win by ending the process, and it may be done. */
static bool may_be_killed(const struct signal_struct *process)
{
	return process != init_process && process->oom_score_adj != OOM_SCORE_ADJ_MIN &&
	       pages_of(process);
}

/* No process has so few points: it may not be chosen. */
#define OOM_NEVER INT64_MIN

/*
 * How much is won by ending the process: the pages that it holds; and what its oom_score_adj says, which is
 * in thousandths of all memory. => tasklist_lock
 */
static long oom_badness(const struct signal_struct *process)
{
	if (!may_be_killed(process) || in_vfork(process))
		return OOM_NEVER;
	return (long)pages_of(process) + process->oom_score_adj * (long)(totalram_pages() / 1000);
}

static bool is_dying(const struct signal_struct *process)
{
	return (process->flags & SIGNAL_GROUP_EXIT) ||
	       (thread_group_empty(process) && process->leader->exiting);
}

/* => tasklist_lock */
static void fill_victim(struct oom_victim *victim, const struct signal_struct *process)
{
	victim->pages = pages_of(process);
	victim->pid = process->leader->pid;
	memcpy(victim->comm, process->leader->comm, sizeof(victim->comm));
}

/*
 * => tasklist_lock. The process that is best ended, or NULL: none may be. Whoever wants memory goes himself, if
 * vm.oom_kill_allocating_task says so. *dying is one that is on its way already, or NULL.
 */
static struct signal_struct *choose(struct signal_struct **dying)
{
	struct signal_struct *process, *best = NULL;
	long most = OOM_NEVER;

	*dying = NULL;
	for_each_process(process)
	{
		long points = oom_badness(process);

		if (is_dying(process)) {
			if (pages_of(process) && process != init_process)
				*dying = process;
		} else if (points > most) {
			most = points;
			best = process;
		}
	}
	if (READ_ONCE(sysctl_oom_kill_allocating_task) && current_is_task() &&
	    may_be_killed(current->signal))
		return current->signal;
	return best;
}

/* => tasklist_lock. Others on the same memory would keep it: they go too. */
static void kill_sharers(const struct signal_struct *victim)
{
	const struct mm_struct *mm = mm_of(victim);
	struct signal_struct *process;

	for_each_process(process)
	{
		if (mm && mm_of(process) == mm)
			send_signal(process->leader, SIGKILL);
	}
}

/*
 * Nobody new is chosen while somebody is still going, or what he had is still coming back; but when pid 1 uses
 * the victim's memory as well, it won't, and nobody waits for it. All in one step: those who have the memory
 * now are those who are killed.
 */
static bool oom_kill(struct oom_victim *victim)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct signal_struct *dying, *process = choose(&dying);

	if (dying && (!current_is_task() || dying != current->signal)) {
		victim->again = true;
		/* If its memory has other users. */
		kill_sharers(dying);
	} else if (oom_victims_left()) {
		victim->again = true;
	} else if (process) {
		fill_victim(victim, process);
		if (mm_of(process) != mm_of(init_process))
			mark_oom_victim(mm_of(process));
		kill_sharers(process);
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return victim->again || process;
}

/* How long the victim gets to end before somebody who waits for its memory looks again. */
#define KILL_WAIT_NS (2 * TICK_NS)

static void oom_wait(const struct oom_victim *victim)
{
	if (victim->again || !current_is_task() || victim->pid != current->tgid)
		sleep_until(clock_ns() + KILL_WAIT_NS);
}

/* --- taking memory before its process goes ------------------------------------------------------ */

/* => tasklist_lock. Whether the memory is given back soon: all who use it are on their way out. */
static bool will_free_memory(const struct mm_struct *mm)
{
	const struct signal_struct *process;

	for_each_process(process)
	{
		if (mm_of(process) == mm && !is_dying(process))
			return false;
	}
	return true;
}

int process_release_memory(const struct pid *pid)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct mm_struct *mm = pid->task ? mm_of(pid->task->signal) : NULL;
	int err = !mm ? -ESRCH : will_free_memory(mm) ? 0 : -EINVAL;

	/* Not one user more, who would have to empty it if he were the last. */
	if (!err)
		mmgrab(mm);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	if (err)
		return err;
	oom_reap_mm(mm);
	mmdrop(mm);
	return 0;
}

/* --- /proc/pid/oom_score_adj -------------------------------------------------------------------- */

bool process_oom_info(int pid, struct proc_oom_info *info)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	const struct task_struct *task = find_task(pid);
	const long total = (long)totalram_pages();
	long points;

	if (task) {
		points = oom_badness(task->signal);
		info->adj = task->signal->oom_score_adj;
		/* From 0 for the least that is possible, by 667 for nothing, to above 1333 for all. */
		info->score = points == OOM_NEVER ? 0 : (1000 + points * 1000 / total) * 2 / 3;
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return task;
}

/*
 * Who has the same memory stands or falls with it; but not between vfork(2) and exec, where the child may have
 * a value of its own for the program that it will be. => tasklist_lock
 */
static void set_adj(struct signal_struct *process, int adj, bool floor)
{
	const struct mm_struct *mm = in_vfork(process) ? NULL : mm_of(process);
	struct signal_struct *p;

	for_each_process(p)
	{
		if (p != process && (!mm || p == init_process || mm_of(p) != mm || in_vfork(p)))
			continue;
		p->oom_score_adj = (s16)adj;
		if (floor)
			p->oom_score_adj_min = (s16)adj;
	}
}

int process_set_oom_adj(int pid, int adj, bool legacy)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	const struct task_struct *task = find_task(pid);
	struct signal_struct *process = task ? task->signal : NULL;
	const bool may = capable(CAP_SYS_RESOURCE);
	int err = 0;

	if (!process)
		err = -ESRCH;
	else if (!may && adj < (legacy ? process->oom_score_adj : process->oom_score_adj_min))
		err = -EACCES;
	if (!err)
		set_adj(process, adj, may && !legacy);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return err;
}

static const struct oom_ops ops = { .kill = oom_kill, .wait = oom_wait };

void process_oom_init(void)
{
	oom_register(&ops);
}
