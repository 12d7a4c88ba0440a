/* SPDX-License-Identifier: MIT */
/*
 * The kernel's printf against the C library's, over every combination of flags, width, precision,
 * length and conversion. The kernel's source is compiled into this program under other names.
 */
#define vsnprintf k_vsnprintf
#define snprintf  k_snprintf
#define scnprintf k_scnprintf
#include "kernel/base/printf.c"
#undef vsnprintf
#undef snprintf
#undef scnprintf

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "tests/host/tap.h"

/* Formats made at run time, odd ones, and buffers too small for them are what this is about. */
#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wformat-overflow"
#pragma GCC diagnostic ignored "-Wformat-truncation"
#endif

static long compared, differing;

/* Notes one comparison; the first few that differ are shown. */
static void compare(const char *fmt, const char *got, int got_len, const char *want, int want_len)
{
	compared++;
	if (got_len == want_len && !strcmp(got, want))
		return;
	if (differing++ < 10)
		diag("\"%s\": got \"%s\" (%d), expected \"%s\" (%d)", fmt, got, got_len, want,
		     want_len);
}

#define COMPARE(fmt, ...)                                                                \
	do {                                                                             \
		char got_text[600], want_text[600];                                      \
		int got_len = k_snprintf(got_text, sizeof(got_text), fmt, __VA_ARGS__);  \
		int want_len = snprintf(want_text, sizeof(want_text), fmt, __VA_ARGS__); \
		compare(fmt, got_text, got_len, want_text, want_len);                    \
	} while (0)

static void report(const char *what)
{
	ok(compared > 0 && !differing, "%s: %ld comparisons", what, compared);
	compared = differing = 0;
}

static const char *const widths[] = { "", "1", "5", "12", "30" };
static const char *const precisions[] = { "", ".", ".0", ".1", ".4", ".25" };

/* Every set of flags, as text. */
static const char *flags(int set)
{
	static char text[6];
	char *p = text;

	for (int i = 0; i < 5; i++)
		if (set & 1 << i)
			*p++ = "-+ #0"[i];
	*p = '\0';
	return text;
}

static void integers_of(const char *fmt, const char *length)
{
	static const long values[] = { 0,	1,	  -1,	    7,	       8,	42,
				       -42,	255,	  256,	    65535,     100000,	INT_MAX,
				       INT_MIN, LONG_MAX, LONG_MIN, SCHAR_MIN, SHRT_MIN };

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		if (*length && *length != 'h')
			COMPARE(fmt, values[i]);
		else
			COMPARE(fmt, (int)values[i]);
	}
}

static void integers(void)
{
	static const char *const lengths[] = { "", "hh", "h", "l", "ll", "z", "t", "j" };
	char fmt[40];

	for (const char *conv = "diuoxX"; *conv; conv++) {
		for (size_t l = 0; l < ARRAY_SIZE(lengths); l++)
			for (int set = 0; set < 32; set++)
				for (size_t w = 0; w < ARRAY_SIZE(widths); w++)
					for (size_t p = 0; p < ARRAY_SIZE(precisions); p++) {
						snprintf(fmt, sizeof(fmt), "<%%%s%s%s%s%c>",
							 flags(set), widths[w], precisions[p],
							 lengths[l], *conv);
						integers_of(fmt, lengths[l]);
					}
	}
	report("integers");
}

