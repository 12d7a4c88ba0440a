/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_BASE_UBSAN_H
#define KERNEL_BASE_UBSAN_H

/*
 * When set, a report is a line on the console and not a panic, and this is called then: it must not come
 * back. For the tests of the reports.
 */
extern void (*ubsan_test_hook)(void);

#endif
