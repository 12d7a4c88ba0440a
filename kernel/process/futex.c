/* SPDX-License-Identifier: MIT */
/*
 * Futexes: sleeping until another thread has changed a word of memory; futex(2).
 *
 * The kernel knows nothing of a futex but who waits for it now. Waiters stand in a hash table by
 * what word they mean (struct futex_key). Nothing is lost between a program's look at the word and
 * its sleep: the word is looked at again under the lock of the bucket, and who changes the word
 * wakes only afterwards, under the same lock. With it held no fault can be handled, so where the
 * word can't be had at once, the lock is dropped, the page brought in, and all begun again.
 *
 * A waiter lies on its thread's stack. It is taken out, woken and moved under the lock of the bucket
 * it is in, and its thread takes that lock too before it leaves: so nobody uses it any more then.
 */
#include "kernel/process/futex.h"

#include <arch/uaccess.h>

#include "kernel/lib/hash.h"
#include "kernel/process/task.h"
#include "mm/calls.h"
#include "mm/fault.h"
#include "mm/slab.h"

#define FUTEX_HASH_BITS 8

struct futex_bucket {
	spinlock_t lock;
	struct list_head waiters; /* in order of arrival */
};

struct futex_waiter {
	struct list_head link;
	struct futex_bucket *bucket; /* in which it is, or was last */
	struct futex_key key;
	struct sched_entity *se;
	u32 bitset; /* who wakes says the same: one bit in common is enough */
	bool woken; /* and out of the list */
};

static struct futex_bucket buckets[1 << FUTEX_HASH_BITS];

void futex_init(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(buckets); i++) {
		spin_lock_init(&buckets[i].lock);
		INIT_LIST_HEAD(&buckets[i].waiters);
	}
}

/* --- keys ------------------------------------------------------------------------------------- */

/* Words are aligned: a bit of the place is free to tell those asked for as shared from the others. */
#define KEY_SHARED 1UL

static int get_key(u32 __user *uaddr, bool shared, bool write, struct futex_key *key)
{
	unsigned long addr = (unsigned long)uaddr;
	int err;

	if (addr % sizeof(*uaddr))
		return -EINVAL;
	if (!access_ok(addr, sizeof(*uaddr)))
		return -EFAULT;
	if (!shared) {
		*key = (struct futex_key){ .mm = current->mm_part.mm, .offset = addr };
		return 0;
	}
	err = mm_futex_key(addr, write, key);
	if (!err)
		key->offset |= KEY_SHARED;
	return err;
}

static bool same_key(const struct futex_key *a, const struct futex_key *b)
{
	return a->mm == b->mm && a->mapping == b->mapping && a->offset == b->offset;
}

static struct futex_bucket *bucket_of(const struct futex_key *key)
{
	u64 whose = hash_u64((uintptr_t)key->mm ^ key->mapping, 64);

	return &buckets[hash_u64(whose ^ key->offset, FUTEX_HASH_BITS)];
}

/* --- waking ------------------------------------------------------------------------------------ */

/* => bucket's lock */
static void wake_waiter(struct futex_waiter *w)
{
	list_del(&w->link);
	WRITE_ONCE(w->woken, true);
	sched_wake(w->se);
}

/* => bucket's lock. Wakes at most nr, but at least one: Linux counts after the first. */
static int wake_matching(struct futex_bucket *bucket, const struct futex_key *key, int nr,
			 u32 bitset)
{
	struct futex_waiter *w, *next;
	int woken = 0;

	list_for_each_entry_safe(w, next, &bucket->waiters, link)
	{
		if (!same_key(&w->key, key) || !(w->bitset & bitset))
			continue;
		wake_waiter(w);
		if (++woken >= nr)
			break;
	}
	return woken;
}

