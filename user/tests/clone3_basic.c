/* SPDX-License-Identifier: MIT */
/* clone3(2): sizes of its structure, what it refuses, and that it makes children and threads. */
#include "procs.h"

#define CLONE_CLEAR_SIGHAND_ 0x100000000UL
#define CLONE_INTO_CGROUP_   0x200000000UL
#define CLONE_DETACHED_	     0x00400000

struct args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	uint64_t set_tid, set_tid_size, cgroup;
};

static volatile int *words;

static long clone3(void *args, unsigned long size)
{
	long pid = raw(SYS_clone3, args, size);

	if (pid == 0)
		raw(SYS_exit_group, 33);
	return pid;
}

static long with(struct args args)
{
	return clone3(&args, sizeof(args));
}

static void sizes(void)
{
	static char buffer[2 * PAGE] __attribute__((aligned(8)));
	struct args *args = (void *)buffer;
	static const unsigned long good[] = { 64, 72, 80, 88, 96, 128, 4096 };
	static const unsigned long small[] = { 0, 1, 56, 63 };
	char *edge = island(1, RW);

	args->exit_signal = SIGCHLD;
	for (size_t i = 0; i < COUNT(good); i++)
		is(status_of(clone3(buffer, good[i])), 33 << 8, "%lu bytes", good[i]);
	for (size_t i = 0; i < COUNT(small); i++)
		is(clone3(buffer, small[i]), -EINVAL, "%lu bytes: EINVAL", small[i]);
	is(clone3(buffer, 4097), -E2BIG, "4097 bytes: E2BIG");
	is(clone3(buffer, -1UL), -E2BIG, "all there is: E2BIG");
	is(clone3(NULL, 4097), -E2BIG, "of nothing too");
	is(clone3(NULL, 63), -EINVAL, "the size is looked at first");
	buffer[88] = 1;
	is(clone3(buffer, 96), -E2BIG, "something behind what is known: E2BIG");
	is(status_of(clone3(buffer, 88)), 33 << 8, "not when it isn't given");
	buffer[88] = 0;
	buffer[4095] = 1;
	is(clone3(buffer, 4096), -E2BIG, "at the very end too");
	buffer[4095] = 0;
	is(clone3(NULL, 64), -EFAULT, "nowhere");
	is(clone3((void *)0x1000, 88), -EFAULT, "an address without a page");
	is(clone3((void *)-64UL, 64), -EFAULT, "an address of the kernel's");
	memcpy(edge + PAGE - 64, buffer, 64);
	is(status_of(clone3(edge + PAGE - 64, 64)), 33 << 8, "64 bytes at a page's end");
	is(clone3(edge + PAGE - 64, 72), -EFAULT, "72 over it");
}

static void refusals(void)
{
	static char stack[4096];
	static int tid = 1;

	is(with((struct args){ .exit_signal = 65 }), -EINVAL, "exit_signal 65");
	is(with((struct args){ .exit_signal = 256 }), -EINVAL, "exit_signal 256");
	is(with((struct args){ .exit_signal = 0x100000000 | SIGCHLD }), -EINVAL,
	   "an exit_signal of more than 32 bits");
	is(with((struct args){ .flags = SIGCHLD }), -EINVAL, "a signal among the flags");
	is(with((struct args){ .flags = CLONE_DETACHED_, .exit_signal = SIGCHLD }), -EINVAL,
	   "CLONE_DETACHED");
	is(with((struct args){ .flags = 1UL << 34, .exit_signal = SIGCHLD }), -EINVAL,
	   "a flag that isn't known");
	is(with((struct args){ .flags = 1UL << 63, .exit_signal = SIGCHLD }), -EINVAL, "another");
	is(with((struct args){ .flags = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM,
			       .exit_signal = SIGCHLD }),
	   -EINVAL, "a thread with an exit_signal");
	is(with((struct args){ .flags = CLONE_PARENT, .exit_signal = SIGCHLD }), -EINVAL,
	   "CLONE_PARENT with an exit_signal");
	is(with((struct args){ .flags = CLONE_SIGHAND, .exit_signal = SIGCHLD }), -EINVAL,
	   "SIGHAND without VM");
	is(with((struct args){ .flags = CLONE_THREAD | CLONE_VM }), -EINVAL,
	   "THREAD without SIGHAND");
	is(with((struct args){ .flags = CLONE_VM | CLONE_SIGHAND | CLONE_CLEAR_SIGHAND_,
			       .exit_signal = SIGCHLD }),
	   -EINVAL, "SIGHAND and CLEAR_SIGHAND");
	is(with((struct args){ .exit_signal = SIGCHLD, .stack = (long)stack }), -EINVAL,
	   "a stack without a size");
	is(with((struct args){ .exit_signal = SIGCHLD, .stack_size = sizeof(stack) }), -EINVAL,
	   "a size without a stack");
	is(with((struct args){
		   .exit_signal = SIGCHLD, .stack = TASK_SIZE - 4096, .stack_size = 8192 }),
	   -EINVAL, "a stack that reaches into the kernel");
	is(with((struct args){ .exit_signal = SIGCHLD, .stack = (long)stack, .stack_size = -1UL }),
	   -EINVAL, "or around");
	is(with((struct args){ .exit_signal = SIGCHLD, .set_tid_size = 1 }), -EINVAL,
	   "set_tid_size without set_tid");
	is(with((struct args){ .exit_signal = SIGCHLD, .set_tid = (long)&tid }), -EINVAL,
	   "set_tid without its size");
	is(with((struct args){ .exit_signal = SIGCHLD, .set_tid = (long)&tid, .set_tid_size = 33 }),
	   -EINVAL, "more than there can be levels");
	is(with((struct args){ .exit_signal = SIGCHLD, .set_tid = 0x1000, .set_tid_size = 1 }),
	   -EFAULT, "set_tid from nowhere");
	is(with((struct args){ .exit_signal = SIGCHLD, .set_tid = (long)&tid, .set_tid_size = 2 }),
	   -EINVAL, "more levels than there are");
	tid = 12345;
	is(with((struct args){ .exit_signal = SIGCHLD, .set_tid = (long)&tid, .set_tid_size = 1 }),
	   -EPERM, "to choose a number takes a privilege");
	tid = 0;
	is(with((struct args){ .exit_signal = SIGCHLD, .set_tid = (long)&tid, .set_tid_size = 1 }),
	   -EINVAL, "0 is no number");
	is(with((struct args){
		   .flags = CLONE_INTO_CGROUP_, .exit_signal = SIGCHLD, .cgroup = -1UL }),
	   -EINVAL, "a control group of no descriptor");
	ok(raw(SYS_wait4, -1, NULL, WNOHANG, NULL) == -ECHILD, "none of these made a child");
}

