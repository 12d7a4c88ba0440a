/* SPDX-License-Identifier: MIT */
/*
 * procs.h: children made by fork, threads made by clone, and ways to wait for what they do.
 *
 * System calls are made without a C library here: threads made by thread_start() share its
 * thread-local storage, and with it errno.
 */
#ifndef USER_TESTS_PROCS_H
#define USER_TESTS_PROCS_H

#include "signals.h"
#include "vm.h"
#include <sched.h>
#include <time.h>

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif

#define FUTEX_WAIT_PRIVATE_ 128
#define FUTEX_WAKE_PRIVATE_ 129

/* A system call's result as the kernel gives it: -errno on failure. */
TAP_FN long raw6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

#define RAW_PICK(nr, a, b, c, d, e, f, ...) \
	raw6((long)(nr), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
/* raw(SYS_kill, pid, sig): up to six arguments, the others are 0. */
#define raw(...) RAW_PICK(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

TAP_FN pid_t my_tid(void)
{
	return raw(SYS_gettid);
}

TAP_FN pid_t my_pid(void)
{
	return raw(SYS_getpid);
}

/* A pause that nothing is concluded from. */
TAP_FN void nap(void)
{
	struct timespec t = { 0, 1000000 };

	raw(SYS_nanosleep, &t, NULL);
}

/* Waits, for some seconds at most, until a condition holds; the value says whether it does. */
#define UNTIL(condition)                                       \
	({                                                     \
		bool holds_ = false;                           \
		for (int n_ = 0; n_ < 5000 && !holds_; n_++) { \
			holds_ = (condition);                  \
			if (!holds_)                           \
				nap();                         \
		}                                              \
		holds_;                                        \
	})

/* The same for two numbers. */
#define NEED_IS(got, want)                                                                   \
	do {                                                                                 \
		long got_ = (long)(got), want_ = (long)(want);                               \
		if (got_ != want_) {                                                         \
			diag("line %d: %s is %ld, wanted %ld", __LINE__, #got, got_, want_); \
			return 1;                                                            \
		}                                                                            \
	} while (0)

/* --- processes -------------------------------------------------------------------------------- */

/* Starts fn(arg) in a copy of this process, which exits with what it returns. Pid or -errno. */
TAP_FN pid_t fork_child(int (*fn)(void *), void *arg)
{
	pid_t pid = raw(SYS_fork);

	if (pid == 0)
		raw(SYS_exit_group, fn(arg));
	return pid;
}

/* As wait_status(), of children of any kind. */
TAP_FN int status_of(pid_t pid)
{
	int status = 0;
	long got;

	if (pid < 0)
		return pid;
	do {
		got = raw(SYS_wait4, pid, &status, 0x40000000 /* __WALL */, NULL);
	} while (got == -EINTR);
	return got == pid ? status : (int)got;
}

/* fn(NULL) in a child must return 0. */
TAP_FN bool child_ok(int (*fn)(void *), const char *name)
{
	int status = status_of(fork_child(fn, NULL));
	bool good = ok(status == 0, "%s", name);

	if (!good)
		diag("wait status 0x%x", status);
	return good;
}

/* A page that children share. */
TAP_FN volatile int *shared_words(void)
{
	long p = raw_mmap(0, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p < 0 && p > -4096) {
		diag("cannot map a shared page: error %ld", -p);
		tap_write("Bail out!\n", 10);
		_exit(1);
	}
	return (volatile int *)p;
}

/* Waits until another process or thread has brought a shared word to a value. */
TAP_FN bool await(volatile int *word, int value)
{
	bool came = UNTIL(__atomic_load_n(word, __ATOMIC_SEQ_CST) >= value);

	if (!came)
		diag("a word stayed at %d, wanted %d", *word, value);
	return came;
}

/* --- /proc ------------------------------------------------------------------------------------ */

/* A file of /proc into text; its length or -errno. */
TAP_FN long read_small(const char *path, char *text, size_t size)
{
	long fd = raw(SYS_open, path, O_RDONLY), n, used = 0;

	text[0] = '\0';
	if (fd < 0)
		return fd;
	while ((n = raw(SYS_read, fd, text + used, size - 1 - used)) > 0)
		used += n;
	raw(SYS_close, fd);
	if (n < 0)
		return n;
	text[used] = '\0';
	return used;
}

/* A field of a task's stat, counted as in proc(5), as text from there on; "" when there is none. */
TAP_FN const char *stat_text(const char *path, int field)
{
	static char text[1024];
	const char *at;

	if (read_small(path, text, sizeof(text)) <= 0)
		return "";
	at = strrchr(text, ')');
	for (int i = 2; at && i < field; i++) {
		at = strchr(at, ' ');
		if (at)
			at++;
	}
	return at ? at : "";
}

/* The state letter of a process; 0 when there is none of that pid. */
TAP_FN char state_of(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	return *stat_text(path, 3);
}

TAP_FN long stat_number(pid_t pid, int field)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	return strtol(stat_text(path, field), NULL, 10);
}

/* The state letter of a thread of this process. */
TAP_FN char thread_state(pid_t tid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", my_pid(), tid);
	return *stat_text(path, 3);
}

/* Waits until the process, or the thread of this one, sleeps. */
#define SLEEPS(pid)	   UNTIL(state_of(pid) == 'S')
#define THREAD_SLEEPS(tid) UNTIL(thread_state(tid) == 'S')

/* A number after "Name:" in /proc/PID/status, of any base; -1 when there is none. */
TAP_FN long status_field(pid_t pid, const char *name, int base)
{
	static char text[4096];
	char path[64], key[32];
	const char *at;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (read_small(path, text, sizeof(text)) <= 0)
		return -1;
	snprintf(key, sizeof(key), "\n%s:", name);
	at = strstr(text, key);
	return at ? (long)strtoul(at + strlen(key), NULL, base) : -1;
}

/* --- threads ---------------------------------------------------------------------------------- */

#define THREAD_FLAGS                                                                        \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | \
	 CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)
