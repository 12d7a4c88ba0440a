/* SPDX-License-Identifier: MIT */
/* mm/'s own: what its files use of each other and nobody else may. */
#ifndef MM_INTERNAL_H
#define MM_INTERNAL_H

#include <arch/mmu.h>
#include <arch/tlb.h>

#include "kernel/base/errno.h"
#include "kernel/base/trace.h"
#include "mm/calls.h"
#include "mm/fault.h"
#include "mm/filemap.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "mm/sysctl.h"
#include "mm/vma.h"
#include "mm/vmalloc.h"
#include "mm/vmstat.h"

/* Of which level an entry is, as the trace counts them. */
enum { LEVEL_PTE = 1, LEVEL_PMD, LEVEL_PUD, LEVEL_PGD };

/* --- page tables: pgtable.c --------------------------------------------------------------------- */

/* A new top-level table with the kernel's half in it, or NULL. */
pgd_t *pgd_alloc(void);
void pgd_free(pgd_t *pgd);
/*
 * The PMD entry for addr, making the tables above it; NULL when there is no memory (what was made
 * stays, empty). => mmap_lock or the area's lock held; takes page_table_lock.
 */
pmd_t *pmd_alloc(struct mm_struct *mm, unsigned long addr);
/* The same one level higher. */
pud_t *pud_alloc(struct mm_struct *mm, unsigned long addr);
/* Hangs a page table, and a lock for it, under *pmd, addr's, if there is none. 0 or -ENOMEM. */
int pte_alloc(struct mm_struct *mm, pmd_t *pmd, unsigned long addr);
/* The PMD entry for addr if the tables above exist, else NULL. */
static inline pmd_t *pmd_lookup(const pgd_t *pgd, unsigned long addr)
{
	pgd_t pgd_e = pgdp_get(pgd + pgd_index(addr));
	pud_t pud_e;

	if (!pgd_table(pgd_e))
		return NULL;
	pud_e = pudp_get(pud_offset(pgd_e, addr));
	return pud_table(pud_e) ? pmd_offset(pud_e, addr) : NULL;
}
/*
 * What protects the entries of a last-level table: a lock of its own, in the table's struct page. Two
 * of them are taken with spin_lock_nested() for the second. => *pmd is a table, and stays: see pgtable.c
 */
static inline spinlock_t *table_lockptr(pmd_t pmd)
{
	return &pfn_to_page(pmd_pfn(pmd))->ptl;
}
static inline spinlock_t *pte_lockptr(const pmd_t *pmd)
{
	return table_lockptr(pmdp_get(pmd));
}
#define PTE_LOCK_SECOND 1 /* the subclass */
/*
 * Maps [virt, virt + size) of the kernel's half to physical memory with the largest leaves that fit
 * (4 KiB only when `small`). Replaces nothing: what is mapped already is a bug. 0 or -ENOMEM, with
 * what was done left in place. => nobody else changes this range.
 */
int map_kernel_range(unsigned long virt, phys_addr_t phys, size_t size, pgprot_t prot, bool small);
/* Maps RAM of memblock's there, which nobody has written to. Panics when there is none. => at boot */
void map_new_memory(unsigned long virt, unsigned long end);
/* Whether the frame's struct page has been initialised. */
bool page_is_ready(unsigned long pfn);
/* Takes leaves of 4 KiB out again; tables stay. The caller flushes. */
void unmap_kernel_range(unsigned long virt, size_t size);
/* Frees the last-level table of the 2 MiB from virt, if there is one. => nothing is mapped there */
void free_kernel_table(unsigned long virt);
/* Where table pages come from: memblock first, then the page allocator. */
extern bool page_alloc_ready;

/* --- leaving no stale translation behind: mmu_gather.c --------------------------------------------- */

#define GATHER_PAGES 120

/*
 * Collects what an unmap takes away. Nothing in it is freed before the TLB has forgotten
 * [start, end). Lives on the stack of who unmaps.
 */
struct mmu_gather {
	struct mm_struct *mm;
	unsigned long start, end; /* the range to flush; start >= end: nothing */
	unsigned int nr;
	bool keep_cows;		  /* what was copied privately isn't taken away */
	bool delayed_unmap;	  /* some pages are still counted as mapped */
	struct list_head tables;  /* page-table pages, by lru */
	long rss[NR_MM_COUNTERS]; /* to be taken from the mm's counts */
	struct page *pages[GATHER_PAGES];
};

