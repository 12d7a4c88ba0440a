/* SPDX-License-Identifier: MIT */
/*
 * tap.h: a tiny Test Anything Protocol producer for programs that test memory.
 *
 * It never allocates and only ever calls write(2), so that a test's address space stays as the
 * kernel made it and every line is out before the next call can kill the program. A test file is
 *
 *	static const struct mode modes[] = { { "null", child_null }, { NULL, NULL } };
 *	int main(int argc, char **argv)
 *	{
 *		tap_start(argc, argv, modes);	(runs a mode and exits when argv[1] names one)
 *		...
 *		return done_testing();
 *	}
 *
 * A part that must run in a program of its own is a "mode": run_mode() starts this program's file
 * again, by vfork and execve, with the mode's name as argv[1].
 */
#ifndef USER_TESTS_TAP_H
#define USER_TESTS_TAP_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define TAP_FN	  __attribute__((unused)) static
#define PAGE	  4096UL
#define TASK_SIZE 0x7ffffffff000UL
#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))

/* What a child of run_mode() executes; its return value is the exit status. */
struct mode {
	const char *name;
	int (*run)(int argc, char **argv);
};

static struct {
	int count;
	int failed;
	const char *path;
} tap;

TAP_FN void tap_write(const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(1, text, len);

		/* A test's handlers may run meanwhile. */
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(3);
		text += n;
		len -= n;
	}
}

__attribute__((format(printf, 2, 0))) TAP_FN void tap_vline(const char *prefix, const char *fmt,
							    va_list args)
{
	char line[512];
	int used = snprintf(line, sizeof(line), "%s", prefix);
	int body = vsnprintf(line + used, sizeof(line) - used - 1, fmt, args);

	used += body;
	if (used > (int)sizeof(line) - 2)
		used = sizeof(line) - 2;
	line[used++] = '\n';
	tap_write(line, used);
}

__attribute__((format(printf, 1, 2))) TAP_FN void diag(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tap_vline("# ", fmt, args);
	va_end(args);
}

__attribute__((format(printf, 2, 0))) TAP_FN void tap_result(bool good, const char *fmt,
							     va_list args)
{
	char prefix[32];

	tap.count++;
	if (!good)
		tap.failed++;
	snprintf(prefix, sizeof(prefix), "%s %d - ", good ? "ok" : "not ok", tap.count);
	tap_vline(prefix, fmt, args);
}

/* One check; returns its outcome so that a caller can add a diag(). */
__attribute__((format(printf, 2, 3))) TAP_FN bool ok(bool good, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tap_result(good, fmt, args);
	va_end(args);
	return good;
}

__attribute__((format(printf, 3, 4))) TAP_FN bool is(long got, long want, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tap_result(got == want, fmt, args);
	va_end(args);
	if (got != want)
		diag("got %ld (0x%lx), wanted %ld (0x%lx)", got, got, want, want);
	return got == want;
}

__attribute__((format(printf, 3, 4))) TAP_FN bool is_str(const char *got, const char *want,
							 const char *fmt, ...)
{
	bool good = strcmp(got, want) == 0;
	va_list args;

	va_start(args, fmt);
	tap_result(good, fmt, args);
	va_end(args);
	if (!good) {
		diag("got    \"%s\"", got);
		diag("wanted \"%s\"", want);
	}
	return good;
}

/*
 * A system call's raw result: -1 with errno from syscall(2) becomes -errno. Take it at once:
 * result(mmap(...)) reads errno as the call left it.
 */
TAP_FN long result(long value)
{
	return value == -1 ? -errno : value;
}

/* The call must fail with this errno. */
#define fails(call, want, ...) is(result((long)(call)), -(long)(want), __VA_ARGS__)

/* One check that can't be made here. The reason is for the person who reads the log. */
TAP_FN void skip(const char *name, const char *reason)
{
	char line[256];
	int n;

	tap.count++;
	n = snprintf(line, sizeof(line), "ok %d - %s # SKIP %s\n", tap.count, name, reason);
	tap_write(line, n < (int)sizeof(line) ? n : (int)sizeof(line) - 1);
}