#define STACK_PAGES 16

struct thread {
	char *stack;
	volatile int tid; /* 0 when it has ended */
};

/*
 * clone(2) with a stack of its own, at whose top lie a function and its argument. The child ends
 * by exit(2) with what the function returns.
 */
__attribute__((naked, noinline)) TAP_FN long clone_on_stack(unsigned long flags, void *stack,
							    volatile int *parent_tid,
							    volatile int *child_tid,
							    unsigned long tls)
{
	__asm__("mov %rcx, %r10\n\t"
		"mov $56, %eax\n\t"
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

/* The same with the function named. stack: its lowest address, of STACK_PAGES pages. */
TAP_FN long clone_fn(unsigned long flags, char *stack, int (*fn)(void *), void *arg,
		     volatile int *parent_tid, volatile int *child_tid, unsigned long tls)
{
	unsigned long *top = (unsigned long *)(stack + STACK_PAGES * PAGE) - 2;

	top[0] = (unsigned long)fn;
	top[1] = (unsigned long)arg;
	return clone_on_stack(flags, top, parent_tid, child_tid, tls);
}

/* A thread of this process; its tid or -errno. thread is for thread_join(). */
TAP_FN long thread_start(struct thread *thread, int (*fn)(void *), void *arg)
{
	long tid;

	thread->stack = fresh(STACK_PAGES, RW);
	thread->tid = -1;
	tid = clone_fn(THREAD_FLAGS, thread->stack, fn, arg, &thread->tid, &thread->tid, 0);
	if (tid < 0) {
		diag("no thread: error %ld", -tid);
		raw_munmap((unsigned long)thread->stack, STACK_PAGES * PAGE);
		thread->tid = 0;
		thread->stack = NULL;
	}
	return tid;
}

/* Waits for its end and takes back its stack. */
TAP_FN void thread_join(struct thread *thread)
{
	int tid;

	while ((tid = thread->tid) != 0)
		raw(SYS_futex, &thread->tid, 0 /* FUTEX_WAIT */, tid, NULL);
	if (thread->stack)
		raw(SYS_munmap, thread->stack, STACK_PAGES * PAGE);
	thread->stack = NULL;
}

/* How many threads this process has, as /proc says. */
TAP_FN long thread_count(void)
{
	return status_field(my_pid(), "Threads", 10);
}

#endif
