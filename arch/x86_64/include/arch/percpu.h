/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU variables. They are linked at addresses from 0 on, and in the kernel the GS base of each
 * processor is the address of its own copy: %gs:name is one processor's variable, in one
 * instruction, without knowing which processor it is.
 *
 * The kernel isn't preempted, so a task stays on its processor until it sleeps or faults. Who shares the
 * variable with an interrupt handler turns interrupts off between two accesses.
 */
#ifndef ARCH_PERCPU_H
#define ARCH_PERCPU_H

#include "kernel/base/compiler.h"

#define NR_CPUS 8

#define DEFINE_PER_CPU(type, name)  __section(".percpu") __typeof__(type) name
#define DECLARE_PER_CPU(type, name) extern __section(".percpu") __typeof__(type) name

DECLARE_PER_CPU(unsigned long, this_cpu_off);
DECLARE_PER_CPU(int, cpu_number);

extern unsigned long per_cpu_offset[NR_CPUS];

#define per_cpu_ptr(ptr, cpu) ((__typeof__(ptr))((unsigned long)(ptr) + per_cpu_offset[cpu]))

#define this_cpu_ptr(ptr)                                                                   \
	({                                                                                  \
		unsigned long tcp_off;                                                      \
		__asm__ volatile("movq %%gs:%c1, %0" : "=r"(tcp_off) : "i"(&this_cpu_off)); \
		(__typeof__(ptr))((unsigned long)(ptr) + tcp_off);                          \
	})

/* Reads, writes and adds to a variable of 4 or 8 bytes in one instruction. */
#define this_cpu_read(name)                                                      \
	({                                                                       \
		__typeof__(name) tcr_v;                                          \
		__asm__ volatile("mov %%gs:%c1, %0" : "=r"(tcr_v) : "i"(&name)); \
		tcr_v;                                                           \
	})
#define this_cpu_write(name, val) \
	__asm__ volatile("mov %0, %%gs:%c1" : : "r"((__typeof__(name))(val)), "i"(&name) : "memory")
#define this_cpu_add(name, val)                                     \
	__asm__ volatile("add %0, %%gs:%c1"                         \
			 :                                          \
			 : "r"((__typeof__(name))(val)), "i"(&name) \
			 : "memory", "cc")
#define this_cpu_inc(name) this_cpu_add(name, 1)

#define smp_processor_id() this_cpu_read(cpu_number)

#endif