void tlb_gather_mmu(struct mmu_gather *tlb, struct mm_struct *mm);
/* The entry for one page at addr was cleared: its reference is the gather's. */
void tlb_remove_page(struct mmu_gather *tlb, struct page *page, unsigned long addr);
/* An entry was cleared or restricted that held no page to free. */
void tlb_remove_entry(struct mmu_gather *tlb, unsigned long addr);
/* The same for some of the entries in [start, end). */
void tlb_remove_range(struct mmu_gather *tlb, unsigned long start, unsigned long end);
/* A table that mapped addr was taken out of its parent. */
void tlb_remove_table(struct mmu_gather *tlb, struct page *table, unsigned long addr);
/* Whether the batch is full: flush before the next page, outside of the table's lock. */
static inline bool tlb_full(const struct mmu_gather *tlb)
{
	return tlb->nr == GATHER_PAGES;
}
void tlb_flush_mmu(struct mmu_gather *tlb);
void tlb_finish_mmu(struct mmu_gather *tlb);

/* Unmaps the pages of an area in [start, end). => mmap_lock held, at least for reading. */
void unmap_page_range(struct mmu_gather *tlb, struct vm_area_struct *vma, unsigned long start,
		      unsigned long end);
/* The same with a gather of its own. */
void zap_page_range(struct vm_area_struct *vma, unsigned long start, unsigned long end);
/*
 * Frees the tables that lie wholly in [floor, ceiling) and map nothing of use: everything from the
 * end of the area before an unmapped range to the start of the one behind it. ceiling 0: no limit.
 */
void free_pgtables(struct mmu_gather *tlb, unsigned long start, unsigned long end,
		   unsigned long floor, unsigned long ceiling);

/* --- pages of files: filemap.c ------------------------------------------------------------------- */

/* The next cached page from *index to last with a new reference, *index its own; or NULL. */
struct page *find_get_next(struct address_space *mapping, unsigned long *index, unsigned long last);
/* The same of the pages with a tag. */
struct page *find_get_next_tagged(struct address_space *mapping, unsigned long *index,
				  unsigned long last, enum radix_tag tag);
bool trylock_page(struct page *page);
/* A shared area is about to change its file. => as vm_fops->update_time */
static inline void file_update_time(struct vm_file *file)
{
	if (file && file->vm_fops->update_time)
		file->vm_fops->update_time(file);
}

/* --- the generic page walker: pagewalk.c -------------------------------------------------------------- */

struct mm_walk;
/*
 * Called top-down for each entry of [addr, next). pmd_leaf/pud_leaf get leaves; pte gets every entry
 * of a table, in whatever state; hole gets what no table covers. Each may be NULL; a non-zero
 * result ends the walk.
 */
struct mm_walk_ops {
	int (*pud_leaf)(pud_t *pud, unsigned long addr, unsigned long next, struct mm_walk *walk);
	int (*pmd_leaf)(pmd_t *pmd, unsigned long addr, unsigned long next, struct mm_walk *walk);
	int (*pte)(pte_t *pte, unsigned long addr, unsigned long next, struct mm_walk *walk);
	int (*hole)(unsigned long addr, unsigned long next, int level, struct mm_walk *walk);
};
struct mm_walk {
	const struct mm_walk_ops *ops;
	pgd_t *pgd;
	void *private;
	/* What the tables above allowed so far: RW and USER must be set at each level, NX at none. */
	unsigned long parent_flags;
	spinlock_t *ptl; /* for the pte callback, which is called without it: the table's */
};
/* Walks [start, end) of any table, user or kernel half. Returns what a callback returned, or 0. */
int walk_page_range(pgd_t *pgd, unsigned long start, unsigned long end,
		    const struct mm_walk_ops *ops, void *private);

/* --- areas ------------------------------------------------------------------------------------------------ */

struct vm_area_struct *vmacache_find(struct mm_struct *mm, unsigned long addr);
void vmacache_update(unsigned long addr, struct vm_area_struct *vma);
static inline void vmacache_invalidate(struct mm_struct *mm)
{
	mm->vmacache_seqnum++;
}
/* Other flags for an area that is in its mm. => mmap_lock held for writing, and the area's lock */
static inline void vm_flags_reset(struct vm_area_struct *vma, u64 flags)
{
	trace(AREA_FLAGS, vma->vm_mm, vma->vm_start, vma->vm_end, vma->vm_flags, flags);
	vma->vm_flags = flags;
}
/* Takes an area out of its file's tree: after its pages, before its page tables. */
void vma_unlink_file(struct vm_area_struct *vma);
/*
 * Cuts an area in two at addr: new_below: the new structure is the lower part. 0, -ENOMEM (also at
 * max_map_count), or what may_split says; nothing changed then. => mmap_lock held for writing.
 */
