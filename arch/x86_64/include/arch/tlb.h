/* SPDX-License-Identifier: MIT */
/*
 * Which address space each processor has loaded, and making processors forget translations of it:
 * Intel SDM volume 3A, section 4.10. docs/tlb.md tells the whole protocol.
 */
#ifndef ARCH_TLB_H
#define ARCH_TLB_H

#include <arch/pte.h>

#include "kernel/base/cpumask.h"

/*
 * The processor's side of an address space. A processor that is not in `cpus` has nothing of it cached and
 * will not walk its tables; one that is may have, and finds more while it looks ahead.
 */
struct mm_context {
	pgd_t *pgd;
	cpumask_t cpus;
};

/* --- what is loaded ------------------------------------------------------------------------------ */

/* Loads the address space for a program, unless it is loaded. => interrupts off */
void switch_mm(struct mm_context *next);
/*
 * What runs now has no address space (an idle or kernel thread): what is loaded stays, to be there when a
 * program of it comes back, and is left for good when somebody flushes it. => interrupts off
 */
void enter_lazy_tlb(void);

/* --- forgetting ---------------------------------------------------------------------------------- */

/*
 * Makes every processor forget what it has cached of [start, end), and of the ways there: the
 * paging-structure caches. When it returns, what the tables said before the call is known to none. For a
 * table that was taken out of its parent, one address that it mapped must be in the range.
 * => interrupts on, or no other processor is in ctx->cpus; no lock held that is taken with interrupts
 * off. Page tables' locks may be held.
 */
void tlb_flush_range(struct mm_context *ctx, unsigned long start, unsigned long end);
/* All of it; and processors that only kept it go away from it. => as above */
void tlb_flush_mm(struct mm_context *ctx);
/*
 * One page of the current address space on this processor only, after its entry allows more than before.
 * The others find out by a fault that turns out to be none. Any context.
 */
void tlb_flush_page_local(unsigned long addr);
/* Kernel translations for [start, end), global ones included, on every processor. => as tlb_flush_range() */
void tlb_flush_kernel_range(unsigned long start, unsigned long end);

/* More pages than these are not forgotten one by one, but with all others. Measured: docs/tlb.md. */
#define TLB_FLUSH_ALL_PAGES 33

/* --- counts, as in Linux's /proc/vmstat ---------------------------------------------------------- */

enum tlb_event {
	NR_TLB_REMOTE_FLUSH,	      /* others were interrupted for an address space */
	NR_TLB_REMOTE_FLUSH_RECEIVED, /* this one was interrupted, for one or for the kernel */
	NR_TLB_LOCAL_FLUSH_ALL,	      /* here everything was forgotten */
	NR_TLB_LOCAL_FLUSH_ONE,	      /* or a page, for its own sake */
	NR_TLB_EVENTS,
};

/* An event's name there, and its count over all processors. */
const char *tlb_event_name(enum tlb_event event);
unsigned long tlb_event_count(enum tlb_event event);

#endif
