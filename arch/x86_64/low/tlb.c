/* SPDX-License-Identifier: MIT */
/*
 * The TLB of many processors. An entry is changed first, then everyone who may have it cached forgets
 * it, then what it led to may be used for something else:
 *
 *	who flushes                           who comes                      who leaves
 *	  write the entry                       set own bit in ctx->cpus       load another CR3
 *	  full barrier                          full barrier                   clear own bit
 *	  read ctx->cpus                        load CR3; walk
 *	  interrupt those, and wait
 *
 * Either the mask has who comes, or who comes finds the new entry. Loading and the mask's change are
 * one step to the interrupt, since it is off meanwhile.
 */
#include <arch/tlb.h>

#include <arch/cpu.h>
#include <arch/mmu.h>
#include <arch/smp.h>

#include "kernel/base/panic.h"
#include "kernel/base/trace.h"

struct tlb_state {
	struct mm_context *loaded; /* CR3 is its pgd; NULL: kernel_pgd */
	bool lazy;		   /* and nobody here needs it */
};

static DEFINE_PER_CPU(struct tlb_state, tlb_state);
static DEFINE_PER_CPU(unsigned long, tlb_events)[NR_TLB_EVENTS];

/* --- what is loaded ------------------------------------------------------------------------------ */

/* => interrupts off */
static void load(struct tlb_state *state, struct mm_context *next)
{
	unsigned int cpu = (unsigned int)smp_processor_id();
	struct mm_context *prev = state->loaded;

	if (next)
		cpumask_set_cpu(cpu, &next->cpus);
	state->loaded = next;
	mmu_load_pgd(next ? next->pgd : kernel_pgd);
	/* From here on prev may be freed by who finds the mask empty. */
	if (prev)
		cpumask_clear_cpu(cpu, &prev->cpus);
}

void switch_mm(struct mm_context *next)
{
	struct tlb_state *state = this_cpu_ptr(&tlb_state);

	DEBUG_ON(!irqs_disabled());
	state->lazy = false;
	if (state->loaded != next)
		load(state, next);
}

void enter_lazy_tlb(void)
{
	DEBUG_ON(!irqs_disabled());
	this_cpu_ptr(&tlb_state)->lazy = true;
}

/* --- forgetting ---------------------------------------------------------------------------------- */

struct flush {
	struct mm_context *ctx; /* NULL: the kernel's half */
	unsigned long start, end;
};

/* Whether so much is to be forgotten that all is. */
static bool is_full(const struct flush *f)
{
	return f->end - f->start > TLB_FLUSH_ALL_PAGES << PAGE_SHIFT;
}

/* As the trace names it. */
#define TRACE_FLUSH_LOCAL 4
static unsigned int flush_kind(const struct flush *f)
{
	return (f->ctx ? 0 : 2) + is_full(f);
}

static inline void forget(const struct flush *f)
{
	if (!is_full(f)) {
		this_cpu_add(tlb_events[NR_TLB_LOCAL_FLUSH_ONE], (f->end - f->start) >> PAGE_SHIFT);
		/* Of the paging-structure caches, each INVLPG drops everything. */
		for (unsigned long addr = f->start; addr < f->end; addr += PAGE_SIZE)
			mmu_invlpg(addr);
		return;
	}
	this_cpu_inc(tlb_events[NR_TLB_LOCAL_FLUSH_ALL]);
	if (f->ctx)
		mmu_load_pgd(f->ctx->pgd);
	else
		mmu_flush_global();
}

/*
 * A processor that keeps the address space for nobody is better off without it than flushing it. If somebody
 * else's interrupt has made it leave since the caller looked, it may not be loaded again.
 */
static void leave_lazy(const struct mm_context *ctx)
{
	struct tlb_state *state = this_cpu_ptr(&tlb_state);
	unsigned long flags = local_irq_save();

	if (state->loaded == ctx) {
		this_cpu_inc(tlb_events[NR_TLB_LOCAL_FLUSH_ALL]);
		load(state, NULL);
	}
	local_irq_restore(flags);
}

static inline void flush_here(const struct flush *f)
{
	if (f->ctx) {
		const struct tlb_state *state = this_cpu_ptr(&tlb_state);

		if (state->loaded != f->ctx)
			return;
		if (unlikely(state->lazy)) {
			leave_lazy(f->ctx);
			return;
		}
	}
	forget(f);
}

static void flush_interrupt(void *arg)
{
	this_cpu_inc(tlb_events[NR_TLB_REMOTE_FLUSH_RECEIVED]);
	flush_here(arg);
}

static inline void flush_on(cpu_bits_t cpus, struct flush *f)
{
	cpu_bits_t others = cpus & ~BIT((unsigned int)smp_processor_id());

	trace(TLB_FLUSH, flush_kind(f), f->start, f->end, cpu_bits_weight(others));
	flush_here(f);
	if (likely(!others))
		return;
	/* Two that wait for each other must answer each other. */
	DEBUG_ON(irqs_disabled());
	if (f->ctx)
		this_cpu_inc(tlb_events[NR_TLB_REMOTE_FLUSH]);
	smp_call_function_many(others, flush_interrupt, f);
}

void tlb_flush_range(struct mm_context *ctx, unsigned long start, unsigned long end)
{
	struct flush f = { ctx, start, end };

	DEBUG_ON(start >= end || ((start | end) & ~PAGE_MASK));
	/* The entries were written before it is asked who may have them: see above. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	flush_on(cpumask_bits(&ctx->cpus), &f);
}

void tlb_flush_mm(struct mm_context *ctx)
{
	tlb_flush_range(ctx, 0, TASK_SIZE);
}

static noinline TRACE_CALL void trace_local_flush(unsigned long addr)
{
	trace(TLB_FLUSH, TRACE_FLUSH_LOCAL, addr, addr + PAGE_SIZE, 0);
}

void tlb_flush_page_local(unsigned long addr)
{
	mmu_invlpg(addr);
	if (trace_on(TLB_FLUSH))
		trace_local_flush(addr);
}

void tlb_flush_kernel_range(unsigned long start, unsigned long end)
{
	struct flush f = { NULL, start, end };

	/* A new processor loads kernel_pgd after this, or is in the mask: it sets its bit before. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	flush_on(cpumask_bits(&cpu_online_mask), &f);
}

/* --- counts -------------------------------------------------------------------------------------- */

const char *tlb_event_name(enum tlb_event event)
{
	static const char *const names[NR_TLB_EVENTS] = {
		[NR_TLB_REMOTE_FLUSH] = "nr_tlb_remote_flush",
		[NR_TLB_REMOTE_FLUSH_RECEIVED] = "nr_tlb_remote_flush_received",
		[NR_TLB_LOCAL_FLUSH_ALL] = "nr_tlb_local_flush_all",
		[NR_TLB_LOCAL_FLUSH_ONE] = "nr_tlb_local_flush_one",
	};

	return names[event];
}

unsigned long tlb_event_count(enum tlb_event event)
{
	unsigned long n = 0;
	unsigned int cpu;

	for_each_online_cpu(cpu) n += READ_ONCE(*per_cpu_ptr(&tlb_events[event], cpu));
	return n;
}
