/* SPDX-License-Identifier: MIT */
/* The running task as the system calls of files see it. */
#ifndef KERNEL_PROCESS_CURRENT_H
#define KERNEL_PROCESS_CURRENT_H

#include "kernel/process/task.h"

static inline struct files_struct *current_files(void)
{
	return current->files;
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
		.ngroups = cred->ngroups,
		.groups = cred->groups,
		.caps = cred->cap_effective,
	};
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