int split_vma(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long addr, bool new_below);
int __split_vma(struct mm_struct *mm, struct vm_area_struct *vma, unsigned long addr,
		bool new_below);
/*
 * Moves an area's ends, without touching its pages; its own offset follows its start. The new range
 * must not run into the neighbours. => mmap_lock held for writing.
 */
void vma_set_range(struct vm_area_struct *vma, unsigned long start, unsigned long end);
/* munmap of a range whose entries are all none already. => as do_munmap() */
int do_munmap_empty(struct mm_struct *mm, unsigned long addr, unsigned long len);
/*
 * Takes away what a driver mapped in an area that is linked nowhere and won't be; prev is the area before
 * it, or NULL. => mmap_lock held for writing
 */
void unmap_new_area(struct mm_struct *mm, struct vm_area_struct *vma, struct vm_area_struct *prev);
/* What an area is, apart from where: two neighbours alike in this are one. */
struct vma_kind {
	u64 flags;
	const struct vm_file *file;
	unsigned long pgoff;	   /* of the range's first page */
	struct anon_vma *anon_vma; /* of the pages in the range, NULL when none was written */
	const struct vm_area_struct *avoid; /* rather than merging with this one, none is; or NULL */
};
/*
 * Lets a neighbour take over [start, end), which is new memory (vma NULL, prev the area before it or
 * NULL) or lies in `vma` (prev the area before vma). Returns the area that now holds it, or NULL when
 * nothing could be merged and nothing has changed. => mmap_lock held for writing.
 */
struct vm_area_struct *vma_merge(struct mm_struct *mm, struct vm_area_struct *prev,
				 struct vm_area_struct *vma, unsigned long start, unsigned long end,
				 const struct vma_kind *kind);
/* The same for memory that mmap adds, which prefers the neighbour behind. */
struct vm_area_struct *vma_merge_new(struct mm_struct *mm, struct vm_area_struct *prev,
				     unsigned long start, unsigned long end,
				     const struct vma_kind *kind);
/*
 * Makes [start, end) of *vma an area (or part of one) with these flags, by merging or splitting; *vma
 * is then the area that holds it. The pages are untouched. 0, -ENOMEM (areas may have been split, all
 * still with the old flags). => mmap_lock held for writing.
 */
int vma_change_flags(struct vm_area_struct **vma, unsigned long start, unsigned long end,
		     u64 flags);

/* --- who may map an anonymous page: anon_vma.c ----------------------------------------------------- */

int __anon_vma_prepare(struct vm_area_struct *vma);
/* Gives an area its anon_vma before its first page is written. 0 or -ENOMEM. => mmap_lock held. */
static inline int anon_vma_prepare(struct vm_area_struct *vma)
{
	return likely(READ_ONCE(vma->anon_vma)) ? 0 : __anon_vma_prepare(vma);
}
/*
 * The same for a fault: 0, VM_FAULT_OOM, or VM_FAULT_RETRY when it has only its area's lock, since the
 * neighbours are asked for theirs.
 */
static inline unsigned int vmf_anon_prepare(const struct vm_fault *vmf)
{
	if (likely(READ_ONCE(vmf->vma->anon_vma)))
		return 0;
	if (vmf->flags & FAULT_FLAG_VMA_LOCK)
		return VM_FAULT_RETRY;
	return __anon_vma_prepare(vmf->vma) ? VM_FAULT_OOM : 0;
}
/* Ties dst to all that src's pages may belong to. 0, or -ENOMEM with dst tied to nothing. */
int anon_vma_clone(struct vm_area_struct *dst, const struct vm_area_struct *src);
/*
 * The same for a child's area, which also gets an anon_vma for the pages it will write. 0, or -ENOMEM
 * with vma tied to nothing. => mmap_lock of pvma's mm held for writing
 */
