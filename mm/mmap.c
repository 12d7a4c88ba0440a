/* SPDX-License-Identifier: MIT */
/*
 * mmap(2), from its checks to the new area. Which check fails first is part of the interface; the
 * order here is the one of Linux 6.1:
 *
 *	length - number of areas - address - locked memory - type and file - limits -
 *	(what was there is unmapped) - charge - the file's own operation
 */
#include "kernel/abi/fcntl.h"
#include "kernel/abi/mman.h"
#include "kernel/abi/personality.h"
#include "mm/internal.h"
#include "mm/shmem.h"

/* The addresses below are nobody's by accident: a hint there means "as low as is allowed". */
static unsigned long round_hint(unsigned long addr)
{
	addr &= PAGE_MASK;
	return addr && addr < sysctl_mmap_min_addr ? ALIGN_UP(sysctl_mmap_min_addr, PAGE_SIZE) :
						     addr;
}

static u64 calc_vm_flags(unsigned long prot, unsigned long flags)
{
	u64 f = prot & (PROT_READ | PROT_WRITE | PROT_EXEC);

	if (flags & MAP_GROWSDOWN)
		f |= VM_GROWSDOWN;
	if (flags & MAP_LOCKED)
		f |= VM_LOCKED;
	if (flags & MAP_SYNC)
		f |= VM_SYNC; /* without a meaning here, but it keeps areas apart */
	return f;
}

/* Whether offsets up to the end of a mapping mean something: of bytes in a file, they are signed. */
static bool offsets_fit(const struct vm_file *file, unsigned long pgoff, unsigned long len)
{
	unsigned long max = file->vm_mode & VM_FILE_SIZELESS ? ~0UL : ~0UL >> 1;

	return len <= max && pgoff <= (max - len) >> PAGE_SHIFT;
}

static int check_private_file(struct vm_file *file, u64 *vm_flags)
{
	if (!(file->vm_mode & VM_FILE_READ))
		return -EACCES;
	if (file->vm_mode & VM_FILE_NOEXEC) {
		if (*vm_flags & VM_EXEC)
			return -EPERM;
		*vm_flags &= ~VM_MAYEXEC;
	}
	if (!file->vm_fops->mmap)
		return -ENODEV;
	if (*vm_flags & VM_GROWSDOWN)
		return -EINVAL;
	return 0;
}

#define MAP_UNINITIALIZED 0x4000000 /* for machines without an MMU */
/* Flags from before MAP_SHARED_VALIDATE: MAP_SHARED takes any beside them, and ignores it. */
#define LEGACY_MAP_FLAGS                                                                    \
	(MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_32BIT | MAP_GROWSDOWN | \
	 MAP_DENYWRITE | MAP_EXECUTABLE | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE |       \
	 MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB | MAP_UNINITIALIZED | 31UL << MAP_HUGE_SHIFT)

static int check_shared_file(struct vm_file *file, unsigned long prot, u64 *vm_flags)
{
	if ((prot & PROT_WRITE) && !(file->vm_mode & VM_FILE_WRITE))
		return -EACCES;
	if (file->mapping && READ_ONCE(file->mapping->append_only) &&
	    (file->vm_mode & VM_FILE_WRITE))
		return -EACCES;
	*vm_flags |= VM_SHARED | VM_MAYSHARE;
	/* What was opened for reading only can never become writable: to the rest of mm it is private. */
	if (!(file->vm_mode & VM_FILE_WRITE))
		*vm_flags &= ~(u64)(VM_MAYWRITE | VM_SHARED);
	return check_private_file(file, vm_flags);
}

/*
 * What is sealed against writing can't be mapped for that, nor for something that mprotect may change.
 * (What is sealed against future writing is the file's own operation's to refuse, later.)
 */
static int check_seals(const struct vm_file *file, u64 *vm_flags)
{
	const struct shmem_info *shmem = file->mapping ? file->mapping->shmem : NULL;

	if (!(*vm_flags & VM_SHARED) || !shmem || !(READ_ONCE(shmem->seals) & F_SEAL_WRITE))
		return 0;
	if (*vm_flags & VM_WRITE)
		return -EPERM;
	*vm_flags &= ~(u64)VM_MAYWRITE;
	return 0;
}

