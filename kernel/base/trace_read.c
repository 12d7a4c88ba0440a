/* SPDX-License-Identifier: MIT */
/*
 * Reading the trace while it is written. A slot's sequence is looked at before and after its contents are
 * copied: if it is the event's own both times, the copy is whole.
 */
#include <arch/irqflags.h>

#include "kernel/base/printf.h"
#include "kernel/base/string.h"
#include "kernel/base/trace.h"

u64 trace_khz;

enum trace_slot trace_read_slot(const struct trace_ring *ring, u64 nr, struct trace_event *ev)
{
	const struct trace_event *events = READ_ONCE(ring->events), *slot;
	u32 want = (u32)nr + 1, seq;

	/* At the end of everything nobody knows who else is at work. */
	if (!events)
		return TRACE_SLOT_GONE;
	slot = &events[nr & (ring->size - 1)];
	seq = READ_ONCE(slot->seq);
	if (seq == want) {
		ev->who = READ_ONCE(slot->who);
		ev->tsc = READ_ONCE(slot->tsc);
		for (int i = 0; i < TRACE_FIELDS_MAX; i++)
			ev->arg[i] = READ_ONCE(slot->arg[i]);
		ev->seq = READ_ONCE(slot->seq);
		return ev->seq == want ? TRACE_SLOT_OK : TRACE_SLOT_GONE;
	}
	/* Being written: this event, unless the ring's end has passed it. */
	if (READ_ONCE(ring->head) - nr > ring->size)
		return TRACE_SLOT_GONE;
	return TRACE_SLOT_BUSY;
}

/* --- all processors' by time ----------------------------------------------------------------------- */

void trace_read_begin(struct trace_reader *r)
{
	for (int cpu = 0; cpu < NR_CPUS; cpu++) {
		const struct trace_ring *ring = &trace_rings[cpu];

		r->next[cpu] = READ_ONCE(ring->first);
		r->end[cpu] = READ_ONCE(ring->events) ? READ_ONCE(ring->head) : r->next[cpu];
		r->lost[cpu] = 0;
		r->loaded[cpu] = false;
		r->ev[cpu].tsc = 0;
	}
}

/* What is being written is soon there, if its processor gets on. */
#define BUSY_SPINS 1000

static enum trace_slot await_slot(const struct trace_ring *ring, u64 nr, struct trace_event *ev)
{
	enum trace_slot slot = trace_read_slot(ring, nr, ev);

	for (int spins = 0; slot == TRACE_SLOT_BUSY && spins < BUSY_SPINS; spins++) {
		cpu_relax();
		slot = trace_read_slot(ring, nr, ev);
	}
	return slot;
}

/*
 * A processor's next event into r->ev; counts those that are gone. One that is never finished is, too; but
 * if it is the last, it only came too late to be seen.
 */
static void load(struct trace_reader *r, unsigned int cpu)
{
	const struct trace_ring *ring = &trace_rings[cpu];

	while (!r->loaded[cpu] && r->next[cpu] != r->end[cpu]) {
		u64 head = READ_ONCE(ring->head), gone = 0;
		enum trace_slot slot;

		if (head - r->next[cpu] > ring->size)
			gone = min(head - ring->size, r->end[cpu]) - r->next[cpu];
		r->next[cpu] += gone;
		r->lost[cpu] += gone;
		if (r->next[cpu] == r->end[cpu])
			return;
		slot = await_slot(ring, r->next[cpu], &r->ev[cpu]);
		if (slot == TRACE_SLOT_OK)
			r->loaded[cpu] = true;
		else if (slot == TRACE_SLOT_GONE || r->next[cpu] + 1 != r->end[cpu])
			r->lost[cpu]++;
		r->next[cpu]++;
	}
}

static void say_lost(struct trace_reader *r, unsigned int cpu, u64 tsc, struct trace_event *ev)
{
	memset(ev, 0, sizeof(*ev));
	ev->who = (u32)TRACE_LOST << TRACE_KIND_SHIFT;
	ev->tsc = tsc;
	ev->arg[0] = r->lost[cpu];
	r->lost[cpu] = 0;
}

