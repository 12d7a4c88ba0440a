/* SPDX-License-Identifier: MIT */
/* Per-CPU variables of the simulated processors. */
#include <string.h>

#include "kernel/base/cpumask.h"
#include "kernel/base/panic.h"
#include "tests/host/sim.h"

unsigned long per_cpu_offset[NR_CPUS];
__thread unsigned int sim_this_cpu;
cpumask_t cpu_online_mask = { { BIT(SIM_NR_CPUS) - 1 } };

/* The linker's: where the section begins and ends. */
extern char __start_percpu[], __stop_percpu[];

static char percpu_areas[NR_CPUS][1 << 16] __aligned(64);

/* Before other constructors set some of them. */
static __attribute__((constructor(200))) void make_percpu_areas(void)
{
	size_t size = (size_t)(__stop_percpu - __start_percpu);

	BUG_ON(size > sizeof(percpu_areas[0]));
	for (int cpu = 1; cpu < NR_CPUS; cpu++) {
		memcpy(percpu_areas[cpu], __start_percpu, size);
		per_cpu_offset[cpu] =
			(unsigned long)percpu_areas[cpu] - (unsigned long)__start_percpu;
	}
}
