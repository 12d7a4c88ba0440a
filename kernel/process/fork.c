/* SPDX-License-Identifier: MIT */
/*
 * New tasks: fork(2), vfork(2), clone(2) and clone3(2) are one function, which is told what the
 * child shares with its parent and what it gets a copy of. Nothing is shown to anybody before all
 * of it is there, so every failure simply frees the child again.
 */
#include <arch/fpu.h>
#include <arch/switch.h>
#include <arch/uaccess.h>

#include "kernel/base/string.h"
#include "kernel/process/pidfd.h"
#include "mm/calls.h"
#include "mm/vmalloc.h"

#define CAP_SYS_RESOURCE 24
#define CAP_SYS_ADMIN	 21

/* --- the child's first steps ------------------------------------------------------------------- */

static void child_start(void *arg)
{
	if (current->set_child_tid) {
		int err = put_user(current->pid, (int __user *)current->set_child_tid);

		(void)err; /* a bad address is the program's own affair, as in Linux */
	}
	enter_user_mode();
}

static void copy_registers(struct task_struct *child, const struct clone_args *args)
{
	struct pt_regs *regs;

	task_save_bases(current);
	child->se.stack_top = (unsigned long)child->stack + THREAD_SIZE;
	regs = task_pt_regs(child);
	*regs = *task_pt_regs(current);
	regs->ax = 0;
	if (args->stack)
		regs->sp = args->stack;
	child->fs_base = args->flags & CLONE_SETTLS ? args->tls : current->fs_base;
	child->gs_base = current->gs_base;
	fpu_save(current->se.fpu);
	memcpy(child->se.fpu, current->se.fpu, fpu_area_size());
}

/* --- what is shared and what copied --------------------------------------------------------------- */

static int copy_files(struct task_struct *child, u64 flags)
{
	child->files = flags & CLONE_FILES ? files_get(current->files) : files_dup(current->files);
	child->fs = flags & CLONE_FS ? fs_context_get(current->fs) : fs_context_copy(current->fs);
	return child->files && child->fs ? 0 : -ENOMEM;
}

static int copy_sighand(struct task_struct *child, u64 flags)
{
	if (flags & CLONE_SIGHAND) {
		atomic_inc(&current->sighand->count);
		child->sighand = current->sighand;
		return 0;
	}
	child->sighand = sighand_alloc(flags & CLONE_CLEAR_SIGHAND ? NULL : current->sighand);
	if (!child->sighand)
		return -ENOMEM;
	if (flags & CLONE_CLEAR_SIGHAND)
		sighand_keep_ignored(child->sighand, current->sighand);
	return 0;
}

static int copy_signal(struct task_struct *child, u64 flags)
{
	if (flags & CLONE_THREAD) {
		atomic_inc(&current->signal->count);
		child->signal = current->signal;
	} else {
		child->signal = signal_alloc(current->signal);
		if (!child->signal)
			return -ENOMEM;
	}
	child->mm_part.rlimits = child->signal->rlim;
	return 0;
}

static int copy_mm(struct task_struct *child, u64 flags)
{
	struct mm_struct *mm = current->mm_part.mm;

	if (flags & CLONE_VM) {
		mmget(mm);
	} else {
		mm = dup_mm(mm);
		if (IS_ERR(mm))
			return (int)PTR_ERR(mm);
	}
	child->mm_part.mm = mm;
	return 0;
}

static void copy_own(struct task_struct *child, const struct clone_args *args)
{
	child->exit_signal = args->exit_signal;
	if (args->flags & CLONE_THREAD)
		child->exit_signal = -1;
	else if (args->flags & CLONE_PARENT)
		child->exit_signal = current->signal->leader->exit_signal;
	/* On the parent's memory but with a stack of its own, it would take the parent's other one. */
	if ((args->flags & (CLONE_VM | CLONE_VFORK)) == CLONE_VM)
		child->altstack = (struct altstack){ .flags = SS_DISABLE };
	if (args->flags & CLONE_CHILD_SETTID)
		child->set_child_tid = (unsigned long)args->child_tid;
	if (args->flags & CLONE_CHILD_CLEARTID)
		child->clear_child_tid = (unsigned long)args->child_tid;
	if (args->flags & CLONE_VFORK) {
		get_task(current);
		child->vfork_parent = current;
	}
}

