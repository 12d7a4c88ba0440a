/* SPDX-License-Identifier: MIT */
/* The radix tree against a plain table of items, with an allocator that fails when told to. */
#include <stdlib.h>
#include <string.h>

#include "kernel/base/errno.h"
#include "kernel/lib/radix_tree.h"
#include "tests/host/tap.h"

static long live_nodes;
static long fail_after = -1; /* so many allocations succeed, then none; -1: all do */

static void *node_alloc(void)
{
	if (fail_after == 0)
		return NULL;
	if (fail_after > 0)
		fail_after--;
	live_nodes++;
	return calloc(1, RADIX_TREE_NODE_SIZE);
}

static void node_free(void *node)
{
	live_nodes--;
	free(node);
}

static const struct radix_tree_ops ops = { .alloc = node_alloc, .free = node_free };

/* The reference: every index that the test uses, with what is there. Ascending. */
#define ENTRIES 700

static struct entry {
	unsigned long index;
	void *item;
	bool tag[RADIX_NR_TAGS];
} table[ENTRIES];

static int by_index(const void *a, const void *b)
{
	unsigned long x = ((const struct entry *)a)->index, y = ((const struct entry *)b)->index;

	return x < y ? -1 : x > y;
}

/* Some runs near 0, some everywhere, and the borders of each level. */
static void choose_indices(void)
{
	int n = 0;

	for (int i = 0; i < 300; i++)
		table[n++].index = i;
	for (int shift = 6; shift < 64; shift += 6)
		for (long d = -2; d <= 2; d++)
			table[n++].index = (1UL << shift) + d;
	table[n++].index = ~0UL;
	table[n++].index = ~0UL - 1;
	while (n < ENTRIES)
		table[n++].index = test_random() >> (test_random() % 64);
	qsort(table, ENTRIES, sizeof(table[0]), by_index);
	/* Twice the same number would be two entries for one place: give the second an odd one. */
	for (int i = 1; i < ENTRIES; i++)
		if (table[i].index <= table[i - 1].index)
			table[i].index = table[i - 1].index + 1;
}

static bool check_next(struct radix_tree_root *root, int from, unsigned long index, int tag)
{
	unsigned long at = index, expected = index;
	void *item, *want = NULL;

	for (int i = from; i < ENTRIES && !want; i++) {
		if (table[i].index >= index && table[i].item && (tag < 0 || table[i].tag[tag])) {
			want = table[i].item;
			expected = table[i].index;
		}
	}
	item = tag < 0 ? radix_tree_next(root, &at) : radix_tree_next_tagged(root, &at, tag);
	return item == want && at == expected;
}

/* Compares the tree with the table, from start to end. */
static bool check_all(struct radix_tree_root *root)
{
	bool any[RADIX_NR_TAGS] = { false };

	for (int i = 0; i < ENTRIES; i++) {
		unsigned long index = table[i].index;

		if (radix_tree_lookup(root, index) != table[i].item)
			return false;
		for (int tag = -1; tag < RADIX_NR_TAGS; tag++) {
			if (!check_next(root, i, index, tag))
				return false;
			if (index != ~0UL && !check_next(root, i, index + 1, tag))
				return false;
			if (tag < 0)
				continue;
			any[tag] |= table[i].tag[tag];
			if (radix_tree_tag_get(root, index, tag) != table[i].tag[tag])
				return false;
		}
	}
	for (int tag = 0; tag < RADIX_NR_TAGS; tag++)
		if (radix_tree_tagged(root, tag) != any[tag])
			return false;
	return true;
}

/* A node without items is a node that should have been freed; so is a root with only a first child. */
static bool check_nodes(const struct radix_tree_node *node, long *nodes)
{
	(*nodes)++;
	if (!node->present)
		return false;
	for (unsigned int i = 0; i < RADIX_TREE_SLOTS; i++) {
		const struct radix_tree_node *child = node->slots[i];

		if (!!child != !!(node->present & (1UL << i)))
			return false;
		if (!child || !node->shift)
			continue;
		if (child->parent != node || child->offset != i ||
		    child->shift + RADIX_TREE_BITS != node->shift || !check_nodes(child, nodes))
			return false;
		for (int tag = 0; tag < RADIX_NR_TAGS; tag++)
			if (!!child->tags[tag] != !!(node->tags[tag] & (1UL << i)))
				return false;
	}
	return true;
}

static bool check_shape(struct radix_tree_root *root)
{
	long nodes = 0;

	if (root->node) {
		if (root->node->parent || !check_nodes(root->node, &nodes))
			return false;
		if (root->node->shift && root->node->present == 1)
			return false;
	}
	return nodes == live_nodes;
}

/* One random tag operation or replacement, made to both. */
static bool change_item(struct radix_tree_root *root, struct entry *e)
{
	int tag = (int)(test_random() % RADIX_NR_TAGS);
	void *old = e->item, *fresh = &e->tag[tag];

	switch (test_random() % 4) {
	case 0:
	case 1:
		radix_tree_tag_set(root, e->index, tag);
		e->tag[tag] = old != NULL;
		return true;
	case 2:
		radix_tree_tag_clear(root, e->index, tag);
		e->tag[tag] = false;
		return true;
	default:
		if (old)
			e->item = fresh;
		return radix_tree_replace(root, e->index, fresh) == old;
	}
}

