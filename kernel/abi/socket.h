/* SPDX-License-Identifier: MIT */
/* Sockets, what they carry and how they are asked: Linux x86-64's values. */
#ifndef KERNEL_ABI_SOCKET_H
#define KERNEL_ABI_SOCKET_H

#include <stdint.h>

#define AF_UNSPEC 0
#define AF_UNIX	  1
#define AF_MAX	  46

#define SOCK_STREAM    1
#define SOCK_DGRAM     2
#define SOCK_RAW       3
#define SOCK_SEQPACKET 5
#define SOCK_TYPE_MAX  11 /* from here on a type is none at all */
#define SOCK_TYPE_MASK 0xf
#define SOCK_NONBLOCK  04000
#define SOCK_CLOEXEC   02000000

#define SHUT_RD	  0
#define SHUT_WR	  1
#define SHUT_RDWR 2

#define MSG_OOB		 0x1
#define MSG_PEEK	 0x2
#define MSG_CTRUNC	 0x8
#define MSG_TRUNC	 0x20
#define MSG_DONTWAIT	 0x40
#define MSG_EOR		 0x80
#define MSG_WAITALL	 0x100
#define MSG_NOSIGNAL	 0x4000
#define MSG_WAITFORONE	 0x10000
#define MSG_CMSG_CLOEXEC 0x40000000
#define MSG_CMSG_COMPAT	 0x80000000U

#define SOL_SOCKET	1
#define SCM_RIGHTS	1
#define SCM_CREDENTIALS 2
#define SCM_MAX_FD	253 /* descriptors in one message */

#define SO_DEBUG       1
#define SO_REUSEADDR   2
#define SO_TYPE	       3
#define SO_ERROR       4
#define SO_DONTROUTE   5
#define SO_BROADCAST   6
#define SO_SNDBUF      7
#define SO_RCVBUF      8
#define SO_KEEPALIVE   9
#define SO_OOBINLINE   10
#define SO_PRIORITY    12
#define SO_LINGER      13
#define SO_PASSCRED    16
#define SO_PEERCRED    17
#define SO_RCVLOWAT    18
#define SO_SNDLOWAT    19
#define SO_RCVTIMEO    20
#define SO_SNDTIMEO    21
#define SO_ACCEPTCONN  30
#define SO_SNDBUFFORCE 32
#define SO_RCVBUFFORCE 33
#define SO_PROTOCOL    38
#define SO_DOMAIN      39

struct kernel_sockaddr {
	uint16_t sa_family;
	char sa_data[126];
};
#define SOCKADDR_MAX 128 /* the longest address of any family */

struct kernel_msghdr {
	void *msg_name; /* all four are addresses of the program's */
	int32_t msg_namelen;
	void *msg_iov;
	uint64_t msg_iovlen;
	void *msg_control;
	uint64_t msg_controllen;
	uint32_t msg_flags;
};
_Static_assert(sizeof(struct kernel_msghdr) == 56, "the kernel's struct user_msghdr has 56 bytes");

struct kernel_mmsghdr {
	struct kernel_msghdr msg_hdr;
	uint32_t msg_len;
};

struct kernel_cmsghdr {
	uint64_t cmsg_len; /* with this header */
	int32_t cmsg_level;
	int32_t cmsg_type;
};

/* Of SCM_CREDENTIALS and SO_PEERCRED. */
struct kernel_ucred {
	int32_t pid;
	uint32_t uid, gid;
};

#endif
