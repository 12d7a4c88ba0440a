/* SPDX-License-Identifier: MIT */
/*
 * /dev/memdemo: a device without a purpose but to show how a driver maps its memory into programs.
 *
 *	offset 0          2 MiB                4 MiB        4 MiB + 4 KiB
 *	       | memory   | memory             | registers |
 *	       mapped at  mapped page by page,   likewise, and only
 *	       once       when it is touched     to be read
 *
 * What stands for the device's memory here is a block of RAM that the driver takes when the device is
 * first opened ("switched on") and gives back after the last close, which is when the last area that maps
 * it has gone, too: an area holds the open file. To mm it is no RAM at all but frame numbers: no page of
 * it is counted, and none is freed because a program unmaps it.
 *
 * Both ways to map are a driver's usual ones:
 *
 *	memdemo_mmap      called by mmap(2) with the new area: checks that what is asked for exists
 *	                  and may be had, then remap_pfn_range() for what lies in the first half
 *	memdemo_fault     called by a page fault at an address of the area that maps nothing yet:
 *	                  vmf_insert_pfn() for that page
 */
#include <arch/uaccess.h>

#include "kernel/abi/memdemo.h"
#include "kernel/base/string.h"
#include "kernel/fs/dev.h"
#include "mm/mapping.h"
#include "mm/page.h"

/* The largest block of the allocator, so it is aligned to 4 MiB, too. */
#define MEMORY_ORDER 10
_Static_assert(PAGE_SIZE << MEMORY_ORDER == MEMDEMO_MEMORY, "the memory is one block");

static struct {
	struct mutex lock; /* of `users`, and held while the device is switched on or off */
	unsigned int users;
	struct page *memory, *regs; /* there while `users` isn't 0 */
} memdemo = { .lock = MUTEX_INIT(memdemo.lock) };

static struct memdemo_regs *registers(void)
{
	return page_address(memdemo.regs);
}

/* Programs look at the counters meanwhile. */
static void count(u64 *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

/* --- on and off ------------------------------------------------------------------------------------- */

static void write_pattern(void)
{
	u64 *word = page_address(memdemo.memory);

	for (unsigned long offset = 0; offset < MEMDEMO_MEMORY; offset += sizeof(*word))
		*word++ = MEMDEMO_PATTERN(offset);
}

/* => lock held */
static int switch_on(void)
{
	memdemo.memory = alloc_pages(GFP_KERNEL, MEMORY_ORDER);
	if (!memdemo.memory)
		return -ENOMEM;
	memdemo.regs = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!memdemo.regs) {
		free_pages(memdemo.memory, MEMORY_ORDER);
		return -ENOMEM;
	}
	write_pattern();
	registers()->magic = MEMDEMO_MAGIC;
	registers()->size = MEMDEMO_SIZE;
	return 0;
}

static void switch_off(void)
{
	free_pages(memdemo.memory, MEMORY_ORDER);
	free_page(memdemo.regs);
}

static int memdemo_open(struct inode *inode, struct file *file)
{
	int err = 0;

	mutex_lock(&memdemo.lock);
	if (!memdemo.users)
		err = switch_on();
	if (!err) {
		memdemo.users++;
		count(&registers()->opens);
	}
	mutex_unlock(&memdemo.lock);
	return err;
}

static void memdemo_release(struct file *file)
{
	mutex_lock(&memdemo.lock);
	if (!--memdemo.users)
		switch_off();
	mutex_unlock(&memdemo.lock);
}

/* --- mmap ----------------------------------------------------------------------------------------------- */

/* The frame of a page of the device. => pgoff lies in it */
static pfn_t frame(unsigned long pgoff)
{
	pfn_t pfn = page_to_pfn(memdemo.memory);

	if (pgoff == MEMDEMO_REGS >> PAGE_SHIFT)
		return page_to_pfn(memdemo.regs);
	pfn.v += pgoff;
	return pfn;
}

/* mmap has checked that the area lies in the device as a whole. */
static unsigned int memdemo_fault(struct vm_fault *vmf)
{
	count(&registers()->faults);
	return vmf_insert_pfn(vmf->vma, vmf->address, frame(vmf->pgoff));
}

static const struct vm_operations_struct memdemo_vm_ops = { .fault = memdemo_fault };

