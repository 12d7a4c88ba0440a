/* SPDX-License-Identifier: MIT */
/* What all tasks of one user have together: the counts behind RLIMIT_NPROC, RLIMIT_SIGPENDING and pipes. */
#ifndef KERNEL_PROCESS_USER_H
#define KERNEL_PROCESS_USER_H

#include "kernel/base/atomic.h"
#include "kernel/base/types.h"
#include "kernel/lib/list.h"

struct user_struct {
	u32 uid;
	unsigned int count; /* users of the struct. => users_lock */
	struct hlist_node link;
	atomic_long_t processes;  /* tasks whose real user id this is */
	atomic_long_t sigpending; /* siginfos that wait for them */
	atomic_long_t pipe_pages; /* what the pipes they made may hold */
	atomic_long_t in_flight;  /* files that are in messages they sent */
	atomic_long_t locked_shm; /* pages of segments they locked: shmctl(2) */
};

void user_init(void);
/* The user with that id, referenced, made if need be; or NULL: no memory. */
struct user_struct *user_get(u32 uid) __must_check;
void user_hold(struct user_struct *user);
void user_put(struct user_struct *user);

#endif
