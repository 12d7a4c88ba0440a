/* SPDX-License-Identifier: MIT */
/* Messages: send(2), recv(2), and what goes with them, cmsg(3). */
#include <arch/clock.h>
#include <arch/uaccess.h>

#include "kernel/base/string.h"
#include "kernel/fs/fdtable.h"
#include "kernel/fs/namei.h"
#include "kernel/process/current.h"
#include "kernel/sched/timer.h"
#include "kernel/syscall/sys_file.h"
#include "kernel/syscall/sys_socket.h"
#include "mm/slab.h"

/* net.core.optmem_max: so much beside the bytes is too much. */
#define CONTROL_MAX 20480
#define CAP_SETGID  6

/* --- what goes with a message that is sent ------------------------------------------------- */

/* Adds the descriptors of an SCM_RIGHTS. 0, -EINVAL, -ENOMEM, -EBADF */
static int add_files(struct socket_msg *msg, const int *fds, size_t nr)
{
	if (!nr)
		return 0;
	if (nr > SCM_MAX_FD)
		return -EINVAL;
	if (!msg->files) {
		msg->files = kmalloc(sizeof(*msg->files), GFP_KERNEL);
		if (!msg->files)
			return -ENOMEM;
		msg->files->count = 0;
		msg->files->user = NULL;
	}
	if (msg->files->count + nr > SCM_MAX_FD)
		return -EINVAL;
	for (size_t i = 0; i < nr; i++) {
		struct file *file = fget_raw(current_files(), (unsigned int)fds[i]);

		if (!file)
			return -EBADF;
		msg->files->files[msg->files->count++] = file;
	}
	return 0;
}

static bool one_of(u32 id, u32 a, u32 b, u32 c)
{
	return id == a || id == b || id == c;
}

static bool process_exists(int pid)
{
	unsigned long flags = spin_lock_irqsave(&tasklist_lock);
	bool found = find_task(pid);

	spin_unlock_irqrestore(&tasklist_lock, flags);
	return found;
}

/* SCM_CREDENTIALS: one's own, or with privilege anybody's. 0, -EINVAL, -EPERM, -ESRCH */
static int set_cred(struct socket_msg *msg, const struct kernel_ucred *ucred)
{
	const struct cred *c = &current->cred;

	if (ucred->uid == KEEP_ID || ucred->gid == KEEP_ID)
		return -EINVAL;
	if (!(ucred->pid == current->tgid || capable(CAP_SYS_ADMIN)) ||
	    !(one_of(ucred->uid, c->uid, c->euid, c->suid) || capable(CAP_SETUID)) ||
	    !(one_of(ucred->gid, c->gid, c->egid, c->sgid) || capable(CAP_SETGID)))
		return -EPERM;
	if (ucred->pid != current->tgid && !process_exists(ucred->pid))
		return -ESRCH;
	msg->has_cred = true;
	msg->cred = (struct socket_cred){ ucred->pid, ucred->uid, ucred->gid };
	return 0;
}

static int parse_one(struct socket_msg *msg, const struct kernel_cmsghdr *cmsg)
{
	size_t len = cmsg->cmsg_len - sizeof(*cmsg);
	struct kernel_ucred ucred;

	if (cmsg->cmsg_level != SOL_SOCKET)
		return 0;
	switch (cmsg->cmsg_type) {
	case SCM_RIGHTS:
		return add_files(msg, (const int *)(cmsg + 1), len / sizeof(int));
	case SCM_CREDENTIALS:
		if (len != sizeof(ucred))
			return -EINVAL;
		memcpy(&ucred, cmsg + 1, sizeof(ucred));
		return set_cred(msg, &ucred);
	default:
		return -EINVAL;
	}
}

/* All headers in `len` bytes. */
static int parse_control(struct socket_msg *msg, const char *control, size_t len)
{
	size_t at = 0;
	int err = 0;

	while (!err && len >= sizeof(struct kernel_cmsghdr) &&
	       at <= len - sizeof(struct kernel_cmsghdr)) {
		const struct kernel_cmsghdr *cmsg = (const void *)(control + at);

		if (cmsg->cmsg_len < sizeof(*cmsg) || cmsg->cmsg_len > len - at)
			return -EINVAL;
		err = parse_one(msg, cmsg);
		at += ALIGN_UP(cmsg->cmsg_len, 8UL);
	}
	if (!err && msg->files && !msg->files->count) {
		scm_free(msg->files);
		msg->files = NULL;
	}
	return err;
}

static int read_control(struct socket_msg *msg, const void __user *user, size_t len)
{
	char *control;
	int err = -EFAULT;

	if (!len)
		return 0;
	if (len >= CONTROL_MAX)
		return -ENOBUFS;
	control = kmalloc(ALIGN_UP(len, 8UL), GFP_KERNEL);
	if (!control)
		return -ENOBUFS;
	if (!copy_from_user(control, user, len))
		err = parse_control(msg, control, len);
	kfree(control);
	return err;
}