int anon_vma_fork(struct vm_area_struct *vma, const struct vm_area_struct *pvma);
void unlink_anon_vmas(struct vm_area_struct *vma);
/* Around a change of an area's range; the family's lock is held between them. */
void anon_vma_pre_resize(struct vm_area_struct *vma);
void anon_vma_post_resize(struct vm_area_struct *vma);
void anon_vma_init(void);

/* --- who maps a page: rmap.c ------------------------------------------------------------------------ */

static inline struct anon_vma *page_anon_vma(const struct page *page)
{
	return (struct anon_vma *)((unsigned long)READ_ONCE(page->mapping) & ~PAGE_MAPPING_FLAGS);
}
/* Where a page of what the area shows would be in it, or -EFAULT when that is outside. */
unsigned long page_address_in_vma(const struct page *page, const struct vm_area_struct *vma);
/*
 * The entry at addr if it maps the page, and then the table's lock is held and in *ptl; else NULL, and
 * none is. => the area stays: mmap_lock, or what rmap_walk() holds
 */
pte_t *page_vma_mapped(const struct page *page, struct vm_area_struct *vma, unsigned long addr,
		       spinlock_t **ptl);
bool page_mapped_in_vma(const struct page *page, struct vm_area_struct *vma);

struct rmap_walk_control {
	/* Called for an area that may map the page at addr; false ends the walk. */
	bool (*rmap_one)(struct page *page, struct vm_area_struct *vma, unsigned long addr,
			 void *arg);
	void *arg;
};
/*
 * Calls rmap_one for every area of any address space that may map the page; none is missed. May sleep.
 * => the page stays mapped somewhere, or locked in its file: so what it belongs to stays, too
 */
void rmap_walk(struct page *page, const struct rmap_walk_control *rwc);
/*
 * Around taking entries out of an address space without its mmap_lock: so that an audit of it, at the same
 * time, knows why its sums don't agree.
 */
static inline void zap_from_outside_begin(struct mm_struct *mm)
{
#ifdef CONFIG_DEBUG
	atomic_long_add_return(&mm->zaps_begun, 1);
#endif
}
static inline void zap_from_outside_end(struct mm_struct *mm)
{
#ifdef CONFIG_DEBUG
	atomic_long_add_return(&mm->zaps_done, 1);
#endif
}
/* How many entries map the page, counted by going there: it must be page_mapcount(). => as above */
int page_count_mappings(struct page *page);
/*
 * Write-protects and cleans every entry of shared areas that maps the page, so that the next write to it
 * faults. How many there were. May sleep. => the page locked
 */
int page_mkclean(struct page *page);
/*
 * Takes every entry away that maps the page: true when none is left. An anonymous page goes only if it
 * holds nothing (MADV_FREE, and not written since): there is no place it could go to. What lies in
 * a locked area stays. May sleep. => the page locked, a reference held
 */
bool try_to_unmap(struct page *page);
/*
 * An anonymous page that turned out to be this area's alone: from now on it is looked for among its
 * own and its children's only. => the lock of the table with the entry that maps it
 */
void page_move_anon_rmap(struct page *page, const struct vm_area_struct *vma);

unsigned long arch_get_unmapped_area(struct mm_struct *mm, unsigned long addr, unsigned long len,
				     unsigned long pgoff, unsigned long flags);
unsigned long arch_get_unmapped_area_topdown(struct mm_struct *mm, unsigned long addr,
					     unsigned long len, unsigned long pgoff,
					     unsigned long flags);

/* Whether the limits on address space and data allow `pages` more of an area with these flags. */
bool may_expand_vm(const struct mm_struct *mm, u64 vm_flags, unsigned long pages);
/* A limit of the task that mm works for, in bytes; RLIM_INFINITY when there is none. */
unsigned long task_rlimit(enum mm_rlimit_kind kind);
bool task_capable(int cap);
#define MM_RLIM_INFINITY (~0UL)

/* Memory promised to areas with VM_ACCOUNT, in pages. 0 or -ENOMEM. */
int vm_enough_memory(const struct mm_struct *mm, unsigned long pages);
void vm_acct_memory(unsigned long pages);
void vm_unacct_memory(unsigned long pages);
bool accountable_mapping(u64 vm_flags);

#define VM_LOCKED_MASK (VM_LOCKED | VM_LOCKONFAULT)
/* Whether the running task may lock memory at all. */
bool can_do_mlock(void);
/* Whether `len` bytes more with these flags stay within RLIMIT_MEMLOCK: 0 or -EAGAIN. */
int mlock_future_check(const struct mm_struct *mm, u64 vm_flags, unsigned long len);

