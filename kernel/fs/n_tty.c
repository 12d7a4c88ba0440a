/* SPDX-License-Identifier: MIT */
/*
 * The line discipline: what typed characters do, the line being edited, its echo, and what output
 * becomes on its way. Everything here is under tty->lock, mostly in an interrupt.
 */
#include "kernel/abi/signal.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/fs/tty.h"

/* How a line's end by VEOF stands in the ring: it ends the line and isn't part of it. */
#define END_OF_FILE '\0'
#define TAB_WIDTH   8U

/* --- the ring ------------------------------------------------------------------------------ */

static u8 *ring_at(struct tty *tty, unsigned int pos)
{
	return &tty->ring[pos % TTY_RING_SIZE];
}

static bool ends_line(const struct tty *tty, unsigned int pos)
{
	return tty->ends[pos % TTY_RING_SIZE / 8] & (1U << (pos % 8));
}

static void mark_end(struct tty *tty, unsigned int pos, bool end)
{
	u8 bit = (u8)(1U << (pos % 8));

	if (end)
		tty->ends[pos % TTY_RING_SIZE / 8] |= bit;
	else
		tty->ends[pos % TTY_RING_SIZE / 8] &= (u8)~bit;
}

void n_tty_flush(struct tty *tty)
{
	tty->tail = tty->line = tty->head;
	memset(tty->ends, 0, sizeof(tty->ends));
}

void n_tty_flush_output(struct tty *tty)
{
	tty->nr_held = 0;
}

static bool canonical(const struct tty *tty)
{
	return n_tty_has(tty, ICANON);
}

unsigned int n_tty_readable(const struct tty *tty)
{
	return (canonical(tty) ? tty->line : tty->head) - tty->tail;
}

unsigned int n_tty_readable_text(const struct tty *tty)
{
	unsigned int count = n_tty_readable(tty);

	if (canonical(tty))
		for (unsigned int pos = tty->tail; pos != tty->line; pos++)
			if (ends_line(tty, pos) && tty->ring[pos % TTY_RING_SIZE] == END_OF_FILE)
				count--;
	return count;
}

size_t n_tty_take(struct tty *tty, char *to, size_t n, bool *line_end)
{
	unsigned int limit = tty->tail + n_tty_readable(tty);
	size_t done = 0;

	*line_end = false;
	while (tty->tail != limit && !*line_end) {
		u8 c = *ring_at(tty, tty->tail);
		bool end = canonical(tty) && ends_line(tty, tty->tail);
		bool eof = end && c == END_OF_FILE;

		/* A full buffer still takes the end that shows nowhere: it is no empty line. */
		if (done == n && !eof)
			break;
		mark_end(tty, tty->tail, false);
		tty->tail++;
		*line_end = end;
		if (!eof)
			to[done++] = (char)c;
	}
	/* In raw mode nothing is being edited. */
	if (!canonical(tty) && (int)(tty->tail - tty->line) > 0)
		tty->line = tty->tail;
	return done;
}

/* --- kinds of characters ------------------------------------------------------------------- */

static bool is_control(u8 c)
{
	return c < ' ' || c == 127;
}

/* Of UTF-8: belongs to the character before it, if the terminal knows of that. */
static bool is_continuation(const struct tty *tty, u8 c)
{
	return (tty->termios.c_iflag & IUTF8) && (c & 0xc0) == 0x80;
}

/* Whether c is the control character of that kind; 0 switches a kind off. */
static bool is_cc(const struct tty *tty, u8 c, int kind)
{
	return c && tty->termios.c_cc[kind] == c;
}

static bool is_word(u8 c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '_';
}

/* --- output -------------------------------------------------------------------------------- */

static size_t put_newline(struct tty *tty, char *to)
{
	size_t len = 0;

	if (tty->termios.c_oflag & (ONLRET | ONLCR))
		tty->column = 0;
	if (tty->termios.c_oflag & ONLCR)
		to[len++] = '\r';
	to[len++] = '\n';
	tty->line_column = tty->column;
	return len;
}

