/* SPDX-License-Identifier: MIT */
/*
 * Threads that map, protect, move and unmap pages which are each other's neighbours, while others
 * read and write through all of them: a word is what it must be, or there is a fault. Nobody but
 * its owner changes a page's mapping, so the owner knows each time which of the two it is.
 */
#include "smp.h"

#define PAGES	 96   /* one's own */
#define ROUNDS	 1000 /* of all owners together */
#define WORDS	 (PAGE / 8)
#define VISITORS 2

static char *arena;
static int owners;
static volatile int ended;

struct own {
	int prot[PAGES];	    /* -1: not mapped */
	unsigned long first[PAGES]; /* what the owner wrote to the page's first word */
};

static struct own own[4];

/* Pages lie in pairs, by turns of one owner and the next: areas merge and split with others'. */
static unsigned long page_number(int owner, int n)
{
	return (unsigned long)(n / 2 * owners + owner) * 2 + n % 2;
}

static volatile unsigned long *page_at(int owner, int n)
{
	return (void *)(arena + page_number(owner, n) * PAGE);
}

static int owner_of(unsigned long page)
{
	return page / 2 % owners;
}

/* The upper half of all words that are written to an owner's pages. */
static unsigned long tag(int owner)
{
	return (0xa1100000UL + owner) << 32;
}

static bool belongs(unsigned long value, int owner)
{
	return value == 0 || (value & 0xffffffff00000000UL) == tag(owner);
}

/* --- the owners ------------------------------------------------------------------------------- */

static void check_page(int me, int n)
{
	struct own *o = &own[me];
	volatile unsigned long *page = page_at(me, n);
	unsigned long value = 0;
	long sig = probe_load(page, &value);

	if (sig != (o->prot[n] & PROT_READ && o->prot[n] >= 0 ? 0 : SIGSEGV))
		complain("owner %d, page %d of protection %d: reading gives signal %ld", me, n,
			 o->prot[n], sig);
	else if (!sig && value != o->first[n])
		complain("owner %d, page %d: 0x%lx, wanted 0x%lx", me, n, value, o->first[n]);
}

static void write_page(int me, int n, unsigned long value)
{
	struct own *o = &own[me];
	long sig = probe_store(page_at(me, n), value);

	if (sig != (o->prot[n] == RW ? 0 : SIGSEGV))
		complain("owner %d, page %d of protection %d: writing gives signal %ld", me, n,
			 o->prot[n], sig);
	if (!sig)
		o->first[n] = value;
}

static void set_pages(int me, int n, int count, int prot, bool empty)
{
	for (int i = n; i < n + count; i++) {
		own[me].prot[i] = prot;
		if (empty)
			own[me].first[i] = 0;
	}
}

static int random_prot(unsigned long *random)
{
	static const int prots[] = { PROT_NONE, PROT_READ, RW, RW };

	return prots[random_below(random, COUNT(prots))];
}

static void must(long got, long want, const char *what)
{
	if (got != want)
		complain("%s: %ld, wanted %ld", what, got, want);
}

static void move(int me, int from, int to)
{
	must(raw(SYS_mremap, page_at(me, from), PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		 page_at(me, to)),
	     (long)page_at(me, to), "mremap");
	own[me].first[to] = own[me].first[from];
	set_pages(me, to, 1, own[me].prot[from], false);
	set_pages(me, from, 1, -1, true);
	check_page(me, to);
}

/* One operation on one of the owner's pages, or on the pair it lies in. */
static void operate(struct member *m, int me)
{
	int n = random_below(&m->random, PAGES), count = 1, prot;
	struct own *o = &own[me];

	if (random_below(&m->random, 2)) {
		n &= ~1;
		count = 2;
	}
	switch (random_below(&m->random, 7)) {
	case 0:
	case 1:
		prot = random_prot(&m->random);
		must(raw(SYS_mmap, page_at(me, n), count * PAGE, prot, ANON | MAP_FIXED, -1, 0),
		     (long)page_at(me, n), "mmap");
		set_pages(me, n, count, prot, true);
		break;
	case 2:
		must(raw(SYS_munmap, page_at(me, n), count * PAGE), 0, "munmap");
		set_pages(me, n, count, -1, true);
		break;
	case 3:
	case 4:
		if (o->prot[n] < 0 || o->prot[n + count - 1] < 0)
			break;
		prot = random_prot(&m->random);
		must(raw(SYS_mprotect, page_at(me, n), count * PAGE, prot), 0, "mprotect");
		set_pages(me, n, count, prot, false);
		break;
	case 5:
		if (o->prot[n] < 0 || o->prot[n + count - 1] < 0)
			break;
		must(raw(SYS_madvise, page_at(me, n), count * PAGE, MADV_DONTNEED), 0, "madvise");
		for (int i = n; i < n + count; i++)
			o->first[i] = 0;
		break;
	case 6:
		if (o->prot[n] >= 0)
			move(me, n, (n + 1 + random_below(&m->random, PAGES - 1)) % PAGES);
		break;
	}
	for (int i = n; i < n + count; i++)
		check_page(me, i);
	write_page(me, n, tag(me) + m->count);
	check_page(me, n);
}

