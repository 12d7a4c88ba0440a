/* SPDX-License-Identifier: MIT */
/*
 * Advisory locks. locks_lock, a spinlock, protects all lists of them: they are short, and changed
 * by system calls only. What a change may need is allocated before it is taken.
 */
#include "kernel/fs/locks.h"

#include "kernel/sched/wait.h"
#include "mm/slab.h"

/* Who waits, and for whom: for finding circles. On the waiter's stack. */
struct lock_wait {
	struct list_head link;
	const void *owner, *blocker;
};

static struct kmem_cache *lock_cache;
static spinlock_t locks_lock = SPINLOCK_INIT;
static LIST_HEAD(waiting); /* => locks_lock */
static struct wait_queue_head lock_waiters = WAIT_QUEUE_INIT(lock_waiters);

void locks_init(void)
{
	lock_cache = kmem_cache_create("file_lock", sizeof(struct file_lock), 0);
}

static bool overlap(const struct file_lock *a, const struct file_lock *b)
{
	return a->start <= b->end && b->start <= a->end;
}

/* The first lock of another owner in the way of `want`, or NULL. => locks_lock */
static struct file_lock *find_conflict(const struct inode *inode, const struct file_lock *want)
{
	struct file_lock *lock;

	list_for_each_entry(lock, &inode->i_locks, link)
	{
		if (lock->flock == want->flock && lock->owner != want->owner &&
		    overlap(lock, want) && (lock->type == F_WRLCK || want->type == F_WRLCK))
			return lock;
	}
	return NULL;
}

/* An owner's locks stand in the order of their beginnings. => locks_lock */
static void insert_lock(struct inode *inode, struct file_lock *new)
{
	struct file_lock *lock;

	list_for_each_entry(lock, &inode->i_locks, link)
	{
		/* clang-tidy has not seen that a lock left this list: NOLINTNEXTLINE(clang-analyzer-*) */
		if (lock->owner == new->owner && lock->flock == new->flock &&
		    lock->start > new->start) {
			list_add_tail(&new->link, &lock->link);
			return;
		}
	}
	list_add_tail(&new->link, &inode->i_locks);
}

static void free_locks(struct list_head *list)
{
	while (!list_empty(list)) {
		struct file_lock *lock = list_first_entry(list, struct file_lock, link);

		list_del(&lock->link);
		kmem_cache_free(lock_cache, lock);
	}
}

/* Whether two ranges touch, so that equal locks of them become one. */
static bool touch(const struct file_lock *a, const struct file_lock *b)
{
	return overlap(a, b) || (a->end < b->start && a->end + 1 == b->start) ||
	       (b->end < a->start && b->end + 1 == a->start);
}

/*
 * Cuts the range of `new` out of a lock of the same owner and another type. *spare is used when
 * that leaves two. What leaves nothing goes to `gone`. => locks_lock
 */
static void cut_lock(struct inode *inode, struct file_lock *lock, const struct file_lock *new,
		     struct file_lock **spare, struct list_head *gone)
{
	if (lock->start < new->start && lock->end > new->end) {
		struct file_lock *right = *spare;

		*spare = NULL;
		*right = *lock;
		right->start = new->end + 1;
		lock->end = new->start - 1;
		insert_lock(inode, right);
	} else if (lock->start < new->start) {
		lock->end = new->start - 1;
	} else if (lock->end > new->end) {
		lock->start = new->end + 1;
	} else {
		list_del(&lock->link);
		list_add(&lock->link, gone);
	}
}

/* Makes the owner's locks what they are with `new`. => locks_lock; nothing is in the way */
static void apply(struct inode *inode, struct file_lock *new, struct file_lock **spare,
		  struct list_head *gone)
{
	struct file_lock *lock, *next;

	list_for_each_entry_safe(lock, next, &inode->i_locks, link)
	{
		/* The same: NOLINTNEXTLINE(clang-analyzer-*) */
		if (lock->owner != new->owner || lock->flock != new->flock || !touch(lock, new))
			continue;
		if (lock->type == new->type) {
			new->start = min(new->start, lock->start);
			new->end = max(new->end, lock->end);
			list_del(&lock->link);
			list_add(&lock->link, gone);
		} else if (overlap(lock, new)) {
			cut_lock(inode, lock, new, spare, gone);
		}
	}
	if (new->type == F_UNLCK)
		list_add(&new->link, gone);
	else
		insert_lock(inode, new);
}

