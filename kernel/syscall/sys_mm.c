/* SPDX-License-Identifier: MIT */
/* The memory calls: descriptors resolved, the rest is mm's. */
#include "kernel/abi/mman.h"
#include "kernel/process/current.h"
#include "kernel/syscall/sys.h"
#include "mm/calls.h"

/* The size that MAP_HUGETLB asks for, in bytes; 0 when there is no such size. */
static unsigned long huge_size(unsigned long flags)
{
	unsigned int shift = (flags >> MAP_HUGE_SHIFT) & MAP_HUGE_MASK;

	if (shift == 0 || shift == PMD_SHIFT)
		return PMD_SIZE;
	return shift == PUD_SHIFT ? PUD_SIZE : 0;
}

long sys_mmap(unsigned long addr, unsigned long len, unsigned long prot, unsigned long flags,
	      unsigned long fd, unsigned long offset)
{
	struct file *file = NULL;
	long ret = -EINVAL;

	if (offset & ~PAGE_MASK)
		return -EINVAL;
	if (!(flags & MAP_ANONYMOUS)) {
		file = fget(current_files(), (unsigned int)fd);
		if (!file)
			return -EBADF;
		/* Huge pages only where the file has them; none has. */
		if (flags & MAP_HUGETLB)
			goto out;
	} else if (flags & MAP_HUGETLB) {
		unsigned long size = huge_size(flags);

		if (!size)
			goto out;
		len = ALIGN_UP(len, size);
	}
	ret = (long)vm_mmap(file ? &file->vm_file : NULL, addr, len, prot, flags, offset);
out:
	if (file)
		fput(file);
	return ret;
}

long sys_munmap(unsigned long addr, unsigned long len)
{
	return vm_munmap(addr, len);
}

long sys_mprotect(unsigned long addr, unsigned long len, unsigned long prot)
{
	return vm_mprotect(addr, len, prot);
}

long sys_brk(unsigned long brk)
{
	return (long)vm_brk(brk);
}

long sys_mremap(unsigned long addr, unsigned long old_len, unsigned long new_len,
		unsigned long flags, unsigned long new_addr)
{
	return (long)vm_mremap(addr, old_len, new_len, flags, new_addr);
}

long sys_msync(unsigned long start, unsigned long len, int flags)
{
	return vm_msync(start, len, flags);
}

long sys_remap_file_pages(unsigned long start, unsigned long size, unsigned long prot,
			  unsigned long pgoff, unsigned long flags)
{
	return vm_remap_file_pages(start, size, prot, pgoff, flags);
}

long sys_mincore(unsigned long start, unsigned long len, u8 __user *vec)
{
	return vm_mincore(start, len, vec);
}

long sys_madvise(unsigned long start, unsigned long len, int advice)
{
	return vm_madvise(start, len, advice);
}

long sys_mlock(unsigned long start, unsigned long len)
{
	return vm_mlock(start, len, 0);
}

long sys_mlock2(unsigned long start, unsigned long len, int flags)
{
	return vm_mlock(start, len, flags);
}

long sys_munlock(unsigned long start, unsigned long len)
{
	return vm_munlock(start, len);
}

long sys_mlockall(int flags)
{
	return vm_mlockall(flags);
}

long sys_munlockall(void)
{
	return vm_munlockall();
}