static int futex_wake(u32 __user *uaddr, bool shared, int nr, u32 bitset)
{
	struct futex_bucket *bucket;
	struct futex_key key;
	int ret;

	if (!bitset)
		return -EINVAL;
	ret = get_key(uaddr, shared, false, &key);
	if (ret)
		return ret;
	bucket = bucket_of(&key);
	spin_lock(&bucket->lock);
	ret = wake_matching(bucket, &key, nr, bitset);
	spin_unlock(&bucket->lock);
	return ret;
}

void futex_wake_shared(u32 __user *uaddr)
{
	futex_wake(uaddr, true, 1, FUTEX_BITSET_MATCH_ANY);
}

/* --- waiting ----------------------------------------------------------------------------------- */

/* Stands in the queue if the word is still val. 0; -EAGAIN when it is not; -EFAULT, -EINVAL, -ENOMEM. */
static int begin_wait(struct futex_waiter *w, u32 __user *uaddr, bool shared, u32 val)
{
	u32 now;

	for (;;) {
		int err = get_key(uaddr, shared, false, &w->key);

		if (err)
			return err;
		w->bucket = bucket_of(&w->key);
		spin_lock(&w->bucket->lock);
		if (!get_user_nofault(&now, uaddr))
			break;
		spin_unlock(&w->bucket->lock);
		if (get_user(now, uaddr))
			return -EFAULT;
	}
	if (now == val)
		list_add_tail(&w->link, &w->bucket->waiters);
	spin_unlock(&w->bucket->lock);
	return now == val ? 0 : -EAGAIN;
}

/* Leaves the queue; whether it had been woken before. */
static bool end_wait(struct futex_waiter *w)
{
	struct futex_bucket *bucket;

	/* Whoever moves it to another bucket holds the locks of both. */
	for (;;) {
		bucket = READ_ONCE(w->bucket);
		spin_lock(&bucket->lock);
		if (bucket == w->bucket)
			break;
		spin_unlock(&bucket->lock);
	}
	if (!w->woken)
		list_del(&w->link);
	spin_unlock(&bucket->lock);
	return w->woken;
}

static bool was_woken(const void *waiter)
{
	return READ_ONCE(((const struct futex_waiter *)waiter)->woken);
}

static long futex_wait_restart(struct restart_block *block);

static long futex_wait(u32 __user *uaddr, bool shared, u32 val, const struct time_limit *deadline,
		       u32 bitset)
{
	struct restart_block *block = &current->restart;
	struct futex_waiter w = { .se = &current->se, .bitset = bitset };
	int err;

	if (!bitset)
		return -EINVAL;
	err = begin_wait(&w, uaddr, shared, val);
	if (err)
		return err;
	err = sleep_for_event(was_woken, &w, deadline);
	if (end_wait(&w))
		return 0;
	if (err == -ETIMEDOUT)
		return -ETIMEDOUT;
	if (!deadline)
		return -ERESTARTSYS;
	block->fn = futex_wait_restart;
	block->until = deadline->ns;
	block->futex.uaddr = uaddr;
	block->futex.val = val;
	block->futex.bitset = bitset;
	block->futex.shared = shared;
	block->futex.clock = deadline->clock;
	return -ERESTART_RESTARTBLOCK;
}

/* A signal without a handler came in between: on to the same deadline. */
static long futex_wait_restart(struct restart_block *block)
{
	const struct time_limit deadline = { block->futex.clock, block->until };

	block->fn = NULL;
	return futex_wait(block->futex.uaddr, block->futex.shared, block->futex.val, &deadline,
			  block->futex.bitset);
}

/* --- one of several words --- */

struct futex_waiters {
	const struct kernel_futex_waitv *v;
	unsigned int n; /* who stand in a queue */
	struct futex_waiter w[];
};

static bool any_woken(const void *arg)
{
	const struct futex_waiters *all = arg;

	for (unsigned int i = 0; i < all->n; i++)
		if (was_woken(&all->w[i]))
			return true;
	return false;
}

/* Leaves all queues: the last that was woken, or -1. */
static int end_all(struct futex_waiters *all)
{
	int woken = -1;

	for (unsigned int i = 0; i < all->n; i++)
		if (end_wait(&all->w[i]))
			woken = (int)i;
	all->n = 0;
	return woken;
}

