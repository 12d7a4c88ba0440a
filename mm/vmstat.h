/* SPDX-License-Identifier: MIT */
/* Counters of what mm did, for /proc/vmstat. Cheap: one instruction each, per CPU. */
#ifndef MM_VMSTAT_H
#define MM_VMSTAT_H

#include <arch/percpu.h>

#include "kernel/base/atomic.h"

enum vm_event {
	PGLAZYFREE, /* pages given up by MADV_FREE */
	PGFAULT,
	PGMAJFAULT,
	VMACACHE_FIND_CALLS,
	VMACACHE_FIND_HITS,
	MREMAP_MOVED_PUD, /* mremap moved a whole table of 1 GiB */
	MREMAP_MOVED_PMD, /* of 2 MiB */
	MREMAP_MOVED_PTE, /* a single entry */
	VMA_VISITED,	  /* areas looked at to find one, or a gap */
	OOM_KILL,
	VMA_LOCK_SUCCESS, /* faults resolved under their area's lock alone */
	VMA_LOCK_ABORT,	  /* looked up under mmap_lock: no such area, or somebody changed it */
	VMA_LOCK_RETRY,	  /* begun under the area's lock, and done once more under mmap_lock */
	VMA_LOCK_MISS,	  /* as ABORT: it was another area by the time it was locked */
	NR_VM_EVENTS,
};

DECLARE_PER_CPU(unsigned long, vm_events)[NR_VM_EVENTS];

#define count_vm_event(event)	  this_cpu_inc(vm_events[event])
#define count_vm_events(event, n) this_cpu_add(vm_events[event], (unsigned long)(n))

/* An event's name as /proc/vmstat shows it, and its count over all CPUs. */
const char *vm_event_name(enum vm_event event);
unsigned long vm_event_count(enum vm_event event);

/* Now in use: tables that programs' tables consist of, top levels excepted; stacks of tasks, in bytes. */
extern atomic_long_t nr_page_table_pages, kernel_stack_bytes;

#endif
