/* SPDX-License-Identifier: MIT */
/*
 * Bug: a stack grows until it touches the mapping below, and a function with large variables steps over
 * whatever single page is left between them into that mapping ("Stack Clash", CVE-2017-1000364). Since
 * then a stack keeps 256 pages away from what can be accessed.
 */
#include "smp.h"

#define GAP 256UL

static char *stack; /* one page that may grow down; free pages below */

/* A stack, and a mapping whose end lies `pages` below the stack's present beginning. */
static bool setup(unsigned long pages, int prot)
{
	char *base = hole(1024);

	stack = base + 1000 * PAGE;
	if (raw_mmap((unsigned long)stack, PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0) !=
	    (long)stack)
		return false;
	return fix(stack - (pages + 4) * PAGE, 4, prot) == (long)(stack - (pages + 4) * PAGE);
}

static long grow(unsigned long pages)
{
	return probe_store((unsigned long *)(stack - pages * PAGE), 1);
}

int main(void)
{
	catch_probes();
	ok(setup(GAP + 4, RW), "a stack 260 pages above a mapping");
	is(grow(1), 0, "it grows by a page");
	is(grow(4), 0, "... to 256 above it");
	is(grow(5), SIGSEGV, "... and not to 255");
	is(grow(GAP), SIGSEGV, "nor far down");
	is(grow(GAP + 4), SIGSEGV, "nor to the page above the mapping");
	is(grow(GAP + 5), 0, "what lies there is the mapping itself");
	ok(setup(GAP - 1, RW), "a stack 255 pages above a mapping");
	is(grow(1), SIGSEGV, "it doesn't grow at all");
	ok(setup(8, PROT_NONE), "a stack above what nobody can access");
	is(grow(8), 0, "it may come close");
	is(grow(9), SIGSEGV, "... and not further");
	/* The other way round: nothing is put into the gap by itself. */
	ok(setup(900, PROT_READ), "a stack with room below");
	is(raw_mmap((unsigned long)stack - 8 * PAGE, PAGE, RW, ANON, -1, 0) !=
		   (long)stack - 8 * (long)PAGE,
	   1, "a hint into the gap is not followed");
	return done_testing();
}
