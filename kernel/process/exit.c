/* SPDX-License-Identifier: MIT */
/*
 * The end: of a thread, and with its last thread of a process. A thread that is not the leader just
 * goes; the leader stays as a zombie until all others have gone and its parent has been told.
 */
#include <arch/mmu.h>
#include <arch/power.h>
#include <arch/uaccess.h>

#include "kernel/abi/prctl.h"
#include "kernel/base/printk.h"
#include "kernel/process/futex.h"
#include "kernel/process/sysv_shm.h"
#include "kernel/process/task.h"
#include "mm/calls.h"

void mm_release(struct task_struct *task, struct mm_struct *mm)
{
	exit_robust_list(task);
	/* Only where somebody is left to see it: other threads, or the parent of a vfork. */
	if (task->clear_child_tid && atomic_read(&mm->mm_users) > 1) {
		u32 __user *tid = (u32 __user *)task->clear_child_tid;
		int err = put_user(0, tid);

		(void)err; /* a bad address is the program's own affair, as in Linux */
		futex_wake_shared(tid);
	}
	task->clear_child_tid = 0;
}

static void exit_mm(struct task_struct *task)
{
	struct mm_struct *mm = task->mm_part.mm;

	if (!mm)
		return;
	process_note_rss(task->signal, mm);
	mm_release(task, mm);
	/* What others may not see now, nobody can tell them from then on. */
	if (mm->dumpable != SUID_DUMP_USER)
		forget_faults(&task->mm_part);
	task_switch_mm(NULL);
	vfork_release(task);
	mmput(mm);
}

/* What others may look at through /proc goes out of sight before it goes. */
static void exit_files(struct task_struct *task)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct files_struct *files = task->files;
	struct fs_context *fs = task->fs;

	task->files = NULL;
	task->fs = NULL;
	spin_unlock_irqrestore(&tasklist_lock, flags);
	files_put(files);
	if (fs)
		fs_context_put(fs);
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

/* --- the family ------------------------------------------------------------------------------------ */

void process_ended(struct signal_struct *process)
{
	struct task_struct *leader = process->leader;

	wake_up(&leader->thread_pid->wait);
	if (!process->parent || notify_parent(process))
		task_bury(leader);
}

/* => tasklist_lock. Who takes over the children of a process: the nearest that offered to, or pid 1. */
static struct signal_struct *find_new_reaper(const struct signal_struct *process)
{
	struct signal_struct *p;

	for (p = process->parent; p && p != init_process; p = p->parent)
		if (p->child_subreaper && p->live)
			return p;
	return init_process != process ? init_process : NULL;
}

/* Who asked by prctl(PR_SET_PDEATHSIG) to be told about the end of the thread that made it. */
static void tell_pdeath(const struct signal_struct *child)
{
	struct siginfo_kernel info;
	struct task_struct *t;

	for_each_thread(child, t)
	{
		if (!t->pdeath_signal)
			continue;
		siginfo_init(&info, t->pdeath_signal, SI_USER);
		info.sent.pid = current->tgid;
		info.sent.uid = current->cred.uid;
		send_signal_info(t, &info, false);
	}
}

/* => tasklist_lock. */
static void reparent(struct signal_struct *child, struct signal_struct *reaper)
{
	const struct signal_struct *old = child->parent;

	child->parent = reaper;
	WRITE_ONCE(child->ppid, reaper ? reaper->leader->pid : 0);
	child->leader->exit_signal = SIGCHLD;
	list_del(&child->sibling);
	if (!reaper) {
		INIT_LIST_HEAD(&child->sibling);
		return;
	}
	child->parent_tid = reaper->leader->pid;
	list_add_tail(&child->sibling, &reaper->children);
	if (child->leader->zombie && thread_group_empty(child))
		process_ended(child);
	else
		orphan_group(child, old, NULL);
}

/* => tasklist_lock. Whose number children get whose maker, one of several threads, is gone. */
static int heir_of(const struct task_struct *task)
{
	const struct task_struct *t;

	for_each_thread(task->signal, t)
	{
		if (t != task && !t->exiting)
			return t->pid;
	}
	return task->tgid;
}

/* => tasklist_lock. The children that this thread made: to another thread, or with the last to others. */
static void forget_children(struct task_struct *task, bool last)
{
	struct signal_struct *process = task->signal, *child, *next, *reaper;
	const int heir = heir_of(task);

	reaper = last ? find_new_reaper(process) : process;
	list_for_each_entry_safe(child, next, &process->children, sibling)
	{
		if (child->parent_tid == task->pid)
			tell_pdeath(child);
		if (last)
			reparent(child, reaper);
		else if (child->parent_tid == task->pid)
			child->parent_tid = heir;
	}
}

/* => tasklist_lock, sighand->lock not held. The thread becomes a zombie, or vanishes. */
static void exit_notify(struct task_struct *task, bool last)
{
	struct signal_struct *process = task->signal;
	struct task_struct *leader = process->leader;
	struct usage own;

	forget_children(task, last);
	if (last)
		orphan_group(process, process->parent, process);
	task->zombie = true;
	if (task != leader) {
		task_usage(task, &own);
		usage_add(&process->dead_threads, &own);
		task_bury(task);
	}
	wake_up(&process->exec_wait);
	if (leader->zombie && thread_group_empty(process))
		process_ended(process);
}

/* The last thread to leave takes what belongs to the process with it. */
static void exit_process(struct task_struct *task)
{
	if (task->signal == init_process)
		init_exited(task->exit_code);
	process_timers_exit(task->signal);
}

/* Whether the running thread is the last to go: then how it ends is how its process ends. */
static bool begin_exit(struct task_struct *task, int code)
{
	struct signal_struct *process = task->signal;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	bool last = --process->live == 0;

	spin_lock(&task->sighand->lock);
	if (last && !(process->flags & SIGNAL_GROUP_EXIT))
		begin_group_exit(process, code);
	spin_unlock(&task->sighand->lock);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return last;
}

void do_exit(int code)
{
	struct task_struct *task = current;
	bool last;

	exit_signals(task);
	task->exit_code = code;
	last = begin_exit(task, code);
	if (last)
		exit_process(task);
	exit_mm(task);
	exit_shm(task);
	exit_files(task);
	if (last)
		tty_session_ends();

	/* From here on we may be freed as soon as sched_exit() has left this stack, but not before. */
	local_irq_disable();
	spin_lock(&tasklist_lock);
	exit_notify(task, last);
	spin_unlock(&tasklist_lock);
	sched_exit();
}

void do_group_exit(int code)
{
	struct task_struct *task = current;
	struct signal_struct *process = task->signal;
	unsigned long flags = spin_lock_irqsave(&task->sighand->lock);

	if (process->flags & SIGNAL_GROUP_EXIT) {
		code = process->group_exit_code;
	} else if (process->exec_task && process->exec_task != task) {
		code = 0; /* we are to go anyway; the process goes on with another program */
	} else {
		begin_group_exit(process, code);
		zap_other_threads(task);
	}
	spin_unlock_irqrestore(&task->sighand->lock, flags);
	do_exit(code);
}
