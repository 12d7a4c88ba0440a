/* SPDX-License-Identifier: MIT */
/*
 * Descriptor tables.
 *
 * files->lock, a spinlock, protects the arrays and what they hold. Nothing is allocated or closed
 * under it: a table grows by allocating first and copying under the lock, and a file that was
 * taken out is put after it.
 */
#include "kernel/base/string.h"
#include "kernel/fs/fdtable.h"
#include "kernel/fs/locks.h"
#include "kernel/fs/namei.h"
#include "mm/slab.h"
#include "mm/vmalloc.h"

#define BITS_PER_LONG 64

static struct kmem_cache *files_cache;

void files_cache_init(void)
{
	files_cache = kmem_cache_create("files_cache", sizeof(struct files_struct), 0);
}

static bool test_bit(const unsigned long *map, unsigned int nr)
{
	return map[nr / BITS_PER_LONG] & BIT(nr % BITS_PER_LONG);
}

static void assign_bit(unsigned long *map, unsigned int nr, bool value)
{
	if (value)
		map[nr / BITS_PER_LONG] |= BIT(nr % BITS_PER_LONG);
	else
		map[nr / BITS_PER_LONG] &= ~BIT(nr % BITS_PER_LONG);
}

/* The first bit from `start` on that is `value`; `size` when there is none. */
static unsigned int next_bit(const unsigned long *map, unsigned int size, unsigned int start,
			     bool value)
{
	unsigned long flip = value ? 0 : ~0UL;

	while (start < size) {
		unsigned long word = (map[start / BITS_PER_LONG] ^ flip) >> (start % BITS_PER_LONG);

		if (word)
			return min(start + (unsigned int)__builtin_ctzl(word), size);
		start = ALIGN_DOWN(start, BITS_PER_LONG) + BITS_PER_LONG;
	}
	return size;
}

/* --- the arrays ---------------------------------------------------------------------------- */

/* One block: the pointers, then both bitmaps. */
static void *arrays_alloc(unsigned int max_fds)
{
	size_t size = max_fds * sizeof(struct file *) + 2 * max_fds / 8;
	void *block = size <= PAGE_SIZE ? kmalloc(size, GFP_KERNEL) : vmalloc(size);

	if (block)
		memset(block, 0, size);
	return block;
}

static void arrays_free(void *block, unsigned int max_fds)
{
	size_t size = max_fds * sizeof(struct file *) + 2 * max_fds / 8;

	if (size <= PAGE_SIZE)
		kfree(block);
	else
		vfree(block);
}

static void arrays_set(struct files_struct *files, void *block, unsigned int max_fds)
{
	files->fd = block;
	files->open_fds = (unsigned long *)(files->fd + max_fds);
	files->close_on_exec = files->open_fds + max_fds / BITS_PER_LONG;
	files->max_fds = max_fds;
}

static void arrays_set_inline(struct files_struct *files)
{
	files->fd = files->fd_inline;
	files->open_fds = &files->bits_inline[0];
	files->close_on_exec = &files->bits_inline[1];
	files->max_fds = NR_OPEN_INLINE;
}

/* Copies what `from` holds into the larger (or equal), empty arrays of `to`. */
static void arrays_copy(struct files_struct *to, const struct files_struct *from)
{
	unsigned int nr = min(from->max_fds, to->max_fds);

	memcpy(to->fd, from->fd, nr * sizeof(struct file *));
	memcpy(to->open_fds, from->open_fds, nr / 8);
	memcpy(to->close_on_exec, from->close_on_exec, nr / 8);
}

/* Room for `fd`. 0, -EMFILE or -ENOMEM. => no lock held */
static int files_grow(struct files_struct *files, unsigned int fd)
{
	struct files_struct old;
	unsigned int max_fds = NR_OPEN_INLINE;
	void *block;

	if (fd >= NR_OPEN_MAX)
		return -EMFILE;
	while (max_fds <= fd)
		max_fds *= 2;
	block = arrays_alloc(max_fds);
	if (!block)
		return -ENOMEM;
	spin_lock(&files->lock);
	if (files->max_fds >= max_fds) { /* another thread was faster */
		spin_unlock(&files->lock);
		arrays_free(block, max_fds);
		return 0;
	}
	old.fd = files->fd;
	old.open_fds = files->open_fds;
	old.close_on_exec = files->close_on_exec;
	old.max_fds = files->max_fds;
	arrays_set(files, block, max_fds);
	arrays_copy(files, &old);
	spin_unlock(&files->lock);
	if (old.fd != files->fd_inline)
		arrays_free(old.fd, old.max_fds);
	return 0;
}

