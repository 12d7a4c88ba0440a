/* SPDX-License-Identifier: MIT */
#ifndef MM_INIT_H
#define MM_INIT_H

#include <arch/mmu.h>

/* Where the parts of the kernel's image lie, virtual, page-aligned, in this order. */
struct kernel_image {
	unsigned long text, rodata, data, end;
};

/*
 * Builds and loads the kernel's page tables and starts the page allocator. => memblock knows all RAM
 * and everything that is taken; boot.S's tables are loaded.
 */
void mm_paging_init(const struct kernel_image *image);

/*
 * Leaves in the kernel's own half that are both writable and executable: there are to be none, where the
 * processor has NX.
 */
unsigned long mm_count_kernel_wx_pages(void);

#endif
