/* SPDX-License-Identifier: MIT */
/* The trace's rings: what is recorded is read, in order; what is overwritten is counted; and what is said of it. */
#define _GNU_SOURCE /* memmem() */
#include <stdlib.h>
#include <string.h>

#include "kernel/base/errno.h"
#include "kernel/base/trace.h"
#include "mm/internal.h"
#include "tests/host/death.h"
#include "tests/host/sim.h"
#include "tests/host/tap.h"

static struct trace_event slots[SIM_NR_CPUS][TRACE_SIZE_MIN];

/* --- what comes out ------------------------------------------------------------------------------- */

struct seen {
	unsigned int nr, lost, order_broken, torn;
	u64 first, last; /* number (the first argument) of the first and the last event */
};

static void note(struct seen *s, const struct trace_event *ev)
{
	if (trace_event_kind(ev) == TRACE_LOST) {
		s->lost += ev->arg[0];
		return;
	}
	if (!s->nr++)
		s->first = ev->arg[0];
	s->last = ev->arg[0];
	s->torn += ev->arg[1] != ~ev->arg[0];
}

static struct seen read_all(struct trace_reader *r)
{
	struct seen s = { 0 };
	struct trace_event ev;
	unsigned int cpu;
	u64 last = 0;

	while (trace_read_next(r, &ev, &cpu)) {
		s.order_broken += ev.tsc < last;
		last = ev.tsc;
		note(&s, &ev);
	}
	return s;
}

static struct seen look(void)
{
	struct trace_reader r;

	trace_read_begin(&r);
	return read_all(&r);
}

static void put(unsigned int cpu, u64 nr)
{
	sim_set_cpu(cpu);
	trace(PAGE_FREE, nr, ~nr);
	sim_set_cpu(0);
}

static void give_rings(void)
{
	for (unsigned int cpu = 0; cpu < SIM_NR_CPUS; cpu++) {
		trace_set_ring(cpu, NULL, 0);
		trace_set_ring(cpu, slots[cpu], TRACE_SIZE_MIN);
	}
}

/* --- recording and reading ------------------------------------------------------------------------- */

static void test_off(void)
{
	struct seen s;

	trace_set_mask(~0U);
	put(0, 1);
	is(look().nr, 0, "without a ring, nothing is recorded and nothing breaks");
	give_rings();
	trace_set_mask(0);
	put(0, 1);
	is(trace_rings[0].head, 0, "a kind that is off isn't recorded");
	trace_set_mask(1U << TRACE_PAGE_ALLOC);
	put(0, 2);
	trace(PAGE_ALLOC, 3, ~3UL, 0);
	s = look();
	ok(s.nr == 1 && s.first == 3, "... another one that is on is");
	trace_set_mask(1U << TRACE_PAGE_FREE);
}

static void test_wrap(void)
{
	struct seen s;

	give_rings();
	for (u64 n = 0; n < TRACE_SIZE_MIN; n++)
		put(0, n);
	s = look();
	ok(s.nr == TRACE_SIZE_MIN && !s.lost && s.first == 0, "a ring that is just full has all");
	put(0, TRACE_SIZE_MIN);
	s = look();
	ok(s.nr == TRACE_SIZE_MIN && s.lost == 1 && s.first == 1, "... one more, and one is lost");
	for (u64 n = 0; n < 1000; n++)
		put(0, 1000 + n);
	s = look();
	is(s.nr + s.lost, TRACE_SIZE_MIN + 1001, "read and lost are what was recorded");
	ok(s.last == 1999 && s.first == 2000 - TRACE_SIZE_MIN, "... the newest are there");
	is(s.torn, 0, "... and each is whole");
	is(look().nr, s.nr, "reading takes nothing away");
	trace_clear();
	s = look();
	ok(!s.nr && !s.lost, "cleared, there is nothing, and nothing lost");
	put(0, 5);
	is(look().nr, 1, "... until something is recorded");
}

