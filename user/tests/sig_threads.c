/* SPDX-License-Identifier: MIT */
/* Faults and alternate stacks of threads, and system calls that a thread's signal interrupts. */
#include "procs.h"
#include <poll.h>

#define THREADS 4

static volatile int *words;

struct faulter {
	struct thread thread;
	int number;
	char *page;
	char alternate[16384] __attribute__((aligned(16)));
	volatile unsigned long addr, stack, mask;
	volatile int code, tid, count;
};

static struct faulter faulters[THREADS];

static void note_fault(int sig, siginfo_t *info, void *context)
{
	int local, tid = my_tid();

	(void)sig, (void)context;
	for (int i = 0; i < THREADS; i++) {
		struct faulter *f = &faulters[i];

		if (f->thread.tid != tid)
			continue;
		f->addr = (unsigned long)info->si_addr;
		f->code = info->si_code;
		f->stack = (unsigned long)&local;
		f->tid = tid;
		f->count++;
		raw(SYS_sched_yield);
		raw(SYS_mprotect, f->page, PAGE, RW);
	}
}

static int fault(void *arg)
{
	struct faulter *f = arg;
	stack_t stack = { .ss_sp = f->alternate, .ss_size = sizeof(f->alternate) }, old;

	raw(SYS_sigaltstack, NULL, &old);
	if (old.ss_flags != SS_DISABLE)
		return 1;
	raw(SYS_sigaltstack, &stack, NULL);
	await(&words[0], 1);
	for (int i = 0; i < 20; i++) {
		raw(SYS_mprotect, f->page, PAGE, PROT_READ);
		raw(SYS_sched_yield);
		*(volatile char *)(f->page + f->number * 10) = i;
	}
	return 0;
}

static void faults(void)
{
	words[0] = 0;
	catch_with(SIGSEGV, note_fault, SA_ONSTACK, 0);
	for (int i = 0; i < THREADS; i++) {
		faulters[i].number = i;
		faulters[i].page = fresh(1, RW);
		thread_start(&faulters[i].thread, fault, &faulters[i]);
	}
	words[0] = 1;
	for (int i = 0; i < THREADS; i++) {
		struct faulter *f = &faulters[i];
		int tid = f->thread.tid;

		thread_join(&f->thread);
		is(f->count, 20, "thread %d: each of its faults called the handler", i);
		ok(f->tid == tid || tid == 0, "thread %d: in the thread itself", i);
		is(f->addr, (unsigned long)f->page + i * 10, "thread %d: si_addr", i);
		is(f->code, SEGV_ACCERR, "thread %d: SEGV_ACCERR", i);
		ok(f->stack > (unsigned long)f->alternate &&
			   f->stack < (unsigned long)f->alternate + sizeof(f->alternate),
		   "thread %d: on its own alternate stack", i);
		is(f->page[i * 10], 19, "thread %d: then it went on", i);
		raw_munmap((unsigned long)f->page, PAGE);
	}
	set_plain(SIGSEGV, SIG_DFL);
}

/* --- SIGSEGV that isn't to be handled ----------------------------------------------------------- */

static int fault_blocked(void *arg)
{
	unsigned long mask = BIT_OF(SIGSEGV);

	raw(SYS_rt_sigprocmask, SIG_BLOCK, &mask, NULL, 8);
	*(volatile char *)arg = 1;
	return 1;
}

static int blocked_in_thread(void *arg)
{
	struct rlimit none = { 0, 0 };
	struct thread thread;

	setrlimit(RLIMIT_CORE, &none);
	if (arg == (void *)1L)
		set_plain(SIGSEGV, SIG_IGN);
	else
		catch_with(SIGSEGV, note_signal, 0, 0);
	thread_start(&thread, fault_blocked, (void *)8L);
	await(&words[1], 1);
	return 2;
}

/* --- which stack a new thread has ---------------------------------------------------------------- */

static int alternate_flags(void *arg)
{
	stack_t old;

	(void)arg;
	raw(SYS_sigaltstack, NULL, &old);
	return old.ss_flags == SS_DISABLE ? 43 : 44;
}

static void alternate_stacks(void)
{
	static char space[16384];
	stack_t stack = { .ss_sp = space, .ss_size = sizeof(space) };
	char *own = fresh(STACK_PAGES, RW);

	sigaltstack(&stack, NULL);
	is(status_of(clone_fn(SIGCHLD, own, alternate_flags, NULL, NULL, NULL, 0)), 44 << 8,
	   "a child with memory of its own has the alternate stack");
	is(status_of(clone_fn(CLONE_VM | SIGCHLD, own, alternate_flags, NULL, NULL, NULL, 0)),
	   43 << 8, "one that shares memory hasn't");
	is(status_of(clone_fn(CLONE_VM | CLONE_VFORK | SIGCHLD, own, alternate_flags, NULL, NULL,
			      NULL, 0)),
	   44 << 8, "unless its parent stands still");
	stack.ss_flags = SS_DISABLE;
	sigaltstack(&stack, NULL);
	raw_munmap((unsigned long)own, STACK_PAGES * PAGE);
}

