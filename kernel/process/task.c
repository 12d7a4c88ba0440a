/* SPDX-License-Identifier: MIT */
/* Tasks: made, found, freed; and what a switch between two of them changes. */
#include "kernel/process/task.h"

#include <arch/cpu.h>
#include <arch/clock.h>
#include <arch/fpu.h>
#include <arch/tlb.h>

#include "kernel/abi/prctl.h"
#include "kernel/abi/sched.h"
#include "kernel/base/string.h"
#include "kernel/base/trace.h"
#include "kernel/process/futex.h"
#include "mm/calls.h"
#include "mm/slab.h"
#include "mm/vmalloc.h"

spinlock_t tasklist_lock = SPINLOCK_INIT;
struct list_head all_processes = LIST_HEAD_INIT(all_processes);
struct signal_struct *init_process;
unsigned int nr_tasks, max_threads;
unsigned long nr_forks;
__noreturn void (*enter_user_mode)(void);

static struct kmem_cache *task_cache, *fpu_cache, *signal_cache;

/* The idle entity is no task: it has neither registers of a program nor an address space. */
static bool is_task(const struct sched_entity *se)
{
	return se->fpu;
}

/* --- limits and rights ------------------------------------------------------------------------- */

#define MIB	       (1024UL * 1024)
#define TIMER_SLACK_NS 50000 /* Linux's, for programs that ask */

static void rlimits_init(struct mm_rlimit *rlim)
{
	for (int i = 0; i < RLIM_NLIMITS; i++)
		rlim[i] = (struct mm_rlimit){ RLIM_INFINITY, RLIM_INFINITY };
	rlim[RLIMIT_STACK].cur = 8 * MIB;
	rlim[RLIMIT_CORE].cur = 0;
	rlim[RLIMIT_NOFILE] = (struct mm_rlimit){ 1024, 4096 };
	rlim[RLIMIT_MEMLOCK] = (struct mm_rlimit){ 8 * MIB, 8 * MIB };
	rlim[RLIMIT_NPROC].cur = rlim[RLIMIT_NPROC].max = max_threads / 2;
	rlim[RLIMIT_NICE] = (struct mm_rlimit){ 0, 0 };
	rlim[RLIMIT_RTPRIO] = (struct mm_rlimit){ 0, 0 };
	rlim[RLIMIT_SIGPENDING].cur = rlim[RLIMIT_SIGPENDING].max = max_threads / 2;
	rlim[RLIMIT_MSGQUEUE] = (struct mm_rlimit){ 819200, 819200 };
}

void cred_init_root(struct cred *cred)
{
	memset(cred, 0, sizeof(*cred));
	cred->cap_effective = ALL_CAPS;
	cred->cap_permitted = ALL_CAPS;
	cred->cap_bounding = ALL_CAPS;
}

void cred_exec(struct cred *c, u64 may_have)
{
	const bool root = !(c->securebits & SECBIT_NOROOT);

	c->securebits &= ~SECBIT_KEEP_CAPS;
	c->suid = c->fsuid = c->euid;
	c->sgid = c->fsgid = c->egid;
	c->cap_permitted = 0;
	if (root && (c->uid == 0 || c->euid == 0))
		c->cap_permitted = (c->cap_bounding | c->cap_inheritable) & may_have;
	c->cap_permitted |= c->cap_ambient;
	c->cap_effective = root && c->euid == 0 ? c->cap_permitted : c->cap_ambient;
}

void commit_creds(const struct cred *c)
{
	const struct cred *old = &current->cred;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	if (c->euid != old->euid || c->fsuid != old->fsuid || c->egid != old->egid ||
	    c->fsgid != old->fsgid || (c->cap_permitted & ~old->cap_permitted)) {
		WRITE_ONCE(current->mm_part.mm->dumpable, SUID_DUMP_DISABLE);
		current->pdeath_signal = 0;
	}
	current->cred = *c;
	spin_unlock_irqrestore(&tasklist_lock, flags);
}

static bool task_mm_capable(const struct task_mm *part, int cap)
{
	const struct task_struct *task = container_of(part, struct task_struct, mm_part);

	return task->cred.cap_effective & BIT(cap);
}

bool capable(int cap)
{
	return current->cred.cap_effective & BIT(cap);
}

