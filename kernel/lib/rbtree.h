/* SPDX-License-Identifier: MIT */
/*
 * Red-black trees that live inside the objects they order.
 *
 * The tree does not compare: the caller walks down by its own key, hangs the new node in with
 * rb_link_node() and lets rb_insert_color() restore the balance:
 *
 *	struct rb_node **link = &root->rb_node, *parent = NULL;
 *
 *	while (*link) {
 *		parent = *link;
 *		link = key < rb_entry(parent, struct item, rb)->key ? &parent->rb_left
 *								     : &parent->rb_right;
 *	}
 *	rb_link_node(&item->rb, parent, link);
 *	rb_insert_color(&item->rb, root);
 *
 * An augmented tree also keeps in every node a summary of the subtree below it, such as the largest
 * gap between areas; see struct rb_augment_callbacks.
 *
 * The rules of the colours, which keep the longest way down at most twice the shortest:
 *   1. the root is black;
 *   2. a red node has no red child;
 *   3. every way from a node down to a missing child passes the same number of black nodes.
 *
 * No locks here: the caller holds whatever protects the tree. All operations are O(log n), except
 * that a step to the next or previous node is O(1) on average.
 *
 * Who walks down while somebody else changes the tree may miss nodes and go in circles, but each link
 * leads to a node that is or was in the tree, complete with its key, or is NULL: links are written whole,
 * and that to a new node last.
 */
#ifndef KERNEL_LIB_RBTREE_H
#define KERNEL_LIB_RBTREE_H

#include "kernel/base/compiler.h"

#define RB_RED	 0UL
#define RB_BLACK 1UL

/* Nodes are aligned, so the lowest bit of the parent's address is free to hold the colour. */
struct rb_node {
	unsigned long __rb_parent_color;
	union {
		struct {
			struct rb_node *rb_left;
			struct rb_node *rb_right;
		};
		/* The same two by number: what holds on one side holds mirrored on the other. */
		struct rb_node *rb_child[2];
	};
} __aligned(sizeof(long));

struct rb_root {
	struct rb_node *rb_node;
};

#define RB_ROOT			    ((struct rb_root){ NULL })
#define RB_EMPTY_ROOT(root)	    (READ_ONCE((root)->rb_node) == NULL)
#define rb_entry(ptr, type, member) container_of(ptr, type, member)
#define rb_entry_safe(ptr, type, member)                            \
	({                                                          \
		struct rb_node *safe_ptr = (ptr);                   \
		safe_ptr ? rb_entry(safe_ptr, type, member) : NULL; \
	})

/* A node that is in no tree is its own parent, once it was cleared. */
#define RB_EMPTY_NODE(node) ((node)->__rb_parent_color == (unsigned long)(node))
#define RB_CLEAR_NODE(node) ((node)->__rb_parent_color = (unsigned long)(node))

static inline struct rb_node *rb_parent(const struct rb_node *node)
{
	return (struct rb_node *)(node->__rb_parent_color & ~RB_BLACK);
}

/*
 * How an augmented tree keeps its summaries up to date.
 *
 * propagate: recompute from `node` upwards until `stop` (not included; NULL: through the root).
 *	It may end early at a node whose summary turns out unchanged.
 * copy: `to` takes the place of `from`, and its summary.
 * rotate: `to` has just taken the place of `from`, which is now its child: `to` gets the summary
 *	`from` had, for it stands for the same nodes, and `from` is computed anew.
 */
struct rb_augment_callbacks {
	void (*propagate)(struct rb_node *node, struct rb_node *stop);
	void (*copy)(struct rb_node *from, struct rb_node *to);
	void (*rotate)(struct rb_node *from, struct rb_node *to);
};

/* Hangs a red `node` without children into the free place *link below `parent` (NULL: as the root). */
static inline void rb_link_node(struct rb_node *node, struct rb_node *parent, struct rb_node **link)
{
	node->__rb_parent_color = (unsigned long)parent | RB_RED;
	node->rb_left = NULL;
	node->rb_right = NULL;
	__atomic_store_n(link, node, __ATOMIC_RELEASE);
}

/* Restores the rules of the colours after rb_link_node(). */
void rb_insert_color(struct rb_node *node, struct rb_root *root);
/* Takes `node` out of the tree. Its own links are stale afterwards. */
void rb_erase(struct rb_node *node, struct rb_root *root);

/*
 * The same for an augmented tree. Before rb_insert_augmented() the caller makes the summaries right
 * for the tree as rb_link_node() left it: node's own, and those of all nodes above it.
 */
void rb_insert_augmented(struct rb_node *node, struct rb_root *root,
			 const struct rb_augment_callbacks *augment);
void rb_erase_augmented(struct rb_node *node, struct rb_root *root,
			const struct rb_augment_callbacks *augment);

/* Puts `fresh`, which has the same key, in the place of `old`. Summaries are the caller's to copy. */
void rb_replace_node(struct rb_node *old, struct rb_node *fresh, struct rb_root *root);

/* In order of the keys; NULL when there is none. */
struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *node);
struct rb_node *rb_prev(const struct rb_node *node);

/* Children before parents: the order in which a whole tree can be freed without rebalancing. */
struct rb_node *rb_first_postorder(const struct rb_root *root);
struct rb_node *rb_next_postorder(const struct rb_node *node);

/* The body may free `pos`. */
#define rbtree_postorder_for_each_entry_safe(pos, tmp, root, member)                        \
	for (pos = rb_entry_safe(rb_first_postorder(root), __typeof__(*pos), member);       \
	     pos && ({                                                                      \
		     tmp = rb_entry_safe(rb_next_postorder(&pos->member), __typeof__(*pos), \
					 member);                                           \
		     true;                                                                  \
	     });                                                                            \
	     pos = tmp)

/*
 * Defines the three callbacks, and `name` holding them, for objects of `type` whose node is `member`
 * and whose summary `field` a function can compute from the object and its two children alone:
 *
 *	bool compute(type *object, bool exit)
 *
 * stores the summary. With `exit` it returns true, having stored nothing, if the summary was right.
 */
#define RB_DECLARE_CALLBACKS(storage, name, type, member, field, compute)                \
	static void name##_propagate(struct rb_node *node, struct rb_node *stop)         \
	{                                                                                \
		for (; node != stop; node = rb_parent(node))                             \
			if (compute(rb_entry(node, type, member), true))                 \
				break;                                                   \
	}                                                                                \
	static void name##_copy(struct rb_node *from, struct rb_node *to)                \
	{                                                                                \
		rb_entry(to, type, member)->field = rb_entry(from, type, member)->field; \
	}                                                                                \
	static void name##_rotate(struct rb_node *from, struct rb_node *to)              \
	{                                                                                \
		name##_copy(from, to);                                                   \
		compute(rb_entry(from, type, member), false);                            \
	}                                                                                \
	storage const struct rb_augment_callbacks name = {                               \
		.propagate = name##_propagate,                                           \
		.copy = name##_copy,                                                     \
		.rotate = name##_rotate,                                                 \
	}

#endif
