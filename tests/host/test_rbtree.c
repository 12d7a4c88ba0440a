/* SPDX-License-Identifier: MIT */
/*
 * Red-black trees against a sorted array, with the rules of the colours checked over the whole tree,
 * plain and augmented; then the interval tree against trying every interval.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/lib/interval_tree.h"
#include "kernel/lib/rbtree.h"
#include "tests/host/tap.h"

#define OPERATIONS 100000
#define MAX_NODES  600

/*
 * A stand-in for an area: [key, key + len), with the gap to the area before it, and the largest such
 * gap of its subtree.
 */
struct item {
	struct rb_node rb;
	unsigned long key, len;
	unsigned long gap, max_gap;
};

static struct item *sorted[MAX_NODES];
static int count;

static struct item *entry(struct rb_node *rb)
{
	return rb_entry_safe(rb, struct item, rb);
}

static unsigned long subtree_gap(struct item *item)
{
	struct item *left = entry(item->rb.rb_left), *right = entry(item->rb.rb_right);
	unsigned long most = item->gap;

	if (left)
		most = max(most, left->max_gap);
	if (right)
		most = max(most, right->max_gap);
	return most;
}

static bool compute_max_gap(struct item *item, bool exit)
{
	unsigned long most = subtree_gap(item);

	if (exit && item->max_gap == most)
		return true;
	item->max_gap = most;
	return false;
}

RB_DECLARE_CALLBACKS(static, gap_callbacks, struct item, rb, max_gap, compute_max_gap);

/* Checks everything below `rb`. Returns its number of blacks on any way down, or -1. */
static int check_subtree(struct rb_node *rb, struct rb_node *parent, bool augmented)
{
	int left, right;
	bool red;

	if (!rb)
		return 0;
	red = !(rb->__rb_parent_color & RB_BLACK);
	if (rb_parent(rb) != parent)
		return -1;
	if (red && (!parent || !(parent->__rb_parent_color & RB_BLACK)))
		return -1;
	if (augmented && entry(rb)->max_gap != subtree_gap(entry(rb)))
		return -1;
	left = check_subtree(rb->rb_left, rb, augmented);
	right = check_subtree(rb->rb_right, rb, augmented);
	return left < 0 || left != right ? -1 : left + !red;
}

static bool check_colours(struct rb_root *root, bool augmented)
{
	return check_subtree(root->rb_node, NULL, augmented) >= 0;
}

/* Both directions, and children first, give exactly the array. */
static bool check_order(struct rb_root *root)
{
	struct rb_node *rb = rb_first(root);
	int i, visited = 0;

	for (i = 0; i < count; i++, rb = rb_next(rb))
		if (!rb || entry(rb) != sorted[i])
			return false;
	if (rb)
		return false;
	rb = rb_last(root);
	for (i = count - 1; i >= 0; i--, rb = rb_prev(rb))
		if (!rb || entry(rb) != sorted[i])
			return false;
	if (rb)
		return false;
	for (rb = rb_first_postorder(root); rb; rb = rb_next_postorder(rb))
		visited++;
	return visited == count;
}

static bool check_gaps(void)
{
	for (int i = 0; i < count; i++) {
		unsigned long end = i ? sorted[i - 1]->key + sorted[i - 1]->len : 0;

		if (sorted[i]->gap != sorted[i]->key - end)
			return false;
	}
	return true;
}

/* Where `key` belongs in the array. */
static int position(unsigned long key)
{
	int i = 0;

	while (i < count && sorted[i]->key < key)
		i++;
	return i;
}

/* The gap before sorted[i] has changed: make it right, and the summaries above. */
static void update_gap(int i)
{
	if (i >= count)
		return;
	sorted[i]->gap = sorted[i]->key - (i ? sorted[i - 1]->key + sorted[i - 1]->len : 0);
	gap_callbacks.propagate(&sorted[i]->rb, NULL);
}

