/* SPDX-License-Identifier: MIT */
/* What an address space counts, what limits it, and whether memory promised can be promised. */
#include "kernel/abi/mman.h"
#include "mm/internal.h"

unsigned int sysctl_max_map_count = 65530;
static atomic_long_t vm_committed;

unsigned long task_rlimit(enum mm_rlimit_kind kind)
{
	struct task_mm *task = current_mm_task();

	return task && task->rlimits ? READ_ONCE(task->rlimits[kind].cur) : MM_RLIM_INFINITY;
}

bool task_capable(int cap)
{
	struct task_mm *task = current_mm_task();

	return !task || !task->capable || task->capable(task, cap);
}

/* Private writable memory that is no stack: what RLIMIT_DATA limits. */
static bool is_data(u64 flags)
{
	return (flags & (VM_WRITE | VM_SHARED | VM_GROWSDOWN)) == VM_WRITE;
}

static bool is_exec(u64 flags)
{
	return (flags & (VM_EXEC | VM_WRITE | VM_GROWSDOWN)) == VM_EXEC;
}

void vm_stat_account(struct mm_struct *mm, u64 vm_flags, long pages)
{
	mm->total_vm += (unsigned long)pages;
	if (is_exec(vm_flags))
		mm->exec_vm += (unsigned long)pages;
	else if (vm_flags & VM_GROWSDOWN)
		mm->stack_vm += (unsigned long)pages;
	else if (is_data(vm_flags))
		mm->data_vm += (unsigned long)pages;
	if (vm_flags & VM_LOCKED)
		mm->locked_vm += (unsigned long)pages;
	mm->hiwater_vm = max(mm->hiwater_vm, mm->total_vm);
}

bool may_expand_vm(const struct mm_struct *mm, u64 vm_flags, unsigned long pages)
{
	if (mm->total_vm + pages > task_rlimit(MM_RLIMIT_AS) >> PAGE_SHIFT)
		return false;
	if (is_data(vm_flags) && mm->data_vm + pages > task_rlimit(MM_RLIMIT_DATA) >> PAGE_SHIFT)
		return false;
	return true;
}

/*
 * Promises `pages` of memory. The heuristic mode (vm.overcommit_memory 0): only what could never be
 * there is refused. 0 or -ENOMEM.
 */
int vm_enough_memory(unsigned long pages)
{
	if (pages > totalram_pages())
		return -ENOMEM;
	atomic_long_add(&vm_committed, (long)pages);
	return 0;
}

void vm_unacct_memory(unsigned long pages)
{
	atomic_long_add(&vm_committed, -(long)pages);
}

long vm_committed_pages(void)
{
	return atomic_long_read(&vm_committed);
}

bool accountable_mapping(u64 vm_flags)
{
	return (vm_flags & (VM_NORESERVE | VM_SHARED | VM_WRITE)) == VM_WRITE;
}
