/* SPDX-License-Identifier: MIT */
/* A program on its way into a new address space: what exec.c and elf.c share. */
#ifndef KERNEL_PROCESS_EXEC_H
#define KERNEL_PROCESS_EXEC_H

#include "kernel/abi/elf.h"
#include "kernel/process/task.h"

struct binprm {
	struct file *file;
	struct mm_struct *mm; /* the new one */
	const char *filename;
	int argc, envc;
	unsigned long stack_top;
	unsigned long p;    /* lowest address of the strings on the new stack */
	unsigned long exec; /* where the file name is, there */
	unsigned long arg_start, arg_end, env_end;
	bool randomize;
	bool point_of_no_return; /* a failure from here on ends the process */
};

/*
 * Loads bprm->file, an ELF program, and sets *entry and *sp for it. Calls begin_new_exec() when nothing
 * that can be reported to the caller is left to check. 0 or -errno.
 */
int load_elf(struct binprm *bprm, unsigned long *entry, unsigned long *sp);

/*
 * Makes bprm->mm the running task's, and forgets what the old program leaves: other threads too. 0: there
 * is no way back. -ENOMEM: nothing has changed. -EAGAIN: the process is being ended.
 */
int begin_new_exec(struct binprm *bprm);

#endif
