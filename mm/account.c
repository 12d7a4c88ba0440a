/* SPDX-License-Identifier: MIT */
/* What an address space counts, what limits it, and whether memory promised can be promised. */
#include "kernel/abi/mman.h"
#include "mm/internal.h"
#include "mm/sysctl.h"

int sysctl_max_map_count = 65530;
int sysctl_overcommit_memory = OVERCOMMIT_GUESS;
int sysctl_overcommit_ratio = 50;
unsigned long sysctl_overcommit_kbytes;
unsigned long sysctl_user_reserve_kbytes;
unsigned long sysctl_admin_reserve_kbytes;
unsigned long sysctl_mmap_min_addr = 65536;
int sysctl_legacy_va_layout;

static atomic_long_t vm_committed;

unsigned long task_rlimit(enum mm_rlimit_kind kind)
{
	struct task_mm *task = current_mm_task();

	return task && task->rlimits ? READ_ONCE(task->rlimits[kind].cur) : MM_RLIM_INFINITY;
}

static unsigned long task_rlimit_max(enum mm_rlimit_kind kind)
{
	struct task_mm *task = current_mm_task();

	return task && task->rlimits ? READ_ONCE(task->rlimits[kind].max) : MM_RLIM_INFINITY;
}

bool task_capable(int cap)
{
	struct task_mm *task = current_mm_task();

	return !task || !task->capable || task->capable(task, cap);
}

bool task_has_personality(unsigned long flag)
{
	struct task_mm *task = current_mm_task();

	return task && (task->personality & flag);
}

/* --- counts -------------------------------------------------------------------------------------- */

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

/* --- limits ---------------------------------------------------------------------------------------- */

bool may_expand_vm(const struct mm_struct *mm, u64 vm_flags, unsigned long pages)
{
	unsigned long data = mm->data_vm + pages;

	if (mm->total_vm + pages > task_rlimit(MM_RLIMIT_AS) >> PAGE_SHIFT)
		return false;
	if (!is_data(vm_flags) || data <= task_rlimit(MM_RLIMIT_DATA) >> PAGE_SHIFT)
		return true;
	/* A soft limit of 0 is what tools set that mean "no brk": mappings go up to the hard limit. */
	return task_rlimit(MM_RLIMIT_DATA) == 0 &&
	       data <= task_rlimit_max(MM_RLIMIT_DATA) >> PAGE_SHIFT;
}

bool can_do_mlock(void)
{
	return task_rlimit(MM_RLIMIT_MEMLOCK) != 0 || task_capable(CAP_IPC_LOCK);
}

int mlock_future_check(const struct mm_struct *mm, u64 vm_flags, unsigned long len)
{
	unsigned long locked = mm->locked_vm + (len >> PAGE_SHIFT);

	if (!(vm_flags & VM_LOCKED) || locked <= task_rlimit(MM_RLIMIT_MEMLOCK) >> PAGE_SHIFT ||
	    task_capable(CAP_IPC_LOCK))
		return 0;
	return -EAGAIN;
}

/* --- promises: vm.overcommit_memory ------------------------------------------------------------------ */

bool accountable_mapping(u64 vm_flags)
{
	return (vm_flags & (VM_NORESERVE | VM_SHARED | VM_WRITE)) == VM_WRITE;
}

void vm_acct_memory(unsigned long pages)
{
	atomic_long_add(&vm_committed, (long)pages);
}

void vm_unacct_memory(unsigned long pages)
{
	atomic_long_add(&vm_committed, -(long)pages);
}

long vm_committed_pages(void)
{
	return atomic_long_read(&vm_committed);
}

unsigned long vm_commit_limit(void)
{
	const unsigned long kb = READ_ONCE(sysctl_overcommit_kbytes);

	if (kb)
		return kb >> (PAGE_SHIFT - 10);
	/* A negative ratio makes a huge number, as in Linux. */
	return totalram_pages() * (unsigned long)sysctl_overcommit_ratio / 100;
}

#define KB_TO_PAGES(kb) ((long)((kb) >> (PAGE_SHIFT - 10)))

/* Mode 2: all promises together stay below the limit, less what is kept for getting out of trouble. */
static bool strict_allows(const struct mm_struct *mm)
{
	long allowed = (long)vm_commit_limit();

	if (!task_capable(CAP_SYS_ADMIN))
		allowed -= KB_TO_PAGES(sysctl_admin_reserve_kbytes);
	/* So that one process can't promise away all there is. */
	if (mm)
		allowed -= min((long)(mm->total_vm / 32), KB_TO_PAGES(sysctl_user_reserve_kbytes));
	return vm_committed_pages() < allowed;
}

int vm_enough_memory(const struct mm_struct *mm, unsigned long pages)
{
	bool enough = true;

	/* First promised, then looked at: of two that come together both may be refused, but never let in. */
	vm_acct_memory(pages);
	switch (READ_ONCE(sysctl_overcommit_memory)) {
	case OVERCOMMIT_GUESS: /* only what could never be there is refused */
		enough = pages <= totalram_pages();
		break;
	case OVERCOMMIT_NEVER:
		enough = strict_allows(mm);
		break;
	}
	if (enough)
		return 0;
	vm_unacct_memory(pages);
	return -ENOMEM;
}

void account_init(void)
{
	unsigned long free_kb = nr_free_pages() << (PAGE_SHIFT - 10);

	sysctl_user_reserve_kbytes = min(free_kb / 32, 128UL << 10);
	sysctl_admin_reserve_kbytes = min(free_kb / 32, 8UL << 10);
}
