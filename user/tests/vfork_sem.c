/* SPDX-License-Identifier: MIT */
/*
 * vfork: the child runs in the parent's memory, and the parent stands still until the child has
 * executed a program or ended. What the two share is memory; descriptors each has its own.
 */
#include "areas.h"
#include <sched.h>
#include <signal.h>
#include <time.h>

static volatile int shared;
static volatile long address;
static volatile pid_t seen_pid, seen_parent;

static void pause_ms(long ms)
{
	struct timespec t = { 0, ms * 1000000 };

	nanosleep(&t, NULL);
}

/* Starts body in a vfork child that then exits with 5; returns the child's pid. */
__attribute__((noinline)) static pid_t in_child(void (*body)(void))
{
	pid_t pid = vfork();

	if (pid == 0) {
		body();
		_exit(5);
	}
	return pid;
}

static void slow_write(void)
{
	pause_ms(30);
	shared = 1;
}

static void look(void)
{
	seen_pid = getpid();
	seen_parent = getppid();
}

static void map_and_break(void)
{
	address = raw_mmap(0, 2 * PAGE, RW, ANON, -1, 0);
	if (address > 0)
		*(volatile char *)address = 77;
}

static void close_one(void)
{
	shared = close(50);
}

static void open_one(void)
{
	shared = dup2(1, 51);
}

static void die(void)
{
	static volatile unsigned long nowhere;

	*(volatile char *)nowhere = 1;
}

static void killed(void)
{
	kill(getpid(), SIGKILL);
}

static void inner(void)
{
	pause_ms(10);
	shared = shared * 10 + 1;
}

static void nested(void)
{
	pid_t pid = in_child(inner);

	shared = shared * 10 + 2;
	waitpid(pid, NULL, 0);
	pause_ms(10);
	shared = shared * 10 + 3;
}

static void failing_exec(void)
{
	char *none[] = { NULL };

	execve("/no-such-program", none, none);
	shared = errno;
}

static void suspended(void)
{
	pid_t pid;
	int status;

	shared = 0;
	pid = in_child(slow_write);
	is(shared, 1, "the parent goes on only after the child's _exit");
	ok(pid > 0, "vfork returned the child's pid");
	is(wait_status(pid), 5 << 8, "the child's status");
	shared = 0;
	pid = in_child(look);
	is(seen_pid, pid, "the child sees the pid that the parent was told");
	is(seen_parent, getpid(), "and its parent");
	is(wait_status(pid), 5 << 8, "its status");
	shared = 0;
	pid = in_child(nested);
	is(shared, 123, "a child's child runs first, then the child, then the parent");
	is(wait_status(pid), 5 << 8, "its status");
	pid = in_child(failing_exec);
	is(shared, ENOENT, "a failing exec lets the child go on");
	is(wait_status(pid), 5 << 8, "its status");
	pid = in_child(killed);
	ok(pid > 0 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) &&
		   WTERMSIG(status) == SIGKILL,
	   "a killed child lets the parent go on");
}

static void memory(void)
{
	char *before = island(1, RW);
	pid_t pid;
	int status;

	*before = 1;
	pid = in_child(map_and_break);
	ok(address > 0, "the child mapped memory");
	is(*(volatile char *)address, 77, "and the parent reads what is in it");
	is_str(layout((void *)address, 2), "0-2 rw-p", "the area is in the parent's maps");
	is(raw_munmap(address, 2 * PAGE), 0, "the parent unmaps it");
	is(wait_status(pid), 5 << 8, "the child's status");
	pid = in_child(die);
	ok(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV,
	   "a child dies by SIGSEGV");
	is(*(volatile char *)before, 1, "the parent's memory is still there");
	is_str(layout(before, 1), "0-1 rw-p", "and its area");
	raw_munmap((unsigned long)before, PAGE);
}

static void descriptors(void)
{
	pid_t pid;

	dup2(1, 50);
	pid = in_child(close_one);
	is(shared, 0, "the child closed a descriptor");
	is(wait_status(pid), 5 << 8, "its status");
	ok(fcntl(50, F_GETFD) >= 0, "the parent's is still open");
	close(50);
	pid = in_child(open_one);
	is(shared, 51, "the child opened one");
	is(wait_status(pid), 5 << 8, "its status");
	fails(fcntl(51, F_GETFD), EBADF, "the parent doesn't have it");
}

/* Each address space of its own from exec on: the child's is new, the parent's stays. */
static int program(int argc, char **argv)
{
	(void)argc, (void)argv;
	if (shared != 0)
		return 1;
	shared = 99;
	pause_ms(20);
	return 42;
}

static void after_exec(void)
{
	char *argv[] = { (char *)tap.path, "program", NULL }, *none[] = { NULL };
	pid_t pid;

	shared = 3;
	pid = spawn("/proc/self/exe", argv, none);
	is(shared, 3, "what the new program writes isn't the parent's");
	is(wait_status(pid), 42 << 8, "it found its own zero");
	is(shared, 3, "and never was");
	pid = start_mode("program", NULL, NULL);
	is(waitpid(pid, NULL, WNOHANG), 0, "exec lets the parent go on while the program runs");
	is(wait_status(pid), 42 << 8, "its status");
}

static int on_own_stack(void *argument)
{
	*(volatile int *)argument = (int)getpid();
	return 6;
}

static void by_clone(void)
{
	char *stack = fresh(16, RW);
	volatile int from_child = 0;
	pid_t pid = clone(on_own_stack, stack + 16 * PAGE, CLONE_VM | CLONE_VFORK | SIGCHLD,
			  (void *)&from_child);

	ok(pid > 0, "clone(CLONE_VM | CLONE_VFORK) with a stack of its own");
	is(from_child, pid, "the child has run and written to the parent's variable");
	is(wait_status(pid), 6 << 8, "its status");
	raw_munmap((unsigned long)stack, 16 * PAGE);
}

/* Enough children that whatever one leaves behind would add up. */
static void many(void)
{
	bool good = true;

	for (int i = 0; i < 200; i++)
		good &= wait_status(in_child(look)) == 5 << 8;
	ok(good, "200 children one after another");
	good = true;
	for (int i = 0; i < 20; i++)
		good &= run_mode("program", NULL, NULL) == 42 << 8;
	ok(good, "20 programs one after another");
}

static const struct mode modes[] = { { "program", program }, { NULL, NULL } };

int main(int argc, char **argv)
{
	tap_start(argc, argv, modes);
	suspended();
	memory();
	descriptors();
	after_exec();
	by_clone();
	many();
	return done_testing();
}
