/* SPDX-License-Identifier: MIT */
/*
 * Sending and receiving. What a message is charged with, where a stream is cut into parts, and which of
 * several errors comes first is as on Linux, since programs see it: how much fits before a writer waits,
 * and how much one look at the queue brings.
 */
#include <arch/clock.h>

#include "kernel/fs/pipe.h"
#include "kernel/fs/unix.h"
#include "mm/page.h"
#include "mm/slab.h"

/* --- what a message costs ------------------------------------------------------------------ */

/* What Linux's socket buffers take beside the bytes. */
#define BUF_HEAD   256UL
#define BUF_SHARED 320UL
/* How much of a stream's part is in one block, at most, and beyond that in pages. */
#define STREAM_HEAD_MAX (PAGE_SIZE - BUF_SHARED)
#define STREAM_PART_MAX (STREAM_HEAD_MAX + 8 * PAGE_SIZE)
/* The same for a datagram. */
#define DGRAM_HEAD_MAX	(4 * PAGE_SIZE - BUF_SHARED)
#define DGRAM_PAGES_MAX (17 * PAGE_SIZE)

static size_t page_align(size_t n)
{
	return ALIGN_UP(n, PAGE_SIZE);
}

/* The size of the block that kmalloc() on Linux has for n bytes. */
static size_t block_size(size_t n)
{
	size_t size = 64;

	if (n > 64 && n <= 96)
		return 96;
	if (n > 128 && n <= 192)
		return 192;
	while (size < n)
		size *= 2;
	return size;
}

static size_t message_charge(const struct unix_sock *sk, size_t len)
{
	size_t in_pages = 0;

	if (sk->type == SOCK_STREAM && len > STREAM_HEAD_MAX)
		in_pages = min(len, page_align(len - STREAM_HEAD_MAX));
	else if (sk->type != SOCK_STREAM && len > DGRAM_HEAD_MAX)
		in_pages = page_align(min(len - DGRAM_HEAD_MAX, DGRAM_PAGES_MAX));
	return block_size(ALIGN_UP(len - min(len, in_pages), 64UL) + BUF_SHARED) + BUF_HEAD +
	       page_align(in_pages);
}

/* --- messages ------------------------------------------------------------------------------ */

#define BUF_INLINE_MAX (PAGE_SIZE - sizeof(struct unix_buf))

static struct page **buf_pages(struct unix_buf *buf)
{
	return (struct page **)buf->data;
}

static void buf_free_memory(struct unix_buf *buf)
{
	for (unsigned int i = 0; i < buf->nr_pages; i++)
		free_page(buf_pages(buf)[i]);
	kfree(buf);
}

static struct unix_buf *buf_alloc(size_t len)
{
	size_t pages = len <= BUF_INLINE_MAX ? 0 : DIV_ROUND_UP(len, PAGE_SIZE);
	struct unix_buf *buf =
		kmalloc(sizeof(*buf) + (pages ? pages * sizeof(struct page *) : len), GFP_KERNEL);

	if (!buf)
		return NULL;
	*buf = (struct unix_buf){ .len = len };
	INIT_LIST_HEAD(&buf->link);
	while (buf->nr_pages < pages) {
		struct page *page = alloc_page(GFP_KERNEL);

		if (!page) {
			buf_free_memory(buf);
			return NULL;
		}
		buf_pages(buf)[buf->nr_pages++] = page;
	}
	return buf;
}

/* Where byte `at` of a message is; *n is cut to what lies behind it there. */
static char *buf_at(struct unix_buf *buf, size_t at, size_t *n)
{
	if (!buf->nr_pages)
		return buf->data + at;
	*n = min(*n, PAGE_SIZE - at % PAGE_SIZE);
	return (char *)page_address(buf_pages(buf)[at / PAGE_SIZE]) + at % PAGE_SIZE;
}

static int buf_fill(struct unix_buf *buf, struct io_iter *from)
{
	size_t n;

	for (size_t at = 0; at < buf->len; at += n) {
		char *to;

		n = buf->len - at;
		to = buf_at(buf, at, &n);
		if (copy_from_iter(to, n, from) < n)
			return -EFAULT;
	}
	return 0;
}

