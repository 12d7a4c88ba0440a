/* SPDX-License-Identifier: MIT */
#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
#include "kernel/base/printk_internal.h"

/* What machine_halt_hook is told after a panic; anything but 0 means failure. */
#define PANIC_STATUS 1

static void spin_forever(int status)
{
	(void)status;
	for (;;)
		barrier();
}

void (*machine_halt_hook)(int status) = spin_forever;

static struct panic_hook *hooks;
static int panics;

void register_panic_hook(struct panic_hook *hook)
{
	hook->next = hooks;
	hooks = hook;
}

/*
 * Each deeper panic does less, for the step that failed would fail again: the first tells all, one
 * within it only says that it happened, and one within that ends the machine in silence.
 */
static void __noreturn __printf(2, 0) die(const struct pt_regs *regs, const char *fmt, va_list args)
{
	int depth = __atomic_fetch_add(&panics, 1, __ATOMIC_SEQ_CST);

	if (depth < 2) {
		printk_break_locks();
		printk(depth ? "\nKernel panic within the panic: " : "\nKernel panic: ");
		vprintk(fmt, args);
		printk("\n");
	}
	if (depth == 0) {
		for (struct panic_hook *hook = hooks; hook; hook = hook->next)
			hook->show(regs);
		printk("End of the panic report.\n");
	}
	machine_halt_hook(PANIC_STATUS);
	spin_forever(PANIC_STATUS);
	__builtin_unreachable();
}

void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	die(NULL, fmt, args);
}

void panic_regs(const struct pt_regs *regs, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	die(regs, fmt, args);
}

void warn_at(const char *file, int line, const char *what)
{
	printk("WARNING at %s:%d: %s\n", file, line, what);
}
