/* SPDX-License-Identifier: MIT */
/*
 * The structures of memory management: one page, one area, one address space, and a task's share
 * of them. mm/page.h, mm/vma.h and mm/fault.h hold what can be done with them.
 */
#ifndef MM_TYPES_H
#define MM_TYPES_H

#include <arch/mmu.h>
#include <arch/percpu.h>
#include <arch/tlb.h>

#include "kernel/base/atomic.h"
#include "kernel/lib/interval_tree.h"
#include "kernel/lib/list.h"
#include "kernel/lib/radix_tree.h"
#include "kernel/lib/rbtree.h"
#include "kernel/sched/wait.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/rcu.h"
#include "kernel/sync/rwsem.h"
#include "mm/fault_record.h"

struct address_space;
struct anon_vma;
struct kmem_cache;
struct mm_struct;
struct shmem_info;
struct vm_area_struct;
struct vm_file;
struct vm_fault;

/* --- a page ---------------------------------------------------------------------------------- */

enum pageflags {
	PG_locked,
	PG_dirty,
	PG_uptodate,
	PG_lru,
	PG_active,
	PG_referenced,
	PG_writeback,
	PG_head,     /* first page of a compound page */
	PG_tail,     /* one of the others: compound_head says of which */
	PG_reserved, /* never given to the allocator: firmware, the kernel's image, vmemmap */
	PG_buddy,    /* free, first of a block of page_order() in the buddy lists */
	PG_slab,
	PG_table, /* a page-table page */
	PG_swapbacked,
	PG_mlocked,
	PG_anon_exclusive, /* anonymous and known to be one program's: written without asking */
	PG_poisoned,	   /* free and filled with PAGE_POISON: checked when handed out again */
	NR_PAGEFLAGS,
};
/* The node a page belongs to stands in the top byte of its flags. */
#define PAGE_NODE_SHIFT 56

/* page->mapping: the low bits say what the pointer is. */
#define PAGE_MAPPING_ANON  1UL /* a struct anon_vma */
#define PAGE_MAPPING_KSM   2UL
#define PAGE_MAPPING_FLAGS 3UL

/*
 * One page frame. Exactly 64 bytes, so that a frame number becomes a struct by a shift.
 *
 * counts: references in the low 32 bits, page-table mappings in the high 32. A mapping is also a
 * reference, so mapping a page adds to both in one step.
 */
struct page {
	unsigned long flags;
	atomic_long_t counts;
	union {
		struct { /* anonymous or in the page cache */
			struct address_space *mapping;
			unsigned long index; /* in pages: in the file, or where in the anon area */
		};
		struct { /* PG_slab */
			struct kmem_cache *slab_cache;
			void *freelist;
		};
		struct page *compound_head; /* PG_tail */
	};
	struct list_head lru; /* in one list at a time: LRU, buddy, per-CPU list, slab, gather */
	union {
		struct {
			u16 order; /* of a free block, or of a compound head */
			u16 inuse; /* PG_slab: objects handed out */
			u16 objects;
		};
		unsigned long private;
		spinlock_t ptl; /* PG_table of the last level: for the entries in it */
		unsigned long spare[2];
	};
};
_Static_assert(sizeof(struct page) == 64, "struct page is 64 bytes");

/* --- what a mapping can stand on ---------------------------------------------------------------- */

struct address_space_operations {
	/*
	 * Fills a page that is locked and not uptodate, and marks it uptodate. 0 or a negative errno.
	 * NULL: new pages are zeros.
	 */
	int (*read_page)(struct address_space *mapping, struct page *page);
	/*
	 * Writes a page that is locked and was dirty to where it is kept; it can't be written through
	 * any mapping meanwhile. 0 or a negative errno. NULL: the page cache is all there is of the
	 * file, and dirty means nothing.
	 */
	int (*write_page)(struct address_space *mapping, struct page *page);
	/*
	 * Whether there is room for one page more, which is about to be made: 0, with the room taken, or
	 * a negative errno. And its counterpart, when a page has left the cache or wasn't made after
	 * all. Optional, but both. => no spinlock held
	 */
	int (*charge_page)(struct address_space *mapping);
	void (*page_removed)(struct address_space *mapping);
};

/*
 * The page cache of one file. `pages` and `nrpages` change under `lock`; each page in it holds
 * one reference for the cache.
 */
