/* SPDX-License-Identifier: MIT */
/*
 * Sockets of AF_UNIX: their life, and what their files can do.
 *
 * Each has a queue of messages that wait to be received. Who sends puts a message at the end of the
 * other's queue and is charged for it until it has been taken from there, so what limits a sender is
 * its own SO_SNDBUF.
 */
#include "kernel/fs/unix.h"

#include <arch/uaccess.h>

#include "kernel/abi/ioctl.h"
#include "kernel/base/panic.h"
#include "kernel/fs/pipe.h"
#include "kernel/fs/poll.h"
#include "mm/slab.h"

#define SOCKFS_MAGIC 0x534f434b
/* net.core.wmem_default and rmem_default */
#define DEFAULT_BUF 212992

const struct socket_task_ops *socket_tasks;

static struct super_block *sock_sb;
static const struct file_operations socket_fops;

/* --- sockets ------------------------------------------------------------------------------- */

static struct unix_sock *unix_alloc(int type)
{
	struct unix_sock *sk = kzalloc(sizeof(*sk), GFP_KERNEL);

	if (!sk)
		return NULL;
	atomic_set(&sk->count, 1);
	sk->type = type;
	init_waitqueue_head(&sk->wait);
	mutex_init(&sk->iolock);
	spin_lock_init(&sk->lock);
	INIT_LIST_HEAD(&sk->queue);
	INIT_LIST_HEAD(&sk->flight_link);
	sk->sndbuf = sk->rcvbuf = DEFAULT_BUF;
	sk->rcvlowat = 1;
	sk->peercred = (struct socket_cred){ 0, KEEP_ID, KEEP_ID };
	return sk;
}

void unix_put(struct unix_sock *sk)
{
	if (!sk || !atomic_dec_and_test(&sk->count))
		return;
	DEBUG_ON(!list_empty(&sk->queue) || sk->peer || atomic_long_read(&sk->sent));
	kfree(sk);
}

struct unix_sock *unix_peer_get(struct unix_sock *sk)
{
	struct unix_sock *peer;

	spin_lock(&sk->lock);
	peer = sk->peer;
	if (peer)
		unix_get(peer);
	spin_unlock(&sk->lock);
	return peer;
}

int unix_take_error(struct unix_sock *sk)
{
	int err;

	if (!READ_ONCE(sk->err))
		return 0;
	spin_lock(&sk->lock);
	err = sk->err;
	WRITE_ONCE(sk->err, 0);
	spin_unlock(&sk->lock);
	return err;
}

/* => the file is a socket */
static struct unix_sock *known_socket(const struct file *file)
{
	struct unix_sock *sk = socket_of(file);

	DEBUG_ON(!sk);
	return sk;
}

int socket_take_error(struct file *file)
{
	return unix_take_error(known_socket(file));
}

void socket_set_error(struct file *file, int err)
{
	struct unix_sock *sk = known_socket(file);

	spin_lock(&sk->lock);
	WRITE_ONCE(sk->err, err);
	spin_unlock(&sk->lock);
}

/* What one end does to itself it does to the other. `err`: what that is to be told, or 0. */
static void shut_down_peer(struct unix_sock *peer, unsigned int how, int err)
{
	spin_lock(&peer->lock);
	WRITE_ONCE(peer->shutdown, peer->shutdown | how);
	if (err)
		WRITE_ONCE(peer->err, err);
	spin_unlock(&peer->lock);
	wake_up(&peer->wait);
}

static bool is_connection(const struct unix_sock *sk)
{
	return sk->type != SOCK_DGRAM;
}

int socket_shutdown(struct file *file, int how)
{
	struct unix_sock *sk = socket_of(file), *peer;
	unsigned int mode = (unsigned int)how + 1, other = 0;

	if (!sk)
		return -ENOTSOCK;
	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	spin_lock(&sk->lock);
	WRITE_ONCE(sk->shutdown, sk->shutdown | mode);
	spin_unlock(&sk->lock);
	wake_up(&sk->wait);
	if (mode & RCV_SHUTDOWN)
		other |= SEND_SHUTDOWN;
	if (mode & SEND_SHUTDOWN)
		other |= RCV_SHUTDOWN;
	peer = is_connection(sk) ? unix_peer_get(sk) : NULL;
	if (peer)
		shut_down_peer(peer, other, 0);
	unix_put(peer);
	return 0;
}

/* The last reference on the file is gone. */
static void socket_release(struct file *file)
{
	struct unix_sock *sk = file->private_data, *peer;
	LIST_HEAD(unread);

	spin_lock(&sk->lock);
	WRITE_ONCE(sk->shutdown, SHUTDOWN_MASK);
	sk->dead = true;
	peer = sk->peer;
	sk->peer = NULL;
	list_splice_init(&sk->queue, &unread);
	spin_unlock(&sk->lock);
	/* The other end may be waiting for an answer that was not read. */
	if (peer && is_connection(sk))
		shut_down_peer(peer, SHUTDOWN_MASK, list_empty(&unread) ? 0 : -ECONNRESET);
	unix_put(peer);
	unix_purge(&unread);
	unix_put(sk);
}

/* --- as files ------------------------------------------------------------------------------ */

