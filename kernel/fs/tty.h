/* SPDX-License-Identifier: MIT */
/*
 * The terminal. There is one, /dev/ttyS0, with two seats: the serial line, and the screen with its
 * keyboard. What is written is seen at both, and what is typed at either is input. It is also
 * the console, /dev/console.
 *
 * n_tty.c is the line discipline: the line being typed, its echo, and what becomes of output on its
 * way; termios(3) is its text. tty.c is what programs see of it. Sessions and groups are a higher
 * layer's: it comes in through struct tty_job_ops.
 */
#ifndef KERNEL_FS_TTY_H
#define KERNEL_FS_TTY_H

#include <arch/keyboard.h>

#include "kernel/abi/ioctl.h"
#include "kernel/fs/vfs.h"
#include "kernel/sched/wait.h"

#define TTY_RING_SIZE 4096U
#define TTY_HELD_SIZE 4096U

struct pid;

/*
 * The input ring has three marks: tail <= line <= head. In canonical mode what lies before `line`
 * are complete lines, and between `line` and `head` the one being typed, which can be edited. In
 * raw mode everything before `head` can be read.
 */
struct tty {
	spinlock_t lock;	       /* interrupt-safe; up to `winsize` */
	unsigned int tail, line, head; /* counts of bytes; modulo the size they are places */
	u8 ring[TTY_RING_SIZE];
	u8 ends[TTY_RING_SIZE / 8]; /* bitmap: bytes that end a line */
	bool literal;		    /* the next character stands for itself (VLNEXT) */
	bool stopped;		    /* output waits: VSTOP was typed */
	bool stopped_by_call;	    /* and only a call lets it go on: TCXONC */
	unsigned int column;	    /* where output stands */
	unsigned int line_column;   /* where it stood when the line being typed began */
	char held[TTY_HELD_SIZE];   /* output that waits while it is stopped */
	unsigned int nr_held;
	struct kernel_termios termios;
	enum console_seat seat; /* where was typed last */
	struct winsize winsize[NR_CONSOLE_SEATS];

	struct wait_queue_head readers, writers;
	struct mutex write_lock; /* keeps what one write(2) writes together */
	unsigned int hangups;	 /* its files opened before the last of them are dead */

	/* The session whose terminal it is, and its foreground group: tty_job_ops' affair. */
	struct pid *session, *group;
};

extern struct tty console_tty;

/* What the layer of processes does about terminals. */
struct tty_job_ops {
	/*
	 * The running process does what only the foreground group may: 0, or -EIO, or -ERESTARTSYS
	 * when it got `sig` (SIGTTIN, SIGTTOU) for it.
	 */
	int (*check_change)(struct tty *tty, int sig);
	/* Sends a signal to the foreground group. Any context. */
	void (*signal_group)(struct tty *tty, int sig);
	/* The running process opens the terminal, which may become its controlling terminal. */
	void (*opened)(struct tty *tty, bool readable);
	/* Whether it is the running process's controlling terminal. */
	bool (*is_current)(const struct tty *tty);
	/* TIOCSCTTY, TIOCNOTTY, TIOCGPGRP, TIOCSPGRP, TIOCGSID; others -ENOTTY. */
	long (*ioctl)(struct tty *tty, unsigned int cmd, unsigned long arg, bool readable);
};
/* Set once, before the first program runs. */
extern const struct tty_job_ops *tty_jobs;

/* /dev/ttyS0, /dev/tty and /dev/console; the last never becomes anybody's controlling terminal. */
#define TTYS0_MAJOR   4
#define TTYS0_MINOR   64
#define TTYAUX_MAJOR  5
#define TTY_MINOR     0
#define CONSOLE_MINOR 1
extern const struct file_operations tty_fops;

/* Characters from a seat; nothing from elsewhere comes between them. Any context, interrupts included. */
void tty_input(const char *text, size_t len, enum console_seat seat);
/* The session is over: whoever has the terminal open, but as /dev/console, has lost it. */
void tty_hangup(struct tty *tty);

/* --- n_tty.c. => tty->lock held, unless it says otherwise ---------------------------------- */

/* Takes a character in. Returns the signal that it stands for, or 0. */
int n_tty_receive(struct tty *tty, u8 c);
/* How many bytes can be read. */
unsigned int n_tty_readable(const struct tty *tty);
/* The same without what only marks the end of a line. */
unsigned int n_tty_readable_text(const struct tty *tty);
/* Moves at most n bytes out, none beyond a line's end: then *line_end is set. */
size_t n_tty_take(struct tty *tty, char *to, size_t n, bool *line_end);
#define N_TTY_CHUNK 64
/*
 * Puts at most N_TTY_CHUNK bytes out as the settings say, or has them wait while output is stopped;
 * false when too many wait already.
 */
bool n_tty_output(struct tty *tty, const char *text, size_t n);
/* Lets output go on with what has waited; the caller wakes tty->writers. */
void n_tty_start(struct tty *tty);
/* Drops input; and output that waits. */
void n_tty_flush(struct tty *tty);
void n_tty_flush_output(struct tty *tty);
void n_tty_set_termios(struct tty *tty, const struct kernel_termios *new);
static inline bool n_tty_has(const struct tty *tty, u32 lflag)
{
	return tty->termios.c_lflag & lflag;
}

#endif
