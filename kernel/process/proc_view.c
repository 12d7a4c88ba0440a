/* SPDX-License-Identifier: MIT */
/* What /proc shows of processes and threads. */
#include "kernel/base/string.h"
#include "kernel/fs/proc.h"
#include "kernel/process/task.h"
#include "mm/calls.h"

static char state_letter(const struct task_struct *task)
{
	static const char letters[] = {
		[TASK_RUNNING] = 'R',  [TASK_INTERRUPTIBLE] = 'S', [TASK_UNINTERRUPTIBLE] = 'D',
		[TASK_KILLABLE] = 'D', [TASK_STOPPED] = 'T',	   [TASK_DEAD] = 'X',
	};

	return task->zombie ? 'Z' : letters[READ_ONCE(task->se.state)];
}

/* => tasklist_lock */
static void describe(const struct task_struct *task, struct proc_task_info *info)
{
	const struct signal_struct *process = task->signal;
	const struct cred *c = &task->cred;

	*info = (struct proc_task_info){
		.pid = task->pid,
		.ppid = process->ppid,
		.state = state_letter(task),
		.uid = { c->uid, c->euid, c->suid, c->fsuid },
		.gid = { c->gid, c->egid, c->sgid, c->fsgid },
		.mm = task->mm_part.mm,
		.ngroups = c->ngroups,
		.cap_permitted = c->cap_permitted,
		.cap_effective = c->cap_effective,
		.cap_bounding = ALL_CAPS,
		.threads = process->nr_threads,
		.fdsize = task->files ? READ_ONCE(task->files->max_fds) : 0,
		.has_umask = task->fs,
		.umask = task->fs ? READ_ONCE(task->fs->umask) : 0,
	};
	memcpy(info->groups, c->groups, sizeof(info->groups));
	memcpy(info->rlim, process->rlim, sizeof(info->rlim));
	memcpy(info->comm, task->comm, sizeof(info->comm));
	if (info->mm)
		mmget(info->mm);
}

static int proc_next_pid(int after)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct pid *pid = pid_next(after);

	while (pid && !find_process(pid->nr))
		pid = pid_next(pid->nr);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return pid ? pid->nr : -1;
}

static bool proc_get(int pid, struct proc_task_info *info)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct task_struct *task = find_task(pid);

	if (task)
		describe(task, info);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return task;
}

static int proc_current_pid(void)
{
	return current_is_task() ? current->tgid : 0;
}

static struct files_struct *proc_get_files(int pid)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct task_struct *task = find_task(pid);
	struct files_struct *files = task && task->files ? files_get(task->files) : NULL;

	spin_unlock_irqrestore(&tasklist_lock, flags);
	return files;
}

static const struct proc_task_ops proc_ops = {
	.next_pid = proc_next_pid,
	.get = proc_get,
	.current_pid = proc_current_pid,
	.get_files = proc_get_files,
};

void process_register_proc(void)
{
	proc_idle_ns = sched_idle_ns;
	proc_register_tasks(&proc_ops);
	tty_jobs_init();
}
