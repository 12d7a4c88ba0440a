/* SPDX-License-Identifier: MIT */
/* Sockets as system calls see them: unix(7). Only those of AF_UNIX exist. */
#ifndef KERNEL_FS_SOCKET_H
#define KERNEL_FS_SOCKET_H

#include "kernel/abi/socket.h"
#include "kernel/fs/vfs.h"

struct unix_sock;

/* What goes with a message, beside its bytes. */
struct scm_files {
	unsigned int count;
	void *user; /* in flight: for whom they count; see struct socket_task_ops */
	struct file *files[SCM_MAX_FD]; /* referenced */
};

struct socket_cred {
	int pid;
	u32 uid, gid;
};

/* One message, on its way in or out of the kernel. */
struct socket_msg {
	struct io_iter iter;
	unsigned int flags;	/* MSG_*, as the caller of the system call gave them */
	unsigned int out_flags; /* received: MSG_TRUNC and others */
	int name_err; /* to send: why nobody is found by the address that was given, -errno; 0: none was */
	bool has_cred; /* to send: given explicitly. Received: asked for by SO_PASSCRED */
	struct socket_cred cred;
	struct scm_files *files; /* or NULL. The caller's to free, also what sending didn't take */
};

/* The socket of an open file, or NULL: -ENOTSOCK. */
struct unix_sock *socket_of(const struct file *file);

/*
 * socketpair(2): two connected ones. flags: O_NONBLOCK. 0, -EAFNOSUPPORT, -EINVAL, -EPROTONOSUPPORT,
 * -ESOCKTNOSUPPORT, -ENFILE, -ENOMEM.
 */
int socket_pair(struct file *files[2], int family, int type, int protocol, unsigned int flags,
		const struct cred_view *cred);
/* Whether there is such a kind of socket: 0, or the errno of the above; *type: the kind it is. */
int socket_check(int family, int *type, int protocol);
/*
 * Bytes moved, or -errno. O_NONBLOCK is heeded as MSG_DONTWAIT is. May sleep for ever. => no lock held
 */
ssize_t socket_send(struct file *file, struct socket_msg *msg);
ssize_t socket_recv(struct file *file, struct socket_msg *msg);
int socket_shutdown(struct file *file, int how);
/* -ENOTCONN for the other end of what has none. */
int socket_has_peer(struct file *file);

/* The error that the next call will return, -errno or 0: taken, and set. */
int socket_take_error(struct file *file);
void socket_set_error(struct file *file, int err);

/* A value of socket(7) in the kernel: size bytes of it are there or wanted. */
union socket_value {
	int number;
	struct {
		int on, seconds;
	} linger;
	struct {
		s64 sec, usec;
	} time;
	struct kernel_ucred cred;
};
/* Its size in bytes, or -ENOPROTOOPT. */
int socket_get_option(struct file *file, int name, union socket_value *value);
int socket_set_option(struct file *file, int name, const union socket_value *value, size_t size,
		      const struct cred_view *cred);

/* --- files on their way -------------------------------------------------------------------- */

/* Drops the files and what held them. NULL is fine. May sleep. */
void scm_free(struct scm_files *files);
/* Frees sockets that only messages in each other's queues still hold. May sleep. */
void socket_collect(void);

/* What sockets need of the process layer, which sets it at boot. */
struct socket_task_ops {
	/* The running task as it is told to others: process, real user and group; or effective ones. */
	struct socket_cred (*cred)(bool effective);
	/* Adds to the files that a user of pipe_tasks->user_get() has in flight; their sum. */
	long (*in_flight)(void *user, long files);
	/* RLIMIT_NOFILE */
	unsigned long (*nofile_limit)(void);
};
extern const struct socket_task_ops *socket_tasks;

#endif
