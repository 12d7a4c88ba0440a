/* SPDX-License-Identifier: MIT */
/*
 * Pipes. pipe->mutex protects all of a pipe but `files`, which says how many openings keep it and
 * is protected, with inode->i_pipe, by pipe_list_lock. Who waits lets go of the mutex.
 */
#include "kernel/fs/pipe.h"

#include <arch/uaccess.h>

#include "kernel/abi/ioctl.h"
#include "kernel/base/panic.h"
#include "kernel/fs/poll.h"
#include "mm/page.h"
#include "mm/slab.h"

struct pipe_slot {
	struct page *page;
	u32 offset, len;
	bool packet; /* O_DIRECT: one read takes it whole, and nothing joins it */
};

struct pipe_inode_info {
	struct mutex mutex;
	unsigned int files;
	unsigned int readers, writers;
	/* Count openings, for who waits for one: it may have come and gone meanwhile. */
	unsigned int r_counter, w_counter;
	unsigned int tail, head; /* counts of slots; modulo nr_slots they are places */
	unsigned int nr_slots;	 /* a power of two */
	struct pipe_slot *slots;
	struct page *spare; /* the last page emptied: the next write needs one */
	void *user;	    /* charged with nr_slots pages */
	struct wait_queue_head rd_wait, wr_wait;
};

const struct pipe_task_ops *pipe_tasks;

static spinlock_t pipe_list_lock = SPINLOCK_INIT;
static struct super_block *pipe_sb;

/* --- the ring; => pipe->mutex, but for a glance -------------------------------------------- */

static bool pipe_empty(const struct pipe_inode_info *pipe)
{
	return READ_ONCE(pipe->head) == READ_ONCE(pipe->tail);
}

static bool pipe_full(const struct pipe_inode_info *pipe)
{
	return READ_ONCE(pipe->head) - READ_ONCE(pipe->tail) >= READ_ONCE(pipe->nr_slots);
}

static struct pipe_slot *slot_at(const struct pipe_inode_info *pipe, unsigned int pos)
{
	return &pipe->slots[pos & (pipe->nr_slots - 1)];
}

static char *slot_data(const struct pipe_slot *slot)
{
	return (char *)page_address(slot->page) + slot->offset;
}

static void release_slot(struct pipe_inode_info *pipe)
{
	struct page *page = slot_at(pipe, pipe->tail)->page;

	if (pipe->spare)
		free_page(page);
	else
		pipe->spare = page;
	WRITE_ONCE(pipe->tail, pipe->tail + 1);
}

/* --- reading ------------------------------------------------------------------------------- */

/* Takes from the oldest slot. The bytes, or -EFAULT: then nothing was taken. */
static ssize_t read_slot(struct pipe_inode_info *pipe, struct io_iter *to)
{
	struct pipe_slot *slot = slot_at(pipe, pipe->tail);
	size_t n = min((size_t)slot->len, to->count);

	if (copy_to_iter(slot_data(slot), n, to) < n)
		return -EFAULT;
	slot->offset += (u32)n;
	slot->len -= (u32)n;
	if (slot->packet)
		to->count = slot->len = 0;
	if (!slot->len)
		release_slot(pipe);
	return (ssize_t)n;
}

static bool can_read(const struct pipe_inode_info *pipe)
{
	return !pipe_empty(pipe) || !READ_ONCE(pipe->writers);
}

/* Waits for data, or the end. 0, -EAGAIN, -ERESTARTSYS. => and <= pipe->mutex */
static int wait_readable(struct pipe_inode_info *pipe, const struct file *file)
{
	int err;

	if (file->f_flags & O_NONBLOCK)
		return -EAGAIN;
	mutex_unlock(&pipe->mutex);
	err = wait_event_interruptible(pipe->rd_wait, can_read(pipe));
	mutex_lock(&pipe->mutex);
	return err;
}

