/* SPDX-License-Identifier: MIT */
/*
 * The simulated machine that mm/ runs on in a host program.
 *
 *	physical memory   ranges of RAM anywhere; the host backs what is touched
 *	MMU               four CPUs, each with a TLB and paging-structure caches that forget nothing by
 *	                  themselves: what the kernel doesn't flush stays, as on the unluckiest machine
 *	a program         one task; sim_access() is what its instructions do, faults included
 *
 * The machine ends the test (panic) when a frame or a table is freed that some cache still leads to,
 * when a table holds what a processor would not take, when something that may sleep is called
 * under a spinlock, and when a fault that was handled comes back again.
 */
#ifndef TESTS_HOST_SIM_H
#define TESTS_HOST_SIM_H

#include "kernel/base/boot_info.h"
#include "mm/calls.h"
#include "mm/fault.h"
#include "mm/page.h"

#define SIM_NR_CPUS 4

/* Whether the machine has leaves of 1 GiB; to be set before it boots. */
extern bool sim_gbpages;

/* RAM from `start` on, both in bytes. */
#define SIM_RAM(start, size)                  \
	{                                     \
		(start), (size), BOOT_MEM_RAM \
	}

/*
 * Starts the machine: gives mm/ this memory map and lets it build its page tables and start its
 * allocators. Once in a process: what needs several machines forks (death.h).
 */
void sim_boot(const struct boot_mem *mem, unsigned int nr);
/* The same up to memblock, and no further. */
void sim_boot_memblock(const struct boot_mem *mem, unsigned int nr);
/* 64 MiB with a hole below 16 MiB, and 32 MiB from 4 GiB on. */
void sim_boot_default(void);

/* --- the MMU: sim_mmu.c ---------------------------------------------------------------------- */

enum sim_kind {
	SIM_READ,
	SIM_WRITE,
	SIM_EXEC,
};

/*
 * Which CPU the next accesses come from, and the kernel's code runs on. Each has its own CR3, which
 * mmu_load_pgd() sets, and its own per-CPU variables.
 */
void sim_set_cpu(unsigned int cpu);
/*
 * What one access to addr does on the current CPU, caches first, then the tables, setting A and D
 * bits on the way. True with the physical address; false when the processor would raise a fault.
 */
bool sim_translate(unsigned long addr, enum sim_kind kind, bool user, u64 *phys);
/* Ends the test if a cache holds a translation that the tables don't have, or with fewer rights. */
void sim_check_tlb(void);
/* Translations (or table pointers) cached for [start, end) on all CPUs. */
unsigned int sim_nr_cached(unsigned long start, unsigned long end);
/* A frame is about to be free: ends the test if some cache still leads to it. */
void sim_frame_freed(unsigned long pfn, unsigned long nr);
/* Makes everything cached so far forgotten, as an unlucky machine may do at any time too. */
void sim_forget(void);

/* Mistakes: interrupts to these CPUs (a bit each) get lost; the nth tlb_flush_range() from now does nothing. */
extern unsigned int sim_lost_interrupts, sim_lost_flush;
/* Called before each flush of a program's half, if set. */
extern void (*sim_on_flush)(struct mm_context *ctx, unsigned long start, unsigned long end);

/* Reads (or writes) kernel memory by its virtual address, through the kernel's page tables. */
bool sim_kernel_access(unsigned long addr, void *buf, size_t len, enum sim_kind kind);

/* --- a program: sim_task.c ----------------------------------------------------------------------- */

extern struct task_mm sim_task;
extern struct mm_rlimit sim_rlimits[16]; /* all unlimited at first */
extern bool sim_privileged;		 /* whether the task has every capability, or none */

/* A new address space that the task runs in, or NULL. */
struct mm_struct *sim_new_mm(void);
/* The current CPU switches to a thread of mm; NULL: to one without, and keeps what it has lazily. */
void sim_load_mm(struct mm_struct *mm);
/* Runs in mm on all CPUs; NULL: in none. */
void sim_use_mm(struct mm_struct *mm);
/* Leaves the task's address space and drops it. */
void sim_exit_mm(void);

/* An access of the program, page by page, faults included. What was not FAULT_HANDLED ends it. */
enum fault_verdict sim_access(unsigned long addr, void *buf, size_t len, enum sim_kind kind);
/* One byte. sim_peek: -1 when the program would have been stopped. */
int sim_peek(unsigned long addr);
bool sim_poke(unsigned long addr, u8 value);

/* What others do while the only thread sleeps; NULL: there is nobody, and the test ends. */
extern void (*sim_on_schedule)(void);

/* --- memory that runs out -------------------------------------------------------------------------- */

enum sim_fail {
	SIM_FAIL_NONE,
	SIM_FAIL_PAGE,	 /* the nth allocation of pages fails, and no other */
	SIM_FAIL_OBJECT, /* the nth of an object */
	SIM_FAIL_ALL, /* from the nth on, of both counted together, all fail: there is no memory left */
};
extern const char *const sim_fail_names[];
void sim_fail(enum sim_fail how, unsigned long n);

/* --- what is in use -------------------------------------------------------------------------------- */

struct sim_usage {
	unsigned long free_pages;
	unsigned long blocks[MAX_NR_ZONES][MAX_ORDER + 1];
	long committed, file_pages;
	unsigned long slab_objects;
};
/* Drains every cache and says what the machine holds. */
struct sim_usage sim_usage(void);
/* Whether both are the same; says the first difference if not. Blocks count only if `blocks`. */
bool sim_usage_same(const struct sim_usage *a, const struct sim_usage *b, bool blocks);

/* --- a file in memory: sim_file.c ----------------------------------------------------------------------- */

struct sim_file {
	struct vm_file file;
	struct address_space mapping;
	int refs;		 /* that areas hold; the maker's own is not counted */
	unsigned int reads;	 /* pages that were read in */
	unsigned int fail_reads; /* so many of the next reads fail with -EIO */
	const char *name;
};

/* A file of `size` bytes; byte i of it is sim_file_byte(i) until somebody writes. */
void sim_file_init(struct sim_file *f, const char *name, u64 size);
u8 sim_file_byte(u64 pos);
/* Empties its page cache. => no area maps it. */
void sim_file_destroy(struct sim_file *f);

/* --- shared memory: sim_shmem.c ----------------------------------------------------------------------- */

/* Lets mm make files of shared memory: part of sim_boot(). */
void sim_shmem_init(void);
/* What limits those made from now on, or NULL. */
extern struct shmem_sb_info *sim_shmem_limit;

#endif