/* --- into the world ---------------------------------------------------------------------------------- */

/* Whether one more, of the same user, would be beyond a limit. => tasklist_lock */
static bool too_many_tasks(void)
{
	if (nr_tasks >= max_threads)
		return true;
	return current->cred.uid != 0 && !capable(CAP_SYS_RESOURCE) && !capable(CAP_SYS_ADMIN) &&
	       (unsigned long)atomic_long_read(&current->user->processes) >=
		       current->signal->rlim[RLIMIT_NPROC].cur;
}

/*
 * Signals that wait are dealt with before anything is copied. Those that come later can wait: if a
 * long copy gave up for them, a timer could keep it from ever coming to its end. But one that is sent
 * to a whole group goes to who is in it, and would miss the child: *seen is how many there were. At the
 * limit of tasks nothing is begun, and no descriptor of the child is told.
 */
static int may_begin(unsigned int *seen)
{
	unsigned long irq = spin_lock_irqsave(&tasklist_lock);
	int err = too_many_tasks() ? -EAGAIN : 0;

	*seen = current->signal->group_signals;
	spin_unlock_irqrestore(&tasklist_lock, irq);
	return signal_pending(current) ? -ERESTARTNOINTR : err;
}

/* What must be true at the moment when the child appears. => tasklist_lock, sighand->lock */
static int may_appear(u64 flags, unsigned int seen)
{
	bool missed = current->mm_part.kill_pending || current->signal->group_signals != seen;
	/* Threads that are to stop, or that exec has told to go, must not bring others in. */
	bool leaves = current->stop_pending || current->signal->exec_task;

	if (!missed && !((flags & CLONE_THREAD) && leaves))
		return 0;
	/* The call is begun anew on the way that signals go, whichever thread took the signal. */
	se_set_work(&current->se, WORK_SIGNAL);
	return -ERESTARTNOINTR;
}

static int link_child(struct task_struct *child, u64 flags, unsigned int seen,
		      const struct pidfd_slot *slot)
{
	struct signal_struct *self = current->signal, *parent = self;
	unsigned long irq = spin_lock_irqsave(&tasklist_lock);
	int err;

	if (flags & CLONE_PARENT)
		parent = self->parent;
	spin_lock(&current->sighand->lock);
	err = too_many_tasks() ? -EAGAIN : may_appear(flags, seen);
	if (!err)
		err = task_link(child, parent);
	if (!err)
		current->nproc_exceeded = false;
	if (!err && slot->fd >= 0)
		pidfd_bind(slot->file, child->thread_pid);
	if (!err && !(flags & CLONE_THREAD))
		child->signal->parent_tid = flags & CLONE_PARENT ? self->parent_tid : current->pid;
	spin_unlock(&current->sighand->lock);
	spin_unlock_irqrestore(&tasklist_lock, irq);
	return err;
}

/* What is shared or copied, and the descriptor of the child, which the child doesn't get. */
static int copy_all(struct task_struct *child, const struct clone_args *args,
		    struct pidfd_slot *slot)
{
	int err = copy_files(child, args->flags);

	if (!err)
		err = copy_sighand(child, args->flags);
	if (!err)
		err = copy_signal(child, args->flags);
	if (!err && (args->flags & CLONE_PIDFD))
		err = pidfd_prepare(slot, 0);
	if (!err && slot->fd >= 0 && put_user(slot->fd, args->pidfd))
		err = -EFAULT;
	/* Last: it is the only one that task_free() doesn't undo. */
	return err ? err : copy_mm(child, args->flags);
}

