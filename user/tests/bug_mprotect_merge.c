/* SPDX-License-Identifier: MIT */
/*
 * Bug: mprotect(2) goes from area to area by a pointer, and a merge frees the area that it stands on, or
 * the one that it means to go to next; Linux had to mend this loop more than once. Every pattern of
 * rights on seven pages, every range of them changed: areas and rights are as page by page.
 */
#include "procs.h"

#define N 7

static char *p;

/* A bit for each page: may it be written? Set and merged, as far as Linux merges. */
static void set_pattern(unsigned int pattern)
{
	fix(p, N, RW);
	for (unsigned int i = 0; i < N; i++)
		if (!(pattern & 1U << i))
			raw_mprotect((unsigned long)p + i * PAGE, PAGE, PROT_READ);
}

static const char *areas_of(unsigned int pattern)
{
	static char text[256];
	unsigned int start = 0, used = 0;

	text[0] = '\0';
	for (unsigned int i = 1; i <= N; i++) {
		if (i < N && !(pattern >> i & 1) == !(pattern >> (i - 1) & 1))
			continue;
		used += snprintf(text + used, sizeof(text) - used, "%s%u-%u %s", used ? ", " : "",
				 start, i, pattern & 1U << start ? "rw-p" : "r--p");
		start = i;
	}
	return text;
}

int main(void)
{
	unsigned int wrong = 0, tried = 0;

	p = hole(N);
	/* Half of the patterns: the others are their mirror images. */
	for (unsigned int pattern = 0; pattern < 1U << N; pattern += 3) {
		for (unsigned int first = 0; first < N; first += 2) {
			for (unsigned int end = first + 1; end <= N; end++) {
				unsigned int mask = (1U << end) - (1U << first);
				bool write = (pattern ^ end) & 1;
				unsigned int want = write ? pattern | mask : pattern & ~mask;
				long err;

				set_pattern(pattern);
				err = raw_mprotect((unsigned long)p + first * PAGE,
						   (end - first) * PAGE, write ? RW : PROT_READ);
				tried++;
				if (!err && strcmp(layout(p, N), areas_of(want)) == 0)
					continue;
				if (wrong++ < 3)
					diag("pattern %#x, pages %u to %u: %ld, \"%s\"", pattern,
					     first, end, err, layout(p, N));
			}
		}
	}
	is(wrong, 0, "%u changes give the areas they should", tried);
	set_pattern(0x55);
	for (unsigned int i = 0; i < N; i += 2)
		p[i * PAGE] = 'a' + i;
	is(raw_mprotect((unsigned long)p, N * PAGE, RW), 0, "written pages become one area");
	for (unsigned int i = 0; i < N; i += 2)
		is(p[i * PAGE], 'a' + i, "page %u is what it was", i);
	return done_testing();
}