static void add(struct rb_root *root, unsigned long key, bool augmented)
{
	struct rb_node **link = &root->rb_node, *parent = NULL;
	struct item *item;
	int i = position(key);

	if (i < count && sorted[i]->key == key)
		return;
	item = calloc(1, sizeof(*item));
	item->key = key;
	item->len = 1;
	while (*link) {
		parent = *link;
		link = key < entry(parent)->key ? &parent->rb_left : &parent->rb_right;
	}
	memmove(&sorted[i + 1], &sorted[i], (count - i) * sizeof(sorted[0]));
	sorted[i] = item;
	count++;
	rb_link_node(&item->rb, parent, link);
	if (!augmented) {
		rb_insert_color(&item->rb, root);
		return;
	}
	/* A gap of its own that nothing has: so propagate cannot end early at the new node. */
	item->max_gap = ~0UL;
	update_gap(i);
	update_gap(i + 1);
	rb_insert_augmented(&item->rb, root, &gap_callbacks);
}

static void take(struct rb_root *root, int i, bool augmented)
{
	struct item *item = sorted[i];

	if (augmented)
		rb_erase_augmented(&item->rb, root, &gap_callbacks);
	else
		rb_erase(&item->rb, root);
	memmove(&sorted[i], &sorted[i + 1], (count - i - 1) * sizeof(sorted[0]));
	count--;
	free(item);
	if (augmented)
		update_gap(i);
}

static void random_operations(bool augmented)
{
	const char *kind = augmented ? "augmented" : "plain";
	bool colours = true, order = true, gaps = true;
	struct rb_root root = RB_ROOT;
	int most = 0, emptied = 0;

	for (int n = 0; n < OPERATIONS; n++) {
		/* Swing between growing and shrinking, so that all sizes occur, also none. */
		bool growing = (n / 2000) % 2 == 0;
		bool insert = test_random() % 100 < (growing ? 70 : 25);

		if (insert && count < MAX_NODES - 1)
			add(&root, test_random() % 4096 * 2, augmented);
		else if (count)
			take(&root, (int)(test_random() % count), augmented);
		else
			emptied++;
		most = max(most, count);
		colours &= check_colours(&root, augmented);
		if (n % 64 == 0 || count < 8) {
			order &= check_order(&root);
			if (augmented)
				gaps &= check_gaps();
		}
	}
	while (count) {
		take(&root, (int)(test_random() % count), augmented);
		colours &= check_colours(&root, augmented);
	}
	ok(colours, "%s: rules of the colours%s after each of %d operations", kind,
	   augmented ? " and summaries" : "", OPERATIONS);
	ok(order, "%s: order as in the sorted array", kind);
	ok(gaps, "%s: gaps as in the sorted array", kind);
	ok(most > 500 && emptied, "%s: the tree was large (%d), and was empty", kind, most);
	ok(RB_EMPTY_ROOT(&root) && !rb_first(&root) && !rb_last(&root), "%s: empty at the end",
	   kind);
}

/* Every order in which to insert 7 nodes (all shapes of insertion), and remove them again. */
static void all_small_trees(void)
{
	enum { N = 7 };
	bool sound = true;
	int trees = 0;

	for (int code = 0; code < 5040; code++) {
		struct rb_root root = RB_ROOT;
		int left[N], n = N, rest = code;

		for (int i = 0; i < N; i++)
			left[i] = i;
		while (n) {
			int pick = rest % n;

			rest /= n;
			add(&root, left[pick], true);
			memmove(&left[pick], &left[pick + 1], (n - pick - 1) * sizeof(left[0]));
			n--;
			sound &= check_colours(&root, true) && check_order(&root);
		}
		for (rest = code; count; rest /= 7) {
			take(&root, rest % count, true);
			sound &= check_colours(&root, true) && check_order(&root);
		}
		trees++;
	}
	ok(sound && trees == 5040, "every order of inserting 7 nodes, then removing them");
}

