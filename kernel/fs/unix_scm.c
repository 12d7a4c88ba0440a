/* SPDX-License-Identifier: MIT */
/*
 * Files in messages: SCM_RIGHTS of unix(7).
 *
 * A file that a message holds is "in flight". If the file is a socket, messages in its queue may hold
 * other sockets, or itself; so sockets may keep each other alive that no program can reach any more.
 * collect() finds them: those whose file has no reference but by messages (in_flight of them), and all
 * of these in queues of sockets of which the same is true. A count that is reached by nobody stays as it
 * is: new references on a file come from one that somebody has, and messages are put in flight, taken
 * out and looked at with unix_gc_mutex held.
 */
#include "kernel/fs/pipe.h"
#include "kernel/fs/unix.h"
#include "mm/slab.h"

static struct mutex unix_gc_mutex = MUTEX_INIT(unix_gc_mutex);
static LIST_HEAD(flying); /* sockets in flight. => unix_gc_mutex, but for whether it is empty */

void scm_free(struct scm_files *files)
{
	if (!files)
		return;
	DEBUG_ON(files->user);
	for (unsigned int i = 0; i < files->count; i++)
		fput(files->files[i]);
	kfree(files);
}

/* --- in flight ----------------------------------------------------------------------------- */

/* One reference of a message on the file more (1) or less (-1). => unix_gc_mutex */
static void count_flight(const struct file *file, int step)
{
	struct unix_sock *sk = socket_of(file);

	if (!sk)
		return;
	sk->in_flight += step;
	if (!sk->in_flight)
		list_del_init(&sk->flight_link);
	else if (step > 0 && sk->in_flight == 1)
		list_add_tail(&sk->flight_link, &flying);
}

/* Whether the running task may have more files in flight than it has already. */
static bool may_fly(long before)
{
	const struct cred_view cred = fs_current_cred();

	return before <= (long)socket_tasks->nofile_limit() ||
	       cred_capable(&cred, CAP_SYS_RESOURCE) || cred_capable(&cred, CAP_SYS_ADMIN);
}

int scm_attach(struct unix_buf *buf, struct scm_files *files)
{
	void *user = pipe_tasks->user_get();
	long count = files->count;

	if (!may_fly(socket_tasks->in_flight(user, count) - count)) {
		socket_tasks->in_flight(user, -count);
		pipe_tasks->user_put(user);
		return -ETOOMANYREFS;
	}
	mutex_lock(&unix_gc_mutex);
	for (unsigned int i = 0; i < files->count; i++)
		count_flight(files->files[i], 1);
	files->user = user;
	buf->files = files;
	mutex_unlock(&unix_gc_mutex);
	return 0;
}

struct scm_files *scm_detach(struct unix_buf *buf)
{
	struct scm_files *files = buf->files;

	mutex_lock(&unix_gc_mutex);
	for (unsigned int i = 0; i < files->count; i++)
		count_flight(files->files[i], -1);
	buf->files = NULL;
	mutex_unlock(&unix_gc_mutex);
	socket_tasks->in_flight(files->user, -(long)files->count);
	pipe_tasks->user_put(files->user);
	files->user = NULL;
	return files;
}

struct scm_files *scm_peek(struct unix_buf *buf)
{
	struct scm_files *copy = kmalloc(sizeof(*copy), GFP_KERNEL);

	if (!copy)
		return NULL;
	mutex_lock(&unix_gc_mutex);
	copy->count = buf->files->count;
	copy->user = NULL;
	for (unsigned int i = 0; i < copy->count; i++)
		copy->files[i] = get_file(buf->files->files[i]);
	mutex_unlock(&unix_gc_mutex);
	return copy;
}

/* --- garbage ------------------------------------------------------------------------------- */

/* Calls fn for each candidate that messages in the queue of sk hold, as often as they do. */
static void for_each_held(struct unix_sock *sk, void (*fn)(struct unix_sock *held, void *arg),
			  void *arg)
{
	struct unix_buf *buf;

	spin_lock(&sk->lock);
	list_for_each_entry(buf, &sk->queue, link)
	{
		for (unsigned int i = 0; buf->files && i < buf->files->count; i++) {
			struct unix_sock *held = socket_of(buf->files->files[i]);

			if (held && held->candidate)
				fn(held, arg);
		}
	}
	spin_unlock(&sk->lock);
}

