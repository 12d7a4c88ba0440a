/* SPDX-License-Identifier: MIT */
/* Recording: see trace.h. */
#include "kernel/base/trace.h"

#include <arch/irqflags.h>
#include <arch/tsc.h>

#include "kernel/base/errno.h"
#include "kernel/base/panic.h"
#include "kernel/base/string.h"

#define TRACE_TYPE(id, ...)
#define TRACE_KIND(id, name, n, fields) { name, n, fields },
const struct trace_kind trace_kinds[NR_TRACE_KINDS] = {
#include "kernel/base/trace_events.h"
};
#undef TRACE_KIND
#undef TRACE_TYPE

#define TRACE_KIND(id, name, n, fields)
#define TRACE_TYPE(id, name, style, ...) static const char *const names_##id[] = { __VA_ARGS__ };
#include "kernel/base/trace_events.h"
#undef TRACE_TYPE

#define TRACE_TYPE(id, name, style, ...) { name, style, ARRAY_SIZE(names_##id), names_##id },
struct trace_type trace_types[NR_TRACE_TYPES] = {
#include "kernel/base/trace_events.h"
};
#undef TRACE_TYPE
#undef TRACE_KIND

_Static_assert(sizeof(struct trace_event) == 64, "an event is a cache line");
_Static_assert(NR_TRACE_KINDS <= 32, "a kind is a bit of trace_mask");

struct trace_ring trace_rings[NR_CPUS];
unsigned int trace_mask;
unsigned int trace_pid;
u64 (*trace_current)(void);

void trace_name_values(enum trace_type_id type, const char *const *names, unsigned int nr)
{
	trace_types[type].names = names;
	trace_types[type].nr = nr;
}

/* --- recording ----------------------------------------------------------------------------------- */

/*
 * Interrupts are off, so that times rise within a ring, and that an interrupt, by which alone the ring is
 * taken away, finds nobody in here. An NMI in the middle gets a slot of its own.
 */
static void record(struct trace_ring *ring, u32 who, const u64 *arg)
{
	u64 nr = __atomic_fetch_add(&ring->head, 1, __ATOMIC_RELAXED);
	struct trace_event *ev = &ring->events[nr & (ring->size - 1)];

	WRITE_ONCE(ev->seq, 0);
	WRITE_ONCE(ev->who, who);
	WRITE_ONCE(ev->tsc, rdtsc());
	for (int i = 0; i < TRACE_FIELDS_MAX; i++)
		WRITE_ONCE(ev->arg[i], arg[i]);
	WRITE_ONCE(ev->seq, (u32)nr + 1);
}

TRACE_CALL void trace_write(enum trace_kind_id kind, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	const u64 arg[TRACE_FIELDS_MAX] = { a, b, c, d, e, f };
	const u64 current = trace_current ? trace_current() : 0;
	const unsigned int pid = READ_ONCE(trace_pid);
	struct trace_ring *ring;
	unsigned long flags;

	if (pid && pid != current >> 32)
		return;
	flags = local_irq_save();
	ring = &trace_rings[smp_processor_id()];
	/* The mask once more: who changed it may have interrupted this processor since the trace point. */
	if (__atomic_load_n(&ring->events, __ATOMIC_ACQUIRE) && READ_ONCE(trace_mask) >> kind & 1) {
		record(ring, ((u32)current & TRACE_TID_MASK) | (u32)kind << TRACE_KIND_SHIFT, arg);
		if (READ_ONCE(trace_export_on))
			trace_export_ring(ring);
	}
	local_irq_restore(flags);
}

/* --- switching on --------------------------------------------------------------------------------- */

void trace_set_ring(unsigned int cpu, struct trace_event *events, u64 size)
{
	struct trace_ring *ring = &trace_rings[cpu];

	if (!events) {
		__atomic_store_n(&ring->events, NULL, __ATOMIC_RELEASE);
		return;
	}
	DEBUG_ON(ring->events || size < TRACE_SIZE_MIN || (size & (size - 1)));
	for (u64 i = 0; i < size; i++)
		events[i].seq = 0;
	ring->size = size;
	/* `sent` stays behind, where the export wasn't told of all that was in the ring before. */
	WRITE_ONCE(ring->first, ring->head);
	/* Behind the rest, for who records on that processor. */
	__atomic_store_n(&ring->events, events, __ATOMIC_RELEASE);
}

void trace_clear(void)
{
	for (int cpu = 0; cpu < NR_CPUS; cpu++)
		WRITE_ONCE(trace_rings[cpu].first, READ_ONCE(trace_rings[cpu].head));
}

void trace_set_mask(unsigned int mask)
{
	WRITE_ONCE(trace_mask, mask);
}

#define ALL_KINDS (((1U << (NR_TRACE_KINDS - 1)) - 1) << 1) /* but LOST */

/* The kinds that a word means; 0: none. */
static unsigned int kinds_of(const char *word, size_t len)
{
	unsigned int kinds = 0;

	if (len == 3 && !memcmp(word, "all", 3))
		return ALL_KINDS;
	for (unsigned int k = 1; k < NR_TRACE_KINDS; k++) {
		const char *name = trace_kinds[k].name;

		if (!strncmp(name, word, len) && (!name[len] || name[len] == '-'))
			kinds |= 1U << k;
	}
	return kinds;
}

static const char separators[] = " ,\t\n";

int trace_parse(const char *text, unsigned int *mask)
{
	unsigned int new = *mask;

	for (;;) {
		unsigned int kinds;
		bool off = false;
		size_t len;

		while (*text && strchr(separators, *text))
			text++;
		if (!*text)
			break;
		if (*text == '+' || *text == '-')
			off = *text++ == '-';
		len = strcspn(text, separators);
		if (len == 4 && !memcmp(text, "none", 4)) {
			new = 0;
		} else {
			kinds = len ? kinds_of(text, len) : 0;
			if (!kinds)
				return -EINVAL;
			new = off ? new & ~kinds : new | kinds;
		}
		text += len;
	}
	*mask = new;
	return 0;
}
