/* SPDX-License-Identifier: MIT */
/* Runs something in a process of its own: to see it panic, or to have a machine for it alone. */
#ifndef TESTS_HOST_DEATH_H
#define TESTS_HOST_DEATH_H

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/host/tap.h"

/* A hang is a failure too. */
#define CHILD_SECONDS 600

static inline void child_runs(void (*fn)(void *), void *arg, int out)
{
	const struct rlimit no_core = { 0, 0 };

	setrlimit(RLIMIT_CORE, &no_core);
	alarm(CHILD_SECONDS);
	dup2(out, STDERR_FILENO);
	fn(arg);
	_exit(0);
}

/* One check: fn(arg) must panic with `text` in what it says. */
static inline bool panics(void (*fn)(void *), void *arg, const char *text, const char *name)
{
	char said[4096];
	size_t len = 0;
	ssize_t n;
	int fds[2], status;
	pid_t pid;

	fflush(stdout);
	if (pipe(fds))
		abort();
	pid = fork();
	if (pid == 0)
		child_runs(fn, arg, fds[1]);
	close(fds[1]);
	while (len < sizeof(said) - 1 && (n = read(fds[0], said + len, sizeof(said) - 1 - len)) > 0)
		len += (size_t)n;
	said[len] = '\0';
	close(fds[0]);
	waitpid(pid, &status, 0);
	if (ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && strstr(said, text), "%s",
	       name))
		return true;
	diag("expected a panic with \"%s\"; status %#x, it said:", text, status);
	for (char *line = strtok(said, "\n"); line; line = strtok(NULL, "\n"))
		diag("  %s", line);
	return false;
}

/* Runs fn(arg), with its own checks, on a machine of its own. */
static inline void isolated(void (*fn)(void *), void *arg, const char *name)
{
	int *counts = mmap(NULL, 2 * sizeof(int), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		alarm(CHILD_SECONDS);
		fn(arg);
		counts[0] = tap_run;
		counts[1] = tap_failed;
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (counts[0]) {
		tap_run = counts[0];
		tap_failed = counts[1];
	}
	ok(status == 0, "%s: the machine ran to its end", name);
	munmap(counts, 2 * sizeof(int));
}

#endif
