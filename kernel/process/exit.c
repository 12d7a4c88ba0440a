/* SPDX-License-Identifier: MIT */
/* The end of a process, and waiting for it. */
#include <arch/mmu.h>
#include <arch/power.h>
#include <arch/uaccess.h>

#include "kernel/base/printk.h"
#include "kernel/process/task.h"
#include "mm/calls.h"

static void exit_mm(struct task_struct *task)
{
	struct mm_struct *mm = task->mm_part.mm;

	if (!mm)
		return;
	/* Before the memory goes, since the parent of a vfork shares it. */
	if (task->clear_child_tid && atomic_read(&mm->mm_users) > 1) {
		int err = put_user(0, (int __user *)task->clear_child_tid);

		(void)err; /* a bad address is the program's own affair, as in Linux */
	}
	task_switch_mm(NULL);
	mm_release(task);
	mmput(mm);
}

/* Ended, in no list any more, and still to be freed: a task can't free the stack it runs on. */
static struct list_head dead_tasks = LIST_HEAD_INIT(dead_tasks);

/* => tasklist_lock. The zombie's end is told to its parent, which may not want to know. */
static void announce(struct task_struct *task)
{
	if (!notify_parent(task))
		return;
	list_del(&task->tasks);
	list_del(&task->sibling);
	list_add(&task->sibling, &dead_tasks);
}

void reap_dead_tasks(void)
{
	struct list_head list = LIST_HEAD_INIT(list);
	struct task_struct *task, *next;

	spin_lock(&tasklist_lock);
	list_for_each_entry_safe(task, next, &dead_tasks, sibling)
	{
		list_del(&task->sibling);
		list_add(&task->sibling, &list);
	}
	spin_unlock(&tasklist_lock);
	list_for_each_entry_safe(task, next, &list, sibling) task_free(task);
}

/* => tasklist_lock. Children go to pid 1, or to nobody when that is gone too. */
static void reparent_children(struct task_struct *task)
{
	struct task_struct *child, *next;

	list_for_each_entry_safe(child, next, &task->children, sibling)
	{
		child->parent = init_task != task ? init_task : NULL;
		list_del(&child->sibling);
		if (child->parent) {
			child->exit_signal = SIGCHLD;
			list_add_tail(&child->sibling, &child->parent->children);
			if (child->zombie)
				announce(child);
		} else {
			INIT_LIST_HEAD(&child->sibling);
		}
	}
}

/* What the machine does when pid 1 ends. */
static void init_exited(int code)
{
	if (code == 0)
		machine_poweroff();
	if (code & 0x7f)
		panic("init was killed by signal %d", code & 0x7f);
	panic("init exited with status %d", code >> 8);
}

void do_exit(int code)
{
	struct task_struct *task = current;

	if (task == init_task)
		init_exited(code);
	exit_mm(task);
	files_put(task->files);
	fs_context_put(task->fs);

	spin_lock(&tasklist_lock);
	task->files = NULL;
	task->fs = NULL;
	reparent_children(task);
	task->exit_code = code;
	/* From here on the parent may free us, but not before sched_exit() has left this stack. */
	local_irq_disable();
	task->zombie = true;
	if (task->parent)
		announce(task);
	spin_unlock(&tasklist_lock);
	sched_exit();
}

/* --- waiting --------------------------------------------------------------------------------------- */

static bool child_matches(const struct task_struct *child, int pid)
{
	/* Process groups are not there yet: everybody is in one. */
	return pid <= 0 || child->pid == pid;
}

/* => tasklist_lock. A zombie among the children wanted; *any: there are such children at all. */
static struct task_struct *find_zombie(int pid, bool *any)
{
	struct task_struct *child;

	*any = false;
	list_for_each_entry(child, &current->children, sibling)
	{
		if (!child_matches(child, pid))
			continue;
		*any = true;
		if (child->zombie)
			return child;
	}
	return NULL;
}

static int reap(struct task_struct *child, struct wait_result *res)
{
	int pid = child->pid;

	*res = (struct wait_result){
		.status = child->exit_code,
		.min_flt = child->mm_part.min_flt + child->cmin_flt,
		.maj_flt = child->mm_part.maj_flt + child->cmaj_flt,
		.cpu_ns = child->se.sum_exec + child->csum_exec,
	};
	current->cmin_flt += res->min_flt;
	current->cmaj_flt += res->maj_flt;
	current->csum_exec += res->cpu_ns;
	task_free(child);
	return pid;
}

/* One look: a pid, 0 when there is nothing yet, or -ECHILD. */
static long try_wait(int pid, struct wait_result *res)
{
	struct task_struct *child;
	bool any;

	spin_lock(&tasklist_lock);
	child = find_zombie(pid, &any);
	if (child) {
		list_del(&child->sibling);
		list_del(&child->tasks);
	}
	spin_unlock(&tasklist_lock);
	if (child)
		return reap(child, res);
	return any ? 0 : -ECHILD;
}

long do_wait(int pid, unsigned int options, struct wait_result *res)
{
	long ret = 0;
	int err;

	if (options & WNOHANG)
		return try_wait(pid, res);
	err = wait_event_interruptible(current->child_wait, (ret = try_wait(pid, res)) != 0);
	return err ? err : ret;
}
