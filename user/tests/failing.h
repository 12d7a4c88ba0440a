/* SPDX-License-Identifier: MIT */
/*
 * failing.h: system calls with each allocation of the kernel's made to fail in turn. A row says how to
 * make a call and how to undo it; fail_row() makes the 1st, 2nd, 3rd allocation fail until there is none
 * left to fail. Each time the call must have worked all the same, or say ENOMEM (or what else Linux says
 * where memory is missing) with nothing changed; and when the row is through, all memory that it took
 * must be back, and the kernel find itself in order (/proc/leakcheck).
 */
#ifndef USER_TESTS_FAILING_H
#define USER_TESTS_FAILING_H

#include "failures.h"
#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#define MAX_NTH 600 /* no call allocates so often */

struct row {
	const char *name;
	/* The call: a function that returns its result or -errno; or a number and arguments. */
	long (*call)(void);
	long nr;
	long args[6];
	void (*setup)(void);	/* before each try: makes the same state whatever was before */
	void (*undo)(long ret); /* after success */
	int also;		/* an errno besides ENOMEM */
	long want;		/* the result that counts as success, if it is an error: -errno */
	unsigned int flags;
};

#define PARTLY 1 /* what was done before the failure stays done, as in Linux */
#define CHILD  2 /* the call looks after `nth` and `injected` itself, in a child */
#define ALWAYS 4 /* doesn't fail: it does without, or tries again */

static unsigned int nth; /* the allocation that is to fail; 0: none */
static bool injected;	 /* whether it has been come to */
static int leak_fd = -1;
static unsigned int total_rows, total_failures, total_injections;

/* --- what can change -------------------------------------------------------------------------- */

static char state_then[32768], state_now[32768];

struct text {
	char *s;
	size_t len;
};

__attribute__((format(printf, 2, 3))) TAP_FN void add(struct text *t, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	t->len += vsnprintf(t->s + t->len, sizeof(state_now) - t->len, fmt, args);
	va_end(args);
	if (t->len >= sizeof(state_now))
		_exit(4);
}

TAP_FN ssize_t slurp(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n, all = 0;

	if (fd < 0)
		_exit(5);
	while ((n = read(fd, buf + all, size - 1 - all)) > 0)
		all += n;
	close(fd);
	buf[all] = '\0';
	return all;
}

/* Areas; one that was cut in two, which changes nothing for a program, as if it hadn't been. */
TAP_FN void add_areas(struct text *t)
{
	static char maps[32768];
	unsigned long from = 0, to = 0, offset = 0;
	char kind[200] = "";

	slurp("/proc/self/maps", maps, sizeof(maps));
	for (char *line = maps, *next; *line; line = next) {
		unsigned long a, b, off;
		char *rest;

		next = strchr(line, '\n');
		*next++ = '\0';
		a = strtoul(line, &rest, 16);
		b = strtoul(rest + 1, &rest, 16);
		off = strtoul(rest + 6, NULL, 16);
		/* What makes areas alike: permissions, device, inode, name. */
		memmove(rest + 6, rest + 14, strlen(rest + 14) + 1);
		/* Shared memory is another file each time it is made. */
		if (strchr(rest, '/') && strstr(rest, "(deleted)"))
			memmove(rest + 6, strchr(rest, '/'), strlen(strchr(rest, '/')) + 1);
		if (a == to && !strcmp(kind, rest) && (off == 0 || off == offset + (a - from))) {
			to = b;
			continue;
		}
		if (to)
			add(t, "%lx-%lx%s %lx\n", from, to, kind, offset);
		from = a, to = b, offset = off;
		snprintf(kind, sizeof(kind), "%s", rest);
	}
	add(t, "%lx-%lx%s\n", from, to, kind);
}

TAP_FN void add_files(struct text *t)
{
	for (int fd = 0; fd < 64; fd++) {
		int flags = fcntl(fd, F_GETFL);

		if (flags >= 0 && fd != fail_fd && fd != leak_fd)
			add(t, "%d:%x %x %lx\n", fd, flags, fcntl(fd, F_GETFD),
			    (long)lseek(fd, 0, SEEK_CUR));
	}
}