static bool insert(struct radix_tree_root *root, struct entry *e)
{
	int err = radix_tree_insert(root, e->index, e);

	if (e->item)
		return err == -EEXIST;
	e->item = e;
	return err == 0;
}

static bool take(struct radix_tree_root *root, struct entry *e)
{
	void *old = e->item;

	e->item = NULL;
	memset(e->tag, 0, sizeof(e->tag));
	return radix_tree_delete(root, e->index) == old;
}

static void random_operations(void)
{
	bool answers = true, contents = true, shape = true;
	struct radix_tree_root root;
	int present = 0, most = 0;

	radix_tree_init(&root, &ops);
	for (int n = 0; n < 100000; n++) {
		/* Swing between nearly full and nearly empty. */
		unsigned long inserts = n / 5000 % 2 ? 15 : 45;
		unsigned long what = test_random() % 100;
		struct entry *e = &table[test_random() % ENTRIES];

		present -= e->item != NULL;
		if (what < inserts)
			answers &= insert(&root, e);
		else if (what < 60)
			answers &= take(&root, e);
		else
			answers &= change_item(&root, e);
		present += e->item != NULL;
		most = max(most, present);
		if (n % 500 == 0)
			contents &= check_all(&root);
		if (n % 50 == 0)
			shape &= check_shape(&root);
	}
	ok(answers, "100000 random operations answer as the reference does");
	ok(contents, "lookups, tags and searches as in the reference");
	ok(shape, "no node is empty or superfluous, tags agree level by level");
	ok(most > ENTRIES / 2, "the tree was well filled (%d of %d)", most, ENTRIES);
	for (int i = 0; i < ENTRIES; i++)
		take(&root, &table[i]);
	ok(radix_tree_empty(&root), "the tree is empty at the end");
	is(live_nodes, 0, "all nodes were given back");
}

/* Every insertion is tried with 0, 1, 2... allocations granted, until it succeeds. */
static void failing_allocations(void)
{
	bool unchanged = true, worked = true;
	struct radix_tree_root root;
	long failures = 0;

	radix_tree_init(&root, &ops);
	for (int n = 0; n < ENTRIES; n++) {
		struct entry *e = &table[(n * 263UL + 5) % ENTRIES];
		struct radix_tree_node *top = root.node;
		long before = live_nodes;
		int err;

		for (fail_after = 0;; fail_after++) {
			long granted = fail_after;

			err = radix_tree_insert(&root, e->index, e);
			fail_after = granted;
			if (err != -ENOMEM)
				break;
			failures++;
			unchanged &= live_nodes == before && root.node == top &&
				     !radix_tree_lookup(&root, e->index);
			if (failures % 16 == 0)
				unchanged &= check_all(&root);
		}
		/* As few allocations as it takes were asked for, and all were used. */
		worked &= err == 0 && live_nodes == before + fail_after;
		fail_after = -1;
		e->item = e;
		worked &= check_shape(&root);
		radix_tree_tag_set(&root, e->index, n % RADIX_NR_TAGS);
		e->tag[n % RADIX_NR_TAGS] = true;
	}
	ok(unchanged && failures > ENTRIES / 4, "%ld failed insertions changed nothing", failures);
	ok(worked && check_all(&root), "and each succeeded once there was memory");

	fail_after = 0;
	is(radix_tree_insert(&root, table[7].index, &root), -EEXIST,
	   "what exists is refused before memory is asked for");
	for (int i = 0; i < ENTRIES; i++)
		worked &= take(&root, &table[i]);
	ok(worked && !live_nodes, "deleting needs no memory");
	fail_after = -1;
}

/* The loops that callers write. */
static void usage(void)
{
	unsigned long index, found = 0;
	struct radix_tree_root root;
	char items[200];

	radix_tree_init(&root, &ops);
	for (index = 0; index < 200; index++)
		radix_tree_insert(&root, index * 1000, &items[index]);
	is(root.node->shift, 12, "200,000 indices make three levels");
	for (index = 0; index < 200; index += 3)
		radix_tree_tag_set(&root, index * 1000, RADIX_TAG_DIRTY);
	for (index = 0; radix_tree_next_tagged(&root, &index, RADIX_TAG_DIRTY); index++)
		found++;
	is(found, 67, "a loop over tagged items finds every one");
	ok(!radix_tree_tagged(&root, RADIX_TAG_TOWRITE), "and there are none with another tag");
	found = 0;
	for (index = 500; radix_tree_next(&root, &index); index++, found++)
		radix_tree_delete(&root, index);
	is(found, 199, "a loop may delete what it finds");
	is(root.node->shift, 0, "what is left at 0 needs one level");
	ok(radix_tree_lookup(&root, 0) == &items[0] &&
		   radix_tree_tag_get(&root, 0, RADIX_TAG_DIRTY),
	   "it is still there with its tag");
	radix_tree_delete(&root, 0);
	is(live_nodes, 0, "nothing remains");
}

int main(void)
{
	choose_indices();
	random_operations();
	failing_allocations();
	usage();
	return done_testing();
}
