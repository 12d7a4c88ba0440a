/* SPDX-License-Identifier: MIT */
/* Interrupts between processors. */
#include <arch/smp.h>

#include <arch/asm.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/lapic.h>

#include "kernel/base/panic.h"

cpumask_t cpu_online_mask = { { 1 } };

static u32 apic_ids[NR_CPUS];

void smp_set_apic_id(unsigned int cpu, u32 apic_id)
{
	apic_ids[cpu] = apic_id;
}

u32 smp_apic_id(unsigned int cpu)
{
	return apic_ids[cpu];
}

static cpu_bits_t all_but_self(cpu_bits_t cpus)
{
	return cpus & ~BIT((unsigned int)smp_processor_id());
}

void smp_send_ipi_many(cpu_bits_t cpus, u8 vector)
{
	unsigned int cpu;

	cpus = all_but_self(cpus);
	for_each_cpu_bit(cpu, cpus) lapic_send_ipi(apic_ids[cpu], vector);
}

void smp_send_reschedule(unsigned int cpu)
{
	/* Whoever is interrupted here looks at it on its way back as it is. */
	if (cpu != (unsigned int)smp_processor_id())
		lapic_send_ipi(apic_ids[cpu], VECTOR_RESCHED);
}

void smp_resched_irq(void)
{
	lapic_eoi();
}

/* --- calls ----------------------------------------------------------------------------------------- */

/*
 * One call is on the caller's stack, with a node for each processor it is for. A processor has a list of
 * what it is to call, without a lock: anyone puts a node in front, the processor takes all. Who finds the
 * list empty sends the interrupt; the others' calls are seen by the same one.
 */
struct call {
	void (*fn)(void *arg);
	void *arg;
	unsigned int pending; /* processors that have not returned from fn */
};

struct call_node {
	struct call_node *next;
	struct call *call;
};

static DEFINE_PER_CPU(struct call_node *, call_list);

/* True when the list was empty. */
static bool add_call(unsigned int cpu, struct call_node *node)
{
	struct call_node **list = per_cpu_ptr(&call_list, cpu);
	struct call_node *first = READ_ONCE(*list);

	do
		WRITE_ONCE(node->next, first);
	while (!__atomic_compare_exchange_n(list, &first, node, false, __ATOMIC_SEQ_CST,
					    __ATOMIC_RELAXED));
	return !first;
}

void smp_call_irq(void)
{
	struct call_node *node;

	/* Acknowledged first: what is added after the list was taken interrupts again. */
	lapic_eoi();
	node = __atomic_exchange_n(this_cpu_ptr(&call_list), NULL, __ATOMIC_SEQ_CST);
	while (node) {
		struct call_node *next = node->next;
		struct call *call = node->call;

		call->fn(call->arg);
		/* With this the caller may go on, and node and call are no more. */
		__atomic_fetch_sub(&call->pending, 1, __ATOMIC_RELEASE);
		node = next;
	}
}

void smp_call_function_many(cpu_bits_t cpus, void (*fn)(void *), void *arg)
{
	struct call_node nodes[NR_CPUS];
	struct call call = { .fn = fn, .arg = arg };
	cpu_bits_t interrupt = 0;
	unsigned int cpu;

	cpus = all_but_self(cpus);
	if (!cpus)
		return;
	DEBUG_ON(irqs_disabled());
	call.pending = cpu_bits_weight(cpus);
	for_each_cpu_bit(cpu, cpus)
	{
		nodes[cpu].call = &call;
		if (add_call(cpu, &nodes[cpu]))
			interrupt |= BIT(cpu);
	}
	smp_send_ipi_many(interrupt, VECTOR_CALL);
	while (__atomic_load_n(&call.pending, __ATOMIC_ACQUIRE))
		cpu_relax();
}

/* --- stopping ---------------------------------------------------------------------------------------- */

/* A host that is busy may leave a processor without time for long, which then takes no NMI either. */
#define STOP_NS 10000000000UL

DEFINE_PER_CPU(struct smp_stopped, smp_stopped);
static cpumask_t to_stop, stopped;

void smp_stop_others(void)
{
	cpu_bits_t others = all_but_self(cpumask_bits(&cpu_online_mask));
	cpu_bits_t rest = others;
	unsigned int cpu;

	for_each_cpu_bit(cpu, rest)
	{
		cpumask_set_cpu(cpu, &to_stop);
		lapic_send_nmi(apic_ids[cpu]);
	}
	for (u64 start = clock_ns(); cpumask_bits(&stopped) != others;) {
		if (clock_ns() - start >= STOP_NS)
			break;
		cpu_relax();
	}
}

void smp_stop_self(const struct pt_regs *regs)
{
	unsigned int cpu = (unsigned int)smp_processor_id();

	if (!cpumask_test_cpu(cpu, &to_stop))
		return;
	*this_cpu_ptr(&smp_stopped) = (struct smp_stopped){ regs, read_cr2(), read_cr3() };
	cpumask_set_cpu(cpu, &stopped);
	/* Within an NMI no other comes, and whatever else comes is off. */
	for (;;)
		cpu_relax();
}
