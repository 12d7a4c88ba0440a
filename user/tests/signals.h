/* SPDX-License-Identifier: MIT */
/*
 * signals.h: handlers that write down what they were given, for tests to look at afterwards, and
 * the system calls without what a C library adds to them.
 */
#ifndef USER_TESTS_SIGNALS_H
#define USER_TESTS_SIGNALS_H

#include "areas.h"
#include <setjmp.h>
#include <signal.h>
#include <ucontext.h>

#define SI_KERNEL_CODE 0x80
#define RESTORER_FLAG  0x04000000

/* rt_sigaction's own structure. */
struct raw_sigaction {
	void *handler;
	unsigned long flags;
	void *restorer;
	unsigned long mask;
};

/* The frame as it lies on the stack; a C library's ucontext_t may be longer than the kernel's. */
struct raw_frame {
	unsigned long return_address;
	unsigned long uc_flags, uc_link;
	unsigned long stack_sp, stack_flags, stack_size;
	unsigned long gregs[23];
	unsigned long fpstate;
	unsigned long reserved[8];
	unsigned long sigmask;
	unsigned char info[128];
};

#define BIT_OF(sig) (1UL << ((sig)-1))

/* What the last signal brought. */
static struct {
	volatile int count;
	int order[16]; /* the numbers of the first ones */
	int signo, code, err_no;
	unsigned long addr; /* si_addr; si_pid and si_uid are in the same bytes */
	int pid;
	unsigned uid;
	unsigned long value; /* si_value, or si_status in its lower half */
	unsigned long gregs[23];
	unsigned long flags, mask, frame;
	unsigned long stack_sp, stack_flags, stack_size;
} seen;

static sigjmp_buf escape;

TAP_FN long raw_sigaction(int sig, const struct raw_sigaction *act, struct raw_sigaction *old)
{
	return result(syscall(SYS_rt_sigaction, sig, act, old, 8));
}

TAP_FN long raw_sigmask(int how, const unsigned long *set, unsigned long *old)
{
	return result(syscall(SYS_rt_sigprocmask, how, set, old, 8));
}

TAP_FN unsigned long blocked_now(void)
{
	unsigned long mask = ~0UL;

	raw_sigmask(SIG_BLOCK, NULL, &mask);
	return mask;
}

TAP_FN unsigned long pending_now(void)
{
	unsigned long mask = ~0UL;

	syscall(SYS_rt_sigpending, &mask, 8);
	return mask;
}

TAP_FN void block(unsigned long mask)
{
	raw_sigmask(SIG_BLOCK, &mask, NULL);
}

TAP_FN void unblock(unsigned long mask)
{
	raw_sigmask(SIG_UNBLOCK, &mask, NULL);
}

TAP_FN long send_self(int sig)
{
	return result(syscall(SYS_kill, getpid(), sig));
}

TAP_FN long send_thread(int sig)
{
	return result(syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), sig));
}

TAP_FN void note_signal(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	const struct raw_frame *frame = (void *)((char *)context - 8);

	if (seen.count < (int)COUNT(seen.order))
		seen.order[seen.count] = sig;
	seen.count++;
	seen.signo = info->si_signo;
	seen.code = info->si_code;
	seen.err_no = info->si_errno;
	seen.addr = (unsigned long)info->si_addr;
	seen.pid = info->si_pid;
	seen.uid = info->si_uid;
	seen.value = (unsigned long)info->si_value.sival_ptr;
	memcpy(seen.gregs, uc->uc_mcontext.gregs, sizeof(seen.gregs));
	seen.flags = frame->uc_flags;
	seen.mask = frame->sigmask;
	seen.frame = (unsigned long)frame;
	seen.stack_sp = frame->stack_sp;
	seen.stack_flags = (unsigned)frame->stack_flags;
	seen.stack_size = frame->stack_size;
}

/* The same, and leaves by siglongjmp(escape, 1). */
TAP_FN void note_and_escape(int sig, siginfo_t *info, void *context)
{
	note_signal(sig, info, context);
	siglongjmp(escape, 1);
}

TAP_FN void catch_with(int sig, void (*handler)(int, siginfo_t *, void *), int flags,
		       unsigned long mask)
{
	struct sigaction act;

	memset(&act, 0, sizeof(act));
	act.sa_sigaction = handler;
	act.sa_flags = flags | SA_SIGINFO;
	memcpy(&act.sa_mask, &mask, sizeof(mask));
	if (sigaction(sig, &act, NULL) != 0)
		diag("sigaction(%d): errno %d", sig, errno);
}

TAP_FN void set_plain(int sig, void (*handler)(int))
{
	struct sigaction act;

	memset(&act, 0, sizeof(act));
	act.sa_handler = handler;
	sigaction(sig, &act, NULL);
}

#endif
