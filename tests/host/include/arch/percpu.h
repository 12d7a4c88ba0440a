/* SPDX-License-Identifier: MIT */
/* Per-CPU variables on the host. The kernel's code runs on one processor, whose copy is the variable. */
#ifndef ARCH_PERCPU_H
#define ARCH_PERCPU_H

#include "kernel/base/compiler.h"

#define NR_CPUS 8

#define DEFINE_PER_CPU(type, name)  __typeof__(type) name
#define DECLARE_PER_CPU(type, name) extern __typeof__(type) name

#define per_cpu_ptr(ptr, cpu) ((void)(cpu), (ptr))
#define this_cpu_ptr(ptr)     (ptr)

#define this_cpu_read(name)	  (name)
#define this_cpu_write(name, val) ((void)((name) = (val)))
#define this_cpu_add(name, val)	  ((void)((name) += (val)))
#define this_cpu_inc(name)	  this_cpu_add(name, 1)

#define smp_processor_id() 0

#endif