/* --- what it makes ---------------------------------------------------------------------------- */

static volatile int parent_id, child_id;

static void children(void)
{
	struct args args = { .flags = CLONE_PARENT_SETTID | CLONE_CHILD_SETTID,
			     .exit_signal = SIGCHLD,
			     .parent_tid = (long)&parent_id,
			     .child_tid = (long)&child_id };
	pid_t pid = raw(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		raw(SYS_exit_group, child_id == my_pid() ? 42 : 1);
	is(parent_id, pid, "parent_tid");
	is(child_id, 0, "child_tid isn't written here");
	is(status_of(pid), 42 << 8, "but in the child");
	is(raw(SYS_wait4, with((struct args){ .exit_signal = 0 }), NULL, 0, NULL), -ECHILD,
	   "without a signal it isn't waited for as others");
	ok(raw(SYS_wait4, -1, NULL, 0x80000000, NULL) > 0, "but with __WCLONE");
}

static int look_cleared(void)
{
	struct raw_sigaction act;

	NEED_IS(raw(SYS_rt_sigaction, SIGUSR1, NULL, &act, 8), 0);
	NEED(act.handler == SIG_DFL && act.flags == 0 && act.mask == 0);
	NEED_IS(raw(SYS_rt_sigaction, SIGUSR2, NULL, &act, 8), 0);
	NEED(act.handler == SIG_IGN);
	return 42;
}

static void cleared_handlers(void)
{
	struct args args = { .flags = CLONE_CLEAR_SIGHAND_, .exit_signal = SIGCHLD };
	struct raw_sigaction act;
	pid_t pid;

	catch_with(SIGUSR1, note_signal, SA_NODEFER, 4);
	set_plain(SIGUSR2, SIG_IGN);
	pid = raw(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		raw(SYS_exit_group, look_cleared());
	is(status_of(pid), 42 << 8, "CLEAR_SIGHAND: no handlers, what is ignored stays");
	raw_sigaction(SIGUSR1, NULL, &act);
	ok(act.handler == (void *)note_signal, "here it stays as it was");
	set_plain(SIGUSR1, SIG_DFL);
	set_plain(SIGUSR2, SIG_DFL);
}

__attribute__((naked, noinline)) static long clone3_on_stack(struct args *args, unsigned long size)
{
	__asm__("mov $435, %eax\n\t"
		"syscall\n\t"
		"test %rax, %rax\n\t"
		"jnz 1f\n\t"
		"xor %ebp, %ebp\n\t"
		"pop %rax\n\t"
		"pop %rdi\n\t"
		"call *%rax\n\t"
		"mov %eax, %edi\n\t"
		"mov $60, %eax\n\t"
		"syscall\n\t"
		"hlt\n"
		"1:\tret");
}

static int in_thread(void *arg)
{
	words[0] = my_pid();
	words[1] = my_tid();
	return 0;
}

static void threads(void)
{
	char *stack = fresh(STACK_PAGES, RW);
	unsigned long *top = (unsigned long *)(stack + STACK_PAGES * PAGE) - 2;
	struct args args = { .flags = THREAD_FLAGS,
			     .parent_tid = (long)&parent_id,
			     .child_tid = (long)&child_id,
			     .stack = (long)stack,
			     .stack_size = (char *)top - stack };
	long tid;

	top[0] = (unsigned long)in_thread;
	top[1] = 0;
	child_id = -1;
	tid = clone3_on_stack(&args, sizeof(args));
	ok(tid > 0, "a thread");
	while (child_id != 0)
		raw(SYS_futex, &child_id, 0, -1, NULL);
	is(words[0], getpid(), "of this process");
	is(words[1], tid, "with a number of its own");
	is(parent_id, tid, "parent_tid");
	raw_munmap((unsigned long)stack, STACK_PAGES * PAGE);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	words = shared_words();
	sizes();
	refusals();
	children();
	cleared_handlers();
	threads();
	return done_testing();
}