/* Nobody writes registers: neither now, nor after an mprotect(2). */
static int forbid_writing(struct vm_area_struct *vma)
{
	if (vma->vm_flags & VM_WRITE)
		return -EPERM;
	vma->vm_flags &= ~(u64)VM_MAYWRITE;
	return 0;
}

static int memdemo_mmap(struct file *file, struct vm_area_struct *vma)
{
	const unsigned long half = MEMDEMO_HALF >> PAGE_SHIFT, regs = MEMDEMO_REGS >> PAGE_SHIFT;
	const unsigned long first = vma->vm_pgoff, end = first + vma_pages(vma);
	int err = 0;

	/* An offset is any number: the sum may wrap. */
	if (end < first || end > MEMDEMO_SIZE >> PAGE_SHIFT)
		return -EINVAL;
	if (end > regs)
		err = forbid_writing(vma);
	if (err)
		return err;
	/*
	 * A private area's copies are made of what is mapped already, so all of it must be. (An area that
	 * can't be written holds no copies.)
	 */
	if (end > half && is_cow_mapping(vma->vm_flags))
		return -EINVAL;
	vma->vm_ops = &memdemo_vm_ops;
	vma->vm_flags |= VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;
	if (first < half)
		err = remap_pfn_range(vma, vma->vm_start, frame(first),
				      (min(end, half) - first) << PAGE_SHIFT, vma->vm_page_prot);
	if (!err)
		count(&registers()->maps);
	return err;
}

/*
 * Where the memory lies in a program agrees with where it lies in the device, modulo 2 MiB, if there is
 * enough of it: so that one entry of the level above could map what takes 512 here.
 */
static unsigned long memdemo_get_unmapped_area(struct file *file, unsigned long addr,
					       unsigned long len, unsigned long pgoff,
					       unsigned long flags)
{
	return get_unmapped_area_aligned(addr, len, pgoff, flags, PMD_SIZE);
}

/* --- read, write, seek, ioctl ------------------------------------------------------------------------- */

/* How many of `count` bytes from pos on lie in [0, end). */
static size_t bytes_before(u64 end, loff_t pos, size_t count)
{
	return (u64)pos < end ? min(count, (size_t)(end - (u64)pos)) : 0;
}

/* From the registers on it is another page. */
static ssize_t memdemo_read(struct file *file, struct io_iter *to, loff_t *pos)
{
	ssize_t done = 0;
	size_t n, got;

	while ((n = bytes_before(MEMDEMO_SIZE, *pos, to->count))) {
		const char *from = (char *)page_address(memdemo.memory) + *pos;

		if (*pos >= MEMDEMO_REGS)
			from = (char *)page_address(memdemo.regs) + (*pos - MEMDEMO_REGS);
		else
			n = bytes_before(MEMDEMO_REGS, *pos, n);
		got = copy_to_iter(from, n, to);
		*pos += (loff_t)got;
		done += (ssize_t)got;
		if (got < n)
			return done ? done : -EFAULT;
	}
	return done;
}

static ssize_t memdemo_write(struct file *file, struct io_iter *from, loff_t *pos)
{
	size_t n = bytes_before(MEMDEMO_MEMORY, *pos, from->count), got;

	if (!from->count)
		return 0;
	if (!n)
		return *pos < MEMDEMO_SIZE ? -EPERM : -ENOSPC;
	got = copy_from_iter((char *)page_address(memdemo.memory) + *pos, n, from);
	*pos += (loff_t)got;
	return got ? (ssize_t)got : -EFAULT;
}

static loff_t memdemo_llseek(struct file *file, loff_t offset, int whence)
{
	if (whence > SEEK_END)
		return -EINVAL;
	return generic_llseek(file, offset, whence, MEMDEMO_SIZE, MEMDEMO_SIZE);
}

static long memdemo_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case MEMDEMO_GET_SIZE:
		return put_user((u64)MEMDEMO_SIZE, (u64 __user *)arg);
	case MEMDEMO_RESET:
		if (!(file->f_mode & FMODE_WRITE))
			return -EBADF;
		write_pattern();
		return 0;
	}
	return -ENOTTY;
}

const struct file_operations memdemo_fops = {
	.llseek = memdemo_llseek,
	.read_iter = memdemo_read,
	.write_iter = memdemo_write,
	.ioctl = memdemo_ioctl,
	.mmap = memdemo_mmap,
	.get_unmapped_area = memdemo_get_unmapped_area,
	.open = memdemo_open,
	.release = memdemo_release,
};
