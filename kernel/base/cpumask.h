/* SPDX-License-Identifier: MIT */
/* Sets of processors: one bit each, in one word, changed by one instruction. */
#ifndef KERNEL_BASE_CPUMASK_H
#define KERNEL_BASE_CPUMASK_H

#include <arch/percpu.h>

#include "kernel/base/atomic.h"

typedef struct {
	atomic_long_t bits;
} cpumask_t;

/* A set as it was at one moment: bit n for processor n. */
typedef unsigned long cpu_bits_t;

/* Who finds a bit cleared sees all that its processor did before it cleared the bit. */
static inline cpu_bits_t cpumask_bits(const cpumask_t *mask)
{
	return (cpu_bits_t)__atomic_load_n(&mask->bits.v, __ATOMIC_ACQUIRE);
}

/* Both are full barriers. */
static inline void cpumask_set_cpu(unsigned int cpu, cpumask_t *mask)
{
	__atomic_fetch_or(&mask->bits.v, (long)BIT(cpu), __ATOMIC_SEQ_CST);
}

static inline void cpumask_clear_cpu(unsigned int cpu, cpumask_t *mask)
{
	__atomic_fetch_and(&mask->bits.v, ~(long)BIT(cpu), __ATOMIC_SEQ_CST);
}

static inline bool cpumask_test_cpu(unsigned int cpu, const cpumask_t *mask)
{
	return cpumask_bits(mask) & BIT(cpu);
}

/* Goes through a cpu_bits_t; bits is an lvalue of its own and empty afterwards. */
#define for_each_cpu_bit(cpu, bits) \
	for (; (bits) && ((cpu) = (unsigned int)__builtin_ctzl(bits), true); (bits) &= (bits)-1)

/* The processors that run: those that have per-CPU variables and take interrupts. Never shrinks. */
extern cpumask_t cpu_online_mask;

#define for_each_online_cpu(cpu)                                                 \
	for (cpu_bits_t foc_bits = cpumask_bits(&cpu_online_mask);               \
	     foc_bits && ((cpu) = (unsigned int)__builtin_ctzl(foc_bits), true); \
	     foc_bits &= foc_bits - 1)

/* How many. (The compiler's popcount may be a call into its own library.) */
static inline unsigned int cpu_bits_weight(cpu_bits_t bits)
{
	unsigned int n = 0;

	for (; bits; bits &= bits - 1)
		n++;
	return n;
}

static inline unsigned int num_online_cpus(void)
{
	return cpu_bits_weight(cpumask_bits(&cpu_online_mask));
}

#endif
