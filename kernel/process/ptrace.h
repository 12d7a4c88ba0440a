/* SPDX-License-Identifier: MIT */
/* Who may look into whom. There is no tracing: this is what memory and files of /proc ask. */
#ifndef KERNEL_PROCESS_PTRACE_H
#define KERNEL_PROCESS_PTRACE_H

#include "kernel/process/task.h"

/* By which of the running task's ids and capabilities it is judged. */
enum ptrace_creds {
	PTRACE_FSCREDS,	  /* those for files, and effective capabilities: for /proc */
	PTRACE_REALCREDS, /* the real ones, and permitted capabilities: for calls that name a pid */
};

/*
 * Whether the running task may read and write what the other one has in memory: "Ptrace access mode
 * checking" in ptrace(2). => tasklist_lock
 */
bool ptrace_may_access(const struct task_struct *task, enum ptrace_creds which);
/*
 * The address space of a thread with one user more, to be mmput(); or ERR_PTR: -ESRCH when there is no
 * such thread, or it has none; -EPERM.
 */
struct mm_struct *mm_access(int tid, enum ptrace_creds which);
/* The same for who is known by a struct pid that is held. */
struct mm_struct *mm_access_pid(const struct pid *pid, enum ptrace_creds which);

#endif
