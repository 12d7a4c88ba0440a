/* SPDX-License-Identifier: MIT */
/* One task and its program: accesses with their faults, and the kernel's own accesses for it. */
#include <arch/cpu.h>
#include <arch/uaccess.h>

#include "kernel/base/errno.h"
#include "kernel/base/panic.h"
#include "kernel/base/string.h"
#include "tests/host/sim.h"

static bool capable(const struct task_mm *task, int cap)
{
	return sim_privileged;
}

bool sim_privileged = true;
struct mm_rlimit sim_rlimits[16] = { [0 ... 15] = { ~0UL, ~0UL } };
struct task_mm sim_task = { .rlimits = sim_rlimits, .capable = capable };

void sim_load_mm(struct mm_struct *mm)
{
	local_irq_disable();
	if (mm)
		switch_mm(&mm->context);
	else
		enter_lazy_tlb();
	local_irq_enable();
}

void sim_use_mm(struct mm_struct *mm)
{
	sim_task.mm = mm;
	memset(&sim_task.vmacache, 0, sizeof(sim_task.vmacache));
	for (unsigned int i = SIM_NR_CPUS; i-- > 0;) {
		sim_set_cpu(i);
		this_cpu_write(current_task_mm, &sim_task);
		sim_load_mm(mm);
	}
}

struct mm_struct *sim_new_mm(void)
{
	struct mm_struct *mm = mm_alloc();

	if (mm)
		sim_use_mm(mm);
	return mm;
}

void sim_exit_mm(void)
{
	struct mm_struct *mm = sim_task.mm;

	sim_use_mm(NULL);
	mmput(mm);
}

/* --- accesses ---------------------------------------------------------------------------------------- */

/* A handled fault may come back for a good reason, such as a race; this often it never does. */
#define MAX_FAULTS 4

static enum fault_verdict reach(unsigned long addr, enum sim_kind kind, bool user, u64 *phys)
{
	unsigned int flags = user ? FAULT_FLAG_USER : 0;

	if (kind == SIM_WRITE)
		flags |= FAULT_FLAG_WRITE;
	if (kind == SIM_EXEC)
		flags |= FAULT_FLAG_EXEC;
	for (int i = 0; i < MAX_FAULTS; i++) {
		enum fault_verdict verdict;

		if (sim_translate(addr, kind, true, phys))
			return FAULT_HANDLED;
		sim_might_sleep("a fault");
		verdict = do_user_fault(addr, flags);
		sim_might_sleep("what comes after a fault");
		if (rwsem_is_locked(&sim_task.mm->mmap_lock))
			panic("a fault at %#lx left mmap_lock held", addr);
		record_fault(&sim_task, addr, 0, user ? PF_USER : 0, verdict, 0);
		if (verdict != FAULT_HANDLED)
			return verdict;
	}
	panic("the fault at %#lx, access %d, is handled again and again", addr, kind);
}

static enum fault_verdict access_memory(unsigned long addr, void *buf, size_t len,
					enum sim_kind kind, bool user, size_t *done)
{
	for (*done = 0; *done < len;) {
		size_t n = min(len - *done, PAGE_SIZE - ((addr + *done) & ~PAGE_MASK));
		enum fault_verdict verdict;
		u64 phys;

		verdict = reach(addr + *done, kind, user, &phys);
		if (verdict != FAULT_HANDLED)
			return verdict;
		if (kind == SIM_WRITE)
			memcpy(sim_ram + phys, (char *)buf + *done, n);
		else
			memcpy((char *)buf + *done, sim_ram + phys, n);
		*done += n;
	}
	return FAULT_HANDLED;
}

enum fault_verdict sim_access(unsigned long addr, void *buf, size_t len, enum sim_kind kind)
{
	size_t done;

	return access_memory(addr, buf, len, kind, true, &done);
}

int sim_peek(unsigned long addr)
{
	u8 value;

	return sim_access(addr, &value, 1, SIM_READ) == FAULT_HANDLED ? value : -1;
}

bool sim_poke(unsigned long addr, u8 value)
{
	return sim_access(addr, &value, 1, SIM_WRITE) == FAULT_HANDLED;
}

/* --- <arch/uaccess.h> ----------------------------------------------------------------------------------- */

unsigned long copy_from_user(void *to, const void __user *from, unsigned long len)
{
	size_t done;

	if (!access_ok((unsigned long)from, len))
		return len;
	access_memory((unsigned long)from, to, len, SIM_READ, false, &done);
	return len - done;
}

unsigned long copy_to_user(void __user *to, const void *from, unsigned long len)
{
	size_t done;

	if (!access_ok((unsigned long)to, len))
		return len;
	access_memory((unsigned long)to, (void *)from, len, SIM_WRITE, false, &done);
	return len - done;
}

unsigned long clear_user(void __user *to, unsigned long len)
{
	static const char zeros[64];

	while (len) {
		unsigned long n = min(len, sizeof(zeros)), left = copy_to_user(to, zeros, n);

		len -= n - left;
		to = (char *)to + n;
		if (left)
			break;
	}
	return len;
}

long strncpy_from_user(char *to, const char __user *from, long size)
{
	for (long n = 0; n < size; n++) {
		if (copy_from_user(&to[n], from + n, 1))
			return -EFAULT;
		if (!to[n])
			return n;
	}
	return size;
}