static ssize_t pipe_read(struct file *file, struct io_iter *to, loff_t *pos)
{
	struct pipe_inode_info *pipe = file->private_data;
	ssize_t done = 0, n = 0;

	if (!to->count)
		return 0;
	mutex_lock(&pipe->mutex);
	while (to->count) {
		if (!pipe_empty(pipe)) {
			n = read_slot(pipe, to);
			if (n < 0)
				break;
			done += n;
			continue;
		}
		if (done || !pipe->writers)
			break;
		n = wait_readable(pipe, file);
		if (n)
			break;
	}
	mutex_unlock(&pipe->mutex);
	if (done) {
		wake_up(&pipe->wr_wait);
		touch_atime(file->f_inode);
		return done;
	}
	return min(n, (ssize_t)0);
}

/* --- writing ------------------------------------------------------------------------------- */

/*
 * Puts what is left of the length beyond whole pages into the newest slot, if it has room for all
 * of that. The bytes, 0, or -EFAULT.
 */
static ssize_t append_slot(struct pipe_inode_info *pipe, struct io_iter *from)
{
	size_t n = from->count & (PAGE_SIZE - 1);
	struct pipe_slot *slot;

	if (!n || pipe_empty(pipe))
		return 0;
	slot = slot_at(pipe, pipe->head - 1);
	if (slot->packet || slot->offset + slot->len + n > PAGE_SIZE)
		return 0;
	if (copy_from_iter(slot_data(slot) + slot->len, n, from) < n)
		return -EFAULT;
	slot->len += (u32)n;
	return (ssize_t)n;
}

/* Fills a new slot. The bytes, -ENOMEM, or -EFAULT: then nothing was added. => not full */
static ssize_t add_slot(struct pipe_inode_info *pipe, struct io_iter *from, bool packet)
{
	struct page *page = pipe->spare ? pipe->spare : alloc_page(GFP_KERNEL);
	size_t n = min(from->count, PAGE_SIZE);

	if (!page)
		return -ENOMEM;
	pipe->spare = NULL;
	if (copy_from_iter(page_address(page), n, from) < n) {
		pipe->spare = page;
		return -EFAULT;
	}
	*slot_at(pipe, pipe->head) = (struct pipe_slot){ page, 0, (u32)n, packet };
	WRITE_ONCE(pipe->head, pipe->head + 1);
	return (ssize_t)n;
}

static bool can_write(const struct pipe_inode_info *pipe)
{
	return !pipe_full(pipe) || !READ_ONCE(pipe->readers);
}

/* Waits for room. 0, -EAGAIN, -ERESTARTSYS. => and <= pipe->mutex */
static int wait_writable(struct pipe_inode_info *pipe, const struct file *file)
{
	int err;

	if (file->f_flags & O_NONBLOCK)
		return -EAGAIN;
	mutex_unlock(&pipe->mutex);
	wake_up(&pipe->rd_wait);
	err = wait_event_interruptible(pipe->wr_wait, can_write(pipe));
	mutex_lock(&pipe->mutex);
	return err;
}

/* One step of a write: bytes, 0 after a wait, or why it ends. => pipe->mutex */
static ssize_t write_step(struct pipe_inode_info *pipe, struct file *file, struct io_iter *from)
{
	if (!pipe->readers)
		return -EPIPE;
	if (pipe_full(pipe))
		return wait_writable(pipe, file);
	return add_slot(pipe, from, file->f_flags & O_DIRECT);
}

static ssize_t pipe_write(struct file *file, struct io_iter *from, loff_t *pos)
{
	struct pipe_inode_info *pipe = file->private_data;
	ssize_t done = 0, n;

	if (!from->count)
		return 0;
	mutex_lock(&pipe->mutex);
	n = pipe->readers ? append_slot(pipe, from) : -EPIPE;
	while (n >= 0) {
		done += n;
		if (!from->count)
			break;
		n = write_step(pipe, file, from);
	}
	mutex_unlock(&pipe->mutex);
	if (n == -EPIPE)
		pipe_tasks->send_sigpipe();
	if (!done)
		return n;
	wake_up(&pipe->rd_wait);
	file->f_inode->i_mtime = file->f_inode->i_ctime = current_time();
	return done;
}

/* --- what else one can ask ----------------------------------------------------------------- */