/* Copies the next n bytes that were not received. 0 or -EFAULT */
static int buf_copy_out(struct unix_buf *buf, size_t n, struct io_iter *to)
{
	size_t at = buf->consumed, end = at + n, step;

	for (; at < end; at += step) {
		const char *from;

		step = end - at;
		from = buf_at(buf, at, &step);
		if (copy_to_iter(from, step, to) < step)
			return -EFAULT;
	}
	return 0;
}

void unix_free_buf(struct unix_buf *buf)
{
	struct unix_sock *owner = buf->owner;

	DEBUG_ON(buf->files || !list_empty(&buf->link));
	atomic_long_add_return(&owner->sent, -(long)buf->charge);
	if (unix_writable(owner))
		wake_up(&owner->wait);
	buf_free_memory(buf);
	unix_put(owner);
}

/* --- waiting ------------------------------------------------------------------------------- */

/* When what begins now and may take `timeout` ns has to end; 0: never. */
static u64 limit_of(u64 timeout)
{
	return timeout ? clock_ns() + timeout : 0;
}

/* limit: see above. 0, -EAGAIN: it is reached, -ERESTARTSYS or (where time would begin anew) -EINTR */
static int wait_for(struct unix_sock *sk, bool (*happened)(const void *sk), u64 limit)
{
	struct wait_queue_entry entry = { .se = this_cpu_read(current_se) };
	const struct time_limit until = { .clock = TIMER_MONOTONIC, .ns = limit };
	int err;

	add_wait_queue(&sk->wait, &entry);
	err = sleep_for_event(happened, sk, limit ? &until : NULL);
	remove_wait_queue(&sk->wait, &entry);
	if (err == -ETIMEDOUT)
		return -EAGAIN;
	return err == -EINTR && !limit ? -ERESTARTSYS : err;
}

static bool has_room(const struct unix_sock *sk)
{
	return (size_t)atomic_long_read(&sk->sent) < READ_ONCE(sk->sndbuf);
}

static bool may_send(const void *arg)
{
	const struct unix_sock *sk = arg;

	return has_room(sk) || READ_ONCE(sk->err) || (READ_ONCE(sk->shutdown) & SEND_SHUTDOWN);
}

static bool may_receive(const void *arg)
{
	const struct unix_sock *sk = arg;

	return !list_empty(&sk->queue) || READ_ONCE(sk->err) ||
	       (READ_ONCE(sk->shutdown) & RCV_SHUTDOWN);
}

/* --- sending ------------------------------------------------------------------------------- */

/* A message of len bytes, charged to its sender, who waits for room; or ERR_PTR. */
static struct unix_buf *new_buf(struct unix_sock *sk, size_t len, unsigned int flags)
{
	const u64 limit = limit_of(READ_ONCE(sk->sndtimeo));
	struct unix_buf *buf;
	int err;

	for (;;) {
		err = unix_take_error(sk);
		if (!err && (READ_ONCE(sk->shutdown) & SEND_SHUTDOWN))
			err = -EPIPE;
		if (err)
			return ERR_PTR(err);
		if (has_room(sk))
			break;
		err = flags & MSG_DONTWAIT ? -EAGAIN : wait_for(sk, may_send, limit);
		if (err)
			return ERR_PTR(err);
	}
	buf = buf_alloc(len);
	if (!buf)
		return ERR_PTR(-ENOBUFS);
	buf->charge = message_charge(sk, len);
	buf->owner = unix_get(sk);
	atomic_long_add_return(&sk->sent, (long)buf->charge);
	return buf;
}

/* Drops a message that didn't get into a queue. */
static void drop_buf(struct unix_buf *buf)
{
	LIST_HEAD(one);

	if (!buf->files) {
		unix_free_buf(buf);
		return;
	}
	list_add(&buf->link, &one);
	unix_purge(&one);
}

/* The same with its bytes, credentials and files. */
static struct unix_buf *make_buf(struct unix_sock *sk, struct socket_msg *msg, size_t len)
{
	struct unix_buf *buf = new_buf(sk, len, msg->flags);
	int err = 0;

