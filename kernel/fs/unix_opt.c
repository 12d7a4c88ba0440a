/* SPDX-License-Identifier: MIT */
/* The settings of sockets: socket(7), SOL_SOCKET of getsockopt(2) and setsockopt(2). */
#include "kernel/fs/unix.h"

/* What is kept, and means nothing for a socket of this family. */
#define KEPT_FLAGS                                                                       \
	(BIT(SO_REUSEADDR) | BIT(SO_DONTROUTE) | BIT(SO_BROADCAST) | BIT(SO_KEEPALIVE) | \
	 BIT(SO_OOBINLINE) | BIT(SO_DEBUG))

#define CAP_NET_ADMIN 12
#define CAP_NET_RAW   13

/* net.core.wmem_max and rmem_max; what a size can't go below. */
#define BUF_MAX	   212992U
#define SNDBUF_MIN 4608U
#define RCVBUF_MIN 2304U
/* What the distribution's Linux counts timeouts in. */
#define NS_PER_TICK  4000000UL
#define NS_PER_USEC  1000
#define USEC_PER_SEC 1000000

static size_t put_timeout(union socket_value *value, u64 ns)
{
	value->time.sec = (s64)(ns / NS_PER_SEC);
	value->time.usec = (s64)(ns % NS_PER_SEC / NS_PER_USEC);
	return sizeof(value->time);
}

static size_t put_cred(union socket_value *value, const struct socket_cred *cred)
{
	value->cred = (struct kernel_ucred){ cred->pid, cred->uid, cred->gid };
	return sizeof(value->cred);
}

/* Those that are a number. -ENOPROTOOPT when it is none of them. */
static int get_number(struct unix_sock *sk, int name, int *number)
{
	switch (name) {
	case SO_TYPE:
		*number = sk->type;
		return 0;
	case SO_ERROR:
		*number = -unix_take_error(sk);
		return 0;
	case SO_SNDBUF:
		*number = (int)READ_ONCE(sk->sndbuf);
		return 0;
	case SO_RCVBUF:
		*number = (int)READ_ONCE(sk->rcvbuf);
		return 0;
	case SO_PRIORITY:
		*number = sk->priority;
		return 0;
	case SO_PASSCRED:
		*number = sk->passcred;
		return 0;
	case SO_RCVLOWAT:
		*number = sk->rcvlowat;
		return 0;
	case SO_SNDLOWAT:
		*number = 1;
		return 0;
	case SO_ACCEPTCONN:
	case SO_PROTOCOL:
		*number = 0;
		return 0;
	case SO_DOMAIN:
		*number = AF_UNIX;
		return 0;
	}
	if (name <= 0 || name >= 32 || !(KEPT_FLAGS & BIT(name)))
		return -ENOPROTOOPT;
	*number = !!(sk->flags & BIT(name));
	return 0;
}

int socket_get_option(struct file *file, int name, union socket_value *value)
{
	struct unix_sock *sk = socket_of(file);
	int err;

	switch (name) {
	case SO_LINGER:
		value->linger.on = sk->linger.on;
		value->linger.seconds = sk->linger.seconds;
		return sizeof(value->linger);
	case SO_RCVTIMEO:
		return (int)put_timeout(value, sk->rcvtimeo);
	case SO_SNDTIMEO:
		return (int)put_timeout(value, sk->sndtimeo);
	case SO_PEERCRED:
		return (int)put_cred(value, &sk->peercred);
	}
	err = get_number(sk, name, &value->number);
	return err ? err : (int)sizeof(value->number);
}

/* Sizes are doubled, for what is beside the bytes. */
static size_t buf_size(int wanted, unsigned int max, unsigned int min)
{
	unsigned int size = min((unsigned int)wanted, max);

	return max(2 * size, min);
}

static int set_timeout(u64 *timeout, const union socket_value *value, size_t size)
{
	s64 sec = value->time.sec, usec = value->time.usec;

	if (size < sizeof(value->time))
		return -EINVAL;
	if (usec < 0 || usec >= USEC_PER_SEC)
		return -EDOM;
	if (sec < 0) /* as if it had passed: it is the shortest there is */
		*timeout = 1;
	else if (sec >= (s64)(~0UL >> 1) / NS_PER_SEC)
		*timeout = 0;
	else
		*timeout = DIV_ROUND_UP((u64)(sec * NS_PER_SEC + usec * NS_PER_USEC), NS_PER_TICK) *
			   NS_PER_TICK;
	return 0;
}

static int set_linger(struct unix_sock *sk, const union socket_value *value, size_t size)
{
	if (size < sizeof(value->linger))
		return -EINVAL;
	sk->linger.on = !!value->linger.on;
	if (value->linger.on)
		sk->linger.seconds = value->linger.seconds;
	return 0;
}

static int set_priority(struct unix_sock *sk, int priority, const struct cred_view *cred)
{
	if ((priority < 0 || priority > 6) && !cred_capable(cred, CAP_NET_RAW) &&
	    !cred_capable(cred, CAP_NET_ADMIN))
		return -EPERM;
	sk->priority = priority;
	return 0;
}

static int force_buf(size_t *buf, int wanted, unsigned int least, const struct cred_view *cred)
{
	if (!cred_capable(cred, CAP_NET_ADMIN))
		return -EPERM;
	WRITE_ONCE(*buf, buf_size(max(wanted, 0), 0x3fffffff, least));
	return 0;
}

/* A flag that is only kept. */
static int set_flag(struct unix_sock *sk, int name, bool on, const struct cred_view *cred)
{
	if (name <= 0 || name >= 32 || !(KEPT_FLAGS & BIT(name)))
		return -ENOPROTOOPT;
	if (name == SO_DEBUG && on && !cred_capable(cred, CAP_NET_ADMIN))
		return -EACCES;
	if (on)
		__atomic_fetch_or(&sk->flags, BIT(name), __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(&sk->flags, ~(u32)BIT(name), __ATOMIC_RELAXED);
	return 0;
}

int socket_set_option(struct file *file, int name, const union socket_value *value, size_t size,
		      const struct cred_view *cred)
{
	struct unix_sock *sk = socket_of(file);
	int number = value->number;

	switch (name) {
	case SO_SNDBUF:
		WRITE_ONCE(sk->sndbuf, buf_size(number, BUF_MAX, SNDBUF_MIN));
		wake_up(&sk->wait);
		return 0;
	case SO_RCVBUF:
		WRITE_ONCE(sk->rcvbuf, buf_size(number, BUF_MAX, RCVBUF_MIN));
		return 0;
	case SO_SNDBUFFORCE:
		return force_buf(&sk->sndbuf, number, SNDBUF_MIN, cred);
	case SO_RCVBUFFORCE:
		return force_buf(&sk->rcvbuf, number, RCVBUF_MIN, cred);
	case SO_PASSCRED:
		WRITE_ONCE(sk->passcred, !!number);
		return 0;
	case SO_PRIORITY:
		return set_priority(sk, number, cred);
	case SO_LINGER:
		return set_linger(sk, value, size);
	case SO_RCVLOWAT:
		WRITE_ONCE(sk->rcvlowat, number < 0 ? 0x7fffffff : number ? number : 1);
		return 0;
	case SO_RCVTIMEO:
		return set_timeout(&sk->rcvtimeo, value, size);
	case SO_SNDTIMEO:
		return set_timeout(&sk->sndtimeo, value, size);
	case SO_TYPE:
	case SO_ERROR:
	case SO_DOMAIN:
	case SO_PROTOCOL:
		return -ENOPROTOOPT;
	}
	return set_flag(sk, name, number, cred);
}
