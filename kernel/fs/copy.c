/* SPDX-License-Identifier: MIT */
#include "kernel/fs/copy.h"

#include "kernel/sched/sched.h"
#include "mm/slab.h"

ssize_t file_copy(struct file *in, loff_t *from, struct file *out, loff_t *to, size_t count)
{
	char *page = kmalloc(PAGE_SIZE, GFP_KERNEL);
	ssize_t done = 0, n = 0;
	loff_t none = 0;

	if (!page)
		return -ENOMEM;
	while ((size_t)done < count && !sched_kill_pending()) {
		size_t step = min(count - (size_t)done, PAGE_SIZE);
		struct io_iter iter;

		n = kernel_read(in, page, step, *from);
		if (n <= 0)
			break;
		step = (size_t)n;
		iter_init_kernel(&iter, page, step);
		n = vfs_write(out, &iter, to ? to : &none);
		if (n <= 0)
			break;
		*from += n;
		done += n;
		if ((size_t)n < step)
			break;
	}
	kfree(page);
	return done ? done : n;
}
