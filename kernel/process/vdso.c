/* SPDX-License-Identifier: MIT */
/*
 * [vvar] and [vdso] in each program: six pages in two areas side by side, the page of data first, then
 * the shared object that finds it by lying directly behind (<arch/vdso.h>). The program learns of it by
 * AT_SYSINFO_EHDR in its auxiliary vector.
 */
#include <arch/cpu.h>
#include <arch/mmu.h>
#include <arch/vdso.h>

#include "kernel/base/cmdline.h"
#include "kernel/base/errno.h"
#include "kernel/base/random.h"
#include "kernel/base/string.h"
#include "kernel/process/current.h"
#include "kernel/process/exec.h"
#include "kernel/process/task.h"
#include "mm/calls.h"
#include "mm/mapping.h"
#include "mm/page.h"

#define VDSO_PAGES (VDSO_SIZE >> PAGE_SHIFT)
#define VVAR_FLAGS (VM_READ | VM_MAYREAD | VM_IO | VM_PFNMAP | VM_DONTDUMP)
/* That it may become writable is for debuggers: what is written is a copy. */
#define VDSO_FLAGS (VM_READ | VM_EXEC | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC)

static bool vdso_enabled;

/* The data lies in the kernel's image, of which no page is counted. */
static unsigned int vvar_fault(const struct vm_special_mapping *sm, struct vm_area_struct *vma,
			       struct vm_fault *vmf)
{
	const phys_addr_t phys = make_phys((unsigned long)&vdso_data - KERNEL_IMAGE_BASE);

	/* For clocks of hypervisors, and other time zones: none here. */
	if (vmf->pgoff != 0) {
		note_fault_step(STEP_NO_PAGE_BEHIND);
		return VM_FAULT_SIGBUS;
	}
	return vmf_insert_pfn(vma, vmf->address, phys_to_pfn(phys));
}

static int vdso_moved(const struct vm_special_mapping *sm, struct vm_area_struct *vma)
{
	if (vma->vm_end - vma->vm_start != VDSO_SIZE)
		return -EINVAL;
	vma->vm_mm->vdso = vma->vm_start;
	return 0;
}

static const struct vm_special_mapping vvar_mapping = { .name = "[vvar]", .fault = vvar_fault };

static struct page *vdso_pages[VDSO_PAGES];
static const struct vm_special_mapping vdso_mapping = {
	.name = "[vdso]",
	.pages = vdso_pages,
	.nr_pages = VDSO_PAGES,
	.mremap = vdso_moved,
};

/*
 * Where it would best be: between the stack's strings and the next multiple of 2 MiB, so that it needs no
 * page table of its own. 0 when there is no room.
 */
static unsigned long random_place(unsigned long stack)
{
	unsigned long start = ALIGN_UP(stack, PAGE_SIZE);
	unsigned long end = min(ALIGN_UP(start + VVAR_SIZE + VDSO_SIZE, PMD_SIZE), TASK_SIZE);

	end -= VVAR_SIZE + VDSO_SIZE;
	if (end < start)
		return 0;
	return start + (get_random_u64() % (((end - start) >> PAGE_SHIFT) + 1) << PAGE_SHIFT);
}

/* => mmap_lock held for writing */
static int map_at(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *vma;

	vma = install_special_mapping(mm, addr + VVAR_SIZE, VDSO_SIZE, VDSO_FLAGS, &vdso_mapping);
	if (IS_ERR(vma))
		return (int)PTR_ERR(vma);
	vma = install_special_mapping(mm, addr, VVAR_SIZE, VVAR_FLAGS, &vvar_mapping);
	if (IS_ERR(vma)) {
		do_munmap(mm, addr + VVAR_SIZE, VDSO_SIZE);
		return (int)PTR_ERR(vma);
	}
	mm->vdso = addr + VVAR_SIZE;
	return 0;
}

int map_vdso(const struct binprm *bprm)
{
	struct mm_struct *mm = current->mm_part.mm;
	unsigned long addr = bprm->randomize ? random_place(bprm->p) : 0;
	int err;

	if (!vdso_enabled)
		return 0;
	mmap_write_lock(mm);
	/* Only a wish: where the strings are many, the place is the stack's. */
	addr = get_unmapped_area(mm, NULL, addr, VVAR_SIZE + VDSO_SIZE, 0, 0);
	err = IS_ERR_VALUE(addr) ? (int)addr : map_at(mm, addr);
	mmap_write_unlock(mm);
	return err;
}

void vdso_init(void)
{
	char how[16] = "";

	for (unsigned int i = 0; i < VDSO_PAGES; i++) {
		struct page *page = alloc_page(GFP_KERNEL);

		if (!page)
			panic("no memory for the vdso");
		memcpy(page_address(page), vdso_image + i * PAGE_SIZE, PAGE_SIZE);
		vdso_pages[i] = page;
	}
	cmdline_get("vdso", how, sizeof(how));
	vdso_enabled = strcmp(how, "0") != 0;
	/* No program reads it yet. */
	vdso_data.clock = strcmp(how, "syscall") ? VDSO_CLOCK_TSC : VDSO_CLOCK_NONE;
	vdso_data.tick_ns = TICK_NS;
	vdso_data.has_rdtscp = cpu_features.rdtscp;
}
