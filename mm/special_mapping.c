/* SPDX-License-Identifier: MIT */
/*
 * Areas that show what no file holds: pages that the kernel made, or lets a function map one by one. The
 * kernel puts them into an address space itself, and what they are belongs together: none can be cut,
 * or grow, but each can be moved, unmapped, or given other rights as a whole.
 *
 * The pages of `pages` are counted like a file's, in rss_stat and in each page's mapcount; they belong to
 * no file, so nobody looks for who maps them (page->mapping is NULL). Written in a private area they are
 * copied like a file's page: that is how a debugger sets a breakpoint there.
 */
#include "mm/internal.h"
#include "mm/mapping.h"

static const struct vm_special_mapping *mapping_of(const struct vm_area_struct *vma)
{
	return vma->vm_private_data;
}

static unsigned int special_mapping_fault(struct vm_fault *vmf)
{
	const struct vm_special_mapping *sm = mapping_of(vmf->vma);

	if (sm->fault)
		return sm->fault(sm, vmf->vma, vmf);
	if (vmf->pgoff >= sm->nr_pages) {
		note_fault_step(STEP_NO_PAGE_BEHIND);
		return VM_FAULT_SIGBUS;
	}
	note_fault_step(STEP_KERNEL_PAGE);
	vmf->page = sm->pages[vmf->pgoff];
	get_page(vmf->page);
	return 0;
}

static int special_mapping_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	return -EINVAL;
}

static int special_mapping_mremap(struct vm_area_struct *vma)
{
	const struct vm_special_mapping *sm = mapping_of(vma);

	return sm->mremap ? sm->mremap(sm, vma) : 0;
}

static const char *special_mapping_name(struct vm_area_struct *vma)
{
	return mapping_of(vma)->name;
}

static const struct vm_operations_struct special_mapping_ops = {
	.fault = special_mapping_fault,
	.may_split = special_mapping_may_split,
	.mremap = special_mapping_mremap,
	.name = special_mapping_name,
};

bool vma_is_special_mapping(const struct vm_area_struct *vma)
{
	return vma->vm_ops == &special_mapping_ops;
}

bool special_mapping_has_page(const struct vm_area_struct *vma, unsigned long pgoff,
			      const struct page *page)
{
	const struct vm_special_mapping *sm = mapping_of(vma);

	return pgoff < sm->nr_pages && sm->pages[pgoff] == page;
}

struct vm_area_struct *install_special_mapping(struct mm_struct *mm, unsigned long addr,
					       unsigned long len, u64 vm_flags,
					       const struct vm_special_mapping *sm)
{
	struct vm_area_struct *vma = vm_area_alloc(mm, addr, addr + len);
	struct vma_place place;

	if (!vma)
		return ERR_PTR(-ENOMEM);
	/* VM_DONTEXPAND also keeps it from merging, and from being locked. */
	vma->vm_flags =
		vm_flags | (mm->def_flags & ~(u64)VM_LOCKED_MASK) | VM_DONTEXPAND | VM_SOFTDIRTY;
	vma->vm_page_prot = vm_get_page_prot(vma->vm_flags);
	vma->vm_ops = &special_mapping_ops;
	vma->vm_private_data = (void *)sm;
	if (find_vma_links(mm, addr, addr + len, &place)) {
		remove_vma(vma);
		return ERR_PTR(-ENOMEM);
	}
	vma_link(mm, vma, &place);
	vm_stat_account(mm, vma->vm_flags, (long)(len >> PAGE_SHIFT));
	return vma;
}