static void texts(void)
{
	static const char *const strings[] = { "", "a", "hello", "a text of more than a dozen" };
	char unterminated[4] = { 'w', 'x', 'y', 'z' };
	char fmt[40];

	for (int left = 0; left < 2; left++) {
		for (size_t w = 0; w < ARRAY_SIZE(widths); w++) {
			for (size_t p = 0; p < ARRAY_SIZE(precisions); p++) {
				snprintf(fmt, sizeof(fmt), "<%%%s%s%ss>", left ? "-" : "",
					 widths[w], precisions[p]);
				for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
					COMPARE(fmt, strings[i]);
			}
			snprintf(fmt, sizeof(fmt), "<%%%s%sc%%%%>", left ? "-" : "", widths[w]);
			COMPARE(fmt, 'q');
			COMPARE(fmt, 'q' + 256);
			snprintf(fmt, sizeof(fmt), "<%%%s%sp>", left ? "-" : "", widths[w]);
			COMPARE(fmt, (void *)fmt);
			COMPARE(fmt, (void *)NULL);
			COMPARE(fmt, (void *)~0UL);
		}
	}
	COMPARE("%.4s|%.*s", unterminated, 3, unterminated);
	COMPARE("%s", (char *)NULL);
	report("strings, characters and pointers");
}

static void stars(void)
{
	for (int width = -20; width <= 20; width += 5)
		for (int precision = -2; precision < 12; precision++) {
			COMPARE("<%*.*d>", width, precision, -321);
			COMPARE("<%0*.*lx>", width, precision, 0xabcUL);
			COMPARE("<%*.*s>", width, precision, "characters");
			COMPARE("<%-*d|%*c>", width, 7, width, 'x');
		}
	report("width and precision from arguments");

	/* More arguments than there are registers to pass them. */
	COMPARE("%d %s %ld %x %c %u %lx %s %d %zu %p %hhd", 1, "two", 3L, 4, '5', 6U, 7UL, "eight",
		9, sizeof(int), (void *)0x11, 12);
	report("many arguments");
}

/* The text in buffers of every size, each just as large as it says. */
static void sizes(void)
{
	const char *fmt = "%8d|%-6s|%#x";
	bool right = true, stored = true;
	char whole[64];
	int len = snprintf(whole, sizeof(whole), fmt, 1234, "ab", 255);

	for (int size = 0; size <= len + 2; size++) {
		char *buf = malloc(size ? size : 1);
		int n = min(len, size - 1);

		right &= k_snprintf(buf, size, fmt, 1234, "ab", 255) == len;
		right &= !size || (!memcmp(buf, whole, n) && !buf[n]);
		stored &= k_scnprintf(buf, size, fmt, 1234, "ab", 255) == (size ? n : 0);
		free(buf);
	}
	ok(right, "a buffer of any size gets what fits, and is terminated");
	ok(stored, "scnprintf returns what was stored");
	is(k_snprintf(NULL, 0, fmt, 1234, "ab", 255), len, "no buffer at all: the length");
}

/* Whatever a format holds, there is an end and nothing is written out of place. */
static void odd_formats(void)
{
	char buf[32];

	is(k_snprintf(buf, sizeof(buf), "100%"), 4, "a % at the end is text");
	ok(!strcmp(buf, "100%"), "and shows");
	k_snprintf(buf, sizeof(buf), "<%5y>%d", 7);
	ok(!strcmp(buf, "<%5y>7"), "an unknown conversion shows, and takes no argument");
	k_snprintf(buf, sizeof(buf), "%l");
	ok(!strcmp(buf, "%l"), "a length without a conversion shows");
	is(k_snprintf(buf, sizeof(buf), "%2147483647d%2147483647d", 1, 2), INT_MAX,
	   "a length beyond int is INT_MAX");
	is(k_snprintf(buf, sizeof(buf), "%99999999999d", 1), INT_MAX,
	   "a width beyond int is INT_MAX");
	is((long)strlen(buf), 31, "and the buffer holds what fits");
	is(k_snprintf(buf, sizeof(buf), "%*d", INT_MIN, 1), INT_MAX, "the least int as a width");
	is(k_snprintf(buf, sizeof(buf), "%.2147483647d", -1), INT_MAX, "the greatest precision");
	is(k_snprintf(buf, sizeof(buf), "%2147483647.2147483647d", -1), INT_MAX, "and both");
}

int main(void)
{
	integers();
	texts();
	stars();
	sizes();
	odd_formats();
	return done_testing();
}
