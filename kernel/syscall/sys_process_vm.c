/* SPDX-License-Identifier: MIT */
/*
 * process_vm_readv(2) and process_vm_writev(2): from one program's memory to another's, through nothing.
 * The other's pages are pinned, a few at a time, and then copied from or to as with readv(2). No lock is
 * held meanwhile: the caller's own memory may fault, and it may be the same address space.
 */
#include "kernel/process/ptrace.h"
#include "kernel/syscall/sys_file.h"
#include "mm/calls.h"
#include "mm/gup.h"
#include "mm/page.h"

/* How many pages are pinned at a time. */
#define PVM_PAGES 16

/* `len` bytes that begin at `offset` in the first page. 0, or -EFAULT where the caller's memory ends. */
static int rw_pages(struct page **pages, unsigned long offset, size_t len, struct io_iter *iter,
		    bool write)
{
	for (; len && iter->count; pages++) {
		size_t n = min(min(PAGE_SIZE - offset, len), iter->count);
		char *mem = (char *)page_address(*pages) + offset;

		if ((write ? copy_from_iter(mem, n, iter) : copy_to_iter(mem, n, iter)) < n)
			return -EFAULT;
		len -= n;
		offset = 0;
	}
	return 0;
}

/* One segment of the other's memory. */
static int rw_single_vec(struct mm_struct *mm, unsigned long addr, size_t len, struct io_iter *iter,
			 bool write)
{
	unsigned long offset = addr & ~PAGE_MASK, start = addr & PAGE_MASK;
	unsigned long nr = (addr + len - 1) / PAGE_SIZE - addr / PAGE_SIZE + 1;
	struct page *pages[PVM_PAGES];
	int err = 0;

	while (len && nr && iter->count && !err) {
		long got = pin_user_pages_unlocked(mm, start, min(nr, (unsigned long)PVM_PAGES),
						   write ? FOLL_WRITE : 0, pages);
		size_t n;

		if (got <= 0)
			return -EFAULT;
		n = min((size_t)got * PAGE_SIZE - offset, len);
		err = rw_pages(pages, offset, n, iter, write);
		unpin_user_pages(pages, (unsigned long)got, write);
		len -= n;
		offset = 0;
		nr -= (unsigned long)got;
		start += (unsigned long)got * PAGE_SIZE;
	}
	return err;
}

/* Bytes moved; an error only when there are none. */
static ssize_t rw_vectors(int pid, struct io_iter *iter, const struct iovec *remote,
			  unsigned long nr, bool write)
{
	const size_t total = iter->count;
	struct mm_struct *mm;
	bool any = false;
	int err = 0;

	for (unsigned long i = 0; i < nr; i++)
		any |= remote[i].iov_len != 0;
	if (!any)
		return 0;
	mm = mm_access(pid, PTRACE_REALCREDS);
	if (IS_ERR(mm))
		return PTR_ERR(mm);
	for (unsigned long i = 0; i < nr && iter->count && !err; i++)
		if (remote[i].iov_len)
			err = rw_single_vec(mm, (unsigned long)remote[i].iov_base,
					    remote[i].iov_len, iter, write);
	mmput(mm);
	return total > iter->count ? (ssize_t)(total - iter->count) : err;
}

static long process_vm_rw(int pid, const struct iovec __user *lvec, unsigned long liovcnt,
			  const struct iovec __user *rvec, unsigned long riovcnt,
			  unsigned long flags, bool write)
{
	struct iovec lfew[IOV_ON_STACK], rfew[IOV_ON_STACK], *local, *remote;
	struct io_iter iter;
	ssize_t ret;

	if (flags)
		return -EINVAL;
	local = iovec_from_user(lvec, liovcnt, lfew);
	if (IS_ERR(local))
		return PTR_ERR(local);
	ret = iovec_total(local, liovcnt);
	if (ret > 0) {
		iter_init_user(&iter, local, (size_t)ret);
		remote = iovec_from_user(rvec, riovcnt, rfew);
		if (IS_ERR(remote)) {
			ret = PTR_ERR(remote);
		} else {
			ret = rw_vectors(pid, &iter, remote, riovcnt, write);
			iovec_free(remote, rfew);
		}
	}
	iovec_free(local, lfew);
	return ret;
}

long sys_process_vm_readv(int pid, const struct iovec __user *lvec, unsigned long liovcnt,
			  const struct iovec __user *rvec, unsigned long riovcnt,
			  unsigned long flags)
{
	return process_vm_rw(pid, lvec, liovcnt, rvec, riovcnt, flags, false);
}

long sys_process_vm_writev(int pid, const struct iovec __user *lvec, unsigned long liovcnt,
			   const struct iovec __user *rvec, unsigned long riovcnt,
			   unsigned long flags)
{
	return process_vm_rw(pid, lvec, liovcnt, rvec, riovcnt, flags, true);
}
