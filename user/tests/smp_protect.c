/* SPDX-License-Identifier: MIT */
/*
 * When a call that takes the right to write away has returned, nobody writes any more: threads that
 * write all the time from other processors get signals from then on, and what can be seen of the
 * memory elsewhere stays as it is. When the right is back, no write fails.
 */
#include "smp.h"

#define PAGES  4
#define ROUNDS 5 /* of each kind, on each kind of memory */

/* What the writers may expect, as long as it is the same before a write and after it. */
enum { OPEN, CLOSING, CLOSED, OPENING };

static volatile int phase, ended;    /* the phase is the remainder of 4 */
static char *target;		     /* where the writers write */
static volatile unsigned long *view; /* where it can be seen meanwhile */
static int writers, memory;	     /* of which there is a second mapping, or -1 */

static volatile unsigned long *word(volatile unsigned long *at, int page, int writer)
{
	return at + page * PAGE / 8 + writer * 8;
}

static int keep_writing(struct member *m)
{
	for (m->count = 1; !ended; m->count++) {
		int page = m->count % PAGES, before = phase;
		long sig = probe_store(word((void *)target, page, m->number), m->count);
		int after = phase;

		if (before == after && before % 4 == OPEN && sig)
			complain("a write gets signal %ld although it is allowed", sig);
		if (before == after && before % 4 == CLOSED && !sig)
			complain("a write succeeds although it isn't allowed");
		breathe(m->count);
	}
	return 0;
}

/* Waits until each of the writers has tried all pages since. */
static void let_them_write(void)
{
	for (int i = 0; i < writers; i++) {
		long from = team[i].count;

		while (team[i].count < from + 2 * PAGES)
			raw(SYS_sched_yield);
	}
}

static void stays_constant(const char *kind)
{
	unsigned long before[PAGES][TEAM_MAX];

	for (int p = 0; p < PAGES; p++)
		for (int i = 0; i < writers; i++)
			before[p][i] = *word(view, p, i);
	let_them_write();
	for (int p = 0; p < PAGES; p++)
		for (int i = 0; i < writers; i++)
			if (*word(view, p, i) != before[p][i])
				complain("after %s a word went from %lu to %lu", kind, before[p][i],
					 *word(view, p, i));
}

static void must(long got, long want, const char *what)
{
	if (got != want)
		complain("%s: %ld, wanted %ld", what, got, want);
}

/* --- ways to take the right away, and to give it back ------------------------------------------- */

static char *elsewhere;

static void read_only(void)
{
	must(raw(SYS_mprotect, target, PAGES * PAGE, PROT_READ), 0, "mprotect");
}

/* In pieces, of which the last makes one area of it again. */
static void piece_by_piece(void)
{
	static const int order[PAGES] = { 2, 0, 3, 1 };

	for (int i = 0; i < PAGES; i++)
		must(raw(SYS_mprotect, target + order[i] * PAGE, PAGE, PROT_READ), 0, "mprotect");
}

static void allow(void)
{
	must(raw(SYS_mprotect, target, PAGES * PAGE, RW), 0, "mprotect");
}

static void no_access(void)
{
	must(raw(SYS_mprotect, target, PAGES * PAGE, PROT_NONE), 0, "mprotect");
}

static void move_away(void)
{
	must(raw(SYS_mremap, target, PAGES * PAGE, PAGES * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		 elsewhere),
	     (long)elsewhere, "mremap");
	view = memory < 0 ? (void *)elsewhere : view;
}

static void move_back(void)
{
	must(raw(SYS_mremap, elsewhere, PAGES * PAGE, PAGES * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		 target),
	     (long)target, "mremap");
	view = memory < 0 ? (void *)target : view;
}

static void unmap(void)
{
	must(raw(SYS_munmap, target, PAGES * PAGE), 0, "munmap");
}

static void map(void)
{
	must(raw(SYS_mmap, target, PAGES * PAGE, RW, MAP_SHARED | MAP_FIXED, memory, 0),
	     (long)target, "mmap");
}