/* --- tables -------------------------------------------------------------------------------- */

/* A descriptor is gone from the table: drops its file. */
static void filp_close(const struct files_struct *files, struct file *file)
{
	locks_remove_posix(file, files);
	fput(file);
}

struct files_struct *files_alloc(void)
{
	struct files_struct *files = kmem_cache_zalloc(files_cache, GFP_KERNEL);

	if (!files)
		return NULL;
	atomic_set(&files->count, 1);
	spin_lock_init(&files->lock);
	arrays_set_inline(files);
	return files;
}

struct files_struct *files_dup(struct files_struct *old)
{
	struct files_struct *new = files_alloc();

	if (!new)
		return NULL;
	for (;;) {
		unsigned int need = READ_ONCE(old->max_fds);

		if (need > new->max_fds && files_grow(new, need - 1)) {
			files_put(new);
			return NULL;
		}
		spin_lock(&old->lock);
		if (old->max_fds <= new->max_fds)
			break;
		spin_unlock(&old->lock); /* it grew meanwhile */
	}
	arrays_copy(new, old);
	for (unsigned int fd = 0; fd < old->max_fds; fd++) {
		if (new->fd[fd])
			get_file(new->fd[fd]);
		else
			assign_bit(new->open_fds, fd, false); /* taken, but not yet open */
	}
	spin_unlock(&old->lock);
	return new;
}

void files_put(struct files_struct *files)
{
	if (!files || !atomic_dec_and_test(&files->count))
		return;
	for (unsigned int fd = 0; fd < files->max_fds; fd++)
		if (files->fd[fd])
			filp_close(files, files->fd[fd]);
	if (files->fd != files->fd_inline)
		arrays_free(files->fd, files->max_fds);
	kmem_cache_free(files_cache, files);
}

/* --- numbers ------------------------------------------------------------------------------- */

int alloc_fd(struct files_struct *files, unsigned int start, unsigned long limit, bool cloexec)
{
	unsigned int fd;
	int err;

	if (start >= limit)
		return start ? -EINVAL : -EMFILE;
	for (;;) {
		spin_lock(&files->lock);
		fd = next_bit(files->open_fds, files->max_fds, max(start, files->next_fd), false);
		fd = max(fd, start);
		if (fd >= limit) {
			spin_unlock(&files->lock);
			return -EMFILE;
		}
		if (fd < files->max_fds)
			break;
		spin_unlock(&files->lock);
		err = files_grow(files, fd);
		if (err)
			return err;
	}
	assign_bit(files->open_fds, fd, true);
	assign_bit(files->close_on_exec, fd, cloexec);
	if (start <= files->next_fd)
		files->next_fd = fd + 1;
	spin_unlock(&files->lock);
	return (int)fd;
}

/* => files->lock */
static void release_number(struct files_struct *files, unsigned int fd)
{
	assign_bit(files->open_fds, fd, false);
	assign_bit(files->close_on_exec, fd, false);
	files->next_fd = min(files->next_fd, fd);
}

void put_unused_fd(struct files_struct *files, unsigned int fd)
{
	spin_lock(&files->lock);
	release_number(files, fd);
	spin_unlock(&files->lock);
}

void fd_install(struct files_struct *files, unsigned int fd, struct file *file)
{
	spin_lock(&files->lock);
	DEBUG_ON(files->fd[fd] || !test_bit(files->open_fds, fd));
	files->fd[fd] = file;
	spin_unlock(&files->lock);
}

struct file *fget_raw(struct files_struct *files, unsigned int fd)
{
	struct file *file = NULL;

	spin_lock(&files->lock);
	if (fd < files->max_fds)
		file = files->fd[fd];
	if (file)
		get_file(file);
	spin_unlock(&files->lock);
	return file;
}

struct file *fget(struct files_struct *files, unsigned int fd)
{
	struct file *file = fget_raw(files, fd);

	if (file && (file->f_mode & FMODE_PATH)) {
		fput(file);
		return NULL;
	}
	return file;
}

int fd_close(struct files_struct *files, unsigned int fd)
{
	struct file *file = NULL;

	spin_lock(&files->lock);
	if (fd < files->max_fds)
		file = files->fd[fd];
	if (file) {
		files->fd[fd] = NULL;
		release_number(files, fd);
	}
	spin_unlock(&files->lock);
	if (!file)
		return -EBADF;
	filp_close(files, file);
	return 0;
}

