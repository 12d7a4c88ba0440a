/* SPDX-License-Identifier: MIT */
/*
 * Copy-on-write: after a fork both have the same pages, and nobody may write them. Who writes first
 * gets a copy; who is the last to have a page keeps it. Each first write costs one fault.
 */
#include "forks.h"

static char *p;

/* --- one writes ----------------------------------------------------------------------------------- */

static int child_writes(void)
{
	int got;

	report->n[0] = faults_of_read(p, &got);
	report->n[1] = got;
	report->n[2] = exclusive(p);
	report->n[3] = faults_of_write(p, 2);
	report->n[4] = faults_of_write(p, 3);
	report->n[5] = exclusive(p);
	report->n[6] = exclusive(p + PAGE);
	report->n[7] = peek(p + PAGE);
	return 0;
}

static void child_first(void)
{
	p = fresh(2, RW);
	p[0] = 1;
	p[PAGE] = 11;
	ok(exclusive(p), "a page that was written is its program's alone");
	is(in_child(child_writes), 0, "a child");
	is(report->n[0], 0, "it reads without a fault");
	is(report->n[1], 1, "... what its parent wrote");
	is(report->n[2], 0, "the page is not exclusive there");
	is(report->n[3], 1, "its first write is a fault");
	is(report->n[4], 0, "... its second none");
	is(report->n[5], 1, "... for the page is its own");
	is(report->n[6], 0, "... the one beside it isn't");
	is(report->n[7], 11, "... and has what the parent wrote");
	is(peek(p), 1, "the parent doesn't see it");
	ok(exclusive(p) && exclusive(p + PAGE), "the child is gone: both are the parent's alone");
	is(faults_of_write(p, 4), 1, "its first write is a fault all the same");
	is(faults_of_write(p, 5), 0, "... its second none");
	is(faults_of_write(p + PAGE, 5), 1, "the same where the child didn't write");
	raw_munmap((unsigned long)p, 2 * PAGE);
}

/* --- the parent writes while the child looks ------------------------------------------------------- */

static int child_looks(void)
{
	await(CHILD);
	report->n[0] = peek(p);
	report->n[1] = exclusive(p);
	report->n[2] = faults_of_write(p, 3);
	report->n[3] = peek(p);
	let_go(PARENT);
	return 0;
}

static void parent_first(void)
{
	unsigned long child;

	p = fresh(1, RW);
	p[0] = 1;
	child = raw_fork();
	if (child == 0)
		raw_exit(child_looks());
	is(exclusive(p), 0, "two have the page");
	is(faults_of_write(p, 2), 1, "the parent writes first: a fault");
	is(exclusive(p), 1, "... and a page of its own");
	let_go(CHILD);
	await(PARENT);
	is(report->n[0], 1, "the child has the old content");
	is(report->n[1], 1, "... and is the only one");
	is(report->n[2], 1, "... its first write is a fault");
	is(report->n[3], 3, "... and is seen by it");
	is(peek(p), 2, "... not by the parent");
	is(reap(child), 0, "the child ends");
	raw_munmap((unsigned long)p, PAGE);
}

/* --- mprotect ---------------------------------------------------------------------------------------- */

static int do_nothing(void)
{
	return 0;
}

static int child_protects(void)
{
	raw_mprotect((unsigned long)p, PAGE, PROT_READ);
	raw_mprotect((unsigned long)p, PAGE, RW);
	report->n[0] = faults_of_write(p, 9);
	raw_mprotect((unsigned long)p, PAGE, PROT_READ);
	raw_mprotect((unsigned long)p, PAGE, RW);
	report->n[1] = faults_of_write(p, 10);
	return 0;
}

static void protections(void)
{
	p = fresh(3, RW);
	touch(p, 3);
	is(in_child(child_protects), 0, "a child that takes its right to write and gives it back");
	is(report->n[0], 1, "... has to fault before it writes its parent's page");
	is(report->n[1], 0, "... and not when the page is its own");
	is(peek(p), 1, "... the parent doesn't notice");
	raw_mprotect((unsigned long)p, 3 * PAGE, PROT_READ);
	raw_mprotect((unsigned long)p, 3 * PAGE, RW);
	is(faults_of_write(p, 2), 1,
	   "the parent, too, has to fault once, though the child is gone");
	raw_mprotect((unsigned long)p, 3 * PAGE, PROT_READ);
	raw_mprotect((unsigned long)p, 3 * PAGE, RW);
	is(faults_of_write(p, 2), 0, "... then it is known to be its own");
	is(faults_of_write(p + PAGE, 2), 1, "... which holds page by page");
	raw_mprotect((unsigned long)p, 3 * PAGE, PROT_READ);
	is(in_child(do_nothing), 0, "a fork of read-only memory");
	raw_mprotect((unsigned long)p, 3 * PAGE, RW);
	is(faults_of_write(p, 2), 1, "... that becomes writable later: a fault");
	raw_munmap((unsigned long)p, 3 * PAGE);
}

/* --- the page of zeros, untouched memory ----------------------------------------------------------------- */

static int child_of_zeros(void)
{
	int got;

	report->n[0] = faults_of_read(p, &got) * 10 + got;
	report->n[1] = faults_of_write(p, 5);
	report->n[2] = faults_of_read(p + PAGE, &got) * 10 + got;
	report->n[3] = faults_of_write(p + 2 * PAGE, 5);
	return 0;
}

