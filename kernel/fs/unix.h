/* SPDX-License-Identifier: MIT */
/*
 * What the files of sockets share: unix.c has their life, unix_msg.c moves bytes, unix_scm.c keeps
 * account of files that are in messages, unix_opt.c answers for settings.
 */
#ifndef KERNEL_FS_UNIX_H
#define KERNEL_FS_UNIX_H

#include "kernel/fs/socket.h"
#include "kernel/sched/timer.h"
#include "kernel/sched/wait.h"

/* sk->shutdown */
#define RCV_SHUTDOWN  1U
#define SEND_SHUTDOWN 2U
#define SHUTDOWN_MASK 3U

/*
 * A message that waits to be received; of a stream, a part of one. Small ones have their bytes in
 * `data`, others there pointers to pages.
 */
struct unix_buf {
	struct list_head link;
	struct unix_sock *owner; /* who sent it: charged, referenced */
	size_t len, consumed;
	size_t charge;
	struct socket_cred cred;
	struct scm_files *files;
	unsigned int nr_pages;
	char data[] __aligned(8);
};

struct unix_sock {
	atomic_t count; /* the open file, a peer, and messages it sent */
	int type;
	struct file *file;	     /* not referenced: the socket of an open file goes with it */
	struct wait_queue_head wait; /* for whatever may change */
	struct mutex iolock;	     /* one reader at a time */

	spinlock_t lock; /* what follows; of two sockets never both at once */
	struct list_head queue;
	struct unix_sock *peer; /* referenced */
	unsigned int shutdown;
	int err; /* to be told once: -errno, or 0 */
	bool dead;

	atomic_long_t
		sent; /* charged for what it sent and nobody took; bytes, as Linux counts them */
	size_t sndbuf, rcvbuf;
	bool passcred;
	u32 flags; /* BIT(SO_*): on, and without a meaning here */
	int priority, rcvlowat;
	struct {
		int on, seconds;
	} linger;
	u64 rcvtimeo, sndtimeo; /* ns; 0: for ever */
	struct socket_cred peercred;

	/* unix_scm.c: => unix_gc_mutex */
	long in_flight; /* of the references on its file: those that messages hold */
	long outside;	/* of these, while garbage is looked for: those from elsewhere */
	bool candidate;
	struct list_head flight_link;
};

/* Drops a reference. NULL is fine. */
void unix_put(struct unix_sock *sk);
static inline struct unix_sock *unix_get(struct unix_sock *sk)
{
	atomic_inc(&sk->count);
	return sk;
}
/* The other end, referenced, or NULL. */
struct unix_sock *unix_peer_get(struct unix_sock *sk);
/* Takes the error that waits to be told: -errno or 0. */
int unix_take_error(struct unix_sock *sk);
/* Whether it counts as ready for writing. */
static inline bool unix_writable(const struct unix_sock *sk)
{
	return (size_t)atomic_long_read(&sk->sent) * 4 <= READ_ONCE(sk->sndbuf);
}

ssize_t unix_send(struct unix_sock *sk, struct socket_msg *msg);
ssize_t unix_recv(struct unix_sock *sk, struct socket_msg *msg);
/* Ends a message that has no files and is in no queue: who sent it may send more. */
void unix_free_buf(struct unix_buf *buf);
/* The bytes of a message that were not received yet. */
static inline size_t unix_buf_left(const struct unix_buf *buf)
{
	return buf->len - buf->consumed;
}

/* The message's files are in flight from now on, and its. 0, -ETOOMANYREFS; then they are still the caller's. */
int scm_attach(struct unix_buf *buf, struct scm_files *files);
/* Takes them out again. */
struct scm_files *scm_detach(struct unix_buf *buf);
/* A copy for who only looks, or NULL. */
struct scm_files *scm_peek(struct unix_buf *buf);
/*
 * What a closed socket leaves: frees the messages, and closes the files in them, and what those leave...
 * without one inside the other.
 */
void unix_purge(struct list_head *bufs);

#endif