static u32 pipe_poll(struct file *file, struct poll_table *pt)
{
	struct pipe_inode_info *pipe = file->private_data;
	u32 mask = 0;

	if (file->f_mode & FMODE_READ) {
		poll_wait(file, &pipe->rd_wait, pt);
		if (!pipe_empty(pipe))
			mask |= POLLIN | POLLRDNORM;
		/* No writer is no end as long as there hasn't been one since it was opened. */
		if (!READ_ONCE(pipe->writers) && file->f_pos != READ_ONCE(pipe->w_counter))
			mask |= POLLHUP;
	}
	if (file->f_mode & FMODE_WRITE) {
		poll_wait(file, &pipe->wr_wait, pt);
		if (!pipe_full(pipe))
			mask |= POLLOUT | POLLWRNORM;
		if (!READ_ONCE(pipe->readers))
			mask |= POLLERR;
	}
	return mask;
}

static long pipe_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct pipe_inode_info *pipe = file->private_data;
	unsigned int sum = 0;

	if (cmd != FIONREAD)
		return -ENOTTY;
	mutex_lock(&pipe->mutex);
	for (unsigned int pos = pipe->tail; pos != pipe->head; pos++)
		sum += slot_at(pipe, pos)->len;
	mutex_unlock(&pipe->mutex);
	return put_user((int)sum, (int __user *)arg);
}

static struct pipe_inode_info *pipe_of(const struct file *file)
{
	return file->f_op == &fifo_fops ? file->private_data : NULL;
}

long pipe_get_size(struct file *file)
{
	struct pipe_inode_info *pipe = pipe_of(file);

	return pipe ? (long)(READ_ONCE(pipe->nr_slots) * PAGE_SIZE) : -EBADF;
}

static bool unlimited(const struct cred_view *cred)
{
	return cred_capable(cred, CAP_SYS_RESOURCE) || cred_capable(cred, CAP_SYS_ADMIN);
}

/* Another number of slots, charged already. => pipe->mutex; nr_slots a power of two */
static int replace_slots(struct pipe_inode_info *pipe, unsigned int nr_slots)
{
	unsigned int used = pipe->head - pipe->tail;
	struct pipe_slot *slots;

	if (nr_slots < used)
		return -EBUSY;
	slots = kzalloc(nr_slots * sizeof(*slots), GFP_KERNEL);
	if (!slots)
		return -ENOMEM;
	for (unsigned int i = 0; i < used; i++)
		slots[i] = *slot_at(pipe, pipe->tail + i);
	kfree(pipe->slots);
	pipe->slots = slots;
	pipe->nr_slots = nr_slots;
	pipe->tail = 0;
	pipe->head = used;
	return 0;
}

/* => pipe->mutex; nr_slots a power of two */
static int resize(struct pipe_inode_info *pipe, unsigned int nr_slots, const struct cred_view *cred)
{
	long more = (long)nr_slots - (long)pipe->nr_slots, sum;
	int err;

	if (more > 0 && nr_slots * PAGE_SIZE > PIPE_MAX_SIZE &&
	    !cred_capable(cred, CAP_SYS_RESOURCE))
		return -EPERM;
	sum = pipe_tasks->charge(pipe->user, more);
	if (more > 0 && sum > PIPE_USER_PAGES && !unlimited(cred))
		err = -EPERM;
	else
		err = replace_slots(pipe, nr_slots);
	if (err)
		pipe_tasks->charge(pipe->user, -more);
	return err;
}

long pipe_set_size(struct file *file, unsigned int size, const struct cred_view *cred)
{
	struct pipe_inode_info *pipe = pipe_of(file);
	unsigned int nr_slots = 1;
	long ret;

	if (!pipe)
		return -EBADF;
	if (size > 1U << 31)
		return -EINVAL;
	while (nr_slots * PAGE_SIZE < size)
		nr_slots *= 2;
	mutex_lock(&pipe->mutex);
	ret = resize(pipe, nr_slots, cred);
	if (!ret)
		ret = (long)(nr_slots * PAGE_SIZE);
	mutex_unlock(&pipe->mutex);
	if (ret > 0)
		wake_up(&pipe->wr_wait);
	return ret;
}