/* --- what came with one -------------------------------------------------------------------- */

/* Where control messages are written in the program's memory. */
struct control_writer {
	char __user *at;
	size_t room;
	unsigned int *flags;
};

static void advance(struct control_writer *w, size_t len)
{
	len = min(ALIGN_UP(len, 8UL), w->room);
	w->at += len;
	w->room -= len;
}

static void put_cred(struct control_writer *w, const struct socket_cred *cred)
{
	struct {
		struct kernel_cmsghdr head;
		struct kernel_ucred body;
		u32 pad;
	} cmsg = { { sizeof(cmsg.head) + sizeof(cmsg.body), SOL_SOCKET, SCM_CREDENTIALS },
		   { cred->pid, cred->uid, cred->gid },
		   0 };

	/* Who sent it didn't say: nobody, as users that have no number here. */
	if (cred->uid == KEEP_ID)
		cmsg.body.uid = cmsg.body.gid = 65534;
	if (w->room < sizeof(cmsg.head)) {
		*w->flags |= MSG_CTRUNC;
		return;
	}
	if (w->room < cmsg.head.cmsg_len) {
		*w->flags |= MSG_CTRUNC;
		cmsg.head.cmsg_len = w->room;
	}
	if (!copy_to_user(w->at, &cmsg, cmsg.head.cmsg_len))
		advance(w, cmsg.head.cmsg_len);
}

/* A descriptor for a file that came, its number written to *user. 0 or -errno */
static int receive_fd(struct file *file, int __user *user, bool cloexec)
{
	struct files_struct *files = current_files();
	int fd = alloc_fd(files, 0, current_nofile_limit(), cloexec);

	if (fd < 0)
		return fd;
	if (put_user(fd, user)) {
		put_unused_fd(files, (unsigned int)fd);
		return -EFAULT;
	}
	fd_install(files, (unsigned int)fd, get_file(file));
	return 0;
}

/* As many as there is room for, and as the process may have; the others are lost. */
static void put_files(struct control_writer *w, const struct scm_files *files, bool cloexec)
{
	struct kernel_cmsghdr head = { 0, SOL_SOCKET, SCM_RIGHTS };
	size_t fit = w->room > sizeof(head) ? (w->room - sizeof(head)) / sizeof(int) : 0;
	unsigned int nr = 0;
	int err = 0;

	while (nr < fit && nr < files->count && !err) {
		err = receive_fd(files->files[nr],
				 (int __user *)(w->at + sizeof(head) + nr * sizeof(int)), cloexec);
		nr += !err;
	}
	if (nr) {
		head.cmsg_len = sizeof(head) + nr * sizeof(int);
		if (!copy_to_user(w->at, &head, sizeof(head)))
			advance(w, head.cmsg_len);
	}
	if (nr < files->count)
		*w->flags |= MSG_CTRUNC;
}

static void write_control(struct control_writer *w, const struct socket_msg *msg)
{
	if (!w->at) {
		if (msg->has_cred || msg->files)
			*w->flags |= MSG_CTRUNC;
		return;
	}
	if (msg->has_cred)
		put_cred(w, &msg->cred);
	if (msg->files)
		put_files(w, msg->files, msg->flags & MSG_CMSG_CLOEXEC);
}

/* --- one buffer ---------------------------------------------------------------------------- */

/* struct sockaddr_un: a family, then a name of at most 108 bytes. */
#define SUN_NAME offsetof(struct kernel_sockaddr, sa_data)
#define SUN_MAX	 (SUN_NAME + 108)

/* Why nobody is found by an address of that many bytes: no socket has one. */
static int find_nobody(struct kernel_sockaddr *addr, size_t len)
{
	const struct lookup_at at = { .fs = current_fs(), .cred = current_cred_view() };
	struct dentry *dentry;
	int err;

	if (len <= SUN_NAME || len > SUN_MAX || addr->sa_family != AF_UNIX)
		return -EINVAL;
	/* Of the abstract ones, which are no paths, there are none. */
	if (!addr->sa_data[0])
		return -ECONNREFUSED;
	addr->sa_data[len - SUN_NAME] = '\0';
	err = path_lookup(&at, addr->sa_data, LOOKUP_FOLLOW, &dentry);
	if (err)
		return err;
	err = inode_permission(dentry->d_inode, &at.cred, MAY_WRITE);
	dput(dentry);
	return err ? err : -ECONNREFUSED;
}

/* Reads the address a message is to go to. 0, -EINVAL, -EFAULT */
static int get_address(struct socket_msg *msg, const void __user *user, int len)
{
	struct kernel_sockaddr addr;

	if (len < 0 || len > SOCKADDR_MAX)
		return -EINVAL;
	if (!len)
		return 0;
	memset(&addr, 0, sizeof(addr));
	if (copy_from_user(&addr, user, (size_t)len))
		return -EFAULT;
	msg->name_err = find_nobody(&addr, (size_t)len);
	return 0;
}

