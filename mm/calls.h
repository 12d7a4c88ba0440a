/* SPDX-License-Identifier: MIT */
/* Address spaces and the calls that change them: what process and syscall use of mm/. */
#ifndef MM_CALLS_H
#define MM_CALLS_H

#include "mm/types.h"

/* --- the calls; each takes mmap_lock itself and works on current_mm_task()->mm ------------------ */

/*
 * mmap(2): bytes throughout. `file` is NULL for anonymous memory. Returns the address or -errno.
 */
unsigned long vm_mmap(struct vm_file *file, unsigned long addr, unsigned long len,
		      unsigned long prot, unsigned long flags, unsigned long offset);
int vm_munmap(unsigned long addr, unsigned long len);
int vm_mprotect(unsigned long addr, unsigned long len, unsigned long prot);
/* brk(2): the new break, or the old one when it can't be moved. */
unsigned long vm_brk(unsigned long addr);
/* mremap(2): the address, or -errno. */
unsigned long vm_mremap(unsigned long addr, unsigned long old_len, unsigned long new_len,
			unsigned long flags, unsigned long new_addr);
/* mlock2(2) with flags, mlock(2) without; and the others of the family. 0 or -errno. */
int vm_mlock(unsigned long start, unsigned long len, int flags);
int vm_munlock(unsigned long start, unsigned long len);
int vm_mlockall(int flags);
int vm_munlockall(void);
int vm_madvise(unsigned long start, unsigned long len, int advice);
/* The same for another address space: process_madvise(2). */
int mm_madvise(struct mm_struct *mm, unsigned long start, unsigned long len, int advice);
/* mincore(2): one byte for each page to vec. */
int vm_mincore(unsigned long start, unsigned long len, u8 __user *vec);
int vm_msync(unsigned long start, unsigned long len, int flags);
/* remap_file_pages(2): start and size in bytes, pgoff in pages. 0 or -errno. */
int vm_remap_file_pages(unsigned long start, unsigned long size, unsigned long prot,
			unsigned long pgoff, unsigned long flags);

/* --- the same under the caller's lock => mmap_lock of mm held for writing ------------------------ */

unsigned long do_mmap(struct mm_struct *mm, struct vm_file *file, unsigned long addr,
		      unsigned long len, unsigned long prot, unsigned long flags,
		      unsigned long pgoff);
int do_munmap(struct mm_struct *mm, unsigned long addr, unsigned long len);
/* Anonymous memory with given vm_flags at a fixed, free place: bss, heap, stack. 0 or -errno. */
int do_brk_flags(struct mm_struct *mm, unsigned long addr, unsigned long len, u64 vm_flags);
unsigned long get_unmapped_area(struct mm_struct *mm, struct vm_file *file, unsigned long addr,
				unsigned long len, unsigned long pgoff, unsigned long flags);

/*
 * What a write to [start, start + len) would fault in, area by area; errors are passed over. Comes after
 * do_mmap() when mm->def_flags has VM_LOCKED. => mmap_lock not held
 */
void mm_populate(struct mm_struct *mm, unsigned long start, unsigned long len);

/* --- address spaces -------------------------------------------------------------------------------- */

/* A new, empty address space with one user; NULL when there is no memory. */
struct mm_struct *mm_alloc(void);
/*
 * fork: an address space with the areas of `old`, sharing its pages until one of the two writes them;
 * one user. ERR_PTR(-ENOMEM) when there is no memory, when what is promised twice is too much, or when
 * the task is being killed: `old` is as it was then. => mmap_lock of old not held; may sleep.
 */
struct mm_struct *dup_mm(struct mm_struct *old);
/* Drops a user; the last one unmaps everything and frees areas and tables. May sleep. */
void mmput(struct mm_struct *mm);
static inline void mmget(struct mm_struct *mm)
{
	atomic_inc(&mm->mm_users);
}
/* Keeps the structure and its top-level table alive without its contents. */
static inline void mmgrab(struct mm_struct *mm)
{
	atomic_inc(&mm->mm_count);
}
void mmdrop(struct mm_struct *mm);

