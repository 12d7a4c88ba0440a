/* SPDX-License-Identifier: MIT */
#include <arch/cpu.h>
#include <arch/desc.h>
#include <arch/trap.h>
#include <arch/vdso.h>

#include "kernel/base/kasan.h"
#include "kernel/base/string.h"

#define NR_GDT (VDSO_CPU_SELECTOR / 8 + 1)

#define GDT_CODE64(dpl) (0x00af9b000000ffffUL | ((u64)(dpl) << 45))
#define GDT_DATA(dpl)	(0x00cf93000000ffffUL | ((u64)(dpl) << 45))
/* Read-only, in bytes; what matters is the limit, which has 20 bits: SDM volume 3A, 3.4.5. */
#define GDT_NUMBER(n) (0x0040f10000000000UL | ((u64)(n)&0xffff) | ((u64)(n) >> 16 & 0xf) << 48)

DEFINE_PER_CPU(struct tss, cpu_tss);
DEFINE_PER_CPU(unsigned long, cpu_kernel_sp);
static DEFINE_PER_CPU(u64, cpu_gdt)[NR_GDT];

/* The boot processor's: it needs them before there is memory to allocate. */
static u8 boot_ist_stacks[NR_IST][IST_STACK_SIZE] __aligned(16);
static DEFINE_PER_CPU(void *, ist_stacks)[NR_IST];

DEFINE_PER_CPU(unsigned long, irq_counts)[256];
static struct idt_gate idt[256] __aligned(16);

struct table_ptr {
	u16 limit;
	u64 base;
} __packed;

/* Programs learn from it which processor they are on, with both of the ways there are. */
static void set_cpu_number(u64 *gdt)
{
	u32 where = (u32)smp_processor_id(); /* of node 0: there is one */

	gdt[VDSO_CPU_SELECTOR / 8] = GDT_NUMBER(where);
	if (cpu_features.rdtscp)
		wrmsr(MSR_TSC_AUX, where);
}

void gdt_set_ist_stack(unsigned int cpu, unsigned int ist, void *stack)
{
	(*per_cpu_ptr(&ist_stacks, cpu))[ist - 1] = stack;
}

/* Above each stack's first frame stands this CPU's GS base, for who can't trust the register. */
static void set_ist(struct tss *tss)
{
	for (int i = 0; i < NR_IST; i++) {
		u8 *stack = (*this_cpu_ptr(&ist_stacks))[i];
		u64 *top = (u64 *)((stack ?: boot_ist_stacks[i]) + IST_STACK_SIZE - 16);

		*top = this_cpu_read(this_cpu_off);
		tss->ist[i] = (u64)top;
	}
}

void gdt_init(void)
{
	u64 *gdt = *this_cpu_ptr(&cpu_gdt);
	struct tss *tss = this_cpu_ptr(&cpu_tss);
	struct table_ptr ptr = { sizeof(cpu_gdt) - 1, (u64)gdt };
	u64 base = (u64)tss;

	gdt[KERNEL_CS / 8] = GDT_CODE64(0);
	gdt[KERNEL_DS / 8] = GDT_DATA(0);
	/*
	 * The slot of USER32_CS stays empty: SYSRET only computes with the number, and a program that
	 * could reach 32-bit code would find SYSCALL instructions with other rules there.
	 */
	gdt[USER_DS / 8] = GDT_DATA(3);
	gdt[USER_CS / 8] = GDT_CODE64(3);
	set_cpu_number(gdt);
	/* A 64-bit TSS descriptor takes two slots: SDM volume 3A, figure 7-4. */
	gdt[TSS_SELECTOR / 8] = (sizeof(*tss) - 1) | (base & 0xffffff) << 16 | 0x89UL << 40 |
				(base >> 24 & 0xff) << 56;
	gdt[TSS_SELECTOR / 8 + 1] = base >> 32;

	set_ist(tss);
	tss->iomap_base = sizeof(*tss);

	__asm__ volatile("lgdt %0" : : "m"(ptr));
	__asm__ volatile("pushq %0\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\n\t"
			 "movl %1, %%ss\n\t"
			 "movl %2, %%ds\n\t"
			 "movl %2, %%es\n\t"
			 "lldt %w2\n\t" /* none: after reset it would be memory from 0 on */
			 "ltr %w3"
			 :
			 : "i"(KERNEL_CS), "r"(KERNEL_DS), "r"(0), "r"(TSS_SELECTOR)
			 : "rax", "memory");
}

void idt_set_gate(unsigned int vector, const void *entry, unsigned int ist, bool user)
{
	u64 addr = (u64)entry;

	idt[vector] = (struct idt_gate){
		.offset_low = (u16)addr,
		.selector = KERNEL_CS,
		.ist = (u8)ist,
		.type = user ? 0xee : 0x8e, /* interrupt gate, present, DPL */
		.offset_mid = (u16)(addr >> 16),
		.offset_high = (u32)(addr >> 32),
	};
}

void idt_load(void)
{
	struct table_ptr ptr = { sizeof(idt) - 1, (u64)idt };

	__asm__ volatile("lidt %0" : : "m"(ptr));
}

void set_kernel_stack(unsigned long top)
{
	this_cpu_write(cpu_kernel_sp, top);
	kasan_set_stack_top(top);
	this_cpu_ptr(&cpu_tss)->rsp[0] = top;
}
