/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_BASE_PRINTF_H
#define KERNEL_BASE_PRINTF_H

#include "kernel/base/compiler.h"

/*
 * C99 semantics without floating point: flags "-+ #0", width and precision (also *), lengths
 * hh h l ll z t j, conversions d i u o x X c s p %. The result is always terminated when size > 0.
 * vsnprintf and snprintf return the length the whole text would have; scnprintf what was stored.
 */
int vsnprintf(char *buf, size_t size, const char *fmt, va_list args) __printf(3, 0);
int snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
int scnprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);

#endif
