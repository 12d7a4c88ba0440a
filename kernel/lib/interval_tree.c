/* SPDX-License-Identifier: MIT */
#include "kernel/lib/interval_tree.h"

static inline struct interval_tree_node *entry(struct rb_node *rb)
{
	return rb_entry_safe(rb, struct interval_tree_node, rb);
}

static bool compute_subtree_last(struct interval_tree_node *node, bool exit)
{
	struct interval_tree_node *left = entry(node->rb.rb_left);
	struct interval_tree_node *right = entry(node->rb.rb_right);
	unsigned long last = node->last;

	if (left)
		last = max(last, left->__subtree_last);
	if (right)
		last = max(last, right->__subtree_last);
	if (exit && node->__subtree_last == last)
		return true;
	node->__subtree_last = last;
	return false;
}

RB_DECLARE_CALLBACKS(static, augment, struct interval_tree_node, rb, __subtree_last,
		     compute_subtree_last);

void interval_tree_insert(struct interval_tree_node *node, struct rb_root *root)
{
	struct rb_node **link = &root->rb_node, *parent = NULL;

	while (*link) {
		struct interval_tree_node *at = entry(*link);

		parent = *link;
		at->__subtree_last = max(at->__subtree_last, node->last);
		link = node->start < at->start ? &parent->rb_left : &parent->rb_right;
	}
	node->__subtree_last = node->last;
	rb_link_node(&node->rb, parent, link);
	rb_insert_augmented(&node->rb, root, &augment);
}

void interval_tree_remove(struct interval_tree_node *node, struct rb_root *root)
{
	rb_erase_augmented(&node->rb, root, &augment);
}

/*
 * The first node below `node` that meets [start, last], where node's subtree reaches up to `start`
 * at least. If the left subtree reaches it too, the answer is there or nowhere: some node on the
 * left ends at or after `start`, and if that one begins after `last`, so does all that is right of it.
 */
static struct interval_tree_node *search(struct interval_tree_node *node, unsigned long start,
					 unsigned long last)
{
	while (node && node->__subtree_last >= start) {
		struct interval_tree_node *left = entry(node->rb.rb_left);

		if (left && left->__subtree_last >= start) {
			node = left;
			continue;
		}
		if (node->start > last)
			return NULL;
		if (node->last >= start)
			return node;
		node = entry(node->rb.rb_right);
	}
	return NULL;
}

struct interval_tree_node *interval_tree_iter_first(struct rb_root *root, unsigned long start,
						    unsigned long last)
{
	return search(entry(root->rb_node), start, last);
}

struct interval_tree_node *interval_tree_iter_next(struct interval_tree_node *node,
						   unsigned long start, unsigned long last)
{
	struct rb_node *rb = &node->rb;

	for (;;) {
		struct interval_tree_node *right = entry(rb->rb_right);
		struct rb_node *child;

		/* What follows a node is its right subtree first... */
		if (right && right->__subtree_last >= start)
			return search(right, start, last);
		/* ... and then the first ancestor that we hang to the left of. */
		do {
			child = rb;
			rb = rb_parent(child);
			if (!rb)
				return NULL;
		} while (child == rb->rb_right);
		if (entry(rb)->start > last)
			return NULL;
		if (entry(rb)->last >= start)
			return entry(rb);
	}
}