static void zeros(void)
{
	if (zero_page_off()) {
		skip("the page of zeros across a fork", NO_ZERO_PAGE);
		return;
	}
	p = fresh(4, RW);
	peek(p);
	p[3 * PAGE] = 1; /* so that fork copies what is there */
	is(in_child(child_of_zeros), 0, "a child");
	is(report->n[0], 0, "the page of zeros is there without a fault");
	is(report->n[1], 1, "... and is copied by a write");
	is(report->n[2], 10, "untouched memory is zeros after a fault");
	is(report->n[3], 1, "... or written with one");
	is(peek(p), 0, "nothing of it is seen by the parent");
	is(smaps(p, "Rss"), 4, "... which has one page");
	raw_munmap((unsigned long)p, 4 * PAGE);
}

/* --- what smaps says -------------------------------------------------------------------------------------- */

static void note_smaps(long *to)
{
	static const char *const names[] = { "Rss",	     "Pss",	      "Shared_Clean",
					     "Shared_Dirty", "Private_Clean", "Private_Dirty",
					     "Anonymous" };

	for (size_t i = 0; i < COUNT(names); i++)
		to[i] = smaps(p, names[i]);
}

static bool says(const volatile long *n, long rss, long pss, long shared_dirty, long private_dirty)
{
	bool good = n[0] == rss && n[1] == pss && n[2] == 0 && n[3] == shared_dirty && n[4] == 0 &&
		    n[5] == private_dirty && n[6] == rss;

	if (!good)
		diag("Rss %ld Pss %ld Shared %ld/%ld Private %ld/%ld Anonymous %ld", n[0], n[1],
		     n[2], n[3], n[4], n[5], n[6]);
	return good;
}

static int child_counts(void)
{
	note_smaps((long *)report->n);
	touch(p, 3);
	note_smaps((long *)report->n + 10);
	raw_munmap((unsigned long)p, 5 * PAGE);
	let_go(PARENT);
	await(CHILD);
	return 0;
}

static void shares(void)
{
	long child, n[7];

	p = fresh(8, RW);
	touch(p, 8);
	note_smaps(n);
	ok(says(n, 32, 32, 0, 32), "smaps before: all eight pages private");
	child = raw_fork();
	if (child == 0)
		raw_exit(child_counts());
	await(PARENT);
	ok(says(report->n, 32, 16, 32, 0), "in the child: all shared, half of it its share");
	ok(says(report->n + 10, 32, 22, 20, 12), "three written: those are private");
	note_smaps(n);
	ok(says(n, 32, 26, 12, 20), "the child unmapped five: shared with the parent are three");
	let_go(CHILD);
	is(reap(child), 0, "the child ends");
	note_smaps(n);
	ok(says(n, 32, 32, 0, 32), "all eight are the parent's again");
	raw_munmap((unsigned long)p, 8 * PAGE);
}

/* --- files ----------------------------------------------------------------------------------------------- */

static const char text_page[PAGE] __attribute__((aligned(PAGE))) = { 'x' };
static char data_pages[2 * PAGE] __attribute__((aligned(PAGE))) = { 'a' };

static int child_of_files(void)
{
	int got;

	faults_of_read(text_page, &got);
	report->n[0] = got;
	report->n[1] = frame_of(text_page) == 0 && !exclusive(text_page);
	report->n[2] = (pagemap(text_page) & PAGEMAP_FILE) != 0;
	report->n[3] = faults_of_write(data_pages, 'c');
	report->n[4] = data_pages[0];
	report->n[5] = (pagemap(data_pages) & PAGEMAP_FILE) != 0;
	return 0;
}

static void files(void)
{
	int got;

	faults_of_read(text_page, &got);
	data_pages[0] = 'b';
	is(in_child(child_of_files), 0, "a child of a program");
	is(report->n[0], 'x', "constants are there");
	is(report->n[1], 1, "... in a page that both have");
	is(report->n[2], 1, "... which is the file's");
	is(report->n[3], 1, "written data is copied by a fault");
	is(report->n[4], 'c', "... for the child");
	is(report->n[5], 0, "... and is no page of the file");
	is(data_pages[0], 'b', "... not for the parent");
}

/* --- generations --------------------------------------------------------------------------------------------- */

/* Each of a line of children writes one page more and forks the next; the last looks at all. */
static int generation(long n)
{
	long pid, bad = 0;

	p[n * PAGE] = n + 1;
	if (n == 9) {
		for (long i = 0; i < 10; i++)
			bad += p[i * PAGE] != i + 1;
		return bad;
	}
	pid = raw_fork();
	if (pid == 0)
		raw_exit(generation(n + 1));
	bad = reap(pid);
	for (long i = 0; i < 10; i++)
		bad += p[i * PAGE] != (i <= n ? i + 1 : 100);
	return bad;
}

static void generations(void)
{
	p = fresh(10, RW);
	for (long i = 0; i < 10; i++)
		p[i * PAGE] = 100;
	is(generation(0), 0, "ten generations: each sees its forebears' writes and its own");
	raw_munmap((unsigned long)p, 10 * PAGE);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	forks_start();
	child_first();
	parent_first();
	protections();
	zeros();
	shares();
	files();
	generations();
	return done_testing();
}
