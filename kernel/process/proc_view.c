/* SPDX-License-Identifier: MIT */
/* What /proc shows of processes and threads. */
#include <arch/clock.h>

#include "kernel/abi/prctl.h"
#include "kernel/base/string.h"
#include "kernel/fs/proc.h"
#include "kernel/fs/tty.h"
#include "kernel/process/ptrace.h"
#include "kernel/process/sysv_shm.h"
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

static struct proc_usage proc_usage(const struct usage *usage, const struct cputime *time)
{
	return (struct proc_usage){ usage->min_flt, usage->maj_flt, time->user_ns,
				    time->system_ns };
}

/* => tasklist_lock */
static void describe_usage(struct task_struct *task, struct proc_task_info *info)
{
	struct signal_struct *process = task->signal;
	struct usage used;

	task_usage(task, &used);
	usage_divide(&used, &task->cputime);
	info->own = proc_usage(&used, &task->cputime);
	process_usage(process, &used);
	usage_divide(&used, &process->cputime);
	info->whole = proc_usage(&used, &process->cputime);
	info->children = proc_usage(&process->dead_children, &process->child_cputime);
	info->start_ns = task->start_ns;
	info->switches = task->se.switches;
	info->forced_switches = task->se.forced_switches;
}

/* => tasklist_lock */
static void describe_signals(const struct task_struct *task, struct proc_task_info *info)
{
	struct sighand *sighand = task->sighand;

	spin_lock(&sighand->lock);
	info->sig_pending = task->pending.signals;
	info->sig_shared_pending = task->signal->shared_pending.signals;
	info->sig_blocked = task->sig_blocked;
	for (int sig = 1; sig <= NR_SIGNALS; sig++) {
		unsigned long handler = sighand->action[sig - 1].handler;

		if (handler == SIG_IGN)
			info->sig_ignored |= sig_bit(sig);
		else if (handler != SIG_DFL)
			info->sig_caught |= sig_bit(sig);
	}
	info->sig_queued = (unsigned long)atomic_long_read(&task->user->sigpending);
	spin_unlock(&sighand->lock);
}

/* => tasklist_lock */
static void describe_jobs(const struct signal_struct *process, struct proc_task_info *info)
{
	const struct tty *tty = process->tty;

	info->group = process->group->nr;
	info->session = process->session->nr;
	info->tty_nr = tty ? (u32)encode_dev(makedev(TTYS0_MAJOR, TTYS0_MINOR)) : 0;
	info->tty_group = !tty ? -1 : tty->group ? tty->group->nr : 0;
}

/* => tasklist_lock */
static void describe(struct task_struct *task, struct proc_task_info *info)
{
	const struct signal_struct *process = task->signal;
	const struct cred *c = &task->cred;

	*info = (struct proc_task_info){
		.pid = task->pid,
		.tgid = task->tgid,
		.ppid = process->ppid,
		.exiting = task->exiting,
		.never_execed = !process->did_exec || !thread_group_leader(task),
		.no_new_privs = task->no_new_privs,
		.nice = task->se.nice,
		.policy = task->se.policy,
		.rt_priority = task->se.rt_priority,
		.cpu = READ_ONCE(task->se.cpu),
		.cpus_allowed = READ_ONCE(task->se.allowed),
		.kernel_thread = !task->mm_part.mm && !task->exiting,
		.state = state_letter(task),
		.uid = { c->uid, c->euid, c->suid, c->fsuid },
		.gid = { c->gid, c->egid, c->sgid, c->fsgid },
		.mm = task->mm_part.mm,
		.cap_inheritable = c->cap_inheritable,
		.cap_permitted = c->cap_permitted,
		.cap_effective = c->cap_effective,
		.cap_bounding = c->cap_bounding,
		.cap_ambient = c->cap_ambient,
		.threads = process->nr_threads,
		.fdsize = task->files ? READ_ONCE(task->files->max_fds) : 0,
		.has_umask = task->fs,
		.umask = task->fs ? READ_ONCE(task->fs->umask) : 0,
		.exit_signal = task->exit_signal,
		.exit_code = task->exit_code,
	};
	memcpy(info->rlim, process->rlim, sizeof(info->rlim));
	memcpy(info->comm, task->comm, sizeof(info->comm));
	describe_usage(task, info);
	describe_signals(task, info);
	describe_jobs(process, info);
	info->may_trace = !current_is_task() || ptrace_may_access(task, PTRACE_FSCREDS);
	if (info->mm) {
		info->dumpable = info->mm->dumpable == SUID_DUMP_USER;
		mmget(info->mm);
	}
}

static int proc_next_pid(int after)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct pid *pid = pid_next(after);
	int nr;

	while (pid && !find_process(pid->nr))
		pid = pid_next(pid->nr);
	/* Unlocked, it may be gone. */
	nr = pid ? pid->nr : -1;
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return nr;
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

static struct group_info *proc_get_groups(int pid)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct task_struct *task = find_task(pid);
	struct group_info *groups = task ? groups_get(task->cred.groups) : NULL;

	spin_unlock_irqrestore(&tasklist_lock, flags);
	return groups;
}