	if (IS_ERR(buf))
		return buf;
	buf->cred = msg->has_cred ? msg->cred : (struct socket_cred){ 0, KEEP_ID, KEEP_ID };
	if (msg->files) {
		err = scm_attach(buf, msg->files);
		if (!err)
			msg->files = NULL; /* with the first part of a stream */
	}
	if (!err)
		err = buf_fill(buf, &msg->iter);
	if (!err)
		return buf;
	drop_buf(buf);
	return ERR_PTR(err);
}

/*
 * Puts a message into the queue of `peer`. 0; -ECONNREFUSED: it is closed; -EPIPE: it receives no more.
 */
static int enqueue(struct unix_sock *sk, struct unix_sock *peer, struct unix_buf *buf)
{
	int err = 0;

	/* Who wants to know gets to know it, whether it was told or not. */
	if (!buf->cred.pid && (READ_ONCE(sk->passcred) || READ_ONCE(peer->passcred)))
		buf->cred = socket_tasks->cred(false);
	spin_lock(&peer->lock);
	if (peer->dead)
		err = -ECONNREFUSED;
	else if (peer->shutdown & RCV_SHUTDOWN)
		err = -EPIPE;
	else
		list_add_tail(&buf->link, &peer->queue);
	spin_unlock(&peer->lock);
	if (!err)
		wake_up(&peer->wait);
	return err;
}

static void send_sigpipe(const struct socket_msg *msg)
{
	if (!(msg->flags & MSG_NOSIGNAL))
		pipe_tasks->send_sigpipe();
}

/* One part of a stream: its bytes, or -errno. */
static ssize_t send_part(struct unix_sock *sk, struct unix_sock *peer, struct socket_msg *msg,
			 bool first)
{
	size_t n = min(msg->iter.count, (READ_ONCE(sk->sndbuf) >> 1) - 64);
	struct unix_buf *buf;

	n = min(n, STREAM_PART_MAX);
	buf = make_buf(sk, msg, n);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	if (enqueue(sk, peer, buf)) {
		drop_buf(buf);
		if (first)
			send_sigpipe(msg);
		return -EPIPE;
	}
	return (ssize_t)n;
}

static ssize_t send_stream(struct unix_sock *sk, struct unix_sock *peer, struct socket_msg *msg)
{
	ssize_t sent = 0, n = 0;

	if (READ_ONCE(sk->shutdown) & SEND_SHUTDOWN) {
		send_sigpipe(msg);
		return -EPIPE;
	}
	while (msg->iter.count) {
		n = send_part(sk, peer, msg, !sent);
		if (n < 0)
			break;
		sent += n;
	}
	return sent ? sent : n;
}

/* Forgets another end that is gone, and what it had sent. */
static void disconnect(struct unix_sock *sk, struct unix_sock *peer)
{
	LIST_HEAD(lost);
	bool same;

	mutex_lock(&sk->iolock); /* somebody may be reading the first */
	spin_lock(&sk->lock);
	same = sk->peer == peer;
	if (same) {
		sk->peer = NULL;
		list_splice_init(&sk->queue, &lost);
	}
	spin_unlock(&sk->lock);
	mutex_unlock(&sk->iolock);
	if (same)
		unix_put(peer);
	unix_purge(&lost);
}

/* peer: NULL, if an address was given. */
static ssize_t send_dgram(struct unix_sock *sk, struct unix_sock *peer, struct socket_msg *msg)
{
	size_t len = msg->iter.count;
	struct unix_buf *buf;
	int err;

	if (len > READ_ONCE(sk->sndbuf) - 32)
		return -EMSGSIZE;
	buf = make_buf(sk, msg, len);
	if (IS_ERR(buf))
		return PTR_ERR(buf);
	if (!peer) {
		drop_buf(buf);
		return msg->name_err;
	}
	err = enqueue(sk, peer, buf);
	if (!err)
		return (ssize_t)len;
	drop_buf(buf);
	if (err == -ECONNREFUSED && sk->type == SOCK_DGRAM)
		disconnect(sk, peer);
	else
		err = -EPIPE;
	return err;
}

/* To an address that was given. Nobody has one. */
static ssize_t send_to_name(struct unix_sock *sk, struct socket_msg *msg)
{
	return msg->name_err == -EINVAL ? -EINVAL : send_dgram(sk, NULL, msg);
}

