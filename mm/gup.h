/* SPDX-License-Identifier: MIT */
/* Get user pages: the pages of an address space, held without the program touching them. */
#ifndef MM_GUP_H
#define MM_GUP_H

#include "mm/types.h"

#define FOLL_WRITE BIT(0) /* they will be written: private ones are copied first */
#define FOLL_FORCE BIT(1) /* as a debugger: rights that private memory could be given will do */
#define FOLL_PIN   BIT(2) /* they will be accessed long or by others: see pin_user_pages_remote() */
#define FOLL_ANON  BIT(3) /* only anonymous memory will do */

/*
 * The pages of [start, start + nr pages), each with a reference, faulted in as an access would (stacks
 * don't grow). Returns how many, which is less than nr where one could not be had; or, when there is
 * none, -EFAULT, -ENOMEM, -EINTR when being killed. pages may be NULL: then they are only faulted in.
 * May sleep. => mmap_lock held for reading
 */
long get_user_pages_remote(struct mm_struct *mm, unsigned long start, unsigned long nr,
			   unsigned int gup_flags, struct page **pages);
/*
 * The same with pins: a page that is pinned stays the program's own. fork copies it at once, so that the
 * program's writes and the holder's go to the same page.
 */
long pin_user_pages_remote(struct mm_struct *mm, unsigned long start, unsigned long nr,
			   unsigned int gup_flags, struct page **pages);
/*
 * The same, taking the lock itself, and tried again after -ENOMEM while room can be made.
 * => mmap_lock not held
 */
long pin_user_pages_unlocked(struct mm_struct *mm, unsigned long start, unsigned long nr,
			     unsigned int gup_flags, struct page **pages);
/* Lets go of pinned pages, marking them dirty first if they were written: then it may sleep. */
void unpin_user_pages(struct page **pages, unsigned long nr, bool dirty);
/* Each pin is that many references, so that a page with fewer surely has none. */
#define GUP_PIN_COUNTING_BIAS 1024
/* Whether somebody may have pinned the page; true by mistake only with very many references. */
bool page_maybe_dma_pinned(const struct page *page);

#endif
