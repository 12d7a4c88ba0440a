/* SPDX-License-Identifier: MIT */
/*
 * The trace: what the kernel does, as events of a fixed size in a ring of each processor, the newest in
 * the place of the oldest. trace_events.h says what there is, docs/trace.md how to use it.
 *
 * At a trace point one predicted branch is all that is paid while its kind is off. Recording takes no
 * lock and may happen in any context, NMIs included: a slot is reserved by one atomic addition, and its
 * sequence says whether what stands in it is whole.
 */
#ifndef KERNEL_BASE_TRACE_H
#define KERNEL_BASE_TRACE_H

#include <arch/percpu.h>

#define TRACE_FIELDS_MAX 6

enum trace_kind_id {
#define TRACE_TYPE(id, ...)
#define TRACE_KIND(id, name, n, fields) TRACE_##id,
#include "kernel/base/trace_events.h"
#undef TRACE_KIND
#undef TRACE_TYPE
	NR_TRACE_KINDS
};

/* How many fields each kind has: TRACE_PTE_SET_FIELDS. */
enum {
#define TRACE_TYPE(id, ...)
#define TRACE_KIND(id, name, n, fields) TRACE_##id##_FIELDS = (n),
#include "kernel/base/trace_events.h"
#undef TRACE_KIND
#undef TRACE_TYPE
};

enum trace_type_id {
#define TRACE_TYPE(id, ...) TRACE_TYPE_##id,
#define TRACE_KIND(id, name, n, fields)
#include "kernel/base/trace_events.h"
#undef TRACE_KIND
#undef TRACE_TYPE
	NR_TRACE_TYPES
};

enum trace_style { TRACE_HEX, TRACE_DEC, TRACE_ENUM, TRACE_BITS, TRACE_PATH };

/* The table as data. gdb reads both by their names. */
struct trace_type {
	const char *name;
	unsigned int style; /* enum trace_style */
	unsigned int nr;
	const char *const *names;
};
struct trace_kind {
	const char *name;
	unsigned int nr; /* of fields */
	const char *fields;
};
extern struct trace_type trace_types[NR_TRACE_TYPES];
extern const struct trace_kind trace_kinds[NR_TRACE_KINDS];

/* Names for an enumeration's values that a higher layer knows. */
void trace_name_values(enum trace_type_id type, const char *const *names, unsigned int nr);

/* --- recording ----------------------------------------------------------------------------------- */

/* One event; the processor is the ring's. */
struct trace_event {
	/*
	 * Low half of its number in the ring, plus 1; anything else: not, or not wholly, there. One event in
	 * 2^32 has 0 there, as slots being written have: it may be read torn.
	 */
	u32 seq;
	u32 who; /* thread id in bits 0-23, kind in bits 24-31 */
	u64 tsc;
	u64 arg[TRACE_FIELDS_MAX];
};

#define TRACE_TID_MASK	 0xffffffU
#define TRACE_KIND_SHIFT 24

static inline unsigned int trace_event_kind(const struct trace_event *ev)
{
	return ev->who >> TRACE_KIND_SHIFT;
}

/* A processor's ring: event number n, counted from 0, is in events[n % size]. */
struct trace_ring {
	struct trace_event *events; /* NULL: there is none, and nothing is recorded */
	u64 size;		    /* a power of two */
	u64 head;		    /* the number of the next event */
	u64 first;		    /* what is older doesn't count: it was cleared away */
	u64 sent;		    /* the first that has not been exported. => the port */
} __aligned(64);

extern struct trace_ring trace_rings[NR_CPUS];

/* Bit n: kind n is recorded. To be changed by trace_set_mask(). */
extern unsigned int trace_mask;

/* Not READ_ONCE(), of which the compiler makes an instruction of its own: it doesn't matter when it is read. */
#ifdef __SANITIZE_THREAD__
#define trace_on(ID) unlikely(READ_ONCE(trace_mask) & (1U << TRACE_##ID))
#else
#define trace_on(ID) unlikely(trace_mask &(1U << TRACE_##ID))
#endif

/*
 * A trace point: trace(PTE_SET, mm, addr, 1, old, new). Arguments, integers or pointers, are only evaluated
 * when the kind is on. Any context.
 */
