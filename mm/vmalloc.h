/* SPDX-License-Identifier: MIT */
#ifndef MM_VMALLOC_H
#define MM_VMALLOC_H

#include "mm/page.h"

/*
 * Memory that is contiguous only virtually, in the kernel's own area, with an unmapped guard page
 * behind it. Bytes, rounded up to pages. NULL when there is none. May sleep.
 */
void *vmalloc(size_t size) __must_check;
void vfree(void *ptr);
/*
 * Maps physical memory that is no RAM of ours (device registers, firmware tables), with a guard page.
 * NULL on failure. nocache for registers.
 */
void *ioremap(u64 phys, size_t size, bool nocache) __must_check;
void iounmap(void *ptr);
/* A kernel stack of THREAD_SIZE bytes with guard pages below and above; its lowest address, or NULL. */
void *alloc_kernel_stack(void) __must_check;
void free_kernel_stack(void *stack);
#ifdef CONFIG_FAIL_SITES
#define vmalloc(size)	     may_fail("vmalloc", vmalloc(size))
#define alloc_kernel_stack() may_fail("alloc_kernel_stack", alloc_kernel_stack())
#endif
/* Gives back cached kernel stacks, and tables without a page. */
void vmalloc_drain(void);
void vmalloc_init(void);

#define THREAD_SIZE (4 * PAGE_SIZE)

/*
 * Whether addr lies in the guard page below some kernel stack: what a stack overflow hits. Any context; false
 * too when that can't be told just now.
 */
bool vmalloc_is_guard(unsigned long addr);

#endif