static void test_merge(void)
{
	struct trace_reader r;
	struct trace_event ev;
	unsigned int cpu, wrong = 0;
	struct seen s;

	give_rings();
	for (u64 n = 0; n < 100; n++)
		put((unsigned int)(n * n) % SIM_NR_CPUS, n);
	trace_read_begin(&r);
	for (u64 n = 0; trace_read_next(&r, &ev, &cpu); n++)
		wrong += ev.arg[0] != n || cpu != n * n % SIM_NR_CPUS;
	is(wrong, 0,
	   "of four processors each event comes in the order of time, with its processor");

	for (u64 n = 0; n < 200; n++)
		put(1, n);
	put(2, 200);
	s = look();
	is(s.lost, 200 + 0 - TRACE_SIZE_MIN + 50, "what one processor lost is told among all");
	is(s.order_broken, 0, "... at its place");
}

/* Overwritten while he reads: he is told so, and gets no mixture. */
static void test_overtaken(void)
{
	struct trace_reader r;
	struct trace_event ev;
	unsigned int cpu;
	struct seen s = { 0 }, rest;

	give_rings();
	for (u64 n = 0; n < TRACE_SIZE_MIN; n++)
		put(0, n);
	trace_read_begin(&r);
	for (int i = 0; i < 10 && trace_read_next(&r, &ev, &cpu); i++)
		note(&s, &ev);
	for (u64 n = 0; n < 30; n++)
		put(0, 100 + n);
	rest = read_all(&r);
	is(s.nr + rest.nr + rest.lost, TRACE_SIZE_MIN,
	   "a reader who is overtaken misses none uncounted");
	ok(rest.lost == 19 || rest.lost == 20, "... those that were overwritten: %u", rest.lost);
	is(rest.last, TRACE_SIZE_MIN - 1, "... and sees nothing younger than his beginning");
}

/* A slot in the middle of being written. */
static void test_torn(void)
{
	struct trace_event ev;
	struct seen s;

	give_rings();
	for (u64 n = 0; n < 10; n++)
		put(0, n);
	u64 at = trace_rings[0].head - 5;
	slots[0][at % TRACE_SIZE_MIN].seq = 0;
	is(trace_read_slot(&trace_rings[0], at, &ev), TRACE_SLOT_BUSY,
	   "a slot half written is seen");
	s = look();
	ok(s.nr == 9 && s.lost == 1 && !s.torn, "... and its event counts as lost");
	is(trace_read_slot(&trace_rings[0], at - TRACE_SIZE_MIN, &ev), TRACE_SLOT_GONE,
	   "an older event of that slot is gone");
	slots[0][at % TRACE_SIZE_MIN].seq = (u32)at + 1;
	is(trace_read_slot(&trace_rings[0], at, &ev), TRACE_SLOT_OK, "written, it is there");
	slots[0][(at + 4) % TRACE_SIZE_MIN].seq = 0;
	s = look();
	ok(s.nr == 9 && !s.lost, "the last one half written came too late: it isn't lost");
}

static u64 this_thread = (u64)30 << 32 | 31;

static u64 current_ids(void)
{
	return this_thread;
}

static void test_filter(void)
{
	struct trace_reader r;
	struct trace_event ev;
	unsigned int cpu;

	give_rings();
	trace_current = current_ids;
	trace_pid = 30;
	put(0, 1);
	this_thread = (u64)40 << 32 | 30;
	put(0, 2);
	trace_pid = 0;
	put(0, 3);
	trace_read_begin(&r);
	trace_read_next(&r, &ev, &cpu);
	ok(ev.arg[0] == 1 && (ev.who & TRACE_TID_MASK) == 31, "a process's threads are recorded");
	trace_read_next(&r, &ev, &cpu);
	is(ev.arg[0], 3, "... others not, until all are");
	trace_current = NULL;
}

/* --- words and lines -------------------------------------------------------------------------------- */

static unsigned int parsed(unsigned int mask, const char *text)
{
	return trace_parse(text, &mask) ? ~0U : mask;
}

#define KIND(id) (1U << TRACE_##id)

