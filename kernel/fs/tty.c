/* SPDX-License-Identifier: MIT */
/*
 * The terminal as programs see it: opening, reading, writing, settings.
 *
 * /dev/console is the same terminal, but outside of job control, as on Linux: who reads it from the
 * background is not stopped, it never becomes a controlling terminal by being opened, and it
 * survives the end of a session.
 */
#include "kernel/fs/tty.h"

#include <arch/clock.h>
#include <arch/serial.h>
#include <arch/uaccess.h>
#include <arch/vga.h>

#include "kernel/abi/signal.h"
#include "kernel/base/printk.h"
#include "kernel/base/string.h"
#include "kernel/fs/poll.h"
#include "kernel/sched/timer.h"

/* What a terminal is that hasn't said how large it is. */
#define SERIAL_ROWS 24
#define SERIAL_COLS 80

struct tty console_tty = {
	.lock = SPINLOCK_INIT,
	.readers = WAIT_QUEUE_INIT(console_tty.readers),
	.writers = WAIT_QUEUE_INIT(console_tty.writers),
	.write_lock = MUTEX_INIT(console_tty.write_lock),
	.winsize = {
		[SEAT_SERIAL] = { SERIAL_ROWS, SERIAL_COLS, 0, 0 },
		[SEAT_SCREEN] = { SERIAL_ROWS, SERIAL_COLS, 0, 0 },
	},
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

const struct tty_job_ops *tty_jobs;

/* --- files --------------------------------------------------------------------------------- */

static bool is_console(const struct file *file)
{
	return file->f_inode->i_rdev == makedev(TTYAUX_MAJOR, CONSOLE_MINOR);
}

static struct tty *tty_of(const struct file *file)
{
	return &console_tty;
}

/* An opening remembers how many hangups there had been. */
static bool hung_up(const struct file *file)
{
	return !is_console(file) &&
	       (uintptr_t)file->private_data != READ_ONCE(tty_of(file)->hangups);
}

static int check_change(struct tty *tty, int sig)
{
	return tty_jobs ? tty_jobs->check_change(tty, sig) : 0;
}

static int tty_open(struct inode *inode, struct file *file)
{
	struct tty *tty = &console_tty;
	bool own = inode->i_rdev == makedev(TTYAUX_MAJOR, TTY_MINOR);

	if (own && !(tty_jobs && tty_jobs->is_current(tty)))
		return -ENXIO;
	file->f_mode |= FMODE_STREAM;
	file->private_data = (void *)(uintptr_t)tty->hangups;
	if (tty_jobs && !own && !is_console(file) && !(file->f_flags & O_NOCTTY))
		tty_jobs->opened(tty, file->f_mode & FMODE_READ);
	return 0;
}

void tty_hangup(struct tty *tty)
{
	unsigned long flags = spin_lock_irqsave(&tty->lock);

	WRITE_ONCE(tty->hangups, tty->hangups + 1);
	n_tty_flush(tty);
	n_tty_start(tty);
	spin_unlock_irqrestore(&tty->lock, flags);
	wake_up(&tty->readers);
	wake_up(&tty->writers);
}

/* --- input --------------------------------------------------------------------------------- */

static bool same_size(const struct winsize *a, const struct winsize *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* The terminal has the size of the seat where somebody types. Whether that changes it. => tty->lock */
static bool take_seat(struct tty *tty, enum console_seat seat)
{
	enum console_seat old = tty->seat;

	tty->seat = seat;
	return !same_size(&tty->winsize[old], &tty->winsize[seat]);
}

/* What there is to do after characters have come, without the lock. */
struct received {
	bool readable, started;
	u64 signals; /* BIT(SIG*), to those in the foreground */
};

/* => tty->lock */
static struct received receive(struct tty *tty, const char *text, size_t len,
			       enum console_seat seat)
{
	struct received res = { .signals = take_seat(tty, seat) ? BIT(SIGWINCH) : 0 };
	bool was_stopped = tty->stopped;

	for (; len; len--) {
		int sig = n_tty_receive(tty, (u8)*text++);

		res.signals |= sig ? BIT(sig) : 0;
	}
	res.readable = n_tty_readable(tty);
	res.started = was_stopped && !tty->stopped;
	return res;
}

static void act_on(struct tty *tty, const struct received *res)
{
	if (res->readable)
		wake_up(&tty->readers);
	if (res->started)
		wake_up(&tty->writers);
	for (int sig = 1; tty_jobs && res->signals >> sig; sig++)
		if (res->signals & BIT(sig))
			tty_jobs->signal_group(tty, sig);
}

void tty_input(const char *text, size_t len, enum console_seat seat)
{
	struct tty *tty = &console_tty;
	struct received res;
	unsigned long flags;

	if (!len)
		return;
	flags = spin_lock_irqsave(&tty->lock);
	res = receive(tty, text, len, seat);
	spin_unlock_irqrestore(&tty->lock, flags);
	act_on(tty, &res);
}

static size_t take(struct tty *tty, char *to, size_t n, bool *line_end)
{
	unsigned long flags = spin_lock_irqsave(&tty->lock);
	size_t taken = n_tty_take(tty, to, n, line_end);

	spin_unlock_irqrestore(&tty->lock, flags);
	return taken;
}

struct deadline {
	struct timer timer;
	struct tty *tty;
	bool passed;
};

static void deadline_passed(void *arg)
{
	struct deadline *deadline = arg;

	WRITE_ONCE(deadline->passed, true);
	wake_up(&deadline->tty->readers);
}

static bool must_look(struct file *file)
{
	return n_tty_readable(tty_of(file)) || hung_up(file);
}

/*
 * Sleeps until there is something to read. `tenths`: at most so long, 0 for ever. 0, -ETIME,
 * -ERESTARTSYS.
 */
static int wait_input(struct file *file, unsigned int tenths)
{
	struct tty *tty = tty_of(file);
	struct deadline deadline = { .timer = { .fn = deadline_passed }, .tty = tty };
	int err;

	if (!tenths)
		return wait_event_interruptible(tty->readers, must_look(file));
	deadline.timer.arg = &deadline;
	deadline.timer.expires = clock_ns() + tenths * 100000000UL;
	timer_start(&deadline.timer);
	err = wait_event_interruptible(tty->readers, must_look(file) || READ_ONCE(deadline.passed));
	timer_cancel_sync(&deadline.timer);
	return !err && !must_look(file) ? -ETIME : err;
}

/* How a read behaves now: canonical, or by VMIN and VTIME (termios(3)). */
struct read_rule {
	size_t min;	     /* bytes to wait for */
	unsigned int tenths; /* between two bytes; before the first one if min is 0 */
};

static struct read_rule read_rule(struct tty *tty)
{
	unsigned long flags = spin_lock_irqsave(&tty->lock);
	struct read_rule rule = { tty->termios.c_cc[VMIN], tty->termios.c_cc[VTIME] };

	if (n_tty_has(tty, ICANON))
		rule = (struct read_rule){ 1, 0 };
	spin_unlock_irqrestore(&tty->lock, flags);
	return rule;
}

/* Waits for more when the rule says so. 0 to go on reading, or why not; -ETIME is no error. */
static int wait_by_rule(struct file *file, const struct read_rule *rule, size_t done)
{
	int err;

	if (n_tty_readable(tty_of(file)))
		return 0;
	if (hung_up(file) || (!rule->min && !rule->tenths))
		return -ETIME;
	if (file->f_flags & O_NONBLOCK)
		return -EAGAIN;
	err = wait_input(file, done || !rule->min ? rule->tenths : 0);
	return !err && hung_up(file) ? -ETIME : err;
}

static ssize_t tty_read(struct file *file, struct io_iter *to, loff_t *pos)
{
	struct tty *tty = tty_of(file);
	struct read_rule rule = read_rule(tty);
	size_t wanted = to->count, done = 0, enough = max(rule.min, (size_t)1);
	bool line_end = false;
	char chunk[128];
	int err = 0;

	if (hung_up(file))
		return 0;
	if (!is_console(file))
		err = check_change(tty, SIGTTIN);
	while (!err && done < wanted && !line_end) {
		size_t n, got;

		if (done >= enough && !n_tty_readable(tty))
			break;
		err = wait_by_rule(file, &rule, done);
		if (err)
			break;
		n = take(tty, chunk, min(wanted - done, sizeof(chunk)), &line_end);
		got = copy_to_iter(chunk, n, to);
		done += got;
		if (got < n)
			err = -EFAULT;
	}
	return done || err == -ETIME ? (ssize_t)done : err;
}

/* --- output -------------------------------------------------------------------------------- */

/*
 * What the screen answers to what it was asked is typed by it, so to say; but only for who sits there:
 * at the other seat there is a terminal that answers for itself.
 */
static void take_reply(struct tty *tty)
{
	char text[VT_REPLY_SIZE];
	size_t n = screen_vt ? vt_take_reply(screen_vt, text, sizeof(text)) : 0;
	struct received res = { 0 };
	unsigned long flags;

	if (!n)
		return;
	/* In one piece: half an answer, and then what somebody types, would be no answer. */
	flags = spin_lock_irqsave(&tty->lock);
	if (tty->seat == SEAT_SCREEN)
		res = receive(tty, text, n, SEAT_SCREEN);
	spin_unlock_irqrestore(&tty->lock, flags);
	act_on(tty, &res);
}

static bool put_chunk(struct tty *tty, const char *text, size_t n)
{
	unsigned long flags = spin_lock_irqsave(&tty->lock);
	bool done = n_tty_output(tty, text, n);

	spin_unlock_irqrestore(&tty->lock, flags);
	return done;
}

/* Puts a chunk out, waiting while output is stopped. => write_lock held, and dropped meanwhile */
static int write_chunk(struct file *file, const char *text, size_t n)
{
	struct tty *tty = tty_of(file);
	int err = 0;

	while (!err && !hung_up(file)) {
		if (put_chunk(tty, text, n))
			return 0;
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		mutex_unlock(&tty->write_lock);
		err = wait_event_interruptible(tty->writers,
					       !READ_ONCE(tty->stopped) || hung_up(file));
		mutex_lock(&tty->write_lock);
	}
	return err ? err : -EIO;
}

static ssize_t tty_write(struct file *file, struct io_iter *from, loff_t *pos)
{
	struct tty *tty = tty_of(file);
	size_t wanted = from->count, done = 0;
	char chunk[N_TTY_CHUNK];
	int err = 0;

	if (hung_up(file))
		return -EIO;
	if (n_tty_has(tty, TOSTOP) && !is_console(file))
		err = check_change(tty, SIGTTOU);
	if (err)
		return err;
	mutex_lock(&tty->write_lock);
	while (!err && done < wanted) {
		size_t n = min(wanted - done, sizeof(chunk));
		size_t got = copy_from_iter(chunk, n, from);

		if (got < n)
			err = -EFAULT;
		if (got) {
			int why = write_chunk(file, chunk, got);

			if (why)
				err = why;
			else
				done += got;
		}
	}
	take_reply(tty);
	mutex_unlock(&tty->write_lock);
	return done ? (ssize_t)done : err;
}

/* --- settings ------------------------------------------------------------------------------ */

/* Waits until what was written is out: 0 or -ERESTARTSYS. */
static int drain(struct tty *tty)
{
	return wait_event_interruptible(tty->writers, !READ_ONCE(tty->nr_held));
}

/* wait: for output; flush: input as well. */
static long tty_set(struct tty *tty, unsigned long arg, bool wait, bool flush)
{
	int err = check_change(tty, SIGTTOU);
	struct kernel_termios new;
	unsigned long flags;

	if (err)
		return err;
	if (copy_from_user(&new, (const void __user *)arg, sizeof(new)))
		return -EFAULT;
	err = wait ? drain(tty) : 0;
	if (err)
		return err;
	flags = spin_lock_irqsave(&tty->lock);
	if (flush)
		n_tty_flush(tty);
	n_tty_set_termios(tty, &new);
	spin_unlock_irqrestore(&tty->lock, flags);
	wake_up(&tty->readers);
	wake_up(&tty->writers);
	return 0;
}

static long tty_flush(struct tty *tty, unsigned long which)
{
	int err = check_change(tty, SIGTTOU);
	unsigned long flags;

	if (err)
		return err;
	if (which > TCIOFLUSH)
		return -EINVAL;
	flags = spin_lock_irqsave(&tty->lock);
	if (which != TCOFLUSH)
		n_tty_flush(tty);
	if (which != TCIFLUSH)
		n_tty_flush_output(tty);
	spin_unlock_irqrestore(&tty->lock, flags);
	wake_up(&tty->writers);
	return 0;
}

/* tcflow(3). The last two ask the other end to stop and go on sending. */
static long tty_flow(struct tty *tty, unsigned long action)
{
	int err = check_change(tty, SIGTTOU);
	unsigned long flags;
	u8 c;

	if (err)
		return err;
	if (action > TCION)
		return -EINVAL;
	flags = spin_lock_irqsave(&tty->lock);
	c = tty->termios.c_cc[action == TCIOFF ? VSTOP : VSTART];
	if (action == TCOOFF)
		tty->stopped = tty->stopped_by_call = true;
	else if (action == TCOON && tty->stopped_by_call)
		n_tty_start(tty);
	spin_unlock_irqrestore(&tty->lock, flags);
	if (action == TCOON)
		wake_up(&tty->writers);
	else if (action >= TCIOFF && c)
		console_write((const char *)&c, 1);
	return 0;
}

/* Waits until what was written is out. No break is made, as none would be on Linux' own console. */
static long tty_break(struct tty *tty)
{
	int err = check_change(tty, SIGTTOU);

	if (!err && drain(tty))
		err = -EINTR;
	return err;
}

static long tty_get_winsize(struct tty *tty, unsigned long arg)
{
	unsigned long flags = spin_lock_irqsave(&tty->lock);
	struct winsize size = tty->winsize[tty->seat];

	spin_unlock_irqrestore(&tty->lock, flags);
	return copy_to_user((void __user *)arg, &size, sizeof(size)) ? -EFAULT : 0;
}

static long tty_set_winsize(struct tty *tty, unsigned long arg)
{
	struct winsize new;
	unsigned long flags;
	bool same;

	if (copy_from_user(&new, (const void __user *)arg, sizeof(new)))
		return -EFAULT;
	flags = spin_lock_irqsave(&tty->lock);
	same = same_size(&tty->winsize[tty->seat], &new);
	tty->winsize[tty->seat] = new;
	spin_unlock_irqrestore(&tty->lock, flags);
	if (!same && tty_jobs)
		tty_jobs->signal_group(tty, SIGWINCH);
	return 0;
}

static long tty_get_termios(struct tty *tty, unsigned long arg)
{
	unsigned long flags = spin_lock_irqsave(&tty->lock);
	struct kernel_termios termios = tty->termios;

	spin_unlock_irqrestore(&tty->lock, flags);
	return copy_to_user((void __user *)arg, &termios, sizeof(termios)) ? -EFAULT : 0;
}

static long tty_readable(struct tty *tty, unsigned long arg)
{
	unsigned long flags = spin_lock_irqsave(&tty->lock);
	int count = (int)n_tty_readable_text(tty);

	spin_unlock_irqrestore(&tty->lock, flags);
	return put_user(count, (int __user *)arg);
}

static long tty_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct tty *tty = tty_of(file);

	if (hung_up(file))
		return cmd == TIOCSPGRP ? -ENOTTY : -EIO;
	switch (cmd) {
	case TCGETS:
		return tty_get_termios(tty, arg);
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return tty_set(tty, arg, cmd != TCSETS, cmd == TCSETSF);
	case TIOCGWINSZ:
		return tty_get_winsize(tty, arg);
	case TIOCSWINSZ:
		return tty_set_winsize(tty, arg);
	case TCFLSH:
		return tty_flush(tty, arg);
	case TCXONC:
		return tty_flow(tty, arg);
	case TCSBRK:
	case TCSBRKP:
		return tty_break(tty);
	case TIOCOUTQ:
		return put_user((int)READ_ONCE(tty->nr_held), (int __user *)arg);
	case FIONREAD:
		return tty_readable(tty, arg);
	}
	return tty_jobs ? tty_jobs->ioctl(tty, cmd, arg, file->f_mode & FMODE_READ) : -ENOTTY;
}

/* Raw mode without a time counts on VMIN characters: fewer are nothing to read. */
#define POLL_OUT_BELOW 256U /* with so much waiting already, a program should wait as well */

static u32 tty_poll(struct file *file, struct poll_table *pt)
{
	struct tty *tty = tty_of(file);
	struct read_rule rule;
	u32 mask = 0;

	poll_wait(file, &tty->readers, pt);
	poll_wait(file, &tty->writers, pt);
	if (hung_up(file))
		return POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM | POLLERR | POLLHUP;
	rule = read_rule(tty);
	if (n_tty_readable(tty) >= (rule.tenths ? 1 : max(rule.min, (size_t)1)))
		mask |= POLLIN | POLLRDNORM;
	if (READ_ONCE(tty->nr_held) < POLL_OUT_BELOW)
		mask |= POLLOUT | POLLWRNORM;
	return mask;
}

const struct file_operations tty_fops = {
	.poll = tty_poll,
	.read_iter = tty_read,
	.write_iter = tty_write,
	.ioctl = tty_ioctl,
	.open = tty_open,
};

void tty_init(void)
{
	if (screen_vt)
		console_tty.winsize[SEAT_SCREEN] =
			(struct winsize){ (u16)screen_vt->rows, (u16)screen_vt->cols, 0, 0 };
	if (screen_vt && !serial_present())
		console_tty.seat = SEAT_SCREEN;
	set_console_input(tty_input);
}