int fd_dup(struct files_struct *files, unsigned int fd, unsigned int start, unsigned long limit,
	   bool cloexec)
{
	struct file *file = fget_raw(files, fd);
	int new;

	if (!file)
		return -EBADF;
	new = alloc_fd(files, start, limit, cloexec);
	if (new < 0)
		fput(file);
	else
		fd_install(files, (unsigned int)new, file);
	return new;
}

int fd_dup_to(struct files_struct *files, unsigned int fd, unsigned int to, unsigned long limit,
	      bool cloexec)
{
	struct file *file, *old;
	int err = -EBADF;

	if (to >= limit)
		return -EBADF;
	if (to >= READ_ONCE(files->max_fds)) {
		err = files_grow(files, to);
		if (err)
			return err;
	}
	spin_lock(&files->lock);
	file = fd < files->max_fds ? files->fd[fd] : NULL;
	old = files->fd[to];
	if (!file)
		err = -EBADF;
	else if (!old && test_bit(files->open_fds, to))
		err = -EBUSY; /* another thread is opening it */
	else
		err = 0;
	if (!err) {
		files->fd[to] = get_file(file);
		assign_bit(files->open_fds, to, true);
		assign_bit(files->close_on_exec, to, cloexec);
	}
	spin_unlock(&files->lock);
	if (err)
		return err;
	if (old)
		filp_close(files, old);
	return (int)to;
}

int fd_get_cloexec(struct files_struct *files, unsigned int fd)
{
	int ret = -EBADF;

	spin_lock(&files->lock);
	if (fd < files->max_fds && files->fd[fd])
		ret = test_bit(files->close_on_exec, fd) ? FD_CLOEXEC : 0;
	spin_unlock(&files->lock);
	return ret;
}

int fd_set_cloexec(struct files_struct *files, unsigned int fd, bool cloexec)
{
	int ret = -EBADF;

	spin_lock(&files->lock);
	if (fd < files->max_fds && files->fd[fd]) {
		assign_bit(files->close_on_exec, fd, cloexec);
		ret = 0;
	}
	spin_unlock(&files->lock);
	return ret;
}

/* Takes out the file of the lowest open number from *fd to `last`; NULL when there is none. */
static struct file *take_next(struct files_struct *files, unsigned int *fd, unsigned int last)
{
	struct file *file = NULL;

	spin_lock(&files->lock);
	for (; *fd <= last && *fd < files->max_fds && !file; (*fd)++) {
		file = files->fd[*fd];
		if (file) {
			files->fd[*fd] = NULL;
			release_number(files, *fd);
		}
	}
	spin_unlock(&files->lock);
	return file;
}

void fd_close_range(struct files_struct *files, unsigned int first, unsigned int last)
{
	struct file *file;

	while ((file = take_next(files, &first, last)))
		filp_close(files, file);
}

void fd_cloexec_range(struct files_struct *files, unsigned int first, unsigned int last)
{
	spin_lock(&files->lock);
	for (unsigned int fd = first; fd <= last && fd < files->max_fds; fd++)
		if (files->fd[fd])
			assign_bit(files->close_on_exec, fd, true);
	spin_unlock(&files->lock);
}

bool fd_is(struct files_struct *files, unsigned int fd, const struct file *file)
{
	bool same;

	spin_lock(&files->lock);
	same = fd < files->max_fds && files->fd[fd] == file;
	spin_unlock(&files->lock);
	return same;
}

int fd_next_open(struct files_struct *files, unsigned int fd)
{
	int ret = -1;

	spin_lock(&files->lock);
	for (; fd < files->max_fds && !files->fd[fd]; fd++)
		;
	if (fd < files->max_fds)
		ret = (int)fd;
	spin_unlock(&files->lock);
	return ret;
}

void files_close_on_exec(struct files_struct *files)
{
	unsigned int fd = 0;

	/* Others may look at the table, in /proc, but nobody else changes it. */
	while ((fd = next_bit(files->close_on_exec, files->max_fds, fd, true)) < files->max_fds) {
		fd_close(files, fd);
		fd++;
	}
}

int files_install_console(struct files_struct *files)
{
	struct file *file = filp_open(kernel_fs_context(), "/dev/console", O_RDWR, 0);

	if (IS_ERR(file))
		return (int)PTR_ERR(file);
	for (unsigned int fd = 0; fd < 3; fd++) {
		int got = alloc_fd(files, fd, 3, false);

		BUG_ON(got != (int)fd); /* the inline arrays have room */
		fd_install(files, fd, get_file(file));
	}
	fput(file);
	return 0;
}