/* --- opening and closing ------------------------------------------------------------------- */

/* Charges the running task's user for a new pipe, and says how large it may be. */
static unsigned int charge_new(void *user, const struct cred_view *cred)
{
	if (pipe_tasks->charge(user, PIPE_DEF_SLOTS) <= PIPE_USER_PAGES || unlimited(cred))
		return PIPE_DEF_SLOTS;
	pipe_tasks->charge(user, PIPE_MIN_SLOTS - PIPE_DEF_SLOTS);
	return PIPE_MIN_SLOTS;
}

static struct pipe_inode_info *pipe_alloc(const struct cred_view *cred)
{
	struct pipe_inode_info *pipe = kzalloc(sizeof(*pipe), GFP_KERNEL);

	if (!pipe)
		return NULL;
	pipe->slots = kzalloc(PIPE_DEF_SLOTS * sizeof(*pipe->slots), GFP_KERNEL);
	if (!pipe->slots) {
		kfree(pipe);
		return NULL;
	}
	pipe->user = pipe_tasks->user_get();
	pipe->nr_slots = charge_new(pipe->user, cred);
	mutex_init(&pipe->mutex);
	init_waitqueue_head(&pipe->rd_wait);
	init_waitqueue_head(&pipe->wr_wait);
	return pipe;
}

static void pipe_free(struct pipe_inode_info *pipe)
{
	while (!pipe_empty(pipe))
		release_slot(pipe);
	if (pipe->spare)
		free_page(pipe->spare);
	pipe_tasks->charge(pipe->user, -(long)pipe->nr_slots);
	pipe_tasks->user_put(pipe->user);
	kfree(pipe->slots);
	kfree(pipe);
}

/* The pipe of an inode, made if there is none, with one opening more; or NULL. */
static struct pipe_inode_info *pipe_get(struct inode *inode, const struct cred_view *cred)
{
	struct pipe_inode_info *fresh = NULL, *pipe;

	for (;;) {
		spin_lock(&pipe_list_lock);
		if (!inode->i_pipe && fresh) {
			inode->i_pipe = fresh;
			fresh = NULL;
		}
		pipe = inode->i_pipe;
		if (pipe)
			pipe->files++;
		spin_unlock(&pipe_list_lock);
		if (pipe)
			break;
		fresh = pipe_alloc(cred);
		if (!fresh)
			return NULL;
	}
	if (fresh) /* another opening was faster */
		pipe_free(fresh);
	return pipe;
}

static void pipe_put(struct inode *inode, struct pipe_inode_info *pipe)
{
	bool last;

	spin_lock(&pipe_list_lock);
	last = --pipe->files == 0;
	if (last)
		inode->i_pipe = NULL;
	spin_unlock(&pipe_list_lock);
	if (last)
		pipe_free(pipe);
}

/* => pipe->mutex. Undoes what an opening counted. */
static void pipe_uncount(struct pipe_inode_info *pipe, unsigned int mode)
{
	if (mode & FMODE_READ)
		pipe->readers--;
	if (mode & FMODE_WRITE)
		pipe->writers--;
}

/* Waits until somebody has opened the other end. 0 or -ERESTARTSYS. => and <= pipe->mutex */
static int wait_for_partner(struct pipe_inode_info *pipe, struct wait_queue_head *wq,
			    const unsigned int *counter)
{
	unsigned int before = *counter;
	int err;

	mutex_unlock(&pipe->mutex);
	err = wait_event_interruptible(*wq, READ_ONCE(*counter) != before);
	mutex_lock(&pipe->mutex);
	return err;
}

