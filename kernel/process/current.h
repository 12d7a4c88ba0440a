/* SPDX-License-Identifier: MIT */
/* The running task as the system calls of files see it. */
#ifndef KERNEL_PROCESS_CURRENT_H
#define KERNEL_PROCESS_CURRENT_H

#include "kernel/process/task.h"

static inline struct files_struct *current_files(void)
{
	return current->files;
}

/* Exchanges the running task's table; who looks at the task finds one or the other. */
static inline void task_set_files(struct files_struct *files)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);

	current->files = files;
	spin_unlock_irqrestore(&tasklist_lock, flags);
}

static inline struct fs_context *current_fs(void)
{
	return current->fs;
}

/* The groups are the task's own, and only its own calls change them: the view is for one call. */
static inline struct cred_view current_cred_view(void)
{
	const struct cred *cred = &current->cred;

	return (struct cred_view){
		.uid = cred->fsuid,
		.gid = cred->fsgid,
		.privileged = cred->cap_effective & BIT(CAP_DAC_OVERRIDE),
		.admin = cred->cap_effective & BIT(CAP_SYS_ADMIN),
		.groups = cred->groups,
		.caps = cred->cap_effective,
	};
}

/* As access(2) judges: by the real ids, and for root by all it could take up. */
static inline struct cred_view real_cred_view(void)
{
	const struct cred *cred = &current->cred;
	struct cred_view view = current_cred_view();

	view.uid = cred->uid;
	view.gid = cred->gid;
	view.caps = cred->uid == 0 ? cred->cap_permitted : 0;
	view.privileged = cred_capable(&view, CAP_DAC_OVERRIDE);
	view.admin = cred_capable(&view, CAP_SYS_ADMIN);
	return view;
}

static inline unsigned long current_nofile_limit(void)
{
	return current->signal->rlim[RLIMIT_NOFILE].cur;
}

static inline int current_pid(void)
{
	return current->tgid;
}

#endif