static int own_pages(struct member *m)
{
	for (unsigned long i = 0; i < ROUNDS * times / owners; i++) {
		m->count = i;
		operate(m, m->number);
		breathe(i);
	}
	return 0;
}

/* --- the others ------------------------------------------------------------------------------- */

static int visit(struct member *m)
{
	for (m->count = 0; !ended; m->count++) {
		unsigned long page = random_below(&m->random, (unsigned long)PAGES * owners);
		unsigned long word = random_below(&m->random, WORDS), value;
		volatile unsigned long *at = (void *)(arena + page * PAGE + word * 8);
		int owner = owner_of(page);

		if (word > 0 && m->count % 3 == 0)
			probe_store(at, tag(owner) + m->count);
		if (probe_load(at, &value) == 0 && !belongs(value, owner))
			complain("page %lu of owner %d, word %lu: 0x%lx", page, owner, word, value);
		breathe(m->count);
	}
	return 0;
}

/* --- afterwards ------------------------------------------------------------------------------- */

static const char *perms_of(int prot)
{
	return prot < 0 ? "none" : prot == PROT_NONE ? "---p" : prot == PROT_READ ? "r--p" : "rw-p";
}

/* Whether /proc/self/maps has each page as its owner left it. */
static void compare_maps(void)
{
	static char perms[4 * PAGES][8];
	const char *line = maps_text;
	struct area area;

	for (int i = 0; i < owners * PAGES; i++)
		strcpy(perms[i], "none");
	maps_read();
	while (*line && (line = maps_line(line, &area)))
		for (int i = 0; i < owners * PAGES; i++)
			if ((unsigned long)arena + i * PAGE >= area.start &&
			    (unsigned long)arena + i * PAGE < area.end)
				strcpy(perms[i], area.perms);
	for (int owner = 0; owner < owners; owner++)
		for (int n = 0; n < PAGES; n++) {
			const char *want = perms_of(own[owner].prot[n]);
			const char *got = perms[page_number(owner, n)];

			if (strcmp(got, want) != 0)
				complain("owner %d, page %d: %s, wanted %s", owner, n, got, want);
		}
}

static void compare_words(void)
{
	for (int owner = 0; owner < owners; owner++)
		for (int n = 0; n < PAGES; n++) {
			check_page(owner, n);
			if (!(own[owner].prot[n] > 0))
				continue;
			for (unsigned long i = 0; i < WORDS; i++)
				if (!belongs(page_at(owner, n)[i], owner))
					complain("owner %d, page %d, word %lu: 0x%lx", owner, n, i,
						 page_at(owner, n)[i]);
		}
}

int main(int argc, char **argv)
{
	int size = 0;

	smp_start(argc, argv, NULL);
	catch_probes();
	owners = team_width();
	arena = fresh(owners * PAGES, PROT_NONE);
	for (int i = 0; i < owners; i++)
		set_pages(i, 0, PAGES, -1, true);
	team_add(&size, owners, own_pages);
	team_add(&size, VISITORS, visit);
	/* Only now, or the threads' stacks would come to lie there. */
	raw_munmap((unsigned long)arena, owners * PAGES * PAGE);
	team_begin(size);
	team_join(0, owners);
	ended = 1;
	team_join(owners, VISITORS);
	nobody_complained("neighbouring pages: each word is the owner's, or there is a fault");
	compare_maps();
	nobody_complained("/proc/self/maps has what the owners made");
	compare_words();
	nobody_complained("the memory too");
	is(raw_munmap((unsigned long)arena, owners * PAGES * PAGE), 0, "all of it is unmapped");
	is_str(layout(arena, owners * PAGES), "", "nothing is left of it");
	return done_testing();
}
