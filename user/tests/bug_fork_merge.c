/* SPDX-License-Identifier: MIT */
/*
 * Bug: an area that a fork has copied takes new memory over by a merge, so that a process and its children
 * share ever more of the reverse map, and each page is looked for in all of them. Linux stopped that
 * in 2011 ("mmap: avoid merging cloned VMAs"). Who copied nothing may go on merging.
 */
#include "procs.h"

static char *p;

/* New memory right behind what was written before the fork. */
static int child(void *arg)
{
	(void)arg;
	fix(p + 2 * PAGE, 2, RW);
	NEED(strcmp(layout(p, 4), "0-2 rw-p, 2-4 rw-p") == 0);
	p[2 * PAGE] = 1;
	/* Nor later, when rights change there and back. */
	NEED_IS(raw_mprotect((unsigned long)p + 2 * PAGE, 2 * PAGE, PROT_READ), 0);
	NEED_IS(raw_mprotect((unsigned long)p + 2 * PAGE, 2 * PAGE, RW), 0);
	NEED(strcmp(layout(p, 4), "0-2 rw-p, 2-4 rw-p") == 0);
	return 0;
}

static int grandchild(void *arg)
{
	(void)arg;
	NEED_IS(child(NULL), 0);
	raw_munmap((unsigned long)p + 2 * PAGE, 2 * PAGE);
	NEED_IS(status_of(fork_child(child, NULL)), 0);
	return 0;
}

int main(void)
{
	p = hole(4);
	fix(p, 2, RW);
	touch(p, 2);
	child_ok(child, "a child's copied area stays apart from its new memory");
	child_ok(grandchild, "... a grandchild's too");
	fix(p + 2 * PAGE, 2, RW);
	is_str(layout(p, 4), "0-4 rw-p", "the parent's own is nobody's copy, and merges");
	return done_testing();
}