/* fifo(7): what an opening waits for. A pipe has both ends from the start. => pipe->mutex */
static int fifo_rendezvous(struct pipe_inode_info *pipe, struct file *file)
{
	bool nonblock = file->f_flags & O_NONBLOCK;

	switch (file->f_mode & (FMODE_READ | FMODE_WRITE)) {
	case FMODE_READ:
		if (pipe->writers)
			return 0;
		if (!nonblock)
			return wait_for_partner(pipe, &pipe->rd_wait, &pipe->w_counter);
		file->f_pos = pipe->w_counter; /* see pipe_poll() */
		return 0;
	case FMODE_WRITE:
		return pipe->readers ? 0 : wait_for_partner(pipe, &pipe->wr_wait, &pipe->r_counter);
	default:
		return 0;
	}
}

static int fifo_open_locked(struct inode *inode, struct pipe_inode_info *pipe, struct file *file)
{
	bool is_pipe = inode->i_sb == pipe_sb;
	unsigned int mode = file->f_mode & (FMODE_READ | FMODE_WRITE);
	int err = 0;

	if (!mode)
		return -EINVAL;
	if (!is_pipe && mode == FMODE_WRITE && (file->f_flags & O_NONBLOCK) && !pipe->readers)
		return -ENXIO;
	if (mode & FMODE_READ) {
		pipe->readers++;
		pipe->r_counter++;
		wake_up(&pipe->wr_wait);
	}
	if (mode & FMODE_WRITE) {
		pipe->writers++;
		pipe->w_counter++;
		wake_up(&pipe->rd_wait);
	}
	file->f_pos = -1; /* no value of w_counter */
	if (!is_pipe)
		err = fifo_rendezvous(pipe, file);
	if (err)
		pipe_uncount(pipe, mode);
	return err;
}

static int fifo_open(struct inode *inode, struct file *file)
{
	struct pipe_inode_info *pipe = pipe_get(inode, &file->f_cred);
	int err;

	if (!pipe)
		return -ENOMEM;
	mutex_lock(&pipe->mutex);
	err = fifo_open_locked(inode, pipe, file);
	mutex_unlock(&pipe->mutex);
	if (err) {
		/* Others may wait for what this opening was. */
		wake_up(&pipe->rd_wait);
		wake_up(&pipe->wr_wait);
		pipe_put(inode, pipe);
		return err;
	}
	file->private_data = pipe;
	file->f_mode |= FMODE_STREAM;
	return 0;
}

static void pipe_release(struct file *file)
{
	struct pipe_inode_info *pipe = file->private_data;

	mutex_lock(&pipe->mutex);
	pipe_uncount(pipe, file->f_mode);
	mutex_unlock(&pipe->mutex);
	wake_up(&pipe->rd_wait);
	wake_up(&pipe->wr_wait);
	pipe_put(file->f_inode, pipe);
}

const struct file_operations fifo_fops = {
	.read_iter = pipe_read,
	.write_iter = pipe_write,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.open = fifo_open,
	.release = pipe_release,
};

/* --- pipes without a name ------------------------------------------------------------------ */

static struct file *pipe_end(struct dentry *dentry, unsigned int flags,
			     const struct cred_view *cred)
{
	struct file *file = file_alloc(flags, cred);
	int err;

	if (IS_ERR(file))
		return file;
	err = file_bind(file, dentry);
	if (err) {
		fput(file);
		return ERR_PTR(err);
	}
	return file;
}

int pipe_open_pair(struct file *files[2], unsigned int flags, const struct cred_view *cred)
{
	struct dentry *dentry = d_alloc_pseudo(pipe_sb, "pipe", S_IFIFO | 0600, &fifo_fops, cred);
	int err = 0;

	if (!dentry)
		return -ENFILE;
	files[0] = pipe_end(dentry, O_RDONLY | (flags & O_NONBLOCK), cred);
	if (IS_ERR(files[0])) {
		err = (int)PTR_ERR(files[0]);
		goto out;
	}
	files[1] = pipe_end(dentry, O_WRONLY | flags, cred);
	if (IS_ERR(files[1])) {
		err = (int)PTR_ERR(files[1]);
		fput(files[0]);
	}
out:
	dput(dentry);
	return err;
}

void pipe_init(void)
{
	pipe_sb = super_alloc("pipefs", PIPEFS_MAGIC, NULL);
	if (!pipe_sb)
		panic("no memory for pipefs");
	pipe_sb->s_pseudo = true;
}
