/* SPDX-License-Identifier: MIT */
/*
 * When memory is used up. Pages for programs are given out only down to a reserve, so that the kernel
 * itself can still work; then the process that holds most is ended, and whoever faulted tries again.
 */
#include "mm/oom.h"

#include "kernel/base/printk.h"
#include "mm/fault_inject.h"
#include "mm/internal.h"

static const struct oom_ops *ops;

void oom_register(const struct oom_ops *o)
{
	ops = o;
}

bool out_of_memory(void)
{
	struct oom_victim victim = { .pages = 0 };

	/* A failure made on purpose is no want of memory: trying again is all it takes. */
	if (fault_was_injected())
		return true;
	if (!ops || !ops->choose(&victim))
		return false;
	if (victim.again) {
		ops->kill(&victim);
		return true;
	}
	count_vm_event(OOM_KILL);
	printk("Out of memory: killing %s[%d], which holds %lu kB\n", victim.comm, victim.pid,
	       victim.pages << (PAGE_SHIFT - 10));
	ops->kill(&victim);
	return true;
}