struct unix_sock *socket_of(const struct file *file)
{
	return file->f_op == &socket_fops ? file->private_data : NULL;
}

static ssize_t socket_read_iter(struct file *file, struct io_iter *to, loff_t *pos)
{
	struct socket_msg msg = { .iter = *to };
	ssize_t n;

	if (!to->count)
		return 0;
	n = socket_recv(file, &msg);
	scm_free(msg.files); /* by read(2) they are lost */
	return n;
}

static ssize_t socket_write_iter(struct file *file, struct io_iter *from, loff_t *pos)
{
	struct socket_msg msg = { .iter = *from };

	return socket_send(file, &msg);
}

static u32 socket_poll(struct file *file, struct poll_table *pt)
{
	struct unix_sock *sk = file->private_data;
	unsigned int shutdown;
	u32 mask = 0;

	poll_wait(file, &sk->wait, pt);
	shutdown = READ_ONCE(sk->shutdown);
	if (READ_ONCE(sk->err))
		mask |= POLLERR;
	if (shutdown == SHUTDOWN_MASK)
		mask |= POLLHUP;
	if (shutdown & RCV_SHUTDOWN)
		mask |= POLLRDHUP | POLLIN | POLLRDNORM;
	if (!list_empty(&sk->queue))
		mask |= POLLIN | POLLRDNORM;
	if (unix_writable(sk))
		mask |= POLLOUT | POLLWRNORM | POLLWRBAND;
	return mask;
}

/* What FIONREAD shows: all bytes that wait, or those of the next datagram. */
static int readable_bytes(struct unix_sock *sk)
{
	struct unix_buf *buf;
	size_t sum = 0;

	spin_lock(&sk->lock);
	list_for_each_entry(buf, &sk->queue, link)
	{
		sum += unix_buf_left(buf);
		if (!is_connection(sk))
			break;
	}
	spin_unlock(&sk->lock);
	return (int)sum;
}

static long socket_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct unix_sock *sk = file->private_data;

	switch (cmd) {
	case FIONREAD:
		return put_user(readable_bytes(sk), (int __user *)arg);
	case TIOCOUTQ:
		return put_user((int)atomic_long_read(&sk->sent), (int __user *)arg);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations socket_fops = {
	.read_iter = socket_read_iter,
	.write_iter = socket_write_iter,
	.poll = socket_poll,
	.ioctl = socket_ioctl,
	.release = socket_release,
};

/* --- making them --------------------------------------------------------------------------- */

/* A file for a new socket, which goes with it; or ERR_PTR. */
static struct file *socket_file(int type, unsigned int flags, const struct cred_view *cred)
{
	struct file *file = file_alloc(O_RDWR | flags, cred);
	struct dentry *dentry;
	struct unix_sock *sk;
	int err = -ENOMEM;

	if (IS_ERR(file))
		return file;
	dentry = d_alloc_pseudo(sock_sb, "socket", S_IFSOCK | S_IRWXUGO, &socket_fops, cred);
	sk = unix_alloc(type);
	if (!dentry || !sk)
		goto fail;
	err = file_bind(file, dentry);
	if (err)
		goto fail;
	file->f_mode |= FMODE_STREAM;
	file->private_data = sk;
	sk->file = file;
	dput(dentry);
	return file;
fail:
	dput(dentry);
	unix_put(sk);
	fput(file);
	return ERR_PTR(err);
}

int socket_check(int family, int *type, int protocol)
{
	if (family < 0 || family >= AF_MAX)
		return -EAFNOSUPPORT;
	if (*type < 0 || *type >= SOCK_TYPE_MAX)
		return -EINVAL;
	if (family != AF_UNIX)
		return -EAFNOSUPPORT;
	if (protocol && protocol != AF_UNIX)
		return -EPROTONOSUPPORT;
	if (*type == SOCK_RAW)
		*type = SOCK_DGRAM;
	if (*type != SOCK_STREAM && *type != SOCK_DGRAM && *type != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	return 0;
}

static void connect_to(struct file *file, struct file *other)
{
	struct unix_sock *sk = known_socket(file);

	sk->peer = unix_get(known_socket(other));
	sk->peercred = socket_tasks->cred(true);
}

int socket_pair(struct file *files[2], int family, int type, int protocol, unsigned int flags,
		const struct cred_view *cred)
{
	int err = socket_check(family, &type, protocol);

	if (err)
		return err;
	files[0] = socket_file(type, flags, cred);
	if (IS_ERR(files[0]))
		return (int)PTR_ERR(files[0]);
	files[1] = socket_file(type, flags, cred);
	if (IS_ERR(files[1])) {
		fput(files[0]);
		return (int)PTR_ERR(files[1]);
	}
	connect_to(files[0], files[1]);
	connect_to(files[1], files[0]);
	return 0;
}

int socket_has_peer(struct file *file)
{
	struct unix_sock *peer = unix_peer_get(known_socket(file));

	unix_put(peer);
	return peer ? 0 : -ENOTCONN;
}

void socket_init(void)
{
	sock_sb = super_alloc("sockfs", SOCKFS_MAGIC, NULL);
	if (!sock_sb)
		panic("no memory for sockfs");
	sock_sb->s_pseudo = true;
}
