/* SPDX-License-Identifier: MIT */
/* The system calls about sockets: sys_socket.c, and sys_message.c for those that move messages. */
#ifndef KERNEL_SYSCALL_SYS_SOCKET_H
#define KERNEL_SYSCALL_SYS_SOCKET_H

#include "kernel/abi/time.h"
#include "kernel/abi/uio.h"
#include "kernel/fs/socket.h"

long sys_socket(int family, int type, int protocol);
long sys_socketpair(int family, int type, int protocol, int __user *usockvec);
long sys_shutdown(int fd, int how);
long sys_getsockname(int fd, struct kernel_sockaddr __user *addr, int __user *addrlen);
long sys_getpeername(int fd, struct kernel_sockaddr __user *addr, int __user *addrlen);
long sys_getsockopt(int fd, int level, int name, char __user *val, int __user *len);
long sys_setsockopt(int fd, int level, int name, char __user *val, int len);

long sys_sendto(int fd, void __user *buf, size_t len, unsigned int flags,
		struct kernel_sockaddr __user *addr, int addrlen);
long sys_recvfrom(int fd, void __user *buf, size_t len, unsigned int flags,
		  struct kernel_sockaddr __user *addr, int __user *addrlen);
long sys_sendmsg(int fd, struct kernel_msghdr __user *umsg, unsigned int flags);
long sys_recvmsg(int fd, struct kernel_msghdr __user *umsg, unsigned int flags);
long sys_sendmmsg(int fd, struct kernel_mmsghdr __user *vec, unsigned int vlen, unsigned int flags);
long sys_recvmmsg(int fd, struct kernel_mmsghdr __user *vec, unsigned int vlen, unsigned int flags,
		  struct kernel_timespec __user *timeout);

/* The open socket of a descriptor, referenced, or ERR_PTR: -EBADF, -ENOTSOCK. */
struct file *socket_file_get(int fd);
/* Gives `len` bytes of an address to a program, which has room for *ulen. 0, -EFAULT, -EINVAL. */
int put_address(const void *addr, int len, void __user *to, int __user *ulen);

#endif
