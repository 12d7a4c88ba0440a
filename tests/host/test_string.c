/* SPDX-License-Identifier: MIT */
/*
 * The kernel's string functions against the C library's. The kernel's source is compiled into this
 * program under other names.
 */
#define memcpy	 k_memcpy
#define memmove	 k_memmove
#define memset	 k_memset
#define memcmp	 k_memcmp
#define memchr	 k_memchr
#define strlen	 k_strlen
#define strnlen	 k_strnlen
#define strcmp	 k_strcmp
#define strncmp	 k_strncmp
#define strchr	 k_strchr
#define strrchr	 k_strrchr
#define strstr	 k_strstr
#define strcspn	 k_strcspn
#define strlcpy	 k_strlcpy
#define kstrtoul k_kstrtoul
#include "kernel/base/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strrchr
#undef strstr
#undef strcspn
#undef strlcpy
#undef kstrtoul

#include <stdlib.h>
#include <string.h>

#include "tests/host/tap.h"

#define ROUNDS 20000

static int sign(int x)
{
	return (x > 0) - (x < 0);
}

/* Memory of just `size` bytes, so that the sanitizer sees a step beyond it, with random contents. */
static u8 *random_bytes(size_t size)
{
	u8 *p = malloc(size ? size : 1);

	for (size_t i = 0; i < size; i++)
		p[i] = (u8)test_random();
	return p;
}

/* A string of few different letters, some above 127, so that searches find something. */
static char *random_string(size_t len)
{
	char *s = malloc(len + 1);

	for (size_t i = 0; i < len; i++)
		s[i] = "ab\xe9"[test_random() % 3];
	s[len] = '\0';
	return s;
}

static void copying(void)
{
	bool copied = true, moved = true, filled = true;

	for (int n = 0; n < ROUNDS; n++) {
		size_t len = test_random() % 70, a = test_random() % 16, b = test_random() % 16;
		size_t size = len + 16;
		u8 *x = random_bytes(size), *y = malloc(size), *other = random_bytes(size);

		memcpy(y, x, size);
		copied &= k_memcpy(x + a, other + b, len) == x + a;
		memcpy(y + a, other + b, len);
		copied &= !memcmp(x, y, size);

		moved &= k_memmove(x + a, x + b, len) == x + a;
		memmove(y + a, y + b, len);
		moved &= !memcmp(x, y, size);

		filled &= k_memset(x + a, n, len) == x + a;
		memset(y + a, n, len);
		filled &= !memcmp(x, y, size);
		free(x);
		free(y);
		free(other);
	}
	ok(copied, "memcpy");
	ok(moved, "memmove, overlapping either way");
	ok(filled, "memset");
}

static void comparing(void)
{
	bool mem = true, chr = true;

	for (int n = 0; n < ROUNDS; n++) {
		size_t len = test_random() % 40;
		u8 *x = random_bytes(len), *y = malloc(len ? len : 1);
		int c = len ? x[test_random() % len] : 0;

		memcpy(y, x, len);
		if (len && n % 4)
			y[test_random() % len] = (u8)test_random();
		mem &= sign(k_memcmp(x, y, len)) == sign(memcmp(x, y, len));
		chr &= k_memchr(x, c, len) == memchr(x, c, len);
		/* The character is an int of which only the low byte counts. */
		chr &= k_memchr(y, c + 256, len) == memchr(y, c + 256, len);
		free(x);
		free(y);
	}
	ok(mem, "memcmp");
	ok(chr, "memchr");
}