static int check_type(struct vm_file *file, unsigned long prot, unsigned long flags, u64 *vm_flags)
{
	unsigned long type = flags & MAP_TYPE;

	if (file) {
		if (type == MAP_SHARED)
			return check_shared_file(file, prot, vm_flags);
		if (type == MAP_PRIVATE)
			return check_private_file(file, vm_flags);
		/* No file here knows of flags of its own. */
		if (type == MAP_SHARED_VALIDATE)
			return flags & ~LEGACY_MAP_FLAGS ? -EOPNOTSUPP :
							   check_shared_file(file, prot, vm_flags);
		return -EINVAL;
	}
	if (type == MAP_PRIVATE)
		return 0;
	if (type != MAP_SHARED || (*vm_flags & VM_GROWSDOWN))
		return -EINVAL;
	*vm_flags |= VM_SHARED | VM_MAYSHARE;
	return 0;
}

/* Pages of areas in [addr, end): what a fixed mapping replaces instead of adding. */
static unsigned long count_vma_pages_range(struct mm_struct *mm, unsigned long addr,
					   unsigned long end)
{
	struct vm_area_struct *vma = find_vma_intersection(mm, addr, end);
	unsigned long pages = 0;

	for (; vma && vma->vm_start < end; vma = vma->vm_next)
		pages += (min(end, vma->vm_end) - max(addr, vma->vm_start)) >> PAGE_SHIFT;
	return pages;
}

/* Lets a neighbour take the new memory over, where it is of the same kind. */
static bool merge_new(struct mm_struct *mm, const struct vma_place *place,
		      const struct vm_file *file, unsigned long addr, unsigned long len,
		      u64 vm_flags, unsigned long pgoff)
{
	const struct vma_kind kind = { .flags = vm_flags, .file = file, .pgoff = pgoff };

	if (!vma_merge_new(mm, place->prev, addr, addr + len, &kind))
		return false;
	vm_stat_account(mm, vm_flags, (long)(len >> PAGE_SHIFT));
	return true;
}

/*
 * Puts what stands behind it behind an area that nobody knows yet, after prev. 0, or -errno with nothing
 * opened, and nothing mapped that the file's operation had mapped already.
 */
static int set_backing(struct mm_struct *mm, struct vm_area_struct *vma, struct vm_file *file,
		       struct vm_area_struct *prev)
{
	int err;

	if (!file)
		return vma->vm_flags & VM_SHARED ? shmem_zero_setup(vma) : 0;
	file->vm_fops->get(file);
	vma->vm_file = file;
	err = file->vm_fops->mmap(file, vma);
	if (err) {
		unmap_new_area(mm, vma, prev);
		vma->vm_ops = NULL;
	} else if (vma->vm_flags & VM_SPECIAL) {
		vma->vm_flags &= ~(u64)VM_LOCKED_MASK;
	}
	return err;
}

/*
 * Links an area that has all it needs; or lets the one before take over its place, when the file's
 * operation has made them of one kind.
 */
static void link_new(struct mm_struct *mm, struct vm_area_struct *vma,
		     const struct vma_place *place, u64 asked_flags)
{
	const struct vma_kind kind = { .flags = vma->vm_flags,
				       .file = vma->vm_file,
				       .pgoff = vma->vm_pgoff };

	vm_stat_account(mm, vma->vm_flags, (long)vma_pages(vma));
	/* Only now is known who wants to see writes. */
	vma_set_page_prot(vma);
	if (vma->vm_flags != asked_flags && place->prev &&
	    vma_merge(mm, place->prev, NULL, vma->vm_start, vma->vm_end, &kind))
		remove_vma(vma);
	else
		vma_link(mm, vma, place);
}

/*
 * Makes the area once everything was checked: unmaps what is in the way, charges, links. A failure
 * after the unmap leaves the hole, as in Linux.
 */
static unsigned long make_area(struct mm_struct *mm, struct vm_file *file, unsigned long addr,
			       unsigned long len, u64 vm_flags, unsigned long pgoff)
{
	unsigned long pages = len >> PAGE_SHIFT;
	struct vm_area_struct *vma;
	struct vma_place place;
	int err;

	if (!may_expand_vm(mm, vm_flags, pages) &&
	    !may_expand_vm(mm, vm_flags, pages - count_vma_pages_range(mm, addr, addr + len)))
		return -ENOMEM;
	if (find_vma_links(mm, addr, addr + len, &place)) {
		if (do_munmap(mm, addr, len))
			return -ENOMEM;
		err = find_vma_links(mm, addr, addr + len, &place);
		BUG_ON(err);
	}
	if (accountable_mapping(vm_flags)) {
		if (vm_enough_memory(mm, pages))
			return -ENOMEM;
		vm_flags |= VM_ACCOUNT;
	}
	if (merge_new(mm, &place, file, addr, len, vm_flags, pgoff))
		return addr;
	err = -ENOMEM;
	vma = vm_area_alloc(mm, addr, addr + len);
	if (!vma)
		goto unacct;
	vma->vm_flags = vm_flags;
	vma->vm_page_prot = vm_get_page_prot(vm_flags);
	vma->vm_pgoff = pgoff;
	err = set_backing(mm, vma, file, place.prev);
	if (!err) {
		link_new(mm, vma, &place, vm_flags);
		return addr;
	}
	remove_vma(vma);
unacct:
	if (vm_flags & VM_ACCOUNT)
		vm_unacct_memory(pages);
	return err;
}

