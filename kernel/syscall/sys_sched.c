/* SPDX-License-Identifier: MIT */
/* Scheduling: sched(7), nice values, and who runs on which processor. */
#include <arch/uaccess.h>

#include "kernel/abi/sched.h"
#include "kernel/process/task.h"
#include "kernel/syscall/sys.h"
#include "kernel/syscall/sys_time.h"

#define CAP_SYS_NICE 23
#define KEEP_POLICY  (-1)

long sys_sched_yield(void)
{
	sched_yield();
	return 0;
}

/* => tasklist_lock. Whether the caller's effective user is the task's owner. */
static bool same_owner(const struct task_struct *task)
{
	u32 euid = current->cred.euid;

	return euid == task->cred.euid || euid == task->cred.uid;
}

/* A nice value as limits and getpriority(2) have it: 40 is the best, 1 the worst. */
static unsigned long nice_to_rlimit(int nice)
{
	return (unsigned long)(20 - nice);
}

/* => tasklist_lock. Whether the task's limit lets it have such a nice value. */
static bool nice_allowed(const struct task_struct *task, int nice)
{
	return nice_to_rlimit(nice) <= task->signal->rlim[RLIMIT_NICE].cur;
}

/* --- policies ------------------------------------------------------------------------------------ */

static bool is_rt(int policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

static bool valid_policy(int policy)
{
	/* SCHED_DEADLINE is there, but can't be asked for without its times. */
	return is_rt(policy) || policy == SCHED_NORMAL || policy == SCHED_BATCH ||
	       policy == SCHED_IDLE;
}

/* => tasklist_lock. Whether only the privileged may do this to the task. */
static bool needs_privilege(const struct task_struct *task, int policy, int priority, bool reset)
{
	unsigned long limit = task->signal->rlim[RLIMIT_RTPRIO].cur;

	if (is_rt(policy) && ((policy != task->se.policy && !limit) ||
			      (priority > task->se.rt_priority && (unsigned long)priority > limit)))
		return true;
	if (task->se.policy == SCHED_IDLE && policy != SCHED_IDLE &&
	    !nice_allowed(task, task->se.nice))
		return true;
	return !same_owner(task) || (task->sched_reset_on_fork && !reset);
}

/* => tasklist_lock */
static long change_policy(struct task_struct *task, int policy, int priority)
{
	bool reset = task->sched_reset_on_fork;

	if (policy == KEEP_POLICY) {
		policy = task->se.policy;
	} else {
		reset = policy & SCHED_RESET_ON_FORK;
		policy &= ~SCHED_RESET_ON_FORK;
	}
	if (!valid_policy(policy) || priority < 0 || priority > RT_PRIORITY_MAX ||
	    is_rt(policy) != (priority != 0))
		return -EINVAL;
	if (needs_privilege(task, policy, priority, reset) && !capable(CAP_SYS_NICE))
		return -EPERM;
	task->sched_reset_on_fork = reset;
	sched_set_policy(&task->se, (unsigned int)policy, (unsigned int)priority, task->se.nice);
	return 0;
}

static long set_policy(int pid, int policy, const struct kernel_sched_param __user *uparam)
{
	struct kernel_sched_param param;
	struct task_struct *task;
	unsigned long flags;
	long ret;

	if (!uparam || pid < 0)
		return -EINVAL;
	if (copy_from_user(&param, uparam, sizeof(param)))
		return -EFAULT;
	flags = spin_lock_irqsave(&tasklist_lock);
	task = pid ? find_task(pid) : current;
	ret = task ? change_policy(task, policy, param.sched_priority) : -ESRCH;
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return ret;
}

long sys_sched_setscheduler(int pid, int policy, const struct kernel_sched_param __user *param)
{
	return policy < 0 ? -EINVAL : set_policy(pid, policy, param);
}

long sys_sched_setparam(int pid, const struct kernel_sched_param __user *param)
{
	return set_policy(pid, KEEP_POLICY, param);
}

/* What a task runs by. 0 or -ESRCH. */
static int get_policy(int pid, struct sched_entity *copy, bool *reset)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	const struct task_struct *task = pid ? find_task(pid) : current;

	if (task) {
		*copy = task->se;
		*reset = task->sched_reset_on_fork;
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return task ? 0 : -ESRCH;
}

long sys_sched_getscheduler(int pid)
{
	struct sched_entity se;
	bool reset;
	int err = pid < 0 ? -EINVAL : get_policy(pid, &se, &reset);

	return err ? err : se.policy | (reset ? SCHED_RESET_ON_FORK : 0);
}

long sys_sched_getparam(int pid, struct kernel_sched_param __user *uparam)
{
	struct kernel_sched_param param;
	struct sched_entity se;
	bool reset;
	int err = !uparam || pid < 0 ? -EINVAL : get_policy(pid, &se, &reset);

	if (err)
		return err;
	param.sched_priority = se.rt_priority;
	return copy_to_user(uparam, &param, sizeof(param)) ? -EFAULT : 0;
}

long sys_sched_rr_get_interval(int pid, struct kernel_timespec __user *interval)
{
	struct sched_entity se;
	bool reset;
	int err = pid < 0 ? -EINVAL : get_policy(pid, &se, &reset);

	return err ? err : put_user(to_timespec((s64)(sched_slice(&se) * TICK_NS)), interval);
}

long sys_sched_get_priority_max(int policy)
{
	if (is_rt(policy))
		return RT_PRIORITY_MAX;
	return valid_policy(policy) || policy == SCHED_DEADLINE ? 0 : -EINVAL;
}

long sys_sched_get_priority_min(int policy)
{
	return is_rt(policy) ? 1 : sys_sched_get_priority_max(policy);
}

/* --- nice values ---------------------------------------------------------------------------------- */

/* What getpriority(2) and setpriority(2) do to each of those they mean. => tasklist_lock */
typedef long (*prio_fn)(struct task_struct *task, int nice, long before);

static long best_prio(struct task_struct *task, int nice, long before)
{
	return max(before, (long)nice_to_rlimit(task->se.nice));
}

/* The first success makes up for having found nobody, but not for having been refused. */
static long set_prio(struct task_struct *task, int nice, long before)
{
	u32 euid = current->cred.euid;

	if (euid != task->cred.uid && euid != task->cred.euid && !capable(CAP_SYS_NICE))
		return -EPERM;
	if (nice < task->se.nice && !nice_allowed(task, nice) && !capable(CAP_SYS_NICE))
		return -EACCES;
	sched_set_policy(&task->se, task->se.policy, task->se.rt_priority, nice);
	return before == -ESRCH ? 0 : before;
}

/* => tasklist_lock */
static long for_group(int nr, prio_fn fn, int nice)
{
	struct pid *group = nr ? find_pid(nr) : current->signal->group;
	struct signal_struct *process;
	struct task_struct *t;
	long ret = -ESRCH;

	if (!group)
		return ret;
	list_for_each_entry(process, &group->group, group_link)
	{
		for_each_thread(process, t) ret = fn(t, nice, ret);
	}
	return ret;
}

/* => tasklist_lock */
static long for_user(u32 uid, prio_fn fn, int nice)
{
	struct signal_struct *process;
	struct task_struct *t;
	long ret = -ESRCH;

	for_each_process(process)
	{
		for_each_thread(process, t)
		{
			if (t->cred.uid == uid)
				ret = fn(t, nice, ret);
		}
	}
	return ret;
}

static long for_those(int which, int who, prio_fn fn, int nice)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct task_struct *task;
	long ret = -ESRCH;

	switch (which) {
	case PRIO_PROCESS:
		task = who ? find_task(who) : current;
		if (task)
			ret = fn(task, nice, ret);
		break;
	case PRIO_PGRP:
		ret = for_group(who, fn, nice);
		break;
	case PRIO_USER:
		ret = for_user(who ? (u32)who : current->cred.uid, fn, nice);
		break;
	default:
		ret = -EINVAL;
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return ret;
}

long sys_getpriority(int which, int who)
{
	return for_those(which, who, best_prio, 0);
}

long sys_setpriority(int which, int who, int nice)
{
	return for_those(which, who, set_prio, max(min(nice, NICE_MAX), NICE_MIN));
}

/* --- processors -------------------------------------------------------------------------------------- */

#define CPU_MASK_SIZE sizeof(cpu_bits_t)
_Static_assert(NR_CPUS <= 8 * CPU_MASK_SIZE, "a set of processors is one word");

/* => tasklist_lock. What sched_setaffinity(2) refuses, in this order. */
static long check_affinity(const struct task_struct *task, cpu_bits_t cpus)
{
	if (!task)
		return -ESRCH;
	if (!same_owner(task) && !capable(CAP_SYS_NICE))
		return -EPERM;
	return cpus ? 0 : -EINVAL;
}

long sys_sched_setaffinity(int pid, unsigned int len, const unsigned long __user *umask)
{
	cpu_bits_t cpus = 0;
	struct task_struct *task;
	unsigned long flags;
	long ret;

	if (copy_from_user(&cpus, umask, min((size_t)len, CPU_MASK_SIZE)))
		return -EFAULT;
	cpus &= cpumask_bits(&cpu_online_mask);
	flags = spin_lock_irqsave(&tasklist_lock);
	task = pid ? find_task(pid) : current;
	ret = check_affinity(task, cpus);
	if (!ret)
		get_task(task);
	spin_unlock_irqrestore(&tasklist_lock, flags);
	if (ret)
		return ret;
	sched_set_allowed(&task->se, cpus);
	put_task(task);
	return 0;
}

long sys_sched_getaffinity(int pid, unsigned int len, unsigned long __user *umask)
{
	struct sched_entity se;
	cpu_bits_t cpus;
	bool reset;
	int err;

	if (len * 8 < num_online_cpus() || len % sizeof(long))
		return -EINVAL;
	err = get_policy(pid, &se, &reset);
	if (err)
		return err;
	cpus = se.allowed & cpumask_bits(&cpu_online_mask);
	return copy_to_user(umask, &cpus, CPU_MASK_SIZE) ? -EFAULT : (long)CPU_MASK_SIZE;
}

long sys_getcpu(u32 __user *cpu, u32 __user *node, void __user *unused)
{
	const u32 here = (u32)smp_processor_id(), first = 0;

	if ((cpu && put_user(here, cpu)) || (node && put_user(first, node)))
		return -EFAULT;
	return 0;
}