static void test_words(void)
{
	const unsigned int all = parsed(0, "all");

	ok(all && !(all & KIND(LOST)), "all kinds but the one that readers make");
	is(parsed(0, "fault"), KIND(FAULT), "a kind");
	is(parsed(0, "page"), KIND(PAGE_ALLOC) | KIND(PAGE_FREE), "a group");
	is(parsed(0, " fault,\tpage-free\n"), KIND(FAULT) | KIND(PAGE_FREE), "several");
	is(parsed(all, "-page -fault") | KIND(PAGE_ALLOC) | KIND(PAGE_FREE) | KIND(FAULT), all,
	   "off");
	is(parsed(all, "none +switch"), KIND(SWITCH), "none, and one");
	is(parsed(5, ""), 5, "no word changes nothing");
	is(parsed(0, "fault,pagefree"), ~0U, "no such kind");
	is(parsed(0, "faul"), ~0U, "... nor is a part of one");
	is(parsed(0, "lost"), ~0U, "... nor what readers make");
	is(parsed(0, "fault + page"), ~0U, "a sign without a word");
	is(parsed(0, "pt"), ~0U, "a part of a group");
}

static bool line_is(enum trace_kind_id kind, const u64 *arg, const char *want)
{
	struct trace_event ev = { .who = (u32)kind << TRACE_KIND_SHIFT | 42, .tsc = 12345678901 };
	char text[TRACE_LINE_MAX];
	int len;

	memcpy(ev.arg, arg, sizeof(ev.arg));
	trace_khz = 1000000;
	len = trace_format(text, sizeof(text), &ev, 3);
	if (len == (int)strlen(text) && !strcmp(text, want))
		return true;
	diag("%d: %s", len, text);
	return false;
}

#define ARGS(...) ((const u64[TRACE_FIELDS_MAX]){ __VA_ARGS__ })

static void test_lines(void)
{
	struct trace_event ev = { 0 };
	char text[TRACE_LINE_MAX], cut[30];
	int longest = 0;

	ok(line_is(TRACE_PAGE_ALLOC, ARGS(0x1234, 3, __GFP_ZERO | __GFP_SLEEP),
		   "   12.345678901 cpu3    42 page-alloc pfn=0x1234 order=3 gfp=0x6(zero|sleep)\n"),
	   "numbers and bits");
	ok(line_is(TRACE_PTE_CLEAR,
		   ARGS(0, 0x1000, LEVEL_PMD, _PAGE_NX | _PAGE_PRESENT | _PAGE_DIRTY),
		   "   12.345678901 cpu3    42 pte-clear mm=0 addr=0x1000 level=pmd "
		   "old=0x8000000000000041(P|D|NX)\n"),
	   "names of values");
	ok(line_is(TRACE_SYSCALL_OUT, ARGS(9999, (u64)-ENOSYS),
		   "   12.345678901 cpu3    42 syscall-out nr=9999 ret=-38\n"),
	   "a value without a name, and one below zero");
	ok(line_is(TRACE_FAULT,
		   ARGS(0x10, 0x20, 6, (u64)STEP_NO_AREA << 8 | STEP_SEGV_MAPERR, FAULT_NO_AREA),
		   "   12.345678901 cpu3    42 fault addr=0x10 ip=0x20 error=0x6(write|user) "
		   "path=NO_AREA>SEGV_MAPERR verdict=no-area\n"),
	   "a path");
	is(trace_format(cut, sizeof(cut), &ev, 0), trace_format(text, sizeof(text), &ev, 0),
	   "a short buffer gets a part, and the length is of the whole");
	is((long)strlen(cut), sizeof(cut) - 1, "... and is terminated");
	memset(ev.arg, 0xff, sizeof(ev.arg));
	for (unsigned int k = 0; k < NR_TRACE_KINDS; k++) {
		ev.who = k << TRACE_KIND_SHIFT | TRACE_TID_MASK;
		longest = max(longest, trace_format(text, sizeof(text), &ev, NR_CPUS - 1));
	}
	ok(longest < TRACE_LINE_MAX, "no line is longer than there is room: %d", longest);
}