/* Nothing of this file can be tested here. */
__attribute__((noreturn)) TAP_FN void skip_all(const char *reason)
{
	char line[256];
	int n = snprintf(line, sizeof(line), "1..0 # SKIP %s\n", reason);

	tap_write(line, n < (int)sizeof(line) ? n : (int)sizeof(line) - 1);
	_exit(0);
}

TAP_FN void plan(int checks)
{
	char line[32];

	tap_write(line, snprintf(line, sizeof(line), "1..%d\n", checks));
}

/* The plan after the fact, and main's return value: 1 when a check failed. */
TAP_FN int done_testing(void)
{
	plan(tap.count);
	if (tap.failed)
		diag("%d of %d checks failed", tap.failed, tap.count);
	return tap.failed ? 1 : 0;
}

/* Runs argv[1]'s mode and exits with its value; returns when there is no argv[1]. */
TAP_FN void tap_start(int argc, char **argv, const struct mode *modes)
{
	tap.path = argv[0];
	if (argc < 2)
		return;
	for (const struct mode *m = modes; m && m->name; m++)
		if (strcmp(m->name, argv[1]) == 0)
			_exit(m->run(argc, argv));
	diag("unknown mode %s", argv[1]);
	_exit(2);
}

/*
 * Starts a program by vfork and execve and returns its pid, or -errno when execve fails.
 * noinline: the child runs on this frame until it executes, nothing else may live in it.
 */
__attribute__((noinline)) TAP_FN pid_t spawn(const char *path, char *const argv[],
					     char *const envp[])
{
	static volatile int failure;
	pid_t pid;

	failure = 0;
	pid = vfork();
	if (pid == 0) {
		execve(path, argv, envp);
		failure = errno;
		_exit(127);
	}
	if (pid < 0)
		return -errno;
	if (failure) {
		waitpid(pid, NULL, 0);
		return -failure;
	}
	return pid;
}

/* The wait status of that child, or -errno. */
TAP_FN int wait_status(pid_t pid)
{
	int status = 0;

	if (pid < 0)
		return pid;
	return waitpid(pid, &status, 0) == pid ? status : -errno;
}

/* Starts this program's own file in a mode, with up to two further arguments (or NULL). */
TAP_FN pid_t start_mode(const char *mode, const char *arg1, const char *arg2)
{
	char *argv[] = { (char *)tap.path, (char *)mode, (char *)arg1, arg1 ? (char *)arg2 : NULL,
			 NULL };
	char *envp[] = { NULL };
	pid_t pid = spawn("/proc/self/exe", argv, envp);

	return pid < 0 ? spawn(tap.path, argv, envp) : pid;
}

TAP_FN int run_mode(const char *mode, const char *arg1, const char *arg2)
{
	return wait_status(start_mode(mode, arg1, arg2));
}

/* The child in that mode must end by this signal. */
TAP_FN bool dies(const char *mode, int signal, const char *name)
{
	int status = run_mode(mode, NULL, NULL);
	bool good = ok(status >= 0 && WIFSIGNALED(status) && WTERMSIG(status) == signal,
		       "%s: killed by signal %d", name, signal);

	if (!good)
		diag("wait status 0x%x", status);
	return good;
}

/* The child in that mode must exit with this value. */
TAP_FN bool exits(const char *mode, int value, const char *name)
{
	int status = run_mode(mode, NULL, NULL);
	bool good =
		ok(status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == value, "%s", name);

	if (!good)
		diag("wait status 0x%x, wanted exit status %d", status, value);
	return good;
}

/* For what a child or a thread finds: says what doesn't hold, and makes the function return 1. */
#define NEED(condition)                                                \
	do {                                                           \
		if (!(condition)) {                                    \
			diag("line %d: not %s", __LINE__, #condition); \
			return 1;                                      \
		}                                                      \
	} while (0)

#endif