/* Whether waiting for `blocker` would close a circle. => locks_lock */
static bool would_deadlock(const void *owner, const void *blocker)
{
	const struct lock_wait *w;

	for (int steps = 0; steps < 10; steps++) {
		const void *next = NULL;

		if (blocker == owner)
			return true;
		list_for_each_entry(w, &waiting, link) if (w->owner == blocker) next = w->blocker;
		if (!next)
			return false;
		blocker = next;
	}
	return false;
}

static bool in_the_way(const struct inode *inode, const struct file_lock *want)
{
	bool found;

	spin_lock(&locks_lock);
	found = find_conflict(inode, want);
	spin_unlock(&locks_lock);
	return found;
}

/*
 * Waits until nothing is in the way. 0, -EAGAIN, -EDEADLK, -ERESTARTSYS.
 * => and (with 0) <= locks_lock
 */
static int wait_for_range(struct inode *inode, const struct file_lock *want, bool wait)
{
	struct file_lock *conflict;

	while ((conflict = find_conflict(inode, want))) {
		struct lock_wait w = { .owner = want->owner, .blocker = conflict->owner };
		int err = wait ? 0 : -EAGAIN;

		if (wait && !want->flock && would_deadlock(w.owner, w.blocker))
			err = -EDEADLK;
		if (err) {
			spin_unlock(&locks_lock);
			return err;
		}
		list_add(&w.link, &waiting);
		spin_unlock(&locks_lock);
		err = wait_event_interruptible(lock_waiters, !in_the_way(inode, want));
		spin_lock(&locks_lock);
		list_del(&w.link);
		if (err) {
			spin_unlock(&locks_lock);
			return err;
		}
	}
	return 0;
}

/*
 * flock(2) changes the kind of a lock by giving up the old one first: whoever waited for that may
 * get it. True when there is nothing more to do. => locks_lock
 */
static bool drop_old_flock(struct inode *inode, const struct file_lock *want,
			   struct list_head *gone)
{
	struct file_lock *lock;

	list_for_each_entry(lock, &inode->i_locks, link)
	{
		if (!lock->flock || lock->owner != want->owner)
			continue;
		if (lock->type == want->type)
			return true;
		list_del(&lock->link);
		list_add(&lock->link, gone);
		return want->type == F_UNLCK;
	}
	return want->type == F_UNLCK;
}

int lock_set(struct inode *inode, const struct file_lock *want, bool wait)
{
	struct file_lock *new = kmem_cache_alloc(lock_cache, GFP_KERNEL);
	struct file_lock *spare = kmem_cache_alloc(lock_cache, GFP_KERNEL);
	LIST_HEAD(gone);
	int err = -ENOLCK;

	if (!new || !spare)
		goto out;
	*new = *want;
	err = 0;
	spin_lock(&locks_lock);
	if (!want->flock || !drop_old_flock(inode, want, &gone)) {
		if (!list_empty(&gone)) {
			spin_unlock(&locks_lock);
			wake_up(&lock_waiters);
			spin_lock(&locks_lock);
		}
		if (want->type != F_UNLCK)
			err = wait_for_range(inode, want, wait);
		if (err)
			goto out; /* unlocked */
		apply(inode, new, &spare, &gone);
		new = NULL;
	}
	spin_unlock(&locks_lock);
	wake_up(&lock_waiters);
out:
	free_locks(&gone);
	kmem_cache_free(lock_cache, new);
	kmem_cache_free(lock_cache, spare);
	return err;
}

bool lock_test(struct inode *inode, struct file_lock *lock)
{
	const struct file_lock *conflict;

	spin_lock(&locks_lock);
	conflict = find_conflict(inode, lock);
	if (conflict)
		*lock = *conflict;
	spin_unlock(&locks_lock);
	return conflict;
}

/* Takes away all locks of an inode that belong to `owner`. */
static void remove_owner(struct inode *inode, const void *owner)
{
	struct file_lock *lock, *next;
	LIST_HEAD(gone);

	if (!inode || list_empty(&inode->i_locks))
		return;
	spin_lock(&locks_lock);
	list_for_each_entry_safe(lock, next, &inode->i_locks, link)
	{
		if (lock->owner != owner)
			continue;
		list_del(&lock->link);
		list_add(&lock->link, &gone);
	}
	spin_unlock(&locks_lock);
	if (list_empty(&gone))
		return;
	free_locks(&gone);
	wake_up(&lock_waiters);
}

void locks_remove_posix(struct file *file, const struct files_struct *files)
{
	remove_owner(file->f_inode, files);
}

void locks_remove_file(struct file *file)
{
	remove_owner(file->f_inode, file);
}
