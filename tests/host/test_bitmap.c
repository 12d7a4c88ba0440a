/* SPDX-License-Identifier: MIT */
/* Bitmaps against an array of bool; lists and hashes, for which little can go wrong, in passing. */
#include <string.h>

#include "kernel/lib/bitmap.h"
#include "kernel/lib/hash.h"
#include "kernel/lib/list.h"
#include "tests/host/tap.h"

#define MAX_BITS 200

static unsigned long find(const bool *ref, unsigned long bits, unsigned long start, bool value)
{
	while (start < bits && ref[start] != value)
		start++;
	return start < bits ? start : bits;
}

static bool same(const unsigned long *map, const bool *ref, unsigned long bits)
{
	unsigned long weight = 0, bit, visited = 0;

	for (unsigned long i = 0; i < bits; i++) {
		weight += ref[i];
		if (test_bit(i, map) != ref[i] ||
		    find_next_bit(map, bits, i) != find(ref, bits, i, true) ||
		    find_next_zero_bit(map, bits, i) != find(ref, bits, i, false))
			return false;
	}
	for_each_set_bit(bit, map, bits) visited += ref[bit];
	return visited == weight && bitmap_weight(map, bits) == weight &&
	       bitmap_empty(map, bits) == !weight && bitmap_full(map, bits) == (weight == bits) &&
	       find_first_bit(map, bits) == find(ref, bits, 0, true) &&
	       find_first_zero_bit(map, bits) == find(ref, bits, 0, false) &&
	       find_next_bit(map, bits, bits) == bits;
}

/* One random change. Returns whether it answered rightly. */
static bool change(unsigned long *map, bool *ref, unsigned long bits)
{
	unsigned long bit = test_random() % bits, len = test_random() % (bits - bit + 1);
	bool was = ref[bit], value = test_random() % 2, answer = was;

	switch (test_random() % 4) {
	case 0:
		answer = value ? test_and_set_bit(bit, map) : test_and_clear_bit(bit, map);
		break;
	case 1:
		value ? set_bit(bit, map) : clear_bit(bit, map);
		break;
	case 2:
		value ? __set_bit(bit, map) : __clear_bit(bit, map);
		break;
	default:
		value ? bitmap_set(map, bit, len) : bitmap_clear(map, bit, len);
		memset(ref + bit, value, len);
		return true;
	}
	ref[bit] = value;
	return answer == was;
}

static void bitmaps(void)
{
	bool right = true, fresh = true, beyond = true;

	for (unsigned long bits = 1; bits <= MAX_BITS; bits++) {
		/* Just as many words as needed, and a guard behind them. */
		unsigned long map[BITS_TO_LONGS(MAX_BITS) + 1];
		bool ref[MAX_BITS];
		unsigned long *guard = &map[BITS_TO_LONGS(bits)];

		*guard = 0x5a5a5a5a5a5a5a5aUL;
		bitmap_fill(map, bits);
		memset(ref, true, sizeof(ref));
		fresh &= same(map, ref, bits);
		bitmap_zero(map, bits);
		memset(ref, false, sizeof(ref));
		fresh &= same(map, ref, bits);
		for (int n = 0; n < 60; n++)
			right &= change(map, ref, bits) && same(map, ref, bits);
		beyond &= *guard == 0x5a5a5a5a5a5a5a5aUL;
	}
	ok(fresh, "maps of 1 to %d bits: filled and zeroed", MAX_BITS);
	ok(right, "maps of 1 to %d bits: as an array of bool after each change", MAX_BITS);
	ok(beyond, "nothing is written behind a map");
	is(hweight_long(~0UL), 64, "all bits of a word are counted");
	is(hweight_long(0x8000000000000001UL), 2, "and the outer two");
}

struct thing {
	int value;
	struct list_head link;
	struct hlist_node hash;
};

static struct thing things[6];

