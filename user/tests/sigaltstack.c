/* SPDX-License-Identifier: MIT */
/* The alternate signal stack: setting it, being on it, and a stack that has run out. */
#include "signals.h"
#include <sys/auxv.h>

#define AT_MINSIGSTKSZ_ 51

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

/* The kernel's stack_t, with the padding in sight. */
struct raw_stack {
	unsigned long sp;
	unsigned flags, pad;
	unsigned long size;
};

static char stack_a[65536] __attribute__((aligned(64)));
static char stack_b[65536] __attribute__((aligned(64)));

static long raw_altstack(const struct raw_stack *new, struct raw_stack *old)
{
	return result(syscall(SYS_sigaltstack, new, old));
}

static long set_stack(void *sp, unsigned flags, unsigned long size)
{
	struct raw_stack s = { (unsigned long)sp, flags, 0, size };

	return raw_altstack(&s, NULL);
}

static struct raw_stack get_stack(void)
{
	struct raw_stack s;

	memset(&s, 0xee, sizeof(s));
	raw_altstack(NULL, &s);
	return s;
}

static bool inside(unsigned long addr, const char *stack)
{
	return addr >= (unsigned long)stack && addr < (unsigned long)stack + sizeof(stack_a);
}

static struct raw_stack in_handler;
static long again, disable_again;
static unsigned long handler_local;

static void look_around(int sig, siginfo_t *info, void *context)
{
	int local;

	note_signal(sig, info, context);
	handler_local = (unsigned long)&local;
	in_handler = get_stack();
	again = set_stack(stack_b, 0, sizeof(stack_b));
	disable_again = set_stack(NULL, SS_DISABLE, 0);
}

static void setting(void)
{
	struct raw_stack s = get_stack();

	is(s.sp, 0, "at first: no address");
	is(s.size, 0, "no size");
	is(s.flags, SS_DISABLE, "disabled");
	is(s.pad, 0, "the padding is zero");
	is(set_stack(stack_a, 0, sizeof(stack_a)), 0, "set");
	s = get_stack();
	is(s.sp, (unsigned long)stack_a, "its address");
	is(s.size, sizeof(stack_a), "its size");
	is(s.flags, 0, "enabled and not in use");
	is(set_stack(stack_a, SS_ONSTACK, sizeof(stack_a)), 0, "SS_ONSTACK is as good as 0");
	is(get_stack().flags, 0, "and isn't kept");
	is(set_stack(stack_b, 0, 2047), -ENOMEM, "one byte less than MINSIGSTKSZ");
	is(set_stack(stack_b, 0, 0), -ENOMEM, "nothing");
	is(get_stack().sp, (unsigned long)stack_a, "which changes nothing");
	is(set_stack(stack_b, 0, 2048), 0, "MINSIGSTKSZ");
	is(set_stack(stack_b, 4, sizeof(stack_b)), -EINVAL, "flag 4");
	is(set_stack(stack_b, 3, sizeof(stack_b)), -EINVAL, "both flags");
	is(set_stack(stack_b, SS_AUTODISARM | 4, sizeof(stack_b)), -EINVAL,
	   "SS_AUTODISARM and flag 4");
	is(set_stack(stack_b, SS_DISABLE, 77), 0, "disabled");
	s = get_stack();
	is(s.sp, 0, "the address is forgotten");
	is(s.size, 0, "the size too");
	is(s.flags, SS_DISABLE, "SS_DISABLE");
	is(raw_altstack((void *)0x1000, NULL), -EFAULT, "read from nowhere");
	is(raw_altstack(NULL, (void *)0x1000), -EFAULT, "written to nowhere");
	is(raw_altstack(NULL, NULL), 0, "neither");
	/* The new one is set before the old one can't be written. */
	s = (struct raw_stack){ (unsigned long)stack_a, 0, 0, sizeof(stack_a) };
	is(raw_altstack(&s, (void *)0x1000), -EFAULT, "the old one to nowhere");
	is(get_stack().sp, (unsigned long)stack_a, "the new one holds all the same");
}