long sys_sendto(int fd, void __user *buf, size_t len, unsigned int flags,
		struct kernel_sockaddr __user *addr, int addrlen)
{
	struct iovec iov = { buf, min(len, MAX_RW_COUNT) };
	struct socket_msg msg = { .flags = flags };
	struct file *file;
	ssize_t ret = 0;

	if (!access_ok((unsigned long)buf, iov.iov_len))
		return -EFAULT;
	file = socket_file_get(fd);
	if (IS_ERR(file))
		return PTR_ERR(file);
	iter_init_user(&msg.iter, &iov, iov.iov_len);
	if (addr)
		ret = get_address(&msg, addr, addrlen);
	if (!ret)
		ret = socket_send(file, &msg);
	fput(file);
	return ret;
}

long sys_recvfrom(int fd, void __user *buf, size_t len, unsigned int flags,
		  struct kernel_sockaddr __user *addr, int __user *addrlen)
{
	struct iovec iov = { buf, min(len, MAX_RW_COUNT) };
	struct socket_msg msg = { .flags = flags };
	struct file *file;
	ssize_t ret;
	int err = 0;

	if (!access_ok((unsigned long)buf, iov.iov_len))
		return -EFAULT;
	file = socket_file_get(fd);
	if (IS_ERR(file))
		return PTR_ERR(file);
	iter_init_user(&msg.iter, &iov, iov.iov_len);
	ret = socket_recv(file, &msg);
	scm_free(msg.files);
	/* Who sent it has no name. */
	if (ret >= 0 && addr)
		err = put_address(NULL, 0, addr, addrlen);
	fput(file);
	return err ? err : ret;
}

/* --- with a header ------------------------------------------------------------------------- */

/* A header in the kernel, and the segments it names. */
struct message {
	struct kernel_msghdr head;
	struct iovec few[IOV_ON_STACK], *iov;
	size_t len;
};

/* sent: what is to be sent; NULL: to receive. 0 or -errno; after success message_put() is needed. */
static int message_get(struct message *m, const struct kernel_msghdr __user *user,
		       struct socket_msg *sent)
{
	ssize_t len;
	int err;

	if (copy_from_user(&m->head, user, sizeof(m->head)))
		return -EFAULT;
	if (!m->head.msg_name)
		m->head.msg_namelen = 0;
	if (m->head.msg_namelen < 0)
		return -EINVAL;
	m->head.msg_namelen = min(m->head.msg_namelen, SOCKADDR_MAX);
	if (sent) {
		err = get_address(sent, m->head.msg_name, m->head.msg_namelen);
		if (err)
			return err;
	}
	if (m->head.msg_iovlen > IOV_MAX)
		return -EMSGSIZE;
	m->iov = iovec_from_user(m->head.msg_iov, m->head.msg_iovlen, m->few);
	if (IS_ERR(m->iov))
		return (int)PTR_ERR(m->iov);
	len = iovec_total(m->iov, m->head.msg_iovlen);
	if (len < 0) {
		iovec_free(m->iov, m->few);
		return (int)len;
	}
	m->len = (size_t)len;
	return 0;
}

static void message_put(struct message *m)
{
	iovec_free(m->iov, m->few);
}

/* Bytes or -errno. *whole: it was all. */
static long send_one(struct file *file, const struct kernel_msghdr __user *user, unsigned int flags,
		     bool *whole)
{
	struct socket_msg msg = { .flags = flags };
	struct message m;
	ssize_t ret;

	ret = message_get(&m, user, &msg);
	if (ret)
		return ret;
	iter_init_user(&msg.iter, m.iov, m.len);
	ret = read_control(&msg, m.head.msg_control, m.head.msg_controllen);
	if (!ret)
		ret = socket_send(file, &msg);
	*whole = ret == (ssize_t)m.len;
	scm_free(msg.files);
	message_put(&m);
	return ret;
}

/* Tells the program what is in the header after receiving. 0 or -EFAULT */
static int put_header(struct kernel_msghdr __user *user, const struct message *m,
		      const struct socket_msg *msg, size_t control)
{
	unsigned int flags = msg->out_flags | (msg->flags & MSG_CMSG_CLOEXEC);

	/* Who sent it has no name. */
	if (m->head.msg_name && put_user(0, &user->msg_namelen))
		return -EFAULT;
	if (put_user(flags, &user->msg_flags))
		return -EFAULT;
	return put_user((u64)control, &user->msg_controllen);
}

