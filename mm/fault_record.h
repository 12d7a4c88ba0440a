/* SPDX-License-Identifier: MIT */
/* What is remembered of faults: the path of the one at work, and the last few of each task. */
#ifndef MM_FAULT_RECORD_H
#define MM_FAULT_RECORD_H

#include "kernel/base/types.h"
#include "mm/fault_steps.h"

/*
 * One page fault. The task writes it, and anybody may read it at any time without a lock: seq is odd while
 * it is written. It is 2 * n for the nth fault of the task in its present program; 0: none yet.
 */
struct fault_record {
	u64 seq;
	u64 tsc;     /* when it was over */
	u64 address; /* the one that was accessed: CR2 */
	u64 ip;	     /* of the instruction */
	u64 path;    /* of enum fault_step: fault_steps.h */
	/* The last-level entry for the address, before and after; 0 where the way didn't lead so far. */
	u64 pte_before, pte_after;
	s32 tid;
	u16 error;  /* the processor's error code */
	u8 verdict; /* enum fault_verdict */
	u8 cpu;
};
_Static_assert(sizeof(struct fault_record) == 64, "a record is a cache line");

#define FAULT_RECORDS 8

/* In each task. The nth fault's record is records[(n - 1) % FAULT_RECORDS]. */
struct fault_ring {
	u64 count; /* faults so far */
	struct fault_record records[FAULT_RECORDS];
};

/* The fault at work, in the task that has it. */
struct fault_note {
	u64 path, pte_before, pte_after;
};

/* The path with one step more. */
static inline u64 fault_path_add(u64 path, enum fault_step step)
{
	return path << 8 | step;
}

/* How many steps a path has, and the nth of them, from 0. */
static inline unsigned int fault_path_len(u64 path)
{
	return path ? (71 - (unsigned int)__builtin_clzl(path)) / 8 : 0;
}
static inline enum fault_step fault_path_step(u64 path, unsigned int n)
{
	return (enum fault_step)(path >> (8 * (fault_path_len(path) - 1 - n)) & 0xff);
}
static inline enum fault_step fault_path_last(u64 path)
{
	return (enum fault_step)(path & 0xff);
}

struct task_mm;
/*
 * Copies the records of a task, which may run, newest first: how many there were that didn't change
 * meanwhile. The task's own call gets all of the last FAULT_RECORDS. => the task stays
 */
unsigned int fault_records(const struct task_mm *task, struct fault_record out[FAULT_RECORDS]);
/* Forgets all: another program begins. => the task is the running one */
void forget_faults(struct task_mm *task);

/*
 * Text for /proc and the panic: a line about the fault, and one for each step. Returns the length. Without
 * `frames` the entries are shown without their frames' numbers, which are for root.
 */
int show_fault_record(const struct fault_record *record, bool frames, char *buf, size_t size);
int show_fault_path(u64 path, char *buf, size_t size);
/* No record's text is longer. */
#define FAULT_TEXT_MAX 1536

#endif
