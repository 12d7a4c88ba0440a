/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_BASE_PANIC_H
#define KERNEL_BASE_PANIC_H

#include "kernel/base/compiler.h"

struct pt_regs;

/*
 * The one way out when the kernel can't go on: prints the message, then whatever the registered
 * hooks know (registers, backtrace, areas, page walk), and ends the machine. A second panic
 * inside the first skips the hooks; one on another CPU is told by the first.
 */
void panic(const char *fmt, ...) __printf(1, 2) __noreturn;
/* The same for a processor exception, with the registers at the fault. */
void panic_regs(const struct pt_regs *regs, const char *fmt, ...) __printf(2, 3) __noreturn;

/* What upper layers add to a panic's text. regs may be NULL. */
struct panic_hook {
	void (*show)(const struct pt_regs *regs);
	struct panic_hook *next;
};
void register_panic_hook(struct panic_hook *hook);

/* Stops the other CPUs (set once there are others), and does not wait for ever for them. Interrupts off. */
extern void (*panic_stop_hook)(void);

/* What a CPU that panicked after another one wanted to say; empty when it didn't. */
const char *panic_late_text(unsigned int cpu);

/* How the machine ends after a panic (set once by arch/low; the default spins). */
extern void (*machine_halt_hook)(int status);

void warn_at(const char *file, int line, const char *what);

#define BUG_ON(cond)                                                          \
	do {                                                                  \
		if (unlikely(cond))                                           \
			panic("BUG at %s:%d: %s", __FILE__, __LINE__, #cond); \
	} while (0)
#define BUG() panic("BUG at %s:%d", __FILE__, __LINE__)

#define WARN_ON(cond)                                       \
	({                                                  \
		bool warn_cond = (cond);                    \
		if (unlikely(warn_cond))                    \
			warn_at(__FILE__, __LINE__, #cond); \
		warn_cond;                                  \
	})

#ifdef CONFIG_DEBUG
#define DEBUG_ON(cond) BUG_ON(cond)
#else
#define DEBUG_ON(cond) ((void)sizeof(cond))
#endif

#endif
