/* SPDX-License-Identifier: MIT */
/*
 * The console as a terminal: termios(3), the line being typed, reading and writing.
 *
 * Characters come from interrupts and are edited and echoed there. tty.lock, an interrupt-safe
 * spinlock, protects input, line and settings. write_lock, a mutex, keeps what one write(2) writes
 * together.
 *
 * The input ring has three marks: tail <= line <= head. In canonical mode what lies before `line`
 * are complete lines, and between `line` and `head` the one being typed, which can be edited. In
 * raw mode everything before `head` can be read.
 *
 * Output is given to the console as it is: its drivers begin a new line at \n by themselves. So
 * ONLCR is kept as a setting but always in effect. Input is never stopped by IXON's characters:
 * they are input like others.
 */
#include "kernel/fs/console.h"

#include <arch/clock.h>
#include <arch/keyboard.h>
#include <arch/uaccess.h>

#include "kernel/abi/ioctl.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/fs/poll.h"
#include "kernel/sched/timer.h"
#include "kernel/sched/wait.h"

#define RING_SIZE 4096U
/* How a line's end by VEOF stands in the ring: it ends the line and isn't part of it. */
#define END_OF_FILE '\0'

static struct {
	spinlock_t lock;
	unsigned int tail, line, head; /* counts of bytes; modulo RING_SIZE they are places */
	u8 ring[RING_SIZE];
	u8 ends[RING_SIZE / 8]; /* bitmap: bytes that end a line */
	bool literal;		/* the next character stands for itself (VLNEXT) */
	struct kernel_termios termios;
	struct winsize winsize;
	struct wait_queue_head readers;
} tty = {
	.lock = SPINLOCK_INIT,
	.readers = WAIT_QUEUE_INIT(tty.readers),
	.termios = {
		.c_iflag = ICRNL | IXON,
		.c_oflag = OPOST | ONLCR,
		.c_cflag = B38400 | CS8 | CREAD | HUPCL,
		.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
		.c_cc = {
			[VINTR] = 3, [VQUIT] = 28, [VERASE] = 127, [VKILL] = 21, [VEOF] = 4,
			[VMIN] = 1, [VSTART] = 17, [VSTOP] = 19, [VSUSP] = 26, [VREPRINT] = 18,
			[VDISCARD] = 15, [VWERASE] = 23, [VLNEXT] = 22,
		},
	},
};
static struct mutex write_lock = MUTEX_INIT(write_lock);

void (*console_signal)(int sig);

/* --- the ring; => tty.lock ----------------------------------------------------------------- */

static u8 *ring_at(unsigned int pos)
{
	return &tty.ring[pos % RING_SIZE];
}

static bool ends_line(unsigned int pos)
{
	return tty.ends[pos % RING_SIZE / 8] & (1U << (pos % 8));
}

static void mark_end(unsigned int pos, bool end)
{
	u8 bit = (u8)(1U << (pos % 8));

	if (end)
		tty.ends[pos % RING_SIZE / 8] |= bit;
	else
		tty.ends[pos % RING_SIZE / 8] &= (u8)~bit;
}

static void flush_input(void)
{
	tty.tail = tty.line = tty.head;
	memset(tty.ends, 0, sizeof(tty.ends));
}

static bool canonical(void)
{
	return tty.termios.c_lflag & ICANON;
}

static unsigned int readable(void)
{
	return (canonical() ? tty.line : tty.head) - tty.tail;
}

/* --- input; => tty.lock -------------------------------------------------------------------- */

static bool has(u32 lflag)
{
	return tty.termios.c_lflag & lflag;
}

/* Whether c is the control character of that kind; 0 switches a kind off. */
static bool is_cc(u8 c, int kind)
{
	return c && tty.termios.c_cc[kind] == c;
}

static bool shown_as_two(u8 c)
{
	return (c < ' ' || c == 127) && c != '\t' && c != '\n' && has(ECHOCTL);
}

static void echo(u8 c)
{
	char text[2] = { (char)c };

	if (!has(ECHO) && !(c == '\n' && has(ECHONL) && canonical()))
		return;
	if (shown_as_two(c)) {
		text[0] = '^';
		text[1] = (char)(c ^ 0x40);
	}
	console_write(text, text[1] ? 2 : 1);
}

