/* SPDX-License-Identifier: MIT */
/*
 * Red-black trees: Cormen, Leiserson, Rivest, Stein, "Introduction to Algorithms", chapter 13, with
 * the two sides written once. `side` is LEFT or RIGHT, and !side is the other.
 *
 * In the drawings capitals are black and small letters red; a node in brackets may be either.
 */
#include "kernel/lib/rbtree.h"
#include "kernel/base/panic.h"

enum side { LEFT = 0, RIGHT = 1 };

static inline bool is_red(const struct rb_node *node)
{
	/* A missing child counts as black. */
	return node && !(node->__rb_parent_color & RB_BLACK);
}

static inline unsigned long color_of(const struct rb_node *node)
{
	return node->__rb_parent_color & RB_BLACK;
}

static inline void set_color(struct rb_node *node, unsigned long color)
{
	node->__rb_parent_color = (node->__rb_parent_color & ~RB_BLACK) | color;
}

static inline void set_parent(struct rb_node *node, struct rb_node *parent)
{
	node->__rb_parent_color = (unsigned long)parent | color_of(node);
}

static inline enum side side_of(const struct rb_node *node, const struct rb_node *parent)
{
	return parent->rb_right == node ? RIGHT : LEFT;
}

/* Makes the pointer that led to `old`, a child of `parent` or the root, lead to `node`. */
static inline void replace_child(struct rb_root *root, struct rb_node *parent, struct rb_node *old,
				 struct rb_node *node)
{
	if (parent)
		WRITE_ONCE(parent->rb_child[side_of(old, parent)], node);
	else
		WRITE_ONCE(root->rb_node, node);
}

/*
 * Turns `top` down to `side`, and the child opposite up into its place. Order and colours stay as
 * they are. With side = LEFT:
 *
 *	  top                up
 *	 /   \              /  \
 *	1     up     ->   top   3
 *	     /  \        /   \
 *	    2    3      1     2
 */
static __always_inline void rotate(struct rb_root *root, struct rb_node *top, enum side side,
				   const struct rb_augment_callbacks *augment)
{
	struct rb_node *up = top->rb_child[!side];
	struct rb_node *between = up->rb_child[side];
	struct rb_node *parent = rb_parent(top);

	WRITE_ONCE(top->rb_child[!side], between);
	if (between)
		set_parent(between, top);
	WRITE_ONCE(up->rb_child[side], top);
	set_parent(top, up);
	set_parent(up, parent);
	replace_child(root, parent, top, up);
	if (augment)
		augment->rotate(top, up);
}

/*
 * `node` is red and so may be its parent: the only rule that can be broken is the second, and only
 * there. G is the grandparent, black since its child is red; u is the uncle.
 */
static __always_inline void fix_insert(struct rb_node *node, struct rb_root *root,
				       const struct rb_augment_callbacks *augment)
{
	struct rb_node *parent;

	while (is_red(parent = rb_parent(node))) {
		struct rb_node *grand = rb_parent(parent);
		enum side side = side_of(parent, grand);
		struct rb_node *uncle = grand->rb_child[!side];

		/*
		 * Case 1: the uncle is red. Push the black of G down; g may clash with its parent.
		 *
		 *	    G            g
		 *	   / \          / \
		 *	  p   u   ->   P   U
		 *	 /            /
		 *	n            n
		 */
		if (is_red(uncle)) {
			set_color(parent, RB_BLACK);
			set_color(uncle, RB_BLACK);
			set_color(grand, RB_RED);
			node = grand;
			continue;
		}

		/*
		 * Case 2: the node is the inner grandchild. Turn it outside; parent and node trade names.
		 *
		 *	  G            G
		 *	 / \          / \
		 *	p   U   ->   n   U
		 *	 \          /
		 *	  n        p
		 */
		if (node == parent->rb_child[!side]) {
			rotate(root, parent, side, augment);
			parent = node;
		}

		/*
		 * Case 3: the outer grandchild. The parent takes G's place and colour; done.
		 *
		 *	    G          P
		 *	   / \        / \
		 *	  p   U  ->  n   g
		 *	 /                \
		 *	n                  U
		 */
		set_color(parent, RB_BLACK);
		set_color(grand, RB_RED);
		rotate(root, grand, !side, augment);
		break;
	}
	set_color(root->rb_node, RB_BLACK);
}