/* --- making and freeing -------------------------------------------------------------------------- */

static void inherit_policy(struct task_struct *task, const struct task_struct *parent)
{
	task->se.allowed = READ_ONCE(parent->se.allowed);
	task->se.policy = parent->se.policy;
	task->se.rt_priority = parent->se.rt_priority;
	task->se.nice = parent->se.nice;
	if (!parent->sched_reset_on_fork)
		return;
	if (task->se.rt_priority) {
		task->se.policy = SCHED_NORMAL;
		task->se.rt_priority = 0;
		task->se.nice = 0;
	}
	task->se.nice = max(task->se.nice, (s8)0);
}

static void inherit(struct task_struct *task, const struct task_struct *parent)
{
	memcpy(task->comm, parent->comm, sizeof(task->comm));
	task->cred = parent->cred;
	groups_get(task->cred.groups);
	task->mm_part.personality = parent->mm_part.personality;
	task->sig_blocked = parent->sig_blocked;
	task->altstack = parent->altstack;
	task->last_trap = parent->last_trap;
	task->no_new_privs = parent->no_new_privs;
	task->mce_kill = parent->mce_kill;
	task->timer_slack_ns = task->default_timer_slack_ns = parent->timer_slack_ns;
	inherit_policy(task, parent);
}

static void init_root(struct task_struct *task)
{
	cred_init_root(&task->cred);
	task->mce_kill = PR_MCE_KILL_DEFAULT;
	task->se.allowed = ~0UL;
	task->timer_slack_ns = task->default_timer_slack_ns = TIMER_SLACK_NS;
}

struct task_struct *task_alloc(const struct task_struct *parent)
{
	struct task_struct *task;

	reap_dead_tasks();
	task = kmem_cache_zalloc(task_cache, GFP_KERNEL);
	if (!task)
		return NULL;
	atomic_set(&task->usage, 1);
	sigpending_init(&task->pending);
	task->altstack.flags = SS_DISABLE;
	if (parent)
		inherit(task, parent);
	else
		init_root(task);
	task->mm_part.capable = task_mm_capable;
	init_waitqueue_head(&task->vfork_wait);
	task->start_ns = clock_ns();
	task->stack = alloc_kernel_stack();
	task->se.fpu = kmem_cache_alloc(fpu_cache, GFP_KERNEL);
	task->user = user_get(task->cred.uid);
	if (!task->stack || !task->se.fpu || !task->user) {
		task_free(task);
		return NULL;
	}
	return task;
}

void task_free(struct task_struct *task)
{
	BUG_ON(task->thread_pid);
	sched_wait_gone(&task->se);
	sigpending_free(&task->pending);
	files_put(task->files);
	if (task->fs)
		fs_context_put(task->fs);
	if (task->sighand)
		sighand_put(task->sighand);
	if (task->signal)
		signal_put(task->signal);
	if (task->user)
		user_put(task->user);
	groups_put(task->cred.groups);
	if (task->stack)
		free_kernel_stack(task->stack);
	kmem_cache_free(fpu_cache, task->se.fpu);
	kmem_cache_free(task_cache, task);
}

void put_task(struct task_struct *task)
{
	if (atomic_dec_and_test(&task->usage))
		task_free(task);
}

/* prlimit(2) of somebody else may be changing them. */
static void copy_rlimits(struct signal_struct *to, const struct signal_struct *from)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	memcpy(to->rlim, from->rlim, sizeof(to->rlim));
	spin_unlock_irqrestore(&tasklist_lock, flags);
}

struct signal_struct *signal_alloc(const struct signal_struct *parent)
{
	struct signal_struct *process = kmem_cache_zalloc(signal_cache, GFP_KERNEL);

	if (!process)
		return NULL;
	atomic_set(&process->count, 1);
	INIT_LIST_HEAD(&process->threads);
	INIT_LIST_HEAD(&process->children);
	init_waitqueue_head(&process->wait_child);
	init_waitqueue_head(&process->exec_wait);
	sigpending_init(&process->shared_pending);
	process_timers_init(&process->timers);
	if (parent) {
		copy_rlimits(process, parent);
		process->oom_score_adj = READ_ONCE(parent->oom_score_adj);
		process->oom_score_adj_min = READ_ONCE(parent->oom_score_adj_min);
	} else {
		rlimits_init(process->rlim);
	}
	return process;
}