/* The tables hold what is defined elsewhere. */
static void test_tables(void)
{
	static const struct {
		enum trace_type_id type;
		u64 value;
		const char *name;
	} names[] = {
		{ TRACE_TYPE_PTE, _PAGE_PSE, "PS" },
		{ TRACE_TYPE_PTE, _PAGE_GLOBAL, "G" },
		{ TRACE_TYPE_PTE, _PAGE_SPECIAL, "SPECIAL" },
		{ TRACE_TYPE_PTE, _PAGE_SOFT_DIRTY, "SOFT_DIRTY" },
		{ TRACE_TYPE_PTE, _PAGE_ACCESSED, "A" },
		{ TRACE_TYPE_PTE, _PAGE_PCD, "PCD" },
		{ TRACE_TYPE_VMFLAGS, VM_EXEC, "ex" },
		{ TRACE_TYPE_VMFLAGS, VM_MAYSHARE, "ms" },
		{ TRACE_TYPE_VMFLAGS, VM_GROWSDOWN, "gd" },
		{ TRACE_TYPE_VMFLAGS, VM_PFNMAP, "pf" },
		{ TRACE_TYPE_VMFLAGS, VM_LOCKED, "lo" },
		{ TRACE_TYPE_VMFLAGS, VM_ACCOUNT, "ac" },
		{ TRACE_TYPE_VMFLAGS, VM_SYNC, "sf" },
		{ TRACE_TYPE_VMFLAGS, VM_WIPEONFORK, "wf" },
		{ TRACE_TYPE_VMFLAGS, VM_SOFTDIRTY, "sd" },
		{ TRACE_TYPE_VMFLAGS, VM_MERGEABLE, "mg" },
		{ TRACE_TYPE_ERROR, PF_WRITE, "write" },
		{ TRACE_TYPE_ERROR, PF_INSTR, "fetch" },
		{ TRACE_TYPE_GFP, __GFP_COMP, "comp" },
		{ TRACE_TYPE_GFP, __GFP_USER, "user" },
	};
	unsigned int wrong = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		unsigned int bit = (unsigned int)__builtin_ctzl(names[i].value);
		const struct trace_type *type = &trace_types[names[i].type];

		if (bit >= type->nr || !type->names[bit] ||
		    strcmp(type->names[bit], names[i].name)) {
			diag("bit %u of %s isn't %s", bit, type->name, names[i].name);
			wrong++;
		}
	}
	is(wrong, 0, "bits have the names of what they are");
	ok(trace_types[TRACE_TYPE_VERDICT].nr == FAULT_NONE + 1 &&
		   !strcmp(trace_types[TRACE_TYPE_VERDICT].names[FAULT_BUS], "bus"),
	   "verdicts, too");
	for (unsigned int k = 0; k < NR_TRACE_KINDS; k++) {
		const char *p = trace_kinds[k].fields;
		unsigned int n = 0;

		for (; (p = strchr(p, ':')); p++, n++) {
			const size_t len = strcspn(p + 1, " ");
			bool known = false;

			for (unsigned int t = 0; t < NR_TRACE_TYPES; t++)
				known |= !strncmp(trace_types[t].name, p + 1, len) &&
					 !trace_types[t].name[len];
			wrong += !known;
		}
		wrong += n != trace_kinds[k].nr;
	}
	is(wrong, 0, "every kind has as many fields as it says, of types there are");
}

/* --- what mm says of what it does --------------------------------------------------------------------- */

/* The kinds of the events there are, as one word. */
static const char *kinds(void)
{
	static char text[4096];
	struct trace_reader r;
	struct trace_event ev;
	unsigned int cpu;

	text[0] = '\0';
	trace_read_begin(&r);
	while (trace_read_next(&r, &ev, &cpu)) {
		strcat(text, trace_kinds[trace_event_kind(&ev)].name);
		strcat(text, " ");
	}
	trace_clear();
	return text;
}

static bool kinds_are(const char *want)
{
	const char *got = kinds();

	if (!strcmp(got, want))
		return true;
	diag("got %s", got);
	return false;
}

static void test_mm(void)
{
	struct page *pages[3];
	struct page *page;

	give_rings();
	trace_set_mask(parsed(0, "page,pte"));
	page = alloc_pages(GFP_KERNEL, 2);
	free_pages(page, 2);
	ok(kinds_are("page-alloc page-free "), "a block comes and goes");
	for (int i = 0; i < 3; i++)
		pages[i] = alloc_page(GFP_KERNEL);
	page = pages[1];
	get_page(page);
	put_pages(pages, 3); /* which sorts them */
	put_page(page);
	ok(kinds_are("page-alloc page-alloc page-alloc page-free page-free page-free "),
	   "several at once, one of which somebody keeps a little longer");
	trace_set_mask(0);
}

