/* SPDX-License-Identifier: MIT */
/* Files of /proc about a process: while it lives, as a zombie, and when it has gone with them open. */
#include "procs.h"
#include <dirent.h>

static volatile int *words;

static int live(void *arg)
{
	return await((volatile int *)arg, 1) ? 0 : 1;
}

static long open_of(pid_t pid, const char *name, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return raw(SYS_open, path, flags);
}

static long read_some(int fd)
{
	static char text[4096];

	raw(SYS_lseek, fd, 0, SEEK_SET);
	return raw(SYS_read, fd, text, sizeof(text));
}

/* What read gives for each file: alive, as a zombie, and gone. 1: more than nothing. */
static const struct {
	const char *name;
	int alive, zombie, gone;
} cases[] = {
	{ "stat", 1, 1, -ESRCH },    { "status", 1, 1, -ESRCH }, { "statm", 1, 1, -ESRCH },
	{ "cmdline", 1, 0, -ESRCH }, { "comm", 1, 1, -ESRCH },	 { "limits", 1, 1, -ESRCH },
};

static long kind(long n)
{
	return n > 0 ? 1 : n;
}

static void files(void)
{
	int fds[COUNT(cases)];
	pid_t pid;

	words[0] = 0;
	pid = fork_child(live, (void *)&words[0]);
	for (size_t i = 0; i < COUNT(cases); i++) {
		fds[i] = open_of(pid, cases[i].name, O_RDONLY);
		is(kind(read_some(fds[i])), cases[i].alive, "%s of a process", cases[i].name);
	}
	words[0] = 1;
	ok(UNTIL(state_of(pid) == 'Z'), "it ends");
	for (size_t i = 0; i < COUNT(cases); i++)
		is(kind(read_some(fds[i])), cases[i].zombie, "%s of a zombie", cases[i].name);
	status_of(pid);
	for (size_t i = 0; i < COUNT(cases); i++) {
		is(kind(read_some(fds[i])), cases[i].gone, "%s of one that is gone", cases[i].name);
		raw(SYS_close, fds[i]);
		is(open_of(pid, cases[i].name, O_RDONLY), -ENOENT, "%s can't be opened any more",
		   cases[i].name);
	}
}

/* maps and smaps keep the memory's description, not the memory. */
static void memory(void)
{
	int maps, smaps_fd;
	pid_t pid;

	words[0] = 0;
	pid = fork_child(live, (void *)&words[0]);
	maps = open_of(pid, "maps", O_RDONLY);
	smaps_fd = open_of(pid, "smaps", O_RDONLY);
	ok(read_some(maps) > 0, "maps of a process");
	ok(read_some(smaps_fd) > 0, "smaps");
	words[0] = 1;
	UNTIL(state_of(pid) == 'Z');
	is(read_some(maps), 0, "maps of a zombie, opened before, is empty");
	is(read_some(smaps_fd), 0, "smaps too");
	status_of(pid);
	is(kind(read_some(maps)), -ESRCH, "maps of one that is gone");
	is(kind(read_some(smaps_fd)), -ESRCH, "smaps");
	raw(SYS_close, maps);
	raw(SYS_close, smaps_fd);
}

static long list(int fd)
{
	static char buffer[8192] __attribute__((aligned(8)));

	raw(SYS_lseek, fd, 0, SEEK_SET);
	return raw(SYS_getdents64, fd, buffer, sizeof(buffer));
}

static void folders(void)
{
	int dir, task, fd;
	char text[64];
	pid_t pid;

	words[0] = 0;
	pid = fork_child(live, (void *)&words[0]);
	dir = open_of(pid, "", O_RDONLY | O_DIRECTORY);
	task = open_of(pid, "task", O_RDONLY | O_DIRECTORY);
	fd = open_of(pid, "fd", O_RDONLY | O_DIRECTORY);
	ok(dir >= 0 && task >= 0 && fd >= 0, "folders of a process");
	ok(list(dir) > 0 && list(task) > 0 && list(fd) > 0, "are full");
	ok(raw(SYS_readlinkat, dir, "exe", text, sizeof(text)) > 0, "exe is a link");
	ok(raw(SYS_readlinkat, dir, "cwd", text, sizeof(text)) > 0, "cwd too");
	words[0] = 1;
	UNTIL(state_of(pid) == 'Z');
	ok(list(dir) > 0 && list(task) > 0, "a zombie's are too");
	is(raw(SYS_readlinkat, dir, "exe", text, sizeof(text)), -ENOENT, "without a program");
	is(raw(SYS_readlinkat, dir, "cwd", text, sizeof(text)), -ENOENT, "and a directory");
	status_of(pid);
	is(list(dir), -ENOENT, "one that is gone has none");
	is(list(task), -ENOENT, "and no threads");
	is(list(fd), -ENOENT, "and no descriptors");
	is(raw(SYS_openat, dir, "stat", O_RDONLY), -ESRCH, "nothing is to be opened there");
	raw(SYS_close, dir);
	raw(SYS_close, task);
	raw(SYS_close, fd);
}

/* --- a thread's -------------------------------------------------------------------------------------- */

static int sleep_on(void *arg)
{
	words[2] = my_tid();
	while (*(volatile int *)arg == 0)
		raw(SYS_futex, arg, 0, 0, NULL);
	return 0;
}

static void threads(void)
{
	struct thread thread;
	char path[64];
	int fd, dir;
	pid_t tid;

	words[1] = 0;
	tid = thread_start(&thread, sleep_on, (void *)&words[1]);
	THREAD_SLEEPS(tid);
	snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
	fd = raw(SYS_open, path, O_RDONLY);
	snprintf(path, sizeof(path), "/proc/self/task/%d", tid);
	dir = raw(SYS_open, path, O_RDONLY | O_DIRECTORY);
	ok(read_some(fd) > 0, "status of a thread");
	ok(list(dir) > 0, "and its folder");
	words[1] = 1;
	raw(SYS_futex, &words[1], 1, 1);
	thread_join(&thread);
	ok(UNTIL(thread_count() == 1), "it ends");
	is(read_some(fd), -ESRCH, "then there is no status");
	is(list(dir), -ENOENT, "and no folder");
	is(raw(SYS_open, path, O_RDONLY), -ENOENT, "to be opened");
	raw(SYS_close, fd);
	raw(SYS_close, dir);
	is(raw(SYS_open, "/proc/self/task/1/stat", O_RDONLY), -ENOENT,
	   "another process's isn't there");
	is(raw(SYS_open, "/proc/self/task/0", O_RDONLY), -ENOENT, "nor 0");
	is(raw(SYS_open, "/proc/self/task/x", O_RDONLY), -ENOENT, "nor x");
	is(raw(SYS_open, "/proc/0123/stat", O_RDONLY), -ENOENT,
	   "a number with a 0 in front is none");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	words = shared_words();
	files();
	memory();
	folders();
	threads();
	return done_testing();
}
