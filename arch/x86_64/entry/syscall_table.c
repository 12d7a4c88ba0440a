/* SPDX-License-Identifier: MIT */
/* The table that entry.S jumps through, and the slow way, past those who want to know. */
#include <arch/asm.h>
#include <arch/ptrace.h>

#include "kernel/base/errno.h"
#include "kernel/base/trace.h"
#include "kernel/sched/sched.h"
#include "kernel/syscall/syscalls.h"

/* The table needs addresses only: each function has its own prototype where it is defined. */
#define SYSCALL(nr, name, args) long sys_##name(void);
#define sys_fork		entry_fork
#define sys_clone		entry_clone
#define sys_clone3		entry_clone3
#define sys_vfork		entry_vfork
#define sys_execve		entry_execve
#define sys_rt_sigreturn	entry_rt_sigreturn
#include "kernel/syscall/table.h"
#undef SYSCALL

static long sys_ni_syscall(void)
{
	return -ENOSYS;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-function-type"
#ifdef __clang__
#pragma GCC diagnostic ignored "-Winitializer-overrides"
#else
#pragma GCC diagnostic ignored "-Woverride-init"
#endif
const syscall_fn sys_call_table[NR_SYSCALLS] = {
	[0 ... NR_SYSCALLS - 1] = (syscall_fn)sys_ni_syscall,
#define SYSCALL(nr, name, args) [nr] = (syscall_fn)sys_##name,
#include "kernel/syscall/table.h"
#undef SYSCALL
};
#pragma GCC diagnostic pop

_Static_assert(TRACE_SYSCALLS == (1 << TRACE_SYSCALL_IN | 1 << TRACE_SYSCALL_OUT), "asm.h");

static bool strace_on(void)
{
	return this_cpu_read(current_se)->work & WORK_TRACE;
}

/* Called by entry.S with every register of the caller in regs. Sets regs->ax. */
void syscall_traced(struct pt_regs *regs)
{
	const unsigned long args[6] = {
		regs->di, regs->si, regs->dx, regs->r10, regs->r8, regs->r9
	};
	unsigned int nr = (unsigned int)regs->orig_ax;

	trace(SYSCALL_IN, nr, args[0], args[1], args[2], args[3], args[4]);
	if (strace_on())
		strace_enter(nr, args);
	regs->ax = (unsigned long)-ENOSYS;
	if (nr < NR_SYSCALLS)
		regs->ax = (unsigned long)sys_call_table[nr](args[0], args[1], args[2], args[3],
							     args[4], args[5]);
	if (strace_on())
		strace_exit(nr, (long)regs->ax);
	trace(SYSCALL_OUT, nr, regs->ax);
}
