/* SPDX-License-Identifier: MIT */
/* A program on its way into a new address space: what exec.c, script.c and elf.c share. */
#ifndef KERNEL_PROCESS_EXEC_H
#define KERNEL_PROCESS_EXEC_H

#include "kernel/abi/elf.h"
#include "kernel/process/task.h"

/* How much of a file decides what it is; a script's first line must fit. */
#define BINPRM_BUF_SIZE 256

struct binprm {
	struct file *file;
	struct file *elf_interp; /* what an ELF program names as its interpreter, or NULL */
	struct mm_struct *mm;	 /* the new one */
	const char *filename;	 /* what the new program is told that it is called */
	const char *
		path; /* what execveat() was given: the same, unless that is relative to a descriptor */
	int dfd, at_flags;
	bool path_goes; /* the descriptor in filename is closed before the program begins */
	char buf[BINPRM_BUF_SIZE];    /* how the file begins; zeros behind its end */
	char interp[BINPRM_BUF_SIZE]; /* the name of a script's interpreter; "" when there is none */
	int argc, envc;
	unsigned long stack_top;
	unsigned long argmin; /* the strings may not go below */
	unsigned long p;      /* lowest address of the strings on the new stack */
	unsigned long exec;   /* where the file name is, there */
	unsigned long arg_start, arg_end, env_end;
	bool randomize;
	u32 euid, egid;		 /* what the file's set-user-ID and set-group-ID bits say */
	bool lends;		 /* they say something */
	bool own_layout;	 /* memory is laid out as if the caller had wished for nothing */
	bool again;		 /* that must be, and isn't */
	bool secure;		 /* AT_SECURE: the new program has rights that its caller lacks */
	bool point_of_no_return; /* a failure from here on ends the process */
};

/*
 * Loads bprm->file, an ELF program, and sets *entry and *sp for it. Calls begin_new_exec() when nothing
 * that can be reported to the caller is left to check. 0 or -errno.
 */
int load_elf(struct binprm *bprm, unsigned long *entry, unsigned long *sp);

/*
 * Puts a string with its terminator below the others on the new stack and counts it as the first
 * argument. -E2BIG when there is no room.
 */
int bprm_push_arg(struct binprm *bprm, const char *str);

/* Takes the first argument off. -EFAULT when it can't be read, in want of memory. */
int bprm_pop_arg(struct binprm *bprm);

/* Whether bprm->buf is the start of a script. */
bool is_script(const struct binprm *bprm);

/*
 * Puts the program that runs the script bprm->file in its place, with the arguments that belong to it.
 * Changes bprm->buf. -ENOEXEC when the first line names no program, or what opening that gives.
 */
int use_interpreter(struct binprm *bprm);

/* What open_exec() gives for a program that a file names. */
struct file *open_interpreter(const char *name);

/* How far, in bytes, a place among the mappings is moved where addresses are random. */
unsigned long exec_mmap_random(void);

/*
 * Makes bprm->mm the running task's, and forgets what the old program leaves: other threads too. 0: there
 * is no way back. -ENOMEM: nothing has changed. -EAGAIN: the process is being ended.
 */
int begin_new_exec(struct binprm *bprm);

/*
 * Puts the vdso and its page of data into the running program's address space and notes where. 0 or
 * -errno. => bprm->p is where the strings on the stack begin
 */
int map_vdso(const struct binprm *bprm);

#endif