#define trace(ID, ...)                                                                            \
	do {                                                                                      \
		_Static_assert(TRACE_COUNT(__VA_ARGS__, 6, 5, 4, 3, 2, 1) == TRACE_##ID##_FIELDS, \
			       "the table gives " #ID " another number of fields");               \
		if (trace_on(ID))                                                                 \
			trace_write(TRACE_##ID, TRACE_ARGS(__VA_ARGS__, 0, 0, 0, 0, 0, 0));       \
	} while (0)
#define TRACE_COUNT(a, b, c, d, e, f, n, ...) (n)
#define TRACE_ARGS(a, b, c, d, e, f, ...)     (u64)(a), (u64)(b), (u64)(c), (u64)(d), (u64)(e), (u64)(f)

/* What it changes it gives back: so a function with a trace point needn't save anything for the call. */
#ifdef TESSERA_HOST
#define TRACE_CALL
#else
#define TRACE_CALL __attribute__((no_caller_saved_registers))
#endif
TRACE_CALL void trace_write(enum trace_kind_id kind, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f);

/* The running thread's id in the lower half, its process's in the upper; NULL: there are none yet. */
extern u64 (*trace_current)(void);
/* Only this process's events are recorded; 0: all. */
extern unsigned int trace_pid;

/* --- switching on --------------------------------------------------------------------------------- */

#define TRACE_SIZE_MIN 64UL

/*
 * Gives a processor its ring, empty: `size` events, a power of two from TRACE_SIZE_MIN on. It had none. Or
 * takes it (NULL): then it is this processor's own, interrupts are off, and it may be freed after.
 */
void trace_set_ring(unsigned int cpu, struct trace_event *events, u64 size);
/* Forgets what was recorded so far. */
void trace_clear(void);
/*
 * Which kinds are recorded from now on. Another processor may be in the middle of recording one that was
 * before; when it has taken an interrupt it no longer is.
 */
void trace_set_mask(unsigned int mask);
/*
 * Changes a mask by words, as in "fault,-page +area-merge": kinds or groups, `all` or `none`, each with + (or
 * nothing) or -, between blanks or commas. 0; or -EINVAL for a word that isn't known, and *mask is as it was.
 */
int trace_parse(const char *text, unsigned int *mask);

/* --- reading -------------------------------------------------------------------------------------- */

/* Where a reader is. What is recorded after trace_read_begin() he doesn't see. */
struct trace_reader {
	u64 next[NR_CPUS], end[NR_CPUS];
	u64 lost[NR_CPUS]; /* events gone, of which no one has been told */
	bool loaded[NR_CPUS];
	struct trace_event ev[NR_CPUS]; /* loaded: each processor's next */
};

void trace_read_begin(struct trace_reader *r);
/* The next of all processors' by time, and whose it is; false: that was all. Any number may read at once. */
bool trace_read_next(struct trace_reader *r, struct trace_event *ev, unsigned int *cpu);

enum trace_slot { TRACE_SLOT_OK, TRACE_SLOT_GONE, TRACE_SLOT_BUSY };
/* Event `nr` of a ring: there, overwritten, or not there yet. */
enum trace_slot trace_read_slot(const struct trace_ring *ring, u64 nr, struct trace_event *ev);

/* An event as a line, with its newline: what it would be long, as snprintf(). */
#define TRACE_LINE_MAX 512
int trace_format(char *buf, size_t size, const struct trace_event *ev, unsigned int cpu);
/* Ticks of the time-stamp counter in a millisecond, for the times in it. */
extern u64 trace_khz;

/* --- out of the machine ---------------------------------------------------------------------------- */

/*
 * Starts handing all events, from the oldest there is, to out(): first the tables as text, then each event
 * as docs/trace.md says. From then on a ring is emptied by its own processor when it is half full, in
 * whatever context that is. NULL: stops, when what was recorded is out. => interrupts on
 */
void trace_export_to(void (*out)(const void *data, size_t len));
bool trace_exporting(void);
/* Hands over what was recorded so far. `last`: the machine ends: nothing is recorded after. Any context then. */
void trace_export_flush(bool last);
/* For trace_write(). => interrupts off */
extern bool trace_export_on;
void trace_export_ring(struct trace_ring *ring);

#endif