bool trace_read_next(struct trace_reader *r, struct trace_event *ev, unsigned int *cpu)
{
	unsigned int first = NR_CPUS;

	for (unsigned int c = 0; c < NR_CPUS; c++) {
		load(r, c);
		if (r->loaded[c] && (first == NR_CPUS || r->ev[c].tsc < r->ev[first].tsc))
			first = c;
	}
	/* Behind everything, those of which nothing newer is left. */
	for (unsigned int c = 0; first == NR_CPUS && c < NR_CPUS; c++) {
		if (r->lost[c]) {
			say_lost(r, c, r->ev[c].tsc, ev);
			*cpu = c;
			return true;
		}
	}
	if (first == NR_CPUS)
		return false;
	*cpu = first;
	if (r->lost[first]) {
		say_lost(r, first, r->ev[first].tsc, ev);
		return true;
	}
	*ev = r->ev[first];
	r->loaded[first] = false;
	return true;
}

/* --- as text ---------------------------------------------------------------------------------------- */

struct line {
	char *buf;
	size_t size;
	int len;
};

static void __printf(2, 3) add(struct line *l, const char *fmt, ...)
{
	size_t at = min((size_t)l->len, l->size);
	va_list args;

	va_start(args, fmt);
	l->len += vsnprintf(l->buf + at, l->size - at, fmt, args);
	va_end(args);
}

static const char *name_of(const struct trace_type *type, u64 n)
{
	return n < type->nr ? type->names[n] : NULL;
}

static void add_bits(struct line *l, const struct trace_type *type, u64 v)
{
	const char *sep = "(";

	add(l, "%#lx", (unsigned long)v);
	for (unsigned int n = 0; n < 64; n++) {
		if (!(v >> n & 1) || !name_of(type, n))
			continue;
		add(l, "%s%s", sep, name_of(type, n));
		sep = "|";
	}
	if (*sep == '|')
		add(l, ")");
}

static void add_path(struct line *l, const struct trace_type *type, u64 v)
{
	const char *sep = "";

	for (int shift = 56; shift >= 0; shift -= 8) {
		const char *name = name_of(type, v >> shift & 0xff);

		if (!(v >> shift & 0xff))
			continue;
		add(l, "%s%s", sep, name ? name : "?");
		sep = ">";
	}
	if (!v)
		add(l, "0");
}

static void add_value(struct line *l, const struct trace_type *type, u64 v)
{
	if (type->style == TRACE_HEX)
		add(l, "%#lx", (unsigned long)v);
	else if (type->style == TRACE_BITS)
		add_bits(l, type, v);
	else if (type->style == TRACE_PATH)
		add_path(l, type, v);
	else if (type->style == TRACE_ENUM && name_of(type, v))
		add(l, "%s", name_of(type, v));
	else
		add(l, "%ld", (long)v);
}

static const struct trace_type *find_type(const char *name, size_t len)
{
	for (unsigned int t = 0; t < NR_TRACE_TYPES; t++)
		if (!strncmp(trace_types[t].name, name, len) && !trace_types[t].name[len])
			return &trace_types[t];
	return &trace_types[TRACE_TYPE_HEX];
}

int trace_format(char *buf, size_t size, const struct trace_event *ev, unsigned int cpu)
{
	const unsigned int nr = min(trace_event_kind(ev), NR_TRACE_KINDS - 1U);
	const struct trace_kind *kind = &trace_kinds[nr];
	const u64 khz = trace_khz ? trace_khz : 1000000;
	const u64 ms = ev->tsc / khz, ns = ev->tsc % khz * 1000000 / khz;
	struct line l = { buf, size, 0 };
	const char *p = kind->fields;

	add(&l, "%5lu.%03lu%06lu cpu%u %5u %s", (unsigned long)(ms / 1000),
	    (unsigned long)(ms % 1000), (unsigned long)ns, cpu, ev->who & TRACE_TID_MASK,
	    kind->name);
	for (unsigned int i = 0; i < kind->nr; i++) {
		size_t name = strcspn(p, ":"), type = strcspn(p + name + 1, " ");

		add(&l, " %.*s=", (int)name, p);
		add_value(&l, find_type(p + name + 1, type), ev->arg[i]);
		p += name + 1 + type + 1;
	}
	add(&l, "\n");
	return l.len;
}
