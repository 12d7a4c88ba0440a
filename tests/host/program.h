/* SPDX-License-Identifier: MIT */
/* A program with a few pages at BASE and one file, for tests to begin() and end() with. */
#ifndef TESTS_HOST_PROGRAM_H
#define TESTS_HOST_PROGRAM_H

#include "kernel/abi/mman.h"
#include "mm/calls.h"
#include "tests/host/sim.h"

#define BASE 0x40000000UL
#define RW   (PROT_READ | PROT_WRITE)
#define TOP  0x7ffffffde000UL

static struct mm_struct *mm;
static struct sim_file file;

static inline unsigned long page(unsigned int n)
{
	return BASE + n * PAGE_SIZE;
}

static inline bool map(unsigned int first, unsigned int n, unsigned long prot, struct vm_file *f,
		       unsigned long flags)
{
	return vm_mmap(f, page(first), n * PAGE_SIZE, prot,
		       MAP_FIXED | MAP_PRIVATE | (f ? 0 : MAP_ANONYMOUS) | flags, 0) == page(first);
}

static inline void begin(void)
{
	sim_file_init(&file, "/file", 10 * PAGE_SIZE - 100);
	mm = sim_new_mm();
	sim_task.min_flt = 0;
	sim_task.maj_flt = 0;
}

static inline void end(void)
{
	sim_exit_mm();
	sim_file_destroy(&file);
	for (size_t i = 0; i < ARRAY_SIZE(sim_rlimits); i++)
		sim_rlimits[i].cur = ~0UL;
}

static inline enum fault_verdict access_kind(unsigned long addr, enum sim_kind kind)
{
	char c = 1;

	return sim_access(addr, &c, 1, kind);
}

static inline long rss(enum rss_kind kind)
{
	return atomic_long_read(&mm->rss_stat[kind]);
}

#endif