/* A task that is ready to run but for sched_wake(), with one more reference; or ERR_PTR. */
static struct task_struct *copy_process(const struct clone_args *args)
{
	struct pidfd_slot slot = { .fd = -1 };
	struct task_struct *child;
	unsigned int seen;
	int err = may_begin(&seen);

	if (err)
		return ERR_PTR(err);
	child = task_alloc(current);
	if (!child)
		return ERR_PTR(-ENOMEM);
	err = copy_all(child, args, &slot);
	if (err)
		goto fail;
	sched_entity_init(&child->se, (unsigned long)child->stack + THREAD_SIZE, child_start, NULL);
	copy_registers(child, args);
	copy_own(child, args);
	if (current->se.work & WORK_TRACE)
		se_set_work(&child->se, WORK_TRACE);
	get_task(child);
	err = link_child(child, args->flags, seen, &slot);
	if (!err) {
		pidfd_install(&slot);
		return child;
	}
	if (child->vfork_parent)
		put_task(child->vfork_parent);
	mmput(child->mm_part.mm);
fail:
	pidfd_cancel(&slot);
	task_free(child);
	return ERR_PTR(err);
}

/* --- vfork ----------------------------------------------------------------------------------------------- */

void vfork_release(struct task_struct *task)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct task_struct *parent = task->vfork_parent;

	WRITE_ONCE(task->vfork_parent, NULL);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	if (!parent)
		return;
	wake_up(&parent->vfork_wait);
	put_task(parent);
}

/* --- the calls ----------------------------------------------------------------------------------------------- */

static int check_flags(u64 flags)
{
	if ((flags & (CLONE_NEWNS | CLONE_FS)) == (CLONE_NEWNS | CLONE_FS) ||
	    (flags & (CLONE_NEWUSER | CLONE_FS)) == (CLONE_NEWUSER | CLONE_FS))
		return -EINVAL;
	if ((flags & CLONE_THREAD) && !(flags & CLONE_SIGHAND))
		return -EINVAL;
	if ((flags & CLONE_SIGHAND) && !(flags & CLONE_VM))
		return -EINVAL;
	if ((flags & CLONE_PARENT) && (current->signal->flags & SIGNAL_UNKILLABLE))
		return -EINVAL;
	if ((flags & CLONE_THREAD) && (flags & (CLONE_NEWUSER | CLONE_NEWPID)))
		return -EINVAL;
	if ((flags & CLONE_PIDFD) && (flags & (CLONE_DETACHED | CLONE_THREAD)))
		return -EINVAL;
	/* There is one of each kind of name space. */
	if (flags & CLONE_NAMESPACES)
		return (flags & CLONE_NEWUSER) || capable(CAP_SYS_ADMIN) ? -EINVAL : -EPERM;
	return flags & CLONE_INTO_CGROUP ? -EINVAL : 0;
}

/* CLONE_SETTLS wants an address that FS can hold. */
static int check_tls(const struct clone_args *args)
{
	return (args->flags & CLONE_SETTLS) && args->tls >= TASK_SIZE ? -EPERM : 0;
}

long kernel_clone(const struct clone_args *args)
{
	struct task_struct *child;
	int pid, err = check_flags(args->flags);

	/* Both would be told at the same place. */
	if ((args->flags & CLONE_PIDFD) && (args->flags & CLONE_PARENT_SETTID) &&
	    args->pidfd == args->parent_tid)
		err = -EINVAL;
	if (!err)
		err = check_tls(args);
	if (err)
		return err;
	child = copy_process(args);
	if (IS_ERR(child))
		return PTR_ERR(child);
	pid = child->pid;
	if (args->flags & CLONE_PARENT_SETTID) {
		err = put_user(pid, args->parent_tid);
		(void)err; /* a bad address is the program's own affair, as in Linux */
	}
	sched_wake(&child->se);
	if (args->flags & CLONE_VFORK) {
		/* Until it lets go of our memory, or we are killed: the way out notices that. */
		err = wait_event_killable(current->vfork_wait, !READ_ONCE(child->vfork_parent));
		(void)err;
	}
	put_task(child);
	return pid;
}
