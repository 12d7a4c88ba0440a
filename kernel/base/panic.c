/* SPDX-License-Identifier: MIT */
#include "kernel/base/panic.h"

#include <arch/irqflags.h>
#include <arch/percpu.h>

#include "kernel/base/context.h"
#include "kernel/base/printf.h"
#include "kernel/base/printk.h"
#include "kernel/base/printk_internal.h"

/* What machine_halt_hook is told after a panic; anything but 0 means failure. */
#define PANIC_STATUS 1

static void spin_forever(int status)
{
	(void)status;
	for (;;)
		cpu_relax();
}

void (*machine_halt_hook)(int status) = spin_forever;
void (*panic_stop_hook)(void);

static struct panic_hook *hooks;
static int panics;

/* The CPU whose panic is told; the first one, of several at once. */
#define NOBODY (-1)
static int panic_cpu = NOBODY;

/* What the others wanted to say. */
#define LATE_MAX 120
static char late_texts[NR_CPUS][LATE_MAX];

void register_panic_hook(struct panic_hook *hook)
{
	hook->next = hooks;
	hooks = hook;
}

const char *panic_late_text(unsigned int cpu)
{
	return late_texts[cpu];
}

/* Another CPU is telling already: it will stop this one and tell what this one has to say. */
static void __noreturn __printf(1, 0) panic_late(const char *fmt, va_list args)
{
	vsnprintf(late_texts[smp_processor_id()], LATE_MAX, fmt, args);
	spin_forever(PANIC_STATUS);
	__builtin_unreachable();
}

static bool take_panic(void)
{
	int owner = NOBODY, self = smp_processor_id();

	return __atomic_compare_exchange_n(&panic_cpu, &owner, self, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST) ||
	       owner == self;
}

/*
 * Each deeper panic does less, for the step that failed would fail again: the first tells all, one
 * within it only says that it happened, and one within that ends the machine in silence.
 */
static void __noreturn __printf(2, 0) die(const struct pt_regs *regs, const char *fmt, va_list args)
{
	int depth;

	local_irq_disable();
	stop_context_checks();
	if (!take_panic())
		panic_late(fmt, args);
	depth = panics++;
	if (depth == 0 && panic_stop_hook)
		panic_stop_hook();
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