/* Something else that can't be written to comes in its place. */
static void replace(void)
{
	must(raw(SYS_mmap, target, PAGES * PAGE, PROT_READ, ANON | MAP_FIXED, -1, 0), (long)target,
	     "mmap");
}

static const struct kind {
	const char *name;
	void (*take)(void);
	void (*give)(void);
	bool shared; /* only where there is a second mapping */
} kinds[] = {
	{ "mprotect for reading", read_only, allow, false },
	{ "mprotect of page by page", piece_by_piece, allow, false },
	{ "mprotect of all access", no_access, allow, true },
	{ "mremap", move_away, move_back, false },
	{ "munmap", unmap, map, true },
	{ "another mapping instead", replace, map, true },
};

static void enter(int next)
{
	__atomic_store_n(&phase, phase - phase % 4 + next, __ATOMIC_SEQ_CST);
}

static void one_round(const struct kind *kind)
{
	enter(CLOSING);
	kind->take();
	enter(CLOSED);
	stays_constant(kind->name);
	enter(OPENING);
	kind->give();
	enter(OPEN + 4);
	let_them_write();
}

static void all_kinds(const char *name)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		char text[128];

		if (kinds[i].shared && memory < 0)
			continue;
		snprintf(text, sizeof(text), "%s: after %s nobody writes", name, kinds[i].name);
		for (unsigned long n = 0; n < ROUNDS * times; n++)
			one_round(&kinds[i]);
		nobody_complained(text);
	}
}

static void start(int fd)
{
	int size = 0;

	memory = fd;
	phase = OPEN;
	ended = 0;
	team_add(&size, writers, keep_writing);
	elsewhere = fresh(PAGES + 1, PROT_NONE);
	target = fd < 0 ? fresh(PAGES, RW) :
			  (char *)raw(SYS_mmap, 0, PAGES * PAGE, RW, MAP_SHARED, fd, 0);
	view = fd < 0 ? (void *)target :
			(void *)raw(SYS_mmap, 0, PAGES * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	team_begin(size);
	let_them_write();
}

static void stop(void)
{
	ended = 1;
	team_join(0, writers);
	raw_munmap((unsigned long)target, PAGES * PAGE);
	raw_munmap((unsigned long)elsewhere, (PAGES + 1) * PAGE);
	if (memory >= 0)
		raw_munmap((unsigned long)view, PAGES * PAGE);
}

/* Reading has to stay right as well: a page that becomes another one is the other one for all. */
static volatile unsigned long latest;

static int keep_reading(struct member *m)
{
	for (m->count = 1; !ended; m->count++) {
		unsigned long least = latest, value = 0;

		if (!probe_load((void *)target, &value) && value < least)
			complain("number %lu is read where %lu had been put before", value, least);
		breathe(m->count);
	}
	return 0;
}

static void replaced_pages(void)
{
	char *next = fresh(1, RW);
	int size = 0;

	ended = 0;
	latest = 0;
	team_add(&size, writers, keep_reading);
	target = fresh(1, RW);
	team_begin(size);
	for (unsigned long n = 1; n <= 8 * ROUNDS * times; n++) {
		must(raw(SYS_mmap, next, PAGE, RW, ANON | MAP_FIXED, -1, 0), (long)next, "mmap");
		*(volatile unsigned long *)next = n;
		must(raw(SYS_mremap, next, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target),
		     (long)target, "mremap");
		latest = n;
		if (n % 8 == 0)
			let_them_write();
	}
	ended = 1;
	team_join(0, writers);
	raw_munmap((unsigned long)target, PAGE);
	nobody_complained("a page that is put over another is what all read from then on");
}

int main(int argc, char **argv)
{
	int fd;

	smp_start(argc, argv, NULL);
	catch_probes();
	/* One on each of the other processors, if there are more. */
	writers = team_width() > 2 ? team_width() - 1 : 2;
	pin(writers);
	start(-1);
	all_kinds("private memory");
	stop();
	fd = raw(SYS_memfd_create, "shared", 0);
	raw(SYS_ftruncate, fd, PAGES * PAGE);
	start(fd);
	all_kinds("a shared file");
	stop();
	raw(SYS_close, fd);
	replaced_pages();
	return done_testing();
}
