/* SPDX-License-Identifier: MIT */
/*
 * Arrays of bits in words of unsigned long; bit n is bit n % 64 of word n / 64.
 *
 * set_bit, clear_bit, test_and_set_bit and test_and_clear_bit are atomic and order memory as a full
 * barrier; those with two underscores, and all that take a length, want the caller to hold a lock.
 */
#ifndef KERNEL_LIB_BITMAP_H
#define KERNEL_LIB_BITMAP_H

#include "kernel/base/compiler.h"

#define BITS_PER_LONG		   64UL
#define BITS_TO_LONGS(bits)	   DIV_ROUND_UP((unsigned long)(bits), BITS_PER_LONG)
#define DECLARE_BITMAP(name, bits) unsigned long name[BITS_TO_LONGS(bits)]

static inline unsigned long bit_mask(unsigned long nr)
{
	return 1UL << (nr % BITS_PER_LONG);
}

static inline bool test_bit(unsigned long nr, const unsigned long *map)
{
	return READ_ONCE(map[nr / BITS_PER_LONG]) & bit_mask(nr);
}

static inline bool test_and_set_bit(unsigned long nr, unsigned long *map)
{
	return __atomic_fetch_or(&map[nr / BITS_PER_LONG], bit_mask(nr), __ATOMIC_SEQ_CST) &
	       bit_mask(nr);
}

static inline bool test_and_clear_bit(unsigned long nr, unsigned long *map)
{
	return __atomic_fetch_and(&map[nr / BITS_PER_LONG], ~bit_mask(nr), __ATOMIC_SEQ_CST) &
	       bit_mask(nr);
}

static inline void set_bit(unsigned long nr, unsigned long *map)
{
	__atomic_fetch_or(&map[nr / BITS_PER_LONG], bit_mask(nr), __ATOMIC_SEQ_CST);
}

static inline void clear_bit(unsigned long nr, unsigned long *map)
{
	__atomic_fetch_and(&map[nr / BITS_PER_LONG], ~bit_mask(nr), __ATOMIC_SEQ_CST);
}

static inline void __set_bit(unsigned long nr, unsigned long *map)
{
	map[nr / BITS_PER_LONG] |= bit_mask(nr);
}

static inline void __clear_bit(unsigned long nr, unsigned long *map)
{
	map[nr / BITS_PER_LONG] &= ~bit_mask(nr);
}

/* The bits of word number `word` that lie in [start, start + len), len > 0. */
static inline unsigned long bitmap_word_mask(unsigned long word, unsigned long start,
					     unsigned long len)
{
	unsigned long first = word * BITS_PER_LONG, end = start + len;
	unsigned long mask = ~0UL;

	if (start > first)
		mask <<= start - first;
	if (end < first + BITS_PER_LONG)
		mask &= ~0UL >> (first + BITS_PER_LONG - end);
	return mask;
}

/* Sets or clears bits [start, start + len). */
static inline void bitmap_set(unsigned long *map, unsigned long start, unsigned long len)
{
	for (unsigned long w = start / BITS_PER_LONG; len && w < BITS_TO_LONGS(start + len); w++)
		map[w] |= bitmap_word_mask(w, start, len);
}

static inline void bitmap_clear(unsigned long *map, unsigned long start, unsigned long len)
{
	for (unsigned long w = start / BITS_PER_LONG; len && w < BITS_TO_LONGS(start + len); w++)
		map[w] &= ~bitmap_word_mask(w, start, len);
}

/* Whole maps of `bits` bits. Bits of the last word beyond them are cleared by both. */
static inline void bitmap_zero(unsigned long *map, unsigned long bits)
{
	for (unsigned long w = 0; w < BITS_TO_LONGS(bits); w++)
		map[w] = 0;
}

static inline void bitmap_fill(unsigned long *map, unsigned long bits)
{
	bitmap_zero(map, bits);
	bitmap_set(map, 0, bits);
}

/*
 * The first bit at or after `start` that is set once every word is turned over by `flip` (0, or all
 * ones to look for a clear bit). Returns `bits` when there is none below it.
 */
static inline unsigned long bitmap_find(const unsigned long *map, unsigned long bits,
					unsigned long start, unsigned long flip)
{
	while (start < bits) {
		unsigned long word = (map[start / BITS_PER_LONG] ^ flip) >> (start % BITS_PER_LONG);

		if (word)
			return min(start + (unsigned long)__builtin_ctzl(word), bits);
		start = ALIGN_DOWN(start, BITS_PER_LONG) + BITS_PER_LONG;
	}
	return bits;
}

static inline unsigned long find_next_bit(const unsigned long *map, unsigned long bits,
					  unsigned long start)
{
	return bitmap_find(map, bits, start, 0);
}

static inline unsigned long find_next_zero_bit(const unsigned long *map, unsigned long bits,
					       unsigned long start)
{
	return bitmap_find(map, bits, start, ~0UL);
}

static inline unsigned long find_first_bit(const unsigned long *map, unsigned long bits)
{
	return bitmap_find(map, bits, 0, 0);
}

static inline unsigned long find_first_zero_bit(const unsigned long *map, unsigned long bits)
{
	return bitmap_find(map, bits, 0, ~0UL);
}

#define for_each_set_bit(bit, map, bits) \
	for (bit = find_first_bit(map, bits); bit < (bits); bit = find_next_bit(map, bits, bit + 1))

/* How many bits of a word are set, in pairs, then nibbles, then bytes: the CPU may lack POPCNT. */
static inline unsigned int hweight_long(unsigned long w)
{
	w -= (w >> 1) & 0x5555555555555555UL;
	w = (w & 0x3333333333333333UL) + ((w >> 2) & 0x3333333333333333UL);
	w = (w + (w >> 4)) & 0x0f0f0f0f0f0f0f0fUL;
	return (unsigned int)((w * 0x0101010101010101UL) >> 56);
}

/* How many of the first `bits` bits are set. */
static inline unsigned long bitmap_weight(const unsigned long *map, unsigned long bits)
{
	unsigned long weight = 0;

	for (unsigned long w = 0; w < BITS_TO_LONGS(bits); w++)
		weight += hweight_long(map[w] & bitmap_word_mask(w, 0, bits));
	return weight;
}

static inline bool bitmap_empty(const unsigned long *map, unsigned long bits)
{
	return find_first_bit(map, bits) == bits;
}

static inline bool bitmap_full(const unsigned long *map, unsigned long bits)
{
	return find_first_zero_bit(map, bits) == bits;
}

#endif