struct address_space {
	void *host; /* the inode, to who made it */
	u64 id;	    /* no other has ever had it: what names the contents without holding them */
	struct radix_tree_root pages;
	spinlock_t lock;
	unsigned long nrpages;
	struct rb_root i_mmap; /* areas that map it, by page offset */
	struct rw_semaphore i_mmap_rwsem;
	/*
	 * Areas that are shared and may ever be written; negative: there may be none, and so many insist
	 * on that. See mapping_map_writable().
	 */
	atomic_t i_mmap_writable;
	const struct address_space_operations *a_ops;
	u64 size; /* bytes: beyond the page holding the last, a fault is SIGBUS */
	/* Write-back that failed, under `lock`: how often, up to where somebody was told, and why. */
	u32 wb_seq, wb_seen;
	int wb_err;
	bool append_only; /* what writes it may only add: no shared area */
	/* Of files that are nothing but pages in memory, which count as shared memory; else NULL. */
	struct shmem_info *shmem;
};

/* What mm needs of an open file; the file system embeds it first in its struct file. */
struct vm_file_operations {
	void (*get)(struct vm_file *file);
	void (*put)(struct vm_file *file);
	/* Sets area->vm_ops and may change vm_flags. NULL: can't be mapped (ENODEV). 0 or -errno. */
	int (*mmap)(struct vm_file *file, struct vm_area_struct *vma);
	/* Optional: chooses the address instead of the mm's own function. Address or -errno. */
	unsigned long (*get_unmapped_area)(struct vm_file *file, unsigned long addr,
					   unsigned long len, unsigned long pgoff,
					   unsigned long flags);
	/*
	 * Optional: drops the pages [first, last] of the contents, mapped or not; they read as zeros
	 * then. What MADV_REMOVE does. 0 or -errno. => mmap_lock not held
	 */
	int (*punch_hole)(struct vm_file *file, unsigned long first, unsigned long last);
	/*
	 * Optional: brings the bytes [start, end] to where they stay. What MS_SYNC does. 0 or -errno.
	 * => mmap_lock not held
	 */
	int (*fsync)(struct vm_file *file, u64 start, u64 end);
	/* Optional: the file changes now, through a shared area: its times. => mmap_lock; any page lock */
	void (*update_time)(struct vm_file *file);
	/* Writes the path for /proc/pid/maps, terminated; returns its length. */
	int (*path)(struct vm_file *file, char *buf, size_t size);
};

#define VM_FILE_READ	 BIT(0) /* open for reading */
#define VM_FILE_WRITE	 BIT(1)
#define VM_FILE_NOEXEC	 BIT(2) /* on a mount without execution */
#define VM_FILE_SIZELESS BIT(3) /* its offsets are the driver's own: any will do */
#define VM_FILE_OWNER	 BIT(4) /* opened by who owns the inode, or could write to it */

struct vm_file {
	const struct vm_file_operations *vm_fops;
	struct address_space *mapping;
	unsigned int vm_mode; /* VM_FILE_* */
	u32 wb_seq;	      /* of the mapping's failures, this opening was told so many */
	u64 ino;	      /* for /proc/pid/maps */
	u32 dev_major, dev_minor;
};

/* What stands behind one kind of area. Anonymous memory has none. */
struct vm_operations_struct {
	void (*open)(struct vm_area_struct *vma);
	void (*close)(struct vm_area_struct *vma);
	/* Finds the page for vmf->pgoff; fills vmf->page with a reference. => mmap_lock or the area's. */
	unsigned int (*fault)(struct vm_fault *vmf);
	/*
	 * Maps what is in memory already of the pages [start_pgoff, end_pgoff], whose entries are in
	 * one table. VM_FAULT_NOPAGE when the page of the fault was one of them, else 0. Optional.
	 */
	unsigned int (*map_pages)(struct vm_fault *vmf, unsigned long start_pgoff,
				  unsigned long end_pgoff);
	/*
	 * A page of a shared area that is mapped read-only, vmf->page with a reference, is about to be
	 * written; the file may refuse, or note that it becomes dirty. VM_FAULT_LOCKED with the page
	 * locked and still the file's; VM_FAULT_NOPAGE when it isn't any more; or an error. Optional:
	 * then pages of such areas are mapped writable at once. => mmap_lock or the area's
	 */
	unsigned int (*page_mkwrite)(struct vm_fault *vmf);
	/* 0, or why the area can't be cut at addr. */
	int (*may_split)(struct vm_area_struct *vma, unsigned long addr);
	/* The area, which is the copy, has been moved to its new place. 0, or -errno: it is moved back. */
	int (*mremap)(struct vm_area_struct *vma);
	/* Bytes, for smaps; PAGE_SIZE when there is none. */
	unsigned long (*pagesize)(struct vm_area_struct *vma);
	/* What stands in /proc/pid/maps when no file does. */
	const char *(*name)(struct vm_area_struct *vma);
};

/*
 * Who may map an anonymous page. A page remembers the anon_vma of the area it was first written in; the
 * anon_vma knows all areas that may hold the page now: that area, what was split off it, copies in
 * forked children. One anon_vma_chain ties one area to one anon_vma. The last area to leave frees it.
 */