void signal_put(struct signal_struct *process)
{
	if (!atomic_dec_and_test(&process->count))
		return;
	BUG_ON(process->nr_threads);
	sigpending_free(&process->shared_pending);
	kmem_cache_free(signal_cache, process);
}

/* --- the world ---------------------------------------------------------------------------------------- */

struct task_struct *find_task(int tid)
{
	struct pid *pid = find_pid(tid);

	return pid ? pid->task : NULL;
}

struct signal_struct *find_process(int tgid)
{
	struct task_struct *task = find_task(tgid);

	return task && thread_group_leader(task) ? task->signal : NULL;
}

bool shared_with_others(const atomic_t *count)
{
	const struct signal_struct *process;
	const struct task_struct *t;
	unsigned long flags;
	bool shared = false;

	if (atomic_read(count) == 1)
		return false;
	flags = spin_lock_irqsave(&tasklist_lock);
	for_each_process(process)
	{
		for_each_thread(process, t)
		{
			const struct mm_struct *mm = t->mm_part.mm;

			shared |= t != current && ((t->files && &t->files->count == count) ||
						   (t->fs && &t->fs->count == count) ||
						   (mm && &mm->mm_users == count));
		}
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return shared;
}

/* A process's first thread: the process itself comes into the world. */
static void link_process(struct task_struct *leader, struct signal_struct *parent)
{
	struct signal_struct *process = leader->signal;
	const struct signal_struct *from = current_is_task() ? current->signal : NULL;

	process->leader = leader;
	list_add_tail(&process->processes, &all_processes);
	process->parent = parent;
	process->ppid = parent ? parent->leader->pid : 0;
	if (parent)
		list_add_tail(&process->sibling, &parent->children);
	else
		INIT_LIST_HEAD(&process->sibling);
	process_join_group(process, from ? from->group : &pid_zero);
	process_join_session(process, from ? from->session : &pid_zero);
	process->tty = from ? from->tty : NULL;
}

int task_link(struct task_struct *task, struct signal_struct *parent)
{
	struct signal_struct *process = task->signal;
	struct pid *pid = pid_alloc();

	if (IS_ERR(pid))
		return (int)PTR_ERR(pid);
	pid->task = task;
	task->thread_pid = pid;
	task->pid = pid->nr;
	if (list_empty(&process->threads))
		link_process(task, parent);
	task->tgid = process->leader->pid;
	list_add_tail(&task->thread_link, &process->threads);
	process->nr_threads++;
	process->live++;
	nr_tasks++;
	nr_forks++;
	atomic_long_inc(&task->user->processes);
	return 0;
}

static void unlink_process(struct signal_struct *process)
{
	list_del(&process->processes);
	list_del(&process->sibling);
	process_join_group(process, NULL);
	process_join_session(process, NULL);
	process->parent = NULL;
}

void task_unlink(struct task_struct *task)
{
	struct signal_struct *process = task->signal;
	struct pid *pid = task->thread_pid;

	/* Who holds only this one may be going through the threads. */
	spin_lock(&task->sighand->lock);
	list_del(&task->thread_link);
	process->nr_threads--;
	spin_unlock(&task->sighand->lock);
	if (!process->nr_threads)
		unlink_process(process);
	nr_tasks--;
	atomic_long_dec(&task->user->processes);
	pid->task = NULL;
	task->thread_pid = NULL;
	pid_put(pid);
}

int task_set_user(u32 uid)
{
	struct user_struct *new = user_get(uid), *old;
	unsigned long flags;

	if (!new)
		return -EAGAIN;
	flags = spin_lock_irqsave(&tasklist_lock);
	old = current->user;
	current->user = new;
	atomic_long_dec(&old->processes);
	atomic_long_inc(&new->processes);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	user_put(old);
	return 0;
}

bool task_over_nproc(const struct task_struct *task)
{
	return task->cred.uid != 0 && (unsigned long)atomic_long_read(&task->user->processes) >
					      task->signal->rlim[RLIMIT_NPROC].cur;
}

u64 task_cpu_ns(const struct task_struct *task)
{
	return sched_runtime(&task->se);
}

void usage_add(struct usage *sum, const struct usage *part)
{
	sum->min_flt += part->min_flt;
	sum->maj_flt += part->maj_flt;
	sum->cpu_ns += part->cpu_ns;
	sum->maxrss = max(sum->maxrss, part->maxrss);
	sum->user_ticks += part->user_ticks;
	sum->system_ticks += part->system_ticks;
	sum->switches += part->switches;
	sum->forced_switches += part->forced_switches;
}

static unsigned long mm_maxrss(const struct mm_struct *mm)
{
	return max(mm->hiwater_rss, get_mm_rss(mm));
}

void process_note_rss(struct signal_struct *process, const struct mm_struct *mm)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	process->dead_threads.maxrss = max(process->dead_threads.maxrss, mm_maxrss(mm));
	spin_unlock_irqrestore(&tasklist_lock, flags);
}

