/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_BASE_PRINTK_H
#define KERNEL_BASE_PRINTK_H

#include "kernel/base/compiler.h"

/*
 * A place that text goes to. write() gets bytes as for a terminal, where \n alone doesn't return to
 * the line's begin: a line of the kernel's ends with \r\n. It must not sleep, allocate or fail.
 */
struct console {
	const char *name;
	void (*write)(struct console *con, const char *text, size_t len);
	struct console *next;
};

/* Adds a console; it is first shown everything logged so far. Never fails. */
void register_console(struct console *con);
/* Takes a console out again; the text it has shown stays. */
void unregister_console(struct console *con);

/* Formats and logs one piece of text (no newline is added). Any context, interrupts included. */
void printk(const char *fmt, ...) __printf(1, 2);
void vprintk(const char *fmt, va_list args) __printf(1, 0);

/* Hands bytes to every console without logging them: what user programs write to /dev/console. */
void console_write(const char *text, size_t len);

/*
 * Whether another CPU is still showing what was written: who ends the machine waits for that, but not
 * for ever.
 */
bool printk_pending(void);

/* With quiet set, pr_info goes to the log but not to the consoles. */
void printk_set_quiet(bool quiet);
void printk_log_only(const char *fmt, ...) __printf(1, 2);
extern bool printk_quiet;

#define pr_info(fmt, ...)                                    \
	do {                                                 \
		if (printk_quiet)                            \
			printk_log_only(fmt, ##__VA_ARGS__); \
		else                                         \
			printk(fmt, ##__VA_ARGS__);          \
	} while (0)
#define pr_warn(fmt, ...) printk("warning: " fmt, ##__VA_ARGS__)
#define pr_err(fmt, ...)  printk("error: " fmt, ##__VA_ARGS__)

#endif