static void strings(void)
{
	bool lengths = true, compares = true, chars = true, substrings = true, spans = true;

	for (int n = 0; n < ROUNDS; n++) {
		char *s = random_string(test_random() % 12), *t = random_string(test_random() % 12);
		char *needle = random_string(test_random() % 4);
		size_t max = test_random() % 14;
		int c = "ab\xe9z"[test_random() % 4];

		lengths &= k_strlen(s) == strlen(s) && k_strnlen(s, max) == strnlen(s, max);
		compares &= sign(k_strcmp(s, t)) == sign(strcmp(s, t)) && !k_strcmp(s, s);
		compares &= sign(k_strncmp(s, t, max)) == sign(strncmp(s, t, max));
		chars &= k_strchr(s, c) == strchr(s, c) && k_strrchr(s, c) == strrchr(s, c);
		chars &= k_strchr(s, 0) == strchr(s, 0) && k_strrchr(s, 0) == strrchr(s, 0);
		substrings &= k_strstr(s, needle) == strstr(s, needle);
		spans &= k_strcspn(s, needle) == strcspn(s, needle);
		free(s);
		free(t);
		free(needle);
	}
	ok(lengths, "strlen, strnlen");
	ok(compares, "strcmp, strncmp, as unsigned characters");
	ok(chars, "strchr, strrchr, also of the terminator");
	ok(substrings, "strstr, also of an empty string");
	ok(spans, "strcspn");
}

static void bounded_copy(void)
{
	bool right = true;

	for (size_t len = 0; len < 12; len++) {
		for (size_t size = 0; size < 14; size++) {
			char *s = random_string(len), *buf = malloc(size ? size : 1);
			size_t stored = size ? (len < size ? len : size - 1) : 0;

			right &= k_strlcpy(buf, s, size) == len;
			right &= !size || (!memcmp(buf, s, stored) && !buf[stored]);
			free(s);
			free(buf);
		}
	}
	ok(right, "strlcpy returns the length, stores what fits, and terminates it");
}

static void numbers(void)
{
	static const struct {
		const char *text;
		int base, err;
		unsigned long value;
	} cases[] = {
		{ "0", 10, 0, 0 },
		{ "0", 0, 0, 0 },
		{ "42", 0, 0, 42 },
		{ "+42\n", 10, 0, 42 },
		{ "0x1F", 0, 0, 31 },
		{ "0X1f", 16, 0, 31 },
		{ "1f", 16, 0, 31 },
		{ "017", 0, 0, 15 },
		{ "017", 10, 0, 17 },
		{ "z", 36, 0, 35 },
		{ "101", 2, 0, 5 },
		{ "18446744073709551615", 10, 0, ~0UL },
		{ "18446744073709551616", 10, -ERANGE, 0 },
		{ "99999999999999999999", 10, -ERANGE, 0 },
		{ "0xffffffffffffffff", 0, 0, ~0UL },
		{ "0x10000000000000000", 0, -ERANGE, 0 },
		{ "", 10, -EINVAL, 0 },
		{ "\n", 10, -EINVAL, 0 },
		{ "+", 10, -EINVAL, 0 },
		{ "-1", 10, -EINVAL, 0 },
		{ " 1", 10, -EINVAL, 0 },
		{ "1 ", 10, -EINVAL, 0 },
		{ "1\n\n", 10, -EINVAL, 0 },
		{ "12a", 10, -EINVAL, 0 },
		{ "0x", 0, -EINVAL, 0 },
		{ "0x", 16, -EINVAL, 0 },
		{ "0xg", 0, -EINVAL, 0 },
		{ "08", 0, -EINVAL, 0 },
		{ "102", 2, -EINVAL, 0 },
		{ "1", 1, -EINVAL, 0 },
		{ "1", 37, -EINVAL, 0 },
		{ "1", -1, -EINVAL, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		/* What stood in the result stays there after an error. */
		unsigned long expected = cases[i].err ? 77 : cases[i].value, res = 77;
		int err = k_kstrtoul(cases[i].text, cases[i].base, &res);

		if (!ok(err == cases[i].err && res == expected, "kstrtoul of case %zu in base %d",
			i, cases[i].base))
			diag("\"%s\": returned %d, value %lu", cases[i].text, err, res);
	}
}

int main(void)
{
	copying();
	comparing();
	strings();
	bounded_copy();
	numbers();
	return done_testing();
}