/*
 * Every way down through `parent` on `side` has one black node too few (an empty place, at first).
 * S is the sibling, which exists since its side has at least one black more; near and far are the
 * sibling's children as seen from the short side. Drawn with side = LEFT, the short side as x.
 */
static __always_inline void fix_erase(struct rb_node *parent, enum side side, struct rb_root *root,
				      const struct rb_augment_callbacks *augment)
{
	while (parent) {
		struct rb_node *sibling = parent->rb_child[!side];
		struct rb_node *near, *far, *node;

		/*
		 * Case 1: the sibling is red. Turn, so that the sibling is black and the parent red.
		 *
		 *	  P              S
		 *	 / \            / \
		 *	x   s     ->   p   F
		 *	   / \        / \
		 *	  N   F      x   N
		 */
		if (is_red(sibling)) {
			set_color(sibling, RB_BLACK);
			set_color(parent, RB_RED);
			rotate(root, parent, side, augment);
			sibling = parent->rb_child[!side];
		}
		DEBUG_ON(!sibling);
		near = sibling->rb_child[side];
		far = sibling->rb_child[!side];

		/*
		 * Case 2: no red nephew. Take one black from the sibling's side too: now all of the
		 * parent is short. A red parent makes up for it; a black one is the next to fix.
		 *
		 *	 [P]             P  <- x
		 *	 / \            / \
		 *	x   S     ->       s
		 *	   / \            / \
		 *	  N   F          N   F
		 */
		if (!is_red(near) && !is_red(far)) {
			set_color(sibling, RB_RED);
			if (is_red(parent)) {
				set_color(parent, RB_BLACK);
				return;
			}
			node = parent;
			parent = rb_parent(node);
			if (parent)
				side = side_of(node, parent);
			continue;
		}

		/*
		 * Case 3: only the near nephew is red. Turn it outside.
		 *
		 *	 [P]          [P]
		 *	 / \          / \
		 *	x   S   ->   x   N
		 *	   / \            \
		 *	  n   F            s
		 *			    \
		 *			     F
		 */
		if (!is_red(far)) {
			set_color(near, RB_BLACK);
			set_color(sibling, RB_RED);
			rotate(root, sibling, !side, augment);
			far = sibling;
			sibling = near;
		}

		/*
		 * Case 4: the far nephew is red. The parent comes down as the black that was missing,
		 * the sibling takes its place and colour, and the nephew turns black for it; done.
		 *
		 *	 [P]             [S]
		 *	 / \             / \
		 *	x   S     ->    P   F
		 *	   / \         / \
		 *	 [n]  f       x  [n]
		 */
		set_color(sibling, color_of(parent));
		set_color(parent, RB_BLACK);
		set_color(far, RB_BLACK);
		rotate(root, parent, side, augment);
		return;
	}
}

/*
 * Takes out a node that has at most one child. Returns true when that leaves a place one black
 * short, which is then `*side` of `*parent`.
 */
static __always_inline bool unlink_node(struct rb_node *node, struct rb_root *root,
					struct rb_node **parent, enum side *side)
{
	struct rb_node *child = node->rb_left ? node->rb_left : node->rb_right;

	*parent = rb_parent(node);
	if (*parent)
		*side = side_of(node, *parent);
	replace_child(root, *parent, node, child);

	/* An only child is red, or rule 3 was broken; then its parent is black, and it can stand in. */
	if (child) {
		child->__rb_parent_color = (unsigned long)*parent | RB_BLACK;
		return false;
	}
	return !is_red(node);
}

