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

/* No process has so few points: it may not be chosen. */
#define OOM_NEVER INT64_MIN

/*
 * How much is won by ending the process: the pages that it holds; and what its oom_score_adj says, which is
 * in thousandths of all memory. => tasklist_lock
 */
static long oom_badness(const struct signal_struct *process)
{
	const unsigned long pages = pages_of(process);

	if (!pages || process == init_process || process->oom_score_adj == OOM_SCORE_ADJ_MIN ||
	    in_vfork(process))
		return OOM_NEVER;
	return (long)pages + process->oom_score_adj * (long)(totalram_pages() / 1000);
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

/* Whoever wants memory goes himself, if vm.oom_kill_allocating_task says so. => tasklist_lock */
static bool choose_current(struct oom_victim *victim)
{
	const struct signal_struct *self = current_is_task() ? current->signal : NULL;

	if (!READ_ONCE(sysctl_oom_kill_allocating_task) || !self || oom_badness(self) == OOM_NEVER)
		return false;
	fill_victim(victim, self);
	return true;
}

/*
 * From now on nobody else is chosen until its memory is back. Unless pid 1 uses it, too: then it is never
 * empty, and its other users go for nothing. => tasklist_lock
 */
static void mark_victim(const struct oom_victim *victim)
{
	struct mm_struct *mm = mm_of(find_process(victim->pid));

	if (mm != mm_of(init_process))
		mark_oom_victim(mm);
}

static bool choose(struct oom_victim *victim)
{
	struct signal_struct *process, *dying = NULL;
	long most = OOM_NEVER;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	for_each_process(process)
	{
		long points = oom_badness(process);

		/* One that is on its way already gets the time to go; if it is the only one, again. */
		if (is_dying(process)) {
			if (pages_of(process) && process != init_process)
				dying = process;
			continue;
		}
		if (points > most) {
			most = points;
			fill_victim(victim, process);
		}
	}
	if (most != OOM_NEVER)
		choose_current(victim);
	/* Nobody new is chosen while somebody is still going, or what he had is still coming back. */
	if (dying && (!current_is_task() || dying != current->signal))
		*victim = (struct oom_victim){ .pid = dying->leader->pid, .again = true };
	else if (oom_victims_left())
		*victim = (struct oom_victim){ .again = true };
	/* At once, or somebody else would choose it as well. */
	else if (victim->pages)
		mark_victim(victim);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return victim->pages > 0 || victim->again;
}

/* How long the victim gets to end before somebody who waits for its memory looks again. */
#define KILL_WAIT_NS (2 * TICK_NS)

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
	send_signal(victim->leader, SIGKILL);
}

static void kill(struct oom_victim *victim)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct signal_struct *process = find_process(victim->pid);

	if (process)
		kill_sharers(process);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	if (victim->again || (process && process != current->signal))
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

static const struct oom_ops ops = { .choose = choose, .kill = kill };

void process_oom_init(void)
{
	oom_register(&ops);
}
