/* SPDX-License-Identifier: MIT */
/*
 * failures.h: one allocation of the kernel's made to fail, the nth from now, by /proc/self/fail-nth,
 * which the debug kernel has.
 */
#ifndef USER_TESTS_FAILURES_H
#define USER_TESTS_FAILURES_H

#include "vm.h"

static int fail_fd; /* of that file */

/* The nth allocation from here on fails; 0: none does. */
TAP_FN void fail_at(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	if (pwrite(fail_fd, text, len, 0) != len)
		_exit(2);
}

/* Whether the failure has happened; and no more of it. */
TAP_FN bool failed_now(void)
{
	char text[16] = "";

	if (pread(fail_fd, text, sizeof(text) - 1, 0) <= 0)
		_exit(2);
	fail_at(0);
	return atoi(text) == 0;
}

#endif
