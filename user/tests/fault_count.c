/* SPDX-License-Identifier: MIT */
/*
 * How many page faults an access takes. The counts are taken right around the access, after the
 * same code has run once on other memory: so its own text and stack are mapped and only the
 * access itself can fault.
 */
#include "areas.h"

enum access { READ, WRITE, UNAME, PROT_R_RW, PROT_NONE_RW };

/* Minor faults taken by one access to p. */
__attribute__((noinline)) static long faults_of(enum access how, char *p)
{
	volatile char *v = p;
	unsigned long at = (unsigned long)p;
	long before, after;

	before = minor_faults();
	switch (how) {
	case READ:
		(void)*v;
		break;
	case WRITE:
		*v = 1;
		break;
	case UNAME:
		syscall(SYS_uname, p);
		break;
	case PROT_R_RW:
		syscall(SYS_mprotect, at, PAGE, PROT_READ);
		syscall(SYS_mprotect, at, PAGE, RW);
		*v = 2;
		break;
	case PROT_NONE_RW:
		syscall(SYS_mprotect, at, PAGE, PROT_NONE);
		syscall(SYS_mprotect, at, PAGE, RW);
		*v = 2;
		break;
	}
	after = minor_faults();
	return after - before;
}

static void warm_up(void)
{
	for (enum access how = READ; how <= PROT_NONE_RW; how++)
		for (int i = 0; i < 2; i++) {
			char *p = fresh(1, RW);

			faults_of(how, p);
			raw_munmap((unsigned long)p, PAGE);
		}
}

/* A page that is read before it is written. */
static void zero_page(void)
{
	char *p = fresh(2, RW);
	bool off = zero_page_off();

	is(faults_of(READ, p), 1, "first read of a page: one fault");
	is(faults_of(READ, p), 0, "second read: none");
	if (off)
		skip("first write after a read: one more", NO_ZERO_PAGE);
	else
		is(faults_of(WRITE, p), 1, "first write after a read: one more");
	is(faults_of(WRITE, p), 0, "second write: none");
	is(faults_of(READ, p), 0, "reading it again: none");
	is(faults_of(READ, p + PAGE), 1, "another page, read");
	if (off)
		skip("then the kernel writes: one", NO_ZERO_PAGE);
	else
		is(faults_of(UNAME, p + PAGE), 1, "then the kernel writes to it: one");
	is(faults_of(UNAME, p + PAGE), 0, "the kernel writes again: none");
	raw_munmap((unsigned long)p, 2 * PAGE);
}

static void written_first(void)
{
	char *p = fresh(8, RW);

	is(faults_of(WRITE, p + PAGE), 1, "a write to an untouched page: one fault");
	is(faults_of(READ, p + PAGE), 0, "a read after it: none");
	is(faults_of(READ, p + 2 * PAGE), 1, "the next page has its own fault");
	is(faults_of(WRITE, p + 4 * PAGE - 1), 1, "the last byte of a page faults");
	is(faults_of(WRITE, p + 3 * PAGE), 0, "and then its first byte does not");
	is(faults_of(UNAME, p + 4 * PAGE), 1, "the kernel writing to an untouched page: one");
	is(faults_of(UNAME, p + 4 * PAGE), 0, "the kernel writing again: none");
	is(faults_of(UNAME, p + 7 * PAGE - 100), 2, "the kernel writing across two pages: two");
	raw_munmap((unsigned long)p, 8 * PAGE);
}

static void after_calls(void)
{
	char *p = fresh(4, RW);
	unsigned long at = (unsigned long)p;

	memset(p, 1, 4 * PAGE);
	is(faults_of(PROT_R_RW, p), 0, "a written page made R and RW again: no fault");
	is(p[0], 2, "and it was written");
	is(faults_of(PROT_NONE_RW, p + PAGE), 0, "made none and RW again: no fault");
	is(p[PAGE], 2, "and it was written");
	raw_munmap(at + 2 * PAGE, PAGE);
	raw_mmap(at + 2 * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0);
	is(faults_of(READ, p + 2 * PAGE), 1, "unmapped and mapped again: it faults again");
	is(faults_of(WRITE, p + 3 * PAGE), 0, "its neighbour does not");
	raw_munmap(at, 4 * PAGE);
}

enum { PAGES = 300 }; /* in many(): less than a huge page */

static long faults_of_pages(char *p, unsigned long pages, int write)
{
	volatile char *v = p;
	long before = minor_faults();

	for (unsigned long i = 0; i < pages; i++) {
		if (write)
			v[i * PAGE] = 1;
		else
			(void)v[i * PAGE];
	}
	return minor_faults() - before;
}

/* Fewer pages than make a huge page, across the boundary of a last-level table. */
static void many(void)
{
	long gap = raw_mmap(0, 4UL << 20, PROT_NONE, ANON, -1, 0);
	unsigned long boundary = (gap + (2UL << 20)) & ~((2UL << 20) - 1);
	char *p = (char *)boundary - PAGES / 2 * PAGE;

	raw_mmap((unsigned long)p, PAGES * PAGE, RW, ANON | MAP_FIXED, -1, 0);
	faults_of_pages(p, 1, 0);
	is(faults_of_pages(p + PAGE, PAGES - 1, 0), PAGES - 1, "299 pages read: 299 faults");
	if (zero_page_off()) {
		skip("300 pages written after that: 300 faults", NO_ZERO_PAGE);
		faults_of_pages(p, PAGES, 1);
	} else {
		is(faults_of_pages(p, PAGES, 1), PAGES, "300 written after that: 300 faults");
	}
	is(faults_of_pages(p, PAGES, 1), 0, "written again: none");
	raw_munmap(gap, 4UL << 20);
}

static void no_major(void)
{
	static struct rusage usage;

	is(syscall(SYS_getrusage, RUSAGE_SELF, &usage), 0, "getrusage");
	ok(usage.ru_minflt > PAGES, "counts all of the above as minor faults");
	fails(syscall(SYS_getrusage, 12345, &usage), EINVAL, "getrusage of whom? EINVAL");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	warm_up();
	zero_page();
	written_first();
	after_calls();
	many();
	no_major();
	return done_testing();
}
