/* SPDX-License-Identifier: MIT */
#include "kernel/fs/iter.h"

#include <arch/uaccess.h>

#include "kernel/base/string.h"

enum direction {
	TO_ITER,
	FROM_ITER,
	ZERO_ITER,
};

/* Moves n bytes between buf and one place of user memory; returns those that could not be. */
static size_t move_user(enum direction dir, void __user *user, void *buf, size_t n)
{
	switch (dir) {
	case TO_ITER:
		return copy_to_user(user, buf, n);
	case FROM_ITER:
		return copy_from_user(buf, user, n);
	default:
		return clear_user(user, n);
	}
}

static void move_kernel(enum direction dir, char *kernel, void *buf, size_t n)
{
	if (dir == TO_ITER)
		memcpy(kernel, buf, n);
	else if (dir == FROM_ITER)
		memcpy(buf, kernel, n);
	else
		memset(kernel, 0, n);
}

static size_t iter_move(enum direction dir, char *buf, size_t n, struct io_iter *it)
{
	size_t done = 0;

	n = min(n, it->count);
	/* Of nothing, buf may be NULL. */
	if (!n)
		return 0;
	if (!it->iov) {
		move_kernel(dir, it->kernel, buf, n);
		it->kernel += n;
		it->count -= n;
		return n;
	}
	while (done < n) {
		size_t step = min(n - done, (size_t)it->iov->iov_len - it->skip);
		size_t left;

		if (!step) {
			it->iov++;
			it->skip = 0;
			continue;
		}
		left = move_user(dir, user_at(it->iov->iov_base, it->skip), buf ? buf + done : NULL,
				 step);
		step -= left;
		it->skip += step;
		it->count -= step;
		done += step;
		if (left)
			break;
	}
	return done;
}

size_t copy_to_iter(const void *from, size_t n, struct io_iter *to)
{
	return iter_move(TO_ITER, (char *)from, n, to);
}

size_t copy_from_iter(void *to, size_t n, struct io_iter *from)
{
	return iter_move(FROM_ITER, to, n, from);
}

/* Bytes from `user` on that could be read, of len. */
static size_t fault_in_readable(const char __user *user, size_t len)
{
	size_t done = 0;
	char c;

	while (done < len && copy_from_user(&c, user_at(user, done), 1) == 0)
		done = min(len,
			   done + PAGE_SIZE - ((unsigned long)user_at(user, done) & ~PAGE_MASK));
	return done;
}

bool iter_fault_in_readable(const struct io_iter *from, size_t n)
{
	struct io_iter it = *from;
	size_t done = 0;

	n = min(n, it.count);
	if (!it.iov)
		return true;
	while (done < n) {
		size_t step = min(n - done, iter_single_seg_count(&it));
		size_t had = fault_in_readable(user_at(it.iov->iov_base, it.skip), step);

		done += had;
		if (had < step)
			break;
		it.skip += step;
		it.count -= step;
	}
	return done || !n;
}

size_t zero_iter(size_t n, struct io_iter *to)
{
	return iter_move(ZERO_ITER, NULL, n, to);
}
