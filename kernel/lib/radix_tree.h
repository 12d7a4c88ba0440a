/* SPDX-License-Identifier: MIT */
/*
 * A map from unsigned long to pointers, made for the pages of a file: dense near 0, but able to hold
 * any index. Each node resolves 6 bits of the index; the tree is as high as its largest index needs.
 *
 * Every item has three tags. A node repeats for each child whether anything below it has the tag,
 * so that the tagged items of a huge file are found without looking at the others.
 *
 * No locks here: the caller holds whatever protects the tree, for lookups too. Items are not NULL.
 */
#ifndef KERNEL_LIB_RADIX_TREE_H
#define KERNEL_LIB_RADIX_TREE_H

#include "kernel/base/compiler.h"

#define RADIX_TREE_BITS	 6
#define RADIX_TREE_SLOTS (1UL << RADIX_TREE_BITS)

enum radix_tag {
	RADIX_TAG_DIRTY,     /* differs from what is stored */
	RADIX_TAG_WRITEBACK, /* on its way to the store */
	RADIX_TAG_TOWRITE,   /* chosen by a writeback that has begun */
	RADIX_NR_TAGS,
};

struct radix_tree_node {
	struct radix_tree_node *parent;
	u8 shift;		 /* of the index bits this node resolves; 0: the slots hold items */
	u8 offset;		 /* which slot of the parent this node is in */
	u64 present;		 /* bit n: slot n is in use */
	u64 tags[RADIX_NR_TAGS]; /* bit n: slot n, or something below it, has the tag */
	void *slots[RADIX_TREE_SLOTS];
};

/* The size of the objects that ops->alloc hands out, in bytes. */
#define RADIX_TREE_NODE_SIZE sizeof(struct radix_tree_node)

/* Where nodes come from: alloc gives RADIX_TREE_NODE_SIZE zeroed bytes, or NULL. */
struct radix_tree_ops {
	void *(*alloc)(void);
	void (*free)(void *node);
};

struct radix_tree_root {
	struct radix_tree_node *node; /* NULL: empty */
	const struct radix_tree_ops *ops;
};

void radix_tree_init(struct radix_tree_root *root, const struct radix_tree_ops *ops);

static inline bool radix_tree_empty(const struct radix_tree_root *root)
{
	return !root->node;
}

/* Returns 0, or -EEXIST or -ENOMEM with the tree as it was. A new item has no tags. */
int radix_tree_insert(struct radix_tree_root *root, unsigned long index, void *item);

/* The item at `index`, or NULL. */
void *radix_tree_lookup(const struct radix_tree_root *root, unsigned long index);

/* Puts `item` in the place of another, tags included. Returns the old one; NULL, and no change, if none. */
void *radix_tree_replace(struct radix_tree_root *root, unsigned long index, void *item);

/* Takes out the item at `index`, with its tags, and returns it, or NULL if there is none. Cannot fail. */
void *radix_tree_delete(struct radix_tree_root *root, unsigned long index);

/*
 * The first item at or above *index, which is set to the item's own; NULL, *index untouched, if there
 * is none. To go on, add 1 to *index, but not when it is ULONG_MAX. A loop may delete what it gets.
 */
void *radix_tree_next(const struct radix_tree_root *root, unsigned long *index);
void *radix_tree_next_tagged(const struct radix_tree_root *root, unsigned long *index,
			     enum radix_tag tag);

/* Tags of the item at `index`. Without an item: set and clear do nothing, get returns false. */
void radix_tree_tag_set(struct radix_tree_root *root, unsigned long index, enum radix_tag tag);
void radix_tree_tag_clear(struct radix_tree_root *root, unsigned long index, enum radix_tag tag);
bool radix_tree_tag_get(const struct radix_tree_root *root, unsigned long index,
			enum radix_tag tag);

/* Whether any item has the tag. O(1). */
static inline bool radix_tree_tagged(const struct radix_tree_root *root, enum radix_tag tag)
{
	return root->node && root->node->tags[tag];
}

#endif
