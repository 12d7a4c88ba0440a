/* SPDX-License-Identifier: MIT */
/*
 * Making allocations fail on purpose, so that tests can walk every way out of a failure: a debug
 * kernel lets a program say that the nth allocation from now on, of those made in its own name, is to
 * fail. It says so in /proc/self/fail-nth.
 */
#include "mm/fault_inject.h"

#ifdef CONFIG_DEBUG

bool should_fail_alloc(void)
{
	struct task_mm *task = current_mm_task();

	if (likely(!task || !task->fail_nth) || --task->fail_nth)
		return false;
	task->fail_injected = true;
	return true;
}

bool fault_was_injected(void)
{
	struct task_mm *task = current_mm_task();
	bool injected = task && task->fail_injected;

	if (injected)
		task->fail_injected = false;
	return injected;
}

#endif
