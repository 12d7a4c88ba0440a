/* SPDX-License-Identifier: MIT */
/*
 * Supplementary groups: credentials(7). A list never changes once a task has it; tasks that inherited it
 * share it, and setgroups(2) makes a new one.
 */
#ifndef KERNEL_FS_GROUPS_H
#define KERNEL_FS_GROUPS_H

#include "kernel/base/atomic.h"
#include "kernel/base/compiler.h"

struct group_info {
	atomic_t usage;
	unsigned int count;
	u32 gids[]; /* in order, once groups_sort() has been called */
};

/* A list of `count` unknown groups, with one reference; or NULL. May sleep. */
struct group_info *groups_alloc(unsigned int count) __must_check;
/* May sleep. */
void groups_sort(struct group_info *groups);
/* NULL, no groups at all, is fine for all of these. */
static inline struct group_info *groups_get(struct group_info *groups)
{
	if (groups)
		atomic_inc(&groups->usage);
	return groups;
}
/* Drops a reference; the last one frees it. May sleep. */
void groups_put(struct group_info *groups);
/* Whether the group is in the list, by a binary search. */
bool groups_have(const struct group_info *groups, u32 gid);

#endif
