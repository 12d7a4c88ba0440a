/* SPDX-License-Identifier: MIT */
/*
 * Atomic integers. The compiler's builtins do the work; a type of its own keeps anyone from
 * touching one without them. Operations that return a value are full barriers, the others none.
 */
#ifndef KERNEL_BASE_ATOMIC_H
#define KERNEL_BASE_ATOMIC_H

#include "kernel/base/compiler.h"

typedef struct {
	int v;
} atomic_t;

typedef struct {
	long v;
} atomic_long_t;

#define DEFINE_ATOMIC(name, type, word)                                                            \
	static inline word name##_read(const type *a)                                              \
	{                                                                                          \
		return __atomic_load_n(&a->v, __ATOMIC_RELAXED);                                   \
	}                                                                                          \
	static inline void name##_set(type *a, word v)                                             \
	{                                                                                          \
		__atomic_store_n(&a->v, v, __ATOMIC_RELAXED);                                      \
	}                                                                                          \
	static inline void name##_add(type *a, word n)                                             \
	{                                                                                          \
		__atomic_fetch_add(&a->v, n, __ATOMIC_RELAXED);                                    \
	}                                                                                          \
	static inline void name##_inc(type *a)                                                     \
	{                                                                                          \
		name##_add(a, 1);                                                                  \
	}                                                                                          \
	static inline void name##_dec(type *a)                                                     \
	{                                                                                          \
		name##_add(a, -1);                                                                 \
	}                                                                                          \
	static inline word name##_add_return(type *a, word n)                                      \
	{                                                                                          \
		return __atomic_add_fetch(&a->v, n, __ATOMIC_SEQ_CST);                             \
	}                                                                                          \
	/* Takes one away; true when that was the last. */                                         \
	static inline bool name##_dec_and_test(type *a)                                            \
	{                                                                                          \
		return name##_add_return(a, -1) == 0;                                              \
	}                                                                                          \
	/* Adds one unless the value is 0; true when it did. */                                    \
	static inline bool name##_inc_not_zero(type *a)                                            \
	{                                                                                          \
		word old = name##_read(a);                                                         \
		while (old != 0 &&                                                                 \
		       !__atomic_compare_exchange_n(&a->v, &old, old + 1, false, __ATOMIC_SEQ_CST, \
						    __ATOMIC_RELAXED))                             \
			;                                                                          \
		return old != 0;                                                                   \
	}
DEFINE_ATOMIC(atomic, atomic_t, int)
DEFINE_ATOMIC(atomic_long, atomic_long_t, long)
#undef DEFINE_ATOMIC

#endif
