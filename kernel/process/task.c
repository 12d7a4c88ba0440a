/* SPDX-License-Identifier: MIT */
/* Tasks: made, found, freed; and what a switch between two of them changes. */
#include "kernel/process/task.h"

#include <arch/cpu.h>
#include <arch/clock.h>
#include <arch/fpu.h>
#include <arch/mmu.h>

#include "kernel/base/string.h"
#include "kernel/fs/proc.h"
#include "kernel/lib/bitmap.h"
#include "mm/calls.h"
#include "mm/slab.h"
#include "mm/vmalloc.h"

spinlock_t tasklist_lock = SPINLOCK_INIT;
struct list_head all_tasks = LIST_HEAD_INIT(all_tasks);
struct task_struct *init_task;
void (*enter_user_mode)(void);

static struct kmem_cache *task_cache, *fpu_cache;

/* --- limits and rights ------------------------------------------------------------------------- */

#define MIB (1024UL * 1024)

static void rlimits_init(struct mm_rlimit *rlim)
{
	for (int i = 0; i < RLIM_NLIMITS; i++)
		rlim[i] = (struct mm_rlimit){ RLIM_INFINITY, RLIM_INFINITY };
	rlim[RLIMIT_STACK].cur = 8 * MIB;
	rlim[RLIMIT_CORE].cur = 0;
	rlim[RLIMIT_NOFILE] = (struct mm_rlimit){ 1024, 4096 };
	rlim[RLIMIT_MEMLOCK] = (struct mm_rlimit){ 8 * MIB, 8 * MIB };
	rlim[RLIMIT_NICE] = (struct mm_rlimit){ 0, 0 };
	rlim[RLIMIT_RTPRIO] = (struct mm_rlimit){ 0, 0 };
	rlim[RLIMIT_SIGPENDING].cur = rlim[RLIMIT_SIGPENDING].max =
		totalram_pages() / (8 * THREAD_SIZE / PAGE_SIZE) / 2;
	rlim[RLIMIT_MSGQUEUE] = (struct mm_rlimit){ 819200, 819200 };
}

#define ALL_CAPS ((1UL << 41) - 1)

void cred_init_root(struct cred *cred)
{
	memset(cred, 0, sizeof(*cred));
	cred->cap_effective = ALL_CAPS;
	cred->cap_permitted = ALL_CAPS;
}