static size_t put_return(struct tty *tty, char *to)
{
	u32 oflag = tty->termios.c_oflag;

	if ((oflag & ONOCR) && !tty->column)
		return 0;
	*to = '\r';
	if (oflag & OCRNL)
		*to = '\n';
	if (!(oflag & OCRNL) || (oflag & ONLRET))
		tty->line_column = tty->column = 0;
	return 1;
}

static size_t put_tab(struct tty *tty, char *to)
{
	unsigned int spaces = TAB_WIDTH - tty->column % TAB_WIDTH;

	tty->column += spaces;
	if ((tty->termios.c_oflag & TABDLY) != XTABS) {
		*to = '\t';
		return 1;
	}
	memset(to, ' ', spaces);
	return spaces;
}

static size_t put_text(struct tty *tty, u8 c, char *to)
{
	if (c == '\b') {
		if (tty->column)
			tty->column--;
	} else if (!is_control(c)) {
		if ((tty->termios.c_oflag & OLCUC) && c >= 'a' && c <= 'z')
			c ^= 0x20;
		if (!is_continuation(tty, c))
			tty->column++;
	}
	*to = (char)c;
	return 1;
}

/* What `n` bytes of output become: returns the length at `to`. */
static size_t process(struct tty *tty, const char *from, size_t n, char *to)
{
	size_t len = 0;

	if (!(tty->termios.c_oflag & OPOST)) {
		memcpy(to, from, n);
		return n;
	}
	for (; n; n--, from++) {
		switch (*from) {
		case '\n':
			len += put_newline(tty, to + len);
			break;
		case '\r':
			len += put_return(tty, to + len);
			break;
		case '\t':
			len += put_tab(tty, to + len);
			break;
		default:
			len += put_text(tty, (u8)*from, to + len);
		}
	}
	return len;
}

#define EXPANSION TAB_WIDTH /* bytes that one byte of output may become */

bool n_tty_output(struct tty *tty, const char *text, size_t n)
{
	char out[N_TTY_CHUNK * EXPANSION];
	size_t len;

	if (tty->stopped && TTY_HELD_SIZE - tty->nr_held < n * EXPANSION)
		return false;
	len = process(tty, text, n, out);
	if (!tty->stopped) {
		console_write(out, len);
		return true;
	}
	memcpy(tty->held + tty->nr_held, out, len);
	tty->nr_held += (unsigned int)len;
	return true;
}

void n_tty_start(struct tty *tty)
{
	tty->stopped = tty->stopped_by_call = false;
	console_write(tty->held, tty->nr_held);
	tty->nr_held = 0;
}

/* Without asking the settings whether to. What finds no room while output is stopped is dropped. */
static void echo_raw(struct tty *tty, const char *text, size_t len)
{
	bool done = n_tty_output(tty, text, len);

	(void)done;
}

/* --- echo ---------------------------------------------------------------------------------- */

static bool shown_as_two(const struct tty *tty, u8 c)
{
	return is_control(c) && c != '\t' && n_tty_has(tty, ECHOCTL);
}

/* Columns that an echoed character took, a tab aside. */
static unsigned int shown_width(const struct tty *tty, u8 c)
{
	if (is_control(c))
		return n_tty_has(tty, ECHOCTL) ? 2 : 0;
	return is_continuation(tty, c) ? 0 : 1;
}

static void echo(struct tty *tty, u8 c)
{
	char text[2] = { (char)c };
	bool two = shown_as_two(tty, c);

	if (!n_tty_has(tty, ECHO))
		return;
	if (two) {
		text[0] = '^';
		text[1] = (char)(c ^ 0x40);
	}
	echo_raw(tty, text, two ? 2 : 1);
}

/* --- editing the line ---------------------------------------------------------------------- */

