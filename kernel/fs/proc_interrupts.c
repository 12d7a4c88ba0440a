/* SPDX-License-Identifier: MIT */
/* /proc/interrupts: how often each came, to which processor. proc_interrupts(5). */
#include <arch/asm.h>
#include <arch/keyboard.h>
#include <arch/serial.h>
#include <arch/smp.h>
#include <arch/trap.h>

#include "kernel/fs/proc_internal.h"

static void show_counts(struct seq_text *seq, unsigned int vector)
{
	unsigned int cpu;

	for_each_online_cpu(cpu)
		seq_printf(seq, "%10lu ", READ_ONCE((*per_cpu_ptr(&irq_counts, cpu))[vector]));
}

/* Lines of the ISA bus that are in use. */
static const struct {
	unsigned int irq, vector;
	const char *device;
} lines[] = {
	{ KEYBOARD_ISA_IRQ, VECTOR_KEYBOARD, "i8042" },
	{ SERIAL_ISA_IRQ, VECTOR_SERIAL, "ttyS0" },
};

static const struct {
	const char *name;
	unsigned int vector;
	const char *what;
} others[] = {
	{ "NMI", VECTOR_NMI, "Non-maskable interrupts" },
	{ "LOC", VECTOR_TIMER, "Local timer interrupts" },
	{ "SPU", VECTOR_SPURIOUS, "Spurious interrupts" },
	{ "RES", VECTOR_RESCHED, "Rescheduling interrupts" },
	{ "CAL", VECTOR_CALL, "Function call interrupts" },
};

int proc_show_interrupts(struct proc_file *pf, struct seq_text *seq)
{
	unsigned int cpu;

	seq_printf(seq, "%11s", "");
	for_each_online_cpu(cpu) seq_printf(seq, "CPU%-8u", cpu);
	seq_printf(seq, "\n");
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		seq_printf(seq, "%3u: ", lines[i].irq);
		show_counts(seq, lines[i].vector);
		seq_printf(seq, "  IO-APIC %3u-edge      %s\n", lines[i].irq, lines[i].device);
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		seq_printf(seq, "%s: ", others[i].name);
		show_counts(seq, others[i].vector);
		seq_printf(seq, "  %s\n", others[i].what);
	}
	return 0;
}
