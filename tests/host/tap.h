/* SPDX-License-Identifier: MIT */
/* The Test Anything Protocol for host programs: one line per check, read by prove. */
#ifndef TESTS_HOST_TAP_H
#define TESTS_HOST_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static int tap_planned, tap_run, tap_failed;

/* How many checks there will be; without it, done_testing() says how many there were. */
static inline void plan(int checks)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	tap_planned = checks;
	printf("1..%d\n", checks);
}

__attribute__((format(printf, 1, 2))) static inline void diag(const char *fmt, ...)
{
	va_list args;

	fputs("# ", stdout);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}

static inline bool tap_vok(bool cond, const char *fmt, va_list args)
{
	printf("%sok %d - ", cond ? "" : "not ", ++tap_run);
	vprintf(fmt, args);
	putchar('\n');
	/* A crash in what follows must not take this line with it. */
	fflush(stdout);
	tap_failed += !cond;
	return cond;
}

/* One check. Returns what it found, so that a test can say more when it failed. */
__attribute__((format(printf, 2, 3))) static inline bool ok(bool cond, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tap_vok(cond, fmt, args);
	va_end(args);
	return cond;
}

/* Checks two integers for equality and shows them when they differ. */
__attribute__((format(printf, 3, 4))) static inline bool is(long got, long expected,
							    const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tap_vok(got == expected, fmt, args);
	va_end(args);
	if (got != expected)
		diag("got %ld (%#lx), expected %ld (%#lx)", got, (unsigned long)got, expected,
		     (unsigned long)expected);
	return got == expected;
}

/* Ends the program's checks. Returns its exit status: not 0 if one failed, or none was made. */
static inline int done_testing(void)
{
	if (!tap_planned)
		printf("1..%d\n", tap_run);
	return tap_failed || !tap_run || (tap_planned && tap_planned != tap_run);
}

/*
 * A small generator (xorshift64*): the same numbers on every run, so a failure can be repeated. Each thread
 * has its own, which is the same as the others' until it is given a number of its own.
 */
static __thread unsigned long test_random_state __attribute__((unused)) = 0x2545f4914f6cdd1dUL;

static inline void test_random_seed(unsigned long n)
{
	test_random_state ^= (n + 1) << 8;
}

static inline unsigned long test_random(void)
{
	unsigned long state = test_random_state;

	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	test_random_state = state;
	return state * 0x2545f4914f6cdd1dUL;
}

#endif
