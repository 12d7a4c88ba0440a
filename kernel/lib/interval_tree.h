/* SPDX-License-Identifier: MIT */
/*
 * Closed intervals [start, last] that may overlap and repeat, ordered by start; each node also
 * knows the largest `last` below it, which tells where a search can turn away. Used to find the
 * areas that map a range of a file's pages.
 *
 * No locks here: the caller holds whatever protects the tree.
 */
#ifndef KERNEL_LIB_INTERVAL_TREE_H
#define KERNEL_LIB_INTERVAL_TREE_H

#include "kernel/lib/rbtree.h"

struct interval_tree_node {
	struct rb_node rb;
	unsigned long start; /* both ends belong to the interval, start <= last */
	unsigned long last;
	unsigned long __subtree_last;
};

/*
 * node->start and node->last are set by the caller and stay while the node is in the tree. It comes behind
 * those that have the same start.
 */
void interval_tree_insert(struct interval_tree_node *node, struct rb_root *root);
void interval_tree_remove(struct interval_tree_node *node, struct rb_root *root);

/*
 * The first node, by start, that has a point in common with [start, last], and the next one after
 * `node`; NULL when there is none. O(log n) each. `node` must still be in the tree.
 */
struct interval_tree_node *interval_tree_iter_first(struct rb_root *root, unsigned long start,
						    unsigned long last);
struct interval_tree_node *interval_tree_iter_next(struct interval_tree_node *node,
						   unsigned long start, unsigned long last);

#endif
