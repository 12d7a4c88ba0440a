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

/* => tasklist_lock. The zombie's end is told to its parent, which may not want to know. */
static void announce(struct task_struct *task)
{
	if (!task->parent || notify_parent(task))
		task_bury(task);
}

/* => tasklist_lock. Children go to pid 1, or to nobody when that is gone too. */
static void reparent_children(struct task_struct *task)
{
	struct task_struct *child, *next;

	list_for_each_entry_safe(child, next, &task->children, sibling)
	{
		child->parent = init_task != task ? init_task : NULL;
		child->exit_signal = SIGCHLD;
		list_del(&child->sibling);
		if (child->parent) {
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

/* What others may look at through /proc goes out of sight before it goes. */
static void exit_files(struct task_struct *task)
{
	struct files_struct *files;
	struct fs_context *fs;

	spin_lock(&tasklist_lock);
	files = task->files;
	fs = task->fs;
	task->files = NULL;
	task->fs = NULL;
	spin_unlock(&tasklist_lock);
	files_put(files);
	if (fs)
		fs_context_put(fs);
}

void do_exit(int code)
{
	struct task_struct *task = current;

	if (task == init_task)
		init_exited(code);
	exit_mm(task);
	exit_files(task);

	spin_lock(&tasklist_lock);
	reparent_children(task);
	task->exit_code = code;
	/* From here on we may be freed as soon as sched_exit() has left this stack, but not before. */
	local_irq_disable();
	task->zombie = true;
	announce(task);
	spin_unlock(&tasklist_lock);
	sched_exit();
}

/* --- waiting --------------------------------------------------------------------------------------- */

struct wait_for {
	int pid; /* as wait4(2) has it */
	unsigned int options;
};

/* Process groups are not there yet: everybody is in one, which has no number to ask for. */
static bool child_matches(const struct task_struct *child, const struct wait_for *w)
{
	if (w->pid > 0 ? child->pid != w->pid : w->pid < -1)
		return false;
	/* A "clone" child is one that doesn't announce its end by SIGCHLD. */
	return (w->options & __WALL) ||
	       (child->exit_signal != SIGCHLD) == !!(w->options & __WCLONE);
}

/* => tasklist_lock. A zombie among the children wanted; *any: there are such children at all. */
static struct task_struct *find_zombie(const struct wait_for *w, bool *any)
{
	struct task_struct *child;

	*any = false;
	list_for_each_entry(child, &current->children, sibling)
	{
		if (!child_matches(child, w))
			continue;
		*any = true;
		if (child->zombie && !READ_ONCE(child->se.on_cpu))
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
	put_task(child);
	return pid;
}

/* One look: a pid, 0 when there is nothing yet, or -ECHILD. */
static long try_wait(const struct wait_for *w, struct wait_result *res)
{
	struct task_struct *child;
	bool any;

	spin_lock(&tasklist_lock);
	child = find_zombie(w, &any);
	if (child)
		task_unlink(child);
	spin_unlock(&tasklist_lock);
	if (child)
		return reap(child, res);
	return any ? 0 : -ECHILD;
}

long do_wait(int pid, unsigned int options, struct wait_result *res)
{
	const struct wait_for w = { pid, options };
	long ret = 0;
	int err;

	reap_dead_tasks();
	if (options & WNOHANG)
		return try_wait(&w, res);
	err = wait_event_interruptible(current->child_wait, (ret = try_wait(&w, res)) != 0);
	return err ? err : ret;
}