/* --- interrupted calls ---------------------------------------------------------------------------- */

static int pipe_fds[2], full_fds[2];
static volatile int handled;

enum { READ, WRITE, POLL, WAIT, SLEEP, NR_CALLS };

static const struct {
	const char *name;
	bool restarts;
} calls[] = {
	{ "read", true },  { "write", true },	   { "poll", false },
	{ "wait4", true }, { "nanosleep", false },
};

struct caller {
	struct thread thread;
	int call;
	volatile long result;
	volatile int done;
};

static void note_handled(int sig)
{
	(void)sig;
	handled++;
}

static int call_and_note(void *arg)
{
	struct caller *c = arg;
	struct timespec hour = { 3600, 0 };
	struct pollfd polled = { pipe_fds[0], POLLIN, 0 };
	char byte;

	switch (c->call) {
	case READ:
		c->result = raw(SYS_read, pipe_fds[0], &byte, 1);
		break;
	case WRITE:
		c->result = raw(SYS_write, full_fds[1], "x", 1);
		break;
	case POLL:
		c->result = raw(SYS_poll, &polled, 1, -1);
		break;
	case WAIT:
		c->result = raw(SYS_wait4, words[2], NULL, 0, NULL);
		break;
	default:
		c->result = raw(SYS_nanosleep, &hour, NULL);
	}
	c->done = 1;
	return 0;
}

static int live(void *arg)
{
	return await(arg, 1) ? 0 : 1;
}

/* Makes a call that goes on after its restart come to its end. */
static void let_end(int call)
{
	static char buffer[PAGE];

	if (call == READ)
		raw(SYS_write, pipe_fds[1], "x", 1);
	else if (call == WRITE)
		raw(SYS_read, full_fds[0], buffer, sizeof(buffer));
	else
		words[3] = 1;
}

static void interrupted(int call, int flags)
{
	const char *name = calls[call].name;
	struct caller c = { .call = call };
	struct sigaction act;
	char byte;

	memset(&act, 0, sizeof(act));
	act.sa_handler = note_handled;
	act.sa_flags = flags;
	sigaction(SIGUSR1, &act, NULL);
	handled = 0;
	words[3] = 0;
	words[2] = call == WAIT ? fork_child(live, (void *)&words[3]) : -1;
	thread_start(&c.thread, call_and_note, &c);
	ok(THREAD_SLEEPS(c.thread.tid), "%s: a thread sleeps in it", name);
	raw(SYS_tgkill, getpid(), c.thread.tid, SIGUSR1);
	ok(await(&handled, 1), "%s: the handler runs", name);
	if (flags && calls[call].restarts) {
		ok(THREAD_SLEEPS(c.thread.tid) && !c.done, "%s: SA_RESTART: it goes on", name);
		let_end(call);
		thread_join(&c.thread);
		is(c.result, call == WAIT ? words[2] : 1, "%s: to its end", name);
	} else {
		thread_join(&c.thread);
		is(c.result, -EINTR, "%s: EINTR", name);
		let_end(call);
		if (call == WAIT)
			status_of(words[2]);
		if (call == READ)
			raw(SYS_read, pipe_fds[0], &byte, 1);
	}
}

static void fill(int fd)
{
	static char buffer[PAGE];

	raw(SYS_fcntl, fd, F_SETFL, O_NONBLOCK);
	while (raw(SYS_write, fd, buffer, sizeof(buffer)) > 0)
		;
	raw(SYS_fcntl, fd, F_SETFL, 0);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	words = shared_words();
	faults();
	is(status_of(fork_child(blocked_in_thread, NULL)), SIGSEGV,
	   "a fault while SIGSEGV is blocked ends the process");
	is(status_of(fork_child(blocked_in_thread, (void *)1L)), SIGSEGV,
	   "while it is ignored too");
	alternate_stacks();
	if (!ok(pipe(pipe_fds) == 0 && pipe(full_fds) == 0, "two pipes"))
		return done_testing();
	for (int call = 0; call < NR_CALLS; call++)
		for (int restart = 0; restart < 2; restart++) {
			fill(full_fds[1]);
			interrupted(call, restart ? SA_RESTART : 0);
		}
	set_plain(SIGUSR1, SIG_DFL);
	return done_testing();
}
