/* SPDX-License-Identifier: MIT */
/* Numbers for threads, groups and sessions. */
#include "kernel/process/pid.h"

#include "kernel/base/panic.h"
#include "kernel/fs/proc.h"
#include "kernel/lib/bitmap.h"
#include "kernel/process/task.h"
#include "mm/slab.h"

#define PID_HASH 256

/* => tasklist_lock, all of these */
static unsigned long pid_map[PID_MAX / (8 * sizeof(long))] = { 1 };
static struct hlist_head pid_hash[PID_HASH];
static unsigned long last_pid;
static struct kmem_cache *pid_cache;

struct pid pid_zero = {
	.count = 1,
	.refs = 1,
	.group = LIST_HEAD_INIT(pid_zero.group),
	.session = LIST_HEAD_INIT(pid_zero.session),
	.wait = WAIT_QUEUE_INIT(pid_zero.wait),
};

void pid_init(void)
{
	pid_cache = kmem_cache_create("pid", sizeof(struct pid), 0);
}

static struct hlist_head *bucket(int nr)
{
	return &pid_hash[(unsigned int)nr % PID_HASH];
}

struct pid *find_pid(int nr)
{
	struct pid *pid;

	hlist_for_each_entry(pid, bucket(nr), link) if (pid->nr == nr) return pid;
	return NULL;
}

struct pid *pid_next(int after)
{
	unsigned long nr = after < 0 ? 1 : (unsigned long)after + 1;

	nr = nr < PID_MAX ? find_next_bit(pid_map, PID_MAX, nr) : PID_MAX;
	return nr < PID_MAX ? find_pid((int)nr) : NULL;
}

int pid_last(void)
{
	return (int)last_pid;
}

struct pid *pid_alloc(void)
{
	const unsigned long max = (unsigned long)READ_ONCE(proc_pid_max);
	unsigned long nr =
		last_pid + 1 < max ? find_next_zero_bit(pid_map, max, last_pid + 1) : max;
	struct pid *pid;

	if (nr >= max)
		nr = find_next_zero_bit(pid_map, max, PID_RESERVED);
	if (nr >= max)
		return ERR_PTR(-EAGAIN);
	pid = kmem_cache_zalloc(pid_cache, GFP_ATOMIC);
	if (!pid)
		return ERR_PTR(-ENOMEM);
	__set_bit(nr, pid_map);
	last_pid = nr;
	pid->nr = (int)nr;
	pid->count = 1;
	pid->refs = 1;
	init_waitqueue_head(&pid->wait);
	INIT_LIST_HEAD(&pid->group);
	INIT_LIST_HEAD(&pid->session);
	hlist_add_head(&pid->link, bucket(pid->nr));
	return pid;
}

void pid_put(struct pid *pid)
{
	if (--pid->count)
		return;
	BUG_ON(pid == &pid_zero || pid->task || !list_empty(&pid->group) ||
	       !list_empty(&pid->session));
	hlist_del_init(&pid->link);
	__clear_bit((unsigned long)pid->nr, pid_map);
	pid_drop(pid);
}

void pid_drop(struct pid *pid)
{
	if (--pid->refs == 0)
		kmem_cache_free(pid_cache, pid);
}