/* Takes back the last character of the line; false when the line is empty. */
static bool erase_one(bool visibly)
{
	u8 c;

	if (tty.head == tty.line)
		return false;
	c = *ring_at(--tty.head);
	if (visibly && has(ECHO))
		console_write("\b \b\b \b", shown_as_two(c) ? 6 : 3);
	return true;
}

static void erase_char(u8 key)
{
	if (erase_one(has(ECHOE)) && !has(ECHOE))
		echo(key);
}

static void erase_word(void)
{
	bool word = false;

	while (tty.head != tty.line) {
		u8 c = *ring_at(tty.head - 1);

		if (c != ' ' && c != '\t')
			word = true;
		else if (word)
			break;
		erase_one(true);
	}
}

static void erase_line(u8 key)
{
	bool visibly = has(ECHOK) && has(ECHOKE) && has(ECHOE);

	while (erase_one(visibly))
		;
	if (!visibly) {
		echo(key);
		if (has(ECHOK))
			echo('\n');
	}
}

static void reprint(u8 key)
{
	echo(key);
	echo('\n');
	for (unsigned int pos = tty.line; pos != tty.head; pos++)
		echo(*ring_at(pos));
}

/* Adds a character; one place stays free for a line's end. */
static void store(u8 c, bool end)
{
	unsigned int room = RING_SIZE - (tty.head - tty.tail);

	if (!room || (room == 1 && canonical() && !end))
		return;
	*ring_at(tty.head) = c;
	mark_end(tty.head, end);
	tty.head++;
	if (end)
		tty.line = tty.head;
}

/* The editing keys of canonical mode; false when c is text. */
static bool edit(u8 c)
{
	if (is_cc(c, VERASE))
		erase_char(c);
	else if (is_cc(c, VKILL))
		erase_line(c);
	else if (is_cc(c, VEOF))
		store(END_OF_FILE, true);
	else if (is_cc(c, VWERASE) && has(IEXTEN))
		erase_word();
	else if (is_cc(c, VREPRINT) && has(IEXTEN) && has(ECHO))
		reprint(c);
	else
		return false;
	return true;
}

static int signal_of(u8 c)
{
	if (!has(ISIG))
		return 0;
	if (is_cc(c, VINTR))
		return CONSOLE_SIGINT;
	if (is_cc(c, VQUIT))
		return CONSOLE_SIGQUIT;
	return is_cc(c, VSUSP) ? CONSOLE_SIGTSTP : 0;
}

static void add_text(u8 c)
{
	bool end = canonical() && !tty.literal &&
		   (c == '\n' || is_cc(c, VEOL) || (is_cc(c, VEOL2) && has(IEXTEN)));

	tty.literal = false;
	echo(c);
	store(c, end);
}

/* Takes one character in; returns the signal it stands for, or 0. */
static int receive(u8 c)
{
	u32 iflag = tty.termios.c_iflag;
	int sig;

	if (iflag & ISTRIP)
		c &= 0x7f;
	if (tty.literal) {
		add_text(c);
		return 0;
	}
	if (c == '\r' && (iflag & IGNCR))
		return 0;
	if (c == '\r' && (iflag & ICRNL))
		c = '\n';
	else if (c == '\n' && (iflag & INLCR))
		c = '\r';
	sig = signal_of(c);
	if (sig) {
		if (!has(NOFLSH))
			flush_input();
		echo(c);
		return sig;
	}
	if (is_cc(c, VLNEXT) && has(IEXTEN) && canonical()) {
		tty.literal = true;
		if (has(ECHO))
			console_write("^\b", 2);
	} else if (!canonical() || !edit(c)) {
		add_text(c);
	}
	return 0;
}

void console_input_char(char c)
{
	unsigned long flags = spin_lock_irqsave(&tty.lock);
	int sig = receive((u8)c);
	bool wake = readable();

	spin_unlock_irqrestore(&tty.lock, flags);
	if (wake)
		wake_up(&tty.readers);
	if (sig && console_signal)
		console_signal(sig);
}

/* --- reading ------------------------------------------------------------------------------- */