/*
 * Where mmap begins: below the stack limit, moved down by `random` bytes; stack_random is how far the
 * stack itself may have been moved.
 */
void arch_pick_mmap_layout(struct mm_struct *mm, unsigned long stack_rlimit, unsigned long random,
			   unsigned long stack_random);

/*
 * Reads or writes (FOLL_WRITE of mm/gup.h) another address space as its own program could, or more with
 * FOLL_FORCE; a stack may grow to hold addr. Returns the bytes done, which end at the first page that
 * can't be had. => mmap_lock of mm not held; may sleep.
 */
size_t access_remote_vm(struct mm_struct *mm, unsigned long addr, void *buf, size_t len,
			unsigned int gup_flags);
/*
 * Which word of memory it is, whoever maps it where. Two threads that mean the same word have equal keys:
 * of private memory, the address space and the address; of a file or shared memory, the contents and
 * the place in them. Holds nothing: the caller's thread keeps its mm, and an id is never used again.
 */
struct futex_key {
	const struct mm_struct *mm; /* NULL: shared */
	u64 mapping;		    /* address_space.id; 0: private */
	u64 offset;		    /* bytes: the address, or in the mapping */
};
/*
 * The key of the word at addr, which is aligned, in the running task's address space; brings its page in
 * first, as writing would, or as reading where it can't be written and need not. 0; -EFAULT, also for
 * private memory that never changes; -ENOMEM. May sleep. => mmap_lock not held
 */
int mm_futex_key(unsigned long addr, bool write, struct futex_key *key);
/* A first area for a stack that ends at `top` (exclusive, page-aligned): one page. 0 or -errno. */
int mm_setup_stack(struct mm_struct *mm, unsigned long top, u64 extra_flags);
/* Grows the stack area down by `bytes`, as far as its limits allow; for exec. */
void mm_expand_stack_by(struct mm_struct *mm, unsigned long bytes);

/* Resident pages, exact. */
unsigned long get_mm_rss(const struct mm_struct *mm);
/* Text for /proc: one line of an area as /proc/pid/maps has it. Returns the length. */
int show_map_vma(const struct vm_area_struct *vma, char *buf, size_t size);
/*
 * What is mapped in a range, in bytes. A share (pss) is a page's size divided by how many entries map
 * it, in units of 2^-PSS_SHIFT bytes.
 */
#define PSS_SHIFT 12
struct mem_size_stats {
	unsigned long rss, referenced, anonymous, lazyfree, anonymous_thp;
	unsigned long shared_clean, shared_dirty, private_clean, private_dirty;
	u64 pss, pss_dirty, pss_locked, pss_anon, pss_file, pss_shmem;
};
/* Adds what an area has mapped. => mmap_lock held. */
void smap_gather_stats(struct vm_area_struct *vma, struct mem_size_stats *mss);
/* What /proc/pid/clear_refs can make an address space forget; the values are the file's. */
enum clear_refs_what {
	CLEAR_REFS_ALL = 1,    /* that pages were used */
	CLEAR_REFS_ANON,       /* the same where no file is mapped, */
	CLEAR_REFS_MAPPED,     /* or where one is */
	CLEAR_REFS_SOFT_DIRTY, /* that they were changed */
	CLEAR_REFS_PEAK,       /* how much was resident */
};
/* => mmap_lock of mm not held; may sleep. */
void mm_clear_refs(struct mm_struct *mm, enum clear_refs_what what);
/* A human-readable walk of the page tables for addr, level by level. Returns the length. */
int show_page_walk(const pgd_t *pgd, unsigned long addr, char *buf, size_t size);
/* One pagemap entry (Documentation of /proc/pid/pagemap); frames only if `frames`. => mmap_lock. */
u64 pagemap_entry(struct mm_struct *mm, unsigned long addr, bool frames);

void mm_init(void);

#endif
