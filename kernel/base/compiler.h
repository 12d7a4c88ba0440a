/* SPDX-License-Identifier: MIT */
/* Small words for what the compiler can be told, and arithmetic every layer needs. */
#ifndef KERNEL_BASE_COMPILER_H
#define KERNEL_BASE_COMPILER_H

#include "kernel/base/types.h"

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#undef __packed
#undef __aligned
#undef __section
#undef __always_inline
#undef __noreturn
#define __packed	    __attribute__((packed))
#define __aligned(n)	    __attribute__((aligned(n)))
#define __section(s)	    __attribute__((section(s)))
#define __always_inline	    inline __attribute__((always_inline))
#define __noreturn	    __attribute__((noreturn))
#define __printf(fmt, args) __attribute__((format(printf, fmt, args)))
#define __maybe_unused	    __attribute__((unused))
#define __must_check	    __attribute__((warn_unused_result))
/* For a function that everybody waits for and that has no array, only a variable whose address is taken. */
#define __no_stack_protector __attribute__((no_stack_protector))
/* For one that reads what others may be writing, and says in what way that does no harm. */
#define __no_tsan   __attribute__((no_sanitize_thread))
#define noinline    __attribute__((noinline))
#define fallthrough __attribute__((fallthrough))

/* Marks a pointer into user memory; only the functions of <arch/uaccess.h> may follow it. */
#define __user

#define barrier() __asm__ volatile("" ::: "memory")
#ifdef __SANITIZE_THREAD__
/* Under ThreadSanitizer what they are on x86: of one piece, and in order but for a read before a write. */
#define READ_ONCE(x) __atomic_load_n(&(x), __ATOMIC_ACQUIRE)
#define WRITE_ONCE(x, val)                                     \
	({                                                     \
		__typeof__(x) wo_v = (val);                    \
		__atomic_store(&(x), &wo_v, __ATOMIC_RELEASE); \
	})
#else
#define READ_ONCE(x)	   (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, val) (*(volatile __typeof__(x) *)&(x) = (val))
#endif

#undef container_of
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
#define ARRAY_SIZE(a)			(sizeof(a) / sizeof((a)[0]))
#define BIT(n)				(1UL << (n))

/* The alignment `a` is a power of two; the result has the type of `x`. */
#define ALIGN_DOWN(x, a)   ((x) & ~((__typeof__(x))(a)-1))
#define ALIGN_UP(x, a)	   ALIGN_DOWN((x) + ((__typeof__(x))(a)-1), a)
#define IS_ALIGNED(x, a)   (((x) & ((__typeof__(x))(a)-1)) == 0)
#define DIV_ROUND_UP(x, d) (((x) + (d)-1) / (d))

#undef min
#undef max
#define min(a, b)                              \
	({                                     \
		__typeof__(a) min_a = (a);     \
		__typeof__(b) min_b = (b);     \
		(void)(&min_a == &min_b);      \
		min_a < min_b ? min_a : min_b; \
	})
#define max(a, b)                              \
	({                                     \
		__typeof__(a) max_a = (a);     \
		__typeof__(b) max_b = (b);     \
		(void)(&max_a == &max_b);      \
		max_a > max_b ? max_a : max_b; \
	})

#endif
