/* SPDX-License-Identifier: MIT */
/* Which process goes when memory is used up: the one that holds most of it. */
#include "mm/oom.h"

#include <arch/clock.h>

#include "kernel/base/string.h"
#include "kernel/process/task.h"
#include "kernel/sched/timer.h"
#include "mm/calls.h"

/* => tasklist_lock. The address space of a process: that of any thread that still has it. */
static const struct mm_struct *mm_of(const struct signal_struct *process)
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

	if (!mm || process == init_process)
		return 0;
	return get_mm_rss(mm) + (unsigned long)atomic_long_read(&mm->pgtables_bytes) / PAGE_SIZE;
}

static bool is_dying(const struct signal_struct *process)
{
	return process->flags & SIGNAL_GROUP_EXIT;
}

static bool choose(struct oom_victim *victim)
{
	struct signal_struct *process, *dying = NULL;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	for_each_process(process)
	{
		unsigned long pages = pages_of(process);

		/* One that is on its way already gets the time to go; if it is the only one, again. */
		if (pages && is_dying(process))
			dying = process;
		if (pages <= victim->pages || is_dying(process))
			continue;
		victim->pages = pages;
		victim->pid = process->leader->pid;
		memcpy(victim->comm, process->leader->comm, sizeof(victim->comm));
	}
	/* Nobody new is chosen while somebody is still going. */
	if (dying && (!current_is_task() || dying != current->signal))
		*victim = (struct oom_victim){ .pid = dying->leader->pid, .again = true };
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
	if (process && process != current->signal)
		sleep_until(clock_ns() + KILL_WAIT_NS);
}

static const struct oom_ops ops = { .choose = choose, .kill = kill };

void process_oom_init(void)
{
	oom_register(&ops);
}
