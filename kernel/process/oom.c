/* SPDX-License-Identifier: MIT */
/* Which process goes when memory is used up: the one that holds most of it. */
#include "mm/oom.h"

#include <arch/clock.h>

#include "kernel/base/string.h"
#include "kernel/process/task.h"
#include "kernel/sched/timer.h"
#include "mm/calls.h"

/* => tasklist_lock */
static unsigned long pages_of(const struct task_struct *task)
{
	const struct mm_struct *mm = task->mm_part.mm;

	if (!mm || task == init_task)
		return 0;
	return get_mm_rss(mm) + (unsigned long)atomic_long_read(&mm->pgtables_bytes) / PAGE_SIZE;
}

static bool choose(struct oom_victim *victim)
{
	struct task_struct *task, *dying = NULL;

	spin_lock(&tasklist_lock);
	list_for_each_entry(task, &all_tasks, tasks)
	{
		unsigned long pages = pages_of(task);

		/* One that is on its way already gets the time to go; if it is the only one, again. */
		if (pages && task->mm_part.kill_pending)
			dying = task;
		if (pages <= victim->pages || task->mm_part.kill_pending)
			continue;
		victim->pages = pages;
		victim->pid = task->pid;
		memcpy(victim->comm, task->comm, sizeof(victim->comm));
	}
	/* Nobody new is chosen while somebody is still going. */
	if (dying && dying != current)
		*victim = (struct oom_victim){ .pid = dying->pid, .again = true };
	spin_unlock(&tasklist_lock);
	return victim->pages > 0 || victim->again;
}

/* How long the victim gets to end before somebody who waits for its memory looks again. */
#define KILL_WAIT_NS (2 * TICK_NS)

static void kill(struct oom_victim *victim)
{
	struct task_struct *task;

	spin_lock(&tasklist_lock);
	task = find_task(victim->pid);
	if (task)
		send_signal(task, SIGKILL);
	spin_unlock(&tasklist_lock);
	if (task && task != current)
		sleep_until(clock_ns() + KILL_WAIT_NS);
}

static const struct oom_ops ops = { .choose = choose, .kill = kill };

void process_oom_init(void)
{
	oom_register(&ops);
}