/* Stands in all queues. 0; the error of the one that can't be, and then in none. */
static int begin_all(struct futex_waiters *all, unsigned int nr)
{
	int err = 0;

	/* What is wrong with a place comes before what is in another. */
	for (unsigned int i = 0; !err && i < nr; i++)
		err = get_key((u32 __user *)all->v[i].uaddr,
			      !(all->v[i].flags & FUTEX_PRIVATE_FLAG), false, &all->w[i].key);
	while (!err && all->n < nr) {
		const struct kernel_futex_waitv *v = &all->v[all->n];
		struct futex_waiter *w = &all->w[all->n];

		w->se = &current->se;
		w->bitset = FUTEX_BITSET_MATCH_ANY;
		err = begin_wait(w, (u32 __user *)v->uaddr, !(v->flags & FUTEX_PRIVATE_FLAG),
				 (u32)v->val);
		if (!err)
			all->n++;
	}
	return err;
}

long futex_wait_multiple(const struct kernel_futex_waitv *v, unsigned int nr,
			 const struct time_limit *deadline)
{
	struct futex_waiters *all = kzalloc(sizeof(*all) + nr * sizeof(all->w[0]), GFP_KERNEL);
	int err, woken;

	if (!all)
		return -ENOMEM;
	all->v = v;
	err = begin_all(all, nr);
	if (!err)
		err = sleep_for_event(any_woken, all, deadline);
	woken = end_all(all);
	kfree(all);
	if (woken >= 0)
		return woken;
	return err == -EINTR ? -ERESTARTSYS : err;
}

/* --- two words at once --------------------------------------------------------------------------- */

static void lock_both(struct futex_bucket *a, struct futex_bucket *b)
{
	spin_lock(a < b ? &a->lock : &b->lock);
	if (a != b)
		spin_lock_nested(a < b ? &b->lock : &a->lock, 1);
}

static void unlock_both(struct futex_bucket *a, struct futex_bucket *b)
{
	spin_unlock(&a->lock);
	if (a != b)
		spin_unlock(&b->lock);
}

/* => both locks. Wakes nr_wake of those who wait for `from`, and lets nr_move others wait for `to`. */
static int wake_and_move(struct futex_bucket *b1, const struct futex_key *from,
			 struct futex_bucket *b2, const struct futex_key *to, int nr_wake,
			 int nr_move)
{
	struct futex_waiter *w, *next;
	int done = 0;

	list_for_each_entry_safe(w, next, &b1->waiters, link)
	{
		if (done - nr_wake >= nr_move)
			break;
		if (!same_key(&w->key, from))
			continue;
		if (++done <= nr_wake) {
			wake_waiter(w);
			continue;
		}
		if (b1 != b2) {
			list_move_tail(&w->link, &b2->waiters);
			WRITE_ONCE(w->bucket, b2);
		}
		w->key = *to;
	}
	return done;
}

/* cmp: only if the first word is *cmp. */
static long futex_requeue(u32 __user *uaddr, u32 __user *uaddr2, bool shared, int nr_wake,
			  int nr_move, const u32 *cmp)
{
	struct futex_key from, to = { 0 };
	u32 now;

	if (nr_wake < 0 || nr_move < 0)
		return -EINVAL;
	for (;;) {
		struct futex_bucket *b1, *b2;
		int ret = get_key(uaddr, shared, false, &from);

		if (!ret)
			ret = get_key(uaddr2, shared, false, &to);
		if (ret)
			return ret;
		b1 = bucket_of(&from);
		b2 = bucket_of(&to);
		lock_both(b1, b2);
		if (!cmp || !get_user_nofault(&now, uaddr)) {
			ret = cmp && now != *cmp ?
				      -EAGAIN :
				      wake_and_move(b1, &from, b2, &to, nr_wake, nr_move);
			unlock_both(b1, b2);
			return ret;
		}
		unlock_both(b1, b2);
		if (get_user(now, uaddr))
			return -EFAULT;
	}
}