/* The same; nobody seals the file meanwhile. -EPERM, nothing done, when somebody has. */
static unsigned long mmap_region(struct mm_struct *mm, struct vm_file *file, unsigned long addr,
				 unsigned long len, u64 vm_flags, unsigned long pgoff)
{
	bool counts = file && file->mapping && is_shared_maywrite(vm_flags);
	int err = counts ? mapping_map_writable(file->mapping) : 0;

	if (err)
		return err;
	addr = make_area(mm, file, addr, len, vm_flags, pgoff);
	if (counts)
		mapping_unmap_writable(file->mapping);
	return addr;
}

/* There is no pool of huge pages: which is noticed when what was at the place is gone already. */
static int refuse_huge(struct mm_struct *mm, unsigned long addr, unsigned long len,
		       unsigned long flags)
{
	if (addr & ~PMD_MASK)
		return flags & MAP_FIXED ? -EINVAL : -ENOMEM;
	do_munmap(mm, addr, len);
	return -ENOMEM;
}

unsigned long do_mmap(struct mm_struct *mm, struct vm_file *file, unsigned long addr,
		      unsigned long len, unsigned long prot, unsigned long flags,
		      unsigned long pgoff)
{
	u64 vm_flags;
	int err;

	if (!len)
		return -EINVAL;
	if ((prot & PROT_READ) && task_has_personality(READ_IMPLIES_EXEC) &&
	    !(file && (file->vm_mode & VM_FILE_NOEXEC)))
		prot |= PROT_EXEC;
	if (flags & MAP_FIXED_NOREPLACE)
		flags |= MAP_FIXED;
	if (!(flags & MAP_FIXED))
		addr = round_hint(addr);
	len = ALIGN_UP(len, PAGE_SIZE);
	if (!len)
		return -ENOMEM;
	if (pgoff + (len >> PAGE_SHIFT) < pgoff)
		return -EOVERFLOW;
	if (mm->map_count > sysctl_max_map_count)
		return -ENOMEM;
	addr = get_unmapped_area(mm, file, addr, len, pgoff, flags);
	if (IS_ERR_VALUE(addr))
		return addr;
	if ((flags & MAP_FIXED_NOREPLACE) && find_vma_intersection(mm, addr, addr + len))
		return -EEXIST;

	vm_flags =
		calc_vm_flags(prot, flags) | mm->def_flags | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
	if ((flags & MAP_LOCKED) && !can_do_mlock())
		return -EPERM;
	err = mlock_future_check(mm, vm_flags, len);
	if (err)
		return err;
	if (file && !offsets_fit(file, pgoff, len))
		return -EOVERFLOW;
	err = check_type(file, prot, flags, &vm_flags);
	if (!err && file)
		err = check_seals(file, &vm_flags);
	if (err)
		return err;
	/* Private memory is numbered by its place; a shared object of its own, from 0. */
	if (!file)
		pgoff = vm_flags & VM_SHARED ? 0 : addr >> PAGE_SHIFT;
	if ((flags & MAP_NORESERVE) && sysctl_overcommit_memory != OVERCOMMIT_NEVER)
		vm_flags |= VM_NORESERVE;
	if (flags & MAP_HUGETLB)
		return refuse_huge(mm, addr, len, flags);
	/* Who looks for changes has to take new memory, or memory that got longer, for changed. */
	return mmap_region(mm, file, addr, len, vm_flags | VM_SOFTDIRTY, pgoff);
}

unsigned long vm_mmap(struct vm_file *file, unsigned long addr, unsigned long len,
		      unsigned long prot, unsigned long flags, unsigned long offset)
{
	struct mm_struct *mm = current_mm_task()->mm;
	bool populate = (flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE;

	if (offset & ~PAGE_MASK)
		return -EINVAL;
	mmap_write_lock(mm);
	addr = do_mmap(mm, file, addr, len, prot, flags, offset >> PAGE_SHIFT);
	populate |= (flags & MAP_LOCKED) || (mm->def_flags & VM_LOCKED);
	mmap_write_unlock(mm);
	if (populate && !IS_ERR_VALUE(addr))
		mm_populate(mm, addr, ALIGN_UP(len, PAGE_SIZE));
	return addr;
}
