/* SPDX-License-Identifier: MIT */
/*
 * fork while threads write from other processors: the child has one moment's memory of each
 * thread, in which nothing changes but what it writes itself; and that nobody else sees.
 */
#include "smp.h"

#define PAGES  12
#define ROUNDS 24

static volatile unsigned long *field;
static volatile int ended, *words;
static int writers;

static volatile unsigned long *word(int page, int writer)
{
	return field + page * PAGE / 8 + writer * 8;
}

/* --- one after the other ---------------------------------------------------------------------- */

/* Brings the words of one page after the other to the next number. */
static int keep_counting(struct member *m)
{
	for (m->count = 1; !ended; m->count++) {
		for (int p = 0; p < PAGES; p++) {
			if (*word(p, m->number) != (unsigned long)m->count - 1)
				complain("writer %d: page %d has %lu, wanted %lu", m->number, p,
					 *word(p, m->number), m->count - 1);
			*word(p, m->number) = m->count;
		}
		breathe(m->count);
	}
	return 0;
}

/* What a writer wrote first is there if what it wrote later is. */
static bool one_moment(int writer)
{
	unsigned long first = *word(0, writer);

	for (int p = 1; p < PAGES; p++) {
		unsigned long here = *word(p, writer);

		if (here > *word(p - 1, writer) || here + 1 < first) {
			complain("child: writer %d has %lu in page %d, %lu before, %lu first",
				 writer, here, p, *word(p - 1, writer), first);
			return false;
		}
	}
	return true;
}

static int look_and_write(void *arg)
{
	unsigned long saved[PAGES][TEAM_MAX];

	complaints = 0;
	for (int i = 0; i < writers; i++)
		one_moment(i);
	for (int p = 0; p < PAGES; p++)
		for (int i = 0; i < writers; i++)
			saved[p][i] = *word(p, i);
	/* The parent goes on meanwhile, if it is its turn. */
	for (int i = 0; i < 8; i++)
		raw(SYS_sched_yield);
	for (int p = 0; p < PAGES; p++)
		for (int i = 0; i < writers; i++)
			if (*word(p, i) != saved[p][i])
				complain("child: a word went from %lu to %lu", saved[p][i],
					 *word(p, i));
	/* Half of the children write, so that both sides come to copy pages. */
	if ((long)arg % 2)
		for (int p = 0; p < PAGES; p++)
			for (int i = 0; i < writers; i++)
				*word(p, i) = 0xbad0000000000000UL + p;
	__atomic_add_fetch(&words[0], 1, __ATOMIC_SEQ_CST);
	return complaints != 0;
}

static void begin(int (*fn)(struct member *), int flags)
{
	int size = 0;

	ended = 0;
	field = (void *)raw(SYS_mmap, 0, PAGES * PAGE, RW, flags, -1, 0);
	team_add(&size, writers, fn);
	team_begin(size);
	for (int i = 0; i < writers; i++)
		while (team[i].count < 2)
			raw(SYS_sched_yield);
}

static void end(void)
{
	ended = 1;
	team_join(0, writers);
	raw_munmap((unsigned long)field, PAGES * PAGE);
}

static void one_after_another(void)
{
	int bad = 0;

	begin(keep_counting, ANON);
	for (unsigned long i = 0; i < ROUNDS * times; i++)
		bad += status_of(fork_child(look_and_write, (void *)i)) != 0;
	end();
	is(bad, 0, "each child has one moment's memory, and keeps it");
	nobody_complained("its parent sees nothing of what a child writes");
}

/* --- several at once -------------------------------------------------------------------------- */

#define AT_ONCE 6

static void several_at_once(void)
{
	pid_t pids[AT_ONCE];
	int bad = 0;

	begin(keep_counting, ANON);
	for (unsigned long round = 0; round < ROUNDS / AT_ONCE * times; round++) {
		for (long i = 0; i < AT_ONCE; i++)
			pids[i] = fork_child(look_and_write, (void *)i);
		for (int i = 0; i < AT_ONCE; i++)
			bad += status_of(pids[i]) != 0;
	}
	end();
	is(bad, 0, "so have several that live at a time");
	nobody_complained("whose parent sees nothing of them either");
}

