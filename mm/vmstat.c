/* SPDX-License-Identifier: MIT */
#include "mm/vmstat.h"

#include "kernel/base/cpumask.h"

DEFINE_PER_CPU(unsigned long, vm_events)[NR_VM_EVENTS];

static const char *const names[NR_VM_EVENTS] = {
	[PGLAZYFREE] = "pglazyfree",
	[PGFAULT] = "pgfault",
	[PGMAJFAULT] = "pgmajfault",
	[VMACACHE_FIND_CALLS] = "vmacache_find_calls",
	[VMACACHE_FIND_HITS] = "vmacache_find_hits",
	[MREMAP_MOVED_PUD] = "mremap_moved_pud",
	[MREMAP_MOVED_PMD] = "mremap_moved_pmd",
	[MREMAP_MOVED_PTE] = "mremap_moved_pte",
	[VMA_VISITED] = "vma_visited",
	[OOM_KILL] = "oom_kill",
	[VMA_LOCK_SUCCESS] = "vma_lock_success",
	[VMA_LOCK_ABORT] = "vma_lock_abort",
	[VMA_LOCK_RETRY] = "vma_lock_retry",
	[VMA_LOCK_MISS] = "vma_lock_miss",
};

const char *vm_event_name(enum vm_event event)
{
	return names[event];
}

unsigned long vm_event_count(enum vm_event event)
{
	unsigned long n = 0;
	unsigned int cpu;

	for_each_online_cpu(cpu) n += READ_ONCE(*per_cpu_ptr(&vm_events[event], cpu));
	return n;
}
