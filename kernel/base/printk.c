/* SPDX-License-Identifier: MIT */
/*
 * The kernel log and the way to the consoles.
 *
 * printk works in any context, so it must never wait: the code it interrupted may be printk
 * itself. Hence two steps.
 *
 *   1. Put the text into a ring, without a lock. One atomic addition both reserves the room and
 *      counts the writer in; when the last writer inside leaves, all that was reserved is whole
 *      and becomes `ready`.
 *   2. Show what is ready, one CPU at a time, a piece at a time. Whoever finds the consoles busy leaves:
 *      the holder looks for more after it lets go, so a message that arrives from another CPU
 *      meanwhile is shown by the one that was at it, in order and in one piece. While it holds the
 *      consoles its interrupts are off: who has to wait for it waits for nothing else.
 *
 * What users write to the consoles takes the same way through a ring of its own that nobody replays.
 */
#include "kernel/base/printk.h"

#include <arch/irqflags.h>
#include <arch/percpu.h>

#include "kernel/base/printf.h"
#include "kernel/base/printk_internal.h"
#include "kernel/base/string.h"

#define LOG_SIZE    (64 * 1024) /* a power of two, as the next */
#define USER_SIZE   4096
#define MESSAGE_MAX 1024
/* What is shown with interrupts off. A screen is better off with large pieces, a serial line is slow. */
#define PIECE_MAX 512
/* Text between these two bytes is in the log for who reads it, but not for consoles. */
#define HIDDEN_BEGIN '\016'
#define HIDDEN_END   '\017'

struct text_ring {
	char *buf;
	u64 size;
	u64 reserved; /* bytes ever reserved; from WRITER up, how many writers are inside */
	u64 ready;    /* bytes that may be read */
	u64 shown;    /* bytes that the consoles have had */
	bool hidden;  /* `shown` is within hidden text */
	bool raw;     /* any byte is text */
};

#define WRITER (1UL << 56)

static char log_buf[LOG_SIZE];
static char user_buf[USER_SIZE];
static struct text_ring log_ring = { .buf = log_buf, .size = LOG_SIZE };
static struct text_ring user_ring = { .buf = user_buf, .size = USER_SIZE, .raw = true };

static struct console *consoles;
#define NOBODY (-1)
static int consoles_owner = NOBODY; /* the CPU that shows */
/* After a panic: writers that stopped half-way will not come back, so don't wait for them. */
static bool ignore_writers;
bool printk_quiet;