void task_usage(const struct task_struct *task, struct usage *usage)
{
	*usage = (struct usage){
		.min_flt = task->mm_part.min_flt,
		.maj_flt = task->mm_part.maj_flt,
		.cpu_ns = task_cpu_ns(task),
		.maxrss = task->mm_part.mm ? mm_maxrss(task->mm_part.mm) : 0,
		.user_ticks = READ_ONCE(task->se.user_ticks),
		.system_ticks = READ_ONCE(task->se.system_ticks),
		.switches = READ_ONCE(task->se.switches),
		.forced_switches = READ_ONCE(task->se.forced_switches),
	};
}

void usage_divide(const struct usage *usage, struct cputime *last)
{
	u64 ns = usage->cpu_ns, system = 0;

	if (last->user_ns + last->system_ns >= ns)
		return;
	if (usage->system_ticks)
		system = ns / (usage->user_ticks + usage->system_ticks) * usage->system_ticks;
	if (usage->system_ticks && !usage->user_ticks)
		system = ns;
	system = max(system, last->system_ns);
	if (ns - system < last->user_ns)
		system = ns - last->user_ns;
	last->system_ns = system;
	last->user_ns = ns - system;
}

void cputime_add(struct cputime *sum, const struct cputime *part)
{
	sum->user_ns += part->user_ns;
	sum->system_ns += part->system_ns;
}

void process_usage(const struct signal_struct *process, struct usage *usage)
{
	const struct task_struct *task;

	*usage = process->dead_threads;
	for_each_thread(process, task)
	{
		struct usage part;

		task_usage(task, &part);
		usage_add(usage, &part);
	}
}

/* --- tasks nobody waits for --------------------------------------------------------------------------- */

static struct list_head dead_tasks = LIST_HEAD_INIT(dead_tasks); /* => tasklist_lock */

void task_bury(struct task_struct *task)
{
	task_unlink(task);
	list_add_tail(&task->thread_link, &dead_tasks);
}

static struct task_struct *next_dead(void)
{
	struct task_struct *task = NULL;
	unsigned long flags;

