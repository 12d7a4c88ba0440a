/* SPDX-License-Identifier: MIT */
/*
 * Where the bytes of a read go or those of a write come from: one or several buffers of a program,
 * or memory of the kernel. File systems copy through it and need not know which.
 */
#ifndef KERNEL_FS_ITER_H
#define KERNEL_FS_ITER_H

#include "kernel/abi/uio.h"
#include "kernel/base/compiler.h"

struct io_iter {
	const struct iovec *iov; /* user memory; NULL for kernel memory */
	size_t skip;		 /* bytes of *iov already done */
	char *kernel;
	size_t count; /* bytes left in all */
};

/* The segments must stay in place, and have at least `count` bytes together. */
static inline void iter_init_user(struct io_iter *it, const struct iovec *iov, size_t count)
{
	*it = (struct io_iter){ .iov = iov, .count = count };
}

static inline void iter_init_kernel(struct io_iter *it, void *buf, size_t count)
{
	*it = (struct io_iter){ .kernel = buf, .count = count };
}

/* What is left of the buffer that the next byte is in: no more than iter->count. */
static inline size_t iter_single_seg_count(struct io_iter *it)
{
	if (!it->iov)
		return it->count;
	while (it->count && it->skip == it->iov->iov_len) {
		it->iov++;
		it->skip = 0;
	}
	return min((size_t)it->iov->iov_len - it->skip, it->count);
}

/*
 * Each moves at most n bytes, no more than iter->count, and advances the iterator. Returns the
 * bytes moved: fewer than min(n, iter->count) only where user memory could not be reached.
 * => no spinlock held, may sleep; mmap_lock of the current program not held.
 */
size_t copy_to_iter(const void *from, size_t n, struct io_iter *to) __must_check;
size_t copy_from_iter(void *to, size_t n, struct io_iter *from) __must_check;
size_t zero_iter(size_t n, struct io_iter *to) __must_check;
/*
 * Reads a byte of each page that the next n bytes are in, up to the first that can't be had: before a
 * page of the file is made for them, as on Linux. Whether there is anything to copy. => as above
 */
bool iter_fault_in_readable(const struct io_iter *from, size_t n) __must_check;

#endif