static void being_there(void)
{
	set_stack(stack_a, 0, sizeof(stack_a));
	catch_with(SIGUSR1, look_around, SA_ONSTACK, 0);
	send_self(SIGUSR1);
	ok(inside(handler_local, stack_a), "the handler runs there");
	ok(inside(seen.frame, stack_a), "its frame is there");
	is(in_handler.flags, SS_ONSTACK, "SS_ONSTACK");
	is(in_handler.sp, (unsigned long)stack_a, "the address as set");
	is(again, -EPERM, "it can't be changed from there");
	is(disable_again, -EPERM, "or disabled");
	is(seen.stack_sp, (unsigned long)stack_a, "uc_stack: the address");
	is(seen.stack_size, sizeof(stack_a), "uc_stack: the size");
	is(seen.stack_flags, 0, "uc_stack: the flags as set");
	is(get_stack().flags, 0, "afterwards it isn't in use");

	catch_with(SIGUSR1, look_around, 0, 0);
	send_self(SIGUSR1);
	ok(!inside(handler_local, stack_a), "without SA_ONSTACK the handler stays");
	is(in_handler.flags, 0, "and may change it");
	is(again, 0, "which it did");
	is(disable_again, 0, "twice");
	is(get_stack().sp, (unsigned long)stack_a, "its return brings the old one back");
}

/* A handler that is called on the alternate stack goes on below the first one's frame. */
static unsigned long outer_frame, inner_frame;

static void inner(int sig, siginfo_t *info, void *context)
{
	note_signal(sig, info, context);
	inner_frame = seen.frame;
}

static void outer(int sig, siginfo_t *info, void *context)
{
	note_signal(sig, info, context);
	outer_frame = seen.frame;
	send_self(SIGUSR2);
}

static void nested(void)
{
	set_stack(stack_a, 0, sizeof(stack_a));
	catch_with(SIGUSR1, outer, SA_ONSTACK, 0);
	catch_with(SIGUSR2, inner, SA_ONSTACK, 0);
	send_self(SIGUSR1);
	ok(inside(outer_frame, stack_a) && inside(inner_frame, stack_a), "both frames are there");
	ok(inner_frame < outer_frame, "the second below the first");
}

static void auto_disarm(void)
{
	is(set_stack(stack_a, SS_AUTODISARM, sizeof(stack_a)), 0, "SS_AUTODISARM");
	is(get_stack().flags, SS_AUTODISARM, "is reported");
	catch_with(SIGUSR1, look_around, SA_ONSTACK, 0);
	send_self(SIGUSR1);
	ok(inside(handler_local, stack_a), "the handler runs there");
	is(in_handler.flags, SS_DISABLE, "but sees none");
	is(in_handler.sp, 0, "at no address");
	is(again, 0, "and may set another");
	is(seen.stack_flags, SS_AUTODISARM, "uc_stack: the flags as set");
	is(get_stack().sp, (unsigned long)stack_a, "its return arms the stack again");
	is(get_stack().flags, SS_AUTODISARM, "as it was");
	set_stack(NULL, SS_DISABLE, 0);
}

static void change_uc_stack(int sig, siginfo_t *info, void *context)
{
	struct raw_frame *frame = (void *)((char *)context - 8);

	note_signal(sig, info, context);
	frame->stack_sp = (unsigned long)stack_b;
	frame->stack_size = sizeof(stack_b);
	frame->stack_flags = 0;
}

static void spoil_uc_stack(int sig, siginfo_t *info, void *context)
{
	struct raw_frame *frame = (void *)((char *)context - 8);

	note_signal(sig, info, context);
	frame->stack_flags = 77;
}

static void by_sigreturn(void)
{
	set_stack(stack_a, 0, sizeof(stack_a));
	catch_with(SIGUSR1, change_uc_stack, 0, 0);
	send_self(SIGUSR1);
	is(get_stack().sp, (unsigned long)stack_b, "the handler's return sets what uc_stack says");
	catch_with(SIGUSR1, spoil_uc_stack, 0, 0);
	send_self(SIGUSR1);
	is(get_stack().sp, (unsigned long)stack_b, "but nothing that is no stack");
}

/* --- in children ------------------------------------------------------------------------------- */

/* More than the limit by far. */
#define DEEP 1000

__attribute__((noinline)) static int recurse(int depth)
{
	volatile char frame[4096];

	frame[0] = 0;
	return depth ? recurse(depth - 1) + frame[0] : 0;
}

static int overflow_mode(int argc, char **argv)
{
	struct rlimit limit = { 256 * 1024, 256 * 1024 };

	(void)argc, (void)argv;
	setrlimit(RLIMIT_STACK, &limit);
	set_stack(stack_a, 0, sizeof(stack_a));
	catch_with(SIGSEGV, note_and_escape, SA_ONSTACK, 0);
	if (!sigsetjmp(escape, 1))
		return recurse(DEEP);
	/* And again: leaving by siglongjmp left the stack. */
	if (!sigsetjmp(escape, 1))
		return recurse(DEEP);
	return seen.count == 2 && seen.code == SEGV_MAPERR && inside(seen.frame, stack_a) ? 42 : 1;
}

