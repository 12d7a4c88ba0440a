/* SPDX-License-Identifier: MIT */
/*
 * forks.h: children that look around in the memory they got and write down what they see, in
 * memory shared with their parent, which makes the checks. No C library between: what it writes
 * after a fork would be faults that a test counts.
 */
#ifndef USER_TESTS_FORKS_H
#define USER_TESTS_FORKS_H

#include "vm.h"
#include <signal.h>

/* What a child has to say: seen by both. */
static struct report {
	volatile long n[64];
	char text[2048];
	volatile int turns[2];
} * report;

/* To be called before the first fork. */
TAP_FN void forks_start(void)
{
	long p = raw_mmap(0, (sizeof(*report) + PAGE - 1) & -PAGE, RW, MAP_SHARED | MAP_ANONYMOUS,
			  -1, 0);

	if (is_error(p)) {
		diag("no shared memory: error %ld", -p);
		tap_write("Bail out!\n", 10);
		_exit(1);
	}
	report = (struct report *)p;
}

/* fork(2) as the kernel has it: 0 in the child; -errno. */
TAP_FN long raw_fork(void)
{
	return result(syscall(SYS_fork));
}

__attribute__((noreturn)) TAP_FN void raw_exit(int value)
{
	for (;;)
		syscall(SYS_exit_group, value);
}

/* The child's exit status, or minus the signal that ended it, or -1000 - errno. */
TAP_FN long reap(long pid)
{
	int status = wait_status((pid_t)pid);

	if (status < 0)
		return -1000 + status;
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* Runs body in a child; what it returns is the child's exit status, and ours as above. */
__attribute__((noinline)) TAP_FN long in_child(int (*body)(void))
{
	long pid = raw_fork();

	if (pid == 0)
		raw_exit(body());
	return pid < 0 ? -1000 + pid : reap(pid);
}

/* The faults that one write costs, in whoever calls. */
__attribute__((noinline)) TAP_FN long faults_of_write(volatile char *addr, char value)
{
	long before;

	/* The first one brings in what the counting itself needs. */
	minor_faults();
	before = minor_faults();
	*addr = value;
	return minor_faults() - before;
}

/* The same for a read; what was read to *got. */
__attribute__((noinline)) TAP_FN long faults_of_read(const volatile char *addr, int *got)
{
	long before;

	minor_faults();
	*got = 0;
	before = minor_faults();
	*got = *addr;
	return minor_faults() - before;
}

TAP_FN bool exclusive(const volatile void *addr)
{
	return (pagemap(addr) & PAGEMAP_EXCLUSIVE) != 0;
}

/* Who waits. */
enum side { CHILD, PARENT };

/* Goes on when the other side has said so; of several children one for each time. */
TAP_FN void await(enum side me)
{
	for (;;) {
		int n = report->turns[me];

		if (n > 0 && __atomic_compare_exchange_n(&report->turns[me], &n, n - 1, false,
							 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return;
		syscall(SYS_sched_yield);
	}
}

TAP_FN void let_go(enum side other)
{
	__atomic_fetch_add(&report->turns[other], 1, __ATOMIC_SEQ_CST);
}

#endif