/* The 12 bits of an operand, which has a sign. */
static int operand(u32 bits)
{
	return (int)(bits << 20) >> 20;
}

/* *new: what FUTEX_WAKE_OP makes of `old`. -ENOSYS: no such operation. */
static int apply_op(u32 encoded, u32 old, u32 *new)
{
	u32 op = encoded >> 28 & 7;
	u32 arg = (u32)operand(encoded >> 12);

	if (encoded >> 28 & FUTEX_OP_OPARG_SHIFT)
		arg = 1U << (arg & 31);
	switch (op) {
	case FUTEX_OP_SET:
		*new = arg;
		return 0;
	case FUTEX_OP_ADD:
		*new = old + arg;
		return 0;
	case FUTEX_OP_OR:
		*new = old | arg;
		return 0;
	case FUTEX_OP_ANDN:
		*new = old & ~arg;
		return 0;
	case FUTEX_OP_XOR:
		*new = old ^ arg;
		return 0;
	}
	return -ENOSYS;
}

/* Whether the word's old value is as FUTEX_WAKE_OP's argument asks: 0, 1, or -ENOSYS. */
static int compare_op(u32 encoded, u32 word)
{
	int old = (int)word, arg = operand(encoded);

	switch (encoded >> 24 & 15) {
	case FUTEX_OP_CMP_EQ:
		return old == arg;
	case FUTEX_OP_CMP_NE:
		return old != arg;
	case FUTEX_OP_CMP_LT:
		return old < arg;
	case FUTEX_OP_CMP_LE:
		return old <= arg;
	case FUTEX_OP_CMP_GT:
		return old > arg;
	case FUTEX_OP_CMP_GE:
		return old >= arg;
	}
	return -ENOSYS;
}

/* => no fault can be handled. Changes the word and compares: as compare_op(), or -EFAULT. */
static int change_word(u32 encoded, u32 __user *uaddr)
{
	u32 old, new, seen;
	int err = get_user_nofault(&seen, uaddr);

	do {
		old = seen;
		if (!err)
			err = apply_op(encoded, old, &new);
		if (!err)
			err = cmpxchg_user_nofault(&seen, uaddr, new);
		if (err)
			return err;
	} while (seen != old);
	return compare_op(encoded, old);
}

/* Makes a word writable that cmpxchg_user_nofault() could not write. */
static int fault_in_writable(u32 __user *uaddr)
{
	return do_user_fault((unsigned long)uaddr, FAULT_FLAG_WRITE) == FAULT_HANDLED ? 0 : -EFAULT;
}

static long futex_wake_op(u32 __user *uaddr, u32 __user *uaddr2, bool shared, int nr_wake,
			  int nr_wake2, u32 op)
{
	struct futex_key key, key2;

	for (;;) {
		struct futex_bucket *b1, *b2;
		int woken = 0, ret = get_key(uaddr, shared, false, &key);

		if (!ret)
			ret = get_key(uaddr2, shared, true, &key2);
		if (ret)
			return ret;
		b1 = bucket_of(&key);
		b2 = bucket_of(&key2);
		lock_both(b1, b2);
		ret = change_word(op, uaddr2);
		if (ret >= 0)
			woken = wake_matching(b1, &key, nr_wake, FUTEX_BITSET_MATCH_ANY);
		if (ret > 0)
			woken += wake_matching(b2, &key2, nr_wake2, FUTEX_BITSET_MATCH_ANY);
		unlock_both(b1, b2);
		if (ret >= 0)
			return woken;
		if (ret == -EFAULT)
			ret = fault_in_writable(uaddr2);
		if (ret)
			return ret;
	}
}

/* --- the call -------------------------------------------------------------------------------------- */

