/* SPDX-License-Identifier: MIT */
/* Descriptor tables: Intel SDM volume 3A, sections 3.4.5 (GDT), 6.14 (64-bit IDT), 7.7 (TSS). */
#ifndef ARCH_DESC_H
#define ARCH_DESC_H

#include <arch/asm.h>
#include <arch/percpu.h>

struct tss {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3;
	u16 iomap_base;
} __packed;

struct idt_gate {
	u16 offset_low;
	u16 selector;
	u8 ist;
	u8 type;
	u16 offset_mid;
	u32 offset_high;
	u32 reserved;
};

DECLARE_PER_CPU(struct tss, cpu_tss);
/* Where system calls find their stack: the top of the running thread's kernel stack. */
DECLARE_PER_CPU(unsigned long, cpu_kernel_sp);

/* The size of the stacks that a gate may name; the boot processor has its own from the start. */
#define IST_STACK_SIZE 8192
/* Gives another CPU the stack it will use for one IST_* number. => it has not started yet */
void gdt_set_ist_stack(unsigned int cpu, unsigned int ist, void *stack);
/* Loads this CPU's GDT and TSS. => GS base set, IST stacks given. */
void gdt_init(void);
/* Fills a gate of the IDT that all CPUs share; user: INT from ring 3 may use it. */
void idt_set_gate(unsigned int vector, const void *entry, unsigned int ist, bool user);
/* Loads it on this CPU. */
void idt_load(void);
/* Sets the kernel stack for the next entry from user mode. */
void set_kernel_stack(unsigned long top);

#endif
