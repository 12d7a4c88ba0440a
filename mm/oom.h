/* SPDX-License-Identifier: MIT */
#ifndef MM_OOM_H
#define MM_OOM_H

#include "kernel/base/types.h"

struct mm_struct;

struct oom_victim {
	int pid;
	char comm[16];
	unsigned long pages; /* resident, with page tables */
	bool again; /* one that was killed before is still on its way: the others say nothing */
};

/* Tasks belong to a higher layer, which registers these. */
struct oom_ops {
	/* Kills the process that holds most, and all who share its memory, or `again`; false: none may go. */
	bool (*kill)(struct oom_victim *victim);
	/* Gives it time to go. May sleep. */
	void (*wait)(const struct oom_victim *victim);
};
void oom_register(const struct oom_ops *ops);

/* The address space of a process that is killed for its memory. => tasklist_lock; it has a user */
void mark_oom_victim(struct mm_struct *mm);
/* Whether the memory of such a process is still to come back. */
bool oom_victims_left(void);

/*
 * Makes room by ending a process; true when trying again makes sense. => no lock held that an ending
 * process needs: mmap_lock least of all.
 */
bool out_of_memory(void);

/*
 * Takes the private memory of an address space in which nothing will run any more: all who use it are on their
 * way out. What one of them touches meanwhile is not there (SIGBUS). => mmap_lock not held; the structure
 * is held; may sleep.
 */
void oom_reap_mm(struct mm_struct *mm);

#endif