void cred_exec(struct cred *c)
{
	c->suid = c->fsuid = c->euid;
	c->sgid = c->fsgid = c->egid;
	c->cap_permitted = c->uid == 0 || c->euid == 0 ? ALL_CAPS : 0;
	c->cap_effective = c->euid == 0 ? c->cap_permitted : 0;
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

struct task_struct *task_alloc(const struct task_struct *parent)
{
	struct task_struct *task;

	reap_dead_tasks();
	task = kmem_cache_zalloc(task_cache, GFP_KERNEL);
	if (!task)
		return NULL;
	atomic_set(&task->usage, 1);
	task->stack = alloc_kernel_stack();
	task->se.fpu = kmem_cache_alloc(fpu_cache, GFP_KERNEL);
	if (!task->stack || !task->se.fpu || task_init_signals(task, parent))
		goto fail;
	if (parent) {
		memcpy(task->comm, parent->comm, sizeof(task->comm));
		task->cred = parent->cred;
		memcpy(task->rlim, parent->rlim, sizeof(task->rlim));
		task->mm_part.personality = parent->mm_part.personality;
	} else {
		cred_init_root(&task->cred);
		rlimits_init(task->rlim);
	}
	task->mm_part.rlimits = task->rlim;
	task->mm_part.capable = task_mm_capable;
	INIT_LIST_HEAD(&task->children);
	init_waitqueue_head(&task->child_wait);
	init_waitqueue_head(&task->vfork_wait);
	task->start_ns = clock_ns();
	return task;
fail:
	task_free(task);
	return NULL;
}

void task_free(struct task_struct *task)
{
	BUG_ON(task->se.on_cpu);
	if (task->stack)
		free_kernel_stack(task->stack);
	task_free_signals(task);
	kmem_cache_free(fpu_cache, task->se.fpu);
	kmem_cache_free(task_cache, task);
}

void put_task(struct task_struct *task)
{
	if (atomic_dec_and_test(&task->usage))
		task_free(task);
}

/* --- pids ------------------------------------------------------------------------------------------- */

#define PID_MAX	     32768
#define PID_RESERVED 300 /* not used again once they have come round */
#define PID_HASH     256

/* => tasklist_lock */
static unsigned long pid_map[PID_MAX / (8 * sizeof(long))] = { 1 };
static struct hlist_head pid_hash[PID_HASH];
static unsigned long last_pid;

static struct hlist_head *pid_bucket(int pid)
{
	return &pid_hash[(unsigned int)pid % PID_HASH];
}

struct task_struct *find_task(int pid)
{
	struct task_struct *task;

	hlist_for_each_entry(task, pid_bucket(pid), pid_link) if (task->pid == pid) return task;
	return NULL;
}

/* Pids go up and come round, so that one isn't used again soon. 0: there is none. */
static int alloc_pid(void)
{
	unsigned long pid = find_next_zero_bit(pid_map, PID_MAX, last_pid + 1);

	if (pid >= PID_MAX)
		pid = find_next_zero_bit(pid_map, PID_MAX, PID_RESERVED);
	if (pid >= PID_MAX)
		return 0;
	__set_bit(pid, pid_map);
	last_pid = pid;
	return (int)pid;
}

int task_next_pid(int after)
{
	unsigned long pid = (unsigned long)(after + 1);

	spin_lock(&tasklist_lock);
	pid = pid < PID_MAX ? find_next_bit(pid_map, PID_MAX, max(pid, 1UL)) : PID_MAX;
	spin_unlock(&tasklist_lock);
	return pid < PID_MAX ? (int)pid : -1;
}

#define CAP_SYS_ADMIN_BIT    BIT(21)
#define CAP_SYS_RESOURCE_BIT BIT(24)

/* => tasklist_lock. root may have as many processes as there is room for. */
static bool too_many_processes(const struct task_struct *task)
{
	const struct cred *c = &task->cred;
	const struct task_struct *t;
	unsigned long n = 0;

	if (c->uid == 0 || (c->cap_effective & (CAP_SYS_ADMIN_BIT | CAP_SYS_RESOURCE_BIT)) ||
	    task->rlim[RLIMIT_NPROC].cur == RLIM_INFINITY)
		return false;
	list_for_each_entry(t, &all_tasks, tasks) n += t->cred.uid == c->uid;
	return n >= task->rlim[RLIMIT_NPROC].cur;
}

int task_link(struct task_struct *task, struct task_struct *parent)
{
	spin_lock(&tasklist_lock);
	task->pid = too_many_processes(task) ? 0 : alloc_pid();
	if (!task->pid) {
		spin_unlock(&tasklist_lock);
		return -EAGAIN;
	}
	list_add_tail(&task->tasks, &all_tasks);
	hlist_add_head(&task->pid_link, pid_bucket(task->pid));
	task->parent = parent;
	if (parent)
		list_add_tail(&task->sibling, &parent->children);
	else
		INIT_LIST_HEAD(&task->sibling);
	spin_unlock(&tasklist_lock);
	return 0;
}

void task_unlink(struct task_struct *task)
{
	list_del(&task->sibling);
	list_del(&task->tasks);
	hlist_del_init(&task->pid_link);
	__clear_bit((unsigned long)task->pid, pid_map);
}

/* --- tasks nobody waits for --------------------------------------------------------------------------- */

static struct list_head dead_tasks = LIST_HEAD_INIT(dead_tasks);

void task_bury(struct task_struct *task)
{
	task_unlink(task);
	list_add_tail(&task->tasks, &dead_tasks);
}

void reap_dead_tasks(void)
{
	struct list_head ready = LIST_HEAD_INIT(ready);
	struct task_struct *task, *next;

	spin_lock(&tasklist_lock);
	list_for_each_entry_safe(task, next, &dead_tasks, tasks) if (!READ_ONCE(task->se.on_cpu))
		list_move(&task->tasks, &ready);
	spin_unlock(&tasklist_lock);
	list_for_each_entry_safe(task, next, &ready, tasks)
	{
		list_del(&task->tasks);
		put_task(task);
	}
}

/* --- switching --------------------------------------------------------------------------------------- */

void task_switch_mm(struct mm_struct *mm)
{
	struct task_mm *part = &current->mm_part;
	unsigned long flags = local_irq_save();

	spin_lock(&tasklist_lock);
	part->mm = mm;
	spin_unlock(&tasklist_lock);
	memset(&part->vmacache, 0, sizeof(part->vmacache));
	mmu_load_pgd(mm ? mm->pgd : kernel_pgd);
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

/* The idle entity is no task: it has neither registers of a program nor an address space. */
static bool is_task(const struct sched_entity *se)
{
	return se->fpu;
}

static void task_switch(struct sched_entity *prev, struct sched_entity *next)
{
	struct task_struct *from = container_of(prev, struct task_struct, se);
	struct task_struct *to = container_of(next, struct task_struct, se);
	struct mm_struct *old = is_task(prev) ? from->mm_part.mm : NULL;
	struct mm_struct *new = is_task(next) ? to->mm_part.mm : NULL;

	if (is_task(prev))
		task_save_bases(from);
	if (is_task(next))
		load_bases(to);
	if (old != new)
		mmu_load_pgd(new ? new->pgd : kernel_pgd);
	this_cpu_write(current_task_mm, is_task(next) ? &to->mm_part : NULL);
}

static bool current_signal_pending(void)
{
	return is_task(&current->se) && signal_pending(current);
}

static bool current_kill_pending(void)
{
	return is_task(&current->se) && current->mm_part.kill_pending;
}

static const struct sched_hooks hooks = {
	.switch_out_in = task_switch,
	.signal_pending = current_signal_pending,
	.kill_pending = current_kill_pending,
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

int kernel_thread(int (*fn)(void *), void *arg, const char *name)
{
	struct thread_call *call = kmalloc(sizeof(*call), GFP_KERNEL);
	struct task_struct *task = task_alloc(NULL);
	int pid = -ENOMEM;

	if (!call || !task)
		goto fail;
	task->files = files_alloc();
	task->fs = fs_context_alloc();
	if (!task->files || !task->fs)
		goto fail;
	*call = (struct thread_call){ fn, arg };
	strlcpy(task->comm, name, sizeof(task->comm));
	fpu_area_init(task->se.fpu);
	task->exit_signal = SIGCHLD;
	sched_entity_init(&task->se, (unsigned long)task->stack + THREAD_SIZE, kernel_thread_start,
			  call);
	pid = task_link(task, is_task(&current->se) ? current : NULL);
	if (pid)
		goto fail;
	pid = task->pid;
	if (pid == 1) {
		init_task = task;
		task->sig_unkillable = true;
	}
	sched_wake(&task->se);
	return pid;
fail:
	kfree(call);
	if (task) {
		files_put(task->files);
		if (task->fs)
			fs_context_put(task->fs);
		task_free(task);
	}
	return pid;
}

/* --- what /proc shows ------------------------------------------------------------------------------------ */

static char state_letter(const struct task_struct *task)
{
	static const char letters[] = { 'R', 'S', 'D', 'D', 'X' };

	return task->zombie ? 'Z' : letters[task->se.state];
}

static bool proc_get(int pid, struct proc_task_info *info)
{
	struct task_struct *task;

	spin_lock(&tasklist_lock);
	task = find_task(pid);
	if (task) {
		const struct cred *c = &task->cred;

		*info = (struct proc_task_info){
			.pid = pid,
			.ppid = task->parent ? task->parent->pid : 0,
			.state = state_letter(task),
			.uid = { c->uid, c->euid, c->suid, c->fsuid },
			.gid = { c->gid, c->egid, c->sgid, c->fsgid },
			.mm = task->mm_part.mm,
			.ngroups = c->ngroups,
			.cap_permitted = c->cap_permitted,
			.cap_effective = c->cap_effective,
			.cap_bounding = ALL_CAPS,
			.threads = 1,
			.fdsize = task->files ? READ_ONCE(task->files->max_fds) : 0,
			.has_umask = task->fs,
			.umask = task->fs ? READ_ONCE(task->fs->umask) : 0,
		};
		memcpy(info->groups, c->groups, sizeof(info->groups));
		memcpy(info->rlim, task->rlim, sizeof(info->rlim));
		memcpy(info->comm, task->comm, sizeof(info->comm));
		if (info->mm)
			mmget(info->mm);
	}
	spin_unlock(&tasklist_lock);
	return task;
}

static int proc_current_pid(void)
{
	return is_task(&current->se) ? current->pid : 0;
}

static struct files_struct *proc_get_files(int pid)
{
	struct files_struct *files = NULL;
	struct task_struct *task;

	spin_lock(&tasklist_lock);
	task = find_task(pid);
	if (task && task->files)
		files = files_get(task->files);
	spin_unlock(&tasklist_lock);
	return files;
}

static const struct proc_task_ops proc_ops = {
	.next_pid = task_next_pid,
	.get = proc_get,
	.current_pid = proc_current_pid,
	.get_files = proc_get_files,
};

void process_init(void)
{
	task_cache = kmem_cache_create("task_struct", sizeof(struct task_struct), 0);
	fpu_cache = kmem_cache_create("fpu_state", fpu_area_size(), FPU_ALIGN);
	signal_init();
	sched_init(&hooks);
	process_oom_init();
}

void process_register_proc(void)
{
	proc_idle_ns = sched_idle_ns;
	proc_register_tasks(&proc_ops);
}
