/* SPDX-License-Identifier: MIT */
/*
 * The trace out of the machine, while it runs: to a port that takes bytes, one processor at a time.
 *
 * A ring is emptied in part by who fills it, when it is half full. If another processor has the port, there
 * is room for a while; when that is used up, it waits, since who has the port waits for nobody. So
 * nothing is lost but what an NMI records while its processor has the port; and that is told, as
 * everything that is lost: by an event.
 */
#include <arch/irqflags.h>
#include <arch/tsc.h>

#include "kernel/base/printf.h"
#include "kernel/base/string.h"
#include "kernel/base/trace.h"

bool trace_export_on;
static bool ended; /* the machine ends: who has the port keeps it */
static void (*out)(const void *data, size_t len);

/* --- the port --------------------------------------------------------------------------------------- */

#define NOBODY (-1)
static int owner = NOBODY;
static unsigned int waiters; /* processors in take_port() */
static unsigned int turns;   /* how often it was given back. => the port */

/* Whoever has it needs no longer; but it may have been stopped in the middle, by a panic. */
#define LAST_MS 2000

static bool try_port(void)
{
	int free = NOBODY;

	return __atomic_compare_exchange_n(&owner, &free, smp_processor_id(), false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* False where this processor has it already: this is an NMI; or nobody gets it again. => interrupts off */
static bool take_port(void)
{
	bool mine = try_port();

	if (mine)
		return true;
	__atomic_fetch_add(&waiters, 1, __ATOMIC_RELAXED);
	while (!(mine = try_port()) && !READ_ONCE(ended) &&
	       __atomic_load_n(&owner, __ATOMIC_RELAXED) != smp_processor_id())
		cpu_relax();
	__atomic_fetch_sub(&waiters, 1, __ATOMIC_RELAXED);
	return mine;
}

/* For who takes it again and again: one of those who wait with interrupts off is first. => not the port */
static void let_others(void)
{
	const unsigned int turn = READ_ONCE(turns);

	while (__atomic_load_n(&waiters, __ATOMIC_RELAXED) && READ_ONCE(turns) == turn)
		cpu_relax();
}

static void give_port(void)
{
	WRITE_ONCE(turns, turns + 1);
	__atomic_store_n(&owner, NOBODY, __ATOMIC_RELEASE);
}

/* --- what is sent ------------------------------------------------------------------------------------ */

/* An event on its way. The fields that its kind has follow. */
struct record {
	u8 magic; /* no character of the tables */
	u8 kind, cpu, nr;
	u32 tid;
	u64 tsc;
	u64 arg[TRACE_FIELDS_MAX];
};

#define RECORD_MAGIC 0xe7

static u8 buffer[2048]; /* => the port */
static size_t filled;

static void send_buffer(void)
{
	out(buffer, filled);
	filled = 0;
}

static void send(unsigned int cpu, const struct trace_event *ev)
{
	const unsigned int kind = trace_event_kind(ev), nr = trace_kinds[kind].nr;
	struct record rec = {
		.magic = RECORD_MAGIC,
		.kind = (u8)kind,
		.cpu = (u8)cpu,
		.nr = (u8)nr,
		.tid = ev->who & TRACE_TID_MASK,
		.tsc = ev->tsc,
	};
	size_t len = offsetof(struct record, arg) + nr * sizeof(u64);

	memcpy(rec.arg, ev->arg, nr * sizeof(u64));
	if (filled + len > sizeof(buffer))
		send_buffer();
	memcpy(buffer + filled, &rec, len);
	filled += len;
}

static void send_lost(unsigned int cpu, u64 lost, u64 tsc)
{
	struct trace_event ev = {
		.who = (u32)TRACE_LOST << TRACE_KIND_SHIFT,
		.tsc = tsc,
		.arg = { lost },
	};

	send(cpu, &ev);
}

/*
 * Up to `max` events, from the oldest that has not been sent. One that is being written ends it, unless
 * it never will be finished (`last`). What was overwritten or cleared away before is lost. => the port
 */
static void send_ring(struct trace_ring *ring, u64 max, bool last)
{
	const unsigned int cpu = (unsigned int)(ring - trace_rings);
	/* In this order: who clears meanwhile makes the first one the head of that time. */
	const u64 first = READ_ONCE(ring->first), head = READ_ONCE(ring->head);
	u64 nr = ring->sent, start = nr, lost;
	struct trace_event ev = { .tsc = rdtsc() };

	if ((s64)(first - nr) > 0)
		nr = first;
	if (head - nr > ring->size)
		nr = head - ring->size;
	lost = nr - start;
	for (; nr != head && max > 0; nr++) {
		enum trace_slot slot = trace_read_slot(ring, nr, &ev);

		if (slot == TRACE_SLOT_BUSY && !last)
			break;
		if (slot != TRACE_SLOT_OK) {
			lost++;
			continue;
		}
		if (lost)
			send_lost(cpu, lost, ev.tsc);
		lost = 0;
		send(cpu, &ev);
		max--;
	}
	if (lost)
		send_lost(cpu, lost, ev.tsc);
	WRITE_ONCE(ring->sent, nr);
	send_buffer();
}

/* --- when ---------------------------------------------------------------------------------------------- */

/* At a time, of an interrupt handler's, too: a byte may take a microsecond. */
#define BATCH 128

void trace_export_ring(struct trace_ring *ring)
{
	const u64 waiting = ring->head - READ_ONCE(ring->sent);

	if (likely(waiting < ring->size / 2))
		return;
	if (waiting < ring->size / 4 * 3 ? !try_port() : !take_port())
		return;
	if (out)
		send_ring(ring, BATCH, false);
	give_port();
}

/* False when nothing could be sent. => interrupts on */
static bool send_batch(struct trace_ring *ring)
{
	const u64 before = READ_ONCE(ring->sent);
	unsigned long flags;
	bool mine;

	let_others();
	flags = local_irq_save();
	mine = take_port();
	if (mine) {
		if (out)
			send_ring(ring, BATCH, false);
		give_port();
	}
	local_irq_restore(flags);
	return mine && READ_ONCE(ring->sent) != before;
}

/* What is recorded so far, with interrupts, and others' turns at the port, in between. => interrupts on */
static void send_recorded(void)
{
	for (int cpu = 0; cpu < NR_CPUS; cpu++) {
		struct trace_ring *ring = &trace_rings[cpu];
		const u64 head = READ_ONCE(ring->head);

		if (!READ_ONCE(ring->events))
			continue;
		while ((s64)(head - READ_ONCE(ring->sent)) > 0)
			if (!send_batch(ring))
				break;
	}
}

/* At the end: who waits for the port gives up, who has it is given time. => interrupts off */
static void send_last(void)
{
	const u64 start = rdtsc(), limit = LAST_MS * (trace_khz ? trace_khz : 1000000);

	trace_set_mask(0);
	WRITE_ONCE(ended, true);
	while (!try_port() && __atomic_load_n(&owner, __ATOMIC_RELAXED) != smp_processor_id() &&
	       rdtsc() - start < limit)
		cpu_relax();
	WRITE_ONCE(trace_export_on, false);
	for (int cpu = 0; cpu < NR_CPUS; cpu++)
		if (READ_ONCE(trace_rings[cpu].events))
			send_ring(&trace_rings[cpu], ~0UL, true);
}

void trace_export_flush(bool last)
{
	unsigned long flags;

	if (!READ_ONCE(trace_export_on))
		return;
	if (!last) {
		send_recorded();
		return;
	}
	flags = local_irq_save();
	send_last();
	local_irq_restore(flags);
}

static void __printf(1, 2) say(const char *fmt, ...)
{
	char text[128];
	va_list args;
	size_t len;

	va_start(args, fmt);
	len = (size_t)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	out(text, min(len, sizeof(text) - 1));
}

/* The tables as text, each line a table's row: see docs/trace.md. => the port */
static void send_tables(void)
{
	static const char *const styles[] = { "hex", "dec", "enum", "bits", "path" };
	unsigned int cpus = 0;

	for (int cpu = 0; cpu < NR_CPUS; cpu++)
		cpus += READ_ONCE(trace_rings[cpu].events) != NULL;
	say("\nTESSERA TRACE 1\nkhz %lu\ncpus %u\n", (unsigned long)trace_khz, cpus);
	for (unsigned int t = 0; t < NR_TRACE_TYPES; t++) {
		const struct trace_type *type = &trace_types[t];

		say("type %s %s", type->name, styles[type->style]);
		for (unsigned int n = 0; n < type->nr; n++)
			say(" %s", type->names[n] ? type->names[n] : "-");
		say("\n");
	}
	for (unsigned int k = 0; k < NR_TRACE_KINDS; k++)
		say("kind %u %s %s\n", k, trace_kinds[k].name, trace_kinds[k].fields);
	say("end\n");
}

void trace_export_to(void (*to)(const void *data, size_t len))
{
	unsigned long flags;
	bool mine;

	if (!to)
		trace_export_flush(false);
	flags = local_irq_save();
	mine = take_port();
	if (mine) {
		out = to;
		if (to)
			send_tables();
		for (int cpu = 0; to && cpu < NR_CPUS; cpu++)
			WRITE_ONCE(trace_rings[cpu].sent, READ_ONCE(trace_rings[cpu].first));
		WRITE_ONCE(trace_export_on, to != NULL);
		give_port();
	}
	local_irq_restore(flags);
	if (mine && to)
		send_recorded();
}

bool trace_exporting(void)
{
	return READ_ONCE(trace_export_on);
}