/* Threads that all fork, and write between. */
static int fork_too(struct member *m)
{
	for (m->count = 1; m->count <= (long)(6 * times); m->count++) {
		for (int p = 0; p < PAGES; p++)
			*word(p, m->number) = m->count;
		if (status_of(fork_child(look_and_write, (void *)m->count)) != 0)
			complain("a child of thread %d sees something odd", m->number);
		for (int p = 0; p < PAGES; p++)
			if (*word(p, m->number) != (unsigned long)m->count)
				complain("thread %d: page %d has %lu, wanted %lu", m->number, p,
					 *word(p, m->number), m->count);
	}
	return 0;
}

static void all_fork(void)
{
	int size = 0;

	field = (void *)fresh(PAGES, RW);
	team_add(&size, writers, fork_too);
	team_begin(size);
	team_join(0, writers);
	nobody_complained("several threads fork at a time");
	raw_munmap((unsigned long)field, PAGES * PAGE);
}

/* --- in the child too ------------------------------------------------------------------------- */

/* A child with threads of its own, while its parent's write: both sides break the sharing at once. */
static int keep_counting_in_child(void *arg)
{
	unsigned long first[TEAM_MAX];
	int size = 0, bad = 0;

	(void)arg;
	complaints = 0;
	for (int i = 0; i < writers; i++) {
		bad += !one_moment(i);
		first[i] = *word(PAGES - 1, i);
		/* From here on it is this process's. */
		for (int p = 0; p < PAGES; p++)
			*word(p, i) = 0;
	}
	ended = 0;
	team_add(&size, writers, keep_counting);
	team_begin(size);
	for (int i = 0; i < writers; i++)
		while (team[i].count < 20)
			raw(SYS_sched_yield);
	ended = 1;
	team_join(0, writers);
	for (int i = 0; i < writers; i++)
		for (int p = 0; p < PAGES; p++)
			bad += *word(p, i) != (unsigned long)team[i].count - 1;
	return bad || complaints || first[0] == ~0UL;
}

static void threads_on_both_sides(void)
{
	int bad = 0;

	begin(keep_counting, ANON);
	for (unsigned long i = 0; i < ROUNDS / 4 * times; i++)
		bad += status_of(fork_child(keep_counting_in_child, NULL)) != 0;
	end();
	is(bad, 0, "the child has threads that count on from nothing");
	nobody_complained("the parent's count on from where they were");
}

/* --- shared memory is shared ------------------------------------------------------------------ */

static int add_many(struct member *m)
{
	for (m->count = 0; m->count < 400; m->count++)
		for (int p = 0; p < PAGES; p++)
			__atomic_add_fetch(word(p, 0), 1, __ATOMIC_SEQ_CST);
	return 0;
}

static int add_in_child(void *arg)
{
	(void)arg;
	for (int n = 0; n < 100; n++)
		for (int p = 0; p < PAGES; p++)
			__atomic_add_fetch(word(p, 0), 1, __ATOMIC_SEQ_CST);
	return 0;
}

static void shared(void)
{
	pid_t pids[AT_ONCE];

	begin(add_many, MAP_SHARED | MAP_ANONYMOUS);
	for (int i = 0; i < AT_ONCE; i++)
		pids[i] = fork_child(add_in_child, NULL);
	for (int i = 0; i < AT_ONCE; i++)
		status_of(pids[i]);
	team_join(0, writers);
	for (int p = 0; p < PAGES; p++)
		if (*word(p, 0) != 400UL * writers + 100 * AT_ONCE)
			complain("page %d: %lu", p, *word(p, 0));
	nobody_complained("what threads and children add to shared memory is all there");
	end();
}

int main(int argc, char **argv)
{
	smp_start(argc, argv, NULL);
	words = shared_words();
	writers = team_width() > 2 ? team_width() - 1 : 2;
	one_after_another();
	several_at_once();
	all_fork();
	threads_on_both_sides();
	shared();
	is(raw(SYS_wait4, -1, NULL, WNOHANG, NULL), -ECHILD, "no child is left");
	return done_testing();
}
