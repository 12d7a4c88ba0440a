/* SPDX-License-Identifier: MIT */
/*
 * Memory and string functions, with the prototypes and meanings of the C library: the compiler
 * emits calls to the first four by itself, so a freestanding kernel has to have them.
 */
#ifndef KERNEL_BASE_STRING_H
#define KERNEL_BASE_STRING_H

#include "kernel/base/compiler.h"

void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);

size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *haystack, const char *needle);
size_t strcspn(const char *s, const char *reject);

/*
 * Copies as much of `src` as fits in `size` bytes, always terminated when size > 0.
 * Returns strlen(src): a result >= size means that it was cut.
 */
size_t strlcpy(char *dst, const char *src, size_t size);

/*
 * Reads all of `s` as an unsigned number into *res. `base` is 2 to 36, or 0 for C's own prefixes
 * (0x, 0); base 16 takes a 0x too. One leading '+' and one trailing newline are allowed.
 * Returns 0, -EINVAL for anything else in the text or for none, or -ERANGE; *res then keeps its value.
 */
int kstrtoul(const char *s, int base, unsigned long *res);

/*
 * -ffreestanding tells the compiler that these names could mean anything, so it would call a
 * function to copy eight bytes. The builtins give it back what it knows about them.
 */
#ifndef TESSERA_HOST
#define memcpy(dst, src, n)  __builtin_memcpy(dst, src, n)
#define memmove(dst, src, n) __builtin_memmove(dst, src, n)
#define memset(dst, c, n)    __builtin_memset(dst, c, n)
#define strlen(s)	     __builtin_strlen(s)
#endif

#endif