/* The working directory's names. */
TAP_FN void add_names(struct text *t)
{
	static char buf[4096] __attribute__((aligned(8)));
	int dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long n;

	while ((n = syscall(SYS_getdents64, dir, buf, sizeof(buf))) > 0)
		for (long at = 0; at < n;) {
			struct {
				unsigned long ino;
				long off;
				unsigned short len;
				unsigned char type;
				char name[];
			} *d = (void *)(buf + at);
			struct stat st;

			at += d->len;
			if (!strcmp(d->name, "..") || lstat(d->name, &st))
				continue;
			/* The place in the list is not a state of it. */
			add(t, "%s %o %d %d %d %ld %ld %lx\n", d->name, st.st_mode, st.st_uid,
			    st.st_gid, (int)st.st_nlink, (long)st.st_size, (long)st.st_blocks,
			    (long)st.st_ino);
		}
	close(dir);
}

/* Lines of /proc/self/status that a failed call may not change. */
TAP_FN void add_status(struct text *t)
{
	static const char *const names[] = { "Umask",  "Uid",	  "Gid",    "Groups", "VmLck",
					     "VmPin",  "Threads", "SigQ",   "SigPnd", "ShdPnd",
					     "SigBlk", "SigIgn",  "SigCgt", "CapEff", "Name" };
	static char status[4096];

	slurp("/proc/self/status", status, sizeof(status));
	for (size_t i = 0; i < COUNT(names); i++) {
		char key[16], *line;

		snprintf(key, sizeof(key), "%s:", names[i]);
		line = strncmp(status, key, strlen(key)) ? NULL : status;
		snprintf(key, sizeof(key), "\n%s:", names[i]);
		if (!line)
			line = strstr(status, key);
		if (line)
			add(t, "%.*s", (int)strcspn(line + 1, "\n") + 1, line);
	}
}

/* System V segments, without who was the last to do what and when: attaching and detaching again shows. */
TAP_FN void add_segments(struct text *t)
{
	static char segments[4096];
	char *line;

	if (access("/proc/sysvipc/shm", R_OK))
		return;
	slurp("/proc/sysvipc/shm", segments, sizeof(segments));
	line = segments;
	for (char *next; *line && (next = strchr(line, '\n')); line = next) {
		int column = 0;

		*next++ = '\0';
		for (char *word = strtok(line, " "); word; word = strtok(NULL, " "), column++)
			if (column != 5 && (column < 11 || column > 12))
				add(t, " %s", word);
		add(t, "\n");
	}
}

TAP_FN const char *take_state(char *buf)
{
	static char cwd[256];
	struct text t = { .s = buf };

	add_areas(&t);
	add_files(&t);
	add_names(&t);
	add_status(&t);
	add_segments(&t);
	syscall(SYS_getcwd, cwd, sizeof(cwd));
	add(&t, "%s\n", cwd);
	return buf;
}

TAP_FN void show_difference(const char *was, const char *is)
{
	while (*was || *is) {
		int a = (int)strcspn(was, "\n"), b = (int)strcspn(is, "\n");

		if (a != b || strncmp(was, is, a))
			diag("was \"%.*s\", is \"%.*s\"", a, was, b, is);
		was += a + !!was[a];
		is += b + !!is[b];
	}
}

/* --- what can be lost -------------------------------------------------------------------------- */

TAP_FN void take_usage(char *buf)
{
	ssize_t n = pread(leak_fd, buf, 4095, 0);

	if (n <= 0)
		_exit(6);
	buf[n] = '\0';
}

static char usage_then[4096], usage_now[4096];

/* What ends elsewhere, such as a child's last steps, may take a moment. */
TAP_FN bool all_is_back(const char *then, char *now)
{
	struct timespec moment = { 0, 2000000 };

	for (int tries = 0; tries < 50; tries++) {
		take_usage(now);
		if (!strcmp(then, now))
			return true;
		nanosleep(&moment, NULL);
	}
	return false;
}

/* --- a row ------------------------------------------------------------------------------------ */

static const struct row *running;

TAP_FN long call_row(const struct row *r)
{
	long ret;

	if (r->flags & CHILD)
		return r->call();
	if (nth)
		fail_at(nth);
	ret = r->call ? r->call() :
			result(syscall(r->nr, r->args[0], r->args[1], r->args[2], r->args[3],
				       r->args[4], r->args[5]));
	injected = nth && failed_now();
	return ret;
}

/* A return value of mmap and of brk is large, but no error. */
TAP_FN bool is_failure(long ret)
{
	return ret < 0 && ret >= -4095;
}

