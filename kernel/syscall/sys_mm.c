/* SPDX-License-Identifier: MIT */
/* The memory calls: descriptors resolved, the rest is mm's. */
#include "kernel/abi/mman.h"
#include "kernel/process/current.h"
#include "kernel/syscall/sys.h"
#include "mm/calls.h"

long sys_mmap(unsigned long addr, unsigned long len, unsigned long prot, unsigned long flags,
	      unsigned long fd, unsigned long offset)
{
	struct file *file = NULL;
	long ret;

	if (offset & ~PAGE_MASK)
		return -EINVAL;
	if (!(flags & MAP_ANONYMOUS)) {
		file = fget(current_files(), (unsigned int)fd);
		if (!file)
			return -EBADF;
	}
	/* Huge pages: no pool of them, so what would come from it can't. Of a file that has none: EINVAL. */
	if (flags & MAP_HUGETLB)
		ret = file ? -EINVAL : -ENOMEM;
	else
		ret = (long)vm_mmap(file ? &file->vm_file : NULL, addr, len, prot, flags, offset);
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