ssize_t unix_send(struct unix_sock *sk, struct socket_msg *msg)
{
	struct unix_sock *peer;
	ssize_t ret;

	if (sk->type == SOCK_SEQPACKET) {
		ret = unix_take_error(sk);
		if (ret)
			return ret;
	}
	if (msg->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (msg->name_err && sk->type == SOCK_STREAM)
		return -EISCONN;
	if (msg->name_err && sk->type == SOCK_DGRAM)
		return send_to_name(sk, msg);
	peer = unix_peer_get(sk);
	if (!peer)
		return -ENOTCONN;
	ret = (sk->type == SOCK_STREAM ? send_stream : send_dgram)(sk, peer, msg);
	unix_put(peer);
	return ret;
}

/* --- receiving ----------------------------------------------------------------------------- */

static bool same_cred(const struct socket_cred *a, const struct socket_cred *b)
{
	return a->pid == b->pid && a->uid == b->uid && a->gid == b->gid;
}

/* The first message, or NULL. Only who holds iolock takes one away. */
static struct unix_buf *first_buf(struct unix_sock *sk)
{
	struct unix_buf *buf = NULL;

	spin_lock(&sk->lock);
	if (!list_empty(&sk->queue))
		buf = list_first_entry(&sk->queue, struct unix_buf, link);
	spin_unlock(&sk->lock);
	return buf;
}

static struct unix_buf *next_buf(struct unix_sock *sk, struct unix_buf *buf)
{
	struct unix_buf *next = NULL;

	spin_lock(&sk->lock);
	if (!list_is_last(&buf->link, &sk->queue))
		next = list_next_entry(buf, link);
	spin_unlock(&sk->lock);
	return next;
}

static void unlink_buf(struct unix_sock *sk, struct unix_buf *buf)
{
	spin_lock(&sk->lock);
	list_del_init(&buf->link);
	spin_unlock(&sk->lock);
}

/* Gives the files of a message, or for MSG_PEEK copies of them, to who receives it. */
static void take_files(struct socket_msg *msg, struct unix_buf *buf)
{
	if (!buf->files)
		return;
	msg->files = msg->flags & MSG_PEEK ? scm_peek(buf) : scm_detach(buf);
}

/*
 * A reader of a stream takes from `buf`. Whether it goes on to the next one; *done counts the bytes, or is
 * -EFAULT. => iolock
 */
static bool stream_take(struct unix_sock *sk, struct socket_msg *msg, struct unix_buf *buf,
			ssize_t *done)
{
	size_t n = min(unix_buf_left(buf), msg->iter.count);
	bool peek = msg->flags & MSG_PEEK, had_files = buf->files;

	/* Bytes of different senders don't come together, if that is to be told. */
	if (msg->has_cred && !same_cred(&msg->cred, &buf->cred))
		return false;
	if (READ_ONCE(sk->passcred)) {
		msg->has_cred = true;
		msg->cred = buf->cred;
	}
	if (buf_copy_out(buf, n, &msg->iter)) {
		if (!*done)
			*done = -EFAULT;
		return false;
	}
	*done += (ssize_t)n;
	take_files(msg, buf);
	if (peek)
		return !had_files;
	buf->consumed += n;
	if (unix_buf_left(buf))
		return false;
	unlink_buf(sk, buf);
	unix_free_buf(buf);
	return !had_files;
}

/*
 * There was nothing to be read: why that ends the call, or 0: wait, or look once more. What is sent comes
 * before the end that follows it, so the end counts only while the queue is seen to be empty. => iolock
 */
static int nothing_there(struct unix_sock *sk, const struct socket_msg *msg, bool *end)
{
	int err = 0;

	*end = false;
	spin_lock(&sk->lock);
	if (list_empty(&sk->queue)) {
		err = sk->err;
		WRITE_ONCE(sk->err, 0);
		*end = err || (sk->shutdown & RCV_SHUTDOWN);
		if (!*end && (msg->flags & MSG_DONTWAIT))
			err = -EAGAIN;
	}
	spin_unlock(&sk->lock);
	return err;
}

static size_t receive_target(const struct unix_sock *sk, const struct socket_msg *msg)
{
	size_t wanted = msg->iter.count;

	if (!(msg->flags & MSG_WAITALL))
		wanted = min(wanted, (size_t)READ_ONCE(sk->rcvlowat));
	return wanted ? wanted : 1;
}

static ssize_t recv_stream(struct unix_sock *sk, struct socket_msg *msg)
{
	const u64 limit = limit_of(READ_ONCE(sk->rcvtimeo));
	size_t target = receive_target(sk, msg);
	struct unix_buf *buf;
	ssize_t done = 0;
	int err = 0;
	bool end;

	mutex_lock(&sk->iolock);
	for (;;) {
		buf = first_buf(sk);
		if (buf) {
			while (buf && stream_take(sk, msg, buf, &done) && msg->iter.count)
				buf = msg->flags & MSG_PEEK ? next_buf(sk, buf) : first_buf(sk);
			if (buf || !msg->iter.count || (msg->flags & MSG_PEEK))
				break;
			continue;
		}
		if (done >= (ssize_t)target)
			break;
		err = nothing_there(sk, msg, &end);
		if (err || end)
			break;
		mutex_unlock(&sk->iolock);
		err = wait_for(sk, may_receive, limit);
		mutex_lock(&sk->iolock);
		if (err)
			break;
	}
	mutex_unlock(&sk->iolock);
	return done ? done : err;
}

/* Waits for a datagram. => iolock, and <= */
static struct unix_buf *wait_dgram(struct unix_sock *sk, const struct socket_msg *msg)
{
	const u64 limit = limit_of(READ_ONCE(sk->rcvtimeo));
	struct unix_buf *buf;
	bool end;
	int err;

	for (;;) {
		err = unix_take_error(sk);
		if (err)
			return ERR_PTR(err);
		buf = first_buf(sk);
		if (buf)
			return buf;
		err = nothing_there(sk, msg, &end);
		/* Who doesn't wait isn't told the end of what has no connection. */
		if (!err && end && (msg->flags & MSG_DONTWAIT) && sk->type == SOCK_DGRAM)
			err = -EAGAIN;
		if (err || end)
			return ERR_PTR(err);
		mutex_unlock(&sk->iolock);
		err = wait_for(sk, may_receive, limit);
		mutex_lock(&sk->iolock);
		if (err)
			return ERR_PTR(err);
	}
}

static ssize_t recv_dgram(struct unix_sock *sk, struct socket_msg *msg)
{
	bool peek = msg->flags & MSG_PEEK;
	struct unix_buf *buf;
	ssize_t ret;
	size_t n;

	if (msg->flags & MSG_OOB)
		return -EOPNOTSUPP;
	mutex_lock(&sk->iolock);
	buf = wait_dgram(sk, msg);
	if (!buf || IS_ERR(buf)) {
		mutex_unlock(&sk->iolock);
		return PTR_ERR(buf);
	}
	n = min(buf->len, msg->iter.count);
	if (n < buf->len)
		msg->out_flags |= MSG_TRUNC;
	ret = buf_copy_out(buf, n, &msg->iter);
	if (!ret) {
		ret = (ssize_t)(msg->flags & MSG_TRUNC ? buf->len : n);
		msg->has_cred = READ_ONCE(sk->passcred);
		msg->cred = buf->cred;
		take_files(msg, buf);
	}
	if (!peek)
		unlink_buf(sk, buf);
	mutex_unlock(&sk->iolock);
	if (!peek)
		drop_buf(buf);
	return ret;
}

ssize_t unix_recv(struct unix_sock *sk, struct socket_msg *msg)
{
	if (sk->type != SOCK_STREAM)
		return recv_dgram(sk, msg);
	/* There is no such data. */
	if (msg->flags & MSG_OOB)
		return -EINVAL;
	return recv_stream(sk, msg);
}

/* --- for files ----------------------------------------------------------------------------- */

ssize_t socket_send(struct file *file, struct socket_msg *msg)
{
	if (file->f_flags & O_NONBLOCK)
		msg->flags |= MSG_DONTWAIT;
	return unix_send(socket_of(file), msg);
}

ssize_t socket_recv(struct file *file, struct socket_msg *msg)
{
	if (file->f_flags & O_NONBLOCK)
		msg->flags |= MSG_DONTWAIT;
	return unix_recv(socket_of(file), msg);
}