/* How far a tab that stood at tty->head moved. */
static unsigned int tab_width(struct tty *tty)
{
	unsigned int width = 0, pos = tty->head;
	bool after_tab = false;

	while (pos != tty->line && !after_tab) {
		u8 c = *ring_at(tty, --pos);

		after_tab = c == '\t';
		if (!after_tab)
			width += shown_width(tty, c);
	}
	if (!after_tab)
		width += tty->line_column;
	return TAB_WIDTH - width % TAB_WIDTH;
}

/* Takes a character off the screen: c was just taken out of the ring. */
static void unecho(struct tty *tty, u8 c)
{
	unsigned int n;

	if (c == '\t') {
		for (n = tab_width(tty); n; n--)
			echo_raw(tty, "\b", 1);
		return;
	}
	/* Of a character of more than one byte c is the first, so it has a width. */
	for (n = shown_width(tty, c); n; n--)
		echo_raw(tty, "\b \b", 3);
}

/* The place of the last character of the line, which may have several bytes; `line` if there is none. */
static unsigned int last_char(struct tty *tty)
{
	unsigned int pos = tty->head;

	while (pos != tty->line)
		if (!is_continuation(tty, *ring_at(tty, --pos)))
			return pos;
	return tty->head; /* nothing, or a part of a character: leave it */
}

static void erase_char(struct tty *tty, u8 key)
{
	unsigned int pos = last_char(tty);

	if (pos == tty->head)
		return;
	tty->head = pos;
	if (!n_tty_has(tty, ECHOE))
		echo(tty, key);
	else if (n_tty_has(tty, ECHO))
		unecho(tty, *ring_at(tty, pos));
}

static void erase_word(struct tty *tty)
{
	bool word = false;

	while (tty->head != tty->line) {
		unsigned int pos = last_char(tty);
		u8 c = *ring_at(tty, pos);

		if (pos == tty->head || (word && !is_word(c)))
			break;
		word |= is_word(c);
		tty->head = pos;
		if (n_tty_has(tty, ECHO))
			unecho(tty, c);
	}
}

static void erase_line(struct tty *tty, u8 key)
{
	const u32 all = ECHO | ECHOK | ECHOKE | ECHOE;

	if ((tty->termios.c_lflag & all) != all) {
		tty->head = tty->line;
		echo(tty, key);
		if (n_tty_has(tty, ECHO) && n_tty_has(tty, ECHOK))
			echo_raw(tty, "\n", 1);
		return;
	}
	while (tty->head != tty->line) {
		unsigned int pos = last_char(tty);

		if (pos == tty->head)
			break;
		tty->head = pos;
		unecho(tty, *ring_at(tty, pos));
	}
}

static void reprint(struct tty *tty, u8 key)
{
	echo(tty, key);
	echo_raw(tty, "\n", 1);
	for (unsigned int pos = tty->line; pos != tty->head; pos++)
		echo(tty, *ring_at(tty, pos));
}

/* Adds a character; one place stays free for a line's end. */
static void store(struct tty *tty, u8 c, bool end)
{
	unsigned int room = TTY_RING_SIZE - (tty->head - tty->tail);

	if (!room || (room == 1 && canonical(tty) && !end))
		return;
	*ring_at(tty, tty->head) = c;
	mark_end(tty, tty->head, end);
	tty->head++;
	if (end)
		tty->line = tty->head;
}

