/* SPDX-License-Identifier: MIT */
/*
 * For who puts something behind an area: drivers, and the kernel itself with what it shows to every
 * program. (Files use the page cache: mm/filemap.h.)
 */
#ifndef MM_MAPPING_H
#define MM_MAPPING_H

#include "mm/fault.h"
#include "mm/vma.h"

/* --- frames without a struct page of their own: pfnmap.c ------------------------------------------- */

/*
 * Maps `size` bytes of physical memory from pfn on at addr, page by page, with a protection, in an area
 * that a driver's mmap operation is making; the area becomes VM_IO | VM_PFNMAP | VM_DONTEXPAND |
 * VM_DONTDUMP. A private area that may be written must be covered as a whole (-EINVAL): what was copied
 * is told from what wasn't by that. 0, -EINVAL, -ENOMEM. => mmap_lock held for writing
 */
int remap_pfn_range(struct vm_area_struct *vma, unsigned long addr, pfn_t pfn, unsigned long size,
		    pgprot_t prot);
/*
 * The same for one page from a fault operation. VM_FAULT_NOPAGE, or VM_FAULT_OOM. => the area is
 * VM_PFNMAP; mmap_lock or the area's
 */
unsigned int vmf_insert_pfn(struct vm_area_struct *vma, unsigned long addr, pfn_t pfn);

/*
 * For a driver's get_unmapped_area operation: where the running program's own choice would be, but so that
 * address and offset agree modulo `align` (bytes, a power of two) if len is that long and there is room.
 * The address or -errno. => mmap_lock held for writing
 */
unsigned long get_unmapped_area_aligned(unsigned long addr, unsigned long len, unsigned long pgoff,
					unsigned long flags, unsigned long align);

/* --- what the kernel shows: special_mapping.c ------------------------------------------------------- */

struct vm_special_mapping {
	const char *name; /* for /proc/pid/maps: "[vdso]" */
	/*
	 * The pages, from the first of the area on: of the page allocator, no file's (page->mapping
	 * NULL), and kept for ever. A fault behind them is SIGBUS.
	 */
	struct page **pages;
	unsigned long nr_pages;
	/* Instead of them: maps the page itself (vmf_insert_pfn), or says why not. => as vm_ops->fault */
	unsigned int (*fault)(const struct vm_special_mapping *sm, struct vm_area_struct *vma,
			      struct vm_fault *vmf);
	/*
	 * The area, which is whole, was moved to vma->vm_start. Optional. 0, or -errno: it is moved
	 * back. => mmap_lock held for writing
	 */
	int (*mremap)(const struct vm_special_mapping *sm, struct vm_area_struct *vma);
};

/*
 * An area over a special mapping at [addr, addr + len); its vm_flags get VM_DONTEXPAND. The area, or
 * ERR_PTR(-ENOMEM): no memory, or something is there already. => mmap_lock held for writing; sm stays
 * for ever
 */
struct vm_area_struct *install_special_mapping(struct mm_struct *mm, unsigned long addr,
					       unsigned long len, u64 vm_flags,
					       const struct vm_special_mapping *sm);
bool vma_is_special_mapping(const struct vm_area_struct *vma);
/* Whether it is the mapping's own page at that offset, in pages. => a special mapping's area */
bool special_mapping_has_page(const struct vm_area_struct *vma, unsigned long pgoff,
			      const struct page *page);

#endif
