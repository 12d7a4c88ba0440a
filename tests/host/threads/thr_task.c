/* SPDX-License-Identifier: MIT */
/* What runs on each processor: a thread of a program, whose accesses are words at a time. */
#include <arch/cpu.h>
#include <arch/tlb.h>
#include <arch/uaccess.h>

#include "kernel/base/errno.h"
#include "kernel/base/panic.h"
#include "kernel/base/string.h"
#include "tests/host/threads/threads.h"

static struct mm_rlimit rlimits[16] = { [0 ... 15] = { ~0UL, ~0UL } };
static struct task_mm tasks[SIM_NR_CPUS];

void enter_mm(struct mm_struct *mm)
{
	struct task_mm *task = &tasks[sim_this_cpu];

	task->rlimits = rlimits;
	task->mm = mm;
	memset(&task->vmacache, 0, sizeof(task->vmacache));
	local_irq_disable();
	this_cpu_write(current_task_mm, task);
	if (mm)
		switch_mm(&mm->context);
	else
		enter_lazy_tlb();
	local_irq_enable();
}

void sim_use_mm(struct mm_struct *mm)
{
	enter_mm(mm);
}

/* --- accesses ---------------------------------------------------------------------------------------- */

/* Others take away what a fault brought: but not so often in a row. */
#define MAX_FAULTS 10000

/* One access of `size` bytes, 1 or 8, that lies in one page. Atomic, as the processor's are. */
static bool try_access(unsigned long addr, void *buf, size_t size, enum sim_kind kind)
{
	u64 phys;
	bool done;

	/* An interrupt comes before the instruction, or after it. */
	local_irq_disable();
	done = sim_translate(addr, kind, true, &phys);
	if (done && size == 8 && kind == SIM_WRITE)
		__atomic_store_n((u64 *)(sim_ram + phys), *(u64 *)buf, __ATOMIC_RELAXED);
	else if (done && size == 8)
		*(u64 *)buf = __atomic_load_n((u64 *)(sim_ram + phys), __ATOMIC_RELAXED);
	else if (done && kind == SIM_WRITE)
		__atomic_store_n((u8 *)(sim_ram + phys), *(u8 *)buf, __ATOMIC_RELAXED);
	else if (done)
		*(u8 *)buf = __atomic_load_n((u8 *)(sim_ram + phys), __ATOMIC_RELAXED);
	local_irq_enable();
	return done;
}

static enum fault_verdict access_at(unsigned long addr, void *buf, size_t size, enum sim_kind kind,
				    bool user)
{
	unsigned int flags =
		(user ? FAULT_FLAG_USER : 0) | (kind == SIM_WRITE ? FAULT_FLAG_WRITE : 0);

	for (int i = 0; i < MAX_FAULTS; i++) {
		enum fault_verdict verdict;

		if (user)
			sim_quiescent();
		if (try_access(addr, buf, size, kind))
			return FAULT_HANDLED;
		sim_might_sleep("a fault");
		verdict = do_user_fault(addr, flags);
		sim_might_sleep("what comes after a fault");
		if (verdict != FAULT_HANDLED)
			return verdict;
	}
	panic("the fault at %#lx is handled again and again", addr);
}

enum fault_verdict load_word(unsigned long addr, u64 *value)
{
	return access_at(addr, value, 8, SIM_READ, true);
}

enum fault_verdict store_word(unsigned long addr, u64 value)
{
	return access_at(addr, &value, 8, SIM_WRITE, true);
}

/* Bytes, as the kernel copies them: those that were done. */
static unsigned long copy_bytes(unsigned long addr, char *buf, unsigned long len,
				enum sim_kind kind)
{
	unsigned long n = 0;

	while (n < len && access_at(addr + n, buf + n, 1, kind, false) == FAULT_HANDLED)
		n++;
	return n;
}

unsigned long copy_from_user(void *to, const void __user *from, unsigned long len)
{
	return len - copy_bytes((unsigned long)from, to, len, SIM_READ);
}

unsigned long copy_to_user(void __user *to, const void *from, unsigned long len)
{
	return len - copy_bytes((unsigned long)to, (char *)from, len, SIM_WRITE);
}