long do_futex(u32 __user *uaddr, int op, u32 val, const struct time_limit *deadline,
	      u32 __user *uaddr2, u32 val2, u32 val3)
{
	int cmd = op & FUTEX_CMD_MASK;
	bool shared = !(op & FUTEX_PRIVATE_FLAG);

	if ((op & FUTEX_CLOCK_REALTIME) && cmd != FUTEX_WAIT_BITSET)
		return -ENOSYS;
	switch (cmd) {
	case FUTEX_WAIT:
		return futex_wait(uaddr, shared, val, deadline, FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAIT_BITSET:
		return futex_wait(uaddr, shared, val, deadline, val3);
	case FUTEX_WAKE:
		return futex_wake(uaddr, shared, (int)val, FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAKE_BITSET:
		return futex_wake(uaddr, shared, (int)val, val3);
	case FUTEX_REQUEUE:
		return futex_requeue(uaddr, uaddr2, shared, (int)val, (int)val2, NULL);
	case FUTEX_CMP_REQUEUE:
		return futex_requeue(uaddr, uaddr2, shared, (int)val, (int)val2, &val3);
	case FUTEX_WAKE_OP:
		return futex_wake_op(uaddr, uaddr2, shared, (int)val, (int)val2, val3);
	}
	return -ENOSYS;
}

/* --- robust lists ------------------------------------------------------------------------------------ */

/* More than so many entries are a loop, or an attack. */
#define ROBUST_LIST_LIMIT 2048

struct robust_entry {
	unsigned long addr; /* of the entry, in the program's memory */
	bool pi;
};

static int fetch_entry(struct robust_entry *entry, const unsigned long __user *from)
{
	unsigned long addr = 0;

	if (get_user(addr, from))
		return -EFAULT;
	*entry = (struct robust_entry){ addr & ~1UL, addr & 1 };
	return 0;
}

/*
 * One mutex: if the running task holds it, the word says from now on that its owner has died, and one
 * who waits is woken to see that. pending: its taking or giving back was under way; given back in user
 * mode but nobody woken yet, it is given to the next. 0, or -EFAULT.
 */
static int owner_died(const struct robust_entry *entry, long offset, bool pending)
{
	u32 __user *uaddr = (u32 __user *)(entry->addr + (unsigned long)offset);
	u32 old, seen;

	if ((unsigned long)uaddr % sizeof(*uaddr))
		return -EFAULT;
	for (;;) {
		if (get_user(old, uaddr))
			return -EFAULT;
		if (pending && !entry->pi && !(old & FUTEX_TID_MASK)) {
			futex_wake_shared(uaddr);
			return 0;
		}
		if ((old & FUTEX_TID_MASK) != (u32)current->pid)
			return 0;
		seen = old;
		if (cmpxchg_user_nofault(&seen, uaddr, (old & FUTEX_WAITERS) | FUTEX_OWNER_DIED)) {
			if (fault_in_writable(uaddr))
				return -EFAULT;
		} else if (seen == old) {
			break;
		}
	}
	if (!entry->pi && (old & FUTEX_WAITERS))
		futex_wake_shared(uaddr);
	return 0;
}

void exit_robust_list(struct task_struct *task)
{
	unsigned long head_addr = task->robust_list;
	const struct robust_list_head __user *head = (const void __user *)head_addr;
	struct robust_entry entry, pending, next = { 0 };
	long offset = 0;

	task->robust_list = 0;
	if (!head_addr || fetch_entry(&entry, user_field(head, list)) ||
	    get_user(offset, user_field(head, futex_offset)) ||
	    fetch_entry(&pending, user_field(head, list_op_pending)))
		return;
	for (int left = ROBUST_LIST_LIMIT; left > 0 && entry.addr != head_addr; left--) {
		/* First the next: whoever gets this mutex may free the memory it is in. */
		int err = fetch_entry(&next, (const unsigned long __user *)entry.addr);

		if (entry.addr != pending.addr && owner_died(&entry, offset, false))
			return;
		if (err)
			return;
		entry = next;
	}
	if (pending.addr)
		owner_died(&pending, offset, true);
}