static struct files_struct *proc_get_files(int pid)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct task_struct *task = find_task(pid);
	struct files_struct *files = task && task->files ? files_get(task->files) : NULL;

	spin_unlock_irqrestore(&tasklist_lock, flags);
	return files;
}

static struct fs_context *proc_get_fs(int pid)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct task_struct *task = find_task(pid);
	struct fs_context *fs = task && task->fs ? fs_context_get(task->fs) : NULL;

	spin_unlock_irqrestore(&tasklist_lock, flags);
	return fs;
}

static int proc_next_thread(int tgid, int after)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct signal_struct *process = find_process(tgid);
	struct task_struct *t;
	int next = -1;

	if (process)
		for_each_thread(process, t) if (t->pid > after && (next < 0 || t->pid < next))
			next = t->pid;
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return next;
}

static int proc_current_tid(void)
{
	return current_is_task() ? current->pid : 0;
}

static int proc_set_comm(int pid, const char *comm)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct task_struct *task = find_task(pid);
	int err = 0;

	if (!task)
		err = -ESRCH;
	else if (task->signal != current->signal)
		err = -EINVAL;
	else
		strlcpy(task->comm, comm, sizeof(task->comm));
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return err;
}

/*
 * Of the time in which somebody ran, the ticks say which part was the programs' own. *last is what it
 * said before. => tasklist_lock
 */
static void count_cpu(unsigned int cpu, struct cputime *last, struct proc_cpu_time *time)
{
	struct sched_counts now;
	struct usage used = { 0 };
	u64 up;

	sched_count_cpu(cpu, &now);
	up = clock_ns();
	used.cpu_ns = up > now.idle_ns ? up - now.idle_ns : 0;
	used.user_ticks = now.user_ticks;
	used.system_ticks = now.system_ticks;
	usage_divide(&used, last);
	*time = (struct proc_cpu_time){ last->user_ns, last->system_ns, now.idle_ns };
}

static void count_cpus(struct proc_counts *c)
{
	static struct cputime last[NR_CPUS]; /* => tasklist_lock */
	unsigned int cpu;

	for_each_online_cpu(cpu)
	{
		count_cpu(cpu, &last[cpu], &c->cpu[cpu]);
		c->all.user_ns += c->cpu[cpu].user_ns;
		c->all.system_ns += c->cpu[cpu].system_ns;
		c->all.idle_ns += c->cpu[cpu].idle_ns;
	}
}

static void proc_counts(struct proc_counts *c)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct sched_counts now;

	sched_count(&now);
	*c = (struct proc_counts){
		.threads = nr_tasks,
		.running = now.running,
		.blocked = now.blocked,
		.last_pid = pid_last(),
		.forks = nr_forks,
		.switches = now.switches,
	};
	count_cpus(c);
	memcpy(c->load, sched_load, sizeof(c->load));
	spin_unlock_irqrestore(&tasklist_lock, flags);
}

/* Of one that has no memory any more, too: what is left of it are these, for who might have traced it. */
static int proc_get_faults(int pid, const struct mm_struct *mm, struct fault_record *records)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	const struct task_struct *task = find_task(pid);
	int ret = -ESRCH;

	if (task && task->mm_part.mm != current->mm_part.mm &&
	    !ptrace_may_access(task, PTRACE_FSCREDS))
		ret = -EACCES;
	else if (task)
		ret = (int)fault_records(&task->mm_part, records);
	/* Looked at after the records: exec changes the memory first. */
	if (ret > 0) {
		const struct mm_struct *now = READ_ONCE(task->mm_part.mm);

		if (now && now != mm)
			ret = 0;
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return ret;
}

#ifdef CONFIG_DEBUG
static long proc_fail_nth(int pid, long set)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct task_struct *task = find_task(pid);
	long left = task ? (long)READ_ONCE(task->mm_part.fail_nth) : -ESRCH;

	if (task && set >= 0)
		WRITE_ONCE(task->mm_part.fail_nth, (unsigned int)set);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return left;
}
#endif

static const struct proc_task_ops proc_ops = {
	.next_pid = proc_next_pid,
	.next_thread = proc_next_thread,
	.get = proc_get,
	.current_pid = proc_current_pid,
	.current_tid = proc_current_tid,
	.get_groups = proc_get_groups,
	.get_files = proc_get_files,
	.get_fs = proc_get_fs,
	.set_comm = proc_set_comm,
	.counts = proc_counts,
	.get_faults = proc_get_faults,
	.get_oom = process_oom_info,
	.set_oom_adj = process_set_oom_adj,
#ifdef CONFIG_DEBUG
	.fail_nth = proc_fail_nth,
#endif
};

void process_register_proc(void)
{
	sysv_shm_init();
	proc_idle_ns = sched_idle_ns;
	proc_threads_max = (int)max_threads;
	proc_register_tasks(&proc_ops);
	tty_jobs_init();
}
