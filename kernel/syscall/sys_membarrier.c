/* SPDX-License-Identifier: MIT */
/*
 * membarrier(2): one thread has all others pass a memory barrier, so that they need none on their fast path.
 *
 *	the caller                            another thread of it
 *	  full barrier                          load: sets its processor's bit in ctx->cpus
 *	  read ctx->cpus                        full barrier: CR3 is loaded
 *	  interrupt those, and wait             back in the program
 *
 * As with a flushed TLB (arch/x86_64/low/tlb.c), either the mask has who runs, and the interrupt is its
 * barrier, or who comes later passes one by coming. Both are what the SDM calls serializing, too: IRET
 * and the load of CR3 (volume 3A, section 9.3), which is all that SYNC_CORE asks for.
 */
#include <arch/smp.h>

#include "kernel/abi/membarrier.h"
#include "kernel/base/errno.h"
#include "kernel/process/task.h"
#include "kernel/sync/rcu.h"

/* mm->membarrier */
#define READY_PRIVATE	BIT(0)
#define READY_SYNC_CORE BIT(1)
#define READY_GLOBAL	BIT(2)

static void barrier_here(void *arg)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void barrier_on(const cpumask_t *mask)
{
	cpu_bits_t others;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	others = cpumask_bits(mask) & ~BIT((unsigned int)smp_processor_id());
	if (others)
		smp_call_function_many(others, barrier_here, NULL);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static long barrier_private(struct mm_struct *mm, u8 ready)
{
	if (!(__atomic_load_n(&mm->membarrier, __ATOMIC_RELAXED) & ready))
		return -EPERM;
	barrier_on(&mm->context.cpus);
	return 0;
}

static long get_ready(struct mm_struct *mm, u8 ready)
{
	__atomic_or_fetch(&mm->membarrier, ready, __ATOMIC_SEQ_CST);
	return 0;
}

long sys_membarrier(int cmd, unsigned int flags, int cpu)
{
	struct mm_struct *mm = current->mm_part.mm;

	if (flags)
		return -EINVAL;
	switch (cmd) {
	case MEMBARRIER_CMD_QUERY:
		return 2 * MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE - 1;
	case MEMBARRIER_CMD_GLOBAL:
		/* Slow and without interrupts: every processor switches, or is found in its program. */
		synchronize_rcu();
		return 0;
	case MEMBARRIER_CMD_GLOBAL_EXPEDITED:
		/* Those that run nobody who is registered are interrupted as well: it costs them little. */
		barrier_on(&cpu_online_mask);
		return 0;
	case MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED:
		return get_ready(mm, READY_GLOBAL);
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
		return barrier_private(mm, READY_PRIVATE);
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
		return get_ready(mm, READY_PRIVATE);
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE:
		return barrier_private(mm, READY_SYNC_CORE);
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
		return get_ready(mm, READY_SYNC_CORE | READY_PRIVATE);
	}
	return -EINVAL;
}