	if (list_empty(&dead_tasks))
		return NULL;
	flags = spin_lock_irqsave(&tasklist_lock);
	if (!list_empty(&dead_tasks)) {
		task = list_first_entry(&dead_tasks, struct task_struct, thread_link);
		list_del(&task->thread_link);
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return task;
}

void reap_dead_tasks(void)
{
	struct task_struct *task;

	while ((task = next_dead())) {
		/* It is on the last steps to its processor's next task, with interrupts off. */
		while (__atomic_load_n(&task->se.on_cpu, __ATOMIC_ACQUIRE))
			cpu_relax();
		put_task(task);
	}
}

/* --- switching --------------------------------------------------------------------------------------- */

/* => interrupts off */
static void load_mm(struct mm_struct *mm)
{
	if (mm)
		switch_mm(&mm->context);
	else
		enter_lazy_tlb();
}

void task_switch_mm(struct mm_struct *mm)
{
	struct task_mm *part = &current->mm_part;
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	part->mm = mm;
	spin_unlock(&tasklist_lock);
	memset(&part->vmacache, 0, sizeof(part->vmacache));
	load_mm(mm);
	local_irq_restore(flags);
}

void task_save_bases(struct task_struct *task)
{
	/* The user's GS base is in the swapped-out register while the kernel runs. */
	task->fs_base = rdmsr(MSR_FS_BASE);
	task->gs_base = rdmsr(MSR_KERNEL_GS_BASE);
}

static void load_bases(const struct task_struct *task)
{
	wrmsr(MSR_FS_BASE, task->fs_base);
	wrmsr(MSR_KERNEL_GS_BASE, task->gs_base);
}

static void task_switch(struct sched_entity *prev, struct sched_entity *next)
{
	struct task_struct *from = container_of(prev, struct task_struct, se);
	struct task_struct *to = container_of(next, struct task_struct, se);
	struct mm_struct *old = is_task(prev) ? from->mm_part.mm : NULL;
	struct mm_struct *new = is_task(next) ? to->mm_part.mm : NULL;

	trace(SWITCH, is_task(prev) ? from->pid : 0, prev->state, is_task(next) ? to->pid : 0);
	if (is_task(prev))
		task_save_bases(from);
	if (is_task(next))
		load_bases(to);
	if (old != new)
		load_mm(new);
	this_cpu_write(current_task_mm, is_task(next) ? &to->mm_part : NULL);
}

/* For the trace. */
static u64 current_ids(void)
{
	return current_is_task() ? (u64)current->tgid << 32 | (u32)current->pid : 0;
}

static bool current_signal_pending(void)
{
	return current_is_task() && signal_pending(current);
}

static bool current_kill_pending(void)
{
	return current_is_task() && current->mm_part.kill_pending;
}

static const struct sched_hooks hooks = {
	.switch_out_in = task_switch,
	.signal_pending = current_signal_pending,
	.kill_pending = current_kill_pending,
	.tick = cpu_timers_tick,
};

/* --- kernel threads ----------------------------------------------------------------------------------- */

struct thread_call {
	int (*fn)(void *);
	void *arg;
};

static void kernel_thread_start(void *p)
{
	struct thread_call call = *(struct thread_call *)p;

	kfree(p);
	do_exit(call.fn(call.arg) << 8);
}

/* What a kernel thread is made of; the caller's task_free() undoes a part. */
static int kernel_thread_parts(struct task_struct *task)
{
	task->files = files_alloc();
	task->fs = fs_context_alloc();
	task->sighand = sighand_alloc(NULL);
	task->signal = signal_alloc(NULL);
	if (!task->files || !task->fs || !task->sighand || !task->signal)
		return -ENOMEM;
	task->mm_part.rlimits = task->signal->rlim;
	return 0;
}

int kernel_thread(int (*fn)(void *), void *arg, const char *name)
{
	struct thread_call *call = kmalloc(sizeof(*call), GFP_KERNEL);
	struct task_struct *task = task_alloc(NULL);
	unsigned long flags;
	int pid = -ENOMEM;

	if (!call || !task || kernel_thread_parts(task))
		goto fail;
	*call = (struct thread_call){ fn, arg };
	strlcpy(task->comm, name, sizeof(task->comm));
	fpu_area_init(task->se.fpu);
	task->exit_signal = SIGCHLD;
	sched_entity_init(&task->se, (unsigned long)task->stack + THREAD_SIZE, kernel_thread_start,
			  call);
	flags = spin_lock_irqsave(&tasklist_lock);
	pid = task_link(task, current_is_task() ? current->signal : NULL);
	if (!pid && task->pid == 1) {
		init_process = task->signal;
		task->signal->flags |= SIGNAL_UNKILLABLE;
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	if (pid)
		goto fail;
	pid = task->pid;
	sched_wake(&task->se);
	return pid;
fail:
	kfree(call);
	if (task)
		task_free(task);
	return pid;
}

void process_init(void)
{
	task_cache = kmem_cache_create("task_struct", sizeof(struct task_struct), 0);
	signal_cache = kmem_cache_create("signal_struct", sizeof(struct signal_struct), 0);
	fpu_cache = kmem_cache_create("fpu_state", fpu_area_size(), FPU_ALIGN);
	/* The kernel's part of all threads together may take an eighth of memory. */
	max_threads = (unsigned int)(totalram_pages() / (8 * THREAD_SIZE / PAGE_SIZE));
	pid_init();
	user_init();
	signal_init();
	futex_init();
	posix_timer_cache_init();
	sched_init(&hooks);
	trace_current = current_ids;
	process_oom_init();
}