/* The checks above are worth something only if they see damage. */
static void checks_see_damage(void)
{
	struct rb_root root = RB_ROOT;
	struct item *leaf;

	for (int i = 0; i < 100; i++)
		add(&root, i * 3, true);
	leaf = entry(rb_first_postorder(&root));
	leaf->rb.__rb_parent_color ^= RB_BLACK;
	ok(!check_colours(&root, true), "a node of the wrong colour is seen");
	leaf->rb.__rb_parent_color ^= RB_BLACK;
	leaf->max_gap++;
	ok(!check_colours(&root, true), "a wrong summary is seen");
	leaf->max_gap--;
	ok(check_colours(&root, true), "and the repaired tree is sound");
	while (count)
		take(&root, 0, true);
}

static void replacing(void)
{
	struct rb_root root = RB_ROOT;
	bool sound = true;

	for (int i = 0; i < 50; i++)
		add(&root, i, false);
	for (int i = 0; i < 50; i++) {
		struct item *fresh = malloc(sizeof(*fresh));

		*fresh = *sorted[i];
		rb_replace_node(&sorted[i]->rb, &fresh->rb, &root);
		free(sorted[i]);
		sorted[i] = fresh;
		sound &= check_colours(&root, false) && check_order(&root);
	}
	ok(sound, "rb_replace_node puts each node in the place of another");

	struct item *pos, *tmp;
	int freed = 0;

	rbtree_postorder_for_each_entry_safe(pos, tmp, &root, rb)
	{
		free(pos);
		freed++;
	}
	is(freed, 50, "a tree can be freed while walking it children first");
	count = 0;
}

#define INTERVALS 200

static bool meets(const struct interval_tree_node *node, unsigned long start, unsigned long last)
{
	return node->start <= last && node->last >= start;
}

static int inserted[INTERVALS]; /* when */

/* Whether the tree finds just the intervals of `in` that meet [start, last], ordered by start, then age. */
static bool check_query(struct rb_root *root, struct interval_tree_node *nodes, const bool *in,
			unsigned long start, unsigned long last)
{
	bool found[INTERVALS] = { false };
	unsigned long previous = 0;
	int when = 0;

	for (struct interval_tree_node *node = interval_tree_iter_first(root, start, last); node;
	     node = interval_tree_iter_next(node, start, last)) {
		int i = (int)(node - nodes);

		if (found[i] || !in[i] || node->start < previous)
			return false;
		if (node->start == previous && inserted[i] < when)
			return false;
		found[i] = true;
		previous = node->start;
		when = inserted[i];
	}
	for (int i = 0; i < INTERVALS; i++)
		if (found[i] != (in[i] && meets(&nodes[i], start, last)))
			return false;
	return true;
}

static void interval_trees(void)
{
	static struct interval_tree_node nodes[INTERVALS];
	static bool in[INTERVALS];
	struct rb_root root = RB_ROOT;
	bool sound = true;

	for (int n = 0; n < 20000; n++) {
		unsigned long top = n % 3 ? 1000 : 50, start = test_random() % top;
		int i = (int)(test_random() % INTERVALS);

		if (in[i]) {
			interval_tree_remove(&nodes[i], &root);
		} else {
			nodes[i].start = start;
			nodes[i].last = start + test_random() % (n % 7 ? 20 : 600);
			/* Some reach to the end of all numbers, where sums wrap. */
			if (n % 97 == 0)
				nodes[i].last = ~0UL;
			inserted[i] = n;
			interval_tree_insert(&nodes[i], &root);
		}
		in[i] = !in[i];
		start = test_random() % top;
		sound &= check_query(&root, nodes, in, start, start + test_random() % 30);
		if (n % 16 == 0)
			sound &= check_query(&root, nodes, in, 0, ~0UL) &&
				 check_query(&root, nodes, in, ~0UL, ~0UL) &&
				 check_query(&root, nodes, in, 0, 0);
	}
	ok(sound, "interval tree finds what trying every interval finds");
	for (int i = 0; i < INTERVALS; i++)
		if (in[i])
			interval_tree_remove(&nodes[i], &root);
	ok(RB_EMPTY_ROOT(&root) && !interval_tree_iter_first(&root, 0, ~0UL),
	   "interval tree is empty at the end");
}

int main(void)
{
	random_operations(false);
	random_operations(true);
	all_small_trees();
	checks_see_damage();
	replacing();
	interval_trees();
	return done_testing();
}
