/* SPDX-License-Identifier: MIT */
/*
 * Making the processor forget translations: Intel SDM volume 3A, section 4.10.
 * One processor runs today; each function names the table it is about so that others can be told.
 */
#ifndef ARCH_TLB_H
#define ARCH_TLB_H

#include <arch/pte.h>

/*
 * Forgets [start, end) of the user half of `pgd` on every CPU that may have it cached, together
 * with the paging-structure caches for it. Beyond TLB_FLUSH_ALL_PAGES everything is dropped at once.
 */
void tlb_flush_range(const pgd_t *pgd, unsigned long start, unsigned long end);
/* Forgets one user page of the current address space on this CPU only. */
void tlb_flush_page_local(unsigned long addr);
/* Forgets kernel translations for [start, end), global ones included. */
void tlb_flush_kernel_range(unsigned long start, unsigned long end);

/* INVLPG for a page costs more than reloading CR3 from about this many pages on (33 is Linux's figure). */
#define TLB_FLUSH_ALL_PAGES 33

#endif
