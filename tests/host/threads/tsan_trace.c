/* SPDX-License-Identifier: MIT */
/* The trace, recorded on all processors while it is read and exported. */
#include <stdlib.h>
#include <string.h>

#include <arch/smp.h>

#include "kernel/base/trace.h"
#include "tests/host/tap.h"
#include "tests/host/threads/threads.h"

#define EVENTS 20000UL
#define SIZE   256UL

static struct trace_event slots[SIM_NR_CPUS][SIZE];
static atomic_long_t busy;

static void record(unsigned int cpu)
{
	for (u64 n = 0; n < EVENTS; n++) {
		trace(AREA_CHANGE, n, n + 1, cpu, n + 3, n ^ cpu);
		if (n % 16 == 0)
			cpu_relax(); /* else who wants to interrupt it seldom could */
	}
	atomic_long_add(&busy, -1);
}

struct count {
	u64 seen, lost, torn, disorder, next[SIM_NR_CPUS];
};

static void note(struct count *c, unsigned int cpu, unsigned int kind, const u64 *arg)
{
	if (kind == TRACE_LOST) {
		c->lost += arg[0];
		return;
	}
	c->seen++;
	c->torn += arg[1] != arg[0] + 1 || arg[2] != cpu || arg[3] != arg[0] + 3 ||
		   arg[4] != (arg[0] ^ cpu);
	c->disorder += arg[0] < c->next[cpu];
	c->next[cpu] = arg[0] + 1;
}

/* --- read meanwhile ------------------------------------------------------------------------------ */

static struct count total;
static u64 rounds;

static void read_once(struct count *c)
{
	struct trace_reader r;
	struct trace_event ev;
	unsigned int cpu;

	memset(c, 0, sizeof(*c));
	trace_read_begin(&r);
	while (trace_read_next(&r, &ev, &cpu))
		note(c, cpu, trace_event_kind(&ev), ev.arg);
}

static void record_or_read(unsigned int cpu)
{
	struct count c;

	if (cpu) {
		record(cpu);
		return;
	}
	while (atomic_long_read(&busy)) {
		read_once(&c);
		total.seen += c.seen;
		total.torn += c.torn;
		total.disorder += c.disorder;
		rounds++;
	}
}

static void give_rings(void)
{
	for (unsigned int cpu = 0; cpu < SIM_NR_CPUS; cpu++) {
		trace_set_ring(cpu, NULL, 0);
		trace_set_ring(cpu, slots[cpu], SIZE);
	}
	atomic_long_set(&busy, SIM_NR_CPUS - 1);
}

static void test_read(void)
{
	struct count end;

	give_rings();
	on_all_cpus(record_or_read);
	ok(rounds > 0 && total.seen > 0, "%lu events in %lu rounds", (unsigned long)total.seen,
	   (unsigned long)rounds);
	is((long)total.torn, 0, "read while it is written, each event is whole");
	is((long)total.disorder, 0, "... and each processor's are in order");
	read_once(&end);
	is((long)(end.seen + end.lost), (SIM_NR_CPUS - 1) * EVENTS,
	   "those there and those lost are all");
	is((long)end.seen, (SIM_NR_CPUS - 1) * SIZE, "... and as many are there as fit");
}

/* --- exported meanwhile --------------------------------------------------------------------------- */

static struct count sent;
static u8 pending[1 << 16];
static size_t nr_pending;

/* Called by one processor at a time. */
static void take(const void *data, size_t len)
{
	size_t at = 0;

	if (nr_pending + len > sizeof(pending))
		abort();
	memcpy(pending + nr_pending, data, len);
	nr_pending += len;
	if (pending[0] != 0xe7) {
		nr_pending = 0; /* the tables */
		return;
	}
	while (at < nr_pending) {
		const u8 *p = pending + at;
		u64 arg[TRACE_FIELDS_MAX];

		memcpy(arg, p + 16, 8 * p[3]);
		note(&sent, p[2], p[1], arg);
		at += 16 + 8 * (size_t)p[3];
	}
	sent.torn += at != nr_pending;
	nr_pending = 0;
}

static void record_or_flush(unsigned int cpu)
{
	if (cpu) {
		record(cpu);
		return;
	}
	while (atomic_long_read(&busy))
		trace_export_flush(false);
}

static void test_export(void)
{
	give_rings();
	trace_export_to(take);
	on_all_cpus(record_or_flush);
	trace_export_flush(true);
	is((long)sent.seen, (SIM_NR_CPUS - 1) * EVENTS,
	   "exported while it is written, none is missing");
	is((long)sent.lost, 0, "... nor lost");
	is((long)sent.torn, 0, "... each is whole");
	is((long)sent.disorder, 0, "... and in order");
}

/* --- other rings meanwhile ------------------------------------------------------------------------ */

static struct trace_event others[SIM_NR_CPUS][SIZE];
static u64 swaps;

static void drop_ring(void *unused)
{
	trace_set_ring((unsigned int)smp_processor_id(), NULL, 0);
}

static void record_or_swap(unsigned int this_cpu)
{
	struct trace_event(*rings)[SIZE] = others;
	unsigned long flags;

	if (this_cpu) {
		record(this_cpu);
		return;
	}
	while (atomic_long_read(&busy)) {
		flags = local_irq_save();
		drop_ring(NULL);
		local_irq_restore(flags);
		smp_call_function_many((1U << SIM_NR_CPUS) - 2, drop_ring, NULL);
		/* Nobody is in the old ones: they can be anything. */
		memset(rings == others ? slots : others, 0xff, sizeof(others));
		for (unsigned int cpu = 0; cpu < SIM_NR_CPUS; cpu++)
			trace_set_ring(cpu, rings[cpu], SIZE);
		rings = rings == others ? slots : others;
		swaps++;
		for (int i = 0; i < 20; i++)
			cpu_relax();
	}
}

static void test_swap(void)
{
	give_rings();
	memset(&sent, 0, sizeof(sent));
	trace_export_to(take);
	on_all_cpus(record_or_swap);
	trace_export_to(NULL);
	ok(swaps > 0 && sent.seen > 0, "%lu exchanges of the rings, %lu events",
	   (unsigned long)swaps, (unsigned long)sent.seen);
	is((long)sent.torn, 0, "exchanged while it is written, each event is whole");
	is((long)sent.disorder, 0, "... and in order");
	ok(sent.seen + sent.lost <= (SIM_NR_CPUS - 1) * EVENTS, "... and none is told of twice");
	memset(&sent, 0, sizeof(sent));
}

int main(void)
{
	sim_boot_default();
	trace_set_mask(1U << TRACE_AREA_CHANGE);
	test_read();
	test_swap();
	test_export();
	return done_testing();
}
