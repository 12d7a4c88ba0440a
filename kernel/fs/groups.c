/* SPDX-License-Identifier: MIT */
#include "kernel/fs/groups.h"

#include "kernel/sched/sched.h"
#include "mm/slab.h"
#include "mm/vmalloc.h"

static size_t size_of(unsigned int count)
{
	return sizeof(struct group_info) + count * sizeof(u32);
}

struct group_info *groups_alloc(unsigned int count)
{
	size_t size = size_of(count);
	struct group_info *groups = size <= PAGE_SIZE ? kmalloc(size, GFP_KERNEL) : vmalloc(size);

	if (!groups)
		return NULL;
	atomic_set(&groups->usage, 1);
	groups->count = count;
	return groups;
}

void groups_put(struct group_info *groups)
{
	if (!groups || !atomic_dec_and_test(&groups->usage))
		return;
	if (size_of(groups->count) <= PAGE_SIZE)
		kfree(groups);
	else
		vfree(groups);
}

/* Moves gids[at] down the heap of the first `count` until nothing below it is larger. */
static void sift_down(u32 *gids, unsigned int at, unsigned int count)
{
	for (unsigned int child; (child = 2 * at + 1) < count; at = child) {
		u32 gid = gids[at];

		if (child + 1 < count && gids[child + 1] > gids[child])
			child++;
		if (gid >= gids[child])
			return;
		gids[at] = gids[child];
		gids[child] = gid;
	}
}

/* A heapsort: it needs no more memory, and no list takes it longer than others. */
void groups_sort(struct group_info *groups)
{
	u32 *gids = groups->gids;

	for (unsigned int i = groups->count / 2; i-- > 0; cond_resched())
		sift_down(gids, i, groups->count);
	for (unsigned int left = groups->count; left > 1; cond_resched()) {
		u32 largest = gids[0];

		left--;
		gids[0] = gids[left];
		gids[left] = largest;
		sift_down(gids, 0, left);
	}
}

bool groups_have(const struct group_info *groups, u32 gid)
{
	unsigned int low = 0, high = groups ? groups->count : 0;

	while (low < high) {
		unsigned int mid = (low + high) / 2;

		if (groups->gids[mid] == gid)
			return true;
		if (groups->gids[mid] < gid)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}
