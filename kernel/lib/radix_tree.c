/* SPDX-License-Identifier: MIT */
#include "kernel/lib/radix_tree.h"
#include "kernel/base/errno.h"
#include "kernel/base/panic.h"

/* The node that resolves the highest bits of an index has its shift here; 64 bits make 11 levels. */
#define MAX_SHIFT (10 * RADIX_TREE_BITS)

void radix_tree_init(struct radix_tree_root *root, const struct radix_tree_ops *ops)
{
	root->node = NULL;
	root->ops = ops;
}

static unsigned int slot_of(const struct radix_tree_node *node, unsigned long index)
{
	return (index >> node->shift) & (RADIX_TREE_SLOTS - 1);
}

/* The shift of the lowest tree that reaches up to `index`. */
static unsigned int needed_shift(unsigned long index)
{
	unsigned int shift = 0;

	while (shift < MAX_SHIFT && index >> shift >= RADIX_TREE_SLOTS)
		shift += RADIX_TREE_BITS;
	return shift;
}

/* The node with the slot of `index` that lies deepest of those that exist, or NULL if it is beyond all. */
static struct radix_tree_node *deepest(const struct radix_tree_root *root, unsigned long index)
{
	struct radix_tree_node *node = root->node;

	if (!node || needed_shift(index) > node->shift)
		return NULL;
	while (node->shift && node->slots[slot_of(node, index)])
		node = node->slots[slot_of(node, index)];
	return node;
}

/* The node whose slot holds the item at `index`, or NULL if there is no item. */
static struct radix_tree_node *leaf(const struct radix_tree_root *root, unsigned long index)
{
	struct radix_tree_node *node = deepest(root, index);

	return node && !node->shift && node->slots[slot_of(node, index)] ? node : NULL;
}

static void fill_slot(struct radix_tree_node *node, unsigned int slot, void *item)
{
	node->slots[slot] = item;
	node->present |= 1UL << slot;
}

/* Nodes allocated before the first change, linked by `parent`. */
struct spare_nodes {
	struct radix_tree_node *first;
};

/* => there is one: what is missing has been counted */
static struct radix_tree_node *take_spare(struct spare_nodes *spare, unsigned int shift)
{
	struct radix_tree_node *node = spare->first;

	DEBUG_ON(!node);
	spare->first = node->parent;
	node->parent = NULL;
	node->shift = (u8)shift;
	return node;
}

static int get_spare(const struct radix_tree_root *root, struct spare_nodes *spare, unsigned int n)
{
	while (n--) {
		struct radix_tree_node *node = root->ops->alloc();

		if (!node)
			goto fail;
		node->parent = spare->first;
		spare->first = node;
	}
	return 0;

fail:
	while (spare->first) {
		struct radix_tree_node *node = spare->first;

		spare->first = node->parent;
		root->ops->free(node);
	}
	return -ENOMEM;
}

/* Puts a new root above the present one, which becomes its first child with its tags. */
static void grow(struct radix_tree_root *root, struct spare_nodes *spare)
{
	struct radix_tree_node *old = root->node;
	struct radix_tree_node *top = take_spare(spare, old->shift + RADIX_TREE_BITS);

	fill_slot(top, 0, old);
	for (int tag = 0; tag < RADIX_NR_TAGS; tag++)
		top->tags[tag] = old->tags[tag] != 0;
	old->parent = top;
	old->offset = 0;
	root->node = top;
}

/* Makes the missing nodes from `node` down to the items' level on the way to `index`. */
static struct radix_tree_node *extend(struct radix_tree_node *node, unsigned long index,
				      struct spare_nodes *spare)
{
	while (node->shift) {
		unsigned int slot = slot_of(node, index);
		struct radix_tree_node *child = take_spare(spare, node->shift - RADIX_TREE_BITS);

		child->parent = node;
		child->offset = (u8)slot;
		fill_slot(node, slot, child);
		node = child;
	}
	return node;
}

int radix_tree_insert(struct radix_tree_root *root, unsigned long index, void *item)
{
	struct radix_tree_node *node = deepest(root, index);
	unsigned int shift = needed_shift(index);
	struct spare_nodes spare = { NULL };
	unsigned int above = 0, below;
	int err;

	/* First count what is missing: levels above the root, and on the way down. */
	if (node) {
		if (!node->shift && node->slots[slot_of(node, index)])
			return -EEXIST;
		below = node->shift / RADIX_TREE_BITS;
	} else if (root->node) {
		above = (shift - root->node->shift) / RADIX_TREE_BITS;
		below = shift / RADIX_TREE_BITS;
	} else {
		below = shift / RADIX_TREE_BITS + 1;
	}
	err = get_spare(root, &spare, above + below);
	if (err)
		return err;

	/* From here on nothing can fail. */
	if (!root->node) {
		root->node = take_spare(&spare, shift);
		node = root->node;
	} else if (!node) {
		while (root->node->shift < shift)
			grow(root, &spare);
		node = root->node;
	}
	node = extend(node, index, &spare);
	fill_slot(node, slot_of(node, index), item);
	return 0;
}