/* Moves at most n bytes out of the ring, none beyond a line's end: then *line_end is set. */
static size_t take(char *to, size_t n, bool *line_end)
{
	unsigned long flags = spin_lock_irqsave(&tty.lock);
	unsigned int limit = tty.tail + readable();
	size_t done = 0;

	*line_end = false;
	while (tty.tail != limit && !*line_end) {
		u8 c = *ring_at(tty.tail);
		bool end = canonical() && ends_line(tty.tail);
		bool eof = end && c == END_OF_FILE;

		/* A full buffer still takes the end that shows nowhere: it is no empty line. */
		if (done == n && !eof)
			break;
		mark_end(tty.tail, false);
		tty.tail++;
		*line_end = end;
		if (!eof)
			to[done++] = (char)c;
	}
	/* In raw mode nothing is being edited. */
	if (!canonical() && (int)(tty.tail - tty.line) > 0)
		tty.line = tty.tail;
	spin_unlock_irqrestore(&tty.lock, flags);
	return done;
}

struct deadline {
	struct timer timer;
	bool passed;
};

static void deadline_passed(void *arg)
{
	struct deadline *deadline = arg;

	WRITE_ONCE(deadline->passed, true);
	wake_up(&tty.readers);
}

/*
 * Sleeps until there is something to read. `tenths`: at most so long, 0 for ever. 0, -ETIME,
 * -ERESTARTSYS.
 */
static int wait_input(unsigned int tenths)
{
	struct deadline deadline = { .timer = { .fn = deadline_passed } };
	int err;

	if (!tenths)
		return wait_event_interruptible(tty.readers, readable());
	deadline.timer.arg = &deadline;
	deadline.timer.expires = clock_ns() + tenths * 100000000UL;
	timer_start(&deadline.timer);
	err = wait_event_interruptible(tty.readers, readable() || READ_ONCE(deadline.passed));
	timer_cancel(&deadline.timer);
	return !err && !readable() ? -ETIME : err;
}

/* How a read behaves now: canonical, or by VMIN and VTIME (termios(3)). */
struct read_rule {
	bool canonical;
	size_t min;	     /* bytes to wait for */
	unsigned int tenths; /* between two bytes; before the first one if min is 0 */
};

static struct read_rule read_rule(void)
{
	unsigned long flags = spin_lock_irqsave(&tty.lock);
	struct read_rule rule = {
		.canonical = canonical(),
		.min = tty.termios.c_cc[VMIN],
		.tenths = tty.termios.c_cc[VTIME],
	};

	spin_unlock_irqrestore(&tty.lock, flags);
	if (rule.canonical) {
		rule.min = 1;
		rule.tenths = 0;
	}
	return rule;
}

/* Waits for more when the rule says so. 0 to go on reading, or why not. */
static int wait_by_rule(const struct file *file, const struct read_rule *rule, size_t done)
{
	if (readable())
		return 0;
	if (!rule->min && !rule->tenths)
		return -ETIME;
	if (file->f_flags & O_NONBLOCK)
		return -EAGAIN;
	return wait_input(done || !rule->min ? rule->tenths : 0);
}

static ssize_t tty_read(struct file *file, struct io_iter *to, loff_t *pos)
{
	struct read_rule rule = read_rule();
	size_t wanted = to->count, done = 0, enough = max(rule.min, (size_t)1);
	bool line_end = false;
	char chunk[128];
	int err = 0;

	while (done < wanted && !line_end) {
		size_t n, got;

		if (done >= enough && !readable())
			break;
		err = wait_by_rule(file, &rule, done);
		if (err)
			break;
		n = take(chunk, min(wanted - done, sizeof(chunk)), &line_end);
		got = copy_to_iter(chunk, n, to);
		done += got;
		if (got < n) {
			err = -EFAULT;
			break;
		}
	}
	return done || err == -ETIME ? (ssize_t)done : err;
}

static ssize_t tty_write(struct file *file, struct io_iter *from, loff_t *pos)
{
	size_t wanted = from->count, done = 0;
	char chunk[256];

	mutex_lock(&write_lock);
	while (done < wanted) {
		size_t n = min(wanted - done, sizeof(chunk));
		size_t got = copy_from_iter(chunk, n, from);

		console_write(chunk, got);
		done += got;
		if (got < n)
			break;
	}
	mutex_unlock(&write_lock);
	return done || !wanted ? (ssize_t)done : -EFAULT;
}