TAP_FN bool row_worked(const struct row *r, long ret)
{
	return r->want ? ret == r->want : !is_failure(ret);
}

/* One try; false when it went wrong. */
TAP_FN bool try_row(const struct row *r, unsigned int n)
{
	long ret;

	if (r->setup)
		r->setup();
	nth = n;
	injected = false;
	ret = call_row(r);
	nth = 0;
	if (row_worked(r, ret)) {
		if (r->undo)
			r->undo(ret);
		return true;
	}
	total_failures++;
	if (!injected || (ret != -ENOMEM && ret != -r->also)) {
		diag("%s, allocation %u: %ld", r->name, n, ret);
		return false;
	}
	if (r->flags & PARTLY)
		return true;
	if (strcmp(state_then, take_state(state_now))) {
		diag("%s, allocation %u, has changed something:", r->name, n);
		show_difference(state_then, state_now);
		return false;
	}
	return true;
}

TAP_FN void fail_row(const struct row *r)
{
	unsigned int n = 0, failures = total_failures;
	bool good;

	running = r;
	/* What a first call alone needs, such as a page of the stack, is had then. */
	good = try_row(r, 0);
	take_usage(usage_then);
	if (r->setup)
		r->setup();
	take_state(state_then);
	do
		good &= try_row(r, ++n);
	while (injected && n < MAX_NTH);
	if (!all_is_back(usage_then, usage_now)) {
		diag("%s: memory is missing, or is too much:", r->name);
		show_difference(usage_then, usage_now);
		good = false;
	}
	failures = total_failures - failures;
	total_rows++;
	total_injections += n - 1;
	ok(good && n < MAX_NTH, "%s: %u allocations, %u failures", r->name, n - 1, failures);
}

TAP_FN void fail_rows(const struct row *rows, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		fail_row(&rows[i]);
}

/* The stack as deep as any row needs it. */
__attribute__((noinline)) TAP_FN void touch_stack(void)
{
	volatile char room[16 * PAGE];

	for (size_t i = 0; i < sizeof(room); i += 512)
		room[i] = 0;
}

/* Before anything is made that a skipped test would leave. */
TAP_FN void failing_need(void)
{
	if (access("/proc/thread-self/fail-nth", W_OK))
		skip_all("no /proc/thread-self/fail-nth: this kernel can't fail on purpose");
}

/* Files at high numbers, so that what rows open is always the same. */
TAP_FN void failing_start(void)
{
	int fd = open("/proc/thread-self/fail-nth", O_RDWR);

	fail_fd = fcntl(fd, F_DUPFD_CLOEXEC, 63);
	close(fd);
	fd = open("/proc/leakcheck", O_RDONLY);
	leak_fd = fcntl(fd, F_DUPFD_CLOEXEC, 62);
	close(fd);
	touch_stack();
	/* All of this program's own memory is there before anything may fail. */
	take_usage(usage_then);
	take_usage(usage_now);
	take_state(state_then);
	take_state(state_now);
}

TAP_FN void failing_summary(void)
{
	diag("%u calls, %u allocations failed in turn, %u errors", total_rows, total_injections,
	     total_failures);
}

/* In a child: its own fail-nth. */
TAP_FN void fail_in_child(void)
{
	int fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		_exit(2);
	dup2(fd, fail_fd);
	if (fd != fail_fd)
		close(fd);
}

/*
 * Runs a call in a child, where it is made to fail, for what leaves marks on a process. What the child
 * dies of is -ENOMEM if that is SIGSEGV, as what has no way to say so ends. `call` returns 0 or -errno.
 */
TAP_FN long call_in_child(long (*call)(void))
{
	long pid = result(syscall(SYS_fork)), err;
	int status;

	if (pid == 0) {
		bool was = false;

		fail_in_child();
		if (nth)
			fail_at(nth);
		err = call();
		was = nth && failed_now();
		_exit((err < 0 ? (int)-err : 0) | (was ? 128 : 0));
	}
	injected = false;
	if (pid < 0 || waitpid((pid_t)pid, &status, 0) != pid)
		return -EIO;
	if (WIFSIGNALED(status)) {
		injected = true;
		return WTERMSIG(status) == SIGSEGV ? -ENOMEM : -EIO;
	}
	injected = WEXITSTATUS(status) & 128;
	return -(long)(WEXITSTATUS(status) & 127);
}

TAP_FN void undo_close(long ret)
{
	close((int)ret);
}

#endif
