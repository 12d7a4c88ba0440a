/* SPDX-License-Identifier: MIT */
/*
 * New processes. So far the only way is vfork's: the child borrows its parent's address space, and the
 * parent sleeps until the child has another program or ends.
 */
#include <arch/fpu.h>
#include <arch/switch.h>

#include "kernel/base/string.h"
#include "kernel/process/task.h"
#include "mm/calls.h"
#include "mm/vmalloc.h"

static void child_start(void *arg)
{
	enter_user_mode();
}

static void copy_registers(struct task_struct *child, unsigned long newsp)
{
	struct pt_regs *regs;

	child->se.stack_top = (unsigned long)child->stack + THREAD_SIZE;
	regs = task_pt_regs(child);
	*regs = *task_pt_regs(current);
	regs->ax = 0;
	if (newsp)
		regs->sp = newsp;
	child->fs_base = current->fs_base;
	child->gs_base = current->gs_base;
	fpu_save(current->se.fpu);
	memcpy(child->se.fpu, current->se.fpu, fpu_area_size());
}

/* Until the child lets go of our memory, or we are killed. */
static void wait_for_vfork(struct task_struct *child)
{
	int killed = wait_event_killable(current->vfork_wait, READ_ONCE(child->vfork_done));

	(void)killed; /* the way out of the kernel finds that out by itself */
	put_task(child);
}

static long vfork_common(int exit_signal, unsigned long newsp)
{
	struct task_struct *child = task_alloc(current);
	int pid, err = -ENOMEM;

	if (!child)
		return -ENOMEM;
	child->files = files_dup(current->files);
	child->fs = fs_context_copy(current->fs);
	if (!child->files || !child->fs)
		goto fail;
	child->exit_signal = exit_signal;
	mmget(current->mm_part.mm);
	child->mm_part.mm = current->mm_part.mm;
	sched_entity_init(&child->se, (unsigned long)child->stack + THREAD_SIZE, child_start, NULL);
	task_save_bases(current);
	copy_registers(child, newsp);
	err = task_link(child, current);
	if (err)
		goto fail_mm;
	pid = child->pid;
	get_task(child);
	if (current->se.work & WORK_TRACE)
		se_set_work(&child->se, WORK_TRACE);
	sched_wake(&child->se);
	wait_for_vfork(child);
	return pid;
fail_mm:
	mmput(current->mm_part.mm);
fail:
	files_put(child->files);
	if (child->fs)
		fs_context_put(child->fs);
	task_free(child);
	return err;
}

long sys_vfork(void)
{
	return vfork_common(SIGCHLD, 0);
}

long sys_clone(unsigned long flags, unsigned long newsp)
{
	/* Threads and copies of an address space come with fork. */
	if ((flags & ~(unsigned long)CSIGNAL) != (CLONE_VM | CLONE_VFORK))
		return -ENOSYS;
	return vfork_common((int)(flags & CSIGNAL), newsp);
}

void mm_release(struct task_struct *task)
{
	struct task_struct *parent;

	spin_lock(&tasklist_lock);
	task->vfork_done = true;
	parent = task->parent;
	if (parent)
		wake_up(&parent->vfork_wait);
	spin_unlock(&tasklist_lock);
}