void *radix_tree_lookup(const struct radix_tree_root *root, unsigned long index)
{
	struct radix_tree_node *node = leaf(root, index);

	return node ? node->slots[slot_of(node, index)] : NULL;
}

void *radix_tree_replace(struct radix_tree_root *root, unsigned long index, void *item)
{
	struct radix_tree_node *node = leaf(root, index);
	void *old;

	if (!node)
		return NULL;
	old = node->slots[slot_of(node, index)];
	node->slots[slot_of(node, index)] = item;
	return old;
}

static void clear_tag(struct radix_tree_node *node, unsigned int slot, enum radix_tag tag)
{
	/* Upwards while this was the last one of its node. */
	for (;;) {
		node->tags[tag] &= ~(1UL << slot);
		if (node->tags[tag] || !node->parent)
			return;
		slot = node->offset;
		node = node->parent;
	}
}

/* Frees the root while all below it is in its first slot: one level less reaches as far. */
static void shrink(struct radix_tree_root *root)
{
	struct radix_tree_node *top;

	while ((top = root->node) && top->shift && top->present == 1) {
		root->node = top->slots[0];
		root->node->parent = NULL;
		root->ops->free(top);
	}
}

void *radix_tree_delete(struct radix_tree_root *root, unsigned long index)
{
	struct radix_tree_node *node = leaf(root, index);
	unsigned int slot;
	void *item;

	if (!node)
		return NULL;
	slot = slot_of(node, index);
	item = node->slots[slot];
	for (int tag = 0; tag < RADIX_NR_TAGS; tag++)
		clear_tag(node, slot, tag);

	/* Out of its node, and each node that this leaves empty out of its parent. */
	for (;;) {
		struct radix_tree_node *parent = node->parent;

		node->slots[slot] = NULL;
		node->present &= ~(1UL << slot);
		if (node->present)
			break;
		slot = node->offset;
		root->ops->free(node);
		node = parent;
		if (!node) {
			root->node = NULL;
			break;
		}
	}
	shrink(root);
	return item;
}

/* Which slots a search may follow: those in use, or those with a tag (-1 stands for no tag). */
static u64 candidates(const struct radix_tree_node *node, int tag)
{
	return tag < 0 ? node->present : node->tags[tag];
}

static void *next_item(const struct radix_tree_root *root, unsigned long *index, int tag)
{
	struct radix_tree_node *node = deepest(root, *index);
	unsigned int slot;
	u64 rest;

	if (!node)
		return NULL;
	slot = slot_of(node, *index);

	/* Up until a node has a candidate at or behind where we came from... */
	while (slot == RADIX_TREE_SLOTS || !(rest = candidates(node, tag) >> slot)) {
		if (!node->parent)
			return NULL;
		slot = node->offset + 1;
		node = node->parent;
	}
	slot += (unsigned int)__builtin_ctzl(rest);

	/* ... then down by the first candidate of each. */
	for (;;) {
		unsigned long low = slot;
		struct radix_tree_node *child = node->slots[slot];

		if (!node->shift) {
			/* The index is spelled out by the slots on the way up. */
			for (struct radix_tree_node *n = node; n->parent; n = n->parent)
				low |= (unsigned long)n->offset << n->parent->shift;
			*index = low;
			return node->slots[slot];
		}
		node = child;
		slot = (unsigned int)__builtin_ctzl(candidates(node, tag));
	}
}

void *radix_tree_next(const struct radix_tree_root *root, unsigned long *index)
{
	return next_item(root, index, -1);
}

void *radix_tree_next_tagged(const struct radix_tree_root *root, unsigned long *index,
			     enum radix_tag tag)
{
	return next_item(root, index, tag);
}

void radix_tree_tag_set(struct radix_tree_root *root, unsigned long index, enum radix_tag tag)
{
	struct radix_tree_node *node = leaf(root, index);

	for (; node; node = node->parent)
		node->tags[tag] |= 1UL << slot_of(node, index);
}

void radix_tree_tag_clear(struct radix_tree_root *root, unsigned long index, enum radix_tag tag)
{
	struct radix_tree_node *node = leaf(root, index);

	if (node)
		clear_tag(node, slot_of(node, index), tag);
}

bool radix_tree_tag_get(const struct radix_tree_root *root, unsigned long index, enum radix_tag tag)
{
	struct radix_tree_node *node = leaf(root, index);

	return node && node->tags[tag] & (1UL << slot_of(node, index));
}
