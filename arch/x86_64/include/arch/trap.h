/* SPDX-License-Identifier: MIT */
#ifndef ARCH_TRAP_H
#define ARCH_TRAP_H

#include <arch/percpu.h>
#include <arch/ptrace.h>

/* Fills the IDT and the system-call registers of this CPU. => gdt_init() ran. */
void trap_init(void);
void syscall_init(void);

/* Sets what an interrupt vector calls, with interrupts off; it acknowledges the interrupt itself. */
void set_irq_handler(unsigned int vector, void (*handler)(void));

/* Prints registers, a backtrace with names, the areas of the running program, the walk of CR2. */
void show_kernel_state(const struct pt_regs *regs);

/* Whether the present interrupt of this CPU came while a program ran: 0 or 1. */
DECLARE_PER_CPU(unsigned int, irq_from_user);
/* What a panic tells of the fault that led to it: a path (mm/fault_steps.h), or 0. */
DECLARE_PER_CPU(u64, panic_fault_path);

/* How often each vector came to this CPU, for this boot. */
DECLARE_PER_CPU(unsigned long, irq_counts)[256];

#endif