struct anon_vma {
	struct anon_vma *root;	   /* the first of the family; itself, or one it descends from */
	struct rw_semaphore rwsem; /* of a root: trees and counts of the whole family */
	struct rb_root chains;	   /* anon_vma_chain by page offset: interval tree */
	struct anon_vma *parent; /* of the area that this one's was forked from; a root's is itself */
	unsigned int num_children;    /* anon_vmas whose parent this is */
	unsigned int num_active_vmas; /* areas whose new pages belong here */
};

struct anon_vma_chain {
	struct vm_area_struct *vma;
	struct anon_vma *anon_vma;
	struct list_head same_vma;	/* in vma->anon_vma_chain, youngest first. => mmap_lock */
	struct interval_tree_node node; /* in anon_vma->chains */
};

/* --- an area -------------------------------------------------------------------------------------- */

/* vm_flags. Values are Linux's where outside texts show them (smaps, crash dumps). */
#define VM_READ	       0x00000001UL
#define VM_WRITE       0x00000002UL
#define VM_EXEC	       0x00000004UL
#define VM_SHARED      0x00000008UL
#define VM_MAYREAD     0x00000010UL
#define VM_MAYWRITE    0x00000020UL
#define VM_MAYEXEC     0x00000040UL
#define VM_MAYSHARE    0x00000080UL
#define VM_GROWSDOWN   0x00000100UL
#define VM_PFNMAP      0x00000400UL
#define VM_LOCKED      0x00002000UL
#define VM_IO	       0x00004000UL
#define VM_SEQ_READ    0x00008000UL
#define VM_RAND_READ   0x00010000UL
#define VM_DONTCOPY    0x00020000UL
#define VM_DONTEXPAND  0x00040000UL
#define VM_LOCKONFAULT 0x00080000UL
#define VM_ACCOUNT     0x00100000UL
#define VM_NORESERVE   0x00200000UL
#define VM_HUGETLB     0x00400000UL
#define VM_SYNC	       0x00800000UL
#define VM_WIPEONFORK  0x02000000UL
#define VM_DONTDUMP    0x04000000UL
#define VM_SOFTDIRTY   0x08000000UL
#define VM_MIXEDMAP    0x10000000UL
#define VM_HUGEPAGE    0x20000000UL
#define VM_NOHUGEPAGE  0x40000000UL
#define VM_MERGEABLE   0x80000000UL

#define VM_ACCESS_FLAGS (VM_READ | VM_WRITE | VM_EXEC)
#define VM_SPECIAL	(VM_IO | VM_DONTEXPAND | VM_PFNMAP | VM_MIXEDMAP)

/* [vm_start, vm_end) of one mm, with one protection and one thing behind it. */
struct vm_area_struct {
	/* What a lookup reads comes first: one cache line. */
	unsigned long vm_start; /* page-aligned, inclusive */
	unsigned long vm_end;	/* page-aligned, exclusive */
	struct rb_node vm_rb;
	unsigned long rb_subtree_gap; /* largest free gap below any area of this subtree, bytes */
	struct mm_struct *vm_mm;

	struct vm_area_struct *vm_next, *vm_prev; /* the same areas, in address order */
	u64 vm_flags;
	pgprot_t vm_page_prot;	/* for a page mapped with all that vm_flags allow */
	unsigned long vm_pgoff; /* pages: of vm_start in the file; anonymous: where it was made */
	const struct vm_operations_struct *vm_ops;
	struct vm_file *vm_file; /* holds a reference; NULL for anonymous memory */
	void *vm_private_data;

	struct anon_vma *anon_vma; /* of new pages; set by the first private write fault */
	union {
		struct list_head anon_vma_chain; /* all that pages of this area may belong to */
		struct rcu_head rcu;		 /* when it has gone and waits for its readers */
	};
	/* From here on nothing is copied to another area. */
	struct interval_tree_node i_mmap_node; /* in vm_file->mapping->i_mmap */
	/* The area's lock: vma_lock.c. */
	u64 vm_lock_seq; /* equals mm->mm_lock_seq while a writer changes the area; 0: never linked */
	atomic_t vm_readers; /* faults at work in it, during which nothing of it changes */
	bool attached;	     /* in the tree. Changes while the area is locked for writing */
};

/* --- an address space -------------------------------------------------------------------------------- */

enum rss_kind {
	MM_FILEPAGES,
	MM_ANONPAGES,
	MM_SWAPENTS,
	MM_SHMEMPAGES,
	NR_MM_COUNTERS,
};

#define AUXV_MAX 48 /* words: pairs of type and value with the terminating pair */