static long recv_one(struct file *file, struct kernel_msghdr __user *user, unsigned int flags)
{
	struct socket_msg msg = { .flags = flags };
	struct control_writer w;
	struct message m;
	ssize_t ret;
	int err;

	ret = message_get(&m, user, NULL);
	if (ret)
		return ret;
	iter_init_user(&msg.iter, m.iov, m.len);
	w = (struct control_writer){ m.head.msg_control, m.head.msg_controllen, &msg.out_flags };
	ret = socket_recv(file, &msg);
	if (ret >= 0) {
		write_control(&w, &msg);
		err = put_header(user, &m, &msg,
				 (size_t)(w.at - (char __user *)m.head.msg_control));
		if (err)
			ret = err;
	}
	scm_free(msg.files);
	message_put(&m);
	return ret;
}

/* The socket for calls with headers. -EINVAL: a flag is not for programs of this kind. */
static struct file *message_socket(int fd, unsigned int flags)
{
	return flags & MSG_CMSG_COMPAT ? ERR_PTR(-EINVAL) : socket_file_get(fd);
}

long sys_sendmsg(int fd, struct kernel_msghdr __user *umsg, unsigned int flags)
{
	struct file *file = message_socket(fd, flags);
	bool whole;
	long ret;

	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = send_one(file, umsg, flags, &whole);
	fput(file);
	return ret;
}

long sys_recvmsg(int fd, struct kernel_msghdr __user *umsg, unsigned int flags)
{
	struct file *file = message_socket(fd, flags);
	long ret;

	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = recv_one(file, umsg, flags);
	fput(file);
	return ret;
}

/* --- several at once ----------------------------------------------------------------------- */

long sys_sendmmsg(int fd, struct kernel_mmsghdr __user *vec, unsigned int vlen, unsigned int flags)
{
	struct file *file = message_socket(fd, flags);
	unsigned int done = 0;
	bool whole = true;
	long ret = 0;

	if (IS_ERR(file))
		return PTR_ERR(file);
	/* What is left of a message comes before the next one. */
	for (vlen = min(vlen, (unsigned int)IOV_MAX); done < vlen && whole; done++) {
		ret = send_one(file, &vec[done].msg_hdr, flags, &whole);
		if (ret < 0)
			break;
		ret = put_user((u32)ret, &vec[done].msg_len);
		if (ret)
			break;
	}
	fput(file);
	return done ? (long)done : ret;
}

/* The limit is looked at when a message has come, and not before: recvmmsg(2) says it. end: ns, 0: none */
static long recv_several(struct file *file, struct kernel_mmsghdr __user *vec, unsigned int vlen,
			 unsigned int flags, u64 end)
{
	unsigned int done = 0;
	long ret = 0;

	while (done < vlen) {
		ret = recv_one(file, &vec[done].msg_hdr, flags & ~(unsigned int)MSG_WAITFORONE);
		if (ret < 0)
			break;
		ret = put_user((u32)ret, &vec[done].msg_len);
		if (ret)
			break;
		done++;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		if (end && clock_ns() >= end)
			break;
	}
	/* For the next call, unless it is something that only this one met. */
	if (done && ret && ret != -EAGAIN && ret != -EINTR && ret != -ERESTARTSYS)
		socket_set_error(file, (int)ret);
	return done ? (long)done : ret;
}

/* 0 or -errno; *end: when it is over. */
static int get_limit(const struct kernel_timespec __user *user, u64 *end)
{
	struct kernel_timespec ts;

	if (copy_from_user(&ts, user, sizeof(ts)))
		return -EFAULT;
	if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= NS_PER_SEC)
		return -EINVAL;
	/* 292 years are as good as more. */
	*end = clock_ns() + (u64)min(ts.tv_sec, (s64)9223372035) * NS_PER_SEC + (u64)ts.tv_nsec;
	return 0;
}

/* Tells what is left until then. 0 or -EFAULT */
static int put_time_left(struct kernel_timespec __user *user, u64 end)
{
	u64 now = clock_ns(), left = end > now ? end - now : 0;
	const struct kernel_timespec ts = { (s64)(left / NS_PER_SEC), (s64)(left % NS_PER_SEC) };

	return copy_to_user(user, &ts, sizeof(ts)) ? -EFAULT : 0;
}

long sys_recvmmsg(int fd, struct kernel_mmsghdr __user *vec, unsigned int vlen, unsigned int flags,
		  struct kernel_timespec __user *timeout)
{
	struct file *file;
	u64 end = 0;
	long ret;

	if (flags & MSG_CMSG_COMPAT)
		return -EINVAL;
	ret = timeout ? get_limit(timeout, &end) : 0;
	if (ret)
		return ret;
	file = socket_file_get(fd);
	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = socket_take_error(file);
	if (!ret)
		ret = recv_several(file, vec, vlen, flags, end);
	fput(file);
	if (ret > 0 && timeout && put_time_left(timeout, end))
		ret = -EFAULT;
	return ret;
}
