/* SPDX-License-Identifier: MIT */
#include <arch/percpu.h>

DEFINE_PER_CPU(unsigned long, this_cpu_off);
DEFINE_PER_CPU(int, cpu_number);
unsigned long per_cpu_offset[NR_CPUS];