struct mm_struct {
	struct vm_area_struct *mmap; /* first of the list */
	struct rb_root mm_rb;
	unsigned int mm_rb_seq; /* odd while the tree, or an area's range, changes */
	u64 vmacache_seqnum;	/* bumped when a cached area may be stale */
	unsigned long (*get_unmapped_area)(struct mm_struct *mm, unsigned long addr,
					   unsigned long len, unsigned long pgoff,
					   unsigned long flags);
	unsigned long mmap_base;	/* top-down searches start below it */
	unsigned long mmap_legacy_base; /* bottom-up searches start here */
	unsigned long mmap_low32_shift; /* where MAP_32BIT begins, above 1 GiB */
	unsigned long highest_vm_end;
	struct mm_context context; /* the top-level table, and the processors that have it loaded */

	atomic_t mm_users; /* tasks (and visitors) using the areas; the last one empties them */
	atomic_t mm_count; /* references to the structure; all users together hold one */
	atomic_t tlb_flush_pending; /* gathers at work: entries may be cleared and still cached */
	atomic_long_t pgtables_bytes;
	int map_count;	 /* areas */
	bool has_pinned; /* pages of it have been pinned, ever: fork must look for them */
	u8 dumpable;	 /* SUID_DUMP_* of prctl(2): whether others of its user may see it */
	bool unstable;	 /* its private memory was taken while it ends: there is no more (oom.c) */
	bool oom_victim; /* it is to go for want of memory, and counts as on its way until it is empty (oom.c) */
	bool thp_disable; /* prctl(2) asked for no huge pages, of which there are none anyway */
	u8 membarrier;	  /* what membarrier(2) was told to be ready for */

	spinlock_t page_table_lock;    /* page tables above the last level: pte_lockptr() */
	struct rw_semaphore mmap_lock; /* the areas: list, tree, every field of them */
	u64 mm_lock_seq;	       /* of the present or next hold of mmap_lock for writing */
	struct wait_queue_head vma_writer_wait; /* who holds it and waits for readers of an area */
	struct mutex
		anon_vma_lock; /* for who gives an area its anon_vma under mmap_lock for reading */

	/* In pages. */
	unsigned long total_vm, locked_vm, data_vm, exec_vm, stack_vm;
	unsigned long hiwater_vm, hiwater_rss;
	u64 def_flags;

	/* In bytes: where exec put things. */
	unsigned long start_code, end_code, start_data, end_data;
	unsigned long start_brk, brk, start_stack;
	unsigned long arg_start, arg_end, env_start, env_end;
	unsigned long saved_auxv[AUXV_MAX];

	atomic_long_t rss_stat[NR_MM_COUNTERS];
	struct vm_file *exe_file; /* what /proc/pid/exe points at; holds a reference */
	unsigned long vdso; /* where the vdso begins, wherever it was moved; 0: there was none */
#ifdef CONFIG_DEBUG
	/* Looks by way of a page, or a file, that took entries away: begun, and over with all they count. */
	atomic_long_t zaps_begun, zaps_done;
#endif
};

/* --- a task's share ------------------------------------------------------------------------------------- */

#define VMACACHE_SIZE 4

struct vmacache {
	u64 seqnum;
	struct vm_area_struct *vmas[VMACACHE_SIZE];
};

struct mm_rlimit {
	unsigned long cur, max;
};

/* The numbers are RLIMIT_*'s: the task's whole array is indexed by them. */
enum mm_rlimit_kind {
	MM_RLIMIT_DATA = 2,
	MM_RLIMIT_STACK = 3,
	MM_RLIMIT_MEMLOCK = 8,
	MM_RLIMIT_AS = 9,
};

/*
 * What mm keeps in, or asks of, the task it works for: embedded in the task and filled by
 * kernel/process. current_mm_task() is the running one.
 */
struct task_mm {
	struct mm_struct *mm; /* NULL in a kernel thread */
	struct vmacache vmacache;
	const struct mm_rlimit
		*rlimits; /* indexed by mm_rlimit_kind; shared by a process's threads */
	bool (*capable)(const struct task_mm *task, int cap);
	unsigned long min_flt, maj_flt;
	struct fault_note fault;  /* of the fault it has just now */
	struct fault_ring faults; /* of its last ones */
	unsigned long personality;
	bool kill_pending; /* a fatal signal waits: give up long work */
#ifdef CONFIG_DEBUG
	unsigned int fail_nth; /* allocations until one is to fail; 0: none. See fault_inject.c */
	bool fail_injected;
#endif
};

/* Set by the process layer at every switch; a kernel thread has one too, with mm NULL. */
DECLARE_PER_CPU(struct task_mm *, current_task_mm);

static inline struct task_mm *current_mm_task(void)
{
	return this_cpu_read(current_task_mm);
}

#endif
