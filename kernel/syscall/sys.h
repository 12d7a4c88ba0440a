/* SPDX-License-Identifier: MIT */
/* Every sys_ function of table.h that this layer defines; the table calls them by their ABI. */
#ifndef KERNEL_SYSCALL_SYS_H
#define KERNEL_SYSCALL_SYS_H

#include "kernel/abi/process.h"
#include "kernel/abi/signal.h"
#include "kernel/abi/time.h"
#include "kernel/base/compiler.h"
#include "kernel/base/errno.h"

long sys_mmap(unsigned long addr, unsigned long len, unsigned long prot, unsigned long flags,
	      unsigned long fd, unsigned long offset);
long sys_munmap(unsigned long addr, unsigned long len);
long sys_mprotect(unsigned long addr, unsigned long len, unsigned long prot);
long sys_brk(unsigned long brk);
long sys_mremap(unsigned long addr, unsigned long old_len, unsigned long new_len,
		unsigned long flags, unsigned long new_addr);
long sys_msync(unsigned long start, unsigned long len, int flags);
long sys_remap_file_pages(unsigned long start, unsigned long size, unsigned long prot,
			  unsigned long pgoff, unsigned long flags);
long sys_mincore(unsigned long start, unsigned long len, u8 __user *vec);
long sys_madvise(unsigned long start, unsigned long len, int advice);
long sys_mlock(unsigned long start, unsigned long len);
long sys_mlock2(unsigned long start, unsigned long len, int flags);
long sys_munlock(unsigned long start, unsigned long len);
long sys_mlockall(int flags);
long sys_munlockall(void);

long sys_shmget(int key, unsigned long size, int flags);
long sys_shmat(int id, unsigned long addr, int flags);
long sys_shmdt(unsigned long addr);
long sys_shmctl(int id, int cmd, void __user *buf);

#endif