static int overflow_plain_mode(int argc, char **argv)
{
	struct rlimit limit = { 256 * 1024, 256 * 1024 };

	(void)argc, (void)argv;
	setrlimit(RLIMIT_STACK, &limit);
	set_stack(stack_a, 0, sizeof(stack_a));
	catch_with(SIGSEGV, note_and_escape, 0, 0);
	if (!sigsetjmp(escape, 1))
		return recurse(DEEP);
	return 1;
}

static int unmapped_mode(int argc, char **argv)
{
	char *p = (char *)fresh(16, RW);

	(void)argc, (void)argv;
	set_stack(p, 0, 16 * PAGE);
	raw_munmap((unsigned long)p, 16 * PAGE);
	catch_with(SIGUSR1, look_around, SA_ONSTACK, 0);
	send_self(SIGUSR1);
	return 1;
}

/* Nearly at the end of the alternate stack, with another signal to come. */
static void use_up(int sig, siginfo_t *info, void *context)
{
	unsigned long rax = SYS_kill;

	note_signal(sig, info, context);
	__asm__ volatile("mov %%rsp, %%rbx\n\tmov %3, %%rsp\n\tsyscall\n\tmov %%rbx, %%rsp"
			 : "+a"(rax)
			 : "D"((long)getpid()), "S"((long)SIGUSR2), "r"(stack_a + 300)
			 : "rbx", "rcx", "r11", "memory");
}

static int used_up_mode(int argc, char **argv)
{
	(void)argc, (void)argv;
	/* What lies below is mapped: nothing but the rule stops the frame. */
	set_stack(stack_a, 0, sizeof(stack_a));
	catch_with(SIGUSR1, use_up, SA_ONSTACK, 0);
	catch_with(SIGUSR2, look_around, SA_ONSTACK, 0);
	send_self(SIGUSR1);
	return 1;
}

static int fresh_mode(int argc, char **argv)
{
	struct raw_stack s = get_stack();

	(void)argc, (void)argv;
	return s.sp == 0 && s.size == 0 && s.flags == SS_DISABLE ? 42 : 1;
}

/* A vfork child has its parent's, in memory that is the parent's too; its own changes are its own. */
static void in_vfork_child(void)
{
	static volatile unsigned long sp_seen;
	pid_t pid;

	set_stack(stack_a, 0, sizeof(stack_a));
	pid = vfork();
	if (pid == 0) {
		sp_seen = get_stack().sp;
		set_stack(NULL, SS_DISABLE, 0);
		_exit(0);
	}
	wait_status(pid);
	is(sp_seen, (unsigned long)stack_a, "a vfork child has it");
	is(get_stack().sp, (unsigned long)stack_a, "what the child does with it is the child's");
	exits("fresh", 42, "exec forgets it");
}

static const struct mode modes[] = {
	{ "overflow", overflow_mode }, { "overflow-plain", overflow_plain_mode },
	{ "unmapped", unmapped_mode }, { "used-up", used_up_mode },
	{ "fresh", fresh_mode },       { NULL, NULL },
};

/* Where a stack of the size that the kernel names ends, doesn't matter; what is below is ours, too. */
static void named_size(void)
{
	unsigned long size = getauxval(AT_MINSIGSTKSZ_), base = (unsigned long)stack_b + 32768;
	bool good = true;

	ok(size > 1000, "the kernel says how large a stack must be");
	if (size < 2048)
		size = 2048;
	catch_with(SIGUSR1, note_signal, SA_ONSTACK, 0);
	for (unsigned long i = 0; i < 64 && good; i++) {
		good = set_stack((void *)(base + i), 0, size) == 0;
		memset(&seen, 0, sizeof(seen));
		send_thread(SIGUSR1);
		good &= seen.count == 1 && seen.frame >= base + i && seen.frame < base + i + size;
	}
	ok(good, "on one of that size a handler can be called, wherever it is");
	set_stack(NULL, SS_DISABLE, 0);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, modes);
	setting();
	being_there();
	nested();
	auto_disarm();
	by_sigreturn();
	in_vfork_child();
	named_size();
	exits("overflow", 42, "a handler for a stack that has run out");
	dies("overflow-plain", SIGSEGV, "without SA_ONSTACK");
	dies("unmapped", SIGSEGV, "an alternate stack that isn't mapped");
	dies("used-up", SIGSEGV, "an alternate stack that has run out");
	return done_testing();
}