static void is_held(struct unix_sock *held, void *arg)
{
	held->outside--;
}

static void is_reached(struct unix_sock *held, void *reached)
{
	held->candidate = false;
	list_move_tail(&held->flight_link, reached);
}

/* Takes the messages with files from a queue. */
static void take_messages(struct unix_sock *sk, struct list_head *bufs)
{
	struct unix_buf *buf, *next;

	spin_lock(&sk->lock);
	list_for_each_entry_safe(buf, next, &sk->queue, link)
	{
		if (buf->files)
			list_move_tail(&buf->link, bufs);
	}
	spin_unlock(&sk->lock);
}

/* Moves the messages that garbage is made of to a list: freeing them frees all of it. */
static void collect(struct list_head *bufs)
{
	LIST_HEAD(candidates);
	LIST_HEAD(reached);
	struct unix_sock *sk, *next;

	mutex_lock(&unix_gc_mutex);
	list_for_each_entry_safe(sk, next, &flying, flight_link)
	{
		sk->candidate = atomic_read(&sk->file->f_count) == sk->in_flight;
		sk->outside = sk->in_flight;
		if (sk->candidate)
			list_move_tail(&sk->flight_link, &candidates);
	}
	list_for_each_entry(sk, &candidates, flight_link) for_each_held(sk, is_held, NULL);
	/* A message that isn't in the queue of a candidate holds it: so does what is in its own. */
	list_for_each_entry_safe(sk, next, &candidates, flight_link)
	{
		if (sk->outside)
			is_reached(sk, &reached);
	}
	list_for_each_entry(sk, &reached, flight_link) for_each_held(sk, is_reached, &reached);
	list_for_each_entry(sk, &candidates, flight_link)
	{
		sk->candidate = false;
		take_messages(sk, bufs);
	}
	list_splice(&reached, &flying);
	list_splice(&candidates, &flying);
	mutex_unlock(&unix_gc_mutex);
}

/* --- freeing ------------------------------------------------------------------------------- */

/* A thread that frees messages: those that come up meanwhile go to the same list. */
struct purge {
	struct sched_entity *se;
	struct list_head link;
	struct list_head bufs;
};
static LIST_HEAD(purges);
static spinlock_t purge_lock = SPINLOCK_INIT;

/* Hands the messages to the purge that the running thread is in, or makes *own that. */
static bool join_purge(struct purge *own, struct list_head *bufs)
{
	struct purge *purge;

	spin_lock(&purge_lock);
	list_for_each_entry(purge, &purges, link)
	{
		if (purge->se == own->se)
			break;
	}
	if (&purge->link == &purges) {
		purge = own;
		list_add(&own->link, &purges);
	}
	list_splice_tail_init(bufs, &purge->bufs);
	spin_unlock(&purge_lock);
	return purge == own;
}

/* => the running thread's own */
static void free_files_of(struct list_head *bufs)
{
	while (!list_empty(bufs)) {
		struct unix_buf *buf = list_first_entry(bufs, struct unix_buf, link);
		struct scm_files *files = buf->files ? scm_detach(buf) : NULL;

		list_del_init(&buf->link);
		unix_free_buf(buf);
		scm_free(files);
	}
}

void unix_purge(struct list_head *bufs)
{
	struct purge own = { .se = this_cpu_read(current_se), .bufs = LIST_HEAD_INIT(own.bufs) };

	if ((list_empty(bufs) && list_empty(&flying)) || !join_purge(&own, bufs))
		return;
	do {
		free_files_of(&own.bufs);
		if (!list_empty(&flying))
			collect(&own.bufs);
	} while (!list_empty(&own.bufs));
	spin_lock(&purge_lock);
	list_del(&own.link);
	spin_unlock(&purge_lock);
}

void socket_collect(void)
{
	LIST_HEAD(none);

	unix_purge(&none);
}
