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

/* CAP_DAC_OVERRIDE (1) is what lets mode bits be ignored; 21 is CAP_SYS_ADMIN. */
static inline struct cred_view current_cred_view(void)
{
	const struct cred *cred = &current->cred;

	return (struct cred_view){ cred->fsuid, cred->fsgid, cred->cap_effective & BIT(1),
				   cred->cap_effective & BIT(21) };
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
