/* SPDX-License-Identifier: MIT */
#ifndef MM_FAULT_H
#define MM_FAULT_H

#include <arch/cpu.h>

#include "kernel/base/trace.h"
#include "mm/types.h"

/* The processor's error code: SDM volume 3A, section 4.7. */
#define PF_PRESENT BIT(0) /* the translation was there and forbade the access */
#define PF_WRITE   BIT(1)
#define PF_USER	   BIT(2)
#define PF_RSVD	   BIT(3)
#define PF_INSTR   BIT(4)

/* What the access was. */
#define FAULT_FLAG_WRITE BIT(0)
#define FAULT_FLAG_EXEC	 BIT(1)
#define FAULT_FLAG_USER	 BIT(2) /* by the program itself, not by the kernel for it */
/* Reads, and wants an anonymous page to be this area's alone: a copy is made of one that may not be. */
#define FAULT_FLAG_UNSHARE BIT(5)

/* The area's lock is held, and not mmap_lock. */
#define FAULT_FLAG_VMA_LOCK BIT(6)

/* How handle_mm_fault() ended. */
#define VM_FAULT_OOM	 BIT(0)
#define VM_FAULT_SIGBUS	 BIT(1)
#define VM_FAULT_MAJOR	 BIT(2)
#define VM_FAULT_SIGSEGV BIT(3)
#define VM_FAULT_RETRY	 BIT(4) /* mmap_lock is needed, and only the area's lock is held */
#define VM_FAULT_NOPAGE	 BIT(5) /* the entry is set already */
#define VM_FAULT_LOCKED	 BIT(6)
#define VM_FAULT_ERROR	 (VM_FAULT_OOM | VM_FAULT_SIGBUS | VM_FAULT_SIGSEGV)

/* One fault on its way: filled in level by level. */
struct vm_fault {
	struct vm_area_struct *vma;
	unsigned long address; /* page-aligned */
	unsigned long pgoff;
	unsigned int flags;
	pmd_t *pmd;
	pte_t *pte;
	spinlock_t *ptl;   /* that table's */
	pte_t orig_pte;	   /* what was there when we looked */
	struct page *page; /* set by vm_ops->fault, with a reference */
};

/*
 * Makes one page of an area accessible as flags ask, or says why not (VM_FAULT_*).
 * => mmap_lock held for reading, or with FAULT_FLAG_VMA_LOCK the area's lock; the area allows the access
 */
unsigned int handle_mm_fault(struct vm_area_struct *vma, unsigned long address, unsigned int flags);

/* How a fault ended, for the signal. Why it did, its path says: fault_steps.h. */
enum fault_verdict {
	FAULT_HANDLED,
	FAULT_NO_AREA,	    /* SEGV_MAPERR */
	FAULT_NOT_READABLE, /* SEGV_ACCERR, and the next two */
	FAULT_NOT_WRITABLE,
	FAULT_NOT_EXECUTABLE,
	FAULT_STACK_LIMIT, /* SEGV_MAPERR: the stack may not grow further */
	FAULT_BUS,	   /* SIGBUS BUS_ADRERR: beyond the end of the file, or no room */
	FAULT_OOM,
	FAULT_NONE, /* no area was asked: one of the kernel's own, or of damaged tables */
};

/* One more step of the running task's fault. */
static inline void note_fault_step(enum fault_step step)
{
	struct fault_note *note = &current_mm_task()->fault;

	note->path = fault_path_add(note->path, step);
}

/*
 * Keeps the running task's fault, which is over, as its last: the path and the entries are the note's. Every
 * fault pays for it, so it is to be inlined once.
 */
static __always_inline void record_fault(struct task_mm *task, unsigned long address,
					 unsigned long ip, unsigned long error, int verdict,
					 int tid)
{
	struct fault_ring *ring = &task->faults;
	struct fault_record *r = &ring->records[ring->count++ % FAULT_RECORDS];
	const u64 seq = 2 * ring->count;

	WRITE_ONCE(r->seq, seq - 1);
	barrier();
	r->tsc = rdtsc();
	r->address = address;
	r->ip = ip;
	r->path = task->fault.path;
	r->pte_before = task->fault.pte_before;
	r->pte_after = task->fault.pte_after;
	r->tid = tid;
	r->error = (u16)error;
	r->verdict = (u8)verdict;
	r->cpu = (u8)smp_processor_id();
	/* The processor's stores are seen in their order. */
	__atomic_store_n(&r->seq, seq, __ATOMIC_RELEASE);
	trace(FAULT, address, ip, error, r->path, verdict);
}

/*
 * The whole way of a fault at `address` in the running task's address space: finds the area, lets
 * a stack grow, checks the access, calls handle_mm_fault(). Takes the area's lock or mmap_lock, and
 * drops it; may sleep. The path is in the task's note, but for its end.
 */
enum fault_verdict do_user_fault(unsigned long address, unsigned int flags);

/* Lets a growing-down area grow to hold addr. 0, -ENOMEM, -EPERM. => mmap_lock held for writing. */
int expand_stack(struct vm_area_struct *vma, unsigned long addr);

#endif
