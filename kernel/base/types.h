/* SPDX-License-Identifier: MIT */
/*
 * The scalar types of the kernel.
 *
 * Physical addresses and frame numbers are structures of one word: the compiler then refuses to
 * mix them with each other or with a virtual address, which stays a plain `unsigned long` because
 * most of what mm/ does with one is arithmetic.
 */
#ifndef KERNEL_BASE_TYPES_H
#define KERNEL_BASE_TYPES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#ifndef __ssize_t_defined
typedef long ssize_t;
#define __ssize_t_defined
#endif

/* An offset in a file, in bytes. */
typedef s64 loff_t;

/* A page frame number: a physical address divided by PAGE_SIZE. */
typedef struct {
	unsigned long v;
} pfn_t;

/* A physical address, in bytes. */
typedef struct {
	unsigned long v;
} phys_addr_t;

static inline pfn_t make_pfn(unsigned long v)
{
	return (pfn_t){ v };
}

static inline phys_addr_t make_phys(unsigned long v)
{
	return (phys_addr_t){ v };
}

#endif
