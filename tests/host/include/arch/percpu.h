/* SPDX-License-Identifier: MIT */
/*
 * Per-CPU variables on the host. The linker gathers them in one section, which is the first processor's
 * copy; the others have theirs from before main() on: support/sim_percpu.c. Which processor a thread of the
 * host program is, is the thread's own: sim_set_cpu().
 */
#ifndef ARCH_PERCPU_H
#define ARCH_PERCPU_H

#include "kernel/base/compiler.h"

#define NR_CPUS 8

#define DEFINE_PER_CPU(type, name)  __section("percpu") __typeof__(type) name
#define DECLARE_PER_CPU(type, name) extern __section("percpu") __typeof__(type) name

extern unsigned long per_cpu_offset[NR_CPUS];
extern __thread unsigned int sim_this_cpu;

#define per_cpu_ptr(ptr, cpu) ((__typeof__(ptr))((unsigned long)(ptr) + per_cpu_offset[cpu]))
#define this_cpu_ptr(ptr)     per_cpu_ptr(ptr, sim_this_cpu)

#define this_cpu_read(name)	  (*this_cpu_ptr(&(name)))
#define this_cpu_write(name, val) ((void)(*this_cpu_ptr(&(name)) = (val)))
/* One instruction: an interrupt comes before it, or after. */
#define this_cpu_add(name, val) \
	((void)__atomic_fetch_add(this_cpu_ptr(&(name)), (val), __ATOMIC_RELAXED))
#define this_cpu_inc(name) this_cpu_add(name, 1)

#define smp_processor_id() ((int)sim_this_cpu)

#endif