static __always_inline void erase(struct rb_node *node, struct rb_root *root,
				  const struct rb_augment_callbacks *augment)
{
	struct rb_node *parent, *heir = NULL;
	enum side side = LEFT;
	bool is_short;

	/*
	 * With two children, the next node in order takes the place: it has no left child, so it can be
	 * taken out itself.
	 */
	if (node->rb_left && node->rb_right)
		for (heir = node->rb_right; heir->rb_left; heir = heir->rb_left)
			;
	is_short = unlink_node(heir ? heir : node, root, &parent, &side);

	if (heir) {
		if (parent == node)
			parent = heir;
		rb_replace_node(node, heir, root);
		if (augment) {
			/*
			 * First as if nothing had changed at the heir's new place; then up to it from
			 * where it left, and on from there. The second step must not rely on the first,
			 * which may have ended early.
			 */
			augment->copy(node, heir);
			if (parent != heir)
				augment->propagate(parent, heir);
			augment->propagate(heir, NULL);
		}
	} else if (augment && parent) {
		augment->propagate(parent, NULL);
	}

	if (is_short)
		fix_erase(parent, side, root, augment);
}

void rb_insert_color(struct rb_node *node, struct rb_root *root)
{
	fix_insert(node, root, NULL);
}

void rb_erase(struct rb_node *node, struct rb_root *root)
{
	erase(node, root, NULL);
}

void rb_insert_augmented(struct rb_node *node, struct rb_root *root,
			 const struct rb_augment_callbacks *augment)
{
	fix_insert(node, root, augment);
}

void rb_erase_augmented(struct rb_node *node, struct rb_root *root,
			const struct rb_augment_callbacks *augment)
{
	erase(node, root, augment);
}

void rb_replace_node(struct rb_node *old, struct rb_node *fresh, struct rb_root *root)
{
	fresh->__rb_parent_color = old->__rb_parent_color;
	for (enum side side = LEFT; side <= RIGHT; side++) {
		WRITE_ONCE(fresh->rb_child[side], old->rb_child[side]);
		if (fresh->rb_child[side])
			set_parent(fresh->rb_child[side], fresh);
	}
	replace_child(root, rb_parent(fresh), old, fresh);
}

/* The last node on the way down from `node` to one side. */
static struct rb_node *outermost(struct rb_node *node, enum side side)
{
	while (node && node->rb_child[side])
		node = node->rb_child[side];
	return node;
}

/* The neighbour of `node` towards `side`, in order. */
static struct rb_node *neighbour(const struct rb_node *node, enum side side)
{
	struct rb_node *parent;

	if (node->rb_child[side])
		return outermost(node->rb_child[side], !side);
	/* Climb as long as we come from that side: the first ancestor beyond it follows us. */
	while ((parent = rb_parent(node)) && node == parent->rb_child[side])
		node = parent;
	return parent;
}

struct rb_node *rb_first(const struct rb_root *root)
{
	return outermost(root->rb_node, LEFT);
}

struct rb_node *rb_last(const struct rb_root *root)
{
	return outermost(root->rb_node, RIGHT);
}

struct rb_node *rb_next(const struct rb_node *node)
{
	return neighbour(node, RIGHT);
}

struct rb_node *rb_prev(const struct rb_node *node)
{
	return neighbour(node, LEFT);
}

/* The first node without children below `node`: where a walk "children first" begins. */
static struct rb_node *first_leaf(struct rb_node *node)
{
	while (node && (node->rb_left || node->rb_right))
		node = node->rb_left ? node->rb_left : node->rb_right;
	return node;
}

struct rb_node *rb_first_postorder(const struct rb_root *root)
{
	return first_leaf(root->rb_node);
}

struct rb_node *rb_next_postorder(const struct rb_node *node)
{
	struct rb_node *parent = rb_parent(node);

	if (parent && node == parent->rb_left && parent->rb_right)
		return first_leaf(parent->rb_right);
	return parent;
}