static u64 load(const u64 *p)
{
	return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

/* Raises *p to `value` unless another writer has raised it further already. */
static void raise_to(u64 *p, u64 value)
{
	u64 old = load(p);

	while (old < value && !__atomic_compare_exchange_n(p, &old, value, false, __ATOMIC_SEQ_CST,
							   __ATOMIC_SEQ_CST))
		;
}

static void ring_copy(struct text_ring *ring, u64 pos, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		ring->buf[(pos + i) & (ring->size - 1)] = text[i];
}

static u64 ring_begin(struct text_ring *ring, size_t len)
{
	return __atomic_fetch_add(&ring->reserved, WRITER + len, __ATOMIC_SEQ_CST) & (WRITER - 1);
}

static void ring_end(struct text_ring *ring)
{
	u64 now = __atomic_sub_fetch(&ring->reserved, WRITER, __ATOMIC_SEQ_CST);

	if (now < WRITER || ignore_writers)
		raise_to(&ring->ready, now & (WRITER - 1));
}

static void write_consoles(const char *text, size_t len)
{
	for (struct console *con = consoles; con; con = con->next)
		con->write(con, text, len);
}

/* To one console, or to all when con is NULL. */
static void write_text(struct console *con, const char *text, size_t len)
{
	if (con)
		con->write(con, text, len);
	else
		write_consoles(text, len);
}

/* The kernel's own lines know nothing of carriage returns. Pieces are large: each may cost a redraw. */
static void write_lines(struct console *con, const char *text, size_t len)
{
	char out[256];
	size_t n = 0;

	for (; len; len--, text++) {
		if (n + 2 > sizeof(out)) {
			write_text(con, out, n);
			n = 0;
		}
		if (*text == '\n')
			out[n++] = '\r';
		out[n++] = *text;
	}
	write_text(con, out, n);
}

/* NUL is room that a writer reserved but had not filled when a panic came. */
static bool is_mark(const struct text_ring *ring, char c)
{
	return !ring->raw && (c == HIDDEN_BEGIN || c == HIDDEN_END || c == '\0');
}

/*
 * Passes ring bytes [from, to) to one console, or to all when con is NULL, without the hidden
 * ones. `hidden` is the state at `from`; returns the state at `to`.
 */
static bool show_range(struct text_ring *ring, u64 from, u64 to, bool hidden, struct console *con)
{
	while (from < to) {
		u64 at = from & (ring->size - 1);
		u64 most = min(to - from, ring->size - at);
		const char *text = ring->buf + at;
		u64 n = 0;

		while (n < most && !is_mark(ring, text[n]))
			n++;
		if (n && !hidden && ring->raw)
			write_text(con, text, n);
		else if (n && !hidden)
			write_lines(con, text, n);
		if (n < most) {
			if (text[n])
				hidden = text[n] == HIDDEN_BEGIN;
			n++;
		}
		from += n;
	}
	return hidden;
}

/* The oldest byte of a ring that is still there when `end` bytes have been put in. */
static u64 oldest(const struct text_ring *ring, u64 end)
{
	return end > ring->size ? end - ring->size : 0;
}

/* The next piece. => consoles taken */
static void show_new(struct text_ring *ring)
{
	u64 to = load(&ring->ready), from = max(ring->shown, oldest(ring, to));

	/* Writers were faster than the consoles: say so, for the line before has no end. */
	if (from != ring->shown) {
		static const char lost[] = "[text lost]\r\n";

		ring->hidden = false;
		write_consoles(lost, sizeof(lost) - 1);
	}
	to = min(to, from + PIECE_MAX);
	ring->hidden = show_range(ring, from, to, ring->hidden, NULL);
	__atomic_store_n(&ring->shown, to, __ATOMIC_SEQ_CST);
}

static bool all_shown(const struct text_ring *ring)
{
	return load(&ring->ready) == load(&ring->shown);
}

/* => interrupts off until consoles_release() */
static bool consoles_take(void)
{
	int nobody = NOBODY;

	return __atomic_compare_exchange_n(&consoles_owner, &nobody, smp_processor_id(), false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static void consoles_release(void)
{
	__atomic_store_n(&consoles_owner, NOBODY, __ATOMIC_SEQ_CST);
}

/* Whether it is this CPU that shows: then we are within a console that has failed. => interrupts off */
static bool consoles_mine(void)
{
	return __atomic_load_n(&consoles_owner, __ATOMIC_SEQ_CST) == smp_processor_id();
}

/* Shows all there is to show. Text stays unshown while there is no console: it is not lost. */
static void flush(void)
{
	/* Once more after the release: someone may have found us busy just before it. */
	while (consoles && !(all_shown(&log_ring) && all_shown(&user_ring))) {
		unsigned long flags = local_irq_save();
		bool taken = consoles_take();

		if (taken) {
			show_new(all_shown(&log_ring) ? &user_ring : &log_ring);
			consoles_release();
		}
		local_irq_restore(flags);
		if (!taken)
			return;
	}
}

/* Bytes that steer the log itself must not come from a formatted name. */
static void clean(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (is_mark(&log_ring, text[i]))
			text[i] = '?';
}

static void __printf(1, 0) log_message(const char *fmt, va_list args, bool hidden)
{
	char text[MESSAGE_MAX];
	size_t len = (size_t)vsnprintf(text, sizeof(text), fmt, args);
	u64 pos;

	if (len >= sizeof(text)) {
		/* Cut, but visibly, and still a line. */
		memcpy(text + sizeof(text) - 4, "...\n", 4);
		len = sizeof(text);
	}
	clean(text, len);
	if (hidden) {
		pos = ring_begin(&log_ring, len + 2);
		ring_copy(&log_ring, pos, &(char){ HIDDEN_BEGIN }, 1);
		ring_copy(&log_ring, pos + 1, text, len);
		ring_copy(&log_ring, pos + 1 + len, &(char){ HIDDEN_END }, 1);
	} else {
		pos = ring_begin(&log_ring, len);
		ring_copy(&log_ring, pos, text, len);
	}
	ring_end(&log_ring);
	flush();
}

void vprintk(const char *fmt, va_list args)
{
	log_message(fmt, args, false);
}

void printk(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_message(fmt, args, false);
	va_end(args);
}

void printk_log_only(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_message(fmt, args, true);
	va_end(args);
}

void printk_set_quiet(bool quiet)
{
	printk_quiet = quiet;
}

/* As ring_begin(), but nothing that was not shown yet is given away: false when there is no room. */
static bool ring_begin_if_room(struct text_ring *ring, size_t len, u64 *pos)
{
	u64 old = load(&ring->reserved);

	do {
		*pos = old & (WRITER - 1);
		if (*pos + len - load(&ring->shown) > ring->size)
			return false;
	} while (!__atomic_compare_exchange_n(&ring->reserved, &old, old + WRITER + len, false,
					      __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	return true;
}

/*
 * Users' text must not be lost: with a full ring it waits for who shows it, or shows some of it itself.
 * Who shows has interrupts off and waits for nobody; unless it is we, within a failing console: then the
 * text goes ahead of its turn.
 */
static void put_user_text(const char *text, size_t len)
{
	u64 pos;

	while (!ring_begin_if_room(&user_ring, len, &pos)) {
		unsigned long flags = local_irq_save();
		bool mine = consoles_mine();

		local_irq_restore(flags);
		if (mine) {
			write_consoles(text, len);
			return;
		}
		flush();
		cpu_relax();
	}
	ring_copy(&user_ring, pos, text, len);
	ring_end(&user_ring);
	flush();
}

void console_write(const char *text, size_t len)
{
	while (len && consoles) {
		size_t n = min(len, (size_t)USER_SIZE / 4);

		put_user_text(text, n);
		text += n;
		len -= n;
	}
}

bool printk_pending(void)
{
	/* After a panic nobody will come back to it. */
	return consoles && !ignore_writers && !(all_shown(&log_ring) && all_shown(&user_ring));
}

/* Takes the consoles to change their list. False when it is we who are showing. => interrupts off */
static bool consoles_wait(void)
{
	if (consoles_mine())
		return false;
	while (!consoles_take())
		cpu_relax();
	return true;
}

void register_console(struct console *con)
{
	unsigned long flags = local_irq_save();
	bool taken = consoles_wait();
	u64 shown = load(&log_ring.shown);

	show_range(&log_ring, oldest(&log_ring, load(&log_ring.ready)), shown, false, con);
	con->next = consoles;
	__atomic_store_n(&consoles, con, __ATOMIC_SEQ_CST);
	if (taken)
		consoles_release();
	local_irq_restore(flags);
	flush();
}

void unregister_console(struct console *con)
{
	unsigned long flags = local_irq_save();
	bool taken = consoles_wait();

	for (struct console **link = &consoles; *link; link = &(*link)->next) {
		if (*link == con) {
			*link = con->next;
			break;
		}
	}
	if (taken)
		consoles_release();
	local_irq_restore(flags);
}

void printk_break_locks(void)
{
	ignore_writers = true;
	raise_to(&log_ring.ready, load(&log_ring.reserved) & (WRITER - 1));
	raise_to(&user_ring.ready, load(&user_ring.reserved) & (WRITER - 1));
	consoles_release();
	flush();
}
