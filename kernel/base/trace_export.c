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

#include "kernel/base/printf.h"
#include "kernel/base/string.h"
#include "kernel/base/trace.h"

bool trace_export_on;
static void (*out)(const void *data, size_t len);

/* --- the port --------------------------------------------------------------------------------------- */

#define NOBODY (-1)
static int owner = NOBODY;

/* Whoever has it needs no longer; but it may have been stopped in the middle, by a panic. */
#define LAST_SPINS 100000000UL

static bool try_port(void)
{
	int free = NOBODY;

	return __atomic_compare_exchange_n(&owner, &free, smp_processor_id(), false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* False where this processor has it already: this is an NMI. => interrupts off */
static bool take_port(void)
{
	while (!try_port()) {
		if (__atomic_load_n(&owner, __ATOMIC_RELAXED) == smp_processor_id())
			return false;
		cpu_relax();
	}
	return true;
}

static void give_port(void)
{
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
 * it never will be finished (`last`). => the port
 */
static void send_ring(struct trace_ring *ring, u64 max, bool last)
{
	const unsigned int cpu = (unsigned int)(ring - trace_rings);
	const u64 head = READ_ONCE(ring->head), first = READ_ONCE(ring->first);
	u64 nr = ring->sent, lost = 0;
	struct trace_event ev = { .tsc = 0 };

	if ((s64)(first - nr) > 0)
		nr = first;
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

static void send_all(bool last)
{
	for (int cpu = 0; cpu < NR_CPUS; cpu++)
		if (READ_ONCE(trace_rings[cpu].events))
			send_ring(&trace_rings[cpu], ~0UL, last);
}

void trace_export_flush(bool last)
{
	unsigned long flags, spins = 0;

	if (!trace_export_on)
		return;
	flags = local_irq_save();
	if (!last) {
		take_port();
		send_all(false);
		give_port();
	} else {
		trace_set_mask(0);
		while (!try_port() && owner != smp_processor_id() && spins++ < LAST_SPINS)
			cpu_relax();
		trace_export_on = false;
		send_all(true);
	}
	local_irq_restore(flags);
}

static void __printf(1, 2) say(const char *fmt, ...)
{
	char text[128];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	out(text, (size_t)len);
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

	if (!to)
		trace_export_flush(false);
	flags = local_irq_save();
	take_port();
	out = to;
	WRITE_ONCE(trace_export_on, to != NULL);
	if (to) {
		send_tables();
		for (int cpu = 0; cpu < NR_CPUS; cpu++)
			trace_rings[cpu].sent = trace_rings[cpu].first;
		send_all(false);
	}
	give_port();
	local_irq_restore(flags);
}

bool trace_exporting(void)
{
	return READ_ONCE(trace_export_on);
}