/* --- out of the machine -------------------------------------------------------------------------------- */

static u8 sent[1 << 20];
static size_t nr_sent;

static void collect(const void *data, size_t len)
{
	if (nr_sent + len > sizeof(sent))
		abort();
	memcpy(sent + nr_sent, data, len);
	nr_sent += len;
}

/* Reads what was sent behind the tables. */
static struct seen received(void)
{
	const u8 *p = memmem(sent, nr_sent, "\nend\n", 5), *end = sent + nr_sent;
	struct seen s = { 0 };

	for (p = p ? p + 5 : end; p < end && p[0] == 0xe7 && p[3] <= TRACE_FIELDS_MAX;
	     p += 16 + 8 * p[3]) {
		struct trace_event ev = { .who = (u32)p[1] << TRACE_KIND_SHIFT };

		memcpy(ev.arg, p + 16, 8 * p[3]);
		note(&s, &ev);
	}
	if (p != end)
		s.torn++;
	return s;
}

/* What goes before it is sent is told. */
static void test_export_lost(void)
{
	struct seen s;

	give_rings();
	trace_set_mask(1U << TRACE_PAGE_FREE);
	for (u64 n = 0; n < 1000; n++)
		put(0, n);
	nr_sent = 0;
	trace_export_to(collect);
	s = received();
	ok(s.nr == TRACE_SIZE_MIN && s.lost == 1000 - TRACE_SIZE_MIN,
	   "what was overwritten before the export began is lost: %u", s.lost);
	trace_export_to(NULL);
	ok(!trace_exporting(), "an export ends");
}

static void test_export_cleared(void)
{
	struct seen s;
	size_t before;

	give_rings();
	nr_sent = 0;
	trace_export_to(collect);
	for (u64 n = 0; n < 10; n++)
		put(0, n);
	trace_clear();
	put(0, 10);
	trace_export_flush(false);
	s = received();
	ok(s.nr == 1 && s.lost == 10 && s.first == 10,
	   "cleared away before it was sent is lost, too");
	put(0, 11);
	give_rings();
	trace_export_flush(false);
	s = received();
	ok(s.nr == 1 && s.lost == 11, "... and what was in a ring that was taken away");
	before = nr_sent;
	trace_export_flush(false);
	is(nr_sent, before, "... told once");
	trace_export_to(NULL);
}

static void test_export(void)
{
	struct seen s;

	give_rings();
	trace_set_mask(1U << TRACE_PAGE_FREE);
	for (u64 n = 0; n < 10; n++)
		put(0, n);
	nr_sent = 0;
	trace_export_to(collect);
	s = received();
	ok(s.nr == 10 && s.first == 0, "what is there goes out first");
	ok(memmem(sent, nr_sent, "kind 3 fault addr:hex", 21) &&
		   memmem(sent, nr_sent, "type path path", 14),
	   "... behind the tables");
	for (u64 n = 10; n < 1000; n++)
		put(n & 1, n);
	s = received();
	ok(s.nr >= 1000 - TRACE_SIZE_MIN && s.nr < 1000, "a ring that fills is emptied: %u", s.nr);
	trace_export_flush(false);
	s = received();
	ok(s.nr == 1000 && !s.lost && !s.torn, "... the rest when one asks");
	is(look().nr, 2 * TRACE_SIZE_MIN, "... and what was sent can still be read");
	slots[0][(trace_rings[0].head - 1) % TRACE_SIZE_MIN].seq = 0;
	trace_rings[0].sent--;
	trace_export_flush(false);
	is(received().nr, 1000, "what is being written waits");
	put(1, 1000);
	trace_export_flush(true);
	s = received();
	ok(s.nr == 1001 && s.lost == 1, "... and at the end of everything is lost, and said to be");
	put(0, 1);
	ok(trace_mask == 0 && !trace_exporting(), "after that nothing is recorded");
}

int main(void)
{
	sim_boot_default();
	trace_set_mask(0);
	test_off();
	test_wrap();
	test_merge();
	test_overtaken();
	test_torn();
	test_filter();
	test_words();
	test_lines();
	test_tables();
	test_mm();
	test_export_lost();
	test_export_cleared();
	test_export();
	return done_testing();
}
