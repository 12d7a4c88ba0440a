/* SPDX-License-Identifier: MIT */
/* printk and panic for host programs: text goes to standard error, a panic ends in abort(). */
#include <stdio.h>
#include <stdlib.h>

#include "kernel/base/panic.h"
#include "kernel/base/printk.h"

bool printk_quiet;
void (*machine_halt_hook)(int status);

void vprintk(const char *fmt, va_list args)
{
	vfprintf(stderr, fmt, args);
}

void printk(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintk(fmt, args);
	va_end(args);
}

void printk_log_only(const char *fmt, ...)
{
	(void)fmt;
}

void printk_set_quiet(bool quiet)
{
	printk_quiet = quiet;
}

void console_write(const char *text, size_t len)
{
	fwrite(text, 1, len, stderr);
}

void panic(const char *fmt, ...)
{
	va_list args;

	fputs("Kernel panic: ", stderr);
	va_start(args, fmt);
	vprintk(fmt, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

void register_panic_hook(struct panic_hook *hook)
{
	/* A host program has a debugger for this. */
	(void)hook;
}

/* A warning in a test is a failure: the kernel's own tests must not produce any. */
void warn_at(const char *file, int line, const char *what)
{
	fprintf(stderr, "WARNING at %s:%d: %s\n", file, line, what);
	abort();
}
