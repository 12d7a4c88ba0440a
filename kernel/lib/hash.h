/* SPDX-License-Identifier: MIT */
/* Hashes for tables, none of them against an adversary. */
#ifndef KERNEL_LIB_HASH_H
#define KERNEL_LIB_HASH_H

#include "kernel/base/types.h"

/* FNV-1a, 64 bits (Fowler, Noll, Vo; constants as in their draft, section 5). */
#define FNV1A_INIT  0xcbf29ce484222325UL
#define FNV1A_PRIME 0x00000100000001b3UL

/* Continues the hash `h` (begin with FNV1A_INIT) over `len` bytes. */
static inline u64 hash_bytes(u64 h, const void *data, size_t len)
{
	const u8 *p = data;

	while (len--)
		h = (h ^ *p++) * FNV1A_PRIME;
	return h;
}

static inline u64 hash_string(const char *s)
{
	u64 h = FNV1A_INIT;

	for (; *s; s++)
		h = (h ^ (u8)*s) * FNV1A_PRIME;
	return h;
}

/*
 * A number spread over `bits` bits, 1 to 64: times 2^64 divided by the golden ratio, of which the
 * highest bits depend on all of the number (Knuth, volume 3, section 6.4).
 */
static inline u64 hash_u64(u64 value, unsigned int bits)
{
	return (value * 0x9e3779b97f4a7c15UL) >> (64 - bits);
}

static inline u64 hash_ptr(const void *p, unsigned int bits)
{
	return hash_u64((uintptr_t)p, bits);
}

#endif