/* The keys of canonical mode; false when c is text. */
static bool edit(struct tty *tty, u8 c)
{
	bool extended = n_tty_has(tty, IEXTEN);

	if (is_cc(tty, c, VERASE)) {
		erase_char(tty, c);
	} else if (is_cc(tty, c, VKILL)) {
		erase_line(tty, c);
	} else if (is_cc(tty, c, VWERASE) && extended) {
		erase_word(tty);
	} else if (is_cc(tty, c, VLNEXT) && extended) {
		tty->literal = true;
		if (n_tty_has(tty, ECHO) && n_tty_has(tty, ECHOCTL))
			echo_raw(tty, "^\b", 2);
	} else if (is_cc(tty, c, VREPRINT) && extended && n_tty_has(tty, ECHO)) {
		reprint(tty, c);
	} else if (c == '\n') {
		if (n_tty_has(tty, ECHO) || n_tty_has(tty, ECHONL))
			echo_raw(tty, "\n", 1);
		store(tty, c, true);
	} else if (is_cc(tty, c, VEOF)) {
		store(tty, END_OF_FILE, true);
	} else if (is_cc(tty, c, VEOL) || (is_cc(tty, c, VEOL2) && extended)) {
		echo(tty, c);
		store(tty, c, true);
	} else {
		return false;
	}
	return true;
}

/* --- input --------------------------------------------------------------------------------- */

static void add_text(struct tty *tty, u8 c)
{
	if (tty->head == tty->line)
		tty->line_column = tty->column;
	if (c == '\n' && !tty->literal && n_tty_has(tty, ECHO))
		echo_raw(tty, "\n", 1);
	else
		echo(tty, c);
	tty->literal = false;
	store(tty, c, false);
}

/* VSTART and VSTOP; false when c is none of them. */
static bool flow_control(struct tty *tty, u8 c)
{
	if (is_cc(tty, c, VSTART)) {
		if (!tty->stopped_by_call)
			n_tty_start(tty);
	} else if (is_cc(tty, c, VSTOP)) {
		tty->stopped = true;
	} else {
		return false;
	}
	return true;
}

static int signal_of(const struct tty *tty, u8 c)
{
	if (!n_tty_has(tty, ISIG))
		return 0;
	if (is_cc(tty, c, VINTR))
		return SIGINT;
	if (is_cc(tty, c, VQUIT))
		return SIGQUIT;
	return is_cc(tty, c, VSUSP) ? SIGTSTP : 0;
}

static void receive_signal(struct tty *tty, u8 c)
{
	if (!n_tty_has(tty, NOFLSH)) {
		n_tty_flush(tty);
		n_tty_flush_output(tty);
	}
	if ((tty->termios.c_iflag & IXON) && !tty->stopped_by_call)
		n_tty_start(tty);
	echo(tty, c);
}

int n_tty_receive(struct tty *tty, u8 c)
{
	u32 iflag = tty->termios.c_iflag;
	int sig;

	if (iflag & ISTRIP)
		c &= 0x7f;
	if (tty->literal) {
		add_text(tty, c);
		return 0;
	}
	if ((iflag & IXON) && flow_control(tty, c))
		return 0;
	sig = signal_of(tty, c);
	if (sig) {
		receive_signal(tty, c);
		return sig;
	}
	if ((iflag & IXON) && (iflag & IXANY) && tty->stopped && !tty->stopped_by_call)
		n_tty_start(tty);
	if (c == '\r' && (iflag & IGNCR))
		return 0;
	if (c == '\r' && (iflag & ICRNL))
		c = '\n';
	else if (c == '\n' && (iflag & INLCR))
		c = '\r';
	if (!canonical(tty) || !edit(tty, c))
		add_text(tty, c);
	return 0;
}

void n_tty_set_termios(struct tty *tty, const struct kernel_termios *new)
{
	bool was_canonical = canonical(tty), had_flow = tty->termios.c_iflag & IXON;

	tty->termios = *new;
	if (had_flow && !(new->c_iflag &IXON) && !tty->stopped_by_call)
		n_tty_start(tty);
	if (canonical(tty) == was_canonical)
		return;
	tty->literal = false;
	memset(tty->ends, 0, sizeof(tty->ends));
	/* What was there is a line of its own now; in raw mode all of it can be read. */
	tty->line = tty->tail;
	if (canonical(tty) && tty->head != tty->tail) {
		mark_end(tty, tty->head - 1, true);
		tty->line = tty->head;
	}
}
