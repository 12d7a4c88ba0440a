/* SPDX-License-Identifier: MIT */
/*
 * Frames that go from one owner to the next: threads of several processes take memory, find it
 * empty, write their tag all over it and give it back in each of the ways there are, while another
 * thread of the process goes on reading and writing there. Whoever sees a tag that isn't its own
 * has met another's page.
 */
#include "smp.h"

#define PROCESSES 2
#define OWNERS	  2  /* of each process; and as many visitors */
#define ROUNDS	  60 /* of each owner */
#define PAGES	  24
#define WORDS	  (PAGE / 8)
#define MIB2	  (2 * MIB)

/* A range for each owner, over the end of a page table, so that tables come and go as well. */
struct range {
	char *whole; /* 6 MiB, nothing else lies there */
	char *pages;
	unsigned long tag;
};

static struct range ranges[OWNERS];
static volatile int ended;
static unsigned long process;

static volatile unsigned long *word_at(const struct range *r, unsigned long page,
				       unsigned long word)
{
	return (void *)(r->pages + page * PAGE + word * 8);
}

static bool mine(const struct range *r, unsigned long value)
{
	return (value & 0xffffffff00000000UL) == r->tag;
}

/* --- the owners ------------------------------------------------------------------------------- */

/* Word 0 is the owner's alone; the visitor may have written to the others already. */
static void find_empty(const struct range *r, unsigned long first, unsigned long pages)
{
	for (unsigned long i = first; i < first + pages; i++) {
		if (*word_at(r, i, 0))
			complain("a fresh page begins with 0x%lx", *word_at(r, i, 0));
		for (unsigned long w = 1; w < WORDS; w++) {
			unsigned long value = *word_at(r, i, w);

			if (value && !mine(r, value))
				complain("fresh page %lu, word %lu: 0x%lx, the tag is 0x%lx", i, w,
					 value, r->tag);
		}
	}
}

static void write_tags(const struct range *r, unsigned long first, unsigned long pages,
		       unsigned long round)
{
	for (unsigned long i = first; i < first + pages; i++)
		for (unsigned long w = 0; w < WORDS; w++)
			*word_at(r, i, w) = r->tag + round;
}

static void find_tags(const struct range *r, unsigned long first, unsigned long pages,
		      unsigned long round)
{
	for (unsigned long i = first; i < first + pages; i++) {
		if (*word_at(r, i, 0) != r->tag + round)
			complain("page %lu begins with 0x%lx, wanted 0x%lx", i, *word_at(r, i, 0),
				 r->tag + round);
		for (unsigned long w = 1; w < WORDS; w++)
			if (!mine(r, *word_at(r, i, w)))
				complain("page %lu, word %lu: 0x%lx, the tag is 0x%lx", i, w,
					 *word_at(r, i, w), r->tag);
	}
}

static void must(long got, long want, const char *what)
{
	if (got != want)
		complain("%s: %ld, wanted %ld", what, got, want);
}

static void map(const struct range *r, unsigned long first, unsigned long pages)
{
	char *at = r->pages + first * PAGE;

	must(raw(SYS_mmap, at, pages * PAGE, RW, ANON | MAP_FIXED, -1, 0), (long)at, "mmap");
}

/* Moves them to where nobody looks, and on from there to nothing. */
static void move_away(const struct range *r, unsigned long first, unsigned long pages,
		      unsigned long round)
{
	char *from = r->pages + first * PAGE, *to = r->whole + 4 * MIB + first * PAGE;
	struct range moved = { .pages = to - first * PAGE, .tag = r->tag };

	must(raw(SYS_mremap, from, pages * PAGE, pages * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to),
	     (long)to, "mremap");
	find_tags(&moved, first, pages, round);
	must(raw(SYS_munmap, to, pages * PAGE), 0, "munmap");
}

static void give_back(struct member *m, const struct range *r, unsigned long first,
		      unsigned long pages, unsigned long round)
{
	char *at = r->pages + first * PAGE;

	switch (random_below(&m->random, 5)) {
	case 0:
		must(raw(SYS_munmap, at, pages * PAGE), 0, "munmap");
		break;
	case 1:
		must(raw(SYS_madvise, at, pages * PAGE, MADV_DONTNEED), 0, "MADV_DONTNEED");
		find_empty(r, first, pages);
		break;
	case 2:
		map(r, first, pages);
		find_empty(r, first, pages);
		break;
	case 3:
		move_away(r, first, pages, round);
		break;
	default: /* with all page tables of the range */
		must(raw(SYS_munmap, r->whole, 6 * MIB), 0, "munmap");
	}
}

static int use_memory(struct member *m)
{
	const struct range *r = &ranges[m->number % OWNERS];

	for (unsigned long round = 1; round <= ROUNDS * times; round++) {
		unsigned long first = random_below(&m->random, PAGES);
		unsigned long pages = 1 + random_below(&m->random, PAGES - first);

		map(r, first, pages);
		find_empty(r, first, pages);
		write_tags(r, first, pages, round);
		breathe(0);
		find_tags(r, first, pages, round);
		give_back(m, r, first, pages, round);
		m->count = round;
	}
	return 0;
}

/* --- the others ------------------------------------------------------------------------------- */

/* Not of the owner whose processor this thread shares. */
static int visit(struct member *m)
{
	const struct range *r = &ranges[(m->number + 1) % OWNERS];

	for (m->count = 0; !ended; m->count++) {
		unsigned long page = random_below(&m->random, PAGES);
		unsigned long word = 1 + random_below(&m->random, WORDS - 1), value;

		if (m->count % 2)
			probe_store(word_at(r, page, word), r->tag);
		else if (!probe_load(word_at(r, page, word), &value) && value && !mine(r, value))
			complain("page %lu, word %lu: 0x%lx, the tag is 0x%lx", page, word, value,
				 r->tag);
		breathe(m->count);
	}
	return 0;
}

/* --- a process -------------------------------------------------------------------------------- */

static int be_process(void *arg)
{
	int size = 0;

	process = (unsigned long)arg;
	seed += process * 100;
	for (unsigned long i = 0; i < OWNERS; i++) {
		char *p = fresh(8 * MIB / PAGE, PROT_NONE);

		ranges[i].whole = (char *)(((unsigned long)p + MIB2 - 1) & -MIB2);
		ranges[i].pages = ranges[i].whole + MIB2 - PAGES / 2 * PAGE;
		ranges[i].tag = (0x7a600000UL + process * OWNERS + i) << 32;
	}
	team_add(&size, OWNERS, use_memory);
	team_add(&size, OWNERS, visit);
	for (int i = 0; i < OWNERS; i++)
		raw_munmap((unsigned long)ranges[i].whole, 6 * MIB);
	team_begin(size);
	team_join(0, OWNERS);
	ended = 1;
	team_join(OWNERS, OWNERS);
	return complaints > 0;
}

int main(int argc, char **argv)
{
	pid_t pids[PROCESSES];

	smp_start(argc, argv, NULL);
	catch_probes();
	for (long i = 0; i < PROCESSES; i++)
		pids[i] = fork_child(be_process, (void *)i);
	for (int i = 0; i < PROCESSES; i++)
		is(status_of(pids[i]), 0, "process %d: no page had anything of another's in it", i);
	return done_testing();
}