/* --- settings ------------------------------------------------------------------------------ */

static void set_termios(const struct kernel_termios *new, bool flush)
{
	unsigned long flags = spin_lock_irqsave(&tty.lock);
	bool was_canonical = canonical();

	tty.termios = *new;
	tty.literal = false;
	if (flush)
		flush_input();
	/* What was typed in raw mode is a line of its own; a half-typed line can be read in raw mode. */
	if (canonical() && !was_canonical && tty.head != tty.tail) {
		mark_end(tty.head - 1, true);
		tty.line = tty.head;
	}
	spin_unlock_irqrestore(&tty.lock, flags);
	wake_up(&tty.readers);
}

static long tty_set(unsigned long arg, bool flush)
{
	struct kernel_termios new;

	if (copy_from_user(&new, (const void __user *)arg, sizeof(new)))
		return -EFAULT;
	set_termios(&new, flush);
	return 0;
}

static long tty_flush(unsigned long which)
{
	unsigned long flags;

	if (which > TCIOFLUSH)
		return -EINVAL;
	if (which == TCOFLUSH) /* nothing waits to be written, ever */
		return 0;
	flags = spin_lock_irqsave(&tty.lock);
	flush_input();
	spin_unlock_irqrestore(&tty.lock, flags);
	return 0;
}

static long tty_set_winsize(unsigned long arg)
{
	struct winsize new;
	unsigned long flags;

	if (copy_from_user(&new, (const void __user *)arg, sizeof(new)))
		return -EFAULT;
	flags = spin_lock_irqsave(&tty.lock);
	tty.winsize = new;
	spin_unlock_irqrestore(&tty.lock, flags);
	return 0;
}

/* Copies a piece of tty out as it is at one moment. */
static long tty_get(unsigned long arg, const void *what, size_t size)
{
	u8 copy[sizeof(struct kernel_termios)];
	unsigned long flags = spin_lock_irqsave(&tty.lock);

	memcpy(copy, what, size);
	spin_unlock_irqrestore(&tty.lock, flags);
	return copy_to_user((void __user *)arg, copy, size) ? -EFAULT : 0;
}

static long tty_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case TCGETS:
		return tty_get(arg, &tty.termios, sizeof(tty.termios));
	case TCSETS:
	case TCSETSW: /* what was written is out already */
		return tty_set(arg, false);
	case TCSETSF:
		return tty_set(arg, true);
	case TIOCGWINSZ:
		return tty_get(arg, &tty.winsize, sizeof(tty.winsize));
	case TIOCSWINSZ:
		return tty_set_winsize(arg);
	case TCFLSH:
		return tty_flush(arg);
	case TCSBRK:
	case TCSBRKP:
		return 0; /* nothing to wait for; and, as Linux has it for such a line, no break */
	case FIONREAD:
		return put_user((int)readable(), (int __user *)arg);
	case TIOCSCTTY:
		return -EPERM;
	default:
		/* Also TIOCGPGRP and its kin: it is nobody's controlling terminal. */
		return -ENOTTY;
	}
}

/* Raw mode without a time counts on VMIN characters: fewer are nothing to read. */
static u32 tty_poll(struct file *file, struct poll_table *pt)
{
	u32 mask = POLLOUT | POLLWRNORM;
	struct read_rule rule;

	poll_wait(file, &tty.readers, pt);
	rule = read_rule();
	if (readable() >= (rule.tenths ? 1 : max(rule.min, (size_t)1)))
		mask |= POLLIN | POLLRDNORM;
	return mask;
}

static int tty_open(struct inode *inode, struct file *file)
{
	file->f_mode |= FMODE_STREAM;
	return 0;
}

const struct file_operations console_tty_fops = {
	.read_iter = tty_read,
	.write_iter = tty_write,
	.poll = tty_poll,
	.ioctl = tty_ioctl,
	.open = tty_open,
};

void console_tty_init(void)
{
	set_console_input(console_input_char);
}