/* Faults pages in: gup.c. */

/* How much is done before others get at the lock, in bytes. */
#define POPULATE_BATCH (64 * PAGE_SIZE)

/* mm_populate(), ending at the first error: 0, -EFAULT, -ENOMEM. => mmap_lock not held */
int __mm_populate(struct mm_struct *mm, unsigned long start, unsigned long len, bool ignore_errors);
/* One area's pages in [start, end), as mlock() wants them. 0 or -errno. => mmap_lock held. */
int populate_vma_page_range(struct vm_area_struct *vma, unsigned long start, unsigned long end);
/* After -ENOMEM, with no lock held: whether room was made, by ending some other process. */
bool may_retry_oom(void);
/* Nothing is mapped there any more. => no user is left */
void oom_victim_is_empty(struct mm_struct *mm);
/* How often the kernel tries again for itself: it may hold a lock that the victim waits for. */
#define OOM_KERNEL_ROUNDS 50
/*
 * Makes one page accessible, as an access by the program would (write), whatever the rights are now if
 * `force`. 0, -EFAULT, -ENOMEM, -EINTR when being killed. => mmap_lock held.
 */
int faultin_page(struct vm_area_struct *vma, unsigned long addr, bool write, bool force);

/* Counts a fault that was resolved; one that ends in a signal isn't counted. */
void account_fault(struct task_mm *task, unsigned int ret);
bool task_has_personality(unsigned long flag);
/*
 * The area that addr lies in or that may grow to hold it; or NULL, and *why. The lock may be dropped and
 * taken meanwhile. => mmap_lock held for reading; still, after
 */
struct vm_area_struct *find_or_grow(struct mm_struct *mm, unsigned long addr,
				    enum fault_verdict *why);

/* --- pages of areas ----------------------------------------------------------------------------------------- */

static inline void add_mm_counter(struct mm_struct *mm, enum rss_kind kind, long n)
{
	atomic_long_add(&mm->rss_stat[kind], n);
}

/* Notes how much was resident, before some of it goes. Of two at once one may be lost: a statistic. */
static inline void update_hiwater_rss(struct mm_struct *mm)
{
	unsigned long rss = get_mm_rss(mm);

	if (READ_ONCE(mm->hiwater_rss) < rss)
		WRITE_ONCE(mm->hiwater_rss, rss);
}

static inline enum rss_kind page_rss_kind(const struct page *page)
{
	if (page_is_anon(page))
		return MM_ANONPAGES;
	return page->mapping && page->mapping->shmem ? MM_SHMEMPAGES : MM_FILEPAGES;
}

/* The page behind a present entry whose mapping is counted, or NULL (the zero page, device memory). */
static inline struct page *vm_normal_page(pte_t pte)
{
	return pte_special(pte) ? NULL : pfn_to_page(pte_pfn(pte));
}

/* Whether a special entry maps the page of zeros, and no device's memory. */
static inline bool pte_maps_zero_page(pte_t pte)
{
	return pte_special(pte) && pte_pfn(pte).v == page_to_pfn(zero_page).v;
}

/* Copies the device memory that a special entry maps: pfnmap.c. False when there is no memory. */
bool copy_special_page(struct page *to, pte_t pte);

/* What every file of the fault path needs of a write to a page that is mapped read-only: cow.c. */
unsigned int do_wp_page(struct vm_fault *vmf);
/* A shared page became writable for a write: vmf->page, locked; unlocks it. fault.c */
void fault_dirty_shared_page(struct vm_fault *vmf);
/*
 * Maps a file's page at addr, in the table that vmf->pte is in, as a read does; true when nothing was
 * there, and then the caller's reference is the mapping's. => the area is vmf's
 */
bool map_file_page(struct vm_fault *vmf, struct page *page, unsigned long addr);
/* Marks a page nobody else sees yet as anonymous memory of the area at addr. */
void page_make_anon(struct page *page, const struct vm_area_struct *vma, unsigned long addr);
/* The entry for a page with a protection. */
static inline pte_t mk_pte(struct page *page, pgprot_t prot)
{
	return pfn_pte(page_to_pfn(page), prot);
}

/* mm-wide initialisation, each called once by mm_init(). */
void vma_init(void);
void filemap_init(void);
void account_init(void);
void layout_init(void);

#endif
