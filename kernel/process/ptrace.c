/* SPDX-License-Identifier: MIT */
#include "kernel/process/ptrace.h"

#include "kernel/abi/prctl.h"
#include "mm/calls.h"

/* All three of a kind: who once was somebody else may still hold what that one had. */
static bool same_ids(const struct cred *c, u32 uid, u32 gid)
{
	return c->euid == uid && c->suid == uid && c->uid == uid && c->egid == gid &&
	       c->sgid == gid && c->gid == gid;
}

bool ptrace_may_access(const struct task_struct *task, enum ptrace_creds which)
{
	const struct cred *own = &current->cred, *other = &task->cred;
	const struct mm_struct *mm = task->mm_part.mm;
	u64 caps = which == PTRACE_FSCREDS ? own->cap_effective : own->cap_permitted;

	/* One always may look at oneself, whatever one's rights have become. */
	if (task->signal == current->signal || capable(CAP_SYS_PTRACE))
		return true;
	if (!same_ids(other, which == PTRACE_FSCREDS ? own->fsuid : own->uid,
		      which == PTRACE_FSCREDS ? own->fsgid : own->gid))
		return false;
	if (mm && mm->dumpable != SUID_DUMP_USER)
		return false;
	/* Who could make the other one do something would have its rights. */
	return !(other->cap_permitted & ~caps);
}

/* => tasklist_lock */
static struct mm_struct *mm_access_locked(const struct task_struct *task, enum ptrace_creds which)
{
	struct mm_struct *mm = task ? task->mm_part.mm : NULL;

	if (!mm)
		mm = ERR_PTR(-ESRCH);
	else if (mm != current->mm_part.mm && !ptrace_may_access(task, which))
		mm = ERR_PTR(-EPERM);
	else
		mmget(mm);
	return mm;
}

struct mm_struct *mm_access(int tid, enum ptrace_creds which)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct mm_struct *mm = mm_access_locked(find_task(tid), which);

	spin_unlock_irqrestore(&tasklist_lock, flags);
	return mm;
}

struct mm_struct *mm_access_pid(const struct pid *pid, enum ptrace_creds which)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	struct mm_struct *mm = mm_access_locked(pid->task, which);

	spin_unlock_irqrestore(&tasklist_lock, flags);
	return mm;
}