/* Whether the list holds the things named by the digits, forwards and backwards. */
static bool holds(struct list_head *head, const char *digits)
{
	int n = (int)strlen(digits), i = 0;
	struct thing *thing;

	list_for_each_entry(thing, head,
			    link) if (i == n || thing->value != digits[i++] - '0') return false;
	if (i != n)
		return false;
	list_for_each_entry_reverse(thing, head,
				    link) if (thing->value != digits[--i] - '0') return false;
	return list_empty(head) == !n && list_is_singular(head) == (n == 1);
}

static void lists(void)
{
	LIST_HEAD(a);
	LIST_HEAD(b);
	struct thing *first, *thing, *tmp, spare = { .value = 9 };
	bool right = holds(&a, "");

	for (int i = 0; i < 6; i++)
		things[i].value = i;
	list_add(&things[1].link, &a);
	list_add(&things[0].link, &a);
	list_add_tail(&things[2].link, &a);
	list_add_tail(&things[3].link, &b);
	list_add_tail(&things[4].link, &b);
	ok(right && holds(&a, "012") && holds(&b, "34"),
	   "list_add puts in front, list_add_tail behind");
	list_splice_tail_init(&b, &a);
	ok(holds(&a, "01234") && holds(&b, ""), "list_splice_tail_init moves all to the end");
	list_move(&things[4].link, &a);
	list_move_tail(&things[1].link, &b);
	list_move_tail(&things[0].link, &b);
	ok(holds(&a, "423") && holds(&b, "10"), "list_move and list_move_tail");
	list_splice_init(&b, &a);
	list_replace(&things[4].link, &spare.link);
	ok(holds(&a, "10923") && holds(&b, ""), "list_splice_init to the front, list_replace");
	ok(list_first_entry(&a, struct thing, link) == &things[1] &&
		   list_last_entry(&a, struct thing, link) == &things[3] &&
		   list_is_first(&things[1].link, &a) && list_is_last(&things[3].link, &a) &&
		   list_next_entry(&spare, link) == &things[2] &&
		   list_prev_entry(&spare, link) == &things[0],
	   "first, last, next and previous entries");
	first = list_first_entry_or_null(&b, struct thing, link);
	ok(!first, "an empty list has no first entry");
	list_for_each_entry_safe(thing, tmp, &a, link) if (thing->value % 2) list_del(&thing->link);
	ok(holds(&a, "02"), "entries can be taken out in a _safe loop");
	list_del_init(&things[0].link);
	list_del_init(&things[2].link);
	ok(holds(&a, "") && list_empty(&things[0].link), "list_del_init leaves an empty list");
}

static void hlists(void)
{
	struct hlist_head head = HLIST_HEAD_INIT;
	struct hlist_node *tmp;
	struct thing *thing;
	int sum = 0;

	for (int i = 0; i < 6; i++) {
		INIT_HLIST_NODE(&things[i].hash);
		hlist_add_head(&things[i].hash, &head);
	}
	hlist_del_init(&things[5].hash);
	hlist_del_init(&things[0].hash);
	hlist_del_init(&things[2].hash);
	hlist_del_init(&things[2].hash);
	hlist_for_each_entry(thing, &head, hash) sum = sum * 10 + thing->value;
	is(sum, 431, "hlist: first, last and middle taken out, one of them twice");
	hlist_for_each_entry_safe(thing, tmp, &head, hash) hlist_del_init(&thing->hash);
	ok(hlist_empty(&head) && hlist_unhashed(&things[4].hash), "hlist: emptied in a _safe loop");
}

int main(void)
{
	bitmaps();
	lists();
	hlists();
	/* Published test values of FNV-1a for "", "a" and "foobar". */
	ok(hash_string("") == 0xcbf29ce484222325UL && hash_string("a") == 0xaf63dc4c8601ec8cUL &&
		   hash_string("foobar") == 0x85944171f73967e8UL,
	   "FNV-1a gives its published values");
	ok(hash_bytes(hash_bytes(FNV1A_INIT, "foo", 3), "bar", 3) == hash_string("foobar"),
	   "and can go on from where it stopped");
	ok(hash_u64(1, 64) && hash_u64(~0UL, 1) < 2 && hash_u64(123456, 8) < 256,
	   "hash_u64 keeps to its number of bits");
	return done_testing();
}
